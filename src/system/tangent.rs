//! Derivatives of any expressions of a system along a direction.
//!
//! Enters: inlined expressions. Leaves: how they change when time, states, parameters and slots
//! move at once along a [`Directions`], as expressions that name the direction's symbols; applied
//! again with the other direction, the second derivative along both. Must not know what moves.
//!
//! The derivative of f along (dt, dy, dp) is f_t dt + f_y dy + f_p dp: one function serves every
//! quantity that is varied, and its cost does not grow with the number of parameters (Griewank &
//! Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 3).

use super::{Directions, Layout, Slots, System};
use crate::symbolic::{Expr, Pool, Shape, SymbolId, directional_along};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// The symbols of two directions, with their numbers in the slots after those of the system: those
/// of the second follow those of the first.
pub(super) fn directions(
    pool: &mut Pool,
    states: &Layout,
    parameters: &Layout,
    slots: &Slots,
) -> [Directions; 2] {
    // The symbols are never printed.
    let mut symbols = |layout: &Layout| -> Vec<SymbolId> {
        let blocks = layout.blocks().iter();
        blocks
            .map(|block| pool.new_symbol(String::new(), block.shape))
            .collect()
    };
    let mut direction = |offset| Directions {
        time: None,
        states: symbols(states),
        parameters: symbols(parameters),
        slots: symbols(&slots.layout),
        offset,
    };
    let width = 1 + states.len() + parameters.len() + slots.len();
    let mut both = [direction(slots.len()), direction(slots.len() + width)];
    for direction in &mut both {
        direction.time = Some(pool.new_symbol(String::new(), Shape::Scalar));
    }
    both
}

/// The derivatives of inlined expressions along direction 0 or 1 of the system. `pool` is the
/// system's own or a continuation of it.
#[must_use]
pub fn tangent(system: &System, pool: &mut Pool, exprs: &[Expr], direction: usize) -> Vec<Expr> {
    along(system, pool, exprs, direction, |_| true)
}

/// The same where only the symbols in `moving` move.
#[must_use]
pub fn partial_tangent(
    system: &System,
    pool: &mut Pool,
    exprs: &[Expr],
    direction: usize,
    moving: &FxHashSet<SymbolId>,
) -> Vec<Expr> {
    along(system, pool, exprs, direction, |symbol| {
        moving.contains(&symbol)
    })
}

fn along(
    system: &System,
    pool: &mut Pool,
    exprs: &[Expr],
    direction: usize,
    moves: impl Fn(SymbolId) -> bool,
) -> Vec<Expr> {
    let Some(along) = system.directions.get(direction) else {
        return Vec::new();
    };
    let mut directions = FxHashMap::default();
    if let Some(time) = along.time
        && moves(system.time)
    {
        directions.insert(system.time, pool.symbol(time));
    }
    let mut add = |pool: &mut Pool, layout: &Layout, symbols: &[SymbolId], fixed: &Range<usize>| {
        for (block, symbol) in layout.blocks().iter().zip(symbols) {
            if !fixed.contains(&block.offset) && moves(block.symbol) {
                directions.insert(block.symbol, pool.symbol(*symbol));
            }
        }
    };
    add(pool, &system.states, &along.states, &(0..0));
    add(pool, &system.parameters, &along.parameters, &(0..0));
    // Modes stay as they are.
    let modes = &system.slots.modes;
    add(pool, &system.slots.layout, &along.slots, modes);
    directional_along(pool, exprs, &directions)
}

impl System {
    /// How many numbers one direction has: time, states, parameters, slots.
    #[must_use]
    pub fn direction_width(&self) -> usize {
        1 + self.states.len() + self.parameters.len() + self.slots.len()
    }

    /// How many slots a function of directions reads: the system's own, then both directions.
    #[must_use]
    pub fn slots_with_directions(&self) -> usize {
        self.slots.len() + 2 * self.direction_width()
    }
}
