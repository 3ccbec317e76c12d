//! Error against work of the integration methods: `cargo bench --bench work_precision`.
//!
//! Enters: the published initial value problems of the folder of reference values (named by
//! `LOTKA_SHARED`, else looked for beside and above the project). Leaves: for each problem, method
//! and tolerance the relative error at the end and the CPU time of one run; with `LOTKA_FIGURES`
//! set to a folder also `work_precision_NAME.svg` there, which the manual shows. The first
//! argument, if it is no option, selects the problems whose name contains it.

use lotka::figure::{Axis, Figure, Mark, Scale, Series};
use lotka::render::figure::{Size, svg};
use lotka::session::{Compiled, Overrides, check_text};
use lotka::simulate::{CompiledDynamics, Method, Options, Output, Stop, Tolerances, integrate};
use lotka::source::SourceId;
use lotka::world::{SystemWorld, World};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The problems, with the size below which a state counts as zero and the methods that suit.
const PROBLEMS: [(&str, f64, &[Method]); 4] = [
    ("VDPOL", 1e-3, STIFF),
    ("OREGO", 1e-3, STIFF),
    ("POLLU", 1e-12, STIFF),
    ("PLEIADES", 1e-3, NOT_STIFF),
];
const STIFF: &[Method] = &[Method::Rodas, Method::Bdf, Method::Esdirk34, Method::TrBdf2];
const NOT_STIFF: &[Method] = &[Method::Tsit5, Method::Tsit45, Method::Rodas, Method::Bdf];
/// Runs are repeated until they have taken this long, and the shortest counts.
const LONG_ENOUGH: f64 = 0.03;
/// A method that needs longer than this for one run is not pursued to smaller tolerances.
const TOO_LONG: f64 = 3.0;

fn reference_values() -> Option<PathBuf> {
    let named = std::env::var_os("LOTKA_SHARED").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let around = root.ancestors().skip(1).map(|above| above.join("shared"));
    named
        .into_iter()
        .chain(around)
        .flat_map(|folder| [folder.join("data/ivp"), folder.join("ivp")])
        .map(|folder| folder.join("reference.json"))
        .find(|file| file.is_file())
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The problem as a model, its equations letter by letter.
fn model(problem: &Value) -> Arc<Compiled> {
    let mut lines = Vec::new();
    for (name, value) in problem["parameters"].as_object().into_iter().flatten() {
        lines.push(format!("param {name} = {value}"));
    }
    for (at, value) in problem["y0"].as_array().into_iter().flatten().enumerate() {
        lines.push(format!("state y{} = {value}", at + 1));
    }
    lines.extend(texts(&problem["definitions"]).map(|text| format!("let {text}")));
    lines.extend(texts(&problem["equations"]).map(str::to_owned));
    let checked = check_text(SourceId(0), &lines.join("\n"));
    Compiled::new(checked.model.expect("a sound model"))
}

/// Error and CPU seconds of one run; `None` when it does not reach its end.
fn measure(
    compiled: &Compiled,
    problem: &Value,
    (method, relative, zero): (Method, f64, f64),
) -> Option<(f64, f64)> {
    let present = compiled.present(&Overrides::new());
    let dynamics = CompiledDynamics::new(
        &compiled.system,
        &compiled.kernels,
        present.parameters.clone(),
    );
    let tolerances = Tolerances::uniform(relative, relative * zero, present.initial.len());
    let options = Options::new(tolerances).with_method(method);
    let (start, end) = (problem["t0"].as_f64()?, problem["t1"].as_f64()?);
    let output = Output::Times(vec![end]);
    let world = SystemWorld::default();
    let (mut total, mut shortest, mut error) = (0.0, f64::INFINITY, f64::NAN);
    while total < LONG_ENOUGH {
        let before = world.cpu_time();
        let initial = &present.initial;
        let run = integrate(&dynamics, start, initial, end, &output, &options, &mut ());
        let taken = (world.cpu_time() - before).as_secs_f64();
        if run.stop != Stop::Finished {
            return None;
        }
        total += taken;
        shortest = f64::min(shortest, taken);
        let (_, found) = run.last()?;
        error = texts(&problem["reference"])
            .zip(found)
            .filter_map(|(text, found)| Some((text.parse::<f64>().ok()?, *found)))
            .map(|(expected, found)| (found - expected).abs() / (expected.abs() + zero))
            .fold(0.0, f64::max);
    }
    Some((error, shortest))
}

fn main() {
    let Some(file) = reference_values() else {
        println!("skipped: no reference values; name their folder in LOTKA_SHARED");
        return;
    };
    let all: Value =
        serde_json::from_str(&fs::read_to_string(file).expect("a text")).expect("JSON");
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let figures = std::env::var_os("LOTKA_FIGURES").map(PathBuf::from);
    println!(
        "{:10} {:9} {:>6} {:>9} {:>10}",
        "problem", "method", "rtol", "error", "CPU ms"
    );
    for (name, zero, methods) in PROBLEMS {
        if wanted
            .as_ref()
            .is_some_and(|wanted| !name.contains(wanted.as_str()))
        {
            continue;
        }
        let problem = &all["problems"][name];
        let compiled = model(problem);
        let mut figure = Figure {
            title: name.to_owned(),
            x: axis("relative error at the end", None),
            y: axis("CPU time", Some("ms")),
            ..Figure::default()
        };
        for (colour, &method) in methods.iter().enumerate() {
            let (mut errors, mut times) = (Vec::new(), Vec::new());
            for exponent in 3..=11 {
                let relative = 10.0_f64.powi(-exponent);
                let Some((error, time)) = measure(&compiled, problem, (method, relative, zero))
                else {
                    println!("{name:10} {:9} {relative:6.0e} did not end", method.name());
                    continue;
                };
                println!(
                    "{name:10} {:9} {relative:6.0e} {error:9.1e} {:10.3}",
                    method.name(),
                    time * 1e3
                );
                errors.push(error);
                times.push(time * 1e3);
                if time > TOO_LONG {
                    break;
                }
            }
            for mark in [Mark::Line, Mark::Points] {
                figure.series.push(Series {
                    label: method.name().to_owned(),
                    x: errors.clone(),
                    y: times.clone(),
                    mark,
                    colour,
                });
            }
        }
        if let Some(folder) = &figures {
            let path = folder.join(format!("work_precision_{}.svg", name.to_lowercase()));
            let drawing = svg(&figure, Size::default()).expect("a figure");
            fs::write(&path, drawing).expect("the folder can be written");
        }
    }
}

fn axis(label: &str, unit: Option<&str>) -> Axis {
    Axis {
        label: label.to_owned(),
        unit: unit.map(str::to_owned),
        scale: Scale::Logarithmic,
        range: None,
        names: Vec::new(),
    }
}
