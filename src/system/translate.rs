//! Interruptions of a model by position: events, doses, delays, parameters that follow others.
//!
//! Enters: a [`Model`], where its quantities stand, and how its expressions are inlined. Leaves:
//! what the system says of them. Must not know how a run performs them.

use super::{Delay, Dose, DoseSchedule, Event, Jump, JumpPlace, Layout, Trigger};
use crate::model::Repeat;
use crate::model::{self, Direction, Model, Schedule, Target, ValueOf};
use crate::symbolic::{Expr, Pool, SymbolId, expand_gradients, substitute, symbols_of};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// What expressions of the model become: definitions inlined, one symbol for all amounts of
/// tables.
pub(super) struct Inliner<'a> {
    pub pool: &'a mut Pool,
    pub replacements: &'a FxHashMap<SymbolId, Expr>,
}

impl Inliner<'_> {
    fn expr(&mut self, expr: Expr) -> Expr {
        let expr = substitute(self.pool, expr, self.replacements);
        expand_gradients(self.pool, expr)
    }

    fn maybe(&mut self, expr: Option<Expr>) -> Option<Expr> {
        expr.map(|expr| self.expr(expr))
    }

    fn all(&mut self, exprs: &[Expr]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(*expr)).collect()
    }

    fn repeat(&mut self, repeat: &Repeat) -> Repeat {
        Repeat {
            period: self.expr(repeat.period),
            from: self.maybe(repeat.from),
            times: self.maybe(repeat.times),
            until: self.maybe(repeat.until),
        }
    }
}

/// Events, in the order of the model; conditions are not yet in terms of modes.
pub(super) fn events(
    inliner: &mut Inliner,
    model: &Model,
    states: &Layout,
    parameters: &Layout,
) -> Vec<Event> {
    let mut events = Vec::with_capacity(model.events.len());
    for event in &model.events {
        let trigger = match &event.trigger {
            model::Trigger::When {
                condition,
                direction,
            } => Trigger::When {
                condition: inliner.expr(*condition),
                direction: *direction,
                crossing: None,
            },
            model::Trigger::At(times) => Trigger::At(inliner.all(times)),
            model::Trigger::Every(repeat) => Trigger::Every(inliner.repeat(repeat)),
        };
        let mut jump = Jump::default();
        for assignment in &event.assignments {
            let layout = match assignment.target {
                Target::State(_) => states,
                Target::Parameter(_) => parameters,
            };
            let range = place(layout, target_index(assignment.target), assignment.element);
            let value = inliner.expr(assignment.value);
            let value = of_length(inliner.pool, value, range.len());
            jump.values.push(value);
            jump.places.push(match assignment.target {
                Target::State(_) => JumpPlace::State(range),
                Target::Parameter(_) => JumpPlace::Parameter(range),
            });
        }
        events.push(Event {
            within: event.within,
            trigger,
            delay: inliner.maybe(event.delay),
            priority: inliner.maybe(event.priority),
            persistent: event.persistent,
            values_at_trigger: event.values_at_trigger,
            jump,
            doses: event.doses.clone(),
        });
    }
    events
}

fn target_index(target: Target) -> usize {
    match target {
        Target::State(id) => id.index(),
        Target::Parameter(id) => id.index(),
    }
}

/// The positions of a quantity or of one of its elements.
fn place(layout: &Layout, block: usize, element: Option<u32>) -> Range<usize> {
    let range = layout.blocks()[block].range();
    match element {
        Some(element) => {
            let at = range.start + element as usize;
            at..at + 1
        }
        None => range,
    }
}

/// A scalar that sets a whole vector is repeated.
fn of_length(pool: &mut Pool, value: Expr, len: usize) -> Expr {
    if pool.shape(value).len() == len {
        return value;
    }
    pool.fill(value, crate::symbolic::Shape::Vector(len))
}

/// The sign of the crossings that count, for an equality.
pub(super) fn crossing_sign(direction: Direction) -> f64 {
    match direction {
        Direction::True => 0.0,
        Direction::Rising => 1.0,
        Direction::Falling => -1.0,
    }
}

/// Doses, in the order of the model.
pub(super) fn doses(inliner: &mut Inliner, model: &Model, states: &Layout) -> Vec<Dose> {
    let mut doses = Vec::with_capacity(model.doses.len());
    for dose in &model.doses {
        doses.push(Dose {
            within: dose.within,
            amount: inliner.expr(dose.amount),
            into: dose
                .into
                .map(|(state, element)| place(states, state.index(), Some(element)).start),
            schedule: match &dose.schedule {
                Schedule::At(times) => DoseSchedule::At(inliner.all(times)),
                Schedule::Every(repeat) => DoseSchedule::Every(inliner.repeat(repeat)),
                Schedule::Event => DoseSchedule::Event,
                Schedule::Table(_) => DoseSchedule::Table,
            },
            duration: inliner.maybe(dose.duration),
            lag: inliner.maybe(dose.lag),
            steady: dose.steady,
        });
    }
    doses
}

/// The state blocks that infusions can enter, ascending: those of doses that take time, and of
/// tables, whose rows may say so.
pub(super) fn infused(model: &Model, doses: &[Dose], states: &Layout) -> Vec<usize> {
    let may_take_time =
        |dose: &&Dose| dose.duration.is_some() || dose.schedule == DoseSchedule::Table;
    let mut infused = Vec::new();
    for dose in doses.iter().filter(may_take_time) {
        match dose.into {
            Some(position) => infused.extend(states.locate(position).map(|(block, _)| block)),
            None => {
                let differential = |at: &usize| !model.states[*at].is_algebraic;
                infused.extend((0..model.states.len()).filter(differential));
            }
        }
    }
    infused.sort_unstable();
    infused.dedup();
    infused
}

/// What divides amounts that enter each state.
pub(super) fn volumes(pool: &mut Pool, model: &Model) -> Vec<Option<Expr>> {
    let volume = |state: &model::State| {
        let compartment = model.parameters.get(state.compartment?.index())?;
        Some(pool.symbol(compartment.symbol))
    };
    model.states.iter().map(volume).collect()
}

/// Delays, in the order of the model.
pub(super) fn delays(inliner: &mut Inliner, model: &Model, states: &Layout) -> Vec<Delay> {
    let delay = |delay: &model::Delay| Delay {
        states: place(states, delay.state.index(), delay.element),
        lag: inliner.expr(delay.lag),
    };
    model.delays.iter().map(delay).collect()
}

/// What each state was before the start: its history, or else the value that it starts from.
pub(super) fn history(inliner: &mut Inliner, model: &Model) -> Vec<Expr> {
    if model.delays.is_empty() {
        return Vec::new();
    }
    let mut history = Vec::with_capacity(model.states.len());
    for state in &model.states {
        let before = match state.history {
            Some(expr) => inliner.expr(expr),
            None => inliner.pool.symbol(state.symbol),
        };
        let shape = inliner.pool.symbol_data(state.symbol).shape;
        history.push(inliner.pool.fill(before, shape));
    }
    history
}

/// Positions of the parameters whose values are made of others, each after those it needs.
pub(super) fn followers(pool: &Pool, model: &Model, values: &[Expr]) -> Vec<usize> {
    let parameters: FxHashSet<SymbolId> =
        model.parameters.iter().map(|known| known.symbol).collect();
    let follows = |at: &usize| {
        let value = values.get(*at);
        value.is_some_and(|value| !symbols_of(pool, *value).is_disjoint(&parameters))
    };
    let order = model.value_order.iter().filter_map(|value| match value {
        ValueOf::Parameter(id) => Some(id.index()),
        ValueOf::State(_) | ValueOf::Definition(_) => None,
    });
    order.filter(follows).collect()
}
