//! Fits: models, data and objectives.
//!
//! ```text
//! stochastic.rs  the likelihood of models with noise
//! ```

mod stochastic;
#[cfg(test)]
mod stochastic_tests;

pub use stochastic::{
    NoiseFrom, StochasticObjective, StochasticRun, UnsuitedData, exact_value, noisy_observable,
};
