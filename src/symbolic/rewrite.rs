//! Expressions rebuilt with some of their operations replaced.
//!
//! Enters: expressions, and a function that replaces single operations. Leaves: the expressions
//! with those replaced, simplified anew. Must not know why.

use super::traverse::{reachable, rebuild};
use super::{Expr, Node, Pool, SymbolId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Rebuilds expressions, operands first. `replace` is asked about every operation with what its
/// own operands have become, which the function in its last argument tells; `None` keeps the
/// operation, on the new operands. A replacement must have the shape of what it replaces.
pub fn rewrite(
    pool: &mut Pool,
    roots: &[Expr],
    mut replace: impl FnMut(&mut Pool, Expr, &dyn Fn(Expr) -> Expr) -> Option<Expr>,
) -> Vec<Expr> {
    let mut changed: FxHashMap<Expr, Expr> = FxHashMap::default();
    for expr in reachable(pool, roots) {
        let new_of = |operand: Expr| changed.get(&operand).copied().unwrap_or(operand);
        let new = replace(pool, expr, &new_of).unwrap_or_else(|| {
            let mut touched = false;
            pool.node(expr)
                .for_each_operand(|operand| touched |= changed.contains_key(&operand));
            if touched {
                rebuild(pool, expr, new_of)
            } else {
                expr
            }
        });
        if new != expr {
            changed.insert(expr, new);
        }
    }
    roots
        .iter()
        .map(|root| changed.get(root).copied().unwrap_or(*root))
        .collect()
}

/// What these are made of, themselves included, as far as it depends on one of the symbols.
#[must_use]
pub fn dependents(pool: &Pool, roots: &[Expr], symbols: &FxHashSet<SymbolId>) -> FxHashSet<Expr> {
    let mut found: FxHashSet<Expr> = FxHashSet::default();
    for expr in reachable(pool, roots) {
        let depends = match pool.node(expr) {
            Node::Symbol(symbol) => symbols.contains(symbol),
            node => {
                let mut depends = false;
                node.for_each_operand(|operand| depends |= found.contains(&operand));
                depends
            }
        };
        if depends {
            found.insert(expr);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::{Shape, Unary, to_text};

    #[test]
    fn operations_are_replaced_from_the_inside_out() {
        let mut pool = Pool::new();
        let (x, k) = (
            pool.new_symbol("x", Shape::Scalar),
            pool.new_symbol("k", Shape::Scalar),
        );
        let (x_value, k_value) = (pool.symbol(x), pool.symbol(k));
        let inner = pool.unary(Unary::Abs, x_value);
        let outer = pool.sub(inner, k_value);
        let outer = pool.unary(Unary::Abs, outer);
        let other = pool.unary(Unary::Abs, k_value);
        let root = pool.add(outer, other);
        let moving = dependents(&pool, &[root], &[x].into_iter().collect());
        let new = rewrite(&mut pool, &[root], |pool, expr, new| {
            match *pool.node(expr) {
                Node::Unary(Unary::Abs, a) if moving.contains(&expr) => {
                    Some(pool.unary(Unary::Sqrt, new(a)))
                }
                _ => None,
            }
        });
        assert_eq!(to_text(&pool, new[0]), "sqrt(sqrt(x) - k) + abs(k)");
    }
}
