//! A diagram as a figure and as a table: solid where it is stable, dashed where it is not.

use super::answer::{BranchAnswer, DiagramAnswer};
use crate::figure::{Axis, Figure, Mark, Note, Scale, Series};
use crate::session::command::LogAxis;
use crate::table::{self, Cells};

/// The colour of branches, and that of special points.
const BRANCHES: usize = 0;
const POINTS: usize = 1;

/// The diagram over the parameter.
pub(super) fn figure(answer: &DiagramAnswer, log: &[LogAxis], title: Option<&str>) -> Figure {
    let scale = |axis: LogAxis| {
        if log.contains(&axis) {
            Scale::Logarithmic
        } else {
            Scale::Linear
        }
    };
    let mut figure = Figure {
        title: title.unwrap_or_default().to_owned(),
        x: Axis {
            label: answer.parameter.clone(),
            unit: answer.unit.clone(),
            scale: scale(LogAxis::X),
            range: Some(answer.range),
        },
        y: Axis {
            label: answer.shown.clone(),
            unit: answer.shown_unit.clone(),
            scale: scale(LogAxis::Y),
            range: None,
        },
        ..Figure::default()
    };
    for branch in &answer.branches {
        figure.series.extend(curves(branch));
    }
    label_once(&mut figure.series, Mark::Line, "stable");
    label_once(&mut figure.series, Mark::Dashed, "unstable");
    for point in &answer.points {
        let at = (point.parameter(), point.shown);
        figure.series.push(Series {
            label: String::new(),
            x: vec![at.0],
            y: vec![at.1],
            mark: Mark::Filled,
            colour: POINTS,
        });
        figure.notes.push(Note {
            at,
            text: point.label.clone(),
        });
    }
    figure
}

/// The first series of a kind speaks for all in the legend.
fn label_once(series: &mut [Series], mark: Mark, label: &str) {
    if let Some(first) = series.iter_mut().find(|series| series.mark == mark) {
        label.clone_into(&mut first.label);
    }
}

/// One series for each run of the same stability.
fn curves(branch: &BranchAnswer) -> impl Iterator<Item = Series> + '_ {
    branch.runs().into_iter().map(|run| {
        let points = branch.points.get(run.from..=run.to).unwrap_or_default();
        let shown = branch.shown.get(run.from..=run.to).unwrap_or_default();
        Series {
            label: String::new(),
            x: points.iter().filter_map(|x| x.last().copied()).collect(),
            y: shown.to_vec(),
            mark: if run.unstable == Some(0) {
                Mark::Line
            } else {
                Mark::Dashed
            },
            colour: BRANCHES,
        }
    })
}

/// Every point as a row: branch, parameter, states, what is drawn, stability, the special point.
pub(super) fn csv(answer: &DiagramAnswer) -> (String, usize, usize) {
    let mut headers = vec!["branch".to_owned(), answer.parameter.clone()];
    headers.extend(answer.names.iter().cloned());
    let is_extra = !answer.names.contains(&answer.shown);
    if is_extra {
        headers.push(answer.shown.clone());
    }
    headers.extend(["unstable", "point"].map(str::to_owned));
    let states = answer.names.len();
    let mut numbers: Vec<Vec<f64>> = vec![Vec::new(); states + 2 + usize::from(is_extra)];
    let (mut unstable, mut labels) = (Vec::new(), Vec::new());
    for (at, branch) in answer.branches.iter().enumerate() {
        for (place, x) in branch.points.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let number = (at + 1) as f64;
            let row = [number, x.get(states).copied().unwrap_or(f64::NAN)].into_iter();
            let row = row.chain(x.iter().take(states).copied());
            let row = row.chain(branch.shown.get(place).copied().filter(|_| is_extra));
            for (column, value) in numbers.iter_mut().zip(row) {
                column.push(value);
            }
            let count = branch.unstable.get(place).copied().flatten();
            unstable.push(count.map_or(String::new(), |count| count.to_string()));
            let special = branch.special.iter().find(|(known, _)| *known == place);
            let point = special.and_then(|(_, point)| answer.points.get(*point));
            labels.push(point.map_or(String::new(), |point| point.label.clone()));
        }
    }
    let mut cells: Vec<Cells<'_>> = numbers.iter().map(|of| Cells::Numbers(of)).collect();
    cells.push(Cells::Text(&unstable));
    cells.push(Cells::Text(&labels));
    let rows = labels.len();
    (table::write_cells(&headers, &cells), rows, headers.len())
}
