//! States that satisfy the constraints.
//!
//! In: a state whose differential part holds. Out: the algebraic part that makes the residuals
//! zero, by Newton's method with the exact Jacobian, damped by the natural monotonicity test
//! (Deuflhard, Newton Methods for Nonlinear Problems, section 3.3); or why there is none.

use super::Tolerances;
use super::stepper::{Watched, all_finite};
use crate::linalg::dense::Dense;
use crate::linalg::length::Any;

/// Iterations before it is given up.
const ITERATIONS: usize = 50;
/// The last correction, in terms of the tolerances.
const ACCURACY: f64 = 1e-3;
/// A correction of so many units of round-off is good enough.
const ROUND_OFF: f64 = 16.0 * f64::EPSILON;
/// The shortest share of a correction that is tried.
const LEAST_SHARE: f64 = 1e-4;

/// The constraints cannot be satisfied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inconsistency {
    /// The algebraic states, by position, with the residuals that remain.
    pub residuals: Vec<(usize, f64)>,
    /// Whether the constraints do not determine the algebraic states.
    pub singular: bool,
}

/// Changes the algebraic states so that the constraints hold, the others being fixed. Without
/// constraints nothing is done, and nothing evaluated.
///
/// # Errors
/// When they cannot be satisfied from this beginning; the state is then as it was.
pub(super) fn make_consistent(
    system: &Watched<'_>,
    time: f64,
    state: &mut [f64],
    tolerances: &Tolerances,
) -> Result<(), Inconsistency> {
    let algebraic = system.algebraic().iter().enumerate();
    let unknown: Vec<usize> = algebraic.filter(|(_, a)| **a).map(|(i, _)| i).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let mut newton = Newton::new(system, time, state, unknown, tolerances);
    newton.solve()?;
    state.copy_from_slice(&newton.state);
    Ok(())
}

/// Newton's iteration for the algebraic states.
struct Newton<'a> {
    system: &'a Watched<'a>,
    time: f64,
    tolerances: &'a Tolerances,
    /// The positions of the algebraic states, which are also those of the constraints.
    unknown: Vec<usize>,
    /// Every state's place among the unknown, if it is one.
    places: Vec<Option<usize>>,
    state: Vec<f64>,
    /// What each unknown is measured by, during one iteration.
    scales: Vec<f64>,
    /// The whole right-hand side at `state`.
    drift: Vec<f64>,
    matrix: Dense<Any>,
}

impl<'a> Newton<'a> {
    fn new(
        system: &'a Watched<'a>,
        time: f64,
        state: &[f64],
        unknown: Vec<usize>,
        tolerances: &'a Tolerances,
    ) -> Self {
        let mut places = vec![None; state.len()];
        for (place, i) in unknown.iter().enumerate() {
            places[*i] = Some(place);
        }
        let mut drift = vec![0.0; state.len()];
        system.drift(time, state, &mut drift);
        Newton {
            system,
            time,
            tolerances,
            matrix: Dense::new(Any(unknown.len())),
            scales: vec![0.0; unknown.len()],
            unknown,
            places,
            state: state.to_vec(),
            drift,
        }
    }

    fn solve(&mut self) -> Result<(), Inconsistency> {
        for _ in 0..ITERATIONS {
            let mut residuals = self.residuals();
            if !all_finite(&residuals) || self.linearise().is_err() {
                return Err(self.inconsistency(all_finite(&residuals)));
            }
            self.matrix.solve(&mut residuals);
            if !all_finite(&residuals) {
                return Err(self.inconsistency(true));
            }
            self.measure();
            let size = self.size(&residuals);
            if !self.correct(&residuals, size) {
                return Err(self.inconsistency(false));
            }
            if size <= ACCURACY {
                return Ok(());
            }
        }
        Err(self.inconsistency(false))
    }

    /// Goes along a correction as far as the next one becomes smaller; false when it never does.
    fn correct(&mut self, correction: &[f64], size: f64) -> bool {
        let before = self.state.clone();
        let mut share = 1.0;
        while share >= LEAST_SHARE {
            for (i, change) in self.unknown.iter().zip(correction) {
                self.state[*i] = before[*i] - share * change;
            }
            self.system.drift(self.time, &self.state, &mut self.drift);
            let mut next = self.residuals();
            if all_finite(&next) {
                self.matrix.solve(&mut next);
                if size <= ACCURACY || self.size(&next) <= (1.0 - 0.25 * share) * size {
                    return true;
                }
            }
            share *= 0.5;
        }
        self.state = before;
        self.system.drift(self.time, &self.state, &mut self.drift);
        false
    }

    fn residuals(&self) -> Vec<f64> {
        self.unknown.iter().map(|i| self.drift[*i]).collect()
    }

    /// Factorises the derivatives of the constraints by the algebraic states.
    fn linearise(&mut self) -> Result<(), crate::linalg::Singular> {
        let m = self.unknown.len();
        let (starts, rows) = self.system.pattern();
        let (places, matrix) = (&self.places, self.matrix.entries_mut());
        matrix.fill(0.0);
        self.system.jacobian(self.time, &self.state, |entries| {
            let columns = matrix.chunks_exact_mut(m).zip(&self.unknown);
            for (column, j) in columns {
                let range = starts[*j]..starts[*j + 1];
                for (i, entry) in rows[range.clone()].iter().zip(&entries[range]) {
                    if let Some(place) = places[*i] {
                        column[place] = *entry;
                    }
                }
            }
        });
        self.matrix.factorise()
    }

    /// The local error allowed in each unknown; what is below round-off is never asked for.
    fn measure(&mut self) {
        for (scale, i) in self.scales.iter_mut().zip(&self.unknown) {
            let state = self.state[*i].abs();
            let allowed = self.tolerances.absolute[*i] + self.tolerances.relative * state;
            *scale = allowed.max(ROUND_OFF / ACCURACY * state);
        }
    }

    /// The root mean square of a correction in terms of the tolerances.
    fn size(&self, correction: &[f64]) -> f64 {
        let terms = correction.iter().zip(&self.scales);
        let square = |(change, scale): (&f64, &f64)| match *change {
            0.0 => 0.0,
            change => (change / scale).powi(2),
        };
        (terms.map(square).sum::<f64>() / correction.len() as f64).sqrt()
    }

    fn inconsistency(&self, singular: bool) -> Inconsistency {
        let residuals = self.unknown.iter().copied().zip(self.residuals());
        Inconsistency {
            residuals: residuals.collect(),
            singular,
        }
    }
}
