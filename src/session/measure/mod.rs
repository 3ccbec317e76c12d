//! `measure`: numbers taken from the last run, in the model's own words.
//!
//! Enters: expressions of measures, such as `max(C1)/min(C1)`. Leaves: numbers with units and an
//! estimate of their error, or why the run does not have them. Measures belong to the run, not to
//! the rows that were asked for: a run with output times is made once more with its steps as rows.

mod evaluate;
mod understand;

use super::command::Command;
use super::compiled::Compiled;
use super::lower::subjects_without_vs;
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
    let subjects = subjects_without_vs(
        sentence,
        &mut options,
        "measures have nothing to stand against",
        "write them after each other, as in `measure max(x), max(y)`",
    );
    options.problems(subjects.iter().flat_map(words_at_fault));
    if subjects.is_empty() {
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

type Found = Vec<Result<Measured, Diagnostic>>;

/// Every measure of a run, with as many rows as they need.
fn all(run: &Trajectory, terms: &[Term], world: &dyn World) -> Found {
    // A path is measured by its rows: made again with others it would be another path.
    if run.is_random() {
        return of(run, terms);
    }
    let has_steps = |plan: &Plan| matches!(plan.output, Output::Steps { .. });
    let found = run
        .plan
        .as_deref()
        .is_none_or(has_steps)
        .then(|| of(run, terms));
    let rows = run.times().len();
    let width = run.solution.dimension;
    let mut again = |interior: usize| {
        let finer = finer(run, interior, world)?;
        Some((of(&finer, terms), finer.times().len()))
    };
    refined(found, rows, width, &mut again).unwrap_or_else(|| of(run, terms))
}

fn of(run: &Trajectory, terms: &[Term]) -> Found {
    terms.iter().map(|term| evaluated(run, term)).collect()
}

/// Takes measures from runs with ever more rows until they settle. `again` makes the run with so
/// many points inside each step, and tells its measures and how many rows it has.
fn refined(
    mut found: Option<Found>,
    mut rows: usize,
    width: usize,
    again: &mut dyn FnMut(usize) -> Option<(Found, usize)>,
) -> Option<Found> {
    for interior in POINTS_INSIDE_A_STEP {
        let settled = |found: &Found| {
            let mut sound = found.iter().flatten();
            sound.all(|one| one.error <= SETTLED * one.value.abs())
        };
        let width = width.max(1) * interior;
        if found.as_ref().is_some_and(settled) || rows.saturating_mul(width) > MOST_NUMBERS {
            break;
        }
        let Some((finer, its_rows)) = again(interior) else {
            break;
        };
        rows = its_rows / interior;
        found = Some(finer);
    }
    found
}

/// A measure that is understood, for many runs of the same model.
pub(super) struct Gauge(Term);

impl Gauge {
    /// Understands an expression of measures.
    ///
    /// # Errors
    /// Unknown names, and what cannot be measured.
    pub fn new(compiled: &Compiled, expr: &tree::Expr) -> Result<Gauge, Vec<Diagnostic>> {
        understood(compiled, expr).map(Gauge)
    }
}

/// Makes the run of a plan and takes its measures, the same numbers as [`Session::measure`] takes
/// after it. None are taken from a run that does not reach its end.
pub(super) fn run_and_measure(
    compiled: &Arc<Compiled>,
    plan: &Plan,
    gauges: &[&Gauge],
    world: &dyn World,
) -> (Trajectory, run::EndOfRun, Found) {
    let with_points = |interior: usize| Plan {
        output: Output::Steps { interior },
        ..plan.clone()
    };
    let of = |run: &Trajectory| -> Found {
        let terms = gauges.iter().map(|gauge| evaluated(run, &gauge.0));
        terms.collect()
    };
    let first = with_points(POINTS_INSIDE_A_STEP[0]);
    let (mut last, mut end) = run::run(compiled, &first, world, &mut ());
    if !last.is_complete() {
        return (last, end, Vec::new());
    }
    let (found, rows) = (of(&last), last.times().len() / POINTS_INSIDE_A_STEP[0]);
    let width = last.solution.dimension;
    let mut again = |interior: usize| {
        if interior > POINTS_INSIDE_A_STEP[0] {
            let (finer, its_end) = run::run(compiled, &with_points(interior), world, &mut ());
            if !finer.is_complete() {
                return None;
            }
            (last, end) = (finer, its_end);
        }
        Some((of(&last), last.times().len()))
    };
    let found = refined(Some(found), rows, width, &mut again).unwrap_or_default();
    (last, end, found)
}

/// True for an expression that holds a measure, and not only functions of the language: `max` of
/// two numbers is none.
pub(super) fn holds_measure(expr: &tree::Expr) -> bool {
    understand::holds_measure(expr)
}

/// The problem of a call of something that is neither a measure nor a function.
pub(super) fn no_measure(expr: &tree::Expr) -> Vec<Diagnostic> {
    words_at_fault(expr)
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
pub(super) fn unit(compiled: &Compiled, expr: &tree::Expr) -> Option<String> {
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
