//! Cuts long lines around the places that a diagnostic speaks of.
//!
//! Enters: a text and ranges of its bytes. Leaves: the text with long lines shortened, and where
//! each byte went. Must not know what the ranges mean.

/// A text with its long lines cut.
pub struct Cut {
    /// The text; as many lines as before.
    pub text: String,
    /// One entry per line, in order.
    lines: Vec<CutLine>,
}

/// Which part of a line is kept, and where it went.
struct CutLine {
    /// First byte of the whole line.
    old: usize,
    /// First byte of the kept part, and one past its last.
    kept: (usize, usize),
    /// Where the line starts in the cut text, and where its kept part does.
    new: usize,
    new_kept: usize,
}

impl Cut {
    /// Cuts every line longer than `most` characters around the first of the `labels` (ranges of
    /// bytes) that begins on it.
    pub fn new(text: &str, labels: &[(usize, usize)], most: usize) -> Cut {
        let mut cut = Cut {
            text: String::with_capacity(text.len()),
            lines: Vec::new(),
        };
        let mut old = 0;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            let here = |label: &&(usize, usize)| (old..=old + bare.len()).contains(&label.0);
            let focus = labels
                .iter()
                .find(here)
                .map_or((0, 0), |(start, end)| (start - old, end - old));
            let (from, to) = window(bare, focus, most);
            let new = cut.text.len();
            if from > 0 {
                cut.text.push('…');
            }
            let new_kept = cut.text.len();
            let kept = bare.get(from..to).unwrap_or("");
            // Escape codes in a source must not reach the terminal.
            let harmless = |c: char| {
                if c.is_ascii_control() && c != '\t' {
                    '?'
                } else {
                    c
                }
            };
            cut.text.extend(kept.chars().map(harmless));
            if to < bare.len() {
                cut.text.push('…');
            }
            if line.ends_with('\n') {
                cut.text.push('\n');
            }
            cut.lines.push(CutLine {
                old,
                kept: (old + from, old + to),
                new,
                new_kept,
            });
            old += line.len();
        }
        cut
    }

    /// Where a byte of the whole text stands in the cut one; bytes cut away stand at the "…".
    pub fn moved(&self, offset: usize) -> usize {
        let after = self.lines.partition_point(|line| line.old <= offset);
        let Some(line) = after.checked_sub(1).and_then(|index| self.lines.get(index)) else {
            return 0;
        };
        let (from, to) = line.kept;
        if offset < from {
            line.new
        } else {
            (line.new_kept + (offset.min(to) - from)).min(self.text.len())
        }
    }
}

/// The bytes of a line that are shown when at most `most` characters may be: around the label
/// that covers the bytes `focus`.
fn window(line: &str, focus: (usize, usize), most: usize) -> (usize, usize) {
    let most = most.max(20);
    if line.len() <= most || line.chars().count() <= most {
        return (0, line.len());
    }
    let boundaries: Vec<usize> = line
        .char_indices()
        .map(|(at, _)| at)
        .chain([line.len()])
        .collect();
    let index_of = |byte: usize| boundaries.partition_point(|at| *at < byte);
    let (start, end) = (index_of(focus.0), index_of(focus.1));
    let count = boundaries.len() - 1;
    // The label in the middle; a label too long for the window shows its beginning.
    let before = (most - 2).saturating_sub(end.saturating_sub(start)) / 2;
    let first = start.saturating_sub(before.max(4));
    let first = first.min(count.saturating_sub(most - 2));
    let last = (first + most - 2).min(count);
    let byte = |index: usize| boundaries.get(index).copied().unwrap_or(line.len());
    (byte(first), byte(last))
}
