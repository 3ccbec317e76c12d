//! The cells of observations: values, limits, and what a distribution cannot give.
//!
//! Enters: the columns of a table. Leaves: data with their rows, or problems. Must not know runs.

use super::{Cell, MOST_FAULTS, Reader};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::fit::{Datum, Family};
use crate::model::Support;
use crate::table::{Column, Reading};

impl Reader<'_> {
    pub(super) fn cells(&self, problems: &mut Vec<Diagnostic>) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (seen, known) in self.lens.seen.iter().enumerate() {
            let before = (cells.len(), problems.len());
            let (column, data) = match self.readings.of(&known.name) {
                Ok(Some(found)) => found,
                Ok(None) => {
                    // A name that is mapped to nothing has been told.
                    if !self.columns.maps(&[&known.name]) {
                        problems.push(self.no_column(&known.name, known.span));
                    }
                    continue;
                }
                // The column of limits is at fault: for all alike.
                Err(error) => {
                    problems.push(self.told(&error));
                    break;
                }
            };
            for (table_row, reading) in data {
                let datum = match reading {
                    Ok(Reading::Exactly(value)) => Datum::Exactly(value),
                    Ok(Reading::Below(limit)) => Datum::Below(limit),
                    Ok(Reading::Above(limit)) => Datum::Above(limit),
                    Err(error) => {
                        problems.push(self.told(&error));
                        continue;
                    }
                };
                if let Some(fault) = misfit(known.family, datum) {
                    problems.push(self.bad_datum(&known.name, column, (table_row, datum), &fault));
                }
                cells.push(Cell {
                    seen,
                    table_row,
                    datum,
                });
            }
            if cells.len() == before.0 && problems.len() == before.1 {
                problems.push(self.no_data(&known.name, known.span));
            }
            let faults = problems.len() - before.1;
            if faults > MOST_FAULTS {
                problems.truncate(before.1 + MOST_FAULTS);
            }
        }
        // Names that are mapped from or to nothing have been told.
        if self.lens.seen.is_empty() && problems.is_empty() {
            problems.push(self.nothing_observed());
        }
        cells
    }

    fn no_column(&self, name: &str, span: crate::source::Span) -> Diagnostic {
        Diagnostic::new(Code::NoData, format!("the data have no column `{name}`"))
            .at(span, "observed here")
            .at(self.columns.file, self.readings.holds())
            .help(super::meant(name))
    }

    fn no_data(&self, name: &str, span: crate::source::Span) -> Diagnostic {
        Diagnostic::new(Code::NoData, format!("`{name}` has no data"))
            .at(span, "observed here")
            .at(self.columns.file, "every cell is empty")
            .help("remove the observation, or fill its column")
    }

    /// No observation is declared, and no column has the name of a state.
    fn nothing_observed(&self) -> Diagnostic {
        let states = self.compiled.model.states.iter();
        let names: Vec<String> = states.map(|state| format!("`{}`", state.name)).collect();
        let diagnostic = Diagnostic::new(
            Code::NoData,
            "no column of the data belongs to anything in the model",
        )
        .at(self.columns.file, self.readings.holds());
        if names.is_empty() {
            return diagnostic
                .help("say what is observed, as in `observe v ~ normal(a + b*x, sigma)`");
        }
        diagnostic.help(format!(
            "the states are {}: say what belongs to one, as in `to \"data.csv\" ({} = {})`",
            listed(&names),
            self.compiled.model.states[0].name,
            self.readings.example()
        ))
    }

    fn bad_datum(
        &self,
        name: &str,
        column: &Column,
        (row, datum): (usize, Datum),
        fault: &str,
    ) -> Diagnostic {
        let (sign, value) = match datum {
            Datum::Exactly(value) => ("", value),
            Datum::Below(value) => ("below ", value),
            Datum::Above(value) => ("above ", value),
        };
        let help = match sign {
            "" => "correct the cell or leave it empty, or choose another distribution".to_owned(),
            _ => {
                format!("say how the data scatter, as in `observe {name} ~ normal({name}, sigma)`")
            }
        };
        let message = format!(
            "{}: row {} (line {}) of column `{}` is {sign}{}",
            self.table().source,
            row + 1,
            self.table().line(row),
            column.name,
            number_text(value)
        );
        Diagnostic::new(Code::BadDatum, message)
            .at(self.columns.file, "")
            .at(
                self.lens
                    .seen
                    .iter()
                    .find(|seen| seen.name == name)
                    .map_or(self.columns.file, |s| s.span),
                fault.to_owned(),
            )
            .help(help)
    }

    pub(super) fn numbers(&self, column: &str) -> Result<Vec<f64>, Diagnostic> {
        let numbers = self.table().column_numbers(column);
        numbers
            .map(<[f64]>::to_vec)
            .map_err(|error| self.told(&error))
    }
}

/// Why a family cannot give a datum.
fn misfit(family: Option<Family>, datum: Datum) -> Option<String> {
    let (family, value) = match (family, datum) {
        (None, Datum::Exactly(_)) => return None,
        (None, Datum::Below(_) | Datum::Above(_)) => {
            return Some("a limit has a probability, and no square".to_owned());
        }
        (Some(family), Datum::Exactly(value)) => (family, value),
        (Some(_), _) => return None,
    };
    let needs = match family.support() {
        Support::Positive if value <= 0.0 => "positive numbers",
        Support::Counts if value < 0.0 || value.fract() != 0.0 => "whole numbers from 0",
        Support::Fraction if value <= 0.0 || value >= 1.0 => "numbers between 0 and 1",
        _ => return None,
    };
    Some(format!("`{}` gives {needs}", family.name()))
}
