//! Answers of analyses as JSON: schemas `lotka-steady-1` and `lotka-measures-1`.

use crate::analyze::{Eigenvalue, Reached, Stability};
use crate::session::{MeasuredRow, MeasuredRun, SteadyAnswer};
use serde::Serialize;

#[derive(Serialize)]
struct Steady<'a> {
    schema: &'static str,
    model: &'a str,
    names: Vec<String>,
    state: &'a [f64],
    residual: f64,
    reached: Option<bool>,
    time: Option<f64>,
    stability: &'static str,
    eigenvalue: Option<[f64; 2]>,
    conserved: usize,
    iterations: u32,
    steps: u64,
    left_out: &'a [&'static str],
}

/// One line; numbers with every digit.
#[must_use]
pub fn steady(answer: &SteadyAnswer) -> String {
    let found = &answer.found;
    let (reached, time) = match &found.reached {
        Reached::Present => (Some(true), Some(0.0)),
        Reached::After(time) => (Some(true), Some(*time)),
        Reached::Not(_) => (Some(false), None),
        Reached::Unknown => (None, None),
    };
    let pair = |leading: Eigenvalue| Some([leading.real, leading.imaginary]);
    let (stability, eigenvalue) = match found.stability {
        Stability::Attracts(leading) => ("attracts", pair(leading)),
        Stability::Repels(leading) => ("repels", pair(leading)),
        Stability::Undecided(leading) => ("undecided", pair(leading)),
        Stability::Rigid => ("rigid", None),
        Stability::Unknown => ("unknown", None),
    };
    text(&Steady {
        schema: "lotka-steady-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        names: answer.compiled.state_names(),
        state: &found.state,
        residual: found.residual.value,
        reached,
        time,
        stability,
        eigenvalue,
        conserved: found.kept.0 + found.kept.1,
        iterations: found.iterations,
        steps: found.steps,
        left_out: &answer.left_out,
    })
}

#[derive(Serialize)]
struct Measures<'a> {
    schema: &'static str,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    subject: Option<&'a str>,
    from: f64,
    to: f64,
    measures: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    measure: &'a str,
    value: Option<f64>,
    error: Option<f64>,
    at: Option<f64>,
    unit: Option<&'a str>,
}

/// One line; a measure that a run does not have has the value null.
#[must_use]
pub fn measured(runs: &[MeasuredRun]) -> String {
    let row = |row: &'_ MeasuredRow| {
        let found = row.measured;
        (
            found.map(|found| found.value),
            found.map(|found| found.error),
            found.and_then(|found| found.at),
        )
    };
    let runs = runs.iter().map(|run| Run {
        subject: run.subject.as_deref(),
        from: run.range.0,
        to: run.range.1,
        measures: (run.rows.iter())
            .map(|known| {
                let (value, error, at) = row(known);
                Row {
                    measure: &known.label,
                    value,
                    error,
                    at,
                    unit: known.unit.as_deref(),
                }
            })
            .collect(),
    });
    text(&Measures {
        schema: "lotka-measures-1",
        runs: runs.collect(),
    })
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
