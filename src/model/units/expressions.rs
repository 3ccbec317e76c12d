//! The units of expressions.
//!
//! Enters: expressions of the text. Leaves: their terms, and a diagnostic for each two parts that do not
//! agree. What is at fault has an unknown unit from there on, so that each fault is told once. Must
//! not know statements.

use super::super::names::Entity;
use super::checker::{Checker, Coefficient, Local, Needed, Scope};
use super::messages::{self, Join};
use super::numbers::{self, is_simple};
use super::solve::Role;
use super::term::{Exponent, Term};
use crate::source::Span;
use crate::symbolic::{Builtin, UnitRule};
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};

/// What lies deeper, through the bodies of functions, is left unchecked: more would need more stack than
/// a thread has.
const MOST_DEPTH: usize = 200;

impl Checker<'_> {
    /// The unit of an expression.
    pub fn term(&mut self, scope: &Scope, expr: &tree::Expr) -> Term {
        if self.depth > MOST_DEPTH {
            return self.fresh(Role::Fault);
        }
        self.depth += 1;
        let term = self.term_within(scope, expr);
        self.depth -= 1;
        term
    }

    fn term_within(&mut self, scope: &Scope, expr: &tree::Expr) -> Term {
        if numbers::plain(self.names, scope, expr).is_some() {
            return self.fresh(Role::Number);
        }
        match &expr.kind {
            ExprKind::Number {
                unit: Some(unit), ..
            } => self.written(unit),
            ExprKind::Reference(reference) => self.named(scope, &reference.name.text),
            ExprKind::Prime { target, order } => self.primed(&target.name.text, *order),
            ExprKind::Next(target) => self.quantity(&target.name.text),
            ExprKind::Call {
                function,
                arguments,
            } => self.call(scope, &function.name.text, arguments, expr.span),
            ExprKind::Vector(items) => {
                let items: Vec<&tree::Expr> = items.iter().collect();
                self.together(scope, &items, "and this in")
            }
            ExprKind::Unary { operator, operand } => {
                let operand = self.term(scope, operand);
                match operator {
                    UnaryOperator::Negate => operand,
                    UnaryOperator::Not => Term::one(),
                }
            }
            ExprKind::Binary { operator, .. } => self.binary(scope, expr, *operator),
            ExprKind::If {
                condition,
                then,
                otherwise,
            } => {
                self.term(scope, condition);
                self.together(scope, &[then, otherwise], "and the other way in")
            }
            ExprKind::Range { low, high } => {
                let ends: Vec<&tree::Expr> = [low, high]
                    .into_iter()
                    .flatten()
                    .map(AsRef::as_ref)
                    .collect();
                self.together(scope, &ends, "and the other end in")
            }
            ExprKind::Number { .. }
            | ExprKind::Text(_)
            | ExprKind::Words(_)
            | ExprKind::Read { .. } => self.fresh(Role::Fault),
        }
    }

    /// An expression where a unit is needed.
    pub fn check(&mut self, scope: &Scope, expr: &tree::Expr, needed: &Needed) {
        if numbers::plain(self.names, scope, expr).is_some() {
            return;
        }
        match &expr.kind {
            ExprKind::Binary {
                operator: BinaryOperator::Add | BinaryOperator::Subtract,
                ..
            } => {
                if self.resolve(&needed.term).is_known() {
                    self.sum(scope, expr, Some(needed));
                } else {
                    // The parts are compared with each other: nobody declared what is needed.
                    let found = self.sum(scope, expr, None);
                    self.agree(needed, &found, expr, Join::Needed);
                }
            }
            ExprKind::Unary {
                operator: UnaryOperator::Negate,
                operand,
            } => self.check(scope, operand, needed),
            ExprKind::If {
                condition,
                then,
                otherwise,
            } => {
                self.term(scope, condition);
                self.check(scope, then, needed);
                self.check(scope, otherwise, needed);
            }
            ExprKind::Vector(items) => {
                for item in items {
                    self.check(scope, item, needed);
                }
            }
            ExprKind::Range { low, high } => {
                for end in [low, high].into_iter().flatten() {
                    self.check(scope, end, needed);
                }
            }
            _ => {
                let found = self.term(scope, expr);
                self.agree(needed, &found, expr, Join::Needed);
            }
        }
    }

    fn named(&mut self, scope: &Scope, name: &str) -> Term {
        match scope.get(name) {
            Some(Local::Argument(term, _)) => term.clone(),
            Some(Local::Number(_)) => self.fresh(Role::Number),
            None => self.quantity(name),
        }
    }

    /// `x'`, `theta''`; white noise is one over the square root of a time.
    fn primed(&mut self, name: &str, order: u8) -> Term {
        if let Some(Entity::Wiener(_)) = self.names.get(name) {
            let time = self.units.time.clone();
            return Term::one().times(&time, -0.5);
        }
        // `theta'` may be declared with a unit of its own.
        for known in (1..=order).rev() {
            let declared = format!("{name}{}", "'".repeat(known.into()));
            if self.units.quantities.contains_key(&declared) {
                let term = self.quantity(&declared);
                return match order - known {
                    0 => term,
                    left => self.rate_of(&term, left),
                };
            }
        }
        let term = self.quantity(name);
        self.rate_of(&term, order)
    }

    fn binary(&mut self, scope: &Scope, expr: &tree::Expr, operator: BinaryOperator) -> Term {
        let ExprKind::Binary { left, right, .. } = &expr.kind else {
            return self.fresh(Role::Fault);
        };
        match operator {
            BinaryOperator::Add | BinaryOperator::Subtract => self.sum(scope, expr, None),
            BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::ElementMultiply
            | BinaryOperator::ElementDivide => self.product(scope, expr),
            BinaryOperator::Power | BinaryOperator::ElementPower => self.power(scope, left, right),
            BinaryOperator::And | BinaryOperator::Or => {
                self.term(scope, left);
                self.term(scope, right);
                Term::one()
            }
            BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterEqual => {
                let needed = Needed {
                    term: self.term(scope, left),
                    span: left.span,
                    what: "and this in".to_owned(),
                };
                let found = self.term(scope, right);
                self.agree(&needed, &found, right, Join::Compared);
                Term::one()
            }
        }
    }

    /// Several expressions of one unit.
    fn together(&mut self, scope: &Scope, parts: &[&tree::Expr], what: &str) -> Term {
        let terms: Vec<Term> = parts.iter().map(|part| self.term(scope, part)).collect();
        self.all_alike(parts, &terms, None, (what, Join::Together))
    }

    /// The terms of parts of one unit: that of the first known one, or what is needed.
    fn all_alike(
        &mut self,
        parts: &[&tree::Expr],
        terms: &[Term],
        needed: Option<&Needed>,
        (what, join): (&str, Join),
    ) -> Term {
        let first = terms.iter().position(|term| self.resolve(term).is_known());
        let first = first.unwrap_or(0);
        let (Some(term), Some(part)) = (terms.get(first), parts.get(first)) else {
            return self.fresh(Role::Fault);
        };
        let own = Needed {
            term: term.clone(),
            span: part.span,
            what: what.to_owned(),
        };
        let join = if needed.is_some() { Join::Needed } else { join };
        let reference = needed.unwrap_or(&own);
        let mut all_agree = true;
        for (at, (term, part)) in terms.iter().zip(parts).enumerate() {
            if needed.is_some() || at != first {
                all_agree &= self.agree(reference, term, part, join);
            }
        }
        if all_agree || needed.is_some() {
            reference.term.clone()
        } else {
            self.fresh(Role::Fault)
        }
    }

    /// `a + b - c`: all in one unit.
    fn sum(&mut self, scope: &Scope, expr: &tree::Expr, needed: Option<&Needed>) -> Term {
        let parts = parts_of_sum(expr);
        let terms: Vec<Term> = parts
            .iter()
            .map(|(part, _)| self.term(scope, part))
            .collect();
        let has_zero = terms.iter().any(|term| self.zero(term).is_some())
            || needed.is_some_and(|needed| self.zero(&needed.term).is_some());
        if has_zero {
            let term = self.sum_of_temperatures(scope, &parts, &terms);
            if let Some(needed) = needed {
                self.agree(needed, &term, expr, Join::Needed);
            }
            return term;
        }
        let parts: Vec<&tree::Expr> = parts.into_iter().map(|(part, _)| part).collect();
        self.all_alike(&parts, &terms, needed, ("and this in", Join::Added))
    }

    /// `a*b/c`: units compose; the numbers of the product may stand for any.
    fn product(&mut self, scope: &Scope, expr: &tree::Expr) -> Term {
        let mut value = 1.0;
        let mut has_number = false;
        let mut beside_declared = false;
        let mut with_zero: Option<&tree::Expr> = None;
        let mut rest = Term::one();
        for (part, power) in parts_of_product(expr) {
            if let Some(number) = numbers::plain(self.names, scope, part) {
                value *= if power > 0.0 { number } else { 1.0 / number };
                has_number = true;
                continue;
            }
            beside_declared |= self.is_declared_parameter(scope, part);
            let term = self.term(scope, part);
            if self.zero(&term).is_some() {
                with_zero = Some(part);
                continue;
            }
            rest = rest.times(&term, power);
        }
        if let Some(part) = with_zero {
            if !has_number {
                let term = self.term(scope, part);
                let text = self.text(&term);
                self.report(messages::multiplied_temperature(part, &text));
            }
            return self.fresh(Role::Fault);
        }
        if !has_number || (beside_declared && is_simple(value)) {
            return rest;
        }
        let own = self.fresh(Role::Coefficient(value));
        self.coefficients.push(Coefficient {
            own: own.clone(),
            value,
            rest: rest.clone(),
            span: expr.span,
        });
        own.times(&rest, 1.0)
    }

    fn is_declared_parameter(&self, scope: &Scope, part: &tree::Expr) -> bool {
        let ExprKind::Reference(reference) = &part.kind else {
            return false;
        };
        let name = &reference.name.text;
        scope.get(name).is_none()
            && matches!(self.names.get(name), Some(Entity::Parameter(_)))
            && self
                .units
                .quantities
                .get(name)
                .is_some_and(|quantity| quantity.is_declared)
    }

    fn call(
        &mut self,
        scope: &Scope,
        name: &str,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Term {
        match self.names.get(name) {
            Some(Entity::State(_)) => {
                let needed = self.time_needed(span);
                for argument in arguments {
                    self.check(scope, &argument.value, &needed);
                }
                return self.quantity(name);
            }
            Some(Entity::Function(id)) => return self.own_function(scope, id, arguments, span),
            _ => {}
        }
        let values: Vec<&tree::Expr> = arguments.iter().map(|argument| &argument.value).collect();
        match Builtin::find(name) {
            Some(known) => self.built_in(scope, known, &values),
            // A measure of a run, or what has been reported.
            None => {
                for value in values {
                    self.term(scope, value);
                }
                self.fresh(Role::Fault)
            }
        }
    }

    /// True when an expression names a unit, or a quantity with one.
    pub fn carries_units(&self, scope: &Scope, expr: &tree::Expr) -> bool {
        let has_unit = |term: &Term| {
            let term = self.resolve(term);
            term.is_known() && !term.measures(&self.units.registry).is_empty()
        };
        let mut pending = vec![expr];
        while let Some(expr) = pending.pop() {
            let name = match &expr.kind {
                ExprKind::Number { unit: Some(_), .. } => return true,
                ExprKind::Reference(reference) => Some(&reference.name.text),
                ExprKind::Call { function, .. } => Some(&function.name.text),
                _ => None,
            };
            let carries = match name.and_then(|name| scope.get(name)) {
                Some(Local::Argument(term, _)) => has_unit(term),
                Some(Local::Number(_)) => false,
                None => name
                    .and_then(|name| self.units.quantities.get(name))
                    .is_some_and(|quantity| has_unit(&quantity.term)),
            };
            if carries {
                return true;
            }
            expr.for_each_part(|part| pending.push(part));
        }
        false
    }

    /// What a time needs.
    pub fn time_needed(&mut self, span: Span) -> Needed {
        Needed {
            term: self.units.time.clone(),
            span: self.units.time_at.unwrap_or(span),
            what: "the model's time is in".to_owned(),
        }
    }

    fn built_in(&mut self, scope: &Scope, function: &Builtin, values: &[&tree::Expr]) -> Term {
        if function.units == UnitRule::Own {
            return self.own_rule(scope, function.name, values);
        }
        let terms: Vec<Term> = values.iter().map(|value| self.term(scope, value)).collect();
        let Some(first) = terms.first().cloned() else {
            return self.fresh(Role::Fault);
        };
        match function.units {
            UnitRule::Pure | UnitRule::Angle => {
                let message = format!("`{}` takes a number without unit", function.name);
                for (term, value) in terms.iter().zip(values) {
                    self.need_number(term, value, (&message, function.name));
                }
                // `exp(lk)` of a number without unit is one too, and stands for the k that it is.
                let is_exp = matches!(function.name, "exp" | "expm1");
                if is_exp && !values.iter().any(|value| self.carries_units(scope, value)) {
                    return self.fresh(Role::Number);
                }
                Term::one()
            }
            UnitRule::Same => self.all_alike(values, &terms, None, ("and this in", Join::Together)),
            UnitRule::Ratio => {
                self.all_alike(values, &terms, None, ("and this in", Join::Together));
                Term::one()
            }
            UnitRule::Drop => Term::one(),
            UnitRule::Root(n) => first.raised(&Exponent::number(1.0 / f64::from(n))),
            UnitRule::Product => terms
                .iter()
                .skip(1)
                .fold(first, |product, term| product.times(term, 1.0)),
            UnitRule::Inverse => Term::one().times(&first, -1.0),
            UnitRule::Own => self.fresh(Role::Fault),
        }
    }

    /// `grad(f, w)` and `amount(C)`.
    fn own_rule(&mut self, scope: &Scope, name: &str, values: &[&tree::Expr]) -> Term {
        match (name, values) {
            ("grad", [of, by]) => {
                let (of, by) = (self.term(scope, of), self.term(scope, by));
                of.times(&by, -1.0)
            }
            ("amount", [species]) => {
                let term = self.term(scope, species);
                let volume = match &species.kind {
                    ExprKind::Reference(reference) => self.volume_of(&reference.name.text),
                    _ => Term::one(),
                };
                term.times(&volume, 1.0)
            }
            _ => self.fresh(Role::Fault),
        }
    }

    /// The unit of a species' compartment; 1 without one.
    pub fn volume_of(&mut self, species: &str) -> Term {
        match self.units.volumes.get(species).cloned() {
            Some(volume) => self.quantity(&volume),
            None => Term::one(),
        }
    }

    fn own_function(
        &mut self,
        scope: &Scope,
        id: super::super::FunctionId,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Term {
        let names = self.names;
        let function = names.function(id);
        if names.is_circular(id)
            || self.calls_left == 0
            || function.parameters.len() != arguments.len()
        {
            return self.fresh(Role::Fault);
        }
        self.calls_left -= 1;
        let mut inner = Scope::default();
        for (at, argument) in arguments.iter().enumerate() {
            let name = match &argument.name {
                Some(name) => Some(&name.text),
                None => function.parameters.get(at).map(|known| &known.text),
            };
            let Some(name) = name else { continue };
            let local = match numbers::plain(self.names, scope, &argument.value) {
                Some(number) => Local::Number(number),
                None => {
                    let term = self.term(scope, &argument.value);
                    Local::Argument(term, self.exponent(scope, &argument.value))
                }
            };
            inner = inner.with(name, local);
        }
        self.calls.push(span);
        let value = self.term(&inner, &function.body);
        self.calls.pop();
        value
    }
}

/// The parts of `a + b - c` with their signs, in order.
pub(super) fn parts_of_sum(expr: &tree::Expr) -> Vec<(&tree::Expr, bool)> {
    let mut parts = Vec::new();
    let mut first = expr;
    while let ExprKind::Binary {
        operator: operator @ (BinaryOperator::Add | BinaryOperator::Subtract),
        left,
        right,
        ..
    } = &first.kind
    {
        parts.push((right.as_ref(), *operator == BinaryOperator::Subtract));
        first = left;
    }
    parts.push((first, false));
    parts.reverse();
    parts
}

/// The factors of `-a*(b/c)` with their powers.
fn parts_of_product(expr: &tree::Expr) -> Vec<(&tree::Expr, f64)> {
    let mut parts = Vec::new();
    let mut pending = vec![(expr, 1.0)];
    while let Some((expr, power)) = pending.pop() {
        match &expr.kind {
            ExprKind::Binary {
                operator: BinaryOperator::Multiply | BinaryOperator::ElementMultiply,
                left,
                right,
                ..
            } => pending.extend([(right.as_ref(), power), (left.as_ref(), power)]),
            ExprKind::Binary {
                operator: BinaryOperator::Divide | BinaryOperator::ElementDivide,
                left,
                right,
                ..
            } => pending.extend([(right.as_ref(), -power), (left.as_ref(), power)]),
            ExprKind::Unary {
                operator: UnaryOperator::Negate,
                operand,
            } => pending.push((operand, power)),
            _ => parts.push((expr, power)),
        }
    }
    parts
}
