//! Sweeps from the sentence to the numbers: the same as of single runs, the same on any number of
//! threads, failing members kept apart, what is done kept; and what sweeps show of maps.

mod support;

use lotka::session::{Command, Outcome, Session, Sweep, SweepAnswer};
use serde_json::Value;
use std::fs;
use std::sync::Arc;
use support::session::Impatient;
use support::{Printed, Workplace, lotka};

const LOTKA_VOLTERRA: &str = "models/lotka_volterra.lotka";

/// What `lotka sweep` answers as JSON.
fn swept(workplace: &Workplace, arguments: &[&str]) -> Value {
    let printed = spoken(workplace, arguments);
    serde_json::from_str(&printed.output)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", printed.both()))
}

fn spoken(workplace: &Workplace, arguments: &[&str]) -> Printed {
    let mut all = vec!["sweep"];
    all.extend(arguments);
    all.extend(["--format", "json"]);
    lotka(workplace.path(), &all, "")
}

/// A list of numbers; what is missing is NaN.
fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().into_iter().flatten();
    list.map(|number| number.as_f64().unwrap_or(f64::NAN))
        .collect()
}

fn column(sweep: &Value, at: usize) -> Vec<f64> {
    numbers(&sweep["columns"][at]["values"])
}

/// The numbers of `lotka measure` for one value.
fn measured(workplace: &Workplace, measures: &[&str], with: &str) -> Vec<f64> {
    let mut all = vec!["measure", LOTKA_VOLTERRA];
    all.extend(measures);
    all.extend(["--over", "0..40", "--with", with, "--format", "json"]);
    let printed = lotka(workplace.path(), &all, "");
    let value: Value = serde_json::from_str(&printed.output).expect("JSON");
    let rows = value["runs"][0]["measures"]
        .as_array()
        .expect("measures")
        .iter();
    rows.map(|row| row["value"].as_f64().unwrap_or(f64::NAN))
        .collect()
}

#[test]
fn members_give_the_numbers_of_single_runs() {
    let workplace = Workplace::new();
    let measures = ["max(prey)", "period(prey)", "auc(predator, 0..10)"];
    let mut arguments = vec![
        LOTKA_VOLTERRA,
        "alpha in 0.6..1.4 points 5",
        "--for",
        "0..40",
    ];
    for measure in &measures {
        arguments.extend(["--of", measure]);
    }
    let sweep = swept(&workplace, &arguments);
    let alphas = numbers(&sweep["parameters"][0]["values"]);
    assert_eq!(alphas.len(), 5);
    for (member, alpha) in alphas.iter().enumerate() {
        let single = measured(&workplace, &measures, &format!("alpha={alpha}"));
        for (at, value) in single.iter().enumerate() {
            // A swing too slow for the run has no period: NaN both times.
            let found = column(&sweep, at)[member];
            assert_eq!(
                found.to_bits(),
                value.to_bits(),
                "{} at {alpha}",
                measures[at]
            );
        }
    }
}

/// The last row of `lotka simulate`.
fn end(workplace: &Workplace, arguments: &[&str]) -> Vec<f64> {
    let mut all = vec!["simulate"];
    all.extend(arguments);
    all.extend(["--stats", "json"]);
    let printed = lotka(workplace.path(), &all, "");
    let value: Value = serde_json::from_str(&printed.output).expect("JSON");
    numbers(
        value["states"]
            .as_array()
            .expect("states")
            .last()
            .expect("a row"),
    )
}

#[test]
fn ends_are_those_of_single_runs_with_doses_conditions_and_initial_values() {
    let workplace = Workplace::new();
    workplace.write(
        "doses.lotka",
        "param k = 1 in 0..3, V = 2, x0 = 1, half = k/2
         state x = x0, y = half
         x' = -k*x
         y' = k*x/V - half*y
         dose 3 into x every 2 times 3
         when y > 1 rising { y = y/2 }
         condition slow { V = 8 }
         simulate 0..10 step 1 in slow",
    );
    // What is swept is followed by others (`half`, the initial value of y), is a volume-like
    // divisor, or is an initial value itself.
    for (range, name, values) in [
        ("k in 0.5..2.5 points 5", "k", [0.5, 1.0, 1.5, 2.0, 2.5]),
        ("V at 1, 2, 3, 4, 5", "V", [1.0, 2.0, 3.0, 4.0, 5.0]),
        ("x in 0..4 points 5", "x", [0.0, 1.0, 2.0, 3.0, 4.0]),
        ("y in 0..0.8 points 5", "y", [0.0, 0.2, 0.4, 0.6, 0.8]),
    ] {
        let sweep = swept(&workplace, &["doses.lotka", range]);
        assert_eq!(
            numbers(&sweep["parameters"][0]["values"]).len(),
            5,
            "{sweep}"
        );
        for (member, value) in values.iter().enumerate() {
            let with = format!("{name}={value}");
            let arguments = ["doses.lotka", "0..10", "--in", "slow", "--with", &with];
            let single = end(&workplace, &arguments);
            let found = [column(&sweep, 0)[member], column(&sweep, 1)[member]];
            for (found, single) in found.iter().zip(&single) {
                assert!(
                    (found - single).abs() < 1e-12,
                    "{with}: {found}, not {single}"
                );
            }
        }
    }
}

#[test]
fn many_members_side_by_side_end_where_single_runs_end() {
    let workplace = Workplace::new();
    // The steps of runs with mu above some hundreds come to the stability limit: these go on by
    // themselves.
    workplace.write(
        "swings.lotka",
        "param mu = 1
         state x = 2, y = 0
         x' = y
         y' = mu*(1 - x^2)*y - x",
    );
    let arguments = [
        "swings.lotka",
        "mu in 0.1..1000 log points 21",
        "--for",
        "0..10",
    ];
    let sweep = swept(&workplace, &arguments);
    let values = numbers(&sweep["parameters"][0]["values"]);
    assert_eq!(values.len(), 21);
    for (member, mu) in values.iter().enumerate() {
        let with = format!("mu={mu}");
        let single = end(&workplace, &["swings.lotka", "0..10", "--with", &with]);
        let found = column(&sweep, 0)[member];
        assert!(
            (found - single[0]).abs() < 1e-4,
            "{with}: {found}, not {}",
            single[0]
        );
    }
}

#[test]
fn one_thread_and_two_give_the_same_bytes() {
    let workplace = Workplace::new();
    for rest in [
        &[
            "alpha in 0..2 points 30",
            "--of",
            "max(prey)",
            "--of",
            "prey",
        ][..],
        &["alpha in 0..2 points 20", "beta in 0.1..1 points 15"],
        &["alpha", "beta in 0.1..1", "--sobol", "200"],
    ] {
        let bytes = |threads: &str| {
            let mut all = vec![LOTKA_VOLTERRA];
            all.extend(rest);
            all.extend(["--for", "0..20", "--threads", threads]);
            let printed = spoken(&workplace, &all);
            assert!(printed.status.success(), "{}", printed.both());
            printed.output
        };
        assert_eq!(bytes("1"), bytes("2"), "{rest:?}");
    }
}

#[test]
fn a_table_says_what_is_run_and_a_table_is_written() {
    let workplace = Workplace::new();
    workplace.write("points.csv", "alpha,B\n1.1,0.4\n0.5,0.2\n0.9,0.3\n");
    workplace.write(
        "table.lotka",
        format!(
            "{}\nsweep from \"points.csv\" (beta = B) of prey, max(prey) for 0..10 to \"out.csv\"\n",
            fs::read_to_string(support::root().join(LOTKA_VOLTERRA)).expect("a model")
        ),
    );
    let printed = lotka(workplace.path(), &["run", "table.lotka"], "");
    assert!(printed.status.success(), "{}", printed.both());
    let written = fs::read_to_string(workplace.path().join("out.csv")).expect("a table");
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[0], "alpha,beta,prey,max(prey)");
    assert_eq!(lines.len(), 4);
    let single = end(
        &workplace,
        &[
            LOTKA_VOLTERRA,
            "0..10",
            "--with",
            "alpha=0.5",
            "--with",
            "beta=0.2",
        ],
    );
    assert!(
        lines[2].starts_with(&format!("0.5,0.2,{},", single[0])),
        "{written}"
    );
}

#[test]
fn a_failing_member_is_kept_apart() {
    let workplace = Workplace::new();
    // x = 1/(1 - a t) leaves for infinity at t = 1/a.
    workplace.write("burst.lotka", "param a = 0.5\nstate x = 1\nx' = a*x^2");
    let arguments = ["burst.lotka", "a at 0, 0.5, 2, 1, 4", "--for", "0..0.9"];
    let printed = spoken(&workplace, &arguments);
    assert_eq!(printed.status.code(), Some(4), "{}", printed.both());
    let sweep: Value = serde_json::from_str(&printed.output).expect("JSON");
    let ends = column(&sweep, 0);
    for (member, a) in [(0, 0.0), (1, 0.5), (3, 1.0)] {
        let exact = 1.0 / (1.0 - 0.9 * a);
        assert!((ends[member] / exact - 1.0).abs() < 1e-4, "{ends:?}");
    }
    assert!(ends[2].is_nan() && ends[4].is_nan(), "{ends:?}");
    let failed = sweep["failed"].as_array().expect("a list");
    let members: Vec<u64> = failed
        .iter()
        .filter_map(|one| one["member"].as_u64())
        .collect();
    assert_eq!(members, [2, 4]);
    assert_eq!(sweep["complete"], Value::Bool(false));
    assert!(printed.errors.contains("a = 2"), "{}", printed.errors);
    // The same for many, side by side.
    let arguments = ["burst.lotka", "a in 0..4 points 41", "--for", "0..0.9"];
    let sweep: Value = serde_json::from_str(&spoken(&workplace, &arguments).output).expect("JSON");
    let failed = sweep["failed"].as_array().expect("a list");
    assert_eq!(failed.len(), 29);
    assert!(
        failed.iter().all(|one| one["code"] == "E0602"),
        "{failed:?}"
    );
    assert_eq!(column(&sweep, 0).iter().filter(|x| x.is_nan()).count(), 29);
}

/// A sentence performed by a session that may be interrupted.
fn said(after: u32, sentence: &str) -> (SweepAnswer, bool) {
    let mut session = Session::new(Arc::new(Impatient::new(after)));
    let file = support::root().join(LOTKA_VOLTERRA);
    session.load(&file).expect("a model");
    let commands = session.understand(sentence).expect("a sentence");
    let [Command::Sweep(command)] = commands.as_slice() else {
        panic!("{commands:?}");
    };
    let command: &Sweep = command;
    let all = Command::Sweep(Box::new(command.clone()));
    let performed = session.perform(&all, &mut ()).expect("numbers");
    let complete = performed.is_complete();
    match performed.outcome {
        Outcome::Swept(drawn) => ((*drawn.answer).clone(), complete),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_interrupt_keeps_what_is_done() {
    let sentence = "sweep alpha in 0.5..1.5 points 300 of max(prey) for 0..20";
    let (whole, complete) = said(u32::MAX, sentence);
    assert!(complete && whole.count == 300);
    let (part, complete) = said(20_000, sentence);
    assert!(!complete && part.interrupted);
    assert!(part.count > 0 && part.count < 300, "{}", part.count);
    assert_eq!(part.values[..], whole.values[..part.count]);
}

// ---- maps ----

/// How many different numbers there are, up to a relative 1e-6.
fn distinct(orbit: &Value) -> usize {
    let mut found: Vec<f64> = Vec::new();
    for number in numbers(orbit) {
        if found.iter().all(|known| (known - number).abs() > 1e-6) {
            found.push(number);
        }
    }
    found.len()
}

#[test]
fn orbits_of_the_logistic_map_double() {
    // Exact: 3 and 1 + sqrt(6); the third doubling after M. J. Feigenbaum, J. Stat. Phys. 19 (1978)
    // 25-52.
    let doublings = [(3.0, 1), (1.0 + 6.0_f64.sqrt(), 2), (3.544_090, 4)];
    let workplace = Workplace::new();
    for (r, before) in doublings {
        // The multiplier just beside is near 1: orbits come in slowly.
        let range = format!("r at {}, {}", r - 0.002, r + 0.002);
        let arguments = [
            "models/logistic_map.lotka",
            &range,
            "--of",
            "x",
            "--last",
            "32",
            "--for",
            "0..40000",
        ];
        let sweep = swept(&workplace, &arguments);
        let orbits = sweep["columns"][0]["values"].as_array().expect("orbits");
        assert_eq!(orbits[0].as_array().map(Vec::len), Some(32));
        assert_eq!(distinct(&orbits[0]), before, "below {r}");
        assert_eq!(distinct(&orbits[1]), 2 * before, "above {r}");
    }
}

#[test]
fn rates_of_gradient_descent_part_at_one_and_two() {
    // w(n) = (1 - eta*h)^n on a parabola: monotone below eta*h = 1, there at once at 1, alternating
    // up to 2, and beyond it leaves.
    let workplace = Workplace::new();
    let arguments = [
        "models/gradient_descent.lotka",
        "eta at 0.3, 0.9, 1, 1.1, 1.9, 2.1",
        "--in",
        "plain",
        "--of",
        "w",
        "--last",
        "60",
        "--for",
        "1..60",
    ];
    let sweep = swept(&workplace, &arguments);
    let rates = numbers(&sweep["parameters"][0]["values"]);
    let orbits = sweep["columns"][0]["values"].as_array().expect("orbits");
    for (eta, orbit) in rates.iter().zip(orbits) {
        let orbit: Vec<f64> = numbers(orbit)
            .into_iter()
            .filter(|w| w.is_finite())
            .collect();
        assert_eq!(orbit.len(), 60);
        let shrinks = orbit.windows(2).all(|pair| pair[1].abs() <= pair[0].abs());
        let alternates = orbit.windows(2).all(|pair| pair[0] * pair[1] < 0.0);
        let stays = orbit.windows(2).all(|pair| pair[0] * pair[1] > 0.0);
        match *eta {
            eta if eta < 1.0 => assert!(shrinks && stays, "{eta}"),
            eta if eta == 1.0 => assert!(orbit.iter().all(|w| *w == 0.0), "{eta}"),
            eta if eta < 2.0 => assert!(shrinks && alternates, "{eta}"),
            eta => assert!(!shrinks && alternates && orbit[59].abs() > 100.0, "{eta}"),
        }
    }
}

/// The weights of algorithm 1 of Kingma & Ba, in their words.
fn adam(eta: f64, steps: i32) -> [f64; 2] {
    let (beta1, beta2, epsilon) = (0.9_f64, 0.999_f64, 1e-8);
    let curvature = [1.0, 100.0];
    let mut theta = [3.0, 2.0];
    let (mut m, mut v) = ([0.0; 2], [0.0; 2]);
    for t in 1..=steps {
        for i in 0..2 {
            let g = curvature[i] * theta[i];
            m[i] = beta1 * m[i] + (1.0 - beta1) * g;
            v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
            let m_hat: f64 = m[i] / (1.0 - beta1.powi(t));
            let v_hat: f64 = v[i] / (1.0 - beta2.powi(t));
            theta[i] -= eta * m_hat / (v_hat.sqrt() + epsilon);
        }
    }
    theta
}

#[test]
fn adam_goes_as_published() {
    let workplace = Workplace::new();
    for steps in [1, 2, 3, 10, 200] {
        let range = format!("0..{steps}");
        let arguments = ["models/adam.lotka", "eta at 0.01, 0.1", "--for", &range];
        let sweep = swept(&workplace, &arguments);
        for (member, eta) in [0.01, 0.1].into_iter().enumerate() {
            let expected = adam(eta, steps);
            let found = [column(&sweep, 0)[member], column(&sweep, 1)[member]];
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{steps}: {found}, not {expected}"
                );
            }
        }
    }
    // By hand: the first step is as long as the rate for any gradient.
    let sweep = swept(
        &workplace,
        &["models/adam.lotka", "eta at 0.1", "--for", "0..1"],
    );
    assert!((column(&sweep, 0)[0] - 2.9).abs() < 1e-8);
    assert!((column(&sweep, 1)[0] - 1.9).abs() < 1e-8);
}

#[test]
fn figures_are_drawn_into_files() {
    let workplace = Workplace::new();
    for (rest, file) in [
        (
            &["alpha in 0.1..2 points 9", "--of", "max(prey)"][..],
            "curve.svg",
        ),
        (
            &["alpha points 5", "beta in 0.1..1 points 4", "--of", "prey"],
            "map.png",
        ),
        (&["alpha points 5", "beta in 0.1..1 points 4"], "maps.svg"),
        (
            &["alpha points 30", "--of", "prey", "--last", "20"],
            "orbits.svg",
        ),
    ] {
        let mut all = vec!["sweep", LOTKA_VOLTERRA];
        all.extend(rest);
        all.extend(["--for", "0..10", "--to", file]);
        let printed = lotka(workplace.path(), &all, "");
        assert!(printed.status.success(), "{}", printed.both());
        let bytes = fs::read(workplace.path().join(file)).expect("a figure");
        let is_svg = bytes.starts_with(b"<svg");
        assert!(is_svg || bytes.starts_with(b"\x89PNG"), "{file}");
    }
}
