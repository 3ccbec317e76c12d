//! Levenberg and Marquardt on generalised residuals, within bounds.
//!
//! Each step minimises |J p + r|^2 + damping |D p|^2 over the steps p that stay within the bounds,
//! by the primal active-set method on the triangular factor of J (J. Nocedal, S. Wright, Numerical
//! Optimization, 2nd edition, 2006, section 16.5): the model only decreases on the way. D is the
//! longest that each column of J has been (J. J. Moré, Lecture Notes in Math. 630, 105, 1978), and
//! the damping follows the gain as H. B. Nielsen has it (IMM-REP-1999-05, Technical University of
//! Denmark). Objectives that profile a variance fall faster than the model says; a gain above 1 is
//! welcome and changes nothing.
//!
//! A search has converged when the gradient promises no further decrease: half of g'H^-1 g over the
//! coordinates that no bound holds, with H = J'J.

use super::probe::Probe;
use super::{Best, End, Steps, stuck};
use crate::fit::objective::{Evaluation, Wanted};
use crate::linalg::{Reduced, Singular};

/// The first damping: with columns of length 1 a full step but for nearly dependent columns.
const FIRST_DAMPING: f64 = 1e-3;
/// Steps with more damping than this are below round-off.
const MOST_DAMPING: f64 = 1e20;
/// Damping never gets smaller: steps along directions that matter less than its root are round-off.
const LEAST_DAMPING: f64 = 1e-15;
/// The damping of the step by which convergence is judged: directions shorter than its root beside
/// the columns of J are not told from dependence of the columns.
const JUDGING: f64 = 1e-14;
/// A step is taken when the value falls by this part of what the model says.
const LEAST_GAIN: f64 = 1e-4;
/// What damping grows by at the first refusal; each further one doubles it.
const GROWTH: f64 = 2.0;

/// The method.
pub(super) struct Lm {
    pub tolerance: f64,
}

/// Where the search is.
pub(super) struct State {
    point: Vec<f64>,
    evaluation: Evaluation,
    reduced: Reduced,
    /// D, the longest that each column of J has been.
    lengths: Vec<f64>,
    damping: f64,
    growth: f64,
    has_moved: bool,
}

impl Steps for Lm {
    type State = State;

    fn begin(&self, probe: &Probe<'_>, start: &[f64]) -> Result<State, End> {
        let evaluation = probe.first(start, Wanted::Residuals)?;
        let reduced = reduced(&evaluation, start.len());
        Ok(State {
            point: start.to_vec(),
            lengths: reduced.column_lengths(),
            reduced,
            evaluation,
            damping: FIRST_DAMPING,
            growth: GROWTH,
            has_moved: false,
        })
    }

    fn step(&self, probe: &Probe<'_>, state: &mut State) -> Option<End> {
        let gradient = &state.evaluation.gradient;
        let is_free = probe.bounds.free(&state.point, gradient);
        let decrement = decrement(state, &is_free);
        if decrement <= self.tolerance.max(round_off(state)) {
            return Some(ended(state, decrement));
        }
        let Ok(step) = bounded_step(probe, state, is_free.clone()) else {
            return refuse(self, state, &is_free, decrement);
        };
        let moved: Vec<f64> = state.point.iter().zip(&step).map(|(x, p)| x + p).collect();
        let trial = probe.bounds.project(&moved);
        let predicted = -dot(gradient, &step) - 0.5 * state.reduced.square(&step);
        if trial == state.point || predicted <= 0.0 {
            return refuse(self, state, &is_free, decrement);
        }
        let evaluation = probe.trial(&trial, Wanted::Residuals);
        let gain = |evaluation: &Evaluation| (state.evaluation.value - evaluation.value) / predicted;
        match evaluation {
            Some(evaluation) if gain(&evaluation) >= LEAST_GAIN => {
                let gain = gain(&evaluation);
                accept(state, trial, evaluation, gain);
                None
            }
            _ => refuse(self, state, &is_free, decrement),
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

fn reduced(evaluation: &Evaluation, dimension: usize) -> Reduced {
    Reduced::new(&evaluation.jacobian, &evaluation.residuals, dimension)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Differences of values smaller than this are round-off.
fn round_off(state: &State) -> f64 {
    f64::EPSILON * state.evaluation.value.abs()
}

/// sqrt(damping) D; 1 stands for a column that has always been 0.
fn scaled(lengths: &[f64], damping: f64) -> Vec<f64> {
    let root = damping.sqrt();
    let all = lengths.iter();
    all.map(|length| root * if *length > 0.0 { *length } else { 1.0 })
        .collect()
}

/// g'H^-1 g / 2 over the free coordinates.
fn decrement(state: &State, is_free: &[bool]) -> f64 {
    let mut step = vec![0.0; is_free.len()];
    let damping = scaled(&state.reduced.column_lengths(), JUDGING);
    match state.reduced.solve(&mut step, is_free, &damping) {
        Ok(()) => -0.5 * dot(&state.evaluation.gradient, &step),
        Err(Singular) => f64::INFINITY,
    }
}

/// Converged, if it moved.
fn ended(state: &State, decrement: f64) -> End {
    if state.has_moved {
        End::Converged { decrement }
    } else {
        End::Unmoved { decrement }
    }
}

/// The damped step within the bounds: solves for the free coordinates, goes there until a bound
/// is met, holds that coordinate, and so on.
fn bounded_step(
    probe: &Probe<'_>,
    state: &State,
    mut is_free: Vec<bool>,
) -> Result<Vec<f64>, Singular> {
    let damping = scaled(&state.lengths, state.damping);
    let mut step = vec![0.0; is_free.len()];
    while is_free.contains(&true) {
        let mut target = step.clone();
        state.reduced.solve(&mut target, &is_free, &damping)?;
        let Some((part, coordinate, room)) = first_bound(probe, state, &step, &target) else {
            return Ok(target);
        };
        for (from, to) in step.iter_mut().zip(&target) {
            *from += part * (to - *from);
        }
        step[coordinate] = room;
        is_free[coordinate] = false;
    }
    Ok(step)
}

/// The first bound on the way from a step to the next: what part of the way it is, of which
/// coordinate, and how far it is from the point.
fn first_bound(
    probe: &Probe<'_>,
    state: &State,
    from: &[f64],
    to: &[f64],
) -> Option<(f64, usize, f64)> {
    let ways = from.iter().zip(to).zip(&state.point).zip(probe.bounds.ends());
    let met = ways.enumerate().filter_map(|(coordinate, (((from, to), x), (low, high)))| {
        let room = if to < from { low - x } else { high - x };
        let is_beyond = if to < from { *to < room } else { *to > room };
        let part = ((room - from) / (to - from)).clamp(0.0, 1.0);
        is_beyond.then_some((part, coordinate, room))
    });
    met.min_by(|a, b| a.0.total_cmp(&b.0))
}

fn accept(state: &mut State, point: Vec<f64>, evaluation: Evaluation, gain: f64) {
    state.reduced = reduced(&evaluation, point.len());
    for (longest, length) in state.lengths.iter_mut().zip(state.reduced.column_lengths()) {
        *longest = longest.max(length);
    }
    state.point = point;
    state.evaluation = evaluation;
    let shrink = 1.0 - (2.0 * gain - 1.0).powi(3);
    state.damping = (state.damping * shrink.max(1.0 / 3.0)).max(LEAST_DAMPING);
    state.growth = GROWTH;
    state.has_moved = true;
}

/// More damping; the end of the search, when there is too much.
fn refuse(lm: &Lm, state: &mut State, is_free: &[bool], decrement: f64) -> Option<End> {
    state.damping *= state.growth;
    state.growth *= 2.0;
    if state.damping < MOST_DAMPING {
        return None;
    }
    let slopes = state.evaluation.gradient.iter().zip(&state.lengths).zip(is_free);
    let steepest: f64 = slopes
        .filter(|((_, length), is_free)| **is_free && **length > 0.0)
        .map(|((slope, length), _)| 0.5 * (slope / length) * (slope / length))
        .sum();
    // The rest of the decrement is along directions that J does not tell from dependence.
    Some(if steepest <= lm.tolerance {
        ended(state, decrement)
    } else {
        stuck(state.has_moved, decrement)
    })
}
