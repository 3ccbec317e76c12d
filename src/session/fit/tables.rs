//! `save draws` and `save bands`: what is known of a fit, as tables for other programs.
//!
//! Enters: the last fit and what was asked of it. Leaves: columns with their headers. Must not know
//! how they were found.

use super::super::Session;
use super::super::command::Save;
use super::super::compiled::Compiled;
use super::super::lower::word_of;
use super::super::outcome::Performed;
use super::curves;
use super::draws::Draws;
use super::picture::Need;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::tree;
use crate::table::Cells;

/// A table of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitTable {
    /// The draws of a posterior, the estimates of a bootstrap.
    Draws,
    /// The fitted curves with their bands.
    Bands,
    /// What is left of the data above lines through extreme cells.
    Velocity,
    /// These lines.
    Lines,
}

impl FitTable {
    /// All with their words after `save`.
    pub const WORDS: &'static [(&'static str, FitTable)] = &[
        ("draws", FitTable::Draws),
        ("bands", FitTable::Bands),
        ("velocity", FitTable::Velocity),
        ("lines", FitTable::Lines),
    ];

    /// The one that a `save` asks for: its word stands alone, and the model has no such name.
    pub(in crate::session) fn asked(compiled: &Compiled, save: &Save) -> Option<FitTable> {
        let [column] = save.columns.as_slice() else {
            return None;
        };
        FitTable::of_word(compiled, column)
    }

    /// The one of a word that no name of the model is.
    pub(in crate::session) fn of_word(
        compiled: &Compiled,
        column: &tree::Expr,
    ) -> Option<FitTable> {
        let word = word_of(column)?;
        if compiled.model.names.get(&word.text).is_some() {
            return None;
        }
        let known = FitTable::WORDS.iter();
        let mut known = known.filter(|(known, _)| *known == word.text);
        known.next().map(|(_, table)| *table)
    }

    /// What must have been made before it.
    pub(in crate::session) fn need(self) -> Need {
        match self {
            FitTable::Draws => Need::Draws,
            FitTable::Bands => Need::Fit,
            FitTable::Velocity | FitTable::Lines => Need::Lines,
        }
    }
}

/// A column as it is kept.
enum Kept {
    Numbers(Vec<f64>),
    Text(Vec<String>),
}

impl Session {
    pub(in crate::session) fn save_of_fit(
        &self,
        table: FitTable,
        save: &Save,
    ) -> Result<Performed, Vec<Diagnostic>> {
        self.possible().has(table.need(), save.span)?;
        let columns = match table {
            FitTable::Velocity => return self.save_velocity(save),
            FitTable::Lines => return self.save_lines(save),
            FitTable::Draws => self.inferred.draws().map(|draws| of_draws(&draws)),
            FitTable::Bands => {
                let draws = self.inferred.draws();
                let bands = curves::bands(&self.fits, draws.as_ref(), &*self.world);
                if bands.is_empty() {
                    return Err(vec![
                        Diagnostic::new(Code::NothingYet, "this fit has no curves")
                            .at(save.span, "")
                            .help("a regression on several covariates is known at its data alone: `report \"fit.json\"` has what is fitted there"),
                    ]);
                }
                Some(of_bands(&bands))
            }
        };
        let columns = columns.unwrap_or_default();
        let headers: Vec<String> = columns.iter().map(|(header, _)| header.clone()).collect();
        let rows = columns.iter().map(|(_, column)| match column {
            Kept::Numbers(numbers) => numbers.len(),
            Kept::Text(texts) => texts.len(),
        });
        let rows = rows.max().unwrap_or(0);
        let cells: Vec<Cells<'_>> = columns
            .iter()
            .map(|(_, column)| match column {
                Kept::Numbers(numbers) => Cells::Numbers(numbers),
                Kept::Text(texts) => Cells::Text(texts),
            })
            .collect();
        self.write_cells_to(&save.path, &headers, &cells, rows)
    }
}

/// Which chain or replicate, the quantities in their own units, the log-density and divergences of
/// a posterior.
fn of_draws(draws: &Draws<'_>) -> Vec<(String, Kept)> {
    let all = draws.all();
    let numbers =
        |of: &dyn Fn(usize) -> f64| Kept::Numbers((0..all.len()).map(of).collect::<Vec<f64>>());
    let number = numbers(&|at| all[at].number as f64 + 1.0);
    let mut columns = match draws {
        Draws::Posterior(_) => vec![
            (
                "chain".to_owned(),
                numbers(&|at| all[at].chain as f64 + 1.0),
            ),
            ("draw".to_owned(), number),
        ],
        Draws::Bootstrap(_) => vec![("replicate".to_owned(), number)],
    };
    for (parameter, known) in draws.fit().fitted.iter().enumerate() {
        let value = |at: usize| all[at].values.get(parameter).copied().unwrap_or(f64::NAN);
        columns.push((known.name.clone(), numbers(&value)));
    }
    if let Draws::Posterior(_) = draws {
        let density = numbers(&|at| all[at].log_density.unwrap_or(f64::NAN));
        columns.push(("log_density".to_owned(), density));
        let divergent = numbers(&|at| f64::from(u8::from(all[at].is_divergent)));
        columns.push(("divergent".to_owned(), divergent));
    }
    columns
}

/// A row for each place of each curve.
fn of_bands(bands: &[curves::Banded]) -> Vec<(String, Kept)> {
    let text = |of: &dyn Fn(&curves::Banded) -> &str| {
        let all = bands
            .iter()
            .flat_map(|one| std::iter::repeat_n(of(one).to_owned(), one.x.len()));
        Kept::Text(all.collect())
    };
    let numbers = |of: &dyn Fn(&curves::Banded) -> &[f64]| {
        Kept::Numbers(bands.iter().flat_map(|one| of(one).to_vec()).collect())
    };
    let place = bands.first().map_or("t", |one| one.place.as_str());
    let mut columns = Vec::new();
    if bands.iter().any(|one| !one.run.is_empty()) {
        columns.push(("run".to_owned(), text(&|one| &one.run)));
    }
    columns.push(("observable".to_owned(), text(&|one| &one.name)));
    columns.push((place.to_owned(), numbers(&|one| &one.x)));
    for (header, which) in [
        ("fit", 0),
        ("low", 1),
        ("high", 2),
        ("data_low", 3),
        ("data_high", 4),
    ] {
        columns.push((
            header.to_owned(),
            numbers(&|one| one.edges[which].as_slice()),
        ));
    }
    columns
}
