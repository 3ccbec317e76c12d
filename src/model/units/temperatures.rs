//! Sums of temperatures that are counted from a zero of their own: degrees Celsius and Fahrenheit.
//!
//! The difference of two such temperatures is in kelvin (a degree), and may be added to one; two of them
//! do not add up. A temperature in degrees Celsius plus 273.15 is one in kelvin.

use super::checker::{Checker, Needed, Scope};
use super::measure::TemperatureScale;
use super::messages::{self, Join};
use super::numbers;
use super::solve::Role;
use super::table::{CELSIUS_ZERO, FAHRENHEIT_ZERO};
use super::term::Term;
use crate::syntax::tree::{self, ExprKind};

/// What a part of such a sum is.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Counted from a zero of its own.
    Temperature(TemperatureScale),
    /// A number without unit.
    Number(f64),
    /// A name whose unit is not known.
    Open,
    /// Anything else: a difference, or a fault.
    Other,
}

impl Checker<'_> {
    /// The unit of a sum in which such a temperature stands.
    pub(super) fn sum_of_temperatures(
        &mut self,
        scope: &Scope,
        parts: &[(&tree::Expr, bool)],
        terms: &[Term],
    ) -> Term {
        let mut all = parts.iter().zip(terms);
        let Some(((first, _), term)) = all.next() else {
            return self.fresh(Role::Fault);
        };
        let mut sum = (term.clone(), self.part(scope, first, term));
        for ((written, negative), term) in all {
            let part = self.part(scope, written, term);
            let next = self.next_sum(first, sum, (written, *negative), (term, part));
            let kind = match self.zero(&next) {
                Some(scale) => Part::Temperature(scale),
                None => Part::Other,
            };
            sum = (next, kind);
        }
        sum.0
    }

    fn part(&self, scope: &Scope, written: &tree::Expr, term: &Term) -> Part {
        if let Some(scale) = self.zero(term) {
            return Part::Temperature(scale);
        }
        match numbers::plain(self.names, scope, written) {
            Some(value) => Part::Number(value),
            None if matches!(written.kind, ExprKind::Reference(_))
                && !self.resolve(term).is_known() =>
            {
                Part::Open
            }
            None => Part::Other,
        }
    }

    fn next_sum(
        &mut self,
        first: &tree::Expr,
        (sum, kind): (Term, Part),
        (written, negative): (&tree::Expr, bool),
        (term, part): (&Term, Part),
    ) -> Term {
        match (kind, part) {
            (Part::Temperature(scale), Part::Number(value))
                if !negative && is_zero(scale, value) =>
            {
                self.kelvin(scale)
            }
            (Part::Number(value), Part::Temperature(scale))
                if !negative && is_zero(scale, value) =>
            {
                self.kelvin(scale)
            }
            (Part::Other, Part::Number(value))
                if negative && is_zero(TemperatureScale::Celsius, value) =>
            {
                // What was in kelvin is in degrees Celsius now, if that is what is needed.
                let kelvin = self.kelvin(TemperatureScale::Celsius);
                if self.equate(&sum, &kelvin, written.span).is_ok() {
                    return self.written_unit("degC");
                }
                sum
            }
            (Part::Temperature(_), Part::Temperature(_) | Part::Open) if negative => {
                let needed = needed(&sum, first);
                self.agree(&needed, term, written, Join::Added);
                self.difference_of(&sum)
            }
            (Part::Temperature(_), Part::Temperature(_)) => {
                let text = self.text(&sum);
                self.report(messages::added_temperatures(first, written, &text));
                self.fresh(Role::Fault)
            }
            (Part::Temperature(_), Part::Number(_)) => sum,
            (Part::Temperature(_), Part::Open | Part::Other) => {
                let needed = Needed {
                    term: self.difference_of(&sum),
                    span: first.span,
                    what: "a difference from this is in".to_owned(),
                };
                self.agree(&needed, term, written, Join::Needed);
                sum
            }
            (Part::Number(_) | Part::Open, Part::Temperature(_)) => {
                let alike = if negative {
                    term.clone()
                } else {
                    self.difference_of(term)
                };
                if kind == Part::Open {
                    let _ = self.equate(&sum, &alike, first.span);
                }
                if negative {
                    self.difference_of(term)
                } else {
                    term.clone()
                }
            }
            (Part::Other, Part::Temperature(_)) if !negative => {
                let needed = Needed {
                    term: self.difference_of(term),
                    span: written.span,
                    what: "a difference from this is in".to_owned(),
                };
                self.agree(&needed, &sum, first, Join::Needed);
                term.clone()
            }
            _ => {
                let needed = needed(&sum, first);
                if self.agree(&needed, term, written, Join::Added) {
                    sum
                } else {
                    self.fresh(Role::Fault)
                }
            }
        }
    }

    fn kelvin(&mut self, scale: TemperatureScale) -> Term {
        match scale {
            TemperatureScale::Celsius => self.written_unit("K"),
            // Degrees Fahrenheit from absolute zero, the Rankine scale: still its own degrees.
            TemperatureScale::Fahrenheit => {
                let degree = self.written_unit("degF");
                self.difference_of(&degree)
            }
        }
    }

    fn written_unit(&mut self, name: &str) -> Term {
        match self.units.registry.unit(name) {
            Some(id) => Term::unit(id),
            None => self.fresh(Role::Fault),
        }
    }
}

fn needed(term: &Term, written: &tree::Expr) -> Needed {
    Needed {
        term: term.clone(),
        span: written.span,
        what: "and this in".to_owned(),
    }
}

/// The distance of the zeros, as precisely as people write it: 273 or 273.15.
fn is_zero(scale: TemperatureScale, value: f64) -> bool {
    let zero = match scale {
        TemperatureScale::Celsius => CELSIUS_ZERO,
        TemperatureScale::Fahrenheit => FAHRENHEIT_ZERO,
    };
    (value - zero).abs() <= 1.0
}
