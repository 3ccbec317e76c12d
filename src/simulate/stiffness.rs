//! Whether a problem is stiff, before and during a run.
//!
//! In: the exact Jacobian along the trajectory. Out: the method to start with, and verdicts on
//! changing it. An explicit method's step h is limited by stability when h times the fastest
//! decay rate of the Jacobian stays at the edge of the stability region (Hairer & Wanner, Solving
//! Ordinary Differential Equations II, section IV.2).
//!
//! Linear equations of few states need none of this: `auto` takes their exact solution.
//!
//! Rules, every [`INTERVAL`] accepted steps, with the mean step h over them:
//! - explicit: a hit when h * (largest -Re of an eigenvalue) > [`AT_LIMIT`]; after
//!   [`STIFF_HITS`] hits in a row, and if the rest of the run needs more than [`WORTHWHILE`] steps
//!   for stability, `auto` goes over to BDF. With the explicit method asked for, the run ends only
//!   when it would reach the step cap before its end: a merely slow run goes on.
//! - BDF under `auto`: a hit when h * (spectral radius) < [`WELL_INSIDE`]; after
//!   [`NONSTIFF_HITS`] in a row, doubled with every change, Tsit45 takes over.

use super::exponential::{MOST_STATES, is_accurate};
use super::linear_estimates::Columns;
use super::stepper::Watched;
use super::{Method, Options, Stop, SwitchReason};

/// Accepted steps between two looks at the Jacobian.
const INTERVAL: u64 = 50;
/// Length of Tsit45's stability interval on the negative real axis.
const STABILITY: f64 = 3.3;
/// Mean step times decay rate that counts as sitting at the stability limit.
const AT_LIMIT: f64 = 1.5;
const STIFF_HITS: u32 = 3;
/// Stability-limited steps ahead from which a change to BDF pays.
const WORTHWHILE: f64 = 500.0;
/// BDF step times spectral radius that an explicit method could take with ease.
const WELL_INSIDE: f64 = 1.0;
const NONSTIFF_HITS: u32 = 6;
/// Changes of method after which BDF stays.
const MOST_CHANGES: u32 = 20;
/// Stability-limited steps over the whole run from which `auto` starts with BDF.
const START_STIFF: f64 = 10_000.0;

/// What to do after a step.
pub(super) enum Verdict {
    Go,
    Switch(Method, SwitchReason),
    Stiff(Stop),
}

/// Watches a run for stiffness.
pub(super) struct Supervisor {
    requested: Method,
    max_steps: u64,
    relative: f64,
    end: f64,
    method: Method,
    hits: u32,
    changes: u32,
    since: u64,
    /// Time at the last look.
    looked: f64,
}

impl Supervisor {
    pub fn new(options: &Options, end: f64) -> Self {
        Supervisor {
            requested: options.method,
            max_steps: options.max_steps,
            relative: options.tolerances.relative,
            end,
            method: options.method,
            hits: 0,
            changes: 0,
            since: 0,
            looked: 0.0,
        }
    }

    /// The method to start with, and why.
    pub fn at_start(&self, system: &Watched<'_>, time: f64, y: &[f64]) -> (Method, SwitchReason) {
        if self.requested != Method::Auto {
            return (self.requested, SwitchReason::Requested);
        }
        let length = self.end - time;
        if system.is_linear() && system.dimension() <= MOST_STATES {
            let norm = look(system, time, y, |jacobian| jacobian.radius_bounds().1);
            if is_accurate(norm, length, self.relative) {
                return (Method::Exponential, SwitchReason::Linear);
            }
        }
        let stable = |rate: f64| rate * length / STABILITY;
        let steps = look(system, time, y, |jacobian| {
            let bound = stable(jacobian.radius_bounds().1);
            if bound > START_STIFF {
                stable(jacobian.spectrum().decay)
            } else {
                bound
            }
        });
        let method = if steps > START_STIFF {
            Method::Bdf
        } else {
            Method::Tsit45
        };
        (method, SwitchReason::StartStability { steps })
    }

    /// A method begins at `time`.
    pub fn take_up(&mut self, method: Method, time: f64) {
        self.method = method;
        self.hits = 0;
        self.since = 0;
        self.looked = time;
    }

    /// Looks at the Jacobian now and then. `steps` counts the whole run.
    pub fn after_step(
        &mut self,
        system: &Watched<'_>,
        time: f64,
        y: &[f64],
        steps: u64,
    ) -> Verdict {
        self.since += 1;
        if self.since < INTERVAL {
            return Verdict::Go;
        }
        let step = (time - self.looked) / self.since as f64;
        self.since = 0;
        self.looked = time;
        match (self.method, self.requested) {
            (Method::Tsit45, _) => self.explicit(system, time, y, step, steps),
            (Method::Bdf, Method::Auto) => self.implicit(system, time, y, step),
            _ => Verdict::Go,
        }
    }

    fn explicit(
        &mut self,
        system: &Watched<'_>,
        time: f64,
        y: &[f64],
        step: f64,
        steps: u64,
    ) -> Verdict {
        let decay = look(system, time, y, |jacobian| {
            if step * jacobian.radius_bounds().1 <= AT_LIMIT {
                0.0
            } else {
                jacobian.spectrum().decay
            }
        });
        let stability = step * decay;
        if stability <= AT_LIMIT {
            self.hits = 0;
            return Verdict::Go;
        }
        self.hits += 1;
        let remaining = (self.end - time) * decay / STABILITY;
        if self.hits < STIFF_HITS || remaining < WORTHWHILE {
            return Verdict::Go;
        }
        if self.requested == Method::Auto {
            self.changes += 1;
            return Verdict::Switch(Method::Bdf, SwitchReason::TurnedStiff { stability });
        }
        let projected = steps as f64 + (self.end - time) / step;
        if projected <= self.max_steps as f64 {
            return Verdict::Go;
        }
        Verdict::Stiff(Stop::Stiff {
            time,
            method: self.method,
            rate: decay,
            projected,
        })
    }

    fn implicit(&mut self, system: &Watched<'_>, time: f64, y: &[f64], step: f64) -> Verdict {
        if self.changes >= MOST_CHANGES {
            return Verdict::Go;
        }
        let stability = step
            * look(system, time, y, |jacobian| {
                let (below, above) = jacobian.radius_bounds();
                if step * below >= WELL_INSIDE {
                    below
                } else if step * above < WELL_INSIDE {
                    above
                } else {
                    jacobian.spectrum().radius
                }
            });
        if stability >= WELL_INSIDE {
            self.hits = 0;
            return Verdict::Go;
        }
        self.hits += 1;
        if self.hits < NONSTIFF_HITS << (self.changes / 2).min(8) {
            return Verdict::Go;
        }
        self.changes += 1;
        Verdict::Switch(Method::Tsit45, SwitchReason::TurnedNonstiff { stability })
    }
}

/// Evaluates the Jacobian at (`time`, `y`) and estimates something from it.
fn look(
    system: &Watched<'_>,
    time: f64,
    y: &[f64],
    estimate: impl FnOnce(Columns<'_>) -> f64,
) -> f64 {
    let (starts, rows) = system.pattern();
    system.jacobian(time, y, |entries| {
        estimate(Columns {
            starts,
            rows,
            entries,
        })
    })
}
