//! Shapes of expressions.

use std::fmt;

/// A number, a column vector or a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One number.
    Scalar,
    /// A column of this many numbers.
    Vector(usize),
    /// Rows, columns. Stored column by column wherever numbers are laid out.
    Matrix(usize, usize),
}

impl Shape {
    /// How many numbers a value of this shape holds.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Shape::Scalar => 1,
            Shape::Vector(n) => n,
            Shape::Matrix(rows, columns) => rows * columns,
        }
    }

    /// True when it holds no number.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Rows of the value seen as a matrix (a scalar is 1 x 1, a vector n x 1).
    #[must_use]
    pub fn rows(self) -> usize {
        match self {
            Shape::Scalar => 1,
            Shape::Vector(n) | Shape::Matrix(n, _) => n,
        }
    }

    /// Columns of the value seen as a matrix.
    #[must_use]
    pub fn columns(self) -> usize {
        match self {
            Shape::Scalar | Shape::Vector(_) => 1,
            Shape::Matrix(_, columns) => columns,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Scalar => write!(out, "a number"),
            Shape::Vector(n) => write!(out, "a vector of {n}"),
            Shape::Matrix(rows, columns) => write!(out, "a {rows} x {columns} matrix"),
        }
    }
}
