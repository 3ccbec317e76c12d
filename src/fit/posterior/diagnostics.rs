//! Whether chains agree and how much their draws are worth.
//!
//! Enters: draws of one quantity, chain by chain. Leaves: rank-normalised split R-hat, effective
//! sample sizes of bulk and tails, Monte-Carlo errors and summaries (A. Vehtari, A. Gelman,
//! D. Simpson, B. Carpenter, P.-C. Buerkner, Bayesian Analysis 16, 667, 2021). Must not know
//! samplers.

use super::super::summary::{count, mean, quantile, standard_deviation, variance};
use statrs::distribution::{ContinuousCDF, Normal};

/// A marginal posterior distribution; not numbers where there are too few draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marginal {
    /// The mean.
    pub mean: f64,
    /// Its Monte-Carlo standard error.
    pub mean_error: f64,
    /// The standard deviation.
    pub sd: f64,
    /// The quantile of 2.5 per cent.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The quantile of 97.5 per cent.
    pub high: f64,
    /// Rank-normalised split R-hat: above 1.01 chains do not agree.
    pub rhat: f64,
    /// The effective sample size for the centre.
    pub bulk_size: f64,
    /// The effective sample size for the quantiles of 5 and 95 per cent.
    pub tail_size: f64,
}

/// Fewer draws in a chain have no diagnostics.
const FEWEST: usize = 8;

/// The marginal distribution of draws, chain by chain.
#[must_use]
pub fn marginal(chains: &[Vec<f64>]) -> Marginal {
    let mut all = chains.concat();
    let (mean, sd) = (mean(&all), standard_deviation(&all));
    all.sort_by(f64::total_cmp);
    Marginal {
        mean,
        mean_error: sd / effective_size(&split(chains)).sqrt(),
        sd,
        low: quantile(&all, 0.025),
        median: quantile(&all, 0.5),
        high: quantile(&all, 0.975),
        rhat: rhat(chains),
        bulk_size: bulk_size(chains),
        tail_size: tail_size(chains),
    }
}

/// Rank-normalised split R-hat: the larger of those of the draws and of their distances from the
/// median. Not a number for constant or too few draws.
#[must_use]
pub fn rhat(chains: &[Vec<f64>]) -> f64 {
    let halves = split(chains);
    let mut all = halves.concat();
    all.sort_by(f64::total_cmp);
    let median = quantile(&all, 0.5);
    let folded = map(&halves, |value| (value - median).abs());
    let (bulk, tail) = (
        plain_rhat(&normalised(&halves)),
        plain_rhat(&normalised(&folded)),
    );
    // A maximum would hide what is not a number.
    if bulk.is_nan() || bulk > tail {
        bulk
    } else {
        tail
    }
}

/// The effective sample size for the centre of the distribution.
#[must_use]
pub fn bulk_size(chains: &[Vec<f64>]) -> f64 {
    effective_size(&normalised(&split(chains)))
}

/// The smaller of the effective sample sizes for the quantiles of 5 and 95 per cent.
#[must_use]
pub fn tail_size(chains: &[Vec<f64>]) -> f64 {
    let mut all = chains.concat();
    all.sort_by(f64::total_cmp);
    let size = |probability| {
        let limit = quantile(&all, probability);
        let below = map(chains, |value| if value <= limit { 1.0 } else { 0.0 });
        effective_size(&split(&below))
    };
    let (low, high) = (size(0.05), size(0.95));
    if low.is_nan() || low < high {
        low
    } else {
        high
    }
}

fn map(chains: &[Vec<f64>], of: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    let chains = chains.iter();
    chains
        .map(|chain| chain.iter().map(|value| of(*value)).collect())
        .collect()
}

/// Each chain in two of the length that half the shortest has; a draw in the middle is dropped.
fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let half = chains.iter().map(Vec::len).min().unwrap_or(0) / 2;
    let mut halves = Vec::with_capacity(2 * chains.len());
    for chain in chains {
        halves.push(chain.iter().take(half).copied().collect());
        halves.push(chain.iter().rev().take(half).rev().copied().collect());
    }
    halves
}

/// Normal scores of the ranks of all draws, mean ranks of equal ones, at Blom's positions.
fn normalised(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut all = chains.concat();
    all.sort_by(f64::total_cmp);
    let normal = Normal::standard();
    let size = count(all.len());
    map(chains, |value| {
        let before = all.partition_point(|other| *other < value);
        let until = all.partition_point(|other| *other <= value);
        let rank = f64::midpoint(count(before) + 1.0, count(until));
        // A draw that is not a number has no rank.
        let position = (rank - 0.375) / (size + 0.25);
        if (0.0..=1.0).contains(&position) && !value.is_nan() {
            normal.inverse_cdf(position)
        } else {
            f64::NAN
        }
    })
}

/// R-hat of chains of equal length.
fn plain_rhat(chains: &[Vec<f64>]) -> f64 {
    let length = chains.first().map_or(0, Vec::len);
    if chains.len() < 2 || 2 * length < FEWEST {
        return f64::NAN;
    }
    let n = count(length);
    let within = within(chains);
    let between = variance(&means(chains));
    (((n - 1.0) / n * within + between) / within).sqrt()
}

fn means(chains: &[Vec<f64>]) -> Vec<f64> {
    chains.iter().map(|chain| mean(chain)).collect()
}

/// The mean of the variances of chains.
fn within(chains: &[Vec<f64>]) -> f64 {
    let variances: Vec<f64> = chains.iter().map(|chain| variance(chain)).collect();
    mean(&variances)
}

/// The effective sample size of chains of equal length, by Geyer's initial monotone sequence
/// (C. Geyer, Stat. Sci. 7, 473, 1992) over the autocorrelations of all chains together.
fn effective_size(chains: &[Vec<f64>]) -> f64 {
    let length = chains.first().map_or(0, Vec::len);
    if 2 * length < FEWEST {
        return f64::NAN;
    }
    let n = count(length);
    let draws = n * count(chains.len());
    let within = within(chains);
    let between = if chains.len() > 1 {
        variance(&means(chains))
    } else {
        0.0
    };
    let overall = within * (n - 1.0) / n + between;
    let means = means(chains);
    let correlation = |lag: usize| 1.0 - (within - autocovariance(chains, &means, lag)) / overall;
    if overall == 0.0 || !overall.is_finite() {
        return f64::NAN;
    }
    let time = correlation_time(correlation, length);
    // Antithetic chains are worth more than their draws, but not without limit.
    draws / time.max(1.0 / draws.log10())
}

/// -1 + 2 times the sum of autocorrelations, over pairs of lags as long as their sums are positive;
/// a sum that rises counts as the one before.
fn correlation_time(correlation: impl Fn(usize) -> f64, length: usize) -> f64 {
    let (mut even, mut odd) = (1.0, correlation(1));
    let (mut sum, mut least) = (0.0, f64::INFINITY);
    let mut lag = 0;
    while even + odd > 0.0 && lag + 4 < length {
        least = least.min(even + odd);
        sum += least;
        lag += 2;
        even = correlation(lag);
        odd = correlation(lag + 1);
    }
    // The first of the pair that ends it makes the estimate less variable for antithetic chains.
    2.0 * sum - 1.0 + even.max(0.0)
}

/// The mean over chains of their autocovariance at a lag, divided by their length.
fn autocovariance(chains: &[Vec<f64>], means: &[f64], lag: usize) -> f64 {
    let mut sum = 0.0;
    for (chain, mean) in chains.iter().zip(means) {
        let pairs = chain.iter().zip(chain.iter().skip(lag));
        let products: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
        sum += products / count(chain.len());
    }
    sum / count(chains.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chains that any language can make: autoregressive with sines of a quadratic phase.
    fn chains(slow: f64, length: usize, shift: f64) -> Vec<Vec<f64>> {
        (0..4)
            .map(|chain| {
                let mut x = 0.0;
                (0..length)
                    .map(|t| {
                        let phase = 0.7 * count(t * t) + 1.3 * f64::from(chain) * count(t);
                        x = slow * x + phase.sin();
                        x + shift * f64::from(chain)
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn diagnostics_agree_with_those_of_arviz() {
        // arviz 0.23.4: rhat(method="rank"), ess(method="bulk" and "tail"), mcse(method="mean") of
        // the same chains.
        let cases: [(f64, usize, f64, [f64; 4]); 3] = [
            (
                0.5,
                200,
                0.0,
                [1.00818684, 255.62420339, 815.85311316, 0.05305486],
            ),
            (
                0.9,
                501,
                0.3,
                [1.07795965, 55.79723146, 94.57708944, 0.23182479],
            ),
            (
                -0.4,
                300,
                0.0,
                [0.99981062, 2063.24040975, 1355.57168053, 0.01669981],
            ),
        ];
        for (slow, length, shift, [rhat, bulk, tail, error]) in cases {
            let found = marginal(&chains(slow, length, shift));
            let pairs = [
                (found.rhat, rhat),
                (found.bulk_size, bulk),
                (found.tail_size, tail),
                (found.mean_error, error),
            ];
            for (value, expected) in pairs {
                assert!((value - expected).abs() < 1e-5 * expected, "{pairs:?}");
            }
        }
    }

    #[test]
    fn too_few_or_equal_draws_have_no_diagnostics() {
        assert!(rhat(&[vec![1.0; 100], vec![1.0; 100]]).is_nan());
        assert!(bulk_size(&[vec![1.0, 2.0]]).is_nan());
        assert!(marginal(&[]).rhat.is_nan());
    }
}
