//! How runs end: failures, interrupts and numbers that are not finite, as [`Stop`]s.
//!
//! In: what a stepper or monitor said. Out: data in terms of states.

use super::stepper::StepFailure;
use super::{Halt, Stop};

/// A failed step as the end of a run.
pub(super) fn failed(failure: StepFailure, time: f64) -> Stop {
    match failure {
        StepFailure::TooSmall { step } => Stop::StepTooSmall {
            time,
            step,
            state: 0,
        },
        StepFailure::Ended(stop) => *stop,
        StepFailure::Other(detail) => Stop::SolverFailed { time, detail },
    }
}

/// What a monitor asked for as the end of a run.
pub(super) fn halted(halt: Halt, time: f64) -> Stop {
    match halt {
        Halt::Interrupt => Stop::Interrupted { time },
        Halt::Enough => Stop::Halted { time },
    }
}

/// The states whose numbers are not finite.
pub(super) fn not_finite(values: &[f64], shown: usize) -> Vec<usize> {
    of_states((0..values.len()).filter(|&i| !values[i].is_finite()), shown)
}

/// Positions in the state vector as states: what follows these are derivatives of each in turn.
pub(super) fn of_states(positions: impl Iterator<Item = usize>, shown: usize) -> Vec<usize> {
    let mut states: Vec<usize> = positions.map(|at| at % shown.max(1)).collect();
    states.sort_unstable();
    states.dedup();
    states
}
