//! Symbolic expressions with shapes.
//!
//! Enters: operations. Leaves: hash-consed expressions, their derivatives as expressions and
//! linear operators, and their text. Must not know spans, numeric arrays or models.

mod node;
mod pool;
mod shape;

pub use node::{Binary, Expr, Node, SymbolId, Unary};
pub use pool::{Pool, ShapeError, Symbol};
pub use shape::Shape;
