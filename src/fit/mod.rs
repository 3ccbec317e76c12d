//! From data to parameters: objectives, searches for their minima, and how far to trust them.
//!
//! ```text
//! family.rs      distributions of observations and priors: log density with its derivatives
//! objective.rs   what is minimised: a value, its gradient, generalised residuals
//! filter/        the likelihood of equations with noise
//! coordinates.rs parameters on the scale on which they are explored, and their bounds
//! ```
//!
//! Enters: anything that is an [`Objective`]. Leaves: plain data. Parameters are positions; must
//! not know names, text or the terminal.

mod coordinates;
mod family;
pub mod filter;
mod objective;

pub use coordinates::{Coordinates, Scale, Scaled};
pub use family::{Datum, Density, Family, density};
pub use objective::{Evaluation, Fault, Objective, Wanted};
