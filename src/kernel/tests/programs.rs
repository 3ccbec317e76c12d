//! What programs look like and how they are shared.

use super::*;
use crate::symbolic::Unary;

#[test]
fn what_parameters_determine_is_computed_when_they_change() {
    let mut model = Model::default();
    let y = model.state(0, Shape::Scalar);
    let p = model.parameter(0, Shape::Scalar);
    let power = model.pool.power(p, 2.5);
    let drift = model.pool.mul(power, y);
    let constant = model.pool.unary(Unary::Exp, p);
    let tape = model.tape(&[drift, constant]);
    assert_eq!(tape.statistics().prologue, 2, "{}", tape.program());
    assert_eq!(tape.statistics().body, 1);
    let mut point = Point {
        state: vec![3.0],
        parameters: Parameters::new([4.0]),
        ..Point::default()
    };
    let mut scratch = Scratch::new();
    for parameter in [4.0, 9.0, 9.0, -0.0, 0.0, f64::NAN, 1.0] {
        point.parameters.update(|values| values[0] = parameter);
        for state in [3.0, 5.0] {
            point.state[0] = state;
            let found = call_with(&tape, &point, &mut scratch);
            assert!(same_bits(
                &found,
                &model.reference(&[drift, constant], &point)
            ));
        }
    }
    // A copy that then goes its own way.
    let mut other = point.clone();
    other.parameters.assign(&[16.0]);
    let expected = [1024.0 * 5.0, 16.0_f64.exp()];
    assert_eq!(call_with(&tape, &other, &mut scratch), expected);
    assert_eq!(call_with(&tape, &point, &mut scratch)[0], 5.0);
}

#[test]
fn working_space_may_wander_between_functions() {
    let mut model = Model::default();
    let (y, p) = (
        model.state(0, Shape::Scalar),
        model.parameter(0, Shape::Scalar),
    );
    let root = model.pool.unary(Unary::Sqrt, p);
    let product = model.pool.mul(root, y);
    let square = model.pool.power(y, 2.0);
    let (one, two) = (model.tape(&[product]), model.tape(&[square, p, square]));
    let point = Point {
        state: vec![3.0],
        parameters: Parameters::new([4.0]),
        ..Point::default()
    };
    let mut scratch = Scratch::new();
    for _ in 0..3 {
        assert_eq!(call_with(&one, &point, &mut scratch), [6.0]);
        assert_eq!(call_with(&two, &point, &mut scratch), [9.0, 4.0, 9.0]);
    }
}

#[test]
fn threads_share_one_function() {
    let mut model = Model::default();
    let y = model.state(0, Shape::Vector(50));
    let p = model.parameter(0, Shape::Scalar);
    let scaled = model.pool.mul(p, y);
    let result = model.pool.unary(Unary::Cos, scaled);
    let kernel: std::sync::Arc<dyn Kernel> = std::sync::Arc::new(model.tape(&[result]));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (kernel, model) = (kernel.clone(), &model);
            scope.spawn(move || {
                let mut scratch = Scratch::new();
                for round in 0..50 {
                    let point = Point {
                        state: (0..50).map(|k| f64::from(k + thread)).collect(),
                        parameters: Parameters::new([f64::from(round) * 0.1]),
                        ..Point::default()
                    };
                    let found = call_with(&*kernel, &point, &mut scratch);
                    assert!(same_bits(&found, &model.reference(&[result], &point)));
                }
            });
        }
    });
}

#[test]
fn listing() {
    let mut model = Model::default();
    let (x, y) = (model.state(3, Shape::Scalar), model.state(4, Shape::Scalar));
    let (a, b) = (
        model.parameter(0, Shape::Scalar),
        model.parameter(1, Shape::Scalar),
    );
    let t = model.symbol("t", Shape::Scalar, Place::Time);
    let pool = &mut model.pool;
    let ratio = pool.div(a, b);
    let (growth, meeting) = (pool.mul(ratio, x), pool.mul(x, y));
    let wave = pool.unary(Unary::Sin, t);
    let first = pool.sub(growth, meeting);
    let second = pool.add(meeting, wave);
    let vector = model.state(0, Shape::Vector(6));
    let big = model.pool.scale(2.0, vector);
    let program = model.program(&[first, second, big]);
    assert_eq!(
        program.to_string(),
        "prologue
  r0 = p0 / p1
body
  r1 = y3 * y4
  r2 = Sin(t)
  out0 = r0 * y3 - r1
  out1 = r1 + r2
  out2[6] = block Binary(Multiply)(2.0, y0[6]) 6x1
"
    );
    assert_eq!(
        program.statistics().to_string(),
        "21 registers, 1 constants; 1 instructions at a change of parameters, 5 at a call \
         (11 elementary operations)
       1  Add
       1  Divide
       1  Multiply
       1  MultiplySubtract
       1  Unary(Sin)
       1  block Binary(Multiply)
"
    );
}

#[test]
fn registers_serve_again() {
    let mut model = Model::default();
    let y = model.state(0, Shape::Scalar);
    let v = model.state(1, Shape::Vector(20));
    let (mut number, mut vector) = (y, v);
    for _ in 0..1000 {
        number = model.pool.unary(Unary::Sin, number);
        vector = model.pool.unary(Unary::Sin, vector);
    }
    let statistics = model.tape(&[number, vector]).statistics();
    // State and result, 21 each, time, and at most one number and two vectors in between.
    assert!(statistics.registers <= 2 * 21 + 1 + 41, "{statistics}");
    assert_eq!(statistics.body, 2000);
}

#[test]
fn long_vectors_stay_loops() {
    let mut model = Model::default();
    let n = 100_000;
    let y = model.state(0, Shape::Vector(n));
    let p = model.parameter(0, Shape::Scalar);
    let pool = &mut model.pool;
    let one = pool.constant(1.0);
    let rest = pool.sub(one, y);
    let growth = pool.mul(y, rest);
    let drift = pool.mul(p, growth);
    assert_eq!(model.tape(&[drift]).statistics().body, 3);
    let point = Point {
        state: (0..100_000).map(|k| f64::from(k) * 1e-5).collect(),
        parameters: Parameters::new([2.0]),
        ..Point::default()
    };
    model.check(&[drift], &point);
}

#[test]
fn deep_and_wide_expressions() {
    let mut model = Model::default();
    let states: Vec<Expr> = (0..1000).map(|at| model.state(at, Shape::Scalar)).collect();
    let mut sum = states[0];
    for round in 0..200_000 {
        let state = states[(round * 7 + 1) % states.len()];
        sum = if round % 3 == 0 {
            model.pool.mul(sum, state)
        } else {
            model.pool.add(sum, state)
        };
    }
    let wide = model.pool.stack(states, Shape::Vector(1000));
    let point = Point {
        state: (0..1000).map(|k| f64::from(k) * 1e-3).collect(),
        ..Point::default()
    };
    model.check(&[sum, wide], &point);
    let statistics = model.tape(&[sum, wide]).statistics();
    assert!(statistics.body <= 100_001, "{statistics}");
    assert!(statistics.registers <= 2010, "{statistics}");
}

#[test]
fn only_what_is_read_is_asked_for() {
    let mut model = Model::default();
    let late = model.state(900, Shape::Scalar);
    let tape = model.tape(&[late]);
    assert_eq!(tape.program().state().source, 900..901);
    assert_eq!(tape.statistics().registers, 3);
}

#[test]
fn stacks_of_mixed_origin() {
    // Elements from constants, parameters, the prologue, the body and a vector of the body.
    let mut model = Model::default();
    let (y, p) = (
        model.state(0, Shape::Vector(12)),
        model.parameter(0, Shape::Scalar),
    );
    let matrix = model.parameter(1, Shape::Matrix(12, 12));
    let pool = &mut model.pool;
    let image = pool.product(matrix, y).unwrap();
    let mut elements: Vec<Expr> = (0..12).map(|k| pool.element(image, k)).collect();
    let one = pool.constant(1.0);
    let early = pool.unary(Unary::Exp, p);
    let late = pool.mul(early, elements[3]);
    elements.extend([one, early, late, p, late, one]);
    let stack = pool.stack(elements, Shape::Vector(18));
    let wave = pool.unary(Unary::Sin, stack);
    let total = pool.sum(wave);
    let mut point = Point {
        state: (0..12).map(|k| f64::from(k) - 4.5).collect(),
        parameters: Parameters::new((0..145).map(|k| f64::from(k) * 0.01).collect::<Vec<_>>()),
        ..Point::default()
    };
    let results = [total, early];
    model.check(&results, &point);
    let tape = model.tape(&results);
    let mut scratch = Scratch::new();
    for round in 0..6 {
        if round % 2 == 0 {
            point.parameters.update(|values| values[0] += 1.0);
        }
        point.state[3] += 0.5;
        let found = call_with(&tape, &point, &mut scratch);
        assert!(same_bits(&found, &model.reference(&results, &point)));
    }
}
