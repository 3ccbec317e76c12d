//! Prepares the numbers of a figure for drawing.
//!
//! Enters: series and axis maps. Leaves: ranges of the axes, and curves as runs of points on the
//! unit square, interrupted at non-finite values, thinned without losing extrema, clipped to the
//! axes. Must not know pixels, colours or text.

use super::ticks::{Map, range};
use super::{AxisName, FigureError};
use crate::figure::{Axis, Figure, Scale, Series};

/// A place on the unit square, y upward.
pub type Point = (f64, f64);

/// Low and high end of an axis.
pub type Range = (f64, f64);

/// Amounts whose lowest is below this share of the highest are judged against zero: the axis begins
/// there. More of the height would stand empty than the comparison is worth.
const NEAR_ZERO: f64 = 0.2;

/// The ranges of both axes.
///
/// # Errors
/// [`FigureError::NothingPositive`] when an axis is logarithmic and there are finite values, but
/// none that it can show.
pub fn ranges(figure: &Figure) -> Result<(Range, Range), FigureError> {
    let x_data = extent(figure, AxisName::X)?;
    let y_data = extent(figure, AxisName::Y)?;
    let points = figure.series.iter().any(|s| !s.mark.is_curve());
    let x_pad = match (runs_along_x(figure), points) {
        (true, false) => 0.0,
        (true, true) => 0.015,
        (false, _) => 0.04,
    };
    let x = range(figure.x.scale, figure.x.range, x_data, (x_pad, x_pad));
    let mut y = range(figure.y.scale, figure.y.range, y_data, (0.05, 0.05));
    // Amounts that come near zero are judged against zero.
    if figure.y.range.is_none()
        && figure.y.scale == Scale::Linear
        && let Some((low, high)) = y_data
        && low >= 0.0
        && low < NEAR_ZERO * high
    {
        y.0 = 0.0;
    }
    Ok((x, y))
}

/// True when every curve goes from left to right, as time courses do.
fn runs_along_x(figure: &Figure) -> bool {
    figure
        .series
        .iter()
        .filter(|series| series.mark.is_curve())
        .all(|series| series.x.windows(2).all(|pair| pair[1] >= pair[0]))
}

/// Smallest and largest value that an axis can show, over points both of whose values can be
/// shown.
fn extent(figure: &Figure, name: AxisName) -> Result<Option<Range>, FigureError> {
    let drawable =
        |axis: &Axis, value: f64| value.is_finite() && (axis.scale == Scale::Linear || value > 0.0);
    // Where the other axis ends, what lies beyond is not seen.
    let is_seen = |x: f64, y: f64| match name {
        AxisName::X => lies_within(&figure.y, y),
        AxisName::Y => lies_within(&figure.x, x),
    };
    let mut any = false;
    let mut found: Option<Range> = None;
    for series in &figure.series {
        let skipped = match name {
            AxisName::X => 0,
            AxisName::Y => rise_from_nothing(figure, series),
        };
        for (x, y) in series.x.iter().zip(&series.y).skip(skipped) {
            let (value, axis) = match name {
                AxisName::X => (*x, &figure.x),
                AxisName::Y => (*y, &figure.y),
            };
            if !is_seen(*x, *y) {
                continue;
            }
            any |= value.is_finite() && !drawable(axis, value);
            if drawable(&figure.x, *x) && drawable(&figure.y, *y) {
                let (low, high) = found.unwrap_or((value, value));
                found = Some((low.min(value), high.max(value)));
            }
        }
    }
    for band in &figure.bands {
        let edges = band.low.iter().zip(&band.high);
        for (x, (low, high)) in band.x.iter().zip(edges) {
            let (values, axis) = match name {
                AxisName::X => ([*x, *x], &figure.x),
                AxisName::Y => ([*low, *high], &figure.y),
            };
            let seen = values
                .into_iter()
                .filter(|_| is_seen(*x, *low) || is_seen(*x, *high));
            for value in seen.filter(|value| drawable(axis, *value)) {
                let (low, high) = found.unwrap_or((value, value));
                found = Some((low.min(value), high.max(value)));
            }
        }
    }
    if found.is_none() && any {
        return Err(FigureError::NothingPositive { axis: name });
    }
    Ok(found)
}

fn lies_within(axis: &Axis, value: f64) -> bool {
    axis.range
        .is_none_or(|(low, high)| (low..=high).contains(&value))
}

/// The share of a curve's extent along x in which it may rise from zero on a logarithmic axis.
const RISE: f64 = 0.01;

/// How many points at the beginning of a time course do not count for the range of a logarithmic
/// vertical axis. A curve that starts at zero comes from minus infinity there: how far down its
/// first points lie says only how small the first steps were, and would squeeze all the rest.
fn rise_from_nothing(figure: &Figure, series: &Series) -> usize {
    let (Some(first), Some(last)) = (series.x.first(), series.x.last()) else {
        return 0;
    };
    let rises = figure.y.scale == Scale::Logarithmic
        && figure.x.scale == Scale::Linear
        && series.mark.is_curve()
        && series.y.first().is_some_and(|y| *y <= 0.0)
        && runs_along_x(figure);
    if !rises {
        return 0;
    }
    let until = first + RISE * (last - first);
    let skipped = series.x.iter().take_while(|x| **x < until).count();
    let shown = |y: &f64| y.is_finite() && *y > 0.0;
    if series.y.iter().skip(skipped).any(shown) {
        skipped
    } else {
        0
    }
}

/// The runs of a curve between its interruptions, thinned for `columns` columns.
pub fn runs(series: &Series, x: &Map, y: &Map, columns: usize) -> Vec<Vec<Point>> {
    let mut runs = vec![Vec::new()];
    for point in places(series, x, y) {
        match point {
            Some(point) => {
                if let Some(run) = runs.last_mut() {
                    run.push(point);
                }
            }
            None if runs.last().is_some_and(|run: &Vec<Point>| !run.is_empty()) => {
                runs.push(Vec::new());
            }
            None => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    for run in &mut runs {
        thin(run, columns);
    }
    runs
}

/// The points of a series that lie within the axes, one per cell of a `columns` by `columns`
/// grid.
pub fn points(series: &Series, x: &Map, y: &Map, columns: usize) -> Vec<Point> {
    let slack = 1e-9;
    let mut taken = rustc_hash::FxHashSet::default();
    places(series, x, y)
        .flatten()
        .filter(|(px, py)| {
            (-slack..=1.0 + slack).contains(px) && (-slack..=1.0 + slack).contains(py)
        })
        .filter(|(px, py)| {
            let cell = |place: f64| (place * columns as f64) as i64;
            taken.insert((cell(*px), cell(*py)))
        })
        .collect()
}

fn places<'a>(
    series: &'a Series,
    x: &'a Map,
    y: &'a Map,
) -> impl Iterator<Item = Option<Point>> + 'a {
    series.x.iter().zip(&series.y).map(|(vx, vy)| {
        let (px, py) = (x.place(*vx), y.place(*vy));
        (px.is_finite() && py.is_finite()).then_some((px, py))
    })
}

/// Runs shorter than this are kept whole.
const KEPT_WHOLE: usize = 2000;

/// Keeps, of each stretch of points that stays within one column, the first, the lowest, the
/// highest and the last, in their order: the drawn curve covers the same pixels.
fn thin(run: &mut Vec<Point>, columns: usize) {
    if run.len() <= KEPT_WHOLE {
        return;
    }
    let column = |point: &Point| (point.0 * columns as f64).floor() as i64;
    let mut kept = Vec::with_capacity(4 * columns);
    for stretch in run.chunk_by(|left, right| column(left) == column(right)) {
        let mut picked = [0, stretch.len() - 1, 0, 0];
        for (index, point) in stretch.iter().enumerate() {
            if stretch.get(picked[2]).is_some_and(|low| point.1 < low.1) {
                picked[2] = index;
            }
            if stretch.get(picked[3]).is_some_and(|high| point.1 > high.1) {
                picked[3] = index;
            }
        }
        picked.sort_unstable();
        let mut last = None;
        for index in picked {
            if last != Some(index) {
                kept.extend(stretch.get(index));
                last = Some(index);
            }
        }
    }
    *run = kept;
}

/// Cuts a run to the unit square widened by `margin` on each side.
pub fn clip(run: &[Point], margin: Point) -> Vec<Vec<Point>> {
    if let [point] = run {
        let inside = (-margin.0..=1.0 + margin.0).contains(&point.0)
            && (-margin.1..=1.0 + margin.1).contains(&point.1);
        return if inside {
            vec![vec![*point]]
        } else {
            Vec::new()
        };
    }
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for pair in run.windows(2) {
        let [from, to] = pair else { continue };
        let Some((start, end)) = clip_segment(*from, *to, margin) else {
            continue;
        };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&start) => piece.push(end),
            _ => pieces.push(vec![start, end]),
        }
    }
    pieces
}

/// The part of a segment within the widened unit square (Liang and Barsky 1984).
fn clip_segment(from: Point, to: Point, margin: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let edges = [
        (-dx, from.0 + margin.0),
        (dx, 1.0 + margin.0 - from.0),
        (-dy, from.1 + margin.1),
        (dy, 1.0 + margin.1 - from.1),
    ];
    for (towards, distance) in edges {
        if towards == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if towards < 0.0 {
            enter = enter.max(distance / towards);
        } else {
            leave = leave.min(distance / towards);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |part: f64| (from.0 + dx * part, from.1 + dy * part);
    let start = if enter == 0.0 { from } else { at(enter) };
    let end = if leave == 1.0 { to } else { at(leave) };
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Mark;

    fn line(x: Vec<f64>, y: Vec<f64>) -> Series {
        Series {
            label: String::new(),
            x,
            y,
            mark: Mark::Line,
            colour: 0,
        }
    }

    fn unit() -> Map {
        Map::new(Scale::Linear, 0.0, 1.0)
    }

    #[test]
    fn thinning_keeps_a_single_spike() {
        let n = 100_000;
        let x: Vec<f64> = (0..n).map(|i| i as f64 / n as f64).collect();
        let mut y = vec![0.5; n];
        y[31_415] = 0.9;
        y[77_777] = 0.1;
        let runs = runs(&line(x, y), &unit(), &unit(), 500);
        assert_eq!(runs.len(), 1);
        assert!(runs[0].len() <= 2000);
        assert!(runs[0].iter().any(|point| point.1 == 0.9));
        assert!(runs[0].iter().any(|point| point.1 == 0.1));
        assert_eq!(runs[0].last().map(|point| point.0), Some(0.99999));
    }

    #[test]
    fn non_finite_values_interrupt() {
        let x = vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5];
        let y = vec![f64::NAN, 0.1, 0.2, f64::INFINITY, f64::NAN, 0.3];
        let runs = runs(&line(x, y), &unit(), &unit(), 100);
        assert_eq!(runs, vec![vec![(0.1, 0.1), (0.2, 0.2)], vec![(0.5, 0.3)]]);
    }

    #[test]
    fn clipping_cuts_at_the_edge_and_rejoins() {
        let run = [(0.5, 0.5), (0.5, 1.5), (0.7, 1.5), (0.7, 0.5)];
        let pieces = clip(&run, (0.0, 0.0));
        assert_eq!(
            pieces,
            vec![vec![(0.5, 0.5), (0.5, 1.0)], vec![(0.7, 1.0), (0.7, 0.5)]]
        );
        let far = clip(&[(-1e300, 0.5), (1e300, 0.5)], (0.0, 0.0));
        assert_eq!(far.len(), 1);
    }

    #[test]
    fn a_rise_from_zero_does_not_squeeze_a_logarithmic_axis() {
        let mut figure = Figure {
            series: vec![line(
                vec![0.0, 1e-9, 0.1, 1.0, 10.0],
                vec![0.0, 1e-9, 0.1, 1.0, 2.0],
            )],
            ..Figure::default()
        };
        figure.y.scale = Scale::Logarithmic;
        let low = |figure: &Figure| ranges(figure).map(|(_, y)| y.0);
        assert!(low(&figure).is_ok_and(|low| (0.05..0.1).contains(&low)));
        // A curve that starts with a value shows all of it.
        figure.series[0].y[0] = 1e-10;
        assert!(low(&figure).is_ok_and(|low| low < 1e-10));
        // One that has nothing else, too.
        figure.series[0].y = vec![0.0, 1e-9, 0.0, 0.0, 0.0];
        assert!(low(&figure).is_ok_and(|low| low < 1e-9));
    }

    #[test]
    fn nothing_positive_is_an_error() {
        let mut figure = Figure {
            series: vec![line(vec![0.0, 1.0], vec![-1.0, 0.0])],
            ..Figure::default()
        };
        figure.y.scale = Scale::Logarithmic;
        assert_eq!(
            ranges(&figure),
            Err(FigureError::NothingPositive { axis: AxisName::Y })
        );
        figure.series[0].y[1] = 2.0;
        assert!(ranges(&figure).is_ok());
    }
}
