//! Exact products with the Hessian of minus the log-likelihood of a cell.
//!
//! Where the means of groups cannot all be met, residuals bend the value along what the Fisher
//! information says nothing about, and Newton steps with the information alone come to the minimum
//! only little by little. With dots for changes, M the covariance that cells show (S, with what
//! measuring adds) and R = (n_k/n)^(1/2) r_k, a product takes one tangent and one adjoint, at the
//! price of a gradient:
//!
//! ```text
//! A S. + S. A^T + A. S + S A.^T + (C C^T). = 0
//! T. = R. R^T + R R.^T
//! G. = (-M^-1 M. M^-1 + M^-1 M. M^-1 T M^-1 + M^-1 T M^-1 M. M^-1 - M^-1 T. M^-1)/2
//! A^T L. + L. A + A.^T L + L A. + G. = 0
//! P. = -M^-1 (R. - M. M^-1 R),   Z. = A^-T (P. - A.^T Z)
//! (df/dA). = 2 (L. S + L S.) - Z. U^T - Z U.^T,   (df/dB). = -Z. X^T,   (df/dC). = 2 (L. C + L C.)
//! ```
//!
//! For cells at rest. Enters: a place with its moments. Leaves: products. Must not know penalties.

use super::likelihood::{Moments, Precision, scale_columns};
use super::problem::{Cells, Fault, Point};
use crate::linalg::products::{
    add_own_transpose, add_product, add_symmetric_product, product, turned,
};
use crate::linalg::sign::Equation;
use nalgebra::DMatrix;

/// A place, as products need it.
pub(super) struct Curvature<'a> {
    cells: &'a Cells,
    point: &'a Point,
    moments: &'a Moments,
    /// L; where S comes from noise.
    solved: Option<DMatrix<f64>>,
    /// M^-1 R, and Z with the weights of R.
    whitened: DMatrix<f64>,
    rest: DMatrix<f64>,
}

impl<'a> Curvature<'a> {
    /// `None` where cells are seen on the way after a step.
    pub fn new(
        cells: &'a Cells,
        point: &'a Point,
        moments: &'a Moments,
        interrupted: &dyn Fn() -> bool,
    ) -> Option<Result<Curvature<'a>, Fault>> {
        cells.times.is_empty().then(|| {
            let solved = match moments.noise() {
                Some(noise) => Some(noise.adjoint(interrupted)?),
                None => None,
            };
            let mut whitened = moments.residuals.clone();
            moments.whiten(cells, &mut whitened);
            let mut rest = -&whitened;
            moments.means.factors.solve_turned(&mut rest);
            Ok(Curvature {
                cells,
                point,
                moments,
                solved,
                whitened,
                rest,
            })
        })
    }

    /// The Hessian times a change.
    pub fn times(&self, change: &Point, interrupted: &dyn Fn() -> bool) -> Result<Point, Fault> {
        let (cells, point, moments) = (self.cells, self.point, self.moments);
        let (moved, wider) =
            moments.tangent(cells, point, change, Precision::Exact, interrupted)?;
        let mut out = point.zeros_like();
        if let Some(wider) = &wider {
            self.by_covariance(change, (&moved, wider), &mut out, interrupted)?;
        }
        // -P. with R. = -moved.
        let mut further = &moved + self.turning(&moved, wider.as_ref());
        moments.whiten(cells, &mut further);
        add_product(&mut further, -1.0, turned(&change.drift), &self.rest);
        moments.means.factors.solve_turned(&mut further);
        let (mut means, mut inputs) = (moments.means.values.clone(), cells.inputs.clone());
        scale_columns(&mut means, &moments.weights);
        scale_columns(&mut inputs, &moments.weights);
        add_product(&mut out.drift, -1.0, &further, turned(&means));
        add_product(&mut out.drift, -1.0, &self.rest, turned(&moved));
        add_product(&mut out.input, -1.0, &further, turned(&inputs));
        Ok(out)
    }

    /// M. M^-1 R.
    fn turning(&self, moved: &DMatrix<f64>, wider: Option<&DMatrix<f64>>) -> DMatrix<f64> {
        if let Some(wider) = wider {
            return product(wider, &self.whitened);
        }
        let mut out = DMatrix::zeros(moved.nrows(), moved.ncols());
        if self.cells.is_profiled() {
            // M = T, and T. = -(moved R^T + R moved^T).
            let residuals = &self.moments.residuals;
            let own = product(turned(residuals), &self.whitened);
            let other = product(turned(moved), &self.whitened);
            add_product(&mut out, -1.0, moved, &own);
            add_product(&mut out, -1.0, residuals, &other);
        }
        out
    }

    /// Adds what comes through S.
    fn by_covariance(
        &self,
        change: &Point,
        (moved, wider): (&DMatrix<f64>, &DMatrix<f64>),
        out: &mut Point,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Fault> {
        let (Some(noise), Some(solved)) = (self.moments.noise(), &self.solved) else {
            return Ok(());
        };
        let inverse = &noise.inverse;
        let half = product(inverse, wider);
        let mut slope = DMatrix::zeros(half.nrows(), half.nrows());
        add_symmetric_product(&mut slope, -0.25, &half, inverse);
        let mut left = product(&half, &noise.ratio);
        // M^-1 T. of which this is one half; the other comes with the transpose.
        add_product(&mut left, 1.0, &self.whitened, turned(moved));
        add_product(&mut slope, 0.5, &left, inverse);
        add_product(&mut slope, 1.0, solved, &change.drift);
        add_own_transpose(&mut slope);
        let further = noise
            .equation
            .solve(Equation::Adjoint, &slope, interrupted)?;
        add_product(&mut out.drift, 2.0, &further, &noise.covariance);
        add_product(&mut out.drift, 2.0, solved, wider);
        add_product(&mut out.noise, 2.0, &further, &self.point.noise);
        add_product(&mut out.noise, 2.0, solved, &change.noise);
        Ok(())
    }
}
