//! The objective as the searches see it: bounded, counted, infinite where it errs.

use super::{End, is_finite};
use crate::fit::objective::{Evaluation, Fault, Objective, Wanted};
use crate::simulate::in_order;
use std::cell::Cell;
use std::ops::ControlFlow;

/// Bounds of inner coordinates, infinite where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// One for each coordinate.
    pub lower: Vec<f64>,
    /// One for each coordinate, not below the lower one.
    pub upper: Vec<f64>,
}

impl Bounds {
    /// None at all, for so many coordinates.
    #[must_use]
    pub fn none(dimension: usize) -> Bounds {
        Bounds {
            lower: vec![f64::NEG_INFINITY; dimension],
            upper: vec![f64::INFINITY; dimension],
        }
    }

    /// The ends of each coordinate in turn.
    pub fn ends(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let pairs = self.lower.iter().zip(&self.upper);
        pairs.map(|(low, high)| (*low, *high))
    }

    /// The nearest point within.
    #[must_use]
    pub fn project(&self, point: &[f64]) -> Vec<f64> {
        let pairs = point.iter().zip(self.ends());
        // Not `clamp`, which panics where the ends are crossed.
        pairs.map(|(x, (low, high))| x.min(high).max(low)).collect()
    }

    /// Which coordinates are not held at a bound by the gradient.
    #[must_use]
    pub fn free(&self, point: &[f64], gradient: &[f64]) -> Vec<bool> {
        let all = point.iter().zip(gradient).zip(self.ends());
        all.map(|((x, slope), (low, high))| {
            let is_held = (*x <= low && *slope > 0.0) || (*x >= high && *slope < 0.0);
            !is_held && low < high
        })
        .collect()
    }
}

/// The objective with its bounds.
pub(super) struct Probe<'o> {
    objective: &'o dyn Objective,
    pub bounds: &'o Bounds,
    threads: usize,
    evaluations: Cell<u64>,
    was_interrupted: Cell<bool>,
}

impl<'o> Probe<'o> {
    pub fn new(objective: &'o dyn Objective, bounds: &'o Bounds, threads: usize) -> Probe<'o> {
        Probe {
            objective,
            bounds,
            threads,
            evaluations: Cell::new(0),
            was_interrupted: Cell::new(false),
        }
    }

    pub fn evaluations(&self) -> u64 {
        self.evaluations.get()
    }

    /// True once an evaluation was interrupted: the search should end.
    pub fn was_interrupted(&self) -> bool {
        self.was_interrupted.get()
    }

    /// At a start, where there must be a value.
    pub fn first(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, End> {
        self.evaluations.set(self.evaluations.get() + 1);
        match self.objective.evaluate(at, wanted) {
            Ok(evaluation) if is_finite(&evaluation) => Ok(evaluation),
            Ok(_) => Err(End::NotFinite),
            Err(Fault::Interrupted) => Err(End::Interrupted),
            Err(fault) => Err(End::Fault(fault)),
        }
    }

    /// At a trial point; `None` where the objective errs or is not finite.
    pub fn trial(&self, at: &[f64], wanted: Wanted) -> Option<Evaluation> {
        self.first(at, wanted)
            .inspect_err(|end| self.note(end))
            .ok()
    }

    fn note(&self, end: &End) {
        if *end == End::Interrupted {
            self.was_interrupted.set(true);
        }
    }

    /// The value at a trial point, infinite where there is none.
    pub fn value(&self, at: &[f64]) -> f64 {
        let evaluation = self.trial(at, Wanted::Value);
        evaluation.map_or(f64::INFINITY, |evaluation| evaluation.value)
    }

    /// The values at many points, on all threads.
    pub fn values(&self, points: &[Vec<f64>]) -> Vec<f64> {
        let objective = self.objective;
        let mut values = Vec::with_capacity(points.len());
        in_order(
            points.len(),
            self.threads,
            |at| objective.evaluate(&points[at], Wanted::Value),
            |_, result| {
                self.evaluations.set(self.evaluations.get() + 1);
                if result == Err(Fault::Interrupted) {
                    self.note(&End::Interrupted);
                    return ControlFlow::Break(());
                }
                let value = result.map_or(f64::INFINITY, |evaluation| evaluation.value);
                values.push(if value.is_nan() { f64::INFINITY } else { value });
                ControlFlow::Continue(())
            },
        );
        values.resize(points.len(), f64::INFINITY);
        values
    }
}
