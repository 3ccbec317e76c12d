//! The searches of a fit: from one start or from several.
//!
//! Enters: a likelihood, how to search. Leaves: what every start came to. Must not know names.

use super::objective::Likelihood;
use super::quantities::coordinates;
use crate::fit::{
    Bounds, Findings, Plan as Starts, Progress, Scaled, SearchMethod, SearchOptions, multistart,
};
use std::ops::ControlFlow;

/// Searches when all fitted quantities have bounds and the sentence does not say how many.
const STARTS: usize = 20;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    pub method: SearchMethod,
    /// As the sentence says.
    pub starts: Option<usize>,
    pub seed: u64,
    pub threads: usize,
}

impl Plan {
    /// How many searches there are.
    pub fn starts_of(&self, likelihood: &Likelihood<'_>) -> usize {
        let bounded = coordinates(&likelihood.fitted).are_bounded();
        self.starts.unwrap_or(if bounded { STARTS } else { 1 })
    }
}

/// Searches from all starts; `watch` sees how far they are.
pub(super) fn findings(
    likelihood: &Likelihood<'_>,
    plan: &Plan,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Findings {
    let coordinates = coordinates(&likelihood.fitted);
    let scaled = Scaled {
        objective: likelihood,
        coordinates: &coordinates,
    };
    let given: Vec<f64> = likelihood.fitted.iter().map(|known| known.start).collect();
    let starts = Starts {
        starts: plan.starts_of(likelihood),
        seed: plan.seed,
        options: SearchOptions::new(plan.method),
    };
    let bounds = Bounds {
        lower: coordinates.lower.clone(),
        upper: coordinates.upper.clone(),
    };
    let given = coordinates.inner(&given);
    multistart(
        &scaled,
        &bounds,
        &given,
        &starts,
        plan.threads,
        Vec::new(),
        watch,
    )
}
