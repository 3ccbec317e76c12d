//! From data to parameters: objectives, searches for their minima, and how far to trust them.
//!
//! ```text
//! family.rs      distributions of observations and priors: log density with its derivatives
//! objective.rs   what is minimised: a value, its gradient, generalised residuals
//! coordinates.rs parameters on the scale on which they are explored, and their bounds
//! information.rs information at an optimum: expected, or observed by differences of gradients
//! uncertainty.rs standard errors, intervals, directions that the data do not determine
//! profile.rs     likelihood profiles of single parameters
//! residuals.rs   whether residuals are independent and normal
//! bootstrap.rs   simulate and fit again
//! posterior/     draws from posterior distributions, and diagnostics of chains
//! summary.rs     moments and quantiles of samples
//! ```
//!
//! Enters: anything that is an [`Objective`]. Leaves: plain data. Parameters are positions; must
//! not know names, text or the terminal.

mod bootstrap;
mod coordinates;
mod family;
mod information;
mod objective;
mod posterior;
mod profile;
mod residuals;
mod summary;
#[cfg(test)]
mod trials;
mod uncertainty;

pub use bootstrap::{Bootstrap, BootstrapOptions, bootstrap};
pub use coordinates::{Coordinates, Scale, Scaled};
pub use family::{Datum, Density, Family, density};
pub use information::{Information, InformationMatrix, information};
pub use objective::{Evaluation, Fault, Objective, Wanted};
pub use posterior::{
    Chain, ChainEnd, ChainProgress, Marginal, Metric, Posterior, PosteriorOptions, Spread, Starts,
    Watch, bulk_size, marginal, rhat, sample, tail_size,
};
pub use profile::{Profile, ProfileEnd, ProfileOptions, ProfilePoint, Profiled, Refit, profile};
pub use residuals::{Normality, ResidualChecks, Runs, quantile_points, residual_checks};
pub use uncertainty::{
    Direction, Quantiles, Standing, Uncertainty, UncertaintyOptions, uncertainty,
};
