//! Drift and noise of a system as the rules of methods need them: at any point of a step, and
//! with whole matrices kept whole.
//!
//! Enters: a system with noise. Leaves: expressions for each state block. Must not know methods.

use crate::symbolic::{Expr, Operator, Pool, Shape, SymbolId, Unary, dependents, substitute_all};
use crate::system::noise::{half_self_derivatives, is_stratonovich};
use crate::system::{Layout, Noise, Source, System, with_infusions};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// A system seen by the rules.
pub(super) struct Equations<'s> {
    pub system: &'s System,
    pub noise: &'s Noise,
    pub pool: Pool,
    /// h.
    pub step_symbol: SymbolId,
    pub step: Expr,
    /// Its root.
    pub root: Expr,
    /// The states at the beginning of a step, block by block.
    pub states: Vec<Expr>,
    /// Symbols whose values are not known before a step.
    moving: FxHashSet<SymbolId>,
    /// How many numbers each Brownian motion has.
    wieners: Vec<usize>,
    /// How many columns come from reactions.
    reactions: usize,
}

impl<'s> Equations<'s> {
    pub fn new(system: &'s System, noise: &'s Noise) -> Equations<'s> {
        let mut pool = Pool::continuing(&system.pool);
        let step_symbol = pool.new_symbol("h", Shape::Scalar);
        let step = pool.symbol(step_symbol);
        let root = pool.unary(Unary::Sqrt, step);
        let blocks = system.states.blocks().iter();
        let states = blocks.map(|block| pool.symbol(block.symbol)).collect();
        let mut moving = FxHashSet::from_iter([system.time]);
        moving.extend(system.states.blocks().iter().map(|block| block.symbol));
        moving.extend(system.slots.layout.blocks().iter().map(|b| b.symbol));
        let mut wieners = Vec::new();
        let mut reactions = 0;
        for source in &noise.columns {
            match source {
                Source::Wiener { wiener, .. } => {
                    wieners.resize((wiener + 1).max(wieners.len()), 0);
                    wieners[*wiener] += 1;
                }
                Source::Reaction { .. } => reactions += 1,
            }
        }
        Equations {
            system,
            noise,
            pool,
            step_symbol,
            step,
            root,
            states,
            moving,
            wieners,
            reactions,
        }
    }

    /// New symbols for a number of each column, as vectors that [`Self::along`] takes.
    pub fn vectors(&mut self, name: &str) -> (Vec<SymbolId>, Vec<Expr>) {
        let symbols: Vec<SymbolId> = self
            .shapes()
            .into_iter()
            .map(|shape| self.pool.new_symbol(name, shape))
            .collect();
        let exprs = symbols.iter().map(|known| self.pool.symbol(*known));
        let exprs = exprs.collect();
        (symbols, exprs)
    }

    /// The same number for every column whose source `takes` accepts, and 0 for others. Sources of
    /// one vector are of one kind.
    pub fn uniform(&mut self, value: f64, takes: impl Fn(&Source) -> bool) -> Vec<Expr> {
        let shapes = self.shapes();
        let mut column = 0;
        let mut vectors = Vec::with_capacity(shapes.len());
        for shape in shapes {
            let taken = self.noise.columns.get(column).is_some_and(&takes);
            column += shape.len();
            let value = if taken { value } else { 0.0 };
            vectors.push(self.pool.uniform(value, shape));
        }
        vectors
    }

    /// One vector for each Brownian motion, and one for all reactions.
    fn shapes(&self) -> Vec<Shape> {
        let lengths = self.wieners.iter().copied();
        let lengths = lengths.chain((self.reactions > 0).then_some(self.reactions));
        lengths
            .map(|len| match len {
                1 => Shape::Scalar,
                len => Shape::Vector(len),
            })
            .collect()
    }

    /// A layout of symbols, for who compiles.
    pub fn layout(&self, symbols: Vec<SymbolId>) -> Layout {
        Layout::new(&self.pool, symbols.into_iter())
    }

    /// B times the vectors, times `factor` when there is one, at the beginning of a step. The
    /// factor goes to what is known before the step, where there is such.
    pub fn along(&mut self, vectors: &[Expr], factor: Option<Expr>) -> Vec<Expr> {
        let mut sums: Vec<Option<Expr>> = vec![None; self.states.len()];
        let noise = self.noise;
        for block in &noise.diffusion.blocks {
            let Some(&vector) = vectors.get(block.column) else {
                continue;
            };
            let scaled = factor.and_then(|factor| self.scaled(&block.operator, factor));
            let term = match (scaled, factor) {
                (Some(operator), _) => operator.apply(&mut self.pool, vector),
                (None, Some(factor)) => {
                    let vector = self.pool.mul(factor, vector);
                    block.operator.apply(&mut self.pool, vector)
                }
                (None, None) => block.operator.apply(&mut self.pool, vector),
            };
            let shape = self.pool.shape(self.states[block.row]);
            let term = fit(&mut self.pool, term, shape);
            add_to(&mut self.pool, &mut sums[block.row], term);
        }
        if self.reactions > 0
            && let Some(&vector) = vectors.get(self.wieners.len())
        {
            self.add_reactions(vector, factor, &mut sums);
        }
        let mut all = Vec::with_capacity(sums.len());
        for (sum, state) in sums.into_iter().zip(&self.states) {
            let shape = self.pool.shape(*state);
            all.push(sum.unwrap_or_else(|| self.pool.zero(shape)));
        }
        all
    }

    /// The columns of reactions, whose entries are single numbers.
    fn add_reactions(&mut self, vector: Expr, factor: Option<Expr>, sums: &mut [Option<Expr>]) {
        let (noise, pool) = (self.noise, &mut self.pool);
        let first = noise.columns.len() - self.reactions;
        let places: Vec<(usize, usize)> = noise.diffusion.pattern.places().collect();
        let mut rows: BTreeMap<usize, Option<Expr>> = BTreeMap::new();
        for contribution in &noise.diffusion.contributions {
            for entry in &contribution.entries {
                let Some(&(row, column)) = places.get(*entry as usize) else {
                    continue;
                };
                if column < first {
                    continue;
                }
                let mut number = pool.element(vector, column - first);
                if let Some(factor) = factor {
                    number = pool.mul(factor, number);
                }
                let term = pool.mul(contribution.expr, number);
                add_to(pool, rows.entry(row).or_default(), term);
            }
        }
        let zero = pool.constant(0.0);
        for (sum, block) in sums.iter_mut().zip(self.system.states.blocks()) {
            let mut parts: Vec<Expr> = block
                .range()
                .map(|row| rows.get(&row).copied().flatten().unwrap_or(zero))
                .collect();
            if parts.iter().all(|part| *part == zero) {
                continue;
            }
            let term = match block.shape {
                Shape::Scalar => parts.remove(0),
                shape => pool.stack(parts, shape),
            };
            add_to(pool, sum, term);
        }
    }

    /// The operator times a number, when it is made of parameters alone.
    fn scaled(&mut self, operator: &Operator, factor: Expr) -> Option<Operator> {
        let pool = &mut self.pool;
        let mut is_known = |expr: Expr| dependents(pool, &[expr], &self.moving).is_empty();
        if !every_part(operator, &mut is_known) {
            return None;
        }
        Some(times(&mut self.pool, operator, factor))
    }

    /// The drift with infusions. Conditions are looked at in the state itself: a path crosses a
    /// border over and over, and each step takes the side on which it begins.
    fn drift(&mut self) -> Vec<Expr> {
        with_infusions(&mut self.pool, self.system, &self.system.drift)
    }

    /// The drift of the Ito form at the beginning of a step.
    pub fn ito_drift(&mut self) -> Vec<Expr> {
        let drift = self.drift();
        match &self.noise.correction {
            Some(correction) => self.sums(&drift, correction),
            None => drift,
        }
    }

    /// The drift of the Stratonovich form, as [`Self::ito_drift`]. `decoupled` as
    /// [`super::NoiseStructure`] says.
    pub fn stratonovich_drift(&mut self, decoupled: bool) -> Vec<Expr> {
        // Where the drift was corrected already, or needed no correction, all columns are of Ito.
        let corrected = self.noise.correction.is_none();
        let is_ito = |source: &Source| corrected || !is_stratonovich(source);
        let drift = self.drift();
        let less = if decoupled {
            // No column changes another: the sum over columns of (db/dy) b is (dB1/dy) B1.
            let ones = self.uniform(1.0, is_ito);
            let sum = self.along(&ones, None);
            let change = self.derivative(&sum, &sum);
            let halves = change.into_iter().map(|expr| self.pool.scale(0.5, expr));
            Some(halves.collect::<Vec<_>>())
        } else {
            let states = self.system.states.blocks().iter();
            let own = states.map(|block| block.symbol).collect();
            let (noise, states) = (self.noise, &self.system.states);
            half_self_derivatives(&mut self.pool, noise, states, &own, is_ito)
        };
        match less {
            Some(less) => {
                let pairs = drift.iter().zip(&less);
                pairs.map(|(f, less)| self.pool.sub(*f, *less)).collect()
            }
            None => drift,
        }
    }

    /// How expressions change when the states move along directions, block by block.
    pub fn derivative(&mut self, of: &[Expr], directions: &[Expr]) -> Vec<Expr> {
        let blocks = self.system.states.blocks().iter().zip(directions);
        let moving = blocks.filter(|(_, along)| !self.pool.is_zero(**along));
        let along = moving.map(|(block, along)| (block.symbol, *along));
        let along: FxHashMap<SymbolId, Expr> = along.collect();
        crate::symbolic::directional_along(&mut self.pool, of, &along)
    }

    /// Expressions of the beginning of a step at a stage: `fraction` of the step later, with other
    /// states. Inputs go on at their present rates.
    pub fn at_stage(&mut self, exprs: &[Expr], fraction: f64, states: &[Expr]) -> Vec<Expr> {
        let mut replacements = FxHashMap::default();
        for (block, value) in self.system.states.blocks().iter().zip(states) {
            replacements.insert(block.symbol, *value);
        }
        if fraction != 0.0 {
            let later = self.pool.scale(fraction, self.step);
            let time = self.pool.symbol(self.system.time);
            let time = self.pool.add(time, later);
            replacements.insert(self.system.time, time);
            let slots = &self.system.slots;
            let blocks = slots.layout.blocks();
            let of = |range: &std::ops::Range<usize>| {
                let range = range.clone();
                blocks
                    .iter()
                    .filter(move |block| range.contains(&block.offset))
            };
            for (input, rate) in of(&slots.inputs).zip(of(&slots.input_rates)) {
                let value = self.pool.symbol(input.symbol);
                let rate = self.pool.symbol(rate.symbol);
                let change = self.pool.mul(later, rate);
                replacements.insert(input.symbol, self.pool.add(value, change));
            }
        }
        substitute_all(&mut self.pool, exprs, &replacements)
    }

    /// Block by block.
    pub fn sums(&mut self, a: &[Expr], b: &[Expr]) -> Vec<Expr> {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| self.pool.add(*a, *b)).collect()
    }

    /// Each block times a number.
    pub fn times(&mut self, factor: Expr, of: &[Expr]) -> Vec<Expr> {
        of.iter().map(|expr| self.pool.mul(factor, *expr)).collect()
    }
}

fn add_to(pool: &mut Pool, sum: &mut Option<Expr>, term: Expr) {
    *sum = Some(match *sum {
        Some(sum) => pool.add(sum, term),
        None => term,
    });
}

/// The same numbers in another shape of as many.
fn fit(pool: &mut Pool, expr: Expr, shape: Shape) -> Expr {
    match (pool.shape(expr), shape) {
        (found, wanted) if found == wanted => expr,
        (Shape::Scalar, wanted) => pool.fill(expr, wanted),
        (_, Shape::Scalar) => pool.element(expr, 0),
        (_, wanted) => {
            let elements = (0..wanted.len()).map(|at| pool.element(expr, at)).collect();
            pool.stack(elements, wanted)
        }
    }
}

/// Whether every expression that an operator is made of is accepted.
fn every_part(operator: &Operator, accepts: &mut impl FnMut(Expr) -> bool) -> bool {
    match operator {
        Operator::Zero { .. } => true,
        Operator::Entries { entries, .. } => entries.iter().all(|(_, _, expr)| accepts(*expr)),
        Operator::Diagonal(expr) | Operator::Matrix(expr) => accepts(*expr),
        Operator::Product(a, b) => every_part(a, accepts) && every_part(b, accepts),
        Operator::Sum(terms) => terms.iter().all(|term| every_part(term, accepts)),
        Operator::Block { blocks, .. } => {
            (blocks.iter()).all(|(_, _, block)| every_part(block, accepts))
        }
    }
}

/// An operator times a number.
fn times(pool: &mut Pool, operator: &Operator, factor: Expr) -> Operator {
    match operator {
        Operator::Zero { .. } => operator.clone(),
        Operator::Entries {
            rows,
            columns,
            entries,
        } => Operator::Entries {
            rows: *rows,
            columns: *columns,
            entries: (entries.iter())
                .map(|(row, column, expr)| (*row, *column, pool.mul(factor, *expr)))
                .collect(),
        },
        Operator::Diagonal(expr) => Operator::Diagonal(pool.mul(factor, *expr)),
        Operator::Matrix(expr) => Operator::Matrix(pool.mul(factor, *expr)),
        Operator::Product(a, b) => {
            let a = times(pool, a, factor);
            Operator::Product(Box::new(a), b.clone())
        }
        Operator::Sum(terms) => {
            let terms = terms.iter().map(|term| times(pool, term, factor));
            Operator::Sum(terms.collect())
        }
        Operator::Block {
            rows,
            columns,
            blocks,
        } => Operator::Block {
            rows: rows.clone(),
            columns: columns.clone(),
            blocks: (blocks.iter())
                .map(|(row, column, block)| (*row, *column, times(pool, block, factor)))
                .collect(),
        },
    }
}
