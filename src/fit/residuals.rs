//! Whether residuals look like what they should be: independent standard normal numbers.
//!
//! Enters: normal scores of data under the model (quantile residuals; P. Dunn, G. Smyth, J. Comput.
//! Graph. Stat. 5, 236, 1996) in the order of time. Leaves: a runs test, a test of normality, the
//! first autocorrelation and the points of a Q-Q plot. Must not know models.

use super::summary::{count, mean};
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::factorial::ln_binomial;

/// What residuals tell.
#[derive(Debug, Clone, PartialEq)]
pub struct ResidualChecks {
    /// Whether signs alternate as they should; none where all have one sign.
    pub runs: Option<Runs>,
    /// Whether they are normal; none for fewer than 5, more than 5000 or equal residuals.
    pub normality: Option<Normality>,
    /// The correlation between neighbours; none where there is no variance.
    pub autocorrelation: Option<f64>,
}

/// The runs test on signs (A. Wald, J. Wolfowitz, Ann. Math. Stat. 11, 147, 1940).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Runs {
    /// Residuals above zero.
    pub above: usize,
    /// Residuals below zero.
    pub below: usize,
    /// Runs of one sign; zeros are left out.
    pub runs: usize,
    /// How many are expected of independent residuals.
    pub expected: f64,
    /// The two-sided p-value, exact.
    pub p: f64,
}

/// The test of Shapiro and Francia (J. Am. Stat. Assoc. 67, 215, 1972) with the p-value by
/// P. Royston, Statistics and Computing 3, 117, 1993.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normality {
    /// W': the squared correlation of the Q-Q plot.
    pub statistic: f64,
    /// Its p-value.
    pub p: f64,
}

/// All checks of residuals in the order of time.
#[must_use]
pub fn residual_checks(residuals: &[f64]) -> ResidualChecks {
    ResidualChecks {
        runs: runs(residuals),
        normality: normality(residuals),
        autocorrelation: autocorrelation(residuals),
    }
}

/// Points of a Q-Q plot: normal quantiles at Blom's positions (k - 3/8)/(n + 1/4) (G. Blom,
/// Statistical Estimates and Transformed Beta-Variables, 1958), with the residuals in ascending
/// order.
#[must_use]
pub fn quantile_points(residuals: &[f64]) -> Vec<(f64, f64)> {
    let mut ascending = residuals.to_vec();
    ascending.sort_by(f64::total_cmp);
    let n = count(ascending.len());
    let normal = Normal::standard();
    let points = ascending.into_iter().enumerate();
    points
        .map(|(at, r)| (normal.inverse_cdf((count(at) + 0.625) / (n + 0.25)), r))
        .collect()
}

/// The runs test.
fn runs(residuals: &[f64]) -> Option<Runs> {
    let signs: Vec<bool> = residuals
        .iter()
        .filter(|r| **r != 0.0 && !r.is_nan())
        .map(|r| *r > 0.0)
        .collect();
    let above = signs.iter().filter(|sign| **sign).count();
    let below = signs.len() - above;
    if above == 0 || below == 0 {
        return None;
    }
    let changes = signs.windows(2).filter(|pair| pair.first() != pair.last());
    let runs = changes.count() + 1;
    let most = 2 * above.min(below) + 1;
    let few: f64 = (2..=runs).map(|r| probability(r, above, below)).sum();
    let many: f64 = (runs..=most).map(|r| probability(r, above, below)).sum();
    Some(Runs {
        above,
        below,
        runs,
        expected: 1.0 + 2.0 * count(above) * count(below) / count(above + below),
        p: (2.0 * few.min(many)).min(1.0),
    })
}

/// The probability of so many runs (J. Gibbons, S. Chakraborti, Nonparametric Statistical
/// Inference, 5th edition, 2010, theorem 3.2.2).
fn probability(runs: usize, above: usize, below: usize) -> f64 {
    let choose = |n: usize, k: usize| {
        if k > n {
            f64::NEG_INFINITY
        } else {
            ln_binomial(n as u64, k as u64)
        }
    };
    let ways = |of_above: usize, of_below: usize| {
        choose(above - 1, of_above - 1) + choose(below - 1, of_below - 1)
    };
    let all = choose(above + below, above);
    let half = runs / 2;
    if runs.is_multiple_of(2) {
        2.0 * (ways(half, half) - all).exp()
    } else {
        (ways(half, half + 1) - all).exp() + (ways(half + 1, half) - all).exp()
    }
}

/// Royston's approximation holds for these numbers of residuals.
const FEWEST: usize = 5;
const MOST: usize = 5000;

/// The test of normality.
fn normality(residuals: &[f64]) -> Option<Normality> {
    if !(FEWEST..=MOST).contains(&residuals.len()) {
        return None;
    }
    let (quantiles, ascending): (Vec<f64>, Vec<f64>) =
        quantile_points(residuals).into_iter().unzip();
    let statistic = correlation(&quantiles, &ascending)?.powi(2);
    let u = count(residuals.len()).ln();
    let v = u.ln();
    // ln(1 - W') is normal; Royston (1993), table 1.
    let mean = -1.2725 + 1.0521 * (v - u);
    let sd = 1.0308 - 0.26758 * (v + 2.0 / u);
    let z = ((1.0 - statistic).ln() - mean) / sd;
    Some(Normality {
        statistic,
        p: Normal::standard().sf(z),
    })
}

/// The correlation of two samples of one length; none where there is no variance or a number is not
/// finite.
#[must_use]
pub fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    let (mean_left, mean_right) = (mean(left), mean(right));
    let (mut products, mut of_left, mut of_right) = (0.0, 0.0, 0.0);
    for (l, r) in left.iter().zip(right) {
        let (l, r) = (l - mean_left, r - mean_right);
        products += l * r;
        of_left += l * l;
        of_right += r * r;
    }
    let correlation = products / (of_left * of_right).sqrt();
    correlation.is_finite().then_some(correlation)
}

/// The first autocorrelation (G. Box, G. Jenkins, Time Series Analysis, 1970, section 2.1.5); of
/// independent residuals its standard deviation is about 1 / sqrt(n).
fn autocorrelation(residuals: &[f64]) -> Option<f64> {
    let mean = mean(residuals);
    let products = residuals.iter().zip(residuals.iter().skip(1));
    let products: f64 = products.map(|(a, b)| (a - mean) * (b - mean)).sum();
    let squares: f64 = residuals.iter().map(|r| (r - mean).powi(2)).sum();
    let correlation = products / squares;
    correlation.is_finite().then_some(correlation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_five_and_five_have_their_exact_probabilities() {
        // Swed & Eisenhart (1943): of 5 and 5 there are 252 orders; 2 have 2 runs, 8 have 3.
        assert!((probability(2, 5, 5) - 2.0 / 252.0).abs() < 1e-12);
        assert!((probability(3, 5, 5) - 8.0 / 252.0).abs() < 1e-12);
        let all: f64 = (2..=8).map(|r| probability(r, 4, 3)).sum();
        assert!((all - 1.0).abs() < 1e-12);
        let two = [1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0];
        let found = residual_checks(&two).runs.unwrap();
        assert_eq!((found.runs, found.above, found.below), (2, 5, 5));
        assert!((found.p - 4.0 / 252.0).abs() < 1e-12);
        assert!((found.expected - 6.0).abs() < 1e-12);
        assert_eq!(residual_checks(&[1.0, 2.0]).runs, None);
    }

    #[test]
    fn normality_agrees_with_its_definition() {
        // By numpy 2 and scipy.stats.norm from the definition.
        let skewed: Vec<f64> = (1..=20).map(|k| f64::from(k * k)).collect();
        let found = normality(&skewed).unwrap();
        assert!((found.statistic - 0.921989428).abs() < 1e-6, "{found:?}");
        assert!((found.p - 0.098996379).abs() < 1e-5, "{found:?}");
        assert_eq!(normality(&[1.0; 10]), None);
        assert_eq!(normality(&[1.0, 2.0]), None);
    }

    #[test]
    fn the_first_autocorrelation_of_a_short_series() {
        // By hand: deviations -1.5, -0.5, 0.5, 1.5: (0.75 - 0.25 + 0.75) / 5.
        let found = residual_checks(&[1.0, 2.0, 3.0, 4.0]).autocorrelation;
        assert!((found.unwrap() - 0.25).abs() < 1e-14);
        assert_eq!(residual_checks(&[]).autocorrelation, None);
    }

    #[test]
    fn quantile_points_are_at_bloms_positions() {
        // R: qnorm(ppoints(3, 3/8)) = -0.8694238 0 0.8694238.
        let points = quantile_points(&[3.0, -1.0, 2.0]);
        assert!((points[0].0 + 0.8694238).abs() < 1e-6);
        assert_eq!(points[2].1, 3.0);
    }

    #[test]
    fn correlations_are_those_of_pearson() {
        // numpy.corrcoef([1, 2, 4, 8], [3, 1, 0, -5]): -0.98867532.
        let r = correlation(&[1.0, 2.0, 4.0, 8.0], &[3.0, 1.0, 0.0, -5.0]);
        assert!(r.is_some_and(|r| (r + 0.988_675_32).abs() < 1e-8), "{r:?}");
        assert_eq!(correlation(&[1.0, 1.0], &[0.0, 1.0]), None);
    }
}
