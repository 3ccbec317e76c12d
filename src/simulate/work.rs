//! What one run of the driver is given, and what no run can be made with.
//!
//! In: a system, a range, options. Out: the same, or what is wrong with it.

use super::stepper::Walker;
use super::{Dynamics, Invalid, Method, Options, Output};

/// What is to be integrated.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub system: &'a dyn Dynamics,
    /// How many of the system's numbers are states; sensitivities follow them.
    pub shown: usize,
    pub start: f64,
    /// As many as the system has.
    pub initial: &'a [f64],
    pub end: f64,
    pub output: &'a Output,
    pub options: &'a Options,
    /// Who makes the stepper, where the name of the method does not say it.
    pub walker: Option<&'a dyn Walker>,
}

/// Refuses arguments that no run can be made with.
pub(super) fn check(work: &Work<'_>) -> Result<(), Invalid> {
    let (start, end, options) = (work.start, work.end, work.options);
    let dimension = work.system.dimension();
    if !(start.is_finite() && end.is_finite() && start <= end) {
        return Err(Invalid::Range { start, end });
    }
    let constrained = work.system.algebraic().contains(&true);
    if constrained && !options.method.solves_constraints() {
        let method = options.method;
        return Err(Invalid::Constraints { method });
    }
    if options.method == Method::Exponential && !work.system.is_linear() {
        return Err(Invalid::NotLinear);
    }
    let absolute = &options.tolerances.absolute;
    for found in [work.initial.len(), absolute.len()] {
        if found != dimension {
            return Err(Invalid::Dimension {
                expected: dimension,
                found,
            });
        }
    }
    let value = options.tolerances.relative;
    if !(value > 0.0 && value.is_finite()) {
        return Err(Invalid::Tolerance { state: None, value });
    }
    if let Some(i) = absolute.iter().position(|a| !(*a >= 0.0 && a.is_finite())) {
        return Err(Invalid::Tolerance {
            state: Some(i),
            value: absolute[i],
        });
    }
    let steps = [options.initial_step, options.max_step];
    if let Some(value) = steps
        .into_iter()
        .flatten()
        .find(|h| h.is_nan() || *h <= 0.0)
    {
        return Err(Invalid::StepSize { value });
    }
    if let Output::Times(times) = work.output {
        let mut previous = start;
        for (index, &time) in times.iter().enumerate() {
            if !(time >= previous && time <= end) {
                return Err(Invalid::OutputTime { index, time });
            }
            previous = time;
        }
    }
    Ok(())
}
