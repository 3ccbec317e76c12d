//! The exact transition of linear equations with additive noise, as a step of any length.
//!
//! In: a system whose transition is known ([`crate::system::has_exact_transition`]). Out: a
//! [`Rule`], and transitions for who makes many paths at once. A, b and B are read anew at every
//! restart; transitions of intervals that differ by rounding only are computed once.

use super::rules::Rule;
use crate::kernel::{Kernel, Kernels, Parameters, Scratch};
use crate::linalg::Transition;
use crate::simulate::CompiledDynamics;
use crate::simulate::stepper::StepFailure;
use crate::system::System;

/// Transitions that are kept, and how many numbers these may have in all.
const MOST_KEPT: usize = 64;
const MOST_NUMBERS: usize = 1 << 21;
/// Intervals that differ by no more than this share of the time are one.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// dy = (A y + b) dt + B dW with its numbers, and the transitions that were computed from them.
#[derive(Debug, Clone, Default)]
pub struct Transitions {
    n: usize,
    matrix: Vec<f64>,
    constant: Vec<f64>,
    /// B B^T.
    squared: Vec<f64>,
    kept: Vec<(f64, Transition)>,
    computed: u64,
}

impl Transitions {
    /// Reads A, b and B by `evaluate`, which calls a function of the system at the state 0 with
    /// the parameters and slots that hold.
    fn read(
        &mut self,
        system: &System,
        kernels: &Kernels,
        mut evaluate: impl FnMut(&dyn Kernel, &mut [f64]),
    ) {
        let n = system.dimension();
        let mut numbers = |kernel: &dyn Kernel| {
            let mut out = vec![0.0; kernel.out_len()];
            evaluate(kernel, &mut out);
            out
        };
        let constant = numbers(&**kernels.frozen_drift());
        let mut matrix = vec![0.0; n * n];
        let entries = numbers(&**kernels.frozen_jacobian());
        for ((row, column), entry) in system.frozen_jacobian.pattern.places().zip(entries) {
            matrix[column * n + row] = entry;
        }
        let mut squared = vec![0.0; n * n];
        if let Some(noise) = &system.noise {
            let entries = numbers(&**kernels.diffusion());
            let pattern = &noise.diffusion.pattern;
            for (column, ends) in pattern.column_starts.windows(2).enumerate() {
                let own = entries.get(ends[0]..ends[1]).unwrap_or_default();
                let rows = pattern.column(column);
                for (i, a) in rows.iter().zip(own) {
                    for (j, b) in rows.iter().zip(own) {
                        squared[j * n + i] += a * b;
                    }
                }
            }
        }
        if (self.n, &self.matrix, &self.constant, &self.squared)
            != (n, &matrix, &constant, &squared)
        {
            self.kept.clear();
        }
        (self.n, self.matrix) = (n, matrix);
        (self.constant, self.squared) = (constant, squared);
    }

    /// The transition over an interval that ends at about `time`.
    pub fn of(&mut self, interval: f64, time: f64) -> &Transition {
        let slack = ROUNDING * time.abs().max(interval);
        let same = |known: &(f64, Transition)| (known.0 - interval).abs() <= slack;
        let at = match self.kept.iter().position(same) {
            Some(at) => at,
            None => {
                let most = (MOST_NUMBERS / (2 * self.n * self.n).max(1)).clamp(2, MOST_KEPT);
                if self.kept.len() >= most {
                    // The oldest.
                    self.kept.remove(0);
                }
                let (n, a, b) = (self.n, &self.matrix, &self.constant);
                let transition = Transition::new(n, a, b, &self.squared, interval);
                self.computed += 1;
                self.kept.push((interval, transition));
                self.kept.len() - 1
            }
        };
        &self.kept[at].1
    }
}

/// The transitions of a system at some parameters, without interruptions.
#[must_use]
pub fn exact_transitions(
    system: &System,
    kernels: &Kernels,
    parameters: &Parameters,
    time: f64,
) -> Transitions {
    let mut transitions = Transitions::default();
    let zero = vec![0.0; system.dimension()];
    let slots = vec![0.0; system.slots.len()];
    let scratch = &mut Scratch::new();
    transitions.read(system, kernels, |kernel, out| {
        kernel.call(time, &zero, parameters, &slots, out, scratch);
    });
    transitions
}

/// y1 = P y + c + L z.
pub(super) struct Exact<'s> {
    system: &'s System,
    kernels: &'s Kernels,
    dynamics: &'s CompiledDynamics<'s>,
    transitions: Transitions,
    step: f64,
    normals: Vec<f64>,
    /// P y and L z.
    moved: Vec<f64>,
    spread: Vec<f64>,
}

impl<'s> Exact<'s> {
    pub fn new(
        system: &'s System,
        kernels: &'s Kernels,
        dynamics: &'s CompiledDynamics<'s>,
    ) -> Exact<'s> {
        Exact {
            transitions: Transitions::default(),
            step: 0.0,
            normals: vec![0.0; system.dimension()],
            moved: vec![0.0; system.dimension()],
            spread: vec![0.0; system.dimension()],
            system,
            kernels,
            dynamics,
        }
    }
}

impl Rule for Exact<'_> {
    fn restart(&mut self, time: f64) {
        let zero = vec![0.0; self.system.dimension()];
        let dynamics = self.dynamics;
        dynamics.refresh(time, &zero);
        let scratch = &mut Scratch::new();
        self.transitions
            .read(self.system, self.kernels, |kernel, out| {
                dynamics.evaluate(kernel, time, &zero, out, scratch);
            });
    }

    fn set_step(&mut self, step: f64) {
        self.step = step;
    }

    fn normals(&mut self) -> &mut [f64] {
        &mut self.normals
    }

    fn advance(&mut self, time: f64, state: &[f64], next: &mut [f64]) -> Result<(), StepFailure> {
        let transition = self.transitions.of(self.step, time + self.step);
        product(&transition.propagator, state, &mut self.moved);
        product(&transition.factor, &self.normals, &mut self.spread);
        let parts = transition.shift.iter().zip(&self.moved).zip(&self.spread);
        for (next, ((shift, moved), spread)) in next.iter_mut().zip(parts) {
            *next = (shift + moved) + spread;
        }
        Ok(())
    }

    fn factorisations(&self) -> u64 {
        self.transitions.computed
    }
}

/// M x into `sum`, column by column: as paths side by side sum it.
fn product(matrix: &[f64], x: &[f64], sum: &mut [f64]) {
    let columns = x.iter().zip(matrix.chunks_exact(sum.len().max(1)));
    for (at, (factor, column)) in columns.enumerate() {
        for (sum, entry) in sum.iter_mut().zip(column) {
            let term = entry * factor;
            *sum = if at == 0 { term } else { *sum + term };
        }
    }
}
