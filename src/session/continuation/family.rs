//! A compiled model at rest as a family F(u, p) = 0.
//!
//! Enters: a model, the values that hold and the parameter that moves. Leaves: residuals and exact
//! derivatives up to the third order, by position. Conditions are read from the modes that hold at
//! the start, so that F is smooth; rows that follow from the others are replaced by the sums that
//! the equations keep, with totals that follow the parameter. Must not know text.

use super::formulas::{Formulas, Values, Weight, laws_of_reactions};
use super::{Moving, Unfit};
use crate::analyze::continuation::{Family, Motion};
use crate::analyze::{Kept, Law, keeps, kept};
use crate::kernel::{Kernels, Parameters, Scratch, SharedKernel};
use crate::model;
use crate::session::compiled::Compiled;
use crate::simulate::{CompiledDynamics, Tolerances, modes_at};
use crate::symbolic::{Expr, Pool, SymbolId, directional_along};
use crate::system::System;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

/// A model at rest in which one parameter moves. For one thread.
pub(super) struct RestFamily<'c> {
    compiled: &'c Compiled,
    /// The system and its functions when the parameter is followed by others.
    own: Option<(Arc<System>, Kernels)>,
    time: f64,
    motion: Motion,
    /// Position of the parameter in the parameter vector.
    position: usize,
    algebraic: Vec<bool>,
    /// The row that each kept sum replaces.
    rows: Vec<usize>,
    /// One per kept sum: how far it is from its total; then the weights of all sums.
    sums: Option<SharedKernel>,
    /// Positions of the weights: sum, state.
    weights: Vec<(usize, usize)>,
    drift: SharedKernel,
    jacobian: SharedKernel,
    /// The derivatives of the drift and of the sums by the parameter.
    by_parameter: SharedKernel,
    /// Expressions of the drift and of the sums, and what moves in them.
    pool: Arc<Pool>,
    exprs: Vec<Expr>,
    moving: FxHashSet<SymbolId>,
    second: OnceCell<SharedKernel>,
    third: OnceCell<SharedKernel>,
    /// What holds at the start of conditions.
    modes: Vec<f64>,
    work: RefCell<Work>,
}

/// What evaluations write.
struct Work {
    parameters: Parameters,
    /// Slots with both directions.
    slots: Vec<f64>,
    scratch: [Scratch; 7],
    numbers: Vec<f64>,
}

/// Where the search starts.
pub(super) struct Start<'a> {
    pub values: Values<'a>,
    pub state: &'a [f64],
    pub tolerances: &'a Tolerances,
    /// The laws of the reactions as numbers, in the order of [`laws_of_reactions`].
    pub laws: &'a [Law],
    pub range: (f64, f64),
}

impl<'c> RestFamily<'c> {
    /// The family of a model around the values that hold.
    ///
    /// # Errors
    /// [`Unfit`]: kept sums that change their coefficients with the parameter.
    pub fn new(
        compiled: &'c Compiled,
        start: &Start<'_>,
        moving: &Moving,
    ) -> Result<RestFamily<'c>, Unfit> {
        let mut formulas = Formulas::new(compiled, &start.values, moving);
        let kept = kept_sums(compiled, start, moving)?;
        let reactions = if kept.is_empty() {
            Vec::new()
        } else {
            laws_of_reactions(compiled)
        };
        let (mut sums, mut weights) = (Vec::new(), Vec::new());
        for known in &kept {
            let given = start.laws.iter().position(|law| *law == known.law);
            let (sum, of) = match given.and_then(|at| reactions.get(at)) {
                Some(terms) => formulas.of_reactions(compiled, terms),
                None => formulas.of_numbers(compiled, &known.law),
            };
            sums.push(sum);
            weights.push(of);
        }
        let rows = kept.iter().map(|known| known.row).collect();
        let known = formulas.drift.iter().chain(&sums);
        let by = by_parameter(&compiled.system, &mut formulas.pool, known, moving);
        if by.iter().all(|expr| formulas.pool.is_zero(*expr)) {
            return Err(Unfit::Nowhere);
        }
        Ok(RestFamily::assemble(
            compiled,
            start,
            moving,
            formulas,
            by,
            (rows, sums, weights),
        ))
    }

    fn assemble(
        compiled: &'c Compiled,
        start: &Start<'_>,
        moving: &Moving,
        formulas: Formulas,
        by: Vec<Expr>,
        (rows, sums, weights): (Vec<usize>, Vec<Expr>, Vec<Vec<Weight>>),
    ) -> RestFamily<'c> {
        let pool = Arc::new(formulas.pool);
        let own = formulas.is_replaced.then(|| {
            let pool = Pool::continuing(&pool);
            let system = compiled
                .system
                .with_frozen_drift(pool, formulas.drift.clone());
            let system = Arc::new(system);
            (Arc::clone(&system), Kernels::new(system))
        });
        let (system, kernels) = match &own {
            Some((system, kernels)) => (&**system, kernels),
            None => (&*compiled.system, &compiled.kernels),
        };
        let mut exprs = formulas.drift;
        exprs.extend(&sums);
        let places = weights
            .iter()
            .enumerate()
            .flat_map(|(sum, of)| of.iter().map(move |weight| (sum, weight.position)));
        let places: Vec<(usize, usize)> = places.collect();
        let mut functions = sums.clone();
        functions.extend(weights.iter().flatten().map(|known| known.weight));
        let parameters = Parameters::new(start.values.present.parameters.clone());
        let time = compiled.model.time.start;
        let modes = modes_at(
            &compiled.system,
            &compiled.kernels,
            time,
            start.state,
            &parameters,
        );
        let mut algebraic = compiled.system.algebraic.to_vec();
        if !rows.is_empty() && algebraic.is_empty() {
            algebraic = vec![false; compiled.system.dimension()];
        }
        for row in &rows {
            if let Some(flag) = algebraic.get_mut(*row) {
                *flag = true;
            }
        }
        let mut slots = vec![0.0; system.slots_with_directions()];
        slots[system.slots.modes.clone()].copy_from_slice(&modes);
        let len = system.dimension() + rows.len();
        RestFamily {
            time,
            motion: motion(compiled),
            position: moving.position,
            algebraic,
            sums: (!rows.is_empty()).then(|| kernels.function(&pool, &functions)),
            rows,
            weights: places,
            drift: Arc::clone(kernels.frozen_drift()),
            jacobian: Arc::clone(kernels.frozen_jacobian()),
            by_parameter: kernels.function(&pool, &by),
            moving: moving_symbols(system, moving),
            exprs,
            pool,
            second: OnceCell::new(),
            third: OnceCell::new(),
            modes,
            work: RefCell::new(Work {
                parameters,
                slots,
                scratch: Default::default(),
                numbers: vec![0.0; len.max(functions.len())],
            }),
            own,
            compiled,
        }
    }

    fn system(&self) -> &System {
        match &self.own {
            Some((system, _)) => system,
            None => &self.compiled.system,
        }
    }

    fn kernels(&self) -> &Kernels {
        match &self.own {
            Some((_, kernels)) => kernels,
            None => &self.compiled.kernels,
        }
    }

    fn n(&self) -> usize {
        self.drift.out_len()
    }

    /// Whether the conditions that the equations read are as they were at the start.
    pub fn holds(&self, x: &[f64]) -> bool {
        if self.modes.is_empty() {
            return true;
        }
        let mut work = self.work.borrow_mut();
        work.at(self.position, x.get(self.n()).copied());
        let system = &self.compiled.system;
        let state = x.get(..self.n()).unwrap_or(x);
        let kernels = &self.compiled.kernels;
        let modes = modes_at(system, kernels, self.time, state, &work.parameters);
        self.changed(&modes).is_none()
    }

    /// The guard of the equations that is closest to zero, by position.
    pub fn nearest_guard(&self, x: &[f64]) -> Option<usize> {
        let system = &self.compiled.system;
        let guards = self.compiled.kernels.guards();
        let mut work = self.work.borrow_mut();
        work.at(self.position, x.get(self.n()).copied());
        let mut values = vec![0.0; guards.out_len()];
        let state = x.get(..self.n())?;
        let mut slots = vec![0.0; system.slots.len()];
        slots[system.slots.modes.clone()].copy_from_slice(&self.modes);
        let (parameters, scratch) = (&work.parameters, &mut Scratch::new());
        guards.call(self.time, state, parameters, &slots, &mut values, scratch);
        let blocks = system.slots.layout.blocks().iter();
        let blocks = blocks.filter(|block| system.slots.modes.contains(&block.offset));
        let of_drift = system.guards.iter().zip(blocks).enumerate();
        let distance = |at: std::ops::Range<usize>| {
            let numbers = values.get(at).unwrap_or_default();
            numbers
                .iter()
                .fold(f64::INFINITY, |least, value| least.min(value.abs()))
        };
        of_drift
            .filter(|(_, (guard, _))| guard.in_drift)
            .min_by(|a, b| distance(a.1.1.range()).total_cmp(&distance(b.1.1.range())))
            .map(|(at, _)| at)
    }

    fn changed(&self, modes: &[f64]) -> Option<usize> {
        let slots = &self.compiled.system.slots;
        let blocks = slots.layout.blocks().iter();
        let blocks = blocks.filter(|block| slots.modes.contains(&block.offset));
        let guards = &self.compiled.system.guards;
        guards.iter().zip(blocks).position(|(guard, block)| {
            let at = block.range();
            guard.in_drift && modes.get(at.clone()) != self.modes.get(at)
        })
    }

    /// A derivative along directions `a` and `b`, of the drift and of the sums, into `out`.
    fn along(
        &self,
        kernel: &SharedKernel,
        which: usize,
        x: &[f64],
        ab: [&[f64]; 2],
        out: &mut [f64],
    ) {
        let n = self.n();
        let system = self.system();
        let work = &mut *self.work.borrow_mut();
        work.at(self.position, x.get(n).copied());
        for (direction, along) in system.directions.iter().zip(ab) {
            let states = direction.offset + 1;
            work.slots[states..states + n].copy_from_slice(&along[..n]);
            work.slots[states + n + self.position] = along[n];
        }
        let Work {
            parameters,
            slots,
            scratch,
            numbers,
        } = work;
        let numbers = &mut numbers[..n + self.rows.len()];
        kernel.call(
            self.time,
            &x[..n],
            parameters,
            slots,
            numbers,
            &mut scratch[which],
        );
        self.replace(numbers, out);
    }

    /// The drift's rows, those of the sums in place of the ones that follow.
    fn replace(&self, numbers: &[f64], out: &mut [f64]) {
        let (drift, sums) = numbers.split_at(self.n());
        out.copy_from_slice(drift);
        for (row, sum) in self.rows.iter().zip(sums) {
            out[*row] = *sum;
        }
    }
}

impl Work {
    /// Lets the parameter have this value.
    fn at(&mut self, position: usize, value: Option<f64>) {
        let Some(value) = value else { return };
        let now = self.parameters.get(position).copied();
        if now.is_some_and(|now| now.to_bits() != value.to_bits()) {
            self.parameters.update(|all| all[position] = value);
        }
    }
}

impl Family for RestFamily<'_> {
    fn dimension(&self) -> usize {
        self.n()
    }

    fn motion(&self) -> Motion {
        self.motion
    }

    fn algebraic(&self) -> &[bool] {
        &self.algebraic
    }

    fn residual(&self, x: &[f64], out: &mut [f64]) {
        let n = self.n();
        let work = &mut *self.work.borrow_mut();
        work.at(self.position, x.get(n).copied());
        let Work {
            parameters,
            slots,
            scratch,
            numbers,
        } = work;
        let y = &x[..n];
        self.drift
            .call(self.time, y, parameters, slots, out, &mut scratch[0]);
        if self.motion == Motion::Map {
            out.iter_mut().zip(y).for_each(|(next, now)| *next -= now);
        }
        if let Some(sums) = &self.sums {
            let numbers = &mut numbers[..sums.out_len()];
            sums.call(self.time, y, parameters, slots, numbers, &mut scratch[1]);
            for (row, sum) in self.rows.iter().zip(&*numbers) {
                out[*row] = *sum;
            }
        }
    }

    fn jacobian(&self, x: &[f64], out: &mut [f64]) {
        let n = self.n();
        let work = &mut *self.work.borrow_mut();
        work.at(self.position, x.get(n).copied());
        let Work {
            parameters,
            slots,
            scratch,
            numbers,
        } = work;
        let (y, time) = (&x[..n], self.time);
        let (square, column) = out.split_at_mut(n * n);
        square.fill(0.0);
        let pattern = &self.system().frozen_jacobian.pattern;
        numbers.resize(numbers.len().max(pattern.len()), 0.0);
        let entries = &mut numbers[..pattern.len()];
        self.jacobian
            .call(time, y, parameters, slots, entries, &mut scratch[2]);
        for ((row, column), entry) in pattern.places().zip(&*entries) {
            square[column * n + row] = *entry;
        }
        if self.motion == Motion::Map {
            (0..n).for_each(|i| square[i * n + i] -= 1.0);
        }
        if let Some(sums) = &self.sums {
            let numbers = &mut numbers[..sums.out_len()];
            sums.call(time, y, parameters, slots, numbers, &mut scratch[1]);
            for row in &self.rows {
                (0..n).for_each(|column| square[column * n + row] = 0.0);
            }
            for ((sum, state), weight) in self.weights.iter().zip(&numbers[self.rows.len()..]) {
                square[state * n + self.rows[*sum]] += *weight;
            }
        }
        let moved = &mut numbers[..n + self.rows.len()];
        self.by_parameter
            .call(time, y, parameters, slots, moved, &mut scratch[3]);
        self.replace(moved, column);
    }

    fn second(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
        let kernel = self.second.get_or_init(|| {
            self.kernels()
                .partial_tangents(&self.pool, &self.exprs, &self.moving, &[0, 1])
        });
        self.along(kernel, 4, x, [a, b], out);
    }

    fn third(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
        let kernel = self.third.get_or_init(|| {
            self.kernels()
                .partial_tangents(&self.pool, &self.exprs, &self.moving, &[0, 0, 1])
        });
        self.along(kernel, 5, x, [a, b], out);
    }
}

/// Whether the model flows or steps.
pub(super) fn motion(compiled: &Compiled) -> Motion {
    match compiled.system.motion {
        model::Motion::Flow => Motion::Flow,
        model::Motion::Map => Motion::Map,
    }
}

fn moving_symbols(system: &System, moving: &Moving) -> FxHashSet<SymbolId> {
    let states = system.states.blocks().iter().map(|block| block.symbol);
    let parameter = system.parameters.blocks()[moving.parameter.index()].symbol;
    states.chain([parameter]).collect()
}

/// The derivatives of expressions by the moving number of a parameter.
fn by_parameter<'e>(
    system: &System,
    pool: &mut Pool,
    exprs: impl Iterator<Item = &'e Expr>,
    moving: &Moving,
) -> Vec<Expr> {
    let block = system.parameters.blocks()[moving.parameter.index()];
    let element = moving.position - block.offset;
    let units = (0..block.shape.len()).map(|at| f64::from(u8::from(at == element)));
    let units: Vec<Expr> = units.map(|unit| pool.constant(unit)).collect();
    let direction = pool.stack(units, block.shape);
    let directions = FxHashMap::from_iter([(block.symbol, direction)]);
    let exprs: Vec<Expr> = exprs.copied().collect();
    directional_along(pool, &exprs, &directions)
}

/// The sums that the equations keep. Those that are hidden in the equations must be the same
/// wherever the parameter goes.
fn kept_sums(compiled: &Compiled, start: &Start<'_>, moving: &Moving) -> Result<Vec<Kept>, Unfit> {
    if motion(compiled) == Motion::Map {
        return Ok(Vec::new());
    }
    let (system, kernels) = (&*compiled.system, &compiled.kernels);
    let time = compiled.model.time.start;
    let (state, tolerances) = (start.state, start.tolerances);
    let dynamics_with = |parameters: Vec<f64>| {
        let of_modes = Parameters::new(parameters.clone());
        let modes = modes_at(system, kernels, time, state, &of_modes);
        let dynamics = CompiledDynamics::new(system, kernels, parameters);
        dynamics.slots_mut()[system.slots.modes.clone()].copy_from_slice(&modes);
        dynamics
    };
    let present = start.values.present.parameters.clone();
    let found = kept(&dynamics_with(present), time, state, tolerances, start.laws);
    let hidden: Vec<&Kept> = found
        .iter()
        .filter(|known| !start.laws.contains(&known.law))
        .collect();
    if hidden.is_empty() {
        return Ok(found);
    }
    let (low, high) = start.range;
    for value in [low, low + 0.3 * (high - low), high] {
        let mut overrides = start.values.overrides.clone();
        moving.set(&mut overrides, value);
        let dynamics = dynamics_with(compiled.present(&overrides).parameters);
        for known in &hidden {
            if !keeps(&dynamics, time, state, tolerances, &known.law) {
                return Err(Unfit::SumFollows(known.law.clone()));
            }
        }
    }
    Ok(found)
}
