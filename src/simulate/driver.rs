//! One driver for all steppers: pieces between interruptions, limits, changes of method.
//!
//! In: a [`Dynamics`], what interrupts it, a range of time, [`Options`]. Out: a [`Solution`] that
//! keeps whatever was computed and says why it ended. Must not know: which crate steps, what
//! interrupts, models, the terminal.

use super::clock::Clock;
use super::consistent::make_consistent;
use super::ends::{failed, halted, not_finite, of_states};
use super::interrupter::{Consequence, Interrupter};
use super::matrix_choice::use_sparse;
use super::methods::with_stepper;
use super::rows::{Rows, Witness};
use super::step_size::{initial_step, largest_scaled};
use super::stepper::{
    Accepted, Start, StepFailure, Stepper, StepperStatistics, Walker, Watched, all_finite,
    shortest_step,
};
use super::stiffness::{Supervisor, Verdict};
use super::work::{Work, check};
use super::{
    Dynamics, LinearSolver, Method, MethodUse, Monitor, NonFinite, Options, Output, Solution,
    Statistics, Stop, SwitchReason,
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
    let work = Work {
        system,
        shown: system.dimension(),
        start,
        initial,
        end,
        output,
        options,
        walker: None,
    };
    drive(&work, &mut (), monitor)
}

/// The same with interruptions.
pub(super) fn drive<I: Interrupter>(
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
    let watched = Watched::new(work.system);
    let width = (work.shown, work.initial.len());
    let mut run = Run {
        rows: Rows::new(work.output, options, work.start, width, solution.slot_width),
        watched: &watched,
        options,
        walker: work.walker,
        interrupter,
        monitor,
        shown: work.shown,
        clock: Clock::new(work.start, work.end),
        end: work.end,
        length: work.end - work.start,
        time: work.start,
        state: work.initial.to_vec(),
        derivative: Vec::new(),
        typical_step: None,
        finished: StepperStatistics::default(),
        methods: Vec::new(),
    };
    solution.stop = run.integrate();
    if all_finite(&run.state) {
        let (time, state) = (run.time, std::mem::take(&mut run.state));
        run.rows.keep_the_end(time, &state, run.interrupter);
    }
    solution.statistics = run.statistics(StepperStatistics::default());
    solution.occurrences = run.interrupter.take_occurrences();
    solution.methods = run.methods;
    run.rows.store_in(&mut solution);
    solution
}

/// Evaluations within which a value that was not finite is taken for the cause of a failed step:
/// those of the last attempt (ten iterations in each of three stages) with some to spare.
const RECENT: u64 = 40;

/// A remainder shorter than this, relative to the time, is covered by one Euler step.
const REMAINDER: f64 = 4e-14;

/// How the use of one method ended.
enum LegEnd {
    Stop(Stop),
    Switch(Method, SwitchReason),
}

/// What a step led to.
enum Passed {
    /// Steps go on, up to this time.
    To(f64),
    /// The end of the run is reached.
    Finished,
}

/// The state of a run between and during the uses of its methods.
struct Run<'a, I> {
    watched: &'a Watched<'a>,
    options: &'a Options,
    walker: Option<&'a dyn Walker>,
    interrupter: &'a mut I,
    monitor: &'a mut dyn Monitor,
    rows: Rows<'a>,
    /// States among the numbers of the system.
    shown: usize,
    clock: Clock,
    end: f64,
    /// Length of the whole run.
    length: f64,
    /// Time and state from which steps start anew.
    time: f64,
    state: Vec<f64>,
    /// The derivative there.
    derivative: Vec<f64>,
    /// The last step whose length the method chose itself.
    typical_step: Option<f64>,
    /// Counts of the methods used up.
    finished: StepperStatistics,
    methods: Vec<MethodUse>,
}

impl<I: Interrupter> Run<'_, I> {
    fn integrate(&mut self) -> Stop {
        match self.begin() {
            Ok(()) if self.time < self.end && !self.state.is_empty() => {}
            Ok(()) => return self.without_steps(),
            Err(stop) => return stop,
        }
        let mut supervisor = Supervisor::new(self.options, self.end);
        let (mut method, mut why) = supervisor.at_start(self.watched, self.time, &self.state);
        loop {
            let stop = match self.next_stop(Consequence::Jump) {
                Ok((stop, _)) if stop > self.time => stop,
                Ok(_) => {
                    if self.methods.is_empty() {
                        self.enter(method, why, false);
                    }
                    return Stop::Finished;
                }
                Err(stop) => return stop,
            };
            match self.leg(method, why, stop, &mut supervisor) {
                LegEnd::Stop(stop) => return stop,
                LegEnd::Switch(to, reason) => (method, why) = (to, reason),
            }
        }
    }

    /// The first row.
    fn begin(&mut self) -> Result<(), Stop> {
        self.check_state()?;
        if self.has_constraints() {
            // A poor guess of an algebraic state is not a state that events have seen.
            self.interrupter.prepare(self.time, &mut self.state)?;
            self.satisfy_constraints()?;
        }
        let consequence = self.interrupter.begin(self.time, &mut self.state)?;
        if consequence != Consequence::Nothing {
            self.check_state()?;
        }
        self.satisfy_constraints()?;
        if let Some(values) = self.interrupter.changed_parameters() {
            self.rows.parameters_changed(values);
        }
        if let Some(numbers) = self.interrupter.changed_moving() {
            self.rows.moving_changed(numbers);
        }
        self.show_piece()?;
        self.show_event()?;
        let statistics = self.statistics(StepperStatistics::default());
        self.look_on(self.time, &statistics)
    }

    fn check_state(&self) -> Result<(), Stop> {
        if all_finite(&self.state) {
            return Ok(());
        }
        Err(Stop::NonFinite {
            time: self.time,
            states: not_finite(&self.state, self.shown),
            what: NonFinite::State,
            values: self.state[..self.shown].to_vec(),
        })
    }

    /// Lets the monitor see the state from which steps start.
    fn look_on(&mut self, time: f64, statistics: &Statistics) -> Result<(), Stop> {
        match self
            .monitor
            .step(time, &self.state[..self.shown], statistics)
        {
            ControlFlow::Break(halt) => Err(halted(halt, time)),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// The row at which a piece begins.
    fn show_piece(&mut self) -> Result<(), Stop> {
        let mut witness = Witness {
            interrupter: &mut *self.interrupter,
            monitor: &mut *self.monitor,
        };
        match self.rows.begin(self.time, &self.state, &mut witness) {
            ControlFlow::Break(halt) => Err(halted(halt, self.time)),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// The row of [`Output::Event`], if its event has just happened.
    fn show_event(&mut self) -> Result<(), Stop> {
        if !self.interrupter.has_shown() {
            return Ok(());
        }
        let mut witness = Witness {
            interrupter: &mut *self.interrupter,
            monitor: &mut *self.monitor,
        };
        match self.rows.push_event(self.time, &self.state, &mut witness) {
            ControlFlow::Break(halt) => Err(halted(halt, self.time)),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// Ends a run over no time at all, or of a system without states.
    fn without_steps(&mut self) -> Stop {
        while self.time < self.end {
            let stop = self.interrupter.next_stop(self.time).min(self.end);
            if let Err(stop) = self.leap(stop) {
                return stop;
            }
        }
        Stop::Finished
    }

    /// Up to which time steps go on from here, and what happened on the way: stops closer than
    /// rounding are gone over at once.
    fn next_stop(&mut self, so_far: Consequence) -> Result<(f64, Consequence), Stop> {
        let mut consequence = so_far;
        loop {
            let stop = self.interrupter.next_stop(self.time).min(self.end);
            let near = REMAINDER * stop.abs().max(self.time.abs());
            if self.time >= self.end || stop - self.time > near {
                return Ok((stop, consequence));
            }
            self.derivative.resize(self.state.len(), 0.0);
            self.watched
                .drift(self.time, &self.state, &mut self.derivative);
            self.finished.steps += 1;
            consequence = consequence.max(self.leap(stop)?);
        }
    }

    /// Goes to a stop by one Euler step, which is exact over a remainder as short as round-off.
    fn leap(&mut self, stop: f64) -> Result<Consequence, Stop> {
        let length = stop - self.time;
        for (y, f) in self.state.iter_mut().zip(&self.derivative) {
            *y += length * f;
        }
        self.time = stop;
        let consequence = self.interrupt(Consequence::Nothing)?;
        self.show_piece()?;
        Ok(consequence)
    }

    /// Performs what is due at the time and state reached, and shows the event whose moments are
    /// the rows.
    fn interrupt(&mut self, so_far: Consequence) -> Result<Consequence, Stop> {
        let consequence = self.perform(so_far)?;
        self.show_event()?;
        Ok(consequence)
    }

    fn perform(&mut self, so_far: Consequence) -> Result<Consequence, Stop> {
        let mut all = so_far;
        loop {
            let consequence = self.interrupter.interrupt(self.time, &mut self.state)?;
            if consequence == Consequence::Nothing {
                return Ok(all);
            }
            all = all.max(consequence);
            if let Some(values) = self.interrupter.changed_parameters() {
                self.rows.parameters_changed(values);
            }
            if let Some(numbers) = self.interrupter.changed_moving() {
                self.rows.moving_changed(numbers);
            }
            self.check_state()?;
            if !self.has_constraints() {
                return Ok(all);
            }
            // Where algebraic states follow, conditions of them may have changed.
            self.satisfy_constraints()?;
        }
    }

    fn has_constraints(&self) -> bool {
        self.watched.algebraic().contains(&true)
    }

    /// Fits the algebraic states to the others.
    fn satisfy_constraints(&mut self) -> Result<(), Stop> {
        let (time, tolerances) = (self.time, &self.options.tolerances);
        make_consistent(self.watched, time, &mut self.state, tolerances).map_err(|found| {
            Stop::Inconsistent {
                time,
                residuals: found.residuals,
                singular: found.singular,
            }
        })?;
        self.interrupter.constrained(time, &mut self.state);
        Ok(())
    }

    /// Uses one method until the run ends or another method is called for.
    fn leg(
        &mut self,
        method: Method,
        why: SwitchReason,
        stop: f64,
        supervisor: &mut Supervisor,
    ) -> LegEnd {
        let sparse = use_sparse(method, self.watched.pattern());
        self.enter(method, why, sparse);
        let (time, state) = (self.time, std::mem::take(&mut self.state));
        let length = match self.first_step(method, &state, stop, Consequence::Jump) {
            Ok(length) => length,
            Err(stop) => {
                self.state = state;
                return LegEnd::Stop(stop);
            }
        };
        let start = Start {
            method,
            sparse,
            time,
            state: &state,
            step: length,
            end: stop,
            max_step: self.longest_step(),
            tolerances: &self.options.tolerances,
            smooth: self.rows.shows_steps() || self.interrupter.has_guards(),
        };
        self.state = vec![0.0; state.len()];
        let (walker, watched) = (self.walker, self.watched);
        let mut walk = |stepper: &mut dyn Stepper| {
            let end = self.steps(stepper, method, stop, supervisor);
            let counts = stepper.statistics();
            self.finished.steps += counts.steps;
            self.finished.rejected += counts.rejected;
            self.finished.factorisations += counts.factorisations;
            self.finished.clamped += counts.clamped;
            end
        };
        let ended = match walker {
            None => with_stepper(watched, &start, walk),
            Some(walker) => {
                let stepper = walker.stepper(watched, &start);
                stepper.map(|mut stepper| walk(&mut *stepper))
            }
        };
        ended.unwrap_or_else(|failure| {
            self.state.copy_from_slice(&state);
            LegEnd::Stop(failed(failure, time))
        })
    }

    fn longest_step(&self) -> f64 {
        let asked = self.options.max_step.unwrap_or(f64::INFINITY);
        asked.min(self.interrupter.longest_step())
    }

    /// The length of the first attempt from `state`.
    fn first_step(
        &mut self,
        method: Method,
        state: &[f64],
        stop: f64,
        consequence: Consequence,
    ) -> Result<f64, Stop> {
        let longest = self.longest_step().min(stop - self.time);
        if self.walker.is_some() {
            return Ok(longest);
        }
        let chosen = match (self.typical_step, self.options.initial_step) {
            (None, Some(step)) => Some(step),
            (Some(step), _) if consequence < Consequence::Jump => Some(step),
            _ => None,
        };
        if let Some(step) = chosen {
            return Ok(step.min(longest));
        }
        self.derivative.resize(state.len(), 0.0);
        self.watched.drift(self.time, state, &mut self.derivative);
        if !all_finite(&self.derivative) {
            return Err(Stop::NonFinite {
                time: self.time,
                states: not_finite(&self.derivative, self.shown),
                what: NonFinite::Derivative,
                values: state[..self.shown].to_vec(),
            });
        }
        if method == Method::Exponential {
            return Ok(longest);
        }
        let order = starting_order(method);
        let (system, tolerances) = (self.watched, &self.options.tolerances);
        let derivative = &self.derivative;
        Ok(initial_step(
            system, self.time, state, derivative, order, longest, tolerances,
        ))
    }

    /// Steps until the run ends or the supervisor asks for another method.
    fn steps(
        &mut self,
        stepper: &mut dyn Stepper,
        method: Method,
        mut stop: f64,
        supervisor: &mut Supervisor,
    ) -> LegEnd {
        supervisor.take_up(method, stepper.time());
        loop {
            let before = stepper.time();
            let reached = match stepper.step() {
                Ok(Accepted::End) => stop,
                Ok(Accepted::Inside) => stepper.time(),
                Err(failure) => {
                    self.time = stepper.time();
                    self.state.copy_from_slice(stepper.state());
                    return LegEnd::Stop(self.diagnose(stepper, failure));
                }
            };
            let step = reached - before;
            if reached < stop || self.typical_step.is_none_or(|typical| typical < step) {
                self.typical_step = Some(step);
            }
            let statistics = self.statistics(stepper.statistics());
            let passed = self.pass(stepper, method, (before, reached), stop);
            match passed.and_then(|passed| {
                self.look_on(self.time, &statistics)?;
                Ok(passed)
            }) {
                Ok(Passed::To(next)) => stop = next,
                Ok(Passed::Finished) => return LegEnd::Stop(Stop::Finished),
                Err(stop) => return LegEnd::Stop(stop),
            }
            let time = self.time;
            if statistics.steps >= self.options.max_steps {
                let steps = statistics.steps;
                return LegEnd::Stop(Stop::TooManySteps { time, steps });
            }
            if step < shortest_step(time, self.length) {
                let failure = StepFailure::TooSmall { step };
                return LegEnd::Stop(self.diagnose(stepper, failure));
            }
            match supervisor.after_step(self.watched, time, stepper, statistics.steps) {
                Verdict::Go => {}
                Verdict::Switch(to, why) => return LegEnd::Switch(to, why),
                Verdict::Stiff(stop) => return LegEnd::Stop(stop),
            }
        }
    }

    /// Takes in an accepted step: rows, and interruptions at its end and inside it. Whatever
    /// follows the first one that changes something is dropped.
    fn pass(
        &mut self,
        stepper: &mut dyn Stepper,
        method: Method,
        (before, reached): (f64, f64),
        stop: f64,
    ) -> Result<Passed, Stop> {
        let solver = |failure| failed(failure, reached);
        let (mut from, mut until) = (before, reached);
        let mut due = reached >= stop;
        let mut moved = false;
        loop {
            let crossing = self.interrupter.crossing(stepper, from, until);
            let crossing = crossing.map_err(solver)?;
            let interrupted = crossing.is_some() || due;
            let at = crossing.unwrap_or(until);
            self.reach(stepper, at).map_err(solver)?;
            let slack = (interrupted && I::INTERRUPTS).then(|| self.clock.slack(at));
            self.show_step(stepper, from, slack)?;
            let accepted = self.interrupter.accepted(stepper, from, at);
            accepted.map_err(solver)?;
            if !interrupted {
                break;
            }
            let consequence = self.interrupt(Consequence::Nothing)?;
            if consequence > Consequence::Nothing {
                return self.resume(stepper, method, consequence);
            }
            self.show_times()?;
            if at >= self.end {
                return Ok(Passed::Finished);
            }
            let next = self.interrupter.next_stop(at);
            moved = true;
            if at >= reached {
                break;
            }
            (from, until, due) = (at, next.min(reached), next <= reached);
        }
        if !moved {
            return Ok(Passed::To(stop));
        }
        // Something was scheduled, or done without effect: steps go on as they were.
        let (next, consequence) = self.next_stop(Consequence::Nothing)?;
        if consequence > Consequence::Nothing {
            return self.resume(stepper, method, consequence);
        }
        if self.time >= self.end {
            return Ok(Passed::Finished);
        }
        let step = self.typical_step.unwrap_or(next - self.time);
        let moved = stepper.set_stop(step.min(next - self.time), next);
        moved.map_err(solver)?;
        Ok(Passed::To(next))
    }

    /// Takes time and state from within the last step.
    fn reach(&mut self, stepper: &mut dyn Stepper, at: f64) -> Result<(), StepFailure> {
        self.time = at;
        if at >= stepper.time() {
            self.state.copy_from_slice(stepper.state());
            return Ok(());
        }
        stepper.interpolate(at, &mut self.state)
    }

    /// The rows of a piece of a step, up to the state reached.
    fn show_step(
        &mut self,
        stepper: &mut dyn Stepper,
        from: f64,
        slack: Option<f64>,
    ) -> Result<(), Stop> {
        let mut witness = Witness {
            interrupter: &mut *self.interrupter,
            monitor: &mut *self.monitor,
        };
        let reached = (self.time, self.state.as_slice());
        match self.rows.emit(stepper, from, reached, slack, &mut witness) {
            Ok(ControlFlow::Continue(())) => Ok(()),
            Ok(ControlFlow::Break(halt)) => Err(halted(halt, self.time)),
            Err(failure) => Err(failed(failure, self.time)),
        }
    }

    /// The output times that fall on an interruption without effect.
    fn show_times(&mut self) -> Result<(), Stop> {
        let mut witness = Witness {
            interrupter: &mut *self.interrupter,
            monitor: &mut *self.monitor,
        };
        let shown = self
            .rows
            .push_times_to(self.time, &self.state, &mut witness);
        match shown {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(halt) => Err(halted(halt, self.time)),
        }
    }

    /// Starts the stepper afresh after an interruption.
    fn resume(
        &mut self,
        stepper: &mut dyn Stepper,
        method: Method,
        consequence: Consequence,
    ) -> Result<Passed, Stop> {
        if consequence >= Consequence::Equations {
            self.show_piece()?;
        } else {
            self.show_times()?;
        }
        let (stop, consequence) = self.next_stop(consequence)?;
        if self.time >= self.end {
            return Ok(Passed::Finished);
        }
        let state = std::mem::take(&mut self.state);
        let step = self.first_step(method, &state, stop, consequence);
        self.state = state;
        // An event may have made a delay shorter.
        stepper.set_longest(self.longest_step());
        let restarted = stepper.restart(self.time, &self.state, step?, stop);
        restarted.map_err(|failure| failed(failure, self.time))?;
        Ok(Passed::To(stop))
    }

    /// Why no further step was possible: a recent value that was not finite, or the step itself.
    fn diagnose(&self, stepper: &dyn Stepper, failure: StepFailure) -> Stop {
        let time = stepper.time();
        let StepFailure::TooSmall { step } = failure else {
            return failed(failure, time);
        };
        if let Some(fault) = self.watched.recent_fault(RECENT) {
            let states = of_states(fault.states.into_iter(), self.shown);
            let mut values = fault.values;
            values.truncate(self.shown);
            return Stop::NonFinite {
                time: fault.time,
                states,
                what: fault.what,
                values,
            };
        }
        let (derivative, state) = (stepper.derivative(), stepper.state());
        let state = largest_scaled(derivative, state, &self.options.tolerances) % self.shown.max(1);
        Stop::StepTooSmall { time, step, state }
    }

    /// Takes a method into the record.
    fn enter(&mut self, method: Method, why: SwitchReason, sparse: bool) {
        let linear_solver = match (method.is_explicit(), sparse) {
            (true, _) => LinearSolver::None,
            (false, true) => LinearSolver::Sparse,
            (false, false) => LinearSolver::Dense,
        };
        self.methods.push(MethodUse {
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
            clamped: self.finished.clamped + current.clamped,
        }
    }
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
        // These take steps of their own choosing.
        Method::Iteration
        | Method::EulerMaruyama
        | Method::Milstein
        | Method::Sra1
        | Method::Srk
        | Method::ImplicitEuler
        | Method::ExactTransition
        | Method::Langevin
        | Method::Ssa
        | Method::Tau => 1,
    }
}
