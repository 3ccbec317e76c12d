//! Likelihoods of compiled models with noise.

use super::*;
use crate::fit::filter::{Look, Route, Sighting, Start, Unfiltered};
use crate::fit::{Family, Objective, Wanted};
use crate::model::{Model, ParameterId, Target};
use crate::session::compiled::Compiled;
use crate::session::values::Overrides;
use crate::simulate::Varied;
use crate::symbolic::{Expr, Pool};
use std::sync::Arc;

fn quiet() -> bool {
    false
}

/// What is seen, from texts: a mean, and a standard deviation where there is one.
fn seen(compiled: &Compiled, texts: &[&str]) -> (Arc<Pool>, Vec<Expr>) {
    let text = format!("[{}]", texts.join(", "));
    let found = compiled.observable_from_text(&text).unwrap();
    let mut pool = Pool::continuing(&found.pool);
    let exprs = (0..texts.len())
        .map(|k| pool.element(found.expr, k))
        .collect();
    (Arc::new(pool), exprs)
}

fn run(start: f64, from: Start, data: &[(f64, f64)]) -> StochasticRun {
    StochasticRun {
        overrides: Overrides::new(),
        doses: Vec::new(),
        rows: Vec::new(),
        inputs: Vec::new(),
        start,
        from,
        data: (data.iter().enumerate())
            .map(|(datum, (time, value))| Look {
                time: *time,
                seen: vec![Sighting {
                    datum,
                    observable: 0,
                    value: *value,
                }],
            })
            .collect(),
    }
}

/// Gradients by quantities that others follow are those of central differences.
#[track_caller]
fn check(objective: &StochasticObjective<'_>, at: &[f64]) {
    let found = objective.evaluate(at, Wanted::Residuals).unwrap();
    for (j, exact) in found.gradient.iter().enumerate() {
        let value = |shift: f64| {
            let mut moved = at.to_vec();
            moved[j] += shift;
            objective.evaluate(&moved, Wanted::Value).unwrap().value
        };
        let h = 1e-5 * (0.1 + at[j].abs());
        let difference = (value(h) - value(-h)) / (2.0 * h);
        let near = 1e-6 * (1.0 + exact.abs());
        assert!(
            (difference - exact).abs() < near,
            "{j}: {exact}, {difference}"
        );
    }
}

/// ou_loglik of ../shared/data/sde/references.json (R), twice: two runs add up. The rate is fitted
/// through a parameter that `theta` follows, and the start too.
#[test]
fn runs_add_up_and_values_follow() {
    let compiled = Compiled::new(Model::of_text(
        "param half = 0.65, theta = 2*half, mu = 1, sigma = 0.8
wiener W
state x = 0.9*mu
x' = theta*(mu - x) + sigma*W'",
    ));
    let (pool, exprs) = seen(&compiled, &["x", "0.2"]);
    let observable = noisy_observable(Some(Family::Normal), &exprs).unwrap();
    let exact = noisy_observable(None, &exprs[..1]).unwrap();
    let data = [
        (0.0, 0.9),
        (0.3, 1.4),
        (0.5, 1.1),
        (1.1, 0.7),
        (1.2, 0.75),
        (2.0, 1.6),
        (3.5, 1.05),
    ];
    let runs = vec![
        run(0.0, Start::Stationary, &data),
        run(0.0, Start::Stationary, &data),
    ];
    let fitted = vec![
        Varied::Parameter(0),
        Varied::Parameter(2),
        Varied::Initial(0),
    ];
    let at = [0.65, 1.0, 0.9];
    let objective = |observable, runs| {
        let seen = (&pool, std::slice::from_ref(observable));
        let noise = NoiseFrom::Model;
        StochasticObjective::new(&compiled, noise, seen, fitted.clone(), runs, &quiet).unwrap()
    };
    let noisy = objective(&observable, runs);
    assert_eq!(noisy.equations().route, Route::Transition);
    let found = noisy.evaluate(&at, Wanted::Value).unwrap().value;
    assert!((found - 2.0 * 2.791449565661).abs() < 1e-9, "{found}");
    check(&noisy, &at);
    let given = objective(&observable, vec![run(0.0, Start::Given, &data[1..])]);
    check(&given, &[0.65, 1.0, 0.8]);
    let first = objective(&exact, vec![run(0.0, Start::Given, &data)]);
    let found = first.evaluate(&at, Wanted::Value).unwrap().value;
    assert!((found - 2.06795720147).abs() < 1e-9, "{found}");
}

/// A condition of the run holds beside what is fitted.
#[test]
fn what_a_run_sets_holds() {
    let compiled = Compiled::new(Model::of_text(
        "param theta = 1, sigma = 0.5\nwiener W\nstate x = 0\nx' = -theta*x + sigma*W'",
    ));
    let (pool, exprs) = seen(&compiled, &["x", "0.1"]);
    let observable = noisy_observable(Some(Family::Normal), &exprs).unwrap();
    let mut set = run(0.0, Start::Given, &[(1.0, 0.3)]);
    set.overrides
        .set(Target::Parameter(ParameterId::new(1)), None, vec![2.0]);
    let objective = StochasticObjective::new(
        &compiled,
        NoiseFrom::Model,
        (&pool, &[observable]),
        vec![Varied::Parameter(0)],
        vec![set],
        &quiet,
    );
    let objective = objective.unwrap();
    let found = objective.filtered(0, &[1.0], Wanted::Value).unwrap();
    // sigma^2/(2 theta) (1 - exp(-2 theta t)) and the noise of measurement.
    let variance = 2.0 * (1.0 - (-2.0_f64).exp()) + 0.01;
    assert!((found.innovations[0].variance - variance).abs() < 1e-12);
}

/// Reactions have noise of their own when it is asked for: immigration and death, whose stationary
/// distribution has mean and variance alpha/mu.
#[test]
fn reactions_without_declared_noise() {
    let compiled = Compiled::new(Model::of_text(
        "param alpha = 10, mu = 0.5\nspecies X = 3\nmake: 0 -> X, alpha\nlose: X -> 0, mu",
    ));
    let (pool, exprs) = seen(&compiled, &["X", "1.5"]);
    let observable = noisy_observable(Some(Family::Normal), &exprs).unwrap();
    let data = [(0.0, 22.0), (1.0, 19.0)];
    let objective = |noise| {
        let runs = vec![run(0.0, Start::Stationary, &data)];
        let fitted = vec![Varied::Parameter(0), Varied::Parameter(1)];
        StochasticObjective::new(
            &compiled,
            noise,
            (&pool, &[observable]),
            fitted,
            runs,
            &quiet,
        )
    };
    assert_eq!(objective(NoiseFrom::Model).err(), Some(Unfiltered::NoNoise));
    let objective = objective(NoiseFrom::Reactions).unwrap();
    assert_eq!(objective.equations().route, Route::LinearNoise);
    let found = objective.filtered(0, &[10.0, 0.5], Wanted::Value).unwrap();
    assert!((found.predicted[0].before.covariance[0] - 20.0).abs() < 1e-9);
    check(&objective, &[10.0, 0.5]);
}

#[test]
fn other_families_are_refused() {
    let compiled = Compiled::new(Model::of_text("wiener W\nstate x = 1\nx' = -x + W'"));
    let (_, exprs) = seen(&compiled, &["x", "0.1"]);
    let found = noisy_observable(Some(Family::Poisson), &exprs[..1]);
    assert_eq!(found, Err(UnsuitedData::Family(Family::Poisson)));
}
