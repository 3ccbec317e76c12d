use super::super::command::Subjects;
use super::super::doses::{self, Sheet};
use super::super::subjects;
use super::super::tables::Tables;
use super::{Files, compile};
use crate::diagnostic::Diagnostic;
use crate::simulate::{DoseRow, RowKind, SteadyKind};
use crate::source::{SourceId, Span};
use crate::syntax::tree;
use std::path::PathBuf;

/// Central and peripheral amounts behind a depot, dosed from a table.
fn read(dose: &str, table: &str) -> Result<(Vec<Sheet>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let model = compile(&format!(
        "time [h]
         state depot = 0, A1 = 0
         depot' = -depot
         A1' = depot - A1
         {dose}"
    ));
    let files = Files::new(&[("folder/d.csv", table)]);
    let tables = Tables::new(&files, PathBuf::from("folder"));
    doses::read(&model, &vec![true; model.model.doses.len()], &tables)
}

fn rows_of(dose: &str, table: &str) -> Vec<DoseRow> {
    match read(dose, table) {
        Ok((sheets, _)) => subjects::rows(&sheets, None),
        Err(problems) => panic!("{problems:#?}"),
    }
}

fn told(table: &str) -> Vec<String> {
    match read("dose AMT from \"d.csv\"", table) {
        Ok((sheets, _)) => panic!("{sheets:?}"),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn rows_say_what_pharmacometricians_mean() {
    let rows = rows_of(
        "dose AMT from \"d.csv\"",
        "time,amt,evid,cmt,rate,ii,addl,ss,dv,mdv,wt\n\
         0,100,1,1,.,12,6,.,.,1,70\n\
         1,.,0,.,.,.,.,.,5.1,0,70\n\
         2,,2,.,.,.,.,.,.,1,70\n\
         24,50,1,A1,25,0,0,0,.,1,70\n\
         30,.,3,.,.,.,.,.,.,1,70\n\
         36,80,4,2,0,8,0,2,.,1,70\n",
    );
    let dose = DoseRow {
        dose: 0,
        time: 0.0,
        kind: RowKind::Dose,
        amount: 100.0,
        into: 0,
        duration: None,
        additional: 6,
        interval: 12.0,
        steady: SteadyKind::No,
        line: 2,
    };
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0], dose);
    assert_eq!((rows[1].into, rows[1].duration), (1, Some(2.0)));
    assert_eq!((rows[2].kind, rows[2].time), (RowKind::Reset, 30.0));
    assert_eq!(
        (rows[3].kind, rows[3].steady, rows[3].interval),
        (RowKind::ResetAndDose, SteadyKind::Add, 8.0)
    );
}

#[test]
fn without_codes_every_amount_is_a_dose() {
    let rows = rows_of(
        "dose AMT into A1 from \"d.csv\" (TIME = hour, AMT = mg)",
        "hour,mg\n0,100\n0.5,0\n1,.\n2,50\n",
    );
    let given: Vec<(f64, f64, usize)> = rows
        .iter()
        .map(|row| (row.time, row.amount, row.into))
        .collect();
    assert_eq!(given, [(0.0, 100.0, 1), (2.0, 50.0, 1)]);
}

#[test]
fn the_statement_says_where_before_the_table_does() {
    let table = "TIME,AMT,CMT\n0,1,99\n";
    assert_eq!(rows_of("dose AMT into A1 from \"d.csv\"", table)[0].into, 1);
}

#[test]
fn faulty_rows_are_told_with_row_line_and_column() {
    let faults = told(
        "TIME,AMT,EVID,CMT,RATE,II,ADDL,SS\n\
         0,100,1,3,.,.,.,.\n\
         0,100,1,A3,.,.,.,.\n\
         0,100,7,1,.,.,.,.\n\
         0,100,0,1,.,.,.,.\n\
         0,.,1,1,.,.,.,.\n\
         0,100,1,1,-1,.,.,.\n\
         0,100,1,1,.,.,2,.\n\
         0,0,1,1,10,.,.,1\n\
         -1,1,1,1,.,.,.,.\n\
         0,1,1,1,.,.,1.5,.\n",
    );
    let expected = [
        "E0514: folder/d.csv: row 1 (line 2), column `CMT`: no state has the number 3 (1 is \
         `depot` and 2 is `A1`)",
        "E0514: folder/d.csv: row 2 (line 3), column `CMT`: there is no state `A3` (did you mean \
         `A1`?)",
        "E0514: folder/d.csv: row 3 (line 4), column `EVID`: there is no event 7 (0 is an \
         observation, 1 a dose, 2 another event, 3 a reset, 4 a reset and a dose)",
        "E0514: folder/d.csv: row 4 (line 5), column `EVID`: this is no dose, but the row has an \
         amount (a dose has EVID 1; an observation has AMT 0 or an empty cell)",
        "E0514: folder/d.csv: row 5 (line 6), column `AMT`: there is no amount (a dose has an \
         amount; an observation has EVID 0)",
        "E0514: folder/d.csv: row 6 (line 7), column `RATE`: -1 asks for a rate that the model \
         computes (write these doses into the model, as in `dose 100 into C1 at 0 over D1`)",
        "E0514: folder/d.csv: row 7 (line 8), column `II`: ADDL asks for more doses, but there is \
         no interval (write the time between doses)",
        "E0514: folder/d.csv: row 8 (line 9), column `RATE`: the rate is 10 without an amount (an \
         infusion ends after AMT/RATE: an endless one is written into the model, as in `0 -> A, \
         k`)",
        "E0514: folder/d.csv: 2 more rows are at fault",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn missing_columns_list_what_there_is() {
    assert_eq!(
        told("hour,AMT\n0,1\n"),
        [
            "E0505: the table of doses has no column `TIME` (name it, as in `from \"doses.csv\" \
             (TIME = column)`)",
            "E0505: the table of doses has no column `CMT` (name it, as in `from \"doses.csv\" \
             (CMT = column)`; or say where all doses go, as in `into depot`)",
        ]
    );
}

#[test]
fn doses_of_a_subject_stand_in_order_of_time() {
    let table = "ID,TIME,AMT\n1,0,1\n1,5,1\n2,0,1\n2,0,2\n";
    let (sheets, _) = read("dose AMT into A1 from \"d.csv\"", table).expect("a table");
    assert_eq!(subjects::rows(&sheets, Some("2")).len(), 2);
    let back = read(
        "dose AMT into A1 from \"d.csv\"",
        "ID,TIME,AMT\n1,5,1\n2,0,1\n1,4,1\n",
    );
    let problems = back.expect_err("time goes back");
    assert_eq!(
        problems[0].to_string(),
        "E0512: folder/d.csv: row 3 (line 4) of column `TIME` goes back to 4, after 5 (sort the \
         rows of each subject by time)"
    );
}

#[test]
fn slips_in_column_names_are_noticed_and_covariates_are_not() {
    let table = "TIME,AMT,RTE,CRCL,SEX,DV,mdv\n0,1,2,3,4,5,6\n";
    let (_, warnings) = read("dose AMT into A1 from \"d.csv\"", table).expect("a table");
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "W0501: the column `RTE` is not read (did you mean `RATE`? Write `(RATE = RTE)`, or \
          rename it)"
        ]
    );
}

#[test]
fn units_that_differ_are_noticed() {
    let table = "TIME [min],AMT\n0,1\n";
    let found = read("dose AMT into A1 from \"d.csv\"", table).expect_err("other units");
    assert_eq!(
        found[0].to_string(),
        "E0518: the column `TIME` is in [min], the model's time in [h] (1 h is 60 min: take the \
         column and divide it by 60, with [h] in its header)"
    );
}

#[test]
fn subjects_are_chosen() {
    let (sheets, _) = read(
        "dose AMT into A1 from \"d.csv\"",
        "ID,TIME,AMT\n1,0,1\n12,0,2\n",
    )
    .expect("a table");
    let span = Span::new(SourceId(0), 0, 0);
    let one = |text: &str| {
        Subjects::One(tree::Name {
            text: text.to_owned(),
            span,
        })
    };
    let chosen = |asked: &Subjects| subjects::chosen(&sheets, asked, span);
    let each = vec![Some("1".to_owned()), Some("12".to_owned())];
    assert_eq!(chosen(&Subjects::Each(span)), Ok(each));
    assert_eq!(chosen(&one("12.0")), Ok(vec![Some("12".to_owned())]));
    let told = |asked: &Subjects| chosen(asked).expect_err("no subject").to_string();
    assert_eq!(
        told(&Subjects::Unsaid),
        "E0515: the doses are those of 2 subjects (write `subject 1` for one, or `by subject` for \
         all)"
    );
    assert_eq!(
        told(&one("7")),
        "E0515: there are no doses of a subject 7 (the table has 1 and 12)"
    );
    let none = subjects::chosen(&[], &Subjects::Each(span), span).expect_err("nobody");
    assert!(
        none.to_string()
            .starts_with("E0515: nothing here has subjects")
    );
}
