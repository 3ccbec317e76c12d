//! From positions to names: the diagram of numbers as an answer in the model's words.

use super::answer::{
    BranchAnswer, BranchOrigin, BranchPoint, DiagramAnswer, EndOfBranch, abbreviation,
};
use super::family::RestFamily;
use super::question::Question;
use crate::analyze::continuation::{self as core, Diagram, End, Family, Kind};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::session::command::Continue;
use crate::session::compiled::{Compiled, Observable};
use crate::session::places;
use crate::session::plot::{quoted, unit_of};
use crate::session::values::{self, Point};
use crate::source::Span;
use crate::symbolic::{Node, Shape};
use std::sync::Arc;

/// What is drawn above the parameter.
struct Shown {
    observable: Observable,
    unit: Option<String>,
    /// The position of a plain state.
    state: Option<usize>,
}

/// The answer to a question.
///
/// # Errors
/// Something to be drawn that is not a single number.
pub(super) fn answer(
    compiled: &Arc<Compiled>,
    question: &Question,
    command: &Continue,
    diagrams: Vec<(&RestFamily<'_>, Diagram)>,
) -> Result<DiagramAnswer, Vec<Diagnostic>> {
    let shown = shown(compiled, command)?;
    let parameter = compiled
        .model
        .parameters
        .get(question.moving.parameter.index());
    let unit = parameter.and_then(|known| known.unit.as_ref());
    let motion = diagrams.first().map(|(family, _)| family.motion());
    let mut answer = DiagramAnswer {
        compiled: Arc::clone(compiled),
        parameter: question.moving.name.clone(),
        unit: unit.map(ToString::to_string),
        range: question.range,
        start: question.value,
        motion: motion.unwrap_or(core::Motion::Flow),
        period: question.period,
        shown: shown.observable.label.clone(),
        shown_unit: shown.unit.clone(),
        names: compiled.state_names(),
        branches: Vec::new(),
        points: Vec::new(),
        is_logarithmic: question.is_logarithmic,
        interrupted: diagrams.iter().any(|(_, diagram)| diagram.interrupted),
    };
    for (family, diagram) in diagrams {
        let value = |x: &[f64]| value_of(compiled, &shown, question, x);
        let (branches, points) = (answer.branches.len(), answer.points.len());
        for special in diagram.specials {
            let label = label(&special.kind, &answer.points);
            answer.points.push(BranchPoint {
                label,
                branch: branches + special.branch,
                shown: value(&special.x),
                point: special.x,
                kind: special.kind,
            });
        }
        for branch in diagram.branches {
            let at = |first: bool| {
                let end = if first {
                    branch.points.first()
                } else {
                    branch.points.last()
                };
                end.map_or(&[][..], |point| point.x.as_slice())
            };
            let ends = [
                end(compiled, family, branch.ends[0], at(true)),
                end(compiled, family, branch.ends[1], at(false)),
            ];
            answer.branches.push(BranchAnswer {
                origin: match branch.origin {
                    core::Origin::Start => BranchOrigin::Start,
                    core::Origin::Crossing(id) => BranchOrigin::Crossing(points + id),
                },
                shown: branch.points.iter().map(|point| value(&point.x)).collect(),
                unstable: branch.points.iter().map(|point| point.unstable).collect(),
                special: (branch.special.iter())
                    .map(|(place, id)| (*place, points + id))
                    .collect(),
                points: branch.points.into_iter().map(|point| point.x).collect(),
                ends,
            });
        }
    }
    Ok(answer)
}

/// What the sentence wants to see, else the first state.
fn shown(compiled: &Compiled, command: &Continue) -> Result<Shown, Vec<Diagnostic>> {
    let (observable, unit) = match &command.shown {
        Some(expr) => (compiled.observable(expr)?, unit_of(compiled, expr)),
        None => {
            let first = compiled.model.states.first();
            let name = compiled.state_name(0);
            let text = first.map_or(String::new(), |state| {
                match compiled.system.states.blocks() {
                    [block, ..] if block.shape != Shape::Scalar => {
                        format!("{}[1]", quoted(&state.name))
                    }
                    _ => quoted(&state.name),
                }
            });
            let mut observable = compiled.observable_from_text(&text)?;
            observable.label = name;
            (observable, first.and_then(|state| state.unit.clone()))
        }
    };
    if observable.shape != Shape::Scalar || observable.is_condition {
        let span = command
            .shown
            .as_ref()
            .map_or(command.span, |expr| expr.span);
        let what = if observable.is_condition {
            "a condition".to_owned()
        } else {
            observable.shape.to_string()
        };
        return Err(vec![
            Diagnostic::new(
                Code::ShapeMismatch,
                "a single number is drawn above the parameter",
            )
            .at(span, format!("this is {what}"))
            .help("choose an element by its index, as in `of x[1]`"),
        ]);
    }
    let pool = &observable.pool;
    let position = |symbol| {
        let mut blocks = compiled.system.states.blocks().iter();
        blocks
            .find(|block| block.symbol == symbol)
            .map(|block| block.offset)
    };
    let state = match *pool.node(observable.expr) {
        Node::Symbol(symbol) => position(symbol),
        Node::Element(base, element) => match *pool.node(base) {
            Node::Symbol(symbol) => position(symbol).map(|at| at + element as usize),
            _ => None,
        },
        _ => None,
    };
    Ok(Shown {
        observable,
        unit: unit.map(|unit| unit.to_string()),
        state,
    })
}

fn value_of(compiled: &Compiled, shown: &Shown, question: &Question, x: &[f64]) -> f64 {
    if let Some(state) = shown.state {
        return x.get(state).copied().unwrap_or(f64::NAN);
    }
    let Some((p, state)) = x.split_last() else {
        return f64::NAN;
    };
    // What follows the parameter moves with it.
    let mut overrides = question.overrides.clone();
    question.moving.set(&mut overrides, *p);
    let present = compiled.present(&overrides);
    let point = Point {
        time: compiled.model.time.start,
        state,
        parameters: &present.parameters,
        slots: &[],
    };
    let observable = &shown.observable;
    let numbers = values::evaluate_at(&observable.pool, &compiled.system, observable.expr, &point);
    numbers.first().copied().unwrap_or(f64::NAN)
}

/// `LP1`, `LP2`, `H1`
fn label(kind: &Kind, before: &[BranchPoint]) -> String {
    let kind = abbreviation(kind);
    let same = before.iter().filter(|point| point.abbreviation() == kind);
    format!("{kind}{}", same.count() + 1)
}

fn end(compiled: &Compiled, family: &RestFamily<'_>, end: End, x: &[f64]) -> EndOfBranch {
    match end {
        End::Range => EndOfBranch::Range,
        End::Closed => EndOfBranch::Closed,
        End::Bound { state, bound } => EndOfBranch::Bound { state, bound },
        End::Switch => {
            let guard = family.nearest_guard(x);
            let known = guard.and_then(|guard| compiled.system.guards.get(guard));
            EndOfBranch::Switch {
                text: known.map_or_else(
                    || "a condition".to_owned(),
                    |known| format!("`{}`", compiled.text_of(known.expr)),
                ),
                guard,
            }
        }
        End::NotFinite => EndOfBranch::NotFinite,
        End::StepTooSmall => EndOfBranch::StepTooSmall,
        End::TooManyPoints => EndOfBranch::TooManyPoints,
        End::Unbounded { state } => EndOfBranch::Unbounded { state },
        End::Interrupted => EndOfBranch::Interrupted,
    }
}

/// What kept branches from being followed to a natural end, one diagnostic for each.
pub(super) fn stops(answer: &DiagramAnswer, span: Span) -> Vec<Diagnostic> {
    if answer.interrupted {
        return vec![
            Diagnostic::new(
                Code::Interrupted,
                "stopped by the user before all branches were followed",
            )
            .at(span, "what was found so far is kept"),
        ];
    }
    let mut problems: Vec<Diagnostic> = Vec::new();
    for (number, branch) in answer.branches.iter().enumerate() {
        let at = [branch.points.first(), branch.points.last()];
        for (end, point) in branch.ends.iter().zip(at) {
            let place = place(answer, point.map_or(&[][..], Vec::as_slice));
            let (what, help) = match end {
                EndOfBranch::Switch { text, .. } => (
                    format!("ends where the equations switch: {text} is 0"),
                    "on the other side other equations hold: start there, as in `continue ... with x = 1`",
                ),
                EndOfBranch::NotFinite => (
                    "ends where the equations are no longer finite".to_owned(),
                    "look for a division by zero, or a root or logarithm outside its domain",
                ),
                EndOfBranch::StepTooSmall => (
                    "could not be followed further".to_owned(),
                    "the equations may have a corner there; `steady` shows what lies beyond",
                ),
                EndOfBranch::TooManyPoints => (
                    "was not followed to its end: it has the most points allowed".to_owned(),
                    "allow more, as in `points 100000`",
                ),
                _ => continue,
            };
            let message = format!("branch {} {what}, at {place}", number + 1);
            let problem = Diagnostic::new(Code::BranchStopped, message)
                .at(span, "")
                .help(help);
            problems.push(match end {
                EndOfBranch::Switch {
                    guard: Some(guard), ..
                } => places::with_readers(problem, &answer.compiled, *guard),
                _ => problem,
            });
        }
    }
    problems
}

/// `a = 0.3, x = 1`
fn place(answer: &DiagramAnswer, x: &[f64]) -> String {
    let short = |number: f64| {
        let digits = format!("{number:.4e}").parse().unwrap_or(number);
        number_text(digits)
    };
    let Some((p, states)) = x.split_last() else {
        return answer.parameter.clone();
    };
    let names = answer.names.iter().zip(states).take(3);
    let mut parts = vec![format!("{} = {}", answer.parameter, short(*p))];
    parts.extend(names.map(|(name, value)| format!("{name} = {}", short(*value))));
    parts.join(", ")
}
