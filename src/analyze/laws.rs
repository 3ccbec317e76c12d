//! Sums of states that a system keeps: w . y stays constant, so w . f = 0 and w J = 0 everywhere.
//!
//! At a steady state such a law makes one equation follow from the others; the law itself, with
//! the total of the start, takes its place. Laws of reactions are known exactly and are given;
//! those hidden in plain equations are found as the common left null space of Jacobians at a few
//! states, and kept only when they hold to round-off at every one of them.

use crate::simulate::{Dynamics, Tolerances};
use nalgebra::{DMatrix, DVector};

/// A sum that stays: `coefficient` times the state at `position`, summed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Law {
    /// Positions in the state vector with their coefficients.
    pub terms: Vec<(usize, f64)>,
}

impl Law {
    /// w . y
    #[must_use]
    pub fn total(&self, state: &[f64]) -> f64 {
        let value = |position: usize| state.get(position).copied().unwrap_or(f64::NAN);
        self.terms.iter().map(|(at, w)| w * value(*at)).sum()
    }
}

/// A law with its total and the equation that it replaces.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The law.
    pub law: Law,
    /// Its total at the start.
    pub total: f64,
    /// The position of the equation that follows from the others and the law.
    pub row: usize,
}

/// Systems of more states than this are not searched for hidden laws: the singular values of a
/// matrix of this size take about a tenth of a second.
const MOST_STATES: usize = 150;
/// States at which a hidden law must hold.
const SAMPLES: usize = 4;
/// What counts as zero beside the largest singular value, and beside the terms of a sum.
const ZERO: f64 = 1e-10;

/// All independent laws, the given ones first, each with an equation that it can stand for.
#[must_use]
pub fn kept(
    dynamics: &dyn Dynamics,
    time: f64,
    state: &[f64],
    tolerances: &Tolerances,
    given: &[Law],
) -> Vec<Kept> {
    let sizes = sizes(state, tolerances);
    let hidden = hidden(dynamics, time, state, &sizes);
    independent(given.iter().cloned().chain(hidden), state, &sizes)
}

/// Laws that are given alone, without those that the equations hide.
pub(super) fn given(state: &[f64], tolerances: &Tolerances, laws: &[Law]) -> Vec<Kept> {
    independent(laws.iter().cloned(), state, &sizes(state, tolerances))
}

/// How large a change of each state is that matters: its value, but no less than where the
/// absolute tolerance takes over from the relative one.
pub(super) fn sizes(state: &[f64], tolerances: &Tolerances) -> Vec<f64> {
    let pairs = state.iter().zip(&tolerances.absolute);
    pairs
        .map(|(y, a)| y.abs().max(a / tolerances.relative).max(1e-300))
        .collect()
}

/// Whether a system keeps a sum at a state and at states near by: whether the terms of w . f, and
/// of each column of w J, cancel there.
#[must_use]
pub fn keeps(
    dynamics: &dyn Dynamics,
    time: f64,
    state: &[f64],
    tolerances: &Tolerances,
    law: &Law,
) -> bool {
    let sizes = sizes(state, tolerances);
    (0..SAMPLES).all(|sample| {
        let (drift, jacobian) = at(dynamics, time, &shifted(state, &sizes, sample));
        let cancels = |entry: &dyn Fn(usize) -> f64| {
            let terms = law.terms.iter().map(|(i, w)| w * entry(*i));
            let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), term| {
                (sum + term, size + f64::abs(term))
            });
            sum.abs() <= 1e-8 * size
        };
        let columns = 0..jacobian.ncols();
        cancels(&|i| drift.get(i).copied().unwrap_or(f64::NAN))
            && columns
                .into_iter()
                .all(|j| cancels(&|i| jacobian.get((i, j)).copied().unwrap_or(f64::NAN)))
    })
}

/// Elimination with the largest entry of each row as the pivot; what depends on the laws before it
/// is dropped.
fn independent(laws: impl Iterator<Item = Law>, state: &[f64], sizes: &[f64]) -> Vec<Kept> {
    let mut reduced: Vec<(usize, Vec<f64>)> = Vec::new();
    let mut kept = Vec::new();
    for law in laws {
        let mut row = vec![0.0; state.len()];
        for (at, w) in &law.terms {
            if let (Some(entry), Some(size)) = (row.get_mut(*at), sizes.get(*at)) {
                *entry += w * size;
            }
        }
        let before = largest(&row).1;
        for (pivot, other) in &reduced {
            let factor = row[*pivot] / other[*pivot];
            row.iter_mut()
                .zip(other)
                .for_each(|(r, o)| *r -= factor * o);
            row[*pivot] = 0.0;
        }
        let (pivot, after) = largest(&row);
        if after > 1e-8 * before {
            let total = law.total(state);
            reduced.push((pivot, row));
            kept.push(Kept {
                law,
                total,
                row: pivot,
            });
        }
    }
    kept
}

fn largest(row: &[f64]) -> (usize, f64) {
    let mut found = (0, 0.0);
    for (at, entry) in row.iter().enumerate() {
        if entry.abs() > found.1 {
            found = (at, entry.abs());
        }
    }
    found
}

/// Laws hidden in the equations: each column of a Jacobian, and each f, is one condition on w. All
/// conditions count alike, however fast or slow the states are that they come from.
fn hidden(dynamics: &dyn Dynamics, time: f64, state: &[f64], sizes: &[f64]) -> Vec<Law> {
    let n = state.len();
    // With constraints, w . f = 0 is no law: not every row is a derivative.
    if n == 0 || n > MOST_STATES || dynamics.algebraic().contains(&true) {
        return Vec::new();
    }
    let width = n + 1;
    let mut stacked = DMatrix::zeros(SAMPLES * width, n);
    for sample in 0..SAMPLES {
        let (drift, jacobian) = at(dynamics, time, &shifted(state, sizes, sample));
        for (j, column) in jacobian.column_iter().enumerate() {
            for (i, entry) in column.iter().enumerate() {
                stacked[(sample * width + j, i)] = *entry;
            }
        }
        for (i, f) in drift.iter().enumerate() {
            stacked[(sample * width + n, i)] = *f;
        }
    }
    for mut row in stacked.row_iter_mut() {
        let most = row.amax();
        if most > 0.0 {
            row /= most;
        }
    }
    if stacked.iter().any(|entry| !entry.is_finite()) {
        return Vec::new();
    }
    let Some(decomposed) = stacked.clone().try_svd(false, true, f64::EPSILON, 0) else {
        return Vec::new();
    };
    let most = decomposed.singular_values.max();
    let Some(vectors) = decomposed.v_t else {
        return Vec::new();
    };
    let mut basis: Vec<Vec<f64>> = vectors
        .row_iter()
        .zip(decomposed.singular_values.iter())
        .filter(|(_, value)| **value <= ZERO * most)
        .map(|(row, _)| row.iter().copied().collect())
        .collect();
    simplify(&mut basis);
    basis
        .into_iter()
        .filter(|u| cancels(&stacked, u))
        .map(to_law)
        .collect()
}

/// Reduced row echelon form, so that each law has few terms.
fn simplify(basis: &mut [Vec<f64>]) {
    for at in 0..basis.len() {
        let (pivot, value) = largest(&basis[at]);
        if value == 0.0 {
            continue;
        }
        let scale = 1.0 / basis[at][pivot];
        basis[at].iter_mut().for_each(|x| *x *= scale);
        let row = basis[at].clone();
        for (other, target) in basis.iter_mut().enumerate() {
            if other != at {
                let factor = target[pivot];
                target
                    .iter_mut()
                    .zip(&row)
                    .for_each(|(t, r)| *t -= factor * r);
                target[pivot] = 0.0;
            }
        }
    }
    for x in basis.iter_mut().flatten().filter(|x| x.abs() < 1e-9) {
        *x = 0.0;
    }
}

/// Whether the terms of every sum cancel among themselves: a slow state must not pass for one that
/// stands still beside fast ones.
fn cancels(stacked: &DMatrix<f64>, u: &[f64]) -> bool {
    stacked.row_iter().all(|row| {
        let (sum, size) = row.iter().zip(u).fold((0.0, 0.0), |(sum, size), (a, u)| {
            (sum + a * u, size + (a * u).abs())
        });
        sum.abs() <= 1e-8 * size
    })
}

fn to_law(mut weights: Vec<f64>) -> Law {
    let least = weights.iter().filter(|w| **w != 0.0);
    let least = least.fold(f64::INFINITY, |least, w| least.min(w.abs()));
    weights.iter_mut().for_each(|w| *w /= least);
    round_off(&mut weights);
    let terms = weights.into_iter().enumerate();
    Law {
        terms: terms.filter(|(_, w)| *w != 0.0).collect(),
    }
}

/// Whole numbers where a small multiple of all weights is that but for round-off.
fn round_off(weights: &mut [f64]) {
    const WITHIN: f64 = 1e-7;
    let whole = |factor: f64| {
        let near = |w: &f64| (factor * w - (factor * w).round()).abs() <= WITHIN * w.abs();
        weights.iter().all(near)
    };
    let factor = (1..=12).map(f64::from).find(|factor| whole(*factor));
    if let Some(factor) = factor {
        weights.iter_mut().for_each(|w| *w = (factor * *w).round());
    }
}

/// A state near the given one, in a direction of its own for each sample.
fn shifted(state: &[f64], sizes: &[f64], sample: usize) -> Vec<f64> {
    let pairs = state.iter().zip(sizes).enumerate();
    pairs
        .map(|(i, (y, size))| {
            #[expect(clippy::cast_precision_loss, reason = "a direction")]
            let angle = (i + 1) as f64 * (1.0 + 0.7 * sample as f64);
            // Away from zero, where a product hides that a state takes part.
            let step = if sample == 0 {
                0.0
            } else {
                size * (0.2 + 0.15 * angle.sin())
            };
            if *y < 0.0 { y - step } else { y + step }
        })
        .collect()
}

/// f and J at a state, J dense.
pub(super) fn at(dynamics: &dyn Dynamics, time: f64, y: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
    let n = dynamics.dimension();
    let mut drift = DVector::zeros(n);
    dynamics.drift(time, y, drift.as_mut_slice());
    let (starts, rows) = dynamics.pattern();
    let mut entries = vec![0.0; rows.len()];
    dynamics.jacobian(time, y, &mut entries);
    let mut jacobian = DMatrix::zeros(n, n);
    for (j, ends) in starts.windows(2).enumerate() {
        if let [from, to] = *ends {
            for (i, entry) in rows[from..to].iter().zip(&entries[from..to]) {
                jacobian[(*i, j)] = *entry;
            }
        }
    }
    (drift, jacobian)
}
