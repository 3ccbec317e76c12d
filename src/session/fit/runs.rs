//! The runs of a fit: one for each subject under each condition of the data.
//!
//! Enters: the data by run, the sentence. Leaves: for each a plan whose parameters are still to be
//! set, and where its rows stand. Must not know distributions.

use super::super::command::{OutputTimes, Setting, Simulate, Subjects};
use super::super::compiled::Compiled;
use super::super::sensitivity::held;
use super::super::simulate::{Plan, plan, with_setting};
use super::super::tables::Tables;
use super::super::values::{Overrides, Present, check_finite};
use super::data::RunData;
use super::quantities::Fitted;
use super::sentence::{Fit, Way};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Schedule, Target, ValueOf};
use crate::simulate::{Held, Method, Output, Varied, VariedStart, serves_sensitivities};
use crate::source::Span;
use crate::symbolic::{Pool, SymbolId, symbols_of};
use crate::syntax::tree::{self, ExprKind};
use rustc_hash::FxHashSet;

/// The relative tolerance of the runs of a fit when none is said: differences of objectives are
/// to have digits that a search can stand on.
const RELATIVE: f64 = 1e-8;
/// That of a posterior: its draws are far apart beside such errors, and there are many of them.
const RELATIVE_OF_POSTERIOR: f64 = 1e-6;

/// One run of a fit.
#[derive(Debug, Clone)]
pub struct FitRun {
    /// What was seen.
    pub data: RunData,
    /// How the model is run; `None` for a model without states.
    pub(in crate::session) plan: Option<Plan>,
    /// The values of the run, but for what is fitted.
    pub(in crate::session) overrides: Overrides,
    /// The row of the solution of each row of the data.
    pub looks: Vec<usize>,
    /// Which of the fitted quantities the condition of the run gives a value of its own.
    pub replaced: Vec<bool>,
}

impl FitRun {
    /// `subject 3`, `knockout`; nothing for the only run.
    #[must_use]
    pub fn label(&self) -> String {
        self.data.label()
    }

    /// True for a fitted quantity that has another value in this run.
    pub(super) fn replaces(&self, quantity: usize) -> bool {
        self.replaced.get(quantity).copied().unwrap_or(false)
    }

    /// All values with those of the fitted quantities; `None` where one is not finite.
    pub(super) fn values(
        &self,
        compiled: &Compiled,
        fitted: &[Fitted],
        at: &[f64],
    ) -> Option<(Overrides, Present)> {
        let mut overrides = self.overrides.clone();
        for (at, (quantity, value)) in fitted.iter().zip(at).enumerate() {
            if !self.replaces(at) {
                quantity.set(&mut overrides, *value);
            }
        }
        let present = compiled.present(&overrides);
        let numbers = present.parameters.iter().chain(&present.initial);
        // Looked at closely only when something is wrong: this is done over and over.
        if numbers.into_iter().all(|number| number.is_finite())
            || check_finite(compiled, &present).is_ok()
        {
            Some((overrides, present))
        } else {
            None
        }
    }

    /// How the run begins, with derivatives by what is fitted.
    pub(super) fn varied(
        &self,
        compiled: &Compiled,
        fitted: &[Fitted],
        (overrides, present): (&Overrides, &Present),
    ) -> VariedStart {
        let varied: Vec<Varied> = fitted.iter().map(|known| known.varied).collect();
        let (parameters, initial) = held(compiled, overrides, false);
        let mut start = VariedStart::new(
            &compiled.system,
            &compiled.kernels,
            compiled.model.time.start,
            &present.parameters,
            &present.initial,
            &varied,
            Held {
                parameters: &parameters,
                initial: &initial,
            },
        );
        // What has another value in this run moves nothing.
        let n = compiled.system.states.len();
        for at in (0..fitted.len()).filter(|at| self.replaces(*at)) {
            if let Some(moved) = start.parameters.get_mut(at) {
                moved.fill(0.0);
            }
            if let Some(moved) = start.state.get_mut(n * (1 + at)..n * (2 + at)) {
                moved.fill(0.0);
            }
        }
        start
    }
}

/// Makes the runs.
///
/// # Errors
/// All problems of the sentence and of the tables of doses and inputs.
pub(super) fn runs(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    (command, fitted): (&Fit, &[Fitted]),
    data: Vec<RunData>,
) -> Result<(Vec<FitRun>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut found = Vec::with_capacity(data.len());
    let mut warnings = Vec::new();
    for data in data {
        let run = run(
            compiled,
            tables,
            overrides,
            (command, fitted),
            data,
            &mut warnings,
        )?;
        found.push(run);
    }
    // Runs of one model share their warnings.
    let mut told: Vec<Diagnostic> = Vec::new();
    for warning in warnings {
        if !told.iter().any(|known| known.message == warning.message) {
            told.push(warning);
        }
    }
    Ok((found, told))
}

fn run(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    (command, fitted): (&Fit, &[Fitted]),
    data: RunData,
    warnings: &mut Vec<Diagnostic>,
) -> Result<FitRun, Vec<Diagnostic>> {
    varying_in_observations_only(compiled, &data)?;
    let mut own = overrides.clone();
    for (parameter, value) in &data.constants {
        own.set(Target::Parameter(*parameter), None, vec![*value]);
    }
    // The first of the varying values stands in, so that what follows from it is finite.
    for (parameter, values) in &data.varying {
        let first = values.first().copied().unwrap_or(0.0);
        own.set(Target::Parameter(*parameter), None, vec![first]);
    }
    let mut setting = command.setting.clone();
    if let Some(condition) = &data.condition {
        setting.condition = Some(tree::Name {
            text: condition.clone(),
            span: command.data.path.span,
        });
    }
    let with = with_setting(compiled, &own, &setting)?;
    let replaced = replaced(compiled, &setting, fitted)?;
    if compiled.model.states.is_empty() {
        let looks = (0..data.rows.len()).map(|_| 0).collect();
        return Ok(FitRun {
            data,
            plan: None,
            overrides: with,
            looks,
            replaced,
        });
    }
    let (times, looks) = times(&data);
    let start = compiled.model.time.start;
    let last = times.last().copied().unwrap_or(start);
    let simulate = Simulate {
        span: command.span,
        from: Some(number(start, command.span)),
        // A run of no length is none.
        to: number(if last > start { last } else { start + 1.0 }, command.span),
        output: OutputTimes::Steps,
        method: Method::Auto,
        relative: relative(compiled, command),
        absolute: command.absolute.clone(),
        setting,
        from_last: false,
        from_steady: None,
        subjects: subjects(compiled, &data, command),
        chance: super::super::chance::ChanceWords::default(),
    };
    let mut plan = plan(compiled, tables, &own, None, &simulate)?;
    let is_noisy = compiled.system.noise.is_some();
    // A path is not made: what is said of its steps means nothing here.
    if !is_noisy {
        warnings.append(&mut plan.warnings);
    }
    if command.absolute.is_none() && !is_noisy {
        // The distance of the two tolerances is that of a simulation.
        for absolute in &mut plan.options.tolerances.absolute {
            *absolute *= plan.options.tolerances.relative.min(1e-6) / 1e-6;
        }
    }
    plan.output = Output::Times(times);
    if !is_noisy {
        derivable(compiled, &plan, command)?;
    }
    Ok(FitRun {
        data,
        plan: Some(plan),
        overrides: with,
        looks,
        replaced,
    })
}

/// The relative tolerance of a run that is solved; the filters of models with noise have their own,
/// and maps need none.
fn relative(compiled: &Compiled, command: &Fit) -> Option<tree::Expr> {
    if compiled.system.noise.is_some() || compiled.model.motion == crate::model::Motion::Map {
        return command.relative.clone();
    }
    let value = match command.method {
        Way::Posterior => RELATIVE_OF_POSTERIOR,
        Way::Auto | Way::Search(_) => RELATIVE,
    };
    let own = || number(value, command.span);
    Some(command.relative.clone().unwrap_or_else(own))
}

/// Which fitted quantities the condition of a run sets itself.
///
/// # Errors
/// A value of the condition that would move with what is fitted.
fn replaced(
    compiled: &Compiled,
    setting: &Setting,
    fitted: &[Fitted],
) -> Result<Vec<bool>, Vec<Diagnostic>> {
    let name = setting.condition.as_ref();
    let condition = name.and_then(|name| compiled.model.condition(&name.text));
    let Some(condition) = condition else {
        return Ok(vec![false; fitted.len()]);
    };
    let (model, system) = (&compiled.model, &compiled.system);
    let symbol = |target: Target| match target {
        Target::Parameter(id) => model.parameters[id.index()].symbol,
        Target::State(id) => model.states[id.index()].symbol,
    };
    // What is fitted, and the parameters that follow it.
    let mut moving: FxHashSet<SymbolId> = fitted.iter().map(|known| symbol(known.target)).collect();
    for value in &model.value_order {
        if let ValueOf::Parameter(id) = value {
            let read = symbols_of(&system.pool, system.parameter_values[id.index()]);
            if read.iter().any(|symbol| moving.contains(symbol)) {
                moving.insert(model.parameters[id.index()].symbol);
            }
        }
    }
    let follows = condition.settings.iter().find(|setting| {
        let mut pool = Pool::continuing(&system.pool);
        let value = system.inline(&mut pool, setting.value);
        let read = symbols_of(&pool, value);
        read.iter().any(|symbol| moving.contains(symbol))
    });
    if let Some(setting) = follows {
        return Err(vec![
            Diagnostic::new(
                Code::NotPerformed,
                format!("a value of `{}` follows what is fitted", condition.name),
            )
            .at(setting.span, "")
            .help("let a parameter tell the conditions apart: `let k = k0*factor` with `param factor = 1`, and `factor = 0.1` in the condition"),
        ]);
    }
    let sets = |known: &Fitted| {
        condition.settings.iter().any(|setting| {
            let whole = setting.element.is_none() || setting.element == known.element;
            setting.target == known.target && whole
        })
    };
    Ok(fitted.iter().map(sets).collect())
}

/// The times of a run, each once, and where each row stands among them.
fn times(data: &RunData) -> (Vec<f64>, Vec<usize>) {
    let mut times: Vec<f64> = Vec::with_capacity(data.rows.len());
    let mut looks = Vec::with_capacity(data.rows.len());
    for row in &data.rows {
        if times.last() != Some(&row.time) {
            times.push(row.time);
        }
        looks.push(times.len() - 1);
    }
    (times, looks)
}

/// Whose doses are given: those of the subject of the data, where doses come from a table.
fn subjects(compiled: &Compiled, data: &RunData, command: &Fit) -> Subjects {
    let doses = compiled.model.doses.iter();
    let from_table = doses
        .into_iter()
        .any(|dose| matches!(dose.schedule, Schedule::Table(_)));
    match &data.subject {
        Some(subject) if from_table => Subjects::One(tree::Name {
            text: subject.clone(),
            span: command.data.path.span,
        }),
        _ => Subjects::Unsaid,
    }
}

fn number(value: f64, span: Span) -> tree::Expr {
    tree::Expr {
        kind: ExprKind::Number { value, unit: None },
        span,
    }
}

/// A covariate that changes within a run must not drive it.
fn varying_in_observations_only(
    compiled: &Compiled,
    data: &RunData,
) -> Result<(), Vec<Diagnostic>> {
    let system = &compiled.system;
    let driving = system
        .drift
        .iter()
        .chain(&system.initial)
        .chain(&system.parameter_values);
    let mut problems = Vec::new();
    for (parameter, _) in &data.varying {
        let known = &compiled.model.parameters[parameter.index()];
        let drives = driving
            .clone()
            .any(|expr| symbols_of(&system.pool, *expr).contains(&known.symbol));
        if drives {
            problems.push(
                Diagnostic::new(
                    Code::BadDatum,
                    format!("the covariate `{}` changes within a run that it drives", known.name),
                )
                .at(known.span, "declared here")
                .help(format!(
                    "give it one value per subject (`covariate {0} by subject`), or let a table drive the run: `input {0} from \"data.csv\"`",
                    known.name
                )),
            );
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Refuses runs that derivatives are not worked out for.
fn derivable(compiled: &Compiled, plan: &Plan, command: &Fit) -> Result<(), Vec<Diagnostic>> {
    let refused = |span: Span, why: &str, help: &str| {
        Err(vec![
            Diagnostic::new(
                Code::NotPerformed,
                "this version of Lotka does not fit such a model",
            )
            .at(command.span, "")
            .at(span, why.to_owned())
            .help(help.to_owned()),
        ])
    };
    if let Some(delay) = compiled.model.delays.first() {
        return refused(
            delay.span,
            "its derivatives would have a past as well",
            "replace the delay by a chain of stages: `x1' = (x - x1)/(tau/3)`, and so on",
        );
    }
    let is_map = compiled.model.motion == crate::model::Motion::Map;
    let mut holding = compiled
        .model
        .events
        .iter()
        .zip(&plan.active.events)
        .filter(|(_, on)| **on);
    if let (true, Some((event, _))) = (is_map, holding.next()) {
        return refused(
            event.span,
            "an event at steps",
            "write what happens into the equation, as in `next x = if n == 10 then 0 else f(x)`",
        );
    }
    if is_map || serves_sensitivities(plan.options.method) {
        return Ok(());
    }
    refused(
        command.span,
        "its method carries no derivatives",
        "simulate the model to see which method it takes",
    )
}
