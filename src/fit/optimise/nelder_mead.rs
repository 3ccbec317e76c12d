//! The simplex of Nelder and Mead, within bounds.
//!
//! J. Nelder, R. Mead, Comput. J. 7, 308 (1965), with the coefficients of F. Gao, L. Han, Comput.
//! Optim. Appl. 51, 259 (2012), which depend on the dimension. Trial points are projected into the
//! bounds. A simplex that has shrunk to a point is built anew there, as long as that still helps:
//! projection can flatten it, and so can the function (C. T. Kelley, SIAM J. Optim. 10, 43, 1999).

use super::probe::Probe;
use super::{Best, End, Steps};
use crate::fit::objective::Wanted;

/// The first edges, as a part of a coordinate's size or of 1.
const FIRST_EDGE: f64 = 0.1;
/// Edges, as a part of a coordinate's size or of 1, at which the simplex is a point.
const COLLAPSED: f64 = 1e-7;
/// A restart that lowers the value by no more was in vain, in units of log-likelihood.
const IN_VAIN: f64 = 1e-7;

/// The method.
pub(super) struct NelderMead {
    pub tolerance: f64,
}

#[derive(Clone)]
struct Vertex {
    point: Vec<f64>,
    value: f64,
}

/// A simplex, best vertex first, and the best value when it was last built.
pub(super) struct State {
    simplex: Vec<Vertex>,
    built_at: f64,
}

impl Steps for NelderMead {
    type State = State;

    fn begin(&self, probe: &Probe<'_>, start: &[f64]) -> Result<State, End> {
        let value = probe.first(start, Wanted::Value)?.value;
        let point = start.to_vec();
        Ok(built(probe, Vertex { point, value }))
    }

    fn step(&self, probe: &Probe<'_>, state: &mut State) -> Option<End> {
        if self.has_collapsed(state) {
            let best = state.simplex.first()?.clone();
            if state.built_at - best.value <= IN_VAIN {
                return Some(End::SimplexCollapsed);
            }
            *state = built(probe, best);
            return None;
        }
        move_worst(probe, &mut state.simplex);
        state.simplex.sort_by(|a, b| a.value.total_cmp(&b.value));
        None
    }

    fn best(state: &State) -> Best<'_> {
        let best = state.simplex.first();
        Best {
            point: best.map_or(&[], |best| &best.point),
            value: best.map_or(f64::INFINITY, |best| best.value),
            gradient: &[],
        }
    }
}

impl NelderMead {
    fn has_collapsed(&self, state: &State) -> bool {
        let [best, others @ ..] = state.simplex.as_slice() else {
            return true;
        };
        let is_near = |vertex: &Vertex| {
            let mut pairs = vertex.point.iter().zip(&best.point);
            pairs.all(|(x, best)| (x - best).abs() <= COLLAPSED * best.abs().max(1.0))
        };
        let round_off = 1e-14 * best.value.abs();
        let is_level = |vertex: &Vertex| vertex.value - best.value <= self.tolerance.max(round_off);
        // Where it is a point though not level the function jumps, or the search is at an edge.
        others
            .iter()
            .all(|vertex| is_near(vertex) && is_level(vertex))
            || others.iter().all(|vertex| vertex.point == best.point)
    }
}

/// A simplex with a vertex there and an edge along each coordinate.
fn built(probe: &Probe<'_>, first: Vertex) -> State {
    let built_at = first.value;
    let mut simplex = vec![first.clone()];
    for (at, (low, high)) in probe.bounds.ends().enumerate() {
        let mut point = first.point.clone();
        let Some(x) = point.get_mut(at) else { continue };
        let edge = (FIRST_EDGE * x.abs().max(1.0)).min(0.5 * (high - low));
        // Inwards at the upper bound.
        *x += if *x + edge <= high { edge } else { -edge };
        let value = probe.value(&point);
        simplex.push(Vertex { point, value });
    }
    simplex.sort_by(|a, b| a.value.total_cmp(&b.value));
    State { simplex, built_at }
}

/// Moves the worst vertex, or all but the best.
fn move_worst(probe: &Probe<'_>, simplex: &mut [Vertex]) {
    let [others @ .., worst] = simplex else {
        return;
    };
    #[expect(clippy::cast_precision_loss, reason = "a dimension")]
    let n = others.len().max(1) as f64;
    let centre: Vec<f64> = (0..worst.point.len())
        .map(|at| others.iter().map(|vertex| vertex.point[at]).sum::<f64>() / n)
        .collect();
    let tried = |factor: f64| {
        let pairs = centre.iter().zip(&worst.point);
        let moved: Vec<f64> = pairs.map(|(c, x)| c + factor * (c - x)).collect();
        let point = probe.bounds.project(&moved);
        let value = probe.value(&point);
        Vertex { point, value }
    };
    let best = others.first().map_or(f64::INFINITY, |vertex| vertex.value);
    let second = others.last().map_or(f64::INFINITY, |vertex| vertex.value);
    let reflected = tried(1.0);
    let contraction = 0.75 - 0.5 / n.max(2.0);
    let replacement = if reflected.value < best {
        let expanded = tried(1.0 + 2.0 / n.max(2.0));
        Some(if expanded.value < reflected.value {
            expanded
        } else {
            reflected
        })
    } else if reflected.value < second {
        Some(reflected)
    } else if reflected.value < worst.value {
        Some(tried(contraction)).filter(|outside| outside.value <= reflected.value)
    } else {
        Some(tried(-contraction)).filter(|inside| inside.value < worst.value)
    };
    match replacement {
        Some(vertex) => *worst = vertex,
        None => shrink(probe, simplex, 1.0 - 1.0 / n.max(2.0)),
    }
}

/// Moves all vertices towards the best.
fn shrink(probe: &Probe<'_>, simplex: &mut [Vertex], factor: f64) {
    let Some((best, others)) = simplex.split_first_mut() else {
        return;
    };
    for vertex in others {
        for (x, best) in vertex.point.iter_mut().zip(&best.point) {
            *x = best + factor * (*x - best);
        }
        vertex.value = probe.value(&vertex.point);
    }
}
