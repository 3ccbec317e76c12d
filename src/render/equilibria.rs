//! All steady states in a box as text.

use super::class::class_words;
use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::analyze::equilibria::{Completeness, Continuum, Equilibrium, Motion, Region, Unproved};
use crate::analyze::{Eigenvalue, Linearised, beyond};
use crate::session::EquilibriaAnswer;

/// Digits of states in sentences.
const DIGITS: usize = 4;
/// A range or a state of more numbers than this is cut.
const MOST_NUMBERS: usize = 6;
/// A longer table is cut.
const MOST_ROWS: usize = 100;
/// More undecided boxes, lines or roots outside than this are counted only.
const MOST_LISTED: usize = 5;

/// A table of the steady states, and whether they are all.
pub(super) fn text(answer: &EquilibriaAnswer, width: usize) -> String {
    let mut text = if answer.found.equilibria.is_empty() {
        String::new()
    } else {
        listing(answer, width)
    };
    let mut lines = continua(answer);
    lines.extend(singular(answer));
    lines.push(completeness(answer));
    lines.extend(undecided(answer));
    lines.push(region(answer));
    lines.extend(outside(answer));
    lines.extend(rest(answer));
    for line in lines.iter().filter(|line| !line.is_empty()) {
        text.push_str(&words::wrapped(line, width, "  "));
        text.push('\n');
    }
    text
}

fn listing(answer: &EquilibriaAnswer, width: usize) -> String {
    let found = &answer.found.equilibria;
    let shown = found.len().min(MOST_ROWS);
    let of = |text: &dyn Fn(Option<&Linearised>) -> String| -> Vec<String> {
        let linear = answer.linear.iter().take(shown).map(Option::as_ref);
        linear.map(text).collect()
    };
    let numbers = (1..=shown).map(|k| k.to_string()).collect();
    let states = answer.compiled.state_names().into_iter().enumerate();
    let states: Vec<Column> = states
        .map(|(at, name)| {
            let values = found
                .iter()
                .take(shown)
                .map(|known| known.state.get(at).copied());
            Column::numbers(name, values.map(|y| y.unwrap_or(f64::NAN)).collect())
        })
        .collect();
    let both = found.iter().zip(&answer.linear).take(shown);
    let kinds = Column::text(
        "type",
        both.map(|(known, linear)| kind(known, linear.as_ref()))
            .collect(),
    );
    let leading = |linear: Option<&Linearised>| linear.and_then(|linear| linear.class.leading);
    let values = of(&|linear| leading(linear).map_or("–".to_owned(), eigenvalue));
    let both = found.iter().zip(&answer.linear).take(shown);
    let times = both.map(|(known, linear)| {
        let linear = linear
            .as_ref()
            .filter(|linear| !known.singular && linear.class.margin > linear.class.rounding);
        linear
            .and_then(|linear| Some(time_scale(linear, linear.class.leading?)))
            .unwrap_or("–".to_owned())
    });
    let times = times.collect();
    let is_map = answer.motion == Motion::Map;
    let judged = [
        kinds,
        Column::text(if is_map { "multiplier" } else { "eigenvalue" }, values),
        Column::text(if is_map { "steps" } else { "time scale" }, times),
    ];
    let mut columns = vec![Column::text("", numbers)];
    let taken = |columns: &[Column]| {
        let widths = columns.iter().map(|column| column.width() + 2);
        widths.sum::<usize>()
    };
    let left = (width + 2).saturating_sub(taken(&columns));
    let fits = |count: &usize| taken(&states) + taken(&judged[..*count]) <= left;
    // What is said of each shrinks before states are left out, from the right.
    match (1..=judged.len()).rev().find(fits) {
        Some(count) => {
            columns.extend(states);
            columns.extend(judged.into_iter().take(count));
        }
        None => {
            columns.extend(judged.into_iter().take(1));
            columns.extend(states);
        }
    }
    let mut text = table(&columns, width);
    if found.len() > shown {
        text.push_str(&format!("... and {} more\n", found.len() - shown));
    }
    text
}

/// The type in words. At a singular state rounding alone decides on which side the vanishing
/// eigenvalues lie.
pub(super) fn kind(known: &Equilibrium, linear: Option<&Linearised>) -> String {
    match linear {
        None => "–".to_owned(),
        Some(linear) if known.singular && is_unstable(linear, known.null) => {
            "unstable, singular".to_owned()
        }
        Some(_) if known.singular => "undecided, singular".to_owned(),
        Some(linear) => class_words(&linear.class),
    }
}

/// Whether some eigenvalue leads away, those nearest the border left out.
pub(super) fn is_unstable(linear: &Linearised, without: usize) -> bool {
    let motion = linear.class.motion;
    let mut beyond: Vec<f64> = linear
        .modes
        .iter()
        .flat_map(|mode| std::iter::repeat_n(beyond(motion, mode.value), mode.dimension()))
        .collect();
    beyond.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    beyond.iter().skip(without).any(|beyond| *beyond > 0.0)
}

fn eigenvalue(value: Eigenvalue) -> String {
    let real = number(value.real, DIGITS);
    if value.imaginary == 0.0 {
        real
    } else {
        format!("{real} ± {}i", number(value.imaginary, DIGITS))
    }
}

/// The time (of maps the steps) in which a disturbance grows or shrinks e-fold.
fn time_scale(linear: &Linearised, value: Eigenvalue) -> String {
    let rate = match linear.class.motion {
        Motion::Flow => value.real.abs(),
        Motion::Map => value.modulus().ln().abs(),
    };
    if rate > 0.0 && rate.is_finite() {
        number(1.0 / rate, DIGITS)
    } else {
        "–".to_owned()
    }
}

/// `x = 1, y = 2`
fn state(answer: &EquilibriaAnswer, state: &[f64]) -> String {
    let shown = state.iter().enumerate().take(MOST_NUMBERS);
    let mut parts: Vec<String> = shown
        .map(|(at, y)| {
            format!(
                "{} = {}",
                answer.compiled.state_name(at),
                number(*y, DIGITS)
            )
        })
        .collect();
    if state.len() > MOST_NUMBERS {
        parts.push("…".to_owned());
    }
    parts.join(", ")
}

/// `x in 0..2, y in 0..3`
fn ranges(answer: &EquilibriaAnswer, region: &Region, digits: usize) -> String {
    let range =
        |(low, high): (f64, f64)| format!("{}..{}", number(low, digits), number(high, digits));
    let all: Vec<String> = region.ranges().map(range).collect();
    if all.len() > MOST_NUMBERS && all.iter().all(|range| Some(range) == all.first()) {
        let first = all.first().map_or("", String::as_str);
        return format!("every state in {first}");
    }
    let shown = all.iter().enumerate().take(MOST_NUMBERS);
    let mut parts: Vec<String> = shown
        .map(|(at, range)| format!("{} in {range}", answer.compiled.state_name(at)))
        .collect();
    if all.len() > MOST_NUMBERS {
        parts.push("…".to_owned());
    }
    parts.join(", ")
}

fn continua(answer: &EquilibriaAnswer) -> Vec<String> {
    let all = &answer.found.continua;
    let mut lines: Vec<String> = all
        .iter()
        .take(MOST_LISTED)
        .map(|continuum| line_of(answer, continuum))
        .collect();
    if all.len() > MOST_LISTED {
        lines.push(format!(
            "and {} more lines of fixed points",
            all.len() - MOST_LISTED
        ));
    }
    lines
}

fn line_of(answer: &EquilibriaAnswer, continuum: &Continuum) -> String {
    let at = |point: Option<&Vec<f64>>| point.map_or(String::new(), |point| state(answer, point));
    let points = &continuum.points;
    match continuum.dimension {
        1 if continuum.closed => {
            format!("closed line of fixed points through {}", at(points.first()))
        }
        1 => format!(
            "line of fixed points from {} to {}",
            at(points.first()),
            at(points.last())
        ),
        n => format!(
            "{n}-dimensional set of fixed points, such as {}",
            at(points.first())
        ),
    }
}

/// Which roots are not simple.
fn singular(answer: &EquilibriaAnswer) -> Option<String> {
    let all = answer.found.equilibria.iter().zip(1..);
    let singular: Vec<String> = all
        .filter(|(known, _)| known.singular)
        .map(|(_, number)| format!("{number}"))
        .collect();
    let what = if singular.len() == 1 { "is" } else { "are" };
    (!singular.is_empty()).then(|| {
        format!(
            "{} {what} singular: a fold, a branch point or a multiple root, as far as can be told",
            singular.join(", ")
        )
    })
}

fn completeness(answer: &EquilibriaAnswer) -> String {
    let found = &answer.found;
    let none = found.equilibria.is_empty();
    let starts = counted(found.starts as usize, "start", "starts");
    let boxes = |examined: u64| {
        counted(
            usize::try_from(examined).unwrap_or(usize::MAX),
            "part",
            "parts",
        )
    };
    match &found.completeness {
        Completeness::Proved {
            examined,
            everywhere,
        } => {
            let examined = boxes(*examined);
            let said = match (none, everywhere, found.outside.is_empty()) {
                (true, true, true) => "there is none, in the box or outside",
                (true, ..) => "there is none in the box",
                (false, true, true) => "these are all, in the box and outside",
                (false, true, false) => "these and those outside the box are all",
                (false, false, _) => "these are all in the box",
            };
            let (given, hidden) = found.kept;
            let sums = match given + hidden {
                0 => "",
                1 => " with the conserved sum of the start",
                _ => " with the conserved sums of the start",
            };
            format!("proved: {said}{sums} ({examined} examined)")
        }
        Completeness::Undecided { left, spent, .. } => {
            let parts = counted(left.len(), "part", "parts");
            if *spent {
                format!(
                    "searched from {starts}; not proved: the proof came to the end of its budget with {parts} undecided"
                )
            } else {
                let others = if none {
                    "there is none"
                } else {
                    "there are no others"
                };
                format!("proved: {others} in the box, but for {parts} that may hold any number")
            }
        }
        Completeness::Searched(why) => {
            format!("searched from {starts}; not proved: {}", unproved(*why))
        }
        Completeness::Interrupted => format!("stopped by the user after {starts}"),
    }
}

fn unproved(why: Unproved) -> String {
    match why {
        Unproved::Variables(count) => format!("{count} variables are too many"),
        Unproved::Operation => {
            "the equations have an operation that the proof does not know".to_owned()
        }
        Unproved::Continuum => "fixed points that fill a line cannot be counted".to_owned(),
    }
}

fn undecided(answer: &EquilibriaAnswer) -> Vec<String> {
    let Completeness::Undecided { left, .. } = &answer.found.completeness else {
        return Vec::new();
    };
    let mut lines: Vec<String> = left
        .iter()
        .take(MOST_LISTED)
        .map(|left| format!("undecided: {}", ranges(answer, left, 8)))
        .collect();
    if left.len() > MOST_LISTED {
        lines.push(format!("and {} more", left.len() - MOST_LISTED));
    }
    lines
}

fn region(answer: &EquilibriaAnswer) -> String {
    let found = &answer.found;
    let chosen = found.chosen.iter().filter(|chosen| **chosen).count();
    let how = match chosen {
        0 => "",
        all if all == found.chosen.len() => " (chosen)",
        _ => " (partly chosen)",
    };
    format!("box: {}{how}", ranges(answer, &found.region, DIGITS))
}

fn outside(answer: &EquilibriaAnswer) -> Vec<String> {
    let outside = &answer.found.outside;
    let mut lines: Vec<String> = outside
        .iter()
        .take(MOST_LISTED)
        .map(|found| format!("outside the box: {}", state(answer, found)))
        .collect();
    if outside.len() > MOST_LISTED {
        lines.push(format!("and {} more outside", outside.len() - MOST_LISTED));
    }
    lines
}

fn rest(answer: &EquilibriaAnswer) -> Option<String> {
    let found = &answer.found;
    let (given, hidden) = found.kept;
    let is_said = matches!(found.completeness, Completeness::Proved { .. });
    let mut parts = Vec::new();
    if given + hidden > 0 && !is_said {
        parts.push(format!(
            "{} kept as at the start",
            counted(given + hidden, "conserved sum", "conserved sums")
        ));
    }
    if !answer.left_out.is_empty() {
        parts.push(format!("{} are left out", answer.left_out.join(" and ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
