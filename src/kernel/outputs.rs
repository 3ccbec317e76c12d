//! Where results go: outputs sorted by how they are written.
//!
//! Enters: outputs as wanted. Leaves: which expressions are computed directly in `out`, which are
//! spread over it, and which entries are sums. Must not know instructions.

use super::layout::{LowerError, Output};
use crate::symbolic::{Expr, Pool};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Outputs sorted by how they are written. No entry is written in more than one of these ways.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Numbers that go to consecutive entries from this one on, and nothing else goes there.
    pub ranges: Vec<(Expr, usize)>,
    /// Numbers that go one by one to entries of their own.
    pub stores: Vec<(Expr, Arc<[u32]>)>,
    /// Entries that are sums of single numbers.
    pub sums: BTreeMap<usize, Vec<Expr>>,
    /// Entries that are sums in which numbers of vectors or matrices take part; set to 0 first.
    pub cleared: Vec<u32>,
    /// What is then added, in order.
    pub additions: Vec<(Expr, Arc<[u32]>)>,
}

/// How often an entry is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    Never,
    Assigned,
    Once,
    Repeatedly {
        /// A vector or matrix takes part.
        by_array: bool,
    },
}

/// Sorts the outputs.
///
/// # Errors
/// On outputs that leave `out`, overlap, or whose lengths do not fit.
pub(super) fn sort_outputs(
    pool: &Pool,
    outputs: &[Output],
    out_len: usize,
) -> Result<Writes, LowerError> {
    let touched = touch(pool, outputs, out_len)?;
    let mut writes = Writes::default();
    for output in outputs {
        let (expr, at) = match output {
            &Output::Assign { expr, at } => {
                writes.ranges.push((expr, at));
                continue;
            }
            Output::Scatter { expr, at } => (*expr, at),
        };
        let state = |entry: &u32| touched.get(*entry as usize).copied();
        let consecutive = || {
            at.windows(2)
                .all(|pair| pair[0].checked_add(1) == Some(pair[1]))
        };
        match at.first() {
            None => {}
            Some(&first) if at.iter().all(|at| state(at) == Some(Touched::Once)) => {
                if consecutive() {
                    writes.ranges.push((expr, first as usize));
                } else {
                    writes.stores.push((expr, Arc::from(&**at)));
                }
            }
            Some(first) if state(first) == Some(Touched::Repeatedly { by_array: false }) => {
                writes.sums.entry(*first as usize).or_default().push(expr);
            }
            Some(_) => writes.additions.push((expr, Arc::from(&**at))),
        }
    }
    writes.cleared = writes
        .additions
        .iter()
        .flat_map(|(_, at)| at.iter().copied())
        .collect();
    writes.cleared.sort_unstable();
    writes.cleared.dedup();
    Ok(writes)
}

fn touch(pool: &Pool, outputs: &[Output], out_len: usize) -> Result<Vec<Touched>, LowerError> {
    let mut touched = vec![Touched::Never; out_len];
    for output in outputs {
        let len = pool.shape(output.expr()).len();
        match output {
            Output::Assign { at, .. } => {
                for entry in *at..at.saturating_add(len) {
                    match touched.get_mut(entry) {
                        None => return Err(LowerError::OutsideOut(entry)),
                        Some(state @ Touched::Never) => *state = Touched::Assigned,
                        Some(_) => return Err(LowerError::Overlap(entry)),
                    }
                }
            }
            Output::Scatter { at, .. } => {
                if at.len() != len {
                    return Err(LowerError::ScatterLength {
                        values: len,
                        entries: at.len(),
                    });
                }
                for &entry in at {
                    let entry = entry as usize;
                    let state = touched
                        .get_mut(entry)
                        .ok_or(LowerError::OutsideOut(entry))?;
                    *state = match *state {
                        Touched::Assigned => return Err(LowerError::Overlap(entry)),
                        Touched::Never => Touched::Once,
                        _ => Touched::Repeatedly { by_array: false },
                    };
                }
            }
        }
    }
    // A vector or matrix that shares one entry with another output is added as a whole, so that
    // none of its entries is a sum of single numbers.
    for output in outputs {
        if let Output::Scatter { at, .. } = output
            && at.len() > 1
        {
            let repeated = |&entry: &u32| {
                matches!(
                    touched.get(entry as usize),
                    Some(Touched::Repeatedly { .. })
                )
            };
            if at.iter().any(repeated) {
                for &entry in at {
                    if let Some(state) = touched.get_mut(entry as usize) {
                        *state = Touched::Repeatedly { by_array: true };
                    }
                }
            }
        }
    }
    Ok(touched)
}
