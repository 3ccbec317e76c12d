//! The Lyapunov equation A X + X A^T + Q = 0 and its adjoint A^T Y + Y A + G = 0 for large dense
//! stable matrices, by the matrix sign function.
//!
//! J. D. Roberts, Int. J. Control 32, 677 (1980): Newton's iteration Z <- (Z/c + c Z^-1)/2 takes a
//! stable A to -1, and Q <- (Q/c + c Z^-1 Q Z^-T)/2 with it to 2 X. The scale c = sqrt(|Z| / |Z^-1|)
//! in Frobenius' norm hastens the beginning (N. J. Higham, Functions of Matrices, 2008, section
//! 5.5); it is 1 once the iterates are near. The inverses are kept: every further right side, of the
//! equation and of its adjoint, costs two products a step. One pass of refinement follows where the
//! residual asks for it.
//!
//! For a matrix that is not stable the iteration goes to another sign, or nowhere: it is stable if
//! and only if it comes to -1, and so this is also a proof of stability. Eigenvalues keep their side
//! of the imaginary axis at every step; a trace that is not negative ends it early.
//!
//! Enters: A, symmetric Q. Leaves: X, or why there is none. Must not know what they are for.

use super::products::{
    Lu, add_own_transpose, add_symmetric_product, is_finite, product, set_product, turned,
};
use nalgebra::DMatrix;

/// A stable matrix as the steps that take it to -1.
#[derive(Debug, Clone)]
pub struct SignLyapunov {
    matrix: DMatrix<f64>,
    steps: Vec<Step>,
    /// Steps after which iterates are so near to -1 that the rest changes solutions little.
    rough: usize,
}

#[derive(Debug, Clone)]
struct Step {
    inverse: DMatrix<f64>,
    scale: f64,
}

/// Why there are no solutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsolved {
    /// An entry is not finite.
    NotFinite,
    /// An eigenvalue of A has a real part that is not negative, to working precision.
    Unstable,
    /// The user interrupted.
    Interrupted,
}

/// Which equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equation {
    /// A X + X A^T + Q = 0.
    Direct,
    /// A^T X + X A + Q = 0.
    Adjoint,
}

/// Steps at most: stable matrices of condition 1e15 need fewer than twenty.
const MOST_STEPS: usize = 40;
/// Changes of iterates below this, for their size, end the scaling.
const NEAR: f64 = 1e-2;
/// An iterate this near to -1 is at -1 after one more step, which squares the distance.
const LAST: f64 = 1e-7;
/// An iterate this near to -1 counts as arrived where rounding hinders more.
const ARRIVED: f64 = 1e-3;
/// Where rough solutions stop.
const ROUGH: f64 = 3e-2;
/// A larger residual, beside the terms of the equation, is refined.
const REFINED: f64 = 1e-13;

impl SignLyapunov {
    /// Takes a square matrix to its sign.
    ///
    /// # Errors
    /// [`Unsolved`]
    pub fn new(
        matrix: &DMatrix<f64>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<SignLyapunov, Unsolved> {
        if !is_finite(matrix) {
            return Err(Unsolved::NotFinite);
        }
        let size = (matrix.nrows().max(1) as f64).sqrt();
        let mut z = matrix.clone();
        let mut steps: Vec<Step> = Vec::new();
        let (mut is_near, mut before, mut rough) = (false, f64::INFINITY, None);
        for _ in 0..MOST_STEPS {
            if interrupted() {
                return Err(Unsolved::Interrupted);
            }
            if z.trace().is_nan() || (z.nrows() > 0 && z.trace() >= 0.0) {
                return Err(Unsolved::Unstable);
            }
            let lu = Lu::new(z.clone()).map_err(|_| Unsolved::Unstable)?;
            let inverse = lu.inverse();
            let scale = match is_near {
                true => 1.0,
                false => (z.norm() / inverse.norm()).sqrt(),
            };
            let change = advance(&mut z, &inverse, scale);
            steps.push(Step { inverse, scale });
            let distance = from_minus_one(&z) / size;
            if rough.is_none() && distance <= ROUGH {
                rough = Some(steps.len());
            }
            let is_stuck = distance <= ARRIVED && distance >= 0.5 * before;
            if before <= LAST || distance <= LAST * LAST || is_stuck {
                let rough = rough.unwrap_or(steps.len());
                return Ok(SignLyapunov {
                    matrix: matrix.clone(),
                    steps,
                    rough,
                });
            }
            is_near |= change <= NEAR * z.norm();
            if is_near && distance > 0.5 && change <= LAST * z.norm() {
                return Err(Unsolved::Unstable);
            }
            before = if is_near { distance } else { f64::INFINITY };
        }
        Err(Unsolved::Unstable)
    }

    /// The number of steps to the sign.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The symmetric solution for a symmetric right side.
    ///
    /// # Errors
    /// [`Unsolved::NotFinite`], [`Unsolved::Interrupted`].
    pub fn solve(
        &self,
        equation: Equation,
        q: &DMatrix<f64>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<DMatrix<f64>, Unsolved> {
        let mut x = self.once(equation, q, self.steps.len(), interrupted)?;
        if !is_finite(&x) {
            return Err(Unsolved::NotFinite);
        }
        let (remainder, terms) = self.remainder(equation, &x, q);
        if remainder.amax() > REFINED * terms {
            let refined = &x + self.once(equation, &remainder, self.steps.len(), interrupted)?;
            let (left, _) = self.remainder(equation, &refined, q);
            if left.amax() < remainder.amax() {
                x = refined;
            }
        }
        Ok(x)
    }

    /// A solution to a few parts in a hundred, for preconditioning: linear in the right side,
    /// positive for a positive one, and exactly adjoint to that of the other equation.
    ///
    /// # Errors
    /// [`Unsolved::Interrupted`]
    pub fn solve_roughly(
        &self,
        equation: Equation,
        q: &DMatrix<f64>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<DMatrix<f64>, Unsolved> {
        self.once(equation, q, self.rough, interrupted)
    }

    /// What is left of the equation, and the largest entry of its terms.
    fn remainder(
        &self,
        equation: Equation,
        x: &DMatrix<f64>,
        q: &DMatrix<f64>,
    ) -> (DMatrix<f64>, f64) {
        let mut rest = match equation {
            Equation::Direct => product(&self.matrix, x),
            Equation::Adjoint => product(turned(&self.matrix), x),
        };
        let terms = rest.amax().max(q.amax());
        add_own_transpose(&mut rest);
        rest += q;
        (rest, terms)
    }

    fn once(
        &self,
        equation: Equation,
        q: &DMatrix<f64>,
        steps: usize,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<DMatrix<f64>, Unsolved> {
        let mut x = q.clone();
        let mut half = DMatrix::zeros(q.nrows(), q.ncols());
        for step in self.steps.iter().take(steps) {
            if interrupted() {
                return Err(Unsolved::Interrupted);
            }
            let inverse = &step.inverse;
            match equation {
                Equation::Direct => set_product(&mut half, 1.0, inverse, &x),
                Equation::Adjoint => set_product(&mut half, 1.0, turned(inverse), &x),
            }
            x *= 0.5 / step.scale;
            let factor = 0.5 * step.scale;
            match equation {
                Equation::Direct => add_symmetric_product(&mut x, factor, &half, turned(inverse)),
                Equation::Adjoint => add_symmetric_product(&mut x, factor, &half, inverse),
            }
        }
        x *= 0.5;
        Ok(x)
    }
}

/// The next iterate, and how far it is from the last in Frobenius' norm.
fn advance(z: &mut DMatrix<f64>, inverse: &DMatrix<f64>, scale: f64) -> f64 {
    let (of_z, of_inverse) = (0.5 / scale, 0.5 * scale);
    let mut change = 0.0;
    for (entry, inverse) in z.iter_mut().zip(inverse.iter()) {
        let next = of_z * *entry + of_inverse * inverse;
        change += (next - *entry) * (next - *entry);
        *entry = next;
    }
    change.sqrt()
}

/// |Z + 1| in Frobenius' norm.
fn from_minus_one(z: &DMatrix<f64>) -> f64 {
    let mut sum = 0.0;
    for (j, column) in z.column_iter().enumerate() {
        for (i, entry) in column.iter().enumerate() {
            let off = if i == j { entry + 1.0 } else { *entry };
            sum += off * off;
        }
    }
    sum.sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::products::eigenvalues;
    use super::*;

    const GO_ON: &dyn Fn() -> bool = &|| false;

    /// Numbers from -1 to 1 from a linear congruential generator (Knuth's MMIX).
    fn numbers(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        }
    }

    /// A random matrix shifted so that its spectrum ends at -margin.
    fn stable(n: usize, seed: u64, margin: f64) -> DMatrix<f64> {
        let mut next = numbers(seed);
        let a = DMatrix::from_fn(n, n, |_, _| next());
        let most = eigenvalues(&a)
            .unwrap()
            .iter()
            .map(|z| z.re)
            .fold(f64::MIN, f64::max);
        a - DMatrix::identity(n, n) * (most + margin)
    }

    #[test]
    fn both_equations_hold_and_are_adjoint() {
        for (n, margin) in [(1, 0.5), (2, 0.1), (7, 0.01), (40, 0.1), (90, 1e-4)] {
            let a = stable(n, n as u64, margin);
            let mut next = numbers(99);
            let c = DMatrix::from_fn(n, n, |_, _| next());
            let g = DMatrix::from_fn(n, n, |_, _| next());
            let (q, g) = (&c * c.transpose(), &g + g.transpose());
            let solver = SignLyapunov::new(&a, GO_ON).unwrap();
            let x = solver.solve(Equation::Direct, &q, GO_ON).unwrap();
            let rest = &a * &x + &x * a.transpose() + &q;
            assert!(rest.amax() <= 1e-12 * (&a * &x).amax().max(q.amax()), "{n}");
            let y = solver.solve(Equation::Adjoint, &g, GO_ON).unwrap();
            let rest = a.transpose() * &y + &y * &a + &g;
            assert!(rest.amax() <= 1e-12 * (&a * &y).amax().max(g.amax()), "{n}");
            assert!(x.clone().cholesky().is_some(), "{n}");
            let near = solver.solve_roughly(Equation::Direct, &q, GO_ON).unwrap();
            assert!((near - &x).norm() < 0.3 * x.norm(), "{n}");
        }
    }

    /// A diagonal A has the solution Q_ij / -(a_i + a_j).
    #[test]
    fn a_diagonal_matrix_has_a_solution_in_closed_form() {
        let a = DMatrix::from_diagonal(&nalgebra::dvector![-1.0, -2.0, -1e6]);
        let q = DMatrix::from_fn(3, 3, |i, j| 1.0 / (1.0 + (i + j) as f64));
        let solver = SignLyapunov::new(&a, GO_ON).unwrap();
        let x = solver.solve(Equation::Direct, &q, GO_ON).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let exact = q[(i, j)] / -(a[(i, i)] + a[(j, j)]);
                assert!((x[(i, j)] - exact).abs() <= 1e-9 * exact.abs());
            }
        }
    }

    /// The spectrum decides, also where the symmetric part or the trace would mislead.
    #[test]
    fn stability_is_that_of_the_spectrum() {
        for n in [2, 5, 20, 60] {
            for (k, margin) in [0.1, 1e-3, -1e-3, -0.1].into_iter().enumerate() {
                let a = stable(n, 3 + k as u64, margin);
                let found = SignLyapunov::new(&a, GO_ON);
                assert_eq!(found.is_ok(), margin > 0.0, "{n} {margin}");
            }
        }
        let center = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, 0.0]);
        assert_eq!(
            SignLyapunov::new(&center, GO_ON).err(),
            Some(Unsolved::Unstable)
        );
        let sheared = DMatrix::from_row_slice(2, 2, &[-1.0, 1e4, 0.0, -1.0]);
        assert!(SignLyapunov::new(&sheared, GO_ON).is_ok());
        let wrong = DMatrix::from_element(2, 2, f64::NAN);
        assert_eq!(
            SignLyapunov::new(&wrong, GO_ON).err(),
            Some(Unsolved::NotFinite)
        );
        let stopped = SignLyapunov::new(&-DMatrix::identity(2, 2), &|| true);
        assert_eq!(stopped.err(), Some(Unsolved::Interrupted));
    }
}
