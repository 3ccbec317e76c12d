//! The bridge to argmin: its executor runs our steps.

use super::probe::Probe;
use super::{Best, End, Local, Options, Pace, Steps};
use crate::fit::objective::Wanted;
use argmin::core::{
    Error, Executor, IterState, KV, Problem, Solver, State, TerminationReason, TerminationStatus,
};

/// What argmin carries: the best point and its value.
type Carried = IterState<Vec<f64>, (), (), (), (), f64>;

/// A method with its state, as argmin's solver.
struct Bridge<'s, S: Steps> {
    steps: &'s S,
    state: S::State,
    end: Option<End>,
    watch: &'s dyn Fn(Pace),
}

impl<'o, S: Steps> Solver<&Probe<'o>, Carried> for Bridge<'_, S> {
    fn name(&self) -> &'static str {
        "steps"
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<&Probe<'o>>,
        carried: Carried,
    ) -> Result<(Carried, Option<KV>), Error> {
        let (steps, state, watch) = (self.steps, &mut self.state, self.watch);
        let iterations = carried.get_iter() + 1;
        let ended = problem.problem("steps", |probe| {
            let ended = steps.step(probe, state);
            let end = probe.was_interrupted().then_some(End::Interrupted);
            watch(Pace {
                iterations,
                evaluations: probe.evaluations(),
                value: S::best(state).value,
            });
            Ok(end.or(ended))
        })?;
        let best = S::best(&self.state);
        let carried = carried.param(best.point.to_vec()).cost(best.value);
        self.end = ended;
        Ok((carried, None))
    }

    fn terminate(&mut self, _: &Carried) -> TerminationStatus {
        match &self.end {
            Some(_) => TerminationStatus::Terminated(TerminationReason::SolverConverged),
            None => TerminationStatus::NotTerminated,
        }
    }
}

/// Runs a method from a start; `watch` is told after each iteration.
pub(super) fn run<S: Steps>(
    steps: &S,
    probe: &Probe<'_>,
    (start, watch): (&[f64], &dyn Fn(Pace)),
    options: &Options,
) -> Local {
    let first = probe.bounds.project(start);
    let state = match steps.begin(probe, &first) {
        Ok(state) => state,
        Err(end) => {
            return Local {
                evaluations: probe.evaluations(),
                ..Local::failed(start, end)
            };
        }
    };
    let bridge = Bridge {
        steps,
        state,
        end: None,
        watch,
    };
    let executor = Executor::new(probe, bridge)
        .configure(|carried: Carried| carried.max_iters(options.iterations))
        .ctrlc(false);
    let Ok(mut result) = executor.run() else {
        // Only an `Err` of a step could come here, and steps have none.
        return Local::failed(start, End::NotFinite);
    };
    let end = result.solver.end.take();
    let Best {
        point,
        value,
        gradient,
    } = S::best(&result.solver.state);
    let mut local = Local {
        start: start.to_vec(),
        point: point.to_vec(),
        value,
        gradient: gradient.to_vec(),
        iterations: result.state.get_iter(),
        evaluations: probe.evaluations(),
        end: end.unwrap_or(End::OutOfIterations),
    };
    if local.gradient.is_empty() && local.end != End::Interrupted {
        let evaluation = probe.trial(&local.point, Wanted::Gradient);
        local.gradient = evaluation.map_or(Vec::new(), |evaluation| evaluation.gradient);
    }
    local
}
