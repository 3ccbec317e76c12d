//! Operators applied to vectors.
//!
//! Enters: an operator, a vector. Leaves: the product as an expression; no matrix is formed. Must
//! not know how operators are put together.

use super::{Operator, column_shape, starts};
use crate::symbolic::differentiate::{matrix_product, plus, reshape, times};
use crate::symbolic::{Expr, Pool, Shape};

impl Operator {
    /// The operator times a vector of its width.
    pub fn apply(&self, pool: &mut Pool, vector: Expr) -> Expr {
        let (height, width) = (self.rows(pool), self.columns(pool));
        let vector = reshape(pool, vector, column_shape(width));
        let result = match self {
            Operator::Zero { .. } => pool.zero(column_shape(height)),
            Operator::Entries { entries, .. } => {
                let places = entries.iter().map(|&(row, column, e)| (row, column, e));
                apply_entries(pool, places, vector, height)
            }
            Operator::Diagonal(diagonal) => times(pool, *diagonal, vector),
            Operator::Matrix(matrix) => apply_matrix(pool, *matrix, vector),
            Operator::Product(a, b) => {
                let inner = b.apply(pool, vector);
                a.apply(pool, inner)
            }
            Operator::Sum(terms) => {
                sum_up(pool, terms, height, |pool, term| term.apply(pool, vector))
            }
            Operator::Block {
                rows,
                columns,
                blocks,
            } => {
                let places = blocks
                    .iter()
                    .map(|(row, column, block)| (*row, *column, block));
                apply_blocks(pool, (rows, columns), places, vector, Operator::apply)
            }
        };
        reshape(pool, result, column_shape(height))
    }

    /// The transposed operator times a vector of its height.
    pub fn apply_transposed(&self, pool: &mut Pool, vector: Expr) -> Expr {
        let (height, width) = (self.rows(pool), self.columns(pool));
        let vector = reshape(pool, vector, column_shape(height));
        let result = match self {
            Operator::Zero { .. } => pool.zero(column_shape(width)),
            Operator::Entries { entries, .. } => {
                let places = entries.iter().map(|&(row, column, e)| (column, row, e));
                apply_entries(pool, places, vector, width)
            }
            Operator::Diagonal(diagonal) => times(pool, *diagonal, vector),
            Operator::Matrix(matrix) => {
                let turned = pool.transpose(*matrix);
                apply_matrix(pool, turned, vector)
            }
            Operator::Product(a, b) => {
                let inner = a.apply_transposed(pool, vector);
                b.apply_transposed(pool, inner)
            }
            Operator::Sum(terms) => sum_up(pool, terms, width, |pool, term| {
                term.apply_transposed(pool, vector)
            }),
            Operator::Block {
                rows,
                columns,
                blocks,
            } => {
                let places = blocks
                    .iter()
                    .map(|(row, column, block)| (*column, *row, block));
                let transposed = Operator::apply_transposed;
                apply_blocks(pool, (columns, rows), places, vector, transposed)
            }
        };
        reshape(pool, result, column_shape(width))
    }
}

fn sum_up(
    pool: &mut Pool,
    terms: &[Operator],
    length: usize,
    apply: impl Fn(&mut Pool, &Operator) -> Expr,
) -> Expr {
    let zero = pool.zero(column_shape(length));
    terms.iter().fold(zero, |sum, term| {
        let value = apply(pool, term);
        plus(pool, sum, value)
    })
}

fn apply_entries(
    pool: &mut Pool,
    places: impl Iterator<Item = (u32, u32, Expr)>,
    vector: Expr,
    length: usize,
) -> Expr {
    let zero = pool.constant(0.0);
    let mut sums = vec![zero; length];
    for (row, column, entry) in places {
        let element = pool.element(vector, column as usize);
        let term = times(pool, entry, element);
        let sum = &mut sums[row as usize];
        *sum = plus(pool, *sum, term);
    }
    pool.stack(sums, column_shape(length))
}

fn apply_matrix(pool: &mut Pool, matrix: Expr, vector: Expr) -> Expr {
    match (pool.shape(matrix), pool.shape(vector)) {
        // One row: a dot product.
        (Shape::Matrix(1, _), Shape::Vector(_)) => transposed_row(pool, matrix, vector),
        (_, Shape::Scalar) | (Shape::Scalar, _) => times(pool, matrix, vector),
        _ => matrix_product(pool, matrix, vector),
    }
}

fn apply_blocks<'o>(
    pool: &mut Pool,
    (heights, widths): (&[usize], &[usize]),
    blocks: impl Iterator<Item = (usize, usize, &'o Operator)>,
    vector: Expr,
    apply: impl Fn(&Operator, &mut Pool, Expr) -> Expr,
) -> Expr {
    let lefts = starts(widths);
    let mut parts: Vec<Option<Expr>> = vec![None; widths.len()];
    let mut sums: Vec<Option<Expr>> = vec![None; heights.len()];
    for (row, column, block) in blocks {
        let (left, width) = (lefts[column], widths[column]);
        let part = *parts[column].get_or_insert_with(|| {
            let elements = (left..left + width)
                .map(|k| pool.element(vector, k))
                .collect();
            pool.stack(elements, column_shape(width))
        });
        let term = apply(block, pool, part);
        sums[row] = Some(match sums[row] {
            Some(sum) => plus(pool, sum, term),
            None => term,
        });
    }
    let mut elements = Vec::with_capacity(heights.iter().sum());
    for (&height, sum) in heights.iter().zip(sums) {
        let zero = pool.constant(0.0);
        let sum = sum.unwrap_or(zero);
        let spread = reshape(pool, sum, column_shape(height));
        elements.extend((0..height).map(|k| pool.element(spread, k)));
    }
    let shape = column_shape(elements.len());
    pool.stack(elements, shape)
}

/// One row times a column, as a dot product.
pub(super) fn transposed_row(pool: &mut Pool, row: Expr, vector: Expr) -> Expr {
    let turned = pool.transpose(row);
    match pool.dot(turned, vector) {
        Ok(dot) => dot,
        Err(_) => matrix_product(pool, row, vector),
    }
}
