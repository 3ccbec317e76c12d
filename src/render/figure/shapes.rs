//! What a laid-out figure consists of: lines, markers and text at places on paper.
//!
//! The contract between the layout and the writers of SVG and PNG. Lengths are in logical
//! pixels, y downward.

use super::Size;
use super::font;
use super::palette::{Marker, Rgb};

/// Shapes in the order of painting.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The paper.
    pub size: Size,
    /// What the picture shows, in words, for readers that cannot see it.
    pub title: String,
    /// Later shapes cover earlier ones.
    pub shapes: Vec<Shape>,
}

/// One thing to paint.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// An open line through points.
    Line {
        /// Corners.
        points: Vec<(f64, f64)>,
        /// Colour.
        colour: Rgb,
        /// Thickness.
        width: f64,
        /// Drawn and empty lengths in turn; solid when empty.
        dash: &'static [f64],
        /// How the ends look.
        cap: Cap,
    },
    /// Many open lines of one kind, with rounded ends: arrows.
    Strokes {
        /// Corners of each line.
        lines: Vec<Vec<(f64, f64)>>,
        /// Colour.
        colour: Rgb,
        /// Thickness.
        width: f64,
    },
    /// A filled polygon through which what is under it shows.
    Region {
        /// Corners.
        points: Vec<(f64, f64)>,
        /// Colour.
        colour: Rgb,
        /// From 0, not seen, to 1.
        opacity: f64,
    },
    /// A filled rectangle with sharp edges.
    Rectangle {
        /// The upper left corner.
        at: (f64, f64),
        /// Width and height.
        size: (f64, f64),
        /// Colour.
        colour: Rgb,
    },
    /// Equal markers with a white rim, in their own group.
    Markers {
        /// Centres.
        centres: Vec<(f64, f64)>,
        /// Form.
        marker: Marker,
        /// Half of the diameter.
        radius: f64,
        /// Colour.
        colour: Rgb,
    },
    /// A line of text.
    Text {
        /// The anchor on the baseline.
        at: (f64, f64),
        /// The words.
        text: Rich,
        /// Font size.
        size: f64,
        /// Which part of the text stands at the anchor.
        anchor: Anchor,
        /// True when it runs upward.
        upward: bool,
        /// Colour.
        colour: Rgb,
    },
}

impl Shape {
    /// The same shape elsewhere on the paper.
    pub fn moved(mut self, (right, down): (f64, f64)) -> Shape {
        let shift = |point: &mut (f64, f64)| {
            point.0 += right;
            point.1 += down;
        };
        match &mut self {
            Shape::Line { points, .. } | Shape::Region { points, .. } => {
                points.iter_mut().for_each(shift)
            }
            Shape::Strokes { lines, .. } => lines.iter_mut().flatten().for_each(shift),
            Shape::Markers { centres, .. } => centres.iter_mut().for_each(shift),
            Shape::Rectangle { at, .. } | Shape::Text { at, .. } => shift(at),
        }
        self
    }
}

/// The ends of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// Cut off.
    Butt,
    /// Rounded, for curves.
    Round,
}

/// The part of a text that stands at its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its first letter.
    Start,
    /// Its middle.
    Middle,
    /// Its last letter.
    End,
}

/// Text with raised parts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rich {
    /// Parts in reading order.
    pub parts: Vec<Part>,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The words.
    pub text: String,
    /// True for a superscript.
    pub raised: bool,
}

/// Size of a superscript in parts of the text's.
pub const RAISED_SIZE: f64 = 0.72;
/// How far a superscript is raised, in parts of the text's size.
pub const RAISED_BY: f64 = 0.38;

impl Rich {
    /// Text as it stands.
    pub fn plain(text: &str) -> Rich {
        let mut rich = Rich::default();
        rich.push(text, false);
        rich
    }

    /// Text in which `^2`, `^-1` or superscript digits become superscripts.
    pub fn marked(text: &str) -> Rich {
        let mut rich = Rich::default();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let exponent = exponent_length(rest);
            if exponent > 0 {
                let (sign, tail) = rest.split_at(exponent);
                let digits: String = sign.chars().filter_map(lowered).collect();
                rich.push(&digits, true);
                rest = tail;
            } else {
                let (head, tail) = rest.split_at(character.len_utf8());
                rich.push(head, false);
                rest = tail;
            }
        }
        rich
    }

    /// A power of ten with an optional factor before it.
    pub fn power(prefix: &str, exponent: i32) -> Rich {
        let mut rich = Rich::plain(&format!("{prefix}10"));
        rich.push(&exponent.to_string().replace('-', "\u{2212}"), true);
        rich
    }

    /// Adds a piece, joining it to the last one of the same kind.
    pub fn push(&mut self, text: &str, raised: bool) {
        match self.parts.last_mut() {
            Some(last) if last.raised == raised => last.text.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(Part {
                text: text.to_owned(),
                raised,
            }),
        }
    }

    /// Width when set at `size`.
    pub fn width(&self, size: f64) -> f64 {
        let of = |part: &Part| {
            font::width(
                &part.text,
                size * if part.raised { RAISED_SIZE } else { 1.0 },
            )
        };
        self.parts.iter().map(of).sum()
    }

    /// The text shortened with "…" so that it is at most `width` wide at `size`.
    pub fn shortened(mut self, size: f64, width: f64) -> Rich {
        if self.width(size) <= width {
            return self;
        }
        while let Some(last) = self.parts.last_mut() {
            last.text.pop();
            if last.text.is_empty() {
                self.parts.pop();
            }
            let mut candidate = self.clone();
            candidate.push("…", false);
            if candidate.width(size) <= width {
                return candidate;
            }
        }
        Rich::plain("…")
    }
}

/// Bytes of the exponent that `text` begins with: `^` with an optional minus and digits, or
/// superscript characters.
fn exponent_length(text: &str) -> usize {
    if let Some(after) = text.strip_prefix('^') {
        let unsigned = after.strip_prefix(['-', '\u{2212}']).unwrap_or(after);
        let digits = unsigned.len()
            - unsigned
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        if digits == 0 {
            return 0;
        }
        return 1 + (after.len() - unsigned.len()) + digits;
    }
    let superscript = |c: char| lowered(c).is_some() && !c.is_ascii() && c != '\u{2212}';
    text.len() - text.trim_start_matches(superscript).len()
}

/// The plain character of a superscript one; digits and minus signs stand for themselves.
fn lowered(character: char) -> Option<char> {
    Some(match character {
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴' => '4',
        '⁵' => '5',
        '⁶' => '6',
        '⁷' => '7',
        '⁸' => '8',
        '⁹' => '9',
        '⁻' | '-' | '\u{2212}' => '\u{2212}',
        digit if digit.is_ascii_digit() => digit,
        _ => return None,
    })
}

/// Thickness of the outline of a ring or a half-filled disc.
pub const OUTLINE: f64 = 1.5;

/// Thickness of the white rim of a marker: none on markers too small to bear one.
pub fn rim(radius: f64) -> f64 {
    if radius < 2.0 { 0.0 } else { 1.0 }
}

/// The corners of a marker around 0, 0; sized to look as large as a disc of that radius. A
/// circle has none.
pub fn corners(marker: Marker, radius: f64) -> Vec<(f64, f64)> {
    match marker {
        Marker::Circle | Marker::Ring | Marker::Half => Vec::new(),
        Marker::Square => {
            let half = radius * 0.9;
            vec![(-half, -half), (half, -half), (half, half), (-half, half)]
        }
        Marker::Diamond => {
            let reach = radius * 1.3;
            vec![(0.0, -reach), (reach, 0.0), (0.0, reach), (-reach, 0.0)]
        }
        Marker::Triangle | Marker::TriangleDown => {
            let up = if marker == Marker::Triangle {
                -1.0
            } else {
                1.0
            };
            let (tip, base, half) = (radius * 1.2 * up, -radius * 0.8 * up, radius * 1.15);
            vec![(0.0, tip), (half, base), (-half, base)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_raised() {
        let rich = Rich::marked("mg/m^2 day⁻¹ a^b");
        let parts: Vec<(&str, bool)> = rich
            .parts
            .iter()
            .map(|part| (part.text.as_str(), part.raised))
            .collect();
        assert_eq!(
            parts,
            [
                ("mg/m", false),
                ("2", true),
                (" day", false),
                ("−1", true),
                (" a^b", false)
            ]
        );
    }

    #[test]
    fn shortening_keeps_within_the_width() {
        let short = Rich::plain("a very long name of a series").shortened(12.0, 60.0);
        assert!(short.width(12.0) <= 60.0);
        assert!(short.parts[0].text.ends_with('…'));
    }
}
