//! Where the parts of a model stand that numerical layers name by position.
//!
//! Enters: a compiled model and a position of its state vector, or a guard. Leaves: spans with a few
//! words. Must not know why they are wanted.

use super::compiled::Compiled;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::symbolic::symbols_of;

/// More equations than this are not underlined at once.
const MOST: usize = 3;

/// Where the equation of a number of the state vector stands, or its declaration where reactions or
/// constraints govern it; nothing for a position beyond the states.
pub(super) fn equation(compiled: &Compiled, position: usize) -> Option<Span> {
    let (block, _) = compiled.system.states.locate(position)?;
    let state = compiled.model.states.get(block)?;
    Some(state.equation.unwrap_or(state.span))
}

/// Where the equations stand that switch with a guard, with the names of their states.
pub(super) fn readers(compiled: &Compiled, guard: usize) -> Vec<(Span, &str)> {
    let system = &compiled.system;
    let blocks = system.slots.layout.blocks().iter();
    let mut modes = blocks.filter(|block| system.slots.modes.contains(&block.offset));
    let Some(mode) = modes.nth(guard) else {
        return Vec::new();
    };
    let states = compiled.model.states.iter().zip(&system.frozen_drift);
    states
        .filter(|(_, drift)| symbols_of(&system.pool, **drift).contains(&mode.symbol))
        .map(|(state, _)| (state.equation.unwrap_or(state.span), state.name.as_str()))
        .take(MOST)
        .collect()
}

/// The diagnostic with the equation of a state underlined.
pub(super) fn with_equation(
    diagnostic: Diagnostic,
    compiled: &Compiled,
    position: usize,
) -> Diagnostic {
    let words = format!("what changes `{}`", compiled.state_name(position));
    match equation(compiled, position) {
        Some(span) => diagnostic.at(span, words),
        None => diagnostic,
    }
}

/// The diagnostic with the equations underlined that switch with a guard.
pub(super) fn with_readers(
    diagnostic: Diagnostic,
    compiled: &Compiled,
    guard: usize,
) -> Diagnostic {
    let readers = readers(compiled, guard);
    readers
        .into_iter()
        .fold(diagnostic, |diagnostic, (span, name)| {
            diagnostic.at(span, format!("the equation of `{name}` switches there"))
        })
}
