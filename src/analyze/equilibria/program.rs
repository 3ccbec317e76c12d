//! Scalar programs over intervals, with exact derivatives.
//!
//! Enters: operations on registers, operands first. Leaves: an enclosure of every register over a
//! box, of its derivatives by the variables (forward differentiation, A. Neumaier, Interval
//! Methods for Systems of Equations, 1990, section 2.3), and whether it is defined there.

use super::interval::{Domain, ENTIRE, Interval, NOT_NEGATIVE, ZERO};
use crate::symbolic::{Binary, Unary};

/// A register: the operation that fills it.
pub(super) type Register = u32;

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Op {
    /// A number known to lie in an interval.
    Constant(Interval),
    /// A variable by its position.
    Variable(u32),
    /// A function of one argument.
    Unary(Unary, Register),
    /// A function of two arguments, powers left out.
    Binary(Binary, Register, Register),
    /// A whole power of at least 2.
    Power(Register, u32),
    /// Another constant power.
    GeneralPower(Register, f64),
    /// A power with an exponent that is not constant.
    FreePower(Register, Register),
    /// `if condition then a else b`
    If(Register, Register, Register),
}

impl Op {
    /// Calls `visit` with every operand.
    pub fn for_each_operand(self, mut visit: impl FnMut(Register)) {
        match self {
            Op::Constant(_) | Op::Variable(_) => {}
            Op::Unary(_, a) | Op::Power(a, _) | Op::GeneralPower(a, _) => visit(a),
            Op::Binary(_, a, b) | Op::FreePower(a, b) => {
                visit(a);
                visit(b);
            }
            Op::If(c, a, b) => {
                visit(c);
                visit(a);
                visit(b);
            }
        }
    }

    /// The same operation on other registers.
    pub fn map(self, to: impl Fn(Register) -> Register) -> Op {
        match self {
            Op::Constant(_) | Op::Variable(_) => self,
            Op::Unary(operator, a) => Op::Unary(operator, to(a)),
            Op::Power(a, exponent) => Op::Power(to(a), exponent),
            Op::GeneralPower(a, exponent) => Op::GeneralPower(to(a), exponent),
            Op::Binary(operator, a, b) => Op::Binary(operator, to(a), to(b)),
            Op::FreePower(a, b) => Op::FreePower(to(a), to(b)),
            Op::If(c, a, b) => Op::If(to(c), to(a), to(b)),
        }
    }
}

/// Operations in order, of a number of variables.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    pub ops: Vec<Op>,
    /// How many variables there are.
    pub variables: usize,
}

/// The values of all registers over a box; kept from one evaluation to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    pub values: Vec<Interval>,
    pub domains: Vec<Domain>,
    /// `variables` numbers per register.
    gradients: Vec<Interval>,
    variables: usize,
}

impl Values {
    #[inline]
    pub fn value(&self, register: Register) -> Interval {
        self.values[register as usize]
    }

    #[inline]
    pub fn domain(&self, register: Register) -> Domain {
        self.domains[register as usize]
    }

    /// True when the last evaluation was with derivatives.
    pub fn has_gradients(&self) -> bool {
        !self.gradients.is_empty()
    }

    /// The derivatives of a register by the variables.
    #[inline]
    pub fn gradient(&self, register: Register) -> &[Interval] {
        let at = register as usize * self.variables;
        &self.gradients[at..at + self.variables]
    }
}

impl Program {
    /// Values and domains of all registers when the variables lie in `at`.
    pub fn evaluate(&self, at: &[Interval], into: &mut Values) {
        into.values.clear();
        into.domains.clear();
        into.gradients.clear();
        for op in &self.ops {
            let (value, domain) = self.value_of(*op, at, into);
            into.values.push(value);
            into.domains.push(domain);
        }
    }

    /// [`Program::evaluate`] with derivatives.
    pub fn differentiate(&self, at: &[Interval], into: &mut Values) {
        self.evaluate(at, into);
        let n = self.variables;
        into.variables = n;
        into.gradients.clear();
        into.gradients.resize(n * self.ops.len(), ZERO);
        for (register, op) in self.ops.iter().enumerate() {
            let (before, after) = into.gradients.split_at_mut(register * n);
            let own = &mut after[..n];
            let of = |r: Register| &before[r as usize * n..r as usize * n + n];
            let known = Known {
                values: &into.values,
                domains: &into.domains,
            };
            gradient(*op, register, &known, &of, own);
        }
    }

    fn value_of(&self, op: Op, at: &[Interval], known: &Values) -> (Interval, Domain) {
        let of = |r: Register| known.value(r);
        match op {
            Op::Constant(value) => (value, Domain::Whole),
            Op::Variable(position) => {
                let value = at.get(position as usize).copied().unwrap_or(ENTIRE);
                (value, Domain::Whole)
            }
            Op::If(c, a, b) => {
                let condition = of(c);
                if known.domain(c) == Domain::Whole && !condition.has_zero() {
                    (of(a), known.domain(a))
                } else if known.domain(c) == Domain::Whole && condition.is_zero() {
                    (of(b), known.domain(b))
                } else {
                    let domain = joined(known.domain(c), either(known.domain(a), known.domain(b)));
                    (of(a).hull(of(b)), domain)
                }
            }
            Op::Unary(operator, a) => {
                let (value, domain) = unary(operator, of(a));
                (value, joined(domain, known.domain(a)))
            }
            Op::Power(a, exponent) => (of(a).power(exponent), known.domain(a)),
            Op::GeneralPower(a, exponent) => {
                let (value, domain) = of(a).general_power(exponent);
                (value, joined(domain, known.domain(a)))
            }
            Op::FreePower(a, b) => {
                let (value, domain) = free_power(of(a), of(b));
                let domain = joined(domain, joined(known.domain(a), known.domain(b)));
                (value, domain)
            }
            Op::Binary(operator, a, b) => {
                let (value, domain) = binary(operator, of(a), of(b));
                let domain = joined(domain, joined(known.domain(a), known.domain(b)));
                (value, domain)
            }
        }
    }
}

/// What a result has that needs both.
#[inline]
fn joined(a: Domain, b: Domain) -> Domain {
    match (a, b) {
        (Domain::None, _) | (_, Domain::None) => Domain::None,
        (Domain::Part, _) | (_, Domain::Part) => Domain::Part,
        (Domain::Whole, Domain::Whole) => Domain::Whole,
    }
}

/// What a result has that needs one of them, it is not known which.
fn either(a: Domain, b: Domain) -> Domain {
    if a == b { a } else { Domain::Part }
}

const UNIT: Interval = Interval {
    low: 0.0,
    high: 1.0,
};
const TRUE: Interval = Interval {
    low: 1.0,
    high: 1.0,
};

fn truth(is_true: bool, is_false: bool) -> Interval {
    match (is_true, is_false) {
        (true, false) => TRUE,
        (false, true) => ZERO,
        _ => UNIT,
    }
}

fn above(x: f64) -> Interval {
    Interval {
        low: x,
        high: f64::INFINITY,
    }
}

fn between(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

/// The value of a function of one argument.
pub(super) fn unary(operator: Unary, x: Interval) -> (Interval, Domain) {
    use std::f64::consts::{FRAC_PI_2, PI};
    let step = |f: fn(f64) -> f64| {
        let value = Interval::new(f(x.low), f(x.high));
        (value, Domain::Whole)
    };
    match operator {
        Unary::Negate => (x.negate(), Domain::Whole),
        Unary::Not => (truth(x.is_zero(), !x.has_zero()), Domain::Whole),
        Unary::Positive => x.rising(|x| x, NOT_NEGATIVE, NOT_NEGATIVE),
        Unary::Sin => (x.sin(), Domain::Whole),
        Unary::Cos => (x.cos(), Domain::Whole),
        Unary::Tan => {
            // Between two zeros of the cosine the tangent rises.
            if x.width() < PI && !x.cos().has_zero() {
                x.rising(f64::tan, ENTIRE, ENTIRE)
            } else {
                (ENTIRE, Domain::Part)
            }
        }
        Unary::Asin => x.rising(f64::asin, between(-1.0, 1.0), between(-1.6, 1.6)),
        Unary::Acos => {
            let (value, domain) =
                x.rising(|x| -f64::acos(x), between(-1.0, 1.0), between(-3.2, 0.0));
            (value.negate(), domain)
        }
        Unary::Atan => x.rising(
            f64::atan,
            ENTIRE,
            between(-FRAC_PI_2.next_up(), FRAC_PI_2.next_up()),
        ),
        Unary::Sigmoid => x.rising(|x| Unary::Sigmoid.apply(x), ENTIRE, between(0.0, 1.0)),
        Unary::Sinh => x.rising(f64::sinh, ENTIRE, ENTIRE),
        Unary::Cosh => x.absolute().rising(f64::cosh, ENTIRE, above(1.0)),
        Unary::Tanh => x.rising(f64::tanh, ENTIRE, between(-1.0, 1.0)),
        Unary::Asinh => x.rising(f64::asinh, ENTIRE, ENTIRE),
        Unary::Acosh => x.rising(f64::acosh, above(1.0), NOT_NEGATIVE),
        Unary::Atanh => x.rising(f64::atanh, between(-1.0, 1.0), ENTIRE),
        Unary::Exp => x.rising(f64::exp, ENTIRE, NOT_NEGATIVE),
        Unary::Expm1 => x.rising(f64::exp_m1, ENTIRE, above(-1.0)),
        Unary::Log => x.rising(f64::ln, NOT_NEGATIVE, ENTIRE),
        Unary::Log10 => x.rising(f64::log10, NOT_NEGATIVE, ENTIRE),
        Unary::Log2 => x.rising(f64::log2, NOT_NEGATIVE, ENTIRE),
        Unary::Log1p => x.rising(f64::ln_1p, above(-1.0), ENTIRE),
        Unary::Sqrt => x.sqrt(),
        Unary::Cbrt => x.rising(f64::cbrt, ENTIRE, ENTIRE),
        Unary::Abs => (x.absolute(), Domain::Whole),
        Unary::Sign => step(|x| Unary::Sign.apply(x)),
        Unary::Floor => step(f64::floor),
        Unary::Ceil => step(f64::ceil),
        Unary::Round => step(f64::round),
    }
}

/// The value of a function of two arguments other than a power.
#[expect(clippy::float_cmp, reason = "== of the language is that of numbers")]
pub(super) fn binary(operator: Binary, a: Interval, b: Interval) -> (Interval, Domain) {
    let whole = |value| (value, Domain::Whole);
    let is_true = |x: Interval| !x.has_zero();
    match operator {
        Binary::Add => whole(a.add(b)),
        Binary::Subtract => whole(a.subtract(b)),
        Binary::Multiply => whole(a.multiply(b)),
        Binary::Divide => a.divide(b),
        Binary::Minimum => whole(a.minimum(b)),
        Binary::Maximum => whole(a.maximum(b)),
        Binary::Equal => whole(truth(
            a.is_point() && b.is_point() && a.low == b.low,
            a.meet(b).is_none(),
        )),
        Binary::NotEqual => whole(truth(
            a.meet(b).is_none(),
            a.is_point() && b.is_point() && a.low == b.low,
        )),
        Binary::Less => whole(truth(a.high < b.low, a.low >= b.high)),
        Binary::LessEqual => whole(truth(a.high <= b.low, a.low > b.high)),
        Binary::Greater => whole(truth(a.low > b.high, a.high <= b.low)),
        Binary::GreaterEqual => whole(truth(a.low >= b.high, a.high < b.low)),
        Binary::And => whole(truth(is_true(a) && is_true(b), a.is_zero() || b.is_zero())),
        Binary::Or => whole(truth(is_true(a) || is_true(b), a.is_zero() && b.is_zero())),
        // These have no interval form here; a program never holds them.
        Binary::Power | Binary::Atan2 | Binary::Modulo | Binary::Hill | Binary::HillSlope => {
            (ENTIRE, Domain::Part)
        }
    }
}

/// exp(b log a) for positive a.
fn free_power(a: Interval, b: Interval) -> (Interval, Domain) {
    if a.low < 0.0 {
        // A negative number has powers with whole exponents.
        return (ENTIRE, Domain::Part);
    }
    let (logarithm, domain) = unary(Unary::Log, a);
    let (value, _) = unary(Unary::Exp, logarithm.multiply(b));
    if a.low == 0.0 {
        return (NOT_NEGATIVE, Domain::Part);
    }
    (value, domain)
}

struct Known<'a> {
    values: &'a [Interval],
    domains: &'a [Domain],
}

impl Known<'_> {
    fn value(&self, register: Register) -> Interval {
        self.values[register as usize]
    }
}

/// The derivatives of one register into `own`, which holds zeros.
fn gradient<'a>(
    op: Op,
    register: usize,
    known: &Known<'_>,
    of: &impl Fn(Register) -> &'a [Interval],
    own: &mut [Interval],
) {
    let result = known.values[register];
    match op {
        Op::Constant(_) => {}
        Op::Variable(position) => {
            if let Some(entry) = own.get_mut(position as usize) {
                *entry = TRUE;
            }
        }
        Op::Unary(Unary::Negate, a) => {
            for (own, a) in own.iter_mut().zip(of(a)) {
                *own = a.negate();
            }
        }
        Op::Unary(operator, a) => {
            scaled(own, of(a), || slope(operator, known.value(a), result));
        }
        Op::Power(a, exponent) => scaled(own, of(a), || {
            let factor = Interval::point(f64::from(exponent));
            factor.multiply(known.value(a).power(exponent - 1))
        }),
        Op::GeneralPower(a, exponent) => scaled(own, of(a), || {
            let factor = Interval::point(exponent);
            // Rounding the exponent once outwards.
            let less = Interval::point(exponent).subtract(TRUE);
            let (low, _) = known.value(a).general_power(less.low);
            let (high, _) = known.value(a).general_power(less.high);
            factor.multiply(low.hull(high))
        }),
        Op::FreePower(a, b) => {
            let (x, y) = (known.value(a), known.value(b));
            let by_base = || result.multiply(y.divide(x).0);
            let by_exponent = || result.multiply(unary(Unary::Log, x).0);
            scaled(own, of(a), by_base);
            added(own, of(b), by_exponent);
        }
        Op::If(c, a, b) => {
            let condition = known.value(c);
            let is_known = known.domains[c as usize] == Domain::Whole;
            if is_known && !condition.has_zero() {
                own.copy_from_slice(of(a));
            } else if is_known && condition.is_zero() {
                own.copy_from_slice(of(b));
            } else {
                // It may jump.
                own.fill(ENTIRE);
            }
        }
        Op::Binary(operator, a, b) => binary_gradient(operator, (a, b), result, known, of, own),
    }
}

fn binary_gradient<'a>(
    operator: Binary,
    (a, b): (Register, Register),
    result: Interval,
    known: &Known<'_>,
    of: &impl Fn(Register) -> &'a [Interval],
    own: &mut [Interval],
) {
    let pairs = || of(a).iter().zip(of(b));
    let (x, y) = (known.value(a), known.value(b));
    match operator {
        Binary::Add => {
            for (own, (a, b)) in own.iter_mut().zip(pairs()) {
                *own = a.add(*b);
            }
        }
        Binary::Subtract => {
            for (own, (a, b)) in own.iter_mut().zip(pairs()) {
                *own = a.subtract(*b);
            }
        }
        Binary::Multiply => {
            for (own, (a, b)) in own.iter_mut().zip(pairs()) {
                *own = a.multiply(y).add(b.multiply(x));
            }
        }
        Binary::Divide => {
            for (own, (a, b)) in own.iter_mut().zip(pairs()) {
                let above = a.subtract(result.multiply(*b));
                *own = if above.is_zero() {
                    ZERO
                } else {
                    above.divide(y).0
                };
            }
        }
        Binary::Minimum | Binary::Maximum => {
            let first = if operator == Binary::Minimum {
                (x.high < y.low, y.high < x.low)
            } else {
                (x.low > y.high, y.low > x.high)
            };
            for (own, (a, b)) in own.iter_mut().zip(pairs()) {
                *own = match first {
                    (true, _) => *a,
                    (_, true) => *b,
                    _ => a.hull(*b),
                };
            }
        }
        _ if result.is_point() => {}
        // A jump within the box, if the operands vary at all.
        _ => {
            for (own, (a, b)) in own.iter_mut().zip(pairs()) {
                *own = if a.is_zero() && b.is_zero() {
                    ZERO
                } else {
                    ENTIRE
                };
            }
        }
    }
}

/// own = by * a; the factor is worked out only when it is needed.
fn scaled(own: &mut [Interval], a: &[Interval], by: impl Fn() -> Interval) {
    if a.iter().all(|entry| entry.is_zero()) {
        return;
    }
    let by = by();
    for (own, a) in own.iter_mut().zip(a) {
        *own = a.multiply(by);
    }
}

/// own = own + by * a.
fn added(own: &mut [Interval], a: &[Interval], by: impl Fn() -> Interval) {
    if a.iter().all(|entry| entry.is_zero()) {
        return;
    }
    let by = by();
    for (own, a) in own.iter_mut().zip(a) {
        *own = own.add(a.multiply(by));
    }
}

/// The derivative of a function of one argument over `x`, where `f` encloses its values.
fn slope(operator: Unary, x: Interval, f: Interval) -> Interval {
    let one = TRUE;
    let over = |a: Interval, b: Interval| a.divide(b).0;
    let root_of = |inner: Interval| inner.sqrt().0;
    let constant = |x: f64| between(x.next_down(), x.next_up());
    match operator {
        Unary::Negate => Interval::point(-1.0),
        Unary::Positive => one,
        Unary::Sin => x.cos(),
        Unary::Cos => x.sin().negate(),
        Unary::Tan => one.add(f.power(2)),
        Unary::Asin => over(one, root_of(one.subtract(x.power(2)))),
        Unary::Acos => over(one, root_of(one.subtract(x.power(2)))).negate(),
        Unary::Atan => over(one, one.add(x.power(2))),
        Unary::Sinh => unary(Unary::Cosh, x).0,
        Unary::Cosh => unary(Unary::Sinh, x).0,
        Unary::Tanh => one.subtract(f.power(2)),
        Unary::Asinh => over(one, root_of(one.add(x.power(2)))),
        Unary::Acosh => over(one, root_of(x.power(2).subtract(one))),
        Unary::Atanh => over(one, one.subtract(x.power(2))),
        Unary::Sigmoid => f.multiply(unary(Unary::Sigmoid, x.negate()).0),
        Unary::Exp => f,
        Unary::Expm1 => unary(Unary::Exp, x).0,
        Unary::Log => over(one, x),
        Unary::Log10 => over(constant(std::f64::consts::LOG10_E), x),
        Unary::Log2 => over(constant(std::f64::consts::LOG2_E), x),
        Unary::Log1p => over(one, one.add(x)),
        Unary::Sqrt => over(Interval::point(0.5), f),
        Unary::Cbrt => over(one, Interval::point(3.0).multiply(f.power(2))),
        // At the kink every slope between those of its sides (F. H. Clarke's derivative).
        Unary::Abs if x.has_zero() => between(-1.0, 1.0),
        Unary::Abs => unary(Unary::Sign, x).0,
        Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round | Unary::Not => {
            if f.is_point() {
                ZERO
            } else {
                ENTIRE
            }
        }
    }
}

#[cfg(test)]
mod tests;
