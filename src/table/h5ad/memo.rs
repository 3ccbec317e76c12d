//! What has been read of a file that is looked into over and over, as an editor does.
//!
//! Enters: names of parts, and how to read them. Leaves: parts, each read once. Must not know what
//! they are for.

use super::error::H5adError;
use super::{Column, Frame, Matrix};
use crate::table::cells::Cells;
use rustc_hash::FxHashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Numbers of matrices that are kept of one file, at most 256 MiB: larger ones are read again.
const MOST_NUMBERS: usize = 1 << 25;

/// Parts by name.
#[derive(Debug, Default)]
pub(super) struct Memo {
    indices: Mutex<FxHashMap<Frame, Vec<String>>>,
    columns: Mutex<FxHashMap<(Frame, String), Column>>,
    matrices: Mutex<FxHashMap<String, Matrix>>,
    /// Each with how many numbers it has.
    cells: Mutex<FxHashMap<String, (usize, Cells)>>,
}

impl Memo {
    pub fn index(
        &self,
        frame: Frame,
        read: impl FnOnce() -> Result<Vec<String>, H5adError>,
    ) -> Result<Vec<String>, H5adError> {
        once(&self.indices, frame, read)
    }

    pub fn column(
        &self,
        frame: Frame,
        name: &str,
        read: impl FnOnce() -> Result<Column, H5adError>,
    ) -> Result<Column, H5adError> {
        once(&self.columns, (frame, name.to_owned()), read)
    }

    pub fn matrix(
        &self,
        path: String,
        read: impl FnOnce() -> Result<Matrix, H5adError>,
    ) -> Result<Matrix, H5adError> {
        once(&self.matrices, path, read)
    }

    /// All numbers of a matrix.
    pub fn cells(
        &self,
        matrix: &Matrix,
        read: impl FnOnce() -> Result<Cells, H5adError>,
    ) -> Result<Cells, H5adError> {
        let mut known = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = known.get(matrix.path()) {
            return Ok(known.clone());
        }
        let cells = read()?;
        let kept: usize = known.values().map(|(numbers, _)| numbers).sum();
        if kept.saturating_add(matrix.stored()) <= MOST_NUMBERS {
            known.insert(matrix.path().to_owned(), (matrix.stored(), cells.clone()));
        }
        Ok(cells)
    }
}

/// What is known of a key, else what is read of it. What cannot be read is tried anew.
fn once<K: Eq + Hash, V: Clone>(
    known: &Mutex<FxHashMap<K, V>>,
    key: K,
    read: impl FnOnce() -> Result<V, H5adError>,
) -> Result<V, H5adError> {
    // Nothing is left half done by whoever died while it held the lock.
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(&key) {
        return Ok(known.clone());
    }
    let value = read()?;
    known.insert(key, value.clone());
    Ok(value)
}
