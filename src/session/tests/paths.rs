//! Paths of chance from their sentence to numbers.

use super::compile;
use crate::session::{Compiled, Outcome, Session, Trajectory};
use crate::simulate::Stop;
use crate::world::SystemWorld;
use std::path::PathBuf;
use std::sync::Arc;

/// Every reaction makes one X: what is there at the end is the number of reactions, and the area
/// below the stairs is what the rows say.
#[test]
fn measures_of_counted_reactions_are_those_of_their_rows() {
    let compiled = compile(
        "species X = 0
        0 -> X, 2",
    );
    let run = compiled.simulate("0..10 seed 3 using ssa").expect("a path");
    let x = run.column("X").expect("a state");
    let made = x.last().copied().expect("a row");
    assert!(made > 0.0);
    // The start, two rows for each reaction, the end.
    assert_eq!(x.len() as u64, 2 + 2 * run.solution.statistics.steps);
    let measured = |text: &str| run.measure(text).expect("a measure").value;
    assert_eq!(measured("max(X)"), made);
    assert_eq!(measured("last(X)"), made);
    assert_eq!(measured("first(X)"), 0.0);
    let stairs = run.times().windows(2).zip(&x);
    let area: f64 = stairs
        .map(|(time, height)| height * (time[1] - time[0]))
        .sum();
    assert!((measured("auc(X)") - area).abs() < 1e-12 * area);
}

const NOISE: &str = "param theta = 1, s = 0.5
    state x = 0
    wiener W
    x' = -theta*x + s*W'";

/// The outcomes of sentences, one after the other.
fn perform(compiled: Arc<Compiled>, sentences: &[&str]) -> Vec<Outcome> {
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session.install(PathBuf::new(), compiled);
    let mut outcomes = Vec::new();
    for sentence in sentences {
        for command in session.understand(sentence).expect("a sentence") {
            let performed = session.perform(&command, &mut ());
            let performed = performed.unwrap_or_else(|problems| panic!("{problems:#?}"));
            outcomes.push(performed.outcome);
        }
    }
    outcomes
}

fn run(outcome: &Outcome) -> &Trajectory {
    match outcome {
        Outcome::Simulated(run) => run,
        other => panic!("no run: {other:?}"),
    }
}

#[test]
fn measures_are_of_the_path_that_is_there() {
    for method in ["exact", "sra1 dt 0.03", "srk", "euler_maruyama dt 0.07"] {
        let sentence = format!("simulate 0..10 step 0.1 using {method}");
        let outcomes = perform(compile(NOISE), &[&sentence, "measure last(x), max(x)"]);
        let x = run(&outcomes[0]).column("x").expect("a state");
        let Outcome::Measured(measured) = &outcomes[1] else {
            panic!("no measures");
        };
        let value = |at: usize| measured[0].rows[at].measured.map(|found| found.value);
        assert_eq!(value(0), x.last().copied(), "{method}");
        let highest = x.iter().copied().reduce(f64::max);
        assert_eq!(value(1), highest, "{method}");
    }
}

/// A path that goes on has random numbers of its own, whatever clock it is given: from the same state
/// the same numbers would make the same path.
#[test]
fn a_path_that_goes_on_meets_other_noise() {
    let again = "simulate 0..10 step 1 from last with x = 0";
    let outcomes = perform(compile(NOISE), &["simulate 0..10 step 1", again, again]);
    let columns: Vec<Vec<f64>> = (outcomes.iter())
        .map(|outcome| run(outcome).column("x").expect("a state"))
        .collect();
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        assert_eq!(columns[a][0], columns[b][0]);
        assert_ne!(columns[a][1..], columns[b][1..]);
    }
    // An ensemble that goes on, too.
    let many = "simulate 0..10 at 0, 10 from last with x = 0 paths 3";
    let outcomes = perform(compile(NOISE), &["simulate 0..10 at 0, 10", many]);
    let end = run(&outcomes[0]).column("x").expect("a state")[1];
    let Outcome::Ensemble(ensemble) = &outcomes[1] else {
        panic!("no ensemble");
    };
    assert!(ensemble.samples.iter().all(|path| path[1] != end));
}

/// Exact: without noise the state before each dose is d q/(1 - q) with q = exp(-k tau).
#[test]
fn steady_doses_begin_where_the_equations_without_noise_settle() {
    let compiled = compile(
        "param k = 0.3, s = 0.1
        state A = 0
        wiener W
        A' = -k*A + s*A*W'
        dose 10 into A every 4 steady",
    );
    let outcomes = perform(compiled, &["simulate 0..8 step 1 seed 2"]);
    let path = run(&outcomes[0]);
    assert_eq!(path.solution.stop, Stop::Finished);
    let q = (-0.3_f64 * 4.0).exp();
    let at_start = path.column("A").expect("a state")[0];
    assert!((at_start - 10.0 / (1.0 - q)).abs() < 1e-6 * at_start);
}

/// 1/49 times 49 is less than 1 by rounding: one molecule that is left cannot meet another.
#[test]
fn a_single_molecule_in_a_volume_is_one() {
    let compiled = compile(
        "param k = 1
        compartment V = 49
        species A in V = 21/49, B in V = 0
        2 A -> B, k/(1 + B)",
    );
    let outcomes = perform(compiled, &["simulate 0..1e6 points 3 seed 1 using ssa"]);
    let path = run(&outcomes[0]);
    assert_eq!(path.solution.stop, Stop::Finished);
    let left = path.column("A*V").expect("a number")[2];
    assert!((left - 1.0).abs() < 1e-9);
}
