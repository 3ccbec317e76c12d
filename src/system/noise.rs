//! What white noise adds to the drift: dy = f dt + B dW, with B symbolic and exactly sparse.
//!
//! Enters: drifts that name white noise, reactions. Leaves: a [`Noise`]. Must not know what is
//! made of it: paths, moments.
//!
//! The columns of B are those of `W'` in the equations, and with intrinsic noise one for each way
//! of each reaction: its stoichiometry divided by the volumes, times the square root of its flux
//! per size (the chemical Langevin equation: D. T. Gillespie, J. Chem. Phys. 113, 297, 2000). So
//! that D = B B^T is had without roots, B is kept in the form G diag(sqrt(q)) too.

use super::jacobian::{self, Contribution, Jacobian};
use super::linear::{Degree, degree};
use super::{Layout, System, inline_all, translate};
use crate::model::{Model, Reaction};
use crate::symbolic::{Expr, Pool, SymbolId, Unary, dependents, directional_along, substitute_all};
use crate::syntax::tree::Calculus;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The noise of a system of n states: m independent sources.
#[derive(Debug, Clone)]
pub struct Noise {
    /// Where each column of B comes from.
    pub columns: Vec<Source>,
    /// B, n by m.
    pub diffusion: Jacobian,
    /// G, n by m, with the pattern of B.
    pub factor: Jacobian,
    /// q, one per column: B = G diag(sqrt(q)). 1 for a column of `W'`.
    pub intensities: Vec<Expr>,
    /// What is added to the drift of each state block where Stratonovich noise is read in the Itô
    /// sense; `None` when that is nothing.
    pub correction: Option<Vec<Expr>>,
    /// B depends on the state, other than through the fluxes of reactions.
    pub multiplicative: bool,
    /// B is made of constants and constants times states.
    pub affine: bool,
}

/// Where a column of B comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A number of a Brownian motion.
    Wiener {
        /// Position in [`Model::wieners`].
        wiener: usize,
        /// Which of its numbers.
        element: usize,
        /// How its noise is read.
        calculus: Calculus,
    },
    /// One way of a reaction.
    Reaction {
        /// Position in [`Model::reactions`].
        reaction: usize,
        /// Position in [`Reaction::ways`].
        way: usize,
    },
}

/// The drifts without noise; definitions lose theirs too.
pub(super) fn without(
    pool: &mut Pool,
    model: &Model,
    drifts: &[Expr],
    definitions: &mut FxHashMap<SymbolId, Expr>,
) -> Vec<Expr> {
    if model.wieners.is_empty() {
        return drifts.to_vec();
    }
    let mut silence = FxHashMap::default();
    for wiener in &model.wieners {
        let shape = pool.symbol_data(wiener.symbol).shape;
        silence.insert(wiener.symbol, pool.zero(shape));
    }
    let symbols: Vec<SymbolId> = model.definitions.iter().map(|known| known.symbol).collect();
    let known: Vec<SymbolId> = symbols
        .into_iter()
        .filter(|symbol| definitions.contains_key(symbol))
        .collect();
    let values: Vec<Expr> = known.iter().map(|symbol| definitions[symbol]).collect();
    let silent = substitute_all(pool, &values, &silence);
    definitions.extend(known.into_iter().zip(silent));
    substitute_all(pool, drifts, &silence)
}

/// The noise of a model; `drifts` name it.
pub(super) fn derive(
    pool: &mut Pool,
    model: &Model,
    states: &Layout,
    drifts: &[Expr],
    definitions: &FxHashMap<SymbolId, Expr>,
) -> Option<Noise> {
    if model.wieners.is_empty() && model.intrinsic.is_none() {
        return None;
    }
    let layout = Layout::new(pool, model.wieners.iter().map(|known| known.symbol));
    let factor = jacobian::by_symbols(pool, states, drifts, &layout);
    let mut columns = Vec::with_capacity(layout.len());
    for (wiener, block) in layout.blocks().iter().enumerate() {
        let calculus = model.wieners[wiener].calculus;
        columns.extend((0..block.shape.len()).map(|element| Source::Wiener {
            wiener,
            element,
            calculus,
        }));
    }
    let own: FxHashSet<SymbolId> = states.blocks().iter().map(|block| block.symbol).collect();
    let exprs: Vec<Expr> = factor
        .contributions
        .iter()
        .map(|known| known.expr)
        .collect();
    let one = pool.constant(1.0);
    let mut noise = Noise {
        intensities: vec![one; columns.len()],
        multiplicative: !dependents(pool, &exprs, &own).is_empty(),
        affine: degree(pool, &exprs, &own) != Degree::Other,
        correction: None,
        columns,
        diffusion: factor.clone(),
        factor,
    };
    if noise.multiplicative {
        noise.correction = correction(pool, &noise, states, &own);
    }
    if let Some(intrinsic) = &model.intrinsic {
        add_reactions(pool, model, states, definitions, intrinsic.size, &mut noise);
    }
    Some(noise)
}

/// The noise of the reactions alone, with amounts as numbers of molecules. The pool is a
/// continuation of the system's.
#[must_use]
pub fn of_reactions(model: &Model, system: &System) -> System {
    let mut pool = Pool::continuing(&system.pool);
    let empty = Layout::default();
    let factor = jacobian::by_symbols(&mut pool, &system.states, &system.drift, &empty);
    let mut noise = Noise {
        columns: Vec::new(),
        diffusion: factor.clone(),
        factor,
        intensities: Vec::new(),
        correction: None,
        multiplicative: false,
        affine: true,
    };
    let (states, definitions) = (&system.states, &system.definitions);
    add_reactions(&mut pool, model, states, definitions, None, &mut noise);
    System {
        pool: Arc::new(pool),
        noise: Some(Arc::new(noise)),
        ..system.clone()
    }
}

/// A column for each way of each reaction that changes something.
fn add_reactions(
    pool: &mut Pool,
    model: &Model,
    states: &Layout,
    definitions: &FxHashMap<SymbolId, Expr>,
    size: Option<Expr>,
    noise: &mut Noise,
) {
    let volumes = translate::volumes(pool, model);
    let size = size.map(|size| inline_all(pool, &[size], definitions)[0]);
    for (at, reaction) in model.reactions.iter().enumerate() {
        let change = net_change(reaction, states);
        if change.is_empty() {
            continue;
        }
        for (way, (sign, flux)) in reaction.ways.iter().enumerate() {
            let flux = inline_all(pool, &[*flux], definitions)[0];
            let intensity = match size {
                Some(size) => pool.div(flux, size),
                None => flux,
            };
            let root = pool.unary(Unary::Sqrt, intensity);
            let mut column = Vec::with_capacity(change.len());
            for ((block, position), coefficient) in &change {
                let number = pool.constant(sign * coefficient);
                let entry = match volumes.get(*block).copied().flatten() {
                    Some(volume) => pool.div(number, volume),
                    None => number,
                };
                column.push((*position, entry));
            }
            let scaled: Vec<(usize, Expr)> = column
                .iter()
                .map(|(position, entry)| (*position, pool.mul(*entry, root)))
                .collect();
            append(&mut noise.factor, &column);
            append(&mut noise.diffusion, &scaled);
            noise.intensities.push(intensity);
            noise.columns.push(Source::Reaction { reaction: at, way });
        }
    }
}

/// What one event of a reaction changes: (block, position in the state vector) with net
/// coefficients, in the order of the state vector.
fn net_change(reaction: &Reaction, states: &Layout) -> BTreeMap<(usize, usize), f64> {
    let mut change: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for (sign, side) in [(-1.0, &reaction.reactants), (1.0, &reaction.products)] {
        for participant in side {
            let block = participant.species.index();
            let position = states.blocks()[block].offset + participant.element as usize;
            *change.entry((block, position)).or_default() += sign * participant.coefficient;
        }
    }
    change.retain(|_, coefficient| *coefficient != 0.0);
    change
}

/// Adds a column on the right: rows ascending, with scalar entries.
fn append(matrix: &mut Jacobian, column: &[(usize, Expr)]) {
    let pattern = &mut matrix.pattern;
    for (row, expr) in column {
        let entry = u32::try_from(pattern.row_indices.len()).unwrap_or(u32::MAX);
        pattern.row_indices.push(*row);
        matrix.contributions.push(Contribution {
            expr: *expr,
            entries: Box::new([entry]),
        });
    }
    pattern.column_starts.push(pattern.row_indices.len());
    pattern.columns += 1;
}

/// What Stratonovich columns add to the drift.
fn correction(
    pool: &mut Pool,
    noise: &Noise,
    states: &Layout,
    own: &FxHashSet<SymbolId>,
) -> Option<Vec<Expr>> {
    half_self_derivatives(pool, noise, states, own, is_stratonovich)
}

pub(super) fn is_stratonovich(source: &Source) -> bool {
    matches!(
        source,
        Source::Wiener {
            calculus: Calculus::Stratonovich,
            ..
        }
    )
}

/// 1/2 sum over the columns b that `takes` accepts of (db/dy) b, from the factor G (P. E. Kloeden,
/// E. Platen, Numerical Solution of Stochastic Differential Equations, 1992, section 4.9). `None`
/// when that is nothing.
pub(super) fn half_self_derivatives(
    pool: &mut Pool,
    noise: &Noise,
    states: &Layout,
    own: &FxHashSet<SymbolId>,
    takes: impl Fn(&Source) -> bool,
) -> Option<Vec<Expr>> {
    let places: Vec<(usize, usize)> = noise.factor.pattern.places().collect();
    let mut columns: BTreeMap<usize, BTreeMap<usize, Expr>> = BTreeMap::new();
    for contribution in &noise.factor.contributions {
        for (k, entry) in contribution.entries.iter().enumerate() {
            let (row, column) = places[*entry as usize];
            if noise.columns.get(column).is_some_and(&takes) {
                let number = pool.element(contribution.expr, k);
                let rows = columns.entry(column).or_default();
                let sum = match rows.get(&row) {
                    Some(known) => pool.add(*known, number),
                    None => number,
                };
                rows.insert(row, sum);
            }
        }
    }
    let zero = pool.constant(0.0);
    let mut total = vec![zero; states.len()];
    for rows in columns.values() {
        let entries: Vec<Expr> = rows.values().copied().collect();
        if dependents(pool, &entries, own).is_empty() {
            continue;
        }
        let mut directions = FxHashMap::default();
        for block in states.blocks() {
            let parts: Vec<Expr> = (block.range())
                .map(|position| rows.get(&position).copied().unwrap_or(zero))
                .collect();
            if parts.iter().any(|part| *part != zero) {
                directions.insert(block.symbol, pool.stack(parts, block.shape));
            }
        }
        let changes = directional_along(pool, &entries, &directions);
        for (row, change) in rows.keys().zip(changes) {
            let half = pool.scale(0.5, change);
            total[*row] = pool.add(total[*row], half);
        }
    }
    if total.iter().all(|expr| pool.is_zero(*expr)) {
        return None;
    }
    let blocks = states.blocks().iter();
    Some(
        blocks
            .map(|block| {
                let parts = total[block.range()].to_vec();
                match block.shape {
                    crate::symbolic::Shape::Scalar => parts[0],
                    shape => pool.stack(parts, shape),
                }
            })
            .collect(),
    )
}

impl System {
    /// The system whose noise is read in the Itô sense throughout: the drift of Stratonovich
    /// columns is corrected. For a system at rest: [`System::at_rest`].
    #[must_use]
    pub fn in_ito_form(&self) -> System {
        let Some(noise) = &self.noise else {
            return self.clone();
        };
        let Some(correction) = &noise.correction else {
            return self.clone();
        };
        let mut pool = Pool::continuing(&self.pool);
        let pairs = self.drift.iter().zip(correction);
        let drift: Vec<Expr> = pairs.map(|(f, more)| pool.add(*f, *more)).collect();
        let jacobian = jacobian::derive(&mut pool, &self.states, &drift);
        let noise = Noise {
            correction: None,
            ..(**noise).clone()
        };
        System {
            pool: Arc::new(pool),
            frozen_drift: drift.clone(),
            frozen_jacobian: jacobian.clone(),
            drift,
            jacobian,
            noise: Some(Arc::new(noise)),
            ..self.clone()
        }
    }

    /// True when the drift is A y + b with A and b made of parameters, as far as its structure
    /// tells.
    #[must_use]
    pub fn has_linear_drift(&self) -> bool {
        let blocks = self.states.blocks().iter();
        let own: FxHashSet<SymbolId> = blocks.map(|block| block.symbol).collect();
        degree(&self.pool, &self.drift, &own) != Degree::Other
    }
}

/// The noise of one state as its equation writes it.
#[derive(Debug, Clone)]
pub struct NoiseTerm {
    /// Position in [`Model::states`].
    pub state: usize,
    /// The drift without noise, with definitions as names.
    pub drift: Expr,
    /// For each Brownian motion of [`Model::wieners`] that enters: what stands beside dt, with
    /// [`NoiseTerm::INCREMENT`] before the name of the motion for its increment.
    pub terms: Vec<(usize, Expr)>,
}

impl NoiseTerm {
    /// `dW`, before the name.
    pub const INCREMENT: &'static str = "d";
}

/// The equations with their noise set apart; definitions without noise stay names. The pool holds
/// the expressions.
#[must_use]
pub fn noise_terms(model: &Model) -> (Pool, Vec<NoiseTerm>) {
    let mut pool = model.pool.clone();
    let sources: FxHashSet<SymbolId> = model.wieners.iter().map(|known| known.symbol).collect();
    let mut noisy: FxHashMap<SymbolId, Expr> = FxHashMap::default();
    for id in &model.definition_order {
        let definition = &model.definitions[id.index()];
        if model.names.is_noisy(definition.symbol) {
            let value = inline_all(&mut pool, &[definition.value], &noisy)[0];
            noisy.insert(definition.symbol, value);
        }
    }
    let drifts: Vec<Expr> = model.states.iter().map(|state| state.drift).collect();
    let drifts = inline_all(&mut pool, &drifts, &noisy);
    let mut silence = FxHashMap::default();
    let mut increments = Vec::with_capacity(model.wieners.len());
    for wiener in &model.wieners {
        let shape = pool.symbol_data(wiener.symbol).shape;
        silence.insert(wiener.symbol, pool.zero(shape));
        let name = format!("{}{}", NoiseTerm::INCREMENT, wiener.name);
        let increment = pool.new_symbol(name, shape);
        increments.push(pool.symbol(increment));
    }
    let silent = substitute_all(&mut pool, &drifts, &silence);
    let mut found: Vec<NoiseTerm> = (silent.into_iter().enumerate())
        .map(|(state, drift)| NoiseTerm {
            state,
            drift,
            terms: Vec::new(),
        })
        .collect();
    for (at, wiener) in model.wieners.iter().enumerate() {
        let direction = FxHashMap::from_iter([(wiener.symbol, increments[at])]);
        let terms = directional_along(&mut pool, &drifts, &direction);
        for (term, expr) in found.iter_mut().zip(terms) {
            if !pool.is_zero(expr) {
                term.terms.push((at, expr));
            }
        }
    }
    debug_assert!(
        found
            .iter()
            .all(|term| dependents(&pool, &[term.drift], &sources).is_empty())
    );
    (pool, found)
}
