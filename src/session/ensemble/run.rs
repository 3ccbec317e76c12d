//! Blocks of paths on all cores, joined in order.
//!
//! Enters: a plan. Leaves: an [`Ensemble`] and what is to be said of paths that failed. The blocks
//! depend on the plan alone, so that the result is the same on any number of threads.

use super::columns::{Columns, columns};
use super::{Ensemble, FailedPath, many};
use crate::analyze::ensemble::{BlockMoments, Summary};
use crate::diagnostic::{Code, Diagnostic};
use crate::session::command::Simulate;
use crate::session::compiled::Compiled;
use crate::session::outcome::{Outcome, Performed};
use crate::session::simulate::Plan;
use crate::session::{Asked, Observer, Session, chance, failure, run};
use crate::simulate::{
    Block, LanePaths, MethodUse, PathEnd, Paths, SinglePaths, Statistics, Stop, in_order,
};
use crate::world::World;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The most paths of a block, and about how many numbers it may hold.
const BLOCK: (usize, usize) = (64, 1 << 22);
/// Paths that are kept as they are.
const SAMPLES: usize = 20;
/// Failed paths that are kept.
const MOST_FAILED: usize = 100;

impl Session {
    /// Makes the paths of a plan.
    pub(in crate::session) fn simulate_paths(
        &mut self,
        compiled: &Arc<Compiled>,
        plan: &Plan,
        command: &Simulate,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let world = Arc::clone(&self.world);
        let (ensemble, said) = made(compiled, plan, command, &*world, observer)?;
        let mut diagnostics = plan.warnings.clone();
        diagnostics.extend(said);
        self.asked = Some(Arc::new(Asked {
            command: command.clone(),
            overrides: self.overrides.clone(),
            before: self.last.take().filter(|_| command.from_last),
        }));
        self.forget_runs();
        let ensemble = Arc::new(ensemble);
        self.ensemble = Some(Arc::clone(&ensemble));
        Ok(Performed {
            outcome: Outcome::Ensemble(ensemble),
            diagnostics,
        })
    }
}

/// Makes the paths of a plan, with what is to be said of those that failed.
///
/// # Errors
/// What cannot be summed up; why no path was made at all.
pub(in crate::session) fn made(
    compiled: &Arc<Compiled>,
    plan: &Plan,
    command: &Simulate,
    world: &dyn World,
    observer: &mut dyn Observer,
) -> Result<(Ensemble, Vec<Diagnostic>), Vec<Diagnostic>> {
    let columns = columns(compiled, &plan.of, &plan.parameters, command.span)?;
    let ensemble = ensemble(compiled, plan, columns, world, observer);
    let said = problems(&ensemble, plan, world, command);
    let of_start = |failed: &FailedPath| matches!(failed.stop, Stop::Invalid(_));
    if ensemble.made == 0 || ensemble.failed.first().is_some_and(of_start) {
        return Err(said);
    }
    Ok((ensemble, said))
}

/// A block after its quantities were computed, where it was made.
struct Summed {
    moments: BlockMoments,
    numbers: Vec<f64>,
    ends: Vec<PathEnd>,
    methods: Vec<MethodUse>,
    step: Option<f64>,
}

impl Summed {
    /// Keeps the first paths alone.
    fn keep(&mut self, paths: usize, cells: usize) {
        self.ends.truncate(paths);
        self.numbers.truncate(paths * cells);
        self.moments = BlockMoments::of(&self.numbers, cells);
    }
}

fn ensemble(
    compiled: &Arc<Compiled>,
    plan: &Plan,
    columns: Columns,
    world: &dyn World,
    observer: &mut dyn Observer,
) -> Ensemble {
    let first = plan.options.chance.map_or(0, |chance| chance.path);
    let times = chance::ensemble_times(&plan.output, shown(plan));
    let asked = plan.paths.unwrap_or(1);
    let problem = run::problem(compiled, plan);
    let single = || SinglePaths {
        problem: &problem,
        range: (plan.start, plan.end),
        initial: &plan.initial,
        times: &times,
        options: &plan.options,
    };
    let source: Box<dyn Paths + '_> = match LanePaths::new(single()) {
        Some(side_by_side) => Box::new(side_by_side),
        None => Box::new(single()),
    };
    let quantities = columns.quantities.len();
    let cells = times.len() * quantities;
    let (block, blocks) = blocks(asked, times.len() * source.width());
    let mut made = Ensemble {
        compiled: Arc::clone(compiled),
        parameters: plan.parameters.clone(),
        subject: plan.subject.clone(),
        times: times.clone(),
        quantities: columns.quantities.clone(),
        summary: Summary::new(times.len(), quantities, asked),
        samples: Vec::new(),
        asked,
        made: 0,
        failures: 0,
        failed: Vec::new(),
        seed: plan
            .options
            .chance
            .map_or(chance::SEED, |chance| chance.seed),
        methods: Vec::new(),
        step: None,
        statistics: Statistics::default(),
        tolerances: plan.options.tolerances.clone(),
        interrupted: false,
    };
    let work = |at: usize| -> Summed {
        let from = at as u64 * block;
        let paths = first + from..first + (from + block).min(asked);
        let Block {
            values,
            ends,
            methods,
            step,
        } = source.block(paths, &|| world.interrupted());
        let numbers = columns.of(values, source.width(), &times);
        Summed {
            moments: BlockMoments::of(&numbers, cells),
            numbers,
            ends,
            methods,
            step,
        }
    };
    in_order(blocks, world.threads(), work, |at, mut summed| {
        let stopped = |end: &PathEnd| matches!(end.stop, Stop::Interrupted { .. });
        if let Some(whole) = summed.ends.iter().position(stopped) {
            summed.keep(whole, cells);
            join(&mut made, summed, cells);
            made.interrupted = true;
            return ControlFlow::Break(());
        }
        join(&mut made, summed, cells);
        #[expect(clippy::cast_precision_loss, reason = "a count of blocks")]
        observer.progress((at + 1) as f64 / blocks as f64);
        ControlFlow::Continue(())
    });
    made.summary.finish();
    made
}

/// First and last time shown.
fn shown(plan: &Plan) -> (f64, f64) {
    (plan.options.shown_from.unwrap_or(plan.start), plan.end)
}

/// Paths of a block, and how many blocks there are.
fn blocks(paths: u64, numbers_of_path: usize) -> (u64, usize) {
    let (most, numbers) = BLOCK;
    let block = (numbers / numbers_of_path.max(1)).clamp(1, most);
    // Eight go side by side.
    let block = if block > 8 { block - block % 8 } else { block } as u64;
    let count = usize::try_from(paths.div_ceil(block)).unwrap_or(usize::MAX);
    (block, count)
}

/// Takes the next block into the ensemble.
fn join(made: &mut Ensemble, summed: Summed, cells: usize) {
    made.summary.add(&summed.moments, &summed.numbers);
    for path in summed.numbers.chunks_exact(cells.max(1)) {
        if made.samples.len() < SAMPLES {
            made.samples.push(path.to_vec());
        }
    }
    if made.methods.is_empty() {
        (made.methods, made.step) = (summed.methods, summed.step);
    }
    for (path, end) in (made.made..).zip(summed.ends) {
        made.made = path + 1;
        made.statistics.add(&end.statistics);
        if end.stop != Stop::Finished {
            made.failures += 1;
            if made.failed.len() < MOST_FAILED {
                made.failed.push(FailedPath {
                    path,
                    stop: end.stop,
                });
            }
        }
    }
}

/// What is to be said of paths that were not made or did not reach the end.
fn problems(
    ensemble: &Ensemble,
    plan: &Plan,
    world: &dyn World,
    command: &Simulate,
) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    if let Some(first) = ensemble.failed.first() {
        said.push(of_failed(ensemble, first, plan, world, command));
    }
    if ensemble.interrupted {
        said.push(
            Diagnostic::new(
                Code::Interrupted,
                format!(
                    "stopped by the user after {} of {} paths",
                    ensemble.made, ensemble.asked
                ),
            )
            .at(command.span, "")
            .help(if ensemble.made == 0 {
                "none was complete"
            } else {
                "those before are kept"
            }),
        );
    }
    said
}

/// The first failed path is made once more, alone: its own words say best what happened.
fn of_failed(
    ensemble: &Ensemble,
    first: &FailedPath,
    plan: &Plan,
    world: &dyn World,
    command: &Simulate,
) -> Diagnostic {
    let mut alone = plan.clone();
    if let Some(chance) = &mut alone.options.chance {
        chance.path += first.path;
    }
    alone.output = crate::simulate::Output::Times(ensemble.times.clone());
    let (trajectory, end) = run::run(&ensemble.compiled, &alone, world, &mut ());
    let how_many = format!(
        "{} of {} did not reach the end",
        ensemble.failures,
        many(ensemble.made)
    );
    let kept = "the others are kept, and these as far as they came";
    match failure::explain(&trajectory, &end, command.span) {
        Some(found) => Diagnostic {
            message: format!("{how_many}; path {}: {}", first.path, found.message),
            help: Some(match found.help {
                Some(help) => format!("{help}; {kept}"),
                None => kept.to_owned(),
            }),
            ..found
        },
        None => Diagnostic::new(Code::SolverFailed, how_many)
            .at(command.span, "")
            .help(kept),
    }
}
