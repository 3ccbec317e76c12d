//! Points that stand for a distribution of what is fitted: the draws of a posterior, the estimates
//! of a bootstrap.
//!
//! Enters: what was asked of the last fit. Leaves: [`Draws`], which pictures, bands and tables take
//! without asking where they come from. Must not know figures.

use super::answer::FitAnswer;
use super::bootstrap::BootstrapAnswer;
use super::posterior::PosteriorAnswer;
use super::profile::ProfileAnswer;
use std::sync::Arc;

/// What was asked of the last fit besides its estimates.
#[derive(Debug, Clone, Default)]
pub struct Inferred {
    /// Its posterior.
    pub posterior: Option<Arc<PosteriorAnswer>>,
    /// The last bootstrap.
    pub bootstrap: Option<Arc<BootstrapAnswer>>,
    /// Profiles, one for each quantity that was profiled, in the order of the quantities.
    pub profiles: Vec<Arc<ProfileAnswer>>,
}

impl Inferred {
    /// Keeps new profiles in place of older ones of the same quantities. Answers with several
    /// quantities are taken apart.
    pub(super) fn take_profiles(&mut self, answer: &ProfileAnswer) {
        for profile in &answer.profiles {
            let own = |known: &ProfileAnswer| {
                let mut known = known.profiles.iter();
                known.any(|known| known.parameter == profile.parameter)
            };
            self.profiles.retain(|known| !own(known));
            self.profiles.push(Arc::new(answer.only(profile)));
        }
        let first = |known: &Arc<ProfileAnswer>| known.profiles.first().map(|one| one.parameter);
        self.profiles.sort_by_key(first);
    }

    /// The points of the last bootstrap, else those of the posterior: a bootstrap was asked for
    /// later.
    #[must_use]
    pub fn draws(&self) -> Option<Draws<'_>> {
        let bootstrap = self.bootstrap.as_deref().map(Draws::Bootstrap);
        bootstrap.or(self.posterior.as_deref().map(Draws::Posterior))
    }
}

/// Points in the space of what is fitted.
#[derive(Debug, Clone, Copy)]
pub enum Draws<'a> {
    /// Draws of a posterior, chain by chain.
    Posterior(&'a PosteriorAnswer),
    /// Estimates of a bootstrap.
    Bootstrap(&'a BootstrapAnswer),
}

/// A point with what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// The number of its chain, or of its replicate's bootstrap, from 0.
    pub chain: usize,
    /// Its number there, from 0.
    pub number: u64,
    /// The quantities in their own units.
    pub values: &'a [f64],
    /// The logarithm of the posterior density.
    pub log_density: Option<f64>,
    /// True when its trajectory diverged.
    pub is_divergent: bool,
}

impl<'a> Draws<'a> {
    /// The fit that they belong to.
    #[must_use]
    pub fn fit(&self) -> &'a Arc<FitAnswer> {
        match self {
            Draws::Posterior(answer) => &answer.fit,
            Draws::Bootstrap(answer) => &answer.fit,
        }
    }

    /// All of them in order.
    #[must_use]
    pub fn all(&self) -> Vec<Draw<'a>> {
        match self {
            Draws::Posterior(answer) => {
                let chains = answer.posterior.chains.iter().enumerate();
                chains
                    .flat_map(|(chain, known)| {
                        let draws = known.draws.iter().enumerate();
                        draws.map(move |(at, values)| Draw {
                            chain,
                            number: at as u64,
                            values,
                            log_density: known.log_density.get(at).copied(),
                            is_divergent: known.divergent.contains(&at),
                        })
                    })
                    .collect()
            }
            Draws::Bootstrap(answer) => {
                let estimates = answer.bootstrap.estimates.iter();
                estimates
                    .map(|(number, values)| Draw {
                        chain: 0,
                        number: *number,
                        values,
                        log_density: None,
                        is_divergent: false,
                    })
                    .collect()
            }
        }
    }

    /// At most so many of them, evenly taken from all.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Vec<Draw<'a>> {
        let all = self.all();
        if all.len() <= most {
            return all;
        }
        let step = all.len() as f64 / most as f64;
        let at = (0..most).map(|at| (at as f64 * step) as usize);
        at.filter_map(|at| all.get(at).copied()).collect()
    }
}
