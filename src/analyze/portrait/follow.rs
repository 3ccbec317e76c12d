//! Runs forward and backward in time that end where a picture ends.

use super::{Plane, Point};
use crate::simulate::{
    Dynamics, Halt, Method, Monitor, Options, Output, Solution, Statistics, Tolerances, integrate,
};
use std::ops::ControlFlow;

/// The same equations with the time reversed.
pub(super) struct Reversed<'a>(pub &'a dyn Dynamics);

impl Dynamics for Reversed<'_> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }

    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) {
        self.0.drift(t, y, dy);
        dy.iter_mut().for_each(|rate| *rate = -*rate);
    }

    fn pattern(&self) -> (&[usize], &[usize]) {
        self.0.pattern()
    }

    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]) {
        self.0.jacobian(t, y, entries);
        entries.iter_mut().for_each(|entry| *entry = -*entry);
    }

    fn is_autonomous(&self) -> bool {
        self.0.is_autonomous()
    }

    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]) {
        self.0.time_derivative(t, y, out);
        out.iter_mut().for_each(|rate| *rate = -*rate);
    }

    fn algebraic(&self) -> &[bool] {
        self.0.algebraic()
    }
}

/// Which way the time runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Backward,
}

/// How long runs may take, and by which method they are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The time in which a usual point crosses the window.
    pub crossing: f64,
    method: Method,
}

/// Beyond so many decay times in a crossing of the window an explicit method is not tried.
const STIFF: f64 = 2000.0;

impl Pace {
    /// The same where an explicit method would do for most of the window only.
    pub fn implicit(self) -> Pace {
        Pace {
            method: Method::Auto,
            ..self
        }
    }

    /// From speeds and Jacobians at places all over the window.
    pub fn of(plane: &Plane<'_>) -> Pace {
        const ACROSS: usize = 9;
        let mut speeds = Vec::new();
        let mut stiffest = 0.0_f64;
        let mut entries = vec![0.0; plane.dynamics.pattern().1.len()];
        for k in 0..ACROSS * ACROSS {
            let part = |i: usize| (i as f64 + 0.5) / ACROSS as f64;
            let point = plane.window.at((part(k % ACROSS), part(k / ACROSS)));
            let (du, dv) = plane.unit_rate(point);
            let speed = du.hypot(dv);
            if speed.is_finite() && speed > 0.0 {
                speeds.push(speed);
            }
            plane
                .dynamics
                .jacobian(plane.time, &plane.state(point), &mut entries);
            let largest = entries
                .iter()
                .fold(0.0_f64, |most, entry| most.max(entry.abs()));
            if largest.is_finite() {
                stiffest = stiffest.max(largest);
            }
        }
        speeds.sort_by(f64::total_cmp);
        let usual = speeds.get(speeds.len() / 2).copied().unwrap_or(1.0);
        let crossing = (1.0 / usual).clamp(1e-200, 1e200);
        let method = if stiffest * crossing > STIFF {
            Method::Auto
        } else {
            Method::Tsit5
        };
        Pace { crossing, method }
    }
}

/// Ends a run when `goes_on` says so or the user wants to stop.
struct Watch<'a> {
    goes_on: &'a mut dyn FnMut(f64, &[f64]) -> bool,
    interrupted: &'a dyn Fn() -> bool,
}

impl Monitor for Watch<'_> {
    fn step(&mut self, time: f64, state: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if (self.goes_on)(time, state) && !(self.interrupted)() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(Halt::Interrupt)
        }
    }
}

/// What a run may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Its longest time.
    pub time: f64,
    /// Its most steps.
    pub steps: u64,
    /// Relative tolerance; the absolute one is that part of the size of the window.
    pub tolerance: f64,
    /// Rows between two steps.
    pub interior: usize,
}

/// Follows a state while `goes_on`, given the elapsed time and the state, holds.
pub(super) fn follow(
    plane: &Plane<'_>,
    pace: Pace,
    way: Way,
    state: &[f64],
    limits: Limits,
    goes_on: &mut dyn FnMut(f64, &[f64]) -> bool,
) -> Solution {
    let window = &plane.window;
    let size = (window.x.1 - window.x.0).min(window.y.1 - window.y.0);
    let tolerances = Tolerances::uniform(
        limits.tolerance,
        0.01 * limits.tolerance * size,
        state.len(),
    );
    let mut options = Options::new(tolerances).with_method(pace.method);
    options.max_steps = limits.steps;
    let output = Output::Steps {
        interior: limits.interior,
    };
    let mut watch = Watch {
        goes_on,
        interrupted: plane.interrupted,
    };
    let reversed = Reversed(plane.dynamics);
    let dynamics: &dyn Dynamics = match way {
        Way::Forward => plane.dynamics,
        Way::Backward => &reversed,
    };
    integrate(
        dynamics,
        0.0,
        state,
        limits.time,
        &output,
        &options,
        &mut watch,
    )
}

/// The points of a run, without those that are closer together than can be seen.
pub(super) fn points(plane: &Plane<'_>, run: &Solution) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::with_capacity(run.times.len());
    let mut last = (f64::NAN, f64::NAN);
    for row in 0..run.times.len() {
        let Some(state) = run.row(row) else { break };
        let point = plane.point(state);
        let unit = plane.window.unit(point);
        if !(unit.0.is_finite() && unit.1.is_finite()) {
            break;
        }
        let is_last = row + 1 == run.times.len();
        let near = (unit.0 - last.0).hypot(unit.1 - last.1) < 1e-3;
        if !near || is_last {
            points.push(point);
            last = unit;
        }
    }
    points
}

/// How far beyond the window a curve is followed, so that it does not end at the frame.
pub(super) const MARGIN: f64 = 0.02;

/// The trajectory of a state forward in time: until it leaves the window, or until it has come to
/// where it stays.
#[must_use]
pub fn trajectory(plane: &Plane<'_>, state: &[f64]) -> Vec<Point> {
    let pace = Pace::of(plane);
    let limits = Limits {
        time: 100.0 * pace.crossing,
        steps: 4000,
        tolerance: 1e-6,
        interior: 7,
    };
    let run = follow(plane, pace, Way::Forward, state, limits, &mut |_, state| {
        plane.window.holds(plane.point(state), MARGIN)
    });
    points(plane, &run)
}

/// A state that exceeds its size so many times runs away.
const GROWN: f64 = 50.0;

/// States that a start comes through, a few hundred steps far, as long as none exceeds `sizes` fifty
/// times; empty when one does, or when it ends otherwise than it should.
#[must_use]
pub fn visited(
    dynamics: &dyn Dynamics,
    start: &[f64],
    sizes: &[f64],
    interrupted: &dyn Fn() -> bool,
) -> Vec<Vec<f64>> {
    let mut drift = vec![0.0; start.len()];
    dynamics.drift(0.0, start, &mut drift);
    let known = |size: &f64| *size > 0.0;
    let usual = sizes.iter().copied().filter(known).fold(0.0_f64, f64::max);
    let usual = if usual > 0.0 { usual } else { 1.0 };
    // A state that is zero everywhere has a size that only the run shows.
    let sizes: Vec<f64> = sizes
        .iter()
        .map(|size| if known(size) { *size } else { usual })
        .collect();
    let rate = drift
        .iter()
        .zip(&sizes)
        .fold(0.0_f64, |most, (f, size)| most.max((f / size).abs()));
    if !(rate.is_finite() && rate > 0.0) {
        return Vec::new();
    }
    let absolute = sizes.iter().map(|size| 1e-9 * size).collect();
    let mut options = Options::new(Tolerances {
        relative: 1e-5,
        absolute,
    });
    options.max_steps = 600;
    let mut stays = true;
    let mut goes_on = |_: f64, state: &[f64]| {
        stays &= state
            .iter()
            .zip(&sizes)
            .all(|(y, size)| y.abs() <= GROWN * size);
        stays
    };
    let mut watch = Watch {
        goes_on: &mut goes_on,
        interrupted,
    };
    let output = Output::Steps { interior: 0 };
    let run = integrate(
        dynamics,
        0.0,
        start,
        200.0 / rate,
        &output,
        &options,
        &mut watch,
    );
    if !stays {
        return Vec::new();
    }
    (0..run.times.len())
        .filter_map(|row| run.row(row).map(<[f64]>::to_vec))
        .collect()
}
