//! The stationary start: mean, covariance, and their derivatives.
//!
//! The mean m is where f vanishes, dm = -J^-1 df; the covariance P solves J P + P J^T + D = 0, and
//! its derivative the same equation with dJ P + P dJ^T + dD in place of D, dJ and dD following the
//! mean.
//!
//! Enters: the equations and a state to look from. Leaves: a [`Gaussian`]; none without a stable
//! steady state.

use super::equations::{Point, Route};
use super::gaussian::{Gaussian, Moments, dot, product};
use super::pass::Case;
use crate::analyze::{self, Question};
use crate::linalg::dense::Dense;
use crate::linalg::length::Any;
use crate::linalg::lyapunov::Lyapunov;
use crate::linalg::one_norm;
use crate::simulate::{CompiledDynamics, Tolerances};

/// Error allowed on the way to the steady state, which Newton's iteration polishes.
const RELATIVE_TOLERANCE: f64 = 1e-6;
/// Absolute tolerances, as a share of the sizes of states.
const ABSOLUTE_TOLERANCE: f64 = 1e-9;
/// Iterations of Newton: the first is all for linear equations.
const ITERATIONS: u32 = 4;
/// A real part this small beside the norm of the Jacobian is round-off.
const ROUND_OFF: f64 = 1e-11;

/// The stationary distribution near a state.
pub(super) fn stationary(
    case: &Case<'_>,
    point: &mut Point<'_>,
    state: &[f64],
) -> Option<Gaussian> {
    let (n, time) = (state.len(), case.start);
    if !case.equations.system.time_derivative.is_empty() {
        return None;
    }
    let mut mean = rough(case, state)?;
    let mut factors = Dense::new(Any(n));
    for _ in 0..ITERATIONS {
        let local = point.local(time, &mean);
        factors.entries_mut().copy_from_slice(&local.matrix);
        factors.factorise().ok()?;
        let mut step = local.constant;
        factors.solve(&mut step);
        for (mean, step) in mean.iter_mut().zip(&step) {
            *mean -= step;
        }
    }
    let local = point.local(time, &mean);
    factors.entries_mut().copy_from_slice(&local.matrix);
    factors.factorise().ok()?;
    let solver = Lyapunov::of_numbers(n, &local.matrix).ok()?;
    if solver.abscissa() >= -ROUND_OFF * one_norm(n, &local.matrix) {
        return None;
    }
    let covariance = solver.solve_numbers(&local.squared).ok()?;
    let mut along = Vec::with_capacity(point.parameters_along.len());
    for j in 0..point.parameters_along.len() {
        let mut moved = point.local_along(time, &mean, j, &vec![0.0; n]).constant;
        factors.solve(&mut moved);
        moved.iter_mut().for_each(|x| *x = -*x);
        let local = point.local_along(time, &mean, j, &moved);
        let mut right = local.squared;
        for column in 0..n {
            let own = product(&local.matrix, &covariance[column * n..(column + 1) * n]);
            for (row, x) in own.iter().enumerate() {
                right[column * n + row] += x;
                right[row * n + column] += x;
            }
        }
        along.push(Moments {
            covariance: solver.solve_numbers(&right).ok()?,
            mean: moved,
        });
    }
    let value = Moments { mean, covariance };
    let norm = dot(&value.mean, &value.mean) + dot(&value.covariance, &value.covariance);
    norm.is_finite().then_some(Gaussian { value, along })
}

/// A steady state before it is polished.
fn rough(case: &Case<'_>, state: &[f64]) -> Option<Vec<f64>> {
    let equations = case.equations;
    if equations.route == Route::Transition {
        return Some(state.to_vec());
    }
    let parameters = case.problem.parameters.clone();
    let dynamics = CompiledDynamics::new(&equations.system, &equations.kernels, parameters);
    let tolerances = Tolerances {
        relative: RELATIVE_TOLERANCE,
        absolute: case
            .sizes
            .iter()
            .map(|size| ABSOLUTE_TOLERANCE * size)
            .collect(),
    };
    let found = analyze::steady(&Question {
        dynamics: &dynamics,
        time: case.start,
        state,
        tolerances: &tolerances,
        laws: &[],
        non_negative: &[],
        follows: true,
        interrupted: case.interrupted,
    });
    found.ok().map(|found| found.state)
}
