//! The Jacobian of the drift, as operators between states and as numbers to be computed.

use super::Layout;
use crate::model::Model;
use crate::symbolic::{Expr, Operator, Pattern, Pool, Shape, SymbolId, system_jacobian};
use rustc_hash::FxHashMap;

/// The derivative of a list of quantities by another.
#[derive(Debug, Clone)]
pub struct Jacobian {
    /// Every entry that can be non-zero, and no other that is known to be zero.
    pub pattern: Pattern,
    /// What is added to the entries, which start as zeros.
    pub contributions: Vec<Contribution>,
    /// Its non-zero blocks, by row and then by column.
    pub blocks: Vec<JacobianBlock>,
}

/// An expression whose numbers are added to entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// Scalar, vector or matrix.
    pub expr: Expr,
    /// One position in the order of the pattern for each of its numbers.
    pub entries: Box<[u32]>,
}

/// The derivative of one quantity by another.
#[derive(Debug, Clone, PartialEq)]
pub struct JacobianBlock {
    /// Position of the differentiated quantity in its layout.
    pub row: usize,
    /// Position of the quantity that it is differentiated by.
    pub column: usize,
    /// The derivative; whole matrices stay whole.
    pub operator: Operator,
}

pub(super) fn derive(pool: &mut Pool, states: &Layout, drift: &[Expr]) -> Jacobian {
    by_symbols(pool, states, drift, states)
}

/// The derivative of the drift by the parameters: rows are states, columns parameters. Matrix
/// parameters are left out; their derivatives exist as products only.
#[must_use]
pub fn parameter_jacobian(model: &Model, system: &super::System) -> (Pool, Jacobian) {
    let mut pool = Pool::continuing(&system.pool);
    debug_assert_eq!(model.parameters.len(), system.parameters.blocks().len());
    let jacobian = by_symbols(&mut pool, &system.states, &system.drift, &system.parameters);
    (pool, jacobian)
}

/// Which of `by` each number of some quantities contains.
pub(super) fn pattern(pool: &mut Pool, of: &[Expr], by: &Layout) -> Pattern {
    let symbols: Vec<SymbolId> = of
        .iter()
        .map(|expr| {
            let shape = pool.shape(*expr);
            pool.new_symbol("quantity", shape)
        })
        .collect();
    let rows = Layout::new(pool, symbols.into_iter());
    by_symbols(pool, &rows, of, by).pattern
}

pub(super) fn by_symbols(pool: &mut Pool, rows: &Layout, of: &[Expr], by: &Layout) -> Jacobian {
    let columns: Vec<(usize, SymbolId)> = by
        .blocks()
        .iter()
        .enumerate()
        .filter(|(_, block)| !matches!(block.shape, Shape::Matrix(..)))
        .map(|(at, block)| (at, block.symbol))
        .collect();
    let symbols: Vec<SymbolId> = columns.iter().map(|(_, symbol)| *symbol).collect();
    let operator = system_jacobian(pool, of, &symbols);
    let positions: Vec<usize> = columns.iter().map(|(at, _)| *at).collect();
    let blocks = blocks_of(pool, operator, rows, by, &positions);
    let mut terms = Vec::new();
    for block in &blocks {
        let at = (
            rows.blocks()[block.row].offset,
            by.blocks()[block.column].offset,
        );
        collect_terms(pool, &block.operator, at, &mut terms);
    }
    let pattern = Pattern::from_places(
        rows.len(),
        by.len(),
        terms.iter().flat_map(|term| term.places.iter().copied()),
    );
    Jacobian {
        contributions: contributions(&pattern, terms),
        pattern,
        blocks,
    }
}

/// Gives two Jacobians of one size one pattern, that of both together.
pub(super) fn share_pattern(a: &mut Jacobian, b: &mut Jacobian) {
    if a.pattern == b.pattern {
        return;
    }
    let union = a.pattern.union(&b.pattern);
    for jacobian in [a, b] {
        let places: Vec<(usize, usize)> = jacobian.pattern.places().collect();
        for contribution in &mut jacobian.contributions {
            for entry in &mut contribution.entries {
                *entry = position(&union, places[*entry as usize]);
            }
        }
        jacobian.pattern = union.clone();
    }
}

/// Where a place stands in the order of a pattern that holds it.
fn position(pattern: &Pattern, (row, column): (usize, usize)) -> u32 {
    let start = pattern.column_starts[column];
    let within = pattern.column(column).partition_point(|known| *known < row);
    u32::try_from(start + within).unwrap_or(u32::MAX)
}

/// The blocks between single quantities of the joined Jacobian.
fn blocks_of(
    pool: &mut Pool,
    operator: Operator,
    rows: &Layout,
    by: &Layout,
    columns: &[usize],
) -> Vec<JacobianBlock> {
    let mut blocks: Vec<JacobianBlock> = match operator {
        Operator::Zero { .. } => Vec::new(),
        Operator::Block { blocks, .. } => blocks
            .into_iter()
            .map(|(row, column, operator)| JacobianBlock {
                row,
                column: columns[column],
                operator,
            })
            .collect(),
        other => {
            // Scalars only: one entry is one block.
            let starts: Vec<usize> = columns
                .iter()
                .map(|at| by.blocks()[*at].shape.len())
                .collect();
            debug_assert!(starts.iter().all(|len| *len == 1));
            let of_row: FxHashMap<usize, usize> = rows
                .blocks()
                .iter()
                .enumerate()
                .map(|(at, block)| (block.offset, at))
                .collect();
            other
                .entries(pool)
                .into_iter()
                .map(|(row, column, expr)| JacobianBlock {
                    row: of_row.get(&(row as usize)).copied().unwrap_or(0),
                    column: columns[column as usize],
                    operator: Operator::Entries {
                        rows: 1,
                        columns: 1,
                        entries: vec![(0, 0, expr)],
                    },
                })
                .collect()
        }
    };
    blocks.sort_by_key(|block| (block.row, block.column));
    blocks
}

/// An expression and the places (row, column) that its numbers are added to.
struct Term {
    expr: Expr,
    places: Vec<(usize, usize)>,
}

fn collect_terms(
    pool: &mut Pool,
    operator: &Operator,
    (row, column): (usize, usize),
    terms: &mut Vec<Term>,
) {
    match operator {
        Operator::Zero { .. } => {}
        Operator::Sum(parts) => {
            for part in parts {
                collect_terms(pool, part, (row, column), terms);
            }
        }
        Operator::Diagonal(vector) => terms.push(Term {
            expr: *vector,
            places: (0..pool.shape(*vector).len())
                .map(|at| (row + at, column + at))
                .collect(),
        }),
        Operator::Block {
            rows,
            columns,
            blocks,
        } => {
            for (i, j, part) in blocks {
                let at = (
                    row + rows[..*i].iter().sum::<usize>(),
                    column + columns[..*j].iter().sum::<usize>(),
                );
                collect_terms(pool, part, at, terms);
            }
        }
        // A full matrix is computed as one, and its numbers are copied column by column.
        Operator::Matrix(_) | Operator::Product(..) if operator.pattern(pool).is_dense() => {
            let (height, width) = (operator.rows(pool), operator.columns(pool));
            let expr = operator.materialise(pool);
            terms.push(Term {
                expr,
                places: (0..width)
                    .flat_map(|j| (0..height).map(move |i| (row + i, column + j)))
                    .collect(),
            });
        }
        Operator::Matrix(_) | Operator::Product(..) | Operator::Entries { .. } => {
            terms.extend(operator.entries(pool).into_iter().map(|(i, j, expr)| Term {
                expr,
                places: vec![(row + i as usize, column + j as usize)],
            }));
        }
    }
}

fn contributions(pattern: &Pattern, terms: Vec<Term>) -> Vec<Contribution> {
    terms
        .into_iter()
        .map(|term| Contribution {
            expr: term.expr,
            entries: term
                .places
                .iter()
                .map(|place| position(pattern, *place))
                .collect(),
        })
        .collect()
}
