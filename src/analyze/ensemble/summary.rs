//! A table of what paths have in common: one cell for each output time and quantity.
//!
//! Enters: blocks of paths. Leaves: moments, quantiles and histograms of every cell. Quantiles are
//! exact as long as all numbers fit into the memory set apart for them, and read from histograms
//! beyond.

use super::bins::{Bar, Bins};
use super::moments::Moments;

/// Bytes set apart for quantiles.
const MEMORY: usize = 64 << 20;
/// The most and the fewest bins of a histogram.
const BINS: (usize, usize) = (2048, 64);
/// Bars of a histogram made of numbers that are all known.
const MOST_BARS: usize = 64;

/// What paths have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    rows: usize,
    columns: usize,
    moments: Vec<Moments>,
    shape: Shape,
}

/// How the numbers of a cell are distributed.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// All of them, cell by cell, each as they came.
    All(Vec<Vec<f64>>),
    /// Counts.
    Binned(Vec<Bins>),
}

/// The moments of the cells of one block, worked out where the block was made.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockMoments(Vec<Moments>);

impl BlockMoments {
    /// Those of `numbers[path * cells + cell]`.
    #[must_use]
    pub fn of(numbers: &[f64], cells: usize) -> BlockMoments {
        let of_cell = |cell| Moments::of(numbers.iter().skip(cell).step_by(cells).copied());
        BlockMoments((0..cells).map(of_cell).collect())
    }
}

impl Summary {
    /// A summary without paths, for so many output times, quantities and paths to come.
    #[must_use]
    pub fn new(rows: usize, columns: usize, paths: u64) -> Summary {
        let cells = rows * columns;
        let per_cell = MEMORY / cells.max(1);
        let all = usize::try_from(paths).is_ok_and(|paths| paths <= per_cell / 8);
        let bins = (per_cell / 4).clamp(BINS.1, BINS.0);
        Summary {
            rows,
            columns,
            moments: vec![Moments::default(); cells],
            shape: if all {
                Shape::All(vec![Vec::new(); cells])
            } else {
                Shape::Binned(vec![Bins::new(bins); cells])
            },
        }
    }

    /// Takes in a block: its moments, and its numbers `numbers[path * cells + cell]`.
    pub fn add(&mut self, block: &BlockMoments, numbers: &[f64]) {
        for (known, more) in self.moments.iter_mut().zip(&block.0) {
            known.join(more);
        }
        // Cell by cell: all cells together do not fit into a cache.
        let count = self.moments.len().max(1);
        let of_cell = |at: usize| numbers.iter().skip(at).step_by(count);
        match &mut self.shape {
            Shape::All(cells) => {
                for (at, cell) in cells.iter_mut().enumerate() {
                    cell.extend(of_cell(at).filter(|number| number.is_finite()));
                }
            }
            Shape::Binned(cells) => {
                for (at, cell) in cells.iter_mut().enumerate() {
                    of_cell(at).for_each(|number| cell.add(*number));
                }
            }
        }
    }

    /// Puts the numbers in order, once all paths are there: quantiles are read from them.
    pub fn finish(&mut self) {
        if let Shape::All(cells) = &mut self.shape {
            for cell in cells {
                cell.sort_by(f64::total_cmp);
            }
        }
    }

    /// Output times.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Quantities.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// True when quantiles are exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.shape, Shape::All(_))
    }

    /// The moments of a cell.
    #[must_use]
    pub fn moments(&self, row: usize, column: usize) -> Moments {
        let found = self.moments.get(row * self.columns + column);
        found.copied().unwrap_or_default()
    }

    /// The value below which this share of the paths lies, interpolated between neighbours (R. J.
    /// Hyndman, Y. Fan, Am. Stat. 50, 361, 1996, definition 7). Of histograms to within a bin.
    #[must_use]
    pub fn quantile(&self, row: usize, column: usize, share: f64) -> f64 {
        let at = row * self.columns + column;
        match &self.shape {
            Shape::All(cells) => cells.get(at).map_or(f64::NAN, |cell| sorted(cell, share)),
            Shape::Binned(cells) => cells.get(at).map_or(f64::NAN, |cell| cell.quantile(share)),
        }
    }

    /// How far to trust the quantiles of a cell; 0 when they are exact.
    #[must_use]
    pub fn resolution(&self, row: usize, column: usize) -> f64 {
        match &self.shape {
            Shape::All(_) => 0.0,
            Shape::Binned(cells) => cells
                .get(row * self.columns + column)
                .map_or(0.0, Bins::resolution),
        }
    }

    /// The histogram of a cell, of at most `MOST_BARS` bars.
    #[must_use]
    pub fn histogram(&self, row: usize, column: usize) -> Vec<Bar> {
        let at = row * self.columns + column;
        let mut bars = match &self.shape {
            Shape::All(cells) => {
                let numbers = cells.get(at).map_or(&[][..], Vec::as_slice);
                bars_of(numbers)
            }
            Shape::Binned(cells) => cells.get(at).map_or_else(Vec::new, Bins::bars),
        };
        while bars.len() > MOST_BARS || is_comb(&bars) {
            bars = in_pairs(&bars);
        }
        bars
    }
}

/// The histogram of ascending numbers.
fn bars_of(numbers: &[f64]) -> Vec<Bar> {
    let mut bins = Bins::new(bars_for(numbers));
    let (Some(first), Some(spacing)) = (numbers.first(), lattice(numbers)) else {
        numbers.iter().for_each(|number| bins.add(*number));
        return bins.bars();
    };
    // Counted in units of the spacing they are whole, and have bars around them.
    for number in numbers {
        bins.add(((number - first) / spacing).round());
    }
    let back = |edge: f64| first + spacing * edge;
    let bars = bins.bars().into_iter();
    bars.map(|bar| Bar {
        low: back(bar.low),
        high: back(bar.high),
        ..bar
    })
    .collect()
}

/// The distance of which all differences between ascending numbers are multiples, where few values
/// occur again and again: those of single molecules in a volume.
fn lattice(numbers: &[f64]) -> Option<f64> {
    let span = numbers.last()? - numbers.first()?;
    let gaps = || {
        let gaps = numbers.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.filter(|gap| *gap > 1e-9 * span)
    };
    let smallest = gaps().reduce(f64::min)?;
    let is_multiple = |gap: f64| {
        let times = gap / smallest;
        (times - times.round()).abs() < 1e-4
    };
    (2 * gaps().count() < numbers.len() && gaps().all(is_multiple)).then_some(smallest)
}

/// Whether bars are narrower than the distance of the few values that occur: amounts of single
/// molecules in a volume.
fn is_comb(bars: &[Bar]) -> bool {
    let gaps = bars
        .windows(2)
        .filter(|pair| pair[0].count > 0 && pair[1].count == 0);
    let teeth = bars.iter().filter(|bar| bar.count > 0).count();
    teeth > 4 && 4 * gaps.count() > teeth
}

/// Twice as many bins as advised, since widths are powers of two and up to twice as wide as need be:
/// by D. Freedman and P. Diaconis (Z. Wahrscheinlichkeitstheorie 57, 453, 1981), and no fewer than
/// 2 n^(1/3), which shows two peaks too.
fn bars_for(numbers: &[f64]) -> usize {
    let (Some(low), Some(high)) = (numbers.first(), numbers.last()) else {
        return 2;
    };
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let root = (numbers.len() as f64).cbrt();
    let advised = 2.0 * (sorted(numbers, 0.75) - sorted(numbers, 0.25)) / root;
    let bars = ((high - low) / advised).max(2.0 * root);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped"
    )]
    let bars = if bars.is_finite() {
        (2.0 * bars).clamp(8.0, MOST_BARS as f64) as usize
    } else {
        MOST_BARS
    };
    bars
}

/// Neighbours in one bar each, as the next wider bins would have them.
fn in_pairs(bars: &[Bar]) -> Vec<Bar> {
    let Some(first) = bars.first() else {
        return Vec::new();
    };
    let width = first.high - first.low;
    // Bins begin at whole multiples of their width, but for a half where whole numbers stand in their
    // middle: the first may be the second half of a pair.
    let lonely = (first.low / width + 0.75).floor().rem_euclid(2.0) >= 1.0;
    let (head, rest) = bars.split_at(usize::from(lonely));
    let mut wider: Vec<Bar> = head
        .iter()
        .map(|bar| Bar {
            low: bar.low - width,
            ..*bar
        })
        .collect();
    wider.extend(rest.chunks(2).map(|pair| Bar {
        low: pair[0].low,
        high: pair[0].low + 2.0 * width,
        count: pair.iter().map(|bar| bar.count).sum(),
    }));
    wider
}

/// The quantile of ascending numbers.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions"
)]
fn sorted(numbers: &[f64], share: f64) -> f64 {
    let Some(last) = numbers.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let at = place.floor() as usize;
    let low = numbers.get(at).copied().unwrap_or(f64::NAN);
    match numbers.get(at + 1) {
        Some(high) => low + (place - at as f64) * (high - low),
        None => low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_known_numbers() {
        // R 4.2: quantile(1:9, c(.05, .5, .95)) is 1.4, 5.0, 8.6; sd(1:9) = 2.738613.
        let mut summary = Summary::new(1, 1, 9);
        for block in [[3.0, 1.0, 2.0], [9.0, 8.0, 7.0], [5.0, 4.0, 6.0]] {
            summary.add(&BlockMoments::of(&block, 1), &block);
        }
        summary.finish();
        let quantile = |share| summary.quantile(0, 0, share);
        assert!((quantile(0.05) - 1.4).abs() < 1e-12);
        assert_eq!(quantile(0.5), 5.0);
        assert!((quantile(0.95) - 8.6).abs() < 1e-12);
        assert!((summary.moments(0, 0).deviation() - 2.738_613).abs() < 1e-6);
        assert!(summary.is_exact());
    }

    #[test]
    fn numbers_of_molecules_make_no_comb() {
        for volume in [1.0, 2.0, 0.7] {
            let mut summary = Summary::new(1, 1, 1000);
            // 0 to 20, the middle ones most often.
            let numbers: Vec<f64> = (0..1000)
                .map(|k: i32| f64::from(k % 11 + k % 7 + k % 5) / volume)
                .collect();
            summary.add(&BlockMoments::of(&numbers, 1), &numbers);
            summary.finish();
            let bars = summary.histogram(0, 0);
            let empty = bars.iter().filter(|bar| bar.count == 0).count();
            assert!(bars.len() > 8 && empty <= 2, "{volume}: {bars:?}");
            assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 1000);
        }
    }

    #[test]
    fn many_paths_are_binned_and_agree() {
        let (paths, cells) = (20_000, 1000);
        let mut summary = Summary::new(500, 2, paths);
        assert!(!summary.is_exact());
        let mut stream = crate::kernel::Stream::new(11, 0);
        let mut block = vec![0.0; 4 * cells];
        let mut of_first = Vec::new();
        for _ in 0..paths / 4 {
            stream.normals(&mut block);
            of_first.extend(block.iter().step_by(cells).copied());
            summary.add(&BlockMoments::of(&block, cells), &block);
        }
        summary.finish();
        of_first.sort_by(f64::total_cmp);
        for share in [0.05, 0.5, 0.95] {
            let apart = summary.quantile(0, 0, share) - sorted(&of_first, share);
            assert!(apart.abs() <= summary.resolution(0, 0));
        }
        let bars = summary.histogram(0, 0);
        assert!(bars.len() <= MOST_BARS);
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), paths);
    }
}
