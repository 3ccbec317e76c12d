//! Members of a sweep side by side: one model with many parameters and initial values.
//!
//! ```text
//! mod.rs    which models, what goes in and comes out
//! tsit5.rs  steps of all lanes at once, each with its own time and length
//! ```
//!
//! In: a [`System`] that nothing interrupts, its kernels, [`Member`]s. Out: their states at given
//! times, and how each ended. The method is [`Method::Tsit5`] under the rules of the driver; what
//! it is not for ends with [`MemberEnd::Stiff`]. A member's numbers depend on the member alone, not
//! on those beside it. Must not know what is swept.

mod control;
mod tsit5;

use super::{Method, Options, Statistics};
use crate::kernel::Kernels;
use crate::kernel::lanes::{LANES, MOST_CHUNKS, SeparateLanes};
use crate::system::System;

/// One set of values to run with.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// In the order of the system's parameter vector.
    pub parameters: Vec<f64>,
    /// The state at the start.
    pub initial: Vec<f64>,
}

/// How a member ended. Whoever wants to know more, or the rest of a stiff member, runs it again by
/// itself with [`super::run`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MemberEnd {
    /// All output times and the end were reached.
    Finished,
    /// A value was not finite at the start, or at every step tried from this time.
    NotFinite {
        /// The last time reached.
        time: f64,
    },
    /// The error test asked for steps below round-off.
    StepTooSmall {
        /// The last time reached.
        time: f64,
    },
    /// [`Options::max_steps`] was reached.
    TooManySteps {
        /// The last time reached.
        time: f64,
    },
    /// Another method is called for.
    Stiff {
        /// The last time reached.
        time: f64,
    },
    /// The interrupt came first.
    Interrupted,
}

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberRun {
    /// Output times that it reached, from the first.
    pub rows: usize,
    /// Why it ended.
    pub end: MemberEnd,
    /// Work done.
    pub statistics: Statistics,
}

/// What became of some members.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemberBlock {
    /// The states of every member at every output time:
    /// `values[(member * rows + row) * width + i]`. NaN in rows that a member did not reach.
    pub values: Vec<f64>,
    /// One for each member.
    pub runs: Vec<MemberRun>,
}

/// A model ready to be run for many members side by side. Threads share it.
#[derive(Debug)]
pub struct SideBySide<'p> {
    system: &'p System,
    kernels: &'p Kernels,
    drift: SeparateLanes,
    range: (f64, f64),
    times: &'p [f64],
    options: &'p Options,
}

/// Numbers that the vectors of one lane of a chunk may have, so that those of all lanes stay near
/// the processor: ten vectors of the method, each of the width of the state.
const NEAR_NUMBERS: usize = 48;

/// Members beyond which a block gains nothing.
pub const MEMBERS_OF_BLOCK: usize = 512;

impl<'p> SideBySide<'p> {
    /// `None` for what runs by itself only: anything that interrupts a run or moves with its time
    /// (events, conditions, doses, inputs, delays, assertions), constraints, noise, maps, and
    /// methods other than [`Method::Auto`] and [`Method::Tsit5`]; arguments that no run can be made
    /// with too. `times` ascend from the start to the end of the range.
    #[must_use]
    pub fn new(
        system: &'p System,
        kernels: &'p Kernels,
        range: (f64, f64),
        times: &'p [f64],
        options: &'p Options,
    ) -> Option<SideBySide<'p>> {
        let served = system.is_undisturbed()
            && system.noise.is_none()
            && can_be_made(system, range, times, options);
        served.then(|| SideBySide {
            system,
            kernels,
            drift: SeparateLanes::new(kernels.frozen_drift().program()),
            range,
            times,
            options,
        })
    }

    /// States of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.system.dimension()
    }

    /// Runs these members; [`MEMBERS_OF_BLOCK`] of them at a time serve well. Members at whose end
    /// `interrupted` is true before they reach it end with [`MemberEnd::Interrupted`].
    ///
    /// # Panics
    /// When a member has fewer parameters or states than the system.
    #[must_use]
    pub fn block(
        &self,
        members: &[Member],
        interrupted: &(dyn Fn() -> bool + Sync),
    ) -> MemberBlock {
        let wanted = members.len().div_ceil(LANES);
        let near = NEAR_NUMBERS / self.width().max(1);
        let chunks = wanted.min(near).clamp(1, MOST_CHUNKS);
        tsit5::run(self, members, chunks, interrupted)
    }
}

fn can_be_made(
    system: &System,
    (start, end): (f64, f64),
    times: &[f64],
    options: &Options,
) -> bool {
    let tolerances = &options.tolerances;
    let steps = [options.initial_step, options.max_step];
    matches!(options.method, Method::Auto | Method::Tsit5)
        && start.is_finite()
        && end.is_finite()
        && start < end
        && times.is_sorted()
        && times.iter().all(|time| (start..=end).contains(time))
        && tolerances.relative.is_finite()
        && tolerances.relative > 0.0
        && tolerances.absolute.len() == system.dimension()
        && (tolerances.absolute.iter()).all(|absolute| absolute.is_finite() && *absolute >= 0.0)
        && steps.into_iter().flatten().all(|step| step > 0.0)
}
