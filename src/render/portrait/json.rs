//! A phase portrait as JSON: schema `lotka-portrait-1`.

use super::super::class::{class_name, class_words};
use crate::analyze::portrait::Point;
use crate::session::{PortraitAnswer, View};
use serde::Serialize;

#[derive(Serialize)]
struct Portrait<'a> {
    schema: &'static str,
    model: &'a str,
    kind: &'static str,
    names: Vec<String>,
    axes: Vec<String>,
    parameter: Option<&'a str>,
    portraits: Vec<One>,
    left_out: &'a [&'static str],
}

#[derive(Serialize)]
struct One {
    value: Option<f64>,
    window: Vec<[f64; 2]>,
    fixed_points: Vec<FixedPoint>,
    nullclines: Vec<Vec<Vec<[f64; 2]>>>,
    trajectories: Vec<Vec<[f64; 2]>>,
    manifolds: Vec<Branch>,
    cycles: Vec<Cycle>,
    /// Positions in `fixed_points`.
    centers: Vec<usize>,
    held: Vec<(String, f64)>,
    rate: Vec<[f64; 2]>,
    interrupted: bool,
}

#[derive(Serialize)]
struct FixedPoint {
    state: Vec<f64>,
    #[serde(rename = "type")]
    class: Option<&'static str>,
    words: Option<String>,
    stable: Option<bool>,
    inside: bool,
}

#[derive(Serialize)]
struct Branch {
    stable: bool,
    points: Vec<[f64; 2]>,
}

#[derive(Serialize)]
struct Cycle {
    stable: bool,
    period: f64,
    multiplier: Option<f64>,
    state: Vec<f64>,
    extent: Vec<[f64; 2]>,
    points: Vec<[f64; 2]>,
}

/// One line; numbers with every digit.
#[must_use]
pub fn portrait(answer: &PortraitAnswer) -> String {
    let whole = Portrait {
        schema: "lotka-portrait-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        kind: answer.kind.verb(),
        names: answer.compiled.state_names(),
        axes: answer
            .axes
            .iter()
            .map(|at| answer.compiled.state_name(*at))
            .collect(),
        parameter: answer.over.as_deref(),
        portraits: answer.views.iter().map(|view| one(answer, view)).collect(),
        left_out: &answer.left_out,
    };
    serde_json::to_string(&whole).unwrap_or_default()
}

fn pairs(points: &[Point]) -> Vec<[f64; 2]> {
    points.iter().map(|(x, y)| [*x, *y]).collect()
}

fn one(answer: &PortraitAnswer, view: &View) -> One {
    let ranges = view.ranges.iter().take(answer.axes.len());
    let has_plane = answer.axes.len() == 2;
    One {
        value: view.value,
        window: ranges.map(|(low, high)| [*low, *high]).collect(),
        fixed_points: view
            .fixed
            .iter()
            .map(|fixed| {
                let class = fixed.linear.as_ref().map(|linear| &linear.class);
                FixedPoint {
                    state: fixed.state.clone(),
                    class: class.map(class_name),
                    words: class.map(class_words),
                    stable: class.and_then(crate::analyze::Class::attracts),
                    inside: fixed.inside,
                }
            })
            .collect(),
        nullclines: if has_plane {
            let of = |curves: &Vec<Vec<Point>>| curves.iter().map(|curve| pairs(curve)).collect();
            view.nullclines.iter().map(of).collect()
        } else {
            Vec::new()
        },
        trajectories: (view.streamlines.iter().map(|line| &line.points))
            .chain((!view.path.is_empty()).then_some(&view.path))
            .map(|points| pairs(points))
            .collect(),
        manifolds: view
            .manifolds
            .iter()
            .map(|branch| Branch {
                stable: branch.stable,
                points: pairs(&branch.points),
            })
            .collect(),
        cycles: view
            .cycles
            .iter()
            .map(|cycle| Cycle {
                stable: cycle.attracts(),
                period: cycle.period,
                multiplier: cycle.multiplier,
                state: cycle.state.clone(),
                extent: pairs(&cycle.extent),
                points: pairs(&cycle.points),
            })
            .collect(),
        centers: view.centers.clone(),
        held: view
            .held
            .iter()
            .map(|(at, value)| (answer.compiled.state_name(*at), *value))
            .collect(),
        rate: pairs(&view.rate),
        interrupted: view.interrupted,
    }
}
