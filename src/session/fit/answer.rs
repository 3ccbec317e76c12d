//! What a fit found, and how far to trust it.
//!
//! Enters: a likelihood, the searches for its maximum. Leaves: a [`FitAnswer`]: plain data with the
//! names of the model. Must not know how searches work.

use super::super::compiled::Compiled;
use super::data::LeftOut;
use super::faults::told;
use super::inside::Standing as StandingOfRegion;
use super::lens::Lens;
use super::noise::foretold;
use super::objective::{Likelihood, Looked, drivers};
use super::quantities::{Fitted, coordinates};
use super::region::Region;
use super::runs::FitRun;
use super::scores::{Checks, checks, checks_of_filter};
use super::stochastic::Filters;
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::fit::{
    Coordinates, End, Fault, Findings, Information, Local, Objective, Quantiles, SAME_VALUE,
    Scaled, SearchMethod, Standing, Uncertainty, UncertaintyOptions, Wanted, uncertainty,
};
use crate::source::Span;
use crate::world::World;
use std::sync::Arc;

/// A search has settled when the slope promises less log-likelihood than this: an estimate is then
/// off by less than a hundredth of its standard error.
const SETTLED: f64 = 1e-6;
/// Searches whose values differ by less than this came equally far: estimates are then within a
/// ten-thousandth of their standard errors.
const EQUAL: f64 = 1e-8;
/// Optima are equally good when their values differ by less than this.
const AS_GOOD: f64 = 1e-6;
/// Optima are different ones when they are farther apart than this, in standard errors.
const APART: f64 = 1.0;
/// A model that leaves less than this share of the data's sum of squares passes through all of them:
/// what is left is rounding.
const EXACT: f64 = 1e-20;
/// Subjects that a warning names; the others are counted.
const MOST_SUBJECTS: usize = 12;
/// Subjects of which it says more.
const MOST_LABELS: usize = 3;
/// The level of intervals.
pub const LEVEL: f64 = 0.95;
/// A fit.
#[derive(Debug, Clone)]
pub struct FitAnswer {
    /// The sentence that asked for it.
    pub span: Span,
    /// The model.
    pub compiled: Arc<Compiled>,
    /// What was seen of it.
    pub lens: Arc<Lens>,
    /// What was fitted.
    pub fitted: Vec<Fitted>,
    /// Parameters that the sentence left out by naming none, for want of bounds or a prior; the value
    /// of a single number.
    pub held: Vec<(String, Option<f64>)>,
    /// Of a model with noise, the filters of its runs.
    pub filters: Option<Arc<Filters>>,
    /// The values that were searched; all of them when absent.
    pub region: Option<Arc<Region>>,
    /// How what must hold of them stands at the estimates.
    pub standing: Vec<StandingOfRegion>,
    /// What fails a hair further downhill, where the search did not get on.
    pub blocked: Option<String>,
    /// The runs with their data.
    pub runs: Vec<FitRun>,
    /// The file of the data, as written.
    pub file: String,
    /// Whose data, for a fit of one subject among several.
    pub subject: Option<String>,
    /// True for one of the fits of `by subject`.
    pub is_one_of_each: bool,
    /// How it was searched.
    pub method: SearchMethod,
    /// For the starts.
    pub seed: u64,
    /// Every search, in inner coordinates, the best first.
    pub findings: Findings,
    /// How many starts there were to be.
    pub starts: usize,
    /// True for starts from a table.
    pub by_hand: bool,
    /// The estimates, in their own units.
    pub estimates: Vec<f64>,
    /// How far to trust them; why it could not be worked out.
    pub uncertainty: Result<Uncertainty, Fault>,
    /// Standard errors in the estimates' own units; infinite where the data say nothing.
    pub errors: Vec<f64>,
    /// Intervals of level [`LEVEL`].
    pub intervals: Vec<(f64, f64)>,
    /// The log-likelihood, without priors.
    pub log_likelihood: f64,
    /// The log density of the priors; 0 without.
    pub log_prior: f64,
    /// How many data.
    pub count: usize,
    /// Of least squares: the sum of squared residuals.
    pub squares: Option<f64>,
    /// True for least squares that leave nothing but rounding.
    pub is_exact: bool,
    /// What the model gives where there are data, run by run.
    pub looked: Vec<Looked>,
    /// Whether the residuals look as they should, one for each observation.
    pub checks: Vec<Checks>,
}

impl FitAnswer {
    /// What was maximised, to be evaluated again.
    pub(super) fn likelihood<'w>(&self, world: &'w dyn World) -> Likelihood<'w> {
        Likelihood {
            compiled: Arc::clone(&self.compiled),
            lens: Arc::clone(&self.lens),
            fitted: self.fitted.clone(),
            runs: self.runs.clone(),
            world,
            drivers: drivers(&self.compiled),
            filters: self.filters.clone(),
            region: self.region.clone(),
            asserts: true,
        }
    }

    /// The best search.
    #[must_use]
    pub fn search(&self) -> &Local {
        &self.findings.all[0].local
    }

    /// The searches that reached the best value: at this place, and at others as good.
    #[must_use]
    pub fn reached(&self) -> (usize, usize) {
        let all = self.findings.reached_best;
        let here = self.search();
        let found = self.findings.all.iter().map(|finding| &finding.local);
        let equals = found.filter(|one| one.is_found() && one.value - here.value <= SAME_VALUE);
        let others = equals.filter(|one| self.is_apart(one)).count();
        (all.saturating_sub(others), others.min(all))
    }

    /// True where a search ended farther from the best one than errors explain.
    fn is_apart(&self, there: &Local) -> bool {
        let Ok(known) = &self.uncertainty else {
            return false;
        };
        let here = &self.search().point;
        let pairs = here.iter().zip(&there.point).zip(&known.inner_errors);
        pairs.into_iter().any(|((here, there), error)| {
            error.is_finite() && *error > 0.0 && (here - there).abs() > APART * error
        })
    }

    /// Rows of the table that are no observations, of all runs.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        let of = |which: fn(&LeftOut) -> usize| {
            let runs = self.runs.iter();
            runs.map(|run| which(&run.data.left_out)).sum()
        };
        LeftOut {
            rows: of(|left| left.rows),
            doses: of(|left| left.doses),
        }
    }

    /// True when the given start had no likelihood, so that the first search began elsewhere.
    #[must_use]
    pub fn began_elsewhere(&self) -> bool {
        let mut numbered = self.findings.all.iter().filter(|_| !self.by_hand);
        let first = numbered.find(|finding| finding.number == 0);
        first.is_some_and(|first| {
            let given = self.fitted.iter().map(|known| {
                let value = known.start.clamp(known.bounds.0, known.bounds.1);
                known.scale.inner(value)
            });
            let pairs = given.zip(&first.local.start);
            first.local.value.is_finite()
                && pairs
                    .into_iter()
                    .any(|(given, start)| (given - start).abs() > 1e-6 * (1.0 + given.abs()))
        })
    }

    /// Parameters of the likelihood: the estimates, and the variance of least squares.
    #[must_use]
    pub fn degrees(&self) -> usize {
        self.fitted.len() + usize::from(self.squares.is_some())
    }

    /// Data beyond the estimates.
    #[must_use]
    pub fn degrees_left(&self) -> usize {
        self.count.saturating_sub(self.fitted.len())
    }

    /// Akaike's criterion: twice the parameters less twice the log-likelihood.
    #[must_use]
    pub fn aic(&self) -> f64 {
        2.0 * self.degrees() as f64 - 2.0 * self.log_likelihood
    }

    /// Schwarz's criterion.
    #[must_use]
    pub fn bic(&self) -> f64 {
        self.degrees() as f64 * (self.count as f64).ln() - 2.0 * self.log_likelihood
    }

    /// The scales and bounds of what was fitted.
    #[must_use]
    pub fn coordinates(&self) -> Coordinates {
        coordinates(&self.fitted)
    }

    /// The standard deviation of the residuals of least squares, by the degrees of freedom left.
    #[must_use]
    pub fn residual_sd(&self) -> Option<f64> {
        let left = self.degrees_left();
        self.squares
            .filter(|_| left > 0)
            .map(|squares| (squares / left as f64).sqrt())
    }

    /// True for a point at which the search can stand: it moved there, or stood there at once, and
    /// nothing more is to be gained.
    #[must_use]
    pub fn has_converged(&self) -> bool {
        // Nothing is better than that; what slope there is belongs to the logarithm of rounding.
        if self.is_exact {
            return true;
        }
        match self.search().end {
            End::Converged { .. } => true,
            End::OnEdge { decrement, .. } => decrement <= SETTLED,
            // Begun at the minimum.
            End::Unmoved { decrement } => decrement <= SETTLED,
            // The first may be stuck in the rounding of the runs, the others use no derivatives: what
            // is left is asked afterwards.
            End::Stalled { .. } | End::SimplexCollapsed | End::SwarmCollapsed => {
                self.left_to_gain() <= SETTLED
            }
            _ => false,
        }
    }

    /// How much more log-likelihood the slope promises: g'Cg/2 with the covariance C of what is not
    /// held.
    fn left_to_gain(&self) -> f64 {
        let Ok(known) = &self.uncertainty else {
            return f64::INFINITY;
        };
        let slope = &self.search().gradient;
        let m = self.fitted.len();
        let terms = known.covariance.iter().enumerate().map(|(at, c)| {
            let pair = slope.get(at / m.max(1)).zip(slope.get(at % m.max(1)));
            pair.map_or(f64::INFINITY, |(one, other)| c * one * other)
        });
        let sum: f64 = 0.5 * terms.sum::<f64>();
        // What is not a number has not settled.
        if sum.is_finite() { sum } else { f64::INFINITY }
    }

    /// Estimates on a bound.
    pub fn on_bounds(&self) -> impl Iterator<Item = usize> {
        let standing = self.uncertainty.as_ref().map_or(&[][..], |u| &u.standing);
        let at_bound = |s: &Standing| matches!(s, Standing::AtLower | Standing::AtUpper);
        let pairs = standing.iter().enumerate();
        pairs.filter(move |(_, s)| at_bound(s)).map(|(at, _)| at)
    }
}

/// What was searched, and how it came out.
pub(super) struct Found {
    pub span: Span,
    pub held: Vec<(String, Option<f64>)>,
    pub file: String,
    pub subject: Option<String>,
    pub is_one_of_each: bool,
    pub method: SearchMethod,
    pub seed: u64,
    pub starts: usize,
    pub by_hand: bool,
    pub findings: Findings,
}

/// Works out the answer from the searches; `None` when none of them has a value.
pub(super) fn answer(likelihood: &Likelihood<'_>, mut found: Found) -> Option<FitAnswer> {
    first_of_equals(&mut found.findings);
    let local = &found.findings.all.first()?.local;
    if !local.value.is_finite() {
        return None;
    }
    let coordinates = coordinates(&likelihood.fitted);
    let estimates = coordinates.outer(&local.point);
    // Differences may step over the edge of the region.
    let everywhere = likelihood.everywhere();
    let scaled = Scaled {
        objective: &everywhere,
        coordinates: &coordinates,
    };
    let edges: &[usize] = match &local.end {
        End::OnEdge { margins, .. } => margins,
        _ => &[],
    };
    let is_squares = likelihood.is_least_squares();
    let options = UncertaintyOptions {
        // What programs of nonlinear least squares print; distributions take what was observed.
        information: match is_squares {
            true => Information::Expected,
            false => Information::Observed,
        },
        ..UncertaintyOptions::default()
    };
    let count = likelihood.count();
    let left = count.saturating_sub(likelihood.fitted.len());
    let uncertainty = uncertainty(&scaled, &local.point, &options);
    let quantiles = match is_squares {
        true => Quantiles::StudentT {
            degrees: left as f64,
        },
        false => Quantiles::Normal,
    };
    // The variance that is profiled out is RSS/n; its unbiased estimate is RSS/(n - m).
    let factor = match is_squares && left > 0 {
        true => (count as f64 / left as f64).sqrt(),
        false => 1.0,
    };
    let uncertainty = uncertainty.map(|found| {
        let found = found.widened(factor);
        match edges {
            [] => found,
            edges => found.along(&normals(likelihood, &local.point, edges), &coordinates),
        }
    });
    let nothing = vec![f64::NAN; estimates.len()];
    let intervals = uncertainty.as_ref().map_or_else(
        |_| nothing.iter().map(|nan| (*nan, *nan)).collect(),
        |known| known.intervals(&coordinates, LEVEL, quantiles),
    );
    let mut errors = uncertainty
        .as_ref()
        .map_or_else(|_| nothing.clone(), |known| known.errors.clone());
    if is_squares && left == 0 {
        // Without data to spare nothing says how much they scatter.
        for error in errors.iter_mut().filter(|error| error.is_finite()) {
            *error = f64::NAN;
        }
    }
    let runs = 0..likelihood.runs.len();
    let looked: Vec<Looked> = runs
        .map(|run| match likelihood.filters {
            Some(_) => foretold(likelihood, run, &estimates).map(|(looked, _)| looked),
            None => everywhere.look(run, &estimates, Wanted::Value).ok(),
        })
        .map(Option::unwrap_or_default)
        .collect();
    let priors: f64 = likelihood
        .fitted
        .iter()
        .zip(&estimates)
        .filter_map(|(known, value)| Some(known.prior.as_ref()?.at(*value)?.log))
        .sum();
    let squares = is_squares.then(|| sum_of_squares(likelihood, &looked));
    let is_exact = squares.is_some_and(|squares| squares <= EXACT * sum_of_data(likelihood));
    let value = everywhere
        .evaluate(&estimates, Wanted::Value)
        .map_or(local.value, |evaluation| evaluation.value);
    Some(FitAnswer {
        span: found.span,
        compiled: Arc::clone(&likelihood.compiled),
        lens: Arc::clone(&likelihood.lens),
        fitted: likelihood.fitted.clone(),
        region: likelihood.region.clone(),
        standing: likelihood.standing(&estimates, edges),
        blocked: blocked(likelihood, local),
        held: found.held,
        runs: likelihood.runs.clone(),
        filters: likelihood.filters.clone(),
        file: found.file,
        subject: found.subject,
        is_one_of_each: found.is_one_of_each,
        method: found.method,
        seed: found.seed,
        starts: found.starts,
        by_hand: found.by_hand,
        uncertainty,
        errors,
        intervals,
        log_likelihood: -value - priors,
        log_prior: priors,
        count,
        squares,
        is_exact,
        checks: match likelihood.filters {
            Some(_) => checks_of_filter(likelihood, &estimates),
            None => checks(
                likelihood,
                &looked,
                squares.map(|s| (s / left.max(1) as f64).sqrt()),
            ),
        },
        looked,
        estimates,
        findings: found.findings,
    })
}

/// The assertion that fails a hair further downhill, where a search did not get on.
fn blocked(likelihood: &Likelihood<'_>, local: &Local) -> Option<String> {
    const HAIR: f64 = 1e-6;
    if !matches!(local.end, End::Stalled { .. } | End::Unmoved { .. }) {
        return None;
    }
    let coordinates = coordinates(&likelihood.fitted);
    let pairs = local.point.iter().zip(&local.gradient);
    let beyond: Vec<f64> = pairs
        .map(|(x, slope)| match *slope == 0.0 {
            true => *x,
            false => x - slope.signum() * HAIR * x.abs().max(HAIR),
        })
        .collect();
    match likelihood.evaluate(&coordinates.outer(&beyond), Wanted::Value) {
        Err(fault @ Fault::Assumption { .. }) => Some(told(likelihood, &fault)),
        _ => None,
    }
}

/// The gradients of margins that are zero, on the inner scale.
fn normals(likelihood: &Likelihood<'_>, at: &[f64], edges: &[usize]) -> Vec<Vec<f64>> {
    let coordinates = coordinates(&likelihood.fitted);
    let scaled = Scaled {
        objective: likelihood,
        coordinates: &coordinates,
    };
    let margins = scaled.margins(at, Wanted::Gradient).unwrap_or_default();
    let on_edge = edges.iter().filter_map(|at| margins.get(*at));
    on_edge.map(|margin| margin.gradient.clone()).collect()
}

/// Of searches that came equally far, the one that began first stands for them: the given start
/// chooses between optima that the data do not tell apart.
fn first_of_equals(findings: &mut Findings) {
    let best = findings
        .all
        .first()
        .map_or(f64::NAN, |best| best.local.value);
    let equals = findings.all.iter().enumerate();
    let equals = equals.filter(|(_, one)| one.local.value - best <= EQUAL);
    if let Some((at, _)) = equals.min_by_key(|(_, one)| one.number) {
        findings.all[..=at].rotate_right(1);
    }
}

fn sum_of_squares(likelihood: &Likelihood<'_>, looked: &[Looked]) -> f64 {
    let width = likelihood.lens.width();
    let squares = likelihood.points().map(|(run, point)| {
        let at = point.row * width + likelihood.lens.seen[point.seen].numbers.start;
        let model = looked.get(run).and_then(|looked| looked.numbers.get(at));
        match (model, point.datum) {
            (Some(model), crate::fit::Datum::Exactly(value)) => (model - value).powi(2),
            _ => 0.0,
        }
    });
    squares.sum()
}

fn sum_of_data(likelihood: &Likelihood<'_>) -> f64 {
    let data = likelihood.points().map(|(_, point)| match point.datum {
        crate::fit::Datum::Exactly(value) => value * value,
        _ => 0.0,
    });
    data.sum()
}

/// What is to be said of fits besides their numbers: of those of several subjects whom it concerns,
/// what is the same together.
pub(super) fn all_warnings(answers: &[Arc<FitAnswer>], span: Span) -> Vec<Diagnostic> {
    let [_, _, ..] = answers else {
        let alone = answers.iter();
        return alone.flat_map(|answer| warnings(answer, span)).collect();
    };
    let mut found: Vec<(Diagnostic, Vec<&str>, Vec<String>)> = Vec::new();
    for answer in answers {
        let whose = answer.subject.as_deref().unwrap_or("");
        for warning in warnings(answer, span) {
            let said = warning.labels.first().map_or("", |label| &label.text);
            let said = format!("subject {whose}: {said}");
            let mut known = found.iter_mut();
            match known.find(|(known, ..)| is_same(known, &warning)) {
                Some((_, subjects, labels)) => {
                    subjects.push(whose);
                    labels.push(said);
                }
                None => found.push((warning, vec![whose], vec![said])),
            }
        }
    }
    let together = found.into_iter().map(|(mut warning, subjects, labels)| {
        let (noun, names) = match subjects.as_slice() {
            [only] => ("subject", (*only).to_owned()),
            several => {
                let mut names: Vec<String> = several.iter().map(|&one| one.to_owned()).collect();
                if names.len() > MOST_SUBJECTS {
                    let others = names.len() - MOST_SUBJECTS;
                    names.truncate(MOST_SUBJECTS);
                    names.push(format!("{others} more"));
                }
                ("subjects", listed(&names))
            }
        };
        warning.message = format!("{noun} {names}: {}", warning.message);
        // What is said at the sentence differs from one to the next.
        if let Some(label) = warning.labels.first_mut()
            && !label.text.is_empty()
            && subjects.len() > 1
            && label.span == span
        {
            let few: Vec<String> = labels.into_iter().take(MOST_LABELS).collect();
            label.text = few.join("; ");
        }
        warning
    });
    together.collect()
}

/// True for warnings that differ at most in what is said of the sentence.
fn is_same(one: &Diagnostic, other: &Diagnostic) -> bool {
    let spans = |of: &Diagnostic| of.labels.iter().map(|label| label.span).collect::<Vec<_>>();
    one.code == other.code
        && one.message == other.message
        && one.help == other.help
        && spans(one) == spans(other)
}

/// What is to be said of a fit besides its numbers.
fn warnings(answer: &FitAnswer, span: Span) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    if answer.findings.was_interrupted {
        let done = match (answer.findings.all.len(), answer.starts) {
            (_, 1) => "before its end".to_owned(),
            (1, all) => format!("1 of {all} was begun"),
            (several, all) => format!("{several} of {all} were begun"),
        };
        warnings.push(
            Diagnostic::new(Code::Interrupted, "the searches were interrupted")
                .at(span, done)
                .help("this is the best that was found so far"),
        );
    }
    if !answer.has_converged() {
        warnings.push(not_converged(answer, span));
    }
    let on_bounds: Vec<usize> = answer.on_bounds().collect();
    for at in on_bounds {
        let known = &answer.fitted[at];
        warnings.push(
            Diagnostic::new(
                Code::OnBound,
                format!(
                    "`{}` is on its bound {}",
                    known.name,
                    number_text(answer.estimates[at])
                ),
            )
            .at(known.span, "declared here")
            .help("widen the bounds where they are no knowledge: its own standard error means nothing there, and those of the others take it as known"),
        );
    }
    warnings.extend(answer.region.iter().flat_map(|region| {
        let pairs = region.requirements.iter().zip(&answer.standing);
        let on_edge = pairs.filter(|(_, standing)| standing.on_edge);
        on_edge.map(|(known, _)| {
            Diagnostic::new(
                Code::OnBound,
                format!("the estimates are on the edge of `{}`", known.text),
            )
            .at(known.span, "asked for here")
            .help("the data alone would leave it: fit without it to see how much better they like that. Standard errors take the edge as known")
        })
    }));
    warnings.extend(another_optimum(answer, span));
    if let Ok(uncertainty) = &answer.uncertainty {
        for direction in &uncertainty.undetermined {
            warnings.push(undetermined(answer, direction, span));
        }
        if let Some(direction) = uncertainty.falling.first() {
            warnings.push(
                Diagnostic::new(
                    Code::NotConverged,
                    format!(
                        "this is no minimum: it goes on along {}",
                        in_names(answer, direction)
                    ),
                )
                .at(span, "")
                .help("search from several starts within bounds, as in `starts 20`"),
            );
        }
    }
    warnings
}

/// Another optimum as good as this one, farther away than errors explain.
fn another_optimum(answer: &FitAnswer, span: Span) -> Option<Diagnostic> {
    let here = answer.search();
    let mut equals = answer.findings.all.iter().map(|finding| &finding.local);
    let other =
        equals.find(|one| (one.value - here.value).abs() <= AS_GOOD && answer.is_apart(one))?;
    let values = coordinates(&answer.fitted).outer(&other.point);
    let named = answer.fitted.iter().zip(values);
    let named: Vec<String> = named
        .map(|(known, value)| format!("{} = {}", known.name, short(value)))
        .collect();
    Some(
        Diagnostic::new(Code::Undetermined, "another set of values fits the data as well")
            .at(span, listed(&named))
            .help("bounds or priors that rule one of them out decide between the two; this one is nearer to the given start"),
    )
}

/// A number with the digits that a reader compares.
fn short(value: f64) -> String {
    number_text(format!("{value:.3e}").parse().unwrap_or(value))
}

fn not_converged(answer: &FitAnswer, span: Span) -> Diagnostic {
    if answer.count < answer.fitted.len() {
        let (data, parameters) = (answer.count, answer.fitted.len());
        return Diagnostic::new(Code::NotConverged, "the fit has not converged")
            .at(
                span,
                format!("{parameters} parameters and only {data} data"),
            )
            .help("fit fewer parameters, or give them priors");
    }
    if let Some(why) = &answer.blocked {
        return Diagnostic::new(Code::NotConverged, "the fit has not converged")
            .at(span, format!("a hair further downhill {why}"))
            .help("the data alone would go on: either the assertion or the model is not as they have it");
    }
    let why = match &answer.search().end {
        End::Stalled { .. } => "no step made the fit better, though its slope is not zero",
        End::Unmoved { .. } => {
            "no step away from the start made the fit better, though its slope is not zero"
        }
        End::OutOfIterations => "the iterations were used up",
        End::Interrupted => "it was interrupted",
        End::SimplexCollapsed | End::SwarmCollapsed => {
            "the search ended where it found nothing better, which no derivative has confirmed"
        }
        _ => "it could not go on",
    };
    Diagnostic::new(Code::NotConverged, "the fit has not converged")
        .at(span, why)
        .help("try other starts (`starts 20`, with bounds), a smaller `rtol`, or go on from here with the same sentence")
}

fn undetermined(answer: &FitAnswer, direction: &crate::fit::Direction, span: Span) -> Diagnostic {
    let message = match direction.coefficients.as_slice() {
        [(only, _)] => format!("the data do not determine `{}`", answer.fitted[*only].name),
        _ => format!(
            "the data determine {} only together: nothing changes when {} move",
            listed(&names_in(answer, direction)),
            in_names(answer, direction)
        ),
    };
    Diagnostic::new(Code::Undetermined, message)
        .at(span, "")
        .help(match direction.coefficients.len() {
            1 => "fix it at a known value, or give it a prior",
            _ => "fix one of them at a known value, or give it a prior",
        })
}

fn names_in(answer: &FitAnswer, direction: &crate::fit::Direction) -> Vec<String> {
    let at = direction.coefficients.iter();
    at.map(|(at, _)| format!("`{}`", answer.fitted[*at].name))
        .collect()
}

/// `+1 a -0.5 log(b)`: relative changes that leave the data as they are.
fn in_names(answer: &FitAnswer, direction: &crate::fit::Direction) -> String {
    let parts = direction
        .coefficients
        .iter()
        .map(|(at, coefficient)| format!("`{}` by {coefficient:+.3} %", answer.fitted[*at].name));
    listed(&parts.collect::<Vec<_>>())
}
