//! Compiled kernels as the right-hand side of a run.

use super::Dynamics;
use crate::kernel::{Kernels, Parameters, Scratch, SharedKernel};
use crate::symbolic::Pattern;
use std::cell::RefCell;
use std::sync::Arc;

/// The drift and Jacobian of a compiled system with fixed parameters, for one thread.
pub struct CompiledDynamics<'s> {
    drift: SharedKernel,
    jacobian: SharedKernel,
    pattern: &'s Pattern,
    parameters: Parameters,
    drift_scratch: RefCell<Scratch>,
    jacobian_scratch: RefCell<Scratch>,
}

impl<'s> CompiledDynamics<'s> {
    /// `parameters` in the order of the system's parameter vector; `pattern` is the system's.
    #[must_use]
    pub fn new(kernels: &Kernels, pattern: &'s Pattern, parameters: Vec<f64>) -> Self {
        CompiledDynamics {
            drift: Arc::clone(kernels.drift()),
            jacobian: Arc::clone(kernels.jacobian()),
            pattern,
            parameters: Parameters::new(parameters),
            drift_scratch: RefCell::new(Scratch::new()),
            jacobian_scratch: RefCell::new(Scratch::new()),
        }
    }
}

impl Dynamics for CompiledDynamics<'_> {
    fn dimension(&self) -> usize {
        self.drift.out_len()
    }

    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) {
        let scratch = &mut *self.drift_scratch.borrow_mut();
        self.drift.call(t, y, &self.parameters, &[], dy, scratch);
    }

    fn pattern(&self) -> (&[usize], &[usize]) {
        (&self.pattern.column_starts, &self.pattern.row_indices)
    }

    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]) {
        let scratch = &mut *self.jacobian_scratch.borrow_mut();
        self.jacobian
            .call(t, y, &self.parameters, &[], entries, scratch);
    }
}
