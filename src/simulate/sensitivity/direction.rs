//! The numbers of directions, in the slots where tangent functions read them.

use crate::system::System;

/// One direction: how time, states, parameters and slots move.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direction<'a> {
    pub time: f64,
    /// As many as states, or empty for zeros; so are the others.
    pub states: &'a [f64],
    pub parameters: &'a [f64],
    pub slots: &'a [f64],
}

/// The slots of a function of directions: the system's own, then both directions.
#[derive(Debug, Clone)]
pub(super) struct DirectedSlots {
    numbers: Vec<f64>,
    /// Where the system's own end, and the widths of states, parameters and slots.
    own: usize,
    widths: [usize; 3],
}

impl DirectedSlots {
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
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Takes the slots that hold now.
    pub fn set_own(&mut self, slots: &[f64]) {
        self.numbers[..self.own].copy_from_slice(slots);
    }

    /// Sets direction 0 or 1.
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
