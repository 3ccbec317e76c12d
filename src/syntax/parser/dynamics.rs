//! What moves a model: equations, reactions, and interruptions with the heads of their blocks.
//!
//! Enters: a statement whose class is known. Leaves: a [`StatementKind`]; blocks come with an empty
//! body, which is filled when their brace closes. Must not know what is governed by what.

use super::{Reader, Rule};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::tree::{EquationLeft, Expr, Law, Reaction, StatementKind, Term};
use pest::iterators::{Pair, Pairs};

impl Reader<'_> {
    /// `x' = ...`, and `x = ...`, which sets a value.
    pub(super) fn equation(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::equation_line)?;
        let left = inner.clone().next()?;
        let span = self.span_of(&left);
        let (target, order) = self.target(left);
        let value = self.only_simple(inner)?;
        if order == 0 {
            return Some(StatementKind::Assign { target, value });
        }
        let left = EquationLeft::Derivative {
            target,
            order,
            span,
        };
        Some(StatementKind::Equation { left, right: value })
    }

    /// `0 = ...`
    pub(super) fn zero(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::zero_line)?;
        let zero = inner.clone().next()?;
        let left = EquationLeft::Zero(self.span_of(&zero));
        let right = self.only_simple(inner)?;
        Some(StatementKind::Equation { left, right })
    }

    /// `next w = ...` and `history x = ...`
    fn governed(&self, rule: Rule) -> Option<StatementKind> {
        let inner = self.entry(rule)?;
        let target = inner
            .clone()
            .find(|part| part.as_rule() == Rule::reference)
            .map(|part| self.target(part).0)?;
        let left = match rule {
            Rule::next_line => EquationLeft::Next(target),
            _ => EquationLeft::History(target),
        };
        let right = self.only_simple(inner)?;
        Some(StatementKind::Equation { left, right })
    }

    // ---- reactions ----

    /// `exchange: C1 <-> C2, k1, k2`
    pub(super) fn reaction(&self) -> Option<StatementKind> {
        let (mut name, mut arrow, mut law) = (None, None, None);
        let mut sides = Vec::new();
        for part in self.entry(Rule::reaction_line)? {
            match part.as_rule() {
                Rule::reference => name = Some(self.declared_reference(part)),
                Rule::side => sides.push(self.side(part)),
                Rule::arrow => arrow = Some((self.span_of(&part), part.as_str() == "<->")),
                Rule::rate_law => law = Some(Law::Rate(self.only_simple(part.into_inner())?)),
                Rule::mass_action => law = self.mass_action(part),
                _ => {}
            }
        }
        let (arrow, reversible) = arrow?;
        let mut sides = sides.into_iter();
        let reaction = Reaction {
            name,
            left: sides.next()?,
            right: sides.next()?,
            reversible,
            arrow,
            law: law?,
        };
        self.check_constants(&reaction);
        Some(StatementKind::Reaction(reaction))
    }

    fn side(&self, pair: Pair<'_, Rule>) -> Vec<Term> {
        pair.into_inner()
            .filter(|part| part.as_rule() == Rule::term)
            .filter_map(|part| self.term(part))
            .collect()
    }

    fn term(&self, pair: Pair<'_, Rule>) -> Option<Term> {
        let span = self.span_of(&pair);
        let mut coefficient = 1.0;
        let mut species = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::coefficient => coefficient = self.value(&part),
                Rule::reference => species = Some(self.target(part).0),
                _ => {}
            }
        }
        Some(Term {
            span,
            coefficient,
            species: species?,
        })
    }

    fn mass_action(&self, pair: Pair<'_, Rule>) -> Option<Law> {
        let mut constants = pair
            .into_inner()
            .filter(|part| part.as_rule() == Rule::simple)
            .map(|part| self.simple(part));
        Some(Law::MassAction {
            forward: constants.next()?,
            backward: constants.next(),
        })
    }

    /// Mass action needs one constant per direction.
    fn check_constants(&self, reaction: &Reaction) {
        let Law::MassAction { forward, backward } = &reaction.law else {
            return;
        };
        let problem = match (reaction.reversible, backward) {
            (true, None) => Diagnostic::new(
                Code::Unexpected,
                "a reversible reaction needs two constants",
            )
            .at(forward.span, "the forward constant")
            .at(reaction.arrow, "goes both ways")
            .help("write `, forward, backward`, or `, rate` and the net flux"),
            (false, Some(backward)) => Diagnostic::new(
                Code::Unexpected,
                "a reaction in one direction has one constant",
            )
            .at(backward.span, "a second constant")
            .at(reaction.arrow, "goes one way")
            .help("write `<->` if it goes both ways"),
            _ => return,
        };
        self.problem(problem);
    }

    // ---- interruptions ----

    /// The declaration words that interrupt, and `next` and `history`. `head` says that a block
    /// follows.
    pub(super) fn interruption(&self, word: &str, head: bool) -> Option<StatementKind> {
        let kind = match word {
            "next" => return self.governed(Rule::next_line),
            "history" => return self.governed(Rule::history_line),
            "dose" => return self.dose(),
            "no" => {
                self.entry(Rule::no_doses_line)?;
                return Some(StatementKind::NoDoses);
            }
            "when" => self.when(),
            "at" => self.at(),
            "every" => self.every(),
            "condition" => self.condition(),
            _ => self.for_loop(),
        }?;
        if !head {
            let end = self.text.len();
            let problem = Diagnostic::new(Code::Unexpected, format!("`{word}` needs a block"))
                .at(self.span(end, end), "expected `{`")
                .help(format!(
                    "write what happens in braces: `{} {{ ... }}`",
                    self.text
                ));
            self.problem(problem);
        }
        Some(kind)
    }

    fn when(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::when_head)?;
        Some(StatementKind::When {
            condition: self.only_simple(inner.clone())?,
            options: self.options_in(inner),
            body: Vec::new(),
        })
    }

    fn at(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::at_head)?;
        Some(StatementKind::At {
            times: self.all_ranged(inner.clone()),
            options: self.options_in(inner),
            body: Vec::new(),
        })
    }

    fn every(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::every_head)?;
        Some(StatementKind::Every {
            period: self.only_simple(inner.clone())?,
            options: self.options_in(inner),
            body: Vec::new(),
        })
    }

    fn condition(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::condition_head)?;
        Some(StatementKind::Condition {
            name: self.names(inner).into_iter().next()?,
            body: Vec::new(),
        })
    }

    fn for_loop(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::for_head)?;
        Some(StatementKind::For {
            variable: self.names(inner.clone()).into_iter().next()?,
            range: self.all_ranged(inner).into_iter().next()?,
            body: Vec::new(),
        })
    }

    fn dose(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::dose_line)?;
        Some(StatementKind::Dose {
            amount: self.only_simple(inner.clone())?,
            options: self.options_in(inner),
        })
    }

    fn all_ranged(&self, parts: Pairs<'_, Rule>) -> Vec<Expr> {
        parts
            .filter(|part| part.as_rule() == Rule::ranged)
            .map(|part| self.ranged(part))
            .collect()
    }
}
