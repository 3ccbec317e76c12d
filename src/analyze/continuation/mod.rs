//! Continuation: the curve of solutions of F(u, p) = 0 as the parameter p moves.
//!
//! Enters: a [`Family`] and a solution to start from. Leaves: a [`Diagram`] of branches with their
//! special points. Must not know models, names, text or the terminal.

mod iterate;

pub use iterate::Iterate;

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

/// What solutions of F(u, p) = 0 are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Equilibria of M u' = F.
    Flow,
    /// Fixed points of u -> u + F.
    Map,
}
