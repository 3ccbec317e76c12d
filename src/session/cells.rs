//! Tables of cells by genes: AnnData files, and tables with a column for each gene.
//!
//! Enters: a file as a statement names it. Leaves: names of genes, matrices with their columns in
//! the order of an index set, columns about the cells; or problems that point at the statement. Must
//! not know what the numbers mean.

use super::tables::Tables;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, first_quoted, listed};
use crate::source::Span;
use crate::syntax::tree;
use crate::table::cells::{Cells, Numbers, Values};
use crate::table::h5ad::{self, Frame, H5ad, H5adError, Place};
use crate::table::{self, Table};
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::Arc;

/// Names in a list of what is missing.
const NAMED: usize = 5;

/// An open file of cells.
pub(super) struct CellFile {
    contents: Contents,
    /// Its path, for messages.
    name: String,
    /// Where the statement names it.
    span: Span,
}

enum Contents {
    AnnData(Arc<H5ad>),
    Table(Arc<Table>),
}

/// True for paths that name AnnData files.
pub(super) fn is_anndata(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("h5ad"))
}

impl CellFile {
    /// Opens the file that a text names: AnnData where its name ends so, else a table.
    ///
    /// # Errors
    /// A file that cannot be read or is of another kind.
    pub fn open(tables: &Tables<'_>, file: &tree::Text) -> Result<CellFile, Diagnostic> {
        let name = tables.path(file).display().to_string();
        let contents = if is_anndata(&file.text) {
            let opened = tables.anndata(file)?;
            Contents::AnnData(opened.map_err(|error| problem(&error, &name, file.span))?)
        } else {
            Contents::Table(tables.read(file)?)
        };
        Ok(CellFile {
            contents,
            name,
            span: file.span,
        })
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        match &self.contents {
            Contents::AnnData(file) => file.cells(),
            Contents::Table(table) => table.rows(),
        }
    }

    /// What a cell is called in messages: by its name, or its row in a table.
    pub fn cell_name(&self, cell: usize) -> String {
        match &self.contents {
            Contents::AnnData(file) => {
                let names = file.index(Frame::Obs).unwrap_or_default();
                match names.get(cell) {
                    Some(name) => format!("the cell {name}"),
                    None => format!("cell {}", cell + 1),
                }
            }
            Contents::Table(table) => format!("row {} (line {})", cell + 1, table.line(cell)),
        }
    }

    /// The AnnData file, where it is one.
    pub fn anndata(&self) -> Option<&H5ad> {
        match &self.contents {
            Contents::AnnData(file) => Some(file),
            Contents::Table(_) => None,
        }
    }

    /// The table, where it is one.
    pub fn table(&self) -> Option<&Table> {
        match &self.contents {
            Contents::AnnData(_) => None,
            Contents::Table(table) => Some(table),
        }
    }

    /// A problem with an AnnData file.
    pub fn problem(&self, error: &H5adError) -> Diagnostic {
        problem(error, &self.name, self.span)
    }

    /// A problem with a part of an AnnData file that is named elsewhere.
    pub fn problem_at(&self, error: &H5adError, span: Span) -> Diagnostic {
        problem(error, &self.name, span)
    }

    /// A matrix of cells by the labels of an index set, in their order. Of an AnnData file `X`, or
    /// a layer; of a table its columns `label`, or `vector[label]`.
    ///
    /// # Errors
    /// A layer that is not there, genes that the file lacks, text among the numbers.
    pub fn matrix(
        &self,
        layer: Option<&tree::Text>,
        vector: &str,
        labels: &[String],
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Cells, Diagnostic> {
        match &self.contents {
            Contents::AnnData(file) => {
                let span = layer.map_or(self.span, |layer| layer.span);
                let wrong = |error: H5adError| problem(&error, &self.name, span);
                let genes = file.index(Frame::Var).map_err(wrong)?;
                let places = self.places(&genes, labels, |label| label.to_owned())?;
                let place = layer.map_or(Place::X, |layer| Place::Layer(&layer.text));
                let matrix = file.matrix(place).map_err(wrong)?;
                let whole = file.read(&matrix, interrupted).map_err(wrong)?;
                let in_order = places.len() == whole.columns()
                    && places.iter().enumerate().all(|(at, place)| at == *place);
                Ok(if in_order {
                    whole
                } else {
                    whole.select(&places)
                })
            }
            Contents::Table(table) => {
                if let Some(layer) = layer {
                    let message = "a table of text has no layers";
                    return Err(Diagnostic::new(Code::BadOption, message)
                        .at(layer.span, "")
                        .help("layers are matrices of an .h5ad file; leave `layer` out"));
                }
                let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
                let long = |label: &str| format!("{vector}[{label}]");
                let has_long = names.iter().any(|name| {
                    name.strip_prefix(vector)
                        .is_some_and(|rest| rest.starts_with('['))
                });
                let places = self.places(&names, labels, |label| {
                    if has_long {
                        long(label)
                    } else {
                        label.to_owned()
                    }
                })?;
                let mut numbers = vec![0.0; table.rows() * labels.len()];
                for (at, place) in places.iter().enumerate() {
                    let column = table
                        .complete_numbers(&names[*place])
                        .map_err(|error| error.diagnostic(&self.name).at(self.span, ""))?;
                    for (row, number) in column.iter().enumerate() {
                        numbers[row * labels.len() + at] = *number;
                    }
                }
                let values = Values::Dense(Numbers::Double(numbers));
                Cells::new(table.rows(), labels.len(), values).map_err(|_| {
                    let message = format!("{}: the table is not a matrix", self.name);
                    Diagnostic::new(Code::RaggedRow, message).at(self.span, "")
                })
            }
        }
    }

    /// Refuses what [`CellFile::matrix`] would refuse, numbers of an AnnData file apart: they are not
    /// read.
    ///
    /// # Errors
    /// A layer that is not there, genes that the file lacks.
    pub fn check(
        &self,
        layer: Option<&tree::Text>,
        vector: &str,
        labels: &[String],
    ) -> Result<(), Diagnostic> {
        let Contents::AnnData(file) = &self.contents else {
            return self.matrix(layer, vector, labels, &|| false).map(|_| ());
        };
        self.gene_places(labels)?;
        let span = layer.map_or(self.span, |layer| layer.span);
        let place = layer.map_or(Place::X, |layer| Place::Layer(&layer.text));
        let described = file.matrix(place).map(|_| ());
        described.map_err(|error| self.problem_at(&error, span))
    }

    /// Two coordinates of every cell: the first columns of a matrix of `obsm`.
    ///
    /// # Errors
    /// A table of text; a matrix that is not there or has a single column.
    pub fn embedding(
        &self,
        name: &tree::Text,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Cells, Diagnostic> {
        let Contents::AnnData(file) = &self.contents else {
            let message = "a table of text has no embeddings";
            return Err(Diagnostic::new(Code::BadOption, message)
                .at(name.span, "")
                .help("name two of its columns, as in `on \"UMAP1\", \"UMAP2\"`"));
        };
        let wrong = |error: H5adError| problem(&error, &self.name, name.span);
        let matrix = file.matrix(Place::Obsm(&name.text)).map_err(wrong)?;
        let cells = file.read(&matrix, interrupted).map_err(wrong)?;
        if cells.columns() < 2 {
            let message = format!("{}: obsm/{} has a single column", self.name, name.text);
            return Err(Diagnostic::new(Code::BadAnnData, message).at(name.span, ""));
        }
        Ok(cells)
    }

    /// Two columns about the cells, as numbers.
    ///
    /// # Errors
    /// Columns that are not there, or hold text.
    pub fn pair(&self, x: &tree::Text, y: &tree::Text) -> Result<(Vec<f64>, Vec<f64>), Diagnostic> {
        let one = |name: &tree::Text| match self.column(&name.text)? {
            Some(h5ad::Column::Numbers(numbers)) => Ok(numbers),
            Some(_) => {
                let message = format!("{}: the column `{}` holds no numbers", self.name, name.text);
                Err(Diagnostic::new(Code::BadOption, message).at(name.span, ""))
            }
            None => {
                let known = self.column_names();
                let near = did_you_mean(&name.text, known.iter().map(String::as_str));
                let message = format!("{} has no column `{}`", self.name, name.text);
                let problem = Diagnostic::new(Code::NoColumn, message).at(name.span, "");
                Err(match near {
                    Some(near) => problem.help(near),
                    None => problem,
                })
            }
        };
        Ok((one(x)?, one(y)?))
    }

    /// Where the labels of an index set stand among the genes of an AnnData file; of a table nothing.
    ///
    /// # Errors
    /// Genes that the file lacks.
    pub fn gene_places(&self, labels: &[String]) -> Result<Vec<usize>, Diagnostic> {
        let Contents::AnnData(file) = &self.contents else {
            return Ok(Vec::new());
        };
        let genes = file
            .index(Frame::Var)
            .map_err(|error| self.problem(&error))?;
        self.places(&genes, labels, |label| label.to_owned())
    }

    /// Where labels stand among the names of a file.
    fn places(
        &self,
        names: &[String],
        labels: &[String],
        written: impl Fn(&str) -> String,
    ) -> Result<Vec<usize>, Diagnostic> {
        let known: FxHashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect();
        // Names of genes are not always unique; the file does not say which of them is meant.
        if known.len() < names.len() {
            let wanted = labels.iter().map(|label| written(label));
            let mut twice = wanted.filter(|name| {
                let mut same = names.iter().filter(|known| *known == name);
                same.next().is_some() && same.next().is_some()
            });
            if let Some(name) = twice.next() {
                let message = format!("{} has several columns `{name}`", self.name);
                return Err(Diagnostic::new(Code::DuplicateColumn, message)
                    .at(self.span, "")
                    .help("make names unique, as by `adata.var_names_make_unique()`"));
            }
        }
        let mut places = Vec::with_capacity(labels.len());
        let mut missing = Vec::new();
        for label in labels {
            match known.get(written(label).as_str()) {
                Some(place) => places.push(*place),
                None => missing.push(written(label)),
            }
        }
        let Some(first) = missing.first() else {
            return Ok(places);
        };
        let message = format!("{} has no {}", self.name, first_quoted(&missing, NAMED));
        let near = did_you_mean(first, names.iter().map(String::as_str));
        Err(Diagnostic::new(Code::NoData, message)
            .at(
                self.span,
                format!("missing: {} of {}", missing.len(), labels.len()),
            )
            .help(near.unwrap_or_else(|| {
                let has: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
                format!("it has {} names, as {}", names.len(), listed(&has))
            })))
    }

    /// The names of columns about the cells.
    pub fn column_names(&self) -> Vec<String> {
        match &self.contents {
            Contents::AnnData(file) => file.columns(Frame::Obs).unwrap_or_default(),
            Contents::Table(table) => table.columns.iter().map(|c| c.name.clone()).collect(),
        }
    }

    /// A column about the cells; none when there is none of the name.
    ///
    /// # Errors
    /// A column that cannot be read.
    pub fn column(&self, name: &str) -> Result<Option<h5ad::Column>, Diagnostic> {
        match &self.contents {
            Contents::AnnData(file) => match file.column(Frame::Obs, name) {
                Ok(column) => Ok(Some(column)),
                Err(H5adError::NoColumn { .. }) => Ok(None),
                Err(error) => Err(self.problem(&error)),
            },
            Contents::Table(table) => Ok(table.column(name).map(|column| match &column.values {
                table::Values::Numbers(numbers) => h5ad::Column::Numbers(numbers.clone()),
                table::Values::Text(_) => {
                    let cells = table.labels(column).into_iter();
                    h5ad::Column::Text(
                        cells
                            .map(|cell| (!cell.is_empty()).then_some(cell))
                            .collect(),
                    )
                }
            })),
        }
    }

    /// The group of every cell by a column: names of groups in the order of the categories, or of
    /// first appearance, and each cell's place among them; none for a missing one.
    ///
    /// # Errors
    /// A column that is not there, with those that are.
    pub fn groups(
        &self,
        column: &tree::Name,
    ) -> Result<(Vec<String>, Vec<Option<usize>>), Diagnostic> {
        let Some(found) = self.column(&column.text)? else {
            let known = self.column_names();
            let near = did_you_mean(&column.text, known.iter().map(String::as_str));
            let message = format!("{} has no column `{}`", self.name, column.text);
            return Err(Diagnostic::new(Code::NoColumn, message)
                .at(column.span, "")
                .help(near.unwrap_or_else(|| {
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    match known.as_slice() {
                        [] => "it has no columns about its cells".to_owned(),
                        _ => format!("it has {}", listed(&known)),
                    }
                })));
        };
        Ok(grouped(&found))
    }
}

/// Groups of a column: their names and the place of each cell among them.
fn grouped(column: &h5ad::Column) -> (Vec<String>, Vec<Option<usize>>) {
    if let h5ad::Column::Categories { categories, codes } = column {
        let places = codes.iter().map(|code| code.map(|code| code as usize));
        return (categories.clone(), places.collect());
    }
    let mut names: Vec<String> = Vec::new();
    let mut known: FxHashMap<String, usize> = FxHashMap::default();
    let places = (0..column.len())
        .map(|at| {
            let text = column.text(at)?;
            let place = *known.entry(text).or_insert_with_key(|text| {
                names.push(text.clone());
                names.len() - 1
            });
            Some(place)
        })
        .collect();
    (names, places)
}

fn problem(error: &H5adError, name: &str, span: Span) -> Diagnostic {
    let message = format!("{name}: {error}");
    match error {
        H5adError::Unreadable { .. } => Diagnostic::new(Code::CannotRead, message).at(span, ""),
        H5adError::NoMatrix { known, .. } | H5adError::NoColumn { known, .. } => {
            let diagnostic = Diagnostic::new(Code::NoColumn, message).at(span, "");
            match known.as_slice() {
                [] => diagnostic.help("there are none of this kind in the file"),
                _ => diagnostic,
            }
        }
        H5adError::Interrupted => Diagnostic::new(Code::Interrupted, message).at(span, ""),
        H5adError::Truncated => Diagnostic::new(Code::BadAnnData, message)
            .at(span, "")
            .help("copy or write it once more; nothing of it was used"),
        _ => Diagnostic::new(Code::BadAnnData, message).at(span, ""),
    }
}
