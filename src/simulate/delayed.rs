//! Delayed values x(t - tau) along a run: what they are, and where they break.
//!
//! In: lags, the states before the start, accepted steps. Out: slots with delayed values and their
//! time derivatives, times at which steps must end, the longest step.
//!
//! The method of steps (Bellen & Zennaro, Numerical Methods for Delay Differential Equations, 2003,
//! chapters 2 to 4): steps are at most as long as the shortest lag, so that what an evaluation needs
//! lies in accepted steps or before the start. A discontinuity of the p-th derivative at T comes back
//! at T + tau in the derivative of order p + 1: steps end there up to the order of the methods. At
//! such a time a step that ends there sees what was before the discontinuity, one that begins there
//! what was after it.

use super::Stop;
use super::clock::Clock;
use super::history::History;
use super::interrupter::Consequence;
use super::stepper::{StepFailure, Stepper};
use crate::kernel::{Kernels, Parameters, Scratch, SharedKernel};
use crate::system::{JumpPlace, System};
use std::ops::Range;
use std::sync::Arc;

/// Steps end where a derivative up to this order is discontinuous: that of the methods.
const LAST_ORDER: u32 = 5;
/// Discontinuities that are followed at one time; when there are more, those of high order, which
/// matter least, are let go.
const MOST_BREAKS: usize = 2000;

/// Lags up to this share of the run are taken for zero: steps that short would never end.
const NEGLIGIBLE: f64 = 1e-12;

/// One delay of the system.
#[derive(Debug, Clone)]
struct Lagged {
    /// Positions in the state vector.
    states: Range<usize>,
    /// Position of the first of them among the remembered quantities.
    quantity: usize,
    /// Positions in the slots.
    values: usize,
    rates: Option<usize>,
    /// Zero for the present value.
    lag: f64,
    /// The discontinuities around the delayed time in force.
    lower: f64,
    upper: f64,
}

/// A discontinuity of the solution that will come back.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Break {
    time: f64,
    /// The lowest derivative that jumps; 0 for the state itself.
    order: u32,
}

/// The delays of one run.
#[derive(Debug)]
pub(super) struct Delayed {
    delays: Vec<Lagged>,
    /// Remembered positions of the state vector, ascending.
    positions: Vec<usize>,
    history: History,
    breaks: Vec<Break>,
    clock: Clock,
    start: f64,
    /// Lags up to this are taken for zero.
    negligible: f64,
    now: f64,
    largest: f64,
    /// False when an event may change parameters, and with them the lags.
    forgets: bool,
    before: Before,
    whole: Vec<f64>,
    /// The time that the slots were filled for, while nothing changed since.
    filled: Option<f64>,
}

/// The states before the start, with the parameters of the start.
#[derive(Debug)]
struct Before {
    kernel: SharedKernel,
    parameters: Parameters,
    initial: Vec<f64>,
    slots: Vec<f64>,
    scratch: Scratch,
    /// States and then their time derivatives, at the time beside them.
    values: Vec<f64>,
    at: f64,
}

impl Before {
    fn evaluate(&mut self, time: f64) -> &[f64] {
        if self.at != time {
            let arguments = (&self.initial, &self.parameters, &self.slots);
            let (out, scratch) = (&mut self.values, &mut self.scratch);
            let (initial, parameters, slots) = arguments;
            self.kernel
                .call(time, initial, parameters, slots, out, scratch);
            self.at = time;
        }
        &self.values
    }
}

impl Delayed {
    /// `initial` are the values before anything happens at the start.
    ///
    /// # Errors
    /// [`Stop::Delay`] for a lag that is negative or not finite.
    pub fn new(
        system: &System,
        kernels: &Kernels,
        parameters: &Parameters,
        (start, end): (f64, f64),
        initial: &[f64],
    ) -> Result<Delayed, Stop> {
        let initial = &initial[..system.dimension().min(initial.len())];
        let mut positions: Vec<usize> = system
            .delays
            .iter()
            .flat_map(|delay| delay.states.clone())
            .collect();
        positions.sort_unstable();
        positions.dedup();
        let mut slot = 0;
        let delays = system.delays.iter().map(|delay| {
            let at = slot;
            slot += delay.states.len();
            Lagged {
                quantity: positions.partition_point(|known| *known < delay.states.start),
                states: delay.states.clone(),
                values: system.slots.delayed.start + at,
                rates: (at < system.slots.delayed_rates.len())
                    .then_some(system.slots.delayed_rates.start + at),
                lag: 0.0,
                lower: f64::NEG_INFINITY,
                upper: f64::INFINITY,
            }
        });
        let delays: Vec<Lagged> = delays.collect();
        let places = system.events.iter().flat_map(|event| &event.jump.places);
        let mut places = places.into_iter();
        let kernel = Arc::clone(kernels.history());
        let clock = Clock::new(start, end);
        let mut delayed = Delayed {
            history: History::new(positions.len()),
            breaks: Vec::new(),
            clock,
            start,
            negligible: NEGLIGIBLE * (end - start) + clock.slack(start.abs().max(end.abs())),
            now: start,
            largest: 0.0,
            forgets: !places.any(|place| matches!(place, JumpPlace::Parameter(_))),
            before: Before {
                values: vec![0.0; kernel.out_len()],
                kernel,
                parameters: parameters.clone(),
                initial: initial.to_vec(),
                slots: vec![0.0; system.slots.len()],
                scratch: Scratch::new(),
                at: f64::NAN,
            },
            whole: Vec::new(),
            filled: None,
            delays,
            positions,
        };
        let earlier = delayed.before.evaluate(start);
        let same = |at: &usize| matches!((earlier.get(*at), initial.get(*at)), (Some(a), Some(b)) if (a - b).abs() <= 1e-14 * b.abs());
        let order = u32::from(delayed.positions.iter().all(same));
        delayed.breaks.push(Break { time: start, order });
        delayed.read_lags(kernels, parameters)?;
        Ok(delayed)
    }

    /// Works out the lags, when the run begins or parameters changed.
    ///
    /// # Errors
    /// [`Stop::Delay`]
    pub fn read_lags(&mut self, kernels: &Kernels, parameters: &Parameters) -> Result<(), Stop> {
        let mut lags = vec![0.0; self.delays.len()];
        let (initial, slots) = (&self.before.initial, &self.before.slots);
        let kernel = kernels.delays();
        kernel.call(
            self.now,
            initial,
            parameters,
            slots,
            &mut lags,
            &mut Scratch::new(),
        );
        for (delay, (known, value)) in self.delays.iter_mut().zip(lags).enumerate() {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Stop::Delay { delay, value });
            }
            known.lag = if value <= self.negligible { 0.0 } else { value };
        }
        let lags = self.delays.iter().map(|delay| delay.lag);
        self.largest = lags.fold(0.0, f64::max);
        self.look_back();
        Ok(())
    }

    /// The longest step: the smallest lag.
    pub fn longest_step(&self) -> f64 {
        let lags = self.delays.iter().map(|delay| delay.lag);
        lags.filter(|lag| *lag > 0.0).fold(f64::INFINITY, f64::min)
    }

    /// The next time at which a discontinuity comes back.
    pub fn next_stop(&self) -> f64 {
        let soon = self.now + self.clock.slack(self.now);
        let mut next = f64::INFINITY;
        for known in self.breaks.iter().filter(|b| b.order < LAST_ORDER) {
            for delay in self.delays.iter().filter(|delay| delay.lag > 0.0) {
                let time = known.time + delay.lag;
                if time > soon && time < next {
                    next = time;
                }
            }
        }
        next
    }

    /// Goes on to `time`, where discontinuities may come back.
    pub fn pass(&mut self, time: f64) -> Consequence {
        self.now = time;
        let slack = self.clock.slack(time);
        let mut lowest = u32::MAX;
        for known in &self.breaks {
            let comes_back = |delay: &Lagged| (known.time + delay.lag - time).abs() <= slack;
            let lags = self.delays.iter().filter(|delay| delay.lag > 0.0);
            if known.order < LAST_ORDER && { lags }.any(comes_back) {
                lowest = lowest.min(known.order + 1);
            }
        }
        if lowest < LAST_ORDER {
            self.add_break(lowest);
        } else {
            // None that is to be followed, but the one behind it has passed.
            self.look_back();
        }
        // Where the derivative itself jumps, steps begin anew.
        if lowest <= 1 {
            Consequence::Switch
        } else {
            Consequence::Nothing
        }
    }

    /// Something changed at the present time.
    pub fn interrupted(&mut self, consequence: Consequence) {
        match consequence {
            Consequence::Nothing => {}
            Consequence::Switch | Consequence::Equations => self.add_break(1),
            Consequence::Jump => self.add_break(0),
        }
    }

    fn add_break(&mut self, order: u32) {
        let time = self.now;
        match self.breaks.iter_mut().find(|known| known.time == time) {
            Some(known) => known.order = known.order.min(order),
            None => self.breaks.push(Break { time, order }),
        }
        let horizon = time - self.largest - self.clock.slack(time);
        if self.forgets {
            self.breaks.retain(|known| known.time >= horizon);
        }
        let mut order = LAST_ORDER;
        while self.breaks.len() > MOST_BREAKS && order > 0 {
            self.breaks.retain(|known| known.order < order);
            order -= 1;
        }
        self.look_back();
    }

    /// Finds the discontinuities around each delayed time.
    fn look_back(&mut self) {
        self.filled = None;
        let soon = self.now + self.clock.slack(self.now);
        for delay in &mut self.delays {
            (delay.lower, delay.upper) = (f64::NEG_INFINITY, f64::INFINITY);
            for known in &self.breaks {
                if known.time + delay.lag <= soon {
                    delay.lower = delay.lower.max(known.time);
                } else {
                    delay.upper = delay.upper.min(known.time);
                }
            }
        }
    }

    /// Remembers an accepted piece.
    pub fn accepted(
        &mut self,
        stepper: &mut dyn Stepper,
        from: f64,
        until: f64,
    ) -> Result<(), StepFailure> {
        if until <= from {
            return Ok(());
        }
        self.filled = None;
        self.whole.resize(stepper.state().len(), 0.0);
        let (whole, positions) = (&mut self.whole, &self.positions);
        self.history.push((from, until), |time, out| {
            if time >= stepper.time() {
                whole.copy_from_slice(stepper.state());
            } else {
                stepper.interpolate(time, whole)?;
            }
            for (out, position) in out.iter_mut().zip(positions) {
                *out = whole.get(*position).copied().unwrap_or(f64::NAN);
            }
            Ok(())
        })?;
        if self.forgets {
            let slack = self.clock.slack(until);
            self.history.forget(from - self.largest - slack);
        }
        Ok(())
    }

    /// Writes delayed values and their time derivatives at (`time`, `y`) into the slots.
    pub fn fill(&mut self, time: f64, y: &[f64], slots: &mut [f64]) {
        if self.filled == Some(time) {
            return;
        }
        let mut all_past = true;
        for delay in &self.delays {
            let at = time - delay.lag;
            let past = delay.upper > self.start;
            let piece = self.history.locate(at, delay.lower, delay.upper);
            for (k, position) in delay.states.clone().enumerate() {
                let (value, rate) = match piece {
                    _ if delay.lag == 0.0 => {
                        all_past = false;
                        (y.get(position).copied().unwrap_or(f64::NAN), 0.0)
                    }
                    Some(piece) if past => self.history.evaluate(piece, at, delay.quantity + k),
                    _ => {
                        let before = self.before.evaluate(at);
                        let states = before.len() / 2;
                        let number = |at: usize| before.get(at).copied().unwrap_or(f64::NAN);
                        (number(position), number(states + position))
                    }
                };
                if let Some(slot) = slots.get_mut(delay.values + k) {
                    *slot = value;
                }
                if let Some(slot) = delay.rates.and_then(|at| slots.get_mut(at + k)) {
                    *slot = rate;
                }
            }
        }
        self.filled = all_past.then_some(time);
    }
}
