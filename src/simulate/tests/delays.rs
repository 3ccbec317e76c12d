//! Delay equations against exact and published solutions.

use crate::compile;
use crate::simulate::Stop;

/// The column of the first state and its times.
fn solve(text: &str, sentence: &str) -> (Vec<f64>, Vec<f64>) {
    let model = compile(text).expect("a model");
    let run = model.simulate(sentence).expect("a run");
    assert_eq!(run.solution.stop, Stop::Finished);
    (run.times().to_vec(), run.column("y").expect("a column"))
}

fn largest_error(text: &str, sentence: &str, exact: impl Fn(f64) -> f64) -> f64 {
    let (times, values) = solve(text, sentence);
    let rows = times.iter().zip(&values);
    rows.map(|(t, y)| (y - exact(*t)).abs()).fold(0.0, f64::max)
}

/// x' = -x(t - 1) with x = 0 before 0 and x(0) = 1, by the method of steps (Bellen & Zennaro,
/// Numerical Methods for Delay Differential Equations, 2003, section 1.2).
fn fundamental(t: f64) -> f64 {
    let (mut sum, mut term, mut k) = (0.0, 1.0, 0.0);
    while k <= t {
        sum += term * (t - k).powf(k);
        k += 1.0;
        term /= -k;
    }
    sum
}

const METHODS: [&str; 4] = ["tsit5", "rodas", "bdf", "auto"];

/// The state jumps at the start, its derivative at 1, and so on.
#[test]
fn a_jump_at_the_start_comes_back() {
    let text = "state y = 1\ny' = -y(t - 1)\nhistory y = 0";
    for method in METHODS {
        for tolerance in [1e-5, 1e-8] {
            let sentence =
                format!("0..6 step 0.01 rtol {tolerance} atol {tolerance} using {method}");
            let error = largest_error(text, &sentence, fundamental);
            assert!(error < 30.0 * tolerance, "{sentence}: {error:e}");
        }
    }
}

/// By linearity: a dose of 3 adds three fundamental solutions from its time on.
#[test]
fn a_dose_comes_back() {
    let text = "state y = 1\ny' = -y(t - 1)\nhistory y = 0\ndose 3 into y at 0.37";
    let exact = |t: f64| fundamental(t) + 3.0 * fundamental(t - 0.37);
    for method in METHODS {
        let sentence = format!("0..6 step 0.01 rtol 1e-8 atol 1e-8 using {method}");
        let error = largest_error(text, &sentence, exact);
        assert!(error < 1e-6, "{sentence}: {error:e}");
    }
}

/// e^(q t) solves y' = a y(t - 1) + b y(t - 0.3) where q = a e^-q + b e^(-0.3 q).
#[test]
fn two_lags() {
    let (q, a) = (-0.5_f64, -0.2);
    let b = (q - a * (-q).exp()) / (-0.3 * q).exp();
    let text = format!(
        "param a = {a}, b = {b}, long = 1\nstate y = 1
         y' = a*y(t - long) + b*y(t - 0.3*long)\nhistory y = exp({q}*t)"
    );
    for method in METHODS {
        let sentence = format!("0..8 step 0.1 rtol 1e-8 atol 1e-10 using {method}");
        let error = largest_error(&text, &sentence, |t| (q * t).exp());
        assert!(error < 1e-6, "{sentence}: {error:e}");
    }
}

/// Far shorter than the steps that the solution asks for: e^(q t) with q = -e^(-q tau).
#[test]
fn short_lags() {
    for tau in [0.0, 1e-14, 1e-3] {
        let mut q = -1.0_f64;
        for _ in 0..100 {
            q = -(-q * tau).exp();
        }
        let text =
            format!("param tau = {tau}\nstate y = 1\ny' = -y(t - tau)\nhistory y = exp({q}*t)");
        for method in ["tsit5", "auto"] {
            let sentence = format!("0..3 step 0.1 rtol 1e-7 atol 1e-9 using {method}");
            let error = largest_error(&text, &sentence, |t| (q * t).exp());
            assert!(error < 1e-6, "{tau}: {sentence}: {error:e}");
        }
    }
}

/// y = 1 before, so 1 - t and then 1 - t + (t - 1)^2/2; from t = 2 on the lag is one half, and
/// integration gives y(2.5) = -0.5 - (1/6 - 0.375 - 0.125/6).
#[test]
fn an_event_changes_a_lag() {
    let text = "param tau = 1\nstate y = 1\ny' = -y(t - tau)\nat 2 { tau = 0.5 }";
    for method in METHODS {
        let sentence = format!("0..2.5 rtol 1e-8 atol 1e-10 using {method}");
        let (_, values) = solve(text, &sentence);
        let exact = -0.5 - (1.0 / 6.0 - 0.375 - 0.125 / 6.0);
        let found = values.last().copied().unwrap_or(f64::NAN);
        assert!((found - exact).abs() < 1e-6, "{method}: {found}");
    }
    // Much later, where no kink ends a step any more, steps still keep to the shorter lag: from the
    // time of the event on, the same solution as of a model that had it always, from the same past.
    let past = "history y = 1 - t - 2";
    let always = format!("state y = -1\ny' = -y(t - 0.05)\n{past}");
    let changed =
        "param tau = 2\nstate y = 1\ny' = -y(t - tau)\nhistory y = 1\nat 2 { tau = 0.05 }";
    let last = |text: &str, sentence: &str| solve(text, sentence).1.last().copied();
    for method in METHODS {
        // So loose that the steps are held by the lag alone, and by nothing without it.
        let tail = format!("rtol 1e-3 atol 1e-6 using {method}");
        let (Some(found), Some(exact)) = (
            last(changed, &format!("0..5 {tail}")),
            last(&always, "0..3 rtol 1e-9 atol 1e-12"),
        ) else {
            panic!("{method}: no rows");
        };
        let error = (found / exact - 1.0).abs();
        assert!(error < 2e-3, "{method}: {found} {exact}");
    }
    let text = "param tau = 1\nstate y = 1\ny' = -y(t - tau)\nat 2 { tau = -0.5 }";
    let stopped = compile(text).expect("a model").simulate("0..3");
    assert!(format!("{:?}", stopped.expect_err("a lag")).contains("lag"));
}

/// A state triggers an event through its past: y = t, so y(t - 1) passes 2 at t = 3.
#[test]
fn conditions_look_at_the_past() {
    let text = "state y = 0, z = 0\ny' = 1\nz' = 0\nhistory y = 0\nwhen y(t - 1) > 2 { z = y }";
    let model = compile(text).expect("a model");
    let run = model.simulate("0..5").expect("a run");
    let found = run.column("z").expect("a column");
    assert!((found.last().copied().unwrap_or(0.0) - 3.0).abs() < 1e-9);
}

/// The cycle of Hutchinson's equation at r T = 2.1: period 4.54 T, largest over smallest 84.1 (May,
/// Stability and Complexity in Model Ecosystems, 1975, table 4.1; Murray, Mathematical Biology I,
/// section 1.3).
#[test]
fn the_cycle_of_delayed_logistic_growth() {
    let text = "param r = 2.1\nstate y = 0.5\ny' = r*y*(1 - y(t - 1))";
    let (times, values) = solve(text, "0..100 step 0.001 rtol 1e-8 atol 1e-10");
    let late = &values[50_000..];
    let highest = late.iter().copied().fold(0.0, f64::max);
    let lowest = late.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(
        (highest / lowest / 84.1 - 1.0).abs() < 0.01,
        "{}",
        highest / lowest
    );
    let peaks: Vec<f64> = (50_001..values.len() - 1)
        .filter(|&k| values[k] > values[k - 1] && values[k] >= values[k + 1])
        .map(|k| times[k])
        .collect();
    let period = (peaks[peaks.len() - 1] - peaks[0]) / (peaks.len() - 1) as f64;
    assert!((period / 4.54 - 1.0).abs() < 5e-3, "{period}");
}

/// Mackey & Glass, Science 197 (1977) 287: before chaos separates them, runs at three tolerances
/// approach each other.
#[test]
fn the_equation_of_mackey_and_glass_converges() {
    let text = "state y = 1.2\ny' = 0.2*y(t - 17)/(1 + y(t - 17)^10) - 0.1*y";
    let end = |tolerance: f64, method: &str| {
        let sentence = format!("0..100 rtol {tolerance} atol {tolerance} using {method}");
        solve(text, &sentence).1.last().copied().unwrap_or(f64::NAN)
    };
    let best = end(1e-11, "tsit5");
    for method in METHODS {
        let (coarse, fine) = (end(1e-5, method) - best, end(1e-8, method) - best);
        assert!(coarse.abs() < 1e-3, "{method}: {coarse:e}");
        assert!(fine.abs() < 2e-6, "{method}: {fine:e}");
    }
}

/// The work of three runs, so that a silent slow-down fails a test.
#[test]
fn work_is_as_it_was() {
    let work = |text: &str, sentence: &str| {
        let run = compile(text)
            .expect("a model")
            .simulate(sentence)
            .expect("a run");
        let work = run.solution.statistics;
        format!("{} {} {}", work.steps, work.rejected, work.evaluations)
    };
    let steps = "state y = 1\ny' = -y(t - 1)";
    let mackey = "state y = 1.2\ny' = 0.2*y(t - 17)/(1 + y(t - 17)^10) - 0.1*y";
    let works = [
        work(steps, "0..10 at 10 using tsit5"),
        work(mackey, "0..1000 at 1000 using tsit5"),
        work(mackey, "0..1000 at 1000 using rodas"),
    ];
    insta::assert_snapshot!(works.join("; "), @"35 1 219; 640 39 4077; 824 224 8163");
}
