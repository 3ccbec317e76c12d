//! The fluctuations on the states that can vary: what laws and constraints tie to the others is
//! eliminated, so that the covariance is that of the constrained motion. All states are measured
//! in their own sizes.

use super::{NotStationary, Question, square};
use crate::analyze::continuation::Motion;
use crate::analyze::laws::{self, Kept, sizes};
use crate::analyze::spectrum::{Eigenvalue, Place, scaled};
use crate::linalg::lyapunov::{Lyapunov, Unsolved};
use nalgebra::DMatrix;

/// dz = A z dt + noise of covariance D per time; y = mean + P z, with r numbers in z.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fluctuations {
    /// A, r by r.
    pub drift: DMatrix<f64>,
    /// Its eigenvalues.
    pub eigenvalues: Vec<Eigenvalue>,
    /// P, n by r.
    pub embedding: DMatrix<f64>,
    /// Positions of the states that can vary.
    pub free: Vec<usize>,
    /// Their sizes: z is y in these.
    pub sizes: Vec<f64>,
    /// B on z, r by m.
    pub noise: DMatrix<f64>,
    /// D on z. With noise that is linear in the state: its mean.
    pub diffusion: DMatrix<f64>,
    /// D = B B^T at the mean on all states, in their units.
    pub whole_diffusion: DMatrix<f64>,
    /// The covariance of z, once known.
    pub covariance: DMatrix<f64>,
    pub kept: (usize, usize),
}

/// What counts as zero beside the terms of a sum.
const ZERO: f64 = 1e-9;
/// A real part this small beside the largest modulus is round-off.
const ROUND_OFF: f64 = 1e-11;

pub(super) fn fluctuations(question: &Question<'_>) -> Result<Fluctuations, NotStationary> {
    let n = question.state.len();
    let m = question.noise.intensities.len();
    let factor = square(&question.noise.factor, n, m).ok_or(NotStationary::NotFinite)?;
    let whole = whole_noise(&factor, &question.noise.intensities)?;
    let size = sizes(question.state, question.tolerances);
    let place = Place {
        dynamics: question.dynamics,
        motion: Motion::Flow,
        time: question.time,
        state: question.state,
        tolerances: question.tolerances,
        laws: question.laws,
    };
    let (dynamics, tolerances) = (question.dynamics, question.tolerances);
    let kept = laws::kept(
        dynamics,
        question.time,
        question.state,
        tolerances,
        question.laws,
    );
    still(&kept, &whole)?;
    let known = kept
        .iter()
        .filter(|kept| question.laws.contains(&kept.law))
        .count();
    let reduced = scaled(&place, question.state, &size, &kept).ok_or(NotStationary::NotFinite)?;
    let r = reduced.free.len();
    if r == 0 {
        return Err(NotStationary::Rigid);
    }
    let mut embedding = DMatrix::zeros(n, r);
    for (j, mut column) in embedding.column_iter_mut().enumerate() {
        let mut unit = vec![0.0; r];
        unit[j] = 1.0;
        column.copy_from_slice(&reduced.lifted(&unit, &size));
    }
    let free_sizes: Vec<f64> = reduced.free.iter().map(|at| size[*at]).collect();
    let noise = DMatrix::from_fn(r, m, |i, k| whole[(reduced.free[i], k)] / free_sizes[i]);
    let solver = Lyapunov::new(reduced.matrix.clone()).map_err(unsolved)?;
    let eigenvalues = solver.eigenvalues().iter().map(|z| Eigenvalue {
        real: z.re,
        imaginary: z.im.abs(),
    });
    let eigenvalues: Vec<Eigenvalue> = eigenvalues.collect();
    stable(&eigenvalues)?;
    if noise.iter().all(|entry| *entry == 0.0) && question.noise.slopes.is_empty() {
        return Err(NotStationary::Silent);
    }
    let diffusion = &noise * noise.transpose();
    let covariance = solver.solve(&diffusion).map_err(unsolved)?.matrix;
    Ok(Fluctuations {
        drift: reduced.matrix,
        eigenvalues,
        embedding,
        free: reduced.free,
        sizes: free_sizes,
        noise,
        whole_diffusion: &whole * whole.transpose(),
        diffusion,
        covariance,
        kept: (known, kept.len() - known),
    })
}

pub(super) fn unsolved(why: Unsolved) -> NotStationary {
    match why {
        Unsolved::Singular => NotStationary::Marginal(Eigenvalue {
            real: 0.0,
            imaginary: 0.0,
        }),
        Unsolved::NotFinite | Unsolved::NoSchurForm => NotStationary::NotFinite,
    }
}

/// B = G diag(sqrt(q)) on all states.
fn whole_noise(factor: &DMatrix<f64>, intensities: &[f64]) -> Result<DMatrix<f64>, NotStationary> {
    let mut whole = factor.clone();
    for (column, (mut numbers, q)) in whole.column_iter_mut().zip(intensities).enumerate() {
        if *q < 0.0 {
            return Err(NotStationary::Negative { column, value: *q });
        }
        numbers *= q.sqrt();
    }
    if whole.iter().any(|entry| !entry.is_finite()) {
        return Err(NotStationary::NotFinite);
    }
    Ok(whole)
}

/// The noise must keep the sums that the equations keep.
fn still(kept: &[Kept], whole: &DMatrix<f64>) -> Result<(), NotStationary> {
    for kept in kept {
        for column in whole.column_iter() {
            let terms = kept.law.terms.iter();
            let terms = terms.map(|(at, w)| w * column.get(*at).copied().unwrap_or(0.0));
            let (sum, size) = terms.fold((0.0, 0.0), |(sum, size): (f64, f64), term: f64| {
                (sum + term, size + term.abs())
            });
            if sum.abs() > ZERO * size {
                return Err(NotStationary::Wanders(kept.law.clone()));
            }
        }
    }
    Ok(())
}

fn stable(eigenvalues: &[Eigenvalue]) -> Result<(), NotStationary> {
    let radius = eigenvalues
        .iter()
        .map(Eigenvalue::modulus)
        .fold(0.0, f64::max);
    let leading = eigenvalues.iter().max_by(|a, b| a.real.total_cmp(&b.real));
    let Some(leading) = leading else {
        return Err(NotStationary::Rigid);
    };
    if leading.real.abs() <= ROUND_OFF * radius {
        Err(NotStationary::Marginal(*leading))
    } else if leading.real > 0.0 {
        Err(NotStationary::Unstable(*leading))
    } else {
        Ok(())
    }
}

impl Fluctuations {
    /// A matrix on z as one on all states, in their units.
    pub fn lifted(&self, matrix: &DMatrix<f64>) -> DMatrix<f64> {
        &self.embedding * matrix * self.embedding.transpose()
    }
}
