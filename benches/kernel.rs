//! Times of compiled functions: `cargo bench --bench kernel`.
//!
//! Prints medians of ns per call, for right-hand sides and Jacobians: of the tape, of machine code,
//! and of the same written by hand in Rust; then medians of ms for lowering and for machine code. All
//! are times of the processor. The first argument, if it is no option, selects the cases whose name
//! contains it.

mod plain;

use cpu_time::ProcessTime;
#[cfg(feature = "jit")]
use lotka::kernel::Jit;
use lotka::kernel::{Kernel, Layout, Output, Parameters, Place, Scratch, Tape, lower};
use lotka::symbolic::{Expr, Pool, Shape, SymbolId, Unary};
use std::hint::black_box;

/// Expressions being built, with states y1, y2, ... at the first offsets of the state.
struct Builder {
    pool: Pool,
    layout: Layout,
    states: Vec<Expr>,
}

impl Builder {
    fn new(states: usize) -> Builder {
        let mut builder = Builder {
            pool: Pool::new(),
            layout: Layout::new(),
            states: Vec::new(),
        };
        for index in 0..states {
            let state = builder.input(
                format!("y{}", index + 1),
                Shape::Scalar,
                Place::State(index),
            );
            builder.states.push(state);
        }
        builder
    }

    fn input(&mut self, name: String, shape: Shape, place: Place) -> Expr {
        let symbol: SymbolId = self.pool.new_symbol(name, shape);
        self.layout.insert(symbol, place);
        self.pool.symbol(symbol)
    }

    /// A factor times the states of these numbers, counted from 1.
    fn term(&mut self, factor: f64, states: &[usize]) -> Expr {
        let mut product = self.pool.constant(factor);
        for &state in states {
            product = self.pool.mul(product, self.states[state - 1]);
        }
        product
    }

    fn tape(&self, results: &[Expr]) -> Tape {
        let mut at = 0;
        let outputs: Vec<Output> = results
            .iter()
            .map(|&expr| {
                let output = Output::Assign { expr, at };
                at += self.pool.shape(expr).len();
                output
            })
            .collect();
        Tape::new(lower(&self.pool, &self.layout, &outputs, at).expect("complete expressions"))
    }
}

/// Hairer and Wanner, Solving Ordinary Differential Equations II, HIRES.
fn hires() -> Tape {
    let mut builder = Builder::new(8);
    let equations: [&[(f64, &[usize])]; 8] = [
        &[(-1.71, &[1]), (0.43, &[2]), (8.32, &[3]), (0.0007, &[])],
        &[(1.71, &[1]), (-8.75, &[2])],
        &[(-10.03, &[3]), (0.43, &[4]), (0.035, &[5])],
        &[(8.32, &[2]), (1.71, &[3]), (-1.12, &[4])],
        &[(-1.745, &[5]), (0.43, &[6]), (0.43, &[7])],
        &[
            (-280.0, &[6, 8]),
            (0.69, &[4]),
            (1.71, &[5]),
            (-0.43, &[6]),
            (0.69, &[7]),
        ],
        &[(280.0, &[6, 8]), (-1.81, &[7])],
        &[(-280.0, &[6, 8]), (1.81, &[7])],
    ];
    let results: Vec<Expr> = equations
        .iter()
        .map(|terms| {
            let zero = builder.pool.constant(0.0);
            terms.iter().fold(zero, |sum, (factor, states)| {
                let term = builder.term(factor.abs(), states);
                if *factor < 0.0 {
                    builder.pool.sub(sum, term)
                } else {
                    builder.pool.add(sum, term)
                }
            })
        })
        .collect();
    builder.tape(&results)
}

/// The POLLU problem of the Bari test set for initial value problem solvers: rates, then the
/// numbers of the rates that each state gains (positive) and loses (negative).
fn pollu() -> Tape {
    const RATES: [(f64, &[usize]); 25] = [
        (0.35, &[1]),
        (26.6, &[2, 4]),
        (12300.0, &[5, 2]),
        (0.00086, &[7]),
        (0.00082, &[7]),
        (15000.0, &[7, 6]),
        (0.00013, &[9]),
        (24000.0, &[9, 6]),
        (16500.0, &[11, 2]),
        (9000.0, &[11, 1]),
        (0.022, &[13]),
        (12000.0, &[10, 2]),
        (1.88, &[14]),
        (16300.0, &[1, 6]),
        (4.8e6, &[3]),
        (0.00035, &[4]),
        (0.0175, &[4]),
        (1e8, &[16]),
        (4.44e11, &[16]),
        (1240.0, &[17, 6]),
        (2.1, &[19]),
        (5.78, &[19]),
        (0.0474, &[1, 4]),
        (1780.0, &[19, 1]),
        (3.12, &[20]),
    ];
    const CHANGES: [&[i32]; 20] = [
        &[-1, -10, -14, -23, -24, 2, 3, 9, 11, 12, 22, 25],
        &[-2, -3, -9, -12, 1, 21],
        &[-15, 1, 17, 19, 22],
        &[-2, -16, -17, -23, 15],
        &[-3, 4, 4, 6, 7, 13, 20],
        &[-6, -8, -14, -20, 3, 18, 18],
        &[-4, -5, -6, 13],
        &[4, 5, 6, 7],
        &[-7, -8],
        &[-12, 7, 9],
        &[-9, -10, 8, 11],
        &[9],
        &[-11, 10],
        &[-13, 12],
        &[14],
        &[-18, -19, 16],
        &[-20],
        &[20],
        &[-21, -22, -24, 23, 25],
        &[-25, 24],
    ];
    let mut builder = Builder::new(20);
    let rates: Vec<Expr> = RATES
        .iter()
        .map(|(factor, states)| builder.term(*factor, states))
        .collect();
    let results: Vec<Expr> = CHANGES
        .iter()
        .map(|changes| {
            let zero = builder.pool.constant(0.0);
            changes.iter().fold(zero, |sum, change| {
                let rate = rates[change.unsigned_abs() as usize - 1];
                if *change < 0 {
                    builder.pool.sub(sum, rate)
                } else {
                    builder.pool.add(sum, rate)
                }
            })
        })
        .collect();
    builder.tape(&results)
}

/// One layer of a network and its Jacobian: W2 tanh(W1 y + b), W2 diag(1 - tanh^2) W1.
fn network(size: usize) -> Tape {
    let mut builder = Builder::new(0);
    let matrix = Shape::Matrix(size, size);
    let y = builder.input("y".into(), Shape::Vector(size), Place::State(0));
    let w1 = builder.input("W1".into(), matrix, Place::Parameter(0));
    let w2 = builder.input("W2".into(), matrix, Place::Parameter(size * size));
    let pool = &mut builder.pool;
    let inner = pool.product(w1, y).expect("fitting shapes");
    let value = pool.unary(Unary::Tanh, inner);
    let drift = pool.product(w2, value).expect("fitting shapes");
    let square = pool.power(value, 2.0);
    let slope = pool.subtract_from_number(1.0, square);
    let slopes = pool.diagonal(slope).expect("a vector");
    let left = pool.product(w2, slopes).expect("fitting shapes");
    let jacobian = pool.product(left, w1).expect("fitting shapes");
    builder.tape(&[drift, jacobian])
}

/// `count` reactions y_i + y_j -> y_k with rate constants as parameters: drift and Jacobian.
fn mass_action(count: usize) -> (Builder, Vec<Expr>, Vec<Output>, usize) {
    let mut builder = Builder::new(count);
    let mut drift = vec![builder.pool.constant(0.0); count];
    let mut entries = std::collections::BTreeMap::new();
    for reaction in 0..count {
        let k = builder.input(
            format!("k{reaction}"),
            Shape::Scalar,
            Place::Parameter(reaction),
        );
        let (i, j, product) = (
            reaction,
            (reaction * 7 + 3) % count,
            (reaction * 13 + 5) % count,
        );
        let (a, b) = (builder.states[i], builder.states[j]);
        let pool = &mut builder.pool;
        let (by_a, by_b) = (pool.mul(k, b), pool.mul(k, a));
        let rate = pool.mul(by_b, b);
        drift[i] = pool.sub(drift[i], rate);
        drift[j] = pool.sub(drift[j], rate);
        drift[product] = pool.add(drift[product], rate);
        for (column, slope) in [(i, by_a), (j, by_b)] {
            for (row, gain) in [(i, false), (j, false), (product, true)] {
                let zero = pool.constant(0.0);
                let entry = entries.entry((column, row)).or_insert(zero);
                *entry = if gain {
                    pool.add(*entry, slope)
                } else {
                    pool.sub(*entry, slope)
                };
            }
        }
    }
    let results: Vec<Expr> = drift.iter().chain(entries.values()).copied().collect();
    let outputs = results
        .iter()
        .enumerate()
        .map(|(at, &expr)| Output::Assign { expr, at })
        .collect();
    let len = results.len();
    (builder, results, outputs, len)
}

/// Sums, differences and products without any pattern.
fn irregular(count: usize) -> Tape {
    let mut builder = Builder::new(20);
    let mut exprs = builder.states.clone();
    let mut random = 12_345_u64;
    let mut below = |bound: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % bound
    };
    while exprs.len() < count {
        let (a, b) = (exprs[below(exprs.len())], exprs[below(exprs.len())]);
        let pool = &mut builder.pool;
        exprs.push(match below(4) {
            0 => pool.add(a, b),
            1 => pool.sub(a, b),
            2 => pool.mul(a, b),
            _ => pool.div(a, b),
        });
    }
    builder.tape(&exprs[20..])
}

/// A right-hand side of the state alone.
type ByHand = fn(&[f64], &mut [f64]);

fn state_for(len: usize) -> Vec<f64> {
    (0..len).map(|k| 0.1 + (k % 10) as f64 * 0.05).collect()
}

fn median(runs: usize, run: impl FnMut() -> f64) -> f64 {
    let mut times: Vec<f64> = std::iter::repeat_with(run).take(runs).collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

/// Median over runs of the time of one call, in ns.
fn time_calls(mut call: impl FnMut()) -> f64 {
    let mut run = |calls: u32| {
        let start = ProcessTime::now();
        for _ in 0..calls {
            call();
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    let calls = (2e6 / run(1000).max(1.0)) as u32 + 1;
    median(101, || run(calls))
}

fn time_kernel(kernel: &dyn Kernel, parameters: usize) -> f64 {
    let state = state_for(kernel.program().state().source.end);
    let parameters = Parameters::new(
        (0..parameters)
            .map(|k| 0.01 + (k % 7) as f64 * 0.01)
            .collect::<Vec<_>>(),
    );
    let mut out = vec![0.0; kernel.out_len()];
    let mut scratch = Scratch::new();
    time_calls(|| {
        kernel.call(
            0.0,
            black_box(&state),
            &parameters,
            &[],
            &mut out,
            &mut scratch,
        );
        black_box(&mut out);
    })
}

/// The time of a function written by hand, which gives what the tape gives.
fn time_by_hand(tape: &Tape, function: ByHand) -> f64 {
    let state = state_for(tape.program().state().source.end);
    let mut expected = vec![0.0; tape.out_len()];
    let none = Parameters::new(Vec::new());
    tape.call(0.0, &state, &none, &[], &mut expected, &mut Scratch::new());
    let mut out = vec![0.0; tape.out_len()];
    let function = black_box(function);
    function(&state, &mut out);
    for (found, expected) in out.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
            "{found}, {expected}"
        );
    }
    time_calls(|| {
        function(black_box(&state), &mut out);
        black_box(&mut out);
    })
}

#[cfg(feature = "jit")]
fn machine_code(tape: &Tape) -> Option<Jit> {
    Jit::new(tape.program())
}

#[cfg(not(feature = "jit"))]
fn machine_code(_: &Tape) -> Option<Tape> {
    None
}

fn report(name: &str, tape: &Tape, parameters: usize, by_hand: Option<ByHand>) {
    let statistics = tape.statistics();
    let ns = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), |time| format!("{time:.1}"));
    let native = machine_code(tape).map(|native| time_kernel(&native, parameters));
    let by_hand = by_hand.map(|function| time_by_hand(tape, function));
    println!(
        "{name:24} {:>10} {:>12} {:>10}   {:6} instructions {:7} operations {:6} registers",
        ns(Some(time_kernel(tape, parameters))),
        ns(native),
        ns(by_hand),
        statistics.body,
        statistics.elementary,
        statistics.registers
    );
}

/// Lowering, and translation into machine code, of outputs that are numbers.
fn report_compiling(name: &str, builder: &Builder, outputs: &[Output]) {
    let ms = |run: &dyn Fn()| {
        median(21, || {
            let start = ProcessTime::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
    };
    let program = || lower(&builder.pool, &builder.layout, outputs, outputs.len());
    let tape = Tape::new(program().expect("complete expressions"));
    println!(
        "compiling {name:24} lowering {:8.2} ms   machine code {:8.2} ms",
        ms(&|| drop(black_box(program()))),
        ms(&|| drop(black_box(machine_code(&tape))))
    );
}

fn main() {
    let wanted = std::env::args()
        .nth(1)
        .filter(|name| !name.starts_with('-'))
        .unwrap_or_default();
    println!(
        "{:24} {:>10} {:>12} {:>10}",
        "ns per call", "tape", "machine code", "by hand"
    );
    let case = |name: &str, make: &dyn Fn() -> Tape, parameters, by_hand: Option<ByHand>| {
        if name.contains(&wanted) {
            report(name, &make(), parameters, by_hand);
        }
    };
    case("empty", &|| Builder::new(0).tape(&[]), 0, None);
    let one_product = || {
        let mut builder = Builder::new(2);
        let product = builder.term(1.0, &[1, 2]);
        builder.tape(&[product])
    };
    case("one product", &one_product, 0, None);
    case("hires", &hires, 0, Some(plain::hires));
    case("pollu", &pollu, 0, Some(plain::pollu));
    case("irregular 2000", &|| irregular(2000), 0, None);
    for size in [4, 16, 64] {
        let parameters = 2 * size * size;
        case(
            &format!("network {size}"),
            &|| network(size),
            parameters,
            None,
        );
    }
    let drift = "mass action 1000 drift";
    let whole = "mass action 1000";
    let (builder, results, outputs, _) = mass_action(1000);
    case(drift, &|| builder.tape(&results[..1000]), 1000, None);
    case(whole, &|| builder.tape(&results), 1000, None);
    for (name, outputs) in [(drift, &outputs[..1000]), (whole, &outputs[..])] {
        if name.contains(&wanted) {
            report_compiling(name, &builder, outputs);
        }
    }
}
