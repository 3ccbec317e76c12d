//! The answers of analyses as text: steady states and measures.

use super::outcome::{counted, state_units};
use super::table::{Column, number, table};
use super::words;
use crate::analyze::{Eigenvalue, Reached, Stability};
use crate::session::SteadyAnswer;

/// Digits of single numbers.
const DIGITS: usize = 6;
/// A longer table is cut.
const MOST_STATES: usize = 100;

/// The states of a steady state, and how it was found.
pub(super) fn steady(answer: &SteadyAnswer, width: usize) -> String {
    let names = answer.compiled.state_names();
    let values = &answer.found.state;
    let shown = names.len().min(MOST_STATES);
    let units = state_units(&answer.compiled, shown);
    let mut columns = vec![
        Column::text("", names.get(..shown).unwrap_or_default().to_vec()),
        Column::numbers(
            "steady state",
            values.get(..shown).unwrap_or_default().to_vec(),
        ),
    ];
    if units.iter().any(|unit| !unit.is_empty()) {
        columns.push(Column::text("", units));
    }
    let mut text = table(&columns, width);
    if names.len() > shown {
        text.push_str(&format!("... and {} more states\n", names.len() - shown));
    }
    for line in [way(answer), stability(answer.found.stability), rest(answer)] {
        if !line.is_empty() {
            text.push_str(&words::wrapped(&line, width, "  "));
            text.push('\n');
        }
    }
    text
}

fn way(answer: &SteadyAnswer) -> String {
    let found = &answer.found;
    let newton = format!(
        "{} of Newton",
        counted(found.iterations as usize, "iteration", "iterations")
    );
    let how = match &found.reached {
        Reached::Present => format!("the present state, polished by {newton}"),
        Reached::After(time) => format!(
            "reached after a time of {} ({} steps), polished by {newton}",
            number(*time, 2),
            found.steps
        ),
        Reached::Not(_) => format!("found by {newton}; the system does not go there"),
        Reached::Unknown => format!(
            "found by {newton} with delayed values equal to the present ones; whether the system goes there was not followed"
        ),
    };
    let residual = if found.residual.value == 0.0 {
        "no derivative is left".to_owned()
    } else {
        format!(
            "largest derivative left: {} of {}",
            number(found.residual.value, 2),
            answer.compiled.state_name(found.residual.state)
        )
    };
    format!("{how}; {residual}")
}

fn stability(stability: Stability) -> String {
    match stability {
        Stability::Attracts(leading) => {
            format!(
                "attracts nearby states: leading eigenvalue {}",
                eigenvalue(leading)
            )
        }
        Stability::Repels(leading) => format!(
            "does not attract nearby states: leading eigenvalue {}",
            eigenvalue(leading)
        ),
        Stability::Undecided(leading) => format!(
            "the eigenvalues do not tell whether it attracts: the leading one is {}",
            eigenvalue(leading)
        ),
        Stability::Rigid => "the conserved sums leave no other state".to_owned(),
        Stability::Unknown => String::new(),
    }
}

fn eigenvalue(value: Eigenvalue) -> String {
    let real = number(value.real, 4);
    if value.imaginary == 0.0 {
        real
    } else {
        format!("{real} ± {}i", number(value.imaginary, 4))
    }
}

fn rest(answer: &SteadyAnswer) -> String {
    let (given, hidden) = answer.found.kept;
    let mut parts = Vec::new();
    if given + hidden > 0 {
        parts.push(format!(
            "{} kept as at the start",
            counted(given + hidden, "conserved sum", "conserved sums")
        ));
    }
    if !answer.left_out.is_empty() {
        parts.push(format!("{} are left out", answer.left_out.join(" and ")));
    }
    parts.join("; ")
}
