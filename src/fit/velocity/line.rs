//! Straight lines u = slope s + intercept through chosen cells, in closed form.
//!
//! Enters: the spliced and unspliced counts of cells. Leaves: slope and intercept. Must not know
//! how the cells were chosen.

use super::{Bounds, Line};

/// Sums over the chosen cells; the squares are taken about the means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    pub count: f64,
    pub mean_s: f64,
    pub mean_u: f64,
    pub ss: f64,
    pub su: f64,
    pub uu: f64,
}

impl Sums {
    /// Of pairs (s, u).
    pub fn of(pairs: &[(f64, f64)]) -> Sums {
        #[expect(clippy::cast_precision_loss, reason = "a number of cells")]
        let count = pairs.len() as f64;
        let (mut s, mut u) = (0.0, 0.0);
        for pair in pairs {
            s += pair.0;
            u += pair.1;
        }
        let (mean_s, mean_u) = (s / count, u / count);
        let (mut ss, mut su, mut uu) = (0.0, 0.0, 0.0);
        for pair in pairs {
            let (a, b) = (pair.0 - mean_s, pair.1 - mean_u);
            ss += a * a;
            su += a * b;
            uu += b * b;
        }
        Sums {
            count,
            mean_s,
            mean_u,
            ss,
            su,
            uu,
        }
    }

    /// The slope through (0, intercept); not a number when all s are zero.
    fn through(&self, intercept: f64) -> f64 {
        let rest = self.mean_u - intercept;
        let products = self.su + self.count * self.mean_s * rest;
        products / (self.ss + self.count * self.mean_s * self.mean_s)
    }

    /// The sum of squared residuals.
    fn residual(&self, slope: f64, intercept: f64) -> f64 {
        let center = self.mean_u - slope * self.mean_s - intercept;
        self.uu - 2.0 * slope * self.su + slope * slope * self.ss + self.count * center * center
    }
}

/// Slope and intercept; not numbers where the cells do not say them.
pub(super) fn fit(sums: &Sums, line: Line) -> (f64, f64) {
    match line {
        Line::Origin => (sums.through(0.0), 0.0),
        Line::Intercept => {
            let slope = sums.su / sums.ss;
            let intercept = sums.mean_u - slope * sums.mean_s;
            if intercept < 0.0 {
                (sums.through(0.0), 0.0)
            } else {
                (slope, intercept)
            }
        }
        Line::Bounded(bounds) => bounded(sums, bounds),
    }
}

/// The least residual over a rectangle: inside, if the free minimum is there, else on an edge,
/// where it is that of a parabola.
fn bounded(sums: &Sums, bounds: Bounds) -> (f64, f64) {
    let (least, most) = bounds.slope;
    let ceiling = bounds.intercept * sums.mean_u;
    let slope = sums.su / sums.ss;
    let intercept = sums.mean_u - slope * sums.mean_s;
    if (least..=most).contains(&slope) && (0.0..=ceiling).contains(&intercept) {
        return (slope, intercept);
    }
    if sums.ss + sums.count * sums.mean_s * sums.mean_s == 0.0 {
        return (f64::NAN, f64::NAN);
    }
    let on_slope = |slope: f64| {
        let best = sums.mean_u - slope * sums.mean_s;
        (slope, best.min(ceiling).max(0.0))
    };
    let on_intercept = |intercept: f64| {
        let best = sums.through(intercept);
        (best.min(most).max(least), intercept)
    };
    let edges = [
        on_intercept(0.0),
        on_intercept(ceiling.max(0.0)),
        on_slope(least),
        on_slope(most),
    ];
    let residual = |edge: &(f64, f64)| sums.residual(edge.0, edge.1);
    let best = edges
        .into_iter()
        .min_by(|a, b| residual(a).total_cmp(&residual(b)));
    best.unwrap_or((f64::NAN, f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    /// Against a search over a grid of the rectangle.
    #[test]
    fn a_bounded_line_is_the_best_of_the_rectangle() {
        let mut rng = rand::rngs::SmallRng::seed_from_u64(4);
        for round in 0..200 {
            let (a, b) = (
                3.0 * rng.random::<f64>() - 1.0,
                4.0 * rng.random::<f64>() - 2.0,
            );
            let pairs: Vec<_> = (0..12)
                .map(|_| {
                    let s = rng.random::<f64>() * 2.0;
                    (s, (a * s + b + rng.random::<f64>()).max(0.0))
                })
                .collect();
            let sums = Sums::of(&pairs);
            let bounds = Bounds {
                slope: (1e-8, 1.5),
                intercept: 2.0,
            };
            let (slope, intercept) = fit(&sums, Line::Bounded(bounds));
            let of = |slope: f64, intercept: f64| -> f64 {
                pairs
                    .iter()
                    .map(|(s, u)| (u - slope * s - intercept).powi(2))
                    .sum()
            };
            let found = of(slope, intercept);
            for i in 0..=40 {
                for j in 0..=40 {
                    let slope = 1e-8 + (1.5 - 1e-8) * f64::from(i) / 40.0;
                    let intercept = 2.0 * sums.mean_u * f64::from(j) / 40.0;
                    assert!(found <= of(slope, intercept) + 1e-12, "{round}");
                }
            }
        }
    }
}
