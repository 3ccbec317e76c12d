//! What stands against simulating reactions one by one, and what ended such a run, each with its
//! line of the model.
//!
//! Enters: a model, or a trajectory that stopped. Leaves: diagnostics. Must not know how paths are
//! made.

use super::compiled::Compiled;
use super::failure::short;
use super::trajectory::Trajectory;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::simulate::Stop;
use crate::source::Span;
use crate::system::{Channel, Uncountable};

/// Why the reactions of a model cannot be simulated one by one; nothing when they can.
pub(super) fn problems(compiled: &Compiled, sentence: Span) -> Vec<Diagnostic> {
    match compiled.counted() {
        Ok(_) => Vec::new(),
        Err(found) => found
            .iter()
            .map(|problem| uncountable(compiled, *problem, sentence))
            .collect(),
    }
}

fn uncountable(compiled: &Compiled, problem: Uncountable, sentence: Span) -> Diagnostic {
    let model = &compiled.model;
    let reaction = |at: usize| model.reactions.get(at).map_or(sentence, |known| known.span);
    let (message, span, label, help) = match problem {
        Uncountable::NoReactions => (
            "no reaction changes anything".to_owned(),
            sentence,
            "",
            "a reaction that changes something has other species on its right side, as `A -> B, k`",
        ),
        Uncountable::Equation { state } => {
            let state = model.states.get(state);
            (
                format!(
                    "`{}` changes by an equation, between reactions",
                    state.map_or("a state", |state| &state.name)
                ),
                state.map_or(sentence, |state| state.equation.unwrap_or(state.span)),
                "not a reaction",
                "models of both kinds are not simulated one reaction after the other: write it as \
                 reactions, or let events change it",
            )
        }
        Uncountable::Coefficient {
            reaction: at,
            state,
            value,
        } => (
            format!(
                "{} `{}` are no molecules that one event could change",
                number_text(value),
                model.states.get(state).map_or("", |state| &state.name)
            ),
            reaction(at),
            "not a whole number",
            "write whole coefficients, or two reactions with shares of the rate",
        ),
        Uncountable::BothWays { reaction: at } => (
            "how often this reaction happens does not follow from its net rate".to_owned(),
            reaction(at),
            "both ways in one rate",
            "each way happens by itself: write two reactions with `->`, each with its rate",
        ),
        Uncountable::Delay => (
            "reactions that depend on the past are not simulated one by one".to_owned(),
            model.delays.first().map_or(sentence, |delay| delay.span),
            "what was before counts here",
            "write the steps that take the time as reactions of their own, one after the other",
        ),
        Uncountable::Time { reaction: at } => (
            "the propensity of this reaction changes with time between two reactions".to_owned(),
            reaction(at),
            "depends on the time",
            "let it change in steps: `every 0.1 { k = f(t) }`, conditions such as `if t < 5 then`, \
             or an input with `step`",
        ),
    };
    let diagnostic = Diagnostic::new(Code::NotCounted, message)
        .at(span, label)
        .help(help);
    if span == sentence {
        diagnostic
    } else {
        diagnostic.at(sentence, "one reaction after the other")
    }
}

/// The diagnostic of a run that a propensity or a number of molecules ended; `None` for other
/// reasons.
pub(super) fn explain(run: &Trajectory, sentence: Span) -> Option<Diagnostic> {
    let compiled = &run.compiled;
    Some(match &run.solution.stop {
        Stop::Propensity {
            time,
            channel,
            value,
        } => propensity(compiled, *time, *channel, *value).at(sentence, ""),
        Stop::Count {
            time,
            state,
            count,
            channel: Some(channel),
        } => too_few(compiled, (*time, *state, *count), *channel).at(sentence, ""),
        Stop::Count {
            time,
            state,
            count,
            channel: None,
        } => not_whole(compiled, (*time, *state, *count)).at(sentence, ""),
        _ => return None,
    })
}

fn channel_of(compiled: &Compiled, channel: usize) -> Option<&Channel> {
    let (system, _) = compiled.counted().ok()?;
    system.propensities.as_ref()?.channels.get(channel)
}

/// Where the reaction of a channel stands.
fn reaction_of(compiled: &Compiled, channel: usize) -> Option<Span> {
    let channel = channel_of(compiled, channel)?;
    let reaction = compiled.model.reactions.get(channel.reaction)?;
    Some(reaction.span)
}

fn when(compiled: &Compiled, time: f64) -> String {
    if time == compiled.model.time.start {
        format!("at the start, t = {}", short(time))
    } else {
        format!("at t = {}", short(time))
    }
}

fn propensity(compiled: &Compiled, time: f64, channel: usize, value: f64) -> Diagnostic {
    let when = when(compiled, time);
    let (code, what, help) = if value < 0.0 {
        (
            Code::NegativeRate,
            format!("happens {} times per unit of time", short(value)),
            "a reaction cannot happen less than never: write the way back as a reaction of its \
             own, or cut the rate off, as in `rate max(0, ...)`",
        )
    } else {
        (
            Code::NonFiniteState,
            format!("has no propensity: it is {}", short(value)),
            "look for a division by zero, or a root or logarithm outside its domain, where there \
             are no molecules",
        )
    };
    let diagnostic = Diagnostic::new(code, format!("this reaction {what}, {when}")).help(help);
    match reaction_of(compiled, channel) {
        Some(span) => diagnostic.at(span, "this one"),
        None => diagnostic,
    }
}

fn too_few(
    compiled: &Compiled,
    (time, state, count): (f64, usize, f64),
    channel: usize,
) -> Diagnostic {
    let name = compiled.state_name(state);
    let when = when(compiled, time);
    let diagnostic = if count < 0.0 {
        Diagnostic::new(
            Code::NotWhole,
            format!("this reaction happens {when} where there is too little `{name}` for it"),
        )
        .help(format!(
            "its rate must be 0 there, as that of mass action is, or as `rate if {name} > 0 then k \
             else 0`"
        ))
    } else {
        Diagnostic::new(
            Code::NotWhole,
            format!(
                "there are {} molecules of `{name}` {when}: too many to be counted one by one",
                short(count)
            ),
        )
        .help("something grows without bounds; for such numbers write `using langevin`")
    };
    match reaction_of(compiled, channel) {
        Some(span) => diagnostic.at(span, "this one"),
        None => diagnostic,
    }
}

fn not_whole(compiled: &Compiled, (time, state, count): (f64, usize, f64)) -> Diagnostic {
    let name = compiled.state_name(state);
    let when = when(compiled, time);
    let data = compiled
        .system
        .states
        .locate(state)
        .and_then(|(block, _)| compiled.model.states.get(block));
    let is_counted = data.is_some_and(|state| state.compartment.is_some())
        || compiled
            .model
            .intrinsic
            .as_ref()
            .is_some_and(|known| known.size.is_some());
    let help = if count > 1e15 {
        "numbers beyond 2^53 are not counted one by one: write `using langevin`".to_owned()
    } else if is_counted {
        "molecules are counted as the value times the volume and the size of the noise: choose \
         values, volumes and sizes that give whole numbers, or round the number, as in \
         `round(0.3*V)/V`"
            .to_owned()
    } else {
        format!("molecules are whole: write a whole number, or round it, as in `round({name}/2)`")
    };
    let diagnostic = Diagnostic::new(
        Code::NotWhole,
        format!(
            "{} molecules of `{name}` {when} are no number of molecules",
            short(count)
        ),
    )
    .help(help);
    match data {
        Some(state) => diagnostic.at(state.span, "counted in molecules"),
        None => diagnostic,
    }
}
