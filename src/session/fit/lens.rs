//! What is seen of a model: its observations as functions of time, states and parameters.
//!
//! Enters: a model. Leaves: a [`Lens`]. Must not know data.

use super::super::compiled::Compiled;
use crate::diagnostic::{Code, Diagnostic};
use crate::fit::Family;
use crate::kernel::SharedKernel;
use crate::model::{Per, Unit};
use crate::source::Span;
use crate::symbolic::{Expr, Pool, Shape, SymbolId, symbols_of};
use rustc_hash::FxHashSet;
use std::ops::Range;
use std::sync::Arc;

/// Everything that data may be compared with.
#[derive(Debug)]
pub struct Lens {
    /// One after the other.
    pub seen: Vec<Seen>,
    /// The numbers of all: kernels over [`Lens::pool`].
    pub values: SharedKernel,
    /// Their derivatives along a direction.
    pub tangent: SharedKernel,
    /// A continuation of the system's pool.
    pub pool: Arc<Pool>,
    /// The numbers of all, as expressions.
    pub exprs: Vec<Expr>,
}

/// One observation.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The column of the data.
    pub name: String,
    /// How data scatter; `None` for least squares.
    pub family: Option<Family>,
    /// Where the parameters of its distribution stand among the numbers of the lens; for least
    /// squares the one number that is compared.
    pub numbers: Range<usize>,
    /// Its unit.
    pub unit: Option<Unit>,
    /// Where it is declared.
    pub span: Span,
}

impl Lens {
    /// Through the observations of a model, or its states and definitions where it declares none.
    /// Only those are kept that `wanted` names.
    pub(super) fn new(compiled: &Compiled, wanted: &dyn Fn(&str) -> bool) -> Lens {
        let mut pool = Pool::continuing(&compiled.system.pool);
        let (mut seen, mut exprs) = (Vec::new(), Vec::new());
        let mut add = |name: &str, family, numbers: Vec<Expr>, unit: Option<&Unit>, span| {
            let from = exprs.len();
            exprs.extend(numbers);
            seen.push(Seen {
                name: name.to_owned(),
                family,
                numbers: from..exprs.len(),
                unit: unit.cloned(),
                span,
            });
        };
        let model = &compiled.model;
        for known in model
            .observations
            .iter()
            .filter(|known| wanted(&known.name))
        {
            let arguments = known.distribution.arguments.iter();
            let numbers: Vec<Expr> = arguments
                .map(|argument| compiled.system.inline(&mut pool, *argument))
                .collect();
            let scatters = !known.distribution.is_least_squares();
            let family = scatters.then_some(known.distribution.family);
            for element in 0..model.count_of(&known.indices) {
                let own = numbers.iter();
                let own = own
                    .map(|number| element_of(&mut pool, *number, element))
                    .collect();
                let name = model.element_name(&known.name, &known.indices, element);
                add(&name, family, own, known.unit.as_ref(), known.span);
            }
        }
        if model.observations.is_empty() {
            let states = model.states.iter();
            let states = states.map(|s| (&s.name, s.symbol, s.unit.as_ref(), s.span));
            let definitions = model.definitions.iter();
            let definitions = definitions.map(|d| (&d.name, d.symbol, d.unit.as_ref(), d.span));
            for (name, symbol, unit, span) in states.chain(definitions) {
                if !wanted(name) {
                    continue;
                }
                let named = pool.symbol(symbol);
                let number = compiled.system.inline(&mut pool, named);
                if pool.shape(number) == Shape::Scalar {
                    add(name, None, vec![number], unit, span);
                }
            }
        }
        let pool = Arc::new(pool);
        Lens {
            seen,
            values: compiled.kernels.function(&pool, &exprs),
            tangent: (compiled.kernels).partial_tangents(&pool, &exprs, &moving(compiled), &[0]),
            pool,
            exprs,
        }
    }

    /// Refuses observations of delayed values: what they owe to what is fitted is not kept.
    ///
    /// # Errors
    /// The first that reads one.
    pub(super) fn sees_no_past(
        &self,
        compiled: &Compiled,
        fit: Span,
    ) -> Result<(), Vec<Diagnostic>> {
        let slots = &compiled.system.slots;
        let blocks = slots.layout.blocks().iter();
        let delayed: Vec<SymbolId> = blocks
            .filter(|block| slots.delayed.contains(&block.offset))
            .map(|block| block.symbol)
            .collect();
        let reads = |seen: &&Seen| {
            let exprs = self.exprs.get(seen.numbers.clone()).unwrap_or_default();
            let mut symbols = exprs.iter().flat_map(|expr| symbols_of(&self.pool, *expr));
            symbols.any(|symbol| delayed.contains(&symbol))
        };
        match self.seen.iter().find(reads) {
            None => Ok(()),
            Some(seen) => Err(vec![
                Diagnostic::new(
                    Code::NotPerformed,
                    format!("`{}` looks at a delayed value", seen.name),
                )
                .at(fit, "this version of Lotka does not fit such observations")
                .at(seen.span, "seen here")
                .help("observe a present value: delays belong into equations"),
            ]),
        }
    }

    /// How many numbers it gives.
    pub(super) fn width(&self) -> usize {
        self.exprs.len()
    }

    /// True when no distribution is known: least squares.
    pub(super) fn is_least_squares(&self) -> bool {
        self.seen.iter().all(|seen| seen.family.is_none())
    }
}

/// One of several numbers; a single one holds for all.
fn element_of(pool: &mut Pool, numbers: Expr, element: usize) -> Expr {
    match pool.shape(numbers) {
        Shape::Scalar => numbers,
        _ => pool.element(numbers, element),
    }
}

/// Everything but the covariates of rows. Nothing follows them, and the slope of `dose^h` by a dose of 0
/// has no end where h is below 1.
fn moving(compiled: &Compiled) -> FxHashSet<SymbolId> {
    let (model, system) = (&compiled.model, &compiled.system);
    let is_of_rows = |at: usize| {
        let mut covariates = model.covariates.iter();
        covariates.any(|known| known.per == Per::Row && known.parameter.index() == at)
    };
    let parameters = system.parameters.blocks().iter().enumerate();
    let parameters = parameters.filter(|(at, _)| !is_of_rows(*at));
    let moving = parameters.map(|(_, block)| block);
    let moving = moving.chain(system.states.blocks());
    let moving = moving.chain(system.slots.layout.blocks());
    moving
        .map(|block| block.symbol)
        .chain([system.time])
        .collect()
}
