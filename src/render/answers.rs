//! The answers of analyses as text: steady states and measures.

use super::class::class_words;
use super::outcome::{counted, state_units};
use super::table::{Column, number, table};
use super::words;
use crate::analyze::Measured;
use crate::analyze::{Eigenvalue, Reached, Stability, SteadyState};
use crate::session::{MeasuredRow, MeasuredRun, SteadyAnswer};
use crate::system::Motion;

/// Digits of measures.
const DIGITS: usize = 6;
/// An error smaller than this part of the number does not show in its digits.
const SHOWN: f64 = 5e-6;
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
    let motion = answer.compiled.system.motion;
    for line in [way(answer), stability(&answer.found, motion), rest(answer)] {
        if !line.is_empty() {
            text.push_str(&words::wrapped(&line, width, "  "));
            text.push('\n');
        }
    }
    text
}

fn way(answer: &SteadyAnswer) -> String {
    let found = &answer.found;
    let is_map = answer.compiled.system.motion == Motion::Map;
    let newton = format!(
        "{} of Newton",
        counted(found.iterations as usize, "iteration", "iterations")
    );
    let how = match &found.reached {
        Reached::Present => format!("the present state, polished by {newton}"),
        Reached::After(_) if is_map => {
            format!("reached within {} steps, polished by {newton}", found.steps)
        }
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
        if is_map {
            "nothing changes any more"
        } else {
            "no derivative is left"
        }
        .to_owned()
    } else {
        format!(
            "largest {} left: {} of {}",
            if is_map { "change" } else { "derivative" },
            number(found.residual.value, 2),
            answer.compiled.state_name(found.residual.state)
        )
    };
    format!("{how}; {residual}")
}

fn stability(found: &SteadyState, motion: Motion) -> String {
    let (of, its) = match motion {
        Motion::Flow => ("eigenvalue", "eigenvalues"),
        Motion::Map => ("multiplier", "multipliers"),
    };
    let words = found.class.as_ref().map_or(String::new(), class_words);
    let leading = |value| format!("leading {of} {}", eigenvalue(value));
    match found.stability {
        Stability::Attracts(value) => {
            format!("{words}: attracts nearby states, {}", leading(value))
        }
        Stability::Repels(value) => {
            format!(
                "{words}: does not attract nearby states, {}",
                leading(value)
            )
        }
        Stability::Undecided(value) => format!(
            "{words}: the {its} do not tell whether it attracts, the leading one is {}",
            eigenvalue(value)
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

/// One run: a measure in each line. Several: a subject in each line.
pub(super) fn measured(runs: &[MeasuredRun], width: usize) -> String {
    match runs {
        [run] => of_one(run, width),
        _ => of_each(runs, width),
    }
}

fn of_one(run: &MeasuredRun, width: usize) -> String {
    let column = |text: &dyn Fn(&MeasuredRow) -> String| run.rows.iter().map(text).collect();
    let mut columns = vec![
        Column::text("", column(&|row| row.label.clone())),
        Column::text("value", column(&|row| value(row.measured.as_ref()))),
    ];
    let units: Vec<String> = column(&|row| in_brackets(row.unit.as_deref()));
    if units.iter().any(|unit| !unit.is_empty()) {
        columns.push(Column::text("", units));
    }
    let times: Vec<String> = column(&|row| match row.measured.and_then(|found| found.at) {
        Some(time) => format!("{} = {}", run.variable, number(time, DIGITS)),
        None => String::new(),
    });
    if times.iter().any(|time| !time.is_empty()) {
        columns.push(Column::text("at", times));
    }
    table(&columns, width)
}

fn of_each(runs: &[MeasuredRun], width: usize) -> String {
    let subjects = runs
        .iter()
        .map(|run| run.subject.clone().unwrap_or_default());
    let mut columns = vec![Column::text("subject", subjects.collect())];
    let first = runs.first().map_or(&[][..], |run| run.rows.as_slice());
    for (at, row) in first.iter().enumerate() {
        let unit = in_brackets(row.unit.as_deref());
        let gap = if unit.is_empty() { "" } else { " " };
        let values = runs.iter().map(|run| {
            let found = run.rows.get(at).and_then(|row| row.measured.as_ref());
            value(found)
        });
        columns.push(Column::text(
            format!("{}{gap}{unit}", row.label),
            values.collect(),
        ));
    }
    table(&columns, width)
}

fn in_brackets(unit: Option<&str>) -> String {
    unit.map_or(String::new(), |unit| format!("[{unit}]"))
}

/// `12.345 ± 0.001`; the error only where it shows.
fn value(found: Option<&Measured>) -> String {
    let Some(found) = found else {
        return "–".to_owned();
    };
    if found.error > SHOWN * found.value.abs() {
        let digits = digits_for(found.value, found.error);
        format!(
            "{} ± {}",
            number(found.value, digits),
            number(found.error, 1)
        )
    } else {
        number(found.value, DIGITS)
    }
}

/// As many digits as the error leaves, and one more.
fn digits_for(value: f64, error: f64) -> usize {
    let ratio = (value / error).abs().log10();
    let digits = (1..=DIGITS).find(|digits| *digits as f64 > ratio + 1.0);
    digits.unwrap_or(DIGITS)
}
