//! The bridge to the crate `faer` for matrices of hundreds of rows and more: products, Cholesky and
//! LU factors, spectra. `nalgebra::DMatrix` carries the numbers; faer sees them in place, so nothing
//! is copied on the way.
//!
//! Enters: dense matrices, column by column. Leaves: the same. Must not know what they mean. Shapes
//! must fit: what comes from users is checked by the callers. Everything runs on the caller's
//! thread, in an order that does not depend on the time.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::lu::partial_pivoting as lu;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::{matmul::matmul, triangular_solve};
use faer::perm::PermRef;
use faer::{Accum, Conj, MatMut, MatRef, Par, Side};
use nalgebra::{Complex, DMatrix};

/// A matrix could not be factorised: to working precision it is singular (for Cholesky: not
/// positive definite), or has entries that are not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Singular;

/// A factor of a product: a matrix, or its transpose.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// As it is.
    Plain(&'a DMatrix<f64>),
    /// Its transpose.
    Turned(&'a DMatrix<f64>),
}

impl<'a> Of<'a> {
    fn view(self) -> MatRef<'a, f64> {
        match self {
            Of::Plain(matrix) => view(matrix),
            Of::Turned(matrix) => view(matrix).transpose(),
        }
    }
}

impl<'a> From<&'a DMatrix<f64>> for Of<'a> {
    fn from(matrix: &'a DMatrix<f64>) -> Self {
        Of::Plain(matrix)
    }
}

/// The transpose as a factor of a product.
#[must_use]
pub fn turned(matrix: &DMatrix<f64>) -> Of<'_> {
    Of::Turned(matrix)
}

fn view(matrix: &DMatrix<f64>) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(matrix.as_slice(), matrix.nrows(), matrix.ncols())
}

fn view_mut(matrix: &mut DMatrix<f64>) -> MatMut<'_, f64> {
    let (rows, columns) = matrix.shape();
    MatMut::from_column_major_slice_mut(matrix.as_mut_slice(), rows, columns)
}

// ---- products ----

/// `a` times `b`.
#[must_use]
pub fn product<'a>(a: impl Into<Of<'a>>, b: impl Into<Of<'a>>) -> DMatrix<f64> {
    let (a, b) = (a.into().view(), b.into().view());
    let mut out = DMatrix::zeros(a.nrows(), b.ncols());
    matmul(view_mut(&mut out), Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

/// Replaces `out` by `factor` times `a` times `b`.
pub fn set_product<'a>(
    out: &mut DMatrix<f64>,
    factor: f64,
    a: impl Into<Of<'a>>,
    b: impl Into<Of<'a>>,
) {
    let (a, b) = (a.into().view(), b.into().view());
    matmul(view_mut(out), Accum::Replace, a, b, factor, Par::Seq);
}

/// Adds `factor` times `a` times `b` to `out`.
pub fn add_product<'a>(
    out: &mut DMatrix<f64>,
    factor: f64,
    a: impl Into<Of<'a>>,
    b: impl Into<Of<'a>>,
) {
    let (a, b) = (a.into().view(), b.into().view());
    matmul(view_mut(out), Accum::Add, a, b, factor, Par::Seq);
}

/// Adds to a symmetric `out` the product of `a` and `b` times `factor`, which is known to be
/// symmetric: half of it is computed, the other half is copied.
pub fn add_symmetric_product<'a>(
    out: &mut DMatrix<f64>,
    factor: f64,
    a: impl Into<Of<'a>>,
    b: impl Into<Of<'a>>,
) {
    lower_product(out.as_mut_slice(), factor, a.into().view(), b.into().view());
    mirror(out);
}

/// Adds Y Y^T to the lower half of `out`, for n columns Y of as many numbers as `out` has rows, one
/// after the other. [`mirror`] makes the whole of it.
pub fn add_gram(out: &mut DMatrix<f64>, columns: &[f64]) {
    let rows = out.nrows();
    let n = columns.len().checked_div(rows).unwrap_or(0);
    if n > 0 {
        let y = MatRef::from_column_major_slice(columns, rows, n);
        lower_product(out.as_mut_slice(), 1.0, y, y.transpose());
    }
}

fn lower_product(out: &mut [f64], factor: f64, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let n = a.nrows();
    triangular::matmul(
        MatMut::from_column_major_slice_mut(out, n, n),
        BlockStructure::TriangularLower,
        Accum::Add,
        a,
        BlockStructure::Rectangular,
        b,
        BlockStructure::Rectangular,
        factor,
        Par::Seq,
    );
}

/// Side of the tiles in which halves are copied: two of them fit the first cache.
const TILE: usize = 32;

/// Copies the lower half of a square matrix to its upper half.
pub fn mirror(matrix: &mut DMatrix<f64>) {
    let n = matrix.nrows();
    let entries = matrix.as_mut_slice();
    for left in (0..n).step_by(TILE) {
        for top in (left..n).step_by(TILE) {
            for j in left..(left + TILE).min(n) {
                for i in top.max(j + 1)..(top + TILE).min(n) {
                    entries[i * n + j] = entries[j * n + i];
                }
            }
        }
    }
}

/// Adds its transpose to a square matrix.
pub fn add_own_transpose(matrix: &mut DMatrix<f64>) {
    let n = matrix.nrows();
    let entries = matrix.as_mut_slice();
    for left in (0..n).step_by(TILE) {
        for top in (left..n).step_by(TILE) {
            for j in left..(left + TILE).min(n) {
                for i in top.max(j)..(top + TILE).min(n) {
                    let sum = entries[i * n + j] + entries[j * n + i];
                    entries[i * n + j] = sum;
                    entries[j * n + i] = sum;
                }
            }
        }
    }
}

/// The sum of the products of entries: the trace of a^T b.
#[must_use]
pub fn inner(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    a.iter().zip(b.iter()).map(|(a, b)| a * b).sum()
}

// ---- LU ----

/// The factors of a square matrix, with partial pivoting.
#[derive(Debug, Clone)]
pub struct Lu {
    factors: DMatrix<f64>,
    forward: Vec<usize>,
    backward: Vec<usize>,
}

impl Lu {
    /// Factorises an n by n matrix.
    ///
    /// # Errors
    /// [`Singular`]
    pub fn new(matrix: DMatrix<f64>) -> Result<Lu, Singular> {
        let n = matrix.nrows();
        let mut found = Lu {
            factors: matrix,
            forward: vec![0; n],
            backward: vec![0; n],
        };
        let scratch =
            lu::factor::lu_in_place_scratch::<usize, f64>(n, n, Par::Seq, Default::default());
        lu::factor::lu_in_place(
            view_mut(&mut found.factors),
            &mut found.forward,
            &mut found.backward,
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        );
        let pivots = found.factors.diagonal();
        if pivots.iter().all(|pivot| pivot.is_normal()) {
            Ok(found)
        } else {
            Err(Singular)
        }
    }

    fn order(&self) -> PermRef<'_, usize> {
        PermRef::new_checked(&self.forward, &self.backward, self.forward.len())
    }

    /// Replaces the columns of `b` by the solutions of A x = b.
    pub fn solve(&self, b: &mut DMatrix<f64>) {
        let scratch = lu::solve::solve_in_place_scratch::<usize, f64>(
            self.forward.len(),
            b.ncols(),
            Par::Seq,
        );
        lu::solve::solve_in_place_with_conj(
            view(&self.factors),
            view(&self.factors),
            self.order(),
            Conj::No,
            view_mut(b),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
    }

    /// Replaces the columns of `b` by the solutions of A^T x = b.
    pub fn solve_turned(&self, b: &mut DMatrix<f64>) {
        let scratch = lu::solve::solve_transpose_in_place_scratch::<usize, f64>(
            self.forward.len(),
            b.ncols(),
            Par::Seq,
        );
        lu::solve::solve_transpose_in_place_with_conj(
            view(&self.factors),
            view(&self.factors),
            self.order(),
            Conj::No,
            view_mut(b),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
    }

    /// The inverse.
    #[must_use]
    pub fn inverse(&self) -> DMatrix<f64> {
        let n = self.forward.len();
        let mut out = DMatrix::zeros(n, n);
        let scratch = lu::inverse::inverse_scratch::<usize, f64>(n, Par::Seq);
        lu::inverse::inverse(
            view_mut(&mut out),
            view(&self.factors),
            view(&self.factors),
            self.order(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
        out
    }
}

// ---- Cholesky ----

/// L with S = L L^T of a symmetric positive definite S.
#[derive(Debug, Clone)]
pub struct Cholesky {
    lower: DMatrix<f64>,
}

/// Pivots that differ more than this are those of a singular matrix: the quotient of variances to
/// working precision.
const LEAST_PIVOT: f64 = 1e-14;

impl Cholesky {
    /// Factorises an n by n matrix of which the lower half is read.
    ///
    /// # Errors
    /// [`Singular`]: a pivot is below 1e-14 of the variance it belongs to.
    pub fn new(matrix: DMatrix<f64>) -> Result<Cholesky, Singular> {
        let n = matrix.nrows();
        let variances = matrix.diagonal();
        let mut lower = matrix;
        let scratch =
            llt::factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default());
        llt::factor::cholesky_in_place(
            view_mut(&mut lower),
            Default::default(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .map_err(|_| Singular)?;
        for (j, mut column) in lower.column_iter_mut().enumerate() {
            column.rows_mut(0, j).fill(0.0);
        }
        let pivots = lower.diagonal();
        let sound = pivots.iter().zip(&variances).all(|(pivot, variance)| {
            pivot.is_normal() && pivot * pivot > LEAST_PIVOT * variance.abs()
        });
        sound.then_some(Cholesky { lower }).ok_or(Singular)
    }

    /// L, zeros above the diagonal.
    #[must_use]
    pub fn lower(&self) -> &DMatrix<f64> {
        &self.lower
    }

    /// log det S.
    #[must_use]
    pub fn log_determinant(&self) -> f64 {
        let pivots = self.lower.diagonal();
        2.0 * pivots.iter().map(|pivot| pivot.ln()).sum::<f64>()
    }

    /// Replaces the columns of `b` by the solutions of L x = b.
    pub fn solve_lower(&self, b: &mut DMatrix<f64>) {
        triangular_solve::solve_lower_triangular_in_place(view(&self.lower), view_mut(b), Par::Seq);
    }

    /// Replaces the columns of `b` by the solutions of L^T x = b.
    pub fn solve_upper(&self, b: &mut DMatrix<f64>) {
        let upper = view(&self.lower).transpose();
        triangular_solve::solve_upper_triangular_in_place(upper, view_mut(b), Par::Seq);
    }

    /// Replaces the columns of `b` by the solutions of S x = b.
    pub fn solve(&self, b: &mut DMatrix<f64>) {
        self.solve_lower(b);
        self.solve_upper(b);
    }

    /// The inverse of S.
    #[must_use]
    pub fn inverse(&self) -> DMatrix<f64> {
        let n = self.lower.nrows();
        let mut out = DMatrix::zeros(n, n);
        let scratch = llt::inverse::inverse_scratch::<f64>(n, Par::Seq);
        llt::inverse::inverse(
            view_mut(&mut out),
            view(&self.lower),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
        mirror(&mut out);
        out
    }
}

// ---- spectra ----

/// The eigenvalues of a symmetric matrix in ascending order with their vectors as columns; `None`
/// where the iteration does not converge, or an entry is not finite.
#[must_use]
pub fn symmetric_eigen(matrix: &DMatrix<f64>) -> Option<(Vec<f64>, DMatrix<f64>)> {
    if !is_finite(matrix) {
        return None;
    }
    let found = view(matrix).self_adjoint_eigen(Side::Lower).ok()?;
    let values = found.S().column_vector().iter().copied().collect();
    Some((values, owned(found.U())))
}

/// The eigenvalues of a square matrix, in no order; `None` as above.
#[must_use]
pub fn eigenvalues(matrix: &DMatrix<f64>) -> Option<Vec<Complex<f64>>> {
    if !is_finite(matrix) {
        return None;
    }
    let found = view(matrix).eigenvalues().ok()?;
    Some(found.iter().map(|z| Complex::new(z.re, z.im)).collect())
}

/// The singular values in descending order, as many as the smaller side, and the right singular
/// vectors as columns, as many as there are columns; `None` as above.
#[must_use]
pub fn right_singular(matrix: &DMatrix<f64>) -> Option<(Vec<f64>, DMatrix<f64>)> {
    if !is_finite(matrix) {
        return None;
    }
    let found = view(matrix).svd().ok()?;
    let values = found.S().column_vector().iter().copied().collect();
    Some((values, owned(found.V())))
}

fn owned(matrix: MatRef<'_, f64>) -> DMatrix<f64> {
    DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)])
}

/// True when every entry is finite.
#[must_use]
pub fn is_finite(matrix: &DMatrix<f64>) -> bool {
    matrix.iter().all(|entry| entry.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, columns: usize, seed: usize) -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |i, j| {
            (1.0 + 7.3 * (i + seed) as f64 + 3.1 * (j * j) as f64).sin()
        })
    }

    /// Against nalgebra's own products.
    #[test]
    fn products_are_those_of_the_definition() {
        let (a, b) = (matrix(40, 33, 1), matrix(33, 40, 2));
        assert!((product(&a, &b) - &a * &b).amax() < 1e-12);
        assert!((product(turned(&a), turned(&b)) - a.transpose() * b.transpose()).amax() < 1e-12);
        let mut out = &a * a.transpose();
        let twice = &out * 3.0;
        add_symmetric_product(&mut out, 2.0, &a, turned(&a));
        assert!((&out - twice).amax() < 1e-12);
        let mut gram = DMatrix::zeros(40, 40);
        add_gram(&mut gram, a.as_slice());
        mirror(&mut gram);
        assert!((gram - &a * a.transpose()).amax() < 1e-12);
        let square = matrix(70, 70, 5);
        let mut sum = square.clone();
        add_own_transpose(&mut sum);
        assert!((sum - &square - square.transpose()).amax() < 1e-14);
    }

    #[test]
    fn factors_solve() {
        let n = 60;
        let a = matrix(n, n, 3) + DMatrix::identity(n, n) * 4.0;
        let b = matrix(n, 3, 9);
        let lu = Lu::new(a.clone()).unwrap();
        let mut x = b.clone();
        lu.solve(&mut x);
        assert!((&a * &x - &b).amax() < 1e-11);
        let mut x = b.clone();
        lu.solve_turned(&mut x);
        assert!((a.transpose() * &x - &b).amax() < 1e-11);
        assert!((lu.inverse() * &a - DMatrix::identity(n, n)).amax() < 1e-11);
        let s = &a * a.transpose();
        let cholesky = Cholesky::new(s.clone()).unwrap();
        let mut x = b.clone();
        cholesky.solve(&mut x);
        assert!((&s * &x - &b).amax() < 1e-9);
        assert!((cholesky.inverse() * &s - DMatrix::identity(n, n)).amax() < 1e-9);
        let lower = cholesky.lower();
        assert!((lower * lower.transpose() - s).amax() < 1e-11);
    }

    #[test]
    fn what_is_singular_is_said() {
        assert_eq!(Lu::new(DMatrix::zeros(3, 3)).err(), Some(Singular));
        let ones = DMatrix::from_element(3, 3, 1.0);
        assert_eq!(Cholesky::new(ones).err(), Some(Singular));
        let wrong = DMatrix::from_element(3, 3, f64::NAN);
        assert_eq!(Cholesky::new(wrong.clone()).err(), Some(Singular));
        assert!(eigenvalues(&wrong).is_none());
    }

    /// [[2, 1], [1, 2]] has the eigenvalues 1 and 3; [[0, 1], [-1, 0]] has -i and i.
    #[test]
    fn spectra_are_exact_for_two_rows() {
        let s = DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 2.0]);
        let (values, vectors) = symmetric_eigen(&s).unwrap();
        assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
        assert!((&s * vectors.column(1) - vectors.column(1) * 3.0).amax() < 1e-14);
        let turn = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, 0.0]);
        let turning = eigenvalues(&turn).unwrap();
        assert!((turning[0].im.abs() - 1.0).abs() < 1e-15 && turning[0].re.abs() < 1e-15);
        let flat = DMatrix::from_row_slice(1, 2, &[3.0, 4.0]);
        let (values, right) = right_singular(&flat).unwrap();
        assert!((values[0] - 5.0).abs() < 1e-14);
        assert!((&flat * right.column(1)).amax() < 1e-14);
    }
}
