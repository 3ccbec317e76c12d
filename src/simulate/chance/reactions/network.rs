//! Numbers of molecules, and how often each reaction happens with them.
//!
//! Enters: a system whose reactions are counted, compiled; states as a run sees them. Leaves:
//! propensities, and states after single reactions. Must not know which reaction comes next.
//!
//! Numbers of molecules are whole numbers of f64, exact up to 2^53; the state vector follows from
//! them, y = n / (V size), so that no rounding adds up.

use crate::kernel::{Kernels, Scratch, SharedKernel};
use crate::simulate::clock::Clock;
use crate::simulate::{CompiledDynamics, Problem, Stop};
use crate::system::{Channel, Law, Propensities};
use std::sync::Arc;

/// Numbers of molecules beyond this are not counted one by one: 2^53.
pub(super) const MOST_MOLECULES: f64 = 9_007_199_254_740_992.0;

/// How far a number may be from a whole one to be read as that, relative to its size: what
/// dividing by a volume and multiplying again leaves.
const ROUNDING: f64 = 1e-9;

/// The reactions of one path.
pub(super) struct Network<'p> {
    pub propensities: &'p Propensities,
    kernels: &'p Kernels,
    dynamics: &'p CompiledDynamics<'p>,
    /// Of free laws.
    laws: Vec<Option<(SharedKernel, Scratch)>>,
    /// Of mass action, for the parameters that hold.
    constants: Vec<f64>,
    /// Molecules per unit, for the parameters that hold.
    scales: Vec<f64>,
    /// Numbers of molecules; values where nothing is counted.
    pub counts: Vec<f64>,
    scratch: Scratch,
    clock: Clock,
    /// Evaluations of propensities.
    pub evaluations: u64,
}

impl<'p> Network<'p> {
    /// `None` when the system's reactions are not counted.
    pub fn new(
        problem: &'p Problem<'p>,
        dynamics: &'p CompiledDynamics<'p>,
        clock: Clock,
    ) -> Option<Network<'p>> {
        let propensities = &**problem.system.propensities.as_ref()?;
        let channels = propensities.channels.iter().enumerate();
        let kernels = problem.kernels;
        let law = |(at, channel): (usize, &Channel)| match channel.law {
            Law::MassAction(_) => None,
            Law::Free(_) => Some((Arc::clone(kernels.propensity(at)), Scratch::new())),
        };
        Some(Network {
            laws: channels.map(law).collect(),
            constants: vec![0.0; propensities.channels.len()],
            scales: vec![1.0; propensities.counted.len()],
            counts: vec![0.0; propensities.counted.len()],
            scratch: Scratch::new(),
            evaluations: 0,
            clock,
            propensities,
            kernels,
            dynamics,
        })
    }

    /// How many channels there are.
    pub fn len(&self) -> usize {
        self.constants.len()
    }

    /// Takes the parameters that hold at this time, and counts the molecules of a state.
    pub fn adopt(&mut self, time: f64, state: &mut [f64]) -> Result<(), Stop> {
        self.dynamics.refresh(time, state);
        let after = time + self.clock.slack(time);
        let tables = [
            (self.kernels.propensity_constants(), &mut self.constants),
            (self.kernels.molecules(), &mut self.scales),
        ];
        for (kernel, out) in tables {
            self.dynamics
                .evaluate(&**kernel, after, state, out, &mut self.scratch);
        }
        for (at, value) in state.iter_mut().enumerate() {
            if !self.propensities.counted[at] {
                self.counts[at] = *value;
                continue;
            }
            let number = *value * self.scales[at];
            let whole = number.round();
            let is_whole = (number - whole).abs() <= ROUNDING * whole.max(1.0);
            if !(is_whole && (0.0..=MOST_MOLECULES).contains(&whole)) {
                return Err(Stop::Count {
                    time,
                    state: at,
                    count: number,
                    channel: None,
                });
            }
            // No negative zero.
            self.counts[at] = whole + 0.0;
            *value = self.counts[at] / self.scales[at];
        }
        Ok(())
    }

    /// How often a channel happens at this time and state. Conditions of time that change there
    /// have changed.
    #[inline]
    pub fn propensity(&mut self, channel: usize, time: f64, state: &[f64]) -> Result<f64, Stop> {
        self.evaluations += 1;
        let value = match &mut self.laws[channel] {
            None => {
                let mut value = self.constants[channel];
                for (position, coefficient) in &self.propensities.channels[channel].reactants {
                    let count = self.counts[*position];
                    value *= count;
                    for taken in 1..*coefficient {
                        value *= count - f64::from(taken);
                    }
                }
                // Fewer molecules than one event needs: one factor is 0, but others may be less.
                value + 0.0
            }
            Some((kernel, scratch)) => {
                let mut value = [0.0];
                let after = time + self.clock.slack(time);
                self.dynamics
                    .evaluate(&**kernel, after, state, &mut value, scratch);
                value[0]
            }
        };
        if (0.0..f64::INFINITY).contains(&value) {
            return Ok(value);
        }
        Err(Stop::Propensity {
            time,
            channel,
            value,
        })
    }

    /// Lets a channel happen `times` times. Nothing changes when a number would fall below zero or
    /// become too large to be counted.
    #[inline]
    pub fn fire(
        &mut self,
        channel: usize,
        times: f64,
        time: f64,
        state: &mut [f64],
    ) -> Result<(), Stop> {
        let change = &self.propensities.channels[channel].change;
        for (position, by) in change {
            let count = self.counts[*position] + by * times;
            if !(0.0..=MOST_MOLECULES).contains(&count) {
                return Err(Stop::Count {
                    time,
                    state: *position,
                    count,
                    channel: Some(channel),
                });
            }
        }
        for (position, by) in change {
            self.counts[*position] += by * times;
            state[*position] = self.counts[*position] / self.scales[*position];
        }
        Ok(())
    }

    /// The state of the present numbers.
    pub fn write(&self, state: &mut [f64]) {
        for (at, value) in state.iter_mut().enumerate() {
            if self.propensities.counted[at] {
                *value = self.counts[at] / self.scales[at];
            }
        }
    }
}
