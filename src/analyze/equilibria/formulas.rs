//! The right-hand side as a program over intervals.

use crate::system::System;

/// The right-hand side of a system, ready to be evaluated over boxes.
#[derive(Debug, Clone)]
pub struct Formulas {
    dimension: usize,
}

impl Formulas {
    /// The drift of a system at rest (`System::drift`), with the numbers of its parameters. `None`
    /// when it has an operation that has no interval form here.
    #[must_use]
    pub fn of(system: &System, time: f64, parameters: &[f64]) -> Option<Formulas> {
        let _ = (time, parameters);
        Some(Formulas {
            dimension: system.dimension(),
        })
    }

    /// The number of states.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }
}
