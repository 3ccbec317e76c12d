//! What Hill functions are scaled by: k in `hill(x, k, n)` must be above 0.
//!
//! A k that follows from parameters alone can be judged before any work begins, and by name. One that
//! depends on the state or the time makes the function not a number where it is not above 0.
//!
//! Enters: the equations and the values that hold. Leaves: a problem for each scale at fault. Must
//! not know sentences.

use super::compiled::Compiled;
use super::values::{self, Present};
use crate::diagnostic::{Code, Diagnostic, first_quoted, number_text};
use crate::symbolic::{Expr, Node, SymbolId, Unary, reachable, symbols_of};

/// Names that are written out.
const MOST_NAMES: usize = 3;

/// A problem for each scale with numbers that are not above 0. Numbers that are none are reported
/// where they come from.
pub(super) fn check(compiled: &Compiled, present: &Present) -> Vec<Diagnostic> {
    let system = &compiled.system;
    let pool = &system.pool;
    let definitions = compiled.model.definitions.iter();
    let definitions = definitions.filter_map(|known| system.definitions.get(&known.symbol));
    let roots: Vec<Expr> = system.drift.iter().chain(definitions).copied().collect();
    let is_parameter = |symbol: &SymbolId| {
        let mut blocks = system.parameters.blocks().iter();
        blocks.any(|block| block.symbol == *symbol)
    };
    let scales = reachable(pool, &roots)
        .into_iter()
        .filter_map(|expr| match *pool.node(expr) {
            Node::Unary(Unary::Positive, scale) => Some(scale),
            _ => None,
        })
        .filter(|scale| symbols_of(pool, *scale).iter().all(is_parameter));
    scales
        .filter_map(|scale| {
            let start = compiled.model.time.start;
            let numbers = values::at_present(pool, system, start, scale, present);
            fault(compiled, scale, &numbers)
        })
        .collect()
}

fn fault(compiled: &Compiled, scale: Expr, numbers: &[f64]) -> Option<Diagnostic> {
    let pool = &compiled.system.pool;
    let wrong: Vec<(usize, f64)> = (numbers.iter().copied().enumerate())
        .filter(|(_, number)| *number <= 0.0)
        .collect();
    let (_, number) = *wrong.first()?;
    let (symbol, offset) = match *pool.node(scale) {
        Node::Symbol(symbol) => (Some(symbol), 0),
        Node::Element(base, offset) => match *pool.node(base) {
            Node::Symbol(symbol) => (Some(symbol), offset as usize),
            _ => (None, 0),
        },
        _ => (None, 0),
    };
    let model = &compiled.model;
    let mut known = (model.parameters.iter()).zip(compiled.system.parameters.blocks());
    let known = symbol.and_then(|symbol| known.find(|(_, block)| block.symbol == symbol));
    let problem = |name: String| {
        let message = format!(
            "a Hill function is scaled by {name}, which is {}",
            number_text(number)
        );
        Diagnostic::new(Code::OutOfBounds, message)
            .help("k in `hill(x, k, n)` is above 0; repression is `hill(x, k, -n)`")
    };
    let Some((parameter, _)) = known else {
        // An expression is shown by the first parameter in it.
        let symbols = symbols_of(pool, scale);
        let mut inside = model.parameters.iter();
        let inside = inside.find(|parameter| symbols.contains(&parameter.symbol));
        let told = problem(format!("`{}`", compiled.text_of(scale)));
        return Some(match inside {
            Some(parameter) => told.at(parameter.span, "it follows this"),
            None => told,
        });
    };
    let indices = model.names.indices(&parameter.name);
    let names: Vec<String> = (wrong.iter())
        .map(|(at, _)| model.element_name(&parameter.name, indices, offset + at))
        .collect();
    let place = match names.as_slice() {
        [_] => "declared here".to_owned(),
        names => format!("not above 0: {}", first_quoted(names, MOST_NAMES)),
    };
    let first = names.first().map_or("", String::as_str);
    Some(problem(format!("`{first}`")).at(parameter.span, place))
}
