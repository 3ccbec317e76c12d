//! The likelihood of models with noise, as an objective.
//!
//! Enters: a compiled model with noise, what is seen of it, which quantities are fitted, and runs
//! with their data. Leaves: an [`Objective`] of the fitted quantities in their own units, and the
//! [`Filtered`] of each run for figures and checks. Must not know sentences and tables.

use crate::fit::filter::{Case, Filtered, Look, Observable, Start, Stochastic, Unfiltered, filter};
use crate::fit::{Datum, Evaluation, Family, Fault, Objective, Scale, Wanted};
use crate::model::{ParameterId, StateId, Target};
use crate::session::compiled::{Compiled, FRACTION_OF_SIZE};
use crate::session::values::{Overrides, Present};
use crate::simulate::{DoseRow, Held, Problem, Track, Varied};
use crate::symbolic::{Expr, Pool, Shape};
use crate::system::{self, Layout, System};
use std::sync::Arc;

/// Whose noise the state feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseFrom {
    /// What the model declares: `W'`, `noise intrinsic`.
    Model,
    /// The reactions, with amounts as numbers of molecules, where the model declares none.
    Reactions,
}

/// Why data are not taken together with noise in the equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsuitedData {
    /// Its noise is of this family; only `normal`, `lognormal` and none keep what is known Gaussian.
    Family(Family),
    /// A datum is known to lie below or above a limit only.
    Censored,
}

/// One run with its data.
#[derive(Debug, Clone)]
pub struct StochasticRun {
    /// What is set, condition and covariates of the run included.
    pub overrides: Overrides,
    /// One per dose of the system: whether it holds in this run.
    pub doses: Vec<bool>,
    /// Rows of dose tables.
    pub rows: Vec<DoseRow>,
    /// One per input of the system.
    pub inputs: Vec<Track>,
    /// When the run starts, at the latest with its first datum.
    pub start: f64,
    /// What is known then.
    pub from: Start,
    /// Data by time, ascending.
    pub data: Vec<Look>,
}

/// Minus the log-likelihood of data of a model with noise.
pub struct StochasticObjective<'c> {
    compiled: &'c Compiled,
    stochastic: Stochastic,
    fitted: Vec<Varied>,
    runs: Vec<StochasticRun>,
    interrupted: &'c (dyn Fn() -> bool + Sync),
}

/// What is seen, from the distribution of an observation: its family and the expressions of its
/// parameters; without a family the one that is seen exactly.
///
/// # Errors
/// [`UnsuitedData::Family`]
pub fn noisy_observable(
    family: Option<Family>,
    parameters: &[Expr],
) -> Result<Observable, UnsuitedData> {
    match (family, parameters) {
        (None, [mean, ..]) => Ok(Observable {
            mean: *mean,
            deviation: None,
            scale: Scale::Linear,
        }),
        (Some(Family::Normal), [mean, deviation, ..]) => Ok(Observable {
            mean: *mean,
            deviation: Some(*deviation),
            scale: Scale::Linear,
        }),
        (Some(Family::LogNormal), [median, deviation, ..]) => Ok(Observable {
            mean: *median,
            deviation: Some(*deviation),
            scale: Scale::Logarithmic,
        }),
        (family, _) => Err(UnsuitedData::Family(family.unwrap_or(Family::Normal))),
    }
}

/// The value of a datum.
///
/// # Errors
/// [`UnsuitedData::Censored`]
pub fn exact_value(datum: Datum) -> Result<f64, UnsuitedData> {
    match datum {
        Datum::Exactly(value) => Ok(value),
        Datum::Below(_) | Datum::Above(_) => Err(UnsuitedData::Censored),
    }
}

impl<'c> StochasticObjective<'c> {
    /// Derives and compiles what is needed. `pool`, a continuation of the model's, holds what is
    /// seen; `fitted` are positions of parameters and states.
    ///
    /// # Errors
    /// [`Unfiltered`]
    pub fn new(
        compiled: &'c Compiled,
        noise: NoiseFrom,
        (pool, observables): (&Arc<Pool>, &[Observable]),
        fitted: Vec<Varied>,
        runs: Vec<StochasticRun>,
        interrupted: &'c (dyn Fn() -> bool + Sync),
    ) -> Result<StochasticObjective<'c>, Unfiltered> {
        let declared = System {
            pool: Arc::clone(pool),
            ..(*compiled.system).clone()
        };
        let system = match noise {
            NoiseFrom::Reactions if declared.noise.is_none() => {
                system::of_reactions(&compiled.model, &declared)
            }
            NoiseFrom::Reactions | NoiseFrom::Model => declared,
        };
        Ok(StochasticObjective {
            stochastic: Stochastic::new(Arc::new(system), observables)?,
            compiled,
            fitted,
            runs,
            interrupted,
        })
    }

    /// The equations, with the route that they take.
    #[must_use]
    pub fn equations(&self) -> &Stochastic {
        &self.stochastic
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// One run's likelihood with innovations and predictions at fitted values.
    ///
    /// # Errors
    /// Where there is no likelihood.
    pub fn filtered(&self, run: usize, at: &[f64], wanted: Wanted) -> Result<Filtered, Fault> {
        let Some(known) = self.runs.get(run) else {
            return Err(Fault::NoStart { run });
        };
        let overrides = self.overrides(known, at);
        let present = self.compiled.present(&overrides);
        let held = self.held(&overrides);
        let sizes = self.sizes(&present);
        let (system, kernels) = (&self.stochastic.declared, &self.stochastic.declared_kernels);
        let case = Case {
            run,
            equations: &self.stochastic,
            problem: Problem {
                held: held.0.clone(),
                doses: known.doses.clone(),
                rows: known.rows.clone(),
                inputs: known.inputs.clone(),
                origin: self.compiled.model.time.start,
                ..Problem::new(system, kernels, present.parameters, present.initial)
            },
            start: known.start,
            from: &known.from,
            varied: &self.fitted,
            held: Held {
                parameters: &held.0,
                initial: &held.1,
            },
            sizes: &sizes,
            data: &known.data,
            interrupted: self.interrupted,
        };
        filter(&case, wanted)
    }

    /// What a run sets, with the fitted values.
    fn overrides(&self, run: &StochasticRun, at: &[f64]) -> Overrides {
        let system = &self.compiled.system;
        let mut overrides = run.overrides.clone();
        for (quantity, value) in self.fitted.iter().zip(at) {
            let (target, element, shape) = match *quantity {
                Varied::Parameter(position) => {
                    let Some((block, element, shape)) = located(&system.parameters, position)
                    else {
                        continue;
                    };
                    (Target::Parameter(ParameterId::new(block)), element, shape)
                }
                Varied::Initial(position) => {
                    let Some((block, element, shape)) = located(&system.states, position) else {
                        continue;
                    };
                    (Target::State(StateId::new(block)), element, shape)
                }
            };
            let element = match shape {
                Shape::Scalar => None,
                _ => u32::try_from(element).ok(),
            };
            overrides.set(target, element, vec![*value]);
        }
        overrides
    }

    /// Which values are set: by parameter, and by number of the state vector.
    fn held(&self, overrides: &Overrides) -> (Vec<bool>, Vec<bool>) {
        let system = &self.compiled.system;
        let parameters = overrides.held(system.parameters.blocks().len());
        let blocks = system.states.blocks().iter().enumerate();
        let initial = blocks.flat_map(|(block, data)| {
            let target = Target::State(StateId::new(block));
            (0..data.shape.len()).map(move |element| overrides.sets(target, element))
        });
        (parameters, initial.collect())
    }

    fn sizes(&self, present: &Present) -> Vec<f64> {
        let tolerances = self.compiled.absolute_tolerances(&present.initial, None);
        tolerances.iter().map(|t| t / FRACTION_OF_SIZE).collect()
    }
}

/// The block, element and shape at a position.
fn located(layout: &Layout, position: usize) -> Option<(usize, usize, Shape)> {
    let (block, element) = layout.locate(position)?;
    let shape = layout.blocks().get(block)?.shape;
    Some((block, element, shape))
}

impl Objective for StochasticObjective<'_> {
    fn dimension(&self) -> usize {
        self.fitted.len()
    }

    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault> {
        let mut total = Evaluation::default();
        if wanted >= Wanted::Gradient {
            total.gradient = vec![0.0; self.fitted.len()];
        }
        for run in 0..self.runs.len() {
            let own = self.filtered(run, at, wanted)?.evaluation;
            total.value += own.value;
            for (total, own) in total.gradient.iter_mut().zip(&own.gradient) {
                *total += own;
            }
            total.residuals.extend(own.residuals);
            total.jacobian.extend(own.jacobian);
        }
        Ok(total)
    }
}
