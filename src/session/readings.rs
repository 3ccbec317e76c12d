//! What a table holds of a named quantity: a column of its own, or the rows of a long table.
//!
//! Enters: the columns of a table. Leaves: readings with their rows, or problems that point at the
//! text that asked for them. Must not know what the readings are compared with or drawn over.
//!
//! Wide tables have a column for each quantity; long ones have the columns `observable` and `value`.
//! A column `censored` turns values into limits. Rows that a column EVID or MDV calls no observation,
//! as those of doses, say nothing. All of these go by whatever case.

use super::inputs::TIME;
use super::tables::{Columns, is_element};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::syntax::tree;
use crate::table::{Column, Reading, TableError};

/// The names that the column of limits goes by.
const CENSORED: [&str; 2] = ["censored", "cens"];
/// Those of a long table.
const LONG: [&str; 2] = ["observable", "value"];
/// Columns that say of a row that it is no observation: by any number but 0 (NONMEM's).
const EVENTS: [&str; 2] = ["evid", "mdv"];
/// Names that are listed one by one.
const MOST_NAMES: usize = 12;

/// What a cell says, or why it says nothing; with its row.
pub(super) type Cell = (usize, Result<Reading, TableError>);

/// The readings of a table.
pub(super) struct Readings<'a> {
    columns: &'a Columns<'a>,
    /// `observable` with its cells, and `value`.
    long: Option<Long<'a>>,
    /// The column of limits.
    pub censored: Option<&'a Column>,
    /// Columns that call rows no observations.
    events: Vec<&'a Column>,
}

/// Of each row of a table: is it no observation, and is it a dose.
#[derive(Default)]
pub(super) struct NoObservations {
    pub rows: Vec<bool>,
    pub doses: Vec<bool>,
}

struct Long<'a> {
    observable: &'a Column,
    labels: Vec<String>,
    value: &'a Column,
}

impl<'a> Readings<'a> {
    /// Those of the table that the columns belong to. A column that is `taken`, as by a covariate of
    /// its name, says nothing of rows.
    pub fn new(columns: &'a Columns<'a>, taken: &dyn Fn(&str) -> bool) -> Self {
        let [observable, value] = LONG.map(|name| columns.find(name, true));
        let long = observable.zip(value).map(|(observable, value)| Long {
            observable,
            labels: columns.table.labels(observable),
            value,
        });
        let is_event = |name: &str| EVENTS.iter().any(|event| event.eq_ignore_ascii_case(name));
        let is_taken = |column: &Column| {
            let mut mapped = columns.mappings().iter();
            mapped.any(|(here, there)| there.text == column.name && !is_event(&here.text))
                || taken(&column.name)
        };
        let events = EVENTS.iter().filter_map(|name| columns.find(name, true));
        Readings {
            columns,
            long,
            censored: CENSORED.iter().find_map(|name| columns.find(name, true)),
            events: events.filter(|column| !is_taken(column)).collect(),
        }
    }

    /// Columns that say how the others are read.
    pub fn keys(&self) -> impl Iterator<Item = &'a Column> {
        let long = self.long.iter();
        long.flat_map(|long| [long.observable, long.value])
            .chain(self.censored)
            .chain(self.events.iter().copied())
    }

    /// The rows that are no observations.
    ///
    /// # Errors
    /// A column of events that does not hold numbers.
    #[expect(clippy::float_cmp, reason = "1 and 4 are codes")]
    pub fn left_out(&self) -> Result<NoObservations, TableError> {
        let mut found = NoObservations {
            rows: vec![false; self.columns.table.rows()],
            doses: vec![false; self.columns.table.rows()],
        };
        for column in &self.events {
            let numbers = self.columns.table.column_numbers(&column.name)?;
            let evid = self.columns.find(EVENTS[0], true);
            let is_evid = evid.is_some_and(|evid| evid.name == column.name);
            for (row, number) in numbers.iter().enumerate() {
                // An empty cell says nothing.
                found.rows[row] |= !number.is_nan() && *number != 0.0;
                found.doses[row] |= is_evid && (*number == 1.0 || *number == 4.0);
            }
        }
        Ok(found)
    }

    /// True when the table holds something that goes by a name here.
    pub fn has(&self, name: &str) -> bool {
        match &self.long {
            Some(long) => {
                let mapped = self.columns.mapped(name);
                let there = mapped.as_deref().unwrap_or(name);
                long.labels.iter().any(|label| label == there)
            }
            None => self.columns.find(name, false).is_some(),
        }
    }

    /// The column that holds what goes by a name here, and its cells that say something.
    ///
    /// # Errors
    /// In each cell [`TableError::TextForNumber`]; a column of limits that does not hold numbers.
    pub fn of(&self, name: &str) -> Result<Option<(&'a Column, Vec<Cell>)>, TableError> {
        let table = self.columns.table;
        let flags = match self.censored {
            Some(column) => table.column_numbers(&column.name)?,
            None => &[],
        };
        let left_out = self.left_out()?.rows;
        let found = match &self.long {
            Some(long) => {
                let mapped = self.columns.mapped(name);
                let there = mapped.as_deref().unwrap_or(name);
                let is_own = |row: usize| long.labels.get(row).is_some_and(|own| own == there);
                let own = table.readings(long.value).filter(|(row, _)| is_own(*row));
                Some((long.value, own.collect::<Vec<Cell>>())).filter(|_| self.has(name))
            }
            None => self
                .columns
                .find(name, false)
                .map(|column| (column, table.readings(column).collect())),
        };
        let flagged = found.map(|(column, mut cells)| {
            cells.retain(|(row, _)| !left_out.get(*row).copied().unwrap_or(false));
            for (row, cell) in &mut cells {
                if let Ok(reading) = cell {
                    *reading = limited(*reading, flags.get(*row).copied().unwrap_or(0.0));
                }
            }
            (column, cells)
        });
        Ok(flagged)
    }

    /// A problem for each mapping to nothing in the table, and what `unknown` says of a name here
    /// that is not read.
    pub fn check(&self, unknown: &dyn Fn(&tree::Name) -> Option<Diagnostic>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for (here, there) in self.columns.mappings() {
            let labels = self.long.iter().flat_map(|long| &long.labels);
            let is_label = labels.clone().any(|label| *label == there.text);
            let is_vector = self.columns.has_elements(&there.text)
                || labels.clone().any(|label| is_element(label, &there.text));
            if is_label || is_vector || self.columns.table.column(&there.text).is_some() {
                problems.extend(unknown(here));
                continue;
            }
            let names = self.columns.names().chain(labels.map(String::as_str));
            let mut near = did_you_mean(&there.text, names);
            if self.columns.table.column(&here.text).is_some() && unknown(there).is_none() {
                near = Some(format!(
                    "the name in the model stands first: `({} = {})`",
                    there.text, here.text
                ));
            }
            let message = match &self.long {
                None => format!("the table has no column `{}`", there.text),
                Some(long) => format!(
                    "the table has no column `{0}`, and no row whose `{1}` is `{0}`",
                    there.text, long.observable.name
                ),
            };
            problems.push(
                Diagnostic::new(Code::NoColumn, message)
                    .at(there.span, "not in the table")
                    .help(near.unwrap_or_else(|| self.holds())),
            );
        }
        problems
    }

    /// True for a name that says how a table is read, in whatever case.
    pub fn is_key(name: &str) -> bool {
        let mut keys = TIME.iter().chain(&CENSORED).chain(&LONG).chain(&EVENTS);
        keys.any(|key| key.eq_ignore_ascii_case(name))
    }

    /// What may stand on the right of a mapping.
    pub fn example(&self) -> &str {
        let labels = self.long.iter().flat_map(|long| &long.labels);
        let mut plain = labels.filter(|label| is_name(label));
        plain.next().map_or("column", String::as_str)
    }

    /// `it has `a` and `b``; of a long table what its rows are about.
    pub fn holds(&self) -> String {
        let Some(long) = &self.long else {
            return self.columns.has();
        };
        let mut names: Vec<String> = Vec::new();
        for label in long.labels.iter().filter(|label| !label.is_empty()) {
            let quoted = format!("`{label}`");
            if !names.contains(&quoted) {
                names.push(quoted);
            }
        }
        if names.len() > MOST_NAMES {
            names.truncate(MOST_NAMES);
            names.push("others".to_owned());
        }
        format!(
            "its column `{}` names {}",
            long.observable.name,
            listed(&names)
        )
    }
}

/// `censored` is 1 for a value below a limit, -1 for one above, as pharmacometricians write it.
fn limited(reading: Reading, flag: f64) -> Reading {
    match reading {
        Reading::Exactly(value) if flag > 0.0 => Reading::Below(value),
        Reading::Exactly(value) if flag < 0.0 => Reading::Above(value),
        reading => reading,
    }
}

/// True for a label that can stand beside `=` as it is.
pub(super) fn is_name(label: &str) -> bool {
    !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '_')
}
