//! Whether a Jacobian is factorised as a sparse matrix.
//!
//! Measured as microseconds per BDF step, dense (nalgebra) against sparse (faer), test profile:
//!
//! | n | tridiagonal | a fifth of the entries | full |
//! | --- | --- | --- | --- |
//! | 20 | 1.8, 2.0 | 1.7, 2.3 | 1.6, 3.8 |
//! | 40 | 5.4, 3.1 | 6.1, 5.4 | 5.2, 14 |
//! | 100 | 41, 7 | 36, 22 | 28, 92 |
//! | 200 | 208, 14 | 170, 110 | 147, 135 |
//! | 400 | 1378, 26 | 1022, 398 | 1017, 661 |
//!
//! From n = 200 on, faer's supernodal factorisation wins even on a full pattern.

use super::Method;
use crate::linalg::{Pattern, Technique, shifted};

/// Multiplications in a factorisation over those in a solution up to which Rodas pays.
const CHEAP: usize = 15;

/// Smallest system for which a sparse pattern pays.
const SMALLEST_SPARSE: usize = 40;

/// Share of entries from which a pattern counts as dense.
const DENSE_SHARE: f64 = 0.25;

/// Size from which the sparse solver is taken whatever the pattern.
const ALWAYS_SPARSE: usize = 200;

/// Whether a method's linear systems are solved on the pattern, compressed by column.
pub(super) fn use_sparse(method: Method, (starts, rows): (&[usize], &[usize])) -> bool {
    if method.is_explicit() {
        return false;
    }
    if method == Method::Rodas {
        return shifted::technique(Pattern { starts, rows }) == Technique::Sparse;
    }
    let n = starts.len().saturating_sub(1);
    let few = (rows.len() as f64) < DENSE_SHARE * (n * n) as f64;
    n >= ALWAYS_SPARSE || (n >= SMALLEST_SPARSE && few)
}

/// Whether a factorisation costs so little more than a solution that a method with one in every
/// step pays: Rodas, against BDF with one in some ten steps, and four times as many steps.
pub(super) fn factorisations_are_cheap((starts, rows): (&[usize], &[usize])) -> bool {
    let (factorisation, solution) = shifted::costs(Pattern { starts, rows });
    factorisation <= CHEAP * solution
}
