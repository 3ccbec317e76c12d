//! Own units: `unit hare`, `unit puff = 90 [ug]`.
//!
//! Enters: their declarations. Leaves: entries of the registry, or what is wrong with them. A unit may
//! be made of others that are declared later. Must not know quantities.

use super::checker::{Checker, Scope};
use super::measure::{Measure, Registry};
use super::numbers;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::source::Span;
use crate::syntax::tree::{self, StatementKind};
use rustc_hash::FxHashMap;

impl Checker<'_> {
    pub(super) fn own_units(&mut self, file: &tree::File) {
        let mut waiting: Vec<&tree::OwnUnit> = Vec::new();
        let mut declared_at: FxHashMap<&str, Span> = FxHashMap::default();
        for statement in &file.statements {
            let StatementKind::Unit(items) = &statement.kind else {
                continue;
            };
            for item in items {
                let name = item.name.text.as_str();
                // A file that is used twice declares its units once.
                if declared_at.get(name) == Some(&item.name.span) {
                    continue;
                }
                if let Some(fault) = unfit(item, declared_at.get(name).copied()) {
                    self.diagnostics.push(fault);
                    continue;
                }
                declared_at.insert(name, item.name.span);
                waiting.push(item);
            }
        }
        // Each after those that it is made of; what is left over is made of itself.
        loop {
            let (ready, rest): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(|item| {
                !made_of(item).any(|used| waiting.iter().any(|other| other.name.text == used))
            });
            for item in &ready {
                self.own_unit(item);
            }
            if ready.is_empty() {
                self.circular(&rest);
                return;
            }
            waiting = rest;
            if waiting.is_empty() {
                return;
            }
        }
    }

    fn own_unit(&mut self, item: &tree::OwnUnit) {
        let faults = self.diagnostics.len();
        let measure = self.own_measure(item);
        if self.diagnostics.len() > faults {
            self.units.refused.insert(item.name.text.clone());
            return;
        }
        self.units.registry.declare(&item.name.text, measure);
    }

    /// What it is so much of; `None` for a unit that is a dimension of its own.
    fn own_measure(&mut self, item: &tree::OwnUnit) -> Option<Measure> {
        let value = match &item.value {
            Some(written) => {
                let value = numbers::plain(self.names, &Scope::default(), written);
                match value {
                    Some(value) if value > 0.0 && value.is_finite() => value,
                    Some(value) => {
                        self.diagnostics.push(
                            Diagnostic::new(
                                Code::BadUnit,
                                "a unit is a positive multiple of another",
                            )
                            .at(written.span, format!("this is {}", number_text(value))),
                        );
                        return None;
                    }
                    None => {
                        self.diagnostics.push(
                            Diagnostic::new(Code::BadUnit, "a unit is given by a number")
                                .at(written.span, "this is no number")
                                .help("as in `unit puff = 90 [ug]`"),
                        );
                        return None;
                    }
                }
            }
            None => 1.0,
        };
        let of = match &item.unit {
            Some(unit) => {
                let term = self.written(unit);
                let measure = term.measure(&self.units.registry)?;
                if measure.zero().is_some() {
                    self.diagnostics.push(
                        Diagnostic::new(
                            Code::BadUnit,
                            "a unit cannot be a multiple of degrees that have a zero of their own",
                        )
                        .at(unit.span, "counted from a zero of its own")
                        .help("a difference of temperatures is in [K]"),
                    );
                    return None;
                }
                measure
            }
            None => {
                item.value.as_ref()?;
                Measure::one()
            }
        };
        Some(Measure::number(value).times(&of, 1.0))
    }

    fn circular(&mut self, items: &[&tree::OwnUnit]) {
        let Some(first) = items.first() else { return };
        let mut diagnostic = Diagnostic::new(
            Code::BadUnit,
            format!("the unit `{}` is made of itself", first.name.text),
        );
        for item in items {
            let used = made_of(item).next().unwrap_or("");
            diagnostic = diagnostic.at(item.name.span, format!("needs `{used}`"));
            self.units.refused.insert(item.name.text.clone());
        }
        self.diagnostics
            .push(diagnostic.help("one of them stands for itself, as in `unit hare`"));
    }
}

fn made_of(item: &tree::OwnUnit) -> impl Iterator<Item = &str> {
    let factors = item.unit.iter().flat_map(|unit| &unit.factors);
    factors.map(|factor| factor.name.text.as_str())
}

fn unfit(item: &tree::OwnUnit, earlier: Option<Span>) -> Option<Diagnostic> {
    let name = item.name.text.as_str();
    if let Some(earlier) = earlier {
        return Some(
            Diagnostic::new(
                Code::Duplicate,
                format!("the unit `{name}` is declared twice"),
            )
            .at(item.name.span, "again here")
            .at(earlier, "the first one")
            .help("remove one of them"),
        );
    }
    if Registry::is_built_in(name) {
        return Some(
            Diagnostic::new(Code::Duplicate, format!("`{name}` is a unit already"))
                .at(item.name.span, "built in")
                .help("give yours another name; `help units` lists those that there are"),
        );
    }
    if name.contains(|c: char| c.is_ascii_digit()) {
        return Some(
            Diagnostic::new(Code::BadUnit, "the name of a unit has no digits")
                .at(item.name.span, "in brackets a digit begins an exponent")
                .help("write the name in letters"),
        );
    }
    None
}
