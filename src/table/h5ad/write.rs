//! A copy of an AnnData file with one more layer or column of cells.
//!
//! Enters: a file, where the copy shall stand, what is added. Leaves: the copy, all at once: it is
//! made under another name beside its place and renamed when it is complete, so that a file at that
//! place is either the old or the new one. Must not know models.

use super::error::H5adError;
use super::store::{told, unsupported};
use super::{Frame, H5ad};
use crate::table::cells::Numbers;
use hdf5_pure::{AttrValue, File};
use std::path::{Path, PathBuf};

/// What is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Added<'a> {
    /// A dense layer: cells by genes, row by row.
    Layer(&'a Numbers),
    /// A column of cells.
    Column(&'a [f64]),
}

/// What becomes of something that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It stays, and nothing is added.
    Kept,
    /// It is replaced.
    Replaced,
}

/// Copies `source` to `target` with a layer or a column of this name added.
///
/// # Errors
/// [`H5adError::Name`] where the name exists already, is empty or holds a slash;
/// [`H5adError::Shape`]; [`H5adError::Unsupported`] for tables stored as records; and others. The
/// target is then as it was.
pub fn write_with(
    source: &Path,
    target: &Path,
    name: &str,
    added: Added<'_>,
) -> Result<(), H5adError> {
    let beside = beside(target);
    let done = std::fs::copy(source, &beside)
        .map_err(unreadable)
        .and_then(|_| add(&beside, name, added, Taken::Kept))
        .and_then(|()| std::fs::rename(&beside, target).map_err(unreadable));
    if done.is_err() {
        // What is left of an attempt is of no use; that it cannot be removed says nothing new.
        let _ = std::fs::remove_file(&beside);
    }
    done
}

/// Adds a layer or a column of this name to a file, where it lies: a copy that is of no use when
/// this fails.
///
/// # Errors
/// Those of [`write_with`].
pub fn add(path: &Path, name: &str, added: Added<'_>, taken: Taken) -> Result<(), H5adError> {
    let place = path;
    let file = H5ad::open(place)?;
    let (group, found, expected) = match added {
        Added::Layer(numbers) => ("layers", numbers.len(), file.cells() * file.genes()),
        Added::Column(numbers) => ("obs", numbers.len(), file.cells()),
    };
    let path = format!("{group}/{name}");
    let is_there = match added {
        Added::Layer(_) => file.layers()?.iter().any(|known| known == name),
        Added::Column(_) => file.store.kind(&path)?.is_some(),
    };
    if (is_there && taken == Taken::Kept) || name.is_empty() || name == "." || name.contains('/') {
        return Err(H5adError::Name { path });
    }
    if found != expected {
        return Err(H5adError::Shape {
            path,
            found: (found, 1),
            expected: (expected, 1),
        });
    }
    let has_group = file.is_group(group)?;
    if group == "obs" && !has_group {
        return Err(unsupported(
            group,
            "records, to which no column can be added",
        ));
    }
    let mut order = file.columns(Frame::Obs)?;
    if !order.iter().any(|known| known == name) {
        order.push(name.to_owned());
    }
    let shape = match added {
        Added::Layer(_) => vec![file.cells() as u64, file.genes() as u64],
        Added::Column(_) => vec![file.cells() as u64],
    };
    drop(file);
    let parent = Parent {
        group,
        exists: has_group,
        holds: is_there,
    };
    put(place, parent, name, added, &shape, order)
}

fn beside(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    target.with_file_name(name)
}

fn unreadable(error: std::io::Error) -> H5adError {
    H5adError::Unreadable {
        why: error.to_string(),
    }
}

/// Where something is added.
struct Parent<'a> {
    group: &'a str,
    /// The group is there.
    exists: bool,
    /// Something of the name is in it, to be replaced.
    holds: bool,
}

fn put(
    path: &Path,
    Parent {
        group,
        exists,
        holds,
    }: Parent<'_>,
    name: &str,
    added: Added<'_>,
    shape: &[u64],
    order: Vec<String>,
) -> Result<(), H5adError> {
    let tell = |error| told(error, group);
    let file = File::open_rw(path).map_err(tell)?;
    let parent = if exists {
        file.group(group).map_err(tell)?
    } else {
        let made = file.root().create_group(group).map_err(tell)?;
        made.set_attr("encoding-type", text("dict")).map_err(tell)?;
        made.set_attr("encoding-version", text("0.1.0"))
            .map_err(tell)?;
        made
    };
    if holds {
        parent.delete(name).map_err(tell)?;
    }
    parent
        .create_dataset(name, |array| {
            match added {
                Added::Layer(Numbers::Single(numbers)) => array.with_f32_data(numbers),
                Added::Layer(Numbers::Double(numbers)) => array.with_f64_data(numbers),
                Added::Column(numbers) => array.with_f64_data(numbers),
            };
            array.with_shape(shape);
            array.set_attr("encoding-type", text("array"));
            array.set_attr("encoding-version", text("0.2.0"));
        })
        .map_err(tell)?;
    if let Added::Column(_) = added {
        let order = AttrValue::VarLenStringArray(order);
        parent.set_attr("column-order", order).map_err(tell)?;
    }
    file.commit().map_err(tell)?;
    file.close().map_err(tell)
}

fn text(text: &str) -> AttrValue {
    AttrValue::VarLenString(text.to_owned())
}
