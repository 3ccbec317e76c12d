//! A model with its equations and kernels: immutable, and shared between threads.

use super::values::{self, Overrides, Present};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::kernel::Kernels;
use crate::model::{self, Model, Quantity, Scope, Target};
use crate::simulate::Method;
use crate::source::SourceId;
use crate::symbolic::{Expr, Notation, Pool, Shape};
use crate::syntax::{self, tree};
use crate::system::{self, System, Uncountable};
use std::sync::{Arc, OnceLock};

/// Equations with their functions.
type Equations = (Arc<System>, Kernels);

/// Absolute tolerances are this part of the size of a state.
pub(super) const FRACTION_OF_SIZE: f64 = 1e-9;

/// A checked model, its symbolic equations and its compiled functions.
///
/// Nothing in it changes after it is made, so threads share one `Arc<Compiled>`; what changes
/// from run to run (values, working space) belongs to the run.
#[derive(Debug)]
pub struct Compiled {
    /// The checked model.
    pub model: Model,
    /// Its equations.
    pub system: Arc<System>,
    /// Its functions, compiled when first asked for.
    pub kernels: Kernels,
    /// The same with the noise of reactions, for a model that declares none.
    reactions: OnceLock<Equations>,
    /// The same with reactions as single events, or why they cannot be.
    counted: OnceLock<Result<Equations, Vec<Uncountable>>>,
}

/// An expression of the model's names, ready to be evaluated along a trajectory.
#[derive(Debug, Clone)]
pub struct Observable {
    /// As written, for tables and legends.
    pub label: String,
    /// In terms of time, states and parameters, in [`Observable::pool`].
    pub expr: Expr,
    /// A continuation of the system's pool.
    pub pool: Arc<Pool>,
    /// Scalar, vector or matrix.
    pub shape: Shape,
    /// True for a condition.
    pub is_condition: bool,
}

impl Compiled {
    /// Derives and prepares a checked model.
    #[must_use]
    pub fn new(model: Model) -> Arc<Compiled> {
        let system = Arc::new(system::derive(&model));
        let kernels = Kernels::new(Arc::clone(&system));
        Arc::new(Compiled {
            model,
            system,
            kernels,
            reactions: OnceLock::new(),
            counted: OnceLock::new(),
        })
    }

    /// The equations that a method takes: reactions have noise of their own when it asks for that.
    pub(super) fn with_noise_for(&self, method: Method) -> (&System, &Kernels) {
        if method.counts_reactions() {
            return self.counted().unwrap_or((&self.system, &self.kernels));
        }
        if method != Method::Langevin || self.system.noise.is_some() {
            return (&self.system, &self.kernels);
        }
        let (system, kernels) = self.reactions.get_or_init(|| {
            let system = Arc::new(system::of_reactions(&self.model, &self.system));
            let kernels = Kernels::new(Arc::clone(&system));
            (system, kernels)
        });
        (system, kernels)
    }

    /// The equations with reactions as single events.
    ///
    /// # Errors
    /// Every reason why they cannot be counted.
    pub(super) fn counted(&self) -> Result<(&System, &Kernels), &[Uncountable]> {
        let counted = self.counted.get_or_init(|| {
            let system = Arc::new(system::count(&self.model, &self.system)?);
            let kernels = Kernels::new(Arc::clone(&system));
            Ok((system, kernels))
        });
        match counted {
            Ok((system, kernels)) => Ok((system, kernels)),
            Err(problems) => Err(problems),
        }
    }

    /// All parameters and initial values.
    #[must_use]
    pub fn present(&self, overrides: &Overrides) -> Present {
        values::present(&self.model, &self.system, overrides)
    }

    /// The present numbers of a parameter, or the initial ones of a state.
    #[must_use]
    pub fn numbers_of(&self, overrides: &Overrides, target: Target) -> Vec<f64> {
        let present = self.present(overrides);
        let (layout, numbers, at) = match target {
            Target::Parameter(id) => (&self.system.parameters, present.parameters, id.index()),
            Target::State(id) => (&self.system.states, present.initial, id.index()),
        };
        let block = layout.blocks().get(at);
        block
            .and_then(|block| numbers.get(block.range()))
            .map_or_else(Vec::new, <[f64]>::to_vec)
    }

    /// The shape of a parameter or state.
    #[must_use]
    pub fn shape_of(&self, target: Target) -> Shape {
        let (layout, at) = match target {
            Target::Parameter(id) => (&self.system.parameters, id.index()),
            Target::State(id) => (&self.system.states, id.index()),
        };
        layout
            .blocks()
            .get(at)
            .map_or(Shape::Scalar, |block| block.shape)
    }

    /// An expression of the text in terms of time, states and parameters.
    ///
    /// # Errors
    /// Unknown names, shapes that do not fit.
    pub fn observable(&self, expr: &tree::Expr) -> Result<Observable, Vec<Diagnostic>> {
        let mut pool = Pool::continuing(&self.system.pool);
        let Quantity {
            expr: value,
            is_condition,
        } = model::elaborate(&self.model.names, &mut pool, &Scope::default(), expr)?;
        let value = self.system.inline(&mut pool, value);
        Ok(Observable {
            label: syntax::show_expression(expr),
            expr: value,
            shape: pool.shape(value),
            pool: Arc::new(pool),
            is_condition,
        })
    }

    /// The same from text, for callers without a source map.
    ///
    /// # Errors
    /// Syntax errors, unknown names, shapes that do not fit.
    pub fn observable_from_text(&self, text: &str) -> Result<Observable, Vec<Diagnostic>> {
        let expr = syntax::parse_expression(SourceId(u32::MAX), text)?;
        self.observable(&expr)
    }

    /// A number of the text at the present values.
    ///
    /// # Errors
    /// Unknown names, vectors, conditions, values that are not finite.
    pub fn number(&self, expr: &tree::Expr, present: &Present) -> Result<f64, Vec<Diagnostic>> {
        let observable = self.observable(expr)?;
        let fault = |what: String| {
            vec![
                Diagnostic::new(Code::BadOption, "a single number is needed here")
                    .at(expr.span, what),
            ]
        };
        if observable.is_condition {
            return Err(fault("this is a condition".to_owned()));
        }
        if observable.shape != Shape::Scalar {
            return Err(fault(format!("this is {}", observable.shape)));
        }
        let numbers = values::at_present(
            &observable.pool,
            &self.system,
            self.model.time.start,
            observable.expr,
            present,
        );
        match numbers.first() {
            Some(number) if number.is_finite() => Ok(*number),
            Some(number) => Err(fault(format!("this is {}", number_text(*number)))),
            None => Err(fault("this has no value".to_owned())),
        }
    }

    /// The names of all states, one per number of the state vector: `prey`, `y[GATA1]`.
    #[must_use]
    pub fn state_names(&self) -> Vec<String> {
        let blocks = self.system.states.blocks().iter().enumerate();
        blocks
            .flat_map(|(block, data)| {
                (0..data.shape.len()).map(move |element| self.name_of_element(block, element))
            })
            .collect()
    }

    /// The name of one number of the state vector.
    #[must_use]
    pub fn state_name(&self, position: usize) -> String {
        match self.system.states.locate(position) {
            Some((block, element)) => self.name_of_element(block, element),
            None => format!("state {position}"),
        }
    }

    fn name_of_element(&self, block: usize, element: usize) -> String {
        let state = &self.model.states[block];
        if self.system.states.blocks()[block].shape == Shape::Scalar {
            state.name.clone()
        } else if state.indices.is_empty() {
            format!("{}[{}]", state.name, element + 1)
        } else {
            self.model
                .element_name(&state.name, &state.indices, element)
        }
    }

    /// An expression of the system as a message quotes it: in the model's names, cut when long.
    #[must_use]
    pub fn text_of(&self, expr: Expr) -> String {
        shortened(self.model.print(&self.system.pool, expr, Notation::Text))
    }

    /// The same for an expression of the model, definitions as names.
    #[must_use]
    pub fn text_of_model(&self, expr: Expr) -> String {
        shortened(self.model.print(&self.model.pool, expr, Notation::Text))
    }

    /// The default absolute tolerances: 1e-9 times the size of each state, which is its initial
    /// value, else the largest initial value, else 1. A state's own `atol` comes before.
    #[must_use]
    pub fn absolute_tolerances(&self, initial: &[f64], stated: Option<f64>) -> Vec<f64> {
        self.tolerances_of(initial, stated, FRACTION_OF_SIZE)
    }

    /// The same with another default: this part of the size of each state.
    #[must_use]
    pub(super) fn tolerances_of(
        &self,
        initial: &[f64],
        stated: Option<f64>,
        fraction: f64,
    ) -> Vec<f64> {
        let largest = initial
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        let common = if largest > 0.0 { largest } else { 1.0 };
        let mut tolerances = Vec::with_capacity(initial.len());
        for (state, block) in self.model.states.iter().zip(self.system.states.blocks()) {
            for value in &initial[block.range()] {
                let size = if *value == 0.0 { common } else { value.abs() };
                let default = stated.unwrap_or(fraction * size);
                tolerances.push(state.absolute_tolerance.unwrap_or(default));
            }
        }
        tolerances
    }
}

fn shortened(text: String) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}
