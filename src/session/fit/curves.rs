//! `plot fit`: the model at its estimates over the data.
//!
//! Enters: the answers of a fit. Leaves: a panel for each observation of each run; where these are
//! too many, one for each observation with all runs in it. Models are run again on a fine grid, at
//! the estimates with derivatives or for some draws of a posterior or bootstrap, which give bands
//! (bands.rs); a regression is drawn against its covariate, and against the fitted values where there
//! are several. The same curves are written as a table.

use super::super::plot::time_label;
use super::answer::FitAnswer;
use super::bands::{self, Edges};
use super::data::{CovariateElement, RunData};
use super::draws::Draws;
use super::lens::Seen;
use super::objective::{Likelihood, Looked};
use super::runs::FitRun;
use crate::figure::{Axis, Band, Figure, Mark, Series};
use crate::fit::{Datum, Propagation, Wanted};
use crate::model::Motion;
use crate::simulate::{Output, in_order};
use crate::world::World;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Places of a smooth curve, besides those of the data.
const PLACES: usize = 400;
/// The same of curves that are solved for many draws.
const PLACES_OF_DRAWS: usize = 150;
/// Draws for which curves are solved.
const MOST_DRAWS: usize = 200;
/// A band may reach this far beyond data and curve, beside their extent; then it is cut.
const BEYOND: f64 = 1.5;
/// Steps of a map that are drawn one by one.
const MOST_STEPS: f64 = 10_000.0;
/// Panels of one sheet.
pub(super) const MOST_PANELS: usize = 12;
/// Runs in one panel that have entries of the legend of their own.
const MOST_NAMED: usize = 8;
/// The colour of lines that lead the eye.
pub(super) const GUIDE: usize = 6;
/// Between this many standard deviations on either side a normal number lies with this share.
pub(super) const NORMAL_WIDTH: f64 = 1.959_963_984_540_054;

/// What a panel is drawn against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Against {
    Time,
    /// A regression's only covariate.
    Covariate(CovariateElement),
    /// What the model gives: the data should lie on the diagonal.
    Fitted,
}

/// A run of an answer with its smooth curve.
struct Traced<'a> {
    answer: &'a FitAnswer,
    at_run: usize,
    /// Where the model was looked at.
    places: Vec<f64>,
    /// The curve of each observation there with its bands, place after place.
    edges: Vec<Vec<Edges>>,
}

/// A curve with its bands, as a table has it.
#[derive(Debug, Clone)]
pub(super) struct Banded {
    /// Whose run; empty for a single one.
    pub run: String,
    /// The observation.
    pub name: String,
    /// What the places are.
    pub place: String,
    /// The places.
    pub x: Vec<f64>,
    /// The numbers of [`Edges`], each at every place.
    pub edges: [Vec<f64>; 5],
}

/// The panels.
pub(super) fn panels(
    answers: &[Arc<FitAnswer>],
    draws: Option<&Draws<'_>>,
    world: &dyn World,
) -> Vec<Figure> {
    let Some(first) = answers.first() else {
        return Vec::new();
    };
    let against = against(first);
    let runs = all_traced(answers, (draws, against), world);
    let count = first.lens.seen.len();
    if count * runs.len() > MOST_PANELS {
        let shown = (0..count).take(MOST_PANELS);
        return shown
            .map(|seen| of_all_runs(&runs, seen, against))
            .collect();
    }
    let pairs = (0..count).flat_map(|seen| runs.iter().map(move |run| (seen, run)));
    pairs
        .map(|(seen, run)| of_one_run(run, seen, against))
        .collect()
}

/// The curves as a table has them; none of a regression on several covariates.
pub(super) fn bands(
    answers: &[Arc<FitAnswer>],
    draws: Option<&Draws<'_>>,
    world: &dyn World,
) -> Vec<Banded> {
    let Some(first) = answers.first() else {
        return Vec::new();
    };
    let against = against(first);
    if against == Against::Fitted {
        return Vec::new();
    }
    let runs = all_traced(answers, (draws, against), world);
    let place = horizontal_words(first, against).0;
    let count = first.lens.seen.len();
    let pairs = (0..count).flat_map(|seen| runs.iter().map(move |run| (seen, run)));
    pairs
        .map(|(seen, run)| Banded {
            run: label(run),
            name: run.answer.lens.seen[seen].name.clone(),
            place: place.clone(),
            x: run.places.clone(),
            edges: std::array::from_fn(|which| edge(run, seen, which)),
        })
        .collect()
}

fn all_traced<'a>(
    answers: &'a [Arc<FitAnswer>],
    (draws, against): (Option<&Draws<'_>>, Against),
    world: &dyn World,
) -> Vec<Traced<'a>> {
    let runs = answers
        .iter()
        .flat_map(|answer| (0..answer.runs.len()).map(move |run| (answer, run)));
    runs.map(|(answer, run)| traced(answer, run, (draws, against), world))
        .collect()
}

/// One of the numbers of [`Edges`] along a curve.
fn edge(run: &Traced<'_>, seen: usize, which: usize) -> Vec<f64> {
    let edges = run.edges.get(seen).map_or(&[][..], Vec::as_slice);
    edges.iter().map(|edges| edges[which]).collect()
}

/// What the panels of a fit are drawn against.
pub(super) fn against(answer: &FitAnswer) -> Against {
    if !answer.compiled.model.states.is_empty() {
        return Against::Time;
    }
    match answer.runs.first().map(|run| run.data.varying.as_slice()) {
        Some([(only, _)]) => Against::Covariate(*only),
        _ => Against::Fitted,
    }
}

// ---- curves ----

fn traced<'a>(
    answer: &'a FitAnswer,
    at_run: usize,
    (draws, against): (Option<&Draws<'_>>, Against),
    world: &dyn World,
) -> Traced<'a> {
    let run = &answer.runs[at_run];
    let nothing = Traced {
        answer,
        at_run,
        places: Vec::new(),
        edges: Vec::new(),
    };
    if against == Against::Fitted {
        return nothing;
    }
    let draws = draws.filter(|_| answer.filters.is_none());
    let places = grid(answer, run, (against, draws.is_some()));
    let likelihood = answer.likelihood(world);
    // Between the data an assertion may miss by rounding: the curve is there all the same.
    let likelihood = likelihood
        .everywhere()
        .with_runs(vec![on_grid(run, against, &places)]);
    let edges = match (draws, &answer.filters) {
        (_, Some(_)) => None,
        (Some(draws), None) => by_draws(&likelihood, answer, draws, places.len()),
        (None, None) => by_covariance(&likelihood, answer),
    };
    match edges {
        Some(edges) => Traced {
            places,
            edges,
            ..nothing
        },
        // Noise has one-step forecasts at the data; and what is known there is better than nothing.
        None => {
            let known = answer.looked.get(at_run);
            let numbers = known.map_or(&[][..], |looked| looked.numbers.as_slice());
            Traced {
                places: horizontal(&run.data, against),
                edges: by_seen(answer, |seen| {
                    rows(answer, seen, numbers)
                        .map(|own| bands::alone(answer, seen, own))
                        .collect()
                }),
                ..nothing
            }
        }
    }
}

fn by_seen(answer: &FitAnswer, of: impl Fn(&Seen) -> Vec<Edges>) -> Vec<Vec<Edges>> {
    answer.lens.seen.iter().map(of).collect()
}

/// The numbers of an observation at each place.
fn rows<'n>(
    answer: &FitAnswer,
    seen: &'n Seen,
    numbers: &'n [f64],
) -> impl Iterator<Item = &'n [f64]> {
    let rows = numbers.chunks_exact(answer.lens.width().max(1));
    rows.map(|row| row.get(seen.numbers.clone()).unwrap_or(&[]))
}

/// The bands that the covariance of the estimates gives; those of data alone where it is not known.
fn by_covariance(likelihood: &Likelihood<'_>, answer: &FitAnswer) -> Option<Vec<Vec<Edges>>> {
    let known = answer.uncertainty.as_ref().ok();
    let spread = known.and_then(Propagation::new);
    let looked = spread
        .as_ref()
        .and_then(|_| likelihood.look(0, &answer.estimates, Wanted::Gradient).ok());
    let (Some(spread), Some(looked)) = (spread, looked) else {
        let looked = likelihood.look(0, &answer.estimates, Wanted::Value).ok()?;
        return Some(by_seen(answer, |seen| {
            rows(answer, seen, &looked.numbers)
                .map(|own| bands::alone(answer, seen, own))
                .collect()
        }));
    };
    Some(by_seen(answer, |seen| {
        let all = rows(answer, seen, &looked.numbers).enumerate();
        all.map(|(place, own)| {
            let gradients = gradients(answer, seen, &looked, place);
            bands::linear(answer, seen, (own, &gradients), &spread)
        })
        .collect()
    }))
}

/// The derivatives of each number of an observation by the inner coordinates, at a place.
fn gradients(answer: &FitAnswer, seen: &Seen, looked: &Looked, place: usize) -> Vec<Vec<f64>> {
    let (m, width) = (answer.fitted.len(), answer.lens.width());
    let from = place * width * m;
    let derivative = |number: usize, j: usize| {
        let at = from + j * width + number;
        looked.derivatives.get(at).copied().unwrap_or(f64::NAN)
    };
    let slopes = answer.coordinates().slopes(&answer.estimates);
    let numbers = seen.numbers.clone();
    numbers
        .map(|number| {
            let all = slopes.iter().enumerate();
            all.map(|(j, slope)| slope * derivative(number, j))
                .collect()
        })
        .collect()
}

/// The bands that quantiles over draws give; those for which the model does not run are left out.
fn by_draws(
    likelihood: &Likelihood<'_>,
    answer: &FitAnswer,
    draws: &Draws<'_>,
    places: usize,
) -> Option<Vec<Vec<Edges>>> {
    let few = draws.thinned(MOST_DRAWS);
    let mut all: Vec<Looked> = Vec::with_capacity(few.len());
    in_order(
        few.len(),
        likelihood.world.threads(),
        |at| likelihood.look(0, few[at].values, Wanted::Value),
        |_, looked| {
            all.extend(looked);
            ControlFlow::Continue(())
        },
    );
    if all.is_empty() {
        return None;
    }
    let width = answer.lens.width();
    let estimated = match draws {
        // The curve of a bootstrap is that of the data.
        Draws::Bootstrap(_) => likelihood.look(0, &answer.estimates, Wanted::Value).ok(),
        Draws::Posterior(_) => None,
    };
    Some(by_seen(answer, |seen| {
        let number = |looked: &Looked, place: usize| {
            let own = place * width + seen.numbers.start..place * width + seen.numbers.end;
            looked.numbers.get(own).map(<[f64]>::to_vec)
        };
        let at = |place: usize| {
            let own: Vec<Vec<f64>> = all.iter().filter_map(|one| number(one, place)).collect();
            let own: Vec<&[f64]> = own.iter().map(Vec::as_slice).collect();
            let mut edges = bands::over_draws(answer, seen, &own);
            if let Some(numbers) = estimated.as_ref().and_then(|one| number(one, place)) {
                edges[0] = bands::alone(answer, seen, &numbers)[0];
            }
            edges
        };
        (0..places).map(at).collect()
    }))
}

/// Where the curve of a run has its points, ascending.
fn grid(answer: &FitAnswer, run: &FitRun, (against, is_of_draws): (Against, bool)) -> Vec<f64> {
    let own = horizontal(&run.data, against);
    let is_map = answer.compiled.model.motion == Motion::Map;
    let (from, to) = match (&run.plan, against) {
        (Some(plan), Against::Time) if is_map && plan.end - plan.start <= MOST_STEPS => {
            let steps = (plan.end - plan.start).round() as usize;
            return (0..=steps).map(|step| plan.start + step as f64).collect();
        }
        (Some(plan), Against::Time) if !is_map => (plan.start, plan.end),
        _ => ends(own.iter().copied()).unwrap_or((0.0, 0.0)),
    };
    let mut places = own;
    if from < to && !is_map {
        let count = if is_of_draws { PLACES_OF_DRAWS } else { PLACES };
        let step = (to - from) / count as f64;
        places.extend((0..count).map(|at| from + at as f64 * step));
        places.push(to);
    }
    places.sort_by(f64::total_cmp);
    places.dedup();
    places
}

/// The same run looked at elsewhere; covariates lie on straight lines between their values.
fn on_grid(run: &FitRun, against: Against, places: &[f64]) -> FitRun {
    let mut run = run.clone();
    run.looks = match &mut run.plan {
        Some(plan) => {
            plan.output = Output::Times(places.to_vec());
            (0..places.len()).collect()
        }
        None => vec![0; places.len()],
    };
    let known = horizontal(&run.data, Against::Time);
    for (parameter, values) in &mut run.data.varying {
        *values = match against {
            Against::Covariate(own) if own == *parameter => places.to_vec(),
            _ => places
                .iter()
                .map(|place| between(&known, values, *place))
                .collect(),
        };
    }
    run
}

/// The value at a place of a line through points whose places ascend; beyond them the nearest.
fn between(places: &[f64], values: &[f64], place: f64) -> f64 {
    let after = places.partition_point(|known| *known < place);
    let at = |index: usize| Some((*places.get(index)?, *values.get(index)?));
    match (after.checked_sub(1).and_then(at), at(after)) {
        (Some((x0, y0)), Some((x1, y1))) if x1 > x0 => y0 + (y1 - y0) * (place - x0) / (x1 - x0),
        (_, Some((_, value))) | (Some((_, value)), None) => value,
        (None, None) => f64::NAN,
    }
}

/// The horizontal place of each row of the data.
fn horizontal(data: &RunData, against: Against) -> Vec<f64> {
    let own = match against {
        Against::Covariate(own) => data.varying.iter().find(|(known, _)| *known == own),
        Against::Time | Against::Fitted => None,
    };
    match own {
        Some((_, values)) => values.clone(),
        None => data.rows.iter().map(|row| row.time).collect(),
    }
}

// ---- panels ----

/// An observation of a run, with a band.
fn of_one_run(run: &Traced<'_>, seen: usize, against: Against) -> Figure {
    let mut figure = axes(run.answer, seen, against);
    figure.title = label(run);
    if against == Against::Fitted {
        figure.series.extend(against_fitted(run, seen, 0));
        figure.series.extend(diagonal(&figure.series));
        return figure;
    }
    for (low, high) in [(3, 4), (1, 2)] {
        let (low, high) = (edge(run, seen, low), edge(run, seen, high));
        if low.iter().any(|value| value.is_finite()) {
            figure.bands.push(Band {
                x: run.places.clone(),
                low,
                high,
                colour: 0,
            });
        }
    }
    let words = match figure.bands.len() {
        0 => "fit",
        1 => "fit (band: 95 % of data)",
        _ => "fit (95 % bands: of the curve, of data)",
    };
    figure.series.push(Series {
        label: words.to_owned(),
        x: run.places.clone(),
        y: edge(run, seen, 0),
        mark: Mark::Line,
        colour: 0,
    });
    figure.series.extend(points(run, seen, against, 0));
    figure.y.range = cut(&figure);
    figure
}

/// The vertical range where a band would leave nothing else to be seen.
fn cut(figure: &Figure) -> Option<(f64, f64)> {
    let (low, high) = ends(figure.series.iter().flat_map(|one| one.y.iter().copied()))?;
    let edges = figure.bands.iter().flat_map(|band| [&band.low, &band.high]);
    let (lowest, highest) = ends(edges.flatten().copied())?;
    let room = BEYOND * (high - low);
    let is_too_much = lowest < low - room || highest > high + room;
    is_too_much.then(|| (lowest.max(low - room), highest.min(high + room)))
}

/// An observation of all runs.
fn of_all_runs(runs: &[Traced<'_>], seen: usize, against: Against) -> Figure {
    let Some(first) = runs.first() else {
        return Figure::default();
    };
    let mut figure = axes(first.answer, seen, against);
    for (colour, run) in runs.iter().enumerate() {
        let name = match runs.len() {
            ..=MOST_NAMED => label(run),
            _ => String::new(),
        };
        if against == Against::Fitted {
            figure.series.extend(against_fitted(run, seen, colour));
            continue;
        }
        let line = Series {
            label: name.clone(),
            x: run.places.clone(),
            y: edge(run, seen, 0),
            mark: Mark::Line,
            colour,
        };
        let own = points(run, seen, against, colour)
            .into_iter()
            .map(|series| Series {
                label: name.clone(),
                ..series
            });
        figure.series.push(line);
        figure.series.extend(own);
    }
    if against == Against::Fitted {
        figure.series.extend(diagonal(&figure.series));
    }
    figure
}

fn axes(answer: &FitAnswer, seen: usize, against: Against) -> Figure {
    let known = &answer.lens.seen[seen];
    let unit = known.unit.as_ref().map(ToString::to_string);
    let (label, horizontal_unit) = horizontal_words(answer, against);
    Figure {
        x: Axis {
            label: if against == Against::Fitted {
                format!("{}, fitted", known.name)
            } else {
                label
            },
            unit: if against == Against::Fitted {
                unit.clone()
            } else {
                horizontal_unit
            },
            ..Axis::default()
        },
        y: Axis {
            label: known.name.clone(),
            unit,
            ..Axis::default()
        },
        ..Figure::default()
    }
}

/// The words of the horizontal axis, and its unit.
pub(super) fn horizontal_words(answer: &FitAnswer, against: Against) -> (String, Option<String>) {
    let model = &answer.compiled.model;
    let unit = |unit: &Option<crate::model::Unit>| unit.as_ref().map(ToString::to_string);
    match against {
        Against::Time => (time_label(model.motion).to_owned(), unit(&model.time.unit)),
        Against::Covariate(known) => {
            let parameter = &model.parameters[known.parameter.index()];
            (known.name(model), unit(&parameter.unit))
        }
        Against::Fitted => ("fitted".to_owned(), None),
    }
}

/// Whose run it is: of a fit by subject, of several runs.
fn label(run: &Traced<'_>) -> String {
    run.answer
        .runs
        .get(run.at_run)
        .map_or_else(String::new, FitRun::label)
}

/// The data: filled where they are exact, open at their limit where they are censored.
fn points(run: &Traced<'_>, seen: usize, against: Against, colour: usize) -> Vec<Series> {
    let data = &run.answer.runs[run.at_run].data;
    let places = horizontal(data, against);
    let of = |wanted: fn(Datum) -> Option<f64>, label: &str, mark: Mark| {
        let own = data.points.iter().filter(|point| point.seen == seen);
        let pairs = own.filter_map(|point| Some((*places.get(point.row)?, wanted(point.datum)?)));
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.unzip();
        Series {
            label: label.to_owned(),
            x,
            y,
            mark,
            colour,
        }
    };
    let exact = |datum: Datum| match datum {
        Datum::Exactly(value) => Some(value),
        _ => None,
    };
    let censored = |datum: Datum| match datum {
        Datum::Below(limit) | Datum::Above(limit) => Some(limit),
        Datum::Exactly(_) => None,
    };
    let all = [
        of(exact, "data", Mark::Filled),
        of(censored, "limit of censored data", Mark::Open),
    ];
    all.into_iter()
        .filter(|series| !series.x.is_empty())
        .collect()
}

/// The data above what the model gives.
fn against_fitted(run: &Traced<'_>, seen: usize, colour: usize) -> Option<Series> {
    let checks = run.answer.checks.get(seen)?;
    let own = checks.scores.iter().filter(|score| score.run == run.at_run);
    let (x, y) = own.map(|score| (score.fitted, score.seen)).unzip();
    Some(Series {
        label: String::new(),
        x,
        y,
        mark: Mark::Filled,
        colour,
    })
}

/// Where seen and fitted agree.
fn diagonal(series: &[Series]) -> Option<Series> {
    let all = series.iter().flat_map(|one| one.x.iter().chain(&one.y));
    let (low, high) = ends(all.copied())?;
    Some(Series {
        label: String::new(),
        x: vec![low, high],
        y: vec![low, high],
        mark: Mark::Thin,
        colour: GUIDE,
    })
}

/// The smallest and the largest number, where they differ.
pub(super) fn ends(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = numbers.filter(|number| number.is_finite());
    let ends = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
        (low.min(number), high.max(number))
    });
    (ends.0 < ends.1).then_some(ends)
}
