//! A run of states with their derivatives, and its rows taken apart.

use super::{SensitivityDynamics, VariedStart};
use crate::simulate::{
    Halt, Method, Monitor, Options, Output, Solution, Statistics, Stop, Tolerances, integrate,
};
use std::ops::ControlFlow;

/// Integrates from `start` at time `from` to `end`. The solution's rows are states; their
/// derivatives stand in [`Solution::sensitivities`].
///
/// The error of dy_i/dtheta_j is held to `absolute_i / scale_j` and the relative tolerance, so
/// that all contribute to the changes of y_i on equal terms. Served by [`Method::Tsit5`],
/// [`Method::Rodas`] and [`Method::Auto`]; see [`serves_sensitivities`].
pub fn integrate_with_sensitivities(
    dynamics: &SensitivityDynamics<'_>,
    from: f64,
    start: &VariedStart,
    end: f64,
    output: &Output,
    options: &Options,
    monitor: &mut dyn Monitor,
) -> Solution {
    let n = options.tolerances.absolute.len();
    let whole = Options {
        tolerances: with_sensitivities(&options.tolerances, &start.scales),
        ..options.clone()
    };
    let mut monitor = StatesOnly { n, monitor };
    let solution = integrate(
        dynamics,
        from,
        &start.state,
        end,
        output,
        &whole,
        &mut monitor,
    );
    apart(solution, n, &options.tolerances)
}

/// Whether a method carries derivatives along.
#[must_use]
pub fn serves_sensitivities(method: Method) -> bool {
    matches!(method, Method::Auto | Method::Tsit5 | Method::Rodas)
}

/// The tolerances of states and derivatives. The steppers' norm is a mean over all numbers; the
/// share makes it the sum over blocks of the mean within each, so that the states are followed no
/// less closely than without derivatives.
pub(super) fn with_sensitivities(tolerances: &Tolerances, scales: &[f64]) -> Tolerances {
    let share = 1.0 / ((1 + scales.len()) as f64).sqrt();
    let own = |scale: f64| tolerances.absolute.iter().map(move |a| share * a / scale);
    Tolerances {
        relative: share * tolerances.relative,
        absolute: std::iter::once(&1.0)
            .chain(scales)
            .flat_map(|scale| own(*scale))
            .collect(),
    }
}

/// Shows a monitor the states without their derivatives.
struct StatesOnly<'m> {
    n: usize,
    monitor: &'m mut dyn Monitor,
}

impl Monitor for StatesOnly<'_> {
    fn step(&mut self, time: f64, state: &[f64], statistics: &Statistics) -> ControlFlow<Halt> {
        self.monitor.step(time, &state[..self.n], statistics)
    }

    fn row(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        self.monitor.row(time, &state[..self.n])
    }
}

/// Rows of states and rows of derivatives from rows of both.
fn apart(mut solution: Solution, n: usize, tolerances: &Tolerances) -> Solution {
    let width = solution.dimension.max(1);
    let mut states = Vec::with_capacity(solution.times.len() * n);
    let mut sensitivities = Vec::with_capacity(solution.states.len() - states.capacity());
    for row in solution.states.chunks_exact(width) {
        let (state, moved) = row.split_at(n);
        states.extend_from_slice(state);
        sensitivities.extend_from_slice(moved);
    }
    solution.states = states;
    solution.sensitivities = sensitivities;
    solution.dimension = n;
    solution.tolerances = tolerances.clone();
    of_states(&mut solution.stop, n);
    solution
}

/// Names the state where the run names a derivative of it.
fn of_states(stop: &mut Stop, n: usize) {
    match stop {
        Stop::NonFinite { states, values, .. } => {
            states.iter_mut().for_each(|state| *state %= n);
            states.sort_unstable();
            states.dedup();
            values.truncate(n);
        }
        Stop::StepTooSmall { state, .. } => *state %= n,
        _ => {}
    }
}
