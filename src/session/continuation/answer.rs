//! What `continue` answers: the diagram with the names of its model.

use crate::analyze::continuation::{Kind, Motion};
use crate::figure::Figure;
use crate::session::compiled::Compiled;
use crate::session::outcome::Made;
use std::path::PathBuf;
use std::sync::Arc;

/// Branches of steady states (or of orbits of a map) over a parameter.
#[derive(Debug, Clone)]
pub struct DiagramAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The parameter that moves, as written.
    pub parameter: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Where it moves.
    pub range: (f64, f64),
    /// Its value at the start.
    pub start: f64,
    /// Whether the model flows or steps.
    pub motion: Motion,
    /// Steps after which orbits of a map close.
    pub period: usize,
    /// What is drawn above the parameter, as written.
    pub shown: String,
    /// Its unit.
    pub shown_unit: Option<String>,
    /// Names of the states, one per number.
    pub names: Vec<String>,
    /// The branches in the order in which they were found.
    pub branches: Vec<BranchAnswer>,
    /// The special points of all branches, in the order of the branches.
    pub points: Vec<BranchPoint>,
    /// The parameter is explored on a logarithmic scale.
    pub is_logarithmic: bool,
    /// True when the user stopped it.
    pub interrupted: bool,
}

/// A diagram with the figure that shows it.
#[derive(Debug, Clone)]
pub struct DrawnDiagram {
    /// The branches and their special points.
    pub answer: Arc<DiagramAnswer>,
    /// What is drawn.
    pub figure: DrawnInto,
}

/// Where a diagram is shown beside its text.
#[derive(Debug, Clone)]
pub enum DrawnInto {
    /// In the terminal.
    Terminal(Figure),
    /// In a file, drawn by whoever shows it.
    File(Figure, PathBuf),
    /// As a table that has been written.
    Table(Made),
}

/// One branch.
#[derive(Debug, Clone)]
pub struct BranchAnswer {
    /// Where it comes from.
    pub origin: BranchOrigin,
    /// States and then the parameter of each point.
    pub points: Vec<Vec<f64>>,
    /// How many directions leave each point; `None` where that is not known.
    pub unstable: Vec<Option<usize>>,
    /// What is drawn, at each point.
    pub shown: Vec<f64>,
    /// Why it ends, at its first and at its last point.
    pub ends: [EndOfBranch; 2],
    /// Positions of the special points among the points, each with its number in
    /// [`DiagramAnswer::points`].
    pub special: Vec<(usize, usize)>,
}

/// Where a branch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchOrigin {
    /// A steady state at the start.
    Start,
    /// It crosses another one at this special point.
    Crossing(usize),
}

/// Why a branch ends.
#[derive(Debug, Clone, PartialEq)]
pub enum EndOfBranch {
    /// The parameter has come to the end of its range.
    Range,
    /// The branch has come back to where it began.
    Closed,
    /// This state has come to its bound.
    Bound {
        /// Which.
        state: usize,
        /// The bound.
        bound: f64,
    },
    /// A condition of the equations changes there.
    Switch {
        /// What is zero there.
        text: String,
        /// The same by its position among the guards of the system.
        guard: Option<usize>,
    },
    /// The equations are not finite beyond.
    NotFinite,
    /// No further point was found with the smallest step.
    StepTooSmall,
    /// The most points of a branch have been computed.
    TooManyPoints,
    /// A state has grown beyond all measure.
    Unbounded {
        /// Which.
        state: usize,
    },
    /// It continues as a branch that is known.
    Known,
    /// The user stopped it.
    Interrupted,
}

/// A point where something happens.
#[derive(Debug, Clone)]
pub struct BranchPoint {
    /// Its name in table and figure: `LP1`.
    pub label: String,
    /// The branch that it was found on.
    pub branch: usize,
    /// The states, then the parameter.
    pub point: Vec<f64>,
    /// What is drawn there.
    pub shown: f64,
    /// What happens.
    pub kind: Kind,
}

/// Points of a branch, one after the other, with the same stability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first.
    pub from: usize,
    /// The last; it is the first of the next run.
    pub to: usize,
    /// How many directions leave.
    pub unstable: Option<usize>,
}

impl BranchAnswer {
    /// The branch cut where its stability changes. Special points belong to both sides.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let is_special = |at: usize| self.special.iter().any(|(place, _)| *place == at);
        let mut runs: Vec<Run> = Vec::new();
        for (at, unstable) in self.unstable.iter().enumerate() {
            // At a special point the eigenvalue that decides is zero.
            if is_special(at) {
                if let Some(run) = runs.last_mut() {
                    run.to = at;
                }
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.unstable == *unstable => run.to = at,
                Some(run) => {
                    let from = if is_special(run.to) { run.to } else { at - 1 };
                    run.to = run.to.max(from);
                    runs.push(Run {
                        from,
                        to: at,
                        unstable: *unstable,
                    });
                }
                None => runs.push(Run {
                    from: 0,
                    to: at,
                    unstable: *unstable,
                }),
            }
        }
        runs
    }
}

impl DiagramAnswer {
    /// Whether directions other than those of this special point leave there, so that nothing
    /// born at it can attract.
    #[must_use]
    pub fn others_leave(&self, point: usize) -> bool {
        let around = self.branches.iter().flat_map(|branch| {
            let here = branch.special.iter().filter(move |(_, of)| *of == point);
            here.flat_map(|(at, _)| {
                let sides = [at.checked_sub(1), Some(at + 1)];
                let unstable = sides.map(|side| branch.unstable.get(side?).copied().flatten());
                unstable.into_iter().flatten()
            })
        });
        around.min().is_some_and(|least| least > 0)
    }
}

impl BranchPoint {
    /// The field's abbreviation for what happens.
    #[must_use]
    pub fn abbreviation(&self) -> &'static str {
        abbreviation(&self.kind)
    }

    /// The value of the parameter.
    #[must_use]
    pub fn parameter(&self) -> f64 {
        self.point.last().copied().unwrap_or(f64::NAN)
    }
}

pub(super) fn abbreviation(kind: &Kind) -> &'static str {
    match kind {
        Kind::Fold { .. } => "LP",
        Kind::Crossing(_) => "BP",
        Kind::Hopf { .. } => "H",
        Kind::Doubling { .. } => "PD",
        Kind::Circle { .. } => "NS",
        Kind::Alternation => "ALT",
    }
}
