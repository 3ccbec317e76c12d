//! Why a fit has no answer, in the words of the model.
//!
//! Enters: the fault of a start. Leaves: a diagnostic. Must not know how searches work.

use super::objective::Likelihood;
use super::sentence::Fit;
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::fit::{Datum, End, Fault, Findings, MOST_DRAWS_OUTSIDE};
use crate::simulate::{ScheduleFault, Stop};

/// All starts failed: the first one says why.
pub(super) fn all_failed(
    likelihood: &Likelihood<'_>,
    findings: &Findings,
    command: &Fit,
) -> Diagnostic {
    let count = findings.all.len();
    if let Some(problem) = all_outside(likelihood, findings, command) {
        return problem;
    }
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

/// No start was inside the region, nor anything that was drawn in its place.
fn all_outside(
    likelihood: &Likelihood<'_>,
    findings: &Findings,
    command: &Fit,
) -> Option<Diagnostic> {
    let region = likelihood.region.as_ref()?;
    let outside = |end: &End| match end {
        End::Fault(Fault::Outside { requirement, .. }) => Some(*requirement),
        _ => None,
    };
    let all: Option<Vec<usize>> = findings
        .all
        .iter()
        .map(|one| outside(&one.local.end))
        .collect();
    let all = all?;
    let first = region.requirements.get(*all.first()?)?;
    let tried = all.len() as u64 * (1 + MOST_DRAWS_OUTSIDE);
    let text = match region.requirements.as_slice() {
        [only] => format!("`{}` holds", only.text),
        several => {
            let texts: Vec<String> = several
                .iter()
                .map(|one| format!("`{}`", one.text))
                .collect();
            format!("{} hold together", listed(&texts))
        }
    };
    Some(
        Diagnostic::new(
            Code::CannotFit,
            format!("{text} for none of the {tried} values that were tried"),
        )
        .at(command.span, "there is nowhere to begin")
        .at(first.span, "")
        .help("set values with `with` for which it does, or widen the bounds; `stability over k in 0..2` shows which kinds of steady states there are"),
    )
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
                Stop::NeverSteady { .. } => "its `steady` doses lead to no steady state",
                Stop::Schedule {
                    fault: ScheduleFault::SteadyVaried,
                    ..
                } => {
                    "a steady state of doses whose time moves has no derivatives here: fix that time, or take `using nelder_mead`"
                }
                Stop::Schedule { .. } => "a dose or event has an impossible value",
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
        Fault::Assumption {
            run: at,
            assumption,
            time,
        } => {
            let assertions = &likelihood.compiled.model.assertions;
            let text = assertions.get(*assumption);
            let text = text.map_or_else(String::new, |known| {
                likelihood.compiled.text_of_model(known.condition)
            });
            format!(
                "the assertion `{text}` fails in the run{} at {}",
                run(*at),
                number_text(*time)
            )
        }
        Fault::NoRest { run: at } => {
            format!("no steady state is found for the run{}", run(*at))
        }
        Fault::Outside {
            requirement,
            run: at,
        } => {
            let region = likelihood.region.as_ref();
            let known = region.and_then(|region| region.requirements.get(*requirement));
            let text = known.map_or("", |known| known.text.as_str());
            let several = region.is_some_and(|region| region.places.len() > 1);
            let of = if several { run(*at) } else { String::new() };
            format!("`{text}` does not hold for the values{of}")
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
