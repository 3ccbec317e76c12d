//! Interval values and slopes against points, on random programs.

use super::*;

const UNARY: &[Unary] = &[
    Unary::Negate,
    Unary::Not,
    Unary::Sin,
    Unary::Cos,
    Unary::Tan,
    Unary::Asin,
    Unary::Acos,
    Unary::Atan,
    Unary::Sinh,
    Unary::Cosh,
    Unary::Tanh,
    Unary::Asinh,
    Unary::Acosh,
    Unary::Atanh,
    Unary::Exp,
    Unary::Expm1,
    Unary::Log,
    Unary::Log10,
    Unary::Log2,
    Unary::Log1p,
    Unary::Sqrt,
    Unary::Cbrt,
    Unary::Abs,
    Unary::Sign,
    Unary::Floor,
    Unary::Ceil,
    Unary::Round,
    Unary::Sigmoid,
];

/// Numbers between -1 and 1 that are always the same.
fn number(state: &mut u64) -> f64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    f64::from((*state >> 33) as u32) / f64::from(1_u32 << 30) - 1.0
}

/// An interval and two points of it, of all sizes.
fn interval(state: &mut u64) -> (Interval, [f64; 2]) {
    let scale = 10.0_f64.powf(2.0 * number(state) - 1.0);
    let (a, b) = (scale * number(state), scale * number(state));
    let whole = Interval::new(a.min(b), a.max(b));
    let mut point = || {
        let part = number(state).abs();
        (whole.low + part * (whole.high - whole.low)).clamp(whole.low, whole.high)
    };
    let points = [point(), point()];
    (whole, points)
}

/// Evaluates one operation of two variables over a box, with its value in two points.
fn check(op: Op, apply: &dyn Fn([f64; 2]) -> f64, state: &mut u64) {
    let (x, [x0, x1]) = interval(state);
    let (y, [y0, y1]) = interval(state);
    let program = Program {
        ops: vec![Op::Variable(0), Op::Variable(1), op],
        variables: 2,
    };
    let mut values = Values::default();
    program.differentiate(&[x, y], &mut values);
    let (value, domain) = (values.value(2), values.domain(2));
    let (f0, f1) = (apply([x0, y0]), apply([x1, y1]));
    for f in [f0, f1] {
        if f.is_nan() {
            assert_ne!(domain, Domain::Whole, "{op:?} over {x:?} {y:?}");
        } else {
            assert!(
                value.contains(f),
                "{op:?} over {x:?} {y:?}: {f} in {value:?}"
            );
        }
    }
    // The mean-value theorem: f1 - f0 is a slope times the step.
    let steps = [x1 - x0, y1 - y0].map(Interval::point);
    let slopes = values.gradient(2).iter().zip(steps);
    let change = slopes.fold(ZERO, |sum, (slope, step)| sum.add(slope.multiply(step)));
    let noise = 1e-12 * (f0.abs() + f1.abs() + 1.0);
    if domain == Domain::Whole {
        assert!(
            change.low - noise <= f1 - f0 && f1 - f0 <= change.high + noise,
            "{op:?} over {x:?} {y:?}: {} in {change:?}",
            f1 - f0
        );
    }
}

#[test]
fn no_value_and_no_slope_escapes() {
    let mut state = 7;
    for _ in 0..4000 {
        for unary in UNARY {
            check(Op::Unary(*unary, 0), &|[x, _]| unary.apply(x), &mut state);
        }
        for binary in [
            Binary::Add,
            Binary::Subtract,
            Binary::Multiply,
            Binary::Divide,
            Binary::Minimum,
            Binary::Maximum,
            Binary::Less,
            Binary::GreaterEqual,
            Binary::And,
            Binary::Or,
        ] {
            let op = Op::Binary(binary, 0, 1);
            check(op, &|[x, y]| binary.apply(x, y), &mut state);
        }
        for exponent in [2, 3, 4, 5, 8] {
            let op = Op::Power(0, exponent);
            let apply = |[x, _]: [f64; 2]| (1..exponent).fold(x, |power, _| power * x);
            // A product of many factors is rounded many times.
            let wide = move |x: [f64; 2]| apply(x);
            check_roughly(op, &wide, &mut state);
        }
        for exponent in [0.5, 1.5, 2.7, -0.3, -2.5] {
            let op = Op::GeneralPower(0, exponent);
            check(op, &|[x, _]| x.powf(exponent), &mut state);
        }
        check(Op::FreePower(0, 1), &|[x, y]| x.powf(y), &mut state);
    }
}

/// [`check`] for what is not computed in one step: values may be off by their rounding.
fn check_roughly(op: Op, apply: &dyn Fn([f64; 2]) -> f64, state: &mut u64) {
    let (x, [x0, _]) = interval(state);
    let program = Program {
        ops: vec![Op::Variable(0), op],
        variables: 1,
    };
    let mut values = Values::default();
    program.differentiate(&[x], &mut values);
    let (f, value) = (apply([x0, 0.0]), values.value(1));
    let noise = 1e-14 * f.abs();
    assert!(value.low - noise <= f && f <= value.high + noise);
}

#[test]
fn a_condition_that_is_not_known_joins_both_branches() {
    // if x < 1 then 2 x else -1, over 0..3 and over 0..0.5.
    let program = Program {
        ops: vec![
            Op::Variable(0),
            Op::Constant(TRUE),
            Op::Binary(Binary::Less, 0, 1),
            Op::Binary(Binary::Add, 0, 0),
            Op::Unary(Unary::Negate, 1),
            Op::If(2, 3, 4),
        ],
        variables: 1,
    };
    let mut values = Values::default();
    program.differentiate(&[Interval::new(0.0, 3.0)], &mut values);
    assert_eq!(values.value(5), Interval::new(-1.0, 6.0));
    assert_eq!(values.gradient(5), [ENTIRE]);
    program.differentiate(&[Interval::new(0.0, 0.5)], &mut values);
    assert_eq!(values.value(5), Interval::new(0.0, 1.0));
    assert_eq!(values.gradient(5), [Interval::point(2.0)]);
}
