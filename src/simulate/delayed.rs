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
//!
//! Derivatives S by varied quantities ride along: of x(t - tau) it is S(t - tau) - x'(t - tau) dtau,
//! and a discontinuity comes back at a time that moves with the lag. A derivative that jumps at a
//! moving time is one order higher in S, so that one more order is followed.

use super::Stop;
use super::clock::Clock;
use super::history::History;
use super::interrupter::Consequence;
use super::sensitivity::{DirectedSlots, Direction, Moving, Shift};
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
    /// How it moves with each varied quantity; empty where nothing is varied.
    shift: Shift,
    /// The discontinuities around the delayed time in force.
    lower: f64,
    upper: f64,
}

/// A discontinuity of the solution that will come back.
#[derive(Debug, Clone, PartialEq)]
struct Break {
    time: f64,
    /// The lowest derivative that jumps; 0 for the state itself.
    order: u32,
    /// How the time moves with each varied quantity; empty where it does not.
    shift: Shift,
}

/// The delays of one run.
#[derive(Debug)]
pub(super) struct Delayed {
    delays: Vec<Lagged>,
    /// Remembered positions of the state vector, ascending, without derivatives.
    positions: Vec<usize>,
    /// Quantities that are varied, and their derivatives of the past before the start.
    varied: usize,
    moved_before: Option<MovedBefore>,
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

/// Derivatives of the states before the start, with the parameters of the start.
#[derive(Debug)]
struct MovedBefore {
    kernel: SharedKernel,
    slots: DirectedSlots,
    /// How parameters and initial values move with each varied quantity.
    parameters: Vec<Vec<f64>>,
    initial: Vec<Vec<f64>>,
    scratch: Scratch,
}

impl MovedBefore {
    /// The derivative of the states at `time`, which moves by `dt`, by the j-th quantity.
    fn evaluate(&mut self, before: &Before, j: usize, (time, dt): (f64, f64)) -> Vec<f64> {
        let none: &[f64] = &[];
        let direction = Direction {
            time: dt,
            states: self.initial.get(j).map_or(none, Vec::as_slice),
            parameters: self.parameters.get(j).map_or(none, Vec::as_slice),
            slots: none,
        };
        self.slots.set(0, direction);
        let mut out = vec![0.0; self.kernel.out_len()];
        self.kernel.call(
            time,
            &before.initial,
            &before.parameters,
            self.slots.numbers(),
            &mut out,
            &mut self.scratch,
        );
        out
    }
}

impl Delayed {
    /// Remembers derivatives too: `moving` says how parameters move, `initial` holds the derivatives
    /// of the initial values, quantity after quantity.
    pub fn vary(&mut self, system: &System, kernels: &Kernels, moving: &Moving, initial: &[f64]) {
        let n = system.states.len().max(1);
        self.varied = initial.len() / n;
        self.history = History::new(self.positions.len() * (1 + self.varied));
        self.moved_before = Some(MovedBefore {
            kernel: kernels.tangent(&system.pool, &system.history),
            slots: DirectedSlots::new(system),
            parameters: (0..self.varied)
                .map(|j| moving.parameters_of(j).to_vec())
                .collect(),
            initial: initial.chunks_exact(n).map(<[f64]>::to_vec).collect(),
            scratch: Scratch::new(),
        });
    }

    /// Takes in how the lags move, one after the other.
    pub fn shift_lags(&mut self, shifts: Vec<Shift>) {
        for (delay, shift) in self.delays.iter_mut().zip(shifts) {
            delay.shift = shift;
        }
    }

    /// The highest derivative whose discontinuities are followed.
    fn last_order(&self) -> u32 {
        LAST_ORDER + u32::from(self.varied > 0)
    }

    /// How the time moves at which a discontinuity of the delayed states themselves comes back now:
    /// the equations jump there.
    pub fn returning(&self, time: f64) -> Option<Shift> {
        let slack = self.clock.slack(time);
        let jumps = self.breaks.iter().filter(|known| known.order == 0);
        for known in jumps {
            let mut delays = self.delays.iter().filter(|delay| delay.lag > 0.0);
            let comes_back = |delay: &&Lagged| (known.time + delay.lag - time).abs() <= slack;
            if let Some(delay) = delays.find(comes_back) {
                return Some(sum_of(&known.shift, &delay.shift));
            }
        }
        None
    }

    /// Writes how delayed values move at (`time`, `y`), where `y` holds derivatives too, into the
    /// slots of each quantity.
    pub fn fill_moved(&mut self, time: f64, y: &[f64], moving: &mut Moving) {
        let (width, varied) = (self.positions.len(), self.varied);
        let n = y.len() / (1 + varied);
        for delay in &self.delays {
            let at = time - delay.lag;
            let past = delay.upper > self.start;
            let piece = self.history.locate(at, delay.lower, delay.upper);
            for j in 0..varied {
                let dt = -delay.shift.get(j).copied().unwrap_or(0.0);
                let before = match (&mut self.moved_before, piece) {
                    (Some(known), _) if delay.lag > 0.0 && !(past && piece.is_some()) => {
                        known.evaluate(&self.before, j, (at, dt))
                    }
                    _ => Vec::new(),
                };
                for (k, position) in delay.states.clone().enumerate() {
                    let value = match piece {
                        _ if delay.lag == 0.0 => y.get(n * (1 + j) + position).copied(),
                        Some(piece) if past => {
                            let quantity = delay.quantity + k;
                            let own = width * (1 + j) + quantity;
                            let (moved, _) = self.history.evaluate(piece, at, own);
                            let (_, rate) = self.history.evaluate(piece, at, quantity);
                            Some(moved + rate * dt)
                        }
                        _ => before.get(position).copied(),
                    };
                    if let Some(slot) = moving.slots_of_mut(j).get_mut(delay.values + k) {
                        *slot = value.unwrap_or(f64::NAN);
                    }
                }
            }
        }
    }

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
                shift: Shift::new(),
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
            varied: 0,
            moved_before: None,
        };
        let earlier = delayed.before.evaluate(start);
        let same = |at: &usize| matches!((earlier.get(*at), initial.get(*at)), (Some(a), Some(b)) if (a - b).abs() <= 1e-14 * b.abs());
        let order = u32::from(delayed.positions.iter().all(same));
        delayed.breaks.push(Break {
            time: start,
            order,
            shift: Shift::new(),
        });
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
        let last = self.last_order();
        for known in self.breaks.iter().filter(|b| b.order < last) {
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
        let (mut lowest, mut shift) = (u32::MAX, Shift::new());
        let last = self.last_order();
        for known in &self.breaks {
            let comes_back = |delay: &&Lagged| (known.time + delay.lag - time).abs() <= slack;
            let mut lags = self.delays.iter().filter(|delay| delay.lag > 0.0);
            if let Some(delay) = lags.find(comes_back)
                && known.order < last.min(lowest.saturating_sub(1))
            {
                lowest = known.order + 1;
                shift = sum_of(&known.shift, &delay.shift);
            }
        }
        if lowest < last {
            self.add_break(lowest, shift);
        } else {
            // None that is to be followed, but the one behind it has passed.
            self.look_back();
        }
        // Where the derivative itself jumps, steps begin anew.
        if lowest <= 1 + u32::from(self.varied > 0) {
            Consequence::Switch
        } else {
            Consequence::Nothing
        }
    }

    /// Something changed at the present time, which moves so.
    pub fn interrupted(&mut self, consequence: Consequence, shift: Shift) {
        match consequence {
            Consequence::Nothing => {}
            Consequence::Switch | Consequence::Equations => self.add_break(1, shift),
            Consequence::Jump => self.add_break(0, shift),
        }
    }

    fn add_break(&mut self, order: u32, shift: Shift) {
        let time = self.now;
        match self.breaks.iter_mut().find(|known| known.time == time) {
            Some(known) if order < known.order => (known.order, known.shift) = (order, shift),
            Some(_) => {}
            None => self.breaks.push(Break { time, order, shift }),
        }
        let horizon = time - self.largest - self.clock.slack(time);
        if self.forgets {
            self.breaks.retain(|known| known.time >= horizon);
        }
        let mut order = self.last_order();
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
        let n = whole.len() / (1 + self.varied);
        self.history.push((from, until), |time, out| {
            if time >= stepper.time() {
                whole.copy_from_slice(stepper.state());
            } else {
                stepper.interpolate(time, whole)?;
            }
            let blocks = out.chunks_exact_mut(positions.len().max(1));
            for (j, out) in blocks.enumerate() {
                for (out, position) in out.iter_mut().zip(positions) {
                    *out = whole.get(j * n + position).copied().unwrap_or(f64::NAN);
                }
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

/// How a time moves that lies after another one by something that moves.
fn sum_of(one: &Shift, other: &Shift) -> Shift {
    let long = one.len().max(other.len());
    let at = |shift: &Shift, j: usize| shift.get(j).copied().unwrap_or(0.0);
    (0..long).map(|j| at(one, j) + at(other, j)).collect()
}
