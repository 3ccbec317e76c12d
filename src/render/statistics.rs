//! The JSON object of `--stats json`, schema `lotka-stats-1`.

use crate::model::{Model, Schedule};
use crate::session::Timing;
use crate::simulate::{Occasion, Occurrence};
use crate::source::{SourceMap, Span};
use serde::Serialize;

#[derive(Serialize)]
struct Statistics<'a> {
    schema: &'static str,
    model: &'a str,
    method: String,
    rtol: f64,
    atol: &'a [f64],
    repeats: usize,
    parse_s: f64,
    check_s: f64,
    compile_s: f64,
    solve_s: f64,
    steps: u64,
    rejected: u64,
    evaluations: u64,
    jacobians: u64,
    factorisations: u64,
    complete: bool,
    names: Vec<String>,
    times: &'a [f64],
    states: Vec<&'a [f64]>,
    occurrences: Vec<Interruption>,
}

/// Something that interrupted the run.
#[derive(Serialize)]
struct Interruption {
    time: f64,
    what: &'static str,
    /// The line of the model; none for a switch, which has no single one.
    line: Option<usize>,
}

/// One line; numbers with every digit, values that are not finite as null.
#[must_use]
pub fn json(timing: &Timing, sources: &SourceMap) -> String {
    let run = &timing.trajectory;
    let solution = &run.solution;
    let mut methods: Vec<&str> = Vec::new();
    for used in &solution.methods {
        if !methods.contains(&used.method.name()) {
            methods.push(used.method.name());
        }
    }
    let statistics = Statistics {
        schema: "lotka-stats-1",
        model: run.compiled.model.name.as_deref().unwrap_or(""),
        method: methods.join("+"),
        rtol: solution.tolerances.relative,
        atol: &solution.tolerances.absolute,
        repeats: timing.repeats,
        parse_s: timing.load.parse,
        check_s: timing.load.check,
        compile_s: timing.load.compile,
        solve_s: timing.solve,
        steps: solution.statistics.steps,
        rejected: solution.statistics.rejected,
        evaluations: solution.statistics.evaluations,
        jacobians: solution.statistics.jacobians,
        factorisations: solution.statistics.factorisations,
        complete: run.is_complete(),
        names: run.compiled.state_names(),
        times: &solution.times,
        states: solution.states.chunks(solution.dimension.max(1)).collect(),
        occurrences: solution
            .occurrences
            .iter()
            .map(|one| interruption(one, &run.compiled.model, sources))
            .collect(),
    };
    serde_json::to_string(&statistics).unwrap_or_default()
}

fn interruption(one: &Occurrence, model: &Model, sources: &SourceMap) -> Interruption {
    let (what, span) = match one.what {
        Occasion::Event(at) => ("event", model.events.get(at).map(|known| known.span)),
        Occasion::Dose(at, _) => ("dose", model.doses.get(at).map(|known| known.span)),
        Occasion::Reset(_) => ("reset", only_table(model)),
        Occasion::Switch(_) => ("switch", None),
    };
    Interruption {
        time: one.time,
        what,
        line: span.map(|span| sources.position(span).0),
    }
}

/// Where the only table of doses is named.
fn only_table(model: &Model) -> Option<Span> {
    let doses = model.doses.iter();
    let mut tables = doses.filter(|dose| matches!(dose.schedule, Schedule::Table(_)));
    match (tables.next(), tables.next()) {
        (Some(only), None) => Some(only.span),
        _ => None,
    }
}
