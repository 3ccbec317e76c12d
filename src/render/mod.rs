//! Drawing for people: diagnostics, figures, tables, progress.
//!
//! Enters: data of the layers below (diagnostics, figures, columns of numbers). Leaves: text,
//! SVG, PNG, and a progress bar on standard error. Must not know any algorithm.

pub mod diagnostics;
pub mod figure;
pub mod help;
pub mod outcome;
pub mod progress;
pub mod show;
pub mod statistics;
pub mod table;
mod words;
pub use figure::Colour;
