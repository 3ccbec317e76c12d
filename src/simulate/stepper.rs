//! The small contract between the driver and whatever advances a solution by one step, and the
//! guarded view of a system that all steppers share.
//!
//! In: a [`Dynamics`]. Out: accepted steps with an interpolant, or a failure with its cause.

use super::{Dynamics, Method, NonFinite, Stop, Tolerances};
use std::cell::{Cell, RefCell};

/// Where a stepper begins.
#[derive(Debug, Clone)]
pub(super) struct Start<'a> {
    /// The method; never [`Method::Auto`].
    pub method: Method,
    /// Whether the Jacobian is factorised as a sparse matrix.
    pub sparse: bool,
    /// Time of `state`.
    pub time: f64,
    /// Initial state.
    pub state: &'a [f64],
    /// Length of the first attempt.
    pub step: f64,
    /// End of the run, hit exactly.
    pub end: f64,
    /// Longest step allowed; infinite when there is no limit.
    pub max_step: f64,
    /// Local error allowed.
    pub tolerances: &'a Tolerances,
    /// Whether rows or guards look at the inside of steps: a method whose accuracy asks for no
    /// short steps then takes steps that a smooth curve is drawn through.
    pub smooth: bool,
}

/// What an accepted step reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepted {
    /// A time before the end.
    Inside,
    /// The end of the run.
    End,
}

/// Why no further step is possible.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum StepFailure {
    /// Even a step of this length, at round-off of the time, was not accepted.
    TooSmall { step: f64 },
    /// The solver's own message.
    Other(String),
    /// The run ends for this reason.
    Ended(Box<Stop>),
}

/// Counts of one stepper.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StepperStatistics {
    pub steps: u64,
    pub rejected: u64,
    pub factorisations: u64,
    /// States below zero that were set to zero.
    pub clamped: u64,
}

/// Advances a solution by steps of its own choosing.
pub(super) trait Stepper {
    /// Takes one step. After a failure the state is that of the last accepted step.
    fn step(&mut self) -> Result<Accepted, StepFailure>;

    /// The time reached.
    fn time(&self) -> f64;

    /// The state reached.
    fn state(&self) -> &[f64];

    /// The time derivative at the state reached, as the method carries it.
    fn derivative(&self) -> &[f64];

    /// The state at a time within the last accepted step, by the method's own interpolant.
    fn interpolate(&mut self, time: f64, out: &mut [f64]) -> Result<(), StepFailure>;

    /// Goes on from another state, or after the equations changed: `step` is the length of the
    /// first attempt, `stop` the new end, hit exactly. Nothing of what was before is used; counts
    /// go on.
    fn restart(
        &mut self,
        time: f64,
        state: &[f64],
        step: f64,
        stop: f64,
    ) -> Result<(), StepFailure>;

    /// Moves the end of the steps, which is hit exactly; all else goes on as it was. `step` is the
    /// length to try next if the method has to begin anew.
    fn set_stop(&mut self, step: f64, stop: f64) -> Result<(), StepFailure> {
        let state = self.state().to_vec();
        self.restart(self.time(), &state, step, stop)
    }

    /// The length of the last step times the size of the fastest eigenvalue, as far as the
    /// method's own stages tell at no cost; `None` when they do not.
    fn stability(&self) -> Option<f64> {
        None
    }

    /// No later step is longer than this; takes the place of [`Start::max_step`].
    fn set_longest(&mut self, step: f64);

    /// The counts so far.
    fn statistics(&self) -> StepperStatistics;
}

/// Makes the stepper of a run in place of those that the name of a method stands for.
pub(super) trait Walker {
    /// A stepper at its start.
    fn stepper<'s>(
        &'s self,
        system: &'s Watched<'s>,
        start: &Start<'_>,
    ) -> Result<Box<dyn Stepper + 's>, StepFailure>;
}

/// The shortest step that still moves the time: a few units of round-off, and far below the
/// length of the run where the time itself is near zero.
#[inline(always)]
pub(super) fn shortest_step(time: f64, length: f64) -> f64 {
    (8.0 * f64::EPSILON * time.abs())
        .max(1e-30 * length)
        .max(1e3 * f64::MIN_POSITIVE)
}

/// A value that was not finite at a finite state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub time: f64,
    pub states: Vec<usize>,
    pub what: NonFinite,
    /// The state at which it was met.
    pub values: Vec<f64>,
    /// Evaluations made when it was met.
    pub at: u64,
}

/// A system seen through counters and checks: counts what is evaluated and remembers the last
/// value that was not finite although the state was.
pub(super) struct Watched<'a> {
    system: &'a dyn Dynamics,
    evaluations: Cell<u64>,
    jacobians: Cell<u64>,
    fault: RefCell<Option<Fault>>,
    entries: RefCell<Vec<f64>>,
}

impl<'a> Watched<'a> {
    pub fn new(system: &'a dyn Dynamics) -> Self {
        let entries = system.pattern().1.len();
        Watched {
            system,
            evaluations: Cell::new(0),
            jacobians: Cell::new(0),
            fault: RefCell::new(None),
            entries: RefCell::new(vec![0.0; entries]),
        }
    }

    pub fn dimension(&self) -> usize {
        self.system.dimension()
    }

    pub fn pattern(&self) -> (&[usize], &[usize]) {
        self.system.pattern()
    }

    pub fn is_linear(&self) -> bool {
        self.system.is_linear()
    }

    pub fn is_autonomous(&self) -> bool {
        self.system.is_autonomous()
    }

    pub fn algebraic(&self) -> &[bool] {
        self.system.algebraic()
    }

    /// df/dt at (t, y) into `out`. What is not finite there is zero: the step then takes that
    /// dependence on time as it comes, as the Jacobian does.
    pub fn time_derivative(&self, time: f64, y: &[f64], out: &mut [f64]) {
        self.system.time_derivative(time, y, out);
        for value in out.iter_mut().filter(|v| !v.is_finite()) {
            *value = 0.0;
        }
    }

    pub fn evaluations(&self) -> u64 {
        self.evaluations.get()
    }

    pub fn jacobians(&self) -> u64 {
        self.jacobians.get()
    }

    /// Counts evaluations of a function that stands for the drift.
    pub fn count_evaluation(&self) {
        self.evaluations.set(self.evaluations.get() + 1);
    }

    /// f(t, y) into `dy`, as it comes.
    pub fn drift(&self, time: f64, y: &[f64], dy: &mut [f64]) {
        self.system.drift(time, y, dy);
        self.evaluations.set(self.evaluations.get() + 1);
        if !all_finite(dy) && all_finite(y) {
            let states = (0..dy.len()).filter(|&i| !dy[i].is_finite()).collect();
            self.record(time, y, states, NonFinite::Derivative);
        }
    }

    /// The Jacobian's entries, in the order of the pattern, handed to `take`.
    ///
    /// An entry that is not finite is handed on as zero: Newton's iteration then treats that
    /// dependence explicitly, and still converges for short steps to the solution of the same
    /// equations, whereas an infinite entry would freeze the state and pass for convergence.
    pub fn jacobian<R>(&self, time: f64, y: &[f64], take: impl FnOnce(&[f64]) -> R) -> R {
        let mut entries = self.entries.borrow_mut();
        self.system.jacobian(time, y, &mut entries);
        self.jacobians.set(self.jacobians.get() + 1);
        if !all_finite(&entries) {
            if all_finite(y) {
                self.record(time, y, self.faulty_columns(&entries), NonFinite::Jacobian);
            }
            for entry in entries.iter_mut().filter(|e| !e.is_finite()) {
                *entry = 0.0;
            }
        }
        take(&entries)
    }

    /// How many derivatives the state vector carries.
    pub fn varied(&self) -> usize {
        self.system.varied()
    }

    /// See [`Dynamics::varied_along`]; as it comes.
    pub fn varied_along(&self, time: f64, y: &[f64], along: (f64, &[f64]), out: &mut [f64]) {
        self.system.varied_along(time, y, along, out);
    }

    /// Remembers that the solution grew beyond all numbers after `time`: `reached` is not finite.
    pub fn overflow(&self, time: f64, y: &[f64], reached: &[f64]) {
        let states = (0..reached.len()).filter(|&i| !reached[i].is_finite());
        self.record(time, y, states.collect(), NonFinite::State);
    }

    /// The last fault met within the last `within` evaluations; a fault of the right-hand side
    /// takes precedence over one of the Jacobian.
    pub fn recent_fault(&self, within: u64) -> Option<Fault> {
        let now = self.evaluations.get();
        let fault = self.fault.borrow();
        fault.clone().filter(|f| f.at + within >= now)
    }

    fn faulty_columns(&self, entries: &[f64]) -> Vec<usize> {
        let starts = self.system.pattern().0;
        let faulty = |column: &[usize]| match column {
            [from, to] => entries[*from..*to].iter().any(|e| !e.is_finite()),
            _ => false,
        };
        let columns = starts.windows(2).enumerate();
        columns.filter(|(_, c)| faulty(c)).map(|(j, _)| j).collect()
    }

    fn record(&self, time: f64, y: &[f64], states: Vec<usize>, what: NonFinite) {
        let at = self.evaluations.get();
        let mut fault = self.fault.borrow_mut();
        let keep = what == NonFinite::Jacobian
            && matches!(&*fault, Some(f) if f.what == NonFinite::Derivative && f.at + 50 >= at);
        if !keep {
            *fault = Some(Fault {
                time,
                states,
                what,
                values: y.to_vec(),
                at,
            });
        }
    }
}

/// Whether no value is infinite or NaN. One pass without branches.
pub(super) fn all_finite(values: &[f64]) -> bool {
    values.iter().fold(true, |finite, v| finite & v.is_finite())
}
