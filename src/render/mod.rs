//! Drawing for people: diagnostics, figures, tables, progress.
//!
//! Enters: data of the layers below (diagnostics, figures, columns of numbers). Leaves: text,
//! SVG, PNG, and a progress bar on standard error. Must not know any algorithm.

pub mod diagnostics;
pub mod figure;
pub mod progress;
pub mod table;
mod words;
