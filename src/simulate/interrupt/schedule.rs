//! What is scheduled when a run begins.
//!
//! In: schedules of events and doses with the values of the start, rows of tables. Out: the first
//! entries of the agenda, and infusions that began before the run and are not over.

use super::super::sensitivity::{Repeated, Shift};
use super::super::{Occasion, RowKind, ScheduleFault, Stop};
use super::Interruptions;
use super::agenda::{Delivery, Repetition, What};
use super::doses::Terms;
use crate::model::Repeat;
use crate::system::{DoseSchedule, Trigger};

/// The repetitions of a run, one per event and dose.
#[derive(Debug, Default)]
pub(super) struct Schedules {
    pub events: Vec<Option<Repetition>>,
    pub doses: Vec<Option<Repetition>>,
}

impl Interruptions<'_> {
    /// Schedules all that a run meets from `start` on.
    pub(super) fn schedule(&mut self, start: f64, state: &[f64]) -> Result<(), Stop> {
        let system = self.functions.system;
        self.schedules.events = vec![None; system.events.len()];
        self.schedules.doses = vec![None; system.doses.len()];
        if system.events.is_empty() && system.doses.is_empty() {
            return Ok(());
        }
        let numbers = self.functions.schedules(start, state);
        let mut numbers = numbers.into_iter();
        for (event, data) in system.events.iter().enumerate() {
            let what = Occasion::Event(event);
            let holds = self.problem.events.get(event) == Some(&true);
            match &data.trigger {
                Trigger::At(exprs) => {
                    let times: Vec<f64> = numbers.by_ref().take(exprs.len()).collect();
                    let shifts = self.time_shifts(exprs, start, state);
                    for (time, shift) in times.into_iter().zip(shifts).filter(|_| holds) {
                        let time = finite(time, what)?;
                        if self.is_ahead(time, start) {
                            let what = What::Event { event, count: 0 };
                            self.agenda.push_moving(time, what, shift);
                        }
                    }
                }
                Trigger::Every(repeat) => {
                    let terms: Vec<f64> = numbers.by_ref().take(4).collect();
                    if holds {
                        let repetition = self.repetition(repeat, &terms, what)?;
                        self.schedules.events[event] = Some(repetition);
                        self.note_repetition(Repeated::Event(event), repeat, start, state);
                        let count = self.first_ahead(&repetition, start);
                        if let Some(time) = repetition.time(count) {
                            let shift = self.repetition_shift(Repeated::Event(event), count);
                            let what = What::Event { event, count };
                            self.agenda.push_moving(time, what, shift);
                        }
                    }
                }
                Trigger::When { .. } => {}
            }
        }
        for (dose, data) in system.doses.iter().enumerate() {
            let holds = self.problem.doses.get(dose) == Some(&true);
            let what = Occasion::Dose(dose, None);
            match &data.schedule {
                DoseSchedule::At(exprs) => {
                    let times: Vec<f64> = numbers.by_ref().take(exprs.len()).collect();
                    if holds {
                        refuse_steady(data.steady, what)?;
                        let shifts = self.time_shifts(exprs, start, state);
                        for (count, time) in times.into_iter().zip(shifts).enumerate() {
                            let time = (finite(time.0, what)?, time.1);
                            self.schedule_dose(dose, count as u64, time, start, state)?;
                        }
                    }
                }
                DoseSchedule::Every(repeat) => {
                    let terms: Vec<f64> = numbers.by_ref().take(4).collect();
                    if holds {
                        let repetition = self.repetition(repeat, &terms, what)?;
                        self.note_repetition(Repeated::Dose(dose), repeat, start, state);
                        self.schedule_doses(dose, repetition, start, state)?;
                    }
                }
                DoseSchedule::Event if holds => refuse_steady(data.steady, what)?,
                DoseSchedule::Event | DoseSchedule::Table => {}
            }
        }
        self.schedule_rows(start, state)
    }

    fn repetition(
        &self,
        repeat: &Repeat,
        terms: &[f64],
        what: Occasion,
    ) -> Result<Repetition, Stop> {
        let &[period, from, times, until] = terms else {
            let fault = ScheduleFault::NotRepeated;
            return Err(Stop::Schedule { what, fault });
        };
        let from = match repeat.from {
            Some(_) => from,
            None => self.problem.origin,
        };
        Repetition::new(period, from, times, until, self.clock)
            .map_err(|fault| Stop::Schedule { what, fault })
    }

    /// Whether what is scheduled for `time` is yet to be done by a run that begins at `start`.
    fn is_ahead(&self, time: f64, start: f64) -> bool {
        let slack = self.clock.slack(start);
        if self.problem.resumed {
            time > start + slack
        } else {
            time >= start - slack
        }
    }

    fn first_ahead(&self, repetition: &Repetition, start: f64) -> u64 {
        let mut count = repetition.first(start - self.clock.slack(start));
        while let Some(time) = repetition
            .time(count)
            .filter(|time| !self.is_ahead(*time, start))
        {
            let _ = time;
            count += 1;
        }
        count
    }

    /// Schedules one dose, or what is left of it when it was given before the run.
    fn schedule_dose(
        &mut self,
        dose: usize,
        count: u64,
        (time, shift): (f64, Shift),
        start: f64,
        state: &[f64],
    ) -> Result<(), Stop> {
        if self.is_ahead(time, start) {
            self.agenda
                .push_moving(time, What::Dose { dose, count }, shift);
            return Ok(());
        }
        let terms = self.terms(dose, None, start, state)?;
        let into = self.functions.system.doses.get(dose).and_then(|d| d.into);
        match into {
            Some(into) => self.given_before(&terms, (dose, None, into), (time, &shift), start),
            None => Ok(()),
        }
    }

    fn schedule_doses(
        &mut self,
        dose: usize,
        repetition: Repetition,
        start: f64,
        state: &[f64],
    ) -> Result<(), Stop> {
        self.schedules.doses[dose] = Some(repetition);
        let ahead = self.first_ahead(&repetition, start);
        if let Some(time) = repetition.time(ahead) {
            let shift = self.repetition_shift(Repeated::Dose(dose), ahead);
            let what = What::Dose { dose, count: ahead };
            self.agenda.push_moving(time, what, shift);
        }
        if ahead == 0 {
            return Ok(());
        }
        let terms = self.terms(dose, None, start, state)?;
        let Some(into) = self.functions.system.doses.get(dose).and_then(|d| d.into) else {
            return Ok(());
        };
        let reach = terms.lag + terms.duration;
        for count in repetition.first(start - reach - self.clock.slack(start))..ahead {
            if let Some(time) = repetition.time(count) {
                let shift = self.repetition_shift(Repeated::Dose(dose), count);
                self.given_before(&terms, (dose, None, into), (time, &shift), start)?;
            }
        }
        Ok(())
    }

    fn schedule_rows(&mut self, start: f64, state: &[f64]) -> Result<(), Stop> {
        let problem = self.problem;
        // What a reset before the start ended is over.
        let ended = problem.rows.iter().rposition(|row| {
            row.kind != RowKind::Dose && !self.is_ahead(row.time, start) && row.time.is_finite()
        });
        for (at, row) in problem.rows.iter().enumerate() {
            let what = Occasion::Dose(row.dose, Some(at));
            let time = finite(row.time, what)?;
            if problem.doses.get(row.dose) != Some(&true) {
                continue;
            }
            if self.is_ahead(time, start) {
                self.agenda.push(time, What::Row { row: at, count: 0 });
                continue;
            }
            if ended.is_some_and(|ended| at < ended) || row.kind == RowKind::Reset {
                continue;
            }
            let terms = self.terms(row.dose, Some(at), start, state)?;
            for count in 0..=row.additional {
                let time = row.time + f64::from(count) * row.interval;
                if self.is_ahead(time, start) {
                    self.agenda.push(time, What::Row { row: at, count });
                    break;
                }
                self.given_before(&terms, (row.dose, Some(at), row.into), (time, &[]), start)?;
            }
        }
        Ok(())
    }

    /// What is left at `start` of a dose given at `time` before: it may still be on its way, or
    /// be an infusion that is not over.
    fn given_before(
        &mut self,
        terms: &Terms,
        (dose, row, into): (usize, Option<usize>, usize),
        (time, shift): (f64, &[f64]),
        start: f64,
    ) -> Result<(), Stop> {
        let delivery = Delivery {
            dose,
            row,
            into,
            amount: terms.amount,
            duration: terms.duration,
            moved: terms.moved_delivery(),
        };
        let shift = Self::sum_of(&[shift, terms.moved_lag()]);
        let arrival = time + terms.lag;
        let end = arrival + terms.duration;
        if self.is_ahead(arrival, start) {
            self.agenda
                .push_moving(arrival, What::Arrival(delivery), shift);
        } else if end > start + self.clock.slack(start) {
            let [_, by_duration] = &delivery.moved;
            let shift = Self::sum_of(&[&shift, by_duration]);
            self.infuse(delivery, end, shift)?;
        }
        Ok(())
    }
}

fn finite(time: f64, what: Occasion) -> Result<f64, Stop> {
    if time.is_finite() {
        return Ok(time);
    }
    let fault = ScheduleFault::Time(time);
    Err(Stop::Schedule { what, fault })
}

fn refuse_steady(steady: bool, what: Occasion) -> Result<(), Stop> {
    if !steady {
        return Ok(());
    }
    let fault = ScheduleFault::NotRepeated;
    Err(Stop::Schedule { what, fault })
}
