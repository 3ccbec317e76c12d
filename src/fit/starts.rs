//! Where searches begin.
//!
//! Enters: bounds, a given point, a seed. Leaves: points: the given one, then a Latin hypercube
//! (M. McKay, R. Beckman, W. Conover, Technometrics 21, 239, 1979), each coordinate of which meets
//! each of as many equal parts as there are points once.

use super::optimise::Bounds;
use crate::kernel::Stream;

/// Where a coordinate has no bound, starts lie this far from the given point at most, in units of
/// its size or of 1: for a logarithm a factor of 20.
const REACH: f64 = 3.0;
/// Streams of the seed: one for each coordinate of the hypercube from here on, one for each start
/// drawn again.
const HYPERCUBE: u64 = 1 << 32;
const AGAIN: u64 = 2 << 32;

/// The given point, then points of a Latin hypercube within the bounds: `count` in all.
#[must_use]
pub fn starts(bounds: &Bounds, given: &[f64], count: usize, seed: u64) -> Vec<Vec<f64>> {
    let ends = finite_ends(bounds, given);
    let mut all = vec![bounds.project(given)];
    all.extend(latin_hypercube(&ends, count.saturating_sub(1), seed));
    all.truncate(count);
    all
}

/// Bounds that are finite, around a point where there is none.
pub(super) fn finite_ends(bounds: &Bounds, around: &[f64]) -> Vec<(f64, f64)> {
    let all = bounds.ends().zip(around);
    all.map(|((low, high), x)| {
        let reach = REACH * x.abs().max(1.0);
        let low = if low.is_finite() {
            low
        } else {
            (x - reach).min(high - reach)
        };
        let high = if high.is_finite() {
            high
        } else {
            (x + reach).max(low + reach)
        };
        (low, high)
    })
    .collect()
}

/// Points of a Latin hypercube.
pub(super) fn latin_hypercube(ends: &[(f64, f64)], count: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut points = vec![Vec::with_capacity(ends.len()); count];
    for ((low, high), coordinate) in ends.iter().zip(HYPERCUBE..) {
        let mut stream = Stream::new(seed, coordinate);
        let order = shuffled(count, &mut stream);
        for (point, part) in points.iter_mut().zip(order) {
            // Uniform numbers are above 0 and may be 1.
            let share = (part + 1.0 - stream.uniform()) / size(count);
            point.push(low + share * (high - low));
        }
    }
    points
}

/// The start of this number, drawn again.
pub(super) fn again(ends: &[(f64, f64)], seed: u64, number: u64, attempt: u64) -> Vec<f64> {
    let mut stream = Stream::new(seed, AGAIN + (number << 8) + attempt);
    let all = ends.iter();
    all.map(|(low, high)| low + stream.uniform() * (high - low))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
fn size(count: usize) -> f64 {
    count as f64
}

/// 0, 1, ... in random order (R. Durstenfeld, Commun. ACM 7, 420, 1964).
fn shuffled(count: usize, stream: &mut Stream) -> Vec<f64> {
    let mut order: Vec<f64> = (0..count).map(size).collect();
    for last in (1..count).rev() {
        #[expect(clippy::cast_possible_truncation, reason = "below the count")]
        let other = (stream.next_bits() % (last as u64 + 1)) as usize;
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_coordinate_meets_each_part_once() {
        let bounds = Bounds {
            lower: vec![-1.0, 10.0],
            upper: vec![1.0, 30.0],
        };
        let all = starts(&bounds, &[0.5, 50.0], 21, 7);
        assert_eq!(all[0], [0.5, 30.0]);
        for (at, (low, high)) in bounds.ends().enumerate() {
            let mut parts: Vec<f64> = all[1..]
                .iter()
                .map(|point| (20.0 * (point[at] - low) / (high - low)).floor())
                .collect();
            parts.sort_by(f64::total_cmp);
            let expected: Vec<f64> = (0..20).map(f64::from).collect();
            assert_eq!(parts, expected);
        }
        assert_eq!(all, starts(&bounds, &[0.5, 50.0], 21, 7));
        assert_ne!(all, starts(&bounds, &[0.5, 50.0], 21, 8));
    }

    #[test]
    fn without_bounds_starts_surround_the_given_point() {
        let all = starts(&Bounds::none(1), &[10.0], 50, 1);
        assert!(all.iter().all(|point| (-20.0..=40.0).contains(&point[0])));
    }
}
