//! Streams of random numbers, one in every lane.
//!
//! Enters: a seed and the numbers of paths. Leaves: in each lane the numbers that
//! [`Stream::normals`] gives that path, bit for bit.

use super::level::{Level, in_lanes};
use super::{Chunk, LANES, MOST_CHUNKS};
use crate::kernel::lanes::math::normal_pair;
use crate::kernel::random::{Stream, to_uniform};

/// The most lanes there are.
const MOST: usize = LANES * MOST_CHUNKS;

/// Streams beside each other.
#[derive(Debug, Clone)]
pub struct LaneStreams {
    level: Level,
    generators: Box<Generators>,
}

/// The words of the generators, and the pair of numbers drawn last.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Generators {
    words: [[u64; MOST]; 4],
    first: [f64; MOST],
    second: [f64; MOST],
    chunks: usize,
}

impl LaneStreams {
    /// The streams of these paths of a seed, at most eight for each of `chunks`. Lanes for which
    /// there is no path get the numbers of some other.
    ///
    /// # Panics
    /// When `chunks` exceeds [`MOST_CHUNKS`].
    #[must_use]
    pub fn new(seed: u64, paths: impl IntoIterator<Item = u64>, chunks: usize) -> LaneStreams {
        assert!(chunks <= MOST_CHUNKS, "more chunks than there can be");
        let mut generators = Box::new(Generators {
            words: [[1; MOST]; 4],
            first: [0.0; MOST],
            second: [0.0; MOST],
            chunks,
        });
        for (lane, path) in paths.into_iter().take(LANES * chunks).enumerate() {
            for (words, word) in generators
                .words
                .iter_mut()
                .zip(Stream::new(seed, path).words())
            {
                words[lane] = word;
            }
        }
        LaneStreams {
            level: Level::detect(),
            generators,
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
        fill(self.level, &mut self.generators, out);
    }
}

in_lanes! {
    fn fill(generators: &mut Generators, out: &mut [Chunk]) = fill_inner
}

#[inline(always)]
fn fill_inner(generators: &mut Generators, out: &mut [Chunk]) {
    let chunks = generators.chunks.clamp(1, MOST_CHUNKS);
    for pair in out.chunks_mut(2 * chunks) {
        draw(generators, chunks);
        let (first, second) = pair.split_at_mut(chunks.min(pair.len()));
        copy(&generators.first, first);
        copy(&generators.second, second);
    }
}

#[inline(always)]
fn copy(from: &[f64; MOST], to: &mut [Chunk]) {
    for (to, from) in to.iter_mut().zip(from.as_chunks::<LANES>().0) {
        to.0 = *from;
    }
}

/// A pair of normal numbers in all lanes: two steps of xoshiro256++ and what is made of them, as
/// in [`Stream::normals`].
#[inline(always)]
fn draw(generators: &mut Generators, chunks: usize) {
    let [w0, w1, w2, w3] = &mut generators.words;
    for lane in 0..LANES * chunks {
        let mut words = [w0[lane], w1[lane], w2[lane], w3[lane]];
        let radius = to_uniform(crate::kernel::random::step(&mut words));
        let angle = to_uniform(crate::kernel::random::step(&mut words));
        [w0[lane], w1[lane], w2[lane], w3[lane]] = words;
        let (first, second) = normal_pair(radius, angle);
        generators.first[lane] = first;
        generators.second[lane] = second;
    }
}
