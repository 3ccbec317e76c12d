//! The layers of the library: imports go down only, each outside crate has its one door, and
//! only the outermost rooms print.
//!
//! Enters: the text of `src/`. Leaves: a list of the lines that break the plan.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{entries, root};

/// The rooms by level, as in the plan of the house. Rooms of one level do not import each other,
/// but for the outermost and for the two lists here.
const LEVELS: &[(u32, &[&str])] = &[
    (0, &["source", "diagnostic", "world", "figure"]),
    (1, &["syntax", "symbolic", "table"]),
    (2, &["model"]),
    (3, &["system"]),
    (4, &["kernel"]),
    (5, &["linalg"]),
    (6, &["simulate"]),
    (7, &["analyze"]),
    (8, &["fit"]),
    (9, &["session"]),
    (
        10,
        &["render", "typing", "repl", "lsp", "cli", "main", "lib"],
    ),
];

/// Neighbours on one level that may meet: a diagnostic points into the source.
const NEIGHBOURS: &[(&str, &str)] = &[("diagnostic", "source")];

const OUTERMOST: u32 = 10;

/// A crate or macro, and the only rooms or files (by how their path begins) that may name it.
const DOORS: &[(&str, &[&str])] = &[
    ("pest", &["syntax/parser/", "syntax/words.rs"]),
    ("Rule::", &["syntax/parser/"]),
    ("diffsol::", &["simulate/diffsol"]),
    (
        "nalgebra::",
        &[
            "simulate/",
            "analyze/",
            "linalg/",
            "fit/factored",
            "fit/cells/",
        ],
    ),
    ("faer::", &["simulate/", "linalg/"]),
    ("miette::", &["render/"]),
    ("indicatif::", &["render/"]),
    ("tiny_skia::", &["render/"]),
    ("rustyline::", &["repl/"]),
    ("lsp_server::", &["lsp/"]),
    ("gen_lsp_types::", &["lsp/"]),
    ("crossbeam_channel::", &["lsp/"]),
    ("clap::", &["cli/"]),
    ("clap_complete::", &["cli/"]),
    ("clap_mangen::", &["cli/"]),
    ("csv::", &["table/"]),
    ("hdf5_pure::", &["table/h5ad/"]),
    ("sha2::", &["world"]),
    ("crc32fast::", &["render/"]),
    ("num_rational::", &["system/"]),
    ("argmin::", &["fit/"]),
    ("nuts_rs::", &["fit/"]),
    ("statrs::", &["fit/"]),
];

/// What only the outermost rooms may say.
const PRINTING: &[&str] = &[
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
    "io::stdout",
    "io::stderr",
    "process::exit",
];

/// A source file of the library.
struct Source {
    /// Below `src/`, with `/`.
    path: String,
    /// Its first folder, or its own name.
    room: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let folder = root().join("src");
    let mut paths = Vec::new();
    collect(&folder, &mut paths);
    paths.sort();
    assert!(paths.len() > 50, "the sources are not where they should be");
    paths.iter().map(|path| read(&folder, path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn read(folder: &Path, path: &Path) -> Source {
    let below = path.strip_prefix(folder).expect("a path below src");
    let parts: Vec<String> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    Source {
        room: parts[0].trim_end_matches(".rs").to_owned(),
        path: parts.join("/"),
        text: fs::read_to_string(path).expect("a source file"),
    }
}

fn level(room: &str) -> Option<u32> {
    let found = LEVELS.iter().find(|(_, rooms)| rooms.contains(&room));
    found.map(|(level, _)| *level)
}

/// Test code may meet whom it likes and print.
fn is_test(source: &Source) -> bool {
    source.path.contains("/tests/") || source.path.ends_with("/tests.rs")
}

/// The lines of code: no comments, and nothing after the unit tests begin.
fn code(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.text.lines().enumerate();
    lines
        .take_while(|(_, line)| line.trim() != "mod tests {")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(at, line)| (at + 1, line))
}

/// The rooms that a line names as `crate::room`, also in `crate::{a, b::c}`.
fn rooms_named(line: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let inner = rest.strip_prefix('{').map(|group| match group.find('}') {
            Some(end) => &group[..end],
            None => group,
        });
        match inner {
            Some(group) => rooms.extend(group.split(',').map(first_name)),
            None => rooms.push(first_name(rest)),
        }
    }
    rooms.retain(|room| room.chars().next().is_some_and(char::is_lowercase));
    rooms
}

fn first_name(path: &str) -> String {
    let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
    path.trim().chars().take_while(is_part).collect()
}

fn may_import(from: &str, to: &str) -> bool {
    let (Some(low), Some(high)) = (level(to), level(from)) else {
        return false;
    };
    from == to || low < high || low == OUTERMOST || NEIGHBOURS.contains(&(from, to))
}

#[test]
fn every_room_has_a_level() {
    for source in sources() {
        assert!(
            level(&source.room).is_some(),
            "src/{} is in no room of the plan",
            source.path
        );
    }
}

#[test]
fn imports_go_down() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !is_test(source)) {
        for (number, line) in code(source) {
            for room in rooms_named(line) {
                // Macros stand at the root of the crate.
                let is_macro = line.contains(&format!("crate::{room}!"));
                if !is_macro && !may_import(&source.room, &room) {
                    let room_from = &source.room;
                    faults.push(format!(
                        "src/{}:{number}: {room_from} may not import {room}",
                        source.path
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn outside_crates_have_one_door() {
    let mut faults = Vec::new();
    for source in sources() {
        for (number, line) in code(&source) {
            for (name, doors) in DOORS {
                let allowed = doors.iter().any(|door| source.path.starts_with(door));
                if !allowed && names(line, name) {
                    faults.push(format!("src/{}:{number}: {name}", source.path));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// True when the line holds this text as a path or word of its own: neither `UnitRule::` nor
/// `super::diffsol::` name the crate.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        let glued = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '"';
        let open_end =
            name.ends_with(':') || !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !before.is_some_and(glued) && open_end
    })
}

#[test]
fn only_the_outermost_rooms_print() {
    let mut faults = Vec::new();
    for source in sources() {
        if level(&source.room) == Some(OUTERMOST) || is_test(&source) {
            continue;
        }
        for (number, line) in code(&source) {
            if PRINTING.iter().any(|word| names(line, word)) {
                faults.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_checks_see_what_they_are_for() {
    assert_eq!(rooms_named("use crate::model::{Model, Unit};"), ["model"]);
    assert_eq!(
        rooms_named("use crate::{source::Span, world};"),
        ["source", "world"]
    );
    assert_eq!(
        rooms_named("x: crate::kernel::Kernels, y: crate::system::System"),
        ["kernel", "system"]
    );
    assert!(may_import("session", "model") && !may_import("model", "session"));
    assert!(!may_import("syntax", "table") && may_import("repl", "cli"));
    assert!(
        names("use diffsol::OdeSolver;", "diffsol::")
            && !names("use super::diffsol::x;", "diffsol::")
    );
    assert!(names("Rule::number =>", "Rule::") && !names("UnitRule::Same", "Rule::"));
    assert!(names("eprintln!(\"x\")", "eprintln!") && !names("eprintln!(\"x\")", "println!"));
}
