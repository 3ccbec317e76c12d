//! What is varied, and how parameters and initial values move with it at the start.
//!
//! Enters: positions in the parameter or state vector, the values that hold. Leaves: dp/dtheta and
//! dy/dtheta at the start, parameters and initial values that follow others included.

use super::direction::{DirectedSlots, Direction, Moving};
use crate::kernel::{Kernels, Parameters, Scratch};
use crate::system::System;

/// A quantity that a run is differentiated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varied {
    /// The parameter at this position of the parameter vector.
    Parameter(usize),
    /// The initial value at this position of the state vector.
    Initial(usize),
}

/// Which values were set and do not follow the expressions that the model gives for them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held<'a> {
    /// One per parameter block; empty for none.
    pub parameters: &'a [bool],
    /// One per number of the state vector; empty for none.
    pub initial: &'a [bool],
}

/// How a run begins, with derivatives by the varied quantities.
#[derive(Debug, Clone, PartialEq)]
pub struct VariedStart {
    /// What is varied: m quantities.
    pub varied: Vec<Varied>,
    /// The value of each: derivatives are judged in units of the state over this. Where it is
    /// zero, 1 stands for it.
    pub scales: Vec<f64>,
    /// The state and its m derivatives, n numbers each.
    pub state: Vec<f64>,
    /// One row per varied quantity: how each parameter moves with it.
    pub parameters: Vec<Vec<f64>>,
}

impl VariedStart {
    /// Differentiates the values that `parameters` and `initial` hold at `time`.
    #[must_use]
    pub fn new(
        system: &System,
        kernels: &Kernels,
        time: f64,
        parameters: &[f64],
        initial: &[f64],
        varied: &[Varied],
        held: Held<'_>,
    ) -> VariedStart {
        let values = Values {
            system,
            kernels,
            time,
            parameters: Parameters::new(parameters),
            initial,
            held,
        };
        let mut start = VariedStart {
            varied: varied.to_vec(),
            scales: Vec::with_capacity(varied.len()),
            state: initial.to_vec(),
            parameters: Vec::with_capacity(varied.len()),
        };
        for quantity in varied {
            let value = match *quantity {
                Varied::Parameter(at) => parameters.get(at),
                Varied::Initial(at) => initial.get(at),
            };
            let value = value.map_or(1.0, |value| value.abs());
            let usable = value.is_finite() && value > 0.0;
            start.scales.push(if usable { value } else { 1.0 });
            let moved = values.parameters_along(*quantity);
            start.state.extend(values.initial_along(*quantity, &moved));
            start.parameters.push(moved);
        }
        start
    }

    /// How parameters and slots move as the run begins.
    pub(super) fn moving(&self, system: &System) -> Moving {
        let widths = (system.parameters.len(), system.slots.len());
        Moving::new(&self.parameters, widths)
    }
}

/// The values at the start with what they follow from.
struct Values<'a> {
    system: &'a System,
    kernels: &'a Kernels,
    time: f64,
    parameters: Parameters,
    initial: &'a [f64],
    held: Held<'a>,
}

impl Values<'_> {
    /// dp/dtheta: 1 at the quantity itself, and what follows from it.
    fn parameters_along(&self, quantity: Varied) -> Vec<f64> {
        let system = self.system;
        let mut moved = vec![0.0; system.parameters.len()];
        let Varied::Parameter(at) = quantity else {
            return moved;
        };
        let Some(own) = moved.get_mut(at) else {
            return moved;
        };
        *own = 1.0;
        for &block in &system.followers {
            let is_held = self.held.parameters.get(block).copied().unwrap_or(false);
            let place = system.parameters.blocks()[block].range();
            if is_held || place.contains(&at) {
                continue;
            }
            let value = system.parameter_values[block];
            let tangent = self.tangent(&[value], &[], &moved, place.len());
            moved[place].copy_from_slice(&tangent);
        }
        moved
    }

    /// dy/dtheta. Initial values may follow from each other: the longest chain is as long as there
    /// are states, and values settle when it is walked.
    fn initial_along(&self, quantity: Varied, parameters: &[f64]) -> Vec<f64> {
        let n = self.initial.len();
        let own = match quantity {
            Varied::Initial(at) => Some(at),
            Varied::Parameter(_) => None,
        };
        let mut moved = vec![0.0; n];
        for _ in 0..=self.system.states.blocks().len() {
            let mut next = self.tangent(&self.system.initial, &moved, parameters, n);
            for (at, value) in next.iter_mut().enumerate() {
                if own == Some(at) {
                    *value = 1.0;
                } else if self.held.initial.get(at).copied().unwrap_or(false) {
                    *value = 0.0;
                }
            }
            if next == moved {
                break;
            }
            moved = next;
        }
        moved
    }

    fn tangent(
        &self,
        exprs: &[crate::symbolic::Expr],
        states: &[f64],
        parameters: &[f64],
        len: usize,
    ) -> Vec<f64> {
        let kernel = self.kernels.tangent(&self.system.pool, exprs);
        let mut slots = DirectedSlots::new(self.system);
        slots.set(
            0,
            Direction {
                time: 0.0,
                states,
                parameters,
                slots: &[],
            },
        );
        let mut out = vec![0.0; len];
        kernel.call(
            self.time,
            self.initial,
            &self.parameters,
            slots.numbers(),
            &mut out,
            &mut Scratch::new(),
        );
        out
    }
}
