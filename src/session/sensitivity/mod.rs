//! `sensitivity`: the last run once more, differentiated by parameters and initial values.
//!
//! Enters: what is differentiated, by what. Leaves: derivatives along the run, their largest
//! values and how much each quantity matters, as data; a table or a heat map on request.

mod question;

use question::{Question, element_of};
pub(super) use question::{lower, question};

use super::command::{OutputTimes, Sensitivity};
use super::compiled::{Compiled, Observable};
use super::lower::ends_in;
use super::outcome::{Made, Outcome, Performed};
use super::plot::time_label;
use super::run::run;
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::values::Overrides;
use super::{Asked, Observer, Session, failure, simulate};
use crate::diagnostic::{Code, Diagnostic};
use crate::figure::{Axis, HeatMap, HeatPanel};
use crate::model::{self, Motion, Target};
use crate::simulate::{
    Held, Method, Stop, Varied, VariedStart, observed_sensitivities, serves_sensitivities,
};
use crate::syntax::tree;
use crate::table;
use std::path::PathBuf;
use std::sync::Arc;

/// More numbers than this (0.8 GB) is a slip of the keyboard.
const MOST_NUMBERS: f64 = 1e8;
/// More panels than this do not fit a page.
const MOST_PANELS: usize = 12;

/// Derivatives of observables along a run.
#[derive(Debug, Clone)]
pub struct Sensitivities {
    /// The run that was differentiated.
    pub run: Trajectory,
    /// What was differentiated, element by element.
    pub observables: Vec<String>,
    /// By what, element by element; initial values as `x(0)`.
    pub quantities: Vec<String>,
    /// True when the numbers are relative: (p/y) dy/dp. They are NaN where y is 0 and p dy/dp is
    /// not.
    pub scaled: bool,
    /// For each observable and each quantity one number per time of the run.
    pub series: Vec<Vec<Vec<f64>>>,
    /// For each observable and each quantity what its series comes to.
    pub influences: Vec<Vec<Influence>>,
}

/// How much a quantity influences an observable.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Influence {
    /// The derivative of largest size, with its sign.
    pub largest: f64,
    /// When it is met first.
    pub at: f64,
    /// The derivative at the end.
    pub end: f64,
    /// The share of this quantity in the integral of |p dy/dp| over time, among those named.
    pub weight: f64,
}

impl Session {
    pub(in crate::session) fn sensitivity(
        &mut self,
        command: &Sensitivity,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        self.need_last()?;
        let Some(asked) = self.asked.clone() else {
            return Err(vec![Diagnostic::new(
                Code::NothingYet,
                "nothing has been simulated yet",
            )]);
        };
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let question = question(&compiled, &asked.overrides, command)?;
        let tables = Tables::new(&*self.world, self.data_folder());
        let mut plan = repeated(&compiled, &tables, &asked, command)?;
        plan.varied = Some(start(&compiled, &asked, &plan, command, &question)?);
        let world = Arc::clone(&self.world);
        let (run, end) = run(&compiled, &plan, &*world, observer);
        let problem = failure::explain(&run, &end, command.span);
        if run.solution.times.is_empty() || matches!(run.solution.stop, Stop::Invalid(_)) {
            return Err(problem.into_iter().collect());
        }
        let result = result(run, &question, command.scaled);
        let made = match &command.to {
            Some(to) => Some(self.make(&result, to)?),
            None => None,
        };
        Ok(Performed {
            outcome: Outcome::Sensitivities {
                result: Arc::new(result),
                made,
            },
            diagnostics: problem.into_iter().collect(),
        })
    }

    /// Writes the table, or prepares the figure.
    fn make(&self, result: &Sensitivities, to: &tree::Text) -> Result<Made, Vec<Diagnostic>> {
        if !ends_in(&to.text, &["csv"]) {
            return Ok(Made::HeatMap {
                map: heat_map(result),
                to: PathBuf::from(&to.text),
            });
        }
        let (headers, columns) = columns(result);
        let text = table::write_csv(&headers, &columns);
        Ok(Made::Table {
            path: self.write_file(to, &text)?,
            rows: result.run.times().len(),
            columns: headers.len(),
        })
    }
}

/// The plan of the last run, with the values of this sentence.
fn repeated(
    compiled: &Compiled,
    tables: &Tables<'_>,
    asked: &Asked,
    command: &Sensitivity,
) -> Result<simulate::Plan, Vec<Diagnostic>> {
    let mut again = asked.command.clone();
    again.setting.with.extend(command.setting.with.clone());
    if command.setting.condition.is_some() {
        again
            .setting
            .condition
            .clone_from(&command.setting.condition);
    }
    derivable(compiled, asked, command)?;
    let plan = simulate::plan(
        compiled,
        tables,
        &asked.overrides,
        asked.before.as_deref(),
        &again,
    )?;
    events_of_map(compiled, &plan, command)?;
    let method = plan.options.method;
    if serves_sensitivities(method) {
        return Ok(plan);
    }
    let near = match method {
        Method::Tsit45 => "tsit5",
        _ => "rodas",
    };
    Err(vec![
        Diagnostic::new(
            Code::BadOption,
            format!("the method `{method}` of the last run carries no derivatives"),
        )
        .at(command.span, "")
        .help(format!(
            "simulate again with `using {near}`, or without `using`, and then ask for sensitivities"
        )),
    ])
}

/// Refuses what derivatives are not worked out for.
fn derivable(
    compiled: &Compiled,
    asked: &Asked,
    command: &Sensitivity,
) -> Result<(), Vec<Diagnostic>> {
    let diagnostic = Diagnostic::new(
        Code::NotPerformed,
        "this version of Lotka does not differentiate such a run",
    )
    .at(command.span, "");
    if compiled.system.noise.is_some() {
        return Err(vec![
            diagnostic
                .at(asked.command.span, "a path with noise")
                .help("compare ensembles `with` slightly different values and the same `seed`"),
        ]);
    }
    if let Some(delay) = compiled.model.delays.first() {
        return Err(vec![
            diagnostic
                .at(delay.span, "its derivatives would have a past as well")
                .help("compare runs `with` slightly different values instead"),
        ]);
    }
    if let OutputTimes::When(when) = &asked.command.output {
        return Err(vec![
            diagnostic
                .at(
                    when.span,
                    "the moments of its rows move with the parameters",
                )
                .help("choose its rows with `step` or `at` before"),
        ]);
    }
    if asked.command.from_steady.is_some() {
        return Err(vec![
            diagnostic
                .at(asked.command.span, "starts from a steady state")
                .help("the steady state moves with the parameters: simulate without `from steady`"),
        ]);
    }
    Ok(())
}

/// Derivatives through what events do at steps of a map are not worked out.
fn events_of_map(
    compiled: &Compiled,
    plan: &simulate::Plan,
    command: &Sensitivity,
) -> Result<(), Vec<Diagnostic>> {
    let events = compiled.model.events.iter().zip(&plan.active.events);
    let mut holding = events.filter(|(_, holds)| **holds);
    match holding.next() {
        Some((event, _)) if compiled.model.motion == Motion::Map => Err(vec![
            Diagnostic::new(
                Code::NotPerformed,
                "this version of Lotka does not differentiate a map with events",
            )
            .at(command.span, "")
            .at(event.span, "an event at steps")
            .help("write what happens into the equation, as in `next x = if n == 10 then 0 else f(x)`"),
        ]),
        _ => Ok(()),
    }
}

/// How parameters and initial values move with what is named.
fn start(
    compiled: &Compiled,
    asked: &Asked,
    plan: &simulate::Plan,
    command: &Sensitivity,
    question: &Question,
) -> Result<VariedStart, Vec<Diagnostic>> {
    let system = &compiled.system;
    let rows = match &plan.output {
        crate::simulate::Output::Times(times) => times.len(),
        crate::simulate::Output::Steps { .. } | crate::simulate::Output::Event(_) => 1,
    };
    let numbers = rows as f64 * (1 + question.varied.len()) as f64 * system.dimension() as f64;
    if numbers > MOST_NUMBERS {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                "these are more derivatives than a memory holds",
            )
            .at(command.span, "")
            .help("name some parameters after `by`, or simulate with fewer times"),
        ]);
    }
    let mut setting = asked.command.setting.clone();
    setting.with.extend(command.setting.with.clone());
    if command.setting.condition.is_some() {
        setting.condition.clone_from(&command.setting.condition);
    }
    let overrides = simulate::with_setting(compiled, &asked.overrides, &setting)?;
    let (parameters, initial) = held(compiled, &overrides, asked.command.from_last);
    Ok(VariedStart::new(
        system,
        &compiled.kernels,
        plan.start,
        &plan.parameters,
        &plan.initial,
        &question.varied,
        Held {
            parameters: &parameters,
            initial: &initial,
        },
    ))
}

/// Which parameter blocks and initial values were set, and so follow nothing. A run that goes on
/// from another begins with numbers.
pub(super) fn held(
    compiled: &Compiled,
    overrides: &Overrides,
    from_last: bool,
) -> (Vec<bool>, Vec<bool>) {
    let system = &compiled.system;
    let parameters = (0..system.parameters.blocks().len())
        .map(|at| overrides.contains(Target::Parameter(model::ParameterId::new(at))));
    let states = system.states.blocks().iter().enumerate();
    let initial = states.flat_map(|(at, block)| {
        let target = Target::State(model::StateId::new(at));
        (0..block.shape.len()).map(move |element| from_last || overrides.sets(target, element))
    });
    (parameters.collect(), initial.collect())
}

/// The derivatives of all observables, taken apart.
fn result(run: Trajectory, question: &Question, scaled: bool) -> Sensitivities {
    let compiled = Arc::clone(&run.compiled);
    let mut result = Sensitivities {
        observables: Vec::new(),
        quantities: question.names.clone(),
        scaled,
        series: Vec::new(),
        influences: Vec::new(),
        run,
    };
    for observable in &question.observables {
        let width = observable.shape.len();
        let values = result.run.evaluate(observable);
        let derivatives = derivatives(&result.run, observable);
        let indices = compiled.model.names.indices(&observable.label).to_vec();
        for element in 0..width {
            let label = &observable.label;
            let name = element_of(&compiled, label, &indices, observable.shape, element);
            let own: Vec<f64> = values
                .iter()
                .skip(element)
                .step_by(width)
                .copied()
                .collect();
            let of = |quantity: usize| -> Vec<f64> {
                let from = quantity * width + element;
                let all = derivatives.iter().skip(from);
                all.step_by(width * question.varied.len())
                    .copied()
                    .collect()
            };
            let series = (0..question.varied.len()).map(of).collect();
            result.add(name, &own, series, &question.varied);
        }
    }
    result
}

/// The derivatives of one observable: per time, per quantity, per element.
fn derivatives(run: &Trajectory, observable: &Observable) -> Vec<f64> {
    let Some(start) = &run.varied else {
        return Vec::new();
    };
    observed_sensitivities(
        &run.compiled.system,
        &run.compiled.kernels,
        (&observable.pool, &[observable.expr]),
        &run.solution,
        &run.parameters,
        start,
    )
}

impl Sensitivities {
    /// Takes in the derivatives of one number by all quantities.
    fn add(&mut self, name: String, own: &[f64], mut series: Vec<Vec<f64>>, varied: &[Varied]) {
        let times = self.run.times();
        let value = |quantity: &Varied| match *quantity {
            Varied::Parameter(at) => self.run.parameters.get(at).copied(),
            Varied::Initial(at) => self
                .run
                .solution
                .row(0)
                .and_then(|row| row.get(at).copied()),
        };
        let sizes: Vec<f64> = varied.iter().map(|q| value(q).unwrap_or(0.0)).collect();
        let integrals: Vec<f64> = series
            .iter()
            .zip(&sizes)
            .map(|(series, size)| size.abs() * integral_of_size(times, series))
            .collect();
        let total: f64 = integrals.iter().sum();
        if self.scaled {
            for (series, size) in series.iter_mut().zip(&sizes) {
                for (derivative, own) in series.iter_mut().zip(own) {
                    *derivative = relative(size * *derivative, *own);
                }
            }
        }
        let influences = series.iter().zip(&integrals).map(|(series, integral)| {
            let (at, largest) = largest(times, series);
            Influence {
                largest,
                at,
                end: series.last().copied().unwrap_or(f64::NAN),
                weight: if total > 0.0 { integral / total } else { 0.0 },
            }
        });
        let influences = influences.collect();
        self.influences.push(influences);
        self.observables.push(name);
        self.series.push(series);
    }

    /// The derivatives of an observable by a quantity, one per time of the run.
    #[must_use]
    pub fn series(&self, observable: &str, quantity: &str) -> Option<&[f64]> {
        let observable = self
            .observables
            .iter()
            .position(|name| name == observable)?;
        let quantity = self.quantities.iter().position(|name| name == quantity)?;
        let series = self.series.get(observable)?.get(quantity)?;
        Some(series)
    }

    /// The quantities of one observable, those that matter most first.
    #[must_use]
    pub fn ranked(&self, observable: usize) -> Vec<usize> {
        let Some(influences) = self.influences.get(observable) else {
            return Vec::new();
        };
        let mut order: Vec<usize> = (0..influences.len()).collect();
        order.sort_by(|a, b| influences[*b].weight.total_cmp(&influences[*a].weight));
        order
    }

    /// `d(C1)/d(ka)`; relative ones are derivatives of logarithms.
    #[must_use]
    pub fn label(&self, observable: usize, quantity: usize) -> String {
        let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
        let (of, by) = (
            name(&self.observables, observable),
            name(&self.quantities, quantity),
        );
        if self.scaled {
            format!("dln({of})/dln({by})")
        } else {
            format!("d({of})/d({by})")
        }
    }
}

/// The change of a value in parts of itself: 0 where nothing changes, undefined where a value of 0
/// does.
fn relative(change: f64, own: f64) -> f64 {
    if change == 0.0 {
        0.0
    } else if own == 0.0 {
        f64::NAN
    } else {
        change / own
    }
}

/// The first number of largest size, with its time.
fn largest(times: &[f64], series: &[f64]) -> (f64, f64) {
    let mut found = (f64::NAN, f64::NAN);
    for (time, value) in times.iter().zip(series) {
        let is_larger = found.1.is_nan() || value.abs() > found.1.abs();
        if value.is_finite() && is_larger {
            found = (*time, *value);
        }
    }
    found
}

/// The integral of |series| by the trapezoidal rule, over the intervals where it is finite.
fn integral_of_size(times: &[f64], series: &[f64]) -> f64 {
    let intervals = times.windows(2).zip(series.windows(2));
    let area = |(t, y): (&[f64], &[f64])| match (t, y) {
        ([a, b], [p, q]) => (b - a) * 0.5 * (p.abs() + q.abs()),
        _ => 0.0,
    };
    intervals.map(area).filter(|area| area.is_finite()).sum()
}

/// Time and every series.
fn columns(result: &Sensitivities) -> (Vec<String>, Vec<Vec<f64>>) {
    let motion = result.run.compiled.model.motion;
    let mut headers = vec![time_label(motion).to_owned()];
    let mut columns = vec![result.run.times().to_vec()];
    for (observable, all) in result.series.iter().enumerate() {
        for (quantity, series) in all.iter().enumerate() {
            headers.push(result.label(observable, quantity));
            columns.push(series.clone());
        }
    }
    (headers, columns)
}

/// One panel per observable: quantities over time.
fn heat_map(result: &Sensitivities) -> HeatMap {
    let time = &result.run.compiled.model.time;
    let panels = result.observables.iter().zip(&result.series);
    let shown = result.observables.len().min(MOST_PANELS);
    let mut title = String::new();
    if shown < result.observables.len() {
        title = format!("the first {shown} of {}", result.observables.len());
    }
    HeatMap {
        title,
        x: Axis {
            label: time_label(result.run.compiled.model.motion).to_owned(),
            unit: time.unit.as_ref().map(|unit| unit.to_string()),
            ..Axis::default()
        },
        panels: panels
            .take(MOST_PANELS)
            .map(|(name, series)| HeatPanel {
                title: if result.scaled {
                    format!("(p/{name}) d{name}/dp")
                } else {
                    format!("d({name})/dp")
                },
                rows: result.quantities.clone(),
                x: result.run.times().to_vec(),
                values: series.clone(),
            })
            .collect(),
    }
}
