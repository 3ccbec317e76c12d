//! Sweeps in words: what was run, and a table of the numbers or of their lowest and highest ones.

use super::outcome::{counted, wrote};
use super::table::{Column, number, table};
use super::words;
use crate::session::{DrawnSweep, Layout, Made, SweepAnswer, SweptAxis};

/// Digits of numbers in sentences.
const DIGITS: usize = 6;
/// Members of a sweep that is shown whole.
const MOST_ROWS: usize = 16;
/// Failed members that are listed.
const MOST_FAILED: usize = 10;
/// Columns that are told of one by one.
const MOST_COLUMNS: usize = 24;

/// The text of a sweep; its picture is drawn elsewhere.
pub(super) fn text(drawn: &DrawnSweep, width: usize) -> String {
    let answer = &drawn.answer;
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push_str("\n\n");
    if answer.last.is_none() && answer.count <= MOST_ROWS {
        text.push_str(&whole(answer, width));
    } else {
        text.push_str(&extremes(answer, width));
    }
    text.push_str(&missing(answer, width));
    text.push_str(&failed(answer, width));
    if let Some(Made::Table {
        path,
        rows,
        columns,
    }) = &drawn.made
    {
        text.push_str(&wrote(path, *rows, *columns));
    }
    text
}

/// `200 runs, t = 0 to 50, each with another alpha (0 to 2)`
fn headline(answer: &SweepAnswer) -> String {
    let model = &answer.compiled.model;
    let unit = model.time.unit.as_ref();
    let unit = unit.map_or(String::new(), |unit| format!(" [{unit}]"));
    let runs = if answer.count < answer.asked {
        format!("{} of {} runs", answer.count, answer.asked)
    } else {
        counted(answer.count, "run", "runs")
    };
    let axes: Vec<String> = answer.axes.iter().map(in_words).collect();
    let layout = match answer.layout {
        Layout::Grid => "",
        Layout::Sobol => ", Sobol' points",
        Layout::Table => ", from the table",
    };
    let (from, to) = answer.range;
    format!(
        "{runs} from {} = {} to {}{unit} for {}{layout}",
        model.names.variable(),
        number(from, DIGITS),
        number(to, DIGITS),
        axes.join(", ")
    )
}

/// `alpha from 0 to 2 [1/day] (200 values)`
fn in_words(axis: &SweptAxis) -> String {
    let (low, high) = axis.range;
    let unit = axis
        .unit
        .as_ref()
        .map_or(String::new(), |unit| format!(" [{unit}]"));
    let scale = if axis.logarithmic { ", log" } else { "" };
    let count = axis.count.map_or(String::new(), |count| {
        format!(" ({}{scale})", counted(count, "value", "values"))
    });
    format!(
        "{} from {} to {}{unit}{count}",
        axis.name,
        number(low, DIGITS),
        number(high, DIGITS)
    )
}

/// `max(prey) [1/L]`
fn headed(label: &str, unit: Option<&String>) -> String {
    unit.map_or_else(|| label.to_owned(), |unit| format!("{label} [{unit}]"))
}

/// Every member as a row.
fn whole(answer: &SweepAnswer, width: usize) -> String {
    let mut columns = Vec::new();
    for (at, axis) in answer.axes.iter().enumerate() {
        let header = headed(&axis.name, axis.unit.as_ref());
        columns.push(Column::numbers(header, answer.axis(at).collect()));
    }
    for (at, column) in answer.columns.iter().enumerate() {
        let header = headed(&column.label, column.unit.as_ref());
        columns.push(Column::numbers(header, answer.column(at).collect()));
    }
    table(&columns, width)
}

/// The lowest and the highest number of each column, with the values of its member.
fn extremes(answer: &SweepAnswer, width: usize) -> String {
    let shown = answer.columns.len().min(MOST_COLUMNS);
    let (mut labels, mut words, mut numbers, mut places) = (vec![], vec![], vec![], vec![]);
    for (at, column) in answer.columns.iter().enumerate().take(shown) {
        let lowest = extreme(answer, at, |a, b| a < b);
        let highest = extreme(answer, at, |a, b| a > b);
        let label = headed(&column.label, column.unit.as_ref());
        for (label, word, found) in [
            (label, "lowest", lowest),
            (String::new(), "highest", highest),
        ] {
            labels.push(label);
            words.push(word.to_owned());
            numbers.push(found.map_or(f64::NAN, |(_, number)| number));
            places.push(found.map_or(String::new(), |(member, _)| answer.place(member)));
        }
    }
    let columns = [
        Column::text("", labels),
        Column::text("", words),
        Column::numbers("value", numbers),
        Column::text("at", places),
    ];
    let mut text = table(&columns, width);
    if answer.columns.len() > shown {
        text.push_str(&format!(
            "... and {} more columns\n",
            answer.columns.len() - shown
        ));
    }
    text
}

/// The first member with the extreme number of a column.
fn extreme(
    answer: &SweepAnswer,
    column: usize,
    better: fn(f64, f64) -> bool,
) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for member in 0..answer.count {
        let numbers = answer.of(member, column).iter();
        for number in numbers.filter(|number| number.is_finite()) {
            if best.is_none_or(|(_, known)| better(*number, known)) {
                best = Some((member, *number));
            }
        }
    }
    best
}

/// The measures that some members do not have, with why.
fn missing(answer: &SweepAnswer, width: usize) -> String {
    let mut text = String::new();
    for missing in &answer.missing {
        let label = answer.columns.get(missing.column);
        let line = format!(
            "{}: {} of {} have none; {}: {}",
            label.map_or("", |column| column.label.as_str()),
            missing.members,
            counted(answer.count, "run", "runs"),
            answer.place(missing.first),
            missing.problem.message
        );
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    text
}

/// The members that failed, with why.
fn failed(answer: &SweepAnswer, width: usize) -> String {
    if answer.failures.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{} failed:\n", counted(answer.failed, "run", "runs"));
    for failed in answer.failures.iter().take(MOST_FAILED) {
        let line = format!(
            "  {}: {}",
            answer.place(failed.member),
            failed.problem.message
        );
        text.push_str(&words::wrapped(&line, width, "    "));
        text.push('\n');
    }
    if answer.failed > MOST_FAILED {
        text.push_str(&format!("  ... and {} more\n", answer.failed - MOST_FAILED));
    }
    text
}
