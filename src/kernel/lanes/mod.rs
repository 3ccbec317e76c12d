//! Programs for many members at once.
//!
//! ```text
//! plan.rs     a program as steps on numbers that all members share and numbers that each has
//! run.rs      those steps, one loop each; product.rs  matrices times vectors, inverses
//! math.rs     exp, log, pow and normal numbers without branches, with stated errors
//! streams.rs  random numbers, one stream in every lane
//! arithmetic.rs  what methods do with vectors of members
//! level.rs    the widest instructions of the machine
//! ```
//!
//! Enters: a [`Program`] and the arguments of up to [`MOST_CHUNKS`] times [`LANES`] members, number
//! by number: number i of all members stands in `chunks` consecutive [`Chunk`]s. Leaves: the
//! results in the same order. What a member gets depends on its own numbers alone: not on its
//! lane, nor on how many there are, nor on the machine's instructions.
//!
//! The bits are those of the tape, but that exponentials, logarithms and powers come from
//! [`math`] where they belong to members. Must not know solvers.

pub mod arithmetic;
pub mod level;
pub mod math;
mod plan;
mod product;
mod run;
pub mod streams;
#[cfg(test)]
pub(super) mod tests;

pub use streams::LaneStreams;

use super::program::{Input, Program};
use super::{Parameters, Scratch, Tape};
use level::Level;
use plan::{Place, Plan};
use std::sync::Arc;

/// Lanes of a chunk.
pub const LANES: usize = 8;
/// The most chunks of one call.
pub const MOST_CHUNKS: usize = 8;

/// Bytes of registers that stay in the first-level cache beside what callers have there.
const NEAR: usize = 32 << 10;

/// One number of each of eight members.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub struct Chunk(pub [f64; LANES]);

impl Chunk {
    /// The same number for all.
    #[inline(always)]
    #[must_use]
    pub const fn splat(number: f64) -> Chunk {
        Chunk([number; LANES])
    }
}

/// Registers that members have for themselves, and how many chunks each takes.
#[derive(Debug, Clone, Default)]
struct File {
    chunks: usize,
    many: Vec<Chunk>,
}

impl File {
    fn new(plan: &Plan, chunks: usize) -> File {
        let chunks = chunks.clamp(1, MOST_CHUNKS);
        File {
            chunks,
            many: vec![Chunk::splat(0.0); plan.varying * chunks],
        }
    }

    /// Takes in the part of an argument that is read.
    #[inline]
    fn put(&mut self, input: &Input, first: usize, argument: &[Chunk]) {
        let chunks = self.chunks;
        let len = input.source.len() * chunks;
        self.many[first * chunks..][..len]
            .copy_from_slice(&argument[input.source.start * chunks..][..len]);
    }

    fn take(&self, plan: &Plan, one: &[f64], out: &mut [Chunk]) {
        let chunks = self.chunks;
        for (out, place) in out.chunks_exact_mut(chunks).zip(&plan.out) {
            match *place {
                Place::One(register) => out.fill(Chunk::splat(one[register as usize])),
                Place::Many(at) => {
                    out.copy_from_slice(&self.many[at as usize * chunks..][..chunks]);
                }
            }
        }
    }
}

/// A function of members that share time and parameters: paths of one model.
#[derive(Debug, Clone)]
pub struct SharedLanes {
    tape: Tape,
    program: Arc<Program>,
    plan: Plan,
    level: Level,
}

/// Working space of a [`SharedLanes`] on one thread.
#[derive(Debug, Clone)]
pub struct SharedScratch {
    scalars: Scratch,
    file: File,
}

impl SharedLanes {
    /// The function that this program computes.
    #[must_use]
    pub fn new(program: &Arc<Program>) -> SharedLanes {
        SharedLanes {
            tape: Tape::new(Arc::clone(program)),
            program: Arc::clone(program),
            plan: Plan::shared(program),
            level: Level::detect(),
        }
    }

    /// The same by the instructions of this level.
    #[must_use]
    pub fn at(mut self, level: Level) -> SharedLanes {
        self.level = level;
        self
    }

    /// How many chunks of members stay near the processor together, at least 1: more would be
    /// slower, fewer would not use what is there.
    #[must_use]
    pub fn fitting_chunks(&self) -> usize {
        (NEAR / (self.plan.varying.max(1) * size_of::<Chunk>())).clamp(1, MOST_CHUNKS)
    }

    /// Working space for so many chunks, from 1 to [`MOST_CHUNKS`].
    #[must_use]
    pub fn scratch(&self, chunks: usize) -> SharedScratch {
        SharedScratch {
            scalars: Scratch::new(),
            file: File::new(&self.plan, chunks),
        }
    }

    /// Computes the function for all members into `out`.
    ///
    /// # Panics
    /// When an argument is shorter than the function reads, for the chunks of the scratch.
    pub fn call(
        &self,
        t: f64,
        state: &[Chunk],
        parameters: &Parameters,
        slots: &[Chunk],
        out: &mut [Chunk],
        scratch: &mut SharedScratch,
    ) {
        let SharedScratch { scalars, file } = scratch;
        let one = self.tape.prepare(parameters, scalars);
        one[self.program.time] = t;
        file.put(&self.program.state, self.plan.state, state);
        file.put(&self.program.slots, self.plan.slots, slots);
        run::run(
            self.level,
            &self.plan.body,
            one,
            &mut file.many,
            file.chunks,
        );
        file.take(&self.plan, one, out);
    }
}

/// A function of members each of which has its own time and parameters: those of a sweep.
#[derive(Debug, Clone)]
pub struct SeparateLanes {
    program: Arc<Program>,
    plan: Plan,
    level: Level,
}

/// Working space of a [`SeparateLanes`] on one thread, with the members' parameters.
#[derive(Debug, Clone)]
pub struct SeparateScratch {
    one: Vec<f64>,
    file: File,
    /// Whether the prologue is still to be run.
    changed: bool,
}

impl SeparateLanes {
    /// The function that this program computes.
    #[must_use]
    pub fn new(program: &Arc<Program>) -> SeparateLanes {
        SeparateLanes {
            program: Arc::clone(program),
            plan: Plan::separate(program),
            level: Level::detect(),
        }
    }

    /// The same by the instructions of this level.
    #[must_use]
    pub fn at(mut self, level: Level) -> SeparateLanes {
        self.level = level;
        self
    }

    /// Working space for so many chunks, from 1 to [`MOST_CHUNKS`]; all parameters are zero.
    #[must_use]
    pub fn scratch(&self, chunks: usize) -> SeparateScratch {
        let mut one = self.program.constants.clone();
        one.resize(self.program.registers, 0.0);
        SeparateScratch {
            one,
            file: File::new(&self.plan, chunks),
            changed: true,
        }
    }

    /// Gives a member its parameters.
    ///
    /// # Panics
    /// When there are fewer than the function reads, or no such lane.
    pub fn set_parameters(&self, lane: usize, parameters: &[f64], scratch: &mut SeparateScratch) {
        let chunks = scratch.file.chunks;
        let read = &parameters[self.program.parameters.source.clone()];
        let registers = scratch.file.many[self.plan.parameters * chunks..].chunks_exact_mut(chunks);
        for (register, value) in registers.zip(read) {
            register[lane / LANES].0[lane % LANES] = *value;
        }
        scratch.changed = true;
    }

    /// Computes the function for all members, at times of their own, into `out`.
    ///
    /// # Panics
    /// When an argument is shorter than the function reads, for the chunks of the scratch.
    pub fn call(
        &self,
        t: &[Chunk],
        state: &[Chunk],
        slots: &[Chunk],
        out: &mut [Chunk],
        scratch: &mut SeparateScratch,
    ) {
        let SeparateScratch { one, file, changed } = scratch;
        if std::mem::take(changed) {
            let prologue = &self.plan.prologue;
            run::run(self.level, prologue, one, &mut file.many, file.chunks);
        }
        let chunks = file.chunks;
        file.many[self.plan.time * chunks..][..chunks].copy_from_slice(&t[..chunks]);
        file.put(&self.program.state, self.plan.state, state);
        file.put(&self.program.slots, self.plan.slots, slots);
        run::run(self.level, &self.plan.body, one, &mut file.many, chunks);
        file.take(&self.plan, one, out);
    }
}
