//! What a run leaves behind: the trajectory, how it was computed, and why it stopped.
//!
//! States are named by their index; only the session knows their names.

use super::{Method, Tolerances};
use crate::system::Unsuited;
use std::ops::ControlFlow;

/// Work done, summed over all methods used in the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Accepted steps.
    pub steps: u64,
    /// Attempts given up: error too large, a nonlinear iteration that did not converge, or a
    /// value that is not finite.
    pub rejected: u64,
    /// Evaluations of the right-hand side.
    pub evaluations: u64,
    /// Evaluations of the Jacobian, those of the stiffness test included.
    pub jacobians: u64,
    /// LU factorisations of the iteration matrix.
    pub factorisations: u64,
    /// States that fell below zero and were set to zero: [`super::Chance::non_negative`].
    pub clamped: u64,
}

impl Statistics {
    /// Takes in the work of another run.
    pub fn add(&mut self, other: &Statistics) {
        self.steps += other.steps;
        self.rejected += other.rejected;
        self.evaluations += other.evaluations;
        self.jacobians += other.jacobians;
        self.factorisations += other.factorisations;
        self.clamped += other.clamped;
    }
}

/// How the linear systems inside an implicit step were solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinearSolver {
    /// The method is explicit.
    None,
    /// Dense LU with partial pivoting.
    Dense,
    /// Sparse LU on the exact pattern of the Jacobian.
    Sparse,
}

/// Why a method was taken up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SwitchReason {
    /// The caller asked for it.
    Requested,
    /// The equations are linear with constant coefficients between interruptions: the solution is
    /// exact.
    Linear,
    /// At the start, an explicit method would need about `steps` steps for stability alone.
    StartStability {
        /// Length of the run times the fastest decay rate, over the stability interval.
        steps: f64,
    },
    /// The explicit method's steps sat at its stability limit.
    TurnedStiff {
        /// Mean step times the fastest decay rate.
        stability: f64,
    },
    /// There are constraints, which no other method solves.
    Constraints,
    /// What the noise and the drift are like, for paths of a model with noise.
    Noise(NoiseReason),
    /// For long, the implicit method's steps were short enough for an explicit one to be stable.
    TurnedNonstiff {
        /// Mean step times the spectral radius.
        stability: f64,
    },
}

/// What decided on a method for paths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoiseReason {
    /// The equations are linear with constant coefficients, the noise is additive and constant.
    Linear,
    /// At the length of the steps, the drift asks for an implicit method.
    Stiff {
        /// The length of a step times the fastest decay rate at the start.
        stability: f64,
    },
    /// The noise is that of reactions.
    Reactions,
    /// The noise is additive.
    Additive,
    /// The noise is scalar or diagonal, and no length of the steps was asked for.
    Decoupled,
    /// The columns of noise commute.
    Commutative,
    /// The columns of noise do not commute.
    General,
}

/// One method, used from a time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MethodUse {
    /// Never [`Method::Auto`].
    pub method: Method,
    /// Time from which it was used.
    pub from: f64,
    /// How its linear systems were solved.
    pub linear_solver: LinearSolver,
    /// Why it was chosen.
    pub why: SwitchReason,
}

/// What was not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonFinite {
    /// A value of the state.
    State,
    /// A component of the right-hand side, at a finite state.
    Derivative,
    /// An entry of the Jacobian, at a finite state: `states` names the columns.
    Jacobian,
    /// An entry of the diffusion matrix, at a finite state: `states` names the rows.
    Noise,
}

/// Arguments that no run can be made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Invalid {
    /// The end lies before the start, or one of them is not finite.
    Range {
        /// Start of the run.
        start: f64,
        /// End of the run.
        end: f64,
    },
    /// The initial state or the absolute tolerances have the wrong length.
    Dimension {
        /// States of the system.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// A tolerance is negative or not finite, or the relative one is zero.
    Tolerance {
        /// The state, or `None` for the relative tolerance.
        state: Option<usize>,
        /// The value given.
        value: f64,
    },
    /// An output time lies outside the run or before its predecessor.
    OutputTime {
        /// Its position.
        index: usize,
        /// The time.
        time: f64,
    },
    /// The method asked for does not solve constraints; [`Method::Rodas`] does.
    Constraints {
        /// The method asked for.
        method: Method,
    },
    /// [`Method::Exponential`] was asked for, and the equations are not linear with constant
    /// coefficients.
    NotLinear,
    /// The method is not for paths of this model.
    Noise {
        /// The method asked for.
        method: Method,
        /// Why not.
        why: Unsuited,
    },
    /// [`Method::Ssa`] or [`Method::Tau`] was asked for, and the system's reactions are not counted
    /// ([`crate::system::count`]), or the options say nothing of chance.
    NotCounted,
    /// The initial or the longest step is not positive.
    StepSize {
        /// The value given.
        value: f64,
    },
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The end was reached.
    Finished,
    /// A value ceased to be finite, and shorter steps did not avoid it: the solution leaves the
    /// domain of the equations, or grows beyond all bounds.
    NonFinite {
        /// Where it was met: at or just after the last row.
        time: f64,
        /// The states concerned.
        states: Vec<usize>,
        /// What was not finite.
        what: NonFinite,
        /// The state vector at which it was met.
        values: Vec<f64>,
    },
    /// The error test asks for steps below round-off: a singularity, a discontinuity, or
    /// tolerances that cannot be met.
    StepTooSmall {
        /// The last time reached.
        time: f64,
        /// The step that was too small.
        step: f64,
        /// The state that changes fastest in terms of its tolerance.
        state: usize,
    },
    /// [`super::Options::max_steps`] was reached: raise it, loosen the tolerances or shorten the
    /// run; with an explicit method, try [`Method::Auto`].
    TooManySteps {
        /// The time reached.
        time: f64,
        /// Steps taken.
        steps: u64,
    },
    /// An explicit method was asked for, its steps sit at the stability limit, and at that length
    /// it would reach the step cap before the end. Use [`Method::Auto`] or [`Method::Rodas`].
    Stiff {
        /// The time reached.
        time: f64,
        /// The method asked for.
        method: Method,
        /// The fastest decay rate: the largest -Re of an eigenvalue of the Jacobian.
        rate: f64,
        /// Steps that the whole run would take.
        projected: f64,
    },
    /// The monitor saw an interrupt.
    Interrupted {
        /// The time reached.
        time: f64,
    },
    /// The monitor ended the run.
    Halted {
        /// The time reached.
        time: f64,
    },
    /// The rate of a reaction fell below zero, and with it the noise that it makes lost its sense:
    /// the state left the domain of the equations. [`super::Chance::non_negative`] keeps states
    /// from falling below zero.
    NegativePropensity {
        /// The time reached.
        time: f64,
        /// Position in the model's reactions.
        reaction: usize,
        /// Position in its ways.
        way: usize,
        /// The rate, per size.
        value: f64,
    },
    /// Events set each other off, or follow each other ever faster, without end.
    EventStorm {
        /// Where time stands still.
        time: f64,
        /// The event executed last.
        event: usize,
        /// Executions at this time.
        count: u64,
    },
    /// A condition of the equations switches to and fro without time going on: the solution
    /// slides along the border between two smooth pieces, each of which leads back to the other.
    Chattering {
        /// Where time stands still.
        time: f64,
        /// Position of the guard in the system.
        guard: usize,
        /// Switches at this time.
        count: u64,
    },
    /// The constraints cannot be satisfied at the start or after an interruption.
    Inconsistent {
        /// When.
        time: f64,
        /// The algebraic states, by position, with the residuals that remain.
        residuals: Vec<(usize, f64)>,
        /// True when the constraints do not determine the algebraic states there: the matrix of
        /// their derivatives is singular.
        singular: bool,
    },
    /// A schedule or a dose has a value that makes no sense.
    Schedule {
        /// Which event or dose.
        what: Occasion,
        /// What is wrong with it.
        fault: ScheduleFault,
    },
    /// A lag is negative or not finite.
    Delay {
        /// Position of the delay in the system.
        delay: usize,
        /// The lag.
        value: f64,
    },
    /// Repeated dosing does not settle: there is no steady state to start from.
    NeverSteady {
        /// Position of the dose in the system.
        dose: usize,
        /// The state that changes most from one interval to the next.
        state: usize,
    },
    /// A propensity is negative, or not finite.
    Propensity {
        /// When.
        time: f64,
        /// Position in the channels of the system's propensities.
        channel: usize,
        /// Its value.
        value: f64,
    },
    /// A number of molecules is none: it is not whole, is negative, or too large to be counted.
    Count {
        /// When.
        time: f64,
        /// Position in the state vector.
        state: usize,
        /// The number.
        count: f64,
        /// The channel that would have led there; `None` for an initial value, event or dose.
        channel: Option<usize>,
    },
    /// Nothing was computed.
    Invalid(Invalid),
    /// The solver gave up for a reason that has no name here.
    SolverFailed {
        /// The time reached.
        time: f64,
        /// The solver's own words.
        detail: String,
    },
}

/// What is wrong with a schedule or a dose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScheduleFault {
    /// A time, or one that follows from the schedule, is not finite.
    Time(f64),
    /// The period is not positive.
    Period(f64),
    /// The number of times is not a whole number, or negative.
    Times(f64),
    /// The delay or lag is negative or not finite.
    Delay(f64),
    /// The duration is negative or not finite.
    Duration(f64),
    /// The amount is not finite.
    Amount(f64),
    /// The priority is not a number.
    Priority(f64),
    /// `steady` without a period.
    NotRepeated,
    /// A periodic steady state, whose derivatives were asked for.
    SteadyVaried,
    /// An infusion, or a steady state of doses, where molecules are counted.
    Counted,
}

/// What a monitor asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// The user interrupted: ends with [`Stop::Interrupted`].
    Interrupt,
    /// Enough was seen: ends with [`Stop::Halted`].
    Enough,
}

/// Looks on during a run: interrupts, assertions, progress.
pub trait Monitor {
    /// Called at the start and after every accepted step, with the work done so far.
    fn step(&mut self, time: f64, state: &[f64], statistics: &Statistics) -> ControlFlow<Halt> {
        let _ = (time, state, statistics);
        ControlFlow::Continue(())
    }

    /// Called for every output row as it is stored, before [`Monitor::step`] of that step.
    fn row(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        let _ = (time, state);
        ControlFlow::Continue(())
    }
}

/// Something that happened to a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence {
    /// When.
    pub time: f64,
    /// What.
    pub what: Occasion,
}

/// What can happen to a run. Positions are those of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// This event was executed.
    Event(usize),
    /// This dose was given; from a table: by this row of the problem.
    Dose(usize, Option<usize>),
    /// This guard of the drift changed its mode, and steps began afresh.
    Switch(usize),
    /// A row of a table reset the states.
    Reset(usize),
}

/// A monitor that sees nothing.
impl Monitor for () {}

/// A trajectory, complete or up to where the run stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Output times, ascending.
    pub times: Vec<f64>,
    /// One row of `dimension` values per time, row after row.
    pub states: Vec<f64>,
    /// Number of states.
    pub dimension: usize,
    /// The methods used, in order of time; empty when nothing was computed.
    pub methods: Vec<MethodUse>,
    /// Work done.
    pub statistics: Statistics,
    /// The longest step allowed to a method with steps of fixed length, for paths.
    pub step: Option<f64>,
    /// `slot_width` numbers per time: the slots (inputs, infusions, delayed values) that held.
    pub slots: Vec<f64>,
    /// Slots per row; 0 for a system without.
    pub slot_width: usize,
    /// Parameter values that events changed: from this row on, these hold.
    pub parameter_changes: Vec<(usize, Vec<f64>)>,
    /// Derivatives of states, when they were asked for: per time, `dimension` numbers for each of
    /// the quantities that were varied, one quantity after the other.
    pub sensitivities: Vec<f64>,
    /// How parameters and slots move with the varied quantities, where interruptions changed it:
    /// from this row on, per quantity as many numbers as there are parameters and slots.
    pub moving_changes: Vec<(usize, Vec<f64>)>,
    /// What interrupted the run, in order of time.
    pub occurrences: Vec<Occurrence>,
    /// 1 when every step is kept; 2, 4, ... when a long run with [`super::Output::Steps`] keeps
    /// only every second, fourth, ... row, so that memory stays bounded.
    pub kept_every: u64,
    /// The tolerances used.
    pub tolerances: Tolerances,
    /// Why the run ended.
    pub stop: Stop,
}

impl Solution {
    /// A solution without rows.
    pub(super) fn begun(dimension: usize, slot_width: usize, tolerances: &Tolerances) -> Solution {
        Solution {
            times: Vec::new(),
            states: Vec::new(),
            dimension,
            methods: Vec::new(),
            statistics: Statistics::default(),
            step: None,
            slots: Vec::new(),
            slot_width,
            parameter_changes: Vec::new(),
            sensitivities: Vec::new(),
            moving_changes: Vec::new(),
            occurrences: Vec::new(),
            kept_every: 1,
            tolerances: tolerances.clone(),
            stop: Stop::Finished,
        }
    }

    /// A run of a system without states, which stands still: one row that holds at any time.
    #[must_use]
    pub fn standing(time: f64, slot_width: usize) -> Solution {
        let tolerances = Tolerances {
            relative: 0.0,
            absolute: Vec::new(),
        };
        let mut solution = Solution::begun(0, slot_width, &tolerances);
        solution.times.push(time);
        solution.slots.resize(slot_width, 0.0);
        solution
    }

    /// The slots that held at the row-th output time; empty for a system without.
    pub fn slots_of(&self, row: usize) -> &[f64] {
        self.slots
            .get(row * self.slot_width..(row + 1) * self.slot_width)
            .unwrap_or(&[])
    }

    /// The state at the row-th output time; `None` beyond the last row.
    pub fn row(&self, row: usize) -> Option<&[f64]> {
        if row >= self.times.len() {
            return None;
        }
        self.states
            .get(row * self.dimension..(row + 1) * self.dimension)
    }

    /// What went before this run, whose rows are not shown: its methods and its work count.
    #[must_use]
    pub fn after(mut self, before: Solution) -> Solution {
        self.methods.splice(..0, before.methods);
        self.statistics.add(&before.statistics);
        self
    }

    /// The last row, if there is one.
    pub fn last(&self) -> Option<(f64, &[f64])> {
        let row = self.times.len().checked_sub(1)?;
        Some((*self.times.get(row)?, self.row(row)?))
    }
}
