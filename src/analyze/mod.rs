//! What a system does in the long run, and numbers taken from its curves.
//!
//! ```text
//! Dynamics + start --steady--> SteadyState    steady.rs: integrate, then Newton; honest when neither ends
//!   laws.rs        sums that stay, given or found      newton.rs  damped Newton with the exact Jacobian
//!   spectrum.rs    eigenvalues, for stability          swing.rs   does a series of numbers keep swinging?
//! ```
//!
//! Enters: a [`crate::simulate::Dynamics`], or times with values and derivatives. Leaves: plain
//! data. States are positions; must not know names, text or the terminal.

mod laws;
mod newton;
mod spectrum;
mod steady;
mod swing;

pub use laws::Law;
pub use spectrum::{Eigenvalue, Stability};
pub use steady::{NotFound, Question, Reached, Residual, Restless, SteadyState, steady};

#[cfg(test)]
mod tests;
