//! What a datum says of a Gaussian state when what is known after it is no longer Gaussian: a normal
//! distribution with the same mean and covariance takes its place.
//!
//! The state is looked at along one line. With the mean m, the covariance P and the slope h of what
//! is seen, c = P h and s^2 = h P h, that is x(z) = m + z c/s with z a standard normal number: what
//! is expected of the state given how far it is in the direction of h. The datum y has the evidence
//! Z, the integral of p(y | x(z)) phi(z), and afterwards z has a mean M and a variance V, so that m
//! moves by M c/s and P by -(1 - V) c c^T/s^2 (assumed density filtering, moment matching: P. S.
//! Maybeck, Stochastic Models, Estimation, and Control, volume 2, 1982, section 12.7; T. P. Minka,
//! UAI 2001). Of a censored normal datum Z, M and V have closed forms, of other laws they are
//! integrated ([`super::integral`]). Z is exact where the law depends on the state through h x alone.
//!
//! Enters: a [`Gaussian`], a datum, how it is seen. Leaves: the [`Gaussian`] after it and a [`Said`].

use super::equations::Point;
use super::gaussian::{
    Gaussian, Moments, Seen, add_scaled, dot, product, subtract_outer, symmetrise,
};
use super::integral::{Height, weighted};
use super::law::{Line, OnLine};
use crate::fit::family::{Datum, Family, MOST, cdf, density, normal_tail, quantile};
use crate::model::Support;

/// A variance this small beside what was uncertain before is the rounding of one that data have
/// brought to zero.
const ROUNDING: f64 = 1e-12;
/// A datum tells less than this share of a variance: how much is lost in rounding.
const LEAST: f64 = 1e-7;

/// What a datum adds to minus the log-likelihood.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Said {
    /// log Z
    pub log: f64,
    /// Its derivatives by d quantities.
    pub along: Vec<f64>,
    /// Generalised residuals, each with d derivatives.
    pub rows: Vec<(f64, Vec<f64>)>,
    /// What was expected, in the terms of the slope, with its variance.
    pub expected: (f64, f64),
    /// The parameters of the law there; none of a censored normal datum.
    pub parameters: Vec<f64>,
    /// Where the datum stands in what was foretold, as a standard normal number.
    pub score: Option<f64>,
}

/// What is seen along a line through the states.
struct Ahead {
    /// c/s
    towards: Vec<f64>,
    towards_along: Vec<Vec<f64>>,
    /// s^2
    variance: f64,
    variance_along: Vec<f64>,
    /// What is expected.
    expected: f64,
    expected_along: Vec<f64>,
}

/// Z, M, V with their derivatives.
struct Matched {
    log: f64,
    mean: f64,
    variance: f64,
    along: Vec<[f64; 3]>,
}

/// Takes a normal datum below or above a limit; `None` where it certainly was not so.
pub(super) fn censored(
    known: &mut Gaussian,
    before: &Gaussian,
    seen: &Seen,
    is_below: bool,
) -> Option<Said> {
    let ahead = ahead(known, before, seen);
    let noise = seen.sight.variance;
    let total = ahead.variance + noise;
    let sign = if is_below { 1.0 } else { -1.0 };
    let beyond = sign * (seen.value - ahead.expected);
    let mut said = Said {
        along: vec![0.0; known.along.len()],
        expected: (ahead.expected, total),
        ..Said::default()
    };
    if total <= 0.0 {
        return (beyond > 0.0).then_some(said);
    }
    let root = total.sqrt();
    let a = beyond / root;
    let tail = normal_tail(a);
    // phi/Phi, and minus its derivative.
    let ratio = tail.slope;
    let fall = ratio * tail.excess;
    let share = ahead.variance / total;
    let along = (0..known.along.len()).map(|j| {
        let of_noise = seen.along.get(j).map_or(0.0, |sight| sight.variance);
        let d_total = ahead.variance_along[j] + of_noise;
        let da = -sign * ahead.expected_along[j] / root - 0.5 * a * d_total / total;
        let d_share = (ahead.variance_along[j] - share * d_total) / total;
        let d_root = if share > 0.0 {
            0.5 * d_share / share.sqrt()
        } else {
            0.0
        };
        let d_ratio = -fall * da;
        let d_fall = (ratio + tail.excess) * d_ratio + ratio * da;
        [
            ratio * da,
            -sign * (d_root * ratio + share.sqrt() * d_ratio),
            -(d_share * fall + share * d_fall),
        ]
    });
    let matched = Matched {
        log: tail.log,
        mean: -sign * share.sqrt() * ratio,
        variance: 1.0 - share * fall,
        along: along.collect(),
    };
    if !(matched.log.is_finite() && fall.is_finite()) {
        return None;
    }
    said.log = matched.log;
    for (to, [log, ..]) in said.along.iter_mut().zip(&matched.along) {
        *to = *log;
    }
    // The slope and minus the second derivative of log Z by what is expected.
    let (pull, curvature) = (-sign * ratio / root, fall / total);
    said.rows = rows(&said.along, &ahead.expected_along, pull, curvature);
    update(known, seen, &ahead, &matched);
    Some(said)
}

/// Takes a datum of the law of the k-th observable; `None` where it has no density. The score is
/// worked out on demand.
pub(super) fn integrated(
    point: &mut Point<'_>,
    (k, time): (usize, f64),
    (known, before): (&mut Gaussian, &Gaussian),
    seen: &Seen,
    (datum, is_scored): (Datum, bool),
) -> Option<Said> {
    let ahead = ahead(known, before, seen);
    let family = point.equations.laws.get(k)?.as_ref()?.family;
    let line = Line {
        mean: &known.value.mean,
        towards: &ahead.towards,
    };
    let mut law = OnLine::new(point, k, time, line)?;
    let mut said = Said {
        expected: (ahead.expected, ahead.variance),
        parameters: law.possible(0.0).0,
        ..Said::default()
    };
    let nodes = if ahead.variance > 0.0 {
        let hint = law.hint(datum);
        let found = weighted(&mut |z| law.height(datum, z), hint)?;
        said.log = found.log;
        found.nodes
    } else {
        said.log = law.height(datum, 0.0).log;
        vec![(0.0, 1.0)]
    };
    if !said.log.is_finite() {
        return None;
    }
    let slopes = slopes(&mut law, (family, datum), &nodes);
    let moves = moves(&mut law, (known, &ahead), &nodes);
    if let (true, Datum::Exactly(y)) = (is_scored, datum) {
        said.score = score(&mut law, (family, y), ahead.variance);
    }
    if ahead.variance <= 0.0 {
        let of = |row: &[f64; MOST], j: usize| chained(row, moves[j].first());
        let density = density(family, &said.parameters, datum)?;
        said.along = (0..moves.len()).map(|j| of(&slopes[0], j)).collect();
        let pairs = density.residuals.iter().zip(&density.jacobian);
        said.rows = pairs
            .filter(|(_, row)| row.iter().any(|entry| *entry != 0.0))
            .map(|(r, row)| (*r, (0..moves.len()).map(|j| of(row, j)).collect()))
            .collect();
        return Some(said);
    }
    let matched = matched(said.log, &nodes, &slopes, &moves);
    said.along = matched.along.iter().map(|[log, ..]| *log).collect();
    let told = 1.0 - matched.variance;
    let curvature = if told > LEAST {
        told / ahead.variance
    } else {
        0.0
    };
    let pull = matched.mean / ahead.variance.sqrt();
    said.rows = rows(&said.along, &ahead.expected_along, pull, curvature);
    update(known, seen, &ahead, &matched);
    Some(said)
}

/// The line along which a datum is seen.
fn ahead(known: &Gaussian, before: &Gaussian, seen: &Seen) -> Ahead {
    let h = &seen.sight.slope;
    let c = product(&known.value.covariance, h);
    let whole = dot(h, &product(&before.value.covariance, h));
    let mut variance = dot(h, &c);
    if variance <= ROUNDING * whole || variance.is_nan() {
        variance = 0.0;
    }
    let s = variance.sqrt();
    let scaled = |x: &[f64]| -> Vec<f64> {
        x.iter()
            .map(|x| if s > 0.0 { x / s } else { 0.0 })
            .collect()
    };
    let towards = scaled(&c);
    let mut moved = known.value.mean.clone();
    add_scaled(&mut moved, -1.0, &before.value.mean);
    let mut found = Ahead {
        expected: seen.sight.expected + dot(h, &moved),
        towards_along: Vec::with_capacity(known.along.len()),
        variance_along: Vec::with_capacity(known.along.len()),
        expected_along: Vec::with_capacity(known.along.len()),
        towards,
        variance,
    };
    let pairs = known.along.iter().zip(&before.along).zip(&seen.along);
    for ((along, before), sight) in pairs {
        let dh = &sight.slope;
        let mut dc = product(&along.covariance, h);
        add_scaled(&mut dc, 1.0, &product(&known.value.covariance, dh));
        let d_variance = match s > 0.0 {
            true => dot(dh, &c) + dot(h, &dc),
            false => 0.0,
        };
        let mut towards = scaled(&dc);
        if s > 0.0 {
            add_scaled(&mut towards, -0.5 * d_variance / variance, &found.towards);
        }
        let mut drift = along.mean.clone();
        add_scaled(&mut drift, -1.0, &before.mean);
        found.towards_along.push(towards);
        found.variance_along.push(d_variance);
        let d_expected = sight.expected + dot(dh, &moved) + dot(h, &drift);
        found.expected_along.push(d_expected);
    }
    found
}

/// The derivatives of the log density by the parameters of the law, at each node.
fn slopes(
    law: &mut OnLine<'_, '_>,
    (family, datum): (Family, Datum),
    nodes: &[(f64, f64)],
) -> Vec<[f64; MOST]> {
    let at = |(z, _): &(f64, f64)| {
        let (parameters, moved) = law.possible(*z);
        let known = density(family, &parameters, datum);
        let mut gradient = known.map_or([0.0; MOST], |known| known.gradient);
        // What is kept at an end does not move.
        if moved.contains(&true) {
            gradient[usize::from(family == Family::Binomial)] = 0.0;
        }
        gradient
    };
    nodes.iter().map(at).collect()
}

/// The derivatives of the parameters by each quantity, at each node.
fn moves(
    law: &mut OnLine<'_, '_>,
    (known, ahead): (&Gaussian, &Ahead),
    nodes: &[(f64, f64)],
) -> Vec<Vec<Vec<f64>>> {
    let places: Vec<f64> = nodes.iter().map(|(z, _)| *z).collect();
    let pairs = known.along.iter().zip(&ahead.towards_along).enumerate();
    pairs
        .map(|(j, (Moments { mean, .. }, towards))| law.along(j, Line { mean, towards }, &places))
        .collect()
}

fn chained(slopes: &[f64; MOST], moves: Option<&Vec<f64>>) -> f64 {
    let pairs = slopes.iter().zip(moves.into_iter().flatten());
    pairs.map(|(slope, moved)| slope * moved).sum()
}

/// Moments of z and their derivatives, as means over the nodes.
fn matched(
    log: f64,
    nodes: &[(f64, f64)],
    slopes: &[[f64; MOST]],
    moves: &[Vec<Vec<f64>>],
) -> Matched {
    let mean: f64 = nodes.iter().map(|(z, share)| share * z).sum();
    let squares = nodes.iter().map(|(z, share)| share * (z - mean).powi(2));
    let variance: f64 = squares.sum();
    let along = moves.iter().map(|moves| {
        let (mut log, mut first, mut second) = (0.0, 0.0, 0.0);
        for (((z, share), slopes), moved) in nodes.iter().zip(slopes).zip(moves) {
            let by = share * chained(slopes, Some(moved));
            log += by;
            first += by * (z - mean);
            second += by * (z - mean).powi(2);
        }
        [log, first, second - variance * log]
    });
    Matched {
        along: along.collect(),
        log,
        mean,
        variance,
    }
}

/// What is expected has the slope `pull` and minus the second derivative `curvature` in log Z: a
/// residual as of a normal datum. Whatever else the gradient holds is a residual of 1.
fn rows(along: &[f64], expected: &[f64], pull: f64, curvature: f64) -> Vec<(f64, Vec<f64>)> {
    let mut rows = Vec::with_capacity(2);
    let mut rest: Vec<f64> = along.iter().map(|d| -d).collect();
    if curvature > 0.0 {
        let root = curvature.sqrt();
        rows.push((-pull / root, expected.iter().map(|d| d * root).collect()));
        add_scaled(&mut rest, pull, expected);
    }
    rows.push((1.0, rest));
    rows
}

/// Mean and covariance after the datum. With K = (1 - V) c/s^2 the covariance becomes
/// (1 - K h) P (1 - K h)^T + V (1 - V) c c^T/s^2, which is P - (1 - V) c c^T/s^2 and keeps its digits
/// where P is large.
fn update(known: &mut Gaussian, seen: &Seen, ahead: &Ahead, matched: &Matched) {
    if ahead.variance <= 0.0 {
        return;
    }
    let (h, c, s) = (&seen.sight.slope, &ahead.towards, ahead.variance.sqrt());
    let weight = (1.0 - matched.variance) / s;
    let rest_of_c = matched.variance * (1.0 - matched.variance);
    let scaled = |x: &[f64], by: f64| -> Vec<f64> { x.iter().map(|x| by * x).collect() };
    let gain = scaled(c, weight);
    // (1 - K h) P, and what of it meets h again.
    let mut left = known.value.covariance.clone();
    let whole: Vec<f64> = scaled(c, s);
    subtract_outer(&mut left, &gain, &whole);
    let rest = product(&left, h);
    for (j, along) in known.along.iter_mut().enumerate() {
        let (dc, [_, d_mean, d_variance]) = (&ahead.towards_along[j], &matched.along[j]);
        let dh = &seen.along[j].slope;
        let d_weight = -d_variance / s - 0.5 * weight * ahead.variance_along[j] / ahead.variance;
        let mut dgain = scaled(dc, weight);
        add_scaled(&mut dgain, d_weight, c);
        add_scaled(&mut along.mean, matched.mean, dc);
        add_scaled(&mut along.mean, *d_mean, c);
        let dp_h = product(&along.covariance, h);
        subtract_outer(&mut along.covariance, &gain, &dp_h);
        let turned = product(&along.covariance, h);
        subtract_outer(&mut along.covariance, &turned, &gain);
        subtract_outer(&mut along.covariance, &dgain, &rest);
        subtract_outer(&mut along.covariance, &rest, &dgain);
        let shed = product(&left, dh);
        subtract_outer(&mut along.covariance, &gain, &shed);
        subtract_outer(&mut along.covariance, &shed, &gain);
        let of_rest = d_variance * (1.0 - 2.0 * matched.variance);
        subtract_outer(&mut along.covariance, &scaled(c, -of_rest), c);
        subtract_outer(&mut along.covariance, &scaled(dc, -rest_of_c), c);
        subtract_outer(&mut along.covariance, &scaled(c, -rest_of_c), dc);
        symmetrise(&mut along.covariance, h.len());
    }
    add_scaled(&mut known.value.mean, matched.mean, c);
    subtract_outer(&mut left, &rest, &gain);
    subtract_outer(&mut left, &scaled(c, -rest_of_c), c);
    symmetrise(&mut left, h.len());
    known.value.covariance = left;
}

/// Where a datum stands in what was foretold: the mean of its cumulative probability over z, of
/// counts in the middle of their step, as a standard normal number. Both sides are summed, and the
/// smaller one is told: it keeps its digits.
fn score(law: &mut OnLine<'_, '_>, (family, y): (Family, f64), variance: f64) -> Option<f64> {
    /// A share below this is none that a number could tell from none.
    const LEAST_SHARE: f64 = 1e-16;
    let hint = law.hint(Datum::Exactly(y));
    let mut middle = |z: f64| -> Option<f64> {
        let (parameters, _) = law.possible(z);
        let upper = cdf(family, &parameters, y)?;
        let lower = match family.support() {
            Support::Counts if y >= 1.0 => cdf(family, &parameters, y - 1.0)?,
            Support::Counts => 0.0,
            _ => upper,
        };
        Some(f64::midpoint(upper, lower))
    };
    let mut mass = |of: fn(f64) -> f64| {
        if variance <= 0.0 {
            return middle(0.0).map_or(0.0, of);
        }
        // Of a state that is known badly the probability is a step: an edge where it passes a half.
        let mut height = |z: f64| {
            let share = middle(z).unwrap_or(f64::NAN);
            Height {
                log: of(share).ln(),
                side: u8::from(share > 0.5),
            }
        };
        weighted(&mut height, hint).map_or(0.0, |found| found.log.exp())
    };
    let (below, above) = (mass(|share| share), mass(|share| 1.0 - share));
    let total = below + above;
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let normal = |share: f64| {
        let share = (share / total).max(LEAST_SHARE);
        quantile(Family::Normal, &[0.0, 1.0], share)
    };
    match below <= above {
        true => normal(below),
        false => normal(above).map(|z| -z),
    }
}
