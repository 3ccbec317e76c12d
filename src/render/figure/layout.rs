//! Lays a figure out on paper.
//!
//! Enters: a figure and a paper size. Leaves: shapes with places. Room is given first to what
//! must not be clipped (title, axis words, tick labels, legend); the plot takes the rest, so the
//! legend never covers data. Must not know SVG or pixels of a raster.

use super::beside;
use super::data::{self, Range};
use super::legend::{self, Entry, Legend};
use super::palette::{self, Rgb};
use super::shapes::{Anchor, Cap, Picture, Rich, Shape};
use super::ticks::{self, Label, Map, Ticks};
use super::{FigureError, Size};
use crate::figure::{Axis, Figure, Mark, Scale, Series};

/// Colour of words.
pub const INK: Rgb = (0x22, 0x22, 0x22);
const AXIS: Rgb = (0x44, 0x44, 0x44);
const GRID: Rgb = (0xe8, 0xe8, 0xe8);

/// Lengths and font sizes, in logical pixels.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Free rim of the paper, and the usual gap between things.
    pub gap: f64,
    /// Font size of tick labels and of the legend.
    pub small: f64,
    /// Font size of axis labels.
    pub label: f64,
    /// Font size of the title.
    pub title: f64,
    /// Length of a labelled tick; others are shorter.
    pub tick: f64,
    /// Thickness of curves.
    pub curve: f64,
}

impl Style {
    /// Sizes for a paper; small papers get somewhat smaller letters.
    pub fn for_paper(size: Size) -> Style {
        let factor = (size.width / 720.0)
            .min(size.height / 480.0)
            .clamp(0.7, 1.0);
        Style {
            gap: 14.0 * factor,
            small: 13.5 * factor,
            label: 15.0 * factor,
            title: 16.5 * factor,
            tick: 5.0 * factor,
            curve: 2.0 * factor,
        }
    }
}

/// A rectangle of the paper, y downward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Frame {
    /// Horizontal extent.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Vertical extent.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// The paper's place of a point on the unit square.
    pub fn place(&self, point: (f64, f64)) -> (f64, f64) {
        (
            self.left + point.0 * self.width(),
            self.bottom - point.1 * self.height(),
        )
    }
}

/// One axis with all that its drawing needs.
pub struct Drawn {
    /// From values to places.
    pub map: Map,
    /// Its ticks.
    pub ticks: Ticks,
    /// What is written along it.
    pub words: Rich,
}

/// All shapes of a figure.
///
/// # Errors
/// [`FigureError::NothingPositive`].
pub fn layout(figure: &Figure, size: Size) -> Result<Picture, FigureError> {
    let style = Style::for_paper(size);
    let entries = legend::entries(figure);
    let legend = legend::place(&entries, size, &style);
    with_legend(figure, size, &style, &legend)
}

/// All shapes of a figure with a legend that has its place already, or none.
///
/// # Errors
/// [`FigureError::NothingPositive`].
pub fn with_legend(
    figure: &Figure,
    size: Size,
    style: &Style,
    legend: &Legend,
) -> Result<Picture, FigureError> {
    let (x_range, y_range) = data::ranges(figure)?;
    let title = Rich::marked(&figure.title).shortened(style.title, size.width - 2.0 * style.gap);
    let (frame, x, y) = frame(figure, size, style, legend, (x_range, y_range));

    let mut shapes = Vec::new();
    draw_grid(&mut shapes, &frame, &x.ticks, &y.ticks);
    if figure.x.scale != Scale::Hidden {
        draw_x_axis(&mut shapes, &frame, &x, style);
    }
    let words_top = style.gap + title_height(figure, style);
    if figure.y.scale != Scale::Hidden {
        draw_y_axis(&mut shapes, &frame, &y, words_top, style);
    }
    let maps = (&x.map, &y.map);
    shapes.extend(beside::bands(figure, &frame, maps));
    shapes.extend(beside::arrows(figure, &frame, maps, style));
    let before = shapes.len();
    draw_series(&mut shapes, figure, &frame, maps, style);
    let drawn = shapes.get(before..).unwrap_or(&[]);
    let notes = beside::notes(figure, &frame, maps, drawn, style);
    shapes.extend(notes);
    legend.draw(&mut shapes, &frame, size, style);
    if !title.parts.is_empty() {
        shapes.push(Shape::Text {
            at: (
                middle_within(&frame, &title, style.title, size),
                style.gap + style.title * 0.75,
            ),
            text: title,
            size: style.title,
            anchor: Anchor::Middle,
            upward: false,
            colour: INK,
        });
    }
    Ok(Picture {
        size,
        title: description(figure),
        shapes,
    })
}

/// The middle of the plot, moved so that the words stay on the paper.
fn middle_within(frame: &Frame, words: &Rich, size: f64, paper: Size) -> f64 {
    let half = words.width(size) / 2.0;
    let middle = f64::midpoint(frame.left, frame.right);
    middle.min(paper.width - half - 4.0).max(half + 4.0)
}

/// What the figure shows, in a sentence for screen readers.
fn description(figure: &Figure) -> String {
    let labels: Vec<&str> = figure
        .series
        .iter()
        .take(6)
        .map(|s| s.label.as_str())
        .collect();
    let mut words = figure.title.clone();
    if words.is_empty() {
        words = labels.join(", ");
    }
    words
}

/// `time [year]`
pub fn axis_words(axis: &Axis) -> String {
    match axis.unit.as_deref().map(str::trim) {
        Some(unit) if !unit.is_empty() && axis.label.is_empty() => format!("[{unit}]"),
        Some(unit) if !unit.is_empty() => format!("{} [{unit}]", axis.label),
        _ => axis.label.clone(),
    }
}

/// The words along an axis in at most `room`; where they are too long the name is cut and the
/// unit kept.
pub fn axis_text(axis: &Axis, size: f64, room: f64) -> Rich {
    let whole = Rich::marked(&axis_words(axis));
    if whole.width(size) <= room {
        return whole;
    }
    let unit = axis_words(&Axis {
        label: String::new(),
        ..axis.clone()
    });
    let unit = Rich::marked(&format!(" {unit}"));
    let mut words = Rich::marked(&axis.label).shortened(size, room - unit.width(size));
    for part in &unit.parts {
        words.push(&part.text, part.raised);
    }
    words.shortened(size, room)
}

/// Room for the title, if there is one.
fn title_height(figure: &Figure, style: &Style) -> f64 {
    if figure.title.is_empty() {
        0.0
    } else {
        style.title * 1.5
    }
}

/// The rectangle left for the plot, and the axes whose ticks fit it.
fn frame(
    figure: &Figure,
    size: Size,
    style: &Style,
    legend: &Legend,
    (x_range, y_range): (Range, Range),
) -> (Frame, Drawn, Drawn) {
    let x_words = axis_words(&figure.x);
    let y_words = axis_words(&figure.y);

    let mut top = style.gap + title_height(figure, style);
    let mut bottom = size.height - style.gap - legend.height_below();
    if !x_words.is_empty() {
        bottom -= style.label * 1.5;
    }
    bottom -= style.tick + style.small * 1.3;

    let y_wanted = |top: f64| (((bottom - top) / (style.small * 3.6)) as usize).max(2);
    let mut y_ticks = ticks::ticks(figure.y.scale, y_range.0, y_range.1, y_wanted(top));
    if y_ticks.exponent != 0 {
        top += style.small * 1.4;
        y_ticks = ticks::ticks(figure.y.scale, y_range.0, y_range.1, y_wanted(top));
    }
    // The uppermost label stands half above the plot.
    top += style.small * 0.3;

    let mut left = style.gap + style.tick + style.gap * 0.4 + widest(&y_ticks, style.small);
    if !y_words.is_empty() {
        left += style.label * 1.5;
    }
    let right = size.width - style.gap - legend.width_right();
    let (x_ticks, overhang) = x_ticks(&figure.x, x_range, right - left, style);
    let right = if legend.width_right() > 0.0 {
        right.min(right + legend.inner_gap() - overhang)
    } else {
        // The last label ends well before the edge, also in another font than it was measured in.
        right.min(size.width - 0.6 * style.gap - overhang)
    };
    let frame = Frame {
        left,
        top,
        right: right.max(left + 20.0),
        bottom: bottom.max(top + 20.0),
    };
    let exponent_room = if x_ticks.exponent == 0 {
        0.0
    } else {
        8.0 * style.small
    };
    // Words along an axis may reach past its ends, but not into the title or the legend.
    let y_room =
        size.height - 2.0 * style.gap - title_height(figure, style) - legend.height_below();
    let x = Drawn {
        map: Map::new(figure.x.scale, x_range.0, x_range.1),
        ticks: x_ticks,
        words: axis_text(&figure.x, style.label, frame.width() - exponent_room),
    };
    let y = Drawn {
        map: Map::new(figure.y.scale, y_range.0, y_range.1),
        ticks: y_ticks,
        words: axis_text(&figure.y, style.label, y_room),
    };
    (frame, x, y)
}

/// As many ticks as fit side by side, and how far the last label reaches past the axis' end.
pub fn x_ticks(axis: &Axis, (low, high): Range, room: f64, style: &Style) -> (Ticks, f64) {
    if !axis.names.is_empty() {
        return (named_ticks(axis, (low, high), room, style), 0.0);
    }
    let mut wanted = ((room / (style.small * 5.0)) as usize).clamp(2, 12);
    loop {
        let ticks = ticks::ticks(axis.scale, low, high, wanted);
        if wanted <= 2 || labels_fit(&ticks, room, style) {
            let last = ticks.ticks.iter().rev().find(|tick| tick.label.is_some());
            let overhang = last.map_or(0.0, |tick| {
                label_width(tick.label.as_ref(), style.small) / 2.0 - (1.0 - tick.at) * room
            });
            return (ticks, overhang.max(0.0));
        }
        wanted -= 1;
    }
}

/// The names of an axis at 1, 2, 3, ..., cut where they are wider than their place; of very many
/// every second, third, ... is left out.
fn named_ticks(axis: &Axis, (low, high): Range, room: f64, style: &Style) -> Ticks {
    let map = Map::new(axis.scale, low, high);
    let place = |at: usize| map.place(at as f64 + 1.0);
    let apart = (place(1) - place(0)) * room;
    let every = ((3.0 * style.small / apart.max(1e-9)).ceil() as usize).max(1);
    let width = apart * every as f64 - style.small * 0.8;
    let mut names = ticks::named(&axis.names, low, high);
    names.ticks = names.ticks.into_iter().step_by(every).collect();
    for tick in &mut names.ticks {
        if let Some(Label::Plain(text)) = &mut tick.label {
            *text = shortened(text, style.small, width);
        }
    }
    names
}

/// A name that fits a width, with dots where it was cut.
fn shortened(name: &str, size: f64, width: f64) -> String {
    if Rich::plain(name).width(size) <= width {
        return name.to_owned();
    }
    let mut short = name.to_owned();
    while short.pop().is_some() {
        let cut = format!("{}…", short.trim_end());
        if Rich::plain(&cut).width(size) <= width || short.is_empty() {
            return cut;
        }
    }
    short
}

pub fn labels_fit(ticks: &Ticks, room: f64, style: &Style) -> bool {
    let mut end = f64::NEG_INFINITY;
    ticks.ticks.iter().all(|tick| {
        if tick.label.is_none() {
            return true;
        }
        let half = label_width(tick.label.as_ref(), style.small) / 2.0;
        let middle = tick.at * room;
        let fits = middle - half >= end + style.small * 0.6;
        end = middle + half;
        fits
    })
}

/// A tick's words as rich text.
pub fn label_text(label: &Label) -> Rich {
    match label {
        Label::Plain(text) => Rich::plain(text),
        Label::Power {
            factor: 1,
            exponent,
        } => Rich::power("", *exponent),
        Label::Power { factor, exponent } => Rich::power(&format!("{factor}×"), *exponent),
    }
}

pub fn label_width(label: Option<&Label>, size: f64) -> f64 {
    label.map_or(0.0, |label| label_text(label).width(size))
}

pub fn widest(ticks: &Ticks, size: f64) -> f64 {
    let widths = ticks
        .ticks
        .iter()
        .map(|tick| label_width(tick.label.as_ref(), size));
    widths.fold(0.0, f64::max)
}

pub fn straight(from: (f64, f64), to: (f64, f64), colour: Rgb, width: f64) -> Shape {
    Shape::Line {
        points: vec![from, to],
        colour,
        width,
        dash: &[],
        cap: Cap::Butt,
    }
}

/// A straight line that looks equally sharp at every place: on the middle of a pixel.
pub fn sharp(at: f64) -> f64 {
    at.floor() + 0.5
}

pub fn draw_grid(shapes: &mut Vec<Shape>, frame: &Frame, x: &Ticks, y: &Ticks) {
    for tick in x.ticks.iter().filter(|tick| tick.label.is_some()) {
        let at = sharp(frame.left + tick.at * frame.width());
        shapes.push(straight((at, frame.top), (at, frame.bottom), GRID, 1.0));
    }
    for tick in y.ticks.iter().filter(|tick| tick.label.is_some()) {
        let at = sharp(frame.bottom - tick.at * frame.height());
        shapes.push(straight((frame.left, at), (frame.right, at), GRID, 1.0));
    }
}

pub fn draw_x_axis(shapes: &mut Vec<Shape>, frame: &Frame, axis: &Drawn, style: &Style) {
    let base = sharp(frame.bottom);
    shapes.push(straight(
        (sharp(frame.left) - 0.5, base),
        (frame.right, base),
        AXIS,
        1.0,
    ));
    let words_at = base + style.tick + style.small * 1.15;
    for tick in &axis.ticks.ticks {
        let at = sharp(frame.left + tick.at * frame.width());
        let length = if tick.label.is_some() {
            style.tick
        } else {
            style.tick * 0.6
        };
        shapes.push(straight((at, base), (at, base + length), AXIS, 1.0));
        if let Some(label) = &tick.label {
            shapes.push(words(
                (at, words_at),
                label_text(label),
                style.small,
                Anchor::Middle,
            ));
        }
    }
    let below = words_at + style.label * 1.5;
    if !axis.words.parts.is_empty() {
        let middle = f64::midpoint(frame.left, frame.right);
        shapes.push(words(
            (middle, below),
            axis.words.clone(),
            style.label,
            Anchor::Middle,
        ));
    }
    if axis.ticks.exponent != 0 {
        // Beside the axis label, or where it would stand.
        let text = Rich::power("×", axis.ticks.exponent);
        shapes.push(words((frame.right, below), text, style.small, Anchor::End));
    }
}

pub fn draw_y_axis(
    shapes: &mut Vec<Shape>,
    frame: &Frame,
    axis: &Drawn,
    words_top: f64,
    style: &Style,
) {
    let base = sharp(frame.left);
    shapes.push(straight(
        (base, frame.top),
        (base, sharp(frame.bottom) + 0.5),
        AXIS,
        1.0,
    ));
    for tick in &axis.ticks.ticks {
        let at = sharp(frame.bottom - tick.at * frame.height());
        let length = if tick.label.is_some() {
            style.tick
        } else {
            style.tick * 0.6
        };
        shapes.push(straight((base - length, at), (base, at), AXIS, 1.0));
        if let Some(label) = &tick.label {
            let place = (base - style.tick - style.gap * 0.3, at + style.small * 0.36);
            shapes.push(words(place, label_text(label), style.small, Anchor::End));
        }
    }
    if !axis.words.parts.is_empty() {
        // The middle of the axis, moved down where the words would run into the title.
        let half = axis.words.width(style.label) / 2.0;
        let middle = f64::midpoint(frame.top, frame.bottom).max(words_top + half);
        shapes.push(Shape::Text {
            at: (style.gap + style.label * 0.75, middle),
            text: axis.words.clone(),
            size: style.label,
            anchor: Anchor::Middle,
            upward: true,
            colour: INK,
        });
    }
    if axis.ticks.exponent != 0 {
        let place = (frame.left, frame.top - style.small * 0.9);
        let text = Rich::power("×", axis.ticks.exponent);
        shapes.push(words(place, text, style.small, Anchor::Middle));
    }
}

/// Dark, level text.
pub fn words(at: (f64, f64), text: Rich, size: f64, anchor: Anchor) -> Shape {
    Shape::Text {
        at,
        text,
        size,
        anchor,
        upward: false,
        colour: INK,
    }
}

/// Thin curves first, then the others, then points, so that these stay visible on them.
pub fn draw_series(
    shapes: &mut Vec<Shape>,
    figure: &Figure,
    frame: &Frame,
    (x, y): (&Map, &Map),
    style: &Style,
) {
    let curves = legend::distinct_curves(figure);
    let columns = (frame.width() * 2.0) as usize;
    let is_thin = |series: &&Series| series.mark == Mark::Thin;
    let curved = || figure.series.iter().filter(|series| series.mark.is_curve());
    let thick = curved().filter(|series| !is_thin(series));
    for series in curved().filter(is_thin).chain(thick) {
        let width = curve_width(curves, style);
        // Half of a curve along the frame is not cut off; trajectories end at it.
        let margin = match series.mark {
            Mark::Thin => (0.0, 0.0),
            _ => (width / frame.width(), width / frame.height()),
        };
        for run in data::runs(series, x, y, columns.max(1)) {
            for piece in data::clip(&run, margin) {
                shapes.push(curve(series, &piece, frame, curves, width));
            }
        }
    }
    for series in figure
        .series
        .iter()
        .filter(|series| !series.mark.is_curve())
    {
        let centres: Vec<(f64, f64)> = data::points(series, x, y, columns.max(1))
            .into_iter()
            .map(|point| frame.place(point))
            .collect();
        if series.mark == Mark::Dots {
            shapes.push(dots(&centres, series.colour));
            continue;
        }
        let radius = match centres.len() {
            0..=300 => 4.2,
            301..=3000 => 2.6,
            _ => 1.4,
        };
        shapes.push(Shape::Markers {
            centres,
            marker: palette::mark_marker(series.mark, series.colour),
            radius: radius * style.curve / 2.0,
            colour: palette::colour(series.colour),
        });
    }
}

/// Many small dots.
fn dots(centres: &[(f64, f64)], colour: usize) -> Shape {
    let width = match centres.len() {
        0..=1000 => 2.4,
        1001..=8000 => 1.6,
        _ => 1.2,
    };
    let dot = |(x, y): &(f64, f64)| vec![(*x, *y), (x + 0.01, *y)];
    Shape::Strokes {
        lines: centres.iter().map(dot).collect(),
        colour: palette::colour(colour),
        width,
    }
}

/// Thickness and colour of a curve that is drawn in this way.
fn look(mark: Mark, colour: usize, width: f64) -> (f64, Rgb) {
    let ink = palette::colour(colour);
    match mark {
        Mark::Thin => (width * 0.5, palette::pale(ink)),
        _ => (width, ink),
    }
}

/// Many curves are drawn thinner.
pub fn curve_width(curves: usize, style: &Style) -> f64 {
    if curves > 12 {
        style.curve * 0.8
    } else {
        style.curve
    }
}

fn curve(series: &Series, piece: &[(f64, f64)], frame: &Frame, curves: usize, width: f64) -> Shape {
    let mut points: Vec<(f64, f64)> = piece.iter().map(|point| frame.place(*point)).collect();
    let (width, colour) = look(series.mark, series.colour, width);
    if let [(x, y)] = *points {
        // A value between two interruptions has no length: a dot shows it.
        points.push((x + 0.01, y));
        return Shape::Line {
            points,
            colour,
            width: width * 2.5,
            dash: &[],
            cap: Cap::Round,
        };
    }
    Shape::Line {
        points,
        colour,
        width,
        dash: palette::mark_dash(series.mark)
            .unwrap_or_else(|| palette::dash(series.colour, curves)),
        cap: Cap::Round,
    }
}

/// A sample of a series' curve or marker, for the legend, around `at`.
pub fn sample(
    entry: &Entry,
    at: (f64, f64),
    length: f64,
    curves: usize,
    style: &Style,
) -> Vec<Shape> {
    let mut shapes = Vec::new();
    if let Some(mark) = entry.line {
        let (width, colour) = look(mark, entry.colour, curve_width(curves, style));
        shapes.push(Shape::Line {
            points: vec![(at.0 - length / 2.0, at.1), (at.0 + length / 2.0, at.1)],
            colour,
            width,
            dash: palette::mark_dash(mark).unwrap_or_else(|| palette::dash(entry.colour, curves)),
            cap: Cap::Butt,
        });
    }
    if let Some(mark) = entry.points {
        shapes.push(Shape::Markers {
            centres: vec![at],
            marker: palette::mark_marker(mark, entry.colour),
            radius: 4.2 * style.curve / 2.0,
            colour: palette::colour(entry.colour),
        });
    }
    shapes
}
