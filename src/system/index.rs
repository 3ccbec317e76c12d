//! The index of differential-algebraic equations, as their structure tells.
//!
//! Enters: a model with constraints. Leaves: what is wrong with them, when the constraints do not
//! determine the algebraic states. How often each equation must be differentiated until they do
//! is found by C. C. Pantelides' algorithm (The consistent initialization of
//! differential-algebraic systems, SIAM J. Sci. Stat. Comput. 9, 1988, 213-231). Must not know
//! numbers: equations that are singular at some point may still pass.

use super::matching::{Matching, Visited};
use super::{Layout, constraints, inline_all, inline_definitions};
use crate::model::{Model, StateId};
use std::collections::BTreeSet;

/// What keeps constraints from determining the algebraic states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexProblem {
    /// They do so only after differentiation.
    Higher {
        /// Position in [`Model::constraints`] of one that must be differentiated most often.
        constraint: usize,
        /// How often.
        differentiations: usize,
        /// The structural index: 1 is what steppers can solve.
        index: usize,
        /// The states that the constraint contains.
        binds: Vec<StateId>,
        /// Algebraic states that no constraint is left for.
        undetermined: Vec<StateId>,
    },
    /// There are more equations than unknowns in them, whatever is differentiated.
    Overdetermined {
        /// Position in [`Model::constraints`] of one too many.
        constraint: usize,
        /// The states that it contains.
        binds: Vec<StateId>,
        /// Algebraic states that no equation is left for.
        undetermined: Vec<StateId>,
    },
}

/// Differentiating more often than this finds nothing that a model means.
const MOST_ROUNDS: usize = 1000;

/// Whether the constraints determine the algebraic states as they stand (index 1).
///
/// # Errors
/// The problem, when they do not.
pub fn structural_index(model: &Model) -> Result<(), IndexProblem> {
    if model.constraints.is_empty() {
        return Ok(());
    }
    let mut pool = model.pool.clone();
    let definitions = inline_definitions(&mut pool, model);
    let states = Layout::new(&pool, model.states.iter().map(|state| state.symbol));
    let algebraic = constraints::flags(model, &states);
    let residuals = model.constraints.iter().map(|known| known.residual);
    let residuals = inline_all(&mut pool, &residuals.collect::<Vec<_>>(), &definitions);
    let rows = constraints::incidence(&mut pool, &residuals, &states);
    let mut columns = vec![None; states.len()];
    for (column, at) in (0..states.len())
        .filter(|at| algebraic.get(*at) == Some(&true))
        .enumerate()
    {
        columns[at] = Some(column);
    }
    let matching = constraints::match_rows(&rows, &columns);
    if matching.of_row.iter().all(Option::is_some) {
        return Ok(());
    }
    let mut owners = Vec::with_capacity(rows.len());
    for (at, residual) in residuals.iter().enumerate() {
        owners.extend(std::iter::repeat_n(at, pool.shape(*residual).len()));
    }
    let drifts: Vec<_> = model.states.iter().map(|state| state.drift).collect();
    let drifts = inline_all(&mut pool, &drifts, &definitions);
    let drifts = constraints::incidence(&mut pool, &drifts, &states);
    Err(Structure {
        states: &states,
        columns,
        rows,
        owners,
        drifts,
    }
    .problem(&matching))
}

/// Which states stand in which equation.
struct Structure<'a> {
    states: &'a Layout,
    /// The algebraic states, numbered among all.
    columns: Vec<Option<usize>>,
    /// Of each number of a residual, its states.
    rows: Vec<Vec<usize>>,
    /// Which constraint it belongs to.
    owners: Vec<usize>,
    /// Of each drift, its states; not read for algebraic states.
    drifts: Vec<Vec<usize>>,
}

impl Structure<'_> {
    fn problem(&self, matching: &Matching) -> IndexProblem {
        let unmatched = (0..self.rows.len()).find(|row| matching.of_row[*row].is_none());
        let first = unmatched.unwrap_or(0);
        let free: Vec<usize> = (0..self.columns.len())
            .filter(|at| self.columns[*at].is_some_and(|c| matching.of_column[c].is_none()))
            .collect();
        let mut equations = Equations::new(self);
        if let Err(row) = equations.are_enough(self) {
            return IndexProblem::Overdetermined {
                constraint: self.owners[row],
                binds: self.names(&self.rows[row]),
                undetermined: self.names(&free),
            };
        }
        equations.differentiate();
        let orders = equations.orders();
        let most = (0..self.rows.len()).max_by_key(|row| (orders[*row], *row == first));
        let row = most.unwrap_or(first);
        IndexProblem::Higher {
            constraint: self.owners[row],
            differentiations: orders[row],
            index: equations.index(self),
            binds: self.names(&self.rows[row]),
            undetermined: self.names(&free),
        }
    }

    /// The states that hold these positions.
    fn names(&self, positions: &[usize]) -> Vec<StateId> {
        let blocks = positions.iter().filter_map(|at| self.states.locate(*at));
        let blocks: BTreeSet<usize> = blocks.map(|(block, _)| block).collect();
        blocks.into_iter().map(StateId::new).collect()
    }
}

/// Equations and the variables in them, growing as equations are differentiated. The first
/// equations are the residuals, then one for each differential state; the first variables are the
/// states, then their derivatives.
struct Equations {
    /// The variables of each equation.
    variables: Vec<Vec<usize>>,
    /// The derivative of each equation that was differentiated.
    derived: Vec<Option<usize>>,
    /// The derivative of each variable that has one.
    derivative: Vec<Option<usize>>,
    matching: Matching,
}

impl Equations {
    fn new(structure: &Structure) -> Equations {
        let mut variables = structure.rows.clone();
        let mut derivative = vec![None; structure.columns.len()];
        for at in (0..structure.columns.len()).filter(|at| structure.columns[*at].is_none()) {
            let own = derivative.len();
            derivative[at] = Some(own);
            derivative.push(None);
            let mut contained = structure.drifts[at].clone();
            contained.push(own);
            variables.push(contained);
        }
        Equations {
            derived: vec![None; variables.len()],
            matching: Matching {
                of_row: vec![None; variables.len()],
                of_column: vec![None; derivative.len()],
            },
            variables,
            derivative,
        }
    }

    /// Whether each equation can have a state of its own when a state and its derivative count as
    /// one: otherwise differentiation would not come to an end. Otherwise a residual too many.
    fn are_enough(&self, structure: &Structure) -> Result<(), usize> {
        let n = structure.columns.len();
        let mut matching = Matching {
            of_row: vec![None; self.variables.len()],
            of_column: vec![None; n],
        };
        let mut state_of: Vec<usize> = (0..self.derivative.len()).collect();
        for (state, own) in self.derivative.iter().enumerate().take(n) {
            if let Some(own) = own {
                state_of[*own] = state;
            }
        }
        let columns = |row: usize| self.variables[row].iter().map(|at| state_of[*at]);
        // Equations of states first: each contains its own state, so that only residuals can be
        // left over.
        let residuals = structure.rows.len();
        for row in (residuals..self.variables.len()).chain(0..residuals) {
            matching.augment(row, columns).map_err(|_| row)?;
        }
        Ok(())
    }

    /// Pantelides' algorithm: each equation must have a variable of its own among those that are
    /// not differentiated further.
    fn differentiate(&mut self) {
        for first in 0..self.variables.len() {
            let mut row = first;
            for _ in 0..MOST_ROUNDS {
                let highest = |row: usize| {
                    let derivative = &self.derivative;
                    let variables = self.variables[row].iter().copied();
                    variables.filter(move |at| derivative[*at].is_none())
                };
                match self.matching.augment(row, highest) {
                    Ok(()) => break,
                    Err(visited) => {
                        self.differentiate_all(&visited);
                        row = self.derived[row].unwrap_or(row);
                    }
                }
            }
        }
    }

    /// Differentiates equations that share too few variables, and those variables.
    fn differentiate_all(&mut self, visited: &Visited) {
        for column in &visited.columns {
            self.derivative[*column] = Some(self.derivative.len());
            self.derivative.push(None);
            self.matching.of_column.push(None);
        }
        for row in &visited.rows {
            let own = &self.variables[*row];
            let more = own.iter().filter_map(|at| self.derivative[*at]);
            let all: BTreeSet<usize> = own.iter().copied().chain(more).collect();
            self.derived[*row] = Some(self.variables.len());
            self.variables.push(all.into_iter().collect());
            self.derived.push(None);
            self.matching.of_row.push(None);
        }
        // The derivative of an equation takes the derivative of its variable.
        for row in &visited.rows {
            if let Some(column) = self.matching.of_row[*row]
                && let (Some(row), Some(column)) = (self.derived[*row], self.derivative[column])
            {
                self.matching.of_row[row] = Some(column);
                self.matching.of_column[column] = Some(row);
            }
        }
    }

    /// How often each equation was differentiated, in order; derivatives are listed too.
    fn orders(&self) -> Vec<usize> {
        chain_lengths(&self.derived)
    }

    /// One more than the most differentiations of any equation, or just as many when every
    /// algebraic state is differentiated too.
    fn index(&self, structure: &Structure) -> usize {
        let most = self.orders().into_iter().max().unwrap_or(0);
        let algebraic = (0..structure.columns.len()).filter(|at| structure.columns[*at].is_some());
        let mut undifferentiated = algebraic.filter(|at| self.derivative[*at].is_none());
        most + usize::from(undifferentiated.next().is_some())
    }
}

/// How long the chain is that begins at each entry.
fn chain_lengths(next: &[Option<usize>]) -> Vec<usize> {
    let mut lengths = vec![0; next.len()];
    // Each link leads to a later entry.
    for at in (0..next.len()).rev() {
        if let Some(next) = next[at] {
            lengths[at] = lengths[next] + 1;
        }
    }
    lengths
}
