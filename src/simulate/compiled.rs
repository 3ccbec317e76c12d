//! Compiled kernels as the right-hand side of a run.

use super::delayed::Delayed;
use super::exponential::MOST_STATES;
use super::interrupt::{Inputs, live_modes};
use super::stepper::all_finite;
use super::{Dynamics, Track};
use crate::kernel::{Kernel, Kernels, Parameters, Scratch, SharedKernel};
use crate::system::{System, linear_form};
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::sync::Arc;

/// The frozen drift of a compiled system with its derivatives, for one thread.
///
/// Parameters and slots belong to it and change between steps, never within one: that is how
/// events, doses and switches reach the equations. Only what comes from tables of inputs and
/// from the past moves with the time of each evaluation, within the piece that holds.
pub struct CompiledDynamics<'s> {
    system: &'s System,
    kernels: &'s Kernels,
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
    inputs: RefCell<Inputs>,
    has_inputs: Cell<bool>,
    delayed: RefCell<Option<Delayed>>,
    has_delays: Cell<bool>,
    /// True when some condition of the drift is read from a mode.
    has_modes: bool,
}

impl<'s> CompiledDynamics<'s> {
    /// `parameters` in the order of the system's parameter vector; slots are zero.
    #[must_use]
    pub fn new(system: &'s System, kernels: &'s Kernels, parameters: Vec<f64>) -> Self {
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
            inputs: RefCell::default(),
            has_inputs: Cell::new(false),
            delayed: RefCell::new(None),
            has_delays: Cell::new(false),
            has_modes: system.guards.iter().any(|guard| guard.in_drift),
            system,
            kernels,
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

    /// Takes the inputs' tables, none of whose times have passed.
    pub(super) fn set_inputs(&self, tracks: &[Track]) {
        let inputs = Inputs::new(self.system, tracks);
        self.has_inputs.set(!inputs.is_empty());
        self.inputs.replace(inputs);
    }

    /// The inputs' pieces in force.
    pub(super) fn inputs_mut(&self) -> RefMut<'_, Inputs> {
        self.inputs.borrow_mut()
    }

    /// Takes the delays of a run that begins.
    pub(super) fn set_delayed(&self, delayed: Delayed) {
        self.has_delays.set(true);
        self.delayed.replace(Some(delayed));
    }

    /// Lets `act` use the delays of the run, if there are any.
    pub(super) fn with_delayed<R>(&self, act: impl FnOnce(&mut Delayed) -> R) -> Option<R> {
        if self.has_delays.get() {
            self.delayed.borrow_mut().as_mut().map(act)
        } else {
            None
        }
    }

    /// Brings what moves with time to (`time`, `y`): the inputs, on the pieces in force, and
    /// delayed values.
    pub(super) fn refresh(&self, time: f64, y: &[f64]) {
        self.with_delayed(|delayed| delayed.fill(time, y, &mut self.slots.borrow_mut()));
        if self.has_inputs.get() {
            self.inputs
                .borrow()
                .fill(time, &mut self.slots.borrow_mut());
        }
    }

    /// One evaluation of a smooth piece. A step may try points beyond the end of its piece, where
    /// the branch that holds there need not exist (a root of a negative number): when the result
    /// is not finite and other branches would be taken at that very point, they are.
    fn piece(
        &self,
        kernel: &dyn Kernel,
        t: f64,
        y: &[f64],
        out: &mut [f64],
        own: &RefCell<Scratch>,
    ) {
        self.refresh(t, y);
        let scratch = &mut *own.borrow_mut();
        self.evaluate(kernel, t, y, out, scratch);
        if self.has_modes && !all_finite(out) && all_finite(y) {
            self.live_piece(kernel, t, y, out, scratch);
        }
    }

    #[cold]
    fn live_piece(
        &self,
        kernel: &dyn Kernel,
        t: f64,
        y: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) {
        let guards = &**self.kernels.guards();
        let mut values = vec![0.0; guards.out_len()];
        let range = self.system.slots.modes.clone();
        let frozen = self.slots.borrow()[range.clone()].to_vec();
        let mut modes = frozen.clone();
        // Guards read modes of other guards.
        for _ in 0..=self.system.guards.len() {
            self.evaluate(guards, t, y, &mut values, &mut Scratch::new());
            let next = live_modes(self.system, &values);
            if next == modes {
                break;
            }
            modes = next;
            self.slots.borrow_mut()[range.clone()].copy_from_slice(&modes);
        }
        if modes == frozen {
            return;
        }
        self.evaluate(kernel, t, y, out, scratch);
        self.slots.borrow_mut()[range].copy_from_slice(&frozen);
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

/// The modes that conditions have at a state, one number for each of the system's: what the
/// frozen drift reads from its slots there.
#[must_use]
pub fn modes_at(
    system: &System,
    kernels: &Kernels,
    time: f64,
    state: &[f64],
    parameters: &Parameters,
) -> Vec<f64> {
    let guards = kernels.guards();
    let mut values = vec![0.0; guards.out_len()];
    let mut slots = vec![0.0; system.slots.len()];
    let mut scratch = Scratch::new();
    let range = system.slots.modes.clone();
    // Guards read modes of other guards.
    for _ in 0..=system.guards.len() {
        guards.call(time, state, parameters, &slots, &mut values, &mut scratch);
        let modes = live_modes(system, &values);
        if slots[range.clone()] == modes {
            break;
        }
        slots[range.clone()].copy_from_slice(&modes);
    }
    slots[range].to_vec()
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
        self.piece(&*self.drift, t, y, dy, &self.drift_scratch);
    }

    fn pattern(&self) -> (&[usize], &[usize]) {
        let pattern = &self.system.frozen_jacobian.pattern;
        (&pattern.column_starts, &pattern.row_indices)
    }

    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]) {
        self.piece(&*self.jacobian, t, y, entries, &self.jacobian_scratch);
    }

    fn is_autonomous(&self) -> bool {
        self.is_autonomous
    }

    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]) {
        if self.is_autonomous {
            out.fill(0.0);
            return;
        }
        self.piece(&*self.time_derivative, t, y, out, &self.time_scratch);
    }

    fn is_linear(&self) -> bool {
        self.is_linear
    }

    fn algebraic(&self) -> &[bool] {
        &self.system.algebraic
    }
}
