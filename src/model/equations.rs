//! Equations: which state each governs, element by element where a loop says so.

use super::collect::Draft;
use super::elaborate::Scope;
use super::names::Entity;
use super::{Motion, StateId, values::Values};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::symbolic::{Expr, Shape};
use crate::syntax::tree::{self, DeclareKind, EquationLeft};

/// How a state is governed so far.
#[derive(Debug, Clone, Default)]
pub(super) enum Governed {
    /// By nothing yet.
    #[default]
    Nothing,
    /// By one equation for all of it.
    Whole(Expr, Span),
    /// Element by element.
    Elements(Vec<Option<(Expr, Span)>>),
    /// By an equation that was at fault and has been reported.
    Faulty(Span),
}

impl Governed {
    /// Some elements have equations, and some have none.
    pub fn is_partial(&self) -> bool {
        match self {
            Governed::Elements(elements) => elements.iter().any(Option::is_none),
            _ => false,
        }
    }

    pub fn span(&self) -> Option<Span> {
        match self {
            Governed::Nothing => None,
            Governed::Whole(_, span) | Governed::Faulty(span) => Some(*span),
            Governed::Elements(elements) => elements.iter().flatten().next().map(|(_, span)| *span),
        }
    }
}

impl Draft<'_> {
    /// Notes that the equation of a state went with a statement at fault.
    pub fn abandon(&mut self, name: &str) {
        if let Some(Entity::State(state)) = self.names.get(name) {
            self.abandoned.insert(state);
        }
    }

    /// Takes up one equation.
    pub fn equation(
        &mut self,
        scope: &Scope,
        left: &tree::EquationLeft,
        right: &tree::Expr,
        governed: &mut [Governed],
    ) {
        match left {
            EquationLeft::Derivative {
                target,
                order,
                span: left_span,
            } => {
                if let Some(state) = self.governed_state(target, *order, *left_span, governed) {
                    self.derivative(scope, target, state, right, *left_span, governed);
                }
            }
            EquationLeft::Next(target) => {
                if let Some(state) = self.governed_state(target, 1, target.span, governed) {
                    self.derivative(scope, target, state, right, target.span, governed);
                }
            }
            // These govern no state by themselves.
            EquationLeft::Zero(_) | EquationLeft::History(_) => {}
        }
    }

    /// The state whose drift the right side is: `theta'` for `theta'' = ...`. Lower derivatives
    /// are chained to it.
    fn governed_state(
        &mut self,
        target: &tree::Reference,
        order: u8,
        span: Span,
        governed: &mut [Governed],
    ) -> Option<StateId> {
        let base = &target.name.text;
        let state = match self.names.get(base) {
            Some(Entity::State(id)) => id,
            // Which declaration holds is open, and the question has been asked.
            Some(_) if self.names.is_disputed(base) => return None,
            Some(entity) => {
                let help = match entity {
                    Entity::Parameter(_) => {
                        format!("declare it as a state: `state {base} = ...`")
                    }
                    Entity::Definition(_) => {
                        "it follows what it stands for; what has an equation of its own is a `state`"
                            .to_owned()
                    }
                    _ => "only states have equations".to_owned(),
                };
                let mut diagnostic = Diagnostic::new(
                    Code::NotGovernable,
                    format!("`{base}` is {}, not a state", self.names.describe(base)),
                )
                .at(span, "an equation for it");
                if let Some(declared) = self.names.declared_at(base)
                    && entity != Entity::Time
                {
                    diagnostic = diagnostic.at(declared, "declared here");
                }
                self.diagnostics.push(diagnostic.help(help));
                return None;
            }
            None if self.names.is_refused(base) => return None,
            None => {
                let near = self
                    .names
                    .closest(base, |entity| matches!(entity, Entity::State(_)))
                    .map(str::to_owned);
                let help = match &near {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("declare it with its initial value, as in `state {base} = 1`"),
                };
                // The equation was most likely meant for it.
                near.iter().for_each(|known| self.abandon(known));
                self.diagnostics.push(
                    Diagnostic::new(Code::UnknownName, format!("`{base}` is not declared"))
                        .at(target.name.span, "not known")
                        .help(help),
                );
                return None;
            }
        };
        if self.states[state.index()].kind == DeclareKind::Species {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::GovernedTwice,
                    format!("`{base}` is a species, which reactions govern"),
                )
                .at(span, "an equation for it")
                .at(
                    self.states[state.index()].item.span,
                    "declared as a species here",
                )
                .help(format!(
                    "declare `state {base} = ...` to write its equation yourself"
                )),
            );
            return None;
        }
        self.chain(base, state, order, span, governed)
    }

    fn chain(
        &mut self,
        base: &str,
        state: StateId,
        order: u8,
        span: Span,
        governed: &mut [Governed],
    ) -> Option<StateId> {
        let mut lower = state;
        for level in 1..order {
            let name = format!("{base}{}", "'".repeat(level.into()));
            let Some(Entity::State(higher)) = self.names.get(&name) else {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::NoInitialValue,
                        format!("`{name}` has no initial value"),
                    )
                    .at(span, format!("an equation of order {order} needs it"))
                    .at(self.states[state.index()].item.span, "declare it here")
                    .help(format!("as in `state {base} = ..., {name} = 0`")),
                );
                governed[lower.index()] = Governed::Faulty(span);
                return None;
            };
            let symbol = self.names.states[higher.index()].symbol?;
            let velocity = self.pool.symbol(symbol);
            match &governed[lower.index()] {
                Governed::Nothing => governed[lower.index()] = Governed::Whole(velocity, span),
                Governed::Whole(known, _) if *known == velocity => {}
                other => {
                    let earlier = other.span();
                    self.governed_twice(&name, span, earlier);
                }
            }
            lower = higher;
        }
        Some(lower)
    }

    fn governed_twice(&mut self, name: &str, span: Span, earlier: Option<Span>) {
        let mut diagnostic =
            Diagnostic::new(Code::GovernedTwice, format!("`{name}` is governed twice"))
                .at(span, "a second equation");
        if let Some(earlier) = earlier {
            diagnostic = diagnostic.at(earlier, "the first one");
        }
        self.diagnostics
            .push(diagnostic.help("a state has one equation: remove one, or join them into one"));
    }

    fn derivative(
        &mut self,
        scope: &Scope,
        target: &tree::Reference,
        state: StateId,
        right: &tree::Expr,
        span: Span,
        governed: &mut [Governed],
    ) {
        let name = self.states[state.index()].name.clone();
        let Some(symbol) = self.names.states[state.index()].symbol else {
            governed[state.index()] = Governed::Faulty(span);
            return;
        };
        let shape = self.pool.symbol_data(symbol).shape;
        let Some(element) = self.with_elaborator(|e| e.single_element(scope, target)) else {
            governed[state.index()] = Governed::Faulty(span);
            return;
        };
        let value = self.with_elaborator(|e| e.number(scope, right));
        let wanted = if element.is_some() {
            Shape::Scalar
        } else {
            shape
        };
        let Some(value) = value.and_then(|value| self.fit(value, wanted, right.span)) else {
            governed[state.index()] = Governed::Faulty(span);
            return;
        };
        match (element, &mut governed[state.index()]) {
            (None, slot @ Governed::Nothing) => *slot = Governed::Whole(value, span),
            (Some(at), slot @ Governed::Nothing) => {
                let mut elements = vec![None; shape.len()];
                elements[at] = Some((value, span));
                *slot = Governed::Elements(elements);
            }
            (Some(at), Governed::Elements(elements)) if elements[at].is_none() => {
                elements[at] = Some((value, span));
            }
            (Some(at), Governed::Elements(elements)) => {
                let earlier = elements[at].map(|(_, span)| span);
                let label = self.element_label(state, at);
                self.governed_twice(&label, span, earlier);
            }
            (Some(_), Governed::Faulty(_)) => {}
            (None, Governed::Faulty(earlier)) if *earlier == span => {}
            (_, other) => {
                let earlier = other.span();
                self.governed_twice(&name, span, earlier);
            }
        }
    }

    /// The value in the wanted shape: a number fills a vector.
    pub(super) fn fit(&mut self, value: Expr, wanted: Shape, span: Span) -> Option<Expr> {
        let found = self.pool.shape(value);
        if found == wanted {
            return Some(value);
        }
        if found == Shape::Scalar {
            return Some(self.pool.fill(value, wanted));
        }
        self.diagnostics.push(
            Diagnostic::new(
                Code::ShapeMismatch,
                "the two sides of this equation differ in shape",
            )
            .at(span, format!("this is {found}, {wanted} is needed")),
        );
        None
    }

    fn element_label(&self, state: StateId, element: usize) -> String {
        let name = &self.states[state.index()].name;
        match self.names.states[state.index()].indices.as_slice() {
            [set] => format!("{name}[{}]", self.names.index_set(*set).label(element)),
            _ => format!("{name}[{}]", element + 1),
        }
    }

    /// The drift of a state from its equations; reports what lacks one.
    pub fn drift_of_state(
        &mut self,
        state: StateId,
        governed: &Governed,
        values: &Values,
    ) -> Option<Expr> {
        let name = self.states[state.index()].name.clone();
        let declared_at = self.states[state.index()].item.span;
        if self.abandoned.contains(&state) && !matches!(governed, Governed::Whole(..)) {
            return None;
        }
        match governed {
            Governed::Whole(drift, _) => Some(*drift),
            Governed::Faulty(_) => None,
            Governed::Elements(elements) => {
                let missing: Vec<usize> = (0..elements.len())
                    .filter(|at| elements[*at].is_none())
                    .collect();
                if missing.is_empty() {
                    let drifts: Vec<Expr> =
                        elements.iter().flatten().map(|(drift, _)| *drift).collect();
                    let shape = Shape::Vector(drifts.len());
                    return Some(self.pool.stack(drifts, shape));
                }
                let mut listed: Vec<String> = missing
                    .iter()
                    .take(4)
                    .map(|at| format!("`{}`", self.element_label(state, *at)))
                    .collect();
                if missing.len() > 4 {
                    listed.push(format!("and {} more", missing.len() - 4));
                }
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::NoEquation,
                        format!(
                            "some elements of `{name}` have no equation: {}",
                            listed.join(", ")
                        ),
                    )
                    .at(declared_at, "declared here")
                    .help(if self.has_constraint {
                        "constraints determine whole states: declare what they determine as a state of its own"
                    } else {
                        "the ends of a loop often need equations of their own"
                    }),
                );
                None
            }
            Governed::Nothing if self.algebraic.contains(&state) => {
                let symbol = self.names.states[state.index()].symbol?;
                let shape = self.pool.symbol_data(symbol).shape;
                let zero = self.pool.constant(0.0);
                Some(self.pool.fill(zero, shape))
            }
            Governed::Nothing => {
                // A faulty declaration has been reported already.
                if values.states.contains_key(&state) {
                    self.diagnostics.push(
                        Diagnostic::new(
                            Code::NoEquation,
                            format!("the state `{name}` has no equation"),
                        )
                        .at(declared_at, "declared here")
                        .help(match self.motion {
                            Motion::Flow => format!(
                                "write `{name}' = ...`; if it never changes, declare it with `param`; a constraint is written `0 = ...`"
                            ),
                            Motion::Map => format!(
                                "write `next {name} = ...`; if it never changes, declare it with `param`"
                            ),
                        }),
                    );
                }
                None
            }
        }
    }
}
