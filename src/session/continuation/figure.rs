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
            names: Vec::new(),
        },
        y: Axis {
            label: answer.shown.clone(),
            unit: answer.shown_unit.clone(),
            scale: scale(LogAxis::Y),
            range: None,
            names: Vec::new(),
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
    let parameters: Vec<f64> = (branch.points.iter())
        .map(|x| x.last().copied().unwrap_or(f64::NAN))
        .collect();
    let (places, x, y) = smooth(&parameters, &branch.shown);
    branch.runs().into_iter().map(move |run| {
        let place = |at: usize| places.get(at).copied().unwrap_or(at);
        let part = place(run.from)..=place(run.to);
        Series {
            label: String::new(),
            x: x.get(part.clone()).unwrap_or_default().to_vec(),
            y: y.get(part).unwrap_or_default().to_vec(),
            mark: if run.unstable == Some(0) {
                Mark::Line
            } else {
                Mark::Dashed
            },
            colour: BRANCHES,
        }
    })
}

/// Parts of the way from one point to the next where it bends.
const PARTS: usize = 8;
/// Where a tangent leaves the straight way by less than this, it is drawn straight.
const STRAIGHT: f64 = 0.05;
/// Longer branches are drawn from point to point: their corners are smaller than can be seen.
const MOST_SMOOTHED: usize = 2000;
/// Where the way turns by more than the angle with this cosine, it has a corner.
const CORNER: f64 = -0.2;

/// Points between the points of a branch, so that it is round where it turns: the cubic with the
/// tangents of the parabola through each point and its neighbours, over the length of chords in
/// units of the extents. Gives where the points of the branch are among these, and these.
fn smooth(x: &[f64], y: &[f64]) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
    let points = x.len().min(y.len());
    let plain = ((0..points).collect(), x.to_vec(), y.to_vec());
    let extent = |values: &[f64]| {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = (values.iter()).fold(ends, |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        high - low
    };
    let sizes = (extent(x), extent(y));
    let sound = |size: f64| size > 0.0 && size.is_finite();
    if !(3..=MOST_SMOOTHED).contains(&points) || !sound(sizes.0) || !sound(sizes.1) {
        return plain;
    }
    let chord = |i: usize| ((x[i + 1] - x[i]) / sizes.0, (y[i + 1] - y[i]) / sizes.1);
    let chords: Vec<(f64, f64)> = (0..points - 1).map(chord).collect();
    let lengths: Vec<f64> = chords.iter().map(|(a, b)| a.hypot(*b)).collect();
    if lengths.iter().any(|length| !sound(*length)) {
        return plain;
    }
    let direction = |i: usize| (chords[i].0 / lengths[i], chords[i].1 / lengths[i]);
    // The tangent at a point as the end of the way `i`, which is the one before or after it.
    let tangent = |point: usize, i: usize| {
        let (before, after) = (point.wrapping_sub(1), point);
        if point == 0 || point == points - 1 {
            return direction(i);
        }
        let (a, b) = (direction(before), direction(after));
        if a.0 * b.0 + a.1 * b.1 < CORNER {
            return direction(i);
        }
        let share = lengths[after] / (lengths[before] + lengths[after]);
        (
            share * a.0 + (1.0 - share) * b.0,
            share * a.1 + (1.0 - share) * b.1,
        )
    };
    let (mut places, mut fine_x, mut fine_y) = (vec![0], vec![x[0]], vec![y[0]]);
    for i in 0..points - 1 {
        let (from, to) = (tangent(i, i), tangent(i + 1, i));
        let off = |t: (f64, f64)| (t.0 - direction(i).0).hypot(t.1 - direction(i).1);
        let bends = off(from).max(off(to)) > STRAIGHT;
        for part in (1..PARTS).take_while(|_| bends) {
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let s = part as f64 / PARTS as f64;
            let rise = s * s * (3.0 - 2.0 * s);
            let (leave, arrive) = (s * (1.0 - s) * (1.0 - s), s * s * (s - 1.0));
            let along = |chord: f64, from: f64, to: f64| {
                rise * chord + lengths[i] * (leave * from + arrive * to)
            };
            fine_x.push(x[i] + sizes.0 * along(chords[i].0, from.0, to.0));
            fine_y.push(y[i] + sizes.1 * along(chords[i].1, from.1, to.1));
        }
        places.push(fine_x.len());
        fine_x.push(x[i + 1]);
        fine_y.push(y[i + 1]);
    }
    (places, fine_x, fine_y)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_round_between_its_points() {
        // Seven points of the parabola p = -u^2.
        let u: Vec<f64> = (-3..=3).map(f64::from).collect();
        let p: Vec<f64> = u.iter().map(|u| -u * u).collect();
        let (places, x, y) = smooth(&p, &u);
        assert!(x.len() > 3 * PARTS);
        let off = x.iter().zip(&y).map(|(p, u)| (p + u * u).abs());
        // Chords lie up to 1/4 off.
        assert!(off.fold(0.0, f64::max) < 0.16);
        for (at, place) in places.into_iter().enumerate() {
            assert_eq!((x[place], y[place]), (p[at], u[at]));
        }
    }

    #[test]
    fn corners_stay() {
        let (_, x, y) = smooth(&[0.0, 1.0, 0.0], &[0.0, 0.0, 0.1]);
        let outside = x.iter().zip(&y).filter(|(x, y)| **x > 1.0 || **y < 0.0);
        assert_eq!(outside.count(), 0);
    }
}
