//! Small dense linear algebra of continuation: factorisation, null vectors, the part of a Jacobian
//! that moves.

use super::{Family, Motion};
use nalgebra::{Complex, DMatrix, DVector, Schur};

/// LU factorisation with partial pivoting of a matrix by rows, in place; the sign of the
/// determinant, 0 when a pivot vanishes or is not finite.
pub(super) fn lu(matrix: &mut [f64], order: &mut [usize], n: usize) -> f64 {
    let mut sign = 1.0;
    for (at, place) in order.iter_mut().enumerate() {
        *place = at;
    }
    for k in 0..n {
        let mut pivot = k;
        for i in k + 1..n {
            if matrix[i * n + k].abs() > matrix[pivot * n + k].abs() {
                pivot = i;
            }
        }
        let (above, below) = matrix.split_at_mut((k + 1) * n);
        let row = &mut above[k * n..];
        if pivot != k {
            let other = &mut below[(pivot - k - 1) * n..(pivot - k) * n];
            row.swap_with_slice(other);
            order.swap(k, pivot);
            sign = -sign;
        }
        let diagonal = row[k];
        if diagonal == 0.0 || !diagonal.is_finite() {
            return 0.0;
        }
        sign *= diagonal.signum();
        for other in below.chunks_exact_mut(n) {
            let factor = other[k] / diagonal;
            other[k] = factor;
            if factor != 0.0 {
                let pairs = other[k + 1..].iter_mut().zip(&row[k + 1..]);
                pairs.for_each(|(o, r)| *o -= factor * r);
            }
        }
    }
    sign
}

/// Solves with the factors that [`lu`] leaves.
pub(super) fn lu_solve(matrix: &[f64], order: &[usize], right: &[f64], x: &mut [f64]) {
    let n = order.len();
    for (x, row) in x.iter_mut().zip(order) {
        *x = right[*row];
    }
    for i in 1..n {
        let (known, rest) = x.split_at_mut(i);
        rest[0] -= dot(&matrix[i * n..i * n + i], known);
    }
    for i in (0..n).rev() {
        let (upper, known) = x.split_at_mut(i + 1);
        let row = &matrix[i * n..(i + 1) * n];
        upper[i] = (upper[i] - dot(&row[i + 1..], known)) / row[i];
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// A vector of length 1.
pub(super) fn unit(a: &[f64]) -> Vec<f64> {
    let length = norm(a);
    a.iter().map(|a| a / length).collect()
}

/// Singular values of a matrix with at most one more column than rows, ascending, and the right
/// singular vectors that belong to them.
pub(super) fn right_vectors(matrix: &DMatrix<f64>) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
    let (rows, columns) = matrix.shape();
    let square = DMatrix::from_fn(columns.max(rows), columns, |i, j| {
        if i < rows { matrix[(i, j)] } else { 0.0 }
    });
    let decomposed = square.try_svd(false, true, f64::EPSILON, 0)?;
    let vectors = decomposed.v_t?;
    let mut order: Vec<usize> = (0..columns).collect();
    let values = &decomposed.singular_values;
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    Some((
        order.iter().map(|at| values[*at]).collect(),
        order
            .iter()
            .map(|at| vectors.row(*at).iter().copied().collect())
            .collect(),
    ))
}

/// dF/du of a Jacobian dF/dx.
pub(super) fn by_states(jacobian: &[f64], n: usize) -> DMatrix<f64> {
    DMatrix::from_column_slice(n, n, &jacobian[..n * n])
}

/// Eigenvalues of the motion near a point: rates of a flow on its constraints, multipliers of a
/// map. States are measured in `scale`, which makes eigenvalues more accurate.
pub(super) fn eigenvalues(
    family: &dyn Family,
    jacobian: &[f64],
    scale: &[f64],
) -> Option<Vec<Complex<f64>>> {
    let n = family.dimension();
    let mut matrix = DMatrix::from_fn(n, n, |i, j| jacobian[j * n + i] * scale[j] / scale[i]);
    if family.motion() == Motion::Map {
        for i in 0..n {
            matrix[(i, i)] += 1.0;
        }
    }
    let algebraic = family.algebraic();
    if algebraic.contains(&true) {
        let bound: Vec<usize> = (0..n).filter(|i| algebraic[*i]).collect();
        let free: Vec<usize> = (0..n).filter(|i| !algebraic[*i]).collect();
        let part =
            |rows: &[usize], columns: &[usize]| matrix.select_rows(rows).select_columns(columns);
        let follows = part(&bound, &bound).lu().solve(&part(&bound, &free))?;
        matrix = part(&free, &free) - part(&free, &bound) * follows;
    }
    if matrix.iter().any(|entry| !entry.is_finite()) {
        return None;
    }
    match matrix.nrows() {
        0 => Some(Vec::new()),
        1 => Some(vec![Complex::new(matrix[(0, 0)], 0.0)]),
        2 => {
            let half = (matrix[(0, 0)] + matrix[(1, 1)]) / 2.0;
            let gap = (matrix[(0, 0)] - matrix[(1, 1)]) / 2.0;
            let square = gap * gap + matrix[(0, 1)] * matrix[(1, 0)];
            Some(if square >= 0.0 {
                let root = square.sqrt();
                vec![
                    Complex::new(half + root, 0.0),
                    Complex::new(half - root, 0.0),
                ]
            } else {
                let root = (-square).sqrt();
                vec![Complex::new(half, root), Complex::new(half, -root)]
            })
        }
        size => {
            let schur = Schur::try_new(matrix, f64::EPSILON, 100 * size)?;
            Some(schur.complex_eigenvalues().iter().copied().collect())
        }
    }
}

/// The diagonal of M.
pub(super) fn masses(family: &dyn Family) -> Vec<f64> {
    let algebraic = family.algebraic();
    (0..family.dimension())
        .map(|i| {
            if algebraic.get(i) == Some(&true) {
                0.0
            } else {
                1.0
            }
        })
        .collect()
}

/// A vector of complex numbers.
pub(super) type Vector = DVector<Complex<f64>>;

/// A complex vector q with (A - shift M) q = 0 and one p with p* (A - shift M) = 0, |q| = 1 and
/// p* M q = 1, by inverse iteration.
pub(super) fn null_pair(
    a: &DMatrix<f64>,
    masses: &[f64],
    shift: Complex<f64>,
) -> Option<(Vector, Vector)> {
    let n = a.nrows();
    let largest = a.amax().max(shift.norm());
    let size = if largest > 0.0 { largest } else { 1.0 };
    let matrix = DMatrix::from_fn(n, n, |i, j| {
        let mut entry = Complex::new(a[(i, j)], 0.0);
        if i == j {
            entry -= shift * masses[i];
        }
        entry
    });
    let mut near = matrix.clone();
    for i in 0..n {
        near[(i, i)] += Complex::new(1e-13 * size, 0.7e-13 * size);
    }
    let iterate = |matrix: DMatrix<Complex<f64>>| {
        let factors = matrix.lu();
        let mut v = DVector::from_fn(n, |i, _| Complex::new(1.0, 0.3 * ((i + 1) as f64).sin()));
        for _ in 0..4 {
            v = factors.solve(&v)?;
            let length = v.norm();
            if !(length.is_finite() && length > 0.0) {
                return None;
            }
            v /= Complex::new(length, 0.0);
        }
        Some(v)
    };
    let mut q = iterate(near.clone())?;
    // The largest entry is real: a real eigenvalue then has a real vector.
    let largest = q
        .iter()
        .copied()
        .max_by(|a, b| a.norm().total_cmp(&b.norm()))?;
    q *= largest.conj() / largest.norm();
    let p = iterate(near.adjoint())?;
    let of: Complex<f64> = (0..n).map(|i| p[i].conj() * q[i] * masses[i]).sum();
    if of.norm() < 1e-15 {
        return None;
    }
    let p = p / of.conj();
    Some((q, p))
}
