//! The probability current: whether the fluctuations circle.
//!
//! With Q = A S + D/2, which is skew, the probability flows with the velocity Q S^-1 z. It stands
//! still everywhere (detailed balance) when Q = 0; else the flow circles with the frequencies of
//! the imaginary eigenvalues of Q S^-1. For a square invertible C with C C^T = D the same is said
//! by the skew matrix E = -2 C^-1 Q C^-T in A = -1/2 C (I + E) C^T S^-1.
//!
//! Entropy production of a stationary Ornstein-Uhlenbeck process of even variables:
//! 2 tr(D^-1 Q S^-1 Q^T), in units of Boltzmann's constant per time (C. Godreche, J.-M. Luck, J.
//! Phys. A 52, 035002, 2019).

use super::problem::Fluctuations;
use nalgebra::DMatrix;

/// How the fluctuations circle.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotation {
    /// Q = A S + D/2 on all states, in their units: n by n numbers, skew.
    pub current: Vec<f64>,
    /// Angular frequencies of the flow of probability, the largest first.
    pub frequencies: Vec<f64>,
    /// True when the flow is round-off: detailed balance holds.
    pub balanced: bool,
    /// The two states that circle most, for their sizes: the first is followed by the second.
    pub pair: Option<(usize, usize)>,
    /// Entropy made per time, in natural units; `None` where the noise does not act on all that
    /// can vary.
    pub entropy: Option<f64>,
    /// E, n by n numbers; `None` unless there are as many sources of noise as states, and they
    /// act on all of them.
    pub skew: Option<Vec<f64>>,
}

/// A current of less than this beside the rates is round-off.
const BALANCED: f64 = 1e-9;

pub(super) fn rotation(found: &Fluctuations) -> Option<Rotation> {
    let (a, s, d) = (&found.drift, &found.covariance, &found.diffusion);
    let drifted = a * s;
    let q = (&drifted - drifted.transpose()) * 0.5;
    let frequencies = frequencies(&q, s)?;
    let fastest = found
        .eigenvalues
        .iter()
        .map(|z| z.modulus())
        .fold(0.0, f64::max);
    let balanced = frequencies
        .first()
        .is_none_or(|most| *most <= BALANCED * fastest);
    let whole = found.lifted(&q);
    let pair = if balanced {
        None
    } else {
        pair(&whole, &found.lifted(s))
    };
    Some(Rotation {
        skew: skew(found, &whole),
        current: whole.as_slice().to_vec(),
        frequencies,
        balanced,
        pair,
        entropy: entropy(&q, s, d),
    })
}

/// Q S^-1 is similar to the skew matrix L^-1 Q L^-T, with S = L L^T.
fn frequencies(q: &DMatrix<f64>, s: &DMatrix<f64>) -> Option<Vec<f64>> {
    let scale: Vec<f64> = s.diagonal().iter().map(|v| v.max(0.0).sqrt()).collect();
    if scale.iter().any(|size| *size == 0.0 || !size.is_finite()) {
        return None;
    }
    let n = s.nrows();
    let correlation = DMatrix::from_fn(n, n, |i, j| s[(i, j)] / scale[i] / scale[j]);
    let current = DMatrix::from_fn(n, n, |i, j| q[(i, j)] / scale[i] / scale[j]);
    let lower = correlation.cholesky()?.l();
    let half = lower.solve_lower_triangular(&current)?;
    let skew = lower.solve_lower_triangular(&half.transpose())?.transpose();
    let squares = (skew.transpose() * &skew).symmetric_eigenvalues();
    let mut found: Vec<f64> = squares
        .iter()
        .map(|square| square.max(0.0).sqrt())
        .collect();
    found.sort_by(|a, b| b.total_cmp(a));
    // Each frequency comes twice; an odd one is zero.
    Some(found.chunks_exact(2).map(|two| two[0]).collect())
}

fn pair(q: &DMatrix<f64>, s: &DMatrix<f64>) -> Option<(usize, usize)> {
    let n = q.nrows();
    let mut best: Option<(f64, (usize, usize))> = None;
    for i in 0..n {
        for j in i + 1..n {
            let size = (s[(i, i)] * s[(j, j)]).sqrt();
            let weight = q[(j, i)] / size;
            if size > 0.0 && best.is_none_or(|(most, _)| weight.abs() > most * (1.0 + 1e-9)) {
                best = Some((weight.abs(), if weight > 0.0 { (i, j) } else { (j, i) }));
            }
        }
    }
    best.map(|(_, pair)| pair)
}

fn entropy(q: &DMatrix<f64>, s: &DMatrix<f64>, d: &DMatrix<f64>) -> Option<f64> {
    let d = d.clone().cholesky()?;
    let diagonal = d.l_dirty().diagonal();
    if diagonal.min() <= 1e-7 * diagonal.max() {
        return None;
    }
    let s = s.clone().cholesky()?;
    let production = 2.0 * (d.solve(q) * s.solve(&q.transpose())).trace();
    production.is_finite().then_some(production.max(0.0))
}

fn skew(found: &Fluctuations, q: &DMatrix<f64>) -> Option<Vec<f64>> {
    let n = found.embedding.nrows();
    if found.free.len() != n || found.noise.ncols() != n {
        return None;
    }
    let c = DMatrix::from_fn(n, n, |i, j| found.noise[(i, j)] * found.sizes[i]);
    let lu = c.lu();
    let half = lu.solve(q)?;
    let whole = lu.solve(&half.transpose())?.transpose() * -2.0;
    whole
        .iter()
        .all(|entry| entry.is_finite())
        .then(|| whole.as_slice().to_vec())
}
