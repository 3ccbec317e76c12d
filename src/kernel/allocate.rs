//! Registers for values.
//!
//! Enters: a draft. Leaves: a program in which each value has registers of its own from the
//! instruction that first writes it to the one that last reads it, after which they serve again.
//! Values that the body takes from the prologue keep theirs for good, as `out` does.
//!
//! A scalar instruction may write over its operands. A block may not (see `Block`), so the
//! operands of a block are given back only after its result has found a place.

use super::block::{Block, Span};
use super::draft::{Draft, Virtual};
use super::layout::LowerError;
use super::program::{Code, Input, Instruction, Operation, Program, Register};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Stands for no register and for no end of life.
const NEVER: u32 = u32::MAX;

/// Gives every value its registers.
///
/// # Errors
/// `TooLarge` when they cannot be counted in 32 bits.
pub(super) fn allocate(draft: Draft) -> Result<Program, LowerError> {
    let mut next = draft.constants.len();
    let mut place = |source: &Range<usize>| {
        let register = next;
        next += source.len();
        Input {
            source: source.clone(),
            register,
        }
    };
    let parameters = place(&draft.parameters);
    let time = place(&(0..1)).register;
    let state = place(&draft.state);
    let slots = place(&draft.slots);
    let out = place(&(0..draft.out_len)).registers();
    let starts = [
        0,
        parameters.register,
        time,
        state.register,
        slots.register,
        out.start,
    ];
    let mut allocator = Allocator {
        at: vec![NEVER; draft.lengths.len()],
        last: last_uses(&draft),
        lengths: &draft.lengths,
        starts,
        // An argument is there from the first number that is read on.
        skipped: [
            0,
            draft.parameters.start,
            0,
            draft.state.start,
            draft.slots.start,
            0,
        ],
        free: FxHashMap::default(),
        free_singles: Vec::new(),
        top: out.end,
        now: 0,
    };
    let prologue = allocator.code(&draft.prologue);
    let body = allocator.code(&draft.body);
    let registers = allocator.top;
    if registers >= NEVER as usize {
        return Err(LowerError::TooLarge);
    }
    let program = Program {
        id: Program::new_id(),
        parameters,
        time,
        state,
        slots,
        out,
        registers,
        prologue,
        body,
        constants: draft.constants,
    };
    debug_assert!(program.is_sound());
    Ok(program)
}

/// For each value, the instruction after which nothing reads it; `NEVER` for the fixed values and
/// for those that the body takes from the prologue. Instructions of prologue and body are counted
/// as one list.
fn last_uses(draft: &Draft) -> Vec<u32> {
    let mut last = vec![0; draft.lengths.len()];
    let mut now = 0;
    for code in [&draft.prologue, &draft.body] {
        let is_body = std::ptr::eq(code, &raw const draft.body);
        let start = now;
        let mut blocks = code.blocks.iter();
        for instruction in &code.instructions {
            now += 1;
            let mut note = |place: Virtual| {
                if let Some(last) = last.get_mut(place.value as usize) {
                    let kept = is_body && *last != 0 && *last <= start;
                    *last = if kept || *last == NEVER { NEVER } else { now };
                }
            };
            match instruction.operation {
                Operation::Block => {
                    if let Some(block) = blocks.next() {
                        block.reads().iter().for_each(|span| note(span.start));
                        note(block.to.start);
                        note(block.work.start);
                    }
                }
                _ => {
                    instruction.reads().iter().for_each(|place| note(*place));
                    note(instruction.to);
                }
            }
        }
    }
    last.iter_mut()
        .take(Virtual::FIXED)
        .for_each(|last| *last = NEVER);
    last
}

struct Allocator<'a> {
    /// First register of each value that has some.
    at: Vec<u32>,
    last: Vec<u32>,
    lengths: &'a [usize],
    /// First registers of the fixed values, and how many of their numbers have none.
    starts: [usize; Virtual::FIXED],
    skipped: [usize; Virtual::FIXED],
    /// First registers of ranges that are free, by length.
    free: FxHashMap<usize, Vec<u32>>,
    free_singles: Vec<u32>,
    top: usize,
    /// Number of the present instruction, from 1.
    now: u32,
}

impl Allocator<'_> {
    fn code(&mut self, code: &Code<Virtual>) -> Code {
        let mut blocks = Vec::with_capacity(code.blocks.len());
        let mut pending = code.blocks.iter();
        let instructions = code
            .instructions
            .iter()
            .map(|instruction| {
                self.now += 1;
                match instruction.operation {
                    Operation::Block => {
                        blocks.extend(pending.next().map(|block| self.block(block)));
                        Instruction {
                            operation: Operation::Block,
                            to: Register(0),
                            operands: [Register(0); 3],
                        }
                    }
                    _ => self.scalar(instruction),
                }
            })
            .collect();
        Code {
            instructions,
            blocks,
        }
    }

    fn scalar(&mut self, instruction: &Instruction<Virtual>) -> Instruction {
        let reads = instruction.reads();
        let first = reads.first().map(|place| self.register(*place));
        let mut operands = [first.unwrap_or(Register(0)); 3];
        for (operand, place) in operands.iter_mut().zip(reads) {
            *operand = self.register(*place);
        }
        reads.iter().for_each(|place| self.release(*place));
        let to = self.register(instruction.to);
        self.release(instruction.to);
        Instruction {
            operation: instruction.operation,
            to,
            operands,
        }
    }

    fn block(&mut self, block: &Block<Virtual>) -> Block {
        let result = Block {
            operation: block.operation.clone(),
            rows: block.rows,
            columns: block.columns,
            to: self.span(block.to),
            work: self.span(block.work),
            operands: block.operands.map(|span| self.span(span)),
        };
        for span in block.reads() {
            self.release(span.start);
        }
        self.release(block.to.start);
        self.release(block.work.start);
        result
    }

    fn span(&mut self, span: Span<Virtual>) -> Span {
        let start = if span.len == 0 {
            Register(0)
        } else {
            self.register(span.start)
        };
        Span {
            start,
            len: span.len,
        }
    }

    /// The register of a number; its value is given registers if it has none.
    fn register(&mut self, place: Virtual) -> Register {
        let value = place.value as usize;
        let offset = place.offset as usize;
        if let (Some(start), Some(skipped)) = (self.starts.get(value), self.skipped.get(value)) {
            return Register(count(start + offset - skipped));
        }
        if self.at[value] == NEVER {
            self.at[value] = self.take(self.lengths[value]);
        }
        Register(self.at[value].saturating_add(place.offset))
    }

    fn take(&mut self, len: usize) -> u32 {
        let free = if len == 1 {
            self.free_singles.pop()
        } else {
            self.free.get_mut(&len).and_then(Vec::pop)
        };
        free.unwrap_or_else(|| {
            let start = count(self.top);
            self.top += len;
            start
        })
    }

    /// Gives back the registers of a value if this instruction is its last.
    fn release(&mut self, place: Virtual) {
        let value = place.value as usize;
        let start = self.at[value];
        if self.last[value] != self.now || start == NEVER {
            return;
        }
        // Marks it as given back, for instructions that name a value twice.
        self.at[value] = NEVER;
        match self.lengths[value] {
            1 => self.free_singles.push(start),
            len => self.free.entry(len).or_default().push(start),
        }
    }
}

fn count(register: usize) -> u32 {
    u32::try_from(register).unwrap_or(u32::MAX)
}
