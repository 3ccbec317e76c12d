//! Prior densities of parameters, by the parameter.
//!
//! Enters: a family with its numbers, a value. Leaves: the log density, its derivative, and a row of
//! a generalised residual (see [`super::Objective`]). A prior is cut at the bounds of its parameter;
//! what the cut takes away is a constant, which is left out.

use super::family::{Datum, Family, density};

/// A prior distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// Its family.
    pub family: Family,
    /// The family's parameters.
    pub parameters: Vec<f64>,
}

/// A prior at a value of its parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriorDensity {
    /// The log density.
    pub log: f64,
    /// Its derivative.
    pub slope: f64,
    /// A residual and its derivative: their product is minus the slope, and the square of the
    /// second the curvature where the density is log-concave.
    pub residual: (f64, f64),
}

impl Prior {
    /// The density at a value; `None` where it vanishes or is not finite.
    #[must_use]
    pub fn at(&self, value: f64) -> Option<PriorDensity> {
        let log = density(self.family, &self.parameters, Datum::Exactly(value))?.log;
        let (slope, bend) = self.slopes(value)?;
        let curvature = if -bend > 0.0 { -bend } else { slope * slope };
        let width = curvature.sqrt();
        let residual = if width > 0.0 { -slope / width } else { 0.0 };
        let all = [log, slope, width, residual];
        all.iter()
            .all(|number| number.is_finite())
            .then_some(PriorDensity {
                log,
                slope,
                residual: (residual, width),
            })
    }

    /// First and second derivative of the log density.
    fn slopes(&self, x: f64) -> Option<(f64, f64)> {
        let numbers = &self.parameters;
        let (a, b) = (*numbers.first()?, numbers.get(1).copied().unwrap_or(1.0));
        Some(match self.family {
            Family::Normal => (-(x - a) / (b * b), -1.0 / (b * b)),
            Family::LogNormal => {
                let z = (x / a).ln() / (b * b);
                (-(1.0 + z) / x, (1.0 + z - 1.0 / (b * b)) / (x * x))
            }
            Family::StudentT => {
                let df = *numbers.get(2)?;
                tail((x - a) / b, b, df)
            }
            Family::Cauchy => tail((x - a) / b, b, 1.0),
            Family::Gamma => ((a - 1.0) / x - b, -(a - 1.0) / (x * x)),
            Family::Beta => (
                (a - 1.0) / x - (b - 1.0) / (1.0 - x),
                -(a - 1.0) / (x * x) - (b - 1.0) / ((1.0 - x) * (1.0 - x)),
            ),
            Family::Exponential => (-1.0 / a, 0.0),
            Family::Uniform => (0.0, 0.0),
            // Counts have no slope: the checker lets no parameter have such a prior.
            Family::Poisson | Family::NegativeBinomial | Family::Binomial => return None,
        })
    }
}

/// The derivatives of -(df + 1)/2 log(1 + z^2/df) by s z.
fn tail(z: f64, scale: f64, df: f64) -> (f64, f64) {
    let weight = (df + 1.0) / (df + z * z);
    let slope = -weight * z / scale;
    let bend = -weight * (1.0 - 2.0 * z * z / (df + z * z)) / (scale * scale);
    (slope, bend)
}
