//! Geometric Brownian motion: equations that are linear with additive noise in the logarithms of
//! their states.
//!
//! Where every state feels dx = a x dt + x sum g_k dW_k with a and g_k free of states, Itô's formula
//! gives d ln x = (a - sum g_k^2/2) dt + sum g_k dW_k (F. Black, M. Scholes, J. Political Economy
//! 81, 637, 1973; P. E. Kloeden, E. Platen, Numerical Solution of Stochastic Differential
//! Equations, 1992, section 4.4).
//!
//! Enters: a system with noise, read in the Itô sense. Leaves: that of the logarithms, `None` where
//! the symbols do not show this form.

use super::moments::{Entries, entries};
use super::{Contribution, Jacobian, Layout, Noise, Source, System, jacobian, rates, tangent};
use crate::symbolic::{Expr, Pool, SymbolId, Unary, dependents, substitute_all};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The same system in the logarithms of its states.
#[derive(Debug, Clone)]
pub struct Logarithmic {
    /// Its states stand for the logarithms, in the same order and shapes.
    pub system: System,
    /// What each state's symbol becomes: the exponential of the new one.
    pub replacements: FxHashMap<SymbolId, Expr>,
}

/// The system of logarithms of a geometric Brownian motion.
#[must_use]
pub fn logarithmic(system: &System) -> Option<Logarithmic> {
    let system = system.in_ito_form();
    let noise = system.noise.clone()?;
    let is_wiener = |known: &Source| matches!(known, Source::Wiener { .. });
    if !noise.multiplicative || !system.is_undisturbed() || !noise.columns.iter().all(is_wiener) {
        return None;
    }
    let mut pool = Pool::continuing(&system.pool);
    let blocks = system.states.blocks();
    let own: FxHashSet<SymbolId> = blocks.iter().map(|block| block.symbol).collect();
    let mut origin = FxHashMap::default();
    for block in blocks {
        origin.insert(block.symbol, pool.zero(block.shape));
    }
    let growth = growth(&mut pool, &system, &own, &origin)?;
    let spread = spread(&mut pool, &system, &noise.factor, (&own, &origin))?;
    let symbols: Vec<SymbolId> = (blocks.iter())
        .map(|block| pool.new_symbol("logarithm", block.shape))
        .collect();
    let mut replacements = FxHashMap::default();
    for (block, symbol) in blocks.iter().zip(&symbols) {
        let logarithm = pool.symbol(*symbol);
        replacements.insert(block.symbol, pool.unary(Unary::Exp, logarithm));
    }
    let rates = drifts(&mut pool, growth, &spread);
    let drift: Vec<Expr> = (blocks.iter())
        .map(|block| pool.stack(rates[block.range()].to_vec(), block.shape))
        .collect();
    let states = Layout::new(&pool, symbols.into_iter());
    let initial = substitute_all(&mut pool, &system.initial, &replacements);
    let initial = initial.iter().map(|value| pool.unary(Unary::Log, *value));
    let initial = initial.collect();
    let jacobian = jacobian::derive(&mut pool, &states, &drift);
    let motion = rates::outer_motion(&mut pool, system.time, &system.slots);
    let time_derivative = rates::time_derivative(&mut pool, &drift, &motion);
    let directions = tangent::directions(&mut pool, &states, &system.parameters, &system.slots);
    let factor = of_entries(&noise.factor, &spread);
    let noise = Noise {
        diffusion: factor.clone(),
        factor,
        correction: None,
        multiplicative: false,
        affine: true,
        ..(*noise).clone()
    };
    let system = System {
        pool: Arc::new(pool),
        states,
        directions,
        frozen_drift: drift.clone(),
        frozen_jacobian: jacobian.clone(),
        drift,
        jacobian,
        time_derivative,
        initial,
        noise: Some(Arc::new(noise)),
        ..system
    };
    Some(Logarithmic {
        system,
        replacements,
    })
}

/// a of each state; `None` where a drift is not a x.
fn growth(
    pool: &mut Pool,
    system: &System,
    own: &FxHashSet<SymbolId>,
    origin: &FxHashMap<SymbolId, Expr>,
) -> Option<Vec<Expr>> {
    let slopes = entries(pool, &system.jacobian);
    let is_diagonal = |((i, j), expr): (&(usize, usize), &Expr)| i == j || pool.is_zero(*expr);
    if !slopes.iter().all(is_diagonal) {
        return None;
    }
    let at_zero = substitute_all(pool, &system.drift, origin);
    let slopes_only: Vec<Expr> = slopes.values().copied().collect();
    if !at_zero.iter().all(|expr| pool.is_zero(*expr))
        || !dependents(pool, &slopes_only, own).is_empty()
    {
        return None;
    }
    let zero = pool.constant(0.0);
    let all = 0..system.dimension();
    Some(
        all.map(|i| slopes.get(&(i, i)).copied().unwrap_or(zero))
            .collect(),
    )
}

/// g by state and column; `None` where an entry of B is not g x.
fn spread(
    pool: &mut Pool,
    system: &System,
    factor: &Jacobian,
    (own, origin): (&FxHashSet<SymbolId>, &FxHashMap<SymbolId, Expr>),
) -> Option<Entries> {
    let numbers = entries(pool, factor);
    let exprs: Vec<Expr> = numbers.values().copied().collect();
    let at_zero = substitute_all(pool, &exprs, origin);
    if !at_zero.iter().all(|expr| pool.is_zero(*expr)) {
        return None;
    }
    let places: Vec<(usize, usize)> = numbers.keys().copied().collect();
    let symbols = exprs.iter().map(|_| crate::symbolic::Shape::Scalar);
    let symbols: Vec<SymbolId> = symbols
        .map(|shape| pool.new_symbol("entry", shape))
        .collect();
    let rows = Layout::new(pool, symbols.into_iter());
    let slopes = jacobian::by_symbols(pool, &rows, &exprs, &system.states);
    let slopes = entries(pool, &slopes);
    let mut spread = Entries::new();
    for ((at, state), slope) in slopes {
        let place = *places.get(at)?;
        if pool.is_zero(slope) {
            continue;
        }
        if place.0 != state || !dependents(pool, &[slope], own).is_empty() {
            return None;
        }
        spread.insert(place, slope);
    }
    Some(spread)
}

/// a - sum g^2/2 of each state.
fn drifts(pool: &mut Pool, growth: Vec<Expr>, spread: &Entries) -> Vec<Expr> {
    let mut rates = growth;
    for ((state, _), g) in spread {
        let squared = pool.mul(*g, *g);
        let half = pool.scale(0.5, squared);
        if let Some(rate) = rates.get_mut(*state) {
            *rate = pool.sub(*rate, half);
        }
    }
    rates
}

/// A matrix of the same pattern with these entries.
fn of_entries(like: &Jacobian, entries: &Entries) -> Jacobian {
    let places = like.pattern.places().enumerate();
    let contributions = places.filter_map(|(at, place)| {
        Some(Contribution {
            expr: *entries.get(&place)?,
            entries: Box::new([u32::try_from(at).ok()?]),
        })
    });
    Jacobian {
        contributions: contributions.collect(),
        pattern: like.pattern.clone(),
        blocks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use crate::system::derive;

    fn is_geometric(equations: &str) -> bool {
        let text = format!(
            "param mu = 0.1, s = 0.2, r = 0.3\nwiener W, V\nstate x = 1, z = 2\n{equations}"
        );
        logarithmic(&derive(&Model::of_text(&text))).is_some()
    }

    #[test]
    fn only_geometric_motion_is_taken() {
        assert!(is_geometric(
            "x' = mu*x + s*x*W'\nz' = -r*z + z*(s*W' + r*V')"
        ));
        assert!(!is_geometric("x' = mu*x + s*x*W'\nz' = -r*x + z*V'"));
        assert!(!is_geometric("x' = mu*x + s*x*W'\nz' = -r*z + 1 + z*V'"));
        assert!(!is_geometric("x' = mu*x + s*x*W'\nz' = -r*z + s*V'"));
        assert!(!is_geometric(
            "x' = mu*x*(1 - x) + s*x*W'\nz' = -r*z + z*V'"
        ));
        assert!(!is_geometric("x' = mu*x + s*x*W'\nz' = -r*z + x*V'"));
    }
}
