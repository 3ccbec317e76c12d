//! The fit of cells at rest as text: matrices, or their largest entries; how the search ended; what
//! the cells do not determine.

use super::table::{Column, number, table};
use super::words;
use crate::fit::cells::End;
use crate::session::fit::{AtRestAnswer, Estimate, FALSE_FINDINGS, Known, Spread};

/// Matrices with more rows or columns than this are told by their largest entries.
const MOST_WHOLE: usize = 8;
/// So many of them.
const LARGEST: usize = 20;
/// Groups that are listed.
const MOST_GROUPS: usize = 12;
/// Directions that are written out.
const MOST_OPEN: usize = 3;
/// Names in a direction.
const MOST_PARTS: usize = 6;
/// Differences that are listed.
const MOST_DIFFERING: usize = 20;
const DIGITS: usize = 4;

pub(super) fn text(answer: &AtRestAnswer, width: usize) -> String {
    let mut text = String::new();
    let many = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let head = format!(
        "{} of {} in {}, seen {}",
        many(answer.cells(), "cell"),
        many(answer.genes.len(), "gene"),
        many(answer.groups.len(), "group"),
        match answer.groups.iter().any(|group| group.time.is_finite()) {
            true => "on the way after a step",
            false => "at rest",
        }
    );
    text.push_str(&words::wrapped(&head, width, "  "));
    text.push('\n');
    if answer.groups.len() > 1 {
        text.push('\n');
        text.push_str(&groups(answer, width));
    }
    for estimate in &answer.estimates {
        text.push('\n');
        text.push_str(&entries(estimate, width));
    }
    text.push('\n');
    for line in lines(answer) {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    if let Some(against) = answer
        .against
        .as_ref()
        .filter(|known| !known.differing.is_empty())
    {
        text.push('\n');
        let shown = against.differing.iter().take(MOST_DIFFERING);
        let column = |of: &dyn Fn(&crate::session::fit::Difference) -> f64| -> Vec<f64> {
            against
                .differing
                .iter()
                .take(MOST_DIFFERING)
                .map(of)
                .collect()
        };
        text.push_str(&table(
            &[
                Column::text("differs", shown.map(|one| one.name.clone()).collect()),
                Column::numbers("before", column(&|one| one.before)),
                Column::numbers("now", column(&|one| one.now)),
                Column::numbers("z", column(&|one| one.z)),
            ],
            width,
        ));
    }
    text
}

/// Which route was taken, and why.
pub(super) fn explained(answer: &AtRestAnswer, width: usize) -> String {
    let of = |name: &str| answer.estimates.iter().any(|one| one.name == name);
    let drift = &answer.drift;
    let held = |name: &str| if of(name) { "fitted" } else { "held" };
    let mut parts = vec![
        (
            "model",
            format!(
                "{0}' = {drift}*{0} + inputs + noise, recognised from the equations: one matrix acts on the state, and neither inputs nor noise depend on it ({drift} is {1})",
                answer.state,
                held(drift)
            ),
        ),
        (
            "likelihood",
            "exact. Each cell is a draw of its own from a normal distribution with the mean at rest under the inputs of its group and a covariance that all groups share; counts, means and the pooled scatter of the groups say all that the cells say, so that a step costs the same for any number of cells".to_owned(),
        ),
    ];
    let n = answer.cells();
    parts.push((
        "statistics",
        format!(
            "{n} cells in one pass became {} means and one scatter",
            answer.groups.len()
        ),
    ));
    parts.push((
        "covariance",
        match answer.spread {
            Spread::Free(_) => "free: for every other value its best one is known in closed form and put in",
            Spread::Held | Spread::Fitted => "solves A S + S A' + C C' = 0, by the matrix sign function, with the adjoint equation for the gradient",
        }
        .to_owned(),
    ));
    parts.push((
        "search",
        "Newton steps with the expected information, whose products are computed by one tangent and one adjoint each; steps that would leave stable systems are shortened".to_owned(),
    ));
    if !answer.penalties.is_empty() {
        parts.push((
            "penalties",
            "added to minus the log-likelihood of a cell; standard errors are not told under an l1"
                .to_owned(),
        ));
    }
    let mut text = String::new();
    for (label, told) in parts {
        text.push_str(&words::wrapped(&format!("{label}: {told}"), width, "  "));
        text.push('\n');
    }
    text
}

fn groups(answer: &AtRestAnswer, width: usize) -> String {
    let shown = answer.groups.iter().take(MOST_GROUPS);
    let mut names: Vec<String> = shown.clone().map(|group| group.label.clone()).collect();
    let mut cells: Vec<String> = shown.map(|group| group.cells.to_string()).collect();
    if let Some(more) = answer
        .groups
        .len()
        .checked_sub(MOST_GROUPS)
        .filter(|more| *more > 0)
    {
        let rest = answer.groups.iter().skip(MOST_GROUPS);
        names.push(format!("and {more} more"));
        cells.push(rest.map(|group| group.cells).sum::<usize>().to_string());
    }
    table(
        &[Column::text("group", names), Column::text("cells", cells)],
        width,
    )
}

/// A small matrix whole, of a large one the largest entries.
fn entries(estimate: &Estimate, width: usize) -> String {
    let (rows, columns) = estimate.values.shape();
    if rows <= MOST_WHOLE && columns <= MOST_WHOLE {
        return whole(estimate, width);
    }
    let is_square = estimate.rows == estimate.columns;
    let mut all: Vec<(usize, usize)> = estimate
        .fitted()
        .filter(|(row, column)| !is_square || row != column)
        .filter(|at| estimate.values[*at] != 0.0)
        .collect();
    let zero = estimate
        .fitted()
        .filter(|at| estimate.values[*at] == 0.0)
        .count();
    let total = all.len();
    all.sort_by(|a, b| {
        let size = |at: &(usize, usize)| estimate.values[*at].abs();
        size(b).total_cmp(&size(a)).then(a.cmp(b))
    });
    all.truncate(LARGEST);
    let names = all
        .iter()
        .map(|(row, column)| estimate.entry(*row, *column));
    let values = all.iter().map(|at| estimate.values[*at]).collect();
    let mut shown = vec![
        Column::text(&estimate.name, names.collect()),
        Column::numbers("estimate", values),
    ];
    if let Some(errors) = &estimate.errors {
        let errors: Vec<String> = all.iter().map(|at| error_text(errors[*at])).collect();
        shown.push(Column::text("std. error", errors));
    }
    let mut text = table(&shown, width);
    let off = if is_square { " off the diagonal" } else { "" };
    if total > all.len() {
        text.push_str(&words::wrapped(
            &format!(
                "the {LARGEST} largest of {total}{off}; all: `save {} to \"{}.csv\"`",
                estimate.name, estimate.name
            ),
            width,
            "  ",
        ));
        text.push('\n');
    }
    if zero > 0 {
        text.push_str(&format!("{zero} are zero\n"));
    }
    text
}

fn whole(estimate: &Estimate, width: usize) -> String {
    let cell = |row: usize, column: usize| {
        let value = number(estimate.values[(row, column)], DIGITS);
        let is_free = estimate
            .free
            .get(row + column * estimate.values.nrows())
            .is_some_and(|free| *free);
        match &estimate.errors {
            _ if !is_free => format!("{value} held"),
            Some(errors) => format!("{value} ± {}", error_text(errors[(row, column)])),
            None => value,
        }
    };
    let mut columns = vec![Column::text(&estimate.name, estimate.rows.clone())];
    for column in 0..estimate.values.ncols() {
        let name = match estimate.columns.get(column) {
            Some(label) => label.clone(),
            None => "estimate".to_owned(),
        };
        let cells = (0..estimate.values.nrows()).map(|row| cell(row, column));
        columns.push(Column::text(name, cells.collect()));
    }
    table(&columns, width)
}

fn error_text(error: f64) -> String {
    match error.is_finite() {
        true => number(error, 2),
        false => "open".to_owned(),
    }
}

fn lines(answer: &AtRestAnswer) -> Vec<String> {
    let found = &answer.found;
    let before = answer.before.map_or_else(String::new, |before| {
        format!(" ({} at the values before)", number(before, 10))
    });
    let mut lines = vec![format!(
        "log-likelihood {}{before}",
        number(found.log_likelihood, 10)
    )];
    lines.push(match answer.spread {
        Spread::Held => "covariance: that of the fitted drift and the given noise".to_owned(),
        Spread::Fitted => "covariance: that of the fitted drift and the fitted noise".to_owned(),
        Spread::Free(ridge) => {
            let added = match ridge > 0.0 {
                true => format!(
                    "; {} of the mean variance is added to each variance",
                    number(ridge, 2)
                ),
                false => String::new(),
            };
            format!("covariance: free, its best value put in{added}; the means alone speak about the rest")
        }
    });
    if let Some(part) = answer.measured {
        lines.push(match answer.spread {
            Spread::Free(_) => format!(
                "measuring makes {} % of the variance of the cells; a free covariance holds it",
                number(100.0 * part, 2)
            ),
            _ => format!(
                "measuring adds to the variances of the model: {} % of those of the cells",
                number(100.0 * part, 2)
            ),
        });
    }
    if !answer.penalties.is_empty() {
        let told: Vec<&str> = answer
            .penalties
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        lines.push(format!("penalty for a cell: {}", told.join(" and ")));
    }
    if let Some(chosen) = &answer.selection {
        let score = |at: usize| chosen.scores.get(at).copied().unwrap_or(f64::NAN);
        lines.push(format!(
            "its weight was chosen among {} by groups held out (never `{}`): log-likelihood of a held-out cell {} (at the largest weight, {}, {})",
            chosen.weights.len(),
            chosen.control,
            number(score(chosen.best), 6),
            chosen.weights.first().map_or_else(String::new, |most| number(*most, 3)),
            number(score(0), 6)
        ));
    }
    let end = match found.end {
        End::Converged => "converged",
        End::Stalled => "not converged: no step made the likelihood larger",
        End::OutOfIterations => "not converged: the steps were used up",
        End::Interrupted => "not converged: interrupted",
        End::Fault(_) => "failed",
    };
    lines.push(format!(
        "{end} after {} steps; gradient for a cell {:.1e}",
        found.iterations, found.gradient
    ));
    if found.unstable > 0 {
        lines.push(format!(
            "{} steps were shortened since the system would not have been stable",
            found.unstable
        ));
    }
    lines.push(format!(
        "slowest relaxation: an eigenvalue with the real part {}",
        number(answer.leading, DIGITS)
    ));
    lines.extend(known(&answer.known, &answer.decided_by()));
    if answer.left_out > 0 {
        lines.push(format!(
            "{} cells were left out: their group or a covariate is missing",
            answer.left_out
        ));
    }
    if let Some(against) = &answer.against {
        lines.push(format!(
            "compared with the fit to {}: {} of {} entries differ beyond their errors (of such findings {} % are expected to be false)",
            against.file,
            against.differing.len(),
            against.compared,
            100.0 * FALSE_FINDINGS
        ));
    }
    if let Some(file) = &answer.uncompared {
        lines.push(format!(
            "not compared with the fit to {file}: one of the two has no standard errors, as under an l1"
        ));
    }
    lines
}

fn known(known: &Known, decided_by: &str) -> Vec<String> {
    match known {
        Known::NotExamined(free) => vec![format!(
            "whether the cells determine all {free} fitted entries was not examined: too many"
        )],
        Known::Unknown => {
            vec!["whether the cells determine all entries could not be said".to_owned()]
        }
        Known::Examined { free, open } if open.is_empty() => {
            vec![format!("all {free} fitted entries are determined")]
        }
        Known::Examined { free, open } => {
            let mut lines = vec![format!(
                "{} of {free} directions of the fitted entries {} not determined; {decided_by} decided",
                open.len(),
                if open.len() == 1 { "is" } else { "are" }
            )];
            for direction in open.iter().take(MOST_OPEN).filter(|one| !one.is_empty()) {
                let mut sum = String::new();
                for (at, (name, part)) in direction.iter().take(MOST_PARTS).enumerate() {
                    let sign = match (at, *part < 0.0) {
                        (0, true) => "-",
                        (0, false) => "",
                        (_, true) => " - ",
                        (_, false) => " + ",
                    };
                    sum.push_str(&format!("{sign}{} {name}", number(part.abs(), 3)));
                }
                let more = match direction.len() > MOST_PARTS {
                    true => " + …",
                    false => "",
                };
                lines.push(format!("open: {sum}{more}"));
            }
            lines
        }
    }
}
