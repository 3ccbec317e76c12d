//! Products and inverses of matrices for many members.
//!
//! Enters: a product or an inverse, and the files. Leaves: its result in the varying file. An entry
//! of a product is summed in a register of the processor, in the order of the inner index, eight
//! rows beside each other so that additions need not wait for one another.

use super::plan::{Factor, Inverse, Place, Product};
use super::run::Files;
use super::{Chunk, LANES};
use crate::kernel::routines::invert;
use std::array::from_fn;

/// The most rows that are summed beside each other.
const ROWS: usize = 10;

/// The product of two matrices.
#[inline(always)]
pub(super) fn product(product: &Product, files: Files<'_>) {
    match &product.a {
        Factor::One(first) => {
            let a = &files.one[*first as usize..][..product.rows * product.inner];
            rows(product, files, |at, _| Chunk::splat(a[at]));
        }
        Factor::Mixed(a) => rows(product, files, |at, k| files.load(a[at], k)),
    }
}

#[inline(always)]
fn rows(product: &Product, files: Files<'_>, entry: impl Fn(usize, usize) -> Chunk + Copy) {
    let columns = product.b.chunks_exact(product.inner);
    for (column, b) in columns.enumerate() {
        let mut row = 0;
        while row < product.rows {
            // Few sums beside each other wait for themselves: ten rows are not eight and two.
            let left = product.rows - row;
            match left.div_ceil(left.div_ceil(ROWS)) {
                ROWS.. => row = some_rows::<ROWS>(product, files, b, (row, column), entry),
                8.. => row = some_rows::<8>(product, files, b, (row, column), entry),
                6.. => row = some_rows::<6>(product, files, b, (row, column), entry),
                4.. => row = some_rows::<4>(product, files, b, (row, column), entry),
                2.. => row = some_rows::<2>(product, files, b, (row, column), entry),
                _ => row = some_rows::<1>(product, files, b, (row, column), entry),
            }
        }
    }
}

/// R rows of one column; the row after them.
#[inline(always)]
fn some_rows<const R: usize>(
    product: &Product,
    files: Files<'_>,
    b: &[Place],
    (row, column): (usize, usize),
    entry: impl Fn(usize, usize) -> Chunk + Copy,
) -> usize {
    let first = product.to as usize + column * product.rows + row;
    for k in 0..files.chunks {
        let mut sums = [Chunk::splat(0.0); R];
        for (i, b) in b.iter().enumerate() {
            let b = files.load(*b, k);
            let a: [Chunk; R] = from_fn(|r| entry(i * product.rows + row + r, k));
            for r in 0..R {
                let (a, sum) = (&a[r].0, &mut sums[r].0);
                if i == 0 {
                    *sum = from_fn(|lane| a[lane] * b.0[lane]);
                } else {
                    *sum = from_fn(|lane| sum[lane] + a[lane] * b.0[lane]);
                }
            }
        }
        for (r, sum) in sums.into_iter().enumerate() {
            files.store(first + r, k, sum);
        }
    }
    row + R
}

/// The inverse, member by member: each has its own pivots.
pub(super) fn inverse(inverse: &Inverse, files: Files<'_>) {
    let n = inverse.n;
    let mut work = vec![0.0; n * n];
    let mut found = vec![0.0; n * n];
    for (k, lane) in (0..files.chunks).flat_map(|k| (0..LANES).map(move |lane| (k, lane))) {
        for (entry, place) in work.iter_mut().zip(&inverse.a) {
            *entry = files.load(*place, k).0[lane];
        }
        invert(&mut work, &mut found, n);
        for (i, entry) in found.iter().enumerate() {
            let at = inverse.to as usize + i;
            let mut chunk = files.load(Place::Many(inverse.to + i as u32), k);
            chunk.0[lane] = *entry;
            files.store(at, k, chunk);
        }
    }
}
