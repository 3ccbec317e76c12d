//! Which times of a run are one and the same.
//!
//! In: the range of the run. Out: the distance below which two times are told apart by rounding
//! only, as 0.1 * 3 and 0.3 are.

/// Relative to the time itself: some fifty units of round-off.
const RELATIVE: f64 = 1e-14;
/// Relative to the run: times near zero are often differences of larger ones.
const OF_THE_RUN: f64 = 1e-15;

/// The round-off of the times of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    floor: f64,
    /// The time farthest from zero.
    farthest: f64,
}

impl Clock {
    pub fn new(start: f64, end: f64) -> Clock {
        let farthest = start.abs().max(end.abs());
        Clock {
            floor: OF_THE_RUN * farthest,
            farthest,
        }
    }

    /// Times closer to `time` than this are the same.
    pub fn slack(self, time: f64) -> f64 {
        RELATIVE * time.abs() + self.floor
    }

    /// Times of the run that are farther apart than this are told apart wherever they are.
    pub fn coarsest(self) -> f64 {
        self.slack(self.farthest)
    }

    /// Whether `time` has come when it is `now`.
    pub fn has_come(self, time: f64, now: f64) -> bool {
        time <= now + self.slack(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_differ_by_rounding_are_one() {
        let clock = Clock::new(0.0, 10.0);
        assert!(clock.has_come(0.1 + 0.2, 0.3));
        assert!(clock.has_come(0.1 + 0.2 - 0.3, 0.0));
        assert!(!clock.has_come(0.3 + 1e-12, 0.3));
        assert!(!clock.has_come(1e-13, 0.0));
    }
}
