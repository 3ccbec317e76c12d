//! Bifurcation diagrams as JSON: schema `lotka-diagram-1`.

use super::diagram::{coefficient, period};
use crate::analyze::continuation::{Crossing, Kind, Motion};
use crate::session::{BranchOrigin, ContinuationTiming, DiagramAnswer, EndOfBranch};
use serde::Serialize;

#[derive(Serialize)]
struct Diagram<'a> {
    schema: &'static str,
    model: &'a str,
    parameter: &'a str,
    unit: Option<&'a str>,
    range: [f64; 2],
    start: f64,
    motion: &'static str,
    iterate: usize,
    names: &'a [String],
    shown: &'a str,
    points: Vec<Point<'a>>,
    branches: Vec<Branch<'a>>,
    complete: bool,
}

#[derive(Serialize)]
struct Point<'a> {
    label: &'a str,
    kind: &'static str,
    branch: usize,
    parameter: f64,
    state: &'a [f64],
    shown: f64,
    coefficient: Option<f64>,
    supercritical: Option<bool>,
    crossing: Option<&'static str>,
    period: Option<f64>,
    growth: Option<f64>,
    amplitude: Option<&'a [f64]>,
}

#[derive(Serialize)]
struct Branch<'a> {
    through: Option<&'a str>,
    parameter: Vec<f64>,
    states: Vec<&'a [f64]>,
    shown: &'a [f64],
    unstable: &'a [Option<usize>],
    special: Vec<Place<'a>>,
    ends: [&'static str; 2],
}

#[derive(Serialize)]
struct Place<'a> {
    at: usize,
    label: &'a str,
}

/// One line; numbers with every digit, those that are not finite as null.
#[must_use]
pub fn diagram(answer: &DiagramAnswer) -> String {
    let states = answer.names.len();
    let label = |point: usize| {
        let point = answer.points.get(point);
        point.map_or("", |point| point.label.as_str())
    };
    let branches = answer.branches.iter().map(|branch| Branch {
        through: match branch.origin {
            BranchOrigin::Start => None,
            BranchOrigin::Crossing(point) => Some(label(point)),
        },
        parameter: branch
            .points
            .iter()
            .filter_map(|x| x.last().copied())
            .collect(),
        states: (branch.points.iter())
            .map(|x| x.get(..states).unwrap_or_default())
            .collect(),
        shown: &branch.shown,
        unstable: &branch.unstable,
        special: (branch.special.iter())
            .map(|(at, point)| Place {
                at: *at,
                label: label(*point),
            })
            .collect(),
        ends: [end(&branch.ends[0]), end(&branch.ends[1])],
    });
    let value = Diagram {
        schema: "lotka-diagram-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        parameter: &answer.parameter,
        unit: answer.unit.as_deref(),
        range: [answer.range.0, answer.range.1],
        start: answer.start,
        motion: match answer.motion {
            Motion::Flow => "flow",
            Motion::Map => "map",
        },
        iterate: answer.period,
        names: &answer.names,
        shown: &answer.shown,
        points: points(answer),
        branches: branches.collect(),
        complete: !answer.interrupted,
    };
    serde_json::to_string(&value).unwrap_or_default()
}

fn points(answer: &DiagramAnswer) -> Vec<Point<'_>> {
    let states = answer.names.len();
    let points = answer.points.iter().map(|point| {
        let (growth, amplitude) = match &point.kind {
            Kind::Hopf {
                growth, amplitude, ..
            } => (Some(*growth), Some(amplitude)),
            _ => (None, None),
        };
        Point {
            label: &point.label,
            kind: point.abbreviation(),
            branch: point.branch,
            parameter: point.parameter(),
            state: point.point.get(..states).unwrap_or_default(),
            shown: point.shown,
            coefficient: coefficient(&point.kind),
            supercritical: point.kind.is_supercritical(),
            crossing: crossing(&point.kind),
            period: period(&point.kind),
            growth,
            amplitude: amplitude.map(Vec::as_slice),
        }
    });
    points.collect()
}

#[derive(Serialize)]
struct Statistics<'a> {
    schema: &'static str,
    model: &'a str,
    parameter: &'a str,
    repeats: usize,
    parse_s: f64,
    check_s: f64,
    compile_s: f64,
    solve_s: f64,
    branches: usize,
    steps: usize,
    points: Vec<Point<'a>>,
    complete: bool,
}

/// The special points and the costs of a repeated continuation, in one line.
#[must_use]
pub fn statistics(timing: &ContinuationTiming) -> String {
    let answer = &timing.answer;
    let steps = answer.branches.iter().map(|branch| branch.points.len());
    let value = Statistics {
        schema: "lotka-diagram-stats-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        parameter: &answer.parameter,
        repeats: timing.repeats,
        parse_s: timing.load.parse,
        check_s: timing.load.check,
        compile_s: timing.load.compile,
        solve_s: timing.solve,
        branches: answer.branches.len(),
        steps: steps.sum(),
        points: points(answer),
        complete: !answer.interrupted,
    };
    serde_json::to_string(&value).unwrap_or_default()
}

fn crossing(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Crossing(Crossing::Transcritical) => Some("transcritical"),
        Kind::Crossing(Crossing::Pitchfork { .. }) => Some("pitchfork"),
        _ => None,
    }
}

fn end(end: &EndOfBranch) -> &'static str {
    match end {
        EndOfBranch::Range => "range",
        EndOfBranch::Closed => "closed",
        EndOfBranch::Bound { .. } => "bound",
        EndOfBranch::Switch { .. } => "switch",
        EndOfBranch::NotFinite => "not finite",
        EndOfBranch::StepTooSmall => "step too small",
        EndOfBranch::TooManyPoints => "too many points",
        EndOfBranch::Unbounded { .. } => "unbounded",
        EndOfBranch::Known => "known",
        EndOfBranch::Interrupted => "interrupted",
    }
}
