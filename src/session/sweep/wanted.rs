//! What each run of a sweep gives: values at its end, its last values, or measures.
//!
//! Enters: the expressions after `of`. Leaves: columns, and how their numbers are taken from a run.
//! Must not know what is swept.

use super::super::compiled::Compiled;
use super::super::measure::{self, Gauge};
use super::super::plot::unit_of;
use super::super::simulate::{Plan, fault, whole};
use super::super::trajectory::Trajectory;
use super::super::values::Present;
use super::sentence::Sweep;
use crate::diagnostic::{Code, Diagnostic};
use crate::kernel::{Parameters, Scratch, SharedKernel};
use crate::model::Motion;
use crate::simulate::Output;
use crate::symbolic::{Builtin, Shape};
use crate::syntax::{self, tree, tree::ExprKind};

/// Values of one run that an orbit diagram shows.
const MOST_LAST: u64 = 100_000;

/// One number of each run, or several for `last 100`.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As written; the name of a state when nothing is written.
    pub label: String,
    /// Its unit, where that is declared.
    pub unit: Option<String>,
    /// A measure of the run, not its value at the end.
    pub is_measure: bool,
}

/// What each run gives.
pub(super) struct Wanted {
    pub columns: Vec<Column>,
    /// How many values of each column, the last of the run.
    pub last: Option<usize>,
    sources: Sources,
}

/// Where the numbers come from.
enum Sources {
    /// All states, in their order.
    States,
    /// One for each column.
    Written(Vec<Source>),
}

enum Source {
    /// A function of the state.
    Value(SharedKernel),
    /// A measure.
    Measure(Box<Gauge>),
}

/// Understands what is asked for.
///
/// # Errors
/// Unknown names and measures, vectors, a number of values that does not fit.
pub(super) fn wanted(
    compiled: &Compiled,
    present: &Present,
    command: &Sweep,
) -> Result<Wanted, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let last = match &command.last {
        None => None,
        Some(expr) => match compiled.number(expr, present) {
            Ok(number) => {
                let count = whole(number, 1, MOST_LAST);
                if count.is_none() {
                    let message =
                        format!("`last` is followed by a whole number from 1 to {MOST_LAST}");
                    problems.extend(fault(expr, &message, number, "as in `last 100`"));
                }
                count.map(|count| count as usize)
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        },
    };
    if command.of.is_empty() {
        return if problems.is_empty() {
            Ok(of_states(compiled, last))
        } else {
            Err(problems)
        };
    }
    let (mut columns, mut sources) = (Vec::new(), Vec::new());
    for expr in &command.of {
        match one(compiled, expr) {
            Ok((column, source)) => {
                if let (true, Some(count)) = (column.is_measure, &command.last) {
                    problems.push(
                        Diagnostic::new(
                            Code::BadOption,
                            "`last` is for values, and a measure gives one number of a run",
                        )
                        .at(count.span, "")
                        .at(expr.span, "this is a measure")
                        .help("as in `sweep r in 2.5..4 of x last 100`"),
                    );
                }
                columns.push(column);
                sources.push(source);
            }
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Wanted {
        columns,
        last,
        sources: Sources::Written(sources),
    })
}

fn of_states(compiled: &Compiled, last: Option<usize>) -> Wanted {
    let states = compiled.model.states.iter();
    let blocks = compiled.system.states.blocks();
    let units = states.zip(blocks).flat_map(|(state, block)| {
        let unit = state.unit.as_ref().map(ToString::to_string);
        std::iter::repeat_n(unit, block.shape.len())
    });
    let columns = compiled.state_names().into_iter().zip(units);
    let columns = columns.map(|(label, unit)| Column {
        label,
        unit,
        is_measure: false,
    });
    Wanted {
        columns: columns.collect(),
        last,
        sources: Sources::States,
    }
}

fn one(compiled: &Compiled, expr: &tree::Expr) -> Result<(Column, Source), Vec<Diagnostic>> {
    let label = syntax::show_expression(expr);
    if measure::holds_measure(expr) {
        let column = Column {
            label,
            unit: measure::unit(compiled, expr),
            is_measure: true,
        };
        return Ok((
            column,
            Source::Measure(Box::new(Gauge::new(compiled, expr)?)),
        ));
    }
    if let Some(call) = unknown_call(compiled, expr) {
        return Err(measure::no_measure(call));
    }
    let observable = compiled.observable(expr)?;
    if observable.shape != Shape::Scalar {
        let message = format!("this is {}, not a single number", observable.shape);
        return Err(vec![
            Diagnostic::new(Code::ShapeMismatch, message)
                .at(expr.span, "")
                .help("name one element, as in `of y[1]`"),
        ]);
    }
    let column = Column {
        label,
        unit: unit_of(compiled, expr).map(|unit| unit.to_string()),
        is_measure: false,
    };
    let kernel = (compiled.kernels).function(&observable.pool, &[observable.expr]);
    Ok((column, Source::Value(kernel)))
}

/// A call of something that is no function: a measure was meant.
fn unknown_call<'e>(compiled: &Compiled, expr: &'e tree::Expr) -> Option<&'e tree::Expr> {
    match &expr.kind {
        ExprKind::Call { function, .. } => {
            let name = &function.name.text;
            let is_known =
                Builtin::find(name).is_some() || compiled.model.names.get(name).is_some();
            (!is_known).then_some(expr)
        }
        ExprKind::Unary { operand, .. } => unknown_call(compiled, operand),
        ExprKind::Binary { left, right, .. } => {
            unknown_call(compiled, left).or_else(|| unknown_call(compiled, right))
        }
        _ => None,
    }
}

impl Wanted {
    /// Numbers of one run.
    pub fn width(&self) -> usize {
        self.columns.len() * self.last.unwrap_or(1)
    }

    /// The measures among the columns.
    pub fn gauges(&self) -> Vec<&Gauge> {
        let written = match &self.sources {
            Sources::States => [].iter(),
            Sources::Written(written) => written.iter(),
        };
        let measures = written.filter_map(|source| match source {
            Source::Measure(gauge) => Some(&**gauge),
            Source::Value(_) => None,
        });
        measures.collect()
    }

    /// Which rows of a run its values need: none but the last ones.
    pub fn output(&self, plan: &Plan, motion: Motion) -> Output {
        let Some(last) = self.last else {
            return Output::Times(vec![plan.end]);
        };
        let keep = |mut times: Vec<f64>| {
            times.drain(..times.len().saturating_sub(last));
            Output::Times(times)
        };
        match (&plan.output, motion) {
            (Output::Times(times), _) => keep(times.clone()),
            (Output::Steps { .. }, Motion::Map) => {
                let from = plan.options.shown_from.unwrap_or(plan.start);
                let back = (0..last).map(|k| {
                    #[expect(clippy::cast_precision_loss, reason = "a small count")]
                    let k = k as f64;
                    plan.end - k
                });
                let mut times: Vec<f64> = back.take_while(|step| *step >= from).collect();
                times.reverse();
                Output::Times(times)
            }
            (steps @ Output::Steps { .. }, Motion::Flow) | (steps @ Output::Event(_), _) => {
                steps.clone()
            }
        }
    }

    /// The numbers of a run, those of a column next to each other; `measured` holds one number for
    /// each measure. A run with fewer rows than `last` fills up with NaN in front.
    pub fn numbers(&self, run: &Trajectory, measured: &[f64]) -> Vec<f64> {
        let Sources::Written(sources) = &self.sources else {
            return self.of_states(run);
        };
        let mut numbers = Vec::with_capacity(self.width());
        let mut measured = measured.iter();
        for source in sources {
            match (source, self.last) {
                (Source::Measure(_), _) => {
                    numbers.push(measured.next().copied().unwrap_or(f64::NAN));
                }
                (Source::Value(function), None) => {
                    let end = run.at_end(&**function);
                    numbers.push(end.first().copied().unwrap_or(f64::NAN));
                }
                (Source::Value(function), Some(last)) => {
                    tail(&run.rows_of(&**function), last, &mut numbers);
                }
            }
        }
        numbers
    }

    /// The same from states at output times, all of a time next to each other, of a run that
    /// changes no parameter and reads nothing from outside.
    pub fn numbers_of_rows(&self, times: &[f64], states: &[f64], parameters: Vec<f64>) -> Vec<f64> {
        let width = states.len() / times.len().max(1);
        let kept = self.last.unwrap_or(1).min(times.len());
        let rows = times.iter().zip(states.chunks_exact(width.max(1)));
        let rows = || rows.clone().skip(times.len() - kept);
        let mut numbers = Vec::with_capacity(self.width());
        let Sources::Written(sources) = &self.sources else {
            if self.last.is_none() {
                let end = states.len() - width.min(states.len());
                return states.get(end..).unwrap_or(&[]).to_vec();
            }
            for state in 0..self.columns.len() {
                let column: Vec<f64> =
                    (rows().filter_map(|(_, row)| row.get(state).copied())).collect();
                tail(&column, self.last.unwrap_or(1), &mut numbers);
            }
            return numbers;
        };
        let parameters = Parameters::new(parameters);
        let mut scratch = Scratch::new();
        for source in sources {
            let Source::Value(function) = source else {
                continue;
            };
            let value = |(time, row): (&f64, &[f64])| {
                let mut out = vec![f64::NAN; function.out_len()];
                function.call(*time, row, &parameters, &[], &mut out, &mut scratch);
                out.first().copied().unwrap_or(f64::NAN)
            };
            let column: Vec<f64> = rows().map(value).collect();
            tail(&column, self.last.unwrap_or(1), &mut numbers);
        }
        numbers
    }

    fn of_states(&self, run: &Trajectory) -> Vec<f64> {
        let states = self.columns.len();
        let Some(last) = self.last else {
            let end = run.solution.last();
            return end.map_or_else(|| vec![f64::NAN; states], |(_, state)| state.to_vec());
        };
        let mut numbers = Vec::with_capacity(self.width());
        for state in 0..states {
            let column = run
                .solution
                .states
                .iter()
                .skip(state)
                .step_by(states.max(1));
            let column: Vec<f64> = column.copied().collect();
            tail(&column, last, &mut numbers);
        }
        numbers
    }
}

/// The last numbers of a column; NaN in front where there are fewer.
fn tail(column: &[f64], last: usize, into: &mut Vec<f64>) {
    let kept = column
        .get(column.len().saturating_sub(last)..)
        .unwrap_or(column);
    into.extend(std::iter::repeat_n(f64::NAN, last - kept.len()));
    into.extend_from_slice(kept);
}
