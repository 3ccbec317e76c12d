//! Fits as JSON: schema `lotka-fit-1`.
//!
//! Enters: the answer of a fit, or of one fit for each subject, with what was asked of it since.
//! Leaves: one line; numbers with every digit, those that are not finite as null.

use super::class::class_name;
use super::inference_json;
use crate::fit::{Coordinates, Direction, End, Finding, Scale, Standing};
use crate::session::fit::{
    Checks, FitAnswer, FitRun, Inferred, LEVEL, Standing as StandingOfRegion,
};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
pub(super) struct Fit<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    subject: Option<&'a str>,
    objective: &'static str,
    likelihood_by: &'static str,
    method: &'static str,
    seed: u64,
    starts: usize,
    reached: usize,
    as_good: usize,
    converged: bool,
    end: &'static str,
    iterations: u64,
    count: usize,
    left_out: usize,
    level: f64,
    estimates: Vec<Estimate<'a>>,
    log_likelihood: f64,
    log_prior: f64,
    aic: f64,
    bic: f64,
    rss: Option<f64>,
    residual_sd: Option<f64>,
    correlation: Vec<Vec<f64>>,
    undetermined: Vec<Together<'a>>,
    held: Vec<Held<'a>>,
    runs: Vec<Run<'a>>,
    within: Vec<Within<'a>>,
    residuals: Vec<Observation<'a>>,
    searches: Vec<Search>,
    posterior: Option<Box<inference_json::Posterior<'a>>>,
    profiles: Option<inference_json::Profiles<'a>>,
    bootstrap: Option<inference_json::Bootstrap<'a>>,
}

#[derive(Serialize)]
struct Held<'a> {
    name: &'a str,
    value: Option<f64>,
}

#[derive(Serialize)]
struct Estimate<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    start: f64,
    estimate: f64,
    std_error: f64,
    low: f64,
    high: f64,
    scale: &'static str,
    lower: f64,
    upper: f64,
    standing: &'static str,
    prior: Option<Prior<'a>>,
}

#[derive(Serialize)]
pub(super) struct Prior<'a> {
    family: &'static str,
    parameters: &'a [f64],
}

/// Estimates that the data determine only together, and how far each may move.
#[derive(Serialize)]
struct Together<'a> {
    names: Vec<&'a str>,
    by: Vec<f64>,
}

#[derive(Serialize)]
struct Run<'a> {
    subject: Option<&'a str>,
    condition: Option<&'a str>,
}

/// What must hold of the values that are searched.
#[derive(Serialize)]
struct Within<'a> {
    text: &'a str,
    holds: bool,
    on_edge: bool,
    places: Vec<Place>,
}

/// How it stands for a run.
#[derive(Serialize)]
struct Place {
    run: usize,
    holds: bool,
    class: Option<&'static str>,
    eigenvalues: Vec<[f64; 2]>,
}

#[derive(Serialize)]
struct Observation<'a> {
    name: &'a str,
    unit: Option<String>,
    family: Option<&'static str>,
    runs_p: Option<f64>,
    normality_p: Option<f64>,
    autocorrelation: Option<f64>,
    data: Vec<Residual>,
}

#[derive(Serialize)]
struct Residual {
    run: usize,
    time: f64,
    fitted: f64,
    seen: f64,
    score: f64,
}

#[derive(Serialize)]
struct Search {
    start: usize,
    value: f64,
    end: &'static str,
    iterations: u64,
    estimates: Vec<f64>,
}

/// One object; a list of them for a fit of each subject.
#[must_use]
pub fn fits(answers: &[Arc<FitAnswer>], inferred: &Inferred) -> String {
    let mut fits: Vec<Fit<'_>> = answers.iter().map(|answer| fit(answer)).collect();
    // What is asked afterwards is asked of a single fit.
    if let ([only], [answer]) = (fits.as_mut_slice(), answers) {
        let posterior = inferred.posterior.as_deref();
        only.posterior = posterior.map(|own| Box::new(inference_json::of_posterior(own)));
        let profiles: Vec<_> = inferred.profiles.iter().map(|own| &**own).collect();
        only.profiles =
            (!profiles.is_empty()).then(|| inference_json::of_profiles(answer, &profiles));
        let bootstrap = inferred.bootstrap.as_deref();
        only.bootstrap = bootstrap.map(inference_json::of_bootstrap);
    }
    match fits.as_slice() {
        [only] if !answers.iter().any(|answer| answer.is_one_of_each) => {
            serde_json::to_string(only)
        }
        several => serde_json::to_string(several),
    }
    .unwrap_or_default()
}

/// A fit by itself.
pub(super) fn fit(answer: &FitAnswer) -> Fit<'_> {
    let local = answer.search();
    let known = answer.uncertainty.as_ref().ok();
    let undetermined = known.map_or(&[][..], |known| &known.undetermined);
    Fit {
        schema: "lotka-fit-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        file: &answer.file,
        subject: answer.subject.as_deref(),
        objective: match (answer.squares, answer.log_prior != 0.0) {
            (Some(_), _) => "least_squares",
            (None, true) => "posterior",
            (None, false) => "likelihood",
        },
        likelihood_by: super::explain_fit::word(answer),
        method: answer.method.name(),
        seed: answer.seed,
        starts: answer.starts,
        reached: answer.reached().0,
        as_good: answer.reached().1,
        converged: answer.has_converged(),
        end: end(&local.end),
        iterations: local.iterations,
        count: answer.count,
        left_out: answer.left_out().rows,
        level: LEVEL,
        estimates: estimates(answer),
        log_likelihood: answer.log_likelihood,
        // An empty sum is -0.
        log_prior: answer.log_prior + 0.0,
        aic: answer.aic(),
        bic: answer.bic(),
        rss: answer.squares,
        residual_sd: answer.residual_sd(),
        correlation: known.map_or_else(Vec::new, |known| {
            let rows = known.correlation.chunks(answer.fitted.len().max(1));
            rows.map(<[f64]>::to_vec).collect()
        }),
        undetermined: undetermined
            .iter()
            .map(|one| direction(answer, one))
            .collect(),
        held: answer.held.iter().map(held).collect(),
        runs: answer.runs.iter().map(run).collect(),
        within: answer.standing.iter().map(within).collect(),
        residuals: answer
            .checks
            .iter()
            .enumerate()
            .map(|(at, one)| observation(answer, at, one))
            .collect(),
        searches: searches(answer),
        posterior: None,
        profiles: None,
        bootstrap: None,
    }
}

fn estimates(answer: &FitAnswer) -> Vec<Estimate<'_>> {
    let fitted = answer.fitted.iter().enumerate();
    fitted
        .map(|(at, known)| {
            let of = |numbers: &[f64]| numbers.get(at).copied().unwrap_or(f64::NAN);
            // What a bound holds has the bound's value; the data say nothing of how far to trust it.
            let free = is_free(answer, at);
            let interval = answer.intervals.get(at).copied().filter(|_| free);
            let (low, high) = interval.unwrap_or((f64::NAN, f64::NAN));
            Estimate {
                name: &known.name,
                unit: known.unit.as_deref(),
                start: known.start,
                estimate: of(&answer.estimates),
                std_error: if free { of(&answer.errors) } else { f64::NAN },
                low,
                high,
                scale: scale(known.scale),
                lower: known.bounds.0,
                upper: known.bounds.1,
                standing: standing(answer, at),
                prior: known.prior.as_ref().map(prior),
            }
        })
        .collect()
}

/// The scale on which a quantity is explored.
pub(super) fn scale(scale: Scale) -> &'static str {
    match scale {
        Scale::Linear => "linear",
        Scale::Logarithmic => "log",
    }
}

pub(super) fn prior(prior: &crate::fit::Prior) -> Prior<'_> {
    Prior {
        family: prior.family.name(),
        parameters: &prior.parameters,
    }
}

fn held((name, value): &(String, Option<f64>)) -> Held<'_> {
    Held {
        name,
        value: *value,
    }
}

/// False for what a bound or an edge holds.
fn is_free(answer: &FitAnswer, at: usize) -> bool {
    use Standing::{AtLower, AtUpper, Fixed, OnEdge};
    let known = answer.uncertainty.as_ref().ok();
    let standing = known.and_then(|known| known.standing.get(at));
    !matches!(standing, Some(AtLower | AtUpper | Fixed | OnEdge))
}

fn standing(answer: &FitAnswer, at: usize) -> &'static str {
    let known = answer.uncertainty.as_ref().ok();
    match known.and_then(|known| known.standing.get(at)) {
        Some(Standing::Determined) => "determined",
        Some(Standing::Undetermined) => "undetermined",
        Some(Standing::Falling) => "falling",
        Some(Standing::AtLower) => "at_lower",
        Some(Standing::AtUpper) => "at_upper",
        Some(Standing::Fixed) => "fixed",
        Some(Standing::OnEdge) => "on_edge",
        None => "unknown",
    }
}

fn direction<'a>(answer: &'a FitAnswer, direction: &Direction) -> Together<'a> {
    let parts = direction.coefficients.iter();
    let named = parts.filter_map(|(at, by)| Some((answer.fitted.get(*at)?.name.as_str(), *by)));
    let (names, by) = named.unzip();
    Together { names, by }
}

fn run(run: &FitRun) -> Run<'_> {
    Run {
        subject: run.data.subject.as_deref(),
        condition: run.data.condition.as_deref(),
    }
}

fn within(standing: &StandingOfRegion) -> Within<'_> {
    let places = standing.places.iter().map(|place| Place {
        run: place.run,
        holds: place.holds,
        class: place.class.as_ref().map(class_name),
        eigenvalues: (place.eigenvalues.iter())
            .map(|value| [value.real, value.imaginary])
            .collect(),
    });
    Within {
        text: &standing.text,
        holds: standing.holds,
        on_edge: standing.on_edge,
        places: places.collect(),
    }
}

fn observation<'a>(answer: &'a FitAnswer, at: usize, checks: &'a Checks) -> Observation<'a> {
    let seen = answer.lens.seen.get(at);
    let scores = checks.scores.iter();
    Observation {
        name: &checks.name,
        unit: seen
            .and_then(|seen| seen.unit.as_ref())
            .map(ToString::to_string),
        family: seen
            .and_then(|seen| seen.family)
            .map(|family| family.name()),
        runs_p: checks.tests.runs.map(|test| test.p),
        normality_p: checks.tests.normality.map(|test| test.p),
        autocorrelation: checks.tests.autocorrelation,
        data: scores
            .map(|score| Residual {
                run: score.run,
                time: score.time,
                fitted: score.fitted,
                seen: score.seen,
                score: score.score,
            })
            .collect(),
    }
}

/// All searches, the best first, in the units of what is fitted.
fn searches(answer: &FitAnswer) -> Vec<Search> {
    let scales = answer
        .fitted
        .iter()
        .map(|known| (known.scale, known.bounds.0, known.bounds.1));
    let coordinates = Coordinates::new(scales);
    let search = |finding: &Finding| Search {
        start: finding.number,
        value: finding.local.value,
        end: end(&finding.local.end),
        iterations: finding.local.iterations,
        estimates: coordinates.outer(&finding.local.point),
    };
    answer.findings.all.iter().map(search).collect()
}

/// How a search ended, in a word.
fn end(end: &End) -> &'static str {
    match end {
        End::Converged { .. } => "converged",
        End::OnEdge { .. } => "on_edge",
        End::Stalled { .. } => "stalled",
        End::Unmoved { .. } => "unmoved",
        End::OutOfIterations => "out_of_iterations",
        End::SimplexCollapsed => "simplex_collapsed",
        End::SwarmCollapsed => "swarm_collapsed",
        End::Fault(_) => "fault",
        End::NotFinite => "not_finite",
        End::Interrupted => "interrupted",
    }
}
