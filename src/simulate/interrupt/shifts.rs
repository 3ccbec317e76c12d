//! How times and values move where derivatives ride along with a run; nothing happens otherwise.
//!
//! In: what is about to happen. Out: moments opened and closed, shifts for the agenda.

use super::super::ScheduleFault;
use super::super::sensitivity::{Repeated, Shift, Variation};
use super::super::{Dynamics, Stop};
use super::Interruptions;
use super::doses::Terms;
use crate::model::Repeat;
use crate::symbolic::Expr;

impl Interruptions<'_> {
    /// Something is about to happen at a time that moves so.
    pub(super) fn open(&mut self, shift: &[f64], time: f64, state: &mut [f64]) {
        if let Some(variation) = &mut self.variation {
            variation.open(shift, time, state);
        }
    }

    /// It has happened.
    pub(super) fn close(&mut self, time: f64, state: &mut [f64]) {
        if let Some(variation) = &mut self.variation {
            variation.close(time, state);
        }
    }

    /// The same where an element of the guards crosses its border; false when nothing was opened.
    pub(super) fn open_crossing(
        &mut self,
        element: Option<usize>,
        time: f64,
        state: &mut [f64],
    ) -> bool {
        let (Some(variation), Some(element)) = (&mut self.variation, element) else {
            return false;
        };
        if variation.is_open() {
            return false;
        }
        let shift = variation.crossing(element, time, state);
        variation.open(&shift, time, state);
        true
    }

    /// How a time moves that lies as far after the present moment as something that moves so.
    pub(super) fn shift_after(&self, span: &[f64]) -> Shift {
        let variation = self.variation.as_ref();
        variation.map_or_else(Shift::new, |variation| variation.after(span))
    }

    /// How the count-th time of a repetition moves.
    pub(super) fn repetition_shift(&self, what: Repeated, count: u64) -> Shift {
        let variation = self.variation.as_ref();
        variation.map_or_else(Shift::new, |variation| variation.repetition(what, count))
    }

    /// How the period of a repeated dose moves.
    pub(super) fn period_shift(&self, dose: usize) -> Shift {
        let one = self.repetition_shift(Repeated::Dose(dose), 1);
        let none = self.repetition_shift(Repeated::Dose(dose), 0);
        let pairs = one.iter().zip(&none);
        pairs.map(|(one, none)| one - none).collect()
    }

    /// How the times of a schedule move.
    pub(super) fn time_shifts(&mut self, times: &[Expr], start: f64, state: &[f64]) -> Vec<Shift> {
        match &mut self.variation {
            Some(variation) => variation.times(times, start, state),
            None => vec![Shift::new(); times.len()],
        }
    }

    /// Notes how a repetition moves.
    pub(super) fn note_repetition(
        &mut self,
        what: Repeated,
        repeat: &Repeat,
        start: f64,
        state: &[f64],
    ) {
        if let Some(variation) = &mut self.variation {
            variation.repeat(what, repeat, start, state);
        }
    }

    /// How amount, duration and lag of a dose move. `over` is the duration that a row states,
    /// which belongs to the amount `stated`.
    pub(super) fn term_shifts(
        &mut self,
        dose: usize,
        (stated, over): (f64, Option<f64>),
        time: f64,
        state: &[f64],
    ) -> [Shift; 3] {
        let Some(variation) = &mut self.variation else {
            return Default::default();
        };
        let [amount, mut duration, lag] = variation.dose_terms(dose, stated, time, state);
        if let Some(over) = over {
            let share = if stated == 0.0 { 0.0 } else { over / stated };
            duration = amount.iter().map(|amount| share * amount).collect();
        }
        [amount, duration, lag]
    }

    /// The sum of shifts, of which any may be empty.
    pub(super) fn sum_of(shifts: &[&[f64]]) -> Shift {
        let len = shifts.iter().map(|shift| shift.len()).max().unwrap_or(0);
        let at = |k: usize| shifts.iter().filter_map(|shift| shift.get(k)).sum();
        (0..len).map(at).collect()
    }

    /// Infusions changed: their rates move so.
    pub(super) fn move_infusions(&mut self) {
        if let Some(variation) = &mut self.variation {
            variation.infuse(self.infusions.moving());
        }
    }

    /// Molecules come as a whole: nothing flows in.
    pub(super) fn refuse_counted(&self, what: super::Occasion) -> Result<(), Stop> {
        match self.options.method.counts_reactions() {
            true => Err(Stop::Schedule {
                what,
                fault: ScheduleFault::Counted,
            }),
            false => Ok(()),
        }
    }

    /// Numbers of molecules have no periodic steady state; one that moves with the time of its first
    /// dose, too, has no derivatives here.
    pub(super) fn refuse_steady(&self, what: super::Occasion) -> Result<(), Stop> {
        self.refuse_counted(what)?;
        let moves = self.variation.as_ref().is_some_and(Variation::moment_moves);
        if !moves || self.dynamics.is_autonomous() {
            return Ok(());
        }
        let fault = ScheduleFault::SteadyVaried;
        Err(Stop::Schedule { what, fault })
    }
}

impl Terms {
    /// How the rate of an infusion moves.
    pub(super) fn rate_shift(amount: f64, duration: f64, moved: &[Shift; 2]) -> Shift {
        let [by_amount, by_duration] = moved;
        let pairs = by_amount.iter().zip(by_duration);
        pairs
            .map(|(a, d)| a / duration - amount * d / (duration * duration))
            .collect()
    }
}
