//! Inputs: what drives a model from outside, read from its tables.
//!
//! Enters: the declared inputs. Leaves: one track of times and values per input, and problems
//! with file, row and column.

use super::tables::{Columns, Tables};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::{Input, Interpolation, Model, Names};
use crate::simulate::Track;
use crate::table::{self, Table};

/// The names that the column of times goes by.
pub(super) const TIME: [&str; 2] = ["time", "t"];

/// The tracks of all inputs, in their order, with warnings.
///
/// # Errors
/// All problems of all tables.
pub(super) fn tracks(
    inputs: &[Input],
    names: &Names,
    tables: &Tables<'_>,
) -> Result<(Vec<Track>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut tracks = Vec::with_capacity(inputs.len());
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    for input in inputs {
        match track(input, names, tables, &mut warnings) {
            Ok(track) => tracks.push(track),
            // Inputs from one table share its faults.
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok((tracks, warnings))
    } else {
        let mut said: Vec<Diagnostic> = Vec::with_capacity(problems.len());
        for problem in problems {
            if !said.iter().any(|known| known.message == problem.message) {
                said.push(problem);
            }
        }
        Err(said)
    }
}

/// The columns of the table of a data file that inputs of the model read from it.
pub(super) fn columns_read<'t>(model: &'t Model, path: &str, table: &'t Table) -> Vec<&'t str> {
    let mut found = Vec::new();
    for input in model.inputs.iter().filter(|input| input.path.text == path) {
        let columns = Columns::new(table, &input.columns, input.path.span);
        let time = TIME.iter().filter_map(|time| columns.find(time, true));
        let own = time.chain(columns.find(&input.name, false));
        found.extend(own.map(|column| column.name.as_str()));
    }
    found
}

/// The track of one input.
fn track(
    input: &Input,
    names: &Names,
    tables: &Tables<'_>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Track, Vec<Diagnostic>> {
    let table = tables.read(&input.path).map_err(|problem| vec![problem])?;
    let columns = Columns::new(&table, &input.columns, input.path.span);
    let name = input.name.as_str();
    let mut problems = columns.check();
    let time = TIME.iter().find_map(|time| columns.find(time, true));
    if time.is_none() && !columns.maps(&TIME) {
        problems.push(
            Diagnostic::new(Code::NoColumn, "the table has no column `time` or `t`")
                .at(columns.file, columns.has())
                .help(format!(
                    "name it, as in `input {name} from \"data.csv\" (time = hour)`"
                )),
        );
    }
    let values = columns.find(name, false);
    if values.is_none() && !columns.maps(&[name]) {
        problems.push(
            Diagnostic::new(Code::NoColumn, format!("the table has no column `{name}`"))
                .at(columns.file, columns.has())
                .help(format!(
                    "name the one that is meant, as in `({name} = column)`"
                )),
        );
    }
    let (Some(time), Some(values)) = (time, values) else {
        return Err(problems);
    };
    let mut sound = |numbers: Result<&[f64], table::TableError>| match numbers {
        Ok(numbers) => numbers.to_vec(),
        Err(error) => {
            problems.push(error.diagnostic(&table.source).at(columns.file, ""));
            Vec::new()
        }
    };
    let track = Track {
        times: sound(table.ascending_numbers(&time.name)),
        values: sound(table.complete_numbers(&values.name)),
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let what = format!("`{name}`");
    let found = [
        columns.other_unit(time, names, names.unit_of_time(), "the model's time"),
        columns.other_unit(values, names, names.unit_of(name), &what),
    ];
    let (errors, more): (Vec<_>, Vec<_>) =
        found.into_iter().flatten().partition(Diagnostic::is_error);
    warnings.extend(more);
    if errors.is_empty() {
        Ok(track)
    } else {
        Err(errors)
    }
}

/// A warning for each input whose table does not span a run.
pub(super) fn beyond(inputs: &[Input], tracks: &[Track], run: (f64, f64)) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for (input, track) in inputs.iter().zip(tracks) {
        let (Some(first), Some(last)) = (track.times.first(), track.times.last()) else {
            continue;
        };
        // A step holds after the last time of its table by what it means.
        let ends = run.1 > *last && input.interpolation != Interpolation::Step;
        let held = match (run.0 < *first, ends) {
            (false, false) => continue,
            (true, false) => "the first value holds before it",
            (false, true) => "the last value holds after it",
            (true, true) => "the first value holds before it and the last one after it",
        };
        let message = format!(
            "the run goes from {} to {}, the table of `{}` from {} to {}",
            number_text(run.0),
            number_text(run.1),
            input.name,
            number_text(*first),
            number_text(*last)
        );
        warnings.push(
            Diagnostic::new(Code::BeyondTable, message)
                .at(input.path.span, "")
                .help(format!("{held}: shorten the run, or add rows to the table")),
        );
    }
    warnings
}
