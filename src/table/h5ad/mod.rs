//! AnnData files (`.h5ad`): matrices of cells by genes with tables about both (I. Virshup et al.,
//! J. Open Source Softw. 9, 4371, 2024).
//!
//! ```text
//! store.rs   the bridge to HDF5: groups, arrays, attributes
//! frame.rs   the tables obs and var in the three ways in which they were stored
//! matrix.rs  X, layers, maps: dense or sparse, whole or a run of lines at a time
//! memo.rs    what has been read, for a file that is looked into over and over
//! write.rs   layers, columns and matrices that are added to a file
//! superblock.rs  what lets a file be changed in parts
//! error.rs   what can be wrong
//! ```
//!
//! Enters: a file. Leaves: [`Cells`] and columns. Must not know models.

mod error;
mod frame;
mod matrix;
mod memo;
mod store;
mod superblock;
#[cfg(test)]
mod tests;
mod write;

use super::cells::{Axis, Cells};
pub use error::H5adError;
pub use matrix::Matrix;
use memo::Memo;
use std::ops::Range;
use std::path::Path;
use store::{Kind, Store};
pub use write::{Added, Cellwise, Layer, Rows, Series, Taken, add};

/// An open file.
pub struct H5ad {
    store: Store,
    cells: usize,
    genes: usize,
    memo: Option<Memo>,
}

/// A table of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frame {
    /// About cells.
    Obs,
    /// About genes.
    Var,
}

/// Where a matrix stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// The matrix itself, cells by genes.
    X,
    /// A matrix of the same size.
    Layer(&'a str),
    /// Coordinates of cells.
    Obsm(&'a str),
    /// Coordinates of genes.
    Varm(&'a str),
    /// Cells by cells.
    Obsp(&'a str),
    /// Genes by genes.
    Varp(&'a str),
}

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; missing ones are NaN.
    Numbers(Vec<f64>),
    /// Truth values.
    Truth(Vec<Option<bool>>),
    /// Text.
    Text(Vec<Option<String>>),
    /// Which of a few categories.
    Categories {
        /// Their names.
        categories: Vec<String>,
        /// Places among them.
        codes: Vec<Option<u32>>,
    },
}

impl Frame {
    fn path(self) -> &'static str {
        match self {
            Frame::Obs => "obs",
            Frame::Var => "var",
        }
    }
}

impl Place<'_> {
    /// As it stands in the file.
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Place::X => "X".to_owned(),
            Place::Layer(name) => format!("layers/{name}"),
            Place::Obsm(name) => format!("obsm/{name}"),
            Place::Varm(name) => format!("varm/{name}"),
            Place::Obsp(name) => format!("obsp/{name}"),
            Place::Varp(name) => format!("varp/{name}"),
        }
    }

    /// Rows and columns, where the tables say them.
    fn size(self, file: &H5ad) -> (Option<usize>, Option<usize>) {
        let (cells, genes) = (Some(file.cells), Some(file.genes));
        match self {
            Place::X | Place::Layer(_) => (cells, genes),
            Place::Obsm(_) => (cells, None),
            Place::Varm(_) => (genes, None),
            Place::Obsp(_) => (cells, cells),
            Place::Varp(_) => (genes, genes),
        }
    }
}

impl Column {
    /// How many cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Column::Numbers(cells) => cells.len(),
            Column::Truth(cells) => cells.len(),
            Column::Text(cells) => cells.len(),
            Column::Categories { codes, .. } => codes.len(),
        }
    }

    /// True without cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A cell as text; `None` where it is missing, and outside.
    #[must_use]
    pub fn text(&self, at: usize) -> Option<String> {
        match self {
            Column::Numbers(cells) => {
                let number = cells.get(at).filter(|number| !number.is_nan());
                number.map(f64::to_string)
            }
            Column::Truth(cells) => cells
                .get(at)
                .copied()
                .flatten()
                .map(|cell| cell.to_string()),
            Column::Text(cells) => cells.get(at).cloned().flatten(),
            Column::Categories { categories, codes } => {
                let code = codes.get(at).copied().flatten()?;
                categories.get(code as usize).cloned()
            }
        }
    }
}

impl H5ad {
    /// Opens a file; what is asked for is read later.
    ///
    /// # Errors
    /// [`H5adError`]; [`H5adError::NotAnnData`] for other HDF5 files.
    pub fn open(path: &Path) -> Result<H5ad, H5adError> {
        H5ad::of(Store::open(path)?)
    }

    /// The same for a file that is in memory.
    ///
    /// # Errors
    /// As [`H5ad::open`].
    pub fn of_bytes(bytes: Vec<u8>) -> Result<H5ad, H5adError> {
        H5ad::of(Store::of_bytes(bytes)?)
    }

    fn of(store: Store) -> Result<H5ad, H5adError> {
        let cells = frame::rows(&store, Frame::Obs)?;
        let genes = frame::rows(&store, Frame::Var)?;
        Ok(H5ad {
            store,
            cells,
            genes,
            memo: None,
        })
    }

    /// The same file; what is read of it from now on is kept and not read again.
    #[must_use]
    pub fn remembering(self) -> H5ad {
        H5ad {
            memo: Some(Memo::default()),
            ..self
        }
    }

    /// The number of cells, rows of X.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The number of genes, columns of X.
    #[must_use]
    pub fn genes(&self) -> usize {
        self.genes
    }

    /// The names of layers, in alphabetical order.
    ///
    /// # Errors
    /// [`H5adError`].
    pub fn layers(&self) -> Result<Vec<String>, H5adError> {
        self.store.names("layers")
    }

    /// The names of rows of a table.
    ///
    /// # Errors
    /// [`H5adError`].
    pub fn index(&self, frame: Frame) -> Result<Vec<String>, H5adError> {
        let read = || frame::index(&self.store, frame);
        match &self.memo {
            Some(memo) => memo.index(frame, read),
            None => read(),
        }
    }

    /// The names of columns of a table.
    ///
    /// # Errors
    /// [`H5adError`].
    pub fn columns(&self, frame: Frame) -> Result<Vec<String>, H5adError> {
        frame::names(&self.store, frame)
    }

    /// A column of a table.
    ///
    /// # Errors
    /// [`H5adError::NoColumn`] with the names that exist, and others.
    pub fn column(&self, frame: Frame, name: &str) -> Result<Column, H5adError> {
        let read = || frame::column(&self.store, frame, name);
        match &self.memo {
            Some(memo) => memo.column(frame, name, read),
            None => read(),
        }
    }

    /// A column of a table as numbers; truth values are 0 and 1.
    ///
    /// # Errors
    /// [`H5adError::Text`] for text and categories, and as [`H5ad::column`].
    pub fn numbers(&self, frame: Frame, name: &str) -> Result<Vec<f64>, H5adError> {
        match self.column(frame, name)? {
            Column::Numbers(numbers) => Ok(numbers),
            Column::Truth(cells) => {
                let number =
                    |cell: Option<bool>| cell.map_or(f64::NAN, |cell| f64::from(u8::from(cell)));
                Ok(cells.into_iter().map(number).collect())
            }
            Column::Text(_) | Column::Categories { .. } => Err(H5adError::Text {
                path: format!("{}/{name}", frame.path()),
            }),
        }
    }

    /// The size and layout of a matrix, whose numbers are not read.
    ///
    /// # Errors
    /// [`H5adError::NoMatrix`] with the names that exist, [`H5adError::Shape`], and others.
    pub fn matrix(&self, place: Place<'_>) -> Result<Matrix, H5adError> {
        let read = || matrix::describe(self, place);
        match &self.memo {
            Some(memo) => memo.matrix(place.path(), read),
            None => read(),
        }
    }

    /// All of a matrix, in the layout and precision in which it is stored: whole numbers of up to
    /// 16 bits become 32-bit floating point numbers, longer ones 64-bit ones.
    ///
    /// # Errors
    /// [`H5adError`].
    pub fn read(
        &self,
        matrix: &Matrix,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Cells, H5adError> {
        let axis = matrix.stored_along();
        let read = || self.lines(matrix, axis, 0..usize::MAX, interrupted);
        match &self.memo {
            Some(memo) => memo.cells(matrix, read),
            None => read(),
        }
    }

    /// A run of rows or columns of a matrix, as far as there are such. Along the axis in which the
    /// matrix is stored only these are read; across it all of the matrix passes by, but only these
    /// stay in memory.
    ///
    /// # Errors
    /// [`H5adError`].
    pub fn lines(
        &self,
        matrix: &Matrix,
        axis: Axis,
        range: Range<usize>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Cells, H5adError> {
        matrix::read(&self.store, matrix, axis, range, interrupted)
    }

    /// True when the file has a matrix there.
    ///
    /// # Errors
    /// [`H5adError`].
    pub fn has(&self, place: Place<'_>) -> Result<bool, H5adError> {
        Ok(self.store.kind(&place.path())?.is_some())
    }

    fn is_group(&self, path: &str) -> Result<bool, H5adError> {
        Ok(self.store.kind(path)? == Some(Kind::Group))
    }
}
