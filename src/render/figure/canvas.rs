//! Character cells that figures are drawn in: braille dots, two by four per cell, and signs.
//!
//! Enters: dots and signs at places. Leaves: lines of text. Must not know figures.

use super::data::Point;
use super::{Colour, palette};
use crate::figure::Mark;

/// Which dots of a curve are set: runs of drawn and empty dots.
pub(super) struct Pen {
    drawn: usize,
    empty: usize,
    at: usize,
    /// True for trajectories.
    thin: bool,
    /// The dot before.
    last: Option<(i64, i64)>,
}

impl Pen {
    pub(super) fn of(mark: Mark) -> Pen {
        let (drawn, empty) = match mark {
            Mark::Dashed => (4, 4),
            Mark::DashDot => (6, 2),
            Mark::Dotted => (1, 2),
            Mark::Thin => (1, 4),
            _ => (1, 0),
        };
        Pen {
            drawn,
            empty,
            at: 0,
            thin: mark == Mark::Thin,
            last: None,
        }
    }

    /// True when this dot is set; stretches of a curve share their ends.
    pub(super) fn sets(&mut self, dot: (i64, i64)) -> bool {
        if self.last.is_some_and(|last| last != dot) {
            self.at = (self.at + 1) % (self.drawn + self.empty);
        }
        self.last = Some(dot);
        self.at < self.drawn
    }
}

pub(super) fn paint(text: &str, index: usize, colour: Colour) -> String {
    match colour {
        Colour::Never => text.to_owned(),
        Colour::Always => {
            let code = palette::terminal_colour(index);
            format!("\u{1b}[38;5;{code}m{text}\u{1b}[0m")
        }
    }
}
/// Cells with braille dots and signs.
pub(super) struct Canvas {
    pub(super) columns: usize,
    pub(super) rows: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Cell {
    dots: u8,
    /// True when thin curves alone are drawn in it.
    thin: bool,
    sign: Option<char>,
    colour: usize,
}

/// Bits of the dots of a braille cell (Unicode block U+2800), by row and column.
const DOT_BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Canvas {
        Canvas {
            columns,
            rows,
            cells: vec![Cell::default(); columns * rows],
        }
    }

    pub(super) fn cell(&mut self, column: usize, row: usize) -> Option<&mut Cell> {
        if column < self.columns {
            self.cells.get_mut(row * self.columns + column)
        } else {
            None
        }
    }

    pub(super) fn is_free(&self, (column, row): (usize, usize)) -> bool {
        let cell = self.cells.get(row * self.columns + column);
        cell.is_some_and(|cell| cell.sign.is_none())
    }

    /// True when nothing but thin curves is drawn in a cell of the canvas, and nothing written.
    pub(super) fn is_blank(&self, (column, row): (usize, usize)) -> bool {
        if column >= self.columns {
            return true;
        }
        let cell = self.cells.get(row * self.columns + column);
        cell.is_some_and(|cell| cell.sign.is_none() && (cell.dots == 0 || cell.thin))
    }

    pub(super) fn dot_of(&self, point: Point) -> (i64, i64) {
        let across = (self.columns * 2) as f64 - 1.0;
        let down = (self.rows * 4) as f64 - 1.0;
        (
            (point.0 * across).round() as i64,
            ((1.0 - point.1) * down).round() as i64,
        )
    }

    pub(super) fn cell_of(&self, point: Point) -> (usize, usize) {
        let (x, y) = self.dot_of(point);
        (x.max(0) as usize / 2, y.max(0) as usize / 4)
    }

    /// Sets one dot and notes its cell on the curve's path.
    pub(super) fn dot(
        &mut self,
        (x, y): (i64, i64),
        (colour, thin): (usize, bool),
        path: &mut Vec<(usize, usize)>,
    ) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        let bit = DOT_BITS
            .get(y % 4)
            .and_then(|bits| bits.get(x % 2))
            .copied()
            .unwrap_or(0);
        if let Some(cell) = self.cell(x / 2, y / 4) {
            cell.thin = thin && (cell.dots == 0 || cell.thin);
            cell.dots |= bit;
            cell.colour = colour;
            if path.last() != Some(&(x / 2, y / 4)) {
                path.push((x / 2, y / 4));
            }
        }
    }

    /// Joins the points of a curve with straight dotted lines.
    pub(super) fn curve(
        &mut self,
        piece: &[Point],
        colour: usize,
        pen: &mut Pen,
        path: &mut Vec<(usize, usize)>,
    ) {
        if let [point] = piece {
            let (x, y) = self.dot_of(*point);
            self.dot((x, y), (colour, pen.thin), path);
        }
        for pair in piece.windows(2) {
            let [from, to] = pair else { continue };
            let (from, to) = (self.dot_of(*from), self.dot_of(*to));
            let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
            for step in 0..=steps {
                let part = step as f64 / steps as f64;
                let along = |from: i64, to: i64| from + ((to - from) as f64 * part).round() as i64;
                let dot = (along(from.0, to.0), along(from.1, to.1));
                if pen.sets(dot) {
                    self.dot(dot, (colour, pen.thin), path);
                }
            }
        }
    }

    pub(super) fn sign(&mut self, column: usize, row: usize, sign: char, colour: usize) {
        if let Some(cell) = self.cell(column, row) {
            cell.sign = Some(sign);
            cell.colour = colour;
        }
    }

    /// One line of the plot, colour codes around stretches of one colour.
    pub(super) fn row(&self, row: usize, colour: Colour) -> String {
        let start = row * self.columns;
        let cells = self.cells.get(start..start + self.columns).unwrap_or(&[]);
        let shown = |cell: &Cell| match (cell.sign, cell.dots) {
            (Some(sign), _) => sign,
            (None, 0) => ' ',
            (None, dots) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
        };
        let mut out = String::new();
        let hue = |cell: &Cell| (shown(cell) != ' ').then_some(cell.colour);
        for stretch in cells.chunk_by(|left, right| hue(left) == hue(right)) {
            let text: String = stretch.iter().map(shown).collect();
            match stretch.first().and_then(hue) {
                Some(index) => out.push_str(&paint(&text, index, colour)),
                None => out.push_str(&text),
            }
        }
        out
    }
}
