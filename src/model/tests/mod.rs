//! Models of the language's manual, checked piece by piece.

mod delays;
mod events;
mod slips;

use super::{Model, check};
use crate::source::SourceMap;
use crate::symbolic::{Expr, Notation};

/// The model of a text that has no error.
fn model(text: &str) -> Model {
    Model::of_text(text)
}

/// The codes of all that is said about a text.
fn codes(text: &str) -> Vec<&'static str> {
    let mut sources = SourceMap::new();
    let source = sources.add("test.lotka", text);
    let parsed = crate::syntax::parse_file(source, text);
    let found = parsed
        .diagnostics
        .into_iter()
        .chain(check(&parsed.file).diagnostics);
    found.map(|diagnostic| diagnostic.code.as_str()).collect()
}

impl Model {
    /// The model of a text that has no error; for the tests of all rooms.
    pub(crate) fn of_text(text: &str) -> Model {
        let mut sources = SourceMap::new();
        let source = sources.add("test.lotka", text);
        let parsed = crate::syntax::parse_file(source, text);
        assert_eq!(parsed.diagnostics, [], "{text}");
        let checked = check(&parsed.file);
        match checked.model {
            Some(model) => model,
            None => panic!("{text}: {:#?}", checked.diagnostics),
        }
    }

    fn text(&self, expr: Expr) -> String {
        self.print(&self.pool, expr, Notation::Text)
    }

    fn texts(&self, exprs: &[Expr]) -> Vec<String> {
        exprs.iter().map(|expr| self.text(*expr)).collect()
    }
}
