//! Derivatives of known functions, and of every built-in.

use crate::symbolic::{
    Binary, Builtin, Expr, Operation, Pool, Shape, Unary, Value, derivative, derivatives,
    directional, evaluate, expand_gradients, gradient,
};

fn at(pool: &Pool, expr: Expr, x: f64) -> f64 {
    evaluate(pool, expr, &|_| Value::scalar(x)).number()
}

/// Five-point differences (Abramowitz and Stegun, 25.3.6) at points inside the domains.
#[test]
fn every_builtin_has_its_derivative() {
    for builtin in Builtin::all() {
        let Operation::Unary(operator) = builtin.operation else {
            continue;
        };
        let mut p = Pool::new();
        let x = p.new_symbol("x", Shape::Scalar);
        let ex = p.symbol(x);
        let f = p.unary(operator, ex);
        let slope = derivative(&mut p, f, x);
        let points: &[f64] = match builtin.domain {
            "1 and above" => &[1.3, 2.0, 7.5],
            "above 0" | "0 and above" => &[0.1, 0.7, 3.3, 40.0],
            "-1 to 1" | "between -1 and 1" | "above -1" => &[-0.8, -0.1, 0.3, 0.9],
            _ => &[-3.3, -0.7, 0.2, 1.1, 2.8],
        };
        for &point in points {
            let h = 1e-3;
            let f = |x: f64| operator.apply(x);
            let expected = (f(point - 2.0 * h) - 8.0 * f(point - h) + 8.0 * f(point + h)
                - f(point + 2.0 * h))
                / (12.0 * h);
            let found = at(&p, slope, point);
            assert!(
                (found - expected).abs() < 1e-7 * (1.0 + expected.abs()),
                "{} at {point}: {found}, not {expected}",
                builtin.name
            );
        }
    }
}

#[test]
fn powers_are_finite_at_zero() {
    let mut p = Pool::new();
    let (x, n) = (
        p.new_symbol("x", Shape::Scalar),
        p.new_symbol("n", Shape::Scalar),
    );
    let (ex, en) = (p.symbol(x), p.symbol(n));
    let power = p.pow(ex, en);
    let (by_x, by_n) = (derivative(&mut p, power, x), derivative(&mut p, power, n));
    let value = |pool: &Pool, expr| {
        evaluate(pool, expr, &|s| {
            Value::scalar(if s == x { 0.0 } else { 3.0 })
        })
        .number()
    };
    // d(x^3)/dx = 3x^2 = 0 and d(0^n)/dn = 0 at x = 0.
    assert_eq!(value(&p, by_x), 0.0);
    assert_eq!(value(&p, by_n), 0.0);
    let square = p.power(ex, 2.0);
    assert_eq!(derivative(&mut p, square, x), p.scale(2.0, ex));
}

#[test]
fn kinks_have_one_sided_derivatives() {
    let mut p = Pool::new();
    let x = p.new_symbol("x", Shape::Scalar);
    let ex = p.symbol(x);
    let (zero, double) = (p.constant(0.0), p.scale(2.0, ex));
    let ramp = p.binary(Binary::Maximum, zero, ex).unwrap();
    let slope = derivative(&mut p, ramp, x);
    assert_eq!((at(&p, slope, -1.0), at(&p, slope, 1.0)), (0.0, 1.0));
    let least = p.binary(Binary::Minimum, double, ex).unwrap();
    let slope = derivative(&mut p, least, x);
    assert_eq!((at(&p, slope, -1.0), at(&p, slope, 1.0)), (2.0, 1.0));
    let floor = p.unary(Unary::Floor, ex);
    let slope = derivative(&mut p, floor, x);
    assert!(p.is_zero(slope));
}

/// A guard written by the modeller also guards the derivative: sqrt has none at 0.
#[test]
fn guards_protect_gradients() {
    let mut p = Pool::new();
    let x = p.new_symbol("x", Shape::Scalar);
    let ex = p.symbol(x);
    let zero = p.constant(0.0);
    let condition = p.binary(Binary::Greater, ex, zero).unwrap();
    let root = p.unary(Unary::Sqrt, ex);
    let guarded = p.conditional(condition, root, zero).unwrap();
    let (forward, backward) = (derivative(&mut p, guarded, x), gradient(&mut p, guarded, x));
    assert_eq!((at(&p, forward, 0.0), at(&p, backward, 0.0)), (0.0, 0.0));
    assert_eq!((at(&p, forward, 4.0), at(&p, backward, 4.0)), (0.25, 0.25));
}

/// Lotka and Volterra: the Jacobian row of the prey is (alpha - beta*predator, -beta*prey).
#[test]
fn several_symbols_in_one_pass() {
    let mut p = Pool::new();
    let [prey, predator, alpha, beta] =
        ["prey", "predator", "alpha", "beta"].map(|name| p.new_symbol(name, Shape::Scalar));
    let [x, y, a, b] = [prey, predator, alpha, beta].map(|symbol| p.symbol(symbol));
    let growth = p.mul(a, x);
    let loss = p.mul(b, x);
    let loss = p.mul(loss, y);
    let drift = p.sub(growth, loss);
    let row = derivatives(&mut p, drift, &[prey, predator].into_iter().collect());
    let by = p.mul(b, y);
    let expected = p.sub(a, by);
    assert_eq!(row[0], (prey, expected));
    let bx = p.mul(b, x);
    assert_eq!(row[1], (predator, p.neg(bx)));
}

/// grad of grad: d/dx |grad_w (w . w)^2|^2 of nested gradients. With f = (w.w)^2, grad f =
/// 4 (w.w) w, its squared length is 16 (w.w)^3, whose gradient is 96 (w.w)^2 w.
#[test]
fn gradients_nest() {
    let mut p = Pool::new();
    let w = p.new_symbol("w", Shape::Vector(3));
    let ew = p.symbol(w);
    let square = p.dot(ew, ew).unwrap();
    let f = p.power(square, 2.0);
    let inner = p.gradient(f, w);
    let length = p.dot(inner, inner).unwrap();
    let outer = p.gradient(length, w);
    let expanded = expand_gradients(&mut p, outer);
    let numbers = vec![0.5, -1.0, 2.0];
    let squared: f64 = numbers.iter().map(|x| x * x).sum();
    let value = evaluate(&p, expanded, &|_| Value::vector(numbers.clone()));
    for (found, x) in value.numbers.iter().zip(&numbers) {
        let expected = 96.0 * squared * squared * x;
        assert!((found - expected).abs() < 1e-9 * expected.abs());
    }
    // The evaluator works gradients out by itself.
    assert_eq!(
        evaluate(&p, outer, &|_| Value::vector(numbers.clone())),
        value
    );
}

/// The gradient of |A x - b|^2 with respect to A is 2 (A x - b) x^T (K. B. Petersen,
/// M. S. Pedersen, The Matrix Cookbook, 2012, section 2.4).
#[test]
fn matrix_parameters_have_outer_products_as_gradients() {
    let mut p = Pool::new();
    let a = p.new_symbol("A", Shape::Matrix(2, 3));
    let x = p.new_symbol("x", Shape::Vector(3));
    let b = p.new_symbol("b", Shape::Vector(2));
    let (ea, ex, eb) = (p.symbol(a), p.symbol(x), p.symbol(b));
    let product = p.product(ea, ex).unwrap();
    let residual = p.sub(product, eb);
    let square = p.dot(residual, residual).unwrap();
    let found = gradient(&mut p, square, a);
    let twice = p.scale(2.0, residual);
    assert_eq!(found, p.outer(twice, ex).unwrap());
}

#[test]
fn deep_chains_differentiate() {
    let mut p = Pool::new();
    let x = p.new_symbol("x", Shape::Scalar);
    let ex = p.symbol(x);
    let mut deep = ex;
    for _ in 0..100_000 {
        let sine = p.unary(Unary::Sin, deep);
        deep = p.add(ex, sine);
    }
    let forward = derivative(&mut p, deep, x);
    let backward = gradient(&mut p, deep, x);
    let one = p.constant(1.0);
    let same = directional(&mut p, deep, x, one);
    assert_eq!(same, forward);
    let (a, b) = (at(&p, forward, 0.3), at(&p, backward, 0.3));
    assert!((a - b).abs() < 1e-9 * a.abs());
}

/// hill(x, k, n) and its derivatives against mpmath 1.3 with 30 digits, and at the ends.
#[test]
fn hill_functions_are_exact_at_both_ends() {
    let mut p = Pool::new();
    let [x, k, n] = ["x", "k", "n"].map(|name| p.new_symbol(name, Shape::Scalar));
    let arguments = [x, k, n].map(|symbol| p.symbol(symbol));
    let hill = Builtin::find("hill")
        .unwrap()
        .call(&mut p, &arguments)
        .unwrap();
    let slope = derivative(&mut p, hill, x);
    let bend = derivative(&mut p, slope, x);
    let (by_k, by_n) = (derivative(&mut p, hill, k), derivative(&mut p, hill, n));
    let mixed = derivative(&mut p, slope, n);
    let all = [hill, slope, bend, by_k, by_n, mixed];
    let value = |at: [f64; 3]| {
        all.map(|expr| {
            let of = |symbol| {
                Value::scalar(if symbol == x {
                    at[0]
                } else if symbol == k {
                    at[1]
                } else {
                    at[2]
                })
            };
            evaluate(&p, expr, &of).number()
        })
    };
    // (x, k, n): h, dh/dx, d2h/dx2, dh/dk, dh/dn, d2h/dx dn.
    let known = [
        (
            [0.5, 1.0, 2.0],
            [
                0.2,
                0.64,
                0.256,
                -0.32,
                -0.11090354888959125,
                0.053831482664981,
            ],
        ),
        (
            [3.0, 2.0, 3.5],
            [
                0.8052016588435326,
                0.18299393867901528,
                -0.19131477139368178,
                -0.27449090801852294,
                0.0635979918253935,
                0.006993486403187784,
            ],
        ),
        (
            [1.7, 0.6, -2.0],
            [
                0.11076923076923077,
                -0.11588165680473372,
                0.17429440145653163,
                0.3283313609467456,
                0.10258259042567752,
                -0.03600811414133055,
            ],
        ),
        (
            [1.2, 1.0, 60.0],
            [
                0.9999822533031886,
                0.0008873190933089699,
                -0.04510381254491357,
                -0.0010647829119707639,
                3.2355479693018334e-06,
                -0.00014698300488105918,
            ],
        ),
        ([1.0, 1.0, 1.0], [0.5, 0.25, -0.25, -0.25, 0.0, 0.25]),
    ];
    for (at, expected) in known {
        for (found, expected) in value(at).into_iter().zip(expected) {
            let near = 1e-12 * f64::abs(expected);
            assert!(
                (found - expected).abs() <= near,
                "{at:?}: {found} for {expected}"
            );
        }
    }
    // At 0 the limits from above; below 0 as at 0, without a slope.
    assert_eq!(value([0.0, 1.0, 2.0]), [0.0, 0.0, 2.0, 0.0, 0.0, 0.0]);
    assert_eq!(value([0.0, 2.0, 1.0])[..2], [0.0, 0.5]);
    assert_eq!(value([-0.5, 1.0, 3.0])[..4], [0.0, 0.0, 0.0, 0.0]);
    // Powers beyond all numbers.
    assert_eq!(value([1e3, 1.0, 400.0])[..4], [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(value([1e-3, 1.0, 400.0])[..4], [0.0, 0.0, 0.0, 0.0]);
}
