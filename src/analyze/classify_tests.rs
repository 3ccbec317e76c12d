//! The type of linear systems with eigenvalues known by hand: figure 5.2.8 of S. H. Strogatz,
//! Nonlinear Dynamics and Chaos (1994), and what more dimensions and maps add to it.

use super::classify::{Approach, Class, Kind, Side, beyond, classify};
use super::continuation::Motion;
use super::eigen::{Mode, modes};
use nalgebra::DMatrix;

fn spectrum(motion: Motion, n: usize, rows: &[f64]) -> Vec<Mode> {
    let matrix = DMatrix::from_row_slice(n, n, rows);
    modes(&matrix, |a, b| {
        beyond(motion, *b).total_cmp(&beyond(motion, *a))
    })
    .expect("finite")
}

fn flow(n: usize, rows: &[f64]) -> Class {
    classify(Motion::Flow, &spectrum(Motion::Flow, n, rows), true)
}

fn map(n: usize, rows: &[f64]) -> Class {
    classify(Motion::Map, &spectrum(Motion::Map, n, rows), true)
}

#[test]
fn every_row_of_the_plane() {
    use Side::{Stable, Unstable};
    for (rows, kind) in [
        ([-1.0, 0.0, 0.0, -2.0], Kind::Node(Stable)),
        ([2.0, 1.0, 1.0, 2.0], Kind::Node(Unstable)),
        // Example 5.2.1: eigenvalues 2 and -3.
        ([1.0, 1.0, 4.0, -2.0], Kind::Saddle),
        // Eigenvalues -3 +- sqrt(2).
        ([-3.0, -2.0, -1.0, -3.0], Kind::Node(Stable)),
        ([-1.0, -2.0, 2.0, -1.0], Kind::Spiral(Stable)),
        ([0.1, -1.0, 1.0, 0.1], Kind::Spiral(Unstable)),
        ([0.0, 1.0, -1.0, 0.0], Kind::Center),
        ([2.0, 5.0, -2.0, -2.0], Kind::Center),
        ([-2.0, 0.0, 0.0, -2.0], Kind::Star(Stable)),
        ([0.3, 0.0, 0.0, 0.3], Kind::Star(Unstable)),
        ([-1.0, 1.0, 0.0, -1.0], Kind::DegenerateNode(Stable)),
        // Eigenvalue 0.1 twice, with one eigenvector, (1, 3).
        ([-0.2, 0.1, -0.9, 0.4], Kind::DegenerateNode(Unstable)),
        ([0.0, 0.0, 0.0, -1.0], Kind::Continuum),
        ([1.0, 2.0, 2.0, 4.0], Kind::Continuum),
        ([0.0, 0.0, 0.0, 0.0], Kind::Continuum),
        ([0.0, 1.0, 0.0, 0.0], Kind::UniformMotion),
    ] {
        let found = flow(2, &rows);
        assert_eq!(found.kind, kind, "{rows:?}: {found:?}");
    }
}

#[test]
fn nearly_on_the_border_is_on_it_only_within_rounding() {
    let undecided = flow(2, &[1e-17, 1.0, -1.0, 0.0]);
    assert_eq!(undecided.kind, Kind::Center);
    assert!(undecided.margin <= undecided.rounding);
    let stable = flow(2, &[-1e-9, 1.0, -1.0, 0.0]);
    assert_eq!(stable.kind, Kind::Spiral(Side::Stable));
    // A slow decay beside a fast one is none of rounding's doing.
    let slow = flow(2, &[-1e6, 0.0, 0.0, -1e-6]);
    assert_eq!(slow.kind, Kind::Node(Side::Stable));
}

/// Companion and block matrices, whose eigenvalues are known.
#[test]
fn more_dimensions() {
    let focus = flow(3, &[-1.0, -5.0, 0.0, 5.0, -1.0, 0.0, 0.0, 0.0, 2.0]);
    assert_eq!(
        (focus.kind, focus.stable, focus.unstable),
        (Kind::Saddle, 2, 1)
    );
    assert!(focus.is_saddle_focus());
    let spiral = flow(3, &[-1.0, -5.0, 0.0, 5.0, -1.0, 0.0, 0.0, 0.0, -0.5]);
    assert_eq!(spiral.kind, Kind::Spiral(Side::Stable));
    assert_eq!(spiral.leading.map(|leading| leading.imaginary), Some(0.0));
    // One eigenvalue -1, three times, with one eigenvector, in a basis that hides it.
    let jordan = flow(3, &[-2.0, 1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, -1.0]);
    assert_eq!(
        jordan.kind,
        Kind::DegenerateNode(Side::Stable),
        "{jordan:?}"
    );
    let star = flow(3, &[3.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 3.0]);
    assert_eq!(star.kind, Kind::Star(Side::Unstable));
    // Two like eigenvalues with two eigenvectors beside a third.
    let node = flow(3, &[-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -3.0]);
    assert_eq!(node.kind, Kind::Node(Side::Stable));
}

#[test]
fn maps_by_their_multipliers() {
    for (multiplier, kind, approach) in [
        (0.5, Kind::Node(Side::Stable), Approach::Monotone),
        (-0.5, Kind::Node(Side::Stable), Approach::Alternating),
        (0.0, Kind::Node(Side::Stable), Approach::DeadBeat(1)),
        (1.5, Kind::Node(Side::Unstable), Approach::Monotone),
        (-1.5, Kind::Node(Side::Unstable), Approach::Alternating),
        (1.0, Kind::Continuum, Approach::Monotone),
        (-1.0, Kind::Undecided, Approach::Alternating),
    ] {
        let found = map(1, &[multiplier]);
        assert_eq!(
            (found.kind, found.approach),
            (kind, Some(approach)),
            "{multiplier}"
        );
    }
    assert_eq!(map(2, &[0.6, -0.8, 0.8, 0.6]).kind, Kind::Center);
    assert_eq!(
        map(2, &[0.3, -0.4, 0.4, 0.3]).kind,
        Kind::Spiral(Side::Stable)
    );
    assert_eq!(map(2, &[0.5, 0.0, 0.0, -2.0]).kind, Kind::Saddle);
    // x -> y -> 0: gone after two steps.
    let shift = map(2, &[0.0, 1.0, 0.0, 0.0]);
    assert_eq!(shift.approach, Some(Approach::DeadBeat(2)));
}

#[test]
fn eigenvectors_solve_their_equation() {
    let rows = [
        -0.04, 1e2, 2.0, 1.0, 0.04, -1e2, 0.5, -3.0, 0.1, 0.7, -1.0, 4.0, 2.0, -0.2, -5.0, -0.3,
    ];
    let matrix = DMatrix::from_row_slice(4, 4, &rows);
    let modes = spectrum(Motion::Flow, 4, &rows);
    assert!(modes.iter().any(Mode::is_pair));
    for mode in modes {
        let direction = mode.directions.first().expect("an eigenvector");
        let x = nalgebra::DVector::from_vec(direction.real.clone());
        let y = if mode.is_pair() {
            nalgebra::DVector::from_vec(direction.imaginary.clone())
        } else {
            x.clone() * 0.0
        };
        let (re, im) = (mode.value.real, mode.value.imaginary);
        let left = (&matrix * &x - &x * re + &y * im).norm();
        let right = (&matrix * &y - &y * re - &x * im).norm();
        assert!(left.max(right) < 1e-12 * matrix.norm(), "{mode:?}");
    }
}
