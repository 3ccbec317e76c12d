//! LU factorisation with partial pivoting of a dense matrix, stored by column.
//!
//! Golub & Van Loan, Matrix Computations, algorithm 3.4.1, right-looking: all inner loops run down
//! contiguous columns. Nothing is allocated after the first.

use super::Singular;
use super::length::Length;

/// The factors of a square matrix.
#[derive(Debug, Clone)]
pub struct Dense<L> {
    length: L,
    /// Before factorisation the matrix, after it the factors; column after column. The diagonal
    /// of U is stored as its reciprocals.
    columns: Vec<f64>,
    /// Row exchanged with row k at step k.
    pivots: Vec<usize>,
    /// The rows in the order that these exchanges lead to.
    order: Vec<usize>,
}

impl<L: Length> Dense<L> {
    /// A matrix of zeros.
    #[must_use]
    pub fn new(length: L) -> Self {
        let n = length.get();
        Dense {
            length,
            columns: vec![0.0; n * n],
            pivots: vec![0; n],
            order: vec![0; n],
        }
    }

    /// The entries, column after column, to be filled in before [`Dense::factorise`].
    #[inline(always)]
    pub fn entries_mut(&mut self) -> &mut [f64] {
        &mut self.columns
    }

    /// Replaces the entries by their factors.
    ///
    /// # Errors
    /// A column without a pivot other than zero, or with one that is not finite.
    #[inline(always)]
    pub fn factorise(&mut self) -> Result<(), Singular> {
        let n = self.length.get();
        let a = &mut self.columns[..n * n];
        let (pivots, order) = (&mut self.pivots[..n], &mut self.order[..n]);
        for (k, row) in order.iter_mut().enumerate() {
            *row = k;
        }
        for k in 0..n {
            let mut pivot = k;
            let mut largest = a[k * n + k].abs();
            for i in k + 1..n {
                let size = a[k * n + i].abs();
                if size > largest {
                    (pivot, largest) = (i, size);
                }
            }
            if !(largest > 0.0 && largest.is_finite()) {
                return Err(Singular);
            }
            pivots[k] = pivot;
            if pivot != k {
                order.swap(k, pivot);
                for j in 0..n {
                    a.swap(j * n + k, j * n + pivot);
                }
            }
            let reciprocal = 1.0 / a[k * n + k];
            a[k * n + k] = reciprocal;
            let (done, rest) = a.split_at_mut((k + 1) * n);
            let multipliers = &mut done[k * n + k + 1..];
            for l in multipliers.iter_mut() {
                *l *= reciprocal;
            }
            for column in rest.chunks_exact_mut(n) {
                let factor = column[k];
                if factor != 0.0 {
                    for (entry, l) in column[k + 1..].iter_mut().zip(&*multipliers) {
                        *entry -= l * factor;
                    }
                }
            }
        }
        Ok(())
    }

    /// Replaces `b` by the solution of A x = b.
    #[inline(always)]
    pub fn solve(&self, b: &mut [f64]) {
        let n = self.length.get();
        let a = &self.columns[..n * n];
        if n <= FEW {
            // In registers, when the length is known.
            let mut x = [0.0; FEW];
            for (x, row) in x.iter_mut().zip(&self.order[..n]) {
                *x = b[*row];
            }
            substitute(n, a, &mut x);
            b[..n].copy_from_slice(&x[..n]);
            return;
        }
        let b = &mut b[..n];
        for (k, pivot) in self.pivots.iter().enumerate() {
            b.swap(k, *pivot);
        }
        substitute(n, a, b);
    }
}

/// Length of vectors that are solved for in registers.
const FEW: usize = 8;

/// Forward and backward substitution with the factors.
#[inline(always)]
fn substitute(n: usize, a: &[f64], b: &mut [f64]) {
    for k in 0..n {
        let value = b[k];
        for (b, l) in b[k + 1..n].iter_mut().zip(&a[k * n + k + 1..(k + 1) * n]) {
            *b -= l * value;
        }
    }
    for k in (0..n).rev() {
        let value = b[k] * a[k * n + k];
        b[k] = value;
        for (b, u) in b[..k].iter_mut().zip(&a[k * n..k * n + k]) {
            *b -= u * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::length::{Any, Fixed};
    use super::*;

    /// Residuals of random-looking systems, whose diagonals are zero: only pivoting solves them.
    fn check<L: Length>(length: L) {
        let n = length.get();
        let mut lu = Dense::new(length);
        let value = |k: usize| (1.0 + 7.3 * k as f64).sin();
        let matrix: Vec<f64> = (0..n * n)
            .map(|k| {
                if k % (n + 1) == 0 && n > 1 {
                    0.0
                } else {
                    value(k)
                }
            })
            .collect();
        lu.entries_mut().copy_from_slice(&matrix);
        assert_eq!(lu.factorise(), Ok(()));
        let right: Vec<f64> = (0..n).map(|k| value(k + 1000)).collect();
        let mut x = right.clone();
        lu.solve(&mut x);
        for i in 0..n {
            let product: f64 = (0..n).map(|j| matrix[j * n + i] * x[j]).sum();
            assert!(
                (product - right[i]).abs() < 1e-9,
                "{n}: {product} {}",
                right[i]
            );
        }
    }

    #[test]
    fn systems_are_solved() {
        check(Fixed::<1>);
        check(Fixed::<2>);
        check(Fixed::<3>);
        check(Fixed::<4>);
        for n in [1, 2, 5, 13, 40] {
            check(Any(n));
        }
    }

    #[test]
    fn singular_matrices_are_said() {
        let mut lu = Dense::new(Any(2));
        lu.entries_mut().copy_from_slice(&[1.0, 2.0, 2.0, 4.0]);
        assert_eq!(lu.factorise(), Err(Singular));
        lu.entries_mut().fill(f64::NAN);
        assert_eq!(lu.factorise(), Err(Singular));
    }
}
