//! Walks over expression graphs, all without recursion: graphs may be 100,000 deep.
//!
//! Enters: expressions. Leaves: what they are made of, or the same with parts replaced. Must not
//! know derivatives.

use super::{Expr, Node, Pool, Shape, ShapeError, SymbolId, differentiate};
use rustc_hash::{FxHashMap, FxHashSet};

/// Every expression that these are made of, themselves included, operands before their users.
#[must_use]
pub fn reachable(pool: &Pool, roots: &[Expr]) -> Vec<Expr> {
    let size = roots.iter().map(|root| root.index() + 1).max().unwrap_or(0);
    let mut seen = vec![0_u64; size.div_ceil(64)];
    let mut first_visit = |expr: Expr| {
        let (word, bit) = (expr.index() / 64, 1 << (expr.index() % 64));
        let new = seen[word] & bit == 0;
        seen[word] |= bit;
        new
    };
    let mut found: Vec<Expr> = Vec::new();
    for &root in roots {
        if first_visit(root) {
            found.push(root);
        }
    }
    let mut next = 0;
    while let Some(&expr) = found.get(next) {
        next += 1;
        pool.node(expr).for_each_operand(|operand| {
            if first_visit(operand) {
                found.push(operand);
            }
        });
    }
    found.sort_unstable();
    found
}

/// The symbols that an expression is made of.
#[must_use]
pub fn symbols_of(pool: &Pool, expr: Expr) -> FxHashSet<SymbolId> {
    reachable(pool, &[expr])
        .into_iter()
        .filter_map(|expr| match *pool.node(expr) {
            Node::Symbol(symbol) => Some(symbol),
            _ => None,
        })
        .collect()
}

/// How many gradients, not yet worked out, stand within each other; a symbol stands for as many as
/// `of_symbol` says.
#[must_use]
pub fn gradient_depth(pool: &Pool, expr: Expr, of_symbol: impl Fn(SymbolId) -> usize) -> usize {
    // Only what is not 0.
    let mut depths: FxHashMap<Expr, usize> = FxHashMap::default();
    for inner in reachable(pool, &[expr]) {
        let mut depth = 0;
        let node = pool.node(inner);
        node.for_each_operand(|operand| {
            depth = depth.max(depths.get(&operand).copied().unwrap_or(0));
        });
        match node {
            Node::Symbol(symbol) => depth = of_symbol(*symbol),
            Node::Gradient(..) => depth += 1,
            _ => {}
        }
        if depth > 0 {
            depths.insert(inner, depth);
        }
    }
    depths.get(&expr).copied().unwrap_or(0)
}

/// The expression with symbols replaced, all at once, and simplified anew. A replacement must
/// have its symbol's shape or be a scalar, which is then repeated.
///
/// A gradient with respect to a replaced symbol is worked out first, as it stands; one whose
/// scalar contains replaced symbols stays a gradient, of the new scalar.
pub fn substitute(pool: &mut Pool, expr: Expr, replacements: &FxHashMap<SymbolId, Expr>) -> Expr {
    let roots = substitute_all(pool, &[expr], replacements);
    roots.first().copied().unwrap_or(expr)
}

/// [`substitute`] in several expressions, which share the work.
pub fn substitute_all(
    pool: &mut Pool,
    roots: &[Expr],
    replacements: &FxHashMap<SymbolId, Expr>,
) -> Vec<Expr> {
    let mut changed: FxHashMap<Expr, Expr> = FxHashMap::default();
    for expr in reachable(pool, roots) {
        let new = match *pool.node(expr) {
            Node::Symbol(symbol) => match replacements.get(&symbol) {
                Some(&replacement) => {
                    let shape = pool.shape(expr);
                    pool.broadcast(replacement, shape)
                }
                None => continue,
            },
            Node::Gradient(_, symbol) if replacements.contains_key(&symbol) => {
                let gradient = differentiate::expand_gradients(pool, expr);
                substitute(pool, gradient, replacements)
            }
            _ => {
                let mut touched = false;
                pool.node(expr)
                    .for_each_operand(|operand| touched |= changed.contains_key(&operand));
                if !touched {
                    continue;
                }
                rebuild(pool, expr, |operand| {
                    changed.get(&operand).copied().unwrap_or(operand)
                })
            }
        };
        if new != expr {
            changed.insert(expr, new);
        }
    }
    roots
        .iter()
        .map(|root| changed.get(root).copied().unwrap_or(*root))
        .collect()
}

/// The operation of `expr` on other operands, simplified anew.
pub(super) fn rebuild(pool: &mut Pool, expr: Expr, operand: impl Fn(Expr) -> Expr) -> Expr {
    let shape = pool.shape(expr);
    let result = match *pool.node(expr) {
        Node::Constant(_) | Node::Symbol(_) | Node::Array(..) => return expr,
        Node::Unary(operator, a) => Ok(pool.unary(operator, operand(a))),
        Node::Binary(operator, a, b) => pool.binary(operator, operand(a), operand(b)),
        Node::If(c, a, b) => pool.conditional(operand(c), operand(a), operand(b)),
        Node::Element(a, offset) => Ok(pool.element(operand(a), offset as usize)),
        Node::Stack(ref elements, shape) => {
            let elements = elements.iter().map(|&e| operand(e)).collect();
            Ok(pool.stack(elements, shape))
        }
        Node::Fill(a, shape) => Ok(pool.fill(operand(a), shape)),
        Node::Product(a, b) => pool.product(operand(a), operand(b)),
        Node::Transpose(a) => Ok(pool.transpose(operand(a))),
        Node::Inverse(a) => pool.inverse(operand(a)),
        Node::Diagonal(a) => pool.diagonal(operand(a)),
        Node::Sum(a) => Ok(pool.sum(operand(a))),
        Node::Dot(a, b) => pool.dot(operand(a), operand(b)),
        Node::Outer(a, b) => pool.outer(operand(a), operand(b)),
        Node::Gradient(a, symbol) => Ok(pool.gradient(operand(a), symbol)),
    };
    or_nan(pool, result, shape)
}

/// The expression, or NaN of this shape where the caller combined shapes that do not fit.
pub(super) fn or_nan(pool: &mut Pool, result: Result<Expr, ShapeError>, shape: Shape) -> Expr {
    match result {
        Ok(expr) => expr,
        Err(error) => {
            debug_assert!(false, "shapes do not fit: {error:?}");
            pool.uniform(f64::NAN, shape)
        }
    }
}
