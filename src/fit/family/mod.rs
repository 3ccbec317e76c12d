//! Distributions: log densities with their derivatives, and what they say of a datum.
//!
//! ```text
//! special.rs   special functions that statrs has not, or not accurately enough
//! score.rs     of an exact datum: log density, gradient, expected information
//! tail.rs      of a censored datum: log probability of a tail and its gradient
//! quantile.rs  cumulative probabilities, quantiles, means
//! sample.rs    random numbers
//! ```
//!
//! Enters: a family, its parameters and a datum. Leaves: the log density with its derivatives by
//! the parameters, and generalised residuals (see [`super::Objective`]).
//!
//! J is the transposed Cholesky factor of the expected information, and r solves J'r = -gradient
//! by substitution. Where there is no expected information in closed form, the square of what is
//! left of the gradient stands in (the outer product of E. Berndt, B. Hall, R. Hall, J. Hausman,
//! Ann. Econ. Soc. Meas. 3, 653, 1974), so that r is 1 or -1: for the size of a negative binomial
//! with a large mean, the trials of a binomial, a uniform distribution, a mean of exactly 0, and
//! censored data but normal ones, whose observed information is used instead.

mod quantile;
mod sample;
mod score;
mod special;
mod tail;
#[cfg(test)]
mod tests;

pub use crate::model::Family;
use crate::model::Support;
pub use quantile::{cdf, mean, quantile};
pub use sample::sample;
use score::{Score, score};
pub(in crate::fit) use special::normal_tail;

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
/// parameter of the family, and the others are 0.
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

/// A pivot this small beside its diagonal entry is round-off.
const ROUND_OFF: f64 = 1e-14;

/// The density of a datum; `None` where a parameter is outside its domain or not finite, or the
/// datum outside the support.
///
/// Counts below (above) a limit are those strictly below (above) it. The trials of a binomial
/// need not be whole: the density is that with gamma functions for factorials.
#[must_use]
pub fn density(family: Family, parameters: &[f64], datum: Datum) -> Option<Density> {
    if !are_in_domain(family, parameters) {
        return None;
    }
    let density = match datum {
        Datum::Exactly(y) => from_score(&score(family, parameters, y)?),
        Datum::Below(limit) => from_tail(&tail::below(family, parameters, limit)?),
        Datum::Above(limit) => from_tail(&tail::above(family, parameters, limit)?),
    };
    let gradient = density.gradient.iter();
    let rows = density.jacobian.iter().flatten();
    let mut all = gradient.chain(&density.residuals).chain(rows);
    (density.log.is_finite() && all.all(|number| number.is_finite())).then_some(density)
}

/// True where these can be the parameters of the family.
fn are_in_domain(family: Family, parameters: &[f64]) -> bool {
    if parameters.len() != family.parameters().len() || !parameters.iter().all(|p| p.is_finite()) {
        return false;
    }
    match (family, parameters) {
        (Family::Normal | Family::Cauchy, [_, spread]) => *spread > 0.0,
        (Family::StudentT, [_, scale, df]) => *scale > 0.0 && *df > 0.0,
        (Family::Poisson, [mean]) => *mean >= 0.0,
        (Family::Exponential, [mean]) => *mean > 0.0,
        (Family::NegativeBinomial, [mean, size]) => *mean >= 0.0 && *size > 0.0,
        (Family::Binomial, [trials, probability]) => {
            *trials >= 0.0 && (0.0..=1.0).contains(probability)
        }
        (Family::LogNormal | Family::Gamma | Family::Beta, [first, second]) => {
            *first > 0.0 && *second > 0.0
        }
        (Family::Uniform, [low, high]) => low < high,
        _ => false,
    }
}

/// True where the family gives counts.
fn is_discrete(family: Family) -> bool {
    family.support() == Support::Counts
}

/// Residuals whose Jacobian is the transposed Cholesky factor of the information.
fn from_score(score: &Score) -> Density {
    let mut factor = [[0.0_f64; MOST]; MOST];
    let mut residuals = [0.0; MOST];
    for i in 0..MOST {
        let mut left = -score.gradient[i];
        for k in 0..i {
            let rows = factor[i].iter().zip(&factor[k]).take(k);
            let of_before: f64 = rows.map(|(a, b)| a * b).sum();
            let entry = score.information[i][k] - of_before;
            factor[i][k] = if factor[k][k] > 0.0 {
                entry / factor[k][k]
            } else {
                0.0
            };
            left -= factor[i][k] * residuals[k];
        }
        let of_before: f64 = factor[i][..i].iter().map(|entry| entry * entry).sum();
        let pivot = score.information[i][i] - of_before;
        factor[i][i] = if pivot > ROUND_OFF * score.information[i][i] {
            pivot.sqrt()
        } else {
            left.abs()
        };
        residuals[i] = if left == 0.0 {
            0.0
        } else {
            left / factor[i][i]
        };
    }
    Density {
        log: score.log,
        gradient: score.gradient,
        residuals,
        jacobian: std::array::from_fn(|row| std::array::from_fn(|column| factor[column][row])),
    }
}

/// One residual, with a Jacobian along the gradient.
fn from_tail(tail: &tail::Tail) -> Density {
    let mut density = Density {
        log: tail.log,
        gradient: tail.gradient,
        residuals: [0.0; MOST],
        jacobian: [[0.0; MOST]; MOST],
    };
    let factor = tail.curvature.sqrt();
    if tail.gradient.iter().any(|slope| *slope != 0.0) {
        density.residuals[0] = -1.0 / factor;
        density.jacobian[0] = tail.gradient.map(|slope| factor * slope);
    }
    density
}
