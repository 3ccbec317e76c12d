//! The small contract between the driver and what interrupts a run.
//!
//! The driver steps through smooth pieces; whoever implements this says where pieces end and what
//! happens there.
//!
//! A state that is handed over may be longer than the state vector: derivatives by parameters
//! ride along behind it.

use super::stepper::{StepFailure, Stepper};
use super::{Occurrence, Stop};

/// What an interruption changed, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Consequence {
    /// Nothing that the solution depends on: steps go on as they were.
    Nothing,
    /// Modes only: the drift is another, but what is shown goes on. Steps start afresh.
    Switch,
    /// Parameters or what enters from outside, but not the state: there is a row before and one
    /// after, and steps start afresh.
    Equations,
    /// The state, and perhaps the equations: there is a row before and one after, and nothing is
    /// known of the length of the next step.
    Jump,
}

/// What interrupts a run.
pub(super) trait Interrupter {
    /// False when nothing ever does.
    const INTERRUPTS: bool = true;

    /// Brings modes and inputs of the start into force; nothing happens yet. Called where the state
    /// of the start has to satisfy constraints first.
    fn prepare(&mut self, _time: f64, _state: &mut [f64]) -> Result<(), Stop> {
        Ok(())
    }

    /// Brings modes, inputs and doses of the start into force; called once, before steps.
    /// The state may jump.
    fn begin(&mut self, time: f64, state: &mut [f64]) -> Result<Consequence, Stop>;

    /// The next time after `time` at which a step must end; infinite when there is none.
    fn next_stop(&mut self, time: f64) -> f64;

    /// Whether [`Self::crossing`] has anything to look for.
    fn has_guards(&self) -> bool {
        Self::INTERRUPTS
    }

    /// Whether something waits for a condition that a state decides.
    fn looks_at_states(&self) -> bool {
        false
    }

    /// Whether a condition may change while the state stays, other than at [`Self::next_stop`].
    fn moves_with_time(&self) -> bool {
        false
    }

    /// The first time after `before`, and up to `until`, at which some guard changes its mode, as
    /// the far end of an interval of round-off length. `None` when none does. Both lie within the
    /// stepper's last step.
    fn crossing(
        &mut self,
        stepper: &mut dyn Stepper,
        before: f64,
        until: f64,
    ) -> Result<Option<f64>, StepFailure>;

    /// Performs what is due at `time`, a stop or a crossing; `state` is that before.
    fn interrupt(&mut self, time: f64, state: &mut [f64]) -> Result<Consequence, Stop>;

    /// An accepted step has become final up to the time `until`, at most the stepper's own; for
    /// who remembers the past.
    fn accepted(
        &mut self,
        stepper: &mut dyn Stepper,
        before: f64,
        until: f64,
    ) -> Result<(), StepFailure>;

    /// How many slots each row carries.
    fn slot_width(&self) -> usize {
        0
    }

    /// The longest step that may be taken now.
    fn longest_step(&self) -> f64 {
        f64::INFINITY
    }

    /// Brings the slots to this time, for onlookers, and appends them to `slots`.
    fn row(&mut self, _time: f64, _state: &[f64], _slots: &mut Vec<f64>) {}

    /// The parameters that hold from now on, if an interruption changed them since this was last
    /// asked.
    fn changed_parameters(&mut self) -> Option<Vec<f64>> {
        None
    }

    /// Algebraic states were fitted to the others: derivatives behind the state follow.
    fn constrained(&mut self, _time: f64, _state: &mut [f64]) {}

    /// How parameters and slots move with the varied quantities from now on, if that changed since
    /// this was last asked.
    fn changed_moving(&mut self) -> Option<Vec<f64>> {
        None
    }

    /// Whether the event that [`super::Output::Event`] shows happened since this was last asked.
    fn has_shown(&mut self) -> bool {
        false
    }

    /// What happened so far.
    fn take_occurrences(&mut self) -> Vec<Occurrence> {
        Vec::new()
    }
}

/// Nothing interrupts.
impl Interrupter for () {
    const INTERRUPTS: bool = false;

    fn begin(&mut self, _: f64, _: &mut [f64]) -> Result<Consequence, Stop> {
        Ok(Consequence::Nothing)
    }

    fn next_stop(&mut self, _: f64) -> f64 {
        f64::INFINITY
    }

    fn crossing(
        &mut self,
        _: &mut dyn Stepper,
        _: f64,
        _: f64,
    ) -> Result<Option<f64>, StepFailure> {
        Ok(None)
    }

    fn interrupt(&mut self, _: f64, _: &mut [f64]) -> Result<Consequence, Stop> {
        Ok(Consequence::Nothing)
    }

    fn accepted(&mut self, _: &mut dyn Stepper, _: f64, _: f64) -> Result<(), StepFailure> {
        Ok(())
    }
}
