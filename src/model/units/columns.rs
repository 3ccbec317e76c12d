//! The unit in the header of a column beside that of what the column is read for.
//!
//! Enters: the text between the brackets of a header, and the text of a unit of the model. Leaves:
//! whether they agree, and the factor between them. Must not know tables.

use super::super::names::Names;
use super::checker::{Checker, Units};
use super::messages;
use super::solve::Difference;
use crate::source::SourceId;
use crate::syntax::{self, tree::ExprKind};

/// How the unit of a column agrees.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnUnit {
    /// It is the same.
    Same,
    /// It measures the same, with another scale: `1 h is 60 min`, and what to do with the numbers.
    Factor(String, String),
    /// It measures something else, or is counted from another zero.
    Other,
    /// It is not a unit that is known here.
    Unreadable,
}

/// Compares the unit of a column with that of the model.
#[must_use]
pub fn compare_column(names: &Names, column: &str, model: &str) -> ColumnUnit {
    let plain = |text: &str| text.replace(char::is_whitespace, "");
    if plain(column) == plain(model) {
        return ColumnUnit::Same;
    }
    let units = names.units().cloned().unwrap_or_default();
    let mut checker = Checker::new(names, Units { ..units });
    let mut read = |text: &str| {
        let expr = syntax::parse_expression(SourceId(u32::MAX), &format!("1 [{text}]")).ok()?;
        let ExprKind::Number {
            unit: Some(unit), ..
        } = &expr.kind
        else {
            return None;
        };
        let term = checker.written(unit);
        term.is_known().then_some(term)
    };
    let (Some(there), Some(here)) = (read(column), read(model)) else {
        return ColumnUnit::Unreadable;
    };
    let place = crate::source::Span::new(SourceId(u32::MAX), 0, 0);
    match checker.equate(&here, &there, place) {
        Ok(()) => ColumnUnit::Same,
        Err(Difference::Factor(factor)) => {
            let factor = 1.0 / factor;
            ColumnUnit::Factor(messages::fact(factor, column, model), messages::by(factor))
        }
        Err(_) => ColumnUnit::Other,
    }
}
