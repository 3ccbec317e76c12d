//! Expressions as quotients of polynomials, and the signs that follow.
//!
//! In: a scalar expression, and between which values its symbols lie. Out: whether it can be
//! negative, and whether it can be positive. What is no polynomial (`exp(x)`, `x^n` with a symbol n)
//! stands in the polynomials as an unknown of its own whose range follows from its operands. Terms
//! cancel before signs are read: 1/(1 + x^2) - x^2/(1 + x^2)^2 is seen to be positive.

use super::{Binary, Expr, Node, Pool, SymbolId, Unary};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// All values between two numbers, which may be infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
}

impl Span {
    /// Every number.
    pub const ALL: Span = Span {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };
    /// Every number from zero.
    pub const NOT_NEGATIVE: Span = Span {
        low: 0.0,
        high: f64::INFINITY,
    };

    /// One number; every number when it is not finite.
    #[must_use]
    pub fn point(x: f64) -> Span {
        if x.is_finite() {
            Span { low: x, high: x }
        } else {
            Span::ALL
        }
    }

    fn hull(self, other: Span) -> Span {
        Span {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    fn times(self, other: Span) -> Span {
        let product = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
        let corners = [
            product(self.low, other.low),
            product(self.low, other.high),
            product(self.high, other.low),
            product(self.high, other.high),
        ];
        Span {
            low: corners.iter().copied().fold(f64::INFINITY, f64::min),
            high: corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn power(self, exponent: u32) -> Span {
        let power = |x: f64| x.powi(i32::try_from(exponent).unwrap_or(i32::MAX));
        let ends = (power(self.low), power(self.high));
        if exponent % 2 == 1 {
            return Span {
                low: ends.0,
                high: ends.1,
            };
        }
        Span {
            low: if self.low <= 0.0 && self.high >= 0.0 {
                0.0
            } else {
                ends.0.min(ends.1)
            },
            high: ends.0.max(ends.1),
        }
    }
}

/// What is known of the sign of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It is zero everywhere.
    Zero,
    /// Nowhere below zero.
    NotNegative,
    /// Nowhere above zero.
    NotPositive,
    /// It may have either sign, as far as can be seen.
    Unknown,
}

impl Sign {
    /// The sign of a product.
    #[must_use]
    pub fn times(self, other: Sign) -> Sign {
        match (self, other) {
            (Sign::Zero, _) | (_, Sign::Zero) => Sign::Zero,
            (Sign::Unknown, _) | (_, Sign::Unknown) => Sign::Unknown,
            _ if self == other => Sign::NotNegative,
            _ => Sign::NotPositive,
        }
    }
}

/// Unknowns with their exponents, in ascending order, none zero.
type Monomial = Vec<(Expr, u32)>;

/// Terms with their coefficients, none zero.
#[derive(Debug, Clone, PartialEq, Default)]
struct Polynomial(BTreeMap<Monomial, f64>);

/// More terms than this are not multiplied out.
const MOST_TERMS: usize = 400;
/// Higher powers are unknowns of their own.
const HIGHEST: f64 = 8.0;
/// A coefficient this small beside what it was left over from is round-off.
const ROUND_OFF: f64 = 1e-14;
/// A sum of terms of both signs counts as positive when it exceeds its round-off by far.
const SLACK: f64 = 1e-10;

impl Polynomial {
    fn constant(value: f64) -> Polynomial {
        let mut terms = BTreeMap::new();
        if value != 0.0 {
            terms.insert(Vec::new(), value);
        }
        Polynomial(terms)
    }

    fn unknown(atom: Expr) -> Polynomial {
        Polynomial(BTreeMap::from([(vec![(atom, 1)], 1.0)]))
    }

    fn add(&mut self, monomial: Monomial, added: f64) {
        let known = self.0.entry(monomial).or_insert(0.0);
        let size = known.abs() + added.abs();
        *known += added;
        if known.abs() <= ROUND_OFF * size {
            *known = 0.0;
        }
    }

    fn without_zeros(mut self) -> Polynomial {
        self.0.retain(|_, coefficient| *coefficient != 0.0);
        self
    }

    fn plus(&self, other: &Polynomial, factor: f64) -> Polynomial {
        let mut sum = self.clone();
        for (monomial, coefficient) in &other.0 {
            sum.add(monomial.clone(), factor * coefficient);
        }
        sum.without_zeros()
    }

    fn times(&self, other: &Polynomial) -> Option<Polynomial> {
        if self.0.len().saturating_mul(other.0.len()) > MOST_TERMS * 4 {
            return None;
        }
        let mut product = Polynomial::default();
        for (a, x) in &self.0 {
            for (b, y) in &other.0 {
                product.add(joined(a, b), x * y);
            }
        }
        let product = product.without_zeros();
        (product.0.len() <= MOST_TERMS).then_some(product)
    }

    /// Between which values it lies, given those of its unknowns.
    fn span(&self, of: &dyn Fn(Expr) -> Span) -> Span {
        let (mut low, mut high) = (0.0, 0.0);
        let (mut below, mut above) = (0.0, 0.0);
        for (monomial, coefficient) in &self.0 {
            let mut term = Span::point(*coefficient);
            for (atom, exponent) in monomial {
                term = term.times(of(*atom).power(*exponent));
            }
            low += term.low;
            high += term.high;
            below += term.low.min(0.0);
            above += term.high.max(0.0);
        }
        // Terms of one sign have no round-off in their sign; of both signs it is allowed for.
        let slack = |end: f64, size: f64| {
            if end.is_finite() && size.is_finite() {
                SLACK * size
            } else {
                0.0
            }
        };
        if low.is_nan() || high.is_nan() {
            return Span::ALL;
        }
        Span {
            low: if below < 0.0 {
                low - slack(low, low - 2.0 * below)
            } else {
                low
            },
            high: if above > 0.0 {
                high + slack(high, 2.0 * above - high)
            } else {
                high
            },
        }
    }
}

fn joined(a: &Monomial, b: &Monomial) -> Monomial {
    let mut exponents: BTreeMap<Expr, u32> = a.iter().copied().collect();
    for (atom, exponent) in b {
        *exponents.entry(*atom).or_insert(0) += exponent;
    }
    exponents.into_iter().collect()
}

/// A polynomial over a product of powers of others.
#[derive(Debug, Clone)]
struct Rational {
    top: Polynomial,
    bottom: Vec<(Polynomial, u32)>,
}

impl Rational {
    fn whole(top: Polynomial) -> Rational {
        Rational {
            top,
            bottom: Vec::new(),
        }
    }

    fn plus(&self, other: &Rational, factor: f64) -> Option<Rational> {
        // The least common denominator.
        let mut bottom = self.bottom.clone();
        for (polynomial, exponent) in &other.bottom {
            match bottom.iter_mut().find(|(known, _)| known == polynomial) {
                Some((_, known)) => *known = (*known).max(*exponent),
                None => bottom.push((polynomial.clone(), *exponent)),
            }
        }
        let raised = |of: &Rational| {
            let mut top = of.top.clone();
            for (polynomial, exponent) in &bottom {
                let own = of.bottom.iter().find(|(known, _)| known == polynomial);
                for _ in own.map_or(0, |(_, own)| *own)..*exponent {
                    top = top.times(polynomial)?;
                }
            }
            Some(top)
        };
        let top = raised(self)?.plus(&raised(other)?, factor);
        Some(Rational { top, bottom })
    }

    fn times(&self, other: &Rational) -> Option<Rational> {
        let mut product = Rational {
            top: self.top.times(&other.top)?,
            bottom: self.bottom.clone(),
        };
        for (polynomial, exponent) in &other.bottom {
            product.divide(polynomial, *exponent);
        }
        Some(product)
    }

    /// Divides by a power of a polynomial.
    fn divide(&mut self, by: &Polynomial, exponent: u32) {
        if let (1, Some((monomial, coefficient))) = (by.0.len(), by.0.iter().next())
            && monomial.is_empty()
        {
            let factor = coefficient.powi(-i32::try_from(exponent).unwrap_or(1));
            for term in self.top.0.values_mut() {
                *term *= factor;
            }
            return;
        }
        match self.bottom.iter_mut().find(|(known, _)| known == by) {
            Some((_, known)) => *known += exponent,
            None => self.bottom.push((by.clone(), exponent)),
        }
    }

    fn inverse(&self) -> Option<Rational> {
        let mut top = Polynomial::constant(1.0);
        for (polynomial, exponent) in &self.bottom {
            for _ in 0..*exponent {
                top = top.times(polynomial)?;
            }
        }
        let mut inverse = Rational::whole(top);
        if self.top.0.is_empty() {
            return None;
        }
        inverse.divide(&self.top, 1);
        Some(inverse)
    }
}

/// Reads signs of expressions of one pool.
pub struct Signs<'p> {
    pool: &'p Pool,
    symbols: FxHashMap<SymbolId, Span>,
    /// What some symbols stand for.
    meanings: FxHashMap<SymbolId, Expr>,
    /// What was worked out: expressions share their parts.
    known: RefCell<FxHashMap<Expr, Option<Rational>>>,
    ranges: RefCell<FxHashMap<Expr, Span>>,
}

/// Deeper expressions are not followed.
const DEEPEST: u32 = 200;

impl<'p> Signs<'p> {
    /// `symbols` says between which values symbols lie (others: every number), `meanings` which of
    /// them stand for expressions.
    #[must_use]
    pub fn new(
        pool: &'p Pool,
        symbols: FxHashMap<SymbolId, Span>,
        meanings: FxHashMap<SymbolId, Expr>,
    ) -> Signs<'p> {
        Signs {
            pool,
            symbols,
            meanings,
            known: RefCell::default(),
            ranges: RefCell::default(),
        }
    }

    /// The pool of the expressions.
    #[must_use]
    pub fn pool(&self) -> &'p Pool {
        self.pool
    }

    /// The same with a symbol between other values.
    pub fn set(&mut self, symbol: SymbolId, span: Span) {
        self.symbols.insert(symbol, span);
        self.meanings.remove(&symbol);
        self.known.borrow_mut().clear();
        self.ranges.borrow_mut().clear();
    }

    /// Between which values a symbol lies.
    #[must_use]
    pub fn of_symbol(&self, symbol: SymbolId) -> Span {
        let span = self.symbols.get(&symbol);
        span.copied().unwrap_or(Span::ALL)
    }

    /// The sign of a scalar expression.
    #[must_use]
    pub fn sign(&self, expr: Expr) -> Sign {
        let span = match self.rational(expr, 0) {
            Some(rational) => self.of_rational(&rational),
            None => self.span(expr, 0),
        };
        match (span.low >= 0.0, span.high <= 0.0) {
            (true, true) => Sign::Zero,
            (true, false) => Sign::NotNegative,
            (false, true) => Sign::NotPositive,
            (false, false) => Sign::Unknown,
        }
    }

    /// The sign of (a - d)^2 + 4 b c: eigenvalues of [a, b; c, d] are real where it is not
    /// negative.
    #[must_use]
    pub fn discriminant(&self, [a, b, c, d]: [Expr; 4]) -> Sign {
        if matches!(
            self.sign(b).times(self.sign(c)),
            Sign::Zero | Sign::NotNegative
        ) {
            return Sign::NotNegative;
        }
        let found = || {
            let of = |expr: Expr| self.rational(expr, 0);
            let difference = of(a)?.plus(&of(d)?, -1.0)?;
            let square = difference.times(&difference)?;
            let product = of(b)?.times(&of(c)?)?;
            square.plus(&product, 4.0)
        };
        let span = found().map_or(Span::ALL, |rational| self.of_rational(&rational));
        if span.low >= 0.0 {
            Sign::NotNegative
        } else if span.high <= 0.0 {
            Sign::NotPositive
        } else {
            Sign::Unknown
        }
    }

    fn of_rational(&self, rational: &Rational) -> Span {
        let of = |atom: Expr| self.atom(atom, 0);
        let mut span = rational.top.span(&of);
        for (polynomial, exponent) in &rational.bottom {
            span = quotient(span, polynomial.span(&of).power(*exponent));
        }
        span
    }

    /// An expression as a quotient of polynomials; `None` when it is too large.
    fn rational(&self, expr: Expr, depth: u32) -> Option<Rational> {
        if let Some(known) = self.known.borrow().get(&expr) {
            return known.clone();
        }
        if depth > DEEPEST {
            return None;
        }
        let found = self.multiplied_out(expr, depth);
        self.known.borrow_mut().insert(expr, found.clone());
        found
    }

    fn multiplied_out(&self, expr: Expr, depth: u32) -> Option<Rational> {
        let of = |expr: Expr| self.rational(expr, depth + 1);
        let atom = || Some(Rational::whole(Polynomial::unknown(expr)));
        match self.pool.node(expr) {
            Node::Constant(bits) => {
                let value = f64::from_bits(*bits);
                value
                    .is_finite()
                    .then(|| Rational::whole(Polynomial::constant(value)))
            }
            Node::Symbol(symbol) => {
                if let Some(meaning) = self.meanings.get(symbol) {
                    return of(*meaning);
                }
                // A symbol with one value is a number.
                let span = self.of_symbol(*symbol);
                if span.low == span.high {
                    return Some(Rational::whole(Polynomial::constant(span.low)));
                }
                atom()
            }
            Node::Unary(Unary::Negate, a) => {
                let none = Rational::whole(Polynomial::default());
                none.plus(&of(*a)?, -1.0)
            }
            Node::Binary(Binary::Add, a, b) => of(*a)?.plus(&of(*b)?, 1.0),
            Node::Binary(Binary::Subtract, a, b) => of(*a)?.plus(&of(*b)?, -1.0),
            Node::Binary(Binary::Multiply, a, b) => of(*a)?.times(&of(*b)?),
            Node::Binary(Binary::Divide, a, b) => of(*a)?.times(&of(*b)?.inverse()?),
            Node::Binary(Binary::Power, a, b) => match self.whole_number(*b) {
                Some(exponent) => {
                    let base = of(*a)?;
                    let base = if exponent < 0 { base.inverse()? } else { base };
                    let mut power = Rational::whole(Polynomial::constant(1.0));
                    for _ in 0..exponent.unsigned_abs() {
                        power = power.times(&base)?;
                    }
                    Some(power)
                }
                None => atom(),
            },
            _ => atom(),
        }
    }

    /// A small whole number, written or held by a symbol.
    fn whole_number(&self, expr: Expr) -> Option<i32> {
        let value = match self.pool.node(expr) {
            Node::Constant(bits) => f64::from_bits(*bits),
            Node::Symbol(symbol) if !self.meanings.contains_key(symbol) => {
                let span = self.of_symbol(*symbol);
                if span.low == span.high {
                    span.low
                } else {
                    return None;
                }
            }
            _ => return None,
        };
        #[expect(clippy::cast_possible_truncation, reason = "at most eight")]
        (value.fract() == 0.0 && value.abs() <= HIGHEST).then_some(value as i32)
    }

    /// Between which values an unknown of a polynomial lies.
    fn atom(&self, expr: Expr, depth: u32) -> Span {
        if let Some(known) = self.ranges.borrow().get(&expr) {
            return *known;
        }
        if depth > DEEPEST {
            return Span::ALL;
        }
        let found = self.range(expr, depth);
        self.ranges.borrow_mut().insert(expr, found);
        found
    }

    fn range(&self, expr: Expr, depth: u32) -> Span {
        match self.pool.node(expr) {
            Node::Symbol(symbol) => self.of_symbol(*symbol),
            // One number of a vector: between the same values as all of them.
            Node::Element(of, _) => match self.pool.node(*of) {
                Node::Symbol(symbol) => self.of_symbol(*symbol),
                _ => Span::ALL,
            },
            Node::Unary(function, a) => of_function(*function, self.span(*a, depth + 1)),
            Node::Binary(Binary::Power, a, _) if self.span(*a, depth + 1).low >= 0.0 => {
                Span::NOT_NEGATIVE
            }
            Node::Binary(Binary::Minimum, a, b) => {
                let (a, b) = (self.span(*a, depth + 1), self.span(*b, depth + 1));
                Span {
                    low: a.low.min(b.low),
                    high: a.high.min(b.high),
                }
            }
            Node::Binary(Binary::Maximum, a, b) => {
                let (a, b) = (self.span(*a, depth + 1), self.span(*b, depth + 1));
                Span {
                    low: a.low.max(b.low),
                    high: a.high.max(b.high),
                }
            }
            Node::Binary(Binary::Hill, ..) => Span {
                low: 0.0,
                high: 1.0,
            },
            // It has the sign of the exponent.
            Node::Binary(Binary::HillSlope, _, n) if self.span(*n, depth + 1).low >= 0.0 => {
                Span::NOT_NEGATIVE
            }
            Node::Binary(operator, ..) if operator.is_logical() => Span {
                low: 0.0,
                high: 1.0,
            },
            Node::If(_, a, b) => self.span(*a, depth + 1).hull(self.span(*b, depth + 1)),
            _ => Span::ALL,
        }
    }

    fn span(&self, expr: Expr, depth: u32) -> Span {
        if depth > DEEPEST {
            return Span::ALL;
        }
        match self.rational(expr, depth) {
            // An expression that is its own only unknown.
            Some(rational) if rational.bottom.is_empty() && is_unknown(&rational.top, expr) => {
                self.atom(expr, depth + 1)
            }
            Some(rational) => {
                let of = |atom: Expr| self.atom(atom, depth + 1);
                let mut span = rational.top.span(&of);
                for (polynomial, exponent) in &rational.bottom {
                    span = quotient(span, polynomial.span(&of).power(*exponent));
                }
                span
            }
            None => Span::ALL,
        }
    }
}

fn is_unknown(polynomial: &Polynomial, expr: Expr) -> bool {
    *polynomial == Polynomial::unknown(expr)
}

/// A quotient; of a divisor that touches zero only its sign is used, since the equations are
/// finite where they are looked at.
fn quotient(top: Span, bottom: Span) -> Span {
    let inverse = |x: f64| if x == 0.0 { f64::INFINITY } else { 1.0 / x };
    if bottom.low >= 0.0 {
        top.times(Span {
            low: if bottom.high.is_infinite() {
                0.0
            } else {
                inverse(bottom.high)
            },
            high: inverse(bottom.low),
        })
    } else if bottom.high <= 0.0 {
        let turned = Span {
            low: -bottom.high,
            high: -bottom.low,
        };
        let negative = Span {
            low: -top.high,
            high: -top.low,
        };
        quotient(negative, turned)
    } else if top.low == 0.0 && top.high == 0.0 {
        top
    } else {
        Span::ALL
    }
}

/// The range of a function, by its sign at least.
fn of_function(function: Unary, of: Span) -> Span {
    let monotone = |f: fn(f64) -> f64| {
        // Rounding may move a bound, but not through zero.
        let (low, high) = (f(of.low), f(of.high));
        if low.is_nan() || high.is_nan() {
            return Span::ALL;
        }
        let wider = |x: f64| x.abs() * SLACK;
        Span {
            low: low - wider(low),
            high: high + wider(high),
        }
    };
    match function {
        Unary::Exp => monotone(f64::exp),
        Unary::Expm1 => monotone(f64::exp_m1),
        Unary::Tanh => monotone(f64::tanh),
        Unary::Atan => monotone(f64::atan),
        Unary::Sigmoid => monotone(|x| Unary::Sigmoid.apply(x)),
        Unary::Sinh => monotone(f64::sinh),
        Unary::Asinh => monotone(f64::asinh),
        Unary::Cbrt => monotone(f64::cbrt),
        Unary::Log if of.low >= 0.0 => monotone(f64::ln),
        Unary::Log1p if of.low >= -1.0 => monotone(f64::ln_1p),
        Unary::Log10 if of.low >= 0.0 => monotone(f64::log10),
        Unary::Log2 if of.low >= 0.0 => monotone(f64::log2),
        Unary::Sqrt | Unary::Abs => Span::NOT_NEGATIVE,
        Unary::Cosh => Span {
            low: 1.0,
            high: f64::INFINITY,
        },
        Unary::Sin | Unary::Cos => Span {
            low: -1.0,
            high: 1.0,
        },
        Unary::Positive => Span {
            low: of.low.max(0.0),
            high: of.high.max(0.0),
        },
        Unary::Not => Span {
            low: 0.0,
            high: 1.0,
        },
        Unary::Sign => Span {
            low: if of.low >= 0.0 { 0.0 } else { -1.0 },
            high: if of.high <= 0.0 { 0.0 } else { 1.0 },
        },
        _ => Span::ALL,
    }
}
