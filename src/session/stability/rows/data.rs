//! What a file says about rows: states, groups, names.
//!
//! Enters: a file as the sentence names it. Leaves: [`Data`], every number of it finite. Must not
//! know what is computed from it.

use crate::diagnostic::{Code, Diagnostic};
use crate::session::cells::CellFile;
use crate::session::command::Rows;
use crate::session::compiled::Compiled;
use crate::session::tables::Tables;
use crate::symbolic::Shape;
use crate::syntax::tree;
use crate::table::cells::Cells;
use crate::table::h5ad::{Column, Frame};

/// Fewer groups than this are read as they are meant.
const MANY_GROUPS: usize = 10;

/// Rows of a file: a state each.
pub struct Data {
    /// The file, as written.
    pub file: tree::Text,
    /// The layer, where one is named.
    pub layer: Option<String>,
    /// The column of groups, where one is named.
    pub by: Option<String>,
    /// The states; a column for each number of the state vector.
    pub numbers: Cells,
    /// Names of rows; their numbers from 1 on where they have none.
    pub names: Vec<String>,
    /// The groups, in the order of the categories.
    pub groups: Vec<String>,
    /// The group of every row; none for a missing one, or without groups.
    pub of: Vec<Option<usize>>,
    /// True for AnnData, whose rows are cells.
    pub cells: bool,
    /// What is doubtful about the groups.
    pub doubts: Vec<Diagnostic>,
}

impl Data {
    /// Reads what the sentence names.
    ///
    /// # Errors
    /// Files that cannot be read; columns, layers and states that are not there; numbers that are
    /// none.
    pub(super) fn read(
        compiled: &Compiled,
        tables: &Tables<'_>,
        asked: &Rows,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Data, Vec<Diagnostic>> {
        let one = |problem: Diagnostic| vec![problem];
        let file = CellFile::open(tables, &asked.file).map_err(one)?;
        let (vector, labels) = columns(compiled);
        let matrix = file.matrix(asked.layer.as_ref(), &vector, &labels, interrupted);
        let groups = asked.by.as_ref().map(|by| file.groups(by)).transpose();
        let (numbers, (groups, of)) = match (matrix, groups) {
            (Ok(numbers), Ok(groups)) => (numbers, groups.unwrap_or_default()),
            (matrix, groups) => {
                return Err(matrix.err().into_iter().chain(groups.err()).collect());
            }
        };
        if file.cells() == 0 {
            let message = format!("{} has no rows", asked.file.text);
            return Err(vec![
                Diagnostic::new(Code::NoData, message).at(asked.file.span, ""),
            ]);
        }
        let names = match file.anndata() {
            Some(anndata) => anndata
                .index(Frame::Obs)
                .map_err(|error| one(file.problem(&error)))?,
            None => (1..=file.cells()).map(|row| row.to_string()).collect(),
        };
        let data = Data {
            of: match asked.by {
                Some(_) => of,
                None => vec![None; file.cells()],
            },
            file: asked.file.clone(),
            layer: asked.layer.as_ref().map(|layer| layer.text.clone()),
            by: asked.by.as_ref().map(|by| by.text.clone()),
            cells: file.table().is_none(),
            doubts: doubts(&file, asked, &groups).map_err(one)?,
            numbers,
            names,
            groups,
        };
        data.finite(compiled, asked)?;
        Ok(data)
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.numbers.rows()
    }

    /// What one of them is called.
    #[must_use]
    pub fn what(&self) -> &'static str {
        if self.cells { "cell" } else { "row" }
    }

    /// The name of a row's group.
    #[must_use]
    pub fn group(&self, row: usize) -> Option<&str> {
        let group = self.of.get(row).copied().flatten()?;
        self.groups.get(group).map(String::as_str)
    }

    fn finite(&self, compiled: &Compiled, asked: &Rows) -> Result<(), Vec<Diagnostic>> {
        for row in 0..self.rows() {
            for column in 0..self.numbers.columns() {
                let number = self.numbers.at(row, column);
                if number.is_finite() {
                    continue;
                }
                let name = self.names.get(row).map_or("", String::as_str);
                let state = compiled.state_name(column);
                let span = asked
                    .layer
                    .as_ref()
                    .map_or(asked.file.span, |layer| layer.span);
                let message = format!(
                    "{}: `{state}` of {} {name} is {}, not a number that a state could have",
                    self.file.text,
                    self.what(),
                    if number.is_nan() {
                        "missing"
                    } else {
                        "infinite"
                    },
                );
                return Err(vec![
                    Diagnostic::new(Code::NotFinite, message)
                        .at(span, "")
                        .help("fill what is missing, or leave such rows out of the file"),
                ]);
            }
        }
        Ok(())
    }
}

/// A column of numbers, nearly all of them different, makes no groups.
fn doubts(file: &CellFile, asked: &Rows, groups: &[String]) -> Result<Vec<Diagnostic>, Diagnostic> {
    let Some(by) = &asked.by else {
        return Ok(Vec::new());
    };
    let column = file.column(&by.text)?;
    let is_numbers = matches!(column, Some(Column::Numbers(_)));
    if !is_numbers || groups.len() < MANY_GROUPS || 2 * groups.len() < file.cells() {
        return Ok(Vec::new());
    }
    let message = format!(
        "`{}` has {} different numbers in {} rows",
        by.text,
        groups.len(),
        file.cells()
    );
    Ok(vec![
        Diagnostic::new(Code::Doubtful, message)
            .at(by.span, "each of them is a group here")
            .help("`by` takes a column of labels, such as cell types or clusters"),
    ])
}

/// What the columns are called: of a model whose only state is a vector its labels, of others the
/// names of all numbers of the state vector.
fn columns(compiled: &Compiled) -> (String, Vec<String>) {
    let names = compiled.state_names();
    if let ([state], [block]) = (
        compiled.model.states.as_slice(),
        compiled.system.states.blocks(),
    ) && matches!(block.shape, Shape::Vector(_))
    {
        let inside = |name: &String| {
            let rest = name.strip_prefix(&state.name)?;
            let rest = rest.strip_prefix('[')?.strip_suffix(']')?;
            Some(rest.to_owned())
        };
        let labels: Option<Vec<String>> = names.iter().map(inside).collect();
        if let Some(labels) = labels {
            return (state.name.clone(), labels);
        }
    }
    (String::new(), names)
}
