//! Data over curves: a table whose columns have the names of what is drawn.
//!
//! Enters: a table and curves. Leaves: points. Must not know how runs are drawn.

use super::Curve;
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::figure::{Mark, Series};
use crate::model::Model;
use crate::session::command::DataSource;
use crate::session::inputs;
use crate::session::tables::{Columns, Tables};
use crate::syntax::tree;
use crate::table::Table;
use std::sync::Arc;

/// Data with the names that its columns go by in the model.
pub(in crate::session) struct Points {
    table: Arc<Table>,
    time: String,
    /// `(name in the model, column)`
    columns: Vec<(String, String)>,
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
    let (time, columns) = match_columns(&table, source, curves)?;
    let drawn = columns.iter().map(|(_, column)| column).chain([&time]);
    let problems: Vec<Diagnostic> = drawn
        .filter_map(|column| table.column_numbers(column).err())
        .map(|error| error.diagnostic(&table.source).at(span, ""))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let inputs: Vec<&str> = read_by_inputs(model, source, &table).collect();
    let warnings = unused_columns(&table, source, &time, &columns, &inputs);
    Ok((
        Points {
            table,
            time,
            columns,
        },
        warnings,
    ))
}

type Matched = (String, Vec<(String, String)>);

fn match_columns(
    table: &Table,
    source: &DataSource,
    curves: &[Curve],
) -> Result<Matched, Vec<Diagnostic>> {
    let names: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let quoted = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        listed(&names)
    };
    let has = || format!("it has {}", quoted(&names));
    let mut problems = Vec::new();
    let mut time = names
        .iter()
        .find(|name| ["time", "t"].contains(&name.to_lowercase().as_str()))
        .map(|name| (*name).to_owned());
    let mut columns: Vec<(String, String)> = Vec::new();
    let labels: Vec<&str> = curves
        .iter()
        .flat_map(|curve| curve.horizontal.iter().chain([&curve.vertical]))
        .map(|observable| observable.label.as_str())
        .collect();
    // A misnamed column of times is one problem, not two.
    let names_time = |here: &tree::Name| here.text == "time" || here.text == "t";
    let time_is_named = source.columns.iter().any(|(here, _)| names_time(here));
    for (here, there) in &source.columns {
        if !names.contains(&there.text.as_str()) {
            let near = crate::diagnostic::did_you_mean(&there.text, names.iter().copied());
            problems.push(
                Diagnostic::new(
                    Code::NoColumn,
                    format!("the table has no column `{}`", there.text),
                )
                .at(there.span, "not in the table")
                .help(near.unwrap_or_else(has)),
            );
        } else if names_time(here) {
            time = Some(there.text.clone());
        } else if labels.contains(&here.text.as_str()) {
            columns.push((here.text.clone(), there.text.clone()));
        } else {
            let near = crate::diagnostic::did_you_mean(&here.text, labels.iter().copied());
            problems.push(
                Diagnostic::new(
                    Code::NoColumn,
                    format!("`{}` is not among the curves", here.text),
                )
                .at(here.span, "not drawn")
                .help(near.unwrap_or_else(|| format!("what is drawn is {}", quoted(&labels)))),
            );
        }
    }
    for label in &labels {
        if columns.iter().all(|(here, _)| here != label) && names.contains(label) {
            columns.push(((*label).to_owned(), (*label).to_owned()));
        }
    }
    let Some(time) = time else {
        if !time_is_named {
            problems.push(
                Diagnostic::new(Code::NoColumn, "the table has no column `time` or `t`")
                    .at(source.path.span, has())
                    .help("name it, as in `over \"data.csv\" (time = year)`"),
            );
        }
        return Err(problems);
    };
    if columns.is_empty() && problems.is_empty() {
        let plain = labels.iter().find(|label| is_name(label));
        problems.push(
            Diagnostic::new(Code::NoColumn, "no column of the table belongs to a curve")
                .at(source.path.span, has())
                .help(match plain {
                    Some(label) => format!(
                        "what is drawn is {}: name columns, as in `({label} = column)`",
                        quoted(&labels)
                    ),
                    None => {
                        "give the curve the name of a column: define it, as in `let ratio = x/y`"
                            .to_owned()
                    }
                }),
        );
    }
    if problems.is_empty() {
        Ok((time, columns))
    } else {
        Err(problems)
    }
}

/// True for a label that can stand before `=`.
fn is_name(label: &str) -> bool {
    label.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The columns of a table that inputs of the model read.
fn read_by_inputs<'m>(
    model: &'m Model,
    source: &'m DataSource,
    table: &'m Table,
) -> impl Iterator<Item = &'m str> {
    let inputs = model.inputs.iter();
    let same_file = inputs.filter(|input| input.path.text == source.path.text);
    same_file.flat_map(|input| {
        let columns = Columns::new(table, &input.columns, input.path.span);
        let times = inputs::TIME.iter().map(move |time| (*time, true));
        times
            .chain([(input.name.as_str(), false)])
            .filter_map(move |(name, any_case)| columns.find(name, any_case))
            .map(|column| column.name.as_str())
    })
}

fn unused_columns(
    table: &Table,
    source: &DataSource,
    time: &str,
    columns: &[(String, String)],
    inputs: &[&str],
) -> Vec<Diagnostic> {
    let unused: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| *name != time && !inputs.contains(name))
        .filter(|name| columns.iter().all(|(_, column)| column != name))
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

/// The columns of the data that belong to a curve, as points.
pub(super) fn add_points(
    points: &Points,
    curve: &Curve,
    colour: usize,
    series: &mut Vec<Series>,
) -> Result<(), Vec<Diagnostic>> {
    let label = &curve.vertical.label;
    let column_of = |label: &str| {
        points
            .columns
            .iter()
            .find(|(here, _)| here == label)
            .map(|(_, column)| column.as_str())
    };
    let Some(vertical) = column_of(label) else {
        return Ok(());
    };
    let horizontal = match &curve.horizontal {
        None => points.time.as_str(),
        // A phase plot shows data where both sides have a column.
        Some(observable) => match column_of(&observable.label) {
            Some(column) => column,
            None => return Ok(()),
        },
    };
    let numbers = |name: &str| {
        points
            .table
            .column_numbers(name)
            .map(<[f64]>::to_vec)
            .map_err(|error| vec![error.diagnostic(&points.table.source).at(curve.span, "")])
    };
    series.push(Series {
        label: format!("{label} (data)"),
        x: numbers(horizontal)?,
        y: numbers(vertical)?,
        mark: Mark::Points,
        colour,
    });
    Ok(())
}
