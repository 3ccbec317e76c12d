//! Programs: what the lowering leaves and every executor runs.
//!
//! A program works on a register file, a flat array of numbers laid out as
//!
//! ```text
//! constants | parameters | time | state | slots | out | temporaries
//! ```
//!
//! It has a prologue, which depends on constants and parameters only and is run when the
//! parameters changed, and a body, run at each call. The body never writes a register that it
//! takes from the prologue. Both are straight lines: no instruction jumps.
//!
//! Invariants (see [`Program::is_sound`]): every register lies in the file; no instruction
//! writes constants, parameters, time, state or slots; the registers that a block writes are not
//! among those it reads, except in a scatter. Must not know expressions or layouts.

use super::block::{Block, BlockOperation, Span};
use crate::symbolic::{Binary, Unary};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// An index into the register file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(pub u32);

impl Register {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a scalar instruction does with its operands a, b, c. Each of the two-step operations
/// rounds twice, exactly as its two steps would: nothing is fused in the sense of `mul_add`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// a
    Copy,
    /// -a
    Negate,
    /// a + b
    Add,
    /// a - b
    Subtract,
    /// a * b
    Multiply,
    /// a / b
    Divide,
    /// (a * b) * c
    MultiplyMultiply,
    /// (a * b) + c
    MultiplyAdd,
    /// (a * b) - c
    MultiplySubtract,
    /// c - (a * b)
    SubtractProduct,
    /// (a + b) + c
    AddAdd,
    /// (a + b) - c
    AddSubtract,
    /// (a - b) + c
    SubtractAdd,
    /// (a - b) - c
    SubtractSubtract,
    /// (a + b) * c
    AddMultiply,
    /// (a - b) * c
    SubtractMultiply,
    /// `b` if `a` is not 0, else `c`. Both were computed; the one not taken leaves no trace.
    Select,
    /// A function of a.
    Unary(Unary),
    /// A function of a and b.
    Binary(Binary),
    /// The next of the blocks that belong to this list of instructions. Has no operands.
    Block,
}

impl Operation {
    /// How many of the operands are read.
    #[must_use]
    pub fn arity(self) -> usize {
        use Operation::*;
        match self {
            Block => 0,
            Copy | Negate | Unary(_) => 1,
            Add | Subtract | Multiply | Divide | Binary(_) => 2,
            MultiplyMultiply | MultiplyAdd | MultiplySubtract | SubtractProduct | AddAdd
            | AddSubtract | SubtractAdd | SubtractSubtract | AddMultiply | SubtractMultiply
            | Select => 3,
        }
    }
}

/// One step of a program: `to = operation(operands)`. Operands beyond the arity repeat the first
/// (or `to`) and mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction<R = Register> {
    /// What is done.
    pub operation: Operation,
    /// Where the result goes.
    pub to: R,
    /// a, b, c.
    pub operands: [R; 3],
}

impl<R: Copy> Instruction<R> {
    /// The operands that are read.
    pub fn reads(&self) -> &[R] {
        self.operands
            .get(..self.operation.arity())
            .unwrap_or_default()
    }
}

/// Instructions with the blocks they refer to, in the order in which both are run.
#[derive(Debug, Clone, PartialEq)]
pub struct Code<R = Register> {
    /// Run one after the other.
    pub instructions: Vec<Instruction<R>>,
    /// The k-th `Operation::Block` runs the k-th of these.
    pub blocks: Vec<Block<R>>,
}

impl<R> Default for Code<R> {
    fn default() -> Self {
        Code {
            instructions: Vec::new(),
            blocks: Vec::new(),
        }
    }
}

/// A part of an argument and where it stands in the register file. Only the range that the
/// program reads is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Which numbers of the argument.
    pub source: Range<usize>,
    /// Register of the first.
    pub register: usize,
}

impl Input {
    /// The registers that hold it.
    #[must_use]
    pub fn registers(&self) -> Range<usize> {
        self.register..self.register + self.source.len()
    }
}

/// A compiled function, ready for an executor. Immutable.
#[derive(Debug)]
pub struct Program {
    pub(super) id: u64,
    pub(super) constants: Vec<f64>,
    pub(super) parameters: Input,
    pub(super) time: usize,
    pub(super) state: Input,
    pub(super) slots: Input,
    pub(super) out: Range<usize>,
    pub(super) registers: usize,
    pub(super) prologue: Code,
    pub(super) body: Code,
}

impl Program {
    /// A number that no other program of this process has.
    pub(super) fn new_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// How many numbers a call writes.
    #[must_use]
    pub fn out_len(&self) -> usize {
        self.out.len()
    }

    /// Length of the register file.
    #[must_use]
    pub fn registers(&self) -> usize {
        self.registers
    }

    /// The constants; they fill the first registers.
    #[must_use]
    pub fn constants(&self) -> &[f64] {
        &self.constants
    }

    /// The parameters that are read, and their registers.
    #[must_use]
    pub fn parameters(&self) -> &Input {
        &self.parameters
    }

    /// The register of the time.
    #[must_use]
    pub fn time(&self) -> Register {
        Register(u32::try_from(self.time).unwrap_or(u32::MAX))
    }

    /// The part of the state that is read, and its registers.
    #[must_use]
    pub fn state(&self) -> &Input {
        &self.state
    }

    /// The slots that are read, and their registers.
    #[must_use]
    pub fn slots(&self) -> &Input {
        &self.slots
    }

    /// The registers of the results.
    #[must_use]
    pub fn out(&self) -> Range<usize> {
        self.out.clone()
    }

    /// What is run when the parameters changed.
    #[must_use]
    pub fn prologue(&self) -> &Code {
        &self.prologue
    }

    /// What is run at each call.
    #[must_use]
    pub fn body(&self) -> &Code {
        &self.body
    }

    /// True when the invariants at the head of this file hold. The lowering only leaves sound
    /// programs; an executor that drops bounds checks asks again.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.code_is_sound(&self.prologue) && self.code_is_sound(&self.body)
    }

    fn code_is_sound(&self, code: &Code) -> bool {
        let writable = self.out.start..self.registers;
        let announced = code
            .instructions
            .iter()
            .filter(|instruction| instruction.operation == Operation::Block)
            .count();
        let scalars = code
            .instructions
            .iter()
            .filter(|instruction| instruction.operation != Operation::Block)
            .all(|instruction| {
                let read = |register: &Register| register.index() < self.registers;
                writable.contains(&instruction.to.index()) && instruction.operands.iter().all(read)
            });
        let blocks = code.blocks.iter().all(|block| self.block_is_sound(block));
        scalars && blocks && announced == code.blocks.len()
    }

    fn block_is_sound(&self, block: &Block) -> bool {
        let range = |span: &Span| span.start.index()..span.start.index() + span.len;
        let apart = |read: &Range<usize>, write: &Range<usize>| {
            read.end <= write.start || write.end <= read.start
        };
        let scattered = match &block.operation {
            BlockOperation::ScatterAdd(at)
            | BlockOperation::ScatterStore(at)
            | BlockOperation::Clear(at) => at.iter().all(|&at| (at as usize) < block.to.len),
            _ => true,
        };
        scattered
            && block
                .reads()
                .iter()
                .all(|span| range(span).end <= self.registers)
            && [block.to, block.work].iter().all(|written| {
                let written = range(written);
                written.is_empty()
                    || self.out.start <= written.start
                        && written.end <= self.registers
                        && (block.operation.is_scatter()
                            || block
                                .reads()
                                .iter()
                                .all(|read| apart(&range(read), &written)))
            })
    }
}
