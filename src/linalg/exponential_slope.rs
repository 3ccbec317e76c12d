//! The exponential of a large dense matrix, alone or with its derivative in a direction.
//!
//! Scaling and squaring with the Padé approximant of degree 13 (N. J. Higham, SIAM J. Matrix Anal.
//! Appl. 26, 1179, 2005). The derivative L(A, E), d exp(A + s E)/ds at 0, goes through the same
//! products by the rule for products (A. H. Al-Mohy, N. J. Higham, SIAM J. Matrix Anal. Appl. 30,
//! 1639, 2009). The adjoint of E -> L(A, E) is G -> L(A^T, G).
//!
//! Enters: A, E. Leaves: exp(A), L(A, E). Must not know the time.

use super::exponential::{LARGEST_NORM, PADE_13};
use super::products::{Lu, Singular, add_product, is_finite, product};
use nalgebra::DMatrix;

/// The approximant is accurate up to this 1-norm (Higham's theta 13, lowered for the derivative as
/// in table 6.1 of Al-Mohy and Higham).
const MOST_NORM: f64 = 4.74;

/// A matrix and its derivative; an empty one is zero.
#[derive(Clone)]
struct Dual {
    value: DMatrix<f64>,
    slope: Option<DMatrix<f64>>,
}

impl Dual {
    fn times(&self, other: &Dual) -> Dual {
        let slope = match (&self.slope, &other.slope) {
            (Some(left), Some(right)) => {
                let mut sum = product(left, &other.value);
                add_product(&mut sum, 1.0, &self.value, right);
                Some(sum)
            }
            _ => None,
        };
        Dual {
            value: product(&self.value, &other.value),
            slope,
        }
    }

    fn scaled(&self, factor: f64) -> Dual {
        Dual {
            value: &self.value * factor,
            slope: self.slope.as_ref().map(|slope| slope * factor),
        }
    }

    fn plus(mut self, factor: f64, other: &Dual) -> Dual {
        add(&mut self.value, factor, &other.value);
        if let (Some(slope), Some(other)) = (&mut self.slope, &other.slope) {
            add(slope, factor, other);
        }
        self
    }

    fn plus_identity(mut self, factor: f64) -> Dual {
        for i in 0..self.value.nrows() {
            self.value[(i, i)] += factor;
        }
        self
    }
}

fn add(to: &mut DMatrix<f64>, factor: f64, what: &DMatrix<f64>) {
    for (to, what) in to.iter_mut().zip(what.iter()) {
        *to += factor * what;
    }
}

/// exp(A) of a square matrix.
///
/// # Errors
/// [`Singular`]: the norm is not finite, or above 1e40.
pub fn exponential(matrix: &DMatrix<f64>) -> Result<DMatrix<f64>, Singular> {
    Ok(evaluate(matrix, None)?.value)
}

/// exp(A) and L(A, E).
///
/// # Errors
/// As [`exponential`].
pub fn exponential_with_slope(
    matrix: &DMatrix<f64>,
    direction: &DMatrix<f64>,
) -> Result<(DMatrix<f64>, DMatrix<f64>), Singular> {
    let found = evaluate(matrix, Some(direction))?;
    let slope = found.slope.ok_or(Singular)?;
    Ok((found.value, slope))
}

fn evaluate(matrix: &DMatrix<f64>, direction: Option<&DMatrix<f64>>) -> Result<Dual, Singular> {
    let sums = matrix.column_iter().map(|column| column.abs().sum());
    let norm = sums.fold(0.0, f64::max);
    let sound = is_finite(matrix) && direction.is_none_or(is_finite);
    if !sound || norm > LARGEST_NORM {
        return Err(Singular);
    }
    let squarings = (norm / MOST_NORM).log2().ceil().max(0.0) as i32;
    let a = Dual {
        value: matrix.clone(),
        slope: direction.cloned(),
    }
    .scaled(0.5_f64.powi(squarings));
    let mut found = pade(&a)?;
    for _ in 0..squarings {
        found = found.times(&found);
    }
    if is_finite(&found.value) {
        Ok(found)
    } else {
        Err(Singular)
    }
}

/// (V - U)^-1 (V + U) with the odd part U and the even part V.
fn pade(a: &Dual) -> Result<Dual, Singular> {
    let a2 = a.times(a);
    let a4 = a2.times(&a2);
    let a6 = a4.times(&a2);
    let part = |high: [f64; 3], low: [f64; 4]| {
        let top = a6.scaled(high[0]).plus(high[1], &a4).plus(high[2], &a2);
        let sum = a6
            .times(&top)
            .plus(low[0], &a6)
            .plus(low[1], &a4)
            .plus(low[2], &a2);
        sum.plus_identity(low[3])
    };
    let c = &PADE_13;
    let odd = a.times(&part([c[13], c[11], c[9]], [c[7], c[5], c[3], c[1]]));
    let even = part([c[12], c[10], c[8]], [c[6], c[4], c[2], c[0]]);
    let below = even.clone().plus(-1.0, &odd);
    let above = even.plus(1.0, &odd);
    let factors = Lu::new(below.value)?;
    let mut value = above.value;
    factors.solve(&mut value);
    let slope = match (above.slope, below.slope) {
        (Some(mut slope), Some(of_below)) => {
            add_product(&mut slope, -1.0, &of_below, &value);
            factors.solve(&mut slope);
            Some(slope)
        }
        _ => None,
    };
    Ok(Dual { value, slope })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// exp([[0, -t], [t, 0]]) turns by t; its derivative by t is known, too.
    #[test]
    fn a_rotation_is_exact() {
        for t in [0.3, 7.0, 40.0] {
            let a = DMatrix::from_row_slice(2, 2, &[0.0, -t, t, 0.0]);
            let e = DMatrix::from_row_slice(2, 2, &[0.0, -1.0, 1.0, 0.0]);
            let (value, slope) = exponential_with_slope(&a, &e).unwrap();
            let (c, s) = (t.cos(), t.sin());
            let turn = DMatrix::from_row_slice(2, 2, &[c, -s, s, c]);
            let turned = DMatrix::from_row_slice(2, 2, &[-s, -c, c, -s]);
            assert!((&value - turn).amax() < 1e-13, "{t}");
            assert!((&slope - turned).amax() < 1e-12, "{t}");
            assert_eq!(exponential(&a).unwrap(), value);
        }
    }

    /// exp([[A, E], [0, A]]) has L(A, E) in its corner.
    #[test]
    fn the_slope_is_the_corner_of_the_block() {
        let n = 5;
        let of = |k: f64| DMatrix::from_fn(n, n, |i, j| (k + (3 * i + 7 * j * j) as f64).sin());
        let (a, e) = (of(1.0) * 3.0, of(2.0));
        let mut block = DMatrix::zeros(2 * n, 2 * n);
        block.view_mut((0, 0), (n, n)).copy_from(&a);
        block.view_mut((n, n), (n, n)).copy_from(&a);
        block.view_mut((0, n), (n, n)).copy_from(&e);
        let whole = exponential(&block).unwrap();
        let (value, slope) = exponential_with_slope(&a, &e).unwrap();
        assert!((whole.view((0, 0), (n, n)) - &value).amax() < 1e-11 * value.amax());
        assert!((whole.view((0, n), (n, n)) - &slope).amax() < 1e-11 * slope.amax());
    }

    #[test]
    fn what_overflows_is_said() {
        let wrong = DMatrix::from_element(2, 2, f64::INFINITY);
        assert_eq!(exponential(&wrong), Err(Singular));
        assert_eq!(
            exponential(&DMatrix::from_element(1, 1, 1e4)),
            Err(Singular)
        );
    }
}
