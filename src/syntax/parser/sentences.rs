//! Sentences, their options, and bare expressions.
//!
//! Enters: a statement that begins with a verb, or an expression. Leaves: [`Sentence`],
//! [`SentenceOption`], [`Binding`]. Must not know which verb takes which options: any word with
//! values is one.

use super::{Place, Reader, Rule};
use crate::syntax::diagnose;
use crate::syntax::tree::{
    Binding, Expr, ExprKind, Name, Reference, Sentence, SentenceOption, StatementKind, Subject,
};
use pest::iterators::{Pair, Pairs};

impl Reader<'_> {
    /// `simulate 0..100 step 0.1`
    pub(super) fn sentence(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::sentence_line)?;
        let (mut verb, mut subjects) = (None, Vec::new());
        for part in inner.clone() {
            match part.as_rule() {
                Rule::option_word => verb = Some(self.any_name(&part)),
                Rule::subjects => {
                    subjects = part.into_inner().filter_map(|p| self.subject(p)).collect()
                }
                _ => {}
            }
        }
        Some(StatementKind::Sentence(Sentence {
            verb: verb?,
            subjects,
            options: self.options_in(inner),
        }))
    }

    /// `help fit`, `explain E0107`, `show time`: subjects may be any words.
    pub(super) fn words_sentence(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::words_line)?;
        let (mut verb, mut subjects) = (None, Vec::new());
        for part in inner.clone() {
            match part.as_rule() {
                Rule::option_word => verb = Some(self.any_name(&part)),
                Rule::any_word => subjects.push(Subject {
                    value: self.word_value(&part),
                    versus: None,
                }),
                _ => {}
            }
        }
        Some(StatementKind::Sentence(Sentence {
            verb: verb?,
            subjects,
            options: self.options_in(inner),
        }))
    }

    /// `load path.lotka`: all after the verb is the path, which begins at byte `path`.
    pub(super) fn load(&self, path: usize) -> StatementKind {
        let verb = Name {
            text: "load".to_owned(),
            span: self.span(0, "load".len()),
        };
        let written = self.text.get(path..).unwrap_or("").trim_end();
        let value = Expr {
            span: self.span(path, path + written.len()),
            kind: ExprKind::Text(written.to_owned()),
        };
        let versus = None;
        StatementKind::Sentence(Sentence {
            verb,
            subjects: vec![Subject { value, versus }],
            options: Vec::new(),
        })
    }

    /// An expression as a statement: evaluated at the prompt, refused in a file.
    pub(super) fn bare_expression(&self, place: Place) -> Option<StatementKind> {
        let mut inner = self.entry(Rule::expression_line)?;
        let expression = self.next_ranged(&mut inner);
        if place == Place::File {
            let span = self.span(0, self.text.len());
            self.problem(diagnose::bare_expression(self.text, span));
        }
        Some(StatementKind::Expression(expression))
    }

    fn subject(&self, pair: Pair<'_, Rule>) -> Option<Subject> {
        if pair.as_rule() != Rule::subject {
            return None;
        }
        let mut values = pair
            .into_inner()
            .filter(|part| part.as_rule() == Rule::ranged)
            .map(|part| self.ranged(part));
        Some(Subject {
            value: values.next()?,
            versus: values.next(),
        })
    }

    // ---- options ----

    /// The options among the parts of a statement.
    pub(super) fn options_in(&self, parts: Pairs<'_, Rule>) -> Vec<SentenceOption> {
        let holds =
            |part: &Pair<'_, Rule>| matches!(part.as_rule(), Rule::options | Rule::close_options);
        parts
            .filter(holds)
            .flat_map(|part| self.options(part.into_inner()))
            .collect()
    }

    /// All `Rule::option` parts.
    pub(super) fn options(&self, parts: Pairs<'_, Rule>) -> Vec<SentenceOption> {
        parts
            .filter(|part| part.as_rule() == Rule::option)
            .filter_map(|part| self.option(part))
            .collect()
    }

    fn option(&self, pair: Pair<'_, Rule>) -> Option<SentenceOption> {
        let span = self.span_of(&pair);
        let (mut word, mut values, mut bindings) = (None, Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::option_word => word = Some(self.any_name(&part)),
                Rule::ranged => values.push(self.option_value(part)),
                Rule::binding => bindings.extend(self.binding(part)),
                Rule::bindings => bindings.extend(self.bindings(part)),
                _ => {}
            }
        }
        Some(SentenceOption {
            span,
            word: word?,
            values,
            bindings,
        })
    }

    /// The value of an option may be any word by itself: `by condition`, `over time`.
    fn option_value(&self, pair: Pair<'_, Rule>) -> Expr {
        if super::is_reserved(pair.as_str().trim_end()) {
            return self.word_value(&pair);
        }
        self.ranged(pair)
    }

    /// A word as a reference, whatever it is.
    fn word_value(&self, pair: &Pair<'_, Rule>) -> Expr {
        let span = self.span_of(pair);
        let name = Name {
            text: pair.as_str().trim_end().replace('`', ""),
            span,
        };
        let indices = Vec::new();
        Expr {
            span,
            kind: ExprKind::Reference(Reference {
                span,
                name,
                indices,
            }),
        }
    }

    // ---- bindings ----

    /// `(k = 3, m = 4)`
    pub(super) fn bindings(&self, pair: Pair<'_, Rule>) -> Vec<Binding> {
        pair.into_inner()
            .filter(|part| part.as_rule() == Rule::binding)
            .filter_map(|part| self.binding(part))
            .collect()
    }

    /// `k = 3`; the names of columns may be reserved words: `(time = year)`.
    fn binding(&self, pair: Pair<'_, Rule>) -> Option<Binding> {
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::primed => name = Some(self.bound_name(part)),
                Rule::ranged => value = Some(self.option_value(part)),
                Rule::words => value = Some(self.words(part)),
                _ => {}
            }
        }
        Some(Binding {
            name: name?,
            value: value?,
        })
    }

    /// `k`, `y[2]`, or `theta'`, a velocity that is a state of its own.
    fn bound_name(&self, pair: Pair<'_, Rule>) -> Reference {
        let span = self.span_of(&pair);
        let (mut reference, primes) = self.primed(pair);
        if primes > 0 {
            reference
                .name
                .text
                .push_str(&"'".repeat(usize::from(primes)));
            reference.name.span = span;
            reference.span = span;
        }
        reference
    }

    /// `stable spiral`
    fn words(&self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span_of(&pair);
        let words = pair
            .into_inner()
            .filter(|part| part.as_rule() == Rule::name)
            .map(|part| self.any_name(&part))
            .collect();
        Expr {
            span,
            kind: ExprKind::Words(words),
        }
    }
}
