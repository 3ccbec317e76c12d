//! Models through the library: from text to kernels and trajectories.
//!
//! Enters: model texts and sentences. Leaves: compiled models and runs. Must not know what is
//! tested.

// Each test binary takes what it needs of this module.
#![allow(dead_code)]

use lotka::session::{Compiled, Outcome, Session, Trajectory, check_text};
use lotka::source::SourceId;
use lotka::world::SystemWorld;
use std::path::PathBuf;
use std::sync::Arc;

/// A text as a compiled model. Panics with its problems when it has any.
pub fn compile(text: &str) -> Arc<Compiled> {
    let checked = check_text(SourceId(0), text);
    match checked.model {
        Some(model) => Compiled::new(model),
        None => panic!("{text}\n{:#?}", checked.diagnostics),
    }
}

/// The messages of a text that is no model.
pub fn problems(text: &str) -> Vec<String> {
    let checked = check_text(SourceId(0), text);
    let diagnostics = checked.diagnostics.into_iter();
    diagnostics.map(|diagnostic| diagnostic.message).collect()
}

/// Runs one `simulate` sentence, which must reach its end.
pub fn simulate(compiled: &Arc<Compiled>, sentence: &str) -> Arc<Trajectory> {
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session.install(PathBuf::from("text"), Arc::clone(compiled));
    let commands = session.understand(sentence).expect("a sentence");
    let command = commands.first().expect("one command");
    let performed = session.perform(command, &mut ());
    let performed = performed.unwrap_or_else(|problems| panic!("{sentence}: {problems:#?}"));
    let Outcome::Simulated(trajectory) = performed.outcome else {
        panic!("{sentence}: not a simulation");
    };
    assert!(
        trajectory.is_complete(),
        "{sentence}: {:?}",
        trajectory.solution.stop
    );
    trajectory
}

/// The numbers of an expression along a run.
pub fn column(trajectory: &Trajectory, expression: &str) -> Vec<f64> {
    let column = trajectory.column(expression);
    column.unwrap_or_else(|problems| panic!("{expression}: {problems:#?}"))
}

/// The last number of an expression along a run.
pub fn last(trajectory: &Trajectory, expression: &str) -> f64 {
    *column(trajectory, expression).last().expect("a row")
}

/// Numbers without a pattern, the same in every run: a linear congruential generator with the
/// constants of D. E. Knuth's MMIX.
pub struct Random(u64);

impl Random {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A number between the two.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        let unit = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.between(0.0, end as f64) as usize).min(end - 1)
    }
}
