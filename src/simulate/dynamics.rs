//! What a stepper asks of a system of differential equations y' = f(t, y).

/// A right-hand side with its exact Jacobian, over plain slices. Parameters are already inside.
///
/// A system may carry m derivatives of its state by quantities that are varied
/// ([`Dynamics::varied`]). Its state vector then has n (1 + m) numbers, n of the state y and n for
/// each derivative, and so has its drift; Jacobian, time derivative and constraints are those of
/// y' = f alone, since every derivative S obeys S' = (df/dy) S + ... with the same Jacobian.
///
/// Methods take `&self`, since solver crates share the equations: an implementation keeps its
/// scratch space behind a `RefCell`. One object belongs to one thread.
pub trait Dynamics {
    /// Length of the state vector: n, or n (1 + m) with m derivatives.
    fn dimension(&self) -> usize;

    /// f(t, y) into `dy`; both have the length of the state vector. Non-finite values are written
    /// as they come.
    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]);

    /// The sparsity of the Jacobian, compressed by column: `(column_starts, row_indices)` of
    /// lengths n + 1 and the number of entries, rows ascending within a column. Exact: every
    /// entry that can be non-zero is in it.
    fn pattern(&self) -> (&[usize], &[usize]);

    /// The entries of df/dy at (t, y) in the order of [`Dynamics::pattern`].
    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]);

    /// True when f does not name the time: [`Dynamics::time_derivative`] is then zero.
    fn is_autonomous(&self) -> bool;

    /// The partial derivative of f by t at (t, y) into `out`, of length n (without derivatives).
    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]);

    /// How many derivatives m the state vector carries.
    fn varied(&self) -> usize {
        0
    }

    /// How the drift of the derivatives changes when they stay and time and state move along
    /// `(dt, dy)`, `dy` of length n: n m numbers into `out`. Together with the Jacobian this is
    /// the derivative of the whole drift.
    fn varied_along(&self, t: f64, y: &[f64], along: (f64, &[f64]), out: &mut [f64]) {
        let _ = (t, y, along);
        out.fill(0.0);
    }

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
