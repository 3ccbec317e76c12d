//! Loops are unrolled into single statements, each with the numbers of its loop variables.

use super::ConditionId;
use super::collect::{Draft, not_modelled};
use super::doses::primed;
use super::elaborate::{Elaborator, Scope};
use super::names::Entity;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind, StatementKind};

/// One statement with the loop variables that it sees.
pub(super) struct Instance<'t> {
    pub scope: Scope,
    pub statement: &'t tree::Statement,
    /// The condition that it stands in.
    pub within: Option<ConditionId>,
}

/// What a statement stands in, loops not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The model itself.
    Model,
    /// The block of a condition.
    Condition(ConditionId),
    /// The block of an event.
    Event,
}

impl Place {
    /// The block of this condition, or the model.
    pub fn of(condition: Option<ConditionId>) -> Place {
        condition.map_or(Place::Model, Place::Condition)
    }

    /// Whether a statement may stand there.
    fn holds(self, kind: &StatementKind) -> bool {
        use tree::EquationLeft::Derivative;
        match kind {
            StatementKind::Dose { .. } => true,
            StatementKind::When { .. } | StatementKind::At { .. } | StatementKind::Every { .. } => {
                self != Place::Event
            }
            StatementKind::Equation { left, .. } => {
                self == Place::Model || matches!(left, Derivative { .. })
            }
            StatementKind::Reaction(_) | StatementKind::Assert(_) => self == Place::Model,
            StatementKind::Assign { .. } => self != Place::Model,
            StatementKind::NoDoses => matches!(self, Place::Condition(_)),
            _ => false,
        }
    }

    fn refusal(self, kind: &StatementKind) -> (&'static str, &'static str, &'static str) {
        match (self, kind) {
            (Place::Model, _) => (
                "a loop holds equations, reactions, assertions, events, doses and loops only",
                "belongs before the loop",
                "declare vectors over an index set, as in `state u[cell] = 0`",
            ),
            (Place::Condition(_), StatementKind::Equation { .. } | StatementKind::Reaction(_)) => (
                "a condition holds values, events and doses only",
                "holds in every condition",
                "let a parameter switch it on, and set the parameter in the condition",
            ),
            (Place::Condition(_), _) => (
                "a condition holds values, events and doses only",
                "belongs outside of the condition",
                "as in `condition knockout { k = 0; dose 10 into C at 0 }`",
            ),
            (
                Place::Event,
                StatementKind::When { .. } | StatementKind::At { .. } | StatementKind::Every { .. },
            ) => (
                "an event sets values and gives doses only",
                "an event within an event",
                "write it beside the first; a parameter that the first sets can be part of its condition",
            ),
            (Place::Event, StatementKind::Equation { .. } | StatementKind::Reaction(_)) => (
                "an event sets values and gives doses only",
                "holds at all times",
                "write it outside of the block, with a parameter that the event sets",
            ),
            (Place::Event, _) => (
                "an event sets values and gives doses only",
                "belongs outside of the block",
                "as in `when x > 1 { x = 0; k = 2*k; dose 10 into C }`",
            ),
        }
    }
}

/// More statements than this is a slip, not a model.
const MOST_INSTANCES: usize = 1_000_000;

impl<'t> Draft<'t> {
    /// All rules with their loops unrolled, in the order of the text.
    pub fn unroll(&mut self) -> Vec<Instance<'t>> {
        let mut instances = Vec::with_capacity(self.rules.len());
        for statement in std::mem::take(&mut self.rules) {
            let StatementKind::Condition { name, body } = &statement.kind else {
                self.unroll_statement(Place::Model, &Scope::default(), statement, &mut instances);
                continue;
            };
            let place = match self.names.get(&name.text) {
                Some(Entity::Condition(id)) => Place::Condition(id),
                // Another thing goes by this name, which has been reported.
                _ => continue,
            };
            for inner in body {
                self.unroll_statement(place, &Scope::default(), inner, &mut instances);
            }
        }
        instances
    }

    pub fn unroll_statement(
        &mut self,
        place: Place,
        scope: &Scope,
        statement: &'t tree::Statement,
        instances: &mut Vec<Instance<'t>>,
    ) {
        match &statement.kind {
            StatementKind::For {
                variable,
                range,
                body,
            } => self.unroll_loop(place, scope, variable, range, body, instances),
            kind if place.holds(kind) && instances.len() >= MOST_INSTANCES => {
                self.diagnostics.push(
                    Diagnostic::new(Code::BadIndex, "these loops are too long")
                        .at(
                            statement.span,
                            format!("repeated more than {MOST_INSTANCES} times"),
                        )
                        .help("the rounds of nested loops multiply"),
                );
            }
            kind if place.holds(kind) => instances.push(Instance {
                scope: scope.clone(),
                statement,
                within: match place {
                    Place::Condition(id) => Some(id),
                    Place::Model | Place::Event => None,
                },
            }),
            other => {
                self.refuse_names(other);
                self.misplaced(place, statement);
            }
        }
    }

    fn misplaced(&mut self, place: Place, statement: &tree::Statement) {
        let (message, label, help) = place.refusal(&statement.kind);
        self.diagnostics.push(
            Diagnostic::new(Code::ForeignClause, message)
                .at(statement.span, label)
                .help(help),
        );
    }

    /// `theta' = 0` in a block sets a velocity, which is a state of its own; any other `x' = ...`
    /// is an equation, which holds at all times.
    pub fn velocity(
        &mut self,
        place: Place,
        statement: &tree::Statement,
        target: &tree::Reference,
        order: u8,
        span: Span,
    ) -> Option<tree::Reference> {
        let velocity = primed(target, order, span);
        if matches!(self.names.get(&velocity.name.text), Some(Entity::State(_))) {
            return Some(velocity);
        }
        self.misplaced(place, statement);
        None
    }

    /// Remembers what a misplaced declaration names, so that its uses are not reported as well.
    fn refuse_names(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::Declare { items, .. } => {
                for item in items {
                    self.names.refuse(&item.name.name.text);
                }
            }
            StatementKind::Let { name, .. } => self.names.refuse(&name.name.text),
            StatementKind::Function { name, .. } => self.names.refuse(&name.text),
            _ => {}
        }
    }

    /// Gives up the states whose equations stand in the body of a loop at fault.
    fn abandon_all(&mut self, body: &[tree::Statement]) {
        for statement in body {
            match &statement.kind {
                StatementKind::Equation { left, .. } => {
                    if let Some(target) = left.target() {
                        self.abandon(&target.name.text);
                    }
                }
                StatementKind::For { body, .. } => self.abandon_all(body),
                _ => {}
            }
        }
    }

    fn unroll_loop(
        &mut self,
        place: Place,
        scope: &Scope,
        variable: &'t tree::Name,
        range: &'t tree::Expr,
        body: &'t [tree::Statement],
        instances: &mut Vec<Instance<'t>>,
    ) {
        if let Some(declared) = self.names.declared_at(&variable.text) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::Duplicate,
                    format!(
                        "the loop variable `{}` is also {}",
                        variable.text,
                        self.names.describe(&variable.text)
                    ),
                )
                .at(variable.span, "would hide it")
                .at(declared, "declared here")
                .help("give the loop variable another name"),
            );
            self.abandon_all(body);
            return;
        }
        let Some((first, last)) = self.with_elaborator(|e| e.loop_range(scope, range)) else {
            self.abandon_all(body);
            return;
        };
        let count = usize::try_from(last - first + 1).unwrap_or(0);
        if count
            .saturating_mul(body.len())
            .saturating_add(instances.len())
            > MOST_INSTANCES
        {
            self.diagnostics.push(
                Diagnostic::new(Code::BadIndex, "this loop is too long")
                    .at(range.span, format!("from {first} to {last}"))
                    .help("a vector needs no loop: an equation may stand for all of it, as in `u' = -k*u`"),
            );
            self.abandon_all(body);
            return;
        }
        for number in first..=last {
            let inner = scope.with_number(&variable.text, number);
            let before = self.diagnostics.len();
            for statement in body {
                self.unroll_statement(place, &inner, statement, instances);
            }
            if self.diagnostics.len() > before {
                // The next rounds would say the same.
                self.abandon_all(body);
                return;
            }
        }
    }

    /// Declares the fluxes of reactions that are named with an index: `flow[i]: ...`.
    pub fn declare_indexed_fluxes(&mut self, instances: &[Instance<'t>]) {
        for instance in instances {
            let StatementKind::Reaction(reaction) = &instance.statement.kind else {
                continue;
            };
            let Some(name) = &reaction.name else { continue };
            let [index] = name.indices.as_slice() else {
                if !name.indices.is_empty() {
                    self.diagnostics.push(
                        not_modelled("reactions named with several indices").at(name.span, ""),
                    );
                }
                continue;
            };
            let Some(number) = self.with_elaborator(|e| e.whole_number(&instance.scope, index))
            else {
                continue;
            };
            if let Some(earlier) = self.names.declared_at(&name.name.text) {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::Duplicate,
                        format!("`{}` is declared twice", name.name.text),
                    )
                    .at(name.span, "declared again here")
                    .at(earlier, "already declared here"),
                );
                continue;
            }
            let id = self.add_flux(&format!("{}[{number}]", name.name.text), name.span);
            if !self.names.add_indexed_flux(&name.name.text, number, id) {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::Duplicate,
                        format!(
                            "the reaction `{}[{number}]` is declared twice",
                            name.name.text
                        ),
                    )
                    .at(name.span, "again here"),
                );
            }
        }
    }
}

impl Elaborator<'_> {
    /// What a loop runs over: a range of constants, or a numeric index set.
    fn loop_range(&mut self, scope: &Scope, range: &tree::Expr) -> Option<(i64, i64)> {
        if let ExprKind::Reference(reference) = &range.kind
            && reference.indices.is_empty()
            && let Some(Entity::IndexSet(id)) = self.names.get(&reference.name.text)
        {
            let set = self.names.index_set(id);
            let count = i64::try_from(set.len()).unwrap_or(i64::MAX);
            let first = match set.members {
                super::names::Members::Numbers { first, .. } => first,
                super::names::Members::Labels(_) => 1,
            };
            return Some((first, first + count - 1));
        }
        self.whole_range(scope, range)
    }
}
