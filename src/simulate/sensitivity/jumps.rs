//! Derivatives through interruptions: jumps, switches, doses, at times that move themselves.
//!
//! In: what happens, and how its time moves with the varied quantities. Out: derivatives after it.
//!
//! At a moment t*(theta) the state that one sees moves by dy* = S + f dt*, since the moment comes
//! earlier or later along the solution. What happens there is differentiated along
//! (dt*, dy*, dp); afterwards S = dy* - f dt* with the f that holds then. For a jump
//! y+ = h(t, y, p) this is the saltation formula (Rozenvasser, Autom. Remote Control 28 (1967)
//! 52-61; Barton & Lee, ACM Trans. Model. Comput. Simul. 12 (2002) 256-289)
//!
//! ```text
//! S+ = h_y (S + f dt*) + h_t dt* + h_p dp - f+ dt*
//! dt* = -(g_y S + g_p dp) / (g_t + g_y f)           where a guard g crosses its border
//! ```

use super::SensitivityDynamics;
use super::direction::{DirectedSlots, Direction};
use super::varied::{Varied, VariedStart};
use crate::kernel::{Kernels, Scratch, SharedKernel};
use crate::model::Repeat;
use crate::simulate::delayed::Delayed;
use crate::simulate::{CompiledDynamics, Dynamics, Problem};
use crate::symbolic::Expr;
use crate::system::{JumpPlace, System};
use nalgebra::{DMatrix, DVector};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Newton steps at most, and the relative change that ends them.
const NEWTON_STEPS: usize = 20;
const SETTLED: f64 = 1e-14;

/// How something moves with each varied quantity; empty where nothing is varied.
pub(in crate::simulate) type Shift = Vec<f64>;

/// The derivatives that ride along behind the state vector, at interruptions.
pub(in crate::simulate) struct Variation<'p> {
    system: &'p System,
    kernels: &'p Kernels,
    base: &'p CompiledDynamics<'p>,
    both: &'p SensitivityDynamics<'p>,
    /// Derivatives of the initial values, to which a reset returns.
    initial: Vec<f64>,
    /// How the present moment moves, while something happens in it.
    moment: Option<Shift>,
    /// How the last moment moved.
    last_moment: Shift,
    /// First time and period of repeated events and doses.
    repeats: FxHashMap<Repeated, (Shift, Shift)>,
    functions: FxHashMap<What, SharedKernel>,
    slots: DirectedSlots,
    has_changed: bool,
}

/// Something with a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::simulate) enum Repeated {
    Event(usize),
    Dose(usize),
}

/// A function whose derivatives are needed again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Guards,
    Jump(usize),
    Delay(usize),
    DoseTerms(usize),
    Followers,
    Volume(usize),
}

impl<'p> Variation<'p> {
    pub fn new(
        problem: &'p Problem<'p>,
        base: &'p CompiledDynamics<'p>,
        both: &'p SensitivityDynamics<'p>,
        initial: &[f64],
    ) -> Variation<'p> {
        Variation {
            system: problem.system,
            kernels: problem.kernels,
            base,
            both,
            initial: initial.to_vec(),
            moment: None,
            last_moment: Shift::new(),
            repeats: FxHashMap::default(),
            functions: FxHashMap::default(),
            slots: DirectedSlots::new(problem.system),
            has_changed: false,
        }
    }

    fn states(&self) -> usize {
        self.system.states.len()
    }

    fn varied(&self) -> usize {
        self.both.varied()
    }

    /// How a fixed time moves: not at all.
    pub fn still(&self) -> Shift {
        vec![0.0; self.varied()]
    }

    /// Algebraic states satisfy the constraints: their derivatives follow from the others.
    pub fn constrained(&mut self, time: f64, state: &mut [f64]) {
        let still = self.still();
        self.complete(time, state, &still);
    }

    // ---- moments ----

    /// Something is about to happen at a time that moves so. The numbers behind the state become
    /// derivatives of what is seen at that moment.
    pub fn open(&mut self, shift: &[f64], time: f64, state: &mut [f64]) {
        let mut moment = shift.to_vec();
        moment.resize(self.varied(), 0.0);
        self.along_flow(&moment, 1.0, time, state);
        self.complete(time, state, &moment);
        self.last_moment.clone_from(&moment);
        self.moment = Some(moment);
    }

    /// It has happened: back to derivatives at a fixed time.
    pub fn close(&mut self, time: f64, state: &mut [f64]) {
        if let Some(moment) = self.moment.take() {
            if moment.iter().any(|dt| *dt != 0.0) {
                self.satisfy(time, state);
            }
            self.along_flow(&moment, -1.0, time, state);
            let still = self.still();
            self.complete(time, state, &still);
        }
    }

    /// How the last moment moved since this was asked before; empty where nothing happened.
    pub fn take_moment(&mut self) -> Shift {
        std::mem::take(&mut self.last_moment)
    }

    /// Lets the past keep derivatives too.
    pub fn remember(&self, delayed: &mut Delayed) {
        let moving = self.both.moving();
        delayed.vary(self.system, self.kernels, &moving, &self.initial);
    }

    /// How the lags of the delays move.
    pub fn lags(&mut self, time: f64, state: &[f64]) -> Vec<Shift> {
        let lags: Vec<Expr> = self.system.delays.iter().map(|delay| delay.lag).collect();
        self.times(&lags, time, state)
    }

    pub fn is_open(&self) -> bool {
        self.moment.is_some()
    }

    /// How a time moves that lies as far after the present moment as something that moves so.
    pub fn after(&self, span: &[f64]) -> Shift {
        let now = self.moment.iter().flatten().copied();
        let now = now.chain(std::iter::repeat(0.0));
        span.iter().zip(now).map(|(span, now)| span + now).collect()
    }

    /// True while something happens at a time that moves.
    pub fn moment_moves(&self) -> bool {
        let moment = self.moment.iter().flatten();
        moment.into_iter().any(|dt| *dt != 0.0)
    }

    /// How a run begins at a state that is known: differentiated by what is varied here, and after
    /// that by each number of its own initial state.
    pub fn with_initial(&self, state: &[f64], sizes: &[f64]) -> VariedStart {
        let (n, m) = (self.states(), self.varied());
        let moving = self.both.moving();
        let mut start = VariedStart {
            varied: (0..m).map(|j| self.both.varied_as(j)).collect(),
            // Judged elsewhere.
            scales: vec![1.0; m],
            state: state.to_vec(),
            parameters: (0..m).map(|j| moving.parameters_of(j).to_vec()).collect(),
        };
        start.state.resize(n * (1 + m), 0.0);
        for i in 0..n {
            start.varied.push(Varied::Initial(i));
            start.scales.push(sizes.get(i).copied().unwrap_or(1.0));
            start
                .state
                .extend((0..n).map(|k| f64::from(u8::from(k == i))));
            start
                .parameters
                .push(vec![0.0; self.system.parameters.len()]);
        }
        start
    }

    /// The derivatives of the initial values.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// Adds the way along the solution, in the direction of `sign`.
    fn along_flow(&self, moment: &[f64], sign: f64, time: f64, state: &mut [f64]) {
        if moment.iter().all(|dt| *dt == 0.0) {
            return;
        }
        let n = self.states();
        let (y, moved) = state.split_at_mut(n);
        let mut flow = vec![0.0; n];
        self.base.drift(time, y, &mut flow);
        for (flow, _) in (flow.iter_mut().zip(self.system.algebraic.iter())).filter(|(_, a)| **a) {
            *flow = 0.0;
        }
        for (block, dt) in moved.chunks_exact_mut(n.max(1)).zip(moment) {
            for (derivative, flow) in block.iter_mut().zip(&flow) {
                *derivative += sign * dt * flow;
            }
        }
    }

    // ---- functions and their derivatives ----

    /// A tangent function, compiled when it is first asked for.
    fn function(&mut self, what: What) -> SharedKernel {
        let (kernels, system) = (self.kernels, self.system);
        let known = self.functions.entry(what);
        let kernel =
            known.or_insert_with(|| kernels.tangent(&system.pool, &exprs_of(system, what)));
        Arc::clone(kernel)
    }

    /// The derivatives of a function in the present moment: its numbers for each varied quantity.
    fn moved(&mut self, kernel: &SharedKernel, time: f64, state: &[f64]) -> Vec<f64> {
        self.both.refresh(time, state);
        let (n, width) = (self.states(), kernel.out_len());
        let (y, moved) = state.split_at(n.min(state.len()));
        let moment = self.moment.clone().unwrap_or_else(|| self.still());
        let moving = self.both.moving();
        let mut scratch = Scratch::new();
        let mut out = vec![0.0; width * self.varied()];
        for (j, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
            let mut slots = self.both.slot_rates(moment[j]);
            for (slot, own) in slots.iter_mut().zip(moving.slots_of(j)) {
                *slot += own;
            }
            let direction = Direction {
                time: moment[j],
                states: moved.get(j * n..(j + 1) * n).unwrap_or(&[]),
                parameters: moving.parameters_of(j),
                slots: &slots,
            };
            self.slots.set_own(&self.base.slots());
            self.slots.set(0, direction);
            let parameters = self.base.parameters();
            let slots = self.slots.numbers();
            kernel.call(time, y, &parameters, slots, out, &mut scratch);
        }
        out
    }

    /// How the time moves at which this element of the guards crosses its border, from the
    /// equations that hold before.
    pub fn crossing(&mut self, element: usize, time: f64, state: &[f64]) -> Shift {
        let kernel = self.function(What::Guards);
        let width = kernel.out_len().max(1);
        let moved = self.moved(&kernel, time, state);
        let n = self.states();
        let y = &state[..n];
        let mut flow = vec![0.0; n];
        self.base.drift(time, y, &mut flow);
        let rates = self.both.slot_rates(1.0);
        self.complete_block(time, y, &mut flow, (1.0, &[], &rates));
        let direction = Direction {
            time: 1.0,
            states: &flow,
            parameters: &[],
            slots: &rates,
        };
        self.slots.set_own(&self.base.slots());
        self.slots.set(0, direction);
        let mut pace = vec![0.0; width];
        let parameters = self.base.parameters();
        let slots = self.slots.numbers();
        kernel.call(time, y, &parameters, slots, &mut pace, &mut Scratch::new());
        let pace = pace.get(element).copied().unwrap_or(0.0);
        let of = |moved: &[f64]| {
            let shift = -moved.get(element).copied().unwrap_or(0.0) / pace;
            // A border that is only touched has no derivative.
            if shift.is_finite() { shift } else { 0.0 }
        };
        moved.chunks_exact(width).map(of).collect()
    }

    /// How the values move that an event sets, from what holds now.
    pub fn jump(&mut self, event: usize, time: f64, state: &[f64]) -> Vec<f64> {
        let kernel = self.function(What::Jump(event));
        self.moved(&kernel, time, state)
    }

    /// How the delay of an event moves.
    pub fn delay(&mut self, event: usize, time: f64, state: &[f64]) -> Shift {
        let kernel = self.function(What::Delay(event));
        self.moved(&kernel, time, state)
    }

    /// How amount, duration and lag of a dose move; `amount` is AMT of the table's row.
    pub fn dose_terms(&mut self, dose: usize, amount: f64, time: f64, state: &[f64]) -> [Shift; 3] {
        let amounts = self.system.slots.amount.clone();
        self.base.slots_mut()[amounts.clone()].fill(amount);
        let kernel = self.function(What::DoseTerms(dose));
        let moved = self.moved(&kernel, time, state);
        self.base.slots_mut()[amounts].fill(0.0);
        [0, 1, 2].map(|term| moved.iter().skip(term).step_by(3).copied().collect())
    }

    /// How times move that a schedule states.
    pub fn times(&mut self, exprs: &[Expr], time: f64, state: &[f64]) -> Vec<Shift> {
        let kernel = self.kernels.tangent(&self.system.pool, exprs);
        let moved = self.moved(&kernel, time, state);
        let width = exprs.len().max(1);
        let of = |at: usize| moved.iter().skip(at).step_by(width).copied().collect();
        (0..exprs.len()).map(of).collect()
    }

    /// Notes how a repetition moves.
    pub fn repeat(&mut self, what: Repeated, repeat: &Repeat, time: f64, state: &[f64]) {
        let exprs: Vec<Expr> = std::iter::once(repeat.period).chain(repeat.from).collect();
        let mut moved = self.times(&exprs, time, state).into_iter();
        let period = moved.next().unwrap_or_default();
        let from = moved.next().unwrap_or_else(|| self.still());
        self.repeats.insert(what, (from, period));
    }

    /// How the count-th time of a repetition moves.
    pub fn repetition(&self, what: Repeated, count: u64) -> Shift {
        let Some((from, period)) = self.repeats.get(&what) else {
            return self.still();
        };
        let pairs = from.iter().zip(period);
        pairs
            .map(|(from, period)| from + count as f64 * period)
            .collect()
    }

    // ---- what happens ----

    /// Puts the derivatives of the values of a jump in their places.
    pub fn set(&mut self, event: usize, moved: &[f64], state: &mut [f64]) {
        let (n, m) = (self.states(), self.varied());
        let places = &self.system.events[event].jump.places;
        let width = moved.len() / m.max(1);
        let mut moving = self.both.moving_mut();
        for (j, values) in moved.chunks_exact(width.max(1)).enumerate() {
            let mut next = 0;
            for place in places {
                let (JumpPlace::State(range) | JumpPlace::Parameter(range)) = place;
                let Some(new) = values.get(next..next + range.len()) else {
                    break;
                };
                next += range.len();
                let old = match place {
                    JumpPlace::State(range) => {
                        state.get_mut(n * (j + 1) + range.start..n * (j + 1) + range.end)
                    }
                    JumpPlace::Parameter(range) => {
                        self.has_changed = true;
                        moving.parameters_of_mut(j).get_mut(range.clone())
                    }
                };
                if let Some(old) = old {
                    old.copy_from_slice(new);
                }
            }
        }
    }

    /// Parameters that follow others move with them.
    pub fn follow(&mut self, held: &[bool], time: f64, state: &[f64]) {
        let system = self.system;
        for _ in 0..system.followers.len() {
            let kernel = self.function(What::Followers);
            let width = kernel.out_len().max(1);
            let moved = self.moved(&kernel, time, state);
            let before = self.both.moving().clone();
            {
                let mut moving = self.both.moving_mut();
                for (j, values) in moved.chunks_exact(width).enumerate() {
                    let mut next = 0;
                    for &block in &system.followers {
                        let Some(data) = system.parameters.blocks().get(block) else {
                            continue;
                        };
                        let range = data.range();
                        let new = values.get(next..next + range.len()).unwrap_or_default();
                        next += range.len();
                        let is_free = held.get(block) != Some(&true) && !self.is_varied(j, block);
                        if let (true, Some(old)) =
                            (is_free, moving.parameters_of_mut(j).get_mut(range))
                        {
                            old.copy_from_slice(new);
                        }
                    }
                }
            }
            if *self.both.moving() == before {
                break;
            }
            self.has_changed = true;
        }
    }

    /// Whether a parameter block holds the quantity that is varied as number j.
    fn is_varied(&self, j: usize, block: usize) -> bool {
        let blocks = self.system.parameters.blocks();
        match (self.both.varied_parameter(j), blocks.get(block)) {
            (Some(at), Some(data)) => data.range().contains(&at),
            _ => false,
        }
    }

    /// An amount that moves so enters a state at once.
    pub fn give(
        &mut self,
        into: usize,
        (amount, moved): (f64, &[f64]),
        volume: f64,
        time: f64,
        state: &mut [f64],
    ) {
        let Some((block, element)) = self.system.states.locate(into) else {
            return;
        };
        let kernel = self.function(What::Volume(block));
        let volumes = self.moved(&kernel, time, state);
        let width = kernel.out_len().max(1);
        let n = self.states();
        for (j, moved) in moved.iter().enumerate() {
            let own = volumes.get(j * width..(j + 1) * width).unwrap_or(&[]);
            let by = own.get(element.min(width - 1)).copied().unwrap_or(0.0);
            if let Some(derivative) = state.get_mut(n * (j + 1) + into) {
                *derivative += moved / volume - amount * by / (volume * volume);
            }
        }
    }

    /// The rates of the infusions that are running, by slot.
    pub fn infuse<'r>(&mut self, running: impl Iterator<Item = (usize, &'r [f64])>) {
        let slots = self.system.slots.infusions.clone();
        let mut moving = self.both.moving_mut();
        for j in 0..self.both.varied() {
            moving.slots_of_mut(j)[slots.clone()].fill(0.0);
        }
        for (slot, moved) in running {
            for (j, rate) in moved.iter().enumerate() {
                if let Some(to) = moving.slots_of_mut(j).get_mut(slot) {
                    *to += rate;
                }
            }
        }
        self.has_changed = true;
    }

    /// States return to their initial values.
    pub fn reset(&mut self, state: &mut [f64]) {
        let n = self.states();
        if let Some(moved) = state.get_mut(n..) {
            moved.copy_from_slice(&self.initial);
        }
    }

    /// How parameters and slots move from now on, if that has changed.
    pub fn changed(&mut self) -> Option<Vec<f64>> {
        let has_changed = std::mem::take(&mut self.has_changed);
        has_changed.then(|| self.both.moving().numbers().to_vec())
    }

    // ---- constraints ----

    /// Fits algebraic states to what happened, so that the solution's direction from here on is
    /// known. Where Newton's method does not lead there, whoever checks the constraints says so.
    fn satisfy(&self, time: f64, state: &mut [f64]) {
        let n = self.states();
        let Some(y) = state
            .get_mut(..n)
            .filter(|_| !self.system.algebraic.is_empty())
        else {
            return;
        };
        let mut residual = vec![0.0; n];
        for _ in 0..NEWTON_STEPS {
            self.base.drift(time, y, &mut residual);
            let mut largest: f64 = 0.0;
            for (at, change) in self.solve_constraints(time, y, &residual) {
                y[at] += change;
                largest = largest.max((change / (1e-300 + y[at].abs())).abs());
            }
            if largest < SETTLED || largest.is_nan() {
                break;
            }
        }
    }

    /// Derivatives of algebraic states from those of the others, in a moment that moves so.
    fn complete(&mut self, time: f64, state: &mut [f64], moment: &[f64]) {
        if self.system.algebraic.is_empty() {
            return;
        }
        let n = self.states();
        let (y, moved) = state.split_at_mut(n);
        for (j, block) in moved.chunks_exact_mut(n).enumerate() {
            let dt = moment.get(j).copied().unwrap_or(0.0);
            let moving = self.both.moving();
            let mut slots = self.both.slot_rates(dt);
            for (slot, own) in slots.iter_mut().zip(moving.slots_of(j)) {
                *slot += own;
            }
            let parameters = moving.parameters_of(j).to_vec();
            drop(moving);
            self.complete_block(time, y, block, (dt, &parameters, &slots));
        }
    }

    /// Solves 0 = dg along (dt, dy, dp, ds) for the algebraic part of dy.
    fn complete_block(
        &mut self,
        time: f64,
        y: &[f64],
        block: &mut [f64],
        (dt, parameters, slots): (f64, &[f64], &[f64]),
    ) {
        let algebraic = self.algebraic();
        if algebraic.is_empty() {
            return;
        }
        for at in &algebraic {
            block[*at] = 0.0;
        }
        let direction = Direction {
            time: dt,
            states: block,
            parameters,
            slots,
        };
        let mut residual = vec![0.0; block.len()];
        self.both.tangent_along(time, y, direction, &mut residual);
        for (at, value) in self.solve_constraints(time, y, &residual) {
            block[at] = value;
        }
    }

    /// The changes of the algebraic states that take this residual of the constraints away.
    fn solve_constraints(&self, time: f64, y: &[f64], residual: &[f64]) -> Vec<(usize, f64)> {
        let algebraic = self.algebraic();
        let (starts, rows) = self.base.pattern();
        let mut entries = vec![0.0; rows.len()];
        self.base.jacobian(time, y, &mut entries);
        let size = algebraic.len();
        let mut matrix = DMatrix::zeros(size, size);
        for (column, at) in algebraic.iter().enumerate() {
            for k in starts[*at]..starts[*at + 1] {
                if let Ok(row) = algebraic.binary_search(&rows[k]) {
                    matrix[(row, column)] = entries[k];
                }
            }
        }
        let right = DVector::from_iterator(size, algebraic.iter().map(|at| -residual[*at]));
        match matrix.lu().solve(&right) {
            Some(solution) => algebraic
                .into_iter()
                .zip(solution.iter().copied())
                .collect(),
            None => Vec::new(),
        }
    }

    /// The positions of the algebraic states.
    fn algebraic(&self) -> Vec<usize> {
        (self.system.algebraic.iter().enumerate())
            .filter_map(|(at, is_algebraic)| is_algebraic.then_some(at))
            .collect()
    }
}

/// The expressions of a function.
fn exprs_of(system: &System, what: What) -> Vec<Expr> {
    let zero = system.zero;
    match what {
        What::Guards => system.guards.iter().map(|guard| guard.expr).collect(),
        What::Jump(event) => system.events[event].jump.values.clone(),
        What::Delay(event) => vec![system.events[event].delay.unwrap_or(zero)],
        What::DoseTerms(dose) => {
            let dose = &system.doses[dose];
            vec![
                dose.amount,
                dose.duration.unwrap_or(zero),
                dose.lag.unwrap_or(zero),
            ]
        }
        What::Followers => {
            let followers = system.followers.iter();
            followers
                .map(|block| system.parameter_values[*block])
                .collect()
        }
        What::Volume(block) => vec![system.volumes[block].unwrap_or(zero)],
    }
}
