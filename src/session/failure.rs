//! Why a run stopped, in the model's own words: the time, the state, the likely equation.

use super::compiled::Compiled;
use super::simulate::FailedAssertion;
use super::trajectory::Trajectory;
use super::values;
use crate::diagnostic::{Code, Diagnostic};
use crate::simulate::{Invalid, NonFinite, Stop};
use crate::source::Span;
use crate::symbolic::{self, Expr, Node, Pool};

/// The diagnostic of a run that did not reach its end.
pub(super) fn explain(
    run: &Trajectory,
    failed: Option<&FailedAssertion>,
    sentence: Span,
) -> Option<Diagnostic> {
    let compiled = &run.compiled;
    let kept = format!("the {} rows up to there are kept", run.solution.times.len());
    let diagnostic = match &run.solution.stop {
        Stop::Finished => return None,
        Stop::Halted { time } => match failed {
            Some(failed) => assertion(compiled, failed),
            None => Diagnostic::new(Code::SolverFailed, format!("stopped at t = {}", short(*time))),
        },
        Stop::NonFinite { time, states, what } => non_finite(run, *time, states, *what, sentence),
        Stop::StepTooSmall { time, step, state } => {
            let name = compiled.state_name(*state);
            let size = state_at(run, *state);
            let mut diagnostic = Diagnostic::new(
                Code::StepTooSmall,
                format!(
                    "the steps became too small at t = {}: `{name}` changes too fast",
                    short(*time)
                ),
            )
            .at(equation_of(compiled, *state), format!("the equation of `{name}`"))
            .at(sentence, format!("step {}", short(*step)));
            diagnostic.help = Some(match size {
                Some(size) if size.abs() > 1e12 => format!(
                    "`{name}` is {} there: the solution seems to grow without bounds in finite time",
                    short(size)
                ),
                _ => "look for a jump or a singularity there; a jump at a known time needs a looser tolerance or a smooth form".to_owned(),
            });
            diagnostic
        }
        Stop::TooManySteps { time, steps } => Diagnostic::new(
            Code::TooManySteps,
            format!("{steps} steps were not enough: the run is at t = {}", short(*time)),
        )
        .at(sentence, "")
        .help("shorten the range or loosen `rtol`; a stiff system needs `using bdf` or `auto`"),
        Stop::Stiff {
            time,
            method,
            rate,
            projected,
        } => Diagnostic::new(
            Code::TooStiff,
            format!(
                "the system is too stiff for the explicit method `{method}`: at t = {} its fastest part decays at the rate {}",
                short(*time),
                short(*rate)
            ),
        )
        .at(sentence, format!("this would take about {} steps", short(*projected)))
        .help("write `using bdf`, or `using auto` to let Lotka choose"),
        Stop::Interrupted { time } => Diagnostic::new(
            Code::Interrupted,
            format!("stopped by the user at t = {}", short(*time)),
        )
        .at(sentence, ""),
        Stop::Invalid(invalid) => return Some(not_possible(compiled, *invalid, sentence)),
        Stop::SolverFailed { time, detail } => Diagnostic::new(
            Code::SolverFailed,
            format!("the solver gave up at t = {}: {detail}", short(*time)),
        )
        .at(sentence, "")
        .help("try another method, as in `using esdirk34`, or a looser `rtol`"),
    };
    Some(if diagnostic.help.is_none() {
        diagnostic.help(kept)
    } else {
        let help = diagnostic.help.clone().unwrap_or_default();
        diagnostic.help(format!("{help}; {kept}"))
    })
}

/// Six digits are enough for a message.
fn short(x: f64) -> String {
    let magnitude = x.abs();
    if x != 0.0 && !(1e-4..1e7).contains(&magnitude) {
        return format!("{x:.3e}");
    }
    let text = format!("{x:.6}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn assertion(compiled: &Compiled, failed: &FailedAssertion) -> Diagnostic {
    let span = compiled
        .model
        .assertions
        .get(failed.assertion)
        .map(|assertion| assertion.span);
    let values: Vec<String> = compiled
        .state_names()
        .iter()
        .zip(&failed.state)
        .take(6)
        .map(|(name, value)| format!("{name} = {}", short(*value)))
        .collect();
    let diagnostic = Diagnostic::new(
        Code::AssertionFailed,
        format!("an assertion does not hold at t = {}", short(failed.time)),
    );
    match span {
        Some(span) => diagnostic.at(span, format!("false at {}", values.join(", "))),
        None => diagnostic,
    }
}

fn non_finite(
    run: &Trajectory,
    time: f64,
    states: &[usize],
    what: NonFinite,
    sentence: Span,
) -> Diagnostic {
    let compiled = &run.compiled;
    let names: Vec<String> = states
        .iter()
        .take(4)
        .map(|state| format!("`{}`", compiled.state_name(*state)))
        .collect();
    let subject = match what {
        NonFinite::State => names.join(", "),
        NonFinite::Derivative => format!("the derivative of {}", names.join(", ")),
        NonFinite::Jacobian => format!("the Jacobian by {}", names.join(", ")),
    };
    let mut diagnostic = Diagnostic::new(
        Code::NonFiniteState,
        format!(
            "{subject} ceased to be a finite number at t = {}",
            short(time)
        ),
    );
    let culprit = states
        .iter()
        .find_map(|state| culprit(run, *state).map(|text| (*state, text)));
    let shown = culprit
        .as_ref()
        .map(|(state, _)| *state)
        .or(states.first().copied());
    if let Some(state) = shown {
        diagnostic = diagnostic.at(
            equation_of(compiled, state),
            match &culprit {
                Some((_, text)) => text.clone(),
                None => format!("the equation of `{}`", compiled.state_name(state)),
            },
        );
    }
    let growing = states
        .iter()
        .filter_map(|state| state_at(run, *state))
        .any(|value| value.abs() > 1e12);
    diagnostic.at(sentence, "").help(if growing {
        "the solution seems to grow without bounds in finite time"
    } else {
        "look for a division by zero, or a root, power or logarithm outside its domain"
    })
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
            "the absolute tolerance {value} of `{}` is not usable",
            compiled.state_name(state)
        ),
        Invalid::Tolerance { state: None, value } => {
            format!("the relative tolerance {value} is not usable")
        }
        Invalid::OutputTime { time, .. } => {
            format!("the output time {} lies outside the run", short(time))
        }
        Invalid::StepSize { value } => format!("a step of {value} is not usable"),
    };
    Diagnostic::new(Code::BadOption, message).at(sentence, "")
}

/// Where the equation of a number of the state vector stands: the declaration for a species.
fn equation_of(compiled: &Compiled, position: usize) -> Span {
    let nowhere = Span::new(crate::source::SourceId(u32::MAX), 0, 0);
    compiled
        .system
        .states
        .locate(position)
        .map_or(nowhere, |(block, _)| {
            let state = &compiled.model.states[block];
            state.equation.unwrap_or(state.span)
        })
}

fn state_at(run: &Trajectory, position: usize) -> Option<f64> {
    run.solution.last()?.1.get(position).copied()
}

/// The first operation inside a state's drift that is not finite although its operands are, with
/// the values that made it so, at the last state that is known.
fn culprit(run: &Trajectory, position: usize) -> Option<String> {
    let compiled = &run.compiled;
    let system = &compiled.system;
    let (time, state) = run.solution.last()?;
    let (block, _) = system.states.locate(position)?;
    let drift = *system.drift.get(block)?;
    let value =
        |expr: Expr| values::evaluate_at(&system.pool, system, expr, time, state, &run.parameters);
    // Large models: the message is not worth minutes.
    const MOST_NODES: usize = 2_000;
    let nodes = symbolic::reachable(&system.pool, &[drift]);
    if nodes.len() > MOST_NODES {
        return None;
    }
    let finite = |expr: Expr| value(expr).iter().all(|number| number.is_finite());
    let broken = nodes.into_iter().find(|expr| !finite(*expr))?;
    if matches!(
        system.pool.node(broken),
        Node::Constant(_) | Node::Symbol(_)
    ) {
        return None;
    }
    let symbols: Vec<String> = named_values(&system.pool, broken, &value);
    Some(format!(
        "`{}` is {} at {}",
        compiled
            .model
            .print(&system.pool, broken, symbolic::Notation::Text),
        value(broken).iter().find(|number| !number.is_finite())?,
        symbols.join(", ")
    ))
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
