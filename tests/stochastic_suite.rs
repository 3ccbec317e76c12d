//! The discrete stochastic models of the SBML Test Suite, even cases, written in the language: means
//! and standard deviations of many paths against exact ones, by the suite's own criterion.
//!
//! Enters: the models beside this file, one for each case, and the suite's settings and results,
//! read from the folder of shared data (named by `LOTKA_SHARED`, else looked for beside and above the
//! project) when the test runs. Leaves: how far each mean and deviation strays.
//!
//! Of the 50 even cases, 2 to 38 are reactions, and all of these are here. 40 to 100 draw numbers
//! from distributions in an event (package distrib), with a rate rule for the time between two of
//! them: the language has no draws.
//!
//! The criterion: with n paths, Z = sqrt(n) (mean - m)/s and Y = sqrt(n/2) (sd^2/s^2 - 1) lie in
//! ranges of the settings at each time. A right simulator strays 0 or 1 times a case; at 2 or 3
//! another seed decides, 4 or more are a fault. `LOTKA_SUITE_PATHS=10000` is the number that the
//! suite asks for; without it fewer paths are made.

#[path = "support/library.rs"]
mod library;
mod support;

use lotka::session::{Ensemble, Outcome, Session};
use lotka::world::SystemWorld;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Paths of each case unless `LOTKA_SUITE_PATHS` says otherwise: the least that the suite takes.
const PATHS: u64 = 1000;

/// What strays at most of a case, without another seed and with it.
const STRAYS: usize = 1;
const MORE_STRAYS: usize = 3;

/// The suite's folder of stochastic cases, unpacked into a directory that goes away.
struct Suite {
    directory: PathBuf,
}

impl Suite {
    /// `None`, which is said, when the shared data or the program `tar` are not there.
    fn unpack() -> Option<Suite> {
        let Some(archive) = archive() else {
            println!("skipped: no shared data; name their folder in LOTKA_SHARED");
            return None;
        };
        let name = format!("lotka-stochastic-suite-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory for the suite");
        let suite = Suite { directory };
        let unpacked = Command::new("tar")
            .arg("-xJf")
            .arg(&archive)
            .arg("-C")
            .arg(&suite.directory)
            .arg("stochastic")
            .status();
        match unpacked {
            Ok(status) if status.success() => Some(suite),
            other => {
                println!(
                    "skipped: `tar` cannot unpack {}: {other:?}",
                    archive.display()
                );
                None
            }
        }
    }

    fn read(&self, case: &str, what: &str) -> String {
        let file = format!("stochastic/{case}/{case}-{what}");
        let path = self.directory.join(file);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        // What is left of it in the directory for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The packed cases, when the shared data are there.
fn archive() -> Option<PathBuf> {
    let inside = |folder: PathBuf| folder.join("sbml-test-suite/cases-even.tar.xz");
    let named = std::env::var_os("LOTKA_SHARED").map(PathBuf::from);
    let folders: Vec<PathBuf> = match named {
        Some(folder) => vec![folder.join("data"), folder],
        None => (support::root().ancestors().skip(1))
            .map(|folder| folder.join("shared/data"))
            .collect(),
    };
    folders.into_iter().map(inside).find(|file| file.is_file())
}

/// What the settings of a case say.
struct Settings {
    duration: f64,
    steps: u32,
    mean_range: (f64, f64),
    sd_range: (f64, f64),
}

impl Settings {
    fn of(text: &str) -> Settings {
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            let found = lines.find(|(known, _)| known.trim() == key);
            found.unwrap_or_else(|| panic!("no {key}")).1.trim()
        };
        let number = |text: &str| text.trim().parse::<f64>().expect("a number");
        let range = |key| {
            let inner = value(key).trim_matches(['(', ')']);
            let (low, high) = inner.split_once(',').expect("two numbers");
            (number(low), number(high))
        };
        assert_eq!(number(value("start")), 0.0);
        Settings {
            duration: number(value("duration")),
            steps: value("steps").parse().expect("a whole number"),
            mean_range: range("meanRange"),
            sd_range: range("sdRange"),
        }
    }
}

/// The columns of the results: name, mean or deviation, values.
fn results(text: &str) -> Vec<(String, Vec<f64>)> {
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let mut columns: Vec<(String, Vec<f64>)> = header
        .split(',')
        .map(|name| (name.trim().to_owned(), Vec::new()))
        .collect();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.1.push(cell.trim().parse().expect("a number"));
        }
    }
    columns
}

fn ensemble(model: &Path, settings: &Settings, paths: u64, seed: u64) -> Arc<Ensemble> {
    let text = fs::read_to_string(model).expect("a model");
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session.install(model.to_owned(), library::compile(&text));
    let (end, points) = (settings.duration, settings.steps + 1);
    let sentence = format!("simulate 0..{end} points {points} paths {paths} seed {seed} using ssa");
    let commands = session.understand(&sentence).expect("a sentence");
    let performed = session.perform(&commands[0], &mut ());
    match performed.expect("paths").outcome {
        Outcome::Ensemble(ensemble) => ensemble,
        _ => panic!("{sentence}: no ensemble"),
    }
}

/// How often means and deviations of these paths lie outside the ranges.
fn strays(ensemble: &Ensemble, settings: &Settings, expected: &[(String, Vec<f64>)]) -> usize {
    let column = |name: &str| {
        let found = expected.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no column {name}")).1
    };
    let inside = |value: f64, (low, high): (f64, f64)| value >= low && value <= high;
    let mut found = 0;
    let mut compared = 0;
    for (at, quantity) in ensemble.quantities.iter().enumerate() {
        let name = &quantity.name;
        if !expected
            .iter()
            .any(|(known, _)| *known == format!("{name}-mean"))
        {
            continue;
        }
        let (means, deviations) = (
            column(&format!("{name}-mean")),
            column(&format!("{name}-sd")),
        );
        compared += 2;
        assert_eq!(means.len(), ensemble.times.len());
        for (row, (mean, deviation)) in means.iter().zip(deviations).enumerate() {
            let moments = ensemble.summary.moments(row, at);
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            let n = ensemble.made as f64;
            if *deviation == 0.0 {
                // Nothing is random there.
                found += usize::from(moments.mean != *mean || moments.deviation() != 0.0);
                continue;
            }
            let z = n.sqrt() * (moments.mean - mean) / deviation;
            let share = moments.variance() / (deviation * deviation);
            let y = (n / 2.0).sqrt() * (share - 1.0);
            found += usize::from(!inside(z, settings.mean_range));
            found += usize::from(!inside(y, settings.sd_range));
        }
    }
    // All columns but the time.
    assert_eq!(compared, expected.len() - 1);
    found
}

#[test]
fn even_cases_of_the_stochastic_suite() {
    let Some(suite) = Suite::unpack() else {
        return;
    };
    let paths = std::env::var("LOTKA_SUITE_PATHS")
        .map_or(PATHS, |text| text.parse().expect("a number of paths"));
    let mut models = support::entries(&support::root().join("tests/stochastic_suite"));
    models.sort();
    assert_eq!(models.len(), 19);
    let mut faults = Vec::new();
    for model in models {
        let case = model.file_stem().and_then(|name| name.to_str());
        let case = case.expect("a number of a case");
        let settings = Settings::of(&suite.read(case, "settings.txt"));
        let expected = results(&suite.read(case, "results.csv"));
        let of_seed = |seed| {
            let ensemble = ensemble(&model, &settings, paths, seed);
            assert!(ensemble.is_complete());
            strays(&ensemble, &settings, &expected)
        };
        let first = of_seed(1);
        let second = (first > STRAYS && first <= MORE_STRAYS).then(|| of_seed(2));
        println!("{case}: {first} strays, then {second:?}");
        if first > MORE_STRAYS || second.is_some_and(|second| second > STRAYS) {
            faults.push(format!("{case}: {first} strays, then {second:?}"));
        }
    }
    assert!(faults.is_empty(), "{paths} paths:\n{}", faults.join("\n"));
}
