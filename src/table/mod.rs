//! Data tables: columns with names and units.
//!
//! Enters: the bytes of a CSV or TSV file, or columns to write. Leaves: a [`Table`], or the text
//! of a CSV file. Must not know models.

mod error;
mod read;
mod write;

pub use error::TableError;
pub use read::read;
pub use write::write_csv;

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

    /// The column with this name, if there is one.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
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
}
