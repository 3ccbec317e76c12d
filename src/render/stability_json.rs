//! Stability and Jacobians as JSON: schemas `lotka-stability-1`, `lotka-oscillation-1` and
//! `lotka-jacobian-1`.

use super::class::{approach_name, class_name, class_words};
use super::stability::{growth, period};
use crate::analyze::{Approach, Class, Example, Mode, Motion, Structure, Tally};
use crate::session::{
    Feedback, Forbids, JacobianAnswer, Judged, Origin, OscillationAnswer, StabilityAnswer,
};
use crate::symbolic::Sign;
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
struct Oscillation<'a> {
    schema: &'static str,
    model: &'a str,
    motion: &'static str,
    names: Vec<String>,
    ranges: Vec<Range<'a>>,
    forbidden: Option<&'static str>,
    forbidden_without_negative: Option<&'static str>,
    feedback: Option<Loop>,
    entries: Vec<Entry<'a>>,
    samples: usize,
    without_equilibrium: usize,
    types: Vec<Type<'a>>,
    complex: Option<Found<'a>>,
    crossing: Option<Found<'a>>,
    with_negative: Option<Found<'a>>,
    complete: bool,
}

#[derive(Serialize)]
struct Range<'a> {
    name: &'a str,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct Loop {
    sign: &'static str,
    states: Vec<usize>,
}

#[derive(Serialize)]
struct Entry<'a> {
    row: usize,
    column: usize,
    sign: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct Type<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    words: String,
    samples: usize,
    point: &'a [f64],
    state: &'a [f64],
}

#[derive(Serialize)]
struct Found<'a> {
    point: &'a [f64],
    state: &'a [f64],
    eigenvalue: Option<[f64; 2]>,
    period: Option<f64>,
}

/// One line; points are in the order of the ranges.
#[must_use]
pub fn oscillation(answer: &OscillationAnswer) -> String {
    let feedback = answer.feedback.as_ref();
    let survey = &answer.survey;
    let forbids = |known: Option<&Feedback>| known.and_then(|known| known.forbids).map(forbids);
    text(&Oscillation {
        schema: "lotka-oscillation-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        motion: motion_name(answer.motion),
        names: answer.compiled.state_names(),
        ranges: (answer.sides.iter())
            .map(|(name, side)| Range {
                name,
                low: side.low,
                high: side.high,
            })
            .collect(),
        forbidden: forbids(feedback),
        forbidden_without_negative: forbids(answer.without_negative.as_ref()),
        feedback: feedback.map(|known| structure(&known.structure)),
        entries: feedback.map_or(Vec::new(), |known| {
            known.entries.iter().map(entry).collect()
        }),
        samples: survey.samples,
        without_equilibrium: survey.without,
        types: survey.tallies.iter().map(tally).collect(),
        complex: found(
            survey.leads.as_ref().or(survey.complex.as_ref()),
            answer.motion,
        ),
        crossing: found(survey.crossing.as_ref(), answer.motion),
        with_negative: found(
            answer
                .with_negative
                .as_ref()
                .and_then(|opened| opened.complex.as_ref()),
            answer.motion,
        ),
        complete: survey.complete,
    })
}

fn forbids(why: Forbids) -> &'static str {
    match why {
        Forbids::OneState => "one_state",
        Forbids::NoLoop => "no_loop",
        Forbids::PositivePair => "positive_pair",
        Forbids::Discriminant => "discriminant",
        Forbids::PositiveLoops => "positive_loops",
    }
}

fn structure(structure: &Structure) -> Loop {
    let (sign, states) = match structure {
        Structure::Acyclic => ("none", Vec::new()),
        Structure::Positive(states) => ("positive", states.clone()),
        Structure::Negative(states) => ("negative", states.clone()),
        Structure::Unknown(states) => ("unknown", states.clone()),
    };
    Loop { sign, states }
}

fn entry(entry: &crate::session::Entry) -> Entry<'_> {
    Entry {
        row: entry.action.on,
        column: entry.action.by,
        sign: match entry.action.sign {
            Sign::Zero => "zero",
            Sign::NotNegative => "not_negative",
            Sign::NotPositive => "not_positive",
            Sign::Unknown => "unknown",
        },
        text: &entry.text,
    }
}

fn tally(tally: &Tally) -> Type<'_> {
    Type {
        kind: class_name(&tally.class),
        words: class_words(&tally.class),
        samples: tally.samples,
        point: &tally.example.point,
        state: &tally.example.state,
    }
}

fn found(example: Option<&Example>, motion: Motion) -> Option<Found<'_>> {
    let example = example?;
    let pair = example.linear.modes.iter().find(|mode| mode.is_pair());
    Some(Found {
        point: &example.point,
        state: &example.state,
        eigenvalue: pair.map(|mode| [mode.value.real, mode.value.imaginary]),
        period: pair.map(|mode| period(motion, mode.value)),
    })
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
