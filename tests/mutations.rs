//! The project's models with random slips of the keyboard: whatever is typed, there is an answer,
//! never a panic, a silence or a hang. `LOTKA_MUTATIONS=5000` tries more slips per model. Also the
//! inputs that fuzzing has found worth keeping.

#[path = "laws/mod.rs"]
mod laws;
mod support;

use lotka::diagnostic::Diagnostic;
use lotka::render::Colour;
use lotka::render::diagnostics::{Style, json, text};
use lotka::render::outcome;
use lotka::session::{Session, lower};
use lotka::world::World;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::model_files;

/// Slips tried per model when nothing else is said.
const USUAL: usize = 60;
/// Steps after which a run is stopped.
const MOST_STEPS: u32 = 300;
/// No answer takes longer, even on a busy machine: beyond this it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// Larger models are tried less often.
const LARGE: usize = 5_000;

/// Knuth's MMIX generator: the same slips on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Files in memory, and a user who soon loses patience.
#[derive(Default)]
struct Desk {
    files: Mutex<HashMap<PathBuf, Vec<u8>>>,
    asked: AtomicU32,
}

impl World for Desk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let files = self.files.lock().expect("one thread");
        files
            .get(path)
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn cpu_time(&self) -> Duration {
        Duration::ZERO
    }

    fn interrupted(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) > MOST_STEPS
    }
}

/// The models, the wrong files and those of the parser's tests, sorted.
fn corpus() -> Vec<PathBuf> {
    let tests = support::root().join("tests");
    let folders = support::entries(&tests.join("errors"));
    let mut files: Vec<PathBuf> = folders
        .into_iter()
        .chain([tests.join("syntax")])
        .flat_map(|folder| support::entries(&folder))
        .filter(|path| path.extension().is_some_and(|e| e == "lotka"))
        .collect();
    files.sort();
    model_files().into_iter().chain(files).collect()
}

/// Names, numbers, line ends and single characters.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in text.chars() {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        if word(c) && word(last) {
            tokens.last_mut().expect("a word goes on").push(c);
        } else {
            tokens.push(c.to_string());
        }
        last = c;
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn is_number(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_digit())
}

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1e308",
    "1e-308",
    "1e999",
    "0.5",
    "(1/0)",
    "1e9",
    "2147483648",
    "-0",
    "1..3",
    "1e-30",
];

const PIECES: &[&str] = &[
    "'",
    "''",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "->",
    "<->",
    "=",
    "==",
    "*",
    ".*",
    "^",
    "/",
    ",",
    ";",
    "..",
    "\"",
    "#",
    "`",
    "~",
    "if x then y else",
    "and",
    "not",
    "t",
    "pi",
    "\n",
    "param ",
    "state ",
    "species ",
    "let ",
    "fn ",
    "index ",
    "for i in 1..3 {",
    "condition ",
    "simulate ",
    "plot ",
    "in",
    "with",
    "from last",
    "sum",
    "grad",
    "dot",
    "max",
    "µ",
    "é",
    "\t",
    "\u{a0}",
    "[1, 2, 3]",
    "[[1, 2], [3, 4]]",
    "time from ",
];

/// One slip.
fn slip(random: &mut Random, text: &str) -> String {
    if random.below(4) == 0 {
        let mut lines: Vec<&str> = text.lines().collect();
        if lines.is_empty() {
            return text.to_owned();
        }
        let at = random.below(lines.len());
        match random.below(3) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at]),
            _ => {
                let other = random.below(lines.len());
                lines.swap(at, other);
            }
        }
        return lines.join("\n");
    }
    let mut tokens = tokens(text);
    if tokens.is_empty() {
        return text.to_owned();
    }
    // Comments are most of a model's text and none of its meaning.
    let at = random.below(tokens.len());
    match random.below(7) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[at].clone()),
        2 => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        3 => {
            let piece = (*random.pick(PIECES)).to_owned();
            tokens.insert(at, piece);
        }
        4 | 5 => {
            let places: Vec<usize> = (0..tokens.len())
                .filter(|at| is_number(&tokens[*at]))
                .collect();
            if !places.is_empty() {
                let at = *random.pick(&places);
                tokens[at] = (*random.pick(NUMBERS)).to_owned();
            }
        }
        _ => {
            let places: Vec<usize> = (0..tokens.len())
                .filter(|at| is_name(&tokens[*at]))
                .collect();
            if !places.is_empty() {
                let (at, other) = (*random.pick(&places), *random.pick(&places));
                tokens[at] = tokens[other].clone();
            }
        }
    }
    tokens.concat()
}

/// What is wrong with the answers to a text, if anything is.
fn answer(text_of_model: &str, data: &[(PathBuf, Vec<u8>)]) -> Result<(), String> {
    let world = Arc::new(Desk::default());
    let path = PathBuf::from("models/m.lotka");
    {
        let mut files = world.files.lock().expect("one thread");
        files.extend(data.iter().cloned());
        files.insert(path.clone(), text_of_model.as_bytes().to_vec());
    }
    let mut session = Session::new(Arc::clone(&world) as Arc<dyn World>);
    match session.check(&path) {
        Err(found) if !found.iter().any(Diagnostic::is_error) => {
            return Err("refused without an error".to_owned());
        }
        Err(found) => return readable(&found, &session),
        Ok(warnings) => readable(&warnings, &session)?,
    }
    session
        .load(&path)
        .map_err(|_| "checked, but not loaded".to_owned())?;
    let compiled = Arc::clone(session.compiled().ok_or("no model")?);
    for statement in &compiled.model.sentences {
        world.asked.store(0, Ordering::Relaxed);
        let command = lower(statement).map_err(|_| "checked, but not understood".to_owned())?;
        match session.perform(&command, &mut ()) {
            Ok(performed) => {
                let _ = outcome::text(&performed.outcome, 80);
                readable(&performed.diagnostics, &session)?;
            }
            Err(found) if found.is_empty() => return Err("fails without an error".to_owned()),
            Err(found) => readable(&found, &session)?,
        }
    }
    Ok(())
}

/// Every diagnostic points into its text and can be drawn.
fn readable(found: &[Diagnostic], session: &Session) -> Result<(), String> {
    for diagnostic in found {
        if diagnostic.message.is_empty() {
            return Err(format!("nothing is said: {diagnostic:?}"));
        }
        for label in &diagnostic.labels {
            let Some(source) = session.sources.get(label.span.source) else {
                return Err(format!("points nowhere: {diagnostic:?}"));
            };
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            if source.text.get(start..end).is_none() {
                return Err(format!("points beside its text: {diagnostic:?}"));
            }
        }
    }
    let few = &found[..found.len().min(5)];
    let style = Style {
        colour: Colour::Never,
        width: 80,
    };
    if text(few, &session.sources, style).is_empty() && !few.is_empty() {
        return Err("drawn as nothing".to_owned());
    }
    let _ = json(few, &session.sources);
    Ok(())
}

#[test]
fn every_slip_has_an_answer() {
    let tries: usize = std::env::var("LOTKA_MUTATIONS")
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(USUAL);
    let folder = support::root().join("models");
    let data: Vec<(PathBuf, Vec<u8>)> = support::entries(&folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .map(|path| {
            let name = path.file_name().expect("a file name").to_owned();
            let bytes = fs::read(&path).expect("a table");
            (Path::new("models").join(name), bytes)
        })
        .collect();
    let mut faults = Vec::new();
    for (number, file) in corpus().into_iter().enumerate() {
        let original = fs::read_to_string(&file).expect("a model");
        let mut random = Random(number as u64 + 1);
        let tries = match original.len() {
            LARGE.. => tries / 4,
            _ if file.starts_with(&folder) => tries,
            _ => tries / 6,
        };
        for _ in 0..tries {
            let mut changed = slip(&mut random, &original);
            while random.below(3) == 0 {
                changed = slip(&mut random, &changed);
            }
            let started = Instant::now();
            let answer = catch_unwind(AssertUnwindSafe(|| answer(&changed, &data)));
            let fault = match answer {
                Ok(Ok(())) if started.elapsed() < PATIENCE => continue,
                Ok(Ok(())) => format!("takes {:?}", started.elapsed()),
                Ok(Err(fault)) => fault,
                Err(_) => "panics".to_owned(),
            };
            let name = format!("mutation-{number}-{}.lotka", faults.len());
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            fs::write(&kept, &changed).expect("the text is kept");
            faults.push(format!("{}: {fault}: {}", file.display(), kept.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Fuzzing once found each of these, or needs it to begin from: `tests/fuzz/corpus`.
#[test]
fn kept_inputs_break_no_law() {
    let corpus = support::root().join("tests/fuzz/corpus");
    let mut faults = Vec::new();
    for (name, law) in laws::LAWS {
        let mut files = support::entries(&corpus.join(name));
        files.sort();
        assert!(!files.is_empty(), "nothing is kept for {name}");
        for file in files {
            let bytes = fs::read(&file).expect("a kept input");
            if catch_unwind(|| law(&bytes)).is_err() {
                faults.push(file.display().to_string());
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
