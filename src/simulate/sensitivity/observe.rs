//! Derivatives of any expressions along a run, from those of the states.

use super::direction::{DirectedSlots, Direction};
use super::varied::VariedStart;
use crate::kernel::{Kernels, Parameters, Scratch, SharedKernel};
use crate::simulate::Solution;
use crate::symbolic::{Expr, Pool};
use crate::system::System;
use std::sync::Arc;

/// The derivatives of expressions at every row: for each varied quantity of `start` the numbers of
/// the expressions one after the other, quantity after quantity, row after row.
///
/// `parameters` are those of the run's start; `pool` is the system's own or a continuation of it.
#[must_use]
pub fn observed_sensitivities(
    system: &System,
    kernels: &Kernels,
    (pool, exprs): (&Arc<Pool>, &[Expr]),
    solution: &Solution,
    parameters: &[f64],
    start: &VariedStart,
) -> Vec<f64> {
    let tangent = kernels.tangent(pool, exprs);
    let rows: Vec<usize> = (0..solution.times.len()).collect();
    let looks = Looks {
        solution,
        parameters,
        rows: &rows,
        own: None,
    };
    looks.directed(system, &tangent, start)
}

/// Sets parameters in place for the look at a position.
pub type OwnValues<'a> = dyn Fn(usize, &mut [f64]) + 'a;

/// Moments of a run at which expressions are looked at.
#[derive(Clone, Copy)]
pub struct Looks<'a> {
    /// The run.
    pub solution: &'a Solution,
    /// The parameters that it began with.
    pub parameters: &'a [f64],
    /// The rows of the solution that are looked at, in order, some of them several times.
    pub rows: &'a [usize],
    /// Sets the parameters that a look has for itself (covariates of data), on top of those that
    /// hold there; it is handed the position in `rows`.
    pub own: Option<&'a OwnValues<'a>>,
}

impl Looks<'_> {
    /// The numbers of a function, look after look.
    #[must_use]
    pub fn values(&self, kernel: &SharedKernel) -> Vec<f64> {
        let width = kernel.out_len();
        let mut out = vec![0.0; self.rows.len() * width];
        let mut parameters = Parameters::new(self.parameters);
        let mut changes = self.solution.parameter_changes.iter().peekable();
        let mut scratch = Scratch::new();
        let looks = self.rows.iter().zip(out.chunks_exact_mut(width.max(1)));
        for (at, (&row, out)) in looks.enumerate() {
            while let Some((_, values)) = changes.next_if(|(from, _)| *from <= row) {
                parameters.assign(values);
            }
            let (Some(state), Some(time)) = (self.solution.row(row), self.solution.times.get(row))
            else {
                break;
            };
            if let Some(own) = self.own {
                parameters.update(|numbers| own(at, numbers));
            }
            let slots = self.solution.slots_of(row);
            kernel.call(*time, state, &parameters, slots, out, &mut scratch);
        }
        out
    }

    /// The derivatives of a function compiled by [`Kernels::tangent`]: for each varied quantity of
    /// `start` its numbers, quantity after quantity, look after look.
    #[must_use]
    pub fn directed(
        &self,
        system: &System,
        tangent: &SharedKernel,
        start: &VariedStart,
    ) -> Vec<f64> {
        let (n, m, width) = (system.states.len(), start.varied.len(), tangent.out_len());
        let solution = self.solution;
        let mut out = vec![0.0; self.rows.len() * m * width];
        let mut parameters = Parameters::new(self.parameters);
        let mut changes = solution.parameter_changes.iter().peekable();
        let mut moving = start.moving(system);
        let mut movings = solution.moving_changes.iter().peekable();
        let mut slots = DirectedSlots::new(system);
        let mut scratch = Scratch::new();
        let looks = self
            .rows
            .iter()
            .zip(out.chunks_exact_mut((m * width).max(1)));
        for (at, (&row, out)) in looks.enumerate() {
            while let Some((_, values)) = changes.next_if(|(from, _)| *from <= row) {
                parameters.assign(values);
            }
            while let Some((_, numbers)) = movings.next_if(|(from, _)| *from <= row) {
                moving.take(numbers);
            }
            let moved = solution.sensitivities.get(row * n * m..(row + 1) * n * m);
            let (Some(state), Some(moved)) = (solution.row(row), moved) else {
                break;
            };
            if let Some(own) = self.own {
                parameters.update(|numbers| own(at, numbers));
            }
            slots.set_own_or_zero(solution.slots_of(row));
            for (j, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
                let direction = Direction {
                    time: 0.0,
                    states: &moved[j * n..(j + 1) * n],
                    parameters: moving.parameters_of(j),
                    slots: moving.slots_of(j),
                };
                slots.set(0, direction);
                let time = solution.times[row];
                tangent.call(time, state, &parameters, slots.numbers(), out, &mut scratch);
            }
        }
        out
    }
}
