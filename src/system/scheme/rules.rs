//! The methods, as expressions.
//!
//! Enters: [`Equations`]. Leaves: symbols of normal numbers, and the state after a step of length
//! h from y at t. Must not know who compiles.
//!
//! - Euler-Maruyama: y + f h + B dW, dW = sqrt(h) z. G. Maruyama, Rend. Circ. Mat. Palermo 4 (1955)
//!   48-90.
//! - Milstein, for columns that commute: with g = B dW and the drift F of the Stratonovich form,
//!   y + F h + g + 1/2 (dg/dy) g. P. E. Kloeden, E. Platen, Numerical Solution of Stochastic
//!   Differential Equations (1992), section 10.3, formula 3.16, where both senses are told apart by
//!   the drift alone.
//! - SRA1, for additive noise: A. Rossler, SIAM J. Numer. Anal. 48 (2010) 922-952, table 6.3. With
//!   I = dW and J = (integral of W over the step) / h, which is sqrt(h) (z1 + z2/sqrt(3)) / 2.

use super::equations::Equations;
use super::{NoiseStructure, Unsuited, noise_structure};
use crate::symbolic::Expr;
use crate::system::Layout;

/// 1 / sqrt(3).
const ROOT_OF_THIRD: f64 = 0.577_350_269_189_625_8;

type Step = (Layout, Vec<Expr>);

pub(super) fn euler_maruyama(equations: &mut Equations<'_>) -> Step {
    let (symbols, z) = equations.vectors("z");
    let drift = equations.ito_drift();
    let moved = moved(equations, &drift);
    let noise = equations.along(&z, Some(equations.root));
    let next = equations.sums(&moved, &noise);
    (equations.layout(symbols), next)
}

pub(super) fn noise_only(equations: &mut Equations<'_>) -> Step {
    let (symbols, z) = equations.vectors("z");
    let noise = equations.along(&z, Some(equations.root));
    let start = match equations.noise.correction.clone() {
        Some(correction) => moved(equations, &correction),
        None => equations.states.clone(),
    };
    let next = equations.sums(&start, &noise);
    (equations.layout(symbols), next)
}

pub(super) fn milstein(equations: &mut Equations<'_>) -> Result<Step, Unsuited> {
    let decoupled = match noise_structure(equations.system, equations.noise) {
        NoiseStructure::Additive => return Ok(euler_maruyama(equations)),
        NoiseStructure::Decoupled => true,
        NoiseStructure::Commutative { .. } => false,
        NoiseStructure::General { columns } => return Err(Unsuited::NotCommutative { columns }),
    };
    let (symbols, z) = equations.vectors("z");
    let drift = equations.stratonovich_drift(decoupled);
    let moved = moved(equations, &drift);
    let noise = equations.along(&z, Some(equations.root));
    let change = equations.derivative(&noise, &noise);
    let half = equations.pool.constant(0.5);
    let change = equations.times(half, &change);
    let next = equations.sums(&moved, &noise);
    let next = equations.sums(&next, &change);
    Ok((equations.layout(symbols), next))
}

pub(super) fn sra1(equations: &mut Equations<'_>) -> Result<Step, Unsuited> {
    let structure = noise_structure(equations.system, equations.noise);
    if structure != NoiseStructure::Additive {
        let column = super::structure::first_varying(equations.system, equations.noise);
        return Err(Unsuited::NotAdditive { column });
    }
    let (mut symbols, z1) = equations.vectors("z");
    let (more, z2) = equations.vectors("z");
    symbols.extend(more);
    // Both without the factor sqrt(h).
    let pool = &mut equations.pool;
    let mut integrals = Vec::with_capacity(z1.len());
    for (z1, z2) in z1.iter().zip(&z2) {
        let second = pool.scale(ROOT_OF_THIRD, *z2);
        let sum = pool.add(*z1, second);
        integrals.push(pool.scale(0.5, sum));
    }
    let root = equations.root;
    let at_start = equations.along(&integrals, Some(root));
    let states = equations.states.clone();
    let at_end = equations.at_stage(&at_start, 1.0, &states);
    let drift = equations.ito_drift();
    // The second stage of the drift.
    let slope = equations.pool.scale(0.75, equations.step);
    let by_drift = equations.times(slope, &drift);
    let three_halves = equations.pool.constant(1.5);
    let by_noise = equations.times(three_halves, &at_end);
    let stage = equations.sums(&states, &by_drift);
    let stage = equations.sums(&stage, &by_noise);
    let second = equations.at_stage(&drift, 0.75, &stage);
    let third = equations.pool.scale(1.0 / 3.0, equations.step);
    let two_thirds = equations.pool.scale(2.0 / 3.0, equations.step);
    let first = equations.times(third, &drift);
    let second = equations.times(two_thirds, &second);
    let increments = equations.along(&z1, Some(root));
    let increments = equations.at_stage(&increments, 1.0, &states);
    let mut next = states;
    for term in [first, second, increments] {
        next = equations.sums(&next, &term);
    }
    if at_start != at_end {
        let minus = equations.pool.constant(-1.0);
        let minus = equations.times(minus, &at_end);
        let change = equations.sums(&at_start, &minus);
        next = equations.sums(&next, &change);
    }
    Ok((equations.layout(symbols), next))
}

/// y + h times a drift.
fn moved(equations: &mut Equations<'_>, drift: &[Expr]) -> Vec<Expr> {
    let change = equations.times(equations.step, drift);
    let states = equations.states.clone();
    equations.sums(&states, &change)
}
