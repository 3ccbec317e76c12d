//! Boxes of states, and the one that is chosen where none is given.
//!
//! Where an end of the box is missing, the states met on a run and the kept sums give the sizes to
//! begin with. Roots are looked for ten thousand times as far out, and farther while some turn up
//! near the end of that; the box then reaches a little beyond the outermost root.

use super::Query;
use crate::analyze::continuation::Motion;
use crate::analyze::laws::{Kept, sizes};
use crate::simulate::{Halt, Monitor, Options, Output, Statistics, Stop, integrate};
use std::ops::ControlFlow;

/// A box: one closed range per state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Region {
    /// Low ends; minus infinity where there is none.
    pub low: Vec<f64>,
    /// High ends; infinity where there is none.
    pub high: Vec<f64>,
}

/// How many times as far as the sizes met roots are looked for.
pub(super) const REACH: f64 = 1e4;
/// Roots farther out are not looked for.
pub(super) const FARTHEST: f64 = 1e8;
/// Steps of the run that shows the sizes.
const STEPS: u64 = 400;
/// States larger than so many times their size at the start count when the run ends well only.
const GROWN: f64 = 10.0;
/// How many times as long as the slowest state needs to change by its size it is followed.
const LONG: f64 = 100.0;

impl Region {
    /// All states.
    #[must_use]
    pub fn everything(dimension: usize) -> Region {
        Region {
            low: vec![f64::NEG_INFINITY; dimension],
            high: vec![f64::INFINITY; dimension],
        }
    }

    /// The range of each state.
    pub fn ranges(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.low.iter().copied().zip(self.high.iter().copied())
    }

    /// True when every state is in its range, give or take `slack` times the range's width.
    #[must_use]
    pub fn holds(&self, state: &[f64], slack: f64) -> bool {
        self.ranges().zip(state).all(|((low, high), y)| {
            let by = slack * (high - low);
            let by = if by.is_finite() { by } else { 0.0 };
            *y >= low - by && *y <= high + by
        })
    }

    /// How far outside a state is, in widths of the ranges.
    pub(super) fn distance(&self, state: &[f64]) -> f64 {
        let ranges = self.ranges().zip(state);
        ranges.fold(0.0, |most, ((low, high), y)| {
            most.max((low - y).max(y - high) / (high - low).max(f64::MIN_POSITIVE))
        })
    }

    /// Larger on all sides by a part of the width; a range that is a point by a part of its size.
    pub(super) fn inflated(&self, part: f64) -> Region {
        let (low, high) = self
            .ranges()
            .map(|(low, high)| {
                let width = high - low;
                let by = if width > 0.0 {
                    width
                } else {
                    low.abs().max(1e-3)
                };
                (low - part * by, high + part * by)
            })
            .unzip();
        Region { low, high }
    }

    /// The smallest box around this one and a state.
    fn extend(&mut self, state: &[f64]) {
        let ends = self.low.iter_mut().zip(&mut self.high);
        for ((low, high), y) in ends.zip(state) {
            if y.is_finite() {
                *low = low.min(*y);
                *high = high.max(*y);
            }
        }
    }
}

/// The states met on a run from the present one; the present one alone when `follow` is false.
pub(super) fn met(query: &Query<'_>, follow: bool) -> Region {
    let mut met = Region {
        low: query.state.to_vec(),
        high: query.state.to_vec(),
    };
    if follow {
        match query.motion {
            Motion::Flow => run(query, &mut met),
            Motion::Map => iterate(query, &mut met),
        }
    }
    met
}

fn run(query: &Query<'_>, met: &mut Region) {
    let mut drift = vec![0.0; query.state.len()];
    query.dynamics.drift(query.time, query.state, &mut drift);
    let scales = scales(query);
    let rates = drift
        .iter()
        .zip(&scales)
        .map(|(f, scale)| (f / scale).abs());
    let moving = rates.filter(|rate| *rate > 0.0 && rate.is_finite());
    let slowest = moving.fold(f64::INFINITY, f64::min);
    if !slowest.is_finite() {
        return;
    }
    let mut options = Options::new(query.tolerances.clone());
    options.max_steps = STEPS;
    let run = integrate(
        query.dynamics,
        0.0,
        query.state,
        LONG / slowest,
        &Output::Steps { interior: 0 },
        &options,
        &mut Watch(query.interrupted),
    );
    // One that grows without bounds shows no sizes.
    let is_within = |state: &[f64], most: f64| {
        let mut pairs = state.iter().zip(&scales);
        pairs.all(|(y, scale)| y.abs() < most * scale)
    };
    let settles = run.stop == Stop::Finished
        && run
            .last()
            .is_some_and(|(_, state)| is_within(state, FARTHEST));
    let most = if settles { FARTHEST } else { GROWN };
    let rows = (0..run.times.len()).filter_map(|row| run.row(row));
    for state in rows.filter(|state| is_within(state, most)) {
        met.extend(state);
    }
}

fn iterate(query: &Query<'_>, met: &mut Region) {
    let scales = scales(query);
    let is_sized = |(y, scale): (&f64, &f64)| y.abs() < GROWN * scale;
    let mut state = query.state.to_vec();
    let mut next = state.clone();
    for _ in 0..STEPS {
        query.dynamics.drift(query.time, &state, &mut next);
        if !next.iter().zip(&scales).all(is_sized) {
            return;
        }
        met.extend(&next);
        std::mem::swap(&mut state, &mut next);
    }
}

/// Stops a run when the user wants to.
struct Watch<'a>(&'a dyn Fn() -> bool);

impl Monitor for Watch<'_> {
    fn step(&mut self, _: f64, _: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if (self.0)() {
            return ControlFlow::Break(Halt::Interrupt);
        }
        ControlFlow::Continue(())
    }
}

/// The box of the query with all its ends: what is missing lies at `reach` times the sizes met, or
/// just beyond `roots` when they are known.
pub(super) fn bounded(
    query: &Query<'_>,
    kept: &[Kept],
    met: &Region,
    reach: f64,
    roots: Option<&[&[f64]]>,
) -> Region {
    let typical = typical(query, met);
    let ceilings = ceilings(query, kept);
    let mut region = query.region.clone();
    for i in 0..query.state.len() {
        let (mut least, mut most) = (met.low[i].min(0.0), met.high[i].max(0.0));
        let within = |root: &&&[f64]| {
            let mut pairs = query.region.ranges().zip(root.iter()).zip(&typical);
            pairs.all(|(((low, high), y), typical)| {
                *y >= low - 1e-9 * typical
                    && *y <= high + 1e-9 * typical
                    && y.abs() <= FARTHEST * typical
            })
        };
        for root in roots.unwrap_or(&[]).iter().filter(within) {
            least = least.min(root[i]);
            most = most.max(root[i]);
        }
        let beyond = if roots.is_some() {
            (1.5 * least.abs().max(most)).max(typical[i])
        } else {
            reach * typical[i]
        };
        if region.low[i] == f64::NEG_INFINITY {
            region.low[i] = if query.non_negative[i] {
                0.0
            } else if region.high[i].is_finite() {
                (-round_up(beyond)).min(region.high[i] - round_up(beyond))
            } else {
                -round_up(beyond)
            };
        }
        if region.high[i] == f64::INFINITY {
            region.high[i] = if ceilings[i].is_finite() && ceilings[i] > region.low[i] {
                ceilings[i]
            } else {
                round_up(beyond).max(region.low[i] + round_up(beyond))
            };
        }
    }
    region
}

/// How large each state is, as far as can be seen: what is met, but no less than its scale.
fn typical(query: &Query<'_>, met: &Region) -> Vec<f64> {
    let sizes = met.ranges().map(|(low, high)| low.abs().max(high.abs()));
    let pairs = sizes.zip(scales(query));
    pairs.map(|(size, scale)| size.max(scale)).collect()
}

/// The size of each state at the start; the absolute tolerance tells that of a state that is zero,
/// being a billionth of it, a thousandth of the relative one.
fn scales(query: &Query<'_>) -> Vec<f64> {
    let zero = vec![0.0; query.state.len()];
    let least = sizes(&zero, query.tolerances);
    let pairs = query.state.iter().zip(least);
    pairs.map(|(y, least)| y.abs().max(1e3 * least)).collect()
}

/// What kept sums leave for states that are not negative: high ends of their ranges, infinite
/// where the sums do not bound them. Each sum bounds each of its terms by the others, over and
/// over.
fn ceilings(query: &Query<'_>, kept: &[Kept]) -> Vec<f64> {
    let is_positive = |at: usize| query.non_negative.get(at) == Some(&true);
    let mut high = vec![f64::INFINITY; query.state.len()];
    let mut sums: Vec<(Vec<f64>, f64)> = kept.iter().map(|kept| full(kept, high.len())).collect();
    // Sums of two that have no negative term bound more than each alone.
    for (second, (b, total_b)) in sums.clone().iter().enumerate() {
        for (a, total_a) in sums.clone().iter().take(second) {
            for (x, y) in a.iter().zip(b).filter(|(x, y)| *x * *y < 0.0) {
                let (p, q) = (y.abs(), x.abs());
                let both = a.iter().zip(b).map(|(a, b)| p * a + q * b).collect();
                sums.push((both, p * total_a + q * total_b));
            }
        }
    }
    for _ in 0..8 {
        for (weights, total) in &sums {
            let terms: Vec<(usize, f64)> = weights
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, w)| *w != 0.0)
                .collect();
            // The least and the most that a term can be.
            let ends = |(at, w): (usize, f64)| match (is_positive(at), w > 0.0) {
                (true, true) => (0.0, w * high[at]),
                (true, false) => (w * high[at], 0.0),
                (false, _) => (f64::NEG_INFINITY, f64::INFINITY),
            };
            let all: Vec<(f64, f64)> = terms.iter().map(|term| ends(*term)).collect();
            for (place, (at, w)) in terms.iter().enumerate() {
                let others = |end: fn(&(f64, f64)) -> f64| {
                    let others = all.iter().enumerate().filter(|(other, _)| *other != place);
                    others.map(|(_, ends)| end(ends)).sum::<f64>()
                };
                let bound = if *w > 0.0 {
                    (total - others(|ends| ends.0)) / w
                } else {
                    (total - others(|ends| ends.1)) / w
                };
                if is_positive(*at) && bound.is_finite() && bound >= 0.0 {
                    high[*at] = high[*at].min(bound);
                }
            }
        }
    }
    high
}

/// The weights of a kept sum, one per state, and its total.
fn full(kept: &Kept, dimension: usize) -> (Vec<f64>, f64) {
    let mut weights = vec![0.0; dimension];
    for (at, w) in &kept.law.terms {
        if let Some(weight) = weights.get_mut(*at) {
            *weight += w;
        }
    }
    (weights, kept.total)
}

/// The next of 1, 2, 3, 5 times a power of ten.
fn round_up(x: f64) -> f64 {
    let power = x.log10().floor();
    let unit = 10.0_f64.powf(power);
    if !unit.is_finite() || unit <= 0.0 {
        return x;
    }
    let steps = [1.0, 2.0, 3.0, 5.0, 10.0];
    let next = steps.iter().find(|step| **step * unit >= x);
    // Whole powers of ten are written as such.
    let text = format!("{}e{}", next.unwrap_or(&10.0), power);
    text.parse().unwrap_or(x)
}
