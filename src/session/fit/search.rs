//! The searches of a fit: from one start or from several.
//!
//! Enters: a likelihood, the words of the sentence as numbers. Leaves: the searches. Must not know
//! names.

use super::objective::Likelihood;
use super::quantities::coordinates;
use crate::fit::{Local, Method, Scaled};

/// Searches when all fitted quantities have bounds.
const STARTS: usize = 20;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    pub method: Method,
    /// As the sentence says.
    pub starts: Option<usize>,
    pub seed: u64,
    pub threads: usize,
}
