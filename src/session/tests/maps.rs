//! Maps from their text to numbers.

use super::{Files, compile};
use crate::analyze::{Reached, Restless, jacobian_at};
use crate::session::command::{Setting, Steady};
use crate::session::steady;
use crate::session::values::Overrides;
use crate::session::{Outcome, Session, Trajectory};
use crate::simulate::{CompiledDynamics, NonFinite, Stop};
use crate::source::{SourceId, Span};
use crate::system::Motion;
use crate::world::SystemWorld;
use std::path::PathBuf;
use std::sync::Arc;

fn run(model: &str, sentence: &str) -> Trajectory {
    let compiled = compile(model);
    assert_eq!(compiled.system.motion, Motion::Map);
    match compiled.simulate(sentence) {
        Ok(run) => run,
        Err(problem) => panic!("{problem}"),
    }
}

fn column(model: &str, sentence: &str, expression: &str) -> Vec<f64> {
    run(model, sentence)
        .column(expression)
        .expect("an expression of the model")
}

const DESCENT: &str = "param h = 1, eta = 0.1
    state w = 1
    let loss = h*w^2/2
    next w = w - eta*grad(loss, w)";

#[test]
fn gradient_descent_on_a_quadratic_is_monotone_dead_beat_alternating_or_diverges() {
    // w(n) = (1 - eta*h)^n exactly.
    let w = |eta: &str| column(DESCENT, &format!("0..20 with eta = {eta}"), "w");
    let slow = w("0.5");
    assert!(slow.windows(2).all(|w| w[1] > 0.0 && w[1] < w[0]));
    assert_eq!(slow[20], 0.5_f64.powi(20));
    let dead_beat = w("1");
    assert_eq!(dead_beat[1..], [0.0; 20]);
    let alternating = w("1.5");
    assert!(
        alternating
            .windows(2)
            .all(|w| w[0] * w[1] < 0.0 && w[1].abs() < w[0].abs())
    );
    let undecided = w("2");
    assert!(undecided.windows(2).all(|w| w[1] == -w[0]));
    let diverging = w("2.5");
    assert!(
        diverging
            .windows(2)
            .all(|w| w[0] * w[1] < 0.0 && w[1].abs() > w[0].abs())
    );
}

#[test]
fn the_new_value_of_another_state_is_that_of_the_same_step() {
    let model = "param eta = 0.1, beta = 0.9
        state w = 1, m = 0
        next w = w - eta*next m
        next m = beta*m + (1 - beta)*(w^3 - w/2)";
    let ran = run(model, "0..200");
    let (mut w, mut m) = (1.0_f64, 0.0_f64);
    for (row, state) in ran.solution.states.chunks_exact(2).enumerate() {
        assert_eq!(state, [w, m], "step {row}");
        m = 0.9 * m + (1.0 - 0.9) * (w * w * w - w / 2.0);
        w -= 0.1 * m;
    }
    assert_eq!(ran.times().len(), 201);
}

#[test]
fn all_new_values_are_taken_from_the_same_state() {
    // A turn by 90 degrees: back after four steps. Taken one after the other it would not be.
    let model = "state x = 1, y = 0
        next x = -y
        next y = x";
    assert_eq!(column(model, "0..4", "x"), [1.0, 0.0, -1.0, 0.0, 1.0]);
    assert_eq!(column(model, "0..4", "y"), [0.0, 1.0, 0.0, -1.0, 0.0]);
}

const LOGISTIC: &str = "param r = 3.2
    state x = 0.1
    next x = r*x*(1 - x)";

#[test]
fn the_logistic_map_has_its_known_cycles() {
    let late = |r: &str| {
        let ran = run(LOGISTIC, &format!("0..1007 with r = {r}"));
        let mut late = ran.column("x").expect("a state")[1000..].to_vec();
        late.sort_by(f64::total_cmp);
        late
    };
    // The cycle of period 2: (r + 1 -+ sqrt((r + 1)*(r - 3)))/(2*r).
    let root = (4.2_f64 * 0.2).sqrt();
    for (at, x) in late("3.2").into_iter().enumerate() {
        let sign = if at < 4 { -1.0 } else { 1.0 };
        assert!((x - (4.2 + sign * root) / 6.4).abs() < 1e-15, "{x}");
    }
    // The cycle of period 4 at 3.5, as printed in S. H. Strogatz, Nonlinear Dynamics and Chaos (1994),
    // and in May's paper (1976): 0.383, 0.501, 0.827, 0.875.
    let known = [0.383, 0.383, 0.501, 0.501, 0.827, 0.827, 0.875, 0.875];
    for (x, known) in late("3.5").into_iter().zip(known) {
        assert!((x - known).abs() < 5e-4, "{x}");
    }
    let period = |r: &str| {
        let ran = run(LOGISTIC, &format!("0..1000 with r = {r}"));
        ran.measure("period(x)").map(|found| found.value)
    };
    assert_eq!(period("3.2").expect("a period"), 2.0);
    assert_eq!(period("3.5").expect("a period"), 4.0);
    assert_eq!(period("3.55").expect("a period"), 8.0);
    // The window of period 3 begins at 1 + sqrt(8) = 3.8284.
    assert_eq!(period("3.84").expect("a period"), 3.0);
    assert!(period("2.5").is_err(), "it settles");
    assert!(period("3.9").is_err(), "it is chaotic");
}

#[test]
fn at_full_growth_the_logistic_map_doubles_an_angle() {
    // x(n) = sin(2^n*a)^2 (S. Ulam and J. von Neumann, 1947); errors double at each step.
    let a = 0.3_f64;
    let model = "param r = 4
        state x = sin(0.3)^2
        next x = r*x*(1 - x)";
    for (n, x) in column(model, "0..20", "x").into_iter().enumerate() {
        let angle = a * 2.0_f64.powi(i32::try_from(n).expect("small"));
        assert!((x - angle.sin().powi(2)).abs() < 1e-8, "step {n}: {x}");
    }
}

#[test]
fn vectors_loops_functions_conditions_and_the_step_count_work() {
    let model = "index k = 1..3
        param A[k, k] = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
        fn double(x) = 2*x
        state y[k] = [1, 2, 3]
        state u[k] = 0
        next y = A*y
        for i in 1..3 { next u[i] = if n < 2 then double(i) else i }
        condition turned { y = [3, 2, 1] }";
    let ran = run(model, "0..3");
    let rows: Vec<&[f64]> = ran.solution.states.chunks_exact(6).collect();
    assert_eq!(rows[0], [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
    assert_eq!(rows[1], [2.0, 3.0, 1.0, 2.0, 4.0, 6.0]);
    assert_eq!(rows[2], [3.0, 1.0, 2.0, 2.0, 4.0, 6.0]);
    assert_eq!(rows[3], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    assert_eq!(column(model, "0..1 in turned", "y[1]"), [3.0, 2.0]);
}

#[test]
fn rows_are_those_that_are_asked_for() {
    let times = |sentence: &str| run(LOGISTIC, sentence).times().to_vec();
    assert_eq!(times("0..5"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(times("0..25 step 10"), [0.0, 10.0, 20.0, 25.0]);
    assert_eq!(times("0..10 points 3"), [0.0, 5.0, 10.0]);
    assert_eq!(times("0..100 at 3, 77"), [3.0, 77.0]);
    assert_eq!(times("97..99"), [97.0, 98.0, 99.0]);
    let all = column(LOGISTIC, "0..99", "x");
    assert_eq!(column(LOGISTIC, "97..99", "x"), all[97..]);
    let started = "time [year] from 1900\nstate x = 1\nnext x = n";
    assert_eq!(column(started, "1900..1902", "x"), [1.0, 1900.0, 1901.0]);
}

#[test]
fn events_happen_at_steps() {
    let model = "param k = 1
        state x = 0
        next x = x + k
        at 3 { x = 10 }
        at 5.5 { k = 2 }
        when x > 17 { x = 0 }";
    // Each row shows what holds after all that happens at its step; 5.5 is past at n = 6, and 18
    // is beyond 17 at n = 9.
    let expected = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 13.0, 15.0, 17.0, 0.0, 2.0];
    assert_eq!(column(model, "0..10", "x"), expected);
    assert_eq!(column(model, "0..10", "k")[5..7], [1.0, 2.0]);
    let every = "state x = 1
        next x = 2*x
        every 3 from 2 { x = 1 }";
    let expected = [1.0, 2.0, 1.0, 2.0, 4.0, 1.0, 2.0, 4.0, 1.0];
    assert_eq!(column(every, "0..8", "x"), expected);
    // What falls together happens in the order of the text: at n = 2 the `when` has the last word.
    let together = "state x = 1
        next x = 2*x
        every 3 from 2 { x = 1 }
        when x == 4 { x = 5 }";
    let expected = [1.0, 2.0, 5.0, 10.0, 20.0, 1.0, 2.0, 5.0, 1.0];
    assert_eq!(column(together, "0..8", "x"), expected);
    // An equality counts where it holds exactly at a step.
    let equality = "state x = 1
        next x = 2*x
        when x == 4 { x = 5 }";
    assert_eq!(column(equality, "0..4", "x"), [1.0, 2.0, 5.0, 10.0, 20.0]);
    let threshold = "state x = 0
        next x = x + 1
        when x >= 2 { x = 0 }";
    assert_eq!(
        column(threshold, "0..5", "x"),
        [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    );
}

#[test]
fn iterates_without_bounds_end_the_run_with_the_place() {
    // 2^(2^n) is beyond 1.8e308 at n = 10. A session keeps what such a run has.
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session.install(PathBuf::new(), compile("state x = 2\nnext x = x^2"));
    let commands = session.understand("simulate 0..100").expect("a sentence");
    let performed = session
        .perform(&commands[0], &mut ())
        .expect("a partial run");
    let Outcome::Simulated(ran) = performed.outcome else {
        panic!("no run");
    };
    assert_eq!(ran.times().len(), 10);
    let Stop::NonFinite {
        time, what, values, ..
    } = &ran.solution.stop
    else {
        panic!("{:?}", ran.solution.stop);
    };
    assert_eq!((*time, *what), (10.0, NonFinite::State));
    assert_eq!(values, &[2.0_f64.powi(512)]);
}

#[test]
fn sensitivities_ride_along_exactly() {
    // x(n) = a^n*x0: by a it is n*a^(n-1)*x0, by x0 a^n.
    let compiled = compile("param a = 0.5, c = 3\nstate x = c\nnext x = a*x");
    let found = match compiled.sensitivity("0..10", "x by a, c") {
        Ok(found) => found,
        Err(problem) => panic!("{problem}"),
    };
    let (by_a, by_c) = (&found.series[0][0], &found.series[0][1]);
    for n in 0..=10 {
        let power = |k: i32| 0.5_f64.powi(k);
        assert_eq!(by_a[n as usize], f64::from(n) * power(n - 1) * 3.0);
        assert_eq!(by_c[n as usize], power(n));
    }
}

#[test]
fn steady_finds_fixed_points_of_maps() {
    let found = |model: &str| {
        let question = Steady {
            span: Span::new(SourceId(0), 0, 0),
            setting: Setting::default(),
            from_last: false,
        };
        let values = Overrides::default();
        match steady::find(&compile(model), &values, None, &question, &Files::new(&[])) {
            Ok(answer) => answer.found,
            Err(problems) => panic!("{problems:?}"),
        }
    };
    // 1 - 1/r
    let settled = found(&LOGISTIC.replace("3.2", "2.5"));
    assert!((settled.state[0] - 0.6).abs() < 1e-15);
    assert!(matches!(settled.reached, Reached::After(_)));
    let swinging = found(LOGISTIC);
    assert!((swinging.state[0] - 0.6875).abs() < 1e-15);
    let Reached::Not(Restless::Cycle { points, .. }) = &swinging.reached else {
        panic!("{:?}", swinging.reached);
    };
    assert_eq!(points.len(), 2);
    // (1 - A)^-1 b = (0.7, 0.9)/0.17
    let linear = "index k = 1..2
        param A[k, k] = [[0.5, 0.2], [-0.1, 0.7]]
        param b[k] = [1, 2]
        state y[k] = 0
        next y = A*y + b";
    let at = found(linear).state;
    assert!((at[0] - 0.7 / 0.17).abs() < 1e-14 && (at[1] - 0.9 / 0.17).abs() < 1e-14);
    // M. Hénon, Commun. Math. Phys. 50 (1976) 69-77: x = (b - 1 + sqrt((1 - b)^2 + 4*a))/(2*a).
    let henon = "param a = 1.4, b = 0.3
        state x = 0.5, y = 0.2
        next x = 1 + y - a*x^2
        next y = b*x";
    let at = found(henon).state;
    let exact = (-0.7 + (0.49_f64 + 5.6).sqrt()) / 2.8;
    assert!((at[0] - exact).abs() < 1e-14, "{at:?}");
    assert!((at[1] - 0.3 * exact).abs() < 1e-14);
}

#[test]
fn the_jacobian_of_a_map_is_that_of_one_step() {
    let compiled = compile(LOGISTIC);
    let dynamics = CompiledDynamics::new(&compiled.system, &compiled.kernels, vec![3.2]);
    let entries = jacobian_at(&dynamics, 0.0, &[0.6875]);
    // r*(1 - 2*x) = 2 - r at the fixed point.
    assert!((entries[0] + 1.2).abs() < 1e-15);
}
