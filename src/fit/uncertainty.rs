//! How far an optimum may be trusted: standard errors, intervals, and directions that the data do
//! not determine.
//!
//! Enters: an objective on the inner scale and its optimum. Leaves: covariance, standard errors
//! and correlations from the inverse of the information (G. Seber, C. Wild, Nonlinear Regression,
//! 1989, sections 2.1 and 5.1), and the null directions of the information, by which a model is
//! told to be unidentifiable (T. Rothenberg, Econometrica 39, 577, 1971). The information is
//! scaled to a diagonal of ones before its rank is judged, so that units do not matter. Must not
//! know names.

use super::coordinates::{Coordinates, Scale, Scaled};
use super::information::{Information, InformationMatrix, diagonal, information};
use super::objective::{Fault, Objective};
use super::summary::count;
use crate::linalg::Spectrum;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UncertaintyOptions {
    /// Which information.
    pub information: Information,
    /// The relative error of the objective's derivatives: eigenvalues of the scaled information
    /// below its square are taken as zero.
    pub precision: f64,
}

impl Default for UncertaintyOptions {
    fn default() -> Self {
        UncertaintyOptions {
            information: Information::Expected,
            precision: 1e-6,
        }
    }
}

/// How an estimate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The data determine it.
    Determined,
    /// It takes part in a direction along which the objective does not change.
    Undetermined,
    /// It takes part in a direction along which the objective falls: this is no minimum.
    Falling,
    /// It sits on its lower bound and is held there.
    AtLower,
    /// It sits on its upper bound and is held there.
    AtUpper,
    /// Its bounds are equal.
    Fixed,
    /// It is held by the edge of the region that is searched.
    OnEdge,
}

impl Standing {
    /// Whether the parameter may move.
    #[must_use]
    pub fn is_free(self) -> bool {
        matches!(
            self,
            Standing::Determined | Standing::Undetermined | Standing::Falling
        )
    }
}

/// A direction in the space of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    /// Parameters with how far each moves, the largest by 1: of a linear parameter the change
    /// beside its own absolute value (in its own units where that is zero), of a logarithmic one
    /// the change of its natural logarithm.
    pub coefficients: Vec<(usize, f64)>,
}

/// The uncertainty of m estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct Uncertainty {
    /// Inner coordinates of the estimates.
    pub at: Vec<f64>,
    /// How each stands.
    pub standing: Vec<Standing>,
    /// The information on the inner scale, m rows of m numbers; zero where a parameter is held.
    pub information: Vec<f64>,
    /// The estimated error of its entries beside the geometric mean of their two diagonal entries,
    /// at worst; 0 for the expected information, which takes no differences.
    pub information_error: f64,
    /// Eigenvalues, ascending, of the information of free parameters scaled to a diagonal of ones.
    pub eigenvalues: Vec<f64>,
    /// The covariance on the inner scale, m rows of m numbers, with respect to the held
    /// parameters. Infinite variances of undetermined parameters, whose covariances are not
    /// numbers; zero for held ones.
    pub covariance: Vec<f64>,
    /// Standard errors of inner coordinates: infinite where undetermined, zero where held.
    pub inner_errors: Vec<f64>,
    /// Standard errors in the parameters' own units, to first order.
    pub errors: Vec<f64>,
    /// Correlations on the inner scale, m rows of m numbers; not a number where undetermined or
    /// held.
    pub correlation: Vec<f64>,
    /// Directions along which the objective does not change, each with as few parameters as can
    /// be: as many as parameters (or combinations) that would have to be known otherwise.
    pub undetermined: Vec<Direction>,
    /// Directions along which the objective falls: with any, the point is a saddle and no minimum.
    pub falling: Vec<Direction>,
    /// Normals of the edges of a region on which the estimates lie, on the inner scale: nothing moves
    /// along them.
    pub edges: Vec<Vec<f64>>,
}

/// By which distribution standard errors become intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantiles {
    /// Standard normal.
    Normal,
    /// Student's t.
    StudentT {
        /// Degrees of freedom.
        degrees: f64,
    },
}

impl Quantiles {
    /// The half-width, in standard errors, of the interval of this level between 0 and 1; not a
    /// number where level or degrees of freedom mean nothing.
    #[must_use]
    pub fn half_width(self, level: f64) -> f64 {
        if !(0.0..1.0).contains(&level) {
            return f64::NAN;
        }
        let probability = f64::midpoint(1.0, level);
        match self {
            Quantiles::Normal => Normal::standard().inverse_cdf(probability),
            Quantiles::StudentT { degrees } => StudentsT::new(0.0, 1.0, degrees)
                .map_or(f64::NAN, |student| student.inverse_cdf(probability)),
        }
    }
}

impl Uncertainty {
    /// The same with standard errors `factor` times as large: for a variance of the data that is
    /// estimated otherwise than the objective takes it.
    #[must_use]
    pub fn widened(mut self, factor: f64) -> Uncertainty {
        let errors = self.inner_errors.iter_mut().chain(&mut self.errors);
        errors.for_each(|error| *error *= factor);
        self.covariance
            .iter_mut()
            .for_each(|c| *c *= factor * factor);
        self.information
            .iter_mut()
            .for_each(|i| *i /= factor * factor);
        self
    }

    /// The same with the edges of a region taken as known: for each of them nothing moves along its
    /// normal n, a vector of inner coordinates. C becomes C - C n n'C / n'C n (the estimate under
    /// restrictions; J. Aitchison, S. Silvey, Ann. Math. Stat. 29, 813, 1958, with edges as flat).
    #[must_use]
    pub fn along(mut self, normals: &[Vec<f64>], coordinates: &Coordinates) -> Uncertainty {
        let m = self.at.len();
        let before = diagonal(&self.covariance, m);
        for normal in normals {
            let rows = self.covariance.chunks_exact(m.max(1));
            let moved: Vec<f64> = rows
                .map(|row| row.iter().zip(normal).map(|(c, n)| c * n).sum())
                .collect();
            let square: f64 = moved.iter().zip(normal).map(|(c, n)| c * n).sum();
            // Undetermined parameters have no covariances.
            if !(square.is_finite() && square > 0.0) {
                continue;
            }
            for (row, one) in self.covariance.chunks_exact_mut(m.max(1)).zip(&moved) {
                for (c, other) in row.iter_mut().zip(&moved) {
                    *c -= one * other / square;
                }
            }
            self.edges.push(normal.clone());
        }
        let left = diagonal(&self.covariance, m);
        for ((standing, left), before) in self.standing.iter_mut().zip(left).zip(before) {
            if *standing == Standing::Determined && left <= HELD * before {
                *standing = Standing::OnEdge;
            }
        }
        let variances = diagonal(&self.covariance, m).into_iter();
        self.inner_errors = variances.map(|c| c.max(0.0).sqrt()).collect();
        self.errors = outer_errors(&self.inner_errors, &self.at, coordinates);
        self.correlation = correlation(&self.covariance, &self.inner_errors);
        self
    }

    /// Confidence intervals of a level between 0 and 1, in the parameters' own units: taken on the
    /// inner scale, so that those of logarithmic parameters are positive. All that there is where
    /// undetermined, the estimate alone where held.
    #[must_use]
    pub fn intervals(
        &self,
        coordinates: &Coordinates,
        level: f64,
        quantiles: Quantiles,
    ) -> Vec<(f64, f64)> {
        let width = quantiles.half_width(level);
        let estimates = self.at.iter().zip(&self.inner_errors);
        estimates
            .zip(&coordinates.scales)
            .map(|((u, error), scale)| {
                let ends = (u - width * error, u + width * error);
                (scale.outer(ends.0), scale.outer(ends.1))
            })
            .collect()
    }
}

/// Coefficients below this part of the largest are left out of a direction, and parameters whose
/// part is below it are determined.
const NEGLIGIBLE: f64 = 1e-3;
/// A variance of which an edge leaves no more than this part is held by it.
const HELD: f64 = 1e-9;
/// A point this near to a bound, beside the size of the bound or of the range, is on it.
const ON_BOUND: f64 = 1e-9;
/// A logarithm with a standard error above this is undetermined, however well it is told from
/// others.
const LARGEST_LOGARITHM: f64 = 1e8;
/// Errors of eigenvalues are below this many times those of the matrix and of round-off.
const CAUTION: f64 = 10.0;

/// The uncertainty at an optimum of m inner coordinates.
///
/// # Errors
/// Where the objective has no value at the point (or, for the observed information, beside it).
pub fn uncertainty<O: Objective + ?Sized>(
    objective: &Scaled<'_, O>,
    at: &[f64],
    options: &UncertaintyOptions,
) -> Result<Uncertainty, Fault> {
    let coordinates = objective.coordinates;
    let m = at.len();
    let bounds = at.iter().zip(&coordinates.lower).zip(&coordinates.upper);
    let mut standing: Vec<Standing> = bounds
        .map(|((u, low), high)| against_bounds(*u, *low, *high))
        .collect();
    let free: Vec<bool> = standing.iter().map(|s| s.is_free()).collect();
    let ends = (coordinates.lower.as_slice(), coordinates.upper.as_slice());
    let found = information(objective, at, &free, ends, options.information)?;

    let scales = equilibration(&found, coordinates, &free);
    let active: Vec<usize> = (0..m)
        .filter(|i| scales.get(*i).is_some_and(|s| *s > 0.0))
        .collect();
    let errors = found.errors.iter().zip(&scales);
    let information_error = errors.map(|(e, by)| e * by * by).fold(0.0, f64::max);
    let threshold = (CAUTION * information_error).max(options.precision.powi(2));
    let spectrum = scaled_spectrum(&found.matrix, &scales, &active, m);
    let units = units(at, coordinates);
    let directions = Directions {
        spectrum: &spectrum,
        threshold: threshold.max(CAUTION * f64::EPSILON * count(active.len())),
        active: &active,
        scales: &scales,
        units: &units,
    };
    let mut undetermined = without_influence(&free, &active);
    undetermined.extend(directions.of(Sign::Zero));
    let falling = directions.of(Sign::Negative);
    mark(&mut standing, &undetermined, Standing::Undetermined);
    mark(&mut standing, &falling, Standing::Falling);

    let covariance = directions.covariance(&standing, m);
    let inner_errors: Vec<f64> = diagonal(&covariance, m)
        .into_iter()
        .map(f64::sqrt)
        .collect();
    let errors = outer_errors(&inner_errors, at, coordinates);
    let correlation = correlation(&covariance, &inner_errors);
    Ok(Uncertainty {
        at: at.to_vec(),
        standing,
        information: found.matrix,
        information_error,
        eigenvalues: spectrum.values,
        covariance,
        inner_errors,
        errors,
        correlation,
        undetermined,
        falling,
        edges: Vec::new(),
    })
}

/// Free parameters without any influence: directions by themselves.
fn without_influence(free: &[bool], active: &[usize]) -> Vec<Direction> {
    let free = free.iter().enumerate().filter(|(_, free)| **free);
    let idle = free.filter(|(i, _)| !active.contains(i));
    idle.map(|(i, _)| Direction {
        coefficients: vec![(i, 1.0)],
    })
    .collect()
}

/// Whether a point is on one of its bounds.
fn against_bounds(u: f64, low: f64, high: f64) -> Standing {
    let width = high - low;
    let near = |bound: f64| {
        let size = if width.is_finite() {
            width
        } else {
            bound.abs()
        };
        bound.is_finite() && (u - bound).abs() <= ON_BOUND * size
    };
    if low >= high {
        Standing::Fixed
    } else if near(low) || u < low {
        Standing::AtLower
    } else if near(high) || u > high {
        Standing::AtUpper
    } else {
        Standing::Determined
    }
}

/// What brings the diagonal of the information to ones; 0 for held parameters and for those
/// without influence.
fn equilibration(found: &InformationMatrix, coordinates: &Coordinates, free: &[bool]) -> Vec<f64> {
    let diagonal = diagonal(&found.matrix, free.len());
    let entries = diagonal.iter().zip(&found.errors);
    let parameters = entries.zip(&coordinates.scales).zip(free);
    parameters
        .map(|(((entry, error), scale), is_free)| {
            let by = 1.0 / entry.abs().sqrt();
            let largest = match scale {
                Scale::Linear => f64::MAX,
                Scale::Logarithmic => LARGEST_LOGARITHM,
            };
            let is_known = *is_free && by <= largest && entry.abs() > CAUTION * error;
            if is_known { by } else { 0.0 }
        })
        .collect()
}

/// What a change of each parameter is measured in.
fn units(at: &[f64], coordinates: &Coordinates) -> Vec<f64> {
    let parameters = at.iter().zip(&coordinates.scales);
    parameters
        .map(|(u, scale)| match scale {
            Scale::Linear if *u != 0.0 => u.abs(),
            Scale::Linear | Scale::Logarithmic => 1.0,
        })
        .collect()
}

/// The spectrum of the scaled information of the active parameters; empty where it has none.
fn scaled_spectrum(matrix: &[f64], scales: &[f64], active: &[usize], m: usize) -> Spectrum {
    let scale = |i: usize| scales.get(i).copied().unwrap_or(0.0);
    let mut scaled = Vec::with_capacity(active.len().pow(2));
    for i in active {
        for j in active {
            let entry = matrix.get(i * m + j).copied().unwrap_or(0.0);
            scaled.push(entry * scale(*i) * scale(*j));
        }
    }
    Spectrum::of(&scaled, active.len()).unwrap_or(Spectrum {
        values: Vec::new(),
        vectors: Vec::new(),
    })
}

/// What an eigenvalue says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Negative,
    Zero,
    Positive,
}

/// The scaled spectrum and the way back to parameters.
struct Directions<'a> {
    spectrum: &'a Spectrum,
    /// Eigenvalues below this in size are zero.
    threshold: f64,
    /// The parameters of the spectrum.
    active: &'a [usize],
    scales: &'a [f64],
    units: &'a [f64],
}

impl Directions<'_> {
    fn sign(&self, eigenvalue: f64) -> Sign {
        if eigenvalue > self.threshold {
            Sign::Positive
        } else if eigenvalue < -self.threshold {
            Sign::Negative
        } else {
            Sign::Zero
        }
    }

    /// The directions of eigenvalues of this sign.
    fn of(&self, sign: Sign) -> Vec<Direction> {
        let pairs = self.spectrum.values.iter().zip(&self.spectrum.vectors);
        let of_sign = pairs.filter(|(value, _)| self.sign(**value) == sign);
        let mut vectors: Vec<Vec<f64>> = of_sign.map(|(_, vector)| vector.clone()).collect();
        reduce(&mut vectors);
        vectors
            .iter()
            .map(|vector| self.direction(vector))
            .collect()
    }

    /// A vector over the active parameters in their units.
    fn direction(&self, vector: &[f64]) -> Direction {
        let kept = vector.iter().zip(self.active);
        let mut coefficients: Vec<(usize, f64)> = kept
            .filter(|(entry, _)| **entry != 0.0)
            .map(|(entry, i)| {
                let scale = self.scales.get(*i).copied().unwrap_or(0.0);
                let unit = self.units.get(*i).copied().unwrap_or(1.0);
                (*i, entry * scale / unit)
            })
            .collect();
        let sizes = coefficients.iter().map(|(_, c)| *c);
        let largest = sizes.reduce(|a, b| if b.abs() > a.abs() { b } else { a });
        let largest = largest.unwrap_or(1.0);
        for (_, coefficient) in &mut coefficients {
            *coefficient /= largest;
        }
        Direction { coefficients }
    }

    /// The inverse over the directions of positive eigenvalues; see [`Uncertainty::covariance`].
    fn covariance(&self, standing: &[Standing], m: usize) -> Vec<f64> {
        let mut covariance = vec![0.0; m * m];
        for (value, vector) in self.spectrum.values.iter().zip(&self.spectrum.vectors) {
            if self.sign(*value) != Sign::Positive {
                continue;
            }
            let entries: Vec<(usize, f64)> = self
                .active
                .iter()
                .zip(vector)
                .map(|(i, entry)| (*i, entry * self.scales.get(*i).copied().unwrap_or(0.0)))
                .collect();
            for (i, left) in &entries {
                for (j, right) in &entries {
                    if let Some(out) = covariance.get_mut(i * m + j) {
                        *out += left * right / value;
                    }
                }
            }
        }
        for (i, row) in covariance.chunks_exact_mut(m.max(1)).enumerate() {
            for (j, entry) in row.iter_mut().enumerate() {
                let ends = [i, j].map(|k| standing.get(k).copied().unwrap_or(Standing::Fixed));
                let is_open = |s: Standing| s.is_free() && s != Standing::Determined;
                if ends.iter().all(|s| s.is_free()) && ends.into_iter().any(is_open) {
                    *entry = if i == j { f64::INFINITY } else { f64::NAN };
                }
            }
        }
        covariance
    }
}

/// Brings vectors to reduced echelon form with the largest pivots, so that each has as few entries
/// as can be, and drops small entries.
fn reduce(vectors: &mut [Vec<f64>]) {
    for at in 0..vectors.len() {
        let Some(row) = vectors.get(at).cloned() else {
            return;
        };
        let sizes = row.iter().map(|entry| entry.abs()).enumerate();
        let Some((pivot, size)) = sizes.max_by(|(_, a), (_, b)| a.total_cmp(b)) else {
            return;
        };
        if size == 0.0 {
            continue;
        }
        for (other, vector) in vectors.iter_mut().enumerate() {
            let at_pivot = vector.get(pivot).copied().unwrap_or(0.0);
            let value = row.get(pivot).copied().unwrap_or(1.0);
            if other != at {
                let factor = at_pivot / value;
                let pairs = vector.iter_mut().zip(&row);
                pairs.for_each(|(entry, by)| *entry -= factor * by);
            }
        }
    }
    for vector in vectors {
        let largest = vector
            .iter()
            .fold(0.0_f64, |most, entry| most.max(entry.abs()));
        for entry in vector {
            if entry.abs() < NEGLIGIBLE * largest {
                *entry = 0.0;
            }
        }
    }
}

fn mark(standing: &mut [Standing], directions: &[Direction], as_this: Standing) {
    let moved = directions.iter().flat_map(|d| &d.coefficients);
    for (parameter, _) in moved {
        if let Some(standing) = standing.get_mut(*parameter) {
            *standing = as_this;
        }
    }
}

/// Standard errors in own units, by the slope of the scale.
fn outer_errors(inner_errors: &[f64], at: &[f64], coordinates: &Coordinates) -> Vec<f64> {
    let parameters = inner_errors.iter().zip(at).zip(&coordinates.scales);
    parameters
        .map(|((error, u), scale)| error * scale.slope(scale.outer(*u)))
        .collect()
}

fn correlation(covariance: &[f64], errors: &[f64]) -> Vec<f64> {
    let rows = covariance.chunks_exact(errors.len().max(1)).zip(errors);
    rows.flat_map(|(row, of_row)| {
        let entries = row.iter().zip(errors);
        entries.map(move |(entry, of_column)| entry / of_row / of_column)
    })
    .collect()
}

#[cfg(test)]
mod tests;
