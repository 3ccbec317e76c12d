//! Diagrams of textbook systems against exact or published points.

mod behaviour;
mod flows;
mod jet;
mod maps;

use super::{Branch, Diagram, End, Family, Kind, Options, Special, diagram};

const ANYWHERE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// The diagram over a range from one start, in a box.
fn in_box(family: &dyn Family, start: &[f64], range: (f64, f64), bounds: &[(f64, f64)]) -> Diagram {
    let sizes: Vec<f64> = start[..family.dimension()]
        .iter()
        .map(|u| (1e-3 * u.abs()).max(1e-3))
        .collect();
    let options = Options {
        range,
        sizes: &sizes,
        bounds,
        most_points: 20_000,
        most_branches: 50,
        admissible: &|_| true,
        interrupted: &|| false,
    };
    let found = diagram(family, &[start.to_vec()], &options);
    assert_eq!(found.unstarted, [], "started");
    for branch in &found.branches {
        check(family, branch);
    }
    found
}

fn over(family: &dyn Family, start: &[f64], range: (f64, f64)) -> Diagram {
    let bounds = vec![ANYWHERE; family.dimension()];
    in_box(family, start, range, &bounds)
}

/// Every point solves the equations: the next Newton step is round-off.
fn check(family: &dyn Family, branch: &Branch) {
    let n = family.dimension();
    for point in &branch.points {
        let mut residual = vec![0.0; n];
        let mut jacobian = vec![0.0; n * (n + 1)];
        family.residual(&point.x, &mut residual);
        family.jacobian(&point.x, &mut jacobian);
        for (i, f) in residual.iter().enumerate() {
            let terms = (0..=n).map(|j| (jacobian[j * n + i] * point.x[j]).abs());
            let size = terms.fold(1e-3, f64::max);
            assert!(
                f.abs() < 1e-8 * size,
                "residual {f} of {size} at {:?}",
                point.x
            );
        }
    }
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Fold { .. } => "LP",
        Kind::Crossing(_) => "BP",
        Kind::Hopf { .. } => "H",
        Kind::Doubling { .. } => "PD",
        Kind::Circle { .. } => "NS",
        Kind::Alternation => "ALT",
    }
}

/// All special points by kind, in the order of the parameter.
fn kinds(found: &Diagram) -> Vec<&'static str> {
    sorted(found).iter().map(|s| name(&s.kind)).collect()
}

fn sorted(found: &Diagram) -> Vec<&Special> {
    let mut all: Vec<&Special> = found.specials.iter().collect();
    all.sort_by(|a, b| a.x[a.x.len() - 1].total_cmp(&b.x[b.x.len() - 1]));
    all
}

/// The special points of a kind at this place.
#[track_caller]
fn at<'d>(found: &'d Diagram, kind: &str, x: &[f64]) -> &'d Kind {
    let close = |special: &&Special| {
        name(&special.kind) == kind
            && special
                .x
                .iter()
                .zip(x)
                .all(|(a, b)| (a - b).abs() <= 1e-8 * b.abs().max(1e-2))
    };
    let all: Vec<&Special> = found.specials.iter().filter(close).collect();
    assert_eq!(all.len(), 1, "{kind} at {x:?} among {:?}", found.specials);
    &all[0].kind
}

#[track_caller]
fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-6 * b.abs().max(1e-9), "{a} is not {b}");
}

#[track_caller]
fn fold(found: &Diagram, x: &[f64], coefficient: f64) {
    match at(found, "LP", x) {
        Kind::Fold { coefficient: a } => near(*a, coefficient),
        other => panic!("{other:?}"),
    }
}

/// Frequency and first Lyapunov coefficient.
#[track_caller]
fn hopf(found: &Diagram, x: &[f64], omega: f64, coefficient: f64) {
    match at(found, "H", x) {
        Kind::Hopf { frequency, l1, .. } => {
            near(*frequency, omega);
            near(*l1, coefficient);
        }
        other => panic!("{other:?}"),
    }
}

fn ends(branch: &Branch) -> [End; 2] {
    branch.ends
}
