//! Trajectories: steppers under one driver.

mod dynamics;

pub use dynamics::Dynamics;
