//! Levenberg and Marquardt on generalised residuals, within bounds.
//!
//! Each step minimises |J p + r|^2 + damping |D p|^2 over the steps p that stay within the bounds,
//! by the primal active-set method on the triangular factor of J (J. Nocedal, S. Wright, Numerical
//! Optimization, 2nd edition, 2006, section 16.5): the model only decreases on the way. D holds the
//! lengths of the columns of J (D. Marquardt, J. Soc. Ind. Appl. Math. 11, 431, 1963), and the
//! damping follows the gain as H. B. Nielsen has it (IMM-REP-1999-05, Technical University of
//! Denmark). Objectives that profile a variance fall faster than the model says; a gain above 1 is
//! welcome and changes nothing.
//!
//! A long step after which the residuals hardly depend on a coordinate any more is refused, though
//! the value falls: it ends on a plateau (a rate so fast that every datum sees its end), from which
//! no gradient leads back.
//!
//! A search has converged when the gradient promises no further decrease: half of g'H^-1 g over the
//! coordinates that no bound holds, with H = J'J.

use super::probe::Probe;
use super::{Best, End, Steps, stuck};
use crate::fit::objective::{Evaluation, Wanted};
use crate::linalg::{Reduced, Singular};

/// The first damping: with columns of length 1 a full step but for nearly dependent columns.
const FIRST_DAMPING: f64 = 1e-2;
/// Steps with more damping than this are below round-off.
const MOST_DAMPING: f64 = 1e20;
/// Damping never gets smaller: steps along directions that matter less than its root are round-off.
const LEAST_DAMPING: f64 = 1e-15;
/// The damping of the step by which convergence is judged: directions shorter than its root beside
/// the columns of J are not told from dependence of the columns.
const JUDGING: f64 = 1e-14;
/// A step is taken when the value falls by this part of what the model says.
const LEAST_GAIN: f64 = 1e-3;
/// D does not fall below this part of its first value: what was important is not forgotten.
const LEAST_LENGTH: f64 = 0.1;
/// A column of J that shrinks to less than this part has vanished.
const VANISHED: f64 = 1e-2;
/// With more damping a step is so short that it may do so.
const SHORT_DAMPING: f64 = 1e6;
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
    /// D where the search began.
    first_lengths: Vec<f64>,
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
            first_lengths: reduced.column_lengths(),
            reduced,
            evaluation,
            damping: FIRST_DAMPING,
            growth: GROWTH,
            has_moved: false,
        })
    }

    fn step(&self, probe: &Probe<'_>, state: &mut State) -> Option<End> {
        let gradient = &state.evaluation.gradient;
        let mut is_free = probe.bounds.free(&state.point, gradient);
        // What nothing depends on stays where it is.
        for (is_free, length) in is_free.iter_mut().zip(state.reduced.column_lengths()) {
            *is_free &= length > 0.0;
        }
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
        let Some(evaluation) = probe.trial(&trial, Wanted::Residuals) else {
            return refuse(self, state, &is_free, decrement);
        };
        let gain = (state.evaluation.value - evaluation.value) / predicted;
        let reduced = reduced(&evaluation, trial.len());
        if gain < LEAST_GAIN || is_plateau(state, &reduced, &is_free) {
            return refuse(self, state, &is_free, decrement);
        }
        accept(state, trial, evaluation, reduced, gain);
        None
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

/// sqrt(damping) D
fn scaled(lengths: impl IntoIterator<Item = f64>, damping: f64) -> Vec<f64> {
    let root = damping.sqrt();
    lengths.into_iter().map(|length| root * length).collect()
}

/// True where a long step made a free coordinate all but irrelevant.
fn is_plateau(state: &State, reduced: &Reduced, is_free: &[bool]) -> bool {
    let (before, after) = (state.reduced.column_lengths(), reduced.column_lengths());
    let mut all = before.iter().zip(after).zip(is_free);
    state.damping < SHORT_DAMPING
        && all.any(|((before, after), is_free)| *is_free && after < VANISHED * before)
}

/// g'H^-1 g / 2 over the free coordinates.
fn decrement(state: &State, is_free: &[bool]) -> f64 {
    let mut step = vec![0.0; is_free.len()];
    let damping = scaled(state.reduced.column_lengths(), JUDGING);
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
    let lengths = state.reduced.column_lengths().into_iter();
    let lengths = lengths.zip(&state.first_lengths);
    let lengths = lengths.map(|(length, first)| length.max(LEAST_LENGTH * first));
    let damping = scaled(lengths, state.damping);
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
    let ways = from
        .iter()
        .zip(to)
        .zip(&state.point)
        .zip(probe.bounds.ends());
    let met = ways
        .enumerate()
        .filter_map(|(coordinate, (((from, to), x), (low, high)))| {
            let room = if to < from { low - x } else { high - x };
            let is_beyond = if to < from { *to < room } else { *to > room };
            let part = ((room - from) / (to - from)).clamp(0.0, 1.0);
            is_beyond.then_some((part, coordinate, room))
        });
    met.min_by(|a, b| a.0.total_cmp(&b.0))
}

fn accept(state: &mut State, point: Vec<f64>, evaluation: Evaluation, reduced: Reduced, gain: f64) {
    state.reduced = reduced;
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
    let lengths = state.reduced.column_lengths();
    let slopes = state.evaluation.gradient.iter().zip(&lengths).zip(is_free);
    let steepest: f64 = slopes
        .filter(|(_, is_free)| **is_free)
        .map(|((slope, length), _)| 0.5 * (slope / length) * (slope / length))
        .sum();
    // The rest of the decrement is along directions that J does not tell from dependence.
    Some(if steepest <= lm.tolerance {
        ended(state, decrement)
    } else {
        stuck(state.has_moved, decrement)
    })
}
