//! What must hold for any input whatever: one law in each file, `holds(bytes)`.
//!
//! Enters: bytes that somebody or something made up. Leaves: nothing, or a panic that says what is
//! wrong. The targets in `tests/fuzz` look for inputs that break a law; `tests/mutations.rs` tries
//! those that are kept in `tests/fuzz/corpus`. Must not know where its bytes come from.

pub mod check;
pub mod complete;
pub mod execute;
pub mod layout;
pub mod parse;

use lotka::diagnostic::Diagnostic;
use lotka::source::SourceId;

/// The one text of a law.
const FIRST: SourceId = SourceId(0);

/// A law.
pub type Law = fn(&[u8]);

/// The laws by their names, which are those of the targets and of the folders of kept inputs.
// The targets know theirs.
#[allow(dead_code)]
pub const LAWS: [(&str, Law); 5] = [
    ("parse", parse::holds),
    ("layout", layout::holds),
    ("check", check::holds),
    ("complete", complete::holds),
    ("execute", execute::holds),
];

/// The bytes as text, up to the first that cannot be read.
fn text_of(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
    }
}

/// Every problem says something, and points into the text and between characters.
fn have_places(problems: &[Diagnostic], text: &str) {
    for problem in problems {
        assert!(!problem.message.is_empty(), "nothing is said: {problem:?}");
        assert!(!problem.labels.is_empty(), "no place: {problem:?}");
        for label in &problem.labels {
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(text.get(start..end).is_some(), "no such place: {problem:?}");
        }
    }
}
