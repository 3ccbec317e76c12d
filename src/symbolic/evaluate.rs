//! The reference evaluator: plain numbers for every node, one node after the other.
//!
//! Enters: an expression and the values of its symbols. Leaves: its value. It is the second
//! opinion that derivatives, simplification and kernels are tested against, and computes
//! constants; it is not fast. Sums run from the first element to the last.
//! Must not know the kernels.

use super::{Binary, Expr, Node, Pool, Shape, SymbolId, differentiate, traverse};
use rustc_hash::FxHashMap;

/// Numbers with a shape, a matrix column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Scalar, vector or matrix.
    pub shape: Shape,
    /// As many as the shape holds.
    pub numbers: Vec<f64>,
}

impl Value {
    /// One number.
    #[must_use]
    pub fn scalar(number: f64) -> Value {
        Value {
            shape: Shape::Scalar,
            numbers: vec![number],
        }
    }

    /// A column of numbers.
    #[must_use]
    pub fn vector(numbers: Vec<f64>) -> Value {
        Value {
            shape: Shape::Vector(numbers.len()),
            numbers,
        }
    }

    /// The first number; NaN when there is none.
    #[must_use]
    pub fn number(&self) -> f64 {
        self.numbers.first().copied().unwrap_or(f64::NAN)
    }

    /// The number in this place, where a scalar stands in all places; NaN outside.
    #[must_use]
    pub fn at(&self, position: usize) -> f64 {
        let position = if self.shape == Shape::Scalar {
            0
        } else {
            position
        };
        self.numbers.get(position).copied().unwrap_or(f64::NAN)
    }

    fn build(shape: Shape, number: impl FnMut(usize) -> f64) -> Value {
        Value {
            shape,
            numbers: (0..shape.len()).map(number).collect(),
        }
    }
}

/// The value of an expression, where `symbol` gives the values of its symbols, in the symbols'
/// shapes. Operations without a value give NaN; the inverse of a singular matrix is all NaN.
pub fn evaluate(pool: &Pool, expr: Expr, symbol: &dyn Fn(SymbolId) -> Value) -> Value {
    let order = traverse::reachable(pool, &[expr]);
    let is_gradient = |&expr: &Expr| matches!(pool.node(expr), Node::Gradient(..));
    if order.iter().any(is_gradient) {
        let mut copy = pool.clone();
        let expanded = differentiate::expand_gradients(&mut copy, expr);
        return evaluate(&copy, expanded, symbol);
    }
    let mut values: FxHashMap<Expr, Value> = FxHashMap::default();
    for &node in &order {
        let value = evaluate_node(pool, node, &values, symbol);
        values.insert(node, value);
    }
    values
        .remove(&expr)
        .unwrap_or_else(|| Value::scalar(f64::NAN))
}

fn evaluate_node(
    pool: &Pool,
    expr: Expr,
    values: &FxHashMap<Expr, Value>,
    symbol: &dyn Fn(SymbolId) -> Value,
) -> Value {
    let shape = pool.shape(expr);
    let of = |operand: &Expr| &values[operand];
    match pool.node(expr) {
        Node::Constant(bits) => Value::scalar(f64::from_bits(*bits)),
        Node::Symbol(id) => symbol(*id),
        Node::Unary(operator, a) => Value::build(shape, |k| operator.apply(of(a).at(k))),
        Node::Binary(operator, a, b) => {
            Value::build(shape, |k| operator.apply(of(a).at(k), of(b).at(k)))
        }
        Node::If(c, a, b) => Value::build(shape, |k| {
            if of(c).at(k) == 0.0 {
                of(b).at(k)
            } else {
                of(a).at(k)
            }
        }),
        Node::Element(a, offset) => Value::scalar(of(a).at(*offset as usize)),
        Node::Stack(elements, _) => Value::build(shape, |k| of(&elements[k]).number()),
        Node::Array(numbers, _) => Value::build(shape, |k| f64::from_bits(numbers[k])),
        Node::Fill(a, _) => Value::build(shape, |_| of(a).number()),
        Node::Product(a, b) => product(of(a), of(b), shape),
        Node::Transpose(a) => transpose(of(a), shape),
        Node::Inverse(a) => inverse(of(a)),
        Node::Diagonal(a) => {
            let n = of(a).shape.len();
            Value::build(
                shape,
                |k| if k % n == k / n { of(a).at(k % n) } else { 0.0 },
            )
        }
        Node::Sum(a) => Value::scalar(sum(of(a).numbers.iter().copied())),
        Node::Dot(a, b) => {
            let pairs = of(a).numbers.iter().zip(&of(b).numbers);
            Value::scalar(sum(pairs.map(|(x, y)| Binary::Multiply.apply(*x, *y))))
        }
        Node::Outer(a, b) => {
            let rows = of(a).shape.len();
            Value::build(shape, |k| of(a).at(k % rows) * of(b).at(k / rows))
        }
        // Worked out before; a gradient cannot be left here.
        Node::Gradient(..) => Value::build(shape, |_| f64::NAN),
    }
}

/// From the first to the last; 0 when there are none.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers
        .reduce(|total, number| total + number)
        .unwrap_or(0.0)
}

fn product(a: &Value, b: &Value, shape: Shape) -> Value {
    let (rows, inner) = (a.shape.rows(), a.shape.columns());
    Value::build(shape, |position| {
        let (row, column) = (position % rows, position / rows);
        sum((0..inner).map(|k| a.at(row + k * rows) * b.at(k + column * inner)))
    })
}

fn transpose(a: &Value, shape: Shape) -> Value {
    let (rows, columns) = (a.shape.rows(), a.shape.columns());
    Value::build(shape, |position| {
        let (row, column) = (position % columns, position / columns);
        a.at(column + row * rows)
    })
}

/// Gauss-Jordan elimination with partial pivoting on `[A | 1]`, row by row.
fn inverse(a: &Value) -> Value {
    let n = a.shape.rows();
    let mut left: Vec<Vec<f64>> = (0..n)
        .map(|row| (0..n).map(|column| a.at(row + column * n)).collect())
        .collect();
    let mut right: Vec<Vec<f64>> = (0..n)
        .map(|row| {
            (0..n)
                .map(|column| if row == column { 1.0 } else { 0.0 })
                .collect()
        })
        .collect();
    for column in 0..n {
        let size = |row: &usize| left[*row][column].abs();
        let pivot = (column..n)
            .max_by(|p, q| size(p).total_cmp(&size(q)))
            .unwrap_or(column);
        left.swap(column, pivot);
        right.swap(column, pivot);
        let divisor = left[column][column];
        if divisor == 0.0 || divisor.is_nan() {
            return Value::build(a.shape, |_| f64::NAN);
        }
        for entry in left[column].iter_mut().chain(&mut right[column]) {
            *entry /= divisor;
        }
        let (pivot_left, pivot_right) = (left[column].clone(), right[column].clone());
        for row in (0..n).filter(|&row| row != column) {
            let factor = left[row][column];
            for (entry, pivot) in left[row].iter_mut().zip(&pivot_left) {
                *entry -= factor * pivot;
            }
            for (entry, pivot) in right[row].iter_mut().zip(&pivot_right) {
                *entry -= factor * pivot;
            }
        }
    }
    Value::build(a.shape, |position| right[position % n][position / n])
}
