//! Paints shapes into pixels and encodes them as a PNG file.
//!
//! Enters: shapes. Leaves: the bytes of a file. The only file that knows the rasteriser and the
//! PNG encoder.

use super::FigureError;
use super::font;
use super::palette::{Marker, Rgb};
use super::shapes::{
    Anchor, Cap, OUTLINE, Picture, RAISED_BY, RAISED_SIZE, Rich, Shape, corners, rim,
};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash,
    Transform,
};

/// Pixels per logical pixel, for sharp print and screens.
const SCALE: f32 = 2.0;

/// Pixels per metre: two per 1/96 inch.
const RESOLUTION: u32 = 7559;

/// The whole file.
///
/// # Errors
/// [`FigureError::Size`] when memory does not allow the picture, [`FigureError::Encoding`].
pub fn file(picture: &Picture) -> Result<Vec<u8>, FigureError> {
    let width = (picture.size.width * f64::from(SCALE)).round() as u32;
    let height = (picture.size.height * f64::from(SCALE)).round() as u32;
    let mut canvas = Pixmap::new(width, height).ok_or(FigureError::Size { size: picture.size })?;
    canvas.fill(Color::WHITE);
    for shape in &picture.shapes {
        paint(&mut canvas, shape);
    }
    encode(&canvas).map_err(|error| FigureError::Encoding {
        reason: error.to_string(),
    })
}

fn encode(canvas: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    // The paper is opaque, so the alpha channel says nothing.
    let rgb: Vec<u8> = canvas
        .data()
        .chunks_exact(4)
        .flat_map(|pixel| pixel.iter().take(3).copied())
        .collect();
    let mut bytes = Vec::with_capacity(128 * 1024);
    let mut encoder = png::Encoder::new(&mut bytes, canvas.width(), canvas.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: RESOLUTION,
        yppu: RESOLUTION,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}

fn solid(colour: Rgb) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(colour.0, colour.1, colour.2, 255);
    paint.anti_alias = true;
    paint
}

fn scaled() -> Transform {
    Transform::from_scale(SCALE, SCALE)
}

fn paint(canvas: &mut Pixmap, shape: &Shape) {
    match shape {
        Shape::Line {
            points,
            colour,
            width,
            dash,
            cap,
        } => {
            let mut path = PathBuilder::with_capacity(points.len() + 1, points.len() + 1);
            for (index, (x, y)) in points.iter().enumerate() {
                if index == 0 {
                    path.move_to(*x as f32, *y as f32);
                } else {
                    path.line_to(*x as f32, *y as f32);
                }
            }
            if let Some(path) = path.finish() {
                let stroke = stroke(*width, dash, *cap);
                canvas.stroke_path(&path, &solid(*colour), &stroke, scaled(), None);
            }
        }
        Shape::Region {
            points,
            colour,
            opacity,
        } => paint_region(canvas, points, *colour, *opacity),
        Shape::Strokes {
            lines,
            colour,
            width,
        } => paint_strokes(canvas, lines, *colour, *width),
        Shape::Rectangle { at, size, colour } => {
            let (x, y) = (at.0 as f32, at.1 as f32);
            if let Some(area) = Rect::from_xywh(x, y, size.0 as f32, size.1 as f32) {
                let mut paint = solid(*colour);
                paint.anti_alias = false;
                canvas.fill_rect(area, &paint, scaled(), None);
            }
        }
        Shape::Markers {
            centres,
            marker,
            radius,
            colour,
        } => {
            paint_markers(canvas, centres, *marker, *radius, *colour);
        }
        Shape::Text {
            at,
            text,
            size,
            anchor,
            upward,
            colour,
        } => {
            let shift = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -text.width(*size) / 2.0,
                Anchor::End => -text.width(*size),
            };
            let turned = if *upward {
                scaled()
                    .pre_translate(at.0 as f32, at.1 as f32)
                    .pre_rotate(-90.0)
            } else {
                scaled().pre_translate(at.0 as f32, at.1 as f32)
            };
            paint_text(canvas, text, *size, shift, *colour, turned);
        }
    }
}

fn paint_region(canvas: &mut Pixmap, points: &[(f64, f64)], colour: Rgb, opacity: f64) {
    let mut path = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        if index == 0 {
            path.move_to(*x as f32, *y as f32);
        } else {
            path.line_to(*x as f32, *y as f32);
        }
    }
    path.close();
    if let Some(path) = path.finish() {
        let mut paint = solid(colour);
        paint.set_color_rgba8(
            colour.0,
            colour.1,
            colour.2,
            (opacity * 255.0).round() as u8,
        );
        canvas.fill_path(&path, &paint, FillRule::Winding, scaled(), None);
    }
}

fn paint_strokes(canvas: &mut Pixmap, lines: &[Vec<(f64, f64)>], colour: Rgb, width: f64) {
    let mut path = PathBuilder::new();
    for line in lines {
        for (index, (x, y)) in line.iter().enumerate() {
            if index == 0 {
                path.move_to(*x as f32, *y as f32);
            } else {
                path.line_to(*x as f32, *y as f32);
            }
        }
    }
    if let Some(path) = path.finish() {
        let stroke = stroke(width, &[], Cap::Round);
        canvas.stroke_path(&path, &solid(colour), &stroke, scaled(), None);
    }
}

/// The lower half of a disc, as a polygon.
fn lower_half(x: f32, y: f32, radius: f32) -> Option<Path> {
    const CORNERS: u16 = 48;
    let mut path = PathBuilder::new();
    path.move_to(x + radius, y);
    for corner in 1..=CORNERS {
        let angle = std::f32::consts::PI * f32::from(corner) / f32::from(CORNERS);
        path.line_to(x + radius * angle.cos(), y + radius * angle.sin());
    }
    path.close();
    path.finish()
}

fn paint_markers(
    canvas: &mut Pixmap,
    centres: &[(f64, f64)],
    marker: Marker,
    radius: f64,
    colour: Rgb,
) {
    const WHITE: Rgb = (255, 255, 255);
    let outlined = matches!(marker, Marker::Ring | Marker::Half);
    let (inside, around, width) = if outlined {
        (WHITE, colour, OUTLINE)
    } else {
        (colour, WHITE, rim(radius))
    };
    let outline = corners(marker, radius);
    for centre in centres {
        let mut path = PathBuilder::new();
        let (x, y) = (centre.0 as f32, centre.1 as f32);
        if outline.is_empty() {
            path.push_circle(x, y, radius as f32);
        }
        for (index, corner) in outline.iter().enumerate() {
            let (dx, dy) = (corner.0 as f32, corner.1 as f32);
            if index == 0 {
                path.move_to(x + dx, y + dy);
            } else {
                path.line_to(x + dx, y + dy);
            }
        }
        path.close();
        let Some(path) = path.finish() else { continue };
        canvas.fill_path(&path, &solid(inside), FillRule::Winding, scaled(), None);
        if marker == Marker::Half
            && let Some(half) = lower_half(x, y, radius as f32)
        {
            canvas.fill_path(&half, &solid(colour), FillRule::Winding, scaled(), None);
        }
        if width > 0.0 {
            let stroke = stroke(width, &[], Cap::Butt);
            canvas.stroke_path(&path, &solid(around), &stroke, scaled(), None);
        }
    }
}

fn stroke(width: f64, dash: &[f64], cap: Cap) -> Stroke {
    let lengths: Vec<f32> = dash.iter().map(|length| *length as f32).collect();
    let solid = lengths.is_empty();
    Stroke {
        width: width as f32,
        line_cap: if cap == Cap::Round && solid {
            LineCap::Round
        } else {
            LineCap::Butt
        },
        line_join: if cap == Cap::Round {
            LineJoin::Round
        } else {
            LineJoin::Miter
        },
        dash: if solid {
            None
        } else {
            StrokeDash::new(lengths, 0.0)
        },
        ..Stroke::default()
    }
}

fn paint_text(
    canvas: &mut Pixmap,
    text: &Rich,
    size: f64,
    start: f64,
    colour: Rgb,
    place: Transform,
) {
    let mut at = start;
    for part in &text.parts {
        let (size, raise) = if part.raised {
            (size * RAISED_SIZE, size * RAISED_BY)
        } else {
            (size, 0.0)
        };
        let mut pen = Pen(PathBuilder::new());
        font::outline(&part.text, size, &mut pen);
        if let Some(path) = pen.0.finish() {
            let place = place.pre_translate(at as f32, -raise as f32);
            canvas.fill_path(&path, &solid(colour), FillRule::Winding, place, None);
        }
        at += font::width(&part.text, size);
    }
}

/// Passes glyph outlines on to the rasteriser.
struct Pen(PathBuilder);

impl font::OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
