//! Units: those of a model's names, and the tables of those that there are.
//!
//! Enters: a model. Leaves: text. Must not know how units are found out.

use super::table::{Column, table};
use crate::model::{Model, PREFIXES, UNITS};
use std::fmt::Write;

/// The unit of a parameter, state or definition: as declared, or found out, which is said.
#[must_use]
pub fn unit_of(model: &Model, name: &str, declared: Option<&crate::model::Unit>) -> String {
    if let Some(declared) = declared {
        return declared.to_string();
    }
    match model.names.units().and_then(|units| units.of(name)) {
        // What was found to be a plain number is not worth a word.
        Some((unit, _)) if unit != "1" => format!("{unit} (inferred)"),
        _ => String::new(),
    }
}

/// `show units`: every quantity of the model with its unit, and where that comes from.
#[must_use]
pub fn units(model: &Model, width: usize) -> String {
    let Some(units) = model.names.units() else {
        return "the model names no units\n".to_owned();
    };
    let time = units.of_time();
    let mut rows: Vec<(String, String, &str)> = Vec::new();
    let from = |is_declared: bool| if is_declared { "declared" } else { "inferred" };
    let mut add = |name: &str, known: Option<(String, bool)>| match known {
        Some((unit, is_declared)) => rows.push((name.to_owned(), unit, from(is_declared))),
        None => rows.push((name.to_owned(), String::new(), "open")),
    };
    let declared = model.time.unit.is_some();
    add("time", time.map(|unit| (unit, declared)));
    let parameters = model.parameters.iter().map(|known| &known.name);
    let states = model.states.iter().map(|known| &known.name);
    let definitions = model.definitions.iter().filter(|known| {
        use crate::model::DefinitionKind::{Flux, Let};
        matches!(known.kind, Let | Flux)
    });
    let inputs = model.inputs.iter().map(|known| &known.name);
    let all = parameters
        .chain(states)
        .chain(definitions.map(|known| &known.name))
        .chain(inputs);
    for name in all {
        // Fluxes that are named with an index share the unit of their name.
        let base = name.split('[').next().unwrap_or(name);
        add(name, units.of(base));
    }
    for known in &model.observations {
        let is_declared = known.unit.is_some();
        let unit = units.of_data(&known.name).map(|unit| (unit, is_declared));
        add(&format!("data of {}", known.name), unit);
    }
    let column = |f: &dyn Fn(&(String, String, &str)) -> String| rows.iter().map(f).collect();
    table(
        &[
            Column::text("quantity", column(&|row| row.0.clone())),
            Column::text("unit", column(&|row| row.1.clone())),
            Column::text("", column(&|row| row.2.to_owned())),
        ],
        width,
    )
}

/// `help units`: what there is, in short.
#[must_use]
pub fn help() -> String {
    let mut text = String::from(
        "units stand in brackets and are checked; numbers without units fit anywhere
  param k = 0.1 [1/h], V = 20 [L]      in declarations
  simulate 0..24 [h] with V = 5 [L]    after numbers
  unit hare, puff = 90 [ug]            units of your own
  show units                           those of the model, the inferred ones included
",
    );
    let mut group = "";
    for row in UNITS {
        if row.group != group {
            group = row.group;
            let _ = write!(
                text,
                "{}{group}:",
                if text.ends_with('\n') { "" } else { "\n" }
            );
        }
        let mark = if row.takes_prefix { "+" } else { "" };
        let _ = write!(text, " {}{mark}", row.names.first().unwrap_or(&""));
    }
    let prefixes: Vec<&str> = PREFIXES.iter().map(|(prefix, _)| *prefix).collect();
    let _ = writeln!(text, "\n+ takes a prefix: {}", prefixes.join(" "));
    text
}
