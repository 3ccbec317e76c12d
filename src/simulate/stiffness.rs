//! Whether a problem is stiff, before and during a run.
//!
//! In: the exact Jacobian along the trajectory, and what the explicit stages felt of it. Out: the
//! method to start with, and verdicts on changing it. An explicit method's step h is limited by
//! stability when h times the fastest decay rate of the Jacobian stays at the edge of the
//! stability region (Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.2).
//!
//! Rules under `auto`:
//! - Linear equations with constant coefficients and few states: their exact solution.
//! - Constraints: Rodas from the start, for good.
//! - The start: Tsit5, unless the largest rate on the Jacobian's diagonal asks for more than
//!   [`START_STIFF`] steps for stability alone. No eigenvalue is computed.
//! - Tsit5, every [`LOOK`] accepted steps: when the last two stages suggest that h times an
//!   eigenvalue exceeds [`AT_LIMIT`] (section IV.2, formula 2.17) and the exact Jacobian agrees
//!   that this eigenvalue decays, that is a hit; after [`STIFF_HITS`] in a row, if the rest of the
//!   run needs more than [`WORTHWHILE`] steps for stability, an implicit method takes over. When
//!   the Jacobian disagrees, as for a fast oscillation, the next look comes twice as late.
//! - The implicit method is Rodas, or BDF where a factorisation costs far more than solutions.
//! - Rodas or BDF, every [`INTERVAL`] steps, with the mean step h over them: a hit when
//!   h * (spectral radius) < [`WELL_INSIDE`]; after [`NONSTIFF_HITS`] in a row, more after each
//!   change, Tsit5 takes over.
//!
//! With an explicit method asked for, the run ends only when it would reach the step cap before
//! its end: a merely slow run goes on.

use super::exponential::{MOST_STATES, is_accurate};
use super::linear_estimates::Columns;
use super::matrix_choice::factorisations_are_cheap;
use super::stepper::{Stepper, Watched};
use super::{Method, Options, Stop, SwitchReason};

/// Accepted steps of an implicit method between two looks at the Jacobian.
const INTERVAL: u64 = 25;
/// Accepted steps of Tsit5 between two looks at its stages.
const LOOK: u64 = 10;
/// The same where an explicit method was asked for, which must not be given up in haste.
const PATIENT: u64 = 50;
/// The longest time between two looks at its stages.
const LONGEST_LOOK: u64 = 320;
/// Length of Tsit5's stability interval on the negative real axis.
const STABILITY: f64 = 3.3;
/// Step times decay rate that counts as sitting at the stability limit.
const AT_LIMIT: f64 = 1.5;
const STIFF_HITS: u32 = 3;
/// Stability-limited steps ahead from which a change to an implicit method pays.
const WORTHWHILE: f64 = 300.0;
/// Implicit step times spectral radius that an explicit method could take with ease.
const WELL_INSIDE: f64 = 1.0;
const NONSTIFF_HITS: u32 = 6;
/// Changes of method after which the implicit one stays.
const MOST_CHANGES: u32 = 20;
/// Stability-limited steps over the whole run from which `auto` starts with an implicit method.
const START_STIFF: f64 = 2000.0;

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
    /// Accepted steps until the next look.
    interval: u64,
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
            interval: INTERVAL,
            looked: 0.0,
        }
    }

    /// The method to start with, and why.
    pub fn at_start(&self, system: &Watched<'_>, time: f64, y: &[f64]) -> (Method, SwitchReason) {
        if self.requested != Method::Auto {
            return (self.requested, SwitchReason::Requested);
        }
        if system.algebraic().contains(&true) {
            return (Method::Rodas, SwitchReason::Constraints);
        }
        let length = self.end - time;
        if system.is_linear() && system.dimension() <= MOST_STATES {
            let norm = look(system, time, y, |jacobian| jacobian.radius_bounds().1);
            if is_accurate(norm, length, self.relative) {
                return (Method::Exponential, SwitchReason::Linear);
            }
        }
        let steps = self.steps_for_stability(system, time, y);
        let method = if steps > START_STIFF {
            implicit_for(system)
        } else {
            Method::Tsit5
        };
        (method, SwitchReason::StartStability { steps })
    }

    /// How many steps an explicit method needs for stability alone, as it looks at the start.
    fn steps_for_stability(&self, system: &Watched<'_>, time: f64, y: &[f64]) -> f64 {
        let rate = look(system, time, y, |jacobian| {
            jacobian.largest_loss().min(jacobian.radius_bounds().1)
        });
        rate * (self.end - time) / STABILITY
    }

    /// Whether Tsit5, if it was not asked for, is the wrong method to start with.
    pub fn starts_stiff(&self, system: &Watched<'_>, time: f64, y: &[f64]) -> bool {
        self.requested == Method::Auto && self.steps_for_stability(system, time, y) > START_STIFF
    }

    /// A method begins at `time`.
    pub fn take_up(&mut self, method: Method, time: f64) {
        self.method = method;
        self.hits = 0;
        self.since = 0;
        self.looked = time;
        self.interval = self.shortest_interval();
    }

    fn shortest_interval(&self) -> u64 {
        match (self.requested, self.method) {
            (Method::Auto, Method::Tsit5) => LOOK,
            (Method::Auto, _) => INTERVAL,
            _ => PATIENT,
        }
    }

    /// Looks at the method's stages or the Jacobian now and then. `steps` counts the whole run.
    #[inline]
    pub fn after_step(
        &mut self,
        system: &Watched<'_>,
        time: f64,
        stepper: &dyn Stepper,
        steps: u64,
    ) -> Verdict {
        if !self.is_due() {
            return Verdict::Go;
        }
        self.look(system, time, stepper, steps)
    }

    /// Counts a step; true when it is time to look at the method's stages or the Jacobian.
    #[inline]
    pub fn is_due(&mut self) -> bool {
        self.since += 1;
        self.since >= self.interval
    }

    /// Steps until it is time to look, for who counts them otherwise.
    pub fn until_look(&self) -> u64 {
        self.interval.saturating_sub(self.since)
    }

    /// All these steps are taken.
    pub fn pass_to_look(&mut self) {
        self.since = self.interval;
    }

    /// Looks at what the stages of Tsit5 `felt` on its last step, which reached `y`:
    /// [`Stepper::stability`].
    pub fn look_at_stages(
        &mut self,
        system: &Watched<'_>,
        time: f64,
        y: &[f64],
        felt: Option<f64>,
        steps: u64,
    ) -> Verdict {
        let step = self.mean_step(time);
        if felt.is_some_and(|felt| felt <= AT_LIMIT) {
            self.hits = 0;
            self.interval = self.shortest_interval();
            return Verdict::Go;
        }
        self.explicit(system, time, y, step, steps)
    }

    /// The mean step since the last look, which is now.
    fn mean_step(&mut self, time: f64) -> f64 {
        let step = (time - self.looked) / self.since as f64;
        self.since = 0;
        self.looked = time;
        step
    }

    fn look(
        &mut self,
        system: &Watched<'_>,
        time: f64,
        stepper: &dyn Stepper,
        steps: u64,
    ) -> Verdict {
        if self.method == Method::Tsit5 {
            let felt = stepper.stability();
            return self.look_at_stages(system, time, stepper.state(), felt, steps);
        }
        let step = self.mean_step(time);
        match (self.method, self.requested) {
            (Method::Tsit45, _) => self.explicit(system, time, stepper.state(), step, steps),
            (Method::Rodas | Method::Bdf, Method::Auto) => {
                self.implicit(system, time, stepper.state(), step)
            }
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
        let length = self.end - time;
        let decay = look(system, time, y, |jacobian| {
            // A change that could not pay is not worth an eigenvalue.
            let above = jacobian.radius_bounds().1;
            if step * above <= AT_LIMIT || length * above / STABILITY < WORTHWHILE {
                0.0
            } else {
                jacobian.spectrum().decay
            }
        });
        let stability = step * decay;
        if stability <= AT_LIMIT {
            self.hits = 0;
            self.interval = (2 * self.interval).min(LONGEST_LOOK);
            return Verdict::Go;
        }
        self.hits += 1;
        let remaining = length * decay / STABILITY;
        if self.hits < STIFF_HITS || remaining < WORTHWHILE {
            return Verdict::Go;
        }
        if self.requested == Method::Auto {
            self.changes += 1;
            let to = implicit_for(system);
            return Verdict::Switch(to, SwitchReason::TurnedStiff { stability });
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
        if self.changes >= MOST_CHANGES || system.algebraic().contains(&true) {
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
        Verdict::Switch(Method::Tsit5, SwitchReason::TurnedNonstiff { stability })
    }
}

/// The implicit method for a system under `auto`.
fn implicit_for(system: &Watched<'_>) -> Method {
    // Only our own steppers carry derivatives.
    if system.varied() > 0 || factorisations_are_cheap(system.pattern()) {
        Method::Rodas
    } else {
        Method::Bdf
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
