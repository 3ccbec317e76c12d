//! The CPU time that a sweep takes, median over repeats, for benchmarks.

use super::super::command::Simulate;
use super::super::compiled::Compiled;
use super::super::tables::Tables;
use super::super::timing::{LoadTimes, first_run, median, time_loading};
use super::super::values::Overrides;
use super::super::{Observer, Session};
use super::answer::SweepAnswer;
use super::{Sweep, no_run, question, swept};
use crate::diagnostic::Diagnostic;
use crate::source::SourceId;
use crate::world::World;
use std::path::Path;
use std::sync::Arc;

/// A sweep repeated for the time that it takes.
#[derive(Debug, Clone)]
pub struct SweepTiming {
    /// How often it was repeated.
    pub repeats: usize,
    /// Threads that it may use.
    pub threads: usize,
    /// Loading.
    pub load: LoadTimes,
    /// CPU seconds from the sentence to the values of all members, its table included. Median.
    pub design: f64,
    /// CPU seconds, of all threads together, of all runs and the numbers taken from them. Median.
    pub solve: f64,
    /// The numbers.
    pub answer: Arc<SweepAnswer>,
    /// Why it was partial, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

impl Session {
    /// Loads a text `repeats` times and performs a sweep as often, of the run that the sentence
    /// names or of the first `simulate` sentence of the text, with the assignments before that.
    ///
    /// # Errors
    /// All problems of the text and of the sentence.
    pub fn time_sweep(
        &mut self,
        source: SourceId,
        command: &Sweep,
        repeats: usize,
    ) -> Result<SweepTiming, Vec<Diagnostic>> {
        let text = self.text_of(source);
        let (checked, whole) = self.checked(source);
        let (first_model, _) = checked.sound()?;
        let world = Arc::clone(self.world());
        let (load, compiled) =
            time_loading(&*world, source, &text, (first_model, &whole.file), repeats);
        let (overrides, own) = first_run(&compiled)?;
        let known = self.sources.get(source);
        let folder = known.and_then(|known| Path::new(&known.name).parent().map(Path::to_owned));
        let folder = folder.unwrap_or_default();
        let run = match (&command.run, &own) {
            (Some(run), _) => run,
            (None, Some(own)) => own,
            (None, None) => return Err(vec![no_run(command.span)]),
        };
        let mut times: [Vec<f64>; 2] = Default::default();
        loop {
            let tables = Tables::new(&*world, folder.clone());
            let once = once(&compiled, &tables, &overrides, (command, run), &*world)?;
            for (known, time) in times.iter_mut().zip(once.times) {
                known.push(time);
            }
            if times[0].len() >= repeats || world.interrupted() {
                let repeats = times[0].len();
                let [design, solve] = times.map(median);
                return Ok(SweepTiming {
                    repeats,
                    threads: world.threads(),
                    load,
                    design,
                    solve,
                    answer: Arc::new(once.answer),
                    diagnostics: once.diagnostics,
                });
            }
        }
    }
}

struct Once {
    answer: SweepAnswer,
    diagnostics: Vec<Diagnostic>,
    /// Design and solution.
    times: [f64; 2],
}

fn once(
    compiled: &Arc<Compiled>,
    tables: &Tables<'_>,
    overrides: &Overrides,
    (command, run): (&Sweep, &Simulate),
    world: &dyn World,
) -> Result<Once, Vec<Diagnostic>> {
    let start = world.cpu_time();
    let question = question::question(compiled, tables, overrides, command)?;
    let repeated = (command, run);
    let axes = &question.axes;
    let (base, warnings) = super::base::base(compiled, tables, overrides, None, repeated, axes)?;
    let ready = world.cpu_time();
    let nobody: &mut dyn Observer = &mut ();
    let (answer, more) = swept(compiled, question, &base, command.span, (world, nobody));
    let done = world.cpu_time();
    Ok(Once {
        answer,
        diagnostics: warnings.into_iter().chain(more).collect(),
        times: [(ready - start).as_secs_f64(), (done - ready).as_secs_f64()],
    })
}
