//! Whether a model can oscillate, in words and tables.

use super::class::class_words;
use super::outcome::counted;
use super::stability::period;
use super::table::{Column, number, table};
use super::words;
use crate::analyze::{Approach, Class, Example, Loop, Mode, Motion, Structure, Survey};
use crate::session::{Feedback, Forbids, OscillationAnswer};
use crate::symbolic::Sign;

/// Digits of numbers.
const DIGITS: usize = 5;
/// Columns of states beyond this are left out.
const MOST_STATES: usize = 6;
/// Longer entries of the Jacobian are cut.
const LONGEST: usize = 48;

/// The text of an [`OscillationAnswer`].
pub(super) fn text(answer: &OscillationAnswer, width: usize) -> String {
    let names = answer.compiled.state_names();
    let mut lines = vec![headline(answer)];
    lines.extend(proof(answer, &names));
    lines.extend(negative(answer, &names));
    lines.extend(found(answer, &names));
    let mut text = String::new();
    for line in lines {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&tallies(&answer.survey, answer, &names, width));
    text
}

fn sides(answer: &OscillationAnswer) -> String {
    let sides = answer.sides.iter().map(|(name, side)| {
        let (low, high) = (number(side.low, DIGITS), number(side.high, DIGITS));
        format!("{name} in {low}..{high}")
    });
    sides.collect::<Vec<String>>().join(", ")
}

/// The verdict, for the box.
fn headline(answer: &OscillationAnswer) -> String {
    let forbids = answer.feedback.as_ref().and_then(|known| known.forbids);
    let survey = &answer.survey;
    let verdict = match (forbids, &survey.crossing, &survey.complex) {
        (Some(Forbids::PositiveLoops), _, _) => "no oscillation lasts (proved)",
        (Some(Forbids::Discriminant), _, _) if !is_linear(survey) => {
            "nothing turns around a state of rest (proved)"
        }
        (Some(_), _, _) => "it cannot oscillate (proved)",
        (None, Some(_), _) => "it can oscillate",
        (None, None, Some(example)) if is_neutral(&example.linear.class) && !is_usual(survey) => {
            "a pair lies on the border at an end of a range: oscillations may begin there (searched)"
        }
        (None, None, Some(example)) if is_neutral(&example.linear.class) => {
            "it turns around its state of rest, neither closer nor away in the linear part"
        }
        (None, None, Some(example)) if unstable_pair(example) => {
            "it turns away from its state of rest; no onset was found (searched)"
        }
        (None, None, Some(_)) => {
            "oscillations that die out were found, lasting ones were not (searched)"
        }
        (None, None, None) if survey.without == survey.samples => "no equilibrium was found",
        (None, None, None) if alternates(survey) => {
            "fixed points that lose their stability by alternating were found (searched)"
        }
        (None, None, None) => "no oscillation was found (searched)",
    };
    format!("for {}: {verdict}", sides(answer))
}

/// A map leaves its fixed point on both sides in turn.
fn alternates(survey: &Survey) -> bool {
    survey.tallies.iter().any(|tally| {
        tally.class.approach == Some(Approach::Alternating) && tally.class.unstable > 0
    })
}

fn is_linear(survey: &Survey) -> bool {
    survey.tallies.iter().all(|tally| tally.class.linear)
}

fn is_neutral(class: &Class) -> bool {
    class.border > 0 && class.turns && class.unstable == 0
}

/// Neutral turning is what the samples show, not only an end of a range.
fn is_usual(survey: &Survey) -> bool {
    survey.tallies.iter().any(|tally| is_neutral(&tally.class))
}

fn unstable_pair(example: &Example) -> bool {
    let pair = example.linear.modes.iter().find(|mode| mode.is_pair());
    pair.is_some_and(|mode| mode.value.real > mode.error)
}

// ---- what the signs prove ----

fn proof(answer: &OscillationAnswer, names: &[String]) -> Vec<String> {
    let Some(feedback) = &answer.feedback else {
        return Vec::new();
    };
    match feedback.forbids {
        Some(why) => reason(feedback, why, names),
        // What is so without negative values says more.
        None => {
            let cut = answer.without_negative.as_ref();
            let brief = cut.is_some_and(|cut| cut.forbids.is_some());
            loops(feedback, names, brief)
        }
    }
}

/// Why oscillations are impossible.
fn reason(feedback: &Feedback, why: Forbids, names: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    match why {
        Forbids::OneState if names.len() > 1 => lines.push(
            "the conserved sums leave one state to vary: its eigenvalue is real".to_owned(),
        ),
        Forbids::OneState => lines.push("one state has one eigenvalue, which is real".to_owned()),
        Forbids::NoLoop => lines.push(
            "no state acts back on itself through others: the Jacobian is triangular in some order, and its eigenvalues, the entries of its diagonal, are real"
                .to_owned(),
        ),
        Forbids::PositivePair => {
            lines.push(real_pair(feedback, names));
            if let Structure::Positive(states) = &feedback.structure {
                lines.push(format!(
                    "this product is never negative: a positive feedback loop ({})",
                    told(feedback, states, names)
                ));
            }
            lines.extend(entries(feedback, names));
        }
        Forbids::Discriminant => {
            lines.push(real_pair(feedback, names));
            lines.push("here the first is never less than the second".to_owned());
            lines.extend(entries(feedback, names));
        }
        Forbids::PositiveLoops => {
            lines.push(
                "every feedback loop is positive: the leading eigenvalue is real, and no cycle attracts (Gouzé 1998, Snoussi 1998); what turns dies out beside what does not"
                    .to_owned(),
            );
            if let Structure::Positive(states) = &feedback.structure {
                lines.push(format!("such a loop: {}", told(feedback, states, names)));
            }
        }
    }
    if feedback.states.len() < names.len() && why != Forbids::OneState {
        lines.push("the other states follow from the conserved sums".to_owned());
    }
    lines.extend(positive_states(feedback, names));
    lines
}

/// When two eigenvalues are complex.
fn real_pair(feedback: &Feedback, names: &[String]) -> String {
    let entry = |row: usize, column: usize| {
        let of = |at: usize| {
            let state = feedback.states.get(at).and_then(|state| names.get(*state));
            state.map_or("", String::as_str)
        };
        format!("d({}')/d({})", of(row), of(column))
    };
    format!(
        "two eigenvalues are complex only where {}*{} < -({} - {})^2/4",
        entry(0, 1),
        entry(1, 0),
        entry(0, 0),
        entry(1, 1)
    )
}

fn entries(feedback: &Feedback, names: &[String]) -> Vec<String> {
    let name = |at: usize| names.get(at).map_or("", String::as_str);
    let of = |entry: &crate::session::Entry| {
        let (row, column) = (name(entry.action.on), name(entry.action.by));
        let text = words::fit(&entry.text, LONGEST);
        format!(
            "  d({row}')/d({column}) = {text} is {}",
            sign_words(entry.action.sign)
        )
    };
    feedback.entries.iter().map(of).collect()
}

fn sign_words(sign: Sign) -> &'static str {
    match sign {
        Sign::Zero => "zero",
        Sign::NotNegative => "never negative",
        Sign::NotPositive => "never positive",
        Sign::Unknown => "of either sign",
    }
}

/// What was used of the states.
fn positive_states(feedback: &Feedback, names: &[String]) -> Option<String> {
    let kept: Vec<&str> = names
        .iter()
        .zip(&feedback.non_negative)
        .filter_map(|(name, kept)| kept.then_some(name.as_str()))
        .collect();
    let is_used = feedback
        .forbids
        .is_some_and(|why| !matches!(why, Forbids::OneState | Forbids::NoLoop));
    if kept.is_empty() || names.len() > MOST_STATES || !is_used {
        return None;
    }
    let verb = if kept.len() == 1 { "is" } else { "are" };
    Some(format!(
        "{} {verb} not negative: declared so, or kept so by the equations",
        crate::diagnostic::listed(&kept)
    ))
}

/// The loop that would be needed.
fn loops(feedback: &Feedback, names: &[String], brief: bool) -> Vec<String> {
    match &feedback.structure {
        Structure::Negative(states) => vec![format!(
            "there is a negative feedback loop, which oscillations need: {}",
            told(feedback, states, names)
        )],
        Structure::Unknown(_) if brief => Vec::new(),
        Structure::Unknown(states) => {
            let mut lines = vec![format!(
                "this feedback loop may be negative, which oscillations need: {}",
                told(feedback, states, names)
            )];
            if names.len() == 2 {
                lines.push(real_pair(feedback, names));
                lines.extend(entries(feedback, names));
            }
            lines
        }
        Structure::Acyclic | Structure::Positive(_) => Vec::new(),
    }
}

/// `prey raises predator, predator lowers prey`
fn told(feedback: &Feedback, states: &Loop, names: &[String]) -> String {
    const MOST: usize = 8;
    let name = |at: usize| names.get(at).map_or("", String::as_str);
    let mut parts: Vec<String> = states
        .iter()
        .zip(states.iter().cycle().skip(1))
        .take(MOST)
        .map(|(by, on)| {
            let entry = feedback
                .entries
                .iter()
                .find(|entry| (entry.action.by, entry.action.on) == (*by, *on));
            let verb = match entry.map(|entry| entry.action.sign) {
                Some(Sign::NotNegative) => "raises",
                Some(Sign::NotPositive) => "lowers",
                _ => "acts on",
            };
            format!("{} {verb} {}", name(*by), name(*on))
        })
        .collect();
    if states.len() > MOST {
        parts.push("...".to_owned());
    }
    parts.join(", ")
}

// ---- negative rates ----

/// What is so only with a negative parameter.
fn negative(answer: &OscillationAnswer, names: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(opened) = &answer.with_negative
        && let Some(example) = &opened.complex
    {
        let negative: Vec<String> = parameters(answer, example)
            .filter(|(_, value)| *value < 0.0)
            .map(|(name, _)| name.to_owned())
            .collect();
        if !negative.is_empty() {
            lines.push(format!(
                "it takes a negative rate: with {} the eigenvalues are {}",
                values(answer, example),
                pair_text(example)
            ));
        }
        return lines;
    }
    let own = answer.feedback.as_ref().and_then(|known| known.forbids);
    let Some((cut, why)) = answer
        .without_negative
        .as_ref()
        .and_then(|cut| Some((cut, cut.forbids?)))
    else {
        return lines;
    };
    if own.is_some() {
        return lines;
    }
    let ranged: Vec<&str> = answer
        .sides
        .iter()
        .filter(|(_, side)| side.low < 0.0 && side.high > 0.0)
        .map(|(name, _)| name.as_str())
        .collect();
    let subject = crate::diagnostic::listed(&ranged);
    let verb = if ranged.len() == 1 { "is" } else { "are" };
    lines.push(format!(
        "only with negative values: where {subject} {verb} not negative it cannot oscillate (proved)"
    ));
    lines.extend(reason(cut, why, names));
    lines
}

fn parameters<'a>(
    answer: &'a OscillationAnswer,
    example: &'a Example,
) -> impl Iterator<Item = (&'a str, f64)> {
    let sides = answer.sides.iter().zip(&example.point);
    sides.map(|((name, side), value)| {
        // What is left of a zero by rounding.
        let zero = 1e-9 * (side.high - side.low);
        let value = if value.abs() <= zero { 0.0 } else { *value };
        (name.as_str(), value)
    })
}

/// `k1 = 0.3, k2 = -0.1`
fn values(answer: &OscillationAnswer, example: &Example) -> String {
    let values = parameters(answer, example);
    let values: Vec<String> = values
        .map(|(name, value)| format!("{name} = {}", number(value, DIGITS)))
        .collect();
    values.join(", ")
}

fn pair_of(example: &Example) -> Option<&Mode> {
    example.linear.modes.iter().find(|mode| mode.is_pair())
}

fn pair_text(example: &Example) -> String {
    pair_of(example).map_or(String::new(), |mode| {
        format!(
            "{} ± {}i",
            number(mode.value.real, DIGITS),
            number(mode.value.imaginary, DIGITS)
        )
    })
}

// ---- what was found ----

fn found(answer: &OscillationAnswer, names: &[String]) -> Vec<String> {
    let survey = &answer.survey;
    let mut lines = Vec::new();
    if let Some(example) = &survey.crossing
        && let Some(pair) = pair_of(example)
    {
        let border = match answer.motion {
            Motion::Flow => "the imaginary axis",
            Motion::Map => "the unit circle",
        };
        let others = example.linear.class.unstable == 0;
        let state = names.iter().zip(&example.state).take(MOST_STATES);
        let state: Vec<String> = state
            .map(|(name, value)| format!("{name} = {}", number(*value, DIGITS)))
            .collect();
        let turn = period(answer.motion, pair.value);
        lines.push(format!(
            "a pair crosses {border} (a Hopf condition) at {}, where {}: {}period {}",
            values(answer, example),
            state.join(", "),
            if others {
                ""
            } else {
                "beside an unstable direction; "
            },
            number(turn, DIGITS)
        ));
    } else if let Some(example) = &survey.complex {
        let example = survey.leads.as_ref().unwrap_or(example);
        let what = if example.linear.modes.first().is_some_and(Mode::is_pair) {
            "the leading eigenvalues are complex,"
        } else {
            "a pair is complex, but does not lead,"
        };
        lines.push(format!(
            "{what} for instance at {}: {}",
            values(answer, example),
            pair_text(example)
        ));
    }
    lines
}

/// A row for each type.
fn tallies(survey: &Survey, answer: &OscillationAnswer, names: &[String], width: usize) -> String {
    let samples = counted(survey.samples, "sample", "samples");
    let mut text =
        format!("types of equilibrium at {samples} of the box, with an example of each\n");
    if survey.without > 0 {
        text.push_str(&words::wrapped(
            &format!("none was found at {} of them", survey.without),
            width,
            "  ",
        ));
        text.push('\n');
    }
    if survey.tallies.is_empty() {
        return text;
    }
    let column = |of: &dyn Fn(&Example) -> f64| {
        survey
            .tallies
            .iter()
            .map(|tally| of(&tally.example))
            .collect::<Vec<f64>>()
    };
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let share = |samples: usize| {
        let percent = 100.0 * samples as f64 / survey.samples.max(1) as f64;
        format!("{} %", number(percent, 3))
    };
    let types = survey.tallies.iter().map(|tally| class_words(&tally.class));
    let shares = survey.tallies.iter().map(|tally| share(tally.samples));
    let mut columns = vec![
        Column::text("type", types.collect()),
        Column::text("share", shares.collect()),
    ];
    let rounded = |x: f64| number(x, DIGITS).parse().unwrap_or(x);
    for (at, (name, _)) in answer.sides.iter().enumerate() {
        let of = |example: &Example| example.point.get(at).copied().map_or(f64::NAN, rounded);
        columns.push(Column::numbers(name.clone(), column(&of)));
    }
    for (at, name) in names.iter().take(MOST_STATES).enumerate() {
        let of = |example: &Example| example.state.get(at).copied().map_or(f64::NAN, rounded);
        columns.push(Column::numbers(name.clone(), column(&of)));
    }
    text.push_str(&table(&columns, width));
    text
}
