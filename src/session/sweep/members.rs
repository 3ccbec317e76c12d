//! The runs of a sweep, on all cores, their numbers taken in order.
//!
//! Enters: a question and the run that it repeats. Leaves: the numbers of every member that was
//! run, what failed, and what measures some do not have. Members are run in blocks whose size
//! follows from their number alone, so that the numbers of threads changes nothing. Must not know
//! how they are shown.

use super::super::Observer;
use super::super::compiled::Compiled;
use super::super::failure;
use super::super::measure;
use super::super::run;
use super::super::simulate::Plan;
use super::base::Base;
use super::question::Question;
use super::side::{self, Side};
use crate::diagnostic::{Code, Diagnostic};
use crate::simulate::{Stop, in_order};
use crate::source::Span;
use crate::world::World;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Members of the largest block; a multiple of what runs side by side.
const MOST_IN_A_BLOCK: usize = 64;
/// Blocks that a sweep is cut into if it can be, so that all cores have work.
const WANTED_BLOCKS: usize = 64;

/// Failures that are kept; the others are counted.
const MOST_FAILURES: usize = 1000;

/// What the members gave.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The numbers of each member that was run, next to each other.
    pub numbers: Vec<f64>,
    /// How many members were run.
    pub count: usize,
    /// The first that failed, with why.
    pub failures: Vec<(usize, Diagnostic)>,
    /// How many failed in all.
    pub failed: usize,
    /// For each column, how many members do not have it, and the first of them.
    pub missing: Vec<Missing>,
    /// Stopped by the user.
    pub interrupted: bool,
}

/// A measure that some members do not have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Missing {
    /// Its place among the measures.
    pub measure: usize,
    pub members: usize,
    /// The first of them, with why.
    pub first: (usize, Diagnostic),
}

/// What one member gave.
pub(super) enum Member {
    Done {
        numbers: Vec<f64>,
        /// Measures that it does not have, with why.
        missing: Vec<(usize, Diagnostic)>,
    },
    Failed(Diagnostic),
    Interrupted,
}

/// Runs all members.
pub(super) fn gather(
    compiled: &Arc<Compiled>,
    question: &Question,
    base: &Base,
    sentence: Span,
    world: &dyn World,
    observer: &mut dyn Observer,
) -> Gathered {
    let count = question.members.count();
    let times = side::times(compiled, question, base);
    let side = times
        .as_deref()
        .and_then(|times| Side::new(compiled, base, times));
    let block = match &side {
        Some(_) => Side::block_size(count),
        None => block_size(count),
    };
    let blocks = count.div_ceil(block);
    let width = question.wanted.width();
    let mut gathered = Gathered {
        numbers: Vec::with_capacity(count * width),
        ..Gathered::default()
    };
    let work = |at: usize| -> Vec<Member> {
        let members = at * block..((at + 1) * block).min(count);
        let one = |member| one(compiled, question, base, member, sentence, world);
        let together = side
            .as_ref()
            .map(|side| side.block(compiled, question, base, members.clone(), world));
        let mut together = together.into_iter().flatten();
        // What comes after an interrupted member is not begun.
        let mut done = Vec::with_capacity(members.len());
        for member in members {
            let found = together.next().flatten().unwrap_or_else(|| one(member));
            let ends = matches!(found, Member::Interrupted);
            done.push(found);
            if ends {
                break;
            }
        }
        done
    };
    in_order(blocks, world.threads(), work, |_, members| {
        for member in members {
            if gathered.take(member, width).is_break() {
                return ControlFlow::Break(());
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a fraction")]
        observer.progress(gathered.count as f64 / count as f64);
        ControlFlow::Continue(())
    });
    gathered
}

fn block_size(count: usize) -> usize {
    let even = count.div_ceil(WANTED_BLOCKS);
    match even {
        // Few members: each may take long.
        0..=4 => 1,
        _ => even.next_multiple_of(8).min(MOST_IN_A_BLOCK),
    }
}

impl Gathered {
    fn take(&mut self, member: Member, width: usize) -> ControlFlow<()> {
        let at = self.count;
        match member {
            Member::Interrupted => {
                self.interrupted = true;
                return ControlFlow::Break(());
            }
            Member::Failed(problem) => {
                self.numbers.extend(std::iter::repeat_n(f64::NAN, width));
                self.failed += 1;
                if self.failures.len() < MOST_FAILURES {
                    self.failures.push((at, problem));
                }
            }
            Member::Done { numbers, missing } => {
                self.numbers.extend(numbers);
                for (measure, problem) in missing {
                    self.note_missing(measure, at, problem);
                }
            }
        }
        self.count += 1;
        ControlFlow::Continue(())
    }

    fn note_missing(&mut self, measure: usize, at: usize, problem: Diagnostic) {
        match self
            .missing
            .iter_mut()
            .find(|known| known.measure == measure)
        {
            Some(known) => known.members += 1,
            None => self.missing.push(Missing {
                measure,
                members: 1,
                first: (at, problem),
            }),
        }
    }
}

/// Runs one member.
fn one(
    compiled: &Arc<Compiled>,
    question: &Question,
    base: &Base,
    member: usize,
    sentence: Span,
    world: &dyn World,
) -> Member {
    if world.interrupted() {
        return Member::Interrupted;
    }
    let values = question.members.values(member);
    let plan = match base.member(compiled, &question.axes, &values) {
        Ok(plan) => plan,
        Err(problems) => return Member::Failed(first_of(problems, sentence)),
    };
    let gauges = question.wanted.gauges();
    let (run, end, found) = if gauges.is_empty() {
        let plan = Plan {
            output: question.wanted.output(&plan, compiled.model.motion),
            ..plan
        };
        let (run, end) = run::run(compiled, &plan, world, &mut ());
        (run, end, Vec::new())
    } else {
        measure::run_and_measure(compiled, &plan, &gauges, world)
    };
    if matches!(run.solution.stop, Stop::Interrupted { .. }) {
        return Member::Interrupted;
    }
    if let Some(problem) = failure::explain(&run, &end, sentence) {
        return Member::Failed(problem);
    }
    let mut missing = Vec::new();
    let mut measured = Vec::with_capacity(found.len());
    for (at, found) in found.into_iter().enumerate() {
        measured.push(match found {
            Ok(found) => found.value,
            Err(problem) => {
                missing.push((at, problem));
                f64::NAN
            }
        });
    }
    Member::Done {
        numbers: question.wanted.numbers(&run, &measured),
        missing,
    }
}

fn first_of(problems: Vec<Diagnostic>, sentence: Span) -> Diagnostic {
    let nothing = || Diagnostic::new(Code::NotFinite, "a value is not finite").at(sentence, "");
    problems.into_iter().next().unwrap_or_else(nothing)
}
