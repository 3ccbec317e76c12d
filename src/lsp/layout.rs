//! The text in the layout of `lotka format`.

use super::document::{Document, SOURCE};
use crate::source::Span;
use crate::syntax::format::format;
use gen_lsp_types::TextEdit;

/// The lines that differ, as one change; none for a text that cannot be read.
pub(super) fn laid_out(document: &Document) -> Vec<TextEdit> {
    let before = document.text.as_ref();
    let Ok(after) = format(SOURCE, before) else {
        return Vec::new();
    };
    if after == before {
        return Vec::new();
    }
    // What stays is left alone, so that the cursor and marks in it stay where they are.
    let start = same_lines(before.split_inclusive('\n'), after.split_inclusive('\n'));
    let (Some(old), Some(new)) = (before.get(start..), after.get(start..)) else {
        return Vec::new();
    };
    let end = same_lines(
        old.split_inclusive('\n').rev(),
        new.split_inclusive('\n').rev(),
    );
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    vec![TextEdit {
        range: document.range(Span::new(SOURCE, start, start + old_end)),
        new_text: new.get(..new_end).unwrap_or("").to_owned(),
    }]
}

/// Bytes of the first lines that are the same.
fn same_lines<'t>(
    left: impl Iterator<Item = &'t str>,
    right: impl Iterator<Item = &'t str>,
) -> usize {
    let pairs = left.zip(right).take_while(|(left, right)| left == right);
    pairs.map(|(line, _)| line.len()).sum()
}
