//! How a state of rest moves with what it depends on: f(y(p), p) = 0 gives f_y dy/dp = -f_p (the
//! theorem of implicit functions). Equations that follow from sums that stay are replaced by these,
//! whose totals may move too.

use super::continuation::Motion;
use super::laws::{Kept, at, sizes};
use super::spectrum::Place;
use nalgebra::{DMatrix, DVector};

/// How the equations move, at a state that stays, along one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// How each derivative (of a map: each next value) does.
    pub drift: Vec<f64>,
    /// How much more the total of each kept sum becomes than the sum of the state that stays.
    pub totals: Vec<f64>,
}

/// A pivot this small beside the largest tells that the state is not determined.
const SINGULAR: f64 = 1e-13;

/// How the state of rest at `place` moves along each direction; `None` where the equations do not
/// determine it.
#[must_use]
pub fn moved(place: &Place<'_>, kept: &[Kept], directions: &[Moved]) -> Option<Vec<Vec<f64>>> {
    let n = place.state.len();
    let size = sizes(place.state, place.tolerances);
    let (_, mut matrix) = at(place.dynamics, place.time, place.state);
    if place.motion == Motion::Map {
        for i in 0..n {
            matrix[(i, i)] -= 1.0;
        }
    }
    for kept in kept {
        matrix.row_mut(kept.row).fill(0.0);
        for (column, w) in &kept.law.terms {
            matrix[(kept.row, *column)] += w;
        }
    }
    // Changes in the sizes of the states, and rows of one size.
    for (mut column, size) in matrix.column_iter_mut().zip(&size) {
        column *= *size;
    }
    let largest: Vec<f64> = matrix.row_iter().map(|row| row.amax()).collect();
    for (mut row, largest) in matrix.row_iter_mut().zip(&largest) {
        row /= *largest;
    }
    if matrix.iter().any(|entry| !entry.is_finite()) {
        return None;
    }
    let factors = DMatrix::lu(matrix);
    let pivots = factors.u().diagonal();
    if pivots
        .iter()
        .any(|pivot| pivot.abs() <= SINGULAR * pivots.amax())
    {
        return None;
    }
    let along = |direction: &Moved| {
        let mut right = DVector::from_iterator(n, direction.drift.iter().map(|rate| -rate));
        for (kept, total) in kept.iter().zip(&direction.totals) {
            right[kept.row] = *total;
        }
        for (entry, largest) in right.iter_mut().zip(&largest) {
            *entry /= largest;
        }
        let found = factors.solve(&right)?;
        let pairs = found.iter().zip(&size);
        Some(pairs.map(|(change, size)| change * size).collect())
    };
    directions.iter().map(along).collect()
}
