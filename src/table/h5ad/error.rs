//! What can be wrong with an AnnData file.

use std::fmt;

/// Why a file, or a part of it, cannot be used. Parts are named as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum H5adError {
    /// The file cannot be opened or read.
    Unreadable {
        /// What the system says.
        why: String,
    },
    /// Not an HDF5 file.
    NotHdf5,
    /// The file ends before its contents do.
    Truncated,
    /// An HDF5 file without the tables `obs` and `var`.
    NotAnnData,
    /// A matrix that the file does not have.
    NoMatrix {
        /// Where it would be.
        path: String,
        /// The names that exist there.
        known: Vec<String>,
    },
    /// A column that a table does not have.
    NoColumn {
        /// The table.
        table: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A matrix or column whose size does not agree with the tables.
    Shape {
        /// Where.
        path: String,
        /// Rows and columns.
        found: (usize, usize),
        /// Rows and columns that it should have.
        expected: (usize, usize),
    },
    /// Text where numbers are wanted.
    Text {
        /// Where.
        path: String,
    },
    /// Stored in a way that is not known.
    Unsupported {
        /// Where.
        path: String,
        /// In which way.
        what: String,
    },
    /// The contents contradict themselves.
    Damaged {
        /// Where.
        path: String,
        /// How.
        why: String,
    },
    /// A name that exists already, or that HDF5 does not allow.
    Name {
        /// Where it would stand.
        path: String,
    },
    /// By the caller's wish.
    Interrupted,
}

impl fmt::Display for H5adError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            H5adError::Unreadable { why } => write!(f, "the file cannot be read: {why}"),
            H5adError::NotHdf5 => write!(f, "this is not an HDF5 file"),
            H5adError::Truncated => write!(f, "the file is cut off: it ends before its contents"),
            H5adError::NotAnnData => {
                write!(f, "an HDF5 file without the tables obs and var of AnnData")
            }
            H5adError::NoMatrix { path, known } => {
                write!(f, "there is no {path}; there is {}", known.join(", "))
            }
            H5adError::NoColumn { table, name, known } => {
                let known = known.join(", ");
                write!(f, "{table} has no column {name}; it has {known}")
            }
            H5adError::Shape {
                path,
                found,
                expected,
            } => write!(
                f,
                "{path} is {} by {}, but should be {} by {}",
                found.0, found.1, expected.0, expected.1
            ),
            H5adError::Text { path } => write!(f, "{path} holds text, not numbers"),
            H5adError::Unsupported { path, what } => write!(f, "{path} is stored as {what}"),
            H5adError::Damaged { path, why } => write!(f, "{path} is damaged: {why}"),
            H5adError::Name { path } => write!(f, "{path} exists already or is no name"),
            H5adError::Interrupted => write!(f, "interrupted"),
        }
    }
}

impl std::error::Error for H5adError {}
