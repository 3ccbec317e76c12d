//! Choice and change of method.

use super::problems::*;
use super::{options, run};
use crate::simulate::{Method, Output, Stop, SwitchReason, integrate};

#[test]
fn auto_starts_with_the_method_for_the_problem() {
    let methods = |mu, end| {
        let solution = run(
            &van_der_pol(mu),
            Method::Auto,
            (0.0, end),
            &[2.0, 0.0],
            (1e-6, 1e-9),
        );
        assert_eq!(solution.stop, Stop::Finished);
        solution.methods
    };
    let stiff = methods(1000.0, 2000.0);
    assert_eq!(stiff[0].method, Method::Rodas);
    assert!(matches!(stiff[0].why, SwitchReason::StartStability { steps } if steps > 1e6));
    let mild = methods(0.1, 100.0);
    assert_eq!(mild.len(), 1);
    assert_eq!(mild[0].method, Method::Tsit5);
}

#[test]
fn oscillating_problems_stay_explicit() {
    for relative in [1e-3, 1e-6, 1e-10] {
        let tolerances = (relative, 1e-3 * relative);
        let prey = run(
            &lotka_volterra(),
            Method::Auto,
            (0.0, 1000.0),
            &[10.0, 5.0],
            tolerances,
        );
        let swing = run(
            &oscillator(),
            Method::Auto,
            (0.0, 1000.0),
            &[1.0, 0.0],
            tolerances,
        );
        for solution in [prey, swing] {
            assert_eq!(solution.stop, Stop::Finished);
            assert_eq!(solution.methods.len(), 1, "{:?}", solution.methods);
            assert_eq!(solution.methods[0].method, Method::Tsit5);
        }
    }
}

/// A decay towards cos(t) whose rate changes smoothly from `before` to `after` at t = 50.
fn changing(before: f64, after: f64) -> Closures {
    let rate = move |t: f64| before + (after - before) / (1.0 + (-(t - 50.0)).exp());
    Closures::new(
        1,
        move |t, y, dy| dy[0] = -rate(t) * (y[0] - t.cos()) - t.sin(),
        move |t, _, add| add(0, 0, -rate(t)),
    )
}

#[test]
fn auto_changes_its_mind() {
    let with = |system: &Closures| {
        let solution = run(system, Method::Auto, (0.0, 100.0), &[1.0], (1e-6, 1e-9));
        assert_eq!(solution.stop, Stop::Finished);
        // The exact solution is cos(t).
        assert!((solution.states[0] - 100.0_f64.cos()).abs() < 1e-5);
        solution.methods
    };
    let turning_stiff = with(&changing(1.0, 1e5));
    assert_eq!(turning_stiff[0].method, Method::Tsit5);
    assert_eq!(turning_stiff[1].method, Method::Rodas);
    assert!(matches!(
        turning_stiff[1].why,
        SwitchReason::TurnedStiff { .. }
    ));
    assert!(turning_stiff[1].from > 40.0 && turning_stiff[1].from < 60.0);
    let turning_mild = with(&changing(1e5, 1.0));
    assert_eq!(turning_mild[0].method, Method::Rodas);
    assert_eq!(turning_mild[1].method, Method::Tsit5);
    assert!(matches!(
        turning_mild[1].why,
        SwitchReason::TurnedNonstiff { .. }
    ));
    assert!(turning_mild[1].from > 50.0);
}

#[test]
fn a_hopeless_explicit_run_is_stopped_early() {
    let stiff = scalar(|t, y| -1e8 * (y - t.cos()), |_, _| -1e8);
    for explicit in [Method::Tsit5, Method::Tsit45] {
        let solution = run(&stiff, explicit, (0.0, 100.0), &[1.0], (1e-6, 1e-9));
        let Stop::Stiff {
            rate,
            projected,
            method,
            ..
        } = solution.stop
        else {
            panic!("{:?}", solution.stop);
        };
        assert_eq!(method, explicit);
        assert!((rate / 1e8 - 1.0).abs() < 1e-6);
        assert!(projected > 1e9 && solution.statistics.steps < 1000);
    }
}

#[test]
fn a_merely_slow_explicit_run_goes_on() {
    let stiff = scalar(|t, y| -1e3 * (y - t.cos()), |_, _| -1e3);
    let solution = run(&stiff, Method::Tsit5, (0.0, 20.0), &[1.0], (1e-6, 1e-9));
    assert_eq!(solution.stop, Stop::Finished);
    assert!(solution.statistics.steps > 5000);
}

/// With the step cap lowered the same run is hopeless.
#[test]
fn the_step_cap_decides_what_is_hopeless() {
    let stiff = scalar(|t, y| -1e3 * (y - t.cos()), |_, _| -1e3);
    let mut options = options(Method::Tsit5, 1e-6, 1e-9, 1);
    options.max_steps = 2000;
    let output = Output::Times(vec![20.0]);
    let solution = integrate(&stiff, 0.0, &[1.0], 20.0, &output, &options, &mut ());
    assert!(
        matches!(solution.stop, Stop::Stiff { .. }),
        "{:?}",
        solution.stop
    );
}
