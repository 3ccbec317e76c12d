//! Small linear least-squares problems with damping, solved again and again with other damping and
//! other unknowns held.
//!
//! Enters: residuals r and their Jacobian J. Leaves: steps p that minimise
//! |J p + r|^2 + |D p|^2. J is reduced once to its triangular factor, and each step is by an
//! orthogonal factorisation of that with the damping below it, never by the normal equations: the
//! condition is not squared (J. J. Moré, Lecture Notes in Math. 630, 105, 1978, section 3).

use nalgebra::{DMatrix, DVector};

/// Residuals and Jacobian, reduced to a triangle of as many rows as there are unknowns at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduced {
    /// R of J = QR, upper triangular.
    triangle: DMatrix<f64>,
    /// The part of Q'r in its rows.
    right: DVector<f64>,
}

impl Reduced {
    /// From k residuals and their Jacobian, k rows of `unknowns` numbers; what is missing counts
    /// as 0.
    #[must_use]
    pub fn new(jacobian: &[f64], residuals: &[f64], unknowns: usize) -> Reduced {
        let rows = residuals.len();
        let entry = |row: usize, column: usize| jacobian.get(row * unknowns + column).copied();
        let matrix = DMatrix::from_fn(rows, unknowns, |row, column| {
            entry(row, column).unwrap_or(0.0)
        });
        let mut right = DVector::from_column_slice(residuals);
        if rows <= unknowns {
            return Reduced {
                triangle: matrix,
                right,
            };
        }
        let factors = matrix.qr();
        factors.q_tr_mul(&mut right);
        Reduced {
            triangle: factors.r(),
            right: right.rows(0, unknowns).into_owned(),
        }
    }

    /// The lengths of the columns of J.
    #[must_use]
    pub fn column_lengths(&self) -> Vec<f64> {
        let columns = self.triangle.column_iter();
        columns.map(|column| column.norm()).collect()
    }

    /// |J p|^2
    #[must_use]
    pub fn square(&self, step: &[f64]) -> f64 {
        (&self.triangle * DVector::from_column_slice(step)).norm_squared()
    }

    /// Minimises |J p + r|^2 + |D p|^2 over those p_j that are free, the others being as in
    /// `step`, which takes the solution. D is the diagonal matrix of `damping`, one number for
    /// each unknown, not 0 unless the columns of J are independent.
    ///
    /// # Errors
    /// Where the free columns are dependent to working precision in spite of the damping, or not
    /// finite.
    pub fn solve(
        &self,
        step: &mut [f64],
        is_free: &[bool],
        damping: &[f64],
    ) -> Result<(), super::Singular> {
        let free: Vec<usize> = (0..step.len()).filter(|j| is_free[*j]).collect();
        let rows = self.triangle.nrows();
        let mut held = DVector::from_column_slice(step);
        free.iter().for_each(|j| held[*j] = 0.0);
        let mut right = DVector::zeros(rows + free.len());
        right
            .rows_mut(0, rows)
            .copy_from(&-(&self.right + &self.triangle * held));
        let mut matrix = DMatrix::zeros(rows + free.len(), free.len());
        for (column, j) in free.iter().enumerate() {
            let mut of_matrix = matrix.column_mut(column);
            of_matrix
                .rows_mut(0, rows)
                .copy_from(&self.triangle.column(*j));
            of_matrix[rows + column] = damping[*j];
        }
        let factors = matrix.qr();
        factors.q_tr_mul(&mut right);
        let solution = factors
            .r()
            .solve_upper_triangular(&right.rows(0, free.len()));
        let solution = solution.filter(|p| p.iter().all(|entry| entry.is_finite()));
        let solution = solution.ok_or(super::Singular)?;
        for (j, entry) in free.iter().zip(solution.iter()) {
            step[*j] = *entry;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_three_points() {
        // Least squares of a + b x to (0, 1), (1, 2), (2, 4): b = 3/2, a = 5/6 (normal equations).
        let jacobian = [1.0, 0.0, 1.0, 1.0, 1.0, 2.0];
        let reduced = Reduced::new(&jacobian, &[-1.0, -2.0, -4.0], 2);
        let mut step = [0.0, 0.0];
        assert!(reduced.solve(&mut step, &[true, true], &[0.0, 0.0]).is_ok());
        assert!((step[0] - 5.0 / 6.0).abs() < 1e-14 && (step[1] - 1.5).abs() < 1e-14);
        // With b held at 1: a is the mean of 1, 1, 2.
        step[1] = 1.0;
        assert!(
            reduced
                .solve(&mut step, &[true, false], &[0.0, 0.0])
                .is_ok()
        );
        assert!((step[0] - 4.0 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn dependent_columns_need_damping() {
        let reduced = Reduced::new(&[1.0, 1.0], &[-2.0], 2);
        let mut step = [0.0, 0.0];
        assert!(
            reduced
                .solve(&mut step, &[true, true], &[0.0, 0.0])
                .is_err()
        );
        // p minimises (2p - 2)^2 + 2p^2: p = 2/3.
        assert!(reduced.solve(&mut step, &[true, true], &[1.0, 1.0]).is_ok());
        assert!((step[0] - 2.0 / 3.0).abs() < 1e-14 && (step[1] - 2.0 / 3.0).abs() < 1e-14);
    }
}
