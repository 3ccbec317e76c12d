//! Loops are unrolled into single statements, each with the numbers of its loop variables.

use super::collect::{Draft, not_modelled};
use super::elaborate::{Elaborator, Scope};
use super::names::Entity;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::tree::{self, ExprKind, StatementKind};

/// One statement with the loop variables that it sees.
pub(super) struct Instance<'t> {
    pub scope: Scope,
    pub statement: &'t tree::Statement,
}

/// More statements than this is a slip, not a model.
const MOST_INSTANCES: usize = 1_000_000;

impl<'t> Draft<'t> {
    /// All rules with their loops unrolled, in the order of the text.
    pub fn unroll(&mut self) -> Vec<Instance<'t>> {
        let mut instances = Vec::with_capacity(self.rules.len());
        for statement in std::mem::take(&mut self.rules) {
            self.unroll_statement(&Scope::default(), statement, &mut instances);
        }
        instances
    }

    fn unroll_statement(
        &mut self,
        scope: &Scope,
        statement: &'t tree::Statement,
        instances: &mut Vec<Instance<'t>>,
    ) {
        match &statement.kind {
            StatementKind::For {
                variable,
                range,
                body,
            } => self.unroll_loop(scope, variable, range, body, instances),
            StatementKind::Equation { .. }
            | StatementKind::Reaction(_)
            | StatementKind::Assert(_)
                if instances.len() >= MOST_INSTANCES =>
            {
                self.diagnostics.push(
                    Diagnostic::new(Code::BadIndex, "these loops are too long")
                        .at(
                            statement.span,
                            format!("repeated more than {MOST_INSTANCES} times"),
                        )
                        .help("the rounds of nested loops multiply"),
                );
            }
            StatementKind::Equation { .. }
            | StatementKind::Reaction(_)
            | StatementKind::Assert(_) => instances.push(Instance {
                scope: scope.clone(),
                statement,
            }),
            other => {
                self.refuse_names(other);
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::ForeignClause,
                        "a loop holds equations, reactions, assertions and loops only",
                    )
                    .at(statement.span, "belongs before the loop")
                    .help("declare vectors over an index set, as in `state u[cell] = 0`"),
                );
            }
        }
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
                self.unroll_statement(&inner, statement, instances);
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
