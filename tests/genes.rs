//! Models of many genes: index sets and matrices from files, cells at rest.

mod support;

use lotka::diagnostic::Code;
use lotka::fit::cells::End;
use lotka::fit::{Family, sample};
use lotka::kernel::Stream;
use lotka::session::fit::{AtRestAnswer, Known};
use lotka::session::{Observer, Outcome, Session};
use std::sync::Arc;
use support::Workplace;
use support::session::{Impatient, loaded, perform, say};

/// What a sentence finds about a model.
fn fitted(workplace: &Workplace, model: &str, sentence: &str) -> Arc<AtRestAnswer> {
    let mut session = opened(workplace, model);
    match say(&mut session, sentence) {
        Outcome::FittedAtRest(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn opened(workplace: &Workplace, model: &str) -> Session {
    workplace.write("model.lotka", model);
    loaded(&workplace.path().join("model.lotka"))
}

/// The numbers of a parameter, column by column.
fn numbers(session: &Session, name: &str) -> Vec<f64> {
    let compiled = session.compiled().expect("a model");
    let present = compiled.present(session.overrides());
    let mut known = compiled.model.parameters.iter();
    let at = known.position(|known| known.name == name);
    let block = compiled.system.parameters.blocks()[at.expect("a parameter")];
    present.parameters[block.range()].to_vec()
}

const SIX: &str =
    "a,b,x[base],x[push]\n.3,.2,1,0\n.1,.6,1,0\n-.2,.3,1,0\n.5,-.1,1,1\n.2,.9,1,1\n.4,.4,1,1\n";

const OF_SIX: &str = "index gene = {a, b}\nindex kind = {base, push}
param A[gene, gene] = [[-1, -2], [2, -1]]
param B[gene, kind] = [[1, -0.5], [0.5, 0]]
param C[gene, gene] = diagonal(1)
covariate x[kind]
wiener W[gene]
state y[gene] = 0
y' = A*y + B*x + C*W'";

/// By hand: scipy.stats.multivariate_normal.logpdf with the mean -A^-1 B x and the covariance of
/// scipy.linalg.solve_continuous_lyapunov(A, -C C').
#[test]
fn six_cells_have_the_known_likelihood() {
    let workplace = Workplace::new();
    workplace.write("six.csv", SIX);
    let answer = fitted(&workplace, OF_SIX, "fit A, B to \"six.csv\" as stationary");
    let before = answer.before.expect("a likelihood");
    assert!((before + 8.378379315096).abs() < 1e-11, "{before}");
    assert!(answer.has_converged());
    assert!(answer.found.log_likelihood > before);
    // (p - K)(p - K - 1)/2 directions for p = 2 and an input for every gene: none of a knock-out's.
    assert!(matches!(&answer.known, Known::Examined { free: 8, open } if open.len() == 1));
}

/// Sixty cells of two genes, every number from a fixed sequence.
fn sixty() -> Vec<([f64; 2], bool)> {
    let mut seed = 12345_u64;
    let mut uniform = || {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    (0..60)
        .map(|cell| {
            let is_knocked_out = cell % 2 == 1;
            let (u, v) = (uniform() + uniform(), uniform() + uniform());
            let mean = if is_knocked_out {
                [0.4, 0.7]
            } else {
                [1.2, 1.0]
            };
            (
                [mean[0] + 0.5 * u, mean[1] + 0.3 * u + 0.4 * v],
                is_knocked_out,
            )
        })
        .collect()
}

/// The general route: each cell is a run of its own, whose single look is weighed by the filter's
/// stationary start. Both routes have the same maximum.
#[test]
fn the_general_route_agrees() {
    let workplace = Workplace::new();
    let cells = sixty();
    let mut table = "y[a],y[b],kind\n".to_owned();
    let mut runs = "replicate,time,condition,a,b\n".to_owned();
    for (at, ([a, b], out)) in cells.iter().enumerate() {
        let kind = if *out { "a" } else { "none" };
        table.push_str(&format!("{a},{b},{kind}\n"));
        let condition = if *out { "out" } else { "control" };
        runs.push_str(&format!("{at},0,{condition},{a},{b}\n"));
    }
    workplace.write("cells.csv", table);
    workplace.write("runs.csv", runs);
    let whole = fitted(
        &workplace,
        "index gene = {a, b}\nindex kind = {none, a}
param A[gene, gene] = diagonal(-1)\nparam b[gene] = 0
param B[gene, kind] = 0 mask kind == gene\ncovariate x[kind]
wiener W[gene]\nstate y[gene] = 0\ny' = A*y + b + B*x + 0.5*W'",
        "fit A, b, B to \"cells.csv\" as stationary",
    );
    let mut session = opened(
        &workplace,
        "param p = -1, q = 0, r = 0, s = -1, f = 1, g = 1, h = -0.5, x = 0
wiener V, W\nstate a = 1, b = 1
a' = p*a + q*b + f + h*x + 0.5*V'\nb' = r*a + s*b + g + 0.5*W'
condition control { }\ncondition out { x = 1 }",
    );
    let outcome = say(
        &mut session,
        "fit p, q, r, s, f, g, h to \"runs.csv\" from stationary",
    );
    let Outcome::Fitted(answers) = outcome else {
        panic!("{outcome:?}");
    };
    let general = &answers[0];
    let found = whole.found.log_likelihood;
    assert!(
        (found - general.log_likelihood).abs() < 1e-8 * found.abs().max(1.0),
        "{found} {}",
        general.log_likelihood
    );
    let a = &whole.estimates[0].values;
    let own = [a[(0, 0)], a[(0, 1)], a[(1, 0)], a[(1, 1)]];
    for (own, other) in own.iter().zip(&general.estimates) {
        assert!(
            (own - other).abs() < 1e-4 * own.abs().max(1.0),
            "{own} {other}"
        );
    }
    // Of these cells the general route knows the curvature there, this one the expected one.
    let errors = whole.estimates[0].errors.as_ref().expect("errors");
    let other = &general.errors;
    for (own, other) in [errors[(0, 0)], errors[(0, 1)]].iter().zip(other) {
        assert!((own / other - 1.0).abs() < 0.5, "{own} {other}");
    }
}

/// Means of the 5 cells that have a cluster, by hand from tests/data/write_h5ad.py. With A = -1 and a
/// free covariance the estimate of b is the mean of all cells.
#[test]
fn cells_of_an_anndata_file() {
    let workplace = Workplace::new();
    let file = support::root().join("tests/data/sparse.h5ad");
    let file = file.display();
    let answer = fitted(
        &workplace,
        "index gene = {Spi1, Gata1}
param A[gene, gene] = diagonal(-1)\nparam b[gene] = 0
state y[gene] = 0\ny' = A*y + b",
        &format!("fit b to \"{file}\" as stationary by cluster"),
    );
    let b = &answer.estimates[0].values;
    assert!(
        (b[0] - 1.8).abs() < 1e-4 && (b[1] - 3.6).abs() < 1e-4,
        "{b}"
    );
    assert_eq!(answer.left_out, 1);
    let labels: Vec<&str> = answer
        .groups
        .iter()
        .map(|group| group.label.as_str())
        .collect();
    assert_eq!(labels, ["b", "a", "c"]);
}

#[test]
fn matrices_are_placed_by_their_labels() {
    let workplace = Workplace::new();
    workplace.write("w.csv", "to,b,a\na,2,1\nb,4,3\n");
    workplace.write("e.csv", "to,from,w\nb,a,2.5\na,other,9\n");
    let maps = support::root().join("tests/data/maps.h5ad");
    let mut session = opened(
        &workplace,
        &format!(
            "index gene = {{a, b}}\nindex all from \"{0}\" var
param W[gene, gene] = read(\"w.csv\")\nparam E[gene, gene] = read(\"e.csv\")
param R[all, all] = read(\"{0}\", varp = regulates)
param M[gene, gene] = 5 mask row != column
param N[gene, gene] = diagonal(-1) mask row != column
state s[gene] = 1, u[all] = 0
s' = (W + E + M + N)*s\nu' = R*u",
            maps.display()
        ),
    );
    assert_eq!(numbers(&session, "W"), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(numbers(&session, "E"), [0.0, 2.5, 0.0, 0.0]);
    assert_eq!(numbers(&session, "M"), [0.0, 5.0, 5.0, 0.0]);
    assert_eq!(numbers(&session, "N"), [-1.0, 0.0, 0.0, -1.0]);
    let twice: Vec<f64> = (0..16)
        .map(|at| if at % 5 == 0 { 2.0 } else { 0.0 })
        .collect();
    assert_eq!(numbers(&session, "R"), twice);
    say(&mut session, "W = read(\"e.csv\")");
    assert_eq!(numbers(&session, "W"), [0.0, 2.5, 0.0, 0.0]);
}

/// What is saved is what is read.
#[test]
fn a_saved_matrix_is_read_again() {
    let workplace = Workplace::new();
    let file = workplace.path().join("A.csv");
    let model = "index gene = {a, `b c`}\nparam A[gene, gene] = [[-1, 0.1], [1e-17, -3]]
let full[gene, gene] = -inverse(A)\nstate s[gene] = 1\ns' = A*s + 0*full*s";
    let mut session = opened(&workplace, model);
    say(&mut session, &format!("save A to \"{}\"", file.display()));
    let before = numbers(&session, "A");
    say(&mut session, "A = [[0, 0], [0, 0]]");
    say(&mut session, "A = read(\"A.csv\")");
    assert_eq!(numbers(&session, "A"), before);
    let full = workplace.path().join("full.csv");
    say(
        &mut session,
        &format!("save full to \"{}\"", full.display()),
    );
    say(&mut session, "plot A");
}

/// Counts of a known truth: what counting adds to the variances is not taken for the model's.
#[test]
fn counting_is_told_from_fluctuating() {
    let workplace = Workplace::new();
    let mut stream = Stream::new(3, 0);
    let mut table = "n[g],depth\n".to_owned();
    for cell in 0..4000 {
        let depth = if cell % 2 == 0 { 2.0 } else { 4.0 };
        let y = sample(Family::Normal, &[5.0, 0.5_f64.sqrt()], &mut stream).expect("a number");
        let mean = depth * (y + 0.5);
        let count = sample(Family::Poisson, &[mean], &mut stream).expect("a number");
        table.push_str(&format!("{count},{depth}\n"));
    }
    workplace.write("counts.csv", table);
    let answer = fitted(
        &workplace,
        "index gene = {g}\nparam A[gene, gene] = diagonal(-2)\nparam b[gene] = 1
covariate depth\nwiener W[gene]\nstate y[gene] = 1\ny' = A*y + b + W'
observe n[gene] ~ poisson(mean = depth*(y + 0.5))",
        "fit A, b to \"counts.csv\" as stationary",
    );
    let (a, b) = (answer.estimates[0].values[0], answer.estimates[1].values[0]);
    // Of the variance 0.5 + 5.5 (1/2 + 1/4)/2 of n/d its standard error leaves about 0.06.
    assert!((a + 1.0).abs() < 0.35, "{a}");
    assert!((-b / a - 5.0).abs() < 0.15, "{b}");
    let measured = answer.measured.expect("counting");
    assert!((measured - 2.0625 / 2.5625).abs() < 0.03, "{measured}");
}

/// Three genes at rest under a control and two knock-outs, each number from a fixed sequence.
fn knocked_out(stream: &mut Stream, cells: usize) -> String {
    let mut table = "a,b,c,kind\n".to_owned();
    for cell in 0..cells {
        let kind = ["control", "a", "b"][cell % 3];
        let mut draw = |mean: f64| sample(Family::Normal, &[mean, 0.4], stream).expect("a number");
        let (a, b) = (
            draw(if kind == "a" { 0.5 } else { 2.0 }),
            draw(if kind == "b" { 0.2 } else { 1.0 }),
        );
        let c = draw(1.0) + 0.5 * a - 0.3 * b;
        table.push_str(&format!("{a},{b},{c},{kind}\n"));
    }
    table
}

const KNOCKED_OUT: &str = "index gene = {a, b, c}\nindex kind = {control, a, b}
param A[gene, gene] = diagonal(-1)\nparam b[gene] = 0
param B[gene, kind] = 0 mask kind == gene\ncovariate x[kind]
wiener W[gene]\nstate y[gene] = 0\ny' = A*y + b + B*x + 0.5*W'";

/// An interrupted search tells of the best point that it has met, whose value is between those at the
/// start and at the end; and whoever looks on has been told that it goes.
#[test]
fn an_interrupted_fit_keeps_what_it_has() {
    struct Looking(u32);
    impl Observer for Looking {
        fn progress(&mut self, fraction: f64) {
            assert!(fraction.is_nan());
            self.0 += 1;
        }
    }
    let workplace = Workplace::new();
    workplace.write("cells.csv", knocked_out(&mut Stream::new(5, 0), 90));
    workplace.write("model.lotka", KNOCKED_OUT);
    let sentence = "fit A, b, B to \"cells.csv\" as stationary";
    let whole = fitted(&workplace, KNOCKED_OUT, sentence);
    let mut between = 0;
    for most in (0..400).step_by(2) {
        let mut session = Session::new(Arc::new(Impatient::new(most)));
        session
            .load(&workplace.path().join("model.lotka"))
            .expect("a model");
        let commands = session.understand(sentence).expect("a sentence");
        let mut looking = Looking(0);
        let performed = session.perform(&commands[0], &mut looking);
        let Ok(performed) = performed else { continue };
        assert!(looking.0 > 0);
        let Outcome::FittedAtRest(answer) = performed.outcome else {
            panic!("no fit");
        };
        if answer.found.end != End::Interrupted {
            continue;
        }
        between += 1;
        let (start, best) = (answer.before.expect("a value"), whole.found.log_likelihood);
        let found = answer.found.log_likelihood;
        assert!(start <= found && found <= best, "{start} {found} {best}");
        assert_eq!(performed.diagnostics[0].code, Code::Interrupted);
        // It is the value that holds.
        let drift = answer.estimates[0].values.as_slice();
        assert_eq!(numbers(&session, "A"), drift);
    }
    assert!(between > 3, "{between}");
}

/// What is wrong with cells is told by the names of cells and genes.
#[test]
fn cells_at_fault() {
    let workplace = Workplace::new();
    let table = knocked_out(&mut Stream::new(5, 0), 9);
    let lines: Vec<&str> = table.lines().collect();
    let hole = table.replace(lines[5], "1,,2,a");
    workplace.write("hole.csv", hole);
    workplace.write("cells.csv", &table);
    workplace.write("other.csv", table.replace(",a\n", ",bb\n"));
    let told = |model: &str, file: &str| {
        let mut session = opened(&workplace, model);
        let sentence = format!("fit A, b, B to \"{file}\" as stationary");
        perform(&mut session, &sentence).expect_err("refused")
    };
    let hole = told(KNOCKED_OUT, "hole.csv");
    assert!(hole.contains("row 5") && hole.contains("`b`"), "{hole}");
    let other = told(KNOCKED_OUT, "other.csv");
    assert!(other.contains("`bb` is not a member of `kind`"), "{other}");
    let no_control = KNOCKED_OUT.replace("{control, a, b}", "{a, b}");
    let control = told(&no_control, "cells.csv");
    assert!(control.contains("kind = {control, ...}"), "{control}");
}

/// A ridge that was asked for is named where it decides, and a fit under an `l1` says why it is not
/// compared.
#[test]
fn penalties_are_named() {
    let workplace = Workplace::new();
    // One knock-out alone leaves a direction of three genes open.
    let table = knocked_out(&mut Stream::new(5, 0), 90);
    let lines = table.lines().filter(|line| !line.ends_with(",b"));
    workplace.write("cells.csv", lines.collect::<Vec<_>>().join("\n") + "\n");
    let ridge = KNOCKED_OUT
        .replace(", b}\nparam", "}\nparam")
        .replace("diagonal(-1)", "diagonal(-1) penalty l2(0.01, offdiag)");
    let sentence = "fit A, b, B to \"cells.csv\" as stationary";
    let mut session = opened(&workplace, &ridge);
    let performed = perform(&mut session, sentence).expect("a fit");
    let text = lotka::render::outcome::text(&performed.outcome, 200);
    assert!(
        text.contains("the penalty l2(0.01) on A off its diagonal decided"),
        "{text}"
    );
    let lasso = ridge.replace("l2(0.01", "l1(0.01");
    let mut session = opened(&workplace, &lasso);
    say(&mut session, sentence);
    let again = say(&mut session, sentence);
    let text = lotka::render::outcome::text(&again, 200);
    assert!(
        text.contains("not compared with the fit to cells.csv"),
        "{text}"
    );
}

/// A matrix at the prompt has the names of its rows and columns; where two sets have one length it has
/// numbers.
#[test]
fn matrices_are_shown_with_their_labels() {
    let workplace = Workplace::new();
    let model = "index gene = {a, b}\nindex input = {u}\nindex other = {p, q}
param A[gene, gene] = [[-1, 0.5], [0, -2]]\nparam B[gene, input] = 3
param D[other, gene] = 1\nstate s[gene] = 1\ns' = A*s"
        .replace("input", "push");
    let mut session = opened(&workplace, &model);
    let mut text = |line: &str| lotka::render::outcome::text(&say(&mut session, line), 80);
    let inverse = text("-inverse(A)");
    let lines: Vec<&str> = inverse.lines().map(str::trim_end).collect();
    assert!(
        lines[0].starts_with("-inverse(A)  a") && lines[0].ends_with('b'),
        "{inverse}"
    );
    assert!(
        lines[2].starts_with("a ") && lines[2].ends_with("0.25"),
        "{inverse}"
    );
    assert!(
        text("-inverse(A)*B").contains(" u"),
        "columns of the other set"
    );
    assert!(text("D*A").lines().nth(2).expect("a row").starts_with('1'));
}
