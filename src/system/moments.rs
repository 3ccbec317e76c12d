//! The equations of mean and covariance of a system with noise.
//!
//! For dy = f dt + B dW, linearised along the mean m: m' = f(m), P' = J P + P J^T + D with J the
//! Jacobian and D = B B^T at m. Exact for linear drifts with additive noise; else the extended
//! Kalman filter's prediction (A. H. Jazwinski, Stochastic Processes and Filtering Theory, 1970,
//! section 8.3), and for reactions the linear-noise approximation (N. G. van Kampen, Stochastic
//! Processes in Physics and Chemistry, 3rd ed., 2007, chapter X).
//!
//! Enters: a [`System`] with noise, read in the Itô sense. Leaves: one without, whose state vector
//! is m and then the lower triangle of P, so that all that is known to do with systems, derivatives
//! above all, is done with moments. Must not know who filters.

use super::jacobian::{self, Jacobian};
use super::{Layout, Noise, System, rates, tangent};
use crate::symbolic::{Expr, Pool, Shape, SymbolId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many numbers a symmetric matrix of n rows has.
#[must_use]
pub fn packed_len(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Where an entry of a symmetric matrix of n rows stands: the lower triangle column by column.
#[must_use]
pub fn packed(n: usize, row: usize, column: usize) -> usize {
    let (i, j) = (row.max(column), row.min(column));
    j * n - j * (j + 1) / 2 + i
}

/// A matrix by place.
pub(super) type Entries = BTreeMap<(usize, usize), Expr>;

/// f, n numbers, J, n by n column by column, and the lower triangle of D: all scalars, in terms of
/// the states, with a continuation of the system's pool. `None` without noise.
#[must_use]
pub fn local_moments(system: &System) -> Option<(Arc<Pool>, Vec<Expr>)> {
    let noise = system.noise.clone()?;
    let mut pool = Pool::continuing(&system.pool);
    let n = system.dimension();
    let spread = diffusion(&mut pool, &noise);
    let slope = entries(&mut pool, &system.jacobian);
    let zero = pool.constant(0.0);
    let mut all = Vec::new();
    for (drift, block) in system.drift.iter().zip(system.states.blocks()) {
        all.extend((0..block.shape.len()).map(|k| pool.element(*drift, k)));
    }
    let of = |known: &Entries, place| known.get(&place).copied().unwrap_or(zero);
    for j in 0..n {
        all.extend((0..n).map(|i| of(&slope, (i, j))));
    }
    for j in 0..n {
        all.extend((j..n).map(|i| of(&spread, (i, j))));
    }
    Some((Arc::new(pool), all))
}

/// The equations of moments: the states of the system, then one scalar for each number of the lower
/// triangle of P ([`packed`]). Doses, inputs and parameters are the system's; initial covariances
/// are zero. `None` without noise.
#[must_use]
pub fn moments(system: &System) -> Option<System> {
    let noise = system.noise.clone()?;
    let mut pool = Pool::continuing(&system.pool);
    let n = system.dimension();
    let spread = diffusion(&mut pool, &noise);
    let symbols: Vec<SymbolId> = (0..packed_len(n))
        .map(|_| pool.new_symbol("covariance", Shape::Scalar))
        .collect();
    let own = system.states.blocks().iter().map(|block| block.symbol);
    let states = Layout::new(&pool, own.chain(symbols.iter().copied()));
    let covariance: Vec<Expr> = symbols.iter().map(|known| pool.symbol(*known)).collect();
    let mut extend = |drift: &[Expr], of: &Jacobian| -> Vec<Expr> {
        let slope = entries(&mut pool, of);
        let rates = covariance_rates(&mut pool, n, &slope, &spread, &covariance);
        drift.iter().copied().chain(rates).collect()
    };
    let drift = extend(&system.drift, &system.jacobian);
    let frozen_drift = extend(&system.frozen_drift, &system.frozen_jacobian);
    let mut jacobian = jacobian::derive(&mut pool, &states, &drift);
    let mut frozen_jacobian = jacobian.clone();
    if frozen_drift != drift {
        frozen_jacobian = jacobian::derive(&mut pool, &states, &frozen_drift);
        jacobian::share_pattern(&mut jacobian, &mut frozen_jacobian);
    }
    let motion = rates::outer_motion(&mut pool, system.time, &system.slots);
    let time_derivative = rates::time_derivative(&mut pool, &frozen_drift, &motion);
    let directions = tangent::directions(&mut pool, &states, &system.parameters, &system.slots);
    let zero = pool.constant(0.0);
    let with_zeros = |exprs: &[Expr]| -> Vec<Expr> {
        let zeros = std::iter::repeat_n(zero, packed_len(n));
        exprs.iter().copied().chain(zeros).collect()
    };
    let (initial, mut volumes) = (with_zeros(&system.initial), system.volumes.clone());
    volumes.resize(states.blocks().len(), None);
    Some(System {
        pool: Arc::new(pool),
        states,
        directions,
        drift,
        jacobian,
        frozen_drift,
        frozen_jacobian,
        time_derivative,
        volumes,
        initial,
        noise: None,
        propensities: None,
        ..system.clone()
    })
}

/// The numbers of a matrix as scalars.
pub(super) fn entries(pool: &mut Pool, matrix: &Jacobian) -> Entries {
    let places: Vec<(usize, usize)> = matrix.pattern.places().collect();
    let mut entries = Entries::new();
    for contribution in &matrix.contributions {
        for (k, entry) in contribution.entries.iter().enumerate() {
            let Some(place) = places.get(*entry as usize) else {
                continue;
            };
            let number = pool.element(contribution.expr, k);
            accumulate(pool, &mut entries, *place, number);
        }
    }
    entries
}

fn accumulate(pool: &mut Pool, entries: &mut Entries, place: (usize, usize), more: Expr) {
    let sum = match entries.get(&place) {
        Some(known) => pool.add(*known, more),
        None => more,
    };
    entries.insert(place, sum);
}

/// The lower triangle of D = G diag(q) G^T.
fn diffusion(pool: &mut Pool, noise: &Noise) -> Entries {
    let mut columns: BTreeMap<usize, Vec<(usize, Expr)>> = BTreeMap::new();
    for ((row, column), expr) in entries(pool, &noise.factor) {
        columns.entry(column).or_default().push((row, expr));
    }
    let mut spread = Entries::new();
    for (column, rows) in columns {
        let Some(intensity) = noise.intensities.get(column).copied() else {
            continue;
        };
        for (i, a) in &rows {
            for (j, b) in rows.iter().filter(|(j, _)| j <= i) {
                let product = pool.mul(*a, *b);
                let product = pool.mul(product, intensity);
                accumulate(pool, &mut spread, (*i, *j), product);
            }
        }
    }
    spread
}

/// The lower triangle of J P + P J^T + D.
fn covariance_rates(
    pool: &mut Pool,
    n: usize,
    slope: &Entries,
    spread: &Entries,
    covariance: &[Expr],
) -> Vec<Expr> {
    let mut rates = spread.clone();
    for ((i, k), a) in slope {
        for j in 0..n {
            let Some(known) = covariance.get(packed(n, *k, j)) else {
                continue;
            };
            // J_ik P_kj stands in (i, j), and in (j, i) as part of the transposed.
            let mut term = pool.mul(*a, *known);
            if *i == j {
                term = pool.scale(2.0, term);
            }
            accumulate(pool, &mut rates, (*i.max(&j), *i.min(&j)), term);
        }
    }
    let zero = pool.constant(0.0);
    let lower = (0..n).flat_map(|j| (j..n).map(move |i| (i, j)));
    lower
        .map(|place| rates.get(&place).copied().unwrap_or(zero))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_has_one_place_for_each_entry() {
        let n = 4;
        let places: Vec<usize> = (0..n)
            .flat_map(|j| (j..n).map(move |i| packed(n, i, j)))
            .collect();
        assert_eq!(places, (0..packed_len(n)).collect::<Vec<_>>());
        assert_eq!(packed(n, 1, 3), packed(n, 3, 1));
    }
}
