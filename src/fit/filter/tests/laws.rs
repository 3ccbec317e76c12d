//! Data that are not normal, against integrals computed elsewhere and differences.
//!
//! References of this file: numpy 2 and scipy 1. "Matched" is the same recursion with every integral
//! by scipy.integrate.quad; "grid" a filter on 4001 points without any assumption on the shape.

use super::*;

const OU: &str = "param theta = 1.3, mu = 0.2, sigma = 0.8, k = 1.5, w = 0.2
wiener W
state x = 0.2
x' = theta*(mu - x) + sigma*W'\n";
const TIMES: [f64; 6] = [0.3, 0.5, 1.1, 1.2, 2.0, 3.5];

fn of(seen: &str, families: &[Family]) -> Example {
    Example::with_laws(&format!("{OU}{seen}"), families)
}

/// Minus the log-likelihood from the stationary start, and what is known at the end.
#[track_caller]
fn minus_log(example: &Example, data: &[Look]) -> (f64, Moments) {
    let found = example
        .pass(&example.point(), &Start::Stationary, data)
        .unwrap();
    let last = found.predicted.last().unwrap().after.clone();
    (found.evaluation.value, last)
}

#[test]
fn counts_of_a_logarithm() {
    let example = of("let law1_1 = k*exp(x)", &[Family::Poisson]);
    let data = single(&TIMES, &[2.0, 3.0, 0.0, 1.0, 4.0, 1.0]);
    let (value, last) = minus_log(&example, &data);
    // Matched; the grid has 10.335700, 0.056239 and 0.173002.
    close(value, 10.337_068_081_780_6, 1e-9);
    close(last.mean[0], 0.056_173_217_320_1, 1e-9);
    close(last.covariance[0], 0.172_995_672_338_6, 1e-9);
    example.check_gradient(&Start::Stationary, &data, 1e-7);
    example.check_gradient(&Start::Given, &data, 1e-7);
}

#[test]
fn outliers_by_student_t() {
    let example = of(
        "let law1_1 = x\nlet law1_2 = w\nlet law1_3 = 3",
        &[Family::StudentT],
    );
    let data = single(&TIMES, &[0.1, 2.9, -0.4, 0.3, 0.6, -0.2]);
    let (value, last) = minus_log(&example, &data);
    // Matched; the grid has 11.119119, -0.105279 and 0.056363: an outlier leaves two peaks.
    close(value, 11.056_339_497_848_4, 1e-9);
    close(last.mean[0], -0.105_271_200_450_2, 1e-9);
    close(last.covariance[0], 0.056_361_885_431_1, 1e-9);
    example.check_gradient(&Start::Stationary, &data, 1e-7);
}

#[test]
fn a_mean_of_counts_below_zero_counts_as_zero() {
    let example = of("let law1_1 = 0.7 + x", &[Family::Poisson]);
    let data = single(&TIMES, &[1.0, 0.0, 0.0, 2.0, 1.0, 0.0]);
    let (value, last) = minus_log(&example, &data);
    // Matched, with pieces split at x = -0.7; the grid has 6.919517.
    close(value, 6.917_216_068_737_3, 1e-9);
    close(last.mean[0], -0.012_691_996_457_7, 1e-9);
    close(last.covariance[0], 0.228_887_537_302_2, 1e-9);
    example.check_gradient(&Start::Stationary, &data, 1e-6);
}

fn censored(data: &[Datum]) -> Vec<Look> {
    let times = TIMES.iter().zip(data).enumerate();
    times
        .map(|(datum, (time, value))| Look {
            time: *time,
            own: Vec::new(),
            seen: vec![Sighting {
                datum,
                observable: 0,
                value: *value,
            }],
        })
        .collect()
}

#[test]
fn limits_of_normal_data() {
    use Datum::{Above, Below, Exactly};
    let example = of("let y1 = x\nlet sd1 = w", &[]);
    let last = censored(&[
        Exactly(0.3),
        Exactly(0.5),
        Exactly(0.2),
        Exactly(-0.1),
        Exactly(0.6),
        Below(0.1),
    ]);
    // scipy.stats.multivariate_normal.logpdf of the exact ones and logcdf of the last given them.
    close(minus_log(&example, &last).0, 2.601_084_288_041_9, 1e-10);
    let between = censored(&[
        Exactly(0.3),
        Exactly(0.5),
        Below(0.0),
        Exactly(-0.1),
        Above(0.5),
        Below(0.1),
    ]);
    let (value, known) = minus_log(&example, &between);
    // Matched; scipy.stats.multivariate_normal.cdf has 4.331862: what follows a limit is not normal.
    close(value, 4.349_919_950_349_5, 1e-9);
    close(known.mean[0], -0.192_581_432_875_0, 1e-9);
    close(known.covariance[0], 0.096_862_236_733_7, 1e-9);
    example.check_gradient(&Start::Stationary, &between, 1e-7);
    // A start that is known is told of by the noise alone, and logarithms have limits as well.
    example.check_gradient(&Start::Given, &between, 1e-7);
    let logarithm = of("let y1 = exp(x)\nlet log_sd1 = w", &[]);
    let positive = censored(&[Exactly(1.3), Below(1.2), Above(0.4), Above(-1.0)]);
    logarithm.check_gradient(&Start::Stationary, &positive, 1e-7);
}

/// A normal law that is integrated says what the Kalman filter says.
#[test]
fn integrals_of_a_normal_law_are_its_closed_form() {
    let text = "param a = 1, b = 0.5, c = 0.8, w = 0.3
wiener V, W
state x = 0.4, y = -0.2
x' = -a*x + b*y + c*V'
y' = -b*x - a*y + 0.5*W'\n";
    let seen = "let y1 = x + 2*y\nlet sd1 = w\nlet y2 = y\nlet sd2 = 0.2";
    let laws = "let law1_1 = x + 2*y\nlet law1_2 = w\nlet law2_1 = y\nlet law2_2 = 0.2";
    let closed = Example::new(&format!("{text}{seen}"));
    let families = [Family::Normal, Family::Normal];
    let integrated = Example::with_laws(&format!("{text}{laws}"), &families);
    let data = looks(
        &[0.0, 0.7, 1.0, 2.5],
        &[&[0.1, -0.3], &[0.9, f64::NAN], &[-4.0, 0.2], &[0.3, 0.1]],
    );
    for (from, within) in [
        (Start::Given, 1e-9),
        (Start::Stationary, 1e-9),
        // Variances of 1e8 are rounded to 1e-8.
        (Start::Spread(vec![1e4, 1e4]), 1e-6),
    ] {
        let pass = |example: &Example| example.pass(&example.point(), &from, &data).unwrap();
        let (a, b) = (pass(&closed), pass(&integrated));
        close(b.evaluation.value, a.evaluation.value, within);
        for (a, b) in a.evaluation.gradient.iter().zip(&b.evaluation.gradient) {
            close(*b, *a, 100.0 * within * (1.0 + a.abs()));
        }
        for (a, b) in a.innovations.iter().zip(&b.innovations) {
            close(
                b.score.unwrap(),
                a.score.unwrap(),
                f64::max(1e-6, 100.0 * within),
            );
        }
    }
}

/// Two states, seen together by laws of every kind.
#[test]
fn gradients_of_every_family() {
    use Family::{Beta, Binomial, Cauchy, Exponential, Gamma, NegativeBinomial};
    let text = "param a = 1, b = 0.5, c = 0.3, k = 2, w = 3
wiener V, W
state x = 0.4, y = 0.2
x' = -a*x + b*y + c*V'
y' = 0.3 - a*y + b*x*y - 0.1*y^3 + 0.2*y*W'\n";
    let cases = [
        (
            Cauchy,
            "let law1_1 = k*x + y\nlet law1_2 = 0.3*k",
            [0.9, 0.2, 5.0],
        ),
        (
            NegativeBinomial,
            "let law1_1 = k*exp(x + y)\nlet law1_2 = w",
            [4.0, 0.0, 9.0],
        ),
        (
            Binomial,
            "let law1_1 = 12\nlet law1_2 = 1/(1 + exp(-k*x*y))",
            [7.0, 3.0, 12.0],
        ),
        (
            Gamma,
            "let law1_1 = w\nlet law1_2 = w/(k*exp(x))",
            [2.0, 3.1, 0.4],
        ),
        (
            Beta,
            "let law1_1 = w/(1 + exp(-x))\nlet law1_2 = w*(1 - 1/(1 + exp(-x)))",
            [0.4, 0.7, 0.2],
        ),
        (Exponential, "let law1_1 = k*exp(x - y)", [2.0, 0.3, 4.0]),
    ];
    for (family, law, values) in cases {
        let example = Example::with_laws(&format!("{text}{law}"), &[family]);
        assert_eq!(example.stochastic.route, Route::Extended);
        let data = single(&[0.4, 1.0, 2.0], &values);
        let spread = Start::Spread(vec![0.5, 0.3]);
        example.check_gradient(&spread, &data, 2e-6);
    }
}
