//! Sensitivities as text: for each observable which quantities matter, and how much.

use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::model::Motion;
use crate::session::{Made, Sensitivities};

/// Of more observables than this only the first are shown and the others counted.
const MOST_OBSERVABLES: usize = 8;
/// Of more quantities than this only those that matter most are shown.
const MOST_QUANTITIES: usize = 12;
/// Digits of times.
const DIGITS: usize = 6;
/// The longest name of a quantity that is shown whole.
const LONGEST_NAME: usize = 16;

/// The text of sensitivities, `width` columns wide.
#[must_use]
pub fn text(result: &Sensitivities, made: Option<&Made>, width: usize) -> String {
    let mut out = words::wrapped(&heading(result), width, "  ");
    out.push('\n');
    let shown = result.observables.len().min(MOST_OBSERVABLES);
    for observable in 0..shown {
        out.push('\n');
        out.push_str(&of_observable(result, observable, width));
    }
    if result.observables.len() > shown {
        let more = result.observables.len() - shown;
        out.push_str(&format!("\n... and {more} more observables\n"));
    }
    out.push('\n');
    out.push_str(&words::wrapped(&notes(result), width, ""));
    out.push('\n');
    if let Some(Made::Table {
        path,
        rows,
        columns,
    }) = made
    {
        let path = path.display();
        out.push_str(&format!("wrote {path}: {rows} rows of {columns} columns\n"));
    }
    out
}

/// `sensitivities along t = 0 to 24 [h]: 120 steps of tsit5, rtol 1e-6`
fn heading(result: &Sensitivities) -> String {
    let solution = &result.run.solution;
    let times = (solution.times.first(), solution.times.last());
    let range = match times {
        (Some(first), Some(last)) => {
            format!("{} to {}", number(*first, DIGITS), number(*last, DIGITS))
        }
        _ => String::new(),
    };
    let unit = result.run.compiled.model.time.unit.as_ref();
    let unit = unit.map_or(String::new(), |unit| format!(" [{unit}]"));
    let mut methods: Vec<&str> = Vec::new();
    for used in &solution.methods {
        if methods.last() != Some(&used.method.name()) {
            methods.push(used.method.name());
        }
    }
    let kind = if result.scaled { "relative " } else { "" };
    if result.run.compiled.model.motion == Motion::Map {
        return format!(
            "{kind}sensitivities along n = {range}{unit}: exact, carried along {}",
            counted(solution.statistics.steps as usize, "step", "steps")
        );
    }
    format!(
        "{kind}sensitivities along t = {range}{unit}: {} of {}, rtol {}",
        counted(solution.statistics.steps as usize, "step", "steps"),
        methods.join(", then "),
        number(solution.tolerances.relative, 3)
    )
}

fn of_observable(result: &Sensitivities, observable: usize, width: usize) -> String {
    let Some(influences) = result.influences.get(observable) else {
        return String::new();
    };
    let order = result.ranked(observable);
    let kept = order.get(..MOST_QUANTITIES).unwrap_or(&order);
    let names = kept.iter().filter_map(|at| result.quantities.get(*at));
    let names = names.map(|name| words::fit(name, LONGEST_NAME)).collect();
    let rows: Vec<_> = kept.iter().filter_map(|at| influences.get(*at)).collect();
    let weights = rows.iter();
    let weights = weights.map(|row| format!("{:>4.1} %", 100.0 * row.weight));
    let name = result.observables.get(observable);
    let name = name.map_or("", String::as_str);
    let columns = [
        Column::text(words::fit(&format!("{name} by"), 2 * LONGEST_NAME), names),
        Column::numbers("largest", rows.iter().map(|row| row.largest).collect()),
        Column::numbers(
            format!("at {}", variable(result)),
            rows.iter().map(|row| row.at).collect(),
        ),
        Column::numbers("at end", rows.iter().map(|row| row.end).collect()),
        Column::text("weight", weights.collect()),
    ];
    let mut out = table(&columns, width);
    if order.len() > kept.len() {
        out.push_str(&format!("... and {} more\n", order.len() - kept.len()));
    }
    out
}

/// `t`, or `n` for a map.
fn variable(result: &Sensitivities) -> &'static str {
    result.run.compiled.model.names.variable()
}

fn notes(result: &Sensitivities) -> String {
    let over = match result.run.compiled.model.motion {
        Motion::Flow => "time",
        Motion::Map => "n",
    };
    let weight = format!("weight: the share in the integral of |p dy/dp| over {over}");
    if !result.scaled {
        return format!("dy/dp; {weight}");
    }
    let all = || result.series.iter().flatten().flatten();
    let undefined = all().filter(|value| value.is_nan()).count();
    if undefined == 0 {
        return format!("(p/y) dy/dp; {weight}");
    }
    let count = all().count();
    format!("(p/y) dy/dp, undefined where y is 0 ({undefined} of {count} numbers); {weight}")
}
