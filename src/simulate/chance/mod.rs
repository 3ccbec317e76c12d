//! Paths of models with noise, one at a time or block by block.
//!
//! ```text
//! diffusion/    one path of equations with noise
//! lanes.rs      many paths side by side, by steps of fixed length
//! paths.rs      many paths in blocks, whose results do not depend on threads
//! reactions/    counted reactions: every single one, or many at a time
//! ```
//!
//! In: a [`super::Problem`], [`super::Options`] with their [`super::Chance`]. Out: a
//! [`super::Solution`] for one path, [`Block`]s for many. Must not know names.

mod diffusion;
mod exact_steps;
mod lanes;
mod paths;
mod reactions;

pub use diffusion::{Pace, Transitions, choose, exact_transitions, pace};
pub use lanes::LanePaths;
pub use paths::{Block, PathEnd, Paths, SinglePaths};
pub(super) use reactions::{counts, follow};

use super::work::Work;
use super::{Chance, CompiledDynamics, Monitor, Problem, Solution};

/// Makes one path.
pub(super) fn path(
    problem: &Problem<'_>,
    dynamics: &CompiledDynamics<'_>,
    work: &Work<'_>,
    chance: Chance,
    monitor: &mut dyn Monitor,
) -> Solution {
    diffusion::path(problem, dynamics, work, chance, monitor)
}
