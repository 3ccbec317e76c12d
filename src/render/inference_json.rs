//! Posteriors, profiles and bootstraps as JSON: schemas `lotka-posterior-1`, `lotka-profile-1` and
//! `lotka-bootstrap-1`.
//!
//! Enters: their answers. Leaves: values that write themselves; numbers with every digit, those that
//! are not finite as null.

use super::fit_json::{self, Fit, Prior};
use crate::fit::posterior::{Chain, ChainEnd};
use crate::fit::{Coordinates, Profile, ProfileEnd};
use crate::session::fit::{
    BootstrapAnswer, FitAnswer, LEVEL, PosteriorAnswer, ProfileAnswer, Side,
};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Posterior<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    method: &'static str,
    seed: u64,
    warm_up: usize,
    count: usize,
    level: f64,
    mixed: bool,
    divergences: usize,
    parameters: Vec<Marginal<'a>>,
    chains: Vec<OneChain<'a>>,
    mode: Fit<'a>,
}

#[derive(Serialize)]
struct Marginal<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    scale: &'static str,
    lower: f64,
    upper: f64,
    prior: Option<Prior<'a>>,
    mean: f64,
    mean_error: f64,
    sd: f64,
    median: f64,
    low: f64,
    high: f64,
    rhat: f64,
    ess_bulk: f64,
    ess_tail: f64,
}

#[derive(Serialize)]
struct OneChain<'a> {
    end: &'static str,
    step_size: f64,
    acceptance: f64,
    saturated: usize,
    divergent: &'a [usize],
    log_density: &'a [f64],
    draws: &'a [Vec<f64>],
}

#[derive(Serialize)]
pub(super) struct Profiles<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    level: f64,
    names: Vec<&'a str>,
    profiles: Vec<OneProfile<'a>>,
}

#[derive(Serialize)]
struct OneProfile<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    scale: &'static str,
    estimate: f64,
    threshold: f64,
    low: Option<f64>,
    high: Option<f64>,
    low_end: &'static str,
    high_end: &'static str,
    low_held: Vec<&'a str>,
    high_held: Vec<&'a str>,
    values: Vec<f64>,
    rises: Vec<f64>,
    estimates: Vec<Vec<f64>>,
}

#[derive(Serialize)]
pub(super) struct Bootstrap<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    seed: u64,
    asked: u64,
    failed: usize,
    level: f64,
    parameters: Vec<Spread<'a>>,
    replicates: Vec<u64>,
    estimates: Vec<&'a [f64]>,
}

#[derive(Serialize)]
struct Spread<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    estimate: f64,
    std_error: f64,
    low: f64,
    high: f64,
    fit_std_error: f64,
}

/// A posterior as one line.
#[must_use]
pub fn posterior(answer: &PosteriorAnswer) -> String {
    serde_json::to_string(&of_posterior(answer)).unwrap_or_default()
}

/// Profiles as one line.
#[must_use]
pub fn profiles(answer: &ProfileAnswer) -> String {
    serde_json::to_string(&of_profiles(&answer.fit, &[answer])).unwrap_or_default()
}

/// A bootstrap as one line.
#[must_use]
pub fn bootstrap(answer: &BootstrapAnswer) -> String {
    serde_json::to_string(&of_bootstrap(answer)).unwrap_or_default()
}

fn model(fit: &FitAnswer) -> &str {
    fit.compiled.model.name.as_deref().unwrap_or("")
}

pub(super) fn of_posterior(answer: &PosteriorAnswer) -> Posterior<'_> {
    let fit = &answer.fit;
    let pairs = fit.fitted.iter().zip(&answer.marginals);
    Posterior {
        schema: "lotka-posterior-1",
        model: model(fit),
        file: &fit.file,
        method: "nuts",
        seed: answer.options.seed,
        warm_up: answer.options.warm_up,
        count: fit.count,
        level: LEVEL,
        mixed: answer.has_mixed(),
        divergences: answer.posterior.divergences(),
        parameters: pairs
            .map(|(known, own)| Marginal {
                name: &known.name,
                unit: known.unit.as_deref(),
                scale: fit_json::scale(known.scale),
                lower: known.bounds.0,
                upper: known.bounds.1,
                prior: known.prior.as_ref().map(fit_json::prior),
                mean: own.mean,
                mean_error: own.mean_error,
                sd: own.sd,
                median: own.median,
                low: own.low,
                high: own.high,
                rhat: own.rhat,
                ess_bulk: own.bulk_size,
                ess_tail: own.tail_size,
            })
            .collect(),
        chains: answer.posterior.chains.iter().map(chain).collect(),
        mode: fit_json::fit(fit),
    }
}

fn chain(chain: &Chain) -> OneChain<'_> {
    OneChain {
        end: match chain.end {
            ChainEnd::Finished => "finished",
            ChainEnd::Interrupted => "interrupted",
            ChainEnd::NoStart(_) => "no_start",
            ChainEnd::Failed => "failed",
        },
        step_size: chain.step_size,
        acceptance: chain.acceptance,
        saturated: chain.saturated,
        divergent: &chain.divergent,
        log_density: &chain.log_density,
        draws: &chain.draws,
    }
}

pub(super) fn of_profiles<'a>(fit: &'a FitAnswer, answers: &[&'a ProfileAnswer]) -> Profiles<'a> {
    let fitted = fit.fitted.iter();
    let coordinates = Coordinates::new(
        fitted
            .clone()
            .map(|known| (known.scale, known.bounds.0, known.bounds.1)),
    );
    let each = answers
        .iter()
        .flat_map(|answer| answer.profiles.iter().map(move |own| (*answer, own)));
    Profiles {
        schema: "lotka-profile-1",
        model: model(fit),
        file: &fit.file,
        level: LEVEL,
        names: fitted.map(|known| known.name.as_str()).collect(),
        profiles: each
            .filter_map(|(answer, own)| one_profile(answer, own, &coordinates))
            .collect(),
    }
}

fn one_profile<'a>(
    answer: &'a ProfileAnswer,
    profile: &'a Profile,
    coordinates: &Coordinates,
) -> Option<OneProfile<'a>> {
    let fit = &answer.fit;
    let known = fit.fitted.get(profile.parameter)?;
    let place = |end: &ProfileEnd| match end {
        ProfileEnd::Crosses(value) => Some(*value),
        _ => None,
    };
    Some(OneProfile {
        name: &known.name,
        unit: known.unit.as_deref(),
        scale: fit_json::scale(known.scale),
        estimate: fit.estimates.get(profile.parameter).copied()?,
        threshold: profile.threshold,
        low: place(&profile.lower),
        high: place(&profile.upper),
        low_end: end(&profile.lower),
        high_end: end(&profile.upper),
        low_held: answer.held(profile, Side::Lower),
        high_held: answer.held(profile, Side::Upper),
        values: profile.points.iter().map(|point| point.value).collect(),
        rises: profile.points.iter().map(|point| point.rise).collect(),
        estimates: profile
            .points
            .iter()
            .map(|point| coordinates.outer(&point.at))
            .collect(),
    })
}

/// How a profile ends, in a word.
fn end(end: &ProfileEnd) -> &'static str {
    match end {
        ProfileEnd::Crosses(_) => "crosses",
        ProfileEnd::Bound => "bound",
        ProfileEnd::Flat => "flat",
        ProfileEnd::OutOfPoints => "out_of_points",
        ProfileEnd::Stopped(_) => "stopped",
    }
}

pub(super) fn of_bootstrap(answer: &BootstrapAnswer) -> Bootstrap<'_> {
    let fit = &answer.fit;
    let of = |numbers: &[f64], at: usize| numbers.get(at).copied().unwrap_or(f64::NAN);
    let parameters = fit.fitted.iter().enumerate();
    let estimates = &answer.bootstrap.estimates;
    Bootstrap {
        schema: "lotka-bootstrap-1",
        model: model(fit),
        file: &fit.file,
        seed: answer.seed,
        asked: answer.asked,
        failed: answer.bootstrap.failed.len(),
        level: LEVEL,
        parameters: parameters
            .map(|(at, known)| {
                let (low, high) = answer.bootstrap.interval(at, LEVEL);
                Spread {
                    name: &known.name,
                    unit: known.unit.as_deref(),
                    estimate: of(&fit.estimates, at),
                    std_error: answer.bootstrap.error(at),
                    low,
                    high,
                    fit_std_error: of(&fit.errors, at),
                }
            })
            .collect(),
        replicates: estimates.iter().map(|(number, _)| *number).collect(),
        estimates: estimates.iter().map(|(_, own)| own.as_slice()).collect(),
    }
}
