//! Systems with the matrix `shift * D - J`: a Jacobian J of a fixed pattern, and a diagonal D of
//! ones and, for algebraic equations, zeros.
//!
//! Which technique pays is decided once per pattern, by counting multiplications. Elimination with
//! pivots on the diagonal is given up for one with pivoting where it proves unsound.

use super::dense::Dense;
use super::elimination::{Eliminated, Plan};
use super::large::{LargeDense, LargeSparse};
use super::length::Length;
use super::{Pattern, Singular};
use std::cell::RefCell;
use std::sync::Arc;

/// How the systems are solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Technique {
    /// LU of the whole matrix.
    Dense,
    /// LU of the pattern's entries and what fills in.
    Sparse,
}

/// Updates of an elimination from which the bookkeeping of single numbers no longer pays.
const MOST_UPDATES: usize = 2_000_000;
/// Dimension up to which dense elimination is straight code.
const UNROLLED: usize = 8;
/// Dimension from which a blocked dense LU pays.
const BLOCKED: usize = 64;
/// Dimension up to which a matrix without a sound elimination is factorised as a dense one.
const PIVOTED_DENSE: usize = 200;
/// The time of one multiplication in sparse elimination over one in dense, which runs down
/// contiguous columns.
const INDIRECT: usize = 3;
/// Solutions per factorisation, in the count that decides the technique.
const SOLUTIONS: usize = 8;
/// Largest multiplier of a sound elimination of differential equations. Errors in solutions are
/// then seen by the error estimate of the step.
const LAX: f64 = 1e8;
/// Largest multiplier where there are algebraic equations, whose pivots do not grow as the step
/// shrinks.
const STRICT: f64 = 1e3;

/// The factors of `shift * D - J`.
pub struct Shifted<L> {
    length: L,
    starts: Vec<usize>,
    rows: Vec<usize>,
    /// The diagonal of D; empty for ones.
    mass: Vec<f64>,
    /// Largest multiplier of a sound elimination.
    most: f64,
    factors: Factors<L>,
}

enum Factors<L> {
    Dense(Dense<L>),
    Eliminated(Eliminated),
    LargeDense(Box<LargeDense>),
    /// With the place of each entry of the pattern, and of the diagonal.
    LargeSparse(Box<LargeSparse>, Vec<usize>, Vec<usize>),
}

impl<L: Length> Shifted<L> {
    /// Analyses a pattern. `mass` is the diagonal of D; empty stands for ones.
    #[must_use]
    pub fn new(length: L, pattern: Pattern<'_>, mass: Vec<f64>) -> Self {
        let n = length.get();
        let factors = match sparse_plan(n, pattern) {
            Choice::Eliminate(plan) => Factors::Eliminated(Eliminated::new(plan)),
            Choice::Dense => dense(length),
            Choice::Large => pivoted(length, pattern),
        };
        Shifted {
            length,
            starts: pattern.starts.to_vec(),
            rows: pattern.rows.to_vec(),
            most: if mass.is_empty() { LAX } else { STRICT },
            mass,
            factors,
        }
    }

    /// Factorises the matrix for a shift and the entries of J in the order of the pattern.
    ///
    /// # Errors
    /// The matrix is singular, as far as can be told, or not finite.
    #[inline(always)]
    pub fn factorise(&mut self, shift: f64, entries: &[f64]) -> Result<(), Singular> {
        if let Factors::Dense(lu) = &mut self.factors {
            let n = self.length.get();
            let matrix = &mut lu.entries_mut()[..n * n];
            if n <= UNROLLED && entries.len() == n * n {
                for (to, entry) in matrix.iter_mut().zip(entries) {
                    *to = -entry;
                }
            } else {
                scatter(matrix, n, &self.starts, &self.rows, entries);
            }
            if self.mass.is_empty() {
                for i in 0..n {
                    matrix[i * (n + 1)] += shift;
                }
            } else {
                for (i, mass) in self.mass[..n].iter().enumerate() {
                    matrix[i * (n + 1)] += shift * mass;
                }
            }
            return lu.factorise();
        }
        self.factorise_other(shift, entries)
    }

    #[inline(never)]
    fn factorise_other(&mut self, shift: f64, entries: &[f64]) -> Result<(), Singular> {
        let mass = &self.mass;
        let diagonal = |i: usize| mass.get(i).map_or(shift, |m| m * shift);
        match &mut self.factors {
            Factors::Dense(_) => self.factorise(shift, entries),
            Factors::Eliminated(lu) => {
                if lu.factorise(diagonal, entries, self.most).is_ok() {
                    return Ok(());
                }
                if entries.iter().any(|e| !e.is_finite()) {
                    return Err(Singular);
                }
                let pattern = Pattern {
                    starts: &self.starts,
                    rows: &self.rows,
                };
                self.factors = pivoted(self.length, pattern);
                self.factorise(shift, entries)
            }
            Factors::LargeDense(lu) => {
                let mut ends = self.starts.windows(2);
                for j in 0..self.length.get() {
                    let column = lu.column_mut(j);
                    column.fill(0.0);
                    if let Some([from, to]) = ends.next() {
                        for (i, entry) in self.rows[*from..*to].iter().zip(&entries[*from..*to]) {
                            column[*i] = -entry;
                        }
                    }
                    column[j] += diagonal(j);
                }
                lu.factorise()
            }
            Factors::LargeSparse(lu, places, diagonals) => {
                let values = lu.entries_mut();
                values.fill(0.0);
                for (to, entry) in places.iter().zip(entries) {
                    values[*to] = -entry;
                }
                for (i, to) in diagonals.iter().enumerate() {
                    values[*to] += diagonal(i);
                }
                lu.factorise()
            }
        }
    }

    /// Replaces `b` by the solution of `(shift * D - J) x = b`.
    #[inline(always)]
    pub fn solve(&mut self, b: &mut [f64]) {
        match &mut self.factors {
            Factors::Dense(lu) => lu.solve(b),
            Factors::Eliminated(lu) => lu.solve(b),
            Factors::LargeDense(lu) => lu.solve(b),
            Factors::LargeSparse(lu, ..) => lu.solve(b),
        }
    }
}

/// Minus the entries of a pattern, into a dense matrix stored by column.
fn scatter(matrix: &mut [f64], n: usize, starts: &[usize], rows: &[usize], entries: &[f64]) {
    matrix.fill(0.0);
    for (column, ends) in matrix.chunks_exact_mut(n).zip(starts.windows(2)) {
        let range = ends[0]..ends[1];
        for (i, entry) in rows[range.clone()].iter().zip(&entries[range]) {
            column[*i] = -entry;
        }
    }
}

/// How the matrices of a pattern are solved.
#[must_use]
pub fn technique(pattern: Pattern<'_>) -> Technique {
    match sparse_plan(pattern.dimension(), pattern) {
        Choice::Dense => Technique::Dense,
        Choice::Eliminate(_) | Choice::Large => Technique::Sparse,
    }
}

/// Multiplications in a factorisation and in a solution, as far as they can be counted: those of
/// a dense matrix where they cannot.
#[must_use]
pub fn costs(pattern: Pattern<'_>) -> (usize, usize) {
    let n = pattern.dimension();
    match sparse_plan(n, pattern) {
        Choice::Eliminate(plan) => (plan.updates(), plan.values()),
        Choice::Dense | Choice::Large => (n.saturating_mul(n).saturating_mul(n) / 3, n * n),
    }
}

enum Choice {
    Dense,
    Eliminate(Arc<Plan>),
    Large,
}

/// For the smallest systems dense elimination is unrolled; beyond, multiplications are counted.
fn sparse_plan(n: usize, pattern: Pattern<'_>) -> Choice {
    if n <= UNROLLED {
        return Choice::Dense;
    }
    let dense = n * n * n / 3 + SOLUTIONS * n * n;
    let most = (dense / INDIRECT).min(MOST_UPDATES);
    match remembered(pattern, most) {
        Some(plan) if INDIRECT * (plan.updates() + SOLUTIONS * plan.values()) < dense => {
            Choice::Eliminate(plan)
        }
        // A full pattern: supernodes are one dense block.
        None | Some(_) if n < PIVOTED_DENSE => Choice::Dense,
        None | Some(_) => Choice::Large,
    }
}

/// The number of patterns whose plans a thread remembers.
const REMEMBERED: usize = 8;

thread_local! {
    /// The plans made last, so that many runs of one model are analysed once: for small systems
    /// the analysis takes as long as some ten steps.
    static PLANS: RefCell<Vec<Arc<Plan>>> = const { RefCell::new(Vec::new()) };
}

/// The plan for a pattern, from memory or new.
fn remembered(pattern: Pattern<'_>, most: usize) -> Option<Arc<Plan>> {
    PLANS.with_borrow_mut(|plans| {
        if let Some(found) = plans.iter().position(|p| p.is_for(pattern)) {
            let plan = plans.remove(found);
            plans.push(Arc::clone(&plan));
            return Some(plan);
        }
        let plan = Plan::new(pattern, most)?;
        if plans.len() == REMEMBERED {
            plans.remove(0);
        }
        plans.push(Arc::clone(&plan));
        Some(plan)
    })
}

fn dense<L: Length>(length: L) -> Factors<L> {
    let n = length.get();
    if n < BLOCKED {
        Factors::Dense(Dense::new(length))
    } else {
        Factors::LargeDense(Box::new(LargeDense::new(n)))
    }
}

/// A technique with pivoting, whatever the matrix.
fn pivoted<L: Length>(length: L, pattern: Pattern<'_>) -> Factors<L> {
    let n = length.get();
    if n < PIVOTED_DENSE {
        return dense(length);
    }
    let (mut starts, mut rows) = (vec![0], Vec::new());
    let (mut places, mut diagonals) = (Vec::new(), Vec::new());
    for (j, column) in pattern.columns().enumerate() {
        let mut on_diagonal = None;
        for &i in column {
            if i > j && on_diagonal.is_none() {
                on_diagonal = Some(rows.len());
                rows.push(j);
            }
            if i == j {
                on_diagonal = Some(rows.len());
            }
            places.push(rows.len());
            rows.push(i);
        }
        diagonals.push(on_diagonal.unwrap_or_else(|| {
            rows.push(j);
            rows.len() - 1
        }));
        starts.push(rows.len());
    }
    let with_diagonal = Pattern {
        starts: &starts,
        rows: &rows,
    };
    match LargeSparse::new(with_diagonal) {
        Some(lu) => Factors::LargeSparse(Box::new(lu), places, diagonals),
        None => Factors::LargeDense(Box::new(LargeDense::new(n))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::length::{Any, Fixed};
    use super::*;

    /// Largest residual of `(shift D - J) x = b` for a pattern with this share of entries.
    fn residual<L: Length>(length: L, every: usize, shift: f64, algebraic: usize) -> f64 {
        let n = length.get();
        let (mut starts, mut rows) = (vec![0], Vec::new());
        for j in 0..n {
            let column = (0..n).filter(|i| (i * 5 + j * 3) % every == 0 || (i + 1) % n == j);
            rows.extend(column);
            starts.push(rows.len());
        }
        let pattern = Pattern {
            starts: &starts,
            rows: &rows,
        };
        let entries: Vec<f64> = (0..rows.len())
            .map(|k| (7.1 * k as f64 + 1.0).sin())
            .collect();
        let mut mass = vec![1.0; n];
        mass[..algebraic].fill(0.0);
        let given = if algebraic > 0 {
            mass.clone()
        } else {
            Vec::new()
        };
        let mut matrix = Shifted::new(length, pattern, given);
        assert_eq!(matrix.factorise(shift, &entries), Ok(()));
        let right: Vec<f64> = (0..n).map(|k| (3.7 * k as f64).cos()).collect();
        let mut x = right.clone();
        matrix.solve(&mut x);
        let mut left: Vec<f64> = (0..n).map(|i| shift * mass[i] * x[i] - right[i]).collect();
        for j in 0..n {
            for k in starts[j]..starts[j + 1] {
                left[rows[k]] -= entries[k] * x[j];
            }
        }
        let size = x.iter().fold(1.0, |largest: f64, x| x.abs().max(largest));
        left.iter()
            .fold(0.0, |largest: f64, r| r.abs().max(largest))
            / size
    }

    /// Every technique, with weak and strong diagonals.
    #[test]
    fn systems_of_all_sizes_are_solved() {
        for shift in [0.5, 30.0, 1e4] {
            for algebraic in [0, 1] {
                assert!(residual(Fixed::<2>, 1, shift, algebraic) < 1e-10);
                assert!(residual(Fixed::<4>, 3, shift, algebraic) < 1e-10);
            }
            for (n, every) in [
                (5, 1),
                (20, 1),
                (20, 7),
                (80, 1),
                (100, 31),
                (230, 1),
                (260, 97),
            ] {
                let found = residual(Any(n), every, shift, 0);
                assert!(
                    found < 1e-8 * shift.max(1.0),
                    "{n} {every} {shift}: {found:e}"
                );
            }
        }
        for (n, every) in [(20, 7), (100, 31), (260, 97)] {
            let found = residual(Any(n), every, 1e3, 3);
            assert!(found < 1e-8, "{n} {every}: {found:e}");
        }
    }
}
