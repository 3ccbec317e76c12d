//! The declared values of a model, for tests that need no session.

use crate::kernel::{Kernels, Parameters, Scratch};
use crate::system::System;

/// Parameters and initial values.
pub(in crate::simulate) fn declared(system: &System, kernels: &Kernels) -> (Vec<f64>, Vec<f64>) {
    let zero = vec![0.0; system.dimension()];
    let slots = vec![0.0; system.slots.len()];
    let numbers = |exprs: &[_], parameters: &[f64]| {
        let kernel = kernels.function(&system.pool, exprs);
        let mut out = vec![0.0; kernel.out_len()];
        let parameters = Parameters::new(parameters);
        let scratch = &mut Scratch::new();
        kernel.call(0.0, &zero, &parameters, &slots, &mut out, scratch);
        out
    };
    let mut parameters = vec![0.0; system.parameters.len()];
    for _ in 0..=system.followers.len() {
        parameters = numbers(&system.parameter_values, &parameters);
    }
    let initial = numbers(&system.initial, &parameters);
    (parameters, initial)
}
