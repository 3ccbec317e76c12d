//! `fit`: parameters from data.
//!
//! ```text
//! sentence --sentence.rs--> Fit
//!   quantities.rs  what is fitted: scales, bounds, priors
//!   lens.rs        what is seen of the model: observations as functions
//!   data/          the table, by run: cells, covariates, rows
//!   runs.rs        how each run is made (own.rs: its values; rested.rs: its start at rest)
//!   region.rs      which values are searched (inside.rs: are they, and how far)
//!   objective.rs   minus the log-likelihood, with exact derivatives
//!   stochastic.rs  the same of models with noise (noise.rs: which ones)
//!   search.rs      from one start or many (starts.rs: by hand; checkpoint.rs: done before)
//!   answer.rs      estimates and how far to trust them (scores.rs: residuals; faults.rs: no answer)
//!   paths.rs       new paths of a model with noise, for bootstraps
//!   profile.rs, bootstrap.rs, posterior.rs   the same question asked in other ways
//!   draws.rs       the points that a posterior or a bootstrap consists of
//!   picture.rs     the answers as figures (curves.rs with bands.rs, residuals.rs, pairs.rs)
//!   tables.rs      their numbers as tables in files
//!   explain.rs     how all this was done, and why so
//!   report.rs      the answers for others
//!   at_rest/       `as stationary`: linear systems from cells that are each seen once
//! ```

mod answer;
mod at_rest;
mod bands;
mod bootstrap;
mod checkpoint;
mod curves;
mod data;
mod draws;
mod explain;
mod faults;
mod inside;
mod lens;
mod noise;
mod objective;
mod own;
mod pairs;
mod paths;
mod picture;
mod posterior;
mod profile;
mod quantities;
mod region;
mod report;
mod residuals;
mod rested;
mod runs;
mod scores;
mod search;
mod sentence;
mod starts;
mod stochastic;
mod tables;
#[cfg(test)]
mod tests;

pub use answer::{FitAnswer, LEVEL};
pub use at_rest::{
    AtRestAnswer, Chosen, Comparison, Difference, Estimate, FALSE_FINDINGS, FitAtRest, Group,
    Known, Spread,
};
pub(super) use at_rest::{check as check_at_rest, check_cells};
pub(super) use bootstrap::lower as lower_bootstrap;
pub use bootstrap::{BootstrapAnswer, BootstrapCommand};
pub use data::{CovariateElement, LeftOut, Look, Point, RunData};
pub use draws::{Draw, Draws, Inferred};
pub use explain::{Against, Entry, Explanation, FilterFrom, LikelihoodFrom};
pub use inside::{Standing, StandingOfRun};
pub use lens::{Lens, Seen};
pub use objective::{Likelihood, Looked};
pub use picture::{Drawn, FitPicture};
pub(super) use picture::{Need, Possible, check as check_picture};
pub use posterior::PosteriorAnswer;
pub(super) use profile::lower as lower_profile;
pub use profile::{ProfileAnswer, ProfileCommand, Side};
pub use quantities::Fitted;
pub use region::{Region, Requirement, Wish, WishKind};
pub(super) use report::lower as lower_report;
pub use report::{FitReport, Report, ReportForm};
pub use runs::FitRun;
pub use scores::{Checks, Score};
pub use sentence::{Fit, StartOfFit, Way};
pub(super) use sentence::{lower, nothing_left_over};
pub use stochastic::{Filters, NoiseFrom, Unfit};
pub use tables::FitTable;

use super::cells::is_anndata;
use super::command::{Setting, Subjects};
use super::compiled::Compiled;
use super::outcome::{Outcome, Performed};
use super::readings::Readings;
use super::simulate::{fault, whole, with_setting};
use super::tables::{Columns, Tables};
use super::values::Overrides;
use super::{FactoredAnswer, Observer, Session, Stage, VelocityAnswer, factored, velocity};
use crate::diagnostic::{Code, Diagnostic};
use crate::fit::{Findings, Progress, SearchMethod};
use crate::source::Span;
use crate::world::World;
use answer::{Found, all_warnings, answer};
use objective::{Calm, drivers};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// A fit of a model of many genes, each by a way of its own.
#[derive(Debug, Clone)]
pub enum GeneFit {
    /// Cells at rest.
    AtRest(Arc<AtRestAnswer>),
    /// Lines through extreme cells.
    Lines(Arc<VelocityAnswer>),
    /// A linear model of perturbations.
    Factored(Arc<FactoredAnswer>),
}

impl Session {
    /// From here on this is the last fit.
    pub(super) fn keep_gene_fit(&mut self, fit: GeneFit) {
        self.fits.clear();
        self.inferred = Inferred::default();
        self.genes = Some(fit);
    }
}

/// An AnnData file has cells, each seen once, where this fit reads rows of a table.
fn no_table(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadOption,
        "this fit reads a table of text, and an AnnData file holds cells by genes",
    )
    .at(span, "how are its cells fitted?")
    .help("`using extremes` puts lines through cells, as in `fit gamma to \"cells.h5ad\" (s = spliced, u = unspliced) using extremes`, through all of them with `extremes(tails = all)`; `as stationary` takes them for draws at rest")
}

/// Understands a sentence and its data: everything that can be refused before anything is run.
///
/// # Errors
/// All problems of the sentence, its names and its tables.
pub(super) fn understood<'w>(
    compiled: &Arc<Compiled>,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &Fit,
    world: &'w dyn World,
) -> Result<(Likelihood<'w>, Vec<Diagnostic>), Vec<Diagnostic>> {
    if is_anndata(&command.data.path.text) {
        return Err(vec![no_table(command.data.path.span)]);
    }
    let present = compiled.present(&begun(compiled, overrides, command)?);
    let mut problems = Vec::new();
    let fitted = quantities::fitted(compiled, &present, &command.quantities, command.span)
        .map_err(|found| problems.extend(found))
        .ok();
    if let Some(fitted) = &fitted
        && let Some(problem) = velocity::too_many(compiled, fitted.len(), command.span)
    {
        return Err(vec![problem]);
    }
    let read = tables
        .read(&command.data.path)
        .map_err(|problem| vec![problem])
        .and_then(|table| {
            let columns = Columns::new(&table, &command.data.columns, command.data.path.span);
            let declared = !compiled.model.observations.is_empty();
            let names = &compiled.model.names;
            let readings = Readings::new(&columns, &|name| names.get(name).is_some());
            // What is mapped to nothing is told as that.
            let has = |name: &str| readings.has(name) || columns.maps(&[name]);
            let lens = Lens::new(compiled, &|name| declared || has(name));
            let mut read = data::read(compiled, &lens, (&columns, &readings), &command.data)?;
            if let Subjects::One(name) = &command.subjects {
                data::keep_subject(&mut read.0, name, &command.data)
                    .map_err(|problem| vec![problem])?;
            }
            Ok((lens, read))
        })
        .map_err(|found| problems.extend(found))
        .ok();
    let (Some(fitted), Some((lens, (data, mut warnings)))) = (fitted, read) else {
        return Err(problems);
    };
    lens.sees_no_past(compiled, command.span)?;
    let (runs, more) = runs::runs(compiled, tables, overrides, (command, &fitted), data)?;
    warnings.extend(more);
    let region = region::understood(compiled, &command.within, &runs, &mut warnings)?;
    let likelihood = Likelihood {
        compiled: Arc::clone(compiled),
        lens: Arc::new(lens),
        fitted,
        region,
        runs,
        world,
        drivers: drivers(compiled),
        filters: None,
        asserts: true,
    };
    Ok((noise::filtered(likelihood, command)?, warnings))
}

/// The values that a search begins with: those of the sentence hold. Those of a condition hold in its
/// data only.
fn begun(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Fit,
) -> Result<Overrides, Vec<Diagnostic>> {
    let setting = Setting {
        condition: None,
        with: command.setting.with.clone(),
    };
    with_setting(compiled, overrides, &setting)
}

/// What can be refused without running anything.
pub(super) fn check(
    compiled: &Arc<Compiled>,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &Fit,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    if factored::is_meant(compiled) {
        return factored::check(compiled, Some(tables), command);
    }
    if let Some(extremes) = &command.extremes {
        return velocity::check(compiled, Some(tables), overrides, (command, extremes));
    }
    let world = tables.world();
    let (likelihood, warnings) = understood(compiled, tables, overrides, command, world)?;
    plan(
        compiled,
        overrides,
        command,
        (tables, &likelihood.fitted, world.threads()),
    )?;
    if command.method == Way::Posterior {
        posterior::has_distributions(&likelihood, command.span)?;
    }
    parts(likelihood, command)?;
    Ok(warnings)
}

/// What can be refused before the data are there.
pub(super) fn check_without_data(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    command: &Fit,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    if factored::is_meant(compiled) {
        return factored::check(compiled, None, command);
    }
    if let Some(extremes) = &command.extremes {
        return velocity::check(compiled, None, overrides, (command, extremes));
    }
    let present = compiled.present(overrides);
    quantities::fitted(compiled, &present, &command.quantities, command.span)?;
    Ok(Vec::new())
}

impl Session {
    pub(super) fn fit(
        &mut self,
        command: &Fit,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        if factored::is_meant(&compiled) {
            return self.fit_factored(command);
        }
        if let Some(extremes) = &command.extremes {
            return self.velocity((command, extremes));
        }
        let world = Arc::clone(&self.world);
        let tables = Tables::new(&*world, self.data_folder());
        let (likelihood, mut diagnostics) =
            understood(&compiled, &tables, &self.overrides, command, &*world)?;
        let plan = plan(
            &compiled,
            &self.overrides,
            command,
            (&tables, &likelihood.fitted, world.threads()),
        )?;
        let present = compiled.present(&self.overrides);
        let draws = match command.method {
            Way::Posterior => {
                posterior::has_distributions(&likelihood, command.span)?;
                Some(posterior::options(
                    &|expr| compiled.number(expr, &present),
                    command,
                )?)
            }
            _ => None,
        };
        let held = match command.quantities.as_slice() {
            [] => {
                let begun = begun(&compiled, &self.overrides, command)?;
                quantities::held(&compiled, &compiled.present(&begun))
            }
            _ => Vec::new(),
        };
        let parts = parts(likelihood, command)?;
        let mut answers = Vec::with_capacity(parts.len());
        let total = parts.len() as f64;
        for (at, (subject, likelihood)) in parts.into_iter().enumerate() {
            let mut watch = |progress: Progress| {
                let own = progress.done as f64 / progress.total.max(1) as f64;
                // Of a single search nobody knows how far it has to go.
                let fraction = match total * progress.total as f64 > 1.5 {
                    true => (at as f64 + own) / total,
                    false => f64::NAN,
                };
                observer.at(fraction, &Stage::Search(progress));
                match world.interrupted() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            let found = Found {
                span: command.span,
                held: held.clone(),
                file: command.data.path.text.clone(),
                subject,
                is_one_of_each: command.each().is_some(),
                method: plan.method,
                seed: plan.seed,
                starts: plan.starts_of(&likelihood),
                by_hand: !plan.chosen.is_empty(),
                findings: self.searched(&likelihood, &plan, command, &mut watch)?,
            };
            let findings = found.findings.clone();
            let calm = Calm(&*world);
            let likelihood = Likelihood {
                world: &calm,
                ..likelihood
            };
            match answer(&likelihood, found) {
                Some(answer) => {
                    answers.push(Arc::new(answer));
                }
                None => return Err(vec![faults::all_failed(&likelihood, &findings, command)]),
            }
        }
        diagnostics.extend(all_warnings(&answers, command.span));
        self.fits.clone_from(&answers);
        self.inferred = Inferred::default();
        self.genes = None;
        if let (Some(options), [mode]) = (draws, answers.as_slice()) {
            let mut performed = self.posterior(Arc::clone(mode), options, command, observer);
            diagnostics.append(&mut performed.diagnostics);
            performed.diagnostics = diagnostics;
            return Ok(performed);
        }
        self.take_estimates(&answers);
        Ok(Performed {
            outcome: Outcome::Fitted(answers),
            diagnostics,
        })
    }

    /// The searches, going on from a checkpoint and leaving one where the sentence names a file.
    fn searched(
        &self,
        likelihood: &Likelihood<'_>,
        plan: &search::Plan,
        command: &Fit,
        watch: &mut (dyn FnMut(Progress) -> ControlFlow<()> + Send),
    ) -> Result<Findings, Vec<Diagnostic>> {
        let Some(file) = &command.checkpoint else {
            return Ok(search::findings(likelihood, plan, Vec::new(), watch));
        };
        let key = checkpoint::key(likelihood, plan);
        let done = checkpoint::read(&**self.world(), file, &key)?;
        let findings = search::findings(likelihood, plan, done, watch);
        let text = checkpoint::text(&findings, &key);
        let path = Path::new(&file.text);
        self.world()
            .replace(path, text.as_bytes())
            .map_err(|error| vec![super::cannot_write(path, &error).at(file.span, "")])?;
        Ok(findings)
    }

    /// The estimates are the values that hold now; those of several subjects are not.
    pub(super) fn take_estimates(&mut self, answers: &[Arc<FitAnswer>]) {
        let [answer] = answers else {
            return;
        };
        let before = self.values_before();
        for (quantity, value) in answer.fitted.iter().zip(&answer.estimates) {
            quantity.set(&mut self.overrides, *value);
        }
        self.can_undo(super::undo::Undid::Fitted, before);
    }
}

/// How to search, as the sentence says.
fn plan(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Fit,
    (tables, fitted, threads): (&Tables<'_>, &[Fitted], usize),
) -> Result<search::Plan, Vec<Diagnostic>> {
    let present = compiled.present(overrides);
    let count =
        |expr: &Option<crate::syntax::tree::Expr>, least: u64, message: &str, help: &str| {
            let Some(expr) = expr else { return Ok(None) };
            let value = compiled.number(expr, &present)?;
            match whole(value, least, 1 << 53) {
                Some(count) => Ok(Some(count)),
                None => Err(fault(expr, message, value, help)),
            }
        };
    let by_hand = command.table_of_starts().is_some();
    let starts = count(
        if by_hand { &None } else { &command.starts },
        1,
        "a fit needs at least one start",
        "as in `starts 20`",
    )?;
    let seed = count(
        &command.seed,
        0,
        "a seed is a whole number",
        "as in `seed 7`",
    )?;
    Ok(search::Plan {
        method: match command.method {
            Way::Auto | Way::Posterior => SearchMethod::Lm,
            Way::Search(method) => method,
        },
        chosen: starts::chosen(tables, command, fitted)?,
        starts: starts.and_then(|starts| usize::try_from(starts).ok()),
        seed: seed.unwrap_or(1),
        threads,
    })
}

/// A part of a fit: whose, and what is to be maximised.
type FitPart<'w> = (Option<String>, Likelihood<'w>);

/// One fit of all data, or one for each subject.
fn parts<'w>(
    likelihood: Likelihood<'w>,
    command: &Fit,
) -> Result<Vec<FitPart<'w>>, Vec<Diagnostic>> {
    let Some(span) = command.each() else {
        let whose = match command.subjects {
            Subjects::One(_) => likelihood
                .runs
                .first()
                .and_then(|run| run.data.subject.clone()),
            _ => None,
        };
        return Ok(vec![(whose, likelihood)]);
    };
    let mut subjects: Vec<String> = Vec::new();
    for run in &likelihood.runs {
        match &run.data.subject {
            Some(subject) if !subjects.contains(subject) => subjects.push(subject.clone()),
            Some(_) => {}
            None => return Err(vec![data::no_subjects(span, &command.data)]),
        }
    }
    let of = |subject: &String| {
        let runs = likelihood.runs.iter();
        let own = runs.filter(|run| run.data.subject.as_ref() == Some(subject));
        let own = likelihood.with_runs(own.cloned().collect());
        Ok((Some(subject.clone()), noise::filtered(own, command)?))
    };
    subjects.iter().map(of).collect()
}
