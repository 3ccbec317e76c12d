//! Reactions as single events: how often each happens, and what it changes.
//!
//! Enters: a [`Model`] whose states are changed by reactions alone. Leaves: a [`System`] with its
//! [`Propensities`], or every reason why the model cannot be counted. Must not know how paths are
//! made.
//!
//! The number of molecules of a species with the value y in a volume V is n = y V size; the volume
//! is 1 without a compartment, the size that of `noise intrinsic`, else 1. A way of mass action
//! with the constant k and reactants of coefficients m happens at the rate
//!
//! ```text
//! k (V size)^(1 - sum m) product over reactants of n (n - 1) ... (n - m + 1)
//! ```
//!
//! per time, so that for many molecules size times the flux of the equations remains (D. T.
//! Gillespie, J. Phys. Chem. 81, 2340, 1977; here without the factorials that his constants
//! carry). A law by `rate` is the flux as written, times the size.

use super::guards::Freezer;
use super::{Guard, Layout, System, inline_all, jacobian, rates, translate};
use crate::model::{Interpolation, Model, Participant, Reaction};
use crate::symbolic::{Expr, Node, Pool, Shape, SymbolId, Unary, dependents};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every way of every reaction that changes something, and how values are counted.
#[derive(Debug, Clone)]
pub struct Propensities {
    /// The ways.
    pub channels: Vec<Channel>,
    /// Molecules per unit of each state block, in terms of parameters: V size.
    pub scales: Vec<Expr>,
    /// One per number of the state vector: true where molecules are counted. The others do not
    /// change but by events.
    pub counted: Vec<bool>,
    /// The channels whose propensities read a number of the state vector, one list for each.
    pub readers: Vec<Vec<usize>>,
}

/// One way of a reaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Position in [`Model::reactions`].
    pub reaction: usize,
    /// Position in [`Reaction::ways`].
    pub way: usize,
    /// How often it happens.
    pub law: Law,
    /// What one event adds to the numbers of molecules, by position in the state vector,
    /// ascending; whole numbers other than 0.
    pub change: Vec<(usize, f64)>,
    /// What it uses up, with coefficients, by position, ascending.
    pub reactants: Vec<(usize, u32)>,
}

/// How often a reaction happens, in events per time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// The constant, in terms of parameters and of what stays as it is between interruptions,
    /// times n (n - 1) ... for each of [`Channel::reactants`].
    MassAction(Expr),
    /// This expression of the state.
    Free(Expr),
}

/// Why reactions cannot be counted. Positions are those of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Uncountable {
    /// There are none that change anything.
    NoReactions,
    /// This state moves by an equation, between reactions.
    Equation {
        /// Position in [`Model::states`].
        state: usize,
    },
    /// A coefficient is not a whole number.
    Coefficient {
        /// Position in [`Model::reactions`].
        reaction: usize,
        /// The species.
        state: usize,
        /// Its coefficient.
        value: f64,
    },
    /// One rate for both ways: how often each happens does not follow from the difference.
    BothWays {
        /// Position in [`Model::reactions`].
        reaction: usize,
    },
    /// What was before counts: the model has delays.
    Delay,
    /// The propensity changes with time between reactions.
    Time {
        /// Position in [`Model::reactions`].
        reaction: usize,
    },
}

/// Coefficients beyond this are no coefficients.
const LARGEST_COEFFICIENT: f64 = 1e6;

/// The system of a model with its reactions counted. Between two of them nothing changes: the
/// drift is zero, conditions change with time alone, and there is no other noise. Slots are those
/// of `system`, which is that of the model.
///
/// # Errors
/// Every reason against it.
pub fn count(model: &Model, system: &System) -> Result<System, Vec<Uncountable>> {
    let mut problems = impediments(model);
    let mut pool = Pool::continuing(&system.pool);
    let propensities = derive(&mut pool, model, system);
    problems.extend(moved(&mut pool, model, system, &propensities.channels));
    if !problems.is_empty() {
        return Err(problems);
    }
    let blocks = system.states.blocks().iter();
    let drift: Vec<Expr> = blocks.map(|block| pool.zero(block.shape)).collect();
    let jacobian = jacobian::derive(&mut pool, &system.states, &drift);
    let guards = guards_at_rest(&mut pool, system, &drift);
    Ok(System {
        frozen_drift: drift.clone(),
        frozen_jacobian: jacobian.clone(),
        time_derivative: Vec::new(),
        drift,
        jacobian,
        guards,
        noise: None,
        propensities: Some(Arc::new(propensities)),
        pool: Arc::new(pool),
        ..system.clone()
    })
}

/// The guards where states stay: those that time moves go on to interrupt steps, the others are
/// looked at when states have changed.
fn guards_at_rest(pool: &mut Pool, system: &System, drift: &[Expr]) -> Vec<Guard> {
    let motion = rates::outer_motion(pool, system.time, &system.slots);
    let guards: Vec<Expr> = system.guards.iter().map(|guard| guard.expr).collect();
    let is_algebraic = vec![false; drift.len()];
    let states = &system.states;
    let rates = rates::along_solution(pool, &guards, &motion, states, drift, &is_algebraic);
    let known = system.guards.iter().zip(rates);
    known
        .map(|(guard, rate)| Guard {
            rate,
            in_drift: guard.in_drift && !pool.is_zero(rate),
            ..*guard
        })
        .collect()
}

/// What the model as such has against it.
fn impediments(model: &Model) -> Vec<Uncountable> {
    let mut problems = Vec::new();
    let changes = |reaction: &Reaction| !net_change(reaction).is_empty();
    if !model.reactions.iter().any(changes) {
        problems.push(Uncountable::NoReactions);
    }
    for (at, state) in model.states.iter().enumerate() {
        let moves = !state.is_species && !model.pool.is_zero(state.drift);
        if moves || state.is_algebraic {
            problems.push(Uncountable::Equation { state: at });
        }
    }
    if !model.delays.is_empty() {
        problems.push(Uncountable::Delay);
    }
    for (at, reaction) in model.reactions.iter().enumerate() {
        if reaction.reversible && !reaction.mass_action {
            problems.push(Uncountable::BothWays { reaction: at });
        }
        let participants = reaction.reactants.iter().chain(&reaction.products);
        let broken = participants.into_iter().find(|known| {
            known.coefficient.fract() != 0.0 || known.coefficient > LARGEST_COEFFICIENT
        });
        if let Some(participant) = broken {
            problems.push(Uncountable::Coefficient {
                reaction: at,
                state: participant.species.index(),
                value: participant.coefficient,
            });
        }
    }
    problems
}

/// What one event of a reaction adds: net coefficients by (state, element).
fn net_change(reaction: &Reaction) -> BTreeMap<(usize, u32), f64> {
    let mut change: BTreeMap<(usize, u32), f64> = BTreeMap::new();
    for (sign, side) in [(-1.0, &reaction.reactants), (1.0, &reaction.products)] {
        for participant in side {
            let place = (participant.species.index(), participant.element);
            *change.entry(place).or_default() += sign * participant.coefficient;
        }
    }
    change.retain(|_, coefficient| *coefficient != 0.0);
    change
}

fn derive(pool: &mut Pool, model: &Model, system: &System) -> Propensities {
    let one = pool.constant(1.0);
    let size = model.intrinsic.as_ref().and_then(|known| known.size);
    let size = size.map_or(one, |size| {
        inline_all(pool, &[size], &system.definitions)[0]
    });
    let volumes = translate::volumes(pool, model).into_iter();
    let mut builder = Builder {
        scales: volumes
            .map(|volume| pool.mul(volume.unwrap_or(one), size))
            .collect(),
        size,
        own: system
            .states
            .blocks()
            .iter()
            .map(|block| block.symbol)
            .collect(),
        pool,
        system,
    };
    let mut channels = Vec::with_capacity(model.reactions.len());
    for (at, reaction) in model.reactions.iter().enumerate() {
        let change = net_change(reaction);
        if change.is_empty() {
            continue;
        }
        for way in 0..reaction.ways.len() {
            channels.push(builder.channel(reaction, (at, way), &change));
        }
    }
    let scales = builder.scales;
    let mut counted = vec![false; system.states.len()];
    let mut readers = vec![Vec::new(); system.states.len()];
    for (at, channel) in channels.iter().enumerate() {
        let involved = channel.change.iter().map(|(position, _)| *position);
        for position in involved.chain(channel.reactants.iter().map(|known| known.0)) {
            counted[position] = true;
        }
        for position in reads(pool, &system.states, channel) {
            readers[position].push(at);
        }
    }
    Propensities {
        channels,
        scales,
        counted,
        readers,
    }
}

struct Builder<'a> {
    pool: &'a mut Pool,
    system: &'a System,
    /// V size of each state.
    scales: Vec<Expr>,
    size: Expr,
    /// The symbols of states.
    own: FxHashSet<SymbolId>,
}

impl Builder<'_> {
    fn channel(
        &mut self,
        reaction: &Reaction,
        (at, way): (usize, usize),
        change: &BTreeMap<(usize, u32), f64>,
    ) -> Channel {
        let blocks = self.system.states.blocks();
        let place = |block: usize, element: u32| blocks[block].offset + element as usize;
        let (sign, flux) = reaction.ways[way];
        let sides = [&reaction.reactants, &reaction.products];
        let [used, made] = if sign > 0.0 {
            sides
        } else {
            [sides[1], sides[0]]
        };
        let mut reactants: Vec<(usize, u32)> = used
            .iter()
            .map(|known| {
                (
                    place(known.species.index(), known.element),
                    coefficient(known),
                )
            })
            .collect();
        reactants.sort_unstable();
        let law = match reaction.constants.get(way) {
            Some(constant) => self.mass_action(*constant, used, made),
            None => {
                let flux = inline_all(self.pool, &[flux], &self.system.definitions)[0];
                Law::Free(self.pool.mul(flux, self.size))
            }
        };
        let change = change.iter();
        Channel {
            reaction: at,
            way,
            law,
            change: change
                .map(|((block, element), number)| (place(*block, *element), sign * number))
                .collect(),
            reactants,
        }
    }

    fn mass_action(&mut self, constant: Expr, used: &[Participant], made: &[Participant]) -> Law {
        let constant = inline_all(self.pool, &[constant], &self.system.definitions)[0];
        let scale = self.scale_of(if used.is_empty() { made } else { used });
        let order: f64 = used.iter().map(|known| known.coefficient).sum();
        let power = self.pool.constant(1.0 - order);
        let factor = self.pool.pow(scale, power);
        let constant = self.pool.mul(constant, factor);
        if dependents(self.pool, &[constant], &self.own).is_empty() {
            return Law::MassAction(constant);
        }
        let mut law = constant;
        for known in used {
            let block = self.system.states.blocks()[known.species.index()];
            let whole = self.pool.symbol(block.symbol);
            let value = match block.shape {
                Shape::Scalar => whole,
                _ => self.pool.element(whole, known.element as usize),
            };
            // What a compartment or a size leaves of a whole number is near one.
            let number = self.pool.mul(value, scale);
            let number = self.pool.unary(Unary::Round, number);
            for taken in 0..coefficient(known) {
                let left = self.pool.add_number(-f64::from(taken), number);
                law = self.pool.mul(law, left);
            }
        }
        Law::Free(law)
    }

    fn scale_of(&mut self, side: &[Participant]) -> Expr {
        match side.first() {
            Some(known) => self.scales[known.species.index()],
            None => self.pool.constant(1.0),
        }
    }
}

/// A coefficient as a whole number; others have been refused.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and bounded"
)]
fn coefficient(participant: &Participant) -> u32 {
    participant.coefficient.min(LARGEST_COEFFICIENT) as u32
}

/// What changes in the course of a run beside the state: time and inputs.
fn outer(model: &Model, system: &System) -> FxHashSet<SymbolId> {
    let inputs = model.inputs.iter().map(|input| input.symbol);
    inputs.chain([system.time]).collect()
}

/// The laws that time or inputs enter, with their reactions.
fn timed(pool: &Pool, model: &Model, system: &System, channels: &[Channel]) -> Vec<(usize, Expr)> {
    let outer = outer(model, system);
    let laws = channels
        .iter()
        .map(|channel| (channel.reaction, channel.law.expr()));
    laws.filter(|(_, law)| !dependents(pool, &[*law], &outer).is_empty())
        .collect()
}

/// The reactions whose propensities change other than in steps while the state stays.
fn moved(
    pool: &mut Pool,
    model: &Model,
    system: &System,
    channels: &[Channel],
) -> Vec<Uncountable> {
    let timed = timed(pool, model, system, channels);
    if timed.is_empty() {
        return Vec::new();
    }
    let mut varying = outer(model, system);
    varying.extend(system.states.blocks().iter().map(|block| block.symbol));
    let laws: Vec<Expr> = timed.iter().map(|known| known.1).collect();
    let frozen = Freezer::new(system.time, varying).drift(pool, &laws);
    let steps = |input: &&crate::model::Input| input.interpolation == Interpolation::Step;
    let mut moving = outer(model, system);
    for input in model.inputs.iter().filter(steps) {
        moving.remove(&input.symbol);
    }
    let mut problems = Vec::new();
    for ((reaction, _), law) in timed.iter().zip(frozen) {
        let known = Uncountable::Time {
            reaction: *reaction,
        };
        if !dependents(pool, &[law], &moving).is_empty() && !problems.contains(&known) {
            problems.push(known);
        }
    }
    problems
}

impl Law {
    /// Its expression.
    #[must_use]
    pub fn expr(self) -> Expr {
        match self {
            Law::MassAction(expr) | Law::Free(expr) => expr,
        }
    }
}

/// The numbers of the state vector that a propensity reads, ascending.
fn reads(pool: &Pool, states: &Layout, channel: &Channel) -> Vec<usize> {
    let law = match channel.law {
        Law::MassAction(_) => {
            return channel.reactants.iter().map(|known| known.0).collect();
        }
        Law::Free(law) => law,
    };
    let block_of: FxHashMap<SymbolId, usize> = states
        .blocks()
        .iter()
        .map(|block| block.symbol)
        .zip(0..)
        .collect();
    let mut found = Vec::new();
    let mut open = vec![law];
    let mut seen = FxHashSet::default();
    while let Some(expr) = open.pop() {
        if !seen.insert(expr) {
            continue;
        }
        let block = |symbol| {
            block_of
                .get(&symbol)
                .and_then(|at| states.blocks().get(*at))
        };
        match *pool.node(expr) {
            Node::Symbol(symbol) => found.extend(block(symbol).into_iter().flat_map(|b| b.range())),
            Node::Element(whole, element) => match *pool.node(whole) {
                Node::Symbol(symbol) => {
                    found.extend(block(symbol).map(|b| b.offset + element as usize))
                }
                _ => open.push(whole),
            },
            ref node => node.for_each_operand(|operand| open.push(operand)),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
