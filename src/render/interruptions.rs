//! Events, doses, inputs and constraints as the model writes them.
//!
//! Enters: a compiled model. Leaves: text. Must not know runs.

use super::show::species_name;
use crate::model::{
    ConditionId, Direction, Dose, Event, Input, Interpolation, Model, Repeat, Schedule, StateId,
    Target, Trigger,
};
use crate::session::{Compiled, Form};
use crate::symbolic::{Expr, Notation};

/// Statements written out; the rest are counted.
const MOST: usize = 200;

/// All events, one per line.
pub fn events(compiled: &Compiled) -> String {
    let events = &compiled.model.events;
    lines(
        events.iter().map(|one| event(compiled, one)),
        "the model has no events",
    )
}

/// All doses, one per line; those of events stand with their events.
pub fn doses(compiled: &Compiled) -> String {
    let doses = compiled.model.doses.iter();
    let own = doses.filter(|dose| dose.schedule != Schedule::Event);
    lines(
        own.map(|one| within(&compiled.model, one.within) + &dose(compiled, one)),
        "the model has no doses",
    )
}

/// All inputs, one per line, with their doc comments.
pub fn inputs(compiled: &Compiled) -> String {
    lines(
        compiled.model.inputs.iter().map(input),
        "the model has no inputs",
    )
}

/// What interrupts and drives a model, for a summary: empty when nothing does.
pub fn all(compiled: &Compiled) -> String {
    let model = &compiled.model;
    let mut text = String::new();
    for (is_there, part) in [
        (!model.inputs.is_empty(), inputs as fn(&Compiled) -> String),
        (!model.events.is_empty(), events),
        (
            model
                .doses
                .iter()
                .any(|dose| dose.schedule != Schedule::Event),
            doses,
        ),
    ] {
        if is_there {
            text.push('\n');
            text.push_str(&part(compiled));
        }
    }
    text
}

/// The residuals of the constraints, as right sides of `0 = ...`.
pub fn constraints(model: &Model, form: Form) -> impl Iterator<Item = (String, String)> + '_ {
    let notation = match form {
        Form::Plain => Notation::Text,
        Form::Latex => Notation::Latex,
    };
    model.constraints.iter().map(move |constraint| {
        let residual = model.print(&model.pool, constraint.residual, notation);
        ("0".to_owned(), residual)
    })
}

fn lines(each: impl Iterator<Item = String>, none: &str) -> String {
    let each: Vec<String> = each.collect();
    if each.is_empty() {
        return format!("{none}\n");
    }
    let mut text: String = each
        .iter()
        .take(MOST)
        .map(|line| format!("{line}\n"))
        .collect();
    if each.len() > MOST {
        text.push_str(&format!("... {} more\n", each.len() - MOST));
    }
    text
}

fn print(model: &Model, expr: Expr) -> String {
    model.print(&model.pool, expr, Notation::Text)
}

/// `in knockout: `, for what holds in a condition only.
fn within(model: &Model, condition: Option<ConditionId>) -> String {
    condition
        .and_then(|id| model.conditions.get(id.index()))
        .map_or_else(String::new, |known| format!("in {}: ", known.name))
}

fn event(compiled: &Compiled, event: &Event) -> String {
    let model = &compiled.model;
    let mut text = within(model, event.within) + &trigger(model, &event.trigger);
    if let Some(delay) = event.delay {
        let word = if event.persistent { "after" } else { "for" };
        text.push_str(&format!(" {word} {}", print(model, delay)));
    }
    if event.delay.is_some() && event.values_at_trigger {
        text.push_str(" values trigger");
    }
    if let Some(priority) = event.priority {
        text.push_str(&format!(" priority {}", print(model, priority)));
    }
    let assigned = event.assignments.iter().map(|one| {
        let target = match one.target {
            Target::Parameter(id) => {
                (model.parameters.get(id.index())).map(|known| match one.element {
                    None => known.name.clone(),
                    Some(at) => model.element_name(&known.name, &known.indices, at as usize),
                })
            }
            Target::State(id) => Some(state(compiled, id, one.element)),
        };
        format!(
            "{} = {}",
            target.unwrap_or_default(),
            print(model, one.value)
        )
    });
    let given = (event.doses.iter())
        .filter_map(|at| model.doses.get(*at))
        .map(|one| dose(compiled, one));
    let parts: Vec<String> = assigned.chain(given).collect();
    format!("{text} {{ {} }}", parts.join("; "))
}

/// A state, or an element of it.
fn state(compiled: &Compiled, id: StateId, element: Option<u32>) -> String {
    let Some(state) = compiled.model.states.get(id.index()) else {
        return String::new();
    };
    match element {
        None => state.name.clone(),
        Some(element) => species_name(compiled, state, element),
    }
}

fn trigger(model: &Model, trigger: &Trigger) -> String {
    match trigger {
        Trigger::When {
            condition,
            direction,
        } => {
            let direction = match direction {
                Direction::True => "",
                Direction::Rising => " rising",
                Direction::Falling => " falling",
            };
            format!("when {}{direction}", print(model, *condition))
        }
        Trigger::At(times) => at(model, times),
        Trigger::Every(every) => repeat(model, every),
    }
}

fn at(model: &Model, times: &[Expr]) -> String {
    let times: Vec<String> = times.iter().map(|time| print(model, *time)).collect();
    format!("at {}", times.join(", "))
}

fn repeat(model: &Model, repeat: &Repeat) -> String {
    let mut text = format!("every {}", print(model, repeat.period));
    for (word, value) in [
        ("from", repeat.from),
        ("times", repeat.times),
        ("until", repeat.until),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(" {word} {}", print(model, value)));
        }
    }
    text
}

fn dose(compiled: &Compiled, dose: &Dose) -> String {
    let model = &compiled.model;
    let mut text = format!("dose {}", print(model, dose.amount));
    if let Some((id, element)) = dose.into {
        text.push_str(&format!(" into {}", state(compiled, id, Some(element))));
    }
    match &dose.schedule {
        Schedule::At(times) => text.push_str(&format!(" {}", at(model, times))),
        Schedule::Every(every) => text.push_str(&format!(" {}", repeat(model, every))),
        Schedule::Event => {}
        Schedule::Table(table) => text.push_str(&format!(" from \"{}\"", table.path.text)),
    }
    for (word, value) in [("over", dose.duration), ("lag", dose.lag)] {
        if let Some(value) = value {
            text.push_str(&format!(" {word} {}", print(model, value)));
        }
    }
    if dose.steady {
        text.push_str(" steady");
    }
    text
}

fn input(input: &Input) -> String {
    let unit = input
        .unit
        .as_ref()
        .map_or_else(String::new, |unit| format!(" [{unit}]"));
    let between = match input.interpolation {
        Interpolation::Step => "step",
        Interpolation::Linear => "linear",
        Interpolation::Cubic => "cubic",
    };
    let doc = input
        .doc
        .as_ref()
        .map_or_else(String::new, |doc| format!("  # {}", doc.replace('\n', " ")));
    format!(
        "input {}{unit} from \"{}\" {between}{doc}",
        input.name, input.path.text
    )
}
