//! Paths side by side are the paths made one by one.

use super::*;
use crate::simulate::{Block, LanePaths};

const ORNSTEIN_UHLENBECK: &str = "index axis = {x, y, z}\n\
    param A[axis, axis] = [[-1, -2, 0.5], [2, -1, 0.1], [0, 0.3, -2]]\n\
    param C[axis, axis] = [[0.5, 0.1, 0], [0, 0.4, 0.2], [0.1, 0, 0.3]]\n\
    wiener W[axis]\n\
    state u[axis] = 1\n\
    u' = A*u + C*W'";
/// The Langevin equation of a switch: square roots of what may fall below zero.
const SWITCH: &str = "param a = 1, b = 0.4, size = 100\n\
    wiener V\n wiener W\n\
    state x = 2, y = 0.5\n\
    x' = y - a*x + sqrt(max(y + a*x, 0)/size)*V'\n\
    y' = x^2/(1 + x^2) - b*y + sqrt(max(b*y, 0)/size)*W'";
const TIMES: [f64; 6] = [0.0, 0.3, 0.31, 1.0, 1.25, 2.0];

fn single<'p>(problem: &'p Problem<'p>, case: &'p Case, options: &'p Options) -> SinglePaths<'p> {
    SinglePaths {
        problem,
        range: (0.0, 2.0),
        initial: &case.initial,
        times: &TIMES,
        options,
    }
}

fn both(case: &Case, paths: std::ops::Range<u64>) -> (Block, Block) {
    let (problem, options) = (case.problem(), case.options(0));
    let lanes = LanePaths::new(single(&problem, case, &options)).expect("paths for lanes");
    let alone = single(&problem, case, &options).block(paths.clone(), &|| false);
    (lanes.block(paths, &|| false), alone)
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn the_same_paths_come_out() {
    for (text, method) in [
        (ORNSTEIN_UHLENBECK, Method::EulerMaruyama),
        (ORNSTEIN_UHLENBECK, Method::Sra1),
        (ORNSTEIN_UHLENBECK, Method::ExactTransition),
        (
            "wiener W\nstate x = 1\nx' = 0.3 - x + 0.5*W'",
            Method::ExactTransition,
        ),
        (SWITCH, Method::EulerMaruyama),
        (
            "wiener W\nstate x = 1\nx' = -x + 0.5*x*W'",
            Method::Milstein,
        ),
    ] {
        let case = case(text, method, 0.01);
        let (lanes, alone) = both(&case, 3..90);
        assert_eq!(bits(&lanes.values), bits(&alone.values), "{method}");
        assert_eq!(lanes.methods, alone.methods);
        for (a, b) in lanes.ends.iter().zip(&alone.ends) {
            assert_eq!((a.rows, &a.stop), (b.rows, &b.stop));
            assert_eq!(a.statistics.steps, b.statistics.steps);
        }
        // However they are asked for.
        let (part, _) = both(&case, 50..53);
        let size = TIMES.len() * case.initial.len();
        assert_eq!(part.values, lanes.values[47 * size..50 * size]);
    }
}

#[test]
fn functions_of_our_own_differ_by_rounding() {
    let text = "wiener W\nstate x = 1\nx' = -x + 0.2*exp(-(1 + x^2)^0.7)*W'";
    let (lanes, alone) = both(&case(text, Method::EulerMaruyama, 0.01), 0..20);
    for (a, b) in lanes.values.iter().zip(&alone.values) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn lost_paths_and_states_set_to_zero_are_told_alike() {
    let mut explosive = case(
        "wiener W\nstate x = 1\nx' = x^3 + W'",
        Method::EulerMaruyama,
        0.01,
    );
    let (lanes, alone) = both(&explosive, 0..30);
    assert!(alone.ends.iter().any(|end| end.stop != Stop::Finished));
    assert_eq!(bits(&lanes.values), bits(&alone.values));
    assert_eq!(
        lanes
            .ends
            .iter()
            .map(|end| (end.rows, &end.stop))
            .collect::<Vec<_>>(),
        alone
            .ends
            .iter()
            .map(|end| (end.rows, &end.stop))
            .collect::<Vec<_>>()
    );
    explosive = case(
        "wiener W\nstate x = 0.1\nx' = -x + W'",
        Method::EulerMaruyama,
        0.01,
    );
    explosive.non_negative = true;
    let (lanes, alone) = both(&explosive, 0..30);
    assert_eq!(bits(&lanes.values), bits(&alone.values));
    let clamped = |block: &Block| -> Vec<u64> {
        block
            .ends
            .iter()
            .map(|end| end.statistics.clamped)
            .collect()
    };
    assert_eq!(clamped(&lanes), clamped(&alone));
    assert!(clamped(&lanes)[0] > 0);
}

#[test]
fn an_interrupt_leaves_no_path_finished_that_is_not() {
    let case = case(SWITCH, Method::EulerMaruyama, 0.01);
    let (problem, options) = (case.problem(), case.options(0));
    let lanes = LanePaths::new(single(&problem, &case, &options)).unwrap();
    let block = lanes.block(0..100, &|| true);
    assert_eq!(block.ends.len(), 100);
    assert_eq!(block.values.len(), 100 * TIMES.len() * 2);
    let stopped = |end: &crate::simulate::PathEnd| matches!(end.stop, Stop::Interrupted { .. });
    assert!(block.ends.iter().all(stopped));
}

#[test]
fn what_is_interrupted_goes_one_by_one() {
    let served = |text: &str| {
        let case = case(text, Method::EulerMaruyama, 0.01);
        let (problem, options) = (case.problem(), case.options(0));
        LanePaths::new(single(&problem, &case, &options)).is_some()
    };
    assert!(served("wiener W\nstate x = 1\nx' = -x + W'"));
    assert!(!served("wiener W\nstate x = 1\nx' = -x + W'\nassert x < 9"));
    assert!(!served(
        "wiener W\nstate x = 1\nx' = (if x > 0 then -x else 0) + W'"
    ));
}
