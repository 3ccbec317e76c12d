//! What a system does in the long run, and numbers taken from its curves.
//!
//! ```text
//! Dynamics + start --steady--> SteadyState    steady.rs: integrate, then Newton; honest when neither ends
//!   laws.rs        sums that stay, given or found      newton.rs  damped Newton with the exact Jacobian
//!   spectrum.rs    eigenvalues, for stability          swing.rs   does a series of numbers keep swinging?
//! rows of a run --Curve--> measure --> Measured
//!   curve.rs       cubic between rows                  measure.rs extrema, areas, periods, half-lives
//! ```
//!
//! Enters: a [`crate::simulate::Dynamics`], or times with values and derivatives. Leaves: plain
//! data. States are positions; must not know names, text or the terminal.

pub mod continuation;
mod curve;
pub mod equilibria;
mod laws;
mod measure;
mod newton;
mod spectrum;
mod steady;
mod swing;

pub use curve::Curve;
pub use laws::Law;
pub use measure::{Measure, Measured, Refusal, first_time, measure};
pub use spectrum::{Eigenvalue, Stability};
pub use steady::{NotFound, Question, Reached, Residual, Restless, SteadyState, steady};

#[cfg(test)]
mod tests;
