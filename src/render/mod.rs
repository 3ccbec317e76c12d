//! Drawing for people: diagnostics, figures, tables, progress.
//!
//! Enters: data of the layers below (diagnostics, figures, columns of numbers). Leaves: text,
//! SVG, PNG, and a progress bar on standard error. Must not know any algorithm.

mod answers;
pub mod answers_json;
mod at_rest;
pub mod at_rest_json;
pub mod class;
mod correlation;
pub mod diagnostics;
mod diagram;
pub mod diagram_json;
mod ensemble;
mod equilibria;
pub mod equilibria_json;
pub mod explain;
mod explain_fit;
pub mod figure;
mod fit;
pub mod fit_json;
pub mod fit_page;
#[cfg(test)]
mod fit_tests;
pub mod help;
mod inference;
pub mod inference_json;
#[cfg(test)]
mod inference_tests;
mod interruptions;
mod method;
mod oscillation;
pub mod outcome;
pub mod portrait;
pub mod progress;
mod prompt;
mod rows;
pub mod rows_json;
pub mod sensitivity;
pub mod show;
mod stability;
pub mod stability_json;
pub mod stamp;
mod stationary;
pub mod stationary_json;
pub mod statistics;
mod subjects;
mod sweep;
pub mod sweep_json;
pub mod table;
mod units;
mod words;

/// Whether escape codes for colour may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// ANSI colours.
    Always,
}

impl Colour {
    /// Colour on a terminal, unless the user set `NO_COLOR` (<https://no-color.org>) or the
    /// terminal is a `dumb` one.
    #[must_use]
    pub fn on(stream: &impl std::io::IsTerminal) -> Colour {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if stream.is_terminal() && !unwanted && !dumb {
            Colour::Always
        } else {
            Colour::Never
        }
    }
}
