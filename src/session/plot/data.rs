//! Data over curves: a table whose columns have the names of what is drawn.
//!
//! Enters: a table and curves. Leaves: points. Must not know how runs are drawn.

use super::Curve;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::figure::{Mark, Series};
use crate::model::{Dose, Model, Schedule};
use crate::session::command::DataSource;
use crate::session::doses;
use crate::session::inputs::{self, TIME};
use crate::session::readings::{Readings, is_name};
use crate::session::subjects;
use crate::session::tables::{Columns, Tables};
use crate::session::trajectory::Trajectory;
use crate::source::Span;
use crate::syntax::tree;
use crate::table::{Column, Reading, Table};
use std::sync::Arc;

/// The names that the column of subjects goes by.
const SUBJECT: [&str; 2] = ["subject", "id"];
/// Faulty cells that are told one by one.
const MOST_FAULTS: usize = 5;

/// Data under the names that they go by in the model.
pub(in crate::session) struct Points {
    /// Of each row of the table.
    times: Vec<f64>,
    /// Whose each row is, where a column says so.
    subjects: Option<Vec<String>>,
    /// The file as the sentence names it.
    file: Span,
    /// `(name in the model, row and reading)`
    seen: Vec<(String, Vec<(usize, Reading)>)>,
}

/// Reads the data of a plot and matches its columns with the curves.
///
/// # Errors
/// A file that cannot be read, a table that cannot be understood, columns that are not there.
pub(in crate::session) fn points(
    model: &Model,
    tables: &Tables<'_>,
    source: &DataSource,
    curves: &[Curve],
) -> Result<(Points, Vec<Diagnostic>), Vec<Diagnostic>> {
    let span = source.path.span;
    let table = tables.read(&source.path).map_err(|problem| vec![problem])?;
    let columns = Columns::new(&table, &source.columns, span);
    let readings = Readings::new(&columns, &|name| model.names.get(name).is_some());
    let labels: Vec<&str> = curves
        .iter()
        .flat_map(|curve| curve.horizontal.iter().chain([&curve.vertical]))
        .map(|observable| observable.label.as_str())
        .collect();
    let mut problems = readings.check(&|here| not_drawn(&labels, here));
    let time = TIME.iter().find_map(|time| columns.find(time, true));
    // A misnamed column of times is one problem, not two.
    if time.is_none() && !columns.maps(&TIME) {
        problems.push(
            Diagnostic::new(Code::NoColumn, "the table has no column `time` or `t`")
                .at(span, columns.has())
                .help("name it, as in `over \"data.csv\" (time = year)`"),
        );
    }
    let Some(time) = time.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let told = |error: crate::table::TableError| error.diagnostic(&table.source).at(span, "");
    let subject = SUBJECT.iter().find_map(|name| columns.find(name, true));
    let mut used: Vec<&Column> = readings.keys().chain([time]).collect();
    // Runs have subjects where doses have.
    let by_table = |dose: &Dose| matches!(dose.schedule, Schedule::Table(_));
    used.extend(subject.filter(|_| model.doses.iter().any(by_table)));
    let mut seen: Vec<(String, Vec<(usize, Reading)>)> = Vec::new();
    for label in &labels {
        if seen.iter().any(|(known, _)| known == label) {
            continue;
        }
        match readings.of(label) {
            Ok(Some((column, cells))) => {
                used.push(column);
                let mut read = Vec::with_capacity(cells.len());
                for (row, cell) in cells {
                    match cell {
                        Ok(reading) => read.push((row, reading)),
                        Err(error) => problems.push(told(error)),
                    }
                }
                seen.push(((*label).to_owned(), read));
            }
            Ok(None) => {}
            Err(error) => problems.push(told(error)),
        }
    }
    problems.truncate(MOST_FAULTS);
    let times = match table.column_numbers(&time.name) {
        Ok(times) => times.to_vec(),
        Err(error) => {
            problems.push(told(error));
            Vec::new()
        }
    };
    if seen.is_empty() && problems.is_empty() {
        problems.push(nothing_drawn(&labels, source, readings.holds()));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let used = used.into_iter().map(|column| column.name.as_str());
    let path = source.path.text.as_str();
    let used = used.chain(inputs::columns_read(model, path, &table));
    let used: Vec<&str> = used
        .chain(doses::columns_read(model, path, &table))
        .collect();
    let warnings = unused_columns(&table, source, &used);
    let points = Points {
        times,
        subjects: subject.map(|column| table.labels(column)),
        file: span,
        seen,
    };
    Ok((points, warnings))
}

impl Points {
    /// Refuses runs of subjects none of whom has a row in a table that says whose its rows are.
    ///
    /// # Errors
    /// That the table has other subjects.
    pub(super) fn belong_to(&self, runs: &[Arc<Trajectory>]) -> Result<(), Vec<Diagnostic>> {
        let Some(labels) = &self.subjects else {
            return Ok(());
        };
        let whose: Option<Vec<&str>> = runs.iter().map(|run| run.subject.as_deref()).collect();
        let Some([first, ..]) = whose.as_deref() else {
            return Ok(());
        };
        let is_there = runs.iter().any(|run| {
            let subject = run.subject.as_deref();
            (0..labels.len()).any(|row| self.is_of(row, subject))
        });
        if is_there {
            return Ok(());
        }
        let mut known: Vec<&str> = Vec::new();
        for label in labels.iter().filter(|label| !label.is_empty()) {
            if !known.contains(&label.as_str()) {
                known.push(label);
            }
        }
        let message = format!("there are no data of subject {first}, whose run is drawn");
        Err(vec![
            Diagnostic::new(Code::NoSubject, message)
                .at(self.file, subjects::has(&known))
                .help("subjects have the same names in both tables; leave the column of subjects out to draw all data"),
        ])
    }

    /// True where a column says whose the rows are.
    pub(super) fn have_subjects(&self) -> bool {
        self.subjects.is_some()
    }

    /// True for a row that belongs to the run of a subject; to nobody's run all rows do.
    fn is_of(&self, row: usize, subject: Option<&str>) -> bool {
        let label = self.subjects.as_ref().and_then(|labels| labels.get(row));
        match (label, subject) {
            (Some(label), Some(subject)) => subjects::same(label, subject),
            _ => true,
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    listed(&names)
}

/// The problem of a mapping from a name that is no curve.
fn not_drawn(labels: &[&str], here: &tree::Name) -> Option<Diagnostic> {
    let name = here.text.as_str();
    let is_subject = SUBJECT.iter().any(|key| key.eq_ignore_ascii_case(name));
    if labels.contains(&name) || is_subject || Readings::is_key(name) {
        return None;
    }
    let near = did_you_mean(name, labels.iter().copied());
    Some(
        Diagnostic::new(Code::NoColumn, format!("`{name}` is not among the curves"))
            .at(here.span, "not drawn")
            .help(near.unwrap_or_else(|| format!("what is drawn is {}", quoted(labels)))),
    )
}

fn nothing_drawn(labels: &[&str], source: &DataSource, holds: String) -> Diagnostic {
    let plain = labels.iter().find(|label| is_name(label));
    Diagnostic::new(Code::NoColumn, "no column of the table belongs to a curve")
        .at(source.path.span, holds)
        .help(match plain {
            Some(label) => format!(
                "what is drawn is {}: name columns, as in `({label} = column)`",
                quoted(labels)
            ),
            None => {
                "give the curve the name of a column: define it, as in `let ratio = x/y`".to_owned()
            }
        })
}

fn unused_columns(table: &Table, source: &DataSource, used: &[&str]) -> Vec<Diagnostic> {
    let unused: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| !used.contains(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if unused.is_empty() {
        return Vec::new();
    }
    vec![
        Diagnostic::new(
            Code::UnusedColumn,
            format!(
                "nothing uses the {} {}",
                if unused.len() == 1 {
                    "column"
                } else {
                    "columns"
                },
                unused.join(", ")
            ),
        )
        .at(source.path.span, "of this table")
        .help("draw it as well, or name the curve that it belongs to, as in `(x = column)`"),
    ]
}

/// The data that belong to a curve, as points: open ones at a limit, where the quantity was below
/// or above it. Those of one subject where the run is one's.
pub(super) fn add_points(
    points: &Points,
    curve: &Curve,
    (subject, named): (Option<&str>, bool),
    colour: usize,
    series: &mut Vec<Series>,
) {
    let seen_as = |label: &str| {
        let mut seen = points.seen.iter();
        seen.find(|(here, _)| here == label).map(|(_, read)| read)
    };
    let label = &curve.vertical.label;
    let Some(vertical) = seen_as(label) else {
        return;
    };
    // A phase plot shows data where both sides have them.
    let across: Vec<(usize, f64)> = match &curve.horizontal {
        None => points.times.iter().copied().enumerate().collect(),
        Some(observable) => {
            let read = seen_as(&observable.label).into_iter().flatten();
            read.filter_map(|(row, reading)| match reading {
                Reading::Exactly(value) => Some((*row, *value)),
                _ => None,
            })
            .collect()
        }
    };
    let place = |row: usize| {
        let at = across.binary_search_by_key(&row, |(own, _)| *own).ok()?;
        across.get(at).map(|(_, value)| *value)
    };
    let is_limit = |reading: &Reading| !matches!(reading, Reading::Exactly(_));
    for (limits, what, mark) in [(false, "data", Mark::Points), (true, "limits", Mark::Open)] {
        let own = vertical
            .iter()
            .filter(|(row, reading)| is_limit(reading) == limits && points.is_of(*row, subject));
        let (x, y): (Vec<f64>, Vec<f64>) = own
            .filter_map(|(row, reading)| {
                let (Reading::Exactly(y) | Reading::Below(y) | Reading::Above(y)) = reading;
                Some((place(*row)?, *y))
            })
            .unzip();
        if !x.is_empty() {
            series.push(Series {
                label: match subject.filter(|_| named) {
                    Some(subject) => format!("{label} ({what}), subject {subject}"),
                    None => format!("{label} ({what})"),
                },
                x,
                y,
                mark,
                colour,
            });
        }
    }
}
