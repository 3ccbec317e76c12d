//! One path of dy = f dt + B dW.
//!
//! ```text
//! choice.rs     which method `auto` takes
//! pace.rs       how long steps of fixed length are
//! pieces.rs     how the time between two stops is divided into steps
//! steps.rs      a stepper whose steps end at stops and at output times
//! rules.rs      one step: compiled schemes; implicit.rs, exact.rs other ones
//! adaptive.rs   a stepper that chooses its steps on a path of its own: tree.rs
//! faults.rs     why a step led to numbers that are not finite
//! ```
//!
//! In: a problem, options with their chance. Out: a [`Solution`]. Between stops the random numbers
//! of the path are drawn in order of time; after an interruption inside a step the rest of that
//! step is drawn anew. Must not know names.

mod adaptive;
mod choice;
mod exact;
mod faults;
mod implicit;
mod pace;
mod pieces;
mod rules;
mod steps;
mod tree;

pub use choice::choose;
pub use exact::{Transitions, exact_transitions};
pub use pace::{Pace, pace};
pub(super) use pieces::Piece;
pub(super) use rules::{kind, suits};
pub(super) use steps::{is_reached, next_end};

use crate::simulate::interrupt::drive_with;
use crate::simulate::stepper::{Start, StepFailure, Stepper, Walker, Watched};
use crate::simulate::work::Work;
use crate::simulate::{
    Chance, CompiledDynamics, Invalid, Method, Monitor, Options, Output, Problem, Solution, Stop,
    SwitchReason, Tolerances,
};
use crate::system::Unsuited;
use adaptive::Adaptive;
use rules::Rule;
use steps::Steps;

/// Makes the path of `chance` by the method of the options.
pub(in crate::simulate) fn path(
    problem: &Problem<'_>,
    dynamics: &CompiledDynamics<'_>,
    work: &Work<'_>,
    chance: Chance,
    monitor: &mut dyn Monitor,
) -> Solution {
    let asked = work.options.method;
    let refused = |why| {
        let mut solution = Solution::begun(work.shown, 0, &work.options.tolerances);
        let invalid = Invalid::Noise { method: asked, why };
        solution.stop = Stop::Invalid(invalid);
        solution
    };
    if let Err(why) = serves(problem) {
        return refused(why);
    }
    let range = (work.start, work.end);
    let (pace, method, why) = chosen(problem, range, work.initial, asked, chance);
    if let Err(why) = rules::suits(method, problem) {
        return refused(why);
    }
    let options = Options {
        method,
        ..work.options.clone()
    };
    let path = Path {
        problem,
        dynamics,
        method,
        chance,
        step: pace.step,
        output: work.output,
        tolerances: &options.tolerances,
    };
    let walk = Work {
        options: &options,
        walker: Some(&path),
        ..*work
    };
    let mut solution = drive_with(problem, dynamics, &walk, None, monitor);
    if let Some(used) = solution.methods.first_mut() {
        used.why = why;
    }
    let chooses = match method {
        Method::ExactTransition => problem.system.watched_guards().is_empty(),
        method => method == Method::Srk,
    };
    solution.step = (!chooses).then_some(pace.step);
    solution
}

/// How long steps are, by which method, and why.
pub(super) fn chosen(
    problem: &Problem<'_>,
    range: (f64, f64),
    initial: &[f64],
    asked: Method,
    chance: Chance,
) -> (Pace, Method, SwitchReason) {
    let pace = match chance.step {
        Some(step) if asked != Method::Auto => Pace {
            step,
            decay: 0.0,
            threshold: f64::INFINITY,
        },
        _ => pace(problem, range, initial, chance.step),
    };
    match asked {
        Method::Auto => {
            let (method, reason) = choose(problem.system, problem.kernels, &pace);
            (pace, method, SwitchReason::Noise(reason))
        }
        asked => (pace, asked, SwitchReason::Requested),
    }
}

/// Refuses equations whose paths are not made.
fn serves(problem: &Problem<'_>) -> Result<(), Unsuited> {
    let system = problem.system;
    if system.noise.is_none() {
        return Err(Unsuited::NoNoise);
    }
    if system.algebraic.contains(&true) {
        return Err(Unsuited::Constraints);
    }
    if !system.delays.is_empty() {
        return Err(Unsuited::Delays);
    }
    Ok(())
}

/// What makes the stepper of a path.
struct Path<'p> {
    problem: &'p Problem<'p>,
    dynamics: &'p CompiledDynamics<'p>,
    method: Method,
    chance: Chance,
    /// Longest step of methods with steps of fixed length.
    step: f64,
    output: &'p Output,
    tolerances: &'p Tolerances,
}

impl Walker for Path<'_> {
    fn stepper<'s>(
        &'s self,
        system: &'s Watched<'s>,
        start: &Start<'_>,
    ) -> Result<Box<dyn Stepper + 's>, StepFailure> {
        if self.method == Method::Srk {
            let scheme = rules::compiled(self, system)?;
            return Ok(Box::new(Adaptive::new(self, scheme, start)));
        }
        let rule: Box<dyn Rule + 's> = rules::of(self, system)?;
        Ok(Box::new(Steps::new(self, rule, start)))
    }
}
