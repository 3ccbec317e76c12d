//! The exact transition of a linear equation as a function for many paths at once.
//!
//! In: a system whose transition is known, and the intervals between output times. Out: one
//! program, y1 = (c + P y) + L z, and its numbers for each interval, which stand where parameters
//! stand.

use super::diffusion::exact_transitions;
use crate::kernel::{Layout, Output, Parameters, Place, Program, lower};
use crate::simulate::Problem;
use crate::symbolic::{Pool, Shape};
use std::sync::Arc;

/// Numbers of all transitions together, 64 MB; and kinds of intervals, which are told apart one by
/// one.
const MOST_NUMBERS: usize = 1 << 23;
const MOST_KINDS: usize = 4096;
/// Intervals that differ by no more than this share of the time are one.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// The numbers of the intervals of a run.
#[derive(Debug)]
pub(super) struct ExactSteps {
    /// P, c, L of each kind of interval.
    kinds: Vec<Parameters>,
    /// The kind of each interval, in order of time.
    intervals: Vec<usize>,
}

impl ExactSteps {
    /// For intervals, each with its end; `None` when there are too many kinds of them.
    pub fn new(
        problem: &Problem<'_>,
        start: f64,
        ends: impl Iterator<Item = (f64, f64)>,
    ) -> Option<ExactSteps> {
        let n = problem.system.dimension();
        let most = (MOST_NUMBERS / (2 * n * n + n).max(1)).min(MOST_KINDS);
        let parameters = Parameters::new(problem.parameters.clone());
        let mut transitions =
            exact_transitions(problem.system, problem.kernels, &parameters, start);
        let mut lengths: Vec<f64> = Vec::new();
        let mut steps = ExactSteps {
            kinds: Vec::new(),
            intervals: Vec::new(),
        };
        for (interval, time) in ends {
            let slack = ROUNDING * time.abs().max(interval);
            let is_same = |length: &f64| (length - interval).abs() <= slack;
            let kind = match lengths.iter().position(is_same) {
                Some(kind) => kind,
                None if lengths.len() == most => return None,
                None => {
                    let transition = transitions.of(interval, time);
                    let mut numbers = transition.propagator.clone();
                    numbers.extend_from_slice(&transition.shift);
                    numbers.extend_from_slice(&transition.factor);
                    steps.kinds.push(Parameters::new(numbers));
                    lengths.push(interval);
                    lengths.len() - 1
                }
            };
            steps.intervals.push(kind);
        }
        Some(steps)
    }

    /// The numbers of an interval by its place in time.
    pub fn of(&self, at: usize) -> Option<&Parameters> {
        self.kinds.get(*self.intervals.get(at)?)
    }
}

/// y1 = (c + P y) + L z for n states, with n normal numbers z in the slots.
pub(super) fn program(n: usize) -> Option<Arc<Program>> {
    let mut pool = Pool::new();
    let vector = if n == 1 {
        Shape::Scalar
    } else {
        Shape::Vector(n)
    };
    let matrix = if n == 1 {
        Shape::Scalar
    } else {
        Shape::Matrix(n, n)
    };
    let mut layout = Layout::new();
    let mut place = |pool: &mut Pool, name: &str, shape, place| {
        let symbol = pool.new_symbol(name.to_owned(), shape);
        layout.insert(symbol, place);
        pool.symbol(symbol)
    };
    let state = place(&mut pool, "y", vector, Place::State(0));
    let normals = place(&mut pool, "z", vector, Place::Slot(0));
    let propagator = place(&mut pool, "P", matrix, Place::Parameter(0));
    let shift = place(&mut pool, "c", vector, Place::Parameter(n * n));
    let factor = place(&mut pool, "L", matrix, Place::Parameter(n * n + n));
    let moved = pool.product(propagator, state).ok()?;
    let spread = pool.product(factor, normals).ok()?;
    let centre = pool.add(shift, moved);
    let next = pool.add(centre, spread);
    let outputs = [Output::Assign { expr: next, at: 0 }];
    lower(&pool, &layout, &outputs, n).ok().map(Arc::new)
}
