//! Whole runs from model text against numbers that this project did not make: published end
//! values, exact solutions, conservation laws.
//!
//! Enters: model texts, and the initial value problems in the folder of shared data (named by
//! `LOTKA_SHARED`, else looked for beside and above the project). Leaves: errors within what the
//! tolerances promise.

#[path = "support/library.rs"]
mod library;
mod support;

use library::{column, compile, last, simulate};
use lotka::model::Model;
use lotka::session::{Compiled, Trajectory};
use lotka::simulate::Method;
use lotka::system::{ConservationLaw, conservation_laws, linear_form};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The shared data, when they are there.
fn shared() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("LOTKA_SHARED") {
        let folder = PathBuf::from(folder);
        return [folder.join("data"), folder]
            .into_iter()
            .find(|f| f.join("ivp").is_dir());
    }
    let above = support::root().ancestors().skip(1);
    above
        .map(|folder| folder.join("shared/data"))
        .find(|folder| folder.join("ivp").is_dir())
}

/// Published initial value problems; `None` when there are no shared data, which is said.
fn reference_problems() -> Option<Value> {
    let Some(folder) = shared() else {
        println!("skipped: no shared data; name their folder in LOTKA_SHARED");
        return None;
    };
    let text = fs::read_to_string(folder.join("ivp/reference.json")).expect("the reference values");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    Some(all["problems"].clone())
}

/// A JSON list of texts; none when it is missing.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().into_iter().flatten();
    list.map(|text| text.as_str().expect("a text"))
}

/// The problem as a model text, its equations and definitions letter by letter.
fn model_text(problem: &Value) -> String {
    let mut lines = Vec::new();
    for (name, value) in problem["parameters"].as_object().into_iter().flatten() {
        lines.push(format!("param {name} = {value}"));
    }
    let initial = problem["y0"].as_array().expect("initial values");
    for (at, value) in initial.iter().enumerate() {
        lines.push(format!("state y{} = {value}", at + 1));
    }
    lines.extend(texts(&problem["definitions"]).map(|text| format!("let {text}")));
    lines.extend(texts(&problem["equations"]).map(str::to_owned));
    lines.join("\n")
}

/// Largest relative error of the end values, as the test set measures it.
fn error_of(problem: &Value, method: &str, relative: f64, absolute: f64) -> f64 {
    let compiled = compile(&model_text(problem));
    let (start, end) = (&problem["t0"], &problem["t1"]);
    let sentence =
        format!("simulate {start}..{end} at {end} rtol {relative} atol {absolute} using {method}");
    let trajectory = simulate(&compiled, &sentence);
    let (_, found) = trajectory.solution.last().expect("a row");
    texts(&problem["reference"])
        .zip(found)
        .map(|(text, found)| {
            let expected: f64 = text.parse().expect("a number");
            ((found - expected) / expected).abs()
        })
        .fold(0.0, f64::max)
}

#[test]
fn stiff_problems_end_at_their_published_values() {
    let Some(problems) = reference_problems() else {
        return;
    };
    for name in ["VDPOL", "OREGO", "POLLU"] {
        for method in ["rodas", "bdf", "auto"] {
            // A component of POLLU ends at 4e-18: the absolute tolerance lies far below.
            for (relative, absolute, allowed) in [(1e-6, 1e-24, 2e-4), (1e-10, 1e-28, 1e-7)] {
                let error = error_of(&problems[name], method, relative, absolute);
                println!("{name} {method} {relative:e}: {error:.1e}");
                assert!(error < allowed, "{name} by {method} at {relative}: {error}");
            }
        }
    }
}

#[test]
fn the_pleiades_end_at_their_published_places() {
    let Some(problems) = reference_problems() else {
        return;
    };
    for method in ["tsit5", "tsit45", "auto"] {
        for (relative, absolute, allowed) in [(1e-6, 1e-10, 2e-3), (1e-10, 1e-12, 1e-6)] {
            let error = error_of(&problems["PLEIADES"], method, relative, absolute);
            println!("PLEIADES {method} {relative:e}: {error:.1e}");
            assert!(
                error < allowed,
                "PLEIADES by {method} at {relative}: {error}"
            );
        }
    }
}

/// The methods that take the model's equations.
fn methods_for(compiled: &Compiled) -> impl Iterator<Item = Method> {
    let linear = linear_form(&compiled.system);
    let fits = move |method: &Method| *method != Method::Exponential || linear;
    Method::ALL.into_iter().filter(fits)
}

/// An observed expression and its exact value at a time.
type Exact<'a> = (&'a str, &'a dyn Fn(f64) -> f64);

/// Runs at three tolerances with every method: errors stay within 100 tolerances of the largest
/// value, and shrink with the tolerance.
fn check_exact(text: &str, end: f64, exact: &[Exact<'_>]) {
    let compiled = compile(text);
    for method in methods_for(&compiled) {
        let mut errors = Vec::new();
        for tolerance in [1e-5, 1e-7, 1e-9] {
            // Low orders pay dearly for digits.
            if tolerance < 1e-8 && matches!(method, Method::TrBdf2) {
                continue;
            }
            let sentence = format!(
                "simulate 0..{end} points 21 rtol {tolerance} atol {} using {method}",
                tolerance * 1e-3
            );
            let trajectory = simulate(&compiled, &sentence);
            let error = exact
                .iter()
                .map(|(name, value)| relative_error(&trajectory, name, *value))
                .fold(0.0, f64::max);
            assert!(error < 100.0 * tolerance, "{text}\n{sentence}: {error}");
            errors.push(error);
        }
        let (first, final_one) = (errors[0], errors[errors.len() - 1]);
        assert!(
            final_one < 0.1 * first || final_one < 1e-12,
            "{text}\nby {method}: {errors:?} do not shrink"
        );
    }
}

/// The largest error over the run by the largest exact value.
fn relative_error(trajectory: &Trajectory, name: &str, exact: &dyn Fn(f64) -> f64) -> f64 {
    let found = column(trajectory, name);
    let exact: Vec<f64> = trajectory.times().iter().map(|time| exact(*time)).collect();
    let size = exact
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let pairs = found.iter().zip(&exact);
    pairs.map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
}

#[test]
fn decay_chains_follow_bateman() {
    // H. Bateman, Proc. Cambridge Phil. Soc. 15 (1910) 423-427.
    let (k1, k2, k3) = (1.0, 0.4, 0.15);
    let term =
        |k: f64, others: [f64; 2], t: f64| (-k * t).exp() / ((others[0] - k) * (others[1] - k));
    check_exact(
        &format!("species A = 10, B = 0, C = 0\nA -> B, {k1}\nB -> C, {k2}\nC -> 0, {k3}"),
        12.0,
        &[
            ("A", &|t| 10.0 * (-k1 * t).exp()),
            ("B", &|t| {
                10.0 * k1 / (k2 - k1) * ((-k1 * t).exp() - (-k2 * t).exp())
            }),
            ("C", &|t| {
                let sum = term(k1, [k2, k3], t) + term(k2, [k1, k3], t) + term(k3, [k1, k2], t);
                10.0 * k1 * k2 * sum
            }),
        ],
    );
}

#[test]
fn a_bolus_falls_in_two_exponentials() {
    // M. Gibaldi and D. Perrier, Pharmacokinetics, 2nd ed. (1982), ch. 2: rates alpha and beta
    // from alpha + beta = k10 + k12 + k21 and alpha*beta = k10*k21.
    let (v1, v2, k10, k12, k21) = (5.0, 20.0, 0.3, 0.5, 0.2);
    let (sum, product): (f64, f64) = (k10 + k12 + k21, k10 * k21);
    let root = (sum * sum - 4.0 * product).sqrt();
    let (alpha, beta) = ((sum + root) / 2.0, (sum - root) / 2.0);
    let start = 100.0 / v1;
    check_exact(
        &format!(
            "compartment central = {v1} [L]
             compartment peripheral = {v2} [L]
             species C1 in central = 100/central [mg/L]
             species C2 in peripheral = 0 [mg/L]
             C1 <-> C2, {k12}, {k21}
             C1 -> 0, {k10}"
        ),
        24.0,
        &[
            ("C1", &|t| {
                let fast = (alpha - k21) * (-alpha * t).exp();
                start * (fast + (k21 - beta) * (-beta * t).exp()) / (alpha - beta)
            }),
            // Amounts move, so the concentration carries the ratio of the volumes.
            ("C2", &|t| {
                let rise = (-beta * t).exp() - (-alpha * t).exp();
                start * k12 * v1 / v2 * rise / (alpha - beta)
            }),
        ],
    );
}

#[test]
fn logistic_growth_is_exact() {
    // P.-F. Verhulst, Corr. Math. Phys. 10 (1838) 113-121.
    let (r, k, x0) = (0.7, 50.0, 2.0);
    check_exact(
        &format!("param r = {r}, K = {k}\nstate x = {x0}\nx' = r*x*(1 - x/K)"),
        15.0,
        &[("x", &|t| k / (1.0 + (k / x0 - 1.0) * (-r * t).exp()))],
    );
}

#[test]
fn dimers_settle_at_the_law_of_mass_action() {
    // kon L^2 = koff D and L + 2 D = L0: a quadratic equation for L.
    let (kon, koff, total) = (0.5, 0.1, 1.0_f64);
    let k = 2.0 * kon / koff;
    let free = ((1.0 + 4.0 * k * total).sqrt() - 1.0) / (2.0 * k);
    let compiled = compile(&format!(
        "species L = {total}, D = 0\n2 L <-> D, {kon}, {koff}"
    ));
    for method in methods_for(&compiled) {
        for tolerance in [1e-5, 1e-8] {
            let sentence = format!(
                "simulate 0..200 rtol {tolerance} atol {} using {method}",
                tolerance * 1e-3
            );
            let trajectory = simulate(&compiled, &sentence);
            let error = (last(&trajectory, "L") / free - 1.0).abs();
            assert!(error < 10.0 * tolerance, "{sentence}: {error}");
        }
    }
}

/// The volume that turns a species into an amount, by the parameters of a run.
fn volume(trajectory: &Trajectory, law: &ConservationLaw, term: usize) -> f64 {
    let Some(id) = law.terms[term].compartment else {
        return 1.0;
    };
    let block = trajectory.compiled.system.parameters.blocks()[id.index()];
    trajectory.parameters[block.offset]
}

/// How far a law strays along a run, by the sum of its terms' sizes at the start.
fn drift_of_law(trajectory: &Trajectory, law: &ConservationLaw) -> f64 {
    let blocks = trajectory.compiled.system.states.blocks();
    let terms = |state: &[f64]| -> Vec<f64> {
        let numbers = law.terms.iter().enumerate();
        numbers
            .map(|(at, term)| {
                let position = blocks[term.species.index()].offset + term.element as usize;
                term.coefficient * volume(trajectory, law, at) * state[position]
            })
            .collect()
    };
    let start = terms(trajectory.solution.row(0).expect("a row"));
    let (total, size): (f64, f64) = (
        start.iter().sum(),
        start.iter().map(|term| term.abs()).sum(),
    );
    (0..trajectory.times().len())
        .map(|row| {
            let now: f64 = terms(trajectory.solution.row(row).expect("a row"))
                .iter()
                .sum();
            (now - total).abs() / size
        })
        .fold(0.0, f64::max)
}

#[test]
fn conservation_laws_hold_along_every_run() {
    for path in support::model_files() {
        let name = path.display();
        let text = fs::read_to_string(&path).expect("a model file");
        let compiled = compile(&text);
        let laws = conservation_laws(&compiled.model);
        if laws.is_empty() {
            continue;
        }
        let range = text
            .lines()
            .find_map(|line| line.strip_prefix("simulate "))
            .and_then(|rest| rest.split_whitespace().next())
            .expect("a range");
        for method in methods_for(&compiled) {
            // An explicit method cannot finish the stiffest ones, and says so.
            if method.is_explicit()
                && ["robertson", "pollu"]
                    .iter()
                    .any(|stiff| text.contains(&format!("model {stiff}")))
            {
                continue;
            }
            for tolerance in [1e-4, 1e-6] {
                let sentence = format!("simulate {range} rtol {tolerance} using {method}");
                let trajectory = simulate(&compiled, &sentence);
                for law in &laws {
                    let strayed = drift_of_law(&trajectory, law);
                    assert!(
                        strayed < 10.0 * tolerance,
                        "{name}: {sentence}: {law:?} strays by {strayed:e}"
                    );
                }
            }
        }
    }
}

/// Laws as text, sorted: `C + R`, `2*D + L`.
fn law_texts(model: &Model) -> Vec<String> {
    let term = |law: &ConservationLaw, at: usize| {
        let term = law.terms[at];
        let state = &model.states[term.species.index()];
        let name = model.element_name(&state.name, &state.indices, term.element as usize);
        match term.coefficient {
            1.0 => name,
            other => format!("{other}*{name}"),
        }
    };
    let mut texts: Vec<String> = conservation_laws(model)
        .iter()
        .map(|law| {
            let mut terms: Vec<String> = (0..law.terms.len()).map(|at| term(law, at)).collect();
            terms.sort();
            terms.join(" + ")
        })
        .collect();
    texts.sort();
    texts
}

fn laws_of(text: &str) -> Vec<String> {
    law_texts(&compile(text).model)
}

fn model_file(name: &str) -> Arc<Compiled> {
    let path = support::root().join("models").join(name);
    compile(&fs::read_to_string(path).expect("a model file"))
}

#[test]
fn the_totals_of_the_cascade_are_found() {
    // Huang and Ferrell (1996): each of the seven proteins is conserved.
    assert_eq!(
        law_texts(&model_file("mapk.lotka").model),
        [
            "E1 + KKK_E1",
            "E2 + KKKp_E2",
            "K + K_KKpp + Kp + Kp_KKpp + Kp_KPase + Kpp + Kpp_KPase",
            "KK + KK_KKKp + KKp + KKp_KKKp + KKp_KKPase + KKpp + KKpp_KKPase + K_KKpp + Kp_KKpp",
            "KKK + KKK_E1 + KKKp + KKKp_E2 + KK_KKKp + KKp_KKKp",
            "KKPase + KKp_KKPase + KKpp_KKPase",
            "KPase + Kp_KPase + Kpp_KPase",
        ]
    );
}

#[test]
fn small_networks_have_the_laws_one_expects() {
    assert_eq!(
        law_texts(&model_file("receptor_binding.lotka").model),
        ["C + L", "C + R"]
    );
    assert_eq!(
        laws_of("species L = 1, D = 0\n2 L <-> D, 1, 1"),
        ["2*D + L"]
    );
    // Nothing is conserved when something flows in and out.
    assert!(laws_of("species A = 1, B = 0\n0 -> A, 1\nA -> B, 1\nB -> 0, 1").is_empty());
    assert!(laws_of("state x = 1\nx' = -x").is_empty());
    // Catalysis: the catalyst alone, and what it turns over.
    assert_eq!(
        laws_of("species A = 1, B = 0, E = 2\nA + E -> B + E, 1"),
        ["A + B", "E"]
    );
    // A law may be a difference: what binds alike leaves alike.
    assert_eq!(laws_of("species A = 1, B = 2\nA + B -> 0, 1"), ["-1*B + A"]);
}

#[test]
fn fractional_coefficients_give_whole_laws() {
    // 0.1 A gives 0.3 B: as many B as three times the A that are gone.
    assert_eq!(
        laws_of("species A = 1, B = 0\n0.1 A -> 0.3 B, 1"),
        ["3*A + B"]
    );
    assert_eq!(
        laws_of("species G = 1, X = 0, P = 0\nG -> 0.45 X + 0.7 P, 1\nX -> P, 1"),
        ["20*P + 20*X + 23*G"]
    );
}

#[test]
fn different_volumes_conserve_amounts() {
    let compiled = compile(
        "compartment V1 = 5, V2 = 20
         species C1 in V1 = 2, C2 in V2 = 0
         C1 <-> C2, 0.3, 0.1",
    );
    let laws = conservation_laws(&compiled.model);
    assert_eq!(law_texts(&compiled.model), ["C1 + C2"]);
    assert!(!laws[0].same_compartment);
    let trajectory = simulate(&compiled, "simulate 0..60 rtol 1e-8");
    assert!(drift_of_law(&trajectory, &laws[0]) < 1e-12);
    // The concentrations themselves are not conserved: they end equal in flux, 5*0.3*C1 = 20*0.1*C2.
    let (c1, c2) = (last(&trajectory, "C1"), last(&trajectory, "C2"));
    assert!((c1 + c2 - 2.0).abs() > 0.1 && (1.5 * c1 - 2.0 * c2).abs() < 1e-5);
}

#[test]
fn laws_of_large_networks_are_found_at_once() {
    let closed = compile(
        "let N = 1000
         index link = 1..N
         species S[link] = 0.1
         for i in 1..N-1 { S[i] <-> S[i+1], 1, 0.5 }",
    );
    let before = Instant::now();
    let laws = conservation_laws(&closed.model);
    let open = conservation_laws(&model_file("chain_1000.lotka").model);
    // Many enzymes, each with its own law.
    let enzymes = compile(
        "let N = 300
         index link = 1..N
         species S[link] = 1, E[link] = 1, ES[link] = 0
         for i in 1..N-1 { S[i] + E[i] <-> ES[i], 1, 1; ES[i] -> S[i+1] + E[i], 1 }",
    );
    let many = conservation_laws(&enzymes.model);
    let took = before.elapsed();
    assert_eq!((laws.len(), laws[0].terms.len()), (1, 1000));
    assert!(laws[0].terms.iter().all(|term| term.coefficient == 1.0));
    assert!(open.is_empty());
    assert_eq!(many.len(), 300);
    println!("conservation laws of three large networks: {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}
