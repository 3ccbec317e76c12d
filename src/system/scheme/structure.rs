//! What the diffusion matrix B depends on, and whether its columns commute: which methods are for
//! a noise follows from that.
//!
//! Enters: a system with its noise. Leaves: a [`NoiseStructure`]. Must not know methods.
//!
//! Columns b and c commute when (dc/dy) b = (db/dy) c. Where the symbols do not show it, both sides
//! are compared at some points: a formula that is not zero vanishes at none of them but by chance.

use super::Unsuited;
use crate::symbolic::{
    Expr, Pool, Shape, SymbolId, Value, dependents, directional_along, evaluate,
};
use crate::system::{Noise, System, jacobian, linear_form, moving_slots};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// The structure of B, from the simplest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseStructure {
    /// No column depends on the state.
    Additive,
    /// No column depends on a state that another one drives: scalar noise, diagonal noise.
    Decoupled,
    /// Columns commute.
    Commutative {
        /// The second of these depends on a state that the first drives.
        coupled: (usize, usize),
    },
    /// Some columns do not commute.
    General {
        /// Two that do not.
        columns: (usize, usize),
    },
}

/// What B depends on. Of the system's states, as its drift is left out.
#[must_use]
pub fn noise_structure(system: &System, noise: &Noise) -> NoiseStructure {
    let own = states_of(system);
    if varying_contributions(&system.pool, noise, &own)
        .next()
        .is_none()
    {
        return NoiseStructure::Additive;
    }
    let mut columns = Columns::new(system, noise);
    let coupled = columns.coupled(system);
    let Some(first) = coupled.first().copied() else {
        return NoiseStructure::Decoupled;
    };
    match columns.not_commuting(system, &coupled) {
        Some(columns) => NoiseStructure::General { columns },
        None => NoiseStructure::Commutative { coupled: first },
    }
}

/// The first column that depends on the state; 0 when none does.
pub(super) fn first_varying(system: &System, noise: &Noise) -> usize {
    first_dependent(system, noise, &states_of(system)).unwrap_or(0)
}

/// The first column that depends on some symbols.
fn first_dependent(system: &System, noise: &Noise, symbols: &FxHashSet<SymbolId>) -> Option<usize> {
    let places: Vec<(usize, usize)> = noise.diffusion.pattern.places().collect();
    let columns = varying_contributions(&system.pool, noise, symbols)
        .flat_map(|at| &noise.diffusion.contributions[at].entries)
        .filter_map(|entry| places.get(*entry as usize));
    columns.map(|(_, column)| *column).min()
}

/// Whether the transition over an interval is known exactly: the drift is linear with constant
/// coefficients between interruptions and has no conditions, and the noise is additive and
/// constant.
///
/// # Errors
/// What stands against it.
pub fn has_exact_transition(system: &System) -> Result<(), Unsuited> {
    let noise = system.noise.as_ref().ok_or(Unsuited::NoNoise)?;
    if !linear_form(system) || system.guards.iter().any(|guard| guard.in_drift) {
        return Err(Unsuited::NotLinear);
    }
    let own = states_of(system);
    if let Some(column) = first_dependent(system, noise, &own) {
        return Err(Unsuited::NotAdditive { column });
    }
    let mut moving: FxHashSet<SymbolId> = moving_slots(&system.slots).collect();
    moving.insert(system.time);
    match first_dependent(system, noise, &moving) {
        Some(column) => Err(Unsuited::NotConstant { column }),
        None => Ok(()),
    }
}

fn states_of(system: &System) -> FxHashSet<SymbolId> {
    let blocks = system.states.blocks().iter();
    blocks.map(|block| block.symbol).collect()
}

/// The contributions to B that depend on some symbols.
fn varying_contributions<'a>(
    pool: &Pool,
    noise: &'a Noise,
    own: &FxHashSet<SymbolId>,
) -> impl Iterator<Item = usize> + use<'a> {
    let contributions = &noise.diffusion.contributions;
    let exprs: Vec<Expr> = contributions.iter().map(|known| known.expr).collect();
    let varying = dependents(pool, &exprs, own);
    (0..exprs.len()).filter(move |at| varying.contains(&exprs[*at]))
}

/// The entries of B by column, in a pool of their own.
struct Columns {
    pool: Pool,
    /// For each column its rows with their entries.
    entries: Vec<BTreeMap<usize, Expr>>,
}

impl Columns {
    fn new(system: &System, noise: &Noise) -> Columns {
        let mut pool = Pool::continuing(&system.pool);
        let places: Vec<(usize, usize)> = noise.diffusion.pattern.places().collect();
        let mut entries: Vec<BTreeMap<usize, Expr>> = vec![BTreeMap::new(); noise.columns.len()];
        for contribution in &noise.diffusion.contributions {
            for (k, entry) in contribution.entries.iter().enumerate() {
                let Some(&(row, column)) = places.get(*entry as usize) else {
                    continue;
                };
                let Some(rows) = entries.get_mut(column) else {
                    continue;
                };
                let number = pool.element(contribution.expr, k);
                let sum = match rows.get(&row) {
                    Some(known) => pool.add(*known, number),
                    None => number,
                };
                rows.insert(row, sum);
            }
        }
        Columns { pool, entries }
    }

    /// Pairs of different columns of which the second depends on a state that the first drives.
    fn coupled(&mut self, system: &System) -> Vec<(usize, usize)> {
        let all = self.entries.iter().enumerate();
        let (owners, exprs): (Vec<usize>, Vec<Expr>) = all
            .flat_map(|(column, rows)| rows.values().map(move |expr| (column, *expr)))
            .unzip();
        let pattern = jacobian::pattern(&mut self.pool, &exprs, &system.states);
        let mut pairs = Vec::new();
        for (state, rows) in (0..system.states.len()).map(|state| (state, pattern.column(state))) {
            let mut seeing: Vec<usize> = rows.iter().map(|entry| owners[*entry]).collect();
            seeing.dedup();
            let drives = |column: &usize| self.entries[*column].contains_key(&state);
            for driving in (0..self.entries.len()).filter(drives) {
                let others = seeing.iter().filter(|seeing| **seeing != driving);
                pairs.extend(others.map(|seeing| (driving, *seeing)));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The first of these pairs, taken either way round, whose columns do not commute.
    fn not_commuting(
        &mut self,
        system: &System,
        coupled: &[(usize, usize)],
    ) -> Option<(usize, usize)> {
        let mut pairs: Vec<(usize, usize)> = coupled
            .iter()
            .map(|(j, k)| (*j.min(k), *j.max(k)))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut along: FxHashMap<usize, FxHashMap<(usize, usize), Expr>> = FxHashMap::default();
        for (j, k) in pairs {
            for column in [j, k] {
                along
                    .entry(column)
                    .or_insert_with(|| self.along(system, column));
            }
            let rows: FxHashSet<usize> = (self.entries[j]
                .keys()
                .chain(self.entries[k].keys())
                .copied())
            .collect();
            let zero = self.pool.constant(0.0);
            let change = |of, along_column, row| -> Expr {
                let changes: &FxHashMap<(usize, usize), Expr> = &along[&along_column];
                changes.get(&(of, row)).copied().unwrap_or(zero)
            };
            for row in rows {
                let (a, b) = (change(k, j, row), change(j, k, row));
                if a != b && !self.are_equal(a, b) {
                    return Some((j, k));
                }
            }
        }
        None
    }

    /// How every entry, by column and row, changes along a column.
    fn along(&mut self, system: &System, column: usize) -> FxHashMap<(usize, usize), Expr> {
        let zero = self.pool.constant(0.0);
        let rows = &self.entries[column];
        let mut directions = FxHashMap::default();
        for block in system.states.blocks() {
            let parts: Vec<Expr> = (block.range())
                .map(|position| rows.get(&position).copied().unwrap_or(zero))
                .collect();
            if parts.iter().any(|part| *part != zero) {
                directions.insert(block.symbol, self.pool.stack(parts, block.shape));
            }
        }
        let all = self.entries.iter().enumerate();
        let (places, exprs): (Vec<(usize, usize)>, Vec<Expr>) = all
            .flat_map(|(of, rows)| rows.iter().map(move |(row, expr)| ((of, *row), *expr)))
            .unzip();
        let changes = directional_along(&mut self.pool, &exprs, &directions);
        places.into_iter().zip(changes).collect()
    }

    /// Whether two numbers agree wherever they are looked at; no when they are nowhere defined.
    fn are_equal(&self, a: Expr, b: Expr) -> bool {
        /// Points that are looked at.
        const POINTS: u32 = 12;
        /// Rounding of long formulas, far below a difference that is not one.
        const ROUNDING: f64 = 1e-9;
        let mut defined = false;
        for point in 0..POINTS {
            let values = |symbol| self.value(symbol, point);
            let a = evaluate(&self.pool, a, &values).number();
            let b = evaluate(&self.pool, b, &values).number();
            if !(a.is_finite() && b.is_finite()) {
                continue;
            }
            defined = true;
            if (a - b).abs() > ROUNDING * a.abs().max(b.abs()) {
                return false;
            }
        }
        defined
    }

    /// The value of a symbol at a point: between 1/2 and 2, evenly by multiples of the golden
    /// section, and for every other point of either sign.
    fn value(&self, symbol: SymbolId, point: u32) -> Value {
        const GOLDEN: f64 = 0.618_033_988_749_894_8;
        let shape: Shape = self.pool.symbol_data(symbol).shape;
        let numbers = (0..shape.len()).map(|at| {
            let seed =
                1.0 + f64::from(symbol.0) * 17.0 + at as f64 * 5.0 + f64::from(point) * 101.0;
            let fraction = (seed * GOLDEN).fract();
            let size = 0.5 + 1.5 * fraction;
            let is_negative = point % 2 == 1 && (seed * GOLDEN * GOLDEN).fract() < 0.5;
            if is_negative { -size } else { size }
        });
        Value {
            shape,
            numbers: numbers.collect(),
        }
    }
}
