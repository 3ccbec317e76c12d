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

/// Mean x0 e^(mu t), variance x0^2 e^(2 mu t) (e^(sigma^2 t) - 1); Milstein's weak bias at this
/// step is that of Euler's method for the mean.
#[test]
fn milstein_has_the_moments_of_geometric_brownian_motion() {
    let (mean, square) = moments(&case(GBM, Method::Milstein, 0.01), 20_000, 1.0);
    let exact = 2.0 * 0.3_f64.exp();
    mean.is(exact, 0.5 * 0.09 * 0.01 * exact);
    let exact = 4.0 * (0.6 + 0.25_f64).exp();
    square.is(exact, 0.85 * 0.85 * 0.01 * exact);
}

/// The same drift read in the Stratonovich sense has the mean x0 e^((mu + sigma^2/2) t).
#[test]
fn stratonovich_noise_lifts_the_mean() {
    let text = GBM.replace("wiener W", "stratonovich W");
    for method in [
        Method::EulerMaruyama,
        Method::Milstein,
        Method::ImplicitEuler,
    ] {
        let (mean, _) = moments(&case(&text, method, 0.01), 20_000, 1.0);
        let exact = 2.0 * 0.425_f64.exp();
        mean.is(exact, 0.5 * 0.425 * 0.425 * 0.01 * exact);
    }
}

/// Mean, variance and covariance in time, exact at any distance of the output times.
#[test]
fn the_exact_transition_has_the_moments_of_ornstein_uhlenbeck() {
    let case = case(OU, Method::ExactTransition, 1.0);
    let values = case.paths(20_000, &[0.3, 1.5]);
    let rows: Vec<&[f64]> = values.chunks_exact(2).collect();
    let exact = |t: f64| 1.0 - 0.8 * (-1.3 * t).exp();
    let covariance =
        |s: f64, t: f64| 0.64 / 2.6 * ((-1.3 * (t - s)).exp() - (-1.3 * (t + s)).exp());
    for (column, t) in [0.3, 1.5].into_iter().enumerate() {
        Estimate::of(rows.iter().map(|row| row[column])).is(exact(t), 0.0);
        let deviation = |row: &&[f64]| (row[column] - exact(t)).powi(2);
        Estimate::of(rows.iter().map(deviation)).is(covariance(t, t), 0.0);
    }
    let product = |row: &&[f64]| (row[0] - exact(0.3)) * (row[1] - exact(1.5));
    Estimate::of(rows.iter().map(product)).is(covariance(0.3, 1.5), 0.0);
}

/// Lagged covariance E[x(t+1) x(t)^T] = exp(A) S, S the stationary covariance.
#[test]
fn two_dimensions_have_their_stationary_and_lagged_covariance() {
    let text = "wiener V, W
         state x = 0, y = 0
         x' = -x + 0.5*y + 0.6*V'
         y' = -0.3*x - 0.8*y + 0.2*V' + 0.4*W'";
    for (method, step) in [(Method::ExactTransition, 1.0), (Method::Sra1, 0.1)] {
        let values = case(text, method, step).paths(20_000, &[20.0, 21.0]);
        let rows: Vec<&[f64]> = values.chunks_exact(4).collect();
        let mean = |i: usize, j: usize| Estimate::of(rows.iter().map(|row| row[i] * row[j]));
        // SRA1 at this step is off by far less than the standard error.
        mean(0, 0).is(0.210_058_479_532_2, 1e-3);
        mean(0, 1).is(0.060_116_959_064_33, 1e-3);
        mean(1, 1).is(0.102_456_140_350_9, 1e-3);
        mean(2, 0).is(0.083_089_833_243_59, 1e-3);
        mean(2, 1).is(0.040_708_325_972_95, 1e-3);
        mean(3, 0).is(0.000_110_850_171_209_4, 1e-3);
        mean(3, 1).is(0.035_679_946_004_11, 1e-3);
    }
}

/// The mean square of x' = mu x + sigma x W' decays with steps h if and only if (1 + mu h)^2 +
/// sigma^2 h < 1.
#[test]
fn euler_maruyama_is_mean_square_stable_where_theory_says() {
    let text = "wiener W\nstate x = 1\nx' = -3*x + 0.5*x*W'";
    // 0.51 and 1.08 with a mean square of 0.51^20 and 1.08^20.
    for (step, factor) in [(0.2_f64, 0.21_f64), (0.6, 0.79)] {
        let case = case(text, Method::EulerMaruyama, step);
        let (_, square) = moments(&case, 20_000, 4.0 * step);
        assert!((factor - ((1.0 - 3.0 * step).powi(2) + 0.25 * step)).abs() < 1e-12);
        let exact = factor.powi(4);
        assert!(
            (square.mean - exact).abs() < 4.0 * square.error,
            "{square:?} {exact}"
        );
    }
    let case = case(text, Method::EulerMaruyama, 0.8);
    let (_, square) = moments(&case, 1000, 80.0);
    assert!(square.mean > 1e3, "{square:?}");
}

/// The drift decays 10,000 times faster than the steps; the stationary variance of the implicit
/// Euler method is sigma^2 h / ((1 + k h)^2 - 1).
#[test]
fn the_implicit_method_takes_long_steps_of_a_stiff_drift() {
    let text = "param k = 1e5, sigma = 200
         wiener W
         state x = 1
         x' = -k*x + sigma*W'";
    let values = case(text, Method::ImplicitEuler, 0.1).paths(20_000, &[1.0]);
    let exact = 4e4 * 0.1 / ((1.0_f64 + 1e4).powi(2) - 1.0);
    let square = Estimate::of(values.iter().map(|x| x * x));
    assert!(
        (square.mean - exact).abs() < 4.0 * square.error,
        "{square:?} {exact}"
    );
    // A drift that is not linear: x' = -1000 (x^3 - 1) rests near 1.
    let text = "wiener W\nstate x = 3\nx' = -1000*(x^3 - 1) + W'";
    let values = case(text, Method::ImplicitEuler, 0.05).paths(1000, &[1.0]);
    Estimate::of(values.into_iter()).is(1.0, 0.01);
}

/// dx = (x - x^3) dt + sigma dW has the density exp(2/sigma^2 (x^2/2 - x^4/4)) up to a factor.
#[test]
fn a_double_well_has_its_stationary_density() {
    let text = "wiener W\nstate x = 1\nx' = x - x^3 + 0.9*W'";
    let density = |x: f64| (2.0 / 0.81 * (x * x / 2.0 - x.powi(4) / 4.0)).exp();
    // The trapezoidal rule converges fast for functions that vanish at both ends.
    let integral = |power: i32| -> f64 {
        let grid = (-4000..=4000).map(|k| f64::from(k) / 1000.0);
        grid.map(|x| x.powi(power) * density(x)).sum()
    };
    let values = case(text, Method::Sra1, 0.05).paths(5000, &[25.0]);
    for power in [2, 4] {
        let exact = integral(power) / integral(0);
        // Half the step changes these by less than this.
        Estimate::of(values.iter().map(|x| x.powi(power))).is(exact, 5e-3);
    }
}
