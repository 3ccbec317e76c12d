//! Where a run starts: at the start of the model, or where another run ended.
//!
//! Enters: the words of a sentence and the last run. Leaves: a time and a state. Must not know what
//! is done from there.

use super::command::Simulate;
use super::compiled::Compiled;
use super::rest::with_set;
use super::trajectory::Trajectory;
use super::values;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::{self, Motion};

/// Where a run starts.
pub(super) struct From {
    pub start: f64,
    pub initial: Vec<f64>,
    /// True where another run ended.
    pub resumed: bool,
}

/// The time and state where a continued run starts; initial values after `with` replace those of
/// the last run.
pub(super) fn from_last(
    compiled: &Compiled,
    command: &Simulate,
    last: Option<&Trajectory>,
    present: &values::Present,
    warnings: &mut Vec<Diagnostic>,
) -> Result<From, Vec<Diagnostic>> {
    let Some((time, state)) = last.and_then(|last| last.solution.last()) else {
        return Err(vec![
            Diagnostic::new(Code::NothingYet, "there is no run to go on from")
                .at(command.span, "")
                .help("simulate once without `from last` first"),
        ]);
    };
    let state = with_set(compiled, &command.setting, present, state.to_vec());
    let Some(from) = &command.from else {
        return Ok(From {
            start: time,
            initial: state,
            resumed: true,
        });
    };
    // The range's own start counts: `simulate 0..50 from last` takes the state, not the clock.
    let start = compiled.number(from, present)?;
    let elsewhere = (start - time).abs() > 1e-9 * time.abs().max(start.abs());
    let variable = compiled.model.names.variable();
    if elsewhere && time_matters(compiled) {
        warnings.push(
            Diagnostic::new(
                Code::StartsEarlier,
                format!(
                    "the last run ended at {variable} = {}: its end is taken as the state at {variable} = {}",
                    number_text(time),
                    number_text(start)
                ),
            )
            .at(from.span, "")
            .help(format!(
                "`simulate {}..` goes on where it ended",
                number_text(time)
            )),
        );
    }
    Ok(From {
        start,
        initial: state,
        resumed: !elsewhere,
    })
}

/// True when a run is another one when it begins later.
fn time_matters(compiled: &Compiled) -> bool {
    let model = &compiled.model;
    let scheduled = |event: &model::Event| !matches!(event.trigger, model::Trigger::When { .. });
    compiled.system.depends_on_time()
        || !model.inputs.is_empty()
        || !model.doses.is_empty()
        || model.events.iter().any(scheduled)
}

/// The start of the model, which may come before what is shown.
///
/// # Errors
/// A range that begins before it.
pub(super) fn start_of(
    compiled: &Compiled,
    command: &Simulate,
    shown_from: f64,
    warnings: &mut Vec<Diagnostic>,
) -> Result<f64, Vec<Diagnostic>> {
    let start = compiled.model.time.start;
    let span = command.from.as_ref().map_or(command.span, |expr| expr.span);
    if shown_from < start {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                format!(
                    "the range begins before the model, which starts at {}",
                    number_text(start)
                ),
            )
            .at(span, format!("this is {}", number_text(shown_from)))
            .help(format!(
                "declare `time from {}` to start it there",
                number_text(shown_from)
            )),
        ]);
    }
    // To leave out what comes before a swing is usual, and the answer says from where it was made. To
    // data the time matters.
    if shown_from > start && !compiled.model.observations.is_empty() {
        warnings.push(
            Diagnostic::new(
                Code::StartsEarlier,
                format!(
                    "the model starts at {}: {} from there, shown from {}",
                    number_text(start),
                    match compiled.model.motion {
                        Motion::Flow => "integrated",
                        Motion::Map => "iterated",
                    },
                    number_text(shown_from)
                ),
            )
            .at(span, "")
            .help(format!(
                "declare `time from {}` if the initial values hold there",
                number_text(shown_from)
            )),
        );
    }
    Ok(start)
}
