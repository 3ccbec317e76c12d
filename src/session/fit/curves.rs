//! `plot fit`: the model at its estimates over the data.
//!
//! Enters: the answers of a fit. Leaves: a panel for each observation of each run; where these are
//! too many, one for each observation with all runs in it. Models are run again on a fine grid; a
//! regression is drawn against its covariate, and against the fitted values where there are several.

use super::super::plot::time_label;
use super::answer::FitAnswer;
use super::data::RunData;
use super::lens::Seen;
use super::runs::FitRun;
use super::scores::middle;
use crate::figure::{Axis, Band, Figure, Mark, Series};
use crate::fit::{Datum, Wanted, quantile};
use crate::model::{Motion, ParameterId};
use crate::simulate::Output;
use crate::world::World;
use std::sync::Arc;

/// Places of a smooth curve, besides those of the data.
const PLACES: usize = 400;
/// Steps of a map that are drawn one by one.
const MOST_STEPS: f64 = 10_000.0;
/// Panels of one sheet.
pub(super) const MOST_PANELS: usize = 12;
/// Runs in one panel that have entries of the legend of their own.
const MOST_NAMED: usize = 8;
/// The colour of lines that lead the eye.
pub(super) const GUIDE: usize = 6;
/// The share of data inside the band.
const SHARE: f64 = 0.95;
/// Between this many standard deviations on either side a normal number lies with this share.
pub(super) const NORMAL_WIDTH: f64 = 1.959_963_984_540_054;

/// What a panel is drawn against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Against {
    Time,
    /// A regression's only covariate.
    Covariate(ParameterId),
    /// What the model gives: the data should lie on the diagonal.
    Fitted,
}

/// A run of an answer with its smooth curve.
struct Traced<'a> {
    answer: &'a FitAnswer,
    at_run: usize,
    /// Where the model was looked at.
    places: Vec<f64>,
    /// The numbers of the lens there, place after place.
    numbers: Vec<f64>,
}

/// The panels.
pub(super) fn panels(answers: &[Arc<FitAnswer>], world: &dyn World) -> Vec<Figure> {
    let Some(first) = answers.first() else {
        return Vec::new();
    };
    let against = against(first);
    let runs: Vec<Traced<'_>> = answers
        .iter()
        .flat_map(|answer| (0..answer.runs.len()).map(move |run| (answer, run)))
        .map(|(answer, run)| traced(answer, run, against, world))
        .collect();
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
    against: Against,
    world: &dyn World,
) -> Traced<'a> {
    if against == Against::Fitted {
        return Traced {
            answer,
            at_run,
            places: Vec::new(),
            numbers: Vec::new(),
        };
    }
    let run = &answer.runs[at_run];
    let places = grid(answer, run, against);
    let runs = vec![on_grid(run, against, &places)];
    let likelihood = answer.likelihood(world).with_runs(runs);
    let smooth = match answer.filters {
        Some(_) => None,
        None => likelihood.look(0, &answer.estimates, Wanted::Value).ok(),
    };
    let (places, numbers) = match smooth {
        Some(looked) => (places, looked.numbers),
        // Noise has one-step forecasts at the data; and what is known there is better than nothing.
        None => {
            let known = answer.looked.get(at_run);
            let numbers = known.map_or_else(Vec::new, |looked| looked.numbers.clone());
            (horizontal(&run.data, against), numbers)
        }
    };
    Traced {
        answer,
        at_run,
        places,
        numbers,
    }
}

/// Where the curve of a run has its points, ascending.
fn grid(answer: &FitAnswer, run: &FitRun, against: Against) -> Vec<f64> {
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
        let step = (to - from) / PLACES as f64;
        places.extend((0..PLACES).map(|at| from + at as f64 * step));
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
    let known = &run.answer.lens.seen[seen];
    let spread: Vec<[f64; 3]> = numbers_of(run, known)
        .map(|numbers| spread(run.answer, known, numbers))
        .collect();
    let edge = |which: usize| spread.iter().map(|three| three[which]).collect();
    figure.bands.push(Band {
        x: run.places.clone(),
        low: edge(0),
        high: edge(2),
        colour: 0,
    });
    figure.series.push(Series {
        label: "fit (band: 95 % of data)".to_owned(),
        x: run.places.clone(),
        y: edge(1),
        mark: Mark::Line,
        colour: 0,
    });
    figure.series.extend(points(run, seen, against, 0));
    figure
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
        let known = &run.answer.lens.seen[seen];
        let middles = numbers_of(run, known).map(|numbers| spread(run.answer, known, numbers)[1]);
        let line = Series {
            label: name.clone(),
            x: run.places.clone(),
            y: middles.collect(),
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
        Against::Covariate(id) => {
            let known = &model.parameters[id.index()];
            (known.name.clone(), unit(&known.unit))
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

/// The numbers of an observation at each place.
fn numbers_of<'t>(run: &'t Traced<'_>, seen: &'t Seen) -> impl Iterator<Item = &'t [f64]> {
    let rows = run.numbers.chunks_exact(run.answer.lens.width().max(1));
    rows.map(|row| row.get(seen.numbers.clone()).unwrap_or(&[]))
}

/// Where the middle of the data should lie, between the ends of most of them.
fn spread(answer: &FitAnswer, seen: &Seen, numbers: &[f64]) -> [f64; 3] {
    match seen.family {
        None => {
            let middle = numbers.first().copied().unwrap_or(f64::NAN);
            let width = NORMAL_WIDTH * answer.residual_sd().unwrap_or(f64::NAN);
            [middle - width, middle, middle + width]
        }
        Some(family) => {
            let tail = 0.5 * (1.0 - SHARE);
            let end = |share: f64| quantile(family, numbers, share).unwrap_or(f64::NAN);
            [end(tail), middle(family, numbers), end(1.0 - tail)]
        }
    }
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
