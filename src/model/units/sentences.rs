//! The units of sentences: `simulate 0..24 [h]`, `with k = 5 [1/h]`, `sweep V in 1 [L]..20 [L]`.
//!
//! Enters: a sentence and the units of its model. Leaves: diagnostics. What a sentence leaves open does
//! not settle the unit of anything. Must not know what a sentence does.

use super::super::names::Names;
use super::checker::{Checker, MOST_CALLS, Needed, Scope};
use crate::diagnostic::Diagnostic;
use crate::syntax::tree::{self, ExprKind, StatementKind};

/// What is wrong with the units of a sentence, an assignment or an expression.
#[must_use]
pub fn check_sentence(names: &Names, statement: &tree::Statement) -> Vec<Diagnostic> {
    check_sentences(names, [statement])
}

/// The same of several, each as if it stood alone.
#[must_use]
pub fn check_sentences<'t>(
    names: &Names,
    statements: impl IntoIterator<Item = &'t tree::Statement>,
) -> Vec<Diagnostic> {
    let Some(units) = names.units() else {
        return Vec::new();
    };
    let mut checker = Checker::new(names, units.clone());
    let before = checker.units.store.mark();
    let mut found = Vec::new();
    for statement in statements {
        checker.calls_left = MOST_CALLS;
        checker.look_at(statement);
        checker.finish_coefficients();
        checker.units.store.back_to(before);
        found.append(&mut checker.diagnostics);
    }
    found
}

/// Verbs whose ranges and steps are times.
const IN_TIME: [&str; 6] = [
    "simulate",
    "measure",
    "plot",
    "sensitivity",
    "correlation",
    "histogram",
];

/// Options that map columns of files, whose names are not those of the model.
const OF_FILES: [&str; 3] = ["to", "from", "over"];

impl Checker<'_> {
    fn look_at(&mut self, statement: &tree::Statement) {
        let scope = Scope::default();
        match &statement.kind {
            StatementKind::Sentence(sentence) => self.sentence(&scope, sentence),
            StatementKind::Assign { target, value } => self.assign(&scope, target, value),
            StatementKind::Expression(expr) | StatementKind::Assert(expr) => {
                self.term(&scope, expr);
            }
            _ => {}
        }
    }

    fn sentence(&mut self, scope: &Scope, sentence: &tree::Sentence) {
        let verb = sentence.verb.text.as_str();
        if matches!(verb, "help" | "explain" | "load" | "show" | "history") {
            return;
        }
        let in_time = IN_TIME.contains(&verb);
        let mut last: Option<&tree::Expr> = None;
        for subject in &sentence.subjects {
            match &subject.value.kind {
                ExprKind::Range { .. } if in_time => self.time(scope, &subject.value),
                _ => {
                    self.term(scope, &subject.value);
                }
            }
            if let Some(versus) = &subject.versus {
                self.term(scope, versus);
            }
            last = Some(&subject.value);
        }
        for option in &sentence.options {
            last = self.option(scope, in_time, option, last).or(last);
        }
    }

    /// One option; gives the name that it ends with, which a range may follow.
    fn option<'t>(
        &mut self,
        scope: &Scope,
        in_time: bool,
        option: &'t tree::SentenceOption,
        mut last: Option<&'t tree::Expr>,
    ) -> Option<&'t tree::Expr> {
        let word = option.word.text.as_str();
        let is_time = in_time && matches!(word, "step" | "at" | "until" | "over" | "lag" | "from");
        for value in &option.values {
            match &value.kind {
                ExprKind::Text(_) | ExprKind::Words(_) => {}
                ExprKind::Range { .. } if word == "in" => {
                    if let Some(name) = last {
                        let needed = Needed {
                            term: self.term(scope, name),
                            span: name.span,
                            what: "this is in".to_owned(),
                        };
                        self.check(scope, value, &needed);
                    }
                }
                ExprKind::Reference(_) => last = Some(value),
                _ if is_time => self.time(scope, value),
                _ => {
                    self.term(scope, value);
                }
            }
        }
        if !OF_FILES.contains(&word) {
            for binding in &option.bindings {
                if !matches!(binding.value.kind, ExprKind::Words(_) | ExprKind::Text(_))
                    && self.units.quantities.contains_key(&binding.name.name.text)
                {
                    self.assign(scope, &binding.name, &binding.value);
                }
            }
        }
        last
    }

    fn time(&mut self, scope: &Scope, written: &tree::Expr) {
        let needed = self.time_needed(written.span);
        self.check(scope, written, &needed);
    }
}
