//! The CPU time of a continuation, median over repeats, for benchmarks.

use super::answer::DiagramAnswer;
use super::follow;
use crate::diagnostic::{Code, Diagnostic};
use crate::session::Session;
use crate::session::command::{Command, Continue};
use crate::session::compiled::Compiled;
use crate::session::lower::lower;
use crate::session::timing::{LoadTimes, median, time_loading};
use crate::session::values::Overrides;
use crate::source::SourceId;
use std::sync::Arc;

/// A continuation repeated for its CPU time.
#[derive(Debug, Clone)]
pub struct ContinuationTiming {
    /// How often it was repeated.
    pub repeats: usize,
    /// Loading.
    pub load: LoadTimes,
    /// CPU seconds from the values that hold to the diagram: search for the start, derivatives,
    /// branches, special points and normal forms. Median.
    pub solve: f64,
    /// The diagram.
    pub answer: Arc<DiagramAnswer>,
    /// Why it was partial, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

impl Session {
    /// Loads a text `repeats` times and performs a continuation as often, with the assignments of
    /// the text.
    ///
    /// # Errors
    /// All problems of the text and of the sentence.
    pub fn time_continuation(
        &mut self,
        source: SourceId,
        command: &Continue,
        repeats: usize,
    ) -> Result<ContinuationTiming, Vec<Diagnostic>> {
        let text = self.text_of(source);
        let (checked, whole) = self.checked(source);
        let (first_model, _) = checked.sound()?;
        let world = Arc::clone(self.world());
        let (load, compiled) =
            time_loading(&*world, source, &text, (first_model, &whole.file), repeats);
        let overrides = assigned(&compiled)?;
        let mut seconds = Vec::with_capacity(repeats);
        let mut last = None;
        for _ in 0..repeats.max(1) {
            let before = world.cpu_time();
            let result = follow(&compiled, &overrides, None, command, &*world)?;
            seconds.push((world.cpu_time() - before).as_secs_f64());
            last = Some(result);
            if world.interrupted() {
                break;
            }
        }
        let Some((answer, diagnostics)) = last else {
            return Err(vec![Diagnostic::new(
                Code::BadOption,
                "nothing was repeated",
            )]);
        };
        Ok(ContinuationTiming {
            repeats: seconds.len(),
            load,
            solve: median(seconds),
            answer: Arc::new(answer),
            diagnostics,
        })
    }
}

/// The values that a text sets.
fn assigned(compiled: &Compiled) -> Result<Overrides, Vec<Diagnostic>> {
    let mut overrides = Overrides::new();
    for statement in &compiled.model.sentences {
        if let Command::Set { target, value } = lower(statement)? {
            overrides = crate::session::set_value(compiled, &overrides, &target, &value)?;
        }
    }
    Ok(overrides)
}
