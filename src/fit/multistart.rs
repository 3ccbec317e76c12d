//! Searches from many starts, on all cores.
//!
//! Enters: an objective, bounds, a given point, a plan. Leaves: what each start came to, best
//! first: the same bytes on any number of threads. A search may go on from results of an earlier
//! one with the same plan.

use super::objective::{Evaluation, Fault, Margin, Objective, Wanted};
use super::optimise::{Bounds, End, Local, Options, Pace, search_watched};
use super::starts::{again, finite_ends, starts};
use crate::simulate::in_order;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Values this near, in units of log-likelihood, are the same minimum: a likelihood ratio of 1.001
/// tells nothing, and runs of a model are hardly more accurate.
pub const SAME_VALUE: f64 = 1e-3;
/// How often a start without a value is drawn again.
const MOST_DRAWS: u64 = 10;
/// How often one outside the region that is searched is: that is told without an evaluation of the
/// objective.
pub const MOST_DRAWS_OUTSIDE: u64 = 30;

/// How to search from many starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Starts in all, the given point being the first.
    pub starts: usize,
    /// Of the other starts.
    pub seed: u64,
    /// All starts, where they are chosen by hand; none otherwise.
    pub chosen: Vec<Vec<f64>>,
    /// Of each search.
    pub options: Options,
}

/// How far a search from many starts is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Starts done.
    pub done: usize,
    /// Starts in all.
    pub total: usize,
    /// The best value so far, that of searches that have not ended included.
    pub best: Option<f64>,
    /// How far a search is that has not ended; none when one has.
    pub pace: Option<Pace>,
}

/// What a start came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which of the starts, from 0.
    pub number: usize,
    /// What it came to.
    pub local: Local,
}

/// What all starts came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Best value first; those without a value last, in the order of their starts.
    pub all: Vec<Finding>,
    /// How many came within [`SAME_VALUE`] of the best value.
    pub reached_best: usize,
    /// True when the user interrupted: starts are missing.
    pub was_interrupted: bool,
}

/// An objective that is interrupted once the flag is raised.
struct Interruptible<'o> {
    objective: &'o dyn Objective,
    is_over: &'o AtomicBool,
}

impl Objective for Interruptible<'_> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn has_region(&self) -> bool {
        self.objective.has_region()
    }

    fn margins(&self, at: &[f64], wanted: Wanted) -> Result<Vec<Margin>, Fault> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(Fault::Interrupted);
        }
        self.objective.margins(at, wanted)
    }

    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(Fault::Interrupted);
        }
        self.objective.evaluate(at, wanted)
    }
}

/// Searches from the given point and from others. `done` holds what the first starts came to in an
/// earlier search with the same plan, in the order of their numbers; `watch` is told of each start
/// that ends, in this order too, and after each iteration of those that have not, from their
/// threads. It may end the search.
pub fn multistart(
    objective: &dyn Objective,
    bounds: &Bounds,
    given: &[f64],
    plan: &Plan,
    threads: usize,
    done: Vec<Local>,
    watch: &mut (dyn FnMut(Progress) -> ControlFlow<()> + Send),
) -> Findings {
    let points = match plan.chosen.is_empty() {
        true => starts(bounds, given, plan.starts, plan.seed),
        false => plan
            .chosen
            .iter()
            .map(|point| bounds.project(point))
            .collect(),
    };
    let ends = finite_ends(bounds, given);
    let mut locals = done;
    locals.truncate(points.len());
    let (before, total) = (locals.len(), points.len());
    let is_over = AtomicBool::new(false);
    let objective = Interruptible {
        objective,
        is_over: &is_over,
    };
    // A single search may use the threads itself.
    let (outer, inner) = if total - before > 1 {
        (threads, 1)
    } else {
        (1, threads)
    };
    let watched = Mutex::new((progress(&locals, total), watch));
    let tell = |pace: Pace| {
        if let Ok(mut watched) = watched.lock() {
            let (known, watch) = &mut *watched;
            if known.best.is_none_or(|best| pace.value < best) && pace.value.is_finite() {
                known.best = Some(pace.value);
            }
            let now = Progress {
                pace: Some(pace),
                ..*known
            };
            if watch(now).is_break() {
                is_over.store(true, Ordering::Relaxed);
            }
        }
    };
    let work = |at: usize| {
        let number = before + at;
        let from =
            |start: &[f64]| search_watched(&objective, bounds, start, &plan.options, inner, &tell);
        drawn(from, &points[number], |attempt| {
            again(&ends, plan.seed, number as u64, attempt)
        })
    };
    let mut was_interrupted = false;
    in_order(total - before, outer, work, |_, local| {
        was_interrupted = local.end == End::Interrupted;
        // The best that an interrupted search had met counts, though it is not finished.
        if !was_interrupted || local.is_found() {
            locals.push(local);
        }
        if !was_interrupted {
            let now = progress(&locals, total);
            let is_over = watched.lock().is_ok_and(|mut watched| {
                watched.0 = now;
                (watched.1)(now).is_break()
            });
            was_interrupted = is_over && locals.len() < total;
        }
        if was_interrupted {
            is_over.store(true, Ordering::Relaxed);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    findings(locals, was_interrupted)
}

fn progress(locals: &[Local], total: usize) -> Progress {
    let values = locals.iter().filter(|local| local.is_found());
    Progress {
        done: locals.len(),
        total,
        best: values.map(|local| local.value).min_by(f64::total_cmp),
        pace: None,
    }
}

/// Searches from a start; where there is no value, from others drawn in its place. The first
/// failure stands if none has one.
fn drawn(from: impl Fn(&[f64]) -> Local, start: &[f64], again: impl Fn(u64) -> Vec<f64>) -> Local {
    let first = from(start);
    if first.is_found() || first.end == End::Interrupted {
        return first;
    }
    let is_outside = |local: &Local| matches!(local.end, End::Fault(Fault::Outside { .. }));
    let mut left = MOST_DRAWS;
    for attempt in 0..MOST_DRAWS_OUTSIDE {
        let local = from(&again(attempt));
        if local.is_found() || local.end == End::Interrupted {
            return local;
        }
        if !is_outside(&local) {
            left -= 1;
        }
        // Where it is outside at first there may be an inside.
        if left == 0 || (!is_outside(&first) && attempt + 1 == MOST_DRAWS) {
            break;
        }
    }
    first
}

fn findings(locals: Vec<Local>, was_interrupted: bool) -> Findings {
    let numbered = locals.into_iter().enumerate();
    let mut all: Vec<Finding> = numbered
        .map(|(number, local)| Finding { number, local })
        .collect();
    // Stable: equal values stay in the order of their starts.
    all.sort_by(|a, b| a.local.value.total_cmp(&b.local.value));
    let best = all.first().map_or(f64::INFINITY, |best| best.local.value);
    let reached = all.iter().filter(|finding| finding.local.is_found());
    let reached_best = reached
        .filter(|finding| finding.local.value - best <= SAME_VALUE)
        .count();
    Findings {
        all,
        reached_best,
        was_interrupted,
    }
}
