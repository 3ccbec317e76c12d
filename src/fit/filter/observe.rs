//! What data of one time say of the state, linearised where the state is expected.
//!
//! Enters: what is known before the data. Leaves: [`Sight`]s of the observables.

use super::equations::Point;
use super::gaussian::{Gaussian, Moments, Sight};

/// All observables at a time, each with its derivatives by d quantities.
pub(super) fn sights(
    point: &mut Point<'_>,
    time: f64,
    known: &Gaussian,
) -> Vec<(Sight, Vec<Sight>)> {
    let mean = &known.value.mean;
    let n = mean.len();
    let values = point.seen(time, mean);
    let units: Vec<Vec<f64>> = (0..n)
        .map(|at| (0..n).map(|i| f64::from(i == at)).collect())
        .collect();
    let slopes: Vec<Vec<f64>> = units
        .iter()
        .map(|unit| point.seen_along(time, mean, None, unit))
        .collect();
    let along: Vec<Vec<Sight>> = (known.along.iter().enumerate())
        .map(|(j, moved)| along(point, (time, mean), &units, (j, moved)))
        .collect();
    let observables = values.chunks_exact(2).enumerate();
    observables
        .map(|(k, value)| {
            let sight = Sight {
                expected: value[0],
                slope: slopes.iter().map(|slope| slope[2 * k]).collect(),
                variance: value[1],
            };
            (sight, along.iter().map(|all| all[k].clone()).collect())
        })
        .collect()
}

/// The derivatives of all sights by the j-th quantity.
fn along(
    point: &mut Point<'_>,
    (time, mean): (f64, &[f64]),
    units: &[Vec<f64>],
    (j, moved): (usize, &Moments),
) -> Vec<Sight> {
    let first = point.seen_along(time, mean, Some(j), &moved.mean);
    let second: Vec<Option<Vec<f64>>> = units
        .iter()
        .map(|unit| point.seen_twice(time, mean, unit, (j, &moved.mean)))
        .collect();
    let observables = first.chunks_exact(2).enumerate();
    observables
        .map(|(k, value)| Sight {
            expected: value[0],
            slope: (second.iter())
                .map(|all| all.as_ref().map_or(0.0, |all| all[2 * k]))
                .collect(),
            variance: value[1],
        })
        .collect()
}
