//! Steady states against closed forms, through models of text.

use super::{NotFound, Question, Reached, Restless, Stability, SteadyState, steady};
use crate::kernel::Kernels;
use crate::model::Model;
use crate::simulate::{CompiledDynamics, Tolerances};
use crate::system;
use std::sync::Arc;

/// Looks for a steady state of the equations of a text, from its initial values; no laws given.
fn solve(text: &str, start: &[f64], absolute: &[f64]) -> Result<SteadyState, NotFound> {
    let system = Arc::new(system::derive(&Model::of_text(text)));
    let kernels = Kernels::new(Arc::clone(&system));
    let dynamics = CompiledDynamics::new(&system, &kernels, Vec::new());
    steady(&Question {
        dynamics: &dynamics,
        time: 0.0,
        state: start,
        tolerances: &Tolerances {
            relative: 1e-6,
            absolute: absolute.to_vec(),
        },
        laws: &[],
        non_negative: &vec![false; start.len()],
        follows: true,
        interrupted: &|| false,
    })
}

fn close(found: &[f64], exact: &[f64]) {
    assert_eq!(found.len(), exact.len());
    for (found, exact) in found.iter().zip(exact) {
        let error = (found - exact).abs();
        assert!(error <= 1e-12 * (1.0 + exact.abs()), "{found} for {exact}");
    }
}

const GRIFFITH: &str = "state x = 0, y = 0\nx' = -x + y\ny' = x^2/(1 + x^2) - 0.4*y";

/// Griffith's switch with a = 1, b = 0.4: rest at 0, 0.5 and 2, the middle one a saddle. (Strogatz,
/// Nonlinear Dynamics and Chaos, 1994, example 8.1.1.) Which of the stable ones is reached depends
/// on the start.
#[test]
fn a_switch_goes_to_the_state_of_its_basin() {
    for (start, exact) in [
        ([2.0, 0.1], 2.0),
        ([0.49, 0.49], 0.0),
        ([0.51, 0.51], 2.0),
        ([0.3, 0.1], 0.0),
        ([9.0, 9.0], 2.0),
    ] {
        let found = solve(GRIFFITH, &start, &[1e-9; 2]).expect("settles");
        close(&found.state, &[exact, exact]);
        assert!(matches!(found.reached, Reached::After(_)), "{found:?}");
        assert!(
            matches!(found.stability, Stability::Attracts(_)),
            "{found:?}"
        );
    }
    // On the saddle itself the system stays.
    let found = solve(GRIFFITH, &[0.5, 0.5], &[1e-9; 2]).expect("rests");
    assert_eq!(found.reached, Reached::Present);
    assert!(matches!(found.stability, Stability::Repels(_)), "{found:?}");
}

/// Eigenvalues at (2, 2): trace -1.4, determinant 0.4 - 2x/(1 + x^2)^2 = 0.24.
#[test]
fn the_leading_eigenvalue_is_that_of_the_jacobian() {
    let found = solve(GRIFFITH, &[2.0, 0.1], &[1e-9; 2]).expect("settles");
    let exact = -0.7 + (0.49f64 - 0.24).sqrt();
    let Stability::Attracts(leading) = found.stability else {
        panic!("{found:?}");
    };
    assert!((leading.real - exact).abs() < 1e-12 && leading.imaginary == 0.0);
}

/// A closed cycle as plain equations: E + S <-> C -> E + P, P -> S. Two sums are hidden in it, and
/// both are kept. With S = s: c = e0 s/(km + s), km = (koff + kcat)/kon, kcat c = kback p.
#[test]
fn hidden_sums_are_found_and_kept() {
    let text = "state E = 0.1, S = 1, C = 0, P = 0
        E' = -5*E*S + (2 + 3)*C
        S' = -5*E*S + 2*C + 0.4*P
        C' = 5*E*S - (2 + 3)*C
        P' = 3*C - 0.4*P";
    let found = solve(text, &[0.1, 1.0, 0.0, 0.0], &[1e-9; 4]).expect("settles");
    assert_eq!(found.kept, (0, 2));
    let [e, s, c, p] = found.state[..] else {
        panic!("four states");
    };
    assert!((e + c - 0.1).abs() < 1e-15 && (s + c + p - 1.0).abs() < 1e-15);
    // km = 1: s + c (1 + 7.5) = 1 with c = 0.1 s/(1 + s), so s^2 + 0.85 s - 1 = 0.
    let exact = -0.425 + (0.425f64 * 0.425 + 1.0).sqrt();
    close(
        &[s, c, p],
        &[
            exact,
            0.1 * exact / (1.0 + exact),
            0.75 * exact / (1.0 + exact),
        ],
    );
}

/// A slow decay beside a fast one is no conserved sum.
#[test]
fn what_changes_slowly_is_not_taken_for_constant() {
    let text = "state x = 1, y = 1, z = 3\nx' = -1e7*x\ny' = 1e-6*(2 - y)\nz' = 0";
    let found = solve(text, &[1.0, 1.0, 3.0], &[1e-9; 3]).expect("settles");
    assert_eq!(found.kept, (0, 1), "only z stays");
    close(&found.state, &[0.0, 2.0, 3.0]);
}

/// Brusselator with A = 1, B = 3 > 1 + A^2: the rest (1, 3) is unstable with eigenvalues
/// 0.5 +- 0.866i, the system goes to a cycle. Lotka-Volterra: closed orbits around the rest.
#[test]
fn what_swings_is_not_said_to_rest() {
    let brusselator = "state x = 1.5, y = 3\nx' = 1 + x^2*y - 4*x\ny' = 3*x - x^2*y";
    let found = solve(brusselator, &[1.5, 3.0], &[1e-9; 2]).expect("a rest near by");
    close(&found.state, &[1.0, 3.0]);
    let Reached::Not(Restless::Swings { period, .. }) = found.reached else {
        panic!("{found:?}");
    };
    // Period by a run with rtol 1e-12.
    assert!((period - 7.157).abs() < 0.01, "{period}");
    let Stability::Repels(leading) = found.stability else {
        panic!("{:?}", found.stability);
    };
    assert!((leading.real - 0.5).abs() < 1e-12);
    assert!((leading.imaginary - 0.75f64.sqrt()).abs() < 1e-12);

    let prey = "state x = 10, y = 10\nx' = 1.1*x - 0.4*x*y\ny' = 0.1*x*y - 0.4*y";
    let found = solve(prey, &[10.0, 10.0], &[1e-8; 2]).expect("a rest near by");
    close(&found.state, &[4.0, 2.75]);
    assert!(
        matches!(found.reached, Reached::Not(Restless::Swings { .. })),
        "{found:?}"
    );
}

#[test]
fn what_grows_has_no_rest() {
    let line = solve("state x = 0\nx' = 1", &[0.0], &[1e-9]);
    assert!(
        matches!(line, Err(NotFound::Restless(Restless::Moves { rate, .. })) if rate == 1.0),
        "{line:?}"
    );
    // x' = 1 + x^2 has no real root and ends at t = pi/2.
    let pole = solve("state x = 0\nx' = 1 + x^2", &[0.0], &[1e-9]);
    let Err(NotFound::Restless(Restless::Stopped { time, .. })) = pole else {
        panic!("{pole:?}");
    };
    assert!((time - std::f64::consts::FRAC_PI_2).abs() < 1e-3, "{time}");
    // Exponential growth: zero is a rest, but not the one it goes to.
    let growth = solve("state x = 1\nx' = x", &[1.0], &[1e-9]).expect("zero");
    close(&growth.state, &[0.0]);
    assert!(matches!(
        growth.reached,
        Reached::Not(Restless::Stopped { .. })
    ));
}

/// Robertson's reaction ends as C = 1, which it nears ever more slowly: A = 0 is a double root.
#[test]
fn a_double_root_that_is_neared_slowly() {
    let text = "state A = 1, B = 0, C = 0
        A' = -0.04*A + 1e4*B*C
        B' = 0.04*A - 1e4*B*C - 3e7*B^2
        C' = 3e7*B^2";
    let found = solve(text, &[1.0, 0.0, 0.0], &[1e-10, 1e-14, 1e-10]).expect("settles");
    close(&found.state, &[0.0, 0.0, 1.0]);
    assert!(matches!(found.reached, Reached::After(_)), "{found:?}");
    assert_eq!(found.kept, (0, 1));
}
