//! Maps: models whose equations `next x = ...` give the state after one step.
//!
//! A model is a flow or a map. Enters: statements. Leaves: which of the two the model is, and what
//! stands in a map that only flows can have. Must not know how maps are iterated.

use super::collect::Draft;
use super::elaborate::{Elaborator, Quantity, Scope};
use super::names::Entity;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{self, EquationLeft, StatementKind};

/// What the equations of a model give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Motion {
    /// The rate of change of each state: `x' = ...`, reactions.
    #[default]
    Flow,
    /// The state after one step: `next x = ...`. The independent variable is `n`, which counts
    /// the steps.
    Map,
}

impl Motion {
    /// The name of the independent variable.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Motion::Flow => "t",
            Motion::Map => "n",
        }
    }
}

/// The first `next x = ...` of a file's statements.
pub(super) fn first_next(statements: &[tree::Statement]) -> Option<Span> {
    let mut pending: Vec<&tree::Statement> = statements.iter().rev().collect();
    while let Some(statement) = pending.pop() {
        match &statement.kind {
            StatementKind::Equation {
                left: EquationLeft::Next(_),
                ..
            } => return Some(statement.span),
            StatementKind::For { body, .. } => pending.extend(body.iter().rev()),
            _ => {}
        }
    }
    None
}

/// What only flows have: how it is called, what is said under it, and what to do.
type Foreign = (&'static str, &'static str, &'static str);

const DERIVATIVE: Foreign = (
    "a model is a flow or a map, not both",
    "a rate of change",
    "write every equation with `next`, or every one as `x' = ...`",
);
const PRIME: Foreign = (
    "a map has no velocities",
    "a derivative",
    "keep the earlier value in a state of its own, as in `next before = x`",
);
const SPECIES: Foreign = (
    "a map has no species",
    "what reactions change",
    "declare it as a `state`, and write `next x = ...`",
);
const COMPARTMENT: Foreign = (
    "a map has no compartments",
    "a volume for reactions",
    "declare it as a `param`",
);
const REACTION: Foreign = (
    "a map has no reactions",
    "it changes species at a rate",
    "write what one step does to each state, as in `next x = x - k*x`",
);
const DOSE: Foreign = (
    "a map takes no doses",
    "a dose",
    "give it by an event, as in `at 10 { x = x + 5 }`",
);
const CONSTRAINT: Foreign = (
    "a map has no constraints",
    "a constraint",
    "solve it for one of the quantities, and define that with `let`",
);
const HISTORY: Foreign = (
    "a map has no delays",
    "what was before the start",
    "keep the earlier value in a state of its own, as in `next before = x`",
);
const NOISE: Foreign = (
    "a map takes no noise",
    "noise in continuous time",
    "remove it, or write the model with derivatives, `x' = ...`",
);
const INPUT: Foreign = (
    "a map takes no inputs",
    "a course in continuous time",
    "write the values as a formula of `n`, which counts the steps, or set them by events: `at 10 { k = 2 }`",
);

impl<'t> Draft<'t> {
    /// Reports what a map cannot have; true for such a statement. Its names are remembered, so
    /// that their uses are not reported as well.
    pub(super) fn foreign_to_maps(&mut self, statement: &'t tree::Statement) -> bool {
        if self.names.map_at().is_none() {
            return false;
        }
        let foreign = match &statement.kind {
            StatementKind::Equation {
                left: EquationLeft::Derivative { target, order, .. },
                ..
            } => {
                self.abandon(&target.name.text);
                if *order > 1 { PRIME } else { DERIVATIVE }
            }
            StatementKind::Equation {
                left: EquationLeft::Zero(_),
                ..
            } => CONSTRAINT,
            StatementKind::Equation {
                left: EquationLeft::History(_),
                ..
            } => HISTORY,
            StatementKind::Reaction(reaction) => {
                if let Some(name) = &reaction.name {
                    self.names.refuse(&name.name.text);
                }
                REACTION
            }
            StatementKind::Dose { .. } | StatementKind::NoDoses => DOSE,
            StatementKind::Wiener { names, .. } => {
                for name in names {
                    self.names.refuse(&name.name.text);
                }
                NOISE
            }
            StatementKind::Noise { .. } => NOISE,
            StatementKind::Input { name, .. } => {
                self.names.refuse(&name.name.text);
                INPUT
            }
            _ => return false,
        };
        self.foreign(foreign, statement.span);
        true
    }

    /// Reports a declaration that a map cannot have.
    pub(super) fn declaration_foreign_to_maps(
        &mut self,
        kind: tree::DeclareKind,
        item: &tree::Declaration,
        name: &str,
    ) {
        if self.names.map_at().is_none() {
            return;
        }
        match kind {
            tree::DeclareKind::Species => self.foreign(SPECIES, item.span),
            tree::DeclareKind::Compartment => self.foreign(COMPARTMENT, item.span),
            tree::DeclareKind::State if item.primes > 0 => {
                self.abandon(name);
                self.foreign(PRIME, item.span);
            }
            tree::DeclareKind::State
            | tree::DeclareKind::Parameter
            | tree::DeclareKind::Covariate => {}
        }
    }

    fn foreign(&mut self, (message, label, help): Foreign, span: Span) {
        let mut diagnostic = Diagnostic::new(Code::NotForMaps, message).at(span, label);
        if let Some(map) = self.names.map_at() {
            diagnostic = diagnostic.at(map, "this makes the model a map");
        }
        let diagnostic = diagnostic.help(help);
        // Once for each kind: the second reaction is no other problem than the first.
        let known = (self.diagnostics.iter())
            .any(|known| known.code == diagnostic.code && known.message == diagnostic.message);
        if known {
            self.silent_faults += 1;
        } else {
            self.diagnostics.push(diagnostic);
        }
    }
}

impl Elaborator<'_> {
    /// `next m` in an expression: the new value of `m`.
    pub(super) fn next_value(
        &mut self,
        scope: &Scope,
        target: &tree::Reference,
        span: Span,
    ) -> Option<Quantity> {
        let name = &target.name.text;
        let own = next_name(name);
        if matches!(self.names.get(&own), Some(Entity::Definition(_))) {
            let renamed = tree::Reference {
                span,
                name: tree::Name {
                    text: own,
                    span: target.name.span,
                },
                indices: target.indices.clone(),
            };
            return self.reference(scope, &renamed);
        }
        match self.names.get(name) {
            None => self.unknown_name(&target.name),
            Some(Entity::State(_)) if self.names.map_at().is_none() => self.report(
                Diagnostic::new(Code::NotForMaps, format!("`{name}` has no next value"))
                    .at(span, "this model is a flow: it moves without steps")
                    .help(format!(
                        "its rate of change is `{name}'`; a map is written with `next {name} = ...`"
                    )),
            ),
            Some(Entity::State(_)) => {
                let drift = self.names.drift(name)?;
                let element = self.single_element(scope, target)?;
                Some(Quantity::number(match element {
                    Some(at) => self.pool.element(drift, at),
                    None => drift,
                }))
            }
            Some(_) => self.report(
                Diagnostic::new(Code::WrongKind, format!("`{name}` has no next value"))
                    .at(span, format!("`{name}` is {}", self.names.describe(name)))
                    .help("only what an equation `next x = ...` governs has one"),
            ),
        }
    }

    /// `x'` in a map.
    pub(super) fn no_derivative_in_maps<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let mut diagnostic = Diagnostic::new(
            Code::NotForMaps,
            format!("`{name}` has no derivative: the model is a map"),
        )
        .at(span, "a rate of change");
        if let Some(map) = self.names.map_at().filter(|_| !self.in_sentence) {
            diagnostic = diagnostic.at(map, "this makes the model a map");
        }
        self.report(diagnostic.help(format!("`next {name} - {name}` is its change in one step")))
    }

    /// `x(n - 1)`, `x(t - tau)` in a map.
    pub(super) fn no_delay_in_maps<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let mut diagnostic =
            Diagnostic::new(Code::NotForMaps, "a map has no delays").at(span, "an earlier value");
        if let Some(map) = self.names.map_at().filter(|_| !self.in_sentence) {
            diagnostic = diagnostic.at(map, "this makes the model a map");
        }
        self.report(diagnostic.help(format!(
            "keep the value of the step before in a state of its own, as in `next before = {name}`"
        )))
    }
}

/// The name under which a new value is known in expressions.
pub(super) fn next_name(state: &str) -> String {
    format!("next {state}")
}
