//! Phase planes against published and exact values, through models of text.

use super::*;
use crate::kernel::Kernels;
use crate::model::Model;
use crate::simulate::CompiledDynamics;
use crate::system;
use std::sync::Arc;

/// Runs `judge` on the plane of the two states of a text.
fn in_plane<R>(text: &str, x: (f64, f64), y: (f64, f64), judge: impl FnOnce(&Plane<'_>) -> R) -> R {
    let system = Arc::new(system::derive(&Model::of_text(text)));
    let kernels = Kernels::new(Arc::clone(&system));
    let dynamics = CompiledDynamics::new(&system, &kernels, Vec::new());
    let window = Window { x, y };
    let base = vec![1.0; 2];
    let plane = Plane::new(&dynamics, 0.0, (0, 1), window, &base, &[], &|| false);
    judge(&plane)
}

fn near(found: f64, wanted: f64, error: f64) {
    assert!((found - wanted).abs() <= error, "{found} for {wanted}");
}

const VAN_DER_POL: &str = "state x = 1, y = 1\nx' = y\ny' = (1 - x^2)*y - x";

/// van der Pol with mu = 1: period 6.6632868593, amplitude 2.00861986, as SciPy's DOP853 gives them
/// at rtol 1e-13; for the series see Andersen and Geer, SIAM J. Appl. Math. 42 (1982) 678, for more
/// digits Amore, arXiv:2111.12198 (2021). Its multiplier is the exponential of
/// the integral of the divergence.
#[test]
fn the_cycle_of_van_der_pol() {
    in_plane(VAN_DER_POL, (-3.0, 3.0), (-3.0, 3.0), |plane| {
        let found = limit_cycles(plane, &[(0.0, 0.0)], &[0]);
        assert_eq!(found.cycles.len(), 1);
        assert!(found.centers.is_empty());
        let cycle = &found.cycles[0];
        near(cycle.period, 6.663_286_859_3, 1e-8);
        near(cycle.extent[0].1, 2.008_619_86, 1e-7);
        near(cycle.extent[0].0, -2.008_619_86, 1e-7);
        assert!(cycle.attracts());
        // The same by following the flow.
        let followed = attracting_cycle(plane, &[0.1, 0.0]).expect("a cycle");
        near(followed.period, 6.663_286_859_3, 1e-8);
    });
}

/// r' = r (1 - r^2) (4 - r^2) turning at the rate 1: a cycle of radius 1 that attracts, one of
/// radius 2 that repels, both with period 2 pi; multipliers exp(2 pi d(r')/dr).
#[test]
fn cycles_that_attract_and_repel() {
    let text = "state x = 1, y = 1\nlet s = x^2 + y^2\nlet g = (1 - s)*(4 - s)\n\
                x' = x*g - y\ny' = y*g + x";
    in_plane(text, (-3.0, 3.0), (-3.0, 3.0), |plane| {
        let found = limit_cycles(plane, &[(0.0, 0.0)], &[0]);
        assert_eq!(found.cycles.len(), 2, "{found:?}");
        for (cycle, (radius, attracts)) in found.cycles.iter().zip([(1.0, true), (2.0, false)]) {
            near(cycle.period, std::f64::consts::TAU, 1e-9);
            near(cycle.extent[0].1, radius, 1e-6);
            assert_eq!(cycle.attracts(), attracts);
        }
    });
}

/// A pendulum with friction loses energy all the time: it has no cycle. Rays from one state of rest
/// pass through all the others.
#[test]
fn states_of_rest_on_a_ray_are_no_cycles() {
    let text = "state x = 1, y = 1\nx' = y\ny' = -0.2*y - sin(x)";
    let turns = (-12..=12).map(|turn| (f64::from(turn) * std::f64::consts::PI, 0.0));
    let fixed: Vec<Point> = turns.collect();
    let around: Vec<usize> = (0..fixed.len()).step_by(2).collect();
    in_plane(text, (-40.0, 40.0), (-5.0, 5.0), |plane| {
        let found = limit_cycles(plane, &fixed, &around);
        assert!(found.cycles.is_empty(), "{found:?}");
    });
}

/// Lotka and Volterra: all orbits close around the fixed point, and none is a limit cycle.
#[test]
fn closed_orbits_are_no_limit_cycles() {
    let text = "state x = 1, y = 1\nx' = x*(1 - y)\ny' = y*(x - 1)";
    in_plane(text, (0.0, 4.0), (0.0, 4.0), |plane| {
        let found = limit_cycles(plane, &[(1.0, 1.0)], &[0]);
        assert!(found.cycles.is_empty());
        assert_eq!(found.centers, [0]);
        // The axes are nullclines, exactly, and so are the lines y = 1 and x = 1.
        let [of_x, of_y] = nullclines(plane);
        assert_eq!(of_x.len(), 2);
        assert!(of_x[0].iter().all(|point| point.0 == 0.0));
        assert!(of_x[1].iter().all(|point| (point.1 - 1.0).abs() < 1e-12));
        assert_eq!(of_y.len(), 2);
        let lines = streamlines(plane, Some((2.0, 1.0)), &[(1.0, 1.0)]);
        let closed = |line: &Streamline| line.points.first() == line.points.last();
        assert!(closed(&lines[0]), "{:?}", lines[0].points.len());
        // V = x - ln x + y - ln y is the same along an orbit.
        let first = |(x, y): Point| x - x.ln() + y - y.ln();
        let wanted = first((2.0, 1.0));
        assert!(
            lines[0]
                .points
                .iter()
                .all(|point| (first(*point) - wanted).abs() < 1e-3)
        );
    });
}

/// x^2 + y^2 = 1 and the hyperbola (x - 0.2) y = 0 with its crossing; both exact to 1e-8.
#[test]
fn nullclines_close_and_cross() {
    let text = "state x = 1, y = 1\nx' = 1 - x^2 - y^2\ny' = (x - 0.2)*y";
    in_plane(text, (-2.0, 2.1), (-2.0, 2.0), |plane| {
        let [circle, lines] = nullclines(plane);
        assert_eq!(circle.len(), 1);
        assert_eq!(circle[0].first(), circle[0].last());
        assert!(
            circle[0]
                .iter()
                .all(|(x, y)| (x * x + y * y - 1.0).abs() < 1e-8)
        );
        assert!(
            lines
                .iter()
                .flatten()
                .all(|(x, y)| ((x - 0.2) * y).abs() < 1e-8)
        );
        assert_eq!(lines.len(), 2, "{lines:?}");
    });
}

/// 1/(x - 1) changes its sign at a pole, and sign jumps: neither is a nullcline.
#[test]
fn poles_are_no_nullclines() {
    let text = "state x = 1, y = 1\nx' = 1/(x - 1)\ny' = if x < 0.3 then 1 else -1";
    in_plane(text, (0.0, 2.0), (0.0, 2.0), |plane| {
        assert_eq!(nullclines(plane), [Vec::<Vec<Point>>::new(), Vec::new()]);
    });
}

/// A circle smaller than a cell of the first grid.
#[test]
fn a_small_loop_is_found() {
    let text = "state x = 1, y = 1\nx' = (x - 0.5051)^2 + (y - 0.5051)^2 - 0.004^2\ny' = 1";
    in_plane(text, (0.0, 1.0), (0.0, 1.0), |plane| {
        let [of_x, _] = nullclines(plane);
        assert_eq!(of_x.len(), 1);
        assert_eq!(of_x[0].first(), of_x[0].last());
    });
}

/// x' = x, y' = -y + x^2: the unstable manifold of the saddle 0 is y = x^2/3, the stable one x = 0.
#[test]
fn manifolds_of_a_saddle() {
    let text = "state x = 1, y = 1\nx' = x\ny' = -y + x^2";
    in_plane(text, (-1.0, 1.0), (-1.0, 1.0), |plane| {
        let directions = [(1.0, vec![1.0, 0.0]), (-1.0, vec![0.0, 1.0])];
        let branches = manifolds(plane, &[0.0, 0.0], &directions, &[(0.0, 0.0)]);
        assert_eq!(branches.len(), 4);
        for branch in branches {
            for (x, y) in branch.points {
                let off = if branch.stable { x } else { y - x * x / 3.0 };
                assert!(off.abs() < 1e-6, "{x} {y}");
            }
        }
    });
}

/// van der Pol with mu = 100: the period 162.8370711 is that of classical Runge-Kutta steps, halved until
/// ten digits stayed, outside this program.
#[test]
fn a_relaxation_cycle_is_found_by_its_returns() {
    let text = "state x = 2, y = 0\nx' = y\ny' = 100*(1 - x^2)*y - x";
    in_plane(text, (-3.0, 3.0), (-200.0, 200.0), |plane| {
        let Coming::Cycle(cycle) = comes_to(plane, &[2.0, 0.0]) else {
            panic!("no cycle");
        };
        near(cycle.period, 162.837_071_1, 1e-3);
    });
}

/// Closed orbits around a center are no cycle, and a spiral comes to rest.
#[test]
fn what_closes_everywhere_is_no_cycle() {
    for damping in ["", " - 0.1*y"] {
        let text = format!("state x = 1, y = 0\nx' = y\ny' = -x{damping}");
        in_plane(&text, (-2.0, 2.0), (-2.0, 2.0), |plane| {
            assert_eq!(comes_to(plane, &[1.0, 0.0]), Coming::Elsewhere);
        });
    }
}
