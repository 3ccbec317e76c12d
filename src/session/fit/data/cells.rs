//! The cells of observations: values, limits, and what a distribution cannot give.
//!
//! Enters: the columns of a table. Leaves: data with their rows, or problems. Must not know runs.

use super::{Cell, MOST_FAULTS, Reader};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::fit::{Datum, Family};
use crate::model::Support;
use crate::table::{Column, TableError, Values};

impl Reader<'_> {
    pub(super) fn cells(&self, problems: &mut Vec<Diagnostic>) -> Vec<Cell> {
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

    pub(super) fn numbers(&self, column: &str) -> Result<Vec<f64>, Diagnostic> {
        let numbers = self.table().column_numbers(column);
        numbers
            .map(<[f64]>::to_vec)
            .map_err(|error| self.told(&error))
    }
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
