//! Linear parts at the rows of a table, in words and a table by group.

use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::session::{Made, Measure, NoForm, RowsAnswer, Way, summary};
use std::fmt::Write;

/// Digits of medians and quartiles.
const DIGITS: usize = 4;
/// Groups that are listed.
const MOST_GROUPS: usize = 20;
/// Conditions that are listed.
const NAMED: usize = 4;

/// The text of a [`RowsAnswer`].
pub(super) fn text(answer: &RowsAnswer, made: Option<&Made>, width: usize) -> String {
    let mut out = String::new();
    let mut say = |line: &str| {
        out.push_str(&words::wrapped(line, width, "  "));
        out.push('\n');
    };
    say(&headline(answer));
    for line in values(answer).into_iter().chain(failures(answer)) {
        say(&line);
    }
    out.push('\n');
    out.push_str(&groups(answer, width));
    let _ = writeln!(out);
    out.push_str(&words::wrapped(&route(answer), width, "  "));
    out.push('\n');
    if let Some(Made::Table {
        path,
        rows,
        columns,
    }) = made
    {
        let _ = writeln!(
            out,
            "wrote {}: {}, {}",
            path.display(),
            counted(*rows, "row", "rows"),
            counted(*columns, "column", "columns")
        );
    }
    out
}

fn rows_of(answer: &RowsAnswer) -> String {
    match answer.data.cells {
        true => counted(answer.data.rows(), "cell", "cells"),
        false => counted(answer.data.rows(), "row", "rows"),
    }
}

fn headline(answer: &RowsAnswer) -> String {
    let data = &answer.data;
    let layer = data.layer.as_ref();
    let layer = layer.map_or(String::new(), |layer| format!(", layer {layer}"));
    let states = counted(data.numbers.columns(), "state", "states");
    format!(
        "the linear part at {} of {}{layer}: {states}",
        rows_of(answer),
        data.file.text
    )
}

/// Whose parameter values held.
fn values(answer: &RowsAnswer) -> Option<String> {
    if let Some(condition) = &answer.condition {
        return Some(format!("with the values of {condition} everywhere"));
    }
    let groups = answer.groups();
    let is_own = |at: usize| answer.conditions.get(at) == Some(&true);
    let own: Vec<&str> = (groups.iter())
        .filter(|(at, _)| at.is_some_and(is_own))
        .map(|(_, name)| *name)
        .collect();
    if own.is_empty() {
        let any = !answer.compiled.model.conditions.is_empty();
        let by = answer.data.by.as_ref().filter(|_| any)?;
        return Some(format!(
            "no value of {by} is a condition of the model: the values that hold now count everywhere"
        ));
    }
    let others = groups.len() - own.len();
    let named: Vec<&str> = own.iter().take(NAMED).copied().collect();
    let more = match own.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let rest = match others {
        0 => String::new(),
        _ => format!(
            "; with those that hold now in {}",
            counted(others, "other group", "other groups")
        ),
    };
    Some(format!(
        "each with the values of its condition in {}{more}{rest}",
        named.join(", ")
    ))
}

fn failures(answer: &RowsAnswer) -> Option<String> {
    let failed = answer.failed();
    let first = failed.first()?;
    let name = answer.data.names.get(*first).map_or("", String::as_str);
    Some(format!(
        "at {} the Jacobian is not finite, first at {name}",
        match answer.data.cells {
            true => counted(failed.len(), "cell", "cells"),
            false => counted(failed.len(), "row", "rows"),
        }
    ))
}

/// Medians and quartiles of each group, and of all rows.
fn groups(answer: &RowsAnswer, width: usize) -> String {
    let all: Vec<usize> = (0..answer.data.rows()).collect();
    let mut names = vec!["all".to_owned()];
    let mut members = vec![all];
    let known = answer.groups();
    for (group, name) in known.iter().take(MOST_GROUPS) {
        names.push((*name).to_owned());
        members.push(answer.rows_of(*group));
    }
    let what = format!("{}s", answer.data.what());
    let counts = members.iter().map(|rows| rows.len().to_string());
    let by = answer.data.by.clone().unwrap_or_default();
    let mut columns = vec![
        Column::text(by, names),
        Column::text(what, counts.collect()),
    ];
    if answer.spectrum {
        let shares = members.iter().map(|rows| share(answer.stable(rows)));
        columns.push(Column::text("stable", shares.collect()));
    }
    for quantity in answer.quantities() {
        let numbers = answer.column(quantity.measure);
        let cells = members.iter().map(|rows| {
            let known = summary(&numbers, rows);
            let median = shown(quantity.measure, known.median);
            match known.quartiles {
                Some((low, high)) => {
                    let (low, high) = (shown(quantity.measure, low), shown(quantity.measure, high));
                    format!("{median} [{low}, {high}]")
                }
                None => median,
            }
        });
        columns.push(Column::text(quantity.label, cells.collect()));
    }
    let mut out = table(&columns, width);
    out.push_str("medians [lower and upper quartiles]\n");
    if known.len() > MOST_GROUPS {
        let _ = writeln!(
            out,
            "… {} more groups: `save spectra to \"spectra.csv\"` has all rows",
            known.len() - MOST_GROUPS
        );
    }
    out
}

fn share((stable, all): (usize, usize)) -> String {
    match all {
        0 => "–".to_owned(),
        _ => format!("{} %", (100 * stable) / all),
    }
}

fn shown(measure: Measure, value: f64) -> String {
    match measure {
        _ if value.is_nan() => "–".to_owned(),
        _ => number(value, DIGITS),
    }
}

/// Which way was taken, and why.
fn route(answer: &RowsAnswer) -> String {
    let told = &answer.told;
    let blocks = match told.feedback {
        0 => "no state feeds back on itself through others, so the eigenvalues are the diagonal"
            .to_owned(),
        states => format!(
            "{} in feedback, the largest block of {}, are left for dense work",
            counted(states, "state", "states"),
            told.largest
        ),
    };
    let entries = counted(told.entries, "entry", "entries");
    match told.way {
        Way::Network => format!(
            "a network: J = M*diagonal(v(s)) - diagonal(d) with {entries} in M, evaluated once; {blocks}"
        ),
        Way::Terms => format!(
            "a sum of networks: J = M*diagonal(v(s)) + ... + diagonal(d(s)), each M evaluated once, {entries} in all; {blocks}"
        ),
        Way::Jacobian(why) => {
            let why = match why {
                NoForm::States => "the states are not one vector",
                NoForm::Matrix => "it holds a matrix that depends on the state",
            };
            format!(
                "by the compiled Jacobian at every {}, since {why}: {entries} that are not zero everywhere; {blocks}",
                answer.data.what()
            )
        }
    }
}
