//! How sparse A should be: the weight of l1 by the likelihood of groups held out.
//!
//! Groups are dealt into folds; for each fold A, B and C are fitted to the other groups along falling
//! weights, each from the fit before, and the held-out groups are scored with them, until smaller weights
//! have made the score worse twice. Effects of inputs
//! that act in held-out groups only (a knock-out's own) are fitted there first, with A and S held:
//! nothing else could know them. Multipliers 1/|a|^g of a first fit make it adaptive (H. Zou, J. Am.
//! Stat. Assoc. 101, 1418, 2006).
//!
//! Enters: statistics by parts, masks, folds. Leaves: scores and the fit to all groups at the best
//! weight. Must not know how a search works.

use super::likelihood::{gradient, moments};
use super::problem::{Cells, Course, Covariance, Design, Entries, Mismatch, Point};
use super::search::{End, Found, Options, Penalty, search};
use super::statistics::Statistics;
use crate::kernel::Stream;
use crate::simulate::in_order;
use nalgebra::DMatrix;
use rand::seq::SliceRandom;
use std::ops::ControlFlow;

/// Which weights are tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Path {
    /// Folds: the parts 0, 1, ... of the statistics; higher parts are never held out.
    pub folds: usize,
    /// Weights, from the least that makes A diagonal down.
    pub weights: usize,
    /// The last weight beside the first.
    pub last: f64,
}

impl Default for Path {
    fn default() -> Path {
        Path {
            folds: 5,
            weights: 12,
            last: 1e-3,
        }
    }
}

/// Who works, and who looks on.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Folds are fitted on so many threads.
    pub threads: usize,
    /// Ends the work early.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
    /// Hears how far it is.
    pub told: &'a dyn Fn(Tried),
}

/// How far the choice of a weight is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// Fits done.
    pub fits: usize,
    /// Fits at most.
    pub most: usize,
    /// The best log-likelihood of a held-out cell so far; minus infinity before there is any.
    pub best: f64,
}

/// The weights with their scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Those that were tried, descending.
    pub weights: Vec<f64>,
    /// The log-likelihood of a held-out cell; minus infinity where a fit failed.
    pub scores: Vec<f64>,
    /// Which weight is best, the larger of two that are even.
    pub best: usize,
    /// The fit to all groups with it.
    pub found: Found,
}

/// The cells as they are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// With one part for each fold, see [`folds`].
    pub statistics: &'a Statistics,
    /// X, q by K.
    pub inputs: &'a DMatrix<f64>,
    /// Groups on the way.
    pub course: Option<&'a Course>,
    /// Where S comes from.
    pub covariance: &'a Covariance,
    /// What is free.
    pub design: &'a Design,
}

/// Deals groups into `many` folds by a seed: the part of each group, for
/// [`super::Accumulator::new`]. Groups in `kept` (a control) get the part `many` and are never held
/// out.
#[must_use]
pub fn folds(groups: usize, many: usize, kept: &[usize], seed: u64) -> Vec<usize> {
    let mut parts = vec![many; groups];
    let mut order: Vec<usize> = (0..groups).filter(|group| !kept.contains(group)).collect();
    order.shuffle(&mut Stream::new(seed, 0));
    for (turn, group) in order.into_iter().enumerate() {
        parts[group] = turn % many.max(1);
    }
    parts
}

/// Multipliers (floor/(|a| + floor))^power for the entries of a first fit of A: near 1 for entries
/// near zero, small for large ones.
#[must_use]
pub fn adaptive(drift: &DMatrix<f64>, floor: f64, power: f64) -> DMatrix<f64> {
    drift.map(|entry| (floor / (entry.abs() + floor)).powf(power))
}

/// While weights are compared the gradient that ends a search may be this part of the weight: scores
/// do not change by what is left.
const LOOSE: f64 = 0.02;
/// The path ends where so many weights after the best have scored worse.
const WORSE: usize = 2;

/// Tries weights and fits with the best. `penalty` gives ridge and multipliers.
///
/// # Errors
/// [`Mismatch`] of the cells of all groups.
pub fn select(
    question: Question<'_>,
    penalty: &Penalty,
    options: &Options,
    path: &Path,
    watch: Watch<'_>,
) -> Result<Selection, Mismatch> {
    let interrupted = watch.interrupted;
    let cells = question.cells(question.statistics, question.covariance.clone())?;
    let diagonal = question.diagonal(&cells, penalty, options, interrupted)?;
    let most = most_weight(&cells, question.design, penalty, &diagonal, interrupted);
    let many = path.weights.max(1);
    let fall = |k: usize| path.last.powf(k as f64 / (many.max(2) - 1) as f64);
    let mut weights: Vec<f64> = (0..many).map(|k| most * fall(k)).collect();
    let (scores, best) = question.compare(path.folds, (&weights, penalty, options), watch);
    weights.truncate(scores.len());
    // All groups, along the same path, so that the start is near.
    let mut design = with_start(question.design, &diagonal.point);
    let mut found = diagonal;
    for (at, weight) in weights.iter().enumerate().take(best + 1) {
        let (own, mut steps) = at_weight(*weight, penalty, options);
        if at == best {
            steps = *options;
        }
        found = search(&cells, &design, &own, &steps, interrupted)?;
        design = with_start(&design, &found.point);
    }
    Ok(Selection {
        weights,
        scores,
        best,
        found,
    })
}

/// Penalty and options while weights are compared.
fn at_weight(weight: f64, penalty: &Penalty, options: &Options) -> (Penalty, Options) {
    let own = Penalty {
        l1: weight,
        ..penalty.clone()
    };
    let loose = Options {
        gradient: options.gradient.max(LOOSE * weight),
        ..*options
    };
    (own, loose)
}

/// A fold on its way along the weights.
struct Fold {
    rest: Statistics,
    held: Statistics,
    cells: Cells,
    /// With the fit to the rest at the weight before.
    design: Design,
}

impl Question<'_> {
    fn cells(&self, statistics: &Statistics, covariance: Covariance) -> Result<Cells, Mismatch> {
        Cells::new(statistics, self.inputs, self.course, covariance)
    }

    /// The fit with all penalised entries at zero.
    fn diagonal(
        &self,
        cells: &Cells,
        penalty: &Penalty,
        options: &Options,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Found, Mismatch> {
        let mut design = self.design.clone();
        let p = design.drift.values.nrows().max(1);
        let entries = design.drift.values.iter_mut().zip(&mut design.drift.free);
        for (at, (value, free)) in entries.enumerate() {
            if *free && at % p != at / p {
                (*value, *free) = (0.0, false);
            }
        }
        let own = Penalty {
            l1: 0.0,
            ..penalty.clone()
        };
        search(cells, &design, &own, options, interrupted)
    }

    /// The log-likelihood of a held-out cell at each weight, and which is best, as far along the weights as
    /// it pays.
    fn compare(
        &self,
        folds: usize,
        (weights, penalty, options): (&[f64], &Penalty, &Options),
        watch: Watch<'_>,
    ) -> (Vec<f64>, usize) {
        let dealt =
            (0..folds).filter_map(|fold| self.fold(fold, penalty, options, watch.interrupted));
        let mut dealt: Vec<Fold> = dealt.collect();
        let total: f64 = dealt.iter().map(|fold| fold.held.cells()).sum();
        let mut scores: Vec<f64> = Vec::with_capacity(weights.len());
        let mut best = 0;
        for weight in weights {
            let (own, loose) = at_weight(*weight, penalty, options);
            let mut sum = 0.0;
            let mut points = Vec::with_capacity(dealt.len());
            let work = |at: usize| {
                let fold = dealt.get(at)?;
                self.tried(fold, &own, &loose, watch.interrupted)
            };
            in_order(dealt.len(), watch.threads, work, |at, tried| {
                sum += tried
                    .as_ref()
                    .map_or(f64::NEG_INFINITY, |(score, _)| *score);
                points.push(tried.map(|(_, point)| point));
                (watch.told)(Tried {
                    fits: scores.len() * dealt.len() + at + 1,
                    most: weights.len() * dealt.len(),
                    best: scores.get(best).copied().unwrap_or(f64::NEG_INFINITY),
                });
                ControlFlow::Continue(())
            });
            for (fold, point) in dealt.iter_mut().zip(points) {
                if let Some(point) = point {
                    fold.design = with_start(&fold.design, &point);
                }
            }
            scores.push(sum / total);
            let last = scores.len() - 1;
            if scores.get(last) > scores.get(best) {
                best = last;
            }
            let is_scored = scores.get(best).is_some_and(|score| score.is_finite());
            if (is_scored && last >= best + WORSE) || (watch.interrupted)() {
                break;
            }
        }
        (scores, best)
    }

    /// A fold with its fit where all penalised entries are zero; `None` for one without cells.
    fn fold(
        &self,
        fold: usize,
        penalty: &Penalty,
        options: &Options,
        interrupted: &dyn Fn() -> bool,
    ) -> Option<Fold> {
        let rest = self.statistics.of_parts(&|part| part != fold);
        let held = self.statistics.of_parts(&|part| part == fold);
        if held.cells() == 0.0 || rest.cells() == 0.0 {
            return None;
        }
        let cells = self.cells(&rest, self.covariance.clone()).ok()?;
        let diagonal = self.diagonal(&cells, penalty, options, interrupted).ok()?;
        Some(Fold {
            design: with_start(self.design, &diagonal.point),
            rest,
            held,
            cells,
        })
    }

    /// The score of a fold's held-out cells with a penalty, and the fit that has it.
    fn tried(
        &self,
        fold: &Fold,
        penalty: &Penalty,
        options: &Options,
        interrupted: &dyn Fn() -> bool,
    ) -> Option<(f64, Point)> {
        let found = search(&fold.cells, &fold.design, penalty, options, interrupted).ok()?;
        if matches!(found.end, End::Fault(_) | End::Interrupted) {
            return None;
        }
        let (rest, held) = (&fold.rest, &fold.held);
        let score = self.score(&fold.cells, rest, held, &found.point, options, interrupted);
        Some((score, found.point))
    }

    /// The log-likelihood of held-out cells at a point, the effects of their own inputs fitted.
    fn score(
        &self,
        fitted: &Cells,
        rest: &Statistics,
        held: &Statistics,
        point: &Point,
        options: &Options,
        interrupted: &dyn Fn() -> bool,
    ) -> f64 {
        let Ok(at) = moments(fitted, point, interrupted) else {
            return f64::NEG_INFINITY;
        };
        let known = Covariance::Known(at.covariance(fitted));
        let Ok(cells) = self.cells(held, known) else {
            return f64::NEG_INFINITY;
        };
        let q = point.input.ncols();
        let seen: Vec<bool> = (0..q).map(|l| self.acts(l, rest)).collect();
        let p = point.input.nrows().max(1);
        let own = self.design.input.free.iter().enumerate();
        let own = own.map(|(at, free)| *free && !seen.get(at / p).copied().unwrap_or(true));
        let design = Design {
            drift: Entries::held(point.drift.clone()),
            input: Entries {
                values: point.input.clone(),
                free: own.collect(),
            },
            noise: Entries::held(point.noise.clone()),
        };
        // The ridge decides for inputs that act nowhere.
        let own = Penalty::default();
        match search(&cells, &design, &own, options, interrupted) {
            Ok(found) if !matches!(found.end, End::Fault(_)) => found.log_likelihood,
            _ => f64::NEG_INFINITY,
        }
    }

    /// True when an input acts in a group that has cells.
    fn acts(&self, input: usize, statistics: &Statistics) -> bool {
        let of = |matrix: &DMatrix<f64>| {
            let row = matrix.row(input);
            row.iter()
                .zip(&statistics.counts)
                .any(|(x, count)| *x != 0.0 && *count > 0.0)
        };
        of(self.inputs) || self.course.is_some_and(|course| of(&course.before))
    }
}

/// The least weight with which no penalised entry leaves zero.
fn most_weight(
    cells: &Cells,
    design: &Design,
    penalty: &Penalty,
    diagonal: &Found,
    interrupted: &dyn Fn() -> bool,
) -> f64 {
    let at = moments(cells, &diagonal.point, interrupted);
    let slopes = at.and_then(|at| gradient(cells, &diagonal.point, &at, interrupted));
    let Ok(slopes) = slopes else { return 0.0 };
    let p = slopes.drift.nrows().max(1);
    let mut most = 0.0_f64;
    for (at, (slope, free)) in slopes.drift.iter().zip(&design.drift.free).enumerate() {
        let multiplier = penalty
            .multipliers
            .as_ref()
            .map_or(1.0, |given| given[(at % p, at / p)]);
        if *free && at % p != at / p && multiplier > 0.0 {
            most = most.max(slope.abs() / multiplier);
        }
    }
    most
}

fn with_start(design: &Design, point: &Point) -> Design {
    let mut out = design.clone();
    out.drift.values = point.drift.clone();
    out.input.values = point.input.clone();
    out.noise.values = point.noise.clone();
    out
}
