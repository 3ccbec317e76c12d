//! What many paths have in common: moments, quantiles, histograms, in bounded memory.
//!
//! ```text
//! summary.rs   a table of cells, one for each output time and quantity
//! moments.rs   mean and variance, block by block
//! bins.rs      histograms whose bins widen as the range does
//! ```
//!
//! Enters: numbers of paths, block by block. Leaves: a [`Summary`]. Blocks come in order, so that
//! sums round the same way whatever made them. Must not know paths or models.

mod bins;
mod moments;
mod summary;

pub use bins::{Bar, Bins};
pub use moments::Moments;
pub use summary::{BlockMoments, Summary};
