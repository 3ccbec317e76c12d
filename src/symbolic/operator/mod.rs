//! Matrices as linear operators.
//!
//! Enters: expressions. Leaves: Jacobians in the structure they have, which can be applied to a
//! vector without ever being formed, or formed, or listed entry by entry. Must not know how
//! Jacobians come about.
//!
//! A side of length 1 counts as a scalar: an operator of one column is applied to a scalar, one
//! of one row gives a scalar, and a matrix of one column is formed as a vector.

mod apply;
mod form;

use super::differentiate::{plus, reshape, times};
use super::{Expr, Node, Pool, Shape};
use rustc_hash::FxHashMap;

/// A matrix of `rows` x `columns` in one of several structures.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// All zero.
    Zero {
        /// Height.
        rows: usize,
        /// Width.
        columns: usize,
    },
    /// Few scalars in a sea of zeros.
    Entries {
        /// Height.
        rows: usize,
        /// Width.
        columns: usize,
        /// Row, column and scalar, by column and then by row, each place at most once.
        entries: Vec<(u32, u32, Expr)>,
    },
    /// A square matrix with this vector on its diagonal.
    Diagonal(Expr),
    /// A dense matrix; a vector counts as one column, a scalar as 1 x 1.
    Matrix(Expr),
    /// The first times the second.
    Product(Box<Operator>, Box<Operator>),
    /// The sum of operators of one size.
    Sum(Vec<Operator>),
    /// Operators in places of a coarser grid; places without one are zero.
    Block {
        /// Heights of the rows of the grid.
        rows: Vec<usize>,
        /// Widths of the columns of the grid.
        columns: Vec<usize>,
        /// Row and column in the grid, and what stands there.
        blocks: Vec<(usize, usize, Operator)>,
    },
}

/// The shape of a column of `n` numbers, where one number is a scalar.
pub(super) fn column_shape(n: usize) -> Shape {
    if n == 1 {
        Shape::Scalar
    } else {
        Shape::Vector(n)
    }
}

impl Operator {
    /// The identity.
    pub fn identity(pool: &mut Pool, n: usize) -> Operator {
        Operator::Diagonal(pool.uniform(1.0, Shape::Vector(n)))
    }

    /// Entries in any order and without repetition; zeros are left out.
    pub fn from_entries(
        pool: &Pool,
        rows: usize,
        columns: usize,
        mut entries: Vec<(u32, u32, Expr)>,
    ) -> Operator {
        entries.retain(|&(_, _, entry)| !pool.is_zero(entry));
        if entries.is_empty() {
            return Operator::Zero { rows, columns };
        }
        entries.sort_unstable_by_key(|&(row, column, _)| (column, row));
        Operator::Entries {
            rows,
            columns,
            entries,
        }
    }

    /// A matrix of one row: the transposed vector (or scalar), sparse when it has known zeros.
    pub fn row(pool: &mut Pool, vector: Expr) -> Operator {
        let n = pool.shape(vector).len();
        match sparse_elements(pool, vector) {
            Some(elements) => {
                let entries = elements.into_iter().map(|(k, e)| (0, k, e)).collect();
                Operator::from_entries(pool, 1, n, entries)
            }
            None => Operator::Matrix(pool.transpose(vector)),
        }
    }

    /// A matrix of one column: the vector (or scalar), sparse when it has known zeros.
    pub fn column(pool: &Pool, vector: Expr) -> Operator {
        let n = pool.shape(vector).len();
        match sparse_elements(pool, vector) {
            Some(elements) => {
                let entries = elements.into_iter().map(|(k, e)| (k, 0, e)).collect();
                Operator::from_entries(pool, n, 1, entries)
            }
            None => Operator::Matrix(vector),
        }
    }

    /// Height.
    #[must_use]
    pub fn rows(&self, pool: &Pool) -> usize {
        match self {
            Operator::Zero { rows, .. } | Operator::Entries { rows, .. } => *rows,
            Operator::Diagonal(vector) => pool.shape(*vector).len(),
            Operator::Matrix(matrix) => pool.shape(*matrix).rows(),
            Operator::Product(a, _) => a.rows(pool),
            Operator::Sum(terms) => terms.first().map_or(0, |term| term.rows(pool)),
            Operator::Block { rows, .. } => rows.iter().sum(),
        }
    }

    /// Width.
    #[must_use]
    pub fn columns(&self, pool: &Pool) -> usize {
        match self {
            Operator::Zero { columns, .. } | Operator::Entries { columns, .. } => *columns,
            Operator::Diagonal(vector) => pool.shape(*vector).len(),
            Operator::Matrix(matrix) => pool.shape(*matrix).columns(),
            Operator::Product(_, b) => b.columns(pool),
            Operator::Sum(terms) => terms.first().map_or(0, |term| term.columns(pool)),
            Operator::Block { columns, .. } => columns.iter().sum(),
        }
    }

    /// True for the structure that is zero by construction.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        matches!(self, Operator::Zero { .. })
    }

    /// How many parts it is made of, to tell when a product has grown out of hand.
    pub(super) fn size(&self) -> usize {
        match self {
            Operator::Product(a, b) => a.size() + b.size(),
            Operator::Sum(terms) => terms.iter().map(Operator::size).sum(),
            Operator::Block { blocks, .. } => blocks.iter().map(|(_, _, block)| block.size()).sum(),
            _ => 1,
        }
    }

    /// The product, with zeros and identities left out, diagonals joined and sparse factors
    /// multiplied out where that makes no more entries.
    pub fn product(pool: &mut Pool, a: Operator, b: Operator) -> Operator {
        use Operator::{Diagonal, Entries, Matrix, Product, Zero};
        let (rows, columns) = (a.rows(pool), b.columns(pool));
        match (a, b) {
            (Zero { .. }, _) | (_, Zero { .. }) => Zero { rows, columns },
            (Diagonal(d), b) if pool.is_one(d) => b,
            (a, Diagonal(d)) if pool.is_one(d) => a,
            (Diagonal(d), Diagonal(e)) => Operator::diagonal(pool, d, e),
            (Diagonal(d), Product(first, rest)) if matches!(*first, Diagonal(_)) => {
                let joined = Operator::product(pool, Diagonal(d), *first);
                Operator::product(pool, joined, *rest)
            }
            (Product(rest, last), Diagonal(d)) if matches!(*last, Diagonal(_)) => {
                let joined = Operator::product(pool, *last, Diagonal(d));
                Operator::product(pool, *rest, joined)
            }
            (Diagonal(d), Matrix(m)) if columns == 1 => Operator::scaled_column(pool, d, m),
            (Diagonal(d), Entries { entries, .. }) => {
                let scaled = scale_entries(pool, &entries, d, true);
                Operator::from_entries(pool, rows, columns, scaled)
            }
            (Entries { entries, .. }, Diagonal(d)) => {
                let scaled = scale_entries(pool, &entries, d, false);
                Operator::from_entries(pool, rows, columns, scaled)
            }
            (Entries { entries: p, .. }, Entries { entries: q, .. }) if multiplies_out(&p, &q) => {
                let product = product_entries(pool, &p, &q);
                Operator::from_entries(pool, rows, columns, product)
            }
            (a, b) => Product(Box::new(a), Box::new(b)),
        }
    }

    fn diagonal(pool: &mut Pool, d: Expr, e: Expr) -> Operator {
        let n = pool.shape(d).len();
        let product = times(pool, d, e);
        if pool.is_zero(product) {
            return Operator::Zero {
                rows: n,
                columns: n,
            };
        }
        let product = reshape(pool, product, Shape::Vector(n));
        Operator::Diagonal(product)
    }

    fn scaled_column(pool: &mut Pool, d: Expr, column: Expr) -> Operator {
        let column = reshape(pool, column, Shape::Vector(pool.shape(d).len()));
        let product = times(pool, d, column);
        Operator::Matrix(product)
    }

    /// The sum, with zeros left out and like structures joined. `terms` must not be empty.
    pub fn sum(pool: &mut Pool, terms: Vec<Operator>) -> Operator {
        let size = terms
            .first()
            .map_or((0, 0), |term| (term.rows(pool), term.columns(pool)));
        let mut kept: Vec<Operator> = Vec::new();
        let mut open: Vec<Operator> = terms.into_iter().rev().collect();
        while let Some(term) = open.pop() {
            match term {
                Operator::Zero { .. } => {}
                Operator::Sum(inner) => open.extend(inner.into_iter().rev()),
                term => join_term(pool, &mut kept, term),
            }
        }
        kept.retain(|term| !term.is_zero());
        match kept.len() {
            0 => Operator::Zero {
                rows: size.0,
                columns: size.1,
            },
            1 => kept.remove(0),
            _ => Operator::Sum(kept),
        }
    }
}

/// Adds a term to a sum, into an earlier term of the same structure when there is one.
fn join_term(pool: &mut Pool, kept: &mut Vec<Operator>, term: Operator) {
    for other in kept.iter_mut() {
        let joined = match (&*other, &term) {
            (Operator::Diagonal(d), Operator::Diagonal(e)) => {
                let sum = plus(pool, *d, *e);
                let n = pool.shape(*d).len();
                Some(if pool.is_zero(sum) {
                    Operator::Zero {
                        rows: n,
                        columns: n,
                    }
                } else {
                    Operator::Diagonal(sum)
                })
            }
            (
                Operator::Entries {
                    rows,
                    columns,
                    entries,
                },
                Operator::Entries { entries: more, .. },
            ) => {
                let all = entries.iter().chain(more).copied().collect();
                let all = gather(pool, all);
                Some(Operator::from_entries(pool, *rows, *columns, all))
            }
            (Operator::Matrix(a), Operator::Matrix(b)) if pool.shape(*a) == pool.shape(*b) => {
                Some(Operator::Matrix(plus(pool, *a, *b)))
            }
            _ => None,
        };
        if let Some(joined) = joined {
            *other = joined;
            return;
        }
    }
    kept.push(term);
}

/// The nonzero elements of a stack that has known zeros, and of a scalar.
fn sparse_elements(pool: &Pool, vector: Expr) -> Option<Vec<(u32, Expr)>> {
    match pool.node(vector) {
        _ if pool.shape(vector) == Shape::Scalar || pool.is_zero(vector) => Some(
            (0..u32::from(!pool.is_zero(vector)))
                .map(|k| (k, vector))
                .collect(),
        ),
        Node::Stack(elements, _) if elements.iter().any(|&e| pool.is_zero(e)) => Some(
            (0..)
                .zip(elements.iter().copied())
                .filter(|&(_, e)| !pool.is_zero(e))
                .collect(),
        ),
        _ => None,
    }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Where each part begins when these follow each other.
fn starts(lengths: &[usize]) -> Vec<usize> {
    lengths
        .iter()
        .scan(0, |next, length| {
            let start = *next;
            *next += length;
            Some(start)
        })
        .collect()
}

fn scale_entries(
    pool: &mut Pool,
    entries: &[(u32, u32, Expr)],
    diagonal: Expr,
    by_row: bool,
) -> Vec<(u32, u32, Expr)> {
    entries
        .iter()
        .map(|&(row, column, entry)| {
            let place = if by_row { row } else { column };
            let factor = pool.element(diagonal, place as usize);
            (row, column, times(pool, factor, entry))
        })
        .collect()
}

/// True when multiplying out makes no more terms than a few for each entry there is.
fn multiplies_out(a: &[(u32, u32, Expr)], b: &[(u32, u32, Expr)]) -> bool {
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    for &(_, column, _) in a {
        *counts.entry(column).or_default() += 1;
    }
    let count_of = |row: u32| counts.get(&row).copied().unwrap_or(0);
    let terms: usize = b.iter().map(|&(row, _, _)| count_of(row)).sum();
    terms <= 4 * (a.len() + b.len())
}

/// The entries of a product of two sparse matrices.
fn product_entries(
    pool: &mut Pool,
    a: &[(u32, u32, Expr)],
    b: &[(u32, u32, Expr)],
) -> Vec<(u32, u32, Expr)> {
    let mut by_column: FxHashMap<u32, Vec<(u32, Expr)>> = FxHashMap::default();
    for &(row, column, entry) in a {
        by_column.entry(column).or_default().push((row, entry));
    }
    let mut all = Vec::new();
    for &(inner, column, right) in b {
        for &(row, left) in by_column.get(&inner).into_iter().flatten() {
            all.push((row, column, times(pool, left, right)));
        }
    }
    gather(pool, all)
}

/// Sorts entries and adds up those in one place.
fn gather(pool: &mut Pool, mut all: Vec<(u32, u32, Expr)>) -> Vec<(u32, u32, Expr)> {
    all.sort_by_key(|&(row, column, _)| (column, row));
    let mut sums: Vec<(u32, u32, Expr)> = Vec::with_capacity(all.len());
    for (row, column, entry) in all {
        match sums.last_mut() {
            Some(last) if (last.0, last.1) == (row, column) => {
                last.2 = plus(pool, last.2, entry);
            }
            _ => sums.push((row, column, entry)),
        }
    }
    sums.retain(|&(_, _, entry)| !pool.is_zero(entry));
    sums
}
