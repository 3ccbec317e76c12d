//! Likelihoods of compiled models with noise.

use super::super::data::{Look as Row, Point, RunData};
use super::super::lens::Lens;
use super::super::objective::drivers;
use super::super::own::Own;
use super::super::quantities;
use super::*;
use crate::fit::filter::Route;
use crate::fit::{Datum, Objective};
use crate::model::{ParameterId, Target};
use crate::session::compiled::Compiled;
use crate::session::values::Overrides;
use crate::source::{SourceId, Span};
use crate::syntax;
use crate::world::SystemWorld;

/// Data of the first observation, as one run.
fn run(overrides: Overrides, data: &[(f64, f64)]) -> FitRun {
    let rows = data.iter().enumerate();
    let (rows, points) = rows
        .map(|(row, (time, value))| {
            let look = Row {
                time: *time,
                table_row: row,
            };
            let point = Point {
                row,
                seen: 0,
                datum: Datum::Exactly(*value),
                table_row: row,
            };
            (look, point)
        })
        .unzip();
    FitRun {
        data: RunData {
            rows,
            points,
            ..RunData::default()
        },
        plan: None,
        own: Own::of(overrides),
        rested: None,
        looks: Vec::new(),
    }
}

fn likelihood<'w>(
    text: &str,
    fitted: &[&str],
    runs: Vec<FitRun>,
    world: &'w SystemWorld,
) -> Likelihood<'w> {
    let compiled = Compiled::new(Model::of_text(text));
    let source = SourceId(u32::MAX);
    let names: Vec<_> = (fitted.iter())
        .map(|name| syntax::parse_expression(source, name).unwrap())
        .collect();
    let present = compiled.present(&Overrides::new());
    let span = Span::new(source, 0, 0);
    let fitted = quantities::fitted(&compiled, &present, &names, span).unwrap();
    Likelihood {
        lens: Arc::new(Lens::new(&compiled, &|name| name != "theta")),
        drivers: drivers(&compiled),
        filters: None,
        region: None,
        asserts: true,
        compiled,
        fitted,
        runs,
        world,
    }
}

/// Gradients by quantities that others follow are those of central differences, and J'r.
#[track_caller]
fn check(objective: &Likelihood<'_>, at: &[f64]) {
    let found = objective.evaluate(at, Wanted::Residuals).unwrap();
    for (j, exact) in found.gradient.iter().enumerate() {
        let rows = found.jacobian.chunks_exact(at.len()).zip(&found.residuals);
        let by_rows: f64 = rows.map(|(row, residual)| row[j] * residual).sum();
        let near = 1e-6 * (1.0 + exact.abs());
        assert!(
            (by_rows - exact).abs() < 1e-3 * near,
            "{j}: {exact}, {by_rows}"
        );
        let value = |shift: f64| {
            let mut moved = at.to_vec();
            moved[j] += shift;
            objective.evaluate(&moved, Wanted::Value).unwrap().value
        };
        let h = 1e-5 * (0.1 + at[j].abs());
        let difference = (value(h) - value(-h)) / (2.0 * h);
        assert!(
            (difference - exact).abs() < near,
            "{j}: {exact}, {difference}"
        );
    }
}

const OU: &str = "param half = 0.65, mu = 1, sigma = 0.8
param theta = 2*half
wiener W
state x = 0.9*mu
x' = theta*(mu - x) + sigma*W'";
const DATA: [(f64, f64); 7] = [
    (0.0, 0.9),
    (0.3, 1.4),
    (0.5, 1.1),
    (1.1, 0.7),
    (1.2, 0.75),
    (2.0, 1.6),
    (3.5, 1.05),
];

/// ou_loglik of ../shared/data/sde/references.json (R), twice: two runs add up. The rate is fitted
/// through a parameter that `theta` follows, and the start too.
#[test]
fn runs_add_up_and_values_follow() {
    let world = SystemWorld::default();
    let fitted = ["half", "mu", "x"];
    let at = [0.65, 1.0, 0.9];
    let all = || run(Overrides::new(), &DATA);
    let noisy = format!("{OU}\nobserve y ~ normal(x, 0.2)");
    let two = likelihood(&noisy, &fitted, vec![all(), all()], &world);
    let two = two.filtering(NoiseFrom::Model, Start::Stationary).unwrap();
    assert_eq!(
        two.filters.as_ref().unwrap().equations.route,
        Route::Transition
    );
    let found = two.evaluate(&at, Wanted::Value).unwrap().value;
    assert!((found - 2.0 * 2.791449565661).abs() < 1e-9, "{found}");
    check(&two, &at);
    let later = run(Overrides::new(), &DATA[1..]);
    let given = likelihood(&noisy, &fitted, vec![later], &world);
    let given = given.filtering(NoiseFrom::Model, Start::Given).unwrap();
    check(&given, &[0.65, 1.0, 0.8]);
    // Without a family the state is seen exactly.
    let exact = likelihood(OU, &fitted, vec![all()], &world);
    let exact = exact.filtering(NoiseFrom::Model, Start::Given).unwrap();
    let found = exact.evaluate(&at, Wanted::Value).unwrap().value;
    assert!((found - 2.06795720147).abs() < 1e-9, "{found}");
}

/// What a run sets holds beside what is fitted; priors add to the data, minus the logarithm of a
/// standard normal density at 1: ln(2 pi)/2 + 1/2.
#[test]
fn values_of_runs_and_priors() {
    let world = SystemWorld::default();
    let text = "param theta = 1 ~ normal(0, 1)
param sigma = 0.5
wiener W
state x = 0
x' = -theta*x + sigma*W'
observe y ~ normal(x, 0.1)";
    let mut set = Overrides::new();
    set.set(Target::Parameter(ParameterId::new(1)), None, vec![2.0]);
    let runs = vec![run(set, &[(1.0, 0.3)])];
    let found = likelihood(text, &["theta"], runs, &world);
    let found = found.filtering(NoiseFrom::Model, Start::Given).unwrap();
    let pass = found.filtered(0, &[1.0], Wanted::Value).unwrap();
    // sigma^2/(2 theta) (1 - exp(-2 theta t)) and the noise of measurement.
    let variance = 2.0 * (1.0 - (-2.0_f64).exp()) + 0.01;
    assert!((pass.innovations[0].variance - variance).abs() < 1e-12);
    let whole = found.evaluate(&[1.0], Wanted::Value).unwrap().value;
    let prior = 0.5 * std::f64::consts::TAU.ln() + 0.5;
    assert!((whole - pass.evaluation.value - prior).abs() < 1e-12);
    check(&found, &[1.0]);
}

/// A covariate of the data's rows shifts what is seen.
#[test]
fn covariates_that_change_from_row_to_row() {
    let world = SystemWorld::default();
    let text = "param theta = 1, sigma = 0.5
covariate shift
wiener W
state x = 0
x' = -theta*x + sigma*W'
observe y ~ normal(x + shift, 0.1)";
    let plain = run(Overrides::new(), &[(1.0, 0.3), (2.0, 0.1)]);
    let compiled = Compiled::new(Model::of_text(text));
    let names = compiled.model.parameters.iter();
    let shift = names
        .into_iter()
        .position(|known| known.name == "shift")
        .unwrap();
    let shift = ParameterId::new(shift);
    let mut known = Overrides::new();
    known.set(Target::Parameter(shift), None, vec![0.0]);
    let mut shifted = run(known.clone(), &[(1.0, 5.3), (2.0, -6.9)]);
    let covariate = super::super::data::CovariateElement {
        parameter: shift,
        element: None,
    };
    shifted.data.varying = vec![(covariate, vec![5.0, -7.0])];
    let value = |run: FitRun| {
        let found = likelihood(text, &["theta"], vec![run], &world);
        let found = found.filtering(NoiseFrom::Model, Start::Given).unwrap();
        found.evaluate(&[1.0], Wanted::Value).unwrap().value
    };
    let plain = FitRun {
        own: Own::of(known),
        ..plain
    };
    assert!((value(shifted) - value(plain)).abs() < 1e-12);
}

/// Reactions have noise of their own when it is asked for: immigration and death, whose stationary
/// distribution has mean and variance alpha/mu.
#[test]
fn reactions_without_declared_noise() {
    let world = SystemWorld::default();
    let text = "param alpha = 10, mu = 0.5
species X = 3
make: 0 -> X, alpha
lose: X -> 0, mu
observe y ~ normal(X, 1.5)";
    let objective = |noise| {
        let runs = vec![run(Overrides::new(), &[(0.0, 22.0), (1.0, 19.0)])];
        let found = likelihood(text, &["alpha", "mu"], runs, &world);
        found.filtering(noise, Start::Stationary)
    };
    let refused = objective(NoiseFrom::Model).err();
    assert_eq!(refused, Some(Unfit::Model(Unfiltered::NoNoise)));
    let found = objective(NoiseFrom::Reactions).unwrap();
    assert_eq!(
        found.filters.as_ref().unwrap().equations.route,
        Route::LinearNoise
    );
    let pass = found.filtered(0, &[10.0, 0.5], Wanted::Value).unwrap();
    assert!((pass.predicted[0].before.covariance[0] - 20.0).abs() < 1e-9);
    check(&found, &[10.0, 0.5]);
}

#[test]
fn only_densities_that_jump_are_refused() {
    let world = SystemWorld::default();
    let text = "wiener W\nparam m = 1\nstate x = 1\nx' = -x + W'\nobserve y ~ ";
    let refused = |observed: &str, datum: Datum| {
        let mut run = run(Overrides::new(), &[(1.0, 2.0)]);
        run.data.points[0].datum = datum;
        let found = likelihood(&format!("{text}{observed}"), &["m"], vec![run], &world);
        found.filtering(NoiseFrom::Model, Start::Given).err()
    };
    let uniform = Unfit::Family {
        seen: 0,
        family: Family::Uniform,
    };
    assert_eq!(refused("uniform(0, x)", Datum::Exactly(2.0)), Some(uniform));
    assert_eq!(refused("poisson(exp(x))", Datum::Exactly(2.0)), None);
    assert_eq!(refused("normal(x, 1)", Datum::Below(2.0)), None);
    assert_eq!(refused("lognormal(x, 1)", Datum::Exactly(2.0)), None);
}
