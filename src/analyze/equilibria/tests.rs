//! All equilibria of models whose equilibria are known exactly.

use super::{Answer, Completeness, Formulas, Motion, Query, Region, Unproved, search};
use crate::kernel::Kernels;
use crate::model::Model;
use crate::simulate::{CompiledDynamics, Tolerances};
use crate::system;
use std::sync::Arc;

/// Asks for the equilibria of the equations of a text. `None` chooses the box.
fn all(text: &str, start: &[f64], positive: bool, region: Option<&[(f64, f64)]>) -> Answer {
    moving(Motion::Flow, text, start, positive, region)
}

/// The same, where the right-hand side of a map is the next state.
fn moving(
    motion: Motion,
    text: &str,
    start: &[f64],
    positive: bool,
    region: Option<&[(f64, f64)]>,
) -> Answer {
    let system = Arc::new(system::derive(&Model::of_text(text)));
    let kernels = Kernels::new(Arc::clone(&system));
    let dynamics = CompiledDynamics::new(&system, &kernels, Vec::new());
    let formulas = Formulas::of(&system, 0.0, &[]);
    let n = start.len();
    let region = region.map_or_else(
        || Region::everything(n),
        |ranges| Region {
            low: ranges.iter().map(|range| range.0).collect(),
            high: ranges.iter().map(|range| range.1).collect(),
        },
    );
    search(&Query {
        dynamics: &dynamics,
        motion,
        time: 0.0,
        state: start,
        tolerances: &Tolerances {
            relative: 1e-6,
            absolute: vec![1e-9; n],
        },
        laws: &[],
        non_negative: &vec![positive; n],
        formulas: formulas.as_ref(),
        region,
        seed: 1,
        interrupted: &|| false,
    })
}

#[track_caller]
fn are(answer: &Answer, exact: &[&[f64]]) {
    let found: Vec<&[f64]> = answer
        .equilibria
        .iter()
        .map(|e| e.state.as_slice())
        .collect();
    assert_eq!(found.len(), exact.len(), "{answer:#?}");
    for (found, exact) in found.iter().zip(exact) {
        for (found, exact) in found.iter().zip(*exact) {
            let error = (found - exact).abs();
            assert!(error <= 1e-10 * (1.0 + exact.abs()), "{found} for {exact}");
        }
    }
}

#[track_caller]
fn proved(answer: &Answer, exact: &[&[f64]]) {
    are(answer, exact);
    assert!(
        matches!(answer.completeness, Completeness::Proved { .. }),
        "{answer:#?}"
    );
    assert!(answer.equilibria.iter().all(|found| found.certified));
}

const COMPETITION: &str = "state x = 1, y = 2\nx' = x*(3 - x - 2*y)\ny' = y*(2 - x - y)";
const GRIFFITH: &str = "state x = 0, y = 0\nx' = -x + y\ny' = x^2/(1 + x^2) - 0.4*y";
const BRUSSELATOR: &str = "state x = 1, y = 1\nx' = 1 - 4*x + x^2*y\ny' = 3*x - x^2*y";
const LORENZ: &str =
    "state x = 1, y = 1, z = 1\nx' = 10*(y - x)\ny' = x*(28 - z) - y\nz' = x*y - 8/3*z";
const TOGGLE: &str = "state u = 1, v = 2\nu' = 4/(1 + v^2) - u\nv' = 4/(1 + u^2) - v";
const CHUA: &str = "state x = 1, y = 0, z = 0
x' = 10*(y - (x^3 - x/6))\ny' = x - y + z\nz' = -16*y";
const ENZYME: &str = "state e = 1, s = 10, c = 0, p = 0
e' = -e*s + c - e*p + c\ns' = -e*s + c\nc' = e*s - c + e*p - c\np' = c - e*p";
const CUBICS: &str = "state x = 0.3, y = 0.2, z = 0.1
x' = x - x^3\ny' = 4*y - y^3\nz' = z*(z - 1)*(z - 3)";
const DOUBLE: &str = "state x = 3, y = 1\nx' = (x - 1)^2*(x + 2)\ny' = x - y";
const HODGKIN_HUXLEY: &str = "state v = 0, m = 0.05, h = 0.6, n = 0.32
v' = 0 - 120*m^3*h*(v - 115) - 36*n^4*(v + 12) - 0.3*(v - 10.613)
m' = 0.1*(25 - v)/(exp((25 - v)/10) - 1)*(1 - m) - 4*exp(-v/18)*m
h' = 0.07*exp(-v/20)*(1 - h) - 1/(exp((30 - v)/10) + 1)*h
n' = 0.01*(10 - v)/(exp((10 - v)/10) - 1)*(1 - n) - 0.125*exp(-v/80)*n";
const LOTKA_VOLTERRA: &str = "state x = 10, y = 5\nx' = 1.1*x - 0.4*x*y\ny' = 0.1*x*y - 0.4*y";

#[test]
fn lotka_and_volterra() {
    // At rest at (0, 0) and (0.4/0.1, 1.1/0.4).
    let exact: [&[f64]; 2] = [&[0.0, 0.0], &[4.0, 2.75]];
    proved(&all(LOTKA_VOLTERRA, &[10.0, 5.0], true, None), &exact);
    proved(&all(LOTKA_VOLTERRA, &[10.0, 5.0], false, None), &exact);
    let given = [(0.0, 100.0), (0.0, 100.0)];
    proved(
        &all(LOTKA_VOLTERRA, &[10.0, 5.0], true, Some(&given)),
        &exact,
    );
}

#[test]
fn rabbits_against_sheep() {
    // S. H. Strogatz, Nonlinear Dynamics and Chaos (1994), section 6.4.
    let text = COMPETITION;
    let exact: [&[f64]; 4] = [&[0.0, 0.0], &[0.0, 2.0], &[1.0, 1.0], &[3.0, 0.0]];
    proved(&all(text, &[1.0, 2.0], true, None), &exact);
    let answer = all(text, &[1.0, 2.0], true, Some(&[(0.0, 1.5), (0.0, 1.5)]));
    proved(&answer, &[&[0.0, 0.0], &[1.0, 1.0]]);
    assert_eq!(answer.outside.len(), 2, "{answer:#?}");
}

#[test]
fn griffith() {
    // (1 +- sqrt(1 - 4 a^2 b^2)) / (2 a b) for x' = -a x + y, y' = x^2/(1 + x^2) - b y.
    let text = GRIFFITH;
    let exact: [&[f64]; 3] = [&[0.0, 0.0], &[0.5, 0.5], &[2.0, 2.0]];
    proved(&all(text, &[1.0, 1.0], true, None), &exact);
    proved(&all(text, &[0.0, 0.0], false, None), &exact);
}

#[test]
fn brusselator() {
    let text = BRUSSELATOR;
    proved(&all(text, &[1.0, 1.0], true, None), &[&[1.0, 3.0]]);
}

#[test]
fn lorenz() {
    let text = LORENZ;
    let c = 72.0_f64.sqrt();
    let exact: [&[f64]; 3] = [&[-c, -c, 27.0], &[0.0, 0.0, 0.0], &[c, c, 27.0]];
    proved(&all(text, &[1.0, 1.0, 1.0], false, None), &exact);
}

#[test]
fn cusp() {
    // x^3 - x = 0.1: trigonometric solution 2/sqrt(3) cos((arccos(3 sqrt(3)/2 h) - 2 pi k)/3).
    let text = "state x = 0\nx' = 0.1 + x - x^3";
    let angle = (1.5 * 3.0_f64.sqrt() * 0.1).acos();
    let root = |k: f64| 2.0 / 3.0_f64.sqrt() * ((angle - std::f64::consts::TAU * k) / 3.0).cos();
    let exact: [&[f64]; 3] = [&[root(2.0)], &[root(1.0)], &[root(0.0)]];
    proved(&all(text, &[0.0], false, None), &exact);
}

#[test]
fn toggle_switch() {
    // Gardner, Cantor & Collins, Nature 403 (2000) 339, symmetric with alpha = 4 and beta = 2:
    // on the diagonal u (1 + u^2) = 4; beside it u v = 1 and u + v = 4.
    let text = TOGGLE;
    let s = 3.0_f64.sqrt();
    let middle = 1.378_796_700_129_555;
    let exact: [&[f64]; 3] = [&[2.0 - s, 2.0 + s], &[middle, middle], &[2.0 + s, 2.0 - s]];
    proved(&all(text, &[1.0, 2.0], true, None), &exact);
}

#[test]
fn chua_with_a_cubic() {
    // x' = a (y - c(x)), y' = x - y + z, z' = -b y: y = 0, z = -x, x (x^2 - 1/6) = 0.
    let text = CHUA;
    let r = (1.0_f64 / 6.0).sqrt();
    let exact: [&[f64]; 3] = [&[-r, 0.0, r], &[0.0, 0.0, 0.0], &[r, 0.0, -r]];
    proved(&all(text, &[1.0, 0.0, 0.0], false, None), &exact);
}

#[test]
fn wilkinson() {
    let factors: Vec<String> = (1..=10).map(|k| format!("(x - {k})")).collect();
    let text = format!("state x = 0.5\nx' = {}", factors.join("*"));
    let roots: Vec<[f64; 1]> = (1..=10).map(|k| [f64::from(k)]).collect();
    let exact: Vec<&[f64]> = roots.iter().map(<[f64; 1]>::as_slice).collect();
    proved(&all(&text, &[0.5], false, None), &exact);
    // Multiplied out: P. Henrici's coefficients of (x - 1) ... (x - 5).
    let text = "state x = 0.5\nx' = x^5 - 15*x^4 + 85*x^3 - 225*x^2 + 274*x - 120";
    proved(&all(text, &[0.5], false, Some(&[(0.0, 10.0)])), &exact[..5]);
}

#[test]
fn a_double_root_is_left_undecided() {
    let text = DOUBLE;
    let answer = all(text, &[3.0, 1.0], false, None);
    assert_eq!(answer.equilibria.len(), 2, "{answer:#?}");
    assert!(answer.equilibria[0].certified && !answer.equilibria[0].singular);
    assert!(!answer.equilibria[1].certified && answer.equilibria[1].singular);
    assert!((answer.equilibria[1].state[0] - 1.0).abs() < 1e-6);
    let Completeness::Undecided { left, spent, .. } = &answer.completeness else {
        panic!("{answer:#?}");
    };
    assert!(!spent && left.len() == 1, "{left:?}");
    assert!(left[0].holds(&[1.0, 1.0], 0.0));
    assert!(left[0].high[0] - left[0].low[0] < 1e-4, "{left:?}");
}

#[test]
fn a_closed_enzyme_rests_once() {
    // E + S <-> C -> E + P and back: totals 1 and 10; the reverse of the last step makes it rest
    // at a positive state. With unit rates e s = c (k1 + k2) - k2r e p ... solved by hand for
    // k = 1 all: e s = c, e p = c, so s = p, c = e s, e + c = 1, 2 s + c = 10.
    let text = ENZYME;
    // s + e s = ..., c = s/(1 + s), 2 s + s/(1 + s) = 10: 2 s^2 - 7 s - 10 = 0.
    let s = (7.0 + 129.0_f64.sqrt()) / 4.0;
    let exact: [&[f64]; 1] = [&[1.0 / (1.0 + s), s, s / (1.0 + s), s]];
    let answer = all(text, &[1.0, 10.0, 0.0, 0.0], true, None);
    proved(&answer, &exact);
    assert_eq!(answer.kept, (0, 2));
    assert!((answer.region.high[0] - 1.0).abs() < 1e-12, "{answer:#?}");
}

#[test]
fn twenty_seven_roots() {
    let text = CUBICS;
    let answer = all(text, &[0.3, 0.2, 0.1], false, None);
    let mut exact = Vec::new();
    for x in [-1.0, 0.0, 1.0] {
        for y in [-2.0, 0.0, 2.0] {
            for z in [0.0, 1.0, 3.0] {
                exact.push([x, y, z]);
            }
        }
    }
    let exact: Vec<&[f64]> = exact.iter().map(<[f64; 3]>::as_slice).collect();
    proved(&answer, &exact);
}

#[test]
fn a_pole_is_no_root() {
    // 1/(x - 1/3) = 3 at x = 2/3.
    let text = "state x = 0.5\nx' = 1/(x - 1/3) - 3";
    let answer = all(text, &[0.5], false, Some(&[(-2.0, 2.0)]));
    proved(&answer, &[&[2.0 / 3.0]]);
    // Two dimensions: x = 1 + y, y = 1/(x - 2).
    let text = "state x = 0.5, y = 1\nx' = 1 + y - x\ny' = 1/(x - 2) - y";
    let r = 5.0_f64.sqrt() / 2.0;
    let exact: [&[f64]; 2] = [&[1.5 - r, 0.5 - r], &[1.5 + r, 0.5 + r]];
    proved(
        &all(text, &[0.5, 1.0], false, Some(&[(-9.0, 9.0); 2])),
        &exact,
    );
}

#[test]
fn absence_is_proved() {
    let answer = all("state x = 0\nx' = 1 + x^2", &[0.0], false, None);
    proved(&answer, &[]);
    let nearest = answer.nearest.expect("a miss");
    assert!(nearest.state[0].abs() < 0.1, "{nearest:?}");
}

#[test]
fn a_line_is_a_line() {
    let text = "state x = 1, y = 2\nx' = x*(3 - x - y)\ny' = 2*y*(3 - x - y)";
    let answer = all(text, &[1.0, 2.5], true, Some(&[(0.0, 4.0), (0.0, 4.0)]));
    are(&answer, &[&[0.0, 0.0]]);
    assert_eq!(answer.continua.len(), 1, "{answer:#?}");
    let line = &answer.continua[0];
    assert_eq!(line.dimension, 1);
    for point in &line.points {
        assert!((point[0] + point[1] - 3.0).abs() < 1e-9, "{point:?}");
    }
    assert_eq!(
        answer.completeness,
        Completeness::Searched(Unproved::Continuum)
    );
    let reach = |i: usize| line.points.iter().map(|p| p[i]).fold(0.0, f64::max);
    assert!(
        reach(0) > 2.99 && reach(1) > 2.99,
        "{} {}",
        reach(0),
        reach(1)
    );
}

#[test]
fn a_circle_is_closed() {
    let text = "state x = 1, y = 2\nx' = x*(4 - x^2 - y^2)\ny' = (1 + x^2)*y*(4 - x^2 - y^2)";
    let answer = all(text, &[1.0, 2.5], false, None);
    are(&answer, &[&[0.0, 0.0]]);
    assert_eq!(answer.continua.len(), 1, "{answer:#?}");
    assert!(answer.continua[0].closed, "{answer:#?}");
}

#[test]
fn many_decades() {
    // Roots at 1e-4, 1 and 1e4.
    let text = "state x = 1\nx' = -x*(x - 1e-4)*(x - 1)*(x - 1e4)";
    let answer = all(text, &[1.0], true, None);
    proved(&answer, &[&[0.0], &[1e-4], &[1.0], &[1e4]]);
}

#[test]
fn transcendental() {
    // x = exp(-x): the omega constant.
    let text = "state x = 1\nx' = exp(-x) - x";
    proved(&all(text, &[1.0], false, None), &[&[0.567_143_290_409_784]]);
    // sin x between -10 and 10.
    let pi = std::f64::consts::PI;
    let roots: Vec<[f64; 1]> = (-3..=3).map(|k| [f64::from(k) * pi]).collect();
    let exact: Vec<&[f64]> = roots.iter().map(<[f64; 1]>::as_slice).collect();
    let text = "state x = 1\nx' = sin(x)";
    proved(&all(text, &[1.0], false, Some(&[(-10.0, 10.0)])), &exact);
}

#[test]
fn hodgkin_and_huxley() {
    // The rest of the squid axon in the form of 1952, shifted: v = 0 but for the leak, whose
    // reversal 10.6 makes it rest close to 0 (10.613 exactly).
    let text = HODGKIN_HUXLEY;
    let answer = all(text, &[0.0, 0.05, 0.6, 0.32], false, None);
    assert_eq!(answer.equilibria.len(), 1, "{answer:#?}");
    let rest = &answer.equilibria[0].state;
    // alpha/(alpha + beta) at v = 0, by hand: m 0.22356/4.22356, h 0.07/0.11743, n 0.058198/0.183198.
    assert!(
        rest[0].abs() < 0.02 && (rest[1] - 0.0529).abs() < 1e-3,
        "{rest:?}"
    );
    assert!((rest[2] - 0.5961).abs() < 1e-3 && (rest[3] - 0.3177).abs() < 1e-3);
}

#[test]
fn fixed_points_of_maps() {
    // Logistic map: 0 and 1 - 1/r. As a flow it would rest at 0 and 1.
    let text = "state x = 0.3\nx' = 3.2*x*(1 - x)";
    let answer = moving(Motion::Map, text, &[0.3], true, None);
    proved(&answer, &[&[0.0], &[0.6875]]);
    // Henon, a = 1.4, b = 0.3: a x^2 + (1 - b) x - 1 = 0, y = b x.
    let text = "state x = 0.1, y = 0.1\nx' = 1 - 1.4*x^2 + y\ny' = 0.3*x";
    let root = |sign: f64| (-0.7 + sign * (0.49_f64 + 5.6).sqrt()) / 2.8;
    let (a, b) = (root(-1.0), root(1.0));
    let exact: [&[f64]; 2] = [&[a, 0.3 * a], &[b, 0.3 * b]];
    proved(&moving(Motion::Map, text, &[0.1, 0.1], false, None), &exact);
}

#[test]
fn many_states_are_searched() {
    // A chain in which each state is the cube root of the one before.
    let mut text = String::from("state x1 = 1");
    for k in 2..=30 {
        text.push_str(&format!(", x{k} = 1"));
    }
    text.push_str("\nx1' = 1 - x1");
    for k in 2..=30 {
        text.push_str(&format!("\nx{k}' = x{} - x{k}^3", k - 1));
    }
    let answer = all(&text, &[0.5; 30], true, None);
    are(&answer, &[&[1.0; 30]]);
    assert!(matches!(answer.completeness, Completeness::Searched(_)));
}

#[test]
fn an_interrupt_keeps_what_there_is() {
    let text = "state x = 1\nx' = x*(1 - x)";
    let system = Arc::new(system::derive(&Model::of_text(text)));
    let kernels = Kernels::new(Arc::clone(&system));
    let dynamics = CompiledDynamics::new(&system, &kernels, Vec::new());
    let polls = std::cell::Cell::new(0);
    let answer = search(&Query {
        dynamics: &dynamics,
        motion: Motion::Flow,
        time: 0.0,
        state: &[0.9],
        tolerances: &Tolerances {
            relative: 1e-6,
            absolute: vec![1e-9],
        },
        laws: &[],
        non_negative: &[true],
        formulas: None,
        region: Region {
            low: vec![0.0],
            high: vec![2.0],
        },
        seed: 1,
        interrupted: &|| {
            polls.set(polls.get() + 1);
            polls.get() > 3
        },
    });
    assert_eq!(answer.completeness, Completeness::Interrupted);
    assert!(!answer.equilibria.is_empty());
}
