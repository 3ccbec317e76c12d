//! From the name of a method to its stepper.

use super::stepper::{Start, StepFailure, Stepper, Watched};
use super::{Method, exponential, rodas, tsit5};

/// Builds the stepper that `start` asks for and lends it to `run`.
pub(super) fn with_stepper<R>(
    system: &Watched<'_>,
    start: &Start<'_>,
    run: impl FnOnce(&mut dyn Stepper) -> R,
) -> Result<R, StepFailure> {
    match start.method {
        Method::Tsit5 => Ok(tsit5::with_stepper(system, start, run)),
        Method::Rodas => Ok(rodas::with_stepper(system, start, run)),
        Method::Exponential => exponential::with_stepper(system, start, run),
        _ => super::diffsol::with_stepper(system, start, run),
    }
}
