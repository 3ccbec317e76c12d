//! Numbers of files put in the places that their labels say.
//!
//! Enters: labelled numbers and the index sets of a quantity. Leaves: a vector or matrix of numbers
//! in the order of the sets. Must not know files.

use super::IndexSetId;
use super::elaborate::Elaborator;
use super::names::IndexSet;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, first_quoted};
use crate::source::Span;
use crate::symbolic::{Expr, Shape};
use crate::syntax::tree::{Entries, Labelled};
use rustc_hash::FxHashMap;

/// Labels in a list of what is missing.
const NAMED: usize = 5;

impl Elaborator<'_> {
    /// Numbers of a file for a quantity over index sets; entries that a list does not name are 0.
    pub(super) fn labelled(
        &mut self,
        read: &Labelled,
        sets: &[IndexSetId],
        span: Span,
    ) -> Option<Expr> {
        let (numbers, shape) = self.placed(read, sets, span)?;
        Some(self.pool.array(&numbers, shape))
    }

    /// The same as numbers, column by column.
    pub(super) fn placed(
        &mut self,
        read: &Labelled,
        sets: &[IndexSetId],
        span: Span,
    ) -> Option<(Vec<f64>, Shape)> {
        let names = self.names;
        let (rows, columns) = match (sets, &read.columns) {
            ([rows], None) => (names.index_set(*rows), None),
            ([rows, columns], Some(labels)) => (
                names.index_set(*rows),
                Some((names.index_set(*columns), labels)),
            ),
            _ => {
                let found = if read.columns.is_some() {
                    "a matrix"
                } else {
                    "a vector"
                };
                let message = format!("{} holds {found}", read.file);
                let wanted = match sets.len() {
                    0 => "a single number is needed here",
                    1 => {
                        "a vector is needed here: the first column has its labels, the second the numbers"
                    }
                    _ => {
                        "a matrix is needed here: labels of rows in the first column and of columns in the header, or a row, a column and a number on each line"
                    }
                };
                return self.report(
                    Diagnostic::new(Code::ShapeMismatch, message)
                        .at(span, "")
                        .help(wanted),
                );
            }
        };
        let is_list = matches!(read.entries, Entries::Sparse(_));
        let row_places = self.places(&read.rows, rows, is_list, (&read.file, "row"), span)?;
        let column_places = match columns {
            Some((set, labels)) => {
                self.places(labels, set, is_list, (&read.file, "column"), span)?
            }
            None => vec![Some(0)],
        };
        let (height, width) = (rows.len(), columns.map_or(1, |(set, _)| set.len()));
        let shape = match columns {
            Some(_) => Shape::Matrix(height, width),
            None => Shape::Vector(height),
        };
        let mut numbers = vec![0.0; height * width];
        let mut put = |row: usize, column: usize, number: f64| {
            if let (Some(Some(row)), Some(Some(column))) =
                (row_places.get(row), column_places.get(column))
            {
                numbers[row + column * height] = number;
            }
        };
        match &read.entries {
            Entries::Dense(all) => {
                let across = column_places.len();
                for (at, number) in all.iter().enumerate() {
                    put(at / across, at % across, *number);
                }
            }
            Entries::Sparse(some) => {
                for (row, column, number) in some {
                    put(*row as usize, *column as usize, *number);
                }
            }
        }
        Some((numbers, shape))
    }

    /// Where each label of a file stands in an index set. Of a whole matrix every member must be
    /// there; a list may leave some out, but not know none.
    fn places(
        &mut self,
        labels: &[String],
        set: &IndexSet,
        is_list: bool,
        (file, what): (&str, &str),
        span: Span,
    ) -> Option<Vec<Option<usize>>> {
        let members: Vec<String> = (0..set.len()).map(|at| set.label(at)).collect();
        let known: FxHashMap<&str, usize> = members
            .iter()
            .enumerate()
            .map(|(at, label)| (label.as_str(), at))
            .collect();
        let mut there = vec![false; members.len()];
        let mut places = Vec::with_capacity(labels.len());
        for label in labels {
            let place = known.get(label.as_str()).copied();
            if let Some(place) = place {
                if there[place] && !is_list {
                    let message = format!("{file} has two {what}s `{label}`");
                    return self.report(Diagnostic::new(Code::Duplicate, message).at(span, ""));
                }
                there[place] = true;
            }
            places.push(place);
        }
        let missing: Vec<&String> = members
            .iter()
            .zip(&there)
            .filter(|(_, there)| !**there)
            .map(|(label, _)| label)
            .collect();
        let too_few = if is_list {
            missing.len() == members.len()
        } else {
            !missing.is_empty()
        };
        let Some(first) = missing.first().filter(|_| too_few) else {
            return Some(places);
        };
        let named = first_quoted(&missing, NAMED);
        let message = format!("{file} has no {what} {named}");
        let label = format!(
            "missing: {} of the {} members of `{}`",
            missing.len(),
            members.len(),
            set.name
        );
        let mut diagnostic = Diagnostic::new(Code::NoData, message).at(span, label);
        if let Some(help) = did_you_mean(first, labels.iter().map(String::as_str)) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic)
    }
}
