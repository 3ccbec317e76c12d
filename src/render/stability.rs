//! Stability in words and tables.

use super::class::class_words;
use super::outcome::{counted, wrote};
use super::show;
use super::table::{Column, number, table};
use super::words;
use crate::analyze::{Approach, Class, Eigenvalue, Kind, Linearised, Mode, Motion, Side};
use crate::session::{EquilibriaAnswer, Form, JacobianAnswer, Made, Origin, StabilityAnswer};
use std::f64::consts::{LN_2, TAU};

/// Digits of values.
const DIGITS: usize = 6;
/// Digits in sentences.
const FEW: usize = 4;
/// States are written on the first line up to this many,
const MOST_INLINE: usize = 4;
/// and in a table up to this many.
const MOST_STATES: usize = 24;
/// A larger Jacobian is not written out.
const MOST_ENTRIES: usize = 10;
/// Eigenvalues that are written out.
const MOST_MODES: usize = 12;

/// The text of a [`StabilityAnswer`].
pub(super) fn text(answer: &StabilityAnswer, width: usize) -> String {
    let names = answer.compiled.state_names();
    let mut text = headline(answer, &names, width);
    let linear = &answer.judged.linear;
    for line in story(answer, &names) {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    if names.len() <= MOST_ENTRIES {
        text.push('\n');
        text.push_str(&matrix(&names, &linear.jacobian, answer.motion, width));
        if names.len() == 2 || names.len() == 1 {
            text.push_str(&show::short_jacobian(&answer.compiled, width));
        }
    }
    if linear.modes.is_empty() {
        return text;
    }
    text.push('\n');
    text.push_str(&eigenvalues(answer, width));
    text.push_str(&words::wrapped(&invariants(linear), width, "  "));
    text.push('\n');
    text.push('\n');
    text.push_str(&eigenvectors(linear, &names, width));
    text
}

/// All equilibria in a box, and the eigenvalues of each.
pub(super) fn all(answer: &EquilibriaAnswer, width: usize) -> String {
    const SHOWN: usize = 4;
    let mut text = super::equilibria::text(answer, width);
    let known: Vec<(usize, &Linearised)> = answer
        .linear
        .iter()
        .enumerate()
        .filter_map(|(at, linear)| Some((at + 1, linear.as_ref()?)))
        .collect();
    if known.is_empty() {
        return text;
    }
    let column = |of: &dyn Fn(&Linearised) -> String| {
        known
            .iter()
            .map(|(_, linear)| of(linear))
            .collect::<Vec<String>>()
    };
    let leading = |of: &dyn Fn(&Mode) -> String| {
        column(&|linear| linear.modes.first().map_or(String::new(), of))
    };
    let values = |linear: &Linearised| {
        let shown = linear.modes.iter().take(SHOWN).map(eigenvalue_text);
        let mut shown: Vec<String> = shown.collect();
        if linear.modes.len() > SHOWN {
            shown.push(format!("{} more", linear.modes.len() - SHOWN));
        }
        shown.join(", ")
    };
    let motion = known
        .first()
        .map_or(Motion::Flow, |(_, linear)| linear.class.motion);
    let pace = |mode: &Mode| {
        let rate = growth(motion, mode.value);
        if rate.abs() <= mode.error {
            return "stays".to_owned();
        }
        let word = if rate < 0.0 {
            "halves in"
        } else {
            "doubles in"
        };
        format!("{word} {}", number(LN_2 / rate.abs(), FEW))
    };
    let turns = |linear: &Linearised| {
        let pair = linear.modes.iter().find(|mode| mode.is_pair());
        pair.map_or(String::new(), |mode| {
            number(period(motion, mode.value), FEW)
        })
    };
    let name = match motion {
        Motion::Flow => "eigenvalues",
        Motion::Map => "multipliers",
    };
    let mut columns = vec![
        Column::text("", known.iter().map(|(at, _)| at.to_string()).collect()),
        Column::text("type", column(&|linear| class_words(&linear.class))),
        Column::text(name, column(&values)),
        Column::text("distance", leading(&pace)),
    ];
    let periods = column(&turns);
    if periods.iter().any(|period| !period.is_empty()) {
        columns.push(Column::text("period", periods));
    }
    text.push('\n');
    text.push_str(&table(&columns, width));
    text
}

/// The text of a [`JacobianAnswer`].
pub(super) fn jacobian(answer: &JacobianAnswer, made: Option<&Made>, width: usize) -> String {
    let names = answer.compiled.state_names();
    let mut text = match (answer.form, made) {
        (Form::Latex, _) => latex(&names, &answer.entries, answer.motion),
        // A large matrix that went into a file is not repeated here.
        (Form::Plain, Some(_)) if names.len() > MOST_ENTRIES => String::new(),
        (Form::Plain, _) => matrix(&names, &answer.entries, answer.motion, width),
    };
    if let Some(Made::Table {
        path,
        rows,
        columns,
    }) = made
    {
        text.push_str(&wrote(path, *rows, *columns));
    }
    text
}

/// Rows of numbers between brackets, with what they are the derivative of.
fn latex(names: &[String], entries: &[f64], motion: Motion) -> String {
    let n = names.len();
    let row = |i: usize| {
        let cells: Vec<String> = (0..n)
            .map(|j| latex_number(entries.get(j * n + i).copied().unwrap_or(f64::NAN)))
            .collect();
        format!("  {}", cells.join(" & "))
    };
    let name = |name: &String| crate::symbolic::latex_name(name);
    let of: Vec<String> = names
        .iter()
        .map(|known| match motion {
            Motion::Flow => format!("\\dot{{{}}}", name(known)),
            Motion::Map => format!("{}_{{n+1}}", name(known)),
        })
        .collect();
    let by: Vec<String> = names.iter().map(name).collect();
    let rows: Vec<String> = (0..n).map(row).collect();
    format!(
        "\\frac{{\\partial({})}}{{\\partial({})}} =\n\\begin{{pmatrix}}\n{}\n\\end{{pmatrix}}\n",
        of.join(", "),
        by.join(", "),
        rows.join(" \\\\\n")
    )
}

/// `1.5e-7` as `1.5 \cdot 10^{-7}`.
fn latex_number(x: f64) -> String {
    let text = number(x, DIGITS);
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa} \\cdot 10^{{{exponent}}}"),
        None => text,
    }
}

/// `stable node at x = 2, y = 2`
fn headline(answer: &StabilityAnswer, names: &[String], width: usize) -> String {
    let judged = &answer.judged;
    let is_equilibrium = !matches!(judged.origin, Origin::NoEquilibrium { .. });
    let what = if is_equilibrium {
        class_words(&judged.linear.class)
    } else {
        "no equilibrium".to_owned()
    };
    if names.len() <= MOST_INLINE {
        let values = names.iter().zip(&judged.state);
        let values: Vec<String> = values
            .map(|(name, value)| format!("{name} = {}", number(*value, DIGITS)))
            .collect();
        let line = format!("{what} at {}", values.join(", "));
        return words::wrapped(&line, width, "  ") + "\n";
    }
    let shown = names.len().min(MOST_STATES);
    let of = |numbers: &[f64]| numbers.get(..shown).unwrap_or_default().to_vec();
    let columns = [
        Column::text("", names.get(..shown).unwrap_or_default().to_vec()),
        Column::numbers("state", of(&judged.state)),
    ];
    let mut text = format!("{what} at\n{}", table(&columns, width));
    if names.len() > shown {
        text.push_str(&format!("... and {} more states\n", names.len() - shown));
    }
    text
}

/// What it means, a sentence to a line.
fn story(answer: &StabilityAnswer, names: &[String]) -> Vec<String> {
    let judged = &answer.judged;
    let name = |state: &usize| names.get(*state).map_or("", String::as_str);
    let mut lines = Vec::new();
    let origin = match &judged.origin {
        Origin::Present => "the present state".to_owned(),
        Origin::Reached(time) => match answer.motion {
            Motion::Flow => format!("reached after a time of {}", number(*time, 2)),
            Motion::Map if *time == 1.0 => "reached after 1 step".to_owned(),
            Motion::Map => format!("reached after {} steps", number(*time, DIGITS)),
        },
        Origin::NotReached => {
            "found by Newton's iteration; the system does not go there".to_owned()
        }
        Origin::Given { moved, state } if *moved > 0.0 => format!(
            "next to the state given: {} moved by {}",
            name(state),
            number(*moved, 2)
        ),
        Origin::Given { .. } => "the state given".to_owned(),
        Origin::NoEquilibrium { rate, state } => {
            let class = class_words(&judged.linear.class);
            let change = match answer.motion {
                Motion::Flow => format!("{}' = {}", name(state), number(*rate, FEW)),
                Motion::Map => format!("{} changes by {}", name(state), number(*rate, FEW)),
            };
            lines.push(format!(
                "the system does not rest here ({change}); what follows is its linear part here, as if it did: {class}"
            ));
            lines.extend(reduced(answer));
            return lines;
        }
    };
    lines.push(format!("{origin}; {}", meaning(answer)));
    lines.extend(trust(answer));
    lines.extend(reduced(answer));
    lines
}

fn reduced(answer: &StabilityAnswer) -> Option<String> {
    let linear = &answer.judged.linear;
    let (given, hidden) = linear.kept;
    let mut parts = Vec::new();
    if given + hidden > 0 {
        parts.push(format!(
            "{} kept: the eigenvalues are those of the other {}",
            counted(given + hidden, "conserved sum is", "conserved sums are"),
            directions(answer)
        ));
    }
    if linear.constraints > 0 {
        parts.push(format!(
            "{} eliminated",
            counted(linear.constraints, "constraint is", "constraints are")
        ));
    }
    if !answer.left_out.is_empty() {
        parts.push(format!("{} are left out", answer.left_out.join(" and ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn directions(answer: &StabilityAnswer) -> String {
    let free: usize = answer.judged.linear.modes.iter().map(Mode::dimension).sum();
    counted(free, "direction", "directions")
}

// ---- what the type means ----

/// What nearby states do.
fn meaning(answer: &StabilityAnswer) -> String {
    let linear = &answer.judged.linear;
    let class = &linear.class;
    let Some(leading) = linear.modes.first() else {
        return "the conserved sums leave no other state".to_owned();
    };
    match class.kind {
        Kind::Node(_) | Kind::Star(_) | Kind::DegenerateNode(_) | Kind::Spiral(_) => {
            one_sided(answer, leading)
        }
        Kind::Saddle => format!(
            "nearby states come closer in {} and leave in {}, {}",
            counted(class.stable, "direction", "directions"),
            counted(class.unstable, "direction", "directions"),
            pace(answer, leading)
        ),
        Kind::Center if class.linear => format!(
            "nearby states go around it for ever, {}",
            turning(answer, leading)
        ),
        Kind::Center => format!(
            "the linear part goes around it, {}, and neither attracts nor repels: the nonlinear terms decide",
            turning(answer, leading)
        ),
        Kind::Continuum => continuum(class),
        Kind::UniformMotion => {
            "beside the line of fixed points states move along it at a constant rate".to_owned()
        }
        Kind::Undecided if class.unstable > 0 => format!(
            "nearby states leave in {}, {}; in {} the linear part does not decide",
            counted(class.unstable, "direction", "directions"),
            pace(answer, leading),
            counted(class.border, "direction", "directions")
        ),
        Kind::Undecided => "the linear part does not decide: the nonlinear terms do".to_owned(),
        Kind::Rigid => "the conserved sums leave no other state".to_owned(),
    }
}

fn continuum(class: &Class) -> String {
    match (class.stable, class.unstable) {
        (0, 0) => "nothing moves anywhere near".to_owned(),
        (_, 0) => "nearby states come to a fixed point beside this one, and stay there".to_owned(),
        _ => format!(
            "nearby states leave the fixed points in {}",
            counted(class.unstable, "direction", "directions")
        ),
    }
}

fn one_sided(answer: &StabilityAnswer, leading: &Mode) -> String {
    let class = &answer.judged.linear.class;
    let come = match class.kind {
        Kind::Node(Side::Stable)
        | Kind::Star(Side::Stable)
        | Kind::DegenerateNode(Side::Stable)
        | Kind::Spiral(Side::Stable) => "nearby states come back",
        _ => "nearby states go away",
    };
    if let Some(Approach::DeadBeat(steps)) = class.approach {
        let within = counted(steps, "step", "steps");
        return if class.linear {
            format!("{come}, exactly, within {within}")
        } else {
            format!("{come} faster than any power: the linear part is gone after {within}")
        };
    }
    let way = match class.approach {
        Some(Approach::Monotone) => " from one side",
        Some(Approach::Alternating) => " from both sides in turn",
        _ => "",
    };
    // What turns may die out before what does not.
    let early = class.turns && !leading.is_pair();
    let note = match (early, come.ends_with("back")) {
        (true, true) => "; the turning dies out first, and the last approach does not turn",
        (true, false) => "; the fastest way out does not turn",
        _ => "",
    };
    format!("{come}{way}, {}{note}", pace(answer, leading))
}

/// `halving their distance every 3.5`, `turning once every 6.3`
fn pace(answer: &StabilityAnswer, leading: &Mode) -> String {
    let rate = growth(answer.motion, leading.value);
    let time = spoken(answer, LN_2 / rate.abs());
    let mut text = if rate < 0.0 {
        format!("halving their distance every {time}")
    } else {
        format!("doubling their distance every {time}")
    };
    if leading.is_pair() {
        text.push_str(&format!(" while {}", turning(answer, leading)));
    }
    text
}

fn turning(answer: &StabilityAnswer, mode: &Mode) -> String {
    let period = spoken(answer, period(answer.motion, mode.value));
    format!("turning once every {period}")
}

/// A time with its unit.
fn spoken(answer: &StabilityAnswer, time: f64) -> String {
    let value = number(time, FEW);
    match (answer.motion, &answer.compiled.model.time.unit) {
        (Motion::Map, _) if value == "1" => "step".to_owned(),
        (Motion::Map, _) => format!("{value} steps"),
        (Motion::Flow, Some(unit)) => format!("{value} {unit}"),
        (Motion::Flow, None) => value,
    }
}

/// How far the answer is to be trusted, where that is not plain.
fn trust(answer: &StabilityAnswer) -> Option<String> {
    let class = &answer.judged.linear.class;
    if class.kind == Kind::Rigid {
        return None;
    }
    let is_exact = class.margin == 0.0 && (class.linear || class.kind == Kind::Continuum);
    if is_exact {
        return None;
    }
    let border = match class.motion {
        Motion::Flow => "the imaginary axis",
        Motion::Map => "the unit circle",
    };
    let (margin, rounding) = (number(class.margin, 2), number(class.rounding, 2));
    if class.margin == 0.0 {
        return Some(format!("an eigenvalue lies on {border}"));
    }
    if class.border > 0 {
        return Some(format!(
            "an eigenvalue lies {margin} from {border}, and rounding may move it by {rounding}"
        ));
    }
    // Far from the border nobody needs to be told.
    (class.margin < 1e4 * class.rounding).then(|| {
        format!("close to {border}: the margin is {margin}, and rounding may move it by {rounding}")
    })
}

// ---- tables ----

/// A square matrix of derivatives with names.
pub(super) fn matrix(names: &[String], entries: &[f64], motion: Motion, width: usize) -> String {
    let n = names.len();
    let row = |name: &String| match motion {
        Motion::Flow => format!("d({name}')"),
        Motion::Map => format!("d(next {name})"),
    };
    let mut columns = vec![Column::text("", names.iter().map(row).collect())];
    for (at, name) in names.iter().enumerate() {
        let column = entries.get(at * n..(at + 1) * n).unwrap_or_default();
        columns.push(Column::numbers(format!("/d({name})"), column.to_vec()));
    }
    table(&columns, width)
}

/// Rate of growth per time, or per step of a map.
pub(super) fn growth(motion: Motion, value: Eigenvalue) -> f64 {
    match motion {
        Motion::Flow => value.real,
        Motion::Map => value.modulus().ln(),
    }
}

/// Time of a turn, or steps of a map.
pub(super) fn period(motion: Motion, value: Eigenvalue) -> f64 {
    match motion {
        Motion::Flow => TAU / value.imaginary,
        Motion::Map => TAU / value.imaginary.atan2(value.real),
    }
}

/// `-0.5 ± 2i`; what rounding leaves undecided is shown as zero.
pub(super) fn eigenvalue_text(mode: &Mode) -> String {
    let clear = |x: f64| if x.abs() <= mode.error { 0.0 } else { x };
    let real = number(clear(mode.value.real), DIGITS);
    if mode.is_pair() {
        format!("{real} ± {}i", number(mode.value.imaginary, DIGITS))
    } else {
        real
    }
}

fn eigenvalues(answer: &StabilityAnswer, width: usize) -> String {
    let linear = &answer.judged.linear;
    let motion = answer.motion;
    let shown = linear.modes.get(..MOST_MODES.min(linear.modes.len()));
    let modes = shown.unwrap_or_default();
    let column = |of: &dyn Fn(&Mode) -> String| modes.iter().map(of).collect::<Vec<String>>();
    let is_clear = |mode: &Mode| growth(motion, mode.value).abs() > mode.error;
    let unit = match (motion, &answer.compiled.model.time.unit) {
        (Motion::Map, _) => " [steps]".to_owned(),
        (Motion::Flow, Some(unit)) => format!(" [{unit}]"),
        (Motion::Flow, None) => String::new(),
    };
    let name = match motion {
        Motion::Flow => "eigenvalue",
        Motion::Map => "multiplier",
    };
    let numbers = (1..=modes.len()).map(|at| at.to_string());
    let mut columns = vec![
        Column::text("", numbers.collect()),
        Column::text(name, column(&eigenvalue_text)),
    ];
    if modes.iter().any(|mode| mode.multiplicity > 1) {
        columns.push(Column::text("", column(&repeats)));
    }
    let scale = |mode: &Mode| {
        if is_clear(mode) {
            number(1.0 / growth(motion, mode.value).abs(), DIGITS)
        } else {
            "–".to_owned()
        }
    };
    let change = |mode: &Mode| {
        let rate = growth(motion, mode.value);
        let word = if rate < 0.0 {
            "halves in"
        } else {
            "doubles in"
        };
        if is_clear(mode) && rate.is_finite() {
            format!("{word} {}", number(LN_2 / rate.abs(), DIGITS))
        } else if is_clear(mode) {
            "gone at once".to_owned()
        } else {
            "stays".to_owned()
        }
    };
    columns.push(Column::text(format!("time scale{unit}"), column(&scale)));
    columns.push(Column::text("distance", column(&change)));
    let turns: Vec<f64> = modes
        .iter()
        .map(|mode| {
            let alternates = motion == Motion::Map && mode.value.real < 0.0;
            if mode.is_pair() || alternates {
                period(motion, mode.value)
            } else {
                f64::NAN
            }
        })
        .collect();
    if turns.iter().any(|period| period.is_finite()) {
        let damping = modes.iter().zip(&turns).map(|(mode, period)| {
            if period.is_finite() {
                let factor = (growth(motion, mode.value) * period).exp();
                format!(
                    "times {}",
                    number(if is_clear(mode) { factor } else { 1.0 }, FEW)
                )
            } else {
                String::new()
            }
        });
        let damping = damping.collect();
        columns.push(Column::numbers(format!("period{unit}"), turns));
        columns.push(Column::text("per period", damping));
    }
    let mut text = table(&columns, width);
    if linear.modes.len() > modes.len() {
        let more = linear.modes.len() - modes.len();
        text.push_str(&format!("... and {more} more eigenvalues\n"));
    }
    text
}

fn repeats(mode: &Mode) -> String {
    if mode.multiplicity == 1 {
        return String::new();
    }
    let vectors = counted(mode.geometric, "eigenvector", "eigenvectors");
    format!("{} times, {vectors}", mode.multiplicity)
}

/// Trace and determinant, the discriminant in the plane, and the spread of time scales.
fn invariants(linear: &Linearised) -> String {
    let size: f64 = linear.modes.iter().map(|mode| mode.value.modulus()).sum();
    let error: f64 = linear.modes.iter().map(|mode| mode.error).sum();
    let clear = |x: f64, error: f64| if x.abs() <= error { 0.0 } else { x };
    let mut parts = vec![
        format!("trace {}", number(clear(linear.trace, error), DIGITS)),
        format!("determinant {}", number(linear.determinant, DIGITS)),
    ];
    let dimension: usize = linear.modes.iter().map(Mode::dimension).sum();
    if dimension == 2 {
        let square = linear.trace * linear.trace - 4.0 * linear.determinant;
        parts.push(format!(
            "discriminant {}",
            number(clear(square, 4.0 * error * size), DIGITS)
        ));
    }
    if linear.class.motion == Motion::Flow {
        let rates = linear
            .modes
            .iter()
            .filter(|mode| mode.value.real.abs() > mode.error);
        let rates = rates.map(|mode| mode.value.real.abs());
        let (low, high) = rates.fold((f64::INFINITY, 0.0_f64), |(low, high), rate| {
            (low.min(rate), high.max(rate))
        });
        if high > low {
            parts.push(format!("stiffness ratio {}", number(high / low, FEW)));
        }
    }
    parts.join(", ")
}

/// Eigenvectors below each other, a row for each state.
fn eigenvectors(linear: &Linearised, names: &[String], width: usize) -> String {
    let rows = names.len().min(MOST_STATES);
    let shown = |numbers: &[f64]| numbers.get(..rows).unwrap_or_default().to_vec();
    let mut columns = vec![Column::text(
        "eigenvector",
        names.get(..rows).unwrap_or_default().to_vec(),
    )];
    for (at, mode) in linear.modes.iter().take(MOST_MODES).enumerate() {
        for direction in &mode.directions {
            let head = (at + 1).to_string();
            if direction.imaginary.is_empty() {
                columns.push(Column::numbers(head, shown(&direction.real)));
            } else {
                columns.push(Column::numbers(
                    format!("{head} real"),
                    shown(&direction.real),
                ));
                columns.push(Column::numbers(
                    format!("{head} imag"),
                    shown(&direction.imaginary),
                ));
            }
        }
    }
    table(&columns, width)
}
