//! The times that a `simulate` sentence keeps: `step`, `points`, `at`, or every step.
//!
//! Enters: the option and the range of time. Leaves: what the driver keeps as rows.

use super::command::OutputTimes;
use super::compiled::Compiled;
use super::simulate::{Number, fault, sound};
use crate::diagnostic::{Diagnostic, number_text};
use crate::simulate::Output;
use crate::syntax::tree;

/// Points kept inside each step of the solver when no times are asked for.
const POINTS_INSIDE_A_STEP: usize = 4;
/// More numbers of output than this (0.8 GB) is a slip of the keyboard.
const MOST_NUMBERS: f64 = 1e8;

/// The rows that a sentence asks for between two times.
///
/// # Errors
/// Options whose values do not fit.
pub(super) fn output(
    compiled: &Compiled,
    times: &OutputTimes,
    (from, to): (f64, f64),
    number: &Number<'_>,
) -> Result<Output, Vec<Diagnostic>> {
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let most = MOST_NUMBERS / compiled.system.states.len().max(1) as f64;
    let too_many = |expr: &tree::Expr, value: f64| {
        fault(
            expr,
            "this makes more output than a memory holds",
            value,
            "keep fewer times: a longer `step`, fewer `points`",
        )
    };
    match times {
        OutputTimes::Steps => Ok(Output::Steps {
            interior: POINTS_INSIDE_A_STEP,
        }),
        OutputTimes::Spacing(expr) => {
            let step = number(expr)?;
            if step <= 0.0 {
                let help = "as in `step 0.1`";
                return Err(fault(expr, "`step` must be positive", step, help));
            }
            if (to - from) / step > most {
                return Err(too_many(expr, step));
            }
            Ok(Output::Times(spaced(from, to, step)))
        }
        OutputTimes::Points(expr) => {
            let points = number(expr)?;
            if points < 2.0 || points.fract() != 0.0 {
                let message = "`points` is followed by a whole number of at least 2";
                return Err(fault(expr, message, points, "as in `points 501`"));
            }
            if points > most {
                return Err(too_many(expr, points));
            }
            Ok(Output::Times(evenly(from, to, points)))
        }
        OutputTimes::At(list) => at_times(list, (from, to), number),
        // The event that is added to the model comes after its own.
        OutputTimes::When(_) => Ok(Output::Event(compiled.model.events.len())),
    }
}

fn at_times(
    list: &[tree::Expr],
    (from, to): (f64, f64),
    number: &Number<'_>,
) -> Result<Output, Vec<Diagnostic>> {
    let mut found = Vec::with_capacity(list.len());
    let mut problems = Vec::new();
    for expr in list {
        let Some(time) = sound(number(expr), &mut problems) else {
            continue;
        };
        if !(from..=to).contains(&time) {
            let help = format!("the range is {}..{}", number_text(from), number_text(to));
            problems.extend(fault(expr, "this time lies outside the range", time, &help));
        }
        found.push(time);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    found.sort_by(f64::total_cmp);
    found.dedup();
    Ok(Output::Times(found))
}

/// `from`, `from + step`, ... and the end of the range.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the caller"
)]
fn spaced(from: f64, to: f64, step: f64) -> Vec<f64> {
    // A range that holds a whole number of steps up to rounding holds its last point.
    let count = ((to - from) / step * (1.0 + 4.0 * f64::EPSILON)).floor() as usize;
    let mut times: Vec<f64> = (0..=count)
        .map(|k| (from + k as f64 * step).min(to))
        .collect();
    if let Some(last) = times.last_mut() {
        if to - *last < 1e-9 * step {
            *last = to;
        } else {
            times.push(to);
        }
    }
    times
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the caller"
)]
fn evenly(from: f64, to: f64, points: f64) -> Vec<f64> {
    let last = points as usize - 1;
    (0..=last)
        .map(|k| {
            if k == last {
                to
            } else {
                from + (to - from) * (k as f64 / last as f64)
            }
        })
        .collect()
}
