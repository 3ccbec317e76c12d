//! Paths of models with noise, one at a time or block by block.
//!
//! ```text
//! paths.rs      many paths in blocks, whose results do not depend on threads
//! ```
//!
//! In: a [`super::Problem`], [`super::Options`] with their [`super::Chance`]. Out: a
//! [`super::Solution`] for one path, [`Block`]s for many. Must not know names.

mod paths;

pub use paths::{Block, PathEnd, Paths, SinglePaths};
