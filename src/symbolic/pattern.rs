//! Where a matrix can be other than zero.
//!
//! Enters: places, or an expression. Leaves: the sorted places, column by column. Must not know
//! numeric matrices.

use super::{Binary, Expr, Node, Pool, Shape};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The places of a sparse matrix, compressed by column: the rows of column `j` are
/// `row_indices[column_starts[j]..column_starts[j + 1]]`, rising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Height of the matrix.
    pub rows: usize,
    /// Width of the matrix.
    pub columns: usize,
    /// One more than there are columns.
    pub column_starts: Vec<usize>,
    /// One for each place.
    pub row_indices: Vec<usize>,
}

impl Pattern {
    /// No places.
    #[must_use]
    pub fn empty(rows: usize, columns: usize) -> Pattern {
        Pattern {
            rows,
            columns,
            column_starts: vec![0; columns + 1],
            row_indices: Vec::new(),
        }
    }

    /// All places.
    #[must_use]
    pub fn dense(rows: usize, columns: usize) -> Pattern {
        Pattern {
            rows,
            columns,
            column_starts: (0..=columns).map(|column| column * rows).collect(),
            row_indices: (0..columns).flat_map(|_| 0..rows).collect(),
        }
    }

    /// The diagonal of a square matrix.
    #[must_use]
    pub fn diagonal(n: usize) -> Pattern {
        Pattern {
            rows: n,
            columns: n,
            column_starts: (0..=n).collect(),
            row_indices: (0..n).collect(),
        }
    }

    /// These places (row, column), in any order; repeated ones count once, and those outside are
    /// left out.
    #[must_use]
    pub fn from_places(
        rows: usize,
        columns: usize,
        places: impl IntoIterator<Item = (usize, usize)>,
    ) -> Pattern {
        let mut sorted: Vec<(usize, usize)> = places
            .into_iter()
            .filter(|&(row, column)| row < rows && column < columns)
            .map(|(row, column)| (column, row))
            .collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut column_starts = vec![0; columns + 1];
        for &(column, _) in &sorted {
            column_starts[column + 1] += 1;
        }
        for column in 0..columns {
            column_starts[column + 1] += column_starts[column];
        }
        Pattern {
            rows,
            columns,
            column_starts,
            row_indices: sorted.into_iter().map(|(_, row)| row).collect(),
        }
    }

    /// How many places there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.row_indices.len()
    }

    /// True when the matrix is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.row_indices.is_empty()
    }

    /// True when every place is there.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        self.len() == self.rows * self.columns
    }

    /// The rows of one column, rising; none outside.
    #[must_use]
    pub fn column(&self, column: usize) -> &[usize] {
        match self.column_starts.get(column..=column + 1) {
            Some(&[start, end]) => &self.row_indices[start..end],
            _ => &[],
        }
    }

    /// All places (row, column), column by column.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.columns)
            .flat_map(|column| self.column(column).iter().map(move |&row| (row, column)))
    }

    /// True when the place is there.
    #[must_use]
    pub fn contains(&self, row: usize, column: usize) -> bool {
        self.column(column).binary_search(&row).is_ok()
    }

    /// The places of either of two matrices of one size.
    #[must_use]
    pub fn union(&self, other: &Pattern) -> Pattern {
        if self.is_dense() {
            return self.clone();
        }
        if other.is_dense() {
            return other.clone();
        }
        let places = self.places().chain(other.places());
        Pattern::from_places(self.rows, self.columns, places)
    }

    /// The places of both of two matrices of one size.
    #[must_use]
    pub fn intersection(&self, other: &Pattern) -> Pattern {
        let places = self
            .places()
            .filter(|&(row, column)| other.contains(row, column));
        Pattern::from_places(self.rows, self.columns, places)
    }

    /// The places of a matrix product, as far as the factors' places tell.
    #[must_use]
    pub fn product(&self, other: &Pattern) -> Pattern {
        // Which column a row was last met in, so that each is listed once.
        let mut met = vec![usize::MAX; self.rows];
        let mut column_starts = Vec::with_capacity(other.columns + 1);
        let mut row_indices = Vec::new();
        column_starts.push(0);
        for column in 0..other.columns {
            let start = row_indices.len();
            for &inner in other.column(column) {
                for &row in self.column(inner) {
                    if met[row] != column {
                        met[row] = column;
                        row_indices.push(row);
                    }
                }
            }
            row_indices[start..].sort_unstable();
            column_starts.push(row_indices.len());
        }
        Pattern {
            rows: self.rows,
            columns: other.columns,
            column_starts,
            row_indices,
        }
    }

    /// The places of the transposed matrix.
    #[must_use]
    pub fn transpose(&self) -> Pattern {
        let places = self.places().map(|(row, column)| (column, row));
        Pattern::from_places(self.columns, self.rows, places)
    }

    /// How far the places reach below and above the diagonal.
    #[must_use]
    pub fn bandwidths(&self) -> (usize, usize) {
        self.places().fold((0, 0), |(lower, upper), (row, column)| {
            let (below, above) = (row.saturating_sub(column), column.saturating_sub(row));
            (lower.max(below), upper.max(above))
        })
    }

    /// Where the value of an expression, seen as a matrix, can be other than zero, whatever its
    /// symbols are. Zeros that are written or follow from the structure are known.
    #[must_use]
    pub fn of(pool: &Pool, expr: Expr) -> Pattern {
        let mut known: FxHashMap<Expr, Rc<Pattern>> = FxHashMap::default();
        let mut open = vec![expr];
        while let Some(&top) = open.last() {
            if known.contains_key(&top) {
                open.pop();
                continue;
            }
            let before = open.len();
            // Scalars are zero only when they are the number 0: no need to look inside.
            if pool.shape(top) != Shape::Scalar && !matches!(pool.node(top), Node::Stack(..)) {
                pool.node(top).for_each_operand(|operand| {
                    if !known.contains_key(&operand) {
                        open.push(operand);
                    }
                });
            }
            if open.len() == before {
                let pattern = of_node(pool, top, &known);
                known.insert(top, Rc::new(pattern));
                open.pop();
            }
        }
        known
            .remove(&expr)
            .map_or_else(|| Pattern::empty(0, 0), Rc::unwrap_or_clone)
    }
}

fn of_node(pool: &Pool, expr: Expr, known: &FxHashMap<Expr, Rc<Pattern>>) -> Pattern {
    let shape = pool.shape(expr);
    let (rows, columns) = (shape.rows(), shape.columns());
    let dense = || Pattern::dense(rows, columns);
    if pool.is_zero(expr) {
        return Pattern::empty(rows, columns);
    }
    if shape == Shape::Scalar {
        return dense();
    }
    // An operand in the shape of the result.
    let spread = |operand: Expr| {
        if pool.shape(operand) == shape {
            known[&operand].as_ref().clone()
        } else if known[&operand].is_empty() {
            Pattern::empty(rows, columns)
        } else {
            dense()
        }
    };
    match *pool.node(expr) {
        Node::Unary(operator, a) if operator.apply(0.0) == 0.0 => spread(a),
        Node::Binary(operator, a, b) => match operator {
            Binary::Multiply | Binary::And => spread(a).intersection(&spread(b)),
            Binary::Divide | Binary::Modulo => spread(a),
            Binary::Power if pool.uniform_constant(b).is_some_and(|y| y > 0.0) => spread(a),
            // atan2(0, -0) is pi.
            Binary::Power | Binary::Atan2 => dense(),
            _ if operator.apply(0.0, 0.0) == 0.0 => spread(a).union(&spread(b)),
            _ => dense(),
        },
        Node::If(_, a, b) => spread(a).union(&spread(b)),
        Node::Stack(ref elements, _) => {
            let nonzero = (0..elements.len()).filter(|&k| !pool.is_zero(elements[k]));
            Pattern::from_places(rows, columns, nonzero.map(|k| (k % rows, k / rows)))
        }
        Node::Product(a, b) => known[&a].product(&known[&b]),
        Node::Transpose(a) => known[&a].transpose(),
        Node::Diagonal(a) => {
            let places = known[&a].places().map(|(row, _)| (row, row));
            Pattern::from_places(rows, columns, places)
        }
        Node::Outer(a, b) => known[&a].product(&known[&b].transpose()),
        _ => dense(),
    }
}
