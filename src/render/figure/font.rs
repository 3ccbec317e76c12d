//! The one typeface of the pictures: widths and outlines of text.
//!
//! Enters: text. Leaves: advance widths for the layout and outlines for the raster writer. The
//! only file that knows the font parser. The typeface is DejaVu Sans, cut down to Latin, Greek,
//! Cyrillic and mathematical signs and bundled, so that no system font is looked for.

use std::sync::OnceLock;
use ttf_parser::Face;
pub use ttf_parser::OutlineBuilder;

const BYTES: &[u8] = include_bytes!("font/DejaVuSans-subset.ttf");

/// Width of a character that the typeface lacks, in parts of the font size (a square, as
/// browsers use for East Asian text).
const MISSING_WIDTH: f64 = 1.0;

fn face() -> Option<&'static Face<'static>> {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(BYTES, 0).ok()).as_ref()
}

/// The width of a line of text set at `size`, in the unit of `size`.
pub fn width(text: &str, size: f64) -> f64 {
    let Some(face) = face() else {
        return text.chars().count() as f64 * size * 0.6;
    };
    let em = f64::from(face.units_per_em());
    let advance = |character: char| match face.glyph_index(character) {
        Some(glyph) => f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)) / em,
        None => MISSING_WIDTH,
    };
    text.chars().map(advance).sum::<f64>() * size
}

/// Draws the outlines of a line of text set at `size` into `pen`, the baseline's start at 0, 0,
/// y downward.
pub fn outline(text: &str, size: f64, pen: &mut impl OutlineBuilder) {
    let Some(face) = face() else { return };
    let scale = size / f64::from(face.units_per_em());
    let mut at = 0.0;
    for character in text.chars() {
        let glyph = face.glyph_index(character);
        let mut placed = Placed {
            pen: &mut *pen,
            scale: scale as f32,
            x: at as f32,
        };
        // A missing character shows the typeface's empty box.
        let id = glyph.unwrap_or(ttf_parser::GlyphId(0));
        let _ = face.outline_glyph(id, &mut placed);
        at += match glyph {
            Some(glyph) => f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * scale,
            None => MISSING_WIDTH * size,
        };
    }
}

/// Scales and moves a glyph's outline on its way to the pen.
struct Placed<'a, P> {
    pen: &'a mut P,
    scale: f32,
    x: f32,
}

impl<P> Placed<'_, P> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (x * self.scale + self.x, -y * self.scale)
    }
}

impl<P: OutlineBuilder> OutlineBuilder for Placed<'_, P> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.pen.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.pen.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (x1, y1) = self.at(x1, y1);
        let (x, y) = self.at(x, y);
        self.pen.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (x1, y1) = self.at(x1, y1);
        let (x2, y2) = self.at(x2, y2);
        let (x, y) = self.at(x, y);
        self.pen.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.pen.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_of_units_are_in_the_typeface() {
        let face = face().expect("the bundled typeface parses");
        for character in "Aaéß αβγΔΩµμ°·×⋅−±≤≥≈∞∂√→⇌⁻¹²³⁰⁴⁹₀₁₉ÅЖ…∅".chars()
        {
            assert!(face.glyph_index(character).is_some(), "{character}");
        }
    }

    #[test]
    fn width_grows_with_size() {
        // DejaVu Sans digits are 1303/2048 em wide.
        assert!((width("00", 10.0) - 20.0 * 1303.0 / 2048.0).abs() < 1e-9);
    }
}
