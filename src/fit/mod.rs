//! From data to parameters: objectives, searches for their minima, and how far to trust them.
//!
//! ```text
//! family/        distributions of observations and priors: log density with its derivatives
//! objective.rs   what is minimised: a value, its gradient, generalised residuals
//! filter/        the likelihood of equations with noise
//! prior.rs       densities of parameters before there are data
//! coordinates.rs parameters on the scale on which they are explored, and their bounds
//! optimise/      searches for a minimum from one start
//! starts.rs      where searches begin
//! multistart.rs  searches from many starts, on all cores
//! information.rs information at an optimum: expected, or observed by differences of gradients
//! uncertainty.rs standard errors, intervals, directions that the data do not determine
//! profile.rs     profile likelihood of one parameter
//! residuals.rs   whether residuals look like independent normal numbers
//! bootstrap.rs   refits of new data, on all cores
//! posterior/     draws from a posterior density, and how far they have mixed
//! factored.rs    linear models of perturbations, solved by factors
//! velocity/      velocities of splicing from extreme cells
//! summary.rs     moments and quantiles of few numbers
//! ```
//!
//! Enters: anything that is an [`Objective`]. Leaves: plain data. Parameters are positions; must
//! not know names, text or the terminal.

mod bootstrap;
pub mod cells;
mod coordinates;
pub mod factored;
mod family;
pub mod filter;
mod information;
mod multistart;
mod objective;
mod optimise;
pub mod posterior;
mod prior;
mod profile;
mod propagation;
mod residuals;
mod starts;
mod summary;
#[cfg(test)]
mod trials;
mod uncertainty;
pub mod velocity;

pub use bootstrap::{Bootstrap, BootstrapOptions, bootstrap};
pub use coordinates::{Coordinates, Scale, Scaled};
pub use family::{Datum, Density, Family, MOST, cdf, density, mean, quantile, sample};
pub use information::{Information, InformationMatrix, information};
pub use multistart::{
    Finding, Findings, MOST_DRAWS_OUTSIDE, Plan, Progress, SAME_VALUE, multistart,
};
pub use objective::{Evaluation, Fault, Margin, Objective, Wanted};
pub use optimise::{
    Bounds, End, Local, Method as SearchMethod, Options as SearchOptions, Pace, search,
};
pub use prior::{Prior, PriorDensity};
pub use profile::{Profile, ProfileEnd, ProfileOptions, ProfilePoint, Profiled, Refit, profile};
pub use propagation::Propagation;
pub use residuals::{
    ResidualChecks, correlation as sample_correlation, quantile_points, residual_checks,
};
pub use starts::starts;
pub use summary::{mean as sample_mean, quantile as sample_quantile};
pub use uncertainty::{
    Direction, Quantiles, Standing, Uncertainty, UncertaintyOptions, uncertainty,
};
