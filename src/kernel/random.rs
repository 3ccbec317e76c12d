//! Streams of random numbers: one for each path of a seed.
//!
//! Enters: a seed and the number of a path. Leaves: the same numbers on every machine, whichever
//! thread or lane the path runs in. The generator is xoshiro256++ (D. Blackman, S. Vigna, ACM
//! Trans. Math. Softw. 47, 36, 2021); its state is filled by SplitMix64 from a hash of seed and
//! path, so that the streams of neighbouring paths have nothing in common.

use super::lanes::math::normal_pair;
use rand::TryRng;
use std::convert::Infallible;

/// The random numbers of one path. Serves the distributions of `rand_distr` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    state: [u64; 4],
}

/// One step of SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A step of xoshiro256++.
#[inline(always)]
pub(super) fn step(words: &mut [u64; 4]) -> u64 {
    let [a, b, c, d] = words;
    let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
    let shifted = *b << 17;
    *c ^= *a;
    *d ^= *b;
    *b ^= *c;
    *a ^= *d;
    *c ^= shifted;
    *d = d.rotate_left(45);
    result
}

/// The upper 53 of these bits as a number in (0, 1].
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
pub(super) fn to_uniform(bits: u64) -> f64 {
    ((bits >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

impl Stream {
    /// The stream of this path of this seed.
    #[must_use]
    pub fn new(seed: u64, path: u64) -> Stream {
        let mut of_path = path;
        let mut mixed = seed ^ split_mix(&mut of_path).rotate_left(32);
        Stream {
            state: std::array::from_fn(|_| split_mix(&mut mixed)),
        }
    }

    /// What the generator holds.
    pub(super) fn words(&self) -> [u64; 4] {
        self.state
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_bits(&mut self) -> u64 {
        step(&mut self.state)
    }

    /// Uniform in (0, 1], a multiple of 2^-53: its logarithm is finite.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        to_uniform(self.next_bits())
    }

    /// Fills `out` with independent standard normal numbers, two from each pair of uniform ones.
    /// Of the last pair the second is dropped when `out` has an odd length: what a stream gives
    /// next depends on the lengths alone. [`super::LaneStreams`] gives the same bits.
    pub fn normals(&mut self, out: &mut [f64]) {
        for pair in out.chunks_mut(2) {
            let radius = self.uniform();
            let (first, second) = normal_pair(radius, self.uniform());
            pair.copy_from_slice(&[first, second][..pair.len()]);
        }
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_bits() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_bits())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.next_bits().to_le_bytes()[..part.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_apart() {
        let bits = |seed, path| Stream::new(seed, path).next_bits();
        assert_eq!(bits(7, 3), bits(7, 3));
        assert_ne!(bits(7, 3), bits(7, 4));
        assert_ne!(bits(7, 3), bits(8, 3));
    }

    #[test]
    fn normal_numbers_have_the_moments_of_a_normal_distribution() {
        let mut numbers = vec![0.0; 400_000];
        Stream::new(1, 0).normals(&mut numbers);
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let count = numbers.len() as f64;
        let moment = |power| numbers.iter().map(|z: &f64| z.powi(power)).sum::<f64>() / count;
        // Exact: 0, 1, 0, 3; four standard errors of each: sqrt(variance / count).
        assert!(moment(1).abs() < 4.0 * (1.0 / count).sqrt());
        assert!((moment(2) - 1.0).abs() < 4.0 * (2.0 / count).sqrt());
        assert!(moment(3).abs() < 4.0 * (15.0 / count).sqrt());
        assert!((moment(4) - 3.0).abs() < 4.0 * (96.0 / count).sqrt());
    }
}
