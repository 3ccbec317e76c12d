//! Steps of their own choosing on one Brownian path, by [`SchemeKind::Srk`].
//!
//! In: tolerances, a compiled scheme. Out: a [`Stepper`]. Steps are halves of halves of the time
//! between two stops ([`super::tree`]): a step whose error is too large is divided, and a looser
//! tolerance takes longer pieces of the very same path. Steps end at stops and at output times.
//!
//! The error of a step is compared with the tolerance in the root mean square over the states, as
//! for other methods; for steps of strong order 1 + 1/2 it shrinks with the power 3/2.

use super::Path;
use super::faults::fault;
use super::rules::{Compiled, Rule};
use super::steps::{next_end, output_times};
use super::tree::Tree;
use crate::simulate::step_size::scaled_norm;
use crate::simulate::stepper::{
    Accepted, Start, StepFailure, Stepper, StepperStatistics, all_finite, shortest_step,
};

/// Share of the step that the error estimate would allow.
const SAFETY: f64 = 0.8;
/// Factors between neighbouring steps.
const SHRINK: f64 = 0.2;
const GROW: f64 = 4.0;

/// A path by steps of its own choosing.
pub(super) struct Adaptive<'s> {
    path: &'s Path<'s>,
    scheme: Compiled<'s>,
    tree: Tree,
    /// Output times at which steps end.
    times: &'s [f64],
    /// Position of the first of them that is not reached.
    ahead: usize,
    longest: f64,
    stop: f64,
    /// Where the interval that is divided ends.
    end: f64,
    length: f64,
    /// The step that the last error would allow.
    proposed: f64,
    before: f64,
    before_state: Vec<f64>,
    time: f64,
    state: Vec<f64>,
    /// The state after a step that is tried, and its error.
    trial: Vec<f64>,
    sizes: Vec<f64>,
    derivative: Vec<f64>,
    counts: StepperStatistics,
}

impl<'s> Adaptive<'s> {
    pub fn new(path: &'s Path<'_>, scheme: Compiled<'s>, start: &Start<'_>) -> Adaptive<'s> {
        let n = start.state.len();
        let chance = path.chance;
        let mut adaptive = Adaptive {
            tree: Tree::new(chance.seed, chance.path, scheme.columns() / 2),
            path,
            scheme,
            times: output_times(path.output),
            ahead: 0,
            longest: start.max_step,
            stop: start.end,
            end: start.time,
            length: start.end - start.time,
            proposed: path.step,
            before: start.time,
            before_state: start.state.to_vec(),
            time: start.time,
            state: start.state.to_vec(),
            trial: vec![0.0; 2 * n],
            sizes: vec![0.0; n],
            derivative: vec![0.0; n],
            counts: StepperStatistics::default(),
        };
        adaptive.scheme.restart(start.time);
        adaptive.next_interval();
        adaptive
    }

    fn next_interval(&mut self) {
        self.end = next_end(self.times, &mut self.ahead, self.time, self.stop);
        self.tree.begin(self.time, self.end);
    }

    /// Tries the next piece; its error in terms of the tolerance.
    fn attempt(&mut self, length: f64) -> Result<f64, StepFailure> {
        if let Some(piece) = self.tree.next() {
            self.scheme.normals().copy_from_slice(&piece.numbers);
        }
        self.scheme.set_step(length);
        self.scheme
            .advance(self.time, &self.state, &mut self.trial)?;
        if !all_finite(&self.trial) {
            return Ok(f64::INFINITY);
        }
        let (next, errors) = self.trial.split_at(self.state.len());
        for (size, (a, b)) in self.sizes.iter_mut().zip(next.iter().zip(&self.state)) {
            *size = a.abs().max(b.abs());
        }
        Ok(scaled_norm(errors, &self.sizes, self.path.tolerances))
    }

    /// The step is taken.
    fn accept(&mut self, reached: f64) -> Accepted {
        self.tree.pass();
        self.before = self.time;
        std::mem::swap(&mut self.before_state, &mut self.state);
        let (next, _) = self.trial.split_at(self.state.len());
        self.state.copy_from_slice(next);
        if self.path.chance.non_negative {
            for value in self.state.iter_mut().filter(|value| **value < 0.0) {
                *value = 0.0;
                self.counts.clamped += 1;
            }
        }
        self.time = reached;
        self.counts.steps += 1;
        if reached >= self.stop {
            Accepted::End
        } else {
            Accepted::Inside
        }
    }
}

impl Stepper for Adaptive<'_> {
    fn step(&mut self) -> Result<Accepted, StepFailure> {
        if self.tree.next().is_none() {
            self.next_interval();
        }
        let shortest = shortest_step(self.time, self.length);
        loop {
            let Some(piece) = self.tree.next() else {
                return Err(StepFailure::TooSmall { step: 0.0 });
            };
            let (length, end) = (piece.length(), piece.end);
            let wanted = self.proposed.min(self.longest);
            // The nearest power of two.
            if length > std::f64::consts::SQRT_2 * wanted
                && length > 2.0 * shortest
                && self.tree.divide()
            {
                continue;
            }
            let error = self.attempt(length)?;
            let factor = SAFETY * error.powf(-2.0 / 3.0);
            if error <= 1.0 {
                self.proposed = length * factor.clamp(SHRINK, GROW);
                return Ok(self.accept(end));
            }
            self.counts.rejected += 1;
            self.proposed = length * factor.clamp(SHRINK, 0.5);
            if length <= 2.0 * shortest || !self.tree.divide() {
                if error.is_finite() {
                    return Err(StepFailure::TooSmall { step: length });
                }
                let reached = &self.trial[..self.state.len()];
                return Err(fault(self.path, self.time, &self.state, reached));
            }
        }
    }

    fn time(&self) -> f64 {
        self.time
    }

    fn state(&self) -> &[f64] {
        &self.state
    }

    fn derivative(&self) -> &[f64] {
        &self.derivative
    }

    fn interpolate(&mut self, time: f64, out: &mut [f64]) -> Result<(), StepFailure> {
        let ends = (self.before, self.time);
        super::steps::straight(ends, (&self.before_state, &self.state), time, out);
        Ok(())
    }

    fn restart(
        &mut self,
        time: f64,
        state: &[f64],
        _step: f64,
        stop: f64,
    ) -> Result<(), StepFailure> {
        self.time = time;
        self.before = time;
        self.state.copy_from_slice(state);
        self.before_state.copy_from_slice(state);
        self.stop = stop;
        self.ahead = self.times.partition_point(|known| *known <= time);
        self.scheme.restart(time);
        self.next_interval();
        Ok(())
    }

    fn set_stop(&mut self, _step: f64, stop: f64) -> Result<(), StepFailure> {
        self.stop = stop;
        if stop < self.end {
            self.next_interval();
        }
        Ok(())
    }

    fn set_longest(&mut self, step: f64) {
        self.longest = step;
    }

    fn statistics(&self) -> StepperStatistics {
        self.counts
    }
}
