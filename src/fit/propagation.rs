//! How the uncertainty of estimates spreads to what is computed from them.
//!
//! Enters: the information at an optimum, gradients of quantities on the inner scale. Leaves: their
//! variances and covariances to first order, g'C h (G. Seber, C. Wild, Nonlinear Regression, 1989,
//! section 5.1). C is the inverse of the information along the directions that the data determine;
//! what follows no other direction has a variance, though single parameters may have none. Must not
//! know names.

use super::uncertainty::{Standing, Uncertainty};
use crate::linalg::Spectrum;

/// Eigenvalues of the scaled information below this are taken as zero.
const PRECISION: f64 = 1e-12;
/// The same, beside the error of its entries.
const CAUTION: f64 = 10.0;
/// A gradient follows an undetermined direction when its part along it, beside its length, is more
/// than this: derivatives are accurate to some digits only.
const FOLLOWS: f64 = 1e-4;

/// The covariance of m estimates as a sum over directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Propagation {
    /// 1/sqrt of each diagonal entry of the information; zero for what is held or idle.
    scales: Vec<f64>,
    /// Directions of scaled parameters, one for each eigenvalue.
    directions: Vec<(f64, Vec<f64>)>,
    /// Eigenvalues below this are zero.
    threshold: f64,
    /// Free parameters on which the objective does not depend at all.
    idle: Vec<usize>,
    /// Normals along which nothing moves, made orthogonal to each other by C, with n'C n.
    edges: Vec<(Vec<f64>, f64)>,
}

impl Propagation {
    /// Of the uncertainty at an optimum; `None` where the information has no spectrum.
    #[must_use]
    pub fn new(known: &Uncertainty) -> Option<Propagation> {
        let m = known.standing.len();
        let entry = |i: usize, j: usize| known.information.get(i * m + j).copied().unwrap_or(0.0);
        let scale = |i: usize| match known.standing.get(i) {
            Some(standing) if moves(*standing) && entry(i, i) > 0.0 => 1.0 / entry(i, i).sqrt(),
            _ => 0.0,
        };
        let scales: Vec<f64> = (0..m).map(scale).collect();
        let mut scaled = Vec::with_capacity(m * m);
        for i in 0..m {
            for j in 0..m {
                scaled.push(entry(i, j) * scales[i] * scales[j]);
            }
        }
        let spectrum = Spectrum::of(&scaled, m)?;
        let is_free = |i: &usize| known.standing.get(*i).is_some_and(|s| moves(*s));
        let mut found = Propagation {
            idle: (0..m)
                .filter(|i| is_free(i) && scales.get(*i) == Some(&0.0))
                .collect(),
            scales,
            directions: spectrum.values.into_iter().zip(spectrum.vectors).collect(),
            threshold: (CAUTION * known.information_error).max(PRECISION),
            edges: Vec::new(),
        };
        for normal in &known.edges {
            found.hold(normal);
        }
        Some(found)
    }

    /// Lets nothing move along a normal any more: C becomes C - C n n'C / n'C n.
    fn hold(&mut self, normal: &[f64]) {
        let mut rest = normal.to_vec();
        for (known, square) in &self.edges {
            let part = self.free(normal, known) / square;
            for (own, other) in rest.iter_mut().zip(known) {
                *own -= part * other;
            }
        }
        let square = self.free(&rest, &rest);
        if square > 0.0 {
            self.edges.push((rest, square));
        }
    }

    /// The covariance of two quantities with these gradients by the inner coordinates; infinite
    /// where one of them follows what the data do not determine.
    #[must_use]
    pub fn covariance(&self, one: &[f64], other: &[f64]) -> f64 {
        if self.is_undetermined(one) || self.is_undetermined(other) {
            return f64::INFINITY;
        }
        let held = self
            .edges
            .iter()
            .map(|(normal, square)| self.free(one, normal) * self.free(normal, other) / square);
        self.free(one, other) - held.sum::<f64>()
    }

    /// The same with no edge.
    fn free(&self, one: &[f64], other: &[f64]) -> f64 {
        let (one, other) = (self.scaled(one), self.scaled(other));
        let known = self.directions.iter();
        known
            .filter(|(value, _)| *value > self.threshold)
            .map(|(value, along)| dot(along, &one) * dot(along, &other) / value)
            .sum()
    }

    /// The standard error of a quantity with this gradient.
    #[must_use]
    pub fn error(&self, gradient: &[f64]) -> f64 {
        // Rounding may leave less than nothing along an edge.
        self.covariance(gradient, gradient).max(0.0).sqrt()
    }

    fn scaled(&self, gradient: &[f64]) -> Vec<f64> {
        let pairs = gradient.iter().zip(&self.scales);
        pairs.map(|(slope, scale)| slope * scale).collect()
    }

    fn is_undetermined(&self, gradient: &[f64]) -> bool {
        if self
            .idle
            .iter()
            .any(|at| gradient.get(*at).is_some_and(|slope| *slope != 0.0))
        {
            return true;
        }
        let scaled = self.scaled(gradient);
        let length = dot(&scaled, &scaled).sqrt();
        let mut unknown = self.directions.iter().filter(|(value, along)| {
            // Directions of held parameters have eigenvalue 0 and nothing moves along them.
            *value <= self.threshold && dot(along, &scaled).abs() > FOLLOWS * length
        });
        unknown.next().is_some()
    }
}

/// True for what is free but for the edges of a region.
fn moves(standing: Standing) -> bool {
    standing.is_free() || standing == Standing::OnEdge
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(information: Vec<f64>, standing: Vec<Standing>) -> Uncertainty {
        let m = standing.len();
        Uncertainty {
            at: vec![0.0; m],
            standing,
            information,
            information_error: 0.0,
            eigenvalues: Vec::new(),
            covariance: Vec::new(),
            inner_errors: Vec::new(),
            errors: Vec::new(),
            correlation: Vec::new(),
            undetermined: Vec::new(),
            falling: Vec::new(),
            edges: Vec::new(),
        }
    }

    #[test]
    fn errors_are_those_of_the_inverse() {
        // The inverse of ((4, 1), (1, 2)) is ((2, -1), (-1, 4))/7.
        let of = Propagation::new(&known(
            vec![4.0, 1.0, 1.0, 2.0],
            vec![Standing::Determined; 2],
        ))
        .expect("a spectrum");
        assert!((of.error(&[1.0, 0.0]) - (2.0_f64 / 7.0).sqrt()).abs() < 1e-14);
        assert!((of.covariance(&[1.0, 0.0], &[0.0, 1.0]) + 1.0 / 7.0).abs() < 1e-14);
        // (1, 3): (2 - 6 + 36)/7.
        assert!((of.error(&[1.0, 3.0]) - (32.0_f64 / 7.0).sqrt()).abs() < 1e-14);
    }

    #[test]
    fn a_product_is_known_where_its_factors_are_not() {
        // Only the sum of two logarithms is seen, with information 9.
        let of = Propagation::new(&known(vec![9.0; 4], vec![Standing::Undetermined; 2]))
            .expect("a spectrum");
        assert!((of.error(&[1.0, 1.0]) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(of.error(&[1.0, 0.0]), f64::INFINITY);
    }

    #[test]
    fn what_is_held_adds_nothing() {
        let of = Propagation::new(&known(
            vec![4.0, 0.0, 0.0, 0.0],
            vec![Standing::Determined, Standing::AtUpper],
        ))
        .expect("a spectrum");
        assert!((of.error(&[1.0, 5.0]) - 0.5).abs() < 1e-14);
        let idle = Propagation::new(&known(
            vec![4.0, 0.0, 0.0, 0.0],
            vec![Standing::Determined, Standing::Undetermined],
        ))
        .expect("a spectrum");
        assert_eq!(idle.error(&[1.0, 5.0]), f64::INFINITY);
    }

    #[test]
    fn nothing_moves_along_an_edge() {
        // Of C = 1 and n = (1, -1), C - n n'/2 has 1/2 everywhere; with (0, 1) too nothing is left.
        let mut known = known(vec![1.0, 0.0, 0.0, 1.0], vec![Standing::Determined; 2]);
        known.edges = vec![vec![1.0, -1.0]];
        let of = Propagation::new(&known).expect("a spectrum");
        assert!((of.error(&[1.0, 0.0]) - 0.5_f64.sqrt()).abs() < 1e-14);
        assert!((of.error(&[1.0, 1.0]) - 2.0_f64.sqrt()).abs() < 1e-14);
        assert!(of.error(&[1.0, -1.0]) < 1e-7);
        known.edges.push(vec![0.0, 1.0]);
        known.standing = vec![Standing::OnEdge; 2];
        let of = Propagation::new(&known).expect("a spectrum");
        assert!(of.error(&[3.0, 1.0]) < 1e-7);
    }
}
