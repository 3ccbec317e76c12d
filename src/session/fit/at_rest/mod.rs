//! `fit A, B to "cells.h5ad" as stationary by condition`: linear systems with noise from cells that
//! are each seen once.
//!
//! ```text
//! sentence.rs   the words
//! recognise.rs  is the model y' = A*y + B*x + C*W', and what are A, B, x and C
//! groups.rs     which cells belong together, and their statistics
//! look.rs       how cells are seen: directly, with noise, by counts
//! design.rs     matrices with their masks, inputs and penalties, by number
//! task.rs       what is searched, and the search
//! answer.rs     what it found, with names
//! ```
//!
//! Enters: a command, a file of cells. Leaves: an [`AtRestAnswer`]; the estimates hold from then on.
//! Must not know how the minimum is found ([`crate::fit::cells`]).

mod answer;
mod design;
mod groups;
mod look;
mod recognise;
mod sentence;
mod task;

pub use answer::{
    AtRestAnswer, Chosen, Comparison, Difference, Estimate, FALSE_FINDINGS, Known, Spread,
};
pub use groups::Group;
pub use sentence::FitAtRest;
pub(in crate::session) use sentence::{is_meant, lower};

use super::super::compiled::Compiled;
use super::super::outcome::{Outcome, Performed};
use super::super::simulate::{fault, whole, with_setting};
use super::super::tables::Tables;
use super::super::values::Overrides;
use super::super::{Observer, Session, Stage, undo};
use super::GeneFit;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, first_quoted, listed};
use crate::fit::Progress;
use crate::fit::cells::{self, Blindness, End, Fault, Mismatch, Unidentified};
use crate::fit::cells::{Tried, Watch};
use crate::linalg::Matrix;
use crate::linalg::products;
use crate::model::{Entity, Parameter, ParameterId, Target};
use crate::symbolic::Shape;
use crate::syntax::tree::ExprKind;
use design::Own;
use std::sync::{Arc, Mutex};
use task::{Place, Task};

/// Free entries above which the information is not looked at: it would take longer than the fit.
const MOST_EXAMINED: usize = 1000;
/// Directions that are written out.
const MOST_OPEN: usize = 10;

/// What can be refused without reading the cells.
pub(in crate::session) fn check(
    compiled: &Compiled,
    command: &FitAtRest,
) -> Result<(), Vec<Diagnostic>> {
    let fitted = fitted(compiled, command)?;
    let form = recognise::form(compiled, &fitted, command.span)?;
    let mut problems = foreign(compiled, command);
    let present = compiled.present(&Overrides::new()).parameters;
    let own = Own::new(compiled, &fitted, &present);
    let (_, columns) = own.input(&form);
    problems.extend(own.weights(&form, &columns).err().into_iter().flatten());
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

/// What can be refused once the file can be looked into: columns, genes and layers that it lacks.
pub(in crate::session) fn check_cells(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &FitAtRest,
) -> Result<(), Vec<Diagnostic>> {
    let overrides = with_setting(compiled, overrides, &command.setting)?;
    let fitted = fitted(compiled, command)?;
    let form = recognise::form(compiled, &fitted, command.span)?;
    task::check(compiled, &overrides, (command, &fitted), &form, tables)
}

/// Problems with columns that the sentence maps to what no fit of cells reads.
fn foreign(compiled: &Compiled, command: &FitAtRest) -> Vec<Diagnostic> {
    let covariates = compiled.model.parameters.iter();
    let covariates = covariates.filter(|known| known.is_covariate);
    let mut known: Vec<&str> = Vec::new();
    for covariate in covariates {
        known.push(&covariate.name);
        if let [set] = covariate.indices.as_slice() {
            known.push(&compiled.model.names.index_set(*set).name);
        }
    }
    known.extend(["condition", "time"]);
    let mapped = command.data.columns.iter();
    mapped
        .filter(|(here, _)| here.text != "t" && !known.contains(&here.text.as_str()))
        .map(|(here, _)| {
            let message = format!("no data are read for `{}`", here.text);
            let near = did_you_mean(&here.text, known.iter().copied());
            Diagnostic::new(Code::NoColumn, message)
                .at(here.span, "the name in the model stands on this side")
                .help(near.unwrap_or_else(|| {
                    format!("what is read goes by {}", first_quoted(&known, known.len()))
                }))
        })
        .collect()
}

/// The parameters that the sentence names.
fn fitted(compiled: &Compiled, command: &FitAtRest) -> Result<Vec<ParameterId>, Vec<Diagnostic>> {
    let names = &compiled.model.names;
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for expr in &command.quantities {
        let name = match &expr.kind {
            ExprKind::Reference(reference) if reference.indices.is_empty() => &reference.name,
            _ => {
                problems.push(
                    Diagnostic::new(Code::WrongKind, "whole matrices are fitted here")
                        .at(expr.span, "this is not the name of one")
                        .help("which of its entries are fitted is said where it is declared: `param A[gene, gene] = 0 mask ...`"),
                );
                continue;
            }
        };
        match names.get(&name.text) {
            Some(Entity::Parameter(id))
                if compiled.shape_of(Target::Parameter(id)) != Shape::Scalar
                    && !compiled.model.parameters[id.index()].is_covariate =>
            {
                problems.extend(unused_limits(&compiled.model.parameters[id.index()]));
                found.push(id);
            }
            _ => {
                let arrays = compiled.model.parameters.iter();
                let arrays: Vec<&str> = arrays
                    .filter(|known| !known.indices.is_empty() && !known.is_covariate)
                    .map(|known| known.name.as_str())
                    .collect();
                let message = format!("`{}` is not a vector or matrix of parameters", name.text);
                let near = did_you_mean(&name.text, arrays.iter().copied());
                problems.push(
                    Diagnostic::new(Code::WrongKind, message)
                        .at(expr.span, "")
                        .help(near.unwrap_or_else(|| match arrays.as_slice() {
                            [] => "the model has none".to_owned(),
                            _ => format!("there is {}", listed(&arrays)),
                        })),
                );
            }
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

/// Bounds and priors, of which these fits know nothing.
fn unused_limits(known: &Parameter) -> Option<Diagnostic> {
    let bounds = known.bounds.map(|bounds| (bounds.span, "bounds"));
    let prior = known.prior.as_ref().map(|prior| (prior.span, "a prior"));
    let (span, what) = bounds.or(prior)?;
    let message = format!(
        "cells at rest are fitted without bounds and priors: `{}` has {what}",
        known.name
    );
    Some(
        Diagnostic::new(Code::CannotFit, message)
            .at(span, "")
            .help("leave them out; `mask` holds entries, and `penalty` keeps them small"),
    )
}

impl Session {
    pub(in crate::session) fn fit_at_rest(
        &mut self,
        command: &FitAtRest,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let overrides = with_setting(&compiled, &self.overrides, &command.setting)?;
        let world = Arc::clone(&self.world);
        let tables = Tables::new(&*world, self.data_folder());
        // Nobody knows how far a search has to go, but those who look on see that it goes.
        let stage = Stage::Search(Progress {
            done: 0,
            total: 1,
            best: None,
            pace: None,
        });
        let shown = Mutex::new((observer, f64::NAN, stage));
        let interrupted = || {
            if let Ok(mut shown) = shown.try_lock() {
                let (fraction, stage) = (shown.1, shown.2);
                shown.0.at(fraction, &stage);
            }
            world.interrupted()
        };
        let told = |tried: Tried| {
            if let Ok(mut shown) = shown.lock() {
                let fraction = tried.fits as f64 / tried.most as f64;
                (shown.1, shown.2) = (fraction, Stage::Weights(tried));
            }
        };
        let watch = Watch {
            threads: world.threads(),
            interrupted: &interrupted,
            told: &told,
        };
        let seed = seed(&compiled, &overrides, command)?;
        check(&compiled, command)?;
        let fitted = fitted(&compiled, command)?;
        let form = recognise::form(&compiled, &fitted, command.span)?;
        let read = task::read(
            &compiled,
            &overrides,
            (command, &fitted, seed),
            &form,
            &tables,
            &interrupted,
        )?;
        let task = task::task(&compiled, (command, &fitted), form, &read, &interrupted)?;
        let ran = task
            .run(watch)
            .map_err(|mismatch| vec![misfit(mismatch, command)])?;
        match ran.found.end {
            End::Fault(fault) => return Err(vec![no_start(fault, &task, command)]),
            // There is no point to tell of: the search had none, or weights were still compared.
            End::Interrupted if !ran.found.log_likelihood.is_finite() => {
                return Err(vec![no_start(Fault::Interrupted, &task, command)]);
            }
            _ => {}
        }
        let mut answer = answered(&compiled, command, &task, (read, ran), &interrupted)?;
        let mut diagnostics = warnings(&answer, command);
        if let Some(GeneFit::AtRest(before)) = &self.genes {
            answer.compare(before);
        }
        let before = self.values_before();
        for estimate in &answer.estimates {
            let target = Target::Parameter(estimate.parameter);
            self.overrides
                .set(target, None, estimate.values.as_slice().to_vec());
        }
        self.can_undo(undo::Undid::Fitted, before);
        if answer.found.end == End::Interrupted {
            diagnostics.push(
                Diagnostic::new(Code::Interrupted, "the search was interrupted")
                    .at(command.span, "")
                    .help("this is the best point that it has met"),
            );
        }
        let answer = Arc::new(answer);
        self.keep_gene_fit(GeneFit::AtRest(Arc::clone(&answer)));
        Ok(Performed {
            outcome: Outcome::FittedAtRest(answer),
            diagnostics,
        })
    }
}

fn seed(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &FitAtRest,
) -> Result<u64, Vec<Diagnostic>> {
    let Some(written) = &command.seed else {
        return Ok(1);
    };
    let value = compiled.number(written, &compiled.present(overrides))?;
    let wrong = || fault(written, "a seed is a whole number", value, "as in `seed 7`");
    whole(value, 0, 1 << 53).ok_or_else(wrong)
}

/// Everything about the estimate.
fn answered(
    compiled: &Arc<Compiled>,
    command: &FitAtRest,
    task: &Task,
    (read, ran): (task::Read, task::Ran),
    interrupted: &dyn Fn() -> bool,
) -> Result<AtRestAnswer, Vec<Diagnostic>> {
    let point = &ran.found.point;
    // An interruption ends the search; what it found is still told, for one more evaluation.
    let moments = cells::moments(&task.cells, point, &|| false)
        .map_err(|fault| vec![no_start(fault, task, command)])?;
    let spectrum = products::eigenvalues(&point.drift).unwrap_or_default();
    let leading = spectrum
        .iter()
        .map(|value| value.re)
        .fold(f64::NEG_INFINITY, f64::max);
    let blindness = match task.design.size() > MOST_EXAMINED {
        true => Err(Unidentified::TooMany(task.design.size())),
        // Interrupted still, where the search was.
        false => cells::blindness(&task.cells, &task.design, point, interrupted),
    };
    let n = task.cells.cells();
    // Under a penalty an error is not one of the estimate alone, and is not told.
    let errors = blindness
        .as_ref()
        .ok()
        .filter(|_| ran.selection.is_none() && task.penalty.l1 == 0.0)
        .map(|found| {
            let errors: Vec<f64> = found.errors.iter().map(|error| error / n.sqrt()).collect();
            let mut nothing = point.zeros_like();
            nothing.drift.fill(f64::NAN);
            nothing.input.fill(f64::NAN);
            nothing.noise.fill(f64::NAN);
            task.design.unpacked(&errors, &nothing)
        });
    let covariance = moments.covariance(&task.cells);
    let estimates = task.estimates(compiled, point, errors.as_ref(), &covariance);
    let known = known(&blindness, task, &estimates);
    Ok(AtRestAnswer {
        compiled: Arc::clone(compiled),
        span: command.span,
        file: command.data.path.text.clone(),
        seed: read.seed,
        state: compiled
            .model
            .states
            .first()
            .map_or_else(String::new, |state| state.name.clone()),
        drift: task.drift_name.clone(),
        genes: task.genes.clone(),
        left_out: read
            .groups
            .of_cells
            .iter()
            .filter(|group| group.is_none())
            .count(),
        groups: read.groups.groups,
        spread: task.spread,
        means: moments.means().clone(),
        covariance,
        leading,
        known,
        selection: ran.selection,
        penalties: task.told_penalties(ran.weight),
        found: ran.found,
        before: task.before,
        measured: task.measured,
        estimates,
        against: None,
        uncompared: None,
    })
}

fn known(
    blindness: &Result<Blindness, Unidentified>,
    task: &Task,
    estimates: &[Estimate],
) -> Known {
    match blindness {
        Err(Unidentified::TooMany(free)) => Known::NotExamined(*free),
        Err(_) => Known::Unknown,
        Ok(found) => {
            let name = |at: usize| match task.place(at)? {
                Place::Of(id, row, column) => {
                    let own = estimates.iter().find(|one| one.parameter == id)?;
                    Some(own.entry(row, column))
                }
                Place::Held => None,
            };
            let mut open: Vec<_> = found
                .directions
                .iter()
                .take(MOST_OPEN)
                .map(|direction| answer::parts(direction, &name))
                .collect();
            open.resize(found.directions.len(), Vec::new());
            Known::Examined {
                free: found.free,
                open,
            }
        }
    }
}

fn warnings(answer: &AtRestAnswer, command: &FitAtRest) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    if matches!(answer.found.end, End::Stalled | End::OutOfIterations) {
        let why = match answer.found.end {
            End::OutOfIterations => "the steps were used up",
            _ => "no step makes the likelihood larger, though its slope is not small",
        };
        warnings.push(
            Diagnostic::new(Code::NotConverged, "the fit has not converged")
                .at(command.span, why)
                .help(format!(
                    "the gradient for a cell is {:.1e}; a larger penalty, or more entries held by a mask, make the question better posed",
                    answer.found.gradient
                )),
        );
    }
    if let Known::Examined { open, .. } = &answer.known
        && !open.is_empty()
    {
        let (what, it) = match open.len() {
            1 => ("one direction".to_owned(), "it"),
            many => (format!("{many} directions"), "them"),
        };
        let by = answer.decided_by();
        warnings.push(
            Diagnostic::new(
                Code::Undetermined,
                format!("the cells do not determine {what} of the fitted entries"),
            )
            .at(command.span, format!("{by} decides {it}"))
            .help("more conditions, entries held by a mask, or cells seen on the way after a step determine more"),
        );
    }
    let small: Vec<&str> = answer
        .groups
        .iter()
        .filter(|group| group.cells == 1)
        .map(|group| group.label.as_str())
        .collect();
    if let Some(first) = small.first() {
        let message = match small.len() {
            1 => format!("the group `{first}` has a single cell"),
            many => format!("{many} groups have a single cell, as `{first}`"),
        };
        warnings.push(Diagnostic::new(Code::Undetermined, message).at(
            command.data.path.span,
            "it counts for the mean, not for the spread",
        ));
    }
    warnings
}

/// Cells and model do not fit together.
fn misfit(mismatch: Mismatch, command: &FitAtRest) -> Diagnostic {
    let data = command.data.path.span;
    match mismatch {
        Mismatch::SingularCovariance => {
            Diagnostic::new(Code::CannotFit, "the covariance of the cells is singular")
                .at(data, "some genes do not vary, or follow from others, or there are fewer cells than genes")
                .help("leave out such genes, or let a ridge add to the variances: `penalty l2(1e-3)` where C is declared")
        }
        Mismatch::NotFinite => {
            Diagnostic::new(Code::NotFinite, "a value of the model is not finite in some group")
                .at(command.span, "")
                .help("parameters that are not fitted need values; covariates come with the data")
        }
        Mismatch::Time(_) => Diagnostic::new(Code::BadDatum, "a time is negative").at(data, ""),
        Mismatch::Shapes | Mismatch::NoCells => {
            Diagnostic::new(Code::CannotFit, "the cells do not fit the model").at(data, "")
        }
    }
}

/// The values that the search begins with have no likelihood.
fn no_start(fault: Fault, task: &Task, command: &FitAtRest) -> Diagnostic {
    let name = &task.drift_name;
    let (message, help) = match fault {
        Fault::Unstable => (
            format!("the search cannot begin: `{name}` is not stable"),
            format!(
                "every eigenvalue of `{name}` needs a negative real part: give its diagonal values such as -1"
            ),
        ),
        Fault::SingularCovariance => (
            "the search cannot begin: the noise does not reach every gene".to_owned(),
            "let every row of C have an entry, as in `param C[gene, gene] = diagonal(1)`"
                .to_owned(),
        ),
        Fault::NotFinite => (
            "the search cannot begin: a value is not finite".to_owned(),
            "give held entries values".to_owned(),
        ),
        Fault::Interrupted => (
            match task.held_out {
                true => "the fit was interrupted while the weight of its penalty was chosen",
                false => "the fit was interrupted before its first step",
            }
            .to_owned(),
            "values are as they were".to_owned(),
        ),
    };
    let code = match fault {
        Fault::Interrupted => Code::Interrupted,
        _ => Code::CannotFit,
    };
    Diagnostic::new(code, message)
        .at(command.span, "")
        .help(help)
}

/// Columns one after the other as a matrix.
fn matrix(rows: usize, numbers: &[f64]) -> Matrix {
    let columns = numbers.len() / rows.max(1);
    Matrix::from_column_slice(rows, columns, &numbers[..rows * columns])
}
