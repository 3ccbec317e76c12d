//! Fits in words: a table of estimates, how good they are, how they were found.
//!
//! Enters: the answer of a fit, or of one fit for each subject. Leaves: text.

use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::fit::{End, Standing};
use crate::session::fit::FitAnswer;

/// Digits of numbers in sentences.
const DIGITS: usize = 6;
/// Digits of log-likelihoods and sums of squares: optima are compared by them.
const FINE: usize = 9;
/// Correlations above this are told: the estimates trade off against each other.
const STRONG: f64 = 0.95;
/// Pairs of correlated estimates that are told.
const MOST_PAIRS: usize = 4;

/// The text of fits: one in full, several as a table.
pub(super) fn text(answers: &[std::sync::Arc<FitAnswer>], width: usize) -> String {
    match answers {
        [only] => one(only, width),
        several => by_subject(several, width),
    }
}

fn one(answer: &FitAnswer, width: usize) -> String {
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push_str("\n\n");
    text.push_str(&table(&columns(answer), width));
    text.push('\n');
    for line in [quality(answer), search(answer)] {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    if let Some(line) = correlated(answer) {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    text
}

/// `42 data of hare and lynx from lynx_hare.csv, 1 run`
fn headline(answer: &FitAnswer) -> String {
    let names: Vec<String> = answer.lens.seen.iter().map(|seen| seen.name.clone()).collect();
    let of = crate::diagnostic::listed(&names);
    let subject = answer.subject.as_ref().map_or(String::new(), |who| format!(", subject {who}"));
    let runs = match answer.runs.len() {
        1 => String::new(),
        several => format!(" in {several} runs"),
    };
    let what = match (answer.squares.is_some(), answer.log_prior != 0.0) {
        (true, _) => "least squares",
        (false, true) => "maximum of the posterior density",
        (false, false) => "maximum likelihood",
    };
    format!(
        "{what}: {} of {of}{runs} from {}{subject}",
        counted(answer.count, "datum", "data"),
        answer.file
    )
}

fn columns(answer: &FitAnswer) -> Vec<Column> {
    let names = answer.fitted.iter().map(|known| match &known.unit {
        Some(unit) => format!("{} [{unit}]", known.name),
        None => known.name.clone(),
    });
    let pairs = answer.estimates.iter().zip(&answer.errors);
    let relative = pairs.map(|(estimate, error)| 100.0 * error / estimate.abs());
    let cell = |value: f64| if value.is_nan() { "–".to_owned() } else { number(value, DIGITS) };
    let standing = answer.uncertainty.as_ref().map_or(&[][..], |known| &known.standing);
    let of = |at: usize| standing.get(at).copied().unwrap_or(Standing::Determined);
    let interval = answer.intervals.iter().enumerate().map(|(at, (low, high))| match of(at) {
        Standing::AtLower => "on its lower bound".to_owned(),
        Standing::AtUpper => "on its upper bound".to_owned(),
        Standing::Undetermined | Standing::Falling => "not determined".to_owned(),
        Standing::Fixed => "fixed".to_owned(),
        Standing::Determined => format!("{} to {}", cell(*low), cell(*high)),
    });
    let error = |at: usize, error: &f64| match of(at) {
        Standing::Determined => cell(*error),
        _ => "–".to_owned(),
    };
    vec![
        Column::text("", names.collect()),
        Column::text("estimate", answer.estimates.iter().map(|value| cell(*value)).collect()),
        Column::text(
            "std. error",
            answer.errors.iter().enumerate().map(|(at, e)| error(at, e)).collect(),
        ),
        Column::text(
            "rel. %",
            relative
                .enumerate()
                .map(|(at, value)| match of(at) {
                    Standing::Determined if value.is_finite() => number(value, 3),
                    _ => "–".to_owned(),
                })
                .collect(),
        ),
        Column::text("95 % interval", interval.collect()),
    ]
}

fn quality(answer: &FitAnswer) -> String {
    let mut text = String::new();
    if let Some(squares) = answer.squares {
        text.push_str(&format!("residual sum of squares {}", number(squares, FINE)));
        if let Some(sd) = answer.residual_sd() {
            let left = answer.degrees_left();
            text.push_str(&format!(
                ", residual sd {} ({})",
                number(sd, DIGITS),
                counted(left, "degree of freedom", "degrees of freedom")
            ));
        }
        text.push_str("; ");
    }
    text.push_str(&format!(
        "log-likelihood {}, AIC {}, BIC {}",
        number(answer.log_likelihood, FINE),
        number(answer.aic(), DIGITS),
        number(answer.bic(), DIGITS)
    ));
    if answer.log_prior != 0.0 {
        text.push_str(&format!(", log prior density {}", number(answer.log_prior, DIGITS)));
    }
    text
}

/// `lm converged (0.3e-12 left to gain); 18 of 20 starts reached this optimum; seed 1`
fn search(answer: &FitAnswer) -> String {
    let local = answer.search();
    let end = match &local.end {
        End::Converged { decrement } => format!(
            "converged (at most {} of log-likelihood left to gain)",
            number(*decrement, 1)
        ),
        End::Unmoved { decrement } if *decrement <= 1e-8 => "stayed at the start, which is the optimum".to_owned(),
        End::Unmoved { .. } => "did not move from the start".to_owned(),
        End::Stalled { .. } => "stalled".to_owned(),
        End::OutOfIterations => "used up its iterations".to_owned(),
        End::SimplexCollapsed => "ended with a simplex shrunk to a point".to_owned(),
        End::SwarmCollapsed => "ended with a swarm shrunk to a point".to_owned(),
        End::Interrupted => "was interrupted".to_owned(),
        End::Fault(_) | End::NotFinite => "could not begin".to_owned(),
    };
    let mut text = format!(
        "{} {end} after {}",
        answer.method.name(),
        counted(local.iterations as usize, "iteration", "iterations")
    );
    if answer.findings.all.len() > 1 {
        let failed = answer.findings.all.iter().filter(|one| !one.local.value.is_finite()).count();
        text.push_str(&format!(
            "; {} of {} starts reached this optimum",
            answer.findings.reached_best,
            answer.findings.all.len()
        ));
        if failed > 0 {
            text.push_str(&format!(", {failed} could not begin"));
        }
        text.push_str(&format!(" (seed {})", answer.seed));
    }
    text
}

fn correlated(answer: &FitAnswer) -> Option<String> {
    let known = answer.uncertainty.as_ref().ok()?;
    let m = answer.fitted.len();
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for i in 0..m {
        for j in i + 1..m {
            let r = known.correlation.get(i * m + j).copied().unwrap_or(f64::NAN);
            if r.abs() > STRONG {
                pairs.push((r, i, j));
            }
        }
    }
    if pairs.is_empty() {
        return None;
    }
    pairs.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()));
    let told: Vec<String> = pairs
        .iter()
        .take(MOST_PAIRS)
        .map(|(r, i, j)| {
            format!("{} and {} ({})", answer.fitted[*i].name, answer.fitted[*j].name, number(*r, 3))
        })
        .collect();
    let more = if pairs.len() > MOST_PAIRS { ", and others" } else { "" };
    Some(format!("strongly correlated: {}{more}", told.join(", ")))
}

/// A row for each subject.
fn by_subject(answers: &[std::sync::Arc<FitAnswer>], width: usize) -> String {
    let Some(first) = answers.first() else {
        return String::new();
    };
    let file = &first.file;
    let mut text = format!("{} to {file}\n\n", counted(answers.len(), "fit", "fits"));
    let subjects = answers.iter().map(|answer| {
        let mark = if answer.has_converged() { "" } else { " (not converged)" };
        format!("{}{mark}", answer.subject.clone().unwrap_or_default())
    });
    let mut columns = vec![Column::text("subject", subjects.collect())];
    for (at, known) in first.fitted.iter().enumerate() {
        let of = |numbers: fn(&FitAnswer) -> &[f64]| {
            answers.iter().map(|answer| numbers(answer).get(at).copied().unwrap_or(f64::NAN)).collect()
        };
        columns.push(Column::numbers(known.name.clone(), of(|answer| &answer.estimates)));
        columns.push(Column::numbers("±", of(|answer| &answer.errors)));
    }
    let squares: Vec<f64> = answers.iter().map(|a| a.squares.unwrap_or(f64::NAN)).collect();
    if squares.iter().any(|value| !value.is_nan()) {
        columns.push(Column::numbers("RSS", squares));
    }
    let logs = answers.iter().map(|answer| answer.log_likelihood);
    columns.push(Column::numbers("log-likelihood", logs.collect()));
    text.push_str(&table(&columns, width));
    text
}
