//! LU factorisation of sparse matrices of one pattern, with pivots on the diagonal.
//!
//! The order of elimination, the entries that fill in and the place of every update are found
//! once per pattern ([`Plan`]); factorising is then one pass over a list of updates, and solving
//! one over the factors. The order is Markowitz' with pivots on the diagonal (Duff, Erisman &
//! Reid, Direct Methods for Sparse Matrices, section 7.2). That is what codes for chemical
//! kinetics do (Sandu & Sander, Atmos. Chem. Phys. 6 (2006) 187-195): I/(gamma h) - J is dominated
//! by its diagonal for all but the longest steps. Where it is not, [`Eliminated::factorise`] says
//! so, and whoever called takes an LU with pivoting.

use super::{Pattern, Singular};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// How the matrices of one pattern are eliminated. Positions are places in the order of
/// elimination.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The pattern, without the diagonal that was added to it.
    starts: Vec<usize>,
    rows: Vec<usize>,
    /// The row eliminated at each position.
    order: Vec<u32>,
    pivots: Vec<Pivot>,
    /// Of each value that is not on the diagonal: its column in U, its row in L, as positions.
    positions: Vec<u32>,
    /// The value that each entry of the pattern goes to.
    entries: Vec<u32>,
    /// For every pivot, for every multiplier of it, for every entry of its row of U: the value
    /// from which their product is taken.
    targets: Vec<u32>,
    /// What solving does with x before and after the division by the diagonal, in order: the
    /// entries of L by columns, and those of U, divided by their row's diagonal, by columns from
    /// the last.
    forward: Vec<Update>,
    backward: Vec<Update>,
    /// The number of values: the diagonal, then for every pivot its row of U and column of L.
    values: usize,
}

/// Where a pivot's row of U and its column of L are stored: from `upper` to `lower`, and from
/// there to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pivot {
    upper: u32,
    lower: u32,
    end: u32,
}

/// One multiplication of a solution: x[to] -= value * x[from].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Update {
    value: u32,
    from: u32,
    to: u32,
}

/// Row and column sets of what is not yet eliminated.
struct Remaining {
    /// For every row its columns, for every column its rows, without the diagonal, ascending.
    rows: Vec<Vec<u32>>,
    columns: Vec<Vec<u32>>,
}

impl Remaining {
    fn new(pattern: Pattern<'_>) -> Self {
        let n = pattern.dimension();
        let mut sets = Remaining {
            rows: vec![Vec::new(); n],
            columns: vec![Vec::new(); n],
        };
        for (j, rows) in pattern.columns().enumerate() {
            for &i in rows.iter().filter(|i| **i != j) {
                sets.rows[i].push(j as u32);
                sets.columns[j].push(i as u32);
            }
        }
        sets
    }

    /// Markowitz' count: updates made when this is the next pivot.
    fn updates(&self, i: usize) -> usize {
        self.rows[i].len() * self.columns[i].len()
    }

    /// Takes a pivot out; returns its row's columns and its column's rows.
    fn eliminate(&mut self, pivot: usize) -> (Vec<u32>, Vec<u32>) {
        let row = std::mem::take(&mut self.rows[pivot]);
        let column = std::mem::take(&mut self.columns[pivot]);
        for &i in &column {
            join(&mut self.rows[i as usize], &row, pivot as u32, i);
        }
        for &j in &row {
            join(&mut self.columns[j as usize], &column, pivot as u32, j);
        }
        (row, column)
    }
}

/// Adds `more` to a set, all but `own`, and takes `gone` out.
fn join(set: &mut Vec<u32>, more: &[u32], gone: u32, own: u32) {
    let mut joined = Vec::with_capacity(set.len() + more.len());
    let mut more = more.iter().copied().filter(|m| *m != own).peekable();
    for member in set.drain(..) {
        while let Some(next) = more.next_if(|m| *m < member) {
            joined.push(next);
        }
        more.next_if_eq(&member);
        if member != gone {
            joined.push(member);
        }
    }
    joined.extend(more);
    *set = joined;
}

impl Plan {
    /// The plan for a pattern and the diagonal; `None` when elimination would take more than
    /// `most` updates.
    #[must_use]
    pub fn new(pattern: Pattern<'_>, most: usize) -> Option<Arc<Plan>> {
        let n = pattern.dimension();
        let mut remaining = Remaining::new(pattern);
        let mut queue: BinaryHeap<_> = (0..n).map(|i| Reverse((remaining.updates(i), i))).collect();
        let mut position = vec![u32::MAX; n];
        let mut order = Vec::with_capacity(n);
        let mut eliminated = Vec::with_capacity(n);
        let mut updates = 0;
        while let Some(Reverse((count, i))) = queue.pop() {
            if position[i] != u32::MAX || count != remaining.updates(i) {
                continue;
            }
            updates += count;
            if updates > most {
                return None;
            }
            position[i] = order.len() as u32;
            order.push(i as u32);
            let (row, column) = remaining.eliminate(i);
            for &j in row.iter().chain(&column) {
                queue.push(Reverse((remaining.updates(j as usize), j as usize)));
            }
            eliminated.push((row, column));
        }
        Some(Arc::new(Plan::lay_out(
            pattern, order, &position, eliminated,
        )))
    }

    /// Gives every value its place.
    fn lay_out(
        pattern: Pattern<'_>,
        order: Vec<u32>,
        position: &[u32],
        eliminated: Vec<(Vec<u32>, Vec<u32>)>,
    ) -> Plan {
        let n = order.len();
        let mut pivots = Vec::with_capacity(n);
        let mut positions = Vec::new();
        let place = |members: Vec<u32>, positions: &mut Vec<u32>| {
            let from = positions.len();
            positions.extend(members.iter().map(|m| position[*m as usize]));
            positions[from..].sort_unstable();
        };
        for (row, column) in eliminated {
            let upper = (n + positions.len()) as u32;
            place(row, &mut positions);
            let lower = (n + positions.len()) as u32;
            place(column, &mut positions);
            let end = (n + positions.len()) as u32;
            pivots.push(Pivot { upper, lower, end });
        }
        let mut plan = Plan {
            starts: pattern.starts.to_vec(),
            rows: pattern.rows.to_vec(),
            order,
            values: n + positions.len(),
            pivots,
            positions,
            entries: Vec::new(),
            targets: Vec::new(),
            forward: Vec::new(),
            backward: Vec::new(),
        };
        for (j, rows) in pattern.columns().enumerate() {
            let value = |i: &usize| plan.value(position[*i], position[j]);
            let values: Vec<u32> = rows.iter().map(value).collect();
            plan.entries.extend(values);
        }
        for k in 0..n {
            let Pivot { upper, lower, end } = plan.pivots[k];
            for l in lower..end {
                for u in upper..lower {
                    let (row, column) = (plan.position(l), plan.position(u));
                    plan.targets.push(plan.value(row, column));
                }
            }
        }
        plan.list_updates();
        plan
    }

    /// Lists the multiplications of a solution.
    fn list_updates(&mut self) {
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        for (k, pivot) in (0..).zip(&self.pivots) {
            forward.extend((pivot.lower..pivot.end).map(|value| Update {
                value,
                from: k,
                to: self.position(value),
            }));
            backward.extend((pivot.upper..pivot.lower).map(|value| Update {
                value,
                from: self.position(value),
                to: k,
            }));
        }
        backward.sort_by_key(|update| Reverse(update.from));
        (self.forward, self.backward) = (forward, backward);
    }

    fn position(&self, value: u32) -> u32 {
        self.positions[value as usize - self.order.len()]
    }

    /// The value at a row and a column, both as positions.
    fn value(&self, row: u32, column: u32) -> u32 {
        let n = self.order.len();
        let find = |from: u32, to: u32, sought: u32| {
            let members = &self.positions[from as usize - n..to as usize - n];
            from + members.partition_point(|m| *m < sought) as u32
        };
        match row.cmp(&column) {
            std::cmp::Ordering::Equal => row,
            std::cmp::Ordering::Less => {
                let pivot = self.pivots[row as usize];
                find(pivot.upper, pivot.lower, column)
            }
            std::cmp::Ordering::Greater => {
                let pivot = self.pivots[column as usize];
                find(pivot.lower, pivot.end, row)
            }
        }
    }

    /// Whether this is the plan for a pattern.
    #[must_use]
    pub fn is_for(&self, pattern: Pattern<'_>) -> bool {
        self.starts == pattern.starts && self.rows == pattern.rows
    }

    /// Multiplications in a factorisation.
    #[must_use]
    pub fn updates(&self) -> usize {
        self.targets.len()
    }

    /// Entries of the factors: multiplications in a solution.
    #[must_use]
    pub fn values(&self) -> usize {
        self.values
    }
}

/// The factors of a matrix whose pattern has a [`Plan`].
#[derive(Debug, Clone)]
pub struct Eliminated {
    plan: Arc<Plan>,
    /// The diagonal's reciprocals, L, and U divided by the diagonal of its rows.
    values: Vec<f64>,
    scratch: Vec<f64>,
}

impl Eliminated {
    /// No matrix yet.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        Eliminated {
            values: vec![0.0; plan.values],
            scratch: vec![0.0; plan.order.len()],
            plan,
        }
    }

    /// Factorises `diag(diagonal) - J`; the entries of J are in the order of the pattern.
    ///
    /// # Errors
    /// A pivot is zero, is not finite, or is smaller than an entry of its column by more than the
    /// factor `most`: then the factors may be worthless although the matrix is not singular.
    pub fn factorise(
        &mut self,
        diagonal: impl Fn(usize) -> f64,
        entries: &[f64],
        most: f64,
    ) -> Result<(), Singular> {
        let plan = &*self.plan;
        let values = &mut self.values;
        let n = plan.order.len();
        for (value, i) in values.iter_mut().zip(&plan.order) {
            *value = diagonal(*i as usize);
        }
        values[n..].fill(0.0);
        for (to, entry) in plan.entries.iter().zip(entries) {
            values[*to as usize] -= entry;
        }
        let mut targets = plan.targets.as_slice();
        let mut largest: f64 = 0.0;
        let mut sound = true;
        for (k, pivot) in plan.pivots.iter().enumerate() {
            let reciprocal = 1.0 / values[k];
            sound &= reciprocal.is_finite();
            values[k] = reciprocal;
            // Values of later pivots, which the updates go to, come after; so does the diagonal,
            // which precedes all.
            let width = (pivot.lower - pivot.upper) as usize;
            for l in pivot.lower as usize..pivot.end as usize {
                let multiplier = values[l] * reciprocal;
                values[l] = multiplier;
                largest = largest.max(multiplier.abs());
                let (now, later) = targets.split_at(width);
                targets = later;
                for (to, u) in now.iter().zip(pivot.upper as usize..) {
                    values[*to as usize] -= multiplier * values[u];
                }
            }
            for u in &mut values[pivot.upper as usize..pivot.lower as usize] {
                *u *= reciprocal;
            }
        }
        if sound && largest <= most {
            Ok(())
        } else {
            Err(Singular)
        }
    }

    /// Replaces `b` by the solution of A x = b.
    pub fn solve(&mut self, b: &mut [f64]) {
        let plan = &*self.plan;
        let n = plan.order.len();
        let (values, x) = (&self.values, &mut self.scratch);
        for (x, i) in x.iter_mut().zip(&plan.order) {
            *x = b[*i as usize];
        }
        for update in &plan.forward {
            x[update.to as usize] -= values[update.value as usize] * x[update.from as usize];
        }
        for (x, diagonal) in x.iter_mut().zip(&values[..n]) {
            *x *= diagonal;
        }
        for update in &plan.backward {
            x[update.to as usize] -= values[update.value as usize] * x[update.from as usize];
        }
        for (x, i) in x.iter().zip(&plan.order) {
            b[*i as usize] = *x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern from pairs (row, column).
    fn compress(n: usize, mut pairs: Vec<(usize, usize)>) -> (Vec<usize>, Vec<usize>) {
        pairs.sort_by_key(|(i, j)| (*j, *i));
        pairs.dedup();
        let starts = (0..=n).map(|j| pairs.partition_point(|p| p.1 < j));
        (starts.collect(), pairs.iter().map(|p| p.0).collect())
    }

    fn residual(n: usize, pairs: Vec<(usize, usize)>) -> f64 {
        let (starts, rows) = compress(n, pairs);
        let pattern = Pattern {
            starts: &starts,
            rows: &rows,
        };
        let plan = Plan::new(pattern, 1_000_000).unwrap();
        assert!(plan.is_for(pattern));
        let entries: Vec<f64> = (0..rows.len()).map(|k| (7.1 * k as f64).sin()).collect();
        let mut lu = Eliminated::new(plan);
        let shift = |i: usize| 8.0 + i as f64;
        assert_eq!(lu.factorise(shift, &entries, 1e3), Ok(()));
        let right: Vec<f64> = (0..n).map(|k| (3.7 * k as f64).cos()).collect();
        let mut x = right.clone();
        lu.solve(&mut x);
        let mut left: Vec<f64> = (0..n).map(|i| shift(i) * x[i] - right[i]).collect();
        for j in 0..n {
            for k in starts[j]..starts[j + 1] {
                left[rows[k]] -= entries[k] * x[j];
            }
        }
        left.iter().fold(0.0, |largest, r| r.abs().max(largest))
    }

    #[test]
    fn sparse_systems_are_solved() {
        for n in [1, 2, 7, 60] {
            let arrow = (0..n).flat_map(|i| [(0, i), (i, 0), (i, i)]).collect();
            assert!(residual(n, arrow) < 1e-12);
            let scattered = (0..3 * n).map(|k| (k * k % n, (k * 7 + 3) % n)).collect();
            assert!(residual(n, scattered) < 1e-12);
            assert!(residual(n, Vec::new()) < 1e-12);
        }
    }

    /// An arrow that points at the last pivot does not fill in; a chain does not either.
    #[test]
    fn the_order_avoids_fill() {
        let n = 50_usize;
        let arrow = (0..n).flat_map(|i| [(0, i), (i, 0), (i, i)]).collect();
        let chain = (0..n).flat_map(|i| (i.saturating_sub(1)..(i + 2).min(n)).map(move |j| (i, j)));
        for pairs in [arrow, chain.collect()] {
            let (starts, rows) = compress(n, pairs);
            let pattern = Pattern {
                starts: &starts,
                rows: &rows,
            };
            assert_eq!(Plan::new(pattern, 1000).unwrap().values(), rows.len());
            assert!(Plan::new(pattern, 10).is_none());
        }
    }

    #[test]
    fn small_pivots_are_said() {
        let (starts, rows) = compress(2, vec![(0, 1), (1, 0)]);
        let pattern = Pattern {
            starts: &starts,
            rows: &rows,
        };
        let mut lu = Eliminated::new(Plan::new(pattern, 10).unwrap());
        assert_eq!(lu.factorise(|_| 0.0, &[1.0, 1.0], 1e3), Err(Singular));
        assert_eq!(lu.factorise(|_| 1e-6, &[1.0, 1.0], 1e3), Err(Singular));
        assert_eq!(lu.factorise(|_| 3.0, &[1.0, 1.0], 1e3), Ok(()));
    }
}
