//! What is given and what is free.
//!
//! Enters: statistics, inputs, where S comes from, masks. Leaves: a checked [`Cells`], and the free
//! entries as one vector and back. Must not know how the minimum is found.

use super::statistics::Statistics;
use crate::linalg::products::{Cholesky, is_finite};
use crate::linalg::sign::Unsolved;
use nalgebra::DMatrix;

/// A, B and C.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// A, p by p, 1/time.
    pub drift: DMatrix<f64>,
    /// B, p by q.
    pub input: DMatrix<f64>,
    /// C, p by r.
    pub noise: DMatrix<f64>,
}

impl Point {
    /// Zeros of the same shapes.
    #[must_use]
    pub fn zeros_like(&self) -> Point {
        let zeros = |of: &DMatrix<f64>| DMatrix::zeros(of.nrows(), of.ncols());
        Point {
            drift: zeros(&self.drift),
            input: zeros(&self.input),
            noise: zeros(&self.noise),
        }
    }

    /// Every number: A, B, C, each column by column.
    pub fn numbers(&self) -> impl Iterator<Item = &f64> {
        let rest = self.input.iter().chain(self.noise.iter());
        self.drift.iter().chain(rest)
    }

    fn numbers_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        let rest = self.input.iter_mut().chain(self.noise.iter_mut());
        self.drift.iter_mut().chain(rest)
    }
}

/// A matrix of which some entries are free.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries {
    /// Values of held entries, and where a search of the free ones starts.
    pub values: DMatrix<f64>,
    /// Which are free, column by column.
    pub free: Vec<bool>,
}

impl Entries {
    /// All entries held.
    #[must_use]
    pub fn held(values: DMatrix<f64>) -> Entries {
        Entries {
            free: vec![false; values.len()],
            values,
        }
    }

    /// All entries free, from these values on.
    #[must_use]
    pub fn free(values: DMatrix<f64>) -> Entries {
        Entries {
            free: vec![true; values.len()],
            values,
        }
    }

    /// Entries free for which `is_free(row, column)` holds.
    #[must_use]
    pub fn masked(values: DMatrix<f64>, is_free: impl Fn(usize, usize) -> bool) -> Entries {
        let (rows, columns) = values.shape();
        let free = (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j)));
        Entries {
            free: free.map(|(i, j)| is_free(i, j)).collect(),
            values,
        }
    }
}

/// What is free of A, B and C.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// A, p by p.
    pub drift: Entries,
    /// B, p by q.
    pub input: Entries,
    /// C, p by r; a diagonal or a lower triangle may be free. Not read unless the covariance comes
    /// from noise.
    pub noise: Entries,
}

impl Design {
    /// The matrices of the start.
    #[must_use]
    pub fn start(&self) -> Point {
        Point {
            drift: self.drift.values.clone(),
            input: self.input.values.clone(),
            noise: self.noise.values.clone(),
        }
    }

    fn is_free(&self) -> impl Iterator<Item = &bool> {
        let rest = self.input.free.iter().chain(&self.noise.free);
        self.drift.free.iter().chain(rest)
    }

    /// The number of free entries.
    #[must_use]
    pub fn size(&self) -> usize {
        self.is_free().filter(|free| **free).count()
    }

    /// The free entries of matrices as one vector: A, B, C, each column by column.
    #[must_use]
    pub fn packed(&self, point: &Point) -> Vec<f64> {
        let all = point.numbers().zip(self.is_free());
        all.filter(|(_, free)| **free)
            .map(|(number, _)| *number)
            .collect()
    }

    /// Matrices with these free entries, and the others from `point`.
    #[must_use]
    pub fn unpacked(&self, free: &[f64], point: &Point) -> Point {
        let mut out = point.clone();
        let places = out.numbers_mut().zip(self.is_free());
        let places = places.filter(|(_, free)| **free);
        for ((place, _), number) in places.zip(free) {
            *place = *number;
        }
        out
    }

    /// A number for each free entry: `of_drift(row, column)` for those of A, `of_input` for all of
    /// B, `of_noise` for all of C.
    pub(super) fn labelled<T: Copy>(
        &self,
        of_drift: impl Fn(usize, usize) -> T,
        of_input: T,
        of_noise: T,
    ) -> Vec<T> {
        let p = self.drift.values.nrows().max(1);
        let drift = self.drift.free.iter().enumerate();
        let drift = drift
            .filter(|(_, free)| **free)
            .map(|(at, _)| of_drift(at % p, at / p));
        let many = |free: &[bool]| free.iter().filter(|free| **free).count();
        let input = std::iter::repeat_n(of_input, many(&self.input.free));
        let noise = std::iter::repeat_n(of_noise, many(&self.noise.free));
        drift.chain(input).chain(noise).collect()
    }
}

/// Where S comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Covariance {
    /// S solves A S + S A^T + C C^T = 0.
    FromNoise,
    /// S is free; its best value for every A and B is put in.
    Profiled {
        /// This part of the mean variance within groups is added to every variance; 0 switches it
        /// off. It is the penalty ridge/2 tr S^-1 on the likelihood of a cell.
        ridge: f64,
    },
    /// S is this, p by p.
    Known(DMatrix<f64>),
}

/// Groups seen on the way after a step of their inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The inputs before the step, q by K.
    pub before: DMatrix<f64>,
    /// The time after it, K numbers; infinite for groups at rest.
    pub times: Vec<f64>,
}

/// Why there is nothing to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// Shapes of statistics, inputs, course, covariance or masks do not fit together.
    Shapes,
    /// No group has a cell.
    NoCells,
    /// A number is not finite.
    NotFinite,
    /// A time is negative or not a number; the group.
    Time(usize),
    /// The covariance within groups is singular and its ridge is switched off; or the known
    /// covariance is not positive definite.
    SingularCovariance,
}

/// Why there is no likelihood at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A is not stable: nothing comes to rest.
    Unstable,
    /// The noise does not reach all genes, or hardly: S is singular.
    SingularCovariance,
    /// A number is not finite.
    NotFinite,
    /// The user interrupted.
    Interrupted,
}

impl From<Unsolved> for Fault {
    fn from(unsolved: Unsolved) -> Fault {
        match unsolved {
            Unsolved::NotFinite => Fault::NotFinite,
            Unsolved::Unstable => Fault::Unstable,
            Unsolved::Interrupted => Fault::Interrupted,
        }
    }
}

/// Cells with their inputs: what does not change in a search.
#[derive(Debug, Clone)]
pub struct Cells {
    pub(super) counts: Vec<f64>,
    pub(super) total: f64,
    pub(super) means: DMatrix<f64>,
    /// The scatter for each cell, W/n, with the ridge of a profiled covariance.
    pub(super) scatter: DMatrix<f64>,
    /// Inputs, q by K; those before steps follow.
    pub(super) inputs: DMatrix<f64>,
    /// The times of the groups; empty when all are at rest.
    pub(super) times: Vec<f64>,
    pub(super) covariance: Covariance,
    /// Of what stays: of the scatter, or of the known covariance.
    pub(super) base: Option<Cholesky>,
}

impl Cells {
    /// Checks that all fits together. `inputs` is X, q by K.
    ///
    /// # Errors
    /// [`Mismatch`]
    pub fn new(
        statistics: &Statistics,
        inputs: &DMatrix<f64>,
        course: Option<&Course>,
        covariance: Covariance,
    ) -> Result<Cells, Mismatch> {
        let (genes, groups) = (statistics.genes(), statistics.groups());
        if inputs.ncols() != groups || genes == 0 {
            return Err(Mismatch::Shapes);
        }
        let total = statistics.cells();
        if total.is_nan() || total <= 0.0 {
            return Err(Mismatch::NoCells);
        }
        let mut scatter = statistics.scatter() / total;
        if !(is_finite(inputs) && is_finite(&statistics.means) && is_finite(&scatter)) {
            return Err(Mismatch::NotFinite);
        }
        let base = match &covariance {
            Covariance::FromNoise => None,
            Covariance::Profiled { ridge } => {
                let added = ridge * scatter.trace() / genes as f64;
                for i in 0..genes {
                    scatter[(i, i)] += added;
                }
                let base = Cholesky::new(scatter.clone());
                Some(base.map_err(|_| Mismatch::SingularCovariance)?)
            }
            Covariance::Known(known) if known.shape() != (genes, genes) => {
                return Err(Mismatch::Shapes);
            }
            Covariance::Known(known) => {
                let base = Cholesky::new(known.clone());
                Some(base.map_err(|_| Mismatch::SingularCovariance)?)
            }
        };
        let (inputs, times) = with_course(inputs, course)?;
        Ok(Cells {
            counts: statistics.counts.clone(),
            total,
            means: statistics.means.clone(),
            scatter,
            inputs,
            times,
            covariance,
            base,
        })
    }

    /// The number of cells n.
    #[must_use]
    pub fn cells(&self) -> f64 {
        self.total
    }

    /// True when masks and values fit these cells.
    #[must_use]
    pub fn fits(&self, design: &Design) -> bool {
        let genes = self.means.nrows();
        let full = |entries: &Entries| entries.free.len() == entries.values.len();
        let noise = &design.noise;
        let needs_noise = self.covariance == Covariance::FromNoise;
        design.drift.values.shape() == (genes, genes)
            && design.input.values.shape() == (genes, self.inputs.nrows())
            && [&design.drift, &design.input, noise].into_iter().all(full)
            && match needs_noise {
                true => noise.values.nrows() == genes,
                false => noise.free.iter().all(|free| !free),
            }
    }

    pub(super) fn is_profiled(&self) -> bool {
        matches!(self.covariance, Covariance::Profiled { .. })
    }
}

/// The inputs with those before steps behind them, and the times.
fn with_course(
    inputs: &DMatrix<f64>,
    course: Option<&Course>,
) -> Result<(DMatrix<f64>, Vec<f64>), Mismatch> {
    let Some(course) = course else {
        return Ok((inputs.clone(), Vec::new()));
    };
    if course.before.shape() != inputs.shape() || course.times.len() != inputs.ncols() {
        return Err(Mismatch::Shapes);
    }
    if !is_finite(&course.before) {
        return Err(Mismatch::NotFinite);
    }
    let wrong = course
        .times
        .iter()
        .position(|time| time.is_nan() || *time < 0.0);
    if let Some(group) = wrong {
        return Err(Mismatch::Time(group));
    }
    let columns = inputs.iter().chain(course.before.iter()).copied();
    let both = DMatrix::from_iterator(inputs.nrows(), 2 * inputs.ncols(), columns);
    Ok((both, course.times.clone()))
}
