//! Derivatives of any expressions along a run, from those of the states.

use super::direction::{DirectedSlots, Direction};
use super::varied::VariedStart;
use crate::kernel::{Kernels, Parameters, Scratch};
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
    let kernel = kernels.tangent(pool, exprs);
    let (n, m, width) = (system.states.len(), start.varied.len(), kernel.out_len());
    let mut out = vec![0.0; solution.times.len() * m * width];
    let mut parameters = Parameters::new(parameters);
    let mut changes = solution.parameter_changes.iter().peekable();
    let mut moving = start.moving(system);
    let mut movings = solution.moving_changes.iter().peekable();
    let mut slots = DirectedSlots::new(system);
    let mut scratch = Scratch::new();
    let rows = out.chunks_exact_mut((m * width).max(1)).enumerate();
    for (row, out) in rows {
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
            kernel.call(time, state, &parameters, slots.numbers(), out, &mut scratch);
        }
    }
    out
}
