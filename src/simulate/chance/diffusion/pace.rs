//! How long steps of fixed length are where nobody says it.
//!
//! In: a problem at its start, a range of time. Out: a [`Pace`].
//!
//! The drift's fastest time scale is 1 over the spectral radius of its Jacobian at the start. A
//! step is a twentieth of it, so that the relative error of Euler's method over one time scale is
//! about 2.5 %, and at most a thousandth of the range, so that a figure shows a path. It is never
//! shorter than a millionth of the range: where that is too long for an explicit method, the drift
//! is stiff.

use crate::kernel::{Parameters, Scratch};
use crate::simulate::Problem;
use crate::simulate::linear_estimates::Columns;

/// Steps in the drift's fastest time scale.
const PER_TIME_SCALE: f64 = 20.0;
/// Steps over the range, at least and at most.
const FEWEST: f64 = 1e3;
const MOST: f64 = 1e6;

/// The length of steps, and the fastest decay that they meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Longest step of a method with steps of fixed length.
    pub step: f64,
    /// The fastest decay rate of the drift at the start.
    pub decay: f64,
}

/// The pace of a run over a range of time (start, end). `step` is what was asked for.
#[must_use]
pub fn pace(
    problem: &Problem<'_>,
    (start, end): (f64, f64),
    initial: &[f64],
    step: Option<f64>,
) -> Pace {
    let pattern = &problem.system.jacobian.pattern;
    let kernel = problem.kernels.jacobian();
    let mut entries = vec![0.0; kernel.out_len()];
    let parameters = Parameters::new(problem.parameters.clone());
    let slots = vec![0.0; problem.system.slots.len()];
    let mut scratch = Scratch::new();
    kernel.call(
        start,
        initial,
        &parameters,
        &slots,
        &mut entries,
        &mut scratch,
    );
    for entry in entries.iter_mut().filter(|entry| !entry.is_finite()) {
        *entry = 0.0;
    }
    let spectrum = Columns {
        starts: &pattern.column_starts,
        rows: &pattern.row_indices,
        entries: &entries,
    }
    .spectrum();
    let range = end - start;
    let own = (1.0 / (PER_TIME_SCALE * spectrum.radius))
        .min(range / FEWEST)
        .max(range / MOST);
    // A run over no time takes no step.
    let own = if own > 0.0 { own } else { 1.0 };
    Pace {
        step: step.unwrap_or(own),
        decay: spectrum.decay,
    }
}
