//! Propensities with partial sums: the direct method.
//!
//! Enters: propensities, random numbers. Leaves: when the next reaction happens, and which it is
//! (D. T. Gillespie, J. Phys. Chem. 81, 2340, 1977). Sums are kept in blocks, so that of R
//! channels about R/16 + 16 numbers are looked at; each is summed anew when it changes, so that no
//! rounding adds up.

use crate::kernel::Stream;

/// Channels in a block.
const BLOCK: usize = 16;

/// Propensities and their sums.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub values: Vec<f64>,
    blocks: Vec<f64>,
    total: f64,
}

impl Sums {
    pub fn new(channels: usize) -> Sums {
        Sums {
            values: vec![0.0; channels],
            blocks: vec![0.0; channels.div_ceil(BLOCK)],
            total: 0.0,
        }
    }

    /// A propensity changed; [`Sums::sum_up`] follows.
    #[inline]
    pub fn set(&mut self, channel: usize, value: f64) {
        self.values[channel] = value;
        self.blocks[channel / BLOCK] = f64::NAN;
    }

    /// Brings the sums up to date.
    #[inline]
    pub fn sum_up(&mut self) {
        let mut total = 0.0;
        for (sum, values) in self.blocks.iter_mut().zip(self.values.chunks(BLOCK)) {
            if sum.is_nan() {
                *sum = values.iter().sum();
            }
            total += *sum;
        }
        self.total = total;
    }

    /// The sum of all.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// A channel, each with the probability of its share in the sum, which is positive.
    #[inline]
    pub fn choose(&self, stream: &mut Stream) -> usize {
        // Positive, so that no channel without propensity is met.
        let mut left = stream.uniform() * self.total;
        let mut block = 0;
        let last = self.blocks.len() - 1;
        while block < last && left > self.blocks[block] {
            left -= self.blocks[block];
            block += 1;
        }
        let start = block * BLOCK;
        let mut found = None;
        for (at, value) in self.values[start..].iter().take(BLOCK).enumerate() {
            if *value > 0.0 {
                found = Some(start + at);
                if left <= *value {
                    break;
                }
                left -= value;
            }
        }
        // What rounding leaves beyond the last falls to the last that can happen.
        found.unwrap_or_else(|| {
            self.values
                .iter()
                .rposition(|value| *value > 0.0)
                .unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_chosen_by_their_shares() {
        let mut sums = Sums::new(40);
        let shares = [(3, 1.0), (15, 2.0), (16, 3.0), (39, 4.0)];
        for (channel, share) in shares {
            sums.set(channel, share);
        }
        sums.sum_up();
        assert_eq!(sums.total(), 10.0);
        let mut stream = Stream::new(1, 0);
        let mut counts = [0_u32; 40];
        for _ in 0..100_000 {
            counts[sums.choose(&mut stream)] += 1;
        }
        for (channel, share) in shares {
            // A binomial number: within four standard deviations.
            let p: f64 = share / 10.0;
            let expected = 100_000.0 * p;
            let deviation = (expected * (1.0 - p)).sqrt();
            assert!((f64::from(counts[channel]) - expected).abs() < 4.0 * deviation);
        }
        assert_eq!(
            counts.iter().sum::<u32>(),
            shares.map(|s| counts[s.0]).iter().sum::<u32>()
        );
    }
}
