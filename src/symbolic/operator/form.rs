//! Operators written out: their places, their entries, the dense matrix.
//!
//! Enters: an operator. Leaves: a pattern, scalars, or a matrix expression. Must not know how
//! operators are put together.

use super::apply::transposed_row;
use super::{Operator, column_shape, gather, narrow, product_entries, starts};
use crate::symbolic::differentiate::{matrix_product, plus, reshape, times, transposed_product};
use crate::symbolic::{Expr, Node, Pattern, Pool, Shape};

impl Operator {
    /// Where it can be other than zero, whatever the symbols are.
    #[must_use]
    pub fn pattern(&self, pool: &Pool) -> Pattern {
        let (rows, columns) = (self.rows(pool), self.columns(pool));
        match self {
            Operator::Zero { .. } => Pattern::empty(rows, columns),
            Operator::Entries { entries, .. } => {
                let places = entries.iter().map(|&(r, c, _)| (r as usize, c as usize));
                Pattern::from_places(rows, columns, places)
            }
            Operator::Diagonal(vector) => {
                let nonzero = Pattern::of(pool, *vector);
                let places = nonzero.places().map(|(row, _)| (row, row));
                Pattern::from_places(rows, columns, places)
            }
            Operator::Matrix(matrix) => Pattern::of(pool, *matrix),
            Operator::Product(a, b) => a.pattern(pool).product(&b.pattern(pool)),
            Operator::Sum(terms) => terms
                .iter()
                .fold(Pattern::empty(rows, columns), |sum, term| {
                    sum.union(&term.pattern(pool))
                }),
            Operator::Block {
                rows: heights,
                columns: widths,
                blocks,
            } => {
                let (tops, lefts) = (starts(heights), starts(widths));
                let mut places = Vec::new();
                for (row, column, block) in blocks {
                    let (top, left) = (tops[*row], lefts[*column]);
                    let pattern = block.pattern(pool);
                    places.extend(pattern.places().map(|(r, c)| (top + r, left + c)));
                }
                Pattern::from_places(rows, columns, places)
            }
        }
    }

    /// The dense matrix; of one column, a vector, and of one row and column, a scalar.
    pub fn materialise(&self, pool: &mut Pool) -> Expr {
        let (height, width) = (self.rows(pool), self.columns(pool));
        let shape = match width {
            1 => column_shape(height),
            _ => Shape::Matrix(height, width),
        };
        let matrix = match self {
            Operator::Zero { .. } => pool.zero(shape),
            Operator::Diagonal(vector) => pool.diagonal(*vector).unwrap_or(*vector),
            Operator::Matrix(matrix) => *matrix,
            Operator::Product(a, b) => materialise_product(pool, a, b),
            Operator::Sum(terms) => {
                let zero = pool.zero(shape);
                terms.iter().fold(zero, |sum, term| {
                    let matrix = term.materialise(pool);
                    plus(pool, sum, matrix)
                })
            }
            Operator::Entries { .. } | Operator::Block { .. } => {
                let zero = pool.constant(0.0);
                let mut elements = vec![zero; height * width];
                for (row, column, entry) in self.entries(pool) {
                    elements[row as usize + column as usize * height] = entry;
                }
                pool.stack(elements, shape)
            }
        };
        reshape(pool, matrix, shape)
    }

    /// Every scalar entry that is not known to be zero: row, column, value, by column and then by
    /// row. For small systems: a dense matrix gives all its elements.
    pub fn entries(&self, pool: &mut Pool) -> Vec<(u32, u32, Expr)> {
        match self {
            Operator::Zero { .. } => Vec::new(),
            Operator::Entries { entries, .. } => entries.clone(),
            Operator::Diagonal(_) | Operator::Matrix(_) => {
                let places: Vec<(usize, usize)> = self.pattern(pool).places().collect();
                let (rows, base) = match self {
                    Operator::Matrix(matrix) => (self.rows(pool), *matrix),
                    Operator::Diagonal(vector) => (0, *vector),
                    _ => return Vec::new(),
                };
                let mut entries = Vec::with_capacity(places.len());
                for (row, column) in places {
                    let entry = pool.element(base, row + column * rows);
                    if !pool.is_zero(entry) {
                        entries.push((narrow(row), narrow(column), entry));
                    }
                }
                entries
            }
            Operator::Product(a, b) => {
                let (a, b) = (a.entries(pool), b.entries(pool));
                product_entries(pool, &a, &b)
            }
            Operator::Sum(terms) => {
                let all: Vec<_> = terms.iter().flat_map(|term| term.entries(pool)).collect();
                gather(pool, all)
            }
            Operator::Block {
                rows,
                columns,
                blocks,
            } => {
                let (tops, lefts) = (starts(rows), starts(columns));
                let mut all = Vec::new();
                for (row, column, block) in blocks {
                    let (top, left) = (narrow(tops[*row]), narrow(lefts[*column]));
                    let entries = block.entries(pool).into_iter();
                    all.extend(entries.map(|(r, c, entry)| (top + r, left + c, entry)));
                }
                gather(pool, all)
            }
        }
    }
}

/// The dense product, where a diagonal factor scales rows or columns.
fn materialise_product(pool: &mut Pool, a: &Operator, b: &Operator) -> Expr {
    match (a, b) {
        (Operator::Diagonal(d), b) => {
            let matrix = b.materialise(pool);
            let factor = match pool.shape(matrix) {
                Shape::Matrix(_, columns) => {
                    let ones = pool.uniform(1.0, Shape::Vector(columns));
                    spread_factor(pool, *d, |pool, d| pool.outer(d, ones).unwrap_or(d))
                }
                shape => reshape(pool, *d, shape),
            };
            times(pool, factor, matrix)
        }
        (a, Operator::Diagonal(d)) => {
            let matrix = a.materialise(pool);
            let factor = match pool.shape(matrix) {
                Shape::Matrix(rows, _) => {
                    let ones = pool.uniform(1.0, Shape::Vector(rows));
                    spread_factor(pool, *d, |pool, d| pool.outer(ones, d).unwrap_or(d))
                }
                shape => reshape(pool, *d, shape),
            };
            times(pool, matrix, factor)
        }
        (a, b) => {
            let (left, right) = (a.materialise(pool), b.materialise(pool));
            let scalar = [left, right]
                .iter()
                .any(|&e| pool.shape(e) == Shape::Scalar);
            if scalar {
                times(pool, left, right)
            } else if pool.shape(left).rows() == 1 && pool.shape(right).columns() == 1 {
                transposed_row(pool, left, right)
            } else if pool.shape(left).rows() == 1 {
                // One row times a matrix: the transposed matrix times the column.
                let turned = pool.transpose(left);
                let column = transposed_product(pool, right, turned);
                pool.transpose(column)
            } else {
                matrix_product(pool, left, right)
            }
        }
    }
}

/// A factor for rows or columns; one number for all stays a number.
fn spread_factor(
    pool: &mut Pool,
    diagonal: Expr,
    spread: impl FnOnce(&mut Pool, Expr) -> Expr,
) -> Expr {
    match *pool.node(diagonal) {
        Node::Fill(value, _) => value,
        _ => spread(pool, diagonal),
    }
}
