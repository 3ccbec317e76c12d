//! Members of a sweep side by side in the lanes of vectors, where nothing interrupts their runs.
//!
//! Enters: a question and the run that it repeats. Leaves: the numbers of the members that go to
//! their end so; the others are left to be run by themselves. Must not know how steps are made.

use super::super::compiled::Compiled;
use super::base::Base;
use super::members::Member;
use super::question::Question;
use crate::diagnostic::Diagnostic;
use crate::model::Motion;
use crate::simulate::{
    self, MEMBERS_OF_BLOCK, MemberEnd, Method, Output, SideBySide, has_exact_solution,
};
use crate::world::World;
use std::ops::Range;

/// Blocks that a sweep is cut into if it can be, so that all cores have work to the end.
const WANTED_BLOCKS: usize = 16;
/// Fewer members leave lanes empty.
const FEWEST: usize = 8;

/// A sweep whose members can be run side by side.
pub(super) struct Side<'s> {
    runs: SideBySide<'s>,
    times: &'s [f64],
}

/// The output times of a sweep of end values.
pub(super) fn times(compiled: &Compiled, question: &Question, base: &Base) -> Option<Vec<f64>> {
    let served = compiled.model.motion == Motion::Flow
        && question.wanted.gauges().is_empty()
        && question.members.count() >= FEWEST
        && base.has_common_tolerances(&question.axes)
        && base.plan().options.method == Method::Auto
        && !has_exact_solution(&compiled.system);
    match question.wanted.output(base.plan(), Motion::Flow) {
        Output::Times(times) if served => Some(times),
        _ => None,
    }
}

impl<'s> Side<'s> {
    /// `None` where each member has to be run by itself.
    pub fn new(compiled: &'s Compiled, base: &'s Base, times: &'s [f64]) -> Option<Side<'s>> {
        let plan = base.plan();
        let range = (plan.start, plan.end);
        let kernels = &compiled.kernels;
        let runs = SideBySide::new(&compiled.system, kernels, range, times, &plan.options)?;
        Some(Side { runs, times })
    }

    /// Members of a block.
    pub fn block_size(count: usize) -> usize {
        let even = count.div_ceil(WANTED_BLOCKS).next_multiple_of(FEWEST);
        even.min(MEMBERS_OF_BLOCK)
    }

    /// Runs some members; `None` for each that is to be run by itself.
    pub fn block(
        &self,
        compiled: &Compiled,
        question: &Question,
        base: &Base,
        members: Range<usize>,
        world: &dyn World,
    ) -> Vec<Option<Member>> {
        let mut starts = Vec::with_capacity(members.len());
        let mut faults: Vec<Option<Vec<Diagnostic>>> = Vec::with_capacity(members.len());
        for member in members {
            let values = question.members.values(member);
            match base.start(compiled, &question.axes, &values) {
                Ok(start) => {
                    starts.push(simulate::Member {
                        parameters: start.parameters,
                        initial: start.initial,
                    });
                    faults.push(None);
                }
                Err(problems) => faults.push(Some(problems)),
            }
        }
        let block = self.runs.block(&starts, &|| world.interrupted());
        let size = self.times.len() * self.runs.width();
        let mut done = starts
            .into_iter()
            .zip(&block.runs)
            .zip(block.values.chunks_exact(size.max(1)));
        let mut found = Vec::with_capacity(faults.len());
        for fault in faults {
            // What cannot begin is told by its own run.
            let run = if fault.is_some() { None } else { done.next() };
            found.push(match run {
                Some(((start, run), states)) if run.end == MemberEnd::Finished => {
                    let wanted = &question.wanted;
                    Some(Member::Done {
                        numbers: wanted.numbers_of_rows(self.times, states, start.parameters),
                        missing: Vec::new(),
                    })
                }
                Some(((_, run), _)) if run.end == MemberEnd::Interrupted => {
                    Some(Member::Interrupted)
                }
                _ => None,
            });
        }
        found
    }
}
