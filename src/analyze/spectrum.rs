//! Eigenvalues of the Jacobian at a steady state, on the states that can vary: kept sums and
//! constraints are eliminated first, since they add eigenvalues that mean nothing.

use super::laws::{Kept, at};
use crate::simulate::Dynamics;
use nalgebra::{DMatrix, Schur};

/// An eigenvalue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eigenvalue {
    /// Rate of growth, per time.
    pub real: f64,
    /// Angular frequency, not negative.
    pub imaginary: f64,
}

/// What the leading eigenvalue, that of the largest real part, says about nearby states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stability {
    /// They come back.
    Attracts(Eigenvalue),
    /// Some of them go away.
    Repels(Eigenvalue),
    /// Its real part is zero as far as round-off can tell: the linear part does not decide.
    Undecided(Eigenvalue),
    /// Nothing can vary: every nearby state that keeps the sums is this one.
    Rigid,
    /// Too many states for eigenvalues, or none could be computed.
    Unknown,
}

/// Eigenvalues of larger matrices are not computed: at this size they take about a second.
const MOST_STATES: usize = 250;
/// A real part this small beside the largest modulus is round-off.
const ROUND_OFF: f64 = 1e-11;

/// Judges a steady state. `sizes` scales the states, which makes eigenvalues more accurate.
pub(super) fn stability(
    dynamics: &dyn Dynamics,
    time: f64,
    state: &[f64],
    sizes: &[f64],
    kept: &[Kept],
) -> Stability {
    let n = state.len();
    if n > MOST_STATES {
        return Stability::Unknown;
    }
    let (_, jacobian) = at(dynamics, time, state);
    let scaled = DMatrix::from_fn(n, n, |i, j| jacobian[(i, j)] / sizes[i] * sizes[j]);
    let Some(reduced) = reduced(&scaled, dynamics.algebraic(), sizes, kept) else {
        return Stability::Unknown;
    };
    if reduced.nrows() == 0 {
        return Stability::Rigid;
    }
    if reduced.iter().any(|entry| !entry.is_finite()) {
        return Stability::Unknown;
    }
    let iterations = 100 * (reduced.nrows() + 1);
    let Some(schur) = Schur::try_new(reduced, f64::EPSILON, iterations) else {
        return Stability::Unknown;
    };
    let values = schur.complex_eigenvalues();
    let radius = values.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let Some(leading) = values.iter().max_by(|a, b| a.re.total_cmp(&b.re)) else {
        return Stability::Unknown;
    };
    let leading = Eigenvalue {
        real: leading.re,
        imaginary: leading.im.abs(),
    };
    if leading.real.abs() <= ROUND_OFF * radius {
        Stability::Undecided(leading)
    } else if leading.real < 0.0 {
        Stability::Attracts(leading)
    } else {
        Stability::Repels(leading)
    }
}

/// The Jacobian on the free states: with G dy = 0 (rows of constraints, and laws), dependent
/// states follow as dy_D = -G_D^-1 G_K dy_K.
fn reduced(
    jacobian: &DMatrix<f64>,
    algebraic: &[bool],
    sizes: &[f64],
    kept: &[Kept],
) -> Option<DMatrix<f64>> {
    let n = jacobian.nrows();
    let is_algebraic = |i: usize| algebraic.get(i).copied().unwrap_or(false);
    let mut dependent: Vec<usize> = (0..n).filter(|i| is_algebraic(*i)).collect();
    let constraints = dependent.len();
    dependent.extend(kept.iter().map(|kept| kept.row));
    if dependent.is_empty() {
        return Some(jacobian.clone());
    }
    let free: Vec<usize> = (0..n).filter(|i| !dependent.contains(i)).collect();
    let mut rows = DMatrix::zeros(dependent.len(), n);
    for (at, i) in dependent.iter().take(constraints).enumerate() {
        rows.row_mut(at).copy_from(&jacobian.row(*i));
    }
    for (at, kept) in kept.iter().enumerate() {
        for (column, w) in &kept.law.terms {
            rows[(constraints + at, *column)] += w * sizes[*column];
        }
    }
    let of = |matrix: &DMatrix<f64>, columns: &[usize]| matrix.select_columns(columns);
    let follows = of(&rows, &dependent).lu().solve(&of(&rows, &free))?;
    let drift = jacobian.select_rows(&free);
    Some(of(&drift, &free) - of(&drift, &dependent) * follows)
}
