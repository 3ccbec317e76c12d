//! Percentiles of one gene over many cells, and the cells beyond them, without sorting.
//!
//! A sample brackets the percentile (the idea of R. Floyd, R. Rivest, Comm. ACM 18, 165, 1975); one
//! pass keeps the cells beyond the bracket with their numbers; the percentile is then selected
//! among these few. That the bracket holds it is checked by counting: if it does not, all cells are
//! kept instead. So the result is exact, whatever the sample.
//!
//! A percentile of n numbers is the linear interpolation at (n - 1) q / 100 of the sorted numbers
//! (R. Hyndman, Y. Fan, Am. Stat. 50, 361, 1996, type 7).
//!
//! Numbers that are equal but for rounding count as equal: a cell ties with a percentile when it is
//! within [`TIE`] of it. Sums of counts divided by their largest are often ties in exact arithmetic,
//! and which of them rounding puts above the others says nothing about the cells.
//!
//! Enters: a number for each cell. Leaves: thresholds and the cells beyond them. Must not know what
//! the numbers measure.

/// Two numbers closer than this part of them are one: a few roundings of 64 bits, and far less
/// than what tells two quotients of counts from each other.
const TIE: f64 = 8.0 * f64::EPSILON;

/// Numbers in the sample.
const SAMPLE: usize = 1024;
/// Numbers that are computed before those beyond the bracket are picked.
const CHUNK: usize = 256;

/// Room that genes share.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    sample: Vec<f64>,
    /// Cells at or below the lower threshold, and at or above the upper one.
    pub low: Kept,
    pub high: Kept,
}

/// Cells beyond a bracket, ascending, and their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub cells: Vec<u32>,
    values: Vec<f64>,
    scratch: Vec<f64>,
    count: usize,
}

/// Which side of a bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Low,
    High,
}

/// The percentile of the numbers `fill` writes for a run of cells that begins at its first
/// argument; and those not below it are left in `room.high`, up to further ones near it.
pub(super) fn upper(
    n: usize,
    percent: f64,
    fill: &impl Fn(usize, &mut [f64]),
    room: &mut Room,
) -> f64 {
    draw(n, fill, &mut room.sample);
    let bracket = bracket(&room.sample, percent, Side::High);
    room.high.clear(n);
    pass(n, fill, |first, chunk| {
        room.high.keep(first, chunk, |x| x >= bracket)
    });
    if let Some(found) = room.high.percentile(n, percent, Side::High) {
        return found;
    }
    room.high.clear(n);
    pass(n, fill, |first, chunk| {
        room.high.keep(first, chunk, |_| true)
    });
    room.high
        .percentile(n, percent, Side::High)
        .unwrap_or(f64::NAN)
}

/// Both percentiles at once, as [`upper`]; those not above the lower one are left in `room.low`.
pub(super) fn both(
    n: usize,
    (lower, upper): (f64, f64),
    fill: &impl Fn(usize, &mut [f64]),
    room: &mut Room,
) -> (f64, f64) {
    draw(n, fill, &mut room.sample);
    let below = bracket(&room.sample, lower, Side::Low);
    let above = bracket(&room.sample, upper, Side::High);
    let Room { low, high, .. } = room;
    low.clear(n);
    high.clear(n);
    pass(n, fill, |first, chunk| {
        low.keep(first, chunk, |x| x <= below);
        high.keep(first, chunk, |x| x >= above);
    });
    let found = (
        low.percentile(n, lower, Side::Low),
        high.percentile(n, upper, Side::High),
    );
    if let (Some(lower), Some(upper)) = found {
        return (lower, upper);
    }
    low.clear(n);
    high.clear(n);
    pass(n, fill, |first, chunk| {
        low.keep(first, chunk, |_| true);
        high.keep(first, chunk, |_| true);
    });
    let found = (
        low.percentile(n, lower, Side::Low),
        high.percentile(n, upper, Side::High),
    );
    (found.0.unwrap_or(f64::NAN), found.1.unwrap_or(f64::NAN))
}

fn pass(n: usize, fill: &impl Fn(usize, &mut [f64]), mut take: impl FnMut(usize, &[f64])) {
    let mut chunk = [0.0; CHUNK];
    let mut first = 0;
    while first < n {
        let some = &mut chunk[..CHUNK.min(n - first)];
        fill(first, some);
        take(first, some);
        first += CHUNK;
    }
}

/// A sorted sample of evenly spread short runs of cells.
fn draw(n: usize, fill: &impl Fn(usize, &mut [f64]), sample: &mut Vec<f64>) {
    const RUN: usize = 8;
    sample.clear();
    sample.resize(SAMPLE.min(n), 0.0);
    if n <= SAMPLE {
        fill(0, sample);
    } else {
        for (run, some) in sample.chunks_mut(RUN).enumerate() {
            fill((n - RUN) * run / (SAMPLE / RUN), some);
        }
    }
    sample.sort_unstable_by(f64::total_cmp);
}

/// A number of the sample beyond which the percentile lies with near certainty. The sample's runs
/// may be of like cells, so the margin is generous.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in the sample, clamped to it"
)]
fn bracket(sample: &[f64], percent: f64, side: Side) -> f64 {
    let Some(last) = sample.len().checked_sub(1) else {
        return 0.0;
    };
    let count = last as f64;
    let share = percent / 100.0;
    let margin = 3.0 + 4.0 * (count * share * (1.0 - share)).sqrt();
    let place = match side {
        Side::Low => (count * share + margin).ceil(),
        Side::High => (count * share - margin).floor(),
    };
    let near = sample[(place.max(0.0) as usize).min(last)];
    // What ties with it is kept as well.
    match side {
        Side::Low => raised(near),
        Side::High => lowered(near),
    }
}

/// The least number that ties with `x`.
fn lowered(x: f64) -> f64 {
    x - TIE * x.abs()
}

/// The largest number that ties with `x`.
fn raised(x: f64) -> f64 {
    x + TIE * x.abs()
}

impl Kept {
    fn clear(&mut self, n: usize) {
        self.count = 0;
        // One more than can be kept, since every number is written before it is counted.
        self.cells.resize(n + 1, 0);
        self.values.resize(n + 1, 0.0);
    }

    /// Keeps the numbers for which `wanted` holds, without a branch that could be guessed wrong.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "fewer cells than 2^32, checked above"
    )]
    fn keep(&mut self, first: usize, chunk: &[f64], wanted: impl Fn(f64) -> bool) {
        let end = (self.count + chunk.len()).min(self.cells.len());
        let cells = &mut self.cells[self.count..end];
        let values = &mut self.values[self.count..end];
        let mut count = 0;
        for (at, &x) in chunk.iter().enumerate() {
            if let (Some(cell), Some(value)) = (cells.get_mut(count), values.get_mut(count)) {
                *cell = (first + at) as u32;
                *value = x;
            }
            count += usize::from(wanted(x));
        }
        self.count += count;
    }

    /// The percentile of all n numbers, if the two that it lies between were kept.
    fn percentile(&mut self, n: usize, percent: f64, side: Side) -> Option<f64> {
        let (place, share) = place(n, percent)?;
        let gone = n - self.count;
        let at = match side {
            Side::Low => place,
            Side::High => place.checked_sub(gone)?,
        };
        let next = at + usize::from(share > 0.0);
        if next >= self.count {
            return None;
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.values[..self.count]);
        let (_, &mut below, rest) = self.scratch.select_nth_unstable_by(at, f64::total_cmp);
        let above = if share > 0.0 {
            rest.iter().copied().fold(f64::INFINITY, f64::min)
        } else {
            below
        };
        Some(between(below, above, share))
    }

    /// The kept cells at or above a threshold, ties included.
    pub fn at_or_above(&self, least: f64) -> impl Iterator<Item = usize> {
        let least = lowered(least);
        self.those(move |x| x >= least)
    }

    /// The kept cells at or below a threshold, ties included.
    pub fn at_or_below(&self, most: f64) -> impl Iterator<Item = usize> {
        let most = raised(most);
        self.those(move |x| x <= most)
    }

    /// The kept cells at or above one threshold that are not at or below another.
    pub fn above_but_not_below(&self, least: f64, most: f64) -> impl Iterator<Item = usize> {
        let (least, most) = (lowered(least), raised(most));
        self.those(move |x| x >= least && x > most)
    }

    fn those(&self, wanted: impl Fn(f64) -> bool) -> impl Iterator<Item = usize> {
        let pairs = self.cells[..self.count]
            .iter()
            .zip(&self.values[..self.count]);
        pairs
            .filter(move |(_, value)| wanted(**value))
            .map(|(cell, _)| *cell as usize)
    }
}

/// The place of a percentile among n sorted numbers, and how far it is on the way to the next.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fewer cells than 2^53"
)]
fn place(n: usize, percent: f64) -> Option<(usize, f64)> {
    let last = n.checked_sub(1)?;
    let exact = (last as f64 * (percent / 100.0)).clamp(0.0, last as f64);
    Some((exact.floor() as usize, exact.fract()))
}

/// Equal ends give that number exactly, and the share is taken from the nearer end.
fn between(below: f64, above: f64, share: f64) -> f64 {
    let step = above - below;
    if share < 0.5 {
        below + step * share
    } else {
        above - step * (1.0 - share)
    }
}

/// The percentile of a few numbers, which are put in order.
pub(super) fn of_few(numbers: &mut [f64], percent: f64) -> Option<f64> {
    let (place, share) = place(numbers.len(), percent)?;
    numbers.sort_unstable_by(f64::total_cmp);
    let below = *numbers.get(place)?;
    let above = numbers.get(place + 1).copied().unwrap_or(below);
    Some(between(below, above, share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn percentiles_are_those_of_the_sorted_numbers() {
        let mut rng = rand::rngs::SmallRng::seed_from_u64(1);
        let mut room = Room::default();
        for n in [1, 2, 3, 10, 999, 1025, 5000] {
            for kind in 0..4 {
                let numbers: Vec<f64> = (0..n)
                    .map(|i| match kind {
                        0 => rng.random::<f64>(),
                        1 => f64::from(rng.random::<f64>() > 0.8),
                        2 => i as f64,
                        // All high numbers in one place that the sample misses in part.
                        _ => {
                            if i > n / 2 && i < n / 2 + 130 {
                                1.0 + i as f64
                            } else {
                                0.0
                            }
                        }
                    })
                    .collect();
                let fill = |first: usize, out: &mut [f64]| {
                    out.copy_from_slice(&numbers[first..first + out.len()]);
                };
                for (lower, higher) in [(5.0, 95.0), (2.0, 98.0), (0.0, 100.0), (40.0, 99.9)] {
                    let mut sorted = numbers.clone();
                    let low = of_few(&mut sorted, lower).unwrap();
                    let high = of_few(&mut sorted, higher).unwrap();
                    assert_eq!(upper(n, higher, &fill, &mut room), high);
                    assert_eq!(both(n, (lower, higher), &fill, &mut room), (low, high));
                    let kept: Vec<usize> = room.high.at_or_above(high).collect();
                    let all = (0..n).filter(|i| numbers[*i] >= high);
                    assert!(all.eq(kept), "{n} {kind} {higher}");
                    let kept: Vec<usize> = room.low.at_or_below(low).collect();
                    let all = (0..n).filter(|i| numbers[*i] <= low);
                    assert!(all.eq(kept), "{n} {kind} {lower}");
                }
            }
        }
    }

    /// Three cells in twenty are one but for a rounding; the 95 % percentile is among them.
    #[test]
    fn ties_are_kept_whatever_rounding_does_to_them() {
        let mut room = Room::default();
        for n in [20, 400, 20_000] {
            let number = |cell: usize| match cell % 20 {
                0 => 1.5,
                1 => 1.5 * (1.0 - f64::EPSILON),
                2 => 1.5 * (1.0 + f64::EPSILON),
                _ => 1.0 + (cell % 17) as f64 / 40.0,
            };
            let fill = |first: usize, out: &mut [f64]| {
                for (at, out) in out.iter_mut().enumerate() {
                    *out = number(first + at);
                }
            };
            let least = upper(n, 95.0, &fill, &mut room);
            assert_eq!(room.high.at_or_above(least).count(), 3 * n / 20);
            let negative = |first: usize, out: &mut [f64]| {
                fill(first, out);
                out.iter_mut().for_each(|x| *x = -*x);
            };
            let (most, _) = both(n, (5.0, 95.0), &negative, &mut room);
            assert_eq!(room.low.at_or_below(most).count(), 3 * n / 20);
        }
    }

    /// numpy.percentile([3, 1, 4, 1, 5, 9, 2, 6], [10, 37.5, 90]) = 1, 2.625, 6.9.
    #[test]
    fn interpolation_is_linear() {
        let mut numbers = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        for (percent, expected) in [(10.0, 1.0), (37.5, 2.625), (90.0, 6.9)] {
            let found = of_few(&mut numbers, percent).unwrap();
            assert!((found - expected).abs() < 1e-14);
        }
    }
}
