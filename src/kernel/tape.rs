//! The tape: runs a program instruction by instruction.
//!
//! Enters: a program and the arguments of a call. Leaves: the results, bit for bit those of
//! every other executor. One pass over a flat list with a jump table; compact instructions and
//! a register file that is small thanks to reuse keep both in the first-level cache.

use super::Kernel;
use super::block::Block;
use super::program::{Code, Instruction, Operation, Program};
use super::routines;
use super::scratch::{Parameters, Scratch};
use std::sync::Arc;

/// The executor that is always there and needs no preparation.
#[derive(Debug, Clone)]
pub struct Tape {
    program: Arc<Program>,
}

impl Tape {
    /// An executor of this program.
    #[must_use]
    pub fn new(program: impl Into<Arc<Program>>) -> Tape {
        Tape {
            program: program.into(),
        }
    }
}

impl Tape {
    /// The register file with everything in place that parameters determine.
    #[inline]
    pub(super) fn prepare<'f>(
        &self,
        parameters: &Parameters,
        scratch: &'f mut Scratch,
    ) -> &'f mut [f64] {
        let program = &*self.program;
        scratch.prepare(program, parameters, |file| run(&program.prologue, file))
    }
}

impl Kernel for Tape {
    fn program(&self) -> &Arc<Program> {
        &self.program
    }

    fn call(
        &self,
        t: f64,
        state: &[f64],
        parameters: &Parameters,
        slots: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) {
        let program = &*self.program;
        let file = self.prepare(parameters, scratch);
        file[program.time] = t;
        copy(
            &mut file[program.state.registers()],
            &state[program.state.source.clone()],
        );
        if !program.slots.source.is_empty() {
            file[program.slots.registers()].copy_from_slice(&slots[program.slots.source.clone()]);
        }
        run(&program.body, file);
        copy(out, &file[program.out.clone()]);
    }
}

/// Copies numbers; for a few of them without the call that copying costs.
#[inline(always)]
fn copy(to: &mut [f64], from: &[f64]) {
    match (&mut *to, from) {
        ([a], [x]) => *a = *x,
        ([a, b], [x, y]) => (*a, *b) = (*x, *y),
        ([a, b, c], [x, y, z]) => (*a, *b, *c) = (*x, *y, *z),
        ([a, b, c, d], [x, y, z, w]) => (*a, *b, *c, *d) = (*x, *y, *z, *w),
        _ => to.copy_from_slice(from),
    }
}

/// Runs all instructions in order.
fn run(code: &Code, file: &mut [f64]) {
    let mut blocks = code.blocks.iter();
    for instruction in &code.instructions {
        if instruction.operation == Operation::Block {
            run_next(&mut blocks, file);
            continue;
        }
        let value = evaluate(instruction, file);
        file[instruction.to.index()] = value;
    }
}

#[cold]
#[inline(never)]
fn run_next<'a>(blocks: &mut impl Iterator<Item = &'a Block>, file: &mut [f64]) {
    if let Some(block) = blocks.next() {
        routines::run(block, file);
    }
}

#[inline(always)]
fn evaluate(instruction: &Instruction, file: &[f64]) -> f64 {
    let [a, b, c] = instruction.operands;
    let a = || file[a.index()];
    let b = || file[b.index()];
    let c = || file[c.index()];
    match instruction.operation {
        Operation::Copy => a(),
        Operation::Negate => -a(),
        Operation::Add => a() + b(),
        Operation::Subtract => a() - b(),
        Operation::Multiply => a() * b(),
        Operation::Divide => a() / b(),
        Operation::MultiplyMultiply => a() * b() * c(),
        Operation::MultiplyAdd => a() * b() + c(),
        Operation::MultiplySubtract => a() * b() - c(),
        Operation::SubtractProduct => c() - a() * b(),
        Operation::AddAdd => a() + b() + c(),
        Operation::AddSubtract => a() + b() - c(),
        Operation::SubtractAdd => a() - b() + c(),
        Operation::SubtractSubtract => a() - b() - c(),
        Operation::AddMultiply => (a() + b()) * c(),
        Operation::SubtractMultiply => (a() - b()) * c(),
        Operation::Select => {
            if a() != 0.0 {
                b()
            } else {
                c()
            }
        }
        Operation::Unary(function) => function.apply(a()),
        Operation::Binary(function) => function.apply(a(), b()),
        Operation::Block => 0.0,
    }
}
