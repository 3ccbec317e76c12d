//! Quasi-Newton with limited memory, within bounds.
//!
//! The two-loop recursion (J. Nocedal, Math. Comput. 35, 773, 1980) on the coordinates that no
//! bound holds, and a search for a weak Wolfe point by doubling and bisection (A. Lewis, M.
//! Overton, Math. Program. 141, 135, 2013) along the path projected into the bounds (D. Bertsekas,
//! SIAM J. Control Optim. 20, 221, 1982).

use super::probe::Probe;
use super::{Best, End, Steps, stuck};
use crate::fit::objective::{Evaluation, Wanted};
use std::collections::VecDeque;

/// Pairs of changes remembered.
const MEMORY: usize = 10;
/// The value must fall by this part of what the gradient says.
const SUFFICIENT: f64 = 1e-4;
/// The slope must rise to this part of what it was.
const FLATTER: f64 = 0.9;
/// Trials along one direction.
const MOST_TRIALS: u32 = 60;
/// The first step changes no coordinate by more than this part of its size, or of 1.
const FIRST_STEP: f64 = 0.1;
/// A gradient times the size of its coordinate, as a part of the value, that may be left where
/// the decrement is small: the Hessian of a few pairs is not to be trusted alone.
const SMALL_SLOPE: f64 = 1e-4;

/// The method.
pub(super) struct Lbfgs {
    pub tolerance: f64,
}

/// A step and the change of the gradient over it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// Their product, above 0.
    product: f64,
}

/// Where the search is.
pub(super) struct State {
    point: Vec<f64>,
    evaluation: Evaluation,
    pairs: VecDeque<Pair>,
    has_moved: bool,
}

impl Steps for Lbfgs {
    type State = State;

    fn begin(&self, probe: &Probe<'_>, start: &[f64]) -> Result<State, End> {
        Ok(State {
            point: start.to_vec(),
            evaluation: probe.first(start, Wanted::Gradient)?,
            pairs: VecDeque::new(),
            has_moved: false,
        })
    }

    fn step(&self, probe: &Probe<'_>, state: &mut State) -> Option<End> {
        let gradient = &state.evaluation.gradient;
        let is_free = probe.bounds.free(&state.point, gradient);
        let mut direction = direction(state, &is_free);
        let mut decrement = -0.5 * dot(gradient, &direction);
        if decrement.is_nan() || decrement < 0.0 {
            state.pairs.clear();
            direction = first_direction(state, &is_free);
            decrement = -0.5 * dot(gradient, &direction);
        }
        if decrement == 0.0 || (decrement <= self.tolerance && is_small(state, &is_free)) {
            return Some(if state.has_moved {
                End::Converged { decrement }
            } else {
                End::Unmoved { decrement }
            });
        }
        match along(probe, state, &direction) {
            Some((point, evaluation)) => {
                accept(state, point, evaluation);
                None
            }
            // Once more from steepest descent.
            None if !state.pairs.is_empty() => {
                state.pairs.clear();
                None
            }
            None => Some(stuck(state.has_moved, decrement)),
        }
    }

    fn best(state: &State) -> Best<'_> {
        Best {
            point: &state.point,
            value: state.evaluation.value,
            gradient: &state.evaluation.gradient,
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The gradient without what bounds hold.
fn free_gradient(state: &State, is_free: &[bool]) -> Vec<f64> {
    let slopes = state.evaluation.gradient.iter().zip(is_free);
    slopes
        .map(|(slope, is_free)| if *is_free { *slope } else { 0.0 })
        .collect()
}

/// True where the gradient itself is small too.
fn is_small(state: &State, is_free: &[bool]) -> bool {
    let limit = SMALL_SLOPE * state.evaluation.value.abs().max(1.0);
    let slopes = free_gradient(state, is_free);
    let mut all = slopes.iter().zip(&state.point);
    all.all(|(slope, x)| (slope * x.abs().max(1.0)).abs() <= limit)
}

/// Minus the inverse Hessian of the pairs times the free gradient.
fn direction(state: &State, is_free: &[bool]) -> Vec<f64> {
    let Some(last) = state.pairs.back() else {
        return first_direction(state, is_free);
    };
    let mut q = free_gradient(state, is_free);
    let mut factors = Vec::with_capacity(state.pairs.len());
    for pair in state.pairs.iter().rev() {
        let factor = dot(&pair.step, &q) / pair.product;
        add(&mut q, -factor, &pair.change);
        factors.push(factor);
    }
    let scale = last.product / dot(&last.change, &last.change);
    q.iter_mut().for_each(|entry| *entry *= scale);
    for (pair, factor) in state.pairs.iter().zip(factors.iter().rev()) {
        let back = dot(&pair.change, &q) / pair.product;
        add(&mut q, factor - back, &pair.step);
    }
    let entries = q.iter().zip(is_free);
    entries
        .map(|(entry, is_free)| if *is_free { -entry } else { 0.0 })
        .collect()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    let pairs = to.iter_mut().zip(what);
    pairs.for_each(|(to, what)| *to += factor * what);
}

/// Steepest descent of modest length.
fn first_direction(state: &State, is_free: &[bool]) -> Vec<f64> {
    let slopes = free_gradient(state, is_free);
    let relative = slopes.iter().zip(&state.point);
    let most = relative.map(|(slope, x)| slope.abs() / x.abs().max(1.0));
    let most = most.fold(0.0, f64::max);
    let scale = if most > 0.0 { FIRST_STEP / most } else { 0.0 };
    slopes.iter().map(|slope| -scale * slope).collect()
}

/// A point on the projected path where value and slope have fallen enough; if none is found, the
/// best one where the value has.
fn along(probe: &Probe<'_>, state: &State, direction: &[f64]) -> Option<(Vec<f64>, Evaluation)> {
    let before = &state.evaluation;
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    let mut found: Option<(Vec<f64>, Evaluation)> = None;
    for _ in 0..MOST_TRIALS {
        let mut moved = state.point.clone();
        add(&mut moved, length, direction);
        let point = probe.bounds.project(&moved);
        let step: Vec<f64> = point
            .iter()
            .zip(&state.point)
            .map(|(to, x)| to - x)
            .collect();
        if point == state.point {
            break;
        }
        let sufficient = before.value + SUFFICIENT * dot(&before.gradient, &step);
        let evaluation = probe.trial(&point, Wanted::Gradient);
        let fallen =
            evaluation.filter(|found| found.value <= sufficient && found.value < before.value);
        match fallen {
            None if found.is_some() => break,
            None => high = length,
            Some(evaluation) => {
                let is_bent = point != moved;
                let slope = dot(&evaluation.gradient, direction);
                let is_flat = slope >= FLATTER * dot(&before.gradient, direction);
                found = Some((point, evaluation));
                if is_flat || is_bent {
                    break;
                }
                low = length;
            }
        }
        length = if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * length
        };
    }
    found
}

fn accept(state: &mut State, point: Vec<f64>, evaluation: Evaluation) {
    let difference = |to: &[f64], from: &[f64]| -> Vec<f64> {
        to.iter().zip(from).map(|(to, from)| to - from).collect()
    };
    let step = difference(&point, &state.point);
    let change = difference(&evaluation.gradient, &state.evaluation.gradient);
    let product = dot(&step, &change);
    // Only with positive curvature is the Hessian positive definite.
    if product > f64::EPSILON * dot(&change, &change).sqrt() * dot(&step, &step).sqrt() {
        if state.pairs.len() == MEMORY {
            state.pairs.pop_front();
        }
        state.pairs.push_back(Pair {
            step,
            change,
            product,
        });
    }
    state.point = point;
    state.evaluation = evaluation;
    state.has_moved = true;
}
