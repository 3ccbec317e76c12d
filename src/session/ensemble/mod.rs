//! `simulate ... paths 1000`: many paths of a model with noise, summed up.
//!
//! ```text
//! run.rs      blocks of paths on all cores, joined in order
//! columns.rs  the quantities that are summed up
//! figure.rs   bands, sample paths, histograms
//! table.rs    the same as columns of a file
//! ```
//!
//! Enters: a plan. Leaves: an [`Ensemble`]. Must not know how paths are made.

mod columns;
mod figure;
mod histogram;
mod run;
mod table;

pub(super) use figure::bands;
pub(super) use histogram::{check as check_histogram, lower as lower_histogram};
pub(super) use run::made;
pub(super) use table::columns as columns_of_file;

use super::compiled::Compiled;
use crate::analyze::ensemble::Summary;
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::model::Unit;
use crate::simulate::{MethodUse, Statistics, Stop, Tolerances};
use crate::source::Span;
use std::sync::Arc;

/// Many paths of a model, summed up.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The parameter values that every path begins with.
    pub parameters: Vec<f64>,
    /// Whose doses every path was given, when these come from a table with subjects.
    pub subject: Option<String>,
    /// Output times, ascending, in the model's unit of time.
    pub times: Vec<f64>,
    /// What is summed up.
    pub quantities: Vec<Quantity>,
    /// Moments, quantiles and histograms, a row for each time and a column for each quantity.
    pub summary: Summary,
    /// The first paths as they are: `samples[path][row * quantities + column]`.
    pub samples: Vec<Vec<f64>>,
    /// How many paths were asked for.
    pub asked: u64,
    /// How many were made.
    pub made: u64,
    /// How many of these did not reach the end; they count as far as they came.
    pub failures: u64,
    /// The first of them.
    pub failed: Vec<FailedPath>,
    /// The seed of all paths.
    pub seed: u64,
    /// The methods that the first path used.
    pub methods: Vec<MethodUse>,
    /// Its longest step, of a method with steps of fixed length.
    pub step: Option<f64>,
    /// The work of all paths.
    pub statistics: Statistics,
    /// The tolerances used by methods that have them.
    pub tolerances: Tolerances,
    /// The user stopped it.
    pub interrupted: bool,
}

/// Something that paths are summed up for.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// As written, or the name of a state.
    pub name: String,
    /// Its unit as far as that is known.
    pub unit: Option<Unit>,
}

/// A path that did not reach the end.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedPath {
    /// Its number, from 0.
    pub path: u64,
    /// Why it ended.
    pub stop: Stop,
}

/// The shares of paths below the quantiles that tables and figures show.
pub const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Where a single run is needed and many paths were made.
pub(super) fn is_no_run(ensemble: &Ensemble) -> Diagnostic {
    Diagnostic::new(
        Code::NothingYet,
        format!(
            "the last sentence made {}, and this needs a single run",
            many(ensemble.made)
        ),
    )
    .help("`plot`, `histogram` and `save` show paths together; simulate without `paths` for one of them")
}

/// `1 path`, `1000 paths`
fn many(paths: u64) -> String {
    format!("{paths} {}", if paths == 1 { "path" } else { "paths" })
}

impl Ensemble {
    /// True when all paths were made and reached the end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.made == self.asked && self.failures == 0
    }

    /// The columns of these quantities, all when none is named. A vector stands for its elements.
    ///
    /// # Errors
    /// What was not summed up.
    pub(super) fn columns<'n>(
        &self,
        names: impl Iterator<Item = (&'n str, Span)>,
    ) -> Result<Vec<usize>, Vec<Diagnostic>> {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        let mut any = false;
        for (name, span) in names {
            any = true;
            let elements = format!("{name}[");
            let is_meant =
                |known: &Quantity| known.name == name || known.name.starts_with(&elements);
            let before = found.len();
            found.extend(
                (0..)
                    .zip(&self.quantities)
                    .filter(|(_, known)| is_meant(known))
                    .map(|(at, _)| at),
            );
            if found.len() == before {
                problems.push(self.not_summed_up(name, span));
            }
        }
        if !any {
            found.extend(0..self.quantities.len());
        }
        if problems.is_empty() {
            Ok(found)
        } else {
            Err(problems)
        }
    }

    fn not_summed_up(&self, name: &str, span: Span) -> Diagnostic {
        const MOST: usize = 8;
        let known = self.quantities.iter().take(MOST);
        let mut names: Vec<String> = known.map(|known| format!("`{}`", known.name)).collect();
        if self.quantities.len() > MOST {
            names.push("others".to_owned());
        }
        Diagnostic::new(
            Code::UnknownName,
            format!("the paths were not summed up for `{name}`"),
        )
        .at(span, "")
        .help(format!(
            "they were for {}; simulate with `of {name}` for it",
            listed(&names)
        ))
    }
}
