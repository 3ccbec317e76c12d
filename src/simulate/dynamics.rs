//! What a stepper asks of a system of differential equations y' = f(t, y).

/// A right-hand side with its exact Jacobian, over plain slices. Parameters are already inside.
///
/// Methods take `&self`, since solver crates share the equations: an implementation keeps its
/// scratch space behind a `RefCell`. One object belongs to one thread.
pub trait Dynamics {
    /// Number of states n.
    fn dimension(&self) -> usize;

    /// f(t, y) into `dy`; both slices have length n. Non-finite values are written as they come.
    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]);

    /// The sparsity of the Jacobian, compressed by column: `(column_starts, row_indices)` of
    /// lengths n + 1 and the number of entries, rows ascending within a column. Exact: every
    /// entry that can be non-zero is in it.
    fn pattern(&self) -> (&[usize], &[usize]);

    /// The entries of df/dy at (t, y) in the order of [`Dynamics::pattern`].
    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]);

    /// True when f does not name the time: [`Dynamics::time_derivative`] is then zero.
    fn is_autonomous(&self) -> bool;

    /// The partial derivative of f by t at (t, y) into `out`, of length n.
    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]);

    /// True when f(t, y) = A y + b, with A and b constant between interruptions.
    fn is_linear(&self) -> bool {
        false
    }

    /// One per state: true where f is the residual of a constraint, 0 = f, instead of a
    /// derivative. Empty when there is none.
    fn algebraic(&self) -> &[bool] {
        &[]
    }
}
