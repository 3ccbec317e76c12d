//! Constraints that do not determine the algebraic states, as diagnostics.
//!
//! Enters: a checked model. Leaves: at most one problem, with its line and what to do about it.
//! Must not know how it is found.

use crate::diagnostic::{Code, Diagnostic, listed};
use crate::model::{Model, StateId};
use crate::symbolic::Notation;
use crate::system::{self, IndexProblem};

/// What is wrong with the constraints of a model.
pub(super) fn problem(model: &Model) -> Option<Diagnostic> {
    let problem = system::structural_index(model).err()?;
    let equation = |constraint: usize| {
        let residual = model.constraints.get(constraint)?.residual;
        let text = model.print(&model.pool, residual, Notation::Text);
        Some(format!("`0 = {text}`"))
    };
    match problem {
        IndexProblem::Higher {
            constraint,
            differentiations,
            index,
            binds,
            undetermined,
        } => {
            let (bound, free) = (names(model, &binds), names(model, &undetermined));
            let times = match differentiations {
                1 => "once".to_owned(),
                2 => "twice".to_owned(),
                more => format!("{more} times"),
            };
            Some(
                Diagnostic::new(
                    Code::HigherIndex,
                    format!(
                        "{} does not determine {free}: the equations have index {index}, and \
                         only index 1 can be solved",
                        equation(constraint)?
                    ),
                )
                .at(
                    model.constraints.get(constraint)?.span,
                    format!("binds {bound}, which other equations determine"),
                )
                .help(format!(
                    "differentiate it {times} by time, put in the equations of the states, and \
                     write the result, which contains {free}, in its place; or choose states that \
                     satisfy it by themselves, as the angle of a pendulum does"
                )),
            )
        }
        IndexProblem::Overdetermined {
            constraint,
            binds,
            undetermined,
        } => {
            let label = if binds.is_empty() {
                "contains no state".to_owned()
            } else {
                format!("binds {}", names(model, &binds))
            };
            let free = names(model, &undetermined);
            Some(
                Diagnostic::new(
                    Code::ConstraintCount,
                    format!(
                        "{} is one equation too many for the states in it, and nothing \
                         determines {free}",
                        equation(constraint)?
                    ),
                )
                .at(model.constraints.get(constraint)?.span, label)
                .help(format!(
                    "each constraint must determine an algebraic state: write one that contains \
                     {free}"
                )),
            )
        }
    }
}

fn names(model: &Model, states: &[StateId]) -> String {
    let names = states.iter().filter_map(|id| model.states.get(id.index()));
    let names: Vec<String> = names.map(|state| format!("`{}`", state.name)).collect();
    listed(&names)
}
