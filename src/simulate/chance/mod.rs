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

pub(super) use diffusion::path;
pub use diffusion::{Pace, Transitions, choose, exact_transitions, pace};
pub use lanes::LanePaths;
pub use paths::{Block, PathEnd, Paths, SinglePaths};
pub(super) use reactions::follow;
