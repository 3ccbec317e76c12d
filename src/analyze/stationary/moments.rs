//! The covariance.
//!
//! With noise that does not depend on the state it solves the Lyapunov equation
//! A S + S A^T + D = 0. With columns b_k + S_k y and linear equations the second moments obey
//! A S + S A^T + sum B_k S B_k^T + D(mean) = 0 exactly (L. Arnold, Stochastic Differential
//! Equations, 1974, section 8.5), B_k being S_k on z. They exist when the positive map
//! S -> -L^-1 (sum B_k S B_k^T), L the Lyapunov operator, has a spectral radius below 1.

use super::problem::{Fluctuations, unsolved};
use super::{Exactness, NotStationary, Question, square};
use crate::linalg::lyapunov::Lyapunov;
use nalgebra::DMatrix;

/// Larger systems with noise that is linear in the state are solved by iteration.
const MOST_DIRECT: usize = 24;
/// Rounds of the power iteration for the spectral radius.
const ROUNDS: usize = 400;
/// A spectral radius this close to 1 cannot be told from 1.
const MARGIN: f64 = 1e-6;
/// Rounds of the iteration for large systems.
const MOST_ROUNDS: usize = 20_000;

pub(super) fn solve(
    question: &Question<'_>,
    found: &mut Fluctuations,
) -> Result<(Exactness, f64), NotStationary> {
    let solver = Lyapunov::new(found.drift.clone()).map_err(unsolved)?;
    let slopes = slopes(question, found);
    if slopes.is_empty() {
        let solution = solver.solve(&found.diffusion).map_err(unsolved)?;
        found.covariance = solution.matrix;
        let exactness = if question.linear && !question.noise.varies {
            Exactness::Exact
        } else {
            Exactness::LinearNoise
        };
        return Ok((exactness, solution.residual));
    }
    let radius = radius(&solver, &slopes, found.drift.nrows(), question)?;
    if radius >= 1.0 - MARGIN {
        return Err(NotStationary::Spreads(radius.max(1.0)));
    }
    if found.noise.iter().all(|entry| *entry == 0.0) {
        return Err(NotStationary::Silent);
    }
    let covariance = if found.drift.nrows() <= MOST_DIRECT {
        direct(&found.drift, &slopes, &found.diffusion).ok_or(NotStationary::NotFinite)?
    } else {
        iterated(&solver, &slopes, &found.diffusion, question)?
    };
    found.diffusion += fed(&slopes, &covariance);
    let drifted = &found.drift * &covariance;
    let rest = &drifted + drifted.transpose() + &found.diffusion;
    let terms = drifted.amax().max(found.diffusion.amax());
    found.covariance = covariance;
    Ok((Exactness::ExactMoments, rest.amax() / terms))
}

/// The slopes of the columns on z; none unless the equations are linear.
fn slopes(question: &Question<'_>, found: &Fluctuations) -> Vec<DMatrix<f64>> {
    if !question.linear {
        return Vec::new();
    }
    let n = question.state.len();
    let on_z = |numbers: &Vec<f64>| {
        let whole = square(numbers, n, n)? * &found.embedding;
        let r = found.free.len();
        Some(DMatrix::from_fn(r, r, |i, j| {
            whole[(found.free[i], j)] / found.sizes[i]
        }))
    };
    let all: Vec<DMatrix<f64>> = question.noise.slopes.iter().filter_map(on_z).collect();
    if all
        .iter()
        .all(|slope| slope.iter().all(|entry| *entry == 0.0))
    {
        return Vec::new();
    }
    all
}

/// sum B_k S B_k^T
fn fed(slopes: &[DMatrix<f64>], s: &DMatrix<f64>) -> DMatrix<f64> {
    let mut total = DMatrix::zeros(s.nrows(), s.ncols());
    for b in slopes {
        total += b * s * b.transpose();
    }
    total
}

/// The spectral radius of S -> -L^-1 (sum B_k S B_k^T): its largest eigenvalue belongs to a
/// positive matrix, which iteration from the identity finds.
fn radius(
    solver: &Lyapunov,
    slopes: &[DMatrix<f64>],
    r: usize,
    question: &Question<'_>,
) -> Result<f64, NotStationary> {
    let mut s = DMatrix::<f64>::identity(r, r);
    let mut growths: Vec<f64> = Vec::new();
    for _ in 0..ROUNDS {
        if (question.interrupted)() {
            return Err(NotStationary::Interrupted);
        }
        let before = s.norm();
        s = solver.solve(&fed(slopes, &s)).map_err(unsolved)?.matrix;
        let growth = s.norm() / before;
        if growth == 0.0 {
            return Ok(0.0);
        }
        let settled = growths
            .last()
            .is_some_and(|last| (last - growth).abs() <= 1e-13 * growth);
        growths.push(growth);
        if settled {
            return Ok(growth);
        }
        s /= s.norm();
    }
    let half = growths.get(growths.len() / 2..).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let count = half.len() as f64;
    Ok((half.iter().map(|growth| growth.ln()).sum::<f64>() / count).exp())
}

/// All second moments as one system of linear equations.
fn direct(a: &DMatrix<f64>, slopes: &[DMatrix<f64>], d: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let r = a.nrows();
    let one = DMatrix::<f64>::identity(r, r);
    let mut operator = one.kronecker(a) + a.kronecker(&one);
    for b in slopes {
        operator += b.kronecker(b);
    }
    let right = DMatrix::from_column_slice(r * r, 1, d.as_slice());
    let solved = operator.lu().solve(&-right)?;
    let s = DMatrix::from_column_slice(r, r, solved.as_slice());
    Some((&s + s.transpose()) * 0.5)
}

fn iterated(
    solver: &Lyapunov,
    slopes: &[DMatrix<f64>],
    d: &DMatrix<f64>,
    question: &Question<'_>,
) -> Result<DMatrix<f64>, NotStationary> {
    let mut s = solver.solve(d).map_err(unsolved)?.matrix;
    for _ in 0..MOST_ROUNDS {
        if (question.interrupted)() {
            return Err(NotStationary::Interrupted);
        }
        let next = solver
            .solve(&(d + fed(slopes, &s)))
            .map_err(unsolved)?
            .matrix;
        let change = (&next - &s).amax();
        s = next;
        if change <= 1e-14 * s.amax() {
            break;
        }
    }
    Ok(s)
}
