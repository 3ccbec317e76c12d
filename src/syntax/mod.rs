//! Text to syntax tree, expressions back to text, and texts in canonical layout.
//!
//! Enters: the text of a file, of what was typed at the prompt, or of one expression. Leaves: a tree
//! of all that could be read, and a diagnostic for each fault. Must not know what names mean.
//!
//! ```text
//! text --split--> pieces --classify--> class --parser--> tree
//!                   |                             |
//!               brackets, quotes, nesting      diagnose: what was meant
//! text, tree --format--> text
//! ```

mod classify;
mod diagnose;
pub mod format;
mod parser;
mod printing;
mod slips;
mod split;
mod starts;
pub mod tree;
pub mod visit;
mod words;

pub use parser::{MAX_DEPTH, Memory};
pub use printing::{show_expression, written_name};
pub use slips::{other_function, other_name, verb_meant};
pub use split::{MAX_BLOCKS, MAX_NESTING};
pub use words::{
    BLOCKS, DECLARATIONS, OPTIONS, RESERVED, VALUES, VERBS, continues_name, is_reserved,
    starts_name,
};

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceId, Span};

/// What came of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The statements that are sound.
    pub file: tree::File,
    /// All faults, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file: all sound statements and all faults.
#[must_use]
pub fn parse_file(source: SourceId, text: &str) -> Parsed {
    parse(source, text, parser::Place::File, None)
}

/// The same of a text that is read over and over: `memory` keeps what does not change.
#[must_use]
pub fn parse_file_again(source: SourceId, text: &str, memory: &mut Memory) -> Parsed {
    parse(source, text, parser::Place::File, Some(memory))
}

/// Reads what was typed at the prompt, one line or a pasted block; bare expressions are allowed.
#[must_use]
pub fn parse_line(source: SourceId, text: &str) -> Parsed {
    parse(source, text, parser::Place::Prompt, None)
}

fn parse(
    source: SourceId,
    text: &str,
    place: parser::Place,
    memory: Option<&mut Memory>,
) -> Parsed {
    let split = split::split(source, text);
    let (file, diagnostics) = parser::read(source, text, split, place, memory);
    Parsed { file, diagnostics }
}

/// True when more lines are wanted: a bracket or block is open, or an operator or comma ends the text.
#[must_use]
pub fn is_incomplete(text: &str) -> bool {
    split::split(SourceId(0), text).incomplete
}

/// Where the statement begins that the end of the text belongs to, as far as it is typed; between
/// statements, where the last one ends.
#[must_use]
pub fn last_statement(text: &str) -> usize {
    let cut = split::split(SourceId(0), text);
    // Blocks that are still open are closed at the end of the text.
    let last = cut.pieces.iter().rev().find(|piece| match piece {
        split::Piece::Close(at) => *at < text.len(),
        _ => true,
    });
    match last {
        None => 0,
        Some(split::Piece::Close(end)) => *end,
        Some(split::Piece::Open(head)) => {
            let brace = text.get(head.end..).and_then(|rest| rest.find('{'));
            brace.map_or(head.end, |at| head.end + at + 1)
        }
        Some(split::Piece::Statement(chunk)) => {
            let after = text.get(chunk.end..).unwrap_or("");
            let goes_on = !after.contains(['\n', ';'])
                || is_incomplete(text.get(chunk.start..).unwrap_or(""));
            if goes_on { chunk.start } else { chunk.end }
        }
    }
}

/// Reads one expression, which may be a range, as in `--with k=3`.
///
/// # Errors
///
/// All faults found in it; also for an empty text and for more than one line of text.
pub fn parse_expression(source: SourceId, text: &str) -> Result<tree::Expr, Vec<Diagnostic>> {
    let cut = split::split(source, text);
    if !cut.diagnostics.is_empty() {
        return Err(cut.diagnostics);
    }
    match cut.pieces.as_slice() {
        [split::Piece::Statement(chunk)] => parser::read_expression(source, text, chunk),
        [] => {
            let span = Span::new(source, 0, text.len());
            let problem = Diagnostic::new(Code::Unexpected, "a value is missing")
                .at(span, "expected a value");
            Err(vec![problem])
        }
        _ => {
            let span = Span::new(source, 0, text.len());
            let problem = Diagnostic::new(Code::Unexpected, "this is more than one value")
                .at(span, "expected one value");
            Err(vec![problem])
        }
    }
}
