//! What is scheduled: a queue ordered by time, and schedules that are worked out one time ahead.
//!
//! In: numbers of a schedule. Out: what is due, in the order in which it is performed. Must not
//! know what is performed.

use super::super::ScheduleFault;
use super::super::clock::Clock;
use super::super::sensitivity::Shift;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Something scheduled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub time: f64,
    pub what: What,
    /// How its time moves.
    pub shift: Shift,
}

/// What is due at a time; in the order in which it is performed at one time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// The infusion with this number ends.
    InfusionEnd(u64),
    /// A row of a table: its position, and which of its doses, the first or an additional one.
    Row { row: usize, count: u32 },
    /// A dose that was on its way arrives.
    Arrival(Delivery),
    /// The count-th dose of a schedule.
    Dose { dose: usize, count: u64 },
    /// An event at the count-th of its times.
    Event { event: usize, count: u64 },
    /// A delayed execution with this number.
    Execution { event: usize, number: u64 },
}

/// An amount on its way into a state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delivery {
    pub dose: usize,
    pub row: Option<usize>,
    pub into: usize,
    pub amount: f64,
    pub duration: f64,
    /// How amount and duration move.
    pub moved: [Shift; 2],
}

impl What {
    /// At one time: ends of infusions, rows, doses in text order, events.
    pub fn rank(&self) -> (u8, usize) {
        match self {
            What::InfusionEnd(_) => (0, 0),
            What::Row { row, .. } => (1, *row),
            What::Arrival(delivery) => match delivery.row {
                Some(row) => (1, row),
                None => (2, delivery.dose),
            },
            What::Dose { dose, .. } => (2, *dose),
            What::Event { event, .. } | What::Execution { event, .. } => (3, *event),
        }
    }
}

/// Entries by time, the earliest at the top; equal times in the order of their making.
#[derive(Debug)]
struct Queued {
    entry: Entry,
    number: u64,
}

impl Ord for Queued {
    fn cmp(&self, other: &Queued) -> Ordering {
        let by_time = other.entry.time.total_cmp(&self.entry.time);
        by_time.then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Queued) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Queued) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    queue: BinaryHeap<Queued>,
    made: u64,
}

impl Agenda {
    /// For a time that does not move.
    pub fn push(&mut self, time: f64, what: What) {
        self.push_moving(time, what, Shift::new());
    }

    pub fn push_moving(&mut self, time: f64, what: What, shift: Shift) {
        self.made += 1;
        self.queue.push(Queued {
            entry: Entry { time, what, shift },
            number: self.made,
        });
    }

    /// The earliest time; infinite when nothing is scheduled.
    pub fn next_time(&self) -> f64 {
        self.queue
            .peek()
            .map_or(f64::INFINITY, |queued| queued.entry.time)
    }

    /// The next entry whose time has come.
    pub fn pop(&mut self, now: f64, clock: Clock) -> Option<Entry> {
        if !clock.has_come(self.next_time(), now) {
            return None;
        }
        self.queue.pop().map(|queued| queued.entry)
    }

    /// Drops what `keep` refuses.
    pub fn retain(&mut self, keep: impl Fn(&What) -> bool) {
        self.queue.retain(|queued| keep(&queued.entry.what));
    }
}

/// `every P from a times N until b`: the k-th time is a + k P.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Repetition {
    from: f64,
    period: f64,
    times: f64,
    until: f64,
}

impl Repetition {
    /// Checks the numbers: `times` and `until` are infinite when absent.
    pub fn new(
        period: f64,
        from: f64,
        times: f64,
        until: f64,
        clock: Clock,
    ) -> Result<Repetition, ScheduleFault> {
        if !from.is_finite() {
            return Err(ScheduleFault::Time(from));
        }
        if !(period.is_finite() && period > clock.coarsest()) {
            return Err(ScheduleFault::Period(period));
        }
        if !(times >= 0.0 && (times.is_infinite() || times.fract() == 0.0)) {
            return Err(ScheduleFault::Times(times));
        }
        if until.is_nan() {
            return Err(ScheduleFault::Time(until));
        }
        Ok(Repetition {
            from,
            period,
            times,
            until: until + clock.slack(until.min(f64::MAX)),
        })
    }

    pub fn period(&self) -> f64 {
        self.period
    }

    /// The k-th time, while there is one.
    pub fn time(&self, k: u64) -> Option<f64> {
        let k = k as f64;
        let time = self.from + k * self.period;
        (k < self.times && time <= self.until && time.is_finite()).then_some(time)
    }

    /// The first k whose time is not before `time`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; beyond 2^64 no time is left"
    )]
    pub fn first(&self, time: f64) -> u64 {
        // One earlier, in case the division was rounded up.
        let mut k = (((time - self.from) / self.period).ceil() - 1.0).max(0.0) as u64;
        while self.from + k as f64 * self.period < time && k < u64::MAX {
            k += 1;
        }
        k
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_order_of_time() {
        let clock = Clock::new(0.0, 10.0);
        let mut agenda = Agenda::default();
        agenda.push(2.0, What::InfusionEnd(0));
        agenda.push(1.0, What::InfusionEnd(1));
        agenda.push(2.0, What::InfusionEnd(2));
        assert_eq!(agenda.next_time(), 1.0);
        assert_eq!(agenda.pop(0.5, clock), None);
        let mut numbers = Vec::new();
        while let Some(entry) = agenda.pop(2.0, clock) {
            numbers.push(entry.what);
        }
        let expected = [1, 0, 2].map(What::InfusionEnd);
        assert_eq!(numbers, expected);
    }

    #[test]
    fn a_schedule_counts_its_times() {
        let clock = Clock::new(0.0, 100.0);
        let every = Repetition::new(0.1, 0.0, 4.0, f64::INFINITY, clock).unwrap();
        assert_eq!(every.time(3), Some(0.1 * 3.0));
        assert_eq!(every.time(4), None);
        assert_eq!(every.first(-5.0), 0);
        assert_eq!(every.first(0.15), 2);
        assert_eq!(every.first(0.2), 2);
        let until = Repetition::new(0.1, 0.0, f64::INFINITY, 0.3, clock).unwrap();
        assert_eq!(until.time(3), Some(0.1 * 3.0));
        assert_eq!(until.time(4), None);
    }

    #[test]
    fn senseless_schedules_are_refused() {
        let clock = Clock::new(0.0, 100.0);
        let made = |period, from, times, until| {
            Repetition::new(period, from, times, until, clock).unwrap_err()
        };
        let never = f64::INFINITY;
        assert_eq!(made(0.0, 0.0, never, never), ScheduleFault::Period(0.0));
        assert_eq!(made(-1.0, 0.0, never, never), ScheduleFault::Period(-1.0));
        assert_eq!(made(1.0, never, never, never), ScheduleFault::Time(never));
        assert_eq!(made(1.0, 0.0, 1.5, never), ScheduleFault::Times(1.5));
        assert_eq!(made(1.0, 0.0, -1.0, never), ScheduleFault::Times(-1.0));
    }
}
