//! Matrices of an AnnData file: X, layers and the maps between cells, genes and coordinates.
//!
//! Enters: where a matrix stands. Leaves: its size and layout, then any rows or columns of it as
//! [`Cells`], read window by window. Must not know what the matrix measures.

use super::error::H5adError;
use super::store::{Element, Kind, Store, damaged, unsupported};
use super::{H5ad, Place};
use crate::table::cells::{Axis, Cells, Compressed, Misshapen, Numbers, Values};
use std::ops::Range;

/// Numbers that are read at a time, about.
const WINDOW: usize = 1 << 20;

/// A matrix whose numbers have not been read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    path: String,
    rows: usize,
    columns: usize,
    layout: Layout,
}

#[derive(Debug, Clone, PartialEq)]
enum Layout {
    Dense,
    /// Where each row, or column, begins.
    Sparse(Axis, Vec<usize>),
}

impl Matrix {
    /// Where it stands in the file.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many numbers are stored.
    #[must_use]
    pub fn stored(&self) -> usize {
        match &self.layout {
            Layout::Dense => self.rows.saturating_mul(self.columns),
            Layout::Sparse(_, starts) => starts.last().copied().unwrap_or(0),
        }
    }

    /// The lines of which a run is read without reading others: rows, or for a matrix that is
    /// compressed by column columns.
    #[must_use]
    pub fn stored_along(&self) -> Axis {
        match self.layout {
            Layout::Dense => Axis::Rows,
            Layout::Sparse(axis, _) => axis,
        }
    }
}

pub(super) fn describe(file: &H5ad, place: Place<'_>) -> Result<Matrix, H5adError> {
    let path = place.path();
    let store = &file.store;
    let matrix = match store.kind(&path)? {
        None => {
            let (group, _) = path.rsplit_once('/').unwrap_or(("", &path));
            let known = store.names(group)?;
            return Err(H5adError::NoMatrix { path, known });
        }
        Some(Kind::Array) => dense(store, path)?,
        Some(Kind::Group) => sparse(store, path)?,
    };
    let (rows, columns) = place.size(file);
    let expected = (
        rows.unwrap_or(matrix.rows),
        columns.unwrap_or(matrix.columns),
    );
    let found = (matrix.rows, matrix.columns);
    if found != expected {
        let path = matrix.path;
        return Err(H5adError::Shape {
            path,
            found,
            expected,
        });
    }
    Ok(matrix)
}

fn dense(store: &Store, path: String) -> Result<Matrix, H5adError> {
    match store.element(&path)? {
        Element::Text => return Err(H5adError::Text { path }),
        Element::Records(_) => return Err(unsupported(&path, "records")),
        Element::Other(what) => return Err(unsupported(&path, &what)),
        Element::Single | Element::Double | Element::Truth => {}
    }
    let (rows, columns) = match store.shape(&path)?.as_slice() {
        [rows] => (*rows, 1),
        [rows, columns] => (*rows, *columns),
        _ => return Err(unsupported(&path, "an array of more than two dimensions")),
    };
    let layout = Layout::Dense;
    Ok(Matrix {
        path,
        rows,
        columns,
        layout,
    })
}

fn sparse(store: &Store, path: String) -> Result<Matrix, H5adError> {
    // Since 0.7 by encoding-type and shape, before as the package h5sparse wrote them.
    let mut names = store.texts(&path, "encoding-type")?;
    names.extend(store.texts(&path, "h5sparse_format")?);
    let axis = match names.first().map(String::as_str) {
        Some("csr_matrix" | "csr") => Axis::Rows,
        Some("csc_matrix" | "csc") => Axis::Columns,
        Some(other) => return Err(unsupported(&path, other)),
        None => return Err(unsupported(&path, "a group without encoding")),
    };
    let mut sizes = store.sizes(&path, "shape")?;
    sizes.extend(store.sizes(&path, "h5sparse_shape")?);
    let [rows, columns] = *sizes.as_slice() else {
        return Err(damaged(&path, "a sparse matrix without its two sizes"));
    };
    let inside = format!("{path}/indptr");
    let count = store.shape(&inside)?.first().copied().unwrap_or(0);
    let starts = store.whole(&inside, 0, count)?.into_iter();
    let starts: Option<Vec<usize>> = starts.map(|start| usize::try_from(start).ok()).collect();
    let lines = match axis {
        Axis::Rows => rows,
        Axis::Columns => columns,
    };
    let known = store.shape(&format!("{path}/indices"))?.first().copied();
    let sound = |starts: &Vec<usize>| {
        starts.len() == lines + 1
            && starts.first() == Some(&0)
            && starts.last().copied() == known
            && starts.windows(2).all(|two| two[0] <= two[1])
    };
    let starts = starts
        .filter(sound)
        .ok_or_else(|| damaged(&inside, "the lines do not make up the entries"))?;
    let layout = Layout::Sparse(axis, starts);
    Ok(Matrix {
        path,
        rows,
        columns,
        layout,
    })
}

/// A run of rows or columns.
pub(super) fn read(
    store: &Store,
    matrix: &Matrix,
    axis: Axis,
    range: Range<usize>,
    interrupted: &dyn Fn() -> bool,
) -> Result<Cells, H5adError> {
    let most = match axis {
        Axis::Rows => matrix.rows,
        Axis::Columns => matrix.columns,
    };
    let end = range.end.min(most);
    let range = range.start.min(end)..end;
    let (rows, columns) = match axis {
        Axis::Rows => (range.len(), matrix.columns),
        Axis::Columns => (matrix.rows, range.len()),
    };
    let part = Part {
        store,
        matrix,
        range,
        interrupted,
    };
    let values = match (&matrix.layout, axis) {
        (Layout::Dense, Axis::Rows) => Values::Dense(part.rows()?),
        (Layout::Dense, Axis::Columns) => Values::Dense(part.columns()?),
        (Layout::Sparse(along, starts), _) => {
            let lines = if *along == axis {
                part.along(starts)?
            } else {
                part.across(starts)?
            };
            match along {
                Axis::Rows => Values::Csr(lines),
                Axis::Columns => Values::Csc(lines),
            }
        }
    };
    Cells::new(rows, columns, values).map_err(|error| misshapen(&matrix.path, error))
}

fn misshapen(path: &str, error: Misshapen) -> H5adError {
    let why = match error {
        Misshapen::Count { found, expected } => format!("{found} numbers instead of {expected}"),
        Misshapen::Starts => "its lines do not make up its entries".into(),
        Misshapen::Places { line } => format!("places outside of line {line}, or twice there"),
    };
    damaged(path, &why)
}

/// Which part of which matrix is read.
struct Part<'a> {
    store: &'a Store,
    matrix: &'a Matrix,
    range: Range<usize>,
    interrupted: &'a dyn Fn() -> bool,
}

impl Part<'_> {
    fn polled(&self) -> Result<(), H5adError> {
        if (self.interrupted)() {
            return Err(H5adError::Interrupted);
        }
        Ok(())
    }

    /// Numbers of a run of rows of an array that has rows of `width` numbers.
    fn numbers(&self, path: &str, range: Range<usize>, width: usize) -> Result<Numbers, H5adError> {
        let step = (WINDOW / width.max(1)).max(1);
        let mut all: Option<Numbers> = None;
        let mut first = range.start;
        while first < range.end || all.is_none() {
            self.polled()?;
            let count = step.min(range.end - first);
            let some = self.store.numbers(path, first, count)?;
            if some.len() != count * width {
                return Err(damaged(path, "fewer numbers than its shape says"));
            }
            all = Some(match all {
                None => some,
                Some(all) => joined(all, some),
            });
            first += step;
        }
        Ok(all.unwrap_or(Numbers::Double(Vec::new())))
    }

    fn rows(&self) -> Result<Numbers, H5adError> {
        self.numbers(&self.matrix.path, self.range.clone(), self.matrix.columns)
    }

    /// Columns of a dense matrix: all rows pass by.
    fn columns(&self) -> Result<Numbers, H5adError> {
        let (path, width) = (&self.matrix.path, self.matrix.columns);
        let step = (WINDOW / width.max(1)).max(1);
        let mut all: Option<Numbers> = None;
        let mut first = 0;
        while first < self.matrix.rows || all.is_none() {
            let end = (first + step).min(self.matrix.rows);
            let some = self.numbers(path, first..end, width)?;
            let some = match some {
                Numbers::Single(some) => Numbers::Single(self.cut(&some)),
                Numbers::Double(some) => Numbers::Double(self.cut(&some)),
            };
            all = Some(match all {
                None => some,
                Some(all) => joined(all, some),
            });
            first += step;
        }
        Ok(all.unwrap_or(Numbers::Double(Vec::new())))
    }

    fn cut<T: Copy>(&self, rows: &[T]) -> Vec<T> {
        let rows = rows.chunks_exact(self.matrix.columns.max(1));
        rows.flat_map(|row| row[self.range.clone()].iter().copied())
            .collect()
    }

    /// The entries of a run of stored lines.
    fn entries(&self, range: Range<usize>) -> Result<(Vec<u32>, Numbers), H5adError> {
        let path = &self.matrix.path;
        let indices = format!("{path}/indices");
        let numbers = self.numbers(&format!("{path}/data"), range.clone(), 1)?;
        let mut places = Vec::with_capacity(range.len());
        let mut first = range.start;
        while first < range.end {
            self.polled()?;
            let count = WINDOW.min(range.end - first);
            let some = self.store.whole(&indices, first, count)?;
            for place in some {
                let place = u32::try_from(place);
                places.push(place.map_err(|_| damaged(&indices, "a place that cannot be"))?);
            }
            first += WINDOW;
        }
        if places.len() != range.len() {
            return Err(damaged(&indices, "fewer places than its shape says"));
        }
        Ok((places, numbers))
    }

    fn along(&self, starts: &[usize]) -> Result<Compressed, H5adError> {
        let starts = &starts[self.range.start..=self.range.end];
        let first = starts.first().copied().unwrap_or(0);
        let last = starts.last().copied().unwrap_or(0);
        let (places, numbers) = self.entries(first..last)?;
        let starts = starts.iter().map(|start| start - first).collect();
        Ok(Compressed {
            starts,
            places,
            numbers,
        })
    }

    /// Lines across the stored ones: all of those pass by.
    fn across(&self, starts: &[usize]) -> Result<Compressed, H5adError> {
        let mut kept = vec![0];
        let mut places = Vec::new();
        let mut numbers: Option<Numbers> = None;
        let lines = starts.len().saturating_sub(1);
        let mut line = 0;
        while line < lines || numbers.is_none() {
            // As many lines as make up a window, but one at least.
            let full = |end: &usize| starts[*end] - starts[line] <= WINDOW;
            let end = (line + 1..=lines).take_while(full).last();
            let end = end.unwrap_or(line + 1).min(lines);
            let (some, values) = self.entries(starts[line]..starts[end])?;
            let mut chosen = Vec::new();
            for two in starts[line..=end].windows(2) {
                let entries = two[0] - starts[line]..two[1] - starts[line];
                for (at, &place) in entries.clone().zip(&some[entries]) {
                    if self.range.contains(&(place as usize)) {
                        places.push(place - self.range.start as u32);
                        chosen.push(at);
                    }
                }
                kept.push(places.len());
            }
            let values = match values {
                Numbers::Single(all) => Numbers::Single(chosen.iter().map(|&at| all[at]).collect()),
                Numbers::Double(all) => Numbers::Double(chosen.iter().map(|&at| all[at]).collect()),
            };
            numbers = Some(match numbers {
                None => values,
                Some(before) => joined(before, values),
            });
            line = end.max(line + 1);
        }
        Ok(Compressed {
            starts: kept,
            places,
            numbers: numbers.unwrap_or(Numbers::Double(Vec::new())),
        })
    }
}

fn joined(before: Numbers, after: Numbers) -> Numbers {
    match (before, after) {
        (Numbers::Single(mut before), Numbers::Single(after)) => {
            before.extend(after);
            Numbers::Single(before)
        }
        (Numbers::Double(mut before), Numbers::Double(after)) => {
            before.extend(after);
            Numbers::Double(before)
        }
        // All windows of an array have one type.
        (before, _) => before,
    }
}
