//! Equations ready to be compiled: definitions inlined, gradients worked out, Jacobians with
//! their exact sparsity, conservation laws.
//!
//! Enters: a [`Model`]. Leaves: a [`System`], still symbolic. Must not know back ends.

mod conservation;
mod interruption;
mod jacobian;
mod layout;
mod tangent;

pub use conservation::{ConservationLaw, LawTerm, conservation_laws};
pub use interruption::{
    Delay, Directions, Dose, DoseSchedule, Event, Guard, GuardKind, Input, Jump, JumpPlace, Repeat,
    Slots, Trigger,
};
pub use jacobian::{Contribution, Jacobian, JacobianBlock, parameter_jacobian};
pub use layout::{Block, Layout};
pub use tangent::tangent;

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
    /// Numbers that a run supplies beside time, state and parameters.
    pub slots: Slots,
    /// Two directions for derivatives along them.
    pub directions: [Directions; 2],
    /// The drift of each state block, of its shape, in terms of time, states, parameters, inputs
    /// and delayed values. For an algebraic state: the residual of the constraint matched to it.
    pub drift: Vec<Expr>,
    /// d drift / d y.
    pub jacobian: Jacobian,
    /// The drift that steps integrate: conditions are read from the modes, infusions are added.
    /// The same expressions as `drift` when there are neither.
    pub frozen_drift: Vec<Expr>,
    /// d frozen_drift / d y, with the pattern of `jacobian`.
    pub frozen_jacobian: Jacobian,
    /// The partial derivative of `frozen_drift` by time, through inputs and delayed values too;
    /// one per state block. Empty when the system is autonomous.
    pub time_derivative: Vec<Expr>,
    /// One per number of the state vector: true for an algebraic one. Empty when none is.
    pub algebraic: Box<[bool]>,
    /// What modes follow; one per block of [`Slots::modes`].
    pub guards: Vec<Guard>,
    /// Events, in the order of the model.
    pub events: Vec<Event>,
    /// Doses, in the order of the model.
    pub doses: Vec<Dose>,
    /// The state blocks that infusions enter, ascending; one per block of [`Slots::infusions`].
    pub infused: Vec<usize>,
    /// What an amount is divided by where it enters a state: the compartment's volume; `None`
    /// for 1. One per state block.
    pub volumes: Vec<Option<Expr>>,
    /// Inputs, in the order of the model.
    pub inputs: Vec<Input>,
    /// Delays, in the order of the model.
    pub delays: Vec<Delay>,
    /// Each state block before the start, in terms of time, parameters and initial values (under
    /// the names of states). Empty when there are no delays.
    pub history: Vec<Expr>,
    /// Parameter blocks whose values follow others, each after those it needs.
    pub followers: Vec<usize>,
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
    let slots = Slots::default();
    let directions = tangent::directions(&mut pool, &states, &parameters, &slots);
    System {
        pool: Arc::new(pool),
        time: model.time.symbol,
        slots,
        directions,
        frozen_drift: drift.clone(),
        frozen_jacobian: jacobian.clone(),
        time_derivative: Vec::new(),
        algebraic: Box::default(),
        guards: Vec::new(),
        events: Vec::new(),
        doses: Vec::new(),
        infused: Vec::new(),
        volumes: vec![None; states.blocks().len()],
        inputs: Vec::new(),
        delays: Vec::new(),
        history: Vec::new(),
        followers: Vec::new(),
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
