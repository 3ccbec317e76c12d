//! Outcomes as text.

use super::answers;
use super::diagram;
use super::equilibria;
use super::prompt;
use super::show;
use super::subjects;
use super::table::{Column, number, table};
use super::words;
use crate::diagnostic::listed;
use crate::model::Motion;
use crate::session::{Compiled, Outcome, Sides, Trajectory};
use crate::simulate::{
    LinearSolver, MethodUse, NoiseReason, Occasion, Occurrence, Stop, SwitchReason,
};

/// A table of more states than this is no longer read whole after each run,
const MOST_STATES: usize = 24;
/// so of a larger model only the first are shown and the others counted.
const FIRST_STATES: usize = 8;
/// A matrix with more rows or columns than this is not read whole,
const MOST_SIDE: usize = 12;
/// so of a larger one so many are shown.
const FIRST_SIDE: usize = 8;
/// Digits of values in tables.
const DIGITS: usize = 6;

/// The text of an outcome, `width` columns wide. Figures are drawn elsewhere.
#[must_use]
pub fn text(outcome: &Outcome, width: usize) -> String {
    match outcome {
        Outcome::Simulated(run) => simulated(run, width),
        Outcome::Measured(runs) => answers::measured(runs, width),
        Outcome::Steady(answer) => answers::steady(answer, width),
        Outcome::Stability(answer) => super::stability::text(answer, width),
        Outcome::StabilityAll(answer) => super::stability::all(answer, width),
        Outcome::Oscillation(answer) => super::oscillation::text(answer, width),
        Outcome::Rows { answer, made, .. } => super::rows::text(answer, made.as_ref(), width),
        Outcome::Jacobian { answer, made } => {
            super::stability::jacobian(answer, made.as_ref(), width)
        }
        Outcome::Equilibria(answer) => equilibria::text(answer, width),
        Outcome::Portrait(answer) => super::portrait::text(answer, width),
        Outcome::Diagram(drawn) => diagram::text(drawn, width),
        Outcome::Correlation { answer, .. } => super::correlation::text(answer, width),
        Outcome::Ensemble(ensemble) => super::ensemble::text(ensemble, width),
        Outcome::Fitted(answers) => super::fit::text(answers, width),
        Outcome::FittedAtRest(answer) => super::at_rest::text(answer, width),
        Outcome::FitAtRestExplained(answer) => super::at_rest::explained(answer, width),
        Outcome::Profiled(answer) => super::inference::profiles(answer, width),
        Outcome::Sampled(answer) => super::inference::posterior(answer, width),
        Outcome::Factored(answer) => super::factored::text(answer, width),
        Outcome::FactoredExplained(answer) => super::factored::explained(answer, width),
        Outcome::Predicted(answer) => super::factored::prediction(answer, width),
        Outcome::Velocity(answer) => super::velocity::text(answer, width),
        Outcome::VelocityExplained(answer) => super::velocity::explained(answer, width),
        Outcome::Annotated {
            path,
            cells,
            genes,
            added,
        } => {
            let added: Vec<&str> = added.iter().map(String::as_str).collect();
            let told = format!(
                "wrote {}: {} by {}, with {}",
                path.display(),
                counted(*cells, "cell", "cells"),
                counted(*genes, "gene", "genes"),
                listed(&added)
            );
            super::words::wrapped(&told, width, "  ") + "\n"
        }
        Outcome::FitExplained(answer) => super::explain_fit::text(answer, width),
        Outcome::Bootstrapped(answer) => super::inference::bootstrap(answer, width),
        Outcome::Swept(drawn) => super::sweep::text(drawn, width),
        Outcome::SimulatedEach(runs) => subjects::simulated(runs, width),
        Outcome::Figure { .. }
        | Outcome::Sheet { .. }
        | Outcome::Matrix { .. }
        | Outcome::FitPage { .. }
        | Outcome::FitNumbers { .. }
        | Outcome::Quit => String::new(),
        Outcome::Stationary { answer, .. } => super::stationary::text(answer, width),
        Outcome::Sensitivities { result, made } => {
            super::sensitivity::text(result, made.as_ref(), width)
        }
        Outcome::Saved {
            path,
            rows,
            columns,
        } => wrote(path, *rows, *columns),
        Outcome::Shown { .. } => show::shown(outcome, width),
        Outcome::Set {
            name,
            before,
            now,
            at_start,
        } => {
            let when = if *at_start { " at the start" } else { "" };
            format!("{name} = {}{when} (was {})\n", list(now), list(before))
        }
        Outcome::Declared(declared) => prompt::declared(declared),
        Outcome::SavedSession { path, sentences } => prompt::saved(path, *sentences),
        Outcome::Value {
            label,
            numbers,
            matrix,
            is_condition,
        } => match matrix {
            Some(sides) => matrix_value(label, numbers, sides, width),
            None => value(label, numbers, *is_condition),
        },
        Outcome::Holds(label) => format!("`{label}` holds\n"),
        Outcome::Loaded { path, compiled } => {
            format!("loaded {}: {}\n", path.display(), in_short(compiled))
        }
        Outcome::Reset => "all values are as declared\n".to_owned(),
        Outcome::Undone(undone) => prompt::undone(undone),
        Outcome::Help(word) => super::help::help(word.as_deref(), width),
        // A terminal has colours for this: the command line draws it.
        Outcome::Explained(asked) => super::explain::text(asked, width, super::Colour::Never),
        Outcome::History(lines) => prompt::history(lines),
    }
}

/// `wrote out.csv: 3 rows of 2 columns`
pub(super) fn wrote(path: &std::path::Path, rows: usize, columns: usize) -> String {
    format!(
        "wrote {}: {} of {}\n",
        path.display(),
        counted(rows, "row", "rows"),
        counted(columns, "column", "columns")
    )
}

/// `1 row`, `2 rows`
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `2 states, 4 parameters`
pub(super) fn in_short(compiled: &Compiled) -> String {
    let model = &compiled.model;
    let mut parts = Vec::new();
    let mut add = |count: usize, one: &str, many: &str| {
        if count > 0 {
            parts.push(counted(count, one, many));
        }
    };
    let numbers = |species: bool| {
        model
            .states
            .iter()
            .zip(compiled.system.states.blocks())
            .filter(|(state, _)| state.is_species == species)
            .map(|(_, block)| block.shape.len())
            .sum()
    };
    add(numbers(false), "state", "states");
    add(numbers(true), "species", "species");
    add(model.reactions.len(), "reaction", "reactions");
    let compartments = model
        .parameters
        .iter()
        .filter(|known| known.is_compartment)
        .count();
    add(
        model.parameters.len() - compartments,
        "parameter",
        "parameters",
    );
    add(compartments, "compartment", "compartments");
    add(model.constraints.len(), "constraint", "constraints");
    add(model.events.len(), "event", "events");
    add(model.doses.len(), "dose", "doses");
    add(model.inputs.len(), "input", "inputs");
    add(model.delays.len(), "delay", "delays");
    if parts.is_empty() {
        "nothing declared".to_owned()
    } else {
        parts.join(", ")
    }
}

pub(super) fn list(numbers: &[f64]) -> String {
    const MOST: usize = 8;
    match numbers {
        [single] => number(*single, 12),
        _ => {
            let mut shown: Vec<String> = numbers
                .iter()
                .take(MOST)
                .map(|x| number(*x, DIGITS))
                .collect();
            if numbers.len() > MOST {
                shown.push(format!("... {} more", numbers.len() - MOST));
            }
            format!("[{}]", shown.join(", "))
        }
    }
}

fn value(label: &str, numbers: &[f64], is_condition: bool) -> String {
    if !is_condition {
        return format!("{label} = {}\n", list(numbers));
    }
    let words: Vec<&str> = numbers
        .iter()
        .map(|number| if *number == 0.0 { "no" } else { "yes" })
        .collect();
    format!("{label}: {}\n", words.join(", "))
}

/// A matrix as a table with the names of its rows and columns; of a large one its first corner.
fn matrix_value(label: &str, numbers: &[f64], sides: &Sides, width: usize) -> String {
    let (rows, columns) = (sides.rows.len(), sides.columns.len());
    let shown = |count: usize| match count > MOST_SIDE {
        true => FIRST_SIDE,
        false => count,
    };
    let (few_rows, few_columns) = (shown(rows), shown(columns));
    let names = sides.rows.iter().take(few_rows).cloned();
    let mut table_of = vec![Column::text(label, names.collect())];
    let all = numbers.chunks(rows.max(1)).zip(&sides.columns);
    for (column, name) in all.take(few_columns) {
        let own = column.iter().take(few_rows).copied();
        table_of.push(Column::numbers(name.clone(), own.collect()));
    }
    let mut text = table(&table_of, width);
    if (few_rows, few_columns) != (rows, columns) {
        text.push_str(&format!(
            "\u{2026} {few_rows} of {rows} rows, {few_columns} of {columns} columns; \
             `save` writes a declared matrix whole\n"
        ));
    }
    text
}

fn simulated(run: &Trajectory, width: usize) -> String {
    let solution = &run.solution;
    let (Some(first), Some(last)) = (solution.times.first(), solution.times.last()) else {
        return String::new();
    };
    let unit = run
        .compiled
        .model
        .time
        .unit
        .as_ref()
        .map_or(String::new(), |unit| format!(" [{unit}]"));
    let range = if solution.times.len() == 1 {
        number(*last, DIGITS)
    } else {
        format!("{} to {}", number(*first, DIGITS), number(*last, DIGITS))
    };
    let before = match run.began() {
        Some(start) => format!(
            ", {} from {}",
            match run.compiled.model.motion {
                Motion::Flow => "integrated",
                Motion::Map => "iterated",
            },
            number(start, DIGITS)
        ),
        None => String::new(),
    };
    let reached = format!(
        "{} {} = {range}{unit}{before}:",
        if solution.stop == Stop::Finished {
            "simulated"
        } else {
            "simulated only"
        },
        run.compiled.model.names.variable()
    );
    let work = work(run);
    let gap = if words::width(&reached) + 1 + words::width(&work) > width {
        "\n  "
    } else {
        " "
    };
    let work = words::wrapped(&work, width.saturating_sub(2), "  ");
    format!("{reached}{gap}{work}\n{}", states(run, width))
}

/// `85 steps of tsit45 (rtol 1e-6, atol 1e-9)`
fn work(run: &Trajectory) -> String {
    let solution = &run.solution;
    let mut names: Vec<&str> = Vec::new();
    for used in &solution.methods {
        let name = used.method.name();
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    let names = if names.len() > 4 {
        format!(
            "{} and {} ({} changes)",
            names[0],
            names[1],
            names.len() - 1
        )
    } else {
        names.join(", then ")
    };
    let of = if names.is_empty() {
        // The run stopped before a method was chosen.
        String::new()
    } else {
        format!(" of {names}")
    };
    let kept = match solution.kept_every {
        1 => String::new(),
        every => format!(" (every {} row kept)", ordinal(every)),
    };
    if run.compiled.model.motion == Motion::Map {
        return format!(
            "{}{kept}{}",
            iterations(solution.statistics.steps),
            interruptions(&solution.occurrences)
        );
    }
    let with_tolerances = solution
        .methods
        .iter()
        .any(|used| used.method.has_tolerances());
    let accuracy = if solution.methods.is_empty() || with_tolerances {
        format!(
            ", rtol {}, atol {}",
            number(solution.tolerances.relative, 3),
            range(&solution.tolerances.absolute)
        )
    } else {
        longest(solution.step)
    };
    let seed = run
        .chance()
        .map_or(String::new(), |chance| format!(", seed {}", chance.seed));
    format!(
        "{}{of}{kept}{accuracy}{seed}{}{}",
        counted(solution.statistics.steps as usize, "step", "steps"),
        clamped(solution.statistics.clamped),
        interruptions(&solution.occurrences)
    )
}

/// `2nd`, `16th`
fn ordinal(count: u64) -> String {
    let ending = match (count % 100, count % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{count}{ending}")
}

/// `, dt 0.01`: the longest of steps of fixed length.
pub(super) fn longest(step: Option<f64>) -> String {
    step.map_or(String::new(), |step| format!(", dt {}", number(step, 3)))
}

/// `; 3 values below zero set to zero`, or nothing.
pub(super) fn clamped(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => "; 1 value below zero set to zero".to_owned(),
        count => format!("; {count} values below zero set to zero"),
    }
}

/// `1 iteration`, `100 iterations`
fn iterations(steps: u64) -> String {
    format!("{steps} iteration{}", if steps == 1 { "" } else { "s" })
}

/// `; 7 doses, 3 events, 2 switches`, or nothing.
pub(super) fn interruptions(occurrences: &[Occurrence]) -> String {
    let count = |is: fn(&Occasion) -> bool| occurrences.iter().filter(|o| is(&o.what)).count();
    let counts = [
        (
            count(|what| matches!(what, Occasion::Dose(..))),
            "dose",
            "doses",
        ),
        (
            count(|what| matches!(what, Occasion::Event(_))),
            "event",
            "events",
        ),
        (
            count(|what| matches!(what, Occasion::Reset(_))),
            "reset",
            "resets",
        ),
        (
            count(|what| matches!(what, Occasion::Switch(_))),
            "switch",
            "switches",
        ),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| counted(count, one, many))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("; {}", parts.join(", "))
    }
}

/// One number, or the smallest and largest of several.
fn range(numbers: &[f64]) -> String {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(0.0, f64::max);
    if low >= high {
        number(high, 3)
    } else {
        format!("{} to {}", number(low, 3), number(high, 3))
    }
}

fn states(run: &Trajectory, width: usize) -> String {
    let solution = &run.solution;
    let n = solution.dimension;
    let names = run.compiled.state_names();
    let shown = if names.len() > MOST_STATES {
        FIRST_STATES
    } else {
        names.len()
    };
    let column = |state: usize| {
        solution
            .states
            .iter()
            .skip(state)
            .step_by(n.max(1))
            .copied()
    };
    let mut values: [Vec<f64>; 4] = Default::default();
    for state in 0..shown {
        values[0].push(column(state).next().unwrap_or(f64::NAN));
        values[1].push(column(state).last().unwrap_or(f64::NAN));
        values[2].push(column(state).fold(f64::INFINITY, f64::min));
        values[3].push(column(state).fold(f64::NEG_INFINITY, f64::max));
    }
    let units = state_units(&run.compiled, shown);
    let mut columns = vec![Column::text("", names[..shown].to_vec())];
    let headers: &[&str] = if solution.times.len() == 1 {
        &["value"]
    } else {
        &["start", "end", "lowest", "highest"]
    };
    for (header, numbers) in headers.iter().copied().zip(values) {
        columns.push(Column::numbers(header, numbers));
    }
    if units.iter().any(|unit| !unit.is_empty()) {
        columns.push(Column::text("", units));
    }
    let mut text = table(&columns, width);
    if names.len() > shown {
        text.push_str(&format!("... and {} more states\n", names.len() - shown));
    }
    text
}

/// The declared unit of each of the first states, in brackets; empty where there is none.
pub(super) fn state_units(compiled: &Compiled, shown: usize) -> Vec<String> {
    let states = compiled.model.states.iter();
    let blocks = compiled.system.states.blocks();
    states
        .zip(blocks)
        .flat_map(|(state, block)| {
            let unit = state
                .unit
                .as_ref()
                .map_or(String::new(), |unit| format!("[{unit}]"));
            std::iter::repeat_n(unit, block.shape.len())
        })
        .take(shown)
        .collect()
}

/// Why a method for noise was chosen.
pub(super) fn noise_reason(reason: NoiseReason) -> String {
    match reason {
        NoiseReason::Linear => {
            "linear equations with constant noise: the transition is exact".to_owned()
        }
        NoiseReason::Stiff { stability } => format!(
            "the drift is stiff: it decays at {} times the rate of the steps",
            number(stability, 3)
        ),
        NoiseReason::Reactions => "the noise is that of reactions".to_owned(),
        NoiseReason::Additive => "the noise is additive".to_owned(),
        NoiseReason::Decoupled => "no noise depends on a state that another one drives".to_owned(),
        NoiseReason::Commutative => "the sources of noise commute".to_owned(),
        NoiseReason::General => "the sources of noise do not commute".to_owned(),
    }
}

/// `tsit45 from t = 0: as asked for`
pub(super) fn method_use(used: &MethodUse) -> String {
    let why = match used.why {
        SwitchReason::Linear => "the equations are linear: the solution is exact".to_owned(),
        SwitchReason::Requested => "as asked for".to_owned(),
        SwitchReason::StartStability { steps } if used.method.is_explicit() => format!(
            "at the start, stability asks for about {} of its steps",
            number(steps.round(), 3)
        ),
        SwitchReason::StartStability { steps } => format!(
            "at the start, stability would ask for about {} steps of an explicit method",
            number(steps.round(), 3)
        ),
        SwitchReason::TurnedStiff { .. } => {
            "the steps had come to the stability limit of the explicit method".to_owned()
        }
        SwitchReason::Noise(reason) => noise_reason(reason),
        SwitchReason::Constraints => "there are constraints".to_owned(),
        SwitchReason::TurnedNonstiff { .. } => {
            "the steps had come well within the stability limit of an explicit method".to_owned()
        }
    };
    let solver = match used.linear_solver {
        LinearSolver::None => "",
        LinearSolver::Dense => " with dense factorisations",
        LinearSolver::Sparse => " with sparse factorisations",
    };
    format!(
        "{}{solver} from t = {}: {why}",
        used.method,
        number(used.from, DIGITS)
    )
}
