//! Doses: given at once or over time, from the text and from tables.
//!
//! In: what the agenda says is due. Out: amounts added to states, infusions in slots. Steady
//! states before a first dose are found elsewhere (`steady.rs`).

use super::super::interrupter::Consequence;
use super::super::sensitivity::{Repeated, Shift};
use super::super::{Occasion, RowKind, ScheduleFault, SteadyKind, Stop};
use super::Interruptions;
use super::agenda::{Delivery, What};
use super::steady::Regimen;
use crate::system::System;
use std::ops::Range;

/// The infusions that are running.
#[derive(Debug, Default)]
pub(super) struct Infusions {
    running: Vec<Running>,
    made: u64,
    slots: Range<usize>,
}

#[derive(Debug, Clone)]
struct Running {
    number: u64,
    /// Where in the slots its rate is added.
    slot: usize,
    /// Amount per time.
    rate: f64,
    /// How it moves.
    moved: Shift,
}

impl Infusions {
    pub fn new(system: &System) -> Infusions {
        Infusions {
            slots: system.slots.infusions.clone(),
            ..Infusions::default()
        }
    }

    fn start(&mut self, slot: usize, rate: f64, moved: Shift) -> u64 {
        self.made += 1;
        let number = self.made;
        self.running.push(Running {
            number,
            slot,
            rate,
            moved,
        });
        number
    }

    /// The slots of those that run, and how their rates move.
    pub fn moving(&self) -> impl Iterator<Item = (usize, &[f64])> {
        let running = self.running.iter();
        running.map(|running| (running.slot, running.moved.as_slice()))
    }

    /// True when it was running.
    fn end(&mut self, number: u64) -> bool {
        let before = self.running.len();
        self.running.retain(|running| running.number != number);
        self.running.len() != before
    }

    /// Sums anew, so that nothing is left of what has ended.
    fn write(&self, slots: &mut [f64]) {
        if let Some(rates) = slots.get_mut(self.slots.clone()) {
            rates.fill(0.0);
        }
        for running in &self.running {
            if let Some(slot) = slots.get_mut(running.slot) {
                *slot += running.rate;
            }
        }
    }
}

/// The slot of infusions into a place of the state vector.
fn infusion_slot(system: &System, into: usize) -> Option<usize> {
    let mut slot = system.slots.infusions.start;
    for block in &system.infused {
        let block = system.states.blocks().get(*block)?;
        if block.range().contains(&into) {
            return Some(slot + into - block.offset);
        }
        slot += block.shape.len();
    }
    None
}

/// Amount, duration and lag of a dose as they hold at its time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    pub amount: f64,
    pub duration: f64,
    pub lag: f64,
    /// How each of the three moves.
    pub moved: [Shift; 3],
}

impl Terms {
    /// How amount and duration move.
    pub fn moved_delivery(&self) -> [Shift; 2] {
        let [amount, duration, _] = &self.moved;
        [amount.clone(), duration.clone()]
    }

    /// How the lag moves.
    pub fn moved_lag(&self) -> &[f64] {
        let [_, _, lag] = &self.moved;
        lag
    }
}

impl Interruptions<'_> {
    /// The terms of a dose of the text, or of a row of a table.
    pub(super) fn terms(
        &mut self,
        dose: usize,
        row: Option<usize>,
        time: f64,
        state: &[f64],
    ) -> Result<Terms, Stop> {
        let given = row.and_then(|row| self.problem.rows.get(row));
        let stated = given.map_or(0.0, |row| row.amount);
        let [amount, mut duration, lag] = self.functions.dose_terms(dose, time, state, stated);
        if let Some(over) = given.and_then(|row| row.duration) {
            // The row states a rate: what is absorbed of the amount takes its share of the time.
            duration = if stated == 0.0 {
                over
            } else {
                over * (amount / stated)
            };
        }
        let fault = if !amount.is_finite() {
            ScheduleFault::Amount(amount)
        } else if !(duration.is_finite() && duration >= 0.0) {
            ScheduleFault::Duration(duration)
        } else if !(lag.is_finite() && lag >= 0.0) {
            ScheduleFault::Delay(lag)
        } else {
            let over = given.and_then(|row| row.duration);
            return Ok(Terms {
                amount,
                duration,
                lag,
                moved: self.term_shifts(dose, (stated, over), time, state),
            });
        };
        Err(Stop::Schedule {
            what: Occasion::Dose(dose, row),
            fault,
        })
    }

    /// The count-th dose of a schedule.
    pub(super) fn scheduled_dose(
        &mut self,
        dose: usize,
        count: u64,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        let mut consequence = Consequence::Nothing;
        let repetition = self.schedules.doses.get(dose).copied().flatten();
        if let Some(next) = repetition.and_then(|repetition| repetition.time(count + 1)) {
            let what = What::Dose {
                dose,
                count: count + 1,
            };
            let shift = self.repetition_shift(Repeated::Dose(dose), count + 1);
            self.agenda.push_moving(next, what, shift);
        }
        let terms = self.terms(dose, None, time, state)?;
        let Some(into) = self.functions.system.doses.get(dose).and_then(|d| d.into) else {
            return Ok(consequence);
        };
        let delivery = Delivery {
            dose,
            row: None,
            into,
            amount: terms.amount,
            duration: terms.duration,
            moved: terms.moved_delivery(),
        };
        let is_steady = self.functions.system.doses[dose].steady && count == 0;
        if let Some(repetition) = repetition.filter(|_| is_steady) {
            let regimen = Regimen {
                delivery: delivery.clone(),
                period: repetition.period(),
                lag: terms.lag,
                moved: [self.period_shift(dose), terms.moved_lag().to_vec()],
            };
            consequence = self.reach_steady_state(&regimen, SteadyKind::Replace, time, state)?;
        }
        Ok(consequence.max(self.send(delivery, &terms, time, state)?))
    }

    /// A row of a table: the first dose of it, or an additional one.
    pub(super) fn row(
        &mut self,
        at: usize,
        count: u32,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        let problem = self.problem;
        let Some(row) = problem.rows.get(at) else {
            return Ok(Consequence::Nothing);
        };
        let mut consequence = Consequence::Nothing;
        if count == 0 && row.kind != RowKind::Dose {
            self.reset(at, time, state);
            consequence = Consequence::Jump;
            if row.kind == RowKind::Reset {
                return Ok(consequence);
            }
        }
        let repeats = row.additional > 0 || row.steady != SteadyKind::No;
        let shortest = self.clock.coarsest();
        if repeats && !(row.interval > shortest && row.interval.is_finite()) {
            return Err(Stop::Schedule {
                what: Occasion::Dose(row.dose, Some(at)),
                fault: ScheduleFault::Period(row.interval),
            });
        }
        if count < row.additional {
            let next = row.time + f64::from(count + 1) * row.interval;
            let count = count + 1;
            self.agenda.push(next, What::Row { row: at, count });
        }
        let terms = self.terms(row.dose, Some(at), time, state)?;
        let delivery = Delivery {
            dose: row.dose,
            row: Some(at),
            into: row.into,
            amount: terms.amount,
            duration: terms.duration,
            moved: terms.moved_delivery(),
        };
        if count == 0 && row.steady != SteadyKind::No {
            if row.steady == SteadyKind::Replace {
                self.call_off_rows(at);
            }
            let regimen = Regimen {
                delivery: delivery.clone(),
                period: row.interval,
                lag: terms.lag,
                moved: [Shift::new(), terms.moved_lag().to_vec()],
            };
            let steady = self.reach_steady_state(&regimen, row.steady, time, state)?;
            consequence = consequence.max(steady);
        }
        Ok(consequence.max(self.send(delivery, &terms, time, state)?))
    }

    /// States return to their initial values, infusions end, and what earlier rows still had to
    /// give is called off.
    fn reset(&mut self, row: usize, time: f64, state: &mut [f64]) {
        for (value, initial) in state.iter_mut().zip(&self.problem.initial) {
            *value = *initial;
        }
        if let Some(variation) = &mut self.variation {
            variation.reset(state);
        }
        self.call_off_rows(row);
        self.note(time, Occasion::Reset(row));
    }

    /// Infusions end, and earlier rows give nothing any more.
    fn call_off_rows(&mut self, row: usize) {
        self.end_infusions();
        self.agenda.retain(|what| match what {
            What::Row { row: other, count } => *count == 0 || *other >= row,
            What::Arrival(delivery) => delivery.row.is_none(),
            What::InfusionEnd(_) => false,
            _ => true,
        });
    }

    pub(super) fn end_infusions(&mut self) {
        self.infusions.running.clear();
        self.infusions.write(&mut self.dynamics.slots_mut());
        self.move_infusions();
    }

    /// A dose is given: it arrives now, or after its lag.
    pub(super) fn send(
        &mut self,
        delivery: Delivery,
        terms: &Terms,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        let lag = terms.lag;
        if lag > self.clock.slack(time) {
            let shift = self.shift_after(terms.moved_lag());
            self.agenda
                .push_moving(time + lag, What::Arrival(delivery), shift);
            return Ok(Consequence::Nothing);
        }
        self.arrive(delivery, time, state)
    }

    /// A dose enters its state.
    pub(super) fn arrive(
        &mut self,
        delivery: Delivery,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        self.note(time, Occasion::Dose(delivery.dose, delivery.row));
        if delivery.duration > self.clock.slack(time) {
            let end = time + delivery.duration;
            let [_, by_duration] = &delivery.moved;
            let shift = self.shift_after(by_duration);
            self.infuse(delivery, end, shift)?;
            return Ok(Consequence::Equations);
        }
        let volume = self.functions.volume(delivery.into, time, state);
        if let Some(variation) = &mut self.variation {
            let [moved, _] = &delivery.moved;
            let amount = (delivery.amount, moved.as_slice());
            variation.give(delivery.into, amount, volume, time, state);
        }
        let Some(value) = state.get_mut(delivery.into) else {
            return Ok(Consequence::Nothing);
        };
        *value += delivery.amount / volume;
        Ok(Consequence::Jump)
    }

    /// Starts an infusion that ends at `end`, which moves so.
    pub(super) fn infuse(
        &mut self,
        delivery: Delivery,
        end: f64,
        shift: Shift,
    ) -> Result<(), Stop> {
        self.refuse_counted(Occasion::Dose(delivery.dose, delivery.row))?;
        let rate = delivery.amount / delivery.duration;
        let Some(slot) = infusion_slot(self.functions.system, delivery.into) else {
            return Err(Stop::Schedule {
                what: Occasion::Dose(delivery.dose, delivery.row),
                fault: ScheduleFault::Duration(delivery.duration),
            });
        };
        let moved = Terms::rate_shift(delivery.amount, delivery.duration, &delivery.moved);
        let number = self.infusions.start(slot, rate, moved);
        self.infusions.write(&mut self.dynamics.slots_mut());
        self.move_infusions();
        self.agenda
            .push_moving(end, What::InfusionEnd(number), shift);
        Ok(())
    }

    /// An infusion ends, unless it was called off.
    pub(super) fn end_infusion(&mut self, number: u64) -> Consequence {
        if !self.infusions.end(number) {
            return Consequence::Nothing;
        }
        self.infusions.write(&mut self.dynamics.slots_mut());
        self.move_infusions();
        Consequence::Equations
    }
}
