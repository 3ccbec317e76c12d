//! Figures of many paths: bands over time, histograms.
//!
//! Enters: an ensemble. Leaves: figures as data. Must not know how they are drawn.

use super::Ensemble;
use crate::figure::{Axis, Band, Figure, Mark, Series};
use crate::model::Unit;

/// Sample paths that are drawn when one quantity is shown, and when several are.
const SAMPLES: (usize, usize) = (5, 0);

/// The median of each column over time, the bands that hold half and nine tenths of the paths, and
/// a few paths as they are.
pub(in crate::session) fn bands(
    ensemble: &Ensemble,
    columns: &[usize],
    time_label: &str,
) -> Figure {
    let mut figure = Figure {
        title: format!("{}: median, 50 % and 90 %", super::many(ensemble.made)),
        x: Axis {
            label: time_label.to_owned(),
            unit: ensemble
                .compiled
                .model
                .time
                .unit
                .as_ref()
                .map(Unit::to_string),
            ..Axis::default()
        },
        y: shared_axis(ensemble, columns),
        ..Figure::default()
    };
    let samples = if columns.len() == 1 {
        SAMPLES.0
    } else {
        SAMPLES.1
    };
    for (colour, column) in columns.iter().enumerate() {
        let quantile = |share: f64| -> Vec<f64> {
            (0..ensemble.times.len())
                .map(|row| ensemble.summary.quantile(row, *column, share))
                .collect()
        };
        for (low, high) in [(0.05, 0.95), (0.25, 0.75)] {
            figure.bands.push(Band {
                x: ensemble.times.clone(),
                low: quantile(low),
                high: quantile(high),
                colour,
            });
        }
        let width = ensemble.quantities.len();
        for path in ensemble.samples.iter().take(samples) {
            figure.series.push(Series {
                label: String::new(),
                x: ensemble.times.clone(),
                y: path.iter().skip(*column).step_by(width).copied().collect(),
                mark: Mark::Thin,
                colour,
            });
        }
        figure.series.push(Series {
            label: name(ensemble, *column),
            x: ensemble.times.clone(),
            y: quantile(0.5),
            mark: Mark::Line,
            colour,
        });
    }
    figure
}

fn name(ensemble: &Ensemble, column: usize) -> String {
    let known = ensemble.quantities.get(column);
    known.map_or_else(String::new, |known| known.name.clone())
}

/// The axis of one quantity, or of several that have a unit in common.
fn shared_axis(ensemble: &Ensemble, columns: &[usize]) -> Axis {
    let known: Vec<_> = columns
        .iter()
        .filter_map(|column| ensemble.quantities.get(*column))
        .collect();
    let unit = known.first().and_then(|first| first.unit.as_ref());
    let same = known.iter().all(|other| other.unit.as_ref() == unit);
    Axis {
        label: match known.as_slice() {
            [only] => only.name.clone(),
            _ => String::new(),
        },
        unit: unit.filter(|_| same).map(Unit::to_string),
        ..Axis::default()
    }
}

/// How quantities are distributed over the paths at one output time, as densities.
pub(super) fn histogram(
    ensemble: &Ensemble,
    columns: &[usize],
    row: usize,
    title: String,
) -> Figure {
    let mut figure = Figure {
        title,
        x: shared_axis(ensemble, columns),
        y: Axis {
            label: "density".to_owned(),
            ..Axis::default()
        },
        ..Figure::default()
    };
    for (colour, column) in columns.iter().enumerate() {
        let bars = ensemble.summary.histogram(row, *column);
        #[expect(clippy::cast_precision_loss, reason = "counts of paths")]
        let total = bars.iter().map(|bar| bar.count).sum::<u64>() as f64;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for bar in &bars {
            // All paths at one value make a line.
            let width = if bar.high > bar.low {
                bar.high - bar.low
            } else {
                1.0
            };
            #[expect(clippy::cast_precision_loss, reason = "counts of paths")]
            let density = bar.count as f64 / total / width;
            x.extend([bar.low, bar.high]);
            y.extend([density, density]);
        }
        if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
            x.insert(0, first.low);
            x.push(last.high);
            y.insert(0, 0.0);
            y.push(0.0);
        }
        figure.bands.push(Band {
            low: vec![0.0; x.len()],
            x: x.clone(),
            high: y.clone(),
            colour,
        });
        figure.series.push(Series {
            // The axis names the only one.
            label: if columns.len() == 1 {
                String::new()
            } else {
                name(ensemble, *column)
            },
            x,
            y,
            mark: Mark::Line,
            colour,
        });
    }
    figure
}
