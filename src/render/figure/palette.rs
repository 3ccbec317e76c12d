//! Colours, dashes and markers of the series.
//!
//! The colours are those of Okabe and Ito (2008, "Color universal design"), which people with
//! any kind of colour blindness can tell apart; their yellow, too pale for white paper, gives
//! way to a dark olive. Dashes and markers carry the difference where colour cannot.

use crate::figure::{Mark, SHADES};

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Colours in the order of use.
const COLOURS: [Rgb; 8] = [
    (0x00, 0x72, 0xb2),
    (0xd5, 0x5e, 0x00),
    (0x00, 0x9e, 0x73),
    (0xb4, 0x5c, 0x93),
    (0xe6, 0x9f, 0x00),
    (0x56, 0xb4, 0xe9),
    (0x22, 0x22, 0x22),
    (0x80, 0x6a, 0x00),
];

/// The nearest colours of the 256-colour terminal, a little lighter for dark backgrounds.
const TERMINAL_COLOURS: [u8; 8] = [33, 208, 36, 175, 220, 117, 250, 143];

/// Dash patterns (drawn, left out, ...) in logical pixels; the first is a solid line. Five
/// patterns and eight colours make forty different curves before one recurs.
const DASHES: [&[f64]; 5] = [
    &[],
    &[6.5, 3.0],
    &[1.5, 2.5],
    &[9.0, 2.5, 1.5, 2.5],
    &[13.0, 3.5],
];

/// Above this number of curves colour alone is not trusted.
const CURVES_TOLD_BY_COLOUR: usize = 5;

/// Shapes for data points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle that points up.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// A triangle that points down.
    TriangleDown,
    /// A circle with white inside.
    Ring,
    /// A circle whose lower half is filled and whose upper half is white.
    Half,
}

const MARKERS: [Marker; 5] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::TriangleDown,
];

/// Colours of the 256-colour terminal from dark to bright, near those of the scale of fields.
const TERMINAL_SCALE: [u8; 6] = [54, 61, 31, 36, 77, 226];

/// How far a colour lies along the scale, where it is one of it.
fn part_of_scale(index: usize) -> Option<f64> {
    let part = index.checked_sub(SHADES)?;
    Some((part as f64 / 100.0).clamp(0.0, 1.0))
}

fn cycled<T: Copy>(items: &[T], index: usize, otherwise: T) -> T {
    items
        .get(index % items.len().max(1))
        .copied()
        .unwrap_or(otherwise)
}

/// The colour of a series number.
pub fn colour(index: usize) -> Rgb {
    if let Some(part) = part_of_scale(index) {
        return super::field::colour(Some(part));
    }
    cycled(&COLOURS, index, (0, 0, 0))
}

/// The same on a terminal with 256 colours.
pub fn terminal_colour(index: usize) -> u8 {
    if let Some(part) = part_of_scale(index) {
        let step = part * (TERMINAL_SCALE.len() - 1) as f64;
        return cycled(&TERMINAL_SCALE, step.round() as usize, 7);
    }
    cycled(&TERMINAL_COLOURS, index, 7)
}

/// The dashes that a mark asks for; those of [`dash`] when it asks for none.
pub fn mark_dash(mark: Mark) -> Option<&'static [f64]> {
    match mark {
        Mark::Dashed => Some(&[6.5, 3.5]),
        Mark::DashDot => Some(&[10.0, 2.5, 2.0, 2.5]),
        Mark::Dotted => Some(&[2.0, 2.4]),
        Mark::Thin => Some(&[]),
        _ => None,
    }
}

/// A colour on its way to white.
pub fn pale(colour: Rgb) -> Rgb {
    let towards = |part: u8| part + (255 - part) / 2;
    (towards(colour.0), towards(colour.1), towards(colour.2))
}

/// The marker that a mark asks for, else that of a series number.
pub fn mark_marker(mark: Mark, index: usize) -> Marker {
    match mark {
        Mark::Filled => Marker::Circle,
        Mark::Open => Marker::Ring,
        Mark::Half => Marker::Half,
        _ => marker(index),
    }
}

/// The dashes of curve number `index` among `curves` curves.
pub fn dash(index: usize, curves: usize) -> &'static [f64] {
    if curves <= CURVES_TOLD_BY_COLOUR {
        &[]
    } else {
        cycled(&DASHES, index, &[])
    }
}

/// The marker of a series number.
fn marker(index: usize) -> Marker {
    cycled(&MARKERS, index, Marker::Circle)
}
