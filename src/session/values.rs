//! The numbers that hold now: declared values, and those that assignments, conditions and `with`
//! put in their place.

use super::record;
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::model::{Entity, Model, ParameterId, Setting, StateId, Target, ValueOf};
use crate::source::Span;
use crate::symbolic::{Expr, Pool, Shape, SymbolId, Value, evaluate, symbols_of};
use crate::syntax;
use crate::system::System;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Numbers that replace a declared value, all of it or element by element.
#[derive(Debug, Clone, PartialEq, Default)]
struct Replacement {
    whole: Option<Vec<f64>>,
    elements: BTreeMap<u32, f64>,
}

/// What assignments have set so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    replacements: FxHashMap<Target, Replacement>,
}

impl Overrides {
    /// Nothing set.
    #[must_use]
    pub fn new() -> Overrides {
        Overrides::default()
    }

    /// True when nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replacements.is_empty()
    }

    /// True when this quantity, or an element of it, has been set.
    #[must_use]
    pub fn contains(&self, target: Target) -> bool {
        self.replacements.contains_key(&target)
    }

    /// True when this number of a quantity has been set.
    #[must_use]
    pub fn sets(&self, target: Target, element: usize) -> bool {
        self.replacements.get(&target).is_some_and(|replacement| {
            let element = u32::try_from(element).unwrap_or(u32::MAX);
            replacement.whole.is_some() || replacement.elements.contains_key(&element)
        })
    }

    /// One per parameter: true where it, or an element of it, has been set, so that it does not
    /// follow others.
    #[must_use]
    pub fn held(&self, parameters: usize) -> Vec<bool> {
        (0..parameters)
            .map(|at| self.contains(Target::Parameter(ParameterId::new(at))))
            .collect()
    }

    /// The same values for a model that grew from another one: what it still has, by name and
    /// shape.
    #[must_use]
    pub fn carried(&self, old: &super::Compiled, new: &super::Compiled) -> Overrides {
        let target = |target: &Target| {
            let name = target_name(&old.model, *target);
            let found = match (target, new.model.names.get(name)?) {
                (Target::Parameter(_), Entity::Parameter(id)) => Target::Parameter(id),
                (Target::State(_), Entity::State(id)) => Target::State(id),
                _ => return None,
            };
            (old.shape_of(*target) == new.shape_of(found)).then_some(found)
        };
        let replacements = self
            .replacements
            .iter()
            .filter_map(|(old, replacement)| Some((target(old)?, replacement.clone())))
            .collect();
        Overrides { replacements }
    }

    /// The assignments that set these values, in the order of the model.
    #[must_use]
    pub fn sentences(&self, compiled: &super::Compiled) -> Vec<String> {
        let mut targets: Vec<&Target> = self.replacements.keys().collect();
        targets.sort_by_key(|target| match target {
            Target::Parameter(id) => (0, id.index()),
            Target::State(id) => (1, id.index()),
        });
        let mut sentences = Vec::new();
        for target in targets {
            let Some(replacement) = self.replacements.get(target) else {
                continue;
            };
            let name = target_name(&compiled.model, *target);
            let written = syntax::written_name(name);
            if let Some(whole) = &replacement.whole {
                let shape = compiled.shape_of(*target);
                sentences.push(record::assignment(&written, whole, shape));
            }
            let indices = compiled.model.names.indices(name);
            for (element, number) in &replacement.elements {
                let element = *element as usize;
                let index = compiled.model.element_name("", indices, element);
                let place = format!("{written}{index}");
                sentences.push(record::assignment(&place, &[*number], Shape::Scalar));
            }
        }
        sentences
    }

    /// Sets a quantity or one element of it to numbers.
    pub fn set(&mut self, target: Target, element: Option<u32>, numbers: Vec<f64>) {
        let replacement = self.replacements.entry(target).or_default();
        match element {
            None => {
                *replacement = Replacement {
                    whole: Some(numbers),
                    elements: BTreeMap::new(),
                }
            }
            Some(element) => {
                replacement
                    .elements
                    .insert(element, numbers.first().copied().unwrap_or(f64::NAN));
            }
        }
    }
}

/// The numbers of all parameters and initial values.
#[derive(Debug, Clone, PartialEq)]
pub struct Present {
    /// In the order of [`System::parameters`].
    pub parameters: Vec<f64>,
    /// In the order of [`System::states`].
    pub initial: Vec<f64>,
}

/// Computes every parameter and initial value; what depends on a set value follows it.
#[must_use]
pub fn present(model: &Model, system: &System, overrides: &Overrides) -> Present {
    let mut known: FxHashMap<SymbolId, Value> = FxHashMap::default();
    let mut present = Present {
        parameters: vec![0.0; system.parameters.len()],
        initial: vec![0.0; system.states.len()],
    };
    for value in &model.value_order {
        match value {
            ValueOf::Parameter(id) => {
                let at = id.index();
                let block = system.parameters.blocks()[at];
                let numbers = numbers_of(
                    &system.pool,
                    system.parameter_values[at],
                    &known,
                    overrides.replacements.get(&Target::Parameter(*id)),
                );
                present.parameters[block.range()].copy_from_slice(&numbers);
                known.insert(
                    block.symbol,
                    Value {
                        shape: block.shape,
                        numbers,
                    },
                );
            }
            ValueOf::State(id) => {
                let at = id.index();
                let block = system.states.blocks()[at];
                let numbers = numbers_of(
                    &system.pool,
                    system.initial[at],
                    &known,
                    overrides.replacements.get(&Target::State(*id)),
                );
                present.initial[block.range()].copy_from_slice(&numbers);
                known.insert(
                    block.symbol,
                    Value {
                        shape: block.shape,
                        numbers,
                    },
                );
            }
            ValueOf::Definition(_) => {}
        }
    }
    present
}

fn numbers_of(
    pool: &Pool,
    expr: Expr,
    known: &FxHashMap<SymbolId, Value>,
    replacement: Option<&Replacement>,
) -> Vec<f64> {
    let mut numbers = match replacement.and_then(|replacement| replacement.whole.clone()) {
        Some(whole) => whole,
        None => evaluate_known(pool, expr, known),
    };
    if let Some(replacement) = replacement {
        for (element, number) in &replacement.elements {
            if let Some(slot) = numbers.get_mut(*element as usize) {
                *slot = *number;
            }
        }
    }
    numbers
}

fn evaluate_known(pool: &Pool, expr: Expr, known: &FxHashMap<SymbolId, Value>) -> Vec<f64> {
    // Most values are plain numbers.
    if let Some(number) = pool.as_constant(expr) {
        return vec![number];
    }
    let missing = Value::scalar(f64::NAN);
    evaluate(pool, expr, &|symbol| {
        known.get(&symbol).unwrap_or(&missing).clone()
    })
    .numbers
}

/// Evaluates settings one after the other, each at the values that hold then.
#[must_use]
pub fn apply(
    model: &Model,
    system: &System,
    pool: &mut Pool,
    overrides: &Overrides,
    settings: &[Setting],
) -> Overrides {
    let mut result = overrides.clone();
    for setting in settings {
        let present = present(model, system, &result);
        let expr = system.inline(pool, setting.value);
        let numbers = at_present(pool, system, model.time.start, expr, &present);
        result.set(setting.target, setting.element, numbers);
    }
    result
}

/// The numbers of an inlined expression at the present parameters and initial values.
#[must_use]
pub fn at_present(
    pool: &Pool,
    system: &System,
    time: f64,
    expr: Expr,
    present: &Present,
) -> Vec<f64> {
    let point = Point {
        time,
        state: &present.initial,
        parameters: &present.parameters,
        slots: &[],
    };
    evaluate_at(pool, system, expr, &point)
}

/// Where an expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Point<'p> {
    /// The time.
    pub time: f64,
    /// In the order of [`System::states`].
    pub state: &'p [f64],
    /// In the order of [`System::parameters`].
    pub parameters: &'p [f64],
    /// In the order of [`System::slots`]; what reads a missing one is not a number.
    pub slots: &'p [f64],
}

/// The numbers of an inlined expression at a point.
#[must_use]
pub fn evaluate_at(pool: &Pool, system: &System, expr: Expr, point: &Point<'_>) -> Vec<f64> {
    let mut known: FxHashMap<SymbolId, (Shape, &[f64])> = FxHashMap::default();
    for (layout, numbers) in [
        (&system.states, point.state),
        (&system.parameters, point.parameters),
        (&system.slots.layout, point.slots),
    ] {
        for block in layout.blocks() {
            if let Some(numbers) = numbers.get(block.range()) {
                known.insert(block.symbol, (block.shape, numbers));
            }
        }
    }
    evaluate(pool, expr, &|symbol| {
        if symbol == system.time {
            return Value::scalar(point.time);
        }
        match known.get(&symbol) {
            Some((shape, numbers)) => Value {
                shape: *shape,
                numbers: numbers.to_vec(),
            },
            None => Value::scalar(f64::NAN),
        }
    })
    .numbers
}

/// The name of a parameter or state.
#[must_use]
pub fn target_name(model: &Model, target: Target) -> &str {
    match target {
        Target::Parameter(ParameterId(index)) => &model.parameters[index as usize].name,
        Target::State(StateId(index)) => &model.states[index as usize].name,
    }
}

/// Refuses values outside their declared bounds, and values that are not finite.
///
/// # Errors
/// One diagnostic per offending setting.
pub fn check_bounds(
    compiled: &super::Compiled,
    overrides: &Overrides,
    settings: &[Setting],
) -> Result<(), Vec<Diagnostic>> {
    let present = compiled.present(overrides);
    let mut problems = Vec::new();
    for setting in settings {
        let (numbers, bounds) = match setting.target {
            Target::Parameter(id) => {
                let block = compiled.system.parameters.blocks()[id.index()];
                let bounds = compiled.model.parameters[id.index()].bounds;
                (&present.parameters[block.range()], bounds)
            }
            Target::State(id) => {
                let block = compiled.system.states.blocks()[id.index()];
                let bounds = compiled.model.states[id.index()].bounds;
                (&present.initial[block.range()], bounds)
            }
        };
        let name = target_name(&compiled.model, setting.target);
        if let Some(wrong) = numbers.iter().find(|number| !number.is_finite()) {
            problems.push(
                Diagnostic::new(
                    Code::NotFinite,
                    format!("`{name}` would be {}", number_text(*wrong)),
                )
                .at(setting.span, "set here")
                .help("look for a division by zero, or a root or logarithm outside its domain"),
            );
        } else if let Some(bounds) = bounds
            && let Some(wrong) = numbers
                .iter()
                .find(|number| !(bounds.low..=bounds.high).contains(number))
        {
            problems.push(
                Diagnostic::new(
                    Code::OutOfBounds,
                    format!(
                        "the value {} of `{name}` lies outside its bounds",
                        number_text(*wrong)
                    ),
                )
                .at(setting.span, "set here")
                .at(bounds.span, "these bounds"),
            );
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Refuses parameters and initial values that are not finite, each with the operation and the
/// values that made it so; volumes and scales of Hill functions that are not positive. What follows from another one is not reported again.
///
/// # Errors
/// One diagnostic per offending quantity.
pub fn check_finite(compiled: &super::Compiled, present: &Present) -> Result<(), Vec<Diagnostic>> {
    let (model, system) = (&compiled.model, &compiled.system);
    let parameters = model
        .parameters
        .iter()
        .zip(system.parameters.blocks())
        .zip(&system.parameter_values)
        .map(|((known, block), value)| {
            let numbers = &present.parameters[block.range()];
            ("the value of", &known.name, known.span, *value, numbers)
        });
    let states = model
        .states
        .iter()
        .zip(system.states.blocks())
        .zip(&system.initial)
        .map(|((known, block), value)| {
            let numbers = &present.initial[block.range()];
            (
                "the initial value of",
                &known.name,
                known.span,
                *value,
                numbers,
            )
        });
    let volumes = model
        .parameters
        .iter()
        .zip(system.parameters.blocks())
        .filter(|(known, _)| known.is_compartment)
        .filter_map(|(known, block)| {
            let wrong = *present.parameters[block.range()]
                .iter()
                .find(|volume| **volume <= 0.0)?;
            let message = format!("the volume `{}` is {}", known.name, number_text(wrong));
            Some(
                Diagnostic::new(Code::OutOfBounds, message)
                    .at(known.span, "declared here")
                    .help("a compartment has a positive volume"),
            )
        });
    let problems: Vec<Diagnostic> = parameters
        .chain(states)
        .filter_map(|(what, name, span, value, numbers)| {
            let wrong = *numbers.iter().find(|number| !number.is_finite())?;
            let inputs = inputs(compiled, present, value)?;
            if wrong.is_nan() && is_covariate(model, name) {
                return Some(no_value_of_covariate(name, numbers.len(), span));
            }
            let message = format!("{what} `{name}` is {}", number_text(wrong));
            Some(not_finite(message, span, &compiled.text_of(value), &inputs))
        })
        .chain(volumes)
        .chain(super::scales::check(compiled, present))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn is_covariate(model: &Model, name: &str) -> bool {
    let mut known = model.parameters.iter();
    known.any(|known| known.is_covariate && known.name == name)
}

fn no_value_of_covariate(name: &str, count: usize, span: Span) -> Diagnostic {
    /// Zeros that are written out.
    const MOST: usize = 6;
    let example = match count {
        1 => "1".to_owned(),
        count if count <= MOST => format!("[{}]", vec!["0"; count].join(", ")),
        _ => "0".to_owned(),
    };
    Diagnostic::new(
        Code::NotFinite,
        format!("the covariate `{name}` has no value here"),
    )
    .at(span, "its values come with the data of a fit")
    .help(format!(
        "give it one, as in `with {name} = {example}`, or where it is declared, as in `covariate {name} = 1`"
    ))
}

fn not_finite(message: String, span: Span, value: &str, inputs: &[String]) -> Diagnostic {
    let text = if inputs.is_empty() {
        "declared here".to_owned()
    } else {
        format!("`{value}` at {}", listed(inputs))
    };
    Diagnostic::new(Code::NotFinite, message)
        .at(span, text)
        .help("look for a division by zero, or a root or logarithm outside its domain")
}

/// The single numbers that a value is computed from, as `V = 0`; `None` when one of its inputs is
/// not finite itself.
fn inputs(compiled: &super::Compiled, present: &Present, value: Expr) -> Option<Vec<String>> {
    let system = &compiled.system;
    let blocks = |of: &crate::system::Layout, numbers: &[f64], symbol: SymbolId| {
        let block = of.blocks().iter().find(|block| block.symbol == symbol)?;
        Some((block.shape, numbers.get(block.range())?.to_vec()))
    };
    let mut found = Vec::new();
    for symbol in symbols_of(&system.pool, value) {
        let known = blocks(&system.parameters, &present.parameters, symbol)
            .or_else(|| blocks(&system.states, &present.initial, symbol));
        let Some((shape, numbers)) = known else {
            continue;
        };
        if numbers.iter().any(|number| !number.is_finite()) {
            return None;
        }
        if let (Shape::Scalar, [number]) = (shape, numbers.as_slice()) {
            let name = &system.pool.symbol_data(symbol).name;
            found.push(format!("{name} = {}", number_text(*number)));
        }
    }
    Some(found)
}
