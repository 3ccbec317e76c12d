//! Compiled kernels as the right-hand side of a run.

use super::Dynamics;
use super::exponential::MOST_STATES;
use crate::kernel::{Kernel, Kernels, Parameters, Scratch, SharedKernel};
use crate::system::{System, linear_form};
use std::cell::{Ref, RefCell, RefMut};
use std::sync::Arc;

/// The frozen drift of a compiled system with its derivatives, for one thread.
///
/// Parameters and slots belong to it and change between steps, never within one: that is how
/// events, doses and switches reach the equations.
pub struct CompiledDynamics<'s> {
    system: &'s System,
    drift: SharedKernel,
    jacobian: SharedKernel,
    time_derivative: SharedKernel,
    is_autonomous: bool,
    is_linear: bool,
    parameters: RefCell<Parameters>,
    slots: RefCell<Vec<f64>>,
    drift_scratch: RefCell<Scratch>,
    jacobian_scratch: RefCell<Scratch>,
    time_scratch: RefCell<Scratch>,
}

impl<'s> CompiledDynamics<'s> {
    /// `parameters` in the order of the system's parameter vector; slots are zero.
    #[must_use]
    pub fn new(system: &'s System, kernels: &Kernels, parameters: Vec<f64>) -> Self {
        CompiledDynamics {
            drift: Arc::clone(kernels.frozen_drift()),
            jacobian: Arc::clone(kernels.frozen_jacobian()),
            time_derivative: Arc::clone(kernels.time_derivative()),
            is_autonomous: system.time_derivative.is_empty(),
            is_linear: linear_form(system),
            parameters: RefCell::new(Parameters::new(parameters)),
            slots: RefCell::new(vec![0.0; system.slots.len()]),
            drift_scratch: RefCell::new(Scratch::new()),
            jacobian_scratch: RefCell::new(Scratch::new()),
            time_scratch: RefCell::new(Scratch::new()),
            system,
        }
    }

    /// Evaluates any function of the system at this point, with the parameters and slots that
    /// hold now.
    pub fn evaluate(
        &self,
        kernel: &dyn Kernel,
        t: f64,
        y: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) {
        kernel.call(
            t,
            y,
            &self.parameters.borrow(),
            &self.slots.borrow(),
            out,
            scratch,
        );
    }

    /// The parameters that hold now.
    pub fn parameters(&self) -> Ref<'_, Parameters> {
        self.parameters.borrow()
    }

    /// Lets `change` alter the parameters.
    pub fn update_parameters<T>(&self, change: impl FnOnce(&mut [f64]) -> T) -> T {
        self.parameters.borrow_mut().update(change)
    }

    /// The slots that hold now.
    pub fn slots(&self) -> Ref<'_, Vec<f64>> {
        self.slots.borrow()
    }

    /// The slots, to be changed.
    pub fn slots_mut(&self) -> RefMut<'_, Vec<f64>> {
        self.slots.borrow_mut()
    }
}

/// Whether [`super::Method::Auto`] takes the exact solution: for linear equations of few states,
/// unless the run is so long that it would lose digits.
#[must_use]
pub fn has_exact_solution(system: &System) -> bool {
    linear_form(system) && system.dimension() <= MOST_STATES
}

impl Dynamics for CompiledDynamics<'_> {
    fn dimension(&self) -> usize {
        self.drift.out_len()
    }

    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) {
        let scratch = &mut *self.drift_scratch.borrow_mut();
        self.evaluate(&*self.drift, t, y, dy, scratch);
    }

    fn pattern(&self) -> (&[usize], &[usize]) {
        let pattern = &self.system.frozen_jacobian.pattern;
        (&pattern.column_starts, &pattern.row_indices)
    }

    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]) {
        let scratch = &mut *self.jacobian_scratch.borrow_mut();
        self.evaluate(&*self.jacobian, t, y, entries, scratch);
    }

    fn is_autonomous(&self) -> bool {
        self.is_autonomous
    }

    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]) {
        if self.is_autonomous {
            out.fill(0.0);
            return;
        }
        let scratch = &mut *self.time_scratch.borrow_mut();
        self.evaluate(&*self.time_derivative, t, y, out, scratch);
    }

    fn is_linear(&self) -> bool {
        self.is_linear
    }

    fn algebraic(&self) -> &[bool] {
        &self.system.algebraic
    }
}
