//! What the signs of the Jacobian prove about oscillations in a box of parameters.
//!
//! In: the equations at rest and the ranges of some parameters. Out: the sign of every entry in
//! the box, the loops that they form, and what these forbid. States are taken to be not negative
//! where they are declared so, and where the equations keep them so: no derivative is negative at
//! zero while the others are not.

use super::over::{numbers, quantity_error, setting_of};
use crate::analyze::{
    Action, BoxSide, Eliminated, Motion, Place, Structure, eliminated, structure,
};
use crate::diagnostic::Diagnostic;
use crate::model::{ParameterId, Target};
use crate::session::compiled::Compiled;
use crate::session::rest::AtRest;
use crate::symbolic::{
    Binary, Expr, Node, Pool, Shape, Sign, Signs, Span, SymbolId, Unary, reachable, substitute,
    symbols_of,
};
use crate::syntax::tree::{self, ExprKind};
use rustc_hash::FxHashMap;

/// What the signs say.
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback {
    /// The states that were looked at: all, or those that conserved sums leave free.
    pub states: Vec<usize>,
    /// The loops of two and more states.
    pub structure: Structure,
    /// The entries off the diagonal, with their text.
    pub entries: Vec<Entry>,
    /// Why oscillations are impossible, if they are.
    pub forbids: Option<Forbids>,
    /// One per number of the state vector: true where it cannot be negative.
    pub non_negative: Vec<bool>,
}

/// An entry of the Jacobian off its diagonal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which state acts on which, and with which sign.
    pub action: Action,
    /// As an expression of the model's names.
    pub text: String,
}

/// Why a model cannot oscillate in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbids {
    /// There is one state.
    OneState,
    /// No state acts back on itself through others: the Jacobian is triangular in some order, and
    /// its eigenvalues are real.
    NoLoop,
    /// Two states whose actions on each other have a product that is not negative: real
    /// eigenvalues.
    PositivePair,
    /// Two states whose discriminant is not negative: real eigenvalues.
    Discriminant,
    /// Three or more states with positive loops only: the leading eigenvalue is real and no cycle
    /// attracts. Other eigenvalues may be complex.
    PositiveLoops,
}

/// Entries of a Jacobian: row, column and what stands there.
type Entries = Vec<(usize, usize, Expr)>;

/// Larger systems are not looked at.
const MOST_STATES: usize = 40;

/// The signs in a box: `sides` are parameters, or elements of them, with their ranges.
pub(super) fn of(
    at_rest: &AtRest<'_>,
    sides: &[(Target, Option<u32>, BoxSide)],
) -> Option<Feedback> {
    let system = at_rest.system();
    let n = system.dimension();
    if at_rest.motion() == Motion::Map || n > MOST_STATES || !system.algebraic.is_empty() {
        return None;
    }
    // A jump acts without a slope: no entry of the Jacobian tells of it.
    if jumps(&system.pool, &system.drift) {
        return None;
    }
    let mut pool = Pool::continuing(&system.pool);
    let mut entries: Entries = Vec::new();
    for block in &system.jacobian.blocks {
        let (row, column) = (
            system.states.blocks().get(block.row)?.offset,
            system.states.blocks().get(block.column)?.offset,
        );
        for (i, j, expr) in block.operator.entries(&mut pool) {
            entries.push((row + i as usize, column + j as usize, expr));
        }
    }
    let resting = at_zero(at_rest, &mut pool);
    let free = without_sums(at_rest, &mut pool, &entries);
    let (symbols, meanings) = parameters(at_rest, sides);
    let mut signs = Signs::new(&pool, symbols, meanings);
    let non_negative = not_negative(at_rest, &mut signs, &resting);
    let judge = |states: Vec<usize>, entries: &[(usize, usize, Expr)]| {
        judged(at_rest, &signs, states, entries, &non_negative)
    };
    let whole = judge((0..n).collect(), &entries);
    if whole.forbids.is_some() {
        return Some(whole);
    }
    // Sums hide that fewer states act on each other than there are.
    let reduced = free.map(|(states, entries)| judge(states, &entries));
    let reduced = reduced.filter(|found| found.forbids.is_some());
    Some(reduced.unwrap_or(whole))
}

/// The loops of some states and what they forbid.
fn judged(
    at_rest: &AtRest<'_>,
    signs: &Signs<'_>,
    states: Vec<usize>,
    entries: &[(usize, usize, Expr)],
    non_negative: &[bool],
) -> Feedback {
    let model = &at_rest.compiled.model;
    let print = |expr| model.print(signs.pool(), expr, crate::symbolic::Notation::Text);
    let found: Vec<Entry> = entries
        .iter()
        .filter(|(i, j, _)| i != j)
        .map(|(i, j, expr)| Entry {
            action: Action {
                on: *i,
                by: *j,
                sign: signs.sign(*expr),
            },
            text: print(*expr),
        })
        .collect();
    let actions: Vec<Action> = found.iter().map(|entry| entry.action).collect();
    let structure = structure(non_negative.len(), &actions);
    let forbids = match (&structure, states.as_slice()) {
        (_, [] | [_]) => Some(Forbids::OneState),
        (Structure::Acyclic, _) => Some(Forbids::NoLoop),
        (Structure::Positive(_), [_, _]) => Some(Forbids::PositivePair),
        (Structure::Positive(_), _) => Some(Forbids::PositiveLoops),
        (_, [a, b]) => discriminant(signs, entries, (*a, *b)).then_some(Forbids::Discriminant),
        _ => None,
    };
    Feedback {
        states,
        structure,
        entries: found,
        forbids,
        non_negative: non_negative.to_vec(),
    }
}

/// The Jacobian on the states that the conserved sums of the reactions leave free, with these
/// states; `None` without such sums.
fn without_sums(
    at_rest: &AtRest<'_>,
    pool: &mut Pool,
    entries: &[(usize, usize, Expr)],
) -> Option<(Vec<usize>, Entries)> {
    let laws = at_rest.laws();
    if laws.is_empty() {
        return None;
    }
    let dynamics = at_rest.dynamics();
    let Eliminated {
        free,
        dependent,
        follows,
    } = eliminated(&Place {
        dynamics: &dynamics,
        motion: at_rest.motion(),
        time: at_rest.time(),
        state: &at_rest.state,
        tolerances: &at_rest.tolerances(),
        laws: &laws,
    })?;
    let mut reduced: Entries = Vec::new();
    let mut add = |pool: &mut Pool, i: usize, j: usize, term: Expr| match reduced
        .iter_mut()
        .find(|(row, column, _)| (*row, *column) == (i, j))
    {
        Some((_, _, sum)) => *sum = pool.add(*sum, term),
        None => reduced.push((i, j, term)),
    };
    for (i, j, expr) in entries.iter().filter(|(i, _, _)| free.contains(i)) {
        let Some(row) = dependent.iter().position(|known| known == j) else {
            add(pool, *i, *j, *expr);
            continue;
        };
        for (column, follow) in free.iter().zip(follows.get(row)?) {
            if *follow != 0.0 {
                let term = pool.scale(-follow, *expr);
                add(pool, *i, *column, term);
            }
        }
    }
    Some((free, reduced))
}

/// Whether the drift holds an operation that can jump.
fn jumps(pool: &Pool, drift: &[Expr]) -> bool {
    let steps = |unary: &Unary| {
        matches!(
            unary,
            Unary::Not | Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round
        )
    };
    reachable(pool, drift)
        .into_iter()
        .any(|expr| match pool.node(expr) {
            Node::If(..) => true,
            Node::Unary(function, _) => steps(function),
            Node::Binary(operator, ..) => operator.is_logical() || *operator == Binary::Modulo,
            _ => false,
        })
}

/// Whether (a - d)^2 + 4 b c is not negative anywhere.
fn discriminant(
    signs: &Signs<'_>,
    entries: &[(usize, usize, Expr)],
    (first, second): (usize, usize),
) -> bool {
    let of = |row: usize, column: usize| {
        let found = entries.iter().find(|(i, j, _)| (*i, *j) == (row, column));
        found.map(|(_, _, expr)| *expr)
    };
    // Entries that are zero everywhere are absent, and without b or c there is no loop.
    let (Some(b), Some(c)) = (of(first, second), of(second, first)) else {
        return true;
    };
    match (of(first, first), of(second, second)) {
        (Some(a), Some(d)) => matches!(
            signs.discriminant([a, b, c, d]),
            Sign::NotNegative | Sign::Zero
        ),
        _ => false,
    }
}

/// Between which values parameters lie, and which follow others.
fn parameters(
    at_rest: &AtRest<'_>,
    sides: &[(Target, Option<u32>, BoxSide)],
) -> (FxHashMap<SymbolId, Span>, FxHashMap<SymbolId, Expr>) {
    let (compiled, system) = (at_rest.compiled, at_rest.system());
    let (mut symbols, mut meanings) = (FxHashMap::default(), FxHashMap::default());
    for (at, block) in system.parameters.blocks().iter().enumerate() {
        let target = Target::Parameter(ParameterId::new(at));
        let ranges = sides.iter().filter(|(known, _, _)| *known == target);
        let ranges: Vec<&(Target, Option<u32>, BoxSide)> = ranges.collect();
        let value = system.parameter_values.get(at).copied();
        let follows = value.filter(|value| !symbols_of(&system.pool, *value).is_empty());
        if let (Some(value), true) = (
            follows,
            ranges.is_empty()
                && !at_rest.overrides.contains(target)
                && block.shape == Shape::Scalar,
        ) {
            meanings.insert(block.symbol, value);
            continue;
        }
        let own = numbers(compiled, &at_rest.present, at).iter().enumerate();
        let spans = own
            .filter(|(element, _)| {
                !ranges
                    .iter()
                    .any(|(_, ranged, _)| covers(*ranged, *element))
            })
            .map(|(_, value)| Span::point(*value))
            .chain(ranges.iter().map(|(_, _, side)| Span {
                low: side.low,
                high: side.high,
            }));
        let hull = spans.reduce(|a, b| Span {
            low: a.low.min(b.low),
            high: a.high.max(b.high),
        });
        symbols.insert(block.symbol, hull.unwrap_or(Span::ALL));
    }
    (symbols, meanings)
}

fn covers(ranged: Option<u32>, element: usize) -> bool {
    ranged.is_none_or(|ranged| ranged as usize == element)
}

/// The drift of each scalar state with the state itself at zero.
fn at_zero(at_rest: &AtRest<'_>, pool: &mut Pool) -> Vec<Option<Expr>> {
    let system = at_rest.system();
    let blocks = system.states.blocks().iter().zip(&system.drift);
    let zero = pool.constant(0.0);
    blocks
        .map(|(block, drift)| {
            (block.shape == Shape::Scalar).then(|| {
                let zero = FxHashMap::from_iter([(block.symbol, zero)]);
                substitute(pool, *drift, &zero)
            })
        })
        .collect()
}

/// Tells the signs which states cannot be negative, and returns these by number of the state
/// vector. A state that starts below zero, or that the equations may carry below it, is dropped;
/// then the others are looked at again, until all that are left keep each other.
fn not_negative(
    at_rest: &AtRest<'_>,
    signs: &mut Signs<'_>,
    resting: &[Option<Expr>],
) -> Vec<bool> {
    let system = at_rest.system();
    let blocks = system.states.blocks();
    let declared = at_rest.non_negative();
    let is_declared = |at: usize| {
        let range = blocks[at].range();
        declared
            .get(range)
            .is_some_and(|flags| flags.iter().all(|flag| *flag))
    };
    let starts = |at: usize| {
        let range = blocks[at].range();
        let initial = at_rest.present.initial.get(range);
        initial.is_some_and(|values| values.iter().all(|value| *value >= 0.0))
    };
    let mut kept: Vec<bool> = (0..blocks.len())
        .map(|at| is_declared(at) || starts(at) && resting.get(at).is_some_and(Option::is_some))
        .collect();
    loop {
        for (block, kept) in blocks.iter().zip(&kept) {
            let span = if *kept { Span::NOT_NEGATIVE } else { Span::ALL };
            signs.set(block.symbol, span);
        }
        let lost = (0..blocks.len()).find(|at| {
            let stays =
                resting.get(*at).copied().flatten().is_some_and(|drift| {
                    matches!(signs.sign(drift), Sign::Zero | Sign::NotNegative)
                });
            kept[*at] && !is_declared(*at) && !stays
        });
        match lost {
            Some(at) => kept[at] = false,
            None => break,
        }
    }
    blocks
        .iter()
        .zip(&kept)
        .flat_map(|(block, kept)| std::iter::repeat_n(*kept, block.shape.len()))
        .collect()
}

/// The parameter or state, or the element of one, that a name means.
pub(super) fn quantity(
    compiled: &Compiled,
    name: &tree::Expr,
) -> Result<(Target, Option<u32>), Vec<Diagnostic>> {
    let ExprKind::Reference(reference) = &name.kind else {
        return Err(quantity_error(
            name,
            "`over` is followed by names of parameters".to_owned(),
        ));
    };
    let zero = tree::Expr {
        span: name.span,
        kind: ExprKind::Number {
            value: 0.0,
            unit: None,
        },
    };
    let setting = setting_of(compiled, reference, &zero)?;
    Ok((setting.target, setting.element))
}
