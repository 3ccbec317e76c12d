//! The quantities of a sweep: which number of the model each is, and which values it takes.
//!
//! Enters: names, ranges and lists as written. Leaves: an [`Axis`] for each, or what is wrong with it.
//! Must not know how the members are laid out.

use super::super::compiled::Compiled;
use super::super::plot::unit_of_name;
use super::super::ranges::Range;
use super::super::values::{Overrides, Present, target_name};
use super::design::Span as Reach;
use super::sentence::{Swept, SweptValues};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::{self, Bounds, Target};
use crate::source::Span;
use crate::symbolic::{Pool, Shape};
use crate::syntax::{self, tree};

/// A swept quantity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub target: Target,
    /// Which number of a vector or matrix.
    pub element: Option<u32>,
    /// Its place among the parameters or the states.
    pub position: usize,
    /// As written.
    pub name: String,
    pub unit: Option<String>,
    /// Spread over a logarithmic scale.
    pub logarithmic: bool,
    /// The smallest and the largest value.
    pub range: (f64, f64),
}

/// A swept quantity with its range.
pub(super) fn axis(
    compiled: &Compiled,
    present: &Present,
    swept: &Swept,
) -> Result<(Axis, Reach), Vec<Diagnostic>> {
    let tree::ExprKind::Reference(reference) = &swept.name.kind else {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "`sweep` needs the name of a parameter")
                .at(swept.name.span, "this is no name")
                .help("as in `sweep alpha in 0..2`"),
        ]);
    };
    let found = target(compiled, reference)?;
    let name = syntax::show_expression(&swept.name);
    let (range, log) = match &swept.values {
        SweptValues::Listed(list) => {
            let numbers = listed_values(compiled, present, list)?;
            twice(list, &numbers)?;
            let axis = new_axis(compiled, found, name, &numbers);
            let problems = outside(compiled, &axis, &numbers, |at| {
                let span = list.get(at).map_or(swept.name.span, |value| value.span);
                (span, String::new())
            });
            if !problems.is_empty() {
                return Err(problems);
            }
            let (low, high) = axis.range;
            let reach = Reach {
                low,
                high,
                logarithmic: false,
            };
            return Ok((axis, reach));
        }
        SweptValues::Ranged { range, log, .. } => (range.as_deref(), *log),
    };
    let bounds = bounds_of(compiled, found.0);
    let ends = ends(compiled, present, (&name, swept.name.span), range, bounds)?;
    let declared_log = bounds.is_some_and(|bounds| bounds.logarithmic) && ends.0 > 0.0;
    let logarithmic = log.is_some() || declared_log;
    if logarithmic && ends.0 <= 0.0 {
        let span = range.map_or(swept.name.span, |range| range.span);
        let mut diagnostic = Diagnostic::new(
            Code::BadLogBounds,
            "a logarithmic scale needs a positive range",
        )
        .at(span, format!("this begins at {}", number_text(ends.0)));
        if let Some(log) = log {
            diagnostic = diagnostic.at(log, "");
        }
        return Err(vec![
            diagnostic.help(format!("as in `sweep {name} in 1e-3..1 log`")),
        ]);
    }
    let axis = Axis {
        logarithmic,
        ..new_axis(compiled, found, name, &[ends.0, ends.1])
    };
    let reach = Reach {
        low: ends.0,
        high: ends.1,
        logarithmic,
    };
    Ok((axis, reach))
}

pub(super) fn new_axis(
    compiled: &Compiled,
    (target, element): (Target, Option<u32>),
    name: String,
    numbers: &[f64],
) -> Axis {
    let (layout, at) = match target {
        Target::Parameter(id) => (&compiled.system.parameters, id.index()),
        Target::State(id) => (&compiled.system.states, id.index()),
    };
    let unit = unit_of_name(compiled, target_name(&compiled.model, target));
    let offset = layout.blocks().get(at).map_or(0, |block| block.offset);
    let fold = |start: f64, pick: fn(f64, f64) -> f64| numbers.iter().copied().fold(start, pick);
    Axis {
        target,
        element,
        position: offset + element.map_or(0, |element| element as usize),
        name,
        unit: unit.map(|unit| unit.to_string()),
        logarithmic: false,
        range: (
            fold(f64::INFINITY, f64::min),
            fold(f64::NEG_INFINITY, f64::max),
        ),
    }
}

/// The number that a name means.
pub(super) fn target(
    compiled: &Compiled,
    reference: &tree::Reference,
) -> Result<(Target, Option<u32>), Vec<Diagnostic>> {
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    let found = model::target(&compiled.model.names, &mut pool, &mut problems, reference);
    let Some((target, element)) = found.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let shape = compiled.shape_of(target);
    if shape != Shape::Scalar && element.is_none() {
        let name = &reference.name.text;
        return Err(vec![
            Diagnostic::new(
                Code::ShapeMismatch,
                format!(
                    "`{name}` holds {} numbers, and one of them is swept",
                    shape.len()
                ),
            )
            .at(reference.span, format!("this is {shape}"))
            .help(format!("name one of them, as in `sweep {name}[1] in 0..1`")),
        ]);
    }
    Ok((target, element.and_then(|at| u32::try_from(at).ok())))
}

fn bounds_of(compiled: &Compiled, target: Target) -> Option<Bounds> {
    match target {
        Target::Parameter(id) => compiled.model.parameters.get(id.index())?.bounds,
        Target::State(id) => compiled.model.states.get(id.index())?.bounds,
    }
}

/// Where a quantity goes: as the sentence says, else as it is declared.
fn ends(
    compiled: &Compiled,
    present: &Present,
    (name, span): (&str, Span),
    written: Option<&Range>,
    declared: Option<Bounds>,
) -> Result<(f64, f64), Vec<Diagnostic>> {
    let place = written.map_or(span, |range| range.span);
    let end = |written: Option<&tree::Expr>, declared: Option<f64>| {
        match written {
        Some(expr) => compiled.number(expr, present),
        None => declared.filter(|end| end.is_finite()).ok_or_else(|| {
            vec![
                Diagnostic::new(
                    Code::MissingArgument,
                    format!("`{name}` is declared without bounds: which values does it take?"),
                )
                .at(place, "")
                .help(format!(
                    "give a range, as in `sweep {name} in 0..1`, or bounds, as in `param {name} = 1 in 0..2`"
                )),
            ]
        }),
    }
    };
    let low = end(
        written.and_then(|range| range.low.as_ref()),
        declared.map(|b| b.low),
    );
    let high = end(
        written.and_then(|range| range.high.as_ref()),
        declared.map(|b| b.high),
    );
    let (low, high) = match (low, high) {
        (Ok(low), Ok(high)) => (low, high),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            problems.dedup();
            return Err(problems);
        }
        (Err(problems), _) | (_, Err(problems)) => return Err(problems),
    };
    if low >= high {
        let range = if low > high {
            format!("{}..{}", number_text(high), number_text(low))
        } else {
            "0..1".to_owned()
        };
        return Err(vec![
            Diagnostic::new(Code::BadOption, "the range holds nothing to sweep over")
                .at(place, format!("from {} to {}", number_text(low), number_text(high)))
                .help(format!(
                    "a range runs from the smaller number to the larger, as in `sweep {name} in {range}`"
                )),
        ]);
    }
    match declared {
        Some(bounds) if low < bounds.low || high > bounds.high => Err(vec![
            Diagnostic::new(
                Code::OutOfBounds,
                format!("the range goes beyond the bounds of `{name}`"),
            )
            .at(place, "")
            .at(bounds.span, "these bounds")
            .help(format!(
                "keep to {}..{}, or widen the bounds in the declaration",
                number_text(bounds.low),
                number_text(bounds.high)
            )),
        ]),
        _ => Ok((low, high)),
    }
}

/// A value outside the bounds of what is swept; `place` says where the value of a row stands.
pub(super) fn outside(
    compiled: &Compiled,
    axis: &Axis,
    numbers: &[f64],
    place: impl Fn(usize) -> (Span, String),
) -> Vec<Diagnostic> {
    let Some(bounds) = bounds_of(compiled, axis.target) else {
        return Vec::new();
    };
    let mut all = numbers.iter();
    let Some(row) = all.position(|number| !(bounds.low..=bounds.high).contains(number)) else {
        return Vec::new();
    };
    let (span, words) = place(row);
    let value = numbers.get(row).copied().unwrap_or(f64::NAN);
    vec![
        Diagnostic::new(
            Code::OutOfBounds,
            format!(
                "the value {} of `{}` lies outside its bounds",
                number_text(value),
                axis.name
            ),
        )
        .at(span, words)
        .at(bounds.span, "these bounds"),
    ]
}

/// A value that is listed again.
fn twice(list: &[tree::Expr], numbers: &[f64]) -> Result<(), Vec<Diagnostic>> {
    for (at, (value, number)) in list.iter().zip(numbers).enumerate() {
        let earlier = numbers.iter().take(at).position(|known| known == number);
        if let Some(first) = earlier.and_then(|first| list.get(first)) {
            return Err(vec![
                Diagnostic::new(
                    Code::BadOption,
                    format!("the value {} is listed twice", number_text(*number)),
                )
                .at(value.span, "again here")
                .at(first.span, "")
                .help("list it once"),
            ]);
        }
    }
    Ok(())
}

pub(super) fn listed_values(
    compiled: &Compiled,
    present: &Present,
    list: &[tree::Expr],
) -> Result<Vec<f64>, Vec<Diagnostic>> {
    let numbers = list.iter().map(|value| compiled.number(value, present));
    numbers.collect()
}

impl Axis {
    pub fn set(&self, overrides: &mut Overrides, value: f64) {
        overrides.set(self.target, self.element, vec![value]);
    }
}
