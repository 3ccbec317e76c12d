//! `plot residuals` and `plot waterfall`.
//!
//! Enters: the answers of a fit. Leaves: for each observation the scores of its data over time (or
//! over fitted values) and against normal quantiles (a Q-Q plot with a band in which each of them
//! lies in 95 % of cases); what every start came to, best first.

use super::answer::FitAnswer;
use super::curves::{Against, GUIDE, MOST_PANELS, NORMAL_WIDTH, against, ends, horizontal_words};
use super::scores::Score;
use crate::figure::{Axis, Band, Figure, Mark, Scale, Series};
use crate::fit::{Family, SAME_VALUE, quantile, quantile_points};
use std::sync::Arc;

/// Observations that have panels of their own.
const MOST_OBSERVATIONS: usize = 3;
/// Places at which the band of a Q-Q plot is worked out.
const BAND_PLACES: usize = 100;

/// The scores of an observation.
struct Scores<'a> {
    name: &'a str,
    all: Vec<Score>,
}

/// Residuals, then Q-Q plots; the data of several fits together.
pub(super) fn panels(answers: &[Arc<FitAnswer>]) -> Vec<Figure> {
    let Some(first) = answers.first() else {
        return Vec::new();
    };
    let scores: Vec<Scores<'_>> = first
        .checks
        .iter()
        .enumerate()
        .map(|(at, checks)| {
            let own = answers.iter().filter_map(|answer| answer.checks.get(at));
            Scores {
                name: &checks.name,
                all: own
                    .flat_map(|checks| checks.scores.iter().copied())
                    .collect(),
            }
        })
        .collect();
    let groups: Vec<&[Scores<'_>]> = match scores.len() {
        ..=MOST_OBSERVATIONS => scores.chunks(1).collect(),
        _ => vec![&scores],
    };
    let over = groups.iter().map(|group| over_time(first, group));
    let normal = groups.iter().map(|group| quantiles(first, group));
    // Side by side where there are one or two.
    if groups.len() > 2 {
        return over.chain(normal).collect();
    }
    over.zip(normal)
        .flat_map(|(one, other)| [one, other])
        .collect()
}

fn title(group: &[Scores<'_>], of: &FitAnswer) -> String {
    match group {
        [only] if of.checks.len() > 1 => only.name.to_owned(),
        _ => String::new(),
    }
}

/// Of several observations in one panel each has a name.
fn name(group: &[Scores<'_>], scores: &Scores<'_>) -> String {
    match group {
        [_] => String::new(),
        _ => scores.name.to_owned(),
    }
}

fn vertical(answer: &FitAnswer) -> Axis {
    let label = match answer.squares {
        Some(_) => "residual / residual sd",
        None => "residual (normal score)",
    };
    Axis {
        label: label.to_owned(),
        ..Axis::default()
    }
}

fn over_time(answer: &FitAnswer, group: &[Scores<'_>]) -> Figure {
    // Scores know no covariates.
    let against = match against(answer) {
        Against::Time => Against::Time,
        _ => Against::Fitted,
    };
    let (label, unit) = horizontal_words(answer, against);
    let mut figure = Figure {
        title: title(group, answer),
        x: Axis {
            label,
            unit,
            ..Axis::default()
        },
        y: vertical(answer),
        ..Figure::default()
    };
    let place = |score: &Score| match against {
        Against::Time => score.time,
        _ => score.fitted,
    };
    let all = group.iter().flat_map(|scores| scores.all.iter().map(place));
    if let Some((low, high)) = ends(all) {
        for (height, mark) in [
            (0.0, Mark::Thin),
            (NORMAL_WIDTH, Mark::Dotted),
            (-NORMAL_WIDTH, Mark::Dotted),
        ] {
            figure.series.push(Series {
                label: String::new(),
                x: vec![low, high],
                y: vec![height, height],
                mark,
                colour: GUIDE,
            });
        }
    }
    for (colour, scores) in group.iter().enumerate() {
        figure.series.push(Series {
            label: name(group, scores),
            x: scores.all.iter().map(place).collect(),
            y: scores.all.iter().map(|score| score.score).collect(),
            mark: Mark::Filled,
            colour,
        });
    }
    figure
}

/// Sorted scores over the normal quantiles of their ranks.
fn quantiles(answer: &FitAnswer, group: &[Scores<'_>]) -> Figure {
    let mut figure = Figure {
        title: title(group, answer),
        x: Axis {
            label: "normal quantile".to_owned(),
            ..Axis::default()
        },
        y: vertical(answer),
        ..Figure::default()
    };
    let most = group
        .iter()
        .map(|scores| scores.all.len())
        .max()
        .unwrap_or(0);
    let places = places(most);
    if let [_] = group {
        figure.bands.extend(band(&places));
    }
    if let [_, .., end] = places.as_slice() {
        let end = *end;
        figure.series.push(Series {
            label: String::new(),
            x: vec![-end, end],
            y: vec![-end, end],
            mark: Mark::Thin,
            colour: GUIDE,
        });
    }
    for (colour, scores) in group.iter().enumerate() {
        let own: Vec<f64> = scores.all.iter().map(|score| score.score).collect();
        let (x, y) = quantile_points(&own).into_iter().unzip();
        figure.series.push(Series {
            label: name(group, scores),
            x,
            y,
            mark: Mark::Filled,
            colour,
        });
    }
    figure
}

fn normal(share: f64) -> f64 {
    quantile(Family::Normal, &[0.0, 1.0], share).unwrap_or(f64::NAN)
}

/// About where each of n sorted standard normal numbers is expected.
fn places(n: usize) -> Vec<f64> {
    let points = quantile_points(&vec![0.0; n]);
    points.into_iter().map(|(place, _)| place).collect()
}

/// Where each of them lies in 95 % of cases: their probabilities are beta-distributed.
fn band(places: &[f64]) -> Option<Band> {
    let n = places.len();
    if n < 2 {
        return None;
    }
    let stride = n.div_ceil(BAND_PLACES);
    let mut ranks: Vec<usize> = (0..n).step_by(stride).collect();
    if ranks.last() != Some(&(n - 1)) {
        ranks.push(n - 1);
    }
    let edge = |rank: usize, share: f64| {
        let (above, below) = (rank as f64 + 1.0, (n - rank) as f64);
        quantile(Family::Beta, &[above, below], share).map_or(f64::NAN, normal)
    };
    Some(Band {
        x: ranks.iter().map(|rank| places[*rank]).collect(),
        low: ranks.iter().map(|rank| edge(*rank, 0.025)).collect(),
        high: ranks.iter().map(|rank| edge(*rank, 0.975)).collect(),
        colour: 0,
    })
}

/// What every start came to, for each fit that had several.
pub(super) fn waterfalls(answers: &[Arc<FitAnswer>]) -> Vec<Figure> {
    let several = answers
        .iter()
        .filter(|answer| answer.findings.all.len() > 1);
    several
        .take(MOST_PANELS)
        .map(|answer| waterfall(answer))
        .collect()
}

/// Differences too small to mean anything stand at the foot: a logarithmic axis has no zero.
fn waterfall(answer: &FitAnswer) -> Figure {
    let searches = &answer.findings.all;
    let best = searches.first().map_or(f64::NAN, |one| one.local.value);
    let above: Vec<f64> = searches
        .iter()
        .map(|one| one.local.value - best)
        .filter(|difference| difference.is_finite())
        .map(|difference| difference.max(SAME_VALUE))
        .collect();
    let highest = above.iter().copied().fold(1.0, f64::max);
    let reached = answer.findings.reached_best.min(above.len());
    let series = |label: &str, ranks: std::ops::Range<usize>, mark: Mark| Series {
        label: label.to_owned(),
        x: ranks.clone().map(|rank| rank as f64 + 1.0).collect(),
        y: above.get(ranks).unwrap_or(&[]).to_vec(),
        mark,
        colour: 0,
    };
    let all = [
        series("", 0..above.len(), Mark::Thin),
        series("reached the best value", 0..reached, Mark::Filled),
        series("ended elsewhere", reached..above.len(), Mark::Open),
    ];
    Figure {
        title: answer
            .subject
            .as_ref()
            .map_or_else(String::new, |who| format!("subject {who}")),
        x: Axis {
            label: "start, best first".to_owned(),
            range: Some((0.0, above.len() as f64 + 1.0)),
            ..Axis::default()
        },
        y: Axis {
            label: "\u{2212}log L above the best".to_owned(),
            scale: Scale::Logarithmic,
            range: Some((0.5 * SAME_VALUE, 2.0 * highest)),
            ..Axis::default()
        },
        series: all.into_iter().filter(|one| !one.x.is_empty()).collect(),
        ..Figure::default()
    }
}
