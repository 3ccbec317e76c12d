//! The JSON object of `--stats json`, schema `lotka-stats-1`, or `lotka-ensemble-1` for many paths.

use crate::model::{Model, Schedule};
use crate::session::{Ensemble, SHARES, Timed, Timing, Trajectory};
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
    match &timing.made {
        Timed::Run(run) => of_run(timing, run, sources),
        Timed::Ensemble(ensemble) => of_paths(timing, ensemble),
    }
}

/// Schema `lotka-ensemble-1`: `means[row][quantity]`, and likewise for the others.
#[derive(Serialize)]
struct OfPaths<'a> {
    schema: &'static str,
    model: &'a str,
    method: String,
    repeats: usize,
    parse_s: f64,
    check_s: f64,
    compile_s: f64,
    solve_s: f64,
    seed: u64,
    paths: u64,
    failed: u64,
    steps: u64,
    complete: bool,
    names: Vec<&'a str>,
    times: &'a [f64],
    means: Vec<Vec<f64>>,
    deviations: Vec<Vec<f64>>,
    quantiles: Vec<Quantiles>,
}

/// The values below which a share of the paths lies.
#[derive(Serialize)]
struct Quantiles {
    share: f64,
    values: Vec<Vec<f64>>,
}

fn of_paths(timing: &Timing, ensemble: &Ensemble) -> String {
    let summary = &ensemble.summary;
    let every = |value: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
        let columns = summary.columns();
        let row = |row| (0..columns).map(|column| value(row, column)).collect();
        (0..summary.rows()).map(row).collect()
    };
    let mut methods: Vec<&str> = Vec::new();
    for used in &ensemble.methods {
        if !methods.contains(&used.method.name()) {
            methods.push(used.method.name());
        }
    }
    let statistics = OfPaths {
        schema: "lotka-ensemble-1",
        model: ensemble.compiled.model.name.as_deref().unwrap_or(""),
        method: methods.join("+"),
        repeats: timing.repeats,
        parse_s: timing.load.parse,
        check_s: timing.load.check,
        compile_s: timing.load.compile,
        solve_s: timing.solve,
        seed: ensemble.seed,
        paths: ensemble.made,
        failed: ensemble.failures,
        steps: ensemble.statistics.steps,
        complete: ensemble.is_complete(),
        names: (ensemble.quantities.iter())
            .map(|known| known.name.as_str())
            .collect(),
        times: &ensemble.times,
        means: every(&|row, column| summary.moments(row, column).known_mean()),
        deviations: every(&|row, column| summary.moments(row, column).deviation()),
        quantiles: (SHARES.into_iter())
            .map(|share| Quantiles {
                share,
                values: every(&|row, column| summary.quantile(row, column, share)),
            })
            .collect(),
    };
    serde_json::to_string(&statistics).unwrap_or_default()
}

fn of_run(timing: &Timing, run: &Trajectory, sources: &SourceMap) -> String {
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
