//! What a program consists of, in numbers.
//!
//! Enters: a program. Leaves: counts that tests can hold still and people can compare.

use super::block::BlockOperation;
use super::program::{Code, Operation, Program};
use std::collections::BTreeMap;
use std::fmt;

/// Counts of what a program does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Length of the register file.
    pub registers: usize,
    /// Distinct constants.
    pub constants: usize,
    /// Instructions and blocks that are run when parameters change.
    pub prologue: usize,
    /// Instructions and blocks that are run at each call.
    pub body: usize,
    /// Elementary operations of a call: instructions by the number of their steps, blocks by
    /// their elements.
    pub elementary: usize,
    /// Instructions and blocks of prologue and body by what they do.
    pub by_kind: BTreeMap<String, usize>,
}

impl Program {
    /// Counts what the program does.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let mut by_kind = BTreeMap::new();
        for code in [self.prologue(), self.body()] {
            let scalars = code
                .instructions
                .iter()
                .filter(|instruction| instruction.operation != Operation::Block)
                .map(|instruction| format!("{:?}", instruction.operation));
            let blocks = code.blocks.iter().map(|block| block_name(&block.operation));
            for kind in scalars.chain(blocks) {
                *by_kind.entry(kind).or_insert(0) += 1;
            }
        }
        Statistics {
            registers: self.registers(),
            constants: self.constants().len(),
            prologue: self.prologue().instructions.len(),
            body: self.body().instructions.len(),
            elementary: elementary(self.body()),
            by_kind,
        }
    }
}

fn elementary(code: &Code) -> usize {
    use Operation::*;
    let scalar = |operation: Operation| match operation {
        Copy | Block => 0,
        MultiplyMultiply | MultiplyAdd | MultiplySubtract | SubtractProduct | AddAdd
        | AddSubtract | SubtractAdd | SubtractSubtract | AddMultiply | SubtractMultiply => 2,
        _ => 1,
    };
    let scalars = code.instructions.iter().map(|step| scalar(step.operation));
    let blocks = code.blocks.iter().map(super::Block::work_count);
    scalars.sum::<usize>() + blocks.sum::<usize>()
}

/// The name of a block's operation, without its data.
pub(super) fn block_name(operation: &BlockOperation) -> String {
    let name = format!("{operation:?}");
    let end = match operation {
        BlockOperation::Unary(_) | BlockOperation::Binary(_) => name.len(),
        _ => name.find([' ', '(']).unwrap_or(name.len()),
    };
    format!("block {}", name.get(..end).unwrap_or(&name))
}

impl fmt::Display for Statistics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} registers, {} constants; {} instructions at a change of parameters, {} at a \
             call ({} elementary operations)",
            self.registers, self.constants, self.prologue, self.body, self.elementary
        )?;
        for (kind, count) in &self.by_kind {
            writeln!(out, "{count:8}  {kind}")?;
        }
        Ok(())
    }
}
