//! From data to parameters: objectives, searches for their minima, and how far to trust them.
//!
//! ```text
//! family/        distributions of observations and priors: log density with its derivatives
//! objective.rs   what is minimised: a value, its gradient, generalised residuals
//! optimise/      searches for a minimum from one start
//! starts.rs      where searches begin
//! multistart.rs  searches from many starts, on all cores
//! coordinates.rs parameters on the scale on which they are explored, and their bounds
//! ```
//!
//! Enters: anything that is an [`Objective`]. Leaves: plain data. Parameters are positions; must
//! not know names, text or the terminal.

mod coordinates;
mod family;
mod multistart;
mod objective;
mod optimise;
mod starts;

pub use coordinates::{Coordinates, Scale, Scaled};
pub use family::{Datum, Density, Family, MOST, cdf, density, mean, quantile, sample};
pub use multistart::{Finding, Findings, Plan, Progress, SAME_VALUE, multistart};
pub use objective::{Evaluation, Fault, Objective, Wanted};
pub use optimise::{Bounds, End, Local, Method as SearchMethod, Options as SearchOptions, search};
pub use starts::starts;
