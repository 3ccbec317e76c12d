//! Paths of chance from their sentence to numbers.

use super::compile;

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
