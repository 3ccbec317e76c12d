//! Operators: which shapes and kinds they take, and which product is meant.

use super::elaborate::{Elaborator, Quantity, Scope};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::symbolic::{Binary, Expr, Shape, Unary};
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};

impl Elaborator<'_> {
    pub(super) fn unary(
        &mut self,
        scope: &Scope,
        operator: UnaryOperator,
        operand: &tree::Expr,
    ) -> Option<Quantity> {
        match operator {
            UnaryOperator::Negate => {
                let value = self.number(scope, operand)?;
                Some(Quantity::number(self.pool.unary(Unary::Negate, value)))
            }
            UnaryOperator::Not => {
                let value = self.condition(scope, operand)?;
                Some(Quantity::condition(self.pool.unary(Unary::Not, value)))
            }
        }
    }

    /// `a + b + c + ...` leans to the left: walk down that side without recursion, since a sum
    /// may have thousands of terms.
    pub(super) fn binary_chain(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Quantity> {
        let mut pending = Vec::new();
        let mut first = expr;
        while let ExprKind::Binary { left, .. } = &first.kind {
            pending.push(first);
            first = left;
        }
        let mut value = self.expression(scope, first);
        while let Some(outer) = pending.pop() {
            let ExprKind::Binary {
                operator,
                operator_span,
                left,
                right,
            } = &outer.kind
            else {
                break;
            };
            let right_value = self.expression(scope, right);
            value = match (value, right_value) {
                (Some(a), Some(b)) => {
                    let sides = [(a, left.span), (b, right.span)];
                    self.operation(scope, *operator, *operator_span, sides)
                }
                _ => None,
            };
        }
        value
    }

    fn operation(
        &mut self,
        scope: &Scope,
        operator: BinaryOperator,
        span: Span,
        [(left, left_span), (right, right_span)]: [(Quantity, Span); 2],
    ) -> Option<Quantity> {
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            for (side, side_span) in [(left, left_span), (right, right_span)] {
                if !side.is_condition {
                    return self.report(
                        Diagnostic::new(Code::NotBoolean, "`and` and `or` join conditions")
                            .at(side_span, "this is a number"),
                    );
                }
            }
            let operator = if operator == BinaryOperator::And {
                Binary::And
            } else {
                Binary::Or
            };
            return self
                .elementwise(
                    operator,
                    span,
                    (left.expr, left_span),
                    (right.expr, right_span),
                )
                .map(Quantity::condition);
        }
        let left = (self.need_number(left, left_span)?, left_span);
        let right = (self.need_number(right, right_span)?, right_span);
        let elementwise = match operator {
            BinaryOperator::Multiply if !self.is_mapped(scope, operator, left, right) => {
                return self.multiply(span, left, right);
            }
            BinaryOperator::Multiply => Binary::Multiply,
            BinaryOperator::Divide => {
                if !self.is_mapped(scope, operator, left, right) {
                    self.no_vector_divisor(left, right, span)?;
                }
                Binary::Divide
            }
            BinaryOperator::Power => {
                if !self.is_mapped(scope, operator, left, right) {
                    self.no_matrix_power(left, right, span)?;
                }
                Binary::Power
            }
            BinaryOperator::Add | BinaryOperator::Subtract => {
                let both = (
                    self.in_columns(left, right.0),
                    self.in_columns(right, left.0),
                );
                let operator = match operator {
                    BinaryOperator::Add => Binary::Add,
                    _ => Binary::Subtract,
                };
                return self
                    .elementwise(operator, span, both.0, both.1)
                    .map(Quantity::number);
            }
            BinaryOperator::ElementMultiply => Binary::Multiply,
            BinaryOperator::ElementDivide => Binary::Divide,
            BinaryOperator::ElementPower => Binary::Power,
            comparison => {
                let comparison = match comparison {
                    BinaryOperator::Equal => Binary::Equal,
                    BinaryOperator::NotEqual => Binary::NotEqual,
                    BinaryOperator::Less => Binary::Less,
                    BinaryOperator::LessEqual => Binary::LessEqual,
                    BinaryOperator::Greater => Binary::Greater,
                    _ => Binary::GreaterEqual,
                };
                return self
                    .elementwise(comparison, span, left, right)
                    .map(Quantity::condition);
            }
        };
        self.elementwise(elementwise, span, left, right)
            .map(Quantity::number)
    }

    fn elementwise(
        &mut self,
        operator: Binary,
        span: Span,
        (left, left_span): (Expr, Span),
        (right, right_span): (Expr, Span),
    ) -> Option<Expr> {
        match self.pool.binary(operator, left, right) {
            Ok(expr) => Some(expr),
            Err(shapes) => self.report(
                Diagnostic::new(Code::ShapeMismatch, "these shapes do not fit together")
                    .at(span, "")
                    .at(left_span, format!("this is {}", shapes.left))
                    .at(right_span, format!("this is {}", shapes.right))
                    .help("both sides need the same shape, or one of them a single number"),
            ),
        }
    }

    /// A vector beside a matrix with as many rows stands in each of its columns.
    fn in_columns(&mut self, (side, span): (Expr, Span), other: Expr) -> (Expr, Span) {
        match (self.pool.shape(side), self.pool.shape(other)) {
            (Shape::Vector(n), Shape::Matrix(rows, columns)) if n == rows => {
                let ones = self.pool.uniform(1.0, Shape::Vector(columns));
                (self.pool.outer(side, ones).unwrap_or(side), span)
            }
            _ => (side, span),
        }
    }

    /// Functions act element by element: inside a `fn`, `*` between two vectors, and `/` and `^`
    /// between any shapes do so too, and `hill(s, k, n)` means the same for a vector `s` as for a
    /// number.
    fn is_mapped(
        &self,
        scope: &Scope,
        operator: BinaryOperator,
        left: (Expr, Span),
        right: (Expr, Span),
    ) -> bool {
        let is_vector = |expr| matches!(self.pool.shape(expr), Shape::Vector(_));
        let is_product = operator == BinaryOperator::Multiply;
        scope.in_function && (!is_product || is_vector(left.0) && is_vector(right.0))
    }

    fn shape_text(&self, (expr, _): (Expr, Span)) -> String {
        format!("this is {}", self.pool.shape(expr))
    }

    fn multiply(
        &mut self,
        span: Span,
        left: (Expr, Span),
        right: (Expr, Span),
    ) -> Option<Quantity> {
        let (a, b) = (self.pool.shape(left.0), self.pool.shape(right.0));
        match (a, b) {
            (Shape::Scalar, _) | (_, Shape::Scalar) => self
                .elementwise(Binary::Multiply, span, left, right)
                .map(Quantity::number),
            (Shape::Vector(_), Shape::Vector(_)) => self.report(
                Diagnostic::new(Code::VectorProduct, "a vector times a vector has two readings")
                    .at(span, "which product is meant?")
                    .at(left.1, self.shape_text(left))
                    .at(right.1, self.shape_text(right))
                    .help("write `.*` for element by element, or `dot(a, b)` for the sum of products"),
            ),
            _ => match self.pool.product(left.0, right.0) {
                Ok(expr) => Some(Quantity::number(expr)),
                Err(_) => self.report(
                    Diagnostic::new(Code::ShapeMismatch, "this matrix product does not fit")
                        .at(span, "")
                        .at(left.1, self.shape_text(left))
                        .at(right.1, self.shape_text(right))
                        .help("the columns of the left side must match the rows of the right; `transpose(...)` turns a side over"),
                ),
            },
        }
    }

    fn no_vector_divisor(
        &mut self,
        left: (Expr, Span),
        right: (Expr, Span),
        span: Span,
    ) -> Option<()> {
        let (a, b) = (self.pool.shape(left.0), self.pool.shape(right.0));
        if a == Shape::Scalar || b == Shape::Scalar {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                Code::VectorProduct,
                "a vector cannot be divided by a vector",
            )
            .at(span, "")
            .at(left.1, self.shape_text(left))
            .at(right.1, self.shape_text(right))
            .help("write `./` to divide element by element"),
        )
    }

    fn no_matrix_power(
        &mut self,
        left: (Expr, Span),
        right: (Expr, Span),
        span: Span,
    ) -> Option<()> {
        let (a, b) = (self.pool.shape(left.0), self.pool.shape(right.0));
        if !matches!(a, Shape::Matrix(..)) && b == Shape::Scalar {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                Code::VectorProduct,
                "`^` takes a number or vector as its base and a number as its exponent",
            )
            .at(span, "")
            .at(left.1, self.shape_text(left))
            .at(right.1, self.shape_text(right))
            .help("write `.^` for powers element by element, `A*A` for the square of a matrix"),
        )
    }
}
