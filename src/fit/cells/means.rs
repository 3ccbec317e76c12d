//! The means of the groups as functions of A and B, with their tangents and adjoints.
//!
//! At rest V = -A^-1 B Z for all inputs Z, so dV = -A^-1 (dA V + dB Z). A time t after a step the mean
//! is u + exp(A t)(v - u), u and v the means at rest after and before it.
//!
//! Enters: A, B. Leaves: means, p by K; changes of means for changes of A and B; and for derivatives
//! by the means those by A and B. Must not know the likelihood.

use super::problem::{Cells, Fault, Point};
use crate::linalg::exponential_slope::{exponential, exponential_with_slope};
use crate::linalg::products::{Lu, Singular, add_product, product, turned};
use nalgebra::DMatrix;

/// Means with what their derivatives need.
#[derive(Debug, Clone)]
pub(super) struct Means {
    pub factors: Lu,
    /// At rest, for the inputs, and for those before steps.
    at_rest: DMatrix<f64>,
    /// Groups on the way, by time.
    moving: Vec<Moving>,
    /// The means, p by K.
    pub values: DMatrix<f64>,
}

/// Groups a certain time after their steps.
#[derive(Debug, Clone)]
struct Moving {
    time: f64,
    groups: Vec<usize>,
    /// exp(A t)
    transition: DMatrix<f64>,
    /// v - u, one column for each of the groups.
    steps: DMatrix<f64>,
}

impl From<Singular> for Fault {
    fn from(_: Singular) -> Fault {
        Fault::NotFinite
    }
}

/// The means at a point whose A is stable.
pub(super) fn means(cells: &Cells, point: &Point) -> Result<Means, Fault> {
    let factors = Lu::new(point.drift.clone()).map_err(|_| Fault::Unstable)?;
    let mut at_rest = product(&point.input, &cells.inputs);
    at_rest.neg_mut();
    factors.solve(&mut at_rest);
    let groups = cells.counts.len();
    let mut values = at_rest.columns(0, groups).clone_owned();
    let mut moving = Vec::new();
    for (time, members) in by_time(&cells.times) {
        let transition = exponential(&(&point.drift * time))?;
        let mut steps = DMatrix::zeros(values.nrows(), members.len());
        for (mut step, group) in steps.column_iter_mut().zip(&members) {
            step.copy_from(&(at_rest.column(groups + group) - at_rest.column(*group)));
        }
        let moved = product(&transition, &steps);
        for (moved, group) in moved.column_iter().zip(&members) {
            values.column_mut(*group).axpy(1.0, &moved, 1.0);
        }
        moving.push(Moving {
            time,
            groups: members,
            transition,
            steps,
        });
    }
    Ok(Means {
        factors,
        at_rest,
        moving,
        values,
    })
}

/// Distinct finite times, ascending, with the groups of each.
fn by_time(times: &[f64]) -> Vec<(f64, Vec<usize>)> {
    let finite = times
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, time)| time.is_finite());
    let mut order: Vec<(f64, usize)> = finite.map(|(group, time)| (time, group)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|chunk| Some((chunk.first()?.0, chunk.iter().map(|pair| pair.1).collect())))
        .collect()
}

impl Means {
    /// How the means change with A and B: p by K.
    pub fn tangent(
        &self,
        cells: &Cells,
        point: &Point,
        change: &Point,
    ) -> Result<DMatrix<f64>, Fault> {
        let mut rest = product(&change.drift, &self.at_rest);
        add_product(&mut rest, 1.0, &change.input, &cells.inputs);
        rest.neg_mut();
        self.factors.solve(&mut rest);
        let groups = self.values.ncols();
        let mut out = rest.columns(0, groups).clone_owned();
        for moving in &self.moving {
            let (scaled, along) = (&point.drift * moving.time, &change.drift * moving.time);
            let (_, slope) = exponential_with_slope(&scaled, &along)?;
            let mut steps = DMatrix::zeros(out.nrows(), moving.groups.len());
            for (mut step, group) in steps.column_iter_mut().zip(&moving.groups) {
                step.copy_from(&(rest.column(groups + group) - rest.column(*group)));
            }
            let mut moved = product(&moving.transition, &steps);
            add_product(&mut moved, 1.0, &slope, &moving.steps);
            for (moved, group) in moved.column_iter().zip(&moving.groups) {
                out.column_mut(*group).axpy(1.0, &moved, 1.0);
            }
        }
        Ok(out)
    }

    /// Adds to `out` the derivatives by A and B that belong to derivatives by the means, p by K.
    pub fn adjoint(
        &self,
        cells: &Cells,
        point: &Point,
        by_means: &DMatrix<f64>,
        out: &mut Point,
    ) -> Result<(), Fault> {
        let groups = self.values.ncols();
        let mut by_rest = DMatrix::zeros(by_means.nrows(), self.at_rest.ncols());
        by_rest.columns_mut(0, groups).copy_from(by_means);
        for moving in &self.moving {
            let mut own = DMatrix::zeros(by_means.nrows(), moving.groups.len());
            for (mut column, group) in own.column_iter_mut().zip(&moving.groups) {
                column.copy_from(&by_means.column(*group));
            }
            let back = product(turned(&moving.transition), &own);
            for (back, group) in back.column_iter().zip(&moving.groups) {
                by_rest.column_mut(*group).axpy(-1.0, &back, 1.0);
                by_rest.column_mut(groups + group).axpy(1.0, &back, 1.0);
            }
            let outer = product(&own, turned(&moving.steps)) * moving.time;
            let scaled = point.drift.transpose() * moving.time;
            out.drift += exponential_with_slope(&scaled, &outer)?.1;
        }
        self.factors.solve_turned(&mut by_rest);
        add_product(&mut out.drift, -1.0, &by_rest, turned(&self.at_rest));
        add_product(&mut out.input, -1.0, &by_rest, turned(&cells.inputs));
        Ok(())
    }

    /// The diagonals of A^-T M A^-1 for a positive M given as L with M = L^-T L^-1 by `halve`
    /// (b -> L^-1 b), and of V V^T weighted by `weights`: the Fisher information of the means about
    /// entry i, j of A at rest is the product of their i-th and j-th numbers.
    pub fn information(
        &self,
        halve: &dyn Fn(&mut DMatrix<f64>),
        weights: &[f64],
    ) -> (Vec<f64>, Vec<f64>) {
        let mut half = self.factors.inverse();
        halve(&mut half);
        let rows = half
            .column_iter()
            .map(|column| column.norm_squared())
            .collect();
        let columns = self.at_rest.row_iter().map(|row| {
            row.iter()
                .zip(weights)
                .map(|(v, weight)| weight * v * v)
                .sum()
        });
        (rows, columns.collect())
    }
}
