//! The phase plane of a flow: what one draws to see where its states go.
//!
//! ```text
//! Plane (two states, the others held or bound to them by kept sums) + window
//!   contour.rs      nullclines: marching squares, each point refined onto f = 0
//!   follow.rs       runs forward and backward in time that end where a picture ends
//!   streamlines.rs  trajectories at even distances
//!   manifolds.rs    the curves along which a saddle is entered and left
//!   cycles.rs       closed orbits that attract or repel: roots of the return map of a ray
//! ```
//!
//! Enters: a [`Dynamics`] and equilibria. Leaves: curves of points in the units of the states.
//! States are positions; must not know names, figures or text.

mod contour;
mod cycles;
mod follow;
mod manifolds;
mod streamlines;
#[cfg(test)]
mod tests;

pub use contour::nullclines;
pub use cycles::{Coming, Cycle, Found, attracting_cycle, comes_to, limit_cycles};
pub use follow::{trajectory, visited};
pub use manifolds::{Manifold, manifolds};
pub use streamlines::{Streamline, streamlines};

use super::laws::Law;
use crate::simulate::Dynamics;
use nalgebra::{DMatrix, DVector};

/// A place in the plane, in the units of the two states.
pub type Point = (f64, f64);

/// What is drawn: both ranges are finite and not empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// The range of the horizontal state.
    pub x: (f64, f64),
    /// The range of the vertical state.
    pub y: (f64, f64),
}

impl Window {
    /// The place on the unit square.
    #[must_use]
    pub fn unit(&self, (x, y): Point) -> Point {
        (
            (x - self.x.0) / (self.x.1 - self.x.0),
            (y - self.y.0) / (self.y.1 - self.y.0),
        )
    }

    /// The place of a point of the unit square.
    #[must_use]
    pub fn at(&self, (u, v): Point) -> Point {
        (
            self.x.0 + u * (self.x.1 - self.x.0),
            self.y.0 + v * (self.y.1 - self.y.0),
        )
    }

    /// True within the window widened by `margin` times its size on each side.
    #[must_use]
    pub fn holds(&self, point: Point, margin: f64) -> bool {
        let (u, v) = self.unit(point);
        let inside = |part: f64| (-margin..=1.0 + margin).contains(&part);
        inside(u) && inside(v)
    }
}

/// A plane in the space of states.
pub struct Plane<'a> {
    /// The equations of a flow; they do not name the time.
    pub dynamics: &'a dyn Dynamics,
    /// The time that is handed to them.
    pub time: f64,
    /// Positions of the horizontal and the vertical state.
    pub axes: (usize, usize),
    /// What is looked at.
    pub window: Window,
    /// A state of the plane.
    base: Vec<f64>,
    /// How the state changes along the two axes.
    along: [Vec<f64>; 2],
    /// True when trajectories that start in the plane stay in it.
    pub invariant: bool,
    /// True when the user wants to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

impl<'a> Plane<'a> {
    /// The plane of two states through `base`. Where sums that the equations keep leave only
    /// these two free, the others follow from them; else the others are held.
    #[must_use]
    pub fn new(
        dynamics: &'a dyn Dynamics,
        time: f64,
        axes: (usize, usize),
        window: Window,
        base: &[f64],
        laws: &[Law],
        interrupted: &'a dyn Fn() -> bool,
    ) -> Plane<'a> {
        let n = base.len();
        let bound = bound(n, axes, laws);
        let invariant = n == 2 || bound.is_some();
        let single = |axis: usize| (0..n).map(|i| f64::from(i == axis)).collect();
        Plane {
            dynamics,
            time,
            axes,
            window,
            base: base.to_vec(),
            along: bound.unwrap_or_else(|| [single(axes.0), single(axes.1)]),
            invariant,
            interrupted,
        }
    }

    /// The whole state at a place.
    #[must_use]
    pub fn state(&self, (x, y): Point) -> Vec<f64> {
        let value = |axis: usize| self.base.get(axis).copied().unwrap_or(0.0);
        let (dx, dy) = (x - value(self.axes.0), y - value(self.axes.1));
        let along = self.along[0].iter().zip(&self.along[1]);
        let mut state: Vec<f64> = (self.base.iter().zip(along))
            .map(|(base, (by_x, by_y))| base + by_x * dx + by_y * dy)
            .collect();
        // Exact on the axes, where sums would round.
        if let Some(value) = state.get_mut(self.axes.0) {
            *value = x;
        }
        if let Some(value) = state.get_mut(self.axes.1) {
            *value = y;
        }
        state
    }

    /// Where a state lies in the plane, or its shadow.
    #[must_use]
    pub fn point(&self, state: &[f64]) -> Point {
        let value = |axis: usize| state.get(axis).copied().unwrap_or(f64::NAN);
        (value(self.axes.0), value(self.axes.1))
    }

    /// How fast the two states change at a place.
    #[must_use]
    pub fn rate(&self, point: Point) -> Point {
        let state = self.state(point);
        let mut drift = vec![0.0; state.len()];
        self.dynamics.drift(self.time, &state, &mut drift);
        self.point(&drift)
    }

    /// The same on the unit square.
    fn unit_rate(&self, point: Point) -> Point {
        let (dx, dy) = self.rate(point);
        let window = &self.window;
        (
            dx / (window.x.1 - window.x.0),
            dy / (window.y.1 - window.y.0),
        )
    }

    /// The states that are held where trajectories may leave the plane.
    #[must_use]
    pub fn held(&self) -> Vec<(usize, f64)> {
        if self.invariant {
            return Vec::new();
        }
        let others = self.base.iter().copied().enumerate();
        others
            .filter(|(at, _)| *at != self.axes.0 && *at != self.axes.1)
            .collect()
    }
}

/// How all states change with the two of the axes, when the kept sums leave no others free.
fn bound(n: usize, axes: (usize, usize), laws: &[Law]) -> Option<[Vec<f64>; 2]> {
    let others: Vec<usize> = (0..n).filter(|at| *at != axes.0 && *at != axes.1).collect();
    if others.is_empty() || laws.is_empty() {
        return None;
    }
    let mut weights = DMatrix::zeros(laws.len(), n);
    for (row, law) in laws.iter().enumerate() {
        for (at, weight) in &law.terms {
            if *at < n {
                weights[(row, *at)] += *weight;
            }
        }
    }
    let of_others = weights.select_columns(others.iter());
    let svd = of_others.svd(true, true);
    let largest: f64 = svd.singular_values.max();
    let small = 1e-10 * largest;
    if largest.is_nan() || largest <= 0.0 || svd.rank(small) < others.len() {
        return None;
    }
    let along = |axis: usize, other: usize| -> Option<Vec<f64>> {
        let wanted: DVector<f64> = -weights.column(axis).clone_owned();
        let solved = svd.solve(&wanted, small).ok()?;
        let left = (weights.select_columns(others.iter()) * &solved - &wanted).amax();
        if left > 1e-9 * weights.amax() {
            return None;
        }
        let mut direction = vec![0.0; n];
        for (at, value) in others.iter().zip(solved.iter()) {
            *direction.get_mut(*at)? = *value;
        }
        *direction.get_mut(axis)? = 1.0;
        *direction.get_mut(other)? = 0.0;
        Some(direction)
    };
    Some([along(axes.0, axes.1)?, along(axes.1, axes.0)?])
}
