//! Correlation of evenly spaced numbers with a lag.
//!
//! In: one or two series of numbers of equal spacing. Out: their correlation at lags, with the
//! error that chance leaves. Must not know times or names.

/// Correlations at lags 0, 1, 2, ... of the spacing.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    /// Between -1 and 1: x at a time with y so much later.
    pub values: Vec<f64>,
    /// Their standard errors; those of an autocorrelation are large sample ones.
    pub errors: Vec<f64>,
    /// The sum of the autocorrelation over all lags, in units of the spacing: n numbers tell as much
    /// of the mean as n divided by this independent ones. For an autocorrelation only.
    pub time: Option<f64>,
}

/// The mean and the root of the sum of squares around it.
fn centred(numbers: &[f64]) -> (Vec<f64>, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let apart: Vec<f64> = numbers.iter().map(|number| number - mean).collect();
    let size = apart.iter().map(|x| x * x).sum::<f64>().sqrt();
    (apart, size)
}

fn products(x: &[f64], y: &[f64], lag: usize) -> f64 {
    x.iter().zip(y.iter().skip(lag)).map(|(a, b)| a * b).sum()
}

/// The autocorrelation up to a lag: sum of products over the sum of squares (G. E. P. Box, G. M.
/// Jenkins, Time Series Analysis, 1970, section 2.1.5), with standard errors by M. S. Bartlett (J. R.
/// Stat. Soc. Suppl. 8, 27, 1946). `None` when the numbers are all the same or fewer than two.
#[must_use]
pub fn autocorrelation(numbers: &[f64], most: usize) -> Option<Correlation> {
    let (apart, size) = centred(numbers);
    if numbers.len() < 2 || !(size > 0.0 && size.is_finite()) {
        return None;
    }
    let most = most.min(numbers.len() - 1);
    // The sum over all lags is cut where noise takes over (A. Sokal, Functional Integration, 1997,
    // section 3): at five times the correlation time.
    let longest = numbers.len() - 1;
    let (mut all, mut time, mut window) = (vec![1.0], 1.0, longest);
    for lag in 1..=longest {
        let value = products(&apart, &apart, lag) / (size * size);
        all.push(value);
        time += 2.0 * value;
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        if lag as f64 >= 5.0 * time && window == longest {
            window = lag;
        }
        if lag >= most.max(window) {
            break;
        }
    }
    let window = window.min(all.len() - 1);
    let time = 1.0 + 2.0 * all.iter().skip(1).take(window).sum::<f64>();
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let count = numbers.len() as f64;
    let errors = (0..=most).map(|lag| (bartlett(&all[..=window], lag) / count).sqrt());
    Some(Correlation {
        errors: errors.collect(),
        values: all[..=most.min(all.len() - 1)].to_vec(),
        time: Some(time),
    })
}

/// n times the variance of the autocorrelation at a lag.
fn bartlett(known: &[f64], lag: usize) -> f64 {
    let at = |lag: i64| -> f64 {
        let lag = usize::try_from(lag.unsigned_abs()).unwrap_or(usize::MAX);
        known.get(lag).copied().unwrap_or(0.0)
    };
    let (k, reach) = (
        i64::try_from(lag).unwrap_or(i64::MAX),
        i64::try_from(known.len() + lag).unwrap_or(i64::MAX),
    );
    let own = at(k);
    let sum: f64 = (-reach..=reach)
        .map(|v| {
            let here = at(v);
            here * here + at(v + k) * at(v - k) - 4.0 * own * here * at(v - k)
                + 2.0 * here * here * own * own
        })
        .sum();
    sum.max(0.0)
}

/// The correlation of x with y so much later, up to a lag; errors are those of two series that have
/// nothing to do with each other, 1/sqrt(n - lag). `None` when one of them does not vary.
#[must_use]
pub fn cross_correlation(x: &[f64], y: &[f64], most: usize) -> Option<Correlation> {
    let ((x, size_x), (y, size_y)) = (centred(x), centred(y));
    let size = size_x * size_y;
    if x.len() < 2 || x.len() != y.len() || !(size > 0.0 && size.is_finite()) {
        return None;
    }
    let lags = 0..=most.min(x.len() - 1);
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let error = |lag: usize| 1.0 / ((x.len() - lag) as f64).sqrt();
    Some(Correlation {
        values: lags
            .clone()
            .map(|lag| products(&x, &y, lag) / size)
            .collect(),
        errors: lags.map(error).collect(),
        time: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Stream;

    #[test]
    fn a_short_series_by_hand() {
        // By hand: the distances from the mean are -2, 0, -1, 2, 1, and their squares add to 10.
        let found = autocorrelation(&[1.0, 3.0, 2.0, 5.0, 4.0], 4).expect("it varies");
        for (value, expected) in found.values.iter().zip([1.0, 0.0, 0.1, -0.4, -0.2]) {
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
        assert!(autocorrelation(&[2.0, 2.0, 2.0], 1).is_none());
    }

    #[test]
    fn an_autoregression_has_its_known_correlation() {
        // x' = a x + e: correlation a^k, correlation time (1 + a)/(1 - a) = 3 (Box and Jenkins).
        let mut noise = vec![0.0; 40_000];
        Stream::new(17, 0).normals(&mut noise);
        let mut x = 0.0;
        let series: Vec<f64> = noise
            .iter()
            .map(|e| {
                x = 0.5 * x + e;
                x
            })
            .collect();
        let found = autocorrelation(&series, 8).expect("it varies");
        for (lag, (value, error)) in found.values.iter().zip(&found.errors).enumerate().skip(1) {
            let expected = 0.5f64.powi(i32::try_from(lag).expect("a small lag"));
            assert!(
                (value - expected).abs() < 4.0 * error,
                "{lag}: {value} +- {error}"
            );
            assert!((0.003..0.02).contains(error));
        }
        assert!((found.time.expect("an autocorrelation") - 3.0).abs() < 0.3);
        let later: Vec<f64> = series[..series.len() - 2].to_vec();
        let found = cross_correlation(&series[2..], &later, 4).expect("both vary");
        let peak = (0..5).max_by(|a, b| found.values[*a].total_cmp(&found.values[*b]));
        assert_eq!(peak, Some(2));
    }
}
