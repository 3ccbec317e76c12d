//! The singular value decomposition A = U S V^T of a dense matrix, thin: the bridge to the crate
//! `faer` (bidiagonal form, then divide and conquer; M. Gu, S. Eisenstat, SIAM J. Matrix Anal.
//! Appl. 16, 79, 1995).
//!
//! Enters: a matrix. Leaves: its factors, with signs that are fixed. Must not know what the matrix
//! says. Everything runs on the caller's thread, in one piece.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Col, Mat, MatRef, Par};
use nalgebra::DMatrix;

/// U, S and V of a matrix of m rows and n columns; k is the smaller of m and n.
#[derive(Debug, Clone, PartialEq)]
pub struct SingularValues {
    /// U: m by k, with orthonormal columns.
    pub left: DMatrix<f64>,
    /// S: k numbers, falling, not negative.
    pub values: Vec<f64>,
    /// V: n by k, with orthonormal columns.
    pub right: DMatrix<f64>,
}

impl SingularValues {
    /// Decomposes a matrix. Signs are fixed: the entry of largest size in each column of U is
    /// positive (the first of them, where several are alike). `None` where an entry is not finite
    /// or the iteration does not converge.
    #[must_use]
    pub fn of(matrix: &DMatrix<f64>) -> Option<SingularValues> {
        if matrix.iter().any(|entry| !entry.is_finite()) {
            return None;
        }
        let (m, n) = matrix.shape();
        let k = m.min(n);
        let (mut left, mut right) = (Mat::zeros(m, k), Mat::zeros(n, k));
        let mut values = Col::<f64>::zeros(k);
        if k > 0 {
            let thin = ComputeSvdVectors::Thin;
            let need = svd_scratch::<f64>(m, n, thin, thin, Par::Seq, Default::default());
            svd(
                MatRef::from_column_major_slice(matrix.as_slice(), m, n),
                values.as_mut().as_diagonal_mut(),
                Some(left.as_mut()),
                Some(right.as_mut()),
                Par::Seq,
                MemStack::new(&mut MemBuffer::new(need)),
                Default::default(),
            )
            .ok()?;
        }
        let mut found = SingularValues {
            left: DMatrix::from_fn(m, k, |i, j| left[(i, j)]),
            values: values.iter().copied().collect(),
            right: DMatrix::from_fn(n, k, |i, j| right[(i, j)]),
        };
        found.fix_signs();
        let sound = found.values.iter().all(|value| value.is_finite());
        sound.then_some(found)
    }

    fn fix_signs(&mut self) {
        let columns = self
            .left
            .column_iter_mut()
            .zip(self.right.column_iter_mut());
        for (mut left, mut right) in columns {
            let largest = left.iter().fold(0.0_f64, |most, &entry| {
                if entry.abs() > most.abs() {
                    entry
                } else {
                    most
                }
            });
            if largest < 0.0 {
                left.neg_mut();
                right.neg_mut();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_make_up_the_matrix() {
        for (m, n) in [(1, 1), (7, 3), (3, 7), (60, 20), (0, 4)] {
            let matrix = DMatrix::from_fn(m, n, |i, j| ((3 * i + 5 * j) as f64).sin());
            let found = SingularValues::of(&matrix).unwrap();
            let mut scaled = found.left.clone();
            for (mut column, value) in scaled.column_iter_mut().zip(&found.values) {
                column *= *value;
            }
            assert!((scaled * found.right.transpose() - &matrix).norm() < 1e-13);
            let k = m.min(n);
            let one = DMatrix::identity(k, k);
            assert!((found.left.tr_mul(&found.left) - &one).norm() < 1e-13);
            assert!((found.right.tr_mul(&found.right) - &one).norm() < 1e-13);
            assert!(found.values.windows(2).all(|two| two[0] >= two[1]));
        }
        assert_eq!(
            SingularValues::of(&DMatrix::from_element(2, 2, f64::NAN)),
            None
        );
    }

    /// numpy.linalg.svd([[1, 2], [3, 4], [5, 6]]).
    #[test]
    fn signs_are_fixed() {
        let matrix = DMatrix::from_row_slice(3, 2, &[1., 2., 3., 4., 5., 6.]);
        let found = SingularValues::of(&matrix).unwrap();
        for (value, expected) in found
            .values
            .iter()
            .zip([9.525518091565104, 0.514300580658644])
        {
            assert!((value - expected).abs() < 1e-14);
        }
        let left = [0.229847696400071, 0.524744818760293, 0.819641941120516];
        for (entry, expected) in found.left.column(0).iter().zip(left) {
            assert!((entry - expected).abs() < 1e-14);
        }
        assert!(found.left[(0, 1)] > 0.0);
    }
}
