//! `measure`: numbers taken from the last run, in the model's own words.
//!
//! Enters: expressions of measures, such as `max(C1)/min(C1)`. Leaves: numbers with units and an
//! estimate of their error, or why the run does not have them. Measures belong to the run, not to
//! the rows that were asked for: a run with output times is made once more with its steps as rows.

use super::command::Command;
use super::compiled::{Compiled, Observable};
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::run;
use super::simulate::Plan;
use super::trajectory::Trajectory;
use super::values::{self, Point};
use super::{Observer, Session};
use crate::analyze::{self, Curve, Measured, Refusal, first_time};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed, number_text};
use crate::model::Entity;
use crate::simulate::Output;
use crate::source::Span;
use crate::symbolic::{Pool, Shape, symbols_of};
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};
use crate::syntax::{self};
use crate::world::{SystemWorld, World};
use std::sync::Arc;

/// Points kept inside each step when a run is made again.
const POINTS_INSIDE_A_STEP: usize = 4;
/// The word for the first time at which a condition holds.
const TIME_OF: &str = "time_of";

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

fn known(word: &str) -> Option<analyze::Measure> {
    let mut all = analyze::Measure::ALL.into_iter();
    all.find(|(name, _)| *name == word).map(|(_, what)| what)
}

fn words() -> impl Iterator<Item = &'static str> + Clone {
    let all = analyze::Measure::ALL.into_iter();
    all.map(|(name, _)| name).chain([TIME_OF])
}

/// What can be seen to be wrong without a model: calls that are no measures.
fn words_at_fault(expr: &tree::Expr) -> Vec<Diagnostic> {
    match &expr.kind {
        ExprKind::Call { function, .. } if words().all(|word| word != function.name.text) => {
            let help = did_you_mean(&function.name.text, words()).unwrap_or_else(|| {
                let words: Vec<String> = words().map(|word| format!("`{word}`")).collect();
                format!("there are {}", listed(&words))
            });
            let message = format!("`{}` is not a measure", function.name.text);
            vec![
                Diagnostic::new(Code::UnknownFunction, message)
                    .at(function.span, "not known")
                    .help(help),
            ]
        }
        ExprKind::Unary { operand, .. } => words_at_fault(operand),
        ExprKind::Binary { left, right, .. } => {
            let mut problems = words_at_fault(left);
            problems.extend(words_at_fault(right));
            problems
        }
        _ => Vec::new(),
    }
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

// ---- from text to measures ----

/// A number to be computed from measures.
enum Term {
    Number(f64),
    /// An expression of parameters.
    Constant(Observable),
    Measure {
        what: analyze::Measure,
        of: Observable,
        window: Option<Window>,
        span: Span,
    },
    TimeOf {
        condition: Condition,
        window: Option<Window>,
        span: Span,
    },
    Negate(Box<Term>),
    Combine(BinaryOperator, Box<Term>, Box<Term>),
}

/// A range of time; an open end is that of the run.
struct Window {
    from: Option<Observable>,
    to: Option<Observable>,
    span: Span,
}

/// A condition in terms of the signs of differences.
enum Condition {
    Compare(BinaryOperator, Observable),
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

type Understood<T> = Result<T, Vec<Diagnostic>>;

fn understood(compiled: &Compiled, expr: &tree::Expr) -> Understood<Term> {
    match &expr.kind {
        ExprKind::Number { value, .. } => Ok(Term::Number(*value)),
        ExprKind::Unary {
            operator: UnaryOperator::Negate,
            operand,
        } => Ok(Term::Negate(Box::new(understood(compiled, operand)?))),
        ExprKind::Binary {
            operator,
            left,
            right,
            ..
        } if is_arithmetic(*operator) => {
            let (left, right) = (understood(compiled, left), understood(compiled, right));
            let (left, right) = both(left, right)?;
            Ok(Term::Combine(*operator, Box::new(left), Box::new(right)))
        }
        ExprKind::Call {
            function,
            arguments,
        } => call(compiled, function, arguments, expr.span),
        _ => constant(compiled, expr),
    }
}

fn is_arithmetic(operator: BinaryOperator) -> bool {
    use BinaryOperator::{Add, Divide, Multiply, Power, Subtract};
    matches!(operator, Add | Subtract | Multiply | Divide | Power)
}

fn both<T>(left: Understood<T>, right: Understood<T>) -> Understood<(T, T)> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (left, right) => {
            let mut problems = left.err().unwrap_or_default();
            problems.extend(right.err().into_iter().flatten());
            Err(problems)
        }
    }
}

/// A name beside measures: it must not change along the run.
fn constant(compiled: &Compiled, expr: &tree::Expr) -> Understood<Term> {
    let observable = scalar(compiled, expr)?;
    let symbols = symbols_of(&observable.pool, observable.expr);
    let parameters = compiled.system.parameters.blocks();
    let is_parameter = |symbol| parameters.iter().any(|block| block.symbol == symbol);
    if symbols.into_iter().all(is_parameter) && !observable.is_condition {
        return Ok(Term::Constant(observable));
    }
    Err(vec![
        Diagnostic::new(
            Code::BadOption,
            format!("`{}` has a value at each time", observable.label),
        )
        .at(expr.span, "which of them?")
        .help(format!(
            "take a measure of it, as in `max({})`",
            observable.label
        )),
    ])
}

fn scalar(compiled: &Compiled, expr: &tree::Expr) -> Understood<Observable> {
    let observable = compiled.observable(expr)?;
    if observable.shape == Shape::Scalar {
        return Ok(observable);
    }
    let message = format!("this is {}, not a single number", observable.shape);
    Err(vec![
        Diagnostic::new(Code::ShapeMismatch, message)
            .at(expr.span, "")
            .help("name one element, as in `max(y[1])`"),
    ])
}

fn call(
    compiled: &Compiled,
    function: &tree::Reference,
    arguments: &[tree::Argument],
    span: Span,
) -> Understood<Term> {
    let word = &function.name.text;
    let example = if word == TIME_OF { "x > 5" } else { "x" };
    let (of, window) = match arguments {
        [of] => (&of.value, None),
        [of, window] => (&of.value, Some(window_of(compiled, word, &window.value)?)),
        _ => {
            return Err(vec![
                Diagnostic::new(
                    Code::Arity,
                    format!("`{word}` takes what is measured, and perhaps a range of time"),
                )
                .at(span, format!("{} given", arguments.len()))
                .help(format!(
                    "as in `{word}({example})` or `{word}({example}, 0..24)`"
                )),
            ]);
        }
    };
    if word == TIME_OF {
        let condition = condition(compiled, of)?;
        return Ok(Term::TimeOf {
            condition,
            window,
            span,
        });
    }
    let Some(what) = known(word) else {
        return Err(words_at_fault(&tree::Expr {
            span,
            kind: ExprKind::Call {
                function: function.clone(),
                arguments: arguments.to_vec(),
            },
        }));
    };
    let observable = scalar(compiled, of)?;
    if observable.is_condition {
        return Err(vec![
            Diagnostic::new(Code::NotNumeric, "a number is needed here")
                .at(of.span, "this is a condition")
                .help(format!(
                    "`time_of({})` says when it first holds",
                    observable.label
                )),
        ]);
    }
    Ok(Term::Measure {
        what,
        of: observable,
        window,
        span,
    })
}

fn window_of(compiled: &Compiled, word: &str, expr: &tree::Expr) -> Understood<Window> {
    let ExprKind::Range { low, high } = &expr.kind else {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "the second argument is a range of time")
                .at(expr.span, "this is no range")
                .help(format!("as in `{word}(x, 0..24)`")),
        ]);
    };
    let end = |end: &Option<Box<tree::Expr>>| {
        let Some(end) = end else { return Ok(None) };
        match constant(compiled, end)? {
            Term::Constant(observable) => Ok(Some(observable)),
            _ => Ok(None),
        }
    };
    let (from, to) = both(end(low), end(high))?;
    let span = expr.span;
    Ok(Window { from, to, span })
}

fn condition(compiled: &Compiled, expr: &tree::Expr) -> Understood<Condition> {
    match &expr.kind {
        ExprKind::Unary {
            operator: UnaryOperator::Not,
            operand,
        } => Ok(Condition::Not(Box::new(condition(compiled, operand)?))),
        ExprKind::Binary {
            operator: operator @ (BinaryOperator::And | BinaryOperator::Or),
            left,
            right,
            ..
        } => {
            let (left, right) = both(condition(compiled, left), condition(compiled, right))?;
            let (left, right) = (Box::new(left), Box::new(right));
            Ok(match operator {
                BinaryOperator::And => Condition::Both(left, right),
                _ => Condition::Either(left, right),
            })
        }
        ExprKind::Binary {
            operator,
            operator_span,
            left,
            right,
        } if is_comparison(*operator) => {
            let difference = tree::Expr {
                span: expr.span,
                kind: ExprKind::Binary {
                    operator: BinaryOperator::Subtract,
                    operator_span: *operator_span,
                    left: left.clone(),
                    right: right.clone(),
                },
            };
            Ok(Condition::Compare(
                *operator,
                scalar(compiled, &difference)?,
            ))
        }
        _ => Err(vec![
            Diagnostic::new(Code::NotBoolean, "a comparison is needed here")
                .at(expr.span, "this is none")
                .help("as in `time_of(x > 5)` or `time_of(x > 5 and y < 1)`"),
        ]),
    }
}

fn is_comparison(operator: BinaryOperator) -> bool {
    use BinaryOperator::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    matches!(
        operator,
        Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual
    )
}

impl Condition {
    fn differences<'c>(&'c self, into: &mut Vec<&'c Observable>) {
        match self {
            Condition::Compare(_, difference) => into.push(difference),
            Condition::Both(a, b) | Condition::Either(a, b) => {
                a.differences(into);
                b.differences(into);
            }
            Condition::Not(inner) => inner.differences(into),
        }
    }

    /// `signs` of the differences, in order; those used are taken off the front.
    fn holds(&self, signs: &mut std::slice::Iter<'_, f64>) -> bool {
        match self {
            Condition::Compare(operator, _) => {
                let sign = signs.next().copied().unwrap_or(f64::NAN);
                match operator {
                    BinaryOperator::Less => sign < 0.0,
                    BinaryOperator::LessEqual => sign <= 0.0,
                    BinaryOperator::Greater => sign > 0.0,
                    BinaryOperator::GreaterEqual => sign >= 0.0,
                    BinaryOperator::NotEqual => sign != 0.0,
                    _ => sign == 0.0,
                }
            }
            // Both sides are always looked at, so that the signs stay in step.
            Condition::Both(a, b) => {
                let (a, b) = (a.holds(signs), b.holds(signs));
                a && b
            }
            Condition::Either(a, b) => {
                let (a, b) = (a.holds(signs), b.holds(signs));
                a || b
            }
            Condition::Not(inner) => !inner.holds(signs),
        }
    }
}

// ---- from measures to numbers ----

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
        let finer = finer(self, &SystemWorld::default());
        let run = finer.as_ref().unwrap_or(self);
        evaluated(run, &term).map_err(|problem| vec![problem].into())
    }
}

/// The run once more with its steps as rows, where these were others.
fn finer(run: &Trajectory, world: &dyn World) -> Option<Trajectory> {
    let plan = run.plan.as_deref()?;
    if matches!(plan.output, Output::Steps { .. }) {
        return None;
    }
    let plan = Plan {
        output: Output::Steps {
            interior: POINTS_INSIDE_A_STEP,
        },
        ..plan.clone()
    };
    let (finer, _) = run::run(&run.compiled, &plan, world, &mut ());
    let reached = |run: &Trajectory| run.times().last().copied();
    // A run that did not come as far this time was interrupted.
    (reached(&finer) >= reached(run)).then_some(finer)
}

fn evaluated(run: &Trajectory, term: &Term) -> Result<Measured, Diagnostic> {
    match term {
        Term::Number(value) => Ok(Measured::exact(*value)),
        Term::Constant(observable) => Ok(Measured::exact(at_start(run, observable))),
        Term::Measure {
            what,
            of,
            window,
            span,
        } => {
            let curve = curve(run, of, window.as_ref(), *span)?;
            let relative = run.solution.tolerances.relative;
            analyze::measure(&curve, *what, relative)
                .map_err(|refusal| refused(run, of, *what, refusal, *span))
        }
        Term::TimeOf {
            condition,
            window,
            span,
        } => {
            let mut differences = Vec::new();
            condition.differences(&mut differences);
            let curves = differences
                .into_iter()
                .map(|difference| curve(run, difference, window.as_ref(), *span))
                .collect::<Result<Vec<Curve>, Diagnostic>>()?;
            let holds = |signs: &[f64]| condition.holds(&mut signs.iter());
            first_time(&curves, &holds)
                .map(Measured::exact)
                .map_err(|_| {
                    Diagnostic::new(Code::NoMeasure, "the condition is never met in this run")
                        .at(*span, "")
                })
        }
        Term::Negate(inner) => {
            let inner = evaluated(run, inner)?;
            Ok(Measured {
                value: -inner.value,
                at: None,
                ..inner
            })
        }
        Term::Combine(operator, left, right) => Ok(combined(
            *operator,
            evaluated(run, left)?,
            evaluated(run, right)?,
        )),
    }
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
    of: &Observable,
    window: Option<&Window>,
    span: Span,
) -> Result<Curve, Diagnostic> {
    let mut pool = Pool::continuing(&of.pool);
    let rates = run.compiled.system.rates(&mut pool, &[of.expr]);
    let exprs: Vec<_> = [of.expr].into_iter().chain(rates).collect();
    let numbers = run.evaluate_all(&pool, &exprs);
    let (values, slopes): (Vec<f64>, Vec<f64>) = numbers
        .chunks_exact(exprs.len())
        .map(|row| (row[0], row.get(1).copied().unwrap_or(f64::NAN)))
        .unzip();
    let times = run.times();
    let Some(whole) = Curve::new(times, &values, &slopes) else {
        let wrong = values.iter().position(|value| !value.is_finite());
        let wrong = wrong.and_then(|row| Some((*times.get(row)?, *values.get(row)?)));
        let message = match wrong {
            Some((time, value)) => format!(
                "`{}` is {} at t = {}",
                of.label,
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
            let finer = finer(run, &*self.world);
            let run = finer.as_ref().unwrap_or(run);
            let rows = command.subjects.iter().zip(&terms).map(|(subject, term)| {
                let found = evaluated(run, term);
                MeasuredRow {
                    label: syntax::show_expression(subject),
                    measured: found.map_err(|problem| diagnostics.push(problem)).ok(),
                    unit: unit(&compiled, subject),
                }
            });
            measured.push(MeasuredRun {
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
