//! Maps: one step after the other, exactly.
//!
//! In: a [`Dynamics`] whose drift is the state after a step, what happens at steps, a range of whole
//! numbers. Out: a [`Solution`] with one row for each step asked for, which shows the state after
//! all that happens there, and why the run ended. Must not know names.

use super::ends::{halted, not_finite};
use super::interrupter::{Consequence, Interrupter};
use super::rows::{Rows, Witness};
use super::stepper::all_finite;
use super::work::{Work, check};
use super::{
    LinearSolver, Method, MethodUse, Monitor, NonFinite, Solution, Statistics, Stop, SwitchReason,
};
use std::ops::ControlFlow;

/// Iterates from `initial` at the start to the end, both whole numbers.
///
/// What is scheduled between two steps happens at the later one. Never fails as a whole: the rows
/// computed so far are kept.
pub(super) fn iterate<I: Interrupter>(
    work: &Work<'_>,
    interrupter: &mut I,
    monitor: &mut dyn Monitor,
) -> Solution {
    let options = work.options;
    let mut solution = Solution::begun(work.shown, interrupter.slot_width(), &options.tolerances);
    if let Err(invalid) = check(work) {
        solution.stop = Stop::Invalid(invalid);
        return solution;
    }
    let width = (work.shown, work.initial.len());
    let mut run = Iteration {
        rows: Rows::new(work.output, options, work.start, width, solution.slot_width),
        work,
        interrupter,
        monitor,
        time: work.start,
        state: work.initial.to_vec(),
        statistics: Statistics::default(),
    };
    solution.stop = match run.run() {
        Ok(()) => Stop::Finished,
        Err(stop) => stop,
    };
    if all_finite(&run.state) {
        let state = std::mem::take(&mut run.state);
        run.rows.keep_the_end(run.time, &state, run.interrupter);
    }
    solution.statistics = run.statistics;
    solution.occurrences = run.interrupter.take_occurrences();
    solution.methods = vec![MethodUse {
        method: Method::Iteration,
        from: work.start,
        linear_solver: LinearSolver::None,
        why: SwitchReason::Requested,
    }];
    run.rows.store_in(&mut solution);
    solution
}

/// A map on its way.
struct Iteration<'a, I> {
    work: &'a Work<'a>,
    interrupter: &'a mut I,
    monitor: &'a mut dyn Monitor,
    rows: Rows<'a>,
    /// The number of the step reached, and the state there.
    time: f64,
    state: Vec<f64>,
    statistics: Statistics,
}

impl<I: Interrupter> Iteration<'_, I> {
    fn run(&mut self) -> Result<(), Stop> {
        let (start, end) = (self.work.start, self.work.end);
        let before = self.state.clone();
        self.check_finite(&before)?;
        let consequence = self.interrupter.begin(start, &mut self.state)?;
        self.settle(consequence, &before)?;
        self.show()?;
        let mut before = vec![0.0; self.state.len()];
        let mut count = 0.0;
        while self.time < end {
            before.copy_from_slice(&self.state);
            let system = self.work.system;
            system.drift(self.time, &before, &mut self.state);
            self.statistics.steps += 1;
            self.statistics.evaluations += 1;
            // Counted from the start, so that no rounding adds up: exact up to 2^53 steps.
            count += 1.0;
            self.time = start + count;
            self.check_finite(&before)?;
            if I::INTERRUPTS {
                self.settle(Consequence::Jump, &before)?;
            }
            self.show()?;
        }
        Ok(())
    }

    /// Performs what is due at the step reached until nothing more happens.
    fn settle(&mut self, first: Consequence, before: &[f64]) -> Result<(), Stop> {
        let mut consequence = first;
        while consequence > Consequence::Nothing {
            consequence = self.interrupter.interrupt(self.time, &mut self.state)?;
            if let Some(values) = self.interrupter.changed_parameters() {
                self.rows.parameters_changed(values);
            }
            if let Some(numbers) = self.interrupter.changed_moving() {
                self.rows.moving_changed(numbers);
            }
            self.check_finite(before)?;
        }
        Ok(())
    }

    fn check_finite(&self, before: &[f64]) -> Result<(), Stop> {
        if all_finite(&self.state) {
            return Ok(());
        }
        let shown = self.work.shown;
        Err(Stop::NonFinite {
            time: self.time,
            states: not_finite(&self.state, shown),
            what: NonFinite::State,
            values: before.get(..shown).unwrap_or(before).to_vec(),
        })
    }

    /// The row of the step reached, and a look at it.
    fn show(&mut self) -> Result<(), Stop> {
        let mut witness = Witness {
            interrupter: &mut *self.interrupter,
            monitor: &mut *self.monitor,
        };
        let time = self.time;
        let shown = match witness.interrupter.has_shown() {
            true => self.rows.push_event(time, &self.state, &mut witness),
            false => self.rows.begin(time, &self.state, &mut witness),
        };
        if let ControlFlow::Break(halt) = shown {
            return Err(halted(halt, time));
        }
        let states = self.state.get(..self.work.shown).unwrap_or(&self.state);
        match self.monitor.step(time, states, &self.statistics) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(halt) => Err(halted(halt, time)),
        }
    }
}
