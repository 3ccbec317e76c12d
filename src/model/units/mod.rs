//! Units: what they are, and whether those of a model agree.
//!
//! Enters: units as written, in declarations and after numbers. Leaves: the units of all names, those
//! that were found out from equations included, and a diagnostic for each two parts of the model that do
//! not agree, with the factor between them. Units never change a number. Must not know values, nor
//! derivatives.
//!
//! ```text
//! table ──> measure          what a unit is: a scale and dimensions
//!              │
//!            term ──> solve  products with unknowns; one equation after the other
//!                       │
//!                    checker ──> expressions, temperatures ──> statements, reactions, sentences
//! ```
//!
//! Numbers without units fit anywhere: each is an unknown of its own. A parameter without a unit is
//! one unknown, which the equations settle. This is the inference of dimensions by A. J. Kennedy,
//! "Relational parametricity and units of measure" (POPL 1997), with scales as one more dimension.

mod checker;
mod columns;
mod expressions;
mod measure;
mod messages;
mod numbers;
mod own;
mod powers;
mod reactions;
mod sentences;
mod solve;
mod statements;
mod table;
mod temperatures;
mod term;
#[cfg(test)]
mod tests;
mod written;

pub use checker::Units;
pub use columns::{ColumnUnit, compare_column};
pub use sentences::{check_sentence, check_sentences};
pub use table::{PREFIXES, Row as UnitRow, UNITS};
pub use written::Unit;

use super::walk::each_expression;
use crate::syntax::tree::{self, ExprKind, StatementKind};

/// True when a file names a unit anywhere.
fn names_units(file: &tree::File) -> bool {
    let declares = file
        .statements
        .iter()
        .any(|statement| match &statement.kind {
            StatementKind::Time { unit, .. }
            | StatementKind::Let { unit, .. }
            | StatementKind::Observe { unit, .. }
            | StatementKind::Input { unit, .. } => unit.is_some(),
            StatementKind::Declare { items, .. } | StatementKind::Covariate { items, .. } => {
                items.iter().any(|item| item.unit.is_some())
            }
            StatementKind::Unit(_) => true,
            _ => false,
        });
    let mut found = declares;
    if !found {
        each_expression(file, &mut |expr| found = found || has_unit(expr));
    }
    found
}

fn has_unit(expr: &tree::Expr) -> bool {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let ExprKind::Number { unit: Some(_), .. } = &expr.kind {
            return true;
        }
        expr.for_each_part(|part| pending.push(part));
    }
    false
}
