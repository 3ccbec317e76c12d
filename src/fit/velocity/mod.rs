//! Velocities of splicing under the assumption that the extreme cells are at steady state.
//!
//! Unspliced counts u turn into spliced ones s, which decay: s' = u - gamma s, in units of the rate
//! of splicing. Where a gene is fully on or off u = gamma s, so gamma is the slope of a line through
//! the cells with the most (and the least) counts (G. La Manno et al., Nature 560, 494, 2018; V.
//! Bergen et al., Nat. Biotechnol. 38, 1408, 2020). What is left of u above the line is the
//! velocity.
//!
//! ```text
//! extremes.rs  percentiles and the cells beyond them
//! line.rs      the line through those cells
//! mod.rs       one gene, all genes, velocities
//! ```
//!
//! Enters: spliced and unspliced counts of cells by genes in any layout of [`Cells`]. Leaves: slope,
//! intercept and R^2 of each gene, which genes to trust, velocities. Must not know genes' names.

mod extremes;
mod line;
#[cfg(test)]
mod tests;

use crate::table::cells::{Axis, Cells, Lines, Real};
use extremes::{Room, both, of_few, upper};
use line::{Sums, fit};

/// Scales below this one are raised to it.
const LEAST_SCALE: f64 = 1e-3;
/// Numbers that are gathered at a time.
const BLOCK: usize = 1 << 22;
/// Partial sums, so that additions need not wait for each other.
const LANES: usize = 8;

/// How the line is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convention {
    /// What s and u are divided by before they are added up to say how extreme a cell is.
    pub scale: Scale,
    /// Which cells are extreme.
    pub tails: Tails,
    /// The line through them.
    pub line: Line,
}

/// What s and u are divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// The largest count of the gene, but at least 0.001.
    Largest,
    /// A percentile of the gene's counts, from 0 to 100; where it is zero, as above.
    Percentile(f64),
}

/// Which cells are extreme, by percentiles from 0 to 100 of s/scale + u/scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tails {
    /// All cells.
    All,
    /// Those at or above a percentile.
    Upper(f64),
    /// Those at or below the first percentile, or at or above the second.
    Both(f64, f64),
}

/// The line of least squares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Line {
    /// Through the origin: the slope is sum(u s) / sum(s s).
    Origin,
    /// With an intercept; if that comes out negative, through the origin.
    Intercept,
    /// With slope and intercept within bounds.
    Bounded(Bounds),
}

/// Bounds of slope and intercept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Least and largest slope.
    pub slope: (f64, f64),
    /// The intercept is at least zero and at most this multiple of the mean of u in the extreme
    /// cells.
    pub intercept: f64,
}

impl Convention {
    /// That of the package scVelo in its deterministic mode: the cells at or above the 95 %
    /// percentile, and a line through the origin; with an intercept also those at or below 5 %.
    #[must_use]
    pub fn scvelo(line: Offset) -> Convention {
        let (tails, line) = match line {
            Offset::None => (Tails::Upper(95.0), Line::Origin),
            Offset::Fitted => (Tails::Both(5.0, 95.0), Line::Intercept),
        };
        Convention {
            scale: Scale::Largest,
            tails,
            line,
        }
    }

    /// That of the package velocyto: scales at the 99.9 % percentile, cells at or below 2 % or at
    /// or above 98 %, a slope up to 20, an intercept up to twice the mean of u.
    #[must_use]
    pub fn velocyto(line: Offset) -> Convention {
        let bounds = match line {
            Offset::None => Bounds {
                slope: (0.0, 20.0),
                intercept: 0.0,
            },
            Offset::Fitted => Bounds {
                slope: (1e-8, 20.0),
                intercept: 2.0,
            },
        };
        Convention {
            scale: Scale::Percentile(99.9),
            tails: Tails::Both(2.0, 98.0),
            line: Line::Bounded(bounds),
        }
    }
}

/// Whether the line has an intercept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// It goes through the origin.
    None,
    /// It is fitted.
    Fitted,
}

/// Counts that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// Spliced counts, s.
    pub spliced: &'a Cells,
    /// Unspliced counts, u, of the same shape.
    pub unspliced: &'a Cells,
    /// Which lines of both are genes.
    pub genes: Axis,
}

/// What is found for a gene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gene {
    /// gamma. Not a number where the extreme cells do not say it: none has spliced counts, or with
    /// an intercept all have the same.
    pub slope: f64,
    /// The intercept, in counts.
    pub intercept: f64,
    /// 1 - sum of squares of the velocity / sum of squares of u about its mean, over all cells; 0
    /// where u is the same in all.
    pub r_squared: f64,
    /// How many cells were extreme.
    pub extreme: usize,
    /// Whether both kinds of counts are positive in some cell.
    pub expressed: bool,
}

/// Which genes to trust.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criteria {
    /// R^2 must exceed this.
    pub r_squared: f64,
    /// The slope must exceed this.
    pub slope: f64,
}

impl Default for Criteria {
    /// Both 0.01, as in scVelo.
    fn default() -> Self {
        Criteria {
            r_squared: 0.01,
            slope: 0.01,
        }
    }
}

/// Why there is no fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Spliced and unspliced counts have different shapes, rows and columns.
    Shapes {
        /// Of the spliced ones.
        spliced: (usize, usize),
        /// Of the unspliced ones.
        unspliced: (usize, usize),
    },
    /// More cells than 2^32 - 1.
    Cells,
    /// A percentile that is none, or a lower one above the upper one.
    Percentile,
    /// As many genes were fitted as there are lines.
    Genes {
        /// Fitted ones.
        found: usize,
        /// Lines.
        expected: usize,
    },
    /// By the caller's wish.
    Interrupted,
}

/// The lines of all genes, in order. All arithmetic has 64 bits, so that the same counts give the same
/// line in either precision; cells that tie but for rounding do so here.
///
/// # Errors
/// [`Unfit`].
pub fn lines(
    counts: Counts<'_>,
    convention: Convention,
    interrupted: &dyn Fn() -> bool,
) -> Result<Vec<Gene>, Unfit> {
    check(convention)?;
    let mut found = Vec::with_capacity(counts.shape()?.0);
    if counts.single() {
        let mut room = Room::default();
        let gene = |_, s: &[f32], u: &[f32]| found.push(gene(s, u, convention, &mut room));
        counts.each(gene, interrupted)?;
    } else {
        let mut room = Room::default();
        let gene = |_, s: &[f64], u: &[f64]| found.push(gene(s, u, convention, &mut room));
        counts.each(gene, interrupted)?;
    }
    Ok(found)
}

/// Hands out the velocities u - slope s - intercept of each gene in turn, over all cells; they are
/// not numbers where the slope is not.
///
/// # Errors
/// [`Unfit`].
pub fn velocities(
    counts: Counts<'_>,
    genes: &[Gene],
    take: &mut dyn FnMut(usize, &[f64]),
    interrupted: &dyn Fn() -> bool,
) -> Result<(), Unfit> {
    let (expected, cells) = counts.shape()?;
    let found = genes.len();
    if found != expected {
        return Err(Unfit::Genes { found, expected });
    }
    let mut room = vec![0.0; cells];
    if counts.single() {
        counts.each(
            |at, s: &[f32], u: &[f32]| {
                velocity(s, u, &genes[at], &mut room);
                take(at, &room);
            },
            interrupted,
        )
    } else {
        counts.each(
            |at, s: &[f64], u: &[f64]| {
                velocity(s, u, &genes[at], &mut room);
                take(at, &room);
            },
            interrupted,
        )
    }
}

/// Velocities cell by cell, beginning with the first one.
pub struct OfCells<'a> {
    genes: &'a [Gene],
    spliced: Lines<'a, f64>,
    unspliced: Lines<'a, f64>,
}

impl<'a> Counts<'a> {
    /// The velocities u - slope s - intercept, cell by cell.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn velocities(self, genes: &'a [Gene]) -> Result<OfCells<'a>, Unfit> {
        let (expected, _) = self.shape()?;
        let found = genes.len();
        if found != expected {
            return Err(Unfit::Genes { found, expected });
        }
        let across = match self.genes {
            Axis::Rows => Axis::Columns,
            Axis::Columns => Axis::Rows,
        };
        Ok(OfCells {
            genes,
            spliced: self.spliced.lines(across),
            unspliced: self.unspliced.lines(across),
        })
    }
}

impl OfCells<'_> {
    /// The velocities of the next cells, `most` of them or as many as are left: those of all genes of
    /// a cell, then those of the next.
    pub fn next(&mut self, most: usize) -> Vec<f64> {
        let counts = self
            .spliced
            .block(most)
            .iter()
            .zip(self.unspliced.block(most));
        let genes = self.genes.iter().cycle();
        let velocity = |((s, u), gene): ((&f64, &f64), &Gene)| u - gene.slope * s - gene.intercept;
        counts.zip(genes).map(velocity).collect()
    }
}

/// Which genes fulfil the criteria: expressed, with slope and R^2 above the least. When of several
/// genes fewer than two do, the least R^2 becomes the 80 % percentile of all genes', as in scVelo.
#[must_use]
pub fn trusted(genes: &[Gene], criteria: Criteria) -> Vec<bool> {
    let with = |least: f64| -> Vec<bool> {
        let good =
            |gene: &Gene| gene.expressed && gene.slope > criteria.slope && gene.r_squared > least;
        genes.iter().map(good).collect()
    };
    let found = with(criteria.r_squared);
    if genes.len() < 2 || found.iter().filter(|good| **good).count() >= 2 {
        return found;
    }
    let mut all: Vec<f64> = genes
        .iter()
        .map(|gene| gene.r_squared)
        .filter(|r_squared| !r_squared.is_nan())
        .collect();
    of_few(&mut all, 80.0).map_or(found, with)
}

fn check(convention: Convention) -> Result<(), Unfit> {
    let sound = |percent: f64| (0.0..=100.0).contains(&percent);
    let scale = match convention.scale {
        Scale::Largest => true,
        Scale::Percentile(percent) => sound(percent),
    };
    let tails = match convention.tails {
        Tails::All => true,
        Tails::Upper(percent) => sound(percent),
        Tails::Both(lower, upper) => sound(lower) && sound(upper) && lower <= upper,
    };
    if scale && tails {
        Ok(())
    } else {
        Err(Unfit::Percentile)
    }
}

impl Counts<'_> {
    /// The number of genes and of cells.
    fn shape(&self) -> Result<(usize, usize), Unfit> {
        let shape = |cells: &Cells| (cells.rows(), cells.columns());
        let (spliced, unspliced) = (shape(self.spliced), shape(self.unspliced));
        if spliced != unspliced {
            return Err(Unfit::Shapes { spliced, unspliced });
        }
        let (genes, cells) = self.spliced.extent(self.genes);
        u32::try_from(cells).map_err(|_| Unfit::Cells)?;
        Ok((genes, cells))
    }

    fn single(&self) -> bool {
        self.spliced.is_single() && self.unspliced.is_single()
    }

    /// Hands out the counts of each gene in turn.
    fn each<T: Real>(
        &self,
        mut take: impl FnMut(usize, &[T], &[T]),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Unfit> {
        let (genes, cells) = self.shape()?;
        let most = (BLOCK / cells.max(1)).clamp(1, 64);
        let mut spliced = self.spliced.lines::<T>(self.genes);
        let mut unspliced = self.unspliced.lines::<T>(self.genes);
        let mut at = 0;
        while at < genes {
            if interrupted() {
                return Err(Unfit::Interrupted);
            }
            let count = most.min(genes - at);
            let (s, u) = (spliced.block(most), unspliced.block(most));
            for gene in 0..count {
                let cells = gene * cells..(gene + 1) * cells;
                take(at + gene, &s[cells.clone()], &u[cells]);
            }
            at += count;
        }
        Ok(())
    }
}

/// The line of one gene.
fn gene<T: Real>(s: &[T], u: &[T], convention: Convention, room: &mut Room) -> Gene {
    let n = s.len();
    let (largest_s, largest_u) = (largest(s).into(), largest(u).into());
    let scale_s = scale(s, largest_s, convention.scale, room);
    let scale_u = scale(u, largest_u, convention.scale, room);
    // A product is faster than a quotient, and ties allow for its rounding.
    let (per_s, per_u) = (1.0 / scale_s, 1.0 / scale_u);
    let measure = |first: usize, out: &mut [f64]| {
        let pairs = s[first..].iter().zip(&u[first..]);
        for (out, (&s, &u)) in out.iter_mut().zip(pairs) {
            *out = s.into() * per_s + u.into() * per_u;
        }
    };
    let pair = |cell: usize| (s[cell].into(), u[cell].into());
    let pairs: Vec<(f64, f64)> = match convention.tails {
        Tails::All => (0..n).map(pair).collect(),
        Tails::Upper(percent) => {
            let least = upper(n, percent, &measure, room);
            room.high.at_or_above(least).map(pair).collect()
        }
        Tails::Both(low, high) => {
            let (most, least) = both(n, (low, high), &measure, room);
            let below = room.low.at_or_below(most);
            // Where the percentiles are equal a cell can be beyond both.
            let above = room.high.above_but_not_below(least, most);
            below.chain(above).map(pair).collect()
        }
    };
    let (slope, intercept) = fit(&Sums::of(&pairs), convention.line);
    Gene {
        slope,
        intercept,
        r_squared: r_squared(s, u, slope, intercept),
        extreme: pairs.len(),
        expressed: largest_s > 0.0 && largest_u > 0.0,
    }
}

fn scale<T: Real>(counts: &[T], largest: f64, scale: Scale, room: &mut Room) -> f64 {
    let largest = largest.max(LEAST_SCALE);
    match scale {
        Scale::Largest => largest,
        Scale::Percentile(percent) => {
            let copy = |first: usize, out: &mut [f64]| {
                for (out, &x) in out.iter_mut().zip(&counts[first..]) {
                    *out = x.into();
                }
            };
            let found = upper(counts.len(), percent, &copy, room);
            if found == 0.0 { largest } else { found }
        }
    }
}

fn largest<T: Real>(counts: &[T]) -> T {
    let Some(&first) = counts.first() else {
        return T::default();
    };
    let mut most = [first; LANES];
    let chunks = counts.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (most, &x) in most.iter_mut().zip(chunk) {
            *most = if x > *most { x } else { *most };
        }
    }
    let all = most.iter().chain(rest);
    all.fold(first, |most, &x| if x > most { x } else { most })
}

/// Sums of what `terms` makes of s and u, in lanes whose order does not depend on anything.
fn total<T: Real, const N: usize>(
    s: &[T],
    u: &[T],
    terms: impl Fn(f64, f64) -> [f64; N],
) -> [f64; N] {
    let mut lanes = [[0.0; LANES]; N];
    let (s, u) = (s.chunks_exact(LANES), u.chunks_exact(LANES));
    let rest = s.remainder().iter().zip(u.remainder());
    for (s, u) in s.zip(u) {
        for at in 0..LANES {
            let terms = terms(s[at].into(), u[at].into());
            for (lanes, term) in lanes.iter_mut().zip(terms) {
                lanes[at] += term;
            }
        }
    }
    for (at, (s, u)) in rest.enumerate() {
        for (lanes, term) in lanes.iter_mut().zip(terms((*s).into(), (*u).into())) {
            lanes[at] += term;
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

fn r_squared<T: Real>(s: &[T], u: &[T], slope: f64, intercept: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of cells")]
    let mean = total(s, u, |_, u| [u])[0] / s.len() as f64;
    let [rest, spread] = total(s, u, |s, u| {
        let (rest, off) = (u - slope * s - intercept, u - mean);
        [rest * rest, off * off]
    });
    if spread == 0.0 {
        0.0
    } else {
        1.0 - rest / spread
    }
}

fn velocity<T: Real>(s: &[T], u: &[T], gene: &Gene, out: &mut [f64]) {
    for ((out, s), u) in out.iter_mut().zip(s).zip(u) {
        let (s, u): (f64, f64) = ((*s).into(), (*u).into());
        *out = u - gene.slope * s - gene.intercept;
    }
}
