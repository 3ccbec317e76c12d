//! Draws grids of numbers in character cells: colours where there are any, else letters from light
//! to heavy.
//!
//! Enters: fields and a number of columns and lines. Leaves: text.

use super::field::{Cells, Shade, colour};
use super::layout::axis_words;
use super::terminal::{labels, line, row_of, write_x_axis};
use super::{Colour, ticks};
use crate::figure::{Field, Fields};
use crate::render::table::number;
use crate::render::words;

/// From the lowest to the highest number.
const SIGNS: [char; 10] = ['.', ':', '-', '=', '+', 'o', 'x', '#', '%', '@'];
/// Numbers that are not there.
const MISSING: char = ' ';
/// Digits of the numbers in the key.
const DIGITS: usize = 4;

/// All panels, one below the other.
pub fn text(fields: &Fields, width: usize, height: usize, colour: Colour) -> String {
    let (width, height) = (width.clamp(30, 1000), height.clamp(8, 500));
    let drawn = fields
        .panels
        .iter()
        .map(|field| panel(field, width, height, colour));
    let title = if fields.title.is_empty() {
        String::new()
    } else {
        format!("{}\n\n", words::fit(&fields.title, width))
    };
    title + &drawn.collect::<Vec<_>>().join("\n")
}

fn panel(field: &Field, width: usize, height: usize, with: Colour) -> String {
    let (across, up) = (
        Cells::new(&field.columns, field.x.scale),
        Cells::new(&field.rows, field.y.scale),
    );
    let shade = Shade::new(field);
    // Title, words of the axes, the axis with its numbers, and the key.
    let rows = height.saturating_sub(6).max(3);
    let wanted = (rows / 2).clamp(2, 8);
    let ticks = ticks::ticks(field.y.scale, up.range.0, up.range.1, wanted);
    let y_labels = labels(&ticks);
    let widths = y_labels.iter().map(|(_, text)| words::width(text));
    let margin = widths.max().unwrap_or(0).min(width / 3);
    let columns = width - margin - 2;
    let mut out = String::new();
    line(&mut out, &words::fit(&field.title, width));
    line(&mut out, &words::fit(&axis_words(&field.y), width));
    for row in 0..rows {
        let mut known = y_labels.iter().rev();
        let label = known.find(|(at, _)| row_of(*at, rows) == row);
        let text = label.map_or("", |(_, text)| text.as_str());
        let axis = if label.is_some() { '┤' } else { '│' };
        let text = words::right(&words::fit(text, margin), margin);
        let numbers = field.values.get(up.at(middle(rows - 1 - row, rows)));
        let cells = (0..columns).map(|column| {
            let at = across.at(middle(column, columns));
            let value = numbers.and_then(|numbers| numbers.get(at)).copied();
            value.and_then(|value| shade.part(value))
        });
        line(&mut out, &format!("{text} {axis}{}", painted(cells, with)));
    }
    write_x_axis(&mut out, &field.x, across.range, margin, columns);
    let x_words = words::fit(&axis_words(&field.x), width);
    let before = margin + 2 + columns.saturating_sub(words::width(&x_words)) / 2;
    let before = before.min(width.saturating_sub(words::width(&x_words)));
    line(&mut out, &format!("{}{x_words}", " ".repeat(before)));
    line(&mut out, &key(&shade, with));
    out
}

/// The middle of one of so many equal parts.
fn middle(at: usize, of: usize) -> f64 {
    (at as f64 + 0.5) / of.max(1) as f64
}

fn sign(part: Option<f64>) -> char {
    part.map_or(MISSING, |part| {
        let at = (part * SIGNS.len() as f64) as usize;
        SIGNS
            .get(at.min(SIGNS.len() - 1))
            .copied()
            .unwrap_or(MISSING)
    })
}

fn painted(cells: impl Iterator<Item = Option<f64>>, with: Colour) -> String {
    match with {
        Colour::Never => cells.map(sign).collect(),
        Colour::Always => cells.map(block).collect::<String>() + "\u{1b}[0m",
    }
}

/// A coloured space.
fn block(part: Option<f64>) -> String {
    if part.is_none() {
        return "\u{1b}[0m ".to_owned();
    }
    let (red, green, blue) = colour(part);
    format!("\u{1b}[48;2;{red};{green};{blue}m ")
}

/// `3.2 .:-=+ox#%@ 45.1`
fn key(shade: &Shade, with: Colour) -> String {
    let (low, high) = shade.range;
    let cells = (0..2 * SIGNS.len()).map(|at| Some(middle(at, 2 * SIGNS.len())));
    format!(
        "{} {} {}",
        number(low, DIGITS),
        painted(cells, with),
        number(high, DIGITS)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_row_stands_on_top() {
        let field = Field {
            columns: vec![0.0, 1.0],
            rows: vec![0.0, 1.0],
            values: vec![vec![0.0, 0.0], vec![1.0, f64::NAN]],
            ..Field::default()
        };
        let fields = Fields {
            panels: vec![field],
            ..Fields::default()
        };
        let text = text(&fields, 40, 12, Colour::Never);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.contains(['┤', '│']))
            .collect();
        let first = lines.first().expect("a row");
        assert!(first.contains("@@") && !first.contains('.'), "{text}");
        assert!(lines.last().expect("a row").contains(".."), "{text}");
    }
}
