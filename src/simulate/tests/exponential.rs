//! Linear equations against closed forms: errors are those of round-off whatever the tolerance.

use super::problems::Closures;
use super::{largest_difference, options, run};
use crate::simulate::{
    Dynamics, Invalid, Method, NonFinite, Output, Solution, Stop, SwitchReason, integrate,
};

/// y' = A y + b, A by rows.
fn linear<const N: usize>(a: [[f64; N]; N], b: [f64; N]) -> Closures {
    Closures::new(
        N,
        move |_, y, dy| {
            for ((dy, row), b) in dy.iter_mut().zip(&a).zip(&b) {
                *dy = row.iter().zip(y).map(|(a, y)| a * y).sum::<f64>() + b;
            }
        },
        move |_, _, add| {
            for (i, row) in a.iter().enumerate() {
                for (j, a) in row.iter().enumerate() {
                    add(i, j, *a);
                }
            }
        },
    )
    .linear()
}

/// Rows at 101 equally spaced times.
fn rows(system: &dyn Dynamics, end: f64, initial: &[f64]) -> Solution {
    let times = (0..=100).map(|k| end * f64::from(k) / 100.0).collect();
    let options = options(Method::Exponential, 1e-3, 1e-3, initial.len());
    let output = Output::Times(times);
    let solution = integrate(system, 0.0, initial, end, &output, &options, &mut ());
    assert_eq!(solution.stop, Stop::Finished);
    solution
}

/// The largest error over all rows.
fn error(solution: &Solution, exact: impl Fn(f64) -> Vec<f64>) -> f64 {
    let rows = 0..solution.times.len();
    rows.map(|row| {
        let exact = exact(solution.times[row]);
        largest_difference(solution.row(row).unwrap(), &exact)
    })
    .fold(0.0, f64::max)
}

/// Bateman, Proc. Camb. Phil. Soc. 15 (1910) 423-427.
#[test]
fn a_decay_chain() {
    let (a, b) = (1.0, 0.3);
    let chain = linear([[-a, 0.0, 0.0], [a, -b, 0.0], [0.0, b, 0.0]], [0.0; 3]);
    let solution = rows(&chain, 30.0, &[1.0, 0.0, 0.0]);
    let exact = |t: f64| {
        let first = (-a * t).exp();
        let second = a / (b - a) * (first - (-b * t).exp());
        vec![first, second, 1.0 - first - second]
    };
    assert!(error(&solution, exact) < 1e-13);
    // The whole run in one step; one exponential for it and one for the spacing of the rows.
    assert_eq!(solution.statistics.steps, 1);
    assert_eq!(solution.statistics.factorisations, 2);
}

/// Two compartments after an infusion began: the sum of two exponentials towards the steady state
/// (Gibaldi & Perrier, Pharmacokinetics, 2nd edition, chapter 2).
#[test]
fn an_infusion_into_two_compartments() {
    let (k10, k12, k21, rate) = (0.2, 0.3, 0.12, 5.0);
    let system = linear([[-k10 - k12, k21], [k12, -k21]], [rate, 0.0]);
    let solution = rows(&system, 100.0, &[0.0, 0.0]);
    let (sum, product): (f64, f64) = (k10 + k12 + k21, k10 * k21);
    let root = (sum * sum - 4.0 * product).sqrt();
    let (fast, slow) = (0.5 * (sum + root), 0.5 * (sum - root));
    let central = |t: f64| {
        let term = |a: f64, b: f64| (k21 - a) / (a * (b - a)) * (1.0 - (-a * t).exp());
        rate * (term(fast, slow) + term(slow, fast))
    };
    let peripheral = |t: f64| {
        let term = |a: f64, b: f64| k12 / (a * (b - a)) * (1.0 - (-a * t).exp());
        rate * (term(fast, slow) + term(slow, fast))
    };
    let found = error(&solution, |t| vec![central(t), peripheral(t)]);
    assert!(found < 1e-12, "{found:e}");
}

/// Transit through equal compartments: t e^-t and t^2/2 e^-t.
#[test]
fn a_defective_matrix() {
    let system = linear(
        [[-1.0, 0.0, 0.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]],
        [0.0; 3],
    );
    let solution = rows(&system, 20.0, &[1.0, 0.0, 0.0]);
    let exact = |t: f64| {
        let e = (-t).exp();
        vec![e, t * e, 0.5 * t * t * e]
    };
    assert!(error(&solution, exact) < 1e-13);
}

#[test]
fn a_rotation_of_many_periods() {
    let system = linear([[0.0, -1.0], [1.0, 0.0]], [0.0; 2]);
    let solution = rows(&system, 1000.0, &[1.0, 0.0]);
    let found = error(&solution, |t| vec![t.cos(), t.sin()]);
    assert!(found < 1e-12, "{found:e}");
}

/// Rates a million apart, the slow one with the eigenvalue -1 - 1e-6 or so from the quadratic.
#[test]
fn rates_a_million_apart() {
    let k = 1e6;
    let system = linear([[-k, 1.0], [k, -2.0]], [0.0; 2]);
    let solution = rows(&system, 10.0, &[1.0, 0.0]);
    // Eigenvalues -p, -q: p + q = k + 2, p q = k.
    let p = 0.5 * (k + 2.0 + (k * k + 4.0).sqrt());
    let q = k / p;
    let exact = |t: f64| {
        let (slow, fast) = ((-q * t).exp(), (-p * t).exp());
        vec![
            ((p - k) * slow + (k - q) * fast) / (p - q),
            k / (p - q) * (slow - fast),
        ]
    };
    let found = error(&solution, exact);
    assert!(found < 1e-9, "{found:e}");
}

/// A constant term far larger than the matrix, and one with no matrix at all.
#[test]
fn constant_terms() {
    let system = linear([[-0.5]], [1e9]);
    let solution = rows(&system, 8.0, &[0.0]);
    let found = error(&solution, |t| vec![2e9 * -(-0.5 * t).exp_m1()]);
    assert!(found < 1e-13 * 2e9, "{found:e}");
    let growth = linear([[0.0]], [3.0]);
    let solution = rows(&growth, 8.0, &[1.0]);
    assert!(error(&solution, |t| vec![1.0 + 3.0 * t]) < 1e-13);
}

/// The largest number is e^709.78.
#[test]
fn growth_beyond_all_numbers_is_said() {
    let system = linear([[1.0]], [0.0]);
    let times = (0..=100).map(|k| 10.0 * f64::from(k)).collect();
    for output in [Output::Times(times), Output::Steps { interior: 2 }] {
        let options = options(Method::Exponential, 1e-6, 1e-9, 1);
        let solution = integrate(&system, 0.0, &[1.0], 1000.0, &output, &options, &mut ());
        let Stop::NonFinite { time, what, .. } = solution.stop else {
            panic!("{:?}", solution.stop);
        };
        assert_eq!(what, NonFinite::State);
        assert!((time - 709.782_712_893_384).abs() < 1e-3, "{time}");
        assert!(*solution.times.last().unwrap() >= 700.0);
    }
}

/// A straight line between rows stays within a thousandth of the range, and rows are not many.
#[test]
fn steps_draw_smooth_curves() {
    let system = linear([[0.0, -1.0], [1.0, 0.0]], [0.0; 2]);
    let options = options(Method::Exponential, 1e-6, 1e-9, 2);
    let output = Output::Steps { interior: 4 };
    let start = [1.0, 0.0];
    let solution = integrate(&system, 0.0, &start, 100.0, &output, &options, &mut ());
    assert_eq!(solution.stop, Stop::Finished);
    let middle = |row: usize| 0.5 * (solution.times[row] + solution.times[row + 1]);
    let largest = (0..solution.times.len() - 1)
        .map(|row| {
            let (before, after) = (solution.row(row).unwrap(), solution.row(row + 1).unwrap());
            (0.5 * (before[0] + after[0]) - middle(row).cos()).abs()
        })
        .fold(0.0, f64::max);
    assert!(largest < 2e-3, "{largest:e}");
    assert!(solution.statistics.steps < 500, "{:?}", solution.statistics);
    assert!(solution.statistics.factorisations < 12);
    assert!(error(&solution, |t| vec![t.cos(), t.sin()]) < 1e-12);
}

/// A fast transient and a slow decay after it: both are drawn, in few steps.
#[test]
fn smooth_steps_follow_time_scales() {
    let system = linear([[-1e5, 0.0], [0.0, -0.1]], [0.0; 2]);
    let options = options(Method::Exponential, 1e-6, 1e-9, 2);
    let output = Output::Steps { interior: 0 };
    let start = [1.0, 1.0];
    let solution = integrate(&system, 0.0, &start, 100.0, &output, &options, &mut ());
    assert_eq!(solution.stop, Stop::Finished);
    let early = solution.times.iter().filter(|t| **t < 1e-4).count();
    assert!(early > 10, "{early}");
    let steps = solution.statistics.steps;
    assert!(steps < 300, "{steps}");
}

#[test]
fn step_limits_are_kept() {
    let system = linear([[-1.0]], [0.0]);
    let mut options = options(Method::Exponential, 1e-6, 1e-9, 1);
    options.max_step = Some(0.1);
    let output = Output::Times(vec![2.0]);
    let solution = integrate(&system, 0.0, &[1.0], 2.0, &output, &options, &mut ());
    assert!(solution.statistics.steps >= 20);
    assert!((solution.states[0] - (-2.0_f64).exp()).abs() < 1e-14);
}

#[test]
fn only_linear_equations_are_taken() {
    let logistic = Closures::new(
        1,
        |_, y, dy| dy[0] = y[0] * (1.0 - y[0]),
        |_, y, add| add(0, 0, 1.0 - 2.0 * y[0]),
    );
    let tolerances = (1e-6, 1e-9);
    let range = (0.0, 1.0);
    let solution = run(&logistic, Method::Exponential, range, &[0.1], tolerances);
    assert_eq!(solution.stop, Stop::Invalid(Invalid::NotLinear));
    assert_eq!(solution.times.len(), 0);
}

/// Where digits would be lost over the length of the run, `auto` takes another method.
#[test]
fn auto_takes_the_exact_solution_where_it_is_exact() {
    let taken = |rate: f64| {
        let system = linear([[-rate, 1.0], [rate, -1.0]], [0.0; 2]);
        let tolerances = (1e-6, 1e-9);
        let solution = run(&system, Method::Auto, (0.0, 10.0), &[1.0, 0.0], tolerances);
        assert_eq!(solution.stop, Stop::Finished);
        (solution.methods[0].method, solution.methods[0].why)
    };
    assert_eq!(taken(3.0), (Method::Exponential, SwitchReason::Linear));
    assert_ne!(taken(1e9).0, Method::Exponential);
}
