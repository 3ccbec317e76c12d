//! The tolerances of a run: as the sentence says, else as suits the method.
//!
//! Enters: the words of a sentence, the state at the start. Leaves: numbers. Must not know how a run
//! is made.

use super::command::Simulate;
use super::compiled::{Compiled, FRACTION_OF_SIZE};
use super::simulate::{Number, fault};
use crate::diagnostic::Diagnostic;
use crate::simulate::Method;

/// The relative tolerance when none is said.
const RELATIVE: f64 = 1e-6;
/// That of a path with noise, whose methods are of lower order.
const RELATIVE_OF_PATHS: f64 = 1e-3;

fn default_of(method: Method) -> f64 {
    if method == Method::Srk {
        RELATIVE_OF_PATHS
    } else {
        RELATIVE
    }
}

/// The absolute tolerance of every state: the one that is stated, else a part of its size, which
/// keeps its distance from the relative tolerance.
pub(super) fn absolute(
    compiled: &Compiled,
    method: Method,
    initial: &[f64],
    stated: Option<f64>,
) -> Vec<f64> {
    let part = FRACTION_OF_SIZE * default_of(method) / RELATIVE;
    compiled.tolerances_of(initial, stated, part)
}

/// The relative tolerance.
///
/// # Errors
/// A number that is none.
pub(super) fn relative(command: &Simulate, number: &Number<'_>) -> Result<f64, Vec<Diagnostic>> {
    let Some(expr) = &command.relative else {
        return Ok(default_of(command.method));
    };
    let value = number(expr)?;
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    Err(fault(
        expr,
        "a relative tolerance lies between 0 and 1",
        value,
        "as in `rtol 1e-8`",
    ))
}

/// The absolute tolerance that a sentence states.
///
/// # Errors
/// A number that is none.
pub(super) fn stated_absolute(
    command: &Simulate,
    number: &Number<'_>,
) -> Result<Option<f64>, Vec<Diagnostic>> {
    let Some(expr) = &command.absolute else {
        return Ok(None);
    };
    let value = number(expr)?;
    if value > 0.0 {
        return Ok(Some(value));
    }
    Err(fault(
        expr,
        "an absolute tolerance is positive",
        value,
        "as in `atol 1e-10`, in the units of the states",
    ))
}
