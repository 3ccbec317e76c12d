//! Random expressions: the tape and the reference evaluator give the same bits.

use super::*;
use crate::symbolic::{Binary, Node, Unary, reachable};
use proptest::prelude::*;

/// One step of building: which operation, on which of the expressions so far.
type Choice = (u8, u16, u16, u16);

const UNARY: [Unary; 12] = [
    Unary::Negate,
    Unary::Not,
    Unary::Sin,
    Unary::Tanh,
    Unary::Exp,
    Unary::Log,
    Unary::Sqrt,
    Unary::Abs,
    Unary::Sign,
    Unary::Floor,
    Unary::Atan,
    Unary::Log1p,
];

const BINARY: [Binary; 18] = [
    Binary::Add,
    Binary::Subtract,
    Binary::Multiply,
    Binary::Add,
    Binary::Subtract,
    Binary::Multiply,
    Binary::Divide,
    Binary::Power,
    Binary::Minimum,
    Binary::Maximum,
    Binary::Modulo,
    Binary::Hill,
    Binary::HillSlope,
    Binary::Less,
    Binary::GreaterEqual,
    Binary::Equal,
    Binary::And,
    Binary::Or,
];

const EXPONENTS: [f64; 9] = [2.0, 3.0, 4.0, 0.5, -1.0, -2.0, 1.5, 0.0, 2.0];

struct Growth {
    model: Model,
    n: usize,
    /// Scalars, vectors of n, matrices n x n.
    kinds: [Vec<Expr>; 3],
}

impl Growth {
    fn new(n: usize) -> Growth {
        let mut model = Model::default();
        let (vector, matrix) = (Shape::Vector(n), Shape::Matrix(n, n));
        let t = model.symbol("t", Shape::Scalar, Place::Time);
        let number = model.pool.constant(1.25);
        let slot = model.symbol("s", Shape::Scalar, Place::Slot(1));
        let scalars = vec![
            model.state(2, Shape::Scalar),
            model.parameter(2, Shape::Scalar),
            model.state(3, Shape::Scalar),
            model.parameter(3, Shape::Scalar),
            t,
            number,
            slot,
        ];
        let inputs = model.symbol("w", vector, Place::Slot(2));
        let vectors = vec![model.state(4, vector), model.parameter(4, vector), inputs];
        let matrices = vec![model.state(4 + n, matrix), model.parameter(4 + n, matrix)];
        Growth {
            model,
            n,
            kinds: [scalars, vectors, matrices],
        }
    }

    /// An expression of this kind; later ones are more likely.
    fn pick(&self, kind: usize, choice: u16) -> Expr {
        let list = &self.kinds[kind];
        let back = usize::from(choice % 64) * usize::from(choice / 64 % 64) / 128;
        list[(list.len() - 1).saturating_sub(back % list.len())]
    }

    fn grow(&mut self, (operation, a, b, c): Choice) {
        let kind = usize::from(a % 5).saturating_sub(2);
        let (x, y) = (self.pick(kind, a / 5), self.pick(kind, b));
        let scalar = self.pick(0, c);
        let index = usize::from(c);
        let n = self.n;
        let vectors = [self.pick(1, a), self.pick(1, b)];
        let matrices = [self.pick(2, a), self.pick(2, b)];
        let shape = [Shape::Scalar, Shape::Vector(n), Shape::Matrix(n, n)][kind];
        let pool = &mut self.model.pool;
        let (kind, result) = match operation % 24 {
            0..=2 => (kind, pool.unary(UNARY[index % UNARY.len()], x)),
            3..=9 => (kind, pool.binary(BINARY[index % 16], x, y).unwrap()),
            10 => (kind, pool.binary(BINARY[index % 16], x, scalar).unwrap()),
            11 => (kind, pool.binary(BINARY[index % 16], scalar, x).unwrap()),
            12 => (kind, pool.power(x, EXPONENTS[index % EXPONENTS.len()])),
            13 => (kind, pool.conditional(scalar, x, y).unwrap()),
            14 => (kind, pool.conditional(x, y, scalar).unwrap()),
            15 if n > 0 => (0, pool.element(vectors[0], index % n)),
            16 => (0, pool.sum(x)),
            17 => (0, pool.dot(vectors[0], vectors[1]).unwrap()),
            18 => {
                let list = &self.kinds[0];
                let pick = |k: usize| list[(index * (k + 1) + k * k) % list.len()];
                (1, pool.stack((0..n).map(pick).collect(), Shape::Vector(n)))
            }
            19 => (kind, pool.fill(scalar, shape)),
            20 => (1, pool.product(matrices[0], vectors[0]).unwrap()),
            21 => (2, pool.product(matrices[0], matrices[1]).unwrap()),
            22 => match index % 3 {
                0 => (2, pool.outer(vectors[0], vectors[1]).unwrap()),
                1 => (2, pool.inverse(matrices[0]).unwrap()),
                _ => (2, pool.diagonal(vectors[0]).unwrap()),
            },
            // A matrix of one row would become a vector.
            _ if n > 1 => (2, pool.transpose(matrices[0])),
            _ => return,
        };
        let expected = [Shape::Scalar, Shape::Vector(n), Shape::Matrix(n, n)][kind];
        if pool.shape(result) == expected {
            self.kinds[kind].push(result);
        }
    }
}

/// Products with diagonal matrices leave out terms that are 0, and so neither pass on what is not
/// finite nor turn -0 into 0.
fn has_scaling(pool: &Pool, results: &[Expr]) -> bool {
    let diagonal = |expr: Expr| matches!(pool.node(expr), Node::Diagonal(_));
    reachable(pool, results)
        .iter()
        .any(|&expr| matches!(*pool.node(expr), Node::Product(a, b) if diagonal(a) || diagonal(b)))
}

fn numbers(len: usize, seed: u32) -> Vec<f64> {
    // Small multiples of 1/4, so that equalities, zeros and signs occur.
    let number =
        |k: usize| ((k as u32).wrapping_mul(2_654_435_761) ^ seed.wrapping_mul(40_503)) >> 7;
    (0..len)
        .map(|k| f64::from(number(k) % 33) / 4.0 - 4.0)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn tape_agrees_with_the_reference(
        n in prop_oneof![4 => 0usize..7, 1 => Just(19)],
        choices in prop::collection::vec(any::<Choice>(), 1..60),
        wanted in prop::collection::vec((0usize..3, any::<u16>()), 1..12),
        seeds in prop::collection::vec(any::<u32>(), 1..4),
    ) {
        let mut growth = Growth::new(n);
        for choice in choices {
            growth.grow(choice);
        }
        let mut results: Vec<Expr> = wanted
            .into_iter()
            .map(|(kind, choice)| growth.pick(kind, choice))
            .collect();
        if has_scaling(&growth.model.pool, &results) {
            results.retain(|&result| !has_scaling(&growth.model.pool, &[result]));
        }
        let tape = growth.model.tape(&results);
        #[cfg(feature = "jit")]
        // Translating takes most of the time: every eighth program shows it.
        let jit = (results.len() % 8 == 1)
            .then(|| crate::kernel::Jit::new(tape.program()))
            .flatten();
        let mut scratch = Scratch::new();
        let mut members = Vec::new();
        for seed in seeds {
            let len = 4 + n + n * n;
            let point = Point {
                t: f64::from(seed % 100) * 0.1,
                state: numbers(len, seed),
                parameters: Parameters::new(numbers(len, seed ^ 0x5555)),
                slots: numbers(2 + n, seed ^ 0x3333),
            };
            let found = call_with(&tape, &point, &mut scratch);
            let expected = growth.model.reference(&results, &point);
            prop_assert!(
                same_bits(&found, &expected),
                "{found:?}\n{expected:?}\n{}",
                tape.program()
            );
            #[cfg(feature = "jit")]
            if let Some(jit) = &jit {
                let found = call_with(jit, &point, &mut scratch);
                prop_assert!(
                    same_bits(&found, &expected),
                    "machine code: {found:?}\n{expected:?}\n{}",
                    tape.program()
                );
            }
            members.push(in_lane(&point));
        }
        lanes::check(tape.program(), &members);
    }
}

#[test]
fn long_programs_are_sorted_without_changing_results() {
    let mut model = Model::default();
    let mut exprs: Vec<Expr> = (0..20).map(|at| model.state(at, Shape::Scalar)).collect();
    exprs.extend((0..5).map(|at| model.parameter(at, Shape::Scalar)));
    let choices = numbers(9000, 3);
    let index = |k: usize| (choices[k] * 4.0 + 16.0) as usize;
    for choice in 0..2000 {
        let (a, b, c) = (
            index(3 * choice),
            index(3 * choice + 1),
            index(3 * choice + 2),
        );
        let len = exprs.len();
        let (x, y) = (exprs[len - 1 - a % len], exprs[(a * b * 7 + c) % len]);
        let pool = &mut model.pool;
        exprs.push(match c % 5 {
            0 => pool.add(x, y),
            1 => pool.sub(x, y),
            2 => pool.mul(x, y),
            3 => pool.unary(Unary::Sin, x),
            _ => pool.binary(Binary::Minimum, x, y).unwrap(),
        });
    }
    // Every entry is the sum of many.
    let outputs: Vec<Output> = (0_u32..)
        .zip(&exprs)
        .map(|(k, &expr)| Output::Scatter {
            expr,
            at: [k % 37].into(),
        })
        .collect();
    let program = lower(&model.pool, &model.layout, &outputs, 37).unwrap();
    let operations = program
        .body()
        .instructions
        .iter()
        .map(|step| step.operation);
    let changes = operations
        .clone()
        .zip(operations.skip(1))
        .filter(|(a, b)| a != b)
        .count();
    assert!(changes < program.body().instructions.len() / 2);
    let point = Point {
        state: numbers(20, 1),
        parameters: Parameters::new(numbers(5, 2)),
        ..Point::default()
    };
    let values = model.reference(&exprs, &point);
    let expected: Vec<f64> = (0..37)
        .map(|entry| {
            let terms = values.iter().skip(entry).step_by(37).copied();
            terms.reduce(|sum, term| sum + term).unwrap()
        })
        .collect();
    let tape = Tape::new(program);
    assert!(same_bits(&call(&tape, &point), &expected));
    // Several functions, with values that pass from one to the next.
    #[cfg(feature = "jit")]
    check_machine_code(&tape, &point, &expected);
}
