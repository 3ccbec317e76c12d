//! Why a fit has no answer, in the words of the model.
//!
//! Enters: the fault of a start. Leaves: a diagnostic. Must not know how searches work.

use super::objective::Likelihood;
use super::sentence::Fit;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::fit::{Datum, End, Fault, Findings};
use crate::simulate::Stop;

/// All starts failed: the first one says why.
pub(super) fn all_failed(
    likelihood: &Likelihood<'_>,
    findings: &Findings,
    command: &Fit,
) -> Diagnostic {
    let count = findings.all.len();
    let message = if count > 1 {
        format!("none of {count} starts could be evaluated")
    } else {
        "the model cannot be compared with the data at the start of the fit".to_owned()
    };
    let first = findings.all.iter().min_by_key(|finding| finding.number);
    let why = match first.map(|finding| &finding.local.end) {
        Some(End::Fault(fault)) => told(likelihood, fault),
        _ => "the likelihood is not finite there".to_owned(),
    };
    Diagnostic::new(Code::CannotFit, message)
        .at(command.span, why)
        .help("begin nearer to the data: set values with `with`, or `simulate` and `plot ... over` them first")
}

/// A fault in words.
pub(super) fn told(likelihood: &Likelihood<'_>, fault: &Fault) -> String {
    let run = |at: usize| {
        let label = likelihood
            .runs
            .get(at)
            .map_or(String::new(), |run| run.label());
        if label.is_empty() {
            String::new()
        } else {
            format!(" of {label}")
        }
    };
    match fault {
        Fault::Run {
            run: at,
            stop,
            time,
        } => {
            let why = match stop {
                Stop::NonFinite { .. } => "a state ceases to be finite",
                Stop::StepTooSmall { .. } => "the steps become too small",
                Stop::TooManySteps { .. } => "it takes too many steps",
                _ => "it ends early",
            };
            format!("the run{} ends at {}: {why}", run(*at), number_text(*time))
        }
        Fault::NoDensity { run: at, datum } => {
            let point = likelihood
                .runs
                .get(*at)
                .and_then(|run| run.data.points.get(*datum));
            let seen = point.and_then(|point| likelihood.lens.seen.get(point.seen));
            match (point, seen) {
                (Some(point), Some(seen)) => {
                    let (Datum::Exactly(value) | Datum::Below(value) | Datum::Above(value)) =
                        point.datum;
                    format!(
                        "`{}`{} = {} (row {}) has no density: a parameter of its distribution is outside its domain",
                        seen.name,
                        run(*at),
                        number_text(value),
                        point.table_row + 1
                    )
                }
                _ => "a value is not finite".to_owned(),
            }
        }
        Fault::NoStart { run: at } => {
            format!(
                "the run{} has nothing to start from: no stationary distribution, or an initial value that has no logarithm",
                run(*at)
            )
        }
        Fault::NoPrior { parameter } => {
            let name = likelihood
                .fitted
                .get(*parameter)
                .map_or("", |known| &known.name);
            format!("the prior of `{name}` vanishes at its start")
        }
        Fault::Interrupted => "interrupted".to_owned(),
    }
}
