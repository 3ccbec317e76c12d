//! The derivatives of single operations.
//!
//! Enters: an operation, its operands and value, and a factor (a tangent or an adjoint). Leaves:
//! the factor times the partial derivative. Must not know the order of a walk.
//!
//! Products and sums of derivatives are free to gather numbers in front, which would be wrong for
//! an expression of the model: a derivative has no rounding of its own to keep.

use crate::symbolic::{Binary, Expr, Node, Pool, Unary};

/// Where the factor comes from, which decides the order of products so that they read as the
/// source does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::symbolic) enum Walk {
    /// A tangent takes the operand's place.
    Forward,
    /// An adjoint comes from what stands to the right.
    Backward,
}

/// Which operand of two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::symbolic) enum Side {
    Left,
    Right,
}

/// An expression as a number times the rest; `None` when it is a number only.
fn peel(pool: &Pool, expr: Expr) -> (f64, Option<Expr>) {
    match *pool.node(expr) {
        Node::Constant(bits) => (f64::from_bits(bits), None),
        Node::Unary(Unary::Negate, inner) => (-1.0, Some(inner)),
        Node::Binary(Binary::Multiply, factor, rest) => match pool.as_constant(factor) {
            Some(value) => (value, Some(rest)),
            None => (1.0, Some(expr)),
        },
        _ => (1.0, Some(expr)),
    }
}

/// The product element by element, with numbers gathered in front and `a*(1/b)` as `a/b`.
pub(in crate::symbolic) fn times(pool: &mut Pool, a: Expr, b: Expr) -> Expr {
    let ((p, left), (q, right)) = (peel(pool, a), peel(pool, b));
    let number = p * q;
    match (left, right) {
        _ if !number.is_finite() => pool.mul(a, b),
        (None, None) => pool.constant(number),
        (Some(rest), None) | (None, Some(rest)) => scaled(pool, number, rest),
        (Some(left), Some(right)) => {
            let product = times_quotient(pool, left, right);
            scaled(pool, number, product)
        }
    }
}

/// The product, where a quotient of a number takes the other factor above its line.
fn times_quotient(pool: &mut Pool, a: Expr, b: Expr) -> Expr {
    for (quotient, other) in [(a, b), (b, a)] {
        if let Node::Binary(Binary::Divide, number, below) = *pool.node(quotient)
            && let Some(number) = pool.as_constant(number)
        {
            let above = scaled(pool, number, other);
            return pool.div(above, below);
        }
    }
    pool.mul(a, b)
}

/// `number*expr`, taken into the number in front when there is one.
fn scaled(pool: &mut Pool, number: f64, expr: Expr) -> Expr {
    let (own, rest) = peel(pool, expr);
    let product = number * own;
    match rest {
        None => pool.constant(product),
        Some(rest) if product.is_finite() => {
            if let Node::Binary(Binary::Divide, above, below) = *pool.node(rest)
                && let Some(above) = pool.as_constant(above)
                && (product * above).is_finite()
            {
                return pool.divide_number(product * above, below);
            }
            pool.scale(product, rest)
        }
        Some(_) => pool.scale(number, expr),
    }
}

/// The sum, with like terms joined and a positive term first.
pub(in crate::symbolic) fn plus(pool: &mut Pool, a: Expr, b: Expr) -> Expr {
    let ((p, left), (q, right)) = (peel(pool, a), peel(pool, b));
    if left.is_some() && left == right && (p + q).is_finite() {
        let rest = left.unwrap_or(a);
        let shape = pool.shape(a);
        let sum = pool.scale(p + q, rest);
        return pool.broadcast(sum, shape);
    }
    if q < 0.0 && right.is_some() {
        let b = pool.neg(b);
        return pool.sub(a, b);
    }
    if p < 0.0 && left.is_some() {
        let a = pool.neg(a);
        return pool.sub(b, a);
    }
    pool.add(a, b)
}

/// `factor` times the derivative of a function of one argument at `x`, where `f` is its value.
/// `None` when the derivative is 0.
pub(in crate::symbolic) fn unary_chain(
    pool: &mut Pool,
    operator: Unary,
    x: Expr,
    f: Expr,
    factor: Expr,
) -> Option<Expr> {
    let slope = operator.derivative(pool, x, f);
    (!pool.is_zero(slope)).then(|| times(pool, factor, slope))
}

/// `factor` times the partial derivative of a function of two arguments at `(l, r)`, where `f` is
/// its value. `None` when the derivative is 0.
pub(in crate::symbolic) fn binary_chain(
    pool: &mut Pool,
    operator: Binary,
    (l, r, f): (Expr, Expr, Expr),
    side: Side,
    walk: Walk,
    factor: Expr,
) -> Option<Expr> {
    let product = match (operator, side) {
        (Binary::Add, _) | (Binary::Subtract | Binary::Modulo, Side::Left) => factor,
        (Binary::Subtract, Side::Right) => pool.neg(factor),
        (Binary::Multiply, Side::Left) if walk == Walk::Forward => times(pool, factor, r),
        (Binary::Multiply, Side::Left) => times(pool, r, factor),
        (Binary::Multiply, Side::Right) => times(pool, l, factor),
        (Binary::Divide, Side::Left) => pool.div(factor, r),
        (Binary::Divide, Side::Right) => {
            let above = times(pool, f, factor);
            let quotient = pool.div(above, r);
            pool.neg(quotient)
        }
        (Binary::Power, Side::Left) => base_chain(pool, l, r, factor)?,
        (Binary::Power, Side::Right) => exponent_chain(pool, l, f, factor)?,
        (Binary::Minimum, _) => chosen(pool, Binary::LessEqual, (l, r), side, factor)?,
        (Binary::Maximum, _) => chosen(pool, Binary::GreaterEqual, (l, r), side, factor)?,
        (Binary::Atan2, _) => {
            let (a, b) = (pool.power(l, 2.0), pool.power(r, 2.0));
            let below = pool.add(a, b);
            let other = if side == Side::Left { r } else { l };
            let above = times(pool, factor, other);
            let quotient = pool.div(above, below);
            if side == Side::Left {
                quotient
            } else {
                pool.neg(quotient)
            }
        }
        (Binary::Hill, Side::Left) => {
            let slope = pool.binary(Binary::HillSlope, l, r).ok()?;
            times(pool, factor, slope)
        }
        (Binary::Hill, Side::Right) => {
            let rest = hill_rest(pool, l, r)?;
            let product = pool.mul(f, rest);
            let logarithm = pool.unary(Unary::Log, l);
            let slope = times(pool, product, logarithm);
            let slope = where_positive(pool, l, slope)?;
            times(pool, factor, slope)
        }
        (Binary::HillSlope, _) => {
            let slope = slope_chain(pool, l, r, f, side)?;
            times(pool, factor, slope)
        }
        (Binary::Modulo, Side::Right) => {
            let quotient = pool.div(l, r);
            let whole = pool.unary(Unary::Floor, quotient);
            let product = times(pool, factor, whole);
            pool.neg(product)
        }
        (
            Binary::Equal
            | Binary::NotEqual
            | Binary::Less
            | Binary::LessEqual
            | Binary::Greater
            | Binary::GreaterEqual
            | Binary::And
            | Binary::Or,
            _,
        ) => return None,
    };
    Some(product)
}

/// By the base: `y*x^(y - 1)`, which is finite at `x = 0` for `y >= 1`.
fn base_chain(pool: &mut Pool, x: Expr, y: Expr, factor: Expr) -> Option<Expr> {
    if let Some(exponent) = pool.as_constant(y) {
        let power = pool.power(x, exponent - 1.0);
        let slope = scaled(pool, exponent, power);
        return (exponent != 0.0).then(|| times(pool, factor, slope));
    }
    let one = pool.constant(1.0);
    let lower = pool.sub(y, one);
    let power = pool.pow(x, lower);
    let slope = times(pool, y, power);
    Some(times(pool, factor, slope))
}

/// By the exponent: `x^y*log(x)`, and 0 for `x = 0`.
fn exponent_chain(pool: &mut Pool, x: Expr, f: Expr, factor: Expr) -> Option<Expr> {
    if pool.is_zero(x) {
        return None;
    }
    let logarithm = pool.unary(Unary::Log, x);
    let slope = times(pool, f, logarithm);
    if pool.as_constant(x).is_some() {
        return (!pool.is_zero(slope)).then(|| times(pool, factor, slope));
    }
    let zero = pool.constant(0.0);
    let at_zero = pool.binary(Binary::Equal, x, zero).ok()?;
    let guarded = pool.conditional(at_zero, zero, slope).ok()?;
    Some(times(pool, factor, guarded))
}

/// 1 - h for the h of `r` and `n`, without a difference.
fn hill_rest(pool: &mut Pool, r: Expr, n: Expr) -> Option<Expr> {
    let opposite = pool.neg(n);
    pool.binary(Binary::Hill, r, opposite).ok()
}

/// An expression where `r` is above 0, and 0 elsewhere.
fn where_positive(pool: &mut Pool, r: Expr, expr: Expr) -> Option<Expr> {
    let zero = pool.constant(0.0);
    let positive = pool.binary(Binary::Greater, r, zero).ok()?;
    pool.conditional(positive, expr, zero).ok()
}

/// The derivative of f = n r^(n-1) (1-h)^2, where h = r^n/(1 + r^n): by r it is
/// f/r ((n - 1) (1 - h) - (n + 1) h), at r = 0 the limit from above, n (n-1) r^(n-2); by n it is
/// f (1/n + (1 - 2h) log r), 0 at r = 0 and below.
fn slope_chain(pool: &mut Pool, r: Expr, n: Expr, f: Expr, side: Side) -> Option<Expr> {
    let full = pool.binary(Binary::Hill, r, n).ok()?;
    let rest = hill_rest(pool, r, n)?;
    let one = pool.constant(1.0);
    if side == Side::Right {
        let asymmetry = pool.sub(rest, full);
        let logarithm = pool.unary(Unary::Log, r);
        let grown = times(pool, asymmetry, logarithm);
        let own = pool.div(one, n);
        let sum = plus(pool, own, grown);
        let slope = times(pool, f, sum);
        return where_positive(pool, r, slope);
    }
    let (less, more) = (pool.sub(n, one), pool.add(n, one));
    let up = times(pool, less, rest);
    let down = times(pool, more, full);
    let bend = pool.sub(up, down);
    let above = times(pool, f, bend);
    let inside = pool.div(above, r);
    let two = pool.constant(2.0);
    let exponent = pool.sub(n, two);
    let power = pool.pow(r, exponent);
    let factors = times(pool, n, less);
    let limit = times(pool, factors, power);
    let zero = pool.constant(0.0);
    let at_zero = pool.binary(Binary::Equal, r, zero).ok()?;
    let outside = pool.conditional(at_zero, limit, zero).ok()?;
    let positive = pool.binary(Binary::Greater, r, zero).ok()?;
    pool.conditional(positive, inside, outside).ok()
}

/// The factor where this side is the one chosen by the comparison, 0 elsewhere.
fn chosen(
    pool: &mut Pool,
    comparison: Binary,
    (l, r): (Expr, Expr),
    side: Side,
    factor: Expr,
) -> Option<Expr> {
    let zero = pool.constant(0.0);
    let condition = pool.binary(comparison, l, r).ok()?;
    match side {
        Side::Left => pool.conditional(condition, factor, zero).ok(),
        Side::Right => pool.conditional(condition, zero, factor).ok(),
    }
}
