//! How long steps of fixed length are where nobody says it.
//!
//! In: a problem at its start, a range of time. Out: a [`Pace`].
//!
//! The drift's fastest time scale is 1 over the spectral radius of its Jacobian at the start. A
//! step is a twentieth of it, so that the relative error of Euler's method over one time scale is
//! about 2.5 %, and at most a thousandth of the range, so that a figure shows a path. It is never
//! shorter than a millionth of the range: where that is too long for an explicit method, the drift
//! is stiff.
//!
//! Where a state sets events off, crossings are seen at the ends of steps, and Brownian motion with
//! factor s that is looked at every dt passes a threshold as if that lay 0.583 s sqrt(dt) further
//! away (Broadie, Glasserman and Kou, Math. Finance 7 (1997) 325-349). A step is then so short that
//! the path spreads over a fiftieth of the way to the nearest threshold at the start, which moves
//! it by about 1 %.

use crate::kernel::{Kernel, Parameters, Scratch};
use crate::simulate::Problem;
use crate::simulate::linear_estimates::Columns;

/// Steps in the drift's fastest time scale.
const PER_TIME_SCALE: f64 = 20.0;
/// Steps over the range, at least and at most.
const FEWEST: f64 = 1e3;
const MOST: f64 = 1e6;
/// The share of the way to a threshold that a step may spread over.
const SHARE: f64 = 0.02;
/// Steps over the range that thresholds may ask for.
const MOST_FOR_THRESHOLDS: f64 = 3e5;
/// -zeta(1/2)/sqrt(2 pi)
const BETWEEN: f64 = 0.5826;
/// By how much a state is moved to see how a threshold depends on it, relative to its size.
const SHIFT: f64 = 1e-6;

/// The length of steps, and the fastest decay that they meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Longest step of a method with steps of fixed length.
    pub step: f64,
    /// The fastest decay rate of the drift at the start.
    pub decay: f64,
    /// The time in which noise alone spreads as far as to the nearest threshold that sets off an
    /// event; infinite where there is none.
    pub threshold: f64,
}

impl Pace {
    /// By how much farther away, as a share of the way, a threshold seems to lie that is looked at
    /// after every step.
    #[must_use]
    pub fn late(&self) -> f64 {
        BETWEEN * (self.step / self.threshold).sqrt()
    }
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
    let threshold = to_thresholds(problem, start, initial);
    let own = own.min((SHARE * SHARE * threshold).max(range / MOST_FOR_THRESHOLDS));
    // A run over no time takes no step.
    let own = if own > 0.0 { own } else { 1.0 };
    Pace {
        step: step.unwrap_or(own),
        decay: spectrum.decay,
        threshold,
    }
}

/// The time in which noise spreads as far as to the nearest threshold; infinite where there is none,
/// or where it begins at one.
fn to_thresholds(problem: &Problem<'_>, start: f64, initial: &[f64]) -> f64 {
    let system = problem.system;
    let watched = system.watched_guards();
    let (false, Some(noise)) = (watched.is_empty(), &system.noise) else {
        return f64::INFINITY;
    };
    let parameters = Parameters::new(problem.parameters.clone());
    let slots = vec![0.0; system.slots.len()];
    let mut scratch = Scratch::new();
    let mut call = |kernel: &dyn Kernel, state: &[f64]| {
        let mut out = vec![0.0; kernel.out_len()];
        kernel.call(start, state, &parameters, &slots, &mut out, &mut scratch);
        out
    };
    let guards = &**problem.kernels.guards();
    let at_start = call(guards, initial);
    let factors = call(&**problem.kernels.diffusion(), initial);
    // The variance per time of each guard: the squares of what each source of noise does to it.
    let mut variances = vec![0.0; at_start.len()];
    let pattern = &noise.diffusion.pattern;
    for (column, ends) in pattern.column_starts.windows(2).enumerate() {
        let own = factors.get(ends[0]..ends[1]).unwrap_or_default();
        let largest = own
            .iter()
            .fold(0.0, |most: f64, factor| most.max(factor.abs()));
        let size = initial
            .iter()
            .fold(1.0, |most: f64, state| most.max(state.abs()));
        if !(largest > 0.0 && largest.is_finite()) {
            continue;
        }
        let shift = SHIFT * size / largest;
        let mut moved = initial.to_vec();
        for (row, factor) in pattern.column(column).iter().zip(own) {
            moved[*row] += shift * factor;
        }
        let there = call(guards, &moved);
        for ((variance, a), b) in variances.iter_mut().zip(&at_start).zip(&there) {
            *variance += ((b - a) / shift).powi(2);
        }
    }
    // Guards are scalars or vectors, one after the other, as their modes are.
    let blocks = system.slots.layout.blocks();
    let elements = watched.iter().filter_map(|at| blocks.get(*at));
    let elements = elements.flat_map(|block| block.offset..block.offset + block.shape.len());
    let times = elements.filter_map(|element| {
        let (distance, variance) = (at_start.get(element)?, variances.get(element)?);
        let time = distance * distance / variance;
        (time > 0.0).then_some(time)
    });
    times.fold(f64::INFINITY, f64::min)
}
