//! Drafts: programs whose operands are still values, not registers.
//!
//! Enters: operations on values, one after the other. Leaves: two lists of instructions, where
//! each value is written once (a stack: once for each element) before it is read.
//! Must not know expressions.

use super::block::{Block, BlockOperation, Span};
use super::layout::Place;
use super::plan::Phase;
use super::program::{Code, Instruction, Operation};
use crate::symbolic::{Binary, Shape, Unary};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Operations element by element on at most this many elements become scalar instructions, which
/// cost less than setting up a loop.
const UNROLLED: usize = 4;

/// Runs of more registers than this are copied as a block.
const COPIED_ONE_BY_ONE: usize = 8;

/// A number inside a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Virtual {
    pub value: u32,
    pub offset: u32,
}

impl Virtual {
    /// Offsets into the values below are those of the list of constants, of the arguments and of
    /// `out`.
    pub const CONSTANTS: Virtual = Virtual::first_of(0);
    pub const PARAMETERS: Virtual = Virtual::first_of(1);
    pub const TIME: Virtual = Virtual::first_of(2);
    pub const STATE: Virtual = Virtual::first_of(3);
    pub const SLOTS: Virtual = Virtual::first_of(4);
    pub const OUT: Virtual = Virtual::first_of(5);
    /// How many values are there from the start.
    pub const FIXED: usize = 6;

    pub const fn first_of(value: u32) -> Virtual {
        Virtual { value, offset: 0 }
    }

    /// The number `offset` further on. An offset beyond 32 bits saturates; the allocation then
    /// finds the program too large.
    pub fn plus(self, offset: usize) -> Virtual {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Virtual {
            value: self.value,
            offset: self.offset.saturating_add(offset),
        }
    }
}

/// Instructions on values.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub prologue: Code<Virtual>,
    pub body: Code<Virtual>,
    /// Length of each value; 0 for the fixed ones.
    pub lengths: Vec<usize>,
    pub constants: Vec<f64>,
    /// Which parameters, states and slots are read.
    pub parameters: Range<usize>,
    pub state: Range<usize>,
    pub slots: Range<usize>,
    pub out_len: usize,
    constant_places: FxHashMap<u64, usize>,
}

impl Draft {
    pub fn new(out_len: usize) -> Draft {
        Draft {
            lengths: vec![0; Virtual::FIXED],
            out_len,
            ..Draft::default()
        }
    }

    /// A value of this length, not yet written.
    pub fn new_value(&mut self, len: usize) -> Virtual {
        let value = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        self.lengths.push(len);
        Virtual::first_of(value)
    }

    pub fn constant(&mut self, value: f64) -> Virtual {
        let next = self.constants.len();
        let at = *self.constant_places.entry(value.to_bits()).or_insert(next);
        if at == next {
            self.constants.push(value);
        }
        Virtual::CONSTANTS.plus(at)
    }

    /// The argument that starts at this place.
    pub fn input(&mut self, place: Place, len: usize) -> Virtual {
        let (value, offset, reach) = match place {
            Place::Time => return Virtual::TIME,
            Place::Parameter(at) => (Virtual::PARAMETERS, at, &mut self.parameters),
            Place::State(at) => (Virtual::STATE, at, &mut self.state),
            Place::Slot(at) => (Virtual::SLOTS, at, &mut self.slots),
        };
        let end = offset.saturating_add(len);
        if reach.start == reach.end {
            *reach = offset..end;
        } else if len > 0 {
            *reach = reach.start.min(offset)..reach.end.max(end);
        }
        value.plus(offset)
    }

    pub fn code(&mut self, phase: Phase) -> &mut Code<Virtual> {
        match phase {
            Phase::Prologue => &mut self.prologue,
            Phase::Body => &mut self.body,
        }
    }

    pub fn scalar(
        &mut self,
        phase: Phase,
        operation: Operation,
        to: Virtual,
        operands: &[Virtual],
    ) {
        let operand = |index| operands.get(index).or(operands.first()).copied();
        self.code(phase).instructions.push(Instruction {
            operation,
            to,
            operands: [0, 1, 2].map(|index| operand(index).unwrap_or(to)),
        });
    }

    pub fn block(&mut self, phase: Phase, block: Block<Virtual>) {
        let code = self.code(phase);
        code.instructions.push(Instruction {
            operation: Operation::Block,
            to: block.to.start,
            operands: [block.to.start; 3],
        });
        code.blocks.push(block);
    }

    /// A block that writes a whole value of this shape.
    pub fn whole(
        &mut self,
        phase: Phase,
        operation: BlockOperation,
        shape: Shape,
        to: Virtual,
        operands: &[Span<Virtual>],
    ) {
        let none = Span { start: to, len: 0 };
        let work = if operation == BlockOperation::Inverse {
            Span {
                start: self.new_value(shape.len()),
                len: shape.len(),
            }
        } else {
            none
        };
        let block = Block {
            operation,
            rows: shape.rows(),
            columns: shape.columns(),
            to: Span {
                start: to,
                len: shape.len(),
            },
            work,
            operands: [0, 1, 2].map(|index| operands.get(index).copied().unwrap_or(none)),
        };
        self.block(phase, block);
    }

    /// An operation element by element: scalar instructions if few, else a block.
    pub fn each(
        &mut self,
        phase: Phase,
        operation: BlockOperation,
        shape: Shape,
        to: Virtual,
        operands: &[Span<Virtual>],
    ) {
        let scalar = scalar_operation(&operation).filter(|_| shape.len() <= UNROLLED);
        let Some(scalar) = scalar else {
            self.whole(phase, operation, shape, to, operands);
            return;
        };
        for index in 0..shape.len() {
            let mut single = [to; 3];
            for (single, span) in single.iter_mut().zip(operands) {
                *single = span.start.plus(if span.len == 1 { 0 } else { index });
            }
            self.scalar(
                phase,
                scalar,
                to.plus(index),
                single.get(..operands.len()).unwrap_or(&single),
            );
        }
    }

    /// Copies `len` numbers, unless they are where they should be.
    pub fn copy(&mut self, phase: Phase, from: Virtual, to: Virtual, len: usize) {
        if from == to {
            return;
        }
        if len > COPIED_ONE_BY_ONE {
            let span = Span { start: from, len };
            self.whole(phase, BlockOperation::Copy, Shape::Vector(len), to, &[span]);
            return;
        }
        for index in 0..len {
            self.scalar(phase, Operation::Copy, to.plus(index), &[from.plus(index)]);
        }
    }
}

/// The same operation on single numbers.
fn scalar_operation(operation: &BlockOperation) -> Option<Operation> {
    Some(match *operation {
        BlockOperation::Copy => Operation::Copy,
        BlockOperation::Select => Operation::Select,
        BlockOperation::Unary(Unary::Negate) => Operation::Negate,
        BlockOperation::Unary(function) => Operation::Unary(function),
        BlockOperation::Binary(Binary::Add) => Operation::Add,
        BlockOperation::Binary(Binary::Subtract) => Operation::Subtract,
        BlockOperation::Binary(Binary::Multiply) => Operation::Multiply,
        BlockOperation::Binary(Binary::Divide) => Operation::Divide,
        BlockOperation::Binary(function) => Operation::Binary(function),
        _ => return None,
    })
}
