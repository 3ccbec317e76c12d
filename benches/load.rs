//! Times from text to kernels: `cargo bench --bench load`.
//!
//! Generates large models, prints medians of CPU ms for each stage (text to tree, tree to model,
//! model to equations and Jacobian, equations to compiled drift, to compiled Jacobian) and the
//! peak memory of the process. The first argument, if it is no option, selects the cases whose
//! name contains it.

use lotka::kernel::Kernels;
use lotka::model;
use lotka::source::SourceId;
use lotka::syntax;
use lotka::system;
use lotka::world::{SystemWorld, World};
use std::fmt::Write;
use std::fs;
use std::sync::Arc;

/// `reactions` mass-action reactions between `species` in two compartments, of all orders, each
/// with its own constant.
fn mass_action(species: usize, reactions: usize) -> String {
    let mut text = String::from("compartment inside = 2 [L]\ncompartment outside = 10 [L]\n");
    let place = |k: usize| if k % 5 == 4 { "outside" } else { "inside" };
    for k in 0..species {
        let _ = writeln!(
            text,
            "species S{k} in {} = {} [uM]",
            place(k),
            1.0 + (k % 7) as f64 * 0.1
        );
    }
    for k in 0..reactions {
        let _ = writeln!(text, "param k{k} = {}", 0.1 + (k % 11) as f64 * 0.05);
    }
    for k in 0..reactions {
        let (a, b, c) = (k % species, (k * 7 + 3) % species, (k * 13 + 6) % species);
        let _ = match k % 4 {
            0 if place(a) == place(b) && a != b => {
                writeln!(text, "r{k}: S{a} + S{b} -> S{c}, k{k}")
            }
            1 => writeln!(text, "r{k}: S{a} <-> S{c}, k{k}, 0.5*k{k}"),
            2 => writeln!(text, "r{k}: 2 S{a} -> S{b}, k{k}"),
            _ => writeln!(text, "r{k}: S{a} -> S{b}, k{k}"),
        };
    }
    text
}

/// A file of many small declarations: parameters, states, definitions and equations in turn.
fn many_lines(lines: usize) -> String {
    let mut text = String::new();
    for k in 0..lines / 5 {
        let before = k.saturating_sub(1);
        let _ = writeln!(text, "## Quantity {k}.");
        let _ = writeln!(
            text,
            "param a{k} = {} [1/h] in 0..10",
            0.5 + (k % 13) as f64 * 0.1
        );
        let _ = writeln!(text, "state x{k} = {}", 1.0 + (k % 5) as f64);
        let _ = writeln!(text, "let s{k} = x{k}/(1 + x{before})");
        let _ = writeln!(text, "x{k}' = a{k}*s{before} - 0.3*x{k} + exp(-s{k})");
    }
    text
}

/// A chain of saturable steps, written out species by species.
fn chain(length: usize) -> String {
    let mut text = String::from("param influx = 0.5\n");
    for k in 0..length {
        let _ = writeln!(
            text,
            "param V{k} = {}\nparam K{k} = {}",
            1.0 + (k % 3) as f64 * 0.1,
            0.5
        );
        let _ = writeln!(text, "species S{k} = 0.1");
    }
    text.push_str("0 -> S0, influx\n");
    for k in 0..length {
        let next = if k + 1 < length {
            format!("S{}", k + 1)
        } else {
            "0".to_owned()
        };
        let _ = writeln!(text, "S{k} -> {next}, rate V{k}*S{k}/(K{k} + S{k})");
    }
    text
}

const STAGES: [&str; 5] = ["parse", "check", "derive", "drift", "jacobian"];

/// The five stages once, in ms, and what came out.
fn load(text: &str) -> ([f64; 5], String) {
    let mut times = [0.0; 5];
    let world = SystemWorld::default();
    let mut last = world.cpu_time();
    let mut stage = 0;
    let mut lap = || {
        let now = world.cpu_time();
        times[stage] = (now - last).as_secs_f64() * 1e3;
        stage += 1;
        last = now;
    };
    let parsed = syntax::parse_file(SourceId(0), text);
    lap();
    let checked = model::check(&parsed.file);
    lap();
    assert!(
        parsed.diagnostics.is_empty() && checked.diagnostics.is_empty(),
        "a sound model"
    );
    let system = Arc::new(system::derive(&checked.model.expect("a model")));
    lap();
    let kernels = Kernels::new(Arc::clone(&system));
    let drift = kernels.drift().statistics();
    lap();
    let jacobian = kernels.jacobian().statistics();
    lap();
    let what = format!(
        "{} states, {} entries; {} + {} instructions",
        system.dimension(),
        system.jacobian.pattern.len(),
        drift.body,
        jacobian.body
    );
    (times, what)
}

/// Peak resident memory of this process in MiB, where the system tells.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let wanted = std::env::args()
        .nth(1)
        .filter(|name| !name.starts_with('-'));
    let wanted = wanted.unwrap_or_default();
    println!(
        "CPU ms                   {}     total",
        STAGES.map(|stage| format!("{stage:>9}")).concat()
    );
    for (name, text, repeats) in [
        ("mass_action_1000", mass_action(500, 1000), 21),
        ("chain_1000_written_out", chain(1000), 21),
        ("lines_50000", many_lines(50_000), 5),
    ] {
        if !name.contains(&wanted) {
            continue;
        }
        let mut runs = Vec::new();
        let mut what = String::new();
        for _ in 0..repeats {
            let (times, found) = load(&text);
            runs.push(times);
            what = found;
        }
        let medians: Vec<f64> = (0..5)
            .map(|k| median(runs.iter().map(|run| run[k]).collect()))
            .collect();
        let total = median(runs.iter().map(|run| run.iter().sum()).collect());
        let columns: String = medians.iter().map(|ms| format!("{ms:9.2}")).collect();
        let memory =
            peak_memory().map_or_else(String::new, |mib| format!("; peak so far {mib:.0} MiB"));
        println!(
            "{name:24} {columns} {total:9.2}   {} lines, {what}{memory}",
            text.lines().count()
        );
    }
}
