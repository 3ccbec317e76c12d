//! Lays a heat map out on paper.
//!
//! Enters: a heat map. Leaves: shapes with places, on a paper as high as its rows need. Each panel
//! has a colour bar of its own, symmetric about zero, since its numbers have a unit of their own.
//! Must not know SVG or pixels of a raster.
//!
//! The colours are the scheme RdBu of C. A. Brewer (colorbrewer2.org), which people with any kind
//! of colour blindness can read, with blue for negative numbers.

use super::colours::{BAR, EDGE, blend, colour_bar, outline};
use super::layout::{Frame, Style, axis_words, label_text, sharp, straight, widest, words};
use super::palette::Rgb;
use super::shapes::{Anchor, Picture, Rich, Shape};
use super::ticks::{self, Ticks};
use super::{SIDE_LIMITS, Size};
use crate::figure::{HeatMap, HeatPanel, Scale};

/// From the most negative to the most positive number.
const COLOURS: [Rgb; 11] = [
    (0x05, 0x30, 0x61),
    (0x21, 0x66, 0xac),
    (0x43, 0x93, 0xc3),
    (0x92, 0xc5, 0xde),
    (0xd1, 0xe5, 0xf0),
    (0xf7, 0xf7, 0xf7),
    (0xfd, 0xdb, 0xc7),
    (0xf4, 0xa5, 0x82),
    (0xd6, 0x60, 0x4d),
    (0xb2, 0x18, 0x2b),
    (0x67, 0x00, 0x1f),
];
/// For numbers that are not finite.
const MISSING: Rgb = (0x9a, 0x9a, 0x9a);

/// Width of the paper, in logical pixels.
const WIDTH: f64 = 720.0;
/// Height of a row, of which a map with few rows makes more and one with many less.
const ROW: (f64, f64, f64) = (7.0, 24.0, 60.0);
/// The least height of a grid: its colour bar needs room for three labels.
const LEAST_GRID: f64 = 66.0;
/// Height of a paper that is filled when there are few rows.
const USUAL_HEIGHT: f64 = 480.0;
/// Cells side by side: numbers in between are not seen.
const CELLS: usize = 300;
/// Different colours: neighbours of the same one are drawn as one cell.
const SHADES: f64 = 255.0;

/// All shapes of a heat map.
pub fn layout(map: &HeatMap) -> Picture {
    let usual = Size::default();
    let style = Style::for_paper(usual);
    let rows: usize = map.panels.iter().map(|panel| panel.rows.len().max(1)).sum();
    let around = outside(map, &style);
    let wanted = (USUAL_HEIGHT - around) / rows.max(1) as f64;
    let most = (SIDE_LIMITS.1 - around) / rows.max(1) as f64;
    let row = wanted.clamp(ROW.1, ROW.2).min(most.max(ROW.0));
    let heights = map
        .panels
        .iter()
        .map(|panel| (row * panel.rows.len().max(1) as f64).max(LEAST_GRID));
    let heights: Vec<f64> = heights.collect();
    let size = Size {
        width: WIDTH,
        height: (around + heights.iter().sum::<f64>()).min(SIDE_LIMITS.1),
    };
    let (left, right) = sides(map, &style);
    let mut shapes = Vec::new();
    let mut top = style.gap;
    if !map.title.is_empty() {
        let text = Rich::marked(&map.title).shortened(style.title, WIDTH - 2.0 * style.gap);
        let at = (WIDTH / 2.0, top + style.title * 0.75);
        shapes.push(words(at, text, style.title, Anchor::Middle));
        top += style.title * 1.5;
    }
    let range = range(map);
    for (panel, height) in map.panels.iter().zip(heights) {
        top += style.label * 1.7;
        let frame = Frame {
            left,
            top,
            right,
            bottom: top + height,
        };
        draw_panel(&mut shapes, panel, &frame, range, &style);
        top += height + style.tick + style.small * 1.3;
        draw_times(&mut shapes, &frame, range, &style);
    }
    let text = Rich::marked(&axis_words(&map.x)).shortened(style.label, right - left);
    let at = (f64::midpoint(left, right), top + style.label);
    shapes.push(words(at, text, style.label, Anchor::Middle));
    Picture {
        size,
        title: map.title.clone(),
        shapes,
    }
}

/// Height of everything but the grids.
fn outside(map: &HeatMap, style: &Style) -> f64 {
    let title = if map.title.is_empty() {
        0.0
    } else {
        style.title * 1.5
    };
    let panel = style.label * 1.7 + style.tick + style.small * 1.3;
    2.0 * style.gap + title + panel * map.panels.len() as f64 + style.label * 1.2
}

/// Left and right edge of the grids: beside them stand the rows' words and the colour bars.
fn sides(map: &HeatMap, style: &Style) -> (f64, f64) {
    let mut left: f64 = 0.0;
    let mut bar: f64 = 0.0;
    for panel in &map.panels {
        let of_rows = panel
            .rows
            .iter()
            .map(|row| Rich::marked(row).width(style.small));
        left = of_rows.fold(left, f64::max);
        bar = bar.max(widest(&bar_ticks(panel, LEAST_GRID, style), style.small));
    }
    let left = style.gap + left.min(WIDTH / 4.0) + style.gap * 0.6;
    let right = WIDTH - style.gap - bar - style.tick - style.gap * 0.3 - BAR - style.gap * 1.2;
    (left, right.max(left + 60.0))
}

/// First and last place of all panels.
fn range(map: &HeatMap) -> (f64, f64) {
    let places = map.panels.iter().flat_map(|panel| &panel.x);
    let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
        (low.min(*x), high.max(*x))
    });
    ticks::range(
        Scale::Linear,
        map.x.range,
        (low <= high).then_some((low, high)),
        (0.0, 0.0),
    )
}

/// The largest size among a panel's numbers, which has the darkest colour; 1 where all are zero.
fn largest(panel: &HeatPanel) -> f64 {
    let finite = panel.values.iter().flatten().filter(|v| v.is_finite());
    let most = finite.fold(0.0_f64, |most, value| most.max(value.abs()));
    if most > 0.0 { most } else { 1.0 }
}

fn bar_ticks(panel: &HeatPanel, height: f64, style: &Style) -> Ticks {
    let most = largest(panel);
    let wanted = ((height / (style.small * 2.2)) as usize).clamp(3, 7);
    ticks::ticks(Scale::Linear, -most, most, wanted)
}

fn draw_panel(
    shapes: &mut Vec<Shape>,
    panel: &HeatPanel,
    frame: &Frame,
    range: (f64, f64),
    style: &Style,
) {
    let title = Rich::marked(&panel.title).shortened(style.label, frame.width());
    let at = (frame.left, frame.top - style.label * 0.5);
    shapes.push(words(at, title, style.label, Anchor::Start));
    let most = largest(panel);
    let height = frame.height() / panel.rows.len().max(1) as f64;
    // Words of rows thinner than letters would run into each other.
    let every = (style.small * 1.1 / height).ceil().max(1.0) as usize;
    for (at, values) in panel.values.iter().enumerate() {
        let top = frame.top + height * at as f64;
        draw_row(shapes, panel, values, (frame, top, height), (range, most));
        if let (true, Some(row)) = (at % every == 0, panel.rows.get(at)) {
            let text = Rich::marked(row).shortened(style.small, WIDTH / 4.0);
            let middle = top + height / 2.0 + style.small * 0.36;
            let place = (frame.left - style.gap * 0.6, middle);
            shapes.push(words(place, text, style.small, Anchor::End));
        }
    }
    outline(shapes, frame);
    let ticks = bar_ticks(panel, frame.height(), style);
    let coloured = |part: f64| colour(2.0 * part - 1.0);
    colour_bar(shapes, &ticks, frame, style, &coloured);
}

/// The cells of one row; neighbours of one colour are one shape.
fn draw_row(
    shapes: &mut Vec<Shape>,
    panel: &HeatPanel,
    values: &[f64],
    (frame, top, height): (&Frame, f64, f64),
    ((low, high), most): ((f64, f64), f64),
) {
    let cell = frame.width() / CELLS as f64;
    let colours: Vec<Rgb> = (0..CELLS)
        .map(|k| low + (high - low) * ((k as f64 + 0.5) / CELLS as f64))
        .map(|x| colour(value_at(&panel.x, values, x) / most))
        .collect();
    let mut from = 0;
    for stretch in colours.chunk_by(|left, right| left == right) {
        if let Some(colour) = stretch.first() {
            shapes.push(Shape::Rectangle {
                at: (frame.left + cell * from as f64, top),
                size: (cell * stretch.len() as f64, height),
                colour: *colour,
            });
        }
        from += stretch.len();
    }
}

/// The number at a place, on the straight line between its neighbours; NaN outside.
fn value_at(places: &[f64], values: &[f64], x: f64) -> f64 {
    let after = places.partition_point(|place| *place <= x);
    let known = |at: usize| Some((*places.get(at)?, *values.get(at)?));
    let (Some(before), next) = (after.checked_sub(1).and_then(known), known(after)) else {
        return f64::NAN;
    };
    match next {
        Some((next_x, next_value)) if next_x > before.0 => {
            before.1 + (next_value - before.1) * ((x - before.0) / (next_x - before.0))
        }
        _ if x == before.0 => before.1,
        _ => f64::NAN,
    }
}

/// The colour of a number between -1 and 1.
fn colour(value: f64) -> Rgb {
    if !value.is_finite() {
        return MISSING;
    }
    let value = (value.clamp(-1.0, 1.0) * SHADES / 2.0).round() / (SHADES / 2.0);
    blend(&COLOURS, (value + 1.0) / 2.0).unwrap_or(MISSING)
}

/// Ticks below a panel.
fn draw_times(shapes: &mut Vec<Shape>, frame: &Frame, (low, high): (f64, f64), style: &Style) {
    let wanted = ((frame.width() / (style.small * 5.0)) as usize).clamp(2, 10);
    let ticks = ticks::ticks(Scale::Linear, low, high, wanted);
    let base = sharp(frame.bottom);
    for tick in &ticks.ticks {
        let Some(label) = &tick.label else { continue };
        let at = sharp(frame.left + tick.at * frame.width());
        shapes.push(straight((at, base), (at, base + style.tick), EDGE, 1.0));
        let place = (at, base + style.tick + style.small * 1.1);
        shapes.push(words(place, label_text(label), style.small, Anchor::Middle));
    }
    if ticks.exponent != 0 {
        let text = Rich::power("×", ticks.exponent);
        let place = (
            frame.right + style.gap,
            base + style.tick + style.small * 1.1,
        );
        shapes.push(words(place, text, style.small, Anchor::Start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Axis;

    fn map(values: Vec<Vec<f64>>) -> HeatMap {
        let columns = values.first().map_or(0, Vec::len);
        HeatMap {
            title: "x".to_owned(),
            x: Axis {
                label: "time".to_owned(),
                ..Axis::default()
            },
            panels: vec![HeatPanel {
                title: "d(C)".to_owned(),
                rows: values
                    .iter()
                    .enumerate()
                    .map(|(k, _)| format!("p{k}"))
                    .collect(),
                x: (0..columns).map(|k| k as f64).collect(),
                values,
            }],
        }
    }

    fn colours_of(picture: &Picture) -> Vec<Rgb> {
        let shapes = picture.shapes.iter();
        let of = |shape: &Shape| match shape {
            Shape::Rectangle { colour, .. } => Some(*colour),
            _ => None,
        };
        shapes.filter_map(of).collect()
    }

    #[test]
    fn zero_is_white_and_signs_have_hues() {
        assert_eq!(colour(0.0), COLOURS[5]);
        assert_eq!((colour(-1.0), colour(1.0)), (COLOURS[0], COLOURS[10]));
        assert_eq!(colour(f64::NAN), MISSING);
        let (blue, red) = (colour(-0.5), colour(0.5));
        assert!(blue.2 > blue.0 && red.0 > red.2);
    }

    #[test]
    fn a_jump_is_sharp_and_gaps_are_grey() {
        let panel = HeatPanel {
            x: vec![0.0, 1.0, 1.0, 2.0],
            ..HeatPanel::default()
        };
        let values = [0.0, 1.0, 5.0, 5.0];
        assert_eq!(value_at(&panel.x, &values, 0.5), 0.5);
        assert_eq!(value_at(&panel.x, &values, 1.0), 5.0);
        assert_eq!(value_at(&panel.x, &values, 1.5), 5.0);
        assert!(value_at(&panel.x, &values, 2.5).is_nan());
        let picture = layout(&map(vec![vec![1.0, f64::NAN, 1.0]]));
        assert!(colours_of(&picture).contains(&MISSING));
    }

    #[test]
    fn papers_grow_with_rows_and_stay_within_limits() {
        let height = |rows: usize| layout(&map(vec![vec![1.0, -1.0]; rows])).size.height;
        assert!(height(1) < height(30));
        assert!(height(5000) <= SIDE_LIMITS.1);
        let none = layout(&HeatMap::default());
        assert!(none.size.height > 0.0);
    }

    #[test]
    fn nothing_leaves_the_paper() {
        let picture = layout(&map(vec![vec![1e-7, -3e-7, 2e-7]; 4]));
        for shape in &picture.shapes {
            if let Shape::Rectangle { at, size, .. } = shape {
                assert!(at.0 >= 0.0 && at.0 + size.0 <= picture.size.width);
                assert!(at.1 >= 0.0 && at.1 + size.1 <= picture.size.height);
            }
            if let Shape::Text {
                at,
                text,
                size,
                anchor: Anchor::Start,
                ..
            } = shape
            {
                assert!(at.0 + text.width(*size) <= picture.size.width);
            }
        }
    }
}
