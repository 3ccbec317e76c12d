//! Eigenvalues with eigenvectors of a small dense matrix, and how far to trust them.
//!
//! In: a matrix. Out: [`Mode`]s, one for each distinct eigenvalue or complex pair.
//!
//! Eigenvalues come from the real Schur form (closed form for one and two rows), eigenvectors by
//! inverse iteration; G. H. Golub, C. F. Van Loan, Matrix Computations (4th ed., 2013), sections
//! 7.2 and 7.6. Rounding moves a simple eigenvalue by up to eps |A| / |y' x|, with unit left and
//! right eigenvectors y and x (there, 7.2.2). A repeated eigenvalue without enough eigenvectors
//! comes out of the Schur form as a cloud of radius eps^(1/m); it is recognised by the null space
//! of A - c with the mean c of the cloud, which is accurate.

use super::spectrum::Eigenvalue;
use nalgebra::{Complex, DMatrix, DVector, Schur};

/// An eigenvalue, or a complex pair, with its eigenvectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// The eigenvalue; of a pair the one with the positive imaginary part.
    pub value: Eigenvalue,
    /// How often it occurs; a pair counts once.
    pub multiplicity: usize,
    /// Independent eigenvectors; fewer than the multiplicity when the matrix is defective. Empty
    /// when they were not asked for.
    pub directions: Vec<Direction>,
    /// How many independent eigenvectors there are.
    pub geometric: usize,
    /// Rounding may move the eigenvalue by this much.
    pub error: f64,
}

/// An eigenvector, one number per row: of a real eigenvalue `real` alone, of a pair
/// `real + i imaginary`.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    /// The real part.
    pub real: Vec<f64>,
    /// The imaginary part; empty for a real eigenvalue.
    pub imaginary: Vec<f64>,
}

impl Mode {
    /// True for a complex pair.
    #[must_use]
    pub fn is_pair(&self) -> bool {
        self.value.imaginary > 0.0
    }

    /// Dimensions that it stands for: the multiplicity, twice that for a pair.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.multiplicity * if self.is_pair() { 2 } else { 1 }
    }
}

/// Larger matrices have eigenvectors of their leading eigenvalues only.
const MOST_VECTORS: usize = 40;
/// Entries are taken to be right to this many units in the last place.
const ULPS: f64 = 64.0;
/// A cloud of m eigenvalues is this many times eps^(1/m) wide, at most.
const CLOUD: f64 = 30.0;
/// Eigenvalues of larger matrices are not searched for clouds.
const MOST_CLOUDED: usize = 60;

/// All eigenvalues of a square matrix, in no special order; the first [`MOST_VECTORS`] in the
/// order of `before` have eigenvectors. `None` when an entry is not finite or the iteration does
/// not end.
pub(super) fn modes(
    matrix: &DMatrix<f64>,
    before: impl Fn(&Eigenvalue, &Eigenvalue) -> std::cmp::Ordering,
) -> Option<Vec<Mode>> {
    if matrix.nrows() == 0 {
        return Some(Vec::new());
    }
    if matrix.iter().any(|entry| !entry.is_finite()) {
        return None;
    }
    let values = values(matrix)?;
    let norm = matrix.norm();
    let mut modes = Vec::new();
    for cloud in clouds(&values, norm, matrix.nrows()) {
        repeated(matrix, norm, &cloud, &mut modes);
    }
    modes.sort_by(|a, b| before(&a.value, &b.value));
    for mode in modes.iter_mut().take(MOST_VECTORS) {
        if mode.directions.is_empty() {
            simple(matrix, norm, mode);
        }
    }
    Some(modes)
}

/// One number for each eigenvalue, pairs by the one above the real axis.
fn values(matrix: &DMatrix<f64>) -> Option<Vec<Complex<f64>>> {
    let n = matrix.nrows();
    let all = match n {
        1 => vec![Complex::new(matrix[(0, 0)], 0.0)],
        2 => of_two(matrix),
        _ => {
            let schur = Schur::try_new(matrix.clone(), f64::EPSILON, 100 * (n + 1))?;
            schur.complex_eigenvalues().iter().copied().collect()
        }
    };
    Some(all.into_iter().filter(|value| value.im >= 0.0).collect())
}

/// By the quadratic formula about the mean of the diagonal, without cancellation.
fn of_two(matrix: &DMatrix<f64>) -> Vec<Complex<f64>> {
    let (a, b, c, d) = (
        matrix[(0, 0)],
        matrix[(0, 1)],
        matrix[(1, 0)],
        matrix[(1, 1)],
    );
    let mean = a.midpoint(d);
    let half = (a - d) / 2.0;
    let square = half * half + b * c;
    if square < 0.0 {
        return vec![Complex::new(mean, (-square).sqrt())];
    }
    let root = square.sqrt();
    let far = if mean < 0.0 { mean - root } else { mean + root };
    let determinant = a * d - b * c;
    let near = if far == 0.0 { 0.0 } else { determinant / far };
    vec![Complex::new(far, 0.0), Complex::new(near, 0.0)]
}

/// Eigenvalues that lie so close together that they may be one.
fn clouds(values: &[Complex<f64>], norm: f64, n: usize) -> Vec<Vec<Complex<f64>>> {
    if n > MOST_CLOUDED {
        return values.iter().map(|value| vec![*value]).collect();
    }
    let mut left: Vec<Complex<f64>> = values.to_vec();
    let mut clouds = Vec::new();
    while let Some(first) = left.pop() {
        let mut cloud = vec![first];
        loop {
            #[expect(clippy::cast_precision_loss, reason = "a small count")]
            let power = 1.0 / (cloud.len() + 1) as f64;
            let reach = CLOUD * f64::EPSILON.powf(power) * norm;
            let near = left
                .iter()
                .position(|value| cloud.iter().any(|known| (known - value).norm() <= reach));
            match near {
                Some(at) => cloud.push(left.swap_remove(at)),
                None => break,
            }
        }
        clouds.push(cloud);
    }
    clouds
}

/// The modes of a cloud: one repeated eigenvalue when the matrix says so, else each by itself.
fn repeated(matrix: &DMatrix<f64>, norm: f64, cloud: &[Complex<f64>], modes: &mut Vec<Mode>) {
    // A pair close to the real axis is a cloud of two by itself.
    let reach = CLOUD * f64::EPSILON.sqrt() * norm;
    let near_axis = cloud
        .iter()
        .any(|value| value.im > 0.0 && value.im <= reach)
        || cloud.iter().all(|value| value.im == 0.0);
    let mut all: Vec<Complex<f64>> = cloud.to_vec();
    if near_axis {
        let below = cloud.iter().filter(|value| value.im > 0.0);
        all.extend(below.map(Complex::conj));
    }
    if all.len() > 1 {
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let mean = all.iter().sum::<Complex<f64>>() / all.len() as f64;
        let mean = if near_axis {
            Complex::new(mean.re, 0.0)
        } else {
            mean
        };
        let directions = null_space(matrix, norm, mean);
        if !directions.is_empty() {
            modes.push(Mode {
                value: Eigenvalue {
                    real: mean.re,
                    imaginary: mean.im,
                },
                multiplicity: all.len().max(directions.len()),
                geometric: directions.len(),
                directions,
                error: ULPS * f64::EPSILON * norm,
            });
            return;
        }
    }
    modes.extend(cloud.iter().map(|value| Mode {
        value: Eigenvalue {
            real: value.re,
            imaginary: value.im,
        },
        multiplicity: 1,
        directions: Vec::new(),
        geometric: 1,
        error: ULPS * f64::EPSILON * norm,
    }));
}

fn shifted(matrix: &DMatrix<f64>, by: Complex<f64>) -> DMatrix<Complex<f64>> {
    let mut shifted = matrix.map(|entry| Complex::new(entry, 0.0));
    for i in 0..shifted.nrows() {
        shifted[(i, i)] -= by;
    }
    shifted
}

/// Independent vectors that A - value sends to zero as far as rounding can tell.
fn null_space(matrix: &DMatrix<f64>, norm: f64, value: Complex<f64>) -> Vec<Direction> {
    let zero = ULPS * f64::EPSILON * norm;
    let found = if value.im == 0.0 {
        let mut shifted = matrix.clone();
        for i in 0..shifted.nrows() {
            shifted[(i, i)] -= value.re;
        }
        // A basis of plain columns where every vector is an eigenvector.
        if shifted.iter().all(|entry| entry.abs() <= zero) {
            let n = shifted.nrows();
            return (0..n)
                .map(|at| direction((0..n).map(|i| unit(i == at)).collect(), true))
                .collect();
        }
        let Some(svd) = shifted.try_svd(false, true, f64::EPSILON, 0) else {
            return Vec::new();
        };
        let (values, Some(rows)) = (svd.singular_values, svd.v_t) else {
            return Vec::new();
        };
        let rows = rows.row_iter().zip(values.iter());
        rows.filter(|(_, sigma)| **sigma <= zero)
            .map(|(row, _)| row.iter().map(|x| Complex::new(*x, 0.0)).collect())
            .collect::<Vec<Vec<Complex<f64>>>>()
    } else {
        let Some(svd) = shifted(matrix, value).try_svd(false, true, f64::EPSILON, 0) else {
            return Vec::new();
        };
        let (values, Some(rows)) = (svd.singular_values, svd.v_t) else {
            return Vec::new();
        };
        let rows = rows.row_iter().zip(values.iter());
        rows.filter(|(_, sigma)| **sigma <= zero)
            .map(|(row, _)| row.iter().map(Complex::conj).collect())
            .collect()
    };
    let real = value.im == 0.0;
    found
        .into_iter()
        .map(|vector| direction(vector, real))
        .collect()
}

fn unit(one: bool) -> Complex<f64> {
    Complex::new(if one { 1.0 } else { 0.0 }, 0.0)
}

/// Fills in the eigenvector of a simple eigenvalue, and what rounding does to it.
fn simple(matrix: &DMatrix<f64>, norm: f64, mode: &mut Mode) {
    if norm == 0.0 {
        mode.directions = null_space(matrix, norm, Complex::new(0.0, 0.0));
        return;
    }
    let value = Complex::new(mode.value.real, mode.value.imaginary);
    // Just beside the eigenvalue, so that the matrix can be inverted.
    let beside = value + Complex::new(4.0 * f64::EPSILON * norm.max(f64::MIN_POSITIVE), 0.0);
    let shifted = shifted(matrix, beside);
    let right = inverse_iteration(shifted.clone());
    let left = inverse_iteration(shifted.adjoint());
    let (Some(right), Some(left)) = (right, left) else {
        return;
    };
    let cosine = left.dotc(&right).norm();
    if cosine > 0.0 {
        mode.error = (ULPS * f64::EPSILON * norm / cosine).min(f64::EPSILON.sqrt() * norm);
    }
    mode.directions = vec![direction(right.iter().copied().collect(), value.im == 0.0)];
}

/// The vector of unit length that the inverse of a nearly singular matrix stretches most.
fn inverse_iteration(matrix: DMatrix<Complex<f64>>) -> Option<DVector<Complex<f64>>> {
    let n = matrix.nrows();
    let factors = matrix.lu();
    // A start without symmetry, so that it has a part in every direction.
    let mut vector = DVector::from_fn(n, |i, _| {
        #[expect(clippy::cast_precision_loss, reason = "a direction")]
        let angle = (i + 1) as f64;
        Complex::new(1.0 + 0.3 * (1.7 * angle).sin(), 0.2 * angle.cos())
    });
    for _ in 0..3 {
        vector = factors.solve(&vector)?;
        let most = vector.iter().map(|x| x.norm()).fold(0.0, f64::max);
        if !(most.is_finite() && most > 0.0) {
            return None;
        }
        vector.unscale_mut(most);
        let length = vector.norm();
        vector.unscale_mut(length);
    }
    Some(vector)
}

/// A vector turned so that its largest number is real and positive.
fn direction(mut vector: Vec<Complex<f64>>, real: bool) -> Direction {
    turn(&mut vector);
    Direction {
        real: vector.iter().map(|x| x.re).collect(),
        imaginary: if real {
            Vec::new()
        } else {
            vector.iter().map(|x| x.im).collect()
        },
    }
}

/// Divides by the length, and by the phase of the largest number; what is round-off becomes zero.
fn turn(vector: &mut [Complex<f64>]) {
    let mut most = Complex::new(0.0, 0.0);
    for x in vector.iter() {
        if x.norm() > most.norm() * (1.0 + 1e-9) {
            most = *x;
        }
    }
    let length = vector.iter().map(Complex::norm_sqr).sum::<f64>().sqrt();
    if most.norm() == 0.0 || length == 0.0 {
        return;
    }
    let factor = most.conj() / most.norm() / length;
    let zero = 4.0 * f64::EPSILON;
    for x in vector {
        *x *= factor;
        if x.re.abs() <= zero {
            x.re = 0.0;
        }
        if x.im.abs() <= zero {
            x.im = 0.0;
        }
    }
}

impl Direction {
    /// The same vector in other coordinates, of unit length.
    pub(super) fn mapped(&self, to: impl Fn(&[f64]) -> Vec<f64>) -> Direction {
        let real = to(&self.real);
        let is_real = self.imaginary.is_empty();
        let imaginary = if is_real {
            vec![0.0; real.len()]
        } else {
            to(&self.imaginary)
        };
        let parts = real.iter().zip(&imaginary);
        direction(
            parts.map(|(re, im)| Complex::new(*re, *im)).collect(),
            is_real,
        )
    }
}
