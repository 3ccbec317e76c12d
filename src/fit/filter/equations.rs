//! The compiled equations that a filter needs, and which route is right for them.
//!
//! Enters: a system with noise, expressions of what is seen. Leaves: a [`Stochastic`], or why
//! there is no filter for it. Compiled once for any number of evaluations.

use super::law::Law;
use crate::fit::coordinates::Scale;
use crate::fit::family::Family;
use crate::kernel::{Kernels, Parameters, Scratch, SharedKernel};
use crate::linalg::Coefficients;
use crate::simulate::{DirectedSlots, Direction};
use crate::symbolic::{Expr, Pool, SymbolId, Unary, dependents, substitute_all};
use crate::system::{
    Motion, Source, System, Unsuited, has_exact_transition, local_moments, logarithmic, moments,
    packed, packed_len, partial_tangent, tangent,
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// More states have more than 800 covariances, all integrated with their derivatives.
const MOST_STATES: usize = 40;

/// What is seen of the state: scalars of time, states and parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Observable {
    /// Normal data on a scale.
    Normal {
        /// What is expected.
        mean: Expr,
        /// The standard deviation of the noise of measurement, in units of the scale; `None` for
        /// none.
        deviation: Option<Expr>,
        /// Whether the noise adds to the mean or, lognormal, to its logarithm.
        scale: Scale,
    },
    /// Data of any other law.
    Law {
        /// Its family.
        family: Family,
        /// The parameters of the family.
        parameters: Vec<Expr>,
    },
}

impl Observable {
    fn exprs(&self) -> Vec<Expr> {
        match self {
            Observable::Normal {
                mean, deviation, ..
            } => [*mean].into_iter().chain(*deviation).collect(),
            Observable::Law { parameters, .. } => parameters.clone(),
        }
    }
}

/// How the state gets from one datum to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By its exact transition: linear with constant coefficients and additive noise, in the states
    /// or, for geometric Brownian motion, in their logarithms: [`Stochastic::scale`].
    Transition,
    /// By the equations of its moments, which are exact: linear with additive noise. Why there is
    /// no closed form; `None` where doses stand against it.
    Moments(Option<Unsuited>),
    /// By the equations of moments linearised along the mean: extended Kalman filter.
    Extended,
    /// The same for reactions: linear-noise approximation, restarted at each datum.
    LinearNoise,
}

/// Why there is no filter for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfiltered {
    /// It has no noise.
    NoNoise,
    /// It is a map.
    Map,
    /// It has delays.
    Delays,
    /// It has constraints.
    Constraints,
    /// It has events: what happens depends on the path.
    Events,
    /// It has too many states for equations of moments.
    TooLarge {
        /// How many are taken.
        most: usize,
    },
    /// What is seen reads an input.
    Input {
        /// Which observable.
        observable: usize,
    },
}

/// Equations with noise and what is seen of them, compiled.
#[derive(Debug)]
pub struct Stochastic {
    /// As declared: n states.
    pub declared: Arc<System>,
    /// Its functions.
    pub declared_kernels: Kernels,
    /// The scale on which states are Gaussian; what is below is of the states on it.
    pub scale: Scale,
    /// With noise, in the Itô sense: n states.
    pub system: Arc<System>,
    /// Its functions.
    pub kernels: Kernels,
    /// The equations of mean and covariance, where they are integrated.
    pub(super) moments: Option<(Arc<System>, Kernels)>,
    /// How the state gets from datum to datum.
    pub route: Route,
    /// False where what is seen by normal data is linearised.
    pub is_seen_linearly: bool,
    /// The scale on which each observable is compared.
    pub seen_scales: Vec<Scale>,
    /// The law of each observable whose data are not normal.
    pub(super) laws: Vec<Option<Law>>,
    local: SharedKernel,
    local_along: SharedKernel,
    /// Mean and variance of each observable.
    seen: SharedKernel,
    seen_along: SharedKernel,
    /// None where all slopes are constant.
    seen_twice: Option<SharedKernel>,
}

impl Stochastic {
    /// Derives and compiles the equations. The pool of `declared` holds what is seen too.
    ///
    /// # Errors
    /// [`Unfiltered`]
    pub fn new(
        declared: Arc<System>,
        observables: &[Observable],
    ) -> Result<Stochastic, Unfiltered> {
        refuse(&declared)?;
        if let Some(observable) = reads_input(&declared, observables) {
            return Err(Unfiltered::Input { observable });
        }
        let geometric = logarithmic(&declared);
        let (system, scale) = match &geometric {
            Some(known) => (known.system.clone(), Scale::Logarithmic),
            None => (declared.in_ito_form(), Scale::Linear),
        };
        let system = Arc::new(system);
        let kernels = Kernels::new(Arc::clone(&system));
        let route = route(&system);
        let moments = integrated(&system, route)?;
        let (local_pool, local) = local_moments(&system).ok_or(Unfiltered::NoNoise)?;
        let seen_scales = seen_scales(observables, scale);
        let mut seen_pool = Pool::continuing(&system.pool);
        let inner = |exprs: Vec<Expr>, pool: &mut Pool| match &geometric {
            Some(known) => substitute_all(pool, &exprs, &known.replacements),
            None => exprs,
        };
        let leads = leads(&declared, observables);
        let exprs = numbers(&mut seen_pool, observables, (&seen_scales, &leads));
        let exprs = inner(exprs, &mut seen_pool);
        let parameters: Vec<Option<(Family, Vec<Expr>)>> = (observables.iter())
            .map(|known| match known {
                Observable::Normal { .. } => None,
                Observable::Law { family, parameters } => {
                    Some((*family, inner(parameters.clone(), &mut seen_pool)))
                }
            })
            .collect();
        let seen_pool = Arc::new(seen_pool);
        let is_constant = has_constant_slopes(&system, &seen_pool, &exprs);
        let normal: Vec<Expr> = (exprs.chunks_exact(2).zip(observables))
            .filter(|(_, known)| matches!(known, Observable::Normal { .. }))
            .flat_map(|(exprs, _)| exprs.iter().copied())
            .collect();
        let laws = (parameters.iter().zip(&leads))
            .map(|(known, lead)| {
                let (family, exprs) = known.as_ref()?;
                Some(Law::new(
                    (&system, &kernels),
                    &seen_pool,
                    (*family, exprs, *lead),
                ))
            })
            .collect();
        Ok(Stochastic {
            route,
            is_seen_linearly: is_affine(&system, &seen_pool, &normal),
            seen_scales,
            laws,
            local: kernels.function(&local_pool, &local),
            local_along: kernels.tangent(&local_pool, &local),
            seen: kernels.function(&seen_pool, &exprs),
            seen_along: kernels.tangent(&seen_pool, &exprs),
            seen_twice: (!is_constant).then(|| kernels.second_tangent(&seen_pool, &exprs)),
            declared_kernels: Kernels::new(Arc::clone(&declared)),
            declared,
            scale,
            system,
            kernels,
            moments,
        })
    }

    /// How many states there are.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.system.dimension()
    }
}

/// The equations of moments where a route integrates them.
fn integrated(system: &System, route: Route) -> Result<Option<(Arc<System>, Kernels)>, Unfiltered> {
    if route == Route::Transition {
        return Ok(None);
    }
    if system.dimension() > MOST_STATES {
        return Err(Unfiltered::TooLarge { most: MOST_STATES });
    }
    let moments = Arc::new(moments(system).ok_or(Unfiltered::NoNoise)?);
    let kernels = Kernels::new(Arc::clone(&moments));
    Ok(Some((moments, kernels)))
}

/// Where the logarithms of states are Gaussian, what is seen exactly is compared by logarithms.
fn seen_scales(observables: &[Observable], scale: Scale) -> Vec<Scale> {
    let all = observables.iter();
    all.map(|known| match known {
        Observable::Normal {
            deviation: None, ..
        } => scale,
        Observable::Normal { scale, .. } => *scale,
        Observable::Law { .. } => Scale::Linear,
    })
    .collect()
}

/// Mean and variance of each observable on its scale; of other laws the parameter that leads, and 0.
fn numbers(
    pool: &mut Pool,
    observables: &[Observable],
    (scales, leads): (&[Scale], &[usize]),
) -> Vec<Expr> {
    let zero = pool.constant(0.0);
    let mut exprs = Vec::with_capacity(2 * observables.len());
    for ((known, scale), lead) in observables.iter().zip(scales).zip(leads) {
        let (mean, deviation) = match known {
            Observable::Normal {
                mean, deviation, ..
            } => (*mean, *deviation),
            Observable::Law { parameters, .. } => {
                (parameters.get(*lead).copied().unwrap_or(zero), None)
            }
        };
        let mean = match scale {
            Scale::Linear => mean,
            Scale::Logarithmic => pool.unary(Unary::Log, mean),
        };
        let variance = deviation.map(|sd| pool.mul(sd, sd));
        exprs.extend([mean, variance.unwrap_or(zero)]);
    }
    exprs
}

/// The first parameter of each law that depends on the state: its slope is the direction in which
/// data of the law tell of the state. The first one of all where none does.
fn leads(system: &System, observables: &[Observable]) -> Vec<usize> {
    let blocks = system.states.blocks().iter();
    let states: FxHashSet<SymbolId> = blocks.map(|block| block.symbol).collect();
    let lead = |known: &Observable| {
        let exprs = known.exprs();
        let moving = dependents(&system.pool, &exprs, &states);
        exprs
            .iter()
            .position(|expr| moving.contains(expr))
            .unwrap_or(0)
    };
    observables.iter().map(lead).collect()
}

fn refuse(system: &System) -> Result<(), Unfiltered> {
    if system.motion == Motion::Map {
        return Err(Unfiltered::Map);
    }
    if !system.delays.is_empty() {
        return Err(Unfiltered::Delays);
    }
    if system.algebraic.contains(&true) {
        return Err(Unfiltered::Constraints);
    }
    if !system.events.is_empty() {
        return Err(Unfiltered::Events);
    }
    Ok(())
}

fn reads_input(system: &System, observables: &[Observable]) -> Option<usize> {
    let blocks = system.slots.layout.blocks().iter();
    let slots: FxHashSet<SymbolId> = blocks.map(|block| block.symbol).collect();
    observables
        .iter()
        .position(|known| !dependents(&system.pool, &known.exprs(), &slots).is_empty())
}

/// Whether means are affine in the states, and variances do not depend on them.
pub(super) fn is_affine(system: &System, pool: &Arc<Pool>, exprs: &[Expr]) -> bool {
    let blocks = system.states.blocks().iter();
    let states: FxHashSet<SymbolId> = blocks.map(|block| block.symbol).collect();
    let mut pool = Pool::continuing(pool);
    let means: Vec<Expr> = exprs.iter().step_by(2).copied().collect();
    let variances: Vec<Expr> = exprs.iter().skip(1).step_by(2).copied().collect();
    let along = |pool: &mut Pool, exprs: &[Expr], direction| {
        partial_tangent(system, pool, exprs, direction, &states)
    };
    let first = along(&mut pool, &means, 0);
    let second = along(&mut pool, &first, 1);
    let spread = along(&mut pool, &variances, 0);
    second.iter().chain(&spread).all(|expr| pool.is_zero(*expr))
}

/// Whether second derivatives vanish, those by parameters included.
fn has_constant_slopes(system: &System, pool: &Arc<Pool>, exprs: &[Expr]) -> bool {
    let mut pool = Pool::continuing(pool);
    let means: Vec<Expr> = exprs.iter().step_by(2).copied().collect();
    let first = tangent(system, &mut pool, &means, 0);
    let second = tangent(system, &mut pool, &first, 1);
    second.iter().all(|expr| pool.is_zero(*expr))
}

fn route(system: &System) -> Route {
    let exact = has_exact_transition(system);
    if exact.is_ok() && system.doses.is_empty() {
        return Route::Transition;
    }
    let Some(noise) = &system.noise else {
        return Route::Extended;
    };
    let from_reactions = |known: &Source| matches!(known, Source::Reaction { .. });
    if noise.columns.iter().any(from_reactions) {
        return Route::LinearNoise;
    }
    let has_modes = system.guards.iter().any(|guard| guard.in_drift);
    if system.has_linear_drift() && !noise.multiplicative && !has_modes {
        return Route::Moments(exact.err());
    }
    Route::Extended
}

/// f, J and D at a point, or their derivatives along a direction.
pub(super) type Local = Coefficients;

/// A point with directions: functions of the equations as numbers.
pub(super) struct Point<'s> {
    pub equations: &'s Stochastic,
    parameters: Parameters,
    /// The same with covariates of the data.
    seen_parameters: Parameters,
    has_own: bool,
    /// One row for each of d quantities.
    pub parameters_along: Vec<Vec<f64>>,
    slots: DirectedSlots,
    scratch: [Scratch; 5],
    /// Two for each law.
    of_laws: Vec<[Scratch; 2]>,
}

impl<'s> Point<'s> {
    pub fn new(
        equations: &'s Stochastic,
        parameters: &[f64],
        parameters_along: &[Vec<f64>],
    ) -> Point<'s> {
        Point {
            parameters: Parameters::new(parameters),
            seen_parameters: Parameters::new(parameters),
            has_own: false,
            parameters_along: parameters_along.to_vec(),
            slots: DirectedSlots::new(&equations.system),
            scratch: Default::default(),
            of_laws: vec![Default::default(); equations.laws.len()],
            equations,
        }
    }

    /// f, J and D at a state.
    pub fn local(&mut self, time: f64, state: &[f64]) -> Local {
        let kernel = &self.equations.local;
        let mut out = vec![0.0; kernel.out_len()];
        let slots = self.slots.numbers();
        let scratch = &mut self.scratch[0];
        kernel.call(time, state, &self.parameters, slots, &mut out, scratch);
        self.unpacked(&out)
    }

    /// Their derivatives by the j-th quantity, with which the state moves too.
    pub fn local_along(&mut self, time: f64, state: &[f64], j: usize, moved: &[f64]) -> Local {
        let direction = Direction {
            states: moved,
            parameters: self.parameters_along.get(j).map_or(&[], Vec::as_slice),
            ..Direction::default()
        };
        self.slots.set(0, direction);
        let kernel = &self.equations.local_along;
        let mut out = vec![0.0; kernel.out_len()];
        let slots = self.slots.numbers();
        let scratch = &mut self.scratch[1];
        kernel.call(time, state, &self.parameters, slots, &mut out, scratch);
        self.unpacked(&out)
    }

    /// Takes values of covariates for what is seen.
    pub fn set_own(&mut self, own: &[(usize, f64)]) {
        if own.is_empty() && !self.has_own {
            return;
        }
        self.has_own = !own.is_empty();
        self.seen_parameters.assign(self.parameters.values());
        self.seen_parameters.update(|numbers| {
            for (position, value) in own {
                if let Some(number) = numbers.get_mut(*position) {
                    *number = *value;
                }
            }
        });
    }

    /// Mean and variance of each observable at a state.
    pub fn seen(&mut self, time: f64, state: &[f64]) -> Vec<f64> {
        let kernel = &self.equations.seen;
        let mut out = vec![0.0; kernel.out_len()];
        let slots = self.slots.numbers();
        let scratch = &mut self.scratch[2];
        kernel.call(time, state, &self.seen_parameters, slots, &mut out, scratch);
        out
    }

    /// Their derivatives along a move of the state, and of parameters with the j-th quantity.
    pub fn seen_along(
        &mut self,
        time: f64,
        state: &[f64],
        j: Option<usize>,
        moved: &[f64],
    ) -> Vec<f64> {
        let quantity = j.and_then(|j| self.parameters_along.get(j));
        let direction = Direction {
            states: moved,
            parameters: quantity.map_or(&[], Vec::as_slice),
            ..Direction::default()
        };
        self.slots.set(0, direction);
        let kernel = &self.equations.seen_along;
        let mut out = vec![0.0; kernel.out_len()];
        let slots = self.slots.numbers();
        let scratch = &mut self.scratch[3];
        kernel.call(time, state, &self.seen_parameters, slots, &mut out, scratch);
        out
    }

    /// Their second derivatives, along a move of the state alone and then as
    /// [`Point::seen_along`]; `None` where all vanish.
    pub fn seen_twice(
        &mut self,
        time: f64,
        state: &[f64],
        alone: &[f64],
        (j, moved): (usize, &[f64]),
    ) -> Option<Vec<f64>> {
        let kernel = self.equations.seen_twice.as_ref()?;
        let first = Direction {
            states: alone,
            ..Direction::default()
        };
        let second = Direction {
            states: moved,
            parameters: self.parameters_along.get(j).map_or(&[], Vec::as_slice),
            ..Direction::default()
        };
        self.slots.set(0, first);
        self.slots.set(1, second);
        let mut out = vec![0.0; kernel.out_len()];
        let slots = self.slots.numbers();
        let scratch = &mut self.scratch[4];
        kernel.call(time, state, &self.seen_parameters, slots, &mut out, scratch);
        Some(out)
    }

    /// The parameters of the law of the k-th observable at a state.
    pub fn law(&mut self, k: usize, time: f64, state: &[f64]) -> Vec<f64> {
        let law = self.equations.laws.get(k).and_then(Option::as_ref);
        let (Some(law), Some([scratch, _])) = (law, self.of_laws.get_mut(k)) else {
            return Vec::new();
        };
        let mut out = vec![0.0; law.values.out_len()];
        let slots = self.slots.numbers();
        law.values
            .call(time, state, &self.seen_parameters, slots, &mut out, scratch);
        out
    }

    /// Their derivatives, as [`Point::seen_along`].
    pub fn law_along(
        &mut self,
        k: usize,
        (time, state): (f64, &[f64]),
        j: Option<usize>,
        moved: &[f64],
    ) -> Vec<f64> {
        let law = self.equations.laws.get(k).and_then(Option::as_ref);
        let (Some(law), Some([_, scratch])) = (law, self.of_laws.get_mut(k)) else {
            return Vec::new();
        };
        let quantity = j.and_then(|j| self.parameters_along.get(j));
        let direction = Direction {
            states: moved,
            parameters: quantity.map_or(&[], Vec::as_slice),
            ..Direction::default()
        };
        self.slots.set(0, direction);
        let mut out = vec![0.0; law.along.out_len()];
        let slots = self.slots.numbers();
        law.along
            .call(time, state, &self.seen_parameters, slots, &mut out, scratch);
        out
    }

    fn unpacked(&self, numbers: &[f64]) -> Local {
        let n = self.equations.dimension();
        let (constant, rest) = numbers.split_at(n);
        let (matrix, triangle) = rest.split_at(n * n);
        Local {
            matrix: matrix.to_vec(),
            constant: constant.to_vec(),
            squared: full(n, triangle),
        }
    }
}

/// A symmetric matrix from its lower triangle.
pub(super) fn full(n: usize, triangle: &[f64]) -> Vec<f64> {
    debug_assert_eq!(triangle.len(), packed_len(n));
    (0..n * n)
        .map(|at| triangle[packed(n, at % n, at / n)])
        .collect()
}

/// The lower triangle of a symmetric matrix.
pub(super) fn triangle(n: usize, full: &[f64]) -> Vec<f64> {
    let lower = (0..n).flat_map(|j| (j..n).map(move |i| j * n + i));
    lower.map(|at| full[at]).collect()
}
