//! Which values each member of a sweep has.
//!
//! Enters: the swept quantities with their ranges. Leaves: the values of member k, computed when
//! they are asked for. Must not know models or runs.

use super::sobol::Sobol;
use std::sync::Arc;

/// Members of a sweep, numbered from 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Members {
    /// Every value of each axis with every value of the others; the last axis moves fastest.
    Grid(Vec<Vec<f64>>),
    /// Points of a box with these ends and scales.
    Sobol {
        /// Directions of the cube.
        sobol: Sobol,
        /// One for each axis.
        ranges: Vec<Span>,
        /// How many points.
        count: usize,
    },
    /// The values of each axis, one for each member.
    Table(Vec<Arc<[f64]>>),
}

/// A range with its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// The first value.
    pub low: f64,
    /// The last value.
    pub high: f64,
    /// Even distances of the logarithm.
    pub logarithmic: bool,
}

impl Span {
    /// The value at a part of the way, from 0 to 1.
    pub fn at(&self, part: f64) -> f64 {
        let Span { low, high, .. } = *self;
        // The ends are hit exactly.
        if part <= 0.0 {
            low
        } else if part >= 1.0 {
            high
        } else if self.logarithmic {
            low * (high / low).powf(part)
        } else {
            low + (high - low) * part
        }
    }

    /// So many values, both ends among them; the low end alone for one.
    #[expect(clippy::cast_precision_loss, reason = "a number of points")]
    pub fn values(&self, count: usize) -> Vec<f64> {
        let last = count.saturating_sub(1).max(1) as f64;
        (0..count).map(|k| self.at(k as f64 / last)).collect()
    }
}

impl Members {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Members::Grid(axes) => axes.iter().map(Vec::len).product(),
            Members::Sobol { count, .. } => *count,
            Members::Table(columns) => columns.first().map_or(0, |column| column.len()),
        }
    }

    /// How many values each axis of a grid has.
    pub fn counts(&self) -> Vec<usize> {
        match self {
            Members::Grid(axes) => axes.iter().map(Vec::len).collect(),
            Members::Sobol { .. } | Members::Table(_) => Vec::new(),
        }
    }

    /// The values of a member, one for each axis.
    pub fn values(&self, member: usize) -> Vec<f64> {
        match self {
            Members::Grid(axes) => {
                let mut rest = member;
                let mut values: Vec<f64> = (axes.iter().rev())
                    .map(|axis| {
                        let place = rest % axis.len().max(1);
                        rest /= axis.len().max(1);
                        axis.get(place).copied().unwrap_or(f64::NAN)
                    })
                    .collect();
                values.reverse();
                values
            }
            Members::Sobol { sobol, ranges, .. } => {
                let number = u32::try_from(member).unwrap_or(u32::MAX);
                let parts = ranges.iter().zip(sobol.point(number));
                parts.map(|(range, part)| range.at(part)).collect()
            }
            Members::Table(columns) => (columns.iter())
                .map(|column| column.get(member).copied().unwrap_or(f64::NAN))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exact_and_scales_even() {
        let even = Span {
            low: 0.1,
            high: 0.7,
            logarithmic: false,
        };
        let values = even.values(7);
        assert_eq!((values[0], values[6]), (0.1, 0.7));
        assert!((values[3] - 0.4).abs() < 1e-15);
        let log = Span {
            low: 1e-4,
            high: 10.0,
            logarithmic: true,
        };
        let values = log.values(6);
        assert_eq!((values[0], values[5]), (1e-4, 10.0));
        assert!((values[2] - 1e-2).abs() < 1e-15);
        assert_eq!(log.values(1), [1e-4]);
    }

    #[test]
    fn the_last_axis_of_a_grid_moves_fastest() {
        let grid = Members::Grid(vec![vec![1.0, 2.0], vec![3.0, 4.0, 5.0]]);
        let all: Vec<Vec<f64>> = (0..grid.count()).map(|k| grid.values(k)).collect();
        assert_eq!(all.len(), 6);
        assert_eq!((&all[0], &all[1]), (&vec![1.0, 3.0], &vec![1.0, 4.0]));
        assert_eq!((&all[3], &all[5]), (&vec![2.0, 3.0], &vec![2.0, 5.0]));
    }
}
