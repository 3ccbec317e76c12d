//! Damped Newton iteration for f(y) = 0 with kept sums, by the exact Jacobian.
//!
//! P. Deuflhard, Newton Methods for Nonlinear Problems (2004), section 3.3: steps are judged by
//! the natural monotonicity test, which asks whether the next simplified correction is smaller
//! than the step. Where the matrix is singular the step is the shortest that reduces the residual
//! as far as it can be. Changes are measured in the sizes of the states ([`super::laws::sizes`]).

use super::laws::{Kept, at, sizes};
use crate::simulate::{Dynamics, Tolerances};
use nalgebra::{DMatrix, DVector, Dyn, LU, SVD};

/// f(y) = 0 together with the sums that y must keep.
pub(super) struct Equations<'a> {
    pub dynamics: &'a dyn Dynamics,
    pub time: f64,
    pub tolerances: &'a Tolerances,
    pub kept: &'a [Kept],
}

/// A state at which f vanishes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Root {
    pub state: Vec<f64>,
    pub iterations: u32,
}

/// A correction that is small enough to end the iteration, in the sizes of the states.
const DONE: f64 = 1e-13;
/// When corrections stop shrinking: one below this is round-off.
const ROUND_OFF: f64 = 1e-8;
/// At a multiple root each step only halves the distance.
const MOST_ITERATIONS: u32 = 100;
/// Iterations with known roots taken out.
const MOST_DEFLATED: u32 = 60;
/// A correction this small, in the sizes of the states, tells that a root is near.
const NEAR: f64 = 1e-4;
/// Damping below this makes no headway.
const LEAST_DAMPING: f64 = 1e-7;
/// A pivot this small beside the largest tells of a singular matrix.
const SINGULAR: f64 = 1e-13;
/// Larger singular matrices are not decomposed.
const MOST_SINGULAR: usize = 300;

impl Equations<'_> {
    /// Iterates from `start`; gives up at once when the first correction is larger than `farthest`.
    pub fn solve(&self, start: &[f64], farthest: f64) -> Option<Root> {
        let mut state = start.to_vec();
        self.iterate(&mut state, farthest)
    }

    /// [`Equations::solve`] that leaves the last iterate in `state`.
    pub fn iterate(&self, state: &mut Vec<f64>, farthest: f64) -> Option<Root> {
        let mut damping = 1.0_f64;
        for iteration in 1..=MOST_ITERATIONS {
            let size = sizes(state, self.tolerances);
            let linear = self.linearised(state, &size)?;
            let residual = self.residual(state)?;
            let step = linear.correction(&residual)?;
            let length = norm(&step, &size);
            if length <= ROUND_OFF && !linear.explains(&residual) {
                return None;
            }
            if length <= DONE {
                shift(state, &step, 1.0);
                return Some(Root {
                    state: state.clone(),
                    iterations: iteration,
                });
            }
            if iteration == 1 && length > farthest {
                return None;
            }
            damping = (4.0 * damping).min(1.0);
            let next = loop {
                let mut trial = state.clone();
                shift(&mut trial, &step, damping);
                let next = self
                    .residual(&trial)
                    .and_then(|residual| linear.correction(&residual))
                    .map(|correction| norm(&correction, &size));
                if next.is_some_and(|next| next <= (1.0 - damping / 2.0) * length) {
                    break trial;
                }
                if length <= ROUND_OFF {
                    return Some(Root {
                        state: state.clone(),
                        iterations: iteration,
                    });
                }
                damping /= 2.0;
                if damping < LEAST_DAMPING {
                    return None;
                }
            };
            *state = next;
        }
        None
    }

    /// Newton's iteration on m f, where m grows without bounds at each of `known` and so repels
    /// the iteration from it; what it comes to is polished on f alone. The steps are those of f
    /// times one factor (P. E. Farrell, A. Birkisson & S. W. Funke, SIAM J. Sci. Comput. 37
    /// (2015) A2026, with power 2 and shift 1; Sherman and Morrison's formula). Distances are
    /// measured in `widths`, and no step is longer than that.
    pub fn deflated(&self, start: &[f64], known: &[Vec<f64>], widths: &[f64]) -> Option<Root> {
        let mut state = start.to_vec();
        for _ in 0..MOST_DEFLATED {
            let size = sizes(&state, self.tolerances);
            let linear = self.linearised(&state, &size)?;
            let residual = self.residual(&state)?;
            let step = linear.correction(&residual)?;
            if norm(&step, &size) <= NEAR {
                return self.solve(&state, 10.0 * NEAR);
            }
            let factor = deflation(&state, &step, known, widths);
            let length = factor.abs() * norm(&step, widths);
            if !length.is_finite() {
                return None;
            }
            let factor = if length > 1.0 {
                factor / length
            } else {
                factor
            };
            shift(&mut state, &step, factor);
        }
        None
    }

    /// The residual with the rows of kept sums replaced; `None` when it is not finite.
    fn residual(&self, state: &[f64]) -> Option<DVector<f64>> {
        let mut residual = DVector::zeros(state.len());
        self.dynamics
            .drift(self.time, state, residual.as_mut_slice());
        for kept in self.kept {
            residual[kept.row] = kept.law.total(state) - kept.total;
        }
        residual.iter().all(|r| r.is_finite()).then_some(residual)
    }

    fn linearised(&self, state: &[f64], size: &[f64]) -> Option<Linearised> {
        let (_, mut matrix) = at(self.dynamics, self.time, state);
        for kept in self.kept {
            matrix.row_mut(kept.row).fill(0.0);
            for (column, w) in &kept.law.terms {
                matrix[(kept.row, *column)] += w;
            }
        }
        for (mut column, size) in matrix.column_iter_mut().zip(size) {
            column *= *size;
        }
        if matrix.iter().any(|entry| !entry.is_finite()) {
            return None;
        }
        let most: Vec<f64> = matrix.row_iter().map(|row| row.amax()).collect();
        // What depends on no state must vanish by itself.
        let rates = most.iter().zip(size).map(|(most, size)| most / size);
        let fastest = rates.fold(0.0, f64::max);
        let mut scale = vec![1.0; state.len()];
        for (i, mut row) in matrix.row_iter_mut().enumerate() {
            let by = if most[i] > 0.0 {
                most[i]
            } else {
                (1e-9 * fastest * size[i]).max(1e-100)
            };
            scale[i] = 1.0 / by;
            row *= scale[i];
        }
        Linearised::new(matrix, scale, size.to_vec())
    }
}

/// What a step is multiplied by: 1 / (1 - (grad m . step) / m) for the product m of
/// 1 + 1 / |y - root|^2 over the known roots.
fn deflation(state: &[f64], step: &DVector<f64>, known: &[Vec<f64>], widths: &[f64]) -> f64 {
    let mut slope = 0.0;
    for root in known {
        let (mut square, mut along) = (0.0, 0.0);
        let pairs = state.iter().zip(root).zip(step.iter()).zip(widths);
        for (((y, root), step), width) in pairs {
            let away = (y - root) / width;
            square += away * away;
            along += away * step / width;
        }
        slope -= 2.0 * along / (square * (square + 1.0)).max(f64::MIN_POSITIVE);
    }
    1.0 / (1.0 - slope)
}

fn shift(state: &mut [f64], step: &DVector<f64>, factor: f64) {
    let pairs = state.iter_mut().zip(step.iter());
    pairs.for_each(|(y, step)| *y += factor * step);
}

/// The largest change in the sizes of the states.
fn norm(step: &DVector<f64>, size: &[f64]) -> f64 {
    let ratios = step
        .iter()
        .zip(size)
        .map(|(step, size)| (step / size).abs());
    ratios.fold(0.0, f64::max)
}

/// The matrix of a Newton step, factorised, with its rows and columns scaled.
struct Linearised {
    factors: Factors,
    rows: Vec<f64>,
    columns: Vec<f64>,
}

enum Factors {
    Regular(LU<f64, Dyn, Dyn>),
    Singular(Box<SVD<f64, Dyn, Dyn>>),
}

impl Linearised {
    fn new(matrix: DMatrix<f64>, rows: Vec<f64>, columns: Vec<f64>) -> Option<Linearised> {
        let n = matrix.nrows();
        let factors = matrix.clone().lu();
        let upper = factors.u();
        let pivots = upper.diagonal();
        let most = pivots.amax();
        let is_regular = pivots.iter().all(|pivot| pivot.abs() > SINGULAR * most);
        let factors = if is_regular {
            Factors::Regular(factors)
        } else if n <= MOST_SINGULAR {
            let decomposed = matrix.try_svd(true, true, f64::EPSILON, 0)?;
            Factors::Singular(Box::new(decomposed))
        } else {
            return None;
        };
        Some(Linearised {
            factors,
            rows,
            columns,
        })
    }

    /// False when the matrix is singular and the residual is one that no step removes.
    fn explains(&self, residual: &DVector<f64>) -> bool {
        let pairs = residual.iter().zip(&self.rows);
        let left = pairs
            .map(|(r, scale)| (r * scale).abs())
            .fold(0.0, f64::max);
        matches!(self.factors, Factors::Regular(_)) || left <= 10.0 * ROUND_OFF
    }

    /// The step that makes the residual vanish to first order, or as nearly as can be.
    fn correction(&self, residual: &DVector<f64>) -> Option<DVector<f64>> {
        let mut right = DVector::zeros(residual.len());
        for ((right, r), scale) in right.iter_mut().zip(residual.iter()).zip(&self.rows) {
            *right = -r * scale;
        }
        let mut step = match &self.factors {
            Factors::Regular(factors) => factors.solve(&right)?,
            Factors::Singular(decomposed) => {
                #[expect(clippy::cast_precision_loss, reason = "a size")]
                let cut = 1e-15 * self.rows.len() as f64 * decomposed.singular_values.max();
                decomposed.solve(&right, cut.max(f64::MIN_POSITIVE)).ok()?
            }
        };
        for (step, size) in step.iter_mut().zip(&self.columns) {
            *step *= size;
        }
        step.iter().all(|s| s.is_finite()).then_some(step)
    }
}
