//! The answer as tables: a row for each row of the data, or for each eigenvalue.
//!
//! Enters: an answer. Leaves: the text of CSV files. What is missing is NA.

use super::{RowsAnswer, nothing_yet};
use crate::analyze::network::Linear;
use crate::diagnostic::{Code, Diagnostic};
use crate::session::Session;
use crate::session::command::Save;
use crate::session::compiled::Compiled;
use crate::session::lower::word_of;
use crate::session::outcome::{Outcome, Performed};
use crate::syntax::tree;
use crate::table::{self, Cells};

/// A table of linear parts at rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum RowsTable {
    /// A row for each row of the data.
    Spectra,
    /// A row for each eigenvalue.
    Eigenvalues,
}

impl RowsTable {
    const WORDS: [(&'static str, RowsTable); 2] = [
        ("spectra", RowsTable::Spectra),
        ("eigenvalues", RowsTable::Eigenvalues),
    ];

    /// The one that a `save` asks for: its word stands alone, and the model has no such name.
    pub fn asked(compiled: &Compiled, save: &Save) -> Option<RowsTable> {
        let [column] = save.columns.as_slice() else {
            return None;
        };
        RowsTable::of_word(compiled, column)
    }

    /// The one of a word that no name of the model is.
    pub fn of_word(compiled: &Compiled, column: &tree::Expr) -> Option<RowsTable> {
        let word = word_of(column)?;
        if compiled.model.names.get(&word.text).is_some() {
            return None;
        }
        let mut known = RowsTable::WORDS.iter();
        known
            .find(|(known, _)| *known == word.text)
            .map(|(_, table)| *table)
    }
}

/// The text of a file.
pub(super) struct Written {
    pub text: String,
    pub rows: usize,
    pub columns: usize,
}

/// A row for each row of the data: its name, its group, all quantities.
pub(super) fn rows(answer: &RowsAnswer) -> Written {
    let mut headers = vec![answer.data.what().to_owned()];
    let mut columns = vec![Cells::Text(&answer.data.names)];
    let groups: Vec<String> = (0..answer.data.rows())
        .map(|row| answer.data.group(row).unwrap_or("").to_owned())
        .collect();
    if let Some(by) = &answer.data.by {
        headers.push(by.clone());
        columns.push(Cells::Text(&groups));
    }
    let numbers = answer.labelled_columns();
    headers.extend(numbers.iter().map(|(label, _)| label.clone()));
    columns.extend(numbers.iter().map(|(_, column)| Cells::Numbers(column)));
    Written {
        text: table::write_cells(&headers, &columns),
        rows: answer.data.rows(),
        columns: headers.len(),
    }
}

impl RowsAnswer {
    /// All quantities with their names, a number for each row of the data.
    pub(in crate::session) fn labelled_columns(&self) -> Vec<(String, Vec<f64>)> {
        let mut columns = Vec::new();
        for quantity in self.quantities() {
            columns.push((quantity.label, self.column(quantity.measure)));
            if quantity.measure == super::Measure::Leading {
                columns.push(("leading_imaginary".to_owned(), self.leading_imaginary()));
            }
        }
        columns
    }
}

impl Session {
    pub(in crate::session) fn save_of_rows(
        &self,
        table: RowsTable,
        save: &Save,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let Some(answer) = &self.rows else {
            return Err(vec![nothing_yet(save.span)]);
        };
        let written = match table {
            RowsTable::Spectra => rows(answer),
            RowsTable::Eigenvalues => self.eigenvalues(answer, save)?,
        };
        Ok(Performed {
            outcome: Outcome::Saved {
                path: self.write_file(&save.path, &written.text)?,
                rows: written.rows,
                columns: written.columns,
            },
            diagnostics: Vec::new(),
        })
    }

    /// A row for each eigenvalue, the rightmost of each row of the data first.
    fn eigenvalues(&self, answer: &RowsAnswer, save: &Save) -> Result<Written, Vec<Diagnostic>> {
        if !answer.spectrum {
            return Err(vec![without_spectrum(save.span)]);
        }
        let mut spectra: Vec<Option<Linear>> = vec![None; answer.data.rows()];
        answer.spectra(&*self.world, |row, linear| {
            if let Some(place) = spectra.get_mut(row) {
                *place = Some(linear);
            }
        })?;
        let mut headers = vec![answer.data.what().to_owned()];
        headers.extend(answer.data.by.clone());
        headers.extend(["eigenvalue", "real", "imaginary"].map(str::to_owned));
        let mut text = table::write_cells::<String>(&headers, &[]);
        let mut rows = 0;
        for (row, linear) in spectra.iter().enumerate() {
            let Some(linear) = linear else { continue };
            text.push_str(&lines_of(answer, row, linear));
            rows += linear.spectrum.as_ref().map_or(0, Vec::len);
        }
        Ok(Written {
            text,
            rows,
            columns: headers.len(),
        })
    }
}

/// The lines of one row's eigenvalues.
fn lines_of(answer: &RowsAnswer, row: usize, linear: &Linear) -> String {
    let values = linear.spectrum.as_deref().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a number of variables")]
    let numbers: Vec<f64> = (1..=values.len()).map(|at| at as f64).collect();
    let real: Vec<f64> = values.iter().map(|value| value.re).collect();
    let imaginary: Vec<f64> = values.iter().map(|value| value.im).collect();
    let name = answer.data.names.get(row).cloned().unwrap_or_default();
    let names = vec![name; values.len()];
    let groups = vec![answer.data.group(row).unwrap_or("").to_owned(); values.len()];
    let mut columns = vec![Cells::Text(&names)];
    if answer.data.by.is_some() {
        columns.push(Cells::Text(&groups));
    }
    columns.extend([&numbers, &real, &imaginary].map(|column| Cells::Numbers(column)));
    let headers: [&str; 0] = [];
    let lines = table::write_cells(&headers, &columns);
    // An empty line stands where the headers are.
    lines.strip_prefix('\n').unwrap_or(&lines).to_owned()
}

/// The sentence left the eigenvalues out.
pub(super) fn without_spectrum(span: crate::source::Span) -> Diagnostic {
    Diagnostic::new(Code::NothingYet, "the eigenvalues were left out")
        .at(span, "")
        .help("say `stability over` once more, without `of trace` and `of rotation`")
}
