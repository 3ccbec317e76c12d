//! One chain of the No-U-Turn Sampler: the bridge to the crate `nuts_rs`.
//!
//! Enters: an objective on coordinates without bounds, and the number of the chain. Leaves: its
//! draws in own units. Must not know other chains.

use super::super::objective::{Fault, Objective, Wanted};
use super::super::summary::count;
use super::unconstrained::Unconstrained;
use super::{Chain, ChainEnd, ChainProgress, Metric, PosteriorOptions, Spread, Starts, Watch};
use crate::kernel::Stream;
use nuts_rs::{
    Chain as _, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError,
    LowRankNutsSettings, Progress, Settings, StepSizeSettings, Storable, Value,
};
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all chains share.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub objective: &'a dyn Objective,
    pub unconstrained: &'a Unconstrained,
    pub starts: &'a Starts<'a>,
    pub options: &'a PosteriorOptions,
    pub watch: &'a Watch<'a>,
}

/// How many starts are tried.
const MOST_STARTS: usize = 100;
/// Each start after this many failures is nearer to the given point.
const FAR_STARTS: usize = 10;

impl Setting<'_> {
    /// Runs a chain.
    pub fn chain(&self, number: usize) -> Chain {
        let options = self.options;
        match options.metric {
            Metric::Diagonal => {
                let mut settings = DiagNutsSettings {
                    num_tune: options.warm_up as u64,
                    num_draws: options.draws as u64,
                    maxdepth: u64::from(options.most_doublings),
                    ..DiagNutsSettings::default()
                };
                aim(&mut settings.adapt_options.step_size_settings, options);
                self.run(settings, number)
            }
            Metric::LowRank => {
                let mut settings = LowRankNutsSettings {
                    num_tune: options.warm_up as u64,
                    num_draws: options.draws as u64,
                    maxdepth: u64::from(options.most_doublings),
                    ..LowRankNutsSettings::default()
                };
                aim(&mut settings.adapt_options.step_size_settings, options);
                self.run(settings, number)
            }
        }
    }

    fn run<S: Settings>(&self, settings: S, number: usize) -> Chain {
        let mut stream = Stream::new(self.options.seed, number as u64);
        let interrupted = AtomicBool::new(false);
        let math = CpuMath::new(self.density(&interrupted));
        let mut chain = Chain {
            draws: Vec::new(),
            log_density: Vec::new(),
            divergent: Vec::new(),
            saturated: 0,
            acceptance: 0.0,
            step_size: f64::NAN,
            gradients: 0,
            end: ChainEnd::Finished,
        };
        let sampler = settings.new_chain(number as u64, math, &mut stream);
        let (Ok(mut sampler), 1..) = (sampler, self.unconstrained.dimension()) else {
            return Chain {
                end: ChainEnd::Failed,
                acceptance: f64::NAN,
                ..chain
            };
        };
        if let Err(end) = self.start(&mut stream, |z| sampler.set_position(z).is_ok()) {
            return Chain {
                end,
                acceptance: f64::NAN,
                ..chain
            };
        }
        let of = self.options.warm_up + self.options.draws;
        for done in 0..of {
            if (self.watch.interrupted)() {
                chain.end = ChainEnd::Interrupted;
                break;
            }
            let Ok((z, _, mut statistics, progress)) = sampler.expanded_draw() else {
                // Faults are divergences, but for an interrupt within the objective.
                chain.end = if interrupted.load(Ordering::Relaxed) {
                    ChainEnd::Interrupted
                } else {
                    ChainEnd::Failed
                };
                break;
            };
            if done >= self.options.warm_up {
                let dimensions = (&*sampler.math()).into();
                let told = Told::from(statistics.get_all(&dimensions));
                self.keep(&mut chain, &z, &told, &progress);
            }
            (self.watch.progress)(ChainProgress {
                chain: number,
                done: done + 1,
                of,
                divergences: chain.divergent.len(),
            });
        }
        chain.acceptance /= count(chain.draws.len());
        chain
    }

    /// Keeps a draw; acceptances are summed up.
    fn keep(&self, chain: &mut Chain, z: &[f64], told: &Told, progress: &Progress) {
        if progress.diverging {
            chain.divergent.push(chain.draws.len());
        }
        chain.saturated += usize::from(told.is_saturated);
        chain.draws.push(self.unconstrained.parameters(z));
        let log_density = told.log_density - self.unconstrained.gain(z);
        chain.log_density.push(log_density);
        chain.step_size = progress.step_size;
        chain.gradients += progress.num_gradients;
        chain.acceptance += told.acceptance;
    }

    fn density<'a>(&'a self, interrupted: &'a AtomicBool) -> Density<'a> {
        Density {
            objective: self.objective,
            unconstrained: self.unconstrained,
            interrupted,
        }
    }

    /// Finds a start that has a density and that `accept` takes.
    fn start(
        &self,
        stream: &mut Stream,
        mut accept: impl FnMut(&[f64]) -> bool,
    ) -> Result<(), ChainEnd> {
        let mut fault = None;
        let mut gradient = vec![0.0; self.unconstrained.dimension()];
        let interrupted = AtomicBool::new(false);
        let mut part = 1.0;
        for attempt in 0..MOST_STARTS {
            let z = self.jittered(stream, part);
            match self.density(&interrupted).logp(&z, &mut gradient) {
                Ok(_) if accept(&z) => return Ok(()),
                Ok(_) => fault = None,
                Err(NoDensity(Some(Fault::Interrupted))) => return Err(ChainEnd::Interrupted),
                Err(NoDensity(found)) => fault = found,
            }
            if attempt >= FAR_STARTS {
                part *= 0.9;
            }
        }
        Err(ChainEnd::NoStart(fault))
    }

    /// Coordinates around the given point.
    fn jittered(&self, stream: &mut Stream, part: f64) -> Vec<f64> {
        let mut z = self.unconstrained.coordinates(self.starts.around);
        let moves = match self.starts.spread {
            Spread::Relative(relative) => {
                let reach = self.unconstrained.reach(&z, relative);
                let moves = reach
                    .iter()
                    .map(|reach| reach * (2.0 * stream.uniform() - 1.0));
                moves.collect()
            }
            Spread::Factor(factor) => self.correlated(stream, factor, &z),
        };
        for (z, by) in z.iter_mut().zip(&moves) {
            *z += part * by;
        }
        z
    }

    /// Moves of coordinates that to first order have the covariance of a factor in own units.
    fn correlated(&self, stream: &mut Stream, factor: &[f64], z: &[f64]) -> Vec<f64> {
        let m = self.starts.around.len();
        let mut normals = vec![0.0; m];
        stream.normals(&mut normals);
        let rows: Vec<f64> = factor
            .chunks_exact(m.max(1))
            .map(|row| row.iter().zip(&normals).map(|(l, n)| l * n).sum())
            .collect();
        let free = self.unconstrained.free();
        let slopes = self.unconstrained.slopes(z);
        free.zip(slopes)
            .map(|(at, slope)| rows.get(at).copied().unwrap_or(0.0) / slope)
            .collect()
    }
}

/// Sets what the step size is tuned to.
fn aim(step_size: &mut StepSizeSettings, options: &PosteriorOptions) {
    step_size.target_accept = options.target_acceptance;
}

/// What the sampler tells of a draw by name.
#[derive(Default)]
struct Told {
    log_density: f64,
    acceptance: f64,
    is_saturated: bool,
}

impl From<Vec<(&str, Option<Value>)>> for Told {
    fn from(statistics: Vec<(&str, Option<Value>)>) -> Told {
        let mut told = Told::default();
        for (name, value) in statistics {
            match (name, value) {
                ("logp", Some(Value::ScalarF64(value))) => told.log_density = value,
                ("mean_tree_accept", Some(Value::ScalarF64(value))) => told.acceptance = value,
                ("maxdepth_reached", Some(Value::ScalarBool(value))) => told.is_saturated = value,
                _ => {}
            }
        }
        told
    }
}

/// The log density of coordinates.
struct Density<'a> {
    objective: &'a dyn Objective,
    unconstrained: &'a Unconstrained,
    /// Set where the objective is interrupted.
    interrupted: &'a AtomicBool,
}

/// There is no density: a fault, or none where a number is not finite.
#[derive(Debug)]
struct NoDensity(Option<Fault>);

impl fmt::Display for NoDensity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("no density")
    }
}

impl Error for NoDensity {}

impl LogpError for NoDensity {
    fn is_recoverable(&self) -> bool {
        self.0 != Some(Fault::Interrupted)
    }
}

impl HasDims for Density<'_> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        let dimension = self.unconstrained.dimension() as u64;
        HashMap::from([("unconstrained_parameter".to_owned(), dimension)])
    }
}

impl CpuLogpFunc for Density<'_> {
    type LogpError = NoDensity;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.unconstrained.dimension()
    }

    fn logp(&mut self, z: &[f64], gradient: &mut [f64]) -> Result<f64, NoDensity> {
        let parameters = self.unconstrained.parameters(z);
        let evaluation = self.objective.evaluate(&parameters, Wanted::Gradient);
        let evaluation = evaluation.map_err(|fault| {
            if fault == Fault::Interrupted {
                self.interrupted.store(true, Ordering::Relaxed);
            }
            NoDensity(Some(fault))
        })?;
        let by_parameters: Vec<f64> = evaluation.gradient.iter().map(|g| -g).collect();
        self.unconstrained.gradient(z, &by_parameters, gradient);
        let density = self.unconstrained.gain(z) - evaluation.value;
        let is_finite = density.is_finite() && gradient.iter().all(|g| g.is_finite());
        if is_finite {
            Ok(density)
        } else {
            Err(NoDensity(None))
        }
    }

    fn expand_vector<R: nuts_rs::rand::Rng + ?Sized>(
        &mut self,
        _: &mut R,
        _: &[f64],
    ) -> Result<Vec<f64>, CpuMathError> {
        Ok(Vec::new())
    }
}
