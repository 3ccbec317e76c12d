//! Trajectories: steppers under one driver.
//!
//! ```text
//! Dynamics + Options + Output --integrate--> Solution
//!
//! driver.rs     output times, limits, monitor, the sequence of methods
//! stiffness.rs  which method, from the exact Jacobian (linear_estimates.rs)
//! problem.rs    what holds in one run: parameters, events, doses, tables
//! interrupter.rs  the contract: where smooth pieces end and what happens there
//! sensitivity/  derivatives of a run by parameters and initial values
//! stepper.rs    the contract: take a step, interpolate inside it; a system under watch
//! tsit5.rs, rodas.rs  that contract by our own methods (controller.rs, weights.rs)
//! consistent.rs states that satisfy constraints
//! diffsol.rs    that contract over the crate diffsol, dense or sparse (matrix_choice.rs)
//! delayed.rs    delayed values and their discontinuities, from what history.rs remembers
//! lanes/        members of a sweep side by side, by Tsit5 with a step for each
//! exponential.rs  that contract for linear equations, exactly
//! ```
//!
//! Options, state and result are three types ([`Options`], the driver's own, [`Solution`]). States
//! have indices here, not names. Nothing prints; interrupts and progress go through [`Monitor`].

mod chance;
mod clock;
mod compiled;
mod consistent;
mod controller;
mod delayed;
mod diffsol;
mod driver;
mod dynamics;
mod ends;
mod exponential;
mod history;
mod interrupt;
mod interrupter;
mod iterate;
mod lanes;
mod linear_estimates;
mod matrix_choice;
mod methods;
mod options;
mod parallel;
mod problem;
mod rodas;
mod rows;
mod sensitivity;
mod solution;
mod step_size;
mod stepper;
mod stiffness;
mod tsit5;
mod weights;
mod work;

pub use chance::{
    Block, LanePaths, Pace, PathEnd, Paths, SinglePaths, Transitions, choose, exact_transitions,
    pace,
};
pub use compiled::{CompiledDynamics, has_exact_solution, modes_at};
pub use driver::integrate;
pub use dynamics::Dynamics;
pub use interrupt::run;
pub use lanes::{MEMBERS_OF_BLOCK, Member, MemberBlock, MemberEnd, MemberRun, SideBySide};
pub use options::{Chance, Method, Options, Output, Tolerances, UnknownMethod};
pub use parallel::in_order;
pub use problem::{DoseRow, Problem, RowKind, SteadyKind, Track};
pub use sensitivity::{
    DirectedSlots, Direction, Held, Looks, OwnValues, SensitivityDynamics, Varied, VariedStart,
    observed_sensitivities, run_with_sensitivities, serves_sensitivities,
};
pub use solution::{
    Halt, Invalid, LinearSolver, MethodUse, Monitor, NoiseReason, NonFinite, Occasion, Occurrence,
    ScheduleFault, Solution, Statistics, Stop, SwitchReason,
};

#[cfg(test)]
mod tests;
