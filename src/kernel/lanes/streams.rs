//! Streams of random numbers, one in every lane.
//!
//! Enters: a seed and the numbers of paths. Leaves: in each lane the numbers that
//! [`Stream::normals`] gives that path, bit for bit.

use super::level::{Level, in_lanes};
use super::{Chunk, LANES, MOST_CHUNKS};
use crate::kernel::lanes::math::normal_pair;
use crate::kernel::random::{Stream, to_uniform};

/// Streams beside each other.
#[derive(Debug, Clone)]
pub struct LaneStreams {
    level: Level,
    chunks: Vec<Generators>,
}

/// The words of eight generators.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Generators([[u64; LANES]; 4]);

impl LaneStreams {
    /// The streams of these paths of a seed, at most eight for each of `chunks`. Lanes for which
    /// there is no path get the numbers of some other.
    ///
    /// # Panics
    /// When `chunks` exceeds [`MOST_CHUNKS`].
    #[must_use]
    pub fn new(seed: u64, paths: impl IntoIterator<Item = u64>, chunks: usize) -> LaneStreams {
        assert!(chunks <= MOST_CHUNKS, "more chunks than there can be");
        let mut generators = vec![Generators([[1; LANES]; 4]); chunks];
        for (at, path) in paths.into_iter().take(LANES * chunks).enumerate() {
            let Generators(words) = &mut generators[at / LANES];
            for (words, word) in words.iter_mut().zip(Stream::new(seed, path).words()) {
                words[at % LANES] = word;
            }
        }
        LaneStreams {
            level: Level::detect(),
            chunks: generators,
        }
    }

    /// The same by the instructions of this level.
    #[must_use]
    pub fn at(mut self, level: Level) -> LaneStreams {
        self.level = level;
        self
    }

    /// Fills `out` with independent standard normal numbers: number j of all lanes stands in the
    /// `chunks` chunks from `j * chunks` on. Of the last pair the second is dropped when there is
    /// an odd number of them, as in [`Stream::normals`].
    pub fn normals(&mut self, out: &mut [Chunk]) {
        fill(self.level, &mut self.chunks, out);
    }
}

in_lanes! {
    fn fill(generators: &mut [Generators], out: &mut [Chunk]) = fill_inner
}

#[inline(always)]
fn fill_inner(generators: &mut [Generators], out: &mut [Chunk]) {
    let chunks = generators.len().max(1);
    for pair in out.chunks_mut(2 * chunks) {
        let (first, second) = pair.split_at_mut(chunks.min(pair.len()));
        let mut second = second.iter_mut();
        for (generators, first) in generators.iter_mut().zip(first) {
            let (one, other) = draw(generators);
            *first = one;
            if let Some(second) = second.next() {
                *second = other;
            }
        }
    }
}

/// A pair of normal numbers in eight lanes: two steps of xoshiro256++ and what is made of them, as
/// in [`Stream::normals`]. A loop of a known length leaves no lane to be done by itself.
#[inline(always)]
fn draw(Generators([w0, w1, w2, w3]): &mut Generators) -> (Chunk, Chunk) {
    let (mut firsts, mut seconds) = (Chunk::splat(0.0), Chunk::splat(0.0));
    for lane in 0..LANES {
        let mut words = [w0[lane], w1[lane], w2[lane], w3[lane]];
        let radius = to_uniform(crate::kernel::random::step(&mut words));
        let angle = to_uniform(crate::kernel::random::step(&mut words));
        [w0[lane], w1[lane], w2[lane], w3[lane]] = words;
        (firsts.0[lane], seconds.0[lane]) = normal_pair(radius, angle);
    }
    (firsts, seconds)
}
