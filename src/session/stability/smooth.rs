//! Whether the equations switch at a state: whether their linear part is another one right beside
//! it.
//!
//! Only equations with guards (`if`, `abs`, `min`, ...) can. Their drift and Jacobian are compared
//! at the state and a hair beside it along each axis: smooth ones change by a hair.

use crate::analyze::jacobian_at;
use crate::session::compiled::Compiled;
use crate::session::rest::AtRest;
use crate::session::values::{Point, evaluate_at};
use crate::simulate::Dynamics;

/// What happens at a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// The drift jumps.
    Jump,
    /// The drift is continuous, its slope is not.
    Kink,
}

/// A hair, in the sizes of the states.
const HAIR: f64 = 1e-8;
/// What a smooth function may change over a hair, for its size.
const SMOOTH: f64 = 1e-4;
/// Larger systems are not looked at along every axis.
const MOST_STATES: usize = 250;

/// The switch that a state lies on, with the guard that is zero there.
pub(super) fn switch(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    state: &[f64],
) -> Option<(Switch, Option<usize>)> {
    let guards = &compiled.system.guards;
    if state.len() > MOST_STATES || !guards.iter().any(|guard| guard.in_drift) {
        return None;
    }
    let dynamics = at_rest.dynamics();
    let time = at_rest.time();
    let tolerances = at_rest.tolerances();
    let here = Local::of(&dynamics, time, state);
    let mut found: Option<(Switch, Vec<f64>)> = None;
    for axis in 0..state.len() {
        let floor = tolerances.absolute.get(axis).copied().unwrap_or(0.0);
        let size = state[axis].abs().max(floor / tolerances.relative);
        for side in [-1.0, 1.0] {
            let mut beside = state.to_vec();
            beside[axis] += side * HAIR * size;
            let there = Local::of(&dynamics, time, &beside);
            let kind = here.compared(&there, axis, beside[axis] - state[axis]);
            match kind {
                Some(Switch::Jump) => {
                    return Some((Switch::Jump, guard(compiled, at_rest, state, &beside)));
                }
                Some(kind) if found.is_none() => found = Some((kind, beside)),
                _ => {}
            }
        }
    }
    let (kind, beside) = found?;
    Some((kind, guard(compiled, at_rest, state, &beside)))
}

/// Drift and Jacobian at a state.
struct Local {
    drift: Vec<f64>,
    jacobian: Vec<f64>,
}

impl Local {
    fn of(dynamics: &dyn Dynamics, time: f64, state: &[f64]) -> Local {
        let mut drift = vec![0.0; state.len()];
        dynamics.drift(time, state, &mut drift);
        Local {
            drift,
            jacobian: jacobian_at(dynamics, time, state),
        }
    }

    /// What lies between two states that differ by `step` along `axis`.
    fn compared(&self, other: &Local, axis: usize, step: f64) -> Option<Switch> {
        let n = self.drift.len();
        let column = |of: &Local, i: usize| of.jacobian.get(axis * n + i).copied().unwrap_or(0.0);
        let rate = largest(&self.drift).max(largest(&other.drift));
        let slope = largest(&self.jacobian).max(largest(&other.jacobian));
        // More than either slope explains.
        let jumps = (0..n).any(|i| {
            let explained = step.abs() * (column(self, i).abs() + column(other, i).abs());
            (self.drift[i] - other.drift[i]).abs()
                > 10.0 * explained + SMOOTH * rate.max(slope * step.abs() * 1e4)
        });
        if jumps {
            return Some(Switch::Jump);
        }
        let pairs = self.jacobian.iter().zip(&other.jacobian);
        let differ = pairs
            .into_iter()
            .any(|(a, b)| (a - b).abs() > SMOOTH * slope && a.is_finite() && b.is_finite());
        differ.then_some(Switch::Kink)
    }
}

fn largest(numbers: &[f64]) -> f64 {
    let finite = numbers.iter().filter(|x| x.is_finite());
    finite.fold(0.0, |most, x| most.max(x.abs()))
}

/// The guard that changes its sign, or reaches zero, between two states.
fn guard(compiled: &Compiled, at_rest: &AtRest<'_>, here: &[f64], there: &[f64]) -> Option<usize> {
    let system = &compiled.system;
    let value = |expr, state: &[f64]| {
        let point = Point {
            time: at_rest.time(),
            state,
            parameters: &at_rest.present.parameters,
            slots: &[],
        };
        evaluate_at(&system.pool, system, expr, &point)
    };
    let guards = system.guards.iter().enumerate();
    let mut in_drift = guards.filter(|(_, guard)| guard.in_drift);
    in_drift
        .find(|(_, guard)| {
            let pairs = value(guard.expr, here)
                .into_iter()
                .zip(value(guard.expr, there));
            pairs
                .into_iter()
                .any(|(a, b)| a == 0.0 || (a > 0.0) != (b > 0.0))
        })
        .map(|(at, _)| at)
}
