//! A session in the test's own process: a model, and sentences about it.

use lotka::diagnostic::Diagnostic;
use lotka::session::{Outcome, Performed, Session};
use lotka::world::{SystemWorld, World};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A session with the model of a file.
#[track_caller]
pub fn loaded(path: &Path) -> Session {
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session
        .load(path)
        .unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
    session
}

/// What a sentence does, or all that is wrong with it, a problem on each line.
pub fn perform(session: &mut Session, sentence: &str) -> Result<Performed, String> {
    let told = |problems: Vec<Diagnostic>| {
        let all = problems.iter().map(ToString::to_string);
        all.collect::<Vec<_>>().join("\n")
    };
    let commands = session.understand(sentence).map_err(told)?;
    let command = commands.first().ok_or("no sentence")?;
    session.perform(command, &mut ()).map_err(told)
}

/// The outcome of a sentence that is right.
#[track_caller]
pub fn say(session: &mut Session, sentence: &str) -> Outcome {
    let performed = perform(session, sentence);
    performed
        .unwrap_or_else(|problems| panic!("{sentence}: {problems}"))
        .outcome
}

/// Files, and a user who presses Ctrl-C after so many questions.
pub struct Impatient {
    files: SystemWorld,
    asked: AtomicU32,
    after: u32,
}

impl Impatient {
    pub fn new(after: u32) -> Impatient {
        Impatient {
            files: SystemWorld::default(),
            asked: AtomicU32::new(0),
            after,
        }
    }
}

impl World for Impatient {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.read(path)
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.files.write(path, content)
    }

    fn cpu_time(&self) -> Duration {
        Duration::ZERO
    }

    // Which question is the last must not depend on who asks first.
    fn threads(&self) -> usize {
        1
    }

    fn interrupted(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) > self.after
    }
}
