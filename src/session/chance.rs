//! What `simulate` may say of chance: `paths 1000 seed 7 using milstein dt 0.01 nonnegative of x`.
//!
//! Enters: the words and the model. Leaves: a seed, a step and how many paths; or what is wrong.
//! Must not know how paths are made.

use super::command::{Simulate, Subjects};
use super::compiled::{Compiled, Observable};
use super::counted;
use super::failure::short;
use super::options::Options as Words;
use super::simulate::{Number, Plan, fault, sound, whole};
use super::trajectory::Trajectory;
use super::{run, unsuited};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::Motion;
use crate::simulate::{Chance, Method, NoiseReason, Options, Output, Pace, choose, pace};
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree;
use crate::system::{Source, Unsuited};

/// The seed when none is said: the same sentence gives the same paths.
pub(super) const SEED: u64 = 1;

/// Output times of an ensemble for which none are said.
const ROWS: usize = 101;

/// Numbers that an ensemble sums up, for each of which its distribution is kept: some 100 MB.
const MOST_CELLS: usize = 250_000;

/// A threshold that seems farther away by less than this share is not worth a word.
const LATE: f64 = 0.003;

/// More paths than this are a slip of the keyboard.
const MOST_PATHS: u64 = 1_000_000_000;

/// The words of a sentence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChanceWords {
    /// `paths 1000`: an ensemble, not one path.
    pub paths: Option<tree::Expr>,
    /// `seed 7`
    pub seed: Option<tree::Expr>,
    /// `dt 0.01`: the step of a method that does not choose it.
    pub step: Option<tree::Expr>,
    /// `nonnegative`: states that fall below zero are set to zero.
    pub non_negative: Option<Span>,
    /// `of x, x*y`: what an ensemble sums up; all states when empty.
    pub of: Vec<tree::Expr>,
    /// Where `of` stands.
    pub of_span: Option<Span>,
}

/// Takes the words out of a sentence.
pub(super) fn words(options: &mut Words<'_>) -> ChanceWords {
    let paths = options.value("paths");
    let seed = options.value("seed");
    let step = options.value("dt");
    let non_negative = options.take("nonnegative").map(|option| {
        if let Some(value) = option.values.first() {
            options.problem(
                Diagnostic::new(Code::BadOption, "`nonnegative` takes no value")
                    .at(value.span, "")
                    .help("it holds for all states"),
            );
        }
        option.span
    });
    let of = options.take("of");
    if let Some(option) = of.filter(|option| option.values.is_empty()) {
        options.needs_value(option);
    }
    ChanceWords {
        paths,
        seed,
        step,
        non_negative,
        of: of.map_or_else(Vec::new, |option| option.values.clone()),
        of_span: of.map(|option| option.span),
    }
}

/// What a plan takes from them.
#[derive(Debug, Clone)]
pub(super) struct Random {
    pub method: Method,
    pub chance: Chance,
    /// How many paths an ensemble has; `None` for a single path.
    pub paths: Option<u64>,
    /// What an ensemble sums up; all states when empty.
    pub of: Vec<Observable>,
}

/// What a sentence says of chance; `None` where nothing is random.
///
/// # Errors
/// Words that do not fit the model, the method or each other; values out of range.
pub(super) fn understand(
    compiled: &Compiled,
    command: &Simulate,
    number: &Number<'_>,
) -> Result<Option<Random>, Vec<Diagnostic>> {
    let words = &command.chance;
    if !is_random(compiled, command)? {
        return Ok(None);
    }
    let mut problems = Vec::new();
    problems.extend(misfits(compiled, command));
    let counts = method(compiled, command.method).counts_reactions();
    if counts && problems.is_empty() {
        problems.extend(counted::problems(compiled, command.span));
    }
    let paths = words.paths.as_ref().and_then(|expr| {
        let value = sound(number(expr), &mut problems)?;
        sound(whole_paths(expr, value), &mut problems)
    });
    let seed = words.seed.as_ref().map_or(Some(SEED), |expr| {
        let value = sound(number(expr), &mut problems)?;
        sound(whole_seed(expr, value), &mut problems)
    });
    let step = words.step.as_ref().and_then(|expr| {
        let value = sound(number(expr), &mut problems)?;
        if value > 0.0 {
            return Some(value);
        }
        problems.extend(fault(expr, "`dt` is positive", value, "as in `dt 0.01`"));
        None
    });
    if let (Some(paths), Subjects::Each(span)) = (&words.paths, &command.subjects) {
        problems.push(
            Diagnostic::new(Code::BadOption, "an ensemble is of one subject")
                .at(*span, "a run for each of them")
                .at(paths.span, "many paths")
                .help("choose one, as in `subject 1`"),
        );
    }
    if let (Some(span), None) = (words.of_span, &words.paths) {
        problems.push(
            Diagnostic::new(Code::BadOption, "`of` chooses what an ensemble sums up")
                .at(span, "there is one path only")
                .help("write `paths 1000` too, or leave it away: a single run keeps all states"),
        );
    }
    let mut of = Vec::with_capacity(words.of.len());
    for expr in &words.of {
        of.extend(sound(summed_up(compiled, expr), &mut problems));
    }
    let (Some(seed), true) = (seed, problems.is_empty()) else {
        return Err(problems);
    };
    Ok(Some(Random {
        method: method(compiled, command.method),
        chance: Chance {
            seed,
            path: 0,
            step,
            non_negative: words.non_negative.is_some(),
        },
        paths,
        of,
    }))
}

/// What a run takes that goes on where `last` ended: the random numbers of that one are used up.
pub(super) fn after(chance: Chance, last: Option<&Trajectory>) -> Chance {
    let before = last
        .and_then(|last| last.plan.as_ref())
        .and_then(|plan| plan.options.chance);
    match before {
        Some(before) if before.seed == chance.seed => Chance {
            path: before.path + 1,
            ..chance
        },
        _ => chance,
    }
}

/// Whether the sentence makes paths; words of chance where nothing is random are at fault.
fn is_random(compiled: &Compiled, command: &Simulate) -> Result<bool, Vec<Diagnostic>> {
    let words = &command.chance;
    let noisy = compiled.system.noise.is_some();
    let by_reactions = command.method.is_of_reactions();
    if noisy || by_reactions && !compiled.model.reactions.is_empty() {
        return Ok(true);
    }
    let declare = "declare noise, as in `wiener W` with `x' = -x + 0.1*W'`";
    if by_reactions {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                format!(
                    "`{}` is for reactions, and the model has none",
                    command.method
                ),
            )
            .at(command.span, "")
            .help("write the model as reactions, as in `S -> P, k`"),
        ]);
    }
    if Method::OF_NOISE.contains(&command.method) {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                format!("`{}` is for models with noise", command.method),
            )
            .at(command.span, "this model has none")
            .help(declare),
        ]);
    }
    let exprs = [&words.paths, &words.seed, &words.step];
    let mut spans = exprs.into_iter().flatten().map(|expr| expr.span);
    let first = spans.next().or(words.non_negative).or(words.of_span);
    match first {
        None => Ok(false),
        Some(span) => Err(vec![
            Diagnostic::new(Code::BadOption, "nothing is random in this model")
                .at(span, "this is for models with noise")
                .help(if words.step.as_ref().is_some_and(|step| step.span == span) {
                    "leave it away: the method chooses its steps, `step 0.1` spaces the output; noise is declared, as in `wiener W` with `x' = -x + 0.1*W'`"
                } else if compiled.model.reactions.is_empty() {
                    declare
                } else if compiled.model.motion == Motion::Map {
                    "leave it away: each run would be the same"
                } else {
                    "write `using ssa` to simulate single reactions, or declare noise"
                }),
        ]),
    }
}

/// Words that do not go with the method.
fn misfits(compiled: &Compiled, command: &Simulate) -> Vec<Diagnostic> {
    let (asked, words) = (command.method, &command.chance);
    let unsuited = |why| vec![unsuited::refused(compiled, asked, why, command.span)];
    if asked != Method::Auto && !Method::OF_NOISE.contains(&asked) {
        return unsuited(Unsuited::Deterministic);
    }
    let mut problems = Vec::new();
    let of_wiener = !compiled.model.wieners.is_empty();
    if asked.is_of_reactions() && of_wiener && compiled.model.intrinsic.is_none() {
        problems.extend(unsuited(Unsuited::NoReactions));
    }
    let (method, name) = match asked {
        Method::Auto => {
            let method = choice(compiled).0;
            (method, format!("`{method}`, which `auto` takes here,"))
        }
        _ => (asked, format!("`{asked}`")),
    };
    // An exact transition is as long as one likes, but events are looked for at its ends.
    let looks = method == Method::ExactTransition && !compiled.system.watched_guards().is_empty();
    if let Some(expr) = &words.step
        && method.chooses_steps_of_paths()
        && !looks
    {
        problems.push(
            Diagnostic::new(Code::BadOption, format!("{name} takes no `dt`"))
                .at(expr.span, "")
                .help("it takes steps of its own; `step` spaces the output times"),
        );
    }
    for (word, written) in [("rtol", &command.relative), ("atol", &command.absolute)] {
        if let Some(expr) = written
            && !method.has_tolerances()
        {
            problems.push(
                Diagnostic::new(Code::BadOption, format!("{name} has no `{word}`"))
                    .at(expr.span, "")
                    .help("`using srk` chooses its steps by a tolerance; others take `dt`"),
            );
        }
    }
    problems
}

/// What `auto` takes for a model with noise, at steps short enough for its drift; no reason where
/// only reactions are random.
pub(super) fn choice(compiled: &Compiled) -> (Method, Option<NoiseReason>) {
    match method(compiled, Method::Auto) {
        Method::Auto => {
            let short = Pace {
                step: 0.0,
                decay: 0.0,
                threshold: f64::INFINITY,
            };
            let (method, why) = choose(&compiled.system, &compiled.kernels, &short);
            (method, Some(why))
        }
        of_reactions => (of_reactions, None),
    }
}

/// What no memory holds, and what no one waits for.
///
/// # Errors
/// More output times and quantities than an ensemble sums up; more steps than a path may take.
pub(super) fn fits(
    compiled: &Compiled,
    command: &Simulate,
    random: &Random,
    (output, range): (&Output, (f64, f64)),
) -> Result<(), Vec<Diagnostic>> {
    #[expect(clippy::cast_precision_loss, reason = "a cap")]
    let most_steps = Options::MAX_STEPS as f64;
    if let (Some(expr), Some(step)) = (&command.chance.step, random.chance.step)
        && (range.1 - range.0) / step > most_steps
    {
        let message = format!("a path takes at most {} steps", number_text(most_steps));
        return Err(fault(
            expr,
            &message,
            step,
            "a longer `dt`, or a shorter range",
        ));
    }
    let (Some(_), Some(paths)) = (random.paths, &command.chance.paths) else {
        return Ok(());
    };
    let columns = match random.of.as_slice() {
        [] => compiled.system.dimension(),
        of => of.iter().map(|known| known.shape.len()).sum(),
    };
    let cells = ensemble_times(output, range).len().saturating_mul(columns);
    if cells <= MOST_CELLS {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(
            Code::BadOption,
            "this sums up more numbers than a memory holds",
        )
        .at(
            paths.span,
            format!("paths are summed up for {cells} numbers, at most {MOST_CELLS}"),
        )
        .help("keep fewer times, as in `points 101`, or fewer quantities, as in `of x`"),
    ])
}

/// A step that was asked for and that no explicit method bears: errors grow at each.
pub(super) fn unstable(compiled: &Compiled, command: &Simulate, plan: &Plan) -> Option<Diagnostic> {
    let expr = command.chance.step.as_ref()?;
    let explicit = matches!(
        plan.options.method,
        Method::EulerMaruyama | Method::Milstein | Method::Sra1 | Method::Langevin
    );
    if !explicit {
        return None;
    }
    let range = (plan.start, plan.end);
    let step = plan.options.chance.and_then(|chance| chance.step);
    let pace = pace(&run::problem(compiled, plan), range, &plan.initial, step);
    if pace.step * pace.decay <= 2.0 {
        return None;
    }
    Some(
        Diagnostic::new(
            Code::UnstableStep,
            format!(
                "with this `dt` the errors of `{}` grow",
                plan.options.method
            ),
        )
        .at(
            expr.span,
            format!(
                "at the start the fastest part decays at the rate {}: stable up to {}",
                short(pace.decay),
                short(2.0 / pace.decay)
            ),
        )
        .help("take a shorter `dt`, or `using implicit_euler`"),
    )
}

/// Events that a state with noise sets off: the path may cross a threshold and come back between two
/// ends of steps.
pub(super) fn crossings(compiled: &Compiled, plan: &Plan, sentence: Span) -> Option<Diagnostic> {
    plan.options.chance?;
    if plan.options.method.counts_reactions() || compiled.system.watched_guards().is_empty() {
        return None;
    }
    let mut active = compiled.model.events.iter().zip(&plan.active.events);
    let (event, _) = active.find(|(event, holds)| {
        **holds && matches!(event.trigger, crate::model::Trigger::When { .. })
    })?;
    let range = (plan.start, plan.end);
    let step = plan.options.chance.and_then(|chance| chance.step);
    let pace = pace(&run::problem(compiled, plan), range, &plan.initial, step);
    let late = pace.late();
    if late > 0.0 && late < LATE {
        return None;
    }
    let label = if late > 0.0 {
        format!(
            "looked for every {}: as if the threshold lay {} % farther from the start",
            short(pace.step),
            short((1000.0 * late).round() / 10.0)
        )
    } else {
        format!("looked for every {}", short(pace.step))
    };
    Some(
        Diagnostic::new(
            Code::BetweenSteps,
            "between steps the path may cross and come back unseen",
        )
        .at(sentence, "")
        .at(event.span, label)
        .help("events come late by that: a quarter of the `dt` halves it; `allow W0612` silences this"),
    )
}

/// The method: where only reactions are random, each is simulated.
fn method(compiled: &Compiled, asked: Method) -> Method {
    let Some(noise) = compiled
        .system
        .noise
        .as_ref()
        .filter(|_| asked == Method::Auto)
    else {
        return asked;
    };
    let of_reaction = |source: &Source| matches!(source, Source::Reaction { .. });
    if noise.columns.iter().all(of_reaction) {
        Method::Ssa
    } else if noise.columns.iter().any(of_reaction) {
        Method::Langevin
    } else {
        asked
    }
}

fn whole_paths(expr: &tree::Expr, value: f64) -> Result<u64, Vec<Diagnostic>> {
    whole(value, 1, MOST_PATHS).ok_or_else(|| {
        let message = if value > 1.0 && value.fract() == 0.0 {
            "these are more paths than any computer makes"
        } else {
            "`paths` is followed by a whole number of at least 1"
        };
        fault(expr, message, value, "as in `paths 1000`")
    })
}

fn whole_seed(expr: &tree::Expr, value: f64) -> Result<u64, Vec<Diagnostic>> {
    let message = "a `seed` is a whole number that is not negative";
    whole(value, 0, 1 << 53).ok_or_else(|| fault(expr, message, value, "as in `seed 7`"))
}

fn summed_up(compiled: &Compiled, expr: &tree::Expr) -> Result<Observable, Vec<Diagnostic>> {
    let observable = compiled.observable(expr)?;
    if matches!(observable.shape, Shape::Matrix(..)) {
        return Err(vec![
            Diagnostic::new(Code::ShapeMismatch, "a matrix cannot be summed up")
                .at(expr.span, format!("this is {}", observable.shape))
                .help("choose elements by their indices"),
        ]);
    }
    Ok(observable)
}

/// The output times of an ensemble: those asked for, else evenly spaced ones.
pub(super) fn ensemble_times(output: &Output, (from, to): (f64, f64)) -> Vec<f64> {
    match output {
        Output::Times(times) => times.clone(),
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        Output::Steps { .. } | Output::Event(_) => (0..ROWS)
            .map(|row| match row + 1 {
                ROWS => to,
                _ => from + (to - from) * (row as f64 / (ROWS - 1) as f64),
            })
            .collect(),
    }
}
