//! Times of models of many genes, without files: `cargo bench --bench genes`.
//!
//! Spectra, and trace with rotation alone, of a network of 1728 genes and 105 regulators at 1947
//! cells; lines of 2000 genes and their velocities through 100,000 cells of 32-bit counts; a linear
//! model of 200 perturbations of 5000 genes with ten factors, once these are found. The data are made
//! here, and are the same in every run. All cores for networks, one for the rest. The first argument,
//! if it is no option, selects the cases whose name contains it: `cargo bench --bench genes velocity`.
//! Cells at rest are timed by `cells.rs`.

mod cases;

use cases::{Random, perform};
use lotka::analyze::network::{Keep, Network, Options, Structure, shapes, spectra, structure};
use lotka::fit::factored::{Penalty, Training, fit, gene_factors, perturbation_factors};
use lotka::fit::velocity::{Convention, Counts, Offset, lines, velocities};
use lotka::linalg::Pattern;
use lotka::table::cells::{Axis, Cells, Numbers, Values};
use nalgebra::DMatrix;
use std::hint::black_box;
use std::time::Instant;

const GO_ON: &dyn Fn() -> bool = &|| false;

fn main() {
    perform(&[
        ("networks", networks),
        ("velocity", velocity),
        ("perturbations", perturbations),
    ]);
}

/// The shortest of some times, in ms.
fn shortest<T>(times: usize, mut work: impl FnMut() -> T) -> f64 {
    let time = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..times).map(time).fold(f64::MAX, f64::min)
}

const GENES: usize = 1728;
const REGULATORS: usize = 105;
const STATES: usize = 1947;

/// Column after column the targets of each regulator, three of ten genes, and how many there are.
fn regulated(random: &mut Random) -> (Structure, usize) {
    let mut is_regulator = vec![false; GENES];
    let mut left = REGULATORS;
    while left > 0 {
        let gene = random.below(GENES);
        left -= usize::from(!is_regulator[gene]);
        is_regulator[gene] = true;
    }
    let (mut starts, mut rows) = (vec![0], Vec::new());
    for regulates in is_regulator {
        if regulates {
            rows.extend((0..GENES).filter(|_| random.uniform() < 0.3));
        }
        starts.push(rows.len());
    }
    let pattern = Pattern {
        starts: &starts,
        rows: &rows,
    };
    (structure(pattern).expect("a pattern"), rows.len())
}

fn networks() {
    let mut random = Random(7);
    let (structure, entries) = regulated(&mut random);
    let mut some = |count: usize| -> Vec<f64> { (0..count).map(|_| random.centred()).collect() };
    let weights = some(entries);
    let slopes: Vec<f64> = some(STATES * GENES).iter().map(|x| x.abs()).collect();
    let decay: Vec<f64> = some(GENES).iter().map(|x| 1.0 + 0.5 * x).collect();
    let network = Network {
        structure: &structure,
        weights: &weights,
        decay: &decay,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        spectrum: Keep::Counts,
        elements: &[],
        threads,
        interrupted: GO_ON,
    };
    let largest = structure.block_sizes().into_iter().max().unwrap_or(0);
    println!(
        "  {GENES} genes, {REGULATORS} regulators, {entries} entries, {STATES} cells; the largest block has {largest} genes"
    );
    let all = shortest(3, || spectra(network, &slopes, options).expect("spectra"));
    println!("  spectra on {threads} threads: {all:.0} ms");
    let alone = shortest(5, || shapes(network, &slopes, options).expect("shapes"));
    println!("  trace and rotation on {threads} threads: {alone:.0} ms");
}

fn velocity() {
    const GENES: usize = 2000;
    const CELLS: usize = 100_000;
    let mut random = Random(11);
    let slopes: Vec<f64> = (0..GENES).map(|_| 0.2 + random.uniform()).collect();
    let (mut s, mut u) = (Vec::new(), Vec::new());
    s.reserve_exact(CELLS * GENES);
    u.reserve_exact(CELLS * GENES);
    for _ in 0..CELLS {
        for slope in &slopes {
            let spliced = 8.0 * random.uniform();
            s.push(spliced as f32);
            u.push((slope * spliced + random.uniform()) as f32);
        }
    }
    let dense = |numbers| Cells::new(CELLS, GENES, Values::Dense(Numbers::Single(numbers)));
    let (spliced, unspliced) = (dense(s).expect("counts"), dense(u).expect("counts"));
    let counts = Counts {
        spliced: &spliced,
        unspliced: &unspliced,
        genes: Axis::Columns,
    };
    println!("  {GENES} genes, {CELLS} cells, dense counts of 32 bits");
    for (name, convention) in [
        ("scvelo", Convention::scvelo(Offset::None)),
        ("velocyto", Convention::velocyto(Offset::Fitted)),
    ] {
        let time = shortest(3, || lines(counts, convention, GO_ON).expect("lines"));
        println!("  lines of {name}: {:.2} s", time / 1e3);
    }
    let genes = lines(counts, Convention::scvelo(Offset::None), GO_ON).expect("lines");
    let time = shortest(3, || {
        let mut sum = 0.0;
        let mut take = |_: usize, own: &[f64]| sum += own[0];
        velocities(counts, &genes, &mut take, GO_ON).expect("velocities");
        sum
    });
    println!("  velocities: {:.2} s", time / 1e3);
}

fn perturbations() {
    const GENES: usize = 5000;
    const COLUMNS: usize = 200;
    const FACTORS: usize = 10;
    let mut random = Random(13);
    let mut some = |rows, columns| DMatrix::from_fn(rows, columns, |_, _| random.centred());
    let expression = some(GENES, 12) * some(12, COLUMNS) + some(GENES, COLUMNS) * 0.1;
    let baseline: Vec<f64> = expression.column(0).iter().copied().collect();
    // The control perturbs nothing.
    let perturbed: Vec<Option<usize>> = (0..COLUMNS).map(|at| (at > 0).then_some(at)).collect();
    println!("  {GENES} genes, {COLUMNS} columns, {FACTORS} factors");
    let genes = gene_factors(&expression, FACTORS).expect("factors");
    let time = shortest(3, || gene_factors(&expression, FACTORS).expect("factors"));
    println!("  factors: {time:.0} ms");
    let perturbations = perturbation_factors(&genes, &perturbed).expect("genes");
    let training = Training {
        expression: &expression,
        baseline: &baseline,
        genes: &genes,
        perturbations: &perturbations,
    };
    for (name, penalty) in [
        ("least squares", Penalty::None),
        ("ridge on both sides", Penalty::TwoSided(0.1)),
        ("ridge", Penalty::Ridge(0.1)),
    ] {
        let time = shortest(20, || fit(training, penalty).expect("a model"));
        println!("  {name}: {time:.2} ms");
    }
}
