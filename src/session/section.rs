//! Rows at the moments of a section: `simulate 0..500 when x == 1 rising`.
//!
//! Enters: what the sentence says. Leaves: the model with an event that does nothing, whose moments
//! are the rows. So a section follows the rules of events, and is found as exactly. Must not know how
//! crossings are found.

use super::command::{OutputTimes, Simulate, When};
use super::compiled::Compiled;
use super::failure::short;
use super::options::Options;
use super::simulate::Plan;
use super::trajectory::Trajectory;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Direction;
use crate::simulate::{Output, Solution};
use crate::syntax::{self, tree};
use crate::system::System;
use std::sync::Arc;

/// Takes `when x == 1`, and the direction behind it.
///
/// # Errors
/// A condition that is missing, two directions, a direction of nothing; they have been reported.
pub(super) fn when(
    options: &mut Options<'_>,
    option: Option<&tree::SentenceOption>,
) -> Result<Option<When>, ()> {
    let (rising, falling) = (options.take("rising"), options.take("falling"));
    let direction = match (rising, falling) {
        (None, None) => Direction::True,
        (Some(_), None) => Direction::Rising,
        (None, Some(_)) => Direction::Falling,
        (Some(rising), Some(falling)) => {
            options.problem(
                Diagnostic::new(Code::BadOption, "`rising` and `falling` do not go together")
                    .at(rising.span, "")
                    .at(falling.span, "")
                    .help("choose one of them; an equality `a == b` without either counts both crossings"),
            );
            return Err(());
        }
    };
    let Some(option) = option else {
        let Some(lonely) = rising.or(falling) else {
            return Ok(None);
        };
        let word = &lonely.word.text;
        options.problem(
            Diagnostic::new(Code::BadOption, format!("`{word}` belongs to `when`"))
                .at(lonely.span, "of what?")
                .help(format!("as in `when x == 1 {word}`")),
        );
        return Err(());
    };
    let condition = options.single(option).ok_or(())?;
    let last = rising.or(falling).map_or(option.span, |last| last.span);
    Ok(Some(When {
        span: option.span.to(last),
        condition,
        direction,
    }))
}

/// The model that a sentence with `when` runs; `None` for other sentences.
///
/// # Errors
/// What is no condition, and one that never changes.
pub(super) fn watching(
    compiled: &Compiled,
    command: &Simulate,
) -> Result<Option<Arc<Compiled>>, Vec<Diagnostic>> {
    let OutputTimes::When(when) = &command.output else {
        return Ok(None);
    };
    let model = &compiled.model;
    let watching = model.watching(when.span, &when.condition, when.direction)?;
    Ok(Some(Compiled::new(watching)))
}

/// The model with the event of a section, where its moments are the rows: measures, which look between
/// rows, need no event.
pub(super) fn watched(plan: &Plan) -> Option<&Compiled> {
    let watching = plan.watching.as_deref();
    watching.filter(|_| matches!(plan.output, Output::Event(_)))
}

/// Takes the modes of the section's event out of a run: what is left is one of the model without it. They
/// stand behind the other modes.
pub(super) fn unwatch(solution: &mut Solution, watching: &System, plain: &System) {
    let (all, kept) = (watching.slots.modes.len(), plain.slots.modes.len());
    let (width, extra) = (solution.slot_width, all.saturating_sub(kept));
    if width == 0 || extra == 0 {
        return;
    }
    let rows = solution.slots.chunks_exact(width);
    let slots = rows.flat_map(|row| {
        let (modes, rest) = row.split_at(all.min(row.len()));
        modes.iter().take(kept).chain(rest).copied()
    });
    solution.slots = slots.collect();
    solution.slot_width = width - extra;
}

/// A section has no end to go on from: its last row is the last crossing.
///
/// # Errors
/// The run is one.
pub(super) fn not_from(run: &Trajectory) -> Result<(), Vec<Diagnostic>> {
    if !is_section(run) {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(
            Code::BadOption,
            "the last run kept only the moments of a section, not its end",
        )
        .help("run it without `when` first, and then go on `from last`"),
    ])
}

/// True for a run whose rows are the moments of an event.
pub(super) fn is_section(run: &Trajectory) -> bool {
    let plan = run.plan.as_ref();
    plan.is_some_and(|plan| matches!(plan.output, Output::Event(_)))
}

/// Paths of chance have no moments between their rows.
pub(super) fn not_of_chance(plan: &Plan, command: &Simulate) -> Option<Diagnostic> {
    let OutputTimes::When(when) = &command.output else {
        return None;
    };
    plan.options.chance?;
    Some(
        Diagnostic::new(
            Code::BadOption,
            "`when` chooses the rows of runs without chance",
        )
        .at(when.span, "a path with noise crosses it again and again")
        .help("`step` and `at` choose the rows of a path"),
    )
}

/// A section that the run never crosses.
pub(super) fn missed(run: &Trajectory, command: &Simulate) -> Option<Diagnostic> {
    let OutputTimes::When(when) = &command.output else {
        return None;
    };
    let plan = run.plan.as_ref()?;
    let is_empty = run.times().is_empty() && run.is_complete();
    if !is_empty || !matches!(plan.output, Output::Event(_)) {
        return None;
    }
    let written = syntax::show_expression(&when.condition);
    let from = plan.options.shown_from.unwrap_or(plan.start);
    let whom = run.subject.as_ref();
    let whom = whom.map_or_else(String::new, |subject| format!(" in subject {subject}"));
    let message = match when.direction {
        Direction::Falling if !is_equality(&when.condition) => {
            format!("`{written}` never ceases to hold{whom}")
        }
        _ => format!("`{written}` never comes true{whom}"),
    };
    Some(
        Diagnostic::new(Code::NeverCrossed, message)
            .at(
                when.span,
                format!("from {} to {}", short(from), short(plan.end)),
            )
            .help("`simulate` without `when`, then `plot`, shows where the run goes; what holds from the start must first become false"),
    )
}

fn is_equality(condition: &tree::Expr) -> bool {
    matches!(
        &condition.kind,
        tree::ExprKind::Binary {
            operator: tree::BinaryOperator::Equal,
            ..
        }
    )
}
