//! Constraints as residuals in the places of algebraic states.
//!
//! Enters: residuals, and which states are algebraic. Leaves: each residual in the place of a
//! state that it contains. Which one makes no difference to the solution; that there is one for
//! each is what makes the equations of index 1, as far as their structure tells. Must not know
//! how such equations are solved.

use super::matching::{self, Matching};
use super::{Layout, jacobian};
use crate::model::Model;
use crate::symbolic::{Expr, Pool};

/// One per number of the state vector: true for an algebraic one. Empty when none is.
pub(super) fn flags(model: &Model, states: &Layout) -> Box<[bool]> {
    if !model.states.iter().any(|state| state.is_algebraic) {
        return Box::default();
    }
    let blocks = model.states.iter().zip(states.blocks());
    blocks
        .flat_map(|(state, block)| std::iter::repeat_n(state.is_algebraic, block.shape.len()))
        .collect()
}

/// Which numbers of the state vector each residual contains, number by number.
pub(super) fn incidence(pool: &mut Pool, residuals: &[Expr], states: &Layout) -> Vec<Vec<usize>> {
    let pattern = jacobian::pattern(pool, residuals, states);
    let mut rows = vec![Vec::new(); pattern.rows];
    for (row, column) in pattern.places() {
        rows[row].push(column);
    }
    rows
}

/// Puts the residuals in the places of the algebraic states; the drift of others stays.
pub(super) fn place(
    pool: &mut Pool,
    drift: &mut [Expr],
    residuals: &[Expr],
    states: &Layout,
    algebraic: &[bool],
) {
    if algebraic.is_empty() {
        return;
    }
    let blocks: Vec<usize> = (0..drift.len())
        .filter(|at| algebraic.get(states.blocks()[*at].offset) == Some(&true))
        .collect();
    let rows = incidence(pool, residuals, states);
    if let Some(whole) = match_blocks(pool, residuals, &rows, states, &blocks) {
        for (block, residual) in blocks.iter().zip(whole) {
            drift[*block] = residuals[residual];
        }
        return;
    }
    let mut parts = Vec::with_capacity(rows.len());
    for residual in residuals {
        for k in 0..pool.shape(*residual).len() {
            parts.push(pool.element(*residual, k));
        }
    }
    let mut columns = vec![None; states.len()];
    let positions = (0..states.len()).filter(|at| algebraic[*at]);
    for (column, position) in positions.enumerate() {
        columns[position] = Some(column);
    }
    let matching = match_rows(&rows, &columns);
    // Without a perfect matching, which `structural_index` reports, the rest goes in order.
    let mut left = (0..parts.len()).filter(|row| matching.of_row[*row].is_none());
    let zero = pool.constant(0.0);
    let mut column = 0;
    for block in blocks {
        let shape = states.blocks()[block].shape;
        let own: Vec<Expr> = (column..column + shape.len())
            .map(|column| matching.of_column.get(column).copied().flatten())
            .map(|row| row.or_else(|| left.next()).map_or(zero, |row| parts[row]))
            .collect();
        column += shape.len();
        drift[block] = pool.stack(own, shape);
    }
}

/// Matches residuals, number by number, to algebraic states; `columns` numbers these among the
/// states.
pub(super) fn match_rows(rows: &[Vec<usize>], columns: &[Option<usize>]) -> Matching {
    let among_algebraic: Vec<Vec<usize>> = rows
        .iter()
        .map(|row| row.iter().filter_map(|at| columns[*at]).collect())
        .collect();
    let count = columns.iter().flatten().count();
    matching::largest(&among_algebraic, count)
}

/// Matches whole residuals to whole states of their shape, when all can be: the one residual of
/// each state.
fn match_blocks(
    pool: &Pool,
    residuals: &[Expr],
    rows: &[Vec<usize>],
    states: &Layout,
    blocks: &[usize],
) -> Option<Vec<usize>> {
    if residuals.len() != blocks.len() {
        return None;
    }
    let mut start = 0;
    let mut contained = Vec::with_capacity(residuals.len());
    for residual in residuals {
        let shape = pool.shape(*residual);
        let own = &rows[start..start + shape.len()];
        start += shape.len();
        let fitting = blocks.iter().enumerate().filter(|(_, block)| {
            let block = &states.blocks()[**block];
            block.shape == shape && determines(own, block.range())
        });
        contained.push(fitting.map(|(at, _)| at).collect());
    }
    let matching = matching::largest(&contained, blocks.len());
    matching.of_column.into_iter().collect()
}

/// True when each of these rows can have a column of its own in this range.
fn determines(rows: &[Vec<usize>], range: std::ops::Range<usize>) -> bool {
    let within: Vec<Vec<usize>> = rows
        .iter()
        .map(|row| {
            let inside = row.iter().filter(|at| range.contains(at));
            inside.map(|at| at - range.start).collect()
        })
        .collect();
    let matching = matching::largest(&within, range.len());
    matching.of_row.iter().all(Option::is_some)
}
