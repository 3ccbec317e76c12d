//! Derivatives of a run by parameters and by initial values.
//!
//! ```text
//! varied.rs    what is varied, and how parameters and initial values move with it at the start
//! direction.rs the numbers of directions, in the slots where tangent functions read them
//! dynamics.rs  states and their derivatives as one system
//! observe.rs   derivatives of expressions of the states
//! jumps.rs     derivatives through interruptions
//! rosenbrock.rs  the stages of implicit steps
//! run.rs       a run of that system
//! ```
//!
//! With S_j = dy/dtheta_j, y' = f(t, y, p) gives S_j' = f_y S_j + f_p dp/dtheta_j (forward
//! sensitivity equations; Maly & Petzold, Appl. Numer. Math. 20 (1996) 57-79). They are integrated
//! with y in the same steps, under the same error control: what is computed is the derivative of
//! the numerical solution up to terms of the order of the tolerance. Must not know names, text.

mod direction;
mod dynamics;
mod jumps;
mod observe;
mod rosenbrock;
mod run;
#[cfg(test)]
mod tests;
mod varied;

pub(super) use direction::Moving;
pub use direction::{DirectedSlots, Direction};
pub use dynamics::SensitivityDynamics;
pub(super) use jumps::{Repeated, Shift, Variation};
pub use observe::{Looks, OwnValues, observed_sensitivities};
pub(super) use rosenbrock::StageSolver;
pub use run::{run_with_sensitivities, serves_sensitivities};
pub use varied::{Held, Varied, VariedStart};
