//! What a sweep found, with the names of the model.

use super::super::compiled::Compiled;
use super::question::Layout;
use super::wanted::Column;
use crate::diagnostic::Diagnostic;
use crate::figure::{Fields, Figure, Sheet};
use crate::session::Made;
use std::path::PathBuf;
use std::sync::Arc;

/// The numbers of every member of a sweep.
#[derive(Debug, Clone)]
pub struct SweepAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// What was swept, in the order of the sentence or of the table.
    pub axes: Vec<SweptAxis>,
    /// How the members are laid out.
    pub layout: Layout,
    /// What each run gives.
    pub columns: Vec<Column>,
    /// How many values of each column, the last of each run; the one at the end when absent.
    pub last: Option<usize>,
    /// First and last time of the runs.
    pub range: (f64, f64),
    /// Members asked for.
    pub asked: usize,
    /// Members that were run; fewer than asked for after an interrupt.
    pub count: usize,
    /// The values of the axes: `points[member * axes.len() + axis]`.
    pub points: Vec<f64>,
    /// The numbers: `values[(member * columns.len() + column) * n + k]` with `n` the numbers of a
    /// column. NaN where a member failed or does not have one.
    pub values: Vec<f64>,
    /// Members that failed.
    pub failures: Vec<FailedMember>,
    /// How many failed in all.
    pub failed: usize,
    /// Measures that some members do not have.
    pub missing: Vec<MissingMeasure>,
    /// Stopped by the user.
    pub interrupted: bool,
}

/// A swept quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct SweptAxis {
    /// As written.
    pub name: String,
    /// Its unit, where that is declared.
    pub unit: Option<String>,
    /// The smallest and the largest value.
    pub range: (f64, f64),
    /// How many different values, in a grid.
    pub count: Option<usize>,
    /// Spread over a logarithmic scale.
    pub logarithmic: bool,
}

/// A member that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedMember {
    /// Its number, from 0.
    pub member: usize,
    /// Why.
    pub problem: Diagnostic,
}

/// A measure that some members do not have: one that comes to rest has no period.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingMeasure {
    /// Its column.
    pub column: usize,
    /// How many members do not have it.
    pub members: usize,
    /// The first of them.
    pub first: usize,
    /// Why the first does not have it.
    pub problem: Diagnostic,
}

/// A sweep with what is drawn or written of it.
#[derive(Debug, Clone)]
pub struct DrawnSweep {
    /// The numbers.
    pub answer: Arc<SweepAnswer>,
    /// The picture; none where there are more than two axes, or nothing that could be drawn.
    pub picture: Option<SweepPicture>,
    /// Where it is drawn into; the terminal when absent.
    pub to: Option<PathBuf>,
    /// The table that was written instead.
    pub made: Option<Made>,
}

/// A picture of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum SweepPicture {
    /// Curves or dots over one axis.
    Figure(Box<Figure>),
    /// Several of them.
    Sheet(Sheet),
    /// Colours over two axes.
    Fields(Fields),
}

impl SweepAnswer {
    /// True when every member was run to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && !self.interrupted
    }

    /// Numbers of a column that each member gives.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.last.unwrap_or(1)
    }

    /// The value of an axis, one for each member.
    pub fn axis(&self, axis: usize) -> impl Iterator<Item = f64> + '_ {
        let step = self.axes.len().max(1);
        self.points.iter().skip(axis).step_by(step).copied()
    }

    /// The numbers of a column that a member gave.
    #[must_use]
    pub fn of(&self, member: usize, column: usize) -> &[f64] {
        let from = (member * self.columns.len() + column) * self.depth();
        self.values.get(from..from + self.depth()).unwrap_or(&[])
    }

    /// The single number of a column, one for each member.
    pub fn column(&self, column: usize) -> impl Iterator<Item = f64> + '_ {
        (0..self.count)
            .map(move |member| self.of(member, column).last().copied().unwrap_or(f64::NAN))
    }

    /// `alpha = 1.5, beta = 0.2`, the values of a member.
    #[must_use]
    pub fn place(&self, member: usize) -> String {
        let values = self.points.iter().skip(member * self.axes.len());
        let words: Vec<String> = self
            .axes
            .iter()
            .zip(values)
            .map(|(axis, value)| {
                format!("{} = {}", axis.name, super::super::failure::short(*value))
            })
            .collect();
        words.join(", ")
    }
}
