//! The error norm of all methods and the length of the first step.
//!
//! Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, section II.4: a step whose
//! explicit Euler increment is small, then one whose local error is near the tolerance.

use super::Tolerances;
use super::stepper::{Watched, all_finite, shortest_step};

/// Root mean square of `v_i / (absolute_i + relative * |y_i|)`.
pub(super) fn scaled_norm(v: &[f64], y: &[f64], tolerances: &Tolerances) -> f64 {
    let terms = v.iter().zip(y).zip(&tolerances.absolute);
    let sum: f64 = terms
        .map(|((v, y), a)| {
            let ratio = scaled(*v, *y, *a, tolerances.relative);
            ratio * ratio
        })
        .sum();
    (sum / v.len().max(1) as f64).sqrt()
}

/// One component of the norm; zero change is zero whatever its scale.
fn scaled(v: f64, y: f64, absolute: f64, relative: f64) -> f64 {
    if v == 0.0 {
        0.0
    } else {
        v / (absolute + relative * y.abs())
    }
}

/// The component of `v` that is largest in terms of its tolerance.
pub(super) fn largest_scaled(v: &[f64], y: &[f64], tolerances: &Tolerances) -> usize {
    let mut largest = (0, -1.0);
    for (i, ((v, y), a)) in v.iter().zip(y).zip(&tolerances.absolute).enumerate() {
        let ratio = scaled(*v, *y, *a, tolerances.relative).abs();
        if ratio > largest.1 || ratio.is_nan() {
            largest = (i, ratio);
        }
    }
    largest.0
}

/// A first step for a method of the given order from (`time`, `y`) with derivative `f`, at most
/// `longest`. One evaluation, or a few where the first probe leaves the domain.
pub(super) fn initial_step(
    system: &Watched<'_>,
    time: f64,
    y: &[f64],
    f: &[f64],
    order: u32,
    longest: f64,
    tolerances: &Tolerances,
) -> f64 {
    let d0 = scaled_norm(y, y, tolerances);
    let d1 = scaled_norm(f, y, tolerances);
    let shortest = shortest_step(time, longest).min(longest);
    let mut probe = if d0 < 1e-5 || d1 < 1e-5 {
        1e-6 * longest
    } else {
        (0.01 * d0 / d1).min(longest)
    };
    // Growth too fast for any step: an implicit method must not be led to step over it.
    if probe < shortest {
        return probe;
    }
    let mut shifted = vec![0.0; y.len()];
    let mut change = vec![0.0; y.len()];
    for _ in 0..20 {
        for ((s, y), f) in shifted.iter_mut().zip(y).zip(f) {
            *s = y + probe * f;
        }
        system.drift(time + probe, &shifted, &mut change);
        if all_finite(&change) {
            break;
        }
        probe *= 0.1;
    }
    for (c, f) in change.iter_mut().zip(f) {
        *c -= f;
    }
    let d2 = scaled_norm(&change, y, tolerances) / probe;
    let fastest = d1.max(d2);
    let by_error = if fastest <= 1e-15 || !fastest.is_finite() {
        100.0 * probe
    } else {
        (0.01 / fastest).powf(1.0 / f64::from(order + 1))
    };
    (100.0 * probe).min(by_error).clamp(shortest, longest)
}
