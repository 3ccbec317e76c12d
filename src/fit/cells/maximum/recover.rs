//! A from Y and B.
//!
//! With S = R R^T and U an orthonormal basis of R^T Y = U F, Q = R W R^T has (Q - D/2) Y = -B X for
//! every skew W with W U = N, N = R^-1 (D Y/2 - B X) F^-1. One such W is N U^T - U N^T - U U^T N U^T, and all
//! others differ from it by a skew V with V U = 0. Of A + R V R^-1 the one with the smallest entries
//! off the diagonal is taken: linear least squares.
//!
//! Enters: a place. Leaves: A. Must not know how it was found.

use super::{Place, Problem};
use crate::fit::cells::likelihood::scale_columns;
use crate::fit::cells::problem::Fault;
use crate::linalg::products::{
    Cholesky, add_product, add_symmetric_product, inner, product, symmetric_eigen, turned,
};
use nalgebra::DMatrix;

/// Conjugate gradients for the smallest entries: at most, and to this part.
const MOST_PRODUCTS: usize = 100;
const TOLERANCE: f64 = 1e-3;

/// A; `None` where S is singular or Y has no full rank.
pub(super) fn drift(
    problem: &Problem,
    place: &Place,
    interrupted: &dyn Fn() -> bool,
) -> Result<Option<DMatrix<f64>>, Fault> {
    let Some((mut drift, frame)) = one(problem, place) else {
        return Ok(None);
    };
    if frame.basis.nrows() > frame.basis.ncols() + 1 {
        drift += frame.smaller(&drift, interrupted)?;
    }
    Ok(Some(drift))
}

/// R and U.
struct Frame {
    factor: Cholesky,
    basis: DMatrix<f64>,
}

/// One A, and what leads to the others.
fn one(problem: &Problem, place: &Place) -> Option<(DMatrix<f64>, Frame)> {
    let mut covariance = problem.second.clone();
    let left = product(&place.shown, &place.spectral(|z| 1.0 / (z * z)));
    add_symmetric_product(&mut covariance, -1.0, &left, turned(&place.shown));
    let factor = Cholesky::new(covariance).ok()?;
    let root = factor.lower();
    let plain = product(turned(root), &place.y);
    let (squares, mut turn) = symmetric_eigen(&product(turned(&plain), &plain))?;
    if squares
        .iter()
        .any(|square| square.is_nan() || *square <= 0.0)
    {
        return None;
    }
    let shrink: Vec<f64> = squares.iter().map(|square| 1.0 / square.sqrt()).collect();
    scale_columns(&mut turn, &shrink);
    let basis = product(&plain, &turn);
    let mut wanted = product(&problem.diffusion, &place.y) * 0.5;
    add_product(&mut wanted, -1.0, &place.input, &problem.inputs);
    factor.solve_lower(&mut wanted);
    let wanted = product(&wanted, &turn);
    let mut skew = product(&wanted, turned(&basis));
    skew = &skew - skew.transpose();
    let own = product(turned(&basis), &wanted);
    let own = (&own - own.transpose()) * 0.5;
    add_product(&mut skew, -1.0, &product(&basis, &own), turned(&basis));
    // A = (Q - D/2) S^-1, by its transpose.
    let turning = product(&product(root, &skew), turned(root));
    let mut across = turning.transpose() - &problem.diffusion * 0.5;
    factor.solve(&mut across);
    Some((across.transpose(), Frame { factor, basis }))
}

impl Frame {
    /// R V R^-1 that makes the entries of A off its diagonal smallest.
    fn smaller(
        &self,
        drift: &DMatrix<f64>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<DMatrix<f64>, Fault> {
        let mut rest = -self.inward(drift);
        let mut along = rest.clone();
        let mut out = &rest * 0.0;
        let mut size = inner(&rest, &rest);
        let goal = TOLERANCE * TOLERANCE * size;
        for _ in 0..MOST_PRODUCTS {
            if interrupted() {
                return Err(Fault::Interrupted);
            }
            if size <= goal {
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
        Ok(self.outward(&out))
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
