//! Steps of fixed length that end at stops and at output times.
//!
//! In: a rule. Out: a [`Stepper`]. Between the ends of a step the path is taken for straight: that
//! is where guards are looked for. Rows fall on ends of steps.

use super::Path;
use super::faults::fault;
use super::pieces::Piece;
use super::rules::Rule;
use crate::kernel::Stream;
use crate::simulate::stepper::{
    Accepted, Start, StepFailure, Stepper, StepperStatistics, all_finite,
};
use crate::simulate::{Method, Output};

/// Times that are closer than this, relative to their size, are one.
const NEAR: f64 = 4e-14;

/// The times at which steps end, whatever else they end at.
pub(super) fn output_times(output: &Output) -> &[f64] {
    match output {
        Output::Times(times) => times,
        Output::Steps { .. } | Output::Event(_) => &[],
    }
}

/// Whether an output time is reached, but for rounding.
pub(in crate::simulate::chance) fn is_reached(known: f64, time: f64) -> bool {
    known - time <= NEAR * known.abs().max(time.abs())
}

/// Where steps from `time` must end next: at the stop, or at an output time before it. `ahead` is
/// the position of the first output time that was not reached before.
pub(in crate::simulate::chance) fn next_end(
    times: &[f64],
    ahead: &mut usize,
    time: f64,
    stop: f64,
) -> f64 {
    while times
        .get(*ahead)
        .is_some_and(|known| is_reached(*known, time))
    {
        *ahead += 1;
    }
    match times.get(*ahead) {
        Some(known) if stop - known > NEAR * stop.abs().max(known.abs()) => *known,
        _ => stop,
    }
}

/// The state on the straight line between the ends of a step.
pub(super) fn straight(
    (from, to): (f64, f64),
    (before, after): (&[f64], &[f64]),
    time: f64,
    out: &mut [f64],
) {
    let share = (time - from) / (to - from);
    let share = if share.is_finite() { share } else { 1.0 };
    for ((out, a), b) in out.iter_mut().zip(before).zip(after) {
        *out = a + share * (b - a);
    }
}

/// A path by steps of fixed length.
pub(super) struct Steps<'s> {
    path: &'s Path<'s>,
    rule: Box<dyn Rule + 's>,
    stream: Stream,
    /// Output times at which steps end.
    times: &'s [f64],
    /// Position of the first of them that is not reached.
    ahead: usize,
    /// Longest step of the method itself; infinite where nothing limits it.
    own_longest: f64,
    longest: f64,
    stop: f64,
    piece: Piece,
    /// Start of the last step.
    before: f64,
    before_state: Vec<f64>,
    time: f64,
    state: Vec<f64>,
    next: Vec<f64>,
    /// The mean rate of change over the last step.
    derivative: Vec<f64>,
    steps: u64,
    clamped: u64,
}

impl<'s> Steps<'s> {
    pub fn new(path: &'s Path<'_>, rule: Box<dyn Rule + 's>, start: &Start<'_>) -> Steps<'s> {
        // An exact transition takes short steps only where someone looks at the inside of them.
        let is_free = path.method == Method::ExactTransition && !start.smooth;
        let own_longest = if is_free { f64::INFINITY } else { path.step };
        let mut steps = Steps {
            path,
            rule,
            stream: Stream::new(path.chance.seed, path.chance.path),
            times: output_times(path.output),
            ahead: 0,
            own_longest,
            longest: start.max_step.min(own_longest),
            stop: start.end,
            piece: Piece::new(start.time, start.end, f64::INFINITY),
            before: start.time,
            before_state: start.state.to_vec(),
            time: start.time,
            state: start.state.to_vec(),
            next: start.state.to_vec(),
            derivative: vec![0.0; start.state.len()],
            steps: 0,
            clamped: 0,
        };
        steps.begin();
        steps
    }

    /// Starts anew where it is.
    fn begin(&mut self) {
        self.rule.restart(self.time);
        self.next_piece();
    }

    /// Lays out the steps to the next stop or output time.
    fn next_piece(&mut self) {
        let end = next_end(self.times, &mut self.ahead, self.time, self.stop);
        self.piece = Piece::new(self.time, end, self.longest);
        self.rule.set_step(self.piece.step);
    }

    /// Sets states below zero to zero.
    fn clamp(&mut self) {
        for value in self.next.iter_mut().filter(|value| **value < 0.0) {
            *value = 0.0;
            self.clamped += 1;
        }
    }
}

impl Stepper for Steps<'_> {
    fn step(&mut self) -> Result<Accepted, StepFailure> {
        if self.piece.is_done() {
            self.next_piece();
        }
        self.stream.normals(self.rule.normals());
        self.rule.advance(self.time, &self.state, &mut self.next)?;
        if !all_finite(&self.next) {
            return Err(fault(self.path, self.time, &self.state, &self.next));
        }
        if self.path.chance.non_negative {
            self.clamp();
        }
        let reached = self.piece.next();
        self.piece.advance();
        self.before = self.time;
        std::mem::swap(&mut self.before_state, &mut self.state);
        std::mem::swap(&mut self.state, &mut self.next);
        self.time = reached;
        self.steps += 1;
        Ok(if reached >= self.stop {
            Accepted::End
        } else {
            Accepted::Inside
        })
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
        straight(ends, (&self.before_state, &self.state), time, out);
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
        // An output time on which an interruption fell may lie ahead once more.
        self.ahead = self.times.partition_point(|known| *known <= time);
        self.begin();
        Ok(())
    }

    fn set_stop(&mut self, _step: f64, stop: f64) -> Result<(), StepFailure> {
        self.stop = stop;
        if stop < self.piece.end {
            self.next_piece();
        }
        Ok(())
    }

    fn set_longest(&mut self, step: f64) {
        self.longest = step.min(self.own_longest);
    }

    fn statistics(&self) -> StepperStatistics {
        StepperStatistics {
            steps: self.steps,
            rejected: 0,
            factorisations: self.rule.factorisations(),
            clamped: self.clamped,
        }
    }
}
