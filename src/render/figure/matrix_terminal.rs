//! Draws a matrix of figures in character cells, side by side.
//!
//! Enters: a matrix and a width. Leaves: text. Each column has the name of its quantity below it
//! and the ends of its range; each row the name and the ends beside it. Must not know whether a
//! terminal is there.

use super::canvas::Canvas;
use super::matrix::{entries, ranges};
use super::terminal::{self, line};
use super::ticks::Map;
use super::{Colour, FigureError, data};
use crate::figure::{Axis, Matrix};
use crate::render::table::number;
use crate::render::words;

/// Cells of the narrowest panel.
const NARROWEST: usize = 6;
/// Cells of the widest panel.
const WIDEST: usize = 28;
/// Digits of the ends of an axis.
const DIGITS: usize = 3;

/// The whole drawing.
///
/// # Errors
/// [`FigureError::NothingPositive`].
pub fn text(matrix: &Matrix, width: usize, colour: Colour) -> Result<String, FigureError> {
    let ranges = ranges(matrix)?;
    let count = matrix.rows.len().max(1);
    let sides = sides(matrix, &ranges, width / 4);
    let margin = sides
        .iter()
        .flatten()
        .map(|side| words::width(side))
        .max()
        .unwrap_or(0);
    let room = width.saturating_sub(margin + 1 + count);
    let columns = (room / count).clamp(NARROWEST, WIDEST);
    // Cells are twice as high as wide.
    let lines = (columns / 2).max(4);
    let mut out = String::new();
    if !matrix.title.is_empty() {
        line(&mut out, &words::fit(&matrix.title, width));
    }
    for (row, panels) in matrix.rows.iter().enumerate() {
        let mut drawn = Vec::with_capacity(panels.len());
        for (column, figure) in panels.iter().enumerate() {
            let (x, y): (data::Range, data::Range) = ranges[row][column];
            let maps = (
                Map::new(figure.x.scale, x.0, x.1),
                Map::new(figure.y.scale, y.0, y.1),
            );
            let mut canvas = Canvas::new(columns, lines);
            terminal::draw_bare(&mut canvas, figure, (&maps.0, &maps.1));
            drawn.push(canvas);
        }
        let above = matrix.above.get(row).map_or(&[][..], Vec::as_slice);
        for at in 0..lines {
            let side = match at {
                0 => &sides[row][0],
                _ if at + 1 == lines => &sides[row][2],
                _ if at == lines / 2 => &sides[row][1],
                _ => "",
            };
            let mut text = words::right(side, margin);
            text.push(' ');
            for canvas in &drawn {
                text.push('│');
                text.push_str(&canvas.row(at, colour));
            }
            if at == lines / 2 {
                for letters in above {
                    // In a narrow panel the number alone.
                    let short = letters.rsplit(' ').next().unwrap_or(letters);
                    let fits = words::width(letters) < columns;
                    text.push(' ');
                    text.push_str(&centred(if fits { letters } else { short }, columns));
                }
            }
            line(&mut out, &text);
        }
        let rule = format!("└{}", "─".repeat(columns)).repeat(panels.len());
        line(&mut out, &format!("{} {rule}", " ".repeat(margin)));
    }
    write_below(&mut out, matrix, &ranges, (margin, columns));
    for text in terminal::legend_of(&entries(matrix), width, colour) {
        line(&mut out, &text);
    }
    Ok(out)
}

/// What stands beside each row: the upper end, the name, the lower end. The first row has numbers
/// below it alone.
fn sides(
    matrix: &Matrix,
    ranges: &[Vec<(data::Range, data::Range)>],
    most: usize,
) -> Vec<[String; 3]> {
    let rows = matrix.rows.iter().zip(ranges).enumerate();
    rows.map(|(at, (panels, ranges))| {
        let name = |axis: &Axis| words::fit(&axis.label, most);
        match (at, panels.first(), ranges.first(), panels.last()) {
            (0, _, _, Some(own)) => [String::new(), name(&own.x), String::new()],
            (_, Some(first), Some((_, y)), _) => {
                [number(y.1, DIGITS), name(&first.y), number(y.0, DIGITS)]
            }
            _ => Default::default(),
        }
    })
    .collect()
}

/// The ends and the names of the horizontal axes.
fn write_below(
    out: &mut String,
    matrix: &Matrix,
    ranges: &[Vec<(data::Range, data::Range)>],
    (margin, columns): (usize, usize),
) {
    let (Some(last), Some(ranges)) = (matrix.rows.last(), ranges.last()) else {
        return;
    };
    let mut ends = " ".repeat(margin + 1);
    let mut names = ends.clone();
    for (figure, (x, _)) in last.iter().zip(ranges) {
        let (low, high) = (number(x.0, DIGITS), number(x.1, DIGITS));
        let room = columns.saturating_sub(words::width(&low) + words::width(&high));
        let both = match room {
            // Two numbers that would run into each other tell less than none.
            0 => String::new(),
            _ => format!("{low}{}{high}", " ".repeat(room)),
        };
        ends.push_str(&format!(" {}", words::left(&both, columns)));
        let name = words::fit(&super::layout::axis_words(&figure.x), columns);
        names.push_str(&format!(" {}", centred(&name, columns)));
    }
    if !ends.trim().is_empty() {
        line(out, &ends);
    }
    line(out, &names);
}

fn centred(text: &str, columns: usize) -> String {
    let text = words::fit(text, columns);
    let before = columns.saturating_sub(words::width(&text)) / 2;
    words::left(&format!("{}{text}", " ".repeat(before)), columns)
}
