//! The Euler method that is implicit in the drift: y1 = y + f(t1, y1) h + B(t, y) dW.
//!
//! In: a system, the noise of a step as a compiled scheme. Out: a [`Rule`]. Of strong order 1/2 as
//! the explicit one, and stable however fast the drift decays (P. E. Kloeden, E. Platen, Numerical
//! Solution of Stochastic Differential Equations (1992), section 12.2). The equation for y1 is
//! solved by Newton's iteration with the exact Jacobian, damped where that brings it nearer.

use super::Path;
use super::rules::{Compiled, Rule};
use crate::kernel::Scratch;
use crate::linalg::length::Any;
use crate::linalg::{Pattern, Shifted};
use crate::simulate::interrupt::live_modes;
use crate::simulate::step_size::scaled_norm;
use crate::simulate::stepper::{StepFailure, Watched, all_finite};
use crate::simulate::{CompiledDynamics, Problem, Stop, Tolerances};

/// Iterations at most.
const MOST: u32 = 30;
/// Halvings of one correction at most.
const HALVINGS: u32 = 6;
/// Size of the last correction in terms of the tolerance: its square is what is left.
const CONVERGED: f64 = 1e-2;

/// A step of the method.
pub(super) struct Implicit<'s> {
    problem: &'s Problem<'s>,
    dynamics: &'s CompiledDynamics<'s>,
    system: &'s Watched<'s>,
    noise: Compiled<'s>,
    tolerances: &'s Tolerances,
    step: f64,
    matrix: Shifted<Any>,
    /// The step and the entries of the Jacobian that are factorised.
    known: (f64, Vec<f64>),
    factorisations: u64,
    /// The state moved by the noise alone.
    moved: Vec<f64>,
    residual: Vec<f64>,
    correction: Vec<f64>,
    trial: Vec<f64>,
}

impl<'s> Implicit<'s> {
    pub fn new(path: &'s Path<'_>, system: &'s Watched<'s>, noise: Compiled<'s>) -> Implicit<'s> {
        let n = system.dimension();
        let (starts, rows) = system.pattern();
        let zeros = || vec![0.0; n];
        Implicit {
            matrix: Shifted::new(Any(n), Pattern { starts, rows }, Vec::new()),
            known: (0.0, Vec::new()),
            factorisations: 0,
            step: 0.0,
            moved: zeros(),
            residual: zeros(),
            correction: zeros(),
            trial: zeros(),
            system,
            noise,
            problem: path.problem,
            dynamics: path.dynamics,
            tolerances: path.tolerances,
        }
    }

    /// Conditions of the drift stay for a step as they are where it begins.
    fn freeze_modes(&self, time: f64, y: &[f64]) {
        let system = self.problem.system;
        let range = system.slots.modes.clone();
        if range.is_empty() {
            return;
        }
        let guards = self.problem.kernels.guards();
        let mut values = vec![0.0; guards.out_len()];
        let dynamics = self.dynamics;
        dynamics.evaluate(&**guards, time, y, &mut values, &mut Scratch::new());
        let modes = live_modes(system, &values);
        if let Some(slots) = dynamics.slots_mut().get_mut(range) {
            slots.copy_from_slice(&modes);
        }
    }

    /// (y1 - moved)/h - f(t1, y1) at `y`, into `residual`.
    fn residual(&mut self, time: f64, y: &[f64]) {
        self.system.drift(time, y, &mut self.residual);
        let step = self.step;
        for ((r, y), moved) in self.residual.iter_mut().zip(y).zip(&self.moved) {
            *r = (y - moved) / step - *r;
        }
    }

    /// Factorises 1/h - J at `y`, unless that is what is factorised.
    fn factorise(&mut self, time: f64, y: &[f64]) -> Result<(), StepFailure> {
        let (step, known, matrix) = (self.step, &mut self.known, &mut self.matrix);
        let factorisations = &mut self.factorisations;
        let done = self.system.jacobian(time, y, |entries| {
            if known.0 == step && known.1 == entries {
                return Ok(());
            }
            known.0 = step;
            known.1.clear();
            known.1.extend_from_slice(entries);
            *factorisations += 1;
            matrix.factorise(1.0 / step, entries)
        });
        done.map_err(|_| {
            known.1.clear();
            given_up(time, "the matrix of an implicit step is singular")
        })
    }

    fn size(&self, values: &[f64], at: &[f64]) -> f64 {
        scaled_norm(values, at, self.tolerances)
    }

    /// Solves for the state at the end of the step, `y` being the first guess.
    fn solve(&mut self, time: f64, y: &mut [f64]) -> Result<(), StepFailure> {
        self.residual(time, y);
        for _ in 0..MOST {
            if !all_finite(&self.residual) {
                y.copy_from_slice(&self.residual);
                return Ok(());
            }
            self.factorise(time, y)?;
            self.correction.copy_from_slice(&self.residual);
            self.matrix.solve(&mut self.correction);
            let before = self.size(&self.residual, y);
            let size = self.size(&self.correction, y);
            let mut share = 1.0;
            for halving in 0..=HALVINGS {
                let pairs = y.iter().zip(&self.correction);
                for (trial, (y, correction)) in self.trial.iter_mut().zip(pairs) {
                    *trial = y - share * correction;
                }
                let trial = std::mem::take(&mut self.trial);
                self.residual(time, &trial);
                let after = self.size(&self.residual, &trial);
                self.trial = trial;
                let is_rounding = size <= CONVERGED;
                if after < before || is_rounding || halving == HALVINGS {
                    break;
                }
                share *= 0.5;
            }
            y.copy_from_slice(&self.trial);
            if share == 1.0 && (size <= CONVERGED || self.system.is_linear()) {
                return Ok(());
            }
        }
        Err(given_up(
            time,
            "the equation of an implicit step was not solved: try a shorter `dt`",
        ))
    }
}

fn given_up(time: f64, detail: &str) -> StepFailure {
    StepFailure::Ended(Box::new(Stop::SolverFailed {
        time,
        detail: detail.to_owned(),
    }))
}

impl Rule for Implicit<'_> {
    fn restart(&mut self, time: f64) {
        self.noise.restart(time);
        self.known.1.clear();
    }

    fn set_step(&mut self, step: f64) {
        self.noise.set_step(step);
        self.step = step;
    }

    fn normals(&mut self) -> &mut [f64] {
        self.noise.normals()
    }

    fn advance(&mut self, time: f64, state: &[f64], next: &mut [f64]) -> Result<(), StepFailure> {
        self.noise.advance(time, state, next)?;
        if !all_finite(next) {
            return Ok(());
        }
        self.moved.copy_from_slice(next);
        self.freeze_modes(time, state);
        self.solve(time + self.step, next)
    }

    fn factorisations(&self) -> u64 {
        self.factorisations
    }
}
