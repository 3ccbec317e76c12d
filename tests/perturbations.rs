//! Linear models of perturbations, from the sentence to the prediction: against numbers from
//! elsewhere.

mod support;

use lotka::diagnostic::Code;
use lotka::session::{FactoredAnswer, Outcome, PredictionAnswer, Session};
use std::fs;
use std::sync::Arc;
use support::session::{loaded, perform};
use support::{Workplace, lotka, root};

const SMALL: &str = "gene,control,two,four
one,1,2,0
two,0,1,3
three,2,0,1
four,1,1,1
";

fn model(penalty: &str, file: &str, factors: usize) -> String {
    format!(
        "index gene from \"{file}\" column gene
index perturbation from \"{file}\" columns
index factor = 1..{factors}
param K[factor, factor] {penalty}
param b[gene]
covariate G[gene, factor] by scores
covariate P[perturbation, factor] by scores
observe Y[gene, perturbation] ~ normal(G*K*transpose(P) + b)
"
    )
}

fn session(text: &str) -> (Session, Workplace) {
    let workplace = Workplace::new();
    workplace.write("small.csv", SMALL);
    let screen = fs::read(root().join("models/genes/screen.csv")).expect("data");
    workplace.write("screen.csv", screen);
    workplace.write("model.lotka", text);
    (loaded(&workplace.path().join("model.lotka")), workplace)
}

fn fitted(session: &mut Session, file: &str) -> Arc<FactoredAnswer> {
    let sentence = format!("fit K, b to \"{file}\" (baseline = control)");
    match perform(session, &sentence).expect("a fit").outcome {
        Outcome::Factored(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn predicted(session: &mut Session, genes: &str) -> Arc<PredictionAnswer> {
    match perform(session, &format!("predict {genes}"))
        .expect("a prediction")
        .outcome
    {
        Outcome::Predicted(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// numpy: linalg.svd of X less the means of its columns, then linalg.solve and inv for the two-sided
/// penalty, and the explicit design numpy.kron(P, G) for the others.
#[test]
fn the_first_gene_under_both_perturbations() {
    for (penalty, expected) in [
        ("penalty l2(0.1, sides)", [2.127_661, 0.831_194]),
        ("penalty l2(0.1)", [2.161_979, 0.653_482]),
        ("", [2.083_210, -0.160_237]),
    ] {
        let (mut session, _place) = session(&model(penalty, "small.csv", 2));
        let answer = fitted(&mut session, "small.csv");
        assert_eq!(answer.control, 0);
        let found = predicted(&mut session, "two, four");
        for (column, expected) in expected.into_iter().enumerate() {
            let off = (found.predicted[(0, column)] - expected).abs();
            assert!(off < 1e-6, "{penalty}: {}", found.predicted[(0, column)]);
        }
        // The matrices hold: the same as an expression, without the baseline of 1.
        let value = perform(&mut session, "G*K*G[two, factor] + b").expect("a value");
        let Outcome::Value { numbers, .. } = value.outcome else {
            panic!("no value");
        };
        assert!((1.0 + numbers[0] - expected[0]).abs() < 1e-6);
        perform(&mut session, "undo").expect("back");
    }
}

/// numpy on models/genes/screen.csv, as above: a gene that was never perturbed.
#[test]
fn a_gene_that_was_never_perturbed() {
    let text = model("penalty l2(0.1, sides)", "screen.csv", 4);
    let (mut session, place) = session(&text);
    let answer = fitted(&mut session, "screen.csv");
    let expected = [
        0.696_189_562_398,
        1.384_603_672_39,
        1.094_129_242_52,
        1.693_352_523_26,
        0.704_955_891_426,
        1.290_976_791_1,
        0.902_990_095_181,
        2.131_096_260_8,
        0.620_945_002_156,
        1.239_404_700_83,
        0.729_136_630_636,
        1.548_885_327_29,
    ];
    let found = predicted(&mut session, "B2");
    for (found, expected) in found.predicted.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-10,
            "{found} is not {expected}"
        );
    }
    // numpy.corrcoef of fitted and observed changes of A1 and B4.
    assert!((answer.met[1].correlation - 0.802_67).abs() < 1e-6);
    assert!((answer.met[6].correlation - 0.986_568).abs() < 1e-6);
    let out = place.path().join("out.csv");
    let sentence = format!("predict B2, \"C4\" to \"{}\"", out.display());
    perform(&mut session, &sentence).expect("a table");
    let written = fs::read_to_string(&out).expect("a table");
    assert!(
        written.starts_with("gene,control,B2,C4\nA1,0.729702,0.69618956239"),
        "{written}"
    );
}

/// Perturbations are the cells of an AnnData file, whose names are those of genes: the numbers of
/// the small table.
#[test]
fn a_screen_in_an_anndata_file() {
    let text = model("penalty l2(0.1, sides)", "small.csv", 2);
    let text = text.replacen(
        "from \"small.csv\" column gene",
        "from \"small.h5ad\" var",
        1,
    );
    let text = text.replacen("from \"small.csv\" columns", "from \"small.h5ad\" obs", 1);
    let place = Workplace::new();
    let file = fs::read(root().join("tests/data/screen.h5ad")).expect("data");
    place.write("small.h5ad", file);
    place.write("model.lotka", text);
    let mut session = loaded(&place.path().join("model.lotka"));
    fitted(&mut session, "small.h5ad");
    let found = predicted(&mut session, "four");
    assert!((found.predicted[(0, 0)] - 0.831_194).abs() < 1e-6);
    // The matrix of the file itself has a name too.
    let sentence = "fit K, b to \"small.h5ad\" (baseline = control, Y = X)";
    perform(&mut session, sentence).expect("a fit");
}

/// Rows for perturbations, some of them twice: their means are the columns of the small table, whose
/// prediction is known. The same of a column of `obs`.
#[test]
fn rows_are_averaged() {
    let rows = "who,batch,one,two,three,four
control,1,1.5,0.25,2,1
two,1,2,1,0,1
control,2,0.5,-0.25,2,1
four,1,-1,3,1,0.5
four,1,1,3,1,1.5
,2,9,9,9,9
";
    let text = model("penalty l2(0.1, sides)", "small.csv", 2);
    let (mut session, place) = session(&text);
    place.write("rows.csv", rows);
    let sentence = "fit K, b to \"rows.csv\" (baseline = control, perturbation = who)";
    let performed = perform(&mut session, sentence).expect("a fit");
    let Outcome::Factored(answer) = &performed.outcome else {
        panic!("no fit");
    };
    assert_eq!(answer.replicates, Some(vec![2, 1, 2]));
    assert_eq!(answer.baseline, [1.0, 0.0, 2.0, 1.0]);
    let shown = lotka::render::outcome::text(&performed.outcome, 200);
    assert!(
        shown.contains("the means of 5 rows, 2 rows of the baseline"),
        "{shown}"
    );
    let found = predicted(&mut session, "four");
    assert!((found.predicted[(0, 0)] - 0.831_194).abs() < 1e-6);
    let lacks = "fit K, b to \"rows.csv\" (baseline = control, perturbation = batch)";
    let lacks = perform(&mut session, lacks).expect_err("refused");
    assert!(lacks.contains("no row of `control`"), "{lacks}");
    let again = "fit K, b to \"rows.csv\" (baseline = control, perturbaton = who)";
    let again = perform(&mut session, again).expect_err("refused");
    assert!(again.contains("did you mean `perturbation`?"), "{again}");
}

/// Two sentences that go back: the fit is forgotten with its values.
#[test]
fn an_undone_fit_predicts_nothing() {
    let (mut session, _place) = session(&model("", "small.csv", 2));
    fitted(&mut session, "small.csv");
    perform(&mut session, "undo").expect("back");
    let told = perform(&mut session, "predict two").expect_err("refused");
    assert!(told.contains("no model of perturbations"), "{told}");
}

/// A gene has one row, and a column with a slip in one cell is not lost without a word.
#[test]
fn doubtful_tables_are_told() {
    let (mut session, place) = session(&model("", "small.csv", 2));
    place.write("twice.csv", format!("{SMALL}two,9,9,9\n"));
    let told = perform(
        &mut session,
        "fit K, b to \"twice.csv\" (baseline = control)",
    );
    let told = told.expect_err("refused");
    assert!(told.contains("two rows of `two`, 2 and 5"), "{told}");
    place.write("slip.csv", SMALL.replace("2,0,1", "2,lots,1"));
    let performed = perform(&mut session, "index guide from \"slip.csv\" columns");
    let warning = &performed.expect("a set").diagnostics[0];
    assert_eq!(warning.code, Code::UnusedColumn);
    assert!(
        warning.message.contains("`two`") && warning.message.contains("row 3 (line 4)"),
        "{}",
        warning.message
    );
}

/// What cannot be fitted is told, with what to write.
#[test]
fn what_cannot_be_fitted_is_told() {
    let (mut small, place) = session(&model("", "small.csv", 2));
    let mut told = |sentence: &str| perform(&mut small, sentence).expect_err("refused");
    for (sentence, text) in [
        ("fit K, b to \"small.csv\"", "counted from a baseline"),
        (
            "fit K, b to \"small.csv\" (baseline = contrl)",
            "did you mean `control`?",
        ),
        (
            "fit K to \"small.csv\" (baseline = control)",
            "fitted whole",
        ),
        (
            "fit K, b to \"small.csv\" (baseline = control) using extremes",
            "this model is none",
        ),
        (
            "fit K, b to \"small.csv\" (baseline = control) starts 3",
            "means nothing",
        ),
        (
            "fit K, b to \"small.csv\" (baseline = two)",
            "`control` is the name of no gene",
        ),
        (
            "fit K, b to \"none.csv\" (baseline = control)",
            "there is no such file",
        ),
        ("predict two", "no model of perturbations"),
    ] {
        let found = told(sentence);
        assert!(found.contains(text), "{sentence}: {found}");
    }
    place.write("words.csv", SMALL.replace("2,0,1", "2,many,1"));
    place.write("short.csv", SMALL.replace("three,2,0,1\n", ""));
    place.write("holes.csv", SMALL.replace("2,0,1", "2,,1"));
    for (file, text) in [
        ("words.csv", "many"),
        ("short.csv", "three"),
        ("holes.csv", "row 3"),
    ] {
        let found = told(&format!("fit K, b to \"{file}\" (baseline = control)"));
        assert!(found.contains(text), "{file}: {found}");
    }
    let (mut many, _place) = session(&model("", "small.csv", 4));
    let sentence = "fit K, b to \"small.csv\" (baseline = control)";
    let found = perform(&mut many, sentence).expect_err("refused");
    assert!(found.contains("3 at most"), "{found}");
}

#[test]
fn the_model_runs_the_same_on_any_number_of_threads() {
    let place = Workplace::new();
    let file = "models/genes/perturbations.lotka";
    let one = lotka(place.path(), &["run", file, "--threads", "1"], "");
    let two = lotka(place.path(), &["run", file, "--threads", "2"], "");
    assert!(
        one.status.success() && one.errors.is_empty(),
        "{}",
        one.both()
    );
    assert_eq!(one.output, two.output);
    // The control column is the state of rest of the network.
    let rest = lotka(
        place.path(),
        &["steady", "models/genes/screen.lotka", "--format", "json"],
        "",
    );
    let rest: serde_json::Value = serde_json::from_str(&rest.output).expect("json");
    let kept = fs::read_to_string(root().join("models/genes/screen.csv")).expect("data");
    for (line, state) in kept
        .lines()
        .skip(1)
        .zip(rest["state"].as_array().expect("states"))
    {
        let control: f64 = line
            .split(',')
            .nth(1)
            .expect("a column")
            .parse()
            .expect("a number");
        assert!((control - state.as_f64().expect("a number")).abs() < 1e-6);
    }
}
