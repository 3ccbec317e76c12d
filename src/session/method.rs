//! How a run would be made, and how the last one was.

use super::compiled::Compiled;
use super::trajectory::Trajectory;
use super::values::Present;
use crate::simulate::{MethodUse, Statistics, Tolerances, has_exact_solution};
use crate::system::Motion;

/// What `show method` says.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodAdvice {
    /// A map is iterated, a flow integrated.
    pub motion: Motion,
    /// Number of states.
    pub states: usize,
    /// Entries of the Jacobian that can be non-zero.
    pub entries: usize,
    /// Diagonals below and above the main one that hold entries.
    pub bandwidths: (usize, usize),
    /// Whether `auto` takes the exact solution, for linear equations of few states.
    pub exact: bool,
    /// Default absolute tolerances at the present initial values.
    pub absolute: Vec<f64>,
    /// The methods, work and tolerances of the last run.
    pub last: Option<(Vec<MethodUse>, Statistics, Tolerances)>,
}

pub(super) fn advice(
    compiled: &Compiled,
    present: &Present,
    last: Option<&Trajectory>,
) -> MethodAdvice {
    let pattern = &compiled.system.jacobian.pattern;
    MethodAdvice {
        motion: compiled.system.motion,
        states: compiled.system.dimension(),
        entries: pattern.len(),
        bandwidths: pattern.bandwidths(),
        exact: has_exact_solution(&compiled.system),
        absolute: compiled.absolute_tolerances(&present.initial, None),
        last: last.map(|run| {
            (
                run.solution.methods.clone(),
                run.solution.statistics,
                run.solution.tolerances.clone(),
            )
        }),
    }
}
