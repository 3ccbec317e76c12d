//! Means, variances and covariances of many paths, against what is known exactly.
//!
//! Formulas from ../shared/data/sde/references.json: ou_moments, gbm_moments, convergence_orders
//! and linear_2d there (P. E. Kloeden, E. Platen, 1992; D. J. Higham, SIAM Review 43 (2001) 525).

use super::{Case, Estimate, case};
use crate::simulate::Method;

const OU: &str = "param theta = 1.3, mu = 1, sigma = 0.8
     wiener W
     state x = 0.2
     x' = theta*(mu - x) + sigma*W'";

const GBM: &str = "param mu = 0.3, sigma = 0.5
     wiener W
     state x = 2
     x' = mu*x + sigma*x*W'";

/// Mean and second moment of one state at the end of many paths.
fn moments(case: &Case, count: u64, end: f64) -> (Estimate, Estimate) {
    let values = case.paths(count, &[end]);
    (
        Estimate::of(values.iter().copied()),
        Estimate::of(values.iter().map(|x| x * x)),
    )
}

/// E[X_n] = x0 (1 + mu h)^n, E[X_n^2] = x0^2 ((1 + mu h)^2 + sigma^2 h)^n.
#[test]
fn euler_maruyama_has_its_exact_moments_on_geometric_brownian_motion() {
    let (mean, square) = moments(&case(GBM, Method::EulerMaruyama, 0.1), 20_000, 1.0);
    mean.is(2.0 * 1.03_f64.powi(10), 0.0);
    square.is(4.0 * (1.03_f64 * 1.03 + 0.025).powi(10), 0.0);
}

/// Mean mu + (x0 - mu) e^(-theta t); with steps h, (1 - theta h)^n for the exponential, and the
/// variance sigma^2 h (1 - a^2n) / (1 - a^2), a = 1 - theta h.
#[test]
fn euler_maruyama_has_its_exact_moments_on_ornstein_uhlenbeck() {
    let (mean, square) = moments(&case(OU, Method::EulerMaruyama, 0.1), 20_000, 1.0);
    let a = 1.0 - 0.13_f64;
    let exact = 1.0 - 0.8 * a.powi(10);
    let variance = 0.64 * 0.1 * (1.0 - a.powi(20)) / (1.0 - a * a);
    mean.is(exact, 0.0);
    square.is(variance + exact * exact, 0.0);
}
