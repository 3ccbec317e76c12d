//! Draws a figure in character cells: curves in braille dots (two by four per cell), data points
//! as signs, axes in box-drawing lines.
//!
//! Enters: a figure and a number of columns and lines. Leaves: text. Every curve bears its
//! legend letter, so that the drawing can be read without colour. Must not know whether a
//! terminal is there.

use super::canvas::{Canvas, Pen, paint};
use super::data;
use super::layout::axis_words;
use super::legend::{self, Entry};
use super::ticks::{self, Label, Map, Ticks};
use super::{Colour, FigureError};
use crate::figure::{Axis, Figure, Mark, Note, Scale, Series};
use crate::render::table::number;
use crate::render::words;
use std::fmt::Write;

/// Signs of data points in the order of use.
const POINT_SIGNS: [char; 6] = ['o', 'x', '+', '*', '#', '@'];

/// Lines of a legend that stands by itself.
const MOST_LEGEND: usize = 3;

/// Digits of tick labels with an exponent; more than ticks ever need to differ.
const TICK_DIGITS: usize = 12;

/// The whole drawing.
///
/// # Errors
/// [`FigureError::NothingPositive`].
pub fn text(
    figure: &Figure,
    width: usize,
    height: usize,
    colour: Colour,
) -> Result<String, FigureError> {
    let (width, height) = (width.clamp(30, 1000), height.clamp(8, 500));
    let (x_range, y_range) = data::ranges(figure)?;
    let x_map = Map::new(figure.x.scale, x_range.0, x_range.1);
    let y_map = Map::new(figure.y.scale, y_range.0, y_range.1);

    let signs = Signs::of(figure);
    let mut legend = legend_lines(&signs, width, (height / 4).clamp(1, 4), colour);
    let title = words::fit(&figure.title, width);
    let x_words = words::fit(&axis_words(&figure.x), width);
    let y_words = words::fit(&axis_words(&figure.y), width);
    let around = [&title, &x_words, &y_words];
    let fixed = 2 + around.iter().filter(|text| !text.is_empty()).count();
    // On a very low screen the legend gives way to the plot.
    legend.truncate(height.saturating_sub(fixed + 3));
    let rows = height.saturating_sub(fixed + legend.len()).max(3);

    let y_ticks = ticks::ticks(figure.y.scale, y_range.0, y_range.1, (rows / 2).clamp(2, 8));
    let y_labels = labels(&y_ticks);
    let margin = y_labels
        .iter()
        .map(|(_, text)| words::width(text))
        .max()
        .unwrap_or(0)
        .min(width / 3);
    let columns = width - margin - 2;

    let mut canvas = Canvas::new(columns, rows);
    draw(&mut canvas, figure, &signs, (&x_map, &y_map));

    let mut out = String::new();
    if !title.is_empty() {
        let before = (margin + 2 + columns.saturating_sub(words::width(&title)) / 2)
            .min(width - words::width(&title));
        line(&mut out, &format!("{}{title}", " ".repeat(before)));
    }
    if !y_words.is_empty() {
        line(&mut out, &y_words);
    }
    for row in 0..rows {
        let label = y_labels
            .iter()
            .rev()
            .find(|(at, _)| row_of(*at, rows) == row);
        let text = label.map_or("", |(_, text)| text.as_str());
        let axis = match label {
            _ if figure.y.scale == Scale::Hidden => ' ',
            Some(_) => '┤',
            None => '│',
        };
        let text = words::right(&words::fit(text, margin), margin);
        line(
            &mut out,
            &format!("{text} {axis}{}", canvas.row(row, colour)),
        );
    }
    if figure.x.scale != Scale::Hidden {
        write_x_axis(&mut out, &figure.x, x_range, margin, columns);
    }
    if !x_words.is_empty() {
        let before = (margin + 2 + columns.saturating_sub(words::width(&x_words)) / 2)
            .min(width - words::width(&x_words));
        line(&mut out, &format!("{}{x_words}", " ".repeat(before)));
    }
    for text in legend {
        line(&mut out, &text);
    }
    Ok(out)
}

pub(super) fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

pub(super) fn row_of(at: f64, rows: usize) -> usize {
    ((1.0 - at) * (rows as f64 - 1.0)).round() as usize
}

/// Labelled ticks with their words for a terminal, where powers of ten read `2e6`.
pub(super) fn labels(ticks: &Ticks) -> Vec<(f64, String)> {
    let words = |label: &Label| match label {
        Label::Plain(text) => {
            let text = text.replace('\u{2212}', "-");
            match (ticks.exponent, text.parse::<f64>()) {
                // `8e11` rather than `0.8e12`.
                (exponent, Ok(part)) if exponent != 0 => {
                    number(part * 10_f64.powi(exponent), TICK_DIGITS)
                }
                _ => text,
            }
        }
        Label::Power { factor, exponent } => format!("{factor}e{exponent}"),
    };
    let labelled = |tick: &ticks::Tick| tick.label.as_ref().map(|label| (tick.at, words(label)));
    ticks.ticks.iter().filter_map(labelled).collect()
}

/// The axis line with its ticks, and the numbers under it.
pub(super) fn write_x_axis(
    out: &mut String,
    axis: &Axis,
    range: data::Range,
    margin: usize,
    columns: usize,
) {
    let column_of = |at: f64| (at * (columns as f64 - 1.0)).round() as usize;
    let mut wanted = (columns / 8).clamp(2, 12);
    let (cells, numbers) = loop {
        let labels = match axis.names.len() {
            0 => labels(&ticks::ticks(axis.scale, range.0, range.1, wanted)),
            names => {
                let room = (columns / names).saturating_sub(2).max(1);
                let short = axis.names.iter().map(|name| words::fit(name, room));
                labels(&ticks::named(&short.collect::<Vec<_>>(), range.0, range.1))
            }
        };
        let total = margin + 2 + columns;
        let mut numbers = String::new();
        let mut cells = Vec::new();
        let mut fits = true;
        for (at, text) in &labels {
            let half = words::width(text) / 2;
            let middle = margin + 2 + column_of(*at);
            let start = middle
                .saturating_sub(half)
                .min(total.saturating_sub(words::width(text)));
            let used = words::width(&numbers);
            if used > 0 && start < used + 2 {
                fits = false;
                continue;
            }
            numbers.push_str(&" ".repeat(start.saturating_sub(used)));
            numbers.push_str(text);
            cells.push(column_of(*at));
        }
        if fits || wanted <= 2 {
            break (cells, numbers);
        }
        wanted -= 1;
    };
    let ruler: String = (0..columns)
        .map(|cell| if cells.contains(&cell) { '┬' } else { '─' })
        .collect();
    line(out, &format!("{} └{ruler}", " ".repeat(margin)));
    line(out, &numbers);
}

/// Which sign stands for which series.
struct Signs {
    entries: Vec<Entry>,
    /// Letter of the curve and sign of the points, by entry.
    marks: Vec<(Option<char>, Option<char>)>,
}

impl Signs {
    fn of(figure: &Figure) -> Signs {
        Signs::new(legend::entries(figure))
    }

    fn new(entries: Vec<Entry>) -> Signs {
        // Small letters that are signs of points stay out.
        let mut letters = ('A'..='Z').chain(('a'..='z').filter(|c| !POINT_SIGNS.contains(c)));
        let mut points = POINT_SIGNS.iter().copied().cycle();
        let marks = entries
            .iter()
            .map(|entry| {
                // A lone curve needs no letter to be found.
                let letter = match entry.line {
                    // Trajectories are many; what names them is how pale they are.
                    Some(Mark::Thin) | None => None,
                    Some(_) if entries.len() > 1 => letters.next(),
                    Some(_) => None,
                };
                let sign = match entry.points {
                    None => None,
                    Some(Mark::Filled) => Some('●'),
                    Some(Mark::Open) => Some('○'),
                    Some(Mark::Half) => Some('◐'),
                    Some(_) => points.next(),
                };
                (letter, sign)
            })
            .collect();
        Signs { entries, marks }
    }

    fn find(&self, label: &str, colour: usize) -> (Option<char>, Option<char>) {
        let index = self
            .entries
            .iter()
            .position(|entry| entry.label == label && entry.colour == colour);
        index
            .and_then(|index| self.marks.get(index).copied())
            .unwrap_or_default()
    }
}

/// The lines of a legend by itself.
pub(super) fn legend_of(entries: &[Entry], width: usize, colour: Colour) -> Vec<String> {
    legend_lines(&Signs::new(entries.to_vec()), width, MOST_LEGEND, colour)
}

/// A figure without letters on its curves.
pub(super) fn draw_bare(canvas: &mut Canvas, figure: &Figure, maps: (&Map, &Map)) {
    draw(canvas, figure, &Signs::new(Vec::new()), maps);
}

/// `A prey   B predator   o prey data`, in at most `most` lines.
fn legend_lines(signs: &Signs, width: usize, most: usize, colour: Colour) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = vec![(String::new(), 0)];
    for (index, (entry, marks)) in signs.entries.iter().zip(&signs.marks).enumerate() {
        let mark: String = [marks.0, marks.1].iter().flatten().collect();
        let mark = if mark.is_empty() {
            let sample = match entry.line {
                Some(Mark::Thin) => "·",
                Some(mark) if mark != Mark::Line => "╌",
                _ => "─",
            };
            sample.to_owned()
        } else {
            mark
        };
        let label = words::fit(&entry.label, width.saturating_sub(words::width(&mark) + 1));
        let wide = words::width(&mark) + 1 + words::width(&label);
        let count = lines.len();
        let Some((text, used)) = lines.last_mut() else {
            break;
        };
        let gap = if *used == 0 { 0 } else { 3 };
        let more = format!("… and {} more", signs.entries.len() - index);
        let last = index + 1 == signs.entries.len();
        let reserve = if count == most && !last {
            words::width(&more) + 3
        } else {
            0
        };
        let painted = paint(&mark, entry.colour, colour);
        if *used + gap + wide + reserve <= width || *used == 0 {
            let _ = write!(text, "{}{painted} {label}", " ".repeat(gap));
            *used += gap + wide;
        } else if count < most {
            lines.push((format!("{painted} {label}"), wide));
        } else {
            let _ = write!(text, "   {more}");
            break;
        }
    }
    lines
        .into_iter()
        .map(|(text, _)| text)
        .filter(|text| !text.is_empty())
        .collect()
}

fn draw(canvas: &mut Canvas, figure: &Figure, signs: &Signs, (x, y): (&Map, &Map)) {
    let dots = canvas.columns * 2;
    let mut paths = Vec::new();
    let thin_first = |series: &&Series| series.mark != Mark::Thin;
    let edges = edges(figure);
    // Among dotted edges thin curves could not be told apart.
    let shown = |series: &&Series| edges.is_empty() || series.mark != Mark::Thin;
    let own = figure.series.iter().filter(shown);
    let mut curves: Vec<&Series> = edges
        .iter()
        .chain(own)
        .filter(|s| s.mark.is_curve())
        .collect();
    curves.sort_by_key(thin_first);
    for series in curves {
        let mut path = Vec::new();
        let mut pen = Pen::of(series.mark);
        for run in data::runs(series, x, y, dots) {
            for piece in data::clip(&run, (0.0, 0.0)) {
                canvas.curve(&piece, series.colour, &mut pen, &mut path);
            }
        }
        paths.push(Path {
            cells: path,
            letter: signs.find(&series.label, series.colour).0,
            colour: series.colour,
        });
    }
    for series in figure
        .series
        .iter()
        .filter(|series| !series.mark.is_curve())
    {
        if series.mark == Mark::Dots {
            for point in data::points(series, x, y, 2 * dots) {
                let dot = canvas.dot_of(point);
                canvas.dot(dot, (series.colour, false), &mut Vec::new());
            }
            continue;
        }
        let (_, sign) = signs.find(&series.label, series.colour);
        let sign = sign.unwrap_or(match series.mark {
            Mark::Filled => '●',
            Mark::Open => '○',
            Mark::Half => '◐',
            _ => 'o',
        });
        for point in data::points(series, x, y, dots) {
            let (column, row) = canvas.cell_of(point);
            canvas.sign(column, row, sign, series.colour);
        }
    }
    if signs.entries.len() > 1 {
        place_letters(canvas, &paths);
    }
    for note in &figure.notes {
        write_note(canvas, note, (x, y));
    }
    draw_arrows(canvas, figure, (x, y));
}

/// The edges of bands, which stand for them, but for those that are a curve or the axis anyway.
fn edges(figure: &Figure) -> Vec<Series> {
    let is_there = |edge: &[f64]| {
        edge.iter().all(|value| *value == 0.0) || figure.series.iter().any(|known| known.y == edge)
    };
    (figure.bands.iter())
        .flat_map(|band| [&band.low, &band.high].map(|edge| (band, edge)))
        .filter(|(_, edge)| !is_there(edge))
        .map(|(band, edge)| Series {
            label: String::new(),
            x: band.x.clone(),
            y: edge.clone(),
            mark: Mark::Dotted,
            colour: band.colour,
        })
        .collect()
}

/// Cells between two arrows, across and down.
const ARROW_CELLS: (usize, usize) = (6, 3);

/// A few arrows where nothing else is drawn.
fn draw_arrows(canvas: &mut Canvas, figure: &Figure, maps: (&Map, &Map)) {
    const SIGNS: [char; 8] = ['→', '↗', '↑', '↖', '←', '↙', '↓', '↘'];
    // A cell is about twice as high as wide.
    let paper = (canvas.columns as f64, 2.0 * canvas.rows as f64);
    let mut taken = rustc_hash::FxHashSet::default();
    for arrow in &figure.arrows {
        let place = (maps.0.place(arrow.at.0), maps.1.place(arrow.at.1));
        let inside = |part: f64| (0.0..=1.0).contains(&part);
        if !(inside(place.0) && inside(place.1)) {
            continue;
        }
        let (column, row) = canvas.cell_of(place);
        let around = column.saturating_sub(1)..=column + 1;
        let clear = around.clone().all(|column| canvas.is_blank((column, row)));
        if !clear || !taken.insert((column / ARROW_CELLS.0, row / ARROW_CELLS.1)) {
            continue;
        }
        let Some((across, down)) = super::beside::direction(figure, arrow, maps, paper) else {
            continue;
        };
        let turn = (-down).atan2(across) / std::f64::consts::FRAC_PI_4;
        let index = turn.round().rem_euclid(8.0) as usize;
        let sign = SIGNS.get(index % 8).copied().unwrap_or('·');
        canvas.sign(column, row, sign, ARROW_COLOUR);
    }
}

/// The number of the grey among the colours.
const ARROW_COLOUR: usize = 6;

/// Writes a note beside its place, where nothing is written and as little as possible is drawn.
fn write_note(canvas: &mut Canvas, note: &Note, (x, y): (&Map, &Map)) {
    let place = (x.place(note.at.0), y.place(note.at.1));
    let inside = |part: f64| (-1e-9..=1.0 + 1e-9).contains(&part);
    if !(inside(place.0) && inside(place.1)) {
        return;
    }
    let (column, row) = canvas.cell_of(place);
    let wide = words::width(&note.text);
    let (column, row, wide) = (column as i64, row as i64, wide as i64);
    let right = column + 2;
    let left = column - 1 - wide;
    let starts = [
        (right, row),
        (left, row),
        (column + 1, row - 1),
        (column - wide, row - 1),
        (column + 1, row + 1),
        (column - wide, row + 1),
        (column - wide / 2, row - 2),
        (column - wide / 2, row + 2),
    ];
    let cells = |(from, row): (i64, i64)| {
        (from..from + wide).map(move |column| (usize::try_from(column), usize::try_from(row)))
    };
    let cost = |start: &(i64, i64)| -> Option<usize> {
        let mut covered = 0;
        for cell in cells(*start) {
            let (Ok(column), Ok(row)) = cell else {
                return None;
            };
            if column >= canvas.columns || row >= canvas.rows || !canvas.is_free((column, row)) {
                return None;
            }
            covered += usize::from(!canvas.is_blank((column, row)));
        }
        Some(covered)
    };
    let fit = starts
        .iter()
        .filter_map(|start| Some((cost(start)?, *start)));
    let Some((_, (from, row))) = fit.min_by_key(|(cost, _)| *cost) else {
        return;
    };
    let Ok(row) = usize::try_from(row) else {
        return;
    };
    for (letter, at) in note.text.chars().zip(from..) {
        if let Ok(column) = usize::try_from(at) {
            canvas.sign(column, row, letter, ARROW_COLOUR);
        }
    }
}

/// The way of one curve over the canvas.
struct Path {
    /// Cells (column, row) in the order of drawing.
    cells: Vec<(usize, usize)>,
    /// The curve's letter, if the legend names it.
    letter: Option<char>,
    /// Number of the colour.
    colour: usize,
}

/// Writes each curve's letter at its end and once on its way, where no other curve runs.
fn place_letters(canvas: &mut Canvas, paths: &[Path]) {
    let mut curves_in = rustc_hash::FxHashMap::default();
    for Path { cells: path, .. } in paths {
        let cells: rustc_hash::FxHashSet<_> = path.iter().copied().collect();
        for cell in cells {
            *curves_in.entry(cell).or_insert(0_usize) += 1;
        }
    }
    let count = paths.len();
    for (index, curve) in paths.iter().enumerate() {
        let Path {
            cells: path,
            letter,
            colour,
        } = curve;
        let Some(letter) = letter else { continue };
        let end = path.len().saturating_sub(1);
        let way = (path.len() * (index + 1)) / (count + 1);
        let lone = |cell: &(usize, usize)| curves_in.get(cell).is_none_or(|n| *n < 2);
        let place = nearest(path, way, |cell| lone(cell) && canvas.is_free(*cell))
            .or_else(|| nearest(path, way, |cell| canvas.is_free(*cell)));
        if let Some((column, row)) = place.and_then(|index| path.get(index).copied()) {
            canvas.sign(column, row, *letter, *colour);
        }
        // The end is named too where the curve ends alone.
        let place = nearest(path, end, |cell| lone(cell) && canvas.is_free(*cell))
            .filter(|index| end - index <= path.len() / 8);
        if let Some((column, row)) = place.and_then(|index| path.get(index).copied()) {
            canvas.sign(column, row, *letter, *colour);
        }
    }
}

/// Index of the cell of a path nearest to `target` that is fit.
fn nearest(
    path: &[(usize, usize)],
    target: usize,
    fit: impl Fn(&(usize, usize)) -> bool,
) -> Option<usize> {
    let indices = path.iter().enumerate().filter(|(_, cell)| fit(cell));
    indices
        .map(|(index, _)| index)
        .min_by_key(|index| index.abs_diff(target))
}
