use super::super::inputs::{beyond, tracks};
use super::super::tables::Tables;
use super::{Files, compile};
use crate::diagnostic::Diagnostic;
use crate::simulate::Track;
use std::path::PathBuf;

fn read(inputs: &str, table: &str) -> Result<(Vec<Track>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let model = compile(&format!(
        "time [h]\n{inputs}\nparam tau = 1\nstate x = 0\nx' = (a - x)/tau"
    ));
    let files = Files::new(&[("T.csv", table)]);
    let tables = Tables::new(&files, PathBuf::new());
    let found = tracks(&model.model.inputs, &model.model.names, &tables);
    assert_eq!(files.times_read(), 1, "a table is read once");
    found.map(|(tracks, mut warnings)| {
        warnings.extend(beyond(&model.model.inputs, &tracks, (0.0, 10.0)));
        (tracks, warnings)
    })
}

fn told(inputs: &str, table: &str) -> Vec<String> {
    let problems = read(inputs, table).map_or_else(|problems| problems, |(_, warnings)| warnings);
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn tracks_are_columns_by_name_or_mapping() {
    let table = "Time [h],a [K],b\n0,1,5\n10,2,6\n";
    let (found, warnings) = read(
        "input a [K] from \"T.csv\"\ninput c from \"T.csv\" (time = b, c = a)",
        table,
    )
    .expect("a table");
    assert_eq!(found[0].times, [0.0, 10.0]);
    assert_eq!(found[0].values, [1.0, 2.0]);
    assert_eq!(
        (&found[1].times[..], &found[1].values[..]),
        (&[5.0, 6.0][..], &[1.0, 2.0][..])
    );
    assert_eq!(
        warnings
            .iter()
            .map(|w| w.message.as_str())
            .collect::<Vec<_>>(),
        ["the run goes from 0 to 10, the table of `c` from 5 to 6"]
    );
}

#[test]
fn faults_have_file_row_and_column() {
    let input = "input a from \"T.csv\"";
    assert_eq!(
        told(input, "t,a\n0,1\n5,\n10,2\n"),
        [
            "E0513: T.csv: row 2 (line 3) of column `a` is empty (every row needs a value here: \
          fill the cell, or delete the row)"
        ]
    );
    assert_eq!(
        told(input, "t,a\n0,1\n5,x\n4,2\n"),
        [
            "E0512: T.csv: row 3 (line 4) of column `t` goes back to 4, after 5 (sort the rows by \
          time)",
            "E0511: T.csv: row 2 (line 3) of column `a` holds \"x\", which is not a number (missing \
          values are written as an empty cell, `NA`, `NaN` or `.`)"
        ]
    );
    assert_eq!(
        told(input, "hour,b\n0,1\n"),
        [
            "E0505: the table has no column `time` or `t` (name it, as in `input a from \"data.csv\" \
          (time = hour)`)",
            "E0505: the table has no column `a` (name the one that is meant, as in `(a = column)`)"
        ]
    );
    assert_eq!(
        told("input a from \"T.csv\" (a = bb)", "t,b\n0,1\n"),
        ["E0505: the table has no column `bb` (it has `t` and `b`)"]
    );
}

#[test]
fn a_run_beyond_the_table_is_told_unless_it_is_a_step() {
    let table = "t,a\n0,1\n5,2\n";
    assert_eq!(
        told("input a from \"T.csv\" linear", table),
        [
            "W0502: the run goes from 0 to 10, the table of `a` from 0 to 5 (the last value holds \
          after it: shorten the run, or add rows to the table)"
        ]
    );
    assert!(told("input a from \"T.csv\" step", table).is_empty());
    assert_eq!(
        told("input a from \"T.csv\" step", "t,a\n1,1\n5,2\n"),
        [
            "W0502: the run goes from 0 to 10, the table of `a` from 1 to 5 (the first value holds \
          before it: shorten the run, or add rows to the table)"
        ]
    );
}
