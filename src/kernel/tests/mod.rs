//! Tests of the lowering and of executors, against the reference evaluator of expressions.

mod functions;
#[cfg(feature = "jit")]
mod machine_code;
mod outputs;
mod programs;
mod random;

use super::lanes::tests as lanes;
use super::{Kernel, Layout, Output, Parameters, Place, Program, Scratch, Tape, lower};
use crate::symbolic::{Expr, Pool, Shape, SymbolId, Value, evaluate};

/// A point in time with its arguments.
#[derive(Debug, Clone, Default)]
struct Point {
    t: f64,
    state: Vec<f64>,
    parameters: Parameters,
    slots: Vec<f64>,
}

/// Expressions with symbols that have places.
#[derive(Default)]
struct Model {
    pool: Pool,
    layout: Layout,
    symbols: Vec<SymbolId>,
}

impl Model {
    fn symbol(&mut self, name: &str, shape: Shape, place: Place) -> Expr {
        let symbol = self.pool.new_symbol(name, shape);
        self.layout.insert(symbol, place);
        self.symbols.push(symbol);
        self.pool.symbol(symbol)
    }

    fn state(&mut self, offset: usize, shape: Shape) -> Expr {
        self.symbol(&format!("y{offset}"), shape, Place::State(offset))
    }

    fn parameter(&mut self, offset: usize, shape: Shape) -> Expr {
        self.symbol(&format!("p{offset}"), shape, Place::Parameter(offset))
    }

    /// The program that writes these values one after the other.
    fn program(&self, results: &[Expr]) -> Program {
        let mut at = 0;
        let mut outputs = Vec::new();
        for &expr in results {
            outputs.push(Output::Assign { expr, at });
            at += self.pool.shape(expr).len();
        }
        let program = lower(&self.pool, &self.layout, &outputs, at).unwrap();
        assert!(program.is_sound(), "{program}");
        program
    }

    fn tape(&self, results: &[Expr]) -> Tape {
        Tape::new(self.program(results))
    }

    /// What the reference evaluator says.
    fn reference(&self, results: &[Expr], point: &Point) -> Vec<f64> {
        let value = |symbol: SymbolId| {
            let shape = self.pool.symbol_data(symbol).shape;
            let numbers = match self.layout.place(symbol).unwrap() {
                Place::Time => vec![point.t],
                Place::State(at) => point.state[at..at + shape.len()].to_vec(),
                Place::Parameter(at) => point.parameters[at..at + shape.len()].to_vec(),
                Place::Slot(at) => point.slots[at..at + shape.len()].to_vec(),
            };
            Value { shape, numbers }
        };
        results
            .iter()
            .flat_map(|&expr| evaluate(&self.pool, expr, &value).numbers)
            .collect()
    }

    /// Checks that the tape and the reference give the same bits.
    #[track_caller]
    fn check(&self, results: &[Expr], point: &Point) {
        let tape = self.tape(results);
        let found = call(&tape, point);
        let expected = self.reference(results, point);
        assert!(
            same_bits(&found, &expected),
            "found {found:?}, expected {expected:?}\n{}",
            tape.program()
        );
        #[cfg(feature = "jit")]
        check_machine_code(&tape, point, &expected);
        lanes::check(tape.program(), &[in_lane(point)]);
    }
}

/// A point as the arguments of a member.
fn in_lane(point: &Point) -> lanes::Member {
    lanes::Member {
        t: point.t,
        state: point.state.clone(),
        parameters: point.parameters.clone(),
        slots: point.slots.clone(),
    }
}

/// Machine code, where there is some, gives the same bits too.
#[cfg(feature = "jit")]
#[track_caller]
fn check_machine_code(tape: &Tape, point: &Point, expected: &[f64]) {
    if let Some(jit) = super::Jit::new(tape.program()) {
        let found = call(&jit, point);
        assert!(
            same_bits(&found, expected),
            "machine code: found {found:?}, expected {expected:?}\n{}",
            tape.program()
        );
    }
}

/// The results of one call with fresh working space.
fn call(kernel: &dyn Kernel, point: &Point) -> Vec<f64> {
    call_with(kernel, point, &mut Scratch::new())
}

fn call_with(kernel: &dyn Kernel, point: &Point, scratch: &mut Scratch) -> Vec<f64> {
    let mut out = vec![f64::NAN; kernel.out_len()];
    kernel.call(
        point.t,
        &point.state,
        &point.parameters,
        &point.slots,
        &mut out,
        scratch,
    );
    out
}

/// Equal bits, where any NaN equals any other.
fn same_bits(a: &[f64], b: &[f64]) -> bool {
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(*a, *b))
}
