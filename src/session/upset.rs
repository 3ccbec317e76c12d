//! Why an interruption, a constraint or a delay ended a run, each with its line of the model.
//!
//! Enters: a trajectory that stopped. Leaves: a diagnostic, without what is kept of the run.

use super::compiled::Compiled;
use super::failure::short;
use super::places;
use super::trajectory::Trajectory;
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::simulate::{Occasion, ScheduleFault, Stop};
use crate::source::Span;
use crate::symbolic::Pool;

/// The diagnostic of a run that an interruption, a constraint or a delay ended; `None` for other
/// reasons.
pub(super) fn explain(run: &Trajectory, sentence: Span) -> Option<Diagnostic> {
    let compiled = &run.compiled;
    Some(match &run.solution.stop {
        Stop::EventStorm { time, event, count } => {
            storm(compiled, (*time, *event, *count)).at(sentence, "")
        }
        Stop::Chattering { time, guard, count } => {
            chattering(compiled, (*time, *guard, *count)).at(sentence, "")
        }
        Stop::Inconsistent {
            time,
            residuals,
            singular,
        } => inconsistent(compiled, *time, residuals, *singular).at(sentence, ""),
        Stop::Schedule { what, fault } => schedule(compiled, *what, *fault).at(sentence, ""),
        Stop::Delay { delay, value } => negative_delay(compiled, *delay, *value).at(sentence, ""),
        Stop::NeverSteady { dose, state } => never_steady(compiled, *dose, *state).at(sentence, ""),
        _ => return None,
    })
}

fn storm(compiled: &Compiled, (time, event, count): (f64, usize, u64)) -> Diagnostic {
    /// Fewer than this end a run only when they follow each other ever faster.
    const STANDING_STILL: u64 = 1000;
    let (message, help) = if count < STANDING_STILL {
        (
            format!(
                "events follow each other ever faster towards t = {}: {count} of them so far",
                short(time)
            ),
            "let it come to rest: below some speed an event should stop what moves, as in `when h \
             < 0 and v > -1e-3 priority 1 { v = 0; g = 0 }`",
        )
    } else {
        (
            format!(
                "events fire without end at t = {}: {count} times while time stands still",
                short(time)
            ),
            "an event must not make its own condition come true again, nor by way of others; \
             `for tau` waits until the condition has held that long",
        )
    };
    let diagnostic = Diagnostic::new(Code::EventStorm, message).help(help);
    match compiled.model.events.get(event) {
        Some(event) => diagnostic.at(event.span, "this one last"),
        None => diagnostic,
    }
}

fn chattering(compiled: &Compiled, (time, guard_at, count): (f64, usize, u64)) -> Diagnostic {
    let what = compiled
        .system
        .guards
        .get(guard_at)
        .map_or_else(String::new, |guard| {
            format!(" where `{}` is zero", compiled.text_of(guard.expr))
        });
    let message = format!(
        "the equations switch to and fro{what} at t = {}: {count} times while time stands still",
        short(time)
    );
    let diagnostic = Diagnostic::new(Code::EventStorm, message);
    places::with_readers(diagnostic, compiled, guard_at).help(
        "both sides lead back to the border: make the change gradual, as in `tanh(x/0.01)`, or \
         let events switch at two thresholds",
    )
}

/// The constraint whose residual an algebraic state carries, or where that state stands.
fn constraint_of(compiled: &Compiled, position: usize) -> Option<Span> {
    let system = &compiled.system;
    let (block, _) = system.states.locate(position)?;
    let drift = system.drift.get(block)?;
    let mut pool = Pool::continuing(&system.pool);
    let mut constraints = compiled.model.constraints.iter();
    let found = constraints.find(|known| system.inline(&mut pool, known.residual) == *drift);
    match found {
        Some(constraint) => Some(constraint.span),
        None => match compiled.model.constraints.as_slice() {
            [only] => Some(only.span),
            _ => Some(compiled.model.states.get(block)?.span),
        },
    }
}

fn inconsistent(
    compiled: &Compiled,
    time: f64,
    residuals: &[(usize, f64)],
    singular: bool,
) -> Diagnostic {
    const MOST: usize = 4;
    let at_start = time == compiled.model.time.start;
    let when = if at_start {
        format!("at the start, t = {}", short(time))
    } else {
        format!("at t = {}", short(time))
    };
    let names: Vec<String> = residuals
        .iter()
        .take(MOST)
        .map(|(position, _)| format!("`{}`", compiled.state_name(*position)))
        .collect();
    // Where something remains, the search has run into a point from which it knows no way on.
    let undetermined = singular && residuals.iter().all(|(_, rest)| rest.abs() < 1e-6);
    let message = if undetermined {
        format!("the constraints do not determine {} {when}", listed(&names))
    } else {
        format!("the constraints cannot be satisfied {when}")
    };
    let mut diagnostic = Diagnostic::new(Code::Inconsistent, message);
    let mut said: Vec<Span> = Vec::new();
    for (position, residual) in residuals.iter().take(MOST) {
        if let Some(span) = constraint_of(compiled, *position)
            && !said.contains(&span)
        {
            said.push(span);
            diagnostic = diagnostic.at(span, format!("this is {} instead of 0", short(*residual)));
        }
    }
    let name = names.first().map_or("the algebraic state", String::as_str);
    diagnostic.help(if undetermined {
        format!(
            "the derivatives of the constraints by {name} vanish there: start elsewhere, or write \
             a constraint that depends on it"
        )
    } else if singular {
        format!(
            "the search came to a point where the constraints do not depend on {name}: start from \
             other values, if there are any that satisfy them"
        )
    } else {
        format!("start from values that satisfy it, or give {name} an initial value that is nearer")
    })
}

fn schedule(compiled: &Compiled, what: Occasion, fault: ScheduleFault) -> Diagnostic {
    let (kind, span) = match what {
        Occasion::Event(at) => (
            "event",
            compiled.model.events.get(at).map(|known| known.span),
        ),
        Occasion::Dose(at, _) => ("dose", compiled.model.doses.get(at).map(|known| known.span)),
        Occasion::Switch(_) | Occasion::Reset(_) => ("schedule", None),
    };
    let (message, help) = match fault {
        ScheduleFault::Time(value) => (
            format!("a time of this {kind} is {}", short(value)),
            "a time is a number: look for a division by zero in it",
        ),
        ScheduleFault::Period(value) => (
            format!("the period of this {kind} is {}", short(value)),
            "a period is positive",
        ),
        ScheduleFault::Times(value) => (
            format!("this {kind} happens {} times", short(value)),
            "`times` is followed by a whole number: 0, 1, 2, ...",
        ),
        ScheduleFault::Delay(value) => (
            format!("the delay of this {kind} is {}", short(value)),
            "what is triggered cannot happen before: a delay or lag is positive or 0",
        ),
        ScheduleFault::Duration(value) => (
            format!("the duration of this {kind} is {}", short(value)),
            "a duration is positive; without `over` the amount is given at once",
        ),
        ScheduleFault::Amount(value) => (
            format!("the amount of this {kind} is {}", short(value)),
            "an amount is a number: look for a division by zero, or a root or logarithm outside its domain",
        ),
        ScheduleFault::Priority(value) => (
            format!("the priority of this {kind} is {}", short(value)),
            "a priority is a number; the higher one goes first",
        ),
        ScheduleFault::NotRepeated => (
            format!("this {kind} has a steady state, but is given once"),
            "`steady` needs a period, as in `every 12 steady`",
        ),
        ScheduleFault::SteadyVaried => (
            format!("the steady state of this {kind} has no derivatives here"),
            "its first time moves with what is varied, and the equations follow time: fix that time, or write some doses before it, without `steady`",
        ),
        ScheduleFault::Counted => (
            format!("this {kind} does not give whole molecules at once"),
            "where molecules are counted, write the infusion as a reaction, as in `0 -> A, k`, with \
             events that change `k`; and instead of `steady`, doses that are given before",
        ),
    };
    let diagnostic = Diagnostic::new(Code::BadSchedule, message).help(help);
    match span {
        Some(span) => diagnostic.at(span, "this one"),
        None => diagnostic,
    }
}

fn negative_delay(compiled: &Compiled, delay: usize, value: f64) -> Diagnostic {
    let message = format!("a delay is {}", short(value));
    let diagnostic = Diagnostic::new(Code::NegativeDelay, message)
        .help("a delay looks back: it is positive or 0");
    match compiled.model.delays.get(delay) {
        Some(known) => {
            let lag = compiled.text_of_model(known.lag);
            diagnostic.at(known.span, format!("`{lag}` is {}", short(value)))
        }
        None => diagnostic,
    }
}

fn never_steady(compiled: &Compiled, dose: usize, state: usize) -> Diagnostic {
    let name = compiled.state_name(state);
    let message =
        format!("repeated dosing never settles: `{name}` changes from each interval to the next");
    let diagnostic = Diagnostic::new(Code::NeverSteady, message)
        .help("a steady state needs losses: what is given must also leave");
    match compiled.model.doses.get(dose) {
        Some(known) => diagnostic.at(known.span, "asks for the steady state"),
        None => diagnostic,
    }
}
