//! How branches are followed, whatever they are of.

use super::jet::{Jet, flow};
use super::*;
use crate::analyze::continuation::Unstarted;
use proptest::prelude::*;

/// The circle u² + p² = 1, and with it the other branches of this family.
#[test]
fn an_isola_closes() {
    let family = flow(1, |x| vec![x[0] * x[0] + x[1] * x[1] - 1.0]);
    let found = over(&family, &[0.0, 1.0], (-2.0, 2.0));
    assert_eq!(kinds(&found), ["LP", "LP"]);
    assert_eq!(found.branches.len(), 1);
    assert_eq!(ends(&found.branches[0]), [End::Closed, End::Closed]);
    let found = over(&family, &[1.0, 0.0], (-2.0, 2.0));
    assert_eq!(kinds(&found), ["LP", "LP"]);
}

/// Branches of (p - sin u)(u - 20 p) = 0.
#[test]
fn many_folds() {
    let family = flow(1, |x| {
        let i = (x[0] * 1.0).tanh();
        let _ = i;
        vec![sine(x[0]) - x[1]]
    });
    let found = in_box(&family, &[0.0, 0.0], (-2.0, 2.0), &[(-40.0, 40.0)]);
    // sin u = +-1 at odd multiples of pi/2 within 40: 13 on each side.
    assert_eq!(found.specials.len(), 26);
    assert!(
        found.branches[0]
            .ends
            .iter()
            .all(|end| matches!(end, End::Bound { state: 0, .. }))
    );
}

/// sin by its Taylor series around the nearest multiple of pi.
fn sine(x: Jet) -> Jet {
    let turns = (x.value() / std::f64::consts::PI).round();
    let x = x - turns * std::f64::consts::PI;
    let mut term = x;
    let mut sum = x;
    for k in 1..14 {
        let k = f64::from(k);
        term = term * x * x * (-1.0 / (2.0 * k * (2.0 * k + 1.0)));
        sum = sum + term;
    }
    if turns.rem_euclid(2.0) == 0.0 {
        sum
    } else {
        -sum
    }
}

#[test]
fn a_discontinuity_stops_a_branch() {
    let family = flow(1, |x| {
        let jump = if x[0].value() > 1.0 { 2.0 } else { 0.0 };
        vec![x[1] - x[0] + jump]
    });
    let found = over(&family, &[0.0, 0.0], (-2.0, 2.0));
    let branch = &found.branches[0];
    assert!(
        branch.ends.contains(&End::StepTooSmall),
        "{:?}",
        branch.ends
    );
    let last = branch.points.iter().map(|p| p.x[1]).fold(-9.0, f64::max);
    assert!((last - 1.0).abs() < 1e-6, "{last}");
}

#[test]
fn the_edge_of_a_square_root() {
    // u = sqrt(1 - p): nothing beyond p = 1, where the slope is infinite.
    let family = flow(1, |x| vec![(1.0 - x[1]).sqrt() - x[0]]);
    let found = over(&family, &[1.0, 0.0], (-1.0, 2.0));
    let ends = found.branches[0].ends;
    assert!(ends.contains(&End::Range), "{ends:?}");
    assert!(
        ends.iter()
            .any(|end| matches!(end, End::NotFinite | End::StepTooSmall)),
        "{ends:?}"
    );
    // The same with its end in the range: exactly there.
    let found = over(&family, &[1.0, 0.0], (-1.0, 0.5));
    assert_eq!(found.branches[0].ends, [End::Range, End::Range]);
}

#[test]
fn bad_starts() {
    let options = |interrupted: &'static dyn Fn() -> bool| Options {
        range: (-1.0, 1.0),
        sizes: &[1.0],
        bounds: &[(-10.0, 10.0)],
        most_points: 100,
        most_branches: 5,
        admissible: &|_| true,
        interrupted,
    };
    let none = flow(1, |x| vec![x[0] * x[0] + x[1] * x[1] + 1.0]);
    let found = diagram(
        &none,
        &[vec![0.5, 0.5], vec![f64::NAN, 0.0], vec![0.0]],
        &options(&|| false),
    );
    assert_eq!(found.unstarted.len(), 3, "{found:?}");
    assert_eq!(found.unstarted[1].1, Unstarted::NotFinite);
    assert_eq!(found.unstarted[2].1, Unstarted::NotFinite);
    let line = flow(1, |x| vec![(x[0] - x[1]) * (x[0] - x[1])]);
    let found = diagram(&line, &[vec![0.5, 0.5]], &options(&|| false));
    assert_eq!(found.unstarted, [(0, Unstarted::Singular)]);
    let plain = flow(1, |x| vec![x[0] - x[1]]);
    let found = diagram(&plain, &[vec![0.5, 0.5]], &options(&|| true));
    assert!(found.interrupted);
    assert_eq!(found.branches[0].ends[1], End::Interrupted);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Cubic systems with random coefficients: every point solves the equations, and neighbours
    /// are joined by smooth pieces.
    #[test]
    fn random_cubics(c in prop::collection::vec(-1.0..1.0_f64, 24), start in -1.0..1.0_f64) {
        let of = c.clone();
        let offset = [start * start - 0.3, start];
        let family = flow(2, move |x| {
            let f = |c: &[f64], x: &[Jet]| {
                let (u, v, p) = (x[0], x[1], x[2]);
                u * c[0] + v * c[1] + p * c[2] + u * u * c[3] + u * v * c[4] + v * v * c[5]
                    + u * p * c[6] + v * p * c[7] + u * u * u * c[8] + u * u * v * c[9]
                    + u * v * v * c[10] + v * v * v * c[11]
            };
            // Moved so that the start solves them.
            let at = |c: &[f64]| {
                let y: Vec<Jet> = [start, offset[0], offset[1]].map(Jet::from).to_vec();
                f(c, &y).value()
            };
            vec![f(&of[..12], x) - at(&of[..12]), f(&of[12..], x) - at(&of[12..])]
        });
        let found = in_box(&family, &[start, offset[0], offset[1]], (-2.0, 2.0), &[(-5.0, 5.0); 2]);
        for branch in &found.branches {
            for three in branch.points.windows(3) {
                let [a, b, c] = three else { continue };
                let way = |a: &[f64], b: &[f64]| [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
                let (d, e) = (way(&a.x, &b.x), way(&b.x, &c.x));
                let dot: f64 = d.iter().zip(&e).map(|(d, e)| d * e).sum();
                prop_assert!(dot >= -1e-12, "turns back at {:?}", b.x);
            }
        }
    }
}
