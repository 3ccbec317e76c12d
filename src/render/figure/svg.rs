//! Writes shapes as an SVG document.
//!
//! Text stays text, so that it can be searched and edited; the layout's widths are those of a
//! wide typeface, and the ones named here are as wide or narrower. Must not know figures.

use super::palette::{Marker, Rgb};
use super::shapes::{Anchor, Cap, Part, Picture, RAISED_BY, RAISED_SIZE, Rich, Shape};
use std::fmt::Write;

const FONTS: &str = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/// The whole document.
pub fn document(picture: &Picture) -> String {
    let (width, height) = (picture.size.width, picture.size.height);
    let mut out = String::with_capacity(16 * 1024);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{FONTS}\" role=\"img\">"
    );
    if !picture.title.is_empty() {
        out.push_str("<title>");
        escape(&mut out, &picture.title);
        out.push_str("</title>\n");
    }
    let _ = writeln!(
        out,
        "<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>"
    );
    for shape in &picture.shapes {
        write_shape(&mut out, shape);
    }
    out.push_str("</svg>\n");
    out
}

fn write_shape(out: &mut String, shape: &Shape) {
    match shape {
        Shape::Line {
            points,
            colour,
            width,
            dash,
            cap,
        } => write_line(out, points, *colour, *width, dash, *cap),
        Shape::Region {
            points,
            colour,
            opacity,
        } => write_region(out, points, *colour, *opacity),
        Shape::Strokes {
            lines,
            colour,
            width,
        } => write_strokes(out, lines, *colour, *width),
        Shape::Rectangle { at, size, colour } => write_rectangle(out, *at, *size, *colour),
        Shape::Markers {
            centres,
            marker,
            radius,
            colour,
        } => write_markers(out, centres, *marker, *radius, *colour),
        Shape::Text {
            at,
            text,
            size,
            anchor,
            upward,
            colour,
        } => {
            out.push_str("<text");
            if *upward {
                out.push_str(" transform=\"translate(");
                pair(out, *at);
                out.push_str(") rotate(-90)\"");
            } else {
                out.push_str(" x=\"");
                number(out, at.0);
                out.push_str("\" y=\"");
                number(out, at.1);
                out.push('"');
            }
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            out.push_str(" font-size=\"");
            number(out, *size);
            let _ = write!(out, "\" text-anchor=\"{anchor}\" fill=\"");
            write_colour(out, *colour);
            out.push_str("\">");
            write_rich(out, text, *size);
            out.push_str("</text>\n");
        }
    }
}

fn write_line(
    out: &mut String,
    points: &[(f64, f64)],
    colour: Rgb,
    width: f64,
    dash: &[f64],
    cap: Cap,
) {
    out.push_str("<path fill=\"none\" stroke=\"");
    write_colour(out, colour);
    out.push_str("\" stroke-width=\"");
    number(out, width);
    if cap == Cap::Round {
        out.push_str("\" stroke-linejoin=\"round");
        if dash.is_empty() {
            out.push_str("\" stroke-linecap=\"round");
        }
    }
    if !dash.is_empty() {
        out.push_str("\" stroke-dasharray=\"");
        for (index, length) in dash.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            number(out, *length);
        }
    }
    out.push_str("\" d=\"");
    for (index, point) in points.iter().enumerate() {
        out.push(if index == 0 { 'M' } else { 'L' });
        pair(out, *point);
    }
    out.push_str("\"/>\n");
}

fn write_region(out: &mut String, points: &[(f64, f64)], colour: Rgb, opacity: f64) {
    out.push_str("<path stroke=\"none\" fill=\"");
    write_colour(out, colour);
    out.push_str("\" fill-opacity=\"");
    number(out, opacity);
    out.push_str("\" d=\"");
    for (index, point) in points.iter().enumerate() {
        out.push(if index == 0 { 'M' } else { 'L' });
        pair(out, *point);
    }
    out.push_str("Z\"/>\n");
}

fn write_strokes(out: &mut String, lines: &[Vec<(f64, f64)>], colour: Rgb, width: f64) {
    out.push_str("<path fill=\"none\" stroke=\"");
    write_colour(out, colour);
    out.push_str("\" stroke-width=\"");
    number(out, width);
    out.push_str("\" stroke-linejoin=\"round\" stroke-linecap=\"round\" d=\"");
    for line in lines {
        for (index, point) in line.iter().enumerate() {
            out.push(if index == 0 { 'M' } else { 'L' });
            pair(out, *point);
        }
    }
    out.push_str("\"/>\n");
}

fn write_rectangle(out: &mut String, at: (f64, f64), size: (f64, f64), colour: Rgb) {
    let parts = [
        ("x", at.0),
        ("y", at.1),
        ("width", size.0),
        ("height", size.1),
    ];
    // Neighbours would show the paper between them if their edges were smoothed.
    out.push_str("<rect shape-rendering=\"crispEdges\"");
    for (name, value) in parts {
        let _ = write!(out, " {name}=\"");
        number(out, value);
        out.push('"');
    }
    out.push_str(" fill=\"");
    write_colour(out, colour);
    out.push_str("\"/>\n");
}

fn write_markers(
    out: &mut String,
    centres: &[(f64, f64)],
    marker: Marker,
    radius: f64,
    colour: Rgb,
) {
    let outlined = matches!(marker, Marker::Ring | Marker::Half);
    let mut ink = String::new();
    write_colour(&mut ink, colour);
    let (inside, around, width) = if outlined {
        ("#fff", ink.as_str(), super::shapes::OUTLINE)
    } else {
        (ink.as_str(), "#fff", super::shapes::rim(radius))
    };
    let _ = write!(
        out,
        "<g fill=\"{inside}\" stroke=\"{around}\" stroke-width=\""
    );
    number(out, width);
    out.push_str("\">\n");
    for centre in centres {
        if marker == Marker::Circle || outlined {
            out.push_str("<circle cx=\"");
            number(out, centre.0);
            out.push_str("\" cy=\"");
            number(out, centre.1);
            out.push_str("\" r=\"");
            number(out, radius);
            if marker == Marker::Half {
                out.push_str("\"/>\n<path stroke=\"none\" fill=\"");
                write_colour(out, colour);
                out.push_str("\" d=\"M");
                pair(out, (centre.0 - radius, centre.1));
                out.push('A');
                pair(out, (radius, radius));
                out.push_str(" 0 0 0 ");
                pair(out, (centre.0 + radius, centre.1));
                out.push('Z');
            }
        } else {
            out.push_str("<path d=\"");
            for (index, corner) in super::shapes::corners(marker, radius).iter().enumerate() {
                out.push(if index == 0 { 'M' } else { 'L' });
                pair(out, (centre.0 + corner.0, centre.1 + corner.1));
            }
            out.push('Z');
        }
        out.push_str("\"/>\n");
    }
    out.push_str("</g>\n");
}

fn write_rich(out: &mut String, text: &Rich, size: f64) {
    let mut raised_before = false;
    for Part { text, raised } in &text.parts {
        if *raised == raised_before && !raised {
            escape(out, text);
            continue;
        }
        // The shift of one part moves all that follow, so the next part takes it back.
        let shift = if *raised { -RAISED_BY } else { RAISED_BY } * size;
        out.push_str("<tspan dy=\"");
        number(out, shift);
        if *raised {
            out.push_str("\" font-size=\"");
            number(out, size * RAISED_SIZE);
        }
        out.push_str("\">");
        escape(out, text);
        out.push_str("</tspan>");
        raised_before = *raised;
    }
}

fn pair(out: &mut String, (x, y): (f64, f64)) {
    number(out, x);
    out.push(' ');
    number(out, y);
}

/// A number with at most two decimals.
fn number(out: &mut String, value: f64) {
    let hundredths = (value * 100.0).round() as i64;
    let (whole, rest) = (hundredths / 100, (hundredths % 100).unsigned_abs());
    if hundredths < 0 && whole == 0 {
        out.push('-');
    }
    let _ = write!(out, "{whole}");
    if rest > 0 && rest % 10 == 0 {
        let _ = write!(out, ".{}", rest / 10);
    } else if rest > 0 {
        let _ = write!(out, ".{rest:02}");
    }
}

fn write_colour(out: &mut String, (red, green, blue): Rgb) {
    let _ = write!(out, "#{red:02x}{green:02x}{blue:02x}");
}

/// Text for an XML document; control characters, which XML forbids, become spaces.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                out.push(' ');
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_decimals_at_most() {
        let text = |value: f64| {
            let mut out = String::new();
            number(&mut out, value);
            out
        };
        assert_eq!(text(1.0), "1");
        assert_eq!(text(1.5), "1.5");
        assert_eq!(text(-0.05), "-0.05");
        assert_eq!(text(-0.001), "0");
        assert_eq!(text(12.346), "12.35");
    }

    #[test]
    fn text_is_escaped() {
        let mut out = String::new();
        escape(&mut out, "a<b & \"c\"\u{1}");
        assert_eq!(out, "a&lt;b &amp; &quot;c&quot; ");
    }
}
