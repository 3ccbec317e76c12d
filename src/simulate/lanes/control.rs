//! Times, steps and memories of errors of many members at once, by the rules of the scalar
//! [`Controller`](crate::simulate::controller::Controller).
//!
//! In: squared errors of attempts. Out: which were accepted, the next attempts, and which lanes
//! have come to something that is to be looked at one by one. Must not know states.

use crate::kernel::lanes::level::{Level, in_lanes};
use crate::kernel::lanes::{Chunk, LANES};
use crate::simulate::controller::{NOTHING_REMEMBERED, Rule, attempt, step_after};
use crate::simulate::stepper::shortest_step;

/// What holds for all members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub rule: Rule,
    /// First and last time.
    pub range: (f64, f64),
    pub max_step: f64,
    pub max_steps: f64,
}

/// One chunk for each eight lanes.
pub(super) struct Control {
    level: Level,
    limits: Limits,
    /// 1 where there is a member, 0 in an empty lane.
    busy: Vec<Chunk>,
    /// Time reached, and the step that errors allow.
    pub time: Vec<Chunk>,
    wanted: Vec<Chunk>,
    /// Length of the attempt, its end, and 1 where that is the end of the run.
    pub step: Vec<Chunk>,
    pub end: Vec<Chunk>,
    last: Vec<Chunk>,
    remembered: Vec<Chunk>,
    /// 1 where the attempt before was rejected.
    after_rejection: Vec<Chunk>,
    /// Squared errors of the attempts, to be filled in.
    pub errors: Vec<Chunk>,
    /// 1 where the attempt was accepted.
    pub accepted: Vec<Chunk>,
    /// Steps and rejected attempts of each member so far.
    steps: Vec<Chunk>,
    rejected: Vec<Chunk>,
    /// Steps until somebody looks at the member, and the time at which it shows a row.
    look_in: Vec<Chunk>,
    next_row: Vec<Chunk>,
    /// 1 where something is to be looked at: a row, the end, a failure.
    event: Vec<Chunk>,
}

impl Control {
    pub fn new(limits: Limits, chunks: usize) -> Control {
        let one = || vec![Chunk::splat(0.0); chunks];
        Control {
            level: Level::detect(),
            limits,
            busy: one(),
            time: one(),
            wanted: one(),
            step: one(),
            end: one(),
            last: one(),
            remembered: one(),
            after_rejection: one(),
            errors: one(),
            accepted: one(),
            steps: one(),
            rejected: one(),
            look_in: one(),
            next_row: one(),
            event: one(),
        }
    }

    /// A member begins in a lane, with this step.
    pub fn begin(&mut self, lane: usize, step: f64, look_in: u64, next_row: f64) {
        let start = self.limits.range.0;
        for (numbers, value) in [
            (&mut self.busy, 1.0),
            (&mut self.time, start),
            (&mut self.wanted, step),
            (&mut self.remembered, NOTHING_REMEMBERED),
            (&mut self.after_rejection, 0.0),
            (&mut self.steps, 0.0),
            (&mut self.rejected, 0.0),
        ] {
            *place(numbers, lane) = value;
        }
        self.look_again(lane, look_in);
        self.show_next(lane, next_row);
    }

    /// Nothing moves in an empty lane.
    pub fn clear(&mut self, lane: usize) {
        for numbers in [&mut self.busy, &mut self.step, &mut self.accepted] {
            *place(numbers, lane) = 0.0;
        }
    }

    /// The lane is looked at after so many steps.
    #[expect(clippy::cast_precision_loss, reason = "a count of steps")]
    pub fn look_again(&mut self, lane: usize, steps: u64) {
        *place(&mut self.look_in, lane) = steps as f64;
    }

    /// The lane is looked at when it passes this time.
    pub fn show_next(&mut self, lane: usize, time: f64) {
        *place(&mut self.next_row, lane) = time;
    }

    /// The next attempt of every lane.
    pub fn attempt(&mut self) {
        attempt_all(self.level, self);
    }

    /// Takes note of the errors of the attempts.
    pub fn judge(&mut self) {
        judge_all(self.level, self);
    }

    /// The lanes in which something is to be looked at.
    pub fn events(&self, lanes: &mut Vec<usize>) {
        lanes.clear();
        for (k, chunk) in self.event.iter().enumerate() {
            // Mostly there is nothing.
            if chunk.0.iter().sum::<f64>() == 0.0 {
                continue;
            }
            let marked = chunk
                .0
                .iter()
                .enumerate()
                .filter(|(_, event)| **event != 0.0);
            lanes.extend(marked.map(|(lane, _)| k * LANES + lane));
        }
    }

    /// What a lane has come to.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of steps"
    )]
    pub fn come_to(&self, lane: usize) -> Lane {
        let number = |numbers: &[Chunk]| numbers[lane / LANES].0[lane % LANES];
        Lane {
            accepted: number(&self.accepted) != 0.0,
            last: number(&self.last) != 0.0,
            time: number(&self.time),
            step: number(&self.step),
            error: number(&self.errors),
            steps: number(&self.steps) as u64,
            rejected: number(&self.rejected) as u64,
            is_due: number(&self.look_in) <= 0.0,
        }
    }
}

/// What one lane has come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub accepted: bool,
    /// The attempt ended at the end of the run.
    pub last: bool,
    /// Time reached.
    pub time: f64,
    /// Length of the attempt.
    pub step: f64,
    pub error: f64,
    pub steps: u64,
    pub rejected: u64,
    /// The steps until somebody looks are over.
    pub is_due: bool,
}

fn place(numbers: &mut [Chunk], lane: usize) -> &mut f64 {
    &mut numbers[lane / LANES].0[lane % LANES]
}

#[inline(always)]
fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

in_lanes! {
    fn attempt_all(control: &mut Control) = attempt_all_inner
}

#[inline(always)]
fn attempt_all_inner(control: &mut Control) {
    let (stop, max_step) = (control.limits.range.1, control.limits.max_step);
    for k in 0..control.time.len() {
        let (busy, time) = (control.busy[k].0, control.time[k].0);
        let wanted = control.wanted[k].0;
        let [mut step, mut end, mut last] = [[0.0; LANES]; 3];
        for lane in 0..LANES {
            let next = attempt(time[lane], wanted[lane], stop, max_step);
            // A lane without a member stays where it is.
            let is_busy = busy[lane] != 0.0;
            step[lane] = if is_busy { next.step } else { 0.0 };
            end[lane] = if is_busy { next.end } else { time[lane] };
            last[lane] = flag(next.last);
        }
        control.step[k].0 = step;
        control.end[k].0 = end;
        control.last[k].0 = last;
    }
}

in_lanes! {
    fn judge_all(control: &mut Control) = judge_all_inner
}

#[inline(always)]
fn judge_all_inner(control: &mut Control) {
    let Limits {
        rule,
        range: (start, stop),
        max_steps,
        ..
    } = control.limits;
    let length = stop - start;
    for k in 0..control.time.len() {
        let (errors, busy) = (control.errors[k].0, control.busy[k].0);
        let (step, end, last) = (control.step[k].0, control.end[k].0, control.last[k].0);
        let next_row = control.next_row[k].0;
        let (mut time, mut wanted) = (control.time[k].0, control.wanted[k].0);
        let mut remembered = control.remembered[k].0;
        let mut rejection = control.after_rejection[k].0;
        let (mut steps, mut rejected) = (control.steps[k].0, control.rejected[k].0);
        let mut look_in = control.look_in[k].0;
        // Short loops over local numbers, each of which becomes a few instructions for all lanes.
        let [mut moves, mut longer, mut shorter, mut error, mut event] = [[0.0; LANES]; 5];
        for lane in 0..LANES {
            moves[lane] = flag((errors[lane] <= 1.0) & (busy[lane] != 0.0));
        }
        for lane in 0..LANES {
            let memory = (remembered[lane], rejection[lane] != 0.0);
            (longer[lane], error[lane]) = rule.after_acceptance(errors[lane], memory);
        }
        for lane in 0..LANES {
            shorter[lane] = rule.after_rejection(errors[lane]) * step[lane];
        }
        for lane in 0..LANES {
            let next = step_after(longer[lane], step[lane], wanted[lane]);
            let too_short = shorter[lane] < shortest_step(time[lane], length);
            let moved = moves[lane] != 0.0;
            event[lane] = flag(too_short & !moved & (busy[lane] != 0.0));
            wanted[lane] = if moved { next } else { shorter[lane] };
            time[lane] = if moved { end[lane] } else { time[lane] };
            remembered[lane] = if moved { error[lane] } else { remembered[lane] };
        }
        for lane in 0..LANES {
            rejection[lane] = busy[lane] - moves[lane];
            steps[lane] += moves[lane];
            rejected[lane] += rejection[lane];
            look_in[lane] -= moves[lane];
        }
        for lane in 0..LANES {
            let noted = (last[lane] != 0.0)
                | (time[lane] >= next_row[lane])
                | (steps[lane] >= max_steps)
                | (look_in[lane] <= 0.0)
                | (step[lane] < shortest_step(time[lane], length));
            event[lane] += flag((moves[lane] != 0.0) & noted);
        }
        control.time[k].0 = time;
        control.wanted[k].0 = wanted;
        control.remembered[k].0 = remembered;
        control.after_rejection[k].0 = rejection;
        control.accepted[k].0 = moves;
        control.steps[k].0 = steps;
        control.rejected[k].0 = rejected;
        control.look_in[k].0 = look_in;
        control.event[k].0 = event;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::controller::Controller;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    /// Every lane goes the way of a scalar controller that meets the same errors.
    #[test]
    fn lanes_go_as_the_scalar_controller() {
        let rule = crate::simulate::tsit5::RULE;
        let limits = Limits {
            rule,
            range: (-1.0, 3.0),
            max_step: 0.3,
            max_steps: 1e9,
        };
        let mut rng = SmallRng::seed_from_u64(7);
        let mut control = Control::new(limits, 2);
        let mut scalar = Vec::new();
        for lane in 0..2 * LANES {
            let step = 1e-3 * (lane + 1) as f64;
            control.begin(lane, step, u64::MAX, f64::INFINITY);
            scalar.push(Controller::new(rule, -1.0, step, 3.0, 0.3));
        }
        let mut errors = Vec::new();
        let mut ended = 0;
        while ended < 2 * LANES {
            control.attempt();
            let attempts: Vec<_> = scalar.iter().map(Controller::attempt).collect();
            for (lane, attempt) in attempts.iter().enumerate() {
                let found = control.come_to(lane);
                assert_eq!((found.step, found.last), (attempt.step, attempt.last));
                let error = match rng.random_range(0..20) {
                    0 => f64::NAN,
                    1 => 0.0,
                    _ => 10_f64.powf(rng.random_range(-6.0..0.5)),
                };
                *place(&mut control.errors, lane) = error;
                errors.push(error);
            }
            control.judge();
            let mut events = Vec::new();
            control.events(&mut events);
            for (lane, error) in errors.drain(..).enumerate() {
                if *place(&mut control.busy, lane) == 0.0 {
                    assert!(!events.contains(&lane));
                    continue;
                }
                let accepted = scalar[lane].judge(&attempts[lane], error);
                let found = control.come_to(lane);
                assert_eq!(accepted, Ok(found.accepted));
                assert_eq!(found.time, scalar[lane].time);
                let ends = found.accepted && found.last;
                assert_eq!(events.contains(&lane), ends);
                if ends {
                    control.clear(lane);
                    ended += 1;
                }
            }
        }
    }
}
