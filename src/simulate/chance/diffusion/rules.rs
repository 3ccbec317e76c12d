//! One step of each method, and which methods are for which noise.
//!
//! In: time, state and normal numbers. Out: the state after the step, as it comes. Must not know
//! where steps end.

use super::Path;
use super::choice::MOST_STATES;
use super::exact::Exact;
use super::implicit::Implicit;
use crate::kernel::{CompiledScheme, Parameters, Scratch};
use crate::simulate::stepper::{StepFailure, Watched};
use crate::simulate::{CompiledDynamics, Method, Problem};
use crate::system::{SchemeKind, Source, Unsuited, has_exact_transition};

/// A method with steps of given length.
pub(super) trait Rule {
    /// Takes in the parameters that hold now.
    fn restart(&mut self, time: f64);

    /// Steps are this long from now on.
    fn set_step(&mut self, step: f64);

    /// Room for the independent standard normal numbers of the next step.
    fn normals(&mut self) -> &mut [f64];

    /// The state a step after (`time`, `state`).
    fn advance(&mut self, time: f64, state: &[f64], next: &mut [f64]) -> Result<(), StepFailure>;

    /// Factorisations made so far.
    fn factorisations(&self) -> u64 {
        0
    }
}

/// The function of the state that a method's steps are.
pub(in crate::simulate::chance) fn kind(method: Method) -> Option<SchemeKind> {
    match method {
        Method::EulerMaruyama | Method::Langevin => Some(SchemeKind::EulerMaruyama),
        Method::Milstein => Some(SchemeKind::Milstein),
        Method::Sra1 => Some(SchemeKind::Sra1),
        Method::ImplicitEuler => Some(SchemeKind::NoiseOnly),
        Method::Srk => Some(SchemeKind::Srk),
        _ => None,
    }
}

/// Refuses a method that is not for the noise of a problem.
pub(in crate::simulate::chance) fn suits(
    method: Method,
    problem: &Problem<'_>,
) -> Result<(), Unsuited> {
    let noise = problem.system.noise.as_ref().ok_or(Unsuited::NoNoise)?;
    let of_reaction = |source: &Source| matches!(source, Source::Reaction { .. });
    if method == Method::Langevin && !noise.columns.iter().any(of_reaction) {
        return Err(Unsuited::NoReactions);
    }
    if method == Method::ExactTransition {
        if problem.system.dimension() > MOST_STATES {
            return Err(Unsuited::TooLarge { most: MOST_STATES });
        }
        return has_exact_transition(problem.system);
    }
    match kind(method) {
        Some(kind) => problem.kernels.scheme(kind).map(|_| ()),
        None => Err(Unsuited::Deterministic),
    }
}

/// The compiled scheme of a path's method.
pub(super) fn compiled<'s>(
    path: &'s Path<'_>,
    system: &'s Watched<'s>,
) -> Result<Compiled<'s>, StepFailure> {
    let kind = kind(path.method).ok_or(Unsuited::Deterministic);
    let scheme = kind.and_then(|kind| path.problem.kernels.scheme(kind));
    let scheme =
        scheme.map_err(|_| StepFailure::Other(format!("{} is not for this noise", path.method)))?;
    Ok(Compiled::new(path.dynamics, system, scheme))
}

/// The rule of a path's method with steps of given length.
pub(super) fn of<'s>(
    path: &'s Path<'_>,
    system: &'s Watched<'s>,
) -> Result<Box<dyn Rule + 's>, StepFailure> {
    let problem = path.problem;
    if path.method == Method::ExactTransition {
        let exact = Exact::new(problem.system, problem.kernels, path.dynamics);
        return Ok(Box::new(exact));
    }
    let compiled = compiled(path, system)?;
    Ok(match path.method {
        Method::ImplicitEuler => Box::new(Implicit::new(path, system, compiled)),
        _ => Box::new(compiled),
    })
}

/// A compiled scheme with its arguments.
pub(super) struct Compiled<'s> {
    dynamics: &'s CompiledDynamics<'s>,
    system: &'s Watched<'s>,
    scheme: &'s CompiledScheme,
    /// The length of a step stands last.
    parameters: Parameters,
    /// The normal numbers stand behind the system's slots.
    slots: Vec<f64>,
    own_slots: usize,
    scratch: Scratch,
}

impl<'s> Compiled<'s> {
    pub fn new(
        dynamics: &'s CompiledDynamics<'s>,
        system: &'s Watched<'s>,
        scheme: &'s CompiledScheme,
    ) -> Compiled<'s> {
        let own_slots = dynamics.slots().len();
        let mut values = dynamics.parameters().values().to_vec();
        values.push(0.0);
        Compiled {
            dynamics,
            system,
            scheme,
            parameters: Parameters::new(values),
            slots: vec![0.0; own_slots + scheme.scheme.normals.len()],
            own_slots,
            scratch: Scratch::new(),
        }
    }
}

impl Compiled<'_> {
    /// How many numbers it takes for the noise.
    pub fn columns(&self) -> usize {
        self.scheme.scheme.normals.len()
    }
}

impl Rule for Compiled<'_> {
    fn restart(&mut self, _: f64) {
        let own = self.dynamics.parameters();
        self.parameters.update(|values| {
            for (to, from) in values.iter_mut().zip(own.values()) {
                *to = *from;
            }
        });
    }

    fn set_step(&mut self, step: f64) {
        self.parameters.update(|values| {
            if let Some(last) = values.last_mut() {
                *last = step;
            }
        });
    }

    fn normals(&mut self) -> &mut [f64] {
        self.slots.get_mut(self.own_slots..).unwrap_or_default()
    }

    fn advance(&mut self, time: f64, state: &[f64], next: &mut [f64]) -> Result<(), StepFailure> {
        if self.own_slots > 0 {
            self.dynamics.refresh(time, state);
            let own = self.dynamics.slots();
            for (to, from) in self.slots.iter_mut().zip(own.iter()) {
                *to = *from;
            }
        }
        self.system.count_evaluation();
        let kernel = &*self.scheme.kernel;
        let (parameters, scratch) = (&self.parameters, &mut self.scratch);
        kernel.call(time, state, parameters, &self.slots, next, scratch);
        Ok(())
    }
}
