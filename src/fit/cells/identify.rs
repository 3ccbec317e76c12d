//! Which directions of the free entries the cells say nothing about.
//!
//! The information of a cell is J'J for the whitened tangents J of weighted means and of S, one
//! column for each free entry, by exact derivatives. Columns are scaled to length 1, so that units of
//! entries do not matter; singular values that are next to nothing beside the largest belong to
//! directions along which no moment changes. J is looked at rather than J'J, in which small singular
//! values would drown.
//!
//! Enters: cells, masks, a point. Leaves: the null space. Must not know searches.

use super::likelihood::{Precision, moments};
use super::problem::{Cells, Design, Fault, Point};
use crate::linalg::products::right_singular;
use nalgebra::DMatrix;

/// What cannot be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Blindness {
    /// Free entries.
    pub free: usize,
    /// Singular values of J with columns of length 1, as many as there are free entries, descending.
    pub singular_values: Vec<f64>,
    /// Directions along which no moment changes, each of length 1 over the free entries; zero on
    /// held ones. Their number is the nullity.
    pub directions: Vec<Point>,
    /// The standard error of each free entry that a single cell would leave, from the inverse of the
    /// expected information; of n cells it is n^(-1/2) times that. Infinite where an entry has a part
    /// in a direction that is not determined.
    pub errors: Vec<f64>,
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unidentified {
    /// The masks do not fit the cells.
    Shapes,
    /// More free entries than are looked at.
    TooMany(usize),
    /// There is no likelihood at the point.
    Fault(Fault),
    /// No singular values were found.
    NoDecomposition,
}

/// More free entries than this would take minutes.
pub const MOST_FREE: usize = 2000;
/// An entry has a part in a direction of length 1 when it is above this.
const PART: f64 = 1e-6;
/// A singular value that is less than this beside the largest is zero.
const NOTHING: f64 = 1e-9;

/// The null space of the information about the free entries at a point.
///
/// # Errors
/// [`Unidentified`]
pub fn blindness(
    cells: &Cells,
    design: &Design,
    point: &Point,
    interrupted: &dyn Fn() -> bool,
) -> Result<Blindness, Unidentified> {
    let free = design.size();
    if !cells.fits(design) {
        return Err(Unidentified::Shapes);
    }
    if free > MOST_FREE {
        return Err(Unidentified::TooMany(free));
    }
    let columns = tangents(cells, design, point, interrupted).map_err(Unidentified::Fault)?;
    let rows = columns.first().map_or(0, Vec::len).max(free);
    let lengths: Vec<f64> = columns.iter().map(|column| length(column)).collect();
    let most = lengths.iter().copied().fold(0.0, f64::max);
    let mut matrix = DMatrix::zeros(rows, free);
    for (j, (column, length)) in columns.iter().zip(&lengths).enumerate() {
        if *length > NOTHING * most {
            for (i, entry) in column.iter().enumerate() {
                matrix[(i, j)] = entry / length;
            }
        }
    }
    let (values, right) = right_singular(&matrix).ok_or(Unidentified::NoDecomposition)?;
    let limit = NOTHING * values.first().copied().unwrap_or(0.0);
    let mut directions = Vec::new();
    for (j, value) in values.iter().enumerate() {
        if *value <= limit {
            let scaled: Vec<f64> = right
                .column(j)
                .iter()
                .zip(&lengths)
                .map(|(entry, length)| {
                    if *length > NOTHING * most {
                        entry / length
                    } else {
                        *entry
                    }
                })
                .collect();
            let size = length(&scaled);
            let unit: Vec<f64> = scaled.iter().map(|entry| entry / size).collect();
            directions.push(design.unpacked(&unit, &point.zeros_like()));
        }
    }
    let errors = errors(&values, &right, &lengths, limit);
    Ok(Blindness {
        free,
        singular_values: values,
        directions,
        errors,
    })
}

/// The square roots of the diagonal of (J'J)^-1, whose columns were divided by `lengths`.
fn errors(values: &[f64], right: &DMatrix<f64>, lengths: &[f64], limit: f64) -> Vec<f64> {
    let of = |(entry, length): (usize, &f64)| {
        let mut variance = 0.0;
        for (k, value) in values.iter().enumerate() {
            let part = right[(entry, k)];
            if *value > limit {
                variance += (part / value).powi(2);
            } else if part.abs() > PART {
                return f64::INFINITY;
            }
        }
        variance.sqrt() / length
    };
    lengths.iter().enumerate().map(of).collect()
}

fn length(column: &[f64]) -> f64 {
    column.iter().map(|entry| entry * entry).sum::<f64>().sqrt()
}

/// The whitened tangents, a column for each free entry.
fn tangents(
    cells: &Cells,
    design: &Design,
    point: &Point,
    interrupted: &dyn Fn() -> bool,
) -> Result<Vec<Vec<f64>>, Fault> {
    let at = moments(cells, point, interrupted)?;
    let nothing = point.zeros_like();
    let mut unit = vec![0.0; design.size()];
    let mut columns = Vec::with_capacity(unit.len());
    for k in 0..unit.len() {
        unit[k] = 1.0;
        let change = design.unpacked(&unit, &nothing);
        unit[k] = 0.0;
        let tangent = at.tangent(cells, point, &change, Precision::Exact, interrupted)?;
        let (moved, wider) = at.whitened(cells, tangent);
        let mut column = moved.as_slice().to_vec();
        if let Some(wider) = wider {
            // The information is |dS|^2/2 over the whole; each entry off the diagonal comes twice.
            for j in 0..wider.ncols() {
                column.push(wider[(j, j)] * std::f64::consts::FRAC_1_SQRT_2);
                column.extend((j + 1..wider.nrows()).map(|i| wider[(i, j)]));
            }
        }
        columns.push(column);
    }
    Ok(columns)
}
