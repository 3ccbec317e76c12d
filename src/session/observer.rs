//! Who looks on while a command runs.
//!
//! Enters: how much of the work is done, and what it is at, as data. Leaves: nothing. Must not know
//! how it is shown.

/// What a long computation is at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Searches of a fit.
    Search(crate::fit::Progress),
    /// The chains of a posterior.
    Draws {
        /// Draws done, those for tuning included.
        done: usize,
        /// Of how many.
        all: usize,
        /// Divergences so far.
        divergences: usize,
    },
    /// The weight of a penalty is chosen.
    Weights(crate::fit::cells::Tried),
}

/// Looks on while a command runs, from any of its threads.
pub trait Observer: Send {
    /// `fraction` of the work is done, from 0 to 1.
    fn progress(&mut self, fraction: f64) {
        let _ = fraction;
    }

    /// The same with what it is at; the fraction is not a number where nobody knows it.
    fn at(&mut self, fraction: f64, stage: &Stage) {
        let _ = stage;
        self.progress(fraction);
    }
}

/// An observer that sees nothing.
impl Observer for () {}
