//! Fixed points and periodic orbits of maps.

use super::jet::map;
use super::*;
use crate::analyze::continuation::Iterate;

/// PD at 3 and, on the orbit of period 2, at 1 + sqrt(6); the fixed point meets zero at 1.
#[test]
fn logistic() {
    let family = map(1, |x| vec![x[1] * x[0] * (1.0 - x[0])]);
    let found = over(&family, &[0.0, 0.5], (0.1, 4.0));
    assert_eq!(kinds(&found), ["BP", "ALT", "PD"]);
    at(&found, "BP", &[0.0, 1.0]);
    at(&found, "ALT", &[0.5, 2.0]);
    // (1/6) <p, C + 3 B (1 - A)^-1 B>: with g'' = -2 r = -6 and g''' = 0 it is g''²/4 = 9.
    match at(&found, "PD", &[2.0 / 3.0, 3.0]) {
        Kind::Doubling { coefficient } => near(*coefficient, 9.0),
        other => panic!("{other:?}"),
    }
    let twice = Iterate::new(&family, 2);
    let r = 3.2_f64;
    let x = (r + 1.0 + ((r - 3.0) * (r + 1.0)).sqrt()) / (2.0 * r);
    let found = over(&twice, &[x, r], (2.5, 3.6));
    let r = 1.0 + 6.0_f64.sqrt();
    let doublings: Vec<f64> = sorted(&found)
        .iter()
        .filter(|s| name(&s.kind) == "PD")
        .map(|s| s.x[1])
        .collect();
    assert!(!doublings.is_empty());
    doublings.iter().for_each(|p| near(*p, r));
    at(&found, "BP", &[2.0 / 3.0, 3.0]);
}

/// Gradient descent on eta x²/2 with step h: multiplier 1 - h eta.
#[test]
fn gradient_descent() {
    let family = map(1, |x| vec![x[0] - x[1] * x[0] * 4.0]);
    let found = over(&family, &[0.0, 0.1], (0.05, 1.0));
    assert_eq!(kinds(&found), ["ALT", "PD"]);
    at(&found, "ALT", &[0.0, 0.25]);
    at(&found, "PD", &[0.0, 0.5]);
}

/// The delayed logistic map u' = r u (1 - v), v' = u: NS at r = 2 with angle pi/3 (Kuznetsov,
/// example 4.2), supercritical.
#[test]
fn delayed_logistic() {
    let family = map(2, |x| vec![x[2] * x[0] * (1.0 - x[1]), x[0]]);
    let found = over(&family, &[0.2, 0.2, 1.25], (1.1, 2.3));
    assert_eq!(kinds(&found), ["NS"], "{:?}", found.specials);
    match at(&found, "NS", &[0.5, 0.5, 2.0]) {
        Kind::Circle { angle, coefficient } => {
            near(*angle, std::f64::consts::FRAC_PI_3);
            assert!(*coefficient < 0.0);
        }
        other => panic!("{other:?}"),
    }
}

/// The Hénon map: LP at a = -(1 - b)²/4, PD at a = 3 (1 - b)²/4.
#[test]
fn henon() {
    let b = 0.3;
    let family = map(2, move |x| vec![1.0 - x[2] * x[0] * x[0] + x[1], x[0] * b]);
    let a = 0.2_f64;
    let u = (-(1.0 - b) + ((1.0 - b) * (1.0 - b) + 4.0 * a).sqrt()) / (2.0 * a);
    let found = over(&family, &[u, b * u, a], (-0.5, 1.0));
    let a = -(1.0_f64 - b).powi(2) / 4.0;
    let u = -(1.0 - b) / (2.0 * a);
    at(&found, "LP", &[u, b * u, a]);
    let a = 3.0 * (1.0_f64 - b).powi(2) / 4.0;
    let u = (1.0 - b) / (2.0 * a);
    at(&found, "PD", &[u, b * u, a]);
}
