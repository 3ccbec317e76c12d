//! Differentiation.
use super::{Expr, Pool};
/// Work out gradients.
pub fn expand_gradients(_pool: &mut Pool, expr: Expr) -> Expr {
    expr
}
