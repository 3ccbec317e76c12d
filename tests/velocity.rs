//! Lines through extreme cells, from the sentence to the file: against numbers from elsewhere.

mod support;

use lotka::session::{Outcome, Session, VelocityAnswer};
use lotka::table::cells::Cells;
use lotka::table::h5ad::{H5ad, Place};
use std::fs;
use std::sync::Arc;
use support::session::{loaded, perform};
use support::{Workplace, lotka, root};

const LINE: &str = "index gene = {g1}
param gamma[gene] = 1 in 0..
param offset[gene] = 0
covariate s[gene]
observe u[gene] ~ normal(gamma .* s + offset)
";
const GENES: &str = "index gene = {Actb, Sox2, Gata1, Spi1}
param gamma[gene] = 1
param offset[gene] = 0
covariate s[gene]
observe u[gene] ~ normal(gamma .* s + offset)
";
/// s = 0..10
const UNSPLICED: [f64; 11] = [0.1, 0.4, 0.5, 1.2, 1.1, 1.6, 1.7, 2.3, 2.2, 2.9, 3.2];

fn table() -> String {
    let rows = UNSPLICED.iter().enumerate();
    let rows = rows.map(|(s, u)| format!("{s},{u}\n"));
    format!("s[g1],u[g1]\n{}", rows.collect::<String>())
}

/// A session with a model, beside the counts of the tests.
fn session(model: &str) -> (Session, Workplace) {
    let workplace = Workplace::new();
    workplace.write("model.lotka", model);
    workplace.write("cells.csv", table());
    let counts = fs::read(root().join("tests/data/velocity.h5ad")).expect("counts");
    workplace.write("cells.h5ad", &counts);
    workplace.write("half.h5ad", &counts[..counts.len() / 2]);
    (loaded(&workplace.path().join("model.lotka")), workplace)
}

#[track_caller]
fn lines(session: &mut Session, sentence: &str) -> Arc<VelocityAnswer> {
    match perform(session, sentence).expect("lines").outcome {
        Outcome::Velocity(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn close(found: f64, expected: f64, within: f64) {
    let off = (found - expected).abs();
    assert!(
        off <= within * expected.abs().max(1.0),
        "{found} is not {expected}"
    );
}

/// sum(u s)/sum(s s) of the chosen cells: 119.4/385 of all, 3.2/10 of the last one, and
/// (17.6 + 26.1 + 32)/(64 + 81 + 100) of the last three.
#[test]
fn slopes_of_one_gene() {
    let (mut session, _place) = session(LINE);
    for (words, expected, cells) in [
        ("extremes(tails = all)", 0.310_129_870_129_870_1, 11),
        ("extremes", 0.32, 1),
        ("extremes(scvelo)", 0.32, 1),
        ("extremes(tails = 80)", 75.7 / 245.0, 3),
    ] {
        let sentence = format!("fit gamma to \"cells.csv\" using {words}");
        let answer = lines(&mut session, &sentence);
        close(answer.genes[0].slope, expected, 1e-14);
        assert_eq!(answer.genes[0].extreme, cells, "{words}");
        // The estimate holds from now on.
        let present = answer.compiled.present(session.overrides());
        close(present.parameters[0], expected, 1e-14);
    }
}

/// The general search over all cells ends where the closed form is.
#[test]
fn the_general_fit_agrees() {
    let (mut session, _place) = session(LINE);
    for (what, tolerance) in [("gamma", 1e-9), ("gamma, offset", 1e-8)] {
        let all = format!("fit {what} to \"cells.csv\"");
        let sentence = format!("{all} using extremes(tails = all)");
        let answer = lines(&mut session, &sentence);
        let Outcome::Fitted(fits) = perform(&mut session, &all).expect("a fit").outcome else {
            panic!("no fit");
        };
        close(fits[0].estimates[0], answer.genes[0].slope, tolerance);
        if let [_, offset] = fits[0].estimates.as_slice() {
            close(*offset, answer.genes[0].intercept, tolerance);
        }
        // A fit takes the place of the lines.
        assert!(perform(&mut session, "save lines to \"l.csv\"").is_err());
    }
}

/// numpy 2 and scipy.optimize.lsq_linear on tests/data/velocity.h5ad, its percentiles and sums
/// taken as both packages take them.
#[test]
fn genes_of_an_anndata_file() {
    let (mut session, _place) = session(GENES);
    let to = "to \"cells.h5ad\" (s = Ms, u = Mu) using extremes";
    let origin = lines(&mut session, &format!("fit gamma {to}"));
    let expected = [
        0.186_336_210_772,
        0.686_597_297_742,
        0.923_257_440_646,
        0.543_083_598_564,
    ];
    for (gene, expected) in origin.genes.iter().zip(expected) {
        close(gene.slope, expected, 1e-10);
    }
    close(origin.genes[3].r_squared, 0.040_535_389_243_2, 1e-10);
    let both = lines(&mut session, &format!("fit gamma, offset {to}"));
    let expected = [
        (0.163_362_314_607, 0.542_890_455_386),
        (0.645_251_246_81, 0.522_673_158_592),
        (0.840_226_771_95, 0.379_691_388_965),
        (0.495_746_578_266, 0.595_354_581_588),
    ];
    for (gene, (slope, offset)) in both.genes.iter().zip(expected) {
        close(gene.slope, slope, 1e-10);
        close(gene.intercept, offset, 1e-10);
        assert_eq!(gene.extreme, 4);
    }
    let bounded = lines(&mut session, &format!("fit gamma, offset {to}(velocyto)"));
    for (gene, slope) in
        bounded
            .genes
            .iter()
            .zip([0.186_626_04, 0.684_783_84, 1.069_968_76, 0.592_321_47])
    {
        // That solver stops 1e-7 before its bound.
        close(gene.slope, slope, 3e-7);
    }
}

/// u - gamma s - offset, in the place of each gene; the file is as before otherwise.
#[test]
fn velocities_are_a_layer_of_a_copy() {
    let (mut session, place) = session(GENES);
    let sentence = "fit gamma, offset to \"cells.h5ad\" (s = Ms, u = Mu) using extremes";
    let answer = lines(&mut session, sentence);
    let out = place.path().join("out.h5ad");
    let save = format!("save velocity to \"{}\"", out.display());
    perform(&mut session, &save).expect("a file");
    let read = |path: &std::path::Path, layer: &str| -> Cells {
        let file = H5ad::open(path).expect("a file of cells");
        let matrix = file.matrix(Place::Layer(layer)).expect("a layer");
        file.read(&matrix, &|| false).expect("numbers")
    };
    let (s, u) = (read(&out, "Ms"), read(&out, "Mu"));
    let v = read(&out, "velocity");
    assert_eq!((v.rows(), v.columns()), (40, 5));
    for cell in 0..40 {
        for (at, gene) in answer.genes.iter().enumerate() {
            let expected = u.at(cell, at) - gene.slope * s.at(cell, at) - gene.intercept;
            close(v.at(cell, at), expected, 1e-6);
        }
        // A gene without a line.
        assert!(v.at(cell, 4).is_nan());
    }
    // A layer of this name is not replaced, nor a file that was there before.
    let again = format!(
        "fit gamma, offset to \"{}\" (s = Ms, u = Mu) using extremes",
        out.display()
    );
    lines(&mut session, &again);
    let twice = place.path().join("twice.h5ad");
    let told = perform(
        &mut session,
        &format!("save velocity to \"{}\"", twice.display()),
    );
    assert!(told.expect_err("refused").contains("cannot be added"));
    assert!(!twice.exists());
    let counts = place.path().join("cells.h5ad");
    let told = perform(
        &mut session,
        &format!("save velocity to \"{}\"", counts.display()),
    );
    assert!(told.expect_err("refused").contains("cannot write"));
    let before = fs::read(root().join("tests/data/velocity.h5ad")).expect("counts");
    assert_eq!(fs::read(counts).expect("counts"), before);
    let left = fs::read_dir(place.path()).expect("a folder");
    let names = left.map(|entry| entry.expect("an entry").file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !name.to_string_lossy().contains("partial"))
    );
}

/// What cannot be fitted is told, and leaves nothing.
#[test]
fn counts_at_fault() {
    let (mut genes, place) = session(GENES);
    let mut told = |sentence: &str| perform(&mut genes, sentence).expect_err("refused");
    let layer = told("fit gamma to \"cells.h5ad\" (s = Ns, u = Mu) using extremes");
    assert!(layer.contains("no layer `Ns`"), "{layer}");
    let half = told("fit gamma to \"half.h5ad\" (s = Ms, u = Mu) using extremes");
    assert!(half.contains("half.h5ad"), "{half}");
    let lacks = told("fit gamma to \"cells.csv\" using extremes");
    assert!(lacks.contains("s[Actb]"), "{lacks}");
    place.write("one.csv", "s[g1],u[g1]\n1,2\n");
    place.write("words.csv", "s[g1],u[g1]\n1,2\nmany,3\n");
    place.write("holes.csv", "s[g1],u[g1]\n1,2\n,3\n");
    let (mut line, own) = session(LINE);
    for (file, text) in [
        ("one.csv", "1 cell"),
        ("words.csv", "row 2"),
        ("holes.csv", "row 2"),
    ] {
        let path = place.path().join(file);
        let sentence = format!("fit gamma to \"{}\" using extremes", path.display());
        let told = perform(&mut line, &sentence).expect_err(file);
        assert!(told.contains(text), "{file}: {told}");
    }
    let told = perform(&mut line, "save velocity to \"v.h5ad\"").expect_err("no lines");
    assert!(told.contains("no lines"), "{told}");
    assert!(!own.path().join("v.h5ad").exists());
}

/// A layer of the name is replaced, and the old file kept until the new one is complete, where it was
/// said that files may be overwritten.
#[test]
fn a_layer_is_replaced_by_force() {
    let place = Workplace::new();
    let counts = fs::read(root().join("tests/data/velocity.h5ad")).expect("counts");
    place.write("cells.h5ad", &counts);
    let sentences = "fit gamma to \"cells.h5ad\" (s = Ms, u = Mu) using extremes
save velocity to \"cells.h5ad\"
";
    place.write("model.lotka", format!("{GENES}{sentences}"));
    let run = |words: &[&str]| lotka(place.path(), &[&["run", "model.lotka"], words].concat(), "");
    assert!(run(&[]).errors.contains("E0502"));
    for _ in 0..2 {
        let forced = run(&["--force"]);
        assert!(forced.status.success(), "{}", forced.both());
    }
    let file = H5ad::open(&place.path().join("cells.h5ad")).expect("a file of cells");
    let layers = file.layers().expect("layers");
    assert_eq!(layers.iter().filter(|name| *name == "velocity").count(), 1);
    let matrix = file.matrix(Place::Layer("velocity")).expect("a layer");
    let v = file.read(&matrix, &|| false).expect("numbers");
    assert_eq!((v.rows(), v.columns()), (40, 5));
}

/// Numbers below 0 are counted, and the first is named.
#[test]
fn counts_below_zero_are_doubted() {
    let (mut session, place) = session(LINE);
    place.write("below.csv", "s[g1],u[g1]\n0,0.1\n1,-0.6\n-2,-0.9\n3,2\n");
    let performed = perform(&mut session, "fit gamma to \"below.csv\" using extremes");
    let performed = performed.expect("lines");
    let told: Vec<String> = performed
        .diagnostics
        .iter()
        .map(|one| one.message.clone())
        .collect();
    assert_eq!(
        told,
        ["1 number of `s` is below 0", "2 numbers of `u` are below 0"]
    );
    assert_eq!(
        performed.diagnostics[1].labels[0].text,
        "the first is `u[g1]` of cell 2"
    );
}

/// The model of the manual gives the same bytes on any number of threads, and its data are those of
/// the model beside it.
#[test]
fn the_models_of_genes_run() {
    let place = Workplace::new();
    let one = lotka(
        place.path(),
        &["run", "models/genes/velocity.lotka", "--threads", "1"],
        "",
    );
    let two = lotka(
        place.path(),
        &["run", "models/genes/velocity.lotka", "--threads", "2"],
        "",
    );
    assert!(one.status.success(), "{}", one.both());
    assert!(one.errors.is_empty(), "{}", one.errors);
    assert_eq!(one.output, two.output);
    let model = root().join("models/genes/splicing.lotka");
    let mut session = loaded(&model);
    perform(&mut session, "simulate 0..400 step 1 using ssa seed 11").expect("a run");
    let out = place.path().join("again.csv");
    perform(&mut session, &format!("save s, u to \"{}\"", out.display())).expect("a table");
    let kept = fs::read(root().join("models/genes/splicing.csv")).expect("the data");
    assert!(fs::read(out).expect("a table") == kept);
}
