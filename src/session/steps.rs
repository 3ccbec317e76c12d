//! What `simulate` may ask of a map: whole numbers of steps, and no options of integration.
//!
//! Enters: a sentence and the numbers in it. Leaves: the rows that it asks for. Must not know how
//! maps are iterated.

use super::command::{OutputTimes, Simulate};
use super::compiled::Compiled;
use super::simulate::{Number, fault};
use super::times;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::Motion;
use crate::simulate::{Method, Output};
use crate::syntax::tree;

/// Refuses what only the integration of flows has.
///
/// # Errors
/// `using`, `rtol` and `atol`.
pub(super) fn no_integration(command: &Simulate) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    if command.method != Method::Auto {
        problems.push(
            Diagnostic::new(
                Code::BadOption,
                format!("`{}` is for flows: a map is iterated", command.method),
            )
            .at(command.span, "of a map")
            .help("leave `using` away: each step is one evaluation, and exact"),
        );
    }
    let tolerances = [("rtol", &command.relative), ("atol", &command.absolute)];
    for (word, written) in tolerances {
        if let Some(expr) = written {
            problems.push(
                Diagnostic::new(Code::BadOption, format!("a map has no `{word}`"))
                    .at(expr.span, "no error to bound")
                    .help("leave it away: each step is one evaluation, and exact"),
            );
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// The largest number of steps that can be told from its neighbours.
const MOST_STEPS: f64 = 9_007_199_254_740_992.0;

/// Checks that a step has a whole number.
///
/// # Errors
/// The expression, with its value.
pub(super) fn whole(expr: &tree::Expr, value: f64, what: &str) -> Result<(), Vec<Diagnostic>> {
    if value.fract() == 0.0 && value.abs() <= MOST_STEPS {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(
            Code::BadOption,
            format!("{what} of a map is a whole number"),
        )
        .at(expr.span, format!("this is {}", number_text(value)))
        .help("`n` counts the steps: 0, 1, 2, ..."),
    ])
}

/// Checks the range of a sentence, if the model is a map.
///
/// # Errors
/// Ends that are not whole.
pub(super) fn whole_range(
    compiled: &Compiled,
    command: &Simulate,
    (from, to): (f64, f64),
) -> Result<(), Vec<Diagnostic>> {
    if compiled.model.motion == Motion::Flow {
        return Ok(());
    }
    let mut problems = Vec::new();
    if let Some(expr) = &command.from {
        problems.extend(whole(expr, from, "a step").err().into_iter().flatten());
    }
    problems.extend(whole(&command.to, to, "a step").err().into_iter().flatten());
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// The rows that a sentence asks for between two steps.
///
/// # Errors
/// Options whose values do not fit.
pub(super) fn output(
    compiled: &Compiled,
    wanted: &OutputTimes,
    (from, to): (f64, f64),
    number: &Number<'_>,
) -> Result<Output, Vec<Diagnostic>> {
    match wanted {
        OutputTimes::When(_) => {}
        OutputTimes::Steps => return Ok(Output::Steps { interior: 0 }),
        OutputTimes::Spacing(expr) => whole(expr, number(expr)?, "a `step`")?,
        OutputTimes::Points(expr) => {
            let points = number(expr)?;
            if points >= 2.0 && ((to - from) / (points - 1.0)).fract() != 0.0 {
                return Err(fault(
                    expr,
                    "these points do not fall on steps of the map",
                    points,
                    &format!(
                        "the {} steps from {} to {} cannot be divided so; `step 10` shows every tenth",
                        number_text(to - from),
                        number_text(from),
                        number_text(to)
                    ),
                ));
            }
        }
        OutputTimes::At(list) => {
            let mut problems = Vec::new();
            for expr in list {
                let found = number(expr).and_then(|value| whole(expr, value, "a step"));
                problems.extend(found.err().into_iter().flatten());
            }
            if !problems.is_empty() {
                return Err(problems);
            }
        }
    }
    times::output(compiled, wanted, (from, to), number)
}
