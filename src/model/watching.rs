//! A model that is watched: with an event more, which does nothing but happen.
//!
//! Enters: a checked model and a condition of a sentence. Leaves: the model with the event after its
//! own. Everything else is as it was: every symbol, every position.

use super::elaborate::Elaborator;
use super::noise::misplaced;
use super::{Direction, Event, Model, Scope, Trigger};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree;

impl Model {
    /// The model with an event at `span` that happens as `condition` changes in this direction.
    ///
    /// # Errors
    /// Unknown names; what is no single condition.
    pub fn watching(
        &self,
        span: Span,
        condition: &tree::Expr,
        direction: Direction,
    ) -> Result<Model, Vec<Diagnostic>> {
        let mut model = self.clone();
        let mut problems = Vec::new();
        let mut elaborator = Elaborator::new(&model.names, &mut model.pool, &mut problems);
        elaborator.in_sentence = true;
        let Some(value) = elaborator.condition(&Scope::default(), condition) else {
            return Err(problems);
        };
        if let Some(noisy) = model.names.noisy(&model.pool, value) {
            let name = model.pool.symbol_data(noisy).name.clone();
            problems.push(misplaced(&name, "a sentence", condition.span));
        }
        let shape = model.pool.shape(value);
        if shape != Shape::Scalar {
            problems.push(
                Diagnostic::new(Code::ShapeMismatch, "`when` waits for a single condition")
                    .at(condition.span, format!("this is {shape}"))
                    .help("name one element, as in `when y[1] > 1`"),
            );
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        model.events.push(Event {
            span,
            within: None,
            trigger: Trigger::When {
                condition: value,
                direction,
            },
            delay: None,
            priority: None,
            persistent: true,
            values_at_trigger: false,
            assignments: Vec::new(),
            doses: Vec::new(),
        });
        Ok(model)
    }
}
