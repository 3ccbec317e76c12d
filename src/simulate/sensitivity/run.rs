//! A run of states with their derivatives.

use super::{SensitivityDynamics, VariedStart};
use crate::simulate::work::Work;
use crate::simulate::{
    CompiledDynamics, Method, Monitor, Options, Output, Problem, Solution, Tolerances, interrupt,
};

/// Runs a problem from `varied` over a range of time (start, end), with derivatives, and with all
/// that interrupts it. The solution's rows are states; their derivatives stand in
/// [`Solution::sensitivities`].
///
/// The error of dy_i/dtheta_j is held to `absolute_i / scale_j` and the relative tolerance, so
/// that all contribute to the changes of y_i on equal terms. Served by [`Method::Tsit5`],
/// [`Method::Rodas`] and [`Method::Auto`]; see [`serves_sensitivities`].
pub fn run_with_sensitivities(
    problem: &Problem<'_>,
    dynamics: &CompiledDynamics<'_>,
    (start, end): (f64, f64),
    varied: &VariedStart,
    output: &Output,
    options: &Options,
    monitor: &mut dyn Monitor,
) -> Solution {
    let (system, kernels) = (problem.system, problem.kernels);
    let both = SensitivityDynamics::new(system, kernels, dynamics, varied);
    let whole = Options {
        tolerances: with_sensitivities(&options.tolerances, &varied.scales),
        // How the rates of delayed values move, which implicit steps need, is not worked out.
        method: match options.method {
            Method::Auto if !system.delays.is_empty() => Method::Tsit5,
            method => method,
        },
        ..options.clone()
    };
    let work = Work {
        system: &both,
        shown: system.dimension(),
        start,
        initial: &varied.state,
        end,
        output,
        options: &whole,
        walker: None,
    };
    let mut solution = interrupt::drive_with(problem, dynamics, &work, Some(&both), monitor);
    solution.tolerances = options.tolerances.clone();
    solution
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
