//! Which models are linear models of perturbations: `observe Y[gene, perturbation] ~
//! normal(G*K*transpose(P) + b)`.
//!
//! Enters: a model. Leaves: its [`Form`], or why it has none. Must not know data.

use super::super::compiled::Compiled;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{IndexSetId, ParameterId, Per};
use crate::source::Span;
use crate::symbolic::{Binary, Expr, Node, Pool, SymbolId};

/// The parts of Y = G K P^T + b.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What is observed, as `Y`.
    pub observed: String,
    /// G: the factors of genes.
    pub genes: ParameterId,
    /// K: what connects the factors.
    pub coefficients: ParameterId,
    /// P: the factors of perturbations.
    pub perturbations: ParameterId,
    /// b: what all perturbations have in common.
    pub mean: ParameterId,
    /// The index sets of rows and columns.
    pub sets: (IndexSetId, IndexSetId),
}

/// Why a model has not this form; said beside its observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoForm(&'static str);

impl NoForm {
    pub fn told(&self, compiled: &Compiled, span: Span) -> Diagnostic {
        let place = compiled.model.observations.first();
        let place = place.map_or(span, |known| known.distribution.span);
        Diagnostic::new(
            Code::BadObservation,
            "scores of the data stand in linear models of perturbations only",
        )
        .at(place, self.0)
        .help("as in `observe Y[gene, perturbation] ~ normal(G*K*transpose(P) + b)`, with `covariate G[gene, factor] by scores`, `covariate P[perturbation, factor] by scores` and parameters `K[factor, factor]`, `b[gene]`")
    }
}

impl Form {
    /// How many factors there are.
    pub fn factors(&self, compiled: &Compiled) -> usize {
        let indices = &compiled.model.parameters[self.genes.index()].indices;
        indices
            .last()
            .map_or(0, |set| compiled.model.names.index_set(*set).len())
    }
}

/// Reads a model as one of perturbations.
pub(super) fn of(compiled: &Compiled) -> Result<Form, NoForm> {
    let model = &compiled.model;
    let [observation] = model.observations.as_slice() else {
        return Err(NoForm("there is one observation, of a matrix"));
    };
    let &[rows, columns] = observation.indices.as_slice() else {
        return Err(NoForm("a matrix of genes by perturbations is observed"));
    };
    if !observation.distribution.is_least_squares() {
        return Err(NoForm(
            "it is solved by least squares: leave the standard deviation out",
        ));
    }
    let Some(mean) = observation.distribution.arguments.first() else {
        return Err(NoForm("nothing is said of it"));
    };
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mean = compiled.system.inline(&mut pool, *mean);
    let Node::Binary(Binary::Add, one, other) = *pool.node(mean) else {
        return Err(NoForm("it is a product of three matrices, and a vector"));
    };
    let parameter = |symbol: SymbolId| {
        let mut all = model.parameters.iter();
        all.position(|known| known.symbol == symbol)
            .map(ParameterId::new)
    };
    let found = |product: Expr, added: Expr| {
        let chain = chain(&pool, product)?;
        let added = spread(&pool, added)?;
        Some((chain, added))
    };
    let Some((chain, added)) = found(one, other).or_else(|| found(other, one)) else {
        return Err(NoForm(
            "it is a product of three matrices, and a vector for the genes",
        ));
    };
    let parts = [chain[0], chain[1], chain[2], added].map(parameter);
    let [
        Some(genes),
        Some(coefficients),
        Some(perturbations),
        Some(mean),
    ] = parts
    else {
        return Err(NoForm("its parts are parameters and covariates"));
    };
    let form = Form {
        observed: observation.name.clone(),
        genes,
        coefficients,
        perturbations,
        mean,
        sets: (rows, columns),
    };
    fits(compiled, &form)?;
    Ok(form)
}

/// The symbols of G, K and P in G*K*transpose(P), however it is bracketed.
fn chain(pool: &Pool, expr: Expr) -> Option<[SymbolId; 3]> {
    let mut factors = Vec::new();
    flatten(pool, expr, &mut factors);
    let [genes, coefficients, perturbations] = factors.as_slice() else {
        return None;
    };
    let symbol = |expr: Expr| match *pool.node(expr) {
        Node::Symbol(symbol) => Some(symbol),
        _ => None,
    };
    let Node::Transpose(turned) = *pool.node(*perturbations) else {
        return None;
    };
    Some([symbol(*genes)?, symbol(*coefficients)?, symbol(turned)?])
}

fn flatten(pool: &Pool, expr: Expr, factors: &mut Vec<Expr>) {
    match *pool.node(expr) {
        Node::Product(left, right) => {
            flatten(pool, left, factors);
            flatten(pool, right, factors);
        }
        _ => factors.push(expr),
    }
}

/// The symbol of a vector that is added to every column.
fn spread(pool: &Pool, expr: Expr) -> Option<SymbolId> {
    let Node::Outer(vector, ones) = *pool.node(expr) else {
        return None;
    };
    match *pool.node(vector) {
        Node::Symbol(symbol) if pool.is_one(ones) => Some(symbol),
        _ => None,
    }
}

/// Indices and kinds of the parts.
fn fits(compiled: &Compiled, form: &Form) -> Result<(), NoForm> {
    let model = &compiled.model;
    let of = |id: ParameterId| &model.parameters[id.index()];
    let is_of_scores = |id: ParameterId| {
        let mut covariates = model.covariates.iter();
        covariates.any(|known| known.parameter == id && known.per == Per::Scores)
    };
    if !is_of_scores(form.genes) || !is_of_scores(form.perturbations) {
        return Err(NoForm(
            "the outer two of the three matrices are covariates `by scores`",
        ));
    }
    if of(form.coefficients).is_covariate || of(form.mean).is_covariate {
        return Err(NoForm(
            "the matrix between them and the vector are parameters",
        ));
    }
    let (rows, columns) = form.sets;
    let (&[gene, factor], &[perturbation, other]) = (
        of(form.genes).indices.as_slice(),
        of(form.perturbations).indices.as_slice(),
    ) else {
        return Err(NoForm("the factors are matrices"));
    };
    if (gene, perturbation) != (rows, columns) || factor != other {
        return Err(NoForm(
            "rows and columns have the index sets of the factors",
        ));
    }
    if of(form.mean).indices.as_slice() != [rows] {
        return Err(NoForm("what is added has an element for each gene"));
    }
    Ok(())
}
