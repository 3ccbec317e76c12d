//! Text measured and cut in terminal columns.
//!
//! Enters: any text. Leaves: the same without control characters, shortened or padded to a
//! number of columns. Must not know what it says.

use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text with control characters (line breaks, escape codes) turned into spaces.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text in at most `columns` columns, cut with "…" where it is longer.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        kept.push(character);
    }
    kept.push('…');
    kept
}

/// The text broken at spaces into lines of at most `columns` columns, where words allow; every line
/// after the first begins with `indent`.
#[must_use]
pub fn wrapped(text: &str, columns: usize, indent: &str) -> String {
    let words = text.trim_start_matches(' ');
    let before = text.len() - words.len();
    let mut out = " ".repeat(before);
    let mut used = before;
    for (at, word) in words.split(' ').enumerate() {
        let wide = width(word);
        if at == 0 {
            used += wide;
        } else if used + 1 + wide > columns {
            out.push('\n');
            out.push_str(indent);
            used = width(indent) + wide;
        } else {
            out.push(' ');
            used += 1 + wide;
        }
        out.push_str(word);
    }
    out
}

/// The text with spaces before it up to `columns` columns.
#[must_use]
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text with spaces after it up to `columns` columns.
#[must_use]
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("one two three", 7, "  "), "one two\n  three");
        assert_eq!(wrapped("  one two", 80, ""), "  one two");
        assert_eq!(wrapped("unbreakable word", 4, ""), "unbreakable\nword");
        assert_eq!(wrapped("", 4, ""), "");
    }

    #[test]
    fn cutting_counts_columns_not_bytes() {
        assert_eq!(fit("αβγδε", 5), "αβγδε");
        assert_eq!(fit("αβγδε", 4), "αβγ…");
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit("a\nb\u{1b}[31m", 20), "a b [31m");
    }
}
