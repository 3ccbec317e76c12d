//! The nodes of an expression graph.

use super::Shape;
use std::sync::Arc;

/// An expression: an index into the [`Pool`](super::Pool) that made it. Equal expressions of one
/// pool have equal ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Expr(pub(super) u32);

impl Expr {
    /// Position in the pool; operands always stand before their users.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A named quantity with a shape: a state, a parameter, time, a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolId(pub u32);

/// One operation. Booleans are the numbers 1 and 0. Operations that act element by element take
/// equal shapes, or a scalar with anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// A number, by its bits (so that it can be hashed).
    Constant(u64),
    /// A symbol, with the symbol's shape.
    Symbol(SymbolId),
    /// A function of one argument, element by element.
    Unary(Unary, Expr),
    /// A function of two arguments, element by element.
    Binary(Binary, Expr, Expr),
    /// `if condition then a else b`, element by element.
    If(Expr, Expr, Expr),
    /// One number of a vector, or of a matrix counted column by column.
    Element(Expr, u32),
    /// A vector or matrix (column by column) made of scalars.
    Stack(Box<[Expr]>, Shape),
    /// A vector or matrix (column by column) of numbers, by their bits. Large ones come from files.
    Array(Arc<[u64]>, Shape),
    /// The same scalar everywhere.
    Fill(Expr, Shape),
    /// Matrix times matrix or matrix times vector.
    Product(Expr, Expr),
    /// A matrix turned over; of a vector, a matrix of one row.
    Transpose(Expr),
    /// The inverse of a square matrix.
    Inverse(Expr),
    /// A square matrix with this vector on its diagonal.
    Diagonal(Expr),
    /// The sum of all elements.
    Sum(Expr),
    /// The sum of the products of the elements of two vectors.
    Dot(Expr, Expr),
    /// Column vector times row vector: a matrix.
    Outer(Expr, Expr),
    /// The gradient of a scalar with respect to a symbol, not yet worked out. Has the symbol's
    /// shape. Only a model holds these; `expand_gradients` replaces them.
    Gradient(Expr, SymbolId),
}

impl Node {
    /// Calls `visit` with every operand, from left to right; a leaf has none.
    pub fn for_each_operand(&self, mut visit: impl FnMut(Expr)) {
        match self {
            Node::Constant(_) | Node::Symbol(_) | Node::Array(..) => {}
            Node::Unary(_, a)
            | Node::Element(a, _)
            | Node::Fill(a, _)
            | Node::Transpose(a)
            | Node::Inverse(a)
            | Node::Diagonal(a)
            | Node::Sum(a)
            | Node::Gradient(a, _) => visit(*a),
            Node::Binary(_, a, b) | Node::Product(a, b) | Node::Dot(a, b) | Node::Outer(a, b) => {
                visit(*a);
                visit(*b);
            }
            Node::If(condition, a, b) => {
                visit(*condition);
                visit(*a);
                visit(*b);
            }
            Node::Stack(elements, _) => elements.iter().copied().for_each(visit),
        }
    }
}

/// Functions of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "each is the function of the same name in the table of built-ins"
)]
pub enum Unary {
    Negate,
    Not,
    /// `x` itself above 0, not a number elsewhere: what a function that saturates is scaled by.
    Positive,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Exp,
    Expm1,
    Log,
    Log10,
    Log2,
    Log1p,
    Sqrt,
    Cbrt,
    Abs,
    Sign,
    Floor,
    Ceil,
    Round,
    Sigmoid,
}

/// Functions of two arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "each is the operator or function of the same name"
)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Minimum,
    Maximum,
    Atan2,
    Modulo,
    /// `r^n/(1 + r^n)`, 0 for a negative `r`.
    Hill,
    /// Its derivative by `r`.
    HillSlope,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

impl Unary {
    /// True when every value is 0 or 1.
    #[must_use]
    pub fn is_logical(self) -> bool {
        self == Unary::Not
    }
}

impl Binary {
    /// True when the operands may be exchanged without changing the value.
    #[must_use]
    pub fn is_commutative(self) -> bool {
        matches!(
            self,
            Binary::Add
                | Binary::Multiply
                | Binary::Minimum
                | Binary::Maximum
                | Binary::Equal
                | Binary::NotEqual
                | Binary::And
                | Binary::Or
        )
    }

    /// True when every value is 0 or 1: comparisons, `and`, `or`.
    #[must_use]
    pub fn is_logical(self) -> bool {
        matches!(
            self,
            Binary::Equal
                | Binary::NotEqual
                | Binary::Less
                | Binary::LessEqual
                | Binary::Greater
                | Binary::GreaterEqual
                | Binary::And
                | Binary::Or
        )
    }
}
