//! Where branches begin: the steady state that the present values lead to, as `steady` finds it.

use super::family::{RestFamily, Start, motion};
use super::formulas::Values;
use super::question::Question;
use super::{Moving, Unfit};
use crate::analyze::NotFound;
use crate::analyze::continuation::Motion;
use crate::analyze::continuation::orbits;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::Bounds;
use crate::session::command::{Continue, SteadyAll};
use crate::session::compiled::Compiled;
use crate::session::rest::AtRest;
use crate::session::trajectory::Trajectory;
use crate::session::{equilibria, steady};
use crate::world::World;
use std::sync::Arc;

/// A model with steady states to start from.
pub(super) struct Begin<'c> {
    /// The equations as the parameter moves, each with the points (states, then the parameter)
    /// that it starts from. There are several where conditions hold at some and not at others.
    pub families: Vec<(RestFamily<'c>, Vec<Vec<f64>>)>,
    /// The least size of a change of each state that matters.
    pub sizes: Vec<f64>,
    /// Where the states may be, one pair for each.
    pub bounds: Vec<(f64, f64)>,
    /// Warnings of the search.
    pub warnings: Vec<Diagnostic>,
}

/// Looks for steady states and prepares the equations around them.
///
/// # Errors
/// No steady state; equations that cannot be continued.
pub(super) fn begin<'c>(
    compiled: &'c Arc<Compiled>,
    question: &Question,
    command: &Continue,
    last: Option<&Trajectory>,
    world: &dyn World,
) -> Result<Begin<'c>, Vec<Diagnostic>> {
    let span = command.span;
    let at_rest = AtRest::new(compiled, &question.overrides, &question.setting, last, span)?;
    let motion = motion(compiled);
    let states = match motion {
        Motion::Map if !command.all => vec![at_rest.state.clone()],
        _ => starts(compiled, &at_rest, question, command, last, world)?,
    };
    let tolerances = at_rest.tolerances();
    let laws = at_rest.laws();
    let mut families: Vec<(RestFamily<'c>, Vec<Vec<f64>>)> = Vec::new();
    for state in states {
        let mut point = state.clone();
        point.push(question.value);
        if let Some((_, points)) = families.iter_mut().find(|(family, _)| family.holds(&point)) {
            points.push(point);
            continue;
        }
        let start = Start {
            values: Values {
                overrides: &question.overrides,
                present: &at_rest.present,
                ended: last.map(|_| at_rest.state.as_slice()),
            },
            state: &state,
            tolerances: &tolerances,
            laws: &laws,
            range: question.range,
        };
        let family = RestFamily::new(compiled, &start, &question.moving)
            .map_err(|unfit| vec![unfit_for(compiled, &unfit, command, &question.moving)])?;
        if motion == Motion::Map && !command.all {
            // The family finds its own orbits.
            let found = orbits(&family, question.period, &point);
            if found.is_empty() {
                return Err(vec![no_orbit(question, command)]);
            }
            families.push((family, found));
        } else {
            families.push((family, vec![point]));
        }
    }
    Ok(Begin {
        families,
        sizes: (tolerances.absolute.iter())
            .map(|absolute| absolute / tolerances.relative)
            .collect(),
        bounds: bounds(compiled, &at_rest),
        warnings: Vec::new(),
    })
}

/// The steady state that the system goes to, else one that Newton's iteration finds; then, when
/// all are asked for, the others.
fn starts(
    compiled: &Arc<Compiled>,
    at_rest: &AtRest<'_>,
    question: &Question,
    command: &Continue,
    last: Option<&Trajectory>,
    world: &dyn World,
) -> Result<Vec<Vec<f64>>, Vec<Diagnostic>> {
    let first = steady::search(at_rest, world);
    if !command.all {
        return match first {
            Ok(found) => Ok(vec![found.state]),
            Err(why) => Err(vec![no_start(compiled, question, &why, command)]),
        };
    }
    let search = SteadyAll {
        span: command.span,
        ranges: Vec::new(),
        setting: question.setting.clone(),
        from_last: command.from_last,
    };
    let others = equilibria::find(compiled, &question.overrides, last, &search, world)?;
    let others = others.found.equilibria.into_iter().map(|known| known.state);
    let mut states: Vec<Vec<f64>> = first
        .as_ref()
        .ok()
        .map(|found| found.state.clone())
        .into_iter()
        .collect();
    states.extend(others);
    match first {
        Err(why) if states.is_empty() => Err(vec![no_start(compiled, question, &why, command)]),
        _ => Ok(states),
    }
}

/// Where the states may be: the declared bounds, and from 0 on where a negative value has no
/// meaning.
fn bounds(compiled: &Compiled, at_rest: &AtRest<'_>) -> Vec<(f64, f64)> {
    let states = compiled.model.states.iter();
    let blocks = compiled.system.states.blocks();
    let declared = states.zip(blocks).flat_map(|(state, block)| {
        let ends = state.bounds.map_or(
            (f64::NEG_INFINITY, f64::INFINITY),
            |Bounds { low, high, .. }| (low, high),
        );
        std::iter::repeat_n(ends, block.shape.len())
    });
    declared
        .zip(at_rest.non_negative())
        .map(|((low, high), is_not_negative)| {
            (if is_not_negative { low.max(0.0) } else { low }, high)
        })
        .collect()
}

fn no_start(
    compiled: &Compiled,
    question: &Question,
    why: &NotFound,
    command: &Continue,
) -> Diagnostic {
    let (moving, value) = (&question.moving, question.value);
    let mut diagnostic = steady::not_found(compiled, why, command.span);
    diagnostic.message = format!(
        "{} ({} = {})",
        diagnostic.message,
        moving.name,
        number_text(value)
    );
    if diagnostic.code == Code::NoSteadyState {
        diagnostic = diagnostic.help(format!(
            "a branch starts from a steady state: another value to start from, as in `continue {} with x = 1`, may lead to one",
            moving.name
        ));
    }
    diagnostic
}

fn no_orbit(question: &Question, command: &Continue) -> Diagnostic {
    let what = match question.period {
        1 => "no fixed point".to_owned(),
        period => format!("no orbit of period {period}"),
    };
    let name = &question.moving.name;
    Diagnostic::new(
        Code::NoSteadyState,
        format!("{what} was found ({name} = {})", number_text(question.value)),
    )
    .at(command.span, "")
    .help(format!(
        "another state to start from, as in `continue {name} with x = 1`, or another value of `{name}` may lead to one"
    ))
}

fn unfit_for(
    compiled: &Compiled,
    unfit: &Unfit,
    command: &Continue,
    moving: &Moving,
) -> Diagnostic {
    let name = &moving.name;
    let place = command.parameter.span;
    match unfit {
        Unfit::Nowhere => Diagnostic::new(
            Code::CannotContinue,
            format!("no equation at rest depends on `{name}`"),
        )
        .at(place, "moving it changes nothing")
        .help("`show equations` shows what the equations depend on"),
        Unfit::SumFollows(law) => {
            let states = law
                .terms
                .iter()
                .map(|(at, _)| format!("`{}`", compiled.state_name(*at)));
            let states: Vec<String> = states.collect();
            Diagnostic::new(
                Code::CannotContinue,
                format!(
                    "the equations keep a sum of {} whose coefficients change with `{name}`",
                    crate::diagnostic::listed(&states)
                ),
            )
            .at(place, "")
            .help("write one of these states in terms of the others, as in `let y = total - x`; the steady states are then single points")
        }
    }
}
