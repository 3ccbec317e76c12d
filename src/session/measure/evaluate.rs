//! From a run to numbers: curves of observables with their exact time derivatives, and why a run
//! does not have a measure.

use super::super::compiled::Observable;
use super::super::trajectory::Trajectory;
use super::super::values::{self, Point};
use super::understand::{Condition, Followed, Term, Window};
use crate::analyze::{self, Between, Curve, Measured, Refusal, first_time};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::simulate::MethodUse;
use crate::source::Span;
use crate::syntax::tree::BinaryOperator;
use crate::system::Motion;

pub(super) fn evaluated(run: &Trajectory, term: &Term) -> Result<Measured, Diagnostic> {
    match term {
        Term::Number(value) => Ok(Measured::exact(*value)),
        Term::Constant(observable) => Ok(Measured::exact(at_start(run, observable))),
        Term::Measure {
            what,
            of,
            window,
            span,
        } => {
            if run.compiled.system.motion == Motion::Map {
                return of_iterates(run, of, *what, window.as_ref(), *span);
            }
            if run.is_random() {
                return of_path(run, of, *what, window.as_ref(), *span);
            }
            let curve = curve(run, of, window.as_ref(), *span)?;
            let relative = run.solution.tolerances.relative;
            analyze::measure(&curve, *what, relative)
                .map_err(|refusal| refused(run, &of.observable, *what, refusal, *span))
        }
        Term::TimeOf {
            condition,
            window,
            span,
        } => {
            let mut differences = Vec::new();
            condition.differences(&mut differences);
            if run.compiled.system.motion == Motion::Map || run.is_random() {
                return first_step(run, condition, &differences, window.as_ref(), *span);
            }
            let curves = differences
                .into_iter()
                .map(|difference| curve(run, difference, window.as_ref(), *span))
                .collect::<Result<Vec<Curve>, Diagnostic>>()?;
            let holds = |signs: &[f64]| condition.holds(&mut signs.iter());
            first_time(&curves, &holds)
                .map(Measured::exact)
                .map_err(|_| never_met(*span))
        }
        Term::Negate(inner) => {
            let inner = evaluated(run, inner)?;
            Ok(Measured {
                value: -inner.value,
                at: None,
                ..inner
            })
        }
        Term::Apply(applied, terms) => {
            let found = terms.iter().map(|term| evaluated(run, term));
            let found = found.collect::<Result<Vec<Measured>, Diagnostic>>()?;
            let at: Vec<f64> = found.iter().map(|one| one.value).collect();
            let shifted = |which: usize, by: f64| {
                let mut at = at.clone();
                at[which] += by;
                applied.value(&at)
            };
            // What an error does to the value, taken over the whole of it.
            let parts = (found.iter().enumerate())
                .filter(|(_, one)| one.error > 0.0)
                .map(|(which, one)| {
                    (shifted(which, one.error) - shifted(which, -one.error)).abs() / 2.0
                });
            Ok(Measured {
                value: applied.value(&at),
                error: parts.sum(),
                at: None,
            })
        }
        Term::Combine(operator, left, right) => Ok(combined(
            *operator,
            evaluated(run, left)?,
            evaluated(run, right)?,
        )),
    }
}

fn never_met(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NoMeasure, "the condition is never met in this run").at(span, "")
}

/// A number taken from the iterates of a map.
fn of_iterates(
    run: &Trajectory,
    of: &Followed,
    what: analyze::Measure,
    window: Option<&Window>,
    span: Span,
) -> Result<Measured, Diagnostic> {
    let (steps, values) = iterates(run, of, (window, Rows::of(what, window)), span)?;
    match analyze::measure_iterates(&steps, &values, what) {
        Some(found) => found.map_err(|refusal| refused(run, &of.observable, what, refusal, span)),
        None => Err(
            Diagnostic::new(Code::NoMeasure, "a map has no such measure")
                .at(span, "for flows only: nothing lies between two steps")
                .help(format!(
                    "there is `mean({})`, and `max`, `last`, ...",
                    of.observable.label
                )),
        ),
    }
}

/// A number taken from the rows of a path with noise.
fn of_path(
    run: &Trajectory,
    of: &Followed,
    what: analyze::Measure,
    window: Option<&Window>,
    span: Span,
) -> Result<Measured, Diagnostic> {
    let (times, values) = iterates(run, of, (window, Rows::of(what, window)), span)?;
    let counts = |used: &MethodUse| used.method.counts_reactions();
    let between = if run.solution.methods.iter().any(counts) {
        Between::Constant
    } else {
        Between::Straight
    };
    analyze::measure_rough(&times, &values, what, between).ok_or_else(|| {
        Diagnostic::new(Code::NoMeasure, "a path with noise has no such measure")
            .at(span, "of smooth curves only")
            .help("`max`, `min`, `mean`, `auc`, `first` and `last` are taken from its rows")
    })
}

/// The first row at which a condition holds.
fn first_step(
    run: &Trajectory,
    condition: &Condition,
    differences: &[&Followed],
    window: Option<&Window>,
    span: Span,
) -> Result<Measured, Diagnostic> {
    let mut steps = Vec::new();
    let mut columns = Vec::with_capacity(differences.len());
    for difference in differences {
        let (own, values) = iterates(run, difference, (window, Rows::All), span)?;
        steps = own;
        columns.push(values);
    }
    let holds = |row: &usize| {
        let signs: Vec<f64> = columns
            .iter()
            .filter_map(|column| column.get(*row).copied())
            .collect();
        condition.holds(&mut signs.iter())
    };
    let found = (0..steps.len()).find(holds).and_then(|row| steps.get(row));
    found
        .map(|step| Measured::exact(*step))
        .ok_or_else(|| never_met(span))
}

/// Which rows of a run a measure is taken from.
#[derive(Clone, Copy, PartialEq)]
enum Rows {
    All,
    /// The first and the last, which are always kept.
    Ends,
}

impl Rows {
    fn of(what: analyze::Measure, window: Option<&Window>) -> Rows {
        match what {
            analyze::Measure::First | analyze::Measure::Last if window.is_none() => Rows::Ends,
            _ => Rows::All,
        }
    }
}

/// How to come to a run of which every row is kept.
fn fewer_rows(run: &Trajectory) -> String {
    let ends = (run.times().first(), run.times().last());
    let (from, to) = (
        ends.0.copied().unwrap_or(0.0),
        ends.1.copied().unwrap_or(0.0),
    );
    let (from, whole) = (number_text(from), number_text(to));
    if run.compiled.system.motion == Motion::Map {
        #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
        let kept = run.times().len() as f64;
        let to = number_text(ends.0.copied().unwrap_or(0.0) + (kept / 2.0).floor());
        return format!("simulate fewer steps, as in `simulate {from}..{to}`");
    }
    format!(
        "ask for rows of your own, from which it is then taken: `simulate {from}..{whole} points 10001`"
    )
}

/// The values of an observable at the rows of a window.
fn iterates(
    run: &Trajectory,
    of: &Followed,
    (window, rows): (Option<&Window>, Rows),
    span: Span,
) -> Result<(Vec<f64>, Vec<f64>), Diagnostic> {
    if rows == Rows::All && run.solution.kept_every > 1 {
        return Err(
            Diagnostic::new(Code::NoMeasure, "not every step of this run was kept")
                .at(span, "needs every one")
                .help(fewer_rows(run)),
        );
    }
    // In a flow the function has a second number, the slope: a path has none.
    let function = &**of.function(&run.compiled);
    let numbers = run.rows_of(function).into_iter();
    let values: Vec<f64> = numbers.step_by(function.out_len().max(1)).collect();
    let times = run.times();
    let pairs = || times.iter().copied().zip(values.iter().copied());
    if let Some((step, value)) = pairs().find(|(_, value)| !value.is_finite()) {
        return Err(Diagnostic::new(
            Code::NoMeasure,
            format!(
                "`{}` is {} at {} = {step}",
                of.observable.label,
                number_text(value),
                run.compiled.model.names.variable()
            ),
        )
        .at(span, "")
        .help("only what is finite along the whole run can be measured"));
    }
    let end =
        |end: Option<&Observable>, otherwise: f64| end.map_or(otherwise, |end| at_start(run, end));
    let from = end(window.and_then(|w| w.from.as_ref()), f64::NEG_INFINITY);
    let to = end(window.and_then(|w| w.to.as_ref()), f64::INFINITY);
    let chosen: (Vec<f64>, Vec<f64>) = pairs()
        .filter(|(step, _)| *step >= from && *step <= to)
        .unzip();
    if chosen.0.is_empty() {
        let ends = (times.first(), times.last());
        return Err(
            Diagnostic::new(Code::BadOption, "the range lies outside the run")
                .at(
                    window.map_or(span, |window| window.span),
                    match ends {
                        (Some(first), Some(last)) => format!("the run covers {first} to {last}"),
                        _ => "the run has no rows".to_owned(),
                    },
                )
                .help("simulate a longer range, or measure a shorter one"),
        );
    }
    Ok(chosen)
}

/// Arithmetic, with errors to first order.
fn combined(operator: BinaryOperator, a: Measured, b: Measured) -> Measured {
    let (x, y) = (a.value, b.value);
    let (value, by_a, by_b) = match operator {
        BinaryOperator::Add => (x + y, 1.0, 1.0),
        BinaryOperator::Subtract => (x - y, 1.0, -1.0),
        BinaryOperator::Multiply => (x * y, y, x),
        BinaryOperator::Divide => (x / y, 1.0 / y, -x / (y * y)),
        _ => {
            let value = x.powf(y);
            (value, y * x.powf(y - 1.0), value * x.ln())
        }
    };
    let part = |by: f64, error: f64| {
        if error == 0.0 {
            0.0
        } else {
            (by * error).abs()
        }
    };
    Measured {
        value,
        error: part(by_a, a.error) + part(by_b, b.error),
        at: None,
    }
}

/// An expression of parameters, with the values that the run began with.
fn at_start(run: &Trajectory, observable: &Observable) -> f64 {
    let point = Point {
        time: run.compiled.model.time.start,
        state: &[],
        parameters: &run.parameters,
        slots: &[],
    };
    let system = &run.compiled.system;
    let numbers = values::evaluate_at(&observable.pool, system, observable.expr, &point);
    numbers.first().copied().unwrap_or(f64::NAN)
}

/// The curve of an observable: its values at the rows with their exact time derivatives.
fn curve(
    run: &Trajectory,
    of: &Followed,
    window: Option<&Window>,
    span: Span,
) -> Result<Curve, Diagnostic> {
    let function = of.function(&run.compiled);
    let numbers = run.rows_of(&**function);
    let (values, slopes): (Vec<f64>, Vec<f64>) = numbers
        .chunks_exact(function.out_len().max(1))
        .map(|row| (row[0], row.get(1).copied().unwrap_or(f64::NAN)))
        .unzip();
    let times = run.times();
    let Some(whole) = Curve::new(times, &values, &slopes) else {
        let wrong = values.iter().position(|value| !value.is_finite());
        let wrong = wrong.and_then(|row| Some((*times.get(row)?, *values.get(row)?)));
        let message = match wrong {
            Some((time, value)) => format!(
                "`{}` is {} at t = {}",
                of.observable.label,
                number_text(value),
                short(time)
            ),
            None => "the run has no rows".to_owned(),
        };
        return Err(Diagnostic::new(Code::NoMeasure, message)
            .at(span, "")
            .help("only what is finite along the whole run can be measured"));
    };
    let Some(window) = window else {
        return Ok(whole);
    };
    let end = |end: &Option<Observable>, otherwise: f64| {
        let end = end.as_ref();
        end.map_or(otherwise, |end| at_start(run, end))
    };
    let from = end(&window.from, whole.start());
    let to = end(&window.to, whole.end());
    whole.within(from, to).ok_or_else(|| {
        let message = format!(
            "the run covers {} to {}",
            short(whole.start()),
            short(whole.end())
        );
        Diagnostic::new(Code::BadOption, "the range lies outside the run")
            .at(window.span, message)
            .help("simulate a longer range, or measure a shorter one")
    })
}

fn short(number: f64) -> String {
    let digits = format!("{number:.4e}").parse().unwrap_or(number);
    number_text(digits)
}

/// Why a run does not have a measure.
fn refused(
    run: &Trajectory,
    of: &Observable,
    what: analyze::Measure,
    refusal: Refusal,
    span: Span,
) -> Diagnostic {
    let name = &of.label;
    let words = analyze::Measure::ALL.into_iter();
    let word = words
        .filter(|(_, known)| *known == what)
        .map(|(word, _)| word.replace('_', "-"))
        .next()
        .unwrap_or_default();
    let (why, help) = match refusal {
        Refusal::TooFewSwings { passages } => (
            format!(
                "it passes its middle upwards {}",
                match passages {
                    0 => "never".to_owned(),
                    1 => "once".to_owned(),
                    more => format!("{more} times"),
                }
            ),
            "a longer run may show more swings: three passages are needed".to_owned(),
        ),
        Refusal::Settles { value } => (
            format!("it settles at {}", short(value)),
            "`steady` finds where it settles".to_owned(),
        ),
        Refusal::NotLasting { first, last } => (
            format!(
                "the swings {} from {} to {}",
                if last < first { "shrink" } else { "grow" },
                short(first),
                short(last)
            ),
            "a longer run may come to a lasting swing; a damped one has none".to_owned(),
        ),
        Refusal::Irregular { shortest, longest } => (
            format!(
                "its swings take between {} and {}",
                short(shortest),
                short(longest)
            ),
            "it may need a longer run to become regular, or be chaotic".to_owned(),
        ),
        Refusal::NoRepetition { steps } => (
            format!("it does not repeat within the last {steps} steps"),
            "it may need a longer run to settle, or be chaotic".to_owned(),
        ),
        Refusal::NotFalling => (
            "it does not fall towards zero at the end of the run".to_owned(),
            format!("choose a range in which it does, as in `half_life({name}, 10..20)`"),
        ),
        Refusal::NotExponential { from, to } => (
            format!(
                "it does not fall exponentially: the rate goes from {} to {}",
                short(from),
                short(to)
            ),
            "a longer run may show the last phase; what falls to a plateau has none: subtract it"
                .to_owned(),
        ),
        Refusal::FallsTooLittle => (
            "it falls by too little to tell".to_owned(),
            "simulate a longer range".to_owned(),
        ),
        Refusal::Never => ("it is never met".to_owned(), String::new()),
    };
    let whose = run.subject.as_ref();
    let whose = whose.map_or(String::new(), |subject| format!(" of subject {subject}"));
    Diagnostic::new(
        Code::NoMeasure,
        format!("`{name}`{whose} has no {word}: {why}"),
    )
    .at(span, "")
    .help(help)
}
