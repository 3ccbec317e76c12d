//! What a sentence `continue` asks, with its names found and its values checked.
//!
//! Enters: a model, the values that hold and the sentence. Leaves: which number of the parameter
//! vector moves, from where to where, and from which value the start is looked for. What can be
//! refused without computing anything is refused here.

use super::{MOST_STATES, Moving};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::{self, Bounds, Target};
use crate::session::command::{Continue, Setting};
use crate::session::compiled::Compiled;
use crate::session::ranges::Range;
use crate::session::simulate::{fault, whole, with_setting};
use crate::session::values::{Overrides, Present};
use crate::source::Span;
use crate::symbolic::{Pool, Shape};
use crate::syntax::{self, tree};

/// What is asked.
pub(super) struct Question {
    pub moving: Moving,
    /// The values that hold at the start, the parameter's among them.
    pub overrides: Overrides,
    /// What of the sentence's setting is still to be said: initial values by name.
    pub setting: Setting,
    /// Where the parameter moves.
    pub range: (f64, f64),
    /// Its value at the start.
    pub value: f64,
    /// How many steps an orbit of a map takes.
    pub period: usize,
    /// The most points of one branch.
    pub points: Option<usize>,
    /// True when the parameter is explored on a logarithmic scale.
    pub is_logarithmic: bool,
}

/// Understands a sentence.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn question(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Continue,
) -> Result<Question, Vec<Diagnostic>> {
    let moving = moving(compiled, &command.parameter)?;
    let mut problems = refused(compiled, command.span);
    problems.extend(misplaced(compiled, command));
    let overrides = with_setting(compiled, overrides, &command.setting).unwrap_or_else(|found| {
        problems.extend(found);
        overrides.clone()
    });
    let present = compiled.present(&overrides);
    let range = range(compiled, &present, command, &moving);
    let count = |expr: &Option<tree::Expr>, most: u64, help: &str| match expr {
        None => Ok(None),
        Some(expr) => whole_number(compiled, &present, expr, most, help).map(Some),
    };
    let period = count(&command.period, 1000, "as in `period 2`");
    let points = count(&command.points, 1_000_000, "as in `points 500`");
    let mut sound = |found: Result<Option<usize>, Vec<Diagnostic>>| {
        found.unwrap_or_else(|found| {
            problems.extend(found);
            None
        })
    };
    let (period, points) = (sound(period), sound(points));
    let range = range.map_err(|found| problems.extend(found));
    let (Ok(range), true) = (range, problems.is_empty()) else {
        return Err(problems);
    };
    let now = present.parameters.get(moving.position).copied();
    let value = now.unwrap_or(range.0).clamp(range.0, range.1);
    let mut overrides = overrides;
    let element = moving.element.and_then(|at| u32::try_from(at).ok());
    overrides.set(Target::Parameter(moving.parameter), element, vec![value]);
    let bounds = bounds(compiled, &moving);
    Ok(Question {
        is_logarithmic: command.range.is_none()
            && range.0 > 0.0
            && bounds.is_some_and(|bounds| bounds.logarithmic),
        setting: of_states(compiled, &command.setting),
        moving,
        overrides,
        range,
        value,
        period: period.unwrap_or(1),
        points,
    })
}

/// The initial values of a setting; all else of it is among the overrides.
fn of_states(compiled: &Compiled, setting: &Setting) -> Setting {
    let is_state = |binding: &&tree::Binding| {
        let named = compiled.model.names.get(&binding.name.name.text);
        matches!(named, Some(model::Entity::State(_)))
    };
    Setting {
        with: setting.with.iter().filter(is_state).cloned().collect(),
        condition: None,
    }
}

fn bounds(compiled: &Compiled, moving: &Moving) -> Option<Bounds> {
    let known = compiled.model.parameters.get(moving.parameter.index())?;
    known.bounds
}

/// The number of the parameter vector that a name means.
fn moving(compiled: &Compiled, reference: &tree::Reference) -> Result<Moving, Vec<Diagnostic>> {
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    let found = model::target(&compiled.model.names, &mut pool, &mut problems, reference);
    let Some((target, element)) = found.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let name = syntax::show_expression(&tree::Expr {
        span: reference.span,
        kind: tree::ExprKind::Reference(reference.clone()),
    });
    let parameter = match target {
        Target::Parameter(id) => id,
        Target::State(_) => {
            return Err(vec![
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{name}` is a state, and what moves is a parameter"),
                )
                .at(reference.span, "")
                .help("a parameter may stand for an initial value, as in `param x0 = 1` with `state x = x0`"),
            ]);
        }
    };
    let block = compiled.system.parameters.blocks()[parameter.index()];
    if block.shape != Shape::Scalar && element.is_none() {
        return Err(vec![
            Diagnostic::new(
                Code::ShapeMismatch,
                format!(
                    "`{name}` holds {} numbers, and one of them moves",
                    block.shape.len()
                ),
            )
            .at(reference.span, format!("this is {}", block.shape))
            .help(format!(
                "name one of them, as in `continue {}[1] in 0..1`",
                reference.name.text
            )),
        ]);
    }
    Ok(Moving {
        parameter,
        element,
        position: block.offset + element.unwrap_or(0),
        name,
    })
}

/// Models whose steady states are not continued.
fn refused(compiled: &Compiled, span: Span) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if let Some(delay) = compiled.model.delays.first() {
        problems.push(
            Diagnostic::new(
                Code::CannotContinue,
                "steady states of models with delays are not continued",
            )
            .at(span, "")
            .at(delay.span, "a delay: stability hangs on it")
            .help("`steady` finds a steady state of such a model"),
        );
    }
    let n = compiled.system.dimension();
    if n > MOST_STATES {
        problems.push(
            Diagnostic::new(
                Code::CannotContinue,
                format!("the model has {n} states, and at most {MOST_STATES} are continued"),
            )
            .at(span, "")
            .help("`steady` and `simulate` take more"),
        );
    }
    problems
}

/// Options that belong to maps, or to their fixed points.
fn misplaced(compiled: &Compiled, command: &Continue) -> Vec<Diagnostic> {
    let Some(period) = &command.period else {
        return Vec::new();
    };
    let (option, what) = match compiled.system.motion {
        model::Motion::Flow => (
            period.span,
            "`period` counts the steps of a map, and this model has no steps",
        ),
        model::Motion::Map if command.all => (
            command.span,
            "`all` finds fixed points, not orbits of a longer period",
        ),
        model::Motion::Map => return Vec::new(),
    };
    vec![
        Diagnostic::new(Code::BadOption, what)
            .at(option, "")
            .help("remove it; `with x = 1` starts elsewhere"),
    ]
}

/// Where the parameter moves: as the sentence says, else as the parameter is declared.
fn range(
    compiled: &Compiled,
    present: &Present,
    command: &Continue,
    moving: &Moving,
) -> Result<(f64, f64), Vec<Diagnostic>> {
    let declared = bounds(compiled, moving);
    let name = &moving.name;
    let end = |written: Option<&tree::Expr>, declared: Option<f64>| match written {
        Some(expr) => compiled.number(expr, present),
        None => match declared.filter(|end| end.is_finite()) {
            Some(end) => Ok(end),
            None => Err(vec![no_range(command, name)]),
        },
    };
    let written = command.range.as_ref();
    let low = end(
        written.and_then(|range| range.low.as_ref()),
        declared.as_ref().map(|bounds| bounds.low),
    );
    let high = end(
        written.and_then(|range| range.high.as_ref()),
        declared.as_ref().map(|bounds| bounds.high),
    );
    let (low, high) = match (low, high) {
        (Ok(low), Ok(high)) => (low, high),
        (Err(mut problems), Err(more)) => {
            problems.extend(more.into_iter().filter(|_| written.is_some()));
            problems.dedup();
            return Err(problems);
        }
        (Err(problems), _) | (_, Err(problems)) => return Err(problems),
    };
    let span = written.map_or(command.parameter.span, |range| range.span);
    if low >= high {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "the range holds nothing to move through")
                .at(span, format!("from {} to {}", number_text(low), number_text(high)))
                .help(format!("a range runs from the smaller number to the larger, as in `continue {name} in {}`",
                    if low > high { format!("{}..{}", number_text(high), number_text(low)) } else { "0..1".to_owned() })),
        ]);
    }
    within(declared.as_ref(), written, (low, high), name)?;
    Ok((low, high))
}

/// A range must keep to the bounds that the parameter is declared with.
fn within(
    declared: Option<&Bounds>,
    written: Option<&Range>,
    (low, high): (f64, f64),
    name: &str,
) -> Result<(), Vec<Diagnostic>> {
    let (Some(bounds), Some(written)) = (declared, written) else {
        return Ok(());
    };
    if bounds.low <= low && high <= bounds.high {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(
            Code::OutOfBounds,
            format!("the range goes beyond the bounds of `{name}`"),
        )
        .at(written.span, "")
        .at(bounds.span, "these bounds")
        .help(format!(
            "keep to {}..{}, or widen the bounds in the declaration",
            number_text(bounds.low),
            number_text(bounds.high)
        )),
    ])
}

fn no_range(command: &Continue, name: &str) -> Diagnostic {
    let span = command
        .range
        .as_ref()
        .map_or(command.parameter.span, |range| range.span);
    Diagnostic::new(
        Code::MissingArgument,
        format!("`{name}` is declared without bounds: where does it move?"),
    )
    .at(span, "")
    .help(format!(
        "give a range, as in `continue {name} in 0..1`, or bounds, as in `param {name} = 1 in 0..2`"
    ))
}

/// A whole number from 1 on.
fn whole_number(
    compiled: &Compiled,
    present: &Present,
    expr: &tree::Expr,
    most: u64,
    help: &str,
) -> Result<usize, Vec<Diagnostic>> {
    let number = compiled.number(expr, present)?;
    whole(number, 1, most)
        .map(|count| count as usize)
        .ok_or_else(|| {
            let message = format!("a whole number from 1 to {most} is needed here");
            fault(expr, &message, number, help)
        })
}
