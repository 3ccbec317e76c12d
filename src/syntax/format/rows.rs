//! Lines under one another: columns that the author lined up, and comments at line ends.
//!
//! Enters: rows in order. Leaves: their text. Must not know the language.
//!
//! A column is lined up when two rows that follow one another had it at one place, and one of them
//! needed more than one blank for that; then all rows of the run have it at one place. Comments at
//! the ends of rows that follow one another always are.

use unicode_width::UnicodeWidthStr;

/// Where the rows of a run may be lined up, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// After the name of a reaction or an instance and its colon.
    Named,
    /// `=` or `~`
    Equals,
    /// The unit after a value.
    Unit,
    /// `in` before bounds.
    Bounds,
    /// The rate of a reaction.
    Law,
    /// The brace of a block on one line.
    Brace,
}

const STOPS: [Stop; 6] = [
    Stop::Named,
    Stop::Equals,
    Stop::Unit,
    Stop::Bounds,
    Stop::Law,
    Stop::Brace,
];

/// A part of a row that begins at a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it may be lined up.
    pub stop: Stop,
    /// Its text.
    pub text: String,
    /// Its column in the author's text.
    pub column: usize,
    /// More than one blank stood before it there.
    pub wide: bool,
    /// Blanks before it.
    pub pad: usize,
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// An empty line stands before it.
    pub blank: bool,
    /// Columns before it.
    pub indent: usize,
    /// Up to the first stop.
    pub text: String,
    /// From there on.
    pub parts: Vec<Part>,
    /// The comment at its end.
    pub comment: Option<String>,
    /// What it is; only rows of one shape are lined up. Nothing for rows that never are.
    pub shape: Option<String>,
}

impl Row {
    /// Columns up to and without the part `end`, which may be the number of parts.
    fn width(&self, end: usize) -> usize {
        let parts = self.parts.iter().take(end);
        let rest: usize = parts.map(|part| part.pad + part.text.width()).sum();
        self.indent + self.text.width() + rest
    }
}

/// The rows as text, lined up.
pub fn written(mut rows: Vec<Row>) -> String {
    let mut rest = rows.as_mut_slice();
    while !rest.is_empty() {
        let more = rest.windows(2).take_while(|pair| goes_on(pair)).count();
        let (run, after) = rest.split_at_mut((more + 1).min(rest.len()));
        for stop in STOPS {
            line_up(run, stop);
        }
        rest = after;
    }
    let columns = comment_columns(&rows);
    let mut out = String::new();
    for (at, (row, column)) in rows.iter().zip(columns).enumerate() {
        if row.blank && at > 0 {
            out.push('\n');
        }
        out.push_str(&" ".repeat(row.indent));
        out.push_str(&row.text);
        for part in &row.parts {
            out.push_str(&" ".repeat(part.pad));
            out.push_str(&part.text);
        }
        if let Some(comment) = &row.comment {
            let width = row.width(row.parts.len());
            out.push_str(&" ".repeat(column.saturating_sub(width)));
            out.push_str(comment);
        }
        out.push('\n');
    }
    out
}

/// The second row belongs to the run of the first.
fn goes_on(pair: &[Row]) -> bool {
    match pair {
        [above, below] => {
            !below.blank
                && above.shape.is_some()
                && above.shape == below.shape
                && above.indent == below.indent
        }
        _ => false,
    }
}

fn line_up(run: &mut [Row], stop: Stop) {
    let places: Vec<(usize, usize)> = run
        .iter()
        .enumerate()
        .filter_map(|(at, row)| Some((at, row.parts.iter().position(|part| part.stop == stop)?)))
        .collect();
    let part = |(row, part): (usize, usize)| run.get(row).and_then(|row| row.parts.get(part));
    let lined_up = places.windows(2).any(|pair| match pair {
        [above, below] => match (part(*above), part(*below)) {
            (Some(above), Some(below)) => {
                above.column == below.column && (above.wide || below.wide)
            }
            _ => false,
        },
        _ => false,
    });
    if !lined_up {
        return;
    }
    let width = |(row, part): (usize, usize)| run.get(row).map_or(0, |row| row.width(part));
    let column = places.iter().map(|place| width(*place)).max().unwrap_or(0) + 1;
    for (row, part) in places {
        let Some(row) = run.get_mut(row) else {
            continue;
        };
        let width = row.width(part);
        if let Some(part) = row.parts.get_mut(part) {
            part.pad = column.saturating_sub(width).max(1);
        }
    }
}

/// For each row the column of its comment: two after the longest of the rows around it that have
/// a comment, too.
fn comment_columns(rows: &[Row]) -> Vec<usize> {
    let mut columns = Vec::with_capacity(rows.len());
    while let Some(row) = rows.get(columns.len()) {
        let rest = rows.get(columns.len()..).unwrap_or(&[]);
        let run = 1 + rest
            .windows(2)
            .take_while(|pair| match pair {
                [above, below] => {
                    !below.blank
                        && above.indent == below.indent
                        && above.comment.is_some()
                        && below.comment.is_some()
                }
                _ => false,
            })
            .count();
        let widths = rest.iter().take(run).map(|row| row.width(row.parts.len()));
        let column = widths.max().unwrap_or(row.indent) + 2;
        columns.extend(std::iter::repeat_n(column, run));
    }
    columns
}
