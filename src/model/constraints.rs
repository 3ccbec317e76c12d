//! Constraints, `0 = A + B - total`, and the states that they govern.
//!
//! A state without an equation of its own is algebraic when the model has constraints. Enters:
//! statements. Leaves: [`Constraint`]s, and which states are algebraic. Whether the constraints
//! determine them is not decided here.

use super::collect::Draft;
use super::elaborate::Scope;
use super::rules::Rules;
use super::{Constraint, StateId};
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::source::Span;
use crate::symbolic::SymbolId;
use crate::syntax::tree::{self, DeclareKind, EquationLeft, StatementKind};
use rustc_hash::FxHashSet;

/// Places that are pointed at; more would hide the message.
const MOST_PLACES: usize = 6;

impl<'t> Draft<'t> {
    /// Finds the states that constraints govern: before any value is read, since their initial
    /// values are guesses, which need not be given.
    pub(super) fn find_algebraic(&mut self, file: &tree::File) {
        let mut has_constraint = false;
        let mut governed: FxHashSet<&str> = FxHashSet::default();
        let mut pending: Vec<&tree::Statement> = file.statements.iter().collect();
        while let Some(statement) = pending.pop() {
            match &statement.kind {
                StatementKind::Equation {
                    left: EquationLeft::Zero(_),
                    ..
                } => has_constraint = true,
                StatementKind::Equation {
                    left: EquationLeft::Derivative { target, .. } | EquationLeft::Next(target),
                    ..
                } => {
                    governed.insert(&target.name.text);
                }
                StatementKind::For { body, .. } => pending.extend(body),
                _ => {}
            }
        }
        self.has_constraint = has_constraint;
        if !has_constraint {
            return;
        }
        for (at, state) in self.states.iter().enumerate() {
            let base = state.item.name.name.text.as_str();
            if state.kind == DeclareKind::State && !governed.contains(base) {
                self.algebraic.insert(StateId::new(at));
                self.names.call_it(&state.name, "an algebraic state");
            }
        }
    }

    /// Takes up one constraint.
    pub(super) fn constraint(
        &mut self,
        scope: &Scope,
        right: &tree::Expr,
        span: Span,
        constraints: &mut Vec<Constraint>,
    ) {
        if let Some(residual) = self.with_elaborator(|e| e.number(scope, right)) {
            constraints.push(Constraint { residual, span });
        }
    }

    /// There must be as many numbers in the constraints as in the algebraic states.
    pub(super) fn count_constraints(&mut self, rules: &Rules) {
        let numbers: usize = rules
            .constraints
            .iter()
            .map(|constraint| self.pool.shape(constraint.residual).len())
            .sum();
        let unknowns: Vec<(StateId, SymbolId)> = (0..self.states.len())
            .map(StateId::new)
            .filter(|state| self.algebraic.contains(state))
            .filter_map(|state| Some((state, self.names.states[state.index()].symbol?)))
            .collect();
        let unknown: usize = unknowns
            .iter()
            .map(|(_, symbol)| self.pool.symbol_data(*symbol).shape.len())
            .sum();
        if numbers == unknown {
            return;
        }
        let mut places: Vec<(Span, String)> = rules
            .constraints
            .iter()
            .map(|constraint| {
                let size = self.pool.shape(constraint.residual).len();
                (constraint.span, format!("a constraint{}", of_several(size)))
            })
            .collect();
        places.extend(unknowns.iter().map(|(state, symbol)| {
            let size = self.pool.symbol_data(*symbol).shape.len();
            let span = self.states[state.index()].item.span;
            (span, format!("without an equation{}", of_several(size)))
        }));
        let names: Vec<String> = unknowns
            .iter()
            .map(|(state, _)| format!("`{}`", self.states[state.index()].name))
            .collect();
        let mut diagnostic = Diagnostic::new(
            Code::ConstraintCount,
            format!(
                "{} for {}",
                counted(numbers, "constraint"),
                match unknown {
                    0 => "no state without an equation of its own".to_owned(),
                    _ => format!(
                        "{} without an equation of {} own: {}",
                        counted(unknown, "state"),
                        if unknown == 1 { "its" } else { "their" },
                        listed(&names)
                    ),
                }
            ),
        );
        for (span, text) in places.into_iter().take(MOST_PLACES) {
            diagnostic = diagnostic.at(span, text);
        }
        self.diagnostics
            .push(diagnostic.help(advice(numbers, unknown, &names)));
    }
}

fn advice(numbers: usize, unknown: usize, names: &[String]) -> String {
    match (numbers > unknown, unknown) {
        (true, 0) => "a constraint determines a state that has no equation `x' = ...`: remove the constraint, or the equation of the state that it is to determine".to_owned(),
        (true, _) => format!(
            "remove {}, or the {} `x' = ...` of as many states",
            counted(numbers - unknown, "constraint"),
            if numbers - unknown == 1 { "equation" } else { "equations" },
        ),
        (false, _) => format!(
            "add {}, or write {} as in `{}' = ...`",
            counted(unknown - numbers, "constraint"),
            if unknown - numbers == 1 { "an equation" } else { "equations" },
            names.first().map_or("x", |name| name.trim_matches('`')),
        ),
    }
}

fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

/// A vector counts as often as it has elements.
fn of_several(size: usize) -> String {
    match size {
        1 => String::new(),
        _ => format!(", {size} numbers"),
    }
}
