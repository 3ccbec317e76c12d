//! Which method `auto` takes for the paths of a model with noise.
//!
//! In: the structure of the noise, the pace of steps. Out: a method and why. Rules, the first that
//! holds:
//!
//! - A linear drift with constant coefficients and constant additive noise: the exact transition, up
//!   to [`MOST_STATES`] states.
//! - The noise of reactions: the chemical Langevin equation by Euler-Maruyama.
//! - The drift decays by more than [`STIFF`] within a step: the implicit Euler method.
//! - Additive noise: SRA1.
//! - Columns that commute, scalar and diagonal noise among them: Milstein.
//! - Any other noise: Euler-Maruyama.

use super::Pace;
use crate::kernel::Kernels;
use crate::simulate::{Method, NoiseReason};
use crate::system::{NoiseStructure, Source, System, has_exact_transition};

/// States up to which a dense matrix for each length of interval pays.
pub(super) const MOST_STATES: usize = 64;

/// Length of a step times decay rate from which explicit methods are in danger: they blow up at 2.
const STIFF: f64 = 1.0;

/// The method for a system with noise, and why.
#[must_use]
pub fn choose(system: &System, kernels: &Kernels, pace: &Pace) -> (Method, NoiseReason) {
    let of_reaction = |source: &Source| matches!(source, Source::Reaction { .. });
    let columns = system.noise.iter().flat_map(|noise| &noise.columns);
    if columns.clone().any(of_reaction) {
        return (Method::Langevin, NoiseReason::Reactions);
    }
    if system.dimension() <= MOST_STATES && has_exact_transition(system).is_ok() {
        return (Method::ExactTransition, NoiseReason::Linear);
    }
    let stability = pace.step * pace.decay;
    if stability > STIFF {
        return (Method::ImplicitEuler, NoiseReason::Stiff { stability });
    }
    match kernels.noise_structure() {
        Some(NoiseStructure::Additive) => (Method::Sra1, NoiseReason::Additive),
        Some(NoiseStructure::Decoupled | NoiseStructure::Commutative { .. }) => {
            (Method::Milstein, NoiseReason::Commutative)
        }
        Some(NoiseStructure::General { .. }) | None => {
            (Method::EulerMaruyama, NoiseReason::General)
        }
    }
}
