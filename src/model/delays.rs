//! Delayed values, `x(t - tau)`, and the histories that they reach back to.
//!
//! Enters: a call whose name is a state. Leaves: a symbol, and an entry in the list of [`Delay`]s;
//! equal ones share it.

use super::collect::Draft;
use super::driven::Contents;
use super::elaborate::{Elaborator, Quantity, Scope};
use super::names::Entity;
use super::{Delay, StateId};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::source::Span;
use crate::symbolic::{self, Expr, Shape};
use crate::syntax::tree::{self, BinaryOperator, ExprKind};

/// The delayed values that an expression may name.
pub(super) enum Delays<'a> {
    /// Any: new ones are added.
    Open(&'a mut Vec<Delay>),
    /// Those of the model only.
    Known,
}

/// The history of a state: of the whole of it, or of single elements.
#[derive(Debug, Clone)]
pub(super) enum History {
    Whole(Expr, Span),
    Elements(Vec<Option<(Expr, Span)>>),
}

impl History {
    fn span(&self) -> Option<Span> {
        match self {
            History::Whole(_, span) => Some(*span),
            History::Elements(elements) => elements.iter().flatten().next().map(|(_, span)| *span),
        }
    }
}

impl Elaborator<'_> {
    /// `x(t - tau)`; `x(t)`, which is how papers write `x`, is refused.
    pub(super) fn state_at_a_time(
        &mut self,
        scope: &Scope,
        state: StateId,
        target: &tree::Reference,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Option<Quantity> {
        let name = &target.name.text;
        let argument = match arguments {
            [tree::Argument { name: None, value }] => value,
            _ => return self.bad_delay(name, span, "reads like a call"),
        };
        if is_time(argument) {
            return self.report(
                Diagnostic::new(
                    Code::UnknownFunction,
                    format!("`{name}` is not written as a function of the time"),
                )
                .at(span, "")
                .help(format!("write `{name}`: it is the value at time t")),
            );
        }
        let lag = self.lag(scope, name, argument)?;
        let element = self.single_element(scope, target)?;
        let element = element.map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        self.delayed(state, name, element, lag, span)
    }

    /// How long ago: `tau` of `t - tau`.
    fn lag(&mut self, scope: &Scope, name: &str, argument: &tree::Expr) -> Option<Expr> {
        let mut terms = Vec::new();
        let mut first = argument;
        while let ExprKind::Binary {
            operator: operator @ (BinaryOperator::Subtract | BinaryOperator::Add),
            left,
            right,
            ..
        } = &first.kind
        {
            terms.push((*operator, right.as_ref()));
            first = left;
        }
        let starts_now = match &first.kind {
            ExprKind::Reference(_) => {
                let time = self.names.symbol("t").map(|time| self.pool.symbol(time));
                Some(self.scalar(scope, first)?) == time
            }
            _ => false,
        };
        let goes_back = terms
            .iter()
            .any(|(operator, _)| *operator == BinaryOperator::Subtract);
        if !starts_now || !goes_back {
            let label = match (starts_now, terms.is_empty()) {
                (true, false) => "this lies ahead",
                _ => "this is no earlier time",
            };
            return self.bad_delay(name, argument.span, label);
        }
        let mut lag: Option<Expr> = None;
        for (operator, term) in terms.into_iter().rev() {
            let value = self.scalar(scope, term)?;
            lag = Some(match (lag, operator) {
                (None, BinaryOperator::Subtract) => value,
                (None, _) => self.pool.neg(value),
                (Some(sum), BinaryOperator::Subtract) => self.pool.add(sum, value),
                (Some(sum), _) => self.pool.sub(sum, value),
            });
        }
        self.checked_lag(lag?, argument.span)
    }

    fn checked_lag(&mut self, lag: Expr, span: Span) -> Option<Expr> {
        if let Some(number) = self.names.constant_value(self.pool, lag)
            && !(number > 0.0 && number.is_finite())
        {
            return self.report(
                Diagnostic::new(Code::BadDelay, "a delay must be positive")
                    .at(span, format!("the delay is {}", number_text(number)))
                    .help("the state as it is now goes by its name alone"),
            );
        }
        if let Some(symbol) = self.names.changing(self.pool, lag) {
            let name = self.pool.symbol_data(symbol).name.clone();
            return self.report(
                Diagnostic::new(Code::BadDelay, "a delay must not change during a run")
                    .at(span, format!("`{name}` changes"))
                    .help("delays are made of numbers and parameters, as in `x(t - tau)`"),
            );
        }
        Some(lag)
    }

    fn bad_delay<T>(&mut self, name: &str, span: Span, label: &str) -> Option<T> {
        self.report(
            Diagnostic::new(
                Code::BadDelay,
                format!("`{name}` at an earlier time is written `{name}(t - tau)`"),
            )
            .at(span, label)
            .help(format!(
                "`tau` is a positive number or parameter; if a product is meant, write `{name}*(...)`"
            )),
        )
    }

    /// Definitions, inputs and parameters are not delayed themselves.
    pub(super) fn no_delay_of(
        &mut self,
        name: &tree::Name,
        entity: Entity,
        span: Span,
    ) -> Option<Quantity> {
        let text = &name.text;
        let help = match entity {
            Entity::Definition(_) => format!(
                "delay the states in it, as in `let {text}_delayed = x(t - tau) + y(t - tau)`"
            ),
            Entity::Input(_) => "move the times of its table instead".to_owned(),
            _ => format!("write `{text}`; if a product is meant, `{text}*(...)`"),
        };
        self.report(
            Diagnostic::new(
                Code::BadDelay,
                format!(
                    "`{text}` is {}: only states and species can be delayed",
                    self.names.describe(text)
                ),
            )
            .at(span, "a delayed value")
            .help(help),
        )
    }

    fn delayed(
        &mut self,
        state: StateId,
        name: &str,
        element: Option<u32>,
        lag: Expr,
        span: Span,
    ) -> Option<Quantity> {
        let symbol = self.names.states.get(state.index())?.symbol?;
        let known = match &self.delays {
            Delays::Open(delays) => delays.as_slice(),
            Delays::Known => self.names.delays(),
        };
        let same =
            |delay: &&Delay| delay.state == state && delay.element == element && delay.lag == lag;
        if let Some(delay) = known.iter().find(same) {
            return Some(Quantity::number(self.pool.symbol(delay.symbol)));
        }
        let text = self.delayed_name(name, element, lag);
        if matches!(self.delays, Delays::Known) {
            return self.no_such_delay(&text, span);
        }
        let shape = match element {
            Some(_) => Shape::Scalar,
            None => self.pool.symbol_data(symbol).shape,
        };
        let delayed = self.pool.new_symbol(text, shape);
        if let Delays::Open(delays) = &mut self.delays {
            delays.push(Delay {
                symbol: delayed,
                state,
                element,
                lag,
                span,
            });
        }
        Some(Quantity::number(self.pool.symbol(delayed)))
    }

    /// `y[GATA1](t - 2*tau)`
    fn delayed_name(&self, name: &str, element: Option<u32>, lag: Expr) -> String {
        let place = match (element, self.names.indices(name)) {
            (None, _) => String::new(),
            (Some(at), [set]) => format!("[{}]", self.names.index_set(*set).label(at as usize)),
            (Some(at), _) => format!("[{}]", u64::from(at) + 1),
        };
        let lag_text = symbolic::to_text(self.pool, lag);
        let is_sum = lag_text.contains([' ', '-']);
        let (open, close) = if is_sum { ("(", ")") } else { ("", "") };
        format!("{name}{place}(t - {open}{lag_text}{close})")
    }

    fn no_such_delay(&mut self, text: &str, span: Span) -> Option<Quantity> {
        let known: Vec<String> = self
            .names
            .delays()
            .iter()
            .map(|delay| format!("`{}`", self.pool.symbol_data(delay.symbol).name))
            .collect();
        let help = match known.len() {
            0 => "the model delays nothing; declare it there, as in `let earlier = x(t - tau)`"
                .to_owned(),
            1..=6 => format!(
                "the model keeps {}; declare others there, as in `let earlier = x(t - tau)`",
                listed(&known)
            ),
            _ => "declare it in the model, as in `let earlier = x(t - tau)`".to_owned(),
        };
        self.report(
            Diagnostic::new(Code::BadDelay, format!("the model does not keep `{text}`"))
                .at(span, "not one of its delayed values")
                .help(help),
        )
    }
}

/// `t` by itself.
fn is_time(expr: &tree::Expr) -> bool {
    matches!(
        &expr.kind,
        ExprKind::Reference(time) if time.name.text == "t" && time.indices.is_empty()
    )
}

impl Draft<'_> {
    /// `history x = expr`
    pub(super) fn history(
        &mut self,
        scope: &Scope,
        target: &tree::Reference,
        right: &tree::Expr,
        span: Span,
    ) {
        let name = &target.name.text;
        let state = match self.names.get(name) {
            Some(Entity::State(state)) => state,
            _ if self.names.is_refused(name) || self.names.is_disputed(name) => return,
            found => {
                self.no_history(target, found.is_some());
                return;
            }
        };
        let Some(symbol) = self.names.states[state.index()].symbol else {
            return;
        };
        let shape = self.pool.symbol_data(symbol).shape;
        let Some(element) = self.with_elaborator(|e| e.single_element(scope, target)) else {
            return;
        };
        let wanted = if element.is_some() {
            Shape::Scalar
        } else {
            shape
        };
        let value = self.with_elaborator(|e| e.number(scope, right));
        let Some(value) = value.and_then(|value| self.fit(value, wanted, right.span)) else {
            return;
        };
        let earlier = match (element, self.histories.get_mut(&state)) {
            (None, None) => {
                self.histories.insert(state, History::Whole(value, span));
                return;
            }
            (Some(at), None) => {
                let mut elements = vec![None; shape.len()];
                elements[at] = Some((value, span));
                self.histories.insert(state, History::Elements(elements));
                return;
            }
            (Some(at), Some(History::Elements(elements))) if elements[at].is_none() => {
                elements[at] = Some((value, span));
                return;
            }
            (_, Some(other)) => other.span().unwrap_or(span),
        };
        self.diagnostics.push(
            Diagnostic::new(Code::BadDelay, format!("`{name}` has two histories"))
                .at(span, "a second one")
                .at(earlier, "the first one")
                .help("remove one of them"),
        );
    }

    fn no_history(&mut self, target: &tree::Reference, is_declared: bool) {
        let name = &target.name.text;
        let near = self
            .names
            .closest(name, |entity| matches!(entity, Entity::State(_)));
        let (code, message, label) = if is_declared {
            (
                Code::BadDelay,
                format!("`{name}` is {}, not a state", self.names.describe(name)),
                "a history of it",
            )
        } else {
            (
                Code::UnknownName,
                format!("`{name}` is not declared"),
                "not known",
            )
        };
        let help = match near {
            Some(known) if !is_declared => format!("did you mean `{known}`?"),
            _ => "only states and species have a history".to_owned(),
        };
        self.diagnostics.push(
            Diagnostic::new(code, message)
                .at(target.span, label)
                .help(help),
        );
    }

    /// The whole history of a state: elements without one of their own keep their initial value.
    pub(super) fn whole_history(&mut self, state: StateId, initial: Expr) -> Option<Expr> {
        match self.histories.get(&state)?.clone() {
            History::Whole(value, _) => Some(value),
            History::Elements(elements) => {
                let shape = Shape::Vector(elements.len());
                let values = elements
                    .into_iter()
                    .enumerate()
                    .map(|(at, own)| match own {
                        Some((value, _)) => value,
                        None => self.pool.element(initial, at),
                    })
                    .collect();
                Some(self.pool.stack(values, shape))
            }
        }
    }

    /// Histories follow time and parameters, and something must read them.
    pub(super) fn check_histories(&mut self, contents: &Contents) {
        let mut problems = Vec::new();
        for (state, history) in &self.histories {
            let name = &self.states[state.index()].name;
            let parts: Vec<(Expr, Span)> = match history {
                History::Whole(value, span) => vec![(*value, *span)],
                History::Elements(elements) => elements.iter().flatten().copied().collect(),
            };
            for (value, span) in parts {
                let offender = contents
                    .reach(&self.pool, value)
                    .into_iter()
                    .find(|symbol| {
                        !matches!(
                            self.names.get(&self.pool.symbol_data(*symbol).name),
                            Some(Entity::Parameter(_) | Entity::Definition(_) | Entity::Time)
                        )
                    });
                if let Some(offender) = offender {
                    let offender = &self.pool.symbol_data(offender).name;
                    problems.push(
                        Diagnostic::new(
                            Code::BadDelay,
                            format!("the history of `{name}` is made of the time and parameters"),
                        )
                        .at(span, format!("`{offender}` is not known before the start"))
                        .help("as in `history x = x0*exp(t)`"),
                    );
                }
            }
            if !self.delays.iter().any(|delay| delay.state == *state)
                && let Some(span) = history.span()
            {
                problems.push(
                    Diagnostic::new(
                        Code::UnusedHistory,
                        format!("nothing reads the history of `{name}`"),
                    )
                    .at(span, "")
                    .help(format!("delays read it, as in `{name}(t - tau)`")),
                );
            }
        }
        self.diagnostics.extend(problems);
    }
}
