//! The constructors of operations element by element, with the rules that simplify them.
//!
//! Enters: operands. Leaves: the simplest expression of the same value. Every rule keeps the bits
//! of the value wherever the operands are finite, with one exception: a zero may change its sign.
//! Where an operand is infinite or NaN a rule may give a finite value (`x*0` is 0). No rule
//! changes the order in which numbers are rounded: that would make the printed model and the
//! computed one differ. Must not know derivatives.
//!
//! | rule | why it is exact |
//! | --- | --- |
//! | numbers are folded by the table of built-ins | it is the evaluation itself; values that are not finite are left standing |
//! | `f(fill(s))`, `fill(s) + fill(r)`, `v + fill(s)` | the scalar takes part in place of its copies |
//! | `x + 0`, `x - 0`, `x*1`, `x/1`, `x^1` are `x`; `x^0`, `1^x` are 1 | no rounding |
//! | `x*0`, `0/x`, `x - x` are 0, `x/x` is 1 | for finite `x` (and `x != 0` in quotients) |
//! | `x + x` is `2*x`; `2*x + x` is `3*x` | doubling is exact, so both round 3x once |
//! | `--x` is `x`; `x + (-y)` is `x - y`; `x - (-y)` is `x + y`; `(-x) + y` is `y - x`; `0 - x` is `-x` | signs do not round |
//! | `(-x)*y`, `x*(-y)`, `(-x)/y`, `x/(-y)` are `-(x*y)`, `-(x/y)`; `-1*x` is `-x`; `-(c*x)` is `(-c)*x` | signs do not round |
//! | `(if c then a else 0)*y` is `if c then a*y else 0`, and so for `/y` | `0*y` is 0; keeps a branch not taken from making NaN |
//! | the same for products of matrices, sums, dot and outer products, when `c` is a scalar | sums of zeros are 0 |
//! | sums of choices with one condition and zeros are one choice | `x + 0` |
//! | `if` with a known condition, equal branches, or the same `if` inside | only the branch taken counts |
//! | `x^0.5` is `sqrt(x)` | the table defines it so |
//! | `abs(-x)`, `abs(abs(x))`, `abs(x^2)`, `abs(sqrt(x))`; rounding of whole numbers | no rounding |
//! | `not (a == b)` is `a != b`; `not not x`, `x and 1`, `x or 0` are `x` for logical `x` | 0 and 1 only |
//! | `min(x, x)`, `max(x, x)` are `x` | |
//! | `a*b` is the existing `b*a`, and so for every commutative operation | IEEE operations commute |
//!
//! Not rules, since they would round differently or have another domain: `a*x + b*x`,
//! `c*(d*x)`, `x/c`, `sqrt(x)^2`, `(x^2)^(1/2)`, `log(exp(x))`, `exp(log(x))`.

use super::{Binary, Expr, Node, Pool, PowerForm, Shape, ShapeError, Unary};

impl Pool {
    /// A function of one argument, element by element.
    pub fn unary(&mut self, operator: Unary, operand: Expr) -> Expr {
        if self.simplifies
            && let Some(simple) = self.simplify_unary(operator, operand)
        {
            return simple;
        }
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
        if self.simplifies {
            if let Some(simple) = self.lower_fills(operator, left, right, shape) {
                return Ok(simple);
            }
            if let Some(simple) = self.simplify_binary(operator, left, right, shape) {
                return Ok(simple);
            }
        }
        Ok(self.intern_binary(operator, left, right, shape))
    }

    /// `if condition then a else b`, element by element; a scalar goes with any shape.
    ///
    /// # Errors
    /// When two operands are not scalars and their shapes differ.
    pub fn conditional(&mut self, condition: Expr, a: Expr, b: Expr) -> Result<Expr, ShapeError> {
        let branches = self.common_shape(a, b)?;
        let shape = match (self.shape(condition), branches) {
            (Shape::Scalar, shape) | (shape, Shape::Scalar) => shape,
            (left, right) if left == right => left,
            (left, right) => return Err(ShapeError { left, right }),
        };
        if !self.simplifies {
            return Ok(self.intern(Node::If(condition, a, b), shape));
        }
        let condition = self.scalar_of_fill(condition);
        if let Some(value) = self.as_constant(condition) {
            let taken = if value == 0.0 { b } else { a };
            return Ok(self.broadcast(taken, shape));
        }
        let a = self.branch_under(condition, a, true);
        let b = self.branch_under(condition, b, false);
        if a == b {
            return Ok(self.broadcast(a, shape));
        }
        // Scalars take part in place of their copies.
        let (first, second) = (self.scalar_of_fill(a), self.scalar_of_fill(b));
        let scalar = [condition, first, second]
            .iter()
            .all(|&e| self.shape(e) == Shape::Scalar);
        let inner = if scalar { Shape::Scalar } else { shape };
        let choice = self.intern(Node::If(condition, first, second), inner);
        Ok(self.broadcast(choice, shape))
    }

    /// What is left of a branch when the condition is known to hold, or not to.
    fn branch_under(&mut self, condition: Expr, branch: Expr, holds: bool) -> Expr {
        match *self.node(branch) {
            Node::If(same, a, b) if same == condition => {
                let shape = self.shape(branch);
                self.broadcast(if holds { a } else { b }, shape)
            }
            _ => branch,
        }
    }

    /// The operation on operands whose shapes are known to fit. A misfit, an error of the caller,
    /// gives NaN of the left shape.
    fn fitting(&mut self, operator: Binary, left: Expr, right: Expr) -> Expr {
        match self.binary(operator, left, right) {
            Ok(value) => value,
            Err(error) => {
                debug_assert!(false, "{operator:?} of {error:?}");
                let nan = self.constant(f64::NAN);
                self.fill(nan, error.left)
            }
        }
    }

    /// `a + b` of fitting shapes.
    pub fn add(&mut self, a: Expr, b: Expr) -> Expr {
        self.fitting(Binary::Add, a, b)
    }

    /// `a - b` of fitting shapes.
    pub fn sub(&mut self, a: Expr, b: Expr) -> Expr {
        self.fitting(Binary::Subtract, a, b)
    }

    /// `a*b` element by element, of fitting shapes.
    pub fn mul(&mut self, a: Expr, b: Expr) -> Expr {
        self.fitting(Binary::Multiply, a, b)
    }

    /// `a/b` element by element, of fitting shapes.
    pub fn div(&mut self, a: Expr, b: Expr) -> Expr {
        self.fitting(Binary::Divide, a, b)
    }

    /// `a^b` element by element, of fitting shapes.
    pub fn pow(&mut self, a: Expr, b: Expr) -> Expr {
        self.fitting(Binary::Power, a, b)
    }

    /// `-a`.
    pub fn neg(&mut self, a: Expr) -> Expr {
        self.unary(Unary::Negate, a)
    }

    /// `a^exponent` for a known exponent.
    pub fn power(&mut self, a: Expr, exponent: f64) -> Expr {
        let exponent = self.constant(exponent);
        self.pow(a, exponent)
    }

    /// `number + a`.
    pub fn add_number(&mut self, number: f64, a: Expr) -> Expr {
        let number = self.constant(number);
        self.add(number, a)
    }

    /// `number - a`.
    pub fn subtract_from_number(&mut self, number: f64, a: Expr) -> Expr {
        let number = self.constant(number);
        self.sub(number, a)
    }

    /// `number*a`.
    pub fn scale(&mut self, number: f64, a: Expr) -> Expr {
        let number = self.constant(number);
        self.mul(number, a)
    }

    /// `number/a`.
    pub fn divide_number(&mut self, number: f64, a: Expr) -> Expr {
        let number = self.constant(number);
        self.div(number, a)
    }

    /// The number that the expression has in all places, when that is known.
    #[must_use]
    pub fn uniform_constant(&self, expr: Expr) -> Option<f64> {
        self.as_constant(self.scalar_of_fill(expr))
    }

    /// True when the expression is known to be 0 in all places.
    #[must_use]
    pub fn is_zero(&self, expr: Expr) -> bool {
        self.uniform_constant(expr) == Some(0.0)
    }

    /// True when the expression is known to be 1 in all places.
    #[must_use]
    pub fn is_one(&self, expr: Expr) -> bool {
        self.uniform_constant(expr) == Some(1.0)
    }

    /// 0 of this shape.
    pub fn zero(&mut self, shape: Shape) -> Expr {
        self.uniform(0.0, shape)
    }

    /// One number in all places of this shape.
    pub fn uniform(&mut self, value: f64, shape: Shape) -> Expr {
        let value = self.constant(value);
        self.fill(value, shape)
    }

    /// The scalar that fills the expression, or else the expression.
    fn scalar_of_fill(&self, expr: Expr) -> Expr {
        match *self.node(expr) {
            Node::Fill(value, _) => value,
            _ => expr,
        }
    }

    /// The expression in this shape: a scalar is repeated.
    pub(super) fn broadcast(&mut self, expr: Expr, shape: Shape) -> Expr {
        if self.shape(expr) == Shape::Scalar {
            self.fill(expr, shape)
        } else {
            expr
        }
    }

    /// The operand, when the expression is a negation.
    pub(super) fn negated(&self, expr: Expr) -> Option<Expr> {
        match *self.node(expr) {
            Node::Unary(Unary::Negate, inner) => Some(inner),
            _ => None,
        }
    }

    fn is_logical(&self, expr: Expr) -> bool {
        match self.node(expr) {
            Node::Unary(operator, _) => operator.is_logical(),
            Node::Binary(operator, ..) => operator.is_logical(),
            _ => false,
        }
    }

    fn fold(&mut self, value: f64) -> Option<Expr> {
        value.is_finite().then(|| self.constant(value))
    }

    fn simplify_unary(&mut self, operator: Unary, x: Expr) -> Option<Expr> {
        if let Some(value) = self.as_constant(x) {
            return self.fold(operator.apply(value));
        }
        if let Node::Fill(value, shape) = *self.node(x) {
            let value = self.unary(operator, value);
            return Some(self.fill(value, shape));
        }
        if let Some(folded) = self.fold_stack(x, None, |value, _| operator.apply(value)) {
            return Some(folded);
        }
        match operator {
            Unary::Negate => self.simplify_negate(x),
            Unary::Not => self.simplify_not(x),
            Unary::Abs => match *self.node(x) {
                Node::Unary(Unary::Negate, inner) => Some(self.unary(Unary::Abs, inner)),
                Node::Unary(Unary::Abs | Unary::Sqrt | Unary::Exp | Unary::Cosh, _) => Some(x),
                Node::Binary(Binary::Power, _, exponent)
                    if self.as_constant(exponent).map(PowerForm::of) == Some(PowerForm::Square) =>
                {
                    Some(x)
                }
                _ => None,
            },
            Unary::Floor | Unary::Ceil | Unary::Round => match self.node(x) {
                Node::Unary(Unary::Floor | Unary::Ceil | Unary::Round | Unary::Sign, _) => Some(x),
                _ => None,
            },
            _ => None,
        }
    }

    fn simplify_negate(&mut self, x: Expr) -> Option<Expr> {
        match *self.node(x) {
            Node::Unary(Unary::Negate, inner) => Some(inner),
            Node::Binary(operator @ (Binary::Multiply | Binary::Divide), factor, rest) => {
                let value = self.as_constant(factor)?;
                let factor = self.constant(-value);
                Some(self.fitting(operator, factor, rest))
            }
            _ => None,
        }
    }

    fn simplify_not(&mut self, x: Expr) -> Option<Expr> {
        match *self.node(x) {
            Node::Unary(Unary::Not, inner) if self.is_logical(inner) => Some(inner),
            Node::Binary(Binary::Equal, a, b) => Some(self.fitting(Binary::NotEqual, a, b)),
            Node::Binary(Binary::NotEqual, a, b) => Some(self.fitting(Binary::Equal, a, b)),
            _ => None,
        }
    }

    /// Lets scalars take part in place of their copies.
    fn lower_fills(
        &mut self,
        operator: Binary,
        left: Expr,
        right: Expr,
        shape: Shape,
    ) -> Option<Expr> {
        if shape == Shape::Scalar {
            return None;
        }
        let (a, b) = (self.scalar_of_fill(left), self.scalar_of_fill(right));
        if a == left && b == right {
            return None;
        }
        let value = self.fitting(operator, a, b);
        Some(self.broadcast(value, shape))
    }

    fn simplify_binary(
        &mut self,
        operator: Binary,
        left: Expr,
        right: Expr,
        shape: Shape,
    ) -> Option<Expr> {
        let (a, b) = (self.as_constant(left), self.as_constant(right));
        if let (Some(a), Some(b)) = (a, b) {
            return self.fold(operator.apply(a, b));
        }
        if shape != Shape::Scalar
            && let Some(folded) = self.fold_stack(left, Some(right), |a, b| operator.apply(a, b))
        {
            return Some(folded);
        }
        match operator {
            Binary::Add => self.simplify_add(left, right, a, b),
            Binary::Subtract => self.simplify_subtract(left, right, a, b, shape),
            Binary::Multiply => self.simplify_multiply(left, right, a, b, shape),
            Binary::Divide => self.simplify_divide(left, right, a, b, shape),
            Binary::Power => self.simplify_power(left, right, a, b, shape),
            Binary::Minimum | Binary::Maximum if left == right => Some(left),
            Binary::And | Binary::Or => self.simplify_logical(operator, left, right, a, b, shape),
            _ => None,
        }
    }

    fn simplify_add(
        &mut self,
        left: Expr,
        right: Expr,
        a: Option<f64>,
        b: Option<f64>,
    ) -> Option<Expr> {
        if a == Some(0.0) {
            return Some(right);
        }
        if b == Some(0.0) {
            return Some(left);
        }
        if left == right {
            return Some(self.scale(2.0, left));
        }
        if self.is_double_of(left, right) {
            return Some(self.scale(3.0, right));
        }
        if self.is_double_of(right, left) {
            return Some(self.scale(3.0, left));
        }
        if let Some(inner) = self.negated(right) {
            return Some(self.sub(left, inner));
        }
        if let Some(inner) = self.negated(left) {
            return Some(self.sub(right, inner));
        }
        self.join_choices(Binary::Add, left, right)
    }

    /// True when `double` is `2*x`.
    fn is_double_of(&self, double: Expr, x: Expr) -> bool {
        match *self.node(double) {
            Node::Binary(Binary::Multiply, two, inner) => {
                inner == x && self.as_constant(two) == Some(2.0)
            }
            _ => false,
        }
    }

    /// The sum or difference of two choices with one condition, when no branch has to be rounded.
    fn join_choices(&mut self, operator: Binary, left: Expr, right: Expr) -> Option<Expr> {
        let Node::If(condition, a, b) = *self.node(left) else {
            return None;
        };
        let Node::If(same, c, d) = *self.node(right) else {
            return None;
        };
        let trivial = |x: Expr, y: Expr| self.is_zero(x) || self.is_zero(y);
        if condition != same || !trivial(a, c) || !trivial(b, d) {
            return None;
        }
        let first = self.binary(operator, a, c).ok()?;
        let second = self.binary(operator, b, d).ok()?;
        self.conditional(condition, first, second).ok()
    }

    fn simplify_subtract(
        &mut self,
        left: Expr,
        right: Expr,
        a: Option<f64>,
        b: Option<f64>,
        shape: Shape,
    ) -> Option<Expr> {
        if b == Some(0.0) {
            return Some(left);
        }
        if left == right {
            return Some(self.zero(shape));
        }
        if a == Some(0.0) {
            return Some(self.neg(right));
        }
        if let Some(inner) = self.negated(right) {
            return Some(self.add(left, inner));
        }
        self.join_choices(Binary::Subtract, left, right)
    }

    fn simplify_multiply(
        &mut self,
        left: Expr,
        right: Expr,
        a: Option<f64>,
        b: Option<f64>,
        shape: Shape,
    ) -> Option<Expr> {
        for (number, other) in [(a, right), (b, left)] {
            match number {
                Some(0.0) => return Some(self.zero(shape)),
                Some(1.0) => return Some(other),
                Some(-1.0) => return Some(self.neg(other)),
                Some(value) => {
                    // c*(-x) is (-c)*x.
                    if let Some(inner) = self.negated(other) {
                        return Some(self.scale(-value, inner));
                    }
                }
                None => {}
            }
        }
        if let Some(inner) = self.negated(left) {
            let product = self.mul(inner, right);
            return Some(self.neg(product));
        }
        if let Some(inner) = self.negated(right) {
            let product = self.mul(left, inner);
            return Some(self.neg(product));
        }
        let value = self
            .inside_choice(left, |pool, a| pool.mul(a, right))
            .or_else(|| self.inside_choice(right, |pool, b| pool.mul(left, b)))?;
        Some(self.broadcast(value, shape))
    }

    /// Applies an operation that keeps 0 to the other branch of a choice between it and 0,
    /// through all such choices that stand inside each other.
    fn inside_choice(
        &mut self,
        choice: Expr,
        operation: impl FnOnce(&mut Pool, Expr) -> Expr,
    ) -> Option<Expr> {
        let mut layers = Vec::new();
        let mut core = choice;
        while let Node::If(condition, a, b) = *self.node(core) {
            if self.is_zero(b) {
                layers.push((condition, true));
                core = a;
            } else if self.is_zero(a) {
                layers.push((condition, false));
                core = b;
            } else {
                break;
            }
        }
        if layers.is_empty() {
            return None;
        }
        let mut value = operation(self, core);
        let zero = self.constant(0.0);
        for (condition, first) in layers.into_iter().rev() {
            let (a, b) = if first { (value, zero) } else { (zero, value) };
            value = self.conditional(condition, a, b).ok()?;
        }
        Some(value)
    }

    /// The same for an operation on whole arrays that gives 0 for 0, such as a sum: the conditions
    /// must be scalars.
    pub(super) fn inside_scalar_choice(
        &mut self,
        choice: Expr,
        operation: impl FnOnce(&mut Pool, Expr) -> Expr,
    ) -> Option<Expr> {
        let shape = self.shape(choice);
        let mut layer = choice;
        while let Node::If(condition, a, b) = *self.node(layer) {
            if self.shape(condition) != Shape::Scalar {
                return None;
            }
            if self.is_zero(b) {
                layer = a;
            } else if self.is_zero(a) {
                layer = b;
            } else {
                break;
            }
        }
        self.inside_choice(choice, |pool, core| {
            let core = pool.broadcast(core, shape);
            operation(pool, core)
        })
    }

    fn simplify_divide(
        &mut self,
        left: Expr,
        right: Expr,
        a: Option<f64>,
        b: Option<f64>,
        shape: Shape,
    ) -> Option<Expr> {
        if a == Some(0.0) {
            return Some(self.zero(shape));
        }
        match b {
            Some(1.0) => return Some(left),
            Some(-1.0) => return Some(self.neg(left)),
            _ => {}
        }
        if left == right {
            return Some(self.uniform(1.0, shape));
        }
        if let Some(inner) = self.negated(left) {
            let quotient = self.div(inner, right);
            return Some(self.neg(quotient));
        }
        if let Some(inner) = self.negated(right) {
            let quotient = self.div(left, inner);
            return Some(self.neg(quotient));
        }
        let value = self.inside_choice(left, |pool, a| pool.div(a, right))?;
        Some(self.broadcast(value, shape))
    }

    fn simplify_power(
        &mut self,
        left: Expr,
        right: Expr,
        a: Option<f64>,
        b: Option<f64>,
        shape: Shape,
    ) -> Option<Expr> {
        if a == Some(1.0) {
            return Some(self.uniform(1.0, shape));
        }
        match b.map(PowerForm::of)? {
            PowerForm::One => Some(self.uniform(1.0, shape)),
            PowerForm::Base => Some(left),
            PowerForm::SquareRoot => Some(self.unary(Unary::Sqrt, left)),
            PowerForm::Square => {
                let inner = self.negated(left)?;
                Some(self.pow(inner, right))
            }
            _ => None,
        }
    }

    fn simplify_logical(
        &mut self,
        operator: Binary,
        left: Expr,
        right: Expr,
        a: Option<f64>,
        b: Option<f64>,
        shape: Shape,
    ) -> Option<Expr> {
        for (number, other) in [(a, right), (b, left)] {
            let Some(value) = number else { continue };
            // `x and 0` is 0, `x or 1` is 1; the other number leaves the truth of x.
            let decided = (operator == Binary::Or) == (value != 0.0);
            if decided {
                return Some(self.uniform(if value == 0.0 { 0.0 } else { 1.0 }, shape));
            }
            if self.is_logical(other) {
                return Some(self.broadcast(other, shape));
            }
        }
        (left == right && self.is_logical(left)).then_some(left)
    }
}
