//! The plan of a lowering: which expressions are computed, when, and which go together.
//!
//! Enters: the expressions that are wanted. Leaves, for each expression that they need: how often
//! it is read, whether parameters alone determine it, and whether it is absorbed into its only
//! user as the first half of a two-step instruction. Must not know registers.

use super::layout::{Layout, LowerError, Place};
use super::program::Operation;
use crate::symbolic::{Binary, Expr, Node, Pool, PowerForm, reachable};

/// Which part of the program computes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Constants and parameters determine it: computed when the parameters change.
    Prologue,
    /// Time, state or slots take part: computed at each call.
    Body,
}

/// An operation that does two steps: a and b are the operands of the one absorbed, c is the
/// other operand of its user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fused {
    pub operation: Operation,
    pub operands: [Expr; 3],
}

/// What is known of one expression.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    /// Readers, outputs included; 0 when nothing needs it.
    pub uses: u32,
    pub phase: Phase,
    /// Computed inside its only user.
    pub absorbed: bool,
    pub fused: Option<Fused>,
}

/// The expressions that outputs need.
pub(super) struct Plan {
    /// Operands before their users. Some may have no uses.
    pub order: Vec<Expr>,
    fates: Vec<Fate>,
    /// One more than the position in `order`, by position in the pool; 0 for all others.
    positions: Vec<u32>,
}

impl Plan {
    /// Plans the computation of `roots`.
    ///
    /// # Errors
    /// On symbols without a place and on gradients.
    pub fn new(pool: &Pool, layout: &Layout, roots: &[Expr]) -> Result<Plan, LowerError> {
        let order = reachable(pool, roots);
        let mut positions = vec![0; order.last().map_or(0, |last| last.index() + 1)];
        for (position, expr) in (1..).zip(&order) {
            positions[expr.index()] = position;
        }
        let fate = Fate {
            uses: 0,
            phase: Phase::Prologue,
            absorbed: false,
            fused: None,
        };
        let mut plan = Plan {
            fates: vec![fate; order.len()],
            order,
            positions,
        };
        plan.count_uses(pool, roots);
        plan.find_phases(pool, layout)?;
        plan.fuse(pool);
        Ok(plan)
    }

    /// Position in `order`.
    pub fn position(&self, expr: Expr) -> usize {
        (self.positions[expr.index()] as usize).saturating_sub(1)
    }

    pub fn fate(&self, expr: Expr) -> &Fate {
        &self.fates[self.position(expr)]
    }

    fn count_uses(&mut self, pool: &Pool, roots: &[Expr]) {
        for &root in roots {
            let position = self.position(root);
            self.fates[position].uses += 1;
        }
        for position in (0..self.order.len()).rev() {
            if self.fates[position].uses > 0 {
                for_each_operand(pool, self.order[position], |operand| {
                    let operand = self.position(operand);
                    self.fates[operand].uses += 1;
                });
            }
        }
    }

    fn find_phases(&mut self, pool: &Pool, layout: &Layout) -> Result<(), LowerError> {
        for position in 0..self.order.len() {
            if self.fates[position].uses == 0 {
                continue;
            }
            let expr = self.order[position];
            let mut phase = match *pool.node(expr) {
                Node::Symbol(symbol) => match layout.place(symbol) {
                    None => return Err(LowerError::NoPlace(symbol)),
                    Some(Place::Parameter(_)) => Phase::Prologue,
                    Some(Place::Time) if pool.shape(expr).len() != 1 => {
                        return Err(LowerError::TimeNotScalar(symbol));
                    }
                    Some(_) => Phase::Body,
                },
                Node::Gradient(..) => return Err(LowerError::Gradient(expr)),
                _ => Phase::Prologue,
            };
            for_each_operand(pool, expr, |operand| {
                phase = phase.max(self.fate(operand).phase);
            });
            self.fates[position].phase = phase;
        }
        Ok(())
    }

    /// Users come first, so that a chain of additions is cut into pairs from its end.
    fn fuse(&mut self, pool: &Pool) {
        for position in (0..self.order.len()).rev() {
            let fate = self.fates[position];
            if fate.uses == 0 || fate.absorbed {
                continue;
            }
            if let Some((fused, inner)) = self.find_pair(pool, self.order[position], fate.phase) {
                self.fates[position].fused = Some(fused);
                let inner = self.position(inner);
                self.fates[inner].absorbed = true;
            }
        }
    }

    fn find_pair(&self, pool: &Pool, user: Expr, phase: Phase) -> Option<(Fused, Expr)> {
        let (outer, left, right) = simple_operation(pool, user)?;
        if left == right {
            // A square reads its operand twice.
            return None;
        }
        let free = |expr: Expr| {
            let fate = self.fate(expr);
            fate.uses == 1 && fate.phase == phase && !fate.absorbed
        };
        let try_pair = |inner: Expr, other: Expr, inner_is_left: bool, products: bool| {
            let (kind, a, b) = simple_operation(pool, inner)?;
            if !free(inner) || (kind == Binary::Multiply) != products {
                return None;
            }
            let fused = Fused {
                operation: two_steps(kind, outer, inner_is_left)?,
                operands: [a, b, other],
            };
            Some((fused, inner))
        };
        // Products first: a sum of n products then takes n instructions.
        [true, false].into_iter().find_map(|products| {
            try_pair(left, right, true, products).or_else(|| try_pair(right, left, false, products))
        })
    }
}

/// A sum, difference or product of single numbers, with its operands.
fn simple_operation(pool: &Pool, expr: Expr) -> Option<(Binary, Expr, Expr)> {
    match *pool.node(expr) {
        _ if pool.shape(expr).len() != 1 => None,
        Node::Binary(kind @ (Binary::Add | Binary::Subtract | Binary::Multiply), a, b) => {
            Some((kind, a, b))
        }
        Node::Binary(Binary::Power, a, b) if power_form(pool, b) == PowerForm::Square => {
            Some((Binary::Multiply, a, a))
        }
        _ => None,
    }
}

/// The operation that does `inner`, then `outer` with the result on this side.
fn two_steps(inner: Binary, outer: Binary, inner_is_left: bool) -> Option<Operation> {
    use Binary::{Add, Multiply, Subtract};
    Some(match (inner, outer) {
        (Multiply, Multiply) => Operation::MultiplyMultiply,
        (Add, Multiply) => Operation::AddMultiply,
        (Subtract, Multiply) => Operation::SubtractMultiply,
        (Multiply, Add) => Operation::MultiplyAdd,
        (Add, Add) => Operation::AddAdd,
        (Subtract, Add) => Operation::SubtractAdd,
        (Multiply, Subtract) if inner_is_left => Operation::MultiplySubtract,
        (Multiply, Subtract) => Operation::SubtractProduct,
        (Add, Subtract) if inner_is_left => Operation::AddSubtract,
        (Subtract, Subtract) if inner_is_left => Operation::SubtractSubtract,
        _ => return None,
    })
}

/// How a power with this exponent is computed.
pub(super) fn power_form(pool: &Pool, exponent: Expr) -> PowerForm {
    pool.as_constant(exponent)
        .map_or(PowerForm::General, PowerForm::of)
}

/// A product with a diagonal matrix, which is never laid out.
pub(super) enum Scaling {
    /// `matrix * diagonal(vector)`
    Columns { matrix: Expr, vector: Expr },
    /// `diagonal(vector) * matrix`
    Rows { matrix: Expr, vector: Expr },
}

impl Scaling {
    /// The scaling that `a * b` amounts to, if it does.
    pub fn of(pool: &Pool, a: Expr, b: Expr) -> Option<Scaling> {
        match (pool.node(a), pool.node(b)) {
            (_, &Node::Diagonal(vector)) => Some(Scaling::Columns { matrix: a, vector }),
            (&Node::Diagonal(vector), _) => Some(Scaling::Rows { matrix: b, vector }),
            _ => None,
        }
    }
}

/// The operands that an expression really reads: constant exponents and the matrices of
/// scalings are left out.
fn for_each_operand(pool: &Pool, expr: Expr, mut visit: impl FnMut(Expr)) {
    match *pool.node(expr) {
        // Nothing to compute, and nothing to read.
        _ if pool.shape(expr).is_empty() => {}
        Node::Binary(Binary::Power, a, b) => match power_form(pool, b) {
            PowerForm::One => {}
            PowerForm::General => {
                visit(a);
                visit(b);
            }
            _ => visit(a),
        },
        Node::Product(a, b) => match Scaling::of(pool, a, b) {
            Some(Scaling::Columns { matrix, vector } | Scaling::Rows { matrix, vector }) => {
                visit(matrix);
                visit(vector);
            }
            None => {
                visit(a);
                visit(b);
            }
        },
        ref node => node.for_each_operand(visit),
    }
}
