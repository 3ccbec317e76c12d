//! `plot traces` and `plot pairs`: draws of a posterior, estimates of a bootstrap.
//!
//! Enters: [`Draws`]. Leaves: a panel for each quantity, its draws one after the other, chains apart;
//! a matrix of panels, two quantities against each other in each, with the distribution of one alone
//! on the diagonal. Quantities are drawn on the scale on which they are explored. Must not know how
//! draws are made.

use super::draws::{Draw, Draws};
use super::posterior::PosteriorAnswer;
use super::quantities::Fitted;
use crate::figure::{self, Axis, Band, Figure, Mark, Matrix, Series, Sheet, SheetShape};
use crate::fit::{Scale, sample_correlation, sample_quantile};

/// Panels of traces.
const MOST_TRACES: usize = 12;
/// Quantities of a matrix: more could not be read.
const MOST_PAIRED: usize = 8;
/// Points of a panel: more would be one blot.
const MOST_POINTS: usize = 1000;
/// Chains with entries of the legend of their own.
const MOST_NAMED: usize = 8;
/// Bins of a histogram.
const BINS: usize = 24;
/// From so many draws on the farthest of them do not count for the range of an axis.
const MANY: usize = 300;
/// The share of draws beyond either end then.
const BEYOND: f64 = 0.001;
/// Room at either end of an axis, beside its range.
const ROOM: f64 = 0.06;
/// The colour of what must not be overlooked.
const WARNING: usize = 1;
/// The colour of ink.
const INK: usize = 6;

/// Each quantity draw by draw; where there are too many, those whose chains agree least.
pub(super) fn traces(answer: &PosteriorAnswer) -> Sheet {
    let all: Vec<usize> = varying(&Draws::Posterior(answer));
    let (mut chosen, count) = (all.clone(), all.len());
    if count > MOST_TRACES {
        let rhat = |at: &usize| answer.marginals.get(*at).map_or(f64::NAN, |one| one.rhat);
        // What is not a number has not mixed.
        chosen.sort_by(|one, other| rhat(other).total_cmp(&rhat(one)));
        chosen.truncate(MOST_TRACES);
        chosen.sort_unstable();
    }
    let title = match count > MOST_TRACES {
        true => format!("{MOST_TRACES} of {count} quantities, those with the largest R-hat"),
        false => String::new(),
    };
    Sheet {
        title,
        panels: chosen.iter().map(|at| trace(answer, *at)).collect(),
        shape: SheetShape::Wide,
    }
}

fn trace(answer: &PosteriorAnswer, at: usize) -> Figure {
    let known = &answer.fit.fitted[at];
    let chains = answer.posterior.of(at);
    let named = chains.len() <= MOST_NAMED;
    let mut series: Vec<Series> = chains
        .iter()
        .enumerate()
        .map(|(colour, values)| Series {
            label: match named {
                true => format!("chain {}", colour + 1),
                false => String::new(),
            },
            x: (0..values.len()).map(|at| at as f64 + 1.0).collect(),
            y: values.clone(),
            mark: Mark::Thin,
            colour,
        })
        .collect();
    let all = Draws::Posterior(answer).all();
    let divergent = all.iter().filter(|draw| draw.is_divergent);
    let (x, y): (Vec<f64>, Vec<f64>) = divergent
        .filter_map(|draw| Some((draw.number as f64 + 1.0, *draw.values.get(at)?)))
        .unzip();
    if !x.is_empty() {
        series.push(Series {
            label: "divergent".to_owned(),
            x,
            y,
            mark: Mark::Open,
            colour: INK,
        });
    }
    Figure {
        x: Axis {
            label: "draw".to_owned(),
            ..Axis::default()
        },
        y: axis(known),
        series,
        ..Figure::default()
    }
}

fn axis(known: &Fitted) -> Axis {
    Axis {
        label: known.name.clone(),
        unit: known.unit.clone(),
        scale: match known.scale {
            Scale::Linear => figure::Scale::Linear,
            Scale::Logarithmic => figure::Scale::Logarithmic,
        },
        range: None,
        names: Vec::new(),
    }
}

/// The quantities that are not held at one value.
fn varying(draws: &Draws<'_>) -> Vec<usize> {
    let all = draws.all();
    let moves = |at: &usize| {
        let mut values = all.iter().filter_map(|draw| draw.values.get(*at));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    (0..draws.fit().fitted.len()).filter(moves).collect()
}

// ---- pairs ----

/// A quantity with its draws on the scale on which it is explored.
struct Column<'a> {
    known: &'a Fitted,
    at: usize,
    inner: Vec<f64>,
    /// Where its axis ends, on that scale.
    ends: (f64, f64),
}

/// Quantities in pairs; where there are too many, those that hang together most.
pub(super) fn pairs(draws: &Draws<'_>) -> Matrix {
    let fit = draws.fit();
    let all = draws.all();
    let mut columns: Vec<Column<'_>> = varying(draws)
        .into_iter()
        .filter_map(|at| {
            let known = fit.fitted.get(at)?;
            let values = all.iter().filter_map(|draw| draw.values.get(at));
            let inner: Vec<f64> = values.map(|value| known.scale.inner(*value)).collect();
            let ends = ends(&inner)?;
            Some(Column {
                known,
                at,
                inner,
                ends,
            })
        })
        .collect();
    let count = columns.len();
    let mut title = String::new();
    if count > MOST_PAIRED {
        let samples: Vec<&[f64]> = columns.iter().map(|one| one.inner.as_slice()).collect();
        let mut kept = most_correlated(&samples, MOST_PAIRED).into_iter();
        columns.retain(|_| kept.next().unwrap_or(false));
        title = format!("{MOST_PAIRED} of {count} quantities, those most correlated");
    }
    let few = draws.thinned(MOST_POINTS);
    let marked: Vec<Draw<'_>> = all
        .iter()
        .filter(|draw| draw.is_divergent)
        .copied()
        .collect();
    let rows = columns.iter().enumerate().map(|(row, y)| {
        let below = columns.iter().take(row);
        let mut panels: Vec<Figure> = below
            .map(|x| scatter(draws, (x, y), (&few, &marked)))
            .collect();
        panels.push(alone(draws, y));
        panels
    });
    let rows: Vec<Vec<Figure>> = rows.collect();
    let above = columns.iter().enumerate().map(|(row, y)| {
        let beyond = columns.iter().skip(row + 1);
        beyond
            .map(|x| sample_correlation(&x.inner, &y.inner).map_or(String::new(), words))
            .collect()
    });
    Matrix {
        title,
        above: above.collect(),
        rows,
    }
}

/// `r = −0.95`; what rounds to zero has no sign.
fn words(r: f64) -> String {
    let rounded = (100.0 * r).round() / 100.0 + 0.0;
    format!("r = {rounded:.2}").replace('-', "\u{2212}")
}

/// The ends of an axis with some room; none for numbers that are not finite.
fn ends(inner: &[f64]) -> Option<(f64, f64)> {
    let mut sorted: Vec<f64> = inner.iter().copied().filter(|u| u.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let beyond = if sorted.len() >= MANY { BEYOND } else { 0.0 };
    let low = sample_quantile(&sorted, beyond);
    let high = sample_quantile(&sorted, 1.0 - beyond);
    let room = ROOM * (high - low);
    (low < high).then_some((low - room, high + room))
}

/// Which of several samples to keep, at most so many: those with the strongest correlations.
fn most_correlated(samples: &[&[f64]], most: usize) -> Vec<bool> {
    let mut pairs = Vec::new();
    for (i, one) in samples.iter().enumerate() {
        for (j, other) in samples.iter().enumerate().skip(i + 1) {
            let r = sample_correlation(one, other);
            pairs.push((r.map_or(0.0, f64::abs), i, j));
        }
    }
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut kept = vec![false; samples.len()];
    let mut count = 0;
    for at in pairs.into_iter().flat_map(|(_, i, j)| [i, j]) {
        if let Some(kept) = kept.get_mut(at).filter(|kept| !**kept)
            && count < most
        {
            *kept = true;
            count += 1;
        }
    }
    kept
}

fn paired_axis(column: &Column<'_>) -> Axis {
    let outer = |u: f64| column.known.scale.outer(u);
    Axis {
        range: Some((outer(column.ends.0), outer(column.ends.1))),
        ..axis(column.known)
    }
}

/// One quantity over another.
fn scatter(
    draws: &Draws<'_>,
    (x, y): (&Column<'_>, &Column<'_>),
    (few, marked): (&[Draw<'_>], &[Draw<'_>]),
) -> Figure {
    let series = |label: &str, own: &[Draw<'_>], mark, colour| {
        let pairs = own
            .iter()
            .filter_map(|draw| Some((*draw.values.get(x.at)?, *draw.values.get(y.at)?)));
        let (x, y) = pairs.unzip();
        Series {
            label: label.to_owned(),
            x,
            y,
            mark,
            colour,
        }
    };
    let mut all = Vec::new();
    match draws {
        Draws::Posterior(_) => {
            all.push(series("draws", few, Mark::Dots, 0));
            if !marked.is_empty() {
                all.push(series("divergent", marked, Mark::Filled, WARNING));
            }
        }
        Draws::Bootstrap(answer) => {
            all.push(series("replicates", few, Mark::Dots, 0));
            let estimates = &answer.fit.estimates;
            all.push(Series {
                label: "estimate from the data".to_owned(),
                x: estimates.get(x.at).copied().into_iter().collect(),
                y: estimates.get(y.at).copied().into_iter().collect(),
                mark: Mark::Filled,
                colour: WARNING,
            });
        }
    }
    Figure {
        x: paired_axis(x),
        y: paired_axis(y),
        series: all,
        ..Figure::default()
    }
}

/// The histogram of one quantity, as a density on its scale, with its prior.
fn alone(draws: &Draws<'_>, column: &Column<'_>) -> Figure {
    let heights = histogram(&column.inner, column.ends);
    let width = (column.ends.1 - column.ends.0) / BINS as f64;
    let outer = |u: f64| column.known.scale.outer(u);
    let edge = |bin: usize| outer(column.ends.0 + bin as f64 * width);
    let x: Vec<f64> = (0..BINS)
        .flat_map(|bin| [edge(bin), edge(bin + 1)])
        .collect();
    let high: Vec<f64> = heights.iter().flat_map(|height| [*height; 2]).collect();
    let most = heights.iter().copied().fold(0.0, f64::max);
    let mut series = vec![Series {
        label: String::new(),
        x: x.clone(),
        y: high.clone(),
        mark: Mark::Line,
        colour: 0,
    }];
    if let Draws::Posterior(_) = draws {
        series.extend(prior(column));
    }
    if let Draws::Bootstrap(answer) = draws {
        let at = answer.fit.estimates.get(column.at).copied();
        let at = at.unwrap_or(f64::NAN);
        series.push(Series {
            label: String::new(),
            x: vec![at, at],
            y: vec![0.0, 1.1 * most],
            mark: Mark::Line,
            colour: WARNING,
        });
    }
    Figure {
        x: paired_axis(column),
        y: Axis {
            range: Some((0.0, 1.1 * most)),
            ..Axis::default()
        },
        bands: vec![Band {
            low: vec![0.0; x.len()],
            x,
            high,
            colour: 0,
        }],
        series,
        ..Figure::default()
    }
}

/// The density in each bin.
fn histogram(inner: &[f64], ends: (f64, f64)) -> Vec<f64> {
    let width = (ends.1 - ends.0) / BINS as f64;
    let mut counts = vec![0.0; BINS];
    for u in inner {
        let bin = ((u - ends.0) / width).floor();
        if (0.0..BINS as f64).contains(&bin)
            && let Some(count) = counts.get_mut(bin as usize)
        {
            *count += 1.0;
        }
    }
    let all = inner.len() as f64 * width;
    counts.into_iter().map(|count| count / all).collect()
}

/// The density of the prior on the scale of the axis.
fn prior(column: &Column<'_>) -> Option<Series> {
    const PLACES: usize = 100;
    let prior = column.known.prior.as_ref()?;
    let (low, high) = column.ends;
    let places = (0..=PLACES).map(|at| low + (high - low) * at as f64 / PLACES as f64);
    let (x, y) = places
        .map(|u| {
            let value = column.known.scale.outer(u);
            let slope = column.known.scale.slope(value);
            let density = prior.at(value).map_or(0.0, |density| density.log.exp());
            (value, density * slope)
        })
        .unzip();
    Some(Series {
        label: "prior".to_owned(),
        x,
        y,
        mark: Mark::Dashed,
        colour: INK,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_hang_together_are_kept() {
        let up = [1.0, 2.0, 3.0, 4.0];
        let down = [8.0, 6.1, 4.0, 2.0];
        let level = [1.0, -1.0, -1.0, 1.0];
        let wavy = [1.0, -1.0, 1.0, -1.0];
        let samples: [&[f64]; 4] = [&up, &level, &wavy, &down];
        assert_eq!(most_correlated(&samples, 2), [true, false, false, true]);
        assert_eq!(most_correlated(&samples, 9), [true; 4]);
    }

    #[test]
    fn far_draws_do_not_set_the_range_of_many() {
        let mut many: Vec<f64> = (0..=1000).map(|at| f64::from(at) / 1000.0).collect();
        let (low, high) = ends(&many).expect("ends");
        assert!((low + 0.06).abs() < 0.01 && (high - 1.06).abs() < 0.01);
        many.push(1e6);
        assert!(ends(&many).expect("ends").1 < 1.1);
        // Of few draws each counts.
        assert!(ends(&[0.0, 1.0, 100.0]).expect("ends").1 > 100.0);
        assert_eq!(ends(&[2.0, 2.0]), None);
    }
}
