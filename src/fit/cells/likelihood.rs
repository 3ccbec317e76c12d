//! The likelihood of a cell, its exact gradient, and products with its Fisher information.
//!
//! The mathematics stand in the header of this room. The information of a cell,
//! tr(S^-1 dS S^-1 dS)/2 + sum n_k/n dmu_k' S^-1 dmu_k, is never formed: a product with it takes
//! one tangent (A dS + dS A^T + dA S + S dA^T + d(C C^T) = 0) and one adjoint, at the price of a
//! gradient. Where S is profiled the information is that of the means with S = T.
//!
//! Enters: [`Cells`], a [`Point`]. Leaves: values and derivatives by all entries of A, B and C, free
//! or not. Must not know penalties, searches.

use super::free_drift::{self, Geometry};
use super::means::{Means, means};
use super::problem::{Cells, Covariance, Fault, Point};
use crate::linalg::products::{
    Cholesky, add_own_transpose, add_product, add_symmetric_product, product, turned,
};
use crate::linalg::sign::{Equation, SignLyapunov, Unsolved};
use nalgebra::DMatrix;
use std::f64::consts::TAU;

/// Everything at a point that its value needs; derivatives go on from here.
#[derive(Debug, Clone)]
pub struct Moments {
    pub(super) means: Means,
    spread: Spread,
    /// Residuals of the means m_k - mu_k with the weights (n_k/n)^(1/2): p by K.
    pub(super) residuals: DMatrix<f64>,
    /// (n_k/n)^(1/2)
    pub(super) weights: Vec<f64>,
    /// Minus the log-likelihood for a cell.
    pub value: f64,
}

/// S and what solves with it.
#[derive(Debug, Clone)]
enum Spread {
    /// From noise: S and the equation it solves; of S with what measuring adds, M, the factor, the
    /// inverse, and M^-1 T.
    Noise(Box<FromNoise>),
    /// Given: the factor is the base of the cells.
    Known,
    /// T, as it is.
    Full(Cholesky),
    /// T = L L^T + R R^T with the base L: Y = L^-1 R, and the factor of 1 + Y^T Y.
    Updated(DMatrix<f64>, Cholesky),
}

#[derive(Debug, Clone)]
pub(super) struct FromNoise {
    pub equation: SignLyapunov,
    pub covariance: DMatrix<f64>,
    factor: Cholesky,
    pub inverse: DMatrix<f64>,
    /// M^-1 T
    pub ratio: DMatrix<f64>,
}

/// How exact tangents of S are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// To rounding.
    Exact,
    /// To a few parts in a hundred: for the directions of searches.
    Rough,
}

/// The likelihood at a point of the shapes of the cells. Stability of A is checked here only where
/// S comes from noise; elsewhere it is the caller's to check.
///
/// # Errors
/// [`Fault`]
pub fn moments(
    cells: &Cells,
    point: &Point,
    interrupted: &dyn Fn() -> bool,
) -> Result<Moments, Fault> {
    if point.numbers().any(|number| !number.is_finite()) {
        return Err(Fault::NotFinite);
    }
    let noise = match &cells.covariance {
        Covariance::FromNoise => Some(covariance_from_noise(point, interrupted)?),
        _ => None,
    };
    let means = means(cells, point)?;
    let weights: Vec<f64> = cells
        .counts
        .iter()
        .map(|count| (count / cells.total).sqrt())
        .collect();
    let mut residuals = &cells.means - &means.values;
    scale_columns(&mut residuals, &weights);
    let base = cells.base.as_ref();
    let (spread, twice) = match (noise, base) {
        (Some((equation, covariance)), _) => of_noise(cells, &residuals, equation, covariance)?,
        (None, Some(base)) if cells.is_profiled() => profiled(cells, &residuals, base)?,
        (None, Some(base)) => (Spread::Known, of_known(cells, &residuals, base)),
        (None, None) => return Err(Fault::SingularCovariance),
    };
    let value = 0.5 * (cells.means.nrows() as f64 * TAU.ln() + twice);
    if value.is_finite() {
        Ok(Moments {
            means,
            spread,
            residuals,
            weights,
            value,
        })
    } else {
        Err(Fault::NotFinite)
    }
}

pub(super) fn scale_columns(matrix: &mut DMatrix<f64>, factors: &[f64]) {
    for (mut column, factor) in matrix.column_iter_mut().zip(factors) {
        column *= *factor;
    }
}

/// The equation of S and S.
fn covariance_from_noise(
    point: &Point,
    interrupted: &dyn Fn() -> bool,
) -> Result<(SignLyapunov, DMatrix<f64>), Fault> {
    let equation = SignLyapunov::new(&point.drift, interrupted)?;
    let diffusion = product(&point.noise, turned(&point.noise));
    let covariance = equation.solve(Equation::Direct, &diffusion, interrupted)?;
    Ok((equation, covariance))
}

/// log det S + tr S^-1 T.
fn of_noise(
    cells: &Cells,
    residuals: &DMatrix<f64>,
    equation: SignLyapunov,
    covariance: DMatrix<f64>,
) -> Result<(Spread, f64), Fault> {
    let mut total = covariance.clone();
    for (at, variance) in cells.measured.iter().enumerate() {
        total[(at, at)] += variance;
    }
    let factor = Cholesky::new(total).map_err(|_| Fault::SingularCovariance)?;
    let inverse = factor.inverse();
    let mut second = cells.scatter.clone();
    add_symmetric_product(&mut second, 1.0, residuals, turned(residuals));
    let ratio = product(&inverse, &second);
    let twice = factor.log_determinant() + ratio.trace();
    let spread = FromNoise {
        equation,
        covariance,
        factor,
        inverse,
        ratio,
    };
    Ok((Spread::Noise(Box::new(spread)), twice))
}

/// log det T + p, by the factor that is cheaper.
fn profiled(
    cells: &Cells,
    residuals: &DMatrix<f64>,
    base: &Cholesky,
) -> Result<(Spread, f64), Fault> {
    let (genes, groups) = residuals.shape();
    let p = genes as f64;
    if 2 * groups >= genes {
        let mut total = cells.scatter.clone();
        add_symmetric_product(&mut total, 1.0, residuals, turned(residuals));
        let factor = Cholesky::new(total).map_err(|_| Fault::SingularCovariance)?;
        let twice = factor.log_determinant() + p;
        return Ok((Spread::Full(factor), twice));
    }
    let mut half = residuals.clone();
    base.solve_lower(&mut half);
    let mut small = DMatrix::identity(groups, groups);
    add_symmetric_product(&mut small, 1.0, turned(&half), &half);
    let small = Cholesky::new(small).map_err(|_| Fault::SingularCovariance)?;
    let twice = base.log_determinant() + small.log_determinant() + p;
    Ok((Spread::Updated(half, small), twice))
}

/// log det S + tr S^-1 T for a given S.
fn of_known(cells: &Cells, residuals: &DMatrix<f64>, base: &Cholesky) -> f64 {
    let mut half = residuals.clone();
    base.solve_lower(&mut half);
    let mut within = cells.scatter.clone();
    base.solve(&mut within);
    base.log_determinant() + half.norm_squared() + within.trace()
}

impl FromNoise {
    /// L: A^T L + L A + df/dS = 0 with df/dS = (M^-1 - M^-1 T M^-1)/2.
    pub fn adjoint(&self, interrupted: &dyn Fn() -> bool) -> Result<DMatrix<f64>, Unsolved> {
        let mut by_covariance = &self.inverse * 0.5;
        add_symmetric_product(&mut by_covariance, -0.5, &self.ratio, &self.inverse);
        self.equation
            .solve(Equation::Adjoint, &by_covariance, interrupted)
    }
}

impl Moments {
    /// Where S comes from noise.
    pub(super) fn noise(&self) -> Option<&FromNoise> {
        match &self.spread {
            Spread::Noise(noise) => Some(noise),
            _ => None,
        }
    }

    /// S: from noise, given, or the profiled one.
    #[must_use]
    pub fn covariance(&self, cells: &Cells) -> DMatrix<f64> {
        match (&self.spread, &cells.covariance) {
            (Spread::Noise(spread), _) => spread.covariance.clone(),
            (_, Covariance::Known(known)) => known.clone(),
            _ => {
                let mut total = cells.scatter.clone();
                add_symmetric_product(&mut total, 1.0, &self.residuals, turned(&self.residuals));
                total
            }
        }
    }

    /// The means of the groups, p by K.
    #[must_use]
    pub fn means(&self) -> &DMatrix<f64> {
        &self.means.values
    }

    /// Replaces the columns of `b` by S^-1 times them.
    pub(super) fn whiten(&self, cells: &Cells, b: &mut DMatrix<f64>) {
        match (&self.spread, &cells.base) {
            (Spread::Noise(spread), _) => spread.factor.solve(b),
            (Spread::Full(factor), _) => factor.solve(b),
            (Spread::Updated(half, small), Some(base)) => {
                // (L L^T + R R^T)^-1 = L^-T (1 - Y (1 + Y^T Y)^-1 Y^T) L^-1
                base.solve_lower(b);
                let mut inner = product(turned(half), &*b);
                small.solve(&mut inner);
                add_product(b, -1.0, half, &inner);
                base.solve_upper(b);
            }
            (_, Some(base)) => base.solve(b),
            (_, None) => {}
        }
    }

    /// How means (with the weights (n_k/n)^(1/2)) and S change; S only where it comes from noise.
    pub(super) fn tangent(
        &self,
        cells: &Cells,
        point: &Point,
        change: &Point,
        precision: Precision,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(DMatrix<f64>, Option<DMatrix<f64>>), Fault> {
        let mut moved = self.means.tangent(cells, point, change)?;
        scale_columns(&mut moved, &self.weights);
        let Spread::Noise(spread) = &self.spread else {
            return Ok((moved, None));
        };
        let mut right = product(&change.drift, &spread.covariance);
        add_product(&mut right, 1.0, &change.noise, turned(&point.noise));
        add_own_transpose(&mut right);
        let equation = &spread.equation;
        let wider = match precision {
            Precision::Exact => equation.solve(Equation::Direct, &right, interrupted),
            Precision::Rough => equation.solve_roughly(Equation::Direct, &right, interrupted),
        };
        Ok((moved, Some(wider?)))
    }

    /// L^-1 times both, S = L L^T: whitened changes of weighted means and of S. For few genes.
    pub(super) fn whitened(
        &self,
        cells: &Cells,
        (moved, wider): (DMatrix<f64>, Option<DMatrix<f64>>),
    ) -> (DMatrix<f64>, Option<DMatrix<f64>>) {
        let (mut moved, mut wider) = (moved, wider);
        let factor = match (&self.spread, &cells.base) {
            (Spread::Noise(spread), _) => &spread.factor,
            (Spread::Full(factor), _) => factor,
            (Spread::Updated(half, _), Some(base)) => {
                // T = L (1 + Y Y^T) L^T, and any square root serves.
                base.solve_lower(&mut moved);
                let mut whole = DMatrix::identity(half.nrows(), half.nrows());
                add_symmetric_product(&mut whole, 1.0, half, turned(half));
                if let Ok(root) = Cholesky::new(whole) {
                    root.solve_lower(&mut moved);
                }
                return (moved, None);
            }
            (_, Some(base)) => base,
            (_, None) => return (moved, wider),
        };
        factor.solve_lower(&mut moved);
        if let Some(wider) = &mut wider {
            factor.solve_lower(wider);
            let mut other = wider.transpose();
            factor.solve_lower(&mut other);
            *wider = other;
        }
        (moved, wider)
    }

    /// What directions need where every entry of A is free, C is held and cells are at rest; `None`
    /// unless S comes from noise. `free` says which entries of B are.
    pub(super) fn geometry(
        &self,
        cells: &Cells,
        point: &Point,
        free: &[bool],
        (damping, ridge): (f64, f64),
    ) -> Option<Result<Geometry, Fault>> {
        let Spread::Noise(spread) = &self.spread else {
            return None;
        };
        // Its coordinates rest on A S + S A^T being all that the scatter shows.
        if !cells.times.is_empty() || !cells.measured.is_empty() {
            return None;
        }
        let (mut means, mut inputs) = (self.means.values.clone(), cells.inputs.clone());
        scale_columns(&mut means, &self.weights);
        scale_columns(&mut inputs, &self.weights);
        let how = free_drift::How {
            damping,
            ridge,
            spread: free_drift::Spread::Moves,
        };
        Some(Geometry::new(
            &point.drift,
            &spread.factor,
            &means,
            inputs,
            free,
            how,
        ))
    }

    /// Roughly the diagonal of the information about A, B and C: exact for the means at rest, and
    /// for S as if A were diagonal.
    pub(super) fn information_diagonal(&self, cells: &Cells, point: &Point) -> Point {
        let mut out = point.zeros_like();
        let squares: Vec<f64> = self.weights.iter().map(|weight| weight * weight).collect();
        let halve = |b: &mut DMatrix<f64>| match (&self.spread, &cells.base) {
            (Spread::Noise(spread), _) => spread.factor.solve_lower(b),
            (Spread::Full(factor), _) => factor.solve_lower(b),
            (_, Some(base)) => base.solve_lower(b),
            (_, None) => {}
        };
        let (rows, columns) = self.means.information(&halve, &squares);
        let groups = self.weights.len();
        for (mut column, of_column) in out.drift.column_iter_mut().zip(&columns) {
            column
                .iter_mut()
                .zip(&rows)
                .for_each(|(entry, of_row)| *entry = of_row * of_column);
        }
        for (l, mut column) in out.input.column_iter_mut().enumerate() {
            let inputs = cells.inputs.row(l);
            let of_column: f64 = inputs
                .iter()
                .take(groups)
                .zip(&squares)
                .map(|(x, w)| w * x * x)
                .sum();
            column
                .iter_mut()
                .zip(&rows)
                .for_each(|(entry, of_row)| *entry = of_row * of_column);
        }
        if let Spread::Noise(spread) = &self.spread {
            let (s, inverse, a) = (&spread.covariance, &spread.inverse, &point.drift);
            let rate = |i: usize| a[(i, i)] * a[(i, i)];
            for j in 0..s.ncols() {
                for i in 0..s.nrows() {
                    let same = if i == j { 1.0 } else { 0.0 };
                    out.drift[(i, j)] += (inverse[(i, i)] * s[(j, j)] + same) / (rate(i) + rate(j));
                }
            }
            for k in 0..point.noise.ncols() {
                let own = point.noise.column(k).norm_squared();
                for i in 0..s.nrows() {
                    out.noise[(i, k)] = inverse[(i, i)] * inverse[(i, i)] * own / rate(i);
                }
            }
        }
        out
    }
}

/// The derivatives of the value by every entry of A, B and C.
///
/// # Errors
/// [`Fault`]
pub fn gradient(
    cells: &Cells,
    point: &Point,
    moments: &Moments,
    interrupted: &dyn Fn() -> bool,
) -> Result<Point, Fault> {
    let mut out = point.zeros_like();
    if let Spread::Noise(spread) = &moments.spread {
        let solved = spread.adjoint(interrupted)?;
        by_noise(&mut out, point, &spread.covariance, &solved);
    }
    let mut by_means = moments.residuals.clone();
    moments.whiten(cells, &mut by_means);
    by_means.neg_mut();
    scale_columns(&mut by_means, &moments.weights);
    moments.means.adjoint(cells, point, &by_means, &mut out)?;
    Ok(out)
}

/// Adds the derivatives through S: 2 L S by A, 2 L C by C.
fn by_noise(out: &mut Point, point: &Point, covariance: &DMatrix<f64>, solved: &DMatrix<f64>) {
    add_product(&mut out.drift, 2.0, solved, covariance);
    add_product(&mut out.noise, 2.0, solved, &point.noise);
}

/// The Fisher information of a cell times a change.
pub(super) fn information_product(
    cells: &Cells,
    point: &Point,
    moments: &Moments,
    change: &Point,
    interrupted: &dyn Fn() -> bool,
) -> Result<Point, Fault> {
    let precision = Precision::Rough;
    let (mut moved, wider) = moments.tangent(cells, point, change, precision, interrupted)?;
    let mut out = point.zeros_like();
    if let (Spread::Noise(spread), Some(wider)) = (&moments.spread, wider) {
        let half = product(&spread.inverse, &wider);
        let mut by_covariance = DMatrix::zeros(half.nrows(), half.nrows());
        add_symmetric_product(&mut by_covariance, 0.5, &half, &spread.inverse);
        let equation = &spread.equation;
        let solved = equation.solve_roughly(Equation::Adjoint, &by_covariance, interrupted)?;
        by_noise(&mut out, point, &spread.covariance, &solved);
    }
    moments.whiten(cells, &mut moved);
    scale_columns(&mut moved, &moments.weights);
    moments.means.adjoint(cells, point, &moved, &mut out)?;
    Ok(out)
}
