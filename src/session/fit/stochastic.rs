//! The likelihood of models with noise, as an objective.
//!
//! Enters: a [`Likelihood`]: the model, what is seen of it, what is fitted, runs with their data.
//! Leaves: a [`StochasticLikelihood`], an [`Objective`] of the same quantities whose runs are
//! filtered instead of solved, and the [`Filtered`] of each run for figures and checks. Must not
//! know sentences and tables.

use super::super::compiled::FRACTION_OF_SIZE;
use super::super::sensitivity::held;
use super::objective::Likelihood;
use super::runs::FitRun;
use crate::fit::filter::{
    Case, Filtered, Look, Observable, Sighting, Start, Stochastic, Unfiltered, filter,
};
use crate::fit::{Datum, Evaluation, Family, Fault, Objective, Scale, Wanted};
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

/// Minus the log-likelihood of data of a model with noise, and of priors.
pub struct StochasticLikelihood<'w> {
    /// The model, what is seen and fitted, runs and data.
    pub likelihood: Likelihood<'w>,
    /// The equations, with the route that they take.
    pub equations: Stochastic,
    /// What is known of the state when a run starts.
    pub from: Start,
    /// The data of each run.
    data: Vec<Vec<Look>>,
    varied: Vec<Varied>,
}

impl<'w> StochasticLikelihood<'w> {
    /// Derives and compiles what is needed. Without a family an observation is seen exactly.
    ///
    /// # Errors
    /// [`Unfit`]
    pub fn new(
        likelihood: Likelihood<'w>,
        noise: NoiseFrom,
        from: Start,
    ) -> Result<StochasticLikelihood<'w>, Unfit> {
        let lens = &likelihood.lens;
        let mut observables = Vec::with_capacity(lens.seen.len());
        for (at, seen) in lens.seen.iter().enumerate() {
            let numbers = lens.exprs.get(seen.numbers.clone()).unwrap_or_default();
            let found = observable(seen.family, numbers);
            observables.push(found.map_err(|family| Unfit::Family { seen: at, family })?);
        }
        let declared = System {
            pool: Arc::clone(&lens.pool),
            ..(*likelihood.compiled.system).clone()
        };
        let system = noisy(&likelihood.compiled.model, declared, noise);
        let runs = likelihood.runs.iter().enumerate();
        let data: Result<Vec<Vec<Look>>, Unfit> =
            runs.map(|(at, run)| looks(&likelihood, at, run)).collect();
        Ok(StochasticLikelihood {
            equations: Stochastic::new(Arc::new(system), &observables).map_err(Unfit::Model)?,
            varied: likelihood.fitted.iter().map(|known| known.varied).collect(),
            data: data?,
            from,
            likelihood,
        })
    }

    /// One run's likelihood with innovations and predictions, at values of what is fitted.
    ///
    /// # Errors
    /// Where it has none.
    pub fn filtered(&self, run: usize, at: &[f64], wanted: Wanted) -> Result<Filtered, Fault> {
        let Likelihood {
            compiled,
            fitted,
            runs,
            world,
            ..
        } = &self.likelihood;
        let no_values = Fault::NoDensity { run, datum: 0 };
        let (Some(known), Some(data)) = (runs.get(run), self.data.get(run)) else {
            return Err(no_values);
        };
        let (overrides, present) = known.values(compiled, fitted, at).ok_or(no_values)?;
        let tolerances = compiled.absolute_tolerances(&present.initial, None);
        let sizes: Vec<f64> = tolerances.iter().map(|t| t / FRACTION_OF_SIZE).collect();
        let (parameters_held, initial_held) = held(compiled, &overrides, false);
        let equations = &self.equations;
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
            from: &self.from,
            varied: &self.varied,
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

    /// Adds what the priors say.
    fn add_priors(&self, at: &[f64], wanted: Wanted, sum: &mut Evaluation) -> Result<(), Fault> {
        for (j, (quantity, value)) in self.likelihood.fitted.iter().zip(at).enumerate() {
            let Some(prior) = &quantity.prior else {
                continue;
            };
            let density = prior.at(*value).ok_or(Fault::NoPrior { parameter: j })?;
            sum.value -= density.log;
            if let Some(total) = sum.gradient.get_mut(j) {
                *total -= density.slope;
            }
            if wanted >= Wanted::Residuals {
                let (residual, slope) = density.residual;
                sum.residuals.push(residual);
                let row = (0..at.len()).map(|i| if i == j { slope } else { 0.0 });
                sum.jacobian.extend(row);
            }
        }
        Ok(())
    }
}

impl Objective for StochasticLikelihood<'_> {
    fn dimension(&self) -> usize {
        self.varied.len()
    }

    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault> {
        let mut sum = Evaluation::default();
        if wanted >= Wanted::Gradient {
            sum.gradient = vec![0.0; self.varied.len()];
        }
        for run in 0..self.data.len() {
            let own = self.filtered(run, at, wanted)?.evaluation;
            sum.value += own.value;
            for (total, own) in sum.gradient.iter_mut().zip(&own.gradient) {
                *total += own;
            }
            sum.residuals.extend(own.residuals);
            sum.jacobian.extend(own.jacobian);
        }
        self.add_priors(at, wanted, &mut sum)?;
        Ok(sum)
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
