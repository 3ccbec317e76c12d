//! The form of a Jacobian: is it M*diagonal(v(s)) + diagonal(d), with M and d free of the state?
//!
//! Regulated networks s' = W*phi(s) - gamma .* s + I have it, with M = W, v = phi'(s) and
//! d = -gamma: what depends on the state is then one number for each variable, and not one for each
//! pair. Sums of such terms, and diagonals that do depend on the state, are taken as well.
//!
//! Enters: a system. Leaves: its terms as expressions, or why there are none. Must not know data.

use crate::symbolic::{Expr, Operator, Pool, Shape, SymbolId, symbols_of};
use crate::system::System;
use rustc_hash::{FxHashMap, FxHashSet};

/// A Jacobian as a sum of terms.
pub(super) struct Form {
    /// Each is a matrix free of the state times the diagonal matrix of a vector.
    pub products: Vec<Scaled>,
    /// Diagonals that are free of the state.
    pub fixed: Vec<Expr>,
    /// Diagonals that depend on it.
    pub moving: Vec<Expr>,
    /// The expressions.
    pub pool: Pool,
}

/// A matrix M free of the state, and a vector v(s): M*diagonal(v).
pub(super) struct Scaled {
    pub matrix: Expr,
    /// None where it is all ones.
    pub vector: Option<Expr>,
}

/// Why a Jacobian has not that form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoForm {
    /// The states are not the elements of one vector.
    States,
    /// It holds a matrix that depends on the state.
    Matrix,
}

/// The terms of the Jacobian of a system.
///
/// # Errors
/// [`NoForm`].
pub(super) fn form(system: &System) -> Result<Form, NoForm> {
    let [state] = system.states.blocks() else {
        return Err(NoForm::States);
    };
    if !matches!(state.shape, Shape::Vector(n) if n > 1) {
        return Err(NoForm::States);
    }
    let mut form = Form {
        products: Vec::new(),
        fixed: Vec::new(),
        moving: Vec::new(),
        pool: Pool::continuing(&system.pool),
    };
    let free = Free {
        state: state.symbol,
        known: FxHashMap::default(),
    };
    let mut reader = Reader {
        free,
        size: state.shape.len(),
    };
    for block in &system.jacobian.blocks {
        reader.add(&mut form, &block.operator)?;
    }
    Ok(form)
}

/// Which expressions are free of the state.
struct Free {
    state: SymbolId,
    known: FxHashMap<Expr, bool>,
}

impl Free {
    fn expr(&mut self, pool: &Pool, expr: Expr) -> bool {
        let state = self.state;
        *self.known.entry(expr).or_insert_with(|| {
            let symbols: FxHashSet<SymbolId> = symbols_of(pool, expr).into_iter().collect();
            !symbols.contains(&state)
        })
    }

    fn operator(&mut self, pool: &Pool, operator: &Operator) -> bool {
        match operator {
            Operator::Zero { .. } => true,
            Operator::Diagonal(expr) | Operator::Matrix(expr) => self.expr(pool, *expr),
            Operator::Entries { entries, .. } => {
                entries.iter().all(|(_, _, entry)| self.expr(pool, *entry))
            }
            Operator::Product(a, b) => self.operator(pool, a) && self.operator(pool, b),
            Operator::Sum(terms) => terms.iter().all(|term| self.operator(pool, term)),
            Operator::Block { blocks, .. } => blocks
                .iter()
                .all(|(_, _, block)| self.operator(pool, block)),
        }
    }
}

struct Reader {
    free: Free,
    size: usize,
}

impl Reader {
    fn add(&mut self, form: &mut Form, operator: &Operator) -> Result<(), NoForm> {
        match operator {
            Operator::Zero { .. } => {}
            Operator::Sum(terms) => {
                for term in terms {
                    self.add(form, term)?;
                }
            }
            Operator::Diagonal(vector) if self.free.expr(&form.pool, *vector) => {
                form.fixed.push(*vector);
            }
            Operator::Diagonal(vector) => form.moving.push(*vector),
            term if self.free.operator(&form.pool, term) => {
                let matrix = self.matrix(form, term)?;
                let vector = None;
                form.products.push(Scaled { matrix, vector });
            }
            Operator::Product(..) => {
                let (left, vector) = self.scaled(form, operator)?;
                let matrix = self.matrix(form, &left)?;
                let vector = Some(vector);
                form.products.push(Scaled { matrix, vector });
            }
            Operator::Matrix(_) | Operator::Entries { .. } | Operator::Block { .. } => {
                return Err(NoForm::Matrix);
            }
        }
        Ok(())
    }

    /// A product as what is free of the state times a diagonal that depends on it.
    fn scaled(&mut self, form: &mut Form, product: &Operator) -> Result<(Operator, Expr), NoForm> {
        let Operator::Product(left, right) = product else {
            return Err(NoForm::Matrix);
        };
        if !self.free.operator(&form.pool, left) {
            return Err(NoForm::Matrix);
        }
        match &**right {
            Operator::Diagonal(vector) => Ok(((**left).clone(), *vector)),
            inner => {
                let (rest, vector) = self.scaled(form, inner)?;
                let joined = Operator::product(&mut form.pool, (**left).clone(), rest);
                Ok((joined, vector))
            }
        }
    }

    fn matrix(&self, form: &mut Form, operator: &Operator) -> Result<Expr, NoForm> {
        let matrix = operator.materialise(&mut form.pool);
        match form.pool.shape(matrix) {
            Shape::Matrix(rows, columns) if rows == self.size && columns == self.size => Ok(matrix),
            _ => Err(NoForm::Matrix),
        }
    }
}
