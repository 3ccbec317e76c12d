//! Stability and Jacobians as JSON: schemas `lotka-stability-1` and `lotka-jacobian-1`.

use super::class::{approach_name, class_name, class_words};
use super::stability::{growth, period};
use crate::analyze::{Approach, Class, Mode, Motion};
use crate::session::{JacobianAnswer, Judged, Origin, StabilityAnswer};
use serde::Serialize;

#[derive(Serialize)]
struct Stability<'a> {
    schema: &'static str,
    model: &'a str,
    motion: &'static str,
    names: Vec<String>,
    parameters: Vec<Parameter<'a>>,
    points: Vec<Point<'a>>,
    left_out: &'a [&'static str],
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    value: &'a [f64],
}

#[derive(Serialize)]
struct Point<'a> {
    state: &'a [f64],
    equilibrium: bool,
    origin: &'static str,
    time: Option<f64>,
    moved: Option<f64>,
    rate: Option<f64>,
    #[serde(rename = "type")]
    kind: &'static str,
    words: String,
    attracts: Option<bool>,
    linear: bool,
    approach: Option<&'static str>,
    dead_beat_steps: Option<usize>,
    stable: usize,
    border: usize,
    unstable: usize,
    margin: Option<f64>,
    rounding: f64,
    jacobian: Vec<Vec<f64>>,
    trace: f64,
    determinant: f64,
    eigenvalues: Vec<Eigenvalue<'a>>,
    conserved: usize,
    constraints: usize,
}

#[derive(Serialize)]
struct Eigenvalue<'a> {
    real: f64,
    imaginary: f64,
    pair: bool,
    multiplicity: usize,
    eigenvectors: Vec<Vector<'a>>,
    error: f64,
    time_scale: Option<f64>,
    half_life: Option<f64>,
    period: Option<f64>,
    per_period: Option<f64>,
}

#[derive(Serialize)]
struct Vector<'a> {
    real: &'a [f64],
    imaginary: &'a [f64],
}

/// One line; numbers with every digit, columns of the Jacobian are states.
#[must_use]
pub fn stability(answer: &StabilityAnswer) -> String {
    let parameters = answer.compiled.model.parameters.iter();
    let blocks = answer.compiled.system.parameters.blocks();
    let parameters = parameters.zip(blocks).map(|(known, block)| Parameter {
        name: &known.name,
        value: answer.parameters.get(block.range()).unwrap_or_default(),
    });
    text(&Stability {
        schema: "lotka-stability-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        motion: motion_name(answer.motion),
        names: answer.compiled.state_names(),
        parameters: parameters.collect(),
        points: vec![point(&answer.judged, answer.motion)],
        left_out: &answer.left_out,
    })
}

fn motion_name(motion: Motion) -> &'static str {
    match motion {
        Motion::Flow => "flow",
        Motion::Map => "map",
    }
}

fn point(judged: &Judged, motion: Motion) -> Point<'_> {
    let linear = &judged.linear;
    let class: &Class = &linear.class;
    let (origin, time, moved, rate) = match &judged.origin {
        Origin::Present => ("present", None, None, None),
        Origin::Reached(time) => ("reached", Some(*time), None, None),
        Origin::NotReached => ("not_reached", None, None, None),
        Origin::Given { moved, .. } => ("given", None, Some(*moved), None),
        Origin::NoEquilibrium { rate, .. } => ("no_equilibrium", None, None, Some(*rate)),
    };
    Point {
        state: &judged.state,
        equilibrium: origin != "no_equilibrium",
        origin,
        time,
        moved,
        rate,
        kind: class_name(class),
        words: class_words(class),
        attracts: class.attracts(),
        linear: class.linear,
        approach: class.approach.map(approach_name),
        dead_beat_steps: match class.approach {
            Some(Approach::DeadBeat(steps)) => Some(steps),
            _ => None,
        },
        stable: class.stable,
        border: class.border,
        unstable: class.unstable,
        margin: class.margin.is_finite().then_some(class.margin),
        rounding: class.rounding,
        jacobian: rows(&linear.jacobian, judged.state.len()),
        trace: linear.trace,
        determinant: linear.determinant,
        eigenvalues: linear
            .modes
            .iter()
            .map(|mode| eigenvalue(mode, motion))
            .collect(),
        conserved: linear.kept.0 + linear.kept.1,
        constraints: linear.constraints,
    }
}

fn eigenvalue(mode: &Mode, motion: Motion) -> Eigenvalue<'_> {
    let rate = growth(motion, mode.value);
    let is_clear = rate.abs() > mode.error && rate.is_finite();
    let turn = period(motion, mode.value);
    let turns = mode.is_pair() || motion == Motion::Map && mode.value.real < 0.0;
    Eigenvalue {
        real: mode.value.real,
        imaginary: mode.value.imaginary,
        pair: mode.is_pair(),
        multiplicity: mode.multiplicity,
        eigenvectors: mode
            .directions
            .iter()
            .map(|direction| Vector {
                real: &direction.real,
                imaginary: &direction.imaginary,
            })
            .collect(),
        error: mode.error,
        time_scale: is_clear.then(|| 1.0 / rate.abs()),
        half_life: (is_clear && rate < 0.0).then(|| std::f64::consts::LN_2 / -rate),
        period: turns.then_some(turn),
        per_period: turns.then(|| (rate * turn).exp()),
    }
}

/// From columns to rows.
fn rows(entries: &[f64], n: usize) -> Vec<Vec<f64>> {
    let row = |i: usize| entries.iter().skip(i).step_by(n.max(1)).copied().collect();
    (0..n).map(row).collect()
}

#[derive(Serialize)]
struct Jacobian<'a> {
    schema: &'static str,
    model: &'a str,
    motion: &'static str,
    names: Vec<String>,
    state: &'a [f64],
    jacobian: Vec<Vec<f64>>,
}

/// One line; rows are derivatives, columns states.
#[must_use]
pub fn jacobian(answer: &JacobianAnswer) -> String {
    text(&Jacobian {
        schema: "lotka-jacobian-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        motion: motion_name(answer.motion),
        names: answer.compiled.state_names(),
        state: &answer.state,
        jacobian: rows(&answer.entries, answer.state.len()),
    })
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
