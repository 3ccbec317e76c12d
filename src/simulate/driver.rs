//! One driver for all steppers: output times, interrupts, limits, changes of method.
//!
//! In: a [`Dynamics`], a range of time, [`Options`]. Out: a [`Solution`] that keeps whatever was
//! computed and says why it ended. Must not know: which crate steps, models, the terminal.

use super::matrix_choice::use_sparse;
use super::methods::with_stepper;
use super::step_size::{initial_step, largest_scaled};
use super::stepper::{
    Accepted, Start, StepFailure, Stepper, StepperStatistics, Watched, all_finite, shortest_step,
};
use super::stiffness::{Supervisor, Verdict};
use super::{
    Dynamics, Halt, Invalid, LinearSolver, Method, MethodUse, Monitor, NonFinite, Options, Output,
    Solution, Statistics, Stop, SwitchReason,
};
use std::ops::ControlFlow;

/// Integrates y' = f(t, y) from `initial` at `start` to `end`, which is hit exactly.
///
/// Never fails as a whole: the rows computed so far are kept, and [`Solution::stop`] says why the
/// run ended. `start == end` gives one row. A run backwards in time is refused
/// ([`Stop::Invalid`]).
pub fn integrate(
    system: &dyn Dynamics,
    start: f64,
    initial: &[f64],
    end: f64,
    output: &Output,
    options: &Options,
    monitor: &mut dyn Monitor,
) -> Solution {
    let mut solution = Solution {
        times: Vec::new(),
        states: Vec::new(),
        dimension: system.dimension(),
        methods: Vec::new(),
        statistics: Statistics::default(),
        slots: Vec::new(),
        slot_width: 0,
        parameter_changes: Vec::new(),
        sensitivities: Vec::new(),
        moving_changes: Vec::new(),
        occurrences: Vec::new(),
        kept_every: 1,
        tolerances: options.tolerances.clone(),
        stop: Stop::Finished,
    };
    if let Err(invalid) = check(system.dimension(), start, initial, end, output, options) {
        solution.stop = Stop::Invalid(invalid);
        return solution;
    }
    let watched = Watched::new(system);
    let mut run = Run {
        watched: &watched,
        options,
        output,
        monitor,
        end,
        length: end - start,
        time: start,
        state: initial.to_vec(),
        scratch: vec![0.0; initial.len()],
        next_output: 0,
        offered: 0,
        finished: StepperStatistics::default(),
        solution,
    };
    run.solution.stop = run.integrate();
    run.keep_the_end();
    run.solution.statistics = run.statistics(StepperStatistics::default());
    run.solution
}

/// Refuses arguments that no run can be made with.
fn check(
    dimension: usize,
    start: f64,
    initial: &[f64],
    end: f64,
    output: &Output,
    options: &Options,
) -> Result<(), Invalid> {
    if !(start.is_finite() && end.is_finite() && start <= end) {
        return Err(Invalid::Range { start, end });
    }
    let absolute = &options.tolerances.absolute;
    for found in [initial.len(), absolute.len()] {
        if found != dimension {
            return Err(Invalid::Dimension {
                expected: dimension,
                found,
            });
        }
    }
    let value = options.tolerances.relative;
    if !(value > 0.0 && value.is_finite()) {
        return Err(Invalid::Tolerance { state: None, value });
    }
    if let Some(i) = absolute.iter().position(|a| !(*a >= 0.0 && a.is_finite())) {
        return Err(Invalid::Tolerance {
            state: Some(i),
            value: absolute[i],
        });
    }
    let steps = [options.initial_step, options.max_step];
    if let Some(value) = steps
        .into_iter()
        .flatten()
        .find(|h| h.is_nan() || *h <= 0.0)
    {
        return Err(Invalid::StepSize { value });
    }
    if let Output::Times(times) = output {
        let mut previous = start;
        for (index, &time) in times.iter().enumerate() {
            if !(time >= previous && time <= end) {
                return Err(Invalid::OutputTime { index, time });
            }
            previous = time;
        }
    }
    Ok(())
}

/// Numbers that [`Output::Steps`] stores before it keeps every second row only: 32 MiB. Far more
/// rows than a figure shows, and a run of millions of steps does not fill the memory.
const MOST_NUMBERS: usize = 1 << 22;

/// How the use of one method ended.
enum LegEnd {
    Stop(Stop),
    Switch(Method, SwitchReason),
}

/// The state of a run between and during the uses of its methods.
struct Run<'a> {
    watched: &'a Watched<'a>,
    options: &'a Options,
    output: &'a Output,
    monitor: &'a mut dyn Monitor,
    end: f64,
    /// Length of the whole run.
    length: f64,
    /// Time and state from which the next method starts.
    time: f64,
    state: Vec<f64>,
    scratch: Vec<f64>,
    /// Position of the next time in [`Output::Times`].
    next_output: usize,
    /// Rows that steps have offered so far, stored or not.
    offered: u64,
    /// Counts of the methods used up.
    finished: StepperStatistics,
    solution: Solution,
}

impl Run<'_> {
    fn integrate(&mut self) -> Stop {
        if let Some(stop) = self.begin() {
            return stop;
        }
        let mut derivative = vec![0.0; self.state.len()];
        self.watched.drift(self.time, &self.state, &mut derivative);
        if !all_finite(&derivative) {
            return Stop::NonFinite {
                time: self.time,
                states: not_finite(&derivative),
                what: NonFinite::Derivative,
                values: self.state.clone(),
            };
        }
        let mut supervisor = Supervisor::new(self.options, self.end);
        let (mut method, mut why) = supervisor.at_start(self.watched, self.time, &self.state);
        loop {
            let length = self.end - self.time;
            if length <= 4e-14 * self.end.abs().max(self.time.abs()) {
                return self.last_euler(&derivative, method, why);
            }
            match self.leg(method, why, &derivative, &mut supervisor) {
                LegEnd::Stop(stop) => return stop,
                LegEnd::Switch(to, reason) => (method, why) = (to, reason),
            }
            self.watched.drift(self.time, &self.state, &mut derivative);
        }
    }

    /// The first row; a stop when there is nothing to integrate.
    fn begin(&mut self) -> Option<Stop> {
        if !all_finite(&self.state) {
            return Some(Stop::NonFinite {
                time: self.time,
                states: not_finite(&self.state),
                what: NonFinite::State,
                values: self.state.clone(),
            });
        }
        let state = std::mem::take(&mut self.state);
        let mut flow = match self.output {
            Output::Steps { .. } => self.push_step(self.time, &state),
            Output::Times(_) => self.push_times_to(self.time, &state),
        };
        if flow.is_continue() {
            let statistics = self.statistics(StepperStatistics::default());
            flow = self.monitor.step(self.time, &state, &statistics);
        }
        self.state = state;
        match flow {
            ControlFlow::Break(halt) => Some(halted(halt, self.time)),
            ControlFlow::Continue(()) if self.time == self.end || self.state.is_empty() => {
                Some(self.without_steps())
            }
            ControlFlow::Continue(()) => None,
        }
    }

    /// Ends a run over no time at all, or of a system without states.
    fn without_steps(&mut self) -> Stop {
        if self.time == self.end {
            return Stop::Finished;
        }
        let flow = match self.output {
            Output::Steps { .. } => self.push_step(self.end, &[]),
            Output::Times(_) => self.push_times_to(self.end, &[]),
        };
        match flow {
            ControlFlow::Break(halt) => halted(halt, self.end),
            ControlFlow::Continue(()) => Stop::Finished,
        }
    }

    /// Covers a remainder as short as round-off by one Euler step, which is exact there.
    fn last_euler(&mut self, derivative: &[f64], method: Method, why: SwitchReason) -> Stop {
        if self.solution.methods.is_empty() {
            self.enter(method, why, false);
        }
        let length = self.end - self.time;
        for (y, f) in self.state.iter_mut().zip(derivative) {
            *y += length * f;
        }
        self.finished.steps += 1;
        let state = std::mem::take(&mut self.state);
        let flow = match self.output {
            Output::Steps { .. } => self.push_step(self.end, &state),
            Output::Times(_) => self.push_times_to(self.end, &state),
        };
        self.state = state;
        match flow {
            ControlFlow::Break(halt) => halted(halt, self.end),
            ControlFlow::Continue(()) => Stop::Finished,
        }
    }

    /// Uses one method until the run ends or another method is called for.
    fn leg(
        &mut self,
        method: Method,
        why: SwitchReason,
        derivative: &[f64],
        supervisor: &mut Supervisor,
    ) -> LegEnd {
        let sparse = !method.is_explicit() && use_sparse(self.watched.pattern());
        self.enter(method, why, sparse);
        let (time, state) = (self.time, std::mem::take(&mut self.state));
        let max_step = self.options.max_step.unwrap_or(f64::INFINITY);
        let longest = max_step.min(self.end - time);
        let tolerances = &self.options.tolerances;
        let step = match self.options.initial_step {
            Some(step) if self.solution.methods.len() == 1 => step.min(longest),
            _ => {
                let order = starting_order(method);
                let system = self.watched;
                initial_step(system, time, &state, derivative, order, longest, tolerances)
            }
        };
        let start = Start {
            method,
            sparse,
            time,
            state: &state,
            step,
            end: self.end,
            max_step,
            tolerances,
        };
        let ended = with_stepper(self.watched, &start, |stepper| {
            let end = self.drive(stepper, method, supervisor);
            let counts = stepper.statistics();
            self.finished.steps += counts.steps;
            self.finished.rejected += counts.rejected;
            self.finished.factorisations += counts.factorisations;
            self.time = stepper.time();
            self.state = stepper.state().to_vec();
            end
        });
        ended.unwrap_or_else(|failure| LegEnd::Stop(failed(failure, time)))
    }

    /// Steps until the run ends or the supervisor asks for another method.
    fn drive(
        &mut self,
        stepper: &mut dyn Stepper,
        method: Method,
        supervisor: &mut Supervisor,
    ) -> LegEnd {
        supervisor.take_up(method, stepper.time());
        loop {
            let before = stepper.time();
            let accepted = match stepper.step() {
                Ok(accepted) => accepted,
                Err(failure) => return LegEnd::Stop(self.diagnose(stepper, failure)),
            };
            let time = match accepted {
                Accepted::End => self.end,
                Accepted::Inside => stepper.time(),
            };
            let statistics = self.statistics(stepper.statistics());
            let flow = match self.emit(stepper, before, time) {
                Ok(ControlFlow::Continue(())) => {
                    self.monitor.step(time, stepper.state(), &statistics)
                }
                Ok(halt) => halt,
                Err(failure) => return LegEnd::Stop(failed(failure, time)),
            };
            if let ControlFlow::Break(halt) = flow {
                return LegEnd::Stop(halted(halt, time));
            }
            if accepted == Accepted::End {
                return LegEnd::Stop(Stop::Finished);
            }
            if statistics.steps >= self.options.max_steps {
                let steps = statistics.steps;
                return LegEnd::Stop(Stop::TooManySteps { time, steps });
            }
            let step = time - before;
            if step < shortest_step(time, self.length) {
                let failure = StepFailure::TooSmall { step };
                return LegEnd::Stop(self.diagnose(stepper, failure));
            }
            match supervisor.after_step(self.watched, time, stepper.state(), statistics.steps) {
                Verdict::Go => {}
                Verdict::Switch(to, why) => return LegEnd::Switch(to, why),
                Verdict::Stiff(stop) => return LegEnd::Stop(stop),
            }
        }
    }

    /// Why no further step was possible: a recent value that was not finite, or the step itself.
    fn diagnose(&self, stepper: &dyn Stepper, failure: StepFailure) -> Stop {
        let time = stepper.time();
        let StepFailure::TooSmall { step } = failure else {
            return failed(failure, time);
        };
        if let Some(fault) = self.watched.recent_fault(RECENT) {
            return Stop::NonFinite {
                time: fault.time,
                states: fault.states,
                what: fault.what,
                values: fault.values,
            };
        }
        let (derivative, state) = (stepper.derivative(), stepper.state());
        let state = largest_scaled(derivative, state, &self.options.tolerances);
        Stop::StepTooSmall { time, step, state }
    }

    /// Stores the rows that the step from `before` to `time` brings.
    fn emit(
        &mut self,
        stepper: &mut dyn Stepper,
        before: f64,
        time: f64,
    ) -> Result<ControlFlow<Halt>, StepFailure> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let flow = match self.output {
            Output::Steps { interior } => {
                self.emit_interior(stepper, before, *interior, &mut scratch)
            }
            Output::Times(times) => self.emit_times(stepper, times, time, &mut scratch),
        };
        self.scratch = scratch;
        match (flow?, self.output) {
            (ControlFlow::Continue(()), Output::Steps { .. }) => {
                Ok(self.push_step(time, stepper.state()))
            }
            (flow, _) => Ok(flow),
        }
    }

    /// Whether the next row of a step is one of those that are stored.
    fn wants_row(&self) -> bool {
        self.offered.is_multiple_of(self.solution.kept_every)
    }

    /// Stores a row of [`Output::Steps`], unless rows have become too many for each to be kept.
    fn push_step(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        if self.wants_row() && self.solution.states.len() + state.len() > MOST_NUMBERS {
            self.thin();
        }
        let wanted = self.wants_row();
        self.offered += 1;
        if wanted {
            self.push(time, state)
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Drops every second stored row, and from now on stores half as many.
    fn thin(&mut self) {
        let n = self.solution.dimension;
        let kept = self.solution.times.len().div_ceil(2);
        for row in 1..kept {
            self.solution.times[row] = self.solution.times[2 * row];
            let from = 2 * row * n;
            self.solution.states.copy_within(from..from + n, row * n);
        }
        self.solution.times.truncate(kept);
        self.solution.states.truncate(kept * n);
        self.solution.kept_every *= 2;
    }

    /// The last state reached is always among the rows of [`Output::Steps`], also when not every
    /// row is kept.
    fn keep_the_end(&mut self) {
        if self.solution.kept_every == 1 {
            return;
        }
        let reached = if self.solution.stop == Stop::Finished {
            self.end
        } else {
            self.time
        };
        let is_missing = self
            .solution
            .times
            .last()
            .is_some_and(|last| *last < reached);
        let in_steps = matches!(self.output, Output::Steps { .. });
        if in_steps && is_missing && all_finite(&self.state) {
            self.solution.times.push(reached);
            self.solution.states.extend_from_slice(&self.state);
        }
    }

    fn emit_interior(
        &mut self,
        stepper: &mut dyn Stepper,
        before: f64,
        interior: usize,
        scratch: &mut [f64],
    ) -> Result<ControlFlow<Halt>, StepFailure> {
        let step = stepper.time() - before;
        for k in 1..=interior {
            if !self.wants_row() {
                self.offered += 1;
                continue;
            }
            let at = before + step * (k as f64 / (interior + 1) as f64);
            stepper.interpolate(at, scratch)?;
            if let ControlFlow::Break(halt) = self.push_step(at, scratch) {
                return Ok(ControlFlow::Break(halt));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn emit_times(
        &mut self,
        stepper: &mut dyn Stepper,
        times: &[f64],
        time: f64,
        scratch: &mut [f64],
    ) -> Result<ControlFlow<Halt>, StepFailure> {
        while let Some(&at) = times.get(self.next_output).filter(|at| **at <= time) {
            self.next_output += 1;
            let flow = if at >= stepper.time() {
                self.push(at, stepper.state())
            } else {
                stepper.interpolate(at, scratch)?;
                self.push(at, scratch)
            };
            if let ControlFlow::Break(halt) = flow {
                return Ok(ControlFlow::Break(halt));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Stores the same state for every output time up to `time`.
    fn push_times_to(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        let Output::Times(times) = self.output else {
            return self.push(time, state);
        };
        while let Some(&at) = times.get(self.next_output).filter(|at| **at <= time) {
            self.next_output += 1;
            self.push(at, state)?;
        }
        ControlFlow::Continue(())
    }

    fn push(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        self.solution.times.push(time);
        self.solution.states.extend_from_slice(state);
        self.monitor.row(time, state)
    }

    /// Takes a method into the record.
    fn enter(&mut self, method: Method, why: SwitchReason, sparse: bool) {
        let linear_solver = match (method.is_explicit(), sparse) {
            (true, _) => LinearSolver::None,
            (false, true) => LinearSolver::Sparse,
            (false, false) => LinearSolver::Dense,
        };
        self.solution.methods.push(MethodUse {
            method,
            from: self.time,
            linear_solver,
            why,
        });
    }

    /// Work done so far, with the counts of the stepper in use.
    fn statistics(&self, current: StepperStatistics) -> Statistics {
        Statistics {
            steps: self.finished.steps + current.steps,
            rejected: self.finished.rejected + current.rejected,
            evaluations: self.watched.evaluations(),
            jacobians: self.watched.jacobians(),
            factorisations: self.finished.factorisations + current.factorisations,
        }
    }
}

/// Evaluations within which a value that was not finite is taken for the cause of a failed step:
/// those of the last attempt (ten iterations in each of three stages) with some to spare.
const RECENT: u64 = 40;

fn failed(failure: StepFailure, time: f64) -> Stop {
    match failure {
        StepFailure::TooSmall { step } => Stop::StepTooSmall {
            time,
            step,
            state: 0,
        },
        StepFailure::Other(detail) => Stop::SolverFailed { time, detail },
    }
}

fn halted(halt: Halt, time: f64) -> Stop {
    match halt {
        Halt::Interrupt => Stop::Interrupted { time },
        Halt::Enough => Stop::Halted { time },
    }
}

fn not_finite(values: &[f64]) -> Vec<usize> {
    (0..values.len())
        .filter(|&i| !values[i].is_finite())
        .collect()
}

/// The order that the estimate of the first step assumes; BDF starts at order 1.
fn starting_order(method: Method) -> u32 {
    match method {
        Method::Auto | Method::Bdf => 1,
        Method::TrBdf2 => 2,
        Method::Esdirk34 => 3,
        Method::Tsit5 | Method::Tsit45 => 5,
        Method::Rodas => 4,
        Method::Exponential => 1,
    }
}
