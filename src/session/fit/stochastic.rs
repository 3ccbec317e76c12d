//! The likelihood of models with noise, as an objective.
//!
//! Enters: a [`Likelihood`]: the model, what is seen of it, what is fitted, runs with their data.
//! Leaves: the same with [`Filters`], so that its runs are filtered instead of solved, and the
//! [`Filtered`] of each run for figures and checks. Must not
//! know sentences and tables.

use super::super::compiled::FRACTION_OF_SIZE;
use super::super::sensitivity::held;
use super::objective::Likelihood;
use super::runs::FitRun;
use crate::fit::filter::{
    Case, Filtered, Look, Moments, Observable, Sighting, Start, Stochastic, Unfiltered, filter,
};
use crate::fit::{Family, Fault, Scale, Wanted};
use crate::model::Model;
use crate::simulate::{Held, Problem, Varied};
use crate::symbolic::Expr;
use crate::system::{self, System};
use std::sync::Arc;

/// Whose noise the state feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseFrom {
    /// What the model declares: `W'`, `noise intrinsic`.
    Model,
    /// The reactions, with amounts as numbers of molecules, where the model declares none.
    Reactions,
}

/// Why a model with noise and its data have no likelihood here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// There is no filter for the model; observables are positions in [`super::Lens::seen`].
    Model(Unfiltered),
    /// An observation scatters by a family whose density jumps as the state moves: `uniform`.
    Family {
        /// Position in [`super::Lens::seen`].
        seen: usize,
        /// The family.
        family: Family,
    },
}

/// The filters of a model with noise: equations, and the data of each run.
#[derive(Debug)]
pub struct Filters {
    /// The equations, with the route that they take.
    pub equations: Arc<Stochastic>,
    /// What is known of the state when a run starts.
    pub from: Start,
    /// The data of each run.
    data: Vec<Vec<Look>>,
    varied: Vec<Varied>,
}

impl<'w> Likelihood<'w> {
    /// The same with its runs filtered instead of solved: derives and compiles what is needed.
    /// Without a family an observation is seen exactly.
    ///
    /// # Errors
    /// [`Unfit`]
    pub fn filtering(self, noise: NoiseFrom, from: Start) -> Result<Likelihood<'w>, Unfit> {
        let lens = &self.lens;
        let mut observables = Vec::with_capacity(lens.seen.len());
        for (at, seen) in lens.seen.iter().enumerate() {
            let numbers = lens.exprs.get(seen.numbers.clone()).unwrap_or_default();
            let found = observable(seen.family, numbers);
            observables.push(found.map_err(|family| Unfit::Family { seen: at, family })?);
        }
        let declared = System {
            pool: Arc::clone(&lens.pool),
            ..(*self.compiled.system).clone()
        };
        let system = noisy(&self.compiled.model, declared, noise);
        let filters = Filters {
            equations: Arc::new(
                Stochastic::new(Arc::new(system), &observables).map_err(Unfit::Model)?,
            ),
            varied: self.fitted.iter().map(|known| known.varied).collect(),
            data: self.runs.iter().map(|run| looks(&self, run)).collect(),
            from,
        };
        Ok(Likelihood {
            filters: Some(Arc::new(filters)),
            ..self
        })
    }

    /// One run's likelihood with innovations and predictions, at values of what is fitted.
    ///
    /// # Errors
    /// Where it has none.
    pub fn filtered(&self, run: usize, at: &[f64], wanted: Wanted) -> Result<Filtered, Fault> {
        self.pass(run, at, (wanted, false), None)
    }

    /// The same model for other data.
    pub(super) fn with_data(&self, runs: Vec<FitRun>) -> Likelihood<'w> {
        let again = self.with_runs(runs);
        let filters = self.filters.as_ref().map(|known| {
            Arc::new(Filters {
                equations: Arc::clone(&known.equations),
                from: known.from.clone(),
                data: again.runs.iter().map(|run| looks(&again, run)).collect(),
                varied: known.varied.clone(),
            })
        });
        Likelihood { filters, ..again }
    }

    /// What is known of the state when a run starts, before any data, on the scale of the filter.
    ///
    /// # Errors
    /// Where there is nothing to start from.
    pub(super) fn at_start(&self, run: usize, at: &[f64]) -> Result<Moments, Fault> {
        let look = Look {
            time: self.compiled.model.time.start,
            ..Look::default()
        };
        let found = self.pass(run, at, (Wanted::Value, false), Some(&[look]))?;
        let first = found.predicted.into_iter().next();
        first
            .map(|known| known.before)
            .ok_or(Fault::NoStart { run })
    }

    /// The same without derivatives, where every datum has its score.
    ///
    /// # Errors
    /// Where it has none.
    pub(super) fn scored(&self, run: usize, at: &[f64]) -> Result<Filtered, Fault> {
        self.pass(run, at, (Wanted::Value, true), None)
    }

    fn pass(
        &self,
        run: usize,
        at: &[f64],
        (wanted, is_scored): (Wanted, bool),
        others: Option<&[Look]>,
    ) -> Result<Filtered, Fault> {
        let (compiled, fitted, world) = (&self.compiled, &self.fitted, self.world);
        let no_values = Fault::NoDensity { run, datum: 0 };
        let Some(filters) = self.filters.as_deref() else {
            return Err(no_values);
        };
        let (Some(known), Some(data)) = (self.runs.get(run), filters.data.get(run)) else {
            return Err(no_values);
        };
        let (overrides, present) = known.own.at(compiled, fitted, at).ok_or(no_values)?;
        let tolerances = compiled.absolute_tolerances(&present.initial, None);
        let sizes: Vec<f64> = tolerances.iter().map(|t| t / FRACTION_OF_SIZE).collect();
        let (parameters_held, initial_held) = held(compiled, &overrides, false);
        let equations = &filters.equations;
        let mut problem = Problem {
            held: parameters_held.clone(),
            origin: compiled.model.time.start,
            ..Problem::new(
                &equations.declared,
                &equations.declared_kernels,
                present.parameters,
                present.initial,
            )
        };
        if let Some(plan) = &known.plan {
            problem.events.clone_from(&plan.active.events);
            problem.doses.clone_from(&plan.active.doses);
            problem.rows.clone_from(&plan.rows);
            problem.inputs.clone_from(&plan.inputs);
        }
        let case = Case {
            run,
            equations,
            problem,
            start: compiled.model.time.start,
            from: &filters.from,
            varied: &filters.varied,
            held: Held {
                parameters: &parameters_held,
                initial: &initial_held,
            },
            sizes: &sizes,
            data: others.unwrap_or(data),
            is_scored,
            interrupted: &|| world.interrupted(),
        };
        filter(&case, wanted)
    }
}

/// What is seen, from the distribution of an observation: its family and its parameters.
fn observable(family: Option<Family>, parameters: &[Expr]) -> Result<Observable, Family> {
    let (deviation, scale) = match family {
        None => (None, Scale::Linear),
        Some(Family::Normal) => (parameters.get(1), Scale::Linear),
        Some(Family::LogNormal) => (parameters.get(1), Scale::Logarithmic),
        Some(Family::Uniform) => return Err(Family::Uniform),
        Some(family) => {
            return Ok(Observable::Law {
                family,
                parameters: parameters.to_vec(),
            });
        }
    };
    let mean = parameters.first().ok_or(Family::Normal)?;
    Ok(Observable::Normal {
        mean: *mean,
        deviation: deviation.copied(),
        scale,
    })
}

/// A system with the noise that is asked for.
fn noisy(model: &Model, declared: System, noise: NoiseFrom) -> System {
    match noise {
        NoiseFrom::Reactions if declared.noise.is_none() && !model.reactions.is_empty() => {
            system::of_reactions(model, &declared)
        }
        NoiseFrom::Reactions | NoiseFrom::Model => declared,
    }
}

/// The data of a run, one look for each row.
fn looks(likelihood: &Likelihood<'_>, run: &FitRun) -> Vec<Look> {
    let rows = run.data.rows.iter().enumerate();
    let mut looks: Vec<Look> = rows
        .map(|(row, known)| Look {
            time: known.time,
            own: (run.data.varying.iter())
                .filter_map(|(known, values)| {
                    Some((known.position(&likelihood.compiled)?, *values.get(row)?))
                })
                .collect(),
            seen: Vec::new(),
        })
        .collect();
    for (datum, point) in run.data.points.iter().enumerate() {
        if let Some(look) = looks.get_mut(point.row) {
            look.seen.push(Sighting {
                datum,
                observable: point.seen,
                value: point.datum,
            });
        }
    }
    looks
}

#[cfg(test)]
mod tests;
