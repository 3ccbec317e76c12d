//! Objectives of sentences: gradients against differences and against exact solutions.

use super::FitAnswer;
use super::objective::Likelihood;
use crate::fit::{Objective, Wanted};
use crate::session::{Outcome, Session};
use crate::world::World;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A model and its data in memory.
struct Files {
    model: String,
    data: String,
}

impl World for Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("lotka") => Ok(self.model.clone().into_bytes()),
            Some("csv") => Ok(self.data.clone().into_bytes()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn cpu_time(&self) -> Duration {
        Duration::ZERO
    }

    fn interrupted(&self) -> bool {
        false
    }
}

/// The answer of `fit ... to "d.csv"` and what it was searched with.
fn fitted(model: &str, data: &str, sentence: &str) -> (Arc<FitAnswer>, Arc<Files>) {
    let world = Arc::new(Files {
        model: model.to_owned(),
        data: data.to_owned(),
    });
    let mut session = Session::new(world.clone());
    session.load(Path::new("m.lotka")).unwrap();
    let commands = session.understand(sentence).unwrap();
    let performed = session.perform(&commands[0], &mut ()).unwrap();
    match performed.outcome {
        Outcome::Fitted(answers) => (Arc::clone(&answers[0]), world),
        other => panic!("{other:?}"),
    }
}

/// Gradients are those of central differences, and J'r.
#[track_caller]
fn check(objective: &Likelihood<'_>, at: &[f64], within: f64) {
    let found = objective.evaluate(at, Wanted::Residuals).unwrap();
    for (j, exact) in found.gradient.iter().enumerate() {
        let rows = found.jacobian.chunks_exact(at.len()).zip(&found.residuals);
        let by_rows: f64 = rows.map(|(row, residual)| row[j] * residual).sum();
        let near = within * (1.0 + exact.abs());
        assert!((by_rows - exact).abs() < near, "{j}: {exact}, {by_rows}");
        let value = |shift: f64| {
            let mut moved = at.to_vec();
            moved[j] += shift;
            objective.evaluate(&moved, Wanted::Value).unwrap().value
        };
        let h = 3e-4 * (0.1 + at[j].abs());
        let low = (value(h) - value(-h)) / (2.0 * h);
        let high = (value(2.0 * h) - value(-2.0 * h)) / (4.0 * h);
        // Richardson's extrapolation.
        let difference = (4.0 * low - high) / 3.0;
        assert!(
            (difference - exact).abs() < near,
            "{j}: {exact}, {difference}"
        );
    }
}

const SERIES: &str = "t,x\n0,1\n0.4,1.2\n0.9,1.1\n1.7,0.8\n2.6,0.9\n4,0.7\n";

/// x rests at k/g, and follows the stimulus of `with` from there.
#[test]
fn a_state_of_rest_moves_with_the_parameters() {
    let model = "param k = 1 in 0.1..10, g = 1 in 0.1..10, n = 2 in 1..4, s = 0
state x = 1, y = 1
x' = k + s - g*x
y' = x^n/(1 + x^n) - g*y";
    let (answer, world) = fitted(
        model,
        SERIES,
        "fit k, g, n to \"d.csv\" from steady with s = 1 starts 1 rtol 1e-11",
    );
    let likelihood = answer.likelihood(&*world);
    check(&likelihood, &[0.9, 0.7, 1.9], 1e-6);
    check(&likelihood, &[0.3, 1.7, 3.1], 1e-6);
}

/// Sums of reactions stay, also where volumes are fitted; the total comes from initial values that
/// are fitted too.
#[test]
fn a_state_of_rest_moves_with_its_sums() {
    let model = "param a = 1 in 0.1..10, b = 2 in 0.1..10, V = 2 in 0.5..5, half = 1
compartment inner = V
compartment outer = 1
species x in inner = 1
species y in outer = 0.5
move: x -> y, rate a*x
back: y -> x, rate b*half*y";
    let (answer, world) = fitted(
        model,
        SERIES,
        "fit a, b, V, x to \"d.csv\" from steady with half = 0.5 starts 1 rtol 1e-11",
    );
    let likelihood = answer.likelihood(&*world);
    check(&likelihood, &[0.9, 1.7, 1.9, 1.3], 1e-6);
}

/// The same with a sum that the equations hide, whose coefficients move.
#[test]
fn a_state_of_rest_moves_with_hidden_sums() {
    let model = "param a = 1 in 0.1..10, b = 2 in 0.1..10, V = 2 in 0.5..5, half = 1
state x = 1, y = 0.5
x' = (b*half*y - a*x)/V
y' = a*x - b*half*y";
    let (answer, world) = fitted(
        model,
        SERIES,
        "fit a, b, V, x to \"d.csv\" from steady with half = 0.5 starts 1 rtol 1e-11",
    );
    let likelihood = answer.likelihood(&*world);
    check(&likelihood, &[0.9, 1.7, 1.9, 1.3], 1e-6);
}

/// Values of a condition that follow what is fitted.
#[test]
fn a_condition_may_follow_what_is_fitted() {
    let model = "param k = 1 in 0.1..10, f = 0.5 in 0..1, x0 = 1 in 0..10
state x = x0
x' = -k*x
condition plain { }
condition slow { k = f*k^2; x = 2*x0 }";
    let data =
        "condition,t,x\nplain,0,1\nplain,1,0.4\nplain,2,0.2\nslow,0,2.1\nslow,1,1.3\nslow,2,0.9\n";
    let (answer, world) = fitted(model, data, "fit k, f, x0 to \"d.csv\" starts 1 rtol 1e-11");
    let likelihood = answer.likelihood(&*world);
    check(&likelihood, &[0.9, 0.7, 1.1], 1e-6);
    // In `slow` x = 2 x0 exp(-f k^2 t).
    let looked = likelihood.look(1, &[0.9, 0.7, 1.1], Wanted::Value).unwrap();
    let exact = 2.2 * (-0.7_f64 * 0.81 * 2.0).exp();
    assert!((looked.numbers[2] - exact).abs() < 1e-8 * exact);
}

/// x' = -a x(t - tau) after x = 1: on each stretch of length tau one term more of
/// sum_k (-a)^k (t - (k - 1) tau)^k / k! (method of steps), with its derivatives by a and tau.
fn steps(t: f64, a: f64, tau: f64) -> [f64; 3] {
    let mut sums = [1.0, 0.0, 0.0];
    let mut factorial = 1.0;
    for k in 1..20 {
        let order = f64::from(k);
        factorial *= order;
        let since = t - (order - 1.0) * tau;
        if since <= 0.0 {
            break;
        }
        let power = (-a).powi(k) / factorial;
        sums[0] += power * since.powi(k);
        sums[1] += order * power / a * since.powi(k);
        sums[2] -= order * (order - 1.0) * power * since.powi(k - 1);
    }
    sums
}

#[test]
fn derivatives_of_delays_are_those_of_the_method_of_steps() {
    let times: Vec<f64> = (0..23).map(|at| 0.35 * f64::from(at)).collect();
    let rows: Vec<String> = times
        .iter()
        .map(|t| format!("{t},{}", steps(*t, 1.2, 0.9)[0]))
        .collect();
    let data = format!("t,x\n{}\n", rows.join("\n"));
    let model = "param a = 1 in 0.1..5, tau = 1 in 0.2..3
state x = 1
x' = -a*x(t - tau)";
    let sentence = "fit a, tau to \"d.csv\" starts 1 rtol 1e-10";
    let (answer, world) = fitted(model, &data, sentence);
    assert!(
        (answer.estimates[0] - 1.2).abs() < 1e-7,
        "{:?}",
        answer.estimates
    );
    assert!(
        (answer.estimates[1] - 0.9).abs() < 1e-7,
        "{:?}",
        answer.estimates
    );
    let likelihood = answer.likelihood(&*world);
    for (a, tau) in [(1.2, 0.9), (0.8, 1.3), (1.5, 0.61)] {
        let looked = likelihood.look(0, &[a, tau], Wanted::Residuals).unwrap();
        for (row, time) in times.iter().enumerate() {
            let [value, by_a, by_tau] = steps(*time, a, tau);
            let near = |found: f64, exact: f64| (found - exact).abs() < 1e-7 * (1.0 + exact.abs());
            assert!(near(looked.numbers[row], value), "{time}");
            let [found_a, found_tau] =
                [looked.derivatives[2 * row], looked.derivatives[2 * row + 1]];
            assert!(near(found_a, by_a), "{time}: {found_a}, {by_a}");
            assert!(near(found_tau, by_tau), "{time}: {found_tau}, {by_tau}");
        }
    }
}

/// Where the history does not lead to the start, the equations jump at a time that moves; so they do
/// when a dose comes back.
#[test]
fn what_comes_back_with_a_delay_moves_derivatives() {
    let models = [
        "param a = 0.8 in 0.1..5, tau = 1 in 0.2..3, h = 1
state x = 2
history x = h*(1 + 0.1*t)
x' = -a*x(t - tau)",
        "param a = 0.8 in 0.1..5, tau = 1 in 0.2..3, h = 1
state x = 1, y = 0.5
x' = -a*x(t - tau) + 0.2*y
y' = x(t - 2*tau)*x - h*y
dose 0.7*h into x at 0.5*h
when x < 0.4 { y = y + 0.1 }",
    ];
    for model in models {
        let sentence = "fit a, tau, h to \"d.csv\" starts 1 rtol 1e-11 atol 1e-12";
        let (answer, world) = fitted(model, SERIES, sentence);
        let likelihood = answer.likelihood(&*world);
        check(&likelihood, &[0.8, 0.73, 0.9], 3e-6);
        check(&likelihood, &[0.6, 1.21, 1.1], 3e-6);
    }
}
