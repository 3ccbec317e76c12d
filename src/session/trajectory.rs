//! A simulated run with the names of its model.

use super::compiled::{Compiled, Observable};
use super::simulate::Plan;
use crate::diagnostic::{Code, Diagnostic};
use crate::kernel::{Kernel, Parameters, Scratch};
use crate::simulate::{Chance, Solution, Stop, VariedStart};
use crate::symbolic::{Expr, Pool, Shape};
use std::sync::Arc;

/// The result of one simulation.
#[derive(Debug, Clone)]
pub struct Trajectory {
    /// The model that ran.
    pub compiled: Arc<Compiled>,
    /// The parameter values that it began with; those that events changed are in the solution.
    pub parameters: Vec<f64>,
    /// What it was differentiated by, if anything.
    pub varied: Option<VariedStart>,
    /// Whose doses it was given, when these come from a table with subjects.
    pub subject: Option<String>,
    /// Times, states, work done and why it ended.
    pub solution: Solution,
    /// What it was asked for with, to be made again.
    pub(super) plan: Option<Arc<Plan>>,
}

impl Trajectory {
    /// Where the run began, when that is before the range that is shown.
    #[must_use]
    pub fn began(&self) -> Option<f64> {
        let plan = self.plan.as_ref()?;
        plan.options.shown_from.map(|_| plan.start)
    }

    /// Output times, ascending, in the model's unit of time.
    #[must_use]
    pub fn times(&self) -> &[f64] {
        &self.solution.times
    }

    /// The parameter values that held at the row-th output time.
    #[must_use]
    pub fn parameters_at(&self, row: usize) -> &[f64] {
        let mut changes = self.solution.parameter_changes.iter().rev();
        match changes.find(|(from, _)| *from <= row) {
            Some((_, parameters)) => parameters,
            None => &self.parameters,
        }
    }

    /// The numbers of a function at the last output time; empty without rows.
    #[must_use]
    pub(super) fn at_end(&self, kernel: &dyn Kernel) -> Vec<f64> {
        let Some((time, state)) = self.solution.last() else {
            return Vec::new();
        };
        let row = self.times().len() - 1;
        let parameters = Parameters::new(self.parameters_at(row).to_vec());
        let slots = self.solution.slots_of(row);
        let mut numbers = vec![0.0; kernel.out_len()];
        kernel.call(
            time,
            state,
            &parameters,
            slots,
            &mut numbers,
            &mut Scratch::new(),
        );
        numbers
    }

    /// The same run for a model that has more parameters and definitions; `parameters` are all of
    /// them, those of this run first.
    pub(super) fn extended(&self, compiled: &Arc<Compiled>, parameters: &[f64]) -> Trajectory {
        let mut run = self.clone();
        run.compiled = Arc::clone(compiled);
        let more = parameters.get(self.parameters.len()..).unwrap_or(&[]);
        run.parameters.extend_from_slice(more);
        for (_, changed) in &mut run.solution.parameter_changes {
            changed.extend_from_slice(more);
        }
        run
    }

    /// True for a path of a model with noise.
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.chance().is_some()
    }

    /// What made it, for a path of a model with noise.
    #[must_use]
    pub fn chance(&self) -> Option<Chance> {
        self.plan.as_ref()?.options.chance
    }

    /// True when the run reached its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.solution.stop == Stop::Finished
    }

    /// One number per output time: a state, a definition, a flux, or any expression of them.
    ///
    /// # Errors
    /// Syntax errors, unknown names, vectors: name an element, as in `y[GATA1]`.
    pub fn column(&self, expression: &str) -> Result<Vec<f64>, super::Error> {
        let observable = self.compiled.observable_from_text(expression)?;
        if observable.shape != Shape::Scalar {
            let message = format!(
                "`{expression}` is {}, not a single number",
                observable.shape
            );
            return Err(vec![
                Diagnostic::new(Code::ShapeMismatch, message)
                    .help("name one element, as in `y[1]`"),
            ]
            .into());
        }
        Ok(self.evaluate(&observable))
    }

    /// The numbers of an observable, `shape.len()` per output time.
    #[must_use]
    pub fn evaluate(&self, observable: &Observable) -> Vec<f64> {
        self.evaluate_all(&observable.pool, &[observable.expr])
    }

    /// The numbers of several inlined expressions, all of a time next to each other. `pool` is
    /// the system's own or a continuation of it.
    #[must_use]
    pub(super) fn evaluate_all(&self, pool: &Pool, exprs: &[Expr]) -> Vec<f64> {
        self.rows_of(&*self.compiled.kernels.function(pool, exprs))
    }

    /// The numbers of a function at every output time, next to each other.
    #[must_use]
    pub(super) fn rows_of(&self, kernel: &dyn Kernel) -> Vec<f64> {
        let width = kernel.out_len();
        let mut parameters = Parameters::new(self.parameters.clone());
        let mut changes = self.solution.parameter_changes.iter().peekable();
        let mut scratch = Scratch::new();
        let mut numbers = vec![0.0; width * self.solution.times.len()];
        for (row, time) in self.solution.times.iter().enumerate() {
            while let Some((_, changed)) = changes.next_if(|(from, _)| *from <= row) {
                parameters = Parameters::new(changed.clone());
            }
            let (Some(state), Some(out)) = (
                self.solution.row(row),
                numbers.get_mut(row * width..(row + 1) * width),
            ) else {
                break;
            };
            let slots = self.solution.slots_of(row);
            kernel.call(*time, state, &parameters, slots, out, &mut scratch);
        }
        numbers
    }
}
