//! Linear systems with noise fitted to many single cells, each seen once.
//!
//! The system is dy = (A y + B x) dt + C dW for p genes and q inputs. Cells come in K groups with
//! inputs x_k; those of a group are independent draws from a normal distribution with the mean
//! mu_k and the covariance S, which is the same for all:
//!
//! ```text
//! mu_k = -A^-1 B x_k             at rest under x_k
//! mu_k = u_k + exp(A t)(v_k - u_k)   a time t after the input went from x'_k to x_k: u_k and v_k
//!                                are the means at rest under x_k and x'_k
//! A S + S A^T + C C^T = 0        whatever the inputs, also while the mean moves
//! ```
//!
//! # The likelihood of a cell
//!
//! With n cells, counts n_k, means m_k, the scatter W around them, r_k = m_k - mu_k and
//! T = (W + sum n_k r_k r_k^T)/n, all that is minimised is a mean over cells,
//!
//! ```text
//! f = 1/2 (p log 2 pi + log det S + tr S^-1 T),
//! ```
//!
//! so an evaluation costs the same for any number of cells. Three ways to come by S:
//!
//! - [`Covariance::FromNoise`]: S solves the Lyapunov equation. With G = df/dS =
//!   (S^-1 - S^-1 T S^-1)/2 and A^T L + L A + G = 0, df/dA = 2 L S + (by the means), df/dC = 2 L C.
//!   Measuring may add to the variances ([`Cells::measured_with`]): S + diag(v) then stands for S in f
//!   and G, and S alone in df/dA.
//! - [`Covariance::Profiled`]: S is free, and its best value S = T is put in: f = 1/2 log det T +
//!   a constant. Only the means speak about A and B. Nothing is lost of them; but they depend on
//!   A^-1 B alone, so M A and M B serve as well for any M, unless enough entries are held.
//!   (Not every S > 0 comes from a C with a given A: A S + S A^T must be negative semidefinite.
//!   A free S is therefore a wider model than a free C.)
//! - [`Covariance::Known`]: S is given.
//!
//! Through the means, with P = -S^-1 (n_k r_k)/n the derivative by mu, Z = A^-T P:
//! df/dA = -Z U^T, df/dB = -Z X^T.
//!
//! # What cells at rest cannot tell
//!
//! Time has no unit at rest: (s A, s B, s^(1/2) C) has the same moments for all s > 0. So with C free
//! something else of the scale must be held, or cells be seen on the way after a step, where
//! exp(A t) sets it. With C held, one control and K knock-outs that each act on one gene of their
//! own (B: a column of ones' effect and one entry for each knock-out), (p - K)(p - K - 1)/2
//! directions stay open; see [`identify`]. A small ridge decides them.
//!
//! ```text
//! statistics.rs   cells in one pass to counts, means, scatter
//! problem.rs      what is given, what is free; checks
//! centre.rs       the same around the mean of the cells
//! means.rs        means, their tangents and adjoints
//! likelihood.rs   f, its exact gradient, products with the Fisher information
//! curvature.rs    exact products with the Hessian
//! identify.rs     the null directions of the information
//! free_drift.rs   Newton directions where all of A is free, without Lyapunov equations
//! maximum         the maximum of the likelihood alone where all of A is free: Newton steps without A
//! search.rs       the minimum: truncated Newton steps with the Fisher information, also with l1
//! newton.rs       their directions
//! start.rs        a start that has the moments of the cells
//! sparse.rs       the weight of l1 by groups held out
//! ```
//!
//! Enters: cells, inputs, masks. Leaves: matrices with how the search ended. Must not know names.

mod centre;
mod curvature;
mod free_drift;
pub mod identify;
pub mod likelihood;
mod maximum;
mod means;
mod newton;
pub mod problem;
mod proximal;
pub mod search;
pub mod sparse;
pub mod start;
pub mod statistics;
#[cfg(test)]
mod tests;

pub use identify::{Blindness, Unidentified, blindness};
pub use likelihood::{Moments, gradient, moments};
pub use problem::{Cells, Course, Covariance, Design, Entries, Fault, Mismatch, Point};
pub use search::{End, Found, Options, Penalty, search};
pub use sparse::{Path, Question, Selection, Tried, Watch, adaptive, folds, select};
pub use start::matched_start;
pub use statistics::{Accumulator, Refused, SparseRows, Statistics};
