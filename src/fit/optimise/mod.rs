//! Searches for a minimum from one start, within bounds.
//!
//! ```text
//! lm.rs           Levenberg and Marquardt on generalised residuals
//! lbfgs.rs        quasi-Newton with limited memory, on gradients
//! nelder_mead.rs  a simplex, on values
//! pso.rs          a swarm of particles, on values
//! within.rs       within a region that is given by margins
//! probe.rs        the objective as the searches see it: bounded, counted, infinite where it errs
//! bridge.rs       the only file that knows argmin, whose executor runs the steps
//! ```
//!
//! Enters: an objective of inner coordinates, bounds, a start, options. Leaves: a [`Local`], which
//! says how the search ended. Every method is a function from a state to the next; nothing depends
//! on time, or on the number of threads.

mod bridge;
mod lbfgs;
mod lm;
mod nelder_mead;
mod probe;
mod pso;
#[cfg(test)]
mod tests;
mod within;

use super::objective::{Evaluation, Fault, Objective};
pub use probe::Bounds;
use probe::Probe;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Levenberg and Marquardt: needs generalised residuals.
    Lm,
    /// Quasi-Newton with limited memory: needs gradients.
    Lbfgs,
    /// The simplex of Nelder and Mead: needs values alone.
    NelderMead,
    /// A swarm of particles: needs values alone, and searches the whole box.
    Pso,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 4] = [Method::Lm, Method::Lbfgs, Method::NelderMead, Method::Pso];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Lm => "lm",
            Method::Lbfgs => "lbfgs",
            Method::NelderMead => "nelder_mead",
            Method::Pso => "pso",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// Options of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How to search.
    pub method: Method,
    /// Iterations at most.
    pub iterations: u64,
    /// A predicted further decrease of the objective that ends the search, in units of
    /// log-likelihood. Near the minimum an estimate is then off by sqrt(2 tolerance) of its
    /// standard error.
    pub tolerance: f64,
    /// Of the random numbers of a swarm.
    pub seed: u64,
    /// Particles of a swarm.
    pub particles: usize,
}

impl Options {
    /// The usual options of a method.
    #[must_use]
    pub fn new(method: Method) -> Options {
        Options {
            method,
            // Enough to follow a curved valley for thousands of steps (NIST's MGH10 needs 6000);
            // a search that cannot get on ends by itself.
            iterations: 10_000,
            tolerance: 1e-10,
            seed: 1,
            particles: 40,
        }
    }
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// At a minimum: it moved, and the gradient became small.
    Converged {
        /// The predicted further decrease: g'H^-1 g / 2 over the coordinates not held at bounds.
        decrement: f64,
    },
    /// At a minimum on the edge of the region that is searched: it would go on beyond.
    OnEdge {
        /// What may be left to gain within the region.
        decrement: f64,
        /// Which of the margins are zero, by position.
        margins: Vec<usize>,
    },
    /// No step makes the value smaller, though the gradient is not small: the objective is not
    /// smooth, or its derivatives or its runs are not accurate enough.
    Stalled {
        /// The decrease that the gradient promises.
        decrement: f64,
    },
    /// No step from the start made the value smaller. With a small decrement the start is a
    /// stationary point: a minimum already, or a plateau.
    Unmoved {
        /// The decrease that the gradient promises.
        decrement: f64,
    },
    /// The options' iterations were used up.
    OutOfIterations,
    /// The simplex shrank to a point, also after a restart; whether that is a minimum only
    /// derivatives could tell.
    SimplexCollapsed,
    /// The swarm shrank to a point.
    SwarmCollapsed,
    /// The start cannot be evaluated.
    Fault(Fault),
    /// The objective is not a finite number at the start, or its derivatives are not.
    NotFinite,
    /// The user interrupted.
    Interrupted,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// Where it began.
    pub start: Vec<f64>,
    /// The best point met, within the bounds.
    pub point: Vec<f64>,
    /// The objective there; infinite if there was none.
    pub value: f64,
    /// Its gradient there; empty when it could not be had.
    pub gradient: Vec<f64>,
    /// Iterations done.
    pub iterations: u64,
    /// Evaluations of the objective.
    pub evaluations: u64,
    /// How it ended.
    pub end: End,
}

impl Local {
    /// A search that could not begin.
    #[must_use]
    pub fn failed(start: &[f64], end: End) -> Local {
        Local {
            start: start.to_vec(),
            point: start.to_vec(),
            value: f64::INFINITY,
            gradient: Vec::new(),
            iterations: 0,
            evaluations: 1,
            end,
        }
    }

    /// True where the search has a value to show.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.value.is_finite()
    }
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Iterations done.
    pub iterations: u64,
    /// Evaluations of the objective.
    pub evaluations: u64,
    /// The objective at the best point.
    pub value: f64,
}

/// A method as its first state and the step to the next.
trait Steps {
    /// What is carried from step to step.
    type State;

    /// The state at a start within the bounds.
    fn begin(&self, probe: &Probe<'_>, start: &[f64]) -> Result<Self::State, End>;

    /// The next state; how the search ended, when it has.
    fn step(&self, probe: &Probe<'_>, state: &mut Self::State) -> Option<End>;

    /// The best point of a state.
    fn best(state: &Self::State) -> Best<'_>;
}

/// The best point of a state.
struct Best<'s> {
    point: &'s [f64],
    value: f64,
    /// Empty if the method has none.
    gradient: &'s [f64],
}

/// Searches from a start, which is moved into the bounds first, and into the region of the
/// objective if it has one. A swarm is evaluated on `threads` threads; the result does not depend
/// on how many.
#[must_use]
pub fn search(
    objective: &dyn Objective,
    bounds: &Bounds,
    start: &[f64],
    options: &Options,
    threads: usize,
) -> Local {
    search_watched(objective, bounds, start, options, threads, &|_| {})
}

/// The same, told after each iteration how far it is.
#[must_use]
pub fn search_watched(
    objective: &dyn Objective,
    bounds: &Bounds,
    start: &[f64],
    options: &Options,
    threads: usize,
    watch: &dyn Fn(Pace),
) -> Local {
    match objective.has_region() {
        true => within::search_within(objective, bounds, start, options, threads, watch),
        false => anywhere(objective, bounds, start, options, threads, watch),
    }
}

/// Searches by the steps of a method alone.
fn anywhere(
    objective: &dyn Objective,
    bounds: &Bounds,
    start: &[f64],
    options: &Options,
    threads: usize,
    watch: &dyn Fn(Pace),
) -> Local {
    let probe = Probe::new(objective, bounds, threads);
    let tolerance = options.tolerance;
    let from = (start, watch);
    match options.method {
        Method::Lm => bridge::run(&lm::Lm { tolerance }, &probe, from, options),
        Method::Lbfgs => bridge::run(&lbfgs::Lbfgs { tolerance }, &probe, from, options),
        Method::NelderMead => {
            let steps = nelder_mead::NelderMead { tolerance };
            bridge::run(&steps, &probe, from, options)
        }
        Method::Pso => {
            let steps = pso::Pso {
                tolerance,
                seed: options.seed,
                particles: options.particles.max(2),
            };
            bridge::run(&steps, &probe, from, options)
        }
    }
}

/// What no step makes smaller: unmoved or stalled.
fn stuck(has_moved: bool, decrement: f64) -> End {
    if has_moved {
        End::Stalled { decrement }
    } else {
        End::Unmoved { decrement }
    }
}

/// True where value and derivatives are finite.
fn is_finite(evaluation: &Evaluation) -> bool {
    let derivatives = evaluation.gradient.iter().chain(&evaluation.residuals);
    let mut all = derivatives.chain(&evaluation.jacobian);
    evaluation.value.is_finite() && all.all(|number| number.is_finite())
}
