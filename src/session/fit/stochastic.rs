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
    Case, Filtered, Look, Observable, Sighting, Start, Stochastic, Unfiltered, filter,
};
use crate::fit::{Datum, Family, Fault, Scale, Wanted};
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
    /// An observation scatters by a family that does not keep what is known Gaussian: `normal`,
    /// `lognormal` and exact values do.
    Family {
        /// Position in [`super::Lens::seen`].
        seen: usize,
        /// The family.
        family: Family,
    },
    /// A datum is only known to lie below or above a limit.
    Censored {
        /// Of which run.
        run: usize,
        /// Which of its data.
        datum: usize,
    },
}

/// The filters of a model with noise: equations, and the data of each run.
#[derive(Debug)]
pub struct Filters {
    /// The equations, with the route that they take.
    pub equations: Stochastic,
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
        let runs = self.runs.iter().enumerate();
        let data: Result<Vec<Vec<Look>>, Unfit> =
            runs.map(|(at, run)| looks(&self, at, run)).collect();
        let filters = Filters {
            equations: Stochastic::new(Arc::new(system), &observables).map_err(Unfit::Model)?,
            varied: self.fitted.iter().map(|known| known.varied).collect(),
            data: data?,
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
            data,
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
        Some(family) => return Err(family),
    };
    let mean = parameters.first().ok_or(Family::Normal)?;
    Ok(Observable {
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
fn looks(likelihood: &Likelihood<'_>, at: usize, run: &FitRun) -> Result<Vec<Look>, Unfit> {
    let blocks = likelihood.compiled.system.parameters.blocks();
    let rows = run.data.rows.iter().enumerate();
    let mut looks: Vec<Look> = rows
        .map(|(row, known)| Look {
            time: known.time,
            own: (run.data.varying.iter())
                .filter_map(|(id, values)| {
                    Some((blocks.get(id.index())?.offset, *values.get(row)?))
                })
                .collect(),
            seen: Vec::new(),
        })
        .collect();
    for (datum, point) in run.data.points.iter().enumerate() {
        let Datum::Exactly(value) = point.datum else {
            return Err(Unfit::Censored { run: at, datum });
        };
        if let Some(look) = looks.get_mut(point.row) {
            look.seen.push(Sighting {
                datum,
                observable: point.seen,
                value,
            });
        }
    }
    Ok(looks)
}

#[cfg(test)]
mod tests;
