//! Every function and every kind of instruction, on numbers that are easy to get wrong.

use super::*;
use crate::kernel::{BlockOperation, Operation as Step};
use crate::symbolic::{Binary, Builtin, Operation, Unary};

const SPECIAL: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    -2.5,
    3.0,
    1e-310,
    1e200,
    -1e200,
    0.3,
    -7.25,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

const BINARY: [Binary; 19] = [
    Binary::Add,
    Binary::Subtract,
    Binary::Multiply,
    Binary::Divide,
    Binary::Power,
    Binary::Minimum,
    Binary::Maximum,
    Binary::Atan2,
    Binary::Modulo,
    Binary::Hill,
    Binary::HillSlope,
    Binary::Equal,
    Binary::NotEqual,
    Binary::Less,
    Binary::LessEqual,
    Binary::Greater,
    Binary::GreaterEqual,
    Binary::And,
    Binary::Or,
];

fn unary_functions() -> Vec<Unary> {
    let listed = Builtin::all().filter_map(|builtin| match builtin.operation {
        Operation::Unary(function) => Some(function),
        _ => None,
    });
    let others = [Unary::Negate, Unary::Not, Unary::Positive];
    listed.chain(others).collect()
}

#[test]
fn functions_of_one_argument() {
    let functions = unary_functions();
    assert_eq!(functions.len(), 29);
    let mut model = Model::default();
    let vector = model.state(0, Shape::Vector(SPECIAL.len()));
    let mut results: Vec<Expr> = Vec::new();
    for function in functions {
        results.push(model.pool.unary(function, vector));
        for index in 0..SPECIAL.len() {
            let element = model.pool.element(vector, index);
            results.push(model.pool.unary(function, element));
        }
    }
    let point = Point {
        state: SPECIAL.to_vec(),
        ..Point::default()
    };
    model.check(&results, &point);
}

#[test]
fn functions_of_two_arguments() {
    let n = SPECIAL.len();
    let mut model = Model::default();
    let x = model.state(0, Shape::Vector(n));
    let y = model.symbol("s", Shape::Vector(n), Place::Slot(0));
    let scalar = model.pool.element(y, 0);
    for turn in 0..n {
        let mut slots = SPECIAL.to_vec();
        slots.rotate_left(turn);
        let point = Point {
            state: SPECIAL.to_vec(),
            slots,
            ..Point::default()
        };
        let mut results = Vec::new();
        for function in BINARY {
            for (a, b) in [(x, y), (scalar, x), (x, scalar)] {
                results.push(model.pool.binary(function, a, b).unwrap());
            }
            for index in 0..n {
                let a = model.pool.element(x, index);
                let b = model.pool.element(y, index);
                results.push(model.pool.binary(function, a, b).unwrap());
            }
        }
        model.check(&results, &point);
    }
}

#[test]
fn powers_with_constant_exponents() {
    let mut model = Model::default();
    let x = model.state(0, Shape::Vector(SPECIAL.len()));
    let short = model.state(1, Shape::Vector(3));
    let mut results = Vec::new();
    for exponent in [
        2.0,
        3.0,
        4.0,
        0.5,
        -1.0,
        -2.0,
        1.0,
        0.0,
        5.0,
        -0.5,
        2.5,
        f64::NAN,
    ] {
        results.push(model.pool.power(x, exponent));
        results.push(model.pool.power(short, exponent));
        for index in 0..SPECIAL.len() {
            let element = model.pool.element(x, index);
            results.push(model.pool.power(element, exponent));
        }
        // The other way round nothing is known of the exponent.
        let base = model.pool.constant(exponent);
        results.push(model.pool.pow(base, x));
    }
    let point = Point {
        state: SPECIAL.to_vec(),
        ..Point::default()
    };
    model.check(&results, &point);
}

#[test]
fn two_steps_in_one_instruction_round_twice() {
    let mut model = Model::default();
    let [a, b, c] = [0, 1, 2].map(|offset| model.state(offset, Shape::Scalar));
    let pool = &mut model.pool;
    let (product, sum, difference) = (pool.mul(a, b), pool.add(a, b), pool.sub(a, b));
    let cases = [
        (pool.mul(product, c), Step::MultiplyMultiply),
        (pool.add(c, product), Step::MultiplyAdd),
        (pool.sub(product, c), Step::MultiplySubtract),
        (pool.sub(c, product), Step::SubtractProduct),
        (pool.add(sum, c), Step::AddAdd),
        (pool.sub(sum, c), Step::AddSubtract),
        (pool.add(difference, c), Step::SubtractAdd),
        (pool.sub(difference, c), Step::SubtractSubtract),
        (pool.mul(sum, c), Step::AddMultiply),
        (pool.mul(c, difference), Step::SubtractMultiply),
    ];
    // (1 + 2^-30)(1 - 2^-30) rounds to 1, so that fused operations would give another result.
    let small = 2.0_f64.powi(-30);
    let state = vec![1.0 + small, 1.0 - small, -1.0];
    let point = Point {
        state,
        ..Point::default()
    };
    for (expr, step) in cases {
        let program = model.program(&[expr]);
        let steps: Vec<Step> = program
            .body()
            .instructions
            .iter()
            .map(|instruction| instruction.operation)
            .collect();
        assert_eq!(steps, [step], "{program}");
        model.check(&[expr], &point);
    }
}

#[test]
fn subtraction_of_a_sum_stays_two_instructions() {
    let mut model = Model::default();
    let [a, b, c] = [0, 1, 2].map(|offset| model.state(offset, Shape::Scalar));
    let sum = model.pool.add(a, b);
    let result = model.pool.sub(c, sum);
    assert_eq!(model.tape(&[result]).statistics().body, 2);
}

#[test]
fn square_of_a_difference() {
    let mut model = Model::default();
    let [a, b] = [0, 1].map(|offset| model.state(offset, Shape::Scalar));
    let difference = model.pool.sub(a, b);
    let square = model.pool.power(difference, 2.0);
    let point = Point {
        state: vec![7.0, 2.0],
        ..Point::default()
    };
    assert_eq!(call(&model.tape(&[square]), &point), [25.0]);
}

#[test]
fn every_block() {
    let mut model = Model::default();
    let (v, w) = (
        model.state(0, Shape::Vector(5)),
        model.state(5, Shape::Vector(5)),
    );
    let a = model.state(10, Shape::Matrix(5, 7));
    let square = model.state(45, Shape::Matrix(5, 5));
    let b = model.state(70, Shape::Matrix(7, 3));
    let u = model.state(91, Shape::Vector(7));
    let pool = &mut model.pool;
    let condition = pool.binary(Binary::Less, v, w).unwrap();
    let first = pool.element(v, 1);
    let diagonal = pool.diagonal(v).unwrap();
    let results = [
        pool.add(v, w),
        pool.unary(Unary::Sin, v),
        pool.conditional(condition, w, first).unwrap(),
        pool.fill(first, Shape::Matrix(3, 4)),
        pool.sum(a),
        pool.dot(v, w).unwrap(),
        pool.product(a, u).unwrap(),
        pool.product(a, b).unwrap(),
        pool.transpose(a),
        pool.transpose(v),
        pool.outer(v, u).unwrap(),
        pool.inverse(square).unwrap(),
        diagonal,
        v,
    ];
    let point = Point {
        state: (0..98).map(|k| (f64::from(k) * 1.7).sin() + 0.1).collect(),
        ..Point::default()
    };
    model.check(&results, &point);
    let kinds = |operation: &BlockOperation| std::mem::discriminant(operation);
    let program = model.program(&results);
    let distinct: std::collections::HashSet<_> = program
        .body()
        .blocks
        .iter()
        .map(|block| kinds(&block.operation))
        .collect();
    assert_eq!(distinct.len(), 11, "{program}");
}

#[test]
fn products_with_diagonal_matrices_scale() {
    let mut model = Model::default();
    let a = model.state(0, Shape::Matrix(5, 7));
    let left = model.state(35, Shape::Vector(5));
    let right = model.state(40, Shape::Vector(7));
    let diagonals = [left, right].map(|vector| model.pool.diagonal(vector).unwrap());
    let rows = model.pool.product(diagonals[0], a).unwrap();
    let both = model.pool.product(rows, diagonals[1]).unwrap();
    let tape = model.tape(&[both]);
    let text = tape.program().to_string();
    assert!(!text.contains("Diagonal"), "{text}");
    assert!(!text.contains("Product"), "{text}");
    let point = Point {
        state: (0..47).map(|k| f64::from(k) * 0.37 - 5.0).collect(),
        ..Point::default()
    };
    model.check(&[both], &point);
}

#[test]
fn inverse_of_the_hilbert_matrix() {
    // Exact: rows (9, -36, 30), (-36, 192, -180), (30, -180, 180).
    let mut model = Model::default();
    let matrix = model.state(0, Shape::Matrix(3, 3));
    let inverse = model.pool.inverse(matrix).unwrap();
    let mut point = Point {
        state: (0..9).map(|k| 1.0 / f64::from(k % 3 + k / 3 + 1)).collect(),
        ..Point::default()
    };
    let exact = [9.0, -36.0, 30.0, -36.0, 192.0, -180.0, 30.0, -180.0, 180.0];
    for (found, exact) in call(&model.tape(&[inverse]), &point).iter().zip(exact) {
        assert!((found - exact).abs() < 1e-11, "{found} {exact}");
    }
    point.state = (0..9).map(f64::from).collect();
    point.state[..3].fill(0.0);
    let singular = call(&model.tape(&[inverse]), &point);
    assert!(singular.iter().all(|number| number.is_nan()));
}

#[test]
fn branch_not_taken_leaves_no_trace() {
    let mut model = Model::default();
    let x = model.state(0, Shape::Scalar);
    let pool = &mut model.pool;
    let root = pool.unary(Unary::Sqrt, x);
    let zero = pool.constant(0.0);
    let negative = pool.binary(Binary::Less, x, zero).unwrap();
    let other = pool.power(x, 2.0);
    let safe = pool.conditional(negative, other, root).unwrap();
    for (value, expected) in [(-3.0, 9.0), (4.0, 2.0)] {
        let point = Point {
            state: vec![value],
            ..Point::default()
        };
        assert_eq!(call(&model.tape(&[safe]), &point), [expected]);
    }
}

#[test]
fn empty_vectors() {
    let mut model = Model::default();
    let none = model.state(0, Shape::Vector(0));
    let matrix = model.parameter(0, Shape::Matrix(3, 0));
    let flat = model.parameter(0, Shape::Matrix(0, 3));
    let pool = &mut model.pool;
    let wave = pool.unary(Unary::Sin, none);
    let stack = pool.stack(Vec::new(), Shape::Vector(0));
    let results = [
        pool.sum(none),
        pool.dot(none, wave).unwrap(),
        pool.product(matrix, none).unwrap(),
        pool.product(matrix, flat).unwrap(),
        pool.product(flat, matrix).unwrap(),
        pool.transpose(flat),
        pool.outer(none, wave).unwrap(),
        pool.diagonal(none).unwrap(),
        stack,
        wave,
    ];
    model.check(&results, &Point::default());
    let empty = pool_inverse_of_empty(&mut model);
    model.check(&[empty], &Point::default());
}

fn pool_inverse_of_empty(model: &mut Model) -> Expr {
    let matrix = model.parameter(0, Shape::Matrix(0, 0));
    model.pool.inverse(matrix).unwrap()
}
