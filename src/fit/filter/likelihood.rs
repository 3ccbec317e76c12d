//! What each datum adds to minus the log-likelihood.
//!
//! A deviation nu of variance S adds (ln 2 pi + ln S + nu^2/S)/2. The generalised residuals
//! nu/sqrt(S) and (1 - nu^2/S)/sqrt(2), with rows dnu/sqrt(S) and dS/(S sqrt(2)), have the exact
//! gradient as J'r, and in J'J the expected information of a Gaussian process (A. C. Harvey,
//! Forecasting, Structural Time Series Models and the Kalman Filter, 1989, section 3.4.5). Data that
//! are not normal bring residuals of their own ([`super::assumed`]).
//!
//! Enters: deviations with their derivatives. Leaves: an [`Evaluation`] and [`Innovation`]s.

use super::assumed::Said;
use super::gaussian::Deviation;
use crate::fit::objective::{Evaluation, Wanted};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

/// What a datum was beyond what the data before it foretold, on the scale on which it is compared:
/// [`super::Stochastic::seen_scales`]. Of data with a law of their own what is expected is the
/// parameter that leads it, with the variance that the state gives to that.
#[derive(Debug, Clone, PartialEq)]
pub struct Innovation {
    /// Which datum.
    pub datum: usize,
    /// When.
    pub time: f64,
    /// What was foretold.
    pub expected: f64,
    /// The variance of that, noise of measurement included; 0 where the datum was certain.
    pub variance: f64,
    /// What was seen beyond it; of a censored datum, where the limit is.
    pub deviation: f64,
    /// Where it stands in what was foretold, as a standard normal number: independent of the others
    /// when the model holds. `None` for a datum that is certain or censored, and for one with a law
    /// of its own where scores are not asked for.
    pub score: Option<f64>,
    /// The parameters of its law, at what was expected of the state; empty for normal data.
    pub parameters: Vec<f64>,
}

/// The sum over the data so far.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub evaluation: Evaluation,
    wanted: Wanted,
}

impl Tally {
    /// For d quantities.
    pub fn new(d: usize, wanted: Wanted) -> Tally {
        let mut evaluation = Evaluation::default();
        if wanted >= Wanted::Gradient {
            evaluation.gradient = vec![0.0; d];
        }
        Tally { evaluation, wanted }
    }

    /// Adds a datum.
    pub fn add(&mut self, deviation: Deviation, along: &[Deviation]) {
        let Deviation {
            value: nu,
            variance: s,
        } = deviation;
        let squared = nu * nu / s;
        self.evaluation.value += 0.5 * (LN_2 + PI.ln() + s.ln() + squared);
        if self.wanted >= Wanted::Gradient {
            for (total, d) in self.evaluation.gradient.iter_mut().zip(along) {
                *total += nu * d.value / s + 0.5 * (1.0 - squared) * d.variance / s;
            }
        }
        if self.wanted >= Wanted::Residuals {
            let root = s.sqrt();
            let residuals = [nu / root, (1.0 - squared) * FRAC_1_SQRT_2];
            self.evaluation.residuals.extend(residuals);
            let jacobian = &mut self.evaluation.jacobian;
            jacobian.extend(along.iter().map(|d| d.value / root));
            jacobian.extend(along.iter().map(|d| d.variance / s * FRAC_1_SQRT_2));
        }
    }

    /// Adds a datum that is not normal.
    pub fn add_said(&mut self, said: Said) {
        self.evaluation.value -= said.log;
        if self.wanted >= Wanted::Gradient {
            for (total, d) in self.evaluation.gradient.iter_mut().zip(&said.along) {
                *total -= d;
            }
        }
        if self.wanted >= Wanted::Residuals {
            for (residual, row) in said.rows {
                self.evaluation.residuals.push(residual);
                self.evaluation.jacobian.extend(row);
            }
        }
    }
}
