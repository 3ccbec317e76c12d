//! Filters against likelihoods computed elsewhere, closed forms, and differences.

mod laws;
mod series;

use super::*;
use crate::fit::coordinates::Scale;
use crate::fit::family::{Datum, Family};
use crate::fit::objective::{Evaluation, Fault, Wanted};
use crate::model::Model;
use crate::simulate::{Held, Problem, Varied};
use crate::symbolic::{Expr, Value, evaluate};
use crate::system::{self, System};
use std::sync::Arc;

/// A model with what is seen of it: definitions `y1`, `y2`, ..., each with noise of deviation
/// `sd1`, ... where that is defined, or `log_sd1`, ... of its logarithm. Parameters and initial values by number.
pub(super) struct Example {
    pub stochastic: Stochastic,
    pub parameters: Vec<f64>,
    pub initial: Vec<f64>,
    pub varied: Vec<Varied>,
}

impl Example {
    pub fn new(text: &str) -> Example {
        Example::with_laws(text, &[])
    }

    /// The same where definitions `law1_1`, `law1_2`, ... are the parameters of a family.
    pub fn with_laws(text: &str, families: &[Family]) -> Example {
        let model = Model::of_text(text);
        let system = Arc::new(system::derive(&model));
        let defined = |name: String| -> Option<Expr> {
            let known = model.definitions.iter().find(|known| known.name == name)?;
            system.definitions.get(&known.symbol).copied()
        };
        let observables: Vec<Observable> = (1..)
            .map_while(|k| {
                let law = defined(format!("law{k}_1")).map(|first| {
                    let family = families.get(k - 1).copied().unwrap_or(Family::Poisson);
                    let rest = (2..).map_while(|at| defined(format!("law{k}_{at}")));
                    Observable::Law {
                        family,
                        parameters: std::iter::once(first).chain(rest).collect(),
                    }
                });
                law.or_else(|| {
                    Some(Observable::Normal {
                        mean: defined(format!("y{k}"))?,
                        deviation: defined(format!("sd{k}")).or(defined(format!("log_sd{k}"))),
                        scale: match defined(format!("log_sd{k}")) {
                            Some(_) => Scale::Logarithmic,
                            None => Scale::Linear,
                        },
                    })
                })
            })
            .collect();
        let stochastic = Stochastic::new(Arc::clone(&system), &observables).unwrap();
        let (parameters, initial) = present(&system);
        let parameter_count = parameters.len();
        let state_count = initial.len();
        let varied = (0..parameter_count).map(Varied::Parameter);
        let varied = varied
            .chain((0..state_count).map(Varied::Initial))
            .collect();
        Example {
            stochastic,
            parameters,
            initial,
            varied,
        }
    }

    /// All parameters and then all initial values.
    pub fn point(&self) -> Vec<f64> {
        [self.parameters.clone(), self.initial.clone()].concat()
    }

    /// One pass with other values, all of which are varied.
    pub fn pass(&self, at: &[f64], from: &Start, data: &[Look]) -> Result<Filtered, Fault> {
        let (system, kernels) = (&self.stochastic.declared, &self.stochastic.declared_kernels);
        let (parameters, initial) = at.split_at(self.parameters.len());
        let held = vec![true; initial.len()];
        let sizes = vec![1.0; initial.len()];
        let case = Case {
            run: 0,
            equations: &self.stochastic,
            problem: Problem::new(system, kernels, parameters.to_vec(), initial.to_vec()),
            start: 0.0,
            from,
            varied: &self.varied,
            held: Held {
                parameters: &[],
                initial: &held,
            },
            sizes: &sizes,
            data,
            is_scored: true,
            interrupted: &|| false,
        };
        filter(&case, Wanted::Residuals)
    }

    #[track_caller]
    pub fn evaluation(&self, from: &Start, data: &[Look]) -> Evaluation {
        self.pass(&self.point(), from, data).unwrap().evaluation
    }

    /// Gradients are those of central differences, and J'r.
    #[track_caller]
    pub fn check_gradient(&self, from: &Start, data: &[Look], within: f64) {
        let found = self.evaluation(from, data);
        let d = self.varied.len();
        for j in 0..d {
            let mut by_rows = 0.0;
            for (row, residual) in found.jacobian.chunks_exact(d).zip(&found.residuals) {
                by_rows += row[j] * residual;
            }
            let exact = found.gradient[j];
            let near = 1e-9 * (1.0 + exact.abs());
            assert!(
                (by_rows - exact).abs() <= near,
                "{j}: {by_rows} for {exact}"
            );
            let at = |shift: f64| {
                let mut point = self.point();
                point[j] += shift;
                self.pass(&point, from, data).unwrap().evaluation.value
            };
            let h = 1e-4 * (0.1 + self.point()[j].abs());
            let slope = |h: f64| (at(h) - at(-h)) / (2.0 * h);
            let difference = (4.0 * slope(h) - slope(2.0 * h)) / 3.0;
            assert!(
                (difference - exact).abs() <= within * (1.0 + exact.abs()),
                "{j}: {exact} where differences say {difference}"
            );
        }
    }
}

/// Declared numbers; those of parameters may not follow others.
fn present(system: &System) -> (Vec<f64>, Vec<f64>) {
    let numbers = |exprs: &[Expr]| -> Vec<f64> {
        let all = exprs.iter();
        all.flat_map(|expr| evaluate(&system.pool, *expr, &|_| Value::scalar(f64::NAN)).numbers)
            .collect()
    };
    (numbers(&system.parameter_values), numbers(&system.initial))
}

/// Data of the observables, in rows of one time; what is not a number is missing.
pub(super) fn looks(times: &[f64], rows: &[&[f64]]) -> Vec<Look> {
    let mut datum = 0;
    let all = times.iter().zip(rows);
    all.map(|(time, row)| Look {
        time: *time,
        own: Vec::new(),
        seen: (row.iter().enumerate())
            .filter(|(_, value)| !value.is_nan())
            .map(|(observable, value)| {
                datum += 1;
                Sighting {
                    datum: datum - 1,
                    observable,
                    value: Datum::Exactly(*value),
                }
            })
            .collect(),
    })
    .collect()
}

pub(super) fn single(times: &[f64], values: &[f64]) -> Vec<Look> {
    let rows: Vec<&[f64]> = values.chunks_exact(1).collect();
    looks(times, &rows)
}

#[track_caller]
fn close(found: f64, exact: f64, within: f64) {
    assert!((found - exact).abs() <= within, "{found} for {exact}");
}

const OU: &str = "param theta = 1.3, mu = 1, sigma = 0.8
wiener W
state x = 0.9
x' = theta*(mu - x) + sigma*W'
let y1 = x";
const TIMES: [f64; 7] = [0.0, 0.3, 0.5, 1.1, 1.2, 2.0, 3.5];
const VALUES: [f64; 7] = [0.9, 1.4, 1.1, 0.7, 0.75, 1.6, 1.05];

/// ou_loglik of ../shared/data/sde/references.json (R, dnorm).
#[test]
fn ornstein_uhlenbeck_seen_exactly_and_with_noise() {
    let (exact, noisy) = (
        Example::new(OU),
        Example::new(&format!("{OU}\nlet sd1 = 0.2")),
    );
    assert_eq!(exact.stochastic.route, Route::Transition);
    let data = single(&TIMES, &VALUES);
    let value = |example: &Example, from| example.evaluation(from, &data).value;
    close(value(&exact, &Start::Given), 2.06795720147, 1e-10);
    close(value(&exact, &Start::Stationary), 2.306308960847, 1e-10);
    close(value(&noisy, &Start::Stationary), 2.791449565661, 1e-10);
}

/// The start is where the first datum has it, whatever the model says.
#[test]
fn a_first_datum_without_noise_is_the_start() {
    let text = OU.replace("x = 0.9", "x = 7");
    let example = Example::new(&text);
    let data = single(&TIMES, &VALUES);
    let found = example.evaluation(&Start::Given, &data);
    close(found.value, 2.06795720147, 1e-10);
    assert_eq!(found.gradient[3], 0.0);
    example.check_gradient(&Start::Given, &data, 1e-7);
}

const TWO: &str = "param a = -1, b = -2, c = 2, d = -1, e = 1, f = 1, g = 0.5, r = 0.1
wiener W, V
state x = 0.1, z = 0.2
x' = a*x + b*z + e + f*W'
z' = c*x + d*z + g*V'
let y1 = x
let sd1 = sqrt(r)";

/// Two components, one of them seen; the value was computed apart from this project.
#[test]
fn two_components_of_which_one_is_seen() {
    let example = Example::new(TWO);
    let data = single(&[0.0, 0.5, 1.2, 2.0], &[0.3, 0.1, -0.2, 0.4]);
    let found = example.evaluation(&Start::Stationary, &data);
    close(found.value, 2.238_640_296_539, 1e-10);
    example.check_gradient(&Start::Stationary, &data, 1e-7);
    example.check_gradient(&Start::Given, &data, 1e-7);
    example.check_gradient(&Start::Spread(vec![2.0, 3.0]), &data, 1e-7);
}

/// Both seen exactly, one of them now and then, one twice at a time; with noise that is zero.
#[test]
fn exact_and_missing_data_of_two_components() {
    let text = TWO.replace(
        "let y1 = x\nlet sd1 = sqrt(r)",
        "let y1 = x\nlet y2 = z - 2*x\nlet y3 = x + z\nlet sd3 = r",
    );
    let example = Example::new(&text);
    let nan = f64::NAN;
    let rows: [&[f64]; 4] = [
        &[0.3, 0.1, nan],
        &[0.1, nan, 0.4],
        &[nan, nan, 0.1],
        &[0.4, -0.6, nan],
    ];
    let mut data = looks(&[0.0, 0.5, 1.2, 2.0], &rows);
    example.check_gradient(&Start::Stationary, &data, 1e-7);
    let found = example
        .pass(&example.point(), &Start::Stationary, &data)
        .unwrap();
    // All data but none twice: each has its innovation, and after exact ones nothing is uncertain.
    assert_eq!(found.innovations.len(), 7);
    let last = &found.predicted[3].after.covariance;
    assert!(last.iter().all(|entry| entry.abs() < 1e-14), "{last:?}");
    // At a given start the first datum alone shows one state.
    data[0].seen.pop();
    example.check_gradient(&Start::Given, &data, 1e-7);
}

/// The same model with a term that only looks nonlinear goes through the integrated equations.
#[test]
fn integrated_moments_of_a_linear_model_are_the_exact_ones() {
    let text = TWO.replace("b*z", "b*tan(atan(z))");
    let example = Example::new(&text);
    assert_eq!(example.stochastic.route, Route::Extended);
    let linear = Example::new(TWO);
    let data = single(&[0.0, 0.5, 1.2, 2.0], &[0.3, 0.1, -0.2, 0.4]);
    for from in [Start::Stationary, Start::Given] {
        let found = example.evaluation(&from, &data);
        let exact = linear.evaluation(&from, &data);
        close(found.value, exact.value, 1e-8);
        for (found, exact) in found.gradient.iter().zip(&exact.gradient) {
            close(*found, *exact, 1e-7);
        }
    }
}

/// A nonlinear drift and a nonlinear observation with noise that depends on the state.
#[test]
fn extended_filter_has_an_exact_gradient_and_moves_the_mean() {
    let example = Example::new(
        "param k = 1, s = 0.3, q = 2, e = 0.1
wiener W
state x = 0.5
x' = k*x*(1 - x^2) + s*(1 + 0.2*x)*W'
let y1 = x + q*x^2
let sd1 = e*(1 + x^2)",
    );
    assert_eq!(example.stochastic.route, Route::Extended);
    assert!(!example.stochastic.is_seen_linearly);
    let data = single(&[0.0, 0.5, 1.0, 2.5], &[0.9, 1.4, 2.2, 3.1]);
    example.check_gradient(&Start::Given, &data, 1e-6);
    example.check_gradient(&Start::Stationary, &data, 1e-6);
    let found = example
        .pass(&example.point(), &Start::Given, &data)
        .unwrap();
    let second = &found.predicted[1];
    let innovation = &found.innovations[1];
    // K nu, K = P h / S, with the slope 1 + 2 q x.
    let slope = 1.0 + 4.0 * second.before.mean[0];
    let gain = second.before.covariance[0] * slope / innovation.variance;
    let moved = second.after.mean[0] - second.before.mean[0];
    close(moved, gain * innovation.deviation, 1e-12);
}

/// Stratonovich noise is read in the Itô sense: x' = c + s x o W' has the drift c + s^2 x / 2.
#[test]
fn stratonovich_noise_drifts() {
    let text = "param s = 0.3
stratonovich W
state x = 2
x' = 0.1 + s*x*W'
let y1 = x
let sd1 = 0.1";
    let example = Example::new(text);
    let found = example
        .pass(&example.point(), &Start::Given, &single(&[1.0], &[2.0]))
        .unwrap();
    let offset = 0.1 / 0.045;
    let exact = (2.0 + offset) * (0.045_f64).exp() - offset;
    close(found.predicted[0].before.mean[0], exact, 1e-8);
}

const IMMIGRATION: &str = "param alpha = 10, mu = 0.5
species X = 3
make: 0 -> X, alpha
lose: X -> 0, mu
noise intrinsic
let y1 = X
let sd1 = 1.5";

/// Immigration and death: mean and variance of the linear-noise approximation are exact. From n0
/// the number is binomial plus Poisson: mean n0 e + a/mu (1 - e), variance n0 e (1 - e) +
/// a/mu (1 - e) with e = exp(-mu t) (birth_death_ssa of ../shared/data/sde/references.json).
#[test]
fn immigration_and_death() {
    let example = Example::new(IMMIGRATION);
    assert_eq!(example.stochastic.route, Route::LinearNoise);
    let data = single(&[1.5, 3.0, 3.5], &[11.0, 13.0, 18.0]);
    let found = example
        .pass(&example.point(), &Start::Given, &data)
        .unwrap();
    let e = (-0.5_f64 * 1.5).exp();
    let before = &found.predicted[0].before;
    let made = 20.0 * (1.0 - e);
    close(before.mean[0], 3.0 * e + made, 1e-7);
    close(before.covariance[0], 3.0 * e * (1.0 - e) + made, 1e-7);
    // Restarted: the variance grows anew from what is known.
    let (mean, variance) = (
        found.predicted[0].after.mean[0],
        found.predicted[0].after.covariance[0],
    );
    let next = &found.predicted[1].before;
    close(next.mean[0], mean * e + made, 1e-7);
    let spread = variance * e * e + mean * e * (1.0 - e) + made;
    close(next.covariance[0], spread, 1e-7);
    example.check_gradient(&Start::Given, &data, 1e-6);
    // Poisson in the long run.
    let found = example
        .pass(&example.point(), &Start::Stationary, &data)
        .unwrap();
    close(found.predicted[0].before.mean[0], 20.0, 1e-9);
    close(found.predicted[0].before.covariance[0], 20.0, 1e-9);
    example.check_gradient(&Start::Stationary, &data, 1e-6);
}

/// A dose moves the mean at its time, once, and data of that time see it given.
#[test]
fn doses_are_given_once() {
    let text = "param k = 1, s = 0.3
wiener W
state x = 1
dose 2 into x at 0, 1, 1.5
x' = -k*x + s*W'
let y1 = x
let sd1 = 0.1";
    let example = Example::new(text);
    assert_eq!(example.stochastic.route, Route::Moments(None));
    let unseen: &[f64] = &[f64::NAN];
    let rows = [unseen, unseen, unseen, &[1.9]];
    let data = looks(&[0.0, 1.0, 1.25, 2.0], &rows);
    let found = example
        .pass(&example.point(), &Start::Given, &data)
        .unwrap();
    let before = |row: usize| &found.predicted[row].before;
    close(before(0).mean[0], 3.0, 1e-12);
    close(before(1).mean[0], 3.0 * (-1.0_f64).exp() + 2.0, 1e-7);
    let mean = 3.0 * (-2.0_f64).exp() + 2.0 * (-1.0_f64).exp() + 2.0 * (-0.5_f64).exp();
    close(before(3).mean[0], mean, 1e-7);
    let variance = 0.09 / 2.0 * (1.0 - (-4.0_f64).exp());
    close(before(3).covariance[0], variance, 1e-8);
    example.check_gradient(&Start::Given, &data, 1e-6);
}

/// A rate that moves with time: the mean of x' = a cos(t) - k x from 0 is that of variation of
/// constants, a (k cos t + sin t - k exp(-k t))/(k^2 + 1); the variance is that of constant rates.
#[test]
fn linear_equations_that_name_the_time() {
    let text = "param k = 0.7, a = 2, s = 0.4
index axis = {p, q}
wiener W
state x = 0
state u[axis] = 0
x' = a*cos(t) - k*x + s*W'
u' = -u
let y1 = x + u[p]
let sd1 = 0.1";
    let example = Example::new(text);
    assert!(matches!(example.stochastic.route, Route::Moments(Some(_))));
    let data = single(&[0.4, 1.7], &[0.5, 1.2]);
    let found = example
        .pass(&example.point(), &Start::Given, &data)
        .unwrap();
    let (t, k, before) = (0.4_f64, 0.7_f64, &found.predicted[0].before);
    let mean = 2.0 * (k * t.cos() + t.sin() - k * (-k * t).exp()) / (k * k + 1.0);
    close(before.mean[0], mean, 1e-8);
    close(
        before.covariance[0],
        0.16 / (2.0 * k) * (1.0 - (-2.0 * k * t).exp()),
        1e-9,
    );
    example.check_gradient(&Start::Given, &data, 1e-6);
    let stationary = example.pass(&example.point(), &Start::Stationary, &data);
    assert_eq!(stationary.err(), Some(Fault::NoStart { run: 0 }));
}

/// gbm_loglik of ../shared/data/sde/references.json (R, dlnorm): the prices given the first.
#[test]
fn geometric_brownian_motion() {
    let text = "param mu = 0.12, s = 0.25
wiener W
state x = 100
x' = mu*x + s*x*W'
let y1 = x";
    let example = Example::new(text);
    assert_eq!(example.stochastic.route, Route::Transition);
    assert_eq!(example.stochastic.scale, Scale::Logarithmic);
    let times = [0.0, 0.1, 0.2, 0.4, 0.45, 0.75];
    let prices = [100.0, 101.5, 99.2, 103.7, 104.1, 108.9];
    let data = single(&times, &prices);
    let found = example.evaluation(&Start::Given, &data);
    close(found.value, 15.771_784_111_76, 1e-9);
    example.check_gradient(&Start::Given, &data, 1e-6);
    // Seen with noise, of either kind.
    for noise in ["let log_sd1 = 0.01", "let sd1 = 0.5"] {
        let example = Example::new(&format!("{text}\n{noise}"));
        example.check_gradient(&Start::Given, &data, 1e-5);
    }
}

#[test]
fn what_has_no_likelihood_says_so() {
    let example = Example::new(&OU.replace("theta = 1.3", "theta = -1.3"));
    let data = single(&TIMES, &VALUES);
    let found = example.pass(&example.point(), &Start::Stationary, &data);
    assert_eq!(found.err(), Some(Fault::NoStart { run: 0 }));
    // Without noise the third value is impossible.
    let example = Example::new(&OU.replace("sigma = 0.8", "sigma = 0"));
    let found = example.pass(&example.point(), &Start::Given, &data);
    assert_eq!(found.err(), Some(Fault::NoDensity { run: 0, datum: 1 }));
}

#[test]
fn what_has_no_filter_is_refused() {
    let refused = |text: &str| {
        let system = system::derive(&Model::of_text(text));
        Stochastic::new(Arc::new(system), &[]).err()
    };
    assert_eq!(refused("state x = 1\nx' = -x"), Some(Unfiltered::NoNoise));
    let event = "wiener W\nstate x = 1\nx' = -x + W'\nwhen x > 2 { x = 1 }";
    assert_eq!(refused(event), Some(Unfiltered::Events));
}
