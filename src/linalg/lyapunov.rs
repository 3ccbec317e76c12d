//! The continuous Lyapunov equation A X + X A^T + Q = 0 for a dense matrix A.
//!
//! R. H. Bartels, G. W. Stewart, Comm. ACM 15, 820 (1972): with the real Schur form A = U T U^T
//! the equation becomes one in the quasi-triangular T, which is solved block by block from the
//! lower right. One step of iterative refinement follows; the residual is handed out.
//!
//! Enters: A and symmetric Q. Leaves: X with its residual, and the eigenvalues of A, by which the
//! caller knows whether X means anything: X is a covariance only when all have negative real
//! parts. Must not know what it is for.

use nalgebra::{Complex, DMatrix, Schur};

/// The Schur form of A, for any number of right sides.
#[derive(Debug, Clone)]
pub struct Lyapunov {
    matrix: DMatrix<f64>,
    vectors: DMatrix<f64>,
    form: DMatrix<f64>,
    /// First row and size (1 or 2) of each diagonal block.
    blocks: Vec<(usize, usize)>,
    eigenvalues: Vec<Complex<f64>>,
}

/// Why there is no solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsolved {
    /// An entry is not finite.
    NotFinite,
    /// The Schur form was not found.
    NoSchurForm,
    /// Two eigenvalues add up to zero: the equation has no solution, or many.
    Singular,
}

/// A solution.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// X, symmetric.
    pub matrix: DMatrix<f64>,
    /// The largest entry of A X + X A^T + Q beside the largest entry of its terms.
    pub residual: f64,
}

impl Lyapunov {
    /// Brings a square matrix to its real Schur form.
    ///
    /// # Errors
    /// [`Unsolved::NotFinite`], [`Unsolved::NoSchurForm`].
    pub fn new(matrix: DMatrix<f64>) -> Result<Lyapunov, Unsolved> {
        if matrix.iter().any(|entry| !entry.is_finite()) {
            return Err(Unsolved::NotFinite);
        }
        let n = matrix.nrows();
        let iterations = 100 * (n + 1);
        let schur = Schur::try_new(matrix.clone(), f64::EPSILON, iterations)
            .ok_or(Unsolved::NoSchurForm)?;
        let eigenvalues = schur.complex_eigenvalues().iter().copied().collect();
        let (vectors, form) = schur.unpack();
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < n {
            let size = if at + 1 < n && form[(at + 1, at)] != 0.0 {
                2
            } else {
                1
            };
            blocks.push((at, size));
            at += size;
        }
        Ok(Lyapunov {
            matrix,
            vectors,
            form,
            blocks,
            eigenvalues,
        })
    }

    /// The same for n by n numbers, column by column.
    ///
    /// # Errors
    /// As [`Lyapunov::new`]; another number of numbers is [`Unsolved::NotFinite`].
    pub fn of_numbers(n: usize, matrix: &[f64]) -> Result<Lyapunov, Unsolved> {
        if matrix.len() != n * n {
            return Err(Unsolved::NotFinite);
        }
        Lyapunov::new(DMatrix::from_column_slice(n, n, matrix))
    }

    /// [`Lyapunov::solve`] for n by n numbers, column by column.
    ///
    /// # Errors
    /// As there.
    pub fn solve_numbers(&self, q: &[f64]) -> Result<Vec<f64>, Unsolved> {
        let n = self.matrix.nrows();
        if q.len() != n * n {
            return Err(Unsolved::NotFinite);
        }
        let solution = self.solve(&DMatrix::from_column_slice(n, n, q))?;
        Ok(solution.matrix.as_slice().to_vec())
    }

    /// The largest real part of the eigenvalues of A.
    #[must_use]
    pub fn abscissa(&self) -> f64 {
        let parts = self.eigenvalues.iter().map(|z| z.re);
        parts.fold(f64::NEG_INFINITY, f64::max)
    }

    /// The eigenvalues of A, in no order.
    #[must_use]
    pub fn eigenvalues(&self) -> &[Complex<f64>] {
        &self.eigenvalues
    }

    /// The symmetric X with A X + X A^T + Q = 0, for symmetric Q.
    ///
    /// # Errors
    /// [`Unsolved::Singular`], [`Unsolved::NotFinite`].
    pub fn solve(&self, q: &DMatrix<f64>) -> Result<Solution, Unsolved> {
        let first = self.once(q)?;
        let remainder = self.remainder(&first, q);
        let refined = symmetric(&(&first + self.once(&remainder)?));
        let candidates = [first, refined].map(|matrix| {
            let residual = self.relative(&matrix, q);
            Solution { matrix, residual }
        });
        let best = candidates
            .into_iter()
            .min_by(|a, b| a.residual.total_cmp(&b.residual))
            .ok_or(Unsolved::NotFinite)?;
        if best.residual.is_finite() {
            Ok(best)
        } else {
            Err(Unsolved::NotFinite)
        }
    }

    fn remainder(&self, x: &DMatrix<f64>, q: &DMatrix<f64>) -> DMatrix<f64> {
        let ax = &self.matrix * x;
        symmetric(&(&ax + ax.transpose() + q))
    }

    fn relative(&self, x: &DMatrix<f64>, q: &DMatrix<f64>) -> f64 {
        let terms = (&self.matrix * x).amax().max(q.amax());
        if terms == 0.0 {
            return 0.0;
        }
        self.remainder(x, q).amax() / terms
    }

    fn once(&self, q: &DMatrix<f64>) -> Result<DMatrix<f64>, Unsolved> {
        let (u, t) = (&self.vectors, &self.form);
        let f = u.transpose() * q * u;
        let n = t.nrows();
        let mut y = DMatrix::<f64>::zeros(n, n);
        for (last, &(l, width)) in self.blocks.iter().enumerate().rev() {
            let after = self.blocks.get(last + 1).map_or(n, |block| block.0);
            // Right side of the block column: -F - Y T^T over the columns already known.
            let mut right = -f.columns(l, width).clone_owned();
            if after < n {
                let known = y.columns(after, n - after);
                let coupling = t.view((l, after), (width, n - after));
                right -= known * coupling.transpose();
            }
            let corner = t.view((l, l), (width, width)).clone_owned();
            for (row, &(k, height)) in self.blocks.iter().enumerate().rev() {
                let below = self.blocks.get(row + 1).map_or(n, |block| block.0);
                let mut part = right.rows(k, height).clone_owned();
                if below < n {
                    let coupling = t.view((k, below), (height, n - below));
                    part -= coupling * y.view((below, l), (n - below, width));
                }
                let own = t.view((k, k), (height, height)).clone_owned();
                let solved = small(&own, &corner, &part).ok_or(Unsolved::Singular)?;
                y.view_mut((k, l), (height, width)).copy_from(&solved);
            }
        }
        Ok(symmetric(&(u * y * u.transpose())))
    }
}

/// X with A X + X B^T = C, for matrices of one or two rows.
fn small(a: &DMatrix<f64>, b: &DMatrix<f64>, c: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let (p, q) = (a.nrows(), b.nrows());
    let mut matrix = DMatrix::<f64>::zeros(p * q, p * q);
    for j in 0..q {
        for i in 0..p {
            for k in 0..p {
                matrix[(j * p + i, j * p + k)] += a[(i, k)];
            }
            for k in 0..q {
                matrix[(j * p + i, k * p + i)] += b[(j, k)];
            }
        }
    }
    let right = DMatrix::from_column_slice(p * q, 1, c.as_slice());
    let solved = matrix.lu().solve(&right)?;
    Some(DMatrix::from_column_slice(p, q, solved.as_slice()))
}

fn symmetric(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    (matrix + matrix.transpose()) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from -1 to 1 from a linear congruential generator (Knuth's MMIX).
    struct Numbers(u64);

    impl Numbers {
        fn matrix(&mut self, rows: usize, columns: usize) -> DMatrix<f64> {
            DMatrix::from_fn(rows, columns, |_, _| {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
            })
        }
    }

    /// A random matrix, shifted so that it is stable.
    fn stable(numbers: &mut Numbers, n: usize) -> DMatrix<f64> {
        let a = numbers.matrix(n, n);
        let most = a
            .clone()
            .complex_eigenvalues()
            .iter()
            .map(|z| z.re)
            .fold(f64::MIN, f64::max);
        a - DMatrix::identity(n, n) * (most + 0.1)
    }

    #[test]
    fn residuals_of_random_stable_matrices_are_round_off() {
        let mut numbers = Numbers(7);
        for n in [1, 2, 3, 5, 8, 13, 21, 40, 70, 100] {
            let a = stable(&mut numbers, n);
            let c = numbers.matrix(n, n);
            let q = &c * c.transpose();
            let solver = Lyapunov::new(a.clone()).unwrap();
            let found = solver.solve(&q).unwrap();
            assert!(found.residual < 1e-13, "{n}: {}", found.residual);
            // An independent check: the equation as it stands.
            let rest = &a * &found.matrix + &found.matrix * a.transpose() + &q;
            assert!(
                rest.amax() <= 1e-11 * (1.0 + found.matrix.amax() * a.amax()),
                "{n}"
            );
            assert!(found.matrix.clone().cholesky().is_some(), "{n}");
        }
    }

    /// A diagonal A has the solution Q_ij / -(a_i + a_j).
    #[test]
    fn a_diagonal_matrix_has_a_solution_in_closed_form() {
        let a = DMatrix::from_diagonal(&nalgebra::dvector![-1.0, -2.0, -1e6]);
        let q = DMatrix::from_fn(3, 3, |i, j| 1.0 / (1.0 + (i + j) as f64));
        let found = Lyapunov::new(a.clone()).unwrap().solve(&q).unwrap().matrix;
        for i in 0..3 {
            for j in 0..3 {
                let exact = q[(i, j)] / -(a[(i, i)] + a[(j, j)]);
                assert!((found[(i, j)] - exact).abs() <= 1e-14 * exact.abs());
            }
        }
    }

    #[test]
    fn what_has_no_solution_is_refused() {
        let center = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, 0.0]);
        let solver = Lyapunov::new(center).unwrap();
        let found = solver.solve(&DMatrix::identity(2, 2));
        assert!(found.is_err() || found.is_ok_and(|found| found.residual > 1e-6));
        let wrong = DMatrix::from_element(2, 2, f64::NAN);
        assert_eq!(Lyapunov::new(wrong).err(), Some(Unsolved::NotFinite));
    }
}
