//! Moments and quantiles of samples.
//!
//! Enters: numbers. Leaves: numbers; not a number where there are too few.

/// The mean.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

/// The sum of squares about the mean divided by `divisor`.
fn spread(values: &[f64], divisor: f64) -> f64 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / divisor
}

/// The unbiased estimate of the variance.
pub(super) fn variance(values: &[f64]) -> f64 {
    spread(values, count(values.len()) - 1.0)
}

/// Its square root.
pub(super) fn standard_deviation(values: &[f64]) -> f64 {
    variance(values).sqrt()
}

/// A quantile of values in ascending order, between order statistics (type 7 of R. Hyndman,
/// Y. Fan, Am. Stat. 50, 361, 1996).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position between 0 and the last"
)]
#[must_use]
pub fn quantile(ascending: &[f64], probability: f64) -> f64 {
    let last = ascending.len().saturating_sub(1);
    let position = (probability * count(last)).clamp(0.0, count(last));
    let below = position.floor() as usize;
    let value = |at: usize| ascending.get(at.min(last)).copied().unwrap_or(f64::NAN);
    let part = position - position.floor();
    value(below) + part * (value(below + 1) - value(below))
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_four_numbers() {
        // R: quantile(c(1, 2, 4, 8), 0.3) = 1.9; var = 9.583333.
        let values = [1.0, 2.0, 4.0, 8.0];
        assert!((quantile(&values, 0.3) - 1.9).abs() < 1e-14);
        assert!((variance(&values) - 115.0 / 12.0).abs() < 1e-14);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
