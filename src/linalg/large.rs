//! The bridge to the crate `faer` for matrices that fill the caches: blocked dense LU, and sparse
//! supernodal LU whose symbolic analysis serves all matrices of a pattern. Both pivot.
//!
//! Nothing outside this file knows the crate. Everything runs on the caller's thread.

use super::{Pattern, Singular};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting;
use faer::perm::PermRef;
use faer::sparse::linalg::lu::{LuRef, NumericLu, SymbolicLu, factorize_symbolic_lu};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMat};
use faer::{Conj, Mat, MatMut, Par};

/// Factors of a dense matrix.
pub struct LargeDense {
    /// Before factorisation the matrix, after it the factors.
    matrix: Mat<f64>,
    forward: Vec<usize>,
    backward: Vec<usize>,
    factor_stack: MemBuffer,
    solve_stack: MemBuffer,
}

impl LargeDense {
    /// A matrix of zeros.
    pub fn new(n: usize) -> Self {
        LargeDense {
            matrix: Mat::zeros(n, n),
            forward: vec![0; n],
            backward: vec![0; n],
            factor_stack: MemBuffer::new(
                partial_pivoting::factor::lu_in_place_scratch::<usize, f64>(
                    n,
                    n,
                    Par::Seq,
                    Default::default(),
                ),
            ),
            solve_stack: MemBuffer::new(partial_pivoting::solve::solve_in_place_scratch::<
                usize,
                f64,
            >(n, 1, Par::Seq)),
        }
    }

    /// The entries of column j, to be filled in before [`LargeDense::factorise`].
    pub fn column_mut(&mut self, j: usize) -> &mut [f64] {
        self.matrix.col_as_slice_mut(j)
    }

    /// Replaces the entries by their factors.
    pub fn factorise(&mut self) -> Result<(), Singular> {
        partial_pivoting::factor::lu_in_place(
            self.matrix.as_mut(),
            &mut self.forward,
            &mut self.backward,
            Par::Seq,
            MemStack::new(&mut self.factor_stack),
            Default::default(),
        );
        let n = self.forward.len();
        let sound = (0..n).all(|i| self.matrix[(i, i)].is_normal());
        if sound { Ok(()) } else { Err(Singular) }
    }

    /// Replaces `b` by the solution.
    pub fn solve(&mut self, b: &mut [f64]) {
        let n = self.forward.len();
        partial_pivoting::solve::solve_in_place_with_conj(
            self.matrix.as_ref(),
            self.matrix.as_ref(),
            PermRef::new_checked(&self.forward, &self.backward, n),
            Conj::No,
            MatMut::from_column_major_slice_mut(b, n, 1),
            Par::Seq,
            MemStack::new(&mut self.solve_stack),
        );
    }
}

/// Factors of sparse matrices of one pattern.
pub struct LargeSparse {
    pattern: SymbolicSparseColMat<usize>,
    values: Vec<f64>,
    symbolic: SymbolicLu<usize>,
    numeric: NumericLu<usize, f64>,
    factor_stack: MemBuffer,
    solve_stack: MemBuffer,
}

impl LargeSparse {
    /// Analyses a pattern; `None` when the crate cannot.
    pub fn new(pattern: Pattern<'_>) -> Option<Self> {
        let n = pattern.dimension();
        let (starts, rows) = (pattern.starts.to_vec(), pattern.rows.to_vec());
        let values = vec![0.0; rows.len()];
        let pattern = SymbolicSparseColMat::new_checked(n, n, starts, None, rows);
        let symbolic = factorize_symbolic_lu(pattern.as_ref(), Default::default()).ok()?;
        let factor = symbolic.factorize_numeric_lu_scratch::<f64>(Par::Seq, Default::default());
        let solve = symbolic.solve_in_place_scratch::<f64>(1, Par::Seq);
        Some(LargeSparse {
            pattern,
            values,
            numeric: NumericLu::new(),
            factor_stack: MemBuffer::new(factor),
            solve_stack: MemBuffer::new(solve),
            symbolic,
        })
    }

    /// The entries in the order of the pattern, to be filled in before
    /// [`LargeSparse::factorise`].
    pub fn entries_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Factorises the matrix of the present entries.
    pub fn factorise(&mut self) -> Result<(), Singular> {
        let done = self.symbolic.factorize_numeric_lu(
            &mut self.numeric,
            SparseColMatRef::new(self.pattern.as_ref(), &self.values),
            Par::Seq,
            MemStack::new(&mut self.factor_stack),
            Default::default(),
        );
        done.map(|_| ()).map_err(|_| Singular)
    }

    /// Replaces `b` by the solution.
    pub fn solve(&mut self, b: &mut [f64]) {
        let n = b.len();
        LuRef::new_unchecked(&self.symbolic, &self.numeric).solve_in_place_with_conj(
            Conj::No,
            MatMut::from_column_major_slice_mut(b, n, 1),
            Par::Seq,
            MemStack::new(&mut self.solve_stack),
        );
    }
}
