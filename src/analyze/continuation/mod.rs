//! Continuation: the curve of solutions of F(u, p) = 0 as the parameter p moves.
//!
//! Enters: a [`Family`] and a solution to start from. Leaves: a [`Diagram`] of branches with their
//! special points. Must not know models, names, text or the terminal.
//!
//! ```text
//! curve.rs     the core: steps along any n equations for n + 1 numbers, shown to a walker
//! diagram.rs   its first client: branches of equilibria and fixed points, and those that cross
//!   journey.rs     what a step along a branch brings     events.rs       test functions and their zeros
//!   polish.rs      special points to round-off           normal_form.rs  coefficients
//!   iterate.rs     orbits of a map as fixed points       linear.rs       dense linear algebra
//! ```

mod curve;
mod diagram;
mod events;
mod iterate;
mod journey;
mod linear;

mod normal_form;
mod orbits;
mod polish;

pub use diagram::diagram;
pub use iterate::Iterate;
pub use orbits::orbits;

/// Algebraic systems F(u, p) = 0 that depend on one parameter, with exact derivatives. A point is
/// x = (u, p): n unknowns, then the parameter.
///
/// Rows may be constraints: a flow is M u' = F with M diagonal, 1 for an equation and 0 for a
/// constraint or a kept sum ([`Family::algebraic`]). For maps F(u, p) = g(u, p) - u, so that
/// multipliers are 1 + the eigenvalues of F.
pub trait Family {
    /// Number of unknowns n.
    fn dimension(&self) -> usize;

    /// Whether F is the drift of a flow or the change that a map makes.
    fn motion(&self) -> Motion;

    /// One per row: true for a constraint, which has no dynamics of its own. Empty when there is
    /// none. Always empty for maps.
    fn algebraic(&self) -> &[bool] {
        &[]
    }

    /// F at `x`, of length n + 1, into `out`, of length n. Non-finite values are written as they
    /// come.
    fn residual(&self, x: &[f64], out: &mut [f64]);

    /// dF/dx at `x` into `out`, n rows and n + 1 columns stored by column; the last column is
    /// dF/dp.
    fn jacobian(&self, x: &[f64], out: &mut [f64]);

    /// The second derivative D²F(x)(a, b) into `out`; `a` and `b` have n + 1 numbers.
    fn second(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]);

    /// The third derivative D³F(x)(a, a, b) into `out`; `a` and `b` have n + 1 numbers. With
    /// polarisation this gives every trilinear form.
    fn third(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]);
}

/// Of which the solutions are equilibria, M u' = F, or fixed points, u -> u + F.
pub use crate::system::Motion;

/// How far and how finely branches are followed.
pub struct Options<'a> {
    /// Where the parameter moves.
    pub range: (f64, f64),
    /// The least size of each state.
    pub sizes: &'a [f64],
    /// Where the states may be.
    pub bounds: &'a [(f64, f64)],
    /// Points of one branch.
    pub most_points: usize,
    /// Branches in all.
    pub most_branches: usize,
    /// False at points where the equations are other ones.
    pub admissible: &'a dyn Fn(&[f64]) -> bool,
    /// True when the user wants to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// Branches and their special points.
#[derive(Debug, Clone, Default)]
pub struct Diagram {
    /// In the order in which they were found.
    pub branches: Vec<Branch>,
    /// In the order in which they were found.
    pub specials: Vec<Special>,
    /// Starts, by their number, from which no branch could be followed.
    pub unstarted: Vec<(usize, Unstarted)>,
    /// The user stopped it.
    pub interrupted: bool,
}

/// Why no branch leads through a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unstarted {
    /// F or its derivatives are not finite there.
    NotFinite,
    /// Newton's iteration finds no solution near by.
    NoSolution,
    /// The Jacobian has lost its rank and no two branches that cross can be told: solutions fill a
    /// surface, or touch.
    Singular,
}

/// One branch.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Where it comes from.
    pub origin: Origin,
    /// Its points in order.
    pub points: Vec<Point>,
    /// Positions among the points of specials.
    pub special: Vec<(usize, usize)>,
    /// Why it ends at its first and last point.
    pub ends: [End; 2],
}

/// Where a branch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A start.
    Start,
    /// The special point where it crosses another one.
    Crossing(usize),
}

/// A point of a branch.
#[derive(Debug, Clone)]
pub struct Point {
    /// (u, p)
    pub x: Vec<f64>,
    /// Directions that leave.
    pub unstable: Option<usize>,
}

/// Why a branch ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// The end of the parameter's range.
    Range,
    /// Where it began.
    Closed,
    /// A bound of a state.
    Bound {
        /// Which.
        state: usize,
        /// The bound.
        bound: f64,
    },
    /// [`Options::admissible`]
    Switch,
    /// F is not finite beyond.
    NotFinite,
    /// No point with the shortest step.
    StepTooSmall,
    /// [`Options::most_points`]
    TooManyPoints,
    /// A state grew.
    Unbounded {
        /// Which.
        state: usize,
    },
    /// By the user.
    Interrupted,
}

/// A special point.
#[derive(Debug, Clone)]
pub struct Special {
    /// On which branch.
    pub branch: usize,
    /// (u, p)
    pub x: Vec<f64>,
    /// What it is.
    pub kind: Kind,
}

/// What a special point is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// LP
    Fold {
        /// |p . D²F(q, q)/2|; not a number where a second eigenvalue is 0.
        coefficient: f64,
    },
    /// BP
    Crossing(Crossing),
    /// H
    Hopf {
        /// w
        frequency: f64,
        /// First Lyapunov coefficient (1/2) Re(p . (C(q, q, q̄) - 2 B(q, A⁻¹ B(q, q̄)) +
        /// B(q̄, (2 i w - A)⁻¹ B(q, q)))) with |q| = 1, p . q = 1; exactly 0 where it cannot be told
        /// from round-off, not a number where another eigenvalue is 0.
        l1: f64,
        /// d Re/dp
        growth: f64,
        /// Of each state, per sqrt of the distance of p.
        amplitude: Vec<f64>,
    },
    /// PD
    Doubling {
        /// Positive: supercritical.
        coefficient: f64,
    },
    /// NS
    Circle {
        /// Angle.
        angle: f64,
        /// Negative: supercritical.
        coefficient: f64,
    },
    /// Multiplier 0.
    Alternation,
}

impl Kind {
    /// Whether what is born attracts (within the plane or line where it is born); `None` when
    /// nothing is born or the normal form does not decide.
    #[must_use]
    pub fn is_supercritical(&self) -> Option<bool> {
        let decided = |number: f64| number.is_finite() && number != 0.0;
        match self {
            Kind::Crossing(Crossing::Pitchfork { supercritical }) => Some(*supercritical),
            Kind::Hopf { l1, .. } if decided(*l1) => Some(*l1 < 0.0),
            Kind::Doubling { coefficient } if decided(*coefficient) => Some(*coefficient > 0.0),
            Kind::Circle { coefficient, .. } if decided(*coefficient) => Some(*coefficient < 0.0),
            _ => None,
        }
    }
}

/// How branches cross.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crossing {
    /// Both move with p.
    Transcritical,
    /// One does not.
    Pitchfork {
        /// By the cubic coefficient.
        supercritical: bool,
    },
    /// Not known.
    Other,
}

#[cfg(test)]
mod tests;
