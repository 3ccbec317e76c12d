//! Events without end: many at one time, or ever faster.
//!
//! In: each execution and each switch with its time. Out: the verdict that time stands still.

use super::super::Stop;
use super::super::clock::Clock;

/// Executions, or switches of one guard, at one time that are taken for endless.
const MOST_AT_ONE_TIME: u64 = 1000;
/// Intervals between executions of an event that shrink one after the other, before shorter ones
/// than [`VANISHING`] are taken for the end of a geometric sequence (as of a ball that comes to
/// rest).
const SHRINKING: u64 = 3;
/// Relative to the time and to the run.
const VANISHING: f64 = 1e-11;

/// What happened lately.
#[derive(Debug, Default)]
pub(super) struct Storm {
    time: f64,
    count: u64,
    events: Vec<Pace>,
    guards: Vec<(f64, u64)>,
}

/// The executions of one event.
#[derive(Debug, Clone, Copy)]
struct Pace {
    time: f64,
    interval: f64,
    shrinking: u64,
}

impl Storm {
    pub fn new(events: usize, guards: usize) -> Storm {
        let never = Pace {
            time: f64::NEG_INFINITY,
            interval: f64::INFINITY,
            shrinking: 0,
        };
        Storm {
            time: f64::NEG_INFINITY,
            count: 0,
            events: vec![never; events],
            guards: vec![(f64::NEG_INFINITY, 0); guards],
        }
    }

    /// An event is executed.
    pub fn execution(&mut self, event: usize, time: f64, clock: Clock) -> Result<(), Stop> {
        let slack = clock.slack(time);
        self.count = if time - self.time <= slack {
            self.count + 1
        } else {
            1
        };
        self.time = time;
        if self.count >= MOST_AT_ONE_TIME {
            let count = self.count;
            return Err(Stop::EventStorm { time, event, count });
        }
        let Some(pace) = self.events.get_mut(event) else {
            return Ok(());
        };
        let interval = time - pace.time;
        let shrinks = interval > 0.0 && interval < pace.interval;
        pace.shrinking = if shrinks { pace.shrinking + 1 } else { 0 };
        pace.time = time;
        pace.interval = interval;
        if pace.shrinking > SHRINKING && interval < VANISHING / 1e-14 * slack {
            let count = pace.shrinking;
            return Err(Stop::EventStorm { time, event, count });
        }
        Ok(())
    }

    /// A guard of the drift changes its mode.
    pub fn switch(&mut self, guard: usize, time: f64, clock: Clock) -> Result<(), Stop> {
        let Some((last, count)) = self.guards.get_mut(guard) else {
            return Ok(());
        };
        let stands = time - *last <= clock.slack(time);
        *count = if stands { *count + 1 } else { 1 };
        *last = time;
        if *count < MOST_AT_ONE_TIME {
            return Ok(());
        }
        let count = *count;
        Err(Stop::Chattering { time, guard, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_shrinks_without_end_is_a_storm() {
        let clock = Clock::new(0.0, 10.0);
        let mut steady = Storm::new(1, 0);
        for k in 0..100_000 {
            let time = 1.0 + 1e-6 * f64::from(k);
            assert_eq!(steady.execution(0, time, clock), Ok(()));
        }
        // Intervals 2^-k: the sum converges to 1.
        let mut ball = Storm::new(1, 0);
        let mut time = 0.0;
        let mut ended = None;
        for k in 1..60 {
            time += 0.5_f64.powi(k);
            if ball.execution(0, time, clock).is_err() {
                ended = Some(time);
                break;
            }
        }
        assert!(ended.is_some_and(|time| (time - 1.0).abs() < 1e-9));
    }

    #[test]
    fn many_at_one_time_are_a_storm() {
        let clock = Clock::new(0.0, 10.0);
        let mut storm = Storm::new(2, 0);
        let first = (0..2000).find(|k| storm.execution(k % 2, 3.0, clock).is_err());
        assert_eq!(first, Some(999));
    }
}
