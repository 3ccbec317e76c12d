//! The bridge to the crate `hdf5-pure`: groups, arrays and attributes of an HDF5 file.
//!
//! Enters: a file, and paths in it. Leaves: names, shapes, numbers, text. Must not know AnnData.
//! Nothing outside this file, `write.rs` and the tests knows the crate.

use super::error::H5adError;
use crate::table::cells::Numbers;
use hdf5_pure::{AttrValue, DType, Dataset, Datatype, Error, File, FormatError, Group};
use std::path::Path;

/// An open file, read on demand.
pub(super) struct Store {
    file: File,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Group,
    Array,
}

/// What the elements of an array are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Element {
    /// Numbers that 32 bits hold.
    Single,
    /// Numbers that need 64 bits.
    Double,
    /// Names of truth values as numbers.
    Truth,
    Text,
    /// Records with named fields.
    Records(Vec<String>),
    Other(String),
}

/// A field of records.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Numbers(Vec<f64>),
    Text(Vec<String>),
}

impl Store {
    pub fn open(path: &Path) -> Result<Store, H5adError> {
        Store::of(File::open_streaming(path).map_err(|error| told(error, ""))?)
    }

    pub fn of_bytes(bytes: Vec<u8>) -> Result<Store, H5adError> {
        Store::of(File::from_bytes(bytes).map_err(|error| told(error, ""))?)
    }

    /// A file says where it ends, so that one that is cut off is known before it is read.
    fn of(file: File) -> Result<Store, H5adError> {
        if file.superblock().eof_address > file.file_size() {
            return Err(H5adError::Truncated);
        }
        Ok(Store { file })
    }

    /// What is at a path; `None` without anything.
    pub fn kind(&self, path: &str) -> Result<Option<Kind>, H5adError> {
        match self.file.dataset(path) {
            Ok(_) => return Ok(Some(Kind::Array)),
            Err(Error::NotADataset(_)) => return Ok(Some(Kind::Group)),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(told(error, path)),
        }
        match self.file.group(path) {
            Ok(_) => Ok(Some(Kind::Group)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(told(error, path)),
        }
    }

    /// The names of what a group holds, in alphabetical order; none without the group.
    pub fn names(&self, path: &str) -> Result<Vec<String>, H5adError> {
        if self.kind(path)? != Some(Kind::Group) {
            return Ok(Vec::new());
        }
        let group = self.group(path)?;
        let mut names = group.datasets().map_err(|error| told(error, path))?;
        names.extend(group.groups().map_err(|error| told(error, path))?);
        names.sort_unstable();
        Ok(names)
    }

    /// The text of an attribute, or its texts; empty without it.
    pub fn texts(&self, path: &str, name: &str) -> Result<Vec<String>, H5adError> {
        Ok(match self.attribute(path, name)? {
            Some(value) => texts(value),
            None => Vec::new(),
        })
    }

    /// The whole numbers of an attribute; empty without it, or where they are none.
    pub fn sizes(&self, path: &str, name: &str) -> Result<Vec<usize>, H5adError> {
        Ok(match self.attribute(path, name)? {
            Some(value) => sizes(value),
            None => Vec::new(),
        })
    }

    pub fn shape(&self, path: &str) -> Result<Vec<usize>, H5adError> {
        let shape = self
            .array(path)?
            .shape()
            .map_err(|error| told(error, path))?;
        let size = |extent: u64| {
            usize::try_from(extent).map_err(|_| damaged(path, "larger than the memory"))
        };
        shape.into_iter().map(size).collect()
    }

    pub fn element(&self, path: &str) -> Result<Element, H5adError> {
        let dtype = self
            .array(path)?
            .dtype()
            .map_err(|error| told(error, path))?;
        Ok(match dtype {
            DType::F32 | DType::I8 | DType::I16 | DType::U8 | DType::U16 => Element::Single,
            DType::F64 | DType::I32 | DType::I64 | DType::U32 | DType::U64 => Element::Double,
            DType::String | DType::VariableLengthString => Element::Text,
            DType::Enum(names) if is_truth(&names) => Element::Truth,
            DType::Compound(fields) => {
                Element::Records(fields.into_iter().map(|field| field.0).collect())
            }
            DType::Other(own) => match *own {
                Datatype::FloatingPoint { size: 2, .. } => Element::Single,
                other => Element::Other(format!("{other:?}")),
            },
            other => Element::Other(other.to_string()),
        })
    }

    /// Numbers of rows of an array (of elements, where it has one dimension), as they are stored.
    pub fn numbers(&self, path: &str, first: usize, count: usize) -> Result<Numbers, H5adError> {
        let array = self.array(path)?;
        let (first, count) = (first as u64, count as u64);
        let read = match self.element(path)? {
            Element::Single => array.read_f32_rows(first, count).map(Numbers::Single),
            Element::Double => array.read_f64_rows(first, count).map(Numbers::Double),
            Element::Truth => {
                let raw = array.read_raw_rows(first, count);
                let truth = |byte: u8| if byte == 0 { 0.0 } else { 1.0 };
                raw.map(|raw| Numbers::Single(raw.into_iter().map(truth).collect()))
            }
            Element::Text => return Err(H5adError::Text { path: path.into() }),
            Element::Records(_) => return Err(unsupported(path, "records")),
            Element::Other(what) => return Err(unsupported(path, &what)),
        };
        read.map_err(|error| told(error, path))
    }

    /// Whole numbers of rows of an array.
    pub fn whole(&self, path: &str, first: usize, count: usize) -> Result<Vec<i64>, H5adError> {
        match self.element(path)? {
            Element::Text => return Err(H5adError::Text { path: path.into() }),
            Element::Single | Element::Double => {}
            _ => return Err(damaged(path, "no whole numbers")),
        }
        let read = self.array(path)?.read_i64_rows(first as u64, count as u64);
        read.map_err(|error| told(error, path))
    }

    /// The texts of an array.
    pub fn text(&self, path: &str) -> Result<Vec<String>, H5adError> {
        let read = self.array(path)?.read_string();
        read.map_err(|error| told(error, path))
    }

    /// One field of an array of records.
    pub fn field(&self, path: &str, name: &str) -> Result<Option<Field>, H5adError> {
        let array = self.array(path)?;
        let own = array.datatype().map_err(|error| told(error, path))?;
        let Datatype::Compound { size, members } = own else {
            return Ok(None);
        };
        let Some(member) = members.into_iter().find(|member| member.name == name) else {
            return Ok(None);
        };
        let raw = array.read_raw().map_err(|error| told(error, path))?;
        let offset = usize::try_from(member.byte_offset)
            .map_err(|_| damaged(path, "a field outside of its record"))?;
        let records = raw.chunks_exact((size as usize).max(1));
        let bytes: Option<Vec<&[u8]>> = records.map(|record| record.get(offset..)).collect();
        let bytes = bytes.ok_or_else(|| damaged(path, "a field outside of its record"))?;
        let found = field(&member.datatype, &bytes);
        found
            .map(Some)
            .ok_or_else(|| unsupported(&format!("{path}/{name}"), "a field of this type"))
    }

    fn array(&self, path: &str) -> Result<Dataset, H5adError> {
        self.file.dataset(path).map_err(|error| told(error, path))
    }

    fn group(&self, path: &str) -> Result<Group, H5adError> {
        let group = match path {
            "" => Ok(self.file.root()),
            _ => self.file.group(path),
        };
        group.map_err(|error| told(error, path))
    }

    fn attribute(&self, path: &str, name: &str) -> Result<Option<AttrValue>, H5adError> {
        let attributes = match self.kind(path)? {
            None => return Ok(None),
            Some(Kind::Array) => self.array(path)?.attrs(),
            Some(Kind::Group) => self.group(path)?.attrs(),
        };
        let mut attributes = attributes.map_err(|error| told(error, path))?;
        Ok(attributes.remove(name))
    }
}

/// The numbers or texts that begin each of some runs of bytes.
fn field(own: &Datatype, bytes: &[&[u8]]) -> Option<Field> {
    use hdf5_pure::DatatypeByteOrder::LittleEndian;
    match own {
        Datatype::String { size, .. } => {
            let text = |bytes: &&[u8]| {
                let own = bytes.get(..*size as usize)?;
                let end = own.iter().position(|byte| *byte == 0).unwrap_or(own.len());
                Some(String::from_utf8_lossy(&own[..end]).trim_end().to_owned())
            };
            bytes
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .map(Field::Text)
        }
        Datatype::FloatingPoint {
            size, byte_order, ..
        } if *byte_order == LittleEndian => {
            let number = |bytes: &&[u8]| match size {
                4 => Some(f64::from(f32::from_le_bytes(
                    bytes.get(..4)?.try_into().ok()?,
                ))),
                8 => Some(f64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)),
                _ => None,
            };
            let numbers = bytes.iter().map(number).collect::<Option<_>>();
            numbers.map(Field::Numbers)
        }
        Datatype::FixedPoint {
            size,
            byte_order,
            layout,
        } if *byte_order == LittleEndian => {
            let signed = layout.signed;
            let number = |bytes: &&[u8]| whole(bytes.get(..*size as usize)?, signed);
            let numbers = bytes.iter().map(number).collect::<Option<_>>();
            numbers.map(Field::Numbers)
        }
        Datatype::Enumeration { base_type, .. } => field(base_type, bytes),
        _ => None,
    }
}

/// A whole number of up to eight bytes, the least first.
#[expect(
    clippy::cast_precision_loss,
    reason = "tables hold 64-bit floating point numbers"
)]
fn whole(bytes: &[u8], signed: bool) -> Option<f64> {
    let negative = signed && bytes.last()? & 0x80 != 0;
    let mut all = if negative { [0xff; 8] } else { [0; 8] };
    all.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(if signed {
        i64::from_le_bytes(all) as f64
    } else {
        u64::from_le_bytes(all) as f64
    })
}

fn is_truth(names: &[String]) -> bool {
    let is = |name: &String| name == "TRUE" || name == "FALSE";
    !names.is_empty() && names.iter().all(is)
}

fn texts(value: AttrValue) -> Vec<String> {
    match value {
        AttrValue::String(text)
        | AttrValue::AsciiString(text)
        | AttrValue::VarLenString(text)
        | AttrValue::VarLenAsciiString(text) => vec![text],
        AttrValue::StringSized { value, .. } | AttrValue::AsciiStringSized { value, .. } => {
            vec![value]
        }
        AttrValue::StringArray(texts)
        | AttrValue::AsciiStringArray(texts)
        | AttrValue::VarLenStringArray(texts)
        | AttrValue::VarLenAsciiStringArray(texts)
        | AttrValue::VarLenAsciiCharArray(texts) => texts,
        AttrValue::StringArraySized { values, .. }
        | AttrValue::AsciiStringArraySized { values, .. } => values,
        _ => Vec::new(),
    }
}

fn sizes(value: AttrValue) -> Vec<usize> {
    fn all<T: TryInto<usize>>(values: Vec<T>) -> Vec<usize> {
        let sizes = values.into_iter().map(|value| value.try_into().ok());
        sizes.collect::<Option<_>>().unwrap_or_default()
    }
    match value {
        AttrValue::I32Array(values) => all(values),
        AttrValue::I64Array(values) => all(values),
        AttrValue::U32Array(values) => all(values),
        AttrValue::U64Array(values) => all(values),
        _ => Vec::new(),
    }
}

fn is_absent(error: &Error) -> bool {
    matches!(
        error,
        Error::Format(FormatError::PathNotFound(_)) | Error::NotAGroup(_)
    )
}

pub(super) fn damaged(path: &str, why: &str) -> H5adError {
    H5adError::Damaged {
        path: path.into(),
        why: why.into(),
    }
}

pub(super) fn unsupported(path: &str, what: &str) -> H5adError {
    H5adError::Unsupported {
        path: path.into(),
        what: what.into(),
    }
}

/// What an error of the crate means to the user.
pub(super) fn told(error: Error, path: &str) -> H5adError {
    match error {
        Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            H5adError::Truncated
        }
        Error::Io(error) => H5adError::Unreadable {
            why: error.to_string(),
        },
        Error::Format(FormatError::SignatureNotFound) => H5adError::NotHdf5,
        Error::Format(FormatError::UnexpectedEof { .. }) => H5adError::Truncated,
        other => damaged(path, &other.to_string()),
    }
}
