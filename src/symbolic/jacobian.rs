//! Jacobians as linear operators.
//!
//! Enters: an expression, a symbol. Leaves: the operator, in the structure that the expression
//! gives it: the Jacobian of `A*y` is `A`, of `W*f(y)` it is `W` times a diagonal, of a stack of
//! scalars it is a list of entries. Must not know what the symbols stand for.
//!
//! Operators are built from the symbol up, one for each vector on the way; scalars on the way
//! are differentiated backward. What has no structure (a matrix that depends on the symbol) is
//! found column by column.

use super::differentiate::{
    Dependence, Reverse, Side, Walk, all_adjoints, binary_chain, derivative, directional,
    expand_gradients, reshape,
};
use super::{Expr, Node, Operator, Pool, Shape, SymbolId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Operators of more parts than this are turned into one dense matrix expression, whose parts
/// can be shared.
const LARGEST_OPERATOR: usize = 64;

/// The Jacobian of a scalar or vector with respect to a scalar or vector symbol. Matrices count
/// as vectors, column by column.
pub fn jacobian(pool: &mut Pool, of: Expr, wrt: SymbolId) -> Operator {
    let of = expand_gradients(pool, of);
    let inputs = pool.symbol_data(wrt).shape;
    let outputs = pool.shape(of);
    if inputs == Shape::Scalar {
        let tangent = derivative(pool, of, wrt);
        let column = reshape(pool, tangent, flat(outputs));
        return Operator::column(pool, column);
    }
    let set: FxHashSet<SymbolId> = [wrt].into_iter().collect();
    let mut build = Build {
        pool,
        wrt,
        dependence: Dependence::new(&set),
        known: FxHashMap::default(),
        stacks: FxHashMap::default(),
    };
    match outputs {
        Shape::Scalar => build.row_of(of),
        Shape::Vector(_) => build.run(of),
        Shape::Matrix(..) => {
            let flattened = reshape(build.pool, of, flat(outputs));
            build.run(flattened)
        }
    }
}

/// The Jacobian of several scalars and vectors, one below the other, with respect to several
/// scalar or vector symbols, side by side. Scalars only give [`Operator::Entries`], all else
/// [`Operator::Block`].
pub fn system_jacobian(pool: &mut Pool, of: &[Expr], wrt: &[SymbolId]) -> Operator {
    let rows: Vec<usize> = of.iter().map(|&of| pool.shape(of).len()).collect();
    let columns: Vec<usize> = wrt
        .iter()
        .map(|&symbol| pool.symbol_data(symbol).shape.len())
        .collect();
    let places: FxHashMap<SymbolId, usize> = wrt.iter().copied().zip(0..).collect();
    let set: FxHashSet<SymbolId> = wrt.iter().copied().collect();
    let is_scalar = |&of: &Expr| pool.shape(of) == Shape::Scalar;
    let scalars: Vec<usize> = (0..of.len()).filter(|&row| is_scalar(&of[row])).collect();
    let equations: Vec<Expr> = scalars.iter().map(|&row| of[row]).collect();
    let gradients = all_adjoints(pool, &equations, &set);
    let symbols_are_scalars = wrt
        .iter()
        .all(|&symbol| pool.symbol_data(symbol).shape == Shape::Scalar);
    if scalars.len() == of.len() && symbols_are_scalars {
        let entries = scalars.iter().zip(gradients).flat_map(|(&row, gradient)| {
            let place = |symbol| (narrow(row), narrow(places[&symbol]));
            let entries = gradient.into_iter();
            entries
                .map(|(symbol, entry)| (place(symbol).0, place(symbol).1, entry))
                .collect::<Vec<_>>()
        });
        let entries = entries.collect();
        return Operator::from_entries(pool, rows.len(), columns.len(), entries);
    }
    let mut blocks = Vec::new();
    for (&row, gradient) in scalars.iter().zip(gradients) {
        for (symbol, gradient) in gradient {
            let gradient = reshape(pool, gradient, flat(pool.symbol_data(symbol).shape));
            blocks.push((row, places[&symbol], Operator::row(pool, gradient)));
        }
    }
    for row in (0..of.len()).filter(|row| scalars.binary_search(row).is_err()) {
        let of = expand_gradients(pool, of[row]);
        let inside = super::symbols_of(pool, of);
        for (column, &symbol) in wrt.iter().enumerate() {
            if inside.contains(&symbol) {
                let block = jacobian(pool, of, symbol);
                if !block.is_zero() {
                    blocks.push((row, column, block));
                }
            }
        }
    }
    blocks.sort_by_key(|&(row, column, _)| (row, column));
    Operator::Block {
        rows,
        columns,
        blocks,
    }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The shape of the elements of a shape in one column.
fn flat(shape: Shape) -> Shape {
    match shape {
        Shape::Matrix(..) => Shape::Vector(shape.len()),
        other => other,
    }
}

/// A stack's elements, each by what it is made of: scalars that come from vectors, with the
/// derivative by each.
type StackPartials = Vec<Vec<(Expr, Expr)>>;

struct Build<'p, 's> {
    pool: &'p mut Pool,
    wrt: SymbolId,
    dependence: Dependence<'s>,
    known: FxHashMap<Expr, Operator>,
    stacks: FxHashMap<Expr, StackPartials>,
}

impl Build<'_, '_> {
    fn inputs(&self) -> usize {
        self.pool.symbol_data(self.wrt).shape.len()
    }

    /// The operator of a vector, after those of the vectors it needs.
    fn run(&mut self, of: Expr) -> Operator {
        let mut open = vec![of];
        while let Some(&top) = open.last() {
            if self.known.contains_key(&top) {
                open.pop();
                continue;
            }
            let before = open.len();
            for needed in self.needed(top) {
                if !self.known.contains_key(&needed) {
                    open.push(needed);
                }
            }
            if open.len() == before {
                let operator = self.operator(top);
                let operator = if operator.size() > LARGEST_OPERATOR {
                    Operator::Matrix(operator.materialise(self.pool))
                } else {
                    operator
                };
                self.known.insert(top, operator);
                open.pop();
            }
        }
        self.known.remove(&of).unwrap_or(Operator::Zero {
            rows: 0,
            columns: 0,
        })
    }

    /// The vectors whose operators the operator of this vector is made of.
    fn needed(&mut self, expr: Expr) -> Vec<Expr> {
        if !self.dependence.depends(self.pool, expr) {
            return Vec::new();
        }
        let mut needed = Vec::new();
        match *self.pool.node(expr) {
            Node::Unary(_, a) => needed.push(a),
            Node::Binary(_, a, b) | Node::If(_, a, b) => needed.extend([a, b]),
            Node::Product(a, b) if !self.dependence.depends(self.pool, a) => needed.push(b),
            Node::Stack(..) => {
                self.differentiate_stack(expr);
                for (leaf, _) in self.stacks[&expr].iter().flatten() {
                    if let Node::Element(base, _) = *self.pool.node(*leaf)
                        && matches!(self.pool.shape(base), Shape::Vector(_))
                    {
                        needed.push(base);
                    }
                }
                needed.sort_unstable();
                needed.dedup();
            }
            _ => {}
        }
        needed.retain(|&operand| {
            self.pool.shape(operand) != Shape::Scalar && self.dependence.depends(self.pool, operand)
        });
        needed
    }

    fn differentiate_stack(&mut self, expr: Expr) {
        if self.stacks.contains_key(&expr) {
            return;
        }
        let elements = match self.pool.node(expr) {
            Node::Stack(elements, _) => elements.clone(),
            _ => return,
        };
        let mut reverse = Reverse::new(self.pool, &mut self.dependence);
        let partials = elements
            .iter()
            .map(|&element| reverse.run_to_vectors(element))
            .collect();
        self.stacks.insert(expr, partials);
    }

    fn zero(&self, expr: Expr) -> Operator {
        Operator::Zero {
            rows: self.pool.shape(expr).len(),
            columns: self.inputs(),
        }
    }

    /// The operator of one vector from those of its operands.
    fn operator(&mut self, expr: Expr) -> Operator {
        if !self.dependence.depends(self.pool, expr) {
            return self.zero(expr);
        }
        let rows = self.pool.shape(expr).len();
        match *self.pool.node(expr) {
            Node::Symbol(_) => Operator::identity(self.pool, rows),
            Node::Unary(operator, a) => {
                let slope = operator.derivative(self.pool, a, expr);
                self.chained(expr, a, slope)
            }
            Node::Binary(operator, a, b) => {
                let mut terms = Vec::new();
                for (side, operand) in [(Side::Left, a), (Side::Right, b)] {
                    if !self.dependence.depends(self.pool, operand) {
                        continue;
                    }
                    let one = self.pool.constant(1.0);
                    let operands = (a, b, expr);
                    let slope =
                        binary_chain(self.pool, operator, operands, side, Walk::Forward, one);
                    if let Some(slope) = slope {
                        terms.push(self.chained(expr, operand, slope));
                    }
                }
                self.sum(expr, terms)
            }
            Node::If(condition, a, b) => self.choice(expr, condition, a, b),
            Node::Fill(a, _) => {
                let one = self.pool.constant(1.0);
                self.chained(expr, a, one)
            }
            Node::Product(a, b) if !self.dependence.depends(self.pool, a) => {
                let inner = self.of_operand(b);
                Operator::product(self.pool, Operator::Matrix(a), inner)
            }
            Node::Stack(..) => self.stack(expr),
            _ => self.column_by_column(expr),
        }
    }

    fn sum(&mut self, expr: Expr, terms: Vec<Operator>) -> Operator {
        if terms.is_empty() {
            self.zero(expr)
        } else {
            Operator::sum(self.pool, terms)
        }
    }

    fn of_operand(&mut self, operand: Expr) -> Operator {
        match self.known.get(&operand) {
            Some(operator) => operator.clone(),
            None => self.zero(operand),
        }
    }

    /// A slope in the shape of `expr` times the operator of an operand, vector or scalar.
    fn chained(&mut self, expr: Expr, operand: Expr, slope: Expr) -> Operator {
        if self.pool.is_zero(slope) {
            return self.zero(expr);
        }
        let slope = self.pool.broadcast(slope, self.pool.shape(expr));
        if self.pool.shape(operand) == Shape::Scalar && self.pool.shape(expr) != Shape::Scalar {
            let row = self.row_of(operand);
            let column = Operator::column(self.pool, slope);
            return Operator::product(self.pool, column, row);
        }
        let inner = self.of_operand(operand);
        Operator::product(self.pool, Operator::Diagonal(slope), inner)
    }

    fn choice(&mut self, expr: Expr, condition: Expr, a: Expr, b: Expr) -> Operator {
        let (zero, one) = (self.pool.constant(0.0), self.pool.constant(1.0));
        let mut terms = Vec::new();
        for (branch, first, second) in [(a, one, zero), (b, zero, one)] {
            if self.dependence.depends(self.pool, branch)
                && let Ok(mask) = self.pool.conditional(condition, first, second)
            {
                terms.push(self.chained(expr, branch, mask));
            }
        }
        self.sum(expr, terms)
    }

    /// The gradient of a scalar as an operator of one row.
    fn row_of(&mut self, scalar: Expr) -> Operator {
        let one = self.pool.constant(1.0);
        let mut reverse = Reverse::new(self.pool, &mut self.dependence);
        reverse.run(scalar, one);
        let gradient = reverse.of_symbol(self.wrt);
        let gradient = reshape(self.pool, gradient, Shape::Vector(self.inputs()));
        if self.pool.is_zero(gradient) {
            return self.zero(scalar);
        }
        Operator::row(self.pool, gradient)
    }

    /// Entries where an element of the stack depends on elements of the symbol, and products
    /// where it depends on elements, sums and dot products of other vectors.
    fn stack(&mut self, expr: Expr) -> Operator {
        self.differentiate_stack(expr);
        let partials = self.stacks.remove(&expr).unwrap_or_default();
        let rows = partials.len();
        let mut own = Vec::new();
        let mut through: FxHashMap<Expr, Vec<(u32, u32, Expr)>> = FxHashMap::default();
        let mut order = Vec::new();
        for (row, leaves) in (0..).zip(partials) {
            for (leaf, slope) in leaves {
                let (base, column) = match *self.pool.node(leaf) {
                    Node::Element(base, offset) => match *self.pool.node(base) {
                        Node::Symbol(_) => {
                            own.push((row, offset, slope));
                            continue;
                        }
                        _ if matches!(self.pool.shape(base), Shape::Vector(_)) => (base, offset),
                        _ => (leaf, 0),
                    },
                    _ => (leaf, 0),
                };
                let group = through.entry(base).or_default();
                if group.is_empty() {
                    order.push(base);
                }
                group.push((row, column, slope));
            }
        }
        let mut terms = vec![Operator::from_entries(self.pool, rows, self.inputs(), own)];
        for base in order {
            let entries = through.remove(&base).unwrap_or_default();
            let width = self.pool.shape(base).len();
            let outer = Operator::from_entries(self.pool, rows, width, entries);
            let inner = if self.pool.shape(base) == Shape::Scalar {
                self.row_of(base)
            } else {
                self.of_operand(base)
            };
            terms.push(Operator::product(self.pool, outer, inner));
        }
        Operator::sum(self.pool, terms)
    }

    /// By moving one element of the symbol after the other.
    fn column_by_column(&mut self, expr: Expr) -> Operator {
        let (rows, columns) = (self.pool.shape(expr).len(), self.inputs());
        let shape = self.pool.symbol_data(self.wrt).shape;
        let (zero, one) = (self.pool.constant(0.0), self.pool.constant(1.0));
        let mut entries = Vec::new();
        for column in 0..columns {
            let mut unit = vec![zero; columns];
            unit[column] = one;
            let unit = self.pool.stack(unit, shape);
            let tangent = directional(self.pool, expr, self.wrt, unit);
            for row in 0..rows {
                let entry = self.pool.element(tangent, row);
                entries.push((narrow(row), narrow(column), entry));
            }
        }
        Operator::from_entries(self.pool, rows, columns, entries)
    }
}
