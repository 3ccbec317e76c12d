//! Large systems. The bounds are for a debug build on a slow machine, loose enough never to fail
//! by chance and tight enough to show a quadratic cost.

use crate::symbolic::{Expr, Operator, Pool, Shape, jacobian, system_jacobian};
use std::time::{Duration, Instant};

/// `k*x[i]*x[j] - d*x[i] + p*x[j]` with three neighbours each.
fn mass_action(pool: &mut Pool, x: &[Expr], constants: &[Expr], i: usize) -> Expr {
    let n = x.len();
    let (own, next, other) = (x[i], x[(i + 1) % n], x[(i * 7 + 3) % n]);
    let (k, d, p) = (
        constants[i % 5],
        constants[(i + 1) % 5],
        constants[(i + 2) % 5],
    );
    let binding = pool.mul(k, own);
    let binding = pool.mul(binding, next);
    let decay = pool.mul(d, own);
    let source = pool.mul(p, other);
    let gain = pool.sub(source, binding);
    pool.sub(gain, decay)
}

#[test]
fn a_thousand_states_are_differentiated_at_once() {
    let mut pool = Pool::new();
    let states: Vec<_> = (0..1000)
        .map(|i| pool.new_symbol(format!("x{i}"), Shape::Scalar))
        .collect();
    let x: Vec<Expr> = states.iter().map(|&state| pool.symbol(state)).collect();
    let constants: Vec<Expr> = (0..5)
        .map(|i| {
            let symbol = pool.new_symbol(format!("k{i}"), Shape::Scalar);
            pool.symbol(symbol)
        })
        .collect();
    let drift: Vec<Expr> = (0..1000)
        .map(|i| mass_action(&mut pool, &x, &constants, i))
        .collect();
    let start = Instant::now();
    let operator = system_jacobian(&mut pool, &drift, &states);
    let scalars = start.elapsed();
    let Operator::Entries { entries, .. } = operator else {
        panic!("a system of scalars has entries");
    };
    assert!(entries.len() > 2900, "{}", entries.len());

    let vector = pool.new_symbol("u", Shape::Vector(1000));
    let u = pool.symbol(vector);
    let x: Vec<Expr> = (0..1000).map(|i| pool.element(u, i)).collect();
    let elements = (0..1000)
        .map(|i| mass_action(&mut pool, &x, &constants, i))
        .collect();
    let stack = pool.stack(elements, Shape::Vector(1000));
    let start = Instant::now();
    let operator = jacobian(&mut pool, stack, vector);
    let unrolled = start.elapsed();
    assert!(matches!(operator, Operator::Entries { .. }));
    println!("scalars {scalars:?}, unrolled {unrolled:?}");
    assert!(scalars < Duration::from_millis(500) && unrolled < Duration::from_millis(500));
}
