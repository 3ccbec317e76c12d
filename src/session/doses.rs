//! Tables of doses as pharmacometricians write them: columns ID, TIME, AMT, EVID, CMT, RATE, II,
//! ADDL and SS, each row read into what a run does with it.
//!
//! Enters: the doses of a model that take their times from tables. Leaves: for each its rows, by
//! subject, and problems with file, row and column. Must not know how doses are given.
//!
//! The columns mean what they mean to NONMEM (Bauer, CPT Pharmacometrics Syst. Pharmacol. 8
//! (2019) 525-537): a missing EVID makes a dose of every row with a positive AMT; observations
//! (EVID 0) and other events (EVID 2) are passed over, and so is every column with another name.

use super::compiled::Compiled;
use super::tables::{Columns, Tables};
use crate::diagnostic::{Code, Diagnostic, closest, did_you_mean, listed, number_text};
use crate::model::{self, DoseTable, Per, Schedule};
use crate::simulate::{DoseRow, RowKind, SteadyKind};
use crate::source::Span;
use crate::symbolic::Node;
use crate::table::Table;

/// The columns that are read.
const ITEMS: [&str; 9] = [
    "ID", "TIME", "AMT", "EVID", "CMT", "RATE", "II", "ADDL", "SS",
];
/// Faulty rows that are told one by one; the others are counted.
const MOST_FAULTS: usize = 8;

/// The rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    /// The subjects in the order of the table; none without a column ID.
    pub subjects: Vec<String>,
    /// Each row that does something, with its subject's position in `subjects` (0 without).
    pub rows: Vec<(usize, DoseRow)>,
    /// The file as the dose names it.
    pub file: Span,
}

/// What the rows of a table are read for.
struct Target<'m> {
    compiled: &'m Compiled,
    /// Position of the dose in the model.
    dose: usize,
    /// Where the statement says it goes; else CMT does.
    into: Option<usize>,
    /// Of the numbers of the state vector; needed when CMT says where doses go.
    names: Vec<String>,
}

/// Reads the tables of the doses that hold (`active`, one per dose of the model), with warnings.
///
/// # Errors
/// All problems of all tables.
pub(super) fn read(
    compiled: &Compiled,
    active: &[bool],
    tables: &Tables<'_>,
) -> Result<(Vec<Sheet>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut sheets = Vec::new();
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    for (at, dose) in compiled.model.doses.iter().enumerate() {
        let Schedule::Table(source) = &dose.schedule else {
            continue;
        };
        if !active.get(at).copied().unwrap_or(false) {
            continue;
        }
        match sheet(compiled, (at, dose), source, tables, &mut warnings) {
            Ok(sheet) => sheets.push(sheet),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok((sheets, warnings))
    } else {
        Err(problems)
    }
}

fn sheet(
    compiled: &Compiled,
    (at, dose): (usize, &model::Dose),
    source: &DoseTable,
    tables: &Tables<'_>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Sheet, Vec<Diagnostic>> {
    let table = tables.read(&source.path).map_err(|problem| vec![problem])?;
    let columns = Columns::new(&table, &source.columns, source.path.span);
    let into = dose.into.and_then(|(state, element)| {
        let block = compiled.system.states.blocks().get(state.index())?;
        Some(block.offset + element as usize)
    });
    let target = Target {
        compiled,
        dose: at,
        into,
        names: match into {
            Some(_) => Vec::new(),
            None => compiled.state_names(),
        },
    };
    let cells = cells(&columns, &target)?;
    warnings.extend(misspelt(&columns));
    let found = unit_faults(&columns, compiled, dose);
    let (errors, more): (Vec<_>, Vec<_>) = found.into_iter().partition(Diagnostic::is_error);
    warnings.extend(more);
    if !errors.is_empty() {
        return Err(errors);
    }
    let rows = rows(&table, &cells, &target).map_err(|faults| {
        faults_told(&faults, &table)
            .into_iter()
            .map(|problem| problem.at(columns.file, ""))
            .collect::<Vec<_>>()
    })?;
    in_order(&table, &columns, &cells, &rows)?;
    Ok(Sheet {
        subjects: cells.subjects,
        rows,
        file: source.path.span,
    })
}

/// The columns of a table as numbers, missing ones NaN; a missing column has no numbers.
#[derive(Default)]
struct Cells {
    subjects: Vec<String>,
    subject_of: Vec<usize>,
    time: Vec<f64>,
    amount: Vec<f64>,
    event: Vec<f64>,
    compartment: Vec<String>,
    rate: Vec<f64>,
    interval: Vec<f64>,
    additional: Vec<f64>,
    steady: Vec<f64>,
}

fn cells(columns: &Columns<'_>, target: &Target<'_>) -> Result<Cells, Vec<Diagnostic>> {
    let table = columns.table;
    let mut problems = columns.check();
    let mut cells = Cells::default();
    let mut numbers = |name: &str| -> Vec<f64> {
        let Some(column) = columns.find(name, true) else {
            return Vec::new();
        };
        match table.column_numbers(&column.name) {
            Ok(numbers) => numbers.to_vec(),
            Err(error) => {
                problems.push(error.diagnostic(&table.source).at(columns.file, ""));
                Vec::new()
            }
        }
    };
    cells.time = numbers("TIME");
    cells.amount = numbers("AMT");
    cells.event = numbers("EVID");
    cells.rate = numbers("RATE");
    cells.interval = numbers("II");
    cells.additional = numbers("ADDL");
    cells.steady = numbers("SS");
    if let Some(column) = columns.find("CMT", true) {
        cells.compartment = table.labels(column);
    }
    if let Some(column) = columns.find("ID", true) {
        for (row, label) in table.labels(column).into_iter().enumerate() {
            if label.is_empty() {
                let error = table.empty_cell(&column.name, row);
                problems.push(error.diagnostic(&table.source).at(columns.file, ""));
                break;
            }
            let known = cells.subjects.iter().position(|known| *known == label);
            cells.subject_of.push(known.unwrap_or(cells.subjects.len()));
            if known.is_none() {
                cells.subjects.push(label);
            }
        }
    }
    for (name, needed) in [
        ("TIME", true),
        ("AMT", true),
        ("CMT", target.into.is_none()),
    ] {
        let mapped = columns.maps(&[name, &name.to_lowercase()]);
        if needed && !mapped && columns.find(name, true).is_none() {
            problems.push(missing(columns, name));
        }
    }
    if problems.is_empty() {
        Ok(cells)
    } else {
        Err(problems)
    }
}

fn missing(columns: &Columns<'_>, name: &str) -> Diagnostic {
    let mut help = format!("name it, as in `from \"doses.csv\" ({name} = column)`");
    if name == "CMT" {
        help.push_str("; or say where all doses go, as in `into depot`");
    }
    let message = format!("the table of doses has no column `{name}`");
    Diagnostic::new(Code::NoColumn, message)
        .at(columns.file, columns.has())
        .help(help)
}

/// The columns of the table of a data file that doses of the model read from it.
pub(super) fn columns_read<'t>(
    model: &'t model::Model,
    path: &str,
    table: &'t Table,
) -> Vec<&'t str> {
    let mut found = Vec::new();
    for dose in &model.doses {
        let Schedule::Table(source) = &dose.schedule else {
            continue;
        };
        if source.path.text != path {
            continue;
        }
        let columns = Columns::new(table, &source.columns, source.path.span);
        let own = ITEMS.iter().filter_map(|item| columns.find(item, true));
        found.extend(own.map(|column| column.name.as_str()));
        // Covariates of simulations stand beside the doses.
        let covariates = model.covariates.iter();
        let covariates = covariates.filter(|covariate| covariate.per == Per::Subject);
        found.extend(covariates.filter_map(|covariate| {
            let known = &model.parameters[covariate.parameter.index()];
            Some(columns.find(&known.name, false)?.name.as_str())
        }));
    }
    found
}

/// A warning of a table of data with amounts (`AMT`) that no dose of the model gives: the model has
/// none, and reads the column for nothing else.
pub(super) fn not_given(
    model: &model::Model,
    (path, table): (&str, &Table),
    used: &[&str],
    at: Span,
) -> Option<(String, Diagnostic)> {
    if !model.doses.is_empty() || model.states.is_empty() {
        return None;
    }
    let is_amount = |name: &str| name.eq_ignore_ascii_case("AMT") && !used.contains(&name);
    let amount = table
        .columns
        .iter()
        .find(|column| is_amount(&column.name))?;
    let numbers = table.column_numbers(&amount.name).ok()?;
    let count = numbers.iter().filter(|number| **number > 0.0).count();
    if count == 0 {
        return None;
    }
    let rows = match count {
        1 => "1 row of the data gives a dose".to_owned(),
        several => format!("{several} rows of the data give doses"),
    };
    let into = model.states.first().map_or("depot", |state| &state.name);
    let message = format!("{rows} (`{}`), and the model has none", amount.name);
    let warning = Diagnostic::new(Code::UnusedColumn, message)
        .at(at, "of this table")
        .help(format!(
            "where the initial values do not stand for them, write `dose {} into {into} from \"{path}\"` in the model",
            amount.name
        ));
    Some((amount.name.clone(), warning))
}

/// What is wrong with the units of the columns TIME and AMT; the amount counts where the dose is what
/// the row says and nothing else.
fn unit_faults(columns: &Columns<'_>, compiled: &Compiled, dose: &model::Dose) -> Vec<Diagnostic> {
    let model = &compiled.model;
    let names = &model.names;
    let mut found = Vec::new();
    if let Some(time) = columns.find("TIME", true) {
        found.extend(columns.other_unit(time, names, names.unit_of_time(), "the model's time"));
    }
    let is_plain = matches!(model.pool.node(dose.amount), Node::Symbol(_));
    let target = dose.into.and_then(|(id, _)| model.states.get(id.index()));
    if let (true, Some(state), Some(amount)) = (is_plain, target, columns.find("AMT", true)) {
        let what = format!("amounts of `{}`", state.name);
        found.extend(columns.other_unit(amount, names, names.unit_of_amount(&state.name), &what));
    }
    found
}

/// Columns that nobody reads are as it should be, unless their names look like slips.
fn misspelt(columns: &Columns<'_>) -> Vec<Diagnostic> {
    let others = ["DV", "MDV", "DAY", "DATE", "DAT", "AGE", "WT", "HT", "SEX"];
    let wanted: Vec<&str> = ITEMS
        .into_iter()
        .filter(|item| item.len() > 2 && columns.find(item, true).is_none())
        .collect();
    let mut warnings = Vec::new();
    for column in &columns.table.columns {
        let name = column.name.to_uppercase();
        if ITEMS.contains(&name.as_str()) || others.contains(&name.as_str()) {
            continue;
        }
        if let Some(near) = closest(&name, wanted.iter().copied()) {
            let message = format!("the column `{}` is not read", column.name);
            warnings.push(
                Diagnostic::new(Code::UnusedColumn, message)
                    .at(columns.file, "of this table")
                    .help(format!(
                        "did you mean `{near}`? Write `({near} = {})`, or rename it",
                        column.name
                    )),
            );
        }
    }
    warnings
}

/// What is wrong with a row.
struct Fault {
    /// From 0.
    row: usize,
    column: &'static str,
    what: String,
    help: String,
}

fn faults_told(faults: &[Fault], table: &Table) -> Vec<Diagnostic> {
    let mut told: Vec<Diagnostic> = faults
        .iter()
        .take(MOST_FAULTS)
        .map(|fault| {
            let message = format!(
                "{}: row {} (line {}), column `{}`: {}",
                table.source,
                fault.row + 1,
                table.line(fault.row),
                fault.column,
                fault.what
            );
            Diagnostic::new(Code::BadDoseRow, message).help(fault.help.clone())
        })
        .collect();
    if faults.len() > MOST_FAULTS {
        let more = match faults.len() - MOST_FAULTS {
            1 => "1 more row is at fault".to_owned(),
            more => format!("{more} more rows are at fault"),
        };
        let message = format!("{}: {more}", table.source);
        told.push(Diagnostic::new(Code::BadDoseRow, message));
    }
    told
}

fn rows(
    table: &Table,
    cells: &Cells,
    target: &Target<'_>,
) -> Result<Vec<(usize, DoseRow)>, Vec<Fault>> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for at in 0..table.rows() {
        let reading = Reading { cells, target, at };
        match reading.row(table.line(at)) {
            Ok(Some(row)) => {
                let subject = cells.subject_of.get(at).copied().unwrap_or(0);
                rows.push((subject, row));
            }
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(rows)
    } else {
        Err(faults)
    }
}

/// One row under the eye.
struct Reading<'a> {
    cells: &'a Cells,
    target: &'a Target<'a>,
    /// From 0.
    at: usize,
}

impl Reading<'_> {
    /// A number of the row; `None` where it is missing.
    fn number(&self, column: &[f64]) -> Option<f64> {
        column
            .get(self.at)
            .copied()
            .filter(|number| !number.is_nan())
    }

    fn fault<T>(
        &self,
        column: &'static str,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Result<T, Fault> {
        Err(Fault {
            row: self.at,
            column,
            what: what.into(),
            help: help.into(),
        })
    }

    /// What the row does; `None` when it gives nothing.
    fn row(&self, line: usize) -> Result<Option<DoseRow>, Fault> {
        let Some(kind) = self.kind()? else {
            return Ok(None);
        };
        let mut row = DoseRow {
            dose: self.target.dose,
            time: self.time()?,
            kind,
            amount: 0.0,
            into: self.target.into.unwrap_or(0),
            duration: None,
            additional: 0,
            interval: 0.0,
            steady: SteadyKind::No,
            line,
        };
        if kind == RowKind::Reset {
            return Ok(Some(row));
        }
        row.amount = self.amount()?;
        row.duration = self.duration(row.amount)?;
        row.into = self.into()?;
        row.additional = self.additional()?;
        row.steady = self.steady()?;
        row.interval = self.interval(&row)?;
        Ok(Some(row))
    }

    fn kind(&self) -> Result<Option<RowKind>, Fault> {
        let gives = self.number(&self.cells.amount).is_some_and(|x| x != 0.0);
        match self.number(&self.cells.event) {
            None => Ok(gives.then_some(RowKind::Dose)),
            Some(0.0 | 2.0) if gives => self.fault(
                "EVID",
                "this is no dose, but the row has an amount",
                "a dose has EVID 1; an observation has AMT 0 or an empty cell",
            ),
            Some(0.0 | 2.0) => Ok(None),
            Some(1.0) => Ok(Some(RowKind::Dose)),
            Some(3.0) => Ok(Some(RowKind::Reset)),
            Some(4.0) => Ok(Some(RowKind::ResetAndDose)),
            Some(code) => self.fault(
                "EVID",
                format!("there is no event {}", number_text(code)),
                "0 is an observation, 1 a dose, 2 another event, 3 a reset, 4 a reset and a dose",
            ),
        }
    }

    fn time(&self) -> Result<f64, Fault> {
        let start = self.target.compiled.model.time.start;
        match self.number(&self.cells.time) {
            Some(time) if time.is_infinite() => {
                self.fault("TIME", "the time is infinite", "a dose has a time")
            }
            Some(time) if time < start => self.fault(
                "TIME",
                format!(
                    "the time {} lies before the model's start, {}",
                    number_text(time),
                    number_text(start)
                ),
                format!("declare `time from {}` to start there", number_text(time)),
            ),
            Some(time) => Ok(time),
            None => self.fault("TIME", "there is no time", "a dose has a time"),
        }
    }

    fn amount(&self) -> Result<f64, Fault> {
        match self.number(&self.cells.amount) {
            Some(amount) if amount >= 0.0 && amount.is_finite() => Ok(amount),
            Some(amount) => self.fault(
                "AMT",
                format!("the amount is {}", number_text(amount)),
                "an amount is a positive number; 0 gives nothing",
            ),
            None => self.fault(
                "AMT",
                "there is no amount",
                "a dose has an amount; an observation has EVID 0",
            ),
        }
    }

    #[expect(clippy::float_cmp, reason = "-1 and -2 are codes")]
    fn duration(&self, amount: f64) -> Result<Option<f64>, Fault> {
        let Some(rate) = self.number(&self.cells.rate).filter(|rate| *rate != 0.0) else {
            return Ok(None);
        };
        if rate == -1.0 || rate == -2.0 {
            let what = if rate == -1.0 { "rate" } else { "duration" };
            return self.fault(
                "RATE",
                format!("{rate} asks for a {what} that the model computes"),
                "write these doses into the model, as in `dose 100 into C1 at 0 over D1`",
            );
        }
        if rate < 0.0 || !rate.is_finite() {
            return self.fault(
                "RATE",
                format!("the rate is {}", number_text(rate)),
                "a rate is a positive number; 0 gives the dose at once",
            );
        }
        if amount == 0.0 {
            return self.fault(
                "RATE",
                format!("the rate is {} without an amount", number_text(rate)),
                "an infusion ends after AMT/RATE: an endless one is written into the model, as in `0 -> A, k`",
            );
        }
        Ok(Some(amount / rate))
    }

    fn additional(&self) -> Result<u32, Fault> {
        let number = self.number(&self.cells.additional).unwrap_or(0.0);
        if number < 0.0 || number.fract() != 0.0 || number > f64::from(u32::MAX) {
            return self.fault(
                "ADDL",
                format!("{} is no number of doses", number_text(number)),
                "it counts the doses that follow this one: 0, 1, 2, ...",
            );
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        Ok(number as u32)
    }

    fn steady(&self) -> Result<SteadyKind, Fault> {
        match self.number(&self.cells.steady) {
            None | Some(0.0) => Ok(SteadyKind::No),
            Some(1.0) => Ok(SteadyKind::Replace),
            Some(2.0) => Ok(SteadyKind::Add),
            Some(code) => self.fault(
                "SS",
                format!("there is no steady state {}", number_text(code)),
                "1 replaces what is there by the steady state, 2 adds it to what is there, 0 does neither",
            ),
        }
    }

    fn interval(&self, row: &DoseRow) -> Result<f64, Fault> {
        let interval = self.number(&self.cells.interval).unwrap_or(0.0);
        if interval < 0.0 || interval.is_infinite() {
            return self.fault(
                "II",
                format!("the interval is {}", number_text(interval)),
                "the time between doses is positive",
            );
        }
        let wants = if row.additional > 0 {
            "ADDL asks for more doses"
        } else if row.steady != SteadyKind::No {
            "SS asks for a steady state"
        } else {
            return Ok(interval);
        };
        if interval == 0.0 {
            return self.fault(
                "II",
                format!("{wants}, but there is no interval"),
                "write the time between doses",
            );
        }
        Ok(interval)
    }

    /// Where the dose goes: a name of the model, or a number that counts its states.
    fn into(&self) -> Result<usize, Fault> {
        if let Some(into) = self.target.into {
            return Ok(into);
        }
        let compiled = self.target.compiled;
        let names = &self.target.names;
        let label = self
            .cells
            .compartment
            .get(self.at)
            .map_or("", String::as_str);
        let found = match label.parse::<f64>() {
            Ok(number) => names
                .iter()
                .enumerate()
                .map(|(at, _)| at)
                .find(|at| u32::try_from(at + 1).is_ok_and(|at| f64::from(at) == number)),
            Err(_) => names.iter().position(|name| name == label),
        };
        let numbered = || {
            const MOST: usize = 12;
            let mut listing: Vec<String> = names
                .iter()
                .take(MOST)
                .enumerate()
                .map(|(at, name)| format!("{} is `{name}`", at + 1))
                .collect();
            if names.len() > MOST {
                listing.push(format!("so on to {}", names.len()));
            }
            listed(&listing)
        };
        let Some(at) = found else {
            if label.is_empty() {
                let help = format!("write its name or number: {}", numbered());
                return self.fault("CMT", "this does not say where the dose goes", help);
            }
            let near = did_you_mean(label, names.iter().map(String::as_str));
            let what = if label.parse::<f64>().is_ok() {
                format!("no state has the number {label}")
            } else {
                format!("there is no state `{label}`")
            };
            return self.fault("CMT", what, near.unwrap_or_else(numbered));
        };
        let block = compiled.system.states.locate(at);
        let state = block.and_then(|(block, _)| compiled.model.states.get(block));
        if state.is_some_and(|state| state.is_algebraic) {
            let what = format!(
                "`{}` is governed by constraints and takes no dose",
                names[at]
            );
            return self.fault("CMT", what, "dose a state with an equation, or a species");
        }
        Ok(at)
    }
}

/// The doses of each subject stand in order of time.
fn in_order(
    table: &Table,
    columns: &Columns<'_>,
    cells: &Cells,
    rows: &[(usize, DoseRow)],
) -> Result<(), Vec<Diagnostic>> {
    let mut latest = vec![f64::NEG_INFINITY; cells.subjects.len().max(1)];
    for (subject, row) in rows {
        let Some(latest) = latest.get_mut(*subject) else {
            continue;
        };
        if row.time < *latest {
            let at = table.lines.iter().position(|line| *line == row.line);
            let name = columns.find("TIME", true).map_or("TIME", |time| &time.name);
            let error = table.not_ascending(name, at.unwrap_or(0), (*latest, row.time));
            return Err(vec![
                error
                    .diagnostic(&table.source)
                    .at(columns.file, "")
                    .help("sort the rows of each subject by time"),
            ]);
        }
        *latest = row.time;
    }
    Ok(())
}
