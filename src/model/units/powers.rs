//! Powers: what a base to an exponent is in, with exponents that have names.
//!
//! Enters: a base, an exponent. Leaves: a [`Term`]. An exponent is a number without unit; where it is
//! made of names, as the Hill coefficient of `x^n`, it stays in the unit.

use super::checker::{Checker, Local, Scope};
use super::expressions::parts_of_sum;
use super::messages;
use super::numbers;
use super::solve::Role;
use super::term::{Exponent, MOST_PARTS, Term};
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};

impl Checker<'_> {
    pub(super) fn power(
        &mut self,
        scope: &Scope,
        base: &tree::Expr,
        exponent: &tree::Expr,
    ) -> Term {
        let base_is_number = numbers::plain(self.names, scope, base).is_some();
        let below = self.term(scope, base);
        let power = self.exponent(scope, exponent);
        let number = power.as_ref().and_then(Exponent::as_number);
        if number.is_none() {
            // `1.07^(T - 20)`, the field's way with temperatures: the logarithm of a bare base fits
            // any unit, and degrees mark that it is meant.
            // Names alone are looked at: to walk a tower of powers twice at each step has no end.
            let of_degrees = base_is_number
                && parts_of_sum(exponent).into_iter().any(|(part, _)| {
                    matches!(part.kind, ExprKind::Reference(_)) && {
                        let term = self.term(scope, part);
                        self.zero(&term).is_some()
                    }
                });
            if !of_degrees {
                let above = self.term(scope, exponent);
                self.need_number(
                    &above,
                    exponent,
                    ("an exponent is a number without unit", "^"),
                );
            }
        }
        if base_is_number {
            // `10^lk`, as `exp(lk)`.
            return match self.carries_units(scope, exponent) {
                true => Term::one(),
                false => self.fresh(Role::Number),
            };
        }
        if self.zero(&below).is_some() && number != Some(1.0) {
            let text = self.text(&below);
            self.report(messages::multiplied_temperature(base, &text));
            return self.fresh(Role::Fault);
        }
        match power {
            Some(power) if below.size() * power.size() <= MOST_PARTS => below.raised(&power),
            Some(_) => self.fresh(Role::Fault),
            None => {
                self.need_number(
                    &below,
                    base,
                    (
                        "what has an exponent that changes is a number without unit",
                        "^",
                    ),
                );
                Term::one()
            }
        }
    }

    /// An exponent as a polynomial in names; `None` when it is none.
    pub(super) fn exponent(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Exponent> {
        if let Some(value) = numbers::plain(self.names, scope, expr) {
            return value.is_finite().then(|| Exponent::number(value));
        }
        match &expr.kind {
            ExprKind::Reference(reference) => {
                let name = &reference.name.text;
                match scope.get(name) {
                    Some(Local::Argument(_, exponent)) => exponent.clone(),
                    Some(Local::Number(_)) => Some(Exponent::name(name)),
                    None => Some(match self.names.number(name) {
                        Some(number) => Exponent::number(number),
                        None => Exponent::name(&crate::syntax::show_expression(expr)),
                    }),
                }
            }
            ExprKind::Unary {
                operator: UnaryOperator::Negate,
                operand,
            } => {
                let operand = self.exponent(scope, operand)?;
                Some(Exponent::default().plus(&operand, -1.0))
            }
            ExprKind::Binary {
                operator,
                left,
                right,
                ..
            } => {
                let (left, right) = (self.exponent(scope, left)?, self.exponent(scope, right)?);
                match operator {
                    BinaryOperator::Add => Some(left.plus(&right, 1.0)),
                    BinaryOperator::Subtract => Some(left.plus(&right, -1.0)),
                    BinaryOperator::Multiply => left.times_within(&right),
                    BinaryOperator::Divide => left.times_within(&right.inverse()?),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
