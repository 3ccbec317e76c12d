//! Correlations as text.
//!
//! Enters: correlations. Leaves: a table of a few lags, and what they say of the length of the run.

use super::table::{Column, number, table};
use super::words;
use crate::session::CorrelationAnswer;

/// Lags in the table.
const ROWS: usize = 11;

/// The whole text, `width` columns wide.
pub(super) fn text(answer: &CorrelationAnswer, width: usize) -> String {
    let lags = answer.lags();
    let every = lags.len().div_ceil(ROWS).max(1);
    let shown = |values: &[f64]| -> Vec<f64> {
        let rounded = |value: &f64| (value * 1e4).round() / 1e4;
        values.iter().step_by(every).map(rounded).collect()
    };
    let mut columns = vec![Column::numbers(
        "lag",
        lags.iter().step_by(every).copied().collect(),
    )];
    for (label, correlation) in &answer.found {
        columns.push(Column::numbers(label.clone(), shown(&correlation.values)));
        columns.push(Column::numbers("± se", shown(&correlation.errors)));
    }
    let mut out = table(&columns, width);
    for (label, correlation) in &answer.found {
        let Some(time) = correlation.time else {
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
        let independent = answer.rows as f64 / time.max(1.0);
        let said = format!(
            "{label}: correlation time {}; the {} rows tell as much of its mean as {} independent ones",
            number(time * answer.spacing, 3),
            answer.rows,
            number(independent.round(), 6)
        );
        out.push_str(&words::wrapped(&said, width, "  "));
        out.push('\n');
    }
    out
}
