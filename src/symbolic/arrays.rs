//! The constructors of vectors, matrices and what makes scalars of them.
//!
//! Enters: operands. Leaves: the simplest expression of the same value. As in `simplify`, rules
//! keep the bits of finite values; the one that does not is the sum of equal numbers, where
//! `n*x` is rounded once and adding up is rounded `n` times. Must not know derivatives.
//!
//! | rule | why it is exact |
//! | --- | --- |
//! | an element of a stack, a filled, diagonal, transposed or outer one, or of an operation element by element | it is computed alone in the same way |
//! | a stack of equal scalars is a fill; a stack of all elements of `v` in order is `v` | the same numbers |
//! | stacks of numbers are folded element by element | as in `simplify` |
//! | a product with a zero, a diagonal or a uniform diagonal | the terms left out are 0 |
//! | `(-A)*x` is `-(A*x)`; `sum(-v)` is `-sum(v)` | signs do not round |
//! | what acts on `if c then v else 0`, `c` a scalar, acts on `v` inside | as in `simplify` |
//! | `transpose(transpose(A))`, of a stack, a fill, a diagonal, an outer product | only places change |
//! | `inverse(diagonal(v))` is `diagonal(1/v)` | elimination does the same |
//! | `sum(diagonal(v))` is `sum(v)`; `dot(v, 1)` is `sum(v)` | the terms left out are 0, the factors 1 |

use super::{Binary, Expr, Node, Pool, Shape, ShapeError, Unary};
use rustc_hash::FxHashMap;

/// How an element of an array follows from elements of its operands.
enum ElementStep {
    Known(Expr),
    Unary(Unary, (Expr, u32)),
    Binary(Binary, [(Expr, u32); 2]),
    If([(Expr, u32); 3]),
    Same((Expr, u32)),
}

impl Pool {
    /// One number of a vector, or of a matrix counted column by column. A scalar is its own
    /// element 0. An offset outside, an error of the caller, gives NaN.
    pub fn element(&mut self, base: Expr, offset: usize) -> Expr {
        let Some(offset) = u32::try_from(offset)
            .ok()
            .filter(|&offset| (offset as usize) < self.shape(base).len())
        else {
            return self.constant(f64::NAN);
        };
        if self.shape(base) == Shape::Scalar {
            return base;
        }
        if !self.simplifies {
            return self.intern(Node::Element(base, offset), Shape::Scalar);
        }
        match self.element_step(base, offset) {
            ElementStep::Known(element) => element,
            _ => self.element_through(base, offset),
        }
    }

    /// Follows operations element by element down to their operands, without recursion.
    fn element_through(&mut self, base: Expr, offset: u32) -> Expr {
        let mut known: FxHashMap<(Expr, u32), Expr> = FxHashMap::default();
        let mut open = vec![(base, offset)];
        while let Some(&key) = open.last() {
            if known.contains_key(&key) {
                open.pop();
                continue;
            }
            let step = self.element_step(key.0, key.1);
            let operands: &[(Expr, u32)] = match &step {
                ElementStep::Known(_) => &[],
                ElementStep::Unary(_, a) | ElementStep::Same(a) => std::slice::from_ref(a),
                ElementStep::Binary(_, operands) => operands,
                ElementStep::If(operands) => operands,
            };
            let before = open.len();
            open.extend(operands.iter().filter(|key| !known.contains_key(key)));
            if open.len() > before {
                continue;
            }
            let value = match step {
                ElementStep::Known(value) => value,
                ElementStep::Same(a) => known[&a],
                ElementStep::Unary(operator, a) => self.unary(operator, known[&a]),
                ElementStep::Binary(operator, [a, b]) => {
                    let (a, b) = (known[&a], known[&b]);
                    self.binary(operator, a, b).unwrap_or(a)
                }
                ElementStep::If([c, a, b]) => {
                    let (c, a, b) = (known[&c], known[&a], known[&b]);
                    self.conditional(c, a, b).unwrap_or(a)
                }
            };
            known.insert(key, value);
            open.pop();
        }
        known[&(base, offset)]
    }

    fn element_step(&mut self, base: Expr, offset: u32) -> ElementStep {
        if self.shape(base) == Shape::Scalar {
            return ElementStep::Known(base);
        }
        let position = offset as usize;
        match *self.node(base) {
            Node::Unary(operator, a) => ElementStep::Unary(operator, (a, offset)),
            Node::Binary(operator, a, b) => {
                ElementStep::Binary(operator, [(a, offset), (b, offset)])
            }
            Node::If(c, a, b) => ElementStep::If([(c, offset), (a, offset), (b, offset)]),
            Node::Stack(ref elements, _) => ElementStep::Known(elements[position]),
            Node::Array(ref numbers, _) => {
                let number = f64::from_bits(numbers[position]);
                ElementStep::Known(self.constant(number))
            }
            Node::Fill(value, _) => ElementStep::Known(value),
            Node::Transpose(a) => {
                let (rows, columns) = (self.shape(a).rows(), self.shape(a).columns());
                let (row, column) = (position / columns, position % columns);
                ElementStep::Same((a, offset_of(row, column, rows)))
            }
            Node::Diagonal(a) => {
                let n = self.shape(a).len();
                if position % n == position / n {
                    ElementStep::Same((a, offset_of(position % n, 0, n)))
                } else {
                    ElementStep::Known(self.constant(0.0))
                }
            }
            Node::Outer(a, b) => {
                let rows = self.shape(a).len();
                let (row, column) = (position % rows, position / rows);
                let operands = [(a, offset_of(row, 0, rows)), (b, offset_of(column, 0, 1))];
                ElementStep::Binary(Binary::Multiply, operands)
            }
            _ => ElementStep::Known(self.intern(Node::Element(base, offset), Shape::Scalar)),
        }
    }

    /// A vector or matrix (column by column) made of scalars; there must be as many as the shape
    /// holds. A misfit, an error of the caller, gives NaN.
    pub fn stack(&mut self, elements: Vec<Expr>, shape: Shape) -> Expr {
        let scalars = elements.iter().all(|&e| self.shape(e) == Shape::Scalar);
        if elements.len() != shape.len() || !scalars {
            debug_assert!(false, "{} elements for {shape}", elements.len());
            return self.uniform(f64::NAN, shape);
        }
        let Some(&first) = elements.first() else {
            return self.intern(Node::Stack(elements.into(), shape), shape);
        };
        if shape == Shape::Scalar {
            return first;
        }
        if self.simplifies {
            if elements.iter().all(|&element| element == first) {
                return self.fill(first, shape);
            }
            if let Node::Element(base, 0) = *self.node(first)
                && self.shape(base) == shape
                && elements
                    .iter()
                    .zip(0..)
                    .all(|(&element, offset)| *self.node(element) == Node::Element(base, offset))
            {
                return base;
            }
        }
        self.intern(Node::Stack(elements.into(), shape), shape)
    }

    /// A vector or matrix (column by column) of numbers; there must be as many as the shape holds.
    /// A misfit, an error of the caller, gives NaN.
    pub fn array(&mut self, numbers: &[f64], shape: Shape) -> Expr {
        if numbers.len() != shape.len() {
            debug_assert!(false, "{} numbers for {shape}", numbers.len());
            return self.uniform(f64::NAN, shape);
        }
        let bits = numbers.iter().map(|number| number.to_bits()).collect();
        self.intern(Node::Array(bits, shape), shape)
    }

    /// The same scalar everywhere. What already has the shape stays.
    pub fn fill(&mut self, value: Expr, shape: Shape) -> Expr {
        if self.shape(value) == shape {
            return value;
        }
        let value = if self.shape(value) == Shape::Scalar {
            value
        } else {
            debug_assert!(false, "a fill of {}", self.shape(value));
            self.constant(f64::NAN)
        };
        self.intern(Node::Fill(value, shape), shape)
    }

    /// Matrix times matrix or matrix times vector; a scalar multiplies each element. A vector
    /// times a matrix of one row is their outer product.
    ///
    /// # Errors
    /// When the columns of the left are not the rows of the right, or both are vectors.
    pub fn product(&mut self, a: Expr, b: Expr) -> Result<Expr, ShapeError> {
        let (left, right) = (self.shape(a), self.shape(b));
        let shape = match (left, right) {
            (Shape::Scalar, _) | (_, Shape::Scalar) => return self.binary(Binary::Multiply, a, b),
            (Shape::Matrix(rows, inner), Shape::Vector(n)) if inner == n => Shape::Vector(rows),
            (Shape::Matrix(rows, inner), Shape::Matrix(n, columns)) if inner == n => {
                Shape::Matrix(rows, columns)
            }
            (Shape::Vector(_), Shape::Matrix(1, _)) => {
                let b = self.transpose(b);
                return self.outer(a, b);
            }
            _ => return Err(ShapeError { left, right }),
        };
        if self.simplifies
            && let Some(simple) = self.simplify_product(a, b, shape)
        {
            return Ok(simple);
        }
        Ok(self.intern(Node::Product(a, b), shape))
    }

    fn simplify_product(&mut self, a: Expr, b: Expr, shape: Shape) -> Option<Expr> {
        if self.is_zero(a) || self.is_zero(b) {
            return Some(self.zero(shape));
        }
        if let Some(inner) = self.negated(a) {
            let product = self.product(inner, b).ok()?;
            return Some(self.neg(product));
        }
        if let Some(inner) = self.negated(b) {
            let product = self.product(a, inner).ok()?;
            return Some(self.neg(product));
        }
        let guarded = self
            .inside_scalar_choice(a, |pool, a| pool.product(a, b).unwrap_or(a))
            .or_else(|| self.inside_scalar_choice(b, |pool, b| pool.product(a, b).unwrap_or(b)));
        if let Some(guarded) = guarded {
            return Some(self.broadcast(guarded, shape));
        }
        match (self.diagonal_vector(a), self.diagonal_vector(b)) {
            (Some(d), Some(e)) => {
                let product = self.mul(d, e);
                self.diagonal(product).ok()
            }
            (Some(d), None) => match *self.node(d) {
                Node::Fill(value, _) => Some(self.mul(value, b)),
                _ if self.shape(b) == self.shape(d) => Some(self.mul(d, b)),
                _ => None,
            },
            (None, Some(e)) => match *self.node(e) {
                Node::Fill(value, _) => Some(self.mul(a, value)),
                _ => None,
            },
            (None, None) => None,
        }
    }

    /// The vector on the diagonal, when the expression is made of one.
    pub(super) fn diagonal_vector(&self, expr: Expr) -> Option<Expr> {
        match *self.node(expr) {
            Node::Diagonal(vector) => Some(vector),
            _ => None,
        }
    }

    /// Rows become columns. A vector becomes a matrix of one row, and a matrix of one row becomes
    /// a vector; a scalar stays, and so does a matrix of one row and one column, which is square.
    pub fn transpose(&mut self, a: Expr) -> Expr {
        let shape = match self.shape(a) {
            Shape::Scalar => return a,
            Shape::Vector(n) => Shape::Matrix(1, n),
            Shape::Matrix(1, n) if n != 1 => Shape::Vector(n),
            Shape::Matrix(rows, columns) => Shape::Matrix(columns, rows),
        };
        if self.simplifies {
            match *self.node(a) {
                Node::Transpose(inner) if self.shape(inner) == shape => return inner,
                Node::Fill(value, _) => return self.fill(value, shape),
                Node::Diagonal(_) => return a,
                Node::Outer(left, right) => {
                    if let Ok(outer) = self.outer(right, left)
                        && self.shape(outer) == shape
                    {
                        return outer;
                    }
                }
                Node::Stack(ref elements, of) => {
                    let (rows, columns) = (of.rows(), of.columns());
                    let turned = (0..rows)
                        .flat_map(|row| (0..columns).map(move |column| row + column * rows))
                        .map(|position| elements[position])
                        .collect();
                    return self.stack(turned, shape);
                }
                _ => {}
            }
        }
        self.intern(Node::Transpose(a), shape)
    }

    /// The inverse of a square matrix; of a scalar, one over it.
    ///
    /// # Errors
    /// When the matrix is not square.
    pub fn inverse(&mut self, a: Expr) -> Result<Expr, ShapeError> {
        let shape = self.shape(a);
        if shape == Shape::Scalar {
            return Ok(self.divide_number(1.0, a));
        }
        if !matches!(shape, Shape::Matrix(rows, columns) if rows == columns) {
            return Err(ShapeError {
                left: shape,
                right: Shape::Matrix(shape.rows(), shape.rows()),
            });
        }
        if self.simplifies
            && let Node::Diagonal(d) = *self.node(a)
        {
            let reciprocal = self.divide_number(1.0, d);
            return self.diagonal(reciprocal);
        }
        Ok(self.intern(Node::Inverse(a), shape))
    }

    /// A square matrix with this vector on its diagonal; a scalar stays.
    ///
    /// # Errors
    /// When the operand is a matrix.
    pub fn diagonal(&mut self, a: Expr) -> Result<Expr, ShapeError> {
        let shape = match self.shape(a) {
            Shape::Scalar => return Ok(a),
            Shape::Vector(n) => Shape::Matrix(n, n),
            left @ Shape::Matrix(rows, _) => {
                let right = Shape::Vector(rows);
                return Err(ShapeError { left, right });
            }
        };
        if self.simplifies && self.is_zero(a) {
            return Ok(self.zero(shape));
        }
        Ok(self.intern(Node::Diagonal(a), shape))
    }

    /// The sum of all elements.
    pub fn sum(&mut self, a: Expr) -> Expr {
        let shape = self.shape(a);
        if shape == Shape::Scalar {
            return a;
        }
        if self.simplifies {
            match *self.node(a) {
                Node::Fill(value, _) => {
                    let count = self.count(a);
                    return self.mul(count, value);
                }
                Node::Diagonal(d) => return self.sum(d),
                Node::Unary(Unary::Negate, inner) => {
                    let sum = self.sum(inner);
                    return self.neg(sum);
                }
                _ => {}
            }
            if let Some(guarded) = self.inside_scalar_choice(a, Pool::sum) {
                return guarded;
            }
        }
        self.intern(Node::Sum(a), Shape::Scalar)
    }

    /// How many elements the expression has, as a number.
    #[expect(clippy::cast_precision_loss, reason = "shapes are far below 2^52")]
    pub fn count(&mut self, a: Expr) -> Expr {
        let count = self.shape(a).len();
        self.constant(count as f64)
    }

    /// The sum of the products of the elements of two vectors; of two scalars, their product.
    ///
    /// # Errors
    /// When the shapes differ or are matrices.
    pub fn dot(&mut self, a: Expr, b: Expr) -> Result<Expr, ShapeError> {
        let (left, right) = (self.shape(a), self.shape(b));
        if left != right || matches!(left, Shape::Matrix(..)) {
            return Err(ShapeError { left, right });
        }
        if left == Shape::Scalar {
            return Ok(self.mul(a, b));
        }
        if self.simplifies {
            if self.is_zero(a) || self.is_zero(b) {
                return Ok(self.constant(0.0));
            }
            if self.is_one(a) {
                return Ok(self.sum(b));
            }
            if self.is_one(b) {
                return Ok(self.sum(a));
            }
            let guarded = self
                .inside_scalar_choice(a, |pool, a| pool.dot(a, b).unwrap_or(a))
                .or_else(|| self.inside_scalar_choice(b, |pool, b| pool.dot(a, b).unwrap_or(b)));
            if let Some(guarded) = guarded {
                return Ok(guarded);
            }
            if let Some(exchanged) = self.known(&Node::Dot(b, a)) {
                return Ok(exchanged);
            }
        }
        Ok(self.intern(Node::Dot(a, b), Shape::Scalar))
    }

    /// Column times row: the matrix of all products of an element of `a` and one of `b`. A scalar
    /// counts as a vector of one, unless both are scalars.
    ///
    /// # Errors
    /// When an operand is a matrix.
    pub fn outer(&mut self, a: Expr, b: Expr) -> Result<Expr, ShapeError> {
        let (left, right) = (self.shape(a), self.shape(b));
        let shape = match (left, right) {
            (Shape::Matrix(..), _) | (_, Shape::Matrix(..)) => {
                return Err(ShapeError { left, right });
            }
            (Shape::Scalar, _) => {
                let row = self.transpose(b);
                return self.binary(Binary::Multiply, a, row);
            }
            (_, Shape::Scalar) => return self.binary(Binary::Multiply, a, b),
            (left, right) => Shape::Matrix(left.len(), right.len()),
        };
        if self.simplifies {
            if self.is_zero(a) || self.is_zero(b) {
                return Ok(self.zero(shape));
            }
            let guarded = self
                .inside_scalar_choice(a, |pool, a| pool.outer(a, b).unwrap_or(a))
                .or_else(|| self.inside_scalar_choice(b, |pool, b| pool.outer(a, b).unwrap_or(b)));
            if let Some(guarded) = guarded {
                return Ok(self.broadcast(guarded, shape));
            }
        }
        Ok(self.intern(Node::Outer(a, b), shape))
    }

    /// The gradient of a scalar with respect to a symbol, left to be worked out later; it has the
    /// symbol's shape. Of anything but a scalar it is the gradient of the sum.
    pub fn gradient(&mut self, of: Expr, with_respect_to: super::SymbolId) -> Expr {
        let of = self.sum(of);
        let shape = self.symbol_data(with_respect_to).shape;
        self.intern(Node::Gradient(of, with_respect_to), shape)
    }

    /// Folds an operation element by element on stacks of numbers, where `b`, if given, may also
    /// be one number. Results that are not finite leave everything standing.
    pub(super) fn fold_stack(
        &mut self,
        a: Expr,
        b: Option<Expr>,
        operation: impl Fn(f64, f64) -> f64,
    ) -> Option<Expr> {
        let b = b.unwrap_or(a);
        let is_stack = |expr: Expr| matches!(self.node(expr), Node::Stack(..));
        let shape = match (is_stack(a), is_stack(b)) {
            (true, _) => self.shape(a),
            (_, true) => self.shape(b),
            _ => return None,
        };
        let values: Option<Vec<f64>> = (0..shape.len())
            .map(|k| {
                let value = operation(self.number_at(a, k)?, self.number_at(b, k)?);
                value.is_finite().then_some(value)
            })
            .collect();
        let elements = values?
            .into_iter()
            .map(|value| self.constant(value))
            .collect();
        Some(self.stack(elements, shape))
    }

    /// The number in one place of a number or a stack of numbers.
    fn number_at(&self, expr: Expr, position: usize) -> Option<f64> {
        match self.node(expr) {
            Node::Constant(bits) => Some(f64::from_bits(*bits)),
            Node::Stack(elements, _) => self.as_constant(*elements.get(position)?),
            _ => None,
        }
    }
}

/// The place of an element counted column by column.
fn offset_of(row: usize, column: usize, rows: usize) -> u32 {
    u32::try_from(row + column * rows).unwrap_or(u32::MAX)
}
