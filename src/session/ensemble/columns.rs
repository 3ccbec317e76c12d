//! The quantities that paths are summed up for.
//!
//! Enters: observables, or nothing for all states. Leaves: their names, and a function from states
//! to their numbers. Must not know paths.

use super::Quantity;
use crate::diagnostic::{Code, Diagnostic};
use crate::kernel::{Parameters, Scratch, SharedKernel};
use crate::session::compiled::{Compiled, Observable};
use crate::source::Span;
use crate::symbolic::{Shape, symbols_of};
use std::sync::Arc;

/// What is computed from the states of every row.
#[derive(Debug)]
pub(super) struct Columns {
    pub quantities: Vec<Quantity>,
    /// One for each observable; none when the states themselves are summed up.
    kernels: Vec<SharedKernel>,
    parameters: Parameters,
}

/// All states, or these observables.
///
/// # Errors
/// Expressions whose values depend on more than the state and the parameters at the start.
pub(super) fn columns(
    compiled: &Arc<Compiled>,
    of: &[Observable],
    parameters: &[f64],
    sentence: Span,
) -> Result<Columns, Vec<Diagnostic>> {
    if of.is_empty() {
        let names = compiled.state_names().into_iter();
        let units = (compiled.model.states.iter())
            .zip(compiled.system.states.blocks())
            .flat_map(|(state, block)| std::iter::repeat_n(state.unit.clone(), block.shape.len()));
        return Ok(Columns {
            quantities: names
                .zip(units)
                .map(|(name, unit)| Quantity { name, unit })
                .collect(),
            kernels: Vec::new(),
            parameters: Parameters::default(),
        });
    }
    let problems: Vec<Diagnostic> = of
        .iter()
        .filter_map(|observable| not_of_state(compiled, observable, sentence))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let quantities = of.iter().flat_map(|observable| named(compiled, observable));
    let kernels = of.iter().map(|observable| {
        let exprs = [observable.expr];
        compiled.kernels.function(&observable.pool, &exprs)
    });
    Ok(Columns {
        quantities: quantities.collect(),
        kernels: kernels.collect(),
        parameters: Parameters::new(parameters),
    })
}

/// The names of an observable's numbers.
fn named(compiled: &Compiled, observable: &Observable) -> Vec<Quantity> {
    let (model, label) = (&compiled.model, &observable.label);
    let indices = model.names.indices(label);
    let unit = super::super::plot::unit_of_name(compiled, label);
    (0..observable.shape.len())
        .map(|element| Quantity {
            name: match observable.shape {
                Shape::Scalar => label.clone(),
                _ if indices.is_empty() => format!("{label}[{}]", element + 1),
                _ => model.element_name(label, indices, element),
            },
            unit: unit.clone(),
        })
        .collect()
}

/// Inputs, and parameters that events change, are not known where paths are summed up.
fn not_of_state(
    compiled: &Compiled,
    observable: &Observable,
    sentence: Span,
) -> Option<Diagnostic> {
    let (system, model) = (&compiled.system, &compiled.model);
    let read = symbols_of(&observable.pool, observable.expr);
    let slots = system.slots.layout.blocks().iter();
    let of_slots = slots
        .map(|block| block.symbol)
        .any(|slot| read.contains(&slot));
    let changed = model.events.iter().flat_map(|event| &event.assignments);
    let of_changed = changed.into_iter().any(|known| match known.target {
        crate::model::Target::Parameter(id) => system
            .parameters
            .blocks()
            .get(id.index())
            .is_some_and(|block| read.contains(&block.symbol)),
        crate::model::Target::State(_) => false,
    });
    (of_slots || of_changed).then(|| {
        Diagnostic::new(
            Code::NotPerformed,
            format!(
                "paths are not summed up for `{}`: it depends on {}",
                observable.label,
                if of_slots {
                    "an input or a delayed value"
                } else {
                    "a parameter that an event changes"
                }
            ),
        )
        .at(sentence, "")
        .help("name quantities that depend on states and constant parameters")
    })
}

impl Columns {
    /// The numbers of every row of every path: `values[(path * rows + row) * width + i]` in, as
    /// many numbers as there are quantities for each row out.
    pub fn of(&self, values: Vec<f64>, width: usize, times: &[f64]) -> Vec<f64> {
        if self.kernels.is_empty() {
            return values;
        }
        let columns = self.quantities.len();
        let rows = values.len() / width.max(1);
        let mut numbers = vec![f64::NAN; rows * columns];
        let mut scratches = vec![Scratch::new(); self.kernels.len()];
        let all = values
            .chunks_exact(width.max(1))
            .zip(numbers.chunks_exact_mut(columns.max(1)))
            .zip(times.iter().cycle());
        for ((state, row), time) in all {
            if !state.iter().all(|number| number.is_finite()) {
                continue;
            }
            let mut rest = row;
            for (kernel, scratch) in self.kernels.iter().zip(&mut scratches) {
                let (out, behind) = rest.split_at_mut(kernel.out_len());
                kernel.call(*time, state, &self.parameters, &[], out, scratch);
                rest = behind;
            }
        }
        numbers
    }
}
