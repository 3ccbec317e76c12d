//! Bifurcation diagrams in words: a table of the special points, what the cycles beside Hopf points
//! are like, and where each branch is stable.

use super::outcome::{counted, wrote};
use super::table::{Column, number, table};
use super::words;
use crate::analyze::continuation::{Crossing, Kind, Motion};
use crate::session::{
    BranchAnswer, BranchOrigin, BranchPoint, DiagramAnswer, DrawnDiagram, DrawnInto, EndOfBranch,
    Made, Run,
};
use std::f64::consts::TAU;

/// Digits of numbers in sentences.
const DIGITS: usize = 6;
/// Digits of coefficients.
const FEW: usize = 4;
/// A number this small beside the largest of its kind is zero but for rounding.
const ROUND_OFF: f64 = 1e-12;
/// More states are not listed beside each special point.
const MOST_STATES: usize = 8;

/// Of a longer list only the first are shown and the others counted; figures, JSON and CSV have all.
const MOST_LINES: usize = 40;

/// The text of a diagram; its figure is drawn elsewhere.
pub(super) fn text(drawn: &DrawnDiagram, width: usize) -> String {
    let mut text = in_words(&drawn.answer, width);
    if let DrawnInto::Table(Made::Table {
        path,
        rows,
        columns,
    }) = &drawn.figure
    {
        text.push_str(&wrote(path, *rows, *columns));
    }
    text
}

fn in_words(answer: &DiagramAnswer, width: usize) -> String {
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push('\n');
    if !answer.points.is_empty() {
        text.push('\n');
        text.push_str(&points(answer, width));
    }
    let mut lines: Vec<String> = cycles(answer);
    if answer.points.is_empty() {
        lines.push("nothing happens on the way: no bifurcation was met".to_owned());
    }
    text.push('\n');
    for line in lines {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    for (at, branch) in answer.branches.iter().enumerate() {
        for line in of_branch(answer, at, branch) {
            text.push_str(&words::wrapped(&line, width, "    "));
            text.push('\n');
        }
    }
    text
}

/// `steady states as a moves from 0.2 to 0.8: 1 branch`
fn headline(answer: &DiagramAnswer) -> String {
    let what = match (answer.motion, answer.period) {
        (Motion::Flow, _) => "steady states".to_owned(),
        (Motion::Map, 1) => "fixed points".to_owned(),
        (Motion::Map, period) => format!("orbits of period {period}"),
    };
    let (low, high) = answer.range;
    let unit = answer.unit.as_ref();
    let unit = unit.map_or(String::new(), |unit| format!(" [{unit}]"));
    let points = answer
        .branches
        .iter()
        .map(|branch| branch.points.len())
        .sum();
    format!(
        "{what} as {} moves from {} to {}{unit}: {}, {}",
        answer.parameter,
        number(low, DIGITS),
        number(high, DIGITS),
        counted(answer.branches.len(), "branch", "branches"),
        counted(points, "point", "points"),
    )
}

/// One row per special point.
fn points(answer: &DiagramAnswer, width: usize) -> String {
    let shown = || answer.points.iter().take(MOST_LINES);
    let column = |text: &dyn Fn(&BranchPoint) -> String| shown().map(text).collect();
    let numbers = |value: &dyn Fn(&BranchPoint) -> f64| shown().map(value).collect();
    let mut columns = vec![
        Column::text("", column(&|point| point.label.clone())),
        Column::text("", column(&|point| kind(&point.kind))),
        Column::numbers(
            &answer.parameter,
            numbers(&|point| point.point.last().copied().unwrap_or(f64::NAN)),
        ),
    ];
    let coefficients: Vec<f64> = numbers(&|point| coefficient(&point.kind).unwrap_or(f64::NAN));
    if coefficients.iter().any(|value| value.is_finite()) {
        columns.push(Column::numbers("coefficient", coefficients));
    }
    let periods: Vec<f64> = numbers(&|point| period(&point.kind).unwrap_or(f64::NAN));
    if periods.iter().any(|value| value.is_finite()) {
        columns.push(Column::numbers("period", periods));
    }
    let states = answer.names.len();
    if states <= MOST_STATES {
        for (at, name) in answer.names.iter().enumerate() {
            let noise = ROUND_OFF * largest(answer, at);
            let value = |point: &BranchPoint| {
                let value = point.point.get(at).copied().unwrap_or(f64::NAN);
                if value.abs() <= noise { 0.0 } else { value }
            };
            columns.push(Column::numbers(name, numbers(&value)));
        }
    } else {
        columns.push(Column::numbers(
            &answer.shown,
            numbers(&|point| point.shown),
        ));
    }
    table(&columns, width) + &more(answer.points.len(), "special points")
}

/// How many of a list are not shown.
fn more(all: usize, what: &str) -> String {
    if all > MOST_LINES {
        format!("… {} more {what}\n", all - MOST_LINES)
    } else {
        String::new()
    }
}

/// The largest size of a state on all branches.
fn largest(answer: &DiagramAnswer, state: usize) -> f64 {
    let points = answer.branches.iter().flat_map(|branch| &branch.points);
    let sizes = points.filter_map(|x| x.get(state)).map(|u| u.abs());
    sizes.fold(0.0, f64::max)
}

/// What happens, in the words of the field.
pub(super) fn kind(kind: &Kind) -> String {
    let name = match kind {
        Kind::Fold { coefficient } if coefficient.is_nan() => "Bogdanov-Takens",
        Kind::Hopf { l1, .. } if l1.is_nan() => "fold-Hopf",
        Kind::Fold { .. } => "fold",
        Kind::Crossing(Crossing::Transcritical) => "transcritical",
        Kind::Crossing(Crossing::Pitchfork { .. }) => "pitchfork",
        Kind::Crossing(Crossing::Other) => "branches cross",
        Kind::Hopf { .. } => "Hopf",
        Kind::Doubling { .. } => "period doubling",
        Kind::Circle { .. } => "Neimark-Sacker",
        Kind::Alternation => "begins to alternate",
    };
    match kind.is_supercritical() {
        Some(true) => format!("{name}, supercritical"),
        Some(false) => format!("{name}, subcritical"),
        // A normal form without its cubic term, as in linear equations.
        None if coefficient(kind) == Some(0.0) => format!("{name}, degenerate"),
        None => name.to_owned(),
    }
}

/// The coefficient of the normal form.
pub(super) fn coefficient(kind: &Kind) -> Option<f64> {
    match kind {
        Kind::Fold { coefficient }
        | Kind::Doubling { coefficient }
        | Kind::Circle { coefficient, .. } => Some(*coefficient),
        Kind::Hopf { l1, .. } => Some(*l1),
        Kind::Crossing(_) | Kind::Alternation => None,
    }
}

/// The period of what is born.
pub(super) fn period(kind: &Kind) -> Option<f64> {
    match kind {
        Kind::Hopf { frequency, .. } => Some(TAU / frequency),
        Kind::Circle { angle, .. } => Some(TAU / angle),
        _ => None,
    }
}

/// What the cycles beside the Hopf points are like.
fn cycles(answer: &DiagramAnswer) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, point) in answer.points.iter().enumerate().take(MOST_LINES) {
        lines.extend(double(point));
        let Kind::Hopf {
            frequency,
            l1,
            growth,
            amplitude,
        } = &point.kind
        else {
            continue;
        };
        let Some(is_supercritical) = point.kind.is_supercritical() else {
            continue;
        };
        let side = -l1 * growth;
        if side == 0.0 || !side.is_finite() {
            continue;
        }
        let p = &answer.parameter;
        let at = point.point.last().copied().unwrap_or(f64::NAN);
        let (sign, root) = if side > 0.0 {
            (">", format!("sqrt({p} - {})", number(at, FEW)))
        } else {
            ("<", format!("sqrt({} - {p})", number(at, FEW)))
        };
        let largest = amplitude
            .iter()
            .zip(&answer.names)
            .max_by(|a, b| a.0.total_cmp(b.0));
        let swing = largest.map_or(String::new(), |(amplitude, name)| {
            format!(", amplitude of {name} {}*{root}", number(*amplitude, FEW))
        });
        lines.push(format!(
            "{}: {} cycles for {p} {sign} {} near by, period {}{swing}",
            point.label,
            if is_supercritical && !answer.others_leave(index) {
                "stable"
            } else {
                "unstable"
            },
            number(at, FEW),
            number(TAU / frequency, FEW),
        ));
    }
    lines
}

/// A point at which two things happen at once: what a table of one coefficient cannot say.
fn double(point: &BranchPoint) -> Option<String> {
    let (name, what) = match &point.kind {
        Kind::Fold { coefficient } if coefficient.is_nan() => (
            "Bogdanov-Takens",
            "the fold has no coefficient, and cycles may begin beside it",
        ),
        Kind::Hopf { l1, .. } if l1.is_nan() => (
            "fold-Hopf",
            "the Hopf point has no coefficient, and what its cycles are like is not known",
        ),
        _ => return None,
    };
    Some(format!(
        "{}: degenerate, a second eigenvalue is zero ({name}): {what}; move another parameter to tell the two apart",
        point.label
    ))
}

/// The lines about one branch.
fn of_branch(answer: &DiagramAnswer, at: usize, branch: &BranchAnswer) -> Vec<String> {
    let origin = match branch.origin {
        BranchOrigin::Start => format!(
            "from the start at {} = {}",
            answer.parameter,
            number(answer.start, DIGITS)
        ),
        BranchOrigin::Crossing(point) => match answer.points.get(point) {
            Some(point) => format!("through {}", point.label),
            None => "through a branch point".to_owned(),
        },
    };
    let mut lines = vec![format!(
        "branch {}, {origin}, {}",
        at + 1,
        counted(branch.points.len(), "point", "points")
    )];
    let runs = branch.runs();
    for run in runs.iter().take(MOST_LINES).copied() {
        let place = |index: usize| {
            let value = branch.points.get(index).and_then(|x| x.last()).copied();
            let special = branch.special.iter().find(|(place, _)| *place == index);
            let label = special.and_then(|(_, point)| answer.points.get(*point));
            let value = number(value.unwrap_or(f64::NAN), DIGITS);
            label.map_or(value.clone(), |point| format!("{value} ({})", point.label))
        };
        let turn = turn(answer, branch, run);
        let turn = turn.map_or(String::new(), |at| format!("to {} and back ", place(at)));
        lines.push(format!(
            "  {} for {} from {} {turn}to {}",
            stability(run.unstable, answer.names.len()),
            answer.parameter,
            place(run.from),
            place(run.to)
        ));
    }
    if runs.len() > MOST_LINES {
        lines.push(format!("  {}", more(runs.len(), "such pieces").trim_end()));
    }
    let [first, last] = &branch.ends;
    if first == last {
        lines.push(format!("  {}", end(answer, first, "both ends")));
    } else {
        lines.push(format!("  {}", end(answer, first, "first end")));
        lines.push(format!("  {}", end(answer, last, "last end")));
    }
    lines
}

/// Where the parameter goes farthest beyond both ends of a run, for one that turns on its way.
fn turn(answer: &DiagramAnswer, branch: &BranchAnswer, run: Run) -> Option<usize> {
    let parameter = |at: usize| branch.points.get(at).and_then(|x| x.last()).copied();
    let (from, to) = (parameter(run.from)?, parameter(run.to)?);
    let beyond = |p: f64| (from.min(to) - p).max(p - from.max(to));
    let far = (run.from..=run.to)
        .filter_map(|at| Some((at, beyond(parameter(at)?))))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let seen = 1e-6 * (answer.range.1 - answer.range.0).abs();
    (far.1 > seen).then_some(far.0)
}

/// `stable`, `unstable in 1 of 2 directions`
fn stability(unstable: Option<usize>, states: usize) -> String {
    match unstable {
        Some(0) => "stable".to_owned(),
        Some(1) if states == 1 => "unstable".to_owned(),
        Some(count) => format!("unstable in {count} of {states} directions"),
        None => "not decided".to_owned(),
    }
}

/// Why a branch ends, in words.
fn end(answer: &DiagramAnswer, end: &EndOfBranch, which: &str) -> String {
    let name = |state: &usize| answer.names.get(*state).map_or("", String::as_str);
    match end {
        EndOfBranch::Range => format!(
            "{which}: {} comes to the end of its range",
            answer.parameter
        ),
        EndOfBranch::Closed => "closes to a loop".to_owned(),
        EndOfBranch::Bound { state, bound } => {
            format!(
                "{which}: {} comes to its bound {}",
                name(state),
                number(*bound, DIGITS)
            )
        }
        EndOfBranch::Switch { text, .. } => {
            format!("{which}: the equations switch, where {text} is 0")
        }
        EndOfBranch::NotFinite => format!("{which}: the equations are not finite beyond"),
        EndOfBranch::StepTooSmall => format!("{which}: no further point was found"),
        EndOfBranch::TooManyPoints => format!("{which}: the most points were computed"),
        EndOfBranch::Unbounded { state } => {
            format!("{which}: {} grows beyond all measure", name(state))
        }
        EndOfBranch::Known => format!("{which}: goes on as a branch that is known"),
        EndOfBranch::Interrupted => format!("{which}: stopped by the user"),
    }
}
