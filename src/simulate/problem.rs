//! A run of a compiled model with everything that interrupts it.
//!
//! Plain data: who asks for a run says here which events and doses hold, what tables say, and
//! what parameters are. Positions are those of the [`System`].

use crate::kernel::Kernels;
use crate::system::System;

/// A model with the values and interruptions of one run.
#[derive(Debug, Clone)]
pub struct Problem<'s> {
    /// The equations.
    pub system: &'s System,
    /// Their compiled functions.
    pub kernels: &'s Kernels,
    /// Values at the start, in the order of the system's parameter vector.
    pub parameters: Vec<f64>,
    /// The states' initial values, to which a row that resets returns; the run itself may begin
    /// elsewhere.
    pub initial: Vec<f64>,
    /// One per parameter block: true where a value was set that does not follow other parameters
    /// when these change during the run. Empty for none.
    pub held: Vec<bool>,
    /// One per event of the system: whether it holds in this run.
    pub events: Vec<bool>,
    /// One per dose of the system: whether it holds in this run.
    pub doses: Vec<bool>,
    /// Rows of dose tables, ascending in time; rows of the same time in the order of the table.
    pub rows: Vec<DoseRow>,
    /// One per input of the system.
    pub inputs: Vec<Track>,
    /// The time at which the model starts: schedules without `from` begin there.
    pub origin: f64,
    /// True when the run goes on where another ended: what is scheduled for the very start was
    /// done there.
    pub resumed: bool,
}

impl<'s> Problem<'s> {
    /// A run from these values at time 0, in which all events and doses hold and no table says
    /// anything.
    #[must_use]
    pub fn new(
        system: &'s System,
        kernels: &'s Kernels,
        parameters: Vec<f64>,
        initial: Vec<f64>,
    ) -> Problem<'s> {
        Problem {
            parameters,
            initial,
            held: Vec::new(),
            events: vec![true; system.events.len()],
            doses: vec![true; system.doses.len()],
            rows: Vec::new(),
            inputs: Vec::new(),
            origin: 0.0,
            resumed: false,
            system,
            kernels,
        }
    }
}

/// A row of a dose table.
#[derive(Debug, Clone, PartialEq)]
pub struct DoseRow {
    /// Position of the dose in the system, whose expressions hold for the row.
    pub dose: usize,
    /// TIME
    pub time: f64,
    /// What the row does (EVID 1, 3, 4).
    pub kind: RowKind,
    /// AMT
    pub amount: f64,
    /// Position in the state vector.
    pub into: usize,
    /// AMT/RATE; at once when `None`.
    pub duration: Option<f64>,
    /// ADDL doses follow, II apart.
    pub additional: u32,
    /// II; 0 when absent.
    pub interval: f64,
    /// SS
    pub steady: SteadyKind,
    /// Line in the table, for messages.
    pub line: usize,
}

/// What a row of a dose table does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// EVID 1
    Dose,
    /// EVID 3: states return to their initial values, infusions end.
    Reset,
    /// EVID 4: reset, then dose.
    ResetAndDose,
}

/// SS of a row of a dose table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SteadyKind {
    /// 0
    #[default]
    No,
    /// 1: the steady state replaces what is there.
    Replace,
    /// 2: the steady state is added to what is there.
    Add,
}

/// An input's table: at least one time, ascending without repeats, all finite.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Track {
    /// In the model's unit of time.
    pub times: Vec<f64>,
    /// As many values.
    pub values: Vec<f64>,
}
