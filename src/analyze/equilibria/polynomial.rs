//! How far out the roots of a polynomial lie, and so of a rational function.
//!
//! Enters: a program of one variable. Leaves: a bound on the size of all its real roots, by M.
//! Fujiwara (Tohoku Math. J. 10 (1916) 167): 2 max |a_(n-k) / a_n|^(1/k).

use super::interval::{Interval, ZERO};
use super::program::{Op, Program, Register};
use crate::symbolic::{Binary, Unary};

/// Coefficients, the constant first.
type Polynomial = Vec<Interval>;

/// Polynomials of a higher degree are not multiplied out.
const MOST_DEGREE: usize = 40;

/// A number that no real root of a register exceeds in size; `None` when it is not known to be a
/// rational function, or vanishes.
pub(super) fn bound(program: &Program, output: Register) -> Option<f64> {
    let mut parts: Vec<Option<(Polynomial, Polynomial)>> = Vec::with_capacity(program.ops.len());
    for op in &program.ops {
        let part = fraction(*op, &parts);
        parts.push(part);
    }
    let (above, _) = parts.into_iter().nth(output as usize)??;
    outermost(&above)
}

/// Numerator and denominator of one operation.
fn fraction(
    op: Op,
    parts: &[Option<(Polynomial, Polynomial)>],
) -> Option<(Polynomial, Polynomial)> {
    let one = || vec![Interval::point(1.0)];
    let of = |register: Register| parts.get(register as usize)?.clone();
    match op {
        Op::Constant(value) => Some((vec![value], one())),
        Op::Variable(0) => Some((vec![ZERO, Interval::point(1.0)], one())),
        Op::Unary(Unary::Negate, a) => {
            let (above, below) = of(a)?;
            Some((above.into_iter().map(Interval::negate).collect(), below))
        }
        Op::Binary(operator @ (Binary::Add | Binary::Subtract), a, b) => {
            let ((a, p), (b, q)) = (of(a)?, of(b)?);
            let b = if operator == Binary::Subtract {
                b.into_iter().map(Interval::negate).collect()
            } else {
                b
            };
            if p == q {
                return Some((sum(a, b), p));
            }
            Some((sum(product(&a, &q)?, product(&b, &p)?), product(&p, &q)?))
        }
        Op::Binary(Binary::Multiply, a, b) => {
            let ((a, p), (b, q)) = (of(a)?, of(b)?);
            Some((product(&a, &b)?, product(&p, &q)?))
        }
        Op::Binary(Binary::Divide, a, b) => {
            let ((a, p), (b, q)) = (of(a)?, of(b)?);
            Some((product(&a, &q)?, product(&p, &b)?))
        }
        Op::Power(a, exponent) => {
            let (above, below) = of(a)?;
            let raised =
                |base: &Polynomial| (0..exponent).try_fold(one(), |power, _| product(&power, base));
            Some((raised(&above)?, raised(&below)?))
        }
        _ => None,
    }
}

fn sum(a: Polynomial, b: Polynomial) -> Polynomial {
    let (mut long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    for (long, short) in long.iter_mut().zip(short) {
        *long = long.add(short);
    }
    long
}

fn product(a: &Polynomial, b: &Polynomial) -> Option<Polynomial> {
    if a.len() + b.len() > MOST_DEGREE + 2 {
        return None;
    }
    let mut all = vec![ZERO; (a.len() + b.len()).saturating_sub(1)];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            all[i + j] = all[i + j].add(a.multiply(*b));
        }
    }
    Some(all)
}

fn outermost(coefficients: &Polynomial) -> Option<f64> {
    let degree = coefficients.iter().rposition(|a| !a.is_zero())?;
    let leading = coefficients.get(degree)?;
    if leading.has_zero() || !coefficients.iter().all(|a| a.is_finite()) {
        return None;
    }
    let mut most = 0.0_f64;
    for (k, a) in coefficients[..degree].iter().rev().enumerate() {
        let (ratio, _) = a.divide(*leading);
        let order = f64::from(u32::try_from(k + 1).unwrap_or(u32::MAX));
        most = most.max(ratio.magnitude().powf(1.0 / order));
    }
    let bound = 2.0 * most * (1.0 + 1e-9);
    bound.is_finite().then_some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_within() {
        // (x - 3)(x + 7) = x^2 + 4 x - 21: 2 max(4, sqrt(21)).
        let p: Polynomial = [-21.0, 4.0, 1.0].map(Interval::point).to_vec();
        let bound = outermost(&p).expect("a bound");
        assert!((bound - 2.0 * 21.0_f64.sqrt()).abs() < 1e-6, "{bound}");
    }

    #[test]
    fn a_constant_has_no_roots() {
        assert_eq!(outermost(&vec![Interval::point(2.0)]), Some(0.0));
        assert_eq!(outermost(&vec![ZERO]), None);
    }
}
