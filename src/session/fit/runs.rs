//! The runs of a fit: one for each subject under each condition of the data.
//!
//! Enters: the data by run, the sentence. Leaves: for each a plan whose parameters are still to be
//! set, and where its rows stand. Must not know distributions.

use super::super::command::{OutputTimes, Simulate, Subjects};
use super::super::compiled::Compiled;
use super::super::simulate::{Plan, plan};
use super::super::tables::Tables;
use super::super::values::Overrides;
use super::data::RunData;
use super::own::Own;
use super::quantities::Fitted;
use super::rested::Rested;
use super::sentence::{Fit, StartOfFit, Way};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Schedule, Target};
use crate::simulate::{Method, Output, serves_sensitivities};
use crate::source::Span;
use crate::symbolic::symbols_of;
use crate::syntax::tree::{self, ExprKind};
use std::sync::Arc;

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
    pub(in crate::session) own: Own,
    /// Where it rests before, where it begins at rest.
    pub(in crate::session) rested: Option<Arc<Rested>>,
    /// The row of the solution of each row of the data.
    pub looks: Vec<usize>,
}

impl FitRun {
    /// `subject 3`, `knockout`; nothing for the only run.
    #[must_use]
    pub fn label(&self) -> String {
        self.data.label()
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
    let mut base = overrides.clone();
    for (known, value) in &data.constants {
        let target = Target::Parameter(known.parameter);
        base.set(target, known.element, vec![*value]);
    }
    // The first of the varying values stands in, so that what follows from it is finite.
    for (known, values) in &data.varying {
        let first = values.first().copied().unwrap_or(0.0);
        let target = Target::Parameter(known.parameter);
        base.set(target, known.element, vec![first]);
    }
    let mut setting = command.setting.clone();
    if let Some(condition) = &data.condition {
        setting.condition = Some(tree::Name {
            text: condition.clone(),
            span: command.data.path.span,
        });
    }
    let own = Own::new(compiled, &base, &setting, fitted)?;
    let rested = match &command.from {
        StartOfFit::Steady(start) => {
            let found = Rested::new(compiled, &base, start, (&command.setting, fitted))?;
            Some(Arc::new(found))
        }
        _ => None,
    };
    if compiled.model.states.is_empty() {
        let looks = (0..data.rows.len()).map(|_| 0).collect();
        return Ok(FitRun {
            data,
            plan: None,
            own,
            rested,
            looks,
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
    let mut plan = plan(compiled, tables, &base, None, &simulate)?;
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
        own,
        rested,
        looks,
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
    let mut told = Vec::new();
    for (known, _) in &data.varying {
        // Elements of a vector drive together.
        if told.contains(&known.parameter) {
            continue;
        }
        told.push(known.parameter);
        let known = &compiled.model.parameters[known.parameter.index()];
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
