//! Profiles, posteriors and bootstraps in words.
//!
//! Enters: their answers. Leaves: tables.

use super::fit::{in_blocks, name};
use super::outcome::counted;
use super::table::{Column, number};
use super::words;
use crate::fit::{Profile, ProfileEnd};
use crate::session::fit::{BootstrapAnswer, FitAnswer, LEVEL, PosteriorAnswer, ProfileAnswer};

/// Digits of numbers in cells of text.
const DIGITS: usize = 6;
fn names(fit: &FitAnswer, which: impl Iterator<Item = usize>) -> Column {
    Column::text("", which.map(|at| name(fit, at)).collect())
}

/// How a profile ends on one side.
pub(super) fn end(end: &ProfileEnd) -> String {
    match end {
        ProfileEnd::Crosses(value) => number(*value, DIGITS),
        ProfileEnd::Bound => "its bound".to_owned(),
        ProfileEnd::Flat => "none (flat)".to_owned(),
        ProfileEnd::OutOfPoints => "not reached".to_owned(),
        ProfileEnd::Stopped(_) => "ends there".to_owned(),
    }
}

/// True where the data give no limit.
pub(super) fn is_open(end: &ProfileEnd) -> bool {
    matches!(
        end,
        ProfileEnd::Bound | ProfileEnd::Flat | ProfileEnd::OutOfPoints
    )
}

/// The intervals that profiles give, beside those of the standard errors.
pub(super) fn profiles(answer: &ProfileAnswer, width: usize) -> String {
    let fit = &answer.fit;
    let which = || answer.profiles.iter().map(|profile| profile.parameter);
    let intervals = which().map(|at| {
        let (low, high) = fit
            .intervals
            .get(at)
            .copied()
            .unwrap_or((f64::NAN, f64::NAN));
        if low.is_finite() || high.is_finite() {
            format!("{} to {}", number(low, DIGITS), number(high, DIGITS))
        } else {
            "not determined".to_owned()
        }
    });
    let estimates = which().map(|at| fit.estimates[at]).collect();
    let ends = |of: fn(&Profile) -> &ProfileEnd| {
        let profiles = answer.profiles.iter();
        profiles.map(|one| end(of(one))).collect::<Vec<String>>()
    };
    let groups = vec![
        vec![Column::numbers("estimate", estimates)],
        vec![
            Column::text("lower", ends(|one| &one.lower)),
            Column::text("upper", ends(|one| &one.upper)),
        ],
        vec![Column::text("by standard error", intervals.collect())],
    ];
    format!(
        "profile likelihood, 95 % limits\n\n{}",
        in_blocks(&names(fit, which()), groups, width)
    )
}

/// Means and quantiles of a posterior, and how far to trust them.
pub(super) fn posterior(answer: &PosteriorAnswer, width: usize) -> String {
    let fit = &answer.fit;
    // Five digits are more than draws determine, and leave room for what tells whether to trust them.
    let numbers = |of: fn(&crate::fit::posterior::Marginal) -> f64| {
        let rounded = |value: f64| format!("{value:.4e}").parse().unwrap_or(value);
        answer
            .marginals
            .iter()
            .map(of)
            .map(rounded)
            .collect::<Vec<f64>>()
    };
    let whole = |of: fn(&crate::fit::posterior::Marginal) -> f64| {
        answer
            .marginals
            .iter()
            .map(of)
            .map(f64::round)
            .collect::<Vec<f64>>()
    };
    let groups = vec![
        vec![Column::numbers("mean", numbers(|m| m.mean))],
        vec![Column::numbers("sd", numbers(|m| m.sd))],
        vec![
            Column::numbers("2.5 %", numbers(|m| m.low)),
            Column::numbers("97.5 %", numbers(|m| m.high)),
        ],
        vec![
            Column::numbers("R-hat", numbers(|m| (m.rhat * 1e3).round() / 1e3)),
            Column::numbers("ESS", whole(|m| m.bulk_size)),
            Column::numbers("ESS tail", whole(|m| m.tail_size)),
        ],
        vec![Column::numbers("median", numbers(|m| m.median))],
    ];
    let names = names(fit, 0..fit.fitted.len());
    format!(
        "{}\n\n{}\n{}\n",
        words::wrapped(&headline_of_posterior(answer), width, "  "),
        in_blocks(&names, groups, width),
        words::wrapped(&how_of_posterior(answer), width, "  ")
    )
}

/// `posterior: 8 data of C from decay.csv, 4000 draws in 4 chains`
pub(super) fn headline_of_posterior(answer: &PosteriorAnswer) -> String {
    let fit = &answer.fit;
    let chains = &answer.posterior.chains;
    let drawn: usize = chains.iter().map(|chain| chain.draws.len()).sum();
    let names: Vec<String> = fit.lens.seen.iter().map(|seen| seen.name.clone()).collect();
    format!(
        "posterior: {} of {} from {}, {} in {}",
        counted(fit.count, "datum", "data"),
        crate::diagnostic::listed(&names),
        fit.file,
        counted(drawn, "draw", "draws"),
        counted(chains.len(), "chain", "chains"),
    )
}

/// How the draws were made, and what went wrong.
pub(super) fn how_of_posterior(answer: &PosteriorAnswer) -> String {
    let chains = &answer.posterior.chains;
    let saturated: usize = chains.iter().map(|chain| chain.saturated).sum();
    let acceptance =
        chains.iter().map(|chain| chain.acceptance).sum::<f64>() / chains.len().max(1) as f64;
    format!(
        "nuts, {} for tuning, mean acceptance {}, {}, {} at the deepest tree, seed {}",
        counted(answer.options.warm_up, "draw", "draws"),
        number(acceptance, 3),
        counted(answer.posterior.divergences(), "divergence", "divergences"),
        saturated,
        answer.options.seed
    )
}

/// Standard errors and intervals of a bootstrap, beside those of the fit.
pub(super) fn bootstrap(answer: &BootstrapAnswer, width: usize) -> String {
    let fit = &answer.fit;
    let all = || 0..fit.fitted.len();
    let intervals: Vec<(f64, f64)> = all()
        .map(|at| answer.bootstrap.interval(at, LEVEL))
        .collect();
    let groups = vec![
        vec![Column::numbers("estimate", fit.estimates.clone())],
        vec![Column::numbers(
            "std. error",
            all().map(|at| answer.bootstrap.error(at)).collect(),
        )],
        vec![
            Column::numbers("2.5 %", intervals.iter().map(|ends| ends.0).collect()),
            Column::numbers("97.5 %", intervals.iter().map(|ends| ends.1).collect()),
        ],
        vec![Column::numbers("std. error of the fit", fit.errors.clone())],
    ];
    let failed = match answer.bootstrap.failed.len() {
        0 => String::new(),
        failed => format!(", {failed} of which could not be fitted"),
    };
    let headline = format!(
        "parametric bootstrap: {}{failed} (seed {})",
        counted(
            answer.bootstrap.estimates.len() + answer.bootstrap.failed.len(),
            "data set drawn from the fit and fitted again",
            "data sets drawn from the fit and fitted again"
        ),
        answer.seed
    );
    format!(
        "{}\n\n{}",
        words::wrapped(&headline, width, "  "),
        in_blocks(&names(fit, all()), groups, width)
    )
}
