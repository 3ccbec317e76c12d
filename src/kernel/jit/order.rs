//! The order in which machine code computes.
//!
//! Enters: a stretch of instructions, and which registers are wanted after it. Leaves: the same work,
//! each value computed where it is first needed, so that few wait at once: a processor has sixteen
//! registers for numbers, and what does not fit into them is written to memory and read back. The
//! order of the tape is of no use here: it suits the tape's jumps. Must not know Cranelift.

use super::super::program::{Instruction, Register};
use rustc_hash::FxHashMap;

/// Where an operand comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The instruction with this number.
    Computed(usize),
    /// A register that stands in memory when the stretch begins.
    Memory(Register),
}

/// One instruction in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// Its number in the stretch.
    pub number: usize,
    /// Those beyond the arity mean nothing.
    pub operands: [Source; 3],
    /// The register that its result is wanted in after the stretch.
    pub wanted: Option<Register>,
}

/// Orders a stretch by demand: for one wanted register after the other, what it needs and is not
/// there yet. What nothing needs is left out.
pub(super) fn by_demand(
    instructions: &[Instruction],
    is_wanted: impl Fn(Register) -> bool,
) -> Vec<Step> {
    let mut writer: FxHashMap<Register, usize> = FxHashMap::default();
    let mut steps: Vec<Option<Step>> = Vec::with_capacity(instructions.len());
    for (number, instruction) in instructions.iter().enumerate() {
        let operands = instruction.operands.map(|register| {
            let known = writer.get(&register);
            known.map_or(Source::Memory(register), |at| Source::Computed(*at))
        });
        writer.insert(instruction.to, number);
        steps.push(Some(Step {
            number,
            operands,
            wanted: None,
        }));
    }
    let mut roots: Vec<(Register, usize)> = writer.into_iter().collect();
    roots.retain(|(register, _)| is_wanted(*register));
    roots.sort_unstable();
    for (register, number) in &roots {
        if let Some(Some(step)) = steps.get_mut(*number) {
            step.wanted = Some(*register);
        }
    }
    let mut order = Vec::with_capacity(instructions.len());
    // Instructions that wait for their operands, with how many of these have been looked at.
    let mut waiting: Vec<(usize, usize)> = Vec::new();
    for (_, root) in roots {
        waiting.push((root, 0));
        while let Some((number, looked_at)) = waiting.pop() {
            let Some(Some(step)) = steps.get(number) else {
                continue;
            };
            let arity = instructions[number].operation.arity();
            match step.operands[..arity].get(looked_at) {
                Some(operand) => {
                    waiting.push((number, looked_at + 1));
                    if let Source::Computed(needed) = operand {
                        waiting.push((*needed, 0));
                    }
                }
                None => order.extend(steps[number].take()),
            }
        }
    }
    order
}
