//! The data of a fit: a table whose columns belong to observations and covariates.
//!
//! Enters: a table, a lens, the model. Leaves: the data by run (a subject under a condition), and
//! problems with file, row and column. Must not know how runs are made.
//!
//! Wide tables have a column for each observation; long ones have the columns `observable` and
//! `value`. `time`, `subject` (or `ID`), `condition`, `replicate` and `censored` are read where
//! they are there, in whatever case.

use super::super::compiled::Compiled;
use super::super::inputs::TIME;
use super::super::tables::Columns;
use super::lens::Lens;
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::fit::{Datum, Family};
use crate::model::{ParameterId, Per, Support};
use crate::table::{Column, Table, TableError, Values};
use std::sync::Arc;

/// Faulty cells that are told one by one.
const MOST_FAULTS: usize = 5;
const SUBJECT: [&str; 2] = ["subject", "id"];

/// All data of a fit.
#[derive(Debug, Clone)]
pub struct Data {
    /// The table that they come from.
    pub table: Arc<Table>,
    /// By run.
    pub runs: Vec<RunData>,
}

/// The data of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunData {
    /// Whose.
    pub subject: Option<String>,
    /// Under which condition of the model.
    pub condition: Option<String>,
    /// Where the model is looked at: ascending times.
    pub rows: Vec<Look>,
    /// What was seen there.
    pub points: Vec<Point>,
    /// Covariates with one value for the run.
    pub constants: Vec<(ParameterId, f64)>,
    /// Covariates with a value for each of `rows`.
    pub varying: Vec<(ParameterId, Vec<f64>)>,
}

/// A moment at which a model is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// When.
    pub time: f64,
    /// The row of the table, from 0; the first of several.
    pub table_row: usize,
}

/// One datum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where in [`RunData::rows`].
    pub row: usize,
    /// What was seen: a position in [`Lens::seen`].
    pub seen: usize,
    /// What came out.
    pub datum: Datum,
    /// The row of the table, from 0.
    pub table_row: usize,
}

/// Columns that say what a row is about.
struct Keys<'t> {
    time: Option<&'t Column>,
    subject: Option<&'t Column>,
    condition: Option<&'t Column>,
    replicate: Option<&'t Column>,
    censored: Option<&'t Column>,
    /// `observable` and `value` of a long table.
    long: Option<(&'t Column, &'t Column)>,
}

/// The names of all columns of observations that a table has.
pub(super) fn observed_names(columns: &Columns<'_>) -> impl Fn(&str) -> bool {
    let long = columns.find("observable", true);
    let labels = long.map(|column| columns.table.labels(column));
    let mut names: Vec<String> = Vec::new();
    match labels {
        Some(labels) => names.extend(labels),
        None => names.extend(
            columns
                .table
                .columns
                .iter()
                .map(|column| column.name.clone()),
        ),
    }
    let mapped = columns.mapped_names();
    move |name: &str| {
        names.iter().any(|known| known == name) || mapped.iter().any(|known| known == name)
    }
}

/// Reads the data.
///
/// # Errors
/// All problems of the table.
pub(super) fn read(
    compiled: &Compiled,
    lens: &Lens,
    table: &Arc<Table>,
    columns: &Columns<'_>,
) -> Result<(Data, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut problems = columns.check();
    let keys = keys(compiled, columns, &mut problems);
    let reader = Reader {
        compiled,
        lens,
        columns,
        keys,
    };
    let found = reader.runs(&mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let warnings = reader.warnings();
    let data = Data {
        table: Arc::clone(table),
        runs: found,
    };
    Ok((data, warnings))
}

fn keys<'t>(
    compiled: &Compiled,
    columns: &Columns<'t>,
    problems: &mut Vec<Diagnostic>,
) -> Keys<'t> {
    let find = |names: &[&str]| names.iter().find_map(|name| columns.find(name, true));
    // `t`, or `n` of a map.
    let variable = compiled.model.names.variable();
    let time = find(&TIME).or_else(|| columns.find(variable, false));
    if time.is_none() && !compiled.model.states.is_empty() && !columns.maps(&TIME) {
        problems.push(
            Diagnostic::new(Code::NoColumn, "the data have no column `time` or `t`")
                .at(columns.file, columns.has())
                .help("name it, as in `to \"data.csv\" (time = year)`"),
        );
    }
    let long = columns
        .find("observable", true)
        .zip(columns.find("value", true));
    Keys {
        time,
        subject: find(&SUBJECT),
        condition: find(&["condition"]),
        replicate: find(&["replicate"]),
        censored: find(&["censored", "cens"]),
        long,
    }
}

struct Reader<'a> {
    compiled: &'a Compiled,
    lens: &'a Lens,
    columns: &'a Columns<'a>,
    keys: Keys<'a>,
}

/// A datum before it is known to which run it belongs.
struct Cell {
    seen: usize,
    table_row: usize,
    datum: Datum,
}

impl Reader<'_> {
    fn table(&self) -> &Table {
        self.columns.table
    }

    fn told(&self, error: &TableError) -> Diagnostic {
        error
            .diagnostic(&self.table().source)
            .at(self.columns.file, "")
    }

    fn runs(&self, problems: &mut Vec<Diagnostic>) -> Vec<RunData> {
        let cells = self.cells(problems);
        let times = self.times(problems);
        let groups = self.groups(problems);
        if !problems.is_empty() {
            return Vec::new();
        }
        self.ordered(&cells, &times, &groups, problems);
        let mut runs: Vec<RunData> = groups.known.clone();
        let covariates = self.covariates(problems);
        for (at, run) in runs.iter_mut().enumerate() {
            let own: Vec<&Cell> = cells
                .iter()
                .filter(|cell| groups.of_row.get(cell.table_row) == Some(&at))
                .collect();
            self.fill(run, &own, &times, &covariates, problems);
        }
        runs.retain(|run| !run.points.is_empty());
        runs
    }

    // ---- cells ----

    fn cells(&self, problems: &mut Vec<Diagnostic>) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (seen, known) in self.lens.seen.iter().enumerate() {
            let before = (cells.len(), problems.len());
            let found = match self.keys.long {
                Some((observable, value)) => {
                    let name = self.columns.mapped(&known.name).unwrap_or(&known.name);
                    let labels = self.table().labels(observable);
                    let is_own = |row: usize| labels.get(row).is_some_and(|label| label == name);
                    Some((value, self.data_of(value, &is_own, problems)))
                }
                None => self
                    .columns
                    .find(&known.name, false)
                    .map(|column| (column, self.data_of(column, &|_| true, problems))),
            };
            let Some((column, data)) = found else {
                problems.push(self.no_column(&known.name, known.span));
                continue;
            };
            for (table_row, datum) in data {
                if let Some(fault) = misfit(known.family, datum) {
                    problems.push(self.bad_datum(&known.name, column, (table_row, datum), &fault));
                }
                cells.push(Cell {
                    seen,
                    table_row,
                    datum,
                });
            }
            if cells.len() == before.0 && problems.len() == before.1 {
                problems.push(self.no_data(&known.name, known.span));
            }
            let faults = problems.len() - before.1;
            if faults > MOST_FAULTS {
                problems.truncate(before.1 + MOST_FAULTS);
            }
        }
        if self.lens.seen.is_empty() {
            problems.push(self.nothing_observed());
        }
        cells
    }

    fn no_column(&self, name: &str, span: crate::source::Span) -> Diagnostic {
        Diagnostic::new(Code::NoData, format!("the data have no column `{name}`"))
            .at(span, "observed here")
            .at(self.columns.file, self.columns.has())
            .help(format!(
                "name the one that is meant, as in `to \"data.csv\" ({name} = column)`"
            ))
    }

    fn no_data(&self, name: &str, span: crate::source::Span) -> Diagnostic {
        Diagnostic::new(Code::NoData, format!("`{name}` has no data"))
            .at(span, "observed here")
            .at(self.columns.file, "every cell is empty")
            .help("remove the observation, or fill its column")
    }

    /// No observation is declared, and no column has the name of a state.
    fn nothing_observed(&self) -> Diagnostic {
        let states = self.compiled.model.states.iter();
        let names: Vec<String> = states.map(|state| format!("`{}`", state.name)).collect();
        let diagnostic = Diagnostic::new(
            Code::NoData,
            "no column of the data belongs to anything in the model",
        )
        .at(self.columns.file, self.columns.has());
        if names.is_empty() {
            return diagnostic
                .help("say what is observed, as in `observe v ~ normal(a + b*x, sigma)`");
        }
        diagnostic.help(format!(
            "the states are {}: name columns, as in `to \"data.csv\" ({} = column)`",
            listed(&names),
            self.compiled.model.states[0].name
        ))
    }

    fn bad_datum(
        &self,
        name: &str,
        column: &Column,
        (row, datum): (usize, Datum),
        fault: &str,
    ) -> Diagnostic {
        let (sign, value) = match datum {
            Datum::Exactly(value) => ("", value),
            Datum::Below(value) => ("below ", value),
            Datum::Above(value) => ("above ", value),
        };
        let help = match sign {
            "" => "correct the cell or leave it empty, or choose another distribution".to_owned(),
            _ => {
                format!("say how the data scatter, as in `observe {name} ~ normal({name}, sigma)`")
            }
        };
        let message = format!(
            "{}: row {} (line {}) of column `{}` is {sign}{}",
            self.table().source,
            row + 1,
            self.table().line(row),
            column.name,
            number_text(value)
        );
        Diagnostic::new(Code::BadDatum, message)
            .at(self.columns.file, "")
            .at(
                self.lens
                    .seen
                    .iter()
                    .find(|seen| seen.name == name)
                    .map_or(self.columns.file, |s| s.span),
                fault.to_owned(),
            )
            .help(help)
    }

    /// The data of a column in the rows that count; empty cells are left out.
    fn data_of(
        &self,
        column: &Column,
        counts: &dyn Fn(usize) -> bool,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<(usize, Datum)> {
        let flags = match self.keys.censored.map(|flags| self.numbers(&flags.name)) {
            None => Vec::new(),
            Some(Ok(flags)) => flags,
            Some(Err(problem)) => {
                problems.push(problem);
                Vec::new()
            }
        };
        let mut data = Vec::new();
        for row in (0..self.table().rows()).filter(|row| counts(*row)) {
            let datum = match &column.values {
                Values::Numbers(numbers) => Ok(exactly(numbers.get(row).copied())),
                Values::Text(cells) => limited(cells.get(row).map_or("", String::as_str)),
            };
            match datum {
                Ok(None) => {}
                Ok(Some(datum)) => {
                    let flag = flags.get(row).copied().unwrap_or(0.0);
                    data.push((row, flagged(datum, flag)));
                }
                Err(text) => problems.push(self.told(&TableError::TextForNumber {
                    column: column.name.clone(),
                    row: row + 1,
                    line: self.table().line(row),
                    text,
                })),
            }
        }
        data
    }

    fn numbers(&self, column: &str) -> Result<Vec<f64>, Diagnostic> {
        let numbers = self.table().column_numbers(column);
        numbers
            .map(<[f64]>::to_vec)
            .map_err(|error| self.told(&error))
    }

    // ---- rows ----

    /// One for each row of the table; the model's start without a column of times.
    fn times(&self, problems: &mut Vec<Diagnostic>) -> Vec<f64> {
        let start = self.compiled.model.time.start;
        let Some(column) = self.keys.time else {
            return vec![start; self.table().rows()];
        };
        match self.table().complete_numbers(&column.name) {
            Ok(times) => times.to_vec(),
            Err(error) => {
                problems.push(self.told(&error));
                Vec::new()
            }
        }
    }

    /// Which run each row belongs to.
    fn groups(&self, problems: &mut Vec<Diagnostic>) -> Groups {
        let labels = |column: Option<&Column>| column.map(|column| self.table().labels(column));
        let (subjects, conditions) = (labels(self.keys.subject), labels(self.keys.condition));
        let mut groups = Groups::default();
        for row in 0..self.table().rows() {
            let label = |labels: &Option<Vec<String>>| {
                labels.as_ref().and_then(|labels| labels.get(row)).cloned()
            };
            let run = RunData {
                subject: label(&subjects),
                condition: label(&conditions).filter(|label| !label.is_empty()),
                ..RunData::default()
            };
            let mut known = groups.known.iter();
            let at = known.position(|known| *known == run);
            groups.of_row.push(at.unwrap_or(groups.known.len()));
            if at.is_none() {
                groups.known.push(run);
            }
        }
        self.known_conditions(&groups, problems);
        groups
    }

    fn known_conditions(&self, groups: &Groups, problems: &mut Vec<Diagnostic>) {
        let model = &self.compiled.model;
        let Some(column) = self.keys.condition else {
            return;
        };
        let mut told: Vec<&str> = Vec::new();
        for name in groups
            .known
            .iter()
            .filter_map(|run| run.condition.as_deref())
        {
            if model.condition(name).is_some() || told.contains(&name) {
                continue;
            }
            told.push(name);
            let known = model.conditions.iter();
            let known: Vec<String> = known.map(|known| format!("`{}`", known.name)).collect();
            problems.push(
                Diagnostic::new(
                    Code::UnknownName,
                    format!("the model has no condition `{name}`"),
                )
                .at(
                    self.columns.file,
                    format!("in the column `{}`", column.name),
                )
                .help(if known.is_empty() {
                    format!("declare it, as in `condition {name} {{ }}`")
                } else {
                    format!(
                        "it declares {}: add `condition {name} {{ }}`",
                        listed(&known)
                    )
                }),
            );
        }
    }

    /// Refuses times that go back within the rows of one observation, and those before the start.
    fn ordered(
        &self,
        cells: &[Cell],
        times: &[f64],
        groups: &Groups,
        problems: &mut Vec<Diagnostic>,
    ) {
        let Some(column) = self.keys.time else {
            return;
        };
        let replicates = self
            .keys
            .replicate
            .map(|column| self.table().labels(column));
        let start = self.compiled.model.time.start;
        let mut last: rustc_hash::FxHashMap<(usize, usize, Option<&str>), f64> = Default::default();
        for cell in cells {
            let row = cell.table_row;
            let (Some(time), Some(group)) = (times.get(row), groups.of_row.get(row)) else {
                continue;
            };
            if *time < start && !self.compiled.model.states.is_empty() {
                problems.push(self.before_start(*time, row));
                return;
            }
            let replicate = replicates.as_ref().and_then(|labels| labels.get(row));
            let key = (*group, cell.seen, replicate.map(String::as_str));
            let before = last.insert(key, *time);
            if let Some(before) = before.filter(|before| before > time) {
                let error = self
                    .table()
                    .not_ascending(&column.name, row, (before, *time));
                problems.push(self.told(&error));
                return;
            }
        }
    }

    fn before_start(&self, time: f64, row: usize) -> Diagnostic {
        let message = format!(
            "{}: row {} (line {}) is at {}, before the model starts at {}",
            self.table().source,
            row + 1,
            self.table().line(row),
            number_text(time),
            number_text(self.compiled.model.time.start)
        );
        Diagnostic::new(Code::BadDatum, message)
            .at(self.columns.file, "")
            .help(format!(
                "declare `time from {}` if the initial values hold there",
                number_text(time)
            ))
    }

    // ---- covariates ----

    /// The numbers of each covariate, one for each row of the table.
    fn covariates(&self, problems: &mut Vec<Diagnostic>) -> Vec<(ParameterId, Per, Vec<f64>)> {
        let mut found = Vec::new();
        for covariate in &self.compiled.model.covariates {
            let known = &self.compiled.model.parameters[covariate.parameter.index()];
            let Some(column) = self.columns.find(&known.name, false) else {
                problems.push(
                    Diagnostic::new(
                        Code::NoData,
                        format!("the covariate `{}` has no column", known.name),
                    )
                    .at(covariate.span, "declared here")
                    .at(self.columns.file, self.columns.has())
                    .help(format!(
                        "name the one that is meant, as in `to \"data.csv\" ({} = column)`",
                        known.name
                    )),
                );
                continue;
            };
            match self.numbers(&column.name) {
                Ok(numbers) => found.push((covariate.parameter, covariate.per, numbers)),
                Err(problem) => problems.push(problem),
            }
        }
        found
    }

    /// Gives a run its rows, data and covariates.
    fn fill(
        &self,
        run: &mut RunData,
        cells: &[&Cell],
        times: &[f64],
        covariates: &[(ParameterId, Per, Vec<f64>)],
        problems: &mut Vec<Diagnostic>,
    ) {
        let mut order: Vec<usize> = cells.iter().map(|cell| cell.table_row).collect();
        order.sort_unstable();
        order.dedup();
        let time_of = |row: usize| times.get(row).copied().unwrap_or(f64::NAN);
        order.sort_by(|one, other| time_of(*one).total_cmp(&time_of(*other)));
        let mut varying = Vec::new();
        for (parameter, per, numbers) in covariates {
            let own = order
                .iter()
                .filter_map(|row| Some((*row, *numbers.get(*row)?)));
            match self.one_value(*parameter, *per, own, problems) {
                Some(value) => run.constants.push((*parameter, value)),
                None => varying.push((*parameter, numbers)),
            }
        }
        // Rows of one time are looked at once, unless they differ in a covariate.
        let mut place = rustc_hash::FxHashMap::default();
        for row in order {
            let time = time_of(row);
            let shared =
                varying.is_empty() && run.rows.last().is_some_and(|last| last.time == time);
            if !shared {
                run.rows.push(Look {
                    time,
                    table_row: row,
                });
            }
            place.insert(row, run.rows.len() - 1);
        }
        for (parameter, numbers) in varying {
            let rows = run.rows.iter();
            let own = rows.map(|look| numbers.get(look.table_row).copied().unwrap_or(f64::NAN));
            run.varying.push((parameter, own.collect()));
        }
        run.points = cells
            .iter()
            .filter_map(|cell| {
                Some(Point {
                    row: *place.get(&cell.table_row)?,
                    seen: cell.seen,
                    datum: cell.datum,
                    table_row: cell.table_row,
                })
            })
            .collect();
        run.points.sort_by_key(|point| (point.row, point.seen));
    }

    /// The value of a covariate that does not change in the rows of a run; `None` where it does,
    /// and may.
    #[expect(clippy::float_cmp, reason = "the same cell again, not a measurement")]
    fn one_value(
        &self,
        parameter: ParameterId,
        per: Per,
        mut rows: impl Iterator<Item = (usize, f64)>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<f64> {
        let name = &self.compiled.model.parameters[parameter.index()].name;
        let column = self.columns.find(name, false)?;
        let mut first: Option<f64> = None;
        for (row, value) in rows.by_ref() {
            // Spreadsheets give the value of a subject once.
            if value.is_nan() && per != Per::Row {
                continue;
            }
            if value.is_nan() {
                problems.push(self.told(&self.table().empty_cell(&column.name, row)));
                return Some(0.0);
            }
            match first {
                Some(known) if known != value => {
                    if per == Per::Row {
                        return None;
                    }
                    problems.push(self.changes(name, column, row, (known, value)));
                    return Some(known);
                }
                _ => first = Some(value),
            }
        }
        if first.is_none() {
            problems.push(
                Diagnostic::new(
                    Code::NoData,
                    format!("the covariate `{name}` has no value in some rows"),
                )
                .at(
                    self.columns.file,
                    format!("in the column `{}`", column.name),
                )
                .help("give every subject a value"),
            );
        }
        Some(first.unwrap_or(0.0))
    }

    fn changes(
        &self,
        name: &str,
        column: &Column,
        row: usize,
        (before, now): (f64, f64),
    ) -> Diagnostic {
        let message = format!(
            "{}: row {} (line {}) of column `{}` changes from {} to {}",
            self.table().source,
            row + 1,
            self.table().line(row),
            column.name,
            number_text(before),
            number_text(now)
        );
        Diagnostic::new(Code::BadDatum, message)
            .at(self.columns.file, "")
            .help(format!(
                "`{name}` has one value for each subject or condition: correct the cell, or declare `covariate {name}` without `by`"
            ))
    }

    // ---- warnings ----

    fn warnings(&self) -> Vec<Diagnostic> {
        let model = &self.compiled.model;
        let mut warnings = Vec::new();
        if let Some(time) = self.keys.time {
            let unit = model.time.unit.as_ref();
            warnings.extend(self.columns.other_unit(time, unit, "the model's time"));
        }
        let parameters = model.covariates.iter().map(|known| {
            let known = &model.parameters[known.parameter.index()];
            (known.name.as_str(), known.unit.as_ref())
        });
        let seen = self.lens.seen.iter();
        let seen = seen.map(|seen| (seen.name.as_str(), seen.unit.as_ref()));
        let mut used: Vec<&str> = Vec::new();
        for (name, unit) in seen.chain(parameters) {
            if let Some(column) = self.columns.find(name, false) {
                used.push(&column.name);
                let what = format!("`{name}`");
                warnings.extend(self.columns.other_unit(column, unit, &what));
            }
        }
        let keys = [
            self.keys.time,
            self.keys.subject,
            self.keys.condition,
            self.keys.replicate,
            self.keys.censored,
        ];
        let long = self
            .keys
            .long
            .into_iter()
            .flat_map(|(one, other)| [one, other]);
        used.extend(
            keys.into_iter()
                .flatten()
                .chain(long)
                .map(|column| column.name.as_str()),
        );
        // A second column that could be the time is read by nobody, and misleads nobody.
        used.extend(TIME);
        let unused = self
            .table()
            .columns
            .iter()
            .map(|column| column.name.as_str());
        let unused: Vec<String> = unused
            .filter(|name| !name.is_empty() && !used.contains(name))
            .map(|name| format!("`{name}`"))
            .collect();
        if !unused.is_empty() {
            let (noun, verb) = if unused.len() == 1 {
                ("column", "is")
            } else {
                ("columns", "are")
            };
            warnings.push(
                Diagnostic::new(
                    Code::UnusedColumn,
                    format!("the {noun} {} {verb} not used", listed(&unused)),
                )
                .at(self.columns.file, "")
                .help("a column is read for the observation, state or covariate of its name"),
            );
        }
        warnings
    }
}

/// Which rows belong together.
#[derive(Default)]
struct Groups {
    known: Vec<RunData>,
    of_row: Vec<usize>,
}

fn exactly(number: Option<f64>) -> Option<Datum> {
    number.filter(|number| !number.is_nan()).map(Datum::Exactly)
}

/// `<0.5` is a value below a limit; the text comes back when it is no number.
fn limited(cell: &str) -> Result<Option<Datum>, String> {
    let cell = cell.trim();
    if cell.is_empty() || ["na", "nan", "."].contains(&cell.to_lowercase().as_str()) {
        return Ok(None);
    }
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    let found = match (cell.strip_prefix('<'), cell.strip_prefix('>')) {
        (Some(limit), _) => number(limit).map(Datum::Below),
        (_, Some(limit)) => number(limit).map(Datum::Above),
        _ => number(cell).map(Datum::Exactly),
    };
    found.map(Some).ok_or_else(|| cell.to_owned())
}

/// `censored` is 1 for a value below a limit, -1 for one above, as pharmacometricians write it.
fn flagged(datum: Datum, flag: f64) -> Datum {
    match datum {
        Datum::Exactly(value) if flag > 0.0 => Datum::Below(value),
        Datum::Exactly(value) if flag < 0.0 => Datum::Above(value),
        datum => datum,
    }
}

/// Why a family cannot give a datum.
fn misfit(family: Option<Family>, datum: Datum) -> Option<String> {
    let (family, value) = match (family, datum) {
        (None, Datum::Exactly(_)) => return None,
        (None, Datum::Below(_) | Datum::Above(_)) => {
            return Some("a limit has a probability, and no square".to_owned());
        }
        (Some(family), Datum::Exactly(value)) => (family, value),
        (Some(_), _) => return None,
    };
    let needs = match family.support() {
        Support::Positive if value <= 0.0 => "positive numbers",
        Support::Counts if value < 0.0 || value.fract() != 0.0 => "whole numbers from 0",
        Support::Fraction if value <= 0.0 || value >= 1.0 => "numbers between 0 and 1",
        _ => return None,
    };
    Some(format!("`{}` gives {needs}", family.name()))
}
