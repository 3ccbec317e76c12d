//! Linear algebra of the size and shape that simulation meets: small, of a fixed pattern, solved
//! over and over.
//!
//! ```text
//! shifted.rs   shift * D - J for a Jacobian of a fixed pattern: the choice among the three below
//! dense.rs     LU with partial pivoting, allocation-free, unrolled for the smallest systems
//! elimination.rs  LU of a sparse pattern in an order found once, with pivots on the diagonal
//! large.rs     the bridge to the crate `faer`: large dense and sparse LU with pivoting
//! spectrum.rs  eigenvalues of many general matrices, balanced, by faer's Hessenberg form
//! francis.rs   and double-shift QR steps on it
//! principal.rs thin singular value decompositions with signs that are always the same
//! exponential.rs  the exponential of a small dense matrix
//! exponential_slope.rs  the same together with its derivative in a direction
//! transition.rs  the Gaussian transition of linear equations with additive noise
//! varied_transition.rs  the same with its derivatives
//! lyapunov.rs  A X + X A^T + Q = 0, by the real Schur form
//! products.rs  products and factors of matrices of hundreds of rows, by faer
//! sign.rs      A X + X A^T + Q = 0 at that size, by the matrix sign function
//! certificate.rs  whether matrices near a stable one are stable, cheaply
//! symmetric.rs eigenvalues and Cholesky factors of symmetric matrices
//! least_squares.rs  small damped least-squares problems, by orthogonal factors
//! length.rs    lengths known when compiling
//! ```
//!
//! Enters: numbers and patterns, compressed by column. Leaves: factors and solutions. Must not
//! know: equations, time.

pub mod certificate;
pub mod dense;
pub mod elimination;
mod exponential;
pub mod exponential_slope;
mod francis;
mod large;
mod least_squares;
pub mod length;
pub mod lyapunov;
mod principal;
pub mod products;
pub mod shifted;
pub mod sign;
mod spectrum;
mod symmetric;
mod transition;
mod varied_transition;

pub use exponential::{Exponential, one_norm};
pub use least_squares::Reduced;
pub use principal::SingularValues;
pub use shifted::{Shifted, Technique};
pub use spectrum::{Eigenvalues, Unfound};
pub use symmetric::{Spectrum, cholesky};
pub use transition::{Transition, semidefinite_cholesky};
pub use varied_transition::{Coefficients, Moved, VariedTransition};

/// A dense matrix of numbers, column by column.
pub type Matrix = nalgebra::DMatrix<f64>;

/// A matrix could not be factorised: to working precision it is singular, or has entries that are
/// not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Singular;

/// The sparsity of a square matrix, compressed by column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern<'a> {
    /// Where each column's rows begin, and where the last ends: one more than there are columns.
    pub starts: &'a [usize],
    /// The rows of the entries, ascending within a column.
    pub rows: &'a [usize],
}

impl<'a> Pattern<'a> {
    /// The number of rows and of columns.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The rows of each column in turn.
    pub fn columns(&self) -> impl Iterator<Item = &'a [usize]> {
        let rows = self.rows;
        let ranges = self.starts.windows(2);
        ranges.map(move |ends| rows.get(ends[0]..ends[1]).unwrap_or(&[]))
    }
}
