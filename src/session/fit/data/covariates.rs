//! Covariates, and the rows of a run, which they decide with the times.
//!
//! Enters: the data of a run. Leaves: its rows, each looked at once unless a covariate differs.

use super::{Cell, Look, MOST_FAULTS, Point, Reader, RunData};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::{Covariate, Model, ParameterId, Per};
use crate::session::compiled::Compiled;
use crate::table::Column;

/// A covariate, or an element of one: what a column of the data belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CovariateElement {
    /// The parameter that holds it.
    pub parameter: ParameterId,
    /// Which element; none of a single number.
    pub element: Option<u32>,
}

impl CovariateElement {
    /// The elements of a parameter.
    pub fn all(model: &Model, parameter: ParameterId) -> impl Iterator<Item = CovariateElement> {
        let indices = &model.parameters[parameter.index()].indices;
        let count = model.count_of(indices);
        let is_single = indices.is_empty();
        (0..count).map(move |element| CovariateElement {
            parameter,
            element: (!is_single).then(|| u32::try_from(element).unwrap_or(u32::MAX)),
        })
    }

    /// Where it stands among the numbers of all parameters.
    pub(in crate::session) fn position(self, compiled: &Compiled) -> Option<usize> {
        let blocks = compiled.system.parameters.blocks();
        let block = blocks.get(self.parameter.index())?;
        Some(block.offset + self.element.map_or(0, |element| element as usize))
    }

    /// `s`, `s[g1]`
    #[must_use]
    pub fn name(self, model: &Model) -> String {
        let known = &model.parameters[self.parameter.index()];
        let element = self.element.map_or(0, |element| element as usize);
        model.element_name(&known.name, &known.indices, element)
    }
}

impl Reader<'_> {
    /// The numbers of each covariate, one for each row of the table.
    pub(super) fn covariates(
        &self,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<(CovariateElement, Per, Vec<f64>)> {
        let mut found = Vec::new();
        let model = &self.compiled.model;
        for covariate in &model.covariates {
            let before = problems.len();
            for known in CovariateElement::all(model, covariate.parameter) {
                let name = known.name(model);
                let Some(column) = self.columns.find(&name, false) else {
                    // A name that is mapped to nothing has been told.
                    if !self.columns.maps(&[&name]) {
                        problems.push(self.no_covariate(&name, covariate));
                    }
                    continue;
                };
                match self.numbers(&column.name) {
                    Ok(numbers) => found.push((known, covariate.per, numbers)),
                    Err(problem) => problems.push(problem),
                }
            }
            problems.truncate(before + MOST_FAULTS);
        }
        found
    }

    fn no_covariate(&self, name: &str, covariate: &Covariate) -> Diagnostic {
        let message = format!("the covariate `{name}` has no column");
        Diagnostic::new(Code::NoData, message)
            .at(covariate.span, "declared here")
            .at(self.columns.file, self.columns.has())
            .help(super::meant(name))
    }

    /// Gives a run its rows, data and covariates, from its data and all rows of the table that are
    /// its own.
    pub(super) fn fill(
        &self,
        run: &mut RunData,
        (cells, own): (&[&Cell], &[usize]),
        times: &[f64],
        covariates: &[(CovariateElement, Per, Vec<f64>)],
        problems: &mut Vec<Diagnostic>,
    ) {
        let mut order: Vec<usize> = cells.iter().map(|cell| cell.table_row).collect();
        order.sort_unstable();
        order.dedup();
        let time_of = |row: usize| times.get(row).copied().unwrap_or(f64::NAN);
        order.sort_by(|one, other| time_of(*one).total_cmp(&time_of(*other)));
        let mut varying = Vec::new();
        for (known, per, numbers) in covariates {
            // What holds for a subject may stand in a row of its own, as that of a dose.
            let rows = match per {
                Per::Row => order.as_slice(),
                _ => own,
            };
            let own = rows
                .iter()
                .filter_map(|row| Some((*row, *numbers.get(*row)?)));
            match self.one_value(*known, *per, own, &run.label(), problems) {
                Some(value) => run.constants.push((*known, value)),
                None => varying.push((*known, numbers)),
            }
        }
        // Rows of one time are looked at once, unless they differ in a covariate.
        let mut place = rustc_hash::FxHashMap::default();
        for row in order {
            let time = time_of(row);
            let shared =
                varying.is_empty() && run.rows.last().is_some_and(|last| last.time == time);
            if !shared {
                run.rows.push(Look {
                    time,
                    table_row: row,
                });
            }
            place.insert(row, run.rows.len() - 1);
        }
        for (known, numbers) in varying {
            let rows = run.rows.iter();
            let own = rows.map(|look| numbers.get(look.table_row).copied().unwrap_or(f64::NAN));
            run.varying.push((known, own.collect()));
        }
        run.points = cells
            .iter()
            .filter_map(|cell| {
                Some(Point {
                    row: *place.get(&cell.table_row)?,
                    seen: cell.seen,
                    datum: cell.datum,
                    table_row: cell.table_row,
                })
            })
            .collect();
        run.points.sort_by_key(|point| (point.row, point.seen));
    }

    /// The value of a covariate that does not change in the rows of a run; `None` where it does,
    /// and may.
    #[expect(clippy::float_cmp, reason = "the same cell again, not a measurement")]
    fn one_value(
        &self,
        known: CovariateElement,
        per: Per,
        mut rows: impl Iterator<Item = (usize, f64)>,
        whose: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<f64> {
        let name = &known.name(&self.compiled.model);
        let column = self.columns.find(name, false)?;
        let mut first: Option<f64> = None;
        for (row, value) in rows.by_ref() {
            // Spreadsheets give the value of a subject once.
            if value.is_nan() && per != Per::Row {
                continue;
            }
            if value.is_nan() {
                problems.push(self.told(&self.table().empty_cell(&column.name, row)));
                return Some(0.0);
            }
            match first {
                Some(known) if known != value => {
                    if per == Per::Row {
                        return None;
                    }
                    problems.push(self.changes(name, column, row, (known, value)));
                    return Some(known);
                }
                _ => first = Some(value),
            }
        }
        if first.is_none() {
            let whose = match whose {
                "" => String::new(),
                whose => format!(" for {whose}"),
            };
            problems.push(
                Diagnostic::new(
                    Code::NoData,
                    format!("the covariate `{name}` has no value{whose}"),
                )
                .at(
                    self.columns.file,
                    format!("in the column `{}`", column.name),
                )
                .help("it needs one in some row"),
            );
        }
        Some(first.unwrap_or(0.0))
    }

    fn changes(
        &self,
        name: &str,
        column: &Column,
        row: usize,
        (before, now): (f64, f64),
    ) -> Diagnostic {
        let message = format!(
            "{}: row {} (line {}) of column `{}` changes from {} to {}",
            self.table().source,
            row + 1,
            self.table().line(row),
            column.name,
            number_text(before),
            number_text(now)
        );
        Diagnostic::new(Code::BadDatum, message)
            .at(self.columns.file, "")
            .help(format!(
                "`{name}` has one value for each subject or condition: correct the cell, or declare the covariate without `by`"
            ))
    }
}
