//! Draws a [`Figure`] as SVG, as PNG and on the terminal.
//!
//! Enters: a figure and a size. Leaves: bytes or text. `ticks` and `data` turn the figure into
//! ranges, ticks and thinned curves; `layout` turns these into shapes on paper, which `svg` and
//! `png` write (`beside` adds arrows and notes); `heat` does so for heat maps, `sheet` for several
//! figures on one paper, `matrix` for quantities in pairs; `terminal` sets dots in character cells
//! instead. Must not know where the numbers come from.

mod beside;
mod canvas;
mod colours;
mod data;
mod field;
mod field_terminal;
mod font;
mod heat;
mod layout;
mod legend;
mod matrix;
mod matrix_terminal;
mod palette;
mod png;
mod shapes;
mod sheet;
mod svg;
mod terminal;
#[cfg(test)]
mod tests;
mod ticks;

use crate::diagnostic::{Code, Diagnostic};
use crate::figure::{Fields, Figure, HeatMap, Matrix, Sheet};
pub use crate::render::Colour;
use std::fmt;
use std::path::Path;

/// Width and height of a picture in logical pixels (1/96 inch); a PNG has twice as many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Horizontal extent.
    pub width: f64,
    /// Vertical extent.
    pub height: f64,
}

impl Default for Size {
    /// 720 by 480: half a slide, or 7.5 inches of a page.
    fn default() -> Size {
        Size {
            width: 720.0,
            height: 480.0,
        }
    }
}

/// The smallest and largest side that is drawn, in logical pixels.
const SIDE_LIMITS: (f64, f64) = (160.0, 8000.0);

impl Size {
    fn checked(self) -> Result<Size, FigureError> {
        let fits = |side: f64| (SIDE_LIMITS.0..=SIDE_LIMITS.1).contains(&side);
        if fits(self.width) && fits(self.height) {
            Ok(self)
        } else {
            Err(FigureError::Size { size: self })
        }
    }
}

/// The kinds of picture files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Scalable vector graphics.
    Svg,
    /// Portable network graphics, two pixels per logical pixel.
    Png,
}

/// The two axes, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisName {
    /// Horizontal.
    X,
    /// Vertical.
    Y,
}

/// Why a figure could not be drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureError {
    /// A logarithmic axis, and none of the values is positive.
    NothingPositive {
        /// Which axis.
        axis: AxisName,
    },
    /// A picture too small to read, too large for memory, or without a finite size.
    Size {
        /// What was asked for.
        size: Size,
    },
    /// The picture could not be encoded.
    Encoding {
        /// The encoder's words.
        reason: String,
    },
}

impl fmt::Display for FigureError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FigureError::NothingPositive { axis } => {
                let axis = match axis {
                    AxisName::X => "x",
                    AxisName::Y => "y",
                };
                write!(
                    out,
                    "the {axis} axis is logarithmic, but no value along it is positive"
                )
            }
            FigureError::Size { size } => write!(
                out,
                "a picture of {} by {} pixels cannot be drawn",
                size.width, size.height
            ),
            FigureError::Encoding { reason } => {
                write!(out, "the picture could not be encoded: {reason}")
            }
        }
    }
}

impl std::error::Error for FigureError {}

impl From<FigureError> for Diagnostic {
    fn from(error: FigureError) -> Diagnostic {
        let diagnostic = Diagnostic::new(Code::CannotDraw, error.to_string());
        match error {
            FigureError::NothingPositive { .. } => {
                diagnostic.help("draw it with a linear axis, or plot something positive")
            }
            FigureError::Size { .. } => diagnostic.help(format!(
                "each side must have {} to {} pixels",
                SIDE_LIMITS.0, SIDE_LIMITS.1
            )),
            FigureError::Encoding { .. } => diagnostic,
        }
    }
}

/// The format that a file's extension names, in either case.
#[must_use]
pub fn file_format(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?;
    match extension.to_ascii_lowercase().as_str() {
        "svg" => Some(Format::Svg),
        "png" => Some(Format::Png),
        _ => None,
    }
}

/// The figure as an SVG document.
///
/// # Errors
/// [`FigureError::NothingPositive`] and [`FigureError::Size`].
pub fn svg(figure: &Figure, size: Size) -> Result<String, FigureError> {
    Ok(svg::document(&layout::layout(figure, size.checked()?)?))
}

/// The figure as a PNG file, two pixels per logical pixel.
///
/// # Errors
/// All of [`FigureError`].
pub fn png(figure: &Figure, size: Size) -> Result<Vec<u8>, FigureError> {
    png::file(&layout::layout(figure, size.checked()?)?)
}

/// A heat map as an SVG document, as high as its rows need.
#[must_use]
pub fn heat_svg(map: &HeatMap) -> String {
    svg::document(&heat::layout(map))
}

/// A heat map as a PNG file, two pixels per logical pixel.
///
/// # Errors
/// [`FigureError::Encoding`], and [`FigureError::Size`] when memory does not allow the picture.
pub fn heat_png(map: &HeatMap) -> Result<Vec<u8>, FigureError> {
    png::file(&heat::layout(map))
}

/// Fields as an SVG document, as large as their number needs.
#[must_use]
pub fn fields_svg(fields: &Fields) -> String {
    svg::document(&field::layout(fields))
}

/// Fields as a PNG file, two pixels per logical pixel.
///
/// # Errors
/// [`FigureError::Encoding`], and [`FigureError::Size`] when memory does not allow the picture.
pub fn fields_png(fields: &Fields) -> Result<Vec<u8>, FigureError> {
    png::file(&field::layout(fields))
}

/// Fields in character cells, one below the other.
#[must_use]
pub fn fields_terminal(fields: &Fields, width: usize, height: usize, colour: Colour) -> String {
    field_terminal::text(fields, width, height, colour)
}

/// Several figures as one SVG document, as large as their number needs.
///
/// # Errors
/// [`FigureError::NothingPositive`], and [`FigureError::Size`] for too many panels.
pub fn sheet_svg(sheet: &Sheet) -> Result<String, FigureError> {
    Ok(svg::document(&sheet::layout(sheet)?))
}

/// Several figures as one PNG file, two pixels per logical pixel.
///
/// # Errors
/// All of [`FigureError`].
pub fn sheet_png(sheet: &Sheet) -> Result<Vec<u8>, FigureError> {
    png::file(&sheet::layout(sheet)?)
}

/// A matrix of figures as an SVG document.
///
/// # Errors
/// [`FigureError::NothingPositive`], and [`FigureError::Size`] for too many panels.
pub fn matrix_svg(matrix: &Matrix) -> Result<String, FigureError> {
    Ok(svg::document(&matrix::layout(matrix)?))
}

/// A matrix of figures as a PNG file, two pixels per logical pixel.
///
/// # Errors
/// All of [`FigureError`].
pub fn matrix_png(matrix: &Matrix) -> Result<Vec<u8>, FigureError> {
    png::file(&matrix::layout(matrix)?)
}

/// A matrix of figures in braille dots, side by side within `width` columns.
#[must_use]
pub fn matrix_terminal(matrix: &Matrix, width: usize, colour: Colour) -> String {
    or_words(matrix_terminal::text(matrix, width, colour))
}

/// Several figures in braille dots, one below the other.
#[must_use]
pub fn sheet_terminal(sheet: &Sheet, width: usize, height: usize, colour: Colour) -> String {
    let drawn = sheet
        .panels
        .iter()
        .map(|panel| terminal(panel, width, height, colour));
    let title = if sheet.title.is_empty() {
        String::new()
    } else {
        format!("{}\n\n", sheet.title)
    };
    title + &drawn.collect::<Vec<_>>().join("\n")
}

/// The figure in braille dots, `width` columns by `height` lines (legend and labels included;
/// at least 30 by 8), ending with a line break. A figure that cannot be drawn is told in words.
#[must_use]
pub fn terminal(figure: &Figure, width: usize, height: usize, colour: Colour) -> String {
    or_words(terminal::text(figure, width, height, colour))
}

/// A figure that cannot be drawn is told in words.
fn or_words(drawn: Result<String, FigureError>) -> String {
    drawn.unwrap_or_else(|error| format!("{error}\n"))
}
