//! Of a censored datum: the log probability of a tail and its gradient.
//!
//! In closed form where there is one. Else the tail is summed, or integrated by the
//! double-exponential formula for the half-line (H. Takahasi, M. Mori, Publ. RIMS 9, 721, 1974):
//! the gradient of the log probability is the mean of the score over the tail. The smaller tail is
//! taken and the other is its complement, so that nothing cancels and the summands fall away from
//! the limit. Gamma variables are integrated by their logarithm, beta variables by their logit,
//! Student's t by the inverse hyperbolic sine of t / sqrt(df): there the densities have one peak
//! and exponential flanks for any parameters.

use super::score::score;
use super::special::{NormalTail, cauchy_cdf, normal_tail};
use super::{Family, MOST};
use std::f64::consts::{FRAC_PI_2, PI};

/// What is known of a censored datum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    /// The log probability.
    pub log: f64,
    /// Its derivatives by the parameters.
    pub gradient: [f64; MOST],
    /// The information on the parameters in units of the gradient's outer product: 1, or for
    /// normal tails (which are log-concave in the parameters' direction) minus the second
    /// derivative of the log probability by the limit over the square of the first.
    pub curvature: f64,
}

/// Which side of the limit the datum is on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Below,
    Above,
}

/// The probability below a limit. `None` if it is 0.
pub(super) fn below(family: Family, parameters: &[f64], limit: f64) -> Option<Tail> {
    tail(family, parameters, limit, Side::Below)
}

/// The probability above a limit. `None` if it is 0.
pub(super) fn above(family: Family, parameters: &[f64], limit: f64) -> Option<Tail> {
    tail(family, parameters, limit, Side::Above)
}

fn tail(family: Family, parameters: &[f64], limit: f64, side: Side) -> Option<Tail> {
    if !limit.is_finite() {
        return None;
    }
    if let Some(known) = beyond_support(family, parameters, limit, side) {
        return known;
    }
    match (family, parameters) {
        (Family::Normal, &[mean, sd]) => Some(normal((limit - mean) / sd, [1.0, sd], sd, side)),
        (Family::LogNormal, &[median, sd]) => {
            let z = (limit / median).ln() / sd;
            Some(normal(z, [1.0 / median, sd], sd, side))
        }
        (Family::Cauchy, &[median, scale]) => Some(cauchy((limit - median) / scale, scale, side)),
        (Family::Exponential, &[mean]) => Some(exponential(limit / mean, mean, side)),
        (Family::Uniform, &[low, high]) => Some(uniform(low, high, limit, side)),
        _ if super::is_discrete(family) => sum(family, parameters, limit, side),
        _ => integral(family, parameters, limit, side),
    }
}

/// Where the limit is outside the support: the datum is certain or impossible.
fn beyond_support(
    family: Family,
    parameters: &[f64],
    limit: f64,
    side: Side,
) -> Option<Option<Tail>> {
    let (low, high) = match (family, parameters) {
        (Family::Uniform, &[low, high]) => (low, high),
        (Family::Normal | Family::StudentT | Family::Cauchy, _) => return None,
        (Family::Beta, _) => (0.0, 1.0),
        // Strictly below 0 or above the trials there are no counts.
        (Family::Binomial, &[trials, _]) => (next_below(0.0), trials),
        (Family::Poisson | Family::NegativeBinomial, _) => (next_below(0.0), f64::INFINITY),
        _ => (0.0, f64::INFINITY),
    };
    let certain = Some(Tail {
        log: 0.0,
        gradient: [0.0; MOST],
        curvature: 1.0,
    });
    let is_count = super::is_discrete(family);
    match side {
        Side::Below if is_count && limit <= 0.0 => Some(None),
        Side::Below if limit <= low => Some(None),
        Side::Below if limit > high || (limit == high && !is_count) => Some(certain),
        Side::Above if limit >= high => Some(None),
        Side::Above if limit <= low => Some(certain),
        _ => None,
    }
}

fn next_below(x: f64) -> f64 {
    x.next_down()
}

/// From the lower tail at z = (limit - location) / sd; `scales` are the derivative of the location
/// by the first parameter and the sd.
fn normal(z: f64, scales: [f64; 2], sd: f64, side: Side) -> Tail {
    let sign = if side == Side::Below { 1.0 } else { -1.0 };
    let NormalTail { log, slope, excess } = normal_tail(sign * z);
    let by_z = sign * slope;
    Tail {
        log,
        gradient: [-by_z * scales[0] / sd, -by_z * z / scales[1], 0.0],
        // slope * excess / slope^2
        curvature: if slope > 0.0 { excess / slope } else { 1.0 },
    }
}

fn cauchy(z: f64, scale: f64, side: Side) -> Tail {
    let sign = if side == Side::Below { 1.0 } else { -1.0 };
    let probability = cauchy_cdf(sign * z);
    let by_z = sign / (PI * (1.0 + z * z) * probability);
    Tail {
        log: probability.ln(),
        gradient: [-by_z / scale, -by_z * z / scale, 0.0],
        curvature: 1.0,
    }
}

/// At limit / mean.
fn exponential(ratio: f64, mean: f64, side: Side) -> Tail {
    let (log, by_ratio) = match side {
        Side::Above => (-ratio, -1.0),
        Side::Below => {
            let probability = -(-ratio).exp_m1();
            (probability.ln(), (-ratio).exp() / probability)
        }
    };
    Tail {
        log,
        gradient: [-by_ratio * ratio / mean, 0.0, 0.0],
        curvature: 1.0,
    }
}

fn uniform(low: f64, high: f64, limit: f64, side: Side) -> Tail {
    let width = high - low;
    let (part, by_low, by_high) = match side {
        Side::Below => (limit - low, 1.0 / width - 1.0 / (limit - low), -1.0 / width),
        Side::Above => (
            high - limit,
            1.0 / width,
            1.0 / (high - limit) - 1.0 / width,
        ),
    };
    Tail {
        log: (part / width).ln(),
        gradient: [by_low, by_high, 0.0],
        curvature: 1.0,
    }
}

/// Sums exp(log density) and its derivatives, in units of the largest summand so far.
struct Sum {
    largest: f64,
    total: f64,
    gradient: [f64; MOST],
}

impl Sum {
    fn new() -> Sum {
        Sum {
            largest: f64::NEG_INFINITY,
            total: 0.0,
            gradient: [0.0; MOST],
        }
    }

    /// Adds weight * exp(log); the sum's share in it.
    fn add(&mut self, log: f64, weight: f64, slopes: &[f64; MOST]) -> f64 {
        if log > self.largest {
            let shrink = (self.largest - log).exp();
            self.total *= shrink;
            self.gradient.iter_mut().for_each(|sum| *sum *= shrink);
            self.largest = log;
        }
        let share = weight * (log - self.largest).exp();
        self.total += share;
        for (sum, slope) in self.gradient.iter_mut().zip(slopes) {
            *sum += share * slope;
        }
        share / self.total
    }

    fn end(&self) -> Option<Tail> {
        (self.total > 0.0).then(|| Tail {
            log: self.largest + self.total.ln(),
            gradient: self.gradient.map(|sum| sum / self.total),
            curvature: 1.0,
        })
    }
}

/// The tail on the other side.
fn complement(tail: Tail) -> Option<Tail> {
    let probability = tail.log.exp();
    let odds = probability / (1.0 - probability);
    (probability < 1.0).then(|| Tail {
        log: (-probability).ln_1p(),
        gradient: tail.gradient.map(|slope| -odds * slope),
        curvature: 1.0,
    })
}

/// A summand with this share in the sum is beyond its digits.
const NEGLIGIBLE: f64 = 1e-18;
/// Summands at most.
const MOST_COUNTS: usize = 10_000_000;

/// The sum over counts.
fn sum(family: Family, parameters: &[f64], limit: f64, side: Side) -> Option<Tail> {
    let mean = super::mean(family, parameters)?;
    // The first count on each side.
    let (under, over) = match side {
        Side::Below => (limit.ceil() - 1.0, limit.ceil()),
        Side::Above => (limit.floor(), limit.floor() + 1.0),
    };
    let smaller = if under < mean {
        Side::Below
    } else {
        Side::Above
    };
    let (first, step) = match smaller {
        Side::Below => (under, -1.0),
        Side::Above => (over, 1.0),
    };
    let mut sum = Sum::new();
    let mut count = first;
    for _ in 0..MOST_COUNTS {
        let Some(score) = score(family, parameters, count) else {
            break;
        };
        if score.log == f64::NEG_INFINITY {
            break;
        }
        if sum.add(score.log, 1.0, &score.gradient) < NEGLIGIBLE {
            break;
        }
        count += step;
    }
    let tail = sum.end();
    if smaller == side {
        tail
    } else {
        complement(tail.unwrap_or(Tail {
            log: f64::NEG_INFINITY,
            gradient: [0.0; MOST],
            curvature: 1.0,
        }))
    }
}

/// How a variable is integrated: its coordinate x, the slope of the log density by x at a limit,
/// and the curvature there at the peak.
struct Chart {
    x: f64,
    slope: f64,
    curvature: f64,
}

fn chart(family: Family, parameters: &[f64], y: f64) -> Option<Chart> {
    Some(match (family, parameters) {
        (Family::Gamma, &[shape, rate]) => Chart {
            x: y.ln(),
            slope: shape - rate * y,
            curvature: shape,
        },
        (Family::Beta, &[a, b]) => Chart {
            x: y.ln() - (-y).ln_1p(),
            slope: a - (a + b) * y,
            curvature: a / (a + b) * b,
        },
        (Family::StudentT, &[mean, scale, df]) => {
            let x = ((y - mean) / scale / df.sqrt()).asinh();
            Chart {
                x,
                slope: -df * x.tanh(),
                curvature: df,
            }
        }
        _ => return None,
    })
}

/// The variable at a coordinate, with the logarithm of its derivative.
fn variable(family: Family, parameters: &[f64], x: f64) -> Option<(f64, f64)> {
    match (family, parameters) {
        (Family::Gamma, _) => Some((x.exp(), x)),
        (Family::Beta, _) => {
            let y = 1.0 / (1.0 + (-x).exp());
            Some((y, -x.abs() - 2.0 * (-x.abs()).exp().ln_1p()))
        }
        (Family::StudentT, &[mean, scale, df]) => {
            let width = scale * df.sqrt();
            Some((mean + width * x.sinh(), (width * x.cosh()).ln()))
        }
        _ => None,
    }
}

/// The distance of nodes: with it the integrals of the tests are exact to 10 digits.
const NODES_PER_UNIT: i32 = 24;
/// Nodes at v = exp(pi/2 sinh w) for w from minus to plus this: v from 1e-14 to 1e14.
const HALF_WIDTH: i32 = 4;

/// By the integral over the tail towards which the density falls.
fn integral(family: Family, parameters: &[f64], limit: f64, side: Side) -> Option<Tail> {
    let rises = chart(family, parameters, limit)?.slope >= 0.0;
    let smaller = if rises { Side::Below } else { Side::Above };
    let tail = match (family, smaller, parameters) {
        // Mirrored: numbers just below 1 are coarse, those above 0 are not.
        (Family::Beta, Side::Above, &[a, b]) => {
            let mut tail = integral_over(family, &[b, a], 1.0 - limit, Side::Below)?;
            tail.gradient.swap(0, 1);
            tail
        }
        _ => integral_over(family, parameters, limit, smaller)?,
    };
    if smaller == side {
        Some(tail)
    } else {
        complement(tail)
    }
}

/// The integral over a tail.
fn integral_over(family: Family, parameters: &[f64], limit: f64, side: Side) -> Option<Tail> {
    let chart = chart(family, parameters, limit)?;
    let direction = if side == Side::Below { -1.0 } else { 1.0 };
    let scale = 1.0 / (chart.slope.abs() + chart.curvature.sqrt());
    let mut sum = Sum::new();
    for node in -HALF_WIDTH * NODES_PER_UNIT..=HALF_WIDTH * NODES_PER_UNIT {
        let w = f64::from(node) / f64::from(NODES_PER_UNIT);
        let v = (FRAC_PI_2 * w.sinh()).exp();
        let weight = v * w.cosh();
        let at = variable(family, parameters, chart.x + direction * scale * v);
        let Some((y, log_slope)) = at else { continue };
        // Far out the variable rounds to the end of its support, where nothing is left.
        if let Some(score) = score(family, parameters, y).filter(|score| score.log.is_finite()) {
            sum.add(score.log + log_slope, weight, &score.gradient);
        }
    }
    let mut tail = sum.end()?;
    tail.log += (scale * FRAC_PI_2 / f64::from(NODES_PER_UNIT)).ln();
    Some(tail)
}
