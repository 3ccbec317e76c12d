//! Lays grids of coloured cells over two axes out on paper.
//!
//! Enters: fields. Leaves: shapes with places; each panel has axes and a colour bar of its own.
//! Must not know SVG or pixels of a raster.
//!
//! The colours are those of viridis (S. van der Walt & N. Smith, 2015, in the public domain): as
//! bright as the numbers are high, also in print and for people with any kind of colour blindness.

use super::Size;
use super::colours::{BAR, EDGE, blend, colour_bar, outline};
use super::layout::{Frame, Style, axis_words, label_text, sharp, straight, widest, words};
use super::palette::Rgb;
use super::shapes::{Anchor, Picture, Rich, Shape};
use super::ticks::{self, Map, Ticks};
use crate::figure::{Axis, Field, Fields, Scale};

/// From the lowest to the highest number, at even distances.
const COLOURS: [Rgb; 11] = [
    (0x44, 0x01, 0x54),
    (0x48, 0x24, 0x75),
    (0x41, 0x44, 0x87),
    (0x35, 0x5f, 0x8d),
    (0x2a, 0x78, 0x8e),
    (0x21, 0x91, 0x8c),
    (0x22, 0xa8, 0x84),
    (0x44, 0xbf, 0x70),
    (0x7a, 0xd1, 0x51),
    (0xbd, 0xdf, 0x26),
    (0xfd, 0xe7, 0x25),
];
/// For numbers that are not there.
const MISSING: Rgb = (0xc8, 0xc8, 0xc8);
const INK: Rgb = super::layout::INK;
/// Different colours: neighbours of the same one are drawn as one cell.
const SHADES: f64 = 255.0;
/// Cells along an axis; a finer grid is drawn with every second, third, ... of its numbers.
const MOST_CELLS: usize = 400;
/// Panels side by side.
const ACROSS: usize = 2;

/// All shapes of fields.
pub fn layout(fields: &Fields) -> Picture {
    let count = fields.panels.len().max(1);
    let across = count.min(ACROSS);
    let panel = match across {
        1 => Size::default(),
        _ => Size {
            width: 540.0,
            height: 400.0,
        },
    };
    let style = Style::for_paper(Size::default());
    let top = if fields.title.is_empty() {
        0.0
    } else {
        style.title * 1.5 + style.gap
    };
    let size = Size {
        width: panel.width * across as f64,
        height: top + panel.height * count.div_ceil(across) as f64,
    };
    let mut shapes = Vec::new();
    if !fields.title.is_empty() {
        let text = Rich::marked(&fields.title).shortened(style.title, size.width - 2.0 * style.gap);
        let at = (size.width / 2.0, style.gap + style.title * 0.75);
        shapes.push(words(at, text, style.title, Anchor::Middle));
    }
    for (index, field) in fields.panels.iter().enumerate() {
        let (column, row) = (index % across, index / across);
        let corner = (column as f64 * panel.width, top + row as f64 * panel.height);
        let drawn = draw_panel(field, panel, &Style::for_paper(panel));
        shapes.extend(drawn.into_iter().map(|shape| shape.moved(corner)));
    }
    let titles: Vec<&str> = fields
        .panels
        .iter()
        .map(|field| field.title.as_str())
        .collect();
    Picture {
        size,
        title: if fields.title.is_empty() {
            titles.join(", ")
        } else {
            fields.title.clone()
        },
        shapes,
    }
}

/// The cells of one axis: a range, and the edge after each cell on its way from 0 to 1.
pub(super) struct Cells {
    pub range: (f64, f64),
    /// One more than there are cells.
    edges: Vec<f64>,
}

impl Cells {
    /// Edges in the middle between places; the outer cells are as wide on both sides.
    pub fn new(places: &[f64], scale: Scale) -> Cells {
        let inward = |place: f64| match scale {
            Scale::Linear | Scale::Hidden => place,
            Scale::Logarithmic => place.log10(),
        };
        let outward = |place: f64| match scale {
            Scale::Linear | Scale::Hidden => place,
            Scale::Logarithmic => 10.0_f64.powf(place),
        };
        let places: Vec<f64> = places.iter().map(|place| inward(*place)).collect();
        let mut edges = Vec::with_capacity(places.len() + 1);
        match places.as_slice() {
            [] => edges.extend([0.0, 1.0]),
            [only] => edges.extend([only - 0.5, only + 0.5]),
            [first, second, ..] => {
                edges.push(first - (second - first) / 2.0);
                let pairs = places.windows(2);
                edges.extend(pairs.map(|pair| pair.iter().sum::<f64>() / 2.0));
                if let [.., before, last] = places.as_slice() {
                    edges.push(last + (last - before) / 2.0);
                }
            }
        }
        let (low, high) = (
            edges.first().copied().unwrap_or(0.0),
            edges.last().copied().unwrap_or(1.0),
        );
        Cells {
            range: (outward(low), outward(high)),
            edges: edges
                .iter()
                .map(|edge| (edge - low) / (high - low))
                .collect(),
        }
    }

    /// The cell at a part of the way from 0 to 1.
    pub fn at(&self, part: f64) -> usize {
        let passed = self.edges.partition_point(|edge| *edge <= part);
        passed
            .saturating_sub(1)
            .min(self.edges.len().saturating_sub(2))
    }

    /// Pieces of the way that are drawn, each with its cell.
    fn pieces(&self) -> Vec<(usize, f64, f64)> {
        let cells = self.edges.len().saturating_sub(1);
        if cells > MOST_CELLS {
            let part = 1.0 / MOST_CELLS as f64;
            let piece = |k: usize| {
                let from = k as f64 * part;
                (self.at(from + part / 2.0), from, from + part)
            };
            return (0..MOST_CELLS).map(piece).collect();
        }
        let pairs = self.edges.windows(2).enumerate();
        pairs
            .filter_map(|(cell, pair)| Some((cell, *pair.first()?, *pair.last()?)))
            .collect()
    }
}

/// From the lowest to the highest number of a field, and how colours lie between them.
pub(super) struct Shade {
    /// The ends of the colour bar.
    pub range: (f64, f64),
    pub scale: Scale,
    map: Map,
}

impl Shade {
    /// The colours of a field; a logarithmic scale needs positive numbers.
    pub fn new(field: &Field) -> Shade {
        let positive = |value: f64| field.scale != Scale::Logarithmic || value > 0.0;
        let numbers = field.values.iter().flatten().copied();
        let (mut low, mut high) = numbers
            .filter(|value| value.is_finite() && positive(*value))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let scale = if low <= high {
            field.scale
        } else {
            Scale::Linear
        };
        if low > high {
            (low, high) = (0.0, 1.0);
        } else if high - low <= 1e-12 * high.abs().max(low.abs()) {
            // All alike: the middle colour.
            (low, high) = match scale {
                Scale::Logarithmic => (low / 2.0, high * 2.0),
                Scale::Linear if low == 0.0 => (-1.0, 1.0),
                Scale::Linear | Scale::Hidden => (low - low.abs() / 2.0, high + high.abs() / 2.0),
            };
        }
        Shade {
            range: (low, high),
            scale,
            map: Map::new(scale, low, high),
        }
    }

    /// Where a number lies, from 0 to 1; `None` when it is not there.
    pub fn part(&self, value: f64) -> Option<f64> {
        let part = self.map.place(value);
        part.is_finite().then(|| part.clamp(0.0, 1.0))
    }

    fn ticks(&self, height: f64, style: &Style) -> Ticks {
        let wanted = ((height / (style.small * 3.0)) as usize).clamp(3, 9);
        ticks::ticks(self.scale, self.range.0, self.range.1, wanted)
    }
}

/// The colour of a part of the way from the lowest to the highest number.
pub(super) fn colour(part: Option<f64>) -> Rgb {
    let Some(part) = part else { return MISSING };
    blend(&COLOURS, (part * SHADES).round() / SHADES).unwrap_or(MISSING)
}

fn draw_panel(field: &Field, size: Size, style: &Style) -> Vec<Shape> {
    let (across, up) = (
        Cells::new(&field.columns, field.x.scale),
        Cells::new(&field.rows, field.y.scale),
    );
    let shade = Shade::new(field);
    let top = style.gap + style.title * 1.5;
    let bottom = size.height - style.gap - style.label * 1.5 - style.tick - style.small * 1.3;
    let y_wanted = (((bottom - top) / (style.small * 3.6)) as usize).max(2);
    let y_ticks = ticks::ticks(field.y.scale, up.range.0, up.range.1, y_wanted);
    let bar_ticks = shade.ticks(bottom - top, style);
    let left = style.gap + style.label * 1.5 + widest(&y_ticks, style.small) + style.tick * 2.0;
    let beside = style.gap * 1.2 + BAR + style.tick + style.gap * 0.3;
    let frame = Frame {
        left,
        top,
        right: size.width - style.gap - beside - widest(&bar_ticks, style.small),
        bottom,
    };
    let mut shapes = Vec::new();
    let title = Rich::marked(&field.title).shortened(style.label, frame.width());
    let at = (frame.left, top - style.label * 0.6);
    shapes.push(words(at, title, style.label, Anchor::Start));
    draw_cells(&mut shapes, field, (&across, &up), &shade, &frame);
    outline(&mut shapes, &frame);
    let x_wanted = ((frame.width() / (style.small * 5.0)) as usize).clamp(2, 10);
    let x_ticks = ticks::ticks(field.x.scale, across.range.0, across.range.1, x_wanted);
    draw_x_axis(&mut shapes, (&field.x, &x_ticks), &frame, style);
    draw_y_axis(&mut shapes, (&field.y, &y_ticks), &frame, style);
    let coloured = |part| colour(Some(part));
    colour_bar(&mut shapes, &bar_ticks, &frame, style, &coloured);
    shapes
}

/// The cells; neighbours in a row of one colour are one shape.
fn draw_cells(
    shapes: &mut Vec<Shape>,
    field: &Field,
    (across, up): (&Cells, &Cells),
    shade: &Shade,
    frame: &Frame,
) {
    let columns = across.pieces();
    for (row, from, to) in up.pieces() {
        let values = field.values.get(row).map_or(&[][..], Vec::as_slice);
        let coloured = |(column, ..): &(usize, f64, f64)| {
            colour(values.get(*column).and_then(|value| shade.part(*value)))
        };
        let (lower, upper) = (frame.place((0.0, from)).1, frame.place((0.0, to)).1);
        for stretch in columns.chunk_by(|a, b| coloured(a) == coloured(b)) {
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else {
                continue;
            };
            let (begin, end) = (frame.place((first.1, 0.0)).0, frame.place((last.2, 0.0)).0);
            shapes.push(Shape::Rectangle {
                at: (begin, upper),
                size: (end - begin, lower - upper),
                colour: coloured(first),
            });
        }
    }
}

fn draw_x_axis(
    shapes: &mut Vec<Shape>,
    (axis, ticks): (&Axis, &Ticks),
    frame: &Frame,
    style: &Style,
) {
    let base = sharp(frame.bottom);
    for tick in &ticks.ticks {
        let at = sharp(frame.left + tick.at * frame.width());
        let long = if tick.label.is_some() { 1.0 } else { 0.6 };
        shapes.push(straight(
            (at, base),
            (at, base + style.tick * long),
            EDGE,
            1.0,
        ));
        let Some(label) = &tick.label else { continue };
        let place = (at, base + style.tick + style.small * 1.1);
        shapes.push(words(place, label_text(label), style.small, Anchor::Middle));
    }
    let below = base + style.tick + style.small * 1.3 + style.label * 1.1;
    let text = Rich::marked(&with_power(axis, ticks)).shortened(style.label, frame.width());
    let middle = f64::midpoint(frame.left, frame.right);
    shapes.push(words((middle, below), text, style.label, Anchor::Middle));
}

fn draw_y_axis(
    shapes: &mut Vec<Shape>,
    (axis, ticks): (&Axis, &Ticks),
    frame: &Frame,
    style: &Style,
) {
    let base = sharp(frame.left);
    for tick in &ticks.ticks {
        let at = sharp(frame.bottom - tick.at * frame.height());
        let long = if tick.label.is_some() { 1.0 } else { 0.6 };
        shapes.push(straight(
            (base - style.tick * long, at),
            (base, at),
            EDGE,
            1.0,
        ));
        let Some(label) = &tick.label else { continue };
        let place = (base - style.tick * 1.6, at + style.small * 0.36);
        shapes.push(words(place, label_text(label), style.small, Anchor::End));
    }
    let text = Rich::marked(&with_power(axis, ticks)).shortened(style.label, frame.height());
    shapes.push(Shape::Text {
        at: (
            style.gap + style.label * 0.8,
            f64::midpoint(frame.top, frame.bottom),
        ),
        text,
        size: style.label,
        anchor: Anchor::Middle,
        upward: true,
        colour: INK,
    });
}

/// The words along an axis, with the power of ten that its labels leave out.
fn with_power(axis: &Axis, ticks: &Ticks) -> String {
    let words = axis_words(axis);
    match ticks.exponent {
        0 => words,
        exponent => format!("{words} (×10^{exponent})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(values: Vec<Vec<f64>>) -> Field {
        let columns = values.first().map_or(0, Vec::len);
        Field {
            columns: (0..columns).map(|k| k as f64).collect(),
            rows: (0..values.len()).map(|k| k as f64).collect(),
            values,
            ..Field::default()
        }
    }

    #[test]
    fn cells_surround_their_places() {
        let even = Cells::new(&[0.0, 1.0, 2.0], Scale::Linear);
        assert_eq!(even.range, (-0.5, 2.5));
        assert_eq!([even.at(0.0), even.at(0.5), even.at(1.0)], [0, 1, 2]);
        let log = Cells::new(&[1.0, 10.0, 100.0], Scale::Logarithmic);
        assert!((log.range.0 - 10.0_f64.powf(-0.5)).abs() < 1e-12);
        assert_eq!([log.at(0.1), log.at(0.4), log.at(0.9)], [0, 1, 2]);
        assert_eq!(Cells::new(&[3.0], Scale::Linear).range, (2.5, 3.5));
    }

    #[test]
    fn the_lowest_is_dark_the_highest_bright_and_the_missing_grey() {
        let shade = Shade::new(&field(vec![vec![1.0, 2.0], vec![3.0, f64::NAN]]));
        assert_eq!(colour(shade.part(1.0)), COLOURS[0]);
        assert_eq!(colour(shade.part(3.0)), COLOURS[10]);
        assert_eq!(colour(shade.part(f64::NAN)), MISSING);
        let alike = Shade::new(&field(vec![vec![2.0, 2.0]]));
        assert_eq!(alike.part(2.0), Some(0.5));
    }

    #[test]
    fn nothing_leaves_the_paper() {
        for values in [
            vec![vec![1e-7, 2e7], vec![f64::NAN, -3.0]],
            vec![vec![f64::NAN; 3]; 2],
            vec![vec![5.0]],
            Vec::new(),
            vec![vec![1.0; 1000]; 3],
        ] {
            let picture = layout(&Fields {
                title: "a title".to_owned(),
                panels: vec![field(values); 3],
            });
            for shape in &picture.shapes {
                if let Shape::Rectangle { at, size, .. } = shape {
                    assert!(at.0 >= 0.0 && at.0 + size.0 <= picture.size.width);
                    assert!(at.1 >= 0.0 && at.1 + size.1 <= picture.size.height);
                }
            }
        }
    }
}
