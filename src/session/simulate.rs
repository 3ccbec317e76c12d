//! `simulate`: from the sentence to a plan, from the plan to a trajectory.

use super::command::{OutputTimes, Setting, Simulate};
use super::compiled::Compiled;
use super::failure;
use super::outcome::{Outcome, Performed};
use super::trajectory::Trajectory;
use super::values::{self, Overrides};
use super::{Observer, Session};
use crate::diagnostic::{Code, Diagnostic};
use crate::kernel::{Parameters, Scratch, SharedKernel};
use crate::model;
use crate::simulate::{
    self, CompiledDynamics, Halt, Monitor, Options, Output, Statistics, Stop, Tolerances,
};
use crate::syntax::tree;
use crate::world::World;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The default relative tolerance.
const RELATIVE_TOLERANCE: f64 = 1e-6;
/// Points kept inside each step of the solver when no times are asked for.
const POINTS_INSIDE_A_STEP: usize = 4;
/// More output times than this is a slip of the keyboard.
const MOST_OUTPUT_TIMES: f64 = 1e8;

/// Everything that a run needs.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub parameters: Vec<f64>,
    pub initial: Vec<f64>,
    pub start: f64,
    pub end: f64,
    pub output: Output,
    pub options: Options,
    pub warnings: Vec<Diagnostic>,
}

/// Works out what a sentence asks for. `last` is where `from last` starts.
pub(super) fn plan(
    compiled: &Compiled,
    overrides: &Overrides,
    last: Option<&Trajectory>,
    command: &Simulate,
) -> Result<Plan, Vec<Diagnostic>> {
    let overrides = with_setting(compiled, overrides, &command.setting)?;
    let present = compiled.present(&overrides);
    check_finite(compiled, &present)?;
    let number = |expr: &tree::Expr| compiled.number(expr, &present);
    let end = number(&command.to)?;
    let shown_from = match &command.from {
        Some(expr) => number(expr)?,
        None => compiled.model.time.start,
    };
    if end.partial_cmp(&shown_from) != Some(std::cmp::Ordering::Greater) {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "the range of time is empty")
                .at(command.to.span, format!("from {shown_from} to {end}"))
                .help("the end comes after the start"),
        ]);
    }
    let mut warnings = Vec::new();
    let (start, initial) = if command.from_last {
        from_last(command, last, shown_from)?
    } else {
        (
            start_of(compiled, command, shown_from, &mut warnings)?,
            present.initial.clone(),
        )
    };
    let relative = tolerance(command.relative.as_ref(), &number)?.unwrap_or(RELATIVE_TOLERANCE);
    let absolute = tolerance(command.absolute.as_ref(), &number)?;
    // Tolerances follow the size of the declared initial values, also in a continued run.
    let tolerances = Tolerances {
        relative,
        absolute: compiled.absolute_tolerances(&initial, absolute),
    };
    let mut options = Options::new(tolerances);
    options.method = command.method;
    Ok(Plan {
        output: output(&command.output, shown_from, end, &number)?,
        parameters: present.parameters,
        initial,
        start,
        end,
        options,
        warnings,
    })
}

/// The overrides with a condition's values, then those of `with`.
pub(super) fn with_setting(
    compiled: &Compiled,
    overrides: &Overrides,
    setting: &Setting,
) -> Result<Overrides, Vec<Diagnostic>> {
    let mut settings = Vec::new();
    let mut pool = compiled.system.pool.clone();
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
                format!("there are {}", known.join(", "))
            }
        });
    Diagnostic::new(
        Code::UnknownName,
        format!("there is no condition `{}`", name.text),
    )
    .at(name.span, "not known")
    .help(help)
}

fn check_finite(compiled: &Compiled, present: &values::Present) -> Result<(), Vec<Diagnostic>> {
    let model = &compiled.model;
    let mut problems = Vec::new();
    let mut check = |numbers: &[f64], name: &str, span, what: &str| {
        if let Some(wrong) = numbers.iter().find(|number| !number.is_finite()) {
            problems.push(
                Diagnostic::new(Code::NotFinite, format!("{what} `{name}` is {wrong}"))
                    .at(span, "declared here")
                    .help("look for a division by zero, or a root or logarithm outside its domain"),
            );
        }
    };
    for (parameter, block) in model
        .parameters
        .iter()
        .zip(compiled.system.parameters.blocks())
    {
        let numbers = &present.parameters[block.range()];
        check(numbers, &parameter.name, parameter.span, "the value of");
    }
    for (state, block) in model.states.iter().zip(compiled.system.states.blocks()) {
        let numbers = &present.initial[block.range()];
        check(numbers, &state.name, state.span, "the initial value of");
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn from_last(
    command: &Simulate,
    last: Option<&Trajectory>,
    shown_from: f64,
) -> Result<(f64, Vec<f64>), Vec<Diagnostic>> {
    let Some((time, state)) = last.and_then(|last| last.solution.last()) else {
        return Err(vec![
            Diagnostic::new(Code::NothingYet, "there is no run to go on from")
                .at(command.span, "")
                .help("simulate once without `from last` first"),
        ]);
    };
    // The range's own start counts: `simulate 0..50 from last` takes the state, not the clock.
    let start = if command.from.is_some() {
        shown_from
    } else {
        time
    };
    Ok((start, state.to_vec()))
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
                format!("the range begins before the model, which starts at {start}"),
            )
            .at(span, format!("this is {shown_from}"))
            .help(format!(
                "declare `time from {shown_from}` to start it there"
            )),
        ]);
    }
    if shown_from > start {
        warnings.push(
            Diagnostic::new(
                Code::StartsEarlier,
                format!(
                    "the model starts at {start}: integrated from there, shown from {shown_from}"
                ),
            )
            .at(span, "")
            .help(format!(
                "declare `time from {shown_from}` if the initial values hold there"
            )),
        );
    }
    Ok(start)
}

fn tolerance(
    expr: Option<&tree::Expr>,
    number: &impl Fn(&tree::Expr) -> Result<f64, Vec<Diagnostic>>,
) -> Result<Option<f64>, Vec<Diagnostic>> {
    let Some(expr) = expr else { return Ok(None) };
    let value = number(expr)?;
    if value > 0.0 && value < 1.0 {
        return Ok(Some(value));
    }
    Err(vec![
        Diagnostic::new(Code::BadOption, "a tolerance lies between 0 and 1")
            .at(expr.span, format!("this is {value}"))
            .help("as in `rtol 1e-8 atol 1e-10`"),
    ])
}

fn output(
    times: &OutputTimes,
    from: f64,
    to: f64,
    number: &impl Fn(&tree::Expr) -> Result<f64, Vec<Diagnostic>>,
) -> Result<Output, Vec<Diagnostic>> {
    let fault = |expr: &tree::Expr, message: &str, value: f64, help: &str| {
        vec![
            Diagnostic::new(Code::BadOption, message)
                .at(expr.span, format!("this is {value}"))
                .help(help),
        ]
    };
    match times {
        OutputTimes::Steps => Ok(Output::Steps {
            interior: POINTS_INSIDE_A_STEP,
        }),
        OutputTimes::Spacing(expr) => {
            let step = number(expr)?;
            if step.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
                return Err(fault(
                    expr,
                    "`step` must be positive",
                    step,
                    "as in `step 0.1`",
                ));
            }
            if (to - from) / step > MOST_OUTPUT_TIMES {
                return Err(fault(
                    expr,
                    "this makes too many output times",
                    step,
                    "take a longer step",
                ));
            }
            Ok(Output::Times(spaced(from, to, step)))
        }
        OutputTimes::Points(expr) => {
            let points = number(expr)?;
            if !(2.0..=MOST_OUTPUT_TIMES).contains(&points) || points.fract() != 0.0 {
                let help = "a whole number of at least 2, as in `points 501`";
                return Err(fault(expr, "`points` counts output times", points, help));
            }
            Ok(Output::Times(evenly(from, to, points)))
        }
        OutputTimes::At(list) => {
            let mut found = Vec::with_capacity(list.len());
            for expr in list {
                let time = number(expr)?;
                if !(from..=to).contains(&time) {
                    return Err(fault(
                        expr,
                        "this time lies outside the range",
                        time,
                        "the range is the one after `simulate`",
                    ));
                }
                found.push(time);
            }
            found.sort_by(f64::total_cmp);
            found.dedup();
            Ok(Output::Times(found))
        }
    }
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
) -> (Trajectory, Option<FailedAssertion>) {
    let dynamics = CompiledDynamics::new(
        &compiled.kernels,
        &compiled.system.jacobian.pattern,
        plan.parameters.clone(),
    );
    let mut watch = Watch {
        world,
        observer,
        range: (plan.start, plan.end),
        assertions: (!compiled.system.assertions.is_empty())
            .then(|| Arc::clone(compiled.kernels.assertions())),
        parameters: Parameters::new(plan.parameters.clone()),
        values: vec![1.0; compiled.system.assertions.len()],
        scratch: Scratch::new(),
        failed: None,
    };
    let solution = simulate::integrate(
        &dynamics,
        plan.start,
        &plan.initial,
        plan.end,
        &plan.output,
        &plan.options,
        &mut watch,
    );
    let failed = watch.failed;
    let trajectory = Trajectory {
        compiled: Arc::clone(compiled),
        parameters: plan.parameters.clone(),
        solution,
    };
    (trajectory, failed)
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
    failed: Option<FailedAssertion>,
}

impl Monitor for Watch<'_> {
    fn step(&mut self, time: f64, state: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if self.world.interrupted() {
            return ControlFlow::Break(Halt::Interrupt);
        }
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
                self.failed.get_or_insert(FailedAssertion {
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
        if compiled.model.states.is_empty() {
            return Err(vec![
                Diagnostic::new(Code::EmptyModel, "the model has no states to simulate")
                    .at(command.span, "")
                    .help("declare one, as in `state x = 1` with `x' = -x`"),
            ]);
        }
        let plan = plan(&compiled, &self.overrides, self.last.as_deref(), command)?;
        let world = Arc::clone(&self.world);
        let (trajectory, failed) = run(&compiled, &plan, &*world, observer);
        let mut diagnostics = plan.warnings;
        diagnostics.extend(failure::explain(&trajectory, failed.as_ref(), command.span));
        let trajectory = Arc::new(trajectory);
        if trajectory.solution.times.is_empty()
            || matches!(trajectory.solution.stop, Stop::Invalid(_))
        {
            return Err(diagnostics);
        }
        self.last = Some(Arc::clone(&trajectory));
        Ok(Performed {
            outcome: Outcome::Simulated(trajectory),
            diagnostics,
        })
    }
}
