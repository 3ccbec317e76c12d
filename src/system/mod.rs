//! Equations ready to be compiled: definitions inlined, gradients worked out, Jacobians with
//! their exact sparsity, conservation laws.
//!
//! Enters: a [`Model`]. Leaves: a [`System`], still symbolic. Must not know back ends.

mod conservation;
mod jacobian;
mod layout;

pub use conservation::{ConservationLaw, LawTerm, conservation_laws};
pub use jacobian::{Contribution, Jacobian, JacobianBlock, parameter_jacobian};
pub use layout::{Block, Layout};

use crate::model::Model;
use crate::symbolic::{
    Expr, Node, Pool, SymbolId, expand_gradients, reachable, substitute, substitute_all,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The symbolic equations of a model: y' = drift(t, y; parameters).
#[derive(Debug, Clone)]
pub struct System {
    /// All expressions below live here; symbols are those of the model. [`Pool::continuing`] adds
    /// to it.
    pub pool: Arc<Pool>,
    /// `t`
    pub time: SymbolId,
    /// Where each state stands in the state vector y.
    pub states: Layout,
    /// Where each parameter stands in the parameter vector.
    pub parameters: Layout,
    /// The drift of each state block, of its shape, in terms of time, states and parameters.
    pub drift: Vec<Expr>,
    /// d drift / d y.
    pub jacobian: Jacobian,
    /// The value of each state block at the start, in terms of parameters and of other initial
    /// values, which stand under the names of their states.
    pub initial: Vec<Expr>,
    /// The value of each parameter, in terms of other parameters.
    pub parameter_values: Vec<Expr>,
    /// What each assertion demands.
    pub assertions: Vec<Expr>,
    /// What each definition's symbol stands for, inlined.
    pub definitions: FxHashMap<SymbolId, Expr>,
}

/// Derives the equations of a model. The work is linear in the size of the model.
#[must_use]
pub fn derive(model: &Model) -> System {
    let mut pool = model.pool.clone();
    let definitions = inline_definitions(&mut pool, model);
    let inline = |pool: &mut Pool, exprs: &[Expr]| -> Vec<Expr> {
        substitute_all(pool, exprs, &definitions)
            .into_iter()
            .map(|expr| expand_gradients(pool, expr))
            .collect()
    };
    let drifts: Vec<Expr> = model.states.iter().map(|state| state.drift).collect();
    let conditions: Vec<Expr> = model
        .assertions
        .iter()
        .map(|known| known.condition)
        .collect();
    let values: Vec<Expr> = model.parameters.iter().map(|known| known.value).collect();
    let initials: Vec<Expr> = model.states.iter().map(|state| state.initial).collect();
    let drift = inline(&mut pool, &drifts);
    let assertions = inline(&mut pool, &conditions);
    let parameter_values = inline(&mut pool, &values);
    let initial = inline(&mut pool, &initials);
    let start = pool.constant(model.time.start);
    let at_start = FxHashMap::from_iter([(model.time.symbol, start)]);
    let initial = substitute_all(&mut pool, &initial, &at_start);
    let states = Layout::new(&pool, model.states.iter().map(|state| state.symbol));
    let parameters = Layout::new(&pool, model.parameters.iter().map(|known| known.symbol));
    let jacobian = jacobian::derive(&mut pool, &states, &drift);
    System {
        pool: Arc::new(pool),
        time: model.time.symbol,
        states,
        parameters,
        drift,
        jacobian,
        initial,
        parameter_values,
        assertions,
        definitions,
    }
}

fn inline_definitions(pool: &mut Pool, model: &Model) -> FxHashMap<SymbolId, Expr> {
    let mut inlined = FxHashMap::default();
    for id in &model.definition_order {
        let definition = &model.definitions[id.index()];
        let value = substitute(pool, definition.value, &inlined);
        let value = expand_gradients(pool, value);
        inlined.insert(definition.symbol, value);
    }
    inlined
}

impl System {
    /// An expression of the model's names in terms of time, states and parameters. `pool` must be
    /// a continuation of this system's pool.
    pub fn inline(&self, pool: &mut Pool, expr: Expr) -> Expr {
        let expr = substitute(pool, expr, &self.definitions);
        expand_gradients(pool, expr)
    }

    /// True when some drift names the time itself.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        reachable(&self.pool, &self.drift)
            .into_iter()
            .any(|expr| *self.pool.node(expr) == Node::Symbol(self.time))
    }

    /// Number of states n.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.states.len()
    }
}
