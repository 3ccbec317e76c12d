//! Newton directions of a search.
//!
//! Conjugate gradients, preconditioned by the diagonal of the information, solve with the Fisher
//! information to a tolerance that falls with the gradient (S. C. Eisenstat, H. F. Walker, SIAM J. Sci.
//! Comput. 17, 16, 1996); where steps with it have become slow, with the exact Hessian, as far as its
//! curvature is positive.
//!
//! Enters: a task at a place. Leaves: directions. Must not know how far to go.

use super::curvature::Curvature;
use super::likelihood::information_product;
use super::problem::{Fault, Point};
use super::search::{ONLY_DECIDES, Options, Path, Place, Task, add, dot, length};

/// Conjugate gradients stop at this part of the gradient at first.
const LOOSEST: f64 = 0.1;
/// What is added to the information does not grow above this, or fall below.
const DAMPED: (f64, f64) = (1e-12, 1.0);

impl Task<'_> {
    /// The Newton direction where all of A is free, C held, and nothing penalised by |x|.
    pub(super) fn free_drift(
        &mut self,
        place: &Place,
        slopes: &[f64],
        options: &Options,
    ) -> Result<Option<Path>, Fault> {
        let design = self.design;
        let is_plain = design.drift.free.iter().all(|free| *free)
            && design.noise.free.iter().all(|free| !free)
            && self.weights.iter().all(|w| *w == 0.0);
        if !is_plain {
            return Ok(None);
        }
        let ridge = self.ridges.iter().copied().fold(0.0, f64::max);
        let damping = self.added(slopes);
        // A ridge below this only keeps directions finite.
        let added = match ridge <= ONLY_DECIDES {
            true => (damping + ridge, 0.0),
            false => (damping, ridge),
        };
        let free = &design.input.free;
        let Some(geometry) = place
            .moments
            .geometry(self.cells, &place.point, free, added)
        else {
            return Ok(None);
        };
        let by = design.unpacked(slopes, &place.point.zeros_like());
        let tolerance = LOOSEST.min(length(slopes).sqrt());
        let by = (&by.drift, &by.input);
        let geometry = geometry?;
        let (pair, products) =
            geometry.direction(by, tolerance, options.products, self.interrupted)?;
        self.products += products;
        let (drift, input) = geometry.outward(&pair);
        let first = design.packed(&Point {
            drift,
            input,
            noise: place.point.noise.clone(),
        });
        Ok(Some(Path::Curve {
            geometry: Box::new(geometry),
            pair,
            first,
        }))
    }

    /// What is added to the information.
    pub(super) fn added(&self, gradient: &[f64]) -> f64 {
        (self.damping * length(gradient)).clamp(DAMPED.0, DAMPED.1)
    }

    /// The preconditioner: positive.
    pub(super) fn diagonal(&self, place: &Place) -> Vec<f64> {
        let all = place.moments.information_diagonal(self.cells, &place.point);
        let mut diagonal = self.design.packed(&all);
        let most = diagonal.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        for (entry, ridge) in diagonal.iter_mut().zip(&self.ridges) {
            *entry = (*entry + ridge).max(1e-10 * most);
        }
        diagonal
    }

    /// A direction by conjugate gradients on the entries that move.
    pub(super) fn newton(
        &mut self,
        place: &Place,
        steepest: &[f64],
        diagonal: &[f64],
        options: &Options,
    ) -> Result<Vec<f64>, Fault> {
        let own = &place.moments;
        if self.is_slow {
            let curvature = Curvature::new(self.cells, &place.point, own, self.interrupted);
            if let Some(curvature) = curvature {
                let curvature = curvature?;
                let times = |change: &Point| curvature.times(change, self.interrupted);
                let (direction, products) =
                    self.solved(place, steepest, diagonal, options, &times)?;
                self.products += products;
                if direction.iter().any(|entry| *entry != 0.0) {
                    return Ok(direction);
                }
            }
        }
        let times = |change: &Point| {
            information_product(self.cells, &place.point, own, change, self.interrupted)
        };
        let (direction, products) = self.solved(place, steepest, diagonal, options, &times)?;
        self.products += products;
        Ok(direction)
    }

    /// Minus the inverse of `times` times the gradient, up to a negative curvature, and the number
    /// of products.
    fn solved(
        &self,
        place: &Place,
        steepest: &[f64],
        diagonal: &[f64],
        options: &Options,
        times: &dyn Fn(&Point) -> Result<Point, Fault>,
    ) -> Result<(Vec<f64>, usize), Fault> {
        let moves: Vec<bool> = steepest
            .iter()
            .zip(&place.x)
            .map(|(v, x)| *v != 0.0 || *x != 0.0)
            .collect();
        let nothing = place.point.zeros_like();
        let mut rest: Vec<f64> = steepest.iter().map(|v| -v).collect();
        let first = length(&rest);
        let damping = self.added(&rest);
        let goal = first * LOOSEST.min(first.sqrt());
        let mut out = vec![0.0; rest.len()];
        let mut scaled: Vec<f64> = rest.iter().zip(diagonal).map(|(r, d)| r / d).collect();
        let mut along = scaled.clone();
        let mut size = dot(&rest, &scaled);
        let mut products = 0;
        while products < options.products && length(&rest) > goal {
            products += 1;
            let change = self.design.unpacked(&along, &nothing);
            let mut turned = self.design.packed(&times(&change)?);
            let penalties = self.ridges.iter().zip(&moves);
            for ((t, a), (ridge, moves)) in turned.iter_mut().zip(&along).zip(penalties) {
                *t = if *moves {
                    *t + ridge.max(damping) * a
                } else {
                    0.0
                };
            }
            let curvature = dot(&along, &turned);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let step = size / curvature;
            add(&mut out, step, &along);
            add(&mut rest, -step, &turned);
            for ((s, r), d) in scaled.iter_mut().zip(&rest).zip(diagonal) {
                *s = r / d;
            }
            let next = dot(&rest, &scaled);
            let kept = next / size;
            size = next;
            for (a, s) in along.iter_mut().zip(&scaled) {
                *a = s + kept * *a;
            }
        }
        Ok((out, products))
    }
}
