//! The pool of hash-consed expressions.
//!
//! Enters: operations on expressions already in the pool. Leaves: ids, equal for equal
//! expressions, so that shared subexpressions are shared by construction. Operands always have
//! smaller ids than their users, so one pass in order of ids visits operands first. Must not know
//! the rules of simplification; the constructors in `simplify` and `arrays` do.

use super::{Binary, Expr, Node, Shape, SymbolId};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Two shapes that do not fit an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeError {
    /// Of the left or only operand.
    pub left: Shape,
    /// Of the right operand.
    pub right: Shape,
}

/// A named quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// As printed.
    pub name: String,
    /// Scalar, vector or matrix.
    pub shape: Shape,
}

/// Expressions and symbols that belong together.
#[derive(Debug, Clone)]
pub struct Pool {
    /// The pool that this one continues, if any: its expressions come first and are shared.
    base: Option<Arc<Pool>>,
    /// How many expressions and symbols the base holds; those below follow.
    base_nodes: usize,
    base_symbols: usize,
    nodes: Vec<Node>,
    shapes: Vec<Shape>,
    /// From a node's hash to the newest node with that hash; `older` leads to the next one. Nodes
    /// are thus stored once, however long a stack is.
    newest: FxHashMap<u64, u32>,
    older: Vec<u32>,
    symbols: Vec<Symbol>,
    /// Off only in tests, which compare simplified expressions with those taken literally.
    pub(super) simplifies: bool,
}

/// Ends a chain of nodes with equal hashes.
const NO_NODE: u32 = u32::MAX;

impl Default for Pool {
    fn default() -> Pool {
        Pool::new()
    }
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new() -> Pool {
        Pool {
            base: None,
            base_nodes: 0,
            base_symbols: 0,
            nodes: Vec::new(),
            shapes: Vec::new(),
            newest: FxHashMap::default(),
            older: Vec::new(),
            symbols: Vec::new(),
            simplifies: true,
        }
    }

    /// A pool that holds all expressions of another, under the same ids, and can be added to. It
    /// costs no more than what is added.
    #[must_use]
    pub fn continuing(base: &Arc<Pool>) -> Pool {
        Pool {
            base_nodes: base.len(),
            base_symbols: base.symbol_count(),
            simplifies: base.simplifies,
            base: Some(Arc::clone(base)),
            ..Pool::new()
        }
    }

    /// An empty pool whose constructors take every operation literally.
    #[cfg(test)]
    pub(super) fn literal() -> Pool {
        Pool {
            simplifies: false,
            ..Pool::new()
        }
    }

    /// How many distinct expressions the pool holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base_nodes + self.nodes.len()
    }

    /// True before the first expression.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The operation that makes this expression.
    #[must_use]
    pub fn node(&self, expr: Expr) -> &Node {
        match (&self.base, expr.index().checked_sub(self.base_nodes)) {
            (Some(base), None) => base.node(expr),
            (_, own) => &self.nodes[own.unwrap_or(expr.index())],
        }
    }

    /// The shape of this expression.
    #[must_use]
    pub fn shape(&self, expr: Expr) -> Shape {
        match (&self.base, expr.index().checked_sub(self.base_nodes)) {
            (Some(base), None) => base.shape(expr),
            (_, own) => self.shapes[own.unwrap_or(expr.index())],
        }
    }

    /// A symbol's name and shape.
    #[must_use]
    pub fn symbol_data(&self, symbol: SymbolId) -> &Symbol {
        let index = symbol.0 as usize;
        match (&self.base, index.checked_sub(self.base_symbols)) {
            (Some(base), None) => base.symbol_data(symbol),
            (_, own) => &self.symbols[own.unwrap_or(index)],
        }
    }

    /// How many symbols the pool holds; their ids count from 0.
    #[must_use]
    pub fn symbol_count(&self) -> usize {
        self.base_symbols + self.symbols.len()
    }

    /// A new symbol. Names need not be unique; ids are.
    pub fn new_symbol(&mut self, name: impl Into<String>, shape: Shape) -> SymbolId {
        let id = SymbolId(u32::try_from(self.symbol_count()).unwrap_or(u32::MAX));
        self.symbols.push(Symbol {
            name: name.into(),
            shape,
        });
        id
    }

    /// The number as an expression.
    pub fn constant(&mut self, value: f64) -> Expr {
        self.intern(Node::Constant(value.to_bits()), Shape::Scalar)
    }

    /// The symbol as an expression.
    pub fn symbol(&mut self, symbol: SymbolId) -> Expr {
        let shape = self.symbol_data(symbol).shape;
        self.intern(Node::Symbol(symbol), shape)
    }

    /// The value when the expression is a number.
    #[must_use]
    pub fn as_constant(&self, expr: Expr) -> Option<f64> {
        match self.node(expr) {
            Node::Constant(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    /// The shape of an operation element by element.
    pub(super) fn common_shape(&self, left: Expr, right: Expr) -> Result<Shape, ShapeError> {
        match (self.shape(left), self.shape(right)) {
            (left, right) if left == right => Ok(left),
            (Shape::Scalar, other) | (other, Shape::Scalar) => Ok(other),
            (left, right) => Err(ShapeError { left, right }),
        }
    }

    /// The id of a node, made when it is new. `shape` must be the node's shape.
    pub(super) fn intern(&mut self, node: Node, shape: Shape) -> Expr {
        let hash = hash_of(&node);
        if let Some(known) = self.find(hash, &node) {
            return known;
        }
        self.insert(hash, node, shape)
    }

    /// The id of a function of two arguments. Where the order of the operands does not matter, an
    /// existing node with the operands exchanged is taken, so that `a*b` and `b*a` are computed
    /// once; otherwise the order stays as written.
    pub(super) fn intern_binary(
        &mut self,
        operator: Binary,
        left: Expr,
        right: Expr,
        shape: Shape,
    ) -> Expr {
        let node = Node::Binary(operator, left, right);
        let hash = hash_of(&node);
        if let Some(known) = self.find(hash, &node) {
            return known;
        }
        if operator.is_commutative() && self.simplifies {
            let exchanged = Node::Binary(operator, right, left);
            if let Some(known) = self.known(&exchanged) {
                return known;
            }
        }
        self.insert(hash, node, shape)
    }

    /// The id of a node that the pool already holds.
    pub(super) fn known(&self, node: &Node) -> Option<Expr> {
        self.find(hash_of(node), node)
    }

    fn insert(&mut self, hash: u64, node: Node, shape: Shape) -> Expr {
        let id = u32::try_from(self.len()).unwrap_or(NO_NODE);
        let older = self.newest.insert(hash, id).unwrap_or(NO_NODE);
        self.older.push(older);
        self.nodes.push(node);
        self.shapes.push(shape);
        Expr(id)
    }

    fn find(&self, hash: u64, node: &Node) -> Option<Expr> {
        let mut candidate = self.newest.get(&hash).copied().unwrap_or(NO_NODE);
        while candidate != NO_NODE {
            let own = candidate as usize - self.base_nodes;
            if self.nodes[own] == *node {
                return Some(Expr(candidate));
            }
            candidate = self.older[own];
        }
        self.base.as_ref().and_then(|base| base.find(hash, node))
    }
}

fn hash_of(node: &Node) -> u64 {
    let mut hasher = FxHasher::default();
    node.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continued_pool_shares_what_is_known_and_leaves_its_base_alone() {
        let mut pool = Pool::new();
        let x = pool.new_symbol("x", Shape::Scalar);
        let x = pool.symbol(x);
        let two = pool.constant(2.0);
        let product = pool.mul(two, x);
        let base = Arc::new(pool);
        let mut first = Pool::continuing(&base);
        assert_eq!(first.mul(x, two), product);
        assert_eq!(first.len(), base.len());
        let y = first.new_symbol("y", Shape::Vector(2));
        let y = first.symbol(y);
        let sum = first.add(product, y);
        assert_eq!(
            (first.shape(sum), first.symbol_count()),
            (Shape::Vector(2), 2)
        );
        assert_eq!(first.add(product, y), sum);
        // One more floor up, and beside it.
        let mut second = Pool::continuing(&Arc::new(first));
        assert_eq!(second.add(product, y), sum);
        let minus = second.neg(sum);
        assert_eq!(minus.index() + 1, second.len());
        assert!(matches!(second.node(x), Node::Symbol(_)));
        let beside = Pool::continuing(&base);
        assert_eq!(
            (beside.len(), beside.symbol_count(), base.symbol_count()),
            (base.len(), 1, 1)
        );
    }
}
