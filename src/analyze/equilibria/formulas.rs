//! The right-hand side as a program over intervals.
//!
//! Enters: the expressions of a [`System`] with the numbers of its parameters. Leaves: a scalar
//! program of the states, constants folded. Parameters are the numbers that the computer holds:
//! `0.1` is the nearest number of double precision.

use super::interval::{Domain, Interval, ZERO};
use super::program::{Op, Program, Register, binary, unary};
use crate::symbolic::{Binary, Expr, Node, Pool, Shape, SymbolId, Unary, reachable};
use crate::system::System;
use rustc_hash::FxHashMap;

/// The right-hand side of a system, ready to be evaluated over boxes.
#[derive(Debug, Clone)]
pub struct Formulas {
    pub(super) program: Program,
    /// One register per state.
    pub(super) outputs: Vec<Register>,
}

/// Systems of more states are not tried.
pub(super) const MOST_STATES: usize = 24;
/// Larger right-hand sides are not proved anything about.
const MOST_OPERATIONS: usize = 20_000;
/// Larger whole exponents are powers like others.
const MOST_EXPONENT: f64 = 1024.0;

impl Formulas {
    /// The drift of a system at rest (`System::drift`), with the numbers of its parameters. `None`
    /// when it has an operation that has no interval form here.
    #[must_use]
    pub fn of(system: &System, time: f64, parameters: &[f64]) -> Option<Formulas> {
        if system.dimension() > MOST_STATES {
            return None;
        }
        let mut symbols: FxHashMap<SymbolId, Vec<Op>> = FxHashMap::default();
        for block in system.states.blocks() {
            let positions = block.range().map(|at| u32::try_from(at).ok());
            let positions: Option<Vec<u32>> = positions.collect();
            let ops = positions?.into_iter().map(Op::Variable).collect();
            symbols.insert(block.symbol, ops);
        }
        for block in system.parameters.blocks() {
            let numbers = parameters.get(block.range())?;
            if numbers.iter().any(|number| !number.is_finite()) {
                return None;
            }
            let constants = numbers.iter().map(|x| Op::Constant(Interval::point(*x)));
            symbols.insert(block.symbol, constants.collect());
        }
        symbols.insert(system.time, vec![Op::Constant(Interval::point(time))]);
        let mut lowering = Lowering {
            pool: &system.pool,
            symbols,
            builder: Builder::default(),
            registers: FxHashMap::default(),
        };
        let outputs = lowering.run(&system.drift)?;
        Some(Formulas {
            program: Program {
                ops: lowering.builder.ops,
                variables: system.dimension(),
            },
            outputs,
        })
    }

    /// The number of states.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.program.variables
    }
}

/// Operations on the way into a program: what is constant is folded.
#[derive(Debug, Clone, Default)]
pub(super) struct Builder {
    pub ops: Vec<Op>,
    known: FxHashMap<[u64; 4], Register>,
}

impl Builder {
    /// The register of an operation: the same for the same operation.
    pub fn push(&mut self, op: Op) -> Register {
        let op = self.folded(op).unwrap_or(op);
        let next = Register::try_from(self.ops.len()).unwrap_or(Register::MAX);
        let register = *self.known.entry(key(op)).or_insert(next);
        if register == next {
            self.ops.push(op);
        }
        register
    }

    /// `if condition then a else b`
    pub fn conditional(&mut self, c: Register, a: Register, b: Register) -> Register {
        match self.known(c) {
            Some(condition) if !condition.has_zero() => a,
            Some(condition) if condition.is_zero() => b,
            _ => self.push(Op::If(c, a, b)),
        }
    }

    pub fn constant(&mut self, x: f64) -> Register {
        self.push(Op::Constant(Interval::point(x)))
    }

    /// The number that a register holds, if it is known.
    pub fn known(&self, register: Register) -> Option<Interval> {
        match self.ops.get(register as usize) {
            Some(Op::Constant(value)) => Some(*value),
            _ => None,
        }
    }

    fn folded(&self, op: Op) -> Option<Op> {
        let (value, domain) = match op {
            Op::Unary(operator, a) => unary(operator, self.known(a)?),
            Op::Binary(operator, a, b) => binary(operator, self.known(a)?, self.known(b)?),
            Op::Power(a, exponent) => (self.known(a)?.power(exponent), Domain::Whole),
            Op::GeneralPower(a, exponent) => self.known(a)?.general_power(exponent),
            Op::Constant(_) | Op::Variable(_) | Op::FreePower(..) | Op::If(..) => return None,
        };
        (domain == Domain::Whole).then_some(Op::Constant(value))
    }

    pub fn unary(&mut self, operator: Unary, a: Register) -> Register {
        self.push(Op::Unary(operator, a))
    }

    /// A function of two arguments; `None` when it has no interval form.
    pub fn binary(&mut self, operator: Binary, a: Register, b: Register) -> Option<Register> {
        let is = |register: Register, x: f64| self.known(register) == Some(Interval::point(x));
        Some(match operator {
            Binary::Atan2 | Binary::Modulo => {
                let (a, b) = (self.known(a)?, self.known(b)?);
                if !a.is_point() || !b.is_point() {
                    return None;
                }
                let value = operator.apply(a.low, b.low);
                let around =
                    |x: f64, steps: i32, next: fn(f64) -> f64| (0..steps).fold(x, |x, _| next(x));
                let low = around(value, 4, f64::next_down);
                self.push(Op::Constant(Interval::new(
                    low,
                    around(value, 4, f64::next_up),
                )))
            }
            Binary::Power => return self.power(a, b),
            Binary::Multiply if is(a, 1.0) => b,
            Binary::Multiply | Binary::Divide if is(b, 1.0) => a,
            Binary::Multiply if is(a, 0.0) => a,
            Binary::Multiply if is(b, 0.0) => b,
            Binary::Add if is(a, 0.0) => b,
            Binary::Add | Binary::Subtract if is(b, 0.0) => a,
            _ => self.push(Op::Binary(operator, a, b)),
        })
    }

    fn power(&mut self, a: Register, b: Register) -> Option<Register> {
        let Some(exponent) = self.known(b).filter(|known| known.is_point()) else {
            return Some(self.push(Op::FreePower(a, b)));
        };
        let exponent = exponent.low;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number within bounds"
        )]
        let whole = (exponent.fract() == 0.0 && exponent.abs() <= MOST_EXPONENT)
            .then_some(exponent.abs() as u32);
        Some(match whole {
            Some(0) => self.constant(1.0),
            Some(size) => {
                let raised = if size == 1 {
                    a
                } else {
                    self.push(Op::Power(a, size))
                };
                if exponent > 0.0 {
                    return Some(raised);
                }
                let one = self.constant(1.0);
                self.push(Op::Binary(Binary::Divide, one, raised))
            }
            None => self.push(Op::GeneralPower(a, exponent)),
        })
    }

    pub fn add(&mut self, a: Register, b: Register) -> Register {
        self.binary(Binary::Add, a, b).unwrap_or(a)
    }

    pub fn multiply(&mut self, a: Register, b: Register) -> Register {
        self.binary(Binary::Multiply, a, b).unwrap_or(a)
    }
}

/// Tells operations apart.
fn key(op: Op) -> [u64; 4] {
    let of = |a: Register| u64::from(a);
    match op {
        Op::Constant(value) => [0, value.low.to_bits(), value.high.to_bits(), 0],
        Op::Variable(position) => [1, u64::from(position), 0, 0],
        Op::Unary(operator, a) => [2, operator as u64, of(a), 0],
        Op::Binary(operator, a, b) => [3, operator as u64, of(a), of(b)],
        Op::Power(a, exponent) => [4, u64::from(exponent), of(a), 0],
        Op::GeneralPower(a, exponent) => [5, exponent.to_bits(), of(a), 0],
        Op::FreePower(a, b) => [6, of(a), of(b), 0],
        Op::If(c, a, b) => [7, of(c), of(a), of(b)],
    }
}

struct Lowering<'p> {
    pool: &'p Pool,
    symbols: FxHashMap<SymbolId, Vec<Op>>,
    builder: Builder,
    /// All numbers of each expression, a matrix column by column.
    registers: FxHashMap<Expr, Vec<Register>>,
}

impl Lowering<'_> {
    /// The registers of all numbers of some expressions.
    fn run(&mut self, roots: &[Expr]) -> Option<Vec<Register>> {
        let order = reachable(self.pool, roots);
        let size = order.iter().map(|expr| self.pool.shape(*expr).len());
        if size.sum::<usize>() > MOST_OPERATIONS {
            return None;
        }
        for expr in order {
            let registers = self.node(expr)?;
            if self.builder.ops.len() > MOST_OPERATIONS {
                return None;
            }
            self.registers.insert(expr, registers);
        }
        let all = roots.iter().map(|root| self.registers.get(root));
        let all: Option<Vec<&Vec<Register>>> = all.collect();
        Some(all?.into_iter().flatten().copied().collect())
    }

    /// The register of one number, where a scalar stands in all places.
    fn at(&self, expr: Expr, position: usize) -> Option<Register> {
        let registers = self.registers.get(&expr)?;
        let position = if self.pool.shape(expr) == Shape::Scalar {
            0
        } else {
            position
        };
        registers.get(position).copied()
    }

    fn node(&mut self, expr: Expr) -> Option<Vec<Register>> {
        let shape = self.pool.shape(expr);
        let each = 0..shape.len();
        match *self.pool.node(expr) {
            Node::Constant(bits) => {
                let number = f64::from_bits(bits);
                number
                    .is_finite()
                    .then(|| vec![self.builder.constant(number)])
            }
            Node::Symbol(symbol) => {
                let ops = self.symbols.get(&symbol)?.clone();
                Some(ops.into_iter().map(|op| self.builder.push(op)).collect())
            }
            Node::Unary(operator, a) => each
                .map(|k| {
                    let a = self.at(a, k)?;
                    Some(self.builder.unary(operator, a))
                })
                .collect(),
            Node::Binary(operator, a, b) => each
                .map(|k| {
                    let (a, b) = (self.at(a, k)?, self.at(b, k)?);
                    self.builder.binary(operator, a, b)
                })
                .collect(),
            Node::If(c, a, b) => each
                .map(|k| {
                    let (c, a, b) = (self.at(c, k)?, self.at(a, k)?, self.at(b, k)?);
                    Some(self.builder.conditional(c, a, b))
                })
                .collect(),
            Node::Element(a, offset) => Some(vec![self.at(a, offset as usize)?]),
            Node::Stack(ref elements, _) => elements.iter().map(|e| self.at(*e, 0)).collect(),
            Node::Array(ref numbers, _) => numbers
                .iter()
                .map(|bits| {
                    let number = f64::from_bits(*bits);
                    number.is_finite().then(|| self.builder.constant(number))
                })
                .collect(),
            Node::Fill(a, _) => each.map(|_| self.at(a, 0)).collect(),
            Node::Product(a, b) => {
                let rows = self.pool.shape(a).rows();
                let inner = self.pool.shape(a).columns();
                each.map(|k| {
                    let (row, column) = (k % rows, k / rows);
                    self.dot((0..inner).map(|j| ((a, row + j * rows), (b, j + column * inner))))
                })
                .collect()
            }
            Node::Dot(a, b) => {
                let n = self.pool.shape(a).len();
                Some(vec![self.dot((0..n).map(|j| ((a, j), (b, j))))?])
            }
            Node::Sum(a) => {
                let mut sum = self.builder.push(Op::Constant(ZERO));
                for j in 0..self.pool.shape(a).len() {
                    let term = self.at(a, j)?;
                    sum = self.builder.add(sum, term);
                }
                Some(vec![sum])
            }
            Node::Transpose(a) => {
                let (rows, columns) = (self.pool.shape(a).rows(), self.pool.shape(a).columns());
                each.map(|k| self.at(a, k / columns + (k % columns) * rows))
                    .collect()
            }
            Node::Diagonal(a) => {
                let n = self.pool.shape(a).len();
                let zero = self.builder.push(Op::Constant(ZERO));
                each.map(|k| {
                    if k % n == k / n {
                        self.at(a, k % n)
                    } else {
                        Some(zero)
                    }
                })
                .collect()
            }
            Node::Outer(a, b) => {
                let rows = self.pool.shape(a).len();
                each.map(|k| {
                    let (a, b) = (self.at(a, k % rows)?, self.at(b, k / rows)?);
                    Some(self.builder.multiply(a, b))
                })
                .collect()
            }
            Node::Inverse(_) | Node::Gradient(..) => None,
        }
    }

    fn dot(
        &mut self,
        pairs: impl Iterator<Item = ((Expr, usize), (Expr, usize))>,
    ) -> Option<Register> {
        let mut sum = self.builder.push(Op::Constant(ZERO));
        for ((a, i), (b, j)) in pairs {
            let (a, b) = (self.at(a, i)?, self.at(b, j)?);
            let product = self.builder.multiply(a, b);
            sum = self.builder.add(sum, product);
        }
        Some(sum)
    }
}
