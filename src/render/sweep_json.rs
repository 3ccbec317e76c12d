//! Sweeps as JSON: schema `lotka-sweep-1`.

use crate::session::{FailedMember, Layout, SweepAnswer, SweepTiming};
use serde::Serialize;

#[derive(Serialize)]
struct Sweep<'a> {
    schema: &'static str,
    model: &'a str,
    layout: &'static str,
    range: [f64; 2],
    members: usize,
    asked: usize,
    last: Option<usize>,
    parameters: Vec<Parameter<'a>>,
    columns: Vec<Column<'a>>,
    missing: Vec<Missing<'a>>,
    failed: Vec<Failed<'a>>,
    complete: bool,
}

#[derive(Serialize)]
struct Missing<'a> {
    label: &'a str,
    members: usize,
    first: usize,
    message: &'a str,
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    range: [f64; 2],
    points: Option<usize>,
    log: bool,
    values: Vec<f64>,
}

#[derive(Serialize)]
struct Column<'a> {
    label: &'a str,
    unit: Option<&'a str>,
    kind: &'static str,
    values: Numbers,
}

/// One number for each member, or a list for each.
#[derive(Serialize)]
#[serde(untagged)]
enum Numbers {
    Single(Vec<f64>),
    Several(Vec<Vec<f64>>),
}

#[derive(Serialize)]
struct Failed<'a> {
    member: usize,
    code: &'static str,
    message: &'a str,
}

/// One line; numbers with every digit, those that are missing as null.
#[must_use]
pub fn sweep(answer: &SweepAnswer) -> String {
    let value = Sweep {
        schema: "lotka-sweep-1",
        model: model(answer),
        layout: layout(answer),
        range: [answer.range.0, answer.range.1],
        members: answer.count,
        asked: answer.asked,
        last: answer.last,
        parameters: parameters(answer),
        columns: columns(answer),
        missing: missing(answer),
        failed: failed(&answer.failures),
        complete: answer.is_complete(),
    };
    serde_json::to_string(&value).unwrap_or_default()
}

fn model(answer: &SweepAnswer) -> &str {
    answer.compiled.model.name.as_deref().unwrap_or("")
}

fn layout(answer: &SweepAnswer) -> &'static str {
    match answer.layout {
        Layout::Grid => "grid",
        Layout::Sobol => "sobol",
        Layout::Table => "table",
    }
}

fn parameters(answer: &SweepAnswer) -> Vec<Parameter<'_>> {
    let axes = answer.axes.iter().enumerate();
    axes.map(|(at, axis)| Parameter {
        name: &axis.name,
        unit: axis.unit.as_deref(),
        range: [axis.range.0, axis.range.1],
        points: axis.count,
        log: axis.logarithmic,
        values: answer.axis(at).collect(),
    })
    .collect()
}

fn columns(answer: &SweepAnswer) -> Vec<Column<'_>> {
    let columns = answer.columns.iter().enumerate();
    columns
        .map(|(at, column)| Column {
            label: &column.label,
            unit: column.unit.as_deref(),
            kind: match (column.is_measure, answer.last) {
                (true, _) => "measure",
                (false, None) => "end",
                (false, Some(_)) => "last",
            },
            values: match answer.last {
                None => Numbers::Single(answer.column(at).collect()),
                Some(_) => Numbers::Several(
                    (0..answer.count)
                        .map(|member| answer.of(member, at).to_vec())
                        .collect(),
                ),
            },
        })
        .collect()
}

fn missing(answer: &SweepAnswer) -> Vec<Missing<'_>> {
    let missing = answer.missing.iter().map(|missing| Missing {
        label: (answer.columns.get(missing.column)).map_or("", |column| column.label.as_str()),
        members: missing.members,
        first: missing.first,
        message: &missing.problem.message,
    });
    missing.collect()
}

fn failed(failures: &[FailedMember]) -> Vec<Failed<'_>> {
    let failures = failures.iter();
    failures
        .map(|failed| Failed {
            member: failed.member,
            code: failed.problem.code.as_str(),
            message: &failed.problem.message,
        })
        .collect()
}

#[derive(Serialize)]
struct Statistics<'a> {
    schema: &'static str,
    model: &'a str,
    layout: &'static str,
    members: usize,
    failed: usize,
    threads: usize,
    repeats: usize,
    parse_s: f64,
    check_s: f64,
    compile_s: f64,
    design_s: f64,
    solve_s: f64,
    columns: Vec<Column<'a>>,
    complete: bool,
}

/// The numbers and the costs of a repeated sweep, in one line.
#[must_use]
pub fn statistics(timing: &SweepTiming) -> String {
    let answer = &timing.answer;
    let value = Statistics {
        schema: "lotka-sweep-stats-1",
        model: model(answer),
        layout: layout(answer),
        members: answer.count,
        failed: answer.failed,
        threads: timing.threads,
        repeats: timing.repeats,
        parse_s: timing.load.parse,
        check_s: timing.load.check,
        compile_s: timing.load.compile,
        design_s: timing.design,
        solve_s: timing.solve,
        columns: columns(answer),
        complete: answer.is_complete(),
    };
    serde_json::to_string(&value).unwrap_or_default()
}
