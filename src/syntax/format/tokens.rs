//! A text as its tokens, comments included, each exactly as it was typed.
//!
//! Enters: the text of a file that has been read without faults. Leaves: tokens in order. Must not
//! know what a token means in its statement.

use super::super::words::{continues_name, starts_name};

/// What a token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word or a path of words, backquoted ones included: `k`, `cell1.x`, `` `rate` ``.
    Word,
    /// `1`, `1_000`, `1.5e-3`
    Number,
    /// `"out.csv"`
    Text,
    /// An operator, a bracket or another mark.
    Symbol,
    /// `# ...` up to the end of its line, without blanks at its end.
    Comment,
}

/// A token with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it looks like.
    pub kind: Kind,
    /// As typed.
    pub text: &'t str,
    /// Its first byte.
    pub start: usize,
    /// How many lines ended between the token before it and this one.
    pub lines_before: usize,
    /// It follows the token before it without a blank.
    pub touches: bool,
}

impl Token<'_> {
    /// One past its last byte.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// True for the mark or word `text`, but not for a comment or a quoted text that says the same.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Symbol | Kind::Word) && self.text == text
    }

    /// A comment with its line to itself.
    pub fn is_own_line_comment(&self) -> bool {
        self.kind == Kind::Comment && (self.lines_before > 0 || self.start == 0)
    }
}

/// Marks of more than one character, longest first.
const LONG_MARKS: [&str; 10] = ["<->", "->", "..", ".*", "./", ".^", "==", "!=", "<=", ">="];

/// Cuts a text into tokens.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let blank = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}')
                .len();
        let lines_before = rest
            .get(..blank)
            .map_or(0, |blank| blank.matches('\n').count());
        let Some(rest) = rest.get(blank..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let (kind, length) = first(rest);
        let typed = rest.get(..length).unwrap_or(rest);
        found.push(Token {
            kind,
            text: typed.trim_end(),
            start: at + blank,
            lines_before,
            touches: blank == 0 && !found.is_empty(),
        });
        at += blank + length.max(1);
    }
    found
}

/// The kind of the token at the start of `rest`, and its bytes.
fn first(rest: &str) -> (Kind, usize) {
    let Some(c) = rest.chars().next() else {
        return (Kind::Symbol, 0);
    };
    match c {
        '#' => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        '"' => {
            let inside = rest.get(1..).unwrap_or("");
            let length = inside.find(['"', '\n']).map_or(rest.len(), |end| end + 2);
            (Kind::Text, length)
        }
        _ if c.is_ascii_digit() => (Kind::Number, number(rest)),
        _ if c == '`' || starts_name(c) => (Kind::Word, path(rest)),
        _ => {
            let long = LONG_MARKS.into_iter().find(|mark| rest.starts_with(mark));
            (Kind::Symbol, long.map_or(c.len_utf8(), str::len))
        }
    }
}

fn path(rest: &str) -> usize {
    let mut length = word(rest);
    while let Some(next) = rest.get(length..).and_then(|rest| rest.strip_prefix('.'))
        && next.starts_with(|c| c == '`' || starts_name(c))
    {
        length += 1 + word(next);
    }
    length
}

fn word(rest: &str) -> usize {
    if let Some(inside) = rest.strip_prefix('`') {
        return inside
            .find(['`', '\n'])
            .map_or(rest.len(), |length| length + 2);
    }
    rest.find(|c| !continues_name(c)).unwrap_or(rest.len())
}

fn number(rest: &str) -> usize {
    let digits = |from: usize| {
        let rest = rest.get(from..).unwrap_or("");
        rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
                .len()
    };
    let starts_digit = |from: usize| {
        rest.get(from..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut length = digits(0);
    if rest.get(length..).is_some_and(|rest| rest.starts_with('.')) && starts_digit(length + 1) {
        length += 1 + digits(length + 1);
    }
    if rest
        .get(length..)
        .is_some_and(|rest| rest.starts_with(['e', 'E']))
    {
        let signed = rest
            .get(length + 1..)
            .is_some_and(|rest| rest.starts_with(['+', '-']));
        let from = length + 1 + usize::from(signed);
        if starts_digit(from) {
            length = from + digits(from);
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_as_typed() {
        let text = "k_1 = 1_000*cell1.x' # end\n\n`a b`[i-1] ./ 2.5e-3..y <-> \"# no\"";
        let found = tokens(text);
        let texts: Vec<_> = found.iter().map(|token| token.text).collect();
        assert_eq!(
            texts,
            [
                "k_1", "=", "1_000", "*", "cell1.x", "'", "# end", "`a b`", "[", "i", "-", "1",
                "]", "./", "2.5e-3", "..", "y", "<->", "\"# no\""
            ]
        );
        assert_eq!(found[7].lines_before, 2);
        assert!(found[8].touches && !found[13].touches);
    }
}
