//! The numbers of directions, in the slots where tangent functions read them.

use crate::system::System;

/// One direction: how time, states, parameters and slots move.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direction<'a> {
    /// dt
    pub time: f64,
    /// As many as states, or empty for zeros; so are the others.
    pub states: &'a [f64],
    /// dp
    pub parameters: &'a [f64],
    /// Of inputs, infusions and delayed values.
    pub slots: &'a [f64],
}

/// The slots of a function of directions: the system's own, then both directions.
#[derive(Debug, Clone)]
pub struct DirectedSlots {
    numbers: Vec<f64>,
    /// Where the system's own end, and the widths of states, parameters and slots.
    own: usize,
    widths: [usize; 3],
}

impl DirectedSlots {
    /// All numbers are zero.
    #[must_use]
    pub fn new(system: &System) -> DirectedSlots {
        DirectedSlots {
            numbers: vec![0.0; system.slots_with_directions()],
            own: system.slots.len(),
            widths: [
                system.states.len(),
                system.parameters.len(),
                system.slots.len(),
            ],
        }
    }

    /// The whole, as a kernel reads it.
    #[must_use]
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Takes the slots that hold now.
    pub(super) fn set_own(&mut self, slots: &[f64]) {
        self.numbers[..self.own].copy_from_slice(slots);
    }

    /// The same where a system without slots keeps none.
    pub(super) fn set_own_or_zero(&mut self, slots: &[f64]) {
        if slots.len() == self.own {
            self.set_own(slots);
        }
    }

    /// Sets direction 0 or 1.
    ///
    /// # Panics
    /// When a part has another length than the system's, or there is no such direction.
    pub fn set(&mut self, which: usize, direction: Direction<'_>) {
        let width = 1 + self.widths.iter().sum::<usize>();
        let mut at = self.own + which * width;
        self.numbers[at] = direction.time;
        at += 1;
        let parts = [direction.states, direction.parameters, direction.slots];
        for (part, width) in parts.into_iter().zip(self.widths) {
            let place = &mut self.numbers[at..at + width];
            if part.is_empty() {
                place.fill(0.0);
            } else {
                place.copy_from_slice(part);
            }
            at += width;
        }
    }
}

/// How parameters and slots move with each varied quantity. It changes at interruptions only, but for
/// delayed values, which move with the time of each evaluation.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::simulate) struct Moving {
    /// One row per quantity: parameters, then slots.
    numbers: Vec<f64>,
    parameters: usize,
    slots: usize,
}

impl Moving {
    /// Slots do not move at first.
    pub fn new(parameters: &[Vec<f64>], widths: (usize, usize)) -> Moving {
        let mut moving = Moving {
            numbers: vec![0.0; parameters.len() * (widths.0 + widths.1)],
            parameters: widths.0,
            slots: widths.1,
        };
        for (j, row) in parameters.iter().enumerate() {
            moving.parameters_of_mut(j).copy_from_slice(row);
        }
        moving
    }

    /// All numbers, to be kept and [taken](Moving::take) again.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    pub fn take(&mut self, numbers: &[f64]) {
        self.numbers.copy_from_slice(numbers);
    }

    pub fn parameters_of(&self, j: usize) -> &[f64] {
        let from = j * (self.parameters + self.slots);
        &self.numbers[from..from + self.parameters]
    }

    pub fn parameters_of_mut(&mut self, j: usize) -> &mut [f64] {
        let from = j * (self.parameters + self.slots);
        &mut self.numbers[from..from + self.parameters]
    }

    pub fn slots_of(&self, j: usize) -> &[f64] {
        let from = j * (self.parameters + self.slots) + self.parameters;
        &self.numbers[from..from + self.slots]
    }

    pub fn slots_of_mut(&mut self, j: usize) -> &mut [f64] {
        let from = j * (self.parameters + self.slots) + self.parameters;
        &mut self.numbers[from..from + self.slots]
    }
}
