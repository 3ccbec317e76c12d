//! A sweep as a figure and as a table.
//!
//! Enters: the numbers of all members. Leaves: curves over one axis, with markers where there are
//! few values, dots for the last values of each run, colours over two axes; the text of a CSV file.

use super::answer::{SweepAnswer, SweepPicture, SweptAxis};
use super::question::Layout;
use super::sentence::Sweep;
use super::wanted::Column;
use crate::figure::{Axis, Field, Fields, Figure, Mark, Scale, Series, Sheet};
use crate::table;

/// Curves of one figure; more are not told apart.
const MOST_CURVES: usize = 8;
/// Panels of one sheet.
const MOST_PANELS: usize = 9;
/// Values along a curve that still have room for markers.
const MOST_MARKERS: usize = 60;

/// The picture of a sweep, if there is one.
pub(super) fn picture(answer: &SweepAnswer, command: &Sweep) -> Option<SweepPicture> {
    let title = command.title.as_deref().unwrap_or_default();
    match answer.axes.as_slice() {
        [_] => {}
        [_, _] if answer.layout == Layout::Grid && answer.last.is_none() => {
            return Some(SweepPicture::Fields(fields(answer, command.log_y, title)));
        }
        _ => return None,
    }
    let measures = answer.columns.iter().filter(|column| column.is_measure);
    // Values share an axis; each measure is another quantity.
    if measures.count() == 0 || answer.columns.len() == 1 {
        let columns: Vec<usize> = (0..answer.columns.len()).take(MOST_CURVES).collect();
        let figure = over_one(answer, &columns, command.log_y, title);
        return Some(SweepPicture::Figure(Box::new(figure)));
    }
    let panels = (0..answer.columns.len()).take(MOST_PANELS);
    Some(SweepPicture::Sheet(Sheet {
        title: title.to_owned(),
        panels: panels
            .map(|column| over_one(answer, &[column], command.log_y, ""))
            .collect(),
        ..Sheet::default()
    }))
}

/// Each column as colours over both axes of a grid.
fn fields(answer: &SweepAnswer, logarithmic: bool, title: &str) -> Fields {
    let [x, y] = answer.axes.as_slice() else {
        return Fields::default();
    };
    let (across, up) = (x.count.unwrap_or(0), y.count.unwrap_or(0));
    let columns = ordered(answer.axis(0).step_by(up.max(1)).take(across));
    let rows = ordered(answer.axis(1).take(up));
    let panel = |(at, column): (usize, &Column)| {
        // The second axis moves fastest.
        let number = |i: usize, j: usize| {
            let member = i * up + j;
            let number = answer.of(member, at).last().copied();
            number.filter(|_| member < answer.count).unwrap_or(f64::NAN)
        };
        let row = |j: &usize| columns.iter().map(|(i, _)| number(*i, *j)).collect();
        Field {
            title: match &column.unit {
                Some(unit) => format!("{} [{unit}]", column.label),
                None => column.label.clone(),
            },
            x: axis_of(x),
            y: axis_of(y),
            columns: columns.iter().map(|(_, value)| *value).collect(),
            rows: rows.iter().map(|(_, value)| *value).collect(),
            values: rows.iter().map(|(j, _)| row(j)).collect(),
            scale: scale(logarithmic),
        }
    };
    let shown = answer.columns.iter().enumerate().take(MOST_PANELS);
    Fields {
        title: title.to_owned(),
        panels: shown.map(panel).collect(),
    }
}

/// The values of an axis with their places, ascending: listed ones may stand in any order.
fn ordered(values: impl Iterator<Item = f64>) -> Vec<(usize, f64)> {
    let mut values: Vec<(usize, f64)> = values.enumerate().collect();
    values.sort_by(|a, b| a.1.total_cmp(&b.1));
    values
}

fn axis_of(axis: &SweptAxis) -> Axis {
    Axis {
        label: axis.name.clone(),
        unit: axis.unit.clone(),
        scale: scale(axis.logarithmic),
        range: None,
        names: Vec::new(),
    }
}

fn scale(logarithmic: bool) -> Scale {
    match logarithmic {
        true => Scale::Logarithmic,
        false => Scale::Linear,
    }
}

/// Columns over the only axis.
fn over_one(answer: &SweepAnswer, columns: &[usize], log_y: bool, title: &str) -> Figure {
    let (label, unit) = match columns {
        [only] => answer
            .columns
            .get(*only)
            .map_or((String::new(), None), |column| {
                (column.label.clone(), column.unit.clone())
            }),
        _ => (String::new(), None),
    };
    let mut figure = Figure {
        title: title.to_owned(),
        y: Axis {
            label,
            unit,
            scale: scale(log_y),
            range: None,
            names: Vec::new(),
        },
        ..Figure::default()
    };
    if let Some(axis) = answer.axes.first() {
        let (low, high) = axis.range;
        figure.x = Axis {
            range: (low < high).then_some(axis.range),
            ..axis_of(axis)
        };
    }
    let order = ascending(answer);
    for (colour, column) in columns.iter().enumerate() {
        let name = answer
            .columns
            .get(*column)
            .map(|column| column.label.clone());
        let name = name.filter(|_| columns.len() > 1).unwrap_or_default();
        if answer.last.is_some() {
            figure.series.push(orbits(answer, *column, name, colour));
        } else {
            figure
                .series
                .extend(curve(answer, &order, *column, name, colour));
        }
    }
    figure
}

/// The members by the value of the only axis: rows of a table may stand in any order.
fn ascending(answer: &SweepAnswer) -> Vec<usize> {
    let values: Vec<f64> = answer.axis(0).collect();
    let mut order: Vec<usize> = (0..answer.count).collect();
    let value = |member: &usize| values.get(*member).copied().unwrap_or(f64::NAN);
    if answer.layout != Layout::Grid {
        order.sort_by(|a, b| value(a).total_cmp(&value(b)));
    }
    order
}

/// One number of each member, as a curve with markers where there is room for them.
fn curve(
    answer: &SweepAnswer,
    order: &[usize],
    column: usize,
    label: String,
    colour: usize,
) -> Vec<Series> {
    let axis: Vec<f64> = answer.axis(0).collect();
    let numbers: Vec<f64> = answer.column(column).collect();
    let at = |of: &[f64], member: &usize| of.get(*member).copied().unwrap_or(f64::NAN);
    let series = |label: String, mark: Mark| Series {
        label,
        x: order.iter().map(|member| at(&axis, member)).collect(),
        y: order.iter().map(|member| at(&numbers, member)).collect(),
        mark,
        colour,
    };
    if order.len() > MOST_MARKERS {
        return vec![series(label, Mark::Line)];
    }
    vec![
        series(label, Mark::Line),
        series(String::new(), Mark::Filled),
    ]
}

/// All numbers of each member, as dots above its value.
fn orbits(answer: &SweepAnswer, column: usize, label: String, colour: usize) -> Series {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (member, value) in answer.axis(0).enumerate() {
        let numbers = answer.of(member, column);
        x.extend(std::iter::repeat_n(value, numbers.len()));
        y.extend_from_slice(numbers);
    }
    Series {
        label,
        x,
        y,
        mark: Mark::Dots,
        colour,
    }
}

/// A row for each member, or for each of its last values: the axes, then the columns. What is
/// missing is NA.
pub(super) fn csv(answer: &SweepAnswer) -> (String, usize, usize) {
    let mut headers: Vec<String> = (answer.axes.iter()).map(|axis| axis.name.clone()).collect();
    headers.extend(answer.columns.iter().map(|column| column.label.clone()));
    let depth = answer.depth();
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(headers.len());
    for axis in 0..answer.axes.len() {
        let values = answer.axis(axis);
        columns.push(
            values
                .flat_map(|value| std::iter::repeat_n(value, depth))
                .collect(),
        );
    }
    for column in 0..answer.columns.len() {
        let members = 0..answer.count;
        columns.push(
            members
                .flat_map(|member| answer.of(member, column))
                .copied()
                .collect(),
        );
    }
    let rows = answer.count * depth;
    (table::write_csv(&headers, &columns), rows, headers.len())
}
