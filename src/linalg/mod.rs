//! Numerical linear algebra over plain slices.
//!
//! Enters: matrices as slices. Leaves: what was computed, in slices. Must not know models.

mod exponential;

pub use exponential::{Exponential, one_norm};
