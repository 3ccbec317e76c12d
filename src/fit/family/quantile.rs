//! Cumulative probabilities, quantiles, means.
//!
//! Enters: a family with parameters. Leaves: numbers. Quantiles without a closed form are bisected
//! in a coordinate in which the support has no ends, to the last digit that matters.

use super::special::{cauchy_cdf, normal_tail};
use super::{Family, are_in_domain, is_discrete};
use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc_inv;
use statrs::function::gamma::{gamma_lr, gamma_ur};
use std::f64::consts::{PI, SQRT_2};

/// P(Y <= y). `None` where a parameter is outside its domain, or y is not a number.
#[must_use]
pub fn cdf(family: Family, parameters: &[f64], y: f64) -> Option<f64> {
    if !are_in_domain(family, parameters) || y.is_nan() {
        return None;
    }
    if let Some(end) = outside(family, parameters, y) {
        return Some(end);
    }
    let count = y.floor();
    let probability = match (family, parameters) {
        (Family::Normal, &[mean, sd]) => normal_cdf((y - mean) / sd),
        (Family::LogNormal, &[median, sd]) => normal_cdf((y / median).ln() / sd),
        (Family::StudentT, &[mean, scale, df]) => student_cdf((y - mean) / scale, df),
        (Family::Cauchy, &[median, scale]) => cauchy_cdf((y - median) / scale),
        (Family::Poisson, &[0.0]) => 1.0,
        (Family::Poisson, &[mean]) => gamma_ur(count + 1.0, mean),
        (Family::NegativeBinomial, &[mean, size]) => {
            beta_reg(size, count + 1.0, size / (size + mean))
        }
        (Family::Binomial, &[trials, probability]) => {
            beta_reg(trials - count, count + 1.0, 1.0 - probability)
        }
        (Family::Gamma, &[shape, rate]) => gamma_lr(shape, rate * y),
        (Family::Beta, &[a, b]) => beta_reg(a, b, y),
        (Family::Exponential, &[mean]) => -(-y / mean).exp_m1(),
        (Family::Uniform, &[low, high]) => (y - low) / (high - low),
        _ => return None,
    };
    Some(probability)
}

/// The cumulative probability at and beyond the ends of the support.
fn outside(family: Family, parameters: &[f64], y: f64) -> Option<f64> {
    let (low, high) = match (family, parameters) {
        (Family::Uniform, &[low, high]) => (low, high),
        (Family::Beta, _) => (0.0, 1.0),
        (Family::Binomial, &[trials, _]) => (0.0, trials.floor()),
        (Family::Normal | Family::StudentT | Family::Cauchy, _) => {
            (f64::NEG_INFINITY, f64::INFINITY)
        }
        _ => (0.0, f64::INFINITY),
    };
    if y >= high {
        Some(1.0)
    } else if y < low || (y == low && !is_discrete(family)) {
        Some(0.0)
    } else {
        None
    }
}

fn normal_cdf(z: f64) -> f64 {
    normal_tail(z).log.exp()
}

fn student_cdf(z: f64, df: f64) -> f64 {
    let square = z * z;
    let both = beta_reg(0.5 * df, 0.5, df / (df + square));
    if z < 0.0 {
        0.5 * both
    } else {
        1.0 - 0.5 * both
    }
}

/// The smallest y with P(Y <= y) >= p, for p between 0 and 1; of a continuous variable the ends of
/// its support at 0 and 1. `None` where a parameter is outside its domain, or p is.
#[must_use]
pub fn quantile(family: Family, parameters: &[f64], p: f64) -> Option<f64> {
    if !are_in_domain(family, parameters) || !(0.0..=1.0).contains(&p) {
        return None;
    }
    match (family, parameters) {
        (Family::Normal, &[mean, sd]) => Some(mean + sd * normal_quantile(p)),
        (Family::LogNormal, &[median, sd]) => Some(median * (sd * normal_quantile(p)).exp()),
        (Family::Cauchy, &[median, scale]) => Some(median + scale * cauchy_quantile(p)),
        (Family::Exponential, &[mean]) => Some(-mean * (-p).ln_1p()),
        (Family::Uniform, &[low, high]) => Some(low + p * (high - low)),
        _ if is_discrete(family) => count_quantile(family, parameters, p),
        _ => bisected(family, parameters, p),
    }
}

/// The approximation of `statrs`, corrected by one step of Newton on the logarithm.
fn normal_quantile(p: f64) -> f64 {
    let lower = p.min(1.0 - p);
    let rough = -SQRT_2 * erfc_inv(2.0 * lower);
    let tail = normal_tail(rough);
    let correction = (tail.log - lower.ln()) / tail.slope;
    let z = if correction.is_finite() {
        rough - correction
    } else {
        rough
    };
    if p < 0.5 { z } else { -z }
}

fn cauchy_quantile(p: f64) -> f64 {
    // Near 0 and 1 the cotangent keeps the digits that the tangent of p - 1/2 loses.
    if p < 0.25 {
        -1.0 / (PI * p).tan()
    } else if p > 0.75 {
        1.0 / (PI * (1.0 - p)).tan()
    } else {
        (PI * (p - 0.5)).tan()
    }
}

/// Doubles from 0 until the count is high enough, then bisects.
fn count_quantile(family: Family, parameters: &[f64], p: f64) -> Option<f64> {
    let is_enough = |count: f64| cdf(family, parameters, count).map(|below| below >= p);
    if p == 1.0 {
        return match (family, parameters) {
            (Family::Binomial, &[trials, _]) => Some(trials.floor()),
            (_, &[0.0, ..]) => Some(0.0),
            _ => Some(f64::INFINITY),
        };
    }
    let (mut low, mut high) = (-1.0, 0.0);
    while !is_enough(high)? {
        low = high;
        high = 2.0 * high + 1.0;
    }
    while high - low > 1.0 {
        let middle = ((low + high) / 2.0).floor();
        // Beyond 2^53 counts have no neighbours.
        if middle <= low || middle >= high {
            break;
        }
        if is_enough(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Halvings: enough from any number to the spacing of its neighbours.
const MOST_HALVINGS: u32 = 200;

/// Bisects a continuous variable whose coordinate is any number: z, the logarithm or the logit.
fn bisected(family: Family, parameters: &[f64], p: f64) -> Option<f64> {
    let outer = |x: f64| match (family, parameters) {
        (Family::StudentT, &[mean, scale, _]) => mean + scale * x,
        (Family::Beta, _) => 1.0 / (1.0 + (-x).exp()),
        (_, &[shape, rate]) => shape / rate * x.exp(),
        _ => x,
    };
    if p == 0.0 || p == 1.0 {
        return Some(outer(if p == 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        }));
    }
    let is_enough = |x: f64| cdf(family, parameters, outer(x)).map(|below| below >= p);
    let (mut low, mut high) = (-1.0, 1.0);
    while is_enough(low)? && low > -1e300 {
        low *= 2.0;
    }
    while !is_enough(high)? && high < 1e300 {
        high *= 2.0;
    }
    for _ in 0..MOST_HALVINGS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if is_enough(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(outer(high))
}

/// The expectation. `None` where there is none (of a Cauchy variable; of Student's t with at most
/// one degree of freedom) or a parameter is outside its domain.
#[must_use]
pub fn mean(family: Family, parameters: &[f64]) -> Option<f64> {
    if !are_in_domain(family, parameters) {
        return None;
    }
    match (family, parameters) {
        (Family::StudentT, &[mean, _, df]) => (df > 1.0).then_some(mean),
        (Family::LogNormal, &[median, sd]) => Some(median * (0.5 * sd * sd).exp()),
        (Family::Binomial, &[trials, probability]) => Some(trials * probability),
        (Family::Gamma, &[shape, rate]) => Some(shape / rate),
        (Family::Beta, &[a, b]) => Some(a / (a + b)),
        (Family::Uniform, &[low, high]) => Some(low + 0.5 * (high - low)),
        (Family::Cauchy, _) => None,
        (_, &[mean, ..]) => Some(mean),
        _ => None,
    }
}
