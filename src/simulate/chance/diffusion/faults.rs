//! Why a step led to numbers that are not finite.
//!
//! In: the state before the step and what it led to. Out: the end of the run, as data: a drift or a
//! noise that is not finite, a reaction whose rate is negative, or else growth beyond all numbers.

use super::Path;
use crate::kernel::{Kernel, Scratch};
use crate::simulate::ends::not_finite;
use crate::simulate::stepper::{StepFailure, all_finite};
use crate::simulate::{NonFinite, Stop};
use crate::system::Source;

/// Why the step from (`time`, `state`) reached numbers that are not finite.
pub(super) fn fault(path: &Path<'_>, time: f64, state: &[f64], reached: &[f64]) -> StepFailure {
    let stop = negative_rate(path, time, state)
        .or_else(|| faulty_drift(path, time, state))
        .or_else(|| faulty_noise(path, time, state))
        .unwrap_or_else(|| Stop::NonFinite {
            time,
            states: not_finite(reached, state.len()),
            what: NonFinite::State,
            values: state.to_vec(),
        });
    StepFailure::Ended(Box::new(stop))
}

fn evaluated(path: &Path<'_>, kernel: &dyn Kernel, time: f64, state: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; kernel.out_len()];
    path.dynamics.refresh(time, state);
    let scratch = &mut Scratch::new();
    path.dynamics
        .evaluate(kernel, time, state, &mut values, scratch);
    values
}

fn negative_rate(path: &Path<'_>, time: f64, state: &[f64]) -> Option<Stop> {
    let noise = path.problem.system.noise.as_ref()?;
    let kernel = path.problem.kernels.noise_intensities();
    let intensities = evaluated(path, &**kernel, time, state);
    let found = noise.columns.iter().zip(intensities);
    found
        .filter(|(_, value)| *value < 0.0)
        .find_map(|(source, value)| match source {
            Source::Reaction { reaction, way } => Some(Stop::NegativePropensity {
                time,
                reaction: *reaction,
                way: *way,
                value,
            }),
            Source::Wiener { .. } => None,
        })
}

fn faulty_drift(path: &Path<'_>, time: f64, state: &[f64]) -> Option<Stop> {
    let drift = evaluated(path, &**path.problem.kernels.drift(), time, state);
    (!all_finite(&drift)).then(|| Stop::NonFinite {
        time,
        states: not_finite(&drift, state.len()),
        what: NonFinite::Derivative,
        values: state.to_vec(),
    })
}

fn faulty_noise(path: &Path<'_>, time: f64, state: &[f64]) -> Option<Stop> {
    let noise = path.problem.system.noise.as_ref()?;
    let entries = evaluated(path, &**path.problem.kernels.diffusion(), time, state);
    let places = noise.diffusion.pattern.places().zip(entries);
    let mut states: Vec<usize> = places
        .filter(|(_, entry)| !entry.is_finite())
        .map(|((row, _), _)| row)
        .collect();
    states.sort_unstable();
    states.dedup();
    (!states.is_empty()).then(|| Stop::NonFinite {
        time,
        states,
        what: NonFinite::Noise,
        values: state.to_vec(),
    })
}
