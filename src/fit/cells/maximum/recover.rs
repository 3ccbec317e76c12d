//! A from Y, B and Q.
//!
//! A = (Q - D/2) S^-1 is one of many where Y has fewer columns than rows: with R and U of `frame.rs`,
//! all A + R V R^-1 with a skew V, V U = 0, are as likely. The one with the smallest entries off the
//! diagonal is taken: linear least squares.
//!
//! Enters: a place. Leaves: A. Must not know how it was found.

use super::frame::Frame;
use super::{Balanced, Problem};
use crate::linalg::products::{inner, product, turned};
use nalgebra::DMatrix;

/// Conjugate gradients for the smallest entries: products at most, and to this part.
const MOST_PRODUCTS: usize = 100;
const TOLERANCE: f64 = 1e-3;

/// A; `None` where S is singular or Y has no full rank.
pub(super) fn drift(
    problem: &Problem,
    found: &Balanced,
    interrupted: &dyn Fn() -> bool,
) -> Option<DMatrix<f64>> {
    let (mut drift, frame) = one(problem, found)?;
    if frame.basis.nrows() > frame.basis.ncols() + 1 {
        drift += frame.smaller(&drift, interrupted);
    }
    Some(drift)
}

/// One A, and what leads to the others.
fn one(problem: &Problem, found: &Balanced) -> Option<(DMatrix<f64>, Frame)> {
    let frame = Frame::new(problem, &found.place)?;
    // A = (Q - D/2) S^-1, by its transpose.
    let mut across = found.turning.transpose() - &problem.diffusion * 0.5;
    frame.factor.solve(&mut across);
    Some((across.transpose(), frame))
}

impl Frame {
    /// R V R^-1 that makes the entries of A off its diagonal smallest.
    fn smaller(&self, drift: &DMatrix<f64>, interrupted: &dyn Fn() -> bool) -> DMatrix<f64> {
        let mut rest = -self.inward(drift);
        let mut along = rest.clone();
        let mut out = &rest * 0.0;
        let mut size = inner(&rest, &rest);
        let goal = TOLERANCE * TOLERANCE * size;
        for _ in 0..MOST_PRODUCTS {
            if size <= goal || interrupted() {
                break;
            }
            let moved = self.inward(&self.outward(&along));
            let curvature = inner(&along, &moved);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let step = size / curvature;
            out += &along * step;
            rest -= moved * step;
            let next = inner(&rest, &rest);
            along = &rest + along * (next / size);
            size = next;
        }
        self.outward(&out)
    }

    /// R V R^-1.
    fn outward(&self, skew: &DMatrix<f64>) -> DMatrix<f64> {
        let mut across = product(self.factor.lower(), skew).transpose();
        self.factor.solve_upper(&mut across);
        across.transpose()
    }

    /// The derivative by V of half the squares of entries off the diagonal.
    fn inward(&self, drift: &DMatrix<f64>) -> DMatrix<f64> {
        let mut off = drift.clone();
        off.fill_diagonal(0.0);
        let mut across = off.transpose();
        self.factor.solve_lower(&mut across);
        let by = product(turned(self.factor.lower()), &across.transpose());
        let by = (&by - by.transpose()) * 0.5;
        // Both sides without U.
        let left = &by - product(&self.basis, &product(turned(&self.basis), &by));
        let right = product(&product(&left, &self.basis), turned(&self.basis));
        left - right
    }
}
