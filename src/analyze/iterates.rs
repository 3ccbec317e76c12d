//! Numbers taken from the iterates of a map: nothing lies between two steps, so all are exact.
//!
//! In: step numbers with values, one per step. Out: the number, or why the iterates have none.

use super::measure::{Measure, Measured, Refusal};

/// Iterates that come back this closely, in terms of the largest among them, repeat.
const REPEATS: f64 = 1e-9;

/// Takes a number from iterates. Areas and half-lives belong to flows: `None` for these, and for
/// no iterates at all.
///
/// # Errors
/// Why the iterates do not have it.
pub fn measure_iterates(
    steps: &[f64],
    values: &[f64],
    what: Measure,
) -> Option<Result<Measured, Refusal>> {
    let (first, last) = (values.first()?, values.last()?);
    let extreme = |better: fn(f64, f64) -> bool| {
        let start = (*first, steps.first().copied().unwrap_or(f64::NAN));
        let pairs = values.iter().zip(steps);
        pairs.fold(start, |best, (value, step)| match better(*value, best.0) {
            true => (*value, *step),
            false => best,
        })
    };
    let (highest, lowest) = (extreme(|a, b| a > b), extreme(|a, b| a < b));
    let at = |(value, at): (f64, f64)| Measured {
        at: Some(at),
        ..Measured::exact(value)
    };
    Some(Ok(match what {
        Measure::Max => at(highest),
        Measure::Min => at(lowest),
        Measure::TimeOfMax => Measured::exact(highest.1),
        Measure::TimeOfMin => Measured::exact(lowest.1),
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        Measure::Mean => Measured::exact(values.iter().sum::<f64>() / values.len() as f64),
        Measure::First => Measured::exact(*first),
        Measure::Last => Measured::exact(*last),
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        Measure::Period => return Some(period(values).map(|p| Measured::exact(p as f64))),
        Measure::Amplitude => return Some(period(values).map(|p| amplitude(values, p))),
        Measure::Auc | Measure::HalfLife => return None,
    }))
}

/// The smallest number of steps after which the second half of the iterates repeats.
fn period(values: &[f64]) -> Result<usize, Refusal> {
    let late = values.get(values.len() / 2..).unwrap_or(values);
    let size = late.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
    let repeats = |period: &usize| {
        let pairs = late.iter().zip(late.iter().skip(*period));
        pairs
            .into_iter()
            .all(|(now, then)| (now - then).abs() <= REPEATS * size)
    };
    match (1..=late.len() / 2).find(repeats) {
        Some(1) => Err(Refusal::Settles {
            value: late.last().copied().unwrap_or(f64::NAN),
        }),
        Some(period) => Ok(period),
        None => Err(Refusal::NoRepetition { steps: late.len() }),
    }
}

fn amplitude(values: &[f64], period: usize) -> Measured {
    let round = values.iter().rev().take(period);
    let (low, high) = round.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
        (low.min(*y), high.max(*y))
    });
    Measured::exact((high - low) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterates_repeat_after_a_whole_number_of_steps() {
        let steps: Vec<f64> = (0..60).map(f64::from).collect();
        let round = [1.0, 5.0, 2.0];
        let values: Vec<f64> = (0..60).map(|n| round[n % 3]).collect();
        let of = |what| measure_iterates(&steps, &values, what).unwrap().unwrap();
        assert_eq!(of(Measure::Period).value, 3.0);
        assert_eq!(of(Measure::Amplitude).value, 2.0);
        assert_eq!(
            (of(Measure::Max).value, of(Measure::Max).at),
            (5.0, Some(1.0))
        );
        assert_eq!(of(Measure::TimeOfMin).value, 0.0);
        assert_eq!(of(Measure::Mean).value, 8.0 / 3.0);
        let still = measure_iterates(&steps, &[2.0; 60], Measure::Period).unwrap();
        assert_eq!(still, Err(Refusal::Settles { value: 2.0 }));
        let growing = measure_iterates(&steps, &steps, Measure::Period).unwrap();
        assert_eq!(growing, Err(Refusal::NoRepetition { steps: 30 }));
        assert_eq!(measure_iterates(&steps, &values, Measure::Auc), None);
        assert_eq!(measure_iterates(&[], &[], Measure::Max), None);
    }
}
