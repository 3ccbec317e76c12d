//! From what was found to figures.

use super::super::class::class_words;
use super::super::table::number;
use crate::analyze::portrait::{Manifold, Point};
use crate::figure::{Arrow, Axis, Figure, Mark, Series, Sheet};
use crate::session::{Compiled, Fixed, PortraitAnswer, View};

/// One picture or several.
#[derive(Debug, Clone)]
pub enum Drawing {
    /// A single portrait.
    One(Box<Figure>),
    /// A series.
    Several(Sheet),
}

/// Numbers of colours.
const BLUE: usize = 0;
const RED: usize = 1;
const GREEN: usize = 2;
const PURPLE: usize = 3;
const BLACK: usize = 6;

/// The figure of a portrait, or the sheet of a series.
#[must_use]
pub fn drawing(answer: &PortraitAnswer) -> Drawing {
    let title = answer.title.clone().unwrap_or_default();
    match (answer.views.as_slice(), &answer.over) {
        ([only], None) => Drawing::One(Box::new(Figure {
            title,
            ..figure(answer, only)
        })),
        (views, over) => Drawing::Several(Sheet {
            title,
            panels: views
                .iter()
                .map(|view| {
                    let value = view.value.map_or(String::new(), |value| number(value, 4));
                    Figure {
                        title: format!("{} = {value}", over.as_deref().unwrap_or("")),
                        ..figure(answer, view)
                    }
                })
                .collect(),
            ..Sheet::default()
        }),
    }
}

fn axis(compiled: &Compiled, at: usize, range: (f64, f64)) -> Axis {
    let unit = compiled.system.states.locate(at).and_then(|(block, _)| {
        let state = compiled.model.states.get(block)?;
        state.unit.as_ref().map(ToString::to_string)
    });
    Axis {
        label: compiled.state_name(at),
        unit,
        range: Some(range),
        ..Axis::default()
    }
}

/// Curves of one kind as one series, with gaps between them.
fn curves<'p>(
    label: &str,
    curves: impl IntoIterator<Item = &'p [Point]>,
    mark: Mark,
    colour: usize,
) -> Option<Series> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for curve in curves {
        if !x.is_empty() {
            x.push(f64::NAN);
            y.push(f64::NAN);
        }
        x.extend(curve.iter().map(|point| point.0));
        y.extend(curve.iter().map(|point| point.1));
    }
    (!x.is_empty()).then(|| Series {
        label: label.to_owned(),
        x,
        y,
        mark,
        colour,
    })
}

fn figure(answer: &PortraitAnswer, view: &View) -> Figure {
    match answer.axes.as_slice() {
        [x, y] => plane(&answer.compiled, (*x, *y), view),
        [x] => line(&answer.compiled, *x, view),
        _ => Figure::default(),
    }
}

fn plane(compiled: &Compiled, (x, y): (usize, usize), view: &View) -> Figure {
    let rate = |at: usize| {
        format!(
            "{}\u{2032} = 0",
            compiled.state_name(at).replace('\'', "\u{2032}")
        )
    };
    let mut series = Vec::new();
    let lines = view.streamlines.iter().map(|line| line.points.as_slice());
    series.extend(curves("trajectories", lines, Mark::Thin, BLACK));
    let [first, second] = &view.nullclines;
    series.extend(curves(
        &rate(x),
        first.iter().map(Vec::as_slice),
        Mark::Line,
        BLUE,
    ));
    series.extend(curves(
        &rate(y),
        second.iter().map(Vec::as_slice),
        Mark::DashDot,
        RED,
    ));
    let branches = |stable: bool| {
        let all = view.manifolds.iter();
        all.filter(move |branch| branch.stable == stable && !along_axis(view, branch))
            .map(|branch| branch.points.as_slice())
    };
    series.extend(curves(
        "stable manifold",
        branches(true),
        Mark::Dashed,
        GREEN,
    ));
    series.extend(curves(
        "unstable manifold",
        branches(false),
        Mark::Dotted,
        PURPLE,
    ));
    series.extend(curves(
        "from the present state",
        (!view.path.is_empty()).then_some(view.path.as_slice()),
        Mark::Line,
        BLUE,
    ));
    let cycles = |attracts: bool| {
        let all = view.cycles.iter();
        all.filter(move |cycle| cycle.attracts() == attracts)
            .map(|cycle| cycle.points.as_slice())
    };
    series.extend(curves("limit cycle", cycles(true), Mark::Line, BLACK));
    series.extend(curves(
        "unstable limit cycle",
        cycles(false),
        Mark::Dashed,
        BLACK,
    ));
    series.extend(curves(
        "line of fixed points",
        view.lines.iter().map(Vec::as_slice),
        Mark::Line,
        BLACK,
    ));
    series.extend(symbols(view));
    let arrows = view.streamlines.iter().filter_map(|line| line.arrow);
    Figure {
        x: axis(compiled, x, view.ranges[0]),
        y: axis(compiled, y, view.ranges[1]),
        series,
        arrows: arrows
            .chain(view.flow.iter().copied())
            .map(|(at, along)| Arrow { at, along })
            .collect(),
        ..Figure::default()
    }
}

/// True for a branch along an axis that is a nullcline: this curve is there already.
fn along_axis(view: &View, branch: &Manifold) -> bool {
    let [x, y] = view.ranges;
    let is_axis =
        |curve: &Vec<Point>, part: fn(&Point) -> f64| curve.iter().all(|at| part(at) == 0.0);
    let drawn = |part: fn(&Point) -> f64| {
        let mut curves = view.nullclines.iter().flatten();
        curves.any(|curve| is_axis(curve, part))
    };
    let zero = |part: fn(&Point) -> f64, size: f64| {
        let mut points = branch.points.iter();
        points.all(|at| part(at).abs() <= 1e-6 * size) && drawn(part)
    };
    zero(|at| at.0, x.1 - x.0) || zero(|at| at.1, y.1 - y.0)
}

/// How a fixed point is drawn, and under which words.
fn symbol(fixed: &Fixed) -> (Mark, String) {
    let mark = if fixed.is_saddle() {
        Mark::Half
    } else if fixed.attracts() {
        Mark::Filled
    } else {
        Mark::Open
    };
    let words = fixed.linear.as_ref().map_or_else(
        || "fixed point".to_owned(),
        |linear| class_words(&linear.class),
    );
    (mark, words)
}

fn symbols(view: &View) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for fixed in view.fixed.iter().filter(|fixed| fixed.inside) {
        let (mark, label) = symbol(fixed);
        match all
            .iter_mut()
            .find(|series| series.label == label && series.mark == mark)
        {
            Some(series) => {
                series.x.push(fixed.at.0);
                series.y.push(fixed.at.1);
            }
            None => all.push(Series {
                label,
                x: vec![fixed.at.0],
                y: vec![fixed.at.1],
                mark,
                colour: BLACK,
            }),
        }
    }
    all
}

fn line(compiled: &Compiled, x: usize, view: &View) -> Figure {
    let name = compiled.state_name(x);
    let label = format!("{}\u{2032}", name.replace('\'', "\u{2032}"));
    let (low, high) = view.ranges[0];
    let mut series = Vec::new();
    let zero = [(low, 0.0), (high, 0.0)];
    series.extend(curves("", [zero.as_slice()], Mark::Thin, BLACK));
    series.extend(curves(&label, [view.rate.as_slice()], Mark::Line, BLUE));
    let mut symbols = symbols(view);
    for series in &mut symbols {
        series.y.iter_mut().for_each(|y| *y = 0.0);
    }
    series.extend(symbols);
    Figure {
        x: axis(compiled, x, view.ranges[0]),
        y: Axis {
            label,
            ..Axis::default()
        },
        series,
        arrows: (view.flow.iter())
            .map(|(at, along)| Arrow {
                at: *at,
                along: *along,
            })
            .collect(),
        ..Figure::default()
    }
}
