//! Whether a Jacobian is factorised as a sparse matrix.

/// Below this size the dense factorisation wins whatever the pattern.
const SMALLEST_SPARSE: usize = 50;

/// Share of entries above which a large matrix counts as dense.
const DENSEST_SPARSE: f64 = 0.2;

/// Whether the sparse solver is taken for a pattern compressed by column.
pub(super) fn use_sparse((starts, rows): (&[usize], &[usize])) -> bool {
    let n = starts.len().saturating_sub(1);
    n > SMALLEST_SPARSE && (rows.len() as f64) < DENSEST_SPARSE * (n * n) as f64
}
