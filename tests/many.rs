//! Larger data of many genes, made by the project's own simulator: the generators run, at other sizes
//! too, and the models of the chapters find in them what made them.

mod support;

use lotka::session::{Outcome, Session};
use lotka::table::{self, Table};
use std::fs;
use support::session::{loaded, say};
use support::{Workplace, lotka, root};

/// Runs a generator after a replacement in its text.
fn made(name: &str, (from, to): (&str, &str)) -> Workplace {
    let place = Workplace::new();
    let path = root().join("models/genes").join(name);
    let text = fs::read_to_string(path).expect("a model");
    assert!(text.contains(from), "{name} has no {from}");
    place.write("make.lotka", text.replacen(from, to, 1));
    let printed = lotka(place.path(), &["run", "make.lotka"], "");
    assert!(printed.status.success(), "{}", printed.both());
    assert!(printed.errors.is_empty(), "{}", printed.errors);
    place
}

fn opened(place: &Workplace, model: &str) -> Session {
    place.write("model.lotka", model);
    loaded(&place.path().join("model.lotka"))
}

fn read(place: &Workplace, name: &str) -> Table {
    let bytes = fs::read(place.path().join(name)).expect("a table");
    table::read(name, &bytes).expect("a table")
}

/// Of 60 genes, decay is found within a few per cent: counts scatter.
#[test]
fn velocities_of_many_genes() {
    let place = made("splicing_many.lotka", ("let N = 40", "let N = 60"));
    let mut session = opened(
        &place,
        "index gene from \"splicing_many.csv\" columns of s
param gamma[gene] = 1\nparam offset[gene] = 0\ncovariate s[gene]
observe u[gene] ~ normal(gamma .* s + offset)",
    );
    let outcome = say(
        &mut session,
        "fit gamma to \"splicing_many.csv\" using extremes",
    );
    let Outcome::Velocity(answer) = outcome else {
        panic!("{outcome:?}");
    };
    let known = read(&place, "splicing_many_gamma.csv");
    let known = known.complete_numbers("gamma").expect("numbers");
    assert_eq!(
        (answer.cells(), answer.genes.len(), known.len()),
        (401, 60, 60)
    );
    let off = answer
        .genes
        .iter()
        .zip(known)
        .map(|(gene, known)| (gene.slope / known - 1.0).abs());
    assert!(off.sum::<f64>() / 60.0 < 0.15);
}

/// What each knock-out does to its own gene is found, of three of 8 genes and 31 cells or so for each.
#[test]
fn knock_outs_of_many_genes() {
    let place = made(
        "knockouts_many.lotka",
        ("let N = 20\nlet K = 6", "let N = 8\nlet K = 3"),
    );
    let mut session = opened(
        &place,
        "index gene from \"knockouts_many.csv\" columns of y
index knockout from \"knockouts_many.csv\" columns of x
param A[gene, gene] = diagonal(-1)\nparam b[gene] = 0
param B[gene, knockout] = 0 mask knockout == gene\ncovariate x[knockout]
wiener W[gene]\nstate y[gene] = 0\ny' = A*y + b + B*x + 0.5*W'",
    );
    let outcome = say(
        &mut session,
        "fit A, b, B to \"knockouts_many.csv\" as stationary",
    );
    let Outcome::FittedAtRest(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((answer.genes.len(), answer.groups.len()), (8, 4));
    assert!(answer.has_converged());
    for pushed in 0..3 {
        let found = answer.estimates[2].values[(pushed, pushed)];
        assert!((-2.5..-0.75).contains(&found), "{found}");
    }
    assert_eq!(read(&place, "knockouts_many_A.csv").rows(), 8);
}

/// The weights that are written are those of the network whose states these are: at rest without
/// noise nothing grows.
#[test]
fn states_of_a_network_of_many_genes() {
    let place = made("network_many.lotka", ("let N = 40", "let N = 25"));
    let mut session = opened(
        &place,
        "index gene from \"network_many.csv\" columns of s
param W[gene, gene] = read(\"network_many_W.csv\")\nstate s[gene] = 1
s' = W*hill(s, 3, 4) - s + 3",
    );
    let outcome = say(&mut session, "stability over \"network_many.csv\"");
    let Outcome::Rows { answer, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (answer.data.rows(), answer.data.numbers.columns()),
        (201, 25)
    );
    let rows: Vec<usize> = (0..201).collect();
    let (stable, all) = answer.stable(&rows);
    assert!(all == 201 && stable > 150, "{stable}");
}

/// Knock-downs of genes that act on others are met well; many genes are off, and act on none.
#[test]
fn a_screen_of_many_genes() {
    let place = made(
        "screen_many.lotka",
        ("let N = 40\nlet K = 30", "let N = 30\nlet K = 20"),
    );
    let mut session = opened(
        &place,
        "index gene from \"screen_many.csv\" columns of y
index perturbation from \"screen_many.csv\" column guide\nindex factor = 1..4
param K[factor, factor] penalty l2(0.1, sides)\nparam b[gene]
covariate G[gene, factor] by scores\ncovariate P[perturbation, factor] by scores
observe y[gene, perturbation] ~ normal(G*K*transpose(P) + b)",
    );
    let to = "fit K, b to \"screen_many.csv\" (baseline = \"0\", perturbation = guide)";
    let outcome = say(&mut session, to);
    let Outcome::Factored(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((answer.genes.len(), answer.perturbations.len()), (30, 21));
    let mut met: Vec<f64> = answer.met.iter().map(|met| met.correlation).collect();
    met.retain(|correlation| correlation.is_finite());
    met.sort_by(f64::total_cmp);
    assert!(met[met.len() - 4] > 0.6, "{met:?}");
    say(&mut session, "predict \"25\"");
}
