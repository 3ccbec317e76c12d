//! Symbolic expressions with shapes.
//!
//! Enters: operations. Leaves: hash-consed expressions, their derivatives as expressions and
//! linear operators, and their text. Must not know spans, numeric arrays or models.

mod arrays;
mod builtin;
mod differentiate;
mod evaluate;
mod jacobian;
mod node;
mod operator;
mod pattern;
mod pool;
mod print;
mod rational;
mod rewrite;
mod shape;
mod simplify;
mod traverse;

pub use builtin::{Arity, ArrayFunction, Builtin, CallError, Operation, PowerForm, UnitRule};
pub use differentiate::{
    derivative, derivatives, derivatives_of_all, directional, directional_along, expand_gradients,
    gradient, transposed_directional,
};
pub use evaluate::{Value, evaluate};
pub use jacobian::{jacobian, system_jacobian};
pub use node::{Binary, Expr, Node, SymbolId, Unary};
pub use operator::Operator;
pub use pattern::Pattern;
pub use pool::{Pool, ShapeError, Symbol};
pub use print::{
    Names, Notation, PlainNames, latex_name, print, print_operator, to_latex, to_text,
};
pub use rational::{Sign, Signs, Span};
pub use rewrite::{dependents, rewrite};
pub use shape::Shape;
pub use traverse::{gradient_depth, reachable, substitute, substitute_all, symbols_of};

#[cfg(test)]
mod tests;
