//! Output times, limits, interrupts, and runs that cannot reach their end.

use super::problems::*;
use super::{GENERAL, options, run};
use crate::simulate::{
    Halt, Invalid, LinearSolver, Method, Monitor, NonFinite, Output, Statistics, Stop, Tolerances,
    integrate,
};
use std::ops::ControlFlow;

fn growth() -> Closures {
    scalar(|_, y| y, |_, _| 1.0)
}

#[test]
fn every_output_time_is_met_once() {
    let asked = vec![1.0, 1.0, 1.5, 1.75, 2.0];
    for method in GENERAL {
        let options = options(method, 1e-8, 1e-12, 1);
        let output = Output::Times(asked.clone());
        let solution = integrate(&growth(), 0.0, &[1.0], 2.0, &output, &options, &mut ());
        assert_eq!(solution.times, asked);
        for (t, y) in solution.times.iter().zip(&solution.states) {
            assert!((y / t.exp() - 1.0).abs() < 1e-5, "{method} at {t}: {y}");
        }
    }
}

#[test]
fn output_times_do_not_change_the_steps() {
    let many: Vec<f64> = (0..=500).map(|i| 0.02 * f64::from(i)).collect();
    for method in GENERAL {
        let options = options(method, 1e-6, 1e-9, 2);
        let with = |output| {
            let system = lotka_volterra();
            integrate(&system, 0.0, &[10.0, 5.0], 10.0, &output, &options, &mut ())
        };
        let (few, many) = (
            with(Output::Times(vec![10.0])),
            with(Output::Times(many.clone())),
        );
        assert_eq!(few.statistics, many.statistics);
        assert_eq!(few.last(), many.last());
    }
}

#[test]
fn steps_with_interior_points_ascend_from_start_to_end() {
    for method in GENERAL {
        let options = options(method, 1e-6, 1e-9, 2);
        let output = Output::Steps { interior: 3 };
        let system = lotka_volterra();
        let solution = integrate(&system, 0.0, &[10.0, 5.0], 7.3, &output, &options, &mut ());
        assert_eq!(solution.stop, Stop::Finished);
        assert_eq!(solution.times.first(), Some(&0.0));
        assert_eq!(solution.times.last(), Some(&7.3));
        assert!(solution.times.windows(2).all(|t| t[0] < t[1]));
        assert_eq!(
            solution.times.len() as u64,
            1 + 4 * solution.statistics.steps
        );
        assert_eq!(solution.states.len(), 2 * solution.times.len());
    }
}

#[test]
fn times_may_be_negative_and_pass_zero() {
    for method in GENERAL {
        for (start, end) in [(-10.0, -5.0), (-2.0, 2.0), (-1e-3, 1e-3), (1e6, 1e6 + 1.0)] {
            let system = growth();
            let solution = run(&system, method, (start, end), &[1.0], (1e-6, 1e-9));
            assert_eq!(solution.stop, Stop::Finished);
            let exact = (end - start).exp();
            assert!((solution.states[0] / exact - 1.0).abs() < 1e-3, "{method}");
        }
    }
}

#[test]
fn a_run_over_no_time_gives_one_row() {
    let options = options(Method::Auto, 1e-6, 1e-9, 1);
    for output in [Output::Steps { interior: 2 }, Output::Times(vec![3.0])] {
        let solution = integrate(&growth(), 3.0, &[1.5], 3.0, &output, &options, &mut ());
        assert_eq!(solution.stop, Stop::Finished);
        assert_eq!((solution.times, solution.states), (vec![3.0], vec![1.5]));
    }
}

#[test]
fn a_run_as_short_as_round_off_finishes() {
    let end = 1900.0 + 1e-12;
    for method in GENERAL {
        let solution = run(&growth(), method, (1900.0, end), &[1.0], (1e-6, 1e-9));
        assert_eq!(solution.stop, Stop::Finished);
        assert_eq!(solution.times, [end]);
    }
}

#[test]
fn a_system_without_states_has_rows_all_the_same() {
    let system = Closures::new(0, |_, _, _| {}, |_, _, _| {});
    let options = options(Method::Auto, 1e-6, 1e-9, 0);
    let output = Output::Times(vec![0.0, 1.0]);
    let solution = integrate(&system, 0.0, &[], 1.0, &output, &options, &mut ());
    assert_eq!(
        (solution.stop, solution.times),
        (Stop::Finished, vec![0.0, 1.0])
    );
}

#[test]
fn an_equilibrium_stays() {
    let rest = scalar(|_, _| 0.0, |_, _| 0.0);
    for method in GENERAL {
        let solution = run(&rest, method, (0.0, 1e6), &[0.0], (1e-6, 1e-9));
        assert_eq!(
            (solution.stop, solution.states),
            (Stop::Finished, vec![0.0])
        );
        assert!(solution.statistics.steps < 100, "{method}");
    }
}

#[test]
fn senseless_arguments_are_refused() {
    let good = options(Method::Auto, 1e-6, 1e-9, 1);
    let output = Output::Steps { interior: 0 };
    let stop = |start, y: &[f64], end, output: &Output, options: &_| {
        let solution = integrate(&growth(), start, y, end, output, options, &mut ());
        assert!(solution.times.is_empty());
        solution.stop
    };
    let range = Invalid::Range {
        start: 1.0,
        end: 0.0,
    };
    assert_eq!(stop(1.0, &[1.0], 0.0, &output, &good), Stop::Invalid(range));
    let dimension = Invalid::Dimension {
        expected: 1,
        found: 2,
    };
    assert_eq!(
        stop(0.0, &[1.0, 2.0], 1.0, &output, &good),
        Stop::Invalid(dimension)
    );
    let times = Output::Times(vec![0.5, 0.4]);
    let order = Invalid::OutputTime {
        index: 1,
        time: 0.4,
    };
    assert_eq!(stop(0.0, &[1.0], 1.0, &times, &good), Stop::Invalid(order));
    let mut bad = good.clone();
    bad.tolerances = Tolerances::uniform(0.0, 1e-9, 1);
    let tolerance = Invalid::Tolerance {
        state: None,
        value: 0.0,
    };
    assert_eq!(
        stop(0.0, &[1.0], 1.0, &output, &bad),
        Stop::Invalid(tolerance)
    );
    let mut bad = good.clone();
    bad.max_step = Some(0.0);
    let step = Invalid::StepSize { value: 0.0 };
    assert_eq!(stop(0.0, &[1.0], 1.0, &output, &bad), Stop::Invalid(step));
}

#[test]
fn values_that_are_not_finite_at_the_start_are_named() {
    let system = Closures::new(
        2,
        |_, y, dy| {
            dy[0] = 1.0;
            dy[1] = y[1].ln();
        },
        |_, y, add| add(1, 1, 1.0 / y[1]),
    );
    for method in GENERAL {
        let solution = run(&system, method, (2.0, 3.0), &[0.0, -1.0], (1e-6, 1e-9));
        let expected = Stop::NonFinite {
            time: 2.0,
            states: vec![1],
            what: NonFinite::Derivative,
            values: vec![0.0, -1.0],
        };
        assert_eq!(solution.stop, expected, "{method}");
        let solution = run(&system, method, (2.0, 3.0), &[f64::NAN, 1.0], (1e-6, 1e-9));
        let Stop::NonFinite {
            time, states, what, ..
        } = solution.stop
        else {
            panic!("{method}: {:?}", solution.stop);
        };
        assert_eq!(
            (time, states, what),
            (2.0, vec![0], NonFinite::State),
            "{method}"
        );
    }
}

/// x' = x^2 from 1 is 1/(1 - t).
#[test]
fn a_blow_up_ends_near_its_time() {
    let system = scalar(|_, x| x * x, |_, x| 2.0 * x);
    for method in GENERAL {
        let solution = run(&system, method, (0.0, 10.0), &[1.0], (1e-6, 1e-9));
        let time = match solution.stop {
            Stop::StepTooSmall { time, state: 0, .. } => time,
            Stop::NonFinite { time, .. } => time,
            other => panic!("{method}: {other:?}"),
        };
        assert!((time - 1.0).abs() < 1e-4, "{method}: {time}");
        assert!(solution.statistics.steps < 20_000, "{method}");
    }
}

/// x' = -sqrt(x) from 1 is (1 - t/2)^2 and leaves the domain of the root at t = 2.
#[test]
fn leaving_the_domain_is_said_with_its_time() {
    let system = scalar(|_, x| -x.sqrt(), |_, x| -0.5 / x.sqrt());
    for method in GENERAL {
        let solution = run(&system, method, (0.0, 3.0), &[1.0], (1e-6, 1e-9));
        let Stop::NonFinite { time, states, .. } = solution.stop else {
            panic!("{method}: {:?}", solution.stop);
        };
        assert!(
            (time - 2.0).abs() < 1e-2 && states == [0],
            "{method}: {time}"
        );
    }
}

/// The derivative of sqrt(x) is infinite at 0; the solution of x' = 1 - sqrt(x) is not.
#[test]
fn an_infinite_jacobian_entry_does_not_freeze_the_state() {
    let system = scalar(|_, x| 1.0 - x.sqrt(), |_, x| -0.5 / x.sqrt());
    let expected = run(&system, Method::Tsit45, (0.0, 1.0), &[0.0], (1e-10, 1e-12)).states[0];
    for method in GENERAL {
        let solution = run(&system, method, (0.0, 1.0), &[0.0], (1e-6, 1e-9));
        assert_eq!(solution.stop, Stop::Finished, "{method}");
        let error = (solution.states[0] - expected).abs();
        assert!(error < 1e-4, "{method}: {error:e}");
    }
}

/// NaN from a time on, whatever the state.
#[test]
fn a_right_hand_side_that_breaks_down_is_said() {
    let system = scalar(|t, _| if t > 0.5 { f64::NAN } else { 1.0 }, |_, _| 0.0);
    for method in GENERAL {
        let solution = run(&system, method, (0.0, 1.0), &[0.0], (1e-6, 1e-9));
        let Stop::NonFinite { time, what, .. } = solution.stop else {
            panic!("{method}: {:?}", solution.stop);
        };
        assert!((time - 0.5).abs() < 1e-6, "{method}: {time}");
        assert_eq!(what, NonFinite::Derivative);
    }
}

/// A jump in the right-hand side is passed, not a reason to stop.
#[test]
fn a_jump_in_the_right_hand_side_is_passed() {
    let system = scalar(|t, _| if t > 0.5 { 100.0 } else { 1.0 }, |_, _| 0.0);
    for method in GENERAL {
        let solution = run(&system, method, (0.0, 1.0), &[0.0], (1e-6, 1e-9));
        assert_eq!(solution.stop, Stop::Finished, "{method}");
        assert!((solution.states[0] - 50.5).abs() < 1e-3, "{method}");
    }
}

/// y' = -10 sign(y) has no solution beyond y = 0: the run chatters there until the step cap.
#[test]
fn chattering_ends() {
    let system = scalar(|_, y| -y.signum() * 10.0, |_, _| 0.0);
    for method in GENERAL {
        let mut options = options(method, 1e-6, 1e-9, 1);
        options.max_steps = 10_000;
        let output = Output::Times(vec![1.0]);
        let solution = integrate(&system, 0.0, &[0.5], 1.0, &output, &options, &mut ());
        let Stop::TooManySteps { time, .. } = solution.stop else {
            panic!("{method}: {:?}", solution.stop);
        };
        assert!(time < 0.1, "{method}: {time}");
    }
}

/// Rows are kept up to the stop, and the monitor sees each step and each row.
struct Watcher {
    steps: u64,
    rows: usize,
    stop_at: f64,
    halt: Halt,
}

impl Monitor for Watcher {
    fn step(&mut self, time: f64, state: &[f64], statistics: &Statistics) -> ControlFlow<Halt> {
        assert!(state[0] > 0.0);
        assert_eq!(statistics.steps, self.steps);
        self.steps += 1;
        if time > self.stop_at {
            return ControlFlow::Break(self.halt);
        }
        ControlFlow::Continue(())
    }

    fn row(&mut self, _: f64, _: &[f64]) -> ControlFlow<Halt> {
        self.rows += 1;
        ControlFlow::Continue(())
    }
}

#[test]
fn monitors_see_every_step_and_end_a_run() {
    for (halt, method) in [
        (Halt::Interrupt, Method::Bdf),
        (Halt::Enough, Method::Tsit45),
    ] {
        let mut watcher = Watcher {
            steps: 0,
            rows: 0,
            stop_at: 1.0,
            halt,
        };
        let options = options(method, 1e-6, 1e-9, 1);
        let output = Output::Steps { interior: 1 };
        let solution = integrate(
            &growth(),
            0.0,
            &[1.0],
            50.0,
            &output,
            &options,
            &mut watcher,
        );
        let (last, _) = solution.last().unwrap();
        let expected = match halt {
            Halt::Interrupt => Stop::Interrupted { time: last },
            Halt::Enough => Stop::Halted { time: last },
        };
        assert!(last > 1.0 && last < 5.0);
        assert_eq!(solution.stop, expected);
        assert_eq!(watcher.rows, solution.times.len());
    }
}

#[test]
fn the_step_cap_holds() {
    for method in GENERAL {
        let mut options = options(method, 1e-8, 1e-10, 2);
        options.max_steps = 17;
        let output = Output::Steps { interior: 0 };
        let system = lotka_volterra();
        let solution = integrate(
            &system,
            0.0,
            &[10.0, 5.0],
            100.0,
            &output,
            &options,
            &mut (),
        );
        let Stop::TooManySteps { time, steps: 17 } = solution.stop else {
            panic!("{method}: {:?}", solution.stop);
        };
        assert_eq!(solution.last().unwrap().0, time);
        assert_eq!(solution.times.len(), 18);
    }
}

#[test]
fn step_sizes_asked_for_are_kept() {
    for method in GENERAL {
        let mut options = options(method, 1e-3, 1e-3, 1);
        options.initial_step = Some(1e-3);
        options.max_step = Some(0.05);
        let output = Output::Steps { interior: 0 };
        let system = scalar(|_, y| -0.1 * y, |_, _| -0.1);
        let solution = integrate(&system, 0.0, &[1.0], 5.0, &output, &options, &mut ());
        assert_eq!(solution.stop, Stop::Finished);
        let steps: Vec<f64> = solution.times.windows(2).map(|t| t[1] - t[0]).collect();
        assert!((steps[0] - 1e-3).abs() < 1e-12, "{method}: {}", steps[0]);
        let longest = steps.iter().copied().fold(0.0, f64::max);
        assert!(
            longest < 0.05 + 1e-9 && longest > 0.02,
            "{method}: {longest}"
        );
    }
}

/// Each state has its own absolute tolerance: a loose one leaves its state out of the error test.
#[test]
fn absolute_tolerances_are_per_state() {
    let system = || {
        Closures::new(
            2,
            |t, _, dy| {
                dy[0] = 1.0;
                dy[1] = (50.0 * t).sin();
            },
            |_, _, _| {},
        )
    };
    for method in GENERAL {
        let steps = |absolute: Vec<f64>| {
            let mut options = options(method, 1e-6, 0.0, 2);
            options.tolerances.absolute = absolute;
            let output = Output::Times(vec![10.0]);
            let solution = integrate(
                &system(),
                0.0,
                &[1.0, 0.0],
                10.0,
                &output,
                &options,
                &mut (),
            );
            assert_eq!(solution.stop, Stop::Finished, "{method}");
            solution.statistics.steps
        };
        let (loose, tight) = (steps(vec![1e-6, 1e3]), steps(vec![1e-6, 1e-6]));
        assert!(10 * loose < tight, "{method}: {loose} and {tight}");
    }
}

/// Diffusion along a line of 1000 cells: the sparse solver is taken, and agrees with the exact
/// decay rate of a discrete cosine mode.
#[test]
fn a_long_chain_is_sparse() {
    let n = 1000;
    let system = diffusion(n);
    let k = 3.0;
    let angle = |i: usize| std::f64::consts::PI * k * (i as f64 + 0.5) / n as f64;
    let mode: Vec<f64> = (0..n).map(|i| 1.0 + angle(i).cos()).collect();
    let rate = 1e4 * 4.0 * (std::f64::consts::PI * k / (2.0 * n as f64)).sin().powi(2);
    for method in [
        Method::Auto,
        Method::Rodas,
        Method::Bdf,
        Method::TrBdf2,
        Method::Esdirk34,
    ] {
        let solution = run(&system, method, (0.0, 1.0), &mode, (1e-6, 1e-9));
        assert_eq!(solution.stop, Stop::Finished);
        let used = solution.methods.last().unwrap();
        assert_eq!(used.linear_solver, LinearSolver::Sparse);
        let exact: Vec<f64> = (0..n)
            .map(|i| 1.0 + (-rate).exp() * angle(i).cos())
            .collect();
        let error = super::largest_difference(solution.last().unwrap().1, &exact);
        assert!(error < 1e-4, "{method}: {error:e}");
    }
}

/// Jacobians without numerical rank, sparse and full: nothing to factorise but the identity.
#[test]
fn a_zero_jacobian_is_no_trouble_for_the_sparse_solver() {
    for (n, every) in [(60, 7), (250, 1)] {
        let pairs = (0..n).flat_map(|j| (0..n).map(move |i| (i, j)));
        let some = pairs.filter(|(i, j)| (i + j) % every == 0).collect();
        let system = Closures::sparse(n, some, |t, _, dy| dy.fill(t), |_, _, _| {});
        let solution = run(
            &system,
            Method::Bdf,
            (0.0, 2.0),
            &vec![0.0; n],
            (1e-6, 1e-9),
        );
        assert_eq!(solution.stop, Stop::Finished);
        assert!(solution.states.iter().all(|y| (y - 2.0).abs() < 1e-5));
    }
}

/// Growth too fast for any step, from the first evaluation on.
#[test]
fn absurd_growth_ends() {
    let steep = [
        scalar(|_, y| 1e300 * y, |_, _| 1e300),
        scalar(|_, y| y.exp(), |_, y| y.exp()),
        scalar(|_, y| 1e10 * y * y * y, |_, y| 3e10 * y * y),
    ];
    for (system, start) in steep.iter().zip([1.0, 700.0, 1e10]) {
        for method in GENERAL {
            let solution = run(system, method, (0.0, 1.0), &[start], (1e-6, 1e-9));
            let ended = matches!(
                solution.stop,
                Stop::StepTooSmall { .. } | Stop::NonFinite { .. }
            );
            assert!(ended, "{method}: {:?}", solution.stop);
            assert!(solution.statistics.evaluations < 100_000);
        }
    }
}

/// Without an absolute tolerance a state at zero cannot be measured, but never passes unchecked.
#[test]
fn an_absolute_tolerance_of_zero_is_not_no_error() {
    let system = scalar(|t, y| -y + t.sin(), |_, _| -1.0);
    for method in GENERAL {
        let solution = run(&system, method, (0.0, 10.0), &[1.0], (1e-6, 0.0));
        assert_eq!(solution.stop, Stop::Finished);
        // The exact solution from 1.
        let exact = 1.5 * (-10.0_f64).exp() + (10.0_f64.sin() - 10.0_f64.cos()) / 2.0;
        assert!((solution.states[0] - exact).abs() < 1e-4, "{method}");
        let from_zero = run(&system, method, (0.0, 10.0), &[0.0], (1e-6, 0.0));
        assert!(matches!(
            from_zero.stop,
            Stop::Finished | Stop::StepTooSmall { .. }
        ));
    }
}

#[test]
fn names_of_methods_read_back() {
    for method in Method::ALL {
        assert_eq!(method.to_string().parse(), Ok(method));
    }
    assert!("rk4".parse::<Method>().is_err());
}

#[test]
fn very_long_runs_keep_fewer_rows_in_bounded_memory() {
    // A hundred cells of diffusion by an explicit method: tens of thousands of short steps, each
    // offering ten rows of a hundred numbers.
    let n = 100;
    let mut options = options(Method::Tsit45, 1e-6, 1e-9, n);
    options.max_step = Some(1e-3);
    let initial: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i == 50))).collect();
    let output = Output::Steps { interior: 9 };
    let solution = integrate(
        &diffusion(n),
        0.0,
        &initial,
        10.0,
        &output,
        &options,
        &mut (),
    );
    assert_eq!(solution.stop, Stop::Finished);
    assert!(solution.kept_every > 1, "{}", solution.kept_every);
    assert!(solution.states.len() <= (1 << 22) + n);
    assert_eq!(solution.states.len(), solution.times.len() * n);
    assert_eq!(solution.times.first(), Some(&0.0));
    assert_eq!(solution.times.last(), Some(&10.0));
    let gaps: Vec<f64> = solution
        .times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    assert!(gaps.iter().all(|gap| *gap > 0.0));
    // The rows kept are spread evenly over the run.
    let longest = gaps.iter().copied().fold(0.0, f64::max);
    assert!(longest < 10.0 / 1000.0, "{longest}");
}
