//! Families of models against differences of themselves: each derivative is that of the one
//! before, by central differences.

use super::begin::{self, Begin};
use super::question;
use crate::analyze::continuation::Family;
use crate::session::check::check_text;
use crate::session::command::Command;
use crate::session::compiled::Compiled;
use crate::session::lower::lower;
use crate::session::values::Overrides;
use crate::source::SourceId;
use crate::syntax;
use crate::world::SystemWorld;
use std::sync::Arc;

fn compile(text: &str) -> Arc<Compiled> {
    let (model, _) = check_text(SourceId(0), text).sound().expect("a model");
    Compiled::new(model)
}

/// What the start of a sentence is.
fn begun<'c>(compiled: &'c Arc<Compiled>, sentence: &str) -> Begin<'c> {
    let parsed = syntax::parse_line(SourceId(1), sentence);
    let Ok(Command::Continue(command)) = lower(&parsed.file.statements[0]) else {
        panic!("{sentence}");
    };
    let question = question::question(compiled, &Overrides::new(), &command).expect("a question");
    let world = SystemWorld::default();
    begin::begin(compiled, &question, &command, None, &world).expect("a start")
}

/// A direction with a part along everything.
fn direction(n: usize, turn: f64) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a direction")]
    let entries = (0..=n).map(|i| (turn * (i as f64 + 1.0)).cos());
    entries.collect()
}

fn moved(x: &[f64], along: &[f64], by: f64) -> Vec<f64> {
    x.iter().zip(along).map(|(x, d)| x + by * d).collect()
}

/// The largest difference between a derivative and a central difference of `f`, beside the size of
/// both.
fn gap(f: &dyn Fn(&[f64]) -> Vec<f64>, x: &[f64], along: &[f64], exact: &[f64]) -> f64 {
    const STEP: f64 = 1e-5;
    let (after, before) = (f(&moved(x, along, STEP)), f(&moved(x, along, -STEP)));
    let differences = after
        .iter()
        .zip(&before)
        .map(|(a, b)| (a - b) / (2.0 * STEP));
    let size = exact.iter().fold(1.0, |most: f64, e| most.max(e.abs()));
    let gaps = differences.zip(exact).map(|(d, e)| (d - e).abs() / size);
    gaps.fold(0.0, f64::max)
}

fn check(text: &str, sentence: &str) {
    let compiled = compile(text);
    let begin = begun(&compiled, sentence);
    let (family, starts) = &begin.families[0];
    let start = &starts[0];
    let n = family.dimension();
    let (a, b) = (direction(n, 1.3), direction(n, 2.1));
    let residual = |x: &[f64]| {
        let mut out = vec![0.0; n];
        family.residual(x, &mut out);
        out
    };
    let first = |x: &[f64], along: &[f64]| {
        let mut all = vec![0.0; n * (n + 1)];
        family.jacobian(x, &mut all);
        let row = |i: usize| (0..=n).map(|j| all[j * n + i] * along[j]).sum();
        (0..n).map(row).collect::<Vec<f64>>()
    };
    let second = |x: &[f64]| {
        let mut out = vec![0.0; n];
        family.second(x, &a, &a, &mut out);
        out
    };
    let at_rest = residual(start);
    assert!(
        at_rest.iter().all(|r| r.abs() < 1e-9),
        "{sentence}: {at_rest:?}"
    );
    // Away from rest, where nothing cancels.
    let x = moved(start, &direction(n, 0.7), 0.05);
    let (mut ab, mut aab) = (vec![0.0; n], vec![0.0; n]);
    family.second(&x, &a, &b, &mut ab);
    family.third(&x, &a, &b, &mut aab);
    let gaps = [
        gap(&residual, &x, &a, &first(&x, &a)),
        gap(&|x| first(x, &a), &x, &b, &ab),
        gap(&second, &x, &b, &aab),
    ];
    assert!(gaps.iter().all(|gap| *gap < 1e-6), "{sentence}: {gaps:?}");
}

#[test]
fn parameters_that_follow_take_part() {
    check(
        "param a = 2, b = a^2 + 1, c = exp(b/5)*a
         state x = 1, y = a
         x' = b - c*x^3
         y' = x*a - b*sin(y)/4 - b*y",
        "continue a in 1..3",
    );
}

#[test]
fn one_element_of_a_vector_moves_alone() {
    check(
        "index i = 1..3
         param k[i] = [1, 2, 3], A = [[-2, 0.5], [0.3, -1]]
         state x[i] = 1, u = 1, v = 1
         x[i]' = k[i] - x[i]*dot(k, x)
         u' = A[1,1]*u + A[1,2]*v + 1
         v' = A[2,1]*u + A[2,2]*v + u^2/10",
        "continue k[2] in 1..3",
    );
    check(
        "param A = [[-2, 0.5], [0.3, -1]]
         state u = 1, v = 1
         u' = A[1,1]*u + A[1,2]*v + 1
         v' = A[2,1]*u*A[2,1] + A[2,2]*v + u^2/10",
        "continue A[2,1] in 0.1..1",
    );
}

#[test]
fn totals_follow_the_parameter() {
    // The totals of both conserved sums hang on E0, one of them quadratically.
    check(
        "param E0 = 1.5, S0 = E0^2 + 1, kf = 2, kr = 1, kc = 0.5
         species E = E0, S = S0, C = 0, P = 0
         bind: E + S <-> C, kf, kr
         back: C -> E + P, kc
         again: P -> S, 0.3",
        "continue E0 in 0.5..3",
    );
}

#[test]
fn sums_hidden_in_equations_are_kept() {
    check(
        "param a = 1, total = 2*a
         state x = total, y = 0
         x' = -a*x + y^2
         y' = a*x - y^2",
        "continue a in 0.5..2",
    );
}

#[test]
fn a_volume_may_move() {
    check(
        "compartment c = 1, d = 2
         species X = 1 in c, Y = 0.5 in d
         over: X -> Y, 0.4
         back: Y -> X, 0.3*Y",
        "continue d in 1..3",
    );
}

#[test]
fn constraints_stay_constraints() {
    check(
        "param a = 2
         state x = 1, y = 1, z = 1
         x' = a - x*y - z
         y' = x - y
         0 = z^3 + z - a*x*y",
        "continue a in 1..3",
    );
}

#[test]
fn conditions_are_those_of_the_start() {
    check(
        "param a = 2
         state x = 3
         x' = if x > 1 then a - x^2/3 else a + 5*x",
        "continue a in 1..3",
    );
}
