//! `fit ... using nuts`: the posterior distribution of what is fitted.
//!
//! Enters: a likelihood with its priors, the mode found by a search. Leaves: a [`PosteriorAnswer`].
//! Must not know how draws are made.

use super::super::outcome::{Outcome, Performed};
use super::super::simulate::{fault, whole};
use super::super::{Observer, Session, Stage};
use super::answer::FitAnswer;
use super::objective::Likelihood;
use super::sentence::Fit;
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::fit::posterior::{
    ChainEnd, ChainProgress, Marginal, Metric, Posterior, PosteriorOptions, Spread, Starts, Watch,
    sample,
};
use crate::linalg::cholesky;
use crate::source::Span;
use crate::syntax::tree;
use std::sync::{Arc, Mutex};

/// Chains agree below this R-hat (Vehtari et al., Bayesian Analysis 16 (2021) 667-718).
pub const MOST_RHAT: f64 = 1.01;
/// Quantiles can be trusted from this effective sample size on (the same).
pub const LEAST_SIZE: f64 = 400.0;

/// A posterior distribution.
#[derive(Debug, Clone)]
pub struct PosteriorAnswer {
    /// The fit that found its mode.
    pub fit: Arc<FitAnswer>,
    /// What was asked for.
    pub options: PosteriorOptions,
    /// All draws.
    pub posterior: Posterior,
    /// Of each fitted quantity.
    pub marginals: Vec<Marginal>,
}

impl PosteriorAnswer {
    /// True when the chains agree, there are enough draws, and none diverged.
    #[must_use]
    pub fn has_mixed(&self) -> bool {
        let bad = |known: &Marginal| {
            let sizes = known.bulk_size.min(known.tail_size);
            // What is not a number has not mixed either.
            !(known.rhat < MOST_RHAT && sizes >= LEAST_SIZE)
        };
        !self.marginals.iter().any(bad) && self.posterior.divergences() == 0
    }
}

/// What a sentence asks of the sampler.
///
/// # Errors
/// Numbers that are none of draws, chains or seeds.
pub(super) fn options(
    number: &dyn Fn(&tree::Expr) -> Result<f64, Vec<Diagnostic>>,
    command: &Fit,
) -> Result<PosteriorOptions, Vec<Diagnostic>> {
    let mut options = PosteriorOptions {
        // Fitted quantities trade off against each other more often than not.
        metric: Metric::LowRank,
        ..PosteriorOptions::default()
    };
    let count = |expr: &Option<tree::Expr>, least: u64, to: &mut usize, help: &str| {
        let Some(expr) = expr else { return Ok(()) };
        let value = number(expr)?;
        match whole(value, least, 10_000_000).and_then(|count| usize::try_from(count).ok()) {
            Some(found) => {
                *to = found;
                Ok(())
            }
            None => Err(fault(expr, "a whole number is needed here", value, help)),
        }
    };
    count(
        &command.draws,
        8,
        &mut options.draws,
        "as in `draws 1000`, 8 at least",
    )?;
    count(&command.chains, 1, &mut options.chains, "as in `chains 4`")?;
    let mut seed = 1;
    count(&command.seed, 0, &mut seed, "as in `seed 7`")?;
    options.seed = seed as u64;
    Ok(options)
}

/// Refuses what has no posterior.
///
/// # Errors
/// Least squares.
pub(super) fn has_distributions(
    likelihood: &Likelihood<'_>,
    span: Span,
) -> Result<(), Vec<Diagnostic>> {
    if !likelihood.is_least_squares() {
        return Ok(());
    }
    let name = likelihood.lens.seen.first().map_or("x", |seen| &seen.name);
    Err(vec![
        Diagnostic::new(Code::CannotFit, "a posterior needs to know how the data scatter")
            .at(span, "no observation is declared")
            .help(format!(
                "say it, as in `observe {name} ~ normal({name}, sigma)` with `param sigma = 1 in 1e-3..10 log`, and fit sigma too"
            )),
    ])
}

impl Session {
    /// Draws from the posterior around the mode of `fit`.
    pub(super) fn posterior(
        &mut self,
        fit: Arc<FitAnswer>,
        options: PosteriorOptions,
        command: &Fit,
        observer: &mut dyn Observer,
    ) -> Performed {
        let world = Arc::clone(self.world());
        let likelihood = fit.likelihood(&*world);
        let bounds: Vec<(f64, f64)> = fit.fitted.iter().map(|known| known.bounds).collect();
        let factor = factor(&fit);
        let starts = Starts {
            around: &fit.estimates,
            spread: factor
                .as_ref()
                .map_or(Spread::Relative(0.1), |f| Spread::Factor(f)),
        };
        let interrupted = || world.interrupted();
        let chains = Mutex::new((vec![None; options.chains], observer));
        let watch = Watch {
            threads: world.threads(),
            interrupted: &interrupted,
            progress: &|own| {
                if let Ok(mut chains) = chains.lock() {
                    let (known, observer) = &mut *chains;
                    told(known, own, *observer);
                }
            },
        };
        let posterior = sample(&likelihood, &bounds, &starts, &options, &watch);
        let drawn: usize = posterior.chains.iter().map(|chain| chain.draws.len()).sum();
        let mut ends = posterior.chains.iter().map(|chain| &chain.end);
        if drawn == 0 && ends.any(|end| *end == ChainEnd::Interrupted) {
            self.take_estimates(std::slice::from_ref(&fit));
            return Performed {
                outcome: Outcome::Fitted(vec![fit]),
                diagnostics: vec![
                    Diagnostic::new(Code::Interrupted, "interrupted before any draw was kept")
                        .at(command.span, "")
                        .help("the answer is the mode, where the chains would have begun"),
                ],
            };
        }
        let marginals = (0..fit.fitted.len())
            .map(|at| posterior.marginal(at))
            .collect();
        let answer = PosteriorAnswer {
            fit,
            options,
            posterior,
            marginals,
        };
        let diagnostics = notes(&answer, command.span);
        // What holds now is the mean: the sentences after it speak of the posterior.
        let before = self.values_before();
        for (known, marginal) in answer.fit.fitted.iter().zip(&answer.marginals) {
            if marginal.mean.is_finite() {
                known.set(&mut self.overrides, marginal.mean);
            }
        }
        self.can_undo(super::super::undo::Undid::Fitted, before);
        let answer = Arc::new(answer);
        self.inferred.posterior = Some(Arc::clone(&answer));
        Performed {
            outcome: Outcome::Sampled(answer),
            diagnostics,
        }
    }
}

/// Tells how far all chains are together.
fn told(known: &mut [Option<ChainProgress>], own: ChainProgress, observer: &mut dyn Observer) {
    let count = known.len();
    if let Some(known) = known.get_mut(own.chain) {
        *known = Some(own);
    }
    let begun = known.iter().flatten();
    let done: usize = begun.clone().map(|chain| chain.done).sum();
    let all = own.of * count;
    observer.at(
        done as f64 / all.max(1) as f64,
        &Stage::Draws {
            done,
            all,
            divergences: begun.map(|chain| chain.divergences).sum(),
        },
    );
}

/// The Cholesky factor of the covariance of the estimates, in their own units.
fn factor(fit: &FitAnswer) -> Option<Vec<f64>> {
    let known = fit.uncertainty.as_ref().ok()?;
    let m = fit.fitted.len();
    let mut covariance = known.covariance.clone();
    let slopes = known.errors.iter().zip(&known.inner_errors);
    let slopes: Vec<f64> = slopes.map(|(own, inner)| own / inner).collect();
    for (at, entry) in covariance.iter_mut().enumerate() {
        *entry *= slopes[at / m] * slopes[at % m];
    }
    covariance
        .iter()
        .all(|entry| entry.is_finite())
        .then(|| cholesky(&covariance, m))
        .flatten()
}

/// What is to be said of chains.
fn notes(answer: &PosteriorAnswer, span: Span) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    let chains = &answer.posterior.chains;
    let drawn: usize = chains.iter().map(|chain| chain.draws.len()).sum();
    if chains
        .iter()
        .any(|chain| chain.end == ChainEnd::Interrupted)
    {
        notes.push(
            Diagnostic::new(Code::Interrupted, "the chains were interrupted")
                .at(span, format!("{drawn} draws were done"))
                .help("the numbers are of these draws"),
        );
    }
    let failed = chains
        .iter()
        .filter(|chain| matches!(chain.end, ChainEnd::NoStart(_) | ChainEnd::Failed));
    let failed = failed.count();
    if failed > 0 {
        notes.push(
            Diagnostic::new(
                Code::PoorChains,
                format!("{failed} of {} chains could not begin", chains.len()),
            )
            .at(span, "")
            .help("the likelihood is not finite around the best fit: look at bounds and priors"),
        );
    }
    let names: Vec<String> = answer
        .fit
        .fitted
        .iter()
        .zip(&answer.marginals)
        .filter(|(_, known)| {
            !(known.rhat < MOST_RHAT && known.bulk_size.min(known.tail_size) >= LEAST_SIZE)
        })
        .map(|(known, _)| format!("`{}`", known.name))
        .collect();
    if !names.is_empty() {
        notes.push(
            Diagnostic::new(
                Code::PoorChains,
                format!("the chains have not mixed for {}", listed(&names)),
            )
            .at(span, format!("R-hat above {MOST_RHAT}, or an effective sample size below {}", number_text(LEAST_SIZE)))
            .help("draw more, as in `draws 4000`; a parameter that the data do not determine needs a prior or bounds"),
        );
    }
    let divergences = answer.posterior.divergences();
    if divergences > 0 {
        notes.push(
            Diagnostic::new(
                Code::PoorChains,
                format!("{divergences} of {drawn} trajectories diverged"),
            )
            .at(span, "")
            .help("the posterior has a part too narrow for the steps: its width there is not to be trusted; explore scale parameters on a log scale, or give them tighter priors"),
        );
    }
    notes
}
