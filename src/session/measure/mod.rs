//! `measure`: numbers taken from the last run, in the model's own words.
//!
//! Enters: expressions of measures, such as `max(C1)/min(C1)`. Leaves: numbers with units and an
//! estimate of their error, or why the run does not have them. Measures belong to the run, not to
//! the rows that were asked for: a run with output times is made once more with its steps as rows.

mod evaluate;
mod understand;

use super::command::Command;
use super::compiled::Compiled;
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::run;
use super::simulate::Plan;
use super::trajectory::Trajectory;
use super::{Observer, Session};
use crate::analyze::Measured;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Entity;
use crate::simulate::Output;
use crate::source::Span;
use crate::syntax::{self, tree, tree::ExprKind};
use crate::world::{SystemWorld, World};
use evaluate::evaluated;
use std::sync::Arc;
use understand::{TIME_OF, Term, understood, words_at_fault};

/// Points kept inside each step when a run is made again: more while the numbers still move by more
/// than [`SETTLED`] of their size. Methods that are exact take few and long steps.
const POINTS_INSIDE_A_STEP: [usize; 3] = [4, 20, 100];
/// Far below what tolerances leave.
const SETTLED: f64 = 1e-8;
/// Numbers of a run that is made again (80 MB): no more points are added beyond.
const MOST_NUMBERS: usize = 10_000_000;

/// `measure max(C1), auc(C1, 0..24)`
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// The whole sentence.
    pub span: Span,
    /// What is measured.
    pub subjects: Vec<tree::Expr>,
}

/// What a run gave for each measure of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredRun {
    /// Whose run it was, when there was one for each subject.
    pub subject: Option<String>,
    /// `t`, or `n` for a map.
    pub variable: &'static str,
    /// First and last time of the run.
    pub range: (f64, f64),
    /// One per measure; a measure that the run does not have is `None`, and a diagnostic says why.
    pub rows: Vec<MeasuredRow>,
}

/// One measure.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredRow {
    /// As written.
    pub label: String,
    /// The number.
    pub measured: Option<Measured>,
    /// Its unit, where that is declared.
    pub unit: Option<String>,
}

pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    for subject in &sentence.subjects {
        if let Some(versus) = &subject.versus {
            options.problem(
                Diagnostic::new(Code::BadOption, "measures have nothing to stand against")
                    .at(versus.span, "")
                    .help("write them after each other, as in `measure max(x), max(y)`"),
            );
        }
        options.problems(words_at_fault(&subject.value));
    }
    if sentence.subjects.is_empty() {
        options.problem(
            Diagnostic::new(
                Code::MissingArgument,
                "`measure` needs something to measure",
            )
            .at(sentence.verb.span, "what?")
            .help("as in `measure max(x), time_of_max(x)`"),
        );
        return options.abandon();
    }
    let subjects = sentence.subjects.iter();
    let subjects = subjects.map(|subject| subject.value.clone()).collect();
    options.finish(|| Ok(Command::Measure(Measures { span, subjects })))
}

/// Tries the names of a sentence.
///
/// # Errors
/// Unknown names, and what cannot be measured.
pub(super) fn check(compiled: &Compiled, command: &Measures) -> Result<(), Vec<Diagnostic>> {
    let problems: Vec<Diagnostic> = command
        .subjects
        .iter()
        .flat_map(|subject| understood(compiled, subject).err().unwrap_or_default())
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

impl Trajectory {
    /// A number taken from the run: `"max(C1)"`, `"auc(C1, 0..24)"`, `"period(prey)"`,
    /// `"max(C1)/min(C1)"`. It is taken over the whole range of the run, between its rows too.
    ///
    /// ```
    /// let model = lotka::compile("state x = 8\nx' = -0.5*x")?;
    /// let run = model.simulate("0..10 step 2")?;
    /// let half_life = run.measure("half_life(x)")?;
    /// assert!((half_life.value - 2.0 * 2.0f64.ln()).abs() < 1e-4);
    /// # Ok::<(), lotka::Error>(())
    /// ```
    ///
    /// # Errors
    /// What is not understood, and why the run does not have such a number.
    pub fn measure(&self, expression: &str) -> Result<Measured, super::Error> {
        let nowhere = crate::source::SourceId(u32::MAX);
        let expr = syntax::parse_expression(nowhere, expression)?;
        let term = understood(&self.compiled, &expr)?;
        let mut found = all(self, &[term], &SystemWorld::default());
        match found.pop() {
            Some(found) => found.map_err(|problem| vec![problem].into()),
            None => Err(Vec::new().into()),
        }
    }
}

/// Every measure of a run, with as many rows as they need.
fn all(run: &Trajectory, terms: &[Term], world: &dyn World) -> Vec<Result<Measured, Diagnostic>> {
    let of = |run: &Trajectory| terms.iter().map(|term| evaluated(run, term)).collect();
    let has_steps = |plan: &Plan| matches!(plan.output, Output::Steps { .. });
    let mut found = None;
    if run.plan.as_deref().is_none_or(has_steps) {
        found = Some(of(run));
    }
    let mut rows = run.times().len();
    for interior in POINTS_INSIDE_A_STEP {
        let settled = |found: &Vec<Result<Measured, Diagnostic>>| {
            let mut sound = found.iter().flatten();
            sound.all(|one| one.error <= SETTLED * one.value.abs())
        };
        let width = run.solution.dimension.max(1) * interior;
        if found.as_ref().is_some_and(settled) || rows.saturating_mul(width) > MOST_NUMBERS {
            break;
        }
        let Some(finer) = finer(run, interior, world) else {
            break;
        };
        rows = finer.times().len() / interior;
        found = Some(of(&finer));
    }
    found.unwrap_or_else(|| of(run))
}

/// The run once more with its steps, and points inside them, as rows.
fn finer(run: &Trajectory, interior: usize, world: &dyn World) -> Option<Trajectory> {
    let plan = Plan {
        output: Output::Steps { interior },
        ..run.plan.as_deref()?.clone()
    };
    let (finer, _) = run::run(&run.compiled, &plan, world, &mut ());
    let reached = |run: &Trajectory| run.times().last().copied();
    // A run that did not come as far this time was interrupted.
    (reached(&finer) >= reached(run)).then_some(finer)
}

/// The unit of a measure of a plain quantity.
fn unit(compiled: &Compiled, expr: &tree::Expr) -> Option<String> {
    let ExprKind::Call {
        function,
        arguments,
    } = &expr.kind
    else {
        return None;
    };
    let time = compiled.model.time.unit.as_ref().map(ToString::to_string);
    if matches!(
        function.name.text.as_str(),
        TIME_OF | "time_of_max" | "time_of_min" | "period" | "half_life"
    ) {
        return time;
    }
    let ExprKind::Reference(reference) = &arguments.first()?.value.kind else {
        return None;
    };
    let model = &compiled.model;
    let own = match model.names.get(&reference.name.text)? {
        Entity::State(id) => model.states.get(id.index())?.unit.as_ref(),
        Entity::Definition(id) => model.definitions.get(id.index())?.unit.as_ref(),
        Entity::Parameter(id) => model.parameters.get(id.index())?.unit.as_ref(),
        _ => None,
    }?
    .to_string();
    if function.name.text != "auc" {
        return Some(own);
    }
    let time = time?;
    Some(match own.split_once('/') {
        // mg/L over h: mg*h/L
        Some((above, below)) => format!("{above}*{time}/{below}"),
        None => format!("{own}*{time}"),
    })
}

impl Session {
    pub(super) fn measure(
        &self,
        command: &Measures,
        _: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let runs: Vec<Arc<Trajectory>> = if self.by_subject.is_empty() {
            vec![Arc::clone(self.need_last()?)]
        } else {
            self.by_subject.clone()
        };
        let compiled = Arc::clone(&self.need_model()?.compiled);
        check(&compiled, command)?;
        let terms = command
            .subjects
            .iter()
            .map(|subject| understood(&compiled, subject))
            .collect::<Result<Vec<Term>, _>>()?;
        let mut diagnostics = Vec::new();
        let mut measured = Vec::with_capacity(runs.len());
        for run in &runs {
            let found = all(run, &terms, &*self.world);
            let rows = command.subjects.iter().zip(found);
            let rows = rows.map(|(subject, found)| MeasuredRow {
                label: syntax::show_expression(subject),
                measured: found.map_err(|problem| diagnostics.push(problem)).ok(),
                unit: unit(&compiled, subject),
            });
            measured.push(MeasuredRun {
                variable: compiled.model.names.variable(),
                subject: run.subject.clone(),
                rows: rows.collect(),
                range: (
                    run.times().first().copied().unwrap_or(f64::NAN),
                    run.times().last().copied().unwrap_or(f64::NAN),
                ),
            });
        }
        Ok(Performed {
            outcome: Outcome::Measured(measured),
            diagnostics,
        })
    }
}
