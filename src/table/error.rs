//! What can be wrong with a table, and how that is told.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use std::fmt;

/// Why a table or a column of it cannot be used. Rows are data rows from 1 (the header is none),
/// lines are lines of the file from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableError {
    /// Nothing in the file but blank lines and comments.
    EmptyFile,
    /// A header, but no row under it.
    NoRows,
    /// Not text in UTF-8.
    NotText {
        /// The line of the first byte that does not fit.
        line: usize,
        /// What kind of file it looks like.
        looks_like: Encoding,
    },
    /// The first row holds numbers instead of names.
    NoHeader {
        /// Its line.
        line: usize,
        /// Its first number.
        text: String,
    },
    /// Two columns with one name.
    DuplicateColumn {
        /// The name.
        name: String,
        /// Their places from the left, from 1.
        columns: (usize, usize),
    },
    /// A row with more or fewer cells than the header.
    RaggedRow {
        /// The row.
        row: usize,
        /// Its line.
        line: usize,
        /// Cells in the row.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// A column that the table does not have.
    NoColumn {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A cell that should be a number.
    TextForNumber {
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// Its line.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A cell without a number where each is needed.
    EmptyCell {
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// Its line.
        line: usize,
    },
    /// A number that is not above the one before, in a column that must ascend.
    NotAscending {
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// Its line.
        line: usize,
        /// The numbers of the row before and of this one, as text.
        numbers: (String, String),
        /// True when they are the same.
        repeats: bool,
    },
}

/// Guesses about a file that is not UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Holds zero bytes: a spreadsheet, a compressed file.
    Binary,
    /// Begins with the mark of UTF-16.
    Utf16,
    /// Letters beyond ASCII in some older encoding.
    OneByte,
}

/// What laboratories write for a value below the limit of quantification.
const BELOW_LIMIT: &[&str] = &[
    "BLQ", "BQL", "BLOQ", "LLOQ", "LLQ", "<LOQ", "<LLOQ", "<BLQ", "<LOD",
];

impl fmt::Display for TableError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableError::EmptyFile => write!(out, "the file is empty"),
            TableError::NoRows => write!(out, "there is a header, but no row under it"),
            TableError::NotText { line, looks_like } => match looks_like {
                Encoding::Binary => write!(out, "this is a binary file, not a table of text"),
                Encoding::Utf16 => write!(out, "the text is encoded in UTF-16"),
                Encoding::OneByte => {
                    write!(
                        out,
                        "line {line} holds letters that are not encoded in UTF-8"
                    )
                }
            },
            TableError::NoHeader { line, text } => write!(
                out,
                "line {line} should name the columns, but holds the number {text}"
            ),
            TableError::DuplicateColumn { name, columns } => write!(
                out,
                "columns {} and {} are both named `{name}`",
                columns.0, columns.1
            ),
            TableError::RaggedRow {
                row,
                line,
                found,
                expected,
            } => write!(
                out,
                "row {row} (line {line}) has {found} {}, but the header has {expected}",
                if *found == 1 { "cell" } else { "cells" }
            ),
            TableError::NoColumn { name, .. } => write!(out, "there is no column `{name}`"),
            TableError::TextForNumber {
                column,
                row,
                line,
                text,
            } => write!(
                out,
                "row {row} (line {line}) of column `{column}` holds \"{}\", which is not a number",
                shortened(text)
            ),
            TableError::EmptyCell { column, row, line } => {
                write!(out, "row {row} (line {line}) of column `{column}` is empty")
            }
            TableError::NotAscending {
                column,
                row,
                line,
                numbers: (before, now),
                repeats,
            } => {
                let place = format!("row {row} (line {line}) of column `{column}`");
                if *repeats {
                    write!(out, "{place} repeats {now} from the row before")
                } else {
                    write!(out, "{place} goes back to {now}, after {before}")
                }
            }
        }
    }
}

impl std::error::Error for TableError {}

/// Enough of a cell to recognise it.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        let start: String = text.chars().take(MOST).collect();
        format!("{start}…")
    }
}

impl TableError {
    /// The kind of problem.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            TableError::EmptyFile | TableError::NoRows => Code::EmptyTable,
            TableError::NotText { .. } => Code::NotText,
            TableError::NoHeader { .. } => Code::NoHeader,
            TableError::DuplicateColumn { .. } => Code::DuplicateColumn,
            TableError::RaggedRow { .. } => Code::RaggedRow,
            TableError::NoColumn { .. } => Code::NoColumn,
            TableError::TextForNumber { .. } => Code::TextForNumber,
            TableError::EmptyCell { .. } => Code::EmptyCell,
            TableError::NotAscending { .. } => Code::NotAscending,
        }
    }

    /// The problem as a diagnostic about the file called `source`; a place in the model, such as
    /// the sentence that names the file, is added by the caller.
    #[must_use]
    pub fn diagnostic(&self, source: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(self.code(), format!("{source}: {self}"));
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            TableError::EmptyFile | TableError::NoRows => {
                "a table has a row of column names and rows of values under it".to_owned()
            }
            TableError::NotText { looks_like, .. } => match looks_like {
                Encoding::Binary => "save it as CSV or TSV".to_owned(),
                Encoding::Utf16 | Encoding::OneByte => "save it as CSV in UTF-8".to_owned(),
            },
            TableError::NoHeader { .. } => {
                "put a row with the names of the columns above it".to_owned()
            }
            TableError::DuplicateColumn { .. } => "rename or delete one of them".to_owned(),
            TableError::RaggedRow { .. } => {
                "check its delimiters; text that holds one must stand in quotation marks".to_owned()
            }
            TableError::NoColumn { name, known } => {
                match did_you_mean(name, known.iter().map(String::as_str)) {
                    Some(help) => help,
                    None if known.len() <= 20 => format!("it has the columns {}", known.join(", ")),
                    None => return None,
                }
            }
            TableError::TextForNumber { text, .. } => {
                let comma = text.replacen(',', ".", 1);
                if text.contains(',') && super::read::number(&comma).is_some() {
                    format!("write {comma} with a decimal point")
                } else if text
                    .split_once(' ')
                    .is_some_and(|(first, _)| super::read::number(first).is_some())
                {
                    "keep the number alone; a unit stands in the header, as in `AMT [mg]`"
                        .to_owned()
                } else if BELOW_LIMIT.contains(&text.trim().to_ascii_uppercase().as_str()) {
                    "a value below a limit is written with the limit, as in `<0.5`; or put the limit here and 1 into a column `censored`".to_owned()
                } else {
                    "missing values are written as an empty cell, `NA`, `NaN` or `.`".to_owned()
                }
            }
            TableError::EmptyCell { .. } => {
                "every row needs a value here: fill the cell, or delete the row".to_owned()
            }
            TableError::NotAscending { repeats: true, .. } => {
                "keep one row for each time: with the interpolation `step` a value jumps at its \
                 time"
                    .to_owned()
            }
            TableError::NotAscending { .. } => "sort the rows by time".to_owned(),
        })
    }
}
