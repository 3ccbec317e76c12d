//! Numbers that are none: points without digits, exponents without digits, names that touch.
//!
//! Enters: what stands at a fault. Leaves: a diagnostic, or nothing where it is none of these. Must not
//! know the grammar.

use super::super::starts::word;
use super::super::words::continues_name;
use super::Found;
use crate::diagnostic::{Code, Diagnostic};

/// `5.` and `.5`
pub(super) fn bad_point(found: &Found) -> Option<Diagnostic> {
    if !found.rest.starts_with('.') || found.rest.starts_with("..") {
        return None;
    }
    let before = if found.touches() { found.before } else { "" };
    let start = before
        .trim_end_matches(|c: char| c.is_ascii_digit() || c == '_')
        .len();
    let (span, written, better) = if start < before.len() {
        let digits = before.get(start..)?;
        let span = found.span(start, found.at + 1);
        (span, format!("{digits}."), format!("{digits}.0"))
    } else {
        let fraction = found.rest.get(1..)?;
        if !fraction.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let length = 1 + number_length(fraction);
        let written = found.rest.get(..length)?;
        (
            found.here(length),
            written.to_owned(),
            format!("0{written}"),
        )
    };
    Some(
        Diagnostic::new(Code::BadNumber, format!("`{written}` is not a number"))
            .at(span, "a digit is missing")
            .help(format!(
                "write `{better}`: a digit stands on both sides of the point"
            )),
    )
}

/// Digits, points and letters in an order that no number has.
pub(super) fn bad_number(found: &Found) -> Option<Diagnostic> {
    if !found.rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (number, rest) = found.rest.split_at_checked(leading_number(found.rest))?;
    let name = word(rest);
    // `1e` lacks its exponent; any other name lacks an operator.
    if !name.is_empty() && !name.starts_with('_') && !matches!(name, "e" | "E") {
        return Some(
            Diagnostic::new(
                Code::MissingOperator,
                "an operator is missing between two values",
            )
            .at(found.here(number.len() + name.len()), "a number and a name")
            .help(format!("write `{number}*{name}`")),
        );
    }
    let written = found.rest.get(..number_length(found.rest))?;
    let help = match written.matches('.').count() {
        _ if written.ends_with(['e', 'E']) => "an exponent needs digits: `1e-3`",
        2.. => "a number has one point",
        _ if written.contains('_') => "an underscore stands between digits: `1_000`",
        _ => return None,
    };
    Some(
        Diagnostic::new(Code::BadNumber, format!("`{written}` is not a number"))
            .at(found.here(written.len()), "read as one number")
            .help(help),
    )
}

/// Bytes of the longest run of digits, letters and single points.
pub(super) fn number_length(text: &str) -> usize {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        let after = text.get(at + 1..).unwrap_or("");
        let point = c == '.' && after.starts_with(|c: char| c.is_ascii_digit());
        if !(continues_name(c) || point) {
            break;
        }
        length = at + c.len_utf8();
    }
    length
}

/// Bytes of the number at the start: digits, a point with digits, an exponent with digits.
fn leading_number(text: &str) -> usize {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after = |at: usize| text.get(at..).unwrap_or("");
    let mut length = digits(text);
    if let Some(fraction) = after(length).strip_prefix('.')
        && digits(fraction) > 0
    {
        length += 1 + digits(fraction);
    }
    if let Some(exponent) = after(length).strip_prefix(['e', 'E']) {
        let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits(signed) > 0 {
            length += 1 + (exponent.len() - signed.len()) + digits(signed);
        }
    }
    length
}
