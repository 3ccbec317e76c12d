//! Cells moved to another mean.
//!
//! Where an input is the same for all cells and its effects b are all free, y - m with b + A m in the
//! place of b is the same model. Far from zero A and b can hardly be told apart by slopes: a
//! change of A moves all means, and a search would follow a narrow valley.
//!
//! Enters: cells, masks. Leaves: the same elsewhere, and points on the way back. Must not know
//! searches.

use super::problem::{Cells, Design, Point};
use nalgebra::{DMatrix, DVector};

/// What is taken from all cells, and the input that carries it.
pub(super) struct Centre {
    shift: DVector<f64>,
    input: usize,
    /// What the input is.
    level: f64,
}

impl Centre {
    /// The mean of the cells comes to `goal`, p numbers. `None` where no input is the same for all,
    /// before steps too, with all its effects free.
    pub fn of(cells: &Cells, design: &Design, goal: &DVector<f64>) -> Option<Centre> {
        let genes = cells.means.nrows();
        let free = design.input.free.chunks(genes.max(1));
        let (input, level) = free.enumerate().find_map(|(input, free)| {
            let level = cells.inputs.get((input, 0)).copied()?;
            let levels = cells.inputs.row(input);
            let carries = level != 0.0 && levels.iter().all(|one| *one == level);
            (carries && free.iter().all(|free| *free)).then_some((input, level))
        })?;
        let mut shift = -goal;
        for (column, count) in cells.means.column_iter().zip(&cells.counts) {
            shift.axpy(count / cells.total, &column, 1.0);
        }
        Some(Centre {
            shift,
            input,
            level,
        })
    }

    /// The cells at their new mean.
    pub fn cells(&self, cells: &Cells) -> Cells {
        let mut out = cells.clone();
        for mut column in out.means.column_iter_mut() {
            column -= &self.shift;
        }
        out
    }

    /// The design for them.
    pub fn design(&self, design: &Design) -> Design {
        let mut out = design.clone();
        self.move_effects(&mut out.input.values, &design.drift.values, 1.0);
        out
    }

    /// A point for the cells as they are.
    pub fn back(&self, mut point: Point) -> Point {
        self.move_effects(&mut point.input, &point.drift, -1.0);
        point
    }

    fn move_effects(&self, input: &mut DMatrix<f64>, drift: &DMatrix<f64>, sign: f64) {
        let pull = drift * &self.shift;
        input
            .column_mut(self.input)
            .axpy(sign / self.level, &pull, 1.0);
    }
}
