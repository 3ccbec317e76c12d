//! Numbers, units and texts.
//!
//! Enters: pest's pairs. Leaves: values, [`Unit`], [`Text`]. Must not know what units mean.

use super::{Reader, Rule};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::tree::{Expr, ExprKind, Text, Unit, UnitFactor};
use pest::iterators::Pair;

impl Reader<'_> {
    /// A quoted text without its quotes.
    pub(super) fn text_of(&self, pair: &Pair<'_, Rule>) -> Text {
        Text {
            text: pair.as_str().trim_matches('"').to_owned(),
            span: self.span_of(pair),
        }
    }

    /// `Rule::number`: a literal, perhaps with a unit.
    pub(super) fn number(&self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span_of(&pair);
        let mut value = 0.0;
        let mut unit = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::literal => value = self.value(&part),
                Rule::unit => unit = Some(self.unit(part)),
                _ => {}
            }
        }
        Expr {
            span,
            kind: ExprKind::Number { value, unit },
        }
    }

    /// The value of a literal; one that no `f64` can hold is a fault.
    pub(super) fn value(&self, pair: &Pair<'_, Rule>) -> f64 {
        let written = pair.as_str().replace('_', "");
        let value = written.parse::<f64>().unwrap_or(f64::NAN);
        let mantissa = written.split(['e', 'E']).next().unwrap_or("");
        let tiny = value == 0.0 && mantissa.contains(|c: char| ('1'..='9').contains(&c));
        if !value.is_finite() || tiny {
            let (what, limit) = if tiny {
                ("too close to zero", "the smallest is about 4.9e-324")
            } else {
                ("too large to be a number", "the largest is about 1.8e308")
            };
            let problem = Diagnostic::new(Code::BadNumber, format!("`{written}` is {what}"))
                .at(self.span_of(pair), limit)
                .help("choose another unit, or work with the logarithm");
            self.problem(problem);
            return 0.0;
        }
        value
    }

    /// `Rule::unit`
    pub(super) fn unit(&self, pair: Pair<'_, Rule>) -> Unit {
        let span = self.span_of(&pair);
        let mut factors = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() == Rule::unit_product {
                self.unit_product(part, 1.0, &mut factors);
            }
        }
        Unit { span, factors }
    }

    /// Adds the factors of a product, each to the power `outer`.
    fn unit_product(&self, pair: Pair<'_, Rule>, outer: f64, factors: &mut Vec<UnitFactor>) {
        let mut sign = 1.0;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::unit_over => sign = -1.0,
                Rule::unit_factor => {
                    self.unit_factor(part, outer * sign, factors);
                    sign = 1.0;
                }
                _ => {}
            }
        }
    }

    fn unit_factor(&self, pair: Pair<'_, Rule>, outer: f64, factors: &mut Vec<UnitFactor>) {
        let mut parts = pair.into_inner();
        let Some(base) = parts.next() else { return };
        let exponent = outer * parts.next().map_or(1.0, |power| exponent(&power));
        match base.as_rule() {
            Rule::unit_name => factors.push(UnitFactor {
                name: self.any_name(&base),
                exponent,
            }),
            Rule::unit_group => {
                for part in base.into_inner() {
                    if part.as_rule() == Rule::unit_product {
                        self.unit_product(part, exponent, factors);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The exponent in `^-1`, `^(2)` or `²`.
fn exponent(pair: &Pair<'_, Rule>) -> f64 {
    let digit = |c: char| match c {
        '⁰' => Some('0'),
        '¹' => Some('1'),
        '²' => Some('2'),
        '³' => Some('3'),
        '⁴'..='⁹' => char::from_u32(u32::from(c) - u32::from('⁴') + u32::from('4')),
        '⁻' => Some('-'),
        '0'..='9' | '.' | '-' => Some(c),
        _ => None,
    };
    let digits: String = pair.as_str().chars().filter_map(digit).collect();
    digits.parse().unwrap_or(1.0)
}
