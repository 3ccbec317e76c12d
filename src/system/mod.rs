//! Equations ready to be compiled: definitions inlined, gradients worked out, Jacobians with
//! their exact sparsity, conservation laws.
//!
//! Enters: a [`Model`]. Leaves: a [`System`], still symbolic. Must not know back ends.

mod at_rest;
mod conservation;
mod constraints;
mod guards;
mod index;
mod interruption;
mod jacobian;
mod layout;
mod linear;
mod logarithmic;
mod matching;
mod moments;
mod noise;
mod propensities;
mod rates;
mod scheme;
mod tangent;
#[cfg(test)]
mod tests;
mod translate;

pub use conservation::{ConservationLaw, LawTerm, conservation_laws};
pub use index::{IndexProblem, structural_index};
pub use interruption::{
    Delay, Directions, Dose, DoseSchedule, Event, Guard, GuardKind, Input, Jump, JumpPlace, Slots,
    Trigger,
};
pub use jacobian::{Contribution, Jacobian, JacobianBlock, parameter_jacobian};
pub use layout::{Block, Layout};
pub use linear::linear_form;
pub use logarithmic::{Logarithmic, logarithmic};
pub use moments::{local_moments, moments, packed, packed_len};
pub use noise::{Noise, NoiseTerm, Source, noise_terms, of_reactions};
pub use propensities::{Channel, Law, Propensities, Uncountable, count};
pub use rates::moving_slots;
pub use scheme::{
    NoiseStructure, Scheme, SchemeKind, Unsuited, has_exact_transition, noise_structure,
};
pub use tangent::{partial_tangent, tangent};

pub use crate::model::Motion;
use crate::model::{Model, Schedule};
use crate::symbolic::{
    Expr, Pool, SymbolId, dependents, expand_gradients, substitute, substitute_all, symbols_of,
};
use guards::{Collected, Freezer};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;
use std::sync::Arc;
use translate::Inliner;

/// The symbolic equations of a model: y' = drift(t, y; parameters) for a flow.
///
/// For a map, [`System::motion`] says so, `drift` holds the state after one step, y(n + 1) =
/// drift(n, y(n); parameters), and `jacobian` is its derivative by y(n): the eigenvalues at a fixed
/// point are its multipliers. `time` is the number of steps n. Compiled functions and
/// `CompiledDynamics` follow: a drift is a new state, a Jacobian that of the map, and a fixed point
/// is a zero of drift(y) - y, whose Jacobian is `jacobian` - 1. The frozen drift
/// is the drift: only conditions of events have modes. A map has no doses, inputs, delays or algebraic states, and no derivative by time.
#[derive(Debug, Clone)]
pub struct System {
    /// All expressions below live here; symbols are those of the model. [`Pool::continuing`] adds
    /// to it.
    pub pool: Arc<Pool>,
    /// The number 0 in that pool.
    pub zero: Expr,
    /// Whether `drift` is a rate of change or the state after a step.
    pub motion: Motion,
    /// `t`; `n` for a map.
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
    /// and delayed values; white noise is left out. For an algebraic state: the residual of the constraint matched to it.
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
    /// What white noise adds to the drift; `None` for equations without noise.
    pub noise: Option<Arc<Noise>>,
    /// Reactions as single events; `None` unless they are counted ([`count`]).
    pub propensities: Option<Arc<Propensities>>,
    /// What each assertion demands.
    pub assertions: Vec<Expr>,
    /// What each definition's symbol stands for, inlined; white noise is left out.
    pub definitions: FxHashMap<SymbolId, Expr>,
}

/// Derives the equations of a model. The work is linear in the size of the model.
#[must_use]
pub fn derive(model: &Model) -> System {
    let mut pool = model.pool.clone();
    let mut definitions = inline_definitions(&mut pool, model);
    let drifts: Vec<Expr> = model.states.iter().map(|state| state.drift).collect();
    let conditions: Vec<Expr> = model
        .assertions
        .iter()
        .map(|known| known.condition)
        .collect();
    let values: Vec<Expr> = model.parameters.iter().map(|known| known.value).collect();
    let initials: Vec<Expr> = model.states.iter().map(|state| state.initial).collect();
    let residuals: Vec<Expr> = (model.constraints.iter())
        .map(|known| known.residual)
        .collect();
    let noisy = inline_all(&mut pool, &drifts, &definitions);
    let mut drift = noise::without(&mut pool, model, &noisy, &mut definitions);
    let inline = |pool: &mut Pool, exprs: &[Expr]| inline_all(pool, exprs, &definitions);
    let residuals = inline(&mut pool, &residuals);
    let assertions = inline(&mut pool, &conditions);
    let parameter_values = inline(&mut pool, &values);
    let initial = inline(&mut pool, &initials);
    let start = pool.constant(model.time.start);
    let at_start = FxHashMap::from_iter([(model.time.symbol, start)]);
    let initial = substitute_all(&mut pool, &initial, &at_start);
    let states = Layout::new(&pool, model.states.iter().map(|state| state.symbol));
    let parameters = Layout::new(&pool, model.parameters.iter().map(|known| known.symbol));
    let algebraic = constraints::flags(model, &states);
    constraints::place(&mut pool, &mut drift, &residuals, &states, &algebraic);
    let jacobian = jacobian::derive(&mut pool, &states, &drift);
    let noise = noise::derive(&mut pool, model, &states, &noisy, &definitions);
    let followers = translate::followers(&pool, model, &parameter_values);
    let zero = pool.constant(0.0);
    let mut system = System {
        zero,
        pool: Arc::default(),
        motion: model.motion,
        time: model.time.symbol,
        slots: Slots::default(),
        directions: Default::default(),
        frozen_drift: drift.clone(),
        frozen_jacobian: jacobian.clone(),
        time_derivative: Vec::new(),
        algebraic,
        guards: Vec::new(),
        events: Vec::new(),
        doses: Vec::new(),
        infused: Vec::new(),
        volumes: translate::volumes(&mut pool, model),
        inputs: inputs(model),
        delays: Vec::new(),
        history: Vec::new(),
        followers,
        states,
        parameters,
        drift,
        jacobian,
        initial,
        parameter_values,
        noise: noise.map(Arc::new),
        propensities: None,
        assertions,
        definitions,
    };
    interrupt(&mut system, &mut pool, model);
    system.pool = Arc::new(pool);
    system
}

/// Adds what interrupts runs or drives them from outside.
fn interrupt(system: &mut System, pool: &mut Pool, model: &Model) {
    let (amount, replacements) = replacements(pool, model, &system.definitions);
    let mut inliner = Inliner {
        pool,
        replacements: &replacements,
    };
    system.doses = translate::doses(&mut inliner, model, &system.states);
    system.events = translate::events(&mut inliner, model, &system.states, &system.parameters);
    system.delays = translate::delays(&mut inliner, model, &system.states);
    system.history = translate::history(&mut inliner, model);
    system.infused = translate::infused(model, &system.doses, &system.states);
    let (frozen, collected) = freeze(system, pool, model);
    system.guards = collected.guards;
    system.slots = slots(pool, model, system, &collected.modes, amount);
    system.directions =
        tangent::directions(pool, &system.states, &system.parameters, &system.slots);
    system.frozen_drift = with_infusions(pool, system, &frozen);
    if frozen != system.drift {
        let mut jacobian = jacobian::derive(pool, &system.states, &frozen);
        jacobian::share_pattern(&mut system.jacobian, &mut jacobian);
        system.frozen_jacobian = jacobian;
    }
    if system.motion == Motion::Map {
        return;
    }
    let motion = rates::outer_motion(pool, system.time, &system.slots);
    system.time_derivative = rates::time_derivative(pool, &system.frozen_drift, &motion);
    let guards: Vec<Expr> = system.guards.iter().map(|guard| guard.expr).collect();
    let is_algebraic: Vec<bool> = model
        .states
        .iter()
        .map(|state| state.is_algebraic)
        .collect();
    let rates = rates::along_solution(
        pool,
        &guards,
        &motion,
        &system.states,
        &system.frozen_drift,
        &is_algebraic,
    );
    for (guard, rate) in system.guards.iter_mut().zip(rates) {
        guard.rate = rate;
    }
}

/// What names stand for in interruptions: definitions, and one symbol for the amounts of all
/// tables, since one row is given at a time.
fn replacements(
    pool: &mut Pool,
    model: &Model,
    definitions: &FxHashMap<SymbolId, Expr>,
) -> (Option<SymbolId>, FxHashMap<SymbolId, Expr>) {
    let mut replacements = definitions.clone();
    let mut amounts = model.doses.iter().filter_map(|dose| match &dose.schedule {
        Schedule::Table(table) => Some(table.amount),
        Schedule::At(_) | Schedule::Every(_) | Schedule::Event => None,
    });
    let amount = amounts.next();
    if let Some(amount) = amount {
        let shared = pool.symbol(amount);
        replacements.extend(amounts.map(|other| (other, shared)));
    }
    (amount, replacements)
}

/// The drift in terms of modes, and the guards; conditions of events become terms of modes too.
fn freeze(system: &mut System, pool: &mut Pool, model: &Model) -> (Vec<Expr>, Collected) {
    let mut varying = FxHashSet::from_iter([system.time]);
    varying.extend(system.states.blocks().iter().map(|block| block.symbol));
    varying.extend(model.inputs.iter().map(|input| input.symbol));
    varying.extend(model.delays.iter().map(|delay| delay.symbol));
    let mut freezer = Freezer::new(system.time, varying);
    let frozen = match system.motion {
        Motion::Flow => freezer.drift(pool, &system.drift),
        // A step is taken whole: nothing is crossed on the way.
        Motion::Map => system.drift.clone(),
    };
    let mut triggers = Vec::new();
    let mut equalities = Vec::new();
    for event in &mut system.events {
        let mut equality = None;
        if let Trigger::When { condition, .. } = &mut event.trigger {
            *condition = freezer.trigger(pool, *condition);
            equality = freezer.equality(pool, *condition);
            triggers.push(*condition);
        }
        equalities.push(equality);
    }
    let collected = freezer.finish(pool, &frozen, &triggers);
    for (event, equality) in system.events.iter_mut().zip(equalities) {
        if let Trigger::When {
            direction,
            crossing,
            ..
        } = &mut event.trigger
        {
            let guard = collected
                .modes
                .iter()
                .position(|mode| Some(*mode) == equality);
            *crossing = guard.map(|guard| (guard, translate::crossing_sign(*direction)));
        }
    }
    (frozen, collected)
}

fn inputs(model: &Model) -> Vec<Input> {
    let inputs = model.inputs.iter();
    inputs
        .map(|input| Input {
            interpolation: input.interpolation,
        })
        .collect()
}

/// One section of slots after the other.
fn slots(
    pool: &mut Pool,
    model: &Model,
    system: &System,
    modes: &[SymbolId],
    amount: Option<SymbolId>,
) -> Slots {
    let rate_of = |pool: &mut Pool, symbol: SymbolId| {
        let data = pool.symbol_data(symbol).clone();
        pool.new_symbol(format!("{}'", data.name), data.shape)
    };
    let inputs: Vec<SymbolId> = model.inputs.iter().map(|input| input.symbol).collect();
    let delayed: Vec<SymbolId> = model.delays.iter().map(|delay| delay.symbol).collect();
    let input_rates: Vec<SymbolId> = inputs.iter().map(|&known| rate_of(pool, known)).collect();
    let delayed_rates = delayed.iter().map(|&known| rate_of(pool, known)).collect();
    let mut infusions = Vec::new();
    for block in &system.infused {
        let symbol = system.states.blocks()[*block].symbol;
        let data = pool.symbol_data(symbol).clone();
        infusions.push(pool.new_symbol(format!("infusion into {}", data.name), data.shape));
    }
    let mut symbols: Vec<SymbolId> = Vec::new();
    let mut next = 0;
    let mut section = |section: Vec<SymbolId>| -> Range<usize> {
        let start = next;
        next += section
            .iter()
            .map(|symbol| pool.symbol_data(*symbol).shape.len())
            .sum::<usize>();
        symbols.extend(section);
        start..next
    };
    Slots {
        modes: section(modes.to_vec()),
        inputs: section(inputs),
        input_rates: section(input_rates),
        infusions: section(infusions),
        delayed: section(delayed),
        delayed_rates: section(delayed_rates),
        amount: section(amount.into_iter().collect()),
        layout: Layout::new(pool, symbols.into_iter()),
    }
}

/// The frozen drift with what infusions add, divided by the volume it enters.
fn with_infusions(pool: &mut Pool, system: &System, frozen: &[Expr]) -> Vec<Expr> {
    let mut drift = frozen.to_vec();
    let blocks = system.slots.layout.blocks().iter();
    let slots = blocks.filter(|block| system.slots.infusions.contains(&block.offset));
    for (block, slot) in system.infused.iter().zip(slots) {
        let amount = pool.symbol(slot.symbol);
        let rate = match system.volumes[*block] {
            Some(volume) => pool.div(amount, volume),
            None => amount,
        };
        drift[*block] = pool.add(drift[*block], rate);
    }
    drift
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

/// Expressions with definitions inlined and gradients worked out.
fn inline_all(
    pool: &mut Pool,
    exprs: &[Expr],
    definitions: &FxHashMap<SymbolId, Expr>,
) -> Vec<Expr> {
    substitute_all(pool, exprs, definitions)
        .into_iter()
        .map(|expr| expand_gradients(pool, expr))
        .collect()
}

impl System {
    /// An expression of the model's names in terms of time, states and parameters. `pool` must be
    /// a continuation of this system's pool.
    pub fn inline(&self, pool: &mut Pool, expr: Expr) -> Expr {
        let expr = substitute(pool, expr, &self.definitions);
        expand_gradients(pool, expr)
    }

    /// True when nothing interrupts a run or reaches it from outside: a flow of states alone.
    #[must_use]
    pub fn is_undisturbed(&self) -> bool {
        self.motion == Motion::Flow
            && self.dimension() > 0
            && self.slots.is_empty()
            && self.guards.is_empty()
            && self.events.is_empty()
            && self.doses.is_empty()
            && self.inputs.is_empty()
            && self.delays.is_empty()
            && self.assertions.is_empty()
            && !self.algebraic.contains(&true)
    }

    /// True when the course of a run depends on when it begins: a drift or a trigger names the
    /// time or an input, which follows it, or something is scheduled.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        let blocks = self.slots.layout.blocks().iter();
        let inputs = blocks.filter(|block| self.slots.inputs.contains(&block.offset));
        let mut moved: FxHashSet<SymbolId> = inputs.map(|block| block.symbol).collect();
        moved.insert(self.time);
        let guards = self.guards.iter().map(|guard| guard.expr);
        let read: Vec<Expr> = self.drift.iter().copied().chain(guards).collect();
        let is_scheduled = |event: &Event| !matches!(event.trigger, Trigger::When { .. });
        self.events.iter().any(is_scheduled)
            || (self.doses.iter()).any(|dose| dose.schedule != DoseSchedule::Event)
            || !dependents(&self.pool, &read, &moved).is_empty()
    }

    /// Positions of the guards that states decide and that set events off: on a path with noise
    /// their crossings are seen at the ends of steps only.
    #[must_use]
    pub fn watched_guards(&self) -> Vec<usize> {
        let is_mode = |block: &&Block| self.slots.modes.contains(&block.offset);
        let modes = self.slots.layout.blocks().iter().filter(is_mode);
        let states = self.states.blocks().iter().map(|block| block.symbol);
        let states: FxHashSet<SymbolId> = states.collect();
        let sets_off = |at: usize, mode: SymbolId| {
            self.events.iter().any(|event| match &event.trigger {
                Trigger::When {
                    condition,
                    crossing,
                    ..
                } => {
                    crossing.is_some_and(|(guard, _)| guard == at)
                        || symbols_of(&self.pool, *condition).contains(&mode)
                }
                Trigger::At(_) | Trigger::Every(_) => false,
            })
        };
        let all = self.guards.iter().zip(modes).enumerate();
        all.filter(|(at, (guard, mode))| {
            !symbols_of(&self.pool, guard.expr).is_disjoint(&states) && sets_off(*at, mode.symbol)
        })
        .map(|(at, _)| at)
        .collect()
    }

    /// The total time derivatives of inlined expressions along a solution, in terms of time,
    /// states, parameters and slots. Infusions and the rates of inputs and delayed values are read
    /// from the slots, conditions from the state; algebraic states move as their constraints say.
    /// `pool` must be a continuation of this system's pool.
    pub fn rates(&self, pool: &mut Pool, of: &[Expr]) -> Vec<Expr> {
        let drift = with_infusions(pool, self, &self.drift);
        let motion = rates::outer_motion(pool, self.time, &self.slots);
        let blocks = self.states.blocks().iter();
        let is_algebraic: Vec<bool> = blocks
            .map(|block| self.algebraic.get(block.offset) == Some(&true))
            .collect();
        rates::along_solution(pool, of, &motion, &self.states, &drift, &is_algebraic)
    }

    /// Number of states n.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.states.len()
    }
}
