//! Published solutions of the IVP test set, and the work they take.

use super::problems::*;
use super::run;
use crate::simulate::{Dynamics, Method, Statistics, Stop};

/// Checks the largest relative error at the end of a problem of the reference file.
fn check(name: &str, system: &dyn Dynamics, methods: &[Method], limits: &[(f64, f64, f64)]) {
    let Some(problem) = reference(name) else {
        eprintln!("{name} is skipped: there is no shared data folder");
        return;
    };
    for &(relative, absolute, limit) in limits {
        for &method in methods {
            let range = (problem.start, problem.end);
            let tolerances = (relative, absolute);
            let solution = run(system, method, range, &problem.initial, tolerances);
            assert_eq!(solution.stop, Stop::Finished);
            let error = relative_error(solution.last().unwrap().1, &problem.values);
            assert!(error < limit, "{name}, {method}, {relative:e}: {error:e}");
        }
    }
}

const STIFF: [Method; 3] = [Method::Bdf, Method::Rodas, Method::Auto];
const STIFF_LIMITS: [(f64, f64, f64); 4] = [
    (1e-6, 1e-10, 5e-5),
    (1e-6, 1e-12, 5e-5),
    (1e-10, 1e-12, 5e-8),
    (1e-10, 1e-14, 2e-8),
];

#[test]
fn van_der_pol_meets_the_published_solution() {
    check("VDPOL", &van_der_pol(1000.0), &STIFF, &STIFF_LIMITS);
}

#[test]
fn the_oregonator_meets_the_published_solution() {
    check("OREGO", &oregonator(), &STIFF, &STIFF_LIMITS);
}

#[test]
fn air_pollution_meets_the_published_solution() {
    check("POLLU", &pollu(), &STIFF, &STIFF_LIMITS);
}

#[test]
fn the_pleiades_meet_the_published_solution() {
    let methods = [Method::Tsit45, Method::Tsit5, Method::Auto];
    let limits = [(1e-6, 1e-10, 1e-3), (1e-10, 1e-14, 1e-7)];
    check("PLEIADES", &pleiades(), &methods, &limits);
}

/// The work of some runs, so that a silent slow-down fails a test.
#[test]
fn work_is_as_it_was() {
    let work = |system: &dyn Dynamics, method, end, start: &[f64]| {
        let solution = run(system, method, (0.0, end), start, (1e-6, 1e-9));
        assert_eq!(solution.stop, Stop::Finished);
        let Statistics {
            steps,
            rejected,
            evaluations,
            jacobians,
            factorisations,
            clamped: _,
        } = solution.statistics;
        format!("{steps} {rejected} {evaluations} {jacobians} {factorisations}")
    };
    let mut pollution = [0.0; 20];
    for (i, y) in [
        (1, 0.2),
        (3, 0.04),
        (6, 0.1),
        (7, 0.3),
        (8, 0.01),
        (16, 0.007),
    ] {
        pollution[i] = y;
    }
    let hires_start = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057];
    let volterra = lotka_volterra();
    insta::assert_snapshot!(work(&hires(), Method::Bdf, 321.8122, &hires_start), @"426 13 1006 11 54");
    insta::assert_snapshot!(work(&hires(), Method::Rodas, 321.8122, &hires_start), @"149 17 1314 149 166");
    insta::assert_snapshot!(work(&pollu(), Method::Auto, 60.0, &pollution), @"40 0 323 42 40");
    insta::assert_snapshot!(work(&volterra, Method::Auto, 1000.0, &[10.0, 5.0]), @"3620 0 21723 1 0");
    insta::assert_snapshot!(work(&volterra, Method::Tsit5, 1000.0, &[10.0, 5.0]), @"3620 0 21723 0 0");
    insta::assert_snapshot!(work(&robertson(), Method::Rodas, 1e4, &[1.0, 0.0, 0.0]), @"67 2 553 67 69");
    insta::assert_snapshot!(work(&robertson(), Method::Esdirk34, 1e4, &[1.0, 0.0, 0.0]), @"216 7 2544 7 34");
}
