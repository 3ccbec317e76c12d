//! Where results go.

use super::*;
use crate::kernel::LowerError;

/// States 1, 2, 3, ... as scalars, and the first five of them as a vector.
fn numbers() -> (Model, Vec<Expr>, Expr, Point) {
    let mut model = Model::default();
    let scalars = (0..5).map(|at| model.state(at, Shape::Scalar)).collect();
    let vector = model.state(0, Shape::Vector(5));
    let point = Point {
        state: vec![1.0, 2.0, 3.0, 4.0, 5.0],
        ..Point::default()
    };
    (model, scalars, vector, point)
}

fn scatter(expr: Expr, at: &[u32]) -> Output {
    Output::Scatter {
        expr,
        at: at.into(),
    }
}

fn run(model: &Model, outputs: &[Output], len: usize, point: &Point) -> Vec<f64> {
    let tape = Tape::new(lower(&model.pool, &model.layout, outputs, len).unwrap());
    let mut scratch = Scratch::new();
    let first = call_with(&tape, point, &mut scratch);
    let second = call_with(&tape, point, &mut scratch);
    assert_eq!(first, second, "{}", tape.program());
    first
}

#[test]
fn entries_without_output_are_zero() {
    let (model, scalars, ..) = numbers();
    let point = Point {
        state: vec![7.0; 5],
        ..Point::default()
    };
    let outputs = [Output::Assign {
        expr: scalars[2],
        at: 2,
    }];
    assert_eq!(run(&model, &outputs, 4, &point), [0.0, 0.0, 7.0, 0.0]);
}

#[test]
fn scalars_scattered_to_one_entry_are_added() {
    let (mut model, scalars, _, point) = numbers();
    let six = model.pool.mul(scalars[1], scalars[2]);
    let outputs = [
        scatter(scalars[0], &[1]),
        scatter(six, &[1]),
        scatter(six, &[2]),
        scatter(scalars[4], &[1]),
    ];
    assert_eq!(run(&model, &outputs, 3, &point), [0.0, 12.0, 6.0]);
}

#[test]
fn vectors_are_scattered_and_added() {
    let (mut model, scalars, vector, point) = numbers();
    let double = model.pool.add(vector, vector);
    let outputs = [
        // Alone in its entries, in any order.
        scatter(double, &[9, 0, 8, 1, 7]),
        // Shares entry 3 with itself and with the others.
        scatter(vector, &[2, 3, 4, 3, 5]),
        scatter(scalars[0], &[3]),
        scatter(double, &[3, 4, 4, 4, 4]),
    ];
    let expected = [
        4.0,
        8.0,
        1.0,
        2.0 + 4.0 + 1.0 + 2.0,
        3.0 + 4.0 + 6.0 + 8.0 + 10.0,
        5.0,
        0.0,
        10.0,
        6.0,
        2.0,
    ];
    assert_eq!(run(&model, &outputs, 10, &point), expected);
}

#[test]
fn one_value_may_go_to_several_places() {
    let (mut model, scalars, vector, point) = numbers();
    let product = model.pool.mul(scalars[1], scalars[4]);
    let stack = model
        .pool
        .stack(vec![product, scalars[0], product], Shape::Vector(3));
    let next = model.pool.add(product, scalars[0]);
    let results = [product, stack, product, next, vector, vector, stack];
    model.check(&results, &point);
}

#[test]
fn sums_of_parameters_do_not_pile_up() {
    let (mut model, ..) = numbers();
    let p = model.parameter(0, Shape::Scalar);
    let double = model.pool.scale(2.0, p);
    let outputs = [
        scatter(p, &[0]),
        scatter(double, &[0]),
        scatter(double, &[1]),
    ];
    let point = Point {
        state: vec![0.0; 5],
        parameters: Parameters::new([5.0]),
        ..Point::default()
    };
    assert_eq!(run(&model, &outputs, 2, &point), [15.0, 10.0]);
}

#[test]
fn impossible_outputs_are_refused() {
    let (mut model, scalars, vector, _) = numbers();
    let assign = |expr, at| Output::Assign { expr, at };
    let refused = |model: &Model, outputs: &[Output]| {
        lower(&model.pool, &model.layout, outputs, 6).unwrap_err()
    };
    assert_eq!(
        refused(&model, &[assign(vector, 2)]),
        LowerError::OutsideOut(6)
    );
    assert_eq!(
        refused(&model, &[scatter(scalars[0], &[6])]),
        LowerError::OutsideOut(6)
    );
    assert_eq!(
        refused(&model, &[assign(vector, 0), assign(scalars[1], 4)]),
        LowerError::Overlap(4)
    );
    assert_eq!(
        refused(&model, &[assign(vector, 0), scatter(scalars[1], &[3])]),
        LowerError::Overlap(3)
    );
    assert_eq!(
        refused(&model, &[scatter(vector, &[1, 2])]),
        LowerError::ScatterLength {
            values: 5,
            entries: 2
        }
    );
    let symbol = model.pool.new_symbol("lost", Shape::Scalar);
    let lost = model.pool.symbol(symbol);
    let sum = model.pool.add(lost, scalars[0]);
    assert_eq!(
        refused(&model, &[assign(sum, 0)]),
        LowerError::NoPlace(symbol)
    );
    let gradient = model.pool.gradient(scalars[0], model.symbols[0]);
    assert_eq!(
        refused(&model, &[assign(gradient, 0)]),
        LowerError::Gradient(gradient)
    );
    let instant = model.pool.new_symbol("instant", Shape::Vector(2));
    model.layout.insert(instant, Place::Time);
    let instant_value = model.pool.symbol(instant);
    assert_eq!(
        refused(&model, &[assign(instant_value, 0)]),
        LowerError::TimeNotScalar(instant)
    );
}
