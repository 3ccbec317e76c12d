//! What in the equations decides how the state gets from datum to datum.
//!
//! Enters: a system with noise. Leaves: [`Reasons`]: the Jacobian of the drift as expressions, and
//! every [`Obstacle`] to the exact transition by position. Must not know names.

use crate::symbolic::{Expr, Pool, SymbolId, dependents};
use crate::system::{System, local_moments, moving_slots, packed};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The symbols behind a route.
#[derive(Debug, Clone)]
pub struct Reasons {
    /// Holds the expressions.
    pub pool: Arc<Pool>,
    /// n: how many states there are.
    pub dimension: usize,
    /// The derivatives of the drift by the states, n by n, column by column.
    pub jacobian: Vec<Expr>,
    /// What stands against the exact transition; empty where it is taken.
    pub obstacles: Vec<Obstacle>,
}

/// Something that keeps the transition from being known exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// A derivative of the drift depends on the state: the drift is not linear.
    NotLinear {
        /// Whose drift.
        row: usize,
        /// By which state.
        column: usize,
        /// The derivative.
        entry: Expr,
    },
    /// A derivative of the drift depends on time or an input: its coefficients are not constant.
    NotConstant {
        /// Whose drift.
        row: usize,
        /// By which state.
        column: usize,
        /// The derivative.
        entry: Expr,
    },
    /// A drift is moved by time or an input, beside the states.
    Driven {
        /// Whose drift.
        row: usize,
        /// The drift.
        drift: Expr,
    },
    /// The variance of the noise of a state per time depends on the state: it is not additive.
    NotAdditive {
        /// Whose noise.
        row: usize,
        /// Its variance per time.
        variance: Expr,
    },
    /// The variance of the noise of a state per time depends on time or an input.
    NoiseNotConstant {
        /// Whose noise.
        row: usize,
        /// Its variance per time.
        variance: Expr,
    },
    /// The drift has conditions on the state or on time.
    Conditions,
    /// Doses are given.
    Doses,
}

/// Looks at the symbols; `None` without noise.
#[must_use]
pub fn reasons(system: &System) -> Option<Reasons> {
    let (pool, all) = local_moments(system)?;
    let n = system.dimension();
    let (drift, rest) = all.split_at_checked(n)?;
    let (jacobian, spread) = rest.split_at_checked(n * n)?;
    let own: FxHashSet<SymbolId> = (system.states.blocks().iter())
        .map(|block| block.symbol)
        .collect();
    let mut moving: FxHashSet<SymbolId> = moving_slots(&system.slots).collect();
    moving.insert(system.time);
    let (by_state, by_time) = (
        dependents(&pool, &all, &own),
        dependents(&pool, &all, &moving),
    );
    let mut obstacles = Vec::new();
    for (at, entry) in jacobian.iter().copied().enumerate() {
        let (row, column) = (at % n, at / n);
        if by_state.contains(&entry) {
            obstacles.push(Obstacle::NotLinear { row, column, entry });
        } else if by_time.contains(&entry) {
            obstacles.push(Obstacle::NotConstant { row, column, entry });
        }
    }
    for (row, drift) in drift.iter().copied().enumerate() {
        let is_told = obstacles.iter().any(|known| match known {
            Obstacle::NotLinear { row: told, .. } | Obstacle::NotConstant { row: told, .. } => {
                *told == row
            }
            _ => false,
        });
        if !is_told && by_time.contains(&drift) {
            obstacles.push(Obstacle::Driven { row, drift });
        }
    }
    for row in 0..n {
        let Some(variance) = spread.get(packed(n, row, row)).copied() else {
            continue;
        };
        if by_state.contains(&variance) {
            obstacles.push(Obstacle::NotAdditive { row, variance });
        } else if by_time.contains(&variance) {
            obstacles.push(Obstacle::NoiseNotConstant { row, variance });
        }
    }
    if system.guards.iter().any(|guard| guard.in_drift) {
        obstacles.push(Obstacle::Conditions);
    }
    if !system.doses.is_empty() {
        obstacles.push(Obstacle::Doses);
    }
    Some(Reasons {
        jacobian: jacobian.to_vec(),
        dimension: n,
        obstacles,
        pool,
    })
}
