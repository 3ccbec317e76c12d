//! Distributions: log densities with their derivatives, and what they say of a datum.
//!
//! Enters: a family, its parameters and a datum. Leaves: the log density with its derivatives by
//! the parameters, and generalised residuals (see [`super::Objective`]).

pub use crate::model::Family;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Datum {
    /// A value.
    Exactly(f64),
    /// A value below a limit of quantification.
    Below(f64),
    /// A value above a limit.
    Above(f64),
}

/// The most parameters that a family has.
pub const MOST: usize = 3;

/// What a distribution says of a datum; the first numbers of each array count, one for each
/// parameter of the family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Density {
    /// The log density of the datum; for a censored one the logarithm of its probability.
    pub log: f64,
    /// Its derivatives by the parameters.
    pub gradient: [f64; MOST],
    /// Generalised residuals r.
    pub residuals: [f64; MOST],
    /// Their derivatives by the parameters, row by row: J'r is minus the gradient, J'J the
    /// expected information on the parameters.
    pub jacobian: [[f64; MOST]; MOST],
}

/// The density of a datum; `None` where a parameter is outside its domain or not finite, or the
/// datum outside the support.
#[must_use]
pub fn density(family: Family, parameters: &[f64], datum: Datum) -> Option<Density> {
    let _ = (family, parameters, datum);
    None
}
