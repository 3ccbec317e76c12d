//! The stage equations of a Rosenbrock method for derivatives that ride along.
//!
//! In: right-hand sides of a stage for the whole state vector, and the factorised matrix of the
//! system without derivatives. Out: the stage.
//!
//! The Jacobian of states and derivatives together is J in each diagonal block; below it, the block
//! of S_j by y is K_j = d(f_y S_j + f_theta)/dy, and the derivative of its drift by time is
//! d(f_y S_j + f_theta)/dt. With U the stage of the states, that of S_j solves
//!
//! ```text
//! (D/(h gamma) - J) U_j = right side + K_j U + h d_i d(f_y S_j + f_theta)/dt
//! ```
//!
//! so that one factorisation serves all. The last two terms are one directional derivative. With
//! both, the method applied to derivatives is the derivative of the method, and keeps its order.

use crate::linalg::Shifted;
use crate::linalg::length::Length;
use crate::simulate::stepper::Watched;

/// Solves stage equations, derivatives included.
#[derive(Debug)]
pub(in crate::simulate) struct StageSolver {
    /// Numbers of the state without derivatives.
    states: usize,
    /// The additional terms of all derivatives.
    along: Vec<f64>,
}

impl StageSolver {
    /// For state vectors of this length.
    pub fn new(system: &Watched<'_>, dimension: usize) -> StageSolver {
        let states = dimension / (1 + system.varied());
        StageSolver {
            states,
            along: vec![0.0; dimension - states],
        }
    }

    /// Turns the right-hand sides in `u` into the stage. The step begins at (`time`, `y`); `dt` is
    /// h times the stage's factor of the time derivative.
    #[inline(always)]
    pub fn solve<L: Length>(
        &mut self,
        system: &Watched<'_>,
        matrix: &mut Shifted<L>,
        (time, y): (f64, &[f64]),
        dt: f64,
        u: &mut [f64],
    ) {
        if self.along.is_empty() {
            matrix.solve(u);
        } else {
            self.solve_all(system, matrix, (time, y), dt, u);
        }
    }

    #[cold]
    fn solve_all<L: Length>(
        &mut self,
        system: &Watched<'_>,
        matrix: &mut Shifted<L>,
        (time, y): (f64, &[f64]),
        dt: f64,
        u: &mut [f64],
    ) {
        let (state, derivatives) = u.split_at_mut(self.states);
        matrix.solve(state);
        system.varied_along(time, y, (dt, state), &mut self.along);
        let blocks = derivatives.chunks_exact_mut(self.states);
        for (block, along) in blocks.zip(self.along.chunks_exact(self.states)) {
            for (right, along) in block.iter_mut().zip(along) {
                *right += along;
            }
            matrix.solve(block);
        }
    }
}
