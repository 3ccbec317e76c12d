//! Newton from many starts, and deflated Newton from a few.
//!
//! How many starts: until the number of roots that C. G. E. Boender & A. H. G. Rinnooy Kan (Math.
//! Programming 37 (1987) 59) expect from what was found, w (N - 1) / (N - w - 2) for w roots of N
//! starts, is less than w + 1/2. Then the roots that are known are taken out of the equations, and
//! Newton begins anew at some of the starts: what has a small basin is found this way.

use super::curve;
use super::region::Region;
use super::starts::Starts;
use super::{Miss, Query};
use crate::analyze::laws::{Kept, sizes};
use crate::analyze::newton::{Equations, Root};

/// What a hunt has found.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub roots: Vec<Candidate>,
    /// One root of each continuum, with the continuum's dimension and more points of it.
    pub continua: Vec<(usize, Vec<Vec<f64>>)>,
    pub starts: u32,
    pub nearest: Option<Miss>,
    pub interrupted: bool,
}

/// A root.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub state: Vec<f64>,
    /// Directions in which the linear part vanishes.
    pub null: usize,
    pub starts: u32,
}

/// Starts of a system of few states. Larger systems get fewer: the work is about the same.
const MOST_STARTS: u32 = 1200;
/// The fewest starts, whatever is found.
const LEAST_STARTS: u32 = 60;
/// Systems of more states get a handful of starts.
const MOST_SMALL: usize = 50;
/// Starts with known roots taken out that find nothing new, in a row, before the search ends.
const VAIN: u32 = 8;
/// Roots closer than this, in the sizes of the states, are one.
const SAME: f64 = 1e-6;
/// The same for singular roots, which are found with half the digits.
const SAME_SINGULAR: f64 = 1e-4;
/// What f may be, beside its terms, at a root.
const RESIDUAL: f64 = 1e-5;
/// More roots than these are not collected.
const MOST_ROOTS: usize = 500;
/// Points of a continuum that are kept on the way.
const MOST_POINTS: usize = 60;

/// Roots of the equations, in `region` and wherever the iterations go.
pub(super) struct Hunt<'a> {
    pub query: &'a Query<'a>,
    pub equations: &'a Equations<'a>,
    pub kept: &'a [Kept],
    /// Where to start.
    pub region: &'a Region,
    /// What is met on a run.
    pub met: &'a Region,
}

impl Hunt<'_> {
    /// Adds to what is known.
    pub fn run(&self, found: &mut Found) {
        let n = self.query.state.len();
        let mut starts = Starts::new(n, self.query.seed ^ u64::from(found.starts));
        let most = self.most_starts();
        let mut tried: Vec<Vec<f64>> = Vec::new();
        let mut hits = 0;
        while hits < most && !self.is_enough(hits, found.roots.len()) {
            if (self.query.interrupted)() {
                found.interrupted = true;
                return;
            }
            let start = if hits == 0 {
                self.query.state.to_vec()
            } else {
                starts.point(self.region, self.met)
            };
            hits += 1;
            found.starts += 1;
            self.plain(&start, found);
            tried.push(start);
        }
        self.deflated(&tried, found);
    }

    fn most_starts(&self) -> u32 {
        let n = self.query.state.len().clamp(1, 1000);
        let cost = u32::try_from((n * n * n).div_ceil(27)).unwrap_or(u32::MAX);
        let least = if n > MOST_SMALL { 6 } else { LEAST_STARTS / 2 };
        (MOST_STARTS / cost.max(1)).max(least)
    }

    fn is_enough(&self, starts: u32, roots: usize) -> bool {
        let n = f64::from(starts);
        let w = f64::from(u32::try_from(roots).unwrap_or(u32::MAX));
        starts >= LEAST_STARTS && n > w + 2.0 && w * (n - 1.0) / (n - w - 2.0) < w + 0.5
    }

    fn plain(&self, start: &[f64], found: &mut Found) {
        let mut state = start.to_vec();
        match self.equations.iterate(&mut state, f64::INFINITY) {
            Some(root) => {
                if let Some(at) = self.take(root, found)
                    && let Some(known) = found.roots.get_mut(at)
                {
                    known.starts += 1;
                }
            }
            None => self.missed(&state, found),
        }
    }

    /// Starts again with the known roots taken out.
    fn deflated(&self, tried: &[Vec<f64>], found: &mut Found) {
        let ranges = self.region.ranges().zip(self.met.ranges());
        let floor: Vec<f64> = ranges
            .map(|((low, high), (least, most))| {
                let met = (most - least).max(most.abs()).max(least.abs());
                (0.1 * (high - low)).min(met).max(f64::MIN_POSITIVE)
            })
            .collect();
        let mut vain = 0;
        // The first of each kind of start, and then some of the rest.
        let stride = (tried.len() / 60).max(1);
        for start in tried.iter().step_by(stride) {
            if vain >= VAIN || found.roots.len() >= MOST_ROOTS || (self.query.interrupted)() {
                return;
            }
            loop {
                let known: Vec<Vec<f64>> = found
                    .roots
                    .iter()
                    .map(|known| known.state.clone())
                    .chain(found.continua.iter().flat_map(|(_, points)| points.clone()))
                    .collect();
                if known.is_empty() {
                    return;
                }
                let before = found.roots.len();
                let root = self.equations.deflated(start, &known, &floor);
                if let Some(root) = root {
                    self.take(root, found);
                }
                if found.roots.len() == before || found.roots.len() >= MOST_ROOTS {
                    vain += 1;
                    break;
                }
                vain = 0;
            }
        }
    }

    /// Takes a root into the list; where it stands there, unless it is part of a continuum.
    fn take(&self, root: Root, found: &mut Found) -> Option<usize> {
        let state = self.tidy(root.state);
        let size = sizes(&state, self.query.tolerances);
        if !self.is_root(&state, &size) {
            return None;
        }
        let within = |known: &Candidate, limit: f64| distance(&known.state, &state, &size) < limit;
        let known = found
            .roots
            .iter()
            .position(|known| within(known, if known.null > 0 { SAME_SINGULAR } else { SAME }));
        if known.is_some() {
            return known;
        }
        let null = curve::null_vectors(self.query, self.equations, self.kept, &state);
        if !null.is_empty() {
            if curve::is_part_of_more(self.query, self.equations, &state, &null) {
                self.extend(found, null.len(), state);
                return None;
            }
            let near = found
                .roots
                .iter()
                .position(|known| within(known, SAME_SINGULAR));
            if near.is_some() {
                return near;
            }
        }
        if found.roots.len() >= MOST_ROOTS {
            return None;
        }
        found.roots.push(Candidate {
            state,
            null: null.len(),
            starts: 0,
        });
        Some(found.roots.len() - 1)
    }

    fn extend(&self, found: &mut Found, dimension: usize, state: Vec<f64>) {
        match found.continua.iter_mut().find(|known| known.0 == dimension) {
            Some((_, points)) if points.len() < MOST_POINTS => points.push(state),
            Some(_) => {}
            None => found.continua.push((dimension, vec![state])),
        }
    }

    /// Numbers that are zero but for round-off become zero, where the equations allow it.
    fn tidy(&self, mut state: Vec<f64>) -> Vec<f64> {
        let size = sizes(&vec![0.0; state.len()], self.query.tolerances);
        let left = |state: &[f64]| {
            self.residual(state)
                .iter()
                .fold(0.0_f64, |m, f| m.max(f.abs()))
        };
        for i in 0..state.len() {
            if state[i] != 0.0 && state[i].abs() < 1e-7 * size[i] {
                let before = left(&state);
                let was = std::mem::replace(&mut state[i], 0.0);
                let after = left(&state);
                if after > before && after > 1e-14 {
                    state[i] = was;
                }
            }
        }
        state
    }

    fn residual(&self, state: &[f64]) -> Vec<f64> {
        let mut drift = vec![0.0; state.len()];
        let dynamics = self.equations.dynamics;
        dynamics.drift(self.query.time, state, &mut drift);
        drift
    }

    /// Whether f is small beside the terms that it is the sum of.
    fn is_root(&self, state: &[f64], size: &[f64]) -> bool {
        let drift = self.residual(state);
        let terms = curve::terms(self.query, self.equations, state, size);
        let mut pairs = drift.iter().zip(&terms);
        state.iter().all(|y| y.is_finite())
            && pairs.all(|(f, terms)| f.abs() <= RESIDUAL * terms || f.abs() < 1e-300)
    }

    fn missed(&self, state: &[f64], found: &mut Found) {
        if !found.roots.is_empty() || !self.region.holds(state, 0.0) {
            return;
        }
        let drift = self.residual(state);
        // The sizes of the present state: far out, anything is small for its size.
        let size = sizes(self.query.state, self.query.tolerances);
        let ratio = |i: usize| (drift[i] / size[i]).abs();
        let Some(worst) = (0..drift.len()).max_by(|a, b| ratio(*a).total_cmp(&ratio(*b))) else {
            return;
        };
        let known = found.nearest.as_ref().map_or(f64::INFINITY, |known| {
            (known.residual.0 / size[known.residual.1]).abs()
        });
        if ratio(worst) < known {
            found.nearest = Some(Miss {
                state: state.to_vec(),
                residual: (drift[worst].abs(), worst),
            });
        }
    }
}

/// The largest difference, in sizes of the states.
pub(super) fn distance(a: &[f64], b: &[f64], size: &[f64]) -> f64 {
    let pairs = a.iter().zip(b).zip(size);
    pairs.fold(0.0, |most, ((a, b), size)| most.max(((a - b) / size).abs()))
}
