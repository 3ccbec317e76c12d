//! Residuals of a fit as normal scores, and whether they look as they should.
//!
//! Enters: a likelihood, what the model gives at the estimates. Leaves: [`Checks`] for each
//! observation. A score is where a datum stands in its distribution, as a standard normal number
//! (quantile residuals; P. K. Dunn, G. K. Smyth, J. Comput. Graph. Stat. 5 (1996) 236-244; of
//! counts the middle of their step).

use super::noise::foretold;
use super::objective::{Likelihood, Looked};
use crate::fit::{Datum, Family, ResidualChecks, cdf, quantile, residual_checks};
use crate::model::Support;

/// The residuals of one observation.
#[derive(Debug, Clone)]
pub struct Checks {
    /// Its name.
    pub name: String,
    /// Run, time and score of each datum that is not censored, run after run in order of time.
    pub scores: Vec<Score>,
    /// What tests say of them.
    pub tests: ResidualChecks,
}

/// One residual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Which run.
    pub run: usize,
    /// When.
    pub time: f64,
    /// What the model gives: mean or median of the datum.
    pub fitted: f64,
    /// What was seen.
    pub seen: f64,
    /// Where it stands, as a standard normal number.
    pub score: f64,
}

/// The residuals of every observation; `sd` is that of least squares.
pub(super) fn checks(
    likelihood: &Likelihood<'_>,
    looked: &[Looked],
    sd: Option<f64>,
) -> Vec<Checks> {
    let seen = likelihood.lens.seen.iter().enumerate();
    seen.map(|(at, seen)| {
        let scores = scores(likelihood, looked, at, sd);
        let numbers: Vec<f64> = scores.iter().map(|score| score.score).collect();
        Checks {
            name: seen.name.clone(),
            tests: residual_checks(&numbers),
            scores,
        }
    })
    .collect()
}

/// The innovations of filters, standardised: independent normal numbers when the model holds. Of
/// data with a law of their own, where they stand in what was foretold.
pub(super) fn checks_of_filter(likelihood: &Likelihood<'_>, at: &[f64]) -> Vec<Checks> {
    let mut scores: Vec<Vec<Score>> = vec![Vec::new(); likelihood.lens.seen.len()];
    for (run, known) in likelihood.runs.iter().enumerate() {
        let Some((_, found)) = foretold(likelihood, run, at) else {
            continue;
        };
        for innovation in &found.innovations {
            let point = known.data.points.get(innovation.datum);
            if let (Some(point), Some(score)) = (point, innovation.score)
                && let Some(own) = scores.get_mut(point.seen)
            {
                let family = likelihood
                    .lens
                    .seen
                    .get(point.seen)
                    .and_then(|seen| seen.family);
                let fitted = match family.filter(|_| !innovation.parameters.is_empty()) {
                    Some(family) => middle(family, &innovation.parameters),
                    None => innovation.expected,
                };
                own.push(Score {
                    run,
                    time: innovation.time,
                    fitted,
                    seen: innovation.expected + innovation.deviation,
                    score,
                });
            }
        }
    }
    let seen = likelihood.lens.seen.iter().zip(scores);
    seen.map(|(seen, scores)| {
        let numbers: Vec<f64> = scores.iter().map(|score| score.score).collect();
        Checks {
            name: seen.name.clone(),
            tests: residual_checks(&numbers),
            scores,
        }
    })
    .collect()
}

fn scores(
    likelihood: &Likelihood<'_>,
    looked: &[Looked],
    seen: usize,
    sd: Option<f64>,
) -> Vec<Score> {
    let width = likelihood.lens.width();
    let known = &likelihood.lens.seen[seen];
    let points = likelihood.points().filter(|(_, point)| point.seen == seen);
    points
        .filter_map(|(run, point)| {
            let Datum::Exactly(value) = point.datum else {
                return None;
            };
            let row = looked
                .get(run)?
                .numbers
                .get(point.row * width..(point.row + 1) * width)?;
            let numbers = row.get(known.numbers.clone())?;
            let (fitted, score) = match known.family {
                None => {
                    let sd = sd.filter(|sd| *sd > 0.0)?;
                    (numbers[0], (value - numbers[0]) / sd)
                }
                Some(family) => (
                    middle(family, numbers),
                    normal_score(family, numbers, value)?,
                ),
            };
            Some(Score {
                run,
                time: likelihood.runs[run].data.rows.get(point.row)?.time,
                fitted,
                seen: value,
                score,
            })
        })
        .collect()
}

/// What a plot draws for a distribution: its mean, or the median where that is a parameter.
pub(super) fn middle(family: Family, numbers: &[f64]) -> f64 {
    match family {
        Family::LogNormal | Family::Cauchy => numbers.first().copied().unwrap_or(f64::NAN),
        _ => crate::fit::mean(family, numbers).unwrap_or(f64::NAN),
    }
}

fn normal_score(family: Family, numbers: &[f64], value: f64) -> Option<f64> {
    let upper = cdf(family, numbers, value)?;
    let share = if family.support() == Support::Counts {
        let lower = if value >= 1.0 {
            cdf(family, numbers, value - 1.0)?
        } else {
            0.0
        };
        0.5 * (upper + lower)
    } else {
        upper
    };
    let share = share.clamp(1e-16, 1.0 - 1e-16);
    quantile(Family::Normal, &[0.0, 1.0], share)
}
