//! Times of linear systems with noise from cells at rest: `cargo bench --bench cells`.
//!
//! Prints how long one pass over 100,000 cells takes; an exact gradient beside the matrix products
//! and factorisations that it is made of, measured in the same run; and a whole search. One core. The
//! first argument, if it is no option, selects the cases whose name contains it.

mod cases;

use cases::{Random, perform};
use lotka::analyze::effects;
use lotka::fit::cells::{
    Accumulator, Cells, Covariance, Design, Entries, Options, Penalty, Point, Statistics, gradient,
    matched_start, moments, search,
};
use lotka::linalg::products::{
    Cholesky, Lu, add_product, add_symmetric_product, eigenvalues, product, set_product, turned,
};
use lotka::linalg::sign::SignLyapunov;
use nalgebra::DMatrix;
use std::hint::black_box;
use std::time::Instant;

const CELLS: usize = 100_000;
const INPUTS: usize = 50;
const GO_ON: &dyn Fn() -> bool = &|| false;

fn main() {
    perform(&[
        ("gradient 500", || gradients(500)),
        ("gradient 1000", || gradients(1000)),
        ("search 100", || searches(100)),
        ("search 200", || searches(200)),
    ]);
}

/// The shortest of five times, in ms.
fn shortest<T>(mut work: impl FnMut() -> T) -> f64 {
    let time = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..5).map(time).fold(f64::MAX, f64::min)
}

/// A stable matrix with about five entries in each row.
fn network(p: usize, numbers: &mut Random) -> DMatrix<f64> {
    let density = 5.0 / p as f64;
    let mut drift = DMatrix::zeros(p, p);
    for j in 0..p {
        for i in 0..p {
            let entry = numbers.centred();
            if numbers.centred().abs() < density && i != j {
                drift[(i, j)] = entry;
            }
        }
    }
    let spectrum = eigenvalues(&drift).expect("eigenvalues");
    let rightmost = spectrum
        .iter()
        .map(|value| value.re)
        .fold(f64::MIN, f64::max);
    drift - DMatrix::identity(p, p) * (rightmost + 0.5)
}

/// A control and a knock-out for each other group.
fn design_of_groups(inputs: usize) -> DMatrix<f64> {
    let acts = |i: usize, k: usize| f64::from(u8::from(i == 0 || i == k));
    DMatrix::from_fn(inputs, inputs, acts)
}

fn gradients(p: usize) {
    let mut numbers = Random(3);
    let drift = network(p, &mut numbers);
    let input = DMatrix::from_fn(p, INPUTS + 1, |_, _| numbers.centred() * 0.3);
    let inputs = design_of_groups(INPUTS + 1);
    let means = DMatrix::from_fn(p, INPUTS + 1, |_, _| numbers.normal());
    let (statistics, taken) = taken(p, &mut numbers, |numbers, group, cell| {
        for (number, mean) in cell.iter_mut().zip(means.column(group).iter()) {
            *number = mean + 1.7 * numbers.centred();
        }
    });
    println!("  statistics of {CELLS} cells in one pass: {taken:.2} s");
    let point = Point {
        drift,
        input,
        noise: DMatrix::identity(p, p),
    };
    let of = |covariance: Covariance| {
        let cells = Cells::new(&statistics, &inputs, None, covariance).expect("cells");
        shortest(|| {
            let at = moments(&cells, &point, GO_ON).expect("moments");
            gradient(&cells, &point, &at, GO_ON).expect("a gradient")
        })
    };
    let free = of(Covariance::Profiled { ridge: 1e-6 });
    let raw = parts_of_free(&statistics, &point, &inputs);
    println!(
        "  free covariance: gradient {free:.1} ms, its parts {raw:.1} ms, ratio {:.2}",
        free / raw
    );
    let held = of(Covariance::FromNoise);
    let raw = parts_of_noise(&point, &inputs);
    println!(
        "  from noise: gradient {held:.1} ms, its parts {raw:.1} ms, ratio {:.2}",
        held / raw
    );
}

/// Cells in turn of every group, and the time that taking them cost.
fn taken(
    p: usize,
    numbers: &mut Random,
    mut draw: impl FnMut(&mut Random, usize, &mut [f64]),
) -> (Statistics, f64) {
    const CHUNK: usize = 2000;
    let groups = INPUTS.min(p - 1) + 1;
    let mut accumulator = Accumulator::new(p, &vec![0; groups]);
    let mut seconds = 0.0;
    for chunk in 0..CELLS / CHUNK {
        let of: Vec<usize> = (0..CHUNK).map(|at| (at * 7 + chunk) % groups).collect();
        let mut rows = vec![0.0; CHUNK * p];
        for (cell, group) in rows.chunks_mut(p).zip(&of) {
            draw(numbers, *group, cell);
        }
        let start = Instant::now();
        accumulator.take(&of, &rows, GO_ON).expect("cells");
        seconds += start.elapsed().as_secs_f64();
    }
    (accumulator.finish(), seconds)
}

/// The products and factorisations of a gradient with a free covariance.
fn parts_of_free(statistics: &Statistics, point: &Point, inputs: &DMatrix<f64>) -> f64 {
    let lower = Cholesky::new(statistics.scatter()).expect("a factor");
    let k = inputs.ncols();
    let small = DMatrix::<f64>::identity(k, k) * 3.0;
    shortest(|| {
        let mut means = product(&point.input, inputs);
        let factors = Lu::new(point.drift.clone()).expect("factors");
        factors.solve(&mut means);
        let mut whitened = means.clone();
        lower.solve_lower(&mut whitened);
        let gram = product(turned(&whitened), &whitened);
        let inner = Cholesky::new(small.clone()).expect("a factor");
        let mut adjoint = means.clone();
        lower.solve_lower(&mut adjoint);
        let mut corner = product(turned(&whitened), &adjoint);
        inner.solve(&mut corner);
        add_product(&mut adjoint, -1.0, &whitened, &corner);
        lower.solve_upper(&mut adjoint);
        factors.solve_turned(&mut adjoint);
        (
            gram,
            product(&adjoint, turned(&means)),
            product(&adjoint, turned(inputs)),
        )
    })
}

/// The products and factorisations of a gradient with a covariance from noise: those of the sign
/// iteration forwards and back, of its residuals, and of the means.
fn parts_of_noise(point: &Point, inputs: &DMatrix<f64>) -> f64 {
    let (a, b) = (&point.drift, &point.input);
    let p = a.nrows();
    let steps = SignLyapunov::new(a, GO_ON)
        .expect("a stable matrix")
        .steps();
    let near_one = DMatrix::<f64>::identity(p, p) + a * 0.01;
    let spread = product(a, turned(a)) + DMatrix::<f64>::identity(p, p);
    let mut first = near_one.clone();
    let mut second = near_one.clone();
    shortest(|| {
        for _ in 0..steps {
            let inverse = Lu::new(near_one.clone()).expect("factors").inverse();
            set_product(&mut first, 1.0, &inverse, &spread);
            add_symmetric_product(&mut second, 1.0, &first, turned(&inverse));
            set_product(&mut first, 1.0, turned(&inverse), &spread);
            add_symmetric_product(&mut second, 1.0, &first, &inverse);
        }
        for _ in 0..2 {
            set_product(&mut first, 1.0, a, a);
        }
        set_product(&mut first, 1.0, a, turned(a));
        let factor = Cholesky::new(spread.clone()).expect("a factor");
        let inverse = factor.inverse();
        add_symmetric_product(&mut second, 1.0, b, turned(b));
        set_product(&mut first, 1.0, &inverse, &spread);
        add_symmetric_product(&mut second, 1.0, &first, &inverse);
        for _ in 0..2 {
            set_product(&mut first, 1.0, &spread, &spread);
        }
        let mut means = product(b, inputs);
        let factors = Lu::new(a.clone()).expect("factors");
        factors.solve(&mut means);
        let mut adjoint = means.clone();
        factor.solve(&mut adjoint);
        factors.solve_turned(&mut adjoint);
        (
            product(&adjoint, turned(&means)),
            product(&adjoint, turned(inputs)),
        )
    })
}

/// A whole search from moments, to a gradient of 1e-6 for a cell.
fn searches(p: usize) {
    let mut numbers = Random(3);
    let drift = network(p, &mut numbers);
    let q = INPUTS.min(p - 1) + 1;
    let input = DMatrix::from_fn(p, q, |i, l| match l {
        0 => 1.0 + 0.5 * numbers.centred(),
        _ if i + 1 == l => 0.3 * numbers.centred() - 1.0,
        _ => 0.0,
    });
    let inputs = design_of_groups(q);
    let noise = DMatrix::identity(p, p);
    let means = effects::stationary_mean(&drift, &input, &inputs).expect("means");
    let spread = effects::fluctuation(&drift, &noise, GO_ON).expect("a covariance");
    let lower = Cholesky::new(spread.covariance).expect("a factor");
    let (statistics, _) = taken(p, &mut numbers, |numbers, group, cell| {
        let normal = DMatrix::from_fn(p, 1, |_, _| numbers.normal());
        let drawn = product(lower.lower(), &normal) + means.column(group);
        cell.copy_from_slice(drawn.as_slice());
    });
    let cells = Cells::new(&statistics, &inputs, None, Covariance::FromNoise).expect("cells");
    let design = Design {
        drift: Entries::free(-DMatrix::identity(p, p)),
        input: Entries::masked(DMatrix::zeros(p, q), |i, l| l == 0 || i + 1 == l),
        noise: Entries::held(noise),
    };
    let start = Instant::now();
    let design = matched_start(&cells, &design, GO_ON).unwrap_or(design);
    let found = search(
        &cells,
        &design,
        &Penalty::default(),
        &Options::default(),
        GO_ON,
    );
    let found = found.expect("shapes that fit");
    println!(
        "  {} knock-outs: {:?} in {:.1} s, gradient for a cell {:.1e}, {} steps, {} products with the information",
        q - 1,
        found.end,
        start.elapsed().as_secs_f64(),
        found.gradient,
        found.iterations,
        found.products
    );
}
