use super::*;
use crate::fit::trials::Value;
use std::sync::atomic::{AtomicUsize, Ordering};

const FREE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

fn run(
    objective: &dyn Objective,
    bounds: &[(f64, f64)],
    around: &[f64],
    options: &PosteriorOptions,
    threads: usize,
) -> Posterior {
    let starts = Starts {
        around,
        spread: Spread::Relative(0.5),
    };
    let watch = Watch {
        threads,
        interrupted: &|| false,
        progress: &|_| {},
    };
    sample(objective, bounds, &starts, options, &watch)
}

fn options(draws: usize) -> PosteriorOptions {
    PosteriorOptions {
        draws,
        warm_up: 500,
        seed: 3,
        ..PosteriorOptions::default()
    }
}

/// Mean 1, 2, ..., 5; standard deviation 1, 1/2, ..., 1/5; correlations 0.8 to the distance: the
/// precision of this autoregressive correlation is tridiagonal.
fn correlated(x: &[f64]) -> Option<(f64, Vec<f64>)> {
    let rho = 0.8;
    let number = |i: usize| crate::fit::summary::count(i + 1);
    let y: Vec<f64> = (0..5).map(|i| (x[i] - number(i)) * number(i)).collect();
    let mut gradient = vec![0.0; 5];
    for i in 0..5 {
        let inner = if i == 0 || i == 4 {
            1.0
        } else {
            1.0 + rho * rho
        };
        let mut sum = inner * y[i];
        if i > 0 {
            sum -= rho * y[i - 1];
        }
        if i < 4 {
            sum -= rho * y[i + 1];
        }
        gradient[i] = sum / (1.0 - rho * rho);
    }
    let value = y.iter().zip(&gradient).map(|(y, g)| y * g).sum::<f64>() / 2.0;
    for (i, g) in gradient.iter_mut().enumerate() {
        *g *= number(i);
    }
    Some((value, gradient))
}

#[test]
fn a_correlated_normal_is_recovered_on_any_number_of_threads() {
    let objective = Value {
        dimension: 5,
        value: correlated,
    };
    for metric in [Metric::Diagonal, Metric::LowRank] {
        let options = PosteriorOptions {
            metric,
            ..options(1000)
        };
        let found = run(&objective, &[FREE; 5], &[1.0; 5], &options, 1);
        assert_eq!(found, run(&objective, &[FREE; 5], &[1.0; 5], &options, 3));
        for i in 0..5 {
            let marginal = found.marginal(i);
            let number = crate::fit::summary::count(i + 1);
            assert!((marginal.mean - number).abs() < 4.0 * marginal.mean_error);
            // The error of a standard deviation is sd / sqrt(2 n).
            let error = 4.0 / (2.0 * marginal.bulk_size).sqrt();
            assert!(
                (marginal.sd * number - 1.0).abs() < 1.5 * error,
                "{marginal:?}"
            );
            assert!(marginal.rhat < 1.02, "{marginal:?}");
        }
        let chain = &found.chains[0];
        assert_eq!((chain.draws.len(), &chain.end), (1000, &ChainEnd::Finished));
        assert_eq!((found.divergences(), chain.saturated), (0, 0));
        assert!(
            (chain.acceptance - 0.8).abs() < 0.12,
            "{}",
            chain.acceptance
        );
        for (draw, log) in chain.draws.iter().zip(&chain.log_density) {
            let (value, _) = correlated(draw).unwrap();
            assert!((value + log).abs() < 1e-9 * (1.0 + value.abs()));
        }
    }
}

#[test]
fn bounded_parameters_keep_their_distributions() {
    // A half-normal: mean sqrt(2/pi), variance 1 - 2/pi. Exponential with mean 1 below 3: mirrored.
    // Uniform between -1 and 2: mean 1/2, variance 9/12. One is held.
    let objective = Value {
        dimension: 4,
        value: |x: &[f64]| {
            let value = x[0] * x[0] / 2.0 + (3.0 - x[1]);
            (x[0] >= 0.0 && x[1] <= 3.0).then(|| (value, vec![x[0], -1.0, 0.0, 7.0]))
        },
    };
    let bounds = [
        (0.0, f64::INFINITY),
        (f64::NEG_INFINITY, 3.0),
        (-1.0, 2.0),
        (4.0, 4.0),
    ];
    let found = run(
        &objective,
        &bounds,
        &[1.0, 2.0, 0.0, 4.0],
        &options(2000),
        2,
    );
    let pi = std::f64::consts::PI;
    let exact = [
        ((2.0 / pi).sqrt(), (1.0 - 2.0 / pi).sqrt()),
        (2.0, 1.0),
        (0.5, 0.75_f64.sqrt()),
    ];
    for (i, (mean, sd)) in exact.into_iter().enumerate() {
        let marginal = found.marginal(i);
        assert!(
            (marginal.mean - mean).abs() < 4.0 * marginal.mean_error,
            "{i} {marginal:?}"
        );
        // The error of the standard deviation of an exponential is sd sqrt(2 / n).
        let error = (2.0 / marginal.tail_size).sqrt();
        assert!(
            (marginal.sd / sd - 1.0).abs() < 4.0 * error,
            "{i} {marginal:?}"
        );
        assert!(marginal.rhat < 1.02);
    }
    assert!(found.of(3).concat().iter().all(|x| *x == 4.0));
}

/// R. Neal's funnel (Ann. Stat. 31, 705, 2003): x normal with standard deviation exp(v/2), v with 3.
fn funnel(x: &[f64]) -> Option<(f64, Vec<f64>)> {
    let v = x[0];
    let squares: f64 = x[1..].iter().map(|x| x * x).sum();
    let n = crate::fit::summary::count(x.len() - 1);
    let precision = (-v).exp();
    let value = v * v / 18.0 + n * v / 2.0 + precision * squares / 2.0;
    let mut gradient = vec![v / 9.0 + n / 2.0 - precision * squares / 2.0];
    gradient.extend(x[1..].iter().map(|x| precision * x));
    Some((value, gradient))
}

#[test]
fn a_funnel_diverges_and_says_so() {
    let objective = Value {
        dimension: 10,
        value: funnel,
    };
    // Steps that are long for the neck.
    let options = PosteriorOptions {
        target_acceptance: 0.5,
        ..options(500)
    };
    let found = run(&objective, &[FREE; 10], &[1.0; 10], &options, 2);
    assert!(found.divergences() > 0);
    assert!(found.chains.iter().all(|chain| chain.draws.len() == 500));
}

#[test]
fn faults_are_divergences_and_without_a_start_there_are_no_draws() {
    // A normal cut off at 1 by a fault instead of a bound.
    let objective = Value {
        dimension: 1,
        value: |x: &[f64]| (x[0] < 1.0).then(|| (x[0] * x[0] / 2.0, vec![x[0]])),
    };
    let found = run(&objective, &[FREE], &[0.1], &options(200), 2);
    assert!(found.divergences() > 0);
    assert!(found.of(0).concat().iter().all(|x| *x < 1.0));
    let found = run(&objective, &[FREE], &[5.0], &options(200), 2);
    let end = ChainEnd::NoStart(Some(Fault::NoPrior { parameter: 0 }));
    assert!(
        found
            .chains
            .iter()
            .all(|chain| chain.end == end && chain.draws.is_empty())
    );
}

#[test]
fn an_interrupt_keeps_the_draws_that_are_done() {
    let objective = Value {
        dimension: 1,
        value: |x: &[f64]| Some((x[0] * x[0] / 2.0, vec![x[0]])),
    };
    let told = AtomicUsize::new(0);
    let starts = Starts {
        around: &[0.0],
        spread: Spread::Factor(&[1.0]),
    };
    let watch = Watch {
        threads: 1,
        interrupted: &|| told.load(Ordering::Relaxed) >= 520,
        progress: &|_| {
            told.fetch_add(1, Ordering::Relaxed);
        },
    };
    let found = sample(&objective, &[FREE], &starts, &options(100), &watch);
    assert_eq!(found.chains[0].draws.len(), 20);
    assert!(
        found
            .chains
            .iter()
            .all(|chain| chain.end == ChainEnd::Interrupted)
    );
    assert!(found.chains[1].draws.is_empty());
}

#[test]
fn without_free_parameters_nothing_is_drawn_and_the_objective_may_interrupt() {
    let objective = Value {
        dimension: 1,
        value: |x: &[f64]| Some((x[0], vec![1.0])),
    };
    let found = run(&objective, &[(1.0, 1.0)], &[1.0], &options(10), 1);
    assert!(
        found
            .chains
            .iter()
            .all(|chain| chain.end == ChainEnd::Failed)
    );

    struct Interrupting(AtomicUsize);
    impl Objective for Interrupting {
        fn dimension(&self) -> usize {
            1
        }
        fn evaluate(
            &self,
            at: &[f64],
            _: crate::fit::Wanted,
        ) -> Result<crate::fit::Evaluation, Fault> {
            if self.0.fetch_add(1, Ordering::Relaxed) > 4000 {
                return Err(Fault::Interrupted);
            }
            Ok(crate::fit::Evaluation {
                value: at[0] * at[0] / 2.0,
                gradient: vec![at[0]],
                ..crate::fit::Evaluation::default()
            })
        }
    }
    let objective = Interrupting(AtomicUsize::new(0));
    let found = run(&objective, &[FREE], &[1.0], &options(10_000), 1);
    assert!(!found.chains[0].draws.is_empty());
    assert!(
        found
            .chains
            .iter()
            .all(|chain| chain.end == ChainEnd::Interrupted)
    );
}
