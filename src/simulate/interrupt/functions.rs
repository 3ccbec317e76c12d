//! The functions of the system that interruptions need, evaluated with the parameters and slots
//! that hold.
//!
//! In: positions of events and doses, times, states. Out: numbers.

use super::super::{CompiledDynamics, Problem};
use crate::kernel::{Kernels, Scratch};
use crate::system::System;

/// Compiled functions with their working space.
pub(super) struct Functions<'p> {
    pub system: &'p System,
    kernels: &'p Kernels,
    dynamics: &'p CompiledDynamics<'p>,
    guards: Scratch,
    rates: Scratch,
    triggers: Scratch,
    /// For what is evaluated seldom.
    scratch: Scratch,
}

impl<'p> Functions<'p> {
    pub fn new(problem: &'p Problem<'p>, dynamics: &'p CompiledDynamics<'p>) -> Functions<'p> {
        Functions {
            system: problem.system,
            kernels: problem.kernels,
            dynamics,
            guards: Scratch::new(),
            rates: Scratch::new(),
            triggers: Scratch::new(),
            scratch: Scratch::new(),
        }
    }

    /// Values and rates of all guards.
    pub fn guards(&mut self, t: f64, y: &[f64], values: &mut [f64], rates: &mut [f64]) {
        let dynamics = self.dynamics;
        dynamics.refresh(t, y);
        dynamics.evaluate(&**self.kernels.guards(), t, y, values, &mut self.guards);
        dynamics.evaluate(&**self.kernels.guard_rates(), t, y, rates, &mut self.rates);
    }

    /// 1 per event whose condition holds, as the modes tell.
    pub fn triggers(&mut self, t: f64, y: &[f64], out: &mut [f64]) {
        let kernel = &**self.kernels.triggers();
        self.dynamics
            .evaluate(kernel, t, y, out, &mut self.triggers);
    }

    /// Delay and priority of an event.
    pub fn event_terms(&mut self, event: usize, t: f64, y: &[f64]) -> (f64, f64) {
        let kernel = &**self.kernels.event_terms();
        let mut terms = vec![0.0; kernel.out_len()];
        self.dynamics
            .evaluate(kernel, t, y, &mut terms, &mut self.scratch);
        let term = |at: usize| terms.get(at).copied().unwrap_or(0.0);
        (term(2 * event), term(2 * event + 1))
    }

    /// What an event would set, from what holds.
    pub fn jump(&mut self, event: usize, t: f64, y: &[f64]) -> Vec<f64> {
        let kernel = &**self.kernels.jump(event);
        let mut values = vec![0.0; kernel.out_len()];
        self.dynamics
            .evaluate(kernel, t, y, &mut values, &mut self.scratch);
        values
    }

    /// Amount, duration and lag of a dose; `amount` is AMT of the table's row.
    pub fn dose_terms(&mut self, dose: usize, t: f64, y: &[f64], amount: f64) -> [f64; 3] {
        let amounts = self.system.slots.amount.clone();
        self.dynamics.slots_mut()[amounts.clone()].fill(amount);
        let mut terms = [0.0; 3];
        let kernel = &**self.kernels.dose_terms(dose);
        self.dynamics
            .evaluate(kernel, t, y, &mut terms, &mut self.scratch);
        self.dynamics.slots_mut()[amounts].fill(0.0);
        terms
    }

    /// What an amount is divided by where it enters this place of the state vector.
    pub fn volume(&mut self, into: usize, t: f64, y: &[f64]) -> f64 {
        let kernel = &**self.kernels.volumes();
        let mut volumes = vec![1.0; kernel.out_len()];
        self.dynamics
            .evaluate(kernel, t, y, &mut volumes, &mut self.scratch);
        volumes.get(into).copied().unwrap_or(1.0)
    }

    /// The numbers of all schedules.
    pub fn schedules(&mut self, t: f64, y: &[f64]) -> Vec<f64> {
        let kernel = &**self.kernels.schedules();
        let mut numbers = vec![0.0; kernel.out_len()];
        self.dynamics
            .evaluate(kernel, t, y, &mut numbers, &mut self.scratch);
        numbers
    }

    /// What the parameters that follow others should be.
    pub fn followers(&mut self, t: f64, y: &[f64]) -> Vec<f64> {
        let kernel = &**self.kernels.followers();
        let mut values = vec![0.0; kernel.out_len()];
        self.dynamics
            .evaluate(kernel, t, y, &mut values, &mut self.scratch);
        values
    }
}
