//! From data to parameters: objectives, searches for their minima, and how far to trust them.
//!
//! ```text
//! family/        distributions of observations and priors: log density with its derivatives
//! objective.rs   what is minimised: a value, its gradient, generalised residuals
//! coordinates.rs parameters on the scale on which they are explored, and their bounds
//! ```
//!
//! Enters: anything that is an [`Objective`]. Leaves: plain data. Parameters are positions; must
//! not know names, text or the terminal.

mod coordinates;
mod family;
mod objective;

pub use coordinates::{Coordinates, Scale, Scaled};
pub use family::{Datum, Density, Family, MOST, cdf, density, mean, quantile, sample};
pub use objective::{Evaluation, Fault, Objective, Wanted};
