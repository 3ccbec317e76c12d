//! Runge-Kutta methods of strong order 3/2 with an estimate of the error of each step.
//!
//! Enters: [`Equations`]. Leaves: symbols of increments W and areas H, the state after a step and
//! behind it the estimate. Must not know who compares the estimate with a tolerance.
//!
//! For additive noise SRA1, for scalar and diagonal noise SRIW1: A. Rossler, SIAM J. Numer. Anal. 48
//! (2010) 922-952, tables 6.3 and 6.2. The estimate is the difference to the method of strong order
//! 1 that is embedded: Euler's drift, and the noise without the terms of order 3/2 (as by C.
//! Rackauckas, Q. Nie, Discrete Contin. Dyn. Syst. B 22 (2017) 2731-2761).
//!
//! The integrals of a step, over its length or a power of that:
//!
//! - `I(1,0)/h` = W/2 + H,
//! - `I(1,1)/sqrt(h)` = (W^2 - h) / (2 sqrt(h)),
//! - `I(1,1,1)/h` = (W^3 - 3 h W) / (6 h).

use super::equations::Equations;
use super::{NoiseStructure, Unsuited, noise_structure};
use crate::symbolic::Expr;
use crate::system::Layout;

/// SRIW1: at each stage of the noise, the time c and the weights of f(y), and of the noise at
/// earlier stages times sqrt(h).
const STAGES: [(f64, f64, &[f64]); 4] = [
    (0.0, 0.0, &[]),
    (0.25, 0.25, &[0.5]),
    (1.0, 1.0, &[-1.0]),
    (0.25, 0.25, &[-5.0, 3.0, 0.5]),
];

/// The weights of the noise of each stage in the state after the step: of W, I(1,1)/sqrt(h),
/// I(1,0)/h, I(1,1,1)/h.
const WEIGHTS: [[f64; 4]; 4] = [
    [-1.0, -1.0, 2.0, -2.0],
    [4.0 / 3.0, 4.0 / 3.0, -4.0 / 3.0, 5.0 / 3.0],
    [2.0 / 3.0, -1.0 / 3.0, -2.0 / 3.0, -2.0 / 3.0],
    [0.0, 0.0, 0.0, 1.0],
];

/// The step of the method that the noise allows.
pub(super) fn srk(equations: &mut Equations<'_>) -> Result<(Layout, Vec<Expr>), Unsuited> {
    let is_additive = match noise_structure(equations.system, equations.noise) {
        NoiseStructure::Additive => true,
        NoiseStructure::Decoupled => false,
        NoiseStructure::Commutative { coupled: columns } | NoiseStructure::General { columns } => {
            return Err(Unsuited::Coupled { columns });
        }
    };
    let (mut symbols, increments) = equations.vectors("W");
    let (areas, h) = equations.vectors("H");
    symbols.extend(areas);
    let mut integrals = Vec::with_capacity(increments.len());
    for (w, h) in increments.iter().zip(&h) {
        let half = equations.pool.scale(0.5, *w);
        integrals.push(equations.pool.add(half, *h));
    }
    let drift = equations.ito_drift();
    // Where the drift is looked at within the step, the noise is that of the end (SRA1) or the
    // start (SRIW1).
    let pushed = equations.along(&integrals, None);
    let pushed = if is_additive {
        let states = equations.states.clone();
        equations.at_stage(&pushed, 1.0, &states)
    } else {
        pushed
    };
    let second = second_drift(equations, &drift, &pushed);
    let noise = if is_additive {
        additive(equations, &increments, &integrals)
    } else {
        decoupled(equations, &drift, &increments, &integrals)
    };
    let (next, errors) = join(equations, &drift, &second, noise);
    Ok((equations.layout(symbols), [next, errors].concat()))
}

/// f at three quarters of the step.
fn second_drift(equations: &mut Equations<'_>, drift: &[Expr], pushed: &[Expr]) -> Vec<Expr> {
    let slope = equations.pool.scale(0.75, equations.step);
    let by_drift = equations.times(slope, drift);
    let three_halves = equations.pool.constant(1.5);
    let by_noise = equations.times(three_halves, pushed);
    let states = equations.states.clone();
    let stage = equations.sums(&states, &by_drift);
    let stage = equations.sums(&stage, &by_noise);
    equations.at_stage(drift, 0.75, &stage)
}

/// What the noise adds to the state, and which part of it is of order 3/2.
type NoiseTerms = (Vec<Expr>, Vec<Expr>);

/// b(t + h) W + (b(t) - b(t + h)) I(1,0)/h.
fn additive(equations: &mut Equations<'_>, increments: &[Expr], integrals: &[Expr]) -> NoiseTerms {
    let states = equations.states.clone();
    let whole = equations.along(increments, None);
    let whole = equations.at_stage(&whole, 1.0, &states);
    let at_start = equations.along(integrals, None);
    let at_end = equations.at_stage(&at_start, 1.0, &states);
    let mut change = Vec::with_capacity(states.len());
    for (a, b) in at_start.iter().zip(&at_end) {
        change.push(equations.pool.sub(*a, *b));
    }
    let sum = equations.sums(&whole, &change);
    (sum, change)
}

fn decoupled(
    equations: &mut Equations<'_>,
    drift: &[Expr],
    increments: &[Expr],
    integrals: &[Expr],
) -> NoiseTerms {
    let root = equations.root;
    let ones = equations.uniform(1.0, |_| true);
    let unit = equations.along(&ones, None);
    let unit = equations.times(root, &unit);
    // sqrt(h) times the noise at each stage, all columns together: none feels another.
    let mut stages: Vec<Vec<Expr>> = Vec::new();
    let mut noise: Vec<Vec<Expr>> = Vec::new();
    for (fraction, of_drift, of_noise) in STAGES {
        let mut stage = equations.states.clone();
        let slope = equations.pool.scale(of_drift, equations.step);
        let moved = equations.times(slope, drift);
        stage = equations.sums(&stage, &moved);
        for (weight, earlier) in of_noise.iter().zip(&noise) {
            let weight = equations.pool.constant(*weight);
            let moved = equations.times(weight, earlier);
            stage = equations.sums(&stage, &moved);
        }
        noise.push(equations.at_stage(&unit, fraction, &stage));
        stages.push(stage);
    }
    let (squares, cubes) = iterated(equations, increments);
    let mut sum: Option<Vec<Expr>> = None;
    let mut higher: Option<Vec<Expr>> = None;
    for (stage, ((fraction, ..), weights)) in stages.iter().zip(STAGES.into_iter().zip(WEIGHTS)) {
        let of = |equations: &mut Equations<'_>, pairs: [(f64, &[Expr]); 2]| {
            let vectors = combination(equations, pairs);
            let along = equations.along(&vectors, None);
            equations.at_stage(&along, fraction, stage)
        };
        let low = of(
            equations,
            [(weights[0], increments), (weights[1], &squares)],
        );
        let high = of(equations, [(weights[2], integrals), (weights[3], &cubes)]);
        let both = equations.sums(&low, &high);
        sum = Some(match sum {
            Some(sum) => equations.sums(&sum, &both),
            None => both,
        });
        higher = Some(match higher {
            Some(higher) => equations.sums(&higher, &high),
            None => high,
        });
    }
    let nothing = Vec::new;
    (sum.unwrap_or_else(nothing), higher.unwrap_or_else(nothing))
}

/// I(1,1)/sqrt(h) and I(1,1,1)/h.
fn iterated(equations: &mut Equations<'_>, increments: &[Expr]) -> (Vec<Expr>, Vec<Expr>) {
    let (h, root) = (equations.step, equations.root);
    let pool = &mut equations.pool;
    let (mut squares, mut cubes) = (Vec::new(), Vec::new());
    for w in increments {
        let square = pool.mul(*w, *w);
        let above = pool.sub(square, h);
        let twice = pool.scale(2.0, root);
        squares.push(pool.div(above, twice));
        let three = pool.scale(3.0, h);
        let above = pool.sub(square, three);
        let above = pool.mul(above, *w);
        let six = pool.scale(6.0, h);
        cubes.push(pool.div(above, six));
    }
    (squares, cubes)
}

/// Weighted sums of vectors.
fn combination(equations: &mut Equations<'_>, pairs: [(f64, &[Expr]); 2]) -> Vec<Expr> {
    let pool = &mut equations.pool;
    let [(a, first), (b, second)] = pairs;
    let both = first.iter().zip(second);
    both.map(|(x, y)| {
        let (x, y) = (pool.scale(a, *x), pool.scale(b, *y));
        pool.add(x, y)
    })
    .collect()
}

/// The state after the step, and its difference to the embedded method.
fn join(
    equations: &mut Equations<'_>,
    first: &[Expr],
    second: &[Expr],
    (noise, higher): NoiseTerms,
) -> (Vec<Expr>, Vec<Expr>) {
    let third = equations.pool.scale(1.0 / 3.0, equations.step);
    let two_thirds = equations.pool.scale(2.0 / 3.0, equations.step);
    let states = equations.states.clone();
    let moved = equations.times(third, first);
    let next = equations.sums(&states, &moved);
    let moved = equations.times(two_thirds, second);
    let next = equations.sums(&next, &moved);
    let next = equations.sums(&next, &noise);
    let mut change = Vec::with_capacity(first.len());
    for (a, b) in first.iter().zip(second) {
        change.push(equations.pool.sub(*b, *a));
    }
    let change = equations.times(two_thirds, &change);
    let errors = equations.sums(&change, &higher);
    (next, errors)
}
