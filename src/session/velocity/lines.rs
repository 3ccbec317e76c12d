//! Which models are lines: `observe u[gene] ~ normal(gamma .* s + offset)`.
//!
//! Enters: a model. Leaves: [`Lines`], read off the derivative of what is observed by its covariate,
//! or why it is none. Must not know data.

use super::super::compiled::Compiled;
use crate::model::{IndexSetId, Observation, ParameterId};
use crate::symbolic::{
    Expr, Node, Operator, Pool, Shape, SymbolId, jacobian, substitute, symbols_of,
};
use rustc_hash::FxHashMap;

/// An observation that is linear in a covariate, with a slope of its own for each element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// What is observed, as `u`.
    pub observed: String,
    /// What it is linear in, as `s`.
    pub covariate: ParameterId,
    /// The slopes.
    pub slope: ParameterId,
    /// What is added; none where lines go through the origin.
    pub offset: Option<ParameterId>,
    /// The index set of all these; none of single numbers.
    pub set: Option<IndexSetId>,
}

/// Why a model is no line. Each is said beside its observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoLine {
    /// There is no observation, or there are several.
    Observations(usize),
    /// Data scatter in a way of their own.
    Scatters,
    /// A matrix of observations.
    Matrix,
    /// No covariate, or several, or other names that change.
    Covariates(usize),
    /// The covariate has another shape.
    CovariateShape(String),
    /// What stands before the covariate is not a parameter with the same indices.
    Slope(String),
    /// What is left without the covariate is not a parameter with the same indices.
    Rest(String),
    /// States or time.
    Moves,
}

impl Lines {
    /// The names of the elements: the labels of the index set, or that of the observation.
    #[must_use]
    pub fn labels(&self, compiled: &Compiled) -> Vec<String> {
        let Some(id) = self.set else {
            return vec![self.observed.clone()];
        };
        let set = compiled.model.names.index_set(id);
        (0..set.len()).map(|at| set.label(at)).collect()
    }
}

/// Reads a model as lines.
pub(super) fn of(compiled: &Compiled) -> Result<Lines, NoLine> {
    let model = &compiled.model;
    let [observation] = model.observations.as_slice() else {
        return Err(NoLine::Observations(model.observations.len()));
    };
    if !observation.distribution.is_least_squares() {
        return Err(NoLine::Scatters);
    }
    if observation.indices.len() > 1 {
        return Err(NoLine::Matrix);
    }
    let mut pool = Pool::continuing(&compiled.system.pool);
    let Some(mean) = observation.distribution.arguments.first() else {
        return Err(NoLine::Scatters);
    };
    let mean = compiled.system.inline(&mut pool, *mean);
    let used = symbols_of(&pool, mean);
    let parameters = model.parameters.iter().map(|known| known.symbol);
    let parameters: Vec<SymbolId> = parameters.collect();
    if used.iter().any(|symbol| !parameters.contains(symbol)) {
        return Err(NoLine::Moves);
    }
    let covariates = model.covariates.iter().map(|known| known.parameter);
    let covariates = covariates.filter(|id| used.contains(&model.parameters[id.index()].symbol));
    let covariates: Vec<ParameterId> = covariates.collect();
    let [covariate] = covariates.as_slice() else {
        return Err(NoLine::Covariates(covariates.len()));
    };
    let known = &model.parameters[covariate.index()];
    if known.indices != observation.indices {
        return Err(NoLine::CovariateShape(known.name.clone()));
    }
    let whole = |pool: &Pool, expr| of_own_elements(compiled, observation, pool, expr);
    let slope = slope(&mut pool, mean, known.symbol);
    let print = |pool: &Pool, expr| model.print(pool, expr, crate::symbolic::Notation::Text);
    let slope = match slope {
        Some(expr) => whole(&pool, expr).ok_or_else(|| NoLine::Slope(print(&pool, expr)))?,
        None => return Err(NoLine::Slope(String::new())),
    };
    let zero = pool.zero(pool.symbol_data(known.symbol).shape);
    let without: FxHashMap<SymbolId, Expr> = [(known.symbol, zero)].into_iter().collect();
    let rest = substitute(&mut pool, mean, &without);
    let offset = match pool.is_zero(rest) {
        true => None,
        false => Some(whole(&pool, rest).ok_or_else(|| NoLine::Rest(print(&pool, rest)))?),
    };
    if offset == Some(slope) {
        return Err(NoLine::Rest(print(&pool, rest)));
    }
    Ok(Lines {
        observed: observation.name.clone(),
        covariate: *covariate,
        slope,
        offset,
        set: observation.indices.first().copied(),
    })
}

/// The factor of a symbol, element by element; none where elements mix.
fn slope(pool: &mut Pool, mean: Expr, symbol: SymbolId) -> Option<Expr> {
    let is_single = pool.shape(mean).len() == 1;
    match jacobian(pool, mean, symbol) {
        Operator::Diagonal(factor) => Some(factor),
        Operator::Matrix(factor) if is_single => Some(factor),
        Operator::Entries { entries, .. } if is_single => entries.first().map(|entry| entry.2),
        _ => None,
    }
}

/// The parameter that an expression is, where it has the indices of the observation and is itself
/// no covariate.
fn of_own_elements(
    compiled: &Compiled,
    observation: &Observation,
    pool: &Pool,
    expr: Expr,
) -> Option<ParameterId> {
    let symbol = match *pool.node(expr) {
        Node::Symbol(symbol) => symbol,
        // A vector of one element is often its element.
        Node::Element(of, 0) if pool.shape(of) == Shape::Vector(1) => match *pool.node(of) {
            Node::Symbol(symbol) => symbol,
            _ => return None,
        },
        _ => return None,
    };
    let mut parameters = compiled.model.parameters.iter();
    let at = parameters.position(|known| known.symbol == symbol)?;
    let known = &compiled.model.parameters[at];
    let is_own = !known.is_covariate && known.indices == observation.indices;
    is_own.then(|| ParameterId::new(at))
}
