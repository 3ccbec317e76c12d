//! Constraints of index 1: consistent beginnings, and runs.

use super::problems::*;
use super::{largest_difference, options, run};
use crate::simulate::{Invalid, Method, Output, Stop, integrate};

/// Robertson's kinetics with a constraint agree with those without, from whatever beginning of the
/// algebraic state.
#[test]
fn robertson_with_the_conservation_of_mass() {
    let tolerances = (1e-9, 1e-13);
    let expected = run(
        &robertson(),
        Method::Rodas,
        (0.0, 40.0),
        &[1.0, 0.0, 0.0],
        tolerances,
    );
    for method in [Method::Rodas, Method::Auto] {
        for begin in [0.0, 0.7] {
            let start = [1.0, 0.0, begin];
            let found = run(
                &constrained_robertson(),
                method,
                (0.0, 40.0),
                &start,
                tolerances,
            );
            assert_eq!(found.stop, Stop::Finished);
            assert_eq!(found.methods[0].method, Method::Rodas);
            let (found, expected) = (found.last().unwrap().1, expected.last().unwrap().1);
            assert!(
                largest_difference(found, expected) < 1e-8,
                "{found:?} {expected:?}"
            );
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            // y1(40) of the example programs of LSODE and CVODE: 7.158e-1.
            assert!((found[0] - 0.7158).abs() < 5e-5);
        }
    }
}

#[test]
fn other_methods_refuse_constraints() {
    for method in Method::ALL {
        let start = [1.0, 0.0, 0.0];
        let found = run(
            &constrained_robertson(),
            method,
            (0.0, 1.0),
            &start,
            (1e-6, 1e-9),
        );
        if method.solves_constraints() {
            assert_eq!(found.stop, Stop::Finished);
        } else {
            assert_eq!(found.stop, Stop::Invalid(Invalid::Constraints { method }));
        }
    }
}

/// y' = -y, and 0 = residual(y, z).
fn decay_with(
    residual: fn(f64, f64) -> f64,
    by_y: fn(f64, f64) -> f64,
    by_z: fn(f64, f64) -> f64,
) -> Closures {
    let system = Closures::new(
        2,
        move |_, y, dy| {
            dy[0] = -y[0];
            dy[1] = residual(y[0], y[1]);
        },
        move |_, y, add| {
            add(0, 0, -1.0);
            add(1, 0, by_y(y[0], y[1]));
            add(1, 1, by_z(y[0], y[1]));
        },
    );
    system.constrained(vec![false, true])
}

/// The root that is found starts from a rough guess; the first row has it.
#[test]
fn a_nonlinear_constraint_is_satisfied_at_the_start_and_after() {
    let system = decay_with(|y, z| z.exp() + z - y, |_, _| -1.0, |_, z| z.exp() + 1.0);
    let options = options(Method::Auto, 1e-8, 1e-10, 2);
    let output = Output::Steps { interior: 0 };
    let solution = integrate(&system, 0.0, &[5.0, -20.0], 3.0, &output, &options, &mut ());
    assert_eq!(solution.stop, Stop::Finished);
    for row in 0..solution.times.len() {
        let [y, z] = solution.row(row).unwrap() else {
            panic!("two states");
        };
        assert!((z.exp() + z - y).abs() < 1e-6, "{row}: {y} {z}");
    }
}

#[test]
fn constraints_without_a_solution_are_said() {
    let never = decay_with(|_, z| z * z + 1.0, |_, _| 0.0, |_, z| 2.0 * z);
    let solution = run(&never, Method::Auto, (0.0, 1.0), &[1.0, 1.0], (1e-6, 1e-9));
    let Stop::Inconsistent {
        time, residuals, ..
    } = solution.stop
    else {
        panic!("{:?}", solution.stop);
    };
    assert_eq!((time, residuals.len(), residuals[0].0), (0.0, 1, 1));
    assert!(residuals[0].1 > 0.9);
    let undetermined = decay_with(|y, _| y - 2.0, |_, _| 1.0, |_, _| 0.0);
    let solution = run(
        &undetermined,
        Method::Auto,
        (0.0, 1.0),
        &[1.0, 1.0],
        (1e-6, 1e-9),
    );
    let expected = Stop::Inconsistent {
        time: 0.0,
        residuals: vec![(1, -1.0)],
        singular: true,
    };
    assert_eq!(solution.stop, expected);
}
