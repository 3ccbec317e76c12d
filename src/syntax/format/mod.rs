//! The canonical layout of a model file.
//!
//! Enters: the text of a file. Leaves: the same statements, comments and numbers, each as it was
//! typed, with the blanks, line breaks and indents that all files have. Must not know what names mean.
//!
//! ```text
//! text --parse_file--> tree --roles--> spacing --> lines --> rows --> text
//!   \-----tokens, comments included-----/
//! ```
//!
//! The tokens are never written anew, only laid out, so that a number, a unit or a parenthesis stays as
//! its author wrote it; the tree says what each of them does. What is laid out is read again, and
//! has to be the same tree.

mod layout;
mod lines;
mod roles;
mod rows;
mod spacing;
mod tokens;

use super::tree::File;
use super::visit::{self, Visitor};
use crate::diagnostic::Diagnostic;
use crate::source::{SourceId, Span};
use tokens::{Kind, tokens};

/// The text of a file in canonical layout.
///
/// Should a layout ever read otherwise than the text did, the text is given back as it is.
///
/// # Errors
///
/// All faults of a text that cannot be read.
pub fn format(source: SourceId, text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = super::parse_file(source, text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    let sound = [true, false]
        .into_iter()
        .map(|wrap| layout::laid_out(text, &parsed.file, wrap))
        .find(|laid_out| says_the_same(text, &parsed.file, laid_out));
    Ok(sound.unwrap_or_else(|| text.to_owned()))
}

/// The layout has the tree and the comments of the text.
fn says_the_same(text: &str, file: &File, laid_out: &str) -> bool {
    let again = super::parse_file(SourceId(0), laid_out);
    let comments = |text| {
        tokens(text)
            .into_iter()
            .filter(|token| token.kind == Kind::Comment)
            .map(|token| token.text)
            .collect::<Vec<_>>()
    };
    again.diagnostics.is_empty()
        && without_places(file) == without_places(&again.file)
        && comments(text) == comments(laid_out)
}

/// The tree with all places at the start of the text: two texts say the same when these are equal.
#[must_use]
pub fn without_places(file: &File) -> File {
    struct Eraser;
    impl Visitor for Eraser {
        fn span(&mut self, span: &mut Span) {
            *span = Span::new(SourceId(0), 0, 0);
        }
    }
    let mut file = file.clone();
    visit::file(&mut file, &mut Eraser);
    file
}

#[cfg(test)]
mod tests;
