//! The tables `obs` and `var` of an AnnData file: an index and columns.
//!
//! Three ways to store them are in use: columns as arrays or groups that say their encoding
//! (anndata since 0.8), categories of all columns in a group `__categories` (0.7), and one array
//! of records with the categories in `uns` (0.6 and before).
//!
//! Enters: a table and a column's name. Leaves: its cells. Must not know what they mean.

use super::error::H5adError;
use super::store::{Element, Field, Kind, Store, damaged, unsupported};
use super::{Column, Frame};
use crate::table::cells::Numbers;

/// Names that the index of a table has gone by, where none is given.
const INDICES: [&str; 2] = ["_index", "index"];
/// The group of categories of anndata 0.7.
const CATEGORIES: &str = "__categories";

/// The name under which the index is stored.
fn index_name(store: &Store, frame: Frame) -> Result<String, H5adError> {
    let path = frame.path();
    if let Some(name) = store.texts(path, "_index")?.into_iter().next() {
        return Ok(name);
    }
    let names = all_names(store, frame)?;
    let usual = INDICES
        .into_iter()
        .find(|name| names.iter().any(|known| known == name));
    // Records carry the index as their first field.
    let found = usual
        .map(str::to_owned)
        .or_else(|| names.into_iter().next());
    found.ok_or_else(|| damaged(path, "a table without an index"))
}

fn all_names(store: &Store, frame: Frame) -> Result<Vec<String>, H5adError> {
    match store.kind(frame.path())? {
        Some(Kind::Group) => store.names(frame.path()),
        Some(Kind::Array) => match store.element(frame.path())? {
            Element::Records(fields) => Ok(fields),
            _ => Err(unsupported(frame.path(), "an array without fields")),
        },
        None => Err(H5adError::NotAnnData),
    }
}

/// The names of rows.
pub(super) fn index(store: &Store, frame: Frame) -> Result<Vec<String>, H5adError> {
    let name = index_name(store, frame)?;
    match read(store, frame, &name)? {
        Column::Text(texts) => Ok(texts.into_iter().map(Option::unwrap_or_default).collect()),
        Column::Numbers(numbers) => Ok(numbers.iter().map(f64::to_string).collect()),
        other => {
            let text = |at| other.text(at).unwrap_or_default();
            Ok((0..other.len()).map(text).collect())
        }
    }
}

/// How many rows a table has.
pub(super) fn rows(store: &Store, frame: Frame) -> Result<usize, H5adError> {
    let path = match store.kind(frame.path())? {
        Some(Kind::Array) => frame.path().to_owned(),
        Some(Kind::Group) => format!("{}/{}", frame.path(), index_name(store, frame)?),
        None => return Err(H5adError::NotAnnData),
    };
    match store.kind(&path)? {
        Some(Kind::Array) => Ok(store.shape(&path)?.first().copied().unwrap_or(0)),
        _ => Ok(index(store, frame)?.len()),
    }
}

/// The names of columns without the index, in the order that the file gives.
pub(super) fn names(store: &Store, frame: Frame) -> Result<Vec<String>, H5adError> {
    let index = index_name(store, frame)?;
    let mut there = all_names(store, frame)?;
    there.retain(|name| *name != index && name != CATEGORIES);
    let mut ordered = store.texts(frame.path(), "column-order")?;
    ordered.retain(|name| there.contains(name));
    there.retain(|name| !ordered.contains(name));
    ordered.extend(there);
    Ok(ordered)
}

/// A column, or the index under its name.
pub(super) fn column(store: &Store, frame: Frame, name: &str) -> Result<Column, H5adError> {
    let known = names(store, frame)?;
    let exists = known.iter().any(|other| other == name) || index_name(store, frame)? == name;
    if !exists {
        return Err(H5adError::NoColumn {
            table: frame.path(),
            name: name.to_owned(),
            known,
        });
    }
    let column = read(store, frame, name)?;
    let (found, expected) = (column.len(), rows(store, frame)?);
    if found != expected {
        return Err(H5adError::Shape {
            path: format!("{}/{name}", frame.path()),
            found: (found, 1),
            expected: (expected, 1),
        });
    }
    Ok(column)
}

fn read(store: &Store, frame: Frame, name: &str) -> Result<Column, H5adError> {
    let path = format!("{}/{name}", frame.path());
    if store.kind(frame.path())? == Some(Kind::Array) {
        return record(store, frame, name);
    }
    match store.kind(&path)? {
        Some(Kind::Array) => array(store, frame, &path, name),
        Some(Kind::Group) => encoded(store, &path),
        None => Err(damaged(&path, "an index that is not there")),
    }
}

/// A field of records.
fn record(store: &Store, frame: Frame, name: &str) -> Result<Column, H5adError> {
    let path = format!("{}/{name}", frame.path());
    let field = store.field(frame.path(), name)?;
    let field = field.ok_or_else(|| damaged(&path, "a field that is not there"))?;
    let categories = format!("uns/{name}_categories");
    match field {
        Field::Text(texts) => Ok(Column::Text(texts.into_iter().map(Some).collect())),
        Field::Numbers(codes) if store.kind(&categories)? == Some(Kind::Array) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "codes are small whole numbers"
            )]
            let codes: Vec<i64> = codes.into_iter().map(|code| code as i64).collect();
            coded(&path, &codes, labels(store, &categories)?)
        }
        Field::Numbers(numbers) => Ok(Column::Numbers(numbers)),
    }
}

/// A column that is one array.
fn array(store: &Store, frame: Frame, path: &str, name: &str) -> Result<Column, H5adError> {
    let shape = store.shape(path)?;
    let [count] = *shape.as_slice() else {
        return Err(unsupported(path, "a column of more than one dimension"));
    };
    match store.element(path)? {
        Element::Text => Ok(Column::Text(
            store.text(path)?.into_iter().map(Some).collect(),
        )),
        Element::Truth => {
            let numbers = numbers(store, path)?;
            Ok(Column::Truth(
                numbers.iter().map(|x| Some(*x != 0.0)).collect(),
            ))
        }
        _ => {
            let categories = format!("{}/{CATEGORIES}/{name}", frame.path());
            if store.kind(&categories)? == Some(Kind::Array) {
                let codes = store.whole(path, 0, count)?;
                return coded(path, &codes, labels(store, &categories)?);
            }
            Ok(Column::Numbers(numbers(store, path)?))
        }
    }
}

/// A column that is a group.
fn encoded(store: &Store, path: &str) -> Result<Column, H5adError> {
    let encoding = store.texts(path, "encoding-type")?;
    let values = format!("{path}/values");
    match encoding.first().map(String::as_str) {
        Some("categorical") => {
            let codes = format!("{path}/codes");
            let count = store.shape(&codes)?.first().copied().unwrap_or(0);
            let codes = store.whole(&codes, 0, count)?;
            coded(path, &codes, labels(store, &format!("{path}/categories"))?)
        }
        Some("nullable-integer" | "nullable-float") => {
            let missing = mask(store, path)?;
            let numbers = numbers(store, &values)?.into_iter();
            let shown = numbers.zip(missing);
            let shown = shown.map(|(x, missing)| if missing { f64::NAN } else { x });
            Ok(Column::Numbers(shown.collect()))
        }
        Some("nullable-boolean") => {
            let missing = mask(store, path)?;
            let numbers = numbers(store, &values)?.into_iter();
            let shown = numbers.zip(missing);
            let shown = shown.map(|(x, missing)| (!missing).then_some(x != 0.0));
            Ok(Column::Truth(shown.collect()))
        }
        Some("nullable-string-array") => {
            let missing = mask(store, path)?;
            let texts = store.text(&values)?.into_iter();
            let shown = texts.zip(missing);
            let shown = shown.map(|(text, missing)| (!missing).then_some(text));
            Ok(Column::Text(shown.collect()))
        }
        Some(other) => Err(unsupported(path, other)),
        None => Err(unsupported(path, "a group without encoding")),
    }
}

fn mask(store: &Store, path: &str) -> Result<Vec<bool>, H5adError> {
    let mask = numbers(store, &format!("{path}/mask"))?;
    Ok(mask.iter().map(|x| *x != 0.0).collect())
}

/// All numbers of an array of one dimension.
fn numbers(store: &Store, path: &str) -> Result<Vec<f64>, H5adError> {
    let count = store.shape(path)?.first().copied().unwrap_or(0);
    Ok(match store.numbers(path, 0, count)? {
        Numbers::Single(numbers) => numbers.into_iter().map(f64::from).collect(),
        Numbers::Double(numbers) => numbers,
    })
}

/// The names of categories, which may be numbers.
fn labels(store: &Store, path: &str) -> Result<Vec<String>, H5adError> {
    if store.kind(path)? != Some(Kind::Array) {
        let Column::Text(texts) = encoded(store, path)? else {
            return Err(unsupported(path, "categories in a group"));
        };
        return Ok(texts.into_iter().map(Option::unwrap_or_default).collect());
    }
    match store.element(path)? {
        Element::Text => store.text(path),
        _ => Ok(numbers(store, path)?.iter().map(f64::to_string).collect()),
    }
}

/// Codes of categories; negative ones are missing.
fn coded(path: &str, codes: &[i64], categories: Vec<String>) -> Result<Column, H5adError> {
    let code = |code: &i64| match u32::try_from(*code) {
        Err(_) if *code < 0 => Ok(None),
        Ok(code) if (code as usize) < categories.len() => Ok(Some(code)),
        _ => Err(damaged(path, "a code without a category")),
    };
    let codes = codes.iter().map(code).collect::<Result<_, _>>()?;
    Ok(Column::Categories { categories, codes })
}
