//! Simplification and the constructors.

use crate::symbolic::{Binary, Expr, Pool, Shape, Unary, Value, evaluate, substitute, symbols_of};

fn scalar(pool: &mut Pool, name: &str) -> Expr {
    let id = pool.new_symbol(name, Shape::Scalar);
    pool.symbol(id)
}

#[test]
fn neutral_elements_vanish() {
    let mut p = Pool::new();
    let x = scalar(&mut p, "x");
    let (zero, one) = (p.constant(0.0), p.constant(1.0));
    assert_eq!(p.add(x, zero), x);
    assert_eq!(p.mul(one, x), x);
    assert_eq!(p.mul(x, zero), zero);
    assert_eq!(p.sub(x, x), zero);
    assert_eq!(p.power(x, 1.0), x);
    assert_eq!(p.power(x, 0.0), one);
    let minus = p.neg(x);
    assert_eq!(p.neg(minus), x);
    assert_eq!(p.sub(zero, x), minus);
}

#[test]
fn exchanged_operands_are_found_and_source_order_stays() {
    let mut p = Pool::new();
    let (x, y) = (scalar(&mut p, "x"), scalar(&mut p, "y"));
    let yx = p.mul(y, x);
    let xy = p.mul(x, y);
    assert_eq!(xy, yx);
    assert_ne!(p.sub(x, y), p.sub(y, x));
}

#[test]
fn roots_of_squares_stay() {
    let mut p = Pool::new();
    let x = scalar(&mut p, "x");
    let square = p.power(x, 2.0);
    let root = p.power(square, 0.5);
    assert_ne!(root, x);
    // sqrt((-3)^2) = 3.
    assert_eq!(evaluate(&p, root, &|_| Value::scalar(-3.0)).number(), 3.0);
}

#[test]
fn a_guard_protects_the_branch_not_taken() {
    let mut p = Pool::new();
    let x = scalar(&mut p, "x");
    let (zero, one) = (p.constant(0.0), p.constant(1.0));
    let positive = p.binary(Binary::Greater, x, zero).unwrap();
    let guard = p.conditional(positive, one, zero).unwrap();
    let log = p.unary(Unary::Log, x);
    let product = p.mul(guard, log);
    assert_eq!(evaluate(&p, product, &|_| Value::scalar(0.0)).number(), 0.0);
}

#[test]
fn elements_go_through_operations() {
    let mut p = Pool::new();
    let v = p.new_symbol("v", Shape::Vector(3));
    let v = p.symbol(v);
    let k = scalar(&mut p, "k");
    let exp = p.unary(Unary::Exp, v);
    let scaled = p.mul(k, exp);
    let element = p.element(scaled, 2);
    let alone = p.element(v, 2);
    let exp = p.unary(Unary::Exp, alone);
    assert_eq!(element, p.mul(k, exp));
    let all = (0..3).map(|i| p.element(v, i)).collect();
    assert_eq!(p.stack(all, Shape::Vector(3)), v);
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let mut p = Pool::new();
    let v = p.new_symbol("v", Shape::Vector(3));
    let w = p.new_symbol("w", Shape::Vector(2));
    let m = p.new_symbol("m", Shape::Matrix(2, 3));
    let (v, w, m) = (p.symbol(v), p.symbol(w), p.symbol(m));
    assert!(p.binary(Binary::Add, v, w).is_err());
    assert!(p.product(v, v).is_err());
    assert!(p.product(m, w).is_err());
    assert!(p.inverse(m).is_err());
    assert!(p.dot(v, w).is_err());
    let product = p.product(m, v).unwrap();
    assert_eq!(p.shape(product), Shape::Vector(2));
}

#[test]
fn substitution_is_simultaneous_and_simplifies() {
    let mut p = Pool::new();
    let x = p.new_symbol("x", Shape::Scalar);
    let y = p.new_symbol("y", Shape::Scalar);
    let (ex, ey) = (p.symbol(x), p.symbol(y));
    let difference = p.sub(ex, ey);
    let swapped = substitute(
        &mut p,
        difference,
        &[(x, ey), (y, ex)].into_iter().collect(),
    );
    assert_eq!(swapped, p.sub(ey, ex));
    let zero = substitute(&mut p, difference, &[(x, ey)].into_iter().collect());
    assert_eq!(p.as_constant(zero), Some(0.0));
    assert_eq!(symbols_of(&p, difference).len(), 2);
}

/// Walks must not recurse: 100,000 nested operations would overflow the stack.
#[test]
fn deep_expressions_are_no_problem() {
    let mut p = Pool::new();
    let x = p.new_symbol("x", Shape::Scalar);
    let y = p.new_symbol("y", Shape::Scalar);
    let (ex, ey) = (p.symbol(x), p.symbol(y));
    let mut deep = ex;
    for _ in 0..100_000 {
        let sine = p.unary(Unary::Sin, deep);
        deep = p.add(sine, ey);
    }
    let replaced = substitute(&mut p, deep, &[(y, ex)].into_iter().collect());
    assert_eq!(symbols_of(&p, replaced).len(), 1);
    assert!(
        evaluate(&p, replaced, &|_| Value::scalar(0.1))
            .number()
            .is_finite()
    );
}
