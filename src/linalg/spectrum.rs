//! The eigenvalues of a general dense matrix, without vectors, for many matrices of one size: the
//! bridge to the crate `faer`, for the Hessenberg form, and for large matrices also what follows
//! (multishift QR with aggressive early deflation; K. Braman, R. Byers, R. Mathias, SIAM J. Matrix
//! Anal. Appl. 23, 929 and 948, 2002). Smaller ones are left to [`francis`], which is faster there.
//!
//! The matrix is balanced first, since rows and columns of very different lengths cost digits: a
//! diagonal similarity by powers of two makes them alike (B. Parlett, C. Reinsch, Numer. Math. 13,
//! 293, 1969), measured by Euclidean norms, which are safe where one entry dwarfs the others
//! (R. James, J. Langou, B. Lowery, arXiv:1401.5766, 2014).
//!
//! Enters: the entries, column by column. Leaves: the eigenvalues, the rightmost first. Must not
//! know what the matrix says. Everything runs on the caller's thread.

use super::francis;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::evd::hessenberg::{hessenberg_in_place, hessenberg_in_place_scratch};
use faer::linalg::evd::{ComputeEigenvectors, evd_real, evd_scratch};
use faer::{Col, Mat, Par};
use nalgebra::Complex;

/// Balancing goes on while a step shortens row and column together by this factor at least.
const GAIN: f64 = 0.95;
/// Sweeps of balancing at most; two or three are the rule.
const SWEEPS: usize = 30;

/// From this size on a matrix is large: it does not fit well into the second cache.
const LARGE: usize = 300;
/// Reflections that are applied at a time on the way to Hessenberg form.
const REFLECTIONS: usize = 8;

/// Why there are no eigenvalues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfound {
    /// An entry is not finite.
    NotFinite,
    /// The iteration did not converge.
    NotConverged,
}

/// Room for one matrix of a size that is found once.
pub struct Eigenvalues {
    matrix: Mat<f64>,
    reflections: Mat<f64>,
    real: Col<f64>,
    imaginary: Col<f64>,
    stack: MemBuffer,
    hessenberg: Vec<f64>,
    found: Vec<Complex<f64>>,
}

impl Eigenvalues {
    /// For matrices of n rows and columns; a matrix of zeros.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let none = ComputeEigenvectors::No;
        let (default, seq) = (Default::default(), Par::Seq);
        let need = match n {
            0..=2 => StackReq::EMPTY,
            3..LARGE => hessenberg_in_place_scratch::<f64>(n, REFLECTIONS, seq, default),
            _ => evd_scratch::<f64>(n, none, none, seq, Default::default()),
        };
        Eigenvalues {
            matrix: Mat::zeros(n, n),
            reflections: Mat::zeros(REFLECTIONS, n.saturating_sub(1)),
            real: Col::zeros(n),
            imaginary: Col::zeros(n),
            stack: MemBuffer::new(need),
            hessenberg: Vec::new(),
            found: Vec::with_capacity(n),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.matrix.nrows()
    }

    /// The n entries of column j < n, to be filled in before [`Eigenvalues::find`], which spoils
    /// them.
    pub fn column_mut(&mut self, j: usize) -> &mut [f64] {
        self.matrix.col_as_slice_mut(j)
    }

    /// The eigenvalues by falling real part, those of one real part by falling imaginary part.
    /// Complex ones come in conjugate pairs. Each is exact for a matrix that differs from the
    /// balanced one by a few units of round-off times its norm; how far that moves an eigenvalue
    /// depends on its condition.
    ///
    /// # Errors
    /// [`Unfound`].
    pub fn find(&mut self) -> Result<&[Complex<f64>], Unfound> {
        let n = self.dimension();
        if (0..n).any(|j| self.matrix.col_as_slice(j).iter().any(|x| !x.is_finite())) {
            return Err(Unfound::NotFinite);
        }
        self.found.clear();
        match n {
            0 => {}
            1 => self.found.push(Complex::new(self.matrix[(0, 0)], 0.0)),
            2 => {
                let row = |i| [self.matrix[(i, 0)], self.matrix[(i, 1)]];
                self.found.extend(francis::of_two(row(0), row(1)));
            }
            3..LARGE => self.small()?,
            _ => self.large()?,
        }
        // A real eigenvalue has the imaginary part +0, so that the order is unique.
        for value in &mut self.found {
            value.im += 0.0;
        }
        let sound = |z: &Complex<f64>| z.re.is_finite() && z.im.is_finite();
        if !self.found.iter().all(sound) {
            return Err(Unfound::NotConverged);
        }
        self.found
            .sort_unstable_by(|a, b| b.re.total_cmp(&a.re).then(b.im.total_cmp(&a.im)));
        Ok(&self.found)
    }

    fn small(&mut self) -> Result<(), Unfound> {
        balance(&mut self.matrix);
        hessenberg_in_place(
            self.matrix.as_mut(),
            self.reflections.as_mut(),
            Par::Seq,
            MemStack::new(&mut self.stack),
            Default::default(),
        );
        let n = self.dimension();
        self.hessenberg.clear();
        for j in 0..n {
            // Below the subdiagonal are the reflections.
            let end = n.min(j + 2);
            let column = self.matrix.col_as_slice(j);
            self.hessenberg.extend_from_slice(&column[..end]);
            self.hessenberg.resize((j + 1) * n, 0.0);
        }
        if francis::eigenvalues(&mut self.hessenberg, n, &mut self.found) {
            Ok(())
        } else {
            Err(Unfound::NotConverged)
        }
    }

    fn large(&mut self) -> Result<(), Unfound> {
        balance(&mut self.matrix);
        // The crate does not tell when it gives up: what it did not find stays not a number.
        self.real.fill(f64::NAN);
        self.imaginary.fill(f64::NAN);
        let done = evd_real(
            self.matrix.as_ref(),
            self.real.as_mut().as_diagonal_mut(),
            self.imaginary.as_mut().as_diagonal_mut(),
            None,
            None,
            Par::Seq,
            MemStack::new(&mut self.stack),
            Default::default(),
        );
        done.map_err(|_| Unfound::NotConverged)?;
        let pairs = self.real.iter().zip(self.imaginary.iter());
        self.found
            .extend(pairs.map(|(re, im)| Complex::new(*re, *im)));
        Ok(())
    }
}

fn balance(matrix: &mut Mat<f64>) {
    let n = matrix.nrows();
    for _ in 0..SWEEPS {
        let mut settled = true;
        for i in 0..n {
            let column = norm(matrix.col_as_slice(i).iter().copied());
            let row = norm((0..n).map(|j| matrix[(i, j)]));
            let Some(factor) = factor(column, row) else {
                continue;
            };
            settled = false;
            for entry in matrix.col_as_slice_mut(i) {
                *entry *= factor;
            }
            for j in 0..n {
                matrix[(i, j)] /= factor;
            }
        }
        if settled {
            return;
        }
    }
}

fn norm(entries: impl Iterator<Item = f64>) -> f64 {
    entries.map(|entry| entry * entry).sum::<f64>().sqrt()
}

/// The power of two by which the column is to be multiplied and the row divided, if that pays.
fn factor(column: f64, row: f64) -> Option<f64> {
    if !(column.is_normal() && row.is_normal()) {
        return None;
    }
    // Exact: only the exponent is rounded.
    let factor = (0.5 * (row / column).log2())
        .round()
        .clamp(-500.0, 500.0)
        .exp2();
    if factor == 1.0 {
        return None;
    }
    let before = column.hypot(row);
    let after = (column * factor).hypot(row / factor);
    (after < GAIN * before).then_some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    fn of(matrix: &DMatrix<f64>) -> Vec<Complex<f64>> {
        let n = matrix.nrows();
        let mut room = Eigenvalues::new(n);
        for j in 0..n {
            room.column_mut(j)
                .copy_from_slice(matrix.column(j).as_slice());
        }
        room.find().unwrap().to_vec()
    }

    /// A circulant matrix has the discrete Fourier transform of its first column as eigenvalues.
    #[test]
    fn a_circulant_matrix_has_the_transform_of_its_column() {
        for n in [3, 8, 40, 105, 150, 310] {
            let column: Vec<f64> = (0..n).map(|k| (1.7 * k as f64).sin()).collect();
            let matrix = DMatrix::from_fn(n, n, |i, j| column[(n + i - j) % n]);
            let found = of(&matrix);
            for k in 0..n {
                let angle = -2.0 * std::f64::consts::PI * k as f64 / n as f64;
                let terms = column.iter().enumerate();
                let exact: Complex<f64> = terms
                    .map(|(i, x)| Complex::from_polar(1.0, angle * i as f64) * x)
                    .sum();
                let off = found.iter().map(|z| (z - exact).norm());
                assert!(off.fold(f64::MAX, f64::min) < 1e-11 * n as f64, "{n} {k}");
            }
        }
    }

    #[test]
    fn a_badly_scaled_matrix_keeps_its_small_eigenvalues() {
        // A diagonal similarity of [[2, 1, 1], [1, 3, 1], [1, 1, 4]], whose characteristic
        // polynomial is x^3 - 9 x^2 + 23 x - 17; numpy.roots gives the numbers.
        let scales = [1.0, 1e9, 1e-8];
        let plain = DMatrix::from_row_slice(3, 3, &[2., 1., 1., 1., 3., 1., 1., 1., 4.]);
        let matrix = DMatrix::from_fn(3, 3, |i, j| plain[(i, j)] * scales[i] / scales[j]);
        let exact = [5.214319743377535, 2.460811127189111, 1.324869129433354];
        for (found, exact) in of(&matrix).iter().zip(exact) {
            assert!((found.re - exact).abs() < 1e-13, "{found} {exact}");
            assert!(found.im == 0.0);
        }
    }

    #[test]
    fn two_by_two_keeps_digits_where_the_sum_cancels() {
        let matrix = DMatrix::from_row_slice(2, 2, &[1e8, 1.0, 1.0, 1e-8]);
        let found = of(&matrix);
        // The product of the eigenvalues is the determinant, zero here.
        assert!(found[1].re.abs() < 1e-16, "{found:?}");
        let turn = of(&DMatrix::from_row_slice(2, 2, &[0.5, -2.0, 3.0, 0.5]));
        assert!((turn[0] - Complex::new(0.5, 6_f64.sqrt())).norm() < 1e-15);
        assert!((turn[1] - turn[0].conj()).norm() == 0.0);
    }

    /// Against the other implementation, and by the sums of first and second powers.
    #[test]
    fn both_ways_agree() {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        };
        for round in 0..60 {
            let n = 3 + round;
            // Dense, sparse (with a diagonal, since many zeros with few vectors would be known to a
            // root of the round-off only), graded, and nilpotent but for one entry.
            let matrix = DMatrix::from_fn(n, n, |i, j| match round % 4 {
                0 => next(),
                1 => {
                    if i == j || next() > 0.7 {
                        next()
                    } else {
                        0.0
                    }
                }
                2 => next() * 10_f64.powi((i as i32 - j as i32) / 4),
                _ => f64::from(i + 1 == j) + f64::from((i, j) == (n - 1, 0)) * 1e-3,
            });
            let found = of(&matrix);
            let mut room = Eigenvalues::new(n);
            let need = ComputeEigenvectors::No;
            let need = evd_scratch::<f64>(n, need, need, Par::Seq, Default::default());
            room.stack = MemBuffer::new(need);
            for j in 0..n {
                let column = matrix.column(j);
                room.column_mut(j).copy_from_slice(column.as_slice());
            }
            room.large().unwrap();
            assert_eq!(found.len(), n);
            let size = found[0].norm().max(matrix.norm());
            for z in &room.found {
                let off = found.iter().map(|other| (other - z).norm());
                let off = off.fold(f64::MAX, f64::min);
                assert!(off < 1e-9 * size, "{round} {z} {off}");
            }
            let sum: Complex<f64> = found.iter().sum();
            assert!((sum - matrix.trace()).norm() < 1e-12 * size * n as f64);
            let squares: Complex<f64> = found.iter().map(|z| z * z).sum();
            let exact = (&matrix * &matrix).trace();
            assert!((squares - exact).norm() < 1e-11 * size * size, "{round}");
        }
    }

    #[test]
    fn a_permutation_needs_exceptional_shifts() {
        // A cycle of n has the n-th roots of one; plain double shifts leave it as it is.
        for n in [3, 4, 5, 12, 64] {
            let found = of(&DMatrix::from_fn(n, n, |i, j| f64::from((j + 1) % n == i)));
            for z in found {
                assert!((z.norm() - 1.0).abs() < 1e-12, "{n} {z}");
                assert!((z.powu(n as u32) - 1.0).norm() < 1e-10, "{n} {z}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        let mut room = Eigenvalues::new(4);
        room.column_mut(2)[1] = f64::NAN;
        assert_eq!(room.find().err(), Some(Unfound::NotFinite));
        assert!(Eigenvalues::new(0).find().unwrap().is_empty());
    }
}
