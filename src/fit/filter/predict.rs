//! From one time to the next.
//!
//! Enters: what is known at a time. Leaves: what is known at a later one, by the exact transition
//! (computed once for intervals of one length) or by integrating the equations of moments with
//! their forward sensitivities, which restart from what is known.

use super::equations::{Point, Stochastic, full, triangle};
use super::gaussian::{Gaussian, Moments, product};
use super::pass::Case;
use crate::fit::objective::Fault;
use crate::linalg::{Coefficients, Moved, VariedTransition};
use crate::simulate::{
    CompiledDynamics, Halt, Monitor, Options, Output, Problem, Statistics, Stop, Tolerances,
    VariedStart, run_with_sensitivities,
};
use std::ops::ControlFlow;

/// Error allowed when moments are integrated: likelihoods and their gradients are searched and
/// differenced, which needs some digits more than a figure.
const RELATIVE_TOLERANCE: f64 = 1e-9;
/// Absolute tolerances, as a share of the relative one times the size of what they are for.
const SHARE: f64 = 1e-2;
/// A state varies by at least this share of its size, as far as absolute tolerances go.
const LEAST: f64 = 1e-4;
/// Transitions that are kept.
const MOST_KEPT: usize = 256;
/// Intervals that differ by no more than this share of the time are one.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// How what is known gets to a later time.
pub(super) enum Predictor<'c> {
    Exact(Exact),
    Integrated(Box<Integrated<'c>>),
}

impl<'c> Predictor<'c> {
    /// For the values of a case.
    pub fn new(case: &'c Case<'c>, point: &mut Point<'_>, varied: &VariedStart) -> Predictor<'c> {
        let Some((moments, kernels)) = &case.equations.moments else {
            return Predictor::Exact(Exact::new(case.equations, point, case.start, varied));
        };
        let parameters = case.problem.parameters.clone();
        let mut initial = case.problem.initial.clone();
        initial.resize(moments.dimension(), 0.0);
        Predictor::Integrated(Box::new(Integrated {
            case,
            dynamics: CompiledDynamics::new(moments, kernels, parameters),
            problem: Problem {
                system: moments,
                kernels,
                initial,
                ..case.problem.clone()
            },
            varied: varied.clone(),
            has_begun: false,
        }))
    }

    /// What is given at the very start is given before the data of that time, as at any other.
    ///
    /// # Errors
    /// As [`Predictor::advance`].
    pub fn begin(&mut self, point: &mut Point<'_>, known: &mut Gaussian) -> Result<(), Fault> {
        match self {
            Predictor::Integrated(integrated) if integrated.has_doses() => {
                let start = integrated.case.start;
                integrated.advance(point, known, (start, start))
            }
            Predictor::Exact(_) | Predictor::Integrated(_) => Ok(()),
        }
    }

    /// From one time to a later one.
    ///
    /// # Errors
    /// The integration ends early.
    pub fn advance(
        &mut self,
        point: &mut Point<'_>,
        known: &mut Gaussian,
        (from, to): (f64, f64),
    ) -> Result<(), Fault> {
        match self {
            Predictor::Exact(exact) => {
                exact.advance(known, (from, to));
                Ok(())
            }
            Predictor::Integrated(integrated) => integrated.advance(point, known, (from, to)),
        }
    }
}

/// y' = A y + b with constant coefficients.
pub(super) struct Exact {
    n: usize,
    coefficients: Coefficients,
    along: Vec<Coefficients>,
    kept: Vec<(f64, VariedTransition)>,
}

impl Exact {
    fn new(
        equations: &Stochastic,
        point: &mut Point<'_>,
        time: f64,
        varied: &VariedStart,
    ) -> Exact {
        let n = equations.dimension();
        let origin = vec![0.0; n];
        let quantities = 0..varied.parameters.len();
        Exact {
            n,
            coefficients: point.local(time, &origin),
            along: quantities
                .map(|j| point.local_along(time, &origin, j, &origin))
                .collect(),
            kept: Vec::new(),
        }
    }

    fn advance(&mut self, known: &mut Gaussian, (from, to): (f64, f64)) {
        let (n, interval) = (self.n, to - from);
        let slack = ROUNDING * to.abs().max(interval);
        let is_same = |(length, _): &(f64, VariedTransition)| (length - interval).abs() <= slack;
        let at = match self.kept.iter().position(is_same) {
            Some(at) => at,
            None => {
                if self.kept.len() >= MOST_KEPT {
                    self.kept.remove(0);
                }
                let made = VariedTransition::new(n, &self.coefficients, &self.along, interval);
                self.kept.push((interval, made));
                self.kept.len() - 1
            }
        };
        let Some((_, transition)) = self.kept.get(at) else {
            return;
        };
        let by = &transition.value;
        for (along, d) in known.along.iter_mut().zip(&transition.along) {
            let mut mean = product(&by.propagator, &along.mean);
            add(&mut mean, &product(&d.propagator, &known.value.mean));
            add(&mut mean, &d.shift);
            // d(P C P^T) = P dC P^T + (dP C P^T) and its transpose.
            let mut covariance = sandwich(n, &by.propagator, &along.covariance, &by.propagator);
            let turned = sandwich(n, &d.propagator, &known.value.covariance, &by.propagator);
            add_both(n, &mut covariance, &turned);
            add(&mut covariance, &d.covariance);
            *along = Moments { mean, covariance };
        }
        let Moved {
            propagator,
            shift,
            covariance,
        } = by;
        let mut mean = product(propagator, &known.value.mean);
        add(&mut mean, shift);
        let mut spread = sandwich(n, propagator, &known.value.covariance, propagator);
        add(&mut spread, covariance);
        known.value = Moments {
            mean,
            covariance: spread,
        };
    }
}

/// The equations of moments under the sensitivity integrator.
pub(super) struct Integrated<'c> {
    case: &'c Case<'c>,
    problem: Problem<'c>,
    dynamics: CompiledDynamics<'c>,
    varied: VariedStart,
    /// What is scheduled for the start was done.
    has_begun: bool,
}

impl Integrated<'_> {
    fn has_doses(&self) -> bool {
        self.problem.doses.contains(&true) || !self.problem.rows.is_empty()
    }

    fn advance(
        &mut self,
        point: &mut Point<'_>,
        known: &mut Gaussian,
        (from, to): (f64, f64),
    ) -> Result<(), Fault> {
        let n = known.value.mean.len();
        let fault = |stop, time| Fault::Run {
            run: self.case.run,
            stop,
            time,
        };
        self.problem.resumed = self.has_begun;
        self.has_begun = true;
        self.varied.state = packed_state(n, known);
        let options = Options::new(self.tolerances(point, known, (from, to)));
        let solution = run_with_sensitivities(
            &self.problem,
            &self.dynamics,
            (from, to),
            &self.varied,
            &Output::Times(vec![to]),
            &options,
            &mut Watch(self.case.interrupted),
        );
        match solution.stop {
            Stop::Finished => {}
            Stop::Interrupted { .. } => return Err(Fault::Interrupted),
            stop => return Err(fault(stop, solution.times.last().copied().unwrap_or(from))),
        }
        let width = solution.dimension;
        let row = solution.row(solution.times.len().saturating_sub(1));
        let Some(row) = row else {
            return Err(fault(Stop::Finished, from));
        };
        known.value = unpacked_state(n, row);
        let numbers = &solution.sensitivities;
        let last = numbers.len().saturating_sub(width * known.along.len());
        let blocks = numbers[last..].chunks_exact(width.max(1));
        for (along, block) in known.along.iter_mut().zip(blocks) {
            *along = unpacked_state(n, block);
        }
        Ok(())
    }

    /// Absolute tolerances follow how much states vary now, and will have varied by noise alone.
    fn tolerances(
        &self,
        point: &mut Point<'_>,
        known: &Gaussian,
        (from, to): (f64, f64),
    ) -> Tolerances {
        let n = known.value.mean.len();
        let spread = point.local(from, &known.value.mean).squared;
        let deviations: Vec<f64> = (0..n)
            .map(|i| {
                let own = i * (n + 1);
                let variance = known.value.covariance[own].abs() + spread[own].abs() * (to - from);
                let least = LEAST * self.case.sizes.get(i).copied().unwrap_or(1.0);
                if variance.is_finite() {
                    variance.sqrt().max(least)
                } else {
                    least
                }
            })
            .collect();
        let scale = SHARE * RELATIVE_TOLERANCE;
        let means = known.value.mean.iter().zip(&deviations);
        let mut absolute: Vec<f64> = means.map(|(m, sd)| scale * m.abs().max(*sd)).collect();
        for j in 0..n {
            absolute.extend((j..n).map(|i| scale * deviations[i] * deviations[j]));
        }
        Tolerances {
            relative: RELATIVE_TOLERANCE,
            absolute,
        }
    }
}

/// Passes interrupts on.
struct Watch<'a>(&'a (dyn Fn() -> bool + Sync));

impl Monitor for Watch<'_> {
    fn step(&mut self, _: f64, _: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if (self.0)() {
            ControlFlow::Break(Halt::Interrupt)
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The state vector of the equations of moments with its derivatives.
fn packed_state(n: usize, known: &Gaussian) -> Vec<f64> {
    let all = std::iter::once(&known.value).chain(&known.along);
    let mut state = Vec::new();
    for moments in all {
        state.extend(&moments.mean);
        state.extend(triangle(n, &moments.covariance));
    }
    state
}

fn unpacked_state(n: usize, numbers: &[f64]) -> Moments {
    let (mean, covariance) = numbers.split_at(n);
    Moments {
        mean: mean.to_vec(),
        covariance: full(n, covariance),
    }
}

/// A C B^T, C symmetric.
fn sandwich(n: usize, a: &[f64], c: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = Vec::with_capacity(n * n);
    for j in 0..n {
        let row: Vec<f64> = (0..n).map(|k| b[k * n + j]).collect();
        out.extend(product(a, &product(c, &row)));
    }
    out
}

fn add(to: &mut [f64], more: &[f64]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to += more;
    }
}

/// X + M + M^T
fn add_both(n: usize, to: &mut [f64], more: &[f64]) {
    for j in 0..n {
        for i in 0..n {
            to[j * n + i] += more[j * n + i] + more[i * n + j];
        }
    }
}
