//! What a figure shows, as data. Drawing it (SVG, PNG, terminal) is `render`'s work.

/// The endings of the files that figures are drawn into.
pub const FILE_ENDINGS: [&str; 2] = ["svg", "png"];

/// Axes and series of one figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figure {
    /// Stands above the axes; none when empty.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Curves and points in the order of the legend.
    pub series: Vec<Series>,
    /// Regions under the curves: where most of something lies.
    pub bands: Vec<Band>,
    /// Short arrows under the curves: the direction of a flow.
    pub arrows: Vec<Arrow>,
    /// Words beside places, such as `LP1`.
    pub notes: Vec<Note>,
}

/// The region between a lower and an upper curve over the same `x`, in a pale colour through which
/// others show. A value that is not finite interrupts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Horizontal values, ascending.
    pub x: Vec<f64>,
    /// The lower edge.
    pub low: Vec<f64>,
    /// The upper edge.
    pub high: Vec<f64>,
    /// The colour of the series with the same number.
    pub colour: usize,
}

/// The direction of a flow at a place. Arrows are drawn with the same length on paper, thinly, in
/// grey; only the direction of (`dx`, `dy`), in units of the axes, counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrow {
    /// The middle of the arrow.
    pub at: (f64, f64),
    /// Where it points.
    pub along: (f64, f64),
}

/// Words beside a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The place.
    pub at: (f64, f64),
    /// A few letters.
    pub text: String,
}

/// One axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What is measured.
    pub label: String,
    /// Its unit as the model writes it, without brackets.
    pub unit: Option<String>,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Low and high end; chosen from the data when absent.
    pub range: Option<(f64, f64)>,
    /// Words in place of the numbers 1, 2, 3, ... of a horizontal axis; numbers when empty.
    pub names: Vec<String>,
}

/// How numbers are laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal distances for equal differences.
    #[default]
    Linear,
    /// Equal distances for equal ratios; values that are not positive are not drawn.
    Logarithmic,
    /// As linear, and nothing of the axis is drawn: places mean nothing.
    Hidden,
}

/// One curve or one set of points. `x` and `y` have the same length; a non-finite value
/// interrupts the curve. A series without a label has no place in the legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The legend's words.
    pub label: String,
    /// Horizontal values.
    pub x: Vec<f64>,
    /// Vertical values.
    pub y: Vec<f64>,
    /// Curve or points.
    pub mark: Mark,
    /// Series with the same number share a colour (a curve and its data); see [`shade`].
    pub colour: usize,
}

/// Colours from this number on are those of one scale, from dark for low numbers to bright for
/// high ones.
pub const SHADES: usize = 1000;

/// Steps of that scale that are told apart in a legend.
pub const SHADE_STEPS: usize = 6;

/// The colour of one of `steps` steps of the scale.
#[must_use]
pub fn shade(step: usize, steps: usize) -> usize {
    let last = steps.saturating_sub(1).max(1);
    SHADES + (step.min(last) * 100).div_euclid(last)
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A continuous curve.
    Line,
    /// A continuous curve in dashes: what is unstable.
    Dashed,
    /// A curve in long and short dashes: the second of two that meet, told apart without colour.
    DashDot,
    /// A curve in dots.
    Dotted,
    /// A thin, pale curve, drawn under the others: one of many trajectories.
    Thin,
    /// Separate points.
    Points,
    /// Small separate dots: many of them, as of orbits.
    Dots,
    /// Filled discs: stable states.
    Filled,
    /// Open circles: unstable states.
    Open,
    /// Discs of which the lower half is filled: saddles.
    Half,
}

impl Mark {
    /// True for curves, false for separate points.
    #[must_use]
    pub fn is_curve(self) -> bool {
        matches!(
            self,
            Mark::Line | Mark::Dashed | Mark::DashDot | Mark::Dotted | Mark::Thin
        )
    }
}

/// Figures side by side with a common legend: the same view for several values of a parameter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// Stands above all panels; none when empty.
    pub title: String,
    /// From left to right, then downward; each has its own title.
    pub panels: Vec<Figure>,
    /// How they lie on the paper.
    pub shape: SheetShape,
}

/// How the panels of a sheet lie on the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SheetShape {
    /// Nearly square panels, as many side by side as their number suggests.
    #[default]
    Square,
    /// Wide and low panels below each other, in two columns where there are many: long series.
    Wide,
}

/// Figures in the lower triangle of a square: what several quantities have to do with each other.
/// The panels of a column share their horizontal axis, those of a row their vertical one; on the
/// diagonal each quantity stands alone, and its vertical axis has no numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// Stands above all panels; none when empty.
    pub title: String,
    /// Row i has i + 1 panels, the last of them on the diagonal. The ranges of all axes below the
    /// diagonal, and of the horizontal ones on it, are given.
    pub rows: Vec<Vec<Figure>>,
    /// A few letters for the panel of row i and column j above the diagonal: row i has those of
    /// the columns from i + 1 on.
    pub above: Vec<Vec<String>>,
}

/// Numbers along a common axis as colours: white at zero, one hue for positive and one for
/// negative numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatMap {
    /// Stands above the panels; none when empty.
    pub title: String,
    /// The horizontal axis of all panels. Its scale is linear.
    pub x: Axis,
    /// From top to bottom.
    pub panels: Vec<HeatPanel>,
}

/// One grid of a heat map, with colours of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatPanel {
    /// Stands above the grid: what its numbers are.
    pub title: String,
    /// The words beside its rows, from top to bottom.
    pub rows: Vec<String>,
    /// Places of the columns, ascending; the same place twice is a jump.
    pub x: Vec<f64>,
    /// One number per place for each row; those that are not finite are drawn grey.
    pub values: Vec<Vec<f64>>,
}

/// Numbers over a grid of two quantities as colours, from dark for the lowest to bright for the
/// highest: one panel for each kind of number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields {
    /// Stands above the panels; none when empty.
    pub title: String,
    /// From left to right, then downward.
    pub panels: Vec<Field>,
}

/// One grid of numbers with colours of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Field {
    /// Stands above the grid: what its numbers are.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Places of the columns, ascending.
    pub columns: Vec<f64>,
    /// Places of the rows, ascending.
    pub rows: Vec<f64>,
    /// One number per column for each row, rows from the lowest place up; those that are not finite
    /// are drawn grey.
    pub values: Vec<Vec<f64>>,
    /// How colours follow numbers.
    pub scale: Scale,
}
