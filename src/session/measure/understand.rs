//! From the text of a measure to what is to be computed.
//!
//! Enters: an expression. Leaves: terms whose observables are ready to be evaluated, or what is wrong
//! with it. Must not know runs.

use super::super::compiled::{Compiled, Observable};
use crate::analyze;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::kernel::SharedKernel;
use crate::source::Span;
use crate::symbolic::{Builtin, Expr, Pool, Shape, SymbolId, Value, evaluate, symbols_of};
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};
use crate::system::Motion;
use std::sync::OnceLock;

/// The word for the first time at which a condition holds.
pub(super) const TIME_OF: &str = "time_of";

fn known(word: &str) -> Option<analyze::Measure> {
    let mut all = analyze::Measure::ALL.into_iter();
    all.find(|(name, _)| *name == word).map(|(_, what)| what)
}

fn words() -> impl Iterator<Item = &'static str> + Clone {
    let all = analyze::Measure::ALL.into_iter();
    all.map(|(name, _)| name).chain([TIME_OF])
}

/// The word of this language for one of another.
fn other_word(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "maximum" | "highest" | "peak" | "cmax" => "max",
        "minimum" | "lowest" | "trough" | "cmin" => "min",
        "average" | "avg" => "mean",
        "tmax" => "time_of_max",
        "tmin" => "time_of_min",
        "integral" | "area" | "integrate" => "auc",
        "end" | "final" => "last",
        "start" | "initial" => "first",
        "time" | "when" => "time_of",
        _ => return None,
    })
}

/// What can be seen to be wrong without a model: calls that are no measures.
pub(super) fn words_at_fault(expr: &tree::Expr) -> Vec<Diagnostic> {
    match &expr.kind {
        ExprKind::Call { arguments, .. } if applied(expr).is_some() => {
            let inner = arguments.iter();
            inner
                .flat_map(|inner| words_at_fault(&inner.value))
                .collect()
        }
        ExprKind::Call { function, .. } if words().all(|word| word != function.name.text) => {
            let other = other_word(&function.name.text);
            let other = other.map(|word| format!("the word is `{word}`"));
            let near = || did_you_mean(&function.name.text, words());
            let help = other.or_else(near).unwrap_or_else(|| {
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

/// The function of the language that an expression calls, where that is no measure: `sqrt` of
/// anything, `max` of two numbers.
fn applied(expr: &tree::Expr) -> Option<&'static Builtin> {
    let ExprKind::Call {
        function,
        arguments,
    } = &expr.kind
    else {
        return None;
    };
    let is_measure = words().any(|word| word == function.name.text);
    let of_numbers = || {
        matches!(arguments.as_slice(), [first, second]
            if !matches!(second.value.kind, ExprKind::Range { .. })
                && (holds_measure(&first.value) || holds_measure(&second.value)))
    };
    Builtin::find(&function.name.text).filter(|_| !is_measure || of_numbers())
}

/// True for an expression with a call of a measure in its arithmetic. Of two numbers `max` and `min`
/// are functions of the language.
pub(super) fn holds_measure(expr: &tree::Expr) -> bool {
    match &expr.kind {
        ExprKind::Call {
            function,
            arguments,
        } if words().any(|word| word == function.name.text) => match arguments.as_slice() {
            [first, second, ..] => {
                matches!(second.value.kind, ExprKind::Range { .. })
                    || holds_measure(&first.value)
                    || holds_measure(&second.value)
            }
            _ => true,
        },
        ExprKind::Call { arguments, .. } if applied(expr).is_some() => {
            arguments.iter().any(|inner| holds_measure(&inner.value))
        }
        ExprKind::Unary { operand, .. } => holds_measure(operand),
        ExprKind::Binary { left, right, .. } => holds_measure(left) || holds_measure(right),
        _ => false,
    }
}

/// A number to be computed from measures.
pub(super) enum Term {
    Number(f64),
    /// An expression of parameters.
    Constant(Observable),
    Measure {
        what: analyze::Measure,
        of: Followed,
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
    /// A function of the language.
    Apply(Applied, Vec<Term>),
}

/// A function of numbers.
pub(super) struct Applied {
    pool: Pool,
    arguments: Vec<SymbolId>,
    value: Expr,
}

impl Applied {
    pub(super) fn value(&self, at: &[f64]) -> f64 {
        let argument = |symbol| {
            let place = self.arguments.iter().position(|known| *known == symbol);
            let value = place.and_then(|place| at.get(place)).copied();
            Value::scalar(value.unwrap_or(f64::NAN))
        };
        let value = evaluate(&self.pool, self.value, &argument);
        value.number()
    }
}

/// What is followed along a run.
pub(super) struct Followed {
    pub observable: Observable,
    /// Its value, and in a flow its time derivative; compiled once for all runs.
    function: OnceLock<SharedKernel>,
}

impl Followed {
    fn new(observable: Observable) -> Followed {
        Followed {
            observable,
            function: OnceLock::new(),
        }
    }

    /// The function of its value and, in a flow, of its exact time derivative.
    pub fn function(&self, compiled: &Compiled) -> &SharedKernel {
        self.function.get_or_init(|| {
            let value = self.observable.expr;
            let mut pool = Pool::continuing(&self.observable.pool);
            let mut exprs = vec![value];
            if compiled.system.motion == Motion::Flow {
                exprs.extend(compiled.system.rates(&mut pool, &[value]));
            }
            compiled.kernels.function(&pool, &exprs)
        })
    }
}

/// A range of time; an open end is that of the run.
pub(super) struct Window {
    pub from: Option<Observable>,
    pub to: Option<Observable>,
    pub span: Span,
}

/// A condition in terms of the signs of differences.
pub(super) enum Condition {
    Compare(BinaryOperator, Followed),
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

pub(super) type Understood<T> = Result<T, Vec<Diagnostic>>;

pub(super) fn understood(compiled: &Compiled, expr: &tree::Expr) -> Understood<Term> {
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
        } => match applied(expr) {
            Some(known) if holds_measure(expr) => apply(compiled, known, arguments, expr.span),
            Some(_) => constant(compiled, expr),
            None => call(compiled, function, arguments, expr.span),
        },
        _ => constant(compiled, expr),
    }
}

#[inline(never)]
fn apply(
    compiled: &Compiled,
    known: &'static Builtin,
    arguments: &[tree::Argument],
    span: Span,
) -> Understood<Term> {
    let (mut terms, mut problems) = (Vec::new(), Vec::new());
    for argument in arguments {
        match understood(compiled, &argument.value) {
            Ok(term) => terms.push(term),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut pool = Pool::new();
    let symbols: Vec<SymbolId> = (0..terms.len())
        .map(|at| pool.new_symbol(format!("x{at}"), Shape::Scalar))
        .collect();
    let values: Vec<Expr> = symbols.iter().map(|symbol| pool.symbol(*symbol)).collect();
    match known.call(&mut pool, &values) {
        Ok(value) if pool.shape(value) == Shape::Scalar => {
            let arguments = symbols;
            let applied = Applied {
                pool,
                arguments,
                value,
            };
            Ok(Term::Apply(applied, terms))
        }
        _ => Err(vec![
            Diagnostic::new(
                Code::Arity,
                format!("`{}` does not take these numbers", known.name),
            )
            .at(span, "")
            .help(format!("`{}`: {}", known.name, known.description)),
        ]),
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
        of: Followed::new(observable),
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
        if let Ok(Term::Constant(observable)) = constant(compiled, end) {
            return Ok(Some(observable));
        }
        compiled.observable(end)?;
        Err(vec![
            Diagnostic::new(Code::BadOption, "the ends of a range of time are fixed")
                .at(end.span, "this has a value at each time")
                .help(format!("as in `{word}(x, 0..24)`")),
        ])
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
                Followed::new(scalar(compiled, &difference)?),
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
    pub(super) fn differences<'c>(&'c self, into: &mut Vec<&'c Followed>) {
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
    pub(super) fn holds(&self, signs: &mut std::slice::Iter<'_, f64>) -> bool {
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
