//! Branches of the equations as guards and modes.
//!
//! Enters: inlined expressions. Leaves: the same with every branch that time or state decide read
//! from a mode, and the guards that the modes follow. In terms of modes an expression is smooth,
//! which is what steps and their interpolants rest on. Must not know what becomes of a crossing.
//!
//! | found | read from |
//! | --- | --- |
//! | `a > b`, `a <= b` | the mode of a - b > 0 |
//! | `a >= b`, `a < b` | the mode of a - b >= 0 |
//! | `abs(a)`, `min(a, b)`, `max(a, b)` | `if` with such a mode |
//! | `sign(a)` | the modes of a > 0 and a >= 0 |
//! | `floor(a)`, `ceil(a)`, `round(a)`, `mod(a, b)` | modes that hold whole numbers |
//! | `a == b` in a trigger | a mode that is 1 in the moment of the crossing |
//!
//! What parameters alone decide stays as it is, and so do `==` and `!=` outside triggers: they
//! hold in single moments, which no step can sample.

use super::{Guard, GuardKind, linear};
use crate::symbolic::{Binary, Expr, Node, Pool, SymbolId, Unary, dependents, rewrite, symbols_of};
use rustc_hash::{FxHashMap, FxHashSet};

/// A continuous kink (`abs`, `min`, `max`) of more numbers than this is not read from modes: the
/// error estimate of a step copes with a kink, while restarting at each of a thousand crossings
/// would cost more than it saves.
const LARGEST_KINK: usize = 16;

/// The same for all kinks of one system together.
const MOST_KINKS: usize = 64;

/// Which operations are to be read from modes, beside those that jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Also {
    /// Continuous kinks.
    Kinks,
    /// Equalities.
    Equalities,
    /// None.
    Nothing,
}

/// A guard that may turn out not to be needed.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    expr: Expr,
    kind: GuardKind,
    mode: SymbolId,
}

/// Collects guards while expressions are rewritten.
#[derive(Debug)]
pub(super) struct Freezer {
    time: SymbolId,
    /// What changes in the course of a run: time, states, inputs, delayed values.
    varying: FxHashSet<SymbolId>,
    candidates: Vec<Candidate>,
    known: FxHashMap<(Expr, GuardKind), usize>,
    of_mode: FxHashMap<SymbolId, usize>,
}

/// The guards that are needed, and their modes.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Their rates are still zero.
    pub guards: Vec<Guard>,
    /// One per guard.
    pub modes: Vec<SymbolId>,
}

impl Freezer {
    pub fn new(time: SymbolId, varying: FxHashSet<SymbolId>) -> Freezer {
        Freezer {
            time,
            varying,
            candidates: Vec::new(),
            known: FxHashMap::default(),
            of_mode: FxHashMap::default(),
        }
    }

    /// The drift in terms of modes.
    pub fn drift(&mut self, pool: &mut Pool, drift: &[Expr]) -> Vec<Expr> {
        self.freeze(pool, drift, Also::Kinks)
    }

    /// A trigger's condition in terms of modes and parameters.
    pub fn trigger(&mut self, pool: &mut Pool, condition: Expr) -> Expr {
        let frozen = self.freeze(pool, &[condition], Also::Equalities);
        let frozen = frozen.first().copied().unwrap_or(condition);
        if dependents(pool, &[frozen], &self.varying).is_empty() {
            return frozen;
        }
        // Something that is no comparison decides, such as a number that is true unless it is 0:
        // the condition as a whole is the guard.
        let (zero, one) = (pool.constant(0.0), pool.constant(1.0));
        let Ok(truth) = pool.conditional(condition, one, zero) else {
            return zero;
        };
        let guard = pool.add_number(-0.5, truth);
        self.mode(pool, guard, GuardKind::Positive)
    }

    /// The equality that a trigger waits for, when it is the condition or one part of an `and`.
    pub fn equality(&self, pool: &Pool, condition: Expr) -> Option<SymbolId> {
        let mut open = vec![condition];
        let mut found = Vec::new();
        while let Some(expr) = open.pop() {
            match *pool.node(expr) {
                Node::Binary(Binary::And, a, b) => open.extend([a, b]),
                Node::Symbol(symbol)
                    if self
                        .of_mode
                        .get(&symbol)
                        .is_some_and(|at| self.candidates[*at].kind == GuardKind::Zero) =>
                {
                    found.push(symbol);
                }
                _ => {}
            }
        }
        match found.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// The guards that these expressions read, and those that these guards read: a guard is smooth
    /// in terms of the modes of what makes it jump, and rounding cannot set it at odds with them.
    pub fn finish(mut self, pool: &mut Pool, drift: &[Expr], triggers: &[Expr]) -> Collected {
        let in_drift = self.read_by(pool, drift);
        let mut needed = self.read_by(pool, triggers);
        needed.extend(&in_drift);
        // Freezing one guard may bring up another.
        let mut frozen: FxHashMap<usize, Expr> = FxHashMap::default();
        let mut open: Vec<usize> = needed.iter().copied().collect();
        open.sort_unstable();
        while let Some(at) = open.pop() {
            let expr = self.candidates[at].expr;
            let smooth = self.freeze(pool, &[expr], Also::Nothing);
            let smooth = smooth.first().copied().unwrap_or(expr);
            frozen.insert(at, smooth);
            let mut inner: Vec<usize> = self.read_by(pool, &[smooth]).into_iter().collect();
            inner.sort_unstable();
            open.extend(inner.into_iter().filter(|inner| needed.insert(*inner)));
        }
        let mut kept: Vec<usize> = needed.into_iter().collect();
        kept.sort_unstable();
        let zero = pool.constant(0.0);
        let guard = |at: &usize| Guard {
            expr: frozen[at],
            rate: zero,
            kind: self.candidates[*at].kind,
            in_drift: in_drift.contains(at),
            is_timed: self.is_timed(pool, frozen[at]),
        };
        Collected {
            guards: kept.iter().map(guard).collect(),
            modes: kept.iter().map(|at| self.candidates[*at].mode).collect(),
        }
    }

    /// Positions of the candidates whose modes are named.
    fn read_by(&self, pool: &Pool, roots: &[Expr]) -> FxHashSet<usize> {
        if self.candidates.is_empty() {
            return FxHashSet::default();
        }
        let symbols = roots.iter().flat_map(|root| symbols_of(pool, *root));
        symbols
            .filter_map(|symbol| self.of_mode.get(&symbol).copied())
            .collect()
    }

    /// True when only the time moves the expression, and evenly.
    fn is_timed(&self, pool: &Pool, frozen: Expr) -> bool {
        let others: FxHashSet<SymbolId> = self
            .varying
            .iter()
            .copied()
            .filter(|symbol| *symbol != self.time)
            .collect();
        let time = FxHashSet::from_iter([self.time]);
        dependents(pool, &[frozen], &others).is_empty()
            && linear::degree(pool, &[frozen], &time) == linear::Degree::Linear
    }

    fn freeze(&mut self, pool: &mut Pool, roots: &[Expr], also: Also) -> Vec<Expr> {
        let varying = dependents(pool, roots, &self.varying);
        let is_branch = |expr: &Expr| is_branch(pool, *expr);
        if !varying.iter().any(is_branch) {
            return roots.to_vec();
        }
        let kinks = if also == Also::Kinks {
            frozen_kinks(pool, &varying)
        } else {
            FxHashSet::default()
        };
        rewrite(pool, roots, |pool, expr, new| {
            if !varying.contains(&expr) {
                return None;
            }
            match *pool.node(expr) {
                Node::Unary(operator, a) => {
                    if operator == Unary::Abs && !kinks.contains(&expr) {
                        return None;
                    }
                    self.unary(pool, operator, a, new(a))
                }
                Node::Binary(operator, a, b) => match operator {
                    Binary::Minimum | Binary::Maximum if kinks.contains(&expr) => {
                        let comparison = if operator == Binary::Minimum {
                            Binary::LessEqual
                        } else {
                            Binary::GreaterEqual
                        };
                        let side = self.comparison(pool, comparison, (a, b))?;
                        pool.conditional(side, new(a), new(b)).ok()
                    }
                    Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                        self.comparison(pool, operator, (a, b))
                    }
                    Binary::Equal | Binary::NotEqual if also == Also::Equalities => {
                        let difference = pool.sub(a, b);
                        let mode = self.mode(pool, difference, GuardKind::Zero);
                        Some(if operator == Binary::Equal {
                            mode
                        } else {
                            pool.unary(Unary::Not, mode)
                        })
                    }
                    // x - y*floor(x/y)
                    Binary::Modulo => {
                        let quotient = pool.div(a, b);
                        let whole = self.mode(pool, quotient, GuardKind::Floor);
                        let multiple = pool.mul(new(b), whole);
                        Some(pool.sub(new(a), multiple))
                    }
                    _ => None,
                },
                _ => None,
            }
        })
    }

    /// A function of one argument with a branch: `a` as it is, `new` in terms of modes.
    fn unary(&mut self, pool: &mut Pool, operator: Unary, a: Expr, new: Expr) -> Option<Expr> {
        let floor = |freezer: &mut Self, pool: &mut Pool, of: Expr| {
            freezer.mode(pool, of, GuardKind::Floor)
        };
        match operator {
            Unary::Abs => {
                let side = self.side(pool, a, GuardKind::NotNegative);
                let negative = pool.neg(new);
                pool.conditional(side, new, negative).ok()
            }
            Unary::Sign => {
                let positive = self.side(pool, a, GuardKind::Positive);
                let not_negative = self.side(pool, a, GuardKind::NotNegative);
                let (minus, zero, one) =
                    (pool.constant(-1.0), pool.constant(0.0), pool.constant(1.0));
                let rest = pool.conditional(not_negative, zero, minus).ok()?;
                pool.conditional(positive, one, rest).ok()
            }
            Unary::Floor => Some(floor(self, pool, a)),
            Unary::Ceil => {
                let negative = pool.neg(a);
                let whole = floor(self, pool, negative);
                Some(pool.neg(whole))
            }
            // Halves go away from 0.
            Unary::Round => {
                let side = self.side(pool, a, GuardKind::NotNegative);
                let above = pool.add_number(0.5, a);
                let below = pool.subtract_from_number(0.5, a);
                let (above, below) = (floor(self, pool, above), floor(self, pool, below));
                let below = pool.neg(below);
                pool.conditional(side, above, below).ok()
            }
            _ => None,
        }
    }

    /// A comparison in terms of a mode.
    fn comparison(
        &mut self,
        pool: &mut Pool,
        operator: Binary,
        (a, b): (Expr, Expr),
    ) -> Option<Expr> {
        let (guard, kind) = match operator {
            Binary::Greater => (pool.sub(a, b), GuardKind::Positive),
            Binary::GreaterEqual => (pool.sub(a, b), GuardKind::NotNegative),
            Binary::Less => (pool.sub(b, a), GuardKind::Positive),
            Binary::LessEqual => (pool.sub(b, a), GuardKind::NotNegative),
            _ => return None,
        };
        Some(self.side(pool, guard, kind))
    }

    /// Which side of zero an expression is on: its own mode, or the contrary of that of its
    /// opposite, since g > 0 holds where -g >= 0 does not.
    fn side(&mut self, pool: &mut Pool, guard: Expr, kind: GuardKind) -> Expr {
        if !self.known.contains_key(&(guard, kind)) {
            let contrary = match kind {
                GuardKind::Positive => GuardKind::NotNegative,
                _ => GuardKind::Positive,
            };
            let opposite = opposite(pool, guard);
            if self.known.contains_key(&(opposite, contrary)) {
                let mode = self.mode(pool, opposite, contrary);
                return pool.unary(Unary::Not, mode);
            }
        }
        self.mode(pool, guard, kind)
    }

    /// The mode of a guard as an expression.
    fn mode(&mut self, pool: &mut Pool, expr: Expr, kind: GuardKind) -> Expr {
        let at = match self.known.get(&(expr, kind)) {
            Some(at) => *at,
            None => {
                let at = self.candidates.len();
                let shape = pool.shape(expr);
                let mode = pool.new_symbol(format!("mode {}", at + 1), shape);
                self.candidates.push(Candidate { expr, kind, mode });
                self.known.insert((expr, kind), at);
                self.of_mode.insert(mode, at);
                at
            }
        };
        pool.symbol(self.candidates[at].mode)
    }
}

/// `-g`, as it would be written.
fn opposite(pool: &mut Pool, guard: Expr) -> Expr {
    match *pool.node(guard) {
        Node::Binary(Binary::Subtract, a, b) => pool.sub(b, a),
        _ => pool.neg(guard),
    }
}

/// True for the operations that [`Freezer`] reads from modes.
fn is_branch(pool: &Pool, expr: Expr) -> bool {
    match pool.node(expr) {
        Node::Unary(operator, _) => matches!(
            operator,
            Unary::Abs | Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round
        ),
        Node::Binary(operator, ..) => matches!(
            operator,
            Binary::Minimum
                | Binary::Maximum
                | Binary::Modulo
                | Binary::Equal
                | Binary::NotEqual
                | Binary::Less
                | Binary::LessEqual
                | Binary::Greater
                | Binary::GreaterEqual
        ),
        _ => false,
    }
}

/// The continuous kinks that are few enough to be read from modes.
fn frozen_kinks(pool: &Pool, among: &FxHashSet<Expr>) -> FxHashSet<Expr> {
    let is_kink = |expr: &Expr| {
        matches!(
            pool.node(*expr),
            Node::Unary(Unary::Abs, _) | Node::Binary(Binary::Minimum | Binary::Maximum, ..)
        )
    };
    let small: FxHashSet<Expr> = among
        .iter()
        .copied()
        .filter(|expr| is_kink(expr) && pool.shape(*expr).len() <= LARGEST_KINK)
        .collect();
    let numbers: usize = small.iter().map(|expr| pool.shape(*expr).len()).sum();
    if numbers > MOST_KINKS {
        FxHashSet::default()
    } else {
        small
    }
}
