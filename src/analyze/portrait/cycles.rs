//! Limit cycles.
//!
//! In a plane every closed orbit runs around a fixed point that is no saddle. From such a point a
//! ray goes to the edge of the window; its return map P tells where a trajectory that starts on
//! the ray meets it again. A sign change of P(s) - s encloses a cycle, attracting or repelling; it
//! is refined by bracketing, which converges whether the cycle attracts or not. Crossings are
//! found to round-off by Newton's iteration on the time. With more states, the return map of a
//! section is iterated: this finds attracting cycles only.
//!
//! The jumps of a relaxation oscillation are too fast for a map that is refined to round-off. Where
//! no cycle was found, one trajectory is followed by the method that `auto` takes, and its returns
//! are compared.

use super::follow::{Limits, Pace, Way, follow, points};
use super::{Plane, Point};
use crate::analyze::Curve;
use crate::simulate::Solution;

/// A closed orbit without closed neighbours.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    /// A state on it.
    pub state: Vec<f64>,
    /// The time of one turn.
    pub period: f64,
    /// The lowest and the highest value of each state.
    pub extent: Vec<(f64, f64)>,
    /// How a small distance from it changes in one turn; below 1 where it attracts. Unknown for
    /// one that was found by following the flow.
    pub multiplier: Option<f64>,
    /// One turn.
    pub points: Vec<Point>,
}

impl Cycle {
    /// True when nearby states come to it.
    #[must_use]
    pub fn attracts(&self) -> bool {
        self.multiplier.is_none_or(|multiplier| multiplier < 1.0)
    }
}

/// All that was found around the fixed points of a plane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Limit cycles.
    pub cycles: Vec<Cycle>,
    /// Fixed points, by position in the list, around which every orbit that was tried closes.
    pub centers: Vec<usize>,
}

/// Starts on a ray.
const STARTS: u32 = 40;
/// How far outside the window a turn may go.
const FAR: f64 = 2.0;
/// Distances below this part of the radius are round-off.
const SAME: f64 = 1e-7;

const COARSE: Limits = Limits {
    time: f64::INFINITY,
    steps: 3000,
    tolerance: 1e-9,
    interior: 0,
};
const FINE: Limits = Limits {
    time: f64::INFINITY,
    steps: 30_000,
    tolerance: 1e-12,
    interior: 0,
};

/// A section: one state has a value, and passes it one way.
#[derive(Debug, Clone, Copy)]
struct Section {
    state: usize,
    value: f64,
    /// Rising or falling.
    sign: f64,
    /// How the time runs.
    way: Way,
}

/// Follows a state that is on the section until it is there again, where `counts` holds.
fn next_return(
    plane: &Plane<'_>,
    pace: Pace,
    section: Section,
    start: &[f64],
    limits: Limits,
    fixed: &[Point],
    counts: &dyn Fn(&[f64]) -> bool,
) -> Option<(Vec<f64>, f64)> {
    let side = |state: &[f64]| {
        let value = state.get(section.state).copied().unwrap_or(f64::NAN);
        section.sign * (value - section.value)
    };
    let limits = Limits {
        time: if limits.time.is_finite() {
            limits.time
        } else {
            2000.0 * pace.crossing
        },
        ..limits
    };
    let (mut was_below, mut crossed) = (false, false);
    let run = follow(
        plane,
        pace,
        section.way,
        start,
        limits,
        &mut |time, state| {
            let point = plane.point(state);
            let at = side(state);
            if was_below && at >= 0.0 {
                crossed = counts(state);
                was_below = false;
            }
            // The start is on the section but for round-off.
            if at < 0.0 && time > 0.0 {
                was_below = true;
            }
            let unit = plane.window.unit(point);
            let rests = fixed.iter().any(|rest| {
                let rest = plane.window.unit(*rest);
                (rest.0 - unit.0).hypot(rest.1 - unit.1) < 1e-5
            });
            plane.window.holds(point, FAR) && !crossed && !rests
        },
    );
    if !crossed {
        return None;
    }
    let row = run.times.len().checked_sub(2)?;
    onto(plane, pace, section, &run, row, limits)
}

/// The state on the section after a row of a run, and its time.
fn onto(
    plane: &Plane<'_>,
    pace: Pace,
    section: Section,
    run: &Solution,
    row: usize,
    limits: Limits,
) -> Option<(Vec<f64>, f64)> {
    let (begin, state) = (*run.times.get(row)?, run.row(row)?);
    let after = run.row(row + 1)?;
    let length = run.times.get(row + 1)? - begin;
    let value = |state: &[f64]| state.get(section.state).map(|value| value - section.value);
    let (low, high) = (value(state)?, value(after)?);
    let mut step = length * (low / (low - high)).clamp(0.0, 1.0);
    let mut found = state.to_vec();
    let mut drift = vec![0.0; state.len()];
    for _ in 0..12 {
        if step <= 0.0 {
            return Some((state.to_vec(), begin));
        }
        let limits = Limits {
            time: step,
            ..limits
        };
        let run = follow(plane, pace, section.way, state, limits, &mut |_, _| true);
        let (reached, there) = run.last()?;
        if reached < step {
            return None;
        }
        found = there.to_vec();
        plane.dynamics.drift(plane.time, &found, &mut drift);
        let rate = match section.way {
            Way::Forward => *drift.get(section.state)?,
            Way::Backward => -*drift.get(section.state)?,
        };
        let change = value(&found)? / rate;
        if !change.is_finite() {
            return None;
        }
        step = (step - change).clamp(0.0, length);
        if change.abs() <= 1e-14 * (begin + step) {
            break;
        }
    }
    Some((found, begin + step))
}

/// A ray from a fixed point, along the horizontal axis.
struct Ray<'p> {
    plane: &'p Plane<'p>,
    pace: Pace,
    way: Way,
    from: Point,
    /// 1 to the right, -1 to the left.
    side: f64,
    length: f64,
    fixed: &'p [Point],
}

impl Ray<'_> {
    fn start(&self, s: f64) -> Point {
        (self.from.0 + self.side * s, self.from.1)
    }

    /// How much farther out a trajectory is after one turn, and how long the turn takes.
    fn change(&self, s: f64, limits: Limits) -> Option<(f64, f64)> {
        let point = self.start(s);
        let (_, rising) = self.plane.rate(point);
        if !(rising.is_finite() && rising != 0.0) {
            return None;
        }
        let section = Section {
            state: self.plane.axes.1,
            value: self.from.1,
            sign: match self.way {
                Way::Forward => rising.signum(),
                Way::Backward => -rising.signum(),
            },
            way: self.way,
        };
        let outward = |state: &[f64]| {
            let (x, _) = self.plane.point(state);
            self.side * (x - self.from.0) > 0.0
        };
        let start = self.plane.state(point);
        let (state, period) = next_return(
            self.plane, self.pace, section, &start, limits, self.fixed, &outward,
        )?;
        let (x, _) = self.plane.point(&state);
        Some((self.side * (x - self.from.0) - s, period))
    }

    /// The root of the change between two starts with different signs.
    fn root(&self, mut low: (f64, f64), mut high: (f64, f64)) -> Option<f64> {
        let mut weights = (low.1, high.1);
        let mut kept = 0_i8;
        for round in 0..60 {
            let guess = (low.0 * weights.1 - high.0 * weights.0) / (weights.1 - weights.0);
            let middle = f64::midpoint(low.0, high.0);
            let s = if round % 4 == 3 || !(guess > low.0 && guess < high.0) {
                middle
            } else {
                guess
            };
            let (change, _) = self.change(s, FINE)?;
            if change.abs() <= 1e-12 * s || high.0 - low.0 <= 1e-13 * s {
                return Some(s);
            }
            if (change > 0.0) == (low.1 > 0.0) {
                low = (s, change);
                weights.0 = change;
                weights.1 = if kept == 1 { weights.1 / 2.0 } else { high.1 };
                kept = 1;
            } else {
                high = (s, change);
                weights.1 = change;
                weights.0 = if kept == -1 { weights.0 / 2.0 } else { low.1 };
                kept = -1;
            }
        }
        let s = f64::midpoint(low.0, high.0);
        (high.0 - low.0 <= 1e-8 * s).then_some(s)
    }
}

/// The limit cycles of a plane in which trajectories stay. `fixed` are its fixed points; those of
/// `around` (positions in the list) are tried as what a cycle goes around.
#[must_use]
pub fn limit_cycles(plane: &Plane<'_>, fixed: &[Point], around: &[usize]) -> Found {
    let pace = Pace::of(plane);
    let mut found = Found::default();
    for index in around {
        let Some(from) = fixed.get(*index).copied() else {
            continue;
        };
        if !plane.window.holds(from, 0.0) {
            continue;
        }
        let (left, right) = (from.0 - plane.window.x.0, plane.window.x.1 - from.0);
        let (side, length) = if right >= left {
            (1.0, right)
        } else {
            (-1.0, left)
        };
        // What repels forward in time attracts backward.
        for way in [Way::Forward, Way::Backward] {
            let ray = Ray {
                plane,
                pace,
                way,
                from,
                side,
                length,
                fixed,
            };
            around_point(&ray, *index, &mut found);
            if found.centers.contains(index) {
                break;
            }
        }
        if (plane.interrupted)() {
            break;
        }
    }
    found
}

fn around_point(ray: &Ray<'_>, index: usize, found: &mut Found) {
    let mut before: Option<(f64, f64)> = None;
    let (mut tried, mut closed) = (0, 0);
    for k in 1..=STARTS {
        if (ray.plane.interrupted)() {
            return;
        }
        let s = ray.length * (f64::from(k) / f64::from(STARTS)).powi(2);
        let Some((change, _)) = ray.change(s, COARSE) else {
            before = None;
            continue;
        };
        tried += 1;
        if change.abs() <= SAME * s {
            closed += 1;
            before = None;
            continue;
        }
        if let Some(last) = before
            && (last.1 > 0.0) != (change > 0.0)
            && let Some(root) = ray.root(last, (s, change))
            && let Some(cycle) = cycle(ray, root)
        {
            let known = found.cycles.iter().any(|known| same(known, &cycle));
            if !known {
                found.cycles.push(cycle);
            }
        }
        before = Some((s, change));
    }
    if tried >= 4 && 10 * closed >= 9 * tried {
        found.centers.push(index);
    }
}

fn cycle(ray: &Ray<'_>, s: f64) -> Option<Cycle> {
    let (change, period) = ray.change(s, FINE)?;
    if change.abs() > 1e-8 * s {
        return None;
    }
    let beside = |by: f64| Some(ray.change(s + by, FINE)?.0);
    let by = 1e-4 * s;
    let multiplier = 1.0 + (beside(by)? - beside(-by)?) / (2.0 * by);
    // Round-off may turn the sign of one that is next to zero.
    let multiplier = multiplier.abs().max(f64::MIN_POSITIVE);
    let multiplier = match ray.way {
        Way::Forward => multiplier,
        Way::Backward => 1.0 / multiplier,
    };
    let state = ray.plane.state(ray.start(s));
    let cycle = turn(
        ray.plane,
        ray.pace,
        ray.way,
        state,
        period,
        Some(multiplier),
    )?;
    // A ray may pass through other fixed points, which come back to themselves too: a cycle goes
    // around the point that the ray comes from.
    let from = [ray.from.0, ray.from.1];
    let axes = [ray.plane.axes.0, ray.plane.axes.1];
    let goes_around = axes.iter().zip(from).all(|(axis, at)| {
        let extent = cycle.extent.get(*axis);
        extent.is_some_and(|(low, high)| *low < at && at < *high)
    });
    goes_around.then_some(cycle)
}

/// One turn from a state on a cycle.
fn turn(
    plane: &Plane<'_>,
    pace: Pace,
    way: Way,
    state: Vec<f64>,
    period: f64,
    multiplier: Option<f64>,
) -> Option<Cycle> {
    let limits = Limits {
        time: period,
        steps: 30_000,
        tolerance: 1e-10,
        interior: 3,
    };
    let run = follow(plane, pace, way, &state, limits, &mut |_, _| true);
    let mut drifts = vec![0.0; run.states.len()];
    let n = state.len().max(1);
    for (row, out) in drifts.chunks_exact_mut(n).enumerate() {
        plane.dynamics.drift(plane.time, run.row(row)?, out);
        if way == Way::Backward {
            out.iter_mut().for_each(|rate| *rate = -*rate);
        }
    }
    let extent: Option<Vec<(f64, f64)>> = (0..n)
        .map(|at| {
            let values: Vec<f64> = run.states.iter().skip(at).step_by(n).copied().collect();
            let slopes: Vec<f64> = drifts.iter().skip(at).step_by(n).copied().collect();
            let curve = Curve::new(&run.times, &values, &slopes)?;
            Some((curve.lowest().0, curve.highest().0))
        })
        .collect();
    let mut points = points(plane, &run);
    if way == Way::Backward {
        points.reverse();
    }
    if let Some(first) = points.first().copied() {
        points.push(first);
    }
    Some(Cycle {
        state,
        period,
        extent: extent?,
        multiplier,
        points,
    })
}

/// The same orbit, found from two fixed points.
fn same(a: &Cycle, b: &Cycle) -> bool {
    let near = |a: f64, b: f64, size: f64| (a - b).abs() <= 1e-5 * size;
    near(a.period, b.period, a.period)
        && a.extent.iter().zip(&b.extent).all(|(a, b)| {
            let size = a.1 - a.0;
            near(a.0, b.0, size) && near(a.1, b.1, size)
        })
}

/// The cycle that a state comes to, with any number of states; `None` when it rests, runs away, or
/// never repeats itself.
#[must_use]
pub fn attracting_cycle(plane: &Plane<'_>, state: &[f64]) -> Option<Cycle> {
    let pace = Pace::of(plane);
    let limits = Limits {
        time: 300.0 * pace.crossing,
        steps: 20_000,
        tolerance: 1e-8,
        interior: 0,
    };
    let run = follow(plane, pace, Way::Forward, state, limits, &mut |_, state| {
        plane.window.holds(plane.point(state), 100.0)
    });
    let (_, last) = run.last()?;
    let (section, size) = middle(plane, &run)?;
    let always = |_: &[f64]| true;
    let (mut here, _) = next_return(plane, pace, section, last, FINE, &[], &always)?;
    for _ in 0..300 {
        if (plane.interrupted)() {
            return None;
        }
        let (next, period) = next_return(plane, pace, section, &here, FINE, &[], &always)?;
        let moved = next.iter().zip(&here).fold(0.0_f64, |most, (a, b)| {
            most.max((a - b).abs() / (a.abs() + 1e-3 * size))
        });
        here = next;
        if moved < 1e-9 {
            return turn(plane, pace, Way::Forward, here, period, None);
        }
    }
    None
}

/// Where a trajectory comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Coming {
    /// A cycle that attracts it.
    Cycle(Cycle),
    /// It stays within bounds, and neither rests nor repeats itself as long as it was followed.
    Stays,
    /// It rests, runs away, or could not be followed.
    Elsewhere,
}

const RELAXED: Limits = Limits {
    time: f64::INFINITY,
    steps: 20_000,
    tolerance: 1e-8,
    interior: 0,
};
/// Returns after which what a jump contracts has settled.
const RETURNS: usize = 12;
/// Returns that differ by less than this part of the swing, or of the period, are the same.
const SETTLED: f64 = 1e-5;
/// How far beside a cycle another trajectory begins, as a part of the window.
const BESIDE: f64 = 0.01;

/// Where a trajectory comes to, by a method for stiff equations. What closes at a start and
/// otherwise beside it, as around a center, is no cycle.
#[must_use]
pub fn comes_to(plane: &Plane<'_>, state: &[f64]) -> Coming {
    let first = one_comes_to(plane, state);
    let Coming::Cycle(cycle) = &first else {
        return first;
    };
    let width = BESIDE * (plane.window.x.1 - plane.window.x.0);
    let parts = cycle.state.iter().zip(&plane.along[0]);
    let beside: Vec<f64> = parts.map(|(state, by)| state + by * width).collect();
    match one_comes_to(plane, &beside) {
        Coming::Cycle(other) if same(cycle, &other) => first,
        _ => Coming::Elsewhere,
    }
}

fn one_comes_to(plane: &Plane<'_>, state: &[f64]) -> Coming {
    let pace = Pace::of(plane).implicit();
    // A slow part is as much slower than a usual point as a jump is faster.
    let limits = Limits {
        time: 1e9 * pace.crossing,
        ..RELAXED
    };
    let stays = |state: &[f64]| plane.window.holds(plane.point(state), 100.0);
    let first = Limits {
        steps: limits.steps / 2,
        ..limits
    };
    let run = follow(plane, pace, Way::Forward, state, first, &mut |_, state| {
        stays(state)
    });
    let Some((_, last)) = run.last().filter(|(_, last)| stays(last)) else {
        return Coming::Elsewhere;
    };
    let Some((section, _)) = middle(plane, &run) else {
        return Coming::Elsewhere;
    };
    let side = |state: &[f64]| state.get(section.state).copied().unwrap_or(f64::NAN);
    let (mut below, mut returns) = (false, 0);
    let last = last.to_vec();
    let run = follow(plane, pace, Way::Forward, &last, limits, &mut |_, state| {
        let is_above = side(state) >= section.value;
        returns += usize::from(below && is_above);
        below = !is_above;
        returns < RETURNS && stays(state)
    });
    if run.last().is_none_or(|(_, last)| !stays(last)) {
        return Coming::Elsewhere;
    }
    match settled(plane, pace, section, &run, limits) {
        Some(cycle) => Coming::Cycle(cycle),
        None if returns > 1 => Coming::Stays,
        None => Coming::Elsewhere,
    }
}

/// The section through the middle of what the horizontal state did in the second half of a run, and
/// how large that state is; `None` where it hardly moved.
fn middle(plane: &Plane<'_>, run: &Solution) -> Option<(Section, f64)> {
    let values: Vec<f64> = (run.times.len() / 2..run.times.len())
        .filter_map(|row| Some(plane.point(run.row(row)?).0))
        .collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let size = low.abs().max(high.abs());
    // What swings ever less about zero is never at rest beside itself, but soon beside the window.
    let least = size.max(plane.window.x.1 - plane.window.x.0);
    let section = Section {
        state: plane.axes.0,
        value: f64::midpoint(low, high),
        sign: 1.0,
        way: Way::Forward,
    };
    (high - low > 1e-5 * least).then_some((section, size))
}

/// The cycle that the last returns of a run agree on.
fn settled(
    plane: &Plane<'_>,
    pace: Pace,
    section: Section,
    run: &Solution,
    limits: Limits,
) -> Option<Cycle> {
    let side = |row: usize| Some(run.row(row)?.get(section.state)? - section.value);
    let crossings: Vec<usize> = (0..run.times.len().saturating_sub(1))
        .filter(|row| side(*row) < Some(0.0) && side(row + 1) >= Some(0.0))
        .collect();
    let [a, b, c] = *crossings.last_chunk::<3>()?;
    let place = |row: usize| onto(plane, pace, section, run, row, limits);
    let ((_, t1), (two, t2), (three, t3)) = (place(a)?, place(b)?, place(c)?);
    let (before, period) = (t2 - t1, t3 - t2);
    let swing = |at: usize| {
        let values = run.states.iter().skip(at).step_by(three.len().max(1));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        high - low
    };
    let mut states = two.iter().zip(&three).enumerate();
    let repeats = (period - before).abs() <= SETTLED * period
        && states.all(|(at, (a, b))| (a - b).abs() <= SETTLED * swing(at));
    if !repeats {
        return None;
    }
    turn(plane, pace, Way::Forward, three, period, None)
}
