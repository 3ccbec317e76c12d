//! Small objectives of which everything is known, for tests.

use super::objective::{Evaluation, Fault, Objective, Wanted};

/// Half the sum of squares of k residuals of m parameters; `residuals` gives them with their
/// Jacobian, row by row.
pub struct LeastSquares<F> {
    pub dimension: usize,
    pub residuals: F,
}

impl<F: Fn(&[f64]) -> (Vec<f64>, Vec<f64>) + Sync> Objective for LeastSquares<F> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn evaluate(&self, at: &[f64], _: Wanted) -> Result<Evaluation, Fault> {
        let (residuals, jacobian) = (self.residuals)(at);
        if residuals.iter().any(|r| !r.is_finite()) {
            return Err(Fault::NoDensity { run: 0, datum: 0 });
        }
        let mut gradient = vec![0.0; self.dimension];
        for (row, r) in jacobian.chunks_exact(self.dimension).zip(&residuals) {
            for (out, derivative) in gradient.iter_mut().zip(row) {
                *out += derivative * r;
            }
        }
        Ok(Evaluation {
            value: residuals.iter().map(|r| r * r).sum::<f64>() / 2.0,
            gradient,
            residuals,
            jacobian,
        })
    }
}

/// Any value with its gradient, without residuals.
pub struct Value<F> {
    pub dimension: usize,
    pub value: F,
}

impl<F: Fn(&[f64]) -> Option<(f64, Vec<f64>)> + Sync> Objective for Value<F> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn evaluate(&self, at: &[f64], _: Wanted) -> Result<Evaluation, Fault> {
        let (value, gradient) = (self.value)(at).ok_or(Fault::NoPrior { parameter: 0 })?;
        Ok(Evaluation {
            value,
            gradient,
            ..Evaluation::default()
        })
    }
}

/// Misra1a of the Statistical Reference Datasets (NIST, 1997): y = b1 (1 - exp(-b2 x)); y, x.
pub const MISRA: [(f64, f64); 14] = [
    (10.07, 77.6),
    (14.73, 114.9),
    (17.94, 141.1),
    (23.93, 190.8),
    (29.61, 239.9),
    (35.18, 289.0),
    (40.02, 332.8),
    (44.82, 378.4),
    (50.76, 434.8),
    (55.05, 477.3),
    (61.01, 536.8),
    (66.40, 593.1),
    (75.47, 689.1),
    (81.78, 760.0),
];
/// Its certified estimates.
pub const MISRA_ESTIMATES: [f64; 2] = [2.389_421_291_8e2, 5.501_564_318_1e-4];
/// Their certified standard deviations.
pub const MISRA_ERRORS: [f64; 2] = [2.707_007_524_1, 7.266_868_843_6e-6];
/// The certified residual standard deviation.
pub const MISRA_SD: f64 = 1.018_787_633_0e-1;

/// Residuals of [`MISRA`] in its residual standard deviation.
pub fn misra(at: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut residuals = Vec::new();
    let mut jacobian = Vec::new();
    for (y, x) in MISRA {
        let decay = (-at[1] * x).exp();
        residuals.push((at[0] * (1.0 - decay) - y) / MISRA_SD);
        jacobian.push((1.0 - decay) / MISRA_SD);
        jacobian.push(at[0] * x * decay / MISRA_SD);
    }
    (residuals, jacobian)
}
