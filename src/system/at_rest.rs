//! The equations of a steady state: nothing interrupts, and what was so much earlier is what is.

use super::{System, jacobian};
use crate::symbolic::{Expr, Pool, SymbolId, substitute_all};
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl System {
    /// The system as it is at rest: conditions are read from the state itself instead of from
    /// modes, delayed values are the present ones, and there are no events, doses and infusions.
    /// For systems whose drift names neither the time nor an input: others do not rest.
    #[must_use]
    pub fn at_rest(&self) -> System {
        let mut pool = Pool::continuing(&self.pool);
        let (drift, jacobian) = match self.present_for_delayed(&mut pool) {
            Some(present) => {
                let drift = substitute_all(&mut pool, &self.drift, &present);
                let jacobian = jacobian::derive(&mut pool, &self.states, &drift);
                (drift, jacobian)
            }
            None => (self.drift.clone(), self.jacobian.clone()),
        };
        System {
            pool: Arc::new(pool),
            frozen_drift: drift.clone(),
            frozen_jacobian: jacobian.clone(),
            drift,
            jacobian,
            time_derivative: Vec::new(),
            guards: Vec::new(),
            events: Vec::new(),
            doses: Vec::new(),
            delays: Vec::new(),
            ..self.clone()
        }
    }

    /// The same system with another frozen drift, whose Jacobian is derived anew. `pool` is a
    /// continuation of this system's pool; it holds the expressions of `frozen_drift`.
    #[must_use]
    pub fn with_frozen_drift(&self, mut pool: Pool, frozen_drift: Vec<Expr>) -> System {
        let frozen_jacobian = jacobian::derive(&mut pool, &self.states, &frozen_drift);
        System {
            pool: Arc::new(pool),
            frozen_drift,
            frozen_jacobian,
            ..self.clone()
        }
    }

    /// For each delayed value the present one; `None` without delays.
    fn present_for_delayed(&self, pool: &mut Pool) -> Option<FxHashMap<SymbolId, Expr>> {
        if self.delays.is_empty() {
            return None;
        }
        let slots = self.slots.layout.blocks().iter();
        let delayed = slots.filter(|block| self.slots.delayed.contains(&block.offset));
        let mut present = FxHashMap::default();
        for (slot, delay) in delayed.zip(&self.delays) {
            let Some((block, element)) = self.states.locate(delay.states.start) else {
                continue;
            };
            let state = self.states.blocks()[block];
            let whole = pool.symbol(state.symbol);
            let value = if slot.shape == state.shape {
                whole
            } else {
                pool.element(whole, element)
            };
            present.insert(slot.symbol, value);
        }
        Some(present)
    }
}
