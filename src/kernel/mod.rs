//! Compiled evaluation of expressions.
//!
//! Enters: expressions, the places of their symbols and the places of the results. Leaves:
//! immutable functions over plain slices, shared between threads. There is one lowering, to a
//! [`Program`], and executors that run programs; all of them give the same bits. Must not know
//! names or solvers.
//!
//! An `if` computes both branches and takes one, so that programs have no jumps. A NaN in the
//! branch not taken does not reach the result.

#[cfg(feature = "jit")]
mod adaptive;
mod allocate;
mod block;
mod draft;
#[cfg(feature = "jit")]
mod jit;
pub mod lanes;
mod layout;
mod listing;
mod lower;
mod outputs;
mod plan;
mod program;
mod random;
mod routines;
mod schedule;
mod scratch;
mod set;
mod statistics;
mod tape;
#[cfg(test)]
mod tests;

#[cfg(feature = "jit")]
pub use adaptive::Adaptive;
pub use block::{Block, BlockOperation, Span};
#[cfg(feature = "jit")]
pub use jit::Jit;
pub use layout::{Layout, LowerError, Output, Place};
pub use lower::lower;
pub use program::{Code, Input, Instruction, Operation, Program, Register};
pub use random::Stream;
pub use scratch::{Parameters, Scratch};
pub use set::{CompiledScheme, Kernels, SharedKernel};
pub use statistics::Statistics;
pub use tape::Tape;

use std::fmt;
use std::sync::Arc;

/// A compiled function f(t, state, parameters, slots), whoever executes it.
pub trait Kernel: Send + Sync + fmt::Debug {
    /// Computes the function at this point into `out`, which must be [`Kernel::out_len`] long.
    /// Numbers that are not finite are written as they come. Arguments may be longer than the
    /// function reads. What parameters alone determine is kept in `scratch` until a call with
    /// other [`Parameters`].
    ///
    /// # Panics
    /// When `out` has another length or an argument is shorter than the function reads.
    fn call(
        &self,
        t: f64,
        state: &[f64],
        parameters: &Parameters,
        slots: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    );

    /// The program that is executed.
    fn program(&self) -> &Arc<Program>;

    /// How many numbers a call writes.
    fn out_len(&self) -> usize {
        self.program().out_len()
    }

    /// How much there is to do.
    fn statistics(&self) -> Statistics {
        self.program().statistics()
    }
}
