//! Times of many members at once: `cargo bench --bench lanes`.
//!
//! Prints medians of ns: per normal number, per step of a path, per member of a sweep, and how long
//! 10,000 paths or members take on one core. The first argument, if it is no option, selects the
//! cases whose name contains it.

use cpu_time::ProcessTime;
use lotka::kernel::lanes::{Chunk, LaneStreams, MOST_CHUNKS};
use lotka::kernel::{Kernels, Parameters, Scratch};
use lotka::simulate::{
    Chance, LanePaths, MEMBERS_OF_BLOCK, Member, Method, Options, Paths, Problem, SideBySide,
    SinglePaths, Tolerances,
};
use lotka::source::SourceId;
use lotka::system::System;
use lotka::{model, syntax, system};
use std::hint::black_box;
use std::sync::Arc;

const COUNT: usize = 10_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let cases: [(&str, fn()); 4] = [
        ("normals", normals),
        ("ornstein_uhlenbeck", ornstein_uhlenbeck),
        ("griffith", griffith),
        ("lotka_volterra", lotka_volterra),
    ];
    for (name, case) in cases {
        if wanted
            .as_ref()
            .is_none_or(|part| name.contains(part.as_str()))
        {
            print!("{name:<20}");
            case();
        }
    }
}

/// The median of some runs, in seconds of the processor: what else the machine does counts little.
fn median(runs: usize, mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = ProcessTime::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn normals() {
    let mut streams = LaneStreams::new(1, 0..64, MOST_CHUNKS);
    let mut out = vec![Chunk::splat(0.0); 10 * MOST_CHUNKS];
    let calls = 10_000;
    let time = median(9, || {
        for _ in 0..calls {
            streams.normals(&mut out);
            black_box(&out);
        }
    });
    println!(
        "{:8.2} ns per normal",
        time * 1e9 / (calls * out.len() * 8) as f64
    );
}

struct Model {
    system: Arc<System>,
    kernels: Kernels,
    parameters: Vec<f64>,
    initial: Vec<f64>,
}

/// Parameters and initial values of the text are plain numbers.
fn compiled(text: &str) -> Model {
    let parsed = syntax::parse_file(SourceId(0), text);
    let checked = model::check(&parsed.file);
    let system = Arc::new(system::derive(
        &checked.model.expect("a model without faults"),
    ));
    let kernels = Kernels::new(Arc::clone(&system));
    let slots = vec![0.0; system.slots.len()];
    let numbers = |exprs: &[_]| {
        let kernel = kernels.function(&system.pool, exprs);
        let mut out = vec![0.0; kernel.out_len()];
        let zero = vec![0.0; system.dimension()];
        let parameters = Parameters::new(vec![0.0; system.parameters.len()]);
        kernel.call(
            0.0,
            &zero,
            &parameters,
            &slots,
            &mut out,
            &mut Scratch::new(),
        );
        out
    };
    let parameters = numbers(&system.parameter_values);
    let initial = numbers(&system.initial);
    Model {
        system,
        kernels,
        parameters,
        initial,
    }
}

/// 10,000 paths by Euler-Maruyama with steps of 0.01.
fn paths(text: &str, end: f64) {
    let model = compiled(text);
    let problem = Problem::new(
        &model.system,
        &model.kernels,
        model.parameters.clone(),
        model.initial.clone(),
    );
    let tolerances = Tolerances::uniform(1e-6, 1e-9, model.initial.len());
    let mut options = Options::new(tolerances).with_method(Method::EulerMaruyama);
    options.chance = Some(Chance {
        seed: 1,
        path: 0,
        step: Some(0.01),
        non_negative: false,
    });
    let times = [end];
    let paths = LanePaths::new(SinglePaths {
        problem: &problem,
        range: (0.0, end),
        initial: &model.initial,
        times: &times,
        options: &options,
    })
    .expect("paths for lanes");
    let mut mean = 0.0;
    let time = median(5, || {
        mean = 0.0;
        for from in (0..COUNT as u64).step_by(64) {
            let block = paths.block(from..(from + 64).min(COUNT as u64), &|| false);
            mean += block.values.iter().step_by(paths.width()).sum::<f64>();
        }
    });
    let steps = COUNT as f64 * end / 0.01;
    println!(
        "{:8.2} ns per step, {time:.4} s in all; mean {:.4}",
        time * 1e9 / steps,
        mean / COUNT as f64
    );
}

/// Ten dimensions, full matrices.
fn ornstein_uhlenbeck() {
    let matrix = |entry: &dyn Fn(usize, usize) -> f64| {
        let row = |i: usize| {
            let entries: Vec<String> = (0..10).map(|j| format!("{:.4}", entry(i, j))).collect();
            format!("[{}]", entries.join(", "))
        };
        format!("[{}]", (0..10).map(row).collect::<Vec<_>>().join(", "))
    };
    let some = |i: usize, j: usize| ((i * 7 + j * 13 + i * j * 5) % 19) as f64 / 19.0 - 0.5;
    let drift = matrix(&|i, j| {
        if i == j {
            1.0 + 0.1 * i as f64
        } else {
            0.2 * some(i, j)
        }
    });
    let noise = matrix(&|i, j| if i == j { 0.5 } else { 0.1 * some(j, i) });
    let text = format!(
        "index k = {{a, b, c, d, e, f, g, h, i, j}}\nparam A[k, k] = {drift}\n\
         param B[k, k] = {noise}\nwiener W[k]\nstate x[k] = 1\nx' = -A*x + B*W'"
    );
    paths(&text, 10.0);
}

/// The Langevin equation of a genetic switch, with four sources of noise.
fn griffith() {
    let text = "param a = 1, b = 0.4, Om = 100\n\
        wiener V1\nwiener V2\nwiener V3\nwiener V4\n\
        state x = 2, y = 0.5\n\
        x' = -a*x + y + sqrt(max(y, 0)/Om)*V1' - sqrt(max(a*x, 0)/Om)*V2'\n\
        y' = x^2/(1 + x^2) - b*y + sqrt(x^2/(1 + x^2)/Om)*V3' - sqrt(max(b*y, 0)/Om)*V4'";
    paths(text, 20.0);
}

/// Members with parameters half to one and a half times the usual ones.
fn lotka_volterra() {
    let model = compiled(
        "param a = 1.5, b = 1, c = 1, d = 3\nstate x = 1, y = 1\n\
         x' = a*x - b*x*y\ny' = c*x*y - d*y",
    );
    let factor =
        |k: usize, salt: usize| 0.5 + ((k * 37 + salt * 101 + k * k * 13) % 9973) as f64 / 9973.0;
    let members: Vec<Member> = (0..COUNT)
        .map(|k| Member {
            parameters: (model.parameters.iter().enumerate())
                .map(|(i, value)| value * factor(k, i))
                .collect(),
            initial: model.initial.clone(),
        })
        .collect();
    let options = Options::new(Tolerances::uniform(1e-6, 1e-9, 2));
    let times: Vec<f64> = (0..=10).map(f64::from).collect();
    let range = (0.0, 10.0);
    let runs = SideBySide::new(&model.system, &model.kernels, range, &times, &options)
        .expect("a quiet model");
    let (mut sum, mut steps) = (0.0, 0);
    let time = median(9, || {
        (sum, steps) = (0.0, 0);
        for part in members.chunks(MEMBERS_OF_BLOCK) {
            let block = runs.block(part, &|| false);
            sum += block.values.iter().skip(20).step_by(22).sum::<f64>();
            steps += block
                .runs
                .iter()
                .map(|run| run.statistics.steps)
                .sum::<u64>();
        }
    });
    println!(
        "{:8.0} ns per member, {time:.4} s in all; {steps} steps, sum {sum:.6}",
        time * 1e9 / COUNT as f64
    );
}
