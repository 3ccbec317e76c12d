//! Steps for many members, one loop each.
//!
//! Enters: steps, the scalar file that all members share and the varying file. Leaves: results in
//! the varying file. Everything goes member by member; nothing is fused in the sense of `mul_add`.

use super::level::in_lanes;
use super::math;
use super::plan::{Place, Step};
use super::product::{inverse, product};
use super::{Chunk, LANES, MOST_CHUNKS};
use crate::kernel::program::Operation;
use crate::symbolic::{Binary, PowerForm, Unary};
use std::array::from_fn;
use std::cell::Cell;

/// The most members of a call.
const MOST: usize = LANES * MOST_CHUNKS;

in_lanes! {
    /// Runs all steps in order.
    pub(super) fn run(steps: &[Step], one: &[f64], many: &mut [Chunk], chunks: usize) = run_inner
}

/// The registers. Those of members are cells, since an operand may be the result too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'a> {
    pub one: &'a [f64],
    many: &'a [Cell<Chunk>],
    pub chunks: usize,
}

impl<'a> Files<'a> {
    /// Chunk k of an operand.
    #[inline(always)]
    pub fn load(&self, place: Place, k: usize) -> Chunk {
        match place {
            Place::One(register) => Chunk::splat(self.one[register as usize]),
            Place::Many(at) => self.many[at as usize * self.chunks + k].get(),
        }
    }

    /// Sets chunk k of a varying register.
    #[inline(always)]
    pub fn store(&self, to: usize, k: usize, chunk: Chunk) {
        self.many[to * self.chunks + k].set(chunk);
    }

    #[inline(always)]
    fn register(&self, at: u32) -> &'a [Cell<Chunk>] {
        &self.many[at as usize * self.chunks..][..self.chunks]
    }
}

/// An operand, chunk by chunk.
trait Operand: Copy {
    fn chunk(self, k: usize) -> Chunk;
}

#[derive(Clone, Copy)]
struct One(f64);

impl Operand for One {
    #[inline(always)]
    fn chunk(self, _: usize) -> Chunk {
        Chunk::splat(self.0)
    }
}

impl Operand for &[Cell<Chunk>] {
    #[inline(always)]
    fn chunk(self, k: usize) -> Chunk {
        self[k].get()
    }
}

#[inline(always)]
fn loop1(to: &[Cell<Chunk>], a: impl Operand, f: impl Fn(f64) -> f64) {
    for (k, to) in to.iter().enumerate() {
        let a = a.chunk(k).0;
        to.set(Chunk(from_fn(|lane| f(a[lane]))));
    }
}

#[inline(always)]
fn loop2(to: &[Cell<Chunk>], a: impl Operand, b: impl Operand, f: impl Fn(f64, f64) -> f64) {
    for (k, to) in to.iter().enumerate() {
        let (a, b) = (a.chunk(k).0, b.chunk(k).0);
        to.set(Chunk(from_fn(|lane| f(a[lane], b[lane]))));
    }
}

#[inline(always)]
fn loop3(
    to: &[Cell<Chunk>],
    a: impl Operand,
    b: impl Operand,
    c: impl Operand,
    f: impl Fn(f64, f64, f64) -> f64,
) {
    for (k, to) in to.iter().enumerate() {
        let (a, b, c) = (a.chunk(k).0, b.chunk(k).0, c.chunk(k).0);
        to.set(Chunk(from_fn(|lane| f(a[lane], b[lane], c[lane]))));
    }
}

/// A scalar step with its files.
#[derive(Clone, Copy)]
struct At<'a> {
    files: Files<'a>,
    to: u32,
    operands: [Place; 3],
}

impl At<'_> {
    #[inline(always)]
    fn one(self, f: impl Fn(f64) -> f64) {
        let files = self.files;
        let to = files.register(self.to);
        match self.operands[0] {
            Place::One(a) => loop1(to, One(files.one[a as usize]), f),
            Place::Many(a) => loop1(to, files.register(a), f),
        }
    }

    #[inline(always)]
    fn two(self, f: impl Fn(f64, f64) -> f64) {
        use Place::{Many, One as Single};
        let files = self.files;
        let to = files.register(self.to);
        let one = |at: u32| One(files.one[at as usize]);
        let many = |at: u32| files.register(at);
        match (self.operands[0], self.operands[1]) {
            (Single(a), Single(b)) => loop2(to, one(a), one(b), f),
            (Single(a), Many(b)) => loop2(to, one(a), many(b), f),
            (Many(a), Single(b)) => loop2(to, many(a), one(b), f),
            (Many(a), Many(b)) => loop2(to, many(a), many(b), f),
        }
    }

    #[inline(always)]
    fn three(self, f: impl Fn(f64, f64, f64) -> f64) {
        use Place::{Many, One as Single};
        let files = self.files;
        let to = files.register(self.to);
        let one = |at: u32| One(files.one[at as usize]);
        let many = |at: u32| files.register(at);
        match (self.operands[0], self.operands[1], self.operands[2]) {
            (Single(a), Single(b), Single(c)) => loop3(to, one(a), one(b), one(c), f),
            (Single(a), Single(b), Many(c)) => loop3(to, one(a), one(b), many(c), f),
            (Single(a), Many(b), Single(c)) => loop3(to, one(a), many(b), one(c), f),
            (Single(a), Many(b), Many(c)) => loop3(to, one(a), many(b), many(c), f),
            (Many(a), Single(b), Single(c)) => loop3(to, many(a), one(b), one(c), f),
            (Many(a), Single(b), Many(c)) => loop3(to, many(a), one(b), many(c), f),
            (Many(a), Many(b), Single(c)) => loop3(to, many(a), many(b), one(c), f),
            (Many(a), Many(b), Many(c)) => loop3(to, many(a), many(b), many(c), f),
        }
    }

    /// An operand of all members in a row.
    #[inline(always)]
    fn numbers(self, operand: usize) -> [f64; MOST] {
        let mut numbers = [0.0; MOST];
        let chunks = numbers.as_chunks_mut::<LANES>().0;
        for (k, numbers) in chunks.iter_mut().take(self.files.chunks).enumerate() {
            *numbers = self.files.load(self.operands[operand], k).0;
        }
        numbers
    }

    #[inline(always)]
    fn set(self, numbers: &[f64; MOST]) {
        let to = self.files.register(self.to);
        for (to, numbers) in to.iter().zip(numbers.as_chunks::<LANES>().0) {
            to.set(Chunk(*numbers));
        }
    }

    /// A function of some length: its loop goes over a plain array.
    #[inline(always)]
    fn function(self, f: impl Fn(f64) -> f64) {
        let mut numbers = self.numbers(0);
        let members = LANES * self.files.chunks.min(MOST_CHUNKS);
        for x in &mut numbers[..members] {
            *x = f(*x);
        }
        self.set(&numbers);
    }

    /// The function that `Binary::Power` is, with a power of our own for general exponents.
    #[inline(always)]
    fn power(self) {
        if let Place::One(exponent) = self.operands[1] {
            let exponent = self.files.one[exponent as usize];
            if PowerForm::of(exponent) != PowerForm::General {
                return self.one(|x| Binary::Power.apply(x, exponent));
            }
        }
        let (bases, exponents) = (self.numbers(0), self.numbers(1));
        let members = LANES * self.files.chunks.min(MOST_CHUNKS);
        let mut powers = [0.0; MOST];
        let mut special = false;
        for lane in 0..members {
            powers[lane] = math::positive_power(bases[lane], exponents[lane]);
            special |= !math::is_plain_power(bases[lane], exponents[lane]);
        }
        if special || matches!(self.operands[1], Place::Many(_)) {
            for lane in 0..members {
                let (x, y) = (bases[lane], exponents[lane]);
                if PowerForm::of(y) != PowerForm::General {
                    powers[lane] = Binary::Power.apply(x, y);
                } else if !math::is_plain_power(x, y) {
                    powers[lane] = math::pow(x, y);
                }
            }
        }
        self.set(&powers);
    }
}

#[inline(always)]
fn run_inner(steps: &[Step], one: &[f64], many: &mut [Chunk], chunks: usize) {
    let files = Files {
        one,
        many: Cell::from_mut(many).as_slice_of_cells(),
        chunks,
    };
    for step in steps {
        match step {
            Step::Scalar {
                operation,
                to,
                operands,
            } => scalar(
                *operation,
                At {
                    files,
                    to: *to,
                    operands: *operands,
                },
            ),
            Step::Clear { to } => {
                let to = files.register(*to);
                to.iter().for_each(|to| to.set(Chunk::splat(0.0)));
            }
            Step::Product(step) => product(step, files),
            Step::Inverse(step) => inverse(step, files),
        }
    }
}

#[inline(always)]
fn scalar(operation: Operation, at: At<'_>) {
    match operation {
        Operation::Copy => at.one(|a| a),
        Operation::Negate => at.one(|a| -a),
        Operation::Add => at.two(|a, b| a + b),
        Operation::Subtract => at.two(|a, b| a - b),
        Operation::Multiply => at.two(|a, b| a * b),
        Operation::Divide => at.two(|a, b| a / b),
        Operation::MultiplyMultiply => at.three(|a, b, c| a * b * c),
        Operation::MultiplyAdd => at.three(|a, b, c| a * b + c),
        Operation::MultiplySubtract => at.three(|a, b, c| a * b - c),
        Operation::SubtractProduct => at.three(|a, b, c| c - a * b),
        Operation::AddAdd => at.three(|a, b, c| a + b + c),
        Operation::AddSubtract => at.three(|a, b, c| a + b - c),
        Operation::SubtractAdd => at.three(|a, b, c| a - b + c),
        Operation::SubtractSubtract => at.three(|a, b, c| a - b - c),
        Operation::AddMultiply => at.three(|a, b, c| (a + b) * c),
        Operation::SubtractMultiply => at.three(|a, b, c| (a - b) * c),
        Operation::Select => at.three(|a, b, c| if a != 0.0 { b } else { c }),
        Operation::Unary(function) => unary(function, at),
        Operation::Binary(function) => binary(function, at),
        Operation::Block => {}
    }
}

#[inline(always)]
fn unary(function: Unary, at: At<'_>) {
    match function {
        Unary::Negate => at.one(|a| -a),
        Unary::Sqrt => at.one(f64::sqrt),
        Unary::Abs => at.one(f64::abs),
        Unary::Exp => at.function(math::exp),
        Unary::Log => at.function(math::log),
        _ => at.function(|a| function.apply(a)),
    }
}

#[inline(always)]
fn binary(function: Binary, at: At<'_>) {
    /// The loop of a function for itself.
    macro_rules! own {
        ($name:ident) => {
            at.two(|a, b| Binary::$name.apply(a, b))
        };
    }
    match function {
        Binary::Add => own!(Add),
        Binary::Subtract => own!(Subtract),
        Binary::Multiply => own!(Multiply),
        Binary::Divide => own!(Divide),
        Binary::Minimum => own!(Minimum),
        Binary::Maximum => own!(Maximum),
        Binary::Equal => own!(Equal),
        Binary::NotEqual => own!(NotEqual),
        Binary::Less => own!(Less),
        Binary::LessEqual => own!(LessEqual),
        Binary::Greater => own!(Greater),
        Binary::GreaterEqual => own!(GreaterEqual),
        Binary::And => own!(And),
        Binary::Or => own!(Or),
        Binary::Power => at.power(),
        Binary::Atan2 | Binary::Modulo | Binary::Hill | Binary::HillSlope => {
            at.two(|a, b| function.apply(a, b));
        }
    }
}
