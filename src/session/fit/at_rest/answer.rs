//! What a fit of cells at rest found, with names.
//!
//! Enters: what the search and the information said. Leaves: an [`AtRestAnswer`]. Must not know how
//! it is shown.

use super::groups::Group;
use crate::fit::cells::{End, Found, Point};
use crate::fit::{Family, cdf};
use crate::linalg::Matrix;
use crate::model::ParameterId;
use crate::session::compiled::Compiled;
use crate::source::Span;
use std::sync::Arc;

/// The fit of y' = A*y + B*x + C*W' to cells that are each seen once.
#[derive(Debug, Clone)]
pub struct AtRestAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The sentence.
    pub span: Span,
    /// The file, as written.
    pub file: String,
    /// For the folds in which weights are tried.
    pub seed: u64,
    /// The name of the state vector.
    pub state: String,
    /// The name of A.
    pub drift: String,
    /// The names of genes, p.
    pub genes: Vec<String>,
    /// The groups of cells, K.
    pub groups: Vec<Group>,
    /// Cells left out since something about them is missing.
    pub left_out: usize,
    /// Where the covariance comes from.
    pub spread: Spread,
    /// The fitted matrices and vectors, as the sentence names them.
    pub estimates: Vec<Estimate>,
    /// The end of the search.
    pub found: Found,
    /// The part of the mean variance of cells that measuring adds, where it adds any.
    pub measured: Option<f64>,
    /// The log-likelihood at the values that held before, where it has one.
    pub before: Option<f64>,
    /// The covariance of cells at rest, p by p.
    pub covariance: Matrix,
    /// The mean that the fit gives each group, p by K.
    pub means: Matrix,
    /// The largest real part among the eigenvalues of A; negative.
    pub leading: f64,
    /// What the cells do not determine.
    pub known: Known,
    /// How the weight of the penalty was chosen.
    pub selection: Option<Chosen>,
    /// The penalties that were used, for a cell.
    pub penalties: Vec<(String, f64)>,
    /// What differs from the fit before, when that was of the same matrices.
    pub against: Option<Comparison>,
    /// The file of the fit before, when that was of the same matrices and cannot be compared: one of
    /// the two has no standard errors.
    pub uncompared: Option<String>,
}

/// Where the covariance comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// From A and a C that is held.
    Held,
    /// From A and a C of which entries are fitted.
    Fitted,
    /// It is free, with its best value put in; this part of the mean variance is added to each.
    Free(f64),
}

/// A fitted vector or matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Which parameter.
    pub parameter: ParameterId,
    /// Its name.
    pub name: String,
    /// Labels of rows.
    pub rows: Vec<String>,
    /// Labels of columns; none for a vector.
    pub columns: Vec<String>,
    /// The numbers, rows by columns (one for a vector).
    pub values: Matrix,
    /// Which are fitted, column by column.
    pub free: Vec<bool>,
    /// Standard errors of the fitted ones, not a number elsewhere; infinite where the cells do not
    /// determine them. None when they were not computed.
    pub errors: Option<Matrix>,
}

/// What is known of the free entries.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// There were too many to look at: so many.
    NotExamined(usize),
    /// The free entries, and the directions along which no moment of the cells changes.
    Examined {
        /// How many entries are free.
        free: usize,
        /// Each by its largest parts: names with coefficients.
        open: Vec<Vec<(String, f64)>>,
    },
    /// There is no information at the estimate.
    Unknown,
}

/// Weights that were tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Descending.
    pub weights: Vec<f64>,
    /// The log-likelihood of a held-out cell at each.
    pub scores: Vec<f64>,
    /// The best.
    pub best: usize,
    /// The group that was never held out.
    pub control: String,
}

/// Two fits of the same matrices.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The other file.
    pub file: String,
    /// Entries that could be compared.
    pub compared: usize,
    /// Those that differ beyond their errors, the surest first.
    pub differing: Vec<Difference>,
}

/// An entry that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// In the fit before.
    pub before: f64,
    /// Now.
    pub now: f64,
    /// Difference over its standard error.
    pub z: f64,
}

/// The part of false findings among the entries that are said to differ (Y. Benjamini, Y. Hochberg,
/// J. R. Stat. Soc. B 57, 289, 1995).
pub const FALSE_FINDINGS: f64 = 0.05;

impl Estimate {
    /// The name of an entry: `A[GATA1, KLF1]`.
    #[must_use]
    pub fn entry(&self, row: usize, column: usize) -> String {
        let row = self.rows.get(row).map_or("", String::as_str);
        match self.columns.get(column) {
            Some(column) => format!("{}[{row}, {column}]", self.name),
            None => format!("{}[{row}]", self.name),
        }
    }

    /// The fitted entries: their places and names.
    pub fn fitted(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let rows = self.values.nrows().max(1);
        let free = self.free.iter().enumerate().filter(|(_, free)| **free);
        free.map(move |(at, _)| (at % rows, at / rows))
    }
}

impl AtRestAnswer {
    /// True when the gradient is as small as it should be.
    #[must_use]
    pub fn has_converged(&self) -> bool {
        self.found.end == End::Converged
    }

    /// All cells that were used.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.groups.iter().map(|group| group.cells).sum()
    }

    /// What decides where the cells say nothing: the penalties that were asked for, or the one that is
    /// always there.
    #[must_use]
    pub fn decided_by(&self) -> String {
        match self.penalties.as_slice() {
            [] => "a small penalty".to_owned(),
            [(only, _)] => format!("the penalty {only}"),
            _ => "the penalties".to_owned(),
        }
    }

    /// Compares with an earlier fit, if that was of the same matrices.
    pub(super) fn compare(&mut self, before: &AtRestAnswer) {
        let pairs: Option<Vec<(&Estimate, &Estimate)>> = (self.estimates.iter())
            .map(|now| {
                let then = before.estimates.iter().find(|other| {
                    other.name == now.name && other.rows == now.rows && other.columns == now.columns
                })?;
                Some((now, then))
            })
            .collect();
        let Some(pairs) = pairs else { return };
        let against = Self::compared(&pairs, &before.file);
        self.uncompared = against.is_none().then(|| before.file.clone());
        self.against = against;
    }

    /// What differs beyond the errors of both.
    fn compared(pairs: &[(&Estimate, &Estimate)], file: &str) -> Option<Comparison> {
        let mut all = Vec::new();
        for (now, then) in pairs {
            let (Some(errors), Some(other)) = (&now.errors, &then.errors) else {
                return None;
            };
            for (row, column) in now.fitted() {
                let at = (row, column);
                let error = errors[at].hypot(other[at]);
                if error.is_finite() && error > 0.0 {
                    all.push(Difference {
                        name: now.entry(row, column),
                        before: then.values[at],
                        now: now.values[at],
                        z: (now.values[at] - then.values[at]) / error,
                    });
                }
            }
        }
        let compared = all.len();
        all.sort_by(|a, b| b.z.abs().total_cmp(&a.z.abs()));
        // The last rank whose p is below its share of the findings.
        let within = |rank: usize, one: &Difference| {
            let p = 2.0 * cdf(Family::Normal, &[0.0, 1.0], -one.z.abs()).unwrap_or(0.5);
            p <= FALSE_FINDINGS * (rank + 1) as f64 / compared as f64
        };
        let kept = (0..all.len()).rev().find(|rank| within(*rank, &all[*rank]));
        all.truncate(kept.map_or(0, |kept| kept + 1));
        Some(Comparison {
            file: file.to_owned(),
            compared,
            differing: all,
        })
    }
}

/// A direction by its largest parts, the first of them positive. Parts that differ by rounding alone
/// keep their order.
pub(super) fn parts(
    direction: &Point,
    names: &dyn Fn(usize) -> Option<String>,
) -> Vec<(String, f64)> {
    let most = direction
        .numbers()
        .fold(0.0_f64, |most, part| most.max(part.abs()));
    let rank = |part: f64| (part.abs() / most * 1e9).round();
    let mut all: Vec<(usize, f64)> = direction
        .numbers()
        .copied()
        .enumerate()
        .filter(|(_, part)| part.abs() > 0.05 * most)
        .collect();
    all.sort_by(|a, b| rank(b.1).total_cmp(&rank(a.1)).then(a.0.cmp(&b.0)));
    let sign = all.first().map_or(1.0, |(_, part)| part.signum());
    all.into_iter()
        .filter_map(|(at, part)| Some((names(at)?, sign * part)))
        .collect()
}
