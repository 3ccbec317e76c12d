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

/// Smallest system for which a sparse pattern pays.
const SMALLEST_SPARSE: usize = 40;

/// Share of entries from which a pattern counts as dense.
const DENSE_SHARE: f64 = 0.25;

/// Size from which the sparse solver is taken whatever the pattern.
const ALWAYS_SPARSE: usize = 200;

/// Whether the sparse solver is taken for a pattern compressed by column.
pub(super) fn use_sparse((starts, rows): (&[usize], &[usize])) -> bool {
    let n = starts.len().saturating_sub(1);
    let few = (rows.len() as f64) < DENSE_SHARE * (n * n) as f64;
    n >= ALWAYS_SPARSE || (n >= SMALLEST_SPARSE && few)
}
