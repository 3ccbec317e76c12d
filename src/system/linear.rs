//! Which equations are linear: those with an exact solution between interruptions.
//!
//! Enters: expressions, a system. Leaves: yes or no, from the structure alone, so that a yes is
//! certain. Must not know how linear equations are solved.

use super::System;
use crate::symbolic::{Binary, Expr, Node, Pool, SymbolId, Unary, dependents, reachable};
use rustc_hash::{FxHashMap, FxHashSet};

/// How expressions depend on some symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Degree {
    /// Not at all.
    Constant,
    /// As a sum of a constant and constants times the symbols.
    Linear,
    /// In any other way, as far as the structure tells.
    Other,
}

/// The highest degree of these expressions in the symbols.
pub(super) fn degree(pool: &Pool, roots: &[Expr], symbols: &FxHashSet<SymbolId>) -> Degree {
    let mut known: FxHashMap<Expr, Degree> = FxHashMap::default();
    for expr in reachable(pool, roots) {
        let of = |operand: &Expr| known.get(operand).copied().unwrap_or(Degree::Constant);
        let degree = node_degree(pool.node(expr), symbols, of);
        if degree != Degree::Constant {
            known.insert(expr, degree);
        }
    }
    let degrees = roots.iter().filter_map(|root| known.get(root));
    degrees.copied().max().unwrap_or(Degree::Constant)
}

fn node_degree(node: &Node, symbols: &FxHashSet<SymbolId>, of: impl Fn(&Expr) -> Degree) -> Degree {
    let product = |a: &Expr, b: &Expr| match (of(a), of(b)) {
        (Degree::Constant, other) | (other, Degree::Constant) => other,
        _ => Degree::Other,
    };
    match node {
        Node::Constant(_) => Degree::Constant,
        Node::Symbol(symbol) if symbols.contains(symbol) => Degree::Linear,
        Node::Symbol(_) => Degree::Constant,
        Node::Unary(Unary::Negate, a)
        | Node::Element(a, _)
        | Node::Fill(a, _)
        | Node::Transpose(a)
        | Node::Diagonal(a)
        | Node::Sum(a) => of(a),
        Node::Binary(Binary::Add | Binary::Subtract, a, b) => of(a).max(of(b)),
        Node::Binary(Binary::Multiply, a, b)
        | Node::Product(a, b)
        | Node::Dot(a, b)
        | Node::Outer(a, b) => product(a, b),
        Node::Binary(Binary::Divide, a, b) if of(b) == Degree::Constant => of(a),
        Node::If(condition, a, b) if of(condition) == Degree::Constant => of(a).max(of(b)),
        Node::Stack(elements, _) => elements.iter().map(of).max().unwrap_or(Degree::Constant),
        node => {
            let mut constant = true;
            node.for_each_operand(|operand| constant &= of(&operand) == Degree::Constant);
            if constant {
                Degree::Constant
            } else {
                Degree::Other
            }
        }
    }
}

/// True when y' = A y + b between interruptions, where A and b are made of parameters, modes and
/// infusions. Systems with constraints, delays, or a drift that time or inputs move are not.
#[must_use]
pub fn linear_form(system: &System) -> bool {
    if !system.algebraic.is_empty()
        || !system.delays.is_empty()
        || !system.time_derivative.is_empty()
    {
        return false;
    }
    let states: FxHashSet<SymbolId> = symbols(system.states.blocks()).collect();
    let mut moving: FxHashSet<SymbolId> = super::moving_slots(&system.slots).collect();
    moving.insert(system.time);
    dependents(&system.pool, &system.frozen_drift, &moving).is_empty()
        && degree(&system.pool, &system.frozen_drift, &states) != Degree::Other
}

fn symbols(blocks: &[super::Block]) -> impl Iterator<Item = SymbolId> + '_ {
    blocks.iter().map(|block| block.symbol)
}
