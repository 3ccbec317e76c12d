//! Paths of counted reactions: every single one, or many at a time.
//!
//! ```text
//! path.rs     one path between interruptions: rows, stops, what is due, limits
//! network.rs  numbers of molecules and propensities
//! exact.rs    one reaction after the other, from
//!   sums.rs     propensities with partial sums (direct method), or
//!   queue.rs    a putative time for each reaction (next reaction method)
//! leap.rs     many at a time (tau-leaping)
//! ```
//!
//! In: a [`Problem`] whose system is counted ([`crate::system::count`]), [`Options`](super::super::Options)
//! with their chance. Out: a [`Solution`] whose states are constant between rows. Must not know
//! names.

mod exact;
mod leap;
mod network;
mod path;
mod queue;
mod sums;
#[cfg(test)]
mod tests;

use crate::kernel::Stream;
use crate::simulate::clock::Clock;
use crate::simulate::interrupter::Interrupter;
use crate::simulate::stepper::all_finite;
use crate::simulate::work::{Work, check};
use crate::simulate::{
    CompiledDynamics, Invalid, LinearSolver, Method, MethodUse, Monitor, Problem, Solution, Stop,
    SwitchReason,
};
use network::Network;
use path::Path;

/// One path. Never fails as a whole: the rows made so far are kept.
pub(in crate::simulate) fn follow<I: Interrupter>(
    problem: &Problem<'_>,
    dynamics: &CompiledDynamics<'_>,
    work: &Work<'_>,
    interrupter: &mut I,
    monitor: &mut dyn Monitor,
) -> Solution {
    let options = work.options;
    let mut solution = Solution::begun(work.shown, interrupter.slot_width(), &options.tolerances);
    let clock = Clock::new(work.start, work.end);
    let network = Network::new(problem, dynamics, clock);
    // Numbers of molecules have no derivatives that could follow them.
    let network = network.filter(|network| network.counts.len() == work.initial.len());
    let (Some(network), Some(chance)) = (network, options.chance) else {
        solution.stop = Stop::Invalid(Invalid::NotCounted);
        return solution;
    };
    if let Err(invalid) = check(work) {
        solution.stop = Stop::Invalid(invalid);
        return solution;
    }
    let stream = Stream::new(chance.seed, chance.path);
    let mut path = Path::new(work, network, stream, interrupter, monitor, &solution);
    let ended = match options.method {
        Method::Tau => leap::run(&mut path),
        _ => exact::run(&mut path),
    };
    solution.stop = match ended {
        Ok(()) => Stop::Finished,
        Err(stop) => stop,
    };
    if all_finite(&path.state) {
        let state = std::mem::take(&mut path.state);
        path.rows.keep_the_end(path.time, &state, path.interrupter);
    }
    path.statistics.evaluations = path.network.evaluations;
    solution.statistics = path.statistics;
    solution.occurrences = path.interrupter.take_occurrences();
    solution.methods = vec![MethodUse {
        method: options.method,
        from: work.start,
        linear_solver: LinearSolver::None,
        why: SwitchReason::Requested,
    }];
    path.rows.store_in(&mut solution);
    solution
}
