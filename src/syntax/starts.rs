//! What the beginning of a text looks like, judged by its first few tokens.
//!
//! Enters: the rest of a text. Leaves: yes or no, for the splitter (does a new statement begin on
//! this line?) and for the choice of a grammar entry. Must not know the grammar.

use super::words::{BLOCKS, DECLARATIONS, VERBS, continues_name, starts_name};

/// The word at the very start; empty when there is none.
#[must_use]
pub fn word(text: &str) -> &str {
    if !text.starts_with(starts_name) {
        return "";
    }
    let end = text.find(|c| !continues_name(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

/// The text without the blanks and comments before its first token; line ends count as blanks
/// only when `lines` says so.
#[must_use]
pub fn skip_blanks(mut text: &str, lines: bool) -> &str {
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() && (lines || c != '\n'));
        if !(lines && text.starts_with('#')) {
            return text;
        }
        text = text
            .find('\n')
            .and_then(|end| text.get(end..))
            .unwrap_or("");
    }
}

/// The name at the start: a path of words or backquoted names (`cell1.x`), an index that touches
/// it, and primes. Gives how many bytes the path and all of it take, and how many primes there are.
#[must_use]
pub fn target(text: &str) -> Option<Target> {
    let mut path = name_length(text)?;
    while let Some(next) = text.get(path..).and_then(|rest| rest.strip_prefix('.'))
        && let Some(length) = name_length(next)
    {
        path += 1 + length;
    }
    let rest = text.get(path..).unwrap_or("");
    let index = if rest.starts_with('[') {
        closing(rest)?
    } else {
        0
    };
    let rest = rest.get(index..).unwrap_or("");
    let primes = rest.len() - rest.trim_start_matches('\'').len();
    Some(Target {
        path,
        primes,
        length: path + index + primes,
    })
}

/// A name as it stands before `=` or `:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Bytes of the path.
    pub path: usize,
    /// How many primes follow.
    pub primes: usize,
    /// Bytes of path, index and primes.
    pub length: usize,
}

fn name_length(text: &str) -> Option<usize> {
    if let Some(inside) = text.strip_prefix('`') {
        return inside.find(['`', '\n']).map(|length| length + 2);
    }
    match word(text).len() {
        0 => None,
        length => Some(length),
    }
}

/// Bytes up to and with the bracket that closes the one at the start.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at + 1),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `=`, but not `==`.
#[must_use]
pub fn is_equals(text: &str) -> bool {
    text.starts_with('=') && !text.starts_with("==")
}

/// A value could begin here, so that a word before it is not the left side of an operator.
#[must_use]
pub fn is_operand(text: &str) -> bool {
    let joins = matches!(word(text), "and" | "or" | "then" | "else" | "in" | "vs");
    !joins && text.starts_with(|c: char| starts_name(c) || c.is_ascii_digit() || "\"`".contains(c))
}

/// A sentence about words or a path follows, rather than about values.
#[must_use]
pub fn takes_words(text: &str) -> bool {
    let first = word(text);
    let rest = text.get(first.len()..).unwrap_or("");
    let after = skip_blanks(rest, false);
    let path = after.starts_with(|c: char| starts_name(c) || "./~".contains(c));
    matches!(first, "help" | "explain" | "load") && path && after.len() < rest.len()
}

/// The line begins with a word of `list` and goes on as a statement would.
fn begins_with(line: &str, list: &[&str], also: &str) -> bool {
    let line = skip_blanks(line, false);
    let first = word(line);
    let rest = line.get(first.len()..).unwrap_or("");
    let after = skip_blanks(rest, false);
    list.contains(&first)
        && after.len() < rest.len()
        && (is_operand(after) || after.starts_with(|c: char| also.contains(c)))
}

/// The line begins with a name, at least so many primes, and `=`.
fn begins_with_equals(line: &str, primes: usize) -> bool {
    let line = skip_blanks(line.split('\n').next().unwrap_or(""), false);
    target(line).is_some_and(|target| {
        let rest = skip_blanks(line.get(target.length..).unwrap_or(""), false);
        target.primes >= primes && is_equals(rest)
    })
}

/// A bracket that is still open before this line was forgotten.
#[must_use]
pub fn breaks_bracket(line: &str) -> bool {
    begins_with(line, DECLARATIONS, "[")
        || begins_with(line, VERBS, "")
        || begins_with_equals(line, 1)
}

/// An operator at the end of the line before cannot have this line as its right side.
#[must_use]
pub fn breaks_expression(line: &str) -> bool {
    begins_with(line, DECLARATIONS, "[")
        || begins_with(line, VERBS, "")
        || begins_with_equals(line, 0)
}

/// A comma at the end of the line before cannot have this line as its next entry. `at`, `every`
/// and `steady` may well begin a line of options.
#[must_use]
pub fn breaks_list(line: &str) -> bool {
    let options = matches!(word(skip_blanks(line, false)), "at" | "every" | "steady");
    (begins_with(line, DECLARATIONS, "[") || begins_with(line, VERBS, "\"")) && !options
}

/// The first token goes on with an `if`, and could not begin a statement.
#[must_use]
pub fn continues_choice(text: &str) -> bool {
    matches!(word(skip_blanks(text, false)), "then" | "else")
}

/// The first token is the brace of a block.
#[must_use]
pub fn opens_brace(text: &str) -> bool {
    skip_blanks(text, true).starts_with('{')
}

/// The line declares something that no `when`, `at`, `every` or `condition` may hold.
#[must_use]
pub fn declares_outside_blocks(line: &str) -> bool {
    let first = word(skip_blanks(line, false));
    let inside = matches!(first, "dose" | "no" | "next" | "history") || BLOCKS.contains(&first);
    begins_with(line, DECLARATIONS, "[") && !inside
}
