//! Events: what sets them off, and what they do.
//!
//! In: modes of guards, entries of the agenda. Out: values set in states and parameters. The one
//! place where an event changes anything.

use super::super::interrupter::Consequence;
use super::super::sensitivity::Shift;
use super::super::{Occasion, ScheduleFault, Stop};
use super::Interruptions;
use super::agenda::{Delivery, What};
use super::doses::Terms;
use crate::model::Direction;
use crate::system::{JumpPlace, Trigger};

/// An event that has been set off and not yet executed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pending {
    pub event: usize,
    /// Counts all that were set off.
    pub number: u64,
    /// What it does, when the values are those of the time of its trigger.
    pub effect: Option<Effect>,
    /// How the time of its execution moves.
    pub shift: Shift,
}

/// What an event does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Effect {
    values: Vec<f64>,
    /// How they move.
    moved: Vec<f64>,
    doses: Vec<(Delivery, Terms)>,
}

/// The conditions of the events of a run.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// Whether each holds.
    pub held: Vec<bool>,
    values: Vec<f64>,
    /// Set off, to be executed at this time.
    pub due: Vec<Pending>,
    /// Set off, to be executed later.
    pub delayed: Vec<Pending>,
    made: u64,
}

impl Triggers {
    pub fn new(events: usize) -> Triggers {
        Triggers {
            held: vec![false; events],
            values: vec![0.0; events],
            ..Triggers::default()
        }
    }
}

impl Interruptions<'_> {
    /// Takes the conditions as they are; nothing is set off.
    pub(super) fn begin_triggers(&mut self, time: f64, state: &[f64]) {
        if self.has_conditions {
            let triggers = &mut self.triggers;
            self.functions.triggers(time, state, &mut triggers.values);
            for (held, value) in triggers.held.iter_mut().zip(&triggers.values) {
                *held = *value == 1.0;
            }
        }
    }

    /// Sets off the events whose conditions changed as they wait for.
    pub(super) fn look_at_triggers(&mut self, time: f64, state: &[f64]) -> Result<(), Stop> {
        if !self.has_conditions {
            return Ok(());
        }
        let triggers = &mut self.triggers;
        self.functions.triggers(time, state, &mut triggers.values);
        for event in 0..self.triggers.held.len() {
            let holds = self.triggers.values[event] == 1.0;
            let held = std::mem::replace(&mut self.triggers.held[event], holds);
            if holds == held || self.problem.events.get(event) != Some(&true) {
                continue;
            }
            if self.is_set_off(event, holds) {
                self.set_off(event, time, state)?;
            } else {
                self.call_off(event);
            }
        }
        Ok(())
    }

    fn is_set_off(&self, event: usize, holds: bool) -> bool {
        let Trigger::When {
            direction,
            crossing,
            ..
        } = &self.functions.system.events[event].trigger
        else {
            return false;
        };
        match crossing {
            // The condition may also come to hold by its other parts.
            Some((guard, sign)) if *sign != 0.0 => {
                let elements = &self.guards.elements;
                let mut crossings = self.guards.crossings.iter();
                let same = |at: usize| elements.get(at).is_some_and(|e| e.guard == *guard);
                holds && crossings.any(|(at, change)| same(*at) && change * sign > 0.0)
            }
            Some(_) => holds,
            None => holds == (*direction != Direction::Falling),
        }
    }

    /// A condition changed back: an execution that it had to last for is dropped.
    fn call_off(&mut self, event: usize) {
        if self.functions.system.events[event].persistent {
            return;
        }
        let stays = |pending: &Pending| pending.event != event;
        self.triggers.delayed.retain(stays);
        self.triggers.due.retain(stays);
    }

    /// An event is to be executed, now or after its delay.
    pub(super) fn set_off(&mut self, event: usize, time: f64, state: &[f64]) -> Result<(), Stop> {
        let data = &self.functions.system.events[event];
        let what = Occasion::Event(event);
        let delay = match data.delay {
            Some(_) => self.functions.event_terms(event, time, state).0,
            None => 0.0,
        };
        if !(delay.is_finite() && delay >= 0.0) {
            let fault = ScheduleFault::Delay(delay);
            return Err(Stop::Schedule { what, fault });
        }
        let effect = match data.values_at_trigger {
            true => Some(self.effect(event, time, state)?),
            false => None,
        };
        self.triggers.made += 1;
        let number = self.triggers.made;
        let delay_shift = match &mut self.variation {
            Some(variation) => variation.delay(event, time, state),
            None => Shift::new(),
        };
        let shift = self.shift_after(&delay_shift);
        let pending = Pending {
            event,
            number,
            effect,
            shift: shift.clone(),
        };
        if delay > self.clock.slack(time) {
            let what = What::Execution { event, number };
            self.agenda.push_moving(time + delay, what, shift);
            self.triggers.delayed.push(pending);
        } else {
            self.triggers.due.push(pending);
        }
        Ok(())
    }

    /// A delayed execution has come, unless it was called off.
    pub(super) fn has_come(&mut self, number: u64) {
        let delayed = &mut self.triggers.delayed;
        if let Some(at) = delayed.iter().position(|pending| pending.number == number) {
            let pending = delayed.swap_remove(at);
            self.triggers.due.push(pending);
        }
    }

    /// Executes all that is due, the highest priority first, looking anew after each.
    pub(super) fn execute_due(
        &mut self,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        let mut consequence = Consequence::Nothing;
        while let Some(at) = self.next_due(time, state)? {
            let pending = self.triggers.due.swap_remove(at);
            self.storm.execution(pending.event, time, self.clock)?;
            let shift = pending.shift.clone();
            self.open(&shift, time, state);
            consequence = consequence.max(self.execute(pending, time, state)?);
            consequence = consequence.max(self.settle(time, state, true)?);
            self.close(time, state);
        }
        Ok(consequence)
    }

    /// Which of the events due goes first: by priority, then in the order of the text.
    fn next_due(&mut self, time: f64, state: &[f64]) -> Result<Option<usize>, Stop> {
        let mut first: Option<(f64, usize, u64, usize)> = None;
        for at in 0..self.triggers.due.len() {
            let (event, number) = (self.triggers.due[at].event, self.triggers.due[at].number);
            let priority = match self.functions.system.events[event].priority {
                Some(_) => self.functions.event_terms(event, time, state).1,
                None => 0.0,
            };
            if priority.is_nan() {
                return Err(Stop::Schedule {
                    what: Occasion::Event(event),
                    fault: ScheduleFault::Priority(priority),
                });
            }
            let goes_first = first.is_none_or(|(highest, earliest, oldest, _)| {
                priority > highest || priority == highest && (event, number) < (earliest, oldest)
            });
            if goes_first {
                first = Some((priority, event, number, at));
            }
        }
        Ok(first.map(|(_, _, _, at)| at))
    }

    /// What an event does, from what holds now.
    fn effect(&mut self, event: usize, time: f64, state: &[f64]) -> Result<Effect, Stop> {
        let data = &self.functions.system.events[event];
        let values = match data.jump.values.is_empty() {
            true => Vec::new(),
            false => self.functions.jump(event, time, state),
        };
        let moved = match &mut self.variation {
            Some(variation) if !values.is_empty() => variation.jump(event, time, state),
            _ => Vec::new(),
        };
        let mut doses = Vec::with_capacity(data.doses.len());
        for &dose in &data.doses {
            let into = self.functions.system.doses.get(dose).and_then(|d| d.into);
            let (Some(into), Some(true)) = (into, self.problem.doses.get(dose)) else {
                continue;
            };
            let terms = self.terms(dose, None, time, state)?;
            let delivery = Delivery {
                dose,
                row: None,
                into,
                amount: terms.amount,
                duration: terms.duration,
                moved: terms.moved_delivery(),
            };
            doses.push((delivery, terms));
        }
        Ok(Effect {
            values,
            moved,
            doses,
        })
    }

    /// Sets what an event sets, all at once, then gives its doses.
    fn execute(
        &mut self,
        pending: Pending,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        let event = pending.event;
        let effect = match pending.effect {
            Some(effect) => effect,
            None => self.effect(event, time, state)?,
        };
        if self.shown == Some(event) {
            self.has_shown = true;
        } else {
            self.note(time, Occasion::Event(event));
        }
        if let Some(variation) = &mut self.variation {
            variation.set(event, &effect.moved, state);
        }
        let mut consequence = self.set(event, &effect.values, time, state);
        for (delivery, terms) in effect.doses {
            consequence = consequence.max(self.send(delivery, &terms, time, state)?);
        }
        Ok(consequence)
    }

    /// Puts the values of a jump in their places; parameters that follow others follow.
    fn set(&mut self, event: usize, values: &[f64], time: f64, state: &mut [f64]) -> Consequence {
        let system = self.functions.system;
        let jump = &system.events[event].jump;
        let mut consequence = Consequence::Nothing;
        let mut next = 0;
        let mut parameters = Vec::new();
        for place in &jump.places {
            let (JumpPlace::State(range) | JumpPlace::Parameter(range)) = place;
            let Some(new) = values.get(next..next + range.len()) else {
                break;
            };
            next += range.len();
            match place {
                JumpPlace::State(range) => {
                    if let Some(old) = state.get_mut(range.clone()) {
                        old.copy_from_slice(new);
                        consequence = Consequence::Jump;
                    }
                }
                JumpPlace::Parameter(range) => parameters.push((range.clone(), new)),
            }
        }
        if parameters.is_empty() {
            return consequence;
        }
        self.dynamics.update_parameters(|all| {
            for (range, new) in &parameters {
                if let Some(old) = all.get_mut(range.clone()) {
                    old.copy_from_slice(new);
                }
            }
        });
        // What was set itself no longer follows.
        for (block, held) in system.parameters.blocks().iter().zip(&mut self.held) {
            let own = block.range();
            let mut set = parameters.iter().map(|(range, _)| range);
            *held |= set.any(|range| range.start < own.end && own.start < range.end);
        }
        self.follow(time, state);
        if let Some(variation) = &mut self.variation {
            variation.follow(&self.held, time, state);
        }
        self.parameters_changed = true;
        consequence.max(Consequence::Equations)
    }

    /// Computes the parameters anew that follow others, until none changes: those that follow
    /// followers need another round.
    fn follow(&mut self, time: f64, state: &[f64]) {
        let system = self.functions.system;
        for _ in 0..system.followers.len() {
            let values = self.functions.followers(time, state);
            let held = &self.held;
            let changed = self.dynamics.update_parameters(|all| {
                let mut changed = false;
                let mut next = 0;
                for &block in &system.followers {
                    let Some(data) = system.parameters.blocks().get(block) else {
                        continue;
                    };
                    let range = data.range();
                    let new = values.get(next..next + range.len()).unwrap_or_default();
                    next += range.len();
                    let old = all
                        .get_mut(range)
                        .filter(|_| held.get(block) != Some(&true));
                    if let Some(old) = old.filter(|old| old.len() == new.len()) {
                        changed |= old != new;
                        old.copy_from_slice(new);
                    }
                }
                changed
            });
            if !changed {
                break;
            }
        }
    }
}
