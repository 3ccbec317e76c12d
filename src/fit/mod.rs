//! From data to parameters: objectives, searches for their minima, and how far to trust them.
//!
//! ```text
//! family/        distributions of observations and priors: log density with its derivatives
//! objective.rs   what is minimised: a value, its gradient, generalised residuals
//! filter/        the likelihood of equations with noise
//! prior.rs       densities of parameters before there are data
//! optimise/      searches for a minimum from one start
//! starts.rs      where searches begin
//! multistart.rs  searches from many starts, on all cores
//! coordinates.rs parameters on the scale on which they are explored, and their bounds
//! information.rs information at an optimum: expected, or observed by differences of gradients
//! uncertainty.rs standard errors, intervals, directions that the data do not determine
//! ```
//!
//! Enters: anything that is an [`Objective`]. Leaves: plain data. Parameters are positions; must
//! not know names, text or the terminal.

mod coordinates;
mod family;
pub mod filter;
mod information;
mod objective;
mod optimise;
mod prior;
#[cfg(test)]
mod trials;
mod uncertainty;
mod multistart;
mod starts;

pub use coordinates::{Coordinates, Scale, Scaled};
pub use family::{Datum, Density, Family, MOST, cdf, density, mean, quantile, sample};
pub use information::{Information, InformationMatrix, information};
pub use objective::{Evaluation, Fault, Objective, Wanted};
pub use prior::{Prior, PriorDensity};
pub use uncertainty::{
    Direction, Quantiles, Standing, Uncertainty, UncertaintyOptions, uncertainty,
};
pub use multistart::{Finding, Findings, Plan, Progress, SAME_VALUE, multistart};
pub use optimise::{Bounds, End, Local, Method as SearchMethod, Options as SearchOptions, search};
pub use starts::starts;
