//! The data of a fit: a table whose columns belong to observations and covariates.
//!
//! Enters: a table, a lens, the model. Leaves: the data by run (a subject under a condition), and
//! problems with file, row and column. Must not know how runs are made.
//!
//! `time`, `subject` (or `ID`), `condition` and `replicate` are read where they are there, in whatever
//! case.

mod cells;
mod covariates;

use super::super::command::DataSource;
use super::super::compiled::Compiled;
use super::super::doses;
use super::super::inputs::{self, TIME};
use super::super::readings::Readings;
use super::super::subjects;
use super::super::tables::Columns;
use super::lens::Lens;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed, number_text};
use crate::fit::Datum;
use crate::model::ParameterId;
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree;
use crate::table::{Column, Table, TableError};
use rustc_hash::FxHashMap;

/// Faulty cells that are told one by one.
const MOST_FAULTS: usize = 5;
const SUBJECT: [&str; 2] = ["subject", "id"];
const CONDITION: &str = "condition";
const REPLICATE: &str = "replicate";
/// Columns by which tables say that a value lies below a limit.
const LIMITS: [&str; 5] = ["BLQ", "BQL", "BLOQ", "LLOQ", "LIMIT"];
/// The data of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunData {
    /// Whose.
    pub subject: Option<String>,
    /// Under which condition of the model.
    pub condition: Option<String>,
    /// Which replicate, of a model with noise: each is a path of its own. Those of a model without are
    /// repeated looks at one run.
    pub path: Option<String>,
    /// Where the model is looked at: ascending times.
    pub rows: Vec<Look>,
    /// What was seen there.
    pub points: Vec<Point>,
    /// Covariates with one value for the run.
    pub constants: Vec<(ParameterId, f64)>,
    /// Covariates with a value for each of `rows`.
    pub varying: Vec<(ParameterId, Vec<f64>)>,
    /// Rows of the table that are left out: a column EVID or MDV calls them no observations.
    pub left_out: LeftOut,
}

/// Rows that are no observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// How many.
    pub rows: usize,
    /// How many of them are rows of doses, and nothing else.
    pub doses: usize,
}

impl RunData {
    /// `subject 3`, `knockout`; nothing for the only run.
    #[must_use]
    pub fn label(&self) -> String {
        let subject = self
            .subject
            .as_ref()
            .map(|label| format!("subject {label}"));
        let path = self.path.as_ref().map(|label| format!("replicate {label}"));
        let parts = subject
            .into_iter()
            .chain(self.condition.clone())
            .chain(path);
        parts.collect::<Vec<_>>().join(", ")
    }
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
}

/// Reads the data.
///
/// # Errors
/// All problems of the table.
pub(super) fn read(
    compiled: &Compiled,
    lens: &Lens,
    (columns, readings): (&Columns<'_>, &Readings<'_>),
    source: &DataSource,
) -> Result<(Vec<RunData>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut problems = readings.check(&|here| not_read(compiled, lens, here));
    let keys = keys(compiled, columns, &mut problems);
    let reader = Reader {
        source,
        compiled,
        lens,
        columns,
        readings,
        keys,
    };
    let found = reader.runs(&mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = reader
        .warnings()
        .into_iter()
        .partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok((found, warnings))
}

/// Leaves the runs of one subject.
///
/// # Errors
/// Data without subjects, or without this one.
pub(super) fn keep_subject(
    runs: &mut Vec<RunData>,
    name: &tree::Name,
    source: &DataSource,
) -> Result<(), Diagnostic> {
    let mut known: Vec<&str> = Vec::new();
    for subject in runs.iter().filter_map(|run| run.subject.as_deref()) {
        if !known.contains(&subject) {
            known.push(subject);
        }
    }
    if known.is_empty() {
        return Err(no_subjects(name.span, source));
    }
    let Some(found) = known.iter().find(|known| subjects::same(known, &name.text)) else {
        let near = did_you_mean(&name.text, known.iter().copied());
        let message = format!("there are no data of a subject {}", name.text);
        return Err(Diagnostic::new(Code::NoSubject, message)
            .at(name.span, "not in the table")
            .help(near.unwrap_or_else(|| subjects::has(&known))));
    };
    let found = (*found).to_owned();
    runs.retain(|run| run.subject.as_ref() == Some(&found));
    Ok(())
}

/// The problem of a sentence that speaks of subjects, whose data have none.
pub(super) fn no_subjects(span: Span, source: &DataSource) -> Diagnostic {
    Diagnostic::new(Code::NoSubject, "the data have no subjects")
        .at(span, "")
        .at(source.path.span, "no column `subject` or `ID`")
        .help("name the column, as in `to \"data.csv\" (subject = patient)`")
}

fn covariates_of(compiled: &Compiled) -> impl Iterator<Item = &str> {
    let model = &compiled.model;
    let covariates = model.covariates.iter();
    covariates.map(|known| model.parameters[known.parameter.index()].name.as_str())
}

/// The problem of a mapping from a name that no data are read under.
fn not_read(compiled: &Compiled, lens: &Lens, here: &tree::Name) -> Option<Diagnostic> {
    let name = here.text.as_str();
    let mut keys = SUBJECT.iter().chain([&CONDITION, &REPLICATE]);
    let is_known = Readings::is_key(name)
        || keys.any(|key| key.eq_ignore_ascii_case(name))
        || name == compiled.model.names.variable()
        || lens.seen.iter().any(|seen| seen.name == name)
        || covariates_of(compiled).any(|covariate| covariate == name);
    let known = readable(compiled);
    if is_known || known.iter().any(|known| known == name) {
        return None;
    }
    let near = did_you_mean(name, known.iter().map(String::as_str));
    let all = || {
        let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        format!("what is read goes by {}", listed(&all))
    };
    Some(
        Diagnostic::new(Code::NoColumn, format!("no data are read for `{name}`"))
            .at(here.span, "the name in the model stands on this side")
            .help(near.unwrap_or_else(all)),
    )
}

/// The names that data may be read under.
fn readable(compiled: &Compiled) -> Vec<String> {
    let (model, system) = (&compiled.model, &compiled.system);
    let mut names: Vec<String> = Vec::new();
    if model.observations.is_empty() {
        let states = model.states.iter().zip(system.states.blocks());
        let scalars = states.filter(|(_, block)| block.shape == Shape::Scalar);
        names.extend(scalars.map(|(state, _)| state.name.clone()));
        names.extend(model.definitions.iter().map(|known| known.name.clone()));
    } else {
        names.extend(model.observations.iter().map(|known| known.name.clone()));
    }
    names.extend(covariates_of(compiled).map(str::to_owned));
    names.extend(["time", SUBJECT[0], CONDITION, REPLICATE].map(str::to_owned));
    names
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
    Keys {
        time,
        subject: find(&SUBJECT),
        condition: find(&[CONDITION]),
        replicate: find(&[REPLICATE]),
    }
}

struct Reader<'a> {
    source: &'a DataSource,
    compiled: &'a Compiled,
    lens: &'a Lens,
    columns: &'a Columns<'a>,
    readings: &'a Readings<'a>,
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
        self.known_subjects(&cells, &groups, problems);
        if !problems.is_empty() {
            return Vec::new();
        }
        self.ordered(&cells, &times, &groups, problems);
        let mut runs: Vec<RunData> = groups.known.clone();
        let covariates = self.covariates(problems);
        // What is wrong with its columns has been told of the data.
        let left_out = self.readings.left_out().unwrap_or_default();
        for (at, run) in runs.iter_mut().enumerate() {
            let is_own = |row: usize| groups.of_row.get(row) == Some(&at);
            let own: Vec<&Cell> = cells.iter().filter(|cell| is_own(cell.table_row)).collect();
            if own.is_empty() {
                continue;
            }
            let rows: Vec<usize> = (0..self.table().rows())
                .filter(|row| is_own(*row))
                .collect();
            for (kind, count) in [
                (&left_out.rows, &mut run.left_out.rows),
                (&left_out.doses, &mut run.left_out.doses),
            ] {
                let is_so = |row: &&usize| kind.get(**row).copied().unwrap_or(false);
                *count = rows.iter().filter(is_so).count();
            }
            self.fill(run, (&own, &rows), &times, &covariates, problems);
        }
        runs.retain(|run| !run.points.is_empty());
        runs
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
        let is_noisy = self.compiled.system.noise.is_some();
        let paths = labels(self.keys.replicate.filter(|_| is_noisy));
        let mut groups = Groups::default();
        let mut places: FxHashMap<[Option<String>; 3], usize> = FxHashMap::default();
        for row in 0..self.table().rows() {
            let label = |labels: &Option<Vec<String>>| {
                labels.as_ref().and_then(|labels| labels.get(row)).cloned()
            };
            let subject = label(&subjects);
            let condition = label(&conditions).filter(|label| !label.is_empty());
            let path = label(&paths);
            let key = [subject.clone(), condition.clone(), path.clone()];
            let at = *places.entry(key).or_insert_with(|| {
                groups.known.push(RunData {
                    subject,
                    condition,
                    path,
                    ..RunData::default()
                });
                groups.known.len() - 1
            });
            groups.of_row.push(at);
        }
        self.known_conditions(&groups, problems);
        groups
    }

    /// Refuses the first datum that says not whose it is.
    fn known_subjects(&self, cells: &[Cell], groups: &Groups, problems: &mut Vec<Diagnostic>) {
        let Some(column) = self.keys.subject else {
            return;
        };
        let nobody = cells.iter().map(|cell| cell.table_row).filter(|row| {
            let run = groups.of_row.get(*row).and_then(|at| groups.known.get(*at));
            run.is_some_and(|run| run.subject.as_deref() == Some(""))
        });
        if let Some(row) = nobody.min() {
            problems.push(self.told(&self.table().empty_cell(&column.name, row)));
        }
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
            let known = model.conditions.iter().map(|known| known.name.as_str());
            let near = did_you_mean(name, known.clone());
            let known: Vec<String> = known.map(|known| format!("`{known}`")).collect();
            let is_own = |at: &usize| {
                groups
                    .known
                    .get(*at)
                    .and_then(|run| run.condition.as_deref())
                    == Some(name)
            };
            let row = groups.of_row.iter().position(is_own).unwrap_or(0);
            problems.push(
                Diagnostic::new(
                    Code::UnknownName,
                    format!("the model has no condition `{name}`"),
                )
                .at(
                    self.columns.file,
                    format!(
                        "row {} (line {}) of column `{}`",
                        row + 1,
                        self.table().line(row),
                        column.name
                    ),
                )
                .help(match near {
                    Some(near) => near,
                    None if known.is_empty() => {
                        format!("declare it, as in `condition {name} {{ }}`")
                    }
                    None => format!(
                        "it declares {}: add `condition {name} {{ }}`",
                        listed(&known)
                    ),
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
        let mut last: FxHashMap<(usize, usize, Option<&str>), f64> = Default::default();
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

    // ---- warnings ----

    fn warnings(&self) -> Vec<Diagnostic> {
        let model = &self.compiled.model;
        let mut warnings = Vec::new();
        if let Some(time) = self.keys.time {
            let unit = model.names.unit_of_time();
            let found = self
                .columns
                .other_unit(time, &model.names, unit, "the model's time");
            warnings.extend(found);
        }
        let parameters = model.covariates.iter().map(|known| {
            let known = &model.parameters[known.parameter.index()];
            (known.name.as_str(), model.names.unit_of(&known.name))
        });
        let seen = self.lens.seen.iter();
        let seen = seen.map(|seen| (seen.name.as_str(), model.names.unit_of_data(&seen.name)));
        let mut used: Vec<&str> = Vec::new();
        for (name, unit) in seen.chain(parameters) {
            if let Some(column) = self.columns.find(name, false) {
                used.push(&column.name);
                let what = format!("`{name}`");
                warnings.extend(self.columns.other_unit(column, &model.names, unit, &what));
            }
        }
        let keys = [
            self.keys.time,
            self.keys.subject,
            self.keys.condition,
            self.keys.replicate,
        ];
        let keys = keys.into_iter().flatten().chain(self.readings.keys());
        used.extend(keys.map(|column| column.name.as_str()));
        // A second column that could be the time is read by nobody, and misleads nobody.
        used.extend(TIME);
        let path = self.source.path.text.as_str();
        used.extend(inputs::columns_read(model, path, self.table()));
        used.extend(doses::columns_read(model, path, self.table()));
        let not_given = doses::not_given(model, (path, self.table()), &used, self.columns.file);
        if let Some((amount, warning)) = &not_given {
            warnings.push(warning.clone());
            used.push(amount);
        }
        let unused = self
            .table()
            .columns
            .iter()
            .map(|column| column.name.as_str());
        let unused: Vec<String> = unused
            .filter(|name| !name.is_empty() && !used.contains(name))
            .map(|name| format!("`{name}`"))
            .collect();
        let is_flag =
            |name: &&String| LIMITS.contains(&name.trim_matches('`').to_uppercase().as_str());
        let flags = unused
            .iter()
            .find(is_flag)
            .map(|name| name.trim_matches('`'));
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
                .help(match flags {
                    Some(flags) => format!(
                        "where {flags} is 1 for values below a limit that stands in their place, say `(censored = {flags})`, or write such values `<0.5`"
                    ),
                    None => "a column is read for the observation, state or covariate of its name".to_owned(),
                }),
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
