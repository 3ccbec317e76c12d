//! Data tables: columns with names and units; matrices of cells by genes ([`cells`], [`h5ad`]).
//!
//! Enters: the bytes of a CSV or TSV file, or columns to write. Leaves: a [`Table`], or the text
//! of a CSV file. Must not know models.

pub mod cells;
mod error;
pub mod h5ad;
mod read;
mod write;

pub use error::TableError;
pub use read::read;
pub use write::{Cells, write_cells, write_csv};

use crate::diagnostic::number_text;
use std::sync::Arc;

/// A table read from a file; all columns have the same length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The file it came from, as messages call it.
    pub source: String,
    /// From left to right.
    pub columns: Vec<Column>,
    /// The line of the file on which each row begins, from 1.
    pub lines: Arc<[usize]>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header without its unit; empty for a column whose header is empty.
    pub name: String,
    /// The header as it stands.
    pub header: String,
    /// `mg/L` of the header `conc [mg/L]`.
    pub unit: Option<String>,
    /// The cells.
    pub values: Values,
}

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Every cell is a number or missing; missing ones are NaN.
    Numbers(Vec<f64>),
    /// Some cell is neither; the cells as they stand, without surrounding spaces.
    Text(Vec<String>),
}

/// What a cell says of a quantity that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// The quantity itself.
    Exactly(f64),
    /// `<0.5`: it was below.
    Below(f64),
    /// `>100`: it was above.
    Above(f64),
}

impl Values {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(values) => values.len(),
            Values::Text(values) => values.len(),
        }
    }

    /// True without cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The column with this name, if there is one; a whole header with its unit names one too.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let columns = || self.columns.iter();
        let named = columns().find(|column| column.name == name);
        named.or_else(|| columns().find(|column| column.header == name))
    }

    /// What each cell of a column says, rows with a cell that says something, or with the error
    /// of one that is no number.
    pub fn readings<'t>(
        &'t self,
        column: &'t Column,
    ) -> impl Iterator<Item = (usize, Result<Reading, TableError>)> + 't {
        (0..self.rows()).filter_map(move |row| {
            let found = match &column.values {
                Values::Numbers(numbers) => match numbers.get(row) {
                    Some(number) if number.is_infinite() => Err(number_text(*number)),
                    Some(number) if !number.is_nan() => Ok(Some(Reading::Exactly(*number))),
                    _ => Ok(None),
                },
                Values::Text(cells) => {
                    let cell = cells.get(row).map_or("", String::as_str);
                    read::reading(cell).ok_or_else(|| cell.to_owned())
                }
            };
            let found = found.map_err(|text| TableError::TextForNumber {
                column: column.name.clone(),
                row: row + 1,
                line: self.line(row),
                text,
            });
            found.transpose().map(|found| (row, found))
        })
    }

    /// True where some cell of a column is a number.
    #[must_use]
    pub fn has_number(&self, column: &Column) -> bool {
        match &column.values {
            Values::Numbers(numbers) => numbers.iter().any(|number| !number.is_nan()),
            Values::Text(cells) => cells
                .iter()
                .any(|cell| read::number(cell).is_some_and(|number| !number.is_nan())),
        }
    }

    /// The numbers of a column, NaN where they are missing.
    ///
    /// # Errors
    /// [`TableError::NoColumn`], and [`TableError::TextForNumber`] with the first cell that is
    /// not a number.
    pub fn column_numbers(&self, name: &str) -> Result<&[f64], TableError> {
        let column = self.column(name).ok_or_else(|| TableError::NoColumn {
            name: name.to_owned(),
            known: self
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
        })?;
        match &column.values {
            Values::Numbers(values) => Ok(values),
            Values::Text(values) => {
                let wrong = values.iter().position(|text| read::number(text).is_none());
                let row = wrong.unwrap_or(0);
                Err(TableError::TextForNumber {
                    column: name.to_owned(),
                    row: row + 1,
                    line: self.lines.get(row).copied().unwrap_or(0),
                    text: values.get(row).cloned().unwrap_or_default(),
                })
            }
        }
    }

    /// The numbers of a column in which none is missing.
    ///
    /// # Errors
    /// Those of [`Table::column_numbers`], and [`TableError::EmptyCell`]; an infinite number is
    /// none.
    pub fn complete_numbers(&self, name: &str) -> Result<&[f64], TableError> {
        let numbers = self.column_numbers(name)?;
        let Some(row) = numbers.iter().position(|number| !number.is_finite()) else {
            return Ok(numbers);
        };
        let (column, line) = (name.to_owned(), self.line(row));
        let row = row + 1;
        Err(match numbers.get(row - 1) {
            Some(number) if number.is_infinite() => TableError::TextForNumber {
                column,
                row,
                line,
                text: number_text(*number),
            },
            _ => self.empty_cell(name, row - 1),
        })
    }

    /// The numbers of a column in which each is above the one before.
    ///
    /// # Errors
    /// Those of [`Table::complete_numbers`], and [`TableError::NotAscending`].
    pub fn ascending_numbers(&self, name: &str) -> Result<&[f64], TableError> {
        let numbers = self.complete_numbers(name)?;
        let pairs = numbers.iter().zip(numbers.iter().skip(1)).enumerate();
        for (before, (earlier, later)) in pairs {
            if later <= earlier {
                return Err(self.not_ascending(name, before + 1, (*earlier, *later)));
            }
        }
        Ok(numbers)
    }

    /// The error of a row (from 0) whose number is not above the one before it.
    #[must_use]
    pub fn not_ascending(&self, column: &str, row: usize, numbers: (f64, f64)) -> TableError {
        TableError::NotAscending {
            column: column.to_owned(),
            row: row + 1,
            line: self.line(row),
            numbers: (number_text(numbers.0), number_text(numbers.1)),
            repeats: numbers.1 == numbers.0,
        }
    }

    /// The error of a row (from 0) that lacks what a column should say.
    #[must_use]
    pub fn empty_cell(&self, column: &str, row: usize) -> TableError {
        TableError::EmptyCell {
            column: column.to_owned(),
            row: row + 1,
            line: self.line(row),
        }
    }

    /// The cells of a column as text, numbers with all their digits; missing ones are empty.
    #[must_use]
    pub fn labels(&self, column: &Column) -> Vec<String> {
        match &column.values {
            Values::Numbers(numbers) => numbers
                .iter()
                .map(|number| {
                    if number.is_nan() {
                        String::new()
                    } else {
                        number_text(*number)
                    }
                })
                .collect(),
            Values::Text(cells) => cells
                .iter()
                .map(|cell| match read::number(cell) {
                    Some(number) if number.is_nan() => String::new(),
                    _ => cell.clone(),
                })
                .collect(),
        }
    }

    /// The line of the file on which a row (from 0) begins.
    #[must_use]
    pub fn line(&self, row: usize) -> usize {
        self.lines.get(row).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(column: &str, bytes: &[u8]) -> String {
        let table = read("temp.csv", bytes).expect("a table");
        let error = table.ascending_numbers(column).expect_err("a fault");
        error.diagnostic("temp.csv").to_string()
    }

    #[test]
    fn times_must_be_there_and_ascend() {
        let table = read("temp.csv", b"t,T\n0,1\n0.5,2\n").expect("a table");
        assert_eq!(table.ascending_numbers("t"), Ok(&[0.0, 0.5][..]));
        assert_eq!(
            told("t", b"t,T\n0,1\n,2\n"),
            "E0513: temp.csv: row 2 (line 3) of column `t` is empty (every row needs a \
             value here: fill the cell, or delete the row)"
        );
        assert_eq!(
            told("t", b"# made\nt,T\n0,1\n2,1\n1.5,2\n"),
            "E0512: temp.csv: row 3 (line 5) of column `t` goes back to 1.5, after 2 (sort the \
             rows by time)"
        );
        assert_eq!(
            told("t", b"t,T\n0,1\n2,1\n2,2\n"),
            "E0512: temp.csv: row 3 (line 4) of column `t` repeats 2 from the row before (keep \
             one row for each time: with the interpolation `step` a value jumps at its time)"
        );
        assert!(told("t", b"t,T\n0,1\ninf,2\n").starts_with("E0511"));
    }

    #[test]
    fn labels_are_cells_as_text() {
        let table = read("d", b"ID,who\n1,a\n12,b c\n.,NA\n").expect("a table");
        let labels = |name: &str| table.labels(table.column(name).expect("a column"));
        assert_eq!(labels("ID"), ["1", "12", ""]);
        assert_eq!(labels("who"), ["a", "b c", ""]);
    }
}
