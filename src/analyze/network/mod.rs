//! Networks of genes that regulate each other, made linear at every cell.
//!
//! For s' = W phi(s) - gamma * s + I the Jacobian at a cell is J = W diag(phi'(s)) - diag(gamma):
//! one pattern for all cells, column j being the targets of regulator j. Its eigenvalues are found
//! block by block of the block triangular form of the pattern, which is exact: a gene that
//! regulates no other contributes W_jj phi'_j - gamma_j, and dense work is left only for genes in
//! feedback.
//!
//! ```text
//! structure.rs   what the pattern alone decides: blocks, diagonal, opposite entries
//! mod.rs         one cell, and all cells on all cores
//! ```
//!
//! Enters: a pattern and, for every cell, either the slopes phi' or the entries of any J. Leaves:
//! for every cell its spectrum, trace and rotational part. Must not know genes' names, or which
//! function phi is.

mod structure;
#[cfg(test)]
mod tests;

use crate::linalg::{Eigenvalues, Pattern, Unfound};
use crate::simulate::in_order;
use nalgebra::Complex;
use std::ops::ControlFlow;
use structure::{ABSENT, Block};
pub use structure::{Malformed, Structure};

/// About so many steps of arithmetic are one piece of work; between pieces interrupts are polled.
const PIECE: usize = 50_000_000;

/// A network s' = W phi(s) - gamma * s + I.
#[derive(Debug, Clone, Copy)]
pub struct Network<'a> {
    /// The pattern of W: column j holds the targets of regulator j.
    pub structure: &'a Structure,
    /// W, in the order of the pattern.
    pub weights: &'a [f64],
    /// gamma, one for each gene.
    pub decay: &'a [f64],
}

/// What is wanted of each cell, and how it is to be computed.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whether all eigenvalues are handed out.
    pub spectrum: Keep,
    /// Elements of J that are handed out, as (row, column).
    pub elements: &'a [(usize, usize)],
    /// Threads at most. The results do not depend on it.
    pub threads: usize,
    /// Ends the work when it says true; what is done by then is kept.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// Whether the eigenvalues themselves are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of them.
    Spectrum,
    /// Only what is counted of them.
    Counts,
}

/// The linear part at one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// The eigenvalue of the largest real part, of a pair that with the positive imaginary part;
    /// none without variables.
    pub leading: Option<Complex<f64>>,
    /// Eigenvalues with a positive real part.
    pub positive: usize,
    /// Eigenvalues with a negative real part. Those that are in neither count have a real part
    /// that is zero, or cannot be told from it: within k * 2.2e-16 times the Frobenius norm of
    /// their block of k variables.
    pub negative: usize,
    /// Trace and rotational part.
    pub shape: Shape,
    /// The chosen elements of J.
    pub elements: Vec<f64>,
    /// All eigenvalues, the rightmost first, when asked for.
    pub spectrum: Option<Vec<Complex<f64>>>,
}

/// What J says without its eigenvalues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// The sum of its diagonal.
    pub trace: f64,
    /// The Frobenius norm of its antisymmetric part (J - J^T)/2.
    pub rotation: f64,
}

/// What is found for a number of cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// The cells in order; fewer than asked for when interrupted.
    pub cells: Vec<T>,
    /// How the work ended.
    pub ended: Ended,
}

/// How the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All cells are done.
    Complete,
    /// By the caller's wish.
    Interrupted,
}

/// A question that has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// There are more or fewer weights than entries of the pattern.
    Weights {
        /// How many there are.
        found: usize,
        /// Entries of the pattern.
        expected: usize,
    },
    /// There are more or fewer rates of decay than variables.
    Decay {
        /// How many there are.
        found: usize,
        /// Variables.
        expected: usize,
    },
    /// The number of slopes is no multiple of the number of variables.
    Slopes {
        /// How many there are.
        found: usize,
        /// Variables.
        variables: usize,
    },
    /// A chosen element lies outside of the matrix.
    Element {
        /// Which of the chosen ones.
        at: usize,
    },
}

/// Takes the pattern of a network apart.
///
/// # Errors
/// [`Malformed`].
pub fn structure(pattern: Pattern<'_>) -> Result<Structure, Malformed> {
    Structure::of(pattern)
}

/// The linear part of a network at every cell.
///
/// `slopes` are phi'(s), cell after cell, each as many as there are genes; those of genes that
/// regulate nobody are not looked at. A cell whose eigenvalues are not found says why.
///
/// # Errors
/// [`Unfit`].
pub fn spectra(
    network: Network<'_>,
    slopes: &[f64],
    options: Options<'_>,
) -> Result<Found<Result<Linear, Unfound>>, Unfit> {
    let count = network.check(slopes)?;
    let elements = chosen(network.structure, options.elements)?;
    let n = network.structure.dimension();
    let lone = network.lone();
    let piece = work(network.structure);
    Ok(over(count, piece, options, |cells| {
        let mut room = Room::new(network.structure);
        let one = |cell: usize| {
            let slopes = &slopes[cell * n..(cell + 1) * n];
            let entry = |at: usize| network.entry(at, slopes);
            let matrix = Matrix {
                structure: network.structure,
                entry,
                decay: Some(network.decay),
            };
            linear(
                &matrix,
                network.shape(slopes, &lone),
                &elements,
                &mut room,
                options.spectrum,
            )
        };
        cells.map(one).collect()
    }))
}

/// Trace and rotational part of a network at every cell, without eigenvalues: about one step of
/// arithmetic for each pair of genes that regulate each other and each gene.
///
/// # Errors
/// [`Unfit`].
pub fn shapes(
    network: Network<'_>,
    slopes: &[f64],
    options: Options<'_>,
) -> Result<Found<Shape>, Unfit> {
    let count = network.check(slopes)?;
    let n = network.structure.dimension();
    let lone = network.lone();
    let piece = 4 * network.structure.pairs.len() + 4 * n + 1;
    Ok(over(count, piece, options, |cells| {
        cells
            .map(|cell| network.shape(&slopes[cell * n..(cell + 1) * n], &lone))
            .collect()
    }))
}

/// The linear part of any system at `count` states: `fill` writes the entries of J at a state, in
/// the order of the pattern, into a slice that holds zeros.
///
/// # Errors
/// [`Unfit::Element`].
pub fn spectra_of(
    structure: &Structure,
    count: usize,
    fill: &(dyn Fn(usize, &mut [f64]) + Sync),
    options: Options<'_>,
) -> Result<Found<Result<Linear, Unfound>>, Unfit> {
    let elements = chosen(structure, options.elements)?;
    let piece = work(structure);
    Ok(over(count, piece, options, |cells| {
        let mut room = Room::new(structure);
        let mut values = vec![0.0; structure.rows.len()];
        let mut one = |cell: usize| {
            values.fill(0.0);
            fill(cell, &mut values);
            let matrix = Matrix {
                structure,
                entry: |at: usize| values[at],
                decay: None,
            };
            linear(
                &matrix,
                shape(structure, &values),
                &elements,
                &mut room,
                options.spectrum,
            )
        };
        cells.map(&mut one).collect()
    }))
}

/// Trace and rotational part of any J, from its entries in the order of the pattern; missing ones
/// count as zero.
#[must_use]
pub fn shape(structure: &Structure, values: &[f64]) -> Shape {
    let value = |at: usize| values.get(at).copied().unwrap_or(0.0);
    let trace = structure.diagonal.iter().map(|&at| value(at)).sum();
    let pairs = structure.pairs.iter();
    let facing: f64 = pairs
        .map(|&(at, other)| (value(at) - value(other)).powi(2))
        .sum();
    let lone: f64 = structure.lone.iter().map(|&at| value(at).powi(2)).sum();
    Shape {
        trace,
        rotation: (0.5 * (facing + lone)).sqrt(),
    }
}

impl Network<'_> {
    fn check(&self, slopes: &[f64]) -> Result<usize, Unfit> {
        let (found, expected) = (self.weights.len(), self.structure.rows.len());
        if found != expected {
            return Err(Unfit::Weights { found, expected });
        }
        let (found, variables) = (self.decay.len(), self.structure.dimension());
        if found != variables {
            let expected = variables;
            return Err(Unfit::Decay { found, expected });
        }
        let found = slopes.len();
        match found.checked_rem(variables) {
            Some(0) => Ok(found / variables),
            None if found == 0 => Ok(0),
            _ => Err(Unfit::Slopes { found, variables }),
        }
    }

    fn entry(&self, at: usize, slopes: &[f64]) -> f64 {
        self.weights[at] * slopes[self.structure.columns[at] as usize]
    }

    /// For each gene that has them, the squares of its weights on genes that do not act back.
    fn lone(&self) -> Vec<(usize, f64)> {
        let mut sums = vec![0.0; self.structure.dimension()];
        for &at in &self.structure.lone {
            sums[self.structure.columns[at] as usize] += self.weights[at] * self.weights[at];
        }
        let all = sums.into_iter().enumerate();
        all.filter(|(_, sum)| *sum != 0.0).collect()
    }

    /// A column of J is a column of W times one slope, so entries that nothing faces are summed
    /// once for all cells.
    fn shape(&self, slopes: &[f64], lone: &[(usize, f64)]) -> Shape {
        let mut trace = 0.0;
        for (decay, &at) in self.decay.iter().zip(&self.structure.diagonal) {
            let own = if at == ABSENT {
                0.0
            } else {
                self.entry(at, slopes)
            };
            trace += own - decay;
        }
        let mut squares = 0.0;
        for &(at, other) in &self.structure.pairs {
            squares += (self.entry(at, slopes) - self.entry(other, slopes)).powi(2);
        }
        for &(gene, sum) in lone {
            squares += slopes[gene] * slopes[gene] * sum;
        }
        Shape {
            trace,
            rotation: (0.5 * squares).sqrt(),
        }
    }
}

/// Does `piece` for runs of cells, `cost` steps of arithmetic each.
fn over<T: Send>(
    count: usize,
    cost: usize,
    options: Options<'_>,
    piece: impl Fn(std::ops::Range<usize>) -> Vec<T> + Sync,
) -> Found<T> {
    let size = (PIECE / cost.max(1)).max(1);
    let mut found = Found {
        cells: Vec::with_capacity(count),
        ended: Ended::Complete,
    };
    if (options.interrupted)() {
        found.ended = Ended::Interrupted;
        return found;
    }
    let run = |at: usize| piece(at * size..count.min((at + 1) * size));
    in_order(count.div_ceil(size), options.threads, run, |_, cells| {
        found.cells.extend(cells);
        if found.cells.len() < count && (options.interrupted)() {
            found.ended = Ended::Interrupted;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    found
}

/// Steps of arithmetic for one spectrum: about 12 n^3 for a dense block.
fn work(structure: &Structure) -> usize {
    let cubes = structure.blocks.iter().map(|block| {
        let n = block.members.len();
        n.saturating_mul(n).saturating_mul(n).saturating_mul(12)
    });
    let dense = cubes.fold(0, usize::saturating_add);
    dense
        .saturating_add(structure.rows.len())
        .saturating_add(100)
}

/// A chosen element: where it is among the entries, and the variable when it is on the diagonal.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    at: usize,
    diagonal: Option<usize>,
}

fn chosen(structure: &Structure, elements: &[(usize, usize)]) -> Result<Vec<Chosen>, Unfit> {
    let n = structure.dimension();
    let one = |(at, &(row, column)): (usize, &(usize, usize))| {
        if row >= n || column >= n {
            return Err(Unfit::Element { at });
        }
        Ok(Chosen {
            at: structure.position(row, column).unwrap_or(ABSENT),
            diagonal: (row == column).then_some(row),
        })
    };
    elements.iter().enumerate().map(one).collect()
}

/// J: entries of the pattern, less the decay on the diagonal.
struct Matrix<'a, E> {
    structure: &'a Structure,
    entry: E,
    decay: Option<&'a [f64]>,
}

impl<E: Fn(usize) -> f64> Matrix<'_, E> {
    fn value(&self, at: usize) -> f64 {
        if at == ABSENT { 0.0 } else { (self.entry)(at) }
    }

    fn decay(&self, variable: usize) -> f64 {
        self.decay.map_or(0.0, |decay| decay[variable])
    }

    fn diagonal(&self, variable: usize) -> f64 {
        self.value(self.structure.diagonal[variable]) - self.decay(variable)
    }
}

/// Room for the blocks of each size.
struct Room {
    blocks: Vec<Eigenvalues>,
    /// Which room each block uses.
    of: Vec<usize>,
}

impl Room {
    fn new(structure: &Structure) -> Room {
        let mut sizes: Vec<usize> = structure.block_sizes();
        sizes.sort_unstable();
        sizes.dedup();
        let place = |size: usize| sizes.partition_point(|&other| other < size);
        Room {
            of: structure.block_sizes().into_iter().map(place).collect(),
            blocks: sizes.iter().map(|&size| Eigenvalues::new(size)).collect(),
        }
    }
}

fn linear<E: Fn(usize) -> f64>(
    matrix: &Matrix<'_, E>,
    shape: Shape,
    elements: &[Chosen],
    room: &mut Room,
    keep: Keep,
) -> Result<Linear, Unfound> {
    let element = |chosen: &Chosen| match chosen.diagonal {
        Some(variable) => matrix.diagonal(variable),
        None => matrix.value(chosen.at),
    };
    let mut found = Linear {
        leading: None,
        positive: 0,
        negative: 0,
        shape,
        elements: elements.iter().map(element).collect(),
        spectrum: (keep == Keep::Spectrum)
            .then(|| Vec::with_capacity(matrix.structure.dimension())),
    };
    for &single in &matrix.structure.singles {
        let value = matrix.diagonal(single);
        if !value.is_finite() {
            return Err(Unfound::NotFinite);
        }
        // Adding zero makes -0 a +0, so that the order of equal values is unique.
        found.count(Complex::new(value + 0.0, 0.0), 0.0);
    }
    for (block, &at) in matrix.structure.blocks.iter().zip(&room.of) {
        let room = &mut room.blocks[at];
        let norm = load(matrix, block, room);
        #[expect(clippy::cast_precision_loss, reason = "a number of genes")]
        let noise = block.members.len() as f64 * f64::EPSILON * norm;
        for &value in room.find()? {
            found.count(value, noise);
        }
    }
    if let Some(spectrum) = &mut found.spectrum {
        spectrum.sort_unstable_by(|a, b| b.re.total_cmp(&a.re).then(b.im.total_cmp(&a.im)));
    }
    Ok(found)
}

impl Linear {
    fn count(&mut self, value: Complex<f64>, noise: f64) {
        let before = |z: Complex<f64>| (value.re, value.im) > (z.re, z.im);
        if self.leading.is_none_or(before) {
            self.leading = Some(value);
        }
        self.positive += usize::from(value.re > noise);
        self.negative += usize::from(value.re < -noise);
        if let Some(spectrum) = &mut self.spectrum {
            spectrum.push(value);
        }
    }
}

/// Writes a block into its room; its Frobenius norm.
fn load<E: Fn(usize) -> f64>(matrix: &Matrix<'_, E>, block: &Block, room: &mut Eigenvalues) -> f64 {
    let mut squares = 0.0;
    for (local, &variable) in block.members.iter().enumerate() {
        let value = matrix.diagonal(variable);
        let column = room.column_mut(local);
        column.fill(0.0);
        column[local] = value;
        squares += value * value;
    }
    for &(i, j, at) in &block.entries {
        let value = matrix.value(at);
        room.column_mut(j as usize)[i as usize] = value;
        squares += value * value;
    }
    squares.sqrt()
}
