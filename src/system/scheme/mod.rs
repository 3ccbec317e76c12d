//! One step of a method for dy = f dt + B dW as symbolic functions of the state before it.
//!
//! ```text
//! equations.rs  the drift in the Ito sense and B times a vector, at any point of a step
//! structure.rs  what B depends on, and whether its columns commute
//! rules.rs      the methods; adaptive.rs the one with an estimate of its error
//! ```
//!
//! Enters: a [`System`] with noise. Leaves: a [`Scheme`], ready to be compiled, or why the method
//! is not for this noise. Must not know random numbers, nor who takes steps.

mod adaptive;
mod equations;
mod rules;
mod structure;

pub use structure::{NoiseStructure, has_exact_transition, noise_structure};

use super::{Layout, System};
use crate::symbolic::{Expr, Pool, SymbolId};
use equations::Equations;
use std::sync::Arc;

/// A method whose step is a function of the state, the step's length h and normal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemeKind {
    /// y + f h + B dW.
    EulerMaruyama,
    /// With the derivatives of B, for columns that commute.
    Milstein,
    /// Runge-Kutta of strong order 3/2 for additive noise; two normal numbers for each column.
    Sra1,
    /// y + B dW alone, for methods that treat the drift otherwise; what Stratonovich noise adds to
    /// the drift in the Ito sense, times h, is with it.
    NoiseOnly,
    /// Runge-Kutta of strong order 3/2 for additive, scalar and diagonal noise, with an estimate of
    /// the error behind the state. In place of normal numbers it takes the increments of the
    /// Brownian motions and, as many again, their areas: [`Scheme::normals`].
    Srk,
}

impl SchemeKind {
    /// Every kind.
    pub const ALL: [SchemeKind; 5] = [
        SchemeKind::EulerMaruyama,
        SchemeKind::Milstein,
        SchemeKind::Sra1,
        SchemeKind::NoiseOnly,
        SchemeKind::Srk,
    ];
}

/// Why a method is not for the noise of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsuited {
    /// There is no noise.
    NoNoise,
    /// The method is for additive noise, and this column of B depends on the state.
    NotAdditive {
        /// Position in [`super::Noise::columns`].
        column: usize,
    },
    /// The method needs columns that commute, and these two do not.
    NotCommutative {
        /// Positions in [`super::Noise::columns`].
        columns: (usize, usize),
    },
    /// The method is for additive, scalar and diagonal noise, and the second of these columns
    /// depends on a state that the first drives.
    Coupled {
        /// Positions in [`super::Noise::columns`].
        columns: (usize, usize),
    },
    /// The method is for drifts that are linear with constant coefficients.
    NotLinear,
    /// The method is for noise that is constant in time, and this column is not.
    NotConstant {
        /// Position in [`super::Noise::columns`].
        column: usize,
    },
    /// The method takes dense matrices of at most so many states.
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// No path is made of equations with delays.
    Delays,
    /// No path is made of equations with constraints.
    Constraints,
    /// The chemical Langevin equation is of reactions, and no column comes from one.
    NoReactions,
    /// The method knows nothing of noise.
    Deterministic,
}

/// One step of a method.
///
/// Compiled, h stands behind the parameters of the system and the normal numbers behind its slots:
/// f(t, state, parameters ++ \\[h\\], slots ++ normals) is the state after the step. Slots are those
/// at the beginning of the step.
#[derive(Debug, Clone)]
pub struct Scheme {
    /// Which method.
    pub kind: SchemeKind,
    /// A continuation of the system's pool.
    pub pool: Arc<Pool>,
    /// The length h of the step.
    pub step: SymbolId,
    /// Independent standard normal numbers, one for each column of B in its order; for
    /// [`SchemeKind::Sra1`] as many again follow. For [`SchemeKind::Srk`] the increments W over the
    /// step, and then the areas H, the means over the step of W(s) - (s/h) W: of variance h and
    /// h/12 and independent.
    pub normals: Layout,
    /// The state after the step, one for each state block, of its shape; for [`SchemeKind::Srk`]
    /// its estimated errors follow.
    pub next: Vec<Expr>,
}

impl Scheme {
    /// Derives a step.
    ///
    /// # Errors
    /// The noise is not of the kind that the method is for.
    pub fn derive(system: &System, kind: SchemeKind) -> Result<Scheme, Unsuited> {
        let Some(noise) = &system.noise else {
            return Err(Unsuited::NoNoise);
        };
        let mut equations = Equations::new(system, noise);
        let (normals, next) = match kind {
            SchemeKind::EulerMaruyama => rules::euler_maruyama(&mut equations),
            SchemeKind::Milstein => rules::milstein(&mut equations)?,
            SchemeKind::Sra1 => rules::sra1(&mut equations)?,
            SchemeKind::NoiseOnly => rules::noise_only(&mut equations),
            SchemeKind::Srk => adaptive::srk(&mut equations)?,
        };
        Ok(Scheme {
            kind,
            step: equations.step_symbol,
            pool: Arc::new(equations.pool),
            normals,
            next,
        })
    }
}
