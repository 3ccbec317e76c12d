//! The rows of a solution as a run makes them: output times, points inside steps, rows before and
//! after interruptions, and a bound on the memory they take.
//!
//! In: accepted pieces of steps with their interpolant. Out: the columns of a
//! [`Solution`](super::Solution). Must not know methods or why pieces end.

use super::interrupter::Interrupter;
use super::stepper::{StepFailure, Stepper};
use super::{Halt, Monitor, Options, Output, Solution};
use std::ops::ControlFlow;

/// Numbers that [`Output::Steps`] stores before it keeps every second row only: 32 MiB. Far more
/// rows than a figure shows, and a run of millions of steps does not fill the memory.
const MOST_NUMBERS: usize = 1 << 22;

/// Who sees a row before it is stored: the slots come from one, the other looks on.
pub(super) struct Witness<'w, I> {
    pub interrupter: &'w mut I,
    pub monitor: &'w mut dyn Monitor,
}

/// What offering a row leads to; an inner `Break` ends the run.
type Flow = Result<ControlFlow<Halt>, StepFailure>;

/// The columns of a solution while it grows.
pub(super) struct Rows<'a> {
    output: &'a Output,
    /// States per row; what follows in a state vector are sensitivities.
    shown: usize,
    /// Where rows of steps begin, until one did.
    awaited: Option<f64>,
    /// Position of the next time in [`Output::Times`].
    next_output: usize,
    /// Rows that steps have offered so far, stored or not.
    offered: u64,
    /// A whole state vector.
    scratch: Vec<f64>,
    pub times: Vec<f64>,
    pub states: Vec<f64>,
    pub sensitivities: Vec<f64>,
    pub slots: Vec<f64>,
    pub slot_width: usize,
    pub parameter_changes: Vec<(usize, Vec<f64>)>,
    pub moving_changes: Vec<(usize, Vec<f64>)>,
    pub kept_every: u64,
}

impl<'a> Rows<'a> {
    /// For state vectors of length `width`, whose first `shown` numbers are states.
    pub fn new(
        output: &'a Output,
        options: &Options,
        start: f64,
        (shown, width): (usize, usize),
        slot_width: usize,
    ) -> Rows<'a> {
        let expected = match output {
            Output::Times(times) => times.len(),
            Output::Steps { .. } | Output::Event(_) => 0,
        };
        Rows {
            output,
            shown,
            awaited: options.shown_from.filter(|from| *from > start),
            next_output: 0,
            offered: 0,
            scratch: vec![0.0; width],
            times: Vec::with_capacity(expected),
            states: Vec::with_capacity(expected * shown),
            sensitivities: Vec::with_capacity(expected * (width - shown)),
            slots: Vec::with_capacity(expected * slot_width),
            slot_width,
            parameter_changes: Vec::new(),
            moving_changes: Vec::new(),
            kept_every: 1,
        }
    }

    /// Whether rows show the inside of steps.
    pub fn shows_steps(&self) -> bool {
        matches!(self.output, Output::Steps { .. })
    }

    /// The row at which a run, or a piece after an interruption, begins.
    pub fn begin<I: Interrupter>(
        &mut self,
        time: f64,
        state: &[f64],
        witness: &mut Witness<'_, I>,
    ) -> ControlFlow<Halt> {
        match self.output {
            Output::Steps { .. } if self.awaited.is_some_and(|from| time < from) => {
                ControlFlow::Continue(())
            }
            Output::Steps { .. } => {
                self.awaited = None;
                self.push_step(time, state, witness)
            }
            Output::Times(_) => self.push_times_to(time, state, witness),
            Output::Event(_) => ControlFlow::Continue(()),
        }
    }

    /// The row of the event that [`Output::Event`] shows, which has just happened.
    pub fn push_event<I: Interrupter>(
        &mut self,
        time: f64,
        state: &[f64],
        witness: &mut Witness<'_, I>,
    ) -> ControlFlow<Halt> {
        if self.awaited.is_some_and(|from| time < from) {
            return ControlFlow::Continue(());
        }
        self.push_step(time, state, witness)
    }

    /// The rows after `before` that a step brings, up to `time`, where the state is `state`. With
    /// `slack`, the output times closer to `time` than this are left for [`Rows::begin`] of what
    /// comes next.
    pub fn emit<I: Interrupter>(
        &mut self,
        stepper: &mut dyn Stepper,
        before: f64,
        (time, state): (f64, &[f64]),
        slack: Option<f64>,
        witness: &mut Witness<'_, I>,
    ) -> Flow {
        let mut scratch = std::mem::take(&mut self.scratch);
        let flow = match self.output {
            Output::Steps { interior } => {
                let at = (before, time);
                self.emit_step(stepper, at, state, *interior, &mut scratch, witness)
            }
            Output::Times(times) => {
                let due = |at: f64| match slack {
                    Some(slack) => at < time - slack,
                    None => at <= time,
                };
                self.emit_times(stepper, times, due, &mut scratch, witness)
            }
            Output::Event(_) => Ok(ControlFlow::Continue(())),
        };
        self.scratch = scratch;
        flow
    }

    fn emit_step<I: Interrupter>(
        &mut self,
        stepper: &mut dyn Stepper,
        (before, time): (f64, f64),
        state: &[f64],
        interior: usize,
        scratch: &mut [f64],
        witness: &mut Witness<'_, I>,
    ) -> Flow {
        if let Some(from) = self.awaited {
            if time < from {
                return Ok(ControlFlow::Continue(()));
            }
            self.awaited = None;
            if time > from {
                stepper.interpolate(from, scratch)?;
                if let ControlFlow::Break(halt) = self.push_step(from, scratch, witness) {
                    return Ok(ControlFlow::Break(halt));
                }
            }
            return self.emit_interior(
                stepper,
                (before, time, from),
                state,
                interior,
                scratch,
                witness,
            );
        }
        self.emit_interior(
            stepper,
            (before, time, before),
            state,
            interior,
            scratch,
            witness,
        )
    }

    /// Interior points later than `after`, then the end of the piece.
    fn emit_interior<I: Interrupter>(
        &mut self,
        stepper: &mut dyn Stepper,
        (before, time, after): (f64, f64, f64),
        state: &[f64],
        interior: usize,
        scratch: &mut [f64],
        witness: &mut Witness<'_, I>,
    ) -> Flow {
        let step = time - before;
        for k in 1..=interior {
            let at = before + step * (k as f64 / (interior + 1) as f64);
            if at <= after && after > before {
                continue;
            }
            if !self.wants_row() {
                self.offered += 1;
                continue;
            }
            stepper.interpolate(at, scratch)?;
            if let ControlFlow::Break(halt) = self.push_step(at, scratch, witness) {
                return Ok(ControlFlow::Break(halt));
            }
        }
        Ok(self.push_step(time, state, witness))
    }

    fn emit_times<I: Interrupter>(
        &mut self,
        stepper: &mut dyn Stepper,
        times: &[f64],
        due: impl Fn(f64) -> bool,
        scratch: &mut [f64],
        witness: &mut Witness<'_, I>,
    ) -> Flow {
        while let Some(&at) = times.get(self.next_output).filter(|at| due(**at)) {
            self.next_output += 1;
            let flow = if at >= stepper.time() {
                self.push(at, stepper.state(), witness)
            } else {
                stepper.interpolate(at, scratch)?;
                self.push(at, scratch, witness)
            };
            if let ControlFlow::Break(halt) = flow {
                return Ok(ControlFlow::Break(halt));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The first time of [`Output::Times`] after `time` that has no row yet; infinite when there is
    /// none.
    pub fn next_output_time(&self, time: f64) -> f64 {
        let Output::Times(times) = self.output else {
            return f64::INFINITY;
        };
        let left = times.get(self.next_output..).unwrap_or(&[]);
        let next = left.iter().find(|at| **at > time);
        next.copied().unwrap_or(f64::INFINITY)
    }

    /// Stores the same state for every output time up to `time`.
    pub fn push_times_to<I: Interrupter>(
        &mut self,
        time: f64,
        state: &[f64],
        witness: &mut Witness<'_, I>,
    ) -> ControlFlow<Halt> {
        let Output::Times(times) = self.output else {
            return ControlFlow::Continue(());
        };
        while let Some(&at) = times.get(self.next_output).filter(|at| **at <= time) {
            self.next_output += 1;
            self.push(at, state, witness)?;
        }
        ControlFlow::Continue(())
    }

    /// Whether the next row of a step is one of those that are stored.
    fn wants_row(&self) -> bool {
        self.offered.is_multiple_of(self.kept_every)
    }

    /// Stores a row of which there may be very many, unless rows have become too many for each to be kept.
    fn push_step<I: Interrupter>(
        &mut self,
        time: f64,
        state: &[f64],
        witness: &mut Witness<'_, I>,
    ) -> ControlFlow<Halt> {
        let numbers = self.states.len() + self.sensitivities.len() + self.slots.len();
        if self.wants_row() && numbers + state.len() + self.slot_width > MOST_NUMBERS {
            self.thin();
        }
        let wanted = self.wants_row();
        self.offered += 1;
        if wanted {
            self.push(time, state, witness)
        } else {
            ControlFlow::Continue(())
        }
    }

    fn push<I: Interrupter>(
        &mut self,
        time: f64,
        state: &[f64],
        witness: &mut Witness<'_, I>,
    ) -> ControlFlow<Halt> {
        witness.interrupter.row(time, state, &mut self.slots);
        let states = self.store(time, state);
        witness.monitor.row(time, states)
    }

    /// Hands all columns over.
    pub fn store_in(self, solution: &mut Solution) {
        solution.times = self.times;
        solution.states = self.states;
        solution.slots = self.slots;
        solution.sensitivities = self.sensitivities;
        solution.parameter_changes = self.parameter_changes;
        solution.moving_changes = self.moving_changes;
        solution.kept_every = self.kept_every;
    }

    /// Appends time, states and sensitivities; returns the states.
    fn store<'s>(&mut self, time: f64, state: &'s [f64]) -> &'s [f64] {
        let (states, derivatives) = state.split_at(self.shown.min(state.len()));
        self.times.push(time);
        self.states.extend_from_slice(states);
        self.sensitivities.extend_from_slice(derivatives);
        states
    }

    /// From the next stored row on, these parameters hold.
    pub fn parameters_changed(&mut self, values: Vec<f64>) {
        let row = self.times.len();
        changed(&mut self.parameter_changes, row, values);
    }

    /// From the next stored row on, parameters and slots move so with the varied quantities.
    pub fn moving_changed(&mut self, numbers: Vec<f64>) {
        let row = self.times.len();
        changed(&mut self.moving_changes, row, numbers);
    }

    /// Drops every second stored row, and from now on stores half as many.
    fn thin(&mut self) {
        let kept = self.times.len().div_ceil(2);
        let rows = self.times.len().max(1);
        keep_every_second(&mut self.times, 1, kept);
        keep_every_second(&mut self.states, self.shown, kept);
        let width = self.sensitivities.len() / rows;
        keep_every_second(&mut self.sensitivities, width, kept);
        keep_every_second(&mut self.slots, self.slot_width, kept);
        for changes in [&mut self.parameter_changes, &mut self.moving_changes] {
            for (row, values) in std::mem::take(changes) {
                changed(changes, row.div_ceil(2), values);
            }
        }
        self.kept_every *= 2;
    }

    /// The last state reached is always among the rows of [`Output::Steps`], also when not every
    /// row is kept.
    pub fn keep_the_end<I: Interrupter>(&mut self, time: f64, state: &[f64], interrupter: &mut I) {
        let in_steps = matches!(self.output, Output::Steps { .. });
        let is_missing = self.times.last().is_some_and(|last| *last < time);
        if in_steps && is_missing && self.kept_every > 1 {
            interrupter.row(time, state, &mut self.slots);
            self.store(time, state);
        }
    }
}

/// Notes what holds from a row on; what was noted for the same row is forgotten.
fn changed(changes: &mut Vec<(usize, Vec<f64>)>, row: usize, values: Vec<f64>) {
    match changes.last_mut() {
        Some((last, held)) if *last == row => *held = values,
        _ => changes.push((row, values)),
    }
}

/// Moves the rows 0, 2, 4, ... together and drops what is left.
fn keep_every_second(column: &mut Vec<f64>, width: usize, kept: usize) {
    for row in 1..kept {
        let from = 2 * row * width;
        column.copy_within(from..from + width, row * width);
    }
    column.truncate(kept * width);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_rows_slots_and_parameter_changes_together() {
        let output = Output::Steps { interior: 0 };
        let options = Options::new(super::super::Tolerances::uniform(1e-6, 1e-9, 1));
        let mut rows = Rows::new(&output, &options, 0.0, (1, 2), 1);
        for k in 0..5 {
            let x = f64::from(k);
            rows.slots.push(100.0 + x);
            rows.store(x, &[10.0 + x, 20.0 + x]);
        }
        rows.parameter_changes = vec![(2, vec![1.0]), (3, vec![2.0]), (4, vec![3.0])];
        rows.thin();
        assert_eq!(rows.times, [0.0, 2.0, 4.0]);
        assert_eq!(rows.states, [10.0, 12.0, 14.0]);
        assert_eq!(rows.sensitivities, [20.0, 22.0, 24.0]);
        assert_eq!(rows.slots, [100.0, 102.0, 104.0]);
        assert_eq!(rows.parameter_changes, [(1, vec![1.0]), (2, vec![3.0])]);
    }
}
