//! The stationary distribution of a system with noise around a stable steady state.
//!
//! ```text
//! Question --problem.rs--> Fluctuations   dz = A z dt + noise on the states that can vary, y = mean + P z
//! Fluctuations --moments.rs--> covariance (Lyapunov; for noise with a linear factor the equations of moments)
//!              --dynamics.rs--> relaxation, autocovariance, spectra and their peaks
//!              --rotation.rs--> probability current, entropy production
//! ```
//!
//! For dy = (A y + b) dt + C dW this is exact (C. W. Gardiner, Stochastic Methods, 4th ed., 2009,
//! section 4.5.6); for other systems it is the linear-noise approximation (N. G. van Kampen,
//! Stochastic Processes in Physics and Chemistry, 3rd ed., 2007, chapter X).
//!
//! Enters: equations, a steady state and the noise there, as numbers. Leaves: a [`Stationary`], or
//! why there is none. States are positions.

mod dynamics;
mod moments;
mod problem;
mod rotation;

pub use dynamics::{Peak, Relaxation};
pub use rotation::Rotation;

use super::laws::Law;
use super::spectrum::Eigenvalue;
use crate::simulate::{Dynamics, Tolerances};
use nalgebra::DMatrix;
use problem::Fluctuations;

/// What is asked.
pub struct Question<'a> {
    /// The equations without their noise, in the Itô sense.
    pub dynamics: &'a dyn Dynamics,
    /// The time that is handed to them.
    pub time: f64,
    /// A steady state of n numbers.
    pub state: &'a [f64],
    /// Say how small a change matters.
    pub tolerances: &'a Tolerances,
    /// Sums that the equations are known to keep; others are looked for.
    pub laws: &'a [Law],
    /// The noise at the steady state: B = G diag(sqrt(q)).
    pub noise: Noise,
    /// The equations are A y + b, with constant A and b.
    pub linear: bool,
    /// True when the user wants to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// The noise at a state, from m independent sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// G, n by m numbers, column by column.
    pub factor: Vec<f64>,
    /// q, m numbers.
    pub intensities: Vec<f64>,
    /// Where a column of B is b + S y: for each its S, n by n numbers column by column. Empty when
    /// B does not depend on the state, or not in this way.
    pub slopes: Vec<Vec<f64>>,
    /// B depends on the state.
    pub varies: bool,
}

/// How far the numbers can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// Linear equations with noise that does not depend on the state: the distribution is normal,
    /// with exactly these moments.
    Exact,
    /// Linear equations with noise that is linear in the state: these moments are exact, the
    /// distribution is not normal.
    ExactMoments,
    /// The linear-noise approximation.
    LinearNoise,
}

/// Why there is no stationary distribution.
#[derive(Debug, Clone, PartialEq)]
pub enum NotStationary {
    /// A disturbance grows.
    Unstable(Eigenvalue),
    /// A disturbance neither grows nor decays, as far as round-off can tell.
    Marginal(Eigenvalue),
    /// The noise moves a sum that the equations without noise keep.
    Wanders(Law),
    /// The mean is stable, and the variance grows without bounds; the factor by which the noise
    /// feeds itself, at least 1.
    Spreads(f64),
    /// No noise acts at this steady state.
    Silent,
    /// Nothing can vary.
    Rigid,
    /// The intensity of this source of noise is negative.
    Negative {
        /// Its column in B.
        column: usize,
        /// How large it is.
        value: f64,
    },
    /// More states than are looked at.
    TooMany(usize),
    /// A number of the linear part or of the noise is not finite, or no eigenvalues were found.
    NotFinite,
    /// The user stopped it.
    Interrupted,
}

/// A stationary distribution. Matrices are n by n numbers, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Stationary {
    /// How far the numbers can be trusted.
    pub exactness: Exactness,
    /// The mean, n numbers.
    pub mean: Vec<f64>,
    /// The covariance.
    pub covariance: Vec<f64>,
    /// What is left of its equation, beside the terms of the equation.
    pub residual: f64,
    /// The linear part of the drift.
    pub drift: Vec<f64>,
    /// D = B B^T at the mean: the covariance of the noise per time.
    pub diffusion: Vec<f64>,
    /// How disturbances decay, the slowest first.
    pub relaxations: Vec<Relaxation>,
    /// The time over which each state remembers: the area under its autocorrelation. Not a number
    /// for a state that does not vary.
    pub correlation_times: Vec<f64>,
    /// The peak of each state's spectrum, where it has one away from zero.
    pub peaks: Vec<Option<Peak>>,
    /// The probability current; `None` when the noise does not reach all that can vary.
    pub rotation: Option<Rotation>,
    /// Sums that are kept: given ones, and ones found in the equations.
    pub kept: (usize, usize),
    fluctuations: Fluctuations,
}

/// Systems of more states are not looked at: a few seconds.
pub const MOST_STATES: usize = 300;

/// Describes the fluctuations around a steady state.
///
/// # Errors
/// [`NotStationary`]
pub fn stationary(question: &Question<'_>) -> Result<Stationary, NotStationary> {
    if question.state.len() > MOST_STATES {
        return Err(NotStationary::TooMany(question.state.len()));
    }
    let mut fluctuations = problem::fluctuations(question)?;
    let relaxations = dynamics::relaxations(&fluctuations)?;
    let (exactness, residual) = moments::solve(question, &mut fluctuations)?;
    let lifted = fluctuations.lifted(&fluctuations.covariance);
    let drift = super::spectrum::jacobian_at(question.dynamics, question.time, question.state);
    let stop = || question.interrupted.then_stop();
    stop()?;
    let peaks = dynamics::peaks(&fluctuations, question.interrupted);
    stop()?;
    Ok(Stationary {
        exactness,
        mean: question.state.to_vec(),
        covariance: lifted.as_slice().to_vec(),
        residual,
        drift,
        diffusion: fluctuations.whole_diffusion.as_slice().to_vec(),
        relaxations,
        correlation_times: dynamics::correlation_times(&fluctuations),
        peaks,
        rotation: rotation::rotation(&fluctuations),
        kept: fluctuations.kept,
        fluctuations,
    })
}

trait ThenStop {
    fn then_stop(&self) -> Result<(), NotStationary>;
}

impl ThenStop for &dyn Fn() -> bool {
    fn then_stop(&self) -> Result<(), NotStationary> {
        if self() {
            Err(NotStationary::Interrupted)
        } else {
            Ok(())
        }
    }
}

impl Stationary {
    /// Number of states n.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.mean.len()
    }

    /// The covariance of two states.
    #[must_use]
    pub fn covariance_of(&self, i: usize, j: usize) -> f64 {
        entry(&self.covariance, self.dimension(), i, j)
    }

    /// The standard deviation of a state.
    #[must_use]
    pub fn deviation(&self, i: usize) -> f64 {
        self.covariance_of(i, i).max(0.0).sqrt()
    }

    /// The correlation of two states; not a number when one does not vary.
    #[must_use]
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        let size = self.deviation(i) * self.deviation(j);
        if size > 0.0 {
            (self.covariance_of(i, j) / size).clamp(-1.0, 1.0)
        } else {
            f64::NAN
        }
    }

    /// The covariance of the state at t + `lag` with the state at t, for a lag of either sign: n
    /// by n numbers, column by column. For lags from 0 on it is exp(A lag) times the covariance.
    #[must_use]
    pub fn autocovariance(&self, lag: f64) -> Vec<f64> {
        dynamics::autocovariance(&self.fluctuations, lag)
            .as_slice()
            .to_vec()
    }

    /// The power spectra of the states at an angular frequency: two-sided, the integral over all
    /// angular frequencies divided by 2 pi is the variance. `None` where there is a pole.
    #[must_use]
    pub fn spectra(&self, frequency: f64) -> Option<Vec<f64>> {
        dynamics::spectra(&self.fluctuations, frequency)
    }

    /// The slowest and the fastest rate of the linear part: 1/time.
    #[must_use]
    pub fn rates(&self) -> (f64, f64) {
        dynamics::rates(&self.relaxations)
    }
}

fn entry(matrix: &[f64], n: usize, i: usize, j: usize) -> f64 {
    matrix.get(j * n + i).copied().unwrap_or(f64::NAN)
}

fn square(numbers: &[f64], rows: usize, columns: usize) -> Option<DMatrix<f64>> {
    (numbers.len() == rows * columns).then(|| DMatrix::from_column_slice(rows, columns, numbers))
}
