//! Runs by subject as text: what they have in common, and a row for each.
//!
//! Enters: the runs of one sentence. Leaves: text. Must not know how they were made.

use super::outcome::{counted, interruptions};
use super::table::{Column, number, table};
use crate::session::Trajectory;
use crate::simulate::Occurrence;
use std::sync::Arc;

/// Subjects shown one by one; the others are counted.
const MOST_SUBJECTS: usize = 40;
/// Digits of times.
const DIGITS: usize = 6;

/// `simulated 12 subjects, t = 0 to 48 [h]: ...` with the states at the end of each.
pub fn simulated(runs: &[Arc<Trajectory>], width: usize) -> String {
    let Some(first) = runs.first() else {
        return String::new();
    };
    let unit = first.compiled.model.time.unit.as_ref();
    let unit = unit.map_or(String::new(), |unit| format!(" [{unit}]"));
    let ends = |pick: fn(&Trajectory) -> Option<&f64>, choose: fn(f64, f64) -> f64| {
        let found = runs.iter().filter_map(|run| pick(run).copied());
        found
            .reduce(choose)
            .map_or(String::new(), |time| number(time, DIGITS))
    };
    let steps: u64 = runs.iter().map(|run| run.solution.statistics.steps).sum();
    let occurrences: Vec<Occurrence> = runs
        .iter()
        .flat_map(|run| run.solution.occurrences.iter().copied())
        .collect();
    let complete = runs.iter().filter(|run| run.is_complete()).count();
    let mut text = format!(
        "simulated {}, t = {} to {}{unit}: {steps} steps in all{}{}\n",
        counted(runs.len(), "subject", "subjects"),
        ends(|run| run.times().first(), f64::min),
        ends(|run| run.times().last(), f64::max),
        if complete == runs.len() {
            String::new()
        } else {
            format!(", {complete} runs to the end")
        },
        interruptions(&occurrences)
    );
    let shown = &runs[..runs.len().min(MOST_SUBJECTS)];
    let subjects = shown
        .iter()
        .map(|run| run.subject.clone().unwrap_or_default());
    let mut columns = vec![
        Column::text("subject", subjects.collect()),
        Column::numbers("t", column(shown, |run| run.times().last().copied())),
    ];
    for (at, name) in first.compiled.state_names().into_iter().enumerate() {
        let last = |run: &Trajectory| {
            let (_, state) = run.solution.last()?;
            state.get(at).copied()
        };
        columns.push(Column::numbers(name, column(shown, last)));
    }
    text.push_str(&table(&columns, width));
    if runs.len() > shown.len() {
        let more = runs.len() - shown.len();
        text.push_str(&format!("... and {more} more subjects\n"));
    }
    text
}

fn column(runs: &[Arc<Trajectory>], pick: impl Fn(&Trajectory) -> Option<f64>) -> Vec<f64> {
    runs.iter()
        .map(|run| pick(run).unwrap_or(f64::NAN))
        .collect()
}
