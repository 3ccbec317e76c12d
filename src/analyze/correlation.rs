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
    /// of the mean as n divided by this independent ones. For an autocorrelation only, and where it
    /// can be told.
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

/// The share of a series over which its correlation is followed: from fewer than ten correlation
/// times nothing can be told of them.
const SHARE: usize = 10;
/// The most lags that are followed.
const MOST_LAGS: usize = 50_000;

/// The autocorrelation up to a lag: sum of products over the sum of squares (G. E. P. Box, G. M.
/// Jenkins, Time Series Analysis, 1970, section 2.1.5), with standard errors by M. S. Bartlett (J. R.
/// Stat. Soc. Suppl. 8, 27, 1946). `None` when the numbers are all the same or fewer than two, and
/// when `interrupted`. The time is not told where the series is too short for it.
#[must_use]
pub fn autocorrelation(
    numbers: &[f64],
    most: usize,
    interrupted: &dyn Fn() -> bool,
) -> Option<Correlation> {
    let (apart, size) = centred(numbers);
    if numbers.len() < 2 || !(size > 0.0 && size.is_finite()) {
        return None;
    }
    let most = most.min(numbers.len() - 1);
    let followed = (numbers.len() / SHARE).clamp(1, MOST_LAGS);
    // The sum over all lags is cut where noise takes over, at five times the correlation time (A.
    // Sokal, Functional Integration, 1997, section 3).
    let (mut all, mut time, mut window) = (vec![1.0], 1.0, None);
    for lag in 1..=most.max(followed) {
        if interrupted() {
            return None;
        }
        let value = products(&apart, &apart, lag) / (size * size);
        all.push(value);
        if window.is_none() {
            time += 2.0 * value;
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            if lag as f64 >= 5.0 * time {
                window = Some(lag);
            }
        }
        if lag >= most && (window.is_some() || lag >= followed) {
            break;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let count = numbers.len() as f64;
    let known = &all[..=window.unwrap_or(followed).min(all.len() - 1)];
    let errors = (0..=most).map(|lag| (bartlett(known, lag) / count).sqrt());
    Some(Correlation {
        errors: errors.collect(),
        time: window.map(|_| time).filter(|time| *time > 0.0),
        values: all[..=most.min(all.len() - 1)].to_vec(),
    })
}

/// n times the variance of the autocorrelation at a lag.
fn bartlett(known: &[f64], lag: usize) -> f64 {
    let reach = known.len() - 1;
    let at = |lag: usize| known.get(lag).copied().unwrap_or(0.0);
    let own = at(lag);
    // The terms of v and -v together. Beyond the reach one factor of each is zero.
    let term = |v: usize| {
        let here = at(v);
        let (later, earlier) = (at(v + lag), at(v.abs_diff(lag)));
        let squares = here * here * (1.0 + 2.0 * own * own);
        2.0 * squares + 2.0 * later * earlier - 4.0 * own * here * (earlier + later)
    };
    let sum: f64 = 1.0 - own * own + (1..=reach).map(term).sum::<f64>();
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
        let found = autocorrelation(&[1.0, 3.0, 2.0, 5.0, 4.0], 4, &|| false).expect("it varies");
        for (value, expected) in found.values.iter().zip([1.0, 0.0, 0.1, -0.4, -0.2]) {
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
        assert!(autocorrelation(&[2.0, 2.0, 2.0], 1, &|| false).is_none());
    }

    #[test]
    fn a_time_that_cannot_be_told_is_not_told() {
        let walk: Vec<f64> = (0..100).map(f64::from).collect();
        let alternating: Vec<f64> = (0..100).map(|k| f64::from(k % 2)).collect();
        for series in [walk, alternating] {
            let found = autocorrelation(&series, 3, &|| false).expect("it varies");
            assert_eq!(found.time, None);
        }
        assert!(autocorrelation(&[1.0, 2.0, 4.0], 1, &|| true).is_none());
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
        let found = autocorrelation(&series, 8, &|| false).expect("it varies");
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
