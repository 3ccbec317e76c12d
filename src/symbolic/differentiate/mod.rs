//! Derivatives as expressions.
//!
//! Enters: an expression and the symbols to differentiate by. Leaves: the derivative, built so
//! that it reads well and shares what the expression itself computes. At a kink it is one of the
//! one-sided derivatives or their mean; at a jump the jump is left out; `if` differentiates its
//! branches, not its condition. Must not know systems of equations.
//!
//! Derivatives in one direction are carried forward through the graph, those by many symbols at
//! once backward (A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 3).
//! Both are walks in order of ids, without recursion.

mod dependence;
mod forward;
mod reverse;
mod rules;

pub(super) use dependence::Dependence;
pub(super) use reverse::reshape;
pub(super) use reverse::{Reverse, matrix_product, transposed_product};
pub(super) use rules::{Side, Walk, binary_chain, plus, times};

use super::traverse::{reachable, rebuild};
use super::{Expr, Node, Pool, Shape, SymbolId};
use rustc_hash::{FxHashMap, FxHashSet};

/// The derivative with respect to a scalar symbol, in the shape of the expression. By a vector or
/// matrix it is the derivative when all its elements move together.
pub fn derivative(pool: &mut Pool, of: Expr, wrt: SymbolId) -> Expr {
    let one = pool.constant(1.0);
    directional(pool, of, wrt, one)
}

/// The Jacobian times a direction: how the expression, in its own shape, changes when the symbol
/// moves by `direction`, which has the symbol's shape or is a scalar that stands for all elements.
pub fn directional(pool: &mut Pool, of: Expr, wrt: SymbolId, direction: Expr) -> Expr {
    let directions = FxHashMap::from_iter([(wrt, direction)]);
    directional_along(pool, &[of], &directions)
        .pop()
        .unwrap_or(of)
}

/// The derivatives of several expressions, each in its own shape, when several symbols move at
/// once: `directions` says how, as in [`directional`]. One pass for all.
pub fn directional_along(
    pool: &mut Pool,
    of: &[Expr],
    directions: &FxHashMap<SymbolId, Expr>,
) -> Vec<Expr> {
    let has_gradients = reachable(pool, of)
        .into_iter()
        .any(|expr| matches!(pool.node(expr), Node::Gradient(..)));
    if !has_gradients {
        return forward::directional(pool, of, directions);
    }
    let of: Vec<Expr> = of.iter().map(|&of| expand_gradients(pool, of)).collect();
    forward::directional(pool, &of, directions)
}

/// The gradient of a scalar, in the shape of the symbol. Of anything but a scalar it is the
/// gradient of the sum of the elements.
pub fn gradient(pool: &mut Pool, of: Expr, wrt: SymbolId) -> Expr {
    let one = pool.constant(1.0);
    transposed_directional(pool, of, wrt, one)
}

/// The transposed Jacobian times weights, in the shape of the symbol: the gradient of the sum of
/// the elements, each times its weight. `weights` has the shape of the expression or is a scalar
/// that stands for all elements.
pub fn transposed_directional(pool: &mut Pool, of: Expr, wrt: SymbolId, weights: Expr) -> Expr {
    let of = expand_gradients(pool, of);
    let set: FxHashSet<SymbolId> = [wrt].into_iter().collect();
    let mut dependence = Dependence::new(&set);
    let mut reverse = Reverse::new(pool, &mut dependence);
    reverse.run(of, weights);
    reverse.of_symbol(wrt)
}

/// The derivatives of a scalar with respect to every scalar symbol of the set that it depends on,
/// by rising id, in one pass. Derivatives that are zero everywhere are left out, and so are
/// symbols that are not scalars.
pub fn derivatives(pool: &mut Pool, of: Expr, wrt: &FxHashSet<SymbolId>) -> Vec<(SymbolId, Expr)> {
    derivatives_of_all(pool, &[of], wrt)
        .pop()
        .unwrap_or_default()
}

/// [`derivatives`] of several scalars, which share the work.
pub fn derivatives_of_all(
    pool: &mut Pool,
    of: &[Expr],
    wrt: &FxHashSet<SymbolId>,
) -> Vec<Vec<(SymbolId, Expr)>> {
    let mut all = all_adjoints(pool, of, wrt);
    for row in &mut all {
        row.retain(|(symbol, _)| pool.symbol_data(*symbol).shape == Shape::Scalar);
    }
    all
}

/// The gradients of several scalars with respect to all symbols of the set, each in the symbol's
/// shape, by rising id, without those that are 0.
pub(super) fn all_adjoints(
    pool: &mut Pool,
    of: &[Expr],
    wrt: &FxHashSet<SymbolId>,
) -> Vec<Vec<(SymbolId, Expr)>> {
    let mut dependence = Dependence::new(wrt);
    let mut expanded = Vec::with_capacity(of.len());
    for &of in of {
        let has_gradients = dependence.has_gradients(pool, of);
        expanded.push(if has_gradients {
            expand_gradients(pool, of)
        } else {
            of
        });
    }
    let one = pool.constant(1.0);
    let mut reverse = Reverse::new(pool, &mut dependence);
    expanded
        .into_iter()
        .map(|of| {
            reverse.run(of, one);
            reverse.of_all_symbols()
        })
        .collect()
}

/// The expression with every gradient in it worked out, the inner ones first.
pub fn expand_gradients(pool: &mut Pool, expr: Expr) -> Expr {
    let order = reachable(pool, &[expr]);
    let is_gradient = |&expr: &Expr| matches!(pool.node(expr), Node::Gradient(..));
    if !order.iter().any(is_gradient) {
        return expr;
    }
    let mut changed: FxHashMap<Expr, Expr> = FxHashMap::default();
    for node in order {
        if let Node::Gradient(of, wrt) = *pool.node(node) {
            let of = changed.get(&of).copied().unwrap_or(of);
            let expanded = gradient(pool, of, wrt);
            changed.insert(node, expanded);
            continue;
        }
        let mut touched = false;
        pool.node(node)
            .for_each_operand(|operand| touched |= changed.contains_key(&operand));
        if touched {
            let new = rebuild(pool, node, |operand| {
                changed.get(&operand).copied().unwrap_or(operand)
            });
            changed.insert(node, new);
        }
    }
    changed.get(&expr).copied().unwrap_or(expr)
}
