//! A session in the test's own process: a model, and sentences about it.

use lotka::diagnostic::Diagnostic;
use lotka::session::{Outcome, Performed, Session};
use lotka::world::SystemWorld;
use std::path::Path;
use std::sync::Arc;

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
