//! A program as steps for many members.
//!
//! Enters: a program, and whether its members share time and parameters. Leaves: a list of steps
//! in which every operand is either one number for all members or many, one for each. Blocks
//! become steps element by element in the order that they promise, but for products and inverses.

use crate::kernel::block::{Block, BlockOperation, Span};
use crate::kernel::program::{Code, Operation, Program, Register};
use crate::symbolic::Binary;

/// Where an operand stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In this register of the scalar file: the same for all members.
    One(u32),
    /// In the varying register of this number.
    Many(u32),
}

/// What is done next.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A scalar operation for each member.
    Scalar {
        operation: Operation,
        to: u32,
        operands: [Place; 3],
    },
    /// Zero for each member.
    Clear { to: u32 },
    /// A product of matrices.
    Product(Box<Product>),
    /// An inverse of a matrix.
    Inverse(Box<Inverse>),
}

/// `to[i, j] = (a[i, 0] b[0, j] + a[i, 1] b[1, j]) + ...`, matrices column by column.
#[derive(Debug, Clone)]
pub(super) struct Product {
    /// The varying register of the first element of the result; the others follow.
    pub to: u32,
    pub a: Factor,
    pub b: Vec<Place>,
    pub rows: usize,
    pub inner: usize,
}

/// A factor of a product.
#[derive(Debug, Clone)]
pub(super) enum Factor {
    /// Consecutive registers of the scalar file.
    One(u32),
    /// Its elements.
    Mixed(Vec<Place>),
}

/// The inverse of `a`, n x n.
#[derive(Debug, Clone)]
pub(super) struct Inverse {
    pub to: u32,
    pub a: Vec<Place>,
    pub n: usize,
}

/// A program for many members.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// How many registers members have for themselves.
    pub varying: usize,
    /// The varying registers of the first parameter, the time, the first state and slot that are
    /// read; those of parameters and time mean nothing where they are shared.
    pub parameters: usize,
    pub time: usize,
    pub state: usize,
    pub slots: usize,
    /// Where the results stand.
    pub out: Vec<Place>,
    /// Empty where parameters are shared: the tape runs it.
    pub prologue: Vec<Step>,
    pub body: Vec<Step>,
}

impl Plan {
    /// For members that share time and parameters.
    pub fn shared(program: &Program) -> Plan {
        let mut varying = vec![false; program.registers];
        mark_written(&program.body, &mut varying);
        Plan::new(program, varying, &Code::default())
    }

    /// For members with times and parameters of their own.
    pub fn separate(program: &Program) -> Plan {
        let mut varying = vec![false; program.registers];
        mark_written(&program.prologue, &mut varying);
        mark_written(&program.body, &mut varying);
        varying[program.parameters.registers()].fill(true);
        varying[program.time] = true;
        Plan::new(program, varying, &program.prologue)
    }

    fn new(program: &Program, mut varying: Vec<bool>, prologue: &Code) -> Plan {
        varying[program.state.registers()].fill(true);
        varying[program.slots.registers()].fill(true);
        let mut next = 0;
        let mut place = |(register, varying): (usize, bool)| {
            if !varying {
                return Place::One(narrow(register));
            }
            next += 1;
            Place::Many(narrow(next - 1))
        };
        let places: Vec<Place> = varying.into_iter().enumerate().map(&mut place).collect();
        let number = |register: usize| match places.get(register) {
            Some(Place::Many(at)) => *at as usize,
            _ => 0,
        };
        Plan {
            varying: next,
            parameters: number(program.parameters.register),
            time: number(program.time),
            state: number(program.state.register),
            slots: number(program.slots.register),
            out: places[program.out.clone()].to_vec(),
            prologue: steps(prologue, &places),
            body: steps(&program.body, &places),
        }
    }
}

/// Registers are numbered by `u32` already.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn mark_written(code: &Code, written: &mut [bool]) {
    for step in &code.instructions {
        if step.operation != Operation::Block {
            written[step.to.index()] = true;
        }
    }
    for block in &code.blocks {
        let start = block.to.start.index();
        match &block.operation {
            BlockOperation::ScatterStore(at)
            | BlockOperation::ScatterAdd(at)
            | BlockOperation::Clear(at) => {
                at.iter()
                    .for_each(|&at| written[start + at as usize] = true);
            }
            _ => written[start..start + block.to.len].fill(true),
        }
    }
}

fn steps(code: &Code, places: &[Place]) -> Vec<Step> {
    let mut writer = Writer {
        places,
        steps: Vec::with_capacity(code.instructions.len()),
    };
    let mut blocks = code.blocks.iter();
    for step in &code.instructions {
        if step.operation == Operation::Block {
            if let Some(block) = blocks.next() {
                writer.block(block);
            }
        } else {
            let operands = step.operands.map(|register| writer.place(register));
            let to = writer.number(step.to.index());
            writer.scalar(step.operation, to, operands);
        }
    }
    writer.steps
}

struct Writer<'a> {
    places: &'a [Place],
    steps: Vec<Step>,
}

impl Writer<'_> {
    fn place(&self, register: Register) -> Place {
        self.places[register.index()]
    }

    /// The varying register of one that is written.
    fn number(&self, register: usize) -> u32 {
        match self.places[register] {
            Place::Many(at) | Place::One(at) => at,
        }
    }

    fn to(&self, block: &Block, i: usize) -> u32 {
        self.number(block.to.start.index() + i)
    }

    /// Element i of an operand, which may be a single number for all.
    fn element(&self, span: Span, i: usize) -> Place {
        let i = if span.len == 1 { 0 } else { i };
        self.places[span.start.index() + i]
    }

    fn elements(&self, span: Span) -> Vec<Place> {
        let start = span.start.index();
        self.places[start..start + span.len].to_vec()
    }

    fn scalar(&mut self, operation: Operation, to: u32, operands: [Place; 3]) {
        self.steps.push(Step::Scalar {
            operation,
            to,
            operands,
        });
    }

    fn copy(&mut self, to: u32, from: Place) {
        self.scalar(Operation::Copy, to, [from; 3]);
    }

    fn block(&mut self, block: &Block) {
        let [a, b, _] = block.operands;
        let rows = block.rows;
        match &block.operation {
            BlockOperation::Copy => self.each(block, Operation::Copy),
            BlockOperation::Unary(function) => self.each(block, Operation::Unary(*function)),
            BlockOperation::Binary(function) => self.each(block, scalar_form(*function)),
            BlockOperation::Select => self.each(block, Operation::Select),
            BlockOperation::Sum => self.sum(block),
            BlockOperation::Dot => self.dot(block),
            BlockOperation::Product { inner } => self.product(block, *inner),
            BlockOperation::Inverse => {
                let inverse = Inverse {
                    to: self.to(block, 0),
                    a: self.elements(a),
                    n: rows,
                };
                self.steps.push(Step::Inverse(Box::new(inverse)));
            }
            BlockOperation::Transpose => self.entries(block, |writer, to, i, j| {
                writer.copy(to, writer.element(a, j + i * block.columns));
            }),
            BlockOperation::Outer => self.entries(block, |writer, to, i, j| {
                writer.multiply(to, writer.element(a, i), writer.element(b, j));
            }),
            BlockOperation::ScaleColumns => self.entries(block, |writer, to, i, j| {
                writer.multiply(to, writer.element(a, i + j * rows), writer.element(b, j));
            }),
            BlockOperation::ScaleRows => self.entries(block, |writer, to, i, j| {
                writer.multiply(to, writer.element(a, i + j * rows), writer.element(b, i));
            }),
            BlockOperation::Diagonal => self.entries(block, |writer, to, i, j| {
                if i == j {
                    writer.copy(to, writer.element(a, i));
                } else {
                    writer.steps.push(Step::Clear { to });
                }
            }),
            BlockOperation::ScatterStore(at) => {
                for (k, &at) in at.iter().enumerate() {
                    let to = self.to(block, at as usize);
                    self.copy(to, self.places[a.start.index() + k]);
                }
            }
            BlockOperation::ScatterAdd(at) => {
                for (k, &at) in at.iter().enumerate() {
                    let to = self.to(block, at as usize);
                    let value = self.places[a.start.index() + k];
                    self.scalar(Operation::Add, to, [Place::Many(to), value, value]);
                }
            }
            BlockOperation::Clear(at) => {
                for &at in at.iter() {
                    let to = self.to(block, at as usize);
                    self.steps.push(Step::Clear { to });
                }
            }
        }
    }

    fn multiply(&mut self, to: u32, a: Place, b: Place) {
        self.scalar(Operation::Multiply, to, [a, b, a]);
    }

    /// An operation on each element.
    fn each(&mut self, block: &Block, operation: Operation) {
        let [a, b, c] = block.operands;
        let arity = block.operation.arity();
        for i in 0..block.to.len {
            let first = self.element(a, i);
            let second = if arity > 1 { self.element(b, i) } else { first };
            let third = if arity > 2 { self.element(c, i) } else { first };
            self.scalar(operation, self.to(block, i), [first, second, third]);
        }
    }

    /// Calls `f` with the register of each entry, its row and its column.
    fn entries(&mut self, block: &Block, mut f: impl FnMut(&mut Self, u32, usize, usize)) {
        let rows = block.rows.max(1);
        for at in 0..block.to.len {
            let to = self.to(block, at);
            f(self, to, at % rows, at / rows);
        }
    }

    fn sum(&mut self, block: &Block) {
        let a = block.operands[0];
        self.accumulate(block, a.len, |writer, to, i| {
            let value = writer.element(a, i);
            if i == 0 {
                writer.copy(to, value);
            } else {
                writer.scalar(Operation::Add, to, [Place::Many(to), value, value]);
            }
        });
    }

    fn dot(&mut self, block: &Block) {
        let [a, b, _] = block.operands;
        self.accumulate(block, a.len.min(b.len), |writer, to, i| {
            let (a, b) = (writer.element(a, i), writer.element(b, i));
            if i == 0 {
                writer.multiply(to, a, b);
            } else {
                writer.scalar(Operation::MultiplyAdd, to, [a, b, Place::Many(to)]);
            }
        });
    }

    /// `count` terms into the first element of the result, which then fills it.
    fn accumulate(
        &mut self,
        block: &Block,
        count: usize,
        mut add: impl FnMut(&mut Self, u32, usize),
    ) {
        if block.to.len == 0 {
            return;
        }
        let to = self.to(block, 0);
        if count == 0 {
            self.steps.push(Step::Clear { to });
        }
        for i in 0..count {
            add(self, to, i);
        }
        for i in 1..block.to.len {
            let other = self.to(block, i);
            self.copy(other, Place::Many(to));
        }
    }

    fn product(&mut self, block: &Block, inner: usize) {
        let [a, b, _] = block.operands;
        if inner == 0 || block.to.len == 0 {
            for i in 0..block.to.len {
                let to = self.to(block, i);
                self.steps.push(Step::Clear { to });
            }
            return;
        }
        let elements = self.elements(a);
        let is_shared = elements.iter().all(|place| matches!(place, Place::One(_)));
        let product = Product {
            to: self.to(block, 0),
            a: if is_shared {
                Factor::One(a.start.0)
            } else {
                Factor::Mixed(elements)
            },
            b: self.elements(b),
            rows: block.rows,
            inner,
        };
        self.steps.push(Step::Product(Box::new(product)));
    }
}

/// The operation of its own that the commonest functions have.
fn scalar_form(function: Binary) -> Operation {
    match function {
        Binary::Add => Operation::Add,
        Binary::Subtract => Operation::Subtract,
        Binary::Multiply => Operation::Multiply,
        Binary::Divide => Operation::Divide,
        _ => Operation::Binary(function),
    }
}
