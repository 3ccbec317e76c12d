//! Positions of the protocol (lines and UTF-16 units) and bytes of a text, one from the other.
//!
//! The protocol ends a line at `\n`, `\r\n` and a lone `\r`. Positions beyond a line or text mean
//! its end; one inside a character means its beginning.

use crate::source::Span;
use gen_lsp_types::{Position, Range};

/// Where the lines of a text begin.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub fn new(text: &str) -> Lines {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Lines {
            starts: std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
        }
    }

    /// The position of a byte.
    pub fn position(&self, text: &str, at: usize) -> Position {
        let at = at.min(text.len());
        let line = self
            .starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = text.get(start..at).unwrap_or("");
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            character: units(before),
        }
    }

    /// The byte at a position.
    pub fn offset(&self, text: &str, position: Position) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).copied() else {
            return text.len();
        };
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let line = text.get(start..end).unwrap_or("");
        let line = line.trim_end_matches(['\n', '\r']);
        let mut left = position.character as usize;
        for (at, c) in line.char_indices() {
            if left < c.len_utf16() {
                return start + at;
            }
            left -= c.len_utf16();
        }
        start + line.len()
    }

    pub fn range(&self, text: &str, span: Span) -> Range {
        Range {
            start: self.position(text, span.start as usize),
            end: self.position(text, span.end as usize),
        }
    }
}

/// UTF-16 units of a text.
pub(super) fn units(text: &str) -> u32 {
    let count = text.chars().map(char::len_utf16).sum::<usize>();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_positions_turn_into_each_other() {
        let text = "α = 1\r\n# 🐇 x\rk\n";
        let lines = Lines::new(text);
        let at = |line, character| lines.offset(text, Position { line, character });
        // α has two bytes and one unit, the hare four bytes and two units.
        assert_eq!(at(0, 1), 2);
        assert_eq!(&text[at(1, 5)..=at(1, 5)], "x");
        assert_eq!(at(1, 3), at(1, 2), "inside the hare");
        assert_eq!(&text[at(2, 0)..=at(2, 0)], "k");
        assert_eq!(at(0, 99), "α = 1".len(), "the line's end, before its break");
        assert_eq!(at(99, 0), text.len());
        for (byte, _) in text.char_indices().filter(|(_, c)| !c.is_control()) {
            let position = lines.position(text, byte);
            assert_eq!(lines.offset(text, position), byte, "{position:?}");
        }
    }
}
