//! Random numbers of each family.
//!
//! Enters: a family with parameters and a stream. Leaves: a number. By the methods of `rand_distr`
//! on our stream, so that a seed gives the same numbers everywhere.

use super::{Family, are_in_domain, quantile};
use crate::kernel::Stream;
use rand_distr::{Beta, Binomial, Distribution, Gamma, Poisson, StudentT};

/// A random number of this distribution. `None` where a parameter is outside its domain, or so
/// large that counts are no longer exact.
pub fn sample(family: Family, parameters: &[f64], stream: &mut Stream) -> Option<f64> {
    if !are_in_domain(family, parameters) {
        return None;
    }
    match (family, parameters) {
        (Family::Normal, &[mean, sd]) => Some(mean + sd * standard_normal(stream)),
        (Family::LogNormal, &[median, sd]) => Some(median * (sd * standard_normal(stream)).exp()),
        (Family::StudentT, &[mean, scale, df]) => {
            Some(mean + scale * StudentT::new(df).ok()?.sample(stream))
        }
        (Family::Poisson, &[mean]) => poisson(mean, stream),
        (Family::NegativeBinomial, &[mean, size]) => {
            // A Poisson variable whose mean is a gamma variable.
            poisson(
                mean * Gamma::new(size, 1.0 / size).ok()?.sample(stream),
                stream,
            )
        }
        (Family::Binomial, &[trials, probability]) => binomial(trials, probability, stream),
        (Family::Gamma, &[shape, rate]) => Some(Gamma::new(shape, 1.0 / rate).ok()?.sample(stream)),
        (Family::Beta, &[a, b]) => Some(Beta::new(a, b).ok()?.sample(stream)),
        (Family::Exponential, &[mean]) => Some(-mean * stream.uniform().ln()),
        (Family::Uniform | Family::Cauchy, _) => {
            // Uniform numbers include 1; a Cauchy variable does not reach its quantile.
            let below_one = stream.uniform().min(1.0_f64.next_down());
            quantile(family, parameters, below_one)
        }
        _ => None,
    }
}

fn standard_normal(stream: &mut Stream) -> f64 {
    let mut number = [0.0];
    stream.normals(&mut number);
    number[0]
}

fn poisson(mean: f64, stream: &mut Stream) -> Option<f64> {
    if mean == 0.0 {
        return Some(0.0);
    }
    Some(Poisson::new(mean).ok()?.sample(stream))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "whole numbers below 2^53"
)]
fn binomial(trials: f64, probability: f64, stream: &mut Stream) -> Option<f64> {
    let whole = trials.floor();
    if whole > 9_007_199_254_740_992.0 {
        return None;
    }
    let count = Binomial::new(whole as u64, probability)
        .ok()?
        .sample(stream);
    Some(count as f64)
}
