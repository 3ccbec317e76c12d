//! Wrong model files, in folders by what is wrong with them: what is said about each is kept
//! beside it, as `NAME.txt`, so that a person can judge it. `LOTKA_BLESS=1` writes these anew.

mod support;

use lotka::diagnostic::{Code, Diagnostic};
use lotka::session::{Compiled, Outcome, Session, check_text, lower};
use lotka::source::{SourceId, SourceMap};
use lotka::world::{SystemWorld, World};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::session::Impatient;
use support::{entries, root, snapshot};

/// Folders whose files are only checked.
const CHECKED: &[&str] = &[
    "names",
    "shapes",
    "units",
    "values",
    "sentences",
    "data",
    "modules",
    "notbuilt",
];
/// The folder whose files are right until they run.
const RUN: &str = "numerics";

#[test]
fn names() {
    check_folder("names");
}

#[test]
fn shapes() {
    check_folder("shapes");
}

#[test]
fn units() {
    check_folder("units");
}

#[test]
fn values() {
    check_folder("values");
}

#[test]
fn sentences() {
    check_folder("sentences");
}

#[test]
fn data() {
    check_folder("data");
}

#[test]
fn modules() {
    check_folder("modules");
}

#[test]
fn not_built() {
    check_folder("notbuilt");
}

#[test]
fn numerics() {
    let mut faults = Vec::new();
    for file in files(RUN) {
        faults.extend(snapshot::compare(&file.with_extension("txt"), &run(&file)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn check_folder(folder: &str) {
    let mut faults = Vec::new();
    for file in files(folder) {
        let mut session = Session::new(Arc::new(SystemWorld::default()));
        let (Ok(found) | Err(found)) = session.check(&file);
        let text = snapshot::diagnostics(&found, &session.sources);
        if found.is_empty() {
            faults.push(format!("{}: nothing is said", file.display()));
        }
        faults.extend(snapshot::compare(&file.with_extension("txt"), &text));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The model files of a folder, relative to the root, where tests run.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = entries(&root().join("tests/errors").join(folder))
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "lotka")
        })
        .map(|path| {
            path.strip_prefix(root())
                .expect("a file of the project")
                .to_owned()
        })
        .collect();
    files.sort();
    files
}

/// What is said about each sentence of a file, with what is kept of each run.
fn run(file: &Path) -> String {
    let world: Arc<dyn World> = if file.file_stem().is_some_and(|stem| stem == "interrupted") {
        Arc::new(Impatient::new(1000))
    } else {
        Arc::new(SystemWorld::default())
    };
    let mut session = Session::new(world);
    let mut text = String::new();
    match session.check(file) {
        Ok(warnings) => text.push_str(&snapshot::diagnostics(&warnings, &session.sources)),
        Err(found) => {
            let found = snapshot::diagnostics(&found, &session.sources);
            panic!("{} fails before it runs:\n{found}", file.display());
        }
    }
    session.load(file).expect("checked above");
    let compiled = Arc::clone(session.compiled().expect("a model"));
    for statement in &compiled.model.sentences {
        let command = lower(statement).expect("checked above");
        let result = session.perform(&command, &mut ());
        text.push_str(&format!("> {}\n", session.sources.slice(statement.span)));
        let found = match result {
            Ok(performed) => {
                if let Outcome::Simulated(run) = &performed.outcome {
                    let times = &run.solution.times;
                    text.push_str(&format!("kept {} rows", times.len()));
                    if let (Some(first), Some(last)) = (times.first(), times.last()) {
                        text.push_str(&format!(", from {first:.4} to {last:.4}"));
                    }
                    text.push('\n');
                }
                performed.diagnostics
            }
            Err(found) => {
                text.push_str("kept nothing\n");
                found
            }
        };
        text.push_str(&snapshot::diagnostics(&found, &session.sources));
    }
    text
}

/// Codes without a wrong file, and why.
#[rustfmt::skip]
const WITHOUT_FILE: &[(Code, &str)] = &[
    (Code::SolverFailed, "no model is known on which a solver fails without saying why"),
    (Code::SessionIncomplete, "needs a session that is saved: tests/repl.rs"),
    (Code::NoModel, "needs a session without a file: tests/repl.rs"),
];

#[test]
fn every_code_has_a_wrong_file() {
    let mut seen = BTreeSet::new();
    for folder in entries(&root().join("tests/errors")) {
        for file in entries(&folder) {
            if file.extension().is_some_and(|extension| extension == "txt") {
                let text = fs::read_to_string(&file).expect("a snapshot");
                seen.extend(
                    Code::ALL
                        .iter()
                        .copied()
                        .filter(|code| text.contains(code.as_str())),
                );
            }
        }
    }
    let excused: BTreeSet<Code> = WITHOUT_FILE.iter().map(|(code, _)| *code).collect();
    let missing: Vec<String> = Code::ALL
        .iter()
        .filter(|code| !seen.contains(code) && !excused.contains(code))
        .map(|code| format!("{} ({})", code.as_str(), code.title()))
        .collect();
    assert!(
        missing.is_empty(),
        "no wrong file for {}",
        missing.join(", ")
    );
    let needless: Vec<&str> = excused
        .intersection(&seen)
        .map(|code| code.as_str())
        .collect();
    assert!(
        needless.is_empty(),
        "excused in vain: {}",
        needless.join(", ")
    );
}

#[test]
fn every_snapshot_has_its_file() {
    for folder in CHECKED.iter().chain([&RUN]) {
        for file in entries(&root().join("tests/errors").join(folder)) {
            if file.extension().is_some_and(|extension| extension == "txt") {
                let model = file.with_extension("lotka");
                assert!(model.exists(), "{} is left over", file.display());
            }
        }
    }
}

/// The first place of each problem follows that of the one before.
#[test]
fn problems_come_in_the_order_of_the_text() {
    for folder in CHECKED {
        for file in files(folder) {
            let mut session = Session::new(Arc::new(SystemWorld::default()));
            let (Ok(found) | Err(found)) = session.check(&file);
            let places: Vec<_> = found.iter().filter_map(first_place).collect();
            assert!(places.is_sorted(), "{}: {places:?}", file.display());
        }
    }
}

/// The texts in the order in which they are read: that of the file itself comes first.
fn first_place(diagnostic: &Diagnostic) -> Option<(SourceId, u32)> {
    let label = diagnostic.labels.first()?;
    Some((label.span.source, label.span.start))
}

/// Tests run in threads of two megabytes: what fits there fits everywhere.
#[test]
fn deep_texts_need_little_stack() {
    let chain: String = (1..2000)
        .map(|i| format!("fn f{i}(x) = -sin(1 + f{}(x))\n", i - 1))
        .collect();
    let nested = |open: &str, close: &str, depth: usize| {
        format!(
            "state x = 1\nx' = {}x{}\n",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    let texts = [
        format!("fn f0(x) = x\n{chain}state x = 1\nx' = f1999(x)\n"),
        nested("(1 + ", ")", 199),
        nested("sin(", ")", 199),
        nested("-", "", 390),
        nested("2^", "", 390),
        nested("1 + ", "", 900),
        nested("if x > 1 then 2 else ", "", 190),
    ];
    // Units are checked where one is named.
    let with_unit = texts.clone().map(|text| format!("time [h]\n{text}"));
    for text in texts.into_iter().chain(with_unit) {
        let mut sources = SourceMap::new();
        let source = sources.add("deep.lotka", text.clone());
        let checked = check_text(source, &text);
        if let Some(model) = checked.model {
            let compiled = Compiled::new(model);
            let _ = compiled.text_of(compiled.system.drift[0]);
        } else {
            assert!(
                checked
                    .diagnostics
                    .iter()
                    .all(|one| one.code == Code::TooDeep)
            );
        }
    }
}
