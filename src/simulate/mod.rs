//! Trajectories: steppers under one driver.

mod diffsol;
mod driver;
mod dynamics;
mod linear_estimates;
mod matrix_choice;
mod options;
mod solution;
mod step_size;
mod stepper;
mod stiffness;

pub use driver::integrate;
pub use dynamics::Dynamics;
pub use options::{Method, Options, Output, Tolerances, UnknownMethod};
pub use solution::{
    Halt, Invalid, LinearSolver, MethodUse, Monitor, NonFinite, Solution, Statistics, Stop,
    SwitchReason,
};

#[cfg(test)]
mod tests;
