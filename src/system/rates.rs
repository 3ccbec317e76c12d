//! Derivatives by time: of the drift alone, and of guards along the solution.
//!
//! Enters: the frozen drift, guards. Leaves: their derivatives, where inputs and delayed values
//! move at the rates that stand in slots. Must not know what they are for.

use super::{Layout, Slots};
use crate::symbolic::{
    Expr, Pool, Shape, SymbolId, dependents, directional_along, system_jacobian,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// What moves, and how fast.
pub(super) type Motion = FxHashMap<SymbolId, Expr>;

/// Inputs and delayed values.
pub fn moving_slots(slots: &Slots) -> impl Iterator<Item = SymbolId> + '_ {
    let blocks = slots.layout.blocks().iter();
    blocks
        .filter(|block| {
            slots.inputs.contains(&block.offset) || slots.delayed.contains(&block.offset)
        })
        .map(|block| block.symbol)
}

/// Time moves at 1, and inputs and delayed values at their rates.
pub(super) fn outer_motion(pool: &mut Pool, time: SymbolId, slots: &Slots) -> Motion {
    let mut motion = Motion::default();
    motion.insert(time, pool.constant(1.0));
    let blocks = slots.layout.blocks();
    let pairs = [
        (&slots.inputs, &slots.input_rates),
        (&slots.delayed, &slots.delayed_rates),
    ];
    for (values, rates) in pairs {
        let within = |range: &std::ops::Range<usize>| {
            let range = range.clone();
            let inside = move |block: &&super::Block| range.contains(&block.offset);
            blocks.iter().filter(inside).map(|block| block.symbol)
        };
        for (value, rate) in within(values).zip(within(rates)) {
            motion.insert(value, pool.symbol(rate));
        }
    }
    motion
}

/// The partial derivative of each drift by time; empty when all are zero.
pub(super) fn time_derivative(pool: &mut Pool, drift: &[Expr], motion: &Motion) -> Vec<Expr> {
    let symbols: FxHashSet<SymbolId> = motion.keys().copied().collect();
    if dependents(pool, drift, &symbols).is_empty() {
        return Vec::new();
    }
    let derivative = directional_along(pool, drift, motion);
    if derivative.iter().all(|expr| pool.is_zero(*expr)) {
        return Vec::new();
    }
    derivative
}

/// Total time derivatives along the solution.
pub(super) fn along_solution(
    pool: &mut Pool,
    of: &[Expr],
    outer: &Motion,
    states: &Layout,
    drift: &[Expr],
    is_algebraic: &[bool],
) -> Vec<Expr> {
    let mut motion = outer.clone();
    let mut algebraic = FxHashSet::default();
    for (at, block) in states.blocks().iter().enumerate() {
        if is_algebraic.get(at) == Some(&true) {
            algebraic.insert(block.symbol);
        } else if let Some(drift) = drift.get(at) {
            motion.insert(block.symbol, *drift);
        }
    }
    if !dependents(pool, of, &algebraic).is_empty() {
        let residuals: Vec<Expr> = (drift.iter().zip(is_algebraic))
            .filter(|(_, is_algebraic)| **is_algebraic)
            .map(|(drift, _)| *drift)
            .collect();
        let symbols: Vec<SymbolId> = (states.blocks().iter().zip(is_algebraic))
            .filter(|(_, is_algebraic)| **is_algebraic)
            .map(|(block, _)| block.symbol)
            .collect();
        let rates = implicit_rates(pool, &residuals, &symbols, &motion);
        motion.extend(symbols.into_iter().zip(rates));
    }
    directional_along(pool, of, &motion)
}

/// How fast algebraic states z move so that 0 = g(t, y, z) goes on to hold:
/// z' = -(dg/dz)^-1 (dg/dt + dg/dy y').
fn implicit_rates(
    pool: &mut Pool,
    residuals: &[Expr],
    symbols: &[SymbolId],
    motion: &Motion,
) -> Vec<Expr> {
    let moved = directional_along(pool, residuals, motion);
    let mut parts = Vec::new();
    for expr in moved {
        parts.extend((0..pool.shape(expr).len()).map(|k| (expr, k)));
    }
    let parts: Vec<Expr> = (parts.into_iter())
        .map(|(expr, k)| pool.element(expr, k))
        .collect();
    let n = parts.len();
    let flat = if n == 1 {
        Shape::Scalar
    } else {
        Shape::Vector(n)
    };
    let moved = pool.stack(parts, flat);
    let matrix = system_jacobian(pool, residuals, symbols).materialise(pool);
    let solution = match pool.inverse(matrix) {
        Ok(inverse) => pool.product(inverse, moved).unwrap_or(moved),
        Err(_) => moved,
    };
    let solution = pool.neg(solution);
    let mut next = 0;
    symbols
        .iter()
        .map(|symbol| {
            let shape = pool.symbol_data(*symbol).shape;
            let parts = (next..next + shape.len())
                .map(|k| pool.element(solution, k))
                .collect();
            next += shape.len();
            pool.stack(parts, shape)
        })
        .collect()
}
