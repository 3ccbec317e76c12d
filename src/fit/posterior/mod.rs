//! Posterior distributions by Markov chains.
//!
//! ```text
//! unconstrained.rs coordinates without bounds, and what a density gains by them
//! sampler.rs       one chain: the only place that knows the sampling crate
//! diagnostics.rs   whether chains agree, how much they are worth, summaries
//! ```
//!
//! Enters: an objective in the parameters' own units that is minus the logarithm of a posterior
//! density, with exact gradients, and the bounds of the parameters. Leaves: draws in own units by
//! the No-U-Turn Sampler (M. Hoffman, A. Gelman, J. Mach. Learn. Res. 15, 1593, 2014), which tunes
//! its metric from draws and gradients. Every chain has its own stream of random numbers, so that
//! draws depend on the seed alone. Must not know names.

mod diagnostics;
mod sampler;
mod unconstrained;

use super::objective::{Fault, Objective};
use crate::simulate::in_order;
pub use diagnostics::{Marginal, bulk_size, marginal, rhat, tail_size};
use std::ops::ControlFlow;
use unconstrained::Unconstrained;

/// How chains are run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PosteriorOptions {
    /// Draws that each chain keeps.
    pub draws: usize,
    /// Draws before those, by which each chain tunes itself.
    pub warm_up: usize,
    /// How many chains.
    pub chains: usize,
    /// From which all random numbers come.
    pub seed: u64,
    /// The mean acceptance that the step size is tuned to.
    pub target_acceptance: f64,
    /// Trajectories have at most 2 to this power steps.
    pub most_doublings: u32,
    /// What is tuned besides the step size.
    pub metric: Metric,
}

impl Default for PosteriorOptions {
    fn default() -> Self {
        PosteriorOptions {
            draws: 1000,
            warm_up: 1000,
            chains: 4,
            seed: 0,
            target_acceptance: 0.8,
            most_doublings: 10,
            metric: Metric::Diagonal,
        }
    }
}

/// The metric in which trajectories run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A scale for each parameter.
    Diagonal,
    /// The strongest correlations too.
    LowRank,
}

/// Where chains start.
#[derive(Debug, Clone, PartialEq)]
pub struct Starts<'a> {
    /// m parameters in their own units, within their bounds.
    pub around: &'a [f64],
    /// How far apart.
    pub spread: Spread<'a>,
}

/// How far apart chains start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread<'a> {
    /// Uniformly within this part of each parameter (of its distance from its bound if it has any;
    /// of 1 for a parameter at zero).
    Relative(f64),
    /// By the lower Cholesky factor, m rows of m numbers, of a covariance in own units.
    Factor(&'a [f64]),
}

/// How far a chain has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainProgress {
    /// Which chain.
    pub chain: usize,
    /// Draws done, those of the warm-up included.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// Divergences after the warm-up so far.
    pub divergences: usize,
}

/// Who watches.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// On how many threads.
    pub threads: usize,
    /// Asked before each draw: true ends all chains, which keep what they have.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
    /// Told after each draw, from the thread of the chain.
    pub progress: &'a (dyn Fn(ChainProgress) + Sync),
}

/// How a chain ended.
#[derive(Debug, Clone, PartialEq)]
pub enum ChainEnd {
    /// With all its draws.
    Finished,
    /// By the user.
    Interrupted,
    /// No start had a density and a gradient: the last fault, none where a number was not finite.
    NoStart(Option<Fault>),
    /// The sampler refused its options, could not go on, or all parameters are held.
    Failed,
}

/// What one chain drew.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Draws of m parameters in their own units, after the warm-up.
    pub draws: Vec<Vec<f64>>,
    /// Minus the objective at each, up to round-off.
    pub log_density: Vec<f64>,
    /// The numbers of the draws whose trajectory diverged.
    pub divergent: Vec<usize>,
    /// How many trajectories ended at the most doublings.
    pub saturated: usize,
    /// The mean acceptance after the warm-up; not a number without draws.
    pub acceptance: f64,
    /// The step size, tuned.
    pub step_size: f64,
    /// Gradients evaluated for the draws that are kept.
    pub gradients: u64,
    /// How it ended.
    pub end: ChainEnd,
}

/// What all chains drew.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// One for each chain.
    pub chains: Vec<Chain>,
}

impl Posterior {
    /// The draws of one parameter, chain by chain.
    #[must_use]
    pub fn of(&self, parameter: usize) -> Vec<Vec<f64>> {
        let chains = self.chains.iter();
        chains
            .map(|chain| {
                let draws = chain.draws.iter();
                draws
                    .filter_map(|draw| draw.get(parameter).copied())
                    .collect()
            })
            .collect()
    }

    /// The marginal distribution of one parameter with its diagnostics.
    #[must_use]
    pub fn marginal(&self, parameter: usize) -> Marginal {
        marginal(&self.of(parameter))
    }

    /// How many trajectories diverged.
    #[must_use]
    pub fn divergences(&self) -> usize {
        self.chains.iter().map(|chain| chain.divergent.len()).sum()
    }
}

/// Draws from the density whose logarithm is minus the `objective`, of m parameters in their own
/// units between bounds (infinite where there is none; equal ones hold a parameter). A fault within
/// a trajectory is a divergence.
#[must_use]
pub fn sample(
    objective: &dyn Objective,
    bounds: &[(f64, f64)],
    starts: &Starts,
    options: &PosteriorOptions,
    watch: &Watch,
) -> Posterior {
    let unconstrained = Unconstrained::new(bounds);
    let mut chains = Vec::with_capacity(options.chains);
    let work = |chain| {
        let setting = sampler::Setting {
            objective,
            unconstrained: &unconstrained,
            starts,
            options,
            watch,
        };
        setting.chain(chain)
    };
    in_order(options.chains, watch.threads, work, |_, chain| {
        chains.push(chain);
        ControlFlow::Continue(())
    });
    Posterior { chains }
}

#[cfg(test)]
mod tests;
