//! Gradients: adjoints carried from an expression back to its symbols.
//!
//! Enters: an expression without gradient nodes, and its weights. Leaves: adjoints of symbols.
//! Operands have smaller ids than their users, so a heap of ids, largest first, meets each
//! expression after all of its users. Must not know Jacobians.

use super::dependence::Dependence;
use super::rules::{Side, Walk, binary_chain, plus, times, unary_chain};
use crate::symbolic::traverse::or_nan;
use crate::symbolic::{Binary, Expr, Node, Pool, Shape, SymbolId, Unary};
use rustc_hash::FxHashMap;
use std::collections::BinaryHeap;

/// A walk back from one expression.
pub(in crate::symbolic) struct Reverse<'p, 's, 'd> {
    pool: &'p mut Pool,
    dependence: &'d mut Dependence<'s>,
    /// Of whole expressions.
    adjoints: FxHashMap<Expr, Expr>,
    /// Of single elements of vectors and matrices.
    parts: FxHashMap<Expr, Vec<(u32, Expr)>>,
    heap: BinaryHeap<Expr>,
}

impl<'p, 's, 'd> Reverse<'p, 's, 'd> {
    pub(in crate::symbolic) fn new(
        pool: &'p mut Pool,
        dependence: &'d mut Dependence<'s>,
    ) -> Reverse<'p, 's, 'd> {
        Reverse {
            pool,
            dependence,
            adjoints: FxHashMap::default(),
            parts: FxHashMap::default(),
            heap: BinaryHeap::new(),
        }
    }

    /// Carries the weights of `of` back to the symbols.
    pub(in crate::symbolic) fn run(&mut self, of: Expr, weights: Expr) {
        self.contribute(of, weights);
        while let Some(expr) = self.heap.pop() {
            if matches!(self.pool.node(expr), Node::Symbol(_)) {
                continue;
            }
            if let Some(adjoint) = self.take_adjoint(expr) {
                self.pull_back(expr, adjoint);
            }
        }
    }

    /// Carries the weight 1 of a scalar back to scalar symbols and to scalars that are made from
    /// vectors (elements, sums, dot products): these, by rising id, with their adjoints.
    pub(in crate::symbolic) fn run_to_vectors(&mut self, of: Expr) -> Vec<(Expr, Expr)> {
        let mut stopped = Vec::new();
        let one = self.pool.constant(1.0);
        self.contribute(of, one);
        while let Some(expr) = self.heap.pop() {
            let Some(adjoint) = self.take_adjoint(expr) else {
                continue;
            };
            match self.pool.node(expr) {
                Node::Symbol(_) | Node::Element(..) | Node::Sum(_) | Node::Dot(..) => {
                    stopped.push((expr, adjoint));
                }
                _ => self.pull_back(expr, adjoint),
            }
        }
        stopped.reverse();
        stopped
    }

    /// The adjoint of a symbol after the walk, in its shape; 0 when the walk never came there.
    pub(in crate::symbolic) fn of_symbol(&mut self, symbol: SymbolId) -> Expr {
        let expr = self.pool.symbol(symbol);
        let shape = self.pool.shape(expr);
        match self.take_adjoint(expr) {
            Some(adjoint) => adjoint,
            None => self.pool.zero(shape),
        }
    }

    /// The adjoints of all symbols that the walk came to, by rising id, without those that are 0.
    /// Leaves the walk ready for another run.
    pub(in crate::symbolic) fn of_all_symbols(&mut self) -> Vec<(SymbolId, Expr)> {
        let mut reached: Vec<Expr> = self.adjoints.keys().copied().collect();
        reached.extend(self.parts.keys());
        reached.sort_unstable();
        reached.dedup();
        let mut found = Vec::with_capacity(reached.len());
        for expr in reached {
            if let Node::Symbol(symbol) = *self.pool.node(expr)
                && let Some(adjoint) = self.take_adjoint(expr)
                && !self.pool.is_zero(adjoint)
            {
                found.push((symbol, adjoint));
            }
        }
        found.sort_unstable_by_key(|(symbol, _)| *symbol);
        found
    }

    /// Adds to the adjoint of an expression. What comes later stands earlier in the source, so
    /// it is put in front.
    fn contribute(&mut self, expr: Expr, adjoint: Expr) {
        if self.pool.is_zero(adjoint) || !self.dependence.depends(self.pool, expr) {
            return;
        }
        let shape = self.pool.shape(expr);
        let adjoint = self.pool.broadcast(adjoint, shape);
        match self.adjoints.get(&expr) {
            Some(&sum) => {
                let sum = plus(self.pool, adjoint, sum);
                self.adjoints.insert(expr, sum);
            }
            None => {
                self.adjoints.insert(expr, adjoint);
                if !self.parts.contains_key(&expr) {
                    self.heap.push(expr);
                }
            }
        }
    }

    fn contribute_part(&mut self, expr: Expr, offset: u32, adjoint: Expr) {
        if self.pool.is_zero(adjoint) || !self.dependence.depends(self.pool, expr) {
            return;
        }
        if !self.parts.contains_key(&expr) && !self.adjoints.contains_key(&expr) {
            self.heap.push(expr);
        }
        self.parts.entry(expr).or_default().push((offset, adjoint));
    }

    /// The whole adjoint of an expression, single elements put in their places.
    fn take_adjoint(&mut self, expr: Expr) -> Option<Expr> {
        let whole = self.adjoints.remove(&expr);
        let Some(parts) = self.parts.remove(&expr) else {
            return whole;
        };
        let shape = self.pool.shape(expr);
        let zero = self.pool.constant(0.0);
        let mut elements = vec![zero; shape.len()];
        for (offset, adjoint) in parts {
            let place = &mut elements[offset as usize];
            *place = plus(self.pool, adjoint, *place);
        }
        let stacked = self.pool.stack(elements, shape);
        Some(match whole {
            Some(whole) => plus(self.pool, whole, stacked),
            None => stacked,
        })
    }

    /// Carries the adjoint of one expression to its operands, the last first.
    fn pull_back(&mut self, expr: Expr, adjoint: Expr) {
        match *self.pool.node(expr) {
            Node::Constant(_) | Node::Symbol(_) | Node::Gradient(..) => {}
            Node::Unary(operator, a) => {
                if let Some(term) = unary_chain(self.pool, operator, a, expr, adjoint) {
                    self.contribute(a, term);
                }
            }
            Node::Binary(operator, a, b) => self.pull_back_binary(operator, a, b, expr, adjoint),
            Node::If(condition, a, b) => {
                let zero = self.pool.constant(0.0);
                let second = self.pool.conditional(condition, zero, adjoint);
                self.contribute_reduced(b, second.unwrap_or(adjoint));
                let first = self.pool.conditional(condition, adjoint, zero);
                self.contribute_reduced(a, first.unwrap_or(adjoint));
            }
            Node::Element(a, offset) => self.contribute_part(a, offset, adjoint),
            Node::Stack(ref elements, _) => {
                let elements = elements.clone();
                for (offset, &element) in elements.iter().enumerate().rev() {
                    if self.dependence.depends(self.pool, element) {
                        let term = self.pool.element(adjoint, offset);
                        self.contribute(element, term);
                    }
                }
            }
            Node::Fill(a, _) => self.contribute_reduced(a, adjoint),
            Node::Sum(a) => self.contribute(a, adjoint),
            Node::Dot(a, b) => {
                let term = times(self.pool, adjoint, a);
                self.contribute(b, term);
                let term = times(self.pool, adjoint, b);
                self.contribute(a, term);
            }
            _ => self.pull_back_matrix(expr, adjoint),
        }
    }

    fn pull_back_binary(&mut self, operator: Binary, a: Expr, b: Expr, f: Expr, adjoint: Expr) {
        for (side, operand) in [(Side::Right, b), (Side::Left, a)] {
            if !self.dependence.depends(self.pool, operand) {
                continue;
            }
            let operands = (a, b, f);
            let term = binary_chain(self.pool, operator, operands, side, Walk::Backward, adjoint);
            if let Some(term) = term {
                self.contribute_reduced(operand, term);
            }
        }
    }

    fn pull_back_matrix(&mut self, expr: Expr, adjoint: Expr) {
        match *self.pool.node(expr) {
            Node::Product(a, b) => {
                if self.dependence.depends(self.pool, b) {
                    let term = transposed_product(self.pool, a, adjoint);
                    self.contribute_reshaped(b, term);
                }
                if self.dependence.depends(self.pool, a) {
                    let term = product_transposed(self.pool, adjoint, b);
                    self.contribute_reshaped(a, term);
                }
            }
            Node::Transpose(a) => {
                let term = self.pool.transpose(adjoint);
                self.contribute_reshaped(a, term);
            }
            Node::Inverse(a) => {
                let left = transposed_product(self.pool, expr, adjoint);
                let product = product_transposed(self.pool, left, expr);
                let term = self.pool.neg(product);
                self.contribute_reshaped(a, term);
            }
            Node::Diagonal(a) => {
                let term = diagonal_of(self.pool, adjoint);
                self.contribute_reshaped(a, term);
            }
            Node::Outer(a, b) => {
                let term = transposed_product(self.pool, adjoint, a);
                self.contribute_reshaped(b, term);
                let term = matrix_product(self.pool, adjoint, b);
                self.contribute_reshaped(a, term);
            }
            _ => {}
        }
    }

    /// For an operand that may be a scalar repeated: then the sum counts.
    fn contribute_reduced(&mut self, operand: Expr, term: Expr) {
        let shape = self.pool.shape(operand);
        if shape == Shape::Scalar && self.pool.shape(term) != Shape::Scalar {
            let sum = total(self.pool, term);
            self.contribute(operand, sum);
        } else {
            self.contribute(operand, term);
        }
    }

    /// For an operand whose shape may differ from the term's in name only (one row or column).
    fn contribute_reshaped(&mut self, operand: Expr, term: Expr) {
        let shape = self.pool.shape(operand);
        let term = reshape(self.pool, term, shape);
        self.contribute(operand, term);
    }
}

/// The same numbers, column by column, in another shape.
pub(in crate::symbolic) fn reshape(pool: &mut Pool, expr: Expr, shape: Shape) -> Expr {
    if pool.shape(expr) == shape || pool.shape(expr) == Shape::Scalar {
        return pool.broadcast(expr, shape);
    }
    let elements = (0..shape.len()).map(|k| pool.element(expr, k)).collect();
    pool.stack(elements, shape)
}

/// The sum of the elements, as a dot product where it is one.
fn total(pool: &mut Pool, expr: Expr) -> Expr {
    match *pool.node(expr) {
        Node::Unary(Unary::Negate, inner) => {
            let sum = total_of_product(pool, inner);
            pool.neg(sum)
        }
        _ => total_of_product(pool, expr),
    }
}

fn total_of_product(pool: &mut Pool, expr: Expr) -> Expr {
    if let Node::Binary(Binary::Multiply, a, b) = *pool.node(expr) {
        match (pool.shape(a), pool.shape(b)) {
            (Shape::Vector(_), Shape::Vector(_)) => {
                if let Ok(dot) = pool.dot(a, b) {
                    return dot;
                }
            }
            (Shape::Scalar, _) => {
                let sum = pool.sum(b);
                return times(pool, a, sum);
            }
            (_, Shape::Scalar) => {
                let sum = pool.sum(a);
                return times(pool, sum, b);
            }
            _ => {}
        }
    }
    pool.sum(expr)
}

/// The vector on the diagonal of a square matrix.
fn diagonal_of(pool: &mut Pool, matrix: Expr) -> Expr {
    let n = pool.shape(matrix).rows();
    match *pool.node(matrix) {
        Node::Diagonal(vector) => vector,
        Node::Outer(a, b) => pool.mul(a, b),
        _ => {
            let elements = (0..n).map(|k| pool.element(matrix, k * (n + 1))).collect();
            pool.stack(elements, Shape::Vector(n))
        }
    }
}

/// `a*b`, from the right where that is cheaper: a product or an outer product times a vector.
pub(in crate::symbolic) fn matrix_product(pool: &mut Pool, a: Expr, b: Expr) -> Expr {
    let shape = match pool.shape(b) {
        Shape::Vector(_) => Shape::Vector(pool.shape(a).rows()),
        other => Shape::Matrix(pool.shape(a).rows(), other.columns()),
    };
    if matches!(pool.shape(b), Shape::Vector(_))
        && let Node::Outer(left, right) = *pool.node(a)
        && let Ok(factor) = pool.dot(right, b)
    {
        return times(pool, factor, left);
    }
    if matches!(pool.shape(a), Shape::Vector(_)) && pool.shape(b).rows() == 1 {
        // A column times one row, which is stored as a vector of one.
        let row = if matches!(pool.shape(b), Shape::Vector(_)) {
            pool.element(b, 0)
        } else {
            pool.transpose(b)
        };
        let product = pool.outer(a, row);
        let product = or_nan(pool, product, shape);
        return reshape(pool, product, shape);
    }
    let product = pool.product(a, b);
    or_nan(pool, product, shape)
}

/// `transpose(a)*b` with as many columns as `b`.
pub(in crate::symbolic) fn transposed_product(pool: &mut Pool, a: Expr, b: Expr) -> Expr {
    let turned = pool.transpose(a);
    matrix_product(pool, turned, b)
}

/// `a*transpose(b)`, a matrix.
fn product_transposed(pool: &mut Pool, a: Expr, b: Expr) -> Expr {
    let shape = Shape::Matrix(pool.shape(a).rows(), pool.shape(b).rows());
    let product = match (pool.shape(a), pool.shape(b)) {
        (Shape::Vector(_), Shape::Vector(_)) => pool.outer(a, b),
        _ => {
            let turned = pool.transpose(b);
            pool.product(a, turned)
        }
    };
    let product = or_nan(pool, product, shape);
    reshape(pool, product, shape)
}
