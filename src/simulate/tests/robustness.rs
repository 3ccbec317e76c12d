//! Random systems: whatever the equations, a run ends, with finite rows in order of time.

use super::GENERAL;
use super::problems::Closures;
use crate::simulate::{Output, Stop, integrate};

/// Xorshift numbers in 0..1 (Marsaglia, J. Stat. Softw. 8 (2003) 14).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }
}

/// A term of state i's equation: `factor * shape(y_j, y_k, t)`.
#[derive(Clone, Copy)]
struct Term {
    i: usize,
    j: usize,
    k: usize,
    shape: usize,
    factor: f64,
}

const SHAPES: usize = 9;

/// Value and slopes of a term's shape; many of them leave their domain or grow without bound.
fn shape(which: usize, a: f64, b: f64, t: f64) -> [f64; 3] {
    match which {
        0 => [a, 1.0, 0.0],
        1 => [a * b, b, a],
        2 => [a.sqrt(), 0.5 / a.sqrt(), 0.0],
        3 => [a.exp(), a.exp(), 0.0],
        4 => [a / b, 1.0 / b, -a / (b * b)],
        5 => [a.ln(), 1.0 / a, 0.0],
        6 => [a * a * b, 2.0 * a * b, a * a],
        7 => [(10.0 * t).sin(), 0.0, 0.0],
        _ => [a.signum(), 0.0, 0.0],
    }
}

fn random_system(n: usize, numbers: &mut Numbers) -> Closures {
    let term = |numbers: &mut Numbers| Term {
        i: numbers.below(n),
        j: numbers.below(n),
        k: numbers.below(n),
        shape: numbers.below(SHAPES),
        factor: (numbers.next() - 0.6) * 10_f64.powf(numbers.next() * 8.0 - 2.0),
    };
    let terms: Vec<Term> = (0..3 * n).map(|_| term(numbers)).collect();
    let pairs = terms.iter().flat_map(|t| [(t.i, t.j), (t.i, t.k)]);
    let pairs = pairs.collect();
    let copy = terms.clone();
    Closures::sparse(
        n,
        pairs,
        move |time, y, dy| {
            dy.fill(0.0);
            for t in &terms {
                dy[t.i] += t.factor * shape(t.shape, y[t.j], y[t.k], time)[0];
            }
        },
        move |time, y, add| {
            for t in &copy {
                let [_, by_a, by_b] = shape(t.shape, y[t.j], y[t.k], time);
                add(t.i, t.j, t.factor * by_a);
                add(t.i, t.k, t.factor * by_b);
            }
        },
    )
}

#[test]
fn random_systems_end_with_finite_rows() {
    let mut numbers = Numbers(12_345);
    let mut finished = 0;
    for case in 0..300 {
        let n = if case % 10 == 0 {
            45
        } else {
            1 + numbers.below(4)
        };
        let system = random_system(n, &mut numbers);
        let mut value = || match numbers.next() {
            x if x < 0.2 => 0.0,
            x => 10_f64.powf(4.0 * x - 2.0),
        };
        let start: Vec<f64> = (0..n).map(|_| value()).collect();
        let end = 10_f64.powf(numbers.next() * 4.0 - 2.0);
        let relative = 10_f64.powf(-3.0 - 6.0 * numbers.next());
        for method in GENERAL {
            let mut options = super::options(method, relative, 1e-9, n);
            options.max_steps = 1000;
            let output = Output::Steps { interior: 1 };
            let solution = integrate(&system, 0.0, &start, end, &output, &options, &mut ());
            let solver_failed = matches!(solution.stop, Stop::SolverFailed { .. });
            assert!(!solver_failed, "{case}, {method}: {:?}", solution.stop);
            assert!(
                solution.states.iter().all(|y| y.is_finite()),
                "{case}, {method}"
            );
            assert!(
                solution.times.windows(2).all(|t| t[0] <= t[1]),
                "{case}, {method}"
            );
            assert!(
                solution.statistics.evaluations < 200_000,
                "{case}, {method}"
            );
            finished += u32::from(solution.stop == Stop::Finished);
        }
    }
    assert!(finished > 100, "{finished}");
}
