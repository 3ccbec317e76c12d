//! A line in tokens, for colours and completion: lenient, since it is still being typed.
//!
//! Enters: text as far as it is typed. Leaves: tokens that cover it, whatever it is. Must not know
//! what names mean.

use crate::syntax::{continues_name, starts_name};

/// What a piece of text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or word, backquotes and primes included.
    Word,
    /// A number.
    Number,
    /// A text in quotes, perhaps still open.
    Text,
    /// From `#` to the end of the line.
    Comment,
    /// A bracket.
    Bracket,
    /// The end of a statement: `;` or a line end.
    End,
    /// An operator or other sign.
    Sign,
    /// Blanks.
    Blank,
}

/// A piece of text, from one byte to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it looks like.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Token {
    /// The text under the token.
    #[must_use]
    pub fn text<'t>(&self, line: &'t str) -> &'t str {
        line.get(self.start..self.end).unwrap_or("")
    }
}

/// The tokens of a text; together they cover it.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = first(rest);
        let end = start + length;
        found.push(Token { kind, start, end });
        start = end;
    }
    found
}

fn first(rest: &str) -> (Kind, usize) {
    let until = |stop: &dyn Fn(char) -> bool| rest.find(stop).unwrap_or(rest.len());
    let Some(c) = rest.chars().next() else {
        return (Kind::Blank, 0);
    };
    match c {
        '\n' | ';' => (Kind::End, 1),
        '#' => (Kind::Comment, until(&|c| c == '\n')),
        '"' | '`' => {
            let line = until(&|c| c == '\n');
            let inside = rest.get(1..line).unwrap_or("");
            let length = inside.find(c).map_or(line, |at| at + 2);
            let kind = if c == '"' { Kind::Text } else { Kind::Word };
            (kind, length)
        }
        '(' | ')' | '[' | ']' | '{' | '}' => (Kind::Bracket, 1),
        _ if starts_name(c) => {
            let word = until(&|c| !continues_name(c) && c != '.' && c != '\'');
            // A dot belongs to a path only when a name follows: `0..x`, `x.*y` have operators.
            let text = rest.get(..word).unwrap_or("");
            (Kind::Word, path_length(text))
        }
        _ if c.is_ascii_digit() => (Kind::Number, number_length(rest)),
        _ if c.is_whitespace() => (Kind::Blank, until(&|c| !c.is_whitespace() || c == '\n')),
        _ => (Kind::Sign, c.len_utf8()),
    }
}

/// `cell1.x'` without what follows a dot that no name follows.
fn path_length(text: &str) -> usize {
    let mut length = 0;
    for part in text.split('.') {
        let begins = part.starts_with(starts_name);
        if !begins {
            break;
        }
        length += part.len() + usize::from(length > 0);
        if part.contains('\'') {
            break;
        }
    }
    length
}

fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |mut at: usize| {
        while bytes
            .get(at)
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'_')
        {
            at += 1;
        }
        at
    };
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && is_digit(end + 1) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if is_digit(end + 1 + sign) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

/// The bracket that belongs to the one at `at` or just before it.
#[must_use]
pub fn partner(line: &str, at: usize) -> Option<(usize, usize)> {
    let brackets: Vec<Token> = tokens(line)
        .into_iter()
        .filter(|token| token.kind == Kind::Bracket)
        .collect();
    let here = brackets
        .iter()
        .position(|token| token.start == at)
        .or_else(|| brackets.iter().position(|token| token.end == at))?;
    let is_open = |token: &Token| matches!(token.text(line), "(" | "[" | "{");
    let mut depth = 0_i32;
    let order: Box<dyn Iterator<Item = &Token>> = if is_open(brackets.get(here)?) {
        Box::new(brackets.iter().skip(here))
    } else {
        Box::new(brackets.iter().take(here + 1).rev())
    };
    for token in order {
        depth += if is_open(token) { 1 } else { -1 };
        if depth == 0 {
            return Some((brackets.get(here)?.start, token.start));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_cover_whatever_is_typed() {
        for text in [
            "simulate 0..100 step 1e-3 # and so on",
            "k[2] = 3; x' = -cell1.x*`a b",
            "\"open",
            "α₁ = 1.5e+3 .* 漢 \u{0}",
            "é`",
            "param ↅi = 1 kate\u{747}",
            "1e 2. 3..4 x.",
        ] {
            let mut end = 0;
            for token in tokens(text) {
                assert_eq!(token.start, end, "{text}");
                assert!(text.is_char_boundary(token.end), "{text}");
                end = token.end;
            }
            assert_eq!(end, text.len(), "{text}");
        }
    }

    #[test]
    fn brackets_find_their_partners() {
        assert_eq!(partner("f(x[1])", 1), Some((1, 6)));
        assert_eq!(partner("f(x[1])", 7), Some((6, 1)));
        assert_eq!(partner("f(\")\"", 1), None);
    }
}
