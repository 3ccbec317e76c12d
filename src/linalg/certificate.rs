//! Whether matrices are stable, at less cost than eigenvalues, for many that are near each other.
//!
//! Lyapunov's theorem: A is stable if P A + A^T P is negative definite for a positive definite P. P
//! is made once, from P A + A^T P + 1 = 0 at an anchor, and serves its neighbours: all A within
//! 1/(2 |P|) of the anchor without any work (the perturbation of -1 is below 1), others by one
//! product and one attempt at a Cholesky factor. Where both fail the matrix sign function decides,
//! and the matrix becomes the new anchor.
//!
//! Enters: square matrices. Leaves: whether the spectrum lies left of the imaginary axis.

use super::products::{Cholesky, add_own_transpose, product};
use super::sign::{Equation, SignLyapunov, Unsolved};
use nalgebra::DMatrix;

/// A proof of stability that serves neighbours.
#[derive(Debug, Clone)]
pub struct Certificate {
    anchor: DMatrix<f64>,
    proof: DMatrix<f64>,
    /// Matrices this near to the anchor in Frobenius' norm are stable.
    radius: f64,
}

/// A part of the radius is left to rounding.
const SAFE: f64 = 0.99;

impl Certificate {
    /// Of a stable matrix.
    ///
    /// # Errors
    /// [`Unsolved`]
    pub fn new(
        matrix: &DMatrix<f64>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Certificate, Unsolved> {
        let solver = SignLyapunov::new(matrix, interrupted)?;
        let n = matrix.nrows();
        let proof = solver.solve(Equation::Adjoint, &DMatrix::identity(n, n), interrupted)?;
        let sums = proof.column_iter().map(|column| column.abs().sum());
        let length = sums.fold(0.0, f64::max).min(proof.norm());
        Ok(Certificate {
            anchor: matrix.clone(),
            radius: SAFE * 0.5 / length,
            proof,
        })
    }

    /// Whether another matrix is stable; the certificate moves to where it is needed.
    ///
    /// # Errors
    /// [`Unsolved`]
    pub fn extend(
        &mut self,
        matrix: &DMatrix<f64>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Unsolved> {
        let entries = matrix.iter().zip(self.anchor.iter());
        let squares: f64 = entries.map(|(a, b)| (a - b) * (a - b)).sum();
        if !squares.is_finite() {
            return Err(Unsolved::NotFinite);
        }
        if squares.sqrt() <= self.radius || self.serves(matrix) {
            return Ok(());
        }
        *self = Certificate::new(matrix, interrupted)?;
        Ok(())
    }

    /// True when P itself proves it.
    fn serves(&self, matrix: &DMatrix<f64>) -> bool {
        let mut form = product(&self.proof, matrix);
        add_own_transpose(&mut form);
        form.neg_mut();
        Cholesky::new(form).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [[-1, s], [-s, -1 + d]] is stable for d < 1 + min(1, s^2): trace and determinant.
    #[test]
    fn neighbours_and_others_are_judged_by_their_spectrum() {
        let matrix = |s: f64, d: f64| DMatrix::from_row_slice(2, 2, &[-1.0, s, -s, -1.0 + d]);
        let mut certificate = Certificate::new(&matrix(0.1, 0.0), &|| false).unwrap();
        for s in [0.1, 3.0, 0.5, 0.0] {
            for d in [0.0, 0.9, 1.005, 1.2, 1.9, 2.1] {
                let is_stable = d < 1.0 + 1.0_f64.min(s * s);
                let found = certificate.extend(&matrix(s, d), &|| false);
                assert_eq!(found.is_ok(), is_stable, "{s} {d}");
            }
        }
        let wrong = matrix(f64::NAN, 0.0);
        assert_eq!(
            certificate.extend(&wrong, &|| false),
            Err(Unsolved::NotFinite)
        );
    }
}
