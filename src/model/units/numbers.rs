//! Numbers without units: expressions of literals alone.
//!
//! Enters: expressions. Leaves: their values, for those that name no quantity. They fit anywhere. Must
//! not know units.

use super::super::names::{Entity, Names};
use super::checker::{Local, Scope};
use crate::symbolic::{Builtin, Operation};
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};

/// The value of an expression that is made of numbers without units alone; NaN where it is not worked
/// out.
pub(super) fn plain(names: &Names, scope: &Scope, expr: &tree::Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number { value, unit: None } => Some(*value),
        ExprKind::Reference(reference) => {
            let name = reference.name.text.as_str();
            match (scope.get(name), names.get(name)) {
                (Some(Local::Number(value)), _) => Some(*value),
                (Some(Local::Argument(..)), _) => None,
                // The number or place of a member.
                (None, Some(Entity::IndexSet(_))) => Some(f64::NAN),
                (None, None) if name == "pi" => Some(std::f64::consts::PI),
                _ => None,
            }
        }
        ExprKind::Unary {
            operator: UnaryOperator::Negate,
            operand,
        } => plain(names, scope, operand).map(|value| -value),
        ExprKind::Binary {
            operator,
            left,
            right,
            ..
        } => {
            let left = plain(names, scope, left)?;
            let right = plain(names, scope, right)?;
            value_of(*operator, left, right)
        }
        ExprKind::Call {
            function,
            arguments,
        } if names.get(&function.name.text).is_none() => {
            let known = Builtin::find(&function.name.text)?;
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(plain(names, scope, &argument.value)?);
            }
            match (known.operation, values.as_slice()) {
                (_, []) => None,
                (Operation::Unary(unary), [value]) => Some(unary.apply(*value)),
                (Operation::Binary(of) | Operation::Repeated(of), [a, b]) => Some(of.apply(*a, *b)),
                (Operation::OfQuotient(of), [x, k, n]) => Some(of.apply(x / k, *n)),
                _ => Some(f64::NAN),
            }
        }
        ExprKind::Vector(items) => items
            .iter()
            .all(|item| plain(names, scope, item).is_some())
            .then_some(f64::NAN),
        ExprKind::Range { low, high } => [low, high]
            .into_iter()
            .flatten()
            .all(|end| plain(names, scope, end).is_some())
            .then_some(f64::NAN),
        _ => None,
    }
}

fn value_of(operator: BinaryOperator, left: f64, right: f64) -> Option<f64> {
    match operator {
        BinaryOperator::Add => Some(left + right),
        BinaryOperator::Subtract => Some(left - right),
        BinaryOperator::Multiply | BinaryOperator::ElementMultiply => Some(left * right),
        BinaryOperator::Divide | BinaryOperator::ElementDivide => Some(left / right),
        BinaryOperator::Power | BinaryOperator::ElementPower => Some(left.powf(right)),
        _ => None,
    }
}

/// A small whole number or its inverse, or one times pi: beside a parameter with a unit it counts
/// things, as in `2*k*L^2`, and has no unit of its own.
pub(super) fn is_simple(value: f64) -> bool {
    const LARGEST: f64 = 4.0;
    let size = value.abs();
    let candidates = [size, 1.0 / size, size / std::f64::consts::PI];
    let is_ratio = |size: f64| {
        [1.0, 2.0, 3.0].into_iter().any(|below| {
            let above: f64 = size * below;
            (above - above.round()).abs() < 1e-9 && (1.0..=LARGEST).contains(&above.round())
        })
    };
    candidates.into_iter().any(is_ratio)
}
