//! The units of declarations, equations, events and observations.
//!
//! Enters: the statements of a file. Leaves: the units of all names, known or found out, and all
//! diagnostics. A model that names no unit is left alone. Loops are read once: the elements of a
//! vector share a unit. Must not know values.

use super::super::collect::Draft;
use super::super::{DefinitionId, Family};
use super::checker::{Checker, Local, Needed, Quantity, Scope, Units};
use super::solve::Role;
use super::term::Term;
use crate::source::Span;
use crate::syntax::tree::{self, DeclareKind, EquationLeft, ExprKind, StatementKind};

impl Draft<'_> {
    /// Checks the units of a file, and notes those of its names.
    pub(in crate::model) fn check_units(&mut self, file: &tree::File, order: &[DefinitionId]) {
        if !super::names_units(file) {
            return;
        }
        let mut checker = Checker::new(&self.names, Units::default());
        checker.own_units(file);
        checker.declare(file);
        // Definitions first, each after what it needs: what uses them knows more then.
        for id in order {
            if let Some(definition) = self.definitions.get(id.index())
                && let Some(value) = definition.value
            {
                checker.definition(&definition.name, definition.span, value);
            }
        }
        let scope = Scope::default();
        for statement in &file.statements {
            checker.statement(&scope, statement, false);
        }
        checker.finish_coefficients();
        let Checker {
            units, diagnostics, ..
        } = checker;
        self.diagnostics.extend(diagnostics);
        self.names.set_units(units);
    }
}

impl Checker<'_> {
    /// Gives every name its unit, or an unknown.
    fn declare(&mut self, file: &tree::File) {
        self.units.time = self.fresh(Role::Quantity);
        for statement in &file.statements {
            match &statement.kind {
                StatementKind::Time {
                    unit: Some(unit), ..
                } => {
                    self.units.time = self.written(unit);
                    self.units.time_at = Some(unit.span);
                }
                StatementKind::Declare { kind, items } => {
                    for item in items {
                        self.declared(*kind, item);
                    }
                }
                StatementKind::Covariate { items, .. } => {
                    for item in items {
                        self.declared(DeclareKind::Covariate, item);
                    }
                }
                StatementKind::Let { name, unit, .. } | StatementKind::Input { name, unit, .. } => {
                    self.name(&name.name.text, unit.as_ref());
                }
                _ => {}
            }
        }
        self.velocities(file);
        self.fluxes(&file.statements);
    }

    fn declared(&mut self, kind: DeclareKind, item: &tree::Declaration) {
        let name = format!("{}{}", item.name.name.text, "'".repeat(item.primes.into()));
        self.name(&name, item.unit.as_ref());
        if kind == DeclareKind::Species
            && let Some(compartment) = &item.compartment
        {
            self.units.volumes.insert(name, compartment.text.clone());
        }
    }

    fn name(&mut self, name: &str, unit: Option<&tree::Unit>) {
        let term = match unit {
            Some(unit) => self.written(unit),
            None => self.fresh(Role::Quantity),
        };
        let quantity = Quantity {
            term,
            is_declared: unit.is_some(),
        };
        self.units.quantities.insert(name.to_owned(), quantity);
    }

    /// `theta'` declared beside `theta` is its rate of change.
    fn velocities(&mut self, file: &tree::File) {
        for statement in &file.statements {
            let StatementKind::Declare { items, .. } = &statement.kind else {
                continue;
            };
            for item in items.iter().filter(|item| item.primes > 0) {
                let base = &item.name.name.text;
                let lower = format!("{base}{}", "'".repeat(usize::from(item.primes) - 1));
                let (lower, own) = (
                    self.quantity(&lower),
                    self.quantity(&format!("{base}{}", "'".repeat(item.primes.into()))),
                );
                let rate = self.rate_of(&lower, 1);
                let needed = Needed {
                    term: rate,
                    span: item.name.span,
                    what: format!("`{base}` changes by"),
                };
                let written = tree::Expr {
                    span: item.unit.as_ref().map_or(item.span, |unit| unit.span),
                    kind: ExprKind::Reference(item.name.clone()),
                };
                self.agree(&needed, &own, &written, super::messages::Join::Needed);
            }
        }
    }

    /// The fluxes of named reactions are names too.
    fn fluxes(&mut self, statements: &[tree::Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Reaction(reaction) => {
                    if let Some(name) = &reaction.name
                        && !self.units.quantities.contains_key(&name.name.text)
                    {
                        self.name(&name.name.text, None);
                    }
                }
                StatementKind::For { body, .. } => self.fluxes(body),
                _ => {}
            }
        }
    }

    fn definition(&mut self, name: &str, span: Span, value: &tree::Expr) {
        let is_declared = self.is_declared(name);
        self.value(&Scope::default(), name, (span, is_declared), value);
    }

    fn is_declared(&self, name: &str) -> bool {
        let known = self.units.quantities.get(name);
        known.is_some_and(|quantity| quantity.is_declared)
    }

    /// `name = value [unit]`: the value has this unit, or is a number that takes it.
    fn value(
        &mut self,
        scope: &Scope,
        name: &str,
        (span, is_declared): (Span, bool),
        value: &tree::Expr,
    ) {
        if is_declared && !self.carries_units(scope, value) {
            // Faults within it are told all the same.
            self.term(scope, value);
            return;
        }
        let needed = self.needed_for(name, span);
        self.check(scope, value, &needed);
    }

    /// What a named quantity needs.
    pub(super) fn needed_for(&mut self, name: &str, span: Span) -> Needed {
        Needed {
            term: self.quantity(name),
            span,
            what: format!("`{name}` is in"),
        }
    }

    /// One statement; in a block, assignments belong to the model.
    fn statement(&mut self, scope: &Scope, statement: &tree::Statement, in_block: bool) {
        match &statement.kind {
            StatementKind::Declare { items, .. } | StatementKind::Covariate { items, .. } => {
                for item in items {
                    self.item(scope, item);
                }
            }
            StatementKind::Time {
                from: Some(from), ..
            } => {
                let needed = self.time_needed(from.span);
                self.check(scope, from, &needed);
            }
            StatementKind::Assert(condition) => {
                self.term(scope, condition);
            }
            StatementKind::Equation { left, right } => self.equation(scope, left, right),
            StatementKind::Assign { target, value } => {
                if in_block {
                    self.assign(scope, target, value);
                }
            }
            StatementKind::Reaction(reaction) => self.reaction(scope, reaction),
            StatementKind::Noise { bindings, .. } => {
                for binding in bindings {
                    self.term(scope, &binding.value);
                }
            }
            StatementKind::Observe {
                name,
                unit,
                distribution,
            } => {
                let term = match unit {
                    Some(unit) => self.written(unit),
                    None => self.fresh(Role::Quantity),
                };
                self.units
                    .observed
                    .insert(name.name.text.clone(), term.clone());
                let needed = Needed {
                    term,
                    span: name.span,
                    what: format!("`{}` is observed in", name.name.text),
                };
                self.distribution(scope, distribution, &needed);
            }
            StatementKind::Dose { amount, options } => self.dose(scope, amount, options),
            StatementKind::For { variable, body, .. } => {
                let inner = scope.with(&variable.text, Local::Number(f64::NAN));
                for statement in body {
                    self.statement(&inner, statement, in_block);
                }
            }
            _ => self.block(scope, statement),
        }
    }

    /// Events and conditions.
    fn block(&mut self, scope: &Scope, statement: &tree::Statement) {
        let body = match &statement.kind {
            StatementKind::When {
                condition,
                options,
                body,
            } => {
                self.term(scope, condition);
                self.times(scope, options);
                body
            }
            StatementKind::At {
                times,
                options,
                body,
            } => {
                for time in times {
                    let needed = self.time_needed(time.span);
                    self.check(scope, time, &needed);
                }
                self.times(scope, options);
                body
            }
            StatementKind::Every {
                period,
                options,
                body,
            } => {
                let needed = self.time_needed(period.span);
                self.check(scope, period, &needed);
                self.times(scope, options);
                body
            }
            StatementKind::Condition { body, .. } => body,
            _ => return,
        };
        for statement in body {
            self.statement(scope, statement, true);
        }
    }

    /// Options that are times: `after 2 [h]`, `every 12 [h] from 6 [h] over 30 [min]`.
    fn times(&mut self, scope: &Scope, options: &[tree::SentenceOption]) {
        const TIMES: [&str; 8] = [
            "after", "for", "at", "every", "from", "until", "over", "lag",
        ];
        for option in options {
            if !TIMES.contains(&option.word.text.as_str()) {
                continue;
            }
            for value in &option.values {
                if !matches!(value.kind, ExprKind::Text(_)) {
                    let needed = self.time_needed(value.span);
                    self.check(scope, value, &needed);
                }
            }
        }
    }

    fn item(&mut self, scope: &Scope, item: &tree::Declaration) {
        let name = format!("{}{}", item.name.name.text, "'".repeat(item.primes.into()));
        let span = item.name.span;
        if let Some(value) = &item.value {
            self.value(scope, &name, (span, item.unit.is_some()), value);
        }
        let needed = self.needed_for(&name, span);
        if let Some(bounds) = &item.bounds {
            self.check(scope, &bounds.range, &needed);
        }
        if let Some(prior) = &item.prior {
            self.distribution(scope, prior, &needed);
        }
        if let Some(atol) = &item.atol {
            let needed = Needed {
                term: self.difference_of(&needed.term),
                ..needed
            };
            self.check(scope, atol, &needed);
        }
        if item.compartment.is_some() {
            self.concentration(item, &name);
        }
    }

    fn equation(&mut self, scope: &Scope, left: &EquationLeft, right: &tree::Expr) {
        let needed = match left {
            EquationLeft::Derivative {
                target,
                order,
                span,
            } => {
                let name = &target.name.text;
                let primed = format!("{name}{}", "'".repeat(usize::from(*order) - 1));
                let term = if *order > 1 && self.units.quantities.contains_key(&primed) {
                    let velocity = self.quantity(&primed);
                    self.rate_of(&velocity, 1)
                } else {
                    let term = self.quantity(name);
                    self.rate_of(&term, *order)
                };
                Needed {
                    term,
                    span: *span,
                    what: format!("`{name}` changes by"),
                }
            }
            EquationLeft::Next(target) | EquationLeft::History(target) => {
                self.needed_for(&target.name.text, target.span)
            }
            EquationLeft::Zero(_) => {
                self.term(scope, right);
                return;
            }
        };
        let name = left.target().map(|target| target.name.text.clone());
        let is_bare = name.is_some_and(|name| !self.is_declared(&name));
        if is_bare && !self.carries_units(scope, right) {
            self.try_check(scope, right, &needed);
        } else {
            self.check(scope, right, &needed);
        }
    }

    /// An equation between quantities without units: it may settle the units of constants, but is not
    /// held to any, since `x' = -x` is how models without units are written.
    fn try_check(&mut self, scope: &Scope, right: &tree::Expr, needed: &Needed) {
        let before = self.units.store.mark();
        let (faults, numbers) = (self.diagnostics.len(), self.coefficients.len());
        self.check(scope, right, needed);
        if self.diagnostics.len() > faults {
            self.diagnostics.truncate(faults);
            self.coefficients.truncate(numbers);
            self.units.store.back_to(before);
        }
    }

    pub(super) fn assign(&mut self, scope: &Scope, target: &tree::Reference, value: &tree::Expr) {
        let needed = self.needed_for(&target.name.text, target.span);
        self.check(scope, value, &needed);
    }

    fn dose(&mut self, scope: &Scope, amount: &tree::Expr, options: &[tree::SentenceOption]) {
        let into = options.iter().find(|option| option.word.text == "into");
        let target = into.and_then(|option| option.values.first());
        let target = target.and_then(super::super::doses::target_of);
        match target {
            Some(target) => {
                let name = &target.name.text;
                let concentration = self.quantity(name);
                let concentration = self.difference_of(&concentration);
                let volume = self.volume_of(name);
                let needed = Needed {
                    term: concentration.times(&volume, 1.0),
                    span: target.span,
                    what: format!("amounts of `{name}` are in"),
                };
                self.check(scope, amount, &needed);
            }
            None => {
                self.term(scope, amount);
            }
        }
        self.times(scope, options);
    }

    /// `normal(mean = x, sd = 1)` for a quantity: its parameters are in its unit, or are numbers.
    fn distribution(&mut self, scope: &Scope, written: &tree::Expr, of: &Needed) {
        let ExprKind::Call {
            function,
            arguments,
        } = &written.kind
        else {
            return;
        };
        let Some(family) = Family::named(&function.name.text) else {
            return;
        };
        let number = Needed {
            term: Term::one(),
            span: function.span,
            what: format!("`{}` takes a number in", function.name.text),
        };
        let spread = Needed {
            term: self.difference_of(&of.term),
            ..of.clone()
        };
        let inverse = Needed {
            term: Term::one().times(&of.term, -1.0),
            what: "a rate is one over what is spread, in".to_owned(),
            ..of.clone()
        };
        for (at, argument) in arguments.iter().enumerate() {
            let position = match &argument.name {
                None => family.parameters().get(at).copied(),
                Some(name) => Some(name.text.as_str()),
            };
            let needed = match (family, position.unwrap_or("")) {
                (Family::LogNormal, "sd") | (Family::StudentT, "df") => &number,
                (Family::Gamma, "shape") | (Family::Binomial, "probability") => &number,
                (Family::Beta, _) => &number,
                (Family::Gamma, "rate") => &inverse,
                (_, "sd" | "scale") => &spread,
                _ => of,
            };
            self.check(scope, &argument.value, needed);
        }
        if family == Family::Beta {
            self.agree(&number, &of.term, written, super::messages::Join::Needed);
        }
    }
}
