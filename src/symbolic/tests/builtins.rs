//! The table of built-in functions and the reference evaluator.

use crate::symbolic::{
    Arity, Binary, Builtin, CallError, Operation, Pool, PowerForm, Shape, Unary, Value, evaluate,
    gradient, substitute,
};
use rustc_hash::FxHashSet;

#[test]
fn names_are_unique_and_found() {
    let names: FxHashSet<&str> = Builtin::all().map(|builtin| builtin.name).collect();
    assert_eq!(names.len(), Builtin::all().count());
    for builtin in Builtin::all() {
        assert!(std::ptr::eq(Builtin::find(builtin.name).unwrap(), builtin));
        assert!(!builtin.description.is_empty() && !builtin.domain.is_empty());
        if let Operation::Unary(operator) = builtin.operation {
            assert_eq!(operator.name(), builtin.name);
        }
    }
    assert!(Builtin::find("nonsense").is_none());
}

#[test]
fn calls_check_their_arguments() {
    let mut p = Pool::new();
    let v = p.new_symbol("v", Shape::Vector(4));
    let v = p.symbol(v);
    let call =
        |p: &mut Pool, name, arguments: &[_]| Builtin::find(name).unwrap().call(p, arguments);
    let expected = Arity::Exactly(1);
    let found = 2;
    assert_eq!(
        call(&mut p, "sin", &[v, v]),
        Err(CallError::Arity { expected, found })
    );
    assert!(matches!(
        call(&mut p, "inverse", &[v]),
        Err(CallError::Shape(_))
    ));
    assert_eq!(call(&mut p, "grad", &[v, v]), Err(CallError::Special));
    let length = call(&mut p, "length", &[v]).unwrap();
    assert_eq!(p.as_constant(length), Some(4.0));
    let values = |_| Value::vector(vec![2.0, 4.0, -5.0, 6.0]);
    for (name, expected) in [("sum", 7.0), ("mean", 1.75), ("norm", 9.0)] {
        let result = call(&mut p, name, &[v]).unwrap();
        assert_eq!(evaluate(&p, result, &values).number(), expected);
    }
    let numbers: Vec<_> = [3.0, -1.0, 2.0].map(|x| p.constant(x)).to_vec();
    let least = call(&mut p, "min", &numbers).unwrap();
    assert_eq!(p.as_constant(least), Some(-1.0));
}

#[test]
fn edge_values() {
    let cases = [
        (Binary::Modulo, -1.0, 3.0, 2.0),
        (Binary::Modulo, 1.0, -3.0, -2.0),
        (Binary::Modulo, 6.0, 3.0, 0.0),
        (Binary::Power, 0.0, 0.0, 1.0),
        (Binary::Power, -2.0, 3.0, -8.0),
        (Binary::Power, 2.0, -2.0, 0.25),
        (Binary::And, 2.0, 3.0, 1.0),
        (Binary::Or, 0.0, 0.0, 0.0),
        (Binary::Equal, 0.0, -0.0, 1.0),
        (Binary::Less, f64::NAN, 1.0, 0.0),
    ];
    for (operator, x, y, expected) in cases {
        assert_eq!(operator.apply(x, y), expected, "{operator:?} {x} {y}");
    }
    assert!(Binary::Minimum.apply(f64::NAN, 1.0).is_nan());
    assert!(Binary::Maximum.apply(1.0, f64::NAN).is_nan());
    assert_eq!(
        (Unary::Sign.apply(0.0), Unary::Sign.apply(-3.0)),
        (0.0, -1.0)
    );
    assert_eq!(
        (Unary::Round.apply(2.5), Unary::Round.apply(-2.5)),
        (3.0, -3.0)
    );
    assert_eq!((Unary::Not.apply(0.0), Unary::Not.apply(7.0)), (1.0, 0.0));
    assert_eq!(PowerForm::of(2.0), PowerForm::Square);
    assert_eq!(PowerForm::of(2.5), PowerForm::General);
}

/// The inverse of [[2, 1], [5, 3]] (determinant 1) is [[3, -1], [-5, 2]]; a zero pivot needs rows
/// exchanged: [[0, 1], [2, 0]] has the inverse [[0, 1/2], [1, 0]].
#[test]
fn inverses_are_exact_for_small_integers() {
    let mut p = Pool::new();
    let m = p.new_symbol("m", Shape::Matrix(2, 2));
    let em = p.symbol(m);
    let inverse = p.inverse(em).unwrap();
    let inverted = |numbers: [f64; 4]| {
        let shape = Shape::Matrix(2, 2);
        let numbers = numbers.to_vec();
        evaluate(&p, inverse, &|_| Value {
            shape,
            numbers: numbers.clone(),
        })
        .numbers
    };
    let found = inverted([2.0, 5.0, 1.0, 3.0]);
    for (found, expected) in found.iter().zip([3.0, -5.0, -1.0, 2.0]) {
        assert!((found - expected).abs() < 1e-14);
    }
    assert_eq!(inverted([0.0, 2.0, 1.0, 0.0]), [0.0, 1.0, 0.5, 0.0]);
    assert!(inverted([1.0, 2.0, 2.0, 4.0])[0].is_nan());
}

/// Definitions are inlined below a gradient; a gradient by what is replaced is worked out before.
#[test]
fn gradients_and_substitution() {
    let mut p = Pool::new();
    let [w, d] = ["w", "d"].map(|name| p.new_symbol(name, Shape::Scalar));
    let (ew, ed) = (p.symbol(w), p.symbol(d));
    let square = p.power(ew, 2.0);
    let loss = p.scale(3.0, ed);
    let slope = p.gradient(loss, w);
    let inlined = substitute(&mut p, slope, &[(d, square)].into_iter().collect());
    // d(3 w^2)/dw = 6 w.
    assert_eq!(
        evaluate(&p, inlined, &|_| Value::scalar(2.0)).number(),
        12.0
    );
    let slope = p.gradient(square, w);
    let moved = substitute(&mut p, slope, &[(w, ed)].into_iter().collect());
    assert_eq!(moved, p.scale(2.0, ed));
    assert_eq!(gradient(&mut p, square, d), p.constant(0.0));
}
