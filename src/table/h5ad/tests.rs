use super::*;
use crate::table::cells::{Compressed, Numbers, Values};
use std::path::PathBuf;

const FILES: [&str; 7] = [
    "columns.h5ad",
    "sparse.h5ad",
    "layers.h5ad",
    "maps.h5ad",
    "whole.h5ad",
    "old.h5ad",
    "records.h5ad",
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn open(name: &str) -> H5ad {
    H5ad::open(&path(name)).unwrap()
}

/// The entry of X in all test files.
fn x(i: usize, j: usize) -> f64 {
    if (i + j) % 2 == 1 {
        (i * 4 + j) as f64 * 0.5
    } else {
        0.0
    }
}

fn all(file: &H5ad, place: Place<'_>) -> Cells {
    let matrix = file.matrix(place).unwrap();
    file.read(&matrix, &|| false).unwrap()
}

fn texts(texts: &[&str]) -> Column {
    Column::Text(texts.iter().map(|text| Some((*text).to_owned())).collect())
}

fn clusters() -> Column {
    Column::Categories {
        categories: ["a", "b", "c"].map(str::to_owned).to_vec(),
        codes: vec![Some(1), Some(0), None, Some(1), Some(0), Some(2)],
    }
}

#[test]
fn names_of_cells_and_genes() {
    for name in FILES {
        let file = open(name);
        assert_eq!((file.cells(), file.genes()), (6, 4), "{name}");
        let cells: Vec<String> = (0..6).map(|i| format!("cell{i}")).collect();
        assert_eq!(file.index(Frame::Obs).unwrap(), cells, "{name}");
        let genes = ["Gata1", "Spi1", "Cebpa", "Fli1"];
        assert_eq!(file.index(Frame::Var).unwrap(), genes, "{name}");
        let bytes = H5ad::of_bytes(std::fs::read(path(name)).unwrap()).unwrap();
        assert_eq!(bytes.index(Frame::Obs).unwrap(), cells, "{name}");
    }
}

#[test]
fn columns_of_every_kind() {
    let file = open("sparse.h5ad");
    let names = ["cluster", "depth", "batch", "doublet", "note"];
    assert_eq!(file.columns(Frame::Obs).unwrap(), names);
    assert_eq!(file.columns(Frame::Var).unwrap(), ["length"]);
    let column = |name| file.column(Frame::Obs, name).unwrap();
    assert_eq!(column("cluster"), clusters());
    assert_eq!(
        column("batch"),
        Column::Numbers(vec![1., 2., 1., 2., 1., 2.])
    );
    let truth = [true, false, false, true, false, false];
    assert_eq!(column("doublet"), Column::Truth(truth.map(Some).to_vec()));
    assert_eq!(
        column("note"),
        texts(&["eins", "zwei", "drei", "vier", "", "s\u{e9}chs"])
    );
    let depth = file.numbers(Frame::Obs, "depth").unwrap();
    assert!(depth[2].is_nan());
    assert_eq!([depth[0], depth[1], depth[3]], [1.5, 2.5, 4.5]);
    assert_eq!(
        file.numbers(Frame::Obs, "doublet").unwrap(),
        [1., 0., 0., 1., 0., 0.]
    );
    assert_eq!(
        file.numbers(Frame::Var, "length").unwrap(),
        [0., 100., 200., 300.]
    );
}

#[test]
fn columns_that_lack_values() {
    let file = open("columns.h5ad");
    let nullable = file.numbers(Frame::Obs, "nullable").unwrap();
    assert!(nullable[1].is_nan());
    assert_eq!([nullable[0], nullable[2], nullable[5]], [1., 3., 6.]);
    let truth = vec![
        Some(true),
        None,
        Some(false),
        Some(true),
        Some(true),
        Some(false),
    ];
    assert_eq!(
        file.column(Frame::Obs, "switch").unwrap(),
        Column::Truth(truth)
    );
}

#[test]
fn older_tables() {
    let file = open("old.h5ad");
    assert_eq!(file.columns(Frame::Obs).unwrap(), ["cluster", "depth"]);
    assert_eq!(file.column(Frame::Obs, "cluster").unwrap(), clusters());
    assert!(file.columns(Frame::Var).unwrap().is_empty());
    let file = open("records.h5ad");
    assert_eq!(file.columns(Frame::Obs).unwrap(), ["cluster", "depth"]);
    let depth = [0., 1.5, 3., 4.5, 6., 7.5];
    assert_eq!(file.numbers(Frame::Obs, "depth").unwrap(), depth);
    let cluster = file.column(Frame::Obs, "cluster").unwrap();
    let found: Vec<_> = (0..6).map(|i| cluster.text(i).unwrap()).collect();
    assert_eq!(found, ["a", "b", "c", "a", "b", "c"]);
}

#[test]
fn matrices_in_every_layout() {
    let cases = [
        ("columns.h5ad", Place::X, 1.0, true),
        ("sparse.h5ad", Place::X, 1.0, false),
        ("layers.h5ad", Place::Layer("counts"), 2.0, false),
        ("layers.h5ad", Place::Layer("csc"), 1.0, false),
        ("whole.h5ad", Place::Layer("whole"), 2.0, false),
        ("old.h5ad", Place::X, 1.0, true),
        ("old.h5ad", Place::Layer("unspliced"), 1.0, false),
        ("records.h5ad", Place::X, 1.0, true),
    ];
    for (name, place, factor, single) in cases {
        let file = open(name);
        let matrix = file.matrix(place).unwrap();
        assert_eq!((matrix.rows(), matrix.columns()), (6, 4));
        let whole = file.read(&matrix, &|| false).unwrap();
        assert_eq!(whole.is_single(), single, "{name} {place:?}");
        let rows = file.lines(&matrix, Axis::Rows, 2..5, &|| false).unwrap();
        let columns = file.lines(&matrix, Axis::Columns, 1..3, &|| false).unwrap();
        assert_eq!((rows.rows(), rows.columns()), (3, 4));
        assert_eq!((columns.rows(), columns.columns()), (6, 2));
        for i in 0..6 {
            for j in 0..4 {
                let expected = factor * x(i, j);
                assert_eq!(whole.at(i, j), expected, "{name} {place:?}");
                if (2..5).contains(&i) {
                    assert_eq!(rows.at(i - 2, j), expected);
                }
                if (1..3).contains(&j) {
                    assert_eq!(columns.at(i, j - 1), expected);
                }
            }
        }
        let none = file.lines(&matrix, Axis::Rows, 6..9, &|| false).unwrap();
        assert_eq!(none.rows(), 0);
    }
}

#[test]
fn maps_between_cells_and_genes() {
    let file = open("maps.h5ad");
    let umap = all(&file, Place::Obsm("X_umap"));
    assert_eq!((umap.rows(), umap.columns(), umap.at(3, 0)), (6, 2, 6.0));
    let regulates = all(&file, Place::Varp("regulates"));
    assert!(matches!(regulates.values(), Values::Csr(_)));
    assert_eq!((regulates.at(2, 2), regulates.at(2, 1)), (2.0, 0.0));
    assert_eq!(all(&file, Place::Varp("dense")).at(3, 2), 14.0);
    assert!(!file.has(Place::Obsp("distances")).unwrap());
}

#[test]
fn what_is_missing_is_named() {
    let file = open("layers.h5ad");
    assert_eq!(file.layers().unwrap(), ["counts", "csc"]);
    let told = file.matrix(Place::Layer("spliced")).err();
    let path = "layers/spliced".to_owned();
    let known = vec!["counts".to_owned(), "csc".to_owned()];
    assert_eq!(told, Some(H5adError::NoMatrix { path, known }));
    let file = open("old.h5ad");
    let told = file.column(Frame::Obs, "batch").err();
    let (table, name) = ("obs", "batch".to_owned());
    let known = vec!["cluster".to_owned(), "depth".to_owned()];
    assert_eq!(told, Some(H5adError::NoColumn { table, name, known }));
    let told = file.numbers(Frame::Obs, "cluster").err();
    let path = "obs/cluster".to_owned();
    assert_eq!(told, Some(H5adError::Text { path }));
}

#[test]
fn what_is_no_such_file_is_told() {
    let told = |bytes: Vec<u8>| H5ad::of_bytes(bytes).err();
    assert_eq!(told(b"cell,gene\n1,2\n".to_vec()), Some(H5adError::NotHdf5));
    let other = hdf5_of(&["x"]);
    assert_eq!(told(other), Some(H5adError::NotAnnData));
    assert!(matches!(
        H5ad::open(Path::new("/no/such/file")).err(),
        Some(H5adError::Unreadable { .. })
    ));
}

fn hdf5_of(names: &[&str]) -> Vec<u8> {
    let mut builder = hdf5_pure::FileBuilder::new();
    for name in names {
        builder.create_dataset(name).with_f64_data(&[1.0]);
    }
    builder.finish().unwrap()
}

/// Wherever a file is cut off, something is told and nothing panics.
#[test]
fn a_truncated_file_is_told() {
    for name in ["columns.h5ad", "sparse.h5ad", "old.h5ad", "records.h5ad"] {
        let bytes = std::fs::read(path(name)).unwrap();
        for cut in 0..64 {
            let some = bytes[..bytes.len() * cut / 64].to_vec();
            let read = H5ad::of_bytes(some).and_then(|file| {
                file.index(Frame::Obs)?;
                let matrix = file.matrix(Place::X)?;
                file.read(&matrix, &|| false)
            });
            match read {
                Err(error) if cut > 0 => assert_eq!(error, H5adError::Truncated, "{name} {cut}"),
                Err(error) => assert_eq!(error, H5adError::NotHdf5),
                Ok(_) => panic!("{name} {cut}"),
            }
        }
    }
}

/// Bytes that are wrong give an error or other numbers, and never a panic.
#[test]
fn damage_does_not_panic() {
    let bytes = std::fs::read(path("old.h5ad")).unwrap();
    for at in (0..bytes.len()).step_by(37) {
        let mut wrong = bytes.clone();
        wrong[at] ^= 0xff;
        let read = H5ad::of_bytes(wrong).and_then(|file| {
            let _ = file.index(Frame::Obs);
            let _ = file.column(Frame::Obs, "cluster");
            let matrix = file.matrix(Place::Layer("unspliced"))?;
            file.read(&matrix, &|| false)
        });
        drop(read);
    }
}

#[test]
fn an_interrupt_ends_reading() {
    let file = open("sparse.h5ad");
    let matrix = file.matrix(Place::X).unwrap();
    assert_eq!(
        file.read(&matrix, &|| true).err(),
        Some(H5adError::Interrupted)
    );
}

/// A copy of a test file, and its folder, which is of no use after the test.
fn copied(name: &str) -> (PathBuf, PathBuf) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("h5ad-{}-{next}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let place = folder.join(name);
    std::fs::copy(path(name), &place).unwrap();
    (place, folder)
}

/// Numbers from 0 on, so many for a cell.
struct Counted(usize);

impl Cellwise for Counted {
    fn begin(&self) -> Rows<'_> {
        let mut next = 0;
        Box::new(move |cells| {
            let begin = next;
            next += cells * self.0;
            Ok(Numbers::Single((begin..next).map(|i| i as f32).collect()))
        })
    }
}

fn numbered(rows: &Counted) -> Added<'_> {
    Added::Layer(Layer {
        is_single: true,
        rows,
    })
}

/// A layer that is not made at once; the runs of cells do not make it up evenly.
#[test]
fn a_long_layer_is_written_run_by_run() {
    let (cells, genes) = (20_011, 211);
    let mut builder = hdf5_pure::FileBuilder::new();
    for (name, count) in [("obs", cells), ("var", genes)] {
        let names: Vec<String> = (0..count).map(|at| format!("{name}{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut table = builder.create_group(name);
        table.create_dataset("_index").with_vlen_strings(&names);
        builder.add_group(table.finish());
    }
    let (target, folder) = copied("old.h5ad");
    std::fs::write(&target, builder.finish().unwrap()).unwrap();
    for _ in 0..2 {
        add(
            &target,
            &[("long", numbered(&Counted(genes)))],
            Taken::Replaced,
        )
        .unwrap();
    }
    let file = H5ad::open(&target).unwrap();
    let layer = all(&file, Place::Layer("long"));
    assert_eq!((layer.rows(), layer.columns()), (cells, genes));
    for (row, column) in [(0, 0), (1, 5), (17_000, 210), (cells - 1, genes - 1)] {
        assert_eq!(layer.at(row, column), (row * genes + column) as f64);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_layer_and_a_column_are_added() {
    for name in FILES {
        let (target, folder) = copied(name);
        add(&target, &[("velocity", numbered(&Counted(4)))], Taken::Kept).unwrap();
        let file = H5ad::open(&target).unwrap();
        let layer = all(&file, Place::Layer("velocity"));
        assert_eq!((layer.at(5, 3), layer.is_single()), (23.0, true), "{name}");
        assert_eq!(
            file.index(Frame::Obs).unwrap(),
            open(name).index(Frame::Obs).unwrap()
        );
        let numbers = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5];
        let column = Added::Column(Frame::Obs, Series::Numbers(&numbers));
        let written = add(&target, &[("time", column)], Taken::Kept);
        if name == "records.h5ad" {
            assert!(matches!(written, Err(H5adError::Unsupported { .. })));
        } else {
            written.unwrap();
            let file = H5ad::open(&target).unwrap();
            assert_eq!(file.numbers(Frame::Obs, "time").unwrap(), numbers);
            let mut columns = open(name).columns(Frame::Obs).unwrap();
            for known in &columns {
                let same = |file: &H5ad| format!("{:?}", file.column(Frame::Obs, known).unwrap());
                assert_eq!(same(&file), same(&open(name)));
            }
            columns.push("time".to_owned());
            assert_eq!(file.columns(Frame::Obs).unwrap(), columns);
            let again = add(&target, &[("time", column)], Taken::Kept).err();
            let path = "obs/time".to_owned();
            assert_eq!(again, Some(H5adError::Name { path }));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// Everything at once, over what was there, and once more.
#[test]
fn what_is_known_of_genes_is_added() {
    let (target, folder) = copied("maps.h5ad");
    let rates = [1.0, f64::NAN, 3.0, 4.0];
    let pairs: Vec<f64> = (0..16).map(f64::from).collect();
    let columns = [("Gata1".to_owned(), vec![0.5; 4])];
    let few = Compressed {
        starts: vec![0, 0, 2, 2, 3],
        places: vec![0, 3, 1],
        numbers: Numbers::Double(vec![1.0, 2.0, 3.0]),
    };
    let truth = [true, false, false, true];
    for _ in 0..2 {
        let new = [
            ("rate", Added::Column(Frame::Var, Series::Numbers(&rates))),
            ("good", Added::Column(Frame::Var, Series::Truth(&truth))),
            ("dense", Added::Pairs(&pairs)),
            ("few", Added::SparsePairs(&few)),
            ("B", Added::Columns(&columns)),
        ];
        add(&target, &new, Taken::Replaced).unwrap();
    }
    let file = H5ad::open(&target).unwrap();
    let found = file.numbers(Frame::Var, "rate").unwrap();
    assert_eq!((found[0], found[1].is_nan(), found[3]), (1.0, true, 4.0));
    let found = file.column(Frame::Var, "good").unwrap();
    assert_eq!(found, Column::Truth(truth.map(Some).to_vec()));
    assert_eq!(all(&file, Place::Varp("dense")).at(3, 2), 14.0);
    let few = all(&file, Place::Varp("few"));
    assert!(matches!(few.values(), Values::Csr(_)));
    assert_eq!([few.at(1, 3), few.at(3, 1), few.at(0, 0)], [2.0, 3.0, 0.0]);
    let order = file.columns(Frame::Var).unwrap();
    let new = order
        .iter()
        .filter(|name| *name == "rate" || *name == "good");
    assert_eq!(new.count(), 2);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Names that are none, and numbers that do not fit, are refused, and the file stays as it was.
#[test]
fn what_does_not_fit_is_not_added() {
    let (target, folder) = copied("maps.h5ad");
    let before = std::fs::read(&target).unwrap();
    let short = [("velocity", numbered(&Counted(3)))];
    let told = add(&target, &short, Taken::Kept).err();
    assert!(matches!(told, Some(H5adError::Shape { .. })), "{told:?}");
    std::fs::write(&target, &before).unwrap();
    let three = [1.0; 3];
    let told = add(&target, &[("A", Added::Pairs(&three))], Taken::Kept).err();
    assert!(matches!(told, Some(H5adError::Shape { .. })), "{told:?}");
    let column = Added::Column(Frame::Var, Series::Numbers(&three));
    let told = add(&target, &[("b", column)], Taken::Kept).err();
    assert!(matches!(told, Some(H5adError::Shape { .. })), "{told:?}");
    let sixteen = [0.0; 16];
    for name in ["", "a/b", "dense"] {
        let told = add(&target, &[(name, Added::Pairs(&sixteen))], Taken::Kept).err();
        assert!(matches!(told, Some(H5adError::Name { .. })), "{told:?}");
    }
    let columns = [("a/b".to_owned(), vec![0.0; 4])];
    let told = add(&target, &[("B", Added::Columns(&columns))], Taken::Kept).err();
    assert!(matches!(told, Some(H5adError::Name { .. })), "{told:?}");
    assert!(std::fs::read(&target).unwrap() == before);
    std::fs::remove_dir_all(&folder).unwrap();
}
