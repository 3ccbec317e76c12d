//! Lays the lower triangle of a square of figures out on paper: quantities in pairs.
//!
//! Enters: a matrix. Leaves: shapes with places. Panels are squares of one size; numbers and words
//! of an axis stand at the left and the lower rim alone, since panels of a column and of a row share
//! them.

use super::layout::{self, Drawn, Frame, Style};
use super::legend::{self, Legend};
use super::shapes::{Anchor, Picture, Rich, Shape};
use super::ticks::{self, Map, Ticks};
use super::{FigureError, Size, beside, data, sheet};
use crate::figure::{Axis, Figure, Matrix};

/// Width of the paper.
const WIDTH: f64 = 900.0;
/// Panels are no larger.
const LARGEST: f64 = 260.0;
/// Between panels.
const GAP: f64 = 10.0;

/// All shapes of a matrix.
///
/// # Errors
/// [`FigureError::NothingPositive`].
pub fn layout(matrix: &Matrix) -> Result<Picture, FigureError> {
    let count = matrix.rows.len().max(1);
    let whole = Style::for_paper(Size {
        width: WIDTH,
        height: WIDTH,
    });
    let style = style(count);
    let ranges = ranges(matrix)?;
    let left = left_room(matrix, &ranges, &style);
    let side = ((WIDTH - left - whole.gap - GAP * (count as f64 - 1.0)) / count as f64)
        .clamp(40.0, LARGEST);
    let width = left + whole.gap + count as f64 * side + (count as f64 - 1.0) * GAP;
    let title = Rich::marked(&matrix.title).shortened(whole.title, width - 2.0 * whole.gap);
    let top = match title.parts.is_empty() {
        true => whole.gap,
        false => whole.title * 1.5 + 1.5 * whole.gap,
    };
    let below = style.tick + style.small * 1.3 + style.label * 1.9;
    let height = top + count as f64 * side + (count as f64 - 1.0) * GAP + below;
    let legend = Legend::below(&entries(matrix), Size { width, height }, &whole);
    let size = Size {
        width,
        height: height + legend.height_below() + whole.gap,
    }
    .checked()?;
    let cell = |row: usize, column: usize| {
        let at = (
            left + column as f64 * (side + GAP),
            top + row as f64 * (side + GAP),
        );
        Frame {
            left: at.0,
            top: at.1,
            right: at.0 + side,
            bottom: at.1 + side,
        }
    };
    let mut shapes = Vec::new();
    for (row, panels) in matrix.rows.iter().enumerate() {
        for (column, figure) in panels.iter().enumerate() {
            let Some(range) = ranges.get(row).and_then(|row| row.get(column)) else {
                continue;
            };
            let place = Place {
                frame: cell(row, column),
                is_lowest: row + 1 == matrix.rows.len(),
                is_leftmost: column == 0,
                is_diagonal: column == row,
            };
            panel(&mut shapes, figure, *range, &place, &style);
        }
        let letters = matrix.above.get(row).map_or(&[][..], Vec::as_slice);
        for (at, letters) in letters.iter().enumerate() {
            shapes.push(in_the_middle(&cell(row, row + 1 + at), letters, &style));
        }
    }
    sheet::around(&mut shapes, (title, top), &legend, size, &whole);
    Ok(Picture {
        size,
        title: match matrix.title.is_empty() {
            true => names(matrix).join(", "),
            false => matrix.title.clone(),
        },
        shapes,
    })
}

/// Letters for panels of which so many stand side by side.
fn style(count: usize) -> Style {
    let side = WIDTH / count.max(2) as f64;
    Style::for_paper(Size {
        width: 2.2 * side,
        height: 1.5 * side,
    })
}

/// The names of the quantities, which stand below the columns.
fn names(matrix: &Matrix) -> Vec<&str> {
    let diagonal = matrix.rows.iter().filter_map(|row| row.last());
    diagonal.map(|panel| panel.x.label.as_str()).collect()
}

/// The legend's entries of all panels, each once.
pub fn entries(matrix: &Matrix) -> Vec<legend::Entry> {
    let panels = matrix.rows.iter().flatten();
    legend::entries(&Figure {
        series: panels.flat_map(|panel| panel.series.clone()).collect(),
        ..Figure::default()
    })
}

type Ranges = (data::Range, data::Range);

/// The ranges of both axes of every panel.
///
/// # Errors
/// [`FigureError::NothingPositive`].
pub fn ranges(matrix: &Matrix) -> Result<Vec<Vec<Ranges>>, FigureError> {
    let rows = matrix.rows.iter();
    rows.map(|row| row.iter().map(data::ranges).collect())
        .collect()
}

/// Room for the words and the numbers of the vertical axes.
fn left_room(matrix: &Matrix, ranges: &[Vec<Ranges>], style: &Style) -> f64 {
    let first = matrix.rows.iter().zip(ranges).skip(1);
    let widths = first.filter_map(|(row, ranges)| {
        let (figure, range) = row.first().zip(ranges.first())?;
        let ticks = along(&figure.y, range.1, |_| true);
        Some(layout::widest(&ticks, style.small))
    });
    let numbers = widths.fold(0.0, f64::max);
    style.gap + 1.5 * style.label + numbers + style.tick + 0.4 * style.gap
}

/// Ticks along the side of a panel.
const WANTED: usize = 3;

/// A small panel has no room for the power of ten beside its axis: the numbers take it in.
fn few(mut ticks: Ticks) -> Ticks {
    if ticks.exponent == 0 {
        return ticks;
    }
    let exponent = ticks.exponent;
    for tick in &mut ticks.ticks {
        if let Some(ticks::Label::Plain(text)) = &tick.label {
            let number: Option<f64> = text.replace('\u{2212}', "-").parse().ok();
            let whole = number.map(|number| number * 10_f64.powi(exponent));
            tick.label = whole.map(|whole| {
                let text = crate::render::table::number(whole, 3);
                ticks::Label::Plain(text.replace('-', "\u{2212}"))
            });
        }
    }
    ticks.exponent = 0;
    ticks
}

/// Where a panel stands.
struct Place {
    frame: Frame,
    is_lowest: bool,
    is_leftmost: bool,
    is_diagonal: bool,
}

fn panel(shapes: &mut Vec<Shape>, figure: &Figure, range: Ranges, place: &Place, style: &Style) {
    let frame = &place.frame;
    let (x_range, y_range) = range;
    let mut x_ticks = along(&figure.x, x_range, |ticks| {
        layout::labels_fit(ticks, frame.width(), style)
    });
    inside(&mut x_ticks, frame.width(), style);
    let mut y_ticks = along(&figure.y, y_range, |_| true);
    if place.is_diagonal {
        y_ticks = Ticks::default();
    }
    layout::draw_grid(shapes, frame, &x_ticks, &y_ticks);
    let words = |shown: bool, axis| match shown {
        true => layout::axis_text(axis, style.label, frame.width()),
        false => Rich::plain(""),
    };
    let mut x_words = words(place.is_lowest, &figure.x);
    let mut y_words = words(place.is_leftmost && !place.is_diagonal, &figure.y);
    if !place.is_lowest {
        without_labels(&mut x_ticks);
        x_words.parts.clear();
    }
    if !place.is_leftmost || place.is_diagonal {
        without_labels(&mut y_ticks);
        y_words.parts.clear();
    }
    let x = Drawn {
        map: Map::new(figure.x.scale, x_range.0, x_range.1),
        ticks: x_ticks,
        words: x_words,
    };
    let y = Drawn {
        map: Map::new(figure.y.scale, y_range.0, y_range.1),
        ticks: y_ticks,
        words: Rich::plain(""),
    };
    layout::draw_x_axis(shapes, frame, &x, style);
    layout::draw_y_axis(shapes, frame, &y, frame.top, style);
    if !y_words.parts.is_empty() {
        // At the rim of the paper, under each other.
        shapes.push(Shape::Text {
            at: (
                style.gap + style.label * 0.75,
                f64::midpoint(frame.top, frame.bottom),
            ),
            text: y_words,
            size: style.label,
            anchor: Anchor::Middle,
            upward: true,
            colour: layout::INK,
        });
    }
    let maps = (&x.map, &y.map);
    shapes.extend(beside::bands(figure, frame, maps));
    layout::draw_series(shapes, figure, frame, maps, style);
}

/// About three ticks whose numbers have room, but not a single one: it would show no scale.
fn along(axis: &Axis, range: data::Range, fits: impl Fn(&Ticks) -> bool) -> Ticks {
    let made = |wanted| few(ticks::ticks(axis.scale, range.0, range.1, wanted));
    let numbers = |ticks: &Ticks| ticks.ticks.iter().filter(|one| one.label.is_some()).count();
    let mut tried = [WANTED, WANTED + 1, WANTED + 2, WANTED + 3, 2]
        .map(made)
        .into_iter();
    tried
        .find(|ticks| numbers(ticks) > 1 && fits(ticks))
        .unwrap_or_else(|| made(1))
}

/// Numbers that reach into the panels beside are left out.
fn inside(ticks: &mut Ticks, room: f64, style: &Style) {
    for tick in &mut ticks.ticks {
        let half = 0.5 * layout::label_width(tick.label.as_ref(), style.small);
        let (low, high) = (tick.at * room - half, tick.at * room + half);
        if low < -0.5 * GAP || high > room + 0.5 * GAP {
            tick.label = None;
        }
    }
}

fn without_labels(ticks: &mut Ticks) {
    // Ticks that had numbers stay, the small ones between them do not.
    ticks.ticks.retain(|tick| tick.label.is_some());
    for tick in &mut ticks.ticks {
        tick.label = None;
    }
}

/// Letters in an empty cell.
fn in_the_middle(frame: &Frame, letters: &str, style: &Style) -> Shape {
    let at = (
        f64::midpoint(frame.left, frame.right),
        f64::midpoint(frame.top, frame.bottom) + style.label * 0.36,
    );
    layout::words(at, Rich::plain(letters), style.label, Anchor::Middle)
}
