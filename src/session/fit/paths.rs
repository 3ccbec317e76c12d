//! New paths of a fitted model with noise, looked at where there are data.
//!
//! Paths are made as `simulate` makes them, by exact transitions, steps of a method for noise, or
//! single reactions: of the model itself, not of the approximation by which it was fitted. A bootstrap
//! so shows what the approximation costs.
//!
//! Enters: a fit, the number of a replicate. Leaves: the numbers of the lens, run by run. Must not
//! know families.

use super::answer::FitAnswer;
use super::objective::{Likelihood, Looked};
use super::runs::FitRun;
use crate::fit::filter::{Moments, Start};
use crate::fit::{Fault, Scale, Wanted};
use crate::kernel::Stream;
use crate::model::{StateId, Target};
use crate::simulate::{Chance, Method};

/// Paths have streams of the seed of their own, beside those of the noise of measurement.
const PATHS: u64 = 1 << 40;

/// A path for each run, at the estimates.
///
/// # Errors
/// A path that ends early; no distribution to start from.
pub(super) fn paths(
    fit: &FitAnswer,
    likelihood: &Likelihood<'_>,
    (seed, number): (u64, u64),
    stream: &mut Stream,
) -> Result<Vec<Looked>, Fault> {
    let count = fit.runs.len() as u64;
    let mut runs = fit.runs.clone();
    for (at, run) in runs.iter_mut().enumerate() {
        begin(fit, likelihood, (at, run), stream)?;
        let Some(plan) = &mut run.plan else { continue };
        if plan.options.method.counts_reactions() && fit.compiled.counted().is_err() {
            plan.options.method = Method::Langevin;
        }
        plan.options.chance = Some(Chance {
            seed,
            path: PATHS + number * count + at as u64,
            step: None,
            non_negative: false,
        });
    }
    let solved = likelihood.with_runs(runs);
    (0..fit.runs.len())
        .map(|at| solved.look(at, &fit.estimates, Wanted::Value))
        .collect()
}

/// Sets the initial values of a run: drawn from the stationary distribution that the likelihood
/// takes, or as given. Where a datum without noise stands for a start, it does again.
fn begin(
    fit: &FitAnswer,
    likelihood: &Likelihood<'_>,
    (at, run): (usize, &mut FitRun),
    stream: &mut Stream,
) -> Result<(), Fault> {
    let Some(filters) = &fit.filters else {
        return Ok(());
    };
    let scale = filters.equations.scale;
    let state: Vec<f64> = match filters.from {
        Start::Stationary => {
            let known = likelihood.at_start(at, &fit.estimates)?;
            let drawn = drawn(&known, stream);
            drawn.into_iter().map(|x| scale.outer(x)).collect()
        }
        Start::Given | Start::Spread(_) => {
            let found = likelihood.filtered(at, &fit.estimates, Wanted::Value)?;
            let start = fit.compiled.model.time.start;
            let first = found.predicted.first();
            let Some(first) = first.filter(|first| first.time <= start) else {
                return Ok(());
            };
            let values = run.own.at(&fit.compiled, &fit.fitted, &fit.estimates);
            let (_, present) = values.ok_or(Fault::NoStart { run: at })?;
            let moves = first.after.mean.iter().zip(&first.before.mean);
            let pairs = present.initial.iter().zip(moves);
            pairs
                .map(|(initial, (after, before))| match scale {
                    Scale::Linear => initial + (after - before),
                    Scale::Logarithmic => initial * (after - before).exp(),
                })
                .collect()
        }
    };
    let blocks = fit.compiled.system.states.blocks().iter();
    for (id, block) in blocks.enumerate() {
        if let Some(numbers) = state.get(block.range()) {
            let target = Target::State(StateId::new(id));
            run.own.overrides.set(target, None, numbers.to_vec());
        }
    }
    Ok(())
}

/// A normal vector. Its covariance may be singular: what has no variance is where its mean is.
fn drawn(known: &Moments, stream: &mut Stream) -> Vec<f64> {
    let n = known.mean.len();
    let mut normal = vec![0.0; n];
    stream.normals(&mut normal);
    let (mut state, mut rest) = (known.mean.clone(), known.covariance.clone());
    // The columns of the Cholesky factor, one after the other.
    for j in 0..n {
        let pivot = rest[j * n + j];
        if pivot <= 1e-14 * known.covariance[j * n + j] {
            continue;
        }
        let column: Vec<f64> = (0..n).map(|i| rest[j * n + i] / pivot.sqrt()).collect();
        for (i, entry) in column.iter().enumerate() {
            state[i] += entry * normal[j];
            for (k, other) in column.iter().enumerate() {
                rest[k * n + i] -= entry * other;
            }
        }
    }
    state
}
