//! Programs as text, for people.
//!
//! Enters: a program. Leaves: one line for each instruction. Registers are named by what they
//! hold: constants by their value, `p3`, `t`, `y3`, `s3`, `out3` by their offset in the argument
//! or result, `r3` for what is computed in between.

use super::block::{Block, Span};
use super::program::{Code, Input, Instruction, Operation, Program, Register};
use super::statistics::block_name;
use std::fmt;

impl fmt::Display for Program {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "prologue")?;
        self.list(self.prologue(), out)?;
        writeln!(out, "body")?;
        self.list(self.body(), out)
    }
}

impl Program {
    fn list(&self, code: &Code, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blocks = code.blocks.iter();
        for instruction in &code.instructions {
            match (instruction.operation, blocks.as_slice().first()) {
                (Operation::Block, Some(block)) => {
                    blocks.next();
                    writeln!(out, "  {}", self.block_text(block))?;
                }
                _ => writeln!(out, "  {}", self.instruction_text(instruction))?,
            }
        }
        Ok(())
    }

    fn instruction_text(&self, instruction: &Instruction) -> String {
        use Operation::*;
        let to = self.name(instruction.to);
        let [a, b, c] = instruction.operands.map(|operand| self.name(operand));
        let value = match instruction.operation {
            Copy => a,
            Negate => format!("-{a}"),
            Add => format!("{a} + {b}"),
            Subtract => format!("{a} - {b}"),
            Multiply => format!("{a} * {b}"),
            Divide => format!("{a} / {b}"),
            MultiplyMultiply => format!("{a} * {b} * {c}"),
            MultiplyAdd => format!("{a} * {b} + {c}"),
            MultiplySubtract => format!("{a} * {b} - {c}"),
            SubtractProduct => format!("{c} - {a} * {b}"),
            AddAdd => format!("{a} + {b} + {c}"),
            AddSubtract => format!("{a} + {b} - {c}"),
            SubtractAdd => format!("{a} - {b} + {c}"),
            SubtractSubtract => format!("{a} - {b} - {c}"),
            AddMultiply => format!("({a} + {b}) * {c}"),
            SubtractMultiply => format!("({a} - {b}) * {c}"),
            Select => format!("if {a} then {b} else {c}"),
            Unary(function) => format!("{function:?}({a})"),
            Binary(function) => format!("{function:?}({a}, {b})"),
            Block => "block".to_owned(),
        };
        format!("{to} = {value}")
    }

    fn block_text(&self, block: &Block) -> String {
        let operands: Vec<String> = block
            .reads()
            .iter()
            .map(|span| self.span_text(*span))
            .collect();
        format!(
            "{} = {}({}) {}x{}",
            self.span_text(block.to),
            block_name(&block.operation),
            operands.join(", "),
            block.rows,
            block.columns
        )
    }

    fn span_text(&self, span: Span) -> String {
        match span.len {
            1 => self.name(span.start),
            len => format!("{}[{len}]", self.name(span.start)),
        }
    }

    fn name(&self, register: Register) -> String {
        let index = register.index();
        let inside = |input: &Input| {
            input
                .registers()
                .contains(&index)
                .then(|| input.source.start + index - input.register)
        };
        if let Some(constant) = self.constants().get(index) {
            format!("{constant:?}")
        } else if let Some(offset) = inside(self.parameters()) {
            format!("p{offset}")
        } else if let Some(offset) = inside(self.state()) {
            format!("y{offset}")
        } else if let Some(offset) = inside(self.slots()) {
            format!("s{offset}")
        } else if register == self.time() {
            "t".to_owned()
        } else if self.out().contains(&index) {
            format!("out{}", index - self.out().start)
        } else {
            format!("r{}", index - self.out().end)
        }
    }
}
