//! Random expressions with shapes, and what must hold for all of them.

use crate::symbolic::{
    Binary, Expr, Node, Pattern, Pool, Shape, SymbolId, Unary, Value, derivative, directional,
    evaluate, gradient, jacobian, reachable, to_text, transposed_directional,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rustc_hash::FxHashSet;

const N: usize = 3;

/// A pool with a scalar, a vector and a matrix of each kind: to differentiate by, and not.
pub(super) struct Garden {
    pub(super) pool: Pool,
    pub(super) x: SymbolId,
    pub(super) v: SymbolId,
    pub(super) m: SymbolId,
    k: SymbolId,
    w: SymbolId,
}

impl Garden {
    fn new(mut pool: Pool) -> Garden {
        Garden {
            x: pool.new_symbol("x", Shape::Scalar),
            v: pool.new_symbol("v", Shape::Vector(N)),
            m: pool.new_symbol("m", Shape::Matrix(N, N)),
            k: pool.new_symbol("k", Shape::Scalar),
            w: pool.new_symbol("w", Shape::Vector(N)),
            pool,
        }
    }
}

/// Values for the five symbols, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Point(Vec<f64>);

impl Point {
    fn value(&self, symbol: SymbolId) -> Value {
        let (start, shape) = match symbol.0 {
            0 => (0, Shape::Scalar),
            1 => (1, Shape::Vector(N)),
            2 => (1 + N, Shape::Matrix(N, N)),
            3 => (1 + N + N * N, Shape::Scalar),
            _ => (2 + N + N * N, Shape::Vector(N)),
        };
        Value {
            shape,
            numbers: self.0[start..start + shape.len()].to_vec(),
        }
    }

    /// The point with one symbol moved along a direction.
    fn moved(&self, symbol: SymbolId, direction: &[f64], step: f64) -> Point {
        let start = [0, 1, 1 + N][symbol.0 as usize];
        let mut numbers = self.0.clone();
        for (number, d) in numbers[start..].iter_mut().zip(direction) {
            *number += step * d;
        }
        Point(numbers)
    }
}

fn value_at(pool: &Pool, expr: Expr, point: &Point) -> Value {
    evaluate(pool, expr, &|symbol| point.value(symbol))
}

/// Turns a sequence of choices into an expression of a wanted shape.
struct Sower<'a> {
    garden: &'a mut Garden,
    choices: std::slice::Iter<'a, u8>,
}

const UNARY: [Unary; 28] = [
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

impl Sower<'_> {
    /// The next choice among `n`; the first when there are no more.
    fn choose(&mut self, n: usize) -> usize {
        self.choices.next().map_or(0, |&byte| byte as usize % n)
    }

    fn leaf(&mut self, shape: Shape) -> Expr {
        let pool = &mut self.garden.pool;
        match shape {
            Shape::Scalar => match self.choices.next().map_or(0, |&byte| byte % 16) {
                0..6 => pool.symbol(self.garden.x),
                6..8 => pool.symbol(self.garden.k),
                8 => pool.constant(0.0),
                9 => pool.constant(-1.0),
                10 => pool.constant(2.0),
                11 => pool.constant(3.0),
                12 => pool.constant(0.5),
                13 => pool.constant(-0.75),
                _ => pool.constant(1.0),
            },
            Shape::Vector(_) => match self.choose(4) {
                0 | 1 => self.garden.pool.symbol(self.garden.v),
                2 => self.garden.pool.symbol(self.garden.w),
                _ => {
                    let value = self.leaf(Shape::Scalar);
                    self.garden.pool.fill(value, shape)
                }
            },
            Shape::Matrix(..) => match self.choose(3) {
                0 | 1 => self.garden.pool.symbol(self.garden.m),
                _ => {
                    let value = self.leaf(Shape::Scalar);
                    self.garden.pool.fill(value, shape)
                }
            },
        }
    }

    fn sow(&mut self, shape: Shape, depth: usize) -> Expr {
        if depth == 0 || self.choices.len() == 0 {
            return self.leaf(shape);
        }
        match self.choose(8) {
            0 => self.leaf(shape),
            1 => {
                let operator = UNARY[self.choose(UNARY.len())];
                let a = self.sow(shape, depth - 1);
                self.garden.pool.unary(operator, a)
            }
            2 => {
                let (c, a) = (self.sow_any(shape, depth - 1), self.sow(shape, depth - 1));
                let b = self.sow_any(shape, depth - 1);
                self.garden.pool.conditional(c, a, b).unwrap()
            }
            3 | 4 => self.sow_array(shape, depth - 1),
            5 => {
                let operator = BINARY[self.choose(4)];
                let (a, b) = (self.sow(shape, depth - 1), self.sow(shape, depth - 1));
                self.garden.pool.binary(operator, a, b).unwrap()
            }
            _ => {
                let operator = BINARY[self.choose(BINARY.len())];
                let (mut a, mut b) = (self.sow_any(shape, depth - 1), self.sow(shape, depth - 1));
                if self.choose(2) == 0 {
                    std::mem::swap(&mut a, &mut b);
                }
                self.garden.pool.binary(operator, a, b).unwrap()
            }
        }
    }

    /// Of the shape, or a scalar.
    fn sow_any(&mut self, shape: Shape, depth: usize) -> Expr {
        if self.choose(3) == 0 {
            self.sow(Shape::Scalar, depth)
        } else {
            self.sow(shape, depth)
        }
    }

    fn sow_array(&mut self, shape: Shape, depth: usize) -> Expr {
        let (vector, matrix) = (Shape::Vector(N), Shape::Matrix(N, N));
        match (shape, self.choose(5)) {
            (Shape::Scalar, 0) => {
                let (base, offset) = (self.sow(vector, depth), self.choose(N));
                self.garden.pool.element(base, offset)
            }
            (Shape::Scalar, 1) => {
                let (base, offset) = (self.sow(matrix, depth), self.choose(N * N));
                self.garden.pool.element(base, offset)
            }
            (Shape::Scalar, 2) => {
                let a = self.sow(vector, depth);
                self.garden.pool.sum(a)
            }
            (Shape::Scalar, 3) => {
                let a = self.sow(matrix, depth);
                self.garden.pool.sum(a)
            }
            (Shape::Scalar, _) => {
                let (a, b) = (self.sow(vector, depth), self.sow(vector, depth));
                self.garden.pool.dot(a, b).unwrap()
            }
            (Shape::Vector(_), 0 | 1) => {
                let (a, b) = (self.sow(matrix, depth), self.sow(vector, depth));
                self.garden.pool.product(a, b).unwrap()
            }
            (Shape::Matrix(..), 0) => {
                let (a, b) = (self.sow(matrix, depth), self.sow(matrix, depth));
                self.garden.pool.product(a, b).unwrap()
            }
            (Shape::Matrix(..), 1) => {
                let a = self.sow(matrix, depth);
                self.garden.pool.transpose(a)
            }
            (Shape::Matrix(..), 2) => {
                let a = self.sow(vector, depth);
                self.garden.pool.diagonal(a).unwrap()
            }
            (Shape::Matrix(..), 3) => {
                let (a, b) = (self.sow(vector, depth), self.sow(vector, depth));
                self.garden.pool.outer(a, b).unwrap()
            }
            (Shape::Matrix(..), _) if self.choose(2) == 0 => {
                let a = self.sow(matrix, depth);
                self.garden.pool.inverse(a).unwrap()
            }
            (_, 2) => {
                let a = self.sow(Shape::Scalar, depth);
                self.garden.pool.fill(a, shape)
            }
            _ => {
                let elements = (0..shape.len())
                    .map(|_| self.sow(Shape::Scalar, depth.min(1)))
                    .collect();
                self.garden.pool.stack(elements, shape)
            }
        }
    }
}

fn grow(pool: Pool, choices: &[u8], shape: Shape) -> (Garden, Expr) {
    let mut garden = Garden::new(pool);
    let mut sower = Sower {
        garden: &mut garden,
        choices: choices.iter(),
    };
    let expr = sower.sow(shape, 4);
    (garden, expr)
}

/// True when every value on the way is finite (and of moderate size).
fn all_finite(pool: &Pool, expr: Expr, point: &Point) -> bool {
    reachable(pool, &[expr]).into_iter().all(|inner| {
        let value = value_at(pool, inner, point);
        value.numbers.iter().all(|number| number.abs() < 1e6)
    })
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The derivative along a direction by central differences with two Richardson extrapolations;
/// `None` where two step sizes disagree (near a kink, a pole or the end of a domain).
fn difference(
    pool: &Pool,
    expr: Expr,
    point: &Point,
    wrt: SymbolId,
    d: &[f64],
) -> Option<Vec<f64>> {
    let central = |h: f64| -> Vec<f64> {
        let forward = value_at(pool, expr, &point.moved(wrt, d, h));
        let backward = value_at(pool, expr, &point.moved(wrt, d, -h));
        let pairs = forward.numbers.iter().zip(&backward.numbers);
        pairs.map(|(f, b)| (f - b) / (2.0 * h)).collect()
    };
    // At a kink both sides can be smooth and the mean of their slopes steady.
    let here = value_at(pool, expr, point);
    let right = value_at(pool, expr, &point.moved(wrt, d, 1e-5));
    let left = value_at(pool, expr, &point.moved(wrt, d, -1e-5));
    let kink = (0..here.shape.len()).any(|k| {
        let (right, left) = (right.at(k) - here.at(k), here.at(k) - left.at(k));
        !close(right / 1e-5, left / 1e-5, 1e-3)
    });
    if kink {
        return None;
    }
    let steps: Vec<Vec<f64>> = [4e-3, 2e-3, 1e-3].into_iter().map(central).collect();
    let better = |coarse: &[f64], fine: &[f64], factor: f64| -> Vec<f64> {
        let pairs = coarse.iter().zip(fine);
        pairs.map(|(c, f)| f + (f - c) / (factor - 1.0)).collect()
    };
    let first = better(&steps[0], &steps[1], 4.0);
    let second = better(&steps[1], &steps[2], 4.0);
    let best = better(&first, &second, 16.0);
    let agree = second.iter().zip(&best).all(|(a, b)| close(*a, *b, 1e-7));
    agree.then_some(best)
}

fn points() -> impl Strategy<Value = Point> {
    let size = 2 + 2 * N + N * N;
    proptest::collection::vec(prop_oneof![4 => -2.0..2.0_f64, 1 => Just(0.0)], size).prop_map(Point)
}

/// Points off the axes, where `if v then ...` has its exceptional places.
fn generic_points() -> impl Strategy<Value = Point> {
    let size = 2 + 2 * N + N * N;
    let number = prop_oneof![0.05..2.0_f64, -2.0..-0.05_f64];
    proptest::collection::vec(number, size).prop_map(Point)
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..80)
}

fn directions() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-1.0..1.0_f64, N * N)
}

fn constants(pool: &mut Pool, numbers: &[f64], shape: Shape) -> Expr {
    let elements = numbers[..shape.len()]
        .iter()
        .map(|&number| pool.constant(number))
        .collect();
    pool.stack(elements, shape)
}

/// 1000 cases, always the same; as many others as the environment asks for.
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(1000),
        rng_seed: asked.map_or(RngSeed::Fixed(1), |_| RngSeed::Random),
        failure_persistence: None,
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    }
}

/// Rounding can be magnified by inverses and roots; wrong rules are wrong by far more.
const ROUNDING: f64 = 1e-6;

const SHAPES: [Shape; 3] = [Shape::Scalar, Shape::Vector(N), Shape::Matrix(N, N)];

proptest! {
    #![proptest_config(config())]

    /// Where every value on the way is finite, simplification keeps the bits, but for the sign of
    /// a zero (which atan2 can see) and the rounding of the sum of nine equal numbers.
    #[test]
    fn simplification_keeps_values(choices in choices(), point in points(), shape in 0..3_usize) {
        let (literal, original) = grow(Pool::literal(), &choices, SHAPES[shape]);
        let (simplifying, simple) = grow(Pool::new(), &choices, SHAPES[shape]);
        prop_assert_eq!(literal.pool.shape(original), simplifying.pool.shape(simple));
        prop_assume!(all_finite(&literal.pool, original, &point));
        let delicate = reachable(&literal.pool, &[original]).into_iter().any(|expr| {
            match *literal.pool.node(expr) {
                Node::Binary(Binary::Atan2, ..) => true,
                Node::Sum(a) => matches!(literal.pool.shape(a), Shape::Matrix(..)),
                _ => false,
            }
        });
        let before = value_at(&literal.pool, original, &point);
        let after = value_at(&simplifying.pool, simple, &point);
        for (a, b) in before.numbers.iter().zip(&after.numbers) {
            prop_assert!(a == b || delicate, "{} became {} in {}", a, b, to_text(&literal.pool, original));
        }
    }

    /// Forward derivatives agree with finite differences, and backward ones with forward ones.
    #[test]
    fn derivatives_agree(
        choices in choices(), point in generic_points(), shape in 0..3_usize, wrt in 0..3_usize,
        d in directions(), weights in directions(),
    ) {
        let (mut garden, expr) = grow(Pool::new(), &choices, SHAPES[shape]);
        prop_assume!(all_finite(&garden.pool, expr, &point));
        let symbol = [garden.x, garden.v, garden.m][wrt];
        let (d, weights) = (&d[..SHAPES[wrt].len()], &weights[..SHAPES[shape].len()]);
        let pool = &mut garden.pool;
        let (direction, weight) =
            (constants(pool, d, SHAPES[wrt]), constants(pool, weights, SHAPES[shape]));
        let forward = directional(pool, expr, symbol, direction);
        let backward = transposed_directional(pool, expr, symbol, weight);
        prop_assert_eq!(pool.shape(forward), SHAPES[shape]);
        prop_assert_eq!(pool.shape(backward), SHAPES[wrt]);
        let forward = value_at(pool, forward, &point).numbers;
        let backward = value_at(pool, backward, &point).numbers;
        if forward.iter().chain(&backward).all(|number| number.abs() < 1e6) {
            let (a, b) = (dot(&forward, weights), dot(&backward, d));
            prop_assert!(close(a, b, ROUNDING), "{} and {} in {}", a, b, to_text(pool, expr));
        }
        // At the end of a domain, as of sqrt(0), there is no finite derivative.
        if forward.iter().all(|number| number.is_finite())
            && let Some(expected) = difference(pool, expr, &point, symbol, d)
        {
            for (found, expected) in forward.iter().zip(&expected) {
                prop_assert!(close(*found, *expected, 1e-5), "{} and {} in {}", found, expected, to_text(pool, expr));
            }
        }
    }

    /// Every form of a Jacobian says the same, and its pattern holds every entry.
    #[test]
    fn jacobians_agree(
        choices in choices(), point in points(), shape in 0..2_usize, wrt in 0..2_usize,
        d in directions(), weights in directions(),
    ) {
        let (mut garden, expr) = grow(Pool::new(), &choices, SHAPES[shape]);
        prop_assume!(all_finite(&garden.pool, expr, &point));
        let symbol = [garden.x, garden.v][wrt];
        let pool = &mut garden.pool;
        let (rows, columns) = (SHAPES[shape].len(), SHAPES[wrt].len());
        let (direction, weight) =
            (constants(pool, &d, SHAPES[wrt]), constants(pool, &weights, SHAPES[shape]));
        let operator = jacobian(pool, expr, symbol);
        prop_assert_eq!((operator.rows(pool), operator.columns(pool)), (rows, columns));
        let dense = operator.materialise(pool);
        let dense = value_at(pool, dense, &point).numbers;
        prop_assume!(dense.iter().all(|number| number.abs() < 1e6));

        let applied = operator.apply(pool, direction);
        let forward = directional(pool, expr, symbol, direction);
        let (applied, forward) = (value_at(pool, applied, &point), value_at(pool, forward, &point));
        // At the end of a domain, as of sqrt(0), there is no finite derivative.
        prop_assume!(forward.numbers.iter().all(|number| number.abs() < 1e6));
        for row in 0..rows {
            let product: f64 = (0..columns).map(|c| dense[row + c * rows] * d[c]).sum();
            prop_assert!(close(product, forward.at(row), ROUNDING), "{} and {} in {}", product, forward.at(row), to_text(pool, expr));
            prop_assert!(close(applied.at(row), forward.at(row), ROUNDING));
        }
        let turned = operator.apply_transposed(pool, weight);
        let turned = value_at(pool, turned, &point);
        let pattern = operator.pattern(pool);
        let mut entries = vec![0.0; rows * columns];
        for (row, column, entry) in operator.entries(pool) {
            prop_assert!(pattern.contains(row as usize, column as usize));
            entries[row as usize + column as usize * rows] = value_at(pool, entry, &point).number();
        }
        for column in 0..columns {
            let product: f64 = (0..rows).map(|r| dense[r + column * rows] * weights[r]).sum();
            prop_assert!(close(product, turned.at(column), ROUNDING), "{} and {} in {}", product, turned.at(column), to_text(pool, expr));
            for row in 0..rows {
                let entry = dense[row + column * rows];
                let other = entries[row + column * rows];
                prop_assert!(close(entry, other, ROUNDING), "{} and {} in {}", entry, other, to_text(pool, expr));
                prop_assert!(entry == 0.0 || pattern.contains(row, column), "{} in {}", entry, to_text(pool, expr));
            }
        }
    }

    /// The pattern of an expression holds every element that is not zero.
    #[test]
    fn patterns_hold_all_nonzeros(choices in choices(), point in points(), shape in 0..3_usize) {
        let (garden, expr) = grow(Pool::new(), &choices, SHAPES[shape]);
        prop_assume!(all_finite(&garden.pool, expr, &point));
        let pattern = Pattern::of(&garden.pool, expr);
        let value = value_at(&garden.pool, expr, &point);
        let rows = value.shape.rows();
        for (k, number) in value.numbers.iter().enumerate() {
            prop_assert!(*number == 0.0 || pattern.contains(k % rows, k / rows), "{}", to_text(&garden.pool, expr));
        }
    }

    /// Second derivatives: the gradient of a gradient's component is the same either way around.
    #[test]
    fn second_derivatives_commute(choices in choices(), point in points()) {
        let (mut garden, expr) = grow(Pool::new(), &choices, Shape::Scalar);
        prop_assume!(all_finite(&garden.pool, expr, &point));
        let (x, v) = (garden.x, garden.v);
        let pool = &mut garden.pool;
        let by_v = gradient(pool, expr, v);
        let first = derivative(pool, by_v, x);
        let by_x = derivative(pool, expr, x);
        let second = gradient(pool, by_x, v);
        let (first, second) = (value_at(pool, first, &point), value_at(pool, second, &point));
        // Where atan2 or mod of a choice meets its jump, one order may take the other side.
        let moderate = |value: &Value| value.numbers.iter().all(|number| number.abs() < 1e6);
        if moderate(&first) && moderate(&second) {
            for k in 0..N {
                prop_assert!(close(first.at(k), second.at(k), ROUNDING), "{} and {} in {}", first.at(k), second.at(k), to_text(pool, expr));
            }
        }
    }
}

/// The random expressions use every kind of node.
#[test]
fn the_garden_is_diverse() {
    let mut kinds = FxHashSet::default();
    let mut seed = 1_u32;
    for _ in 0..3000 {
        let choices: Vec<u8> = (0..60)
            .map(|_| {
                // A linear congruential generator (Numerical Recipes, 3rd ed., section 7.1).
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        let (garden, expr) = grow(Pool::literal(), &choices, Shape::Vector(N));
        for inner in reachable(&garden.pool, &[expr]) {
            kinds.insert(std::mem::discriminant(garden.pool.node(inner)));
        }
    }
    // All but the gradient node.
    assert_eq!(kinds.len(), 15);
}
