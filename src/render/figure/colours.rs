//! What panels of coloured numbers have in common: blended colours, an outline, a colour bar.
//!
//! Enters: colours and ticks. Leaves: shapes. Must not know what the numbers are.

use super::layout::{Frame, Style, label_text, sharp, straight, words};
use super::palette::Rgb;
use super::shapes::{Anchor, Rich, Shape};
use super::ticks::Ticks;

/// Lines around panels and at ticks.
pub const EDGE: Rgb = (0x44, 0x44, 0x44);
/// Width of a colour bar.
pub const BAR: f64 = 16.0;
/// Rectangles that a colour bar is made of.
const STEPS: u32 = 128;

/// The colour at a place between 0 and 1 along evenly spaced ones; `None` for fewer than two.
pub fn blend(colours: &[Rgb], place: f64) -> Option<Rgb> {
    let last = colours.len().checked_sub(2)?;
    let place = place.clamp(0.0, 1.0) * (colours.len() - 1) as f64;
    let below = (place.floor() as usize).min(last);
    let part = place - below as f64;
    let (a, b) = (colours.get(below)?, colours.get(below + 1)?);
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    Some((mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2)))
}

/// The edge of a panel.
pub fn outline(shapes: &mut Vec<Shape>, frame: &Frame) {
    let (left, right) = (sharp(frame.left), sharp(frame.right));
    let (top, bottom) = (sharp(frame.top), sharp(frame.bottom));
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    for (at, corner) in corners.iter().enumerate() {
        let next = corners.get((at + 1) % corners.len()).unwrap_or(corner);
        shapes.push(straight(*corner, *next, EDGE, 1.0));
    }
}

/// The colour bar beside a panel, high numbers on top; `colour` is that of a place between 0 and 1.
pub fn colour_bar(
    shapes: &mut Vec<Shape>,
    ticks: &Ticks,
    frame: &Frame,
    style: &Style,
    colour: &dyn Fn(f64) -> Rgb,
) {
    let left = frame.right + style.gap * 1.2;
    let bar = Frame {
        left,
        right: left + BAR,
        ..*frame
    };
    let height = bar.height() / f64::from(STEPS);
    for step in 0..STEPS {
        let part = 1.0 - (f64::from(step) + 0.5) / f64::from(STEPS);
        shapes.push(Shape::Rectangle {
            at: (bar.left, bar.top + height * f64::from(step)),
            size: (BAR, height),
            colour: colour(part),
        });
    }
    outline(shapes, &bar);
    for tick in &ticks.ticks {
        let Some(label) = &tick.label else { continue };
        let at = sharp(bar.bottom - tick.at * bar.height());
        let end = (bar.right + style.tick, at);
        shapes.push(straight((bar.right, at), end, EDGE, 1.0));
        let beside = bar.right + style.tick + style.gap * 0.3;
        let place = (beside, at + style.small * 0.36);
        shapes.push(words(place, label_text(label), style.small, Anchor::Start));
    }
    if ticks.exponent != 0 {
        let text = Rich::power("×", ticks.exponent);
        let place = (bar.left, bar.top - style.small * 0.6);
        shapes.push(words(place, text, style.small, Anchor::Start));
    }
}
