//! Trajectories at even distances (Jobard and Lefer 1997, Creating evenly-spaced streamlines of
//! arbitrary density): a new one begins at a set distance from one that is there, and ends where
//! it would come nearer than half of that to another or to itself. All distances are those on the
//! unit square.

use super::follow::{Limits, MARGIN, Pace, Way, follow, points};
use super::{Plane, Point};
use std::collections::VecDeque;

/// A part of a trajectory.
#[derive(Debug, Clone, PartialEq)]
pub struct Streamline {
    /// In the order of time; a closed orbit ends where it begins.
    pub points: Vec<Point>,
    /// A place about half way, and the direction of the flow there.
    pub arrow: Option<(Point, Point)>,
}

/// Distance at which a trajectory begins beside another.
const APART: f64 = 0.075;
/// Distance at which it ends.
const NEAR: f64 = 0.5 * APART;
/// Shorter ones are left out.
const SHORTEST: f64 = 0.12;
/// Longer ones are cut.
const LONGEST: f64 = 8.0;
const MOST: usize = 150;

/// Trajectories all over the window, the first through `first` where that is given. Fixed points
/// end them.
#[must_use]
pub fn streamlines(plane: &Plane<'_>, first: Option<Point>, fixed: &[Point]) -> Vec<Streamline> {
    let pace = Pace::of(plane);
    let mut field = Field::default();
    let mut lines = Vec::new();
    let mut seeds: VecDeque<Point> = first
        .map(|point| plane.window.unit(point))
        .into_iter()
        .collect();
    let fixed: Vec<Point> = fixed
        .iter()
        .map(|point| plane.window.unit(*point))
        .collect();
    // Places that no chain of neighbours comes to, in an order without direction.
    const ACROSS: usize = 15;
    let mut others = (0..ACROSS * ACROSS).map(|k| {
        let k = (k * 71) % (ACROSS * ACROSS);
        let part = |i: usize| (i as f64 + 0.5) / ACROSS as f64;
        (part(k % ACROSS), part(k / ACROSS))
    });
    while lines.len() < MOST && !(plane.interrupted)() {
        let Some(seed) = seeds.pop_front().or_else(|| others.next()) else {
            break;
        };
        let inside = |part: f64| (0.0..=1.0).contains(&part);
        if !(inside(seed.0) && inside(seed.1)) || field.within(seed, APART * 0.98) {
            continue;
        }
        let unit = line(plane, pace, &field, &fixed, seed);
        if length(&unit) < SHORTEST {
            continue;
        }
        seeds.extend(beside(&unit));
        field.add(&unit);
        let points: Vec<Point> = unit.iter().map(|point| plane.window.at(*point)).collect();
        let arrow = arrow(&unit).map(|at| {
            let at = plane.window.at(at);
            (at, plane.rate(at))
        });
        lines.push(Streamline { points, arrow });
    }
    lines
}

/// The trajectory through a seed, both ways, as points of the unit square.
fn line(plane: &Plane<'_>, pace: Pace, field: &Field, fixed: &[Point], seed: Point) -> Vec<Point> {
    let (mut forward, closed) = half(plane, pace, Way::Forward, field, fixed, seed, &[]);
    if closed {
        return forward;
    }
    let (mut backward, _) = half(plane, pace, Way::Backward, field, fixed, seed, &forward);
    backward.reverse();
    backward.append(&mut forward);
    backward
}

/// One way from the seed, and whether it comes back to it.
fn half(
    plane: &Plane<'_>,
    pace: Pace,
    way: Way,
    field: &Field,
    fixed: &[Point],
    seed: Point,
    other: &[Point],
) -> (Vec<Point>, bool) {
    let start = plane.state(plane.window.at(seed));
    let limits = Limits {
        time: 200.0 * pace.crossing,
        steps: 1500,
        tolerance: 1e-6,
        interior: 9,
    };
    let (mut last, mut way_long) = (seed, 0.0);
    let run = follow(plane, pace, way, &start, limits, &mut |_, state| {
        let point = plane.point(state);
        let unit = plane.window.unit(point);
        way_long += (unit.0 - last.0).hypot(unit.1 - last.1);
        last = unit;
        let rests = fixed.iter().any(|rest| distance(*rest, unit) < 0.004);
        plane.window.holds(point, MARGIN)
            && way_long < LONGEST
            && !rests
            && !field.within(unit, 0.5 * NEAR)
    });
    let raw: Vec<Point> = points(plane, &run)
        .iter()
        .map(|point| plane.window.unit(*point))
        .collect();
    if way == Way::Forward
        && let Some(mut orbit) = closed_orbit(&raw, seed)
    {
        orbit.push(seed);
        return (orbit, true);
    }
    let mut own = Field::default();
    own.add(other);
    let mut kept: Vec<Point> = Vec::with_capacity(raw.len());
    // The last points are not yet in its own field: they are near by nature.
    let (mut waiting, mut gone) = (0, 0.0);
    for point in &raw {
        if let Some(before) = kept.last() {
            gone += distance(*before, *point);
        }
        if field.within(*point, NEAR) {
            break;
        }
        if own.within(*point, NEAR) && gone > 1.5 * NEAR {
            break;
        }
        kept.push(*point);
        while let Some(old) = kept.get(waiting)
            && distance(*old, *point) > 1.5 * NEAR
        {
            own.add(&[*old]);
            waiting += 1;
        }
    }
    (kept, false)
}

/// The points of a trajectory until it meets its seed again, if it does.
fn closed_orbit(raw: &[Point], seed: Point) -> Option<Vec<Point>> {
    let mut gone = 0.0;
    for (index, pair) in raw.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        gone += distance(*from, *to);
        if gone > 2.0 * NEAR && distance(*to, seed) < NEAR {
            let end = returns(raw, index, seed)?;
            return raw.get(..=end).map(<[Point]>::to_vec);
        }
    }
    None
}

/// The index of the point before a trajectory meets its seed again, if it does.
fn returns(raw: &[Point], from: usize, seed: Point) -> Option<usize> {
    let mut gone = 0.0;
    for index in from..raw.len().saturating_sub(1) {
        let (here, next) = (raw.get(index)?, raw.get(index + 1)?);
        if to_segment(seed, *here, *next) < 2e-3 {
            return Some(index);
        }
        gone += distance(*here, *next);
        if gone > 3.0 * NEAR {
            return None;
        }
    }
    None
}

fn to_segment(point: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let square = dx * dx + dy * dy;
    let part = if square > 0.0 {
        (((point.0 - from.0) * dx + (point.1 - from.1) * dy) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    distance(point, (from.0 + part * dx, from.1 + part * dy))
}

/// Seeds on both sides of a trajectory.
fn beside(line: &[Point]) -> Vec<Point> {
    let mut seeds = Vec::new();
    let mut since = APART;
    for pair in line.windows(2) {
        let [from, to] = pair else { continue };
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let long = dx.hypot(dy);
        since += long;
        if since >= APART && long > 0.0 {
            since = 0.0;
            let (across, up) = (-dy / long * APART, dx / long * APART);
            seeds.push((from.0 + across, from.1 + up));
            seeds.push((from.0 - across, from.1 - up));
        }
    }
    seeds
}

/// The place half way along a trajectory within the window.
fn arrow(line: &[Point]) -> Option<Point> {
    let half = length(line) / 2.0;
    let mut gone = 0.0;
    for pair in line.windows(2) {
        let [from, to] = pair else { continue };
        gone += distance(*from, *to);
        if gone >= half {
            return Some(*to);
        }
    }
    None
}

fn length(line: &[Point]) -> f64 {
    let pairs = line.windows(2);
    pairs.map(|pair| distance(pair[0], pair[1])).sum()
}

fn distance(a: Point, b: Point) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// Points in cells of the size of a distance, so that neighbours are found at once.
#[derive(Default)]
struct Field {
    cells: rustc_hash::FxHashMap<(i32, i32), Vec<Point>>,
}

impl Field {
    fn cell(point: Point) -> (i32, i32) {
        (
            (point.0 / APART).floor() as i32,
            (point.1 / APART).floor() as i32,
        )
    }

    fn add(&mut self, points: &[Point]) {
        for point in points {
            self.cells
                .entry(Self::cell(*point))
                .or_default()
                .push(*point);
        }
    }

    /// True when a point is within a distance of at most [`APART`].
    fn within(&self, point: Point, reach: f64) -> bool {
        let (column, row) = Self::cell(point);
        let around = (-1..=1).flat_map(|i| (-1..=1).map(move |j| (i, j)));
        around.into_iter().any(|(i, j)| {
            let cell = (column.saturating_add(i), row.saturating_add(j));
            let known = self.cells.get(&cell);
            known.is_some_and(|known| known.iter().any(|other| distance(*other, point) < reach))
        })
    }
}
