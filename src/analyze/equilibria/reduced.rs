//! Fewer unknowns: what is determined by the others is put in their terms.
//!
//! Enters: the right-hand side as a program of all states, kept sums and the box. Leaves: as many
//! equations in as many free states, and every state in terms of them. An equation is solved for
//! its own state where it is of first degree in it and the coefficient has no zero in the box:
//! kept sums are such equations, and so are those of gates, messengers and everything that decays
//! in proportion to itself. In the box, the roots of what is left are the equilibria.

use super::formulas::{Builder, Formulas};
use super::interval::{Domain, ENTIRE, Interval, ZERO};
use super::program::{Op, Program, Register, Values};
use super::{Motion, Region};
use crate::analyze::laws::Kept;
use crate::symbolic::{Binary, Unary};

/// Equations in the free states alone.
#[derive(Debug, Clone)]
pub(super) struct Reduced {
    /// A program of the free states.
    pub program: Program,
    /// What must vanish: as many as there are free states.
    pub outputs: Vec<Register>,
    /// Every state.
    pub states: Vec<Register>,
    /// The positions of the free states.
    pub free: Vec<usize>,
    /// True when the free states determine the others everywhere, not in the box alone.
    pub everywhere: bool,
    /// The outputs times what they are divided by, where a divisor may vanish in the box: zero
    /// wherever an output is.
    pub cleared: Option<(Program, Vec<Register>)>,
}

/// Programs that grow beyond this are not reduced further.
const MOST_OPERATIONS: usize = 20_000;

impl Reduced {
    /// The equilibria in `region` as roots in the free states.
    pub fn new(
        formulas: &Formulas,
        motion: Motion,
        kept: &[Kept],
        state: &[f64],
        region: &Region,
    ) -> Reduced {
        let mut work = Work::new(formulas, motion);
        for kept in kept {
            work.keep(kept, state);
        }
        let bounds: Vec<Interval> = region
            .ranges()
            .map(|(low, high)| Interval::new(low, high))
            .collect();
        // Kept sums first: they are of first degree whatever comes after.
        let by_sum = |i: &usize| kept.iter().any(|kept| kept.row == *i);
        let mut order: Vec<usize> = (0..bounds.len()).filter(by_sum).collect();
        order.extend((0..bounds.len()).filter(|i| !by_sum(i)));
        for i in order {
            if work.free.len() > 1 && work.builder.ops.len() < MOST_OPERATIONS {
                work.solve_for(i, &bounds);
            }
        }
        work.finish(&bounds)
    }

    /// A box of all states around what the free ones allow.
    pub fn all_states(&self, values: &Values) -> Region {
        let states = self.states.iter().map(|register| values.value(*register));
        let (low, high) = states.map(|value| (value.low, value.high)).unzip();
        Region { low, high }
    }
}

struct Work {
    builder: Builder,
    /// One per state: what must vanish; `None` where it has been solved.
    outputs: Vec<Option<Register>>,
    states: Vec<Register>,
    free: Vec<usize>,
    everywhere: bool,
}

impl Work {
    fn new(formulas: &Formulas, motion: Motion) -> Work {
        let mut builder = Builder::default();
        let registers = copied(&formulas.program.ops, &mut builder, |_| None);
        let mut states = Vec::new();
        let mut outputs = Vec::new();
        for (at, output) in formulas.outputs.iter().enumerate() {
            let position = u32::try_from(at).unwrap_or(u32::MAX);
            let state = builder.push(Op::Variable(position));
            let mut output = registers[*output as usize];
            if motion == Motion::Map {
                output = builder.push(Op::Binary(Binary::Subtract, output, state));
            }
            states.push(state);
            outputs.push(Some(output));
        }
        Work {
            builder,
            outputs,
            free: (0..states.len()).collect(),
            states,
            everywhere: true,
        }
    }

    /// Puts a kept sum in the place of an equation. Its total is that of the present state.
    fn keep(&mut self, kept: &Kept, state: &[f64]) {
        let mut total = ZERO;
        let mut sum = self.builder.push(Op::Constant(ZERO));
        for (at, weight) in &kept.law.terms {
            let (Some(variable), Some(value)) = (self.states.get(*at), state.get(*at)) else {
                return;
            };
            let weighted = Interval::point(*weight).multiply(Interval::point(*value));
            total = total.add(weighted);
            let weight = self.builder.constant(*weight);
            let term = self.builder.multiply(weight, *variable);
            sum = self.builder.add(sum, term);
        }
        let total = self.builder.push(Op::Constant(total));
        let left = self.builder.push(Op::Binary(Binary::Subtract, sum, total));
        if let Some(output) = self.outputs.get_mut(kept.row) {
            *output = Some(left);
        }
    }

    /// Solves the equation of state `i` for it, if that can be done everywhere in the box.
    fn solve_for(&mut self, i: usize, bounds: &[Interval]) {
        let Some(output) = self.outputs[i] else {
            return;
        };
        let mut builder = self.builder.clone();
        let Some((slope, rest)) = affine(&mut builder, output, i) else {
            return;
        };
        let mut values = Values::default();
        let program = Program {
            ops: builder.ops.clone(),
            variables: bounds.len(),
        };
        program.evaluate(bounds, &mut values);
        let is_regular = values.domain(slope) == Domain::Whole && !values.value(slope).has_zero();
        if !is_regular {
            return;
        }
        program.evaluate(&vec![ENTIRE; bounds.len()], &mut values);
        self.everywhere &= values.domain(slope) == Domain::Whole && !values.value(slope).has_zero();
        let negative = builder.unary(Unary::Negate, rest);
        let Some(solution) = builder.binary(Binary::Divide, negative, slope) else {
            return;
        };
        self.outputs[i] = None;
        self.free.retain(|free| *free != i);
        self.substitute(&builder, i, solution);
    }

    /// Writes the program anew with `solution`, which does not contain state `i`, in its place.
    fn substitute(&mut self, from: &Builder, i: usize, solution: Register) {
        let position = u32::try_from(i).unwrap_or(u32::MAX);
        let of_solution = needed(&from.ops, &[solution]);
        let roots: Vec<Register> = self
            .outputs
            .iter()
            .flatten()
            .chain(&self.states)
            .copied()
            .collect();
        let of_roots = needed(&from.ops, &roots);
        let mut builder = Builder::default();
        let mut to = vec![Register::MAX; from.ops.len()];
        let copy = |at: usize, builder: &mut Builder, to: &mut Vec<Register>| {
            let op = from.ops[at].map(|register| to[register as usize]);
            to[at] = if let Op::Binary(operator, a, b) = op {
                builder.binary(operator, a, b).unwrap_or(a)
            } else {
                builder.push(op)
            };
        };
        for at in (0..from.ops.len()).filter(|at| of_solution[*at]) {
            copy(at, &mut builder, &mut to);
        }
        for at in (0..from.ops.len()).filter(|at| of_roots[*at] && !of_solution[*at]) {
            if from.ops[at] == Op::Variable(position) {
                to[at] = to[solution as usize];
            } else {
                copy(at, &mut builder, &mut to);
            }
        }
        for register in self.outputs.iter_mut().flatten().chain(&mut self.states) {
            *register = to[*register as usize];
        }
        self.builder = builder;
    }

    fn finish(self, bounds: &[Interval]) -> Reduced {
        let outputs: Vec<Register> = self.outputs.iter().flatten().copied().collect();
        let roots: Vec<Register> = outputs.iter().chain(&self.states).copied().collect();
        let used = needed(&self.builder.ops, &roots);
        let place = |state: u32| {
            let place = self.free.iter().position(|free| *free == state as usize);
            place.and_then(|place| u32::try_from(place).ok())
        };
        let mut builder = Builder::default();
        let mut to = vec![Register::MAX; self.builder.ops.len()];
        for (at, op) in self.builder.ops.iter().enumerate() {
            if used[at] {
                let op = match *op {
                    Op::Variable(state) => Op::Variable(place(state).unwrap_or(u32::MAX)),
                    other => other.map(|register| to[register as usize]),
                };
                to[at] = builder.push(op);
            }
        }
        let moved = |registers: &[Register]| -> Vec<Register> {
            registers.iter().map(|old| to[*old as usize]).collect()
        };
        let program = Program {
            ops: builder.ops,
            variables: self.free.len(),
        };
        let outputs = moved(&outputs);
        let of_free: Vec<Interval> = self.free.iter().map(|at| bounds[*at]).collect();
        Reduced {
            cleared: cleared(&program, &outputs, &of_free),
            states: moved(&self.states),
            everywhere: self.everywhere,
            outputs,
            program,
            free: self.free,
        }
    }
}

/// Copies all operations; `other` may give a register of the new ones instead.
fn copied(
    ops: &[Op],
    into: &mut Builder,
    other: impl Fn(&Op) -> Option<Register>,
) -> Vec<Register> {
    let mut to: Vec<Register> = Vec::with_capacity(ops.len());
    for op in ops {
        let register = match other(op) {
            Some(register) => register,
            None => into.push(op.map(|register| to[register as usize])),
        };
        to.push(register);
    }
    to
}

/// Which registers these are made of, themselves included.
fn needed(ops: &[Op], roots: &[Register]) -> Vec<bool> {
    let mut needed = vec![false; ops.len()];
    for root in roots {
        needed[*root as usize] = true;
    }
    for at in (0..ops.len()).rev() {
        if needed[at] {
            ops[at].for_each_operand(|operand| needed[operand as usize] = true);
        }
    }
    needed
}

/// The registers of a and b with output = a y + b, where neither contains y, the variable at `i`.
/// `None` when the output is not of first degree in y, as it is written.
fn affine(builder: &mut Builder, output: Register, i: usize) -> Option<(Register, Register)> {
    let ops = builder.ops.clone();
    let used = needed(&ops, &[output]);
    let zero = builder.constant(0.0);
    let one = builder.constant(1.0);
    // Slope and rest of what contains y.
    let mut parts: Vec<Option<(Register, Register)>> = vec![None; ops.len()];
    for (at, op) in ops.iter().enumerate().filter(|(at, _)| used[*at]) {
        let mut contains = false;
        op.for_each_operand(|operand| contains |= parts[operand as usize].is_some());
        let part = |register: Register| parts[register as usize];
        let both = |register: Register| part(register).unwrap_or((zero, register));
        parts[at] = match *op {
            Op::Variable(position) if position as usize == i => Some((one, zero)),
            _ if !contains => continue,
            Op::Unary(Unary::Negate, a) => {
                let (slope, rest) = part(a)?;
                Some((
                    builder.unary(Unary::Negate, slope),
                    builder.unary(Unary::Negate, rest),
                ))
            }
            Op::Binary(operator @ (Binary::Add | Binary::Subtract), a, b) => {
                let ((p, q), (r, s)) = (both(a), both(b));
                Some((
                    builder.binary(operator, p, r)?,
                    builder.binary(operator, q, s)?,
                ))
            }
            Op::Binary(Binary::Multiply, a, b) => {
                let (varying, fixed) = match (part(a), part(b)) {
                    (Some(varying), None) => (varying, b),
                    (None, Some(varying)) => (varying, a),
                    _ => return None,
                };
                let (slope, rest) = varying;
                Some((
                    builder.multiply(slope, fixed),
                    builder.multiply(rest, fixed),
                ))
            }
            Op::Binary(Binary::Divide, a, b) if part(b).is_none() => {
                let (slope, rest) = part(a)?;
                Some((
                    builder.binary(Binary::Divide, slope, b)?,
                    builder.binary(Binary::Divide, rest, b)?,
                ))
            }
            _ => return None,
        };
    }
    parts[output as usize]
}

/// Each output as a numerator alone: the denominators that it is divided by are multiplied out.
/// `None` when no divisor can vanish in the box.
fn cleared(
    program: &Program,
    outputs: &[Register],
    bounds: &[Interval],
) -> Option<(Program, Vec<Register>)> {
    let mut values = Values::default();
    program.evaluate(bounds, &mut values);
    let vanishes = |op: &Op| match op {
        Op::Binary(Binary::Divide, _, by) => values.value(*by).has_zero(),
        _ => false,
    };
    if !program.ops.iter().any(vanishes) {
        return None;
    }
    let mut builder = Builder::default();
    let plain = copied(&program.ops, &mut builder, |_| None);
    // Numerator, and denominator where there is one.
    let mut parts: Vec<(Register, Option<Register>)> = Vec::with_capacity(plain.len());
    for (op, own) in program.ops.iter().zip(&plain) {
        let part = |register: Register| parts[register as usize];
        let of = &mut builder;
        let new = match *op {
            Op::Unary(Unary::Negate, a) => {
                let (above, below) = part(a);
                (of.unary(Unary::Negate, above), below)
            }
            Op::Binary(operator @ (Binary::Add | Binary::Subtract), a, b) => {
                let ((a, p), (b, q)) = (part(a), part(b));
                if p == q {
                    (of.binary(operator, a, b)?, p)
                } else {
                    let a = q.map_or(a, |q| of.multiply(a, q));
                    let b = p.map_or(b, |p| of.multiply(b, p));
                    (of.binary(operator, a, b)?, product(of, p, q))
                }
            }
            Op::Binary(Binary::Multiply, a, b) => {
                let ((a, p), (b, q)) = (part(a), part(b));
                (of.multiply(a, b), product(of, p, q))
            }
            Op::Binary(Binary::Divide, a, b) => {
                let ((a, p), (b, q)) = (part(a), part(b));
                let above = q.map_or(a, |q| of.multiply(a, q));
                (above, product(of, p, Some(b)))
            }
            Op::Power(a, exponent) => {
                let (above, below) = part(a);
                let below = below.map(|below| of.push(Op::Power(below, exponent)));
                (of.push(Op::Power(above, exponent)), below)
            }
            _ => (*own, None),
        };
        parts.push(new);
    }
    let outputs = outputs.iter().map(|old| parts[*old as usize].0).collect();
    let program = Program {
        ops: builder.ops,
        variables: program.variables,
    };
    Some((program, outputs))
}

fn product(builder: &mut Builder, a: Option<Register>, b: Option<Register>) -> Option<Register> {
    match (a, b) {
        (Some(a), Some(b)) => Some(builder.multiply(a, b)),
        (a, b) => a.or(b),
    }
}
