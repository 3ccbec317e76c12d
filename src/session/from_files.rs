//! Index sets and values that a text takes from files.
//!
//! ```text
//! index gene from "cells.h5ad" var                 names of genes; obs: of cells
//! index cluster from "cells.h5ad" obs cell_type    the values of a column, each once
//! index gene from "cells.csv" columns              names of columns of numbers
//! index gene from "cells.csv" columns of s         g1 of `s[g1]`
//! index gene from "genes.csv" column name          the values of a column, each once
//! param W[gene, gene] = read("weights.csv")
//! param k[gene] = read("genes.csv", column = k)
//! param W[gene, gene] = read("cells.h5ad", varp = W)
//! ```
//!
//! Enters: statements, and where their files are. Leaves: the same statements with what the files
//! hold, and what is wrong with the files. Must not know which index sets there are: numbers come
//! with the labels that their files give them.

use super::cells::CellFile;
use super::tables::Tables;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::source::Span;
use crate::syntax::tree::{
    Argument, Entries, Expr, ExprKind, IndexSet, Labelled, Name, SentenceOption, Statement,
    StatementKind, Text,
};
use crate::syntax::visit::{self, Visitor};
use crate::table::cells::{Axis, Values as CellValues};
use crate::table::h5ad::{Column, Frame, H5ad, Place};
use crate::table::{self, Table};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The function that reads numbers.
const READ: &str = "read";

/// Puts the contents of files where statements ask for them.
pub(super) fn read_in(tables: &Tables<'_>, statements: &mut [Statement]) -> Vec<Diagnostic> {
    let mut reader = Reader {
        tables,
        diagnostics: Vec::new(),
    };
    visit::statements(statements, &mut reader);
    reader.diagnostics
}

struct Reader<'a> {
    tables: &'a Tables<'a>,
    diagnostics: Vec<Diagnostic>,
}

impl Visitor for Reader<'_> {
    fn statement(&mut self, statement: &mut Statement) {
        let StatementKind::Index { name, set } = &mut statement.kind else {
            return;
        };
        let IndexSet::Data(options) = set else {
            return;
        };
        match labels(self.tables, name, options, &mut self.diagnostics) {
            Ok((labels, span)) => {
                let names = labels.into_iter().map(|text| Name { text, span });
                *set = IndexSet::Labels(names.collect());
            }
            // The set is empty, and silently so.
            Err(problem) => self.diagnostics.push(problem),
        }
    }

    fn expression(&mut self, expression: &mut Expr) {
        let ExprKind::Call {
            function,
            arguments,
        } = &expression.kind
        else {
            return;
        };
        let is_read = function.name.text == READ && function.indices.is_empty();
        if !is_read {
            return;
        }
        let numbers = match numbers(self.tables, arguments, expression.span) {
            Ok(numbers) => Some(Arc::new(numbers)),
            Err(problem) => {
                self.diagnostics.push(problem);
                None
            }
        };
        let written = Box::new(expression.clone());
        expression.kind = ExprKind::Read { written, numbers };
    }
}

// ---- index sets ----

/// The labels of an index set, and where they are asked for.
fn labels(
    tables: &Tables<'_>,
    name: &Name,
    options: &[SentenceOption],
    warnings: &mut Vec<Diagnostic>,
) -> Result<(Vec<String>, Span), Diagnostic> {
    let file = options
        .iter()
        .find(|option| option.word.text == "from")
        .and_then(|option| option.values.first())
        .and_then(text_of)
        .ok_or_else(|| which_labels(name.span, "no file is named"))?;
    let mut words = options.iter().filter(|option| option.word.text != "from");
    let Some(word) = words.next() else {
        return Err(which_labels(file.span, "which of its labels?"));
    };
    let value = word.values.first().and_then(text_of);
    let of = words
        .find(|option| option.word.text == "of")
        .and_then(|option| option.values.first())
        .and_then(text_of);
    let opened = CellFile::open(tables, &file)?;
    let labels = match (word.word.text.as_str(), opened.anndata()) {
        ("var", Some(cells)) => of_frame(&opened, cells, Frame::Var, value.as_ref())?,
        ("obs", Some(cells)) => of_frame(&opened, cells, Frame::Obs, value.as_ref())?,
        ("columns", None) => of_columns(&opened, word.word.span, of.as_ref(), warnings)?,
        ("column", None) => match &value {
            Some(column) => opened.groups(&named(column))?.0,
            None => return Err(which_labels(word.word.span, "which column?")),
        },
        _ => return Err(which_labels(word.word.span, "not known of this file")),
    };
    if labels.is_empty() {
        let message = format!("`{}` would have no members", name.text);
        return Err(Diagnostic::new(Code::NoData, message).at(file.span, ""));
    }
    Ok((labels, file.span))
}

fn which_labels(span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::BadOption, "an index set takes its labels from a file")
        .at(span, label)
        .help("as in `from \"cells.h5ad\" var`, `from \"cells.h5ad\" obs cell_type`, `from \"cells.csv\" columns`, `from \"cells.csv\" columns of s` or `from \"genes.csv\" column name`")
}

fn of_frame(
    opened: &CellFile,
    cells: &H5ad,
    frame: Frame,
    column: Option<&Text>,
) -> Result<Vec<String>, Diagnostic> {
    let wrong = |error| match column {
        Some(column) => opened.problem_at(&error, column.span),
        None => opened.problem(&error),
    };
    let Some(column) = column else {
        return cells.index(frame).map_err(wrong);
    };
    let found = cells.column(frame, &column.text).map_err(wrong)?;
    if let Column::Categories { categories, .. } = found {
        return Ok(categories);
    }
    Ok(once((0..found.len()).filter_map(|at| found.text(at))))
}

fn of_columns(
    opened: &CellFile,
    span: Span,
    vector: Option<&Text>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<String>, Diagnostic> {
    let table = opened
        .table()
        .ok_or_else(|| which_labels(span, "not known of this file"))?;
    let Some(vector) = vector else {
        let numbers = table
            .columns
            .iter()
            .filter(|column| matches!(column.values, table::Values::Numbers(_)));
        warnings.extend(
            table
                .columns
                .iter()
                .filter_map(|column| mixed(table, column, span)),
        );
        return Ok(numbers.map(|column| column.name.clone()).collect());
    };
    let own = table.columns.iter().filter_map(|column| {
        let rest = column.name.strip_prefix(&vector.text)?;
        Some(rest.strip_prefix('[')?.strip_suffix(']')?.to_owned())
    });
    let own = once(own);
    if own.is_empty() {
        let message = format!("the table has no columns `{}[...]`", vector.text);
        return Err(Diagnostic::new(Code::NoColumn, message).at(vector.span, ""));
    }
    Ok(own)
}

/// Told of a column that is no member although some of its cells are numbers: a slip of one cell
/// would take the column away without a word.
fn mixed(table: &Table, column: &table::Column, span: Span) -> Option<Diagnostic> {
    if !table.has_number(column) {
        return None;
    }
    let error = table.column_numbers(&column.name).err()?;
    let message = format!("`{}` of {} is left out: {error}", column.name, table.source);
    let help = "mend the cell if this is a column of numbers; missing ones are written as an empty cell, `NA`, `NaN` or `.`";
    Some(
        Diagnostic::new(Code::UnusedColumn, message)
            .at(span, "columns of numbers are members")
            .help(help),
    )
}

/// Each text once, in the order of first appearance.
fn once(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = FxHashSet::default();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

// ---- numbers ----

fn numbers(
    tables: &Tables<'_>,
    arguments: &[Argument],
    span: Span,
) -> Result<Labelled, Diagnostic> {
    let how = || {
        Diagnostic::new(Code::Arity, "`read` takes a file, and what of it is wanted")
            .at(span, "")
            .help("as in `read(\"weights.csv\")`, `read(\"genes.csv\", column = k)`, `read(\"cells.h5ad\", var = k)` or `read(\"cells.h5ad\", varp = W)`")
    };
    let (first, rest) = arguments.split_first().ok_or_else(how)?;
    let file = text_of(&first.value)
        .filter(|_| first.name.is_none() && matches!(first.value.kind, ExprKind::Text(_)))
        .ok_or_else(how)?;
    let wanted = match rest {
        [] => None,
        [one] => {
            let word = one.name.as_ref().ok_or_else(how)?;
            Some((word, text_of(&one.value).ok_or_else(how)?))
        }
        _ => return Err(how()),
    };
    let opened = CellFile::open(tables, &file)?;
    let name = tables.path(&file).display().to_string();
    match (opened.anndata(), opened.table(), wanted) {
        (Some(cells), _, Some((word, part))) => of_anndata(&opened, cells, (word, &part), name),
        (_, Some(table), None) => of_table(table, &file, name),
        (_, Some(table), Some((word, column))) if word.text == "column" => {
            of_column(table, &column, name)
        }
        _ => Err(how()),
    }
}

/// A part of an AnnData file, labelled by its genes and cells.
fn of_anndata(
    opened: &CellFile,
    cells: &H5ad,
    (word, part): (&Name, &Text),
    file: String,
) -> Result<Labelled, Diagnostic> {
    let wrong = |error| opened.problem_at(&error, part.span);
    let frame = |frame: Frame| -> Result<Labelled, Diagnostic> {
        Ok(Labelled {
            file: file.clone(),
            rows: cells.index(frame).map_err(wrong)?,
            columns: None,
            entries: Entries::Dense(cells.numbers(frame, &part.text).map_err(wrong)?),
        })
    };
    let (place, rows, columns) = match word.text.as_str() {
        "var" => return frame(Frame::Var),
        "obs" => return frame(Frame::Obs),
        "varp" => (Place::Varp(&part.text), Frame::Var, Some(Frame::Var)),
        "obsp" => (Place::Obsp(&part.text), Frame::Obs, Some(Frame::Obs)),
        "varm" => (Place::Varm(&part.text), Frame::Var, None),
        "obsm" => (Place::Obsm(&part.text), Frame::Obs, None),
        "layer" => (Place::Layer(&part.text), Frame::Obs, Some(Frame::Var)),
        _ => {
            let known = ["var", "obs", "varp", "obsp", "varm", "obsm", "layer"];
            let message = format!("an AnnData file has no part `{}`", word.text);
            return Err(Diagnostic::new(Code::BadOption, message)
                .at(word.span, "")
                .help(
                    did_you_mean(&word.text, known)
                        .unwrap_or_else(|| format!("its parts are {}", listed(&known))),
                ));
        }
    };
    let matrix = cells.matrix(place).map_err(wrong)?;
    let found = cells.read(&matrix, &|| false).map_err(wrong)?;
    let columns = match columns {
        Some(frame) => cells.index(frame).map_err(wrong)?,
        // Coordinates have numbers, not names.
        None => (1..=found.columns()).map(|at| at.to_string()).collect(),
    };
    let is_sparse = !matches!(found.values(), CellValues::Dense(_));
    let mut lines = found.lines::<f64>(Axis::Rows);
    let (mut dense, mut sparse) = (Vec::new(), Vec::new());
    for row in 0..u32::try_from(found.rows()).unwrap_or(u32::MAX) {
        let line = lines.block(1);
        if is_sparse {
            let entries = (0_u32..).zip(line).filter(|(_, number)| **number != 0.0);
            sparse.extend(entries.map(|(column, number)| (row, column, *number)));
        } else {
            dense.extend_from_slice(line);
        }
    }
    Ok(Labelled {
        file,
        rows: cells.index(rows).map_err(wrong)?,
        columns: Some(columns),
        entries: if is_sparse {
            Entries::Sparse(sparse)
        } else {
            Entries::Dense(dense)
        },
    })
}

/// A whole table: labels of rows in its first column, then one number (a vector), a label and a
/// number (entries of a matrix), or numbers under the labels of columns (a matrix).
fn of_table(table: &Table, file: &Text, name: String) -> Result<Labelled, Diagnostic> {
    let misfit = || {
        Diagnostic::new(Code::BadOption, format!("{name} holds neither a vector nor a matrix"))
            .at(file.span, "")
            .help("the first column has the labels of rows; then come numbers under the labels of columns, or one column of numbers, or a second column of labels and one of numbers; one column of many is read by `column = name`")
    };
    let numbers = |column: &table::Column| -> Result<Vec<f64>, Diagnostic> {
        let found = table.complete_numbers(&column.name);
        let found = found.map_err(|error| error.diagnostic(&name).at(file.span, ""))?;
        Ok(found.to_vec())
    };
    let [first, rest @ ..] = table.columns.as_slice() else {
        return Err(misfit());
    };
    let labels = table.labels(first);
    match rest {
        [] => Err(misfit()),
        [only] => Ok(Labelled {
            rows: labels,
            columns: None,
            entries: Entries::Dense(numbers(only)?),
            file: name.clone(),
        }),
        [second, third] if matches!(second.values, table::Values::Text(_)) => Ok(edges(
            labels,
            &table.labels(second),
            &numbers(third)?,
            name.clone(),
        )),
        columns => {
            let read: Result<Vec<Vec<f64>>, Diagnostic> = columns.iter().map(numbers).collect();
            let read = read?;
            let mut dense = Vec::with_capacity(table.rows() * read.len());
            for row in 0..table.rows() {
                dense.extend(read.iter().map(|column| column[row]));
            }
            Ok(Labelled {
                rows: labels,
                columns: Some(columns.iter().map(|column| column.name.clone()).collect()),
                entries: Entries::Dense(dense),
                file: name.clone(),
            })
        }
    }
}

/// Entries of a matrix, each with the labels of its row and column.
fn edges(rows: Vec<String>, columns: &[String], numbers: &[f64], file: String) -> Labelled {
    let row_labels = once(rows.iter().cloned());
    let column_labels = once(columns.iter().cloned());
    let place = |labels: &[String]| -> rustc_hash::FxHashMap<String, u32> {
        labels.iter().cloned().zip(0..).collect()
    };
    let (row_places, column_places) = (place(&row_labels), place(&column_labels));
    let entries = rows.iter().zip(columns).zip(numbers);
    let entries = entries
        .map(|((row, column), number)| (row_places[row], column_places[column], *number))
        .collect();
    Labelled {
        file,
        rows: row_labels,
        columns: Some(column_labels),
        entries: Entries::Sparse(entries),
    }
}

/// One column of a table, by the labels in its first.
fn of_column(table: &Table, column: &Text, name: String) -> Result<Labelled, Diagnostic> {
    let found = table
        .complete_numbers(&column.text)
        .map_err(|error| error.diagnostic(&name).at(column.span, ""))?;
    let first = table.columns.first();
    Ok(Labelled {
        rows: first.map_or_else(Vec::new, |first| table.labels(first)),
        columns: None,
        entries: Entries::Dense(found.to_vec()),
        file: name,
    })
}

// ---- words ----

/// A quoted text, or a single name.
fn text_of(value: &Expr) -> Option<Text> {
    let text = match &value.kind {
        ExprKind::Text(text) => text.clone(),
        ExprKind::Reference(reference) if reference.indices.is_empty() => {
            reference.name.text.clone()
        }
        _ => return None,
    };
    Some(Text {
        text,
        span: value.span,
    })
}

fn named(text: &Text) -> Name {
    Name {
        text: text.text.clone(),
        span: text.span,
    }
}
