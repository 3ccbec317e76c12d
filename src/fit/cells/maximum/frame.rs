//! The smallest skew matrix that turns Y into what is wanted.
//!
//! With S = R R^T and an orthonormal basis U of R^T Y = U F, Q = R W R^T has Q Y = w for every skew W
//! with W U = N, N = R^-1 w F^-1. The smallest is N U^T - U N^T - U U^T N U^T, if there is one: if the
//! symmetric half of Y^T w is zero.
//!
//! Enters: a place. Leaves: skew matrices. Must not know what they are for.

use super::{Place, Problem};
use crate::fit::cells::likelihood::scale_columns;
use crate::linalg::products::{
    Cholesky, add_product, add_symmetric_product, product, symmetric_eigen, turned,
};
use nalgebra::DMatrix;

/// R and U.
pub(super) struct Frame {
    pub factor: Cholesky,
    pub basis: DMatrix<f64>,
    /// F^-1
    unbase: DMatrix<f64>,
}

impl Frame {
    /// `None` where S is singular or Y has no full rank.
    pub fn new(problem: &Problem, place: &Place) -> Option<Frame> {
        let mut covariance = problem.second.clone();
        let left = product(&place.shown, &place.spectral(|z| 1.0 / (z * z)));
        add_symmetric_product(&mut covariance, -1.0, &left, turned(&place.shown));
        let factor = Cholesky::new(covariance).ok()?;
        let plain = product(turned(factor.lower()), &place.y);
        let (squares, mut unbase) = symmetric_eigen(&product(turned(&plain), &plain))?;
        if squares
            .iter()
            .any(|square| square.is_nan() || *square <= 0.0)
        {
            return None;
        }
        let shrink: Vec<f64> = squares.iter().map(|square| 1.0 / square.sqrt()).collect();
        scale_columns(&mut unbase, &shrink);
        Some(Frame {
            basis: product(&plain, &unbase),
            factor,
            unbase,
        })
    }

    /// The smallest skew Q with Q Y = `wanted`.
    pub fn smallest(&self, mut wanted: DMatrix<f64>) -> DMatrix<f64> {
        self.factor.solve_lower(&mut wanted);
        let wanted = product(&wanted, &self.unbase);
        let mut skew = product(&wanted, turned(&self.basis));
        skew = &skew - skew.transpose();
        let own = product(turned(&self.basis), &wanted);
        let own = (&own - own.transpose()) * 0.5;
        add_product(
            &mut skew,
            -1.0,
            &product(&self.basis, &own),
            turned(&self.basis),
        );
        let root = self.factor.lower();
        product(&product(root, &skew), turned(root))
    }
}
