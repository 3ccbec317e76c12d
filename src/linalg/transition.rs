//! The transition of dy = (A y + b) dt + B dW over an interval: exact, and Gaussian.
//!
//! y(t + h) = P y(t) + c + L z with independent standard normal z, where P = exp(A h), c is the
//! integral of exp(A s) b over s from 0 to h and L L^T that of exp(A s) B B^T exp(A s)^T. C. F. Van
//! Loan, IEEE Trans. Automat. Contr. 23 (1978) 395-404, takes the integrals out of one exponential;
//! its block exp(-A h) overflows where A is stiff. Here the integral over a short interval comes
//! from its power series, whose entries are all accurate, and is doubled: over 2h it is
//! Q + P Q P^T.
//!
//! Enters: matrices column by column. Leaves: the same. Must not know what moves.

use super::{Exponential, one_norm};

/// Norm of A times the interval up to which the power series is summed.
const SHORT: f64 = 0.25;
/// Terms of the series at most: the norm of the last is below 0.5^30 / 30!.
const TERMS: u32 = 30;
/// Pivots below this share of their diagonal entry are zero: rounding of a semi-definite matrix.
const ROUNDING: f64 = 1e-13;

/// P, c and L of an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// P, n by n, column by column.
    pub propagator: Vec<f64>,
    /// c.
    pub shift: Vec<f64>,
    /// L, lower triangular, n by n, column by column.
    pub factor: Vec<f64>,
}

impl Transition {
    /// For n by n matrices A and B B^T. Entries are not finite where these are not, or where the
    /// transition grows beyond all numbers.
    ///
    /// # Panics
    /// When a slice has another length.
    #[must_use]
    pub fn new(n: usize, a: &[f64], b: &[f64], squared: &[f64], interval: f64) -> Transition {
        assert_eq!((a.len(), b.len(), squared.len()), (n * n, n, n * n));
        let norm = one_norm(n, a) * interval;
        let doublings = (norm / SHORT).log2().ceil().clamp(0.0, 1100.0);
        let short = interval * 0.5_f64.powi(doublings as i32);
        let mut propagator = vec![0.0; n * n];
        Exponential::new(n).of(short, a, &mut propagator);
        let mut shift = series(b, short, |x, out| multiply(n, 1, a, x, out));
        let mut covariance = series(squared, short, |x, out| {
            multiply(n, n, a, x, out);
            add_transposed(n, out);
        });
        let mut scratch = vec![0.0; n * n];
        let mut product = vec![0.0; n * n];
        for _ in 0..doublings as u32 {
            multiply(n, 1, &propagator, &shift.clone(), &mut scratch[..n]);
            for (c, more) in shift.iter_mut().zip(&scratch) {
                *c += more;
            }
            multiply(n, n, &propagator, &covariance, &mut scratch);
            multiply_by_transposed(n, &scratch, &propagator, &mut product);
            for (q, more) in covariance.iter_mut().zip(&product) {
                *q += more;
            }
            multiply(n, n, &propagator, &propagator, &mut scratch);
            std::mem::swap(&mut propagator, &mut scratch);
        }
        Transition {
            propagator,
            shift,
            factor: semidefinite_cholesky(n, &covariance),
        }
    }
}

/// The integral over s from 0 to `length` of exp(s M) x, where `apply` is M: the sum over k of
/// length^(k+1) / (k+1)! M^k x.
fn series(x: &[f64], length: f64, apply: impl Fn(&[f64], &mut [f64])) -> Vec<f64> {
    let mut term: Vec<f64> = x.iter().map(|x| length * x).collect();
    let mut sum = term.clone();
    let mut next = vec![0.0; x.len()];
    for k in 1..TERMS {
        apply(&term, &mut next);
        let factor = length / f64::from(k + 1);
        let mut has_changed = false;
        for ((term, next), sum) in term.iter_mut().zip(&next).zip(&mut sum) {
            *term = factor * next;
            let before = *sum;
            *sum += *term;
            has_changed |= before != *sum;
        }
        if !has_changed {
            break;
        }
    }
    sum
}

/// C = A B, A n by n, B n by m.
pub(super) fn multiply(n: usize, m: usize, a: &[f64], b: &[f64], c: &mut [f64]) {
    for (c, b) in c
        .chunks_exact_mut(n.max(1))
        .zip(b.chunks_exact(n.max(1)))
        .take(m)
    {
        c.fill(0.0);
        for (&factor, a) in b.iter().zip(a.chunks_exact(n)) {
            for (c, a) in c.iter_mut().zip(a) {
                *c += factor * a;
            }
        }
    }
}

/// C = A B^T.
pub(super) fn multiply_by_transposed(n: usize, a: &[f64], b: &[f64], c: &mut [f64]) {
    for (j, c) in c.chunks_exact_mut(n.max(1)).enumerate() {
        c.fill(0.0);
        for (k, a) in a.chunks_exact(n).enumerate() {
            let factor = b[k * n + j];
            for (c, a) in c.iter_mut().zip(a) {
                *c += factor * a;
            }
        }
    }
}

/// X + X^T in place of X.
pub(super) fn add_transposed(n: usize, x: &mut [f64]) {
    for j in 0..n {
        for i in 0..=j {
            let sum = x[j * n + i] + x[i * n + j];
            (x[j * n + i], x[i * n + j]) = (sum, sum);
        }
    }
}

/// L with L L^T = Q for a symmetric Q without negative eigenvalues; columns of pivots that are zero
/// to rounding are zero (G. H. Golub, C. F. Van Loan, Matrix Computations, section 4.2.8). Column by
/// column; only the lower triangle of Q is read.
///
/// # Panics
/// When Q has less than n * n numbers.
#[must_use]
pub fn semidefinite_cholesky(n: usize, q: &[f64]) -> Vec<f64> {
    let mut factor = vec![0.0; n * n];
    for j in 0..n {
        let column = &mut q[j * n..(j + 1) * n].to_vec();
        for k in 0..j {
            let multiplier = factor[k * n + j];
            for (entry, l) in column[j..].iter_mut().zip(&factor[k * n + j..(k + 1) * n]) {
                *entry -= multiplier * l;
            }
        }
        let (pivot, whole) = (column[j], q[j * n + j]);
        if pivot <= ROUNDING * whole {
            continue;
        }
        let root = pivot.sqrt();
        for (to, entry) in factor[j * n + j..(j + 1) * n].iter_mut().zip(&column[j..]) {
            *to = entry / root;
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covariance(n: usize, factor: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; n * n];
        multiply_by_transposed(n, factor, factor, &mut product);
        product
    }

    #[track_caller]
    fn close(found: &[f64], exact: &[f64], within: f64) {
        for (found, exact) in found.iter().zip(exact) {
            let off = (found - exact).abs();
            assert!(
                off <= within * exact.abs().max(1e-300),
                "{found} for {exact}"
            );
        }
    }

    /// dx = (mu - theta x) dt + sigma dW: e^(-theta h), mu/theta (1 - e^(-theta h)) and
    /// sigma^2/(2 theta) (1 - e^(-2 theta h)), from short to long intervals.
    #[test]
    fn ornstein_uhlenbeck_in_one_dimension() {
        for interval in [1e-6, 0.01, 1.0, 50.0, 1e4] {
            let found = Transition::new(1, &[-1.3], &[0.7], &[0.64], interval);
            let decay = (-1.3 * interval).exp();
            if interval < 100.0 {
                close(&found.propagator, &[decay], 1e-11);
            }
            close(
                &found.shift,
                &[-0.7 / 1.3 * (-1.3 * interval).exp_m1()],
                1e-12,
            );
            let variance = -0.64 / 2.6 * (-2.6 * interval).exp_m1();
            close(&covariance(1, &found.factor), &[variance], 1e-12);
        }
    }

    /// A position driven by a Brownian velocity: variances h^3/3 and h, covariance h^2/2, all to
    /// the last digits although they differ by many orders of magnitude.
    #[test]
    fn integrated_brownian_motion_over_a_short_interval() {
        let h = 1e-5_f64;
        let found = Transition::new(
            2,
            &[0.0, 0.0, 1.0, 0.0],
            &[0.0; 2],
            &[0.0, 0.0, 0.0, 1.0],
            h,
        );
        let exact = [h.powi(3) / 3.0, h * h / 2.0, h * h / 2.0, h];
        close(&covariance(2, &found.factor), &exact, 1e-12);
        close(&found.propagator, &[1.0, 0.0, h, 1.0], 1e-15);
    }

    /// linear_2d of ../shared/data/sde/references.json: exp(A), and over a long interval the
    /// stationary covariance.
    #[test]
    fn two_dimensions_against_the_references() {
        let a = [-1.0, -0.3, 0.5, -0.8];
        // G G^T of G = [[0.6, 0], [0.2, 0.4]].
        let squared = [0.36, 0.12, 0.12, 0.2];
        let once = Transition::new(2, &a, &[0.0; 2], &squared, 1.0);
        let exponential = [
            0.338_725_347_853_1,
            -0.119_144_765_939_9,
            0.198_574_609_899_8,
            0.418_155_191_813_1,
        ];
        close(&once.propagator, &exponential, 1e-11);
        let long = Transition::new(2, &a, &[0.0; 2], &squared, 60.0);
        let stationary = [
            0.210_058_479_532_2,
            0.060_116_959_064_33,
            0.060_116_959_064_33,
            0.102_456_140_350_9,
        ];
        close(&covariance(2, &long.factor), &stationary, 1e-11);
    }

    #[test]
    fn states_without_noise_stay_without() {
        // The second state feels nothing of the first.
        let found = Transition::new(
            2,
            &[-1.0, 0.0, 0.0, -2.0],
            &[0.0; 2],
            &[1.0, 0.0, 0.0, 0.0],
            1.0,
        );
        assert_eq!(found.factor[1..], [0.0, 0.0, 0.0]);
        // Two states moved by one motion: of rank one.
        let factor = semidefinite_cholesky(2, &[4.0, 2.0, 2.0, 1.0]);
        assert_eq!(factor, [2.0, 1.0, 0.0, 0.0]);
    }
}
