//! Histograms whose bins widen as the range of the numbers does.
//!
//! Enters: numbers, in any order. Leaves: counts in bins whose width is a power of two and whose
//! edges are multiples of it; whole numbers have bins of whole width, with the numbers in their
//! middle. The width follows from the lowest and the highest number, and from whether all are whole,
//! so that the same numbers give the same histogram in whatever order they came.

/// A histogram of at most a given number of bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// The most bins.
    most: usize,
    lowest: f64,
    highest: f64,
    /// All numbers are whole: those of molecules.
    whole: bool,
    /// Bins are 2^exponent wide.
    exponent: i32,
    /// The number of the first bin: it begins at first * 2^exponent.
    first: i64,
    /// Empty as long as all numbers are the same.
    counts: Vec<u32>,
    total: u64,
}

/// One bar of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Where it begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// Numbers in it.
    pub count: u64,
}

/// 2^exponent, also where that is subnormal.
fn power_of_two(exponent: i32) -> f64 {
    if exponent >= -1000 {
        2f64.powi(exponent)
    } else {
        2f64.powi(exponent + 200) * 2f64.powi(-200)
    }
}

/// Numbers of bins beyond this would not be told apart.
const MOST_DIGITS: i32 = 52;

/// The number of the bin that holds `value`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bins are at least one ulp wide"
)]
fn place(value: f64, exponent: i32) -> i64 {
    // Two exact factors: one power alone may overflow.
    let half = exponent / 2;
    (value * power_of_two(-half) * power_of_two(half - exponent)).floor() as i64
}

/// The smallest exponent with which the range takes at most so many bins.
fn exponent_for(lowest: f64, highest: f64, most: usize) -> i32 {
    let binary_digits = |x: f64| {
        if x == 0.0 {
            return -1074;
        }
        #[expect(clippy::cast_possible_truncation, reason = "between -1074 and 1024")]
        let digits = x.abs().log2().floor() as i32;
        digits
    };
    let size = binary_digits(lowest.abs().max(highest.abs()));
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let width = highest / most as f64 - lowest / most as f64;
    let finest = (size - MOST_DIGITS).max(-1074);
    let mut exponent = (binary_digits(width) - 1).max(finest);
    while place(highest, exponent) - place(lowest, exponent) >= most as i64 {
        exponent += 1;
    }
    exponent
}

impl Bins {
    /// An empty histogram of at most `most` bins, at least 2.
    #[must_use]
    pub fn new(most: usize) -> Bins {
        Bins {
            most: most.max(2),
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
            whole: true,
            exponent: 0,
            first: 0,
            counts: Vec::new(),
            total: 0,
        }
    }

    /// Counts a number; one that is not finite is left out.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let is_new = self.whole && value.fract() != 0.0;
        if value < self.lowest || value > self.highest || is_new {
            self.widen(value);
        }
        self.total += 1;
        if self.counts.is_empty() {
            return;
        }
        let at = place(value, self.exponent) - self.first;
        // The range was widened to hold it.
        if let Some(count) = usize::try_from(at)
            .ok()
            .and_then(|at| self.counts.get_mut(at))
        {
            *count += 1;
        }
    }

    /// Lets the range reach this number, and bins be as narrow as it asks for.
    #[cold]
    fn widen(&mut self, value: f64) {
        let (lowest, highest) = (self.lowest.min(value), self.highest.max(value));
        let whole = self.whole && value.fract() == 0.0;
        if lowest == highest {
            (self.lowest, self.highest, self.whole) = (lowest, highest, whole);
            return;
        }
        let exponent = exponent_for(lowest, highest, self.most);
        let exponent = if whole { exponent.max(0) } else { exponent };
        let first = place(lowest, exponent);
        let span = usize::try_from(place(highest, exponent) - first).unwrap_or(0) + 1;
        let mut counts = vec![0; span];
        let mut put = |at: i64, count: u32| {
            let at = usize::try_from(at - first).unwrap_or(0);
            if let Some(known) = counts.get_mut(at) {
                *known += count;
            }
        };
        if self.counts.is_empty() {
            if self.total > 0 {
                let count = u32::try_from(self.total).unwrap_or(u32::MAX);
                put(place(self.lowest, exponent), count);
            }
        } else {
            let shift = exponent - self.exponent;
            for (known, count) in (self.first..).zip(&self.counts) {
                #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
                put(
                    match shift {
                        // Wider bins are unions of narrower ones.
                        0.. => known >> shift.min(63),
                        // A bin of width 1 held one whole number.
                        _ => place(known as f64, exponent),
                    },
                    *count,
                );
            }
        }
        (self.lowest, self.highest, self.whole) = (lowest, highest, whole);
        (self.exponent, self.first, self.counts) = (exponent, first, counts);
    }

    /// How far apart numbers of one bin can be: 0 where each bin holds one number.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        if self.counts.is_empty() || self.is_of_single_numbers() {
            0.0
        } else {
            power_of_two(self.exponent)
        }
    }

    /// Each bin holds one whole number.
    fn is_of_single_numbers(&self) -> bool {
        self.whole && self.exponent == 0
    }

    /// How many numbers were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The bars from the lowest number to the highest, also those without numbers.
    #[must_use]
    pub fn bars(&self) -> Vec<Bar> {
        if self.total == 0 {
            return Vec::new();
        }
        if self.counts.is_empty() {
            let (low, high) = (self.lowest, self.highest);
            return vec![Bar {
                low,
                high,
                count: self.total,
            }];
        }
        let width = power_of_two(self.exponent);
        let middle = if self.whole { 0.5 } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
        let edge = |at: i64| at as f64 * width - middle;
        (self.first..)
            .zip(&self.counts)
            .map(|(at, count)| Bar {
                low: edge(at),
                high: edge(at + 1),
                count: u64::from(*count),
            })
            .collect()
    }

    /// The value below which this share of the numbers lies, between 0 and 1, to within
    /// [`Self::resolution`]. NaN without numbers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of paths")]
    pub fn quantile(&self, share: f64) -> f64 {
        if self.total == 0 {
            return f64::NAN;
        }
        if self.counts.is_empty() {
            return self.lowest;
        }
        let due = share * self.total as f64;
        let mut below = 0.0;
        for bar in self.bars() {
            let count = bar.count as f64;
            if count > 0.0 && below + count >= due {
                let within = if self.is_of_single_numbers() {
                    0.5
                } else {
                    ((due - below) / count).clamp(0.0, 1.0)
                };
                let value = bar.low + within * (bar.high - bar.low);
                return value.clamp(self.lowest, self.highest);
            }
            below += count;
        }
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Stream;

    #[test]
    fn the_order_of_the_numbers_does_not_matter() {
        let mut numbers = vec![0.0; 5000];
        Stream::new(3, 0).normals(&mut numbers);
        let fill = |numbers: &mut dyn Iterator<Item = f64>| {
            let mut bins = Bins::new(64);
            numbers.for_each(|number| bins.add(number));
            bins
        };
        let forward = fill(&mut numbers.iter().copied());
        let mut sorted = numbers.clone();
        sorted.sort_by(f64::total_cmp);
        assert_eq!(forward, fill(&mut sorted.iter().copied()));
        assert_eq!(forward, fill(&mut sorted.iter().rev().copied()));
        assert!(forward.bars().len() <= 64 && forward.bars().len() > 16);
        assert_eq!(forward.total(), 5000);
        let counted: u64 = forward.bars().iter().map(|bar| bar.count).sum();
        assert_eq!(counted, 5000);
    }

    #[test]
    fn quantiles_are_right_to_a_bin() {
        let mut numbers = vec![0.0; 100_000];
        Stream::new(5, 0).normals(&mut numbers);
        let mut bins = Bins::new(1024);
        numbers.iter().for_each(|number| bins.add(*number));
        numbers.sort_by(f64::total_cmp);
        for share in [0.05, 0.25, 0.5, 0.75, 0.95] {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small count"
            )]
            let exact = numbers[(share * 1e5) as usize];
            assert!((bins.quantile(share) - exact).abs() <= bins.resolution());
        }
    }

    #[test]
    fn whole_numbers_have_bins_of_their_own_whenever_a_fraction_comes() {
        let mut whole = Bins::new(64);
        (0..100).for_each(|k| whole.add(f64::from(k % 11)));
        let bars = whole.bars();
        assert_eq!((bars.len(), bars[0].low, bars[0].high), (11, -0.5, 0.5));
        assert_eq!((whole.quantile(0.5), whole.resolution()), (5.0, 0.0));
        let mut last = whole.clone();
        last.add(2.5);
        let mut first = Bins::new(64);
        first.add(2.5);
        (0..100).for_each(|k| first.add(f64::from(k % 11)));
        assert_eq!(first, last);
    }

    #[test]
    fn any_numbers_can_be_counted() {
        let far = [
            0.0,
            5e-324,
            -5e-324,
            1.0,
            1.0 + f64::EPSILON,
            -1e300,
            1.7e308,
            f64::NAN,
        ];
        for first in far {
            for second in far {
                let mut bins = Bins::new(16);
                for value in [first, second, first] {
                    bins.add(value);
                }
                let counted: u64 = bins.bars().iter().map(|bar| bar.count).sum();
                assert_eq!(counted, bins.total());
                assert!(bins.bars().len() <= 16);
            }
        }
        let mut same = Bins::new(16);
        for value in [2.5; 9] {
            same.add(value);
        }
        assert_eq!((same.quantile(0.3), same.resolution()), (2.5, 0.0));
    }
}
