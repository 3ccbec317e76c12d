//! All executors give the same bits: whatever the expressions, their derivatives and the numbers they
//! are computed with, the tape gives what the reference evaluator gives, machine code the same, and
//! lanes the same in every lane, by all instructions. Where lanes compute exponentials, logarithms and
//! powers by themselves, they agree with each other.
//!
//! Bytes are choices: the operations of a growing list of expressions, which of them are wanted and in
//! what form, and the numbers of a few members.

use lotka::kernel::lanes::level::Level;
use lotka::kernel::lanes::{Chunk, LANES, SeparateLanes, SharedLanes};
use lotka::kernel::{
    BlockOperation, Code, Kernel, Layout, Operation, Output, Parameters, Place, Program, Scratch,
    Tape, lower,
};
use lotka::symbolic::{
    Arity, Binary, Builtin, Expr, Node, Operation as Form, Pool, Shape, SymbolId, Value,
    derivatives_of_all, directional, evaluate, jacobian, reachable, transposed_directional,
};
use std::sync::Arc;

/// Operations on the list, wanted expressions and members that are tried at most.
const MOST_OPERATIONS: usize = 60;
const MOST_WANTED: u8 = 6;
const MOST_MEMBERS: u8 = 3;
/// Larger pools take more time than they show.
const MOST_NODES: usize = 6_000;

/// Numbers that matter somewhere.
const SPECIAL: [f64; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -2.0,
    3.0,
    4.0,
    0.5,
    -0.5,
    0.25,
    1.5,
    -3.0,
    10.0,
    1e-310,
    5e-324,
    1e300,
    -1e300,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    709.79,
    -745.2,
];

const OPERATORS: [Binary; 17] = [
    Binary::Add,
    Binary::Subtract,
    Binary::Multiply,
    Binary::Divide,
    Binary::Power,
    Binary::Minimum,
    Binary::Maximum,
    Binary::Atan2,
    Binary::Modulo,
    Binary::Equal,
    Binary::NotEqual,
    Binary::Less,
    Binary::LessEqual,
    Binary::Greater,
    Binary::GreaterEqual,
    Binary::And,
    Binary::Or,
];

pub fn holds(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let mut growth = Growth::new([1, 2, 3, 5, 19][choices.below(5)]);
    for _ in 0..choices.below(MOST_OPERATIONS) {
        growth.grow(&mut choices);
        if growth.pool.len() > MOST_NODES {
            return;
        }
    }
    let mut outputs = Outputs::default();
    for _ in 0..=choices.byte() % MOST_WANTED {
        growth.want(&mut choices, &mut outputs);
        if growth.pool.len() > MOST_NODES {
            return;
        }
    }
    let program = lower(&growth.pool, &growth.layout, &outputs.list, outputs.len)
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(program.is_sound(), "{program}");
    let program = Arc::new(program);
    let members: Vec<Member> = (0..=choices.byte() % MOST_MEMBERS)
        .map(|_| growth.member(&mut choices))
        .collect();
    let tape = Tape::new(Arc::clone(&program));
    let mut scratch = Scratch::new();
    let by_tape: Vec<Vec<f64>> = members
        .iter()
        .map(|member| call(&tape, member, &mut scratch))
        .collect();
    for (member, found) in members.iter().zip(&by_tape) {
        growth.agrees_with_reference(&outputs, member, found);
    }
    #[cfg(feature = "jit")]
    if let Some(jit) = lotka::kernel::Jit::new(&program) {
        for (member, expected) in members.iter().zip(&by_tape) {
            let found = call(&jit, member, &mut scratch);
            same("machine code", &found, expected, &program);
        }
    }
    in_lanes(&program, &members, &by_tape);
}

/// What is still to be chosen; the first when there is no more.
struct Choices<'b>(&'b [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// One of a list; the last for 0, the one before for 1.
    fn one(&mut self, list: &[Expr]) -> Expr {
        list[list.len() - 1 - self.below(list.len())]
    }

    /// A number that matters, a multiple of a quarter, or any bits.
    fn number(&mut self) -> f64 {
        let first = self.byte();
        match first {
            0..32 => SPECIAL[usize::from(first) % SPECIAL.len()],
            32..40 => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            40..48 => {
                let fine = u16::from_le_bytes([self.byte(), self.byte()]);
                f64::from(fine) / 4096.0 - 8.0
            }
            _ => (f64::from(first) - 152.0) / 16.0,
        }
    }

    fn numbers(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.number()).collect()
    }
}

/// The arguments of one call.
struct Member {
    t: f64,
    state: Vec<f64>,
    parameters: Parameters,
    slots: Vec<f64>,
}

/// What is wanted, in the order of the results.
#[derive(Default)]
struct Outputs {
    list: Vec<Output>,
    len: usize,
}

impl Outputs {
    fn assign(&mut self, pool: &Pool, expr: Expr) {
        self.list.push(Output::Assign { expr, at: self.len });
        self.len += pool.shape(expr).len();
    }
}

/// Numbers before those of the vectors: scalars share none of them.
const SCALARS: usize = 2;

/// Scalars, vectors and matrices of one size that grow from a few symbols.
struct Growth {
    pool: Pool,
    layout: Layout,
    n: usize,
    /// Scalars, vectors of n, matrices n x n.
    kinds: [Vec<Expr>; 3],
    /// The states: a scalar, a vector, a matrix; then their directions.
    states: [SymbolId; 3],
    directions: [Expr; 3],
}

impl Growth {
    fn new(n: usize) -> Growth {
        let (mut pool, mut layout) = (Pool::new(), Layout::new());
        let shapes = [Shape::Scalar, Shape::Vector(n), Shape::Matrix(n, n)];
        let mut symbol = |name: &str, shape, place| {
            let symbol = pool.new_symbol(name, shape);
            layout.insert(symbol, place);
            symbol
        };
        let offsets = [1, SCALARS, SCALARS + n];
        let all = |of: &mut dyn FnMut(&str, Shape, Place) -> SymbolId,
                   name: &str,
                   place: fn(usize) -> Place| {
            std::array::from_fn::<_, 3, _>(|kind| of(name, shapes[kind], place(offsets[kind])))
        };
        let time = symbol("t", Shape::Scalar, Place::Time);
        let states = all(&mut symbol, "y", Place::State);
        let parameters = all(&mut symbol, "p", Place::Parameter);
        let slots = all(&mut symbol, "s", Place::Slot);
        // Of shape n x n each has one value: a matrix of one number would be a scalar.
        let kinds = std::array::from_fn(|kind| {
            [parameters[kind], states[kind]]
                .map(|symbol| pool.symbol(symbol))
                .to_vec()
        });
        let directions = slots.map(|symbol| pool.symbol(symbol));
        let mut growth = Growth {
            pool,
            layout,
            n,
            kinds,
            states,
            directions,
        };
        let time = growth.pool.symbol(time);
        growth.kinds[0].insert(0, time);
        growth
    }

    fn shape(&self, kind: usize) -> Shape {
        [
            Shape::Scalar,
            Shape::Vector(self.n),
            Shape::Matrix(self.n, self.n),
        ][kind]
    }

    /// Adds one expression to its list.
    fn grow(&mut self, choices: &mut Choices<'_>) {
        let (n, form) = (self.n, choices.below(20));
        let kind = choices.below(5).saturating_sub(2);
        let shape = self.shape(kind);
        let mut pick = |kind: usize| choices.one(&self.kinds[kind]);
        let (x, y, scalar) = (pick(kind), pick(kind), pick(0));
        let (u, v, a, b) = (pick(1), pick(1), pick(2), pick(2));
        let (which, number) = (choices.below(256), choices.number());
        let pool = &mut self.pool;
        let (kind, grown) = match form {
            0..3 => (kind, function(pool, which, &[x, y, scalar])),
            3..8 => (kind, pool.binary(OPERATORS[which % 17], x, y).ok()),
            8 => (kind, pool.binary(OPERATORS[which % 17], x, scalar).ok()),
            9 => (kind, pool.binary(OPERATORS[which % 17], scalar, x).ok()),
            10 => (kind, Some(pool.power(x, number))),
            11 => (kind, pool.conditional(scalar, x, y).ok()),
            12 => (kind, pool.conditional(x, y, scalar).ok()),
            13 => (0, Some(pool.constant(number))),
            14 => (
                0,
                Some(pool.element(if which % 2 == 0 { u } else { a }, which / 2 % n)),
            ),
            15 => (
                0,
                if which % 2 == 0 {
                    pool.dot(u, v).ok()
                } else {
                    Some(pool.sum(x))
                },
            ),
            16 => (kind, Some(pool.fill(scalar, shape))),
            17 => {
                let list = &self.kinds[0];
                let one = |k: usize| list[(which * (k + 1) + k * k) % list.len()];
                (
                    1,
                    Some(pool.stack((0..n).map(one).collect(), Shape::Vector(n))),
                )
            }
            18 => match which % 2 {
                0 => (1, pool.product(a, u).ok()),
                _ => (2, pool.product(a, b).ok()),
            },
            _ => match which % 4 {
                0 => (2, pool.outer(u, v).ok()),
                1 => (2, pool.inverse(a).ok()),
                2 => (2, pool.diagonal(u).ok()),
                // A matrix of one row is a vector to some.
                _ => (2, Some(pool.transpose(a))),
            },
        };
        if let Some(grown) = grown
            && self.pool.shape(grown) == self.shape(kind)
        {
            self.kinds[kind].push(grown);
        }
    }

    /// Wants an expression: itself, a derivative of it in one of the forms that solvers ask for, or the
    /// sum of its numbers in few places.
    fn want(&mut self, choices: &mut Choices<'_>, outputs: &mut Outputs) {
        let kind = choices.below(3);
        let expr = choices.one(&self.kinds[kind]);
        let wrt = choices.below(3);
        let (symbol, direction) = (self.states[wrt], self.directions[wrt]);
        let pool = &mut self.pool;
        match choices.below(7) {
            0 | 1 => outputs.assign(pool, expr),
            2 => {
                let entries = u32::try_from(pool.shape(expr).len()).unwrap_or(0);
                let few = u32::from(choices.byte() % 4) + 1;
                let first = u32::try_from(outputs.len).unwrap_or(0);
                let at = (0..entries).map(|k| first + (k * 7 + 3) % few).collect();
                outputs.list.push(Output::Scatter { expr, at });
                outputs.len += few as usize;
            }
            3 => {
                let along = directional(pool, expr, symbol, direction);
                outputs.assign(pool, along);
            }
            4 => {
                let back = transposed_directional(pool, expr, symbol, self.directions[kind]);
                outputs.assign(pool, back);
            }
            5 if kind < 2 && wrt < 2 => {
                for (_, _, entry) in jacobian(pool, expr, symbol).entries(pool) {
                    outputs.assign(pool, entry);
                }
            }
            _ => {
                let scalar = if kind == 0 { expr } else { pool.sum(expr) };
                let wrt = self.states.iter().copied().collect();
                for derivatives in derivatives_of_all(pool, &[scalar], &wrt) {
                    for (_, derivative) in derivatives {
                        outputs.assign(pool, derivative);
                    }
                }
            }
        }
    }

    fn member(&self, choices: &mut Choices<'_>) -> Member {
        let len = SCALARS + self.n + self.n * self.n;
        Member {
            t: choices.number(),
            state: choices.numbers(len),
            parameters: Parameters::new(choices.numbers(len)),
            slots: choices.numbers(len),
        }
    }

    /// Products with diagonal matrices leave out terms that are 0, and so neither pass on what is not
    /// finite nor turn -0 into 0, as the reference does.
    fn leaves_out_terms(&self, expr: Expr) -> bool {
        let diagonal = |expr: Expr| matches!(self.pool.node(expr), Node::Diagonal(_));
        let all = reachable(&self.pool, &[expr]);
        all.iter().any(|&inner| {
            matches!(*self.pool.node(inner), Node::Product(a, b) if diagonal(a) || diagonal(b))
        })
    }

    fn agrees_with_reference(&self, outputs: &Outputs, member: &Member, found: &[f64]) {
        let value = |symbol: SymbolId| {
            let shape = self.pool.symbol_data(symbol).shape;
            let part = |numbers: &[f64], at: usize| numbers[at..at + shape.len()].to_vec();
            let numbers = match self.layout.place(symbol) {
                Some(Place::State(at)) => part(&member.state, at),
                Some(Place::Parameter(at)) => part(&member.parameters, at),
                Some(Place::Slot(at)) => part(&member.slots, at),
                Some(Place::Time) | None => vec![member.t],
            };
            Value { shape, numbers }
        };
        for output in &outputs.list {
            let Output::Assign { expr, at } = output else {
                continue;
            };
            if self.leaves_out_terms(*expr) {
                continue;
            }
            let expected = evaluate(&self.pool, *expr, &value).numbers;
            let found = &found[*at..at + expected.len()];
            assert!(
                are_same(found, &expected),
                "tape {found:?}, reference {expected:?} of {}",
                lotka::symbolic::to_text(&self.pool, *expr)
            );
        }
    }
}

/// One of the built-in functions that act element by element.
fn function(pool: &mut Pool, which: usize, arguments: &[Expr]) -> Option<Expr> {
    let all: Vec<&Builtin> = Builtin::all()
        .filter(|function| {
            matches!(
                function.operation,
                Form::Unary(_) | Form::Binary(_) | Form::Repeated(_) | Form::OfQuotient(_)
            )
        })
        .collect();
    let function = all[which % all.len()];
    let arity = match function.arity {
        Arity::Exactly(count) => count,
        Arity::AtLeast(_) => 2,
    };
    function.call(pool, arguments.get(..arity)?).ok()
}

fn call(kernel: &dyn Kernel, member: &Member, scratch: &mut Scratch) -> Vec<f64> {
    let mut out = vec![f64::NAN; kernel.out_len()];
    kernel.call(
        member.t,
        &member.state,
        &member.parameters,
        &member.slots,
        &mut out,
        scratch,
    );
    out
}

/// Equal bits, where any NaN equals any other.
fn are_same(a: &[f64], b: &[f64]) -> bool {
    let same = |a: &f64, b: &f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn same(who: &str, found: &[f64], expected: &[f64], program: &Program) {
    assert!(
        are_same(found, expected),
        "{who} {found:?}, expected {expected:?}\n{program}"
    );
}

/// True when lanes compute a function of this code by themselves.
fn has_functions_of_their_own(code: &Code) -> bool {
    use lotka::symbolic::Unary;
    let unary = |function: Unary| matches!(function, Unary::Exp | Unary::Log);
    let scalars = code.instructions.iter().any(|step| match step.operation {
        Operation::Unary(function) => unary(function),
        Operation::Binary(function) => function == Binary::Power,
        _ => false,
    });
    let blocks = code.blocks.iter().any(|block| match block.operation {
        BlockOperation::Unary(function) => unary(function),
        BlockOperation::Binary(function) => function == Binary::Power,
        _ => false,
    });
    scalars || blocks
}

/// Every member gets the same in every lane, whatever the number of chunks and the instructions, and
/// the bits of the tape where these are to be expected.
fn in_lanes(program: &Arc<Program>, members: &[Member], by_tape: &[Vec<f64>]) {
    let own = has_functions_of_their_own(program.body());
    let own_before = own || has_functions_of_their_own(program.prologue());
    let mut shared: Vec<Option<Vec<f64>>> = vec![None; members.len()];
    let mut separate = shared.clone();
    if !own {
        shared = by_tape.iter().cloned().map(Some).collect();
    }
    if !own_before {
        separate.clone_from(&shared);
    }
    for (level, chunks) in Level::all().zip([2, 1, 3].into_iter().cycle()) {
        let lanes = LANES * chunks;
        for (which, member) in members.iter().enumerate() {
            let list = vec![member; lanes];
            let out = by_shared(program, &list, level, chunks);
            for lane in 0..lanes {
                let found = of_lane(&out, chunks, lane);
                let expected = shared[which].get_or_insert_with(|| found.clone());
                same("shared lanes", &found, expected, program);
            }
        }
        let turned = |lane: usize| (lane * 3 + chunks) % members.len();
        let list: Vec<&Member> = (0..lanes).map(|lane| &members[turned(lane)]).collect();
        let out = by_separate(program, &list, level, chunks);
        for lane in 0..lanes {
            let found = of_lane(&out, chunks, lane);
            let expected = separate[turned(lane)].get_or_insert_with(|| found.clone());
            same("lanes", &found, expected, program);
        }
    }
}

fn by_shared(
    program: &Arc<Program>,
    members: &[&Member],
    level: Level,
    chunks: usize,
) -> Vec<Chunk> {
    let state = spread(members.iter().map(|member| &*member.state), chunks);
    let slots = spread(members.iter().map(|member| &*member.slots), chunks);
    let mut out = vec![Chunk::splat(f64::NAN); program.out_len() * chunks];
    let lanes = SharedLanes::new(program).at(level);
    let mut scratch = lanes.scratch(chunks);
    let (t, parameters) = (members[0].t, &members[0].parameters);
    // Twice: nothing that the first call leaves changes the second.
    for _ in 0..2 {
        lanes.call(t, &state, parameters, &slots, &mut out, &mut scratch);
    }
    out
}

fn by_separate(
    program: &Arc<Program>,
    members: &[&Member],
    level: Level,
    chunks: usize,
) -> Vec<Chunk> {
    let state = spread(members.iter().map(|member| &*member.state), chunks);
    let slots = spread(members.iter().map(|member| &*member.slots), chunks);
    let times = spread(
        members.iter().map(|member| std::slice::from_ref(&member.t)),
        chunks,
    );
    let mut out = vec![Chunk::splat(f64::NAN); program.out_len() * chunks];
    let lanes = SeparateLanes::new(program).at(level);
    let mut scratch = lanes.scratch(chunks);
    for _ in 0..2 {
        for (lane, member) in members.iter().enumerate() {
            lanes.set_parameters(lane, &member.parameters, &mut scratch);
        }
        lanes.call(&times, &state, &slots, &mut out, &mut scratch);
    }
    out
}

/// Number i of member `lane` at `(i * chunks + lane / 8, lane % 8)`.
fn spread<'a>(members: impl Iterator<Item = &'a [f64]>, chunks: usize) -> Vec<Chunk> {
    let mut all = Vec::new();
    for (lane, numbers) in members.enumerate() {
        all.resize(numbers.len() * chunks, Chunk::splat(f64::NAN));
        for (i, number) in numbers.iter().enumerate() {
            all[i * chunks + lane / LANES].0[lane % LANES] = *number;
        }
    }
    all
}

fn of_lane(out: &[Chunk], chunks: usize, lane: usize) -> Vec<f64> {
    let mine = out.iter().skip(lane / LANES).step_by(chunks);
    mine.map(|chunk| chunk.0[lane % LANES]).collect()
}
