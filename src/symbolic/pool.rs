//! The pool of hash-consed expressions.
//!
//! Enters: operations on expressions already in the pool. Leaves: ids, equal for equal
//! expressions, so that shared subexpressions are shared by construction. Operands always have
//! smaller ids than their users, so one pass in order of ids visits operands first.

use super::{Binary, Expr, Node, Shape, SymbolId, Unary};
use rustc_hash::FxHashMap;

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
#[derive(Debug, Clone, Default)]
pub struct Pool {
    nodes: Vec<Node>,
    shapes: Vec<Shape>,
    ids: FxHashMap<Node, Expr>,
    symbols: Vec<Symbol>,
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new() -> Pool {
        Pool::default()
    }

    /// How many distinct expressions the pool holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True before the first expression.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The operation that makes this expression.
    #[must_use]
    pub fn node(&self, expr: Expr) -> &Node {
        &self.nodes[expr.index()]
    }

    /// The shape of this expression.
    #[must_use]
    pub fn shape(&self, expr: Expr) -> Shape {
        self.shapes[expr.index()]
    }

    /// A symbol's name and shape.
    #[must_use]
    pub fn symbol_data(&self, symbol: SymbolId) -> &Symbol {
        &self.symbols[symbol.0 as usize]
    }

    /// A new symbol. Names need not be unique; ids are.
    pub fn new_symbol(&mut self, name: impl Into<String>, shape: Shape) -> SymbolId {
        let id = SymbolId(u32::try_from(self.symbols.len()).unwrap_or(u32::MAX));
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

    /// A function of one argument, element by element.
    pub fn unary(&mut self, operator: Unary, operand: Expr) -> Expr {
        let shape = self.shape(operand);
        self.intern(Node::Unary(operator, operand), shape)
    }

    /// A function of two arguments, element by element; a scalar goes with any shape.
    ///
    /// # Errors
    /// When neither operand is a scalar and the shapes differ.
    pub fn binary(
        &mut self,
        operator: Binary,
        left: Expr,
        right: Expr,
    ) -> Result<Expr, ShapeError> {
        let shape = self.common_shape(left, right)?;
        Ok(self.intern(Node::Binary(operator, left, right), shape))
    }

    fn common_shape(&self, left: Expr, right: Expr) -> Result<Shape, ShapeError> {
        match (self.shape(left), self.shape(right)) {
            (left, right) if left == right => Ok(left),
            (Shape::Scalar, other) | (other, Shape::Scalar) => Ok(other),
            (left, right) => Err(ShapeError { left, right }),
        }
    }

    /// The id of a node, made when it is new. `shape` must be the node's shape.
    pub(super) fn intern(&mut self, node: Node, shape: Shape) -> Expr {
        if let Some(&known) = self.ids.get(&node) {
            return known;
        }
        let id = Expr(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.ids.insert(node.clone(), id);
        self.nodes.push(node);
        self.shapes.push(shape);
        id
    }
}
