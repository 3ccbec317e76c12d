//! Size and location of the spectrum of a sparse Jacobian: a norm bound, and eigenvalues.
//!
//! Exact eigenvalues by the QR algorithm up to [`EXACT`] states; beyond, the Ritz values of an
//! Arnoldi process of that many steps, whose outermost ones converge first (Saad, Numerical
//! Methods for Large Eigenvalue Problems, chapter VI).

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

/// A square sparse matrix, compressed by column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a> {
    pub starts: &'a [usize],
    pub rows: &'a [usize],
    pub entries: &'a [f64],
}

impl Columns<'_> {
    fn dimension(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Every entry with its row and column.
    fn triplets(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let columns = self.starts.windows(2).enumerate();
        columns.flat_map(move |(j, ends)| {
            (ends[0]..ends[1]).map(move |k| (self.rows[k], j, self.entries[k]))
        })
    }

    /// Bounds on the spectral radius, below and above: the modulus of the mean eigenvalue, which
    /// is the trace over n, and the smaller of the largest column sum and row sum.
    pub fn radius_bounds(&self) -> (f64, f64) {
        let n = self.dimension();
        let (mut column_sums, mut row_sums) = (vec![0.0; n], vec![0.0; n]);
        let mut trace = 0.0;
        for (i, j, entry) in self.triplets() {
            column_sums[j] += entry.abs();
            row_sums[i] += entry.abs();
            if i == j {
                trace += entry;
            }
        }
        let largest = |sums: Vec<f64>| sums.into_iter().fold(0.0, f64::max);
        let above = largest(column_sums).min(largest(row_sums));
        (trace.abs() / n.max(1) as f64, above)
    }

    /// The largest rate on the diagonal at which a state decays by itself, at least 0.
    pub fn largest_loss(&self) -> f64 {
        let diagonal = self.triplets().filter(|(i, j, _)| i == j);
        diagonal.map(|(.., entry)| -entry).fold(0.0, f64::max)
    }

    /// The outer eigenvalues.
    pub fn spectrum(&self) -> Spectrum {
        let n = self.dimension();
        let multiply = |v: &[f64], out: &mut [f64]| {
            out.fill(0.0);
            for (i, j, entry) in self.triplets() {
                out[i] += entry * v[j];
            }
        };
        outermost(if n <= EXACT {
            dense(n, multiply)
        } else {
            arnoldi(n, EXACT, multiply)
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The chain y_i' = y_{i-1} - 2 y_i + y_{i+1} has eigenvalues -2 + 2 cos(k pi / (n + 1)).
    #[test]
    fn spectra_of_a_chain() {
        for n in [10_usize, 200] {
            let (mut starts, mut rows, mut entries) = (vec![0], Vec::new(), Vec::new());
            for j in 0..n {
                for i in j.saturating_sub(1)..(j + 2).min(n) {
                    rows.push(i);
                    entries.push(if i == j { -2.0 } else { 1.0 });
                }
                starts.push(rows.len());
            }
            let matrix = Columns {
                starts: &starts,
                rows: &rows,
                entries: &entries,
            };
            let exact = 2.0 + 2.0 * (std::f64::consts::PI / (n + 1) as f64).cos();
            let found = matrix.spectrum();
            assert!((found.decay / exact - 1.0).abs() < 0.03, "{n}: {found:?}");
            assert!((found.radius / exact - 1.0).abs() < 0.03, "{n}: {found:?}");
            let (below, above) = matrix.radius_bounds();
            assert_eq!((below, above), (2.0, 4.0));
        }
    }

    /// An oscillator with eigenvalues +-3i does not decay.
    #[test]
    fn an_oscillator_does_not_decay() {
        let matrix = Columns {
            starts: &[0, 1, 2],
            rows: &[1, 0],
            entries: &[-9.0, 1.0],
        };
        let found = matrix.spectrum();
        assert!(found.decay < 1e-12 && (found.radius - 3.0).abs() < 1e-12);
    }
}
