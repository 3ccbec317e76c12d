//! All steady states in a box as JSON: schema `lotka-equilibria-1`.

use super::class::{approach_name, class_name};
use super::equilibria::{is_unstable, kind};
use crate::analyze::Linearised;
use crate::analyze::equilibria::{self, Completeness, Motion, Region, Unproved};
use crate::session::EquilibriaAnswer;
use serde::Serialize;

#[derive(Serialize)]
struct Equilibria<'a> {
    schema: &'static str,
    model: &'a str,
    motion: &'static str,
    names: Vec<String>,
    #[serde(rename = "box")]
    region: Vec<[f64; 2]>,
    chosen: &'a [bool],
    completeness: &'static str,
    /// Why nothing is proved.
    reason: Option<&'static str>,
    everywhere: bool,
    equilibria: Vec<Equilibrium<'a>>,
    lines: Vec<Line<'a>>,
    outside: &'a [Vec<f64>],
    undecided: Vec<Vec<[f64; 2]>>,
    examined: Option<u64>,
    starts: u32,
    conserved: usize,
    nearest: Option<&'a [f64]>,
    left_out: &'a [&'static str],
}

#[derive(Serialize)]
struct Equilibrium<'a> {
    state: &'a [f64],
    residual: f64,
    #[serde(rename = "type")]
    class: Option<&'static str>,
    words: Option<String>,
    approach: Option<&'static str>,
    stable: Option<bool>,
    eigenvalues: Vec<[f64; 2]>,
    singular: bool,
    certified: bool,
    starts: u32,
}

#[derive(Serialize)]
struct Line<'a> {
    dimension: usize,
    closed: bool,
    points: &'a [Vec<f64>],
}

/// One line; numbers with every digit.
#[must_use]
pub fn equilibria(answer: &EquilibriaAnswer) -> String {
    let found = &answer.found;
    let (completeness, reason, examined) = match &found.completeness {
        Completeness::Proved { examined, .. } => ("proved", None, Some(*examined)),
        Completeness::Undecided {
            spent, examined, ..
        } => ("undecided", spent.then_some("budget"), Some(*examined)),
        Completeness::Searched(why) => ("searched", Some(reason(*why)), None),
        Completeness::Interrupted => ("interrupted", None, None),
    };
    let undecided = match &found.completeness {
        Completeness::Undecided { left, .. } => left.iter().map(pairs).collect(),
        _ => Vec::new(),
    };
    let all = found.equilibria.iter().zip(&answer.linear);
    let whole = Equilibria {
        schema: "lotka-equilibria-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        motion: match answer.motion {
            Motion::Flow => "flow",
            Motion::Map => "map",
        },
        names: answer.compiled.state_names(),
        region: pairs(&found.region),
        chosen: &found.chosen,
        completeness,
        reason,
        everywhere: matches!(
            found.completeness,
            Completeness::Proved {
                everywhere: true,
                ..
            }
        ),
        equilibria: all
            .map(|(known, linear)| one(known, linear.as_ref()))
            .collect(),
        lines: found
            .continua
            .iter()
            .map(|line| Line {
                dimension: line.dimension,
                closed: line.closed,
                points: &line.points,
            })
            .collect(),
        outside: &found.outside,
        undecided,
        examined,
        starts: found.starts,
        conserved: found.kept.0 + found.kept.1,
        nearest: found.nearest.as_ref().map(|miss| miss.state.as_slice()),
        left_out: &answer.left_out,
    };
    serde_json::to_string(&whole).unwrap_or_default()
}

fn one<'a>(known: &'a equilibria::Equilibrium, linear: Option<&Linearised>) -> Equilibrium<'a> {
    // At a singular state rounding alone decides the type.
    let class = linear.map(|linear| &linear.class);
    let told = class.filter(|_| !known.singular);
    let is_unstable = || linear.is_some_and(|linear| is_unstable(linear, known.null));
    Equilibrium {
        state: &known.state,
        residual: known.residual.0,
        class: class.map(|class| told.map_or("undecided", |_| class_name(class))),
        words: linear.map(|linear| kind(known, Some(linear))),
        approach: told.and_then(|class| class.approach.map(approach_name)),
        stable: match told {
            Some(class) => class.attracts(),
            None => (known.singular && is_unstable()).then_some(false),
        },
        eigenvalues: linear.map(eigenvalues).unwrap_or_default(),
        singular: known.singular,
        certified: known.certified,
        starts: known.starts,
    }
}

fn pairs(region: &Region) -> Vec<[f64; 2]> {
    region.ranges().map(|(low, high)| [low, high]).collect()
}

/// Each as often as it occurs; of a pair the one with the positive imaginary part first.
fn eigenvalues(linear: &Linearised) -> Vec<[f64; 2]> {
    let mut all = Vec::new();
    for mode in &linear.modes {
        for _ in 0..mode.multiplicity {
            all.push([mode.value.real, mode.value.imaginary]);
            if mode.is_pair() {
                all.push([mode.value.real, -mode.value.imaginary]);
            }
        }
    }
    all
}

fn reason(why: Unproved) -> &'static str {
    match why {
        Unproved::Variables(_) => "variables",
        Unproved::Operation => "operation",
        Unproved::Continuum => "line",
    }
}
