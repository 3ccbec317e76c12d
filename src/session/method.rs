//! How a run would be made, and how the last one was.

use super::chance;
use super::compiled::Compiled;
use super::values::Present;
use crate::simulate::{Method, MethodUse, NoiseReason, Statistics, Tolerances, has_exact_solution};
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
    /// What `auto` takes for a model with noise, and why; no reason where only reactions are random.
    pub noise: Option<(Method, Option<NoiseReason>)>,
    /// Default absolute tolerances at the present initial values.
    pub absolute: Vec<f64>,
    /// The methods, work and tolerances of the last run.
    pub last: Option<LastRun>,
}

/// The methods, the work and the tolerances of a run, or of all paths of an ensemble.
pub type LastRun = (Vec<MethodUse>, Statistics, Tolerances);

pub(super) fn advice(
    compiled: &Compiled,
    present: &Present,
    last: Option<LastRun>,
) -> MethodAdvice {
    let pattern = &compiled.system.jacobian.pattern;
    MethodAdvice {
        motion: compiled.system.motion,
        states: compiled.system.dimension(),
        entries: pattern.len(),
        bandwidths: pattern.bandwidths(),
        exact: has_exact_solution(&compiled.system),
        absolute: compiled.absolute_tolerances(&present.initial, None),
        noise: compiled
            .system
            .noise
            .is_some()
            .then(|| chance::choice(compiled)),
        last,
    }
}
