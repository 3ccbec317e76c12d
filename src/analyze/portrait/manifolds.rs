//! The curves along which a saddle is entered (its stable manifold) and left (its unstable one):
//! runs that start next to it along its eigenvectors, backward and forward in time.

use super::follow::{Limits, MARGIN, Pace, Way, follow, points};
use super::{Plane, Point};

/// One branch of a manifold.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifold {
    /// True for the stable one, along which states come to the saddle.
    pub stable: bool,
    /// From the saddle on.
    pub points: Vec<Point>,
}

/// Distance of the start from the saddle, for the size of the window; the curve is off by about
/// the square of it.
const START: f64 = 1e-5;
/// Distance to another fixed point at which a branch has come to it.
const ARRIVED: f64 = 8e-3;
/// The longest branch, in sizes of the window.
const LONGEST: f64 = 12.0;

/// The four branches of a saddle of the plane, each as far as the window. `directions` are real
/// eigenvectors of the whole state, each with its eigenvalue.
#[must_use]
pub fn manifolds(
    plane: &Plane<'_>,
    saddle: &[f64],
    directions: &[(f64, Vec<f64>)],
    fixed: &[Point],
) -> Vec<Manifold> {
    let pace = Pace::of(plane);
    let from = plane.point(saddle);
    let origin = plane.window.unit(from);
    let others: Vec<Point> = fixed
        .iter()
        .map(|point| plane.window.unit(*point))
        .filter(|point| (point.0 - origin.0).hypot(point.1 - origin.1) > ARRIVED)
        .collect();
    let window = &plane.window;
    let size = (window.x.1 - window.x.0, window.y.1 - window.y.0);
    let mut branches = Vec::new();
    for (value, direction) in directions {
        let (dx, dy) = plane.point(direction);
        let long = (dx / size.0).hypot(dy / size.1);
        if !(long.is_finite() && long > 0.0) {
            continue;
        }
        let stable = *value < 0.0;
        let way = if stable { Way::Backward } else { Way::Forward };
        let escape = (1.0 / START).ln() / value.abs();
        let limits = Limits {
            time: 200.0 * pace.crossing + 3.0 * escape,
            steps: 6000,
            tolerance: 1e-8,
            interior: 7,
        };
        for side in [1.0, -1.0] {
            let step = side * START / long;
            let start = plane.state((from.0 + step * dx, from.1 + step * dy));
            let (mut last, mut gone) = (origin, 0.0);
            let run = follow(plane, pace, way, &start, limits, &mut |_, state| {
                let point = plane.point(state);
                let unit = window.unit(point);
                gone += (unit.0 - last.0).hypot(unit.1 - last.1);
                last = unit;
                let near = |other: &Point| (other.0 - unit.0).hypot(other.1 - unit.1) < ARRIVED;
                window.holds(point, MARGIN) && gone < LONGEST && !others.iter().any(near)
            });
            let mut curve = vec![from];
            curve.extend(points(plane, &run));
            // One that leaves the window at once has nothing to show.
            if curve.len() > 2 {
                branches.push(Manifold {
                    stable,
                    points: curve,
                });
            }
        }
    }
    branches
}
