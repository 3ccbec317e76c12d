//! `simulate`: from the sentence to a plan, from the plan to a trajectory.

use super::command::{Setting, Simulate, Subjects};
use super::compiled::{Compiled, Observable};
use super::doses::{self, Sheet};
use super::outcome::{Outcome, Performed};
use super::rest::with_set;
use super::run::run;
use super::steady;
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::values::{self, Overrides};
use super::{
    Asked, Observer, Session, chance, covariates, failure, inputs, section, start, steps, subjects,
    times, tolerances,
};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::model::{self, ConditionId, Model, Motion};
use crate::simulate::{DoseRow, Options, Output, Stop, Tolerances, Track, VariedStart};
use crate::symbolic::Pool;
use crate::syntax::tree;
use std::sync::Arc;

/// Everything that a run needs.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub parameters: Vec<f64>,
    /// One per parameter block: true where a value was set that follows no other.
    pub held: Vec<bool>,
    /// The state at `start`.
    pub initial: Vec<f64>,
    /// The states' initial values, to which a row of a dose table may return.
    pub declared: Vec<f64>,
    pub start: f64,
    pub end: f64,
    /// True when it goes on where another run ended.
    pub resumed: bool,
    pub output: Output,
    pub options: Options,
    /// What the run is differentiated by.
    pub varied: Option<VariedStart>,
    /// Which events and doses of the model hold.
    pub active: Active,
    pub rows: Vec<DoseRow>,
    pub inputs: Vec<Track>,
    /// Whose doses these are.
    pub subject: Option<String>,
    /// How many paths are summed up; `None` for a single run.
    pub paths: Option<u64>,
    /// What they are summed up for; all states when empty.
    pub of: Vec<Observable>,
    /// The model with an event whose moments are the rows, for [`Output::Event`].
    pub watching: Option<Arc<Compiled>>,
    pub warnings: Vec<Diagnostic>,
}

/// Works out what a sentence asks for that makes one run. `last` is where `from last` starts.
///
/// # Errors
/// All problems of the sentence, of its values and of the tables.
pub(super) fn plan(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    last: Option<&Trajectory>,
    command: &Simulate,
) -> Result<Plan, Vec<Diagnostic>> {
    if let Subjects::Each(span) = command.subjects {
        return Err(vec![
            Diagnostic::new(Code::NoSubject, "a single run is needed here")
                .at(span, "one run for each")
                .help("choose one, as in `subject 1`"),
        ]);
    }
    let plans = plans(compiled, tables, overrides, &|_| last, command)?;
    plans.into_iter().next().ok_or_else(Vec::new)
}

/// Works out what a sentence asks for: one plan, or one for each subject. `last` is where a
/// subject's `from last` starts.
///
/// # Errors
/// All problems of the sentence, of its values and of the tables.
pub(super) fn plans<'l>(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    last: &dyn Fn(Option<&str>) -> Option<&'l Trajectory>,
    command: &Simulate,
) -> Result<Vec<Plan>, Vec<Diagnostic>> {
    let outside = outside(compiled, tables, command);
    let subjects = outside
        .as_ref()
        .map_or_else(|_| vec![None], |(_, subjects)| subjects.clone());
    let mut plans: Vec<Plan> = Vec::with_capacity(subjects.len());
    let mut problems = Vec::new();
    let active = Active::new(&compiled.model, command.setting.condition.as_ref());
    let mut values: Option<Overrides> = None;
    for subject in subjects {
        let given = (active.doses.as_slice(), tables);
        let own = covariates::of_subject(compiled, given, overrides, subject.as_deref());
        // What is wrong with the tables has been found.
        let own = own.or_else(|found| match outside {
            Ok(_) => Err(found),
            Err(_) => Ok(overrides.clone()),
        });
        // Without `from last` subjects with the same values differ in their doses only.
        let plan = match (plans.first(), own) {
            (_, Err(found)) => Err(found),
            (Some(first), Ok(own)) if !command.from_last && values.as_ref() == Some(&own) => {
                Ok(Plan {
                    warnings: Vec::new(),
                    ..first.clone()
                })
            }
            (first, Ok(own)) => {
                let last = last(subject.as_deref());
                let mut plan = undisturbed(compiled, tables, &own, last, command);
                match (first, &mut plan) {
                    (Some(first), Ok(plan)) => {
                        plan.warnings
                            .retain(|known| !first.warnings.contains(known));
                    }
                    _ => values = Some(own),
                }
                plan
            }
        };
        match plan {
            Ok(plan) => plans.push(Plan { subject, ..plan }),
            Err(found) => {
                problems = found;
                break;
            }
        }
    }
    let watching = sound(section::watching(compiled, command), &mut problems).flatten();
    for plan in &mut plans {
        plan.watching.clone_from(&watching);
        problems.extend(section::not_of_chance(plan, command));
    }
    match outside {
        Err(found) => problems.extend(found),
        Ok((outside, _)) => {
            for plan in &mut plans {
                plan.active = outside.active.clone();
                plan.inputs.clone_from(&outside.inputs);
                plan.rows = subjects::rows(&outside.sheets, plan.subject.as_deref());
            }
            if let Some(first) = plans.first_mut() {
                let run = (first.start, first.end);
                first.warnings.extend(outside.warnings);
                let beyond = inputs::beyond(&compiled.model.inputs, &first.inputs, run);
                first.warnings.extend(beyond);
                let unstable = chance::unstable(compiled, command, first);
                first.warnings.extend(unstable);
                let unseen = chance::crossings(compiled, first, command.span);
                first.warnings.extend(unseen);
            }
        }
    }
    if problems.is_empty() {
        Ok(plans)
    } else {
        Err(problems)
    }
}

/// What comes from outside the equations: interruptions that hold, and tables.
struct Outside {
    active: Active,
    sheets: Vec<Sheet>,
    inputs: Vec<Track>,
    warnings: Vec<Diagnostic>,
}

/// Reads the tables, and chooses the subjects.
fn outside(
    compiled: &Compiled,
    tables: &Tables<'_>,
    command: &Simulate,
) -> Result<(Outside, Vec<Option<String>>), Vec<Diagnostic>> {
    let model = &compiled.model;
    let active = Active::new(model, command.setting.condition.as_ref());
    let mut problems = Vec::new();
    let inputs = sound(
        inputs::tracks(&model.inputs, &model.names, tables),
        &mut problems,
    );
    let sheets = sound(doses::read(compiled, &active.doses, tables), &mut problems);
    let (Some((inputs, mut warnings)), Some((sheets, of_doses))) = (inputs, sheets) else {
        return Err(problems);
    };
    warnings.extend(of_doses);
    let subjects = subjects::chosen(&sheets, &command.subjects, command.span)
        .map_err(|problem| vec![problem])?;
    let outside = Outside {
        active,
        sheets,
        inputs,
        warnings,
    };
    Ok((outside, subjects))
}

/// Which interruptions of a model hold in a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Active {
    /// One per event.
    pub events: Vec<bool>,
    /// One per dose.
    pub doses: Vec<bool>,
}

impl Active {
    /// Those of the model itself and those of the condition, which may clear the model's doses.
    pub fn new(model: &Model, condition: Option<&tree::Name>) -> Active {
        let chosen = condition.and_then(|name| {
            let mut known = model.conditions.iter();
            known.position(|known| known.name == name.text)
        });
        let clears = chosen.is_some_and(|at| model.conditions[at].clears_doses);
        let holds = |within: Option<ConditionId>, clears: bool| match within {
            None => !clears,
            Some(id) => chosen == Some(id.index()),
        };
        Active {
            events: (model.events.iter())
                .map(|event| holds(event.within, false))
                .collect(),
            doses: (model.doses.iter())
                .map(|dose| holds(dose.within, clears))
                .collect(),
        }
    }
}

/// The plan without what comes from outside.
fn undisturbed(
    compiled: &Compiled,
    tables: &Tables<'_>,
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
    let is_map = compiled.model.motion == Motion::Map;
    let mut problems = Vec::new();
    if is_map {
        problems.extend(steps::no_integration(command).err().into_iter().flatten());
    }
    let declared = overrides;
    let overrides = with_setting(compiled, overrides, &command.setting).unwrap_or_else(|found| {
        problems.extend(found);
        overrides.clone()
    });
    let present = compiled.present(&overrides);
    // Every part is looked at before one at fault ends the work.
    let number = |expr: &tree::Expr| compiled.number(expr, &present);
    let range = sound(range(compiled, last, command, &number), &mut problems);
    let range = range.filter(|range| {
        sound(steps::whole_range(compiled, command, *range), &mut problems).is_some()
    });
    let relative = sound(tolerances::relative(command, &number), &mut problems);
    let absolute = sound(tolerances::stated_absolute(command, &number), &mut problems);
    let random = sound(
        chance::understand(compiled, command, &number),
        &mut problems,
    );
    let output = range.and_then(|range| {
        let rows = match is_map {
            true => steps::output(compiled, &command.output, range, &number),
            false => times::output(compiled, &command.output, range, &number),
        };
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
            start::from_last(compiled, command, last, &present, &mut warnings)
        } else {
            start::start_of(compiled, command, shown_from, &mut warnings).map(|start| start::From {
                start,
                initial: present.initial.clone(),
                resumed: false,
            })
        };
        let mut from = sound(from, &mut problems)?;
        if let Some(start) = &command.from_steady {
            let state = steady::start_of_run(compiled, tables, declared, start);
            let state = sound(state, &mut problems)?;
            from.initial = with_set(compiled, &command.setting, &present, state);
        }
        Some(from)
    });
    let (Some(from), Some(relative), Some(absolute), Some(output), Some(random), true) = (
        from,
        relative,
        absolute,
        output,
        random,
        problems.is_empty(),
    ) else {
        return Err(problems);
    };
    if let (Some(random), Some((_, end))) = (&random, range) {
        chance::fits(compiled, command, random, (&output, (from.start, end)))?;
    }
    // Tolerances follow the size of the declared initial values, also in a continued run.
    let tolerances = Tolerances {
        relative,
        absolute: tolerances::absolute(compiled, command.method, &from.initial, absolute),
    };
    let start = from.start;
    let shown_from = range.map_or(start, |(shown_from, _)| shown_from.max(start));
    let mut options = Options::new(tolerances);
    options.method = command.method;
    options.shown_from = (shown_from > start).then_some(shown_from);
    let (mut paths, mut of) = (None, Vec::new());
    if let Some(random) = random {
        options.method = random.method;
        options.chance = Some(chance::after(
            random.chance,
            last.filter(|_| command.from_last),
        ));
        (paths, of) = (random.paths, random.of);
    }
    Ok(Plan {
        output,
        parameters: present.parameters,
        held: overrides.held(compiled.model.parameters.len()),
        initial: from.initial,
        declared: present.initial,
        start,
        end: range.map_or(start, |(_, end)| end),
        resumed: from.resumed,
        options,
        varied: None,
        active: Active::default(),
        rows: Vec::new(),
        inputs: Vec::new(),
        subject: None,
        paths,
        of,
        watching: None,
        warnings,
    })
}

/// A part of a sentence, unless it is at fault, which is noted.
pub(super) fn sound<T>(
    part: Result<T, Vec<Diagnostic>>,
    problems: &mut Vec<Diagnostic>,
) -> Option<T> {
    part.map_err(|found| problems.extend(found)).ok()
}

/// A number of a sentence.
pub(super) type Number<'a> = dyn Fn(&tree::Expr) -> Result<f64, Vec<Diagnostic>> + 'a;

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
        Diagnostic::new(
            Code::BadOption,
            match compiled.model.motion {
                Motion::Flow => "the range of time is empty",
                Motion::Map => "the range of steps is empty",
            },
        )
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

/// A whole number from `least` to `most`, which is at most 2^53; `None` for any other.
pub(super) fn whole(value: f64, least: u64, most: u64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "compared afterwards"
    )]
    let count = value as u64;
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
    let is_whole = count as f64 == value;
    (is_whole && (least..=most).contains(&count)).then_some(count)
}

pub(super) fn fault(expr: &tree::Expr, message: &str, value: f64, help: &str) -> Vec<Diagnostic> {
    vec![
        Diagnostic::new(Code::BadOption, message)
            .at(expr.span, format!("this is {}", number_text(value)))
            .help(help),
    ]
}

impl Session {
    pub(super) fn simulate(
        &mut self,
        command: &Simulate,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let world = Arc::clone(&self.world);
        let tables = Tables::new(&*world, self.data_folder());
        let last = |subject: Option<&str>| self.last_of(subject);
        if let Some(run) = self.last.iter().chain(&self.by_subject).next()
            && command.from_last
        {
            section::not_from(run)?;
        }
        let plans = plans(&compiled, &tables, &self.overrides, &last, command)?;
        if let [plan] = plans.as_slice()
            && plan.paths.is_some()
        {
            return self.simulate_paths(&compiled, plan, command, observer);
        }
        let mut diagnostics = Vec::new();
        let mut runs: Vec<Arc<Trajectory>> = Vec::with_capacity(plans.len());
        for plan in &plans {
            let (trajectory, end) = run(&compiled, plan, &*world, observer);
            diagnostics.extend(plan.warnings.iter().cloned());
            diagnostics.extend(failure::explain(&trajectory, &end, command.span));
            let missed = section::missed(&trajectory, command);
            let stop = trajectory.solution.stop.clone();
            let is_empty = trajectory.solution.times.is_empty();
            if let Some(missed) = missed {
                diagnostics.push(missed);
                // Others may have crossed it.
                if plans.len() > 1 {
                    continue;
                }
            }
            if is_empty || matches!(stop, Stop::Invalid(_)) {
                return Err(diagnostics);
            }
            runs.push(Arc::new(trajectory));
            if matches!(stop, Stop::Interrupted { .. }) {
                break;
            }
        }
        if runs.is_empty() {
            return Err(diagnostics);
        }
        self.asked = Some(Arc::new(Asked {
            command: command.clone(),
            overrides: self.overrides.clone(),
            before: self.last.take().filter(|_| command.from_last),
        }));
        self.ensemble = None;
        let outcome = match (&command.subjects, runs.as_slice()) {
            (Subjects::Each(_), _) => {
                (self.last, self.by_subject) = (None, runs.clone());
                Outcome::SimulatedEach(runs)
            }
            (_, [only]) => {
                (self.last, self.by_subject) = (Some(Arc::clone(only)), Vec::new());
                Outcome::Simulated(Arc::clone(only))
            }
            _ => return Err(diagnostics),
        };
        Ok(Performed {
            outcome,
            diagnostics,
        })
    }

    /// The last run of a subject, where runs were made by subject; else the last run.
    fn last_of(&self, subject: Option<&str>) -> Option<&Trajectory> {
        if self.by_subject.is_empty() {
            return self.last.as_deref();
        }
        let mut runs = self.by_subject.iter();
        runs.find(|run| run.subject.as_deref() == subject)
            .map(|run| &**run)
    }
}
