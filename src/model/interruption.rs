//! What interrupts a run or drives it from outside, as the text says it: events, doses, inputs,
//! constraints and delays.
//!
//! Plain data of the [`super::Model`]; expressions are still in the model's names, definitions
//! included.

use super::{ConditionId, StateId, Target};
use crate::source::Span;
use crate::symbolic::{Expr, SymbolId};
use crate::syntax::tree;

/// `when ... { }`, `at ... { }` or `every ... { }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The head of the block.
    pub span: Span,
    /// The condition it is declared in; `None` for the model itself.
    pub within: Option<ConditionId>,
    /// What sets it off.
    pub trigger: Trigger,
    /// `after tau`: time from the trigger to the effects; a number of time, not negative.
    pub delay: Option<Expr>,
    /// `priority p`: among events due at the same time the higher goes first; 0 when absent.
    pub priority: Option<Expr>,
    /// False when a trigger that ceases to hold before a delayed execution calls it off.
    pub persistent: bool,
    /// Whether a delayed event uses the values of the time of its trigger (otherwise those of its
    /// execution).
    pub values_at_trigger: bool,
    /// What is set: all values are computed from what holds before, then all are set.
    pub assignments: Vec<Assignment>,
    /// Doses given by the block: positions in [`super::Model::doses`].
    pub doses: Vec<usize>,
}

/// What sets an event off.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// A condition of the state, the time and parameters.
    When {
        /// The condition.
        condition: Expr,
        /// Which change of it counts.
        direction: Direction,
    },
    /// These times, in order of the text.
    At(Vec<Expr>),
    /// Again and again.
    Every(Repeat),
}

/// Which change of a condition sets an event off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// It becomes true. An equality `a == b` becomes true at each crossing.
    #[default]
    True,
    /// `rising`: it becomes true; for an equality: `a - b` grows through zero.
    Rising,
    /// `falling`: it becomes false; for an equality: `a - b` falls through zero.
    Falling,
}

/// `every 24 from 0 times 7 until 100`: the first at `from`.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// Positive.
    pub period: Expr,
    /// The first time; the model's start when absent.
    pub from: Option<Expr>,
    /// How many in all; without end when absent.
    pub times: Option<Expr>,
    /// None after this time.
    pub until: Option<Expr>,
}

/// `predator = predator/2` in the block of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// What is set; a state here means its present value.
    pub target: Target,
    /// Which element; the whole when absent.
    pub element: Option<u32>,
    /// To what, of the target's shape.
    pub value: Expr,
    /// Where it stands.
    pub span: Span,
}

/// `dose 100 [mg] * F into depot every 12 times 10 over 0.5 lag tlag`
#[derive(Debug, Clone, PartialEq)]
pub struct Dose {
    /// The whole statement.
    pub span: Span,
    /// The condition it is declared in; `None` for the model itself.
    pub within: Option<ConditionId>,
    /// An amount; scalar. For a dose from a table: in terms of [`DoseTable::amount`].
    pub amount: Expr,
    /// Where it goes; `None` when a table's column `CMT` says so.
    pub into: Option<(StateId, u32)>,
    /// When it is given.
    pub schedule: Schedule,
    /// `over d`: given evenly over this time; at once when absent.
    pub duration: Option<Expr>,
    /// `lag tlag`: arrives so much later.
    pub lag: Option<Expr>,
    /// `steady`: the first finds the state that endless repetition before would have made.
    pub steady: bool,
}

/// When a dose is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// At these times.
    At(Vec<Expr>),
    /// Again and again.
    Every(Repeat),
    /// Whenever the event fires whose block it stands in.
    Event,
    /// As the rows of a table say.
    Table(DoseTable),
}

/// `dose AMT*F from "doses.csv" (TIME = hour) lag tlag`: columns ID, TIME, AMT, EVID, CMT, RATE,
/// II, ADDL, SS as pharmacometricians write them (upper or lower case).
#[derive(Debug, Clone, PartialEq)]
pub struct DoseTable {
    /// The file, as written.
    pub path: tree::Text,
    /// `(TIME = hour)`: name here, column there.
    pub columns: Vec<(tree::Name, tree::Name)>,
    /// Stands for the row's AMT in [`Dose::amount`].
    pub amount: SymbolId,
}

/// `input temperature [K] from "temp.csv" linear`
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// As declared.
    pub name: String,
    /// The whole statement.
    pub span: Span,
    /// Doc comment.
    pub doc: Option<String>,
    /// Its symbol; scalar.
    pub symbol: SymbolId,
    /// Unit as declared.
    pub unit: Option<super::Unit>,
    /// The file, as written.
    pub path: tree::Text,
    /// `(time = hour, temperature = T)`: name here, column there.
    pub columns: Vec<(tree::Name, tree::Name)>,
    /// What holds between the times of the table.
    pub interpolation: Interpolation,
}

/// What holds between the times of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// The value of the last time, which holds from that time on.
    Step,
    /// A straight line.
    #[default]
    Linear,
    /// A natural cubic spline.
    Cubic,
}

/// `0 = A + B - total`
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// What must be zero, of any shape.
    pub residual: Expr,
    /// The whole equation.
    pub span: Span,
}

/// A delayed state: `x(t - tau)` in some expression; equal ones share one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Delay {
    /// Stands for the delayed value, of the shape of the state or of its element.
    pub symbol: SymbolId,
    /// Whose value.
    pub state: StateId,
    /// Which element of it; the whole when absent.
    pub element: Option<u32>,
    /// How long ago: an expression of parameters.
    pub lag: Expr,
    /// Where it stands first.
    pub span: Span,
}
