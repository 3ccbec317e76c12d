//! `simulate`: from the sentence to a plan, from the plan to a trajectory.

use super::command::{OutputTimes, Setting, Simulate};
use super::compiled::Compiled;
use super::failure;
use super::outcome::{Outcome, Performed};
use super::trajectory::Trajectory;
use super::values::{self, Overrides};
use super::{Asked, Observer, Session};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::kernel::{Parameters, Scratch, SharedKernel};
use crate::model;
use crate::simulate::{
    self, CompiledDynamics, Halt, Monitor, Options, Output, SensitivityDynamics, Solution,
    Statistics, Stop, Tolerances, VariedStart,
};
use crate::symbolic::Pool;
use crate::syntax::tree;
use crate::world::World;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The default relative tolerance.
const RELATIVE_TOLERANCE: f64 = 1e-6;
/// Points kept inside each step of the solver when no times are asked for.
const POINTS_INSIDE_A_STEP: usize = 4;
/// More numbers of output than this (0.8 GB) is a slip of the keyboard.
const MOST_NUMBERS: f64 = 1e8;

/// Everything that a run needs.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub parameters: Vec<f64>,
    pub initial: Vec<f64>,
    pub start: f64,
    /// The first time shown.
    pub shown_from: f64,
    pub end: f64,
    pub output: Output,
    pub options: Options,
    /// What the run is differentiated by.
    pub varied: Option<VariedStart>,
    pub warnings: Vec<Diagnostic>,
}

/// Works out what a sentence asks for. `last` is where `from last` starts.
pub(super) fn plan(
    compiled: &Compiled,
    overrides: &Overrides,
    last: Option<&Trajectory>,
    command: &Simulate,
) -> Result<Plan, Vec<Diagnostic>> {
    if compiled.model.states.is_empty() {
        return Err(vec![
            Diagnostic::new(Code::EmptyModel, "the model has no states to simulate")
                .at(command.span, "")
                .help("declare one, as in `state x = 1` with `x' = -x`"),
        ]);
    }
    let mut problems = Vec::new();
    let overrides = with_setting(compiled, overrides, &command.setting).unwrap_or_else(|found| {
        problems.extend(found);
        overrides.clone()
    });
    let present = compiled.present(&overrides);
    // Every part is looked at before one at fault ends the work.
    let number = |expr: &tree::Expr| compiled.number(expr, &present);
    let range = sound(range(compiled, last, command, &number), &mut problems);
    let relative = sound(relative_tolerance(command, &number), &mut problems);
    let absolute = sound(absolute_tolerance(command, &number), &mut problems);
    let output = range.and_then(|range| {
        let rows = output(compiled, &command.output, range, &number);
        sound(rows, &mut problems)
    });
    problems.extend(
        values::check_finite(compiled, &present)
            .err()
            .into_iter()
            .flatten(),
    );
    let mut warnings = Vec::new();
    let from = range.and_then(|(shown_from, _)| {
        let from = if command.from_last {
            from_last(compiled, command, last, &present, &mut warnings)
        } else {
            start_of(compiled, command, shown_from, &mut warnings)
                .map(|start| (start, present.initial.clone()))
        };
        sound(from, &mut problems)
    });
    let (Some((start, initial)), Some(relative), Some(absolute), Some(output), true) =
        (from, relative, absolute, output, problems.is_empty())
    else {
        return Err(problems);
    };
    // Tolerances follow the size of the declared initial values, also in a continued run.
    let tolerances = Tolerances {
        relative,
        absolute: compiled.absolute_tolerances(&initial, absolute),
    };
    let mut options = Options::new(tolerances);
    options.method = command.method;
    options.shown_from = range.map(|(shown_from, _)| shown_from);
    Ok(Plan {
        output,
        parameters: present.parameters,
        initial,
        start,
        shown_from: range.map_or(start, |(shown_from, _)| shown_from.max(start)),
        end: range.map_or(start, |(_, end)| end),
        options,
        varied: None,
        warnings,
    })
}

/// A part of a sentence, unless it is at fault, which is noted.
fn sound<T>(part: Result<T, Vec<Diagnostic>>, problems: &mut Vec<Diagnostic>) -> Option<T> {
    part.map_err(|found| problems.extend(found)).ok()
}

/// A number of a sentence.
type Number<'a> = dyn Fn(&tree::Expr) -> Result<f64, Vec<Diagnostic>> + 'a;

/// The first time shown and the last one.
fn range(
    compiled: &Compiled,
    last: Option<&Trajectory>,
    command: &Simulate,
    number: &Number<'_>,
) -> Result<(f64, f64), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let from = match &command.from {
        Some(expr) => sound(number(expr), &mut problems),
        // A range without a start begins where the run begins.
        None => Some(
            last.filter(|_| command.from_last)
                .and_then(|last| last.solution.last())
                .map_or(compiled.model.time.start, |(time, _)| time),
        ),
    };
    let to = sound(number(&command.to), &mut problems);
    let (Some(from), Some(to)) = (from, to) else {
        return Err(problems);
    };
    if from < to {
        return Ok((from, to));
    }
    let span = command
        .from
        .as_ref()
        .map_or(command.to.span, |expr| expr.span.to(command.to.span));
    Err(vec![
        Diagnostic::new(Code::BadOption, "the range of time is empty")
            .at(
                span,
                format!("from {} to {}", number_text(from), number_text(to)),
            )
            .help("the end comes after the start"),
    ])
}

/// The overrides with a condition's values, then those of `with`.
pub(super) fn with_setting(
    compiled: &Compiled,
    overrides: &Overrides,
    setting: &Setting,
) -> Result<Overrides, Vec<Diagnostic>> {
    let mut settings = Vec::new();
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    if let Some(name) = &setting.condition {
        match compiled.model.condition(&name.text) {
            Some(condition) => settings.extend(condition.settings.iter().cloned()),
            None => problems.push(unknown_condition(compiled, name)),
        }
    }
    for binding in &setting.with {
        settings.extend(model::setting(
            &compiled.model.names,
            &mut pool,
            &mut problems,
            &binding.name,
            &binding.value,
        ));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if settings.is_empty() {
        return Ok(overrides.clone());
    }
    let result = values::apply(
        &compiled.model,
        &compiled.system,
        &mut pool,
        overrides,
        &settings,
    );
    values::check_bounds(compiled, &result, &settings)?;
    Ok(result)
}

fn unknown_condition(compiled: &Compiled, name: &tree::Name) -> Diagnostic {
    let known: Vec<&str> = compiled
        .model
        .conditions
        .iter()
        .map(|condition| condition.name.as_str())
        .collect();
    let help =
        crate::diagnostic::did_you_mean(&name.text, known.iter().copied()).unwrap_or_else(|| {
            if known.is_empty() {
                format!("declare it, as in `condition {} {{ k = 0 }}`", name.text)
            } else {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                format!("the model declares {}", listed(&known))
            }
        });
    Diagnostic::new(
        Code::UnknownName,
        format!("there is no condition `{}`", name.text),
    )
    .at(name.span, "not known")
    .help(help)
}

/// The time and state where a continued run starts; initial values after `with` replace those of
/// the last run.
fn from_last(
    compiled: &Compiled,
    command: &Simulate,
    last: Option<&Trajectory>,
    present: &values::Present,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(f64, Vec<f64>), Vec<Diagnostic>> {
    let Some((time, state)) = last.and_then(|last| last.solution.last()) else {
        return Err(vec![
            Diagnostic::new(Code::NothingYet, "there is no run to go on from")
                .at(command.span, "")
                .help("simulate once without `from last` first"),
        ]);
    };
    let mut state = state.to_vec();
    for binding in &command.setting.with {
        if let Some(model::Entity::State(id)) = compiled.model.names.get(&binding.name.name.text) {
            let range = compiled.system.states.blocks()[id.index()].range();
            state[range.clone()].copy_from_slice(&present.initial[range]);
        }
    }
    let Some(from) = &command.from else {
        return Ok((time, state));
    };
    // The range's own start counts: `simulate 0..50 from last` takes the state, not the clock.
    let start = compiled.number(from, present)?;
    let elsewhere = (start - time).abs() > 1e-9 * time.abs().max(start.abs());
    if elsewhere && compiled.system.depends_on_time() {
        warnings.push(
            Diagnostic::new(
                Code::StartsEarlier,
                format!(
                    "the last run ended at t = {}: its end is taken as the state at t = {}",
                    number_text(time),
                    number_text(start)
                ),
            )
            .at(from.span, "")
            .help(format!(
                "`simulate {}..` goes on where it ended",
                number_text(time)
            )),
        );
    }
    Ok((start, state))
}

fn start_of(
    compiled: &Compiled,
    command: &Simulate,
    shown_from: f64,
    warnings: &mut Vec<Diagnostic>,
) -> Result<f64, Vec<Diagnostic>> {
    let start = compiled.model.time.start;
    let span = command.from.as_ref().map_or(command.span, |expr| expr.span);
    if shown_from < start {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                format!(
                    "the range begins before the model, which starts at {}",
                    number_text(start)
                ),
            )
            .at(span, format!("this is {}", number_text(shown_from)))
            .help(format!(
                "declare `time from {}` to start it there",
                number_text(shown_from)
            )),
        ]);
    }
    if shown_from > start {
        warnings.push(
            Diagnostic::new(
                Code::StartsEarlier,
                format!(
                    "the model starts at {}: integrated from there, shown from {}",
                    number_text(start),
                    number_text(shown_from)
                ),
            )
            .at(span, "")
            .help(format!(
                "declare `time from {}` if the initial values hold there",
                number_text(shown_from)
            )),
        );
    }
    Ok(start)
}

fn relative_tolerance(command: &Simulate, number: &Number<'_>) -> Result<f64, Vec<Diagnostic>> {
    let Some(expr) = &command.relative else {
        return Ok(RELATIVE_TOLERANCE);
    };
    let value = number(expr)?;
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    Err(fault(
        expr,
        "a relative tolerance lies between 0 and 1",
        value,
        "as in `rtol 1e-8`",
    ))
}

fn absolute_tolerance(
    command: &Simulate,
    number: &Number<'_>,
) -> Result<Option<f64>, Vec<Diagnostic>> {
    let Some(expr) = &command.absolute else {
        return Ok(None);
    };
    let value = number(expr)?;
    if value > 0.0 {
        return Ok(Some(value));
    }
    Err(fault(
        expr,
        "an absolute tolerance is positive",
        value,
        "as in `atol 1e-10`, in the units of the states",
    ))
}

fn fault(expr: &tree::Expr, message: &str, value: f64, help: &str) -> Vec<Diagnostic> {
    vec![
        Diagnostic::new(Code::BadOption, message)
            .at(expr.span, format!("this is {}", number_text(value)))
            .help(help),
    ]
}

fn output(
    compiled: &Compiled,
    times: &OutputTimes,
    (from, to): (f64, f64),
    number: &Number<'_>,
) -> Result<Output, Vec<Diagnostic>> {
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let most = MOST_NUMBERS / compiled.system.states.len().max(1) as f64;
    let too_many = |expr: &tree::Expr, value: f64| {
        fault(
            expr,
            "this makes more output than a memory holds",
            value,
            "keep fewer times: a longer `step`, fewer `points`",
        )
    };
    match times {
        OutputTimes::Steps => Ok(Output::Steps {
            interior: POINTS_INSIDE_A_STEP,
        }),
        OutputTimes::Spacing(expr) => {
            let step = number(expr)?;
            if step <= 0.0 {
                let help = "as in `step 0.1`";
                return Err(fault(expr, "`step` must be positive", step, help));
            }
            if (to - from) / step > most {
                return Err(too_many(expr, step));
            }
            Ok(Output::Times(spaced(from, to, step)))
        }
        OutputTimes::Points(expr) => {
            let points = number(expr)?;
            if points < 2.0 || points.fract() != 0.0 {
                let message = "`points` is followed by a whole number of at least 2";
                return Err(fault(expr, message, points, "as in `points 501`"));
            }
            if points > most {
                return Err(too_many(expr, points));
            }
            Ok(Output::Times(evenly(from, to, points)))
        }
        OutputTimes::At(list) => at_times(list, (from, to), number),
    }
}

fn at_times(
    list: &[tree::Expr],
    (from, to): (f64, f64),
    number: &Number<'_>,
) -> Result<Output, Vec<Diagnostic>> {
    let mut found = Vec::with_capacity(list.len());
    let mut problems = Vec::new();
    for expr in list {
        let Some(time) = sound(number(expr), &mut problems) else {
            continue;
        };
        if !(from..=to).contains(&time) {
            let help = format!("the range is {}..{}", number_text(from), number_text(to));
            problems.extend(fault(expr, "this time lies outside the range", time, &help));
        }
        found.push(time);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    found.sort_by(f64::total_cmp);
    found.dedup();
    Ok(Output::Times(found))
}

/// `from`, `from + step`, ... and the end of the range.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the caller"
)]
fn spaced(from: f64, to: f64, step: f64) -> Vec<f64> {
    // A range that holds a whole number of steps up to rounding holds its last point.
    let count = ((to - from) / step * (1.0 + 4.0 * f64::EPSILON)).floor() as usize;
    let mut times: Vec<f64> = (0..=count)
        .map(|k| (from + k as f64 * step).min(to))
        .collect();
    if let Some(last) = times.last_mut() {
        if to - *last < 1e-9 * step {
            *last = to;
        } else {
            times.push(to);
        }
    }
    times
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the caller"
)]
fn evenly(from: f64, to: f64, points: f64) -> Vec<f64> {
    let last = points as usize - 1;
    (0..=last)
        .map(|k| {
            if k == last {
                to
            } else {
                from + (to - from) * (k as f64 / last as f64)
            }
        })
        .collect()
}

/// Runs a plan once.
pub(super) fn run(
    compiled: &Arc<Compiled>,
    plan: &Plan,
    world: &dyn World,
    observer: &mut dyn Observer,
) -> (Trajectory, EndOfRun) {
    let dynamics =
        CompiledDynamics::new(&compiled.system, &compiled.kernels, plan.parameters.clone());
    let mut watch = Watch {
        world,
        observer,
        range: (plan.start, plan.end),
        assertions: (!compiled.system.assertions.is_empty())
            .then(|| Arc::clone(compiled.kernels.assertions())),
        parameters: Parameters::new(plan.parameters.clone()),
        values: vec![1.0; compiled.system.assertions.len()],
        scratch: Scratch::new(),
        end: EndOfRun {
            failed: None,
            state: plan.initial.clone(),
        },
    };
    if let Some(varied) = &plan.varied {
        let (system, kernels) = (&compiled.system, &compiled.kernels);
        let both = SensitivityDynamics::new(system, kernels, &dynamics, varied);
        let (output, options, end) = (&plan.output, &plan.options, plan.end);
        let solution = simulate::integrate_with_sensitivities(
            &both, plan.start, varied, end, output, options, &mut watch,
        );
        return (trajectory(compiled, plan, solution), watch.end);
    }
    let (output, options) = (&plan.output, &plan.options);
    let (start, initial, end) = (plan.start, &plan.initial, plan.end);
    let solution = simulate::integrate(&dynamics, start, initial, end, output, options, &mut watch);
    let end = watch.end;
    (trajectory(compiled, plan, solution), end)
}

fn trajectory(compiled: &Arc<Compiled>, plan: &Plan, solution: Solution) -> Trajectory {
    Trajectory {
        compiled: Arc::clone(compiled),
        parameters: plan.parameters.clone(),
        varied: plan.varied.clone(),
        solution,
    }
}

/// What was seen of a run besides its rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EndOfRun {
    /// The assertion that ended it.
    pub failed: Option<FailedAssertion>,
    /// The state after the last step, which may be no row.
    pub state: Vec<f64>,
}

/// An assertion that ceased to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FailedAssertion {
    pub assertion: usize,
    pub time: f64,
    pub state: Vec<f64>,
}

/// Interrupts, assertions and progress of one run.
struct Watch<'a> {
    world: &'a dyn World,
    observer: &'a mut dyn Observer,
    range: (f64, f64),
    assertions: Option<SharedKernel>,
    parameters: Parameters,
    values: Vec<f64>,
    scratch: Scratch,
    end: EndOfRun,
}

impl Monitor for Watch<'_> {
    fn step(&mut self, time: f64, state: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if self.world.interrupted() {
            return ControlFlow::Break(Halt::Interrupt);
        }
        self.end.state.copy_from_slice(state);
        let (start, end) = self.range;
        self.observer.progress((time - start) / (end - start));
        self.check(time, state)
    }

    fn row(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        self.check(time, state)
    }
}

impl Watch<'_> {
    fn check(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        let Some(assertions) = &self.assertions else {
            return ControlFlow::Continue(());
        };
        assertions.call(
            time,
            state,
            &self.parameters,
            &[],
            &mut self.values,
            &mut self.scratch,
        );
        // A condition that is NaN does not hold either.
        match self.values.iter().position(|value| *value != 1.0) {
            None => ControlFlow::Continue(()),
            Some(assertion) => {
                self.end.failed.get_or_insert(FailedAssertion {
                    assertion,
                    time,
                    state: state.to_vec(),
                });
                ControlFlow::Break(Halt::Enough)
            }
        }
    }
}

impl Session {
    pub(super) fn simulate(
        &mut self,
        command: &Simulate,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let plan = plan(&compiled, &self.overrides, self.last.as_deref(), command)?;
        let world = Arc::clone(&self.world);
        let (trajectory, end) = run(&compiled, &plan, &*world, observer);
        let mut diagnostics = plan.warnings;
        diagnostics.extend(failure::explain(&trajectory, &end, command.span));
        let trajectory = Arc::new(trajectory);
        if trajectory.solution.times.is_empty()
            || matches!(trajectory.solution.stop, Stop::Invalid(_))
        {
            return Err(diagnostics);
        }
        self.asked = Some(Arc::new(Asked {
            command: command.clone(),
            overrides: self.overrides.clone(),
            before: self.last.take().filter(|_| command.from_last),
        }));
        self.last = Some(Arc::clone(&trajectory));
        Ok(Performed {
            outcome: Outcome::Simulated(trajectory),
            diagnostics,
        })
    }
}
