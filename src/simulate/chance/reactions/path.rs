//! One path of counted reactions on its way: rows, stops, and what is due there.
//!
//! Enters: the times at which something happens. Leaves: rows, and the state after all that
//! happened. Must not know which reaction comes next, nor how many at a time.

use super::network::Network;
use crate::kernel::Stream;
use crate::simulate::clock::Clock;
use crate::simulate::ends::{failed, halted, not_finite};
use crate::simulate::interrupter::{Consequence, Interrupter};
use crate::simulate::rows::{Rows, Witness};
use crate::simulate::stepper::{Accepted, StepFailure, Stepper, StepperStatistics, all_finite};
use crate::simulate::work::Work;
use crate::simulate::{Monitor, NonFinite, Solution, Statistics, Stop};
use std::ops::ControlFlow;

/// A path of counted reactions.
pub(super) struct Path<'a, I> {
    pub work: &'a Work<'a>,
    pub network: Network<'a>,
    pub stream: Stream,
    pub interrupter: &'a mut I,
    monitor: &'a mut dyn Monitor,
    pub rows: Rows<'a>,
    clock: Clock,
    /// The time reached, and the state there.
    pub time: f64,
    pub state: Vec<f64>,
    pub statistics: Statistics,
}

impl<'a, I: Interrupter> Path<'a, I> {
    pub fn new(
        work: &'a Work<'a>,
        network: Network<'a>,
        stream: Stream,
        interrupter: &'a mut I,
        monitor: &'a mut dyn Monitor,
        solution: &Solution,
    ) -> Path<'a, I> {
        let width = (work.shown, work.initial.len());
        let (output, options) = (work.output, work.options);
        Path {
            rows: Rows::new(output, options, work.start, width, solution.slot_width),
            clock: Clock::new(work.start, work.end),
            time: work.start,
            state: work.initial.to_vec(),
            statistics: Statistics::default(),
            work,
            network,
            stream,
            interrupter,
            monitor,
        }
    }

    /// The first row.
    pub fn begin(&mut self) -> Result<(), Stop> {
        self.check_finite()?;
        let consequence = self.interrupter.begin(self.time, &mut self.state)?;
        self.settle(consequence)?;
        self.network.adopt(self.time, &mut self.state)?;
        self.show()?;
        self.look_on()
    }

    /// The next time at which the path is interrupted, whatever happens; the end of the run at
    /// last.
    pub fn next_stop(&mut self) -> f64 {
        let stop = self.interrupter.next_stop(self.time).min(self.work.end);
        match self.work.options.shown_from {
            Some(from) if from > self.time => stop.min(from),
            _ => stop,
        }
    }

    /// The first moment up to `until` at which a condition changes while the state stays.
    #[inline]
    pub fn crossing(&mut self, until: f64) -> Result<Option<f64>, Stop> {
        if !I::INTERRUPTS || !self.interrupter.moves_with_time() || until <= self.time {
            return Ok(None);
        }
        let mut still = Still { state: &self.state };
        let found = self.interrupter.crossing(&mut still, self.time, until);
        found.map_err(|failure| failed(failure, self.time))
    }

    /// Goes to a stop, and performs what is due there. True when anything changed.
    pub fn reach(&mut self, stop: f64) -> Result<bool, Stop> {
        self.show_until(stop - self.clock.slack(stop))?;
        self.time = stop;
        let shows_steps = self.rows.shows_steps();
        if shows_steps {
            self.show()?;
        }
        let changed = self.perform()?;
        if changed || !shows_steps {
            self.show()?;
        }
        self.look_on()?;
        Ok(changed)
    }

    /// Performs what is due at the time reached. True when anything changed: the state is counted
    /// anew.
    fn perform(&mut self) -> Result<bool, Stop> {
        if !I::INTERRUPTS {
            return Ok(false);
        }
        let consequence = self.interrupter.interrupt(self.time, &mut self.state)?;
        if consequence == Consequence::Nothing {
            return Ok(false);
        }
        self.settle(consequence)?;
        self.network.adopt(self.time, &mut self.state)?;
        Ok(true)
    }

    /// Performs what is due until nothing more happens.
    fn settle(&mut self, first: Consequence) -> Result<(), Stop> {
        let mut consequence = first;
        while consequence > Consequence::Nothing {
            if let Some(values) = self.interrupter.changed_parameters() {
                self.rows.parameters_changed(values);
            }
            if let Some(numbers) = self.interrupter.changed_moving() {
                self.rows.moving_changed(numbers);
            }
            self.check_finite()?;
            consequence = self.interrupter.interrupt(self.time, &mut self.state)?;
        }
        Ok(())
    }

    /// Reactions have happened at the time reached. True when they led to anything else.
    #[inline]
    pub fn happened(&mut self) -> Result<bool, Stop> {
        self.statistics.steps += 1;
        if self.rows.shows_steps() {
            self.show()?;
        }
        let changed = I::INTERRUPTS && self.interrupter.looks_at_states() && self.perform()?;
        if changed {
            self.show()?;
        }
        self.look_on()?;
        if self.statistics.steps >= self.work.options.max_steps && self.time < self.work.end {
            return Err(Stop::TooManySteps {
                time: self.time,
                steps: self.statistics.steps,
            });
        }
        Ok(changed)
    }

    /// The rows before a time at which the state changes; a path that is shown by its steps has
    /// one at that time.
    #[inline]
    pub fn show_until(&mut self, time: f64) -> Result<(), Stop> {
        let mut witness = Witness {
            interrupter: &mut *self.interrupter,
            monitor: &mut *self.monitor,
        };
        let shown = self
            .rows
            .push_times_to(time.next_down(), &self.state, &mut witness);
        match shown {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(halt) => Err(halted(halt, time)),
        }
    }

    /// The row of the state before it changes at `time`, where every step is shown.
    #[inline]
    pub fn show_before(&mut self, time: f64) -> Result<(), Stop> {
        if !self.rows.shows_steps() {
            return Ok(());
        }
        let reached = std::mem::replace(&mut self.time, time);
        let shown = self.show();
        self.time = reached;
        shown
    }

    /// The row of the state reached.
    fn show(&mut self) -> Result<(), Stop> {
        let mut witness = Witness {
            interrupter: &mut *self.interrupter,
            monitor: &mut *self.monitor,
        };
        match self.rows.begin(self.time, &self.state, &mut witness) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(halt) => Err(halted(halt, self.time)),
        }
    }

    /// Lets the monitor see the state reached.
    #[inline]
    fn look_on(&mut self) -> Result<(), Stop> {
        let states = self.state.get(..self.work.shown).unwrap_or(&self.state);
        match self.monitor.step(self.time, states, &self.statistics) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(halt) => Err(halted(halt, self.time)),
        }
    }

    fn check_finite(&self) -> Result<(), Stop> {
        if all_finite(&self.state) {
            return Ok(());
        }
        let shown = self.work.shown;
        Err(Stop::NonFinite {
            time: self.time,
            states: not_finite(&self.state, shown),
            what: NonFinite::State,
            values: self.state.get(..shown).unwrap_or(&self.state).to_vec(),
        })
    }
}

/// A state that stays as it is at all times.
struct Still<'s> {
    state: &'s [f64],
}

impl Stepper for Still<'_> {
    fn step(&mut self) -> Result<Accepted, StepFailure> {
        Ok(Accepted::Inside)
    }

    /// No time is inside a step: the state is that reached.
    fn time(&self) -> f64 {
        f64::NEG_INFINITY
    }

    fn state(&self) -> &[f64] {
        self.state
    }

    fn derivative(&self) -> &[f64] {
        &[]
    }

    fn interpolate(&mut self, _: f64, out: &mut [f64]) -> Result<(), StepFailure> {
        out.copy_from_slice(self.state);
        Ok(())
    }

    fn restart(&mut self, _: f64, _: &[f64], _: f64, _: f64) -> Result<(), StepFailure> {
        Ok(())
    }

    fn set_longest(&mut self, _: f64) {}

    fn statistics(&self) -> StepperStatistics {
        StepperStatistics::default()
    }
}
