//! Covariates by subject in simulations: their values stand beside the doses.
//!
//! Enters: the tables of the doses that hold, a subject. Leaves: the values that hold with its
//! covariates among them. Must not know runs.

use super::compiled::Compiled;
use super::fit::CovariateElement;
use super::tables::{Columns, Tables};
use super::values::Overrides;
use crate::diagnostic::Diagnostic;
use crate::model::{Per, Schedule, Target};

/// The values that hold in the run of a subject: a covariate by subject that nothing sets has the
/// first value that stands in a column of its name, in the rows of the subject.
///
/// # Errors
/// A table that cannot be read, and text where a number is needed.
pub(super) fn of_subject(
    compiled: &Compiled,
    (active, tables): (&[bool], &Tables<'_>),
    overrides: &Overrides,
    subject: Option<&str>,
) -> Result<Overrides, Vec<Diagnostic>> {
    let model = &compiled.model;
    let mut own = overrides.clone();
    for (dose, _) in (model.doses.iter().zip(active)).filter(|(_, active)| **active) {
        let Schedule::Table(source) = &dose.schedule else {
            continue;
        };
        let table = tables.read(&source.path).map_err(|problem| vec![problem])?;
        let columns = Columns::new(&table, &source.columns, source.path.span);
        let labels = columns.find("ID", true).map(|column| table.labels(column));
        let is_own = |row: usize| match (&labels, subject) {
            (Some(labels), Some(_)) => labels.get(row).map(String::as_str) == subject,
            _ => true,
        };
        let of_subjects = model.covariates.iter();
        let of_subjects = of_subjects.filter(|covariate| covariate.per == Per::Subject);
        let known =
            of_subjects.flat_map(|covariate| CovariateElement::all(model, covariate.parameter));
        for known in known {
            let target = Target::Parameter(known.parameter);
            if own.sets(target, known.element.map_or(0, |element| element as usize)) {
                continue;
            }
            let Some(column) = columns.find(&known.name(model), false) else {
                continue;
            };
            let numbers = table
                .column_numbers(&column.name)
                .map_err(|error| vec![error.diagnostic(&table.source).at(source.path.span, "")])?;
            let mut rows = numbers.iter().enumerate();
            let value = rows.find(|(row, number)| is_own(*row) && !number.is_nan());
            if let Some((_, value)) = value {
                own.set(target, known.element, vec![*value]);
            }
        }
    }
    Ok(own)
}
