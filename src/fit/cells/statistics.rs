//! What a likelihood of normal cells needs to know of them: for each group its count n_k and mean
//! m_k, and the scatter of the cells around the means of their groups, pooled.
//!
//! One pass over the cells, in blocks. Within a block the cells of a group are taken from the block's
//! own mean of that group; joining a block of n_b cells to the n_a cells before adds
//! n_a n_b / (n_a + n_b) d d^T for the difference d of their means (T. F. Chan, G. H. Golub, R. J.
//! LeVeque, Am. Stat. 37, 242, 1983). These corrections are rows of the same product Y^T Y as the
//! cells, so a block is one product, and no sum of squares of large numbers is ever subtracted.
//!
//! The scatter may be pooled in parts (the folds of a cross-validation), so that groups can be left
//! out afterwards. A group of one cell adds nothing to the scatter; its mean counts like all others.
//!
//! Enters: cells, dense or sparse, row by row with their groups. Leaves: [`Statistics`]. Must not
//! know the model.

use crate::linalg::products::{add_gram, is_finite, mirror};
use nalgebra::DMatrix;

/// Sufficient statistics of cells of p genes in K groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Cells in each group, K numbers.
    pub counts: Vec<f64>,
    /// The mean of each group, p by K; zeros where a group has no cells.
    pub means: DMatrix<f64>,
    /// The scatter around the means of the groups, sum (y - m)(y - m)^T, for each part: p by p.
    pub scatters: Vec<DMatrix<f64>>,
    /// The part of each group, K numbers.
    pub parts: Vec<usize>,
}

/// Why cells are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The numbers are not as many as groups times genes say.
    Length,
    /// A cell, by its position among those handed over, names a group that there is not.
    NoSuchGroup(usize),
    /// A cell, by its position among those handed over, names a gene that there is not.
    NoSuchGene(usize),
    /// A cell, by its position among those handed over, has a number that is not finite.
    NotFinite(usize),
    /// The user interrupted.
    Interrupted,
}

/// Cells of a sparse table, row by row: cell i has the entries from `starts[i]` to `starts[i + 1]`.
#[derive(Debug, Clone, Copy)]
pub struct SparseRows<'a> {
    /// One number more than there are cells.
    pub starts: &'a [usize],
    /// The gene of each entry.
    pub genes: &'a [usize],
    /// The value of each entry; all others are zero.
    pub values: &'a [f64],
}

/// Cells in a block. A block of 1000 genes is 4 MB.
const BLOCK: usize = 512;

/// Statistics on the way.
#[derive(Debug, Clone)]
pub struct Accumulator {
    statistics: Statistics,
    /// Cells waiting, gene after gene; the columns of a matrix.
    waiting: Vec<f64>,
    groups: Vec<usize>,
}

impl Accumulator {
    /// For cells of `genes` numbers in as many groups as `parts` has numbers; each says the part in
    /// which the scatter of its group is pooled (all 0: one part).
    #[must_use]
    pub fn new(genes: usize, parts: &[usize]) -> Accumulator {
        let many = parts.iter().max().map_or(1, |most| most + 1);
        Accumulator {
            statistics: Statistics {
                counts: vec![0.0; parts.len()],
                means: DMatrix::zeros(genes, parts.len()),
                scatters: vec![DMatrix::zeros(genes, genes); many],
                parts: parts.to_vec(),
            },
            waiting: Vec::with_capacity(genes * BLOCK),
            groups: Vec::with_capacity(BLOCK),
        }
    }

    /// Takes cells row by row: `groups` has the group of each, `rows` their numbers. How cells are
    /// divided among calls makes no difference.
    ///
    /// # Errors
    /// [`Refused`]; cells before the refused one are taken.
    pub fn take(
        &mut self,
        groups: &[usize],
        rows: &[f64],
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Refused> {
        let genes = self.statistics.means.nrows();
        if rows.len() != groups.len() * genes {
            return Err(Refused::Length);
        }
        for (cell, group) in groups.iter().enumerate() {
            let numbers = rows
                .get(cell * genes..(cell + 1) * genes)
                .unwrap_or_default();
            if numbers.iter().any(|number| !number.is_finite()) {
                return Err(Refused::NotFinite(cell));
            }
            self.admit(cell, *group)?;
            self.waiting.extend_from_slice(numbers);
            self.settle(interrupted)?;
        }
        Ok(())
    }

    /// Takes cells of a sparse table.
    ///
    /// # Errors
    /// As [`Accumulator::take`].
    pub fn take_sparse(
        &mut self,
        groups: &[usize],
        rows: SparseRows<'_>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Refused> {
        let genes = self.statistics.means.nrows();
        if rows.starts.len() != groups.len() + 1 {
            return Err(Refused::Length);
        }
        for (cell, (group, ends)) in groups.iter().zip(rows.starts.windows(2)).enumerate() {
            let &[from, to] = ends else { continue };
            let (Some(places), Some(values)) =
                (rows.genes.get(from..to), rows.values.get(from..to))
            else {
                return Err(Refused::Length);
            };
            if places.iter().any(|place| *place >= genes) {
                return Err(Refused::NoSuchGene(cell));
            }
            if values.iter().any(|value| !value.is_finite()) {
                return Err(Refused::NotFinite(cell));
            }
            self.admit(cell, *group)?;
            let at = self.waiting.len();
            self.waiting.resize(at + genes, 0.0);
            for (place, value) in places.iter().zip(values) {
                self.waiting[at + place] += value;
            }
            self.settle(interrupted)?;
        }
        Ok(())
    }

    /// The statistics of all cells taken.
    #[must_use]
    pub fn finish(mut self) -> Statistics {
        self.join();
        self.statistics.scatters.iter_mut().for_each(mirror);
        self.statistics
    }

    fn admit(&mut self, cell: usize, group: usize) -> Result<(), Refused> {
        if group >= self.statistics.counts.len() {
            return Err(Refused::NoSuchGroup(cell));
        }
        self.groups.push(group);
        Ok(())
    }

    fn settle(&mut self, interrupted: &dyn Fn() -> bool) -> Result<(), Refused> {
        if self.groups.len() == BLOCK {
            self.join();
            if interrupted() {
                return Err(Refused::Interrupted);
            }
        }
        Ok(())
    }

    /// Joins the block that waits to the statistics.
    fn join(&mut self) {
        let many = self.statistics.scatters.len();
        for part in 0..many {
            let rows = self.centred(part);
            if let Some(scatter) = self.statistics.scatters.get_mut(part) {
                add_gram(scatter, &rows);
            }
        }
        self.waiting.clear();
        self.groups.clear();
    }

    /// The cells of a part less the means of their groups in the block, then the corrections for
    /// joining; counts and means are moved on.
    fn centred(&mut self, part: usize) -> Vec<f64> {
        let genes = self.statistics.means.nrows().max(1);
        let parts = &self.statistics.parts;
        let mut members: Vec<(usize, usize)> = self
            .groups
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, group)| parts[*group] == part)
            .map(|(cell, group)| (group, cell))
            .collect();
        members.sort_unstable();
        let mut rows = Vec::with_capacity((members.len() + 8) * genes);
        for cells in members.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(group, _)) = cells.first() else {
                continue;
            };
            let cell = |at: usize| &self.waiting[at * genes..(at + 1) * genes];
            let many = cells.len() as f64;
            // Sums are taken from the first cell, which is near to all.
            let first = cell(cells[0].1);
            let mut mean = vec![0.0; genes];
            for (_, at) in cells {
                for ((sum, y), from) in mean.iter_mut().zip(cell(*at)).zip(first) {
                    *sum += y - from;
                }
            }
            for (sum, from) in mean.iter_mut().zip(first) {
                *sum = from + *sum / many;
            }
            for (_, at) in cells {
                rows.extend(cell(*at).iter().zip(&mean).map(|(y, mean)| y - mean));
            }
            let before = self.statistics.counts[group];
            let weight = (before * many / (before + many)).sqrt();
            let mut known = self.statistics.means.column_mut(group);
            if before > 0.0 {
                rows.extend(
                    mean.iter()
                        .zip(&known)
                        .map(|(new, old)| weight * (new - old)),
                );
            }
            for (old, new) in known.iter_mut().zip(&mean) {
                *old += (new - *old) * (many / (before + many));
            }
            self.statistics.counts[group] += many;
        }
        rows
    }
}

impl Statistics {
    /// From counts, means (p by K) and one scatter (p by p), all pooled in one part; `None` where
    /// the shapes do not fit or numbers are not finite or negative.
    #[must_use]
    pub fn of_moments(
        counts: &[f64],
        means: DMatrix<f64>,
        scatter: DMatrix<f64>,
    ) -> Option<Statistics> {
        let genes = means.nrows();
        let fits = means.ncols() == counts.len() && scatter.shape() == (genes, genes);
        let sound = counts
            .iter()
            .all(|count| count.is_finite() && *count >= 0.0);
        (fits && sound && is_finite(&means) && is_finite(&scatter)).then(|| Statistics {
            counts: counts.to_vec(),
            parts: vec![0; counts.len()],
            means,
            scatters: vec![scatter],
        })
    }

    /// Genes p.
    #[must_use]
    pub fn genes(&self) -> usize {
        self.means.nrows()
    }

    /// Groups K.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.counts.len()
    }

    /// All cells.
    #[must_use]
    pub fn cells(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The scatter of all parts.
    #[must_use]
    pub fn scatter(&self) -> DMatrix<f64> {
        let mut total = DMatrix::zeros(self.genes(), self.genes());
        for scatter in &self.scatters {
            total += scatter;
        }
        total
    }

    /// The statistics of the parts for which `keeps` holds; groups of other parts count no cells.
    #[must_use]
    pub fn of_parts(&self, keeps: &dyn Fn(usize) -> bool) -> Statistics {
        let mut counts = self.counts.clone();
        for (count, part) in counts.iter_mut().zip(&self.parts) {
            if !keeps(*part) {
                *count = 0.0;
            }
        }
        let mut total = DMatrix::zeros(self.genes(), self.genes());
        for (part, scatter) in self.scatters.iter().enumerate() {
            if keeps(part) {
                total += scatter;
            }
        }
        Statistics {
            counts,
            means: self.means.clone(),
            scatters: vec![total],
            parts: vec![0; self.parts.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_ON: &dyn Fn() -> bool = &|| false;

    /// Two passes, as defined.
    fn direct(groups: &[usize], rows: &[f64], genes: usize, many: usize) -> Statistics {
        let mut counts = vec![0.0; many];
        let mut means = DMatrix::zeros(genes, many);
        for (group, row) in groups.iter().zip(rows.chunks(genes)) {
            counts[*group] += 1.0;
            for (i, y) in row.iter().enumerate() {
                means[(i, *group)] += y;
            }
        }
        for (mut mean, count) in means.column_iter_mut().zip(&counts) {
            mean /= f64::max(*count, 1.0);
        }
        let mut scatter = DMatrix::zeros(genes, genes);
        for (group, row) in groups.iter().zip(rows.chunks(genes)) {
            let off = nalgebra::DVector::from_row_slice(row) - means.column(*group);
            scatter += &off * off.transpose();
        }
        Statistics::of_moments(&counts, means, scatter).unwrap()
    }

    fn cells(many: usize, genes: usize, offset: f64) -> (Vec<usize>, Vec<f64>) {
        let groups = (0..many).map(|cell| (cell * cell + cell / 7) % 5).collect();
        let rows = (0..many * genes)
            .map(|k| offset + (k as f64 * 1.7).sin() + ((k * k) as f64 * 0.3).cos())
            .collect();
        (groups, rows)
    }

    #[test]
    fn one_pass_agrees_with_two_whatever_the_portions() {
        let (genes, many) = (6, 1801);
        let (groups, rows) = cells(many, genes, 0.0);
        let exact = direct(&groups, &rows, genes, 5);
        let mut whole = Accumulator::new(genes, &[0; 5]);
        whole.take(&groups, &rows, GO_ON).unwrap();
        let whole = whole.finish();
        assert_eq!(whole.counts, exact.counts);
        assert!((&whole.means - &exact.means).amax() < 1e-13);
        assert!((&whole.scatter() - exact.scatter()).amax() < 1e-10);
        let mut portions = Accumulator::new(genes, &[0; 5]);
        for (groups, rows) in groups.chunks(77).zip(rows.chunks(77 * genes)) {
            portions.take(groups, rows, GO_ON).unwrap();
        }
        assert_eq!(portions.finish(), whole);
        // By parts, the sum is the same; a part alone is that of its groups.
        let mut parts = Accumulator::new(genes, &[0, 1, 0, 1, 2]);
        parts.take(&groups, &rows, GO_ON).unwrap();
        let parts = parts.finish();
        assert!((parts.scatter() - whole.scatter()).amax() < 1e-10);
        let only: Vec<usize> = (0..many).filter(|cell| groups[*cell] % 2 == 1).collect();
        let of_only: Vec<usize> = only.iter().map(|cell| groups[*cell]).collect();
        let numbers: Vec<f64> = only
            .iter()
            .flat_map(|c| rows[c * genes..(c + 1) * genes].to_vec())
            .collect();
        let part = parts.of_parts(&|part| part == 1);
        assert!((part.scatter() - direct(&of_only, &numbers, genes, 5).scatter()).amax() < 1e-10);
        assert_eq!(part.cells(), only.len() as f64);
    }

    /// A million standard deviations away from zero ten digits are left; sums of squares would
    /// leave four.
    #[test]
    fn far_from_zero_the_scatter_stays() {
        let (groups, rows) = cells(2000, 3, 0.0);
        let exact = direct(&groups, &rows, 3, 5);
        let far: Vec<f64> = rows.iter().map(|y| y + 1e6).collect();
        let mut found = Accumulator::new(3, &[0; 5]);
        found.take(&groups, &far, GO_ON).unwrap();
        let found = found.finish();
        assert!((found.scatter() - exact.scatter()).amax() < 1e-8 * exact.scatter().amax());
    }

    #[test]
    fn sparse_rows_are_the_same_cells() {
        let (genes, many) = (7, 700);
        let groups: Vec<usize> = (0..many).map(|cell| cell % 3).collect();
        let (mut starts, mut places, mut values) = (vec![0], Vec::new(), Vec::new());
        let mut rows = vec![0.0; genes * many];
        for cell in 0..many {
            for place in [cell % genes, (3 * cell + 1) % genes] {
                if rows[cell * genes + place] == 0.0 {
                    let value = (cell as f64).sin() + 2.0;
                    rows[cell * genes + place] = value;
                    places.push(place);
                    values.push(value);
                }
            }
            starts.push(places.len());
        }
        let sparse = SparseRows {
            starts: &starts,
            genes: &places,
            values: &values,
        };
        let mut found = Accumulator::new(genes, &[0; 3]);
        found.take_sparse(&groups, sparse, GO_ON).unwrap();
        let mut dense = Accumulator::new(genes, &[0; 3]);
        dense.take(&groups, &rows, GO_ON).unwrap();
        assert_eq!(found.finish(), dense.finish());
    }

    #[test]
    fn a_group_of_one_cell_has_a_mean_and_no_scatter() {
        let mut found = Accumulator::new(2, &[0, 0]);
        found.take(&[0, 1], &[1.0, 2.0, 3.0, 5.0], GO_ON).unwrap();
        let found = found.finish();
        assert_eq!(found.counts, [1.0, 1.0]);
        assert_eq!(found.means.as_slice(), [1.0, 2.0, 3.0, 5.0]);
        assert_eq!(found.scatter().amax(), 0.0);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let mut found = Accumulator::new(2, &[0]);
        assert_eq!(found.take(&[0], &[1.0], GO_ON), Err(Refused::Length));
        assert_eq!(
            found.take(&[1], &[1.0, 1.0], GO_ON),
            Err(Refused::NoSuchGroup(0))
        );
        assert_eq!(
            found.take(&[0], &[1.0, f64::NAN], GO_ON),
            Err(Refused::NotFinite(0))
        );
        let sparse = SparseRows {
            starts: &[0, 1],
            genes: &[2],
            values: &[1.0],
        };
        assert_eq!(
            found.take_sparse(&[0], sparse, GO_ON),
            Err(Refused::NoSuchGene(0))
        );
        let many = found.take(&[0; 600], &[1.0; 1200], &|| true);
        assert_eq!(many, Err(Refused::Interrupted));
    }
}
