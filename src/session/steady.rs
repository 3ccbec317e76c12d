//! `steady`: the steady state that the system goes to, in the model's own words.
//!
//! It is looked for from the values that hold now (or from the end of the last run), without
//! events and doses. A model that names the time or reads an input has none.

use super::command::{Command, Setting, Steady, SteadyStart};
use super::compiled::Compiled;
use super::equilibria;
use super::lower::{setting, word_of};
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::places;
use super::rest::AtRest;
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::values::{self, Overrides};
use super::{Observer, Session};
use crate::analyze::{self, NotFound, Question, Reached, Restless, SteadyState};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::simulate::Stop;
use crate::source::Span;
use crate::syntax::tree;
use crate::system::{Motion, System};
use crate::world::World;
use std::sync::Arc;

/// A steady state with the names of its model.
#[derive(Debug, Clone)]
pub struct SteadyAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The parameter values that it holds for.
    pub parameters: Vec<f64>,
    /// The state, and how it was found.
    pub found: SteadyState,
    /// What the model has and a steady state leaves out: `doses`, `events`.
    pub left_out: Vec<&'static str>,
}

impl SteadyAnswer {
    /// An expression of the model's names at the steady state.
    ///
    /// # Errors
    /// Syntax errors, unknown names.
    pub fn value(&self, expression: &str) -> Result<Vec<f64>, super::Error> {
        let observable = self.compiled.observable_from_text(expression)?;
        let system = &self.compiled.system;
        let mut slots = vec![0.0; system.slots.len()];
        for (at, delay) in system.slots.delayed.clone().zip(delayed(system)) {
            slots[at] = self.found.state.get(delay).copied().unwrap_or(f64::NAN);
        }
        let point = values::Point {
            time: self.compiled.model.time.start,
            state: &self.found.state,
            parameters: &self.parameters,
            slots: &slots,
        };
        Ok(values::evaluate_at(
            &observable.pool,
            system,
            observable.expr,
            &point,
        ))
    }
}

/// `steady with x = 1 in control from last`
pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    if equilibria::is_asked(sentence) {
        return equilibria::lower(sentence, span, options);
    }
    if let Some(subject) = sentence.subjects.first() {
        options.problem(
            Diagnostic::new(Code::BadOption, "`steady` finds a value for every state")
                .at(subject.value.span, "this is too much")
                .help("write `steady`, or `steady with k = 2 in knockout`; `steady all x in 0..5` finds every one in a box"),
        );
    }
    let from_last = from_last(&mut options).is_some();
    let setting = setting(&mut options);
    options.finish(|| {
        Ok(Command::Steady(Steady {
            span,
            setting,
            from_last,
        }))
    })
}

/// Where `from last` stands.
pub(super) fn from_last(options: &mut Options<'_>) -> Option<Span> {
    let option = options.take("from")?;
    let word = option.values.first().and_then(word_of);
    if word.is_some_and(|word| word.text == "last") {
        return Some(option.span);
    }
    let verb = options.verb();
    options.problem(
        Diagnostic::new(Code::BadOption, "`from` is followed by `last`")
            .at(option.span, "")
            .help(format!(
                "`{verb} from last` starts where the last run ended"
            )),
    );
    None
}

/// `from last`, `from steady`, `from steady in control`
pub(super) fn start_of_sentence(options: &mut Options<'_>) -> (bool, Option<SteadyStart>) {
    let Some((option, following)) = options.take_with_next("from", "in") else {
        return (false, None);
    };
    match option.values.first().and_then(word_of) {
        Some(word) if word.text == "last" => {
            options.put_back(following);
            (true, None)
        }
        Some(word) if word.text == "steady" => {
            let condition = following.and_then(|following| options.name_of(following));
            let span = following.map_or(option.span, |following| option.span.to(following.span));
            let setting = Setting {
                condition,
                ..Setting::default()
            };
            (false, Some(SteadyStart { span, setting }))
        }
        _ => {
            options.put_back(following);
            options.problem(
                Diagnostic::new(
                    Code::BadOption,
                    "`from` is followed by `last` or `steady`",
                )
                .at(option.span, "")
                .help("the start of the time is the low end of the range, as in `simulate 10..20`"),
            );
            (false, None)
        }
    }
}

/// The positions in the state vector of all delayed values: at rest these are the present ones.
fn delayed(system: &System) -> impl Iterator<Item = usize> + '_ {
    let delays = system.delays.iter();
    delays.flat_map(|delay| delay.states.clone())
}

/// Looks for the steady state that a sentence leads to from the values that hold now, or from the
/// end of `last`.
pub(super) fn find(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    last: Option<&Trajectory>,
    command: &Steady,
    world: &dyn World,
) -> Result<SteadyAnswer, Vec<Diagnostic>> {
    let span = command.span;
    let at_rest = AtRest::new(compiled, overrides, &command.setting, last, span)?;
    let found = search(&at_rest, world).map_err(|why| vec![not_found(compiled, &why, span)])?;
    Ok(SteadyAnswer {
        compiled: Arc::clone(compiled),
        parameters: at_rest.present.parameters,
        found,
        left_out: left_out(compiled),
    })
}

/// What the model has and a steady state leaves out.
pub(super) fn left_out(compiled: &Compiled) -> Vec<&'static str> {
    let model = &compiled.model;
    let parts = [
        ("doses", !model.doses.is_empty()),
        ("events", !model.events.is_empty()),
    ];
    let there = parts.into_iter().filter(|(_, is_there)| *is_there);
    there.map(|(what, _)| what).collect()
}

/// The steady state that the equations go to.
pub(super) fn search(at_rest: &AtRest<'_>, world: &dyn World) -> Result<SteadyState, NotFound> {
    let (dynamics, tolerances) = (at_rest.dynamics(), at_rest.tolerances());
    let (laws, non_negative) = (at_rest.laws(), at_rest.non_negative());
    let question = Question {
        dynamics: &dynamics,
        time: at_rest.time(),
        state: &at_rest.state,
        tolerances: &tolerances,
        laws: &laws,
        non_negative: &non_negative,
        follows: at_rest.compiled.system.delays.is_empty(),
        interrupted: &|| world.interrupted(),
    };
    match at_rest.system().motion {
        Motion::Flow => analyze::steady(&question),
        Motion::Map => analyze::fixed_point(&question),
    }
}

// ---- words ----

fn short(number: f64) -> String {
    let digits = format!("{number:.4e}").parse().unwrap_or(number);
    number_text(digits)
}

/// Points of a cycle that are listed.
const MOST_POINTS: usize = 4;

/// What the system does instead of resting.
pub(super) fn instead(compiled: &Compiled, restless: &Restless) -> String {
    let name = |state: usize| compiled.state_name(state);
    let is_map = compiled.system.motion == Motion::Map;
    let lapse = |time: f64| match is_map {
        true => format!("{} steps", short(time)),
        false => format!("a time of {}", short(time)),
    };
    match restless {
        Restless::Swings {
            state,
            low,
            high,
            period,
        } => format!(
            "`{}` keeps swinging between {} and {}, with a period of about {}",
            name(*state),
            short(*low),
            short(*high),
            short(*period)
        ),
        Restless::Cycle { state, points } => {
            let values: Vec<String> = points
                .iter()
                .take(MOST_POINTS)
                .map(|point| short(point.get(*state).copied().unwrap_or(f64::NAN)))
                .collect();
            let rest = if points.len() > MOST_POINTS {
                ", ..."
            } else {
                ""
            };
            format!(
                "`{}` keeps swinging with period {}: {}{rest}",
                name(*state),
                points.len(),
                values.join(", ")
            )
        }
        Restless::Moves {
            state,
            time,
            between: (low, high),
            value,
            rate,
        } => {
            let at_an_end = value >= high || value <= low;
            let way = if at_an_end || high - low <= 1e-3 * value.abs() {
                format!(
                    "it is {} and changes {} {}",
                    short(*value),
                    if is_map {
                        "in one step by"
                    } else {
                        "at the rate"
                    },
                    short(*rate)
                )
            } else {
                format!("lately between {} and {}", short(*low), short(*high))
            };
            format!(
                "`{}` still moves after {}: {way}",
                name(*state),
                lapse(*time)
            )
        }
        Restless::Stopped {
            stop,
            time,
            state,
            value,
        } => match stop {
            Stop::NonFinite { .. } | Stop::StepTooSmall { .. } | Stop::Finished
                if value.abs() > 1e6 =>
            {
                format!(
                    "`{}` grows without bounds: after {} it is {}",
                    name(*state),
                    lapse(*time),
                    short(*value)
                )
            }
            Stop::NonFinite { states, .. } => format!(
                "after {} the equation of `{}` is not finite",
                lapse(*time),
                name(states.first().copied().unwrap_or(*state))
            ),
            _ => format!("it could not be followed beyond {}", lapse(*time)),
        },
    }
}

/// Why there is no steady state, in words.
pub(super) fn not_found(compiled: &Compiled, why: &NotFound, span: Span) -> Diagnostic {
    match why {
        NotFound::Restless(restless) => {
            let diagnostic = Diagnostic::new(
                Code::NoSteadyState,
                format!("no steady state was found: {}", instead(compiled, restless)),
            )
            .at(span, "");
            places::with_equation(diagnostic, compiled, restless.state())
        .help(match restless {
            Restless::Swings { .. } | Restless::Cycle { .. } => "`steady all` also finds states that repel, as within a swing; `simulate` shows the swing",
            _ => "`simulate` shows where it goes; other values to start from, as in `steady with x = 1`, may lead to one",
        })
        }
        NotFound::Newton => Diagnostic::new(
            Code::NoSteadyState,
            "no steady state was found near the present state",
        )
        .at(span, "")
        .help("start the search elsewhere, as in `steady with x = 1`"),
        NotFound::Interrupted => Diagnostic::new(
            Code::Interrupted,
            "stopped by the user before a steady state was found",
        )
        .at(span, ""),
    }
}

impl Session {
    pub(super) fn steady(
        &self,
        command: &Steady,
        _: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let last = self.last_when(command.from_last)?;
        let last = last.as_deref();
        let answer = find(&compiled, &self.overrides, last, command, &*self.world)?;
        let diagnostics = warnings(&answer, command.span);
        Ok(Performed {
            outcome: Outcome::Steady(Arc::new(answer)),
            diagnostics,
        })
    }
}

/// What there is to say about a steady state that the system does not go to.
pub(super) fn warnings(answer: &SteadyAnswer, span: Span) -> Vec<Diagnostic> {
    let Reached::Not(restless) = &answer.found.reached else {
        return Vec::new();
    };
    let instead = instead(&answer.compiled, restless);
    vec![
        Diagnostic::new(
            Code::NotReached,
            format!("the system does not go to this steady state: {instead}"),
        )
        .at(span, "found by Newton's iteration alone")
        .help("it starts near by only when values are set there; `simulate` shows what it does"),
    ]
}

/// The state where a run `from steady` begins: one that the system goes to.
pub(super) fn start_of_run(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    from: &SteadyStart,
) -> Result<Vec<f64>, Vec<Diagnostic>> {
    let span = from.span;
    let at_rest = AtRest::new(compiled, overrides, &from.setting, None, span)?;
    let found =
        search(&at_rest, tables.world()).map_err(|why| vec![not_found(compiled, &why, span)])?;
    match &found.reached {
        Reached::Not(restless) => {
            let diagnostic = Diagnostic::new(
                Code::NoSteadyState,
                format!(
                    "there is no steady state to start from: {}",
                    instead(compiled, restless)
                ),
            )
            .at(span, "");
            Err(vec![places::with_equation(diagnostic, compiled, restless.state())
            .help("`steady` shows one that the system does not go to; its values can be set with `with`")])
        }
        _ => Ok(found.state),
    }
}
