//! Results in the places that a file of cells has for them.
//!
//! Enters: what was found, and the file. Leaves: numbers in the order of its cells and genes; genes
//! that the model has not are not numbers, or have no entries. Must not know how files are written.

use super::super::cells::CellFile;
use super::super::command::Save;
use super::super::matrices::Labelled;
use super::super::velocity::{self, LAYER};
use super::super::{RowsAnswer, VelocityAnswer};
use super::changed;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::table::cells::{Compressed, Numbers};
use crate::table::h5ad::{Added, Cellwise, Frame, H5adError, Layer, Rows, Series};

/// A result under its name.
pub(super) struct Placed<'a> {
    name: String,
    what: What<'a>,
}

enum What<'a> {
    Layer(Velocities<'a>),
    Numbers(Frame, Vec<f64>),
    Truth(Frame, Vec<bool>),
    Columns(Vec<(String, Vec<f64>)>),
    Pairs(Vec<f64>),
    SparsePairs(Compressed),
}

/// Velocities of the genes of an answer, and where they stand among those of the file.
struct Velocities<'a> {
    answer: &'a VelocityAnswer,
    places: Vec<usize>,
    genes: usize,
    interrupted: &'a dyn Fn() -> bool,
}

impl Velocities<'_> {
    fn is_single(&self) -> bool {
        self.answer.spliced.is_single() && self.answer.unspliced.is_single()
    }
}

impl Cellwise for Velocities<'_> {
    fn begin(&self) -> Rows<'_> {
        let mut velocities = self.answer.counts().velocities(&self.answer.genes).ok();
        Box::new(move |cells| {
            if (self.interrupted)() {
                return Err(H5adError::Interrupted);
            }
            let rows = velocities.as_mut().map(|velocities| {
                let places = (self.places.as_slice(), self.genes);
                velocity::next_rows(velocities, places, (cells, self.is_single()))
            });
            Ok(rows.unwrap_or(Numbers::Double(Vec::new())))
        })
    }
}

impl Placed<'_> {
    /// What is added to the file, and under which name.
    pub fn added(&self) -> (&str, Added<'_>) {
        let added = match &self.what {
            What::Layer(velocities) => Added::Layer(Layer {
                is_single: velocities.is_single(),
                rows: velocities,
            }),
            What::Numbers(frame, column) => Added::Column(*frame, Series::Numbers(column)),
            What::Truth(frame, column) => Added::Column(*frame, Series::Truth(column)),
            What::Columns(columns) => Added::Columns(columns),
            What::Pairs(numbers) => Added::Pairs(numbers),
            What::SparsePairs(lines) => Added::SparsePairs(lines),
        };
        (&self.name, added)
    }

    /// Where it is found, as Python writes it.
    pub fn written(&self) -> String {
        let (name, added) = self.added();
        format!("{}[\"{name}\"]", added.group())
    }
}

/// Velocities: cells by genes.
pub(super) fn of_velocity<'a>(
    answer: &'a VelocityAnswer,
    file: &CellFile,
    save: &Save,
    interrupted: &'a dyn Fn() -> bool,
) -> Result<Placed<'a>, Diagnostic> {
    let (places, genes) = places_of_lines(answer, file, save)?;
    Ok(Placed {
        name: LAYER.to_owned(),
        what: What::Layer(Velocities {
            answer,
            places,
            genes,
            interrupted,
        }),
    })
}

/// Lines: columns about genes.
pub(super) fn of_lines(
    answer: &VelocityAnswer,
    file: &CellFile,
    save: &Save,
) -> Result<Vec<Placed<'static>>, Diagnostic> {
    let (places, genes) = places_of_lines(answer, file, save)?;
    let columns = velocity::columns_of_lines(answer).into_iter();
    let mut placed: Vec<Placed<'static>> = columns
        .map(|(name, numbers)| Placed {
            name: name.to_owned(),
            what: What::Numbers(Frame::Var, spread(&numbers, &places, genes)),
        })
        .collect();
    let mut trusted = vec![false; genes];
    for (place, own) in places.iter().zip(&answer.trusted) {
        trusted[*place] = *own;
    }
    placed.push(Placed {
        name: velocity::TRUSTED.to_owned(),
        what: What::Truth(Frame::Var, trusted),
    });
    Ok(placed)
}

/// What was found at each cell.
pub(super) fn of_rows(
    answer: &RowsAnswer,
    file: &CellFile,
    save: &Save,
) -> Result<Vec<Placed<'static>>, Diagnostic> {
    let names = match file.anndata() {
        Some(anndata) => anndata.index(Frame::Obs),
        None => Ok(Vec::new()),
    };
    if names.map_err(|error| file.problem(&error))? != answer.data.names {
        let what = "its cells were looked at";
        return Err(changed(answer.data.file.span, save, what));
    }
    let columns = answer.labelled_columns().into_iter();
    Ok(columns
        .map(|(name, numbers)| Placed {
            name,
            what: What::Numbers(Frame::Obs, numbers),
        })
        .collect())
}

/// A vector over genes, a matrix of genes by genes, or of genes by something else.
pub(super) fn of_array(
    array: &Labelled,
    file: &CellFile,
    span: Span,
) -> Result<Placed<'static>, Diagnostic> {
    let genes = file.anndata().map_or(0, |anndata| anndata.genes());
    let places = file.gene_places(&array.rows).map_err(|problem| {
        let set = &array.set;
        let what = format!("the rows of `{}` are those of `{set}`", array.name);
        problem.at(span, what)
    })?;
    let rows = array.rows.len();
    let column = |numbers: &[f64]| spread(numbers, &places, genes);
    let what = match &array.columns {
        None => What::Numbers(Frame::Var, column(&array.numbers)),
        Some(_) if array.is_square && rows == genes => What::Pairs(dense(array, &places)),
        Some(_) if array.is_square => What::SparsePairs(sparse(array, &places, genes)),
        Some(labels) => {
            let columns = array.numbers.chunks_exact(rows.max(1)).map(column);
            What::Columns(labels.iter().cloned().zip(columns).collect())
        }
    };
    if array.name.contains('/') || array.name.is_empty() {
        let message = format!("`{}` is no name in a file of cells", array.name);
        return Err(Diagnostic::new(Code::CannotWrite, message).at(span, ""));
    }
    Ok(Placed {
        name: array.name.clone(),
        what,
    })
}

fn places_of_lines(
    answer: &VelocityAnswer,
    file: &CellFile,
    save: &Save,
) -> Result<(Vec<usize>, usize), Diagnostic> {
    let source = answer.data.path.span;
    let changed = || changed(source, save, "the lines were fitted");
    let places = file.gene_places(&answer.labels).map_err(|_| changed())?;
    if file.cells() != answer.cells() {
        return Err(changed());
    }
    let genes = file.anndata().map_or(0, |anndata| anndata.genes());
    Ok((places, genes))
}

/// Numbers in their places; the others are missing.
fn spread(numbers: &[f64], places: &[usize], all: usize) -> Vec<f64> {
    let mut column = vec![f64::NAN; all];
    for (place, number) in places.iter().zip(numbers) {
        column[*place] = *number;
    }
    column
}

/// A square matrix, column by column, as rows in the order of the file.
fn dense(array: &Labelled, places: &[usize]) -> Vec<f64> {
    let n = places.len();
    let mut numbers = vec![0.0; n * n];
    for (from, column) in array.numbers.chunks_exact(n.max(1)).enumerate() {
        for (to, number) in column.iter().enumerate() {
            numbers[places[to] * n + places[from]] = *number;
        }
    }
    numbers
}

/// The entries of a square matrix of fewer genes than the file has.
fn sparse(array: &Labelled, places: &[usize], genes: usize) -> Compressed {
    let n = places.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|at| places[*at]);
    let mut row_of = vec![None; genes];
    for (at, place) in places.iter().enumerate() {
        row_of[*place] = Some(at);
    }
    let mut starts = vec![0];
    let (mut columns, mut numbers) = (Vec::new(), Vec::new());
    for row in row_of {
        let own = row.map(|row| order.iter().map(move |from| (*from, row)));
        for (from, to) in own.into_iter().flatten() {
            let number = array.numbers.get(from * n + to).copied().unwrap_or(0.0);
            if number != 0.0 {
                columns.push(u32::try_from(places[from]).unwrap_or(u32::MAX));
                numbers.push(number);
            }
        }
        starts.push(numbers.len());
    }
    Compressed {
        starts,
        places: columns,
        numbers: Numbers::Double(numbers),
    }
}
