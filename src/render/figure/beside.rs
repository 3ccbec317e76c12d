//! What stands beside the curves of a figure: arrows of a flow, and notes at places.
//!
//! Enters: a figure, its frame and what is drawn in it. Leaves: shapes. A note looks for room
//! around its place, away from other notes, curves, symbols and the frame.

use super::font;
use super::layout::{Frame, INK, Style, words};
use super::palette::{self, Rgb};
use super::shapes::{Anchor, Rich, Shape};
use super::ticks::Map;
use crate::figure::{Arrow, Figure, Scale};

/// How much of what is under a band it hides.
const BAND_OPACITY: f64 = 0.22;

/// Bands between their edges, cut at the frame.
pub fn bands(figure: &Figure, frame: &Frame, (x, y): (&Map, &Map)) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for band in &figure.bands {
        let edges = band.low.iter().zip(&band.high);
        let places: Vec<[f64; 3]> = (band.x.iter().zip(edges))
            // Below all that a logarithmic axis shows.
            .map(|(at, (low, high))| [x.place(*at), y.place(*low).max(0.0), y.place(*high)])
            .collect();
        let pieces = places.split(|place| !place.iter().all(|number| number.is_finite()));
        for piece in pieces.filter(|piece| piece.len() > 1) {
            let cut = |at: f64, up: f64| frame.place((at.clamp(0.0, 1.0), up.clamp(0.0, 1.0)));
            let mut points: Vec<(f64, f64)> =
                piece.iter().map(|[at, _, high]| cut(*at, *high)).collect();
            points.extend(piece.iter().rev().map(|[at, low, _]| cut(*at, *low)));
            shapes.push(Shape::Region {
                points,
                colour: palette::colour(band.colour),
                opacity: BAND_OPACITY,
            });
        }
    }
    shapes
}

/// Colour of arrows: they stay behind everything else.
const ARROW: Rgb = (0x90, 0x90, 0x90);
/// Length of an arrow.
const LENGTH: f64 = 11.0;
/// Length of the strokes of its head, and their angle with the shaft.
const HEAD: (f64, f64) = (4.6, 0.45);

/// How fast the place along an axis changes with the value there.
fn slope(map: &Map, scale: Scale, value: f64) -> f64 {
    let unit = match scale {
        Scale::Linear | Scale::Hidden => map.place(1.0) - map.place(0.0),
        Scale::Logarithmic => {
            (map.place(10.0) - map.place(1.0)) / (value * std::f64::consts::LN_10)
        }
    };
    if unit.is_finite() { unit } else { 0.0 }
}

/// Where an arrow points on a paper of this width and height, y downward, with length 1; `None`
/// where there is no direction.
pub fn direction(
    figure: &Figure,
    arrow: &Arrow,
    (x, y): (&Map, &Map),
    (width, height): (f64, f64),
) -> Option<(f64, f64)> {
    // Sizes may differ by hundreds of powers of ten: the larger part is made 1 first.
    let across = arrow.along.0 * slope(x, figure.x.scale, arrow.at.0) * width;
    let up = arrow.along.1 * slope(y, figure.y.scale, arrow.at.1) * height;
    let most = across.abs().max(up.abs());
    if !(most.is_finite() && most > 0.0) {
        return None;
    }
    let (across, up) = (across / most, up / most);
    let length = across.hypot(up);
    Some((across / length, -up / length))
}

/// All arrows as one shape.
pub fn arrows(figure: &Figure, frame: &Frame, maps: (&Map, &Map), style: &Style) -> Option<Shape> {
    let factor = style.curve / 2.0;
    let paper = (frame.width(), frame.height());
    let mut lines = Vec::with_capacity(2 * figure.arrows.len());
    for arrow in &figure.arrows {
        let place = (maps.0.place(arrow.at.0), maps.1.place(arrow.at.1));
        let inside = |part: f64| (0.0..=1.0).contains(&part);
        if !(inside(place.0) && inside(place.1)) {
            continue;
        }
        let Some((across, down)) = direction(figure, arrow, maps, paper) else {
            continue;
        };
        let middle = frame.place(place);
        let ahead = |length: f64| (middle.0 + across * length, middle.1 + down * length);
        let (tail, tip) = (ahead(-LENGTH * factor / 2.0), ahead(LENGTH * factor / 2.0));
        let barb = |angle: f64| {
            let (sin, cos) = angle.sin_cos();
            let length = HEAD.0 * factor;
            (
                tip.0 - length * (across * cos - down * sin),
                tip.1 - length * (across * sin + down * cos),
            )
        };
        lines.push(vec![tail, tip]);
        lines.push(vec![barb(HEAD.1), tip, barb(-HEAD.1)]);
    }
    (!lines.is_empty()).then_some(Shape::Strokes {
        lines,
        colour: ARROW,
        width: 1.1 * factor,
    })
}

/// A rectangle on the paper.
#[derive(Debug, Clone, Copy)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn meets(&self, other: &Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, point: (f64, f64)) -> bool {
        (self.left..=self.right).contains(&point.0) && (self.top..=self.bottom).contains(&point.1)
    }
}

/// Directions in which a note looks for room, the preferred ones first, and the multiples of its
/// usual distance that it tries.
const AROUND: [(f64, f64); 8] = [
    (1.0, -1.0),
    (-1.0, -1.0),
    (1.0, 1.0),
    (-1.0, 1.0),
    (0.0, -1.0),
    (1.0, 0.0),
    (0.0, 1.0),
    (-1.0, 0.0),
];
const DISTANCES: [f64; 3] = [1.0, 2.0, 3.2];

/// The notes, each where it covers least.
pub fn notes(
    figure: &Figure,
    frame: &Frame,
    maps: (&Map, &Map),
    drawn: &[Shape],
    style: &Style,
) -> Vec<Shape> {
    if figure.notes.is_empty() {
        return Vec::new();
    }
    let ink = inked(drawn, style.small);
    let size = style.small * 0.95;
    let mut taken: Vec<Area> = Vec::new();
    let mut shapes = Vec::new();
    for note in &figure.notes {
        let place = (maps.0.place(note.at.0), maps.1.place(note.at.1));
        let inside = |part: f64| (-1e-9..=1.0 + 1e-9).contains(&part);
        if !(inside(place.0) && inside(place.1)) {
            continue;
        }
        let place = frame.place(place);
        let (width, height) = (font::width(&note.text, size), size * 0.95);
        let mut best: Option<(f64, Area)> = None;
        for (step, distance) in DISTANCES.iter().enumerate() {
            for (turn, (across, down)) in AROUND.iter().enumerate() {
                let gap = 7.0 * style.curve / 2.0 * distance;
                // Along a diagonal the corner of the words is nearest.
                let gap = if *across != 0.0 && *down != 0.0 {
                    gap * 0.75
                } else {
                    gap
                };
                let middle = (
                    place.0 + across * (gap + width / 2.0),
                    place.1 + down * (gap + height / 2.0),
                );
                let area = Area {
                    left: middle.0 - width / 2.0,
                    right: middle.0 + width / 2.0,
                    top: middle.1 - height / 2.0,
                    bottom: middle.1 + height / 2.0,
                };
                let covered = ink.iter().filter(|point| area.holds(**point)).count() as f64;
                let overlaps = taken.iter().filter(|other| area.meets(other)).count() as f64;
                let outside = f64::from(
                    area.left < frame.left + 2.0
                        || area.right > frame.right
                        || area.top < frame.top
                        || area.bottom > frame.bottom - 2.0,
                );
                let cost = 1000.0 * overlaps
                    + 300.0 * outside
                    + 4.0 * covered
                    + 3.0 * step as f64
                    + 0.1 * turn as f64;
                if best.as_ref().is_none_or(|(known, _)| cost < *known) {
                    best = Some((cost, area));
                }
            }
        }
        if let Some((_, area)) = best {
            taken.push(area);
            let at = (area.left, area.bottom - height * 0.14);
            shapes.push(halo(&area));
            let mut text = words(at, Rich::plain(&note.text), size, Anchor::Start);
            if let Shape::Text { colour, .. } = &mut text {
                *colour = INK;
            }
            shapes.push(text);
        }
    }
    shapes
}

/// White paper under the words, so that they can be read over a curve.
fn halo(area: &Area) -> Shape {
    Shape::Rectangle {
        at: (area.left - 1.0, area.top),
        size: (area.right - area.left + 2.0, area.bottom - area.top),
        colour: (255, 255, 255),
    }
}

/// Points of what is drawn, close enough together that nothing of the size of a letter is missed.
fn inked(drawn: &[Shape], letter: f64) -> Vec<(f64, f64)> {
    const MOST: usize = 60_000;
    let spacing = letter / 4.0;
    let mut points = Vec::new();
    for shape in drawn {
        match shape {
            Shape::Line { points: line, .. } => {
                for pair in line.windows(2) {
                    let [from, to] = pair else { continue };
                    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
                    let parts = (dx.hypot(dy) / spacing).ceil().clamp(1.0, 2000.0) as usize;
                    for part in 0..parts {
                        let part = part as f64 / parts as f64;
                        points.push((from.0 + part * dx, from.1 + part * dy));
                    }
                    if points.len() > MOST {
                        return points;
                    }
                }
            }
            // A symbol counts more than a stretch of a curve.
            Shape::Markers {
                centres, radius, ..
            } => {
                for centre in centres {
                    for (across, down) in
                        [(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)]
                    {
                        let at = (centre.0 + across * radius, centre.1 + down * radius);
                        points.extend([at, at]);
                    }
                }
            }
            _ => {}
        }
    }
    points
}
