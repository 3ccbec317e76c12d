//! Symmetric matrices: eigenvalues with vectors.
//!
//! Enters: a symmetric matrix, row by row. Leaves: its spectrum (tridiagonal form and implicit QR;
//! G. Golub, C. Van Loan, Matrix Computations, 4th edition, 2013, section 8.3), or its Cholesky
//! factor. Must not know what the matrix says.

use nalgebra::{DMatrix, SymmetricEigen};

/// The eigenvalues of a symmetric matrix in ascending order, each with its vector of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// n eigenvalues.
    pub values: Vec<f64>,
    /// n vectors of n numbers, orthogonal to each other.
    pub vectors: Vec<Vec<f64>>,
}

impl Spectrum {
    /// Of a symmetric matrix of n rows of n numbers; `None` where an entry is not finite, the
    /// length is not n^2, or the iteration does not converge.
    #[must_use]
    pub fn of(matrix: &[f64], n: usize) -> Option<Spectrum> {
        if matrix.len() != n * n || matrix.iter().any(|entry| !entry.is_finite()) {
            return None;
        }
        if n == 0 {
            return Some(Spectrum {
                values: Vec::new(),
                vectors: Vec::new(),
            });
        }
        let sweeps = 100 * (n + 1);
        let matrix = DMatrix::from_row_slice(n, n, matrix);
        let eigen = SymmetricEigen::try_new(matrix, f64::EPSILON, sweeps)?;
        let columns = eigen.eigenvectors.column_iter();
        let vectors = columns.map(|column| column.iter().copied().collect::<Vec<f64>>());
        let mut pairs: Vec<_> = eigen.eigenvalues.iter().copied().zip(vectors).collect();
        pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let (values, vectors) = pairs.into_iter().unzip();
        Some(Spectrum { values, vectors })
    }
}

/// The lower Cholesky factor L of a positive definite matrix of n rows of n numbers, row by row,
/// zero above the diagonal: L L^T is the matrix. `None` where it is not positive definite.
#[must_use]
pub fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    if matrix.len() != n * n {
        return None;
    }
    let factor = DMatrix::from_row_slice(n, n, matrix).cholesky()?.unpack();
    Some(factor.transpose().iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_of_two_has_the_eigenvalues_of_its_characteristic_polynomial() {
        // [[2, 1], [1, 2]]: 1 with (1, -1), 3 with (1, 1).
        let spectrum = Spectrum::of(&[2.0, 1.0, 1.0, 2.0], 2).unwrap();
        assert!((spectrum.values[0] - 1.0).abs() < 1e-14);
        assert!((spectrum.values[1] - 3.0).abs() < 1e-14);
        let first = &spectrum.vectors[0];
        assert!((first[0] + first[1]).abs() < 1e-14);
        assert_eq!(Spectrum::of(&[f64::NAN], 1), None);
    }

    #[test]
    fn the_factor_times_itself_is_the_matrix() {
        // [[4, 2], [2, 5]] = L L^T for L = [[2, 0], [1, 2]].
        assert_eq!(
            cholesky(&[4.0, 2.0, 2.0, 5.0], 2),
            Some(vec![2.0, 0.0, 1.0, 2.0])
        );
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
    }
}
