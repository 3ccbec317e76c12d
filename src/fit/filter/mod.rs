//! The likelihood of equations with noise, from what is known of the state before each datum.
//!
//! ```text
//! equations.rs   the compiled equations of moments, what is seen, and which route fits them
//! reasons.rs     what in the equations decides the route
//! stationary.rs  the stationary start
//! predict.rs     from one time to the next: exact transitions, or moments integrated
//! observe.rs     what a datum says of the state, linearised at the predicted mean
//! assumed.rs     what data say that are not normal (law.rs: along a line; integral.rs: integrated)
//! gaussian.rs    mean and covariance with their derivatives, conditioned on a datum
//! likelihood.rs  what each datum adds: value, gradient, generalised residuals
//! pass.rs        one pass over the data
//! ```
//!
//! The state is Gaussian between data, exactly for linear equations with additive noise and
//! approximately for others (extended Kalman filter: A. H. Jazwinski, Stochastic Processes and
//! Filtering Theory, 1970, sections 7.3 and 8.3; restarting linear-noise approximation for
//! reactions: P. Fearnhead, V. Giagos, C. Sherlock, Biometrics 70, 457, 2014). Data of one time are
//! taken one after the other (S. J. Koopman, J. Durbin, J. Time Series Anal. 21, 281, 2000): no
//! matrix is inverted, missing ones need nothing, and ones seen without noise are no exception.
//! After a datum that is not normal the state is given the normal distribution of the same mean and
//! covariance (assumed density filtering).
//! Everything is differentiated forward, exactly.
//!
//! Enters: a system with noise, expressions of what is seen, values, data. Leaves: an
//! [`super::Evaluation`] with innovations and predictions. Must not know names, text.

mod assumed;
mod equations;
mod gaussian;
mod integral;
mod law;
mod likelihood;
mod observe;
mod pass;
mod predict;
mod reasons;
mod stationary;
#[cfg(test)]
mod tests;

pub use equations::{Observable, Route, Stochastic, Unfiltered};
pub use gaussian::{Gaussian, Moments};
pub use likelihood::Innovation;
pub use pass::{Case, Filtered, Look, Predicted, Sighting, Start, filter};
pub use reasons::{Obstacle, Reasons, reasons};
