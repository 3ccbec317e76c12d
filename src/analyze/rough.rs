//! Numbers taken from the rows of a path: noise has no slope, so nothing but the rows is known.
//!
//! In: times with values. Out: the number, without an estimate of what happened between the rows.

use super::measure::{Measure, Measured};

/// What is known between two rows of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// The value of the row before: numbers of molecules.
    Constant,
    /// The straight line.
    Straight,
}

/// Takes a number from the rows of a path. Areas and means are those of the staircase or of the
/// straight lines between rows. Periods, amplitudes and half-lives need a smooth curve: `None` for
/// these, and for no rows at all.
#[must_use]
pub fn measure_rough(
    times: &[f64],
    values: &[f64],
    what: Measure,
    between: Between,
) -> Option<Measured> {
    let (first, last) = (values.first()?, values.last()?);
    let extreme = |better: fn(f64, f64) -> bool| {
        let start = (*first, times.first().copied().unwrap_or(f64::NAN));
        let pairs = values.iter().zip(times);
        pairs.fold(start, |best, (value, time)| {
            if better(*value, best.0) {
                (*value, *time)
            } else {
                best
            }
        })
    };
    let at = |(value, at): (f64, f64)| Measured {
        at: Some(at),
        ..Measured::exact(value)
    };
    let area = || -> f64 {
        let pieces = times.windows(2).zip(values.windows(2));
        pieces
            .map(|(time, value)| {
                let height = match between {
                    Between::Constant => value[0],
                    Between::Straight => f64::midpoint(value[0], value[1]),
                };
                height * (time[1] - time[0])
            })
            .sum()
    };
    Some(match what {
        Measure::Max => at(extreme(|a, b| a > b)),
        Measure::Min => at(extreme(|a, b| a < b)),
        Measure::TimeOfMax => Measured::exact(extreme(|a, b| a > b).1),
        Measure::TimeOfMin => Measured::exact(extreme(|a, b| a < b).1),
        Measure::Mean => {
            let length = times.last()? - times.first()?;
            Measured::exact(if length > 0.0 {
                area() / length
            } else {
                *first
            })
        }
        Measure::First => Measured::exact(*first),
        Measure::Last => Measured::exact(*last),
        Measure::Auc => Measured::exact(area()),
        Measure::Period | Measure::Amplitude | Measure::HalfLife => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staircase_and_a_polygon() {
        let (times, values) = ([0.0, 1.0, 3.0], [2.0, 4.0, 0.0]);
        let take =
            |what, between| measure_rough(&times, &values, what, between).map(|found| found.value);
        assert_eq!(take(Measure::Auc, Between::Constant), Some(10.0));
        assert_eq!(take(Measure::Auc, Between::Straight), Some(7.0));
        assert_eq!(take(Measure::Mean, Between::Constant), Some(10.0 / 3.0));
        assert_eq!(take(Measure::Max, Between::Straight), Some(4.0));
        assert_eq!(take(Measure::TimeOfMin, Between::Straight), Some(3.0));
        assert_eq!(take(Measure::Period, Between::Straight), None);
    }
}
