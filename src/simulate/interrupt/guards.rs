//! Guards and their modes along a run.
//!
//! In: values and rates of the guards at points of the solution. Out: modes in slots, and which
//! guards changed. Must not know where points come from.

use super::super::clock::Clock;
use super::functions::Functions;
use crate::system::{GuardKind, System};

/// What the guards are at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sample {
    pub time: f64,
    /// One number per element of all guards.
    pub values: Vec<f64>,
    /// Their time derivatives along the solution.
    pub rates: Vec<f64>,
    /// The state there, when it comes from an interpolant; interpolating anew may differ in the
    /// last digit, and a guard must not fall back behind its border by that.
    pub state: Vec<f64>,
}

/// One number that is watched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Element {
    pub kind: GuardKind,
    /// Position of its guard in the system.
    pub guard: usize,
    pub in_drift: bool,
    /// Its crossing is known ahead, and no step goes over it.
    pub is_timed: bool,
    /// Its crossings concern this run.
    pub is_watched: bool,
    /// Depends on the time but not on the state, so that no step is aware of it.
    pub only_time: bool,
    /// The side it is on: its mode, or for [`GuardKind::Zero`] the sign of its value (0 before it
    /// was ever off zero).
    pub side: f64,
    /// Its value was exactly zero when the step began.
    pub rests: bool,
}

impl Element {
    /// The side of this value, were it on its own.
    pub fn side_of(&self, value: f64) -> f64 {
        match self.kind {
            GuardKind::Positive => f64::from(u8::from(value > 0.0)),
            GuardKind::NotNegative => f64::from(u8::from(value >= 0.0)),
            GuardKind::Floor => value.floor(),
            GuardKind::Zero if value == 0.0 => 0.0,
            GuardKind::Zero => value.signum(),
        }
    }

    /// The side right after this moment: a guard that time alone moves and that is at its
    /// crossing up to rounding has crossed.
    pub fn side_after(&self, value: f64, rate: f64, slack: f64) -> f64 {
        if !self.is_timed || rate == 0.0 {
            return self.side_of(value);
        }
        let border = match self.kind {
            GuardKind::Floor => value.round(),
            _ => 0.0,
        };
        if (value - border).abs() > rate.abs() * slack {
            return self.side_of(value);
        }
        match (self.kind, rate > 0.0) {
            (GuardKind::Floor, true) => border,
            (GuardKind::Floor, false) => border - 1.0,
            (GuardKind::Zero, rising) => {
                if rising {
                    1.0
                } else {
                    -1.0
                }
            }
            (_, rising) => f64::from(u8::from(rising)),
        }
    }

    /// Whether this value lies on another side than the present one. A guard that was never off
    /// zero has no side, and one that rests at zero has not come there.
    pub fn has_changed(&self, value: f64) -> bool {
        match self.kind {
            GuardKind::Zero if value == 0.0 => self.side != 0.0 && !self.rests,
            GuardKind::Zero => value * self.side < 0.0,
            _ => self.side_of(value) != self.side,
        }
    }

    /// The open interval in which values are on the present side.
    pub fn range(&self) -> (f64, f64) {
        match self.kind {
            GuardKind::Floor => (self.side, self.side + 1.0),
            GuardKind::Zero if self.side == 0.0 => (f64::NEG_INFINITY, f64::INFINITY),
            _ if self.side > 0.0 => (0.0, f64::INFINITY),
            _ => (f64::NEG_INFINITY, 0.0),
        }
    }

    /// How far a value is beyond the border of the present side: negative inside.
    pub fn excess(&self, value: f64) -> f64 {
        let (low, high) = self.range();
        (low - value).max(value - high)
    }
}

/// All guards of a run.
#[derive(Debug, Default)]
pub(super) struct Guards {
    pub elements: Vec<Element>,
    /// At the time reached.
    pub now: Sample,
    /// The values of the sample before.
    previous: Vec<f64>,
    /// Some guard is not timed: steps have to be looked at.
    pub need_search: bool,
    /// Some such guard is a function of time only.
    pub need_sampling: bool,
    /// Elements of kind [`GuardKind::Zero`] that cross zero in this moment, and the sign of their
    /// change.
    pub crossings: Vec<(usize, f64)>,
}

impl Guards {
    /// `is_watched` says for each guard whether something depends on it; `only_time` whether it
    /// is a function of time and parameters.
    pub fn new(
        system: &System,
        is_watched: impl Fn(usize) -> bool,
        only_time: impl Fn(usize) -> bool,
    ) -> Guards {
        let mut elements = Vec::with_capacity(system.slots.modes.len());
        for (guard, data) in system.guards.iter().enumerate() {
            let element = Element {
                kind: data.kind,
                guard,
                in_drift: data.in_drift,
                is_timed: data.is_timed,
                is_watched: is_watched(guard),
                only_time: only_time(guard),
                side: 0.0,
                rests: false,
            };
            let len = system.pool.shape(data.expr).len();
            elements.extend(std::iter::repeat_n(element, len));
        }
        let searched = |element: &&Element| element.is_watched && !element.is_timed;
        let count = elements.len();
        Guards {
            now: Sample {
                time: f64::NAN,
                values: vec![0.0; count],
                rates: vec![0.0; count],
                state: Vec::new(),
            },
            previous: vec![0.0; count],
            need_search: elements.iter().any(|element| searched(&element)),
            need_sampling: (elements.iter().filter(searched)).any(|element| element.only_time),
            crossings: Vec::new(),
            elements,
        }
    }

    /// Evaluates all guards at a point.
    pub fn sample(&mut self, functions: &mut Functions<'_>, time: f64, state: &[f64]) {
        let now = &mut self.now;
        now.time = time;
        std::mem::swap(&mut now.values, &mut self.previous);
        functions.guards(time, state, &mut now.values, &mut now.rates);
    }

    /// Takes the sides of the present sample, when the run begins. True when some is another than
    /// before.
    pub fn begin(&mut self, clock: Clock) -> bool {
        let mut has_changed = false;
        let slack = clock.slack(self.now.time);
        let sampled = self.now.values.iter().zip(&self.now.rates);
        for (element, (value, rate)) in self.elements.iter_mut().zip(sampled) {
            let before = element.side;
            element.side = element.side_after(*value, *rate, slack);
            if element.kind == GuardKind::Zero && element.side == 0.0 {
                element.side = departure(*rate);
            }
            has_changed |= element.side != before;
        }
        has_changed
    }

    /// Takes the sides of the present sample and hands those elements to `changed` that have
    /// another one than before. With `landing`, an equality that holds exactly counts as a
    /// crossing (after a jump).
    pub fn settle(
        &mut self,
        clock: Clock,
        landing: bool,
        mut changed: impl FnMut(usize, &Element),
    ) {
        let slack = clock.slack(self.now.time);
        let sampled = self.now.values.iter().zip(&self.now.rates);
        for (at, (element, (value, rate))) in self.elements.iter_mut().zip(sampled).enumerate() {
            let side = element.side_after(*value, *rate, slack);
            if element.kind != GuardKind::Zero {
                if side != element.side {
                    element.side = side;
                    changed(at, element);
                }
                continue;
            }
            let before = element.side;
            let already = self.crossings.iter().any(|(crossed, _)| *crossed == at);
            let timed = element.is_timed && before != 0.0 && side == -before;
            let was_off = self.previous.get(at).is_some_and(|value| *value != 0.0);
            let lands = landing && was_off && before != 0.0 && side == 0.0;
            if (timed || lands) && !already {
                self.crossings.push((at, -before));
            }
            element.side = match (side == 0.0, already) {
                (true, false) => departure(*rate),
                // It was just located: what is left of it is rounding.
                (_, true) => element.side,
                // What happened since the last look left it alone.
                (false, false) if before != 0.0 && self.previous.get(at) == Some(value) => before,
                (false, false) => side,
            };
        }
    }

    /// A search begins at the present sample.
    pub fn note_rests(&mut self) {
        for (element, value) in self.elements.iter_mut().zip(&self.now.values) {
            element.rests = *value == 0.0;
        }
    }

    /// A search found that these elements are beyond the border now.
    pub fn note_crossings(&mut self) {
        for (at, element) in self.elements.iter_mut().enumerate() {
            let value = self.now.values.get(at).copied().unwrap_or(0.0);
            let searched = element.is_watched && !element.is_timed;
            if element.kind == GuardKind::Zero && searched && element.has_changed(value) {
                self.crossings.push((at, -element.side));
                element.side = -element.side;
            }
        }
    }

    /// Equalities that held exactly are off zero now.
    pub fn note_departures(&mut self) {
        for (element, value) in self.elements.iter_mut().zip(&self.now.values) {
            if element.kind == GuardKind::Zero && element.side == 0.0 {
                element.side = element.side_of(*value);
            }
        }
    }

    /// Writes the modes; those of equalities are 1 in the moment of their crossing.
    pub fn write_modes(&self, modes: &mut [f64]) {
        for (mode, element) in modes.iter_mut().zip(&self.elements) {
            *mode = match element.kind {
                GuardKind::Zero => 0.0,
                _ => element.side,
            };
        }
        for (at, _) in &self.crossings {
            if let Some(mode) = modes.get_mut(*at) {
                *mode = 1.0;
            }
        }
    }

    /// The next time at which a guard that time alone moves crosses.
    pub fn next_crossing(&self, clock: Clock) -> f64 {
        let mut next = f64::INFINITY;
        let now = self.now.time;
        let soon = now + clock.slack(now);
        let sampled = self.now.values.iter().zip(&self.now.rates);
        for (element, (value, rate)) in self.elements.iter().zip(sampled) {
            if !element.is_timed || !element.is_watched || *rate == 0.0 {
                continue;
            }
            let mut border = match (element.kind, *rate > 0.0) {
                (GuardKind::Floor, true) => element.side + 1.0,
                (GuardKind::Floor, false) => element.side,
                _ => 0.0,
            };
            let mut time = now + (border - value) / rate;
            if element.kind == GuardKind::Floor && time <= soon {
                border += rate.signum();
                time = now + (border - value) / rate;
            }
            if time > soon && time < next {
                next = time;
            }
        }
        next
    }
}

/// The side that an equality which holds exactly goes to.
fn departure(rate: f64) -> f64 {
    if rate == 0.0 || rate.is_nan() {
        0.0
    } else {
        rate.signum()
    }
}

/// The modes of these values of the guards, taken at face value.
pub(in crate::simulate) fn live_modes(system: &System, values: &[f64]) -> Vec<f64> {
    let mut guards = Guards::new(system, |_| true, |_| false);
    for (element, value) in guards.elements.iter_mut().zip(values) {
        element.side = element.side_of(*value);
    }
    let mut modes = vec![0.0; guards.elements.len()];
    guards.write_modes(&mut modes);
    modes
}
