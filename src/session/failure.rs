//! Why a run stopped, in the model's own words: the time, the state, the likely equation.

use super::compiled::Compiled;
use super::counted;
use super::run::{EndOfRun, FailedAssertion};
use super::trajectory::Trajectory;
use super::values::{self, Point};
use super::{unsuited, upset};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::model::{Motion, Reaction};
use crate::simulate::{Invalid, Method, NonFinite, Stop};
use crate::source::Span;
use crate::symbolic::{self, Binary, Expr, Node, Pool, Unary};

/// The diagnostic of a run that did not reach its end.
pub(super) fn explain(run: &Trajectory, ending: &EndOfRun, sentence: Span) -> Option<Diagnostic> {
    let compiled = &run.compiled;
    let variable = compiled.model.names.variable();
    let diagnostic = match &run.solution.stop {
        Stop::Finished => return None,
        Stop::Invalid(invalid) => return Some(not_possible(compiled, *invalid, sentence)),
        Stop::Halted { time } => match &ending.failed {
            Some(failed) => assertion(run, failed),
            None => Diagnostic::new(
                Code::SolverFailed,
                format!("stopped at {variable} = {}", short(*time)),
            ),
        },
        Stop::NonFinite {
            time,
            states,
            what,
            values,
        } => {
            let fault = Fault {
                time: *time,
                states,
                what: *what,
                values,
            };
            non_finite(run, ending, &fault, sentence)
        }
        Stop::StepTooSmall { time, step, state } => {
            step_too_small(run, ending, (*time, *step, *state), sentence)
        }
        Stop::TooManySteps { time, steps } => too_many_steps(run, ending, (*time, *steps))
        .at(sentence, "")
        .help(match run.plan.as_ref().map(|plan| plan.options.method) {
            Some(Method::Ssa) => {
                "shorten the range; `using tau` or `using langevin` take many reactions at a time"
            }
            Some(Method::Tau) => "shorten the range; `using langevin` does not count molecules",
            _ => "shorten the range or loosen `rtol`; a stiff system needs `using bdf` or `auto`",
        }),
        Stop::Stiff {
            time,
            method,
            rate,
            projected,
        } => stiff(run, ending, *time, (*method, *rate))
            .at(sentence, format!("this would take about {} steps", short(*projected)))
            .help("write `using rodas`, or `using auto` to let Lotka choose"),
        Stop::Interrupted { time } => Diagnostic::new(
            Code::Interrupted,
            format!("stopped by the user at {variable} = {}", short(*time)),
        )
        .at(sentence, ""),
        Stop::NegativePropensity {
            time,
            reaction,
            way,
            value,
        } => unsuited::negative_rate(compiled, *time, (*reaction, *way), *value).at(sentence, ""),
        Stop::EventStorm { .. }
        | Stop::Chattering { .. }
        | Stop::Inconsistent { .. }
        | Stop::Schedule { .. }
        | Stop::Delay { .. }
        | Stop::NeverSteady { .. } => upset::explain(run, sentence)?,
        Stop::Propensity { .. } | Stop::Count { .. } => counted::explain(run, sentence)?,
        Stop::SolverFailed { time, detail } => Diagnostic::new(
            Code::SolverFailed,
            format!("the solver gave up at t = {}: {detail}", short(*time)),
        )
        .at(sentence, "")
        .help("try another method, as in `using esdirk34`, or a looser `rtol`"),
    };
    let kept = kept(run.solution.times.len());
    let help = match &diagnostic.help {
        Some(help) => format!("{help}; {kept}"),
        None => kept,
    };
    Some(Diagnostic {
        message: match &run.subject {
            Some(subject) => format!("subject {subject}: {}", diagnostic.message),
            None => diagnostic.message,
        },
        help: Some(help),
        ..diagnostic
    })
}

fn kept(rows: usize) -> String {
    match rows {
        0 => "nothing is kept".to_owned(),
        1 => "the row at the start is kept".to_owned(),
        rows => format!("the {rows} rows before are kept"),
    }
}

/// Six digits are enough for a message.
pub(super) fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return number_text(x);
    }
    if !(1e-4..1e7).contains(&x.abs()) {
        return format!("{x:.3e}");
    }
    // Through a number: the shortest text of what six digits say.
    format!("{x:.5e}")
        .parse()
        .map_or_else(|_| number_text(x), number_text)
}

/// Growth beyond this many times the size at the start is taken for growth without bounds.
const UNBOUNDED: f64 = 1e6;

/// True when one of these states is far larger than anything at the start.
fn grows(run: &Trajectory, states: &[usize], values: &[f64]) -> bool {
    let start = run.solution.row(0).unwrap_or(&[]);
    let size = start
        .iter()
        .fold(1.0_f64, |size, value| size.max(value.abs()));
    states
        .iter()
        .filter_map(|state| values.get(*state))
        .any(|value| value.abs() > UNBOUNDED * size)
}

fn step_too_small(
    run: &Trajectory,
    ending: &EndOfRun,
    (time, step, state): (f64, f64, usize),
    sentence: Span,
) -> Diagnostic {
    let compiled = &run.compiled;
    let name = compiled.state_name(state);
    let help = if grows(run, &[state], &ending.state) {
        format!(
            "`{name}` is {} there: the solution seems to grow without bounds in finite time",
            short(ending.state.get(state).copied().unwrap_or(f64::NAN))
        )
    } else {
        "look for a jump or a singularity there".to_owned()
    };
    let (span, text) = equation_of(run, state, time, &ending.state);
    Diagnostic::new(
        Code::StepTooSmall,
        format!(
            "the steps became too small at t = {}: `{name}` changes too fast",
            short(time)
        ),
    )
    .at(span, text)
    .at(sentence, format!("the last step was {}", short(step)))
    .help(help)
}

/// Counted reactions: the one that happens most often is underlined; else what is fastest.
fn too_many_steps(run: &Trajectory, ending: &EndOfRun, (time, steps): (f64, u64)) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::TooManySteps,
        format!(
            "{steps} steps were not enough: the run is at t = {}",
            short(time)
        ),
    );
    let method = run.plan.as_ref().map(|plan| plan.options.method);
    if !matches!(method, Some(Method::Ssa | Method::Tau)) {
        return at_fastest(diagnostic, run, time, &ending.state);
    }
    let flux = |flux: Expr, pool: &Pool| value_at(run, (time, &ending.state), flux, pool).abs();
    match largest_reaction(run, |_| true, flux) {
        Some(reaction) => diagnostic.at(reaction.span, "happens most often"),
        None => diagnostic,
    }
}

fn stiff(
    run: &Trajectory,
    ending: &EndOfRun,
    time: f64,
    (method, rate): (Method, f64),
) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::TooStiff,
        format!(
            "the system is too stiff for the explicit method `{method}`: at t = {} its fastest part \
             decays at the rate {}",
            short(time),
            short(rate)
        ),
    );
    at_fastest(diagnostic, run, time, &ending.state)
}

/// A small step of one number of the state vector, for differences.
fn beside(state: &[f64], position: usize) -> Option<(Vec<f64>, f64)> {
    let mut beside = state.to_vec();
    let moved = beside.get_mut(position)?;
    let step = f64::EPSILON.sqrt() * moved.abs().max(1e-6);
    *moved += step;
    Some((beside, step))
}

/// The diagnostic with the equation underlined of the state whose own derivative pulls it back
/// most: the most negative entry on the diagonal of the Jacobian, by differences. For a species it
/// is the reaction whose flux grows most with it.
fn at_fastest(diagnostic: Diagnostic, run: &Trajectory, time: f64, state: &[f64]) -> Diagnostic {
    // Large models: the message is not worth minutes.
    const MOST_STATES: usize = 200;
    let compiled = &run.compiled;
    let system = &compiled.system;
    if state.len() > MOST_STATES {
        return diagnostic;
    }
    let slope = |position: usize| -> Option<f64> {
        let (block, element) = system.states.locate(position)?;
        let drift = *system.drift.get(block)?;
        let (beside, step) = beside(state, position)?;
        let rate = |state: &[f64]| {
            let point = point(run, time, state);
            let values = values::evaluate_at(&system.pool, system, drift, &point);
            values.get(element).copied()
        };
        Some((rate(&beside)? - rate(state)?) / step)
    };
    let mut fastest: Option<(f64, usize)> = None;
    for position in 0..state.len() {
        let slope = slope(position).unwrap_or(0.0);
        if slope < 0.0 && fastest.is_none_or(|(known, _)| slope < known) {
            fastest = Some((slope, position));
        }
    }
    let Some((_, position)) = fastest else {
        return diagnostic;
    };
    let name = compiled.state_name(position);
    let Some((block, element)) = system.states.locate(position) else {
        return diagnostic;
    };
    let known = compiled.model.states.get(block);
    if let Some(equation) = known.and_then(|state| state.equation) {
        return diagnostic.at(equation, format!("`{name}` decays fastest"));
    }
    let growth = |flux: Expr, pool: &Pool| {
        let Some((beside, _)) = beside(state, position) else {
            return 0.0;
        };
        let here = value_at(run, (time, state), flux, pool);
        (value_at(run, (time, &beside), flux, pool) - here).abs()
    };
    match largest_reaction(run, |one| involves(one, block, element), growth) {
        Some(reaction) => diagnostic.at(reaction.span, format!("`{name}` decays fastest, here")),
        None => diagnostic,
    }
}

fn assertion(run: &Trajectory, failed: &FailedAssertion) -> Diagnostic {
    let compiled = &run.compiled;
    let system = &compiled.system;
    let at_start = run.solution.times.len() <= 1 && failed.time == compiled.model.time.start;
    let diagnostic = Diagnostic::new(
        Code::AssertionFailed,
        if at_start {
            "an assertion does not hold at the start".to_owned()
        } else {
            format!(
                "an assertion ceases to hold at {} = {}",
                compiled.model.names.variable(),
                short(failed.time)
            )
        },
    );
    let known = compiled.model.assertions.get(failed.assertion);
    let condition = system.assertions.get(failed.assertion);
    let (Some(known), Some(condition)) = (known, condition) else {
        return diagnostic;
    };
    let point = point(run, failed.time, &failed.state);
    let value = |expr: Expr| values::evaluate_at(&system.pool, system, expr, &point);
    let values = named_values(&system.pool, *condition, &value);
    let text = if values.is_empty() {
        String::new()
    } else {
        format!("false at {}", listed(&values))
    };
    diagnostic.at(known.span, text)
}

/// A value that is not finite, and where it was met.
struct Fault<'a> {
    time: f64,
    states: &'a [usize],
    what: NonFinite,
    values: &'a [f64],
}

fn non_finite(
    run: &Trajectory,
    ending: &EndOfRun,
    fault: &Fault<'_>,
    sentence: Span,
) -> Diagnostic {
    const MOST_NAMED: usize = 4;
    let compiled = &run.compiled;
    let mut names: Vec<String> = fault
        .states
        .iter()
        .take(MOST_NAMED)
        .map(|state| format!("`{}`", compiled.state_name(*state)))
        .collect();
    if fault.states.len() > MOST_NAMED {
        names.push(format!("{} more", fault.states.len() - MOST_NAMED));
    }
    let subject = match fault.what {
        NonFinite::State => listed(&names),
        NonFinite::Derivative => format!("the derivative of {}", listed(&names)),
        NonFinite::Jacobian => format!("the Jacobian by {}", listed(&names)),
        NonFinite::Noise => format!("the noise of {}", listed(&names)),
    };
    let variable = compiled.model.names.variable();
    let at_start = run.solution.times.first() == Some(&fault.time);
    let diagnostic = Diagnostic::new(
        Code::NonFiniteState,
        if at_start {
            format!(
                "{subject} is not finite at the start, {variable} = {}",
                short(fault.time)
            )
        } else {
            format!(
                "{subject} ceased to be finite at {variable} = {}",
                short(fault.time)
            )
        },
    );
    let is_map = compiled.model.motion == Motion::Map;
    // The new state of a map follows from the step before.
    let before = Fault {
        time: fault.time - f64::from(u8::from(is_map)),
        ..*fault
    };
    let found = fault
        .states
        .iter()
        .find_map(|state| Some((*state, culprit(run, &before, *state)?)));
    let (place, operation) = match found {
        Some((state, culprit)) => (Some((state, culprit.text)), Some(culprit.operation)),
        None => (
            fault.states.first().map(|state| (*state, String::new())),
            None,
        ),
    };
    let diagnostic = match place {
        None => diagnostic,
        Some((state, text)) => {
            let (span, words) = equation_of(run, state, fault.time, fault.values);
            diagnostic.at(span, if text.is_empty() { words } else { text })
        }
    };
    let grown = [&ending.state, fault.values]
        .iter()
        .any(|values| grows(run, fault.states, values));
    let help = match operation {
        _ if grown && is_map => {
            "the iterates grow without bounds: a smaller rate or step size may hold them"
        }
        _ if grown => "the solution seems to grow without bounds in finite time",
        Some(Trouble::Division) => "keep the divisor from being zero, at the start and on the way",
        Some(Trouble::Domain) => {
            "keep the argument of the root, power or logarithm within its domain, as in `max(x, 0)`"
        }
        Some(Trouble::Size) => "the number is too large: look at signs and units of what goes in",
        None => "look for a division by zero, or a root, power or logarithm outside its domain",
    };
    diagnostic.at(sentence, "").help(help)
}

fn not_possible(compiled: &Compiled, invalid: Invalid, sentence: Span) -> Diagnostic {
    let message = match invalid {
        Invalid::Range { start, end } => {
            format!("time cannot run from {} to {}", short(start), short(end))
        }
        Invalid::Dimension { expected, found } => {
            format!("{found} numbers were given for {expected} states")
        }
        Invalid::Tolerance {
            state: Some(state),
            value,
        } => format!(
            "the absolute tolerance {} of `{}` is not usable",
            number_text(value),
            compiled.state_name(state)
        ),
        Invalid::Tolerance { state: None, value } => {
            format!(
                "the relative tolerance {} is not usable",
                number_text(value)
            )
        }
        Invalid::OutputTime { time, .. } => {
            format!("the output time {} lies outside the run", short(time))
        }
        Invalid::Constraints { method } => {
            let message = format!("`{method}` does not solve constraints");
            return Diagnostic::new(Code::BadOption, message)
                .at(sentence, "")
                .help("take `rodas`, or leave the choice to `auto`");
        }
        Invalid::Noise { method, why } => {
            return unsuited::refused(compiled, method, why, sentence);
        }
        Invalid::NotLinear => return not_linear(sentence),
        Invalid::NotCounted => "these reactions are not counted".to_owned(),
        Invalid::StepSize { value } => format!("a step of {} is not usable", number_text(value)),
    };
    Diagnostic::new(Code::BadOption, message).at(sentence, "")
}

fn not_linear(sentence: Span) -> Diagnostic {
    let message = "`exponential` is for linear equations with constant coefficients";
    Diagnostic::new(Code::BadOption, message)
        .at(sentence, "these equations are not")
        .help("write `using auto`, which takes the exact solution wherever there is one")
}

/// Where the equation of a number of the state vector stands, with a few words: for a species the
/// reaction that changes it most.
fn equation_of(run: &Trajectory, position: usize, time: f64, values: &[f64]) -> (Span, String) {
    let compiled = &run.compiled;
    let words = format!("the equation of `{}`", compiled.state_name(position));
    let Some((block, element)) = compiled.system.states.locate(position) else {
        let nowhere = Span::new(crate::source::SourceId(u32::MAX), 0, 0);
        return (nowhere, words);
    };
    let state = &compiled.model.states[block];
    if let Some(equation) = state.equation {
        return (equation, words);
    }
    let takes_part = |reaction: &Reaction| involves(reaction, block, element);
    let flux = |flux: Expr, pool: &Pool| value_at(run, (time, values), flux, pool).abs();
    match largest_reaction(run, takes_part, flux) {
        Some(reaction) => (
            reaction.span,
            format!("changes `{}` most", compiled.state_name(position)),
        ),
        None => (state.span, words),
    }
}

/// Whether an element of a species takes part in a reaction.
fn involves(reaction: &Reaction, block: usize, element: usize) -> bool {
    let mut terms = reaction.reactants.iter().chain(&reaction.products);
    terms.any(|known| known.species.index() == block && known.element as usize == element)
}

/// A single number along a run, near its end.
fn value_at(run: &Trajectory, (time, state): (f64, &[f64]), expr: Expr, pool: &Pool) -> f64 {
    let values = values::evaluate_at(pool, &run.compiled.system, expr, &point(run, time, state));
    values.first().copied().unwrap_or(f64::NAN)
}

/// The reaction with the largest `measure` of its flux among some.
fn largest_reaction(
    run: &Trajectory,
    among: impl Fn(&Reaction) -> bool,
    measure: impl Fn(Expr, &Pool) -> f64,
) -> Option<&Reaction> {
    let system = &run.compiled.system;
    let mut pool = Pool::continuing(&system.pool);
    let mut largest: Option<(f64, &Reaction)> = None;
    for reaction in run.compiled.model.reactions.iter().filter(|one| among(one)) {
        let flux = system.inline(&mut pool, reaction.flux);
        let size = measure(flux, &pool);
        // What is not a number changes the species more than any number.
        let size = if size.is_nan() { f64::INFINITY } else { size };
        if largest.is_none_or(|(known, _)| size > known) {
            largest = Some((size, reaction));
        }
    }
    largest.map(|(_, reaction)| reaction)
}

/// What an operation that is not finite asks its operands for.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Division,
    Domain,
    Size,
}

/// The operation that is not finite, in the words of the model.
struct Culprit {
    text: String,
    operation: Trouble,
}

/// The first operation inside a state's drift that is not finite although its operands are, with
/// the values that made it so.
fn culprit(run: &Trajectory, fault: &Fault<'_>, position: usize) -> Option<Culprit> {
    // Large models: the message is not worth minutes.
    const MOST_NODES: usize = 2_000;
    let system = &run.compiled.system;
    let (block, _) = system.states.locate(position)?;
    let drift = *system.drift.get(block)?;
    let point = point(run, fault.time, fault.values);
    let value = |expr: Expr| values::evaluate_at(&system.pool, system, expr, &point);
    let nodes = symbolic::reachable(&system.pool, &[drift]);
    if nodes.len() > MOST_NODES {
        return None;
    }
    let finite = |expr: Expr| value(expr).iter().all(|number| number.is_finite());
    let broken = nodes.into_iter().find(|expr| !finite(*expr))?;
    let operation = match system.pool.node(broken) {
        Node::Constant(_) | Node::Symbol(_) => return None,
        Node::Binary(Binary::Divide, ..) => Trouble::Division,
        _ if value(broken).iter().any(|number| number.is_nan()) => Trouble::Domain,
        _ => Trouble::Size,
    };
    let wrong = value(broken)
        .into_iter()
        .find(|number| !number.is_finite())?;
    let symbols: Vec<String> = named_values(&system.pool, broken, &value);
    let text = run.compiled.text_of(broken);
    if let Node::Unary(Unary::Positive, _) = system.pool.node(broken) {
        let place = match symbols.is_empty() {
            true => String::new(),
            false => format!(" at {}", listed(&symbols)),
        };
        return Some(Culprit {
            text: format!("`{text}`, which scales a Hill function, is not above 0{place}"),
            operation,
        });
    }
    Some(Culprit {
        text: if symbols.is_empty() {
            format!("`{text}` is {}", number_text(wrong))
        } else {
            format!("`{text}` is {} at {}", number_text(wrong), listed(&symbols))
        },
        operation,
    })
}

/// A point of a run near its end, with the parameters and slots of its last row.
fn point<'r>(run: &'r Trajectory, time: f64, state: &'r [f64]) -> Point<'r> {
    let last = run.times().len().saturating_sub(1);
    Point {
        time,
        state,
        parameters: run.parameters_at(last),
        slots: run.solution.slots_of(last),
    }
}

fn named_values(pool: &Pool, expr: Expr, value: &impl Fn(Expr) -> Vec<f64>) -> Vec<String> {
    symbolic::reachable(pool, &[expr])
        .into_iter()
        .filter_map(|part| match pool.node(part) {
            Node::Symbol(symbol) => {
                let numbers = value(part);
                let name = &pool.symbol_data(*symbol).name;
                match numbers.as_slice() {
                    [number] => Some(format!("{name} = {}", short(*number))),
                    _ => None,
                }
            }
            _ => None,
        })
        .take(5)
        .collect()
}
