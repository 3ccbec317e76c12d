//! What a text read over and over has in common with itself.
//!
//! Enters: the pieces of a text with their places. Leaves: the statements of those that were read the
//! last time, moved to where they stand now. Must not know how a piece is read.

use super::super::tree::StatementKind;
use super::super::visit::{self, Visitor};
use crate::source::{SourceId, Span};
use rustc_hash::FxHashMap;

/// The sound statements of texts as they were read last. Of a text that is read again after a change,
/// only what changed needs reading: an editor asks at every keystroke.
#[derive(Debug, Default)]
pub struct Memory {
    texts: FxHashMap<SourceId, Pieces>,
}

/// The pieces of one text, each by what it says. A piece that stands there twice says the same.
#[derive(Debug, Default)]
struct Pieces {
    statements: FxHashMap<String, Remembered>,
    /// The heads of blocks.
    heads: FxHashMap<String, Remembered>,
}

impl Pieces {
    fn of(&mut self, is_head: bool) -> &mut FxHashMap<String, Remembered> {
        match is_head {
            true => &mut self.heads,
            false => &mut self.statements,
        }
    }
}

#[derive(Debug)]
struct Remembered {
    /// The byte where it stood.
    start: usize,
    kind: StatementKind,
}

/// A text that is being read: what is known of it from before, and what has been met so far.
#[derive(Debug)]
pub(super) struct Rereading {
    source: SourceId,
    before: Pieces,
    now: Pieces,
}

impl Memory {
    pub(super) fn reread(&mut self, source: SourceId) -> Rereading {
        Rereading {
            source,
            before: self.texts.remove(&source).unwrap_or_default(),
            now: Pieces::default(),
        }
    }

    pub(super) fn keep(&mut self, read: Rereading) {
        self.texts.insert(read.source, read.now);
    }
}

impl Rereading {
    /// The statement that a piece at a byte says; `read` finds it out where it is not known.
    pub(super) fn recall(
        &mut self,
        text: &str,
        start: usize,
        is_head: bool,
        read: impl FnOnce() -> Option<StatementKind>,
    ) -> Option<StatementKind> {
        if let Some(known) = self.now.of(is_head).get(text) {
            return Some(known.at(start));
        }
        let (text, known) = match self.before.of(is_head).remove_entry(text) {
            Some((text, mut known)) => {
                known.move_to(start);
                (text, known)
            }
            None => {
                let kind = read()?;
                (text.to_owned(), Remembered { start, kind })
            }
        };
        let kind = known.kind.clone();
        self.now.of(is_head).insert(text, known);
        Some(kind)
    }
}

impl Remembered {
    fn move_to(&mut self, start: usize) {
        if self.start == start {
            return;
        }
        let mut mover = Move {
            from: self.start,
            to: start,
        };
        visit::kind(&mut self.kind, &mut mover);
        self.start = start;
    }

    /// The same at another place.
    fn at(&self, start: usize) -> StatementKind {
        let mut copy = Remembered {
            start: self.start,
            kind: self.kind.clone(),
        };
        copy.move_to(start);
        copy.kind
    }
}

/// Moves all places of a statement.
struct Move {
    from: usize,
    to: usize,
}

impl Visitor for Move {
    fn span(&mut self, span: &mut Span) {
        let moved = |at: u32| (at as usize + self.to).saturating_sub(self.from);
        *span = Span::new(span.source, moved(span.start), moved(span.end));
    }
}
