//! Paths of models with noise against exact moments, exact solutions and theory.

mod interruptions;
mod lanes;
mod moments;
mod orders;

use crate::kernel::Kernels;
use crate::model::Model;
use crate::simulate::tests::declared::declared;
use crate::simulate::{
    Chance, CompiledDynamics, Method, Options, Output, Paths, Problem, SinglePaths, Solution, Stop,
    Tolerances, run,
};
use crate::system::{self, System};
use std::sync::Arc;

/// A model with how its paths are made.
pub(super) struct Case {
    system: Arc<System>,
    kernels: Kernels,
    parameters: Vec<f64>,
    initial: Vec<f64>,
    method: Method,
    step: Option<f64>,
    seed: u64,
    tolerance: f64,
    non_negative: bool,
}

/// Parameters and initial values of the text must be plain numbers.
fn case(text: &str, method: Method, step: f64) -> Case {
    of_system(system::derive(&Model::of_text(text)), method, step)
}

fn of_system(system: System, method: Method, step: f64) -> Case {
    let system = Arc::new(system);
    let kernels = Kernels::new(Arc::clone(&system));
    let (parameters, initial) = declared(&system, &kernels);
    Case {
        kernels,
        parameters,
        initial,
        method,
        step: Some(step),
        seed: 1,
        tolerance: 1e-6,
        non_negative: false,
        system,
    }
}

impl Case {
    fn problem(&self) -> Problem<'_> {
        Problem::new(
            &self.system,
            &self.kernels,
            self.parameters.clone(),
            self.initial.clone(),
        )
    }

    fn options(&self, path: u64) -> Options {
        let dimension = self.initial.len();
        let tolerances = Tolerances::uniform(self.tolerance, self.tolerance, dimension);
        let mut options = Options::new(tolerances).with_method(self.method);
        options.chance = Some(Chance {
            seed: self.seed,
            path,
            step: self.step,
            non_negative: self.non_negative,
        });
        options
    }

    /// One path with all it leaves behind.
    fn path(&self, path: u64, end: f64, output: &Output) -> Solution {
        self.path_of(&self.problem(), path, end, output)
    }

    fn path_of(&self, problem: &Problem<'_>, path: u64, end: f64, output: &Output) -> Solution {
        let parameters = self.parameters.clone();
        let dynamics = CompiledDynamics::new(&self.system, &self.kernels, parameters);
        let mut options = self.options(path);
        if Method::ALL.contains(&self.method) && self.method != Method::Auto && self.step.is_none()
        {
            options.chance = None;
        }
        let initial = &self.initial;
        run(
            problem,
            &dynamics,
            (0.0, end),
            initial,
            output,
            &options,
            &mut (),
        )
    }

    /// The states of many paths at some times: for each path, for each time, for each state.
    fn paths(&self, count: u64, times: &[f64]) -> Vec<f64> {
        self.paths_from(0, count, times)
    }

    fn paths_from(&self, first: u64, count: u64, times: &[f64]) -> Vec<f64> {
        let (problem, options) = (self.problem(), self.options(0));
        let single = SinglePaths {
            problem: &problem,
            range: (0.0, times.last().copied().unwrap_or(0.0)),
            initial: &self.initial,
            times,
            options: &options,
        };
        let block = single.block(first..first + count, &|| false);
        for end in &block.ends {
            assert_eq!(end.stop, Stop::Finished);
        }
        block.values
    }
}

/// A mean over paths with its standard error.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    mean: f64,
    error: f64,
}

impl Estimate {
    fn of(values: impl Iterator<Item = f64>) -> Estimate {
        let values: Vec<f64> = values.collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let spread: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Estimate {
            mean,
            error: (spread / (count * (count - 1.0))).sqrt(),
        }
    }

    /// Four standard errors, plus what the method is known to be off by.
    #[track_caller]
    fn is(self, exact: f64, bias: f64) {
        let off = (self.mean - exact).abs();
        assert!(off <= 4.0 * self.error + bias, "{self:?} for {exact}");
        // The comparison says something.
        assert!(4.0 * self.error < 0.2 * exact.abs().max(0.5), "{self:?}");
    }
}
