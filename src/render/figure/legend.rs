//! The legend: which entries it has and where they stand.
//!
//! Enters: a figure and the paper. Leaves: the room that the legend takes (right of the plot, or
//! below it) and its shapes. Must not know axes or data.

use super::Size;
use super::layout::{Frame, Style, axis_words, sample, words};
use super::shapes::{Anchor, Rich, Shape};
use crate::figure::{Figure, Mark};
use rustc_hash::FxHashSet;

/// One line of the legend: a label with its curve, its points or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The words.
    pub label: String,
    /// Number of the colour.
    pub colour: usize,
    /// How the curve that bears this label is drawn, if one does.
    pub line: Option<Mark>,
    /// How the points that bear this label are drawn, if some do.
    pub points: Option<Mark>,
}

/// Entries with their places relative to the legend's own corner.
#[derive(Debug, Clone)]
pub struct Legend {
    side: Side,
    curves: usize,
    /// Left edge and row of each entry.
    items: Vec<(f64, usize, Item)>,
    width: f64,
    rows: usize,
    row_height: f64,
    gap: f64,
}

#[derive(Debug, Clone)]
enum Item {
    Sample(Entry, Rich),
    More(Rich),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Nowhere,
    Right,
    Below,
}

/// The number of curves that differ by colour alone; those with dashes of their own do not count.
pub fn distinct_curves(figure: &Figure) -> usize {
    let lines = figure.series.iter().filter(|s| s.mark == Mark::Line);
    lines
        .map(|series| series.colour)
        .collect::<FxHashSet<_>>()
        .len()
}

/// The entries in the order of the series. Series with one label and one colour share an entry,
/// series without label have none, and a lone series needs none when the axis already names it.
pub fn entries(figure: &Figure) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut known = rustc_hash::FxHashMap::default();
    for series in figure.series.iter().filter(|s| !s.label.is_empty()) {
        let line = series.mark.is_curve().then_some(series.mark);
        let points = (!series.mark.is_curve()).then_some(series.mark);
        let next = entries.len();
        let index = *known
            .entry((series.label.as_str(), series.colour))
            .or_insert(next);
        match entries.get_mut(index) {
            Some(entry) => {
                entry.line = entry.line.or(line);
                entry.points = entry.points.or(points);
            }
            None => entries.push(Entry {
                label: series.label.clone(),
                colour: series.colour,
                line,
                points,
            }),
        }
    }
    match entries.as_slice() {
        [only] if only.label == figure.y.label || only.label == axis_words(&figure.y) => Vec::new(),
        _ => entries,
    }
}

/// Length of the sample of a curve.
const SAMPLE: f64 = 28.0;
/// Between a sample and its words.
const SAMPLE_GAP: f64 = 7.0;

fn plain_curves(entries: &[Entry]) -> usize {
    let curves = entries.iter();
    curves
        .filter(|entry| entry.line == Some(Mark::Line))
        .count()
}

/// Chooses a side and places the entries.
pub fn place(entries: &[Entry], size: Size, style: &Style) -> Legend {
    let curves = plain_curves(entries);
    let mut legend = Legend {
        side: Side::Nowhere,
        curves,
        items: Vec::new(),
        width: 0.0,
        rows: 0,
        row_height: style.small * 1.5,
        gap: style.gap,
    };
    if entries.is_empty() {
        return legend;
    }
    let texts: Vec<Rich> = entries
        .iter()
        .map(|entry| Rich::marked(&entry.label))
        .collect();
    let longest = texts
        .iter()
        .map(|text| text.width(style.small))
        .fold(0.0, f64::max);
    let narrow = size.width < 440.0;
    let wide_words = longest > 0.3 * size.width && entries.len() <= 6;
    if narrow || wide_words {
        legend.flow_below(entries, texts, size, style);
    } else {
        legend.column_right(entries, texts, size, style);
    }
    legend
}

/// "… and 3 more"
fn more(count: usize) -> Item {
    Item::More(Rich::plain(&format!("… and {count} more")))
}

impl Legend {
    fn column_right(&mut self, entries: &[Entry], texts: Vec<Rich>, size: Size, style: &Style) {
        self.side = Side::Right;
        let most = 0.3 * size.width;
        // Title and axis words take about a fifth of the height.
        let fit = ((size.height * 0.8 / self.row_height) as usize).max(2);
        let shown = if entries.len() > fit {
            fit - 1
        } else {
            entries.len()
        };
        for (row, (entry, text)) in entries.iter().zip(texts).take(shown).enumerate() {
            let text = text.shortened(style.small, most);
            self.width = self
                .width
                .max(SAMPLE + SAMPLE_GAP + text.width(style.small));
            self.items
                .push((0.0, row, Item::Sample(entry.clone(), text)));
        }
        if shown < entries.len() {
            let item = more(entries.len() - shown);
            if let Item::More(text) = &item {
                self.width = self.width.max(text.width(style.small));
            }
            self.items.push((0.0, shown, item));
        }
        self.rows = self.items.len();
    }

    fn flow_below(&mut self, entries: &[Entry], texts: Vec<Rich>, size: Size, style: &Style) {
        self.side = Side::Below;
        let room = size.width - 2.0 * style.gap;
        let most_rows = ((size.height * 0.3 / self.row_height) as usize).max(1);
        let more_width = style.small * 8.0;
        let (mut left, mut row) = (0.0, 0);
        for (index, (entry, text)) in entries.iter().zip(texts).enumerate() {
            let text = text.shortened(style.small, room - SAMPLE - SAMPLE_GAP);
            let width = SAMPLE + SAMPLE_GAP + text.width(style.small);
            let last = index + 1 == entries.len();
            let reserve = if row + 1 == most_rows && !last {
                more_width
            } else {
                0.0
            };
            if left > 0.0 && left + width + reserve > room {
                if row + 1 == most_rows {
                    self.items.push((left, row, more(entries.len() - index)));
                    break;
                }
                left = 0.0;
                row += 1;
            }
            self.items
                .push((left, row, Item::Sample(entry.clone(), text)));
            left += width + 1.5 * style.gap;
        }
        self.width = room;
        self.rows = row + 1;
    }

    /// A legend below the plot, whatever its width.
    pub fn below(entries: &[Entry], size: Size, style: &Style) -> Legend {
        let mut legend = place(&[], size, style);
        legend.curves = plain_curves(entries);
        if !entries.is_empty() {
            let texts = entries.iter().map(|entry| Rich::marked(&entry.label));
            legend.flow_below(entries, texts.collect(), size, style);
        }
        legend
    }

    /// Room taken right of the plot, gap included.
    pub fn width_right(&self) -> f64 {
        if self.side == Side::Right {
            self.width + self.inner_gap()
        } else {
            0.0
        }
    }

    /// The gap between plot and legend.
    pub fn inner_gap(&self) -> f64 {
        self.gap * 1.3
    }

    /// Room taken below the plot.
    pub fn height_below(&self) -> f64 {
        if self.side == Side::Below {
            self.rows as f64 * self.row_height + self.gap * 0.4
        } else {
            0.0
        }
    }

    /// Adds the legend's shapes.
    pub fn draw(&self, shapes: &mut Vec<Shape>, frame: &Frame, size: Size, style: &Style) {
        let (left, top) = match self.side {
            Side::Nowhere => return,
            Side::Right => (size.width - self.gap - self.width, frame.top),
            Side::Below => {
                let height = self.rows as f64 * self.row_height;
                (
                    self.gap,
                    size.height - self.gap - height + self.row_height * 0.3,
                )
            }
        };
        for (offset, row, item) in &self.items {
            let x = left + offset;
            let middle = top + (*row as f64 + 0.5) * self.row_height;
            let baseline = middle + style.small * 0.36;
            match item {
                Item::Sample(entry, text) => {
                    let centre = (x + SAMPLE / 2.0, middle);
                    shapes.extend(sample(entry, centre, SAMPLE, self.curves, style));
                    let at = (x + SAMPLE + SAMPLE_GAP, baseline);
                    shapes.push(words(at, text.clone(), style.small, Anchor::Start));
                }
                Item::More(text) => {
                    shapes.push(words(
                        (x, baseline),
                        text.clone(),
                        style.small,
                        Anchor::Start,
                    ));
                }
            }
        }
    }
}
