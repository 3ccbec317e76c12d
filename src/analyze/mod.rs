//! What a system does in the long run, and numbers taken from its curves.
//!
//! ```text
//! Dynamics + start --steady--> SteadyState    steady.rs: integrate, then Newton; honest when neither ends
//! Dynamics + start --fixed_point--> SteadyState   fixed.rs: of a map: iterate, then Newton on g(x) - x
//!   laws.rs        sums that stay, given or found      newton.rs  damped Newton with the exact Jacobian
//!   swing.rs       does a series of numbers keep swinging?
//! Dynamics + state --linearise--> Linearised   spectrum.rs: the Jacobian on the states that can vary
//!   eigen.rs       eigenvalues, eigenvectors, what rounding does to them
//!   classify.rs    eigenvalues --> Class: node, spiral, saddle, ...
//!   demand.rs      is it of a kind that is asked for, and how far from its edge?
//!   implicit.rs    how a steady state moves with what it depends on
//! Dynamics + box --equilibria/--> all equilibria in it, searched with deflation, proved by intervals
//! F(u, p) = 0 --continuation/--> Diagram     branches, their special points, normal forms
//! ranges of parameters --survey.rs--> which types occur, and where a pair meets the axis
//! Dynamics + noise --stationary--> Stationary   stationary/: moments, spectra and rotation of fluctuations
//! sparse Jacobians at many states --network/--> Linear   spectra by strongly connected blocks
//! Plane + window --portrait/--> nullclines, trajectories, manifolds, limit cycles
//! blocks of paths --ensemble/--> moments, quantiles and histograms in bounded memory
//! evenly spaced rows --correlation.rs--> Correlation   how they hang together over time
//! rows of a run --Curve--> measure --> Measured
//!   iterates.rs    of a map, where nothing lies between two steps
//!   rough.rs       of a path with noise, which has no slope
//!   curve.rs       cubic between rows                  measure.rs extrema, areas, periods, half-lives
//! ```
//!
//! Enters: a [`crate::simulate::Dynamics`], or times with values and derivatives. Leaves: plain
//! data. States are positions; must not know names, text or the terminal.

mod change;
mod classify;
pub mod continuation;
mod correlation;
mod curve;
mod demand;
pub mod effects;
mod eigen;
pub mod ensemble;
pub mod equilibria;
mod fixed;
mod implicit;
mod iterates;
mod laws;
mod loops;
mod measure;
pub mod network;
mod newton;
pub mod portrait;
mod rough;
mod settle;
mod spectrum;
pub mod stationary;
mod steady;
mod survey;
mod swing;

pub use classify::{Approach, Class, Kind, Side, beyond, classify};
pub use continuation::Motion;
pub use correlation::{Correlation, autocorrelation, cross_correlation};
pub use curve::Curve;
pub use demand::Demand;
pub use eigen::{Direction, Mode};
pub use fixed::fixed_point;
pub use implicit::{Moved, moved};
pub use iterates::measure_iterates;
pub use laws::{Kept, Law, keeps, kept};
pub use loops::{Action, Loop, Structure, structure};
pub use measure::{Measure, Measured, Refusal, first_time, measure};
pub use rough::{Between, measure_rough};
pub use settle::{Settled, settle};
pub use spectrum::{
    Eigenvalue, Eliminated, Linearised, MOST_STATES, Place, Stability, eliminated, jacobian_at,
    linearise, polish, polish_with,
};
pub use steady::{NotFound, Question, Reached, Residual, Restless, SteadyState, steady};
pub use survey::{Example, Land, Side as BoxSide, Survey, Tally, survey};

#[cfg(test)]
mod classify_tests;
#[cfg(test)]
mod tests;
