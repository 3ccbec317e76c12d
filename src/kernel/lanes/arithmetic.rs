//! What methods do with the numbers of many members, in the widest loops.
//!
//! Enters: vectors of members, number by number, `chunks` chunks each, with a number of each
//! member's own such as its step. Leaves: sums of vectors, norms, choices. Must not know methods.

use super::level::in_lanes;
use super::{Chunk, LANES};
use std::array::from_fn;

in_lanes! {
    /// `out = y + (h weights[0]) vectors[0] + (h weights[1]) vectors[1] + ...`, added up in this
    /// order, where `h` has one number of each member.
    pub fn add_scaled(
        out: &mut [Chunk],
        y: &[Chunk],
        h: &[Chunk],
        weights: &[f64],
        vectors: &[Vec<Chunk>],
    ) = add_scaled_inner
}

#[inline(always)]
fn add_scaled_inner(
    out: &mut [Chunk],
    y: &[Chunk],
    h: &[Chunk],
    weights: &[f64],
    vectors: &[Vec<Chunk>],
) {
    let chunks = h.len().max(1);
    for (at, (out, y)) in out.iter_mut().zip(y).enumerate() {
        let h = &h[at % chunks].0;
        let mut sum = y.0;
        for (weight, vector) in weights.iter().zip(vectors) {
            let vector = &vector[at].0;
            sum = from_fn(|lane| sum[lane] + h[lane] * weight * vector[lane]);
        }
        out.0 = sum;
    }
}

/// What an error is measured by.
#[derive(Debug, Clone)]
pub struct ErrorScale {
    /// Of the larger of the values before and after.
    pub relative: f64,
    /// One for each number, positive.
    pub absolute: Vec<f64>,
}

/// `weights[0] vectors[0] + weights[1] vectors[1] + ...`
#[derive(Debug, Clone, Copy)]
pub struct WeightedSum<'a> {
    /// The factors.
    pub weights: &'a [f64],
    /// As many vectors of members, or more, which are left out.
    pub vectors: &'a [Vec<Chunk>],
}

in_lanes! {
    /// The mean square, over the numbers of each member, of `h error` in terms of its scale at the
    /// larger of `before` and `after`. NaN where a number reached is not finite.
    pub fn squared_errors(
        out: &mut [Chunk],
        before: &[Chunk],
        after: &[Chunk],
        h: &[Chunk],
        error: WeightedSum<'_>,
        scale: &ErrorScale,
    ) = squared_errors_inner
}

#[inline(always)]
fn squared_errors_inner(
    out: &mut [Chunk],
    before: &[Chunk],
    after: &[Chunk],
    h: &[Chunk],
    error: WeightedSum<'_>,
    scale: &ErrorScale,
) {
    let chunks = h.len().max(1);
    #[expect(clippy::cast_precision_loss, reason = "a count of numbers")]
    let count = scale.absolute.len() as f64;
    for (k, out) in out.iter_mut().enumerate() {
        let h = &h[k].0;
        let mut total = [0.0; LANES];
        for (j, absolute) in scale.absolute.iter().enumerate() {
            let at = j * chunks + k;
            let mut sum = [0.0; LANES];
            for (weight, vector) in error.weights.iter().zip(error.vectors) {
                let vector = &vector[at].0;
                sum = from_fn(|lane| sum[lane] + weight * vector[lane]);
            }
            let (before, after) = (&before[at].0, &after[at].0);
            total = from_fn(|lane| {
                let (a, b) = (before[lane].abs(), after[lane].abs());
                let size = if a > b { a } else { b };
                let ratio = h[lane] * sum[lane] / (absolute + scale.relative * size);
                // Zero, but NaN when the state is infinite, whose ratio would pass for zero.
                total[lane] + (ratio * ratio + 0.0 * after[lane])
            });
        }
        out.0 = total.map(|total| total / count);
    }
}

in_lanes! {
    /// `to = from` for the members whose number in `chosen` is not 0.
    pub fn take_over(to: &mut [Chunk], from: &[Chunk], chosen: &[Chunk]) = take_over_inner
}

#[inline(always)]
fn take_over_inner(to: &mut [Chunk], from: &[Chunk], chosen: &[Chunk]) {
    let chunks = chosen.len().max(1);
    for (at, (to, from)) in to.iter_mut().zip(from).enumerate() {
        let (chosen, old) = (&chosen[at % chunks].0, to.0);
        to.0 = from_fn(|lane| {
            if chosen[lane] != 0.0 {
                from.0[lane]
            } else {
                old[lane]
            }
        });
    }
}

/// Sets number `i` of a member.
pub fn set(vector: &mut [Chunk], chunks: usize, lane: usize, i: usize, number: f64) {
    vector[i * chunks + lane / LANES].0[lane % LANES] = number;
}

/// Number `i` of a member.
#[must_use]
pub fn get(vector: &[Chunk], chunks: usize, lane: usize, i: usize) -> f64 {
    vector[i * chunks + lane / LANES].0[lane % LANES]
}
