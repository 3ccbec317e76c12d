//! Results in a copy of the file of cells: where each stands, and what is refused.

mod support;

use lotka::session::{Outcome, Session};
use lotka::table::cells::{Cells, Values};
use lotka::table::h5ad::{Column, Frame, H5ad, Place};
use std::fs;
use support::session::{loaded, perform, say};
use support::{Workplace, lotka, root};

/// Four of the five genes of the file, in another order.
const AT_REST: &str = "index gene = {Spi1, Actb, Gata1, Sox2}
index kind = {even, odd}
param A[gene, gene] = diagonal(-1)
param b[gene] = 0
param B[gene, kind] = 0.5
wiener W[gene]
state y[gene] = 0
y' = A*y + b + W'
";
const LINES: &str = "index gene = {Sox2, Actb}
param gamma[gene] = 1
covariate s[gene]
observe u[gene] ~ normal(gamma .* s)
";
const NETWORK: &str = "index gene = {a, b, c}
param W[gene, gene] = [[0, 2, 0], [1, 0, 0], [3, 0, 0]]
state s[gene] = [1, 2, 3]
s' = W*hill(s, 1, 2) - s
";
const FIT: &str = "fit A, b to \"cells.h5ad\" layer \"Ms\" as stationary";
const FIT_LINES: &str = "fit gamma to \"cells.h5ad\" (s = Ms, u = Mu) using extremes";

/// A model beside two files of cells.
fn session(model: &str) -> (Session, Workplace) {
    let place = Workplace::new();
    for (from, to) in [
        ("velocity.h5ad", "cells.h5ad"),
        ("network.h5ad", "network.h5ad"),
    ] {
        let bytes = fs::read(root().join("tests/data").join(from)).expect("data");
        place.write(to, bytes);
    }
    place.write("model.lotka", model);
    (loaded(&place.path().join("model.lotka")), place)
}

fn save(session: &mut Session, what: &str, place: &Workplace, name: &str) -> Vec<String> {
    let to = place.path().join(name);
    match say(session, &format!("save {what} to \"{}\"", to.display())) {
        Outcome::Annotated { added, .. } => added,
        other => panic!("{other:?}"),
    }
}

fn refused(session: &mut Session, what: &str, place: &Workplace) -> String {
    let to = place.path().join("refused.h5ad");
    let told = perform(session, &format!("save {what} to \"{}\"", to.display()));
    assert!(!to.exists());
    told.err().unwrap_or_else(|| panic!("{what}"))
}

fn opened(place: &Workplace, name: &str) -> H5ad {
    H5ad::open(&place.path().join(name)).expect("a file of cells")
}

fn read(file: &H5ad, place: Place<'_>) -> Cells {
    let matrix = file.matrix(place).expect("a matrix");
    file.read(&matrix, &|| false).expect("numbers")
}

/// The numbers of a parameter, column by column.
fn numbers(session: &Session, name: &str) -> Vec<f64> {
    let compiled = session.compiled().expect("a model");
    let present = compiled.present(session.overrides());
    let mut known = compiled.model.parameters.iter();
    let at = known.position(|known| known.name == name).expect("a name");
    let block = compiled.system.parameters.blocks()[at];
    present.parameters[block.range()].to_vec()
}

/// Entries stand at the genes of the file, whatever the order of the model; a gene that the model has
/// not has no entries, and is missing in a column.
#[test]
fn matrices_stand_at_their_genes() {
    let (mut session, place) = session(AT_REST);
    say(&mut session, FIT);
    let added = save(&mut session, "A, b, B", &place, "out.h5ad");
    assert_eq!(added, ["varp[\"A\"]", "var[\"b\"]", "varm[\"B\"]"]);
    let file = opened(&place, "out.h5ad");
    let a = read(&file, Place::Varp("A"));
    assert!(matches!(a.values(), Values::Csr(_)));
    // Actb, Sox2, Gata1, Spi1, Dead among Spi1, Actb, Gata1, Sox2.
    let own = [Some(1), Some(3), Some(2), Some(0), None];
    let (fitted, b) = (numbers(&session, "A"), numbers(&session, "b"));
    let column = file.numbers(Frame::Var, "b").expect("numbers");
    for (to, row) in own.iter().enumerate() {
        match row {
            Some(row) => assert_eq!(column[to], b[*row]),
            None => assert!(column[to].is_nan()),
        }
        for (from, column) in own.iter().enumerate() {
            let expected = match (row, column) {
                (Some(row), Some(column)) => fitted[column * 4 + row],
                _ => 0.0,
            };
            assert_eq!(a.at(to, from), expected, "{to} {from}");
        }
    }
    assert!(fitted.iter().all(|entry| *entry != 0.0));
    // What was in the file still is.
    assert_eq!(
        read(&file, Place::X),
        read(&opened(&place, "cells.h5ad"), Place::X)
    );
    assert!(place.path().join("out.h5ad.stamp.json").exists());
}

/// With all genes of the file a matrix is dense, and `read` gives it back.
#[test]
fn a_matrix_of_all_genes_is_read_again() {
    let model = AT_REST.replace("{Spi1, Actb, Gata1, Sox2}", "from \"cells.h5ad\" var");
    let (mut first, place) = session(&model);
    say(
        &mut first,
        "stability over \"cells.h5ad\" layer \"Ms\" of trace",
    );
    first_entries(&mut first);
    save(&mut first, "A", &place, "out.h5ad");
    let a = read(&opened(&place, "out.h5ad"), Place::Varp("A"));
    assert!(matches!(a.values(), Values::Dense(_)));
    let again = model.replace("diagonal(-1)", "read(\"out.h5ad\", varp = A)");
    place.write("again.lotka", again);
    let second = loaded(&place.path().join("again.lotka"));
    assert_eq!(numbers(&second, "A"), numbers(&first, "A"));
}

/// A matrix that is not symmetric.
fn first_entries(session: &mut Session) {
    say(session, "A[Actb, Sox2] = 2");
    say(session, "A[Dead, Spi1] = -3");
}

/// What is known of lines goes to genes, and truth is truth.
#[test]
fn lines_are_columns_of_genes() {
    let (mut session, place) = session(LINES);
    let Outcome::Velocity(answer) = say(&mut session, FIT_LINES) else {
        panic!("no lines");
    };
    let added = save(&mut session, "velocity, lines", &place, "out.h5ad");
    assert_eq!(added[0], "layers[\"velocity\"]");
    assert_eq!(added[1..3], ["var[\"gamma\"]", "var[\"offset\"]"]);
    let file = opened(&place, "out.h5ad");
    let gamma = file.numbers(Frame::Var, "gamma").expect("numbers");
    let own = numbers(&session, "gamma");
    assert_eq!([gamma[1], gamma[0]], [own[0], own[1]]);
    assert!(gamma[2..].iter().all(|gamma| gamma.is_nan()));
    let trusted = file.column(Frame::Var, "trusted").expect("a column");
    let known = [answer.trusted[1], answer.trusted[0]];
    let truth = [known[0], known[1], false, false, false].map(Some);
    assert_eq!(trusted, Column::Truth(truth.to_vec()));
}

/// A file of this session grows; what it has from the file of cells stays.
#[test]
fn a_file_grows() {
    let (mut session, place) = session(LINES);
    say(&mut session, FIT_LINES);
    for what in ["velocity", "gamma", "lines", "gamma"] {
        save(&mut session, what, &place, "out.h5ad");
    }
    let file = opened(&place, "out.h5ad");
    assert_eq!(file.layers().expect("layers"), ["Ms", "Mu", "velocity"]);
    let columns = file.columns(Frame::Var).expect("columns");
    assert_eq!(
        columns,
        ["gamma", "offset", "r_squared", "cells", "trusted"]
    );
}

/// Numbers of cells go to cells, those of rows that have none are missing.
#[test]
fn spectra_are_columns_of_cells() {
    let (mut session, place) = session(NETWORK);
    say(
        &mut session,
        "stability over \"network.h5ad\" layer \"Ms\" by cell_type of jacobian[a, b]",
    );
    let table = place.path().join("spectra.csv");
    say(
        &mut session,
        &format!("save spectra to \"{}\"", table.display()),
    );
    let added = save(&mut session, "spectra, W", &place, "out.h5ad");
    assert_eq!(added.len(), 8);
    let file = opened(&place, "out.h5ad");
    let table = fs::read(&table).expect("a table");
    let table = lotka::table::read("spectra.csv", &table).expect("a table");
    for name in [
        "leading",
        "leading_imaginary",
        "positive",
        "negative",
        "trace",
        "rotation",
        "jacobian[a, b]",
    ] {
        let column = table.complete_numbers(name).expect("a column");
        assert_eq!(
            file.numbers(Frame::Obs, name).expect(name),
            column,
            "{name}"
        );
    }
    // Of c, a, z, b: W[a, b] = 2.
    assert_eq!(read(&file, Place::Varp("W")).at(1, 3), 2.0);
    let columns = file.columns(Frame::Obs).expect("columns");
    assert_eq!(columns[..2], ["cell_type", "leading"]);
}

/// Nothing is written that has no place, no file to be copied, or a name that is taken.
#[test]
fn what_cannot_be_placed_is_told() {
    let (mut session, place) = session(AT_REST);
    let told = refused(&mut session, "A", &place);
    assert!(told.contains("no file of cells"), "{told}");
    say(&mut session, FIT);
    for (what, part) in [
        ("y", "of cells or genes"),
        ("bands", "of cells or genes"),
        ("spectra", "no table of states"),
        ("velocity", "no lines"),
        ("C", "`C`"),
    ] {
        let told = refused(&mut session, what, &place);
        assert!(told.contains(part), "{what}: {told}");
    }
    // The genes of the last table of states are others.
    let (mut network, own) = self::session(&format!(
        "{NETWORK}index pair = {{a, q}}\nparam v[pair] = 1\n"
    ));
    say(
        &mut network,
        "stability over \"network.h5ad\" layer \"Ms\" of trace",
    );
    let told = refused(&mut network, "v", &own);
    assert!(told.contains("has no `q`"), "{told}");
    save(&mut network, "W", &own, "first.h5ad");
    let first = own.path().join("first.h5ad");
    let over = format!(
        "stability over \"{}\" layer \"Ms\" of trace",
        first.display()
    );
    say(&mut network, &over);
    let told = refused(&mut network, "W", &own);
    assert!(told.contains("varp/W exists already"), "{told}");
}

/// Where files may be replaced, so may what stands in them; a check says what is missing.
#[test]
fn force_replaces_and_a_check_refuses() {
    let place = Workplace::new();
    let bytes = fs::read(root().join("tests/data/network.h5ad")).expect("data");
    place.write("network.h5ad", bytes);
    let over = "stability over \"network.h5ad\" layer \"Ms\" of trace\n";
    place.write(
        "model.lotka",
        format!("{NETWORK}{over}save W, spectra to \"network.h5ad\"\n"),
    );
    let run = |words: &[&str]| lotka(place.path(), words, "");
    assert!(run(&["run", "model.lotka"]).errors.contains("E0502"));
    for _ in 0..2 {
        let forced = run(&["run", "model.lotka", "--force"]);
        assert!(forced.status.success(), "{}", forced.both());
    }
    assert_eq!(
        read(&opened(&place, "network.h5ad"), Place::Varp("W")).at(1, 3),
        2.0
    );
    place.write(
        "early.lotka",
        format!("{NETWORK}save W to \"out.h5ad\"\nsave spectra to \"out.h5ad\"\n"),
    );
    let told = run(&["check", "early.lotka"]).errors;
    assert!(told.contains("no file of cells"), "{told}");
    assert!(told.contains("no table of states"), "{told}");
}
