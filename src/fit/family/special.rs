//! Special functions where the obvious formula loses digits.
//!
//! The saddle-point form of C. Loader, Fast and accurate computation of binomial probabilities
//! (2000), keeps densities of counts and gamma variables accurate for any size of parameters;
//! asymptotic series are those of Abramowitz and Stegun, Handbook of Mathematical Functions
//! (1964), 6.1.40, 6.3.18, 6.4.12; the normal distribution is by the continued fraction 26.2.14
//! and the series 26.2.11.

use statrs::function::gamma::{digamma, ln_gamma};
use std::f64::consts::{PI, TAU};

/// From here on the asymptotic series of gamma functions are exact to round-off.
const ASYMPTOTIC: f64 = 15.0;

/// Horner's rule, constant coefficient first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    let from_last = coefficients.iter().rev();
    from_last.fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The derivative of the digamma function, for x > 0.
pub(super) fn trigamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < ASYMPTOTIC {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = polynomial(
        square,
        &[
            1.0 / 6.0,
            -1.0 / 30.0,
            1.0 / 42.0,
            -1.0 / 30.0,
            5.0 / 66.0,
            -691.0 / 2730.0,
        ],
    );
    sum + (1.0 + 0.5 / x + square * series) / x
}

/// (digamma(x + by) - ln(x + by)) - (digamma(x) - ln x), for x > 0 and by >= 0.
pub(super) fn digamma_rest_difference(x: f64, by: f64) -> f64 {
    let far = x + by;
    if x < ASYMPTOTIC {
        return digamma_rest(far) - digamma_rest(x);
    }
    0.5 * by / (x * far) + higher_rest(far) - higher_rest(x)
}

/// digamma(x) - ln x
fn digamma_rest(x: f64) -> f64 {
    if x < ASYMPTOTIC {
        digamma(x) - x.ln()
    } else {
        -0.5 / x + higher_rest(x)
    }
}

/// digamma(x) - ln x + 1/(2x) for large x.
fn higher_rest(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    let series = [
        -1.0 / 12.0,
        1.0 / 120.0,
        -1.0 / 252.0,
        1.0 / 240.0,
        -1.0 / 132.0,
    ];
    square * polynomial(square, &series)
}

/// ln Gamma(x + 1) - ln(sqrt(2 pi x) (x/e)^x): the error of Stirling's formula, for x > 0.
pub(super) fn stirling_error(x: f64) -> f64 {
    if x < ASYMPTOTIC {
        return ln_gamma(x + 1.0) - (x + 0.5) * x.ln() + x - 0.5 * TAU.ln();
    }
    let square = 1.0 / (x * x);
    let series = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
    ];
    polynomial(square, &series) / x
}

/// ln(1 + x) - x
pub(super) fn ln_1p_minus(x: f64) -> f64 {
    // Above, the subtraction loses two digits at most.
    if x.abs() > 0.02 {
        return x.ln_1p() - x;
    }
    let series = [
        -1.0 / 2.0,
        1.0 / 3.0,
        -1.0 / 4.0,
        1.0 / 5.0,
        -1.0 / 6.0,
        1.0 / 7.0,
        -1.0 / 8.0,
        1.0 / 9.0,
    ];
    x * x * polynomial(x, &series)
}

/// x ln(x / mean) + mean - x, for x > 0 and mean > 0.
pub(super) fn deviance(x: f64, mean: f64) -> f64 {
    let away = mean - x;
    if away.abs() > 0.5 * x {
        return x * (x / mean).ln() + away;
    }
    -x * ln_1p_minus(away / x)
}

/// The log density of a Poisson variable, x >= 0 not necessarily whole.
pub(super) fn ln_poisson(x: f64, mean: f64) -> f64 {
    if x == 0.0 {
        return -mean;
    }
    if mean == 0.0 {
        return f64::NEG_INFINITY;
    }
    -stirling_error(x) - deviance(x, mean) - 0.5 * (TAU * x).ln()
}

/// The log density of a binomial variable, 0 <= x <= n not necessarily whole, with the
/// probabilities of success and of failure.
pub(super) fn ln_binomial(x: f64, n: f64, success: f64, failure: f64) -> f64 {
    let rest = n - x;
    if x == 0.0 {
        return if n == 0.0 {
            0.0
        } else {
            n * ln_of(failure, success)
        };
    }
    if rest == 0.0 {
        return n * ln_of(success, failure);
    }
    if success == 0.0 || failure == 0.0 {
        return f64::NEG_INFINITY;
    }
    stirling_error(n)
        - stirling_error(x)
        - stirling_error(rest)
        - deviance(x, n * success)
        - deviance(rest, n * failure)
        - 0.5 * (TAU * x * (rest / n)).ln()
}

/// ln p, where q = 1 - p.
fn ln_of(p: f64, q: f64) -> f64 {
    if p > 0.5 { (-q).ln_1p() } else { p.ln() }
}

/// What Student's t needs of gamma functions, with x = df / 2.
pub(super) mod half {
    use super::*;

    /// ln Gamma(x + 1/2) - ln Gamma(x) - ln(x) / 2
    pub fn ln_gamma_ratio(x: f64) -> f64 {
        if x < ASYMPTOTIC {
            return ln_gamma(x + 0.5) - ln_gamma(x) - 0.5 * x.ln();
        }
        let series = [-1.0 / 8.0, 1.0 / 192.0, -1.0 / 640.0, 17.0 / 14336.0];
        polynomial(1.0 / (x * x), &series) / x
    }

    /// Its derivative: digamma(x + 1/2) - digamma(x) - 1/(2x)
    pub fn digamma_difference(x: f64) -> f64 {
        if x < ASYMPTOTIC {
            return digamma(x + 0.5) - digamma(x) - 0.5 / x;
        }
        let square = 1.0 / (x * x);
        let series = [1.0 / 8.0, -1.0 / 64.0, 1.0 / 128.0, -17.0 / 2048.0];
        square * polynomial(square, &series)
    }
}

/// The lower tail of the standard normal distribution.
#[derive(Debug, Clone, Copy)]
pub(in crate::fit) struct NormalTail {
    /// ln P(Z < z)
    pub log: f64,
    /// Its derivative, the density by the probability.
    pub slope: f64,
    /// slope + z, computed without cancellation.
    pub excess: f64,
}

/// Within this of 0 a power series takes over from the continued fraction.
const NEAR: f64 = 2.5;
/// Terms of the series, enough to [`NEAR`].
const TERMS_NEAR: u32 = 60;
/// Terms of the continued fraction, enough from [`NEAR`] on.
const TERMS_FAR: u32 = 200;

/// The lower tail at z.
pub(in crate::fit) fn normal_tail(z: f64) -> NormalTail {
    let log_of_density = -0.5 * z * z - 0.5 * TAU.ln();
    if z < -NEAR {
        let excess = excess_far(-z);
        return NormalTail {
            log: log_of_density - (excess - z).ln(),
            slope: excess - z,
            excess,
        };
    }
    let log = if z > NEAR {
        (-(log_of_density.exp() / (z + excess_far(z)))).ln_1p()
    } else {
        let term = |(term, odd): (f64, f64)| (term * z * z / (odd + 2.0), odd + 2.0);
        let (mut sum, mut next) = (0.0, (z, 1.0));
        for _ in 0..TERMS_NEAR {
            sum += next.0;
            next = term(next);
        }
        (0.5 + log_of_density.exp() * sum).ln()
    };
    let slope = (log_of_density - log).exp();
    NormalTail {
        log,
        slope,
        excess: slope + z,
    }
}

/// The density by the upper tail's probability at x, minus x.
fn excess_far(x: f64) -> f64 {
    let terms = (2..=TERMS_FAR).rev();
    1.0 / terms.fold(x, |rest, k| x + f64::from(k) / rest)
}

/// P(X < x) of the standard Cauchy distribution, accurate in the lower tail.
pub(super) fn cauchy_cdf(x: f64) -> f64 {
    if x < 0.0 {
        (-1.0 / x).atan() / PI
    } else {
        0.5 + x.atan() / PI
    }
}
