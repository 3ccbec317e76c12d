//! Size and location of the spectrum of a sparse Jacobian: a norm bound, and eigenvalues.
//!
//! Exact eigenvalues by the QR algorithm up to [`EXACT`] states; beyond, the Ritz values of an
//! Arnoldi process of that many steps, whose outermost ones converge first (Saad, Numerical
//! Methods for Large Eigenvalue Problems, chapter VI).

use super::stepper::Watched;
use nalgebra::{DMatrix, Schur};

/// Largest dense eigenvalue problem solved.
const EXACT: usize = 24;

/// What the stiffness test needs of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spectrum {
    /// The largest -Re of an eigenvalue, at least 0: the fastest decay rate.
    pub decay: f64,
    /// The largest modulus.
    pub radius: f64,
}

/// A bound on the spectral radius: the smaller of the largest column sum and row sum.
pub(super) fn norm_bound(system: &Watched<'_>, time: f64, y: &[f64]) -> f64 {
    let (starts, rows) = system.pattern();
    system.jacobian(time, y, |entries| {
        let mut row_sums = vec![0.0; y.len()];
        let mut widest = 0.0_f64;
        for ends in starts.windows(2) {
            let mut column = 0.0;
            for k in ends[0]..ends[1] {
                column += entries[k].abs();
                row_sums[rows[k]] += entries[k].abs();
            }
            widest = widest.max(column);
        }
        widest.min(row_sums.into_iter().fold(0.0, f64::max))
    })
}

/// The outer eigenvalues of the Jacobian at (`time`, `y`).
pub(super) fn spectrum(system: &Watched<'_>, time: f64, y: &[f64]) -> Spectrum {
    let n = y.len();
    let (starts, rows) = system.pattern();
    let projected = system.jacobian(time, y, |entries| {
        let multiply = |v: &[f64], out: &mut [f64]| {
            out.fill(0.0);
            for (j, ends) in starts.windows(2).enumerate() {
                for k in ends[0]..ends[1] {
                    out[rows[k]] += entries[k] * v[j];
                }
            }
        };
        if n <= EXACT {
            dense(n, multiply)
        } else {
            arnoldi(n, EXACT, multiply)
        }
    });
    outermost(projected)
}

fn dense(n: usize, multiply: impl Fn(&[f64], &mut [f64])) -> DMatrix<f64> {
    let mut matrix = DMatrix::zeros(n, n);
    let mut unit = vec![0.0; n];
    for j in 0..n {
        unit[j] = 1.0;
        multiply(&unit, matrix.column_mut(j).as_mut_slice());
        unit[j] = 0.0;
    }
    matrix
}

/// The Hessenberg matrix of at most `m` Arnoldi steps with modified Gram-Schmidt, from a fixed
/// start vector without symmetry.
fn arnoldi(n: usize, m: usize, multiply: impl Fn(&[f64], &mut [f64])) -> DMatrix<f64> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(m);
    let mut v: Vec<f64> = (0..n).map(|i| 1.0 + (1.7 * i as f64).sin()).collect();
    let mut norm = length(&v);
    let mut hessenberg = DMatrix::zeros(m, m);
    for k in 0..m {
        v.iter_mut().for_each(|x| *x /= norm);
        let mut w = vec![0.0; n];
        multiply(&v, &mut w);
        let before = length(&w);
        basis.push(v);
        for (i, b) in basis.iter().enumerate() {
            let h: f64 = b.iter().zip(&w).map(|(b, w)| b * w).sum();
            hessenberg[(i, k)] = h;
            w.iter_mut().zip(b).for_each(|(w, b)| *w -= h * b);
        }
        norm = length(&w);
        if k + 1 == m || norm.is_nan() || norm <= 1e-12 * before {
            return hessenberg.view((0, 0), (k + 1, k + 1)).into_owned();
        }
        hessenberg[(k + 1, k)] = norm;
        v = w;
    }
    hessenberg
}

fn length(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Decay rate and radius from the eigenvalues; the Frobenius norm where these cannot be had.
fn outermost(matrix: DMatrix<f64>) -> Spectrum {
    let bound = matrix.norm();
    let fallback = Spectrum {
        decay: bound,
        radius: bound,
    };
    if !bound.is_finite() {
        return fallback;
    }
    let iterations = 100 * (matrix.nrows() + 1);
    let Some(schur) = Schur::try_new(matrix, f64::EPSILON, iterations) else {
        return fallback;
    };
    let values = schur.complex_eigenvalues();
    Spectrum {
        decay: values.iter().map(|z| -z.re).fold(0.0, f64::max),
        radius: values.iter().map(|z| z.norm()).fold(0.0, f64::max),
    }
}
