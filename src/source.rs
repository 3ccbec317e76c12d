//! Source texts and half-open spans into them.
//!
//! Enters: the name and text of a file or of one line typed at the prompt. Leaves: ids and
//! spans that every later layer carries along. Must not know what the text means.

use std::fmt;
use std::sync::Arc;

/// Names one source text within a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A half-open range of bytes `start..end` in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text that the range lies in.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `source`; positions past 4 GiB are clamped.
    #[must_use]
    pub fn new(source: SourceId, start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            source,
            start: clamp(start),
            end: clamp(end.max(start)),
        }
    }

    /// The smallest span that covers both; both must lie in the same source.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        debug_assert_eq!(self.source, other.source);
        Span {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// True when the span holds no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end == self.start
    }
}

/// One text with its name (a path, or `<line 3>` at the prompt).
#[derive(Debug, Clone)]
pub struct Source {
    /// What messages call it.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Bytes of the file before the text: of a byte order mark, which is no part of the text.
    pub skipped: u32,
    /// Where each line begins.
    lines: Arc<[usize]>,
}

/// A place in a text, as people and editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters (Unicode scalar values).
    pub column: usize,
    /// From 1, in units of UTF-16: what many editors count.
    pub utf16: usize,
}

/// All texts read so far. Ids stay valid for the life of the map.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// An empty map.
    #[must_use]
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a text and returns its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        let text = text.into();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        self.sources.push(Source {
            name: name.into(),
            lines: std::iter::once(0).chain(ends).collect(),
            skipped: 0,
            text,
        });
        id
    }

    /// Adds the text of a file; a byte order mark before it is left out and counted as skipped.
    pub fn add_file(&mut self, name: impl Into<String>, text: &str) -> SourceId {
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        let id = self.add(name, bare);
        if let Some(source) = self.sources.last_mut() {
            source.skipped = u32::try_from(text.len() - bare.len()).unwrap_or(0);
        }
        id
    }

    /// The source with this id, if the id came from this map.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// The text under a span; empty when the span does not fit its source.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source)
            .and_then(|source| source.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// Line and column of the start of a span, both from 1; columns count characters.
    #[must_use]
    pub fn position(&self, span: Span) -> (usize, usize) {
        let Position { line, column, .. } = self.place(span.source, span.start);
        (line, column)
    }

    /// Where a byte of a source stands; one within a character stands at its beginning, one past the
    /// end at the end.
    #[must_use]
    pub fn place(&self, source: SourceId, byte: u32) -> Position {
        let Some(source) = self.get(source) else {
            return Position {
                line: 1,
                column: 1,
                utf16: 1,
            };
        };
        let at = source.text.floor_char_boundary(byte as usize);
        let line = source.lines.partition_point(|start| *start <= at);
        let start = source.lines.get(line - 1).copied().unwrap_or(0);
        let before = source.text.get(start..at).unwrap_or("");
        Position {
            line,
            column: before.chars().count() + 1,
            utf16: before.encode_utf16().count() + 1,
        }
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "source {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_characters_and_in_utf16() {
        let mut sources = SourceMap::new();
        // é and µ: 2 bytes, 1 unit of UTF-16; 🐇: 4 bytes, 2 units.
        let id = sources.add_file("a.lotka", "\u{feff}é 🐇µ\r\nx");
        let at = |byte| {
            let Position {
                line,
                column,
                utf16,
            } = sources.place(id, byte);
            (line, column, utf16)
        };
        assert_eq!(sources.get(id).map(|source| source.skipped), Some(3));
        assert_eq!(at(0), (1, 1, 1));
        assert_eq!(at(2), (1, 2, 2));
        assert_eq!(at(7), (1, 4, 5));
        assert_eq!(at(5), (1, 3, 3));
        assert_eq!(at(11), (2, 1, 1));
        assert_eq!(at(12), (2, 2, 2));
        assert_eq!(at(99), (2, 2, 2));
    }
}
