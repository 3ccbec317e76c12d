//! Blocks: the operations on ranges of registers (vectors, and matrices column by column).
//!
//! A block reads and writes whole ranges and is described completely by its own data, so that an
//! executor can run it as a loop, unroll it or call a routine. The order of the additions in
//! sums and products is part of the description: all executors give the same bits.
//! Must not know how a register file is stored.

use super::program::Register;
use crate::symbolic::{Binary, Unary};
use std::sync::Arc;

/// Consecutive registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<R = Register> {
    /// The first.
    pub start: R,
    /// How many.
    pub len: usize,
}

/// What a block writes to its range `to`, from its operands a, b, c. Matrices are stored column
/// by column: element (i, j) of one with r rows stands at i + r j. Where the work goes element
/// by element, an operand of one number is used for all elements.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockOperation {
    /// `to[i] = a[i]`
    Copy,
    /// `to[i] = function(a[i])`
    Unary(Unary),
    /// `to[i] = function(a[i], b[i])`
    Binary(Binary),
    /// `to[i] = b[i]` if `a[i]` is not 0, else `c[i]`
    Select,
    /// `to = (a[0] + a[1]) + ...`; 0 when there are none
    Sum,
    /// `to = (a[0] b[0] + a[1] b[1]) + ...`; 0 when there are none
    Dot,
    /// `to[i, j] = (a[i, 0] b[0, j] + a[i, 1] b[1, j]) + ...`; 0 when `inner` is 0
    Product {
        /// Columns of a and rows of b.
        inner: usize,
    },
    /// `to[i, j] = a[j, i]`
    Transpose,
    /// `to[i, j] = a[i] b[j]`
    Outer,
    /// `to[i, j] = a[i, j] b[j]`: a matrix times a diagonal one
    ScaleColumns,
    /// `to[i, j] = a[i, j] b[i]`: a diagonal matrix times another
    ScaleRows,
    /// The inverse of a square matrix by Gauss-Jordan elimination with partial pivoting, step for
    /// step as in `routines::invert`. Overwrites `work`. All NaN when a pivot is 0 or NaN.
    Inverse,
    /// `to[i, i] = a[i]`, 0 elsewhere
    Diagonal,
    /// `to[at[i]] = a[i]`, nothing elsewhere. May read and write the same range.
    ScatterStore(Arc<[u32]>),
    /// `to[at[i]] += a[i]` in order, nothing elsewhere. May read and write the same range.
    ScatterAdd(Arc<[u32]>),
    /// `to[at[i]] = 0`, nothing elsewhere
    Clear(Arc<[u32]>),
}

impl BlockOperation {
    /// How many operands are read.
    #[must_use]
    pub fn arity(&self) -> usize {
        use BlockOperation::*;
        match self {
            Clear(_) => 0,
            Copy | Unary(_) | Sum | Transpose | Inverse | Diagonal | ScatterStore(_)
            | ScatterAdd(_) => 1,
            Binary(_) | Dot | Product { .. } | Outer | ScaleColumns | ScaleRows => 2,
            Select => 3,
        }
    }

    /// True when operand and result may share registers.
    #[must_use]
    pub fn is_scatter(&self) -> bool {
        matches!(
            self,
            BlockOperation::ScatterStore(_) | BlockOperation::ScatterAdd(_)
        )
    }
}

/// An operation on ranges of registers.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<R = Register> {
    /// What is done.
    pub operation: BlockOperation,
    /// Rows of the result; the length of a vector.
    pub rows: usize,
    /// Columns of the result; 1 for a vector.
    pub columns: usize,
    /// Where the result goes.
    pub to: Span<R>,
    /// Overwritten on the way; of length 0 where none is needed.
    pub work: Span<R>,
    /// a, b, c; those beyond the arity are of length 0.
    pub operands: [Span<R>; 3],
}

impl<R: Copy> Block<R> {
    /// The ranges that are read.
    pub fn reads(&self) -> &[Span<R>] {
        self.operands
            .get(..self.operation.arity())
            .unwrap_or_default()
    }

    /// How many elementary operations the block stands for.
    #[must_use]
    pub fn work_count(&self) -> usize {
        match &self.operation {
            BlockOperation::Product { inner } => 2 * self.to.len * inner,
            BlockOperation::Dot => 2 * self.operands[0].len,
            BlockOperation::Sum => self.operands[0].len,
            BlockOperation::Inverse => 2 * self.to.len * self.rows,
            BlockOperation::ScatterAdd(at)
            | BlockOperation::ScatterStore(at)
            | BlockOperation::Clear(at) => at.len(),
            _ => self.to.len,
        }
    }
}
