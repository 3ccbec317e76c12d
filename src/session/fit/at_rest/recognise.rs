//! Whether a model is y' = A*y + B*x + C*W', and what its A, B, x and C are.
//!
//! Enters: the equations, and which parameters are fitted. Leaves: a [`Form`], or why the model has
//! none. Must not know data.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::ParameterId;
use crate::session::compiled::Compiled;
use crate::source::Span;
use crate::symbolic::{Binary, Expr, Node, Operator, Pool, Shape, SymbolId, Unary, symbols_of};
use rustc_hash::FxHashSet;

/// What the form is called in messages.
const FORM: &str =
    "cells at rest are fitted by equations of the form `y' = A*y + B*x + C*W'` of one vector `y`";

/// A linear system with noise.
pub(super) struct Form {
    /// A.
    pub drift: ParameterId,
    /// What is added to A y.
    pub terms: Vec<Term>,
    /// C.
    pub noise: Noise,
}

/// A term of the drift that does not depend on the state.
pub(super) enum Term {
    /// A fitted vector, or a fitted matrix times `by`.
    Fitted {
        parameter: ParameterId,
        by: Option<Expr>,
        sign: f64,
    },
    /// Nothing of it is fitted.
    Given { expr: Expr, sign: f64 },
}

/// The factor of the noise.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Noise {
    /// There is none: what the cells are spread by is left open.
    Absent,
    /// Nothing of it is fitted.
    Given,
    /// A fitted matrix.
    Matrix(ParameterId),
    /// A fitted vector along the diagonal.
    Diagonal(ParameterId),
}

struct Reader<'a> {
    compiled: &'a Compiled,
    pool: &'a Pool,
    state: SymbolId,
    fitted: &'a [ParameterId],
    /// What is fitted, and what follows it.
    moved: FxHashSet<SymbolId>,
    span: Span,
}

/// The form of a model of which these parameters are fitted.
pub(super) fn form(
    compiled: &Compiled,
    fitted: &[ParameterId],
    span: Span,
) -> Result<Form, Vec<Diagnostic>> {
    let (model, system) = (&compiled.model, &compiled.system);
    let ([state], [drift]) = (model.states.as_slice(), system.drift.as_slice()) else {
        return Err(vec![other(span, "the model has several states")]);
    };
    let plain = model.reactions.is_empty()
        && model.delays.is_empty()
        && model.constraints.is_empty()
        && model.motion == crate::model::Motion::Flow;
    if !plain {
        return Err(vec![other(span, "the model is of another kind")]);
    }
    let reader = Reader {
        compiled,
        pool: &system.pool,
        state: state.symbol,
        fitted,
        moved: moved(compiled, fitted),
        span,
    };
    let mut terms = Vec::new();
    flatten(reader.pool, *drift, 1.0, &mut terms);
    let mut found = None;
    let mut rest = Vec::new();
    for (expr, sign) in terms {
        match reader.term(expr, sign)? {
            Read::Drift(_) if found.is_some() => {
                return Err(vec![other(span, "two matrices act on the state")]);
            }
            Read::Drift(parameter) => found = Some(parameter),
            Read::Term(term) => rest.push(term),
        }
    }
    let Some(drift) = found else {
        return Err(vec![other(span, "no matrix acts on the state")]);
    };
    let form = Form {
        drift,
        terms: rest,
        noise: reader.noise()?,
    };
    form.holds_each_once(compiled, fitted, span)?;
    Ok(form)
}

/// Symbols of what is fitted, and of parameters whose values follow it.
fn moved(compiled: &Compiled, fitted: &[ParameterId]) -> FxHashSet<SymbolId> {
    let symbol = |at: usize| compiled.model.parameters[at].symbol;
    let mut moved: FxHashSet<SymbolId> = fitted.iter().map(|id| symbol(id.index())).collect();
    let system = &compiled.system;
    // Each comes after those that it needs.
    for at in &system.followers {
        let needs = symbols_of(&system.pool, system.parameter_values[*at]);
        if needs.iter().any(|needed| moved.contains(needed)) {
            moved.insert(symbol(*at));
        }
    }
    moved
}

impl Form {
    /// Places of fitted parameters.
    fn places(&self) -> impl Iterator<Item = ParameterId> + '_ {
        let terms = self.terms.iter().filter_map(|term| match term {
            Term::Fitted { parameter, .. } => Some(*parameter),
            Term::Given { .. } => None,
        });
        let noise = match self.noise {
            Noise::Matrix(id) | Noise::Diagonal(id) => Some(id),
            Noise::Absent | Noise::Given => None,
        };
        std::iter::once(self.drift).chain(terms).chain(noise)
    }

    /// What is fitted stands in one place: entries of two places would be searched apart.
    fn holds_each_once(
        &self,
        compiled: &Compiled,
        fitted: &[ParameterId],
        span: Span,
    ) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        for id in fitted {
            let name = &compiled.model.parameters[id.index()].name;
            let label = match self.places().filter(|place| place == id).count() {
                1 => continue,
                0 => format!("`{name}`, which is fitted, does not stand in it"),
                _ => format!("`{name}`, which is fitted, stands in it twice"),
            };
            problems.push(other(span, &label));
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems),
        }
    }
}

enum Read {
    Drift(ParameterId),
    Term(Term),
}

impl Reader<'_> {
    fn term(&self, expr: Expr, sign: f64) -> Result<Read, Vec<Diagnostic>> {
        let symbols = symbols_of(self.pool, expr);
        if symbols.contains(&self.state) {
            return match *self.pool.node(expr) {
                Node::Product(matrix, state)
                    if sign > 0.0 && *self.pool.node(state) == Node::Symbol(self.state) =>
                {
                    match self.parameter(matrix) {
                        Some(id) if !self.is_moved(id) || self.fitted.contains(&id) => {
                            Ok(Read::Drift(id))
                        }
                        Some(_) => Err(self.misfit(expr, "its matrix follows what is fitted")),
                        None => Err(self.misfit(expr, "its matrix is not a parameter")),
                    }
                }
                _ => Err(self.misfit(expr, "it is not a matrix times the state")),
            };
        }
        if symbols.contains(&self.compiled.system.time) {
            return Err(self.misfit(expr, "it changes with time"));
        }
        if !self.holds_fitted(&symbols) {
            return Ok(Read::Term(Term::Given { expr, sign }));
        }
        if let Some(parameter) = self.fitted_parameter(expr) {
            let by = None;
            return Ok(Read::Term(Term::Fitted {
                parameter,
                by,
                sign,
            }));
        }
        if let Node::Product(matrix, by) = *self.pool.node(expr)
            && let Some(parameter) = self.fitted_parameter(matrix)
            && !self.holds_fitted(&symbols_of(self.pool, by))
        {
            let by = Some(by);
            return Ok(Read::Term(Term::Fitted {
                parameter,
                by,
                sign,
            }));
        }
        Err(self.misfit(
            expr,
            "what is fitted in it is not a vector, or a matrix times something known",
        ))
    }

    fn noise(&self) -> Result<Noise, Vec<Diagnostic>> {
        let Some(noise) = &self.compiled.system.noise else {
            return Ok(Noise::Absent);
        };
        if noise.multiplicative {
            return Err(vec![other(self.span, "the noise depends on the state")]);
        }
        let symbols = noise.factor.contributions.iter();
        let symbols: FxHashSet<SymbolId> = symbols
            .flat_map(|known| symbols_of(self.pool, known.expr))
            .collect();
        if !self.holds_fitted(&symbols) {
            return Ok(Noise::Given);
        }
        let fitted = match noise.factor.blocks.as_slice() {
            [block] => match &block.operator {
                Operator::Matrix(matrix) => self.fitted_parameter(*matrix).map(Noise::Matrix),
                Operator::Diagonal(along) => self.fitted_parameter(*along).map(Noise::Diagonal),
                _ => None,
            },
            _ => None,
        };
        fitted.ok_or_else(|| {
            vec![other(
                self.span,
                "what is fitted of the noise is not one matrix, or one vector as in `C .* W'`",
            )]
        })
    }

    /// The parameter that an expression is.
    fn parameter(&self, expr: Expr) -> Option<ParameterId> {
        let Node::Symbol(symbol) = *self.pool.node(expr) else {
            return None;
        };
        let known = &self.compiled.model.parameters;
        let at = known.iter().position(|known| known.symbol == symbol)?;
        (self.pool.shape(expr) != Shape::Scalar).then(|| ParameterId::new(at))
    }

    fn fitted_parameter(&self, expr: Expr) -> Option<ParameterId> {
        self.parameter(expr).filter(|id| self.fitted.contains(id))
    }

    fn is_moved(&self, id: ParameterId) -> bool {
        let symbol = self.compiled.model.parameters[id.index()].symbol;
        self.moved.contains(&symbol)
    }

    fn holds_fitted(&self, symbols: &FxHashSet<SymbolId>) -> bool {
        symbols.iter().any(|symbol| self.moved.contains(symbol))
    }

    fn misfit(&self, expr: Expr, why: &str) -> Vec<Diagnostic> {
        let label = format!("`{}`: {why}", self.compiled.text_of(expr));
        vec![other(self.span, &label)]
    }
}

/// The terms of a sum with their signs.
fn flatten(pool: &Pool, expr: Expr, sign: f64, terms: &mut Vec<(Expr, f64)>) {
    match *pool.node(expr) {
        Node::Binary(Binary::Add, a, b) => {
            flatten(pool, a, sign, terms);
            flatten(pool, b, sign, terms);
        }
        Node::Binary(Binary::Subtract, a, b) => {
            flatten(pool, a, sign, terms);
            flatten(pool, b, -sign, terms);
        }
        Node::Unary(Unary::Negate, a) => flatten(pool, a, -sign, terms),
        _ if pool.is_zero(expr) => {}
        _ => terms.push((expr, sign)),
    }
}

fn other(span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::CannotFit, FORM)
        .at(span, label)
        .help("other models are fitted without `as stationary`")
}
