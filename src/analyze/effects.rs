//! What acts on what in a linear system dy = (A y + B x) dt + C dW with a stable A.
//!
//! At rest the mean is -A^-1 B x. A change dx of the inputs acts directly by B dx and, through the
//! others, in full by -A^-1 B dx; a push of gene j by a constant 1 in full by column j of -A^-1. An
//! observed change dy of the mean has the direct effect -A dy behind it. With the covariance S,
//! A S + S A^T + C C^T = 0, and a square C that can be inverted, A = -1/2 C (1 + E) C^T S^-1 for the
//! skew E = -C^-1 (A S - S A^T) C^-T: the rotational part of the flow at rest, zero under detailed
//! balance (C. W. Gardiner, Stochastic Methods, 4th ed., 2009, section 6.3).
//!
//! Enters: matrices. Leaves: matrices, column by column. Must not know where they come from.

use crate::linalg::products::{Lu, Singular, add_product, product, turned};
use crate::linalg::sign::{Equation, SignLyapunov, Unsolved};
use nalgebra::DMatrix;

/// Why there are no effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEffects {
    /// The shapes do not fit.
    Shapes,
    /// A number is not finite.
    NotFinite,
    /// A is not stable: nothing comes to rest.
    Unstable,
    /// C is not square, or cannot be inverted: the rotational part is not defined.
    SingularNoise,
    /// The user interrupted.
    Interrupted,
}

impl From<Unsolved> for NoEffects {
    fn from(unsolved: Unsolved) -> NoEffects {
        match unsolved {
            Unsolved::NotFinite => NoEffects::NotFinite,
            Unsolved::Unstable => NoEffects::Unstable,
            Unsolved::Interrupted => NoEffects::Interrupted,
        }
    }
}

impl From<Singular> for NoEffects {
    fn from(_: Singular) -> NoEffects {
        NoEffects::Unstable
    }
}

/// How fluctuations at rest are spread and circle.
#[derive(Debug, Clone, PartialEq)]
pub struct Fluctuation {
    /// S, p by p.
    pub covariance: DMatrix<f64>,
    /// E, p by p, skew.
    pub rotation: Result<DMatrix<f64>, NoEffects>,
}

/// -A^-1 Y for the columns of Y (p by m): what pushes Y move in full.
///
/// # Errors
/// [`NoEffects::Shapes`], [`NoEffects::Unstable`]: A is singular.
pub fn full_effects(
    drift: &DMatrix<f64>,
    pushes: &DMatrix<f64>,
) -> Result<DMatrix<f64>, NoEffects> {
    check(drift, pushes.nrows())?;
    let factors = Lu::new(drift.clone())?;
    let mut out = -pushes;
    factors.solve(&mut out);
    Ok(out)
}

/// -A^-1, whose column j is the full effect of a constant push of gene j: p by p.
///
/// # Errors
/// As [`full_effects`].
pub fn full_effects_of_genes(drift: &DMatrix<f64>) -> Result<DMatrix<f64>, NoEffects> {
    check(drift, drift.nrows())?;
    Ok(-Lu::new(drift.clone())?.inverse())
}

/// The mean at rest -A^-1 B x for the columns of X (q by m), and likewise the full effects of
/// changes of inputs: p by m.
///
/// # Errors
/// As [`full_effects`].
pub fn stationary_mean(
    drift: &DMatrix<f64>,
    input: &DMatrix<f64>,
    inputs: &DMatrix<f64>,
) -> Result<DMatrix<f64>, NoEffects> {
    full_effects(drift, &direct_effects(input, inputs)?)
}

/// B dx for the columns of dX (q by m): p by m. With A for B, the direct effects of changes of
/// genes.
///
/// # Errors
/// [`NoEffects::Shapes`]
pub fn direct_effects(
    input: &DMatrix<f64>,
    changes: &DMatrix<f64>,
) -> Result<DMatrix<f64>, NoEffects> {
    if input.ncols() != changes.nrows() {
        return Err(NoEffects::Shapes);
    }
    Ok(product(input, changes))
}

/// -A dy: the constant pushes that are behind observed changes of the mean, the columns of dY
/// (p by m).
///
/// # Errors
/// [`NoEffects::Shapes`]
pub fn direct_effects_behind(
    drift: &DMatrix<f64>,
    observed: &DMatrix<f64>,
) -> Result<DMatrix<f64>, NoEffects> {
    check(drift, observed.nrows())?;
    Ok(-product(drift, observed))
}

/// The covariance at rest and its rotational part; C is p by r.
///
/// # Errors
/// [`NoEffects`]; what concerns the rotational part alone is told there.
pub fn fluctuation(
    drift: &DMatrix<f64>,
    noise: &DMatrix<f64>,
    interrupted: &dyn Fn() -> bool,
) -> Result<Fluctuation, NoEffects> {
    check(drift, noise.nrows())?;
    let equation = SignLyapunov::new(drift, interrupted)?;
    let diffusion = product(noise, turned(noise));
    let covariance = equation.solve(Equation::Direct, &diffusion, interrupted)?;
    let rotation = rotation(drift, noise, &covariance);
    Ok(Fluctuation {
        covariance,
        rotation,
    })
}

/// E = -C^-1 (A S - S A^T) C^-T.
fn rotation(
    drift: &DMatrix<f64>,
    noise: &DMatrix<f64>,
    covariance: &DMatrix<f64>,
) -> Result<DMatrix<f64>, NoEffects> {
    if noise.nrows() != noise.ncols() {
        return Err(NoEffects::SingularNoise);
    }
    let factors = Lu::new(noise.clone()).map_err(|_| NoEffects::SingularNoise)?;
    let mut half = product(covariance, turned(drift));
    add_product(&mut half, -1.0, drift, covariance);
    factors.solve(&mut half);
    let mut whole = half.transpose();
    factors.solve(&mut whole);
    // Half the difference with the transpose takes rounding away.
    Ok((whole.transpose() - whole) * 0.5)
}

fn check(drift: &DMatrix<f64>, rows: usize) -> Result<(), NoEffects> {
    if drift.nrows() == drift.ncols() && drift.nrows() == rows {
        Ok(())
    } else {
        Err(NoEffects::Shapes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_ON: &dyn Fn() -> bool = &|| false;

    /// A symmetric A with C = 1: S = -A^-1/2 = [[1, .8], [.8, 1]] / 0.72, and detailed balance.
    #[test]
    fn symmetric_couplings_do_not_circle() {
        let a = DMatrix::from_row_slice(2, 2, &[-1.0, 0.8, 0.8, -1.0]);
        let found = fluctuation(&a, &DMatrix::identity(2, 2), GO_ON).unwrap();
        assert!((found.covariance[(0, 0)] - 1.388_888_888_888_889).abs() < 1e-14);
        assert!((found.covariance[(0, 1)] - 1.111_111_111_111_111).abs() < 1e-14);
        assert!(found.rotation.unwrap().amax() < 1e-14);
    }

    /// A = [[-1, -w], [w, -1]] with C = 1 has S = 1/2, so A = -(1 + E) with E = [[0, w], [-w, 0]].
    #[test]
    fn a_spiral_is_all_rotation() {
        let w = 2.0;
        let a = DMatrix::from_row_slice(2, 2, &[-1.0, -w, w, -1.0]);
        let found = fluctuation(&a, &DMatrix::identity(2, 2), GO_ON).unwrap();
        let e = DMatrix::from_row_slice(2, 2, &[0.0, w, -w, 0.0]);
        assert!((found.rotation.unwrap() - e).amax() < 1e-13);
        assert!((found.covariance - DMatrix::identity(2, 2) * 0.5).amax() < 1e-14);
    }

    /// The identity that defines E, for a C that is not diagonal.
    #[test]
    fn the_drift_is_put_together_again() {
        let a = DMatrix::from_row_slice(3, 3, &[-2.0, 1.0, 0.0, -0.5, -1.0, 0.3, 0.2, 0.0, -0.7]);
        let c = DMatrix::from_row_slice(3, 3, &[1.0, 0.0, 0.2, 0.3, 0.8, 0.0, 0.0, -0.4, 0.6]);
        let found = fluctuation(&a, &c, GO_ON).unwrap();
        let e = found.rotation.unwrap();
        let middle = DMatrix::identity(3, 3) + e;
        let inverse = found.covariance.try_inverse().unwrap();
        let again = &c * middle * c.transpose() * inverse * -0.5;
        assert!((again - a).amax() < 1e-12);
    }

    /// [[-1, 0], [1, -2]]: the inverse is [[-1, 0], [-1/2, -1/2]].
    #[test]
    fn effects_pass_on() {
        let a = DMatrix::from_row_slice(2, 2, &[-1.0, 0.0, 1.0, -2.0]);
        let full = full_effects_of_genes(&a).unwrap();
        assert!((&full - DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.5, 0.5])).amax() < 1e-15);
        let (b, x) = (
            DMatrix::from_row_slice(2, 1, &[3.0, 0.0]),
            DMatrix::from_element(1, 1, 2.0),
        );
        let mean = stationary_mean(&a, &b, &x).unwrap();
        assert!((&mean - DMatrix::from_row_slice(2, 1, &[6.0, 3.0])).amax() < 1e-14);
        let behind = direct_effects_behind(&a, &mean).unwrap();
        assert!((behind - direct_effects(&b, &x).unwrap()).amax() < 1e-14);
    }

    #[test]
    fn what_has_none_is_said() {
        let a = DMatrix::from_row_slice(2, 2, &[-1.0, 0.0, 1.0, 2.0]);
        let one = DMatrix::identity(2, 2);
        assert_eq!(
            fluctuation(&a, &one, GO_ON).err(),
            Some(NoEffects::Unstable)
        );
        let flat = DMatrix::from_row_slice(2, 1, &[1.0, 1.0]);
        let found = fluctuation(&-&one, &flat, GO_ON).unwrap();
        assert_eq!(found.rotation.err(), Some(NoEffects::SingularNoise));
        assert_eq!(
            full_effects(&one, &DMatrix::zeros(3, 1)).err(),
            Some(NoEffects::Shapes)
        );
        assert_eq!(
            full_effects(&(one * 0.0), &flat).err(),
            Some(NoEffects::Unstable)
        );
    }
}
