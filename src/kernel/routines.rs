//! The loops behind blocks.
//!
//! Enters: a block and the register file. Leaves: its result in the file. Each routine sums in
//! the order that the block promises. Where operand and result are apart, as they are outside
//! scatters, the file is cut around the result, so that the loops run over plain slices.

use super::block::{Block, BlockOperation, Span};
use crate::symbolic::{Binary, Unary};

/// The file without the registers that are being written.
struct Around<'a> {
    below: &'a [f64],
    above: &'a [f64],
    above_start: usize,
}

impl Around<'_> {
    /// A range that lies wholly below or above the gap.
    fn view(&self, span: Span) -> &[f64] {
        let start = span.start.index();
        if span.len == 0 {
            &[]
        } else if start < self.below.len() {
            &self.below[start..start + span.len]
        } else {
            &self.above[start - self.above_start..][..span.len]
        }
    }
}

fn cut(file: &mut [f64], to: Span) -> (&mut [f64], Around<'_>) {
    let start = to.start.index();
    let (below, rest) = file.split_at_mut(start);
    let (to, above) = rest.split_at_mut(to.len);
    let around = Around {
        below,
        above_start: start + to.len(),
        above,
    };
    (to, around)
}

/// Runs one block.
pub(super) fn run(block: &Block, file: &mut [f64]) {
    match &block.operation {
        BlockOperation::ScatterStore(at) => {
            scatter(block, at, file, |_, value| value);
            return;
        }
        BlockOperation::ScatterAdd(at) => {
            scatter(block, at, file, |old, value| old + value);
            return;
        }
        BlockOperation::Clear(at) => {
            let to = &mut file[block.to.start.index()..][..block.to.len];
            at.iter().for_each(|&at| to[at as usize] = 0.0);
            return;
        }
        BlockOperation::Inverse => {
            let (work, around) = cut(file, block.work);
            work.copy_from_slice(around.view(block.operands[0]));
            let range = |span: Span| span.start.index()..span.start.index() + span.len;
            if let Ok([to, work]) = file.get_disjoint_mut([range(block.to), range(block.work)]) {
                invert(work, to, block.rows);
            }
            return;
        }
        _ => {}
    }
    let (to, around) = cut(file, block.to);
    let [a, b, c] = block.operands.map(|span| around.view(span));
    let rows = block.rows;
    match &block.operation {
        BlockOperation::Copy => each(to, a, |a| a),
        BlockOperation::Unary(function) => unary(*function, to, a),
        BlockOperation::Binary(function) => binary(*function, to, a, b),
        BlockOperation::Select => select(to, a, b, c),
        BlockOperation::Sum => to.fill(sum(a.iter().copied())),
        BlockOperation::Dot => {
            to.fill(sum(a.iter().zip(b).map(|(a, b)| a * b)));
        }
        BlockOperation::Product { inner } => product(to, a, b, rows, *inner),
        BlockOperation::Transpose => transpose(to, a, rows, block.columns),
        BlockOperation::Outer => columns(to, rows, |to, j| each(to, a, |a| a * b[j])),
        BlockOperation::ScaleColumns => columns(to, rows, |to, j| {
            each(to, &a[j * rows..][..rows], |a| a * b[j]);
        }),
        BlockOperation::ScaleRows => columns(to, rows, |to, j| {
            pairs(to, &a[j * rows..][..rows], b, |a, b| a * b);
        }),
        BlockOperation::Diagonal => {
            to.fill(0.0);
            columns(to, rows, |to, j| to[j] = a[j]);
        }
        BlockOperation::Inverse
        | BlockOperation::ScatterStore(_)
        | BlockOperation::ScatterAdd(_)
        | BlockOperation::Clear(_) => {}
    }
}

fn scatter(block: &Block, at: &[u32], file: &mut [f64], join: impl Fn(f64, f64) -> f64) {
    let (from, to) = (block.operands[0].start.index(), block.to.start.index());
    for (k, &at) in at.iter().enumerate() {
        let value = file[from + k];
        let entry = &mut file[to + at as usize];
        *entry = join(*entry, value);
    }
}

/// From the first to the last; 0 when there are none.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers
        .reduce(|total, number| total + number)
        .unwrap_or(0.0)
}

/// Calls `f` with each column and its number. No column when there are no rows.
fn columns(to: &mut [f64], rows: usize, mut f: impl FnMut(&mut [f64], usize)) {
    for (j, column) in to.chunks_exact_mut(rows.max(1)).enumerate() {
        f(column, j);
    }
}

/// to[i] = f(a[i]), or the same value everywhere.
fn each(to: &mut [f64], a: &[f64], f: impl Fn(f64) -> f64) {
    match a {
        [a] => to.fill(f(*a)),
        _ => to.iter_mut().zip(a).for_each(|(to, a)| *to = f(*a)),
    }
}

/// to[i] = f(a[i], b[i]), where one or both may be a single number.
fn pairs(to: &mut [f64], a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) {
    match (a, b) {
        (&[a], &[b]) => to.fill(f(a, b)),
        (&[a], b) => each(to, b, |b| f(a, b)),
        (a, &[b]) => each(to, a, |a| f(a, b)),
        _ => {
            for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
                *to = f(*a, *b);
            }
        }
    }
}

/// The cheap functions get loops of their own, which the compiler turns into vector code.
fn unary(function: Unary, to: &mut [f64], a: &[f64]) {
    match function {
        Unary::Negate => each(to, a, |a| -a),
        Unary::Sqrt => each(to, a, f64::sqrt),
        Unary::Abs => each(to, a, f64::abs),
        _ => each(to, a, |a| function.apply(a)),
    }
}

fn binary(function: Binary, to: &mut [f64], a: &[f64], b: &[f64]) {
    match function {
        Binary::Add => pairs(to, a, b, |a, b| a + b),
        Binary::Subtract => pairs(to, a, b, |a, b| a - b),
        Binary::Multiply => pairs(to, a, b, |a, b| a * b),
        Binary::Divide => pairs(to, a, b, |a, b| a / b),
        _ => pairs(to, a, b, |a, b| function.apply(a, b)),
    }
}

fn select(to: &mut [f64], condition: &[f64], a: &[f64], b: &[f64]) {
    let pick = |values: &[f64], i: usize| match values {
        [value] => *value,
        _ => values[i],
    };
    for (i, to) in to.iter_mut().enumerate() {
        let chosen = if pick(condition, i) != 0.0 { a } else { b };
        *to = pick(chosen, i);
    }
}

/// Column by column as a sum of scaled columns of `a`, so that the inner loop has no dependent
/// additions and yet each entry is summed in the order of the inner index.
fn product(to: &mut [f64], a: &[f64], b: &[f64], rows: usize, inner: usize) {
    columns(to, rows, |to, j| {
        let Some((first, others)) = b[j * inner..][..inner].split_first() else {
            to.fill(0.0);
            return;
        };
        let mut a = a.chunks_exact(rows);
        for (to, a) in to.iter_mut().zip(a.next().unwrap_or_default()) {
            *to = a * first;
        }
        for (factor, a) in others.iter().zip(a) {
            for (to, a) in to.iter_mut().zip(a) {
                *to += a * factor;
            }
        }
    });
}

fn transpose(to: &mut [f64], a: &[f64], rows: usize, count: usize) {
    columns(to, rows, |to, j| {
        for (i, to) in to.iter_mut().enumerate() {
            *to = a[j + i * count];
        }
    });
}

/// Gauss-Jordan elimination with partial pivoting on `[work | 1]`; `work` holds an n x n matrix
/// and is overwritten, `inverse` becomes its inverse, or all NaN when a pivot is 0 or NaN. Of
/// pivots of equal size the lowest is taken. (Golub and Van Loan, Matrix Computations, section
/// 3.4, pivoting; elimination above the pivot as well as below.)
pub(super) fn invert(work: &mut [f64], inverse: &mut [f64], n: usize) {
    inverse.fill(0.0);
    columns(inverse, n, |column, j| column[j] = 1.0);
    let mut factors = vec![0.0; n];
    for k in 0..n {
        factors.copy_from_slice(&work[k * n..][..n]);
        let size = |row: &usize| factors[*row].abs();
        let pivot = (k..n)
            .max_by(|p, q| size(p).total_cmp(&size(q)))
            .unwrap_or(k);
        factors.swap(k, pivot);
        let divisor = factors[k];
        if divisor == 0.0 || divisor.is_nan() {
            inverse.fill(f64::NAN);
            return;
        }
        let eliminate = |column: &mut [f64]| {
            column.swap(k, pivot);
            column[k] /= divisor;
            let scaled = column[k];
            for (row, (entry, factor)) in column.iter_mut().zip(&factors).enumerate() {
                if row != k {
                    *entry -= factor * scaled;
                }
            }
        };
        // Columns before this one are done: their entries in the pivot row are 0.
        work[(k + 1) * n..].chunks_exact_mut(n).for_each(eliminate);
        inverse.chunks_exact_mut(n).for_each(eliminate);
    }
}
