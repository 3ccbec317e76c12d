//! What interrupts a run, as equations: guards, triggers, jumps, schedules, delays.
//!
//! Expressions are inlined: they name time, states, parameters and slots only. Numerical layers
//! take everything from here by position.

use super::Layout;
use crate::model::{ConditionId, Direction, Interpolation, Repeat};
use crate::symbolic::{Expr, SymbolId};
use std::ops::Range;

/// The slots of a system: numbers that a run supplies beside time, state and parameters.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    /// The symbols with their offsets, section after section.
    pub layout: Layout,
    /// One block per guard, of its shape: which side it is on ([`Guard::kind`]).
    pub modes: Range<usize>,
    /// The present values of the inputs.
    pub inputs: Range<usize>,
    /// Their time derivatives.
    pub input_rates: Range<usize>,
    /// One block per state that infusions enter, of its shape, in [`System::infused`] order: amount
    /// per time.
    ///
    /// [`System::infused`]: super::System::infused
    pub infusions: Range<usize>,
    /// Delayed values, one block per delay.
    pub delayed: Range<usize>,
    /// Their time derivatives.
    pub delayed_rates: Range<usize>,
    /// The AMT of the table row that is being given: a single number, when there are tables.
    pub amount: Range<usize>,
}

impl Slots {
    /// How many numbers there are, directions not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layout.is_empty()
    }
}

/// A direction in which functions are differentiated. Its numbers stand in the slots after those
/// of [`Slots`]: one for time, then one per state, per parameter and per slot.
#[derive(Debug, Clone, Default)]
pub struct Directions {
    /// Direction of the time.
    pub time: Option<SymbolId>,
    /// Of each state block.
    pub states: Vec<SymbolId>,
    /// Of each parameter block.
    pub parameters: Vec<SymbolId>,
    /// Of each slot block; modes do not vary, and their directions are never read.
    pub slots: Vec<SymbolId>,
    /// The offset of its first number in the slots.
    pub offset: usize,
}

/// A quantity whose sign (or whole part) decides between branches or sets off events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// The quantity: a number, or a vector of them. What makes it jump is read from the modes of
    /// other guards, so that after one changed the others must be looked at again.
    pub expr: Expr,
    /// Its total time derivative along the solution.
    pub rate: Expr,
    /// What its mode says.
    pub kind: GuardKind,
    /// True when the drift reads its mode: steps then restart where it changes.
    pub in_drift: bool,
    /// True when it depends on time, parameters and modes only, linearly on time: as long as the
    /// modes hold, its crossing is known ahead, at t - guard/rate (that of a whole part where the
    /// next whole number is reached).
    pub is_timed: bool,
}

/// How a guard's mode follows from its value g.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GuardKind {
    /// 1 when g > 0, else 0.
    Positive,
    /// 1 when g >= 0, else 0.
    NotNegative,
    /// 0 always, but 1 for the moment in which g crosses zero: for triggers `a == b`.
    Zero,
    /// The largest whole number not above g.
    Floor,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The condition it is declared in.
    pub within: Option<ConditionId>,
    /// What sets it off.
    pub trigger: Trigger,
    /// Time from trigger to execution.
    pub delay: Option<Expr>,
    /// Higher goes first; 0 when absent.
    pub priority: Option<Expr>,
    /// False when a trigger that ceases to hold calls it off.
    pub persistent: bool,
    /// Whether values are those of the time of the trigger.
    pub values_at_trigger: bool,
    /// What is set.
    pub jump: Jump,
    /// Positions in [`super::System::doses`] of the doses that it gives.
    pub doses: Vec<usize>,
}

/// What sets an event off.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// A condition of modes and parameters: 1 where it holds.
    When {
        /// The condition, in terms of modes (guards decide when it may change) and parameters.
        condition: Expr,
        /// Which change counts.
        direction: Direction,
        /// For an equality with a direction: its guard, and 1.0 for growing through zero, -1.0 for
        /// falling, 0.0 for both.
        crossing: Option<(usize, f64)>,
    },
    /// At these times.
    At(Vec<Expr>),
    /// Again and again.
    Every(Repeat),
}

/// Values that replace others, all at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Jump {
    /// What is set; of the shape of its place.
    pub values: Vec<Expr>,
    /// Where each goes.
    pub places: Vec<JumpPlace>,
}

/// Where a value of a jump goes: positions in the state or parameter vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JumpPlace {
    /// Of the state vector.
    State(Range<usize>),
    /// Of the parameter vector.
    Parameter(Range<usize>),
}

/// A dose.
#[derive(Debug, Clone, PartialEq)]
pub struct Dose {
    /// The condition it is declared in.
    pub within: Option<ConditionId>,
    /// An amount; reads [`Slots::amount`] when it comes from a table.
    pub amount: Expr,
    /// Where it goes: a position in the state vector; `None` when a table's CMT says so.
    pub into: Option<usize>,
    /// When.
    pub schedule: DoseSchedule,
    /// Given evenly over this time; at once when absent.
    pub duration: Option<Expr>,
    /// Arrives so much later.
    pub lag: Option<Expr>,
    /// The first finds the steady state of endless repetition.
    pub steady: bool,
}

/// When a dose is given.
#[derive(Debug, Clone, PartialEq)]
pub enum DoseSchedule {
    /// At these times.
    At(Vec<Expr>),
    /// Again and again.
    Every(Repeat),
    /// When the event fires that names it.
    Event,
    /// As the rows say that are handed to the run.
    Table,
}

/// A state, or an element of it, so much earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct Delay {
    /// Positions in the state vector whose delayed values are wanted.
    pub states: Range<usize>,
    /// How long ago, in terms of parameters.
    pub lag: Expr,
}

/// An input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// What holds between the times of its table.
    pub interpolation: Interpolation,
}
