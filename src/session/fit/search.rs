//! The searches of a fit: from one start or from several.
//!
//! Enters: a likelihood, how to search. Leaves: what every start came to. Must not know names.

use super::objective::Likelihood;
use super::quantities::coordinates;
use crate::fit::{
    Bounds, Findings, Local, Plan as Starts, Progress, Scaled, SearchMethod, SearchOptions,
    multistart,
};
use std::ops::ControlFlow;

/// Searches when all fitted quantities have bounds and the sentence does not say how many.
const STARTS: usize = 20;

/// How to search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub method: SearchMethod,
    /// As the sentence says.
    pub starts: Option<usize>,
    /// Starts from a table, in the quantities' own units.
    pub chosen: Vec<Vec<f64>>,
    pub seed: u64,
    pub threads: usize,
}

impl Plan {
    /// How many searches there are.
    pub fn starts_of(&self, likelihood: &Likelihood<'_>) -> usize {
        if !self.chosen.is_empty() {
            return self.chosen.len();
        }
        let bounded = coordinates(&likelihood.fitted).are_bounded();
        self.starts.unwrap_or(if bounded { STARTS } else { 1 })
    }
}

/// Searches from all starts; `done` are those of an earlier search with the same plan, and `watch` sees how far they are.
pub(super) fn findings(
    likelihood: &Likelihood<'_>,
    plan: &Plan,
    done: Vec<Local>,
    watch: &mut (dyn FnMut(Progress) -> ControlFlow<()> + Send),
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
        chosen: plan
            .chosen
            .iter()
            .map(|point| coordinates.inner(point))
            .collect(),
        options: SearchOptions::new(plan.method),
    };
    let bounds = Bounds {
        lower: coordinates.lower.clone(),
        upper: coordinates.upper.clone(),
    };
    let given = coordinates.inner(&given);
    multistart(&scaled, &bounds, &given, &starts, plan.threads, done, watch)
}
