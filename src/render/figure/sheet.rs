//! Lays a sheet of several figures out on paper: a grid of panels with one legend below.
//!
//! Enters: a sheet. Leaves: shapes with places. All panels have the same size.

use super::layout::{self, Style};
use super::legend::{self, Entry, Legend};
use super::shapes::{Anchor, Picture, Rich, Shape};
use super::{FigureError, Size};
use crate::figure::{Figure, Sheet, SheetShape};

/// Width of the paper.
const WIDTH: f64 = 900.0;
/// Height of a panel for its width.
const SHAPE: f64 = 0.86;
/// Height of a wide panel for its width.
const WIDE_SHAPE: f64 = 0.3;
/// The same of wide panels in two columns.
const HALF_SHAPE: f64 = 0.45;
/// Wide panels in one column, at most.
const MOST_BELOW: usize = 4;

/// Panels side by side, for so many of them.
fn columns(panels: usize, shape: SheetShape) -> usize {
    match (shape, panels) {
        (_, 0 | 1) => 1,
        (SheetShape::Wide, ..=MOST_BELOW) => 1,
        (SheetShape::Wide, _) | (SheetShape::Square, 2 | 4) => 2,
        (SheetShape::Square, 3 | 5..=9) => 3,
        (SheetShape::Square, _) => 4,
    }
}

/// The paper of each of so many panels.
fn panel(shape: SheetShape, across: usize) -> Size {
    let paper = match (shape, across) {
        (SheetShape::Square, 1) => 720.0,
        _ => WIDTH,
    };
    let width = paper / across as f64;
    let height = match (shape, across) {
        (SheetShape::Square, _) => (width * SHAPE).min(480.0),
        (SheetShape::Wide, 1) => width * WIDE_SHAPE,
        (SheetShape::Wide, _) => width * HALF_SHAPE,
    };
    Size { width, height }
}

/// The legend's entries of all panels, each once.
pub fn entries(sheet: &Sheet) -> Vec<Entry> {
    let all = Figure {
        series: (sheet.panels.iter())
            .flat_map(|panel| panel.series.iter().cloned())
            .collect(),
        ..Figure::default()
    };
    legend::entries(&all)
}

/// All shapes of a sheet.
///
/// # Errors
/// [`FigureError::NothingPositive`]; [`FigureError::Size`] for more panels than fit a paper.
pub fn layout(sheet: &Sheet) -> Result<Picture, FigureError> {
    let count = sheet.panels.len().max(1);
    let across = columns(count, sheet.shape);
    let down = count.div_ceil(across);
    let panel = panel(sheet.shape, across);
    let width = panel.width * across as f64;
    let whole = Style::for_paper(Size {
        width,
        height: width,
    });
    let style = Style::for_paper(panel);
    let title = Rich::marked(&sheet.title).shortened(whole.title, width - 2.0 * whole.gap);
    let top = if title.parts.is_empty() {
        0.0
    } else {
        whole.title * 1.5 + whole.gap
    };
    let paper = Size {
        width,
        height: 480.0 * down as f64,
    };
    let legend = Legend::below(&entries(sheet), paper, &whole);
    let size = Size {
        width,
        height: top + panel.height * down as f64 + legend.height_below() + whole.gap,
    }
    .checked()?;
    let none = Legend::below(&[], panel, &style);
    let mut shapes = Vec::new();
    for (index, figure) in sheet.panels.iter().enumerate() {
        let (column, row) = (index % across, index / across);
        let corner = (column as f64 * panel.width, top + row as f64 * panel.height);
        let drawn = layout::with_legend(figure, panel, &style, &none)?;
        shapes.extend(drawn.shapes.into_iter().map(|shape| shape.moved(corner)));
    }
    around(&mut shapes, (title, top), &legend, size, &whole);
    let titles: Vec<&str> = sheet
        .panels
        .iter()
        .map(|panel| panel.title.as_str())
        .filter(|title| !title.is_empty())
        .collect();
    Ok(Picture {
        size,
        title: if sheet.title.is_empty() {
            titles.join(", ")
        } else {
            sheet.title.clone()
        },
        shapes,
    })
}

/// The title above panels that begin at `top`, and the legend below them.
pub(super) fn around(
    shapes: &mut Vec<Shape>,
    (title, top): (Rich, f64),
    legend: &Legend,
    size: Size,
    style: &Style,
) {
    let frame = layout::Frame {
        left: style.gap,
        top,
        right: size.width - style.gap,
        bottom: size.height - legend.height_below(),
    };
    legend.draw(shapes, &frame, size, style);
    if !title.parts.is_empty() {
        let at = (size.width / 2.0, style.gap + style.title * 0.75);
        shapes.push(layout::words(at, title, style.title, Anchor::Middle));
    }
}
