//! Directional derivatives: tangents carried from the symbols to the expression.
//!
//! Enters: expressions without gradient nodes, and a direction for each symbol that moves. Leaves:
//! the derivatives in that direction, in the expressions' shapes. Must not know Jacobians.

use super::dependence::Dependence;
use super::reverse::matrix_product;
use super::rules::{Side, Walk, binary_chain, plus, unary_chain};
use crate::symbolic::traverse::{or_nan, reachable};
use crate::symbolic::{Binary, Expr, Node, Pool, SymbolId};
use rustc_hash::{FxHashMap, FxHashSet};

type Tangents = FxHashMap<Expr, Expr>;

pub(super) fn directional(
    pool: &mut Pool,
    of: &[Expr],
    directions: &FxHashMap<SymbolId, Expr>,
) -> Vec<Expr> {
    let set: FxHashSet<SymbolId> = directions.keys().copied().collect();
    let mut dependence = Dependence::new(&set);
    let mut tangents = Tangents::default();
    for expr in reachable(pool, of) {
        if !dependence.depends(pool, expr) {
            continue;
        }
        if let Some(tangent) = tangent(pool, expr, directions, &tangents)
            && !pool.is_zero(tangent)
        {
            let shape = pool.shape(expr);
            let tangent = pool.broadcast(tangent, shape);
            tangents.insert(expr, tangent);
        }
    }
    of.iter()
        .map(|of| match tangents.get(of) {
            Some(&tangent) => tangent,
            None => {
                let shape = pool.shape(*of);
                pool.zero(shape)
            }
        })
        .collect()
}

/// The tangent of one expression from those of its operands; `None` when it is 0.
fn tangent(
    pool: &mut Pool,
    expr: Expr,
    directions: &FxHashMap<SymbolId, Expr>,
    known: &Tangents,
) -> Option<Expr> {
    let of = |operand: Expr| known.get(&operand).copied();
    match *pool.node(expr) {
        Node::Constant(_) | Node::Array(..) | Node::Gradient(..) => None,
        Node::Symbol(symbol) => {
            let direction = *directions.get(&symbol)?;
            let shape = pool.shape(expr);
            Some(pool.broadcast(direction, shape))
        }
        Node::Unary(operator, a) => unary_chain(pool, operator, a, expr, of(a)?),
        Node::Binary(operator, a, b) => {
            let (ta, tb) = (of(a), of(b));
            binary_tangent(pool, operator, (a, b, expr), ta, tb)
        }
        Node::If(condition, a, b) => {
            let zero = pool.constant(0.0);
            let (ta, tb) = (of(a), of(b));
            let (ta, tb) = (ta.unwrap_or(zero), tb.unwrap_or(zero));
            pool.conditional(condition, ta, tb).ok()
        }
        Node::Element(a, offset) => {
            let tangent = of(a)?;
            Some(pool.element(tangent, offset as usize))
        }
        Node::Stack(ref elements, shape) => {
            let tangents: Vec<Option<Expr>> = elements.iter().map(|&element| of(element)).collect();
            let zero = pool.constant(0.0);
            let elements = tangents.into_iter().map(|t| t.unwrap_or(zero)).collect();
            Some(pool.stack(elements, shape))
        }
        Node::Fill(a, shape) => {
            let tangent = of(a)?;
            Some(pool.fill(tangent, shape))
        }
        Node::Transpose(a) => {
            let tangent = of(a)?;
            Some(pool.transpose(tangent))
        }
        Node::Diagonal(a) => pool.diagonal(of(a)?).ok(),
        Node::Sum(a) => {
            let tangent = of(a)?;
            Some(pool.sum(tangent))
        }
        Node::Inverse(a) => {
            let tangent = of(a)?;
            let shape = pool.shape(expr);
            let right = pool.product(tangent, expr);
            let right = or_nan(pool, right, shape);
            let product = pool.product(expr, right);
            let product = or_nan(pool, product, shape);
            Some(pool.neg(product))
        }
        Node::Product(a, b) => {
            let (ta, tb) = (of(a), of(b));
            let left = ta.map(|ta| matrix_product(pool, ta, b));
            let right = tb.map(|tb| matrix_product(pool, a, tb));
            sum_of(pool, left, right)
        }
        Node::Dot(a, b) => {
            let (ta, tb) = (of(a), of(b));
            let left = ta.and_then(|ta| pool.dot(ta, b).ok());
            let right = tb.and_then(|tb| pool.dot(a, tb).ok());
            sum_of(pool, left, right)
        }
        Node::Outer(a, b) => {
            let (ta, tb) = (of(a), of(b));
            let left = ta.and_then(|ta| pool.outer(ta, b).ok());
            let right = tb.and_then(|tb| pool.outer(a, tb).ok());
            sum_of(pool, left, right)
        }
    }
}

fn binary_tangent(
    pool: &mut Pool,
    operator: Binary,
    operands: (Expr, Expr, Expr),
    ta: Option<Expr>,
    tb: Option<Expr>,
) -> Option<Expr> {
    let mut chain = |side, tangent: Option<Expr>| {
        let tangent = tangent?;
        binary_chain(pool, operator, operands, side, Walk::Forward, tangent)
    };
    let left = chain(Side::Left, ta);
    let right = chain(Side::Right, tb);
    sum_of(pool, left, right)
}

fn sum_of(pool: &mut Pool, a: Option<Expr>, b: Option<Expr>) -> Option<Expr> {
    match (a, b) {
        (Some(a), Some(b)) => Some(plus(pool, a, b)),
        (a, b) => a.or(b),
    }
}
