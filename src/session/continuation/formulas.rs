//! What continuation differentiates: the equations at rest and the sums they keep, written so that
//! the one parameter that moves is the only thing that follows it.
//!
//! Parameters that follow others, and initial values that depend on them, are put in place of
//! their names as far as they depend on the parameter, so that derivatives by it are whole.

use super::Moving;
use crate::analyze::Law;
use crate::model::{ParameterId, StateId, Target, ValueOf};
use crate::session::compiled::Compiled;
use crate::session::values::{Overrides, Present};
use crate::symbolic::{Expr, Pool, SymbolId, substitute, substitute_all, symbols_of};
use crate::system::{LawTerm, conservation_laws};
use rustc_hash::FxHashMap;

/// The expressions of a family, in a pool that continues the system's.
pub(super) struct Formulas {
    pub pool: Pool,
    /// The drift with modes in place of conditions, one per state block.
    pub drift: Vec<Expr>,
    /// True when it is not the system's own.
    pub is_replaced: bool,
    /// The values of the states at the start, in terms of parameters; one per state block.
    initial: Vec<Expr>,
}

/// What holds beside the model: what has been set, and the numbers that this gives.
pub(super) struct Values<'a> {
    pub overrides: &'a Overrides,
    pub present: &'a Present,
    /// The state where a run ended, when that is the start: it depends on nothing.
    pub ended: Option<&'a [f64]>,
}

impl Formulas {
    /// The formulas of a model in which one parameter moves.
    pub fn new(compiled: &Compiled, values: &Values<'_>, moving: &Moving) -> Formulas {
        let system = &*compiled.system;
        let mut pool = Pool::continuing(&system.pool);
        let mut followed = followed(compiled, &mut pool, values, moving);
        let drift = if followed.is_empty() {
            system.frozen_drift.clone()
        } else {
            substitute_all(&mut pool, &system.frozen_drift, &followed)
        };
        let is_replaced = drift != system.frozen_drift;
        let initial = initial(compiled, &mut pool, values, &mut followed);
        Formulas {
            pool,
            drift,
            is_replaced,
            initial,
        }
    }

    /// w . (y - y0) of a law of the reactions, amounts as concentrations times volumes.
    pub fn of_reactions(&mut self, compiled: &Compiled, terms: &[LawTerm]) -> (Expr, Vec<Weight>) {
        let system = &*compiled.system;
        let weights: Vec<Weight> = terms
            .iter()
            .filter_map(|term| {
                let states = system.states.blocks().get(term.species.index())?;
                let coefficient = self.pool.constant(term.coefficient);
                let volume = term.compartment.and_then(|id| {
                    let block = system.parameters.blocks().get(id.index())?;
                    Some(self.pool.symbol(block.symbol))
                });
                let weight = match volume {
                    Some(volume) => self.pool.mul(coefficient, volume),
                    None => coefficient,
                };
                Some(Weight {
                    position: states.offset + term.element as usize,
                    weight,
                })
            })
            .collect();
        (self.sum(compiled, &weights), weights)
    }

    /// The same of a law that was found in the equations.
    pub fn of_numbers(&mut self, compiled: &Compiled, law: &Law) -> (Expr, Vec<Weight>) {
        let weights: Vec<Weight> = (law.terms.iter())
            .map(|(position, weight)| Weight {
                position: *position,
                weight: self.pool.constant(*weight),
            })
            .collect();
        (self.sum(compiled, &weights), weights)
    }

    fn sum(&mut self, compiled: &Compiled, weights: &[Weight]) -> Expr {
        let mut total = self.pool.constant(0.0);
        for known in weights {
            let Some((at, element)) = compiled.system.states.locate(known.position) else {
                continue;
            };
            let state = self.pool.symbol(compiled.system.states.blocks()[at].symbol);
            let now = self.pool.element(state, element);
            let start = self.pool.element(self.initial[at], element);
            let change = self.pool.sub(now, start);
            let term = self.pool.mul(known.weight, change);
            total = self.pool.add(total, term);
        }
        total
    }
}

/// A coefficient of a sum.
pub(super) struct Weight {
    /// Position in the state vector.
    pub position: usize,
    pub weight: Expr,
}

/// The laws of the reactions.
pub(super) fn laws_of_reactions(compiled: &Compiled) -> Vec<Vec<LawTerm>> {
    let laws = conservation_laws(&compiled.model).into_iter();
    laws.map(|law| law.terms).collect()
}

/// What stands in place of the parameters that follow the moving one.
fn followed(
    compiled: &Compiled,
    pool: &mut Pool,
    values: &Values<'_>,
    moving: &Moving,
) -> FxHashMap<SymbolId, Expr> {
    let system = &*compiled.system;
    let blocks = system.parameters.blocks();
    let moved = blocks[moving.parameter.index()].symbol;
    let mut followed = FxHashMap::default();
    for &at in &system.followers {
        if at == moving.parameter.index() {
            continue;
        }
        let value = substitute(pool, system.parameter_values[at], &followed);
        let target = Target::Parameter(ParameterId::new(at));
        let numbers = &values.present.parameters[blocks[at].range()];
        let value = held(pool, value, values.overrides, target, numbers);
        if symbols_of(pool, value).contains(&moved) {
            followed.insert(blocks[at].symbol, value);
        }
    }
    followed
}

/// The initial values in terms of parameters.
fn initial(
    compiled: &Compiled,
    pool: &mut Pool,
    values: &Values<'_>,
    known: &mut FxHashMap<SymbolId, Expr>,
) -> Vec<Expr> {
    let system = &*compiled.system;
    let blocks = system.states.blocks();
    let zero = pool.constant(0.0);
    let mut initial = vec![zero; blocks.len()];
    let states = compiled.model.value_order.iter().filter_map(|of| match of {
        ValueOf::State(id) => Some(id.index()),
        ValueOf::Parameter(_) | ValueOf::Definition(_) => None,
    });
    for at in states {
        let block = blocks[at];
        let numbers = |all: &[f64]| all.get(block.range()).unwrap_or_default().to_vec();
        let value = match values.ended {
            Some(ended) => constants(pool, &numbers(ended), block.shape),
            None => {
                let value = substitute(pool, system.initial[at], known);
                let value = pool.fill(value, block.shape);
                let target = Target::State(StateId::new(at));
                let present = numbers(&values.present.initial);
                held(pool, value, values.overrides, target, &present)
            }
        };
        known.insert(block.symbol, value);
        initial[at] = value;
    }
    initial
}

/// A value with the numbers that have been set in place of its elements.
fn held(
    pool: &mut Pool,
    value: Expr,
    overrides: &Overrides,
    target: Target,
    numbers: &[f64],
) -> Expr {
    if !overrides.contains(target) {
        return value;
    }
    let shape = pool.shape(value);
    let elements: Vec<Expr> = (0..shape.len())
        .map(|element| match numbers.get(element) {
            Some(number) if overrides.sets(target, element) => pool.constant(*number),
            _ => pool.element(value, element),
        })
        .collect();
    pool.stack(elements, shape)
}

fn constants(pool: &mut Pool, numbers: &[f64], shape: crate::symbolic::Shape) -> Expr {
    let elements = numbers.iter().map(|number| pool.constant(*number));
    let elements = elements.collect();
    pool.stack(elements, shape)
}
