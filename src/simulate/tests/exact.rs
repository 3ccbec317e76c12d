//! Problems with exact solutions.

use super::problems::*;
use super::{GENERAL, largest_difference, run};
use crate::simulate::{Method, Output, Stop, Tolerances, integrate};
use std::f64::consts::PI;

const RELATIVE: [f64; 4] = [1e-4, 1e-6, 1e-8, 1e-10];

/// The linear chain of first-order decays from the first species, the last being stable
/// (Bateman, Proc. Camb. Phil. Soc. 15 (1910) 423-427).
fn bateman(k: &[f64], t: f64) -> Vec<f64> {
    let member = |m: usize| {
        let product: f64 = k[..m].iter().product();
        let terms = (0..=m).map(|i| {
            let others = (0..=m).filter(|j| *j != i);
            (-k[i] * t).exp() / others.map(|j| k[j] - k[i]).product::<f64>()
        });
        product * terms.sum::<f64>()
    };
    let mut values: Vec<f64> = (0..k.len()).map(member).collect();
    values.push(1.0 - values.iter().sum::<f64>());
    values
}

fn decay_chain(k: &[f64]) -> Closures {
    let reaction = |(i, k): (usize, &f64)| (*k, vec![i], vec![(i, -1.0), (i + 1, 1.0)]);
    mass_action(k.len() + 1, k.iter().enumerate().map(reaction).collect())
}

fn logistic() -> Closures {
    Closures::new(
        1,
        |_, y, dy| dy[0] = y[0] * (1.0 - y[0]),
        |_, y, add| add(0, 0, 1.0 - 2.0 * y[0]),
    )
}

/// The errors at the four tolerances, each at most `times` its tolerance and falling with it.
fn check_errors(label: &str, method: Method, times: [f64; 4], error: impl Fn(f64) -> f64) {
    let mut previous = f64::INFINITY;
    for (relative, times) in RELATIVE.into_iter().zip(times) {
        if times == 0.0 {
            continue;
        }
        let error = error(relative);
        assert!(
            error <= times * relative,
            "{label}, {method}, {relative:e}: {error:e}"
        );
        assert!(
            error < 0.2 * previous,
            "{label}, {method}: {error:e} after {previous:e}"
        );
        previous = error;
    }
}

#[test]
fn decay_chains_are_within_100_tolerances() {
    let k = [1.0, 0.5, 0.25, 0.1];
    let exact = bateman(&k, 10.0);
    let chain = decay_chain(&k);
    for method in GENERAL {
        check_errors("decay chain", method, [100.0; 4], |relative| {
            let start = [1.0, 0.0, 0.0, 0.0, 0.0];
            let tolerances = (relative, 0.01 * relative);
            let solution = run(&chain, method, (0.0, 10.0), &start, tolerances);
            largest_difference(solution.last().unwrap().1, &exact)
        });
    }
}

#[test]
fn logistic_growth_is_within_100_tolerances() {
    let exact = 1.0 / (1.0 + 99.0 * (-5.0_f64).exp());
    for method in GENERAL {
        check_errors("logistic growth", method, [100.0; 4], |relative| {
            let tolerances = (relative, 1e-4 * relative);
            let solution = run(&logistic(), method, (0.0, 5.0), &[0.01], tolerances);
            (solution.last().unwrap().1[0] - exact).abs()
        });
    }
}

/// Over 100 periods the local errors of thousands of steps add up: a method of low order, which
/// takes the most steps, ends the furthest from its tolerance.
#[test]
fn a_hundred_periods_of_an_oscillator() {
    let oscillator = oscillator();
    let limits = [
        (Method::Auto, [100.0, 100.0, 100.0, 100.0]),
        (Method::Tsit5, [100.0, 100.0, 100.0, 100.0]),
        (Method::Rodas, [100.0, 100.0, 100.0, 100.0]),
        (Method::Tsit45, [100.0, 100.0, 100.0, 100.0]),
        (Method::Bdf, [100.0, 100.0, 150.0, 500.0]),
        (Method::Esdirk34, [1e3, 3e3, 5e3, 0.0]),
        (Method::TrBdf2, [2e3, 1e4, 0.0, 0.0]),
    ];
    for (method, times) in limits {
        check_errors("oscillator", method, times, |relative| {
            let range = (0.0, 200.0 * PI);
            let tolerances = (relative, 1e-3 * relative);
            let solution = run(&oscillator, method, range, &[1.0, 0.0], tolerances);
            largest_difference(solution.last().unwrap().1, &[1.0, 0.0])
        });
    }
}

/// Values inside steps err no more than a few times as much as those at steps.
#[test]
fn interpolants_keep_the_accuracy() {
    let oscillator = oscillator();
    let times: Vec<f64> = (0..=1000).map(|i| 0.02 * f64::from(i)).collect();
    for method in GENERAL {
        for relative in [1e-4, 1e-7] {
            let options = super::options(method, relative, 1e-3 * relative, 2);
            let both = |output| {
                let solution = integrate(
                    &oscillator,
                    0.0,
                    &[1.0, 0.0],
                    20.0,
                    &output,
                    &options,
                    &mut (),
                );
                let rows = 0..solution.times.len();
                let errors = rows.map(|r| {
                    let t = solution.times[r];
                    largest_difference(solution.row(r).unwrap(), &[t.cos(), -t.sin()])
                });
                errors.fold(0.0, f64::max)
            };
            let at_steps = both(Output::Steps { interior: 0 });
            let inside = both(Output::Times(times.clone()));
            assert!(
                inside < 5.0 * at_steps,
                "{method}: {inside:e} and {at_steps:e}"
            );
        }
    }
}

/// Robertson's kinetics to 1e11: mass is conserved; the last value is Hindmarsh's (LSODE, 1980),
/// also in Hairer & Wanner II, section IV.10: y1 = 0.2083340149701255e-7.
#[test]
fn robertson_to_1e11() {
    let range = (0.0, 1e11);
    for (method, relative) in [
        (Method::Bdf, 1e-6),
        (Method::Auto, 1e-6),
        (Method::Bdf, 1e-8),
        (Method::Rodas, 1e-6),
        (Method::Rodas, 1e-8),
    ] {
        let tolerances = Tolerances {
            relative,
            absolute: vec![1e-4 * relative, 1e-10 * relative, 1e-4 * relative],
        };
        let options = crate::simulate::Options::new(tolerances).with_method(method);
        let output = Output::Steps { interior: 2 };
        let start = [1.0, 0.0, 0.0];
        let solution = integrate(
            &robertson(),
            range.0,
            &start,
            range.1,
            &output,
            &options,
            &mut (),
        );
        assert_eq!(solution.stop, Stop::Finished);
        for row in 0..solution.times.len() {
            let sum: f64 = solution.row(row).unwrap().iter().sum();
            assert!((sum - 1.0).abs() < 10.0 * relative, "{method}: {sum}");
        }
        let last = solution.last().unwrap().1[0];
        let error = (last / 0.2083340149701255e-7 - 1.0).abs();
        assert!(error < 1e3 * relative, "{method}: {error:e}");
    }
}

/// Sums that mass-action kinetics conserve are conserved by every linear method up to rounding
/// and Newton's tolerance.
#[test]
fn linear_invariants_are_kept() {
    // E + S <-> C -> E + P: e + c and s + c + p are constant.
    let enzyme = mass_action(
        4,
        vec![
            (10.0, vec![0, 1], vec![(0, -1.0), (1, -1.0), (2, 1.0)]),
            (1.0, vec![2], vec![(0, 1.0), (1, 1.0), (2, -1.0)]),
            (5.0, vec![2], vec![(0, 1.0), (2, -1.0), (3, 1.0)]),
        ],
    );
    for method in GENERAL {
        let options = super::options(method, 1e-6, 1e-9, 4);
        let output = Output::Steps { interior: 3 };
        let start = [0.1, 2.0, 0.0, 0.0];
        let solution = integrate(&enzyme, 0.0, &start, 50.0, &output, &options, &mut ());
        assert_eq!(solution.stop, Stop::Finished);
        for row in 0..solution.times.len() {
            let y = solution.row(row).unwrap();
            assert!((y[0] + y[2] - 0.1).abs() < 1e-12, "{method}: {y:?}");
            assert!((y[1] + y[2] + y[3] - 2.0).abs() < 1e-12, "{method}: {y:?}");
        }
    }
}
