//! CPU times of loading and solving, medians over repeats, for benchmarks.

use super::command::Command;
use super::compiled::Compiled;
use super::lower::lower;
use super::run::run;
use super::simulate::{Plan, plan};
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::values::Overrides;
use super::{Ensemble, Session, Simulate, ensemble, failure};
use crate::diagnostic::{Code, Diagnostic};
use crate::model;
use crate::source::SourceId;
use crate::syntax::{self, tree};
use crate::world::World;
use std::path::Path;
use std::sync::Arc;

/// CPU seconds of the steps from text to kernels, medians over the repeats.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LoadTimes {
    /// Text to tree.
    pub parse: f64,
    /// Tree to model.
    pub check: f64,
    /// Model to equations, Jacobian and kernels.
    pub compile: f64,
}

/// A run repeated for its CPU time.
#[derive(Debug, Clone)]
pub struct Timing {
    /// How often it was repeated.
    pub repeats: usize,
    /// Loading.
    pub load: LoadTimes,
    /// CPU seconds of integration alone, median.
    pub solve: f64,
    /// What was made.
    pub made: Timed,
    /// Why the run was partial, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a repeated sentence made.
#[derive(Debug, Clone)]
pub enum Timed {
    /// A run; the relative and absolute tolerances are in its solution.
    Run(Arc<Trajectory>),
    /// Many paths.
    Ensemble(Arc<Ensemble>),
}

impl Session {
    /// Loads a text `repeats` times and simulates as often. `choose` is given the first `simulate`
    /// sentence of the text and says what to run; assignments before that sentence hold.
    ///
    /// # Errors
    /// All problems of the text and of the sentence.
    pub fn time(
        &mut self,
        source: SourceId,
        choose: &dyn Fn(Option<Simulate>) -> Result<Simulate, Vec<Diagnostic>>,
        repeats: usize,
    ) -> Result<Timing, Vec<Diagnostic>> {
        let text = self.text_of(source);
        let (checked, whole) = self.checked(source);
        let (first_model, _) = checked.sound()?;
        let world = Arc::clone(self.world());
        let (load, compiled) =
            time_loading(&*world, source, &text, (first_model, &whole.file), repeats);
        let (overrides, own) = first_run(&compiled)?;
        let command = choose(own)?;
        let folder = self
            .sources
            .get(source)
            .and_then(|known| Path::new(&known.name).parent().map(Path::to_owned));
        let tables = Tables::new(&*world, folder.unwrap_or_default());
        let plan = plan(&compiled, &tables, &overrides, None, &command)?;
        let mut seconds = Vec::with_capacity(repeats);
        let mut last = None;
        for _ in 0..repeats.max(1) {
            let before = world.cpu_time();
            let result = once(&compiled, &plan, &command, &*world)?;
            seconds.push((world.cpu_time() - before).as_secs_f64());
            let interrupted = world.interrupted();
            last = Some(result);
            if interrupted {
                break;
            }
        }
        let Some((made, found)) = last else {
            return Err(vec![Diagnostic::new(
                Code::BadOption,
                "nothing was repeated",
            )]);
        };
        let mut diagnostics = plan.warnings;
        diagnostics.extend(found);
        Ok(Timing {
            repeats: seconds.len(),
            load,
            solve: median(seconds),
            made,
            diagnostics,
        })
    }
}

/// Performs a plan, with what is to be said of it.
fn once(
    compiled: &Arc<Compiled>,
    plan: &Plan,
    command: &Simulate,
    world: &dyn World,
) -> Result<(Timed, Vec<Diagnostic>), Vec<Diagnostic>> {
    if plan.paths.is_some() {
        let (ensemble, found) = ensemble::made(compiled, plan, command, world, &mut ())?;
        return Ok((Timed::Ensemble(Arc::new(ensemble)), found));
    }
    let (trajectory, end) = run(compiled, plan, world, &mut ());
    let found = failure::explain(&trajectory, &end, command.span);
    let found = found.into_iter().collect();
    Ok((Timed::Run(Arc::new(trajectory)), found))
}

/// The first `simulate` sentence, with the values that are set before it.
pub(super) fn first_run(
    compiled: &Compiled,
) -> Result<(Overrides, Option<Simulate>), Vec<Diagnostic>> {
    let mut overrides = Overrides::new();
    for statement in &compiled.model.sentences {
        match lower(statement)? {
            Command::Set { target, value } => {
                overrides = super::set_value(compiled, &overrides, &target, &value)?;
            }
            Command::Simulate(found) => return Ok((overrides, Some(*found))),
            _ => {}
        }
    }
    Ok((overrides, None))
}

pub(super) fn time_loading(
    world: &dyn World,
    source: SourceId,
    text: &str,
    (first, whole): (model::Model, &tree::File),
    repeats: usize,
) -> (LoadTimes, Arc<Compiled>) {
    let mut compiled = Compiled::new(first);
    let (mut parse, mut check, mut compile) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repeats.max(1) {
        let start = world.cpu_time();
        let _ = syntax::parse_file(source, text);
        let read = world.cpu_time();
        let Some(model) = model::check(whole).model else {
            break;
        };
        let checked = world.cpu_time();
        compiled = Compiled::new(model);
        let _ = (compiled.kernels.drift(), compiled.kernels.jacobian());
        let ready = world.cpu_time();
        parse.push((read - start).as_secs_f64());
        check.push((checked - read).as_secs_f64());
        compile.push((ready - checked).as_secs_f64());
        if world.interrupted() {
            break;
        }
    }
    let load = LoadTimes {
        parse: median(parse),
        check: median(check),
        compile: median(compile),
    };
    (load, compiled)
}

pub(super) fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.len() / 2;
    match (seconds.get(middle.wrapping_sub(1)), seconds.get(middle)) {
        (Some(below), Some(above)) if seconds.len().is_multiple_of(2) => {
            f64::midpoint(*below, *above)
        }
        (_, Some(above)) => *above,
        _ => 0.0,
    }
}
