//! The error norm of our own steppers: the root mean square over the states of
//! `error / (absolute + relative * max(|y0|, |y1|))`, y0 and y1 being the states before and after.

use super::Tolerances;
use crate::kernel::lanes::arithmetic::ErrorScale;
use crate::linalg::length::Length;

/// Stands for an absolute tolerance of zero: a state that stays at exact zero then has no error,
/// and any other error there is too large.
const SMALLEST_TOLERANCE: f64 = 1e-290;

/// Tolerances as the norm uses them.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    relative: f64,
    absolute: Vec<f64>,
}

impl Weights {
    pub fn new(tolerances: &Tolerances) -> Self {
        let absolute = tolerances.absolute.iter();
        Weights {
            relative: tolerances.relative,
            absolute: absolute.map(|a| a.max(SMALLEST_TOLERANCE)).collect(),
        }
    }

    /// The same for members side by side.
    pub fn in_lanes(&self) -> ErrorScale {
        ErrorScale {
            relative: self.relative,
            absolute: self.absolute.clone(),
        }
    }

    /// The square of the norm of an error, component by component; NaN when a state reached is
    /// not finite.
    #[inline(always)]
    pub fn squared_norm<L: Length>(
        &self,
        length: L,
        before: &[f64],
        after: &[f64],
        error: impl Fn(usize) -> f64,
    ) -> f64 {
        let n = length.get();
        let (before, after, absolute) = (&before[..n], &after[..n], &self.absolute[..n]);
        let mut sum = 0.0;
        for j in 0..n {
            let size = before[j].abs().max(after[j].abs());
            let ratio = error(j) / (absolute[j] + self.relative * size);
            // Zero, but NaN when the state is infinite, whose ratio would pass for zero.
            sum += ratio * ratio + 0.0 * after[j];
            length.next();
        }
        sum / n as f64
    }
}
