//! Published solutions of the IVP test set.

use super::problems::*;
use super::run;
use crate::simulate::{Dynamics, Method};

/// Runs a problem of the reference file and returns its largest relative error.
fn error(
    name: &str,
    system: &dyn Dynamics,
    method: Method,
    relative: f64,
    absolute: f64,
) -> Option<f64> {
    let Some(problem) = reference(name) else {
        eprintln!("skipped: no shared data");
        return None;
    };
    let range = (problem.start, problem.end);
    let began = std::time::Instant::now();
    let solution = run(
        system,
        method,
        range,
        &problem.initial,
        (relative, absolute),
    );
    let error = match solution.last() {
        Some((_, state)) => relative_error(state, &problem.values),
        None => f64::NAN,
    };
    println!(
        "{name:9}{method:9} {relative:e} {absolute:e} error {error:.2e} {:?} {:?} {:?} {}",
        solution.statistics,
        began.elapsed(),
        solution.stop,
        solution
            .methods
            .iter()
            .map(|m| format!("{}@{:.3e} {:?}", m.method, m.from, m.why))
            .collect::<Vec<_>>()
            .join(", ")
    );
    Some(error)
}

#[test]
fn survey() {
    for (rtol, atol) in [(1e-6, 1e-10), (1e-6, 1e-12), (1e-10, 1e-12), (1e-10, 1e-14)] {
        for method in [Method::Bdf, Method::Auto] {
            error("VDPOL", &van_der_pol(1000.0), method, rtol, atol);
            error("OREGO", &oregonator(), method, rtol, atol);
            error("POLLU", &pollu(), method, rtol, atol);
        }
        for method in [Method::Bdf, Method::Tsit45, Method::Auto] {
            error("PLEIADES", &pleiades(), method, rtol, atol);
        }
    }
}
