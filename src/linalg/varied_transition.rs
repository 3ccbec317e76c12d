//! The transition of dy = (A y + b) dt + B dW over an interval, with its derivatives.
//!
//! The same P, c and covariance as [`super::Transition`], from power series of a short interval
//! that is doubled: y moves over 2h by P P, c + P c and Q + P Q P^T. Series and doublings are
//! differentiated term by term, so that the derivatives are those of the numbers computed; the
//! series of derivatives of exponentials is that of I. Najfeld, T. F. Havel, Adv. Appl. Math. 16,
//! 321 (1995), section 2.
//!
//! Enters: matrices column by column with how they move. Leaves: the same. Must not know what
//! moves them.

use super::one_norm;
use super::transition::{add_transposed, multiply, multiply_by_transposed};

/// Norm of A times the interval up to which power series are summed.
const SHORT: f64 = 0.25;
/// Terms of the series: the first left out has a norm below 0.25^18 / 18!, 2e-27.
const TERMS: u32 = 18;

/// A, b and D = B B^T, or their derivatives along a direction: n by n, n, and n by n numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coefficients {
    /// A
    pub matrix: Vec<f64>,
    /// b
    pub constant: Vec<f64>,
    /// D, symmetric
    pub squared: Vec<f64>,
}

/// What an interval does to mean and covariance, or its derivative along a direction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moved {
    /// P = exp(A h), n by n numbers, column by column.
    pub propagator: Vec<f64>,
    /// c, the integral of exp(A s) b over s from 0 to h.
    pub shift: Vec<f64>,
    /// Q, the integral of exp(A s) D exp(A s)^T.
    pub covariance: Vec<f64>,
}

/// The transition over an interval and its derivatives.
#[derive(Debug, Clone, PartialEq)]
pub struct VariedTransition {
    /// The transition.
    pub value: Moved,
    /// One per direction.
    pub along: Vec<Moved>,
}

impl VariedTransition {
    /// For coefficients of n states and their derivatives along any directions. Entries are not
    /// finite where these are not, or where the transition grows beyond all numbers.
    #[must_use]
    pub fn new(
        n: usize,
        coefficients: &Coefficients,
        along: &[Coefficients],
        interval: f64,
    ) -> VariedTransition {
        let norm = one_norm(n, &coefficients.matrix) * interval;
        let doublings = (norm / SHORT).log2().ceil().clamp(0.0, 1100.0) as u32;
        let short = interval * 0.5_f64.powi(doublings as i32);
        let mut transition = series(n, coefficients, along, short);
        for _ in 0..doublings {
            double(n, &mut transition);
        }
        transition
    }
}

/// A linear map of n by m matrices and how it moves along each direction.
type Apply<'a> = &'a dyn Fn(&Coefficients, &[f64]) -> Vec<f64>;

/// The sum over k of h^(k + offset) / (k + offset)! M^k x with its derivatives, M = `apply`.
fn sum(
    (value, along): (&Coefficients, &[Coefficients]),
    (x, dx): (Vec<f64>, Vec<Vec<f64>>),
    offset: u32,
    h: f64,
    apply: Apply<'_>,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (mut term, mut terms) = (x, dx);
    let (mut sum, mut sums) = (term.clone(), terms.clone());
    for k in 1..TERMS {
        let factor = h / f64::from(k + offset);
        for ((moved, total), coefficients) in terms.iter_mut().zip(&mut sums).zip(along) {
            let own = apply(value, moved);
            let other = apply(coefficients, &term);
            let pairs = own.iter().zip(&other);
            *moved = pairs.map(|(a, b)| factor * (a + b)).collect();
            add(total, moved);
        }
        term = apply(value, &term).iter().map(|x| factor * x).collect();
        add(&mut sum, &term);
    }
    (sum, sums)
}

fn series(n: usize, of: &Coefficients, along: &[Coefficients], h: f64) -> VariedTransition {
    let times_h = |x: &[f64]| -> Vec<f64> { x.iter().map(|x| h * x).collect() };
    let identity: Vec<f64> = (0..n * n)
        .map(|at| if at % (n + 1) == 0 { 1.0 } else { 0.0 })
        .collect();
    let still = vec![vec![0.0; n * n]; along.len()];
    let product = |by: &Coefficients, x: &[f64]| {
        let mut out = vec![0.0; x.len()];
        multiply(n, x.len() / n.max(1), &by.matrix, x, &mut out);
        out
    };
    let lyapunov = |by: &Coefficients, x: &[f64]| {
        let mut out = product(by, x);
        add_transposed(n, &mut out);
        out
    };
    let both = (of, along);
    let (propagator, propagators) = sum(both, (identity, still), 0, h, &product);
    let constants = along.iter().map(|d| times_h(&d.constant)).collect();
    let (shift, shifts) = sum(both, (times_h(&of.constant), constants), 1, h, &product);
    let squares = along.iter().map(|d| times_h(&d.squared)).collect();
    let (covariance, covariances) = sum(both, (times_h(&of.squared), squares), 1, h, &lyapunov);
    let parts = propagators.into_iter().zip(shifts).zip(covariances);
    VariedTransition {
        value: Moved {
            propagator,
            shift,
            covariance,
        },
        along: parts
            .map(|((propagator, shift), covariance)| Moved {
                propagator,
                shift,
                covariance,
            })
            .collect(),
    }
}

/// From an interval to one of twice its length.
fn double(n: usize, transition: &mut VariedTransition) {
    let VariedTransition { value, along } = transition;
    let p = value.propagator.clone();
    let product = |a: &[f64], b: &[f64]| {
        let mut out = vec![0.0; b.len()];
        multiply(n, b.len() / n.max(1), a, b, &mut out);
        out
    };
    let by_transposed = |a: &[f64], b: &[f64]| {
        let mut out = vec![0.0; n * n];
        multiply_by_transposed(n, a, b, &mut out);
        out
    };
    let pq = product(&p, &value.covariance);
    for d in along {
        // d(P Q P^T) = P dQ P^T + (dP Q P^T) and its transpose.
        let mut turned = by_transposed(&d.propagator, &pq);
        add_transposed(n, &mut turned);
        add(&mut turned, &by_transposed(&product(&p, &d.covariance), &p));
        add(&mut d.covariance, &turned);
        let moved = product(&d.propagator, &value.shift);
        let more = product(&p, &d.shift);
        add(&mut d.shift, &moved);
        add(&mut d.shift, &more);
        let mut squared = product(&d.propagator, &p);
        add(&mut squared, &product(&p, &d.propagator));
        d.propagator = squared;
    }
    add(&mut value.covariance, &by_transposed(&pq, &p));
    let moved = product(&p, &value.shift);
    add(&mut value.shift, &moved);
    value.propagator = product(&p, &p);
}

fn add(to: &mut [f64], more: &[f64]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Transition;

    fn coefficients(shift: f64) -> Coefficients {
        let s = shift;
        Coefficients {
            matrix: vec![-1.0 + s, -0.3 + 2.0 * s, 0.5 - s, -0.8],
            constant: vec![0.4 + s, -0.2],
            squared: vec![0.36 + s, 0.12, 0.12, 0.2 - 0.5 * s],
        }
    }

    /// The values are those of the transition without derivatives, and derivatives are those of
    /// central differences, for short and long intervals.
    #[test]
    fn values_and_derivatives() {
        let moving = Coefficients {
            matrix: vec![1.0, 2.0, -1.0, 0.0],
            constant: vec![1.0, 0.0],
            squared: vec![1.0, 0.0, 0.0, -0.5],
        };
        for interval in [0.01, 1.0, 7.0] {
            let of = coefficients(0.0);
            let found = VariedTransition::new(2, &of, std::slice::from_ref(&moving), interval);
            let known = Transition::new(2, &of.matrix, &of.constant, &of.squared, interval);
            let mut covariance = vec![0.0; 4];
            multiply_by_transposed(2, &known.factor, &known.factor, &mut covariance);
            close(&found.value.propagator, &known.propagator, 1e-13);
            close(&found.value.shift, &known.shift, 1e-13);
            close(&found.value.covariance, &covariance, 1e-13);
            let h = 1e-5;
            let at = |s: f64| VariedTransition::new(2, &coefficients(s), &[], interval).value;
            let (above, below) = (at(h), at(-h));
            let slope = |a: &[f64], b: &[f64]| -> Vec<f64> {
                a.iter().zip(b).map(|(a, b)| (a - b) / (2.0 * h)).collect()
            };
            let d = &found.along[0];
            close(
                &d.propagator,
                &slope(&above.propagator, &below.propagator),
                1e-8,
            );
            close(&d.shift, &slope(&above.shift, &below.shift), 1e-8);
            close(
                &d.covariance,
                &slope(&above.covariance, &below.covariance),
                1e-8,
            );
        }
    }

    #[track_caller]
    fn close(found: &[f64], exact: &[f64], within: f64) {
        for (found, exact) in found.iter().zip(exact) {
            assert!((found - exact).abs() <= within, "{found} for {exact}");
        }
    }
}
