//! From a plan to a trajectory: one run, looked on.
//!
//! Enters: a plan. Leaves: a trajectory and what was seen of it. Must not know sentences.

use super::compiled::Compiled;
use super::simulate::Plan;
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::values::Present;
use super::{Observer, inputs, section};
use crate::diagnostic::Diagnostic;
use crate::kernel::{Scratch, SharedKernel};
use crate::simulate::{
    self, CompiledDynamics, Halt, Monitor, Options, Output, Problem, Solution, Statistics,
    Tolerances,
};
use crate::world::World;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A plan with the equations that it is made with.
pub(super) fn problem<'c>(compiled: &'c Compiled, plan: &'c Plan) -> Problem<'c> {
    let watching = section::watched(plan);
    let compiled = watching.unwrap_or(compiled);
    let (system, kernels) = compiled.with_noise_for(plan.options.method);
    let mut events = plan.active.events.clone();
    events.resize(system.events.len(), watching.is_some());
    Problem {
        system,
        kernels,
        parameters: plan.parameters.clone(),
        initial: plan.declared.clone(),
        held: plan.held.clone(),
        events,
        doses: plan.active.doses.clone(),
        rows: plan.rows.clone(),
        inputs: plan.inputs.clone(),
        origin: compiled.model.time.start,
        resumed: plan.resumed,
    }
}

/// The solution of a plan, with derivatives where it asks for them.
pub(super) fn solved(
    problem: &Problem<'_>,
    dynamics: &CompiledDynamics<'_>,
    plan: &Plan,
    monitor: &mut dyn Monitor,
) -> Solution {
    let (output, options, range) = (&plan.output, &plan.options, (plan.start, plan.end));
    match &plan.varied {
        None => simulate::run(
            problem,
            dynamics,
            range,
            &plan.initial,
            output,
            options,
            monitor,
        ),
        Some(varied) => simulate::run_with_sensitivities(
            problem, dynamics, range, varied, output, options, monitor,
        ),
    }
}

/// Runs a plan once.
pub(super) fn run(
    compiled: &Arc<Compiled>,
    plan: &Plan,
    world: &dyn World,
    observer: &mut dyn Observer,
) -> (Trajectory, EndOfRun) {
    let watching = section::watched(plan);
    let problem = problem(compiled, plan);
    let dynamics = CompiledDynamics::new(problem.system, problem.kernels, plan.parameters.clone());
    let mut watch = Watch {
        world,
        observer,
        range: (plan.start, plan.end),
        assertions: Assertions::new(watching.unwrap_or(compiled), &dynamics),
        end: EndOfRun {
            failed: None,
            state: plan.initial.clone(),
        },
    };
    let mut solution = solved(&problem, &dynamics, plan, &mut watch);
    let end = watch.end;
    if let Some(watching) = watching {
        section::unwatch(&mut solution, &watching.system, &compiled.system);
    }
    let trajectory = Trajectory {
        compiled: Arc::clone(compiled),
        varied: plan.varied.clone(),
        parameters: plan.parameters.clone(),
        subject: plan.subject.clone(),
        solution,
        plan: Some(Arc::new(plan.clone())),
    };
    (trajectory, end)
}

/// The slots (inputs, delayed values) that hold at the start of a model, before anything happens.
///
/// # Errors
/// All problems of the tables of inputs.
pub(super) fn slots_at_start(
    compiled: &Compiled,
    tables: &Tables<'_>,
    present: &Present,
) -> Result<Vec<f64>, Vec<Diagnostic>> {
    let (model, system) = (&compiled.model, &compiled.system);
    if system.slots.is_empty() {
        return Ok(Vec::new());
    }
    let (inputs, _) = inputs::tracks(&model.inputs, &model.names, tables)?;
    let (parameters, initial) = (present.parameters.clone(), present.initial.clone());
    let problem = Problem {
        events: vec![false; system.events.len()],
        doses: vec![false; system.doses.len()],
        inputs,
        origin: model.time.start,
        ..Problem::new(system, &compiled.kernels, parameters, initial)
    };
    let dynamics = CompiledDynamics::new(system, &compiled.kernels, present.parameters.clone());
    let tolerances = Tolerances {
        relative: 1e-6,
        absolute: compiled.absolute_tolerances(&present.initial, None),
    };
    let start = model.time.start;
    let solution = simulate::run(
        &problem,
        &dynamics,
        (start, start),
        &present.initial,
        &Output::Times(vec![start]),
        &Options::new(tolerances),
        &mut (),
    );
    Ok(solution.slots_of(0).to_vec())
}

/// What was seen of a run besides its rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EndOfRun {
    /// The assertion that ended it.
    pub failed: Option<FailedAssertion>,
    /// The state after the last step, which may be no row.
    pub state: Vec<f64>,
}

/// An assertion that ceased to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FailedAssertion {
    pub assertion: usize,
    pub time: f64,
    pub state: Vec<f64>,
}

/// The assertions of a model, looked at along a run.
pub(super) struct Assertions<'a> {
    kernel: Option<SharedKernel>,
    dynamics: &'a CompiledDynamics<'a>,
    values: Vec<f64>,
    scratch: Scratch,
}

impl<'a> Assertions<'a> {
    pub fn new(compiled: &Compiled, dynamics: &'a CompiledDynamics<'a>) -> Assertions<'a> {
        let count = compiled.system.assertions.len();
        Assertions {
            kernel: (count > 0).then(|| Arc::clone(compiled.kernels.assertions())),
            dynamics,
            values: vec![1.0; count],
            scratch: Scratch::new(),
        }
    }

    /// The first that does not hold.
    pub fn failed(&mut self, time: f64, state: &[f64]) -> Option<usize> {
        let kernel = self.kernel.as_deref()?;
        let (values, scratch) = (&mut self.values, &mut self.scratch);
        self.dynamics.evaluate(kernel, time, state, values, scratch);
        // A condition that is NaN does not hold either.
        self.values.iter().position(|value| *value != 1.0)
    }
}

/// Interrupts, assertions and progress of one run.
struct Watch<'a> {
    world: &'a dyn World,
    observer: &'a mut dyn Observer,
    range: (f64, f64),
    assertions: Assertions<'a>,
    end: EndOfRun,
}

impl Monitor for Watch<'_> {
    fn step(&mut self, time: f64, state: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if self.world.interrupted() {
            return ControlFlow::Break(Halt::Interrupt);
        }
        self.end.state.copy_from_slice(state);
        let (start, end) = self.range;
        self.observer.progress((time - start) / (end - start));
        self.row(time, state)
    }

    fn row(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        let Some(assertion) = self.assertions.failed(time, state) else {
            return ControlFlow::Continue(());
        };
        self.end.failed.get_or_insert(FailedAssertion {
            assertion,
            time,
            state: state.to_vec(),
        });
        ControlFlow::Break(Halt::Enough)
    }
}
