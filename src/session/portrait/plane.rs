//! Which states a portrait shows, over which ranges, for which values.

use super::super::command::{Portrait, PortraitKind, SeriesValues, Setting};
use super::super::compiled::Compiled;
use super::super::equilibria::{Ends, ends, positions};
use super::super::ranges::Ranged;
use super::super::rest;
use super::super::simulate::with_setting;
use super::super::values::Overrides;
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::model::Motion;
use crate::source::Span;
use crate::syntax::{self, tree};

/// Most values of a series.
const MOST_VIEWS: usize = 9;
/// Values of a range without `points`.
const USUAL_VIEWS: usize = 4;

/// A portrait with its names understood.
pub(super) struct Asked {
    pub span: Span,
    /// Positions of one or two states.
    pub axes: Vec<usize>,
    /// What is said of their ranges.
    pub ends: [Ends; 2],
    /// The values that hold for each view.
    pub settings: Vec<(Option<f64>, Setting)>,
    /// True for `phase`.
    pub flows: bool,
}

/// Understands the names and numbers of a command.
///
/// # Errors
/// A model without states, one that the time moves, maps, constraints; names that are no states;
/// empty ranges; a series that is no series.
pub(super) fn asked(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Portrait,
) -> Result<Asked, Vec<Diagnostic>> {
    refused(compiled, command.span)?;
    let values = with_setting(compiled, overrides, &command.setting)?;
    let present = compiled.present(&values);
    let mut problems = Vec::new();
    let mut axes = Vec::new();
    let mut found_ends = [(None, None); 2];
    for (ranged, slot) in command.axes.iter().zip(&mut found_ends) {
        match axis(compiled, ranged) {
            Ok(at) => axes.push(at),
            Err(found) => problems.extend(found),
        }
        match ends(compiled, &present, ranged) {
            Ok(found) => {
                *slot = found;
                problems.extend(empty(ranged, found));
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() && command.axes.is_empty() {
        axes = own_axes(compiled, command)?;
    }
    if let ([a, b], Some(second)) = (axes.as_slice(), command.axes.get(1))
        && a == b
    {
        problems.push(
            Diagnostic::new(Code::BadOption, "a plane needs two different states")
                .at(second.name.span, "the same again"),
        );
    }
    let settings = settings(compiled, overrides, command).unwrap_or_else(|found| {
        problems.extend(found);
        Vec::new()
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    for (_, setting) in &settings {
        rest::check(compiled, overrides, setting, command.span)?;
    }
    Ok(Asked {
        span: command.span,
        axes,
        ends: found_ends,
        settings,
        flows: command.kind == PortraitKind::Phase,
    })
}

/// What has no plane: maps, equations that the time moves, delays, constraints.
fn refused(compiled: &Compiled, span: Span) -> Result<(), Vec<Diagnostic>> {
    let system = &compiled.system;
    let refuse = |message: &str, help: &str| {
        let diagnostic = Diagnostic::new(Code::NoPlane, message).at(span, "");
        Err(vec![diagnostic.help(help.to_owned())])
    };
    if system.motion == Motion::Map {
        return refuse(
            "a map has no flow to draw: its states jump",
            "`simulate` and `plot y vs x` draw an orbit of it",
        );
    }
    if let Some(moved) = rest::moved(compiled) {
        return Err(vec![
            Diagnostic::new(
                Code::NoPlane,
                format!(
                    "there is no plane to draw: the equation of `{}` depends on {}",
                    moved.state, moved.by
                ),
            )
            .at(moved.place, format!("{} comes in here", moved.by))
            .at(span, "")
            .help("the flow at a place changes with time; `plot y vs x` draws a trajectory"),
        ]);
    }
    if !system.delays.is_empty() {
        return refuse(
            "there is no plane to draw: where a state goes depends on its past",
            "`simulate` and `plot y vs x` draw a trajectory",
        );
    }
    if system.algebraic.iter().any(|is_constraint| *is_constraint) {
        return refuse(
            "portraits of models with constraints are not drawn",
            "`simulate` and `plot y vs x` draw a trajectory",
        );
    }
    Ok(())
}

/// The two states of a model of two, the one of a model of one.
fn own_axes(compiled: &Compiled, command: &Portrait) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let n = compiled.system.dimension();
    let verb = command.kind.verb();
    match (n, command.kind) {
        (1, PortraitKind::Phase) => Ok(vec![0]),
        (2, _) => Ok(vec![0, 1]),
        (0 | 1, _) => Err(vec![
            Diagnostic::new(Code::NoPlane, "a model of one state has no plane")
                .at(command.span, "")
                .help("`phase` draws the line of one state"),
        ]),
        _ => {
            let names: Vec<String> = compiled.state_names().into_iter().take(2).collect();
            Err(vec![
                Diagnostic::new(
                    Code::MissingArgument,
                    format!("`{verb}` needs two states of {n}"),
                )
                .at(command.span, "which ones?")
                .help(format!("as in `{verb} {}`", names.join(", "))),
            ])
        }
    }
}

fn axis(compiled: &Compiled, ranged: &Ranged) -> Result<usize, Vec<Diagnostic>> {
    let positions = positions(compiled, &ranged.name)?;
    match positions.as_slice() {
        [only] => Ok(*only),
        _ => {
            let name = syntax::show_expression(&ranged.name);
            Err(vec![
                Diagnostic::new(Code::ShapeMismatch, format!("`{name}` has several values"))
                    .at(ranged.name.span, "an axis shows one of them")
                    .help(format!("as in `{name}[1]`")),
            ])
        }
    }
}

fn empty(ranged: &Ranged, ends: Ends) -> Option<Diagnostic> {
    let (Some(low), Some(high)) = ends else {
        return None;
    };
    let name = syntax::show_expression(&ranged.name);
    let span = ranged
        .range
        .as_ref()
        .map_or(ranged.name.span, |range| range.span);
    (low >= high).then(|| {
        Diagnostic::new(
            Code::EmptyBounds,
            format!(
                "the window is empty: `{name}` from {} to {}",
                number_text(low),
                number_text(high)
            ),
        )
        .at(span, "the low end must be below the high one")
        .help(format!("as in `{name} in 0..5`"))
    })
}

/// The setting of each view.
fn settings(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Portrait,
) -> Result<Vec<(Option<f64>, Setting)>, Vec<Diagnostic>> {
    let Some(over) = &command.over else {
        return Ok(vec![(None, command.setting.clone())]);
    };
    let name = &over.name.name;
    if !matches!(
        compiled.model.names.get(&name.text),
        Some(crate::model::Entity::Parameter(_))
    ) {
        let known = compiled.model.parameters.iter().take(8);
        let known: Vec<String> = known.map(|known| format!("`{}`", known.name)).collect();
        let diagnostic = Diagnostic::new(
            Code::WrongKind,
            format!("`{}` is not a parameter", name.text),
        )
        .at(name.span, "a series runs over the values of one");
        return Err(vec![if known.is_empty() {
            diagnostic
        } else {
            diagnostic.help(format!("the parameters are {}", listed(&known)))
        }]);
    }
    let present = compiled.present(&with_setting(compiled, overrides, &command.setting)?);
    let values: Vec<f64> = match &over.values {
        SeriesValues::Listed(values) => {
            let numbers = values.iter().map(|value| compiled.number(value, &present));
            numbers.collect::<Result<_, _>>()?
        }
        SeriesValues::Even { low, high, points } => {
            let (low, high) = (
                compiled.number(low, &present)?,
                compiled.number(high, &present)?,
            );
            let count = match points {
                None => USUAL_VIEWS as f64,
                Some(points) => compiled.number(points, &present)?,
            };
            if count.fract() != 0.0 || !(2.0..=MOST_VIEWS as f64).contains(&count) {
                let span = points.as_ref().map_or(over.span, |points| points.span);
                return Err(vec![too_many(span)]);
            }
            let last = count - 1.0;
            (0..count as usize)
                .map(|k| low + (high - low) * (k as f64 / last))
                .collect()
        }
    };
    if values.is_empty() || values.len() > MOST_VIEWS {
        return Err(vec![too_many(over.span)]);
    }
    Ok(values
        .into_iter()
        .map(|value| {
            let mut setting = command.setting.clone();
            setting
                .with
                .retain(|binding| binding.name.name.text != name.text);
            setting.with.push(tree::Binding {
                name: over.name.clone(),
                value: tree::Expr {
                    span: over.span,
                    kind: tree::ExprKind::Number { value, unit: None },
                },
            });
            (Some(value), setting)
        })
        .collect())
}

fn too_many(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadOption,
        format!("a series has 2 to {MOST_VIEWS} portraits"),
    )
    .at(span, "")
    .help("as in `over a = 0.3, 0.5, 0.7` or `over a in 0.3..0.7 points 3`")
}
