//! Orders of convergence, with steps of fixed length.

use super::problems::Closures;
use super::{largest_difference, options};
use crate::simulate::{Dynamics, Method, Output, Stop, integrate};

/// The largest errors at the steps and inside them, for steps of length 1/`steps` from 0 to 1.
fn errors(
    system: &dyn Dynamics,
    method: Method,
    steps: u32,
    exact: impl Fn(f64) -> Vec<f64>,
) -> (f64, f64) {
    let mut options = options(method, 1e6, 1e6, system.dimension());
    let step = 1.0 / f64::from(steps);
    options.initial_step = Some(step);
    options.max_step = Some(step * (1.0 + 1e-12));
    let output = Output::Steps { interior: 7 };
    let solution = integrate(system, 0.0, &exact(0.0), 1.0, &output, &options, &mut ());
    assert_eq!(solution.stop, Stop::Finished);
    assert_eq!(solution.statistics.steps, u64::from(steps));
    let (mut at_steps, mut inside) = (0.0_f64, 0.0_f64);
    for (row, time) in solution.times.iter().enumerate() {
        let error = largest_difference(solution.row(row).unwrap(), &exact(*time));
        if row % 8 == 0 {
            at_steps = at_steps.max(error);
        } else {
            inside = inside.max(error);
        }
    }
    (at_steps, inside)
}

fn check_orders(
    system: &dyn Dynamics,
    method: Method,
    exact: impl Fn(f64) -> Vec<f64> + Copy,
    (order, inside): (f64, f64),
) {
    let (coarse, fine) = (
        errors(system, method, 10, exact),
        errors(system, method, 40, exact),
    );
    let observed = (
        0.5 * (coarse.0 / fine.0).log2(),
        0.5 * (coarse.1 / fine.1).log2(),
    );
    assert!(
        observed.0 > order - 0.4 && observed.1 > inside - 0.4,
        "{method}: {observed:?}, {coarse:?} {fine:?}"
    );
}

/// Nonlinear, and the time is named: the solution is exp(sin t), cos t.
fn waves() -> Closures {
    Closures::new(
        2,
        |t, y, dy| {
            dy[0] = 0.5 * y[0] * (y[1] + t.cos());
            dy[1] = -(1.0 + t) * y[0].ln() + t * t.sin();
        },
        |t, y, add| {
            add(0, 0, 0.5 * (y[1] + t.cos()));
            add(0, 1, 0.5 * y[0]);
            add(1, 0, -(1.0 + t) / y[0]);
        },
    )
}

fn exact_waves(t: f64) -> Vec<f64> {
    vec![t.sin().exp(), t.cos()]
}

#[test]
fn orders_on_a_nonlinear_problem_that_names_the_time() {
    check_orders(&waves(), Method::Tsit5, exact_waves, (5.0, 4.0));
    check_orders(&waves(), Method::Rodas, exact_waves, (5.0, 4.0));
}

/// The same solution with the cosine from a constraint of index 1.
#[test]
fn orders_with_a_constraint() {
    let system = Closures::new(
        2,
        |t, y, dy| {
            dy[0] = y[0] * y[1];
            dy[1] = y[1].powi(3) * y[0] - t.cos().powi(3) * t.sin().exp();
        },
        |_, y, add| {
            add(0, 0, y[1]);
            add(0, 1, y[0]);
            add(1, 0, y[1].powi(3));
            add(1, 1, 3.0 * y[1] * y[1] * y[0]);
        },
    );
    let system = system.constrained(vec![false, true]);
    check_orders(&system, Method::Rodas, exact_waves, (5.0, 4.0));
}

/// Prothero and Robinson's problem at a rate of 1e6: Rodas5P keeps order 4 where most Rosenbrock
/// methods fall to 1 (Steinebach 2023, section 4).
#[test]
fn stiffness_costs_little_order() {
    let system = Closures::new(
        1,
        |t, y, dy| dy[0] = -1e6 * (y[0] - t.cos()) - t.sin(),
        |_, _, add| add(0, 0, -1e6),
    );
    let exact = |t: f64| vec![t.cos()];
    let (coarse, fine) = (
        errors(&system, Method::Rodas, 4, exact),
        errors(&system, Method::Rodas, 8, exact),
    );
    assert!(
        coarse.0 > 12.0 * fine.0 || fine.0 < 1e-9,
        "{coarse:?} {fine:?}"
    );
}
