//! Starts of searches from a table: `starts "starts.csv"`, a column for each fitted quantity.
//!
//! Enters: the sentence, the tables. Leaves: a point for each row. Must not know how searches work.

use super::super::tables::{Columns, Tables};
use super::quantities::Fitted;
use super::sentence::Fit;
use crate::diagnostic::{Code, Diagnostic};

/// The starts of a table, in the quantities' own units; none where the sentence names no table.
///
/// # Errors
/// All problems of the table.
pub(super) fn chosen(
    tables: &Tables<'_>,
    command: &Fit,
    fitted: &[Fitted],
) -> Result<Vec<Vec<f64>>, Vec<Diagnostic>> {
    let Some(file) = command.table_of_starts() else {
        return Ok(Vec::new());
    };
    let table = tables.read(&file).map_err(|problem| vec![problem])?;
    let columns = Columns::new(&table, &[], file.span);
    let mut points = vec![Vec::with_capacity(fitted.len()); table.rows()];
    let mut problems = Vec::new();
    for known in fitted {
        // Initial values stand under the name of the state too.
        let state = known.name.split('(').next().unwrap_or(&known.name);
        let column = columns
            .find(&known.name, false)
            .or_else(|| columns.find(state, false));
        let Some(column) = column else {
            problems.push(
                Diagnostic::new(
                    Code::NoColumn,
                    format!("the table of starts has no column `{}`", known.name),
                )
                .at(file.span, columns.has())
                .help("it needs a column for everything that is fitted"),
            );
            continue;
        };
        match table.complete_numbers(&column.name) {
            Ok(numbers) => {
                for (point, number) in points.iter_mut().zip(numbers) {
                    point.push(*number);
                }
            }
            Err(error) => problems.push(error.diagnostic(&table.source).at(file.span, "")),
        }
    }
    if problems.is_empty() {
        Ok(points)
    } else {
        Err(problems)
    }
}
