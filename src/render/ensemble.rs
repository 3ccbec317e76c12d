//! Many paths as text.
//!
//! Enters: an ensemble. Leaves: a line that says how it was made, and a table of the end.

use super::outcome::{clamped, counted, longest};
use super::table::{Column, number, table};
use super::words;
use crate::analyze::ensemble::Moments;
use crate::session::{Ensemble, SHARES};

/// Quantities shown of a large ensemble.
const MOST_QUANTITIES: usize = 24;
/// Digits of times and steps.
const DIGITS: usize = 6;

/// The whole text, `width` columns wide.
pub(super) fn text(ensemble: &Ensemble, width: usize) -> String {
    let variable = ensemble.compiled.model.names.variable();
    let (Some(first), Some(last)) = (ensemble.times.first(), ensemble.times.last()) else {
        return String::new();
    };
    let unit = ensemble.compiled.model.time.unit.as_ref();
    let unit = unit.map_or(String::new(), |unit| format!(" [{unit}]"));
    let paths = if ensemble.made == ensemble.asked {
        many(ensemble.made)
    } else {
        format!("{} of {}", ensemble.made, many(ensemble.asked))
    };
    let range = if ensemble.times.len() == 1 {
        number(*last, DIGITS)
    } else {
        format!("{} to {}", number(*first, DIGITS), number(*last, DIGITS))
    };
    let head = format!(
        "{paths}, {variable} = {range}{unit}: {}, seed {}",
        work(ensemble),
        ensemble.seed
    );
    let mut out = words::wrapped(&head, width, "  ");
    out.push_str("\n\n");
    let row = ensemble.times.len() - 1;
    let shown = ensemble.quantities.len().min(MOST_QUANTITIES);
    let moments = (0..shown).map(|column| ensemble.summary.moments(row, column));
    let moments: Vec<_> = moments.collect();
    let names = ensemble.quantities.iter().take(shown);
    let mut columns = vec![
        Column::text(
            format!("at {variable} = {}", number(*last, DIGITS)),
            names.map(|known| known.name.clone()).collect(),
        ),
        of_all(&moments, "mean", Moments::known_mean),
        of_all(&moments, "± se", Moments::standard_error),
        of_all(&moments, "sd", Moments::deviation),
    ];
    // Half of the quantiles fit a narrow window.
    for share in SHARES.into_iter().step_by(2) {
        let values = (0..shown).map(|column| ensemble.summary.quantile(row, column, share));
        columns.push(Column::numbers(
            format!("{} %", number(100.0 * share, 3)),
            values.map(rounded).collect(),
        ));
    }
    out.push_str(&table(&columns, width));
    if ensemble.quantities.len() > shown {
        out.push_str(&format!("… {} more\n", ensemble.quantities.len() - shown));
    }
    if let Some(widest) = widest_bin(ensemble, row, shown) {
        out.push_str(&words::wrapped(
            &format!("quantiles are read from histograms: to within {widest}"),
            width,
            "  ",
        ));
        out.push('\n');
    }
    out
}

fn of_all(moments: &[Moments], header: &str, value: impl Fn(&Moments) -> f64) -> Column {
    Column::numbers(
        header,
        moments.iter().map(|known| rounded(value(known))).collect(),
    )
}

/// Chance leaves no more than four digits of what paths have in common.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn many(paths: u64) -> String {
    counted(
        usize::try_from(paths).unwrap_or(usize::MAX),
        "path",
        "paths",
    )
}

/// `euler_maruyama, dt 0.01, 1000 steps a path`
fn work(ensemble: &Ensemble) -> String {
    let mut names: Vec<&str> = Vec::new();
    for used in &ensemble.methods {
        if names.last() != Some(&used.method.name()) {
            names.push(used.method.name());
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of steps")]
    let each = ensemble.statistics.steps as f64 / ensemble.made.max(1) as f64;
    format!(
        "{}{}, {} steps a path{}",
        names.join(", then "),
        longest(ensemble.step),
        number(each, 4),
        clamped(ensemble.statistics.clamped)
    )
}

/// The widest bin of the quantities shown, where quantiles are read from bins.
fn widest_bin(ensemble: &Ensemble, row: usize, shown: usize) -> Option<String> {
    if ensemble.summary.is_exact() {
        return None;
    }
    let widths = (0..shown).map(|column| ensemble.summary.resolution(row, column));
    Some(number(widths.fold(0.0, f64::max), 2))
}
