//! How much data say about parameters: the information matrix at a point.
//!
//! Enters: an objective and a point, all on the inner scale. Leaves: either the expected
//! information J'J of generalised residuals, which programs of nonlinear least squares print, or
//! the observed one, the Hessian of the objective, by central differences of its exact gradient
//! with Richardson's extrapolation (C. Ridders, Adv. Eng. Softw. 4, 75, 1982, with one
//! extrapolation for each step), together with an estimate of its error. Must not know what is
//! concluded from it.

use super::objective::{Fault, Objective, Wanted};

/// Which information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Information {
    /// J'J of the generalised residuals.
    #[default]
    Expected,
    /// The Hessian of the objective.
    Observed,
}

/// An information matrix of m parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct InformationMatrix {
    /// m rows of m numbers, symmetric; zero in rows and columns of held parameters.
    pub matrix: Vec<f64>,
    /// m numbers e: the error of entry i, j is estimated as the square root of e_i e_j. Zeros for
    /// the expected information, which takes no differences.
    pub errors: Vec<f64>,
}

/// The first step of differences beside the size of a parameter.
const FIRST_STEP: f64 = 0.1;
/// Steps are halved this often for precision.
const HALVINGS: usize = 5;
/// And this often to get to where the objective has a value.
const RETREATS: usize = 20;
/// An error this small ends the halving.
const PRECISE: f64 = 1e-9;

/// The information at a point of m inner coordinates about the parameters that are `free`; steps
/// stay between `lower` and `upper`.
///
/// # Errors
/// Where the objective has no value at the point, or not on both sides of it.
pub fn information(
    objective: &dyn Objective,
    at: &[f64],
    free: &[bool],
    (lower, upper): (&[f64], &[f64]),
    kind: Information,
) -> Result<InformationMatrix, Fault> {
    let expected = expected(objective, at, free)?;
    match kind {
        Information::Expected => Ok(InformationMatrix {
            matrix: expected,
            errors: vec![0.0; at.len()],
        }),
        Information::Observed => {
            let room = at.iter().zip(lower).zip(upper);
            let room: Vec<f64> = room
                .map(|((u, low), high)| (u - low).min(high - u))
                .collect();
            observed(objective, at, free, &expected, &room)
        }
    }
}

/// J'J with rows and columns of held parameters zero.
fn expected(objective: &dyn Objective, at: &[f64], free: &[bool]) -> Result<Vec<f64>, Fault> {
    let m = at.len();
    let evaluation = objective.evaluate(at, Wanted::Residuals)?;
    let mut matrix = vec![0.0; m * m];
    for row in evaluation.jacobian.chunks_exact(m.max(1)) {
        for ((out, left), free_left) in matrix.chunks_exact_mut(m.max(1)).zip(row).zip(free) {
            for ((out, right), free_right) in out.iter_mut().zip(row).zip(free) {
                if *free_left && *free_right {
                    *out += left * right;
                }
            }
        }
    }
    Ok(matrix)
}

/// The diagonal of a matrix of m rows.
pub(super) fn diagonal(matrix: &[f64], m: usize) -> Vec<f64> {
    matrix.iter().step_by(m + 1).copied().collect()
}

/// The Hessian, one column after the other.
fn observed(
    objective: &dyn Objective,
    at: &[f64],
    free: &[bool],
    expected: &[f64],
    room: &[f64],
) -> Result<InformationMatrix, Fault> {
    let m = at.len();
    let parameters = diagonal(expected, m).into_iter().zip(at).zip(free);
    // Held parameters have no size: what is measured by it vanishes.
    let sizes: Vec<f64> = parameters
        .map(|((information, u), free)| if *free { size(information, *u) } else { 0.0 })
        .collect();
    let mut columns = Vec::with_capacity(m);
    let mut error = 0.0_f64;
    for (j, (size, room)) in sizes.iter().zip(room).enumerate() {
        if *size > 0.0 {
            let step = (FIRST_STEP * size).min(*room);
            let (column, error_of_column) = column(objective, at, j, step, &sizes)?;
            error = error.max(error_of_column);
            columns.push(column);
        } else {
            columns.push(vec![0.0; m]);
        }
    }
    let mut matrix = vec![0.0; m * m];
    for (i, (row, of_row)) in matrix.chunks_exact_mut(m.max(1)).zip(&sizes).enumerate() {
        for (j, (entry, of_column)) in row.iter_mut().zip(&sizes).enumerate() {
            if *of_row > 0.0 && *of_column > 0.0 {
                let (one, other) = (entry_of(&columns, j, i), entry_of(&columns, i, j));
                *entry = f64::midpoint(one, other);
                // Mixed derivatives do not depend on the order: what they do is error.
                error = error.max((one - other).abs() / 2.0 * of_row * of_column);
            }
        }
    }
    let errors = sizes.iter().map(|size| {
        if *size > 0.0 {
            error / size / size
        } else {
            0.0
        }
    });
    Ok(InformationMatrix {
        errors: errors.collect(),
        matrix,
    })
}

fn entry_of(columns: &[Vec<f64>], column: usize, row: usize) -> f64 {
    let column = columns.get(column);
    column.and_then(|c| c.get(row)).copied().unwrap_or(0.0)
}

/// The length over which the objective changes by about a half, by the parameter alone; where data
/// say little of it, its own size.
fn size(information: f64, at: f64) -> f64 {
    (1.0 / information.sqrt()).min(at.abs().max(1.0))
}

/// One column of the Hessian with its error beside the sizes of the parameters.
fn column(
    objective: &dyn Objective,
    at: &[f64],
    j: usize,
    step: f64,
    sizes: &[f64],
) -> Result<(Vec<f64>, f64), Fault> {
    let (mut step, mut coarse) = first_difference(objective, at, j, step)?;
    let size = sizes.get(j).copied().unwrap_or(1.0);
    let distance = |one: &[f64], other: &[f64]| {
        let pairs = one.iter().zip(other).zip(sizes);
        let errors = pairs.map(|((a, b), of_row)| (a - b).abs() * of_row * size);
        errors.fold(0.0, f64::max)
    };
    let mut best = (coarse.clone(), f64::INFINITY);
    let mut last = coarse.clone();
    for _ in 0..HALVINGS {
        step /= 2.0;
        let fine = difference(objective, at, j, step)?;
        let pairs = fine.iter().zip(&coarse);
        let extrapolated: Vec<f64> = pairs.map(|(f, c)| (4.0 * f - c) / 3.0).collect();
        let error = distance(&extrapolated, &last);
        if error < best.1 {
            best = (extrapolated.clone(), error);
        } else if best.1.is_finite() {
            // Round-off has taken over.
            break;
        }
        if error < PRECISE {
            break;
        }
        (coarse, last) = (fine, extrapolated);
    }
    Ok(best)
}

/// The first step at which the objective has a gradient on both sides.
fn first_difference(
    objective: &dyn Objective,
    at: &[f64],
    j: usize,
    mut step: f64,
) -> Result<(f64, Vec<f64>), Fault> {
    let mut retreats = 0;
    loop {
        match difference(objective, at, j, step) {
            Ok(difference) => return Ok((step, difference)),
            Err(fault) if retreats == RETREATS || fault == Fault::Interrupted => return Err(fault),
            Err(_) => {
                step /= 2.0;
                retreats += 1;
            }
        }
    }
}

/// The central difference of gradients over one coordinate.
fn difference(
    objective: &dyn Objective,
    at: &[f64],
    j: usize,
    step: f64,
) -> Result<Vec<f64>, Fault> {
    let aside = |step: f64| {
        let mut point = at.to_vec();
        if let Some(u) = point.get_mut(j) {
            *u += step;
        }
        let gradient = objective.evaluate(&point, Wanted::Gradient)?.gradient;
        Ok((point.get(j).copied().unwrap_or(0.0), gradient))
    };
    let (right, above) = aside(step)?;
    let (left, below) = aside(-step)?;
    // Between the points as they were rounded.
    let width = right - left;
    let pairs = above.iter().zip(&below);
    Ok(pairs.map(|(a, b)| (a - b) / width).collect())
}
